# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# Scenes that are played without a claim, then with one, on top of net.sh: what
# the two sockets tell and what is on the wire is the same. The test says what
# done_by_engine and estimate_of are.
# shellcheck disable=SC2154 # what net.sh and the test set

families="4 6"
listener_options=()
client_options=()
settle_ms=5

# connect_and_accept FAMILY [CLIENT-FAMILY]
connect_and_accept()
{
	local client=${2:-$1}

	echo "ns srv"
	echo "socket l $1"
	printf 'set l %s\n' "${listener_options[@]}"
	echo "bind l ${any_ip[$1]} $port"
	echo "listen l 5"
	echo "ns cli"
	echo "socket c $client"
	[ ${#client_options[@]} -eq 0 ] ||
		printf 'set c %s\n' "${client_options[@]}"
	echo "connect c ${server_ip[$client]} $port"
	echo "accept l a"
}

# look_at_both: all that the two sockets tell
look_at_both()
{
	echo "
		info a
		info c
		options a
		repair a
		repair c
		same a c"
}

scene_estimates()
{
	connect_and_accept "$1"
	printf '%s\n' "estimates $estimate_of" "abort c" "abort a" "close l"
}

# The standard scene: both ends right after the handshake, and after some data,
# which is read when all of its ACKs were sent: their windows tell of it. More is
# sent when all was acknowledged: by how much the congestion window grows would
# depend on whether an ACK that is delayed comes before. Data begins where TCP's
# timers tick: copies of native segments do, the engine's leave in between.
scene_plain()
{
	connect_and_accept "$@"
	look_at_both
	echo "
		tick
		send c 1000
		recv a 1000
		send a 1000
		recv c 1000
		sleep 60
		send a 3000
		sleep 60
		recv c 3000
		sleep 60
		info a
		info c
		shut c
		error a
		close a
		error c
		close c
		sleep $settle_ms
		close l"
}

scene_tos()
{
	if [ "$1" = 4 ]; then
		client_options+=("IP_TOS 16")
	else
		client_options+=("IPV6_TCLASS 16")
	fi
	scene_plain "$1"
}

# lose NS MATCH: a script line, from which on such packets are lost
lose()
{
	echo "
		sh echo 'flush ruleset; table inet lose { chain early { type filter hook prerouting priority -400; $2 drop; }; }' | ip netns exec $1 nft -f -"
}

# play SCENE: for each family in turn
play()
{
	local family

	for family in $families; do
		("scene_$1" "$family")
	done
}

# record SCENE NAME FAMILY...: plays it for each, logs its packets
record()
{
	local family file

	for family in "${@:3}"; do
		file=$work/$2.$family
		log_packets "$file.packets"
		families=$family play "$1" | ./sockscript >"$file" 2>&1
		stop_log
		if [[ $1 == lost_* ]]; then
			in_ns srv nft flush ruleset
			in_ns cli nft flush ruleset
		fi
		[[ $1 != lost_synack* ]] || true >"$file.packets"
	done
}

# differences NATIVE ENGINE: of two records
differences()
{
	cmp -s "$1" "$2" && cmp -s "$1.packets" "$2.packets" && return
	echo "- native, + engine:"
	diff -U 0 "$1" "$2" | head -n 30
	diff -U 0 "$1.packets" "$2.packets" | head -n 30
}

# keep NAME FAMILY: the record, if it is a new one
keep()
{
	local each file=$work/$1.$2

	for each in "$file"_*[0-9]; do
		[ ! -e "$each" ] || [ "$(differences "$each" "$file")" ] ||
			return 0
	done
	kept=$((kept + 1))
	cp "$file" "${file}_$kept"
	cp "$file.packets" "${file}_$kept.packets"
}

# in_common FAMILY: have native stack and engine done the same once?
in_common()
{
	local native engine

	for native in "$work/native.$1"_*[0-9]; do
		for engine in "$work/engine.$1"_*[0-9]; do
			[ "$(differences "$native" "$engine")" ] || return 0
		done
	done
	return 1
}

# alike SCENE FAMILY: what the native stack does another time is native, too: a
# window depends on whether data were read before it was told, a congestion window
# on the round trip, in which a slow machine's own time is. And what the engine's
# connections do another time is theirs. Both have something in common, or differ.
alike()
{
	local again=$((10 * patience)) different kept=0

	rm -f "$work"/{native,engine}."$2"_*
	keep native "$2"
	keep engine "$2"
	different=$(differences "$work/native.$2" "$work/engine.$2")
	while ! in_common "$2"; do
		if [ "$again" = 0 ]; then
			echo "$different"
			return 1
		fi
		again=$((again - 1))
		for _ in 1 2 3; do
			record "$1" native "$2"
			keep native "$2"
		done
		engine_on
		record "$1" engine "$2"
		engine_off
		keep engine "$2"
	done
	return 0
}

# estimated RTT-LOW RTT-HIGH: what the engine's connections are believed to be
# like, right after the handshake
estimated()
{
	engine_on
	count_from_here
	play estimates | script
	handed_over 2 "${@:3}" || return 1
	engine_off
	awk -F= -v low="$1" -v high="$2" '
		/\.rtt=/ {
			seen++
		}
		/\.(min_)?rtt=/ && ($2 < low || $2 > high) ||
		/\.rto=/ && ($2 < 200000 + low || $2 > 200000 + 4 * high) ||
		/\.pacing_rate=/ && $2 < 1 {
			print "implausible", $0
			bad = 1
		}
		END {
			exit bad || seen != 2
		}' "$work/results"
}

# compare SCENE [COUNTERS]: native first, then the engine
compare()
{
	local family connected=0 status=0
	local -a changes

	# shellcheck disable=SC2086 # a list
	record "$1" native $families
	for family in $families; do
		if [ "$(grep -c '^connect.c=0$' "$work/native.$family")" != 1 ]; then
			echo "the native stack does not connect:"
			tail -n 3 "$work/native.$family"
			return 1
		fi
		connected=$((connected + 1))
	done
	engine_on
	count_from_here
	# shellcheck disable=SC2086 # a list
	record "$1" engine $families
	wait_for 2 no_flows
	read -ra changes < <(done_by_engine "$connected")
	counted "${changes[@]}" "${@:2}" || status=1
	engine_off
	for family in $families; do
		alike "$1" "$family" || status=1
	done
	return "$status"
}

# equal RULES NAME SCENE [COUNTERS]
equal()
{
	check "$1 v${families/ / v}: $2" compare "${@:3}"
}

# with_sysctls NS "NAME=VALUE..." COMMAND...: for the time of the command
with_sysctls()
{
	local ns=$1 setting name
	local -a old=()

	for setting in $2; do
		name=net.ipv4.${setting%%=*}
		old+=("$name=$(in_ns "$ns" sysctl -n "$name")")
		in_ns "$ns" sysctl -qw "net.ipv4.${setting//,/ }"
	done
	"${@:3}"
	in_ns "$ns" sysctl -qw "${old[@]}"
}

round_trip()
{
	settle_ms=150
	tc -n cli qdisc add dev veth root netem delay 25ms
	tc -n srv qdisc add dev veth root netem delay 25ms
	equal "HO10" "round trip of 50 ms" plain
	check "HO10 estimates of a round trip of 50 ms" estimated 50000 60000
	settle_ms=5
	tc -n cli qdisc del dev veth root
	tc -n srv qdisc del dev veth root
}
