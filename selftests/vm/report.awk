# SPDX-License-Identifier: GPL-2.0
#
# The work of report, see there. A test's own lines come behind "# ", then one
# line "ok N selftests: NAME" or "not ok N selftests: NAME # REASON".

BEGIN {
	while ((getline line < expected) > 0)
		if (line !~ /^#/)
			expected_skip[line] = 1
}

/^# selftests: / {
	begin_test(substr($0, 14))
	print
	next
}

/^# (not )?ok( |$)/ {
	inner_result(substr($0, 3))
	print
	if (/^# not/)
		remember()
	next
}

/^# [0-9]+ s$/ {
	print
	next
}

/^# 1\.\.[0-9]+/ {
	planned += substr($2, 4)
}

/^(not )?ok [0-9]+ selftests: / {
	name = $1 == "ok" ? $4 : $5
	if (name != test)
		begin_test(name)
	outer_result()
	next
}

{
	if (verbose)
		print
	remember()
}

END {
	if (total == 0)
		complain("no test ran")
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed > 0 || broken > 0
}

function begin_test(name)
{
	test = name
	lines = planned = seen = bad = skips = 0
	total++
}

function remember()
{
	if (lines < 400)
		output[lines++] = $0
}

# The name of a result: without number and reason
function result_name(line)
{
	sub(/^(not )?ok */, "", line)
	sub(/^[0-9]+ */, "", line)
	sub(/^- */, "", line)
	sub(/ *# *SKIP.*/, "", line)
	return line
}

function inner_result(line)
{
	seen++
	if (line ~ /^not ok/) {
		failed++
		bad++
	} else if (line ~ /# *SKIP/) {
		skip(test ": " result_name(line))
	} else {
		passed++
	}
}

function skip(what)
{
	skipped++
	skips++
	if (!(what in expected_skip))
		complain("unexpected skip: " what)
}

function complain(what)
{
	print "# " what
	broken++
}

# What the test as a whole adds: a failure without a failed result, a skip
# without a skipped one, a plan that was not kept.
function outer_result(  whole, reason)
{
	whole = $0
	if (whole ~ /^not ok/) {
		show_output()
		if (!bad)
			failed++
	} else if (whole ~ /# SKIP/) {
		if (!skips)
			skip(test)
	} else if (bad) {
		whole = "not " whole " # exit status hides a failure"
	} else if (seen != planned) {
		show_output()
		whole = "not " whole " # " seen " results, " planned " planned"
		failed++
	} else if (!seen) {
		whole = "not " whole " # no results"
		failed++
	}
	print whole
}

function show_output(  i)
{
	if (verbose)
		return
	print "# --- output of " test
	for (i = 0; i < lines; i++)
		print output[i]
	print "# ---"
}
