# SPDX-License-Identifier: GPL-2.0
#
# Reads a picture of "threeway ladder" and prints what is wrong with its layout:
# texts that overlap each other or an arrow, or leave the picture. At the end "N
# texts, M arrows". Fonts with a fixed width advance by 0.6 of their size.

function attribute(name,	value)
{
	if (!match($0, " " name "=\"[^\"]*\""))
		return ""
	value = substr($0, RSTART, RLENGTH - 1)
	sub(/^[^"]*"/, "", value)
	return value
}

# corner BOX NUMBER: at so much along a direction, and so much to its right
function corner(box, number, x, y, along, across, sine, cosine)
{
	cx[box, number] = x + along * cosine - across * sine
	cy[box, number] = y + along * sine + across * cosine
}

function add_box(text, x, y, from, to, above, below, angle,	s, c, i)
{
	x += 0
	y += 0
	s = sin(angle)
	c = cos(angle)
	corner(count, 0, x, y, from, -above, s, c)
	corner(count, 1, x, y, to, -above, s, c)
	corner(count, 2, x, y, to, below, s, c)
	corner(count, 3, x, y, from, below, s, c)
	top[count] = bottom[count] = cy[count, 0]
	for (i = 1; i < 4; i++) {
		if (cy[count, i] < top[count])
			top[count] = cy[count, i]
		if (cy[count, i] > bottom[count])
			bottom[count] = cy[count, i]
	}
	name[count++] = text
}

function add_text(	size, text, width, from, angle)
{
	size = attribute("font-size")
	text = $0
	sub(/<\/text>.*/, "", text)
	sub(/.*>/, "", text)
	gsub(/&[a-z]*;/, "_", text)
	width = length(text) * size * 0.6
	from = 0
	if (attribute("text-anchor") == "end")
		from = -width
	else if (attribute("text-anchor") == "middle")
		from = -width / 2
	angle = attribute("transform")
	sub(/.*rotate\(/, "", angle)
	sub(/ .*/, "", angle)
	add_box(text, attribute("x"), attribute("y"), from, from + width, size * 0.75, size * 0.2,
		angle * atan2(0, -1) / 180)
	texts++
}

function add_arrow(	path, ends, x, y)
{
	path = attribute("d")
	gsub(/[ML]/, " ", path)
	if (split(path, ends, " ") != 4)
		return
	x = ends[3] - ends[1]
	y = ends[4] - ends[2]
	add_box("", ends[1], ends[2], 0, sqrt(x * x + y * y), 0.5, 0.5, atan2(y, x))
	arrows++
}

# Does an edge of a have all of b on its outer side?
function beside(a, b,	i, j, x, y, outside)
{
	for (i = 0; i < 4; i++) {
		x = cx[a, (i + 1) % 4] - cx[a, i]
		y = cy[a, (i + 1) % 4] - cy[a, i]
		outside = 0
		for (j = 0; j < 4; j++)
			outside += x * (cy[b, j] - cy[a, i]) - y * (cx[b, j] - cx[a, i]) <= 0
		if (outside == 4)
			return 1
	}
	return 0
}

function check_inside(box,	i)
{
	for (i = 0; i < 4; i++)
		if (cx[box, i] < 0 || cx[box, i] > width || cy[box, i] < 0 || cy[box, i] > height)
			return 0
	return 1
}

/^<svg / {
	width = attribute("width") + 0
	height = attribute("height") + 0
}

/<text / {
	add_text()
}

/<path class="arrow / && !/Z"/ {
	add_arrow()
}

END {
	for (a = 0; a < count; a++) {
		if (name[a] != "" && !check_inside(a))
			print "\"" name[a] "\" leaves the picture"
		for (b = 0; b < a; b++) {
			# Arrows may cross.
			if (name[a] == "" && name[b] == "")
				continue
			if (bottom[a] < top[b] || bottom[b] < top[a])
				continue
			if (!beside(a, b) && !beside(b, a))
				print "\"" name[a] "\" and \"" name[b] "\" overlap"
		}
	}
	print texts + 0 " texts, " arrows + 0 " arrows"
}
