# SPDX-License-Identifier: GPL-2.0
#
# growth.awk GROWTH: of the rounds that "guest.sh growth" measured, the medians: a
# SYN with a thousand and with a million half-open connections, and their ratio,
# which is taken in each round.

$1 == "counter:" {
	print "counter: " $2 " growth"
}

$1 == "growth:" {
	n = ++rounds[$2]
	thousand[$2, n] = $3
	million[$2, n] = $4
	ratio[$2, n] = $4 / $3
}

# of what[who, 1] to what[who, n]
function median(what, who, n,  i, j, swap)
{
	for (i = 1; i < n; i++)
		for (j = i + 1; j <= n; j++)
			if (what[who, j] < what[who, i]) {
				swap = what[who, i]
				what[who, i] = what[who, j]
				what[who, j] = swap
			}
	return n % 2 ? what[who, (n + 1) / 2] : \
		(what[who, n / 2] + what[who, n / 2 + 1]) / 2
}

END {
	for (who in rounds) {
		n = rounds[who]
		name = who == "patient" ? "threeway" : who
		printf "bench: thousand_cycles %s %.1f\n", name, \
			median(thousand, who, n)
		printf "bench: million_cycles %s %.1f\n", name, \
			median(million, who, n)
		printf "bench: growth_cycles %s %.3f\n", name, \
			median(ratio, who, n)
	}
	exit !n
}
