#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two ordinary programs connect to each other at the same moment: there is one
# connection, whoever of them has the engine, whatever is lost on the way.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/net/connect.sh
. "$(dirname "$0")/connect.sh"
# shellcheck source=selftests/net/simopen.sh
. "$(dirname "$0")/simopen.sh"

start_connect 18
[ -z "$native" ] || skip_all "the native stack does it its own way"
know_neighbour srv 2 cli
know_neighbour cli 1 srv
slow_link
for family in 4 6; do
	for sides in "cli srv" cli srv; do
		syns=1
		others=
		name="v$family, engine: ${sides/ / and }"
		check "SM1 SM2 SM13 SS8 $name" on_engines "$sides" 1 crossing $family
		check "SM12 $name: a listener does not get it" \
			on_engines "$sides" 1 crossing $family listener
		syns=0-64
		others="sent_syn_timer=any sent_synack_timer=any sent_ack=any segment_syn_challenged=any segment_syn_sent_no_syn=any"
		check "SM15 $name: 64 ways to lose" \
			on_engines "$sides" 64 lossy $family
	done
done
end_net
