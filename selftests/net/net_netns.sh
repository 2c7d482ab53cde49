#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Namespaces go away at any time: with half-open flows, during transfers, under
# traffic, many at once, with the control file open. Nothing keeps them.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

rounds=6
many=20

if [ -n "$native" ]; then
	skip_all "the same as ip-netns(8)"
fi

# gone SECONDS NS...: these namespaces are really gone, not only their names
gone()
{
	local ns

	for ns in "${@:2}"; do
		ip -n "$ns" link add "leak$ns" type veth \
			peer name "leak$ns" netns 1 || return 1
	done
	for ns in "${@:2}"; do
		ip netns del "$ns" || return 1
	done
	wait_for "$1" no_leak_links && return
	echo "still there after $1 s:"
	ip -o link show | grep ': leak'
	return 1
}

# engine: its timers leave as much time as it takes to open many flows
engine()
{
	engine_on backlog 100000 rto_initial_ms $((1000 * patience))
}

# renew: srv and cli once more, with a claim
renew()
{
	teardown_ns
	setup_ns srv cli
	keep_hooks
	watch_server
	engine
}

half_open_flows()
{
	local status=0

	route_strangers
	serve
	hang 5000
	if ! wait_for 20 flows_are 10000; then
		echo "$(flows) flows"
		status=1
	fi
	stop_serving
	kill "$watcher"
	gone 20 srv || status=1
	renew
	return "$status"
}

# The names go first; the sockets keep the namespaces until tcpgen is killed in
# the middle of its transfers.
transfers()
{
	local status=0

	start_traffic -a 192.0.2.1 -a 2001:db8::1 -n 20 -u "$megabyte" \
		-d "$megabyte" -W "$work/sync"
	wait_for 20 test -e "$work/sync.half" || status=1
	kill "$watcher"
	ip -n srv link add leaksrv type veth peer name leaksrv netns 1
	ip netns del srv
	if wait_for 1 no_leak_links; then
		echo "gone while in use"
		status=1
	fi
	# the transfers do not need the name
	touch "$work/sync.go"
	wait "$traffic" || status=1
	cat "$work/traffic"
	wait_for 20 no_leak_links || status=1
	renew
	return "$status"
}

# The link goes away under flows, which have routes over it.
link_goes()
{
	local status=0

	route_strangers
	serve
	hang 500
	ip -n srv link del veth
	[ "$(flows)" = 1000 ] || status=1
	# a device that something still holds would not go
	wait_for 5 no_veth || status=1
	stop_serving
	renew
	return "$status"
}

no_veth()
{
	! grep -q veth "$server_proc/dev"
}

# Killed while it connects as fast as it can.
under_traffic()
{
	local i status=0

	for ((i = 0; i < rounds; i++)); do
		start_traffic -a 192.0.2.1 -a 2001:db8::1 -T 600000 -t 700 \
			-j 8 -e rst -f -u 2000 -d 2000
		wait_for 5 some_handed_over || status=1
		kill "$watcher"
		kill -9 "$traffic"
		gone 20 srv cli || status=1
		wait "$traffic" 2>/dev/null
		renew
	done
	return "$status"
}

some_handed_over()
{
	! grep -q '^flows_handed_over 0$' "$server_proc/threeway/stat"
}

many_at_once()
{
	local i
	local -a names=()

	for ((i = 0; i < many; i++)); do
		names+=("n$i")
		ip netns add "n$i"
		claim "n$i" passive port "$port" >/dev/null || return 1
	done
	gone 20 "${names[@]}"
}

# A file of /dev/threeway is one user more of its namespace.
control_file()
{
	local holder status=0

	ip netns add held
	ip netns exec held bash -c 'exec 3<>/dev/threeway; exec sleep 1000' \
		>/dev/null 2>&1 &
	holder=$!
	wait_for 5 grep -qs sleep "/proc/$holder/comm" || status=1
	claim held passive port "$port" >/dev/null || status=1
	kill "$holder"
	gone 20 held || status=1
	return "$status"
}

# rmmod while the last namespaces are still being taken down
with_the_module()
{
	local i

	for ((i = 0; i < 10; i++)); do
		ip netns add "m$i"
		claim "m$i" passive port "$port" >/dev/null
	done
	threeway -n srv claim flush >/dev/null
	for ((i = 0; i < 10; i++)); do
		ip netns del "m$i"
	done
	unload_module && load_module && engine_on
}

start_net 7
keep_hooks
engine
check "LC1 ip netns del with 10,000 half-open flows" half_open_flows
check "LC6 ip link del with 1,000 half-open flows" link_goes
check "LC1 ip netns del during 20 transfers" transfers
check "LC1 $rounds times ip netns del under traffic" under_traffic
check "LC1 $many namespaces with claims at once" many_at_once
check "LC1 a namespace that the control file was opened in" control_file
check "LC1 LC2 rmmod right behind ip netns del" with_the_module
end_net
