// SPDX-License-Identifier: GPL-2.0
/*
 * The native stack as oracle: plays packet scripts without and with claims and
 * compares packets, counters, TCP_INFO and what the program sees. What differs
 * must stand in allowed[].
 *
 *	differ				all of the file "scripts", all flags in
 *					all states, and generated ones from a
 *					fixed seed; each allowed difference must
 *					be met
 *	differ --seed N [--count N]	generated ones from that seed
 *	differ --file FILE		those of a file, - for standard input
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"

/* The generated scripts of the fixed run. */
#define FIXED_SEED	1
#define FIXED_COUNT	400
/* Scripts that are written. */
#define WRITTEN_MAX	128
/* Scripts that fail and are told about in full. */
#define TOLD_MAX	8
/* Of so many generated scripts some must have gone each way. */
#define TELLING_MIN	100
/* Where scripts begin after a tick, and how far from there when played again. */
#define PHASE_MS	1
#define PHASE_STEP_MS	9
/* Each time that a script is played it takes another port, up to this one. */
#define PORTS_LAST	60000

/* Scripts that are reported together. */
struct group {
	const char *name;
	unsigned int scripts;
	unsigned int different;
	unsigned int diverged;
	unsigned int claimed;
	unsigned int handed_over;
};

static const char * const group_rules[] = {
	"FL1 LI3 SR1 SR13 OP1 OP2 OP6 OP7 OP16 MI1 MI3 MI6 v4: passive",
	"FL1 SS1 SS13 OP1 OP2 OP6 OP7 OP16 MI1 MI3 MI6 v4: active",
	"FL1 LI3 SR1 SR13 OP1 OP2 OP6 OP7 OP16 MI1 MI3 MI6 v6: passive",
	"FL1 SS1 SS13 OP1 OP2 OP6 OP7 OP16 MI1 MI3 MI6 v6: active",
};

static struct host native_host, engine_host;
static struct run native_run, engine_run;
static unsigned int results, failures, told;

static void result(bool good, const char *format, ...)
	__attribute((format(printf, 2, 3)));

static void result(bool good, const char *format, ...)
{
	va_list args;

	printf("%sok %u ", good ? "" : "not ", ++results);
	failures += !good;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

static void open_hosts(int family)
{
	const char *lacking = host_open(&native_host, family, false);

	if (!lacking)
		lacking = host_open(&engine_host, family, true);
	if (!lacking)
		return;
	printf("1..0 # SKIP %s\n", lacking);
	exit(4);
}

static void close_hosts(void)
{
	host_close(&native_host);
	host_close(&engine_host);
}

/*
 * One stack may just miss a tick of the wheel that the other one meets, or the end
 * of the script: by what else the machine does, and where what takes no time
 * elsewhere takes milliseconds all the more. They differ if they do so wherever
 * the script begins.
 */
static enum verdict play(const struct script *script,
			 struct difference *difference)
{
	enum verdict verdict = DIFFERENT;
	u64 phase_ms = PHASE_MS;
	unsigned int i;

	for (i = 0; i < 2 * peer_patience() && verdict == DIFFERENT; i++) {
		host_play(&native_host, script, phase_ms, &native_run);
		host_play(&engine_host, script, phase_ms, &engine_run);
		verdict = compare(script, &native_run, &engine_run, difference);
		phase_ms += PHASE_STEP_MS;
	}
	if (verdict != DIFFERENT && i > 1)
		printf("# the stacks have differed in %s, but do not always\n",
		       script->name);
	return verdict;
}

/* Drops what the difference does not need. */
static void shrink(struct script *script)
{
	struct difference difference;
	struct script shorter;
	unsigned int i = script->steps;

	while (i--) {
		shorter = *script;
		script_drop(&shorter, i);
		if (play(&shorter, &difference) == DIFFERENT)
			*script = shorter;
	}
}

static void tell(const struct script *script,
		 const struct difference *first)
{
	struct script shorter = *script;
	struct difference difference;

	if (told++ >= TOLD_MAX) {
		printf("# the stacks differ in %s\n", script->name);
		return;
	}
	printf("# the stacks differ:\n");
	script_print(script, "#   ");
	print_difference(first);
	shrink(&shorter);
	if (play(&shorter, &difference) != DIFFERENT) {
		printf("# and then they do not: the script is left to chance\n");
	} else if (shorter.steps < script->steps) {
		printf("# and still do so in:\n");
		script_print(&shorter, "#   ");
		print_difference(&difference);
	}
	fflush(stdout);
}

static void run_script(struct group *group, const struct script *script)
{
	struct difference difference;
	enum verdict verdict = play(script, &difference);

	group->scripts++;
	group->diverged += verdict == DIVERGED;
	group->claimed += !!engine_run.claimed;
	group->handed_over += !!engine_run.handed_over;
	if (verdict != DIFFERENT)
		return;
	group->different++;
	tell(script, &difference);
}

/*
 * Most scripts must have met the claim, come to the end of the handshake and
 * been compared to their end, or they say nothing.
 */
static void group_done(const struct group *group, u32 seed, u32 last)
{
	bool telling = group->scripts < TELLING_MIN ||
		       (group->claimed * 4 >= group->scripts * 3 &&
			group->handed_over * 4 >= group->scripts &&
			group->diverged * 3 <= group->scripts);

	if (!group->scripts)
		return;
	printf("# of %u scripts %u met the claim, %u were handed over, %u took different ways as allowed, %u differ\n",
	       group->scripts, group->claimed, group->handed_over,
	       group->diverged, group->different);
	result(!group->different && telling,
	       "%s: %u scripts of seeds %u to %u", group->name,
	       group->scripts, seed, last);
}

/* Seeds are of IPv4 or IPv6 by their second bit, see script_generate(). */
static void run_seeds(int family, u32 seed, unsigned int count)
{
	unsigned int first = family == AF_INET ? 0 : 2;
	struct group group[2] = {
		{ .name = group_rules[first] },
		{ .name = group_rules[first + 1] },
	};
	struct script script;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (((seed + i) & 2) != first)
			continue;
		script_generate(&script, seed + i);
		/* new hosts, before their ports come to an end */
		if (native_host.peer.last_port > PORTS_LAST) {
			close_hosts();
			open_hosts(family);
		}
		run_script(&group[script.active], &script);
	}
	group_done(&group[0], seed, seed + count - 1);
	group_done(&group[1], seed, seed + count - 1);
}

static void run_flags(int family)
{
	struct script script;
	struct group group;
	unsigned int state;
	u32 flags;

	for (state = 0; state < FLAG_STATES; state++) {
		memset(&group, 0, sizeof(group));
		for (flags = 0; flags < FLAG_SETS; flags++) {
			script_flags(&script, state, flags);
			run_script(&group, &script);
		}
		result(!group.different,
		       "FL1 FL2 FL3 v%c: each combination of flags in %s",
		       family == AF_INET ? '4' : '6', flag_state_names[state]);
	}
}

static void run_written(int family, const struct script *script,
			unsigned int count)
{
	struct group group;

	for (; count--; script++) {
		memset(&group, 0, sizeof(group));
		run_script(&group, script);
		result(!group.different, "%s v%c, %s", script->name,
		       family == AF_INET ? '4' : '6',
		       script->active ? "active" : "passive");
	}
}

/* Each allowed difference is one, or it must not be in the table. */
static void report_allowed(void)
{
	const struct allowed *entry;
	unsigned int i;

	for (i = 0; i < allowed_count; i++) {
		entry = &allowed[i];
		if (!entry->uses)
			printf("# no script has it: %s when %s\n",
			       entry->what, entry->when);
		result(entry->uses, "%s allowed: %s", entry->rule,
		       entry->what);
	}
}

static unsigned int read_scripts(struct script *script, const char *name)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "r") : stdin;
	unsigned int count = 0;

	if (!file) {
		perror(name);
		exit(1);
	}
	while (script_read(&script[count], file)) {
		if (++count == WRITTEN_MAX) {
			fprintf(stderr, "more than %u scripts\n", count - 1);
			exit(1);
		}
	}
	return count;
}

struct options {
	u32 seed;
	unsigned int count;
	const char *file;
	bool fixed;
};

static struct options read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'c' },
		{ "file", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = {
		.seed = FIXED_SEED,
		.count = FIXED_COUNT,
		.file = "scripts",
		.fixed = argc == 1,
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 's') {
			options.seed = strtoul(optarg, NULL, 0);
			options.count = 1;
			options.file = NULL;
		} else if (option == 'c') {
			options.count = strtoul(optarg, NULL, 0);
		} else if (option == 'f') {
			options.file = optarg;
			options.count = 0;
		} else {
			exit(2);
		}
	}
	return options;
}

int main(int argc, char **argv)
{
	static const int families[] = { AF_INET, AF_INET6 };
	static struct script written[WRITTEN_MAX];
	struct options options = read_options(argc, argv);
	unsigned int count = 0, i;

	if (options.file)
		count = read_scripts(written, options.file);
	for (i = 0; i < ARRAY_SIZE(families); i++) {
		open_hosts(families[i]);
		run_written(families[i], written, count);
		if (options.fixed)
			run_flags(families[i]);
		run_seeds(families[i], options.seed, options.count);
		close_hosts();
	}
	if (options.fixed)
		report_allowed();
	printf("1..%u\n", results);
	return !!failures;
}
