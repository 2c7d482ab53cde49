#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Does coverage see each mistake that there can be, and no other? Tried on a
# small list of rules and on made-up results.
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export RULES_LIST=$work/list RULES_TABLE=$work/table RULES_DIR=$work

unknown="tests name rules of the list only"
untested="every rule is tested, or it is said why not"
stale="no rule that is tested has a reason why not"
list="the list of rules is as it says"
old="doc/coverage.md is what the tests say"

coverage()
{
	"$(dirname "$0")/coverage" "$1" >"$work/said" 2>&1
}

# begin: a list, results and a table with which nothing is wrong
begin()
{
	cat >"$work/list" <<-END
		# two topics

		topic QA 4 first things
		QA1 is tested
		QA2 is tested once
		QA3 is missing | later: not there
		QA4 is known | never: it cannot be
		topic Q6 2 others
		Q61 is tested | and lint: the rest
		Q610 is somewhere else | lint: it says so
	END
	cat >"$work/tap" <<-END
		# selftests: here
		# TAP version 13
		# 1..4
		# ok 1 - QA1 by a name with v4 and v6
		# ok 2 XQA9 QA QA1b QAX1 (QA2) MD5
		# ok 3 qa7 neither
		# ok 4 QA3 is not there # SKIP really
		# made it with QA9
		ok 1 selftests: here
		# selftests: net/there.sh
		# # ok 1 QA3 is what a test has seen, not a result
		# ok 1 wire.ipv4.QA1_Q61_in_C
		ok 2 selftests: net/there.sh
	END
	coverage renew
}

edit_list()
{
	sed -i "$1" "$work/list"
}

edit_results()
{
	sed -i "$1" "$work/tap"
}

# finds NAME [WHAT...]: just these mistakes, apart from an old table
finds()
{
	local got want

	coverage renew
	coverage check
	got=$(sed -n -e 's/^not ok [0-9]* //p' -e 's/^# //p' "$work/said")
	want=$(printf '%s\n' "${@:2}")
	check_equal "$1" "$got" "$want"
}

# in_table LINE, in_names LINE: it is in what was written
# shellcheck disable=SC2317 # check runs it
in_table()
{
	grep -qxF -- "$1" "$work/table"
}

# shellcheck disable=SC2317 # check runs it
in_names()
{
	grep -qxF -- "$1" "$work/coverage"
}

what_is_right()
{
	begin
	finds "nothing is wrong"
	check "programs are in the table, each once" \
		in_table "| QA1 | is tested | here, there |"
	check "so are reasons" \
		in_table "| QA3 | is missing | *later: not there* |"
	check "what another target adds, too" \
		in_table "| Q61 | is tested | there; *lint: the rest* |"
	check "and how many there are" in_table \
		"6 rules: 3 tested by \`make check\`, 1 of them by other targets, too;"
	check "the names are with the results" \
		in_names "	there: wire.ipv4.QA1_Q61_in_C"
}

rules_without_tests()
{
	begin
	edit_results 's/(QA2)//'
	finds "a rule that nothing names" "$untested" "QA2 is tested once"
	begin
	edit_results 's/(QA2)/& # SKIP/'
	finds "a rule whose test was skipped" "$untested" "QA2 is tested once"
	begin
	edit_results 's/QA1_Q61_in_C/QA1_in_C/'
	finds "a rule, but not one that begins like it" \
		"$untested" "Q61 is tested"
	begin
	edit_results 's/selftests: net.there.sh/selftests: here/'
	coverage check
	check "a table that is old" grep -qx "not ok 5 $old" "$work/said"
}

tests_without_rules()
{
	begin
	edit_results 's/Q61/&_QA7/'
	finds "a rule that is not in the list" "$unknown" \
		"QA7, named by there: wire.ipv4.QA1_Q61_QA7_in_C"
	begin
	edit_results 's/MD5/QA4/'
	finds "a reason that is none any more" "$stale" \
		"QA4 is tested by here, but has a reason why not: never: it cannot be"
	begin
	edit_results 's/MD5/QA2-QA4/'
	finds "a range means what is between" "$stale" \
		"QA3 is tested by here, but has a reason why not: later: not there" \
		"QA4 is tested by here, but has a reason why not: never: it cannot be"
}

wrong_lists()
{
	begin
	edit_list '/^QA3/d'
	finds "a list that has lost a rule" "$list" "QA has 3 rules instead of 4"
	begin
	edit_list '/^Q610/d'
	finds "at its end, too" "$list" "Q6 has 1 rules instead of 2"
	begin
	edit_list 's/^QA4.*/QA3 once more | later: perhaps/'
	finds "a rule twice" "$list" "QA3 is there twice"
	begin
	edit_list 's/^QA4/Q64/'
	finds "a rule of another topic" "$list" "Q64 is no rule of QA"
	begin
	edit_list 's/never: /perhaps: /'
	finds "a reason of no kind" "$list" \
		"the reason of QA4 is of no known kind: perhaps: it cannot be"
	begin
	edit_list 's/never: .*/never: /'
	finds "a reason that says nothing" "$list" \
		"the reason of QA4 is of no known kind: never: "
	begin
	edit_list 's/and lint/and later/'
	finds "a rest that nothing proves" "$list" \
		"the reason of Q61 is of no known kind: later: the rest"
}

# shellcheck disable=SC2317 # check runs it
unjudged()
{
	! coverage check && ! grep -q '^ok' "$work/said"
}

runs_that_tell_nothing()
{
	begin
	edit_results 's/ok 3 qa7/not &/'
	check "a failed result" unjudged
	begin
	edit_results 's/^ok 2 selftests/not &/'
	check "a failed test" unjudged
	begin
	rm "$work/tap"
	check "no run" unjudged
}

tap_plan 23
what_is_right
rules_without_tests
tests_without_rules
wrong_lists
runs_that_tell_nothing
finish
