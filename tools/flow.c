// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: the object flow
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "lib/threeway.h"
#include "print.h"
#include "tool.h"

#define HELP		"threeway flow help"

/* The words of a filter; each is a bit in struct filter. */
enum word {
	WORD_STATE,
	WORD_LOCAL,
	WORD_PORT,
	WORD_REMOTE,
	WORD_REMOTE_PORT,
	WORD_CLAIM,
	WORD_ID,
	WORD_ALL,
	WORD_HELP,
};

#define BIT(word)	(1U << (word))

static const struct keyword words[] = {
	[WORD_STATE] = { "state", WORD_STATE },
	[WORD_LOCAL] = { "local", WORD_LOCAL },
	[WORD_PORT] = { "port", WORD_PORT },
	[WORD_REMOTE] = { "remote", WORD_REMOTE },
	[WORD_REMOTE_PORT] = { "remote_port", WORD_REMOTE_PORT },
	[WORD_CLAIM] = { "claim", WORD_CLAIM },
	[WORD_ID] = { "id", WORD_ID },
	[WORD_ALL] = { "all", WORD_ALL },
	[WORD_HELP] = { "help", WORD_HELP },
	{ }
};

static const struct keyword states[] = {
	{ "SYN-RECEIVED", THREEWAY_SYN_RECEIVED },
	{ "SYN-RECV", THREEWAY_SYN_RECEIVED },
	{ }
};

/**
 * struct filter - which flows are meant
 * @given:	the words that were given, by enum word
 * @family:	AF_INET, AF_INET6 or AF_UNSPEC
 * @state:	enum threeway_state
 * @claim:	id of the claim
 * @id:		id of the flow
 * @local:	where the local address is
 * @remote:	where the remote address is
 * @port:	where the local port is
 * @remote_port: where the remote port is
 */
struct filter {
	unsigned int given;
	int family;
	int state;
	__u32 claim;
	__u64 id;
	struct prefix local;
	struct prefix remote;
	struct port_range port;
	struct port_range remote_port;
};

static void usage(FILE *file)
{
	fputs("Usage: threeway flow show [ all | FILTER ]\n"
	      "       threeway flow kill { all | FILTER }\n"
	      "FILTER := [ state STATE ] [ local PREFIX ] [ port PORTS ]\n"
	      "          [ remote PREFIX ] [ remote_port PORTS ] [ claim ID ] [ id ID ]\n"
	      "STATE  := { SYN-RECEIVED }\n"
	      "PREFIX := { ADDRESS[/LENGTH] | any }\n"
	      "PORTS  := { PORT | FIRST-LAST | any }\n", file);
}

static const char *value_expected(enum word word)
{
	switch (word) {
	case WORD_STATE:
		return "SYN-RECEIVED";
	case WORD_LOCAL:
	case WORD_REMOTE:
		return PREFIX_EXPECTED;
	case WORD_PORT:
	case WORD_REMOTE_PORT:
		return PORTS_EXPECTED;
	case WORD_CLAIM:
		return "the number of a claim";
	default:
		return "the number of a flow";
	}
}

static int parse_value(enum word word, const char *text, struct filter *filter)
{
	const char *name = words[word].word;

	switch (word) {
	case WORD_STATE:
		return keyword_value(states, name, text, &filter->state);
	case WORD_LOCAL:
		return parse_prefix(name, text, &filter->family, &filter->local);
	case WORD_PORT:
		return parse_ports(name, text, &filter->port);
	case WORD_REMOTE:
		return parse_prefix(name, text, &filter->family, &filter->remote);
	case WORD_REMOTE_PORT:
		return parse_ports(name, text, &filter->remote_port);
	case WORD_CLAIM:
		return parse_number(name, text, 1, ~0U, false, &filter->claim);
	default:
		return parse_id(name, text, &filter->id);
	}
}

/* Sets help and stops when it meets that word. */
static int parse_filter(struct args *args, struct filter *filter, bool *help)
{
	const char *text, *value;
	int word, status;

	memset(filter, 0, sizeof(*filter));
	filter->family = options.family;
	*help = false;

	while ((text = args_next(args))) {
		status = keyword_parse(words, "flow: word", HELP, text, &word);
		if (status)
			return status;
		if (word == WORD_HELP) {
			*help = true;
			return STATUS_OK;
		}
		text = words[word].word;
		status = keyword_once(&filter->given, BIT(word), text);
		if (!status && word != WORD_ALL) {
			status = args_value(args, text, value_expected(word), &value);
			if (!status)
				status = parse_value(word, value, filter);
		}
		if (status)
			return status;
	}
	if (filter->given & BIT(WORD_ALL) && filter->given & ~BIT(WORD_ALL))
		return usage_error("all: expected no other words beside it");
	return STATUS_OK;
}

static bool in_range(const struct port_range *range, __be16 port)
{
	return !range->first || (range->first <= ntohs(port) && ntohs(port) <= range->last);
}

static bool matches(const struct threeway_flow *flow, const struct filter *filter)
{
	const struct threeway_flow_key *key = &flow->key;

	if (filter->family != AF_UNSPEC && filter->family != key->family)
		return false;
	if (filter->given & BIT(WORD_STATE) && filter->state != flow->state)
		return false;
	if (filter->given & BIT(WORD_CLAIM) && filter->claim != flow->claim)
		return false;
	if (filter->given & BIT(WORD_ID) && filter->id != flow->id)
		return false;
	return prefix_contains(&filter->local, key->family, key->local) &&
	       prefix_contains(&filter->remote, key->family, key->remote) &&
	       in_range(&filter->port, key->local_port) &&
	       in_range(&filter->remote_port, key->remote_port);
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
		if (matches(&(*flows)[i], filter))
			(*flows)[kept++] = (*flows)[i];
	qsort(*flows, kept, sizeof(**flows), older);
	*count = kept;
	return STATUS_OK;
}

static void show_endpoint(const struct threeway_flow_key *key, bool local)
{
	char address[INET6_ADDRSTRLEN], device[IF_NAMESIZE];
	struct print_endpoint endpoint = {
		.address_key = local ? "local" : "remote",
		.port_key = local ? "port" : "remote_port",
		.device_key = "dev",
		.label = local ? "Local Address:Port" : "Remote Address:Port",
		.family = key->family,
		.address = inet_ntop(key->family, local ? key->local : key->remote,
				     address, sizeof(address)),
		.port = ntohs(local ? key->local_port : key->remote_port),
	};

	if (!endpoint.address)
		endpoint.address = "?";
	if (local && key->ifindex) {
		if (!if_indextoname(key->ifindex, device))
			snprintf(device, sizeof(device), "if%u", key->ifindex);
		endpoint.device = device;
	}
	print_endpoint(&endpoint);
}

static void show_detail(const struct threeway_flow *flow)
{
	static const char * const flags[] = {
		"sack", "timestamps", "window_scaling", "ecn", "acked",
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

static void show_flow(const struct threeway_flow *flow)
{
	char buf[16];

	print_record();
	print_string("state", "State", keyword_name(states, flow->state, buf));
	show_endpoint(&flow->key, true);
	show_endpoint(&flow->key, false);
	print_u64("iss", "ISS", flow->iss);
	print_u64("irs", "IRS", flow->irs);
	print_ms("age_ms", "Age", flow->age_ms);
	print_u64("retransmits", "Retrans", flow->retransmits);
	print_u64("retries_left", "Left", flow->retries_left);
	print_ms("timer_ms", "Timer", flow->timer_ms);
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

static int flow_kill(const struct filter *filter)
{
	struct threeway_flow *flows;
	int fd, count, status;

	if (!filter->given && filter->family == AF_UNSPEC)
		return usage_error("flow kill: which ones? expected a filter or all");
	status = tool_device(&fd);
	if (!status)
		status = find(fd, filter, &flows, &count);
	if (status)
		return status;
	status = kill_flows(fd, flows, &count);
	if (!status && options.echo)
		status = show_flows(flows, count);
	if (!status && !count && !(filter->given & BIT(WORD_ALL)))
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
	struct filter filter;
	bool help;

	if (text)
		status = keyword_parse(commands, "flow: command", HELP, text, &command);
	if (!status)
		status = parse_filter(args, &filter, &help);
	if (status)
		return status;
	if (help)
		command = COMMAND_HELP;

	switch ((enum command)command) {
	case COMMAND_SHOW:
		return flow_show(&filter);
	case COMMAND_KILL:
		return flow_kill(&filter);
	case COMMAND_HELP:
		break;
	}
	usage(stdout);
	return STATUS_OK;
}
