#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Whoever has claimed nothing does not notice the module: the same packets as
# without it, none of its code runs, and what one namespace does is not seen in
# another.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

tracing=/sys/kernel/tracing

if [ -n "$native" ]; then
	skip_all "nothing to notice"
fi

# exchange FAMILY: a connection and what is said over it
exchange()
{
	echo "
		ns cli
		socket r $1
		connect r ${server_ip[$1]} $port
		ns srv
		socket l $1
		bind l ${any_ip[$1]} $port
		listen l 5
		ns cli
		socket c $1
		connect c ${server_ip[$1]} $port
		accept l a
		send c 1000
		recv a 1000
		send a 1000
		recv c 1000
		sleep 60
		shut c
		error a
		close a
		error c
		close c
		close l
		close r
		sleep 5"
}

# record FILE: what is on the wire
record()
{
	log_packets "$1"
	{ exchange 4; exchange 6; } | script
	stop_log
}

# as_without_module: the same packets, that many of them
as_without_module()
{
	record "$work/now"
	[ "$(wc -l <"$work/unloaded")" -ge 18 ] || return 1
	diff -U 0 "$work/unloaded" "$work/now"
}

# A namespace that is no part of the exchange.
make_other()
{
	ip netns add other
	lib_namespaces+=(other)
	ip -n other link set lo up
}

in_other()
{
	./tcpgen -s other -c other -p "$port" -a "$1" -n 10 -u 100 -d 100
}

# entered FUNCTIONS: how often the exchange enters such functions, as the tracer
# names them
entered()
{
	echo "$1" >"$tracing/set_ftrace_filter"
	echo function >"$tracing/current_tracer"
	echo >"$tracing/trace"
	{ exchange 4; exchange 6; } | script
	grep -vc '^#' "$tracing/trace"
	echo nop >"$tracing/current_tracer"
	echo >"$tracing/set_ftrace_filter"
}

never_entered()
{
	local count

	count=$(entered ':mod:threeway')
	[ "$count" = 0 ] && return
	echo "functions of the module were entered $count times"
	return 1
}

# The same look finds them when there is a claim.
entered_with_claim()
{
	local count

	engine_on
	count=$(entered ':mod:threeway')
	engine_off
	[ "$count" -gt 10 ]
}

# Hooks go with the last claim, be it a little later.
never_entered_after_claim()
{
	wait_for 5 never_entered
}

# out_entered some|none: what is sent, and what comes always
out_entered()
{
	local in out

	in=$(entered hs_local_in)
	out=$(entered hs_local_out)
	[ "$in" -gt 0 ] || return 1
	case $1:$out in
	none:0 | some:[1-9]*) return ;;
	esac
	echo "LOCAL_OUT is entered $out times"
	return 1
}

# When there has been no replay for a minute, nothing is to be caught.
passive_claim_has_no_out()
{
	local bad=

	engine_on
	out_entered some || bad=1
	sleep 70
	out_entered none || bad=1
	engine_off
	[ -z "$bad" ]
}

active_claim_has_out()
{
	local bad=

	claim srv active port $((port + 1)) >/dev/null
	sleep 70
	out_entered some || bad=1
	engine_off
	[ -z "$bad" ]
}

# Only a handshake of its family needs a hook.
one_family_has_its_hooks()
{
	local four six

	claim srv active local "${server_ip[4]}" port $((port + 1)) >/dev/null
	four=$(entered hs_local_out)
	claim srv active local "${server_ip[6]}" port $((port + 1)) >/dev/null
	six=$(entered hs_local_out)
	engine_off
	[ "$four" -gt 0 ] && [ "$six" -gt "$four" ]
}

other_owns()
{
	claim other passive port "$port" >/dev/null
	in_other 127.0.0.1 && in_other ::1 || return 1
	in_ns other grep -qx 'flows_handed_over 20' /proc/net/threeway/stat
}

# srv_is_blank: no counter has moved, there is no claim and no flow
srv_is_blank()
{
	! grep -v ' 0$' "$server_proc/threeway/stat" &&
		[ "$(flows)" = 0 ] &&
		[ -z "$(threeway -n srv claim show)" ]
}

# changed_sysctls NS: those which differ from what srv has
changed_sysctls()
{
	local name

	for name in /proc/sys/net/threeway/*; do
		name=${name##*/}
		diff <(in_ns srv sysctl -n "net.threeway.$name") \
			<(in_ns "$1" sysctl -n "net.threeway.$name") \
			>/dev/null || echo "$name"
	done
}

own_sysctls()
{
	in_ns other sysctl -qw net.threeway.synack_retries=2 \
		net.threeway.sack=0
	[ "$(changed_sysctls other)" = $'sack\nsynack_retries' ]
}

defaults_in_a_new_one()
{
	local changed

	sysctl -qw net.threeway.synack_retries=3 net.threeway.ecn=0
	ip netns add fresh
	lib_namespaces+=(fresh)
	changed=$(changed_sysctls fresh)
	sysctl -qw net.threeway.synack_retries=5 net.threeway.ecn=1
	[ -z "$changed" ] && return
	echo "differs in a new namespace: $changed"
	return 1
}

start_net 15
for ns in srv cli; do
	in_ns $ns sysctl -qw net.ipv4.tcp_no_metrics_save=1
	in_ns $ns ethtool -K veth tso off gso off >/dev/null
done
make_other
rmmod threeway
record "$work/unloaded"
check "NF9 without the module two recordings are equal" as_without_module
load_module
check "NF9 loaded without claims: the same packets" as_without_module
check "NF9 no function of the module is entered" never_entered
check "a claim in another namespace works there" other_owns
check "NF9 and changes no packet here" as_without_module
check "NF9 nor is a function entered here" never_entered
check "nor has it left a trace here" srv_is_blank
claim srv passive port $((port + 1)) >/dev/null
check "NF9 a claim on another port changes no packet" as_without_module
threeway -n srv claim flush >/dev/null
check "a function is entered when the port is claimed" entered_with_claim
check "NF9 none is entered when the claim is gone" never_entered_after_claim
check "only replays and active claims need LOCAL_OUT" passive_claim_has_no_out
check "an active claim has it" active_claim_has_out
check "a claim for one family has only its hooks" one_family_has_its_hooks
check "sysctls belong to one namespace" own_sysctls
check "a new namespace begins with the defaults" defaults_in_a_new_one
end_net
