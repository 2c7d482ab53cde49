#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A flood from peers that do not exist: the half-open flows stay within the limits,
# each of them sends no more than its copies, and other claims, other namespaces and
# the native stack do not suffer.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

[ -z "$native" ] || skip_all "limits of the engine"

# count_segments: in srv, of what the flooded port gets and sends
count_segments()
{
	filter <<-END
		table inet count {
			chain in {
				type filter hook prerouting priority -400;
				tcp dport $port tcp flags syn counter comment "synin"
			}
			chain out {
				type filter hook output priority 0;
				tcp sport $port tcp flags & (syn|ack) == (syn|ack) counter return comment "synackout"
				tcp sport $port counter comment "otherout"
			}
		}
	END
}

# segments WHICH: "PACKETS BYTES"
segments()
{
	in_ns srv nft list ruleset | grep "\"$1\"" |
		sed -n 's/.*packets \([0-9]*\) bytes \([0-9]*\).*/\1 \2/p'
}

# all_expire: a sleep costs less than to look often
all_expire()
{
	sleep 66
	wait_for 10 no_more_flows
}

no_more_flows()
{
	[ "$(flows)" = 0 ]
}

# amplification COPIES: what a flood of 100 of each family brings its victims
amplification()
{
	local in_packets in_bytes out_packets out_bytes other

	count_segments
	hang 100
	all_expire || return 1
	read -r in_packets in_bytes < <(segments synin)
	read -r out_packets out_bytes < <(segments synackout)
	read -r other _ < <(segments otherout)
	no_filter
	echo "in $in_packets, $in_bytes bytes; out $out_packets, $out_bytes" \
		"bytes, and $other others"
	[ "$in_packets" = 200 ] && [ "$other" = 0 ] &&
		[ "$out_packets" = $((in_packets * $1)) ] &&
		[ "$out_bytes" -le $((in_bytes * $1)) ]
}

quieter()
{
	engine_off
	claim srv passive port "$port" synack_retries 0 >/dev/null
	amplification 1
}

# Old flows that fill half of the backlog send fewer copies: never fewer than two.
quieter_under_pressure()
{
	local sent

	engine_off
	claim srv passive port "$port" backlog 250 >/dev/null
	count_from_here
	hang 100
	all_expire || return 1
	sent=$(counter sent_synack_timer srv)
	sent=$((sent - $(awk '$1 == "sent_synack_timer" { print $2 }' \
		"$work/stat")))
	echo "$sent copies for 200 flows"
	[ "$sent" -ge 400 ] && [ "$sent" -lt 950 ]
}

# limited SYSCTL LIMIT COUNTER: a flood of 250 of each family
limited()
{
	local status=0

	engine_off
	engine_on
	# no copies before it is counted
	in_ns srv sysctl -qw "net.threeway.$1=$2" net.threeway.syncookies=0 \
		net.threeway.rto_initial_ms=$((1000 * patience))
	count_from_here
	hang 250
	if [ "$(flows)" != "$2" ]; then
		echo "$(flows) flows"
		status=1
	fi
	counted flows_opened="$2" sent_synack="$2" "$3=$((500 - $2))" ||
		status=1
	return "$status"
}

no_limits()
{
	in_ns srv sysctl -qw net.threeway.max_flows=65536 \
		net.threeway.max_syn_backlog=4096 \
		net.threeway.rto_initial_ms=1000
	threeway -n srv flow kill all >/dev/null
}

# The flooded port has no room; another one of the same host has.
other_claim()
{
	local status=0

	limited max_syn_backlog 100 native_backlog_full || status=1
	claim srv passive port $((port + 1)) >/dev/null
	count_from_here
	./tcpgen -s srv -c cli -p $((port + 1)) -a 192.0.2.1 -a 2001:db8::1 \
		-n 20 -u 1000 -d 1000 || status=1
	handed_over 20 || status=1
	no_limits
	return "$status"
}

# The namespace has no room for flows; its neighbour has.
other_namespace()
{
	local status=0

	limited max_flows 100 native_flow_limit || status=1
	claim cli passive port $((port + 1)) >/dev/null
	./tcpgen -s cli -c srv -p $((port + 1)) -a 192.0.2.2 -a 2001:db8::2 \
		-n 20 -u 1000 -d 1000 || status=1
	[ "$(counter flows_opened cli)" = 20 ] &&
		[ "$(counter flows_handed_over cli)" = 20 ] || status=1
	[ "$(flows)" = 100 ] || status=1
	threeway -n cli claim flush >/dev/null
	no_limits
	return "$status"
}

native_half_open()
{
	in_ns srv ss -Hnt state syn-recv "sport = :$port" | wc -l
}

# The engine takes unknown peers up to its limit. What it leaves to the native
# stack meets that one's rule: without cookies it keeps its last quarter for peers
# that it knows. What the engine has finished that rule does not concern.
reserve()
{
	local native_flows status=0

	limited max_syn_backlog 100 native_backlog_full || status=1
	native_flows=$(native_half_open)
	echo "the native stack has $native_flows half-open connections"
	if [ "$native_flows" -lt 90 ] || [ "$native_flows" -gt 97 ]; then
		status=1
	fi
	threeway -n srv flow kill all >/dev/null
	count_from_here
	script <<-END
		ns cli
		socket c 4
		connect c 192.0.2.1 $port
	END
	expect connect.c=0 || status=1
	handed_over 1 || status=1
	no_limits
	return "$status"
}

# Memory and flows are there again when the flood is over.
afterwards()
{
	engine_off
	engine_on
	generate -a 192.0.2.1 -a 2001:db8::1 -n 50 -u 1000 -d 1000
}

start_net 9
route_strangers
in_ns srv sysctl -qw net.ipv4.tcp_max_syn_backlog=128 \
	net.core.somaxconn=4096
engine_on
serve
check "LM8 LM9 a forged SYN yields six SYN-ACKs, none longer than it" \
	amplification 6
check "LM8 synack_retries 0: it yields one" quieter
check "LM8 half of the backlog is old: fewer" quieter_under_pressure
check "LM6 LM11 max_flows holds" limited max_flows 100 native_flow_limit
no_limits
check "LM1 LM6 max_syn_backlog holds" limited max_syn_backlog 100 \
	native_backlog_full
no_limits
check "LM11 another claim does not suffer" other_claim
check "LM11 another namespace does not suffer" other_namespace
check "LM3 only the native stack keeps a reserve for known peers" reserve
stop_serving
try "LM11 all is well afterwards" 50 afterwards
end_net
