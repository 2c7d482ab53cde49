#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What cli connects to, among netfilter's other users in cli: connection tracking
# sees an ordinary handshake, and translated addresses work.
# shellcheck disable=SC2317 # the functions are run by try
# shellcheck source=selftests/net/connect.sh
. "$(dirname "$0")/connect.sh"
# shellcheck source=selftests/net/conntrack.sh
. "$(dirname "$0")/conntrack.sh"

# What cli connects to instead of the server
declare -A other_ip=([4]=203.0.113.1 [6]=2001:db8:2::1)
# What the server is to see instead of cli's
declare -A masked_ip=([4]=192.0.2.9 [6]=2001:db8::9)

# client_filter: nft rules in cli from standard input, instead of the old ones
client_filter()
{
	{ echo "flush ruleset"; cat; } | in_ns cli nft -f - || exit 1
}

no_client_filter()
{
	in_ns cli nft flush ruleset
}

# connect_on: everything is claimed
connect_on()
{
	[ -n "$native" ] || claim cli active >/dev/null
}

guard()
{
	guard_rules "" "tcp dport { $port, 8081 } ct state new accept" |
		client_filter
	strict_conntrack cli
}

# tracked N: these connections, nothing was INVALID, nobody is stuck half-open
tracked()
{
	in_ns cli conntrack -L -p tcp >"$work/entries" 2>/dev/null
	awk -v n="$1" '
		!/ (TIME_WAIT|CLOSE|LAST_ACK|CLOSE_WAIT|FIN_WAIT) / {
			print "stuck:", $0
			bad = 1
		}
		/ASSURED/ {
			assured++
		}
		END {
			if (assured != n)
				print assured + 0, "are assured"
			exit bad || assured != n
		}' "$work/entries" || return 1
	if in_ns cli conntrack -L unconfirmed 2>/dev/null | grep .; then
		echo "entries are unconfirmed"
		return 1
	fi
	all_valid cli
}

# guarded N ARGUMENT...: so many connections
guarded()
{
	in_ns cli conntrack -F >/dev/null 2>&1
	generate -a 192.0.2.1 -a 2001:db8::1 -n "$1" -u 20000 -d 20000 "${@:2}" &&
		tracked "$1"
}

# some_lost: of 50 connections some lose their first SYN
some_lost()
{
	local status=0

	filter <<-END
		table inet lose {
			chain early {
				type filter hook prerouting priority -400;
				tcp flags & (syn|ack) == syn numgen inc mod 7 < 1 drop
			}
		}
	END
	guarded 50 || status=1
	no_filter
	return "$status"
}

# entry: the state of the only connection that is tracked
entry()
{
	in_ns cli conntrack -L -p tcp 2>/dev/null |
		awk '{ print $4, /UNREPLIED/ ? "unreplied" : "replied",
		       /ASSURED/ ? "assured" : "" }'
}

# forget: and nothing holds an entry
forget()
{
	in_ns cli conntrack -F >/dev/null 2>&1
	wait_for 5 no_entries || echo "an entry stays"
}

no_entries()
{
	[ "$(in_ns cli sysctl -n net.netfilter.nf_conntrack_count)" = 0 ]
}

# step_by_step FAMILY: what conntrack thinks of a connection whose first SYN is
# lost, of one that is refused, and of one that is given up
step_by_step()
{
	guard
	lose_syns 1
	{
		listener "$1"
		echo "
			start c ${server_ip[$1]} $port
			sleep 100
			sh entry
			finish c
			sh entry
			accept l a
			send c 10
			recv a 10
			sh entry
			abort c
			sleep 10
			sh entry
			sh forget
			socket d $1
			connect d ${server_ip[$1]} 8081
			sh entry
			sh forget
			sh ip netns exec srv nft -f $work/no_syns
			socket e $1
			start e ${server_ip[$1]} $port
			sleep 1500
			sh entry
			close e
			sleep 10
			sh entry
			sh forget"
	} | ./sockscript
	no_filter
	all_valid cli
	no_client_filter
}

conntrack_as_native()
{
	same_as_native "flows_opened=3 sent_syn=3 sent_syn_timer=2 flows_handed_over=1 flows_refused=1 segment_refused=1 flows_socket_gone=0-1" \
		step_by_step "$1" || return 1
	wait_for 10 no_flows || return 1
	[ "$(grep -cx 'ESTABLISHED replied assured' "$work/engine")" -ge 1 ] &&
		[ "$(grep -cx 'SYN_SENT unreplied ' "$work/engine")" -ge 2 ] &&
		return
	cat "$work/engine"
	return 1
}

# redirect_output FAMILY RULE: of what cli connects to at the other address
redirect_output()
{
	client_filter <<-END
		table inet translate {
			chain out {
				type nat hook output priority -100;
				meta l4proto tcp $1
			}
		}
	END
}

# to_server FAMILY: port 80 of the other address stands for the server's
to_server()
{
	local ip=ip to=${server_ip[$1]}

	[ "$1" = 4 ] || { ip=ip6; to="[$to]"; }
	redirect_output "$ip daddr ${other_ip[$1]} tcp dport 80 dnat $ip to $to:$port"
}

# translated FAMILY: the connecting socket does not know whom it talks to
translated()
{
	local status=0

	to_server "$1"
	from_ports 10000 generate -a "${other_ip[$1]}" -P 80 -n 20 \
		-u 20000 -d 20000 || status=1
	no_client_filter
	return "$status"
}

# first_lost FAMILY: the copy of a SYN is translated as the first was
first_lost()
{
	lose_syns 1
	translated "$1" || return 1
	no_filter
}

# to_itself FAMILY: what is meant for another host stays here
to_itself()
{
	local ip=ip status=0

	[ "$1" = 4 ] || ip=ip6
	redirect_output "$ip daddr ${other_ip[$1]} tcp dport 80 redirect to :$port"
	./tcpgen -s cli -c cli -p "$port" -t $((30 * patience)) \
		-a "${other_ip[$1]}" -P 80 -n 20 -u 20000 -d 20000 || status=1
	no_client_filter
	return "$status"
}

# masqueraded FAMILY: the server sees another address
masqueraded()
{
	local ip=ip to=${masked_ip[$1]} status=0

	[ "$1" = 4 ] || { ip=ip6; to="[$to]"; }
	client_filter <<-END
		table inet translate {
			chain after {
				type nat hook postrouting priority 100;
				tcp dport $port snat $ip to $to
			}
		}
	END
	in_ns cli conntrack -F >/dev/null 2>&1
	generate -a "${server_ip[$1]}" -n 20 -u 20000 -d 20000 || status=1
	# else it was not translated
	in_ns cli conntrack -L -f "ipv$1" -p tcp 2>/dev/null >"$work/entries"
	if [ "$(grep " src=${client_ip[$1]} " "$work/entries" |
		grep -c " dst=${masked_ip[$1]} ")" != 20 ]; then
		cat "$work/entries"
		status=1
	fi
	no_client_filter
	return "$status"
}

# refused_behind RULE: what the answer to a translated SYN is to the client
refused_behind()
{
	to_server "$family"
	filter <<-END
		table inet refuse {
			chain in {
				type filter hook input priority 0;
				tcp dport $port reject with $1
			}
		}
	END
	# when connect() has left its socket alone
	delay 20
	{
		listener "$family"
		echo "
			start c ${other_ip[$family]} 80
			finish c 3000
			peer c
			abort c"
	} | from_ports 10000 ./sockscript
	no_delay
	no_filter
	no_client_filter
}

# told HOW COUNTERS RESULT: it is native, and that one
told()
{
	same_as_native "flows_opened=1 sent_syn=1 $2" refused_behind "$1" ||
		return 1
	grep -qx "connect.c=$3" "$work/engine" && return
	cat "$work/engine"
	return 1
}

# translated_port_claimed FAMILY: the socket's port counts, not the translated one
translated_port_claimed()
{
	local status=0

	[ -n "$native" ] || claim cli active port "$port" >/dev/null
	counting "" translated "$1" || status=1
	connect_off
	return "$status"
}

# behind_firewall HOW: everything that conntrack must understand
behind_firewall()
{
	try "NF3 stateful firewall, $1" 50 guarded 50
	try "NF3 stateful firewall, $1, SYNs are lost" \
		"flows_opened=50 flows_handed_over=50 sent_syn=50 sent_syn_timer=7-10" \
		some_lost
	try "NF3 stateful firewall, $1, server first" 50 guarded 50 -o server
	try "NF3 stateful firewall, $1, resets" 50 guarded 50 -e rst
	check "NF2 $1: conntrack lets go of everything" forgotten
}

forgotten()
{
	[ -z "$(forget)" ]
}

start_connect 26
for family in 4 6; do
	ip -n cli route add "${other_ip[$family]}" via "${server_ip[$family]}"
done
ip -n cli address add "${masked_ip[4]}/24" dev veth
# not to be chosen as a source
ip -n cli address add "${masked_ip[6]}/64" dev veth nodad preferred_lft 0
cat >"$work/no_syns" <<-"END"
	table inet lose {
		chain early {
			type filter hook prerouting priority -400;
			tcp flags & (syn|ack) == syn drop
		}
	}
END
export -f entry forget no_entries wait_for in_ns
export patience

# Whose hook comes first decides who must confirm an entry of conntrack.
guard
connect_on
behind_firewall "claimed last"
no_client_filter
guard
behind_firewall "claimed first"
no_client_filter

for family in 4 6; do
	try "NF4 v$family: DNAT of the own SYNs" 20 translated $family
	try "NF4 v$family: DNAT of the own SYNs, the first is lost" \
		"flows_opened=20 flows_handed_over=20 sent_syn=20 sent_syn_timer=1" \
		first_lost $family
	try "NF4 v$family: REDIRECT of the own SYNs to this host" 20 \
		to_itself $family
	try "NF4 v$family: SNAT behind" 20 masqueraded $family
done
connect_off

for family in 4 6; do
	check "NF3 v$family: conntrack of each step as by native" \
		conntrack_as_native $family
	check "NF4 v$family: DNAT of the own SYNs, refused by a reset" \
		told "tcp reset" "flows_refused=1 segment_refused=1" ECONNREFUSED
	check "NF4 v$family: DNAT of the own SYNs, unreachable by ICMP" \
		told "icmpx host-unreachable" "flows_icmp=1 icmp_soft=1" \
		EHOSTUNREACH
	check "NF4 v$family: DNAT of the own SYNs, the new port is claimed" \
		translated_port_claimed $family
done
end_net
