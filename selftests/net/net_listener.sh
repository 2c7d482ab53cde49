#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the listener decides: whether it exists, has room, lets anyone in, still
# is the one that the SYN met. Each scene is played without a claim, then with
# one; results and the kernel's own counters must be the same.
# shellcheck disable=SC2317 # the functions are run by name
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

# listener FAMILY [BACKLOG]
listener()
{
	echo "
		ns srv
		socket l $1
		bind l ${any_ip[$1]} $port
		listen l ${2:-5}"
}

# clients FAMILY N: c1 to cN, which send no ACK before their data
clients()
{
	local i

	echo "ns cli"
	for ((i = 1; i <= $2; i++)); do
		echo "
			socket c$i $1
			set c$i TCP_QUICKACK 0"
	done
}

# hanging FAMILY: a listener and a client, whose bare ACK gets lost for good
hanging()
{
	drop_at_server "$1" "${header_bytes[$1]}" | filter
	listener "$1"
	echo "
		ns cli
		socket c $1
		connect c ${server_ip[$1]} $port"
}

# transfer CLIENT ACCEPTED: some data both ways
transfer()
{
	echo "
		send $1 3000
		recv $2 3000
		send $2 3000
		recv $1 3000"
}

scene_closed()
{
	echo "
		ns cli
		socket c $1
		connect c ${server_ip[$1]} $port"
}

scene_syn_finds_queue_full()
{
	listener "$1" 1
	clients "$1" 3
	echo "
		connect c1 ${server_ip[$1]} $port
		send c1 1
		connect c2 ${server_ip[$1]} $port
		send c2 1
		sleep 20
		start c3 ${server_ip[$1]} $port
		finish c3 500
		accept l a
		finish c3 3000
		send c3 1
		accept l b
		accept l d"
	transfer c3 d
}

# Three fit into the queue; two are there, two more shake hands.
queue_is_short()
{
	local i

	listener "$1" 2
	clients "$1" 4
	for i in 1 2; do
		echo "
			connect c$i ${server_ip[$1]} $port
			send c$i 1"
	done
	echo "
		sleep 10
		connect c3 ${server_ip[$1]} $port
		connect c4 ${server_ip[$1]} $port
		send c3 1
		sleep 10
		send c4 1"
}

scene_ack_finds_queue_full()
{
	queue_is_short "$1"
	echo "
		sleep 500
		accept l a1
		accept l a2
		accept l a3
		accept l a4
		recv a4 1"
	transfer c4 a4
}

scene_abort_on_overflow()
{
	queue_is_short "$1"
	echo "
		error c4
		accept l a1
		accept l a2
		accept l a3
		accept l a4 100"
	transfer c1 a1
	transfer c3 a3
}

# The second SYN-ACK would be due after one second.
scene_closed_after_syn()
{
	hanging "$1"
	echo "
		close l
		sleep 2500
		send c 10
		error c"
}

scene_closed_before_ack()
{
	hanging "$1"
	echo "
		close l
		send c 10
		error c"
}

# reopened FAMILY UID: the port gets another listener after the SYN
reopened()
{
	hanging "$1"
	echo "
		close l
		ns srv
		uid $2
		socket m $1
		bind m ${any_ip[$1]} $port
		listen m 5
		uid 0
		send c 10
		accept m n 500
		error c
		ns cli
		socket d $1
		set d TCP_QUICKACK 0
		connect d ${server_ip[$1]} $port
		send d 1
		accept m o"
	transfer d o
}

scene_reopened_by_another()
{
	reopened "$1" 65534
}

scene_reopened_by_the_same()
{
	reopened "$1" 0
}

group=16

# Half-open at each of so many ports of a group of two; one of the two closes.
scene_group_loses_one()
{
	local i

	drop_at_server "$1" "${header_bytes[$1]}" | filter
	echo "ns srv"
	for i in l m; do
		echo "
			socket $i $1
			set $i SO_REUSEPORT 1
			bind $i ${any_ip[$1]} $port
			listen $i $group"
	done
	echo "ns cli"
	for ((i = 1; i <= group; i++)); do
		echo "
			socket c$i $1
			bind c$i ${any_ip[$1]} $((21000 + i))
			connect c$i ${server_ip[$1]} $port"
	done
	echo "close l"
	for ((i = 1; i <= group; i++)); do
		echo "send c$i 1"
	done
	echo "sleep 50"
	for ((i = 1; i <= group; i++)); do
		echo "error c$i 1"
	done
	for ((i = 1; i <= group; i++)); do
		echo "accept m a$i 1"
	done
}

scene_two_of_a_kind()
{
	scene_group_loses_one "$1"
}

# A connection of our own from the port that we listen on.
scene_active_from_the_port()
{
	echo "
		ns srv
		socket o $1
		bind o ${server_ip[$1]} $port"
	listener "$1"
	echo "
		ns cli
		socket m $1
		bind m ${any_ip[$1]} 9000
		listen m 5
		connect o ${client_ip[$1]} 9000
		accept m n
		ns cli
		socket c $1
		connect c ${server_ip[$1]} $port
		accept l a"
	transfer o n
	transfer c a
}

scene_socket_filter()
{
	listener "$1"
	echo "
		filter l
		ns cli
		socket c $1
		start c ${server_ip[$1]} $port
		finish c 500"
}

scene_minimal_ttl()
{
	listener "$1"
	[ "$1" = 4 ] && echo "set l IP_MINTTL 100" ||
		echo "set l IPV6_MINHOPCOUNT 100"
	echo "
		ns cli
		socket c $1
		start c ${server_ip[$1]} $port
		finish c 500"
}

scene_shut_and_reopened()
{
	hanging "$1"
	echo "
		shut l rd
		ns cli
		socket d $1
		connect d ${server_ip[$1]} $port
		listen l 5
		send c 10
		error c 300
		socket e $1
		set e TCP_QUICKACK 0
		connect e ${server_ip[$1]} $port
		send e 1
		accept l a
		recv a 1"
	transfer e a
}

scene_md5()
{
	listener "$1"
	echo "
		md5 l ${client_ip[$1]}
		ns cli
		socket c $1
		md5 c ${server_ip[$1]}
		connect c ${server_ip[$1]} $port
		accept l a"
	transfer c a
}

scene_fast_open()
{
	listener "$1"
	echo "
		set l TCP_FASTOPEN 5
		ns cli
		socket c $1
		set c TCP_FASTOPEN_CONNECT 1
		connect c ${server_ip[$1]} $port
		send c 100
		accept l a
		recv a 100"
	transfer c a
}

scene_received_options()
{
	listener 6
	echo "
		set l IPV6_RECVPKTINFO 1
		ns cli
		socket c 6
		connect c ${server_ip[6]} $port
		accept l a"
	transfer c a
}

# add_link NAME NS FAMILY-INDEPENDENT-NUMBER: a second link from srv
add_link()
{
	ip -n srv link add "$1" type veth peer name veth netns "$2"
	ip -n srv link set "$1" up
	ip -n "$2" link set veth up
}

scene_bound_to_device()
{
	echo "
		ns srv
		socket l $1
		set l SO_BINDTODEVICE veth
		bind l ${any_ip[$1]} $port
		listen l 5
		ns cli
		socket c $1
		connect c ${server_ip[$1]} $port
		accept l a"
	transfer c a
	echo "
		ns cli2
		socket d $1
		connect d ${second_ip[$1]} $port"
}

# The same addresses and the same port in two VRFs, each with its listener.
scene_vrf()
{
	local vrf

	echo "ns srv"
	for vrf in red blue; do
		echo "
			socket $vrf $1
			set $vrf SO_BINDTODEVICE $vrf
			bind $vrf ${any_ip[$1]} $port
			listen $vrf 5"
	done
	echo "
		ns cli
		socket c $1
		set c TCP_QUICKACK 0
		bind c ${client_ip[$1]} 22000
		ns cli2
		socket d $1
		set d TCP_QUICKACK 0
		bind d ${client_ip[$1]} 22000
		connect d ${server_ip[$1]} $port
		connect c ${server_ip[$1]} $port
		send d 1
		send c 1
		accept red a
		accept blue b
		options a
		recv a 1
		recv b 1"
	transfer c a
	transfer d b
}

# One listener for all VRFs.
scene_vrf_global()
{
	listener "$1"
	echo "
		ns cli2
		socket d $1
		connect d ${server_ip[$1]} $port
		accept l b
		options b"
	transfer d b
}

declare -A second_ip=([4]=198.51.100.1 [6]=2001:db8:1::1)

# another_link: to a second client namespace, with its own addresses
another_link()
{
	ip netns add cli2
	lib_namespaces+=(cli2)
	ip -n cli2 link set lo up
	add_link second cli2
	ip -n srv address add 198.51.100.1/24 dev second
	ip -n cli2 address add 198.51.100.2/24 dev veth
	ip -n srv address add 2001:db8:1::1/64 dev second nodad
	ip -n cli2 address add 2001:db8:1::2/64 dev veth nodad
}

# make_vrf NAME TABLE LINK: with srv's usual addresses
make_vrf()
{
	ip -n srv link add "$1" type vrf table "$2" || return 1
	ip -n srv link set "$1" up
	ip -n srv link set "$3" master "$1"
	ip -n srv address flush dev "$3" scope global
	ip -n srv address add 192.0.2.1/24 dev "$3"
	ip -n srv address add 2001:db8::1/64 dev "$3" nodad
}

vrfs()
{
	make_vrf red 10 veth
	make_vrf blue 20 second
	ip -n cli2 address flush dev veth scope global
	ip -n cli2 address add 192.0.2.2/24 dev veth
	ip -n cli2 address add 2001:db8::2/64 dev veth nodad
}

# Of srv, not those which say who did what.
kernel_counters()
{
	awk '
		!($1 in names) {
			names[$1] = $0
			next
		}
		{
			n = split(names[$1], name)
			for (i = 2; i <= n; i++)
				value[name[i]] = $i
		}
		END {
			print value["ListenOverflows"], value["ListenDrops"],
			      value["PassiveOpens"], value["AttemptFails"],
			      value["EstabResets"], value["TCPMinTTLDrop"]
		}' "$server_proc/snmp" "$server_proc/netstat"
}

# play SCENE FAMILY FILE: results, and by how much the kernel's counters rose
play()
{
	local -a before after
	local i

	read -ra before < <(kernel_counters)
	"scene_$1" "$2" | ./sockscript >"$3" 2>&1
	read -ra after < <(kernel_counters)
	if [[ $1 =~ ^(closed_|reopened|shut|group|two) ]]; then
		no_filter
	fi
	for i in "${!before[@]}"; do
		echo "${counter_names[i]}=$((after[i] - before[i]))" >>"$3"
	done
}
counter_names=(ListenOverflows ListenDrops PassiveOpens AttemptFails
	EstabResets TCPMinTTLDrop)

# as_native SCENE FAMILY WANTED [COUNTER=NUMBER...]: WANTED are results that the
# native stack must give, so that the scene is what it should be
as_native()
{
	local each status=0

	play "$1" "$2" "$work/native"
	for each in $3; do
		grep -qxF "$each" "$work/native" && continue
		echo "native: no $each"
		status=1
	done
	engine_on
	count_from_here
	play "$1" "$2" "$work/engine"
	counted "${@:4}" || status=1
	engine_off
	diff -U 9 "$work/native" "$work/engine" || status=1
	return "$status"
}

# same NAME SCENE WANTED [COUNTER=NUMBER...]: over both families
same()
{
	for family in 4 6; do
		check "${1/ / v$family }" as_native "$2" "$family" "${@:3}"
	done
}

# group_as_native FAMILY: who was half-open with the one that closes is reset, by
# his own ACK, and nobody else is
group_as_native()
{
	local reset

	as_native group_loses_one "$1" "connect.c$group=0" \
		flows_opened="$group" sent_synack="$group" \
		flows_handed_over=any flows_listener_gone=any \
		segment_listener_gone=any || return 1
	reset=$(grep -c '^error\.c.*=ECONNRESET$' "$work/native")
	if [ "$reset" = 0 ]; then
		echo "native: nobody is reset"
		return 1
	fi
	handed_over "$((group - reset))" flows_opened="$group" \
		sent_synack="$group" flows_listener_gone="$reset" \
		segment_listener_gone="$reset"
}

one=(flows_opened=1 flows_handed_over=1 sent_synack=1)
start_net 39
in_ns srv sysctl -qw net.ipv4.tcp_no_metrics_save=1 net.ipv4.tcp_fastopen=3
in_ns cli sysctl -qw net.ipv4.tcp_no_metrics_save=1

same "CL1 closed port" closed connect.c=ECONNREFUSED native_no_listener=1
same "LM1 accept queue full when the SYN comes" syn_finds_queue_full \
	"connect.c3=EINPROGRESS connect.c3=0 recv.d=3000 ListenOverflows=1" \
	flows_opened=3 flows_handed_over=3 sent_synack=3 \
	native_accept_queue_full=1
same "SR26 accept queue full when the ACK comes" ack_finds_queue_full \
	"accept.a4=0 recv.a4=3000" flows_opened=4 flows_handed_over=4 \
	sent_synack=4 segment_accept_queue_full=1-3 sent_synack_timer=0-1
in_ns srv sysctl -qw net.ipv4.tcp_abort_on_overflow=1
same "SR26 tcp_abort_on_overflow" abort_on_overflow \
	"error.c4=ECONNRESET accept.a4=EAGAIN" \
	flows_opened=4 flows_handed_over=3-4 sent_synack=4 \
	flows_overflow_reset=0-1 sent_rst=0-1 segment_accept_queue_full=0-1
in_ns srv sysctl -qw net.ipv4.tcp_abort_on_overflow=0

same "LI12 listener closed between SYN and timeout" closed_after_syn \
	"error.c=ECONNRESET" flows_opened=1 sent_synack=1 \
	flows_listener_gone=1
same "LI12 listener closed between SYN and ACK" closed_before_ack \
	"error.c=ECONNRESET" flows_opened=1 sent_synack=1 \
	flows_listener_gone=1 segment_listener_gone=1
same "LC8 port reopened by another user between SYN and ACK" \
	reopened_by_another "accept.n=EAGAIN error.c=ECONNRESET accept.o=0" \
	flows_opened=2 flows_handed_over=1 sent_synack=2 \
	flows_listener_gone=1 segment_listener_gone=0-1 sent_rst=0-1
same "LC8 port reopened by the same user between SYN and ACK" \
	reopened_by_the_same "accept.n=EAGAIN error.c=ECONNRESET accept.o=0" \
	flows_opened=2 flows_handed_over=1 sent_synack=2 \
	flows_listener_gone=1 segment_listener_gone=0-1 sent_rst=0-1
for family in 4 6; do
	check "LI12 v$family one of a group closes between SYN and ACK" \
		group_as_native "$family"
done
in_ns srv sysctl -qw net.ipv4.tcp_migrate_req=1
same "LI12 with tcp_migrate_req the group is native" two_of_a_kind \
	"connect.c$group=0 accept.a$group=0" native_migrate="$group"
in_ns srv sysctl -qw net.ipv4.tcp_migrate_req=0
same "LI13 listener shut down and opened again" shut_and_reopened \
	"connect.d=ECONNREFUSED accept.a=0" flows_opened=2 \
	flows_handed_over=2 sent_synack=2 native_no_listener=1
same "LI9 own connection from the claimed port" active_from_the_port \
	"connect.o=0 connect.c=0 recv.n=3000 recv.a=3000" "${one[@]}"
same "LI11 socket filter on the listener" socket_filter \
	connect.c=EINPROGRESS segment_policy=1-2
same "IP5 minimal TTL of the listener" minimal_ttl \
	connect.c=EINPROGRESS native_min_ttl=any
same "AU1 MD5 on both sides stays native" md5 \
	"accept.a=0 recv.a=3000" native_md5=1
same "FO1 TCP Fast Open stays native" fast_open \
	"accept.a=0 recv.a=3000" native_fast_open=1
check "V66 v6 listener that wants received options stays native" \
	as_native received_options 6 "recv.a=3000" native_pktoptions=1

another_link
same "IP11 listener bound to a device" bound_to_device \
	"accept.a=0 recv.a=3000 connect.d=ECONNREFUSED" \
	"${one[@]}" native_no_listener=1
if vrfs 2>"$work/vrf"; then
	same "IP11 LI10 same addresses in two VRFs" vrf \
		"recv.a=3000 recv.b=3000" \
		flows_opened=2 flows_handed_over=2 sent_synack=2
	in_ns srv sysctl -qw net.ipv4.tcp_l3mdev_accept=1
	same "IP11 one listener for all VRFs" vrf_global \
		"recv.b=3000" "${one[@]}"
else
	for family in 4 6; do
		skip "IP11 LI10 v$family same addresses in two VRFs" \
			"$(<"$work/vrf")"
		skip "IP11 v$family one listener for all VRFs" "$(<"$work/vrf")"
	done
fi
end_net
