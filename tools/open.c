// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: the object open
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "event.h"
#include "lib/threeway.h"
#include "policy.h"
#include "print.h"
#include "source.h"
#include "tool.h"
#include "words.h"

#define HELP		"threeway open help"
#define LOOK_MS		500	/* events do not tell when a flow is frozen */
#define WAIT_MAX	86400

/* The words; each is a bit in struct words. */
enum word {
	WORD_REMOTE,
	WORD_PORT,
	WORD_LOCAL,
	WORD_LOCAL_PORT,
	WORD_DEV,
	WORD_WAIT,
	WORD_HELP,
	WORD_POLICY,	/* the first of POLICY_WORDS */
	WORD_MAX = WORD_POLICY + POLICY_WORDS
};

#define BIT(word)	(1U << (word))

/**
 * struct words - what the command line says
 * @open:	addresses, ports and policy
 * @family:	of the addresses, AF_UNSPEC before the first
 * @given:	which words were given, by enum word
 * @wait_s:	seconds to wait, 0 for as long as it takes
 */
struct words {
	struct threeway_open open;
	int family;
	unsigned int given;
	__u32 wait_s;
};

/**
 * struct outcome - what has become of the flow
 * @state:	enum threeway_state
 * @done:	finished, ended, or frozen
 * @frozen:	stopped where the policy says
 * @reason:	why it ended, NULL if it has not
 * @counter:	the name of the same
 * @after_ms:	since it began
 * @retransmits: retransmissions
 */
struct outcome {
	int state;
	bool done;
	bool frozen;
	const char *reason;
	const char *counter;
	__u64 after_ms;
	unsigned int retransmits;
};

static const struct keyword *word_table(void)
{
	static struct keyword table[WORD_MAX + 2] = {
		{ "remote", WORD_REMOTE },
		{ "port", WORD_PORT },
		{ "local", WORD_LOCAL },
		{ "local_port", WORD_LOCAL_PORT },
		{ "dev", WORD_DEV },
		{ "wait", WORD_WAIT },
		{ "help", WORD_HELP },
	};
	unsigned int i;

	for (i = 0; i < POLICY_WORDS; i++) {
		table[WORD_POLICY + i].word = policy_word(i);
		table[WORD_POLICY + i].value = WORD_POLICY + i;
	}
	table[WORD_MAX].word = "local-port";
	table[WORD_MAX].value = WORD_LOCAL_PORT;
	return table;
}

static void usage(FILE *file)
{
	char buf[64];
	unsigned int i;

	fputs("Usage: threeway open [ remote ] ADDRESS port PORT [ local ADDRESS ]\n"
	      "                     [ local_port PORT ] [ dev NAME ] [ POLICY ] [ wait [ SECONDS ] ]\n"
	      "POLICY := words of this list; those left out follow the sysctls net.threeway.*\n",
	      file);
	for (i = 0; i < POLICY_WORDS; i++)
		fprintf(file, "          %-20s %s\n", policy_word(i), policy_expected(i, buf));
}

static const char *value_expected(enum word word, char buf[64])
{
	switch (word) {
	case WORD_REMOTE:
	case WORD_LOCAL:
		return "an IPv4 or IPv6 ADDRESS";
	case WORD_PORT:
	case WORD_LOCAL_PORT:
		return "1-65535";
	case WORD_DEV:
		return "the name of an interface";
	default:
		return policy_expected(word - WORD_POLICY, buf);
	}
}

static int parse_address(const char *name, const char *text, int *family, __u8 *address)
{
	struct prefix prefix = { .family = AF_UNSPEC };
	int status = STATUS_OK;

	if (!strchr(text, '/') && strcmp(text, "any"))
		status = parse_prefix(name, text, family, &prefix);
	if (!status && prefix.family == AF_UNSPEC)
		return usage_error("%s \"%s\": expected an IPv4 or IPv6 ADDRESS", name, text);
	memcpy(address, prefix.address, sizeof(prefix.address));
	return status;
}

static int parse_port(const char *name, const char *text, __be16 *port)
{
	__u32 number;
	int status = parse_number(name, text, 1, 65535, false, &number);

	if (!status)
		*port = htons(number);
	return status;
}

static int parse_device(const char *text, __u32 *ifindex)
{
	*ifindex = if_nametoindex(text);
	if (!*ifindex)
		return usage_error("dev \"%s\": there is no such interface", text);
	return STATUS_OK;
}

static int parse_value(enum word word, const char *text, struct words *words)
{
	struct threeway_flow_key *key = &words->open.key;

	switch (word) {
	case WORD_REMOTE:
		return parse_address("remote", text, &words->family, key->remote);
	case WORD_LOCAL:
		return parse_address("local", text, &words->family, key->local);
	case WORD_PORT:
		return parse_port("port", text, &key->remote_port);
	case WORD_LOCAL_PORT:
		return parse_port("local_port", text, &key->local_port);
	case WORD_DEV:
		return parse_device(text, &key->ifindex);
	default:
		return policy_parse(word - WORD_POLICY, text, &words->open.policy);
	}
}

/* Seconds follow only if the next word is a number. */
static int parse_wait(struct args *args, struct words *words)
{
	if (!args->left || !isdigit((unsigned char)**args->words))
		return STATUS_OK;
	return parse_number("wait", args_next(args), 1, WAIT_MAX, false, &words->wait_s);
}

static int parse_word(const char *text, struct args *args, struct words *words)
{
	const char *value;
	char buf[64];
	int word, status;

	/* No word begins like an address. */
	if (isdigit((unsigned char)*text) || strchr(text, ':')) {
		status = keyword_once(&words->given, BIT(WORD_REMOTE), "remote");
		return status ? status : parse_value(WORD_REMOTE, text, words);
	}
	status = keyword_parse(word_table(), "open: word", HELP, text, &word);
	if (status)
		return status;
	text = word_table()[word].word;
	status = keyword_once(&words->given, BIT(word), text);
	if (status || word == WORD_HELP)
		return status;
	if (word == WORD_WAIT)
		return parse_wait(args, words);
	status = args_value(args, text, value_expected(word, buf), &value);
	return status ? status : parse_value(word, value, words);
}

static int parse_words(struct args *args, struct words *words)
{
	int status = STATUS_OK;
	const char *text;

	memset(words, 0, sizeof(*words));
	words->family = options.family;
	while (!status && !(words->given & BIT(WORD_HELP)) && (text = args_next(args)))
		status = parse_word(text, args, words);
	if (status || words->given & BIT(WORD_HELP))
		return status;
	if (!(words->given & BIT(WORD_REMOTE)))
		return usage_error("open: no remote, expected an IPv4 or IPv6 ADDRESS");
	if (!(words->given & BIT(WORD_PORT)))
		return usage_error("open: no port, expected 1-65535");
	words->open.key.family = words->family;
	return STATUS_OK;
}

static int open_error(int err)
{
	switch (-err) {
	case EADDRINUSE:
		return kernel_error(err, "open", "a flow or a socket has these addresses and ports");
	case EADDRNOTAVAIL:
		return kernel_error(err, "open",
				    "the local address is not one of this host, or no port is free");
	case EINVAL:
		return kernel_error(err, "open", "the module refuses a value");
	case ENOSPC:
		return kernel_error(err, "open",
				    "the namespace holds net.threeway.max_flows flows");
	default:
		return kernel_error(err, "open", NULL);
	}
}

static void print_flow(const struct threeway_open *open)
{
	print_begin(PRINT_TABLE);
	print_record();
	key_print(&open->key);
	print_u64("id", "Id", open->id);
}

/*
 * Has the flow stopped where the policy says, or gone while events were lost? The
 * latter only when *missing says that the event would have been read by now; else it
 * becomes true.
 */
static int look(const struct threeway_open *open, bool *missing, struct outcome *outcome)
{
	struct threeway_flow *flows;
	int fd, i, count, status;

	status = tool_device(&fd);
	if (status)
		return status;
	count = threeway_flow_list(fd, &flows);
	if (count < 0)
		return kernel_error(count, "flow list", NULL);
	for (i = 0; i < count && flows[i].id != open->id; i++)
		;
	if (i == count && !*missing) {
		*missing = true;
	} else if (i == count) {
		outcome->done = true;
		outcome->state = THREEWAY_CLOSED;
		outcome->reason = "gone, and the event that says why was lost";
	} else {
		outcome->state = flows[i].state;
		outcome->after_ms = flows[i].age_ms;
		outcome->retransmits = flows[i].retransmits;
		outcome->frozen = flows[i].flags & THREEWAY_F_FROZEN;
		outcome->done = outcome->frozen || outcome->state == THREEWAY_ESTABLISHED;
	}
	free(flows);
	return STATUS_OK;
}

static void handle(const struct threeway_event *event, __u64 *begin_ns, struct outcome *outcome)
{
	static char buf[32];

	if (!*begin_ns)
		*begin_ns = event->time_ns;
	outcome->state = event->state;
	outcome->after_ms = (event->time_ns - *begin_ns) / 1000000;
	outcome->retransmits = event->retransmits;
	if (event->type == THREEWAY_EV_ENDED) {
		outcome->counter = event_counter(event, buf);
		outcome->reason = event_reason(event, buf);
		if (!outcome->reason)
			outcome->reason = "ended";
	}
	outcome->done = outcome->reason || event->state == THREEWAY_ESTABLISHED;
}

/* Follows the flow until it is done, the time is up, or SIGINT comes. */
static int follow(const struct words *words, struct source *source, struct outcome *outcome)
{
	__u64 end_ms = words->wait_s ? monotonic_ms() + words->wait_s * 1000ULL : ~0ULL;
	__u64 begin_ns = 0, look_ms = monotonic_ms() + LOOK_MS, now_ms;
	const struct threeway_event *event;
	bool late, missing = false;
	int status;

	memset(outcome, 0, sizeof(*outcome));
	outcome->state = THREEWAY_SYN_SENT;
	while (!outcome->done) {
		status = source_next_until(source, look_ms < end_ms ? look_ms : end_ms,
					   &event, &late);
		if (status || (!event && !late))
			return status;
		now_ms = monotonic_ms();
		if (event && event->flow == words->open.id) {
			handle(event, &begin_ns, outcome);
		} else if (late || now_ms >= look_ms || now_ms >= end_ms) {
			/* when all that waited has been read, what is gone left no event */
			missing |= late;
			status = look(&words->open, &missing, outcome);
			if (status || now_ms >= end_ms)
				return status;
			look_ms = now_ms + LOOK_MS;
		}
	}
	return STATUS_OK;
}

static int print_outcome(const struct words *words, const struct outcome *outcome)
{
	char state[16], after[DURATION_MAX], text[128];

	if (!print_options.json) {
		snprintf(text, sizeof(text), "%s%s after %s, %u retransmissions%s%s",
			 outcome->frozen ? "frozen in " : "",
			 keyword_name(state_words, outcome->state, state),
			 format_duration(outcome->after_ms, after), outcome->retransmits,
			 outcome->reason ? ": " : "", outcome->reason ? outcome->reason : "");
		print_begin(PRINT_STREAM);
		print_record();
		print_text(NULL, text);
		return print_end();
	}
	print_flow(&words->open);
	print_string("state", NULL, keyword_name(state_words, outcome->state, state));
	print_switch("frozen", NULL, outcome->frozen);
	print_u64("age_ms", NULL, outcome->after_ms);
	print_u64("retransmits", NULL, outcome->retransmits);
	if (outcome->counter)
		print_string("counter", NULL, outcome->counter);
	return print_end();
}

static int open_and_follow(struct words *words)
{
	struct filter filter = { .family = AF_UNSPEC };
	struct outcome outcome;
	struct source *source;
	int fd, err, status;

	/* Before the flow is there, so that no event of it is missed. */
	status = source_device(&filter, &source);
	if (!status)
		status = tool_device(&fd);
	if (status)
		return status;
	err = threeway_open_flow(fd, &words->open);
	if (err) {
		source_close(source);
		return open_error(err);
	}
	if (!print_options.json) {
		print_flow(&words->open);
		status = print_end();
	}
	if (!status)
		status = follow(words, source, &outcome);
	source_close(source);
	if (!status)
		status = print_outcome(words, &outcome);
	if (status || outcome.frozen || outcome.state == THREEWAY_ESTABLISHED)
		return status;
	return outcome.done ? STATUS_FAILED : STATUS_UNFINISHED;
}

int open_run(struct args *args)
{
	struct words words;
	int fd, err, status;

	status = parse_words(args, &words);
	if (status)
		return status;
	if (words.given & BIT(WORD_HELP)) {
		usage(stdout);
		return STATUS_OK;
	}
	if (words.given & BIT(WORD_WAIT))
		return open_and_follow(&words);
	status = tool_device(&fd);
	if (status)
		return status;
	err = threeway_open_flow(fd, &words.open);
	if (err)
		return open_error(err);
	print_flow(&words.open);
	return print_end();
}
