# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash

# hand_out FILE...: gives pictures to the host, see pictures.awk
hand_out()
{
	local file

	for file in "$@"; do
		echo "PICTURE ${file##*/}"
		cat "$file"
		echo "PICTURE-END"
	done
}
