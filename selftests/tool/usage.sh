#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The command line of threeway: what it accepts, what it refuses and with which
# words, help, abbreviations, and that manual page and completion know all of it.
# Needs no module and changes nothing: a command that ends in "help" is read like
# any other, and then not done.
. "$(dirname "$0")/../lib.sh"

# In the source tree, or where the tests were installed beside copies.
here=$(cd "$(dirname "$0")" && pwd)
beside() { [ -e "$here/../../tools/$1" ] && echo "$here/../../tools/$1" || echo "$here/$1"; }
tool=$(beside threeway)
[ -x "$tool" ] || tool=$(command -v threeway) || skip_all "no threeway here"
manuals=("$(beside threeway.8)" "$(beside threeway-lab.8)" "$(beside threeway-monitor.8)" "$(beside threeway-stat.8)")
completion=$(beside threeway.bash)

# run WORDS...: sets out, err and status
run()
{
	local errors

	errors=$(mktemp)
	status=0
	out=$("$tool" "$@" 2>"$errors") || status=$?
	err=$(cat "$errors")
	rm -f "$errors"
}

# accepts WORDS...: they are right, and help after them says so
accepts()
{
	run "$@" help
	if [ "$status" -eq 0 ] && [ -z "$err" ] && [[ $out == Usage:* ]]; then
		ok "accepts: $*"
	else
		not_ok "accepts: $*" "exit $status, $err"
	fi
}

# refuses MESSAGE WORDS...: exit 255, and just that message
refuses()
{
	ends_with 255 "$@"
}

# unreadable MESSAGE WORDS...: likewise, with the status for bad files
unreadable()
{
	ends_with 1 "$@"
}

ends_with()
{
	run "${@:3}"
	if [ "$status" -eq "$1" ] && [ "$err" = "threeway: $2" ] && [ -z "$out" ]; then
		ok "refuses: ${*:3}"
	else
		not_ok "refuses: ${*:3}" "exit $status, '$err', want $1 '$2'"
	fi
}

# helps WORDS...: usage on stdout
helps()
{
	run "$@"
	if [ "$status" -eq 0 ] && [ -z "$err" ] && [[ $out == "Usage: threeway "* ]]; then
		ok "help: threeway $*"
	else
		not_ok "help: threeway $*" "exit $status, $err"
	fi
}

test_help()
{
	helps help
	helps -help
	helps --help
	helps claim help
	helps claim add help
	helps flow help
	helps flow kill help
	helps stat help
	helps secret help
	helps secret set help
	helps monitor help
	helps open help
	helps ladder help
	helps lab help
	helps stat show help

	run
	if [ "$status" -eq 255 ] && [ -z "$out" ] && [[ $err == Usage:* ]]; then
		ok "no words: usage on stderr, exit 255"
	else
		not_ok "no words: usage on stderr, exit 255" "exit $status"
	fi
	run -Version
	check_equal "-Version" "$status ${out%%-*}" "0 threeway utility, threeway"
}

test_abbreviations()
{
	accepts c
	accepts cl a pa po 80
	accepts c a pas loc 192.0.2.1 po 80
	accepts c a ac rem 192.0.2.1 m hold fr syn-s li 1000
	accepts c d id 1
	accepts c f passive mo hand
	accepts f s st syn-r re any remote_ 80 c 1
	accepts -j -s -p c s
	accepts -t -ts --tsh -times c s
	accepts -a lad po 80 id 3 file x pe y sv z
	accepts lab three sv x ke syn 3
	accepts lab al syn_retries 0
	accepts mon st syn-s cl 1 file x wr -
	accepts --json --pretty claim list
	accepts -st -6 c s
	refuses 'claim: word "p" is ambiguous: passive, port' claim add p
	refuses 'claim: word "rto" is ambiguous: rto_initial_ms, rto_max_ms' \
		claim add passive rto 300
	refuses 'flow: word "lo_" is unknown, try "threeway flow help"' flow show lo_
	refuses 'object "x" is unknown, try "threeway help"' x
	refuses 'object "" is unknown, try "threeway help"' ''
	refuses 'claim: command "flushed" is unknown, try "threeway claim help"' claim flushed
	refuses 'option "-x" is unknown, try "threeway help"' -x claim
	refuses 'option "-json" takes no value after =' -json=1 claim
	refuses '-color "red": expected always, auto, never' -color=red claim
}

test_prefixes()
{
	local expected="expected an IPv4 or IPv6 ADDRESS, ADDRESS/LENGTH or any"

	accepts claim add passive local any remote any
	accepts claim add passive local 0.0.0.0/0
	accepts claim add passive local 192.0.2.128/25 remote 198.51.100.7/32
	accepts claim add passive local ::/0
	accepts claim add passive local 2001:db8:8000::/33 remote fe80::1
	accepts flow show local 10.0.0.0/8 remote any
	refuses "local \"10/8\": $expected" claim add passive local 10/8
	refuses "remote \"192.0.2.256\": $expected" claim add passive remote 192.0.2.256
	refuses "local \"2001:db8::g\": $expected" claim add passive local 2001:db8::g
	refuses "local \"\": $expected" claim add passive local ''
	refuses 'local "192.0.2.5/24": bits are set beyond the prefix length, expected 192.0.2.0/24' \
		claim add passive local 192.0.2.5/24
	refuses 'remote "2001:db8:c000::/33": bits are set beyond the prefix length, expected 2001:db8:8000::/33' \
		claim add passive remote 2001:db8:c000::/33
	refuses 'local "192.0.2.0/33": expected a length of 0-32 after the /' \
		claim add passive local 192.0.2.0/33
	refuses 'local "2001:db8::/129": expected a length of 0-128 after the /' \
		claim add passive local 2001:db8::/129
	refuses 'local "192.0.2.0/": expected a length of 0-32 after the /' \
		flow show local 192.0.2.0/
	refuses 'local "192.0.2.0/+8": expected a length of 0-32 after the /' \
		flow show local 192.0.2.0/+8
	refuses 'local "0.0.0.0": expected 0.0.0.0/0 for every IPv4 address, or any' \
		claim add passive local 0.0.0.0
	refuses 'local "::1": expected an IPv4 address, as -4 says' \
		-4 claim add passive local ::1
	refuses 'remote "192.0.2.1": expected an IPv6 address, like the other one' \
		claim add passive local ::1 remote 192.0.2.1
}

test_ports()
{
	local expected="expected 1-65535, FIRST-LAST or any" word

	accepts claim add passive port 1-65535
	accepts claim add passive port any
	accepts flow kill port 80 remote_port 1024-1024
	for word in 0 65536 70000 -1 80- -80 0x50 80,90 8o ''; do
		refuses "port \"$word\": $expected" claim add passive port "$word"
	done
	refuses 'port "90-80": the first port is above the last, expected 80-90' \
		claim add passive port 90-80
	refuses "port: no value, $expected" claim add passive port
}

# number WORD MIN MAX
number()
{
	accepts claim add passive "$1" "$2"
	accepts claim add passive "$1" "$3"
	refuses "$1 \"$(($2 - 1))\": expected $2-$3" claim add passive "$1" $(($2 - 1))
	refuses "$1 \"$(($3 + 1))\": expected $2-$3" claim add passive "$1" $(($3 + 1))
}

test_policy()
{
	local isn="expected engine, kernel or fixed:0-4294967295" word

	number synack_retries 0 255
	number rto_initial_ms 100 60000
	number rto_max_ms 1000 120000
	number backlog 1 16777216
	number syn_retries 0 255
	number syn_linear_timeouts 0 255
	number source_rate 0 65535
	number source_burst 1 65535
	number source_flows 0 4095
	for word in never auto always; do
		accepts claim add passive cookies "$word"
	done
	accepts claim add passive cookie_path late
	accepts claim add passive cookie_path early
	refuses 'cookies "on": expected never, auto, always' claim add passive cookies on
	refuses 'cookie_path "in": expected late, early' claim add passive cookie_path in
	accepts claim add passive synack_path late
	accepts claim add passive synack_path early
	accepts claim add passive sack on timestamps off window_scaling on ecn off
	accepts claim add passive isn engine
	accepts claim add passive isn fixed:0xffffffff
	refuses "isn \"random\": $isn" claim add passive isn random
	refuses "isn \"fixed\": $isn" claim add passive isn fixed
	refuses 'isn fixed "4294967296": expected 0-4294967295' \
		claim add passive isn fixed:4294967296
	refuses 'sack "1": expected on or off' claim add passive sack 1
	refuses 'mode "drop": expected handoff, hold, observe' claim add passive mode drop
	refuses "backlog: no value, expected 1-16777216" claim add passive backlog
	refuses 'backlog "99999999999999999999": expected 1-16777216' \
		claim add passive backlog 99999999999999999999
}

test_secret()
{
	local expected="expected 32 hexadecimal digits on the"

	accepts secret random
	accepts secret set
	accepts secret set file /nowhere
	unreadable 'secret set: cannot open "/nowhere": No such file or directory' \
		secret set file /nowhere
	unreadable "secret set: $expected first line" secret set </dev/null
	unreadable "secret set: $expected first line" \
		secret set <<<"0123456789abcdef0123456789abcdeg"
	unreadable "secret set: $expected first line" \
		secret set <<<"0123456789abcdef0123456789abcdef0"
	unreadable "secret set: $expected second line" \
		secret set <<<$'0123456789abcdef0123456789ABCDEF\n12'
	refuses 'secret: "now" is too much, try "threeway secret help"' \
		secret random now
}

test_hold()
{
	local lose="expected numbers of segments, 1-32, with commas between them" word

	accepts claim add active mode hold
	accepts claim add passive mode observe
	accepts claim add passive mode hold lose 1,2,32 freeze refuse
	accepts claim add passive lifetime_ms 1000 delay_ms 600000 mode hold
	for word in none syn-sent syn-received final-ack refuse; do
		accepts claim add active mode hold freeze "$word"
	done
	refuses 'freeze "now": expected none, syn-sent, syn-received, final-ack, refuse' \
		claim add active mode hold freeze now
	refuses 'freeze "syn": expected syn-sent, syn-received' \
		claim add active mode hold freeze syn
	for word in 0 33 1,0 "," "1," ",1" "1,,2" a 1-3 +1 100 ''; do
		refuses "lose \"$word\": $lose" claim add active mode hold lose "$word"
	done
	refuses 'lose "7,1,7": 7 is given twice' claim add active mode hold lose 7,1,7
	refuses 'lifetime_ms "999": expected 1000-86400000' claim add active lifetime_ms 999
	refuses 'delay_ms "600001": expected 0-600000' claim add active delay_ms 600001
	refuses 'freeze: expected only with mode hold' claim add active freeze none
	refuses 'lifetime_ms: expected only with mode hold' \
		claim add passive mode observe lifetime_ms 1000
	refuses 'delay_ms: expected only with mode hold' claim add active delay_ms 1 mode handoff
	refuses 'lose: expected only with mode hold' claim add active lose 1
}

test_open()
{
	local address="expected an IPv4 or IPv6 ADDRESS"

	accepts open 192.0.2.1 port 80
	accepts open remote 2001:db8::1 port 80 local 2001:db8::2 local_port 5 dev lo
	accepts open ::1 po 80 local-port 5 freeze syn-sent lose 1,2 wait
	accepts open ::1 port 80 wait 86400 syn_retries 3
	accepts open ::1 port 80 wait syn_retries 3
	refuses "open: no remote, $address" open port 80
	refuses "open: no port, expected 1-65535" open 192.0.2.1
	refuses "remote \"192.0.2.0/24\": $address" open 192.0.2.0/24 port 80
	refuses "remote \"any\": $address" open remote any port 80
	refuses "remote \"192.0.2\": $address, ADDRESS/LENGTH or any" open 192.0.2 port 80
	refuses "remote is given twice" open ::1 remote ::2 port 80
	refuses 'local "::1": expected an IPv4 address, like the other one' \
		open 192.0.2.1 local ::1 port 80
	refuses 'port "80-90": expected 1-65535' open ::1 port 80-90
	refuses 'local_port "0": expected 1-65535' open ::1 port 80 local_port 0
	refuses 'dev "none-such": there is no such interface' open ::1 port 80 dev none-such
	refuses 'wait "0": expected 1-86400' open ::1 port 80 wait 0
	refuses 'wait "86401": expected 1-86400' open ::1 port 80 wait 86401
	refuses 'lose "0": expected numbers of segments, 1-32, with commas between them' \
		open ::1 port 80 lose 0
	refuses 'open: word "mode" is unknown, try "threeway open help"' open ::1 port 80 mode hold
}

test_commands()
{
	refuses "claim add: no direction, expected passive or active" claim add port 80
	refuses "claim add: id is given by the module, expected passive or active" claim add id 3
	refuses "expected passive or active, not both" claim add passive active
	refuses "port is given twice" claim add passive port 80 port 80
	refuses "claim del: which one? expected id ID or words of claim add" claim del
	refuses "claim del: which one? expected id ID or words of claim add" -4 claim del
	refuses "id: expected no other words beside it" claim del id 3 port 80
	refuses 'id "0": expected 1-4294967295' claim del id 0
	refuses "flow kill: which ones? expected a filter or all" flow kill
	refuses "all: expected no other words beside it" flow kill all port 80
	refuses 'state "LISTEN": expected SYN-SENT, SYN-RECEIVED, SYN-RECV, ESTABLISHED' \
		flow show state LISTEN
	accepts flow show state syn-s
	refuses 'state "syn": expected SYN-SENT, SYN-RECEIVED, SYN-RECV' flow show state syn
	refuses "state is given twice" flow show state SYN-SENT state SYN-SENT
	refuses 'id "x": expected a number from 1' flow kill id x
	refuses 'stat show: "nonsense" is no counter, try "threeway stat help"' \
		stat show flows_opened nonsense
	refuses 'monitor: word "show" is unknown, try "threeway monitor help"' monitor show
	refuses "file: no value, expected the name of a FILE, or -" monitor file
	refuses "write is given twice" monitor write x write y
	refuses 'ladder: word "state" is unknown, try "threeway ladder help"' ladder state SYN-SENT
	refuses 'peer: expected only with file' ladder peer x
	refuses 'peer "-": file is the standard input already' ladder file - peer -
	refuses 'live: expected no peer and no svg beside it' ladder live svg x
	refuses 'ladder: there is no JSON, try "threeway -json monitor"' -j ladder
	refuses "svg: no value, expected the name of a FILE, or -" ladder svg
	refuses 'lab: experiment "syn" is ambiguous: syn-sent, syn-rcvd' lab syn
	refuses 'lab: experiment "x" is unknown, try "threeway lab help"' lab x
	refuses 'lab: word "x" is unknown, try "threeway lab help"' lab refused x
	refuses 'syn_retries "11": expected 0-10' lab syn-sent syn_retries 11
	refuses "svg: no value, expected the name of a FILE" lab refused svg
	refuses 'svg "/dev/null": expected a DIRECTORY for the pictures of all' lab all svg /dev/null
	refuses "keep is given twice" lab refused keep keep
	refuses "-netns: no value, expected the NAME or PATH of a network namespace" -n
	run claim help "#" nonsense
	check_equal "a word # ends the command" "$status $err" "0 "
}

test_batch()
{
	local lines

	lines=$'# comment\n\nclaim add passive help # more\nclaim add passive port x\nflow help'
	status=0
	err=$("$tool" -batch - <<<"$lines" 2>&1 >/dev/null) || status=$?
	check_equal "batch: an error names file and line" "$status $err" \
		'1 threeway: stdin:4: port "x": expected 1-65535, FIRST-LAST or any'
	out=$("$tool" -batch - <<<"$lines" 2>/dev/null)
	check_equal "batch: the first error ends it" "$(grep '^Usage:' <<<"$out")" \
		"Usage: threeway claim add { passive | active } [ SELECTOR ] [ mode MODE ]"
	status=0
	out=$("$tool" -force -batch - <<<"$lines" 2>/dev/null) || status=$?
	check_equal "batch: -force goes on, and exits 1 all the same" \
		"$status $(grep -c '^Usage: threeway flow' <<<"$out")" "1 1"
	run -batch /nonexistent
	check_equal "batch: no such file" "$status $err" \
		'1 threeway: -batch "/nonexistent": No such file or directory'
	refuses '"claim": expected nothing after -batch FILE' -batch - claim
}

test_output()
{
	status=0
	err=$("$tool" -n /etc/passwd claim 2>&1) || status=$?
	if [ "$(id -u)" -eq 0 ]; then
		check_equal "-netns with a file that is none" "$status $err" \
			'2 threeway: -netns "/etc/passwd": Invalid argument (this is not a network namespace)'
	else
		skip "-netns with a file that is none" "needs root"
	fi
	run -n no-such-name claim
	check_equal "-netns with an unknown name" "$status $err" \
		'2 threeway: -netns "no-such-name": No such file or directory (expected a PATH, or a NAME that "ip netns list" shows)'
}

# documented NAME WORDS...: each word stands in a manual page
documented()
{
	local word missing=

	for word in "${@:2}"; do
		cat "${manuals[@]}" | grep -qw -- "$word" || missing+=" $word"
	done
	check_equal "$1" "missing:$missing" "missing:"
}

# completes NAME WANT WORDS...: what completion offers for the last word
completes()
{
	# shellcheck disable=SC2034 # for the completion
	COMP_WORDS=(threeway "${@:3}")
	# shellcheck disable=SC2034
	COMP_CWORD=$(($# - 2))
	COMPREPLY=()
	_threeway
	check_equal "$1" "${COMPREPLY[*]}" "$2"
}

test_documents()
{
	local policy

	mapfile -t words < <("$tool" stat help | sed -n 's/^  *//p')
	check "stat help lists counters" test "${#words[@]}" -ge 50
	documented "manual page: every counter" "${words[@]}"
	mapfile -t words < <("$tool" claim help | sed -n 's/^  *\([a-z][a-z_]*\)  .*/\1/p')
	policy=${words[*]}
	documented "manual page: every policy word" "${words[@]}"
	mapfile -t words < <("$tool" help | grep -o -- '-[a-zA-Z46]*\[*[a-z]*\]' | tr -d '[]-')
	documented "manual page: every option" "${words[@]}"
	mapfile -t words < <("$tool" lab | sed -n '2,$s/  .*//p' | sed 's/-/\\\\-/g')
	documented "manual page: every experiment" "${words[@]}"

	PATH=$(dirname "$tool"):$PATH
	# shellcheck source=/dev/null
	. "$completion"
	completes "completion: objects" "claim" c
	completes "completion: commands" "add del show flush help" claim ''
	completes "completion: every policy word" \
		"passive active local port remote mode $policy help" claim add ''
	completes "completion: an object without commands" \
		"state local port remote remote_port claim id file write help" mon ''
	completes "completion: open has no mode" "remote port local local_port dev $policy wait help" \
		open ''
	completes "completion: experiments" "syn-sent syn-rcvd" lab syn
	completes "completion: words of an experiment" "svg keep syn_retries help" \
		lab three-way ''
	completes "completion: its values" "SYN-SENT SYN-RECEIVED" monitor file x state SYN
	completes "completion: values" "on off" -j c a passive sack ''
	completes "completion: counters" "native_md5 native_mptcp native_migrate native_min_ttl" \
		stat show native_m
}

tap_plan 244
test_help
test_abbreviations
test_prefixes
test_ports
test_policy
test_secret
test_hold
test_open
test_commands
test_batch
test_output
test_documents
finish
