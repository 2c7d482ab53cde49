#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Draws every experiment of the lab, for the README; "make pictures" runs it in
# the test machine.
. "$(dirname "$0")/hand-out.sh"

work=$(mktemp -d)
modprobe threeway || exit
threeway lab all svg "$work" syn_retries 3 >"$work/text" || {
	cat "$work/text"
	exit 1
}
hand_out "$work"/*.svg
