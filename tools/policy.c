// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: the policy words of a claim
 */
#include <string.h>

#include "args.h"
#include "error.h"
#include "policy.h"
#include "print.h"
#include "tool.h"

#define ISN_EXPECTED	"engine, kernel or fixed:0-4294967295"
#define FREEZE_EXPECTED	"none, syn-sent, syn-received, final-ack or refuse"
#define COOKIES_EXPECTED "never, auto or always"
#define PATH_EXPECTED	"late or early"
#define LOSE_MAX	32
#define LOSE_EXPECTED	"numbers of segments, 1-32, with commas between them"

enum kind { KIND_NUMBER, KIND_SWITCH, KIND_ISN, KIND_FREEZE, KIND_LOSE, KIND_COOKIES,
	    KIND_PATH };

/**
 * struct policy_value - a word and its member of struct threeway_policy
 * @word:	the word
 * @bit:	its THREEWAY_P_*
 * @offset:	the member: __u8 for switches, cookies and path, __u32 for the others
 * @kind:	what the value looks like
 * @min:	smallest number
 * @max:	largest number
 */
struct policy_value {
	const char *word;
	__u32 bit;
	size_t offset;
	enum kind kind;
	__u32 min;
	__u32 max;
};

#define MEMBER(name)	offsetof(struct threeway_policy, name)

static const struct policy_value values[POLICY_WORDS] = {
	{ "synack_retries", THREEWAY_P_SYNACK_RETRIES, MEMBER(synack_retries),
	  KIND_NUMBER, 0, 255 },
	{ "rto_initial_ms", THREEWAY_P_RTO_INITIAL, MEMBER(rto_initial_ms),
	  KIND_NUMBER, 100, 60000 },
	{ "rto_max_ms", THREEWAY_P_RTO_MAX, MEMBER(rto_max_ms),
	  KIND_NUMBER, 1000, 120000 },
	{ "backlog", THREEWAY_P_BACKLOG, MEMBER(backlog),
	  KIND_NUMBER, 1, 16777216 },
	{ "isn", THREEWAY_P_ISN, MEMBER(isn), KIND_ISN, 0, 0 },
	{ "sack", THREEWAY_P_SACK, MEMBER(sack), KIND_SWITCH, 0, 0 },
	{ "timestamps", THREEWAY_P_TIMESTAMPS, MEMBER(timestamps), KIND_SWITCH, 0, 0 },
	{ "window_scaling", THREEWAY_P_WINDOW_SCALING, MEMBER(window_scaling),
	  KIND_SWITCH, 0, 0 },
	{ "ecn", THREEWAY_P_ECN, MEMBER(ecn), KIND_SWITCH, 0, 0 },
	{ "syn_retries", THREEWAY_P_SYN_RETRIES, MEMBER(syn_retries),
	  KIND_NUMBER, 0, 255 },
	{ "syn_linear_timeouts", THREEWAY_P_SYN_LINEAR_TIMEOUTS,
	  MEMBER(syn_linear_timeouts), KIND_NUMBER, 0, 255 },
	{ "freeze", THREEWAY_P_FREEZE, MEMBER(freeze), KIND_FREEZE, 0, 0 },
	{ "lifetime_ms", THREEWAY_P_LIFETIME, MEMBER(lifetime_ms),
	  KIND_NUMBER, 1000, 86400000 },
	{ "delay_ms", THREEWAY_P_DELAY, MEMBER(delay_ms), KIND_NUMBER, 0, 600000 },
	{ "lose", THREEWAY_P_LOSE, MEMBER(lose), KIND_LOSE, 0, 0 },
	{ "cookies", THREEWAY_P_COOKIES, MEMBER(cookies), KIND_COOKIES, 0, 0 },
	{ "cookie_path", THREEWAY_P_COOKIE_PATH, MEMBER(cookie_path), KIND_PATH, 0, 0 },
	{ "synack_path", THREEWAY_P_SYNACK_PATH, MEMBER(synack_path), KIND_PATH, 0, 0 },
	{ "source_rate", THREEWAY_P_SOURCE_RATE, MEMBER(source_rate),
	  KIND_NUMBER, 0, 65535 },
	{ "source_burst", THREEWAY_P_SOURCE_BURST, MEMBER(source_burst),
	  KIND_NUMBER, 1, 65535 },
	{ "source_flows", THREEWAY_P_SOURCE_FLOWS, MEMBER(source_flows),
	  KIND_NUMBER, 0, 4095 },
};

static const struct keyword isn_words[] = {
	{ "engine", THREEWAY_ISN_ENGINE },
	{ "kernel", THREEWAY_ISN_KERNEL },
	{ }
};

static const struct keyword freeze_words[] = {
	{ "none", THREEWAY_FREEZE_NONE },
	{ "syn-sent", THREEWAY_FREEZE_SYN_SENT },
	{ "syn-received", THREEWAY_FREEZE_SYN_RECEIVED },
	{ "final-ack", THREEWAY_FREEZE_FINAL_ACK },
	{ "refuse", THREEWAY_FREEZE_REFUSE },
	{ }
};

static const struct keyword cookies_words[] = {
	{ "never", THREEWAY_COOKIES_NEVER },
	{ "auto", THREEWAY_COOKIES_AUTO },
	{ "always", THREEWAY_COOKIES_ALWAYS },
	{ }
};

static const struct keyword path_words[] = {
	{ "late", THREEWAY_PATH_LATE },
	{ "early", THREEWAY_PATH_EARLY },
	{ }
};

const char *policy_word(unsigned int index)
{
	return values[index].word;
}

const char *policy_expected(unsigned int index, char buf[64])
{
	switch (values[index].kind) {
	case KIND_SWITCH:
		return "on or off";
	case KIND_ISN:
		return ISN_EXPECTED;
	case KIND_FREEZE:
		return FREEZE_EXPECTED;
	case KIND_LOSE:
		return LOSE_EXPECTED;
	case KIND_COOKIES:
		return COOKIES_EXPECTED;
	case KIND_PATH:
		return PATH_EXPECTED;
	case KIND_NUMBER:
		break;
	}
	snprintf(buf, 64, "%u-%u", values[index].min, values[index].max);
	return buf;
}

static __u32 *number_of(const struct policy_value *value, struct threeway_policy *policy)
{
	return (__u32 *)((char *)policy + value->offset);
}

static __u8 *byte_of(const struct policy_value *value, struct threeway_policy *policy)
{
	return (__u8 *)policy + value->offset;
}

static bool is_byte(const struct policy_value *value)
{
	return value->kind == KIND_SWITCH || value->kind == KIND_COOKIES ||
	       value->kind == KIND_PATH;
}

static int parse_switch(const struct policy_value *value, const char *text,
			struct threeway_policy *policy)
{
	bool on = !strcmp(text, "on");

	if (!on && strcmp(text, "off"))
		return usage_error("%s \"%s\": expected on or off", value->word, text);
	*byte_of(value, policy) = on;
	return STATUS_OK;
}

static int parse_isn(const char *text, struct threeway_policy *policy)
{
	int isn, i;

	if (!strncmp(text, "fixed:", 6)) {
		policy->isn = THREEWAY_ISN_FIXED;
		return parse_number("isn fixed", text + 6, 0, ~0U, true, &policy->isn_fixed);
	}
	/* Not keyword_value(), whose message would leave out fixed: */
	for (i = 0, isn = 0; isn_words[i].word && *text; i++)
		if (!strncmp(isn_words[i].word, text, strlen(text)))
			isn = isn_words[i].value;
	if (!isn)
		return usage_error("isn \"%s\": expected " ISN_EXPECTED, text);
	policy->isn = isn;
	return STATUS_OK;
}

static int parse_freeze(const struct policy_value *value, const char *text,
			struct threeway_policy *policy)
{
	int freeze, status = keyword_value(freeze_words, value->word, text, &freeze);

	if (!status)
		policy->freeze = freeze;
	return status;
}

static const struct keyword *words_of(const struct policy_value *value)
{
	return value->kind == KIND_COOKIES ? cookies_words : path_words;
}

static int parse_byte(const struct policy_value *value, const char *text,
		      struct threeway_policy *policy)
{
	int number, status = keyword_value(words_of(value), value->word, text, &number);

	if (!status)
		*byte_of(value, policy) = number;
	return status;
}

/* "1,3": the first and the third segment. */
static int parse_lose(const char *text, struct threeway_policy *policy)
{
	const char *rest = text;

	do {
		size_t length = strcspn(rest, ",");
		unsigned int number = 0;
		size_t i;

		for (i = 0; i < length && rest[i] >= '0' && rest[i] <= '9' && i < 2; i++)
			number = number * 10 + rest[i] - '0';
		if (i < length || !number || number > LOSE_MAX)
			return usage_error("lose \"%s\": expected " LOSE_EXPECTED, text);
		if (policy->lose & 1U << (number - 1))
			return usage_error("lose \"%s\": %u is given twice", text, number);
		policy->lose |= 1U << (number - 1);
		rest += length;
	} while (*rest++ == ',');
	return STATUS_OK;
}

int policy_parse(unsigned int index, const char *text, struct threeway_policy *policy)
{
	const struct policy_value *value = &values[index];

	policy->set |= value->bit;
	switch (value->kind) {
	case KIND_SWITCH:
		return parse_switch(value, text, policy);
	case KIND_ISN:
		return parse_isn(text, policy);
	case KIND_FREEZE:
		return parse_freeze(value, text, policy);
	case KIND_LOSE:
		return parse_lose(text, policy);
	case KIND_COOKIES:
	case KIND_PATH:
		return parse_byte(value, text, policy);
	case KIND_NUMBER:
		break;
	}
	return parse_number(value->word, text, value->min, value->max, false,
			    number_of(value, policy));
}

int policy_check(const struct threeway_policy *policy, int mode)
{
	unsigned int i;

	if (mode == THREEWAY_HOLD)
		return STATUS_OK;
	for (i = 0; i < POLICY_WORDS; i++)
		if (policy->set & values[i].bit & THREEWAY_P_HOLD)
			return usage_error("%s: expected only with mode hold",
					   values[i].word);
	return STATUS_OK;
}

static void print_isn(const struct threeway_policy *policy)
{
	char buf[32];

	if (policy->isn == THREEWAY_ISN_FIXED) {
		snprintf(buf, sizeof(buf), "fixed:%u", policy->isn_fixed);
		print_string("isn", "isn", buf);
	} else {
		print_string("isn", "isn", keyword_name(isn_words, policy->isn, buf));
	}
}

static void print_lose(__u32 lose)
{
	__u64 numbers[LOSE_MAX];
	unsigned int i, count = 0;

	for (i = 0; i < LOSE_MAX; i++)
		if (lose & 1U << i)
			numbers[count++] = i + 1;
	print_numbers("lose", "lose", numbers, count);
}

void policy_print(const struct threeway_policy *policy)
{
	struct threeway_policy copy = *policy;
	unsigned int i;
	char buf[16];

	for (i = 0; i < POLICY_WORDS; i++) {
		const struct policy_value *value = &values[i];

		if (!(policy->set & value->bit))
			continue;
		switch (value->kind) {
		case KIND_NUMBER:
			print_u64(value->word, value->word, *number_of(value, &copy));
			break;
		case KIND_SWITCH:
			print_switch(value->word, value->word, *byte_of(value, &copy));
			break;
		case KIND_ISN:
			print_isn(policy);
			break;
		case KIND_FREEZE:
			print_string(value->word, value->word,
				     keyword_name(freeze_words, policy->freeze, buf));
			break;
		case KIND_LOSE:
			print_lose(policy->lose);
			break;
		case KIND_COOKIES:
		case KIND_PATH:
			print_string(value->word, value->word,
				     keyword_name(words_of(value), *byte_of(value, &copy),
						  buf));
			break;
		}
	}
}

bool policy_agrees(const struct threeway_policy *policy,
		   const struct threeway_policy *wanted)
{
	struct threeway_policy a = *policy, b = *wanted;
	unsigned int i;

	for (i = 0; i < POLICY_WORDS; i++) {
		const struct policy_value *value = &values[i];

		if (!(b.set & value->bit))
			continue;
		if (!(a.set & value->bit))
			return false;
		if (is_byte(value) ?
		    *byte_of(value, &a) != *byte_of(value, &b) :
		    *number_of(value, &a) != *number_of(value, &b))
			return false;
	}
	return a.isn_fixed == b.isn_fixed || !(b.set & THREEWAY_P_ISN);
}
