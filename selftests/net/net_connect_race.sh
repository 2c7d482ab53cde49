#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# connect() on two CPUs while sockets are closed, flows killed, claims flushed,
# while the module and namespaces come and go: it succeeds, by the engine or by
# the native stack, and nothing stays behind.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/connect.sh
. "$(dirname "$0")/connect.sh"

[ -z "$native" ] || skip_all "nothing to race with"
sockets=20
calm_ms=8000
# Connections whose answers come when their copies are due.
phases=$((1500 / patience))
wild_ms=15000

change_claims()
{
	local add="threeway -n cli claim add active port $port"

	$add
	$add remote 192.0.2.0/24 rto_initial_ms $((200 * patience))
	$add remote 2001:db8::1/128 isn kernel
	threeway -n cli claim flush
	$add remote 192.0.2.1/32 sack off syn_retries 3
	$add remote 2001:db8::/64 timestamps off
	threeway -n cli claim flush
	$add
}

kill_flows()
{
	threeway -n cli flow kill all
}

read_all()
{
	cat "$client_proc"/threeway/{flows,claims,stat} || return 1
	threeway -n cli flow show
}

reload()
{
	rmmod threeway || return 1
	sleep 0.3
	load_module
	connect_on
	sleep 0.7
}

# Its programs still connect when it goes.
make_namespace()
{
	local family n=0 program opened=

	ip netns add temporary
	ip -n temporary -b - <<-END
		link set lo up
		link add veth type dummy
		link set veth up
		address add 192.0.2.1/24 dev veth
		address add 2001:db8::1/64 dev veth nodad
		neighbour add 192.0.2.9 lladdr 02:00:00:00:00:01 dev veth
		neighbour add 2001:db8::9 lladdr 02:00:00:00:00:01 dev veth
	END
	threeway -n temporary claim add active rto_initial_ms 100
	true >"$work/ready"
	{
		echo "ns temporary"
		for ((n = 0; n < 30; n++)); do
			echo "socket a$n 4"
			echo "start a$n 192.0.2.9 80"
			echo "socket b$n 6"
			echo "start b$n 2001:db8::9 80"
		done
		echo "say ready"
		echo "sleep 1000000"
	} | ./sockscript >"$work/ready" &
	program=$!
	wait_for 5 grep -q ready "$work/ready"
	in_ns temporary grep -q ': ' /proc/net/threeway/flows && opened=1
	ip netns del temporary
	kill "$program"
	wait "$program"
	[ "$opened" ]
}

# traffic MS: parallel connections of both families over a link on which a
# handshake takes a while
traffic()
{
	generate -a 192.0.2.1 -a 2001:db8::1 -T "$1" -j 30 -u 3000 -d 3000 \
		-t $(($1 / 1000 + 90)) "${@:2}"
}

# no_complaint: counters that only a mistake would change. segment_bad_ack is
# not among them: the server may have the tuple in TIME-WAIT.
no_complaint()
{
	awk '
		/^(segment_(paws|tsecr|out_of_window.*|malformed|bad_checksum|conntrack_drop|native_syn)|handoff_(fragment|refused|synack_leaked|unlike)|send_failed|native_no_(memory|route)|flows_(refused|timed_out)) / &&
		$2 != 0 {
			print
			bad = 1
		}
		END {
			exit bad
		}' "$client_proc/threeway/stat"
}

# traffic_until MS COMMAND...: traffic for so long; longer if only that makes the command
# succeed, be the machine slow
traffic_until()
{
	local i status=0

	for ((i = 0; i < patience; i++)); do
		traffic "$1" || status=1
		"${@:2}" >/dev/null && break
	done
	return "$status"
}

was_calm()
{
	worked 3 change_claims kill_flows read_all &&
		[ "$(counter flows_handed_over cli)" -ge 50 ] &&
		[ "$(counter flows_killed cli)" -ge 5 ]
}

calm()
{
	local status=0

	repeat change_claims
	repeat kill_flows
	repeat read_all
	traffic_until "$calm_ms" was_calm || status=1
	stop_all
	grep -v ' 0$' "$client_proc/threeway/stat"
	was_calm || status=1
	return "$status"
}

wild()
{
	local status=0

	repeat change_claims
	repeat kill_flows
	repeat read_all
	repeat reload
	traffic_until "$wild_ms" worked 3 reload || status=1
	stop_all
	worked 3 reload || status=1
	return "$status"
}

namespaces()
{
	local status=0

	repeat make_namespace
	repeat kill_flows
	traffic_until "$wild_ms" worked 3 make_namespace || status=1
	stop_all
	worked 3 make_namespace || status=1
	return "$status"
}

# given_up FAMILY: sockets that are closed, reset, shut, disconnected and asked
# while they connect
given_up()
{
	local status=0

	repeat kill_flows
	./connectrace -s srv -c cli -a "${server_ip[$1]}" -p "$port" -n 3000 ||
		status=1
	stop_all
	wait_for 10 no_flows || status=1
	return "$status"
}

# waiting FAMILY LINE: sockets whose SYN has no answer, when the line comes;
# then they get one
waiting()
{
	local i

	filter <<-END
		table inet lose {
			chain early {
				type filter hook prerouting priority -400;
				tcp flags & (syn|ack) == syn drop
			}
		}
	END
	{
		echo "ns srv"
		echo "socket l $1"
		echo "bind l ${any_ip[$1]} $port"
		echo "listen l 100"
		echo "ns cli"
		for ((i = 0; i < sockets; i++)); do
			echo "socket c$i $1"
			echo "start c$i ${server_ip[$1]} $port"
		done
		echo "sleep 1300"
		echo "sh $2"
		echo "sh ip netns exec srv nft flush ruleset"
		echo "outcomes 20000"
		for ((i = 0; i < sockets; i++)); do
			echo "accept l a$i"
			echo "send a$i 1000"
		done
		for ((i = 0; i < sockets; i++)); do
			echo "recv c$i 1000"
			echo "abort c$i"
		done
	} | script
	no_filter
	[ "$(grep -c '^outcome.*=0$' "$work/results")" = "$sockets" ] &&
		[ "$(grep -c '^recv.*=1000$' "$work/results")" = "$sockets" ] &&
		return
	grep -v '^accept' "$work/results"
	return 1
}

# without_module FAMILY: connect() goes on natively: nobody is without a copy for
# longer than the native timeout, if the answers are let through in time
without_module()
{
	waiting "$1" "rmmod threeway" || return 1
	load_module
	connect_on
	awk -F= -v ms=$((4500 * patience)) '
		/^after/ && $2 > ms { print; bad = 1 } END { exit bad }' \
		"$work/results"
}

killed()
{
	count_from_here
	waiting "$1" "threeway -n cli flow kill all" &&
		counted flows_opened="$sockets" sent_syn="$sockets" \
			sent_syn_timer="$sockets" flows_killed="$sockets" \
			native_busy_socket="$sockets-$((sockets * patience))"
}

flushed()
{
	local copies=$((sockets * 2))-$((sockets * (1 + patience)))

	count_from_here
	waiting "$1" "threeway -n cli claim flush" &&
		counted flows_opened="$sockets" sent_syn="$sockets" \
			sent_syn_timer="$copies" \
			flows_handed_over="$sockets" || return 1
	connect_on
}

# transfers: the module goes halfway through 20 of 1 MB each way
transfers()
{
	local status=0

	count_from_here
	start_traffic -a 192.0.2.1 -a 2001:db8::1 -n 20 -u "$megabyte" \
		-d "$megabyte" -W "$work/sync"
	if ! wait_for 60 test -e "$work/sync.half"; then
		cat "$work/traffic"
		return 1
	fi
	handed_over 20 || status=1
	unload_module || status=1
	touch "$work/sync.go"
	wait "$traffic" || status=1
	cat "$work/traffic"
	load_module
	connect_on
	return "$status"
}

# phases FAMILY: the answer comes when the copy is due, within some ticks
phases()
{
	local status=0

	tc -n srv qdisc replace dev veth root netem limit 10000 delay 100ms 8ms
	connect_off
	claim cli active port "$port" rto_initial_ms 100 >/dev/null
	log_packets "$work/packets" times
	generate -a "${server_ip[$1]}" -n "$phases" -j $((phases / 5)) \
		-u 10 -d 10 -e rst -t $((120 * patience)) || status=1
	stop_log
	no_delay
	no_late_syn || status=1
	connect_off
	connect_on
	return "$status"
}

# no_late_syn: what was on its way to the other CPU is excused, a copy that the
# next timeout would send is not
no_late_syn()
{
	awk -v late=$((60 * patience)) -v phases="$phases" \
		-v some=$((phases / 15 / patience)) '
		$4 == "02" && $6 != isn[$2] {
			# a port is used again
			isn[$2] = $6
			began[$2] = $5
			delete answered[$2]
		}
		$4 == "12" && !($3 in answered) {
			answered[$3] = $5
			n++
		}
		$4 == "02" && $2 in answered && $5 > answered[$2] + late {
			print "SYN at", $5, "after the answer at", answered[$2]
			bad = 1
		}
		$4 == "02" && $5 > began[$2] + 50 {
			copies++
		}
		END {
			print copies, "copies for", n, "answers"
			exit bad || n < 14 / 15 * phases ||
				copies < some || copies > phases - some
		}' "$work/packets"
}

start_connect 17
keep_hooks
many_clients
know_neighbour srv 2 cli
know_neighbour cli 1 srv
connect_on
for family in 4 6; do
	check "LC4 v$family: the module goes in SYN-SENT" without_module $family
	check "LC4 v$family: flows are killed in SYN-SENT" killed $family
	check "LC4 v$family: the claim goes in SYN-SENT" flushed $family
	check "SS16 ER9 v$family: sockets give up as they connect" \
		given_up $family
	check "RT17 v$family: the answer and the timer" phases $family
done
check "LC5 the module goes, 20 transfers go on" transfers
reload
delay 10
check "LC9 claims change, flows are killed: every connect() succeeds" calm
check "LC9 nothing went wrong unseen" no_complaint
check "LC1 namespaces go while their programs connect" namespaces
check "LC2 LC4 the module comes and goes: every connect() succeeds" wild
no_delay
reload
try "LC2 v4: everything works again" 50 \
	generate -a 192.0.2.1 -n 50 -u 20000 -d 20000
try "LC2 v6: everything works again" 50 \
	generate -a 2001:db8::1 -n 50 -u 20000 -d 20000
end_net
