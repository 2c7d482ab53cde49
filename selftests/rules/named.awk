# SPDX-License-Identifier: GPL-2.0
#
# Reads TAP, with the lines of each test behind "# ", and prints "ID PROGRAM
# NAME" (by tabs) for each rule that the name of a passed result names. topics
# are the codes that IDs begin with.

BEGIN {
	n = split(topics, codes, " ")
	for (i = 1; i <= n; i++)
		is_topic[codes[i]] = 1
}

/^# selftests: / {
	program = $3
	sub(/.*\//, "", program)
	sub(/\.sh$/, "", program)
}

/^# ok( |$)/ && !/# *SKIP/ {
	sub(/^# ok *[0-9]* *(- *)?/, "")
	name_of_result($0)
}

function name_of_result(name,  words, n, i)
{
	n = split(name, words, /[^A-Za-z0-9-]+/)
	for (i = 1; i <= n; i++)
		word_of_name(words[i], name)
}

# "XY1", "XY1-XY3"
function word_of_name(word, name,  ends, i)
{
	if (word ~ /^[^-]+-[^-]+$/) {
		split(word, ends, "-")
		if (code_of(ends[1]) && code_of(ends[1]) == code_of(ends[2])) {
			for (i = number_of(ends[1]); i <= number_of(ends[2]); i++)
				print_rule(code_of(ends[1]) i, name)
			return
		}
	}
	i = split(word, ends, "-")
	for (; i > 0; i--)
		if (code_of(ends[i]))
			print_rule(ends[i], name)
}

function print_rule(id, name)
{
	print id "\t" program "\t" name
}

# The topic of what looks like an ID, or nothing
function code_of(id,  code)
{
	code = substr(id, 1, 2)
	return code in is_topic && substr(id, 3) ~ /^[0-9]+$/ ? code : ""
}

function number_of(id)
{
	return substr(id, 3) + 0
}
