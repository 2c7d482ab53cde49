// SPDX-License-Identifier: GPL-2.0
/* Copies of the SYN-ACK by a simulated clock. */
#include "core_test.h"

#define COPIES_MAX	256

struct story {
	u32 copies;
	u32 at_ms[COPIES_MAX];
	u32 gone_ms;
};

/*
 * Lets the timer fire until the flow is gone. @change, when there is one, gets
 * the policy before each expiry.
 */
static struct story run(struct hs_tcb *tcb, struct hs_policy *policy,
			void (*change)(struct hs_policy *policy, u32 now_ms))
{
	struct story story = { 0 };
	struct hs_actions actions;
	u32 now_ms = 0;

	hs_synack_first(tcb, policy, now_ms, &actions);
	for (;;) {
		u32 left;

		assert_int_equal(actions.timer, HS_TIMER_SET);
		assert_true(actions.timer_ms > 0);
		now_ms += actions.timer_ms;
		if (change)
			change(policy, now_ms);
		left = hs_retries_left(tcb, policy);
		memset(&actions, 0xa5, sizeof(actions));
		hs_timer_fires(tcb, policy, now_ms, &actions);
		assert_int_equal(actions.verdict, HS_DROP);
		assert_int_equal(actions.counter, HS_NONE);
		if (actions.end != HS_NONE)
			break;
		assert_int_equal(actions.sent, THREEWAY_C_sent_synack_timer);
		assert_int_equal(hs_retries_left(tcb, policy), left - 1);
		assert_true(story.copies < COPIES_MAX);
		story.at_ms[story.copies++] = now_ms;
	}
	/* Expiry is silent. */
	assert_int_equal(actions.end, THREEWAY_C_flows_expired);
	assert_int_equal(actions.sent, HS_NONE);
	assert_int_equal(actions.reply.flags, 0);
	assert_int_equal(actions.timer, HS_TIMER_KEEP);
	assert_int_equal(hs_retries_left(tcb, policy), 0);
	story.gone_ms = now_ms;
	return story;
}

static void expect_story(const struct story *story, const u32 *copies_s,
			 u32 copies, u32 gone_s)
{
	u32 i;

	assert_int_equal(story->copies, copies);
	for (i = 0; i < copies; i++)
		assert_int_equal(story->at_ms[i], copies_s[i] * 1000);
	assert_int_equal(story->gone_ms, gone_s * 1000);
}

static void five_retries(void **state)
{
	static const u32 want_s[] = { 1, 3, 7, 15, 31 };
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct story story;

	(void)state;
	/* Those are the SYN's. */
	policy.syn_retries = 2;
	policy.syn_linear_timeouts = 4;
	assert_int_equal(hs_retries_left(&tcb, &policy), 5);
	story = run(&tcb, &policy, NULL);
	expect_story(&story, want_s, 5, 63);
	assert_int_equal(tcb.retransmits, 5);
	assert_int_equal(tcb.timeouts, 5);
}

static void no_retries(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct story story;

	(void)state;
	policy.synack_retries = 0;
	story = run(&tcb, &policy, NULL);
	expect_story(&story, NULL, 0, 1);
}

static void nine_retries(void **state)
{
	static const u32 want_s[] = { 1, 3, 7, 15, 31, 63, 127, 247, 367 };
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct story story;

	(void)state;
	policy.synack_retries = 9;
	story = run(&tcb, &policy, NULL);
	expect_story(&story, want_s, 9, 487);
}

static void most_retries(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct story story;

	(void)state;
	policy.synack_retries = 255;
	assert_int_equal(hs_retries_left(&tcb, &policy), 255);
	story = run(&tcb, &policy, NULL);
	assert_int_equal(story.copies, 255);
	assert_int_equal(tcb.timeouts, 255);
	assert_int_equal(tcb.retransmits, 255);
	/* 127 s for the first seven, then 120 s each */
	assert_int_equal(story.gone_ms, (127 + 249 * 120) * 1000);
}

static void fewer_at_20_s(struct hs_policy *policy, u32 now_ms)
{
	if (now_ms > 20000)
		policy->synack_retries = 4;
}

static void more_at_20_s(struct hs_policy *policy, u32 now_ms)
{
	if (now_ms > 20000)
		policy->synack_retries = 6;
}

static void retries_change(void **state)
{
	static const u32 want_s[] = { 1, 3, 7, 15, 31, 63 };
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct story story;

	(void)state;
	story = run(&tcb, &policy, fewer_at_20_s);
	expect_story(&story, want_s, 4, 31);
	tcb = fixture_tcb(ISS, IRS);
	policy = fixture_policy();
	story = run(&tcb, &policy, more_at_20_s);
	expect_story(&story, want_s, 6, 127);
}

/* Lowered below the timeouts so far: none left, and gone at the next. */
static void retries_fall_below(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_actions actions;

	(void)state;
	tcb.timeouts = 4;
	policy.synack_retries = 2;
	assert_int_equal(hs_retries_left(&tcb, &policy), 0);
	hs_timer_fires(&tcb, &policy, 31000, &actions);
	assert_int_equal(actions.end, THREEWAY_C_flows_expired);
	assert_int_equal(actions.sent, HS_NONE);
}

static void slower_at_2_s(struct hs_policy *policy, u32 now_ms)
{
	if (now_ms > 2000) {
		policy->rto_initial_ms = 2000;
		policy->rto_max_ms = 10000;
	}
}

static void rto_changes(void **state)
{
	static const u32 want_s[] = { 1, 3, 11, 21, 31 };
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct story story;

	(void)state;
	story = run(&tcb, &policy, slower_at_2_s);
	expect_story(&story, want_s, 5, 41);
}

static void first_timeout(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_actions actions;

	(void)state;
	policy.rto_initial_ms = 100;
	hs_synack_first(&tcb, &policy, 0, &actions);
	assert_int_equal(actions.timer_ms, 100);
	policy.rto_initial_ms = 60000;
	policy.rto_max_ms = 1000;
	hs_synack_first(&tcb, &policy, 0, &actions);
	assert_int_equal(actions.timer_ms, 1000);
}

static void copies_are_alike(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_tcb want = tcb;
	struct hs_actions actions;
	struct hs_reply reply;

	(void)state;
	tcb.ecn_ok = true;
	want.ecn_ok = true;
	reply = want_synack(&tcb, 1000);
	hs_timer_fires(&tcb, &policy, 1000, &actions);
	expect_reply_equal("copy", &actions.reply, &reply);
	assert_int_equal(actions.reply.flags, HS_SYN | HS_ACK | HS_ECE);
	/* Nothing but the counts and the TSval moved. */
	want.timeouts = 1;
	want.retransmits = 1;
	want.segments_sent = 2;
	want.tsval_last = TS_OFFSET + 1000;
	expect_tcb_equal("copy", &tcb, &want);
}

static void lost_copies(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_segment syn = segment(HS_SYN, IRS, 0, 0);
	struct hs_actions actions;

	(void)state;
	hs_synack_first(&tcb, &policy, 0, &actions);
	hs_copy_lost(&tcb);
	assert_int_equal(tcb.retransmits, 0);
	assert_int_equal(tcb.timeouts, 0);

	hs_timer_fires(&tcb, &policy, 1000, &actions);
	hs_copy_lost(&tcb);
	assert_int_equal(tcb.retransmits, 0);
	/* The timeout counts all the same, and the timer runs on. */
	assert_int_equal(tcb.timeouts, 1);
	assert_int_equal(actions.timer_ms, 2000);

	hs_timer_fires(&tcb, &policy, 3000, &actions);
	arrive_expect("SYN", &tcb, &syn, &policy, 4000, SYNACK);
	assert_int_equal(tcb.retransmits, 2);
	hs_copy_lost(&tcb);
	assert_int_equal(tcb.retransmits, 1);
}

static void late_timer(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_actions actions;

	(void)state;
	/* A minute late: one copy, and the schedule goes on from there. */
	hs_timer_fires(&tcb, &policy, 61000, &actions);
	assert_int_equal(actions.sent, THREEWAY_C_sent_synack_timer);
	assert_int_equal(actions.timer_ms, 2000);
	assert_int_equal(tcb.timeouts, 1);
}

static const struct cm_unit_test tests[] = {
	TEST("RT6 SR24 copies at 1, 3, 7, 15, 31 s, gone at 63 s in silence",
	     five_retries),
	TEST("RT6 no retries: gone at 1 s", no_retries),
	TEST("RT4 RT6 nine retries reach the cap of 120 s", nine_retries),
	TEST("RT6 255 retries, and no count overflows", most_retries),
	TEST("RT6 retries changed on the way", retries_change),
	TEST("RT6 retries lowered below the timeouts so far",
	     retries_fall_below),
	TEST("RT4 RTO and cap changed on the way", rto_changes),
	TEST("RT18 the first timeout is the policy's, capped", first_timeout),
	TEST("RT12 IS7 EC1 a copy differs in its TSval alone",
	     copies_are_alike),
	TEST("RT8 RT16 a copy that was not sent is not counted", lost_copies),
	TEST("TM5 a late timer sends one copy", late_timer),
};

SUITE(timer_suite);
