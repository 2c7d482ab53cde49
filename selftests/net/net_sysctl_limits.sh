#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What /proc/sys/net/threeway limits: both hosts are flooded at a time, and each
# goes by the values of its own namespace.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

declare -A host_ip=([srv4]=192.0.2.1 [srv6]=2001:db8::1
	[cli4]=192.0.2.2 [cli6]=2001:db8::2)
declare -A other=([srv]=cli [cli]=srv)

# put NAME VALUE-IN-SRV VALUE-IN-CLI
put()
{
	in_ns srv sysctl -qw "net.threeway.$1=$2"
	in_ns cli sysctl -qw "net.threeway.$1=$3"
}

remember_defaults()
{
	in_ns srv sysctl -a -r '^net\.threeway\.' >"$work/defaults" 2>/dev/null
}

# anew [WORDS]: no flow, no limit, nothing half-open anywhere, a claim with WORDS
anew()
{
	local ns

	for ns in srv cli; do
		threeway -n "$ns" flow kill all
		threeway -n "$ns" claim flush
		in_ns "$ns" sysctl -qp "$work/defaults"
		claim "$ns" passive port "$port" "$@"
	done >/dev/null
	stop_listeners
	listen_everywhere
	count_everywhere
}

listen_everywhere()
{
	printf '%s\n' "ns srv" "socket s 6" "bind s :: $port" "listen s 4096" \
		"ns cli" "socket c 6" "bind c :: $port" "listen c 4096" \
		"sleep 1000000" | ./sockscript >/dev/null 2>&1 &
	listeners=$!
	wait_for 5 listening srv "$port" && wait_for 5 listening cli "$port"
}

stop_listeners()
{
	kill "$listeners"
	wait "$listeners" 2>/dev/null
}

count_everywhere()
{
	local ns

	for ns in srv cli; do
		in_ns "$ns" cat /proc/net/threeway/stat >"$work/stat.$ns"
	done
}

# flood_both FAMILY N: so many SYNs to each host from one source, another one
# each time
flood_both()
{
	local ns source

	strangers=$((strangers + 1))
	source=198.18.$strangers.1
	[ "$1" = 4 ] || source=2001:db8:5:$strangers::1
	for ns in srv cli; do
		./rawpeer -c "${other[$ns]}" -a "$source" \
			-d "${host_ip[$ns$1]}" -p "$port" -n "$2" flood \
			>/dev/null || return 1
	done
}

# rose NS NAME=NUMBER|LOW-HIGH...: since count_everywhere
rose()
{
	local ns=$1

	in_ns "$ns" cat /proc/net/threeway/stat >"$work/now"
	shift
	awk -v wanted="$*" -v ns="$ns" '
		BEGIN {
			n = split(wanted, words, " ")
			for (i = 1; i <= n; i++) {
				split(words[i], pair, "=")
				want[pair[1]] = pair[2]
			}
		}
		FNR == NR {
			before[$1] = $2
			next
		}
		$1 in want {
			change = $2 - before[$1]
			if (split(want[$1], range, "-") == 1)
				range[2] = range[1]
			if (change < range[1] + 0 || change > range[2] + 0) {
				print ns ":", $1, "by", change, "not", want[$1]
				bad = 1
			}
			delete want[$1]
		}
		END {
			for (name in want)
				bad = 1
			exit bad
		}' "$work/stat.$ns" "$work/now"
}

# moved_in NS NAME
moved_in()
{
	echo $(($(counter "$2" "$1") - $(awk -v name="$2" \
		'$1 == name { print $2 }' "$work/stat.$1")))
}

# fewer_flows NS N ALL: N of ALL SYNs opened a flow, or a few more where time has
# passed, and the others were dropped
fewer_flows()
{
	local opened

	opened=$(moved_in "$1" flows_opened)
	rose "$1" flows_opened="$2-$(($2 + 3))" \
		segment_source_rate=$(($3 - opened)) sent_cookie=0
}

source_rate()
{
	local status=0

	anew
	put syncookies 0 0
	put source_burst 50 50
	put source_rate 1 0
	flood_both "$1" 200
	fewer_flows srv 50 200 || status=1
	rose cli flows_opened=200 segment_source_rate=0 || status=1
	# another source, and then the other way round at once
	count_everywhere
	flood_both "$1" 40
	rose srv flows_opened=40 segment_source_rate=0 || status=1
	put source_rate 0 1
	count_everywhere
	flood_both "$1" 200
	rose srv flows_opened=200 segment_source_rate=0 || status=1
	fewer_flows cli 50 200 || status=1
	return "$status"
}

# A source gets back what its rate says, in time.
source_rate_in_time()
{
	local status=0

	anew
	put syncookies 0 0
	put rto_initial_ms 60000 60000
	put source_burst 10 10
	put source_rate 1 5
	flood_both "$1" 50
	fewer_flows srv 10 50 || status=1
	fewer_flows cli 10 50 || status=1
	sleep 5
	threeway -n srv flow kill all >/dev/null
	threeway -n cli flow kill all >/dev/null
	count_everywhere
	# the same source again
	strangers=$((strangers - 1))
	flood_both "$1" 50
	fewer_flows srv 5 50 || status=1
	fewer_flows cli 10 50 || status=1
	return "$status"
}

source_burst()
{
	local status=0

	anew
	put syncookies 0 0
	put source_rate 1 1
	put source_burst 20 70
	flood_both "$1" 150
	fewer_flows srv 20 150 || status=1
	fewer_flows cli 70 150 || status=1
	return "$status"
}

# Beyond the limit there is silence, or a cookie.
source_flows()
{
	local status=0

	anew
	put source_flows 30 60
	put syncookies 0 1
	flood_both "$1" 100
	rose srv flows_opened=30 sent_cookie=0 segment_source_rate=70 || status=1
	rose cli flows_opened=60 sent_cookie=40 segment_source_rate=0 || status=1
	put source_flows 0 10
	put syncookies 1 0
	count_everywhere
	flood_both "$1" 100
	rose srv flows_opened=100 sent_cookie=0 segment_source_rate=0 || status=1
	rose cli flows_opened=10 sent_cookie=0 segment_source_rate=90 || status=1
	return "$status"
}

claims_before_sysctls()
{
	local status=0

	anew source_flows 5 cookies never
	put source_flows 30 60
	put syncookies 2 1
	flood_both "$1" 100
	rose srv flows_opened=5 sent_cookie=0 segment_source_rate=95 || status=1
	rose cli flows_opened=5 sent_cookie=0 segment_source_rate=95 || status=1
	return "$status"
}

# syncookies FAMILY IN-SRV IN-CLI: with room for ten flows and 30 SYNs
syncookies()
{
	local -A counters=(
		[0]="flows_opened=10 native_backlog_full=20 sent_cookie=0 cookies_on=0"
		[1]="flows_opened=10 native_backlog_full=0 sent_cookie=20 cookies_on=1"
		[2]="flows_opened=0 native_backlog_full=0 sent_cookie=30 cookies_on=0"
	)
	local status=0

	anew
	put max_syn_backlog 10 10
	put syncookies "$2" "$3"
	flood_both "$1" 30
	# shellcheck disable=SC2086 # a list
	{
		rose srv ${counters[$2]} || status=1
		rose cli ${counters[$3]} || status=1
	}
	return "$status"
}

backlogs()
{
	local status=0

	anew
	put max_syn_backlog 10 25
	put max_flows 15 8
	flood_both "$1" 30
	rose srv flows_opened=10 sent_cookie=20 cookies_on=1 || status=1
	rose cli flows_opened=8 sent_cookie=22 cookies_on=1 || status=1
	# the namespace is calm again before the next scene
	sleep 11
	return "$status"
}

# Each time some minutes have gone there is a cookie to send.
rotation()
{
	local status=0 i

	anew
	put syncookies 2 2
	put cookie_rotation_s 256 31536000
	for i in 1 2 3 4 5 6 7; do
		flood_both 4 1
		[ "$i" = 7 ] || sleep 130
	done
	rose srv sent_cookie=7 cookie_rotations=2-3 || status=1
	rose cli sent_cookie=7 cookie_rotations=0 || status=1
	return "$status"
}

[ -z "$native" ] || skip_all "there are no sysctls without the module"
start_net 19
in_ns cli sysctl -qw net.ipv4.tcp_syncookies=0
route_strangers
ip -n cli route add 198.18.0.0/15 via 192.0.2.1
ip -n cli route add 2001:db8:5::/48 via 2001:db8::1
remember_defaults
listen_everywhere
# the table of sources is made when it is first asked for
anew
put source_rate 1000 1000
flood_both 4 1
sleep 0.5

for family in 4 6; do
	check "LM5 LC9 v$family: source_rate, in each namespace its own" \
		source_rate $family
	check "LM5 LC9 v$family: source_rate and time" \
		source_rate_in_time $family
	check "LM5 LC9 v$family: source_burst" source_burst $family
	check "LM5 LC9 v$family: source_flows, with cookies and without" \
		source_flows $family
	check "LM5 CK1 LC9 v$family: a claim goes before the sysctls" \
		claims_before_sysctls $family
	for values in "0 1" "1 2" "2 0"; do
		# shellcheck disable=SC2086 # two words
		check "CK1 LC9 v$family: syncookies ${values/ / and }" \
			syncookies $family $values
	done
	check "LM1 LM6 LC9 v$family: max_syn_backlog and max_flows" \
		backlogs $family
done
check "CK11 LC9 cookie_rotation_s" rotation
anew
stop_listeners
engine_off
threeway -n cli claim flush >/dev/null
end_net
