# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the kernel complains of.

guest_dir=$(dirname "${BASH_SOURCE[0]}")
kmemleak=/sys/kernel/debug/kmemleak

# bad_log: lines of the kernel log since the last call that must not be there
bad_log()
{
	dmesg -c | sed 's/^\[[ .0-9]*\] //' |
		grep -E -f "$guest_dir/log-bad" |
		grep -v -x -F -f "$guest_dir/log-allowed"
}

# leaks: what a debug kernel has lost since the last call. It leaves alone what
# is younger than five seconds, and believes what two scans have found.
leaks()
{
	[ -w "$kmemleak" ] || return
	sleep 6
	echo scan >"$kmemleak"
	echo scan >"$kmemleak"
	cat "$kmemleak"
	echo clear >"$kmemleak"
}

# blind: says so, once, if a debug kernel has stopped to check locks
blind()
{
	[ -r /proc/lockdep_stats ] && [ ! -e /run/blind ] || return
	grep -q '^ debug_locks: *1' /proc/lockdep_stats && return
	touch /run/blind
	echo "locks are not checked any more"
}
