#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The engine among netfilter's other users: verdicts of a firewall hold,
# connection tracking sees an ordinary handshake, translated addresses work, and
# what is only forwarded is left alone.
# shellcheck disable=SC2317 # the functions are run by try
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"
# shellcheck source=selftests/net/conntrack.sh
. "$(dirname "$0")/conntrack.sh"

# input RULE: the only rule of srv's INPUT chain
input()
{
	filter <<-END
		table inet guard {
			chain in {
				type filter hook input priority 0;
				$1
			}
		}
	END
}

# attempt FAMILY MS RESULT: what becomes of connecting in so many ms
attempt()
{
	script <<-END
		ns srv
		socket l 6
		bind l :: $port
		listen l 5
		ns cli
		socket c $1
		start c ${server_ip[$1]} $port
		finish c $2
		abort c
	END
	no_filter
	expect "connect.c=$3"
}

dropped()
{
	input "tcp dport $port drop"
	attempt "$1" 500 EINPROGRESS
}

rejected()
{
	input "tcp dport $port reject $2"
	# ICMP is not heard while connect() still holds the socket
	attempt "$1" 1500 ECONNREFUSED
}

# SYNs come through but no ACK: there is no connection, the flow expires.
ack_dropped()
{
	input "tcp dport $port tcp flags & (syn|ack) == ack drop"
	script <<-END
		ns srv
		socket l 6
		bind l :: $port
		listen l 5
		ns cli
		socket c $1
		connect c ${server_ip[$1]} $port
		accept l a 4000
		sh ip netns exec srv nft flush ruleset
		send c 10
		error c 2000
	END
	expect connect.c=0 accept.a=EAGAIN error.c=ECONNRESET
}

# The first SYN-ACK is dropped on the way out of this host.
synack_dropped()
{
	filter <<-END
		table inet guard {
			chain out {
				type filter hook output priority 0;
				tcp sport $port limit rate 1/hour burst 1 \
					packets drop
			}
		}
	END
	attempt "$1" 5000 0
}

guard()
{
	guard_rules "tcp dport $port ct state new accept" "" | filter
	strict_conntrack srv
}

# tracked_well: no packet was INVALID, no entry is stuck in the handshake
tracked_well()
{
	local status=0

	all_valid srv || status=1
	if in_ns srv conntrack -L -p tcp 2>/dev/null |
	     grep -Ev ' (TIME_WAIT|CLOSE|LAST_ACK|CLOSE_WAIT|FIN_WAIT) '; then
		echo "entries are stuck"
		status=1
	fi
	if in_ns srv conntrack -L unconfirmed 2>/dev/null | grep .; then
		echo "entries are unconfirmed"
		status=1
	fi
	return "$status"
}

guarded()
{
	generate "$@" && tracked_well
}

# forgotten: every entry can be freed, so nothing holds one
forgotten()
{
	in_ns srv conntrack -F >/dev/null 2>&1
	wait_for 5 no_entries
}

no_entries()
{
	[ "$(in_ns srv sysctl -n net.netfilter.nf_conntrack_count)" = 0 ]
}

# entry: the state of the only connection that is tracked
entry()
{
	in_ns srv conntrack -L -p tcp 2>/dev/null |
		awk '{ print $4, /UNREPLIED/ ? "unreplied" : "replied",
		       /ASSURED/ ? "assured" : "" }'
}

# half_open FAMILY FILE: what conntrack thinks while the handshake hangs, after
# the server has given up, and when the client has, too
half_open()
{
	guard
	drop_at_server "$1" "${header_bytes[$1]}" | in_ns srv nft -f -
	export -f entry in_ns
	script <<-END
		ns srv
		socket l 6
		bind l :: $port
		listen l 5
		ns cli
		socket c $1
		connect c ${server_ip[$1]} $port
		sleep 500
		sh entry
		sleep 4000
		sh entry
		abort c
		sh entry
	END
	cp "$work/results" "$2"
	no_filter
}

half_open_as_native()
{
	engine_off
	half_open "$1" "$work/native"
	engine_on synack_retries 1
	half_open "$1" "$work/engine"
	grep -q SYN_RECV "$work/native" || echo "no SYN_RECV"
	diff -U 9 "$work/native" "$work/engine"
}

# redirected FAMILY: port 80 stands for the server's port
redirected()
{
	filter <<-END
		table inet translate {
			chain before {
				type nat hook prerouting priority -100;
				tcp dport 80 redirect to :$port
			}
		}
	END
	from_ports 10000 generate -a "${server_ip[$1]}" -P 80 -n 20 -u 20000 -d 20000
}

# translated FAMILY ADDRESS: a foreign address stands for the server, and the
# server sees the client as its own host
translated()
{
	local ip=ip to=${server_ip[$1]}

	[ "$1" = 4 ] || { ip=ip6; to="[$to]"; }
	ip -n cli route add "$2" via "${server_ip[$1]}"
	filter <<-END
		table inet translate {
			chain before {
				type nat hook prerouting priority -100;
				$ip daddr $2 tcp dport 80 \
					dnat $ip to $to:$port
			}
			chain in {
				type nat hook input priority 100;
				tcp dport $port snat $ip to ${client_ip[$1]}
			}
		}
	END
	from_ports 11000 generate -a "$2" -P 80 -n 20 -u 20000 -d 20000 -q
}

untracked()
{
	filter <<-END
		table inet raw {
			chain before {
				type filter hook prerouting priority -300;
				notrack
			}
			chain out {
				type filter hook output priority -300;
				notrack
			}
			chain in {
				type filter hook input priority 0;
				ct state untracked accept
				tcp dport $port drop
			}
		}
	END
	generate -a "${server_ip[$1]}" -n 20 -u 20000 -d 20000
}

# The client's handshake is done by SYNPROXY, which then opens to the engine.
proxied()
{
	filter <<-END
		table inet proxy {
			chain before {
				type filter hook prerouting priority -300;
				tcp dport $port tcp flags syn notrack
			}
			chain in {
				type filter hook input priority 0;
				tcp dport $port ct state invalid,untracked \
					synproxy mss 1460 wscale 7 \
					timestamp sack-perm
				ct state invalid drop
			}
		}
	END
	in_ns srv sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
	generate -a "${server_ip[$1]}" -n 5 -u 20000 -d 20000 "${@:2}"
}

# accept_any: srv accepts what is marked, whoever it was for
accept_any()
{
	local family

	for family in 4 6; do
		ip -n srv "-$family" rule add fwmark 1 lookup 100
		ip -n srv "-$family" route add local default dev lo table 100
		ip -n cli route add "${any_host[$family]}" \
			via "${server_ip[$family]}"
	done
}
declare -A any_host=([4]=203.0.113.7 [6]=2001:db8:7::1)

# transparent FAMILY PORT RULE: a listener that stands for any host, to which the
# rule leads
transparent()
{
	local ip=ip option=IP_TRANSPARENT

	[ "$1" = 4 ] || { ip=ip6; option=IPV6_TRANSPARENT; }
	filter <<-END
		table inet divert {
			chain before {
				type filter hook prerouting priority -150;
				$ip daddr ${any_host[$1]} tcp dport $2 ${3//FAMILY/$ip} meta mark set 1
			}
		}
	END
	./sockscript <<-END
		ns srv
		socket l $1
		set l $option 1
		bind l ${any_ip[$1]} $port
		listen l 5
		ns cli
		socket c $1
		connect c ${any_host[$1]} $2
		accept l a
		local a
		info a
		send c 70000
		recv a 70000
		send a 70000
		recv c 70000
		close c
		error a
		close a
	END
	no_filter
}

# transparent_as_native COUNTERS FAMILY PORT RULE: everything is claimed
transparent_as_native()
{
	local status=0

	transparent "${@:2}" >"$work/native" 2>&1 || status=1
	[ -n "$native" ] || claim srv passive >/dev/null
	counting "$1" transparent "${@:2}" >"$work/engine" 2>&1 || status=1
	engine_off
	grep -q "^local.a=${any_host[$2]} port $3 " "$work/native" || status=1
	cmp -s "$work/native" "$work/engine" || status=1
	[ "$status" = 0 ] && return
	diff -U 100 "$work/native" "$work/engine"
	return 1
}

# Another host behind srv, which only routes.
make_far()
{
	ip netns add far
	lib_namespaces+=(far)
	ip -n srv link add tofar type veth peer name veth netns far
	ip -n far link set lo up
	ip -n far link set veth up
	ip -n srv link set tofar up
	ip -n srv address add 198.51.100.1/24 dev tofar
	ip -n far address add 198.51.100.2/24 dev veth
	ip -n srv address add 2001:db8:1::1/64 dev tofar nodad
	ip -n far address add 2001:db8:1::2/64 dev veth nodad
	ip -n far route add default via 198.51.100.1
	ip -n far route add default via 2001:db8:1::1
	ip -n cli route add 198.51.100.0/24 via 192.0.2.1
	ip -n cli route add 2001:db8:1::/64 via 2001:db8::1
	in_ns srv sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
}

forwarded()
{
	./tcpgen -s far -c cli -p "$port" -a 198.51.100.2 -a 2001:db8:1::2 \
		-n 40 -u 20000 -d 20000
}

# Connections that this host opens itself to a port that it claims.
outgoing()
{
	./tcpgen -s cli -c srv -p "$port" -a 192.0.2.2 -a 2001:db8::2 \
		-n 40 -u 20000 -d 20000
}

# older_hook RULE: in srv, a hook of the engine's priority that is older than the
# engine's: netfilter comes to it after the engine's
older_hook()
{
	# with its last flow the engine's own goes, and comes anew
	wait_for 10 no_flows
	filter <<-END
		table inet guard {
			chain last {
				type filter hook input priority 2147483647;
				$1
			}
		}
	END
}

# attempt_out FAMILY MODE RULE: what becomes of srv's connecting to cli when an
# older hook of srv has this rule
attempt_out()
{
	older_hook "$3"
	claim srv active mode "$2" port "$port" >/dev/null
	script <<-END
		ns cli
		socket l 6
		bind l :: $port
		listen l 5
		ns srv
		socket c $1
		start c ${client_ip[$1]} $port
		finish c 1500
		abort c
	END
	threeway -n srv claim flush >/dev/null
	no_filter
}

# outgoing_dropped FAMILY MODE: the older hook drops what answers the SYN, which
# counts as no handshake
outgoing_dropped()
{
	attempt_out "$1" "$2" "tcp sport $port counter"
	expect connect.c=0 || return 1
	count_from_here
	attempt_out "$1" "$2" "tcp sport $port drop"
	wait_for 5 no_flows
	expect connect.c=EINPROGRESS || return 1
	[ "$(changed flows_handed_over)" = 0 ] &&
		[ "$(changed flows_observed)" = 0 ]
}

# changed NAME: what has been added to a counter since count_from_here
changed()
{
	awk -v name="$1" '$1 == name { print $2 - before; before = $2 }' \
		"$work/stat" "$engine_proc/threeway/stat" | tail -n 1
}

# error_dropped FAMILY: likewise, when an ICMP error answers
error_dropped()
{
	local status=0

	in_ns cli nft -f - <<-END
		table inet guard {
			chain in {
				type filter hook input priority 0;
				tcp dport $port reject
			}
		}
	END
	attempt_out "$1" handoff "counter"
	expect connect.c=ECONNREFUSED || status=1
	attempt_out "$1" handoff "icmp type destination-unreachable drop
		icmpv6 type destination-unreachable drop"
	expect connect.c=EINPROGRESS || status=1
	in_ns cli nft flush ruleset
	return "$status"
}

# observed_dropped FAMILY: the ACK of an observed handshake
observed_dropped()
{
	older_hook "tcp dport $port tcp flags & (syn|ack) == ack drop"
	claim srv passive mode observe port "$port" >/dev/null
	script <<-END
		ns srv
		socket l 6
		bind l :: $port
		listen l 5
		ns cli
		socket c $1
		connect c ${server_ip[$1]} $port
		accept l a 500
		abort c
	END
	threeway -n srv claim flush >/dev/null
	no_filter
	wait_for 10 no_flows
	expect connect.c=0 accept.a=EAGAIN
}

# behind_firewall HOW: everything that conntrack must understand
behind_firewall()
{
	local both=(-a 192.0.2.1 -a 2001:db8::1)

	try "NF2 NF3 stateful firewall, $1" 50 \
		guarded "${both[@]}" -n 50 -u 20000 -d 20000
	try "NF3 stateful firewall, $1, data completes" 50 \
		guarded "${both[@]}" -n 50 -u 20000 -d 20000 -q
	try "NF3 stateful firewall, $1, data with a FIN completes" 50 \
		guarded "${both[@]}" -n 50 -u 900 -d 20000 -q -x
	try "NF3 stateful firewall, $1, server first" 50 \
		guarded "${both[@]}" -n 50 -u 20000 -d 20000 -o server
	try "NF3 stateful firewall, $1, server closes" 50 \
		guarded "${both[@]}" -n 50 -u 20000 -d 20000 -e server
	try "NF3 stateful firewall, $1, resets" 50 \
		guarded "${both[@]}" -n 50 -u 20000 -d 20000 -e rst
	try "NF3 stateful firewall, $1, 2 MB" 2 \
		guarded "${both[@]}" -n 2 -u 2000000 -d 2000000
	check "NF2 $1: conntrack lets go of everything" forgotten
}

start_net 54
in_ns srv sysctl -qw net.ipv4.tcp_synack_retries=1

# Whose hook comes first decides who must confirm an entry of conntrack.
guard
engine_on synack_retries 1
behind_firewall "claimed last"
no_filter
guard
behind_firewall "claimed first"
no_filter

for family in 4 6; do
	try "NF1 v$family: DROP in INPUT wins" "" dropped $family
	try "NF1 v$family: REJECT with a reset" "" \
		rejected $family "with tcp reset"
	try "NF1 v$family: REJECT with ICMP" "" rejected $family ""
	try "NF1 v$family: DROP of the completing ACK wins" \
		"flows_opened=1 flows_expired=1 sent_synack=1 sent_synack_timer=1" \
		ack_dropped $family
	try "NF3 v$family: DROP of the SYN-ACK in OUTPUT" \
		"flows_opened=1 flows_handed_over=1 send_failed=1 sent_synack_timer=0-1 sent_synack_duplicate=0-1 segment_duplicate_syn=0-1" \
		synack_dropped $family
	try "NF4 v$family: REDIRECT in front" 20 redirected $family
	try "NF4 v$family: DNAT in front, SNAT of the client" 20 \
		translated $family "$([ $family = 4 ] &&
			echo 203.0.113.1 || echo 2001:db8:2::1)"
	try "NF2 v$family: untracked" 20 untracked $family
	try "NF4 v$family: SYNPROXY in front" 5 proxied $family
	try "NF4 v$family: SYNPROXY in front, the server talks first" 5 \
		proxied $family -o server -t 5
	no_filter
	check "NF3 v$family: conntrack of a half-open flow as by native" \
		half_open_as_native $family
done
engine_off

accept_any
for family in 4 6; do
	# the SYN has a socket when it comes to the engine
	check "NF4 v$family: TPROXY to a transparent listener" \
		transparent_as_native "" $family 80 "tproxy FAMILY to :$port"
	check "NF4 v$family: TPROXY, the port stays" \
		transparent_as_native "" $family $port "tproxy FAMILY to :$port"
	check "NF4 v$family: a transparent listener, by a mark alone" \
		transparent_as_native 1 $family $port ""
done

engine_on
make_far
try "NF5 forwarded connections are not touched" "" forwarded
try "NF5 outgoing connections are not touched" "" outgoing
engine_off

for family in 4 6; do
	for mode in handoff observe; do
		check "NF1 v$family: an older hook of the engine's priority, $mode" \
			outgoing_dropped $family $mode
	done
	check "NF1 v$family: an older hook that drops an ICMP error" \
		error_dropped $family
	check "NF1 v$family: an older hook that drops an observed ACK" \
		observed_dropped $family
done

end_net
