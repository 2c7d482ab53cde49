#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the test machine. Each peer does each operation in a network namespace
# of its own. What was measured comes as lines
#
#	bench: OPERATION PEER VALUE
#
# and anything that does not go as it should ends it.
#
#	guest.sh		everything
#	guest.sh smoke		what takes little time
#	guest.sh PEER LOAD	only this, and where functions are: symbol: ADDRESS NAME
set -eu -o pipefail
cd "$(dirname "$0")"

port=80
samples=2048
warm=512
many=16777216

# set_up PEER: a namespace with the load's device, where PEER answers
set_up()
{
	peer=$1
	ip netns add b
	in_b insmod ./hs_load.ko
	ip -n b link set lo up
	ip -n b link set load0 up
	ip -n b address add 192.0.2.1/24 dev load0
	ip -n b route add default via 192.0.2.254 dev load0
	set_sysctl net.ipv4.tcp_max_syn_backlog=$many
	exec {load}<>/dev/hs_load
	"set_up_${peer//-/_}"
	do_load listen "$port"
}

tear_down()
{
	[ ! -d /sys/module/threeway ] || check_engine
	exec {load}>&-
	[ ! -d /sys/module/hs_floor ] || rmmod hs_floor
	rmmod hs_load
	ip netns delete b
	# a namespace dies in the background
	[ ! -d /sys/module/threeway ] || rmmod threeway
	if [ "$(dmesg | grep -c -E 'WARNING:|BUG:|Call Trace|RCU.*stall')" -ne 0 ]; then
		dmesg | tail -n 40
		exit 1
	fi
}

# Has the engine done its work, and left nothing of it to the native stack?
check_engine()
{
	in_b cat /proc/net/threeway/stat | awk -v peer="$peer" '
		$1 ~ /^native_/ && $2 > 0 { print peer ": " $0; bad = 1 }
		$1 == "flows_opened" { opened = $2 }
		END {
			if (!opened == (peer ~ /^(threeway|observed|patient|claims)$/)) {
				print peer ": flows_opened " opened
				bad = 1
			}
			exit bad
		}'
}

in_b()
{
	ip netns exec b "$@"
}

set_sysctl()
{
	in_b sysctl -q -w "$@"
}

set_up_native()
{
	set_sysctl net.ipv4.tcp_syncookies=0
}

set_up_native_cookies()
{
	set_sysctl net.ipv4.tcp_syncookies=2
}

set_up_synproxy()
{
	set_up_native
	in_b nft -f - <<-END
		table ip bench {
			chain raw {
				type filter hook prerouting priority raw;
				tcp dport $port tcp flags syn notrack
			}
			chain input {
				type filter hook input priority filter;
				tcp dport $port ct state { invalid, untracked } \
					synproxy mss 1460 wscale 7 timestamp sack-perm
				ct state invalid drop
			}
		}
	END
	set_sysctl net.netfilter.nf_conntrack_tcp_loose=0
}

set_up_bounce()
{
	in_b insmod ./hs_floor.ko bounce=1
}

set_up_drop()
{
	in_b insmod ./hs_floor.ko
}

# The module without a claim.
set_up_loaded()
{
	set_up_native
	modprobe threeway
}

set_up_unlimited()
{
	set_up_loaded
	set_sysctl net.threeway.max_syn_backlog=$many \
		net.threeway.max_flows=$many
}

set_up_threeway()
{
	set_up_unlimited
	threeway -n b claim add passive port "$port"
	threeway -n b claim add active port "$port"
}

set_up_observed()
{
	set_up_unlimited
	threeway -n b claim add passive mode observe port "$port"
	threeway -n b claim add active mode observe port "$port"
}

set_up_other_port()
{
	set_up_unlimited
	threeway -n b claim add passive port $((port + 1))
	threeway -n b claim add active port $((port + 1))
}

# Flows that do not retransmit while they grow many.
set_up_patient()
{
	set_up_threeway
	set_sysctl net.threeway.rto_max_ms=120000 \
		net.threeway.rto_initial_ms=60000
}

# Claims for clients that never come, of eight prefix lengths.
set_up_claims()
{
	set_up_threeway
	awk -v port="$port" 'BEGIN {
		for (i = 0; i < 9998; i++) {
			len = substr("3230282624222016", i % 8 * 2 + 1, 2)
			at = 16 * 2 ^ 24 + int(i / 8) * 2 ^ (32 - len)
			printf "claim add passive port %d remote %d.%d.%d.%d/%d\n",
				port, at / 2 ^ 24, at / 2 ^ 16 % 256,
				at / 2 ^ 8 % 256, at % 256, len
		}
	}' | threeway -n b -batch -
	[ "$(threeway -n b claim show | wc -l)" -ge 10000 ]
}

# do_load WORD...: tells the load what to do, and leaves what it found in "result"
do_load()
{
	if ! echo "$*" >&"$load" || ! read -r result <&"$load"; then
		echo "$peer: no $*"
		exit 1
	fi
}

# found NAME: this number of the result
found()
{
	awk -v name="$1" '{
		for (i = 1; i < NF; i += 2)
			if ($i == name)
				print $(i + 1)
	}' <<<"$result"
}

# show OPERATION [PEER]: the cost of the last one; what comes later, in RCU
# callbacks, is only told
show()
{
	echo "bench: $1 ${2:-$peer} $(awk -v a="$(found open)" \
		-v b="$(found complete)" 'BEGIN { print a + b }')"
	echo "# $1 $peer: $result"
}

# measure OPERATION LOAD: its cost, when the load does that
measure()
{
	do_load "$2" "$port" "$samples" "$warm"
	show "$1"
}

# count_memory: KiB that the kernel has allocated
count_memory()
{
	sysctl -q vm.stat_refresh=1
	awk '/^(Slab|VmallocUsed|Percpu|KernelStack|PageTables):/ { sum += $2 }
		END { print sum }' /proc/meminfo
}

# measure_memory FLOWS
measure_memory()
{
	local before

	do_load syn "$port" 1024 0
	sleep 0.2
	before=$(count_memory)
	do_load syn "$port" "$1" 0
	sleep 0.2
	echo "bench: memory $peer $((($(count_memory) - before) * 1024 / $1))"
}

# with PEER COMMAND...: in a namespace of its own
with()
{
	set_up "$1"
	"${@:2}"
	tear_down
}

check_counter()
{
	do_load check
	awk -v counts="$(found counts)" 'BEGIN {
		exit counts < 0.99 || counts > 1.02
	}' || {
		echo "this machine's counter does not count instructions: $result"
		exit 1
	}
}

handshakes()
{
	local each

	for each in "$@"; do
		with "$each" measure syn syn
		with "$each" measure handshake handshake
	done
}

# What only the native stack and the engine do.
others()
{
	local each

	for each in native threeway; do
		with "$each" measure connect connect
		with "$each" measure retransmit retransmit
	done
	for each in native threeway observed other-port loaded; do
		with "$each" measure exchange exchange
	done
}

floors()
{
	samples=$((8 * samples))
	with bounce measure syn syn
	with drop measure syn void
	samples=$((samples / 8))
}

memory()
{
	with native measure_memory 131072
	with patient measure_memory 131072
}

grow()
{
	do_load syn "$port" 1536 1024
	show growth thousand
	do_load syn "$port" 998912 998912
	do_load syn "$port" 512 0
	show growth million
}

# measure_symbols LOAD: and where functions are meanwhile
measure_symbols()
{
	measure "$1" "$1"
	awk '$2 ~ /[tTwW]/ { print "symbol:", $1, $3 }' /proc/kallsyms
}

with native check_counter
case $# in
2)
	with "$1" measure_symbols "$2"
	;;
*)
	handshakes native threeway
	others
	[ "${1:-}" != smoke ] || exit 0
	handshakes native-cookies synproxy
	floors
	memory
	with claims measure syn syn
	with patient grow
	;;
esac
