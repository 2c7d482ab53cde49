// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: the object flow
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "error.h"
#include "filter.h"
#include "key.h"
#include "lib/threeway.h"
#include "print.h"
#include "tool.h"
#include "words.h"

#define HELP		"threeway flow help"

/* The words of show and kill beside those of a filter. */
enum word { WORD_ALL = FILTER_WORDS, WORD_HELP };

static const struct keyword words[] = {
	FILTER_KEYWORDS,
	{ "all", WORD_ALL },
	{ "help", WORD_HELP },
	{ }
};

/**
 * struct chosen - what the words of show and kill say
 * @filter:	which flows are meant
 * @all:	the word all
 * @help:	the word help
 */
struct chosen {
	struct filter filter;
	bool all;
	bool help;
};

static void usage(FILE *file)
{
	fputs("Usage: threeway flow show [ all | FILTER ]\n"
	      "       threeway flow kill { all | FILTER }\n"
	      FILTER_USAGE, file);
}

static int parse_words(struct args *args, struct chosen *chosen)
{
	int word, status = STATUS_OK;
	const char *text;

	memset(chosen, 0, sizeof(*chosen));
	filter_init(&chosen->filter);

	while (!status && !chosen->help && (text = args_next(args))) {
		status = keyword_parse(words, "flow: word", HELP, text, &word);
		if (status)
			break;
		if (word == WORD_ALL && chosen->all)
			status = usage_error("all is given twice");
		else if (word == WORD_ALL)
			chosen->all = true;
		else if (word == WORD_HELP)
			chosen->help = true;
		else
			status = filter_parse(&chosen->filter, word, args);
	}
	if (!status && chosen->all && chosen->filter.given)
		return usage_error("all: expected no other words beside it");
	return status;
}

static int older(const void *a, const void *b)
{
	const struct threeway_flow *p = a, *q = b;

	return p->id < q->id ? -1 : p->id > q->id;
}

/* The flows that match, the oldest first, as an array to be freed. */
static int find(int fd, const struct filter *filter, struct threeway_flow **flows, int *count)
{
	int i, all, kept = 0;

	all = threeway_flow_list(fd, flows);
	if (all < 0)
		return kernel_error(all, "flow list", NULL);
	for (i = 0; i < all; i++)
		if (filter_flow(filter, &(*flows)[i]))
			(*flows)[kept++] = (*flows)[i];
	qsort(*flows, kept, sizeof(**flows), older);
	*count = kept;
	return STATUS_OK;
}

static void show_detail(const struct threeway_flow *flow)
{
	static const char * const flags[] = {
		"sack", "timestamps", "window_scaling", "ecn", "acked", "frozen",
	};

	print_detail();
	print_u64("snd_nxt", "snd_nxt", flow->snd_nxt);
	print_u64("rcv_nxt", "rcv_nxt", flow->rcv_nxt);
	print_u64("rcv_wnd", "rcv_wnd", flow->rcv_wnd);
	print_u64("peer_mss", "peer_mss", flow->peer_mss);
	print_u64("snd_wscale", "snd_wscale", flow->snd_wscale);
	print_u64("rcv_wscale", "rcv_wscale", flow->rcv_wscale);
	print_bits("flags", "flags", flags, sizeof(flags) / sizeof(*flags), flow->flags);
}

/* Of a handshake that is done, or not the engine's to do, no timer runs. */
static bool has_timer(const struct threeway_flow *flow)
{
	if (flow->state == THREEWAY_ESTABLISHED || flow->mode == THREEWAY_OBSERVE)
		return false;
	return !(flow->flags & THREEWAY_F_FROZEN) || flow->timer_ms;
}

/* As ss -o does it: what the timer does, when it fires, how often it has. */
static void show_timer(const struct threeway_flow *flow)
{
	char after[DURATION_MAX], text[DURATION_MAX + 16];

	if (!has_timer(flow)) {
		print_text("Timer", "off");
		return;
	}
	snprintf(text, sizeof(text), "on,%s,%u", format_duration(flow->timer_ms, after),
		 flow->retransmits);
	print_u64_as("timer_ms", "Timer", flow->timer_ms, text);
}

static void show_lifetime(const struct threeway_flow *flow)
{
	char text[DURATION_MAX];

	if (flow->mode == THREEWAY_HOLD)
		print_u64_as("lifetime_ms", "Lifetime", flow->lifetime_ms,
			     format_duration(flow->lifetime_ms, text));
	else
		print_text("Lifetime", "-");
}

static void show_mode(const struct threeway_flow *flow)
{
	bool frozen = flow->flags & THREEWAY_F_FROZEN;
	char buf[16], text[32];
	const char *mode = keyword_name(mode_words, flow->mode, buf);

	snprintf(text, sizeof(text), "%s%s", mode, frozen ? ",frozen" : "");
	print_string_as("mode", "Mode", mode, text);
	if (print_options.json)
		print_switch("frozen", NULL, frozen);
}

static void show_flow(const struct threeway_flow *flow)
{
	char buf[16];

	print_record();
	print_string("state", "State", keyword_name(state_words, flow->state, buf));
	print_string("direction", "Open", keyword_name(direction_words, flow->direction, buf));
	show_mode(flow);
	key_print(&flow->key);
	print_u64("iss", "ISS", flow->iss);
	print_u64("irs", "IRS", flow->irs);
	print_ms("age_ms", "Age", flow->age_ms);
	print_u64("retransmits", "Retrans", flow->retransmits);
	print_u64("retries_left", "Left", flow->retries_left);
	show_timer(flow);
	show_lifetime(flow);
	print_u64("claim", "Claim", flow->claim);
	print_u64("id", "Id", flow->id);
	if (options.statistics)
		show_detail(flow);
}

static int show_flows(const struct threeway_flow *flows, int count)
{
	int i;

	print_begin(PRINT_TABLE);
	for (i = 0; i < count; i++)
		show_flow(&flows[i]);
	return print_end();
}

static int flow_show(const struct filter *filter)
{
	struct threeway_flow *flows;
	int fd, count, status;

	status = tool_device(&fd);
	if (!status)
		status = find(fd, filter, &flows, &count);
	if (status)
		return status;
	status = show_flows(flows, count);
	free(flows);
	return status;
}

/* Keeps in flows those that were killed. */
static int kill_flows(int fd, struct threeway_flow *flows, int *count)
{
	int i, err, killed = 0;

	for (i = 0; i < *count; i++) {
		err = threeway_flow_del(fd, flows[i].id, &flows[i].key);
		if (!err)
			flows[killed++] = flows[i];
		/* It ended by itself since it was listed. */
		else if (err != -ENOENT)
			return kernel_error(err, "flow kill", NULL);
	}
	*count = killed;
	return STATUS_OK;
}

static int flow_kill(const struct chosen *chosen)
{
	const struct filter *filter = &chosen->filter;
	struct threeway_flow *flows;
	int fd, count, status;

	if (!chosen->all && !filter->given && filter->family == AF_UNSPEC)
		return usage_error("flow kill: which ones? expected a filter or all");
	status = tool_device(&fd);
	if (!status)
		status = find(fd, filter, &flows, &count);
	if (status)
		return status;
	status = kill_flows(fd, flows, &count);
	if (!status && options.echo)
		status = show_flows(flows, count);
	if (!status && !count && !chosen->all)
		status = failure("flow kill: no flow matches");
	free(flows);
	return status;
}

enum command { COMMAND_SHOW, COMMAND_KILL, COMMAND_HELP };

int flow_run(struct args *args)
{
	static const struct keyword commands[] = {
		{ "show", COMMAND_SHOW },
		{ "list", COMMAND_SHOW },
		{ "kill", COMMAND_KILL },
		{ "help", COMMAND_HELP },
		{ }
	};
	const char *text = args_next(args);
	int command = COMMAND_SHOW, status = STATUS_OK;
	struct chosen chosen;

	if (text)
		status = keyword_parse(commands, "flow: command", HELP, text, &command);
	if (!status)
		status = parse_words(args, &chosen);
	if (status)
		return status;
	if (chosen.help)
		command = COMMAND_HELP;

	switch ((enum command)command) {
	case COMMAND_SHOW:
		return flow_show(&chosen.filter);
	case COMMAND_KILL:
		return flow_kill(&chosen);
	case COMMAND_HELP:
		break;
	}
	usage(stdout);
	return STATUS_OK;
}
