#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two hosts behind one address and a router that sends the SYN to one of them and
# all else to the other: with equal secrets the cookie of the first completes at
# the second, with other ones it is reset.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

declare -A service=([4]=203.0.113.1 [6]=2001:db8:77::1)
secret=000102030405060708090a0b0c0d0e0f

# host NS NUMBER: a link to cli, which is the router, and the common address
host()
{
	ip netns add "$1" &&
		ip -n cli link add "to$1" type veth peer name veth netns "$1" &&
		ip -n "$1" link set lo up && ip -n "$1" link set veth up &&
		ip -n cli link set "to$1" up &&
		ip -n cli address add "10.0.$2.2/24" dev "to$1" &&
		ip -n "$1" address add "10.0.$2.1/24" dev veth &&
		ip -n cli address add "2001:db8:$2::2/64" dev "to$1" nodad &&
		ip -n "$1" address add "2001:db8:$2::1/64" dev veth nodad &&
		ip -n "$1" address add "${service[4]}/32" dev lo &&
		ip -n "$1" address add "${service[6]}/128" dev lo nodad &&
		ip -n "$1" route add default via "10.0.$2.2" &&
		ip -n "$1" -6 route add default via "2001:db8:$2::2"
}

# The SYN goes to one, by a mark, all else to two.
split()
{
	local family

	in_ns cli nft -f - <<-END || return 1
		table inet split {
			chain out {
				type route hook output priority -150;
				tcp flags & (syn | ack) == syn meta mark set 1
			}
		}
	END
	for family in 4 6; do
		ip -n cli -"$family" rule add pref 101 fwmark 1 table 101 &&
			ip -n cli -"$family" rule add pref 102 table 102 ||
			return 1
	done
	ip -n cli route add "${service[4]}" via 10.0.11.1 table 101 &&
		ip -n cli route add "${service[4]}" via 10.0.12.1 table 102 &&
		ip -n cli -6 route add "${service[6]}" via 2001:db8:11::1 \
			table 101 &&
		ip -n cli -6 route add "${service[6]}" via 2001:db8:12::1 \
			table 102
}

hosts()
{
	lib_namespaces+=(one two)
	host one 11 && host two 12 && split &&
		in_ns cli sysctl -qw net.ipv4.conf.all.rp_filter=0 \
			net.ipv4.conf.toone.rp_filter=0 \
			net.ipv4.conf.totwo.rp_filter=0
}

serve_on()
{
	printf '%s\n' "ns $1" "socket l 6" "bind l :: $port" "listen l 100" \
		"sleep 1000000" | ./sockscript >/dev/null 2>&1 &
	wait_for 5 listening "$1" "$port"
}

anew()
{
	local ns

	for ns in one two; do
		threeway -n "$ns" claim flush >/dev/null
		claim "$ns" passive port "$port" cookies always >/dev/null ||
			return 1
	done
}

# meets FAMILY COUNTER: a SYN to one, an ACK to two, which counts it as that
meets()
{
	local sent came

	sent=$(counter sent_cookie one)
	came=$(counter "$2" two)
	in_ns cli timeout 5 bash -c "exec 3<>/dev/tcp/${service[$1]}/$port &&
		echo hello >&3 && sleep 0.5; read -t 1 -u 3; [ \$? -gt 128 ]" \
		2>/dev/null
	sent=$(($(counter sent_cookie one) - sent))
	came=$(($(counter "$2" two) - came))
	[ "$sent" -gt 0 ] && [ "$came" -gt 0 ] &&
		[ "$(counter sent_cookie two)" = 0 ] && return
	echo "cookies sent by one $sent, by two $(counter sent_cookie two)," \
		"$2 $came"
	return 1
}

set_secrets()
{
	anew && threeway -n one secret set <<<"$1" &&
		threeway -n two secret set <<<"$2"
}

never_shown()
{
	! threeway -n one -j -s claim show | grep -q "${secret:8:16}" &&
		! dmesg | grep -q "${secret:8:16}"
}

# drawn_again: two draws secrets of its own again, one sends what both have had
drawn_again()
{
	set_secrets "$secret" "$secret" && sleep 200 && anew &&
		threeway -n two secret random
}

# clock_set_back: by an hour; a secret can follow all the same, and is used
clock_set_back()
{
	local status=0

	date -s "-1 hour" >/dev/null
	set_secrets "$secret" "$secret" || status=1
	sleep 130
	meets 4 cookies_received || status=1
	date -s "+1 hour" >/dev/null
	return "$status"
}

start_net 11
check "two hosts behind one address" hosts
serve_on one
serve_on two
check "CK11 equal secrets are set" set_secrets "$secret" "$secret"
for family in 4 6; do
	check "CK11 v$family: the cookie of another host with that secret" \
		meets $family cookies_received
done
check "CK11 the secret is shown nowhere" never_shown
# no cookie of before is to be valid any more
sleep 130
check "CK11 other secrets are set" set_secrets "$secret" "${secret//0/f}"
sleep 130
for family in 4 6; do
	check "CK8 v$family: the cookie of a host with another secret is reset" \
		meets $family native_bad_cookie
done
sleep 130
check "CK11 one of them draws secrets of its own again" drawn_again
check "CK11 v4: cookies of the other are good until that has begun" \
	meets 4 cookies_received
sleep 130
check "CK11 secrets when the clock was set back" clock_set_back
end_net
