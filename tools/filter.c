// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: which flows are meant
 */
#include <arpa/inet.h>
#include <string.h>

#include "filter.h"
#include "tool.h"

#define BIT(word)	(1U << (word))

static const struct keyword names[] = { FILTER_KEYWORDS };

/* Those of words.h that a flow can be in. */
static const struct keyword states[] = {
	{ "SYN-SENT", THREEWAY_SYN_SENT },
	{ "SYN-RECEIVED", THREEWAY_SYN_RECEIVED },
	{ "SYN-RECV", THREEWAY_SYN_RECEIVED },
	{ "ESTABLISHED", THREEWAY_ESTABLISHED },
	{ }
};

void filter_init(struct filter *filter)
{
	memset(filter, 0, sizeof(*filter));
	filter->family = options.family;
}

static const char *value_expected(enum filter_word word)
{
	switch (word) {
	case FILTER_STATE:
		return "SYN-SENT, SYN-RECEIVED or ESTABLISHED";
	case FILTER_LOCAL:
	case FILTER_REMOTE:
		return PREFIX_EXPECTED;
	case FILTER_PORT:
	case FILTER_REMOTE_PORT:
		return PORTS_EXPECTED;
	case FILTER_CLAIM:
		return "the number of a claim";
	default:
		return "the number of a flow";
	}
}

static int parse_value(struct filter *filter, enum filter_word word, const char *text)
{
	const char *name = names[word].word;

	switch (word) {
	case FILTER_STATE:
		return keyword_value(states, name, text, &filter->state);
	case FILTER_LOCAL:
		return parse_prefix(name, text, &filter->family, &filter->local);
	case FILTER_PORT:
		return parse_ports(name, text, &filter->port);
	case FILTER_REMOTE:
		return parse_prefix(name, text, &filter->family, &filter->remote);
	case FILTER_REMOTE_PORT:
		return parse_ports(name, text, &filter->remote_port);
	case FILTER_CLAIM:
		return parse_number(name, text, 1, ~0U, false, &filter->claim);
	default:
		return parse_id(name, text, &filter->id);
	}
}

int filter_parse(struct filter *filter, enum filter_word word, struct args *args)
{
	const char *name = names[word].word, *text;
	int status;

	status = keyword_once(&filter->given, BIT(word), name);
	if (!status)
		status = args_value(args, name, value_expected(word), &text);
	return status ? status : parse_value(filter, word, text);
}

static bool in_range(const struct port_range *range, __be16 port)
{
	return !range->first || (range->first <= ntohs(port) && ntohs(port) <= range->last);
}

static bool fits(const struct filter *filter, const struct threeway_flow_key *key,
		 __u32 claim, __u64 id)
{
	if (filter->family != AF_UNSPEC && filter->family != key->family)
		return false;
	if (filter->given & BIT(FILTER_CLAIM) && filter->claim != claim)
		return false;
	if (filter->given & BIT(FILTER_ID) && filter->id != id)
		return false;
	return prefix_contains(&filter->local, key->family, key->local) &&
	       prefix_contains(&filter->remote, key->family, key->remote) &&
	       in_range(&filter->port, key->local_port) &&
	       in_range(&filter->remote_port, key->remote_port);
}

bool filter_flow(const struct filter *filter, const struct threeway_flow *flow)
{
	if (filter->given & BIT(FILTER_STATE) && filter->state != flow->state)
		return false;
	return fits(filter, &flow->key, flow->claim, flow->id);
}

bool filter_event(const struct filter *filter, const struct threeway_event *event)
{
	if (filter->given & BIT(FILTER_STATE) && filter->state != event->state &&
	    filter->state != event->state_before)
		return false;
	return fits(filter, &event->key, event->claim, event->flow);
}
