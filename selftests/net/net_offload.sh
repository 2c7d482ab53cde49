#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Devices that compute checksums, that leave it to the kernel, and that put one
# packet into another: what the engines of both ends send has a right checksum
# everywhere. Where one is wrong the segment is lost and must be sent again, which
# the counters tell.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/connect.sh
. "$(dirname "$0")/connect.sh"

# Of each end on such a device; its family follows the word.
declare -A inner_srv=([4]=198.51.100.1 [6]=2001:db8:5::1)

# offload on|off: of the veth
offload()
{
	local ns

	for ns in srv cli; do
		in_ns "$ns" ethtool -K veth tx "$1" gso "$1" tso "$1" gro "$1" \
			>/dev/null 2>&1 || return 1
	done
}

# device WORDS: over the veth, in both namespaces. LOCAL and REMOTE stand for
# the addresses of the veth, of the family before the dot.
device()
{
	local ns here there words

	for ns in srv cli; do
		here=1 there=2
		[ "$ns" = srv ] || here=2 there=1
		words=${*//LOCAL4/192.0.2.$here}
		words=${words//REMOTE4/192.0.2.$there}
		words=${words//LOCAL6/2001:db8::$here}
		words=${words//REMOTE6/2001:db8::$there}
		# shellcheck disable=SC2086 # these are words
		ip -n "$ns" link add dev inner $words &&
			ip -n "$ns" link set inner up &&
			ip -n "$ns" address add "198.51.100.$here/24" dev inner &&
			ip -n "$ns" address add "2001:db8:5::$here/64" \
				dev inner nodad || return 1
	done
}

no_device()
{
	ip -n srv link del inner
	ip -n cli link del inner
}

# errors NS: of TCP and IP
errors()
{
	in_ns "$1" nstat -asz TcpInErrs TcpInCsumErrors TcpRetransSegs \
		TcpExtTCPSynRetrans IpInHdrErrors 2>/dev/null |
		awk '!/^#/ { sum += $2 } END { print sum + 0 }'
}

# connects ADDRESS N: by the engines of both ends, data both ways, no error
connects()
{
	both_counted "$2" generate -a "$1" -n "$2" -j 1 -u 20000 -d 20000 ||
		return 1
	[ "$(errors srv) $(errors cli)" = "0 0" ] && return
	echo "errors: $(errors srv) $(errors cli)"
	return 1
}

# try_device NAME FAMILIES WORDS
try_device()
{
	local tx family

	check "IP2 $1: the device" device "${@:3}"
	for tx in on off; do
		offload $tx
		for family in $2; do
			check "IP2 v$family: $1, checksums by the device $tx" \
				connects "${inner_srv[$family]}" 3
		done
	done
	no_device
}

start_connect 24
know_neighbour srv 2 cli
know_neighbour cli 1 srv
engine_on
connect_on
for tx in on off; do
	check "IP2 offloads of the veth $tx" offload $tx
	for family in 4 6; do
		check "IP2 v$family: veth, checksums by the device $tx" \
			connects "${server_ip[$family]}" 3
	done
done
try_device VLAN "4 6" link veth type vlan id 5
try_device "IPv4 in IPv4" 4 type ipip local LOCAL4 remote REMOTE4
try_device "both in IPv6" "4 6" \
	type ip6tnl mode any local LOCAL6 remote REMOTE6
try_device VXLAN "4 6" \
	type vxlan id 7 dstport 4789 local LOCAL4 remote REMOTE4 dev veth
end_net
