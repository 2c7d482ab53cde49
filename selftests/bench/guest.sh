#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the test machine. What was measured comes as lines
#
#	bench: OPERATION PEER VALUE
#
# what it was counted in as "counter: UNIT", and anything that does not go as it
# should ends it. Operations over IPv6 end in _ipv6.
#
#	guest.sh		everything
#	guest.sh smoke		what takes little time
#	guest.sh growth ROUNDS	a SYN with a thousand half-open connections, and with
#				a million: growth: PEER THOUSAND MILLION
#	guest.sh PEER LOAD	only this, and where functions are: symbol: ADDRESS NAME
set -eu -o pipefail
cd "$(dirname "$0")"
. ./flood.sh

samples=2048
warm=512

# show OPERATION [PEER]: the cost of the last one; what comes later, in RCU
# callbacks, is only told
show()
{
	local operation=$1

	[ "$family" = 4 ] || operation+=_ipv6
	echo "bench: $operation ${2:-$peer} $(cost)"
	echo "# $operation $peer: $result"
}

# cost: of the last operation
cost()
{
	awk -v a="$(found open)" -v b="$(found complete)" \
		'BEGIN { print a + b }'
}

# measure OPERATION LOAD: its cost, when the load does that
measure()
{
	do_load "$2" "$port" "$samples" "$warm"
	show "$1"
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

# Of the test machine it is known what it counts; others do what they can.
tell_counter()
{
	do_load counter
	echo "counter: $result"
	if [ "${THREEWAY_BENCH_COUNTER:-$result}" != "$result" ]; then
		echo "this machine counts $result," \
			"not $THREEWAY_BENCH_COUNTER"
		exit 1
	fi
}

handshakes()
{
	local each

	for each in "$@"; do
		with "$each" measure syn syn
		with "$each" measure handshake handshake
	done
}

# connects PEER...
connects()
{
	local each

	for each in "$@"; do
		with "$each" measure connect connect
	done
}

retransmits()
{
	local each

	for each in "$@"; do
		with "$each" measure retransmit retransmit
	done
}

exchanges()
{
	local each

	for each in "$@"; do
		with "$each" measure exchange exchange
	done
}

# When no replay has been for a minute, nothing of a passive claim is at LOCAL_OUT.
settled_exchange()
{
	do_load exchange "$port" 512 0
	sleep 70
	measure exchange exchange
}

# Many more of them: they are cheap.
floors()
{
	samples=$((8 * samples))
	with bounce measure syn syn
	with reply measure syn syn
	with drop measure syn void
	with arrival measure syn void
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

# In a machine whose caches are real, one round: both states soon after each other.
grow_round()
{
	local thousand

	do_load syn "$port" 1536 1024
	thousand=$(cost)
	do_load syn "$port" 998464 998464
	do_load syn "$port" 2048 0
	echo "growth: $peer $thousand $(cost)"
}

growth()
{
	local round

	for ((round = 0; round < $1; round++)); do
		with native grow_round
		with patient grow_round
	done
}

# measure_symbols LOAD: and where functions are meanwhile
measure_symbols()
{
	measure "$1" "$1"
	awk '$2 ~ /[tTwW]/ { print "symbol:", $1, $3 }' /proc/kallsyms
}

# What "make check" guards.
smoke()
{
	handshakes native threeway quick native-cookies late early
	connects native threeway
	retransmits native threeway
	exchanges native threeway observed other-port loaded
	with passive settled_exchange
}

everything()
{
	smoke
	floors
	handshakes synproxy
	exchanges hooks
	memory
	with claims measure syn syn
	with patient grow
	family=6
	handshakes native threeway quick native-cookies synproxy late early
	connects native threeway
	floors
	family=4
	flood
}

with native tell_counter
case ${1:-} in
growth)	growth "$2" ;;
smoke)	smoke ;;
'')	everything ;;
*)	with "$1" measure_symbols "$2" ;;
esac
