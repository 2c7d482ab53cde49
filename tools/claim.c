// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: the object claim
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "error.h"
#include "lib/threeway.h"
#include "policy.h"
#include "print.h"
#include "tool.h"
#include "words.h"

#define HELP		"threeway claim help"

/* The words of a claim; each is a bit in struct words. */
enum word {
	WORD_PASSIVE,
	WORD_ACTIVE,
	WORD_LOCAL,
	WORD_PORT,
	WORD_REMOTE,
	WORD_MODE,
	WORD_ID,
	WORD_HELP,
	WORD_POLICY,	/* the first of POLICY_WORDS */
	WORD_MAX = WORD_POLICY + POLICY_WORDS
};

#define BIT(word)	(1U << (word))
#define BIT_DIRECTION	(BIT(WORD_PASSIVE) | BIT(WORD_ACTIVE))

/**
 * struct words - a claim as the command line describes it
 * @claim:	the values, those not given as claim add takes them
 * @given:	which words were given, by enum word
 */
struct words {
	struct threeway_claim claim;
	unsigned int given;
};

static void usage(FILE *file)
{
	char buf[64];
	unsigned int i;

	fputs("Usage: threeway claim add { passive | active } [ SELECTOR ] [ mode MODE ]\n"
	      "                          [ POLICY ]\n"
	      "       threeway claim del { id ID | CLAIM }\n"
	      "       threeway claim { show | flush } [ id ID | CLAIM ]\n"
	      "CLAIM    := words of claim add; those left out match every value\n"
	      "SELECTOR := [ local PREFIX ] [ port PORTS ] [ remote PREFIX ]\n"
	      "PREFIX   := { ADDRESS[/LENGTH] | any }\n"
	      "PORTS    := { PORT | FIRST-LAST | any } of the service: local ports of a passive\n"
	      "            claim, remote ports of an active one\n"
	      "MODE     := { handoff | hold | observe }; hold only with passive\n"
	      "POLICY   := words of this list; those left out follow the sysctls net.threeway.*\n"
	      "            (freeze, lifetime_ms, delay_ms and lose only with mode hold)\n",
	      file);
	for (i = 0; i < POLICY_WORDS; i++)
		fprintf(file, "            %-20s %s\n", policy_word(i), policy_expected(i, buf));
}

static const struct keyword *word_table(void)
{
	static struct keyword table[WORD_MAX + 1] = {
		{ "passive", WORD_PASSIVE },
		{ "active", WORD_ACTIVE },
		{ "local", WORD_LOCAL },
		{ "port", WORD_PORT },
		{ "remote", WORD_REMOTE },
		{ "mode", WORD_MODE },
		{ "id", WORD_ID },
		{ "help", WORD_HELP },
	};
	unsigned int i;

	for (i = 0; i < POLICY_WORDS; i++) {
		table[WORD_POLICY + i].word = policy_word(i);
		table[WORD_POLICY + i].value = WORD_POLICY + i;
	}
	return table;
}

static struct prefix prefix_of(const struct threeway_claim *claim, enum word word)
{
	bool local = word == WORD_LOCAL;
	struct prefix prefix = {
		.family = claim->family,
		.length = local ? claim->local_prefixlen : claim->remote_prefixlen,
	};

	memcpy(prefix.address, local ? claim->local : claim->remote, sizeof(prefix.address));
	return prefix;
}

static struct port_range ports_of(const struct threeway_claim *claim)
{
	struct port_range ports = {
		.first = claim->port_first,
		.last = claim->port_last,
	};

	return ports;
}

static int parse_claim_prefix(enum word word, const char *text, struct threeway_claim *claim)
{
	bool local = word == WORD_LOCAL;
	int family = claim->family, status;
	struct prefix prefix;

	status = parse_prefix(local ? "local" : "remote", text, &family, &prefix);
	if (status)
		return status;
	claim->family = family;
	if (local)
		claim->local_prefixlen = prefix.length;
	else
		claim->remote_prefixlen = prefix.length;
	memcpy(local ? claim->local : claim->remote, prefix.address, sizeof(prefix.address));
	return STATUS_OK;
}

static int parse_claim_ports(const char *text, struct threeway_claim *claim)
{
	struct port_range ports;
	int status = parse_ports("port", text, &ports);

	if (status)
		return status;
	claim->port_first = ports.first;
	claim->port_last = ports.last;
	return STATUS_OK;
}

static int parse_mode(const char *text, struct threeway_claim *claim)
{
	int mode, status = keyword_value(mode_words, "mode", text, &mode);

	if (!status)
		claim->mode = mode;
	return status;
}

static const char *value_expected(enum word word, char buf[64])
{
	switch (word) {
	case WORD_LOCAL:
	case WORD_REMOTE:
		return PREFIX_EXPECTED;
	case WORD_PORT:
		return PORTS_EXPECTED;
	case WORD_MODE:
		return MODES_EXPECTED;
	case WORD_ID:
		return "the number of a claim";
	default:
		return policy_expected(word - WORD_POLICY, buf);
	}
}

static int parse_value(enum word word, const char *text, struct threeway_claim *claim)
{
	switch (word) {
	case WORD_LOCAL:
	case WORD_REMOTE:
		return parse_claim_prefix(word, text, claim);
	case WORD_PORT:
		return parse_claim_ports(text, claim);
	case WORD_MODE:
		return parse_mode(text, claim);
	case WORD_ID:
		return parse_number("id", text, 1, ~0U, false, &claim->id);
	default:
		return policy_parse(word - WORD_POLICY, text, &claim->policy);
	}
}

static int parse_direction(enum word word, struct words *words)
{
	if (words->given & BIT_DIRECTION & ~BIT(word))
		return usage_error("expected passive or active, not both");
	words->claim.direction = word == WORD_ACTIVE ? THREEWAY_ACTIVE : THREEWAY_PASSIVE;
	return STATUS_OK;
}

static int parse_word(enum word word, struct args *args, struct words *words)
{
	const char *text = word_table()[word].word, *value;
	char buf[64];
	int status;

	status = keyword_once(&words->given, BIT(word), text);
	if (status)
		return status;
	if (BIT(word) & BIT_DIRECTION)
		return parse_direction(word, words);
	status = args_value(args, text, value_expected(word, buf), &value);
	return status ? status : parse_value(word, value, &words->claim);
}

/* Sets help and stops when it meets that word. */
static int parse_words(struct args *args, struct words *words, bool *help)
{
	const char *text;
	int word, status;

	memset(words, 0, sizeof(*words));
	words->claim.family = options.family;
	words->claim.direction = THREEWAY_PASSIVE;
	words->claim.mode = THREEWAY_HANDOFF;
	*help = false;

	while ((text = args_next(args))) {
		status = keyword_parse(word_table(), "claim: word", HELP, text, &word);
		if (status)
			return status;
		if (word == WORD_HELP) {
			*help = true;
			return STATUS_OK;
		}
		status = parse_word(word, args, words);
		if (status)
			return status;
	}
	if (words->given & BIT(WORD_ID) && words->given & ~BIT(WORD_ID))
		return usage_error("id: expected no other words beside it");
	return STATUS_OK;
}

static void show_record(const struct threeway_claim_record *record)
{
	const struct threeway_claim *claim = &record->claim;
	struct prefix local = prefix_of(claim, WORD_LOCAL);
	struct prefix remote = prefix_of(claim, WORD_REMOTE);
	struct port_range ports = ports_of(claim);
	char buf[PREFIX_MAX];

	print_record();
	print_string("direction", NULL, keyword_name(direction_words, claim->direction, buf));
	print_address("local", "local", local.family, format_prefix(&local, buf));
	print_string("port", "port", format_ports(&ports, buf));
	print_address("remote", "remote", remote.family, format_prefix(&remote, buf));
	print_string("mode", "mode", keyword_name(mode_words, claim->mode, buf));
	policy_print(&claim->policy);
	print_comment();
	print_u64("id", "id", claim->id);
	if (!options.statistics)
		return;
	print_u64("flows", "flows", record->flows);
	print_u64("opened", "opened", record->opened);
	print_u64("handed_over", "handed_over", record->handed_over);
}

static bool same_prefix(const struct threeway_claim *a, const struct threeway_claim *b,
			enum word word)
{
	struct prefix p = prefix_of(a, word), q = prefix_of(b, word);

	return p.length == q.length && !memcmp(p.address, q.address, sizeof(p.address));
}

static bool same_ports(const struct threeway_claim *a, const struct threeway_claim *b)
{
	return a->port_first == b->port_first &&
	       a->port_last == b->port_last;
}

/* Would claim add call these the same claim? */
static bool same_selector(const struct threeway_claim *a, const struct threeway_claim *b)
{
	return a->family == b->family && a->direction == b->direction && same_ports(a, b) &&
	       same_prefix(a, b, WORD_LOCAL) && same_prefix(a, b, WORD_REMOTE);
}

static bool matches(const struct threeway_claim *claim, const struct words *words)
{
	const struct threeway_claim *wanted = &words->claim;
	unsigned int given = words->given;

	if (given & BIT(WORD_ID))
		return claim->id == wanted->id;
	if (wanted->family != AF_UNSPEC && claim->family != wanted->family)
		return false;
	if (given & BIT_DIRECTION && claim->direction != wanted->direction)
		return false;
	if (given & BIT(WORD_LOCAL) && !same_prefix(claim, wanted, WORD_LOCAL))
		return false;
	if (given & BIT(WORD_PORT) && !same_ports(claim, wanted))
		return false;
	if (given & BIT(WORD_REMOTE) && !same_prefix(claim, wanted, WORD_REMOTE))
		return false;
	if (given & BIT(WORD_MODE) && claim->mode != wanted->mode)
		return false;
	return policy_agrees(&claim->policy, &wanted->policy);
}

/* The claims that match, as an array to be freed. */
static int find(int fd, const struct words *words, struct threeway_claim_record **records,
		int *count)
{
	int i, all, kept = 0;

	all = threeway_claim_list(fd, records);
	if (all < 0)
		return kernel_error(all, "claim list", NULL);
	for (i = 0; i < all; i++)
		if (matches(&(*records)[i].claim, words))
			(*records)[kept++] = (*records)[i];
	*count = kept;
	return STATUS_OK;
}

/* The words of show, del and flush, and the claims that they mean. */
static int parse_and_find(struct words *words, int *fd,
			  struct threeway_claim_record **records, int *count)
{
	int status = tool_device(fd);

	return status ? status : find(*fd, words, records, count);
}

static int add_error(int fd, int err, const struct threeway_claim *claim)
{
	struct threeway_claim_record *records;
	char hint[96] = "a claim with these addresses and ports is there already";
	int i, count;

	switch (-err) {
	case EEXIST:
		count = threeway_claim_list(fd, &records);
		for (i = 0; i < count; i++)
			if (same_selector(&records[i].claim, claim))
				snprintf(hint, sizeof(hint),
					 "claim id %u has these addresses and ports",
					 records[i].claim.id);
		if (count >= 0)
			free(records);
		return kernel_error(err, "claim add", hint);
	case EINVAL:
		return kernel_error(err, "claim add", "the module refuses a value");
	case EOPNOTSUPP:
		return kernel_error(err, "claim add", "the kernel lacks this address family");
	case ENOSPC:
		return kernel_error(err, "claim add",
				    "the namespace holds as many claims as it may");
	default:
		return kernel_error(err, "claim add", NULL);
	}
}

static int claim_add(struct words *words)
{
	struct threeway_claim_record record = { .flows = 0 };
	int fd, err, status;

	if (words->given & BIT(WORD_ID))
		return usage_error("claim add: id is given by the module, expected passive or active");
	if (!(words->given & BIT_DIRECTION))
		return usage_error("claim add: no direction, expected passive or active");
	status = policy_check(&words->claim.policy, words->claim.mode);
	if (!status)
		status = tool_device(&fd);
	if (status)
		return status;
	err = threeway_claim_add(fd, &words->claim);
	if (err)
		return add_error(fd, err, &words->claim);
	if (!options.echo)
		return STATUS_OK;
	record.claim = words->claim;
	print_begin(PRINT_LINES);
	show_record(&record);
	return print_end();
}

static int claim_show(struct words *words)
{
	struct threeway_claim_record *records;
	int fd, i, count, status;

	status = parse_and_find(words, &fd, &records, &count);
	if (status)
		return status;
	print_begin(PRINT_LINES);
	for (i = 0; i < count; i++)
		show_record(&records[i]);
	free(records);
	return print_end();
}

static int delete_records(int fd, const struct threeway_claim_record *records, int count)
{
	char what[32];
	int i, err;

	for (i = 0; i < count; i++) {
		snprintf(what, sizeof(what), "claim del id %u", records[i].claim.id);
		err = threeway_claim_del(fd, records[i].claim.id);
		/* Somebody else was faster: it is gone, as was asked. */
		if (err && err != -ENOENT)
			return kernel_error(err, what, NULL);
	}
	if (!options.echo)
		return STATUS_OK;
	print_begin(PRINT_LINES);
	for (i = 0; i < count; i++)
		show_record(&records[i]);
	return print_end();
}

static int claim_flush(struct words *words)
{
	struct threeway_claim_record *records;
	int fd, count, status;

	status = parse_and_find(words, &fd, &records, &count);
	if (status)
		return status;
	status = delete_records(fd, records, count);
	free(records);
	return status;
}

static int ambiguous(const struct threeway_claim_record *records, int count)
{
	char ids[64];
	size_t used = 0;
	int i;

	for (i = 0; i < count && i < 5; i++)
		used += snprintf(ids + used, sizeof(ids) - used, "%s%u", i ? ", " : "",
				 records[i].claim.id);
	return failure("claim del: %d claims match, say which: id %s%s", count, ids,
		       i < count ? ", ..." : "");
}

/*
 * What claim add makes of some words is what claim del deletes by them, unless
 * they tell no direction and there is one of each.
 */
static const struct threeway_claim_record *
exact_record(const struct threeway_claim_record *records, int count, const struct words *words)
{
	const struct threeway_claim_record *found = NULL;
	struct threeway_claim wanted = words->claim;
	int i;

	for (i = 0; i < count; i++) {
		if (!(words->given & BIT_DIRECTION))
			wanted.direction = records[i].claim.direction;
		if (!same_selector(&records[i].claim, &wanted))
			continue;
		if (found)
			return NULL;
		found = &records[i];
	}
	return found;
}

static int claim_del(struct words *words)
{
	const struct threeway_claim_record *record;
	struct threeway_claim_record *records;
	int fd, count, status;

	if (!words->given)
		return usage_error("claim del: which one? expected id ID or words of claim add");
	status = parse_and_find(words, &fd, &records, &count);
	if (status)
		return status;
	record = count == 1 ? records : exact_record(records, count, words);
	if (record)
		status = delete_records(fd, record, 1);
	else if (count)
		status = ambiguous(records, count);
	else
		status = failure("claim del: no claim matches, try \"threeway claim show\"");
	free(records);
	return status;
}

enum command { COMMAND_ADD, COMMAND_DEL, COMMAND_SHOW, COMMAND_FLUSH, COMMAND_HELP };

int claim_run(struct args *args)
{
	static const struct keyword commands[] = {
		{ "add", COMMAND_ADD },
		{ "del", COMMAND_DEL },
		{ "delete", COMMAND_DEL },
		{ "show", COMMAND_SHOW },
		{ "list", COMMAND_SHOW },
		{ "flush", COMMAND_FLUSH },
		{ "help", COMMAND_HELP },
		{ }
	};
	const char *text = args_next(args);
	int command = COMMAND_SHOW, status = STATUS_OK;
	struct words words;
	bool help;

	if (text)
		status = keyword_parse(commands, "claim: command", HELP, text, &command);
	if (!status)
		status = parse_words(args, &words, &help);
	if (status)
		return status;
	if (help)
		command = COMMAND_HELP;

	switch ((enum command)command) {
	case COMMAND_ADD:
		return claim_add(&words);
	case COMMAND_DEL:
		return claim_del(&words);
	case COMMAND_SHOW:
		return claim_show(&words);
	case COMMAND_FLUSH:
		return claim_flush(&words);
	case COMMAND_HELP:
		break;
	}
	usage(stdout);
	return STATUS_OK;
}
