#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module goes away at any time: with half-open flows, at each stage of a
# handshake, under traffic. What was handed over does not notice.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

cycles=$((20 / patience))

if [ -n "$native" ]; then
	skip_all "nothing to unload"
fi

# engine: its timers leave as much time as it takes to open many flows
engine()
{
	engine_on backlog 100000 rto_initial_ms \
		$((1000 * patience * patience))
}

# again: the module and the claim are back
again()
{
	load_module
	engine
}

# unload SECONDS: it takes no longer
unload()
{
	local start=$SECONDS

	unload_module || return 1
	[ $((SECONDS - start)) -le $(($1 * patience)) ] && return
	echo "unloading took $((SECONDS - start)) s"
	return 1
}

# flows_become SECONDS COUNT: within that time
flows_become()
{
	wait_for "$1" flows_are "$2" && return
	echo "$(flows) flows"
	grep -v ' 0$' "$server_proc/threeway/stat"
	return 1
}

half_open_flows()
{
	local status=0

	serve
	hang 5000
	flows_become 20 10000 || status=1
	unload 10 || status=1
	stop_serving
	# the native stack has the port again
	generate -a 192.0.2.1 -a 2001:db8::1 -n 10 -u 10 -d 10 >/dev/null ||
		status=1
	again
	return "$status"
}

# As above, but nobody listens any more.
flows_without_listener()
{
	serve
	hang 1000
	flows_become 5 2000 || return 1
	stop_serving
	# until their timers find out
	flows_are 2000 || return 1
	unload 10 || return 1
	again
}

# Flows whose claim is gone still hold what they need.
flows_without_claim()
{
	serve
	hang 1000
	engine_off
	flows_become 5 2000 || return 1
	unload 10 || return 1
	stop_serving
	again
}

# Halfway through 20 transfers of 1 MB each way.
transfers()
{
	local status=0

	count_from_here
	start_traffic -a 192.0.2.1 -a 2001:db8::1 -n 20 -u "$megabyte" \
		-d "$megabyte" -W "$work/sync"
	if ! wait_for 20 test -e "$work/sync.half"; then
		cat "$work/traffic"
		return 1
	fi
	handed_over 20 || status=1
	unload 10 || status=1
	touch "$work/sync.go"
	wait "$traffic" || status=1
	cat "$work/traffic"
	again
	return "$status"
}

# The SYN-ACK is lost. The client's next SYN meets the native stack.
unload_in_syn_sent()
{
	in_ns cli nft -f - <<-END
		table inet lose {
			chain early {
				type filter hook prerouting priority -400;
				tcp sport $port drop
			}
		}
	END
	script <<-END
		ns srv
		socket l $1
		bind l ${any_ip[$1]} $port
		listen l 5
		ns cli
		socket c $1
		start c ${server_ip[$1]} $port
		sleep 100
		sh rmmod threeway
		sh ip netns exec cli nft delete table inet lose
		finish c
		accept l a
		send c 10000
		recv a 10000
	END
	again
	expect connect.c=0 accept.a=0 recv.a=10000
}

# A module that a socket waits for, as its own user, comes when the other one has
# gone; and the connect() goes on.
unload_while_in_use()
{
	local status=0

	modprobe -r tcp_dctcp
	cat >"$work/modprobe" <<-END
		#!/bin/sh
		touch $work/loading
		i=0
		while [ ! -e $work/load ] && [ \$i -lt $((200 * patience)) ]; do
			sleep 0.1
			i=\$((i + 1))
		done
		exec modprobe "\$@"
	END
	chmod +x "$work/modprobe"
	rm -f "$work"/load{,ing}
	sysctl -qw kernel.modprobe="$work/modprobe"
	filter <<<"table inet lose {
		chain early {
			type filter hook prerouting priority -400;
			tcp dport $port drop
		}
	}"
	serve
	threeway -n cli claim add active >/dev/null
	printf '%s\n' "ns cli" "socket c $1" \
		"start c ${server_ip[$1]} $port" "set c TCP_CONGESTION dctcp" \
		"finish c" | ./sockscript >"$work/results" &
	wait_for 5 test -e "$work/loading" || status=1
	unload 5 || status=1
	no_filter
	touch "$work/load"
	wait $!
	sysctl -qw kernel.modprobe="$modprobe"
	stop_serving
	again
	expect connect.c=0 && return "$status"
}

# The client's ACK is lost. It believes that it is connected, and learns better.
unload_in_syn_received()
{
	drop_at_server "$1" "${header_bytes[$1]}" | filter
	script <<-END
		ns srv
		socket l $1
		bind l ${any_ip[$1]} $port
		listen l 5
		ns cli
		socket c $1
		connect c ${server_ip[$1]} $port
		sh rmmod threeway
		sh ip netns exec srv nft flush ruleset
		send c 10
		error c
		accept l a 100
		socket d $1
		connect d ${server_ip[$1]} $port
		accept l b
	END
	again
	expect connect.c=0 error.c=ECONNRESET accept.a=EAGAIN connect.d=0 \
		accept.b=0
}

# The connection was handed over, but nobody has accepted it yet.
unload_before_accept()
{
	script <<-END
		ns srv
		socket l $1
		bind l ${any_ip[$1]} $port
		listen l 5
		ns cli
		socket c $1
		connect c ${server_ip[$1]} $port
		send c 100
		sleep 50
		sh rmmod threeway
		accept l a
		recv a 100
		send a 100000
		recv c 100000
		close a
		error c
	END
	again
	expect accept.a=0 recv.a=100 recv.c=100000 error.c=EOF
}

# open_files: rmmod refuses while the device is in use; what is open below
# /proc does not hinder it and gives nothing afterwards
open_files()
{
	local status=0

	exec 3<>/dev/threeway
	if rmmod threeway 2>/dev/null; then
		echo "unloaded with the device open"
		status=1
	fi
	exec 3>&-
	[ -d /sys/module/threeway ] || load_module
	exec 4<"$server_proc/threeway/flows" 5<"$server_proc/threeway/stat" \
		6</proc/sys/net/threeway/synack_retries
	unload 10 || status=1
	if cat <&4 2>/dev/null | grep . || cat <&5 2>/dev/null | grep . ||
	   cat <&6 2>/dev/null | grep .; then
		echo "a file of /proc outlives the module"
		status=1
	fi
	exec 4<&- 5<&- 6<&-
	again
	return "$status"
}

# In a loop, while clients connect all the time.
under_traffic()
{
	local i total=0 status=0

	# so that each handshake takes a while, and not all of the machine
	tc -n cli qdisc add dev veth root netem limit 10000 delay 10ms
	start_traffic -a 192.0.2.1 -a 2001:db8::1 -T 600000 -t 700 -j 16 -f \
		-e rst -u 3000 -d 3000
	for ((i = 0; i < cycles; i++)); do
		wait_for 5 has_handed_over || status=1
		total=$((total + $(counter_of_srv flows_handed_over)))
		unload_module || status=1
		again
	done
	stop_traffic || status=1
	tc -n cli qdisc del dev veth root
	echo "handed over: $total"
	[ "$total" -ge "$cycles" ] || status=1
	# a half-open connection is lost with the module, nothing else is
	if grep '_E[A-Z]*=' "$work/traffic" | grep -v _ECONNRESET=; then
		status=1
	fi
	return "$status"
}

counter_of_srv()
{
	awk -v name="$1" '$1 == name { print $2 }' "$server_proc/threeway/stat"
}

has_handed_over()
{
	[ "$(counter_of_srv flows_handed_over)" -gt 0 ]
}

start_net 14
modprobe=$(sysctl -n kernel.modprobe)
route_strangers
keep_hooks
engine

check "LC2 rmmod with 10,000 half-open flows" half_open_flows
check "LC2 rmmod with flows whose listener is gone" flows_without_listener
check "LC2 rmmod with flows whose claim is gone" flows_without_claim
check "LC5 rmmod during 20 transfers" transfers
for family in 4 6; do
	check "LC3 v$family: rmmod when the SYN-ACK is lost" \
		unload_in_syn_sent $family
	check "LC3 v$family: rmmod while a socket is in use" \
		unload_while_in_use $family
	check "LC3 v$family: rmmod when the ACK is lost" \
		unload_in_syn_received $family
	check "LC5 v$family: rmmod before accept()" \
		unload_before_accept $family
done
check "LC2 rmmod and open files" open_files
check "LC2 $cycles times rmmod and insmod under traffic" under_traffic
end_net
