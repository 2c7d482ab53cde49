# SPDX-License-Identifier: GPL-2.0
#
# Reads threeway.h, dev_threeway.txt.const and dev_threeway.txt, in this order, and
# writes what abi.c compares: lines CONSTANT(name, described), IOCTL(name, struct,
# direction), FIELD(struct, field, offset, size), STRUCT(struct, size), and
# MISSING(name) for what the header has and the description has not.

FNR == 1 {
	part++
}

part == 1 && /^#define THREEWAY_IOC_[A-Z_]+\t/ && $2 != "THREEWAY_IOC_MAGIC" {
	wanted[$2] = 1
}

part == 1 && /^#define THREEWAY_P_[A-Z_]+\t+\(1U << [0-9]+\)$/ {
	wanted[$2] = 1
}

part == 1 && /^enum threeway_(direction|mode|freeze|isn|cookies|path) / {
	in_enum = 1
}

part == 1 && in_enum && /^\tTHREEWAY_/ {
	wanted[$1] = 1
}

part == 1 && /^struct threeway_[a-z_]+ \{/ {
	wanted[$2] = 1
}

part == 1 && /^}/ {
	in_enum = 0
}

part == 2 && $2 == "=" && $1 != "arches" {
	printf "CONSTANT(%s, %sUL)\n", $1, $3
	constant[$1] = 1
}

part == 3 && /^resource / {
	split($2, word, /[][]/)
	size[word[1]] = size[word[2]]
}

part == 3 && /^ioctl\$/ {
	describe_ioctl()
}

part == 3 && /^threeway_[a-z_]+ = / {
	gsub(",", "")
	for (i = 3; i <= NF; i++)
		use_constant($i)
}

part == 3 && /\{$/ {
	struct = $1 == "type" ? $2 : $1
	sub(/\[.*/, "", struct)
	offset = 0
}

part == 3 && /^\t/ {
	name = $1
	$1 = ""
	sub(/ *\(out\)$/, "")
	bytes = size_of(substr($0, 2))
	printf "FIELD(%s, %s, %d, %d)\n", struct, name, offset, bytes
	offset += bytes
}

part == 3 && /^}/ {
	printf "STRUCT(%s, %d)\n", struct, offset
	size[struct] = offset
	described[struct] = 1
}

BEGIN {
	size["int8"] = size["bool8"] = 1
	size["int16"] = size["sock_port"] = 2
	size["int32"] = size["fd"] = 4
	size["int64"] = 8
}

END {
	for (name in wanted)
		if (!(name in described))
			printf "MISSING(%s)\n", name
}

function use_constant(name)
{
	if (!(name in constant))
		printf "MISSING(%s)\n", name
	described[name] = 1
}

function describe_ioctl(  name, direction, argument)
{
	name = $0
	sub(/.*const\[/, "", name)
	sub(/\].*/, "", name)
	use_constant(name)
	direction = argument = $0
	sub(/.*ptr\[/, "", direction)
	sub(/,.*/, "", direction)
	sub(/.*ptr\[[a-z]*, /, "", argument)
	sub(/[][)].*/, "", argument)
	if (index($1, "ioctl$" name "(") != 1)
		printf "MISSING(%s)\n", name
	printf "IOCTL(%s, %s, %s)\n", name, argument, direction
}

# Of a type: 0 for what is not known, which is wrong in any struct.
function size_of(type,  inner, count)
{
	if (type ~ /^array\[/) {
		count = inner = substr(type, 7, length(type) - 7)
		sub(/.*, /, "", count)
		sub(/, [0-9]+$/, "", inner)
		return count * size_of(inner)
	}
	if (type ~ /^ptr64\[/)
		return 8
	if (type ~ /^(flags|const)\[/) {
		sub(/.*, /, "", type)
		sub(/\]$/, "", type)
	}
	sub(/\[.*/, "", type)
	return size[type]
}
