# SPDX-License-Identifier: GPL-2.0
#
# bars.awk RAW: what guest.sh measured as a picture, SVG. A group of bars for each
# operation, with a scale of its own.

BEGIN {
	width = 880
	left = 225
	bar = 18
	step = 25
	longest = width - left - 190
	title["syn"] = "SYN to SYN-ACK"
	title["handshake"] = "SYN to a connection in the accept queue"
	title["connect"] = "connect() to ESTABLISHED"
	title["retransmit"] = "the first copy of a SYN-ACK"
	title["exchange"] = "an established connection: data in, data out"
	title["memory"] = "a half-open connection"
	unit["memory"] = "bytes"
	title["million_cycles"] = "the same with 1,000,000"
	title["thousand_cycles"] = "SYN to SYN-ACK with 1,000 half-open connections"
	title["syn_ipv6"] = "IPv6: SYN to SYN-ACK"
	title["handshake_ipv6"] = "IPv6: SYN to a connection in the accept queue"
	title["connect_ipv6"] = "IPv6: connect() to ESTABLISHED"
	groups = split("syn handshake connect retransmit exchange memory " \
		"thousand_cycles million_cycles syn_ipv6 handshake_ipv6 " \
		"connect_ipv6", group)
	label["native"] = "native"
	label["synproxy"] = "synproxy"
	label["threeway"] = label["patient"] = "threeway"
	label["quick"] = "threeway, early"
	label["late"] = "threeway, cookies"
	label["early"] = "threeway, cookies, early"
	label["native-cookies"] = "native, cookies"
	label["bounce"] = "bounced at ingress"
	label["drop"] = "dropped at ingress"
	label["arrival"] = "dropped at LOCAL_IN"
	label["reply"] = "bounced at LOCAL_IN"
	label["hooks"] = "empty hooks"
	label["observed"] = "observed claim"
	label["other-port"] = "claim for another port"
	label["passive"] = "passive claim"
	label["loaded"] = "loaded, no claim"
}

$1 == "counter:" && $3 == "growth" {
	unit["thousand_cycles"] = unit["million_cycles"] = $2
}

$1 == "counter:" && !$3 {
	counted = $2
}

$1 == "bench:" && $2 in title && $3 != "claims" {
	if (!(($2, $3) in value))
		peer[$2, ++peers[$2]] = $3
	value[$2, $3] = $4
	if ($4 + 0 > most[$2] + 0)
		most[$2] = $4
}

END {
	height = 78
	for (i = 1; i <= groups; i++)
		height += peers[group[i]] ? 44 + step * peers[group[i]] : 0
	head(height)
	y = 74
	for (i = 1; i <= groups; i++)
		if (peers[group[i]])
			y = draw_group(group[i], y)
	print "</svg>"
}

function head(height)
{
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"bench\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"what handshakes cost\">\n", \
		width, height, width, height
	print "<style>"
	print ".bench text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",\"Liberation Mono\",monospace;font-size:13px;white-space:pre}"
	print ".bench .card{fill:#ffffff;stroke:#d0d7de}"
	print ".bench .ink{fill:#1f2328}.bench .dim{fill:#59636e}"
	print ".bench .bold{font-weight:bold}"
	print ".bench .ours{fill:#0a5fd0}.bench .peer{fill:#afb8c1}"
	print "@media (prefers-color-scheme:dark){"
	print ".bench .card{fill:#0d1117;stroke:#3d444d}"
	print ".bench .ink{fill:#f0f6fc}.bench .dim{fill:#9198a1}"
	print ".bench .ours{fill:#58a6ff}.bench .peer{fill:#4a525c}"
	print "}"
	print "</style>"
	printf "<rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"8\"/>\n", \
		width - 1, height - 1
	write("ink bold", 20, 32, "start", "What handshakes cost the host")
	write("dim", 20, 52, "start", \
		counted ", and in brackets the ratio to the native stack; a scale for each group")
}

function write(class, x, y, anchor, text)
{
	printf "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>\n", \
		class, x, y, anchor, text
}

function draw_group(name, y,  i, who)
{
	write("ink bold", 20, y + 18, "start", \
		title[name] (name in unit ? ", " unit[name] : ""))
	y += 30
	for (i = 1; i <= peers[name]; i++) {
		who = peer[name, i]
		draw_bar(y, who, value[name, who], most[name], \
			value[name, "native"])
		y += step
	}
	return y + 14
}

function draw_bar(y, who, value, most, native,  length_px, ratio)
{
	if (!(who in label)) {
		print "no label for " who | "cat >&2"
		exit 1
	}
	length_px = value / most * longest
	ratio = who == "native" ? "" : sprintf(" (%.2f)", value / native)
	write(label[who] ~ /^threeway/ ? "ink bold" : "ink", left - 12, \
		y + bar - 5, "end", label[who])
	printf "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>\n", \
		label[who] ~ /^threeway/ ? "ours" : "peer", left, y, length_px, bar
	write("dim", left + length_px + 10, y + bar - 5, "start", \
		sprintf("%d%s", value + 0.5, ratio))
}
