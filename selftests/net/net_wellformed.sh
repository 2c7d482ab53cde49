#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Exchanges of all kinds, without a claim and with one, as tcpdump saw them: each
# capture goes to standard output as base64 between "CAPTURE NAME" and
# "CAPTURE-END". net_wellformed.judge runs this in the test machine and has
# tshark look at it.
# shellcheck disable=SC2317 # the functions are run by name
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

# What nobody serves.
closed=$((port + 1))
# Two that connect to each other.
left=7000
right=7001

# play NAME KIND...: captures what scene_NAME does, without a claim and with
# those of each KIND
play()
{
	local kind

	for kind in native "${@:2}"; do
		claims "$kind"
		capture "$1" "$kind"
	done
	claims native
}

# claims KIND: of both namespaces
claims()
{
	local side

	for side in srv cli; do
		threeway -n "$side" claim flush
	done
	[[ $1 != @(passive|both) ]] || claim srv passive
	[[ $1 != @(active|both) ]] || claim cli active
	[ "$1" != both ] || claim srv active
	[ "$1" != held ] || claim srv passive mode hold port "$port"
} >/dev/null

capture()
{
	local file=$work/$1.$2 family

	start_capture srv -U -w "$file" 'ip proto 6 or ip6 proto 6'
	for family in 4 6; do
		"scene_$1" $family >"$work/results" 2>&1 || {
			echo "$1 $2 v$family fails:"
			cat "$work/results"
		}
	done
	stop_capture || echo "$1 $2 fails: not all was captured"
	echo "CAPTURE $1.$2"
	base64 "$file"
	echo "CAPTURE-END"
}

scene_exchange()
{
	{
		printf '%s\n' "ns srv" "socket l $1" \
			"bind l ${any_ip[$1]} $port" "listen l 5" "ns cli" \
			"socket c $1" "connect c ${server_ip[$1]} $port" \
			"accept l a" "send c 3000" "recv a 3000" \
			"send a 3000" "recv c 3000" "shut c" "error a" \
			"close a" "error c" "close c" "sleep 60" "close l"
	} | ./sockscript
}

scene_ecn()
{
	with_ecn 1 scene_exchange "$1"
	with_ecn 2 true
}

with_ecn()
{
	in_ns srv sysctl -qw "net.ipv4.tcp_ecn=$1"
	in_ns cli sysctl -qw "net.ipv4.tcp_ecn=$1"
	"${@:2}"
}

scene_bare()
{
	with_options 0 scene_exchange "$1"
	with_options 1 true
}

with_options()
{
	in_ns cli sysctl -qw "net.ipv4.tcp_timestamps=$1" \
		"net.ipv4.tcp_sack=$1" "net.ipv4.tcp_window_scaling=$1"
	"${@:2}"
}

scene_refused()
{
	printf '%s\n' "ns cli" "socket c $1" \
		"connect c ${server_ip[$1]} $closed" "close c" | ./sockscript
}

# once NS MATCH: the first such packet is lost
once()
{
	in_ns "$1" nft -f - <<-END
		flush ruleset
		table inet lose {
			chain early {
				type filter hook prerouting priority -400;
				$2 limit rate 1/hour burst 1 packets drop
			}
		}
	END
}

scene_lost()
{
	once srv "tcp dport $port tcp flags & (syn|ack) == syn"
	once cli "tcp sport $port tcp flags & (syn|ack) == syn|ack"
	scene_exchange "$1"
	in_ns srv nft flush ruleset
	in_ns cli nft flush ruleset
}

# Nobody answers the SYN, nor the SYN-ACK.
scene_unanswered()
{
	printf '%s\n' "ns cli" "socket c $1" \
		"start c ${unused_ip[$1]} $port" "sleep 4000" "close c" \
		"ns srv" "socket l $1" "bind l ${any_ip[$1]} $port" \
		"listen l 5" "ns cli" \
		"sh ./rawpeer -c cli -a ${stranger_ip[$1]} -d ${server_ip[$1]} -p $port -n 1 flood >/dev/null" \
		"sleep 4000" "close l" | ./sockscript
}

scene_crossing()
{
	tc -n cli qdisc replace dev veth root netem delay 50ms
	tc -n srv qdisc replace dev veth root netem delay 50ms
	printf '%s\n' "ns cli" "socket c $1" \
		"bind c ${client_ip[$1]} $left" "ns srv" "socket s $1" \
		"bind s ${server_ip[$1]} $right" \
		"start c ${server_ip[$1]} $right" \
		"start s ${client_ip[$1]} $left" "finish c" "finish s" \
		"send c 3000" "recv s 3000" "send s 3000" "recv c 3000" \
		"shut c" "error s" "close s" "error c" "close c" \
		"sleep 300" | ./sockscript
	tc -n cli qdisc del dev veth root
	tc -n srv qdisc del dev veth root
	left=$((left + 10))
	right=$((right + 10))
}

# One end aborts, the other does not hear of it, and is told when it sends.
scene_aborted()
{
	once srv "tcp dport $port tcp flags & rst == rst"
	printf '%s\n' "ns srv" "socket l $1" "bind l ${any_ip[$1]} $port" \
		"listen l 5" "ns cli" "socket c $1" \
		"connect c ${server_ip[$1]} $port" "accept l a" "abort c" \
		"send a 100" "error a" "close a" "close l" | ./sockscript
	in_ns srv nft flush ruleset
}

# Without sockets: connections that are held on either side or on both, refused
# by the policy, answered late, and killed.
scene_held()
{
	local flows

	threeway -n cli open "${server_ip[$1]}" port "$port"
	threeway -n cli open "${server_ip[$1]}" port "$closed"
	threeway -n cli open "${server_ip[$1]}" port "$port" freeze refuse
	threeway -n cli open "${server_ip[$1]}" port "$port" delay_ms 1500
	threeway -n cli open "${server_ip[$1]}" port "$port" \
		freeze final-ack syn_retries 1
	sleep 4
	printf '%s\n' "ns cli" "socket c $1" \
		"connect c ${server_ip[$1]} $port" "send c 500" "sleep 1500" \
		"abort c" | ./sockscript
	for ns in srv cli; do
		flows=$(threeway -n $ns -j flow show | jq '.[].id')
		for flow in $flows; do
			threeway -n $ns flow del id "$flow"
		done
	done
	sleep 0.2
}

start_net 0
declare -A unused_ip=([4]=192.0.2.77 [6]=2001:db8::77)
declare -A stranger_ip=([4]=198.18.1.1 [6]=2001:db8:5::1)
for ns in srv cli; do
	in_ns $ns ethtool -K veth tx off rx off tso off gso off gro off \
		>/dev/null
	in_ns $ns sysctl -qw net.ipv4.tcp_no_metrics_save=1
	ip -n $ns neighbour add 192.0.2.77 lladdr 02:00:00:00:00:77 dev veth
	ip -n $ns neighbour add 2001:db8::77 lladdr 02:00:00:00:00:77 dev veth
done
route_strangers

play exchange passive active both
play ecn both
play bare both
play refused both
play lost both
play unanswered both
play crossing both
play aborted both
claims held
capture held held
