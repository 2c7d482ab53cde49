// SPDX-License-Identifier: GPL-2.0
/* ICMP errors: what each type and code means, and for which flow. */
#include <stdio.h>

#include "core_test.h"

#include "icmp.h"

static const char * const names[] = {
	[HS_ICMP_NONE] = "none",
	[HS_ICMP_QUENCH] = "quench",
	[HS_ICMP_SOFT] = "soft",
	[HS_ICMP_HARD] = "hard",
	[HS_ICMP_PMTU] = "pmtu",
	[HS_ICMP_REDIRECT] = "redirect",
};

/* All the codes from @first to @last of a type. */
struct meaning {
	int type;
	int first;
	int last;
	enum hs_icmp want;
};

/* IC4, IC5, IC7, IC8, PM6; RFC 792, RFC 1122 section 4.2.3.9 */
static const struct meaning ipv4_meanings[] = {
	{ 3, 0, 1, HS_ICMP_SOFT },	/* network, host unreachable */
	{ 3, 2, 3, HS_ICMP_HARD },	/* protocol, port unreachable */
	{ 3, 4, 4, HS_ICMP_PMTU },
	{ 3, 5, 15, HS_ICMP_SOFT },
	{ 4, 0, 255, HS_ICMP_QUENCH },
	{ 5, 0, 255, HS_ICMP_REDIRECT },
	{ 11, 0, 255, HS_ICMP_SOFT },	/* time exceeded */
	{ 12, 0, 255, HS_ICMP_SOFT },	/* parameter problem */
};

/* RFC 4443; hard as in RFC 5461 section 2 */
static const struct meaning ipv6_meanings[] = {
	{ 1, 0, 0, HS_ICMP_SOFT },
	{ 1, 1, 1, HS_ICMP_HARD },	/* administratively prohibited */
	{ 1, 2, 3, HS_ICMP_SOFT },
	{ 1, 4, 4, HS_ICMP_HARD },	/* port unreachable */
	{ 1, 5, 255, HS_ICMP_SOFT },
	{ 2, 0, 255, HS_ICMP_PMTU },
	{ 3, 0, 255, HS_ICMP_SOFT },
	{ 4, 0, 255, HS_ICMP_SOFT },
};

static enum hs_icmp wanted(const struct meaning *meanings, size_t count,
			   int type, int code)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (meanings[i].type == type && meanings[i].first <= code &&
		    code <= meanings[i].last)
			return meanings[i].want;
	}
	return HS_ICMP_NONE;
}

static void expect_meanings(bool v6, const struct meaning *meanings,
			    size_t count)
{
	int type, code;

	for (type = 0; type < 256; type++) {
		for (code = 0; code < 256; code++) {
			enum hs_icmp got = hs_icmp_classify(v6, type, code);
			enum hs_icmp want = wanted(meanings, count, type,
						   code);

			if (got != want)
				FAIL("ICMPv%d %d/%d is %s, not %s", v6 ? 6 : 4,
				     type, code, names[got], names[want]);
		}
	}
}

static void ipv4_types_and_codes(void **state)
{
	(void)state;
	expect_meanings(false, ipv4_meanings, ARRAY_SIZE(ipv4_meanings));
}

static void ipv6_types_and_codes(void **state)
{
	(void)state;
	expect_meanings(true, ipv6_meanings, ARRAY_SIZE(ipv6_meanings));
}

static const u32 isss[] = {
	ISS, 0, 1, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
};

/* @last: the highest sequence number that may be quoted, from ISS */
static void expect_window(const char *cell, struct hs_tcb tcb, u32 last)
{
	static const u32 offsets[] = {
		0, 1, 2, 3, 1000, 65535, 0x7fffffff, 0x80000000, 0x80000001,
		0xfffffffe, 0xffffffff,
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(isss); i++) {
		tcb.iss = isss[i];
		for (j = 0; j < ARRAY_SIZE(offsets); j++) {
			bool want = offsets[j] <= last;

			if (hs_icmp_in_window(&tcb, tcb.iss + offsets[j]) !=
			    want)
				FAIL("%s, ISS %#x: ISS + %#x is %s", cell,
				     tcb.iss, offsets[j],
				     want ? "refused" : "accepted");
		}
	}
}

static void quoted_sequence_number(void **state)
{
	struct hs_tcb tcb = fixture_syn_sent(ISS);

	(void)state;
	expect_window("SYN-SENT", tcb, 1);
	/* the SYN has been sent again, and no more than that */
	tcb.retransmits = 3;
	expect_window("SYN-SENT with copies", tcb, 1);
	expect_window("SYN-RECEIVED from LISTEN", fixture_tcb(ISS, IRS), 0);
	expect_window("SYN-RECEIVED from SYN-SENT", fixture_crossed(ISS, IRS),
		      1);
	expect_window("ESTABLISHED", fixture_held(ISS, IRS), 1);
}

#define C(name)	THREEWAY_C_icmp_##name

/* What an error of each meaning does to a flow. */
static void expect_arrives(const char *cell, const struct hs_tcb *tcb,
			   u8 freeze, enum threeway_counter soft,
			   enum threeway_counter hard)
{
	const enum threeway_counter inside[] = {
		[HS_ICMP_NONE] = C(ignored),
		[HS_ICMP_QUENCH] = C(ignored),
		[HS_ICMP_SOFT] = soft,
		[HS_ICMP_HARD] = hard,
		[HS_ICMP_PMTU] = C(soft),
		[HS_ICMP_REDIRECT] = C(soft),
	};
	struct hs_policy policy = fixture_policy();
	enum threeway_counter got, want;
	size_t i;

	policy.freeze = freeze;
	for (i = 0; i < ARRAY_SIZE(inside); i++) {
		got = hs_icmp_arrives(tcb, &policy, i, tcb->iss);
		if (got != inside[i])
			FAIL("%s, %s: %d, not %d", cell, names[i], got,
			     inside[i]);
		want = inside[i] == C(ignored) && i <= HS_ICMP_QUENCH ?
		       C(ignored) : C(out_of_window);
		got = hs_icmp_arrives(tcb, &policy, i, tcb->iss - 1);
		if (got != want)
			FAIL("%s, %s that quotes ISS - 1: %d, not %d", cell,
			     names[i], got, want);
	}
}

static void effect_by_state(void **state)
{
	struct hs_tcb sent = fixture_syn_sent(ISS);
	struct hs_tcb passive = fixture_tcb(ISS, IRS);
	struct hs_tcb crossed = fixture_crossed(ISS, IRS);
	struct hs_tcb held = fixture_held(ISS, IRS);

	(void)state;
	expect_arrives("SYN-SENT", &sent, 0, C(soft), C(hard));
	expect_arrives("SYN-RECEIVED", &passive, 0, C(soft), C(hard));
	expect_arrives("crossed", &crossed, 0, C(soft), C(hard));
	expect_arrives("ESTABLISHED", &held, 0, C(soft), C(soft));
}

static void frozen_flows_stay(void **state)
{
	struct hs_tcb sent = fixture_syn_sent(ISS);
	struct hs_tcb passive = fixture_tcb(ISS, IRS);
	struct hs_tcb crossed = fixture_crossed(ISS, IRS);
	struct hs_tcb held = fixture_held(ISS, IRS);
	struct hs_tcb delayed = passive;
	u8 freeze;

	(void)state;
	delayed.delayed = true;
	for (freeze = THREEWAY_FREEZE_NONE; freeze <= THREEWAY_FREEZE_REFUSE;
	     freeze++) {
		bool in_sent = freeze == THREEWAY_FREEZE_SYN_SENT;
		bool in_received = freeze == THREEWAY_FREEZE_SYN_RECEIVED;

		expect_arrives("SYN-SENT", &sent, freeze,
			       in_sent ? C(ignored) : C(soft),
			       in_sent ? C(ignored) : C(hard));
		expect_arrives("SYN-RECEIVED", &passive, freeze,
			       in_received ? C(ignored) : C(soft),
			       in_received ? C(ignored) : C(hard));
		expect_arrives("crossed", &crossed, freeze,
			       in_received ? C(ignored) : C(soft),
			       in_received ? C(ignored) : C(hard));
		expect_arrives("ESTABLISHED", &held, freeze, C(soft), C(soft));
		expect_arrives("answer held back", &delayed, freeze,
			       C(ignored), C(ignored));
	}
}

static const struct cm_unit_test tests[] = {
	TEST("IC4 IC5 IC7 IC8 PM6 all types and codes of ICMP",
	     ipv4_types_and_codes),
	TEST("IC4 IC5 V611 all types and codes of ICMPv6",
	     ipv6_types_and_codes),
	TEST("IC2 SQ9 the quoted sequence number, both ends of the window",
	     quoted_sequence_number),
	TEST("IC2 IC4 IC5 IC6 IC7 PM6 what an error does in each state",
	     effect_by_state),
	TEST("IC4 what the lab has frozen no error ends", frozen_flows_stay),
};

SUITE(icmp_suite);
