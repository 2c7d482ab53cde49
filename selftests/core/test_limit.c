// SPDX-License-Identifier: GPL-2.0
/* How often invalid and duplicate segments are answered. */
#include "core_test.h"

#define GOOD	(ISS + 1)
#define NXT	(IRS + 1)

/* The segments whose answers are limited, and both outcomes. */
static const struct kind {
	const char *name;
	u8 flags;
	u32 seq;
	u32 data;
	u32 tsval;	/* 0: no timestamps */
	u32 tsecr;
	enum outcome answered;
	enum outcome limited;
} kinds[] = {
	{ "duplicate SYN", HS_SYN, IRS, 0, 0, 0, SYNACK, SYNACK_LIMITED },
	{ "old ACK", HS_ACK, IRS, 0, 0, 0, OUTSIDE, OUTSIDE_LIMITED },
	{ "old data", HS_ACK, IRS - 100, 10, 0, 0, OUTSIDE, OUTSIDE_LIMITED },
	{ "new SYN", HS_SYN, IRS + 100000, 0, 0, 0, OUTSIDE,
	  OUTSIDE_LIMITED },
	{ "RST in window", HS_RST, NXT + 1, 0, 0, 0, RST_CHALLENGED,
	  RST_LIMITED },
	{ "old TSval", HS_ACK, NXT, 0, TS_RECENT - 1, TS_OFFSET, PAWS,
	  PAWS_LIMITED },
	{ "bad TSecr", HS_ACK, NXT, 0, TS_RECENT, TS_OFFSET - 1, TSECR,
	  TSECR_LIMITED },
};

static struct hs_segment segment_of(const struct kind *kind)
{
	struct hs_segment seg = segment(kind->flags, kind->seq, GOOD,
					kind->data);

	if (kind->tsval)
		seg = stamped(seg, kind->tsval, kind->tsecr);
	return seg;
}

static void expect_kind(const struct kind *kind, struct hs_tcb *tcb,
			const struct hs_policy *policy, u32 now_ms,
			bool answered)
{
	struct hs_segment seg = segment_of(kind);

	arrive_expect(kind->name, tcb, &seg, policy, now_ms,
		      answered ? kind->answered : kind->limited);
}

static void ten_in_100_ms(void **state)
{
	struct hs_policy policy = fixture_policy();
	size_t i;
	u32 n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct hs_tcb tcb = fixture_tcb(ISS, IRS);

		for (n = 0; n < 10; n++)
			expect_kind(&kinds[i], &tcb, &policy, 7000 + n * 10,
				    n == 0);
		expect_kind(&kinds[i], &tcb, &policy, 7499, false);
		expect_kind(&kinds[i], &tcb, &policy, 7500, true);
		expect_kind(&kinds[i], &tcb, &policy, 7999, false);
		expect_kind(&kinds[i], &tcb, &policy, 8000, true);
	}
}

static void one_limit_for_all(void **state)
{
	struct hs_policy policy = fixture_policy();
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		for (j = 0; j < ARRAY_SIZE(kinds); j++) {
			struct hs_tcb tcb = fixture_tcb(ISS, IRS);

			expect_kind(&kinds[i], &tcb, &policy, 1000, true);
			expect_kind(&kinds[j], &tcb, &policy, 1499, false);
			expect_kind(&kinds[j], &tcb, &policy, 1500, true);
		}
}

static void first_synack_is_free(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_actions actions;
	u32 n;

	(void)state;
	hs_synack_first(&tcb, &policy, 100, &actions);
	assert_false(tcb.limited);
	/* Five duplicates at once: one more SYN-ACK, then one at 0.6 s. */
	for (n = 0; n < 5; n++)
		expect_kind(&kinds[0], &tcb, &policy, 110 + n * 10, n == 0);
	expect_kind(&kinds[0], &tcb, &policy, 710, true);
	/* Copies by the timer are free as well. */
	hs_timer_fires(&tcb, &policy, 1710, &actions);
	assert_int_equal(actions.sent, THREEWAY_C_sent_synack_timer);
	expect_kind(&kinds[0], &tcb, &policy, 1711, true);
}

static void knob(void **state)
{
	struct hs_policy policy = fixture_policy();
	size_t i;
	u32 n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct hs_tcb tcb = fixture_tcb(ISS, IRS);

		policy.ratelimit_ms = 0;
		for (n = 0; n < 10; n++)
			expect_kind(&kinds[i], &tcb, &policy, 7000, true);
		policy.ratelimit_ms = 1;
		expect_kind(&kinds[i], &tcb, &policy, 7000, false);
		expect_kind(&kinds[i], &tcb, &policy, 7001, true);
		policy.ratelimit_ms = 60000;
		expect_kind(&kinds[i], &tcb, &policy, 67000, false);
		expect_kind(&kinds[i], &tcb, &policy, 67001, true);
	}
}

/* The clock is a 32-bit number of milliseconds: it wraps every 49 days. */
static void clock_wraps(void **state)
{
	struct hs_policy policy = fixture_policy();
	static const u32 starts[] = { 0, 0xffffffff, 0xfffffff0, 0x7ffffff0 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		struct hs_tcb tcb = fixture_tcb(ISS, IRS);

		expect_kind(&kinds[1], &tcb, &policy, starts[i], true);
		expect_kind(&kinds[1], &tcb, &policy, starts[i] + 499, false);
		expect_kind(&kinds[1], &tcb, &policy, starts[i] + 500, true);
		/* A time before the last answer does not silence the flow. */
		expect_kind(&kinds[1], &tcb, &policy, starts[i] + 499, true);
	}
	/* Not even with the longest limit that the field can hold. */
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		struct hs_tcb tcb = fixture_tcb(ISS, IRS);

		policy.ratelimit_ms = 0xffffffff;
		expect_kind(&kinds[1], &tcb, &policy, starts[i], true);
		expect_kind(&kinds[1], &tcb, &policy, starts[i] + 1, false);
		expect_kind(&kinds[1], &tcb, &policy, starts[i] - 2, true);
	}
}

static void resets_are_not_limited(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_segment seg;
	u32 n;

	(void)state;
	expect_kind(&kinds[1], &tcb, &policy, 1000, true);
	for (n = 0; n < 10; n++) {
		seg = segment(HS_ACK, NXT, ISS, 0);
		arrive_expect("bad ACK", &tcb, &seg, &policy, 1000, BAD_ACK);
	}
	/* And they do not use up the limit. */
	expect_kind(&kinds[1], &tcb, &policy, 1500, true);
	/* Nothing is limited that decides the flow. */
	seg = segment(HS_ACK, NXT, GOOD, 0);
	arrive_expect("ACK", &tcb, &seg, &policy, 1500, HANDOFF);
	seg = segment(HS_RST, NXT, 0, 0);
	arrive_expect("RST", &tcb, &seg, &policy, 1500, RST_EXACT);
	seg = segment(HS_SYN, NXT, 0, 0);
	arrive_expect("SYN", &tcb, &seg, &policy, 1500, SYN_RESET);
}

/* The account of all flows is only looked at by what the flow itself allows. */
static void challenges_of_all_flows(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_tcb crossed = fixture_crossed(ISS, IRS);
	struct hs_segment rst = segment(HS_RST, NXT + 1, 0, 0);
	struct hs_segment syn = segment(HS_SYN, IRS, 0, 0);
	size_t i;

	(void)state;
	policy.challenges_spent = true;
	arrive_expect("RST", &tcb, &rst, &policy, 1000, CHALLENGES_SPENT);
	arrive_expect("RST again", &tcb, &rst, &policy, 1499, RST_LIMITED);
	arrive_expect("RST later", &tcb, &rst, &policy, 1500,
		      CHALLENGES_SPENT);
	arrive_expect("crossed SYN", &crossed, &syn, &policy, 1000,
		      CHALLENGES_SPENT);
	arrive_expect("crossed SYN again", &crossed, &syn, &policy, 1499,
		      CHALLENGE_LIMITED);
	arrive_expect("crossed RST", &crossed, &rst, &policy, 1500,
		      CHALLENGES_SPENT);
	/* All other answers are none. */
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct hs_tcb other = fixture_tcb(ISS, IRS);

		if (kinds[i].answered != RST_CHALLENGED)
			expect_kind(&kinds[i], &other, &policy, 1000, true);
	}
}

static const struct cm_unit_test tests[] = {
	TEST("RS2 SR3 SR7 SR12 ten invalid segments in 100 ms, one answer",
	     ten_in_100_ms),
	TEST("RS2 SR12 one limit for all answers", one_limit_for_all),
	TEST("SR3 the first SYN-ACK does not start the limit",
	     first_synack_is_free),
	TEST("RS2 the limit is a knob, 0 is off", knob),
	TEST("RS2 TM4 the limit across the wrap of the clock", clock_wraps),
	TEST("RS3 one limit for the challenges of all flows",
	     challenges_of_all_flows),
	TEST("RS5 resets are not limited", resets_are_not_limited),
};

SUITE(limit_suite);
