# SPDX-License-Identifier: GPL-2.0
#
# smoke.awk RATIOS RAW: compares what was measured with what was recorded, as TAP.
# A ratio may be 5 % above; one that is 5 % below should be recorded.

BEGIN {
	slack = 1.05
}

/^#/ || /^$/ {
	next
}

FILENAME == ARGV[1] {
	name[++names] = $1
	what[names] = $2
	recorded[names] = $3
	next
}

$1 == "bench:" {
	measured[$2 ":" $3] = $4
}

END {
	print "TAP version 13"
	print "1.." names
	for (i = 1; i <= names; i++)
		check(i)
	exit bad || !names
}

function check(i,  part, ratio)
{
	split(what[i], part, "/")
	if (!(measured[part[1]] > 0 && measured[part[2]] > 0)) {
		bad = 1
		print "not ok " i " " name[i] ": nothing was measured"
		return
	}
	ratio = sprintf("%.3f", measured[part[1]] / measured[part[2]])
	if (ratio > recorded[i] * slack) {
		bad = 1
		printf "not "
	}
	printf "ok %d %s\n# %s: %s, recorded %s%s\n", i, name[i], what[i], \
		ratio, recorded[i], \
		ratio * slack < recorded[i] ? ": better, record it" : ""
}
