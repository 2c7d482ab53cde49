# SPDX-License-Identifier: GPL-2.0
#
# From the output of "gcov -t -b -c" for each object: lines and branches of the
# files of the core that were reached, and those that were not. What a header has
# counts where any of the objects reaches it.

function share(part, all)
{
	return all ? sprintf("%4d of %4d  %5.1f %%", part, all,
			     100 * part / all) : ""
}

function print_row(name, i)
{
	printf "%-14s %22s   %22s\n", name, share(hit["line", i], all["line", i]),
		share(hit["branch", i], all["branch", i])
}

function see(key, taken)
{
	if (!(key in reached)) {
		order[++keys] = key
		text[key] = code
	}
	reached[key] += taken
}

/^ *-: *0:Source:/ {
	file = $0
	sub(/.*\//, "", file)
	core = $0 ~ /module\/core\//
	if (core && !(file in known)) {
		known[file]
		files[++n] = file
	}
}

core && /^ *[0-9#=-]+\*?: *[1-9][0-9]*:/ {
	split($0, field, ":")
	line = field[2] + 0
	code = $0
	sub(/^[^:]*:[^:]*:[\t ]*/, "", code)
	if (field[1] !~ /-/)
		see(file SUBSEP line SUBSEP "line", field[1] !~ /[#=]/)
}

core && /^branch / {
	see(file SUBSEP line SUBSEP "branch" SUBSEP $2, $0 ~ /taken [1-9]/)
}

END {
	for (i = 1; i <= keys; i++) {
		split(order[i], part, SUBSEP)
		all[part[3], part[1]]++
		all[part[3], "sum"]++
		if (reached[order[i]]) {
			hit[part[3], part[1]]++
			hit[part[3], "sum"]++
		}
	}
	printf "%-14s %22s   %22s\n", "", "lines", "branches"
	for (i = 1; i <= n; i++)
		print_row(files[i], files[i])
	print_row("all", "sum")
	for (i = 1; i <= keys; i++) {
		split(order[i], part, SUBSEP)
		if (!reached[order[i]])
			printf "not reached: %s:%d: %s: %s\n", part[1], part[2],
				part[3], text[order[i]]
	}
}
