#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The engine on both ends of a link that loses, repeats, delays and reorders in
# both directions: every connect() comes to its end, and every byte arrives.
# shellcheck disable=SC2317 # the functions are run by try
# shellcheck source=selftests/net/connect.sh
. "$(dirname "$0")/connect.sh"

# With 10 % each way, one of 20,000 handshakes would need more than the 6 by
# default. With so many none of these will.
retries=9

# lossy N ARGUMENT...: N at once
lossy()
{
	generate -a "${server_ip[$family]}" -n "$1" -j "$1" -t 600 "${@:2}"
}

# lossy_both N ARGUMENT...: and what both engines counted. The server may see a
# SYN again when the connection is already handed over, the client not even that.
lossy_both()
{
	local status=0 n=$1

	[ -n "$native" ] || cat "$server_proc/threeway/stat" >"$work/stat.srv"
	counting "flows_opened=$n flows_handed_over=$n sent_syn=$n sent_syn_timer=1-$((n * retries))" \
		lossy "$@" || status=1
	[ -z "$native" ] || return "$status"
	mv "$work/stat.srv" "$work/stat"
	engine_proc=$server_proc counted flows_opened="$n" \
		flows_handed_over="$n" sent_synack="$n" \
		sent_synack_timer="0-$((n * retries))" \
		segment_duplicate_syn=any sent_synack_duplicate=any \
		segment_duplicate_limited=any native_socket_owns=any || status=1
	return "$status"
}

start_connect 8
bad_links
in_ns srv sysctl -qw net.ipv4.tcp_synack_retries=$retries
in_ns cli sysctl -qw net.ipv4.tcp_syn_retries=$retries
engine_on synack_retries $retries
connect_on syn_retries $retries
for family in 4 6; do
	check "RT1 SS1 SS15 v$family: 500 connects, both talk" \
		lossy_both 500 -u 20000 -d 20000
	check "RT1 SS1 v$family: the server talks first" \
		lossy_both 100 -o server -u 5000 -d 5000
	check "RT1 SS1 v$family: the first ACK has data" \
		lossy_both 100 -q -o client -u 10000 -d 5000
	check "RT1 SS1 v$family: the first ACK has data and FIN" \
		lossy_both 100 -q -x -u 900 -d 9000
done
good_links
end_net
