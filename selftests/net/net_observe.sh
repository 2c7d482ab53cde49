#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Claims of mode observe on both ends: the native stack does every handshake as
# if there were no claim, and what monitor, flow show and the counters say is
# what tcpdump saw.
# shellcheck disable=SC2317 # the functions are run by name
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"
# shellcheck source=selftests/net/equal.sh
. "$(dirname "$0")/equal.sh"

# The last of these ports nobody serves.
ports=$port-$((port + 9))

engine_on()
{
	claim srv passive mode observe port "$ports" >/dev/null
	claim cli active mode observe port "$ports" >/dev/null
}

engine_off()
{
	threeway -n srv claim flush >/dev/null
	threeway -n cli claim flush >/dev/null
}

done_by_engine()
{
	echo "flows_opened=$1 flows_observed=$1 observed_synack=$1" \
		"observed_ms=any"
}

# observed N: both ends saw that many handshakes begin and end well
observed()
{
	local changes side

	for side in srv cli; do
		changes=$(done_by_engine "$1")
		[ "$side" = srv ] ||
			changes=${changes/observed_synack/observed_syn}
		read -ra changes <<<"$changes"
		side=$side side_counted "${changes[@]}" || return 1
	done
}

# mark_both, side_counted: count_from_here and counted for both ends
mark_both()
{
	local side

	for side in srv cli; do
		in_ns "$side" cat /proc/net/threeway/stat >"$work/stat.$side"
	done
}

side_counted()
{
	in_ns "$side" cat /proc/net/threeway/stat >"$work/now"
	cp "$work/stat.$side" "$work/stat"
	mkdir -p "$work/proc/threeway"
	cp "$work/now" "$work/proc/threeway/stat"
	engine_proc=$work/proc counted "$@"
}

scene_mapped()
{
	scene_plain 6 4
}

scene_fast_open()
{
	connect_and_accept "$1" |
		sed -e '/^bind l/a set l TCP_FASTOPEN 5' \
			-e '/^connect c/i set c TCP_FASTOPEN_CONNECT 1' \
			-e '/^accept/i send c 100'
	printf '%s\n' "recv a 100" "send a 100" "recv c 100" "close a" \
		"error c" "close c" "sleep $settle_ms" "close l"
}

scene_mptcp()
{
	connect_and_accept "$1" | sed 's/^socket \(.\) .$/& mptcp/'
	printf '%s\n' "mptcp a" "mptcp c" "send c 3000" "recv a 3000" \
		"send a 3000" "recv c 3000" "sleep 60" "abort c" "sleep 60" \
		"abort a" "sleep 60" "close l"
}

# Nobody serves that port.
scene_refused()
{
	scene_plain "$1" | sed "/^connect c/i socket r $1\nconnect r ${server_ip[$1]} $((port + 1))\nclose r"
}

invalid_dropped()
{
	filter <<-END
		table inet guard {
			chain in {
				type filter hook input priority 0;
				ct state invalid counter drop
			}
			chain out {
				type filter hook output priority 0;
				ct state invalid counter drop
			}
		}
	END
	"$@"
	in_ns srv nft list ruleset | grep -q 'packets 0 bytes 0' || not_ok \
		"NF3 conntrack calls something invalid" \
		"$(in_ns srv nft list ruleset)"
	no_filter
}

# segments FROM: SYNs and RSTs to and from the ports, one a line, sorted, of
# tcpdump's text
segments()
{
	sed -n 's/^.* IP6\? \(.*\)\.\([0-9]*\) > \(.*\)\.\([0-9]*\): Flags \[\([^]]*\)\], seq \([0-9]*\)\(, ack \([0-9]*\)\)\?,.*$/\1 \2 \3 \4 \5 \6 \8/p' |
		sed 's/ $/ -/' | sort
}

# told FILE: the same of monitor -j
told()
{
	jq -r '
		select(.event == "sent" or .event == "arrived")
		| select(.flags | index("SYN") or index("RST"))
		| . as $e
		| {FIN:"F",SYN:"S",RST:"R",PSH:"P",ACK:".",URG:"U",ECE:"E",CWR:"W"}
			as $letters
		| (if .event == "sent"
		   then [.local, .port, .remote, .remote_port]
		   else [.remote, .remote_port, .local, .port] end) +
		  [(.flags | map($letters[.]) | join("")), .seq, .ack // "-"]
		| map(tostring) | join(" ")' "$1" | sort
}

# listen_in: monitors of both ends and tcpdump, until hear_out
listen_in()
{
	local side

	listeners=()
	for side in srv cli; do
		threeway -n "$side" -j monitor >"$work/told.$side" &
		listeners+=($!)
	done
	start_capture srv -U -w "$work/pcap" "portrange $ports"
	# a reader is there when it opened the device
	wait_for 5 readers_wait
}

readers_wait()
{
	local pid fd readers=0

	for pid in "${listeners[@]}"; do
		for fd in "/proc/$pid/fd"/*; do
			[[ $fd -ef /dev/threeway ]] && readers=$((readers + 1))
		done
	done
	[ "$readers" -ge 2 ]
}

hear_out()
{
	sleep 0.1
	stop_capture
	kill "${listeners[@]}"
	wait "${listeners[@]}" 2>/dev/null
	in_ns srv tcpdump -nn -S -r "$work/pcap" \
		"tcp[13] & 6 != 0 or ip6[53] & 6 != 0" 2>/dev/null |
		segments >"$work/seen"
}

# told_is_seen: by the server's engine, and no more than that
told_is_seen()
{
	[ -s "$work/seen" ] || { echo "tcpdump saw nothing"; return 1; }
	told "$work/told.srv" | diff "$work/seen" - && return
	echo "(- seen by tcpdump + told)"
	return 1
}

# told_was_seen SIDE SYN-ACKS: but for so many SYN-ACKs, which did not come in
# or came to a finished connection
told_was_seen()
{
	told "$work/told.$1" | diff -U 0 "$work/seen" - |
		grep '^[-+][^-+]' >"$work/other"
	cat "$work/other"
	[ "$(wc -l <"$work/other")" = "$2" ] &&
		[ "$(grep -c '^-.* S\. ' "$work/other")" = "$2" ]
}

# ends SIDE: the counters of how flows ended, with their number
ends()
{
	jq -r 'select(.event == "ended") | .counter' "$work/told.$1" |
		sort | uniq -c | awk '{ print $2 "=" $1 }' | tr '\n' ' '
}

lose_synacks()
{
	in_ns cli nft -f - <<-END
		table inet lose {
			chain early {
				type filter hook prerouting priority -400;
				tcp sport $ports tcp flags & (syn|ack) == syn|ack limit rate 1/hour burst $1 packets drop
			}
		}
	END
}

# Good handshakes, refused ones, and lost SYN-ACKs, all native.
mixed()
{
	serve
	listen_in
	mark_both
	for family in 4 6; do
		{
			echo "ns cli"
			echo "socket c $family"
			echo "connect c ${server_ip[$family]} $port"
			echo "shut c"
			echo "socket d $family"
			echo "connect d ${server_ip[$family]} $((port + 1))"
		} | ./sockscript >"$work/results"
		expect connect.c=0 connect.d=ECONNREFUSED || return 1
	done
	lose_synacks 1
	{
		echo "ns cli"
		echo "socket c 4"
		echo "connect c ${server_ip[4]} $port"
	} | ./sockscript >"$work/results"
	in_ns cli nft flush ruleset
	hear_out
	stop_serving
	expect connect.c=0 && told_is_seen && told_was_seen cli 2 &&
		check_words "$(ends srv)" "flows_observed=3 flows_rejected=2 " &&
		check_words "$(ends cli)" "flows_observed=3 flows_refused=2 "
}

# check_words GOT WANT
check_words()
{
	[ "$1" = "$2" ] || { echo "got '$1', want '$2'"; return 1; }
}

# A SYN that nobody answers to the end, and a SYN-ACK.
unanswered()
{
	local family

	in_ns srv sysctl -qw net.ipv4.tcp_synack_retries=2
	in_ns cli sysctl -qw net.ipv4.tcp_syn_retries=1
	serve
	route_strangers
	listen_in
	hang 1
	sleep 0.3
	threeway -n srv -j flow show >"$work/flows"
	sleep 10
	hear_out
	stop_serving
	in_ns srv sysctl -qw net.ipv4.tcp_synack_retries=5
	in_ns cli sysctl -qw net.ipv4.tcp_syn_retries=6
	jq -e 'length == 2 and all(.mode == "observe" and
		.state == "SYN-RECEIVED" and .direction == "passive")' \
		"$work/flows" || { cat "$work/flows"; return 1; }
	# each SYN-ACK, two copies, by family
	[ "$(wc -l <"$work/seen")" = 8 ] && told_is_seen &&
		check_words "$(ends srv)" "flows_expired=2 " && no_flows
}

# The firewall has its say before and after.
filtered()
{
	serve
	mark_both
	filter <<-END
		table inet guard {
			chain in {
				type filter hook input priority 0;
				tcp dport $port drop
			}
		}
	END
	printf '%s\n' "ns cli" "socket c 4" "start c ${server_ip[4]} $port" \
		"sleep 500" "close c" | ./sockscript >"$work/results"
	no_filter
	stop_serving
	# only the end that sent it knows of it
	side=srv side_counted
	sleep 2
	side=cli side_counted flows_opened=1 observed_syn=1 \
		flows_socket_gone=1
}

took()
{
	local ms

	tc -n cli qdisc add dev veth root netem delay 100ms
	serve
	mark_both
	for family in 4 6; do
		printf '%s\n' "ns cli" "socket c $family" \
			"connect c ${server_ip[$family]} $port" \
			"sleep 200" "shut c" | ./sockscript >"$work/results"
		expect connect.c=0 || return 1
	done
	stop_serving
	tc -n cli qdisc del dev veth root
	for side in srv cli; do
		in_ns "$side" cat /proc/net/threeway/stat >"$work/now"
		ms=$(awk '$1 == "observed_ms" {
			print FNR == NR ? -$2 : $2 }' "$work/stat.$side" \
			"$work/now" | paste -sd+ | sed 's/+-/-/; s/^-\(.*\)+/0-\1+/')
		ms=$((ms))
		# twice the delay of one way: the answer is not delayed
		if [ "$ms" -lt 195 ] || [ "$ms" -gt 230 ]; then
			echo "$side: $ms ms"
			return 1
		fi
	done
	observed 2
}

# link_local: over the addresses that every interface has
link_local()
{
	local address

	address=$(ip -n srv -6 -j addr show dev veth scope link |
		jq -r '.[].addr_info[].local // empty')
	mark_both
	serve
	in_ns cli timeout 5 bash -c "exec 3<>/dev/tcp/$address%veth/$port"
	stop_serving
	echo "$address"
	observed 1
}

parallel()
{
	mark_both
	generate -a 192.0.2.1 -a 2001:db8::1 -n 200 -u 3000 -d 3000 &&
		observed 200
}

# Sockets that connected and were reset before the next tick.
short_lived()
{
	mark_both
	generate -a 192.0.2.1 -a 2001:db8::1 -n 50 -j 1 -u 1 -d 1 -e rst &&
		observed 50
}

with_cookies()
{
	local status=0

	in_ns srv sysctl -qw net.ipv4.tcp_syncookies=2
	mark_both
	generate -a 192.0.2.1 -a 2001:db8::1 -n 20 -u 3000 -d 3000 &&
		observed 20 || status=1
	in_ns srv sysctl -qw net.ipv4.tcp_syncookies=0
	return "$status"
}

# The module goes, or the namespace, while connections come and go.
unloads()
{
	local status=0

	start_traffic -a 192.0.2.1 -a 2001:db8::1 -T 100000 -j 20 -u 1000 \
		-d 1000 -e rst
	for _ in 1 2 3; do
		sleep 0.5
		unload_module || status=1
		load_module
		engine_on
	done
	sleep 0.3
	stop_traffic || status=1
	return "$status"
}

netns_goes()
{
	ip netns add gone
	ip -n gone link set lo up
	threeway -n gone claim add passive mode observe port "$port" >/dev/null
	threeway -n gone claim add active mode observe port "$port" >/dev/null
	{
		echo "ns gone"
		echo "socket c 4"
		echo "start c 127.0.0.1 $port"
		echo "socket l 4"
		echo "bind l 127.0.0.1 $((port + 1))"
		echo "listen l 5"
		# the blackhole keeps this one in SYN-SENT
		echo "sh ip -n gone route add 203.0.113.0/24 dev lo; true"
		echo "socket d 4"
		echo "start d 203.0.113.1 $port"
		echo "sh ip netns del gone"
		echo "sleep 1500"
	} | ./sockscript >"$work/results"
	wait_for 10 sh -c '! ip netns list | grep -q gone'
}

# No event of it is told, and no counter moves.
not_looked_at()
{
	mark_both
	printf '%s\n' "ns srv" "socket l 4" "bind l 0.0.0.0 $port" \
		"listen l 5" "ns cli" "socket c 4" \
		"connect c ${server_ip[4]} $port" "accept l a" \
		"sh threeway -n srv -j monitor >$work/later & sleep 0.3" \
		"send c 100000" "recv a 100000" "send a 100000" \
		"recv c 100000" "close a" "error c" "close c" \
		"sh sleep 0.3; kill \$(pidof threeway)" |
		./sockscript >"$work/results"
	[ ! -s "$work/later" ] || { cat "$work/later"; return 1; }
	expect recv.a=100000 recv.c=100000 && observed 1
}

start_net 21
in_ns srv sysctl -qw net.ipv4.tcp_no_metrics_save=1
in_ns cli sysctl -qw net.ipv4.tcp_no_metrics_save=1
for ns in srv cli; do
	in_ns $ns ethtool -K veth tso off gso off >/dev/null
done
client_options=("TCP_NODELAY 1")
listener_options=("TCP_SAVE_SYN 0")

equal "NF9" "sockets and packets" plain
families=6
equal "NF9" "IPv4 client of an IPv6 listener" mapped
families="4 6"
with_sysctls srv "tcp_ecn=1" with_sysctls cli "tcp_ecn=1" \
	equal "NF9 EC1" "ECN" plain
with_sysctls srv "tcp_timestamps=0 tcp_sack=0 tcp_window_scaling=0" \
	equal "NF9" "no options" plain
with_sysctls srv "tcp_syncookies=2" equal "NF9 CK1" "SYN cookies" plain
equal "NF9" "a refusal before" refused flows_opened=4 flows_rejected=2 \
	observed_rst=2
with_sysctls srv "tcp_fastopen=0x203" with_sysctls cli "tcp_fastopen=0x5" \
	equal "NF9 FO3" "Fast Open" fast_open
listener_options=("SO_KEEPALIVE 0")
equal "NF9" "MPTCP" mptcp
invalid_dropped equal "NF9 NF3" "conntrack, invalid packets dropped" plain

engine_on
check "NF9 monitor tells what tcpdump sees" mixed
check "NF9 RT6 half-open connections are seen to expire" unanswered
check "NF9 NF1 what the firewall drops nobody sees" filtered
check "NF9 the time to establish" took
check "NF9 V61 link-local addresses" link_local
check "NF9 200 connections at once" parallel
check "NF9 connections that end at once" short_lived
check "NF9 CK1 cookies for all" with_cookies
check "NF9 a finished connection is not looked at" not_looked_at
check "NF9 LC2 the module is unloaded" unloads
check "NF9 LC1 the namespace is removed" netns_goes
engine_off
check "NF9 no flow is left" no_flows
end_net
