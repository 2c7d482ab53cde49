#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# How connect() fails, and how a program may end it: each scene is played without
# a claim, then with one. What the program sees is the same, and so are the SYNs
# and RSTs on the wire; nothing follows, and nothing hangs.
# shellcheck disable=SC2317 # the functions are run by name
# shellcheck source=selftests/net/connect.sh
. "$(dirname "$0")/connect.sh"

# connect_on: everything is claimed
connect_on()
{
	[ -n "$native" ] || claim cli active >/dev/null
}

# client: begins a script without a listener
client()
{
	echo "ns cli"
	echo "socket c $family"
}

# wire SCENE: plays it; then what was on the wire: who sent what in which second
wire()
{
	port=0 log_packets "$work/packets" times
	"$@" | ./sockscript
	stop_log
	awk '{
			second = int(($5 + 50) / 1000)
			from_client = $3 < 32000
			print from_client ? ">" : "<", $4, second
		}' "$work/packets"
}

# same RULE NAME COUNTERS SCENE [LINE]...: the scene as by the native stack; the
# lines were seen
same()
{
	check "$1 v$family: $2" same_and_seen "${@:3}"
}

same_and_seen()
{
	local line

	same_as_native "$1" wire "$2" || return 1
	for line in "${@:3}"; do
		grep -qxF -- "$line" "$work/engine" && continue
		echo "no $line:"
		cat "$work/engine"
		return 1
	done
}

# failed COUNTER [N]: N connects failed so, 1 by default
failed()
{
	echo "flows_opened=${2:-1} sent_syn=${2:-1} $1=${2:-1}"
}

no_answer()
{
	client
	echo "
		notify c
		call c ${server_ip[$family]} $port
		told c 20000
		poll c
		call c ${server_ip[$family]} $port
		soerror c
		state c
		error c
		close c"
}

refused()
{
	client
	echo "
		notify c
		call c ${server_ip[$family]} $port
		told c $((200 * patience))
		poll c
		soerror c
		soerror c
		poll c
		state c
		error c
		close c
		sleep 3000"
}

# The error is seen once, and the socket can be used again.
refused_and_again()
{
	listener "$family"
	echo "
		call c ${server_ip[$family]} 8081
		poll c 100
		call c ${server_ip[$family]} 8081
		call c ${server_ip[$family]} $port
		finish c
		accept l a
		send a 10
		recv c 10
		abort c"
}

refused_blocking()
{
	client
	echo "
		block c
		call c ${server_ip[$family]} $port
		soerror c
		call c ${server_ip[$family]} $port
		close c
		sleep 5000"
}

# Every code of every error at the same time; FIRST-PORT says what is quoted. Each
# error has to be there before the copy of its SYN.
icmp_errors()
{
	local first=$1 type code
	local -A codes=([4.3]=15 [4.4]=0 [4.5]=3 [4.11]=1 [4.12]=2
		[6.1]=8 [6.2]=0 [6.3]=1 [6.4]=3)

	echo "ns cli"
	for type in 1 2 3 4 5 11 12; do
		for code in $(seq 0 "${codes[$family.$type]:--1}"); do
			echo "socket $type.$code $family"
			echo "start $type.$code ${server_ip[$family]} $((first + 100 * type + code))"
			[ "$patience" -eq 1 ] || echo "sleep 100"
		done
	done
	echo "outcomes 500"
}

# Without the time of each
errors_only()
{
	{
		icmp_errors "$1"
		echo "outcomes 20000"
	} | ./sockscript | grep -v ^after | sort
}

# How many there are in the table, and how many of them end a connect().
icmp_twice()
{
	local all

	all=$(icmp_errors "$1" | grep -c ^start)
	same_as_native "flows_opened=$all sent_syn=$all $(xargs <<<"$2")" \
		errors_only "$1" || return 1
	[ "$(grep -c "^outcome.*=$3$" "$work/engine")" = "$4" ] && return
	cat "$work/engine"
	return 1
}

# The error queue, and the waiters of one that is unreachable.
icmp_queue()
{
	local option=IP_RECVERR

	[ "$family" = 4 ] || option=IPV6_RECVERR
	client
	echo "
		set c $option 1
		notify c
		call c ${server_ip[$family]} $unreachable
		told c $((200 * patience))
		queued c
		soerror c
		poll c
		close c
		sleep 5000"
}

icmp_blocking()
{
	client
	echo "
		block c
		call c ${server_ip[$family]} $unreachable
		state c
		close c
		sleep 5000"
}

# An error that comes with the second SYN.
icmp_later()
{
	client
	echo "
		sh kill -STOP $icmppeer
		call c ${server_ip[$family]} $unreachable
		sleep 500
		sh kill -CONT $icmppeer
		poll c 400
		soerror c
		close c
		sleep 5000"
}

# A rule of the server's firewall says it.
rejected()
{
	filter <<-END
		table inet refuse {
			chain in {
				type filter hook input priority 0;
				tcp dport $port reject with $*
			}
		}
	END
	refused
}

rejected_by_route()
{
	rejected icmpx host-unreachable
}

rejected_by_reset()
{
	rejected "tcp reset"
}

rejected_admin()
{
	rejected icmpx admin-prohibited
}

# own_filter VERDICT: what the client's own firewall does with the SYN
own_filter()
{
	in_ns cli nft -f - <<-END
		table inet own {
			chain out {
				type filter hook output priority 0;
				tcp dport $port $1
			}
		}
	END
	no_answer
	echo "sh ip netns exec cli nft delete table inet own"
}

own_drop()
{
	own_filter drop
}

own_reset()
{
	own_filter "reject with tcp reset"
}

# Nothing is sent.
local_failures()
{
	local kind

	for kind in unreachable prohibit blackhole throw; do
		if [ "$family" = 4 ]; then
			echo "sh ip -n cli route add $kind 198.51.100.0/24"
			other=198.51.100.1
		else
			echo "sh ip -n cli -6 route add $kind 2001:db8:1::/64"
			other=2001:db8:1::1
		fi
		client
		echo "
			notify c
			call c $other $port
			soerror c
			state c
			told c 10
			block c
			call c $other $port
			close c
			sh ip -n cli -$family route flush type $kind"
	done
	[ "$family" = 4 ] && others="224.0.0.1 255.255.255.255 192.0.2.255" ||
		others="ff02::1 ff0e::1 2001:db8:2::1"
	for other in $others; do
		client
		echo "
			call c $other $port
			close c"
	done
}

# No port is left.
no_port()
{
	echo "sh ip netns exec cli sysctl -qw net.ipv4.ip_local_port_range='20000 20000'"
	client
	echo "
		socket d $family
		call c ${server_ip[$family]} $port
		call d ${server_ip[$family]} $port
		call d ${server_ip[$family]} 8081
		abort c
		abort d
		sleep 3000
		sh ip netns exec cli sysctl -qw net.ipv4.ip_local_port_range='32768 60999'"
}

# The second connect() has the tuple of the first, which was refused while its
# socket was in use.
refused_twice()
{
	echo "sh ip netns exec cli sysctl -qw net.ipv4.ip_local_port_range='20000 20000'"
	client
	echo "
		socket d $family
		block c
		block d
		call c ${server_ip[$family]} $port
		call d ${server_ip[$family]} $port
		close c
		close d
		sh ip netns exec cli sysctl -qw net.ipv4.ip_local_port_range='32768 60999'
		sleep 3000"
}

# The unspecified address is this host.
unspecified()
{
	echo "
		ns cli
		socket l $family
		bind l ${any_ip[$family]} $port
		listen l 5
		socket c $family
		call c ${any_ip[$family]} $port
		finish c
		accept l a
		send c 10
		recv a 10
		abort c"
}

# A signal, after which the SYNs go on
interrupted()
{
	listener "$family"
	echo "
		sh ip netns exec srv nft -f $work/no_syns
		block c
		alarm 500
		call c ${server_ip[$family]} $port
		state c
		sh ip netns exec srv nft flush ruleset
		call c ${server_ip[$family]} $port
		call c ${server_ip[$family]} $port
		soerror c
		accept l a
		send c 10
		recv a 10
		abort c"
}

# ip_dynaddr: the copy leaves from another address, and is a SYN of its own.
address_changes()
{
	listener "$family"
	echo "
		sh ip netns exec srv nft -f $work/no_syns
		sh ip netns exec cli sysctl -qw net.ipv4.ip_dynaddr=1
		call c ${server_ip[$family]} $port
		sleep 100
		sh ip -n cli -$family -batch $work/renumber
		sleep $1
		sh ip netns exec srv nft flush ruleset
		finish c
		accept l a
		send c 10
		recv a 10
		abort c
		sh ip netns exec cli sysctl -qw net.ipv4.ip_dynaddr=0
		sh ip -n cli address del 192.0.2.3/24 dev veth
		sh bash $work/repair"
}

before_the_copy()
{
	address_changes 0
}

before_the_copy_is_lost()
{
	address_changes 1000
}

# A signal that restarts the call is not seen.
interrupted_and_restarted()
{
	listener "$family"
	echo "
		block c
		alarm 500 restart
		call c ${server_ip[$family]} $port
		state c
		close c"
}

# closed SECONDS: without an answer; what comes late is reset
closed()
{
	client
	echo "
		call c ${server_ip[$family]} $port
		sleep $1
		close c
		sleep 30000"
}

closed_at_once()
{
	closed 0
}

closed_late()
{
	closed 3500
}

aborted()
{
	closed 1500 | sed 's/close c/abort c/'
}

# The SYN-ACK comes when there is no socket any more, or when it has failed.
answered_after_close()
{
	listener "$family"
	echo "
		call c ${server_ip[$family]} $port
		sleep 500
		close c
		sleep 3000
		close l
		sleep 3000"
}

answered_after_failure()
{
	listener "$family"
	echo "
		set c TCP_SYNCNT 1
		call c ${server_ip[$family]} $port
		poll c 6000
		soerror c
		sleep 4000
		close c
		close l
		sleep 10000"
}

# shut_while_connecting HOW: by shutdown()
shut_while_connecting()
{
	listener "$family"
	echo "
		notify c
		call c ${server_ip[$family]} $port
		shut c $1
		state c
		told c 1000
		poll c
		soerror c
		accept l a 100
		call c ${server_ip[$family]} $port
		state c
		close c
		sleep 3000"
}

shut_write()
{
	shut_while_connecting
}

shut_both()
{
	shut_while_connecting rdwr
}

shut_read()
{
	shut_while_connecting rd
}

# A second connect(), to somebody else, and by AF_UNSPEC no more at all.
second_connect()
{
	listener "$family"
	echo "
		call c ${server_ip[$family]} $port
		call c ${server_ip[$family]} 8081
		call c ${client_ip[$family]} $port
		poll c 1000
		call c ${server_ip[$family]} 8081
		accept l a
		abort c"
}

# while_it_waits LINE LINE: what an administrator does to the network
while_it_waits()
{
	client
	echo "
		notify c
		call c ${server_ip[$family]} $port
		sleep 2000
		sh $1
		told c 20000
		soerror c
		poll c
		close c
		sh $2
		sleep 2000"
}

link_down()
{
	while_it_waits "ip -n cli link set veth down" "bash $work/repair"
}

link_gone()
{
	while_it_waits "ip -n cli link set veth netns srv name moved" \
		"ip -n srv link set moved netns cli name veth; bash $work/repair"
}

address_gone()
{
	while_it_waits "ip -n cli -$family address flush dev veth scope global" \
		"bash $work/repair"
}

route_unreachable()
{
	while_it_waits "ip -n cli route add unreachable ${server_ip[$family]}" \
		"ip -n cli route del unreachable ${server_ip[$family]}"
}

start_connect 70
in_ns cli sysctl -qw net.ipv4.tcp_syn_retries=2
cat >"$work/repair" <<-END
	ip -n cli link set veth up
	ip -n cli address replace 192.0.2.2/24 dev veth
	ip -n cli address replace 2001:db8::2/64 dev veth nodad
	ip -n cli neighbour replace 192.0.2.1 lladdr $(mac_address srv) dev veth
	ip -n cli neighbour replace 2001:db8::1 lladdr $(mac_address srv) dev veth
END
# in one go: the first copy leaves a second after the SYN
cat >"$work/renumber" <<-END
	address flush dev veth scope global
	address add 192.0.2.3/24 dev veth
END
know_neighbour srv 2 cli
know_neighbour cli 1 srv
in_ns srv sysctl -qw net.ipv4.tcp_synack_retries=0
no_syns="table inet lose {
	chain early {
		type filter hook prerouting priority -400;
		tcp flags & (syn|ack) == syn drop
	}
}"
echo "$no_syns" >"$work/no_syns"
# connect() must be done: errors find a socket in use else, and are not told at once
icmppeer=$(./icmppeer srv veth $((20 * (patience - 1))))

# How many ICMP errors there are, and how many end no connect().
declare -A kind_of_prohibited=([4]=soft [6]=hard)
declare -A icmp_all=([4]=26 [6]=16) icmp_ignored=([4]=7 [6]=1)
declare -A icmp_changes=(
	[4]="flows_timed_out=7 sent_syn_timer=14 flows_icmp=19
		icmp_hard=2 icmp_soft=35 icmp_ignored=3"
	[6]="flows_timed_out=1 sent_syn_timer=2 flows_icmp=15
		icmp_hard=2 icmp_soft=16"
) icmp_none=(
	[4]="flows_timed_out=26 sent_syn_timer=52"
	[6]="flows_timed_out=16 sent_syn_timer=32"
) icmp_outside=(
	[4]="icmp_out_of_window=75 icmp_ignored=3"
	[6]="icmp_out_of_window=48"
)

for family in 4 6; do
	filter <<<"$no_syns"
	same ER1 "no answer" "$(failed flows_timed_out) sent_syn_timer=2" \
		no_answer soerror.c=0 call.c=ETIMEDOUT "> 02 3"
	same ER9 "closed at once" "$(failed flows_socket_gone)" \
		closed_at_once
	same ER9 "closed after two copies" \
		"$(failed flows_socket_gone) sent_syn_timer=2" closed_late "> 02 3"
	same ER9 "aborted after a copy" \
		"$(failed flows_socket_gone) sent_syn_timer=1" aborted "> 02 1"
	same ER7 "a signal that restarts" \
		"$(failed flows_timed_out) sent_syn_timer=2" \
		interrupted_and_restarted call.c=ETIMEDOUT
	for each in link_down link_gone address_gone route_unreachable; do
		same ER12 "${each/_/ }" \
			"$(failed flows_timed_out) sent_syn_timer=1-2 send_failed=0-2" \
			$each
	done
	same ER5 "no port" "$(failed flows_socket_gone 2)" no_port \
		call.d=EADDRNOTAVAIL
	no_filter
	same ER7 "a signal" \
		"flows_opened=1 sent_syn=1 flows_handed_over=1 sent_syn_timer=1" \
		interrupted call.c=EINTR call.c=EISCONN
	if [ "$family" = 4 ]; then
		same ER12 "address changes" \
			"$(failed flows_socket_gone) native_busy_socket=1" before_the_copy \
			connect.c=0 recv.a=10 "> 02 1"
		same ER12 "address changes, a copy is lost" \
			"$(failed flows_socket_gone) native_busy_socket=2" \
			before_the_copy_is_lost connect.c=0 recv.a=10 "> 02 3"
	fi

	same "ER2 ER10" "refused" "$(failed flows_refused) segment_refused=1" \
		refused soerror.c=ECONNREFUSED
	same ER2 "refused, connect() waits" \
		"flows_opened=2 sent_syn=2 flows_refused=2 segment_refused=2" \
		refused_blocking call.c=ECONNREFUSED
	same ER2 "refused twice from one port" \
		"flows_opened=2 sent_syn=2 flows_refused=2 segment_refused=2" \
		refused_twice call.d=ECONNREFUSED
	same ER8 "refused, and used again" \
		"flows_opened=2 sent_syn=2 flows_handed_over=1 flows_refused=1 segment_refused=1" \
		refused_and_again call.c=ECONNREFUSED recv.c=10
	same ER2 "refused by a firewall" \
		"$(failed flows_refused) segment_refused=1" rejected_by_reset \
		soerror.c=ECONNREFUSED
	# when connect() has left its socket alone
	delay 20
	same ER3 "host unreachable by a firewall" \
		"$(failed flows_icmp) icmp_soft=1" rejected_by_route \
		soerror.c=EHOSTUNREACH
	same ER3 "prohibited by a firewall" \
		"$(failed flows_icmp) icmp_${kind_of_prohibited[$family]}=1" \
		rejected_admin
	no_filter
	no_delay
	same ER5 "lost in the own firewall" \
		"$(failed flows_timed_out) sent_syn_timer=2" own_drop \
		soerror.c=0
	same ER5 "reset by the own firewall" \
		"$(failed flows_refused) segment_refused=1" own_reset
	same "ER5 ER6" "local failures" "" local_failures
	same ER6 "unspecified address" 1 unspecified recv.a=10

	filter <<<"$no_syns"
	check "ER3 ER4 IC1 v$family: every ICMP error" \
		icmp_twice 10000 "${icmp_changes[$family]}" ETIMEDOUT \
		"${icmp_ignored[$family]}"
	check "IC2 v$family: errors that quote what was not sent" \
		icmp_twice 20000 \
		"${icmp_none[$family]} ${icmp_outside[$family]}" ETIMEDOUT \
		"${icmp_all[$family]}"
	check "IC3 v$family: errors that quote too little" \
		icmp_twice 30000 "${icmp_none[$family]}" ETIMEDOUT \
		"${icmp_all[$family]}"
	unreachable=$((family == 4 ? 10301 : 10103))
	same "ER10 IC11" "waiters and error queue" \
		"$(failed flows_icmp) icmp_soft=1" icmp_queue
	same ER3 "unreachable, connect() waits" \
		"$(failed flows_icmp) icmp_soft=1" icmp_blocking \
		call.c=EHOSTUNREACH
	same ER3 "unreachable after a copy" \
		"$(failed flows_icmp) icmp_soft=1" icmp_later soerror.c=EHOSTUNREACH
	no_filter

	delay 1500
	same "ER9 SS16" "closed, answered late" \
		"$(failed flows_socket_gone)" answered_after_close "> 04 1"
	delay 5000
	same SS17 "failed, answered late" \
		"$(failed flows_timed_out) sent_syn_timer=1" \
		answered_after_failure soerror.c=ETIMEDOUT "> 04 5"
	delay 500
	for each in shut_write shut_both shut_read; do
		same ER9 "${each/_/ }" "$(failed flows_socket_gone 2)" $each
	done
	same ER8 "connect() to somebody else" 1 second_connect call.c=EALREADY
	no_delay
done
end_net
