# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For tests written in bash: results in TAP, the module, network namespaces.
# Use it by
#
#	. "$(dirname "$0")/../lib.sh"
#
# Namespaces that setup_ns made and claims go away by themselves at the end.

lib_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ksft_skip=4
# How many times slower than a stock kernel this one may be.
patience=${THREEWAY_PATIENCE:-1}

tap_planned=0
tap_done=0
tap_failed=0
lib_namespaces=()

# diag TEXT: each line of it as a TAP comment
diag()
{
	local line

	while IFS= read -r line; do
		echo "# $line"
	done <<<"$*"
}

# tap_plan N: how many results will come
tap_plan()
{
	tap_planned=$1
	echo "TAP version 13"
	echo "1..$1"
}

ok()
{
	tap_done=$((tap_done + 1))
	echo "ok $tap_done $*"
}

# not_ok NAME [DIAGNOSTIC...]
not_ok()
{
	tap_done=$((tap_done + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_done $1"
	shift
	[ $# -eq 0 ] || diag "$*"
}

# skip NAME REASON...
skip()
{
	tap_done=$((tap_done + 1))
	echo "ok $tap_done $1 # SKIP ${*:2}"
}

# skip_all REASON...: the whole test cannot run here
skip_all()
{
	echo "TAP version 13"
	echo "1..0 # SKIP $*"
	exit "$ksft_skip"
}

# check NAME COMMAND...: ok when the command succeeds, else with its output
check()
{
	local name=$1 output status=0

	shift
	output=$("$@" 2>&1) || status=$?
	if [ "$status" -eq 0 ]; then
		ok "$name"
	else
		not_ok "$name" "$* exits $status${output:+: $output}"
	fi
}

# check_equal NAME GOT WANT
check_equal()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got '$2', want '$3'"
	fi
}

# check_within NAME GOT LOW HIGH: LOW <= GOT <= HIGH, whole numbers
check_within()
{
	if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then
		ok "$1"
	else
		not_ok "$1" "got $2, want $3 to $4"
	fi
}

# finish: ends the test; results that are missing make it fail
finish()
{
	if [ "$tap_done" -ne "$tap_planned" ]; then
		diag "$tap_done results, $tap_planned planned"
		exit 1
	fi
	[ "$tap_failed" -eq 0 ] || exit 1
	exit 0
}

need_root()
{
	[ "$(id -u)" = 0 ] || skip_all "needs root"
}

# The module that was just built goes before one that is installed.
load_module()
{
	local built=$lib_dir/../threeway.ko

	need_root
	[ ! -d /sys/module/threeway ] || return 0
	if [ -e "$built" ] && insmod "$built"; then
		return
	fi
	modprobe threeway || skip_all "threeway.ko cannot be loaded"
}

# unload_module: fails when the module stays, or leaves its slab behind
unload_module()
{
	rmmod threeway || return 1
	[ ! -e /sys/kernel/slab/threeway_flow ] &&
		[ ! -e /sys/kernel/slab/threeway_flow_ipv6 ] &&
		[ ! -e /sys/kernel/slab/threeway_flow_large ] &&
		! grep -q '^threeway_flow' /proc/slabinfo
}

# setup_ns A B: two namespaces joined by a veth pair; in each it is called
# "veth" and has 192.0.2.1/24, 2001:db8::1/64 in A, .2 and ::2 in B.
setup_ns()
{
	lib_namespaces+=("$1" "$2")
	if ! { ip netns add "$1" && ip netns add "$2" &&
	       ip -n "$1" link add veth type veth peer name veth netns "$2" &&
	       setup_end "$1" 1 && setup_end "$2" 2; }; then
		echo "Bail out! no namespaces $1 and $2"
		exit 1
	fi
}

# setup_end NS NUMBER: one end of the pair
setup_end()
{
	ip -n "$1" link set lo up &&
		ip -n "$1" link set veth up &&
		ip -n "$1" address add "192.0.2.$2/24" dev veth &&
		ip -n "$1" address add "2001:db8::$2/64" dev veth nodad
}

# teardown_ns: ends what runs in the namespaces of setup_ns, and deletes them
teardown_ns()
{
	local ns pids

	for ns in "${lib_namespaces[@]}"; do
		pids=$(ip netns pids "$ns" 2>/dev/null)
		# shellcheck disable=SC2086 # a list of numbers
		[ -z "$pids" ] || kill -9 $pids 2>/dev/null
		ip netns del "$ns" 2>/dev/null
	done
	lib_namespaces=()
}
trap teardown_ns EXIT

# in_ns NS COMMAND...: without the mounts of "ip netns exec", which take longer than
# the rest of it; /sys is of the namespace outside
in_ns()
{
	nsenter --net="/run/netns/$1" "${@:2}"
}

# mac_address NS: of its end of the veth pair
mac_address()
{
	ip netns exec "$1" cat /sys/class/net/veth/address
}

# wait_for SECONDS COMMAND...: repeats it until it succeeds, with all patience;
# less often if the command itself takes long
wait_for()
{
	local tries=$(($1 * 20 * patience)) end=$((SECONDS + 4 * $1 * patience))

	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$tries" -gt 0 ] && [ "$SECONDS" -le "$end" ] || return 1
		tries=$((tries - 1))
		sleep 0.05
	done
}

# listening NS PORT: whether something listens there on that TCP port
listening()
{
	[ -n "$(in_ns "$1" ss -Hltn "sport = :$2")" ]
}

# counter NAME [NS]: a counter of the module
counter()
{
	local enter=()

	[ $# -eq 1 ] || enter=(ip netns exec "$2")
	"${enter[@]}" cat /proc/net/threeway/stat |
		awk -v name="$1" '$1 == name { print $2 }'
}

# claim NS WORDS...: threeway claim add in a namespace
claim()
{
	threeway -n "$1" claim add "${@:2}"
}
