# SPDX-License-Identifier: GPL-2.0
#
# The work of coverage, see there. Reads the list of rules, then "ID PROGRAM
# NAME" (by tabs) for each result that names a rule, and writes
#
#	table	each rule with the programs that test it, or why none does
#	results	each rule with the results that prove it
#
# and, on standard output, "WHAT: DETAIL" for each mistake.

BEGIN {
	FS = "\t"
	while ((getline line < makefile) > 0)
		if (match(line, /^[a-z][-a-z]*:/))
			reasons[substr(line, 1, RLENGTH)] = 1
	reasons["later:"] = reasons["never:"] = 1
}

FILENAME == rules {
	rule_line($0)
	next
}

{
	proved($1, $2, $3)
}

END {
	end_topic()
	for (i = 1; i <= many; i++)
		judge(ids[i])
	write_table()
	write_results()
}

function rule_line(line,  words)
{
	if (line == "" || line ~ /^#/)
		return
	split(line, words, " ")
	if (words[1] == "topic")
		begin_topic(line, words)
	else
		begin_rule(line, words[1])
}

function begin_topic(line, words)
{
	end_topic()
	code = words[2]
	announced = words[3]
	in_topic = 0
	topics++
	sub(/^topic [^ ]+ [^ ]+ /, "", line)
	titles[many + 1] = code ": " line
}

function end_topic()
{
	if (topics && in_topic != announced)
		print "list: " code " has " in_topic " rules instead of " \
			announced
}

# ID SUMMARY [| REASON]
function begin_rule(line, id,  bar)
{
	if (id in summary)
		print "list: " id " is there twice"
	if (id !~ "^" code "[1-9][0-9]*$")
		print "list: " id " is no rule of " code
	in_topic++
	ids[++many] = id
	line = substr(line, length(id) + 2)
	bar = index(line, " | ")
	reason[id] = bar ? substr(line, bar + 3) : ""
	summary[id] = bar ? substr(line, 1, bar - 1) : line
	if (sub(/^and /, "", reason[id]))
		in_part[id] = 1
	if (summary[id] == "")
		print "list: " id " says nothing"
	if (bar)
		check_reason(id, reason[id])
}

function check_reason(id, why,  kind)
{
	kind = substr(why, 1, index(why, ":"))
	if (!(kind in reasons) || why !~ /^[^ ]+: [^ ]/ ||
	    id in in_part && kind ~ /^(later|never):$/)
		print "list: the reason of " id " is of no known kind: " why
}

function proved(id, program, name)
{
	if (!(id in summary)) {
		print "unknown: " id ", named by " program ": " name
		return
	}
	if (!(id in programs))
		programs[id] = " " program
	else if (programs[id] "," !~ " " program ",")
		programs[id] = programs[id] ", " program
	names[id] = names[id] "\t" program ": " name "\n"
}

function judge(id)
{
	if (id in programs) {
		tested++
		if (id in in_part)
			shared++
		else if (reason[id])
			print "stale: " id " is tested by" programs[id] \
				", but has a reason why not: " reason[id]
	} else if (id in in_part) {
		print "untested: " id " " summary[id]
	} else if (reason[id] ~ /^later:/) {
		awaited++
	} else if (reason[id] ~ /^never:/) {
		without++
	} else if (reason[id]) {
		elsewhere++
	} else {
		print "untested: " id " " summary[id]
	}
}

function write_table(  i, id)
{
	print "# Rules and their tests\n" >table
	print "Made by `make rules` from the results of `make check`, which" \
		>table
	print "fails when a rule is neither tested nor explained, and when" \
		>table
	print "this table is not true any more. The names of the results" \
		>table
	print "are in `build/rules/coverage`.\n" >table
	printf "%d rules: %d tested by `make check`, %d of them by other " \
		"targets, too;\n%d only by others; about what the engine " \
		"does not have: %d; that cannot be\ntested: %d.\n", many,
		tested, shared, elsewhere, awaited, without >table
	for (i = 1; i <= many; i++) {
		id = ids[i]
		if (i in titles)
			printf "\n## %s\n\n| | rule | tests |\n|---|---|---|\n",
				titles[i] >table
		printf "| %s | %s |%s |\n", id, summary[id], proof(id) >table
	}
	close(table)
}

function proof(id,  rest)
{
	rest = " *" (reason[id] ? reason[id] : "untested") "*"
	if (!(id in programs))
		return rest
	return programs[id] (id in in_part ? ";" rest : "")
}

function write_results(  i, id)
{
	printf "" >results
	for (i = 1; i <= many; i++) {
		id = ids[i]
		print id " " summary[id] >results
		printf "%s", names[id] >results
		if (reason[id])
			print "\t" reason[id] >results
	}
	close(results)
}
