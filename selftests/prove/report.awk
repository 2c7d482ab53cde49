# SPDX-License-Identifier: GPL-2.0
#
# What cbmc says about one proof: its rules, and the number of its checks of
# memory and arithmetic. A "reach:" must fail: it says that a case cannot be.

function text(line)
{
	sub(/^\[[^]]*\] (file [^ ]* )?(line [0-9]+ )?/, "", line)
	sub(/: (SUCCESS|FAILURE|UNKNOWN|ERROR)$/, "", line)
	return line
}

# What comes behind a failure is not known, and of no interest.
function fail(what)
{
	if (/: FAILURE$/)
		broken[what]
	else
		unknown[what]
}

/^\[.*: (SUCCESS|FAILURE|UNKNOWN|ERROR)$/ {
	good = /: SUCCESS$/
	what = text($0)
	if (what ~ /^reach: /) {
		if (good)
			broken["case cannot be reached: " substr(what, 8)]
		else if (/: FAILURE$/)
			reached++
		else
			broken[what]
	} else if (/^\[[^]]*\.assertion\./ && what !~ /^assertion /) {
		if (!(what in rule))
			order[++rules] = what
		rule[what] = 1
		if (!good)
			fail(what)
	} else {
		checks++
		if (!good)
			fail(what)
	}
}

/^VERIFICATION / {
	done = 1
}

END {
	if (!rules)
		broken["there is no rule in it"]
	if (!done)
		broken[status > 128 ? "no answer in time" : "cbmc fails"]
	if (length(broken) == 0)
		for (what in unknown)
			broken[what]
	for (what in broken)
		bad++
	printf "%s  %s: %s\n", bad ? "FAILED" : "proved", name, bound
	printf "        %d s, %d checks of memory and arithmetic, %d cases reached\n",
		seconds, checks, reached
	for (i = 1; i <= rules; i++)
		if (!(order[i] in broken) && !(order[i] in unknown))
			print "        - " order[i]
	for (what in broken)
		print "        NOT PROVED: " what
	exit bad > 0
}
