// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: control the TCP handshake engine
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "error.h"
#include "lib/threeway.h"
#include "print.h"
#include "tool.h"

#ifndef THREEWAY_VERSION
#define THREEWAY_VERSION	"unknown"
#endif

#define BATCH_WORDS	64

struct tool_options options = { .family = AF_UNSPEC };

static bool force;
static const char *batch_file;

static void usage(FILE *file)
{
	fputs("Usage: threeway [ OPTIONS ] OBJECT { COMMAND | help }\n"
	      "       threeway [ OPTIONS ] [ -force ] -batch FILE\n"
	      "where  OBJECT  := { claim | flow | open | stat | secret | monitor | ladder | lab }\n"
	      "       OPTIONS := { -V[ersion] | -h[elp] | -s[tatistics] | -j[son] | -p[retty] |\n"
	      "                    -e[cho] | -4 | -6 | -n[etns] { NAME | PATH } |\n"
	      "                    -t[imestamp] | -ts[hort] | -a[scii] |\n"
	      "                    -c[olor][={always|auto|never}] }\n", file);
}

int tool_device(int *fd)
{
	static int device = -1;

	if (device < 0)
		device = threeway_open(NULL);
	if (device == -ENOENT || device == -ENODEV || device == -ENXIO)
		return kernel_error(device, "cannot open " THREEWAY_DEVICE,
				    "load the module: modprobe threeway, or insmod threeway.ko");
	if (device < 0)
		return kernel_error(device, "cannot open " THREEWAY_DEVICE, NULL);
	*fd = device;
	return STATUS_OK;
}

enum object { OBJECT_CLAIM, OBJECT_FLOW, OBJECT_STAT, OBJECT_MONITOR, OBJECT_OPEN,
	      OBJECT_LADDER, OBJECT_LAB, OBJECT_SECRET, OBJECT_HELP };

static int run(struct args *args)
{
	static const struct keyword objects[] = {
		{ "claim", OBJECT_CLAIM },
		{ "flow", OBJECT_FLOW },
		{ "stat", OBJECT_STAT },
		{ "monitor", OBJECT_MONITOR },
		{ "open", OBJECT_OPEN },
		{ "ladder", OBJECT_LADDER },
		{ "lab", OBJECT_LAB },
		{ "secret", OBJECT_SECRET },
		{ "help", OBJECT_HELP },
		{ }
	};
	const char *word = args_next(args);
	int object, status;

	if (!word)
		return STATUS_OK;
	status = keyword_parse(objects, "object", "threeway help", word, &object);
	if (status)
		return status;

	switch ((enum object)object) {
	case OBJECT_CLAIM:
		return claim_run(args);
	case OBJECT_FLOW:
		return flow_run(args);
	case OBJECT_STAT:
		return stat_run(args);
	case OBJECT_MONITOR:
		return monitor_run(args);
	case OBJECT_LADDER:
		return ladder_run(args);
	case OBJECT_LAB:
		return lab_run(args);
	case OBJECT_OPEN:
		return open_run(args);
	case OBJECT_SECRET:
		return secret_run(args);
	case OBJECT_HELP:
		break;
	}
	usage(stdout);
	return STATUS_OK;
}

static int run_line(char *line)
{
	char *words[BATCH_WORDS], *word, *rest;
	struct args args;
	int count = 0;

	line[strcspn(line, "#")] = '\0';
	for (word = strtok_r(line, " \t\r\n", &rest); word;
	     word = strtok_r(NULL, " \t\r\n", &rest)) {
		if (count == BATCH_WORDS)
			return usage_error("more than %d words on a line", BATCH_WORDS);
		words[count++] = word;
	}
	args = args_of(words, count);
	return run(&args);
}

static int run_batch(const char *name)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "re") : stdin;
	int status = STATUS_OK;
	unsigned int number = 0;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return failure("-batch \"%s\": %s", name, strerror(errno));
	while ((status == STATUS_OK || force) && getline(&line, &size, file) >= 0) {
		error_position(file == stdin ? "stdin" : name, ++number);
		if (run_line(line))
			status = STATUS_FAILED;
	}
	error_position(NULL, 0);
	if (ferror(file))
		status = failure("-batch \"%s\": %s", name, strerror(errno));
	free(line);
	if (file != stdin)
		fclose(file);
	return status;
}

static int set_netns(const char *netns)
{
	char what[256];
	int err = threeway_netns_enter(netns);

	if (!err)
		return STATUS_OK;
	snprintf(what, sizeof(what), "-netns \"%s\"", netns);
	switch (-err) {
	case ENOENT:
		return kernel_error(err, what,
				    "expected a PATH, or a NAME that \"ip netns list\" shows");
	case EINVAL:
		return kernel_error(err, what, "this is not a network namespace");
	case EPERM:
		return kernel_error(err, what, "CAP_SYS_ADMIN is needed, run as root");
	default:
		return kernel_error(err, what, NULL);
	}
}

static int set_color(const char *when)
{
	enum { ALWAYS, AUTO, NEVER };
	static const struct keyword whens[] = {
		{ "always", ALWAYS },
		{ "auto", AUTO },
		{ "never", NEVER },
		{ }
	};
	const char *no_color = getenv("NO_COLOR");
	int value, status;

	status = keyword_value(whens, "-color", when, &value);
	if (status)
		return status;
	print_options.color = value == ALWAYS ||
		(value == AUTO && isatty(STDOUT_FILENO) && !(no_color && *no_color));
	return STATUS_OK;
}

enum option {
	OPTION_VERSION,
	OPTION_HELP,
	OPTION_STATISTICS,
	OPTION_JSON,
	OPTION_PRETTY,
	OPTION_ECHO,
	OPTION_IPV4,
	OPTION_IPV6,
	OPTION_NETNS,
	OPTION_BATCH,
	OPTION_FORCE,
	OPTION_COLOR,
	OPTION_TIMESTAMP,
	OPTION_TSHORT,
	OPTION_ASCII,
};

static const struct keyword option_words[] = {
	{ "-Version", OPTION_VERSION },
	{ "-help", OPTION_HELP },
	{ "-statistics", OPTION_STATISTICS },
	{ "-stats", OPTION_STATISTICS },
	{ "-json", OPTION_JSON },
	{ "-pretty", OPTION_PRETTY },
	{ "-echo", OPTION_ECHO },
	{ "-4", OPTION_IPV4 },
	{ "-6", OPTION_IPV6 },
	{ "-netns", OPTION_NETNS },
	{ "-batch", OPTION_BATCH },
	{ "-force", OPTION_FORCE },
	{ "-color", OPTION_COLOR },
	/* For itself, although -tshort begins with it, too. */
	{ "-t", OPTION_TIMESTAMP },
	{ "-timestamp", OPTION_TIMESTAMP },
	{ "-tshort", OPTION_TSHORT },
	{ "-ascii", OPTION_ASCII },
	{ }
};

/* One that takes a value: from the words, or for -color from behind the "=". */
static int set_option_value(enum option option, struct args *args, const char *value)
{
	int status;

	switch (option) {
	case OPTION_COLOR:
		return set_color(value ? value : "always");
	case OPTION_NETNS:
		status = args_value(args, "-netns", "the NAME or PATH of a network namespace",
				    &value);
		return status ? status : set_netns(value);
	default:
		return args_value(args, "-batch", "a FILE, or - for the standard input",
				  &batch_file);
	}
}

static int set_option(enum option option, struct args *args, const char *value)
{
	switch (option) {
	case OPTION_VERSION:
		puts("threeway utility, threeway-" THREEWAY_VERSION);
		exit(STATUS_OK);
	case OPTION_HELP:
		usage(stdout);
		exit(STATUS_OK);
	case OPTION_STATISTICS:
		options.statistics = true;
		return STATUS_OK;
	case OPTION_JSON:
		print_options.json = true;
		return STATUS_OK;
	case OPTION_PRETTY:
		print_options.pretty = true;
		return STATUS_OK;
	case OPTION_ECHO:
		options.echo = true;
		return STATUS_OK;
	case OPTION_IPV4:
		options.family = AF_INET;
		return STATUS_OK;
	case OPTION_IPV6:
		options.family = AF_INET6;
		return STATUS_OK;
	case OPTION_FORCE:
		force = true;
		return STATUS_OK;
	case OPTION_TIMESTAMP:
		options.timestamp = TIMESTAMP_LONG;
		return STATUS_OK;
	case OPTION_TSHORT:
		options.timestamp = TIMESTAMP_SHORT;
		return STATUS_OK;
	case OPTION_ASCII:
		options.ascii = true;
		return STATUS_OK;
	default:
		return set_option_value(option, args, value);
	}
}

static int parse_options(struct args *args)
{
	while (args->left && args->words[0][0] == '-') {
		char *word = args_next(args);
		char *equals = strchr(word, '=');
		int option, status;

		if (!strcmp(word, "--"))
			break;
		if (word[1] == '-')
			word++;
		if (equals)
			*equals = '\0';
		status = keyword_parse(option_words, "option", "threeway help", word, &option);
		if (status)
			return status;
		if (equals && option != OPTION_COLOR)
			return usage_error("option \"%s\" takes no value after =", word);
		status = set_option(option, args, equals ? equals + 1 : NULL);
		if (status)
			return status;
	}
	return STATUS_OK;
}

/* What the environment says, even of a locale that is not installed. */
static bool has_utf8(void)
{
	static const char * const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value = NULL;
	size_t i;

	if (setlocale(LC_CTYPE, ""))
		return !strcmp(nl_langinfo(CODESET), "UTF-8");
	for (i = 0; i < 3 && !(value && *value); i++)
		value = getenv(names[i]);
	return value && (strcasestr(value, ".UTF-8") || strcasestr(value, ".utf8"));
}

int main(int argc, char **argv)
{
	struct args args = { .words = argv + 1, .left = argc ? argc - 1 : 0 };
	int status;

	options.ascii = !has_utf8();
	status = parse_options(&args);
	if (status)
		return status;
	if (batch_file) {
		if (args.left)
			return usage_error("\"%s\": expected nothing after -batch FILE",
					   *args.words);
		return run_batch(batch_file);
	}
	if (!args.left) {
		usage(stderr);
		return STATUS_USAGE;
	}
	args = args_of(args.words, args.left);
	return run(&args);
}
