#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# With SELinux the request that the engine shows to the security module is read,
# and so are the labels of what it hands over. No policy is needed for that.
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

grep -q selinuxfs /proc/filesystems ||
	skip_all "SELinux is not enabled (boot with security=selinux)"

start_net 4
engine_on
for family in 4 6; do
	try "LI11 HO14 v$family: handshakes with SELinux" 20 \
		generate -a "${server_ip[$family]}" -n 20 -u 20000 -d 20000
	try "SR13 HO14 v$family: data completes with SELinux" 5 \
		generate -a "${server_ip[$family]}" -n 5 -q -o client \
		-u 20000 -d 20000
done
end_net
