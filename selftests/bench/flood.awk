# SPDX-License-Identifier: GPL-2.0
#
# flood.awk RAW: how clients connect under floods, as a picture, SVG: a panel each
# for success, the median and the 99th percentile of the time that it takes; in it,
# for each rate of SYNs, a bar for each peer.

BEGIN {
	left = 96
	panel = 150
	bar = 22
	gap = 34
	peers = split("native native-cookies synproxy late-auto early-auto", peer)
	split("native|native, cookies|synproxy|threeway, late|threeway, early", \
		label, "|")
	title[1] = "clients that connect, %"
	title[2] = "median time to the server's first byte"
	title[3] = "99th percentile"
	# the least and the most of a logarithmic scale, in microseconds
	least = 10
	most = 10000000
}

$1 == "survived:" {
	survived = $2
}

$1 == "flood:" {
	for (i = 4; i <= 6; i++)
		value[i - 3, $3, $2] = $i
	# the native stack alone looks for what it survives
	if ($2 == "synproxy")
		rate[++rates] = $3
}

END {
	if (!rates || !survived)
		exit 1
	group = peers * bar
	width = left + rates * (group + gap) + 30
	head(width, 120 + 3 * (panel + 62))
	legend()
	for (i = 1; i <= 3; i++)
		draw_panel(i, 100 + (i - 1) * (panel + 62))
	print "</svg>"
}

function head(width, height)
{
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flood\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"clients under a flood of SYNs\">\n", \
		width, height, width, height
	print "<style>"
	print ".flood text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",\"Liberation Mono\",monospace;font-size:13px;white-space:pre}"
	print ".flood .card{fill:#ffffff;stroke:#d0d7de}.flood .grid{stroke:#d0d7de}"
	print ".flood .ink{fill:#1f2328}.flood .dim{fill:#59636e}.flood .bold{font-weight:bold}"
	print ".flood .p1{fill:#818b98}.flood .p2{fill:#bf8700}.flood .p3{fill:#a40e26}.flood .p4{fill:#0a5fd0}.flood .p5{fill:#54aeff}"
	print "@media (prefers-color-scheme:dark){"
	print ".flood .card{fill:#0d1117;stroke:#3d444d}.flood .grid{stroke:#3d444d}"
	print ".flood .ink{fill:#f0f6fc}.flood .dim{fill:#9198a1}"
	print "}"
	print "</style>"
	printf "<rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n", \
		width - 1, height - 1
	write("ink bold", 20, 32, "start", \
		"Clients connect while SYNs of others come that never answer")
}

function write(class, x, y, anchor, text)
{
	printf "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>\n", \
		class, x, y, anchor, text
}

function box(class, x, y, width, height)
{
	printf "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", \
		class, x, y, width, height
}

function legend(  i, x)
{
	x = 20
	for (i = 1; i <= peers; i++) {
		box("p" i, x, 49, 12, 12)
		write("ink", x + 18, 60, "start", label[i])
		x += 18 + 8 * length(label[i]) + 24
	}
}

function grid(y, text)
{
	printf "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n", \
		left, width - 20, y, y
	write("dim", left - 8, y + 4, "end", text)
}

function draw_panel(i, y,  r, p, x)
{
	write("ink bold", 20, y, "start", title[i])
	y += 16
	draw_grid(i, y)
	for (r = 1; r <= rates; r++) {
		x = left + gap / 2 + (r - 1) * (group + gap)
		for (p = 1; p <= peers; p++)
			if ((i, rate[r], peer[p]) in value)
				draw_bar(i, p, x + (p - 1) * bar, y, \
					value[i, rate[r], peer[p]])
		write("dim", x + group / 2, y + panel + 18, "middle", \
			rate[r] "/s" (rate[r] == 10 * survived ? \
				" (10 x)" : ""))
	}
}

function draw_grid(i, y,  at)
{
	if (i == 1) {
		for (at = 0; at <= 100; at += 25)
			grid(y + panel * (1 - at / 100), at)
		return
	}
	for (at = least; at <= most; at *= 10)
		grid(y + panel * (1 - part(i, at)), at < 1000 ? at " us" : \
			at < 1000000 ? at / 1000 " ms" : at / 1000000 " s")
}

# part PANEL VALUE: how high it is, 0 to 1
function part(i, v)
{
	if (i == 1)
		return v / 100
	if (v < least)
		return 0
	return log(v / least) / log(most / least)
}

function draw_bar(i, p, x, y, v,  high)
{
	high = panel * part(i, v)
	box("p" p, x, y + panel - high, bar - 4, high)
	if (i == 1 && v == 0)
		write("dim", x + bar / 2 - 2, y + panel - 4, "middle", "0")
}
