#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two programs connect to each other at the same moment, through firewalls on both
# hosts that let nothing in but what conntrack takes for an answer, and drop what it
# calls INVALID. What conntrack thinks at each step is what it thinks of the native
# stack.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/connect.sh
. "$(dirname "$0")/connect.sh"
# shellcheck source=selftests/net/simopen.sh
. "$(dirname "$0")/simopen.sh"
# shellcheck source=selftests/net/conntrack.sh
. "$(dirname "$0")/conntrack.sh"

# guard NS: only what NS has begun itself
guard()
{
	in_ns "$1" nft flush ruleset
	guard_rules "" "ct state new accept" | in_ns "$1" nft -f -
	strict_conntrack "$1"
	mv "$work/errors" "$work/errors.$1"
}

# nothing_invalid: on both hosts since guard
nothing_invalid()
{
	local ns status=0

	for ns in cli srv; do
		cp "$work/errors.$ns" "$work/errors"
		all_valid "$ns" || status=1
	done
	return "$status"
}

# entries: the state of the only connection that each host tracks
entries()
{
	local ns

	for ns in cli srv; do
		in_ns "$ns" conntrack -L -p tcp 2>/dev/null |
			awk -v ns="$ns" '{
				print ns, $4,
				      /UNREPLIED/ ? "unreplied" : "replied",
				      /ASSURED/ ? "assured" : "new"
			}'
	done
}

# steps FAMILY: before the SYNs cross, when they have, when it is established, has
# carried data, and is reset
steps()
{
	guard cli
	guard srv
	{
		pairs "$1" 1
		echo "
			sleep 100
			sh entries
			sleep 300
			sh entries
			sleep 800
			sh entries
			finish cli0
			finish srv0
			send cli0 3000
			send srv0 3000
			recv srv0 3000
			recv cli0 3000
			same cli0 srv0
			sleep 400
			sh entries
			abort cli0
			sleep 400
			sh entries
			error srv0
			abort srv0"
	} | ./sockscript | grep -v '^state\.'
	nothing_invalid
	for ns in cli srv; do
		in_ns "$ns" nft flush ruleset
	done
	sleep 1
}

# as_native FAMILY: the engines that are on do not show
as_native()
{
	steps "$1" >"$work/steps.engine" 2>&1
	diff -U 99 "$work/steps.native.$1" "$work/steps.engine"
}

# all_established: how many connections each host tracks, see both ways
all_established()
{
	local ns

	for ns in cli srv; do
		in_ns "$ns" conntrack -L -p tcp 2>/dev/null |
			grep -c ' ESTABLISHED .*ASSURED'
	done | xargs
}

# guarded_pairs FAMILY N: as many at once
guarded_pairs()
{
	guard cli
	guard srv
	{
		pairs "$1" "$2"
		echo "sleep 3000"
		talk "$2"
		echo "sh all_established"
		done_with "$2"
	} | script
	both_connected "$2" || return 1
	nothing_invalid || return 1
	for ns in cli srv; do
		in_ns "$ns" nft flush ruleset
	done
	grep -qx "$2 $2" "$work/results" && return
	echo "established: $(grep -x '[0-9]* [0-9]*' "$work/results")"
	return 1
}

# saw_both_syns FILE: a slow machine looks when they have crossed
saw_both_syns()
{
	[ "$patience" -gt 1 ] || [ "$(grep -c 'SYN_SENT unreplied new' "$1")" = 2 ]
}

# what_native_does FAMILY: the connection is established, though it may take the
# two another ACK each
what_native_does()
{
	engines
	steps "$1" >"$work/steps.native.$1" 2>&1
	[ "$(grep -cx '... ESTABLISHED replied assured' \
		"$work/steps.native.$1")" -ge 4 ] &&
		saw_both_syns "$work/steps.native.$1" &&
		grep -qx 'recv.cli0=3000' "$work/steps.native.$1" &&
		! grep -q INVALID "$work/steps.native.$1" && return
	cat "$work/steps.native.$1"
	return 1
}

start_connect 14
[ -z "$native" ] || skip_all "it is compared with the native stack here"
know_neighbour srv 2 cli
know_neighbour cli 1 srv
for ns in cli srv; do
	tc -n $ns qdisc replace dev veth root netem limit 10000 delay 300ms
done
export -f entries all_established in_ns
for family in 4 6; do
	check "NF3 v$family, native: a simultaneous open through two firewalls" \
		what_native_does $family
	for sides in "cli srv" cli srv; do
		name="v$family, engine: ${sides/ / and }"
		syns=1 others="sent_ack=any segment_syn_challenged=any"
		check "SM1 NF3 $name: conntrack of each step as by native" \
			on_engines "$sides" 1 as_native $family
		syns=20
		check "SM1 NF3 $name: twenty at once, nothing is INVALID" \
			on_engines "$sides" 20 guarded_pairs $family 20
	done
done
end_net
