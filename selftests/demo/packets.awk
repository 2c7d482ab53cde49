# SPDX-License-Identifier: GPL-2.0
#
# Draws the three packets of a handshake from what "tcpdump -nSttt" prints. The
# client is whoever sends the first SYN.

/ Flags \[/ && shown < 3 {
	from = $3
	flags = field("Flags ")
	gsub(/[][]/, "", flags)
	if (flags == "S" && !client)
		client = from
	draw(from == client)
	shown++
}

# field(NAME): what follows it, up to the next comma
function field(name,  at, rest)
{
	at = index($0, name)
	if (!at)
		return ""
	rest = substr($0, at + length(name))
	sub(/[,\]].*/, "", rest)
	return rest
}

function options(  at, rest)
{
	at = index($0, "options [")
	if (!at)
		return "no options"
	rest = substr($0, at + 9)
	sub(/\].*/, "", rest)
	gsub(/,/, ", ", rest)
	return rest
}

function name_of_flags()
{
	if (flags == "S")
		return "SYN"
	return flags == "S." ? "SYN-ACK" : "ACK"
}

function draw(right,  line)
{
	line = sprintf("-------- %s ", name_of_flags())
	while (length(line) < 40)
		line = line "-"
	printf "    client %s server\n", right ? line ">" : "<" line
	printf "          %s%s", number("seq "), number("ack ")
	printf "window %s\n", field("win ")
	printf "          %s\n", options()
}

function number(name)
{
	return field(name) == "" ? "" : name field(name) "  "
}
