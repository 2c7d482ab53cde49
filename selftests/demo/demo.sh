#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows step by step what threeway does to the connections of an ordinary
# server. Every step checks what it says; the first one that is wrong ends the
# demo with status 1. Needs root, the module, the tool, curl, tcpdump, nft, jq
# and busybox; "make demo" runs it in the test machine.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/hand-out.sh"

work=$(mktemp -d)
trap 'teardown_ns; rm -rf "$work"' EXIT
size_mb=5
steps=0

title()
{
	steps=$((steps + 1))
	printf '\n\n%d. %s\n' "$steps" "$1"
	printf '%s\n\n' "${1//?/=}==="
}

# say TEXT...: as a paragraph
say()
{
	fold -s -w 76 <<<"$*" | sed 's/ *$//'
	echo
}

# indent: what programs print, set apart from what is said about it
indent()
{
	sed -u 's/^/    /'
	echo
}

# show COMMAND...: as typed, with its output; it must succeed
show()
{
	fold -s -w 70 <<<"$*" |
		sed -e '1s/^/    # /' -e '1!s/^/          /' -e '$!s/$/\\/'
	"$@" 2>&1 | indent
	[ "${PIPESTATUS[0]}" -eq 0 ] || wrong "that command failed"
}

wrong()
{
	printf '\nWRONG: %s\n' "$*"
	dmesg | tail -n 20
	exit 1
}

# must WHAT COMMAND...
must()
{
	local what=$1

	shift
	"$@" || wrong "it is not so that $what"
	printf '    [ok] %s\n' "$what"
}

# fetch URL: by an ordinary client; prints the checksum of what came
fetch()
{
	ip netns exec client curl -sS -g --max-time 60 "$1" |
		sha256sum | cut -d ' ' -f 1
}

same()
{
	[ "$1" = "$2" ]
}

engine_counter()
{
	counter "$1" server
}

start_server()
{
	mkdir "$work/www"
	dd if=/dev/urandom of="$work/www/file" bs=1M count=$size_mb 2>/dev/null
	echo "Hello from an ordinary web server." >"$work/www/hello"
	checksum=$(sha256sum "$work/www/file" | cut -d ' ' -f 1)
	ip netns exec server busybox httpd -p '[::]:80' -h "$work/www"
	wait_for 5 listening server 80 || wrong "no web server"
}

# capture NAME: starts recording what the client sees
capture()
{
	ip netns exec client tcpdump -Z root -i veth -U -w "$work/$1.pcap" \
		'tcp port 80' 2>"$work/$1.log" &
	capture_pid=$!
	wait_for 5 grep -q 'listening on' "$work/$1.log" || wrong "no tcpdump"
}

# end_capture NAME: prints it as text
end_capture()
{
	# The last packet must be in the file.
	sleep 1
	kill -INT "$capture_pid"
	wait "$capture_pid"
	tcpdump -Z root -nSttt -r "$work/$1.pcap" 2>/dev/null >"$work/$1.txt"
}

# synack_seq NAME: its sequence number in a capture
synack_seq()
{
	sed -n 's/.*Flags \[S\.\], seq \([0-9]*\).*/\1/p' "$work/$1.txt" |
		head -n 1
}

two_hosts()
{
	title "Two hosts and an ordinary web server"
	say "Two network namespaces play two hosts, joined by a cable (a veth" \
	    "pair). On the host \"server\" busybox httpd serves a file of" \
	    "$size_mb MB. On the host \"client\" curl fetches it. Neither" \
	    "program knows of threeway, and the module is not loaded yet:" \
	    "Linux's own TCP does the handshake."
	setup_ns client server
	start_server
	must "the file comes over IPv4, checksum equal" \
		same "$(fetch http://192.0.2.2/file)" "$checksum"
}

claim_port()
{
	title "The engine takes over the handshakes of port 80"
	say "From now on threeway's engine answers every SYN to port 80 of the" \
	    "host \"server\". The server goes on running; nothing is restarted."
	show modprobe threeway
	show threeway -n server claim add passive port 80
	show threeway -n server claim show
	must "no handshake was counted yet" \
		same "$(engine_counter flows_opened)" 0
}

download()
{
	title "The same download, with the engine's handshake"
	must "$size_mb MB come over IPv4, checksum equal" \
		same "$(fetch http://192.0.2.2/file)" "$checksum"
	must "$size_mb MB come over IPv6, checksum equal" \
		same "$(fetch 'http://[2001:db8::2]/file')" "$checksum"
	echo
	say "The engine's counters tell who did it: two handshakes opened, two" \
	    "SYN-ACKs sent, two connections handed over to the server's socket."
	show threeway -n server stat show
	must "the engine opened 2 handshakes" \
		same "$(engine_counter flows_opened)" 2
	must "the engine sent 2 SYN-ACKs" \
		same "$(engine_counter sent_synack)" 2
	must "both connections were handed over" \
		same "$(engine_counter flows_handed_over)" 2
}

# one_handshake NAME URL: the packets of a small download
one_handshake()
{
	capture "$1"
	fetch "$2" >/dev/null
	end_capture "$1"
	awk -f "$(dirname "$0")/packets.awk" "$work/$1.txt"
	echo
}

packets()
{
	title "The packets"
	say "This is what the client sees of a handshake over IPv4. The SYN-ACK" \
	    "is the engine's: its sequence number (the ISN) comes from the" \
	    "engine's own secret and clock, its options are the ones that Linux" \
	    "would have sent for this listener and route."
	one_handshake four http://192.0.2.2/hello
	say "The same over IPv6:"
	one_handshake six 'http://[2001:db8::2]/hello'
	must "the engine opened 2 more handshakes" \
		same "$(engine_counter flows_opened)" 4
}

fixed_isn()
{
	local want=1000000000

	title "Whose sequence number is it?"
	say "For a laboratory a claim can fix the ISN. (Never do that on a real" \
	    "network.) If the SYN-ACK then carries just that number, it must" \
	    "come from the engine:"
	show threeway -n server claim add passive port 80 \
		remote 192.0.2.1/32 isn "fixed:$want"
	one_handshake fixed http://192.0.2.2/hello
	must "the SYN-ACK has sequence number $want" \
		same "$(synack_seq fixed)" "$want"
	threeway -n server claim del passive port 80 remote 192.0.2.1/32 ||
		wrong "the claim does not go"
}

# One flow's value, from the tool's JSON.
flow_value()
{
	threeway -n server -j flow show | jq -r ".[0].$1"
}

flow_is_half_open()
{
	same "$(flow_value state 2>/dev/null)" SYN-RECEIVED
}

half_open()
{
	local client_pid

	title "A connection that hangs half open"
	say "Here the client's firewall loses every packet from the client that" \
	    "is not a SYN, so the last packet of the handshake never arrives." \
	    "The engine waits in SYN-RECEIVED, where one can look at it:"
	ip netns exec client nft -f - <<-EOF || wrong "no firewall"
	table inet demo {
		chain output {
			type filter hook output priority 0;
			tcp dport 80 tcp flags & syn == 0 drop
		}
	}
	EOF
	capture half
	fetch http://192.0.2.2/hello >"$work/half.sum" &
	client_pid=$!
	must "there is a flow in SYN-RECEIVED" wait_for 5 flow_is_half_open
	echo
	show threeway -n server -j -p flow show
	say "Four seconds later the engine has sent its SYN-ACK again after 1 s" \
	    "and after 3 s, each time with the doubled timeout:"
	sleep 4
	show threeway -n server -j -p flow show
	must "2 retransmissions were counted" \
		same "$(engine_counter sent_synack_timer)" 2
	iss=$(flow_value iss)
	echo
	say "Now the firewall lets everything through. The client's next" \
	    "packet completes the handshake, late but well:"
	ip netns exec client nft delete table inet demo
	wait "$client_pid"
	end_capture half
	must "the page came, checksum equal" same "$(cat "$work/half.sum")" \
		"$(sha256sum "$work/www/hello" | cut -d ' ' -f 1)"
	must "the ISS in the table is the number on the wire, $iss" \
		same "$(synack_seq half)" "$iss"
	must "no flow is left" same "$(threeway -n server -j flow show)" "[]"
}

# lab NAME: an experiment, as text and as a picture
lab()
{
	echo "    # threeway lab $1"
	LC_ALL=${DEMO_LOCALE:-C} COLUMNS=76 threeway lab "$1" \
		svg "$work/$1.svg" | indent
	[ "${PIPESTATUS[0]}" -eq 0 ] || wrong "that experiment failed"
}

laboratory()
{
	title "The laboratory"
	say "threeway can also play both hosts, let a known experiment happen" \
	    "there, draw it and explain it. On the left and on the right are" \
	    "the states of the two ends. First the handshake that you have" \
	    "just seen, with the engine on both ends:"
	lab three-way
	say "A connect() that nobody answers takes 127 seconds to fail. Here" \
	    "time is skipped while nothing happens:"
	lab syn-sent
	say "Two programs that connect to each other at the same moment, over a" \
	    "slow cable. Their SYNs cross, and there is one connection:"
	lab simultaneous-open
	must "nothing is left of these hosts" same "$(ip netns list | wc -l)" 2
}

# received: bytes of the download that the client has acknowledged
received()
{
	ip netns exec server ss -Htin state connected 'sport = :80' |
		sed -n 's/.* bytes_acked:\([0-9]*\).*/\1/p' | tail -n 1
}

downloading()
{
	local before

	before=$(received)
	sleep 1
	[ "$(received)" -gt "${before:-0}" ]
}

unload()
{
	local client_pid before

	title "Away with the module, in the middle of a download"
	say "A connection that was handed over is an ordinary socket of Linux." \
	    "So the module can go at any time. The cable is made slow here," \
	    "so that the download takes about 10 seconds; the module is" \
	    "unloaded in the middle of it."
	before=$(engine_counter flows_handed_over)
	show tc -n server qdisc add dev veth root tbf rate 4mbit \
		burst 16kb latency 100ms
	fetch http://192.0.2.2/file >"$work/unload.sum" &
	client_pid=$!
	must "a download is under way" wait_for 5 downloading
	must "the engine did its handshake" \
		same "$(engine_counter flows_handed_over)" $((before + 1))
	echo
	show rmmod threeway
	must "it goes on without the module" downloading
	wait "$client_pid"
	must "it ends well, checksum equal" \
		same "$(cat "$work/unload.sum")" "$checksum"
	tc -n server qdisc del dev veth root
	must "new connections work, checksum equal" \
		same "$(fetch http://192.0.2.2/file)" "$checksum"
}

need_root
echo "threeway: TCP handshakes by an engine of their own"
two_hosts
claim_port
download
packets
fixed_isn
half_open
laboratory
unload
printf '\n\nEverything was as it should be.\n'
if [ -n "${DEMO_PICTURES:-}" ]; then
	printf 'The pictures of the laboratory, in colour: %s\n' "$DEMO_PICTURES"
	hand_out "$work"/*.svg
fi
