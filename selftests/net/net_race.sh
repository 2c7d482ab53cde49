#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything at once on two CPUs: connections while claims come and go, sysctls
# change and everything is read; then also while flows are killed, namespaces
# and the module come and go. And the same ACK twice.
# shellcheck disable=SC2317 # the functions are run by name
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

[ -z "$native" ] || skip_all "nothing to race with"
calm_ms=8000
wild_ms=15000
start_net 12

change_claims()
{
	local add="threeway -n srv claim add passive port $port"

	$add
	$add remote 192.0.2.0/24 rto_initial_ms 200
	$add local 2001:db8::1/128 isn kernel backlog 3
	threeway -n srv claim flush
	$add local 192.0.2.1/32 sack off synack_path early
	$add remote 2001:db8::/64 timestamps off
	threeway -n srv claim del port "$port" local 192.0.2.1/32
	threeway -n srv claim flush
	$add
}

# one_of WORDS: any of them
one_of()
{
	echo "${@:RANDOM % $# + 1:1}"
}

change_sysctls()
{
	local name

	{
		echo "synack_retries=$(one_of 2 5 255)"
		echo "rto_initial_ms=$(one_of 100 300 1000)"
		echo "rto_max_ms=$(one_of 1000 120000)"
		echo "max_syn_backlog=$(one_of 1 5 4096)"
		echo "max_flows=$(one_of 1 5 65536)"
		echo "invalid_ratelimit_ms=$(one_of 0 500)"
		echo "isn=$(one_of 1 2)"
		for name in sack timestamps window_scaling ecn; do
			echo "$name=$(one_of 0 1)"
		done
	} | sed 's/^/net.threeway./' >"$work/sysctls"
	in_ns srv sysctl -qp "$work/sysctls"
}

read_all()
{
	cat "$server_proc"/threeway/{flows,claims,stat} || return 1
	dd if="$server_proc/threeway/flows" bs=50
	threeway -n srv flow show
	threeway -n srv -j claim show
	threeway -n srv stat show
}

kill_flows()
{
	threeway -n srv flow kill all
}

# Half-open flows live and die with it.
make_namespace()
{
	local listener opened=

	ip netns add temporary
	ip -n temporary -b - <<-END
		link set lo up
		link add veth type dummy
		link set veth up
		address add 192.0.2.1/24 dev veth
	END
	./sockscript <<-END &
		ns temporary
		socket l 4
		bind l 0.0.0.0 80
		listen l 100
		sleep 1000000
	END
	listener=$!
	threeway -n temporary claim add passive port 80
	./rawpeer flood -c temporary -a 192.0.2.9 -d 192.0.2.1 -p 80 -n 100
	in_ns temporary grep -q ': ' /proc/net/threeway/flows && opened=1
	kill "$listener"
	ip netns del temporary
	[ "$opened" ]
}

reload()
{
	rmmod threeway || return 1
	sleep 0.3
	load_module
	engine_on
	sleep 0.7
}

# traffic MS [-f]: parallel connections of both families; fails as tcpgen does
traffic()
{
	generate -a 192.0.2.1 -a 2001:db8::1 -T "$1" -j 30 -u 3000 -d 3000 \
		-t $(($1 / 1000 + 60)) "${@:2}" >"$work/traffic"
}

traffic_result()
{
	sed -n "s/^$1=//p" "$work/traffic"
}

# no_complaint: counters that only a mistake would change
no_complaint()
{
	awk '
		/^(segment_(bad_ack|paws|tsecr|out_of_window.*|no_ack|malformed|bad_checksum|conntrack_drop)|handoff_(fragment|refused|synack_leaked|unlike)|send_failed|native_no_(memory|route)) / &&
		$2 != 0 {
			print
			bad = 1
		}
		END {
			exit bad
		}' "$server_proc/threeway/stat"
}

changed_often()
{
	worked 5 change_claims change_sysctls read_all
}

calm()
{
	local connections i status=0

	repeat change_claims
	repeat change_sysctls
	repeat read_all
	# until everything has changed often enough, be the machine slow
	connections=0
	for ((i = 0; i < 4 * patience; i++)); do
		traffic "$calm_ms" || status=1
		connections=$((connections + $(traffic_result ok)))
		changed_often >/dev/null && break
	done
	echo "$connections" >"$work/connections"
	stop_all
	cat "$work/traffic"
	grep -v ' 0$' "$server_proc/threeway/stat"
	return "$status"
}

# both_worked: the engine and the native stack had their part of it
both_worked()
{
	local all engine status=0

	all=$(<"$work/connections")
	engine=$(counter flows_handed_over srv)
	echo "$all connections, the engine's $engine"
	if [ "$engine" -lt 50 ] || [ $((all - engine)) -lt 50 ]; then
		status=1
	fi
	changed_often || status=1
	return "$status"
}

it_was_wild()
{
	worked 3 make_namespace reload
}

wild()
{
	local i status=0

	repeat change_claims
	repeat change_sysctls
	repeat read_all
	repeat kill_flows
	repeat make_namespace
	repeat reload
	# until everything has come and gone often enough, be the machine slow
	for ((i = 0; i < 4 * patience; i++)); do
		traffic "$wild_ms" -f || status=1
		it_was_wild >/dev/null && break
	done
	stop_all
	cat "$work/traffic"
	return "$status"
}

# A client whose half-open flow has gone is reset, nothing else may happen.
only_resets()
{
	cat "$work/traffic"
	[ "$(traffic_result ok)" -ge 50 ] &&
		! sed 1,7d "$work/traffic" | grep -v '_\(ECONNRESET\|EPIPE\)='
}

# twice FAMILY: every segment of the client comes twice; the server must not
# reset anything
twice()
{
	local status=0

	tc -n cli qdisc add dev veth root netem limit 10000 duplicate 100%
	filter <<-END
		table inet resets {
			chain out {
				type filter hook output priority 0;
				tcp sport $port tcp flags rst counter
			}
		}
	END
	generate -a "${server_ip[$1]}" -n 300 -j 50 -u 100 -d 100 -e server ||
		status=1
	tc -n cli qdisc del dev veth root
	in_ns srv nft list ruleset | grep -q 'packets 0 ' || {
		in_ns srv nft list ruleset
		status=1
	}
	no_filter
	return "$status"
}

# The client's kernel must not reset what only the raw sockets know.
race()
{
	local status=0

	in_ns cli nft -f - <<-END
		table inet quiet {
			chain out {
				type filter hook output priority 0;
				tcp dport $port tcp flags rst drop
			}
		}
	END
	./rawpeer race -s srv -c cli -a "${client_ip[$1]}" \
		-d "${server_ip[$1]}" -p "$port" -n 300 || status=1
	in_ns cli nft delete table inet quiet
	return "$status"
}

keep_hooks
many_clients
# no copy of what is only slow
engine_on rto_initial_ms $((1000 * patience))
doubled="flows_opened=300 flows_handed_over=300 sent_synack=300
	segment_duplicate_syn=0-300 sent_synack_duplicate=0-300
	segment_duplicate_limited=0-300 native_socket_owns=0-300"
for family in 4 6; do
	try "SR23 HO16 v$family: every segment twice" "$(xargs <<<"$doubled")" \
		twice $family
	try "SR23 HO16 v$family: two ACKs race on two CPUs" 300 race $family
done

reload
check "LC9 claims and sysctls change: every connection succeeds" calm
check "LC9 the engine and the native stack had their share" both_worked
check "LC9 nothing went wrong unseen" no_complaint
check "LC1 LC2 all at once: connections succeed or are reset" wild
check "LC3 only resets" only_resets
check "LC1 LC2 namespaces and the module came and went" it_was_wild

reload
try "LC2 v4: everything works again" 50 \
	generate -a 192.0.2.1 -n 50 -u 20000 -d 20000
try "LC2 v6: everything works again" 50 \
	generate -a 2001:db8::1 -n 50 -u 20000 -d 20000
end_net
