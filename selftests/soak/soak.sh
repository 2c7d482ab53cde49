#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything at once, in rounds that a seed chooses: real connections and copies
# of every segment from all CPUs, while claims, sysctls, links and CPUs change,
# readers, namespaces, floods and, in some rounds, killed flows and the module
# itself come and go. Each round ends with nothing left behind.
#
#   SEED		chooses what is going on; the interleaving is chance
#   ROUND		only that one of its rounds
#   SOAK_SECONDS	about so long, instead of one round of each kind
# shellcheck disable=SC2317 # the functions are run by name
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/../net/net.sh"
cd ../net || exit 1

[ -z "$native" ] || skip_all "nothing to soak"
storm_port=9090
storm_rto_ms=$((100 * patience))
declare -A storm_from=([4]=198.51.100.2 [6]=2001:db8:1::2)
declare -A storm_to=([4]=198.51.100.1 [6]=2001:db8:1::1)
round_seconds=20
seed=${SEED:-$((RANDOM * 32768 + RANDOM))}
first=${ROUND:-1}
rounds=3
if [ "${SOAK_SECONDS:-0}" -gt 0 ]; then
	rounds=$((SOAK_SECONDS / round_seconds))
	[ "$rounds" -ge 3 ] || rounds=3
fi
last=${ROUND:-$rounds}
# A slow machine needs its time for more than what goes on: else the flows of the
# floods, which grow in number meanwhile, take all of it for their copies.
[ "$patience" -eq 1 ] || rest_s=$patience

# What may go on in a round; all connections succeed in spite of it, but for one
# thing: data that overtake the ACK of a SYN cookie are reset. So in a calm round
# links, which reorder, come without cookies. Others come with the kinds that are
# not calm.
gentle=(claims policies readers monitor namespace flood links open)
shopt -s nullglob
cpus=(/sys/devices/system/cpu/cpu[1-9]*/online)
[ ${#cpus[@]} -eq 0 ] || gentle+=(hotplug)

# draw N: one of the next numbers below N in $drawn. RANDOM begins anew in each
# subshell, and could not be repeated.
draw()
{
	state=$(((state * 1103515245 + 12345) & 0x7fffffff))
	drawn=$(((state >> 8) % $1))
}

# one_of WORDS: any of them in $chosen
one_of()
{
	draw $#
	shift "$drawn"
	chosen=$1
}

# pause N: less than N tenths of a second
pause()
{
	draw "$1"
	sleep "0.$drawn"
}

# Whatever turned off a CPU is gone.
cpus_online()
{
	local cpu

	for cpu in "${cpus[@]}"; do
		[ "$(<"$cpu")" = 1 ] || echo 1 >"$cpu"
	done
}

# may_send_cookies: may they in this round?
may_send_cookies()
{
	[ "$kind" != calm ] || [[ " ${going_on[*]} " != *" links "* ]]
}

# some_claims DIRECTION: for the port of the real connections, as a batch
some_claims()
{
	local selector cookies=never

	may_send_cookies && cookies=always
	for _ in 1 2 3; do
		one_of "" "local 192.0.2.0/24" "remote 192.0.2.0/24" \
			"remote 2001:db8::/64" "local 2001:db8::/32"
		selector=$chosen
		one_of "" "rto_initial_ms 100" "rto_initial_ms 300 isn kernel" \
			"sack off timestamps off" "window_scaling off" \
			"ecn off" "syn_retries 8" "synack_retries 9" \
			"mode observe" "synack_path early" \
			"cookies $cookies cookie_path early"
		echo "claim add $1 port $port $selector $chosen"
		draw 3
		[ "$drawn" = 0 ] && echo "claim flush $1 port $port"
	done
}

claims()
{
	one_of "srv passive" "cli active"
	some_claims "${chosen#* }" |
		threeway -n "${chosen% *}" -force -batch -
	pause 3
	return 0
}

# sysctls "NAME VALUE..."...: any of the values, at one of the ends
sysctls()
{
	local each ns
	local -a words

	one_of srv cli
	ns=$chosen
	for each; do
		read -ra words <<<"$each"
		one_of "${words[@]:1}"
		echo "net.threeway.${words[0]}=$chosen"
	done >"$work/sysctls.$BASHPID"
	in_ns "$ns" sysctl -qp "$work/sysctls.$BASHPID" || return 1
	pause 3
}

policies()
{
	local syncookies="syncookies 0"

	may_send_cookies && syncookies="syncookies 0 1 2"
	sysctls "$syncookies" "synack_retries 5 6 255" "syn_retries 6 7 255" \
		"syn_linear_timeouts 0 4" "rto_initial_ms 100 300 1000" \
		"rto_max_ms 1000 120000" "invalid_ratelimit_ms 0 500" \
		"isn 1 2" "sack 0 1" "timestamps 0 1" "window_scaling 0 1" \
		"ecn 0 1" "icmp_soft_abort 0 1"
}

limits()
{
	sysctls "max_syn_backlog 1 5 4096" "max_flows 1 5 65536"
}

readers()
{
	cat "$server_proc"/threeway/{flows,claims,stat} \
		"$client_proc"/threeway/{flows,claims,stat} || return 1
	one_of 1 50 4000
	dd if="$server_proc/threeway/flows" bs="$chosen"
	one_of srv cli
	threeway -n "$chosen" flow show
	threeway -n "$chosen" -j -s claim show
}

# It comes and goes in the middle of events; a slow one loses some.
monitor()
{
	one_of srv cli
	draw 9
	timeout "0.$((drawn + 1))" threeway -n "$chosen" monitor | {
		pause 3
		cat
	}
	return 0
}

# Half-open flows of every kind live and die with it.
namespace()
{
	local name opened=

	draw 100000
	name=soak$drawn
	ip netns add "$name"
	ip -n "$name" -b - <<-END
		link set lo up
		link add veth type dummy
		link set veth up
		address add 192.0.2.1/24 dev veth
		address add 2001:db8::1/64 dev veth nodad
	END
	threeway -n "$name" -batch - <<-END
		claim add passive port 80 mode hold
		claim add active
		open 192.0.2.77 port 1
		open 2001:db8::77 port 1
	END
	./rawpeer flood -c "$name" -a 192.0.2.9 -d 192.0.2.1 -p 80 -n 50
	in_ns "$name" grep -q ': ' /proc/net/threeway/flows && opened=1
	ip netns del "$name"
	[ "$opened" ]
}

# From peers that never answer: to the port of the connections, and to held ones.
flood()
{
	one_of "$port" 9 9
	draw 250
	./rawpeer flood -c cli -a "198.18.$drawn.1" -d 192.0.2.1 -p "$chosen" \
		-n $((100 / patience)) || return 1
	./rawpeer flood -c cli -a "2001:db8:5::$drawn:1" -d 2001:db8::1 \
		-p "$chosen" -n $((100 / patience)) || return 1
	pause 5
}

links()
{
	local loss=() ns words

	[ "$kind" = calm ] || loss=("loss 2%")
	one_of srv cli
	ns=$chosen
	one_of "delay 0" "delay 1ms 1ms" "delay 100ms 8ms" \
		"delay 0 duplicate 30%" "delay 3ms reorder 50%" "${loss[@]}"
	read -ra words <<<"$chosen"
	tc -n "$ns" qdisc change dev veth root netem limit 10000 "${words[@]}" ||
		return 1
	pause 9
}

# Timers and counts of a CPU must not be lost with it.
hotplug()
{
	one_of "${cpus[@]}"
	echo 0 >"$chosen" || return 1
	pause 5
	echo 1 >"$chosen" || return 1
	pause 5
}

open()
{
	threeway -n cli -force -batch - <<-END
		open 192.0.2.1 port 9 lifetime_ms 1000
		open 192.0.2.1 port 7 freeze syn-sent
		open 2001:db8::1 port 9 lifetime_ms 2000
	END
	pause 5
	return 0
}

kill_some()
{
	one_of srv cli
	threeway -n "$chosen" flow kill all || return 1
	pause 5
}

reload()
{
	rmmod threeway || return 1
	pause 5
	load_module
	steady_claims
	pause 9
}

# What has to be there for all of a round.
steady_claims()
{
	threeway -n srv -batch - <<-END
		claim add passive port $storm_port rto_initial_ms $storm_rto_ms backlog 100000 cookies never
		claim add passive port 9 mode hold lifetime_ms 5000
		claim add passive port $port
	END
	threeway -n cli claim add active port "$port"
}

# The flows of a CPU, which then goes offline, send their copies and expire. The
# peer's packets are received on the CPU that sends them.
flows_of_a_cpu()
{
	local cpu=${cpus[0]} status=0

	threeway -n srv claim add passive port 10 mode hold \
		rto_initial_ms 200 synack_retries 2
	count_from_here
	taskset 2 ./rawpeer flood -c cli -a 198.18.250.1 -d 192.0.2.1 -p 10 \
		-n 100
	echo 0 >"$cpu" || status=1
	# 200 + 400 + 800 ms, and what a busy machine adds
	wait_for 10 no_half_open_flows
	counted flows_opened=100 sent_synack=100 sent_synack_timer=200 \
		flows_expired=100 || status=1
	echo 1 >"$cpu"
	threeway -n srv claim flush port 10
	return "$status"
}

no_half_open_flows()
{
	! grep -q ': ' "$server_proc/threeway/flows" "$client_proc/threeway/flows"
}

# storm_link: another link, without a queue: it would let the packets of all CPUs
# through on one of them, one after the other
storm_link()
{
	ip -n srv link add storm type veth peer name storm netns cli
	storm_end srv cli 1 2
	storm_end cli srv 2 1
}

# storm_end NS NEIGHBOUR-NS NUMBER NEIGHBOUR
storm_end()
{
	local mac

	mac=$(ip netns exec "$2" cat /sys/class/net/storm/address)
	ip -n "$1" -b - <<-END
		link set storm up
		address add 198.51.100.$3/24 dev storm
		address add 2001:db8:1::$3/64 dev storm nodad
		neighbour replace 198.51.100.$4 lladdr $mac dev storm
		neighbour replace 2001:db8:1::$4 lladdr $mac dev storm
	END
}

# choose ROUND: its kind, what goes on, and which traffic there is
choose()
{
	local each words

	round=$1
	state=$((seed + round * 104729))
	one_of calm kill wild
	kind=$chosen
	# one of each at least
	case $round in
	1) kind=calm ;;
	2) kind="kill" ;;
	3) kind=wild ;;
	esac
	going_on=()
	for each in "${gentle[@]}"; do
		draw 3
		# the first round has all of them
		[ "$drawn" = 0 ] && [ "$round" != 1 ] || going_on+=("$each")
	done
	one_of 5 20 40
	traffic_words=(-j "$chosen")
	one_of 10 3000 30000
	traffic_words+=(-u "$chosen")
	one_of 10 3000 30000
	traffic_words+=(-d "$chosen")
	one_of "-e client" "-e server" "-e rst" -x -q "-o server" "-o client"
	read -ra words <<<"$chosen"
	traffic_words+=("${words[@]}")
	one_of 4 6
	storm_family=$chosen
	[ "$kind" = calm ] && return
	going_on+=(kill_some)
	draw 2
	[ "$drawn" = 0 ] || going_on+=(limits)
	[ "$kind" = kill ] || going_on+=(reload)
}

# may_fail: -f when connections may
may_fail()
{
	[ "$kind" = calm ] || echo -f
}

# amount COUNT: of work; that many without a time
amount()
{
	if [ "${SOAK_SECONDS:-0}" -gt 0 ]; then
		echo -T $(((round_seconds - 5) * 1000))
	else
		echo "-n $1"
	fi
}

# shellcheck disable=SC2046 # words
run_storm()
{
	../soak/storm -s srv -c cli -a "${storm_from[$storm_family]}" \
		-d "${storm_to[$storm_family]}" -p "$storm_port" \
		-S "$((seed + round))" -w "$patience" -r "$storm_rto_ms" \
		$(amount 12) $(may_fail) \
		>"$work/storm" 2>&1
}

# shellcheck disable=SC2046 # words
run_traffic()
{
	generate -a 192.0.2.1 -a 2001:db8::1 "${traffic_words[@]}" \
		$(amount 150) -t $(((round_seconds + 100) * patience)) \
		$(may_fail) \
		>"$work/traffic" 2>&1
}

# The module and both links are as at the beginning.
begin_round()
{
	local ns

	for ns in srv cli; do
		tc -n $ns qdisc change dev veth root netem limit 10000 delay 0
	done
	steady_claims
	watchers=()
	# an open device keeps the module, which comes and goes in other rounds
	for ns in srv cli; do
		: >"$work/events.$ns"
		: >"$work/held.$ns"
		[ "$kind" != calm ] || watch $ns
	done
}

# play: runs the round. All that goes on has had its turn before it ends.
play()
{
	local each storm_pid traffic_pid

	storm_status=0
	traffic_status=0
	begin_round
	for each in "${going_on[@]}"; do
		# each draws numbers of its own
		state=$((seed + round * 1000 + ${#loops[@]} * 7919))
		repeat "$each"
	done
	run_storm &
	storm_pid=$!
	run_traffic &
	traffic_pid=$!
	wait "$storm_pid" || storm_status=$?
	wait "$traffic_pid" || traffic_status=$?
	wait_for 30 all_had_a_turn
	stop_all
	cpus_online
}

all_had_a_turn()
{
	worked 1 "${going_on[@]}"
}

storm_result()
{
	cat "$work/storm"
	return "$storm_status"
}

# A client whose half-open flow has gone is reset, nothing else may happen.
traffic_result()
{
	cat "$work/traffic"
	[ "$traffic_status" = 0 ] || return 1
	grep -q '^ok=[1-9]' "$work/traffic" || return 1
	[ "$kind" = calm ] ||
		! sed 1,7d "$work/traffic" |
			grep -v '_\(ECONNRESET\|EPIPE\|ETIMEDOUT\)='
}

# flows_add_up FILE OVERTAKEN: as many have ended as were opened. Of what the
# engine counts only mistakes are left when nobody interferes, and that many old
# TSvals.
flows_add_up()
{
	awk -v kind="$kind" -v overtaken="$2" '
		$1 == "flows_opened" {
			opened = $2
		}
		/^flows_/ && !/^flows_(opened|held) / {
			ended += $2
		}
		$1 == "segment_paws" {
			$2 -= overtaken
		}
		kind == "calm" && $2 &&
		/^(segment_(malformed|bad_checksum|conntrack_drop|tsecr|paws)|handoff_(fragment|refused|synack_leaked|unlike)|native_no_.*) / &&
		!/^native_no_listener / {
			print
			bad = 1
		}
		END {
			print opened, "opened,", ended, "ended"
			exit bad || opened != ended
		}' "$1"
}

# watch NS: what happens there, until the watchers are ended
watch()
{
	ip netns exec "$1" threeway monitor port 9 write \
		"$work/held.$1" &
	watchers+=($!)
	ip netns exec "$1" threeway monitor port "$port" write \
		"$work/events.$1" &
	watchers+=($!)
}

unwatch()
{
	[ ${#watchers[@]} -eq 0 ] && return
	kill "${watchers[@]}"
	wait "${watchers[@]}"
	watchers=()
}

# overtaken NS: how many SYNs there were older than a copy of them that came
# first. A CPU that goes offline holds what it was to receive until it is gone,
# but its timers go on at once elsewhere. Every other old TSval is a mistake.
overtaken()
{
	cat "$work/held.$1" "$work/events.$1" | threeway -j monitor file - |
		jq -n '[inputs | select(.counter == "segment_paws" and .seq == .irs and
		(.flags | index("SYN") and (index("ACK") | not)))] | length'
}

# killed_all: no flow is left once those of the floods are killed
killed_all()
{
	threeway -n srv flow kill all
	threeway -n cli flow kill all
	no_half_open_flows
}

claims_are_idle()
{
	! awk 'FNR > 1 && $8 != 0' {"$server_proc","$client_proc"}/threeway/claims |
		grep .
}

adds_up()
{
	local status=0

	wait_for 10 killed_all || status=1
	unwatch
	flows_add_up "$server_proc/threeway/stat" "$(overtaken srv)" || status=1
	flows_add_up "$client_proc/threeway/stat" "$(overtaken cli)" || status=1
	wait_for 5 claims_are_idle || status=1
	[ "$status" = 0 ] || cat {"$server_proc","$client_proc"}/threeway/flows
	[ "$status" = 0 ] || cat "$work"/{events,held}.* |
		threeway -j monitor file - | grep segment_paws
	return "$status"
}

# The log is looked at here as well, so that hours later it is known when.
nothing_left()
{
	local status=0

	unload_module || status=1
	load_module
	if dmesg | grep -E -f ../vm/log-bad | grep -vxFf ../vm/log-allowed; then
		status=1
	fi
	return "$status"
}

start_net $(((last - first + 1) * 5 + 1))
diag "SEED=$seed: rounds $first to $last of $rounds"
ip netns exec cli sleep infinity >/dev/null 2>&1 &
client_proc=/proc/$!/net
disown
wait_for 5 grep -q veth "$client_proc/dev"
keep_hooks
route_strangers
in_ns cli nft -f - <<-END
	table inet quiet {
		chain out {
			type filter hook output priority 0;
			tcp dport $storm_port tcp flags rst drop
		}
	}
END
many_clients
storm_link
for ns in srv cli; do
	tc -n $ns qdisc add dev veth root netem limit 10000
done
lc7="LC7 the timers of a CPU that goes away move to another one"
if [ ${#cpus[@]} -gt 0 ]; then
	check "$lc7" flows_of_a_cpu
else
	skip "$lc7" "no CPU can be taken offline"
fi
for ((number = first; number <= last; number++)); do
	choose "$number"
	name="round $number ($kind)"
	diag "$name: v$storm_family, ${traffic_words[*]}: ${going_on[*]}"
	play
	check "SR23 HO16 IS7 $name: copies from all CPUs give one flow, one child" \
		storm_result
	check "HO17 HO18 LC3 $name: the data of each connection" traffic_result
	check "LC1 LC7 LC9 $name: all that goes on had its turn" all_had_a_turn
	check "MI11 $name: as many flows ended as were opened" adds_up
	check "LC2 $name: no object and no complaint is left" nothing_left
done
end_net
