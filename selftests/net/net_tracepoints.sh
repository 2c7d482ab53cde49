#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tracepoints threeway:*: the same as the events, in text, with filters, in
# every namespace at once; and the module can go while they are in use.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

tracing=/sys/kernel/tracing
events=$tracing/events/threeway

if [ -n "$native" ]; then
	skip_all "tracepoints of the engine"
fi

mount_tracefs()
{
	[ -e "$tracing/trace" ] ||
		mount -t tracefs nodev "$tracing" 2>/dev/null ||
		skip_all "no tracefs"
}

# trace_from_here: nothing is in the trace yet
trace_from_here()
{
	echo >"$tracing/trace"
}

# traced: name and text of the events, without what differs each time: numbers
# of the namespace, flows, ports, sequence numbers and timestamps
traced()
{
	sed -n 's/.*: threeway_\([a-z]*\): /\1 /p' "$tracing/trace" |
		sed -E 's/ (netns|flow|iss|irs|seq|ack|tsval|tsecr)=[1-9][0-9]*/ \1=N/g
			s/(remote=[^ ]*):[0-9]+ /\1:P /'
}

# connect_once FAMILY
connect_once()
{
	generate -a "${server_ip[$1]}" -n 1 -u 10 -d 10
}

# text FAMILY MSS: what one handshake looks like
text()
{
	local who options flow none
	local local=${server_ip[$1]}:$port remote=${client_ip[$1]}:P

	if [ "$1" = 6 ]; then
		local=[${server_ip[6]}]:$port
		remote=[${client_ip[6]}]:P
	fi
	who="local=$local remote=$remote ifindex=0"
	flow="netns=N flow=N claim=1 passive handoff $who"
	options="options=mss|wscale|sackOK|ts mss=$2 wscale=7"
	none="timer_ms=0 timeouts=0 retransmits=0"
	cat <<-END
		opened $flow LISTEN -> LISTEN counter=flows_opened iss=N irs=N $none
		arrived netns=N flow=N claim=1 $who LISTEN flags=SYN seq=N ack=0 wnd=W len=0 $options tsval=N tsecr=0 counter= timer_ms=0 retransmits=0
		state $flow LISTEN -> SYN-RECEIVED counter= iss=N irs=N $none
		sent netns=N flow=N claim=1 $who SYN-RECEIVED flags=SYN|ACK seq=N ack=N wnd=W len=0 $options tsval=N tsecr=N counter=sent_synack timer_ms=1000 retransmits=0
		arrived netns=N flow=N claim=1 $who SYN-RECEIVED flags=ACK seq=N ack=N wnd=W len=0 options=ts mss=0 wscale=0 tsval=N tsecr=N counter= timer_ms=0 retransmits=0
		handoff $flow SYN-RECEIVED -> ESTABLISHED counter=flows_handed_over iss=N irs=N $none
	END
}

one_handshake()
{
	trace_from_here
	connect_once "$1" || return 1
	traced | sed 's/ wnd=[1-9][0-9]*/ wnd=W/' >"$work/got"
	text "$1" "$2" >"$work/want"
	cmp -s "$work/got" "$work/want" && return
	echo "got:"
	cat "$work/got"
	echo "want:"
	cat "$work/want"
	return 1
}

# The numbers that one_handshake does not look at are those of the flow, and
# the namespace is the one that lsns(8) shows.
numbers()
{
	local netns

	netns=$(in_ns srv readlink /proc/self/ns/net | tr -dc 0-9)
	trace_from_here
	connect_once 4 || return 1
	awk -v netns="$netns" '
		function value(name) {
			if (!match($0, " " name "=[0-9]+"))
				return "none"
			# a number, so that numbers are compared
			return substr($0, RSTART + length(name) + 2,
				      RLENGTH - length(name) - 2) + 0
		}
		!/threeway_/ {
			next
		}
		value("netns") != netns {
			wrong = wrong "netns "
		}
		/opened/ {
			flow = value("flow")
			iss = value("iss")
			irs = value("irs")
		}
		value("flow") != flow {
			wrong = wrong "flow "
		}
		/flags=SYN / && value("seq") != irs {
			wrong = wrong "irs "
		}
		/flags=SYN\|ACK/ && (value("seq") != iss ||
				     value("ack") != (irs + 1) % 2^32) {
			wrong = wrong "synack "
		}
		/flags=ACK/ && (value("ack") != (iss + 1) % 2^32 ||
				value("seq") != (irs + 1) % 2^32) {
			wrong = wrong "ack "
		}
		{
			lines++
		}
		END {
			print lines + 0, "lines, wrong:", wrong
			exit wrong != "" || lines != 6
		}' "$tracing/trace"
}

# The kernel selects by any field.
filtered()
{
	trace_from_here
	echo 'counter == "sent_synack_timer"' >"$events/threeway_sent/filter"
	echo 'timeouts >= 1' >"$events/threeway_timer/filter"
	hang 1
	sleep 3.5
	echo 0 >"$events/threeway_sent/filter"
	echo 0 >"$events/threeway_timer/filter"
	traced >"$work/traced"
	if [ "$(grep -c '^sent .*flags=SYN|ACK .*timer_ms=2000 ' "$work/traced")" = 2 ] &&
	   [ "$(grep -c '^sent .*flags=SYN|ACK .*timer_ms=4000 ' "$work/traced")" = 2 ] &&
	   [ "$(grep -c '^sent ' "$work/traced")" = 4 ] &&
	   [ "$(grep -c '^timer .* timeouts=[12] ' "$work/traced")" = 4 ]; then
		return
	fi
	cat "$work/traced"
	return 1
}

# Whoever ends a flow is told as well.
killed()
{
	trace_from_here
	threeway -n srv flow kill all >/dev/null || return 1
	[ "$(traced | grep -c '^ended .* SYN-RECEIVED -> CLOSED counter=flows_killed ')" = 2 ] &&
		return
	traced
	return 1
}

# Nothing is told when nobody asks.
switched_off()
{
	echo 0 >"$events/enable"
	trace_from_here
	connect_once 4 || return 1
	[ -z "$(traced)" ] && return
	traced
	return 1
}

# The tracepoints go with the module, in use or not, and come back with it.
unload_in_use()
{
	echo 1 >"$events/enable"
	connect_once 4 || return 1
	unload_module || return 1
	if [ -e "$events" ]; then
		echo "$events is still there"
		return 1
	fi
	load_module
	[ -e "$events/enable" ] && [ "$(<"$events/enable")" = 0 ] || return 1
	engine_on
	echo 1 >"$events/enable"
	one_handshake 4 1460
}

all_there()
{
	local name

	for name in opened arrived sent timer state handoff ended cookies; do
		[ -e "$events/threeway_$name/enable" ] || return 1
	done
}

mount_tracefs
start_net 8
route_strangers
engine_on
check "MI9 a tracepoint for each type of event" all_there
echo 1 >"$events/enable"
check "MI9 a handshake in text, IPv4" one_handshake 4 1460
check "MI9 a handshake in text, IPv6" one_handshake 6 1440
check "MI9 numbers of the namespace, the flow and the segments" numbers
serve
check "MI9 filters" filtered
check "MI9 the end of a flow" killed
stop_serving
check "MI9 nothing when switched off" switched_off
check "LC2 unload while they are switched on" unload_in_use
echo 0 >"$events/enable"
end_net
