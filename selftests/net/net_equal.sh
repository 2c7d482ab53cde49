#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the engine puts on the wire and hands to the listener equals what the
# native stack does in the same place: each scene is played without a claim,
# then with one, and both records are compared.
# shellcheck disable=SC2317 # the functions are run by name
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"
# shellcheck source=selftests/net/equal.sh
. "$(dirname "$0")/equal.sh"

# Whose estimates are looked at, and what N handshakes change.
estimate_of=a
done_by_engine()
{
	echo "flows_opened=$1 flows_handed_over=$1 sent_synack=$1"
}

scene_mapped()
{
	scene_plain 6 4
}

# The client's first ACK comes with data.
scene_data()
{
	client_options+=("TCP_QUICKACK 0")
	connect_and_accept "$1" | sed '/^accept/i send c 500'
	look_at_both
	printf '%s\n' "recv a 500" "abort c" "abort a" "close l"
}

# The client's first ACK comes with its FIN.
scene_fin()
{
	client_options+=("TCP_QUICKACK 0")
	connect_and_accept "$1" | sed '/^accept/i shut c'
	printf '%s\n' "sleep 60" "info a" "info c" "options a" "error a" \
		"send a 100" "recv c 100" "abort c" "abort a" "close l"
}

# The first SYN-ACKs are lost, and so is every copy of the SYN: it would race
# with the server's timer. The client still sends it or not, so only the server
# is looked at.
scene_lost_synack()
{
	lose srv "tcp dport $port tcp flags & (syn|ack) == syn limit rate over 1/hour burst 1 packets"
	lose cli "tcp sport $port tcp flags & (syn|ack) == syn|ack limit rate 1/hour burst ${2:-1} packets"
	scene_plain "$1" | grep -Ev '(info|repair|same a) c$'
}

# The second loss costs the initial window.
scene_lost_synacks()
{
	scene_lost_synack "$1" 2
}

# The client's bare ACK is lost, and its data too until after the second
# SYN-ACK.
scene_lost_ack()
{
	lose srv "tcp dport $port tcp flags & (syn|ack) == ack limit rate 1/hour burst 5 packets"
	connect_and_accept "$1" | sed '/^accept/i send c 500'
	look_at_both
	printf '%s\n' "recv a 500" "abort c" "abort a" "close l"
}

# with_route "METRIC VALUE..." COMMAND...: of srv's routes to the client
with_route()
{
	# shellcheck disable=SC2086 # a list
	{
		ip -n srv route add 192.0.2.2 dev veth $1
		ip -n srv route add 2001:db8::2 dev veth $1
	}
	"${@:2}"
	ip -n srv route del 192.0.2.2
	ip -n srv route del 2001:db8::2
}

saved_syn()
{
	local -a listener_options=("TCP_SAVE_SYN $2")
	local saved mac

	log_packets "$work/raw" raw
	{
		connect_and_accept "$1"
		printf '%s\n' "saved a" "abort c" "abort a" "close l"
	} | script
	stop_log
	saved=$(result saved.a)
	if [ "$2" = 2 ]; then
		mac=$(mac_of srv)$(mac_of cli)
		[[ $saved == "$mac"* ]] || {
			echo "$saved does not begin with $mac"
			return 1
		}
		saved=${saved:28}
	fi
	[ -n "$saved" ] && [ "$saved" = "$(<"$work/raw")" ] && return
	echo "saved $saved"
	echo "sent  $(<"$work/raw")"
	return 1
}

mac_of()
{
	mac_address "$1" | tr -d :
}

# spread FILE: which socket of a group gets which client port
spread()
{
	generate -a 192.0.2.1 -a 2001:db8::1 -r 4 -R -n 300 -k 30000 -e rst \
		-u 10 -d 10 -j 20 | grep listener | sort >"$1"
}

group()
{
	spread "$work/spread.native"
	engine_on
	count_from_here
	spread "$work/spread.engine"
	handed_over 300 || return 1
	engine_off
	[ "$(wc -l <"$work/spread.native")" = 300 ] &&
		[ "$(cut -d' ' -f4 "$work/spread.native" | sort -u |
			wc -l)" = 4 ] &&
		cmp "$work/spread.native" "$work/spread.engine"
}

inherited()
{
	listener_options=(
		"SO_KEEPALIVE 1" "SO_RCVBUF 100000" "SO_SNDBUF 50000"
		"SO_PRIORITY 5" "SO_MARK 7" "SO_LINGER 3" "SO_RCVLOWAT 2"
		"SO_RCVTIMEO 4" "SO_SNDTIMEO 5" "SO_OOBINLINE 1"
		"SO_BROADCAST 1" "SO_TIMESTAMP 1" "SO_MAX_PACING_RATE 100000000"
		"SO_ZEROCOPY 1" "SO_TXREHASH 0" "SO_BINDTODEVICE veth"
		"SO_PREFER_BUSY_POLL 1" "SO_BUSY_POLL 20"
		"TCP_NODELAY 1" "TCP_KEEPIDLE 77" "TCP_KEEPINTVL 33"
		"TCP_KEEPCNT 4" "TCP_SYNCNT 3" "TCP_LINGER2 9"
		"TCP_CONGESTION reno" "TCP_USER_TIMEOUT 9999" "TCP_INQ 1"
		"TCP_NOTSENT_LOWAT 5000" "TCP_THIN_LINEAR_TIMEOUTS 1"
		"TCP_SAVE_SYN 1" "IP_TOS 16" "IP_TTL 33" "IP_RECVTOS 1"
		"IP_RECVTTL 1" "IP_MTU_DISCOVER 2" "IP_FREEBIND 1"
		"IP_RECVERR 1" "IP_MINTTL 3" "$@"
	)
}

start_net 39
in_ns srv sysctl -qw net.ipv4.tcp_no_metrics_save=1
in_ns cli sysctl -qw net.ipv4.tcp_no_metrics_save=1
plain=("TCP_SAVE_SYN 0")
listener_options=("${plain[@]}")
# How much goes into one packet would depend on the time of the round trip.
for ns in srv cli; do
	in_ns $ns ethtool -K veth tso off gso off >/dev/null
done

equal "HO1-HO9 HO22 HO23 NF9" "plain" plain
check "HO10 HO22 estimates of the round trip" estimated 1 30000
equal "SR13 HO23" "completed by data" data
equal "SR14 HO23" "completed by a FIN" fin
equal "RT10 HO11" "first SYN-ACK lost" lost_synack sent_synack_timer=2
equal "RT10 HO11" "two SYN-ACKs lost" lost_synacks sent_synack_timer=4
equal "HO11" "first ACKs lost" lost_ack sent_synack_timer=2
families=6
equal "V67 HO13" "IPv4 client of an IPv6 listener" mapped
families="4 6"

for off in tcp_timestamps=0 tcp_sack=0 tcp_window_scaling=0 \
	   "tcp_timestamps=0 tcp_sack=0 tcp_window_scaling=0" \
	   tcp_timestamps=2; do
	with_sysctls cli "$off" equal "HO5-HO8" "client with $off" plain
	with_sysctls srv "$off" equal "HO5-HO8" "server with $off" plain
done
with_sysctls srv tcp_ecn=1 with_sysctls cli tcp_ecn=1 \
	equal "HO9" "ECN on both sides" plain
with_sysctls cli tcp_ecn=1 equal "HO9" "ECN asked for" plain
with_sysctls srv tcp_rmem=4096,400000,6291456 \
	equal "HO4" "large receive buffer" plain
with_sysctls srv tcp_rmem=4096,8192,16384 \
	equal "HO4" "small receive buffer" plain
with_sysctls srv tcp_reflect_tos=1 \
	equal "HO13" "type of service reflected" tos
with_sysctls srv ip_default_ttl=77 equal "HO13 IP6" "TTL" plain

with_route "mtu 1300 advmss 900 initcwnd 4 initrwnd 20 rto_min 300ms" \
	equal "HO8 HO13" "route metrics" plain
with_route "window 20000 features ecn congctl reno quickack 1" \
	equal "HO4 HO9 HO14" "more route metrics" plain

listener_options=("SO_RCVBUF 8192")
equal "HO4" "listener with SO_RCVBUF" plain
listener_options=("TCP_WINDOW_CLAMP 5000")
equal "HO4" "listener with TCP_WINDOW_CLAMP" plain
listener_options=("TCP_MAXSEG 600")
equal "HO8" "listener with TCP_MAXSEG" plain
listener_options=("${plain[@]}")
client_options=("TCP_MAXSEG 500")
equal "HO8" "client with TCP_MAXSEG" plain
client_options=()

families=4
inherited
equal "HO14" "options of the listener" plain
families=6
inherited "IPV6_UNICAST_HOPS 44" "IPV6_TCLASS 32" "IPV6_AUTOFLOWLABEL 0" \
	"IPV6_RECVERR 1" "IPV6_V6ONLY 1" "IPV6_MTU_DISCOVER 2"
equal "HO14" "options of the listener" plain
families="4 6"
listener_options=("${plain[@]}")
round_trip

engine_on
for family in 4 6; do
	for mode in 1 2; do
		try "HO15 v$family: TCP_SAVE_SYN $mode" 1 \
			saved_syn $family $mode
	done
done
engine_off
check "LI10 a SO_REUSEPORT group is chosen from as by the native stack" group
end_net
