// SPDX-License-Identifier: GPL-2.0
/*
 * Every cell of ../matrix/cells.c, by raw packets: what comes back, in which
 * state the flow is then, what the program has of it, what is counted, and that
 * the flow still can be finished, or is gone. Then all 64 sets of flags, odd
 * urgent pointers and the other bits of the header, which must change no
 * verdict, and cells behind others and around the wrap, which must not, either.
 * SEED in the environment repeats these.
 *
 * A result is for one type of segment in one state. A cell that fails is named.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "field.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#define LINE		512
#define SKIPPED		4	/* exit status of kselftest */
#define GROUPS_MAX	24
#define RUNS_MAX	1024

static const struct tweak plain[] = { { "", "" } };

/* With the 16 sets of FIN, SYN, RST and ACK these make all 64. */
static const struct tweak flags_64[] = {
	{ "", "" }, { "P", "" }, { "U", " urg 0" }, { "PU", " urg 0" },
};

/* Within the data, behind them, as far as can be. */
static const struct tweak urgent[] = {
	{ "U", " urg 1" }, { "U", " urg 4" }, { "PU", " urg 65535" },
};

/* Both ECE and CWR on a SYN would mean something. */
static const struct tweak other_bits[] = {
	{ "E", "" }, { "W", "" }, { "", " res 7" },
};

/* Cells that make one result: those of a type, or one of each set of flags. */
struct group {
	const char *type;
	const char *title, *rules;
	const char *listen_rules;	/* and these in LISTEN */
	const struct tweak *tweaks;
	unsigned int tweak_count;
};

#define TWEAKS(array)	.tweaks = array, .tweak_count = ARRAY_SIZE(array)

static const struct group of_all_flags[] = {
	{ .title = "64 sets of flags", .rules = "FL1",
	  .listen_rules = "FL3 LI7", TWEAKS(flags_64) },
	{ .title = "urgent pointers", .rules = "FL4",
	  .listen_rules = "FL3 LI7", TWEAKS(urgent) },
	{ .title = "ECE, CWR, reserved bits", .rules = "FL1 FL6",
	  .listen_rules = "LI7", TWEAKS(other_bits) },
};

/**
 * struct part - what is played in a process and a namespace of its own
 * @family:	AF_INET or AF_INET6
 * @state:	the state of the cells
 * @hold:	the engine keeps what it opens
 * @after:	each cell comes after others that change nothing, with timestamps
 *		and with ISNs at the corners of the sequence space
 */
struct part {
	int family;
	enum cell_state state;
	bool hold;
	bool after;
};

static const struct part parts[] = {
	{ .state = CELL_CLOSED },
	{ .state = CELL_LISTEN },
	{ .state = CELL_SYN_SENT },
	{ .state = CELL_PASSIVE },
	{ .state = CELL_CROSSED },
	{ .state = CELL_LISTEN, .hold = true },
	{ .state = CELL_SYN_SENT, .hold = true },
	{ .state = CELL_PASSIVE, .hold = true },
	{ .state = CELL_CROSSED, .hold = true },
	{ .state = CELL_HELD, .hold = true },
	{ .state = CELL_SYN_SENT, .after = true },
	{ .state = CELL_PASSIVE, .after = true },
	{ .state = CELL_CROSSED, .after = true },
	{ .state = CELL_HELD, .hold = true, .after = true },
};

static const struct cell *cells;
static unsigned int cell_count;
static struct run runs[RUNS_MAX];
static u64 seed;

static bool belongs(const struct group *group, enum cell_state state,
		    const struct cell *cell)
{
	if (cell->state != state)
		return false;
	if (group->type)
		return !strcmp(group->type, cell_type(cell));
	return cell->seq == CELL_NEXT && (!cell->has_ack || cell->ack == 1) &&
	       (!cell->data || cell->data == CELL_DATA);
}

/* The groups of a part; how many. */
static unsigned int find_groups(const struct part *part,
				struct group groups[GROUPS_MAX])
{
	enum cell_state state = part->state;
	unsigned int i, j, count = 0;

	for (i = 0; i < cell_count; i++) {
		if (cells[i].state != state)
			continue;
		for (j = 0; j < count; j++) {
			if (belongs(&groups[j], state, &cells[i]))
				break;
		}
		if (j == count)
			groups[count++] = (struct group) {
				.type = cell_type(&cells[i]),
				.title = cell_type(&cells[i]),
				TWEAKS(plain),
			};
	}
	for (i = 0; i < ARRAY_SIZE(of_all_flags) && !part->after; i++)
		groups[count++] = of_all_flags[i];
	return count;
}

/* Adds those words of @rules that are not there. */
static void add_rules(char *to, const char *rules)
{
	char words[LINE];
	char *word;

	snprintf(words, sizeof(words), "%s", rules ? rules : "");
	for (word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		if (strstr(to, word))
			continue;
		snprintf(to + strlen(to), LINE - strlen(to), "%s%s",
			 *to ? " " : "", word);
	}
}

/* The runs of a group, and the rules that they prove. */
static unsigned int find_runs(const struct group *group, enum cell_state state,
			      char rules[LINE])
{
	unsigned int i, j, count = 0;

	*rules = '\0';
	add_rules(rules, group->rules);
	if (state == CELL_LISTEN)
		add_rules(rules, group->listen_rules);
	for (i = 0; i < cell_count; i++) {
		if (!belongs(group, state, &cells[i]))
			continue;
		if (group->type)
			add_rules(rules, cells[i].rules);
		for (j = 0; j < group->tweak_count; j++) {
			if (count == RUNS_MAX)
				abort();
			memset(&runs[count], 0, sizeof(runs[count]));
			runs[count].cell = &cells[i];
			runs[count++].tweak = &group->tweaks[j];
		}
	}
	return count;
}

/* In a process of its own: the results from number @number on. */
static int play_part(const struct part *part, unsigned int number)
{
	struct group groups[GROUPS_MAX];
	static struct field field;
	unsigned int i, group_count, count, failed = 0;
	const char *lacking;
	char rules[LINE];

	lacking = field_open(&field, part->family, part->state, part->hold,
			     part->after ? seed : 0);
	if (lacking) {
		printf("# %s\n", lacking);
		return SKIPPED;
	}
	group_count = find_groups(part, groups);
	for (i = 0; i < group_count; i++) {
		count = find_runs(&groups[i], part->state, rules);
		if (field_play(&field, runs, count)) {
			failed++;
			printf("not ");
		}
		printf("ok %u ipv%c %s%s, %s%s: %u cells (%s)\n", number + i,
		       part->family == AF_INET ? '4' : '6',
		       cell_state_name(part->state),
		       part->hold ? " without socket" : "", groups[i].title,
		       part->after ? " after others" : "", count, rules);
		fflush(stdout);
	}
	field_close(&field);
	return failed ? 1 : 0;
}

/* The results must come even when the process dies. */
static int run_part(const struct part *part, unsigned int number)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		exit(play_part(part, number));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		printf("# %s: the process died\n",
		       cell_state_name(part->state));
		return 1;
	}
	return WEXITSTATUS(status);
}

static void print_plan(void)
{
	struct group groups[GROUPS_MAX];
	unsigned int i, j, count, results = 0, runs_all = 0;
	char rules[LINE];

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		count = find_groups(&parts[i], groups);
		results += 2 * count;
		for (j = 0; j < count; j++)
			runs_all += 2 * find_runs(&groups[j], parts[i].state,
						  rules);
	}
	printf("TAP version 13\n1..%u\n# %u cells, SEED=%llu\n", results,
	       runs_all, (unsigned long long)seed);
}

int main(void)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct group groups[GROUPS_MAX];
	unsigned int i, number = 1;
	const char *text = getenv("SEED");
	int status, worst = 0;
	struct part part;

	if (text)
		seed = strtoull(text, NULL, 0);
	if (!seed)
		seed = (u64)time(NULL);
	cells = cells_all(&cell_count);
	print_plan();
	for (i = 0; i < 2 * ARRAY_SIZE(parts); i++) {
		part = parts[i / 2];
		part.family = families[i % 2];
		status = run_part(&part, number);
		number += find_groups(&part, groups);
		if (status == SKIPPED)
			return SKIPPED;
		worst |= status;
	}
	return worst;
}
