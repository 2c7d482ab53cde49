# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests of connect() share, on top of net.sh: here it is the client's
# engine that is claimed and counted.
# shellcheck source=selftests/net/net.sh
. "$(dirname "${BASH_SOURCE[0]}")/net.sh"

# start_connect RESULTS: as start_net
start_connect()
{
	start_net "$1"
	ip netns exec cli sleep infinity >/dev/null 2>&1 &
	client_proc=/proc/$!/net
	disown
	wait_for 5 grep -q veth "$client_proc/dev"
	engine_proc=$client_proc
}

# connect_on [WORDS]: the engine owns what cli connects to $port
# shellcheck disable=SC2120 # some tests give words
connect_on()
{
	[ -n "$native" ] || claim cli active port "$port" "$@" >/dev/null
}

connect_off()
{
	[ -n "$native" ] || threeway -n cli claim flush >/dev/null
}

# handed_over N [NAME=NUMBER]...: N connects were done by the engine, and
# nothing else
handed_over()
{
	counted flows_opened="$1" flows_handed_over="$1" sent_syn="$1" "${@:2}"
}

# both_counted N COMMAND...: the engines of both ends did N handshakes
both_counted()
{
	local status=0

	[ -n "$native" ] || cat "$server_proc/threeway/stat" >"$work/stat.srv"
	counting "$@" || status=1
	[ -z "$native" ] || return "$status"
	mv "$work/stat.srv" "$work/stat"
	engine_proc=$server_proc counted flows_opened="$1" \
		flows_handed_over="$1" sent_synack="$1" || status=1
	return "$status"
}

# same_as_native COUNTERS COMMAND...: what the command prints without a claim
# and with one is the same, and the latter changes the counters so
same_as_native()
{
	local status=0

	"${@:2}" >"$work/native" 2>&1 || status=1
	[ -s "$work/native" ] || status=1
	connect_on
	counting "$1" "${@:2}" >"$work/engine" 2>&1 || status=1
	connect_off
	cmp -s "$work/native" "$work/engine" || status=1
	[ "$status" = 0 ] && return
	echo "- native, + engine:"
	diff -U 100 "$work/native" "$work/engine" | sed 1,3d
	return "$status"
}

# listener FAMILY: begins a script
listener()
{
	cat <<-END
		ns srv
		socket l $1
		bind l ${any_ip[$1]} $port
		listen l 5
		ns cli
		socket c $1
	END
}

# delay MS: of what the server sends
delay()
{
	tc -n srv qdisc replace dev veth root netem limit 100000 delay "$1ms"
}

no_delay()
{
	tc -n srv qdisc del dev veth root
}

# lose_syns [N]: of the first N SYNs to each port nothing is seen in srv
lose_syns()
{
	filter <<-END
		table inet lose {
			chain early {
				type filter hook prerouting priority -400;
				tcp flags & (syn|ack) == syn numgen inc mod 1000000 < ${1:-999999} drop
			}
		}
	END
}
