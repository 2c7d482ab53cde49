#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Connections whose handshake the engine did carry their data, whatever segment
# completed the handshake, with every kind of listener.
# shellcheck disable=SC2317 # the functions are run by try
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

# connected FAMILY [LISTENER-OPTION VALUE]: begins a script with a listener and
# a client that will not send a bare ACK of its own accord
connected()
{
	cat <<-END
		ns srv
		socket l $1
		${2:+set l $2 $3}
		bind l ${any_ip[$1]} $port
		listen l 5
		ns cli
		socket c $1
		set c TCP_NODELAY 1
		set c TCP_QUICKACK 0
		connect c ${server_ip[$1]} $port
	END
}

# closed: ends a script in good order
closed()
{
	cat <<-END
		close c
		error a
		close a
	END
}

completed_by_data()
{
	{
		connected "$1"
		cat <<-END
			accept l early 50
			send c 100
			accept l a
			recv a 100
			send a 5000
			recv c 5000
		END
		closed
	} | script
	expect accept.early=EAGAIN accept.a=0 recv.a=100 recv.c=5000 error.a=EOF
}

# The client's bare ACK never arrives.
completed_after_lost_ack()
{
	drop_at_server "$1" "${header_bytes[$1]}" | filter
	{
		connected "$1"
		cat <<-END
			set c TCP_QUICKACK 1
			accept l early 100
			send c 1400
			accept l a
			recv a 1400
			sh ip netns exec srv nft flush ruleset
		END
		closed
	} | script
	expect accept.early=EAGAIN accept.a=0 recv.a=1400 error.a=EOF
}

completed_by_fin()
{
	{
		connected "$1"
		cat <<-END
			accept l early 50
			shut c
			accept l a
			error a
			send a 3000
			close a
			recv c 3000
			error c
			close c
		END
	} | script
	expect accept.early=EAGAIN accept.a=0 error.a=EOF recv.c=3000 error.c=EOF
}

completed_by_data_and_fin()
{
	{
		connected "$1"
		cat <<-END
			accept l early 50
			send c 700 more
			shut c
			accept l a
			recv a 700
			error a
			send a 3000
			close a
			recv c 3000
			error c
			close c
		END
	} | script
	expect accept.early=EAGAIN recv.a=700 error.a=EOF recv.c=3000 error.c=EOF
}

# The first segment of 1000 bytes is lost until the second one was accepted.
completed_out_of_order()
{
	drop_at_server "$1" $((header_bytes[$1] + 1000)) | filter
	{
		connected "$1"
		cat <<-END
			accept l early 50
			send c 1000
			send c 900
			accept l a 150
			info a
			sh ip netns exec srv nft flush ruleset
			recv a 1900
			send a 100
			recv c 100
		END
		closed
	} | script
	expect accept.early=EAGAIN accept.a=0 info.a.rcv_ooopack=1 \
		info.a.bytes_received=0 recv.a=1900 recv.c=100 error.a=EOF
}

# One packet of 22 segments, as GRO would make it, completes: half a window is
# the most that a sender puts into one.
completed_by_large_packet()
{
	local status=0

	ip -n cli route add "${server_ip[$1]}" dev veth initcwnd 60
	in_ns cli sysctl -qw net.ipv4.tcp_min_tso_segs=45
	filter <<-END
		table inet count {
			chain early {
				type filter hook prerouting priority -400;
				tcp dport $port meta length > 30000 counter
			}
		}
	END
	{
		connected "$1"
		cat <<-END
			accept l early 50
			send c 60000
			accept l a
			recv a 60000
			send a 60000
			recv c 60000
		END
		closed
	} | script
	expect accept.early=EAGAIN recv.a=60000 recv.c=60000 || status=1
	in_ns srv nft list ruleset | grep -q 'counter packets 1 ' || {
		echo "not one large packet:"
		in_ns srv nft list ruleset
		status=1
	}
	no_filter
	ip -n cli route del "${server_ip[$1]}" dev veth
	return "$status"
}

deferred_accept()
{
	{
		connected "$1" TCP_DEFER_ACCEPT 5
		cat <<-END
			set c TCP_QUICKACK 1
			accept l early 100
			send c 10
			accept l a
			recv a 10
		END
		closed
	} | script
	expect accept.early=EAGAIN accept.a=0 recv.a=10 error.a=EOF
}

# The bare ACK of a client that never sends counts again when the listener's
# patience ends: not before one second, nor after the second SYN-ACK.
deferred_accept_ends()
{
	{
		connected "$1" TCP_DEFER_ACCEPT 1
		cat <<-END
			set c TCP_QUICKACK 1
			accept l early 900
			accept l a 600
			send a 10
			recv c 10
		END
		closed
	} | script
	expect accept.early=EAGAIN accept.a=0 recv.c=10 error.a=EOF
}

woken_once()
{
	script <<-END
		ns srv
		socket l $1
		bind l ${any_ip[$1]} $port
		listen l 5
		watch l
		ns cli
		socket c $1
		connect c ${server_ip[$1]} $port
		events 200
		accept l a
		socket d $1
		connect d ${server_ip[$1]} $port
		events 200
		accept l b
		abort c
		abort d
	END
	[ "$(result events)" = $'1\n1' ] && expect accept.a=0 accept.b=0
}

# The first to send its SYN is the last to complete.
accepted_in_order()
{
	{
		connected "$1"
		cat <<-END
			socket d $1
			bind d ${any_ip[$1]} 20001
			connect d ${server_ip[$1]} $port
			sleep 20
			send c 10
			accept l first
			accept l second
			peer first
			recv second 10
			abort c
			abort d
		END
	} | script
	expect accept.first=0 accept.second=0 recv.second=10 &&
		[[ $(result peer.first) == *" port 20001 "* ]]
}

dual_stack()
{
	script <<-END
		ns srv
		socket l 6
		bind l :: $port
		listen l 5
		ns cli
		socket c 4
		connect c 192.0.2.1 $port
		accept l a
		peer a
		send c 5000
		recv a 5000
		send a 5000
		recv c 5000
		close c
		error a
		close a
		close l
		ns srv
		socket only 6
		set only IPV6_V6ONLY 1
		bind only :: $port
		listen only 5
		ns cli
		socket d 4
		connect d 192.0.2.1 $port
	END
	expect connect.c=0 recv.a=5000 recv.c=5000 connect.d=ECONNREFUSED &&
		[[ $(result peer.a) == "::ffff:192.0.2.2 port "* ]]
}

# multipath FAMILY SERVER CLIENT: which of them use MPTCP; the last word says
# whether the connection does
multipath()
{
	multipath_script "$@"
	expect connect.c=0 accept.a=0 recv.a=70000 recv.c=70000 error.a=EOF ||
		return 1
	if [ "$4" = yes ]; then
		expect mptcp.a=0 mptcp.c=0
	else
		! grep -q '^mptcp.*=0$' "$work/results"
	fi
}

# The same addresses and ports on two links at the same time.
link_local()
{
	ip -n srv link add second type veth peer name second netns cli
	for link in veth second; do
		ip -n srv address add fe80::1/64 dev "$link" nodad
		ip -n cli address add fe80::2/64 dev "$link" nodad
		ip -n srv link set "$link" up
		ip -n cli link set "$link" up
	done
	script <<-END
		ns srv
		socket l 6
		bind l :: $port
		listen l 5
		ns cli
		socket c 6
		set c TCP_QUICKACK 0
		bind c fe80::2%veth 20000
		socket d 6
		set d TCP_QUICKACK 0
		bind d fe80::2%second 20000
		connect c fe80::1%veth $port
		connect d fe80::1%second $port
		accept l early 50
		send d 10
		accept l a
		peer a
		send c 2000
		accept l b
		peer b
		recv a 10
		recv b 2000
		send b 3000
		recv c 3000
		abort c
		abort d
	END
	expect connect.c=0 connect.d=0 accept.early=EAGAIN recv.a=10 \
		recv.b=2000 recv.c=3000 &&
		[ "$(result peer.a)" != "$(result peer.b)" ]
}

# Both ends on one host: what the engine sends meets its own hooks.
loopback()
{
	./tcpgen -s srv -c srv -p "$port" -a "$1" -n 20 -u 100000 -d 100000
}

start_net 46
engine_on
for family in 4 6; do
	name=v$family
	address=${server_ip[$family]}

	try "SR1 HO1 HO2 HO17 $name: 5 MB both ways" 1 \
		generate -a "$address" -u 5000000 -d 5000000
	try "SR23 HO16 $name: 200 connections at once" 200 \
		generate -a "$address" -n 200 -u 20000 -d 20000
	try "HO19 $name: the server talks first" 20 \
		generate -a "$address" -n 20 -o server -u 5000 -d 5000
	try "SR13 $name: data on the completing ACK" 1 \
		completed_by_data $family
	try "SR15 $name: data after a lost ACK completes" 1 \
		completed_after_lost_ack $family
	try "SR14 $name: a FIN completes" 1 completed_by_fin $family
	try "SR14 $name: data with a FIN completes" 1 \
		completed_by_data_and_fin $family
	try "SR13 SR14 $name: 100 at once complete by data with a FIN" 100 \
		generate -a "$address" -n 100 -q -x -u 900 -d 9000
	try "SR16 HO7 $name: data out of order completes" 1 \
		completed_out_of_order $family
	try "SR13 $name: a packet of more than 30,000 bytes completes" 1 \
		completed_by_large_packet $family
	try "SR25 $name: TCP_DEFER_ACCEPT waits for data" \
		"flows_opened=1 flows_handed_over=1 sent_synack=1 segment_deferred=1" \
		deferred_accept $family
	try "SR25 $name: TCP_DEFER_ACCEPT gives up waiting" \
		"flows_opened=1 flows_handed_over=1 sent_synack=1 segment_deferred=1 sent_synack_timer=1" \
		deferred_accept_ends $family
	try "HO19 $name: edge-triggered epoll wakes once each" 2 \
		woken_once $family
	try "HO19 $name: accepted in the order of completion" 2 \
		accepted_in_order $family
	try "AU5 $name: MPTCP listener, plain client" 1 \
		multipath $family mptcp "" no
	try "AU4 $name: plain listener, MPTCP client" 1 \
		multipath $family "" mptcp no
	try "AU5 $name: MPTCP on both ends stays native" native_mptcp=1 \
		multipath $family mptcp mptcp yes
	try "SR1 $name: 20 aborted by the client" 20 \
		generate -a "$address" -n 20 -e rst -u 100 -d 100
	try "SR1 $name: 20 closed by the server" 20 \
		generate -a "$address" -n 20 -e server -u 100 -d 100
done
try "NF6 v4: loopback" 20 loopback 127.0.0.1
try "NF6 v6: loopback" 20 loopback ::1
try "NF6 v4: own address of the veth" 20 loopback 192.0.2.1
try "NF6 v6: own address of the veth" 20 loopback 2001:db8::1
try "V67 IPv4 client of an IPv6 listener" \
	"flows_opened=1 flows_handed_over=1 sent_synack=1 native_no_listener=1" \
	dual_stack
try "V64 link-local peers on two links" 2 link_local
try "SR13 v4 and v6 at once, data completes" 100 \
	generate -a 192.0.2.1 -a 2001:db8::1 -n 100 -q -u 3000 -d 3000
try "SR1 v4 and v6 at once through one dual-stack listener" 100 \
	generate -a 192.0.2.1 -a 2001:db8::1 -n 100 -u 3000 -d 3000
end_net
