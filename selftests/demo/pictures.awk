# SPDX-License-Identifier: GPL-2.0
#
# Takes the pictures out of what the test machine prints: each stands between
# "PICTURE NAME" and "PICTURE-END" and goes to a file in the directory dir.

/^PICTURE [a-z-]+\.svg$/ {
	file = dir "/" $2
	printf "" >file
	next
}

/^PICTURE-END$/ {
	close(file)
	file = ""
	next
}

file {
	print >file
	next
}

{
	print
	fflush()
}
