#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# threeway monitor and ladder on recordings that "record" makes. Needs no module.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=./recordings.sh
. "$(dirname "$0")/recordings.sh"

here=$(cd "$(dirname "$0")" && pwd)
# Where the tests are installed, or in the source tree with what was built of it.
beside()
{
	local directory

	for directory in "$here" "$here/../../build/selftests/tool" "$here/../../tools"; do
		[ ! -e "$directory/$1" ] || { echo "$directory/$1"; return; }
	done
}
tool=$(beside threeway)
[ -n "$tool" ] || tool=$(command -v threeway) || skip_all "no threeway here"
record=$(beside record)
strict=$(beside threeway_asan)
if [ -z "$record" ] || [ -z "$strict" ]; then
	skip_all "record and threeway_asan are not built"
fi

# The test machine has the locale by name only.
export LC_ALL=C.UTF-8 COLUMNS=80 2>/dev/null
names="three_way three_way_peer syn_sent first second lossy lossy_peer unsent refused mixed"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

make_recordings()
{
	local name

	for name in $names; do
		"$name" | "$record" >"$dir/$name"
	done
}

# events NAME: how many there are
events()
{
	echo $(($(stat -c %s "$1") / 128))
}

test_monitor()
{
	local name text json

	for name in $names; do
		text=$("$tool" monitor file "$name" | grep -cv 'events lost$')
		json=$("$tool" -j monitor file "$name" | jq -c 'select(.event != "lost")' | wc -l)
		check_equal "monitor: a line for each event of $name" "$text $json" \
			"$(events "$name") $(events "$name")"
	done
	check_equal "monitor: what a segment looks like" "$("$tool" monitor file three_way | sed -n 2p)" \
		"  0.000010 flow 7   sent    192.0.2.1:40000 > 192.0.2.2:80 Flags [S], seq 1000, win 64240, options [mss 1460,sackOK,TS val 100 ecr 0,wscale 7], length 0, timer 1sec"
	check_equal "monitor: what an end looks like" "$("$tool" monitor file syn_sent | tail -n 1)" \
		"127.000005 flow 0   ended   [2001:db8::1]:40000 SYN-SENT -> CLOSED (timed out: no answer to the last SYN (ETIMEDOUT))"
	check_equal "monitor: JSON of a segment" \
		"$("$tool" -j monitor file three_way | jq -c 'select(.event == "arrived") |
			[.id, .claim, .local, .port, .remote, .remote_port, .state_before, .state,
			 .flags, .seq, .ack, .wnd, .mss, .sack, .wscale, .tsval, .tsecr, .irs]')" \
		'[7,3,"192.0.2.1",40000,"192.0.2.2",80,"SYN-SENT","ESTABLISHED",["SYN","ACK"],5000,1001,65160,1440,true,9,900,100,5000]'
	check_equal "monitor: losses are a line" \
		"$("$tool" monitor file mixed | grep -n 'lost$')" "5:12 events lost"
	check_equal "monitor: losses are an object" \
		"$("$tool" -j monitor file mixed | jq -c 'select(.event == "lost").count')" "12"
	check_equal "monitor: -tshort" "$("$tool" -ts monitor file three_way | head -n 1 | cut -d' ' -f1,2)" \
		"[1000.000000] flow"
	check_equal "monitor: -timestamp" "$("$tool" -t monitor file three_way | sed -n 3p)" \
		"Timestamp: 1000.000010 sec since boot"
	check_equal "monitor: nobody reads, nobody complains" \
		"$( (trap '' PIPE; "$tool" monitor file mixed; echo "exit $?" >status) 2>&1 1> >(true);
		   sleep 0.2; cat status)" "exit 1"
}

# filtered COUNT NAME WORDS...
filtered()
{
	check_equal "monitor ${*:3}" "$("$tool" -j monitor file "$2" "${@:3}" |
		jq -c 'select(.event != "lost")' | wc -l)" "$1"
}

test_filters()
{
	filtered 2 mixed id 1
	filtered 5 mixed claim 2
	filtered 5 mixed port 80
	filtered 2 mixed remote_port 80
	filtered 2 mixed local 192.0.2.0/24
	filtered 5 mixed remote 2001:db8::/32
	filtered 0 mixed remote 2001:db8::1
	filtered 4 mixed state SYN-RECEIVED
	filtered 4 three_way state established
	check "monitor write: the same recording" \
		cmp <("$tool" monitor file mixed write -) mixed
	check_equal "monitor write: of those that the filter lets through" \
		"$("$tool" monitor file mixed id 2 write - | "$tool" -j monitor file - | jq '.id // empty' | sort -u)" 2
}

# drawn NAME GOT: compares with the standard input
drawn()
{
	if diff=$(diff <(printf '%s\n' "$2") -); then
		ok "$1"
	else
		not_ok "$1" "$diff"
	fi
}

test_text()
{
	drawn "ladder: one end" "$("$tool" -ascii ladder file three_way)" <<-'END'
		flow 7, active hold, claim 3
		192.0.2.1:40000                                                    192.0.2.2:80
		                   CLOSED | ISS 1000                   IRS 5000 | (LISTEN)
		  0.000 ms       SYN-SENT |-- SYN seq 0 ----------------------->| (SYN-RECEIVED)
		                          |   win 64240, mss 1460, sackOK,      |
		                          |   wscale 7, TS 100/0                |
		                          | * timer 1sec                        |
		  0.120 ms    ESTABLISHED |<------------- SYN-ACK seq 0 ack 1 --|
		                          |      win 65160, mss 1440, sackOK,   |
		                          |              wscale 9, TS 900/100   |
		  0.130 ms                |-- ACK seq 1 ack 1 ----------------->| (ESTABLISHED)
		                          |   win 502, TS 100/900               |
		                          :                5min                 :
		 300.000 s         CLOSED | * lifetime ended                    |
		192.0.2.1:40000: ESTABLISHED after 0.120 ms; after 300.000 s: lifetime ended
	END
	drawn "ladder: both ends" "$("$tool" -ascii ladder file first peer second | grep -v win)" <<-'END'
		flow 1, active handoff; flow 2, active handoff
		192.0.2.1:5000                                                   192.0.2.2:5000
		                   CLOSED | ISS 100                     ISS 300 | CLOSED
		  0.000 ms       SYN-SENT |-- SYN seq 0 --------------------... |
		                          |   wscale 7, TS 100/0                |
		                          | * timer 1sec                        |
		  0.001 ms                | ...-------------------- SYN seq 0 --| SYN-SENT
		                          |                wscale 7, TS 300/0   |
		                          |                        timer 1sec * |
		 10.000 ms   SYN-RECEIVED |<-------------------- SYN seq 0 -... |
		                          | * simultaneous open                 |
		 10.001 ms                | ...- SYN seq 0 -------------------->| SYN-RECEIVED
		                          |                 simultaneous open * |
		 10.010 ms                |-- SYN-ACK seq 0 ack 1 ----------... |
		                          |   wscale 7, TS 100/300              |
		                          | * timer 1sec                        |
		 10.011 ms                | ...---------- SYN-ACK seq 0 ack 1 --|
		                          |              wscale 7, TS 300/100   |
		                          |                        timer 1sec * |
		 20.010 ms    ESTABLISHED |<---------- SYN-ACK seq 0 ack 1 -... |
		                          | * handed over                       |
		 20.011 ms                | ...- SYN-ACK seq 0 ack 1 ---------->| ESTABLISHED
		                          |                       handed over * |
		192.0.2.1:5000: ESTABLISHED after 20.010 ms, handed over to a socket
		192.0.2.2:5000: ESTABLISHED after 20.011 ms, handed over to a socket
	END
	drawn "ladder: both ends, one after the other" \
		"$("$tool" -ascii ladder file three_way peer three_way_peer | grep -v -e win -e wscale)" <<-'END'
		flow 7, active hold, claim 3; flow 4, passive handoff, claim 1
		192.0.2.1:40000                                                    192.0.2.2:80
		                   CLOSED | ISS 1000                   ISS 5000 | LISTEN
		  0.000 ms       SYN-SENT |-- SYN seq 0 ----------------------->| SYN-RECEIVED
		                          | * timer 1sec                        |
		  0.080 ms    ESTABLISHED |<------------- SYN-ACK seq 0 ack 1 --|
		                          |                        timer 1sec * |
		  0.130 ms                |-- ACK seq 1 ack 1 ----------------->| ESTABLISHED
		                          |                       handed over * |
		                          :                5min                 :
		 300.000 s         CLOSED | * lifetime ended                    |
		192.0.2.1:40000: ESTABLISHED after 0.120 ms; after 300.000 s: lifetime ended
		192.0.2.2:80: ESTABLISHED after 0.170 ms, handed over to a socket
	END
}

test_facts()
{
	drawn "ladder: a segment that cannot be sent" \
		"$("$tool" -ascii ladder file unsent | sed -n '3,$p')" <<-'END'
		                 (CLOSED) | IRS 20                       ISS 50 | LISTEN
		  0.000 ms     (SYN-SENT) |-- SYN seq 0 ----------------------->| SYN-RECEIVED
		                          |   win 100                           |
		  0.002 ms                |               SYN-ACK seq 0 ack 1  X|
		                          |                           win 200   |
		                          |                        timer 1sec * |
		                          |               not sent: no route, * |
		                          |           no memory or local drop   |
		                          :                1sec                 :
		   1.000 s  (ESTABLISHED) |<----- SYN-ACK seq 0 ack 1 (again) --|
		                          |                           win 200   |
		                          |                         timeout 1 * |
		                          |                        timer 2sec * |
		   1.000 s                |-- ACK seq 1 ack 1 ----------------->| ESTABLISHED
		                          |   win 100                           |
		                          |                       handed over * |
		192.0.2.1:80: ESTABLISHED after 1.001 s, handed over to a socket
		X  not sent
	END
	check_equal "ladder: observed" "$("$tool" ladder file mixed 2>/dev/null | grep '^\[.*after')" \
		"[2001:db8::1]:80: ESTABLISHED after 200.000 ms"
	check_equal "ladder: the schedule of SYNs" \
		"$("$tool" -ascii ladder file syn_sent | sed -n 's/^ *\([0-9.]* m*s\) .*SYN seq 0.*/\1/p' | xargs)" \
		"0.000 ms 1.000 s 3.000 s 7.000 s 15.000 s 31.000 s 63.000 s"
	check_equal "ladder: time that is left out" \
		"$("$tool" -ascii ladder file syn_sent | grep : | awk 'NF == 3 { print $2 }' | xargs)" \
		"1sec 2sec 4sec 8sec 16sec 32sec 1min4sec"
	check_equal "ladder: no SYN was answered" "$("$tool" -ascii ladder file syn_sent | grep -c '~>|')" 7
	check_equal "ladder: the end" "$("$tool" ladder file syn_sent | grep -c 'ETIMEDOUT) after 127.000 s')" 1
	check_equal "ladder: refused" "$("$tool" -ascii ladder file refused |
		sed -n 's/.*|<-* \(RST.*1\) --|.*/\1/p')" "RST-ACK seq abs 0 ack 1"
}

test_both_ends()
{
	local text

	text=$("$tool" -ascii ladder file lossy peer lossy_peer)
	check_equal "ladder: what is lost, not sent and arrives" \
		"$(sed -n 's/^[^|]*|\(.*SYN.*\)|.*/\1/p' <<<"$text" | sed 's/--*/-/g; s/  */ /g')" \
		"$(printf '%s\n' '- SYN seq 0 -X ' 'X SYN seq 0 (again) ' '- SYN seq 0 (again) ->' \
			' X- SYN-ACK seq 0 ack 1 -' '<- SYN-ACK seq 0 ack 1 (again) -')"
	check_equal "ladder: which copy arrived" \
		"$(sed -n 's/^ *\([0-9.]* s\) .*<.*/\1/p' <<<"$text")" "4.000 s"
	check_equal "ladder: the same with the ends exchanged" "$(sed 1d <<<"$text")" \
		"$("$tool" -ascii ladder file lossy_peer peer lossy | sed 1d)"
	check_equal "ladder: a filter is about the flows of file" \
		"$("$tool" ladder file lossy peer lossy_peer port 1 | grep -c ESTABLISHED) $(
		   "$tool" ladder file lossy peer lossy_peer port 2 | wc -l)" "4 0"
	check_equal "ladder: the peer has recorded nothing, all is lost" \
		"$("$tool" -ascii ladder file syn_sent peer /dev/null | grep -c 'SYN.*-X  ')" 7
}

test_characters()
{
	local name

	for name in $names; do
		"$tool" ladder file "$name" 2>/dev/null >utf8
		"$tool" -ascii ladder file "$name" 2>/dev/null >ascii
		check_equal "ladder: $name, ASCII has nothing else" \
			"$(LC_ALL=C tr -d '\n -~' <ascii | wc -c)" 0
		# One character for another, so both have the same shape.
		check_equal "ladder: $name, UTF-8 is as wide" \
			"$(awk '{ print length }' ascii | head -n -2)" \
			"$(LC_ALL=C tr -d '\200-\277' <utf8 | LC_ALL=C awk '{ print length }' | head -n -2)"
	done
	check "ladder: UTF-8 where the locale says so" grep -q '│' <("$tool" ladder file three_way)
	check_equal "ladder: ASCII where the locale says so" \
		"$(LC_ALL=C "$tool" ladder file three_way)" "$("$tool" -ascii ladder file three_way)"
	check_equal "ladder: it fills the screen" \
		"$(COLUMNS=100 "$tool" -ascii ladder file three_way | grep '>|' | head -n 1 | awk '{ print length }')" 100
}

# The first two events come 1 s before the others.
test_live()
{
	local early status=0

	{ head -c 256 three_way; sleep 1; tail -c +257 three_way; } |
		"$tool" -ascii ladder live file - id 7 >drawing &
	wait_for 5 grep -q 'timer 1sec' drawing
	early=$(grep -c -e '|--' -e '|<' drawing)
	wait $!
	check_equal "ladder live: what has happened is drawn" "$early" 1
	check_equal "ladder live: in the end it is the same" \
		"$(sed '1,3d; s/ (.*)$//; /IRS/d' drawing)" \
		"$("$tool" -ascii ladder file three_way | sed '1,3d; s/ (.*)$//')"
	check_equal "ladder live: the peer's number and states follow" \
		"$(sed -n 's/.*| *(\(.*\))$/\1/p; s/.*80: //p' drawing | xargs)" \
		"SYN-RECEIVED ESTABLISHED IRS 5000"
	check_equal "ladder live: lines of two flows" \
		"$("$tool" -ascii ladder live file mixed 2>/dev/null | cut -c 1-6 | sort -u | xargs)" "#1 #2"
	mkfifo pipe
	{ cat refused; exec sleep 60; } >pipe &
	timeout 30 "$tool" ladder live file pipe id 3 >drawing || status=$?
	kill $!
	check_equal "ladder: with id it ends with the flow" "$status $(tail -n 1 drawing)" \
		"0 192.0.2.1:40001: refused by the peer's RST (ECONNREFUSED) after 0.200 ms"
}

# segments NAME: of its JSON, in the words of the picture. What could not be sent is
# told twice.
segments()
{
	"$tool" -j monitor file "$1" | jq -r 'select(.seq != null and .counter != "send_failed") |
		"seq \(.seq)" + (if .ack == null then "" else ", ack \(.ack)" end) +
		", win \(.wnd) length \(.len)"' | sort
}

# titles FILE: the same of the picture
titles()
{
	sed -n 's/.*<title>Flags [^,]*, \(seq.*\)<.title>/\1/p' "$1" |
		sed 's/\(win [0-9]*\).*\(length [0-9]*\).*/\1 \2/' | sort
}

test_svg()
{
	local name

	for name in $names; do
		"$tool" ladder file "$name" svg "$name.svg" 2>/dev/null
		check_equal "svg: $name has the segments of the JSON" "$(titles "$name.svg")" \
			"$(segments "$name")"
		check_equal "svg: $name, no text overlaps another or an arrow" \
			"$(awk -f "$(beside boxes.awk)" "$name.svg")" \
			"$(grep -c '<text' "$name.svg") texts, $(segments "$name" | wc -l) arrows"
	done
	"$tool" ladder file first peer second svg both.svg
	check_equal "svg: both ends, each segment once" "$(titles both.svg)" "$(segments first)"
	check_equal "svg: both ends, arrows cross, texts do not" \
		"$(awk -f "$(beside boxes.awk)" both.svg)" "$(grep -c '<text' both.svg) texts, 4 arrows"
	"$tool" ladder file lossy peer lossy_peer svg loss.svg
	check_equal "svg: what does not arrive ends in a cross" "$(grep -c 'class="cross"' loss.svg)" 3
	check_equal "svg: no script, nothing from elsewhere" \
		"$(grep -c -e '<script' -e href -e 'url(' both.svg)" 0
	if command -v xmllint >/dev/null; then
		check "svg: well-formed" xmllint --noout ./*.svg
	else
		skip "svg: well-formed" "no xmllint"
	fi
}

# refuses NAME MESSAGE WORDS...: exit 1 with that message, from the careful build
refuses()
{
	local status=0 err

	err=$("$strict" "${@:3}" 2>&1 >/dev/null) || status=$?
	check_equal "$1" "$status $err" "1 threeway: file \"-\": $2"
}

# The parts of an event that have to be known, and where they are in it.
test_hostile_values()
{
	local what

	for what in "type 32 0" "type 32 8" "type 32 255" "direction 33 0" "direction 33 3" \
		    "mode 34 4" "state 35 5" "state 36 255" "family 80 3" "pad 82 1"; do
		# shellcheck disable=SC2086 # words
		set -- $what
		{
			head -c $((128 + $2)) three_way
			printf '%b' "\\x$(printf %x "$3")"
			tail -c +$((128 + $2 + 2)) three_way
		} >bad
		refuses "hostile: $1 $3" \
			"event 2 (byte 128) has the $1 $3, this is no recording" ladder file - <bad
	done
}

test_hostile()
{
	local length

	for length in 1 127 129 255 300 767; do
		head -c "$length" three_way >short
		refuses "hostile: $length bytes" \
			"ends within event $((length / 128 + 1)) (byte $((length / 128 * 128)))" \
			monitor file - <short
	done
	check_equal "hostile: nothing at all" "$("$strict" monitor file /dev/null 2>&1)" ""
	test_hostile_values
}

# Events that make no sense, through everything that there is.
test_random()
{
	local seed words failed=0

	for seed in 1 2 3; do
		"$record" random "$seed" 400 >left
		"$record" random "10$seed" 400 >right
		for words in "-j monitor file left" "monitor file left" "ladder file left" \
			     "-a ladder file left peer right" \
			     "ladder file left peer right svg random$seed.svg"; do
			# shellcheck disable=SC2086 # words
			"$strict" $words >out 2>err || failed=1
			! grep -v ' events lost$' err || failed=1
		done
	done
	check_equal "random events: no error, no complaint of the sanitizers" "$failed" 0
	if command -v xmllint >/dev/null; then
		check "random events: pictures are well-formed" xmllint --noout random?.svg
	else
		skip "random events: pictures are well-formed" "no xmllint"
	fi
	"$record" random 9 40000 | head -c 4000000 >left
	check "many events of few flows are drawn in time" \
		timeout 60 "$tool" ladder file left svg many.svg
}

make_recordings
tap_plan 117
test_monitor
test_filters
test_text
test_facts
test_both_ends
test_characters
test_live
test_svg
test_hostile
test_random
finish
