/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: which flows are meant
 */
#ifndef _FILTER_H
#define _FILTER_H

#include "args.h"
#include "lib/threeway.h"

/* The words of a filter; an object numbers its own from FILTER_WORDS. */
enum filter_word {
	FILTER_STATE,
	FILTER_LOCAL,
	FILTER_PORT,
	FILTER_REMOTE,
	FILTER_REMOTE_PORT,
	FILTER_CLAIM,
	FILTER_ID,
	FILTER_WORDS
};

/* The first entries of an object's table of words. */
#define FILTER_KEYWORDS					\
	{ "state", FILTER_STATE },			\
	FILTER_KEYWORDS_FLOW

/* The same without those that are not true of a flow for all its life. */
#define FILTER_KEYWORDS_FLOW				\
	{ "local", FILTER_LOCAL },			\
	{ "port", FILTER_PORT },			\
	{ "remote", FILTER_REMOTE },			\
	{ "remote_port", FILTER_REMOTE_PORT },		\
	{ "claim", FILTER_CLAIM },			\
	{ "id", FILTER_ID }

/* The lines of an object's help that explain FILTER. */
#define FILTER_USAGE \
	"FILTER := [ state STATE ] [ local PREFIX ] [ port PORTS ]\n" \
	"          [ remote PREFIX ] [ remote_port PORTS ] [ claim ID ] [ id ID ]\n" \
	"STATE  := { SYN-SENT | SYN-RECEIVED | ESTABLISHED }\n" \
	FILTER_USAGE_VALUES

#define FILTER_USAGE_FLOW \
	"FILTER := [ local PREFIX ] [ port PORTS ] [ remote PREFIX ]\n" \
	"          [ remote_port PORTS ] [ claim ID ] [ id ID ]\n" \
	FILTER_USAGE_VALUES

#define FILTER_USAGE_VALUES \
	"PREFIX := { ADDRESS[/LENGTH] | any }\n" \
	"PORTS  := { PORT | FIRST-LAST | any }\n"

/**
 * struct filter - which flows are meant
 * @given:	the words that were given, by enum filter_word
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

/* A filter that lets all through, but for -4 and -6. */
void filter_init(struct filter *filter);
/* Reads the value of that word of FILTER_KEYWORDS. */
int filter_parse(struct filter *filter, enum filter_word word, struct args *args);

bool filter_flow(const struct filter *filter, const struct threeway_flow *flow);
/* An event fits by the state that it left, too. */
bool filter_event(const struct filter *filter, const struct threeway_event *event);

#endif /* _FILTER_H */
