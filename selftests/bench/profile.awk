# SPDX-License-Identifier: GPL-2.0
#
# profile.awk RAW BLOCKS: of what guest.sh and profile.c say, the functions in
# which the instructions of an operation are spent, the most expensive first. Of
# kind 3 is what timers do, not from the first one on, and so only the shares of
# what one operation costs.

BEGIN {
	blocks = symbols = 0
}

function hex(text,  i, value)
{
	# all text of the kernel is in the last 2 GiB
	text = substr(text, length(text) - 7)
	value = 0
	for (i = 1; i <= length(text); i++)
		value = value * 16 + index("0123456789abcdef", \
			substr(text, i, 1)) - 1
	# small enough to be an index
	return value - 2147483648
}

$1 == "symbol:" {
	at = hex($2)
	if (!(at in name)) {
		start[symbols++] = at
		name[at] = $3
	}
	next
}

$1 == "bench:" {
	cost = $4
	next
}

$2 == "batches" {
	batches[$1] = $3
	next
}

NF == 3 && length($2) == 16 {
	address[blocks] = hex($2)
	kind[blocks] = $1
	count[blocks++] = $3
}

# start[] comes unsorted
function sort_starts(from, to,  i, j, pivot, swap)
{
	while (from < to) {
		pivot = start[int((from + to) / 2)]
		i = from
		j = to
		while (i <= j) {
			while (start[i] < pivot)
				i++
			while (start[j] > pivot)
				j--
			if (i <= j) {
				swap = start[i]
				start[i++] = start[j]
				start[j--] = swap
			}
		}
		if (j - from < to - i) {
			sort_starts(from, j)
			from = i
		} else {
			sort_starts(i, to)
			to = j
		}
	}
}

function function_of(at,  low, high, middle)
{
	low = 0
	high = symbols - 1
	while (low < high) {
		middle = int((low + high + 1) / 2)
		if (start[middle] <= at)
			low = middle
		else
			high = middle - 1
	}
	return name[start[low]]
}

END {
	if (!blocks || !symbols)
		exit 1
	sort_starts(0, symbols - 1)
	for (i = 0; i < blocks; i++) {
		spent[kind[i] " " function_of(address[i])] += count[i]
		total[kind[i]] += count[i]
	}
	sorter = "sort -k 1,1n -k 2,2nr"
	for (k = 1; k <= 3; k++) {
		times[k] = k < 3 ? batches[k] * per : total[k] / cost
		if (total[k])
			printf "%s %10.1f %s\n", k, total[k] / times[k], \
				"(all)" | sorter
	}
	for (each in spent) {
		split(each, part)
		printf "%s %10.1f %s\n", part[1], \
			spent[each] / times[part[1]], part[2] | sorter
	}
	close(sorter)
}
