# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Clients with ordinary sockets connect while SYNs of peers that never answer come
# at a rate: for each peer
#
#	flood: PEER SYNS_EACH_SECOND SUCCESS_PERCENT MEDIAN_US P99_US
#
# and after the flood everything must be as it was before. Each has room for as
# many half-open connections. It runs in the directory that it is in.
. ./peers.sh

flood_backlog=4096
# Those that the native stack survives are looked for in steps of two, up or down
# from the first one.
flood_least=16
flood_first=256
flood_most=4096
flood_clients=100
flood_peers="native native-cookies synproxy late-auto early-auto"
# A SYN-ACK is sent again for a minute: no more half-open connections come then.
flood_warm=64

# set_up_flood PEER: and clients in a namespace "c", a link away
set_up_flood()
{
	many=$flood_backlog
	set_up "$1"
	ip netns add c
	ip -n c link set lo up
	ip -n b link add clients type veth peer name server netns c
	ip -n b address add 198.51.100.1/24 dev clients
	ip -n c address add 198.51.100.2/24 dev server
	ip -n b link set clients up
	ip -n c link set server up
	set_sysctl net.core.somaxconn="$flood_backlog"
	# itself in the background, without what the load is told by
	ip netns exec b ./clients serve "$port" "$flood_backlog" \
		{load}>&- &
	server=$!
	until [ -n "$(in_b ss -Hltn "sport = :$port")" ]; do
		sleep 0.1
	done
	# what is made for the first time stays
	clients 20 20 5000
	sleep 2
}

tear_down_flood()
{
	kill "$server"
	wait "$server" || true
	ip netns delete c
	tear_down
	many=16777216
}

# clients COUNT EACH_MS PATIENCE_MS: sets success, median and p99
clients()
{
	read -r _ success _ median _ p99 < <(ip netns exec c ./clients connect \
		198.51.100.1 "$port" "$@")
}

# count_state: half-open connections, sockets, connections that are tracked
count_state()
{
	local flows=0 tracked=0

	[ ! -e /proc/net/threeway ] ||
		flows=$(in_b cat /proc/net/threeway/flows | tail -n +2 | wc -l)
	[ ! -e /proc/sys/net/netfilter/nf_conntrack_count ] ||
		tracked=$(in_b sysctl -n net.netfilter.nf_conntrack_count)
	echo "flows $flows sockets $(in_b ss -Htan | wc -l) tracked $tracked"
}

# no_more STATE: is there no more of anything now? Of what earlier clients left
# there may be less.
no_more()
{
	count_state | awk -v was="$1" '{
		split(was, before)
		for (i = 2; i <= NF; i += 2)
			if ($i + 0 > before[i] + 0)
				exit 1
	}'
}

# check_calm STATE KIB: is everything as it was before, after a while?
check_calm()
{
	local tries=60 kib=0

	while [ "$((tries--))" -gt 0 ]; do
		kib=$(count_memory)
		if no_more "$1" && [ "$kib" -le "$2" ]; then
			return 0
		fi
		sleep 5
	done
	echo "$peer: not as before the flood: $(count_state), was $1;" \
		"$kib KiB, was $2"
	exit 1
}

# flood_at RATE WARM COUNT EACH_MS PATIENCE_MS: a flood and its clients
flood_at()
{
	local state kib

	state=$(count_state)
	kib=$(count_memory)
	do_load flood "$port" "$1"
	sleep "$2"
	clients "${@:3}"
	do_load calm
	echo "# flood $peer: $result; $(count_state)"
	echo "flood: $peer $1 $success $median $p99"
	# slabs keep some of what they had
	check_calm "$state" $((kib + 2048))
}

# flood_with PEER RATE...: as flood_at
flood_with()
{
	set_up_flood "$1"
	flood_at "${@:2}"
	tear_down_flood
}

# find_survived: the highest rate at which 99 of 100 clients of the native stack
# connect, into "survived"
find_survived()
{
	local rate=$flood_first

	survived=0
	while [ "$rate" -ge "$flood_least" ] && [ "$rate" -le "$flood_most" ]; do
		flood_with native "$rate" "$flood_warm" "$flood_clients" 50 10000
		if awk -v success="$success" 'BEGIN { exit success < 99 }'; then
			survived=$rate
			[ "$rate" -ge "$flood_first" ] || break
			rate=$((2 * rate))
		else
			[ "$survived" -eq 0 ] || break
			rate=$((rate / 2))
		fi
	done
	if [ "$survived" -eq 0 ] || [ "$rate" -gt "$flood_most" ]; then
		echo "what the native stack survives is not from $flood_least" \
			"to $flood_most SYNs each second"
		exit 1
	fi
	echo "survived: $survived"
}

flood()
{
	local each rate what

	find_survived
	for each in $flood_peers; do
		rate=$((10 * survived))
		flood_with "$each" "$rate" "$flood_warm" "$flood_clients" 50 10000
		for what in success median p99; do
			echo "bench: flood_$what $each ${!what}"
		done
	done
	for rate in 20000 80000 320000; do
		for each in $flood_peers; do
			flood_with "$each" "$rate" 0.3 40 10 2000
		done
	done
}
