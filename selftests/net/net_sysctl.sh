#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# /proc/sys/net/threeway and /proc/net/threeway: ranges, namespaces, that a
# changed value holds at once, and the formats.
# shellcheck disable=SC2317 # the functions are run by try
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

sysctls=/proc/sys/net/threeway
# name default lowest highest
table="syn_retries 6 0 255
synack_retries 5 0 255
rto_initial_ms 1000 100 60000
rto_max_ms 120000 1000 120000
max_syn_backlog 4096 1 16777216
max_flows 65536 1 16777216
invalid_ratelimit_ms 500 0 60000
isn 1 1 2
sack 1 0 1
timestamps 1 0 1
window_scaling 1 0 1
ecn 1 0 1
syn_linear_timeouts 0 0 255
icmp_soft_abort 1 0 1
syncookies 1 0 2
source_rate 0 0 65535
source_burst 100 1 65535
source_flows 0 0 4095
cookie_rotation_s 3600 256 31536000"
# Hosts that answer nothing.
declare -A silent_ip=([4]=192.0.2.99 [6]=2001:db8::99)
handshake="flows_opened=1 flows_handed_over=1 sent_synack=1"

# put NAME VALUE: in srv
put()
{
	in_ns srv sysctl -qw "net.threeway.$1=$2"
}

# defaults: of all that exist, as the namespace of the caller has them
defaults()
{
	local file

	for file in "$sysctls"/*; do
		echo "${file##*/} $(<"$file")"
	done
}

defaults_everywhere()
{
	local status=0 ns

	sort <<<"$table" | cut -d' ' -f1-2 >"$work/defaults"
	sed 's/^/net.threeway./; s/ /=/' "$work/defaults" \
		>"$work/sysctl.defaults"
	for ns in srv cli; do
		in_ns "$ns" bash -c defaults | diff -U 9 "$work/defaults" - ||
			status=1
	done
	defaults | diff -U 9 "$work/defaults" - || status=1
	return "$status"
}

# refused NAME VALUE: EINVAL, and the old value stays
refused()
{
	local file=$sysctls/$1 before after error

	read -r before <"$file"
	error=$({ echo "$2" >"$file"; } 2>&1) && {
		echo "'$2' was taken"
		return 1
	}
	[[ $error == *": Invalid argument" ]] ||
		{ echo "'$2': $error"; return 1; }
	read -r after <"$file"
	[ "$after" = "$before" ] ||
		{ echo "'$2' refused, but $before is now $after"; return 1; }
}

taken()
{
	local after

	echo "$2" >"$sysctls/$1" && read -r after <"$sysctls/$1" &&
		[ "$after" = "$2" ] && return
	echo "$2 became $after"
	return 1
}

# range NAME DEFAULT LOWEST HIGHEST: in the namespace of the caller
range()
{
	local status=0 value

	[ "$(stat -c %a "$sysctls/$1")" = 644 ] || status=1
	taken "$1" "$4" || status=1
	for value in $(($3 - 1)) $(($4 + 1)) -1 4294967295 4294967296 \
		     4294967297 18446744073709551617 x 1x 1.0 "" " "; do
		refused "$1" "$value" || status=1
	done
	taken "$1" "$3" || status=1
	for value in $(($3 - 1)) $(($4 + 1)) -2147483648 x; do
		refused "$1" "$value" || status=1
	done
	taken "$1" "$2" || status=1
	return "$status"
}

# ranges NAME DEFAULT LOWEST HIGHEST: in srv
ranges()
{
	in_ns srv bash -c 'range "$@"' - "$@"
}

defaults_again()
{
	in_ns srv sysctl -qp "$work/sysctl.defaults"
}

# Each in srv gets a value of its own; cli, the first namespace and one that is
# made afterwards have the defaults.
independent()
{
	local name default lowest highest all status=0

	all=$(wc -l <<<"$table")
	while read -r name default lowest highest; do
		[ "$default" = "$lowest" ] && lowest=$highest
		echo "net.threeway.$name=$lowest"
	done <<<"$table" >"$work/changed"
	in_ns srv sysctl -qp "$work/changed"
	in_ns srv bash -c defaults | diff "$work/defaults" - |
		grep -c '^+[a-z]' >"$work/count"
	[ "$(<"$work/count")" = "$all" ] || {
		echo "$(<"$work/count") of $all have changed"
		status=1
	}
	in_ns cli bash -c defaults | diff "$work/defaults" - || status=1
	defaults | diff "$work/defaults" - || status=1
	unshare -n bash -c defaults | diff "$work/defaults" - || status=1
	defaults_again
	return "$status"
}

# What a user without privileges finds in namespaces of his own.
as_user()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		unshare -Urn bash -c "$1"
}

unprivileged()
{
	local output

	# shellcheck disable=SC2016
	output=$(as_user 'cd /proc/sys/net/threeway && stat -c %a max_flows &&
		{ echo 7 >max_flows; cat max_flows; } 2>&1 &&
		stat -c %a max_syn_backlog && echo 7 >max_syn_backlog &&
		cat max_syn_backlog' | sed 's/.*: //')
	[ "$output" = "444
Permission denied
65536
644
7" ] && return
	echo "$output"
	return 1
}

# silent FAMILY N [PORT]: N SYNs, each from another port of a host that is silent
silent()
{
	./rawpeer flood -c cli -a "${silent_ip[$1]}" -d "${server_ip[$1]}" \
		-p "${3:-$port}" -n "$2" >/dev/null
}

no_flow()
{
	[[ $(<"$server_proc/threeway/flows") != *": "* ]]
}

kill_flows()
{
	no_flow || threeway -n srv flow kill all
}

# listen_on PORT [FAMILY]: a listener in the background
listen_on()
{
	./sockscript &>/dev/null <<-END &
		ns srv
		socket l ${2:-6}
		bind l ${any_ip[${2:-6}]} $1
		listen l 100
		sleep 1000000
	END
	echo $! >>"$work/listeners"
	wait_for 5 grep -qs ":$(printf %04X "$1") .* 0A " \
		"$server_proc/tcp" "$server_proc/tcp6"
}

# What is half-open natively goes with its listener.
stop_listeners()
{
	xargs kill <"$work/listeners"
	rm "$work/listeners"
	wait_for 5 no_native
}

no_native()
{
	[ "$(natives)" = 0 ]
}

# natives: handshakes that hang in the native stack
natives()
{
	cat "$server_proc/tcp" "$server_proc/tcp6" |
		grep -c " 03 00000000:00000000 "
}

# connects FAMILY: a client gets through
connects()
{
	script <<-END
		ns cli
		socket c $1
		connect c ${server_ip[$1]} $port
		abort c
	END
	expect connect.c=0
}

# retries_left: of each flow
retries_left()
{
	threeway -n srv -j flow show | jq -r '.[].retries_left' | xargs
}

now_ms()
{
	echo $((${EPOCHREALTIME/./} / 1000))
}

# expires MS: the flows have gone that long after $opened_ms, as exactly as
# timers are
expires()
{
	local took_ms left_ms=$((opened_ms + $1 - 100 - $(now_ms)))

	# no more looks than needed
	sleep "$(printf '%d.%03d' $((left_ms / 1000)) $((left_ms % 1000)))"
	wait_for 10 no_flow
	took_ms=$(($(now_ms) - opened_ms))
	[ "$took_ms" -ge "$1" ] && [ "$took_ms" -le $(($1 + 300)) ] && return
	echo "gone after $took_ms ms, not $1"
	return 1
}

# one_flow_each: half-open, v4 and v6
one_flow_each()
{
	opened_ms=$(now_ms)
	silent 4 1
	silent 6 1
}

fewer_retries()
{
	local status=0

	one_flow_each
	[ "$(retries_left)" = "5 5" ] || status=1
	put synack_retries 2
	[ "$(retries_left)" = "2 2" ] || status=1
	expires 7000 || status=1
	return "$status"
}

more_retries()
{
	local status=0

	one_flow_each
	[ "$(retries_left)" = "2 2" ] || status=1
	put synack_retries 3
	[ "$(retries_left)" = "3 3" ] || status=1
	expires 15000 || status=1
	return "$status"
}

# What runs already goes on at 1 s, then 0.2, 0.4, 0.8, 1, 1 follow.
shorter_timeouts()
{
	put synack_retries 5
	one_flow_each
	put rto_initial_ms 100
	put rto_max_ms 1000
	expires 4400
}

next_syn_timeouts()
{
	put synack_retries 2
	put rto_initial_ms 2000
	one_flow_each
	expires 3000
}

claim_both()
{
	engine_off
	engine_on
	claim srv passive port $((port + 1)) >/dev/null
}

# over_limit FAMILY SYSCTL LIMIT N: with two flows of another claim, the last of
# N SYNs is one too many, and so is a client; with a larger limit it is not
over_limit()
{
	local status=0

	put syncookies 0
	# no copy meanwhile, however slow the machine is
	put rto_initial_ms 60000
	put "$2" "$3"
	silent "$1" 2 $((port + 1))
	silent "$1" "$4"
	[ "$(natives)" = 1 ] || {
		echo "$(natives) native handshakes"
		status=1
	}
	connects "$1" || status=1
	put "$2" $(($3 + 1))
	connects "$1" || status=1
	return "$status"
}

half_open_no_more()
{
	kill_flows
	stop_listeners
	listen_on "$port"
	listen_on $((port + 1))
	defaults_again
}

# limited_at FAMILY MS RESULTS...: what becomes of copies of a SYN (0 limited,
# 1 answered), the second and so on 550 ms after the one before
limited_at()
{
	local family=$1 result

	put invalid_ratelimit_ms "$2"
	shift 2
	for result in "$@"; do
		count_from_here
		silent "$family" 1
		if [ "$result" = 1 ]; then
			counted segment_duplicate_syn=1 sent_synack_duplicate=1
		else
			counted segment_duplicate_limited=1
		fi || return 1
		sleep 0.55
	done
}

rate_limit()
{
	put rto_initial_ms 60000
	silent "$1" 1
	limited_at "$1" 500 1 1 &&
		limited_at "$1" 10000 0 0 &&
		limited_at "$1" 0 1 1 &&
		limited_at "$1" 60000 0 0 &&
		limited_at "$1" 400 1 1
}

# negotiated FAMILY NUMBER: tcpi_options of both ends
negotiated()
{
	script <<-END
		ns srv
		socket l 6
		bind l :: $((port + 2))
		listen l 5
		ns cli
		socket c $1
		connect c ${server_ip[$1]} $((port + 2))
		accept l a
		info a
		info c
		abort c
		abort a
	END
	expect "info.a.options=$2" "info.c.options=$2"
}

# capture_isns FAMILY: the sequence numbers of three rounds of SYN-ACKs
capture_isns()
{
	local status=0

	start_capture cli -tt -l "src port $port" >"$work/dump"
	put rto_initial_ms 60000
	put isn 2
	silent "$1" 8
	kill_flows
	engine_off
	silent "$1" 8
	stop_listeners
	listen_on "$port"
	engine_on
	put isn 1
	silent "$1" 8
	stop_capture || status=1
	kill_flows
	return "$status"
}

# The native generator adds a tick every 64 ns to what it makes of the tuple.
isn_source()
{
	capture_isns "$1" || return 1
	# time IP server.port > client.port: Flags [S.], seq N, ...
	awk '
		/Flags/ {
			tuple = $5
			seq = $9 + 0
			round = ++rounds[tuple]
			ticks = ($1 - time[tuple]) * 15625000
			off = seq - last[tuple] - ticks
			off -= 4294967296 * int(off / 4294967296)
			if (off < 0)
				off += 4294967296
			near = off < 1500000 || off > 4294967296 - 1500000
			count[round] += round > 1 && near
			tuples[round]++
			time[tuple] = $1
			last[tuple] = seq
		}
		END {
			printf "tuples %d %d %d, near %d %d\n", tuples[1],
				tuples[2], tuples[3], count[2], count[3]
			exit tuples[1] != 8 || tuples[2] != 8 ||
				tuples[3] != 8 || count[2] != 8 || count[3] > 1
		}' "$work/dump" || {
		head -n 4 "$work/dump"
		return 1
	}
}

# line FILE: of the half-open connection, as far as both files have columns; the
# time left becomes the word "soon" if it is between LOW and HIGH ticks
line()
{
	awk -v low="$2" -v high="$3" '
		BEGIN {
			for (i = 0; i < 16; i++)
				digit[sprintf("%X", i)] = i
		}
		$4 == "03" {
			split($6, timer, ":")
			for (i = 1; i <= 8; i++)
				ticks = ticks * 16 + digit[substr(timer[2], i, 1)]
			if (ticks >= low && ticks <= high)
				sub(timer[1] ":" timer[2], timer[1] ":soon")
			sub(/^ *[0-9]+:/, "")
			if (NF > 10)
				sub(/ [0-9]+ [0-9a-f]+ *$/, "")
			print
		}' "$1"
}

# proc_flows FAMILY: the line of a handshake, native and the engine's
proc_flows()
{
	local file=$server_proc/tcp

	[ "$1" = 4 ] || file+=6
	engine_off
	stop_listeners
	listen_on "$port" "$1"
	silent "$1" 1
	line "$file" 60 112 >"$work/native"
	sleep 1.5
	line "$file" 100 225 >>"$work/native"
	stop_listeners
	listen_on "$port" "$1"
	engine_on
	silent "$1" 1
	line "$server_proc/threeway/flows" 60 112 >"$work/engine"
	sleep 1.5
	line "$server_proc/threeway/flows" 100 225 >>"$work/engine"
	[ "$(grep -c soon "$work/engine")" = 2 ] &&
		diff "$work/native" "$work/engine"
}

proc_flows_header()
{
	diff <(head -n 1 "$server_proc/tcp" | sed 's/ *$//') \
		<(head -n 1 "$server_proc/threeway/flows") &&
		[ "$(grep -Ec '^ *[0-9]+: ' "$server_proc/threeway/flows")" = 2 ] &&
		[ "$(wc -l <"$server_proc/threeway/flows")" = 3 ]
}

proc_claims()
{
	threeway -4 -n srv claim add passive local 192.0.2.1 port 80-90 remote 192.0.2.0/24
	threeway -6 -n srv claim add passive local 2001:db8::/64 port 90
	threeway -6 -n srv claim add passive remote 2001:db8::99
	threeway -n srv -j claim show | jq -r '.[].id' >"$work/ids"
	sed 1d "$server_proc/threeway/claims" | cut -d' ' -f1 |
		diff "$work/ids" - || return 1
	cut -d' ' -f2- "$server_proc/threeway/claims" | diff - <(cat <<-END
		family local ports remote direction mode flows opened handed_over
		any any $port-$port any passive handoff 2 3 1
		inet 192.0.2.1/32 80-90 192.0.2.0/24 passive handoff 0 0 0
		inet6 2001:db8::/64 90-90 any passive handoff 0 0 0
		inet6 any 0-0 2001:db8::99/128 passive handoff 0 0 0
	END
	)
}

proc_stat()
{
	diff counter_names <(cut -d' ' -f1 "$server_proc/threeway/stat") &&
		! grep -Evx '[a-z0-9_]+ [0-9]+' "$server_proc/threeway/stat"
}

proc_modes()
{
	stat -c '%a %n' "$server_proc"/threeway/* | sed 's,/.*/,,' |
		diff - <(printf '444 %s\n' claims flows stat)
}


each_range()
{
	local row

	while read -ra row; do
		check "LC9 ${row[0]}: ${row[1]} by default, ${row[2]} to ${row[3]}" \
			ranges "${row[@]}"
	done <<<"$table"
}

# each_switch FAMILY: 0 says never, 1 as net.ipv4.tcp_* says
each_switch()
{
	local family=$1 bit name

	for bit in 1 2 4 8; do
		case $bit in
		1)	name=timestamps ;;
		2)	name=sack ;;
		4)	name=window_scaling ;;
		8)	name=ecn ;;
		esac
		put $name 0
		try "OP12 HO5-HO9 v$family: no $name" "$handshake" \
			negotiated "$family" $((15 - bit))
		in_ns srv sysctl -qw "net.ipv4.tcp_$name=0" net.threeway.$name=1
		try "OP12 HO5-HO9 v$family: $name 1 does not go before tcp_$name 0" \
			"$handshake" negotiated "$family" $((15 - bit))
		in_ns srv sysctl -qw "net.ipv4.tcp_$name=1"
	done
}

claims_decide()
{
	put sack 0
	put timestamps 0
	put window_scaling 0
	put ecn 0
	threeway -n srv claim del port $((port + 2)) >/dev/null
	claim srv passive port $((port + 2)) sack on timestamps on \
		window_scaling on ecn on
	negotiated "$1" 15
}

[ -z "$native" ] || skip_all "there are no sysctls without the module"
start_net 60
export sysctls
export -f defaults refused taken range
check "LC9 a new namespace has all sysctls and their defaults" \
	defaults_everywhere
each_range
check "LC9 each namespace has values of its own" independent
check "LC10 max_flows is read-only for unprivileged namespaces" unprivileged

for family in 4 6; do
	ip -n srv neighbour replace "${silent_ip[$family]}" dev veth \
		lladdr 02:00:00:00:00:99 nud permanent
done
listen_on "$port"
listen_on $((port + 1))
claim_both

expired="flows_opened=2 sent_synack=2 flows_expired=2 sent_synack_timer"
try "LC9 RT6 synack_retries: fewer for half-open flows" "$expired=4" \
	fewer_retries
try "LC9 RT6 synack_retries: more for half-open flows" "$expired=6" \
	more_retries
try "LC9 rto_initial_ms, rto_max_ms: from the next timer on" "$expired=10" \
	shorter_timeouts
try "LC9 rto_initial_ms, rto_max_ms: for the next SYN" "$expired=4" \
	next_syn_timeouts
defaults_again

for family in 4 6; do
	try "LC9 v$family: max_syn_backlog, of each claim" \
		"flows_opened=6 sent_synack=6 flows_handed_over=1 native_backlog_full=2" \
		over_limit $family max_syn_backlog 3 4
	half_open_no_more
	try "LM6 LC9 v$family: max_flows, of the namespace" \
		"flows_opened=4 sent_synack=4 flows_handed_over=1 native_flow_limit=2" \
		over_limit $family max_flows 3 2
	half_open_no_more
	check "SR3 LC9 v$family: invalid_ratelimit_ms" rate_limit $family
	kill_flows
	check "IS5 LC9 v$family: isn" isn_source $family
	half_open_no_more
	claim_both
done

for ns in srv cli; do
	in_ns $ns sysctl -qw net.ipv4.tcp_ecn=1
done
for family in 4 6; do
	claim srv passive port $((port + 2)) >/dev/null
	try "OP12 HO5-HO9 v$family: all options" "$handshake" negotiated $family 15
	each_switch $family
	try "OP12 HO5-HO9 v$family: a claim goes before the sysctls" "$handshake" \
		claims_decide $family
	defaults_again
	threeway -n srv claim del port $((port + 2)) >/dev/null
done
for family in 4 6; do
	check "MI10 v$family: flows has the columns of /proc/net/tcp" \
		proc_flows $family
	kill_flows
done
engine_off
engine_on
silent 4 1
silent 6 1
connects 4
check "MI10 flows: the header of /proc/net/tcp, a line for each flow" \
	proc_flows_header
check "MI10 claims: one a line, with its counts" proc_claims
check "MI11 stat: the names of the interface, in order" proc_stat
check "LC10 everybody may read, nobody may write" proc_modes
kill_flows
engine_off
stop_listeners
end_net
