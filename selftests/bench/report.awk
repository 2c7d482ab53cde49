# SPDX-License-Identifier: GPL-2.0
#
# report.awk -v json=FILE targets RAW: of what was measured, a table for people and
# bench.json for machines. Fails if a figure is missing.

BEGIN {
	split("native native-cookies synproxy floor", peers)
	# the floor of an operation is one of its peers
	floors["syn"] = floors["syn_ipv6"] = "bounce"
	floors["exchange"] = "hooks"
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
	measured[$2 ":" $3] = $4
	if (floors[$2] == $3)
		measured[$2 ":floor"] = $4
}

$1 == "counter:" {
	counted[$3 == "growth" ? "cycles" : "instructions"] = $2
}

END {
	print "counted: " counted["instructions"] "; for growth_cycles: " \
		counted["cycles"]
	print ""
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
	line = sprintf("%-25s%10s %-13s%9s%9s%9s%9s  %s", name, value, unit, \
		a, b, c, d, target)
	sub(/ +$/, "", line)
	print line
}

# figure WHAT: as the table of targets says it
function figure(what,  part)
{
	if (split(what, part, "/") == 2)
		return figure(part[1]) / figure(part[2])
	if (what in measured)
		return measured[what]
	print "nothing was measured for " what
	missing = 1
	exit 1
}

function format_of(unit)
{
	return unit == "ratio" ? "%.3f" : \
		unit == "bytes" || unit == "us" ? "%d" : "%.1f"
}

function show(name, more,  i, value, operation, ratio, vs, target, shown)
{
	value = sprintf(format_of(unit[name]), figure(what[name]))
	shown = unit[name] in counted ? counted[unit[name]] : unit[name]
	operation = what[name]
	sub(/:.*/, "", operation)
	for (i = 1; i in peers && what[name] !~ "/"; i++) {
		# nothing can be said beside a peer that never succeeds
		if (!(measured[operation ":" peers[i]] > 0))
			continue
		# as exact as it can be repeated
		ratio[i] = sprintf("%.3f", \
			value / measured[operation ":" peers[i]])
		vs = vs sprintf("%s\"%s\": %s", vs ? ", " : "", peers[i], \
			ratio[i])
		target = target judge(name, peers[i], ratio[i])
	}
	target = target judge(name, "value", value)
	row(name, value, shown, ratio[1], ratio[2], ratio[3], ratio[4], \
		substr(target, 3))
	printf "\t\"%s\": {\"value\": %s, \"unit\": \"%s\", \"vs\": {%s}}%s\n", \
		name, value, shown, vs, more ? "," : "" >json
}

function judge(name, whom, got)
{
	if (!((name, whom) in limits))
		return ""
	return sprintf("; %s%s: %s", limits[name, whom], \
		whom == "value" ? "" : " x " whom, \
		got + 0 <= limits[name, whom] + 0 ? "met" : "not met")
}
