// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: the object stat
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "lib/threeway.h"
#include "print.h"
#include "tool.h"

#define HELP	"threeway stat help"

static void usage(FILE *file)
{
	unsigned int i;

	fputs("Usage: threeway stat show [ all | NAME ... ]\n"
	      "NAME := one of this list, or a pattern with * ? [ ] for several\n", file);
	for (i = 0; i < THREEWAY_COUNTER_MAX; i++)
		fprintf(file, "        %s\n", threeway_counter_name(i));
}

/* Which counters the words of stat show name. */
static int parse_names(struct args *args, bool *shown, bool *all, bool *help)
{
	const char *text;
	unsigned int i;

	for (*all = !args->left, *help = false; (text = args_next(args));) {
		bool found = false;

		if (!strcmp(text, "help")) {
			*help = true;
			return STATUS_OK;
		}
		for (i = 0; i < THREEWAY_COUNTER_MAX; i++) {
			if (strcmp(text, "all") && fnmatch(text, threeway_counter_name(i), 0))
				continue;
			shown[i] = true;
			found = true;
		}
		if (!found)
			return usage_error("stat show: \"%s\" is no counter, try \"%s\"",
					   text, HELP);
	}
	return STATUS_OK;
}

static int stat_show(const bool *shown, bool unnamed)
{
	__u64 values[THREEWAY_COUNTER_MAX];
	int fd, i, count, status;

	status = tool_device(&fd);
	if (status)
		return status;
	count = threeway_stat_get(fd, values, THREEWAY_COUNTER_MAX);
	if (count < 0)
		return kernel_error(count, "stat show", NULL);

	print_begin(PRINT_LIST);
	print_record();
	for (i = 0; i < THREEWAY_COUNTER_MAX; i++) {
		const char *name = threeway_counter_name(i);

		if (unnamed ? values[i] || options.statistics : shown[i])
			print_u64(name, name, values[i]);
	}
	return print_end();
}

enum command { COMMAND_SHOW, COMMAND_HELP };

int stat_run(struct args *args)
{
	static const struct keyword commands[] = {
		{ "show", COMMAND_SHOW },
		{ "list", COMMAND_SHOW },
		{ "help", COMMAND_HELP },
		{ }
	};
	bool shown[THREEWAY_COUNTER_MAX] = { false };
	const char *text = args_next(args);
	int command = COMMAND_SHOW, status = STATUS_OK;
	bool unnamed, help;

	if (text)
		status = keyword_parse(commands, "stat: command", HELP, text, &command);
	if (!status)
		status = parse_names(args, shown, &unnamed, &help);
	if (status)
		return status;
	if (!help && command == COMMAND_SHOW)
		return stat_show(shown, unnamed);
	usage(stdout);
	return STATUS_OK;
}
