// SPDX-License-Identifier: GPL-2.0
/*
 * Every cell of ../matrix/cells.c, by raw packets: what comes back, in which
 * state the flow is then, what the program has of it, what is counted, and that
 * the flow still can be finished, or is gone. Then all 64 sets of flags, odd
 * urgent pointers and the other bits of the header, which must change no
 * verdict.
 *
 * A result is for one type of segment in one state. A cell that fails is named.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
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

/* What is played in a process and a namespace of its own. */
struct part {
	int family;
	bool hold;
	enum cell_state state;
};

static const struct {
	bool hold;
	enum cell_state state;
} parts[] = {
	{ false, CELL_CLOSED },
	{ false, CELL_LISTEN },
	{ false, CELL_SYN_SENT },
	{ false, CELL_PASSIVE },
	{ false, CELL_CROSSED },
	{ true, CELL_LISTEN },
	{ true, CELL_SYN_SENT },
	{ true, CELL_PASSIVE },
	{ true, CELL_CROSSED },
	{ true, CELL_HELD },
};

static const struct cell *cells;
static unsigned int cell_count;
static struct run runs[RUNS_MAX];

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

/* The groups of a state; how many. */
static unsigned int find_groups(enum cell_state state,
				struct group groups[GROUPS_MAX])
{
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
	for (i = 0; i < ARRAY_SIZE(of_all_flags); i++)
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

	lacking = field_open(&field, part->family, part->state, part->hold);
	if (lacking) {
		printf("# %s\n", lacking);
		return SKIPPED;
	}
	group_count = find_groups(part->state, groups);
	for (i = 0; i < group_count; i++) {
		count = find_runs(&groups[i], part->state, rules);
		if (field_play(&field, runs, count)) {
			failed++;
			printf("not ");
		}
		printf("ok %u ipv%c %s%s, %s: %u cells (%s)\n", number + i,
		       part->family == AF_INET ? '4' : '6',
		       cell_state_name(part->state),
		       part->hold ? " without socket" : "", groups[i].title,
		       count, rules);
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
		count = find_groups(parts[i].state, groups);
		results += 2 * count;
		for (j = 0; j < count; j++)
			runs_all += 2 * find_runs(&groups[j], parts[i].state,
						  rules);
	}
	printf("TAP version 13\n1..%u\n# %u cells\n", results, runs_all);
}

int main(void)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct group groups[GROUPS_MAX];
	unsigned int i, number = 1;
	int status, worst = 0;
	struct part part;

	cells = cells_all(&cell_count);
	print_plan();
	for (i = 0; i < 2 * ARRAY_SIZE(parts); i++) {
		part.family = families[i % 2];
		part.hold = parts[i / 2].hold;
		part.state = parts[i / 2].state;
		status = run_part(&part, number);
		number += find_groups(part.state, groups);
		if (status == SKIPPED)
			return SKIPPED;
		worst |= status;
	}
	return worst;
}
