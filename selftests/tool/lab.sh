#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# threeway lab: every experiment goes as RFC 9293 says, by what the engines of both
# ends told and not by what the lab says of it; what does not go so is reported; and
# nothing stays behind, however the lab ends.
. "$(dirname "$0")/../lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tolerance_ms=50

# Numbers of the next four network namespaces: the kernel takes the lowest ones that are
# free, so that one which is left behind shows.
namespaces()
{
	local next='readlink /proc/self/ns/net'

	unshare -n sh -c "$next; unshare -n sh -c '$next; unshare -n sh -c \"$next; $(:
		)unshare -n $next\"'"
}

# The kernel deletes them later, in a work queue.
# shellcheck disable=SC2317 # wait_for calls it
none_left()
{
	sleep 1
	[ "$(namespaces)" = "$before" ] && [ -z "$(ip netns list)" ]
}

# lab WORDS...: does it; sets status and, for get, its JSON
lab()
{
	status=0
	threeway -j "$1" lab "${@:2}" >"$work/json" 2>"$work/errors" || status=$?
}

# get FILTER: what jq makes of all objects as one array
get()
{
	jq -s -c -r "$1" "$work/json"
}

# fact NAME FILTER WANT
fact()
{
	check_equal "$1" "$(get "$2")" "$3"
}

# went NAME OPTION WORDS...: an experiment that goes well, of that many steps
went()
{
	local name=$1 result

	lab "${@:2}"
	result="$status $(get '.[-1] | .ok') $(cat "$work/errors")"
	if [ "$result" = "0 true " ]; then
		ok "$name: goes as it should"
	else
		not_ok "$name: goes as it should" "$result $(get '.[] | select(.ok == false)')"
	fi
}

# segments END PORT: what it sent, in the order in which it was sent
segments()
{
	get "[.[] | select(.end == \"$1\" and .event == \"sent\" and
		(.port == $2 or .remote_port == $2) and .counter != \"segment_lost\") |
		.flags | join(\"-\")] | join(\" \")"
}

# at END PORT FILTER: times of such events in ms, since the first of that end and port
at()
{
	get "[.[] | select(.end == \"$1\" and (.port == $2 or .remote_port == $2) and .event)] |
		.[0].time_ns as \$begin | .[] | select($3) |
		(.time_ns - \$begin) / 1000000 | floor"
}

# on_their_way PORT: ms from A to B, of each segment
on_their_way()
{
	get "[.[] | select(.port == $1 or .remote_port == $1)] |
		([.[] | select(.end == \"A\" and .event == \"sent\") | .time_ns]) as \$sent |
		[.[] | select(.end == \"B\" and .event == \"arrived\") | .time_ns] |
		to_entries[] | (.value - \$sent[.key]) / 1000000 | floor"
}

# timely NAME "TIMES" "WANTED TIMES": each as late as the tolerance allows
timely()
{
	local times wanted i bad=

	read -ra times <<<"${2//$'\n'/ }"
	read -ra wanted <<<"$3"
	for i in "${!wanted[@]}"; do
		[ $((times[i] - wanted[i])) -ge -1 ] &&
			[ $((times[i] - wanted[i])) -le "$tolerance_ms" ] || bad=1
	done
	[ ${#times[@]} -eq ${#wanted[@]} ] || bad=1
	check_equal "$1" "${bad:+${times[*]}, want ${wanted[*]}}" ""
}

# last END PORT: how the last flow of that end ended
last()
{
	get "[.[] | select(.end == \"$1\" and (.port == $2 or .remote_port == $2) and
		(.event == \"ended\" or .event == \"handoff\"))] | last |
		\"\(.state) \(.counter)\""
}

# counters END NAME...: their values
counters()
{
	local name values=()

	for name in "${@:2}"; do
		values+=("$(get ".[] | select(.counters == \"$1\") | .$name // 0")")
	done
	echo "${values[*]}"
}

test_list()
{
	local names="three-way syn-sent syn-rcvd refused simultaneous-open old-duplicate half-open"

	check_equal "list: names the experiments" \
		"$(threeway -j lab list | jq -r '[.[].name] | join(" ")')" "$names port-reuse"
	check_equal "list: without a word, too" "$(threeway lab)" "$(threeway lab list)"
}

# three_way NAME OPTION
three_way()
{
	went "$1" "$2" three-way
	check_equal "$1: A sends SYN (9293 figure 6)" "$(segments A 80)" "SYN"
	check_equal "$1: B sends SYN-ACK" "$(segments B 80)" "SYN-ACK"
	fact "$1: ACKs are ISS + 1" '[.[] | select(.event == "arrived" and .ack) |
		if .end == "A" then .ack - .iss else .ack - .iss end] | unique' '[1]'
	check_equal "$1: A hands over" "$(last A 80)" "ESTABLISHED flows_handed_over"
	check_equal "$1: B hands over" "$(last B 80)" "ESTABLISHED flows_handed_over"
	check_equal "$1: counters of A" \
		"$(counters A flows_opened sent_syn flows_handed_over)" "1 1 1"
	check_equal "$1: counters of B" \
		"$(counters B flows_opened sent_synack flows_handed_over)" "1 1 1"
}

test_three_way()
{
	three_way "three-way" -4
	fact "three-way: by IPv4" '.[0] | [.a, .b] | join(" ")' "192.0.2.1 192.0.2.2"
	three_way "three-way, IPv6" -6
	fact "three-way, IPv6: by IPv6" '.[0] | [.a, .b] | join(" ")' "2001:db8::1 2001:db8::2"
}

test_syn_sent()
{
	went "syn-sent" -4 syn-sent
	timely "syn-sent: SYNs at 0, 1, 3, 7, 15, 31, 63 s (RT1)" \
		"$(at A 80 '.event == "sent"')" "0 1000 3000 7000 15000 31000 63000"
	timely "syn-sent: fails after 127 s" "$(at A 80 '.event == "ended"')" 127000
	timely "syn-sent: SYNs under a claim with syn_retries 2" \
		"$(at A 81 '.event == "sent"')" "0 1000 3000"
	timely "syn-sent: fails after 7 s then" "$(at A 81 '.event == "ended"')" 7000
	check_equal "syn-sent: both time out" "$(last A 80), $(last A 81)" \
		"CLOSED flows_timed_out, CLOSED flows_timed_out"
	fact "syn-sent: B hears nothing" '[.[] | select(.end == "B" and .event)] | length' 0
	check_equal "syn-sent: counters" "$(counters A sent_syn sent_syn_timer flows_timed_out)" \
		"2 8 2"

	went "syn-sent syn_retries 2" -4 syn-sent syn_retries 2
	timely "syn-sent syn_retries 2: three SYNs" "$(at A 80 '.event == "sent"')" "0 1000 3000"
	timely "syn-sent syn_retries 2: the claim has another number" \
		"$(at A 81 '.event == "sent"')" "0 1000"
	went "syn-sent syn_retries 0" -6 syn-sent syn_retries 0
	timely "syn-sent syn_retries 0: one SYN, fails after 1 s" \
		"$(at A 80 '.event == "sent" or .event == "ended"')" "0 1000"
}

test_syn_rcvd()
{
	went "syn-rcvd" -4 syn-rcvd
	timely "syn-rcvd: SYN-ACKs at 0 and 1 s" "$(at B 80 '.event == "sent"')" "0 1000"
	check_equal "syn-rcvd: the second ACK saves it" "$(last B 80)" \
		"ESTABLISHED flows_handed_over"
	timely "syn-rcvd: given up after 3 s" "$(at B 81 '.event == "ended"')" 3000
	check_equal "syn-rcvd: because no ACK came" "$(last B 81)" "CLOSED flows_expired"
	check_equal "syn-rcvd: counters" \
		"$(counters B sent_synack sent_synack_timer flows_expired), $(counters A segment_lost)" \
		"2 2 1, 3"
}

test_refused()
{
	went "refused" -4 refused
	check_equal "refused: ends by the RST (9293 3.5.2)" "$(last A 80)" "CLOSED flows_refused"
	fact "refused: the RST is for that SYN" '[.[] | select(.event == "arrived") |
		(.flags | join("-")), .seq, .ack - .iss]' '["RST-ACK",0,1]'
	check_equal "refused: counters" "$(counters A sent_syn flows_refused)" "1 1"
}

# simultaneous NAME OPTION
simultaneous()
{
	went "$1" "$2" simultaneous-open
	check_equal "$1: each sends SYN and SYN-ACK (9293 figure 7, SM15)" \
		"$(segments A 80), $(segments B 80)" "SYN SYN-ACK, SYN SYN-ACK"
	fact "$1: by way of SYN-RECEIVED" '[.[] | select(.event == "state" or
		.event == "handoff") | "\(.end) \(.state_before)-\(.state)"] | sort | join(", ")' \
		"A CLOSED-SYN-SENT, A SYN-RECEIVED-ESTABLISHED, A SYN-SENT-SYN-RECEIVED, $(:
		)B CLOSED-SYN-SENT, B SYN-RECEIVED-ESTABLISHED, B SYN-SENT-SYN-RECEIVED"
	timely "$1: its segments are 100 ms on their way" "$(on_their_way 80)" "100 100"
	check_equal "$1: counters" \
		"$(counters A sent_synack_crossed segment_syn_crossed flows_handed_over)" "1 1 1"
}

test_simultaneous()
{
	simultaneous "simultaneous-open" -4
	simultaneous "simultaneous-open, IPv6" -6
}

test_old_duplicate()
{
	went "old-duplicate" -4 old-duplicate
	check_equal "old-duplicate: A resets, and sends its SYN again (9293 figure 8, SS2)" \
		"$(segments A 80)" "SYN RST SYN ACK"
	check_equal "old-duplicate: B answers both" "$(segments B 80)" "SYN-ACK SYN-ACK"
	fact "old-duplicate: the RST has the number of the wrong ACK" '
		([.[] | select(.end == "A" and .event == "sent" and .flags == ["RST"])][0].seq) -
		([.[] | select(.end == "B" and .event == "sent")][0].ack)' 0
	check_equal "old-duplicate: counters" \
		"$(counters B flows_opened flows_reset flows_handed_over)" "2 1 1"
}

test_half_open()
{
	went "half-open" -4 half-open
	check_equal "half-open: SYN, RST and SYN of A after its crash (9293 figure 9)" \
		"$(segments A 80)" "SYN ACK SYN RST SYN ACK"
	check_equal "half-open: challenge of B" "$(segments B 80)" "SYN-ACK ACK SYN-ACK"
	fact "half-open: B's end of figure 9 is reset, then there is a new one" '[.[] |
		select(.end == "B" and .port == 80 and (.event == "ended" or .event == "state")) |
		.state] | join(" ")' "SYN-RECEIVED ESTABLISHED CLOSED SYN-RECEIVED ESTABLISHED"
	fact "half-open: send, then ECONNRESET (9293 figure 10)" \
		'[.[] | select(.step and (.text | contains("ECONNRESET"))) | .ok]' '[true]'
	check_equal "half-open: SYN-ACK and RST between listeners (9293 figure 11)" \
		"$(segments B 82), $(last B 82)" "SYN-ACK, CLOSED flows_reset"
}

test_port_reuse()
{
	went "port-reuse" -4 port-reuse
	fact "port-reuse: seven connections" '[.[] | select(.iss_a)] | length' 7
	fact "port-reuse: the ISS of both ends grows by a tick for each 64 ns (RFC 6528)" \
		'[.[] | select(.elapsed_ns > 0) | .elapsed_ns / .difference_a, .elapsed_ns /
		.difference_b | . > 63 and . < 65] | unique' '[true]'
	fact "port-reuse: the numbers are those of the events" '([.[] | select(.iss_a) | .iss_a]) ==
		([.[] | select(.end == "A" and .event == "opened") | .iss])' true
}

test_pictures()
{
	check "svg: a picture" threeway lab three-way svg "$work/one.svg"
	check "svg: is one" grep -q '<svg .*xmlns' "$work/one.svg"
	mkdir "$work/all"
	status=0
	threeway lab all svg "$work/all" syn_retries 1 >"$work/text" || status=$?
	check_equal "lab all: all of them went well" \
		"$status $(grep -c '^It went as RFC 9293 says' "$work/text")" "0 8"
	check_equal "lab all: a picture of each" "$(cd "$work/all" && echo *)" \
		"$(threeway -j lab | jq -r '[.[].name + ".svg"] | sort | join(" ")')"
	threeway lab refused svg /nonexistent/x >/dev/null 2>"$work/errors"
	check_equal "svg: a file that cannot be" "$? $(cat "$work/errors")" \
		'1 threeway: svg "/nonexistent/x": No such file or directory'
}

# thrice SIGNAL SECONDS NAME: ends an experiment after so much time, three times
thrice()
{
	local i

	for i in 1 2 3; do
		(timeout -s "$1" "$2" threeway lab "$3" >"$work/text") 2>/dev/null
	done
}

# in_the_middle: it has begun, and not come to its end
# shellcheck disable=SC2317 # run by check
in_the_middle()
{
	[ "$(grep -c 'sends SYN' "$work/text")" -ge 4 ] &&
		! grep '^It ' "$work/text" && return
	cat "$work/text"
	return 1
}

test_clean()
{
	check "nothing is left after all that" wait_for 10 none_left
	thrice INT "$((2 * patience))" syn-sent
	check "SIGINT ends it in the middle" in_the_middle
	check "nothing is left after SIGINT" wait_for 10 none_left
	thrice KILL "$((2 * patience))" syn-sent
	check "SIGKILL ends it in the middle" in_the_middle
	check "nothing is left after SIGKILL" wait_for 10 none_left
	thrice KILL 0.03 three-way
	check_equal "SIGKILL ends it while it sets up" "$(cat "$work/text")" ""
	check "nothing is left then, either" wait_for 10 none_left
}

test_keep()
{
	local names

	lab -4 refused keep
	names=$(get '.[0] | .netns_a, .netns_b' | sort | tr '\n' ' ')
	check_equal "keep: the namespaces have the names that it says" \
		"$(ip netns list | cut -d ' ' -f 1 | sort | tr '\n' ' ')" "$names"
	check_equal "keep: one can look into them" \
		"$(threeway -n "$(get '.[0].netns_a')" -j stat show flows_refused)" \
		'[{"flows_refused":1}]'
	for names in $names; do
		ip netns del "$names"
	done
	check "keep: and delete them" wait_for 10 none_left
}

# sabotage RULE: from now on each host gets this rule when it is set up
sabotage()
{
	mkdir -p "$work/bin"
	cat >"$work/bin/ip" <<-EOF
	#!/bin/bash
	$(command -v ip) "\$@" || exit
	exec nft -f - <<"END"
	table inet sabotage {
		chain in {
			type filter hook prerouting priority -300;
			$1
		}
	}
	END
	EOF
	chmod +x "$work/bin/ip"
}

# fails NAME RULE WHY WORDS...: an experiment that cannot go well
fails()
{
	sabotage "$2"
	PATH=$work/bin:$PATH lab -4 "${@:4}"
	check_equal "$1: exit status" "$status $(get '.[-1].ok')" "1 false"
	check_equal "$1: says why" "$(get '[.[] | select(.step and (.ok | not)) | .text] |
		join(" ")')" "$3"
	PATH=$work/bin:$PATH threeway lab "${@:4}" >"$work/text"
	check_equal "$1: in words" "$? $(tail -n 1 "$work/text")" \
		"1 It did NOT go as RFC 9293 says."
}

test_failure()
{
	fails "SYN-ACKs are lost" 'tcp flags & (syn|ack) == (syn|ack) drop' \
		"gets nothing within 3.000 s, it should have been SYN-ACK." three-way
	fails "RST instead of SYN-ACK" 'tcp flags & (syn|ack) == syn reject with tcp reset' \
		"gets nothing within 3.000 s, it should have been SYN." three-way
	fails "refused by silence" 'tcp flags rst drop' \
		"gets nothing within 3.000 s, it should have been RST-ACK." refused
	fails "an answer where there should be none" \
		'tcp dport 80 ip daddr 192.0.2.9 reject with tcp reset' \
		"sends nothing within 4.000 s, it should have been SYN." syn-sent syn_retries 1
}

test_missing()
{
	local output

	sabotage ""
	printf '#!/bin/sh\necho broken >&2\nexit 1\n' >"$work/bin/ip"
	PATH=$work/bin:$PATH threeway lab refused 2>/dev/null
	PATH=$work/bin:$PATH threeway lab refused 2>/dev/null
	output=$(PATH=$work/bin:$PATH threeway lab refused 2>&1)
	check_equal "ip fails" "$? $output" \
		"1 broken$(printf '\nthreeway: lab: "ip" could not set up the network')"
	: >"$work/bin/ip"
	chmod -x "$work/bin/ip"
	check "nothing is left after failures" wait_for 10 none_left
	unload_module
	output=$(threeway lab refused 2>&1)
	check_equal "without the module" "$? $output" "2 threeway: cannot open /dev/threeway: $(:
		)No such file or directory (load the module: modprobe threeway, or insmod threeway.ko)"
	check "list needs no module" threeway lab list
}

load_module
tap_plan 99
# Those of other tests go when their last sockets do.
sleep 60
before=$(namespaces)
sleep 1
test_list
test_three_way
test_syn_sent
test_syn_rcvd
test_refused
test_simultaneous
test_old_duplicate
test_half_open
test_port_reuse
test_pictures
test_clean
test_keep
test_failure
test_missing
finish
