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
