# SPDX-License-Identifier: GPL-2.0
#
# Checks of any text file: no whitespace at the end of lines, a licence line in
# source files, and that files and functions stay short.

BEGIN {
	max_file = 800
	max_function = 60
}

FNR == 1 {
	end_file()
	file = FILENAME
	first = $0
	licence = start = 0
}

FNR <= 5 && /SPDX-License-Identifier: / {
	licence = 1
}

/[ \t\r]$/ {
	complain(FNR, "whitespace at the end of the line")
}

# A function in C or shell, in kernel style, begins and ends in column 1.
/^\{$/ {
	start = FNR
}

/^\}/ && start {
	if (FNR - start - 1 > max_function)
		complain(start, "function of " FNR - start - 1 " lines")
	start = 0
}

{
	lines = FNR
}

END {
	end_file()
	exit bad
}

function complain(line, what)
{
	print file ":" line ": " what
	bad = 1
}

# Documents and plain lists have no licence line.
function is_source()
{
	return first ~ /^#!/ || file ~ /(\.[ch1-8]|\.sh|\.awk|\.mk|file|Kbuild)$/
}

function end_file()
{
	if (!file)
		return
	if (lines > max_file && file != "COPYING")
		complain(lines, "more than " max_file " lines")
	if (!licence && is_source())
		complain(1, "no SPDX-License-Identifier")
}
