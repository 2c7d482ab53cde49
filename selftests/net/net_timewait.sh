#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The same tuple again and again, out of the server's TIME-WAIT and after
# resets: no SYN is refused that need not be, and each initial sequence number
# is later than all that its predecessor sent.
# shellcheck disable=SC2317 # the functions are run by try
# shellcheck source=selftests/net/net.sh
. "$(dirname "$0")/net.sh"

[ -z "$native" ] || skip_all "nothing to take turns with"
client_port=20000
sent=700
# How far the next ISS is from the last one out of TIME-WAIT: SYN, data and FIN
# up to SND.NXT, and what RFC 6191 leaves to the implementation.
step=$((1 + sent + 1 + 65537))

# capture FILE: segments to and from the client, until stop_capture
capture()
{
	start_capture cli -tt -l "tcp and port $port" >"$1"
}

# tuple FAMILY: of the server's end in /proc/net/tcp
tuple()
{
	local ports

	ports=$(printf '%04X %04X' "$port" "$client_port")
	if [ "$1" = 4 ]; then
		echo "010200C0:${ports% *} 020200C0:${ports#* }"
	else
		echo "B80D0120000000000000000001000000:${ports% *}" \
			"B80D0120000000000000000002000000:${ports#* }"
	fi
}

# put_isn NUMBER: where the engine gets its numbers from
put_isn()
{
	in_ns srv sysctl -qw "net.threeway.isn=$1"
}

# in_time_wait FAMILY: a script line; the server has the tuple in TIME-WAIT
in_time_wait()
{
	local file=$server_proc/tcp

	[ "$1" = 4 ] || file+=6
	echo "sh grep -c '$(tuple "$1") 06' $file"
}

# connection FAMILY N: one that ends in TIME-WAIT on the server
connection()
{
	echo "
		ns cli
		socket c$2 $1
		bind c$2 ${any_ip[$1]} $client_port
		connect c$2 ${server_ip[$1]} $port
		accept l a$2
		send c$2 500
		recv a$2 500
		send a$2 $sent
		recv c$2 $sent
		shut a$2
		error c$2
		close c$2
		error a$2
		close a$2
		$look"
}

# aborted FAMILY N: one that leaves nothing
aborted()
{
	echo "
		ns cli
		socket c$2 $1
		bind c$2 ${any_ip[$1]} $client_port
		connect c$2 ${server_ip[$1]} $port
		accept l a$2
		send a$2 $sent
		recv c$2 $sent
		abort c$2
		error a$2
		close a$2"
}

# listener FAMILY
listener()
{
	cat <<-END
		ns srv
		socket l $1
		bind l ${any_ip[$1]} $port
		listen l 5
	END
}

# rounds SCENE FAMILY N [alternately]: N connections of one tuple; the engine
# and the native stack take turns if asked to, the engine comes first
rounds()
{
	local i look

	look=$(in_time_wait "$2")
	listener "$2"
	for ((i = 1; i <= $3; i++)); do
		"$1" "$2" "$i"
		[ $# -eq 3 ] && continue
		if ((i % 2)); then
			echo "sh threeway -n srv claim flush"
		else
			echo "sh threeway -n srv claim add passive" \
				"port $port >/dev/null"
		fi
	done
}

# all_succeed N: each connection of the script got all its bytes
all_succeed()
{
	[ "$(grep -c '^connect.*=0$' "$work/results")" = "$1" ] &&
		[ "$(grep -c "^recv.c.*=$sent$" "$work/results")" = "$1" ]
}

# later ENGINE NATIVE: how far the ISS of each SYN-ACK is from the one before,
# with the engine's the first, native the second and so on; "later", "step" for
# exactly so far, or "any"
later()
{
	awk -v odd="$1" -v even="$2" -v step="$step" '
		/Flags \[S\.[EW]*\]/ {
			wanted = ++count % 2 ? odd : even
			distance = $9 - last
			if (distance < 0)
				distance += 4294967296
			last = $9 + 0
			if (count == 1 || wanted == "any" ||
			    wanted == "step" && distance == step ||
			    wanted == "later" && distance > step - 65537 &&
			    distance < 2147483648)
				next
			print "ISS", count, "is", distance, "after the last"
			bad = 1
		}
		END {
			print count, "SYN-ACKs"
			exit bad
		}' "$work/dump"
}

# played SCENE ENGINE NATIVE FAMILY N [alternately]: all connections succeed, and
# their numbers are as in later
played()
{
	local status=0 number=$5

	capture "$work/dump"
	rounds "$1" "${@:4}" | script || status=1
	stop_capture || status=1
	all_succeed "$number" || status=1
	later "$2" "$3" >"$work/later" || status=1
	grep -qx "$number SYN-ACKs" "$work/later" || status=1
	cat "$work/later"
	return "$status"
}

# again ENGINE NATIVE FAMILY N [alternately]: out of TIME-WAIT each time
again()
{
	local status=0

	played connection "$@" || status=1
	[ "$(grep -cx 1 "$work/results")" = "$4" ] && return "$status"
	echo "not in TIME-WAIT each time"
	return 1
}

# old_syns FAMILY: 20 tuples in TIME-WAIT get SYNs with numbers near 0, which
# are old for about half of them; how many is left in $work/old
old_syns()
{
	local status=0 refused accepted listener

	capture "$work/dump"
	generate -a "${server_ip[$1]}" -k 10000 -n 20 -u 500 -d "$sent" \
		-e server >"$work/results" || status=1
	stop_capture || status=1
	# the client's kernel knows of no such SYN and would reset
	in_ns cli nft -f - <<-END
		table inet silent {
			chain early {
				type filter hook prerouting priority -400;
				tcp sport $port drop
			}
		}
	END
	{
		listener "$1"
		echo "sleep 1000000"
	} | ./sockscript >/dev/null &
	listener=$!
	wait_for 5 grep -qs ":$(printf %04X "$port") .* 0A " \
		"$server_proc/tcp" "$server_proc/tcp6"
	count_from_here
	capture "$work/dump.old"
	./rawpeer flood -c cli -a "${client_ip[$1]}" -d "${server_ip[$1]}" \
		-p "$port" -n 20
	stop_capture || status=1
	in_ns cli nft flush ruleset
	judged "$work/dump" "$work/dump.old" >"$work/judged" || status=1
	cat "$work/judged"
	read -r _ refused _ accepted <"$work/judged"
	counted native_time_wait="$refused" flows_opened="$accepted" \
		sent_synack="$accepted" || status=1
	[ "$refused" -gt 0 ] && [ "$accepted" -gt 0 ] || status=1
	threeway -n srv flow kill all || status=1
	kill "$listener"
	return "$status"
}

# judged CONNECTIONS SYNS: an ACK for each SYN that is not after RCV.NXT, else a
# SYN-ACK with a number after SND.NXT
judged()
{
	awk -v step="$step" '
		function after(a, b)
		{
			a -= b
			return a < -2147483648 || (a > 0 && a < 2147483648)
		}
		function modulo(a)
		{
			return a % 4294967296
		}
		function port_of(address)
		{
			sub(/:$/, "", address)
			sub(/.*[.]/, "", address)
			return address
		}
		FNR == NR && /Flags \[S[EW]*\]/ {
			rcv_nxt[port_of($3)] = modulo($9 + 502)
		}
		FNR == NR && /Flags \[S\.[EW]*\]/ {
			next_iss[port_of($5)] = modulo($9 + step)
		}
		FNR == NR {
			next
		}
		/Flags \[S[EW]*\]/ {
			syn[port_of($3)] = $9 + 0
			next
		}
		{
			port = port_of($5)
			if (port in answer)
				answer[port] = "too many"
			else if (/Flags \[S\.[EW]*\]/)
				answer[port] = "SYN-ACK " ($9 + 0)
			else if (/Flags \[\.\]/)
				answer[port] = "ACK " ($9 + 0)
			else
				answer[port] = $7
		}
		END {
			for (port in syn) {
				new = after(syn[port], rcv_nxt[port])
				want = new ? "SYN-ACK " next_iss[port] : \
					"ACK " rcv_nxt[port]
				refused += !new
				accepted += new
				if (answer[port] == want)
					continue
				wrong = wrong " " port ": " answer[port] \
					", not " want
			}
			print "refused", refused + 0, "accepted", accepted + 0
			if (wrong)
				print wrong
			exit wrong != "" || refused + accepted != 20
		}' "$1" "$2"
}

# new_tuple ARGUMENT...: try, with a tuple that has no past
new_tuple()
{
	client_port=$((client_port + 1))
	try "$@"
}

start_net 14
half="flows_opened=10 flows_handed_over=10 sent_synack=10"
# Linux before 6.10 forgets the number that it has from TIME-WAIT and takes one
# of its generator instead, so that only there isn 2 is monotonic throughout.
for family in 4 6; do
	engine_on
	new_tuple "TW1 IS4 v$family: 50 times out of TIME-WAIT" 50 \
		again step step $family 50
	new_tuple "TW1 IS4 IS5 v$family: 20 times, engine and native alternately" \
		"$half" again step any $family 20 alternately
	new_tuple "IS1 IS8 v$family: 20 resets" 20 \
		played aborted later later $family 20
	check "TW2 CL7 v$family: an old SYN is left to TIME-WAIT" old_syns $family
	put_isn 2
	new_tuple "TW1 IS4 v$family: isn 2, 20 times out of TIME-WAIT" 20 \
		again step step $family 20
	new_tuple "TW1 IS4 IS5 v$family: isn 2, engine and native alternately" \
		"$half" again step later $family 20 alternately
	new_tuple "IS5 IS8 v$family: isn 2, resets, engine and native alternately" \
		"$half" played aborted later later $family 20 alternately
	put_isn 1
	engine_off
done
end_net
