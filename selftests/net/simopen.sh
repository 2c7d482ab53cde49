# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# What the tests of simultaneous opens share, on top of connect.sh: programs that
# connect to each other in pairs, and what the engines of both ends count.

# Ports of the two programs in cli and in srv, for pair 0.
cli_port=7000
srv_port=8000

# engines SIDE...: which have one
engines()
{
	local side

	for side in cli srv; do
		threeway -n "$side" claim flush
		[[ " $* " != *" $side "* ]] ||
			threeway -n "$side" claim add active
	done >/dev/null
}

# slow_link: a SYN takes its time, so that they cross
slow_link()
{
	tc -n cli qdisc replace dev veth root netem limit 10000 delay 50ms
	tc -n srv qdisc replace dev veth root netem limit 10000 delay 50ms
}

# pairs FAMILY N: a script in which the programs of each pair connect
pairs()
{
	local i

	for side in cli srv; do
		echo "ns $side"
		for ((i = 0; i < $2; i++)); do
			echo "socket $side$i $1"
			if [ "$side" = cli ]; then
				echo "bind $side$i ${client_ip[$1]} $((cli_port + i))"
			else
				echo "bind $side$i ${server_ip[$1]} $((srv_port + i))"
			fi
			echo "notify $side$i"
		done
	done
	for ((i = 0; i < $2; i++)); do
		echo "start cli$i ${server_ip[$1]} $((srv_port + i))"
		echo "start srv$i ${client_ip[$1]} $((cli_port + i))"
	done
}

# talk N: both ends of each pair are connected and have data for each other
talk()
{
	local i

	for ((i = 0; i < $1; i++)); do
		for side in cli srv; do
			[ "$1" -gt 1 ] || echo "told $side$i 20"
			echo "finish $side$i"
			echo "state $side$i"
			echo "send $side$i 3000"
		done
		echo "recv srv$i 3000"
		echo "recv cli$i 3000"
		echo "peer srv$i"
		echo "peer cli$i"
		echo "same cli$i srv$i"
	done
}

# done_with N
done_with()
{
	local i

	# no ACK is on its way any more
	echo "sleep 300"
	for ((i = 0; i < $1; i++)); do
		echo "abort cli$i"
		echo "abort srv$i"
	done
	echo "sleep 3000"
}

# both_connected N: there is one connection for each pair
both_connected()
{
	local i status=0

	for ((i = 0; i < $1; i++)); do
		expect connect.{cli,srv}"$i"=0 state.{cli,srv}"$i"=1 \
			recv.{cli,srv}"$i"=3000 same.cli"$i"=1 || status=1
	done
	return "$status"
}

# crossing FAMILY [LISTENER]: without loss
crossing()
{
	port=0 log_packets "$work/packets" times
	{
		pairs "$1" 1
		[ -z "$2" ] || {
			echo "ns srv"
			echo "socket l $1"
			echo "bind l ${any_ip[$1]} $srv_port"
			echo "listen l 5"
		}
		echo "sleep 500"
		talk 1
		[ -z "$2" ] || echo "accept l a 100"
		done_with 1
	} | script
	stop_log
	both_connected 1 || return 1
	[ -z "$2" ] || expect accept.a=EAGAIN || return 1
	expect "told.cli0= out;" "told.srv0= out;" \
		"peer.cli0=${server_ip[$1]} port $srv_port scope 0" \
		"peer.srv0=${client_ip[$1]} port $cli_port scope 0" || return 1
	# each sends one SYN, one SYN-ACK with the same number, no RST
	awk '{
			# of the end
			if ($4 == "14")
				next
			if ($2 in iss && iss[$2] != $6)
				bad = 1
			iss[$2] = $6
			if ($4 != "02" && $4 != "12")
				bad = 1
			count[$4]++
		}
		END {
			if (bad || count["02"] != 2 || count["12"] != 2) {
				print "not as figure 7 of RFC 9293:"
				exit 1
			}
		}' "$work/packets" && return
	cat "$work/packets"
	return 1
}

# crossed N SIDE...: what each engine has counted of N connections
crossed()
{
	local side n=$1 status=0
	local -A proc=([cli]=$client_proc [srv]=$server_proc)

	for side in "${@:2}"; do
		cp "$work/stat.$side" "$work/stat"
		# shellcheck disable=SC2086 # a list
		engine_proc=${proc[$side]} counted flows_opened="$n" \
			flows_handed_over="$n" sent_syn="$n" \
			segment_syn_crossed="$syns" \
			sent_synack_crossed="$syns" $others || status=1
	done
	return "$status"
}

# on_engines SIDES N COMMAND...: with the counters
on_engines()
{
	local status=0

	# shellcheck disable=SC2086 # a list
	engines $1
	cat "$client_proc/threeway/stat" >"$work/stat.cli"
	cat "$server_proc/threeway/stat" >"$work/stat.srv"
	"${@:3}" || status=1
	# shellcheck disable=SC2086 # a list
	crossed "$2" $1 || status=1
	return "$status"
}

# lose_by_port MASKS FIRST-PORT: of what comes for pair I the packets are lost whose bit
# is set in the I-th mask: its SYNs and SYN-ACKs in order
lose_by_port()
{
	local i=0 mask n

	echo "table inet lose {"
	echo "	chain early {"
	echo "		type filter hook prerouting priority -400;"
	for mask in $1; do
		echo "		tcp dport $(($2 + i)) tcp flags & syn == syn jump pair$i"
		i=$((i + 1))
	done
	echo "	}"
	i=0
	for mask in $1; do
		echo "	chain pair$i {"
		echo "		numgen inc mod 1000000 vmap {"
		for n in 0 1 2 3; do
			[ $((mask >> n & 1)) = 0 ] || echo "			$n : drop,"
		done
		echo "			999999 : accept"
		echo "		}"
		echo "	}"
		i=$((i + 1))
	done
	echo "}"
}

# lossy FAMILY: every way to lose some of the first three handshake segments of
# each side
lossy()
{
	local to_srv="" to_cli="" i j n=0

	for i in 0 1 2 3 4 5 6 7; do
		for j in 0 1 2 3 4 5 6 7; do
			to_srv+="$i "
			to_cli+="$j "
			n=$((n + 1))
		done
	done
	lose_by_port "$to_srv" "$srv_port" >"$work/rules.srv"
	lose_by_port "$to_cli" "$cli_port" >"$work/rules.cli"
	in_ns srv nft -f "$work/rules.srv" || return 1
	in_ns cli nft -f "$work/rules.cli" || return 1
	{
		pairs "$1" "$n"
		echo "sleep 20000"
		talk "$n"
		done_with "$n"
	} | script
	in_ns srv nft flush ruleset
	in_ns cli nft flush ruleset
	both_connected "$n"
}
