#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# When the copies of an unanswered SYN are sent, and when connect() fails, by
# claim, socket and sysctl. Every case of a round has a port of its own and runs
# at the same time as the others, over both families.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/connect.sh
. "$(dirname "$0")/connect.sh"

# Times are in ms; early by a tick at most.
early=4
late=50
first_port=9000
longest=700000
# Connections whose answers come when their copies are due.
phases=$((2000 / patience))

# The round that is to come.
names=()
claims=()
options=()
copies=()
ends=()

# case_of NAME CLAIM OPTION "COPIES" END: the words of its claim ("none" for no
# words), what is set of the socket ("none", or an option and its value), when
# the copies are sent and when connect() fails
case_of()
{
	names+=("$1")
	claims+=("${2/none/}")
	options+=("${3/none/}")
	copies+=("$4")
	ends+=("$5")
}

# doubled INITIAL MAX RETRIES [LINEAR]: the schedule, its last number the end
doubled()
{
	awk -v rto="$1" -v max="$2" -v retries="$3" -v linear="${4:-0}" '
		BEGIN {
			for (i = 0; i <= retries + linear; i++) {
				time += rto < max ? rto : max
				printf "%d ", time
				if (i >= linear)
					rto *= 2
			}
		}'
}

# case_doubled NAME CLAIM OPTION INITIAL MAX RETRIES [LINEAR]
case_doubled()
{
	local times

	times=$(doubled "${@:4}" | xargs)
	if [ "${times/ /}" = "$times" ]; then
		case_of "$1" "$2" "$3" "" "$times"
	else
		case_of "$1" "$2" "$3" "${times% *}" "${times##* }"
	fi
}

# connect_all [LINE]...: a script that begins all, runs the lines, and waits
connect_all()
{
	local family i

	echo "ns cli"
	for i in "${!names[@]}"; do
		for family in 4 6; do
			echo "socket $i.$family $family"
			[ -z "${options[i]}" ] ||
				echo "set $i.$family ${options[i]}"
		done
	done
	for i in "${!names[@]}"; do
		for family in 4 6; do
			echo "start $i.$family ${server_ip[$family]} $((first_port + i))"
		done
	done
	[ $# -eq 0 ] || printf '%s\n' "$@"
	echo "outcomes $longest"
}

# total: what the engine has to have counted
total()
{
	local n=$((${#names[@]} * 2)) all

	# shellcheck disable=SC2206 # a list
	all=(${copies[*]})
	counted flows_opened="$n" sent_syn="$n" flows_timed_out="$n" \
		sent_syn_timer=$((${#all[@]} * 2))
}

# round [LINE]...: all cases at once, and a result for each and one for all
round()
{
	local i family

	for i in "${!names[@]}"; do
		# shellcheck disable=SC2086 # words
		claim cli active port $((first_port + i)) ${claims[i]} \
			>/dev/null
	done
	count_from_here
	port=0 log_packets "$work/packets" times
	connect_all "$@" | script
	stop_log
	for i in "${!names[@]}"; do
		for family in 4 6; do
			check "${names[i]} v$family" on_time "$i" $family
		done
	done
	check "MI4 the counters of this round" total
	connect_off
	names=()
	claims=()
	options=()
	copies=()
	ends=()
}

# near TIME WANTED
near()
{
	[ "$1" -ge $(($2 - early)) ] && [ "$1" -le $(($2 + late)) ]
}

on_time()
{
	local -a sent wanted
	local after i status=0

	read -ra wanted <<<"${copies[$1]}"
	mapfile -t sent < <(awk -v family="$2" -v port=$((first_port + $1)) '
		$1 == family && $3 == port && $4 == "02" && n++ {
			print $5
		}' "$work/packets")
	[ ${#sent[@]} = ${#wanted[@]} ] || status=1
	for i in "${!wanted[@]}"; do
		near "${sent[i]:-0}" "${wanted[i]}" || status=1
	done
	after=$(result "after.$1.$2")
	near "${after:-0}" "${ends[$1]}" || status=1
	expect "outcome.$1.$2=ETIMEDOUT" || status=1
	[ "$status" = 0 ] ||
		echo "sent ${sent[*]}, failed at $after, want ${wanted[*]}, ${ends[$1]}"
	return "$status"
}

# with NAME=VALUE... -- COMMAND...: sysctls of cli, for its time
with()
{
	local -a old=()

	while [ "$1" != -- ]; do
		old+=("${1%=*}=$(in_ns cli sysctl -n "${1%=*}")")
		in_ns cli sysctl -qw "$1"
		shift
	done
	"${@:2}"
	in_ns cli sysctl -qw "${old[@]}"
}

# set_live NAME=VALUE: a line of the script
set_live()
{
	echo "sh ip netns exec cli sysctl -qw $1"
}

by_claim()
{
	local n

	case_of "RT1 6 retries by default" none none \
		"1000 3000 7000 15000 31000 63000" 127000
	for n in 0 1 2 3 4 5 6 7 8 9 10; do
		case_doubled "RT3 RT4 $n retries" "syn_retries $n" none \
			1000 120000 "$n"
	done
	case_of "RT2 4 linear timeouts" "syn_linear_timeouts 4" none \
		"1000 2000 3000 4000 5000 7000 11000 19000 35000 67000" 131000
	case_of "RT2 no linear timeouts" "syn_linear_timeouts 0" none \
		"1000 3000 7000 15000 31000 63000" 127000
	case_of "RT2 only linear timeouts" \
		"syn_linear_timeouts 4 syn_retries 0" none \
		"1000 2000 3000 4000" 5000
	case_doubled "RT4 timeouts of 4 s at most" "rto_max_ms 4000" none \
		1000 4000 6
	case_doubled "RT4 timeouts of 1 s at most" "rto_max_ms 1000" none \
		1000 1000 6
	case_doubled "RT18 100 ms at first" "rto_initial_ms 100" none \
		100 120000 6
	case_doubled "RT18 250 ms at first" "rto_initial_ms 250" none \
		250 120000 6
	case_doubled "RT18 10 s at first" "rto_initial_ms 10000" none \
		10000 120000 6
	case_doubled "RT2 RT4 RT18 all of them" \
		"rto_initial_ms 300 rto_max_ms 2000 syn_linear_timeouts 2 syn_retries 4" \
		none 300 2000 4 2
	case_of "RT5 TCP_SYNCNT" none "TCP_SYNCNT 2" "1000 3000" 7000
	case_of "RT5 TCP_SYNCNT and rto_initial_ms" "rto_initial_ms 500" \
		"TCP_SYNCNT 2" "500 1500" 3500
	case_of "RT5 the claim overrules TCP_SYNCNT" "syn_retries 3" \
		"TCP_SYNCNT 1" "1000 3000 7000" 15000
	case_of "TM1 TCP_USER_TIMEOUT" none "TCP_USER_TIMEOUT 5000" \
		"1000 3000" 5000
	case_of "TM1 TCP_USER_TIMEOUT within the first timeout" none \
		"TCP_USER_TIMEOUT 700" "" 700
	case_of "TM1 TCP_USER_TIMEOUT longer than the retries" none \
		"TCP_USER_TIMEOUT 200000" \
		"1000 3000 7000 15000 31000 63000" 127000
	case_of "TM1 the claim overrules TCP_USER_TIMEOUT" "syn_retries 2" \
		"TCP_USER_TIMEOUT 2000" "1000 3000" 7000
	round
}

by_native_sysctl()
{
	case_of "RT1 net.ipv4.tcp_syn_retries, ours is the default" none none \
		"1000 3000 7000" 15000
	case_of "RT5 TCP_SYNCNT overrules it" none "TCP_SYNCNT 1" 1000 3000
	case_of "RT1 the claim overrules it" "syn_retries 2" none \
		"1000 3000" 7000
	round
}

by_own_sysctl()
{
	case_of "RT1 net.threeway.syn_retries" none none "1000 3000" 7000
	case_of "RT5 TCP_SYNCNT overrules it" none "TCP_SYNCNT 1" 1000 3000
	case_of "RT1 the claim overrules it" "syn_retries 4" none \
		"1000 3000 7000 15000" 31000
	round
}

by_other_sysctls()
{
	case_doubled "RT2 RT4 RT18 sysctls" none none 300 1500 3 2
	case_doubled "RT2 the claim's linear timeouts" \
		"syn_linear_timeouts 0" none 300 1500 3
	case_doubled "RT4 the claim's rto_max_ms" "rto_max_ms 3000" none \
		300 3000 3 2
	case_doubled "RT18 the claim's rto_initial_ms" "rto_initial_ms 1000" \
		none 1000 1500 3 2
	round
}

# The timer that runs is not changed, the next one is.
live_retries()
{
	case_of "LC9 fewer retries while it waits" none none \
		"1000 3000 7000" 15000
	case_of "LC9 the claim's stay" "syn_retries 4" none \
		"1000 3000 7000 15000" 31000
	round "sleep 4000" "$(set_live net.threeway.syn_retries=3)"
}

live_native_retries()
{
	case_of "LC9 fewer native retries while it waits" none none \
		"1000 3000" 7000
	round "sleep 4000" "$(set_live net.ipv4.tcp_syn_retries=2)"
}

live_rto_max()
{
	case_of "LC9 a shorter rto_max_ms while it waits" none none \
		"1000 3000 7000 15000 17000 19000" 21000
	case_of "LC9 the claim's stays" "rto_max_ms 8000" none \
		"1000 3000 7000 15000 23000 31000" 39000
	round "sleep 10000" "$(set_live net.threeway.rto_max_ms=2000)"
}

# A flow goes on under the policy that it began with.
live_claim()
{
	case_of "LC9 another claim while it waits" "syn_retries 3" none \
		"1000 3000 7000" 15000
	case_of "LC9 the claim goes while it waits" "rto_initial_ms 500" none \
		"500 1500 3500 7500 15500 31500" 63500
	round "sleep 2000" "sh threeway -n cli claim flush" \
		"sh threeway -n cli claim add active port $first_port syn_retries 0"
}

live_socket()
{
	case_of "RT5 TCP_SYNCNT while it waits" none none "1000 3000" 7000
	case_of "TM1 TCP_USER_TIMEOUT while it waits" none none \
		"1000 3000 7000" 10000
	round "sleep 2000" "set 0.4 TCP_SYNCNT 2" "set 0.6 TCP_SYNCNT 2" \
		"set 1.4 TCP_USER_TIMEOUT 10000" "set 1.6 TCP_USER_TIMEOUT 10000"
}

# in_time FAMILY: connect() gives up, the SYNs do not
in_time()
{
	filter <<<"$no_syns"
	port=0 log_packets "$work/packets" times
	./sockscript <<-END
		ns srv
		socket l $1
		bind l ${any_ip[$1]} $port
		listen l 5
		ns cli
		socket c $1
		block c
		set c SO_SNDTIMEO 2
		mark
		call c ${server_ip[$1]} $port
		elapsed timeout
		call c ${server_ip[$1]} $port
		sh ip netns exec srv nft flush ruleset
		mark
		call c ${server_ip[$1]} $port
		elapsed connected
		state c
		accept l a
		abort c
	END
	stop_log
	awk '$4 == "02" { print int($5 / 1000) }' "$work/packets"
	filter <<<"$no_syns"
}

in_time_both()
{
	# to half a second
	in_time "$1" | awk -F= -v OFS== '
		/elapsed/ { $2 = int($2 / 500 + 0.5) * 500 } { print }'
}

in_time_twice()
{
	port=8080
	same_as_native "flows_opened=1 flows_handed_over=1 sent_syn=1 sent_syn_timer=3" \
		in_time_both "$1" && grep -qx 'call.c=EINPROGRESS' "$work/engine" &&
		grep -qx 'elapsed.timeout=2000' "$work/engine"
}

# mib_changes COMMAND...: what it changes in the counters of the native stack
mib_changes()
{
	cat "$client_proc"/{snmp,netstat} >"$work/mib"
	"$@"
	cat "$client_proc"/{snmp,netstat} >>"$work/mib"
	awk '$1 != "Tcp:" && $1 != "TcpExt:" {
			next
		}
		$2 ~ /^[A-Z]/ {
			split($0, names)
			next
		}
		{
			for (i = 2; i <= NF; i++)
				if (names[i] in before) {
					change = $i - before[names[i]]
					if (change)
						print names[i], change
				} else {
					before[names[i]] = $i
				}
		}' "$work/mib"
}

fail_once()
{
	mib_changes ./sockscript <<-END | grep -v ^after
		ns cli
		socket c $1
		start c ${server_ip[$1]} $port
		outcomes 200000
	END
}

fail_twice()
{
	same_as_native "flows_opened=1 sent_syn=1 sent_syn_timer=6 flows_timed_out=1" \
		fail_once "$1" && grep -qx 'TCPSynRetrans 6' "$work/engine"
}

# phases FAMILY: the answer comes within some ticks of the time when the copy is
# due; once it was there none is sent
phases()
{
	local status=0

	no_filter
	tc -n srv qdisc replace dev veth root netem limit 10000 \
		delay 1000ms 6ms
	connect_on
	log_packets "$work/packets" times
	generate -a "${server_ip[$1]}" -n "$phases" -j $((phases / 4)) -k 20000 \
		-u 10 -d 10 -e rst -t $((120 * patience)) || status=1
	stop_log
	no_delay
	connect_off
	filter <<<"$no_syns"
	awk -v phases="$phases" '
		$4 == "12" {
			answered[$3] = $5
		}
		$4 == "02" && $2 in answered {
			print "SYN at", $5, "after the answer at", answered[$2]
			bad = 1
		}
		$4 == "02" && $5 > 0 {
			copies++
		}
		END {
			n = length(answered)
			print copies, "copies,", n, "answers"
			exit bad || n != phases || copies < phases / 10 ||
				copies > phases * 9 / 10
		}' "$work/packets" || status=1
	return "$status"
}

no_syns="table inet lose {
	chain early {
		type filter hook prerouting priority -400;
		tcp flags & (syn|ack) == syn drop
	}
}"

start_connect 109
[ -z "$native" ] || skip_all "nothing to time"
know_neighbour srv 2 cli
know_neighbour cli 1 srv
# for so many that wait for their last ACK
in_ns srv sysctl -qw net.ipv4.tcp_max_syn_backlog=4096
filter <<<"$no_syns"
# The first connect() of all takes long.
connect_on
fail_once 4 >/dev/null
connect_off
by_claim
with net.ipv4.tcp_syn_retries=3 -- by_native_sysctl
with net.ipv4.tcp_syn_retries=3 net.threeway.syn_retries=2 -- by_own_sysctl
with net.threeway.rto_initial_ms=300 net.threeway.rto_max_ms=1500 \
	net.threeway.syn_linear_timeouts=2 net.ipv4.tcp_syn_retries=3 -- \
	by_other_sysctls
with net.threeway.syn_retries=6 -- live_retries
with net.ipv4.tcp_syn_retries=6 -- live_native_retries
with net.threeway.rto_max_ms=120000 -- live_rto_max
live_claim
live_socket
for family in 4 6; do
	check "TM2 v$family: SO_SNDTIMEO as native" in_time_twice $family
	check "MI1 MI2 MI4 v$family: native counters of a failure" \
		fail_twice $family
	try "RT17 v$family: no copy after the answer" \
		"flows_opened=$phases sent_syn=$phases flows_handed_over=$phases sent_syn_timer=$((phases / 10))-$((phases * 9 / 10))" \
		phases $family
done
end_net
