#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Programs connect through the engine: what they see is what the native stack
# would have shown them, and every byte arrives.
# shellcheck disable=SC2317 # the functions are run by try
# shellcheck source=selftests/net/connect.sh
. "$(dirname "$0")/connect.sh"

# blocking FAMILY: both ends talk after a connect() that waits
blocking()
{
	delay 30
	{
		listener "$1"
		cat <<-END
			block c
			mark
			call c ${server_ip[$1]} $port
			elapsed call
			poll c
			state c
			call c ${server_ip[$1]} $port
			accept l a
			peer c
			send c 5000
			recv a 5000
			send a 9000
			recv c 9000
			close c
			error a
			close a
		END
	} | script
	no_delay
	# the time is the engine's or the native stack's alike
	sed -i 's/^elapsed.call=[34][0-9]$/elapsed.call=one round trip/' \
		"$work/results"
	cat "$work/results"
	expect call.c=0 "elapsed.call=one round trip" recv.a=5000 recv.c=9000
}

# waiting FAMILY: poll() and epoll before, while and after it connects
waiting()
{
	delay 30
	{
		listener "$1"
		cat <<-END
			notify c
			poll c
			told c 1
			call c ${server_ip[$1]} $port
			poll c
			state c
			call c ${server_ip[$1]} $port
			soerror c
			told c 100
			poll c
			soerror c
			call c ${server_ip[$1]} $port
			call c ${server_ip[$1]} $port
			state c
			accept l a
			send a 100
			told c 100
			poll c
			recv c 100
			poll c
			close a
			told c 100
			poll c
			error c
			close c
		END
	} | ./sockscript
	no_delay
}

# waiting_twice FAMILY: what was seen says that it was no empty comparison
waiting_twice()
{
	same_as_native 1 waiting "$1" && grep -q '^told.c= out;$' "$work/engine" &&
		grep -q '^call.c=EALREADY$' "$work/engine"
}

# beyond_max_flows FAMILY: six connects at a time, where five may be the engine's;
# nobody fails
beyond_max_flows()
{
	local i

	in_ns cli sysctl -qw net.threeway.max_flows=5
	lose_syns 999999
	{
		listener "$1"
		for i in 1 2 3 4 5 6; do
			echo "socket c$i $1"
			echo "start c$i ${server_ip[$1]} $port"
		done
		echo "sh ip netns exec srv nft flush ruleset"
		printf 'finish c%s\n' 1 2 3 4 5 6
		printf 'abort c%s\n' 1 2 3 4 5 6
	} | script
	in_ns cli sysctl -qw net.threeway.max_flows=65536
	expect connect.c{1,2,3,4,5,6}=0
}

# The address of a socket of the other family.
mapped()
{
	{
		listener 6
		cat <<-END
			call c ::ffff:192.0.2.1 $port
			finish c
			accept l a
			peer c
			peer a
			info c
			send c 60000
			recv a 60000
			send a 60000
			recv c 60000
			close c
			error a
			close a
		END
	} | ./sockscript | sed '/^peer.a=/s/port.*//'
}

mapped_twice()
{
	same_as_native 1 mapped &&
		grep -q '^peer.c=::ffff:192.0.2.1 port' "$work/engine" &&
		grep -q '^recv.c=60000$' "$work/engine"
}

# download URL: the page is the file
download()
{
	local want got

	want=$(sha256sum <"$work/www/file")
	got=$(in_ns cli curl -gsS --max-time 30 "$1" | sha256sum)
	[ "$got" = "$want" ] && return
	echo "got $got, want $want"
	return 1
}

serve_files()
{
	mkdir "$work/www"
	dd if=/dev/urandom of="$work/www/file" bs=1M count=5 2>/dev/null
	in_ns srv busybox httpd -f -p "[::]:80" -h "$work/www" &
	httpd=$!
	wait_for 5 listening srv 80
}

# fast_open FAMILY option|send: asks for a cookie, and uses it
fast_open()
{
	local family=$1 way=$2

	ip -n cli tcp_metrics flush
	ip -n srv tcp_metrics flush
	{
		listener "$family"
		echo "ns srv"
		echo "set l TCP_FASTOPEN 5"
		echo "ns cli"
		fast_open_once c a "$family" "$way"
		echo "socket d $family"
		fast_open_once d b "$family" "$way"
	} | script
	grep -Ev '(snd_wnd|sndbuf|rcv_ssthresh)=' "$work/results"
}

# fast_open_once CLIENT ACCEPTED FAMILY WAY
fast_open_once()
{
	if [ "$4" = option ]; then
		echo "set $1 TCP_FASTOPEN_CONNECT 1"
		echo "call $1 ${server_ip[$3]} $port"
		echo "send $1 500"
	else
		echo "fastopen $1 ${server_ip[$3]} $port 500"
		echo "finish $1"
		[ "$1" = d ] || echo "send $1 500"
	fi
	cat <<-END
		accept l $2
		recv $2 500
		send $2 700
		recv $1 700
		info $1
		abort $1
		close $2
	END
}

# The second SYN has the data: TCPI_OPT_SYN_DATA.
fast_open_twice()
{
	same_as_native native_fast_open=2 fast_open "$@" || return 1
	awk -F= '$1 == "info.d.options" && int($2 / 32) % 2 { seen = 1 }
		END { exit !seen }' "$work/engine"
}

md5()
{
	{
		listener "$1"
		cat <<-END
			md5 l ${client_ip[$1]}
			md5 c ${server_ip[$1]}
			call c ${server_ip[$1]} $port
			finish c
			accept l a
			send c 5000
			recv a 5000
			send a 5000
			recv c 5000
			close c
			error a
			close a
		END
	} | ./sockscript
}

md5_twice()
{
	same_as_native native_md5=1 md5 "$1" &&
		grep -q '^recv.c=5000$' "$work/engine"
}

# The packet goes to the first hop, here a host that takes no such packet, and the
# socket does not: its timer must be the native one.
source_route()
{
	log_packets "$work/packets" times
	./sockscript <<-END
		ns cli
		socket c 4
		route c 192.0.2.1
		call c 192.0.2.77 $port
		sleep 3500
		state c
	END
	stop_log
	echo "SYNs=$(wc -l <"$work/packets")"
}

source_route_twice()
{
	same_as_native native_ip_options=3 source_route &&
		[ "$(<"$work/engine")" = $'call.c=EINPROGRESS\nstate.c=2\nSYNs=3' ]
}

multipath()
{
	multipath_script "$1" mptcp mptcp
	expect connect.c=0 recv.a=70000 recv.c=70000 mptcp.a=0 mptcp.c=0
}

# A socket that is being restored is connected at once, by no packet.
repair()
{
	log_packets "$work/packets" times
	{
		listener "$1"
		cat <<-END
			set c TCP_REPAIR 1
			call c ${server_ip[$1]} $port
			state c
			accept l a 200
		END
	} | ./sockscript
	stop_log
	cat "$work/packets"
}

repair_twice()
{
	same_as_native "" repair "$1" &&
		[ "$(<"$work/engine")" = \
		  $'call.c=0\nstate.c=1\naccept.a=EAGAIN' ]
}

# reused FAMILY: a tuple in TIME-WAIT, with the ISS that the native stack chose:
# 65,537 after the end of the last connection
reused()
{
	log_packets "$work/packets" times
	{
		listener "$1"
		for each in c d; do
			cat <<-END
				${first:+socket d $1}
				bind $each ${client_ip[$1]} 21000
				connect $each ${server_ip[$1]} $port
				accept l a
				send $each 100
				recv a 100
				shut $each
				error a
				close a
				error $each
				close $each
				sleep 1500
			END
			first=yes
		done
	} | script
	stop_log
	expect connect.c=0 connect.d=0 || return 1
	awk '$4 == "02" {
			gap = ($6 - last + 4294967296) % 4294967296
			last = $6
			syns++
		}
		END {
			print "ISS went on by", gap, "in", syns
			exit syns != 2 || gap != 1 + 100 + 1 + 65537
		}' "$work/packets"
}

# own_iss FAMILY: the ISS that the claim says is what the peer sees, and what
# the socket goes on with
own_iss()
{
	connect_off
	connect_on isn fixed:4294967290
	log_packets "$work/packets" times
	generate -a "${server_ip[$1]}" -n 1 -u 100000 -d 100000 || return 1
	stop_log
	connect_off
	connect_on
	[ "$native" ] || grep -q ' 02 0 4294967290$' "$work/packets"
}

# self FAMILY ADDRESS: a socket that connects to itself
self()
{
	./sockscript <<-END
		ns cli
		socket c $1
		bind c $2 $port
		notify c
		call c $2 $port
		told c 100
		soerror c
		state c
		peer c
		send c 10000
		recv c 10000
		shut c
		error c
		close c
	END
}

self_twice()
{
	local changes="flows_opened=1 flows_handed_over=1 sent_syn=1"

	same_as_native "$changes segment_syn_crossed=1 sent_synack_crossed=1" \
		self "$@" &&
		grep -q '^state.c=1$' "$work/engine" &&
		grep -q '^recv.c=10000$' "$work/engine"
}

# own_link_local: the handshake with an own address of link scope is seen, and the
# flow gone, as soon as it is done
own_link_local()
{
	ip -n cli address add fe80::2/64 dev veth nodad
	script <<-END
		ns cli
		socket l 6
		bind l :: $port
		listen l 5
		socket c 6
		connect c fe80::2%veth $port
		sh ip netns exec cli awk '/: / { n++ } END { print "flows=" n + 0 }' /proc/net/threeway/flows
		accept l a
	END
	ip -n cli address del fe80::2/64 dev veth
	expect connect.c=0 flows=0
}

start_connect 47
in_ns srv sysctl -qw net.ipv4.tcp_fastopen=3
in_ns cli sysctl -qw net.ipv4.tcp_tw_reuse=1
know_neighbour srv 2 cli
know_neighbour cli 1 srv

for family in 4 6; do
	name=v$family
	address=${server_ip[$family]}

	check "HO21 ER8 $name: poll, epoll and connect() as native" \
		waiting_twice $family
	check "SS1 $name: a blocking connect() as native" \
		same_as_native 1 blocking $family
	check "FO8 $name: TCP_FASTOPEN_CONNECT stays native" \
		fast_open_twice $family option
	check "FO8 $name: MSG_FASTOPEN stays native" \
		fast_open_twice $family send
	check "AU1 $name: TCP_MD5SIG stays native" md5_twice $family
	check "LC11 $name: TCP_REPAIR sends nothing" repair_twice $family

	connect_on
	try "SS1 HO1 HO2 $name: 5 MB both ways" 1 \
		generate -a "$address" -u 5000000 -d 5000000
	try "SS1 $name: 200 at once" 200 \
		generate -a "$address" -n 200 -u 20000 -d 20000
	try "SS1 $name: the server talks first" 20 \
		generate -a "$address" -n 20 -o server -u 5000 -d 5000
	try "SS1 $name: the first ACK comes with data" 20 \
		generate -a "$address" -n 20 -q -o client -u 5000 -d 5000
	try "SS1 $name: the first ACK comes with data and FIN" 20 \
		generate -a "$address" -n 20 -q -x -u 900 -d 9000
	try "SS1 $name: 20 aborted by the client" 20 \
		generate -a "$address" -n 20 -e rst -u 100 -d 100
	try "SS1 $name: 20 closed by the server" 20 \
		generate -a "$address" -n 20 -e server -u 100 -d 100
	try "SS1 $name: 2,000 at once" 2000 \
		generate -a "$address" -n 2000 -u 100 -d 100
	try "LM6 LM12 $name: connects beyond max_flows are native" \
		"flows_opened=5 sent_syn=5 sent_syn_timer=5 flows_handed_over=5 native_flow_limit=1 native_busy_socket=1" \
		beyond_max_flows $family
	try "IS8 $name: the ISS of the claim" 1 own_iss $family
	try "TW4 $name: the ISS after TIME-WAIT is native" 2 reused $family
	try "AU5 $name: MPTCP stays native" native_mptcp=1 multipath $family
	engine_on
	check "SS1 SR1 $name: both ends claimed, 200 at once" both_counted 200 \
		generate -a "$address" -n 200 -u 20000 -d 20000
	check "SS1 SR1 $name: both ends claimed, 5 MB both ways" both_counted 1 \
		generate -a "$address" -u 5000000 -d 5000000
	engine_off
	connect_off
done

connect_on
try "V64 SS1 a connection with an own link-local address" 1 own_link_local
connect_off
serve_files
[ -n "$native" ] || claim cli active port 80 >/dev/null
try "SS1 v4: curl downloads 5 MB" 1 download http://192.0.2.1/file
try "SS1 v6: curl downloads 5 MB" 1 download "http://[2001:db8::1]/file"
connect_off
kill "$httpd"
check "V67 IPv4 by a socket of IPv6 as native" mapped_twice
check "IP12 SS1 v4: a source route stays native" source_route_twice
check "SS19 v4: a connection with itself as native" \
	self_twice 4 127.0.0.1
check "SS19 v6: a connection with itself as native" \
	self_twice 6 ::1
end_net
