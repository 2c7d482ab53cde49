// SPDX-License-Identifier: GPL-2.0
/*
 * Scripts from seeds. They follow the handshake often enough to come to its end,
 * and leave it at every place: flags, numbers, options, data and times are now and
 * then what no peer would send.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "script.h"

/* xorshift64*, as the tests of the core have it: a seed says it all. */
struct dice {
	u64 state;
};

static u32 roll(struct dice *dice, u32 limit)
{
	u32 value;

	dice->state ^= dice->state >> 12;
	dice->state ^= dice->state << 25;
	dice->state ^= dice->state >> 27;
	value = (dice->state * 0x2545f4914f6cdd1dULL) >> 32;
	return ((u64)value * limit) >> 32;
}

static bool one_in(struct dice *dice, u32 n)
{
	return !roll(dice, n);
}

#define pick(dice, list)	((list)[roll(dice, ARRAY_SIZE(list))])

/* A script in the making. */
struct draft {
	struct dice dice;
	struct script *script;
	bool stamps;
	u32 tsval;
	u32 sent;
};

/* Options of a line; at most 40 octets of them. */
struct options {
	char text[SCRIPT_TEXT];
	size_t len;
};

static void __printf(3, 4) put(struct options *options, size_t len,
			       const char *format, ...)
{
	size_t at = strlen(options->text);
	va_list args;

	if (options->len + len > OPTIONS_MAX)
		return;
	options->len += len;
	if (at)
		at += sprintf(options->text + at, ",");
	va_start(args, format);
	vsnprintf(options->text + at, sizeof(options->text) - at, format,
		  args);
	va_end(args);
}

/* One option of a SYN, well-formed or not. */
static void put_any(struct draft *draft, struct options *options)
{
	static const struct {
		const char *text;
		size_t len;
	} odd[] = {
		{ "raw 020305", 3 }, { "raw 02050102ff", 5 },
		{ "raw 0200", 2 }, { "raw 0201", 2 }, { "raw 02", 1 },
		{ "raw 030407ff", 4 }, { "raw 0302", 2 }, { "raw 0300", 2 },
		{ "raw 040300", 3 }, { "raw 0400", 2 }, { "raw 08", 1 },
		{ "raw 080900000001000000", 9 },
		{ "raw 080b000000010000000000", 11 }, { "raw 080a0001", 4 },
		{ "raw 4d06deadbeef", 6 }, { "raw 4d00", 2 },
		{ "raw fdff0102", 4 }, { "raw fe04f989", 4 },
		{ "raw 2202", 2 }, { "raw 050a0000000100000005", 10 },
		{ "raw 0506", 2 }, { "raw 0b060000000f", 6 },
		{ "raw 1c040001", 4 }, { "raw ff", 1 }, { "raw 0e0300", 3 },
		{ "raw 1e0401ff", 4 }, { "raw fe06e2d4c3d9", 6 },
	};
	static const u32 mss[] = {
		0, 1, 47, 48, 64, 88, 536, 1000, 1220, 1460, 9000, 65535,
	};
	static const u32 shifts[] = { 0, 1, 3, 7, 13, 14, 15, 255 };
	struct dice *dice = &draft->dice;
	unsigned int i;

	switch (roll(dice, 8)) {
	case 0:
		put(options, 4, "mss %u", pick(dice, mss));
		break;
	case 1:
		put(options, 2, "sackOK");
		break;
	case 2:
		put(options, 10, "TS val %u ecr %u", draft->tsval,
		    one_in(dice, 3) ? roll(dice, 100000) : 0);
		draft->stamps = true;
		break;
	case 3:
		put(options, 3, "wscale %u", pick(dice, shifts));
		break;
	case 4:
		put(options, 1, "nop");
		break;
	case 5:
		if (one_in(dice, 4))
			put(options, 1, "eol");
		break;
	default:
		i = roll(dice, ARRAY_SIZE(odd));
		put(options, odd[i].len, "%s", odd[i].text);
	}
}

/* What a client or server of our time offers, or part of it. */
static void put_usual(struct draft *draft, struct options *options, bool ack)
{
	static const u32 mss[] = { 536, 1000, 1300, 1440, 1460, 8960 };
	struct dice *dice = &draft->dice;

	if (!one_in(dice, 10))
		put(options, 4, "mss %u", pick(dice, mss));
	if (!one_in(dice, 4))
		put(options, 2, "sackOK");
	draft->stamps = !one_in(dice, 3);
	if (draft->stamps)
		put(options, 10, "TS val %u ecr %s", draft->tsval,
		    ack ? "^" : "0");
	if (!one_in(dice, 4))
		put(options, 4, "nop,wscale %u", roll(dice, 15));
}

static struct options syn_options(struct draft *draft, bool ack)
{
	struct options options = { .len = 0 };
	unsigned int i, count;

	if (!one_in(&draft->dice, 3)) {
		put_usual(draft, &options, ack);
		return options;
	}
	count = roll(&draft->dice, 7);
	for (i = 0; i < count; i++)
		put_any(draft, &options);
	return options;
}

/* Options of a segment without SYN: timestamps, if they go with the SYN's. */
static struct options later_options(struct draft *draft)
{
	static const char * const echoes[] = {
		"^", "^", "^", "^", "^", "^", "^", "^", "0", "^+1", "^-1",
		"^-5000", "^+100000",
	};
	struct dice *dice = &draft->dice;
	struct options options = { .len = 0 };
	u32 tsval = draft->tsval;

	if (one_in(dice, 25)) {
		put_any(draft, &options);
		return options;
	}
	if (draft->stamps ? one_in(dice, 12) : !one_in(dice, 12))
		return options;
	if (one_in(dice, 12))
		tsval -= 1 + roll(dice, 3000);
	put(&options, 12, "nop,nop,TS val %u ecr %s", tsval,
	    pick(dice, echoes));
	return options;
}

/* When the next step comes; often next to a copy or an end of a limit. */
static u32 some_time(struct dice *dice)
{
	static const u32 near[] = {
		496, 504, 600, 744, 960, 980, 996, 1000, 1004, 1012, 1020,
		1024, 1028, 1032, 1040, 1100, 2000, 2060, 2960, 3000, 3100,
	};

	if (one_in(dice, 3))
		return 0;
	return one_in(dice, 4) ? pick(dice, near) : 4 * roll(dice, 60);
}

/*
 * Does a timer that was set at an earlier step expire about then? The native ones
 * are late by up to an eighth: who comes first would be chance.
 */
static bool near_timer(const struct script *script, u32 at_ms)
{
	static const u32 due_ms[] = { 1000, 2000, 3000, 4000, 6000, 7000 };
	unsigned int i, k;
	u32 age_ms;

	for (i = 0; i <= script->steps; i++) {
		age_ms = at_ms - (i ? script->step[i - 1].at_ms : 0);
		for (k = 0; k < ARRAY_SIZE(due_ms); k++) {
			if (age_ms + 12 > due_ms[k] &&
			    age_ms < due_ms[k] + due_ms[k] / 16 + 12)
				return true;
		}
	}
	return false;
}

static u32 next_time(struct draft *draft)
{
	const struct script *script = draft->script;
	u32 last_ms, after_ms;

	if (!script->steps)
		return 20;
	last_ms = script->step[script->steps - 1].at_ms;
	after_ms = some_time(&draft->dice);
	while (near_timer(script, last_ms + after_ms))
		after_ms += 4;
	return after_ms;
}

static void __printf(2, 3) step(struct draft *draft, const char *format, ...)
{
	u32 after_ms = next_time(draft);
	char text[SCRIPT_TEXT];
	va_list args;

	if (draft->script->steps == SCRIPT_STEPS)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	draft->tsval += after_ms;
	script_add(draft->script, after_ms, "%s", text);
}

/* Flags as a line has them. */
static const char *print_flags(u32 flags, char *text)
{
	static const char letters[] = "FSRP.UEW";
	char *to = text;
	int i;

	for (i = 0; i < 8; i++) {
		if (flags & 1 << i)
			*to++ = letters[i];
	}
	strcpy(to, flags ? "" : "-");
	return text;
}

static const char *some_flags(struct dice *dice, const char * const *usual,
			      unsigned int count, char *text)
{
	if (!one_in(dice, 5))
		return usual[roll(dice, count)];
	/* ECN is rarer */
	return print_flags(roll(dice, one_in(dice, 3) ? 256 : FLAG_SETS),
			   text);
}

static u32 some_len(struct dice *dice)
{
	static const u32 lens[] = { 1, 3, 10, 100, 1000 };

	return one_in(dice, 3) ? pick(dice, lens) : 0;
}

/* A segment to a handshake or connection that may be in any state. */
static void odd_segment(struct draft *draft)
{
	static const char * const flags[] = {
		".", ".", ".", "P.", "P.", "F.", "R", "R", "R.", "S", "S",
		"S.", "SF", "F", "-", "U.", "E.", "P", "SR", "SEW",
	};
	static const char * const seqs[] = {
		"1", "1", "1", "1", "1", "1", "0", "0", "-1", "2", "2", "100",
		"@-1", "@", "@+1", "=12345", "70000", "0x7fffffff",
	};
	static const char * const acks[] = {
		"1", "1", "1", "1", "1", "1", "1", "0", "2", "-1",
		"0x80000001", "100",
	};
	static const u32 windows[] = { 65535, 1000, 10, 1, 0 };
	struct dice *dice = &draft->dice;
	char text[16], ack[32] = "", rest[32] = "";
	const char *flag = some_flags(dice, flags, ARRAY_SIZE(flags), text);
	struct options options;

	if (strchr(flag, '.'))
		sprintf(ack, " ack %s", pick(dice, acks));
	if (one_in(dice, 6))
		sprintf(rest, " win %u", pick(dice, windows));
	else if (strchr(flag, 'U'))
		sprintf(rest, " urg %u", roll(dice, 4));
	else if (one_in(dice, 20))
		sprintf(rest, " res %u", roll(dice, 16) & 14);
	else if (one_in(dice, 20))
		sprintf(rest, " tos %u", roll(dice, 256));
	options = strchr(flag, 'S') ? syn_options(draft, strchr(flag, '.')) :
				      later_options(draft);
	step(draft, "<%s %s %s(%u)%s%s <%s>", one_in(dice, 50) ? "!" : "",
	     flag, pick(dice, seqs), some_len(dice), ack, rest, options.text);
}

/* The peer's next segment of a connection that goes well. */
static void good_segment(struct draft *draft)
{
	struct dice *dice = &draft->dice;
	struct options options = { .len = 0 };
	u32 len = some_len(dice);

	if (draft->stamps)
		put(&options, 12, "nop,nop,TS val %u ecr ^", draft->tsval);
	step(draft, "< %s %u(%u) ack 1 <%s>", len ? "P." : ".",
	     1 + draft->sent, len, options.text);
	draft->sent += len;
}

/* The program, or the peer's FIN. */
static void use_connection(struct draft *draft)
{
	struct dice *dice = &draft->dice;

	switch (roll(dice, 8)) {
	case 0:
	case 1:
		step(draft, "send %u", 1 + roll(dice, 3000));
		break;
	case 2:
		step(draft, "shut");
		break;
	case 3:
		step(draft, "< F. %u ack 1", 1 + draft->sent);
		break;
	default:
		good_segment(draft);
	}
}

static void some_syn(struct draft *draft)
{
	static const char * const flags[] = {
		"S", "S", "S", "S", "S", "S", "SEW", "SEW", "SP", "SU", "SE",
		"SW", "SF", "SPE",
	};
	static const u32 windows[] = { 65535, 65535, 65535, 1000, 1, 0 };
	struct dice *dice = &draft->dice;
	struct options options = syn_options(draft, false);

	step(draft, "< %s 0(%u) win %u%s <%s>", pick(dice, flags),
	     one_in(dice, 8) ? some_len(dice) : 0, pick(dice, windows),
	     one_in(dice, 20) ? " res 2" :
	     one_in(dice, 20) ? " tos 2" : "", options.text);
}

static void some_answer(struct draft *draft)
{
	static const char * const flags[] = {
		"S.", "S.", "S.", "S.", "S.", "S.", "S", "S", "S.E", "SF.",
		"SP.", "SEW",
	};
	static const u32 windows[] = { 65535, 65535, 65535, 1000, 1, 0 };
	struct dice *dice = &draft->dice;
	const char *flag = pick(dice, flags);
	bool ack = strchr(flag, '.');
	struct options options = syn_options(draft, ack);

	step(draft, "< %s 0(%u)%s win %u <%s>", flag,
	     one_in(dice, 8) ? some_len(dice) : 0, ack ? " ack 1" : "",
	     pick(dice, windows), options.text);
}

void script_generate(struct script *script, u32 seed)
{
	static const u32 corners[] = {
		0xffffffff, 0xfffffffe, 0x7fffffff, 0x80000000, 0,
	};
	struct draft draft = {
		.dice.state = (seed + 1ULL) * 0x9e3779b97f4a7c15ULL,
		.script = script,
	};
	struct dice *dice = &draft.dice;
	unsigned int i, count;

	for (i = 0; i < 8; i++)
		roll(dice, 2);
	script_start(script, seed & 1, "SEED=%u", seed);
	if (one_in(dice, 4)) {
		script->irs = pick(dice, corners);
		script->irs_given = true;
	}
	draft.tsval = one_in(dice, 12) ? 0U - roll(dice, 2000) :
		      one_in(dice, 12) ? 0 : 1 + roll(dice, 1000000);
	if (script->active && one_in(dice, 2))
		odd_segment(&draft);
	if (script->active)
		some_answer(&draft);
	else
		some_syn(&draft);
	count = one_in(dice, 3) ? 0 : roll(dice, 6);
	for (i = 0; i < count; i++)
		odd_segment(&draft);
	count = roll(dice, 6);
	for (i = 0; i < count; i++)
		use_connection(&draft);
	if (one_in(dice, 4))
		odd_segment(&draft);
}

const char * const flag_state_names[FLAG_STATES] = {
	[FLAGS_LISTEN] = "LISTEN",
	[FLAGS_SYN_RECEIVED] = "SYN-RECEIVED",
	[FLAGS_SYN_SENT] = "SYN-SENT",
	[FLAGS_CROSSED] = "SYN-RECEIVED after crossing SYNs",
};

void script_flags(struct script *script, enum flag_state state, u32 flags)
{
	bool synchronized = state == FLAGS_SYN_RECEIVED ||
			    state == FLAGS_CROSSED;
	char text[16];
	u32 len;

	print_flags(flags, text);
	script_start(script, state >= FLAGS_SYN_SENT, "%s %s",
		     flag_state_names[state], text);
	if (synchronized)
		script_add(script, 20, "< S 0 <mss 1460,sackOK,%s,nop,wscale 7>",
			   "TS val 1000 ecr 0");
	/* the second one is not held back by what the first one was worth */
	for (len = 0; len <= 3; len += 3)
		script_add(script, len ? 600 : 20, "< %s %u(%u)%s <%s>", text,
			   synchronized, len, strchr(text, '.') ? " ack 1" : "",
			   "nop,nop,TS val 1020 ecr ^");
	script_add(script, 20, "< . 1 ack 1 <nop,nop,TS val 1040 ecr ^>");
}
