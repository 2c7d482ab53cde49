#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The server's address, or its interface, goes under half-open passive flows and
# comes back: each scene is played without a claim, then with one.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

# An address besides: routes do not go with it.
declare -A second_ip=([4]=192.0.2.5 [6]=2001:db8::5)
declare -A second=([4]="192.0.2.5/24 dev veth" [6]="2001:db8::5/64 dev veth nodad")

# both_ends: a listener, and a client that is going to connect
both_ends()
{
	echo "
		ns srv
		socket l 6
		bind l :: $port
		listen l 5
		ns cli
		socket c $family"
}

# begin: as well with the address besides
begin()
{
	both_ends
	echo "sh bash $work/add"
}

# lose NS FILE: until no_loss. The log sees what cli's netfilter loses.
lose()
{
	echo "sh ip netns exec $1 nft -f $work/$2"
}

no_loss()
{
	echo "
		sh ip netns exec srv nft flush ruleset
		sh ip netns exec cli nft flush ruleset"
}

# while_gone: from 500 ms to 4 s, over two timeouts
while_gone()
{
	echo "
		sleep 500
		sh bash $work/del
		sleep 3500
		sh bash $work/add"
	no_loss
}

# The client believes that it is connected. LINE... once the third copy is due.
ack_lost()
{
	begin
	lose srv no_acks
	echo "connect c ${second_ip[$family]} $port"
	while_gone
	echo "accept l a 4000"
	printf '%s\n' "$@" "abort c" "close l" "sleep 1000"
}

ack_lost_completes()
{
	ack_lost "send c 10" "recv a 10" "send a 10" "recv c 10"
}

ack_lost_is_reset()
{
	ack_lost "send c 10" "error c"
}

# The client repeats its SYN, the third time to a server that is there again.
synack_lost()
{
	begin
	lose cli no_synacks
	echo "start c ${second_ip[$family]} $port"
	while_gone
	echo "
		finish c
		accept l a
		send c 10
		recv a 10
		abort c
		close l
		sleep 1000"
}

# wire SCENE: plays it; then who sent what in which second, however often
wire()
{
	bash "$work/add"
	log_packets "$work/packets" times
	"$@" | ./sockscript
	stop_log
	bash "$work/del"
	awk '{
			second = int(($5 + 50) / 1000)
			print $3 < 32000 ? ">" : "<", $4, second
		}' "$work/packets" | sort -u -k 3n -k 1,2
}

native_and_engine()
{
	wire "$1" >"$work/native" 2>&1
	engine_on
	count_from_here
	wire "$2" >"$work/engine" 2>&1
	wait_for 10 no_flows
}

# same COUNTERS SCENE LINE...: the engine as the native stack, the lines were seen
same()
{
	local line status=0

	native_and_engine "$2" "$2"
	read -ra changes <<<"$1"
	counted "${changes[@]}" || status=1
	engine_off
	# both ends repeat in that second: whose packet comes first is chance
	sed -i '/^> 02 7$/d' "$work/native" "$work/engine"
	cmp -s "$work/native" "$work/engine" || status=1
	for line in "${@:3}"; do
		grep -qxF -- "$line" "$work/engine" || status=1
	done
	[ "$status" = 0 ] && return
	echo "- native, + engine:"
	diff -U 100 "$work/native" "$work/engine"
	return 1
}

# A copy without a route ends the native request. The flow goes on (RT16), and the
# first copy behind the address's return completes it.
survives()
{
	local status=0

	native_and_engine ack_lost_is_reset ack_lost_completes
	counted flows_opened=1 sent_synack=1 send_failed=2 \
		sent_synack_timer=1 flows_handed_over=1 || status=1
	engine_off
	# the reset comes when the client sends: when the script is that far
	sed -i 's/^< 04 [89]$/< 04/' "$work/native"
	cmp -s "$work/native" - <<-END || status=1
		connect.c=0
		accept.a=EAGAIN
		error.c=ECONNRESET
		< 12 0
		> 02 0
		< 04
	END
	[ -n "$native" ] || cmp -s "$work/engine" - <<-END || status=1
		connect.c=0
		accept.a=0
		recv.a=10
		recv.c=10
		< 12 0
		> 02 0
		< 12 7
		> 14 7
	END
	[ "$status" = 0 ] && return
	echo "- native, + engine:"
	diff -U 100 "$work/native" "$work/engine"
	return 1
}

# new_link: the veth goes, and one like it comes
new_link()
{
	ip -n srv link del veth
	sleep "$1"
	ip -n srv link add veth type veth peer name veth netns cli
	setup_end srv 1
	setup_end cli 2
	sleep 0.5
	route_strangers
}

# The flows go on over the new link, by their schedule, and expire.
link_comes_back()
{
	local status=0 pause_ms=$((rto_ms * 3 / 2)) pause_s

	printf -v pause_s '%d.%03d' $((pause_ms / 1000)) $((pause_ms % 1000))
	route_strangers
	serve
	engine_on synack_retries 3 backlog 10000 rto_initial_ms "$rto_ms"
	count_from_here
	hang 500
	wait_for 5 flows_are 1000 || status=1
	new_link "$pause_s"
	flows_are 1000 || status=1
	in_ns cli nft -f "$work/count_synacks"
	wait_for 20 no_flows || status=1
	counted flows_opened=1000 sent_synack=1000 send_failed=1000 \
		sent_synack_timer=2000 flows_expired=1000 icmp_soft=any || status=1
	in_ns cli nft list ruleset | grep 'counter packets'
	in_ns cli nft list ruleset | grep -q 'counter packets 2000 ' || status=1
	no_filter
	in_ns cli nft flush ruleset
	engine_off
	stop_serving
	return "$status"
}

# What is under way meets the new link: the ACK to the next copy completes it.
connects_over_new_link()
{
	local status=0

	count_from_here
	{
		both_ends
		lose srv no_acks
		echo "
			connect c ${server_ip[$family]} $port
			sleep 500
			sh new_link $((3 * patience))"
		no_loss
		echo "
			accept l a $((4500 * patience))
			send c 70000
			recv a 70000
			send a 70000
			recv c 70000
			abort c
			error a
			close a
			close l"
	} | script
	counted flows_opened=1 sent_synack=1 send_failed=2 \
		sent_synack_timer=1 flows_handed_over=1 || status=1
	expect connect.c=0 accept.a=0 recv.a=70000 recv.c=70000 || status=1
	return "$status"
}

start_net "$([ -n "$native" ] && echo 4 || echo 7)"
know_neighbour srv 2 cli
know_neighbour cli 1 srv
for what in ack synack; do
	flag="syn|ack"
	[ "$what" = synack ] || flag=ack
	cat >"$work/no_${what}s" <<-END
		table inet lose {
			chain early {
				type filter hook prerouting priority -400;
				tcp flags & (syn|ack) == ($flag) drop
			}
		}
	END
done
sed 's/drop/counter/' "$work/no_synacks" >"$work/count_synacks"
export -f new_link setup_end route_strangers know_neighbour mac_address in_ns

for family in 4 6; do
	echo "ip -n srv address del ${second[$family]/ nodad}" >"$work/del"
	cat >"$work/add" <<-END
		ip -n srv address replace ${second[$family]}
		ip -n cli neighbour replace ${second_ip[$family]} \
			lladdr $(mac_address srv) dev veth
	END
	check "LC6 v$family: the address goes, and comes back to a repeated SYN" \
		same "flows_opened=1 sent_synack=1 send_failed=0-3 sent_synack_timer=0-3 segment_duplicate_syn=0-1 segment_duplicate_limited=0-1 sent_synack_duplicate=0-1 flows_handed_over=1" \
		synack_lost connect.c=0 recv.a=10
	if [ "$family" = 4 ]; then
		check "LC6 RT16 v4: the address goes, and comes back to a copy" \
			survives
	else
		# a route needs no address of its own here
		check "LC6 v6: the address goes, and comes back to a copy" same \
			"flows_opened=1 sent_synack=1 sent_synack_timer=3 flows_handed_over=1" \
			ack_lost_completes accept.a=0 recv.a=10 "< 12 1"
	fi
done
if [ -z "$native" ]; then
	# where programs are slow, a new link takes longer than the usual second
	rto_ms=$((1000 * patience))
	check "LC6 1,000 half-open flows, and the link comes back" link_comes_back
	engine_on rto_initial_ms "$rto_ms"
	for family in 4 6; do
		check "LC6 RT16 v$family: a flow is completed over a new link" \
			connects_over_new_link
	done
	engine_off
fi
end_net
