#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A link that loses, repeats, delays and reorders in both directions: every
# handshake comes to its end all the same, and every byte arrives.
# shellcheck disable=SC2317 # the functions are run by try
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

at_once=50
# With 10 % each way, one of 20,000 handshakes would need more than the 5 by
# default. With so many none of these will.
retries=9

lossy()
{
	generate -a "${server_ip[$family]}" -n "$at_once" -t 600 "$@"
}

# A copy of a SYN may come when the flow is there, or already handed over.
expected="flows_opened=$at_once flows_handed_over=$at_once
	sent_synack=$at_once sent_synack_timer=0-$((at_once * retries))
	segment_duplicate_syn=0-$((at_once * 5))
	sent_synack_duplicate=0-$((at_once * 5))
	segment_duplicate_limited=0-$((at_once * 5))
	native_socket_owns=0-$((at_once * 5))"

# lost_some: it was the engine that made good for what was lost
lost_some()
{
	[ -z "$native" ] || return 0
	cp "$work/before" "$work/stat"
	counted flows_opened=250 flows_handed_over=250 sent_synack=250 \
		sent_synack_timer=1-2250 sent_synack_duplicate=1-1250 \
		segment_duplicate_syn=1-1250 segment_duplicate_limited=any \
		native_socket_owns=any
}

start_net 12
bad_links
in_ns srv sysctl -qw net.ipv4.tcp_synack_retries=$retries
[ -n "$native" ] || in_ns srv sysctl -qw net.threeway.synack_retries=$retries
expected=$(xargs <<<"$expected")
engine_on
for family in 4 6; do
	[ -n "$native" ] || cp "$server_proc/threeway/stat" "$work/before"
	try "RT6 SR1 HO16 v$family: loss, both talk" "$expected" \
		lossy -u 20000 -d 20000
	try "RT6 HO19 v$family: loss, the server talks first" "$expected" \
		lossy -o server -u 5000 -d 5000
	try "SR13 SR15 SR16 v$family: loss, data completes" "$expected" \
		lossy -q -o client -u 10000 -d 5000
	try "SR14 v$family: loss, data with a FIN completes" "$expected" \
		lossy -q -x -u 900 -d 9000
	try "RT6 HO19 v$family: loss, the server closes" "$expected" \
		lossy -o server -e server -u 900 -d 900
	check "RT6 SR3 v$family: SYN-ACKs went again, by timer and on request" \
		lost_some
done
good_links
end_net
