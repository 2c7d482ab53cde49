// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: the object lab
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lab.h"
#include "print.h"
#include "tool.h"

#define HELP		"threeway lab help"
#define RETRIES_MAX	10

static const struct lab_experiment * const experiments[] = {
	&lab_three_way, &lab_syn_sent, &lab_syn_rcvd, &lab_refused, &lab_simultaneous_open,
	&lab_old_duplicate, &lab_half_open, &lab_port_reuse,
};

#define EXPERIMENTS	(sizeof(experiments) / sizeof(*experiments))

/* What follows the word lab: an experiment by its index, or one of these. */
enum command { COMMAND_LIST = EXPERIMENTS, COMMAND_ALL, COMMAND_HELP, COMMANDS };

enum word { WORD_SVG, WORD_KEEP, WORD_SYN_RETRIES, WORD_HELP };

/**
 * struct words - what the command line says
 * @svg:	file or directory for pictures, NULL for none
 * @keep:	the namespaces stay
 * @syn_retries: for syn-sent, -1 for the default
 * @help:	the word help
 */
struct words {
	const char *svg;
	bool keep;
	int syn_retries;
	bool help;
};

static void usage(FILE *file)
{
	size_t i;

	fputs("Usage: threeway lab NAME [ svg FILE ] [ keep ] [ syn_retries N ]\n"
	      "       threeway lab all [ svg DIRECTORY ] [ keep ] [ syn_retries N ]\n"
	      "       threeway lab [ list ]\n"
	      "       svg: write the picture, too; in a DIRECTORY as NAME.svg\n"
	      "       keep: give the two hosts names and leave them (ip netns del removes them)\n"
	      "       syn_retries: 0-10, for syn-sent; 6 takes 127 seconds\n"
	      "NAME := words of this list\n", file);
	for (i = 0; i < EXPERIMENTS; i++)
		fprintf(file, "        %-20s %s\n", experiments[i]->name, experiments[i]->summary);
}

static int list(void)
{
	size_t i;

	print_begin(PRINT_TABLE);
	for (i = 0; i < EXPERIMENTS; i++) {
		print_record();
		print_string("name", "Name", experiments[i]->name);
		print_string("summary", "What it shows", experiments[i]->summary);
	}
	return print_end();
}

static int parse_retries(struct args *args, struct words *words)
{
	const char *value;
	__u32 number;
	int status;

	status = args_value(args, "syn_retries", "0-10", &value);
	if (!status)
		status = parse_number("syn_retries", value, 0, RETRIES_MAX, false, &number);
	if (!status)
		words->syn_retries = number;
	return status;
}

static int parse_words(struct args *args, struct words *words)
{
	static const struct keyword table[] = {
		{ "svg", WORD_SVG },
		{ "keep", WORD_KEEP },
		{ "syn_retries", WORD_SYN_RETRIES },
		{ "help", WORD_HELP },
		{ }
	};
	int word, status = STATUS_OK;
	unsigned int given = 0;
	const char *text;

	*words = (struct words){ .syn_retries = -1 };
	while (!status && !words->help && (text = args_next(args))) {
		status = keyword_parse(table, "lab: word", HELP, text, &word);
		if (!status)
			status = keyword_once(&given, 1U << word, table[word].word);
		if (status)
			break;
		if (word == WORD_SVG)
			status = args_value(args, "svg", "the name of a FILE", &words->svg);
		else if (word == WORD_KEEP)
			words->keep = true;
		else if (word == WORD_SYN_RETRIES)
			status = parse_retries(args, words);
		else
			words->help = true;
	}
	return status;
}

static bool is_directory(const char *name)
{
	struct stat stat_buf;

	return !stat(name, &stat_buf) && S_ISDIR(stat_buf.st_mode);
}

static int run_prepared(struct lab *lab, const struct words *words)
{
	char *path = NULL;
	int status;

	lab_show_head(lab);
	status = lab->experiment->run(lab);
	if (!status)
		status = lab_read_counters(lab);
	if (status)
		return status;
	if (words->svg && is_directory(words->svg) &&
	    asprintf(&path, "%s/%s.svg", words->svg, lab->experiment->name) < 0)
		return failure("out of memory");
	status = lab_show(lab, path ? path : words->svg);
	free(path);
	if (status)
		return status;
	return lab->failed ? STATUS_FAILED : STATUS_OK;
}

static int run_one(const struct lab_experiment *experiment, const struct words *words)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	int status;

	if (!lab)
		return failure("out of memory");
	lab->experiment = experiment;
	lab->family = options.family == AF_INET6 ? AF_INET6 : AF_INET;
	lab->keep = words->keep;
	lab->live = experiment->slow && !print_options.json;
	lab->syn_retries = words->syn_retries;
	status = lab_net_up(lab);
	if (!status)
		status = run_prepared(lab, words);
	lab_net_down(lab);
	free(lab->records);
	free(lab);
	return status;
}

/* All of them, even after one has failed. */
static int run_all(const struct words *words)
{
	int status = STATUS_OK, one;
	size_t i;

	for (i = 0; i < EXPERIMENTS; i++) {
		if (i && !print_options.json)
			puts("\n");
		one = run_one(experiments[i], words);
		if (!status)
			status = one;
	}
	return status;
}

static const struct keyword *command_table(void)
{
	static struct keyword table[COMMANDS + 1] = {
		[COMMAND_LIST] = { "list", COMMAND_LIST },
		[COMMAND_ALL] = { "all", COMMAND_ALL },
		[COMMAND_HELP] = { "help", COMMAND_HELP },
	};
	size_t i;

	for (i = 0; i < EXPERIMENTS; i++)
		table[i] = (struct keyword){ experiments[i]->name, i };
	return table;
}

int lab_run(struct args *args)
{
	const char *text = args_next(args);
	int command = COMMAND_LIST, device, status = STATUS_OK;
	struct words words;

	if (text)
		status = keyword_parse(command_table(), "lab: experiment", HELP, text, &command);
	if (status)
		return status;
	status = parse_words(args, &words);
	if (status)
		return status;
	if (command == COMMAND_HELP || words.help) {
		usage(stdout);
		return STATUS_OK;
	}
	if (command == COMMAND_LIST)
		return list();
	if (command == COMMAND_ALL && words.svg && !is_directory(words.svg))
		return usage_error("svg \"%s\": expected a DIRECTORY for the pictures of all",
				   words.svg);
	/* Tells what is wrong if the module is not loaded. */
	status = tool_device(&device);
	if (status)
		return status;
	return command == COMMAND_ALL ? run_all(&words) : run_one(experiments[command], &words);
}
