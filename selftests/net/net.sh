# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the socket tests share, on top of lib.sh. The server lives in namespace
# "srv", the client in "cli", both on the veth of setup_ns.
#
# With THREEWAY_NATIVE=1 in the environment nothing is claimed and no counter
# is checked: a test that fails then is itself wrong.
# shellcheck source=selftests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# Read by the tests.
# shellcheck disable=SC2034
{
	port=8080
	declare -A server_ip=([4]=192.0.2.1 [6]=2001:db8::1)
	declare -A client_ip=([4]=192.0.2.2 [6]=2001:db8::2)
	declare -A any_ip=([4]=0.0.0.0 [6]=::)
	# Length of IP and TCP headers with the usual timestamp option.
	declare -A header_bytes=([4]=52 [6]=72)
}
native=${THREEWAY_NATIVE:-}
# A slow machine transfers less in the same time.
# shellcheck disable=SC2034
megabyte=$((1000000 / patience))
work=$(mktemp -d)

clean_up()
{
	teardown_ns
	rm -rf "$work"
}
trap clean_up EXIT

# start_net RESULTS: plan, module, namespaces; counts what must not leak
start_net()
{
	need_root
	tap_plan "$(($1 + 1))"
	[ -n "$native" ] || load_module
	# what the test before has closed may still be on its way out
	wait_for 10 no_orphans
	baseline=$(tcp_sockets)
	setup_ns srv cli
	watch_server
	in_ns srv sysctl -qw net.ipv4.tcp_syncookies=0
}

# watch_server: a process in srv, whose /proc shows what is srv's without
# another process for each look
watch_server()
{
	ip netns exec srv sleep infinity >/dev/null 2>&1 &
	watcher=$!
	server_proc=/proc/$watcher/net
	disown
	wait_for 5 grep -q veth "$server_proc/dev"
	engine_proc=$server_proc
}

# Sockets and orphans of all namespaces.
tcp_sockets()
{
	awk '/^TCP:/ { print $5, $9 }' /proc/net/sockstat
}

no_more_sockets()
{
	local orphans sockets before_orphans before_sockets

	read -r orphans sockets < <(tcp_sockets)
	read -r before_orphans before_sockets <<<"$baseline"
	[ "$orphans" -le "$before_orphans" ] &&
		[ "$sockets" -le "$before_sockets" ]
}

no_orphans()
{
	[[ $(tcp_sockets) == 0\ * ]]
}

# no_leaks: flows, the module, namespaces and sockets all go away
no_leaks()
{
	local ns

	[ -n "$native" ] || no_flows || return 1
	for ns in "${lib_namespaces[@]}"; do
		ip -n "$ns" link add "leak$ns" type veth \
			peer name "leak$ns" netns 1 2>/dev/null
	done
	teardown_ns
	if ! wait_for 10 no_leak_links; then
		echo "a namespace stays"
		return 1
	fi
	if ! wait_for 10 no_more_sockets; then
		echo "sockets and orphans: $(tcp_sockets), before: $baseline"
		return 1
	fi
	[ -n "$native" ] || unload_module
}

# A link into a namespace goes only when the namespace is really gone.
no_leak_links()
{
	! ip -o link show | grep -q ': leak'
}

no_flows()
{
	local lines

	lines=$(cat {"$server_proc","$engine_proc"}/threeway/flows |
		grep -c ': ')
	[ "$lines" = 0 ] && return
	echo "$lines flows are left"
	cat {"$server_proc","$engine_proc"}/threeway/flows
	return 1
}

end_net()
{
	check "LC2 nothing leaks, the module unloads" no_leaks
	finish
}

# engine_on [WORDS]: the engine owns the handshakes to $port
# shellcheck disable=SC2120 # some tests give more words
engine_on()
{
	[ -z "$native" ] || return 0
	claim srv passive port "$port" "$@" >/dev/null
}

engine_off()
{
	[ -z "$native" ] || return 0
	threeway -n srv claim flush >/dev/null
}

# count_from_here: what the counters are compared with
count_from_here()
{
	[ -n "$native" ] || cat "$engine_proc/threeway/stat" >"$work/stat"
}

# counted [NAME=NUMBER|LOW-HIGH|any]...: every counter of the side that is
# looked at (srv, unless connect.sh says cli) has changed so
# much since count_from_here, those that are not named not at all
counted()
{
	[ -z "$native" ] || return 0
	awk -v wanted="$*" '
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
		{
			change = $2 - before[$1]
			# how it was done, not what came of it
			if ($1 == "handoff_replayed" && !($1 in want))
				next
			low = high = $1 in want ? want[$1] : 0
			delete want[$1]
			if (low == "any")
				next
			if (split(low, range, "-") == 2) {
				low = range[1]
				high = range[2]
			}
			if (change < low + 0 || change > high + 0) {
				print "counter", $1, "changed by", change
				bad = 1
			}
		}
		END {
			for (name in want) {
				print "no counter", name
				bad = 1
			}
			exit bad
		}' "$work/stat" "$engine_proc/threeway/stat"
}

# handed_over N [NAME=NUMBER]...: N handshakes were done by the engine, and
# nothing else
handed_over()
{
	counted flows_opened="$1" flows_handed_over="$1" sent_synack="$1" \
		"${@:2}"
}

# check NAME COMMAND...: as in lib.sh, but the command is run in this shell, so
# that it can change variables and leave processes behind
check()
{
	local name=$1

	shift
	if "$@" >"$work/output" 2>&1; then
		ok "$name"
	else
		not_ok "$name" "$*: $(<"$work/output")"
	fi
}

# try NAME COUNTERS COMMAND...: the command succeeds and changes the counters
# so; COUNTERS is a number for handed_over, or arguments for counted
try()
{
	check "$1" counting "${@:2}"
}

counting()
{
	local -a counters=(handed_over "$1")
	local status=0

	[[ $1 =~ ^[0-9]+$ ]] || read -ra counters <<<"counted $1"
	count_from_here
	"${@:2}" || status=1
	"${counters[@]}" || status=1
	return "$status"
}

# generate ARGUMENT...: tcpgen from cli to srv
generate()
{
	./tcpgen -s srv -c cli -p "$port" -t $((30 * patience)) "$@"
}

# start_traffic ARGUMENT...: tcpgen in the background until stop_traffic
start_traffic()
{
	./tcpgen -s srv -c cli -p "$port" -t $((30 * patience)) "$@" \
		>"$work/traffic" 2>&1 &
	traffic=$!
}

# stop_traffic: shows what tcpgen has to say, succeeds when it does
stop_traffic()
{
	local status=0

	kill -TERM "$traffic"
	wait "$traffic" || status=$?
	cat "$work/traffic"
	return "$status"
}

# offload on|off: of the veth
offload()
{
	local ns

	for ns in srv cli; do
		in_ns "$ns" ethtool -K veth tx "$1" gso "$1" tso "$1" gro "$1" \
			>/dev/null 2>&1 || return 1
	done
}

# The server on a device over the veth, see device().
# shellcheck disable=SC2034
declare -A inner_srv=([4]=198.51.100.1 [6]=2001:db8:5::1)

# device WORDS: over the veth, in both namespaces. LOCAL and REMOTE stand for
# the addresses of the veth, of the family before the dot.
device()
{
	local ns here there words

	for ns in srv cli; do
		here=1 there=2
		[ "$ns" = srv ] || here=2 there=1
		words=${*//LOCAL4/192.0.2.$here}
		words=${words//REMOTE4/192.0.2.$there}
		words=${words//LOCAL6/2001:db8::$here}
		words=${words//REMOTE6/2001:db8::$there}
		# shellcheck disable=SC2086 # these are words
		ip -n "$ns" link add dev inner $words &&
			ip -n "$ns" link set inner up &&
			ip -n "$ns" address add "198.51.100.$here/24" dev inner &&
			ip -n "$ns" address add "2001:db8:5::$here/64" \
				dev inner nodad || return 1
	done
}

no_device()
{
	ip -n srv link del inner
	ip -n cli link del inner
}

# errors NS: of TCP and IP
errors()
{
	in_ns "$1" nstat -asz TcpInErrs TcpInCsumErrors TcpRetransSegs \
		TcpExtTCPSynRetrans IpInHdrErrors 2>/dev/null |
		awk '!/^#/ { sum += $2 } END { print sum + 0 }'
}

# start_capture NS ARGUMENT...: tcpdump of the veth in NS, from when it listens
# until stop_capture
start_capture()
{
	# not what the one before has said there
	true >"$work/capture"
	# Not by in_ns, whose process would not be tcpdump's. By default its buffer
	# has 32 frames, for packets as long as can be.
	ip netns exec "$1" tcpdump -i veth -n -S --immediate-mode -B 16384 \
		-s 4096 "${@:2}" 2>"$work/capture" &
	capture=$!
	wait_for 5 grep -q 'listening on' "$work/capture"
}

# stop_capture: fails when something was lost
stop_capture()
{
	# what was sent last is still on its way
	sleep 0.2
	kill "$capture"
	wait "$capture" 2>/dev/null
	grep -qx '0 packets dropped by kernel' "$work/capture" && return
	cat "$work/capture"
	return 1
}

# repeat COMMAND...: in the background until stop_all, with $rest_s seconds in
# between, if any; counts its successes
repeat()
{
	true >"$work/done.$1"
	while [ ! -e "$work/stop" ]; do
		"$@" && echo >>"$work/done.$1"
		[ -z "${rest_s:-}" ] || sleep "$rest_s"
	done &>/dev/null &
	loops+=($!)
}

stop_all()
{
	touch "$work/stop"
	wait "${loops[@]}"
	rm "$work/stop"
	loops=()
}

# worked TIMES COMMAND...: each of them that is repeated has succeeded so often
worked()
{
	local each status=0 times

	for each in "${@:2}"; do
		times=$(wc -l <"$work/done.$each")
		echo "$each: $times"
		[ "$times" -ge "$1" ] || status=1
	done
	return "$status"
}

# many_clients: enough for all ports that they leave in TIME-WAIT
many_clients()
{
	in_ns cli sysctl -qw net.ipv4.tcp_max_tw_buckets=200000 \
		net.ipv4.ip_local_port_range="1024 65535"
}

# script: sockscript with the script on standard input, its results in
# $work/results
script()
{
	./sockscript >"$work/results"
}

# result NAME: a result of the last script
result()
{
	sed -n "s/^$1=//p" "$work/results"
}

# expect NAME=VALUE...: all these are results of the last script
expect()
{
	local each lines status=0 IFS=$'\n'

	# without another process for each, which are slow in the test machine
	mapfile -t lines <"$work/results"
	for each in "$@"; do
		[[ $'\n'"${lines[*]}"$'\n' != *$'\n'"$each"$'\n'* ]] || continue
		echo "no $each but: $(grep -F -- "${each%%=*}=" "$work/results")"
		status=1
	done
	return "$status"
}

# multipath_script FAMILY SERVER CLIENT: data both ways; which of them use MPTCP
multipath_script()
{
	script <<-END
		ns srv
		socket l $1 $2
		bind l ${any_ip[$1]} $port
		listen l 5
		ns cli
		socket c $1 $3
		connect c ${server_ip[$1]} $port
		send c 70000
		accept l a
		recv a 70000
		mptcp a
		mptcp c
		send a 70000
		recv c 70000
		close c
		error a
		close a
	END
}

# serve: a listener that accepts nothing, until stop_serving
serve()
{
	printf '%s\n' "ns srv" "socket l 6" "bind l :: $port" \
		"listen l 4096" "sleep 1000000" >"$work/serve"
	./sockscript <"$work/serve" >/dev/null 2>&1 &
	served_by=$!
	wait_for 5 listening srv "$port"
}

stop_serving()
{
	kill "$served_by"
	wait "$served_by" 2>/dev/null
}

# route_strangers: to the addresses from which hang sends; cli answers nothing.
# A flood does not wait until its neighbour is resolved, and nothing of it is to
# be lost because the other end is slow.
route_strangers()
{
	sysctl -qw net.core.netdev_max_backlog=20000
	ip -n srv route add 198.18.0.0/15 via 192.0.2.2
	ip -n srv route add 2001:db8:5::/48 via 2001:db8::2
	know_neighbour srv 2 cli
	know_neighbour cli 1 srv
}

# know_neighbour NS NUMBER NEIGHBOUR-NS
know_neighbour()
{
	local mac

	mac=$(mac_address "$3")
	ip -n "$1" neighbour replace "192.0.2.$2" lladdr "$mac" dev veth
	ip -n "$1" neighbour replace "2001:db8::$2" lladdr "$mac" dev veth
}

# bad_links: both ends lose, delay, repeat and reorder what they send. Three
# questions for a neighbour would be too few. A SYN that was answered late makes the
# first RTO long, natively as well, and the cache of metrics hands that on to other
# connections: then a FIN would be given up before it was sent three times.
bad_links()
{
	local ns

	know_neighbour srv 2 cli
	know_neighbour cli 1 srv
	for ns in srv cli; do
		tc -n $ns qdisc replace dev veth root netem limit 100000 \
			delay 20ms 10ms loss 10% duplicate 5% reorder 25% 50%
		in_ns $ns sysctl -qw net.ipv4.tcp_no_metrics_save=1 \
			net.ipv4.tcp_orphan_retries=15
	done
}

# good_links: and everything comes to its end before the namespaces do
good_links()
{
	tc -n srv qdisc del dev veth root
	tc -n cli qdisc del dev veth root
	wait_for 200 no_more_sockets
}

# hang N: N half-open flows of each family, from peers that never answer, each
# time other ones
hang()
{
	strangers=$((strangers + 1))
	./rawpeer -c cli -a "198.18.$strangers.1" -d 192.0.2.1 -p "$port" \
		-n "$1" flood &&
		./rawpeer -c cli -a "2001:db8:5::$strangers:1" -d 2001:db8::1 \
			-p "$port" -n "$1" flood
}
strangers=0

# flows: how many half-open ones there are
flows()
{
	grep -c ': ' "$server_proc/threeway/flows"
}

# flows_are N: to wait for; while the table grows a list may miss a flow
flows_are()
{
	[ "$(flows)" = "$1" ]
}

# keep_hooks: netfilter stays in use while the engine's hooks come and go in a
# loop. Else its jump labels are patched each time, and QEMU's emulation of
# several CPUs can loop forever on an instruction that is patched.
keep_hooks()
{
	in_ns cli nft -f - <<-END
		table inet keep {
			chain in {
				type filter hook input priority 0;
			}
			chain out {
				type filter hook output priority 0;
			}
		}
	END
}

# filter: nft rules in srv from standard input, instead of the old ones
filter()
{
	{ echo "flush ruleset"; cat; } | in_ns srv nft -f - || exit 1
}

no_filter()
{
	in_ns srv nft flush ruleset
}

# drop_at_server FAMILY LENGTH...: rules that lose the client's packets of just
# that many bytes before anything in srv sees them
drop_at_server()
{
	local length

	echo "table inet lose {"
	echo "	chain early {"
	echo "		type filter hook prerouting priority -400;"
	for length in "${@:2}"; do
		echo "		tcp dport $port meta length $length drop"
	done
	echo "	}"
	echo "}"
}

# log_packets FILE [raw]: logs the client's packets until stop_log
log_packets()
{
	log_pid=$(./pktlog cli veth "$port" "$@")
}

stop_log()
{
	kill "$log_pid"
	while [ -e "/proc/$log_pid" ]; do
		sleep 0.02
	done
}
