#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tracepoints threeway:*: the same as the events, in text, with filters, in
# every namespace at once; and the module can go while they are in use. And the
# kernel's own: what they tell of sockets is native.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/connect.sh
. "$(dirname "$0")/connect.sh"

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

# kernel_events 0|1: the kernel's own tracepoints of TCP, but for the probes
kernel_events()
{
	local each

	echo "$1" >"$tracing/events/sock/inet_sock_set_state/enable"
	for each in retransmit_skb retransmit_synack receive_reset send_reset \
		destroy_sock; do
		echo "$1" >"$tracing/events/tcp/tcp_$each/enable"
	done
}

# seen: the kernel's own events in their order, without addresses of sockets and
# ports that are chosen
seen()
{
	sed -n 's/.*: \(inet_sock_set_state\|tcp_[a-z_]*\): /\1 /p' "$tracing/trace" |
		sed -E 's/(skaddr|skbaddr|sock_cookie)=[^ ]*//g
			s/port=[3-6][0-9]{4}/port=P/g'
}

listens()
{
	printf '%s\n' "ns srv" "socket l 6" "bind l :: $port" "listen l 5" \
		"ns cli" "socket c $1"
}

scene_accepted()
{
	listens "$1"
	printf '%s\n' "connect c ${server_ip[$1]} $port" "accept l a" \
		"send c 10" "recv a 10" "send a 10" "recv c 10" \
		"close c" "error a" "close a" "sleep 50" "close l"
}

scene_refused()
{
	printf '%s\n' "ns cli" "socket c $1" "start c ${server_ip[$1]} $port" \
		"finish c" "close c"
}

scene_timed_out()
{
	listens "$1"
	printf '%s\n' "set c TCP_SYNCNT 2" "sh bash $work/lose syn" \
		"connect c ${server_ip[$1]} $port" "close c" \
		"sh ip netns exec srv nft flush ruleset" "close l"
}

# The first SYN is lost.
scene_syn_lost()
{
	listens "$1"
	printf '%s\n' "sh bash $work/lose syn" "start c ${server_ip[$1]} $port" \
		"sleep 500" "sh ip netns exec srv nft flush ruleset" \
		"finish c" "accept l a" "abort c" "error a" "close a" "close l"
}

# The ACK is lost: that to the first copy of the SYN-ACK completes.
scene_ack_lost()
{
	listens "$1"
	printf '%s\n' "sh bash $work/lose ack" \
		"connect c ${server_ip[$1]} $port" "sleep 500" \
		"sh ip netns exec srv nft flush ruleset" "accept l a" \
		"abort c" "error a" "close a" "close l"
}

# Nobody answers the SYN-ACKs, the listener goes.
scene_expired()
{
	listens "$1"
	printf '%s\n' "sh bash $work/lose ack" \
		"connect c ${server_ip[$1]} $port" "sleep 8000" \
		"sh ip netns exec srv nft flush ruleset" "send c 10" \
		"error c" "close c" "close l"
}

# kernel_sees SCENE FAMILY FILE: what there is to be seen
kernel_sees()
{
	trace_from_here
	"scene_$1" "$2" | ./sockscript >"$3.results" 2>&1
	seen >"$3"
	cat "$3.results" >>"$3"
}

# as_native COPIES COUNTERS SCENE FAMILY NS CLAIM...: with the claim as without. The
# kernel tells of so many copies of the SYN-ACK, the engine of its own by its own
# tracepoint.
as_native()
{
	local engine_proc=$server_proc status=0 copies=$1 repeated=0
	local -a changes

	shift
	[ "$4" = srv ] || engine_proc=$client_proc
	kernel_sees "$2" "$3" "$work/native"
	claim "$4" "${@:5}" >/dev/null || return 1
	count_from_here
	kernel_sees "$2" "$3" "$work/engine"
	threeway -n "$4" claim flush >/dev/null
	read -ra changes <<<"$1"
	counted "${changes[@]}" || status=1
	[ "$(grep -c '^tcp_retransmit_synack ' "$work/native")" = "$copies" ] ||
		status=1
	[[ $1 =~ sent_syn_timer=([0-9]+) ]] && repeated=${BASH_REMATCH[1]}
	[ "$(grep -c '^tcp_retransmit_skb .*SYN_SENT' "$work/engine")" = \
		"$repeated" ] || status=1
	cp "$work/native" "$work/all"
	sed -i '/^tcp_retransmit_synack /d' "$work/native"
	grep -q '^inet_sock_set_state ' "$work/native" || status=1
	cmp -s "$work/native" "$work/engine" || status=1
	[ "$status" = 0 ] && return
	echo "- native, + engine:"
	diff -U 100 "$work/all" "$work/engine"
	return 1
}

# own_events FAMILY: what the kernel itself tells, with each kind of claim
own_events()
{
	local passive=(srv passive port "$port" synack_retries 1) active=(cli active)
	local opened="flows_opened=1 sent_synack=1" tried="flows_opened=1 sent_syn=1"

	check "MI9 v$1: the kernel's own events, accepted" \
		as_native 0 "$opened flows_handed_over=1" accepted "$1" "${passive[@]}"
	check "MI9 v$1: the kernel's own events, connected" \
		as_native 0 "$tried flows_handed_over=1" accepted "$1" "${active[@]}"
	check "MI9 v$1: the kernel's own events, refused" \
		as_native 0 "$tried flows_refused=1 segment_refused=1" refused "$1" \
		"${active[@]}"
	check "MI9 v$1: the kernel's own events, timed out" \
		as_native 0 "$tried sent_syn_timer=2 flows_timed_out=1" timed_out "$1" \
		"${active[@]}"
	check "MI9 v$1: the kernel's own events, a SYN is lost" \
		as_native 0 "$tried sent_syn_timer=1 flows_handed_over=1" syn_lost "$1" \
		"${active[@]}"
	check "MI9 v$1: the kernel's own events, an ACK is lost" \
		as_native 1 "$opened sent_synack_timer=1 flows_handed_over=1" ack_lost \
		"$1" "${passive[@]}"
	check "MI9 v$1: the kernel's own events, a handshake expires" \
		as_native 1 "$opened sent_synack_timer=1 flows_expired=1" expired \
		"$1" "${passive[@]}"
}

all_there()
{
	local name

	for name in opened arrived sent timer state handoff ended cookies; do
		[ -e "$events/threeway_$name/enable" ] || return 1
	done
}

mount_tracefs
start_connect 22
engine_proc=$server_proc
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
engine_off

cat >"$work/lose" <<-"END"
	ip netns exec srv nft "table inet lose {
		chain early {
			type filter hook prerouting priority -400;
			tcp flags & (syn|ack) == $1 drop;
		};
	}"
END
in_ns srv sysctl -qw net.ipv4.tcp_synack_retries=1
kernel_events 1
own_events 4
own_events 6
kernel_events 0
end_net
