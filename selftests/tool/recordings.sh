# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Descriptions of handshakes for "record", each on the standard output.

# Options of a SYN from 192.0.2.1 and of one from 192.0.2.2; $1 is VAL/ECR
syn() { echo "wnd=64240 mss=1460 sack=1 ws=7 ts=$1"; }
synack() { echo "wnd=65160 mss=1440 sack=1 ws=9 ts=$1"; }

# A held active open that the peer answers, and the end of its lifetime.
three_way()
{
	cat <<-END
		0 opened flow=7 claim=3 local=192.0.2.1:40000 remote=192.0.2.2:80 iss=1000 state=SYN-SENT
		0.000010 sent S seq=1000 $(syn 100/0) timer_ms=1000 counter=sent_syn
		0.000130 arrived S. seq=5000 ack=1001 $(synack 900/100) irs=5000 state=ESTABLISHED
		0.000140 sent . seq=1001 ack=5001 wnd=502 ts=100/900
		0.000150 state counter=flows_held
		300.000010 ended state=CLOSED counter=flows_lifetime
	END
}

# The same from the other end, whose SYN-ACK takes until 90 us and whose socket
# gets the connection.
three_way_peer()
{
	cat <<-END
		0.000071 opened flow=4 direction=passive mode=handoff claim=1 local=192.0.2.2:80 remote=192.0.2.1:40000 iss=5000 irs=1000 before=LISTEN state=SYN-RECEIVED
		0.000072 arrived S seq=1000 $(syn 100/0)
		0.000090 sent S. seq=5000 ack=1001 $(synack 900/100) timer_ms=1000 counter=sent_synack
		0.000180 arrived . seq=1001 ack=5001 wnd=502 ts=100/900 state=ESTABLISHED
		0.000190 handoff counter=flows_handed_over
	END
}

# Nobody answers: SYNs at 0, 1, 3, 7, 15, 31 and 63 s, ETIMEDOUT at 127 s.
syn_sent()
{
	local at=0 wait number=0

	echo "0 opened mode=handoff claim=1 local=[2001:db8::1]:40000 remote=[2001:db8::2]:80 iss=4294967295 state=SYN-SENT"
	for wait in 1 2 4 8 16 32 64; do
		[ "$number" -eq 0 ] || echo "$at.000002 timer timeouts=$number"
		echo "$at.000005 sent S retransmits=$number seq=4294967295 $(syn $((at * 1000 + 7))/0) timer_ms=$((wait * 1000))"
		at=$((at + wait))
		number=$((number + 1))
	done
	echo "$at.000002 timer timeouts=$number"
	echo "$at.000005 ended state=CLOSED counter=flows_timed_out"
}

# simultaneous LOCAL REMOTE FLOW ISS PEER_ISS: one end of a simultaneous open
simultaneous()
{
	cat <<-END
		0 opened flow=$3 mode=handoff local=$1:5000 remote=$2:5000 iss=$4 state=SYN-SENT
		0.00000$3 sent S seq=$4 $(syn "$4"/0) timer_ms=1000
		0.01000$3 arrived S seq=$5 $(syn "$5"/0) irs=$5 state=SYN-RECEIVED counter=segment_syn_crossed
		0.01001$3 sent S. seq=$4 ack=$(($5 + 1)) $(syn "$4/$5") timer_ms=1000
		0.02001$3 arrived S. seq=$5 ack=$(($4 + 1)) $(syn "$5/$4") state=ESTABLISHED
		0.02002$3 handoff counter=flows_handed_over
	END
}

first() { simultaneous 192.0.2.1 192.0.2.2 1 100 300; }
second() { simultaneous 192.0.2.2 192.0.2.1 2 300 100; }

# The first SYN is lost on its way, the second is not sent, the third arrives; so
# the SYN-ACK: lost, then arrives. Neither of two copies can be told from the other.
lossy()
{
	cat <<-END
		0 opened flow=1 claim=1 local=192.0.2.1:1 remote=192.0.2.2:2 iss=100 state=SYN-SENT
		0.000001 sent S seq=100 wnd=100 timer_ms=1000
		1 timer timeouts=1
		1.000001 sent S seq=100 wnd=100 timer_ms=2000 counter=segment_lost
		3 timer timeouts=2
		3.000001 sent S seq=100 wnd=100 timer_ms=4000
		4.000201 arrived S. seq=200 ack=101 wnd=200 irs=200 state=ESTABLISHED
		4.000301 sent . seq=101 ack=201 wnd=100
		4.000302 state counter=flows_held
	END
}

lossy_peer()
{
	cat <<-END
		3.000090 opened flow=2 direction=passive before=LISTEN local=192.0.2.2:2 remote=192.0.2.1:1 iss=200 irs=100 state=SYN-RECEIVED
		3.000101 arrived S seq=100 wnd=100
		3.000102 sent S. seq=200 ack=101 wnd=200 timer_ms=1000
		4.000100 timer timeouts=1
		4.000102 sent S. seq=200 ack=101 wnd=200 timer_ms=2000
		4.000400 arrived . seq=101 ack=201 wnd=100 state=ESTABLISHED
	END
}

# As the module tells a passive flow whose first SYN-ACK cannot be sent.
unsent()
{
	cat <<-END
		0 opened flow=5 direction=passive mode=handoff local=192.0.2.1:80 remote=192.0.2.2:9 iss=50 irs=20 state=LISTEN before=LISTEN counter=flows_opened
		0.000001 arrived S seq=20 wnd=100
		0.000002 state state=SYN-RECEIVED
		0.000003 sent S. seq=50 ack=21 wnd=200 timer_ms=1000 counter=sent_synack
		0.000050 sent S. seq=50 ack=21 wnd=200 counter=send_failed
		1 timer timeouts=1
		1.000001 sent S. seq=50 ack=21 wnd=200 timer_ms=2000 counter=sent_synack_timer
		1.000500 arrived . seq=21 ack=51 wnd=100
		1.000510 handoff state=ESTABLISHED counter=flows_handed_over
	END
}

# The port is closed.
refused()
{
	cat <<-END
		0 opened flow=3 local=192.0.2.1:40001 remote=192.0.2.2:81 iss=1 state=SYN-SENT
		0.0001 sent S seq=1 wnd=64240 timer_ms=1000
		0.0003 arrived R. seq=0 ack=2 wnd=0 counter=segment_refused state=CLOSED
		0.0003 ended counter=flows_refused
	END
}

# Two flows at the same time, one of them with events lost in between.
mixed()
{
	cat <<-END
		0 opened flow=1 claim=1 local=192.0.2.1:1 remote=192.0.2.2:80 iss=10 state=SYN-SENT
		0.1 opened flow=2 claim=2 mode=observe direction=passive local=[2001:db8::1]:80 remote=[2001:db8::2]:9 before=LISTEN state=SYN-RECEIVED
		0.2 sent flow=1 S seq=10 wnd=1 timer_ms=1000
		0.3 arrived flow=2 S seq=77 wnd=2 irs=77 state=SYN-RECEIVED lost=0
		0.4 sent flow=2 S. seq=99 ack=78 wnd=2 iss=99 lost=12
		0.5 arrived flow=2 . seq=78 ack=100 wnd=2 state=ESTABLISHED lost=12
		0.6 ended flow=2 counter=flows_observed lost=12
	END
}
