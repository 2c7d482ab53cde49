# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the kernel complains of.

guest_dir=$(dirname "${BASH_SOURCE[0]}")
kmemleak=/sys/kernel/debug/kmemleak
# CONFIG_HZ of debug/kernel.config; kmemleak tells time in jiffies
# shellcheck disable=SC2034 # run-tests uses it
kmemleak_hz=250

# without_faults: standard input without the traces that the kernel prints where
# memory is refused to the tests of that, by the functions of log-faults
without_faults()
{
	awk -v functions="$guest_dir/log-faults" '
		BEGIN {
			while ((getline line < functions) > 0)
				known[line] = 1
		}
		/^CPU: [0-9]+ PID: / {
			ours = / Comm: fault_[a-z]+ /
		}
		/^Call Trace:$/ && ours {
			held = 1
			next
		}
		held && ($1 == "<TASK>" || $1 == "?" ||
			 $1 ~ /^dump_stack(_lvl)?\+/) {
			next
		}
		held {
			sub(/(\.cold)?\+.*/, "", $1)
			if (!($1 in known))
				print "Call Trace: " $1
			held = 0
		}
		{
			print
		}'
}

# bad_log: lines of the kernel log since the last call that must not be there
bad_log()
{
	dmesg -c | sed 's/^\[[ .0-9]*\] //' | without_faults |
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
