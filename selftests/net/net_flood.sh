#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Floods of SYNs from addresses that never answer, at ten times the backlog, and
# clients that want to connect meanwhile: with each policy for cookies, on both
# paths, over all kinds of devices. After the flood all is as before.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

backlog=100

# claimed WORDS: the port that is flooded and the one that clients want
claimed()
{
	engine_off
	claim srv passive port "$port-$((port + 1))" "$@" >/dev/null
}

# clients ADDRESS N [NS]: connect, with data both ways
clients()
{
	local any=::

	[ "${1#*:}" != "$1" ] || any=0.0.0.0
	./tcpgen -s srv -c "${3:-cli}" -l "$any" -p $((port + 1)) -a "$1" \
		-n "$2" -j "$2" -u 1000 -d 1000 -t 30
}

# under_flood FAMILY: a flood before, while and after clients connect
under_flood()
{
	local status=0

	hang $((backlog * 10))
	hang $((backlog * 10)) &
	clients "${server_ip[$1]}" 20 || status=1
	wait $! || status=1
	return "$status"
}

moved()
{
	echo $(($(counter "$1" srv) - $(awk -v name="$1" \
		'$1 == name { print $2 }' "$work/stat")))
}

# grew NAME: a counter since count_from_here
grew()
{
	[ "$(moved "$1")" -gt 0 ] && return
	echo "$1 did not move"
	return 1
}

flood()
{
	local status=0

	claimed backlog "$backlog" "${@:2}"
	count_from_here
	under_flood "$1" || status=1
	grew sent_cookie && grew cookies_received || status=1
	if [ "$(moved flows_opened)" -gt $((backlog * 2 + 60)) ]; then
		echo "$(moved flows_opened) flows"
		status=1
	fi
	return "$status"
}

# once_in_the_log: one line that names the claim, whatever comes
once_in_the_log()
{
	local id lines

	claimed
	id=$(threeway -n srv -j -s claim show | jq '.[0].id')
	in_ns srv sysctl -qw net.threeway.max_syn_backlog="$backlog"
	dmesg -c >/dev/null
	hang $((backlog * 10))
	lines=$(dmesg | grep -c "threeway: claim $id: .* port $port")
	in_ns srv sysctl -qw net.threeway.max_syn_backlog=4096
	[ "$lines" = 1 ] && return
	echo "$lines lines"
	return 1
}

# as_before: no flow is left, no claim is under pressure, a client is served
as_before()
{
	threeway -n srv flow kill all >/dev/null
	sleep 11
	count_from_here
	clients "${server_ip[4]}" 3 && counted flows_opened=3 sent_synack=3 \
		flows_handed_over=3 cookies_off="$(moved cookies_off)"
}

# forgotten: a claim that has sent cookies is deleted: its peers' ACKs are waited
# for, and when these can no longer come nothing is left of it, no hook either
forgotten()
{
	local tracing=/sys/kernel/tracing status=0

	# those before are gone
	engine_off
	sleep 250
	claimed cookies always
	hang 1
	[ -e "$tracing/trace" ] || mount -t tracefs nodev "$tracing" || return 1
	echo hs_local_in >"$tracing/set_ftrace_filter" || return 1
	echo function >"$tracing/current_tracer"
	engine_off
	sleep 123
	looks || status=1
	sleep 127
	! looks || status=1
	echo nop >"$tracing/current_tracer"
	echo >"$tracing/set_ftrace_filter"
	[ "$status" = 0 ] || echo "the hook goes at another time"
	return "$status"
}

# looks: does the engine see what comes in?
looks()
{
	echo >"$tracing/trace"
	in_ns cli curl -s -m 5 "http://192.0.2.1:$((port + 1))/" >/dev/null
	grep -q hs_local_in "$tracing/trace"
}

# rate_of_a_source: one source is over its rate, another one is not
rate_of_a_source()
{
	local status=0

	claimed backlog 100000 cookies never source_rate 1 source_burst 50
	hang 1
	sleep 0.2
	count_from_here
	./rawpeer -c cli -a 198.18.77.1 -d 192.0.2.1 -p "$port" -n 200 flood
	[ "$(moved flows_opened)" -le 60 ] || status=1
	[ "$(moved segment_source_rate)" -ge 140 ] || status=1
	./rawpeer -c cli -a 198.18.78.1 -d 192.0.2.1 -p "$port" -n 40 flood
	[ "$(moved flows_opened)" -ge 90 ] || status=1
	[ "$status" = 0 ] || echo "$(moved flows_opened) flows," \
		"$(moved segment_source_rate) SYNs dropped"
	threeway -n srv flow kill all >/dev/null
	return "$status"
}

# flows_of_a_source: the same of half-open flows; with cookies it gets one
flows_of_a_source()
{
	local status=0

	claimed backlog 100000 source_flows 30
	hang 1
	sleep 0.2
	count_from_here
	./rawpeer -c cli -a 198.18.87.1 -d 192.0.2.1 -p "$port" -n 100 flood
	[ "$(moved flows_opened)" = 30 ] && [ "$(moved sent_cookie)" = 70 ] ||
		status=1
	threeway -n srv flow kill all >/dev/null
	./rawpeer -c cli -a 198.18.87.1 -d 192.0.2.1 -p "$port" -n 30 flood
	[ "$(moved flows_opened)" = 60 ] || status=1
	[ "$status" = 0 ] || echo "$(moved flows_opened) flows," \
		"$(moved sent_cookie) cookies"
	threeway -n srv flow kill all >/dev/null
	return "$status"
}

# early ADDRESS TAKEN [NS]: connections by cookies, then by flows that open early;
# are some SYN-ACKs early
early()
{
	early_by "$1" "$2" "${3:-cli}" sent_cookie \
		cookies always cookie_path early &&
		early_by "$1" "$2" "${3:-cli}" sent_synack synack_path early
}

# early_by ADDRESS TAKEN NS COUNTER WORDS: with such a claim
early_by()
{
	local status=0 before

	claimed "${@:5}"
	before="$(errors srv) $(errors cli)"
	count_from_here
	clients "$1" 30 "$3" || status=1
	[ "$(moved "$4")" = 30 ] || status=1
	[ "$(moved flows_handed_over)" = 30 ] || status=1
	if "$2"; then
		grew "$4_early" || status=1
	elif [ "$(moved "$4_early")" != 0 ]; then
		status=1
	fi
	[ "$(errors srv) $(errors cli)" = "$before" ] || status=1
	[ "$status" = 0 ] || echo "$* : $(moved "$4") sent," \
		"$(moved "$4_early") early, $(moved flows_handed_over)" \
		"handed over, errors $before: $(errors srv) $(errors cli)"
	return "$status"
}

# early_on NAME TAKEN WORDS: over such a device
early_on()
{
	local family

	if ! device "${@:3}" 2>/dev/null; then
		skip "CK1 v4 $1, path early" "no such device"
		skip "CK1 v6 $1, path early" "no such device"
		return
	fi
	for family in 4 6; do
		check "CK1 v$family $1, path early" \
			early "${inner_srv[$family]}" "$2"
	done
	no_device
}

# bridged: the address of the veth moves to a bridge over it
bridged()
{
	ip -n srv link add br0 type bridge &&
		ip -n srv link set veth master br0 &&
		ip -n srv link set br0 up &&
		ip -n srv address add 203.0.113.1/24 dev br0 &&
		ip -n cli address add 203.0.113.2/24 dev veth
}

# bonded: the same of a bond, whose frames come from its slave
bonded()
{
	ip -n srv link del br0
	ip -n srv link set veth down
	ip -n srv link add bond0 type bond mode active-backup miimon 10 &&
		ip -n srv link set veth master bond0 &&
		ip -n srv link set bond0 up &&
		ip -n srv address add 203.0.113.1/24 dev bond0 &&
		wait_for 5 bond_has_link
}

bond_has_link()
{
	ip -n srv -d link show veth | grep -q 'state ACTIVE mii_status UP'
}

in_vrf()
{
	ip -n srv link del bond0
	ip -n srv link set veth up
	ip -n srv link add vrf0 type vrf table 10 &&
		ip -n srv link set vrf0 up &&
		ip -n srv link set veth master vrf0 &&
		ip -n srv address add 203.0.113.1/24 dev veth &&
		in_ns srv sysctl -qw net.ipv4.tcp_l3mdev_accept=1
}

# IP15: who listens on the device sees the SYNs as they were.
captured()
{
	local status=0

	start_capture srv -U -w "$work/pcap" tcp
	early "${server_ip[4]}" true || status=1
	stop_capture || status=1
	tcpdump -vv -n -r "$work/pcap" 2>/dev/null |
		grep 'Flags \[S\]' >"$work/syns"
	if [ ! -s "$work/syns" ]; then
		echo "the reader has seen no SYN"
		status=1
	fi
	if grep incorrect "$work/syns"; then
		echo "a SYN was changed below the reader"
		status=1
	fi
	return "$status"
}

# A port that nobody listens at looks closed, whatever its claim says.
closed_port_resets()
{
	claimed cookies always cookie_path early synack_path early
	in_ns cli curl -s -m 5 "http://192.0.2.1:$((port + 1))/" >/dev/null
	[ $? = 7 ]
}

start_net 28
route_strangers
serve
check "LM1 LM8 v4: auto, late" flood 4 cookies auto
check "LM1 LM8 v6: auto, late" flood 6 cookies auto
check "LM1 LM8 v4: always, late" flood 4 cookies always
check "LM1 LM8 v4: auto, early" flood 4 cookies auto cookie_path early
check "LM1 LM8 v6: always, early" flood 6 cookies always cookie_path early
check "LM4 one line in the log, which names the claim" once_in_the_log
check "LM6 after the flood all is as before" as_before
check "CK3 a claim is kept as long as its cookies" forgotten
check "LM5 a source beyond its rate, others are not" rate_of_a_source
check "LM5 a source with too many half-open flows" flows_of_a_source
for tx in on off; do
	offload $tx
	for family in 4 6; do
		check "CK1 v$family veth, checksums by the device $tx, path early" \
			early "${server_ip[$family]}" true
	done
done
check "IP15 v4 a packet that somebody else looks at, path early" captured
check "CL2 a closed port resets, path early" closed_port_resets
check "CK1 v4 loopback, path early: not taken" \
	early "${server_ip[4]}" false srv
early_on VLAN true link veth type vlan id 5
early_on macvlan true link veth type macvlan
early_on "tunnel without Ethernet: not taken" false \
	type ip6tnl mode any local LOCAL6 remote REMOTE6
early_on VXLAN true type vxlan id 7 dstport 4789 local LOCAL4 remote REMOTE4 \
	dev veth
check "CK1 v4 bridge, path early" eval "bridged && early 203.0.113.1 true"
check "CK1 v4 bond, path early" eval "bonded && early 203.0.113.1 true"
check "CK1 v4 VRF, path early: not taken" \
	eval "in_vrf && early 203.0.113.1 false"
stop_serving
end_net
