# SPDX-License-Identifier: GPL-2.0
#
# report.awk -v json=FILE targets RAW: of what guest.sh measured, a table for
# people, bench.json for machines, and for the picture lines
#
#	bar: NAME PEER VALUE LIMIT
#
# Fails if a figure is missing.

BEGIN {
	split("native native-cookies synproxy floor", peers)
}

/^#/ || /^$/ {
	next
}

FILENAME == ARGV[1] {
	name[++names] = $1
	unit[$1] = $2
	what[$1] = $3
	for (i = 4; i <= NF; i++) {
		split($i, limit, "=")
		limits[$1, limit[1]] = limit[2]
	}
	next
}

$1 == "bench:" {
	operation = $2 ":" ($3 == "bounce" ? "floor" : $3)
	measured[operation] = $4
}

END {
	row("", "", "", "ratio to", "", "", "", "")
	row("", "", "", "native", "cookies", "synproxy", "floor", "target")
	printf "{\n" >json
	for (i = 1; i <= names; i++)
		show(name[i], i < names)
	printf "}\n" >json
	exit missing
}

function row(name, value, unit, a, b, c, d, target,  line)
{
	line = sprintf("%-20s%10s %-13s%9s%9s%9s%9s  %s", name, value, unit, \
		a, b, c, d, target)
	sub(/ +$/, "", line)
	print line
}

# figure WHAT: as the table of targets says it
function figure(what,  part)
{
	if (split(what, part, "/") == 2)
		return figure(part[1]) / figure(part[2])
	if (measured[what] > 0)
		return measured[what]
	print "nothing was measured for " what
	missing = 1
	exit 1
}

function show(name, more,  i, value, operation, ratio, vs, target)
{
	value = sprintf(unit[name] == "ratio" ? "%.3f" : \
		unit[name] == "bytes" ? "%d" : "%.1f", figure(what[name]))
	operation = what[name]
	sub(/:.*/, "", operation)
	for (i = 1; i in peers && unit[name] != "ratio"; i++) {
		if (!((operation ":" peers[i]) in measured))
			continue
		# as exact as it can be repeated
		ratio[i] = sprintf("%.3f", \
			value / measured[operation ":" peers[i]])
		vs = vs sprintf("%s\"%s\": %s", vs ? ", " : "", peers[i], \
			ratio[i])
		target = target judge(name, peers[i], ratio[i])
	}
	target = target judge(name, "value", value)
	row(name, value, unit[name], ratio[1], ratio[2], ratio[3], ratio[4], \
		substr(target, 3))
	printf "\t\"%s\": {\"value\": %s, \"unit\": \"%s\", \"vs\": {%s}}%s\n", \
		name, value, unit[name], vs, more ? "," : "" >json
}

function judge(name, whom, got)
{
	if (!((name, whom) in limits))
		return ""
	return sprintf("; %s%s: %s", limits[name, whom], \
		whom == "value" ? "" : " x " whom, \
		got + 0 <= limits[name, whom] + 0 ? "met" : "not met")
}
