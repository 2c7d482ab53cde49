#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The socket of a connect() that the engine did, and what it puts on the wire,
# equal those of the native stack: each scene is played without a claim, then
# with one, and both records are compared.
# shellcheck disable=SC2317 # the functions are run by name
# shellcheck source=selftests/net/connect.sh
. "$(dirname "$0")/connect.sh"
# shellcheck source=selftests/net/equal.sh
. "$(dirname "$0")/equal.sh"

# Read by equal.sh.
# shellcheck disable=SC2034
estimate_of=c
done_by_engine()
{
	echo "flows_opened=$1 flows_handed_over=$1 sent_syn=$1"
}

engine_on()
{
	connect_on
}

engine_off()
{
	connect_off
}

# The client's socket is looked at more closely.
scene_options()
{
	scene_plain "$1" | sed 's/^\t*options a$/options c/'
}

scene_mapped()
{
	connect_and_accept 6 | sed 's/^connect c .*/connect c ::ffff:192.0.2.1 8080/'
	look_at_both
	printf '%s\n' "peer c" "abort c" "abort a" "close l"
}

# A blocking connect() looks at the socket at other moments.
scene_blocking()
{
	connect_and_accept "$1" | sed '/^connect c/s/connect/call/' |
		sed '/^call c/i block c'
	echo "finish c"
	look_at_both
	printf '%s\n' "abort c" "abort a" "close l"
}

# Before there is data: what the receive buffer is tuned to later depends on the
# time that it takes.
scene_early()
{
	connect_and_accept "$1"
	look_at_both
	printf '%s\n' "abort c" "abort a" "close l"
}

# The first ACK comes with data.
scene_data()
{
	client_options+=("TCP_QUICKACK 0")
	connect_and_accept "$1" | sed '/^accept/i send c 500'
	look_at_both
	printf '%s\n' "recv a 500" "abort c" "abort a" "close l"
}

# The first N SYNs are lost.
scene_lost_syn()
{
	lose srv "tcp dport $port tcp flags & (syn|ack) == syn limit rate 1/hour burst ${2:-1} packets"
	scene_plain "$1"
}

# The second loss costs the initial window, and has no ECN.
scene_lost_syns()
{
	scene_lost_syn "$1" 2
}

# The timeout right after the handshake.
scene_lost_rto()
{
	lose srv "tcp dport $port tcp flags & (syn|ack) == syn limit rate 1/hour burst 1 packets"
	connect_and_accept "$1"
	printf '%s\n' "estimates c" "abort c" "abort a" "close l"
}

# timeout_without_sample: of data, when no round trip could be measured
timeout_without_sample()
{
	connect_on
	count_from_here
	play lost_rto | script
	handed_over 2 sent_syn_timer=2 || return 1
	connect_off
	no_filter
	[ "$(result info.c.rto)" = $'3000000\n3000000' ] &&
		[ "$(result info.c.rtt)" = $'0\n0' ]
}

# estimated_after_loss N: the sample is the answer to the last SYN
estimated_after_loss()
{
	lost=$1 estimated 50000 60000 sent_syn_timer=$(($1 * 2)) || {
		cat "$work/results"
		return 1
	}
	no_filter
}

with_delay()
{
	local status=0

	delay 50
	"$@" || status=1
	no_delay
	return "$status"
}

# scene_estimates is that of equal.sh, after losses
eval "$(declare -f scene_estimates | sed '1s/.*/scene_estimated()/')"
scene_estimates()
{
	[ -z "$lost" ] || lose srv "tcp dport $port tcp flags & (syn|ack) == syn limit rate 1/hour burst $lost packets"
	scene_estimated "$1"
}

# The answer to the first SYN comes after the second, or after the third: the
# timestamp tells, and the window is as if nothing had happened.
spurious()
{
	local status=0

	delay "$1"
	compare "${@:2}" || status=1
	no_delay
	[ "$(cat "$work"/engine.[46] | grep -c '^info.c.snd_cwnd=10$')" = 2 ] || {
		echo "the window was cut"
		status=1
	}
	return "$status"
}

# Only the first SYN is answered.
scene_lost_spurious()
{
	lose srv "tcp dport $port tcp flags & (syn|ack) == syn limit rate over 1/hour burst 1 packets"
	connect_and_accept "$1"
	printf '%s\n' "info c" "same a c" "options c" "sleep 8000" \
		"abort c" "sleep 8000" "abort a" "close l"
}

# window_after N SYNS-LOST: the initial congestion window
window_after()
{
	connect_on
	play "$2" | script
	connect_off
	no_filter
	[ "$(result info.c.snd_cwnd | sed -n '1p;3p' | xargs)" = "$1 $1" ] && return
	result info.c.snd_cwnd
	return 1
}

# with_route "METRIC VALUE..." COMMAND...: of the client's routes to srv
with_route()
{
	# shellcheck disable=SC2086 # a list
	{
		ip -n cli route add 192.0.2.1 dev veth $1
		ip -n cli route add 2001:db8::1 dev veth $1
	}
	"${@:2}"
	ip -n cli route del 192.0.2.1
	ip -n cli route del 2001:db8::1
}

own_options()
{
	# shellcheck disable=SC2034 # read by equal.sh
	client_options=(
		"SO_KEEPALIVE 1" "SO_RCVBUF 100000" "SO_SNDBUF 50000"
		"SO_PRIORITY 5" "SO_MARK 7" "SO_LINGER 3" "SO_RCVLOWAT 2"
		"SO_RCVTIMEO 4" "SO_SNDTIMEO 5" "SO_OOBINLINE 1"
		"SO_MAX_PACING_RATE 100000000" "SO_TXREHASH 0"
		"SO_BINDTODEVICE veth" "TCP_NODELAY 1" "TCP_KEEPIDLE 77"
		"TCP_KEEPINTVL 33" "TCP_SYNCNT 3" "TCP_LINGER2 9"
		"TCP_CONGESTION reno" "TCP_USER_TIMEOUT 9999" "TCP_INQ 1"
		"TCP_NOTSENT_LOWAT 5000" "TCP_THIN_LINEAR_TIMEOUTS 1"
		"IP_TOS 16" "IP_TTL 33" "IP_RECVTOS 1" "IP_RECVTTL 1"
		"IP_MTU_DISCOVER 2" "IP_FREEBIND 1" "IP_RECVERR 1"
		"IP_MINTTL 3" "$@"
	)
}

start_connect 45
lost=
in_ns srv sysctl -qw net.ipv4.tcp_no_metrics_save=1
in_ns cli sysctl -qw net.ipv4.tcp_no_metrics_save=1
listener_options=("TCP_SAVE_SYN 0")
# How much goes into one packet would depend on the time of the round trip.
for ns in srv cli; do
	in_ns $ns ethtool -K veth tso off gso off >/dev/null
done
know_neighbour srv 2 cli
know_neighbour cli 1 srv

equal "HO1-HO9 HO22 HO23 NF9 OP13" "plain" plain
equal "HO14" "options of the socket" options
equal "HO1-HO9" "blocking connect()" blocking
check "HO10 HO22 estimates of the round trip" estimated 1 30000
equal "HO23" "the first ACK has data" data
equal "RT10 RT12 HO11" "first SYN lost" lost_syn sent_syn_timer=2
equal "RT10 RT12 HO11" "two SYNs lost" lost_syns sent_syn_timer=4
check "RT10 window 10 without loss" window_after 10 plain
check "RT10 window 10 after one loss" window_after 10 lost_syn
check "RT10 window 1 after two" window_after 1 lost_syns
check "RT11 SYN-ACK after one timeout" spurious 1500 lost_spurious sent_syn_timer=2
check "RT11 SYN-ACK after two timeouts" spurious 3500 lost_spurious sent_syn_timer=4
with_sysctls cli tcp_timestamps=0 \
	check "RT9 HO10 3 s for data, first SYN lost, no timestamps" \
	timeout_without_sample
with_sysctls cli tcp_timestamps=0 \
	equal "RT9 RT10" "first SYN lost, no timestamps" lost_syn \
	sent_syn_timer=2
with_sysctls cli tcp_timestamps=0 \
	equal "RT9 RT10" "two SYNs lost, no timestamps" lost_syns \
	sent_syn_timer=4
families=6
equal "V67" "IPv4 by a socket of IPv6" mapped
families="4 6"

for off in tcp_timestamps=0 tcp_sack=0 tcp_window_scaling=0 \
	   "tcp_timestamps=0 tcp_sack=0 tcp_window_scaling=0" \
	   tcp_timestamps=2; do
	with_sysctls cli "$off" equal "SS13 HO5-HO8" "client with $off" plain
	with_sysctls srv "$off" equal "SS13 HO5-HO8" "server with $off" plain
done
with_sysctls srv tcp_ecn=1 with_sysctls cli tcp_ecn=1 \
	equal "EC6 HO9" "ECN on both sides" plain
with_sysctls srv tcp_ecn=0 with_sysctls cli tcp_ecn=1 \
	equal "EC6 HO9" "ECN refused" plain
with_sysctls cli tcp_ecn=1 \
	equal "EC5" "ECN, first SYN lost" lost_syn sent_syn_timer=2
with_sysctls cli "tcp_ecn=1 tcp_ecn_fallback=0" \
	equal "EC5" "ECN for every SYN, first one lost" lost_syn \
	sent_syn_timer=2
with_sysctls cli tcp_rmem=4096,400000,6291456 \
	equal "HO4" "large receive buffer" plain
with_sysctls cli tcp_rmem=4096,8192,16384 \
	equal "HO4" "small receive buffer" early
with_sysctls cli ip_default_ttl=77 equal "HO13 IP6" "TTL" plain
equal "HO13" "type of service" tos
with_route "mtu 1300 advmss 900 initcwnd 4 initrwnd 20 rto_min 300ms" \
	equal "HO8 HO13" "route metrics" plain
with_route "window 20000 features ecn congctl reno quickack 1" \
	equal "HO4 HO9 HO14" "more route metrics" plain

client_options=("SO_RCVBUF 8192")
equal "HO4" "SO_RCVBUF" plain
client_options=("TCP_WINDOW_CLAMP 5000")
equal "HO4" "TCP_WINDOW_CLAMP" plain
client_options=("TCP_MAXSEG 500")
equal "HO8" "TCP_MAXSEG" plain
client_options=()

families=4
own_options
equal "HO14" "many options" options
families=6
own_options "IPV6_UNICAST_HOPS 44" "IPV6_TCLASS 32" "IPV6_AUTOFLOWLABEL 0" \
	"IPV6_RECVERR 1" "IPV6_MTU_DISCOVER 2"
equal "HO14" "many options" options
client_options=()
families="4 6"
round_trip
check "HO10 estimates after a lost SYN" with_delay estimated_after_loss 1
check "HO10 estimates after two lost SYNs" with_delay estimated_after_loss 2
end_net
