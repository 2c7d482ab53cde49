// SPDX-License-Identifier: GPL-2.0
/* Copies of the SYN by a simulated clock. */
#include "core_test.h"

#define GOOD		(ISS + 1)
#define COPIES_MAX	512

struct story {
	u32 copies;
	u32 at_ms[COPIES_MAX];
	u32 gone_ms;
	enum threeway_counter end;
};

/* A flow on its way, and what may happen to it before each expiry. */
struct run {
	struct hs_tcb tcb;
	struct hs_policy policy;
	u32 due_ms;
	void (*change)(struct run *run, u32 now_ms);
};

static struct run run_of(struct hs_policy policy)
{
	struct run run = { .tcb = fixture_syn_sent(ISS), .policy = policy };

	run.tcb.segments_sent = 0;
	return run;
}

static void set_due(struct run *run, const struct hs_actions *actions,
		    u32 now_ms)
{
	if (actions->timer == HS_TIMER_SET)
		run->due_ms = now_ms + actions->timer_ms;
}

static struct story tell(struct run *run)
{
	struct story story = { 0 };
	struct hs_actions actions;

	hs_syn_first(&run->tcb, &run->policy, 0, &actions);
	assert_int_equal(actions.timer, HS_TIMER_SET);
	set_due(run, &actions, 0);
	for (;;) {
		u32 now_ms;
		u32 left;

		if (run->change)
			run->change(run, run->due_ms);
		now_ms = run->due_ms;
		left = hs_retries_left(&run->tcb, &run->policy);
		memset(&actions, 0xa5, sizeof(actions));
		hs_timer_fires(&run->tcb, &run->policy, now_ms, &actions);
		assert_int_equal(actions.verdict, HS_DROP);
		assert_int_equal(actions.counter, HS_NONE);
		if (actions.end != HS_NONE)
			break;
		assert_int_equal(hs_retries_left(&run->tcb, &run->policy),
				 left - 1);
		assert_true(story.copies < COPIES_MAX);
		story.at_ms[story.copies++] = now_ms;
		assert_int_equal(actions.timer, HS_TIMER_SET);
		set_due(run, &actions, now_ms);
	}
	assert_int_equal(actions.timer, HS_TIMER_KEEP);
	assert_int_equal(actions.reply.flags, 0);
	assert_int_equal(actions.sent, HS_NONE);
	story.gone_ms = run->due_ms;
	story.end = actions.end;
	return story;
}

static void expect_story(const struct story *story, const u32 *copies_ms,
			 u32 copies, u32 gone_ms)
{
	u32 i;

	for (i = 0; i < story->copies && i < copies; i++)
		if (story->at_ms[i] != copies_ms[i])
			FAIL("copy %u at %u ms, not %u", i + 1,
			     story->at_ms[i], copies_ms[i]);
	assert_int_equal(story->copies, copies);
	assert_int_equal(story->gone_ms, gone_ms);
	assert_int_equal(story->end, THREEWAY_C_flows_timed_out);
}

/* The whole schedule of one line, in seconds, the end last. */
static void expect_schedule(u8 retries, u8 linear, const u32 *at_s, u32 count)
{
	struct hs_policy policy = fixture_policy();
	struct story story;
	struct run run;
	u32 at_ms[16];
	u32 i;

	policy.syn_retries = retries;
	policy.syn_linear_timeouts = linear;
	run = run_of(policy);
	assert_int_equal(hs_retries_left(&run.tcb, &policy), count - 1);
	story = tell(&run);
	for (i = 0; i < count; i++)
		at_ms[i] = at_s[i] * 1000;
	expect_story(&story, at_ms, count - 1, at_ms[count - 1]);
	assert_int_equal(run.tcb.retransmits, count - 1);
	assert_int_equal(run.tcb.timeouts, count - 1);
}

static void known_schedules(void **state)
{
	static const u32 six[] = { 1, 3, 7, 15, 31, 63, 127 };
	static const u32 linear[] = {
		1, 2, 3, 4, 5, 7, 11, 19, 35, 67, 131,
	};
	static const u32 seven[] = { 1, 3, 7, 15, 31, 63, 127, 247 };
	static const u32 nine[] = {
		1, 3, 7, 15, 31, 63, 127, 247, 367, 487,
	};
	static const u32 two[] = { 1, 3, 7 };
	static const u32 none[] = { 1 };

	(void)state;
	expect_schedule(6, 0, six, ARRAY_SIZE(six));
	expect_schedule(6, 4, linear, ARRAY_SIZE(linear));
	expect_schedule(7, 0, seven, ARRAY_SIZE(seven));
	expect_schedule(9, 0, nine, ARRAY_SIZE(nine));
	expect_schedule(2, 0, two, ARRAY_SIZE(two));
	expect_schedule(0, 0, none, ARRAY_SIZE(none));
}

/* Each wait is twice the one before, but for the linear ones and the cap. */
static void expect_computed(const struct hs_policy *policy)
{
	u32 copies = policy->syn_retries + policy->syn_linear_timeouts;
	double wait_ms = policy->rto_initial_ms;
	struct run run = run_of(*policy);
	struct story story = tell(&run);
	double now_ms = 0;
	u32 at_ms[300];
	u32 i;

	assert_true(copies < ARRAY_SIZE(at_ms));
	for (i = 0; i <= copies; i++) {
		if (wait_ms > policy->rto_max_ms)
			wait_ms = policy->rto_max_ms;
		now_ms += wait_ms;
		at_ms[i] = (u32)now_ms;
		if (i >= policy->syn_linear_timeouts)
			wait_ms *= 2;
	}
	expect_story(&story, at_ms, copies, at_ms[copies]);
}

static void all_schedules(void **state)
{
	static const u32 rtos_ms[] = {
		100, 200, 500, 1000, 1500, 3000, 7777, 10000,
	};
	static const u8 linears[] = { 0, 1, 4, 255 };
	static const u32 caps_ms[] = { 1000, 60000, 120000 };
	struct hs_policy policy = fixture_policy();
	size_t rto, linear, cap;
	u8 retries;

	(void)state;
	for (retries = 0; retries <= 10; retries++)
		for (rto = 0; rto < ARRAY_SIZE(rtos_ms); rto++)
			for (linear = 0; linear < ARRAY_SIZE(linears); linear++)
				for (cap = 0; cap < ARRAY_SIZE(caps_ms);
				     cap++) {
					policy.syn_retries = retries;
					policy.rto_initial_ms = rtos_ms[rto];
					policy.syn_linear_timeouts =
						linears[linear];
					policy.rto_max_ms = caps_ms[cap];
					expect_computed(&policy);
				}
}

static void most_retries(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct story story;
	struct run run;

	(void)state;
	policy.syn_retries = 255;
	policy.syn_linear_timeouts = 255;
	run = run_of(policy);
	story = tell(&run);
	assert_int_equal(story.copies, 510);
	assert_int_equal(run.tcb.timeouts, 510);
	assert_int_equal(run.tcb.retransmits, 255);
	/* 255 and the first, then 127 s for seven, then 120 s each */
	assert_int_equal(story.gone_ms, (255 + 127 + 249 * 120) * 1000);
}

static void fewer_at_20_s(struct run *run, u32 now_ms)
{
	if (now_ms > 20000)
		run->policy.syn_retries = 3;
}

static void more_at_60_s(struct run *run, u32 now_ms)
{
	if (now_ms > 60000)
		run->policy.syn_retries = 7;
}

static void slower_at_2_s(struct run *run, u32 now_ms)
{
	if (now_ms > 2000) {
		run->policy.rto_initial_ms = 2000;
		run->policy.rto_max_ms = 10000;
	}
}

static void linear_at_2_s(struct run *run, u32 now_ms)
{
	if (now_ms > 2000)
		run->policy.syn_linear_timeouts = 3;
}

static void deadline_at_10_s(struct run *run, u32 now_ms)
{
	if (now_ms > 10000)
		run->policy.deadline_ms = 20000;
}

/* What is in force at an expiry decides about it and about the next wait. */
static void policy_changes(void **state)
{
	static const struct {
		void (*change)(struct run *run, u32 now_ms);
		u32 copies;
		u32 at_s[9];	/* the end last */
	} cells[] = {
		{ fewer_at_20_s, 4, { 1, 3, 7, 15, 31 } },
		{ more_at_60_s, 7, { 1, 3, 7, 15, 31, 63, 127, 247 } },
		{ slower_at_2_s, 6, { 1, 3, 11, 21, 31, 41, 51 } },
		/* at 3 s the second timeout is one of the linear ones */
		{ linear_at_2_s, 9, { 1, 3, 4, 5, 7, 11, 19, 35, 67 } },
		{ deadline_at_10_s, 4, { 1, 3, 7, 15, 20 } },
	};
	size_t i;
	u32 j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cells); i++) {
		struct run run = run_of(fixture_policy());
		struct story story;

		run.change = cells[i].change;
		story = tell(&run);
		for (j = 0; j < cells[i].copies && j < 9; j++)
			assert_int_equal(story.at_ms[j],
					 cells[i].at_s[j] * 1000);
		assert_int_equal(story.copies, cells[i].copies);
		if (j < 9)
			assert_int_equal(story.gone_ms,
					 cells[i].at_s[j] * 1000);
		assert_int_equal(story.end, THREEWAY_C_flows_timed_out);
	}
}

/* TCP_USER_TIMEOUT: the last wait is cut short, and no copy comes then. */
static void user_timeout(void **state)
{
	static const struct {
		u32 deadline_ms;
		u32 copies;
		u32 gone_ms;
	} cells[] = {
		{ 5000, 2, 5000 }, { 1, 0, 1 }, { 999, 0, 999 },
		{ 1000, 0, 1000 }, { 1001, 1, 1001 }, { 7000, 2, 7000 },
		{ 7001, 3, 7001 }, { 127000, 6, 127000 },
		{ 126999, 6, 126999 }, { 200000, 6, 127000 }, { 0, 6, 127000 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cells); i++) {
		struct hs_policy policy = fixture_policy();
		struct story story;
		struct run run;

		policy.deadline_ms = cells[i].deadline_ms;
		run = run_of(policy);
		story = tell(&run);
		assert_int_equal(story.copies, cells[i].copies);
		assert_int_equal(story.gone_ms, cells[i].gone_ms);
		assert_int_equal(story.end, THREEWAY_C_flows_timed_out);
	}
}

static void user_timeout_soon(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_segment seg = segment(HS_ACK, IRS, ISS, 0);
	struct hs_actions actions;

	(void)state;
	policy.deadline_ms = 505;
	/* It counts from the first SYN. */
	hs_syn_first(&tcb, &policy, 0xfffffff0, &actions);
	assert_int_equal(actions.timer_ms, 505);
	tcb = fixture_syn_sent(ISS);
	hs_segment_arrives(&tcb, &seg, &policy, 500, &actions);
	assert_int_equal(actions.timer_ms, 5);
	hs_timer_fires(&tcb, &policy, 505, &actions);
	assert_int_equal(actions.end, THREEWAY_C_flows_timed_out);
}

static void cross_at_500_ms(struct run *run, u32 now_ms)
{
	struct hs_segment seg = segment(HS_SYN, IRS, 0, 0);
	struct hs_actions actions;

	if (now_ms != 1000)
		return;
	hs_segment_arrives(&run->tcb, &seg, &run->policy, 500, &actions);
	assert_int_equal(actions.reply.flags, HS_SYN | HS_ACK);
	assert_int_equal(actions.timer, HS_TIMER_KEEP);
}

/* The SYN-ACK goes on where the SYN was, under the retries of the SYN. */
static void crossed_schedule(void **state)
{
	static const u32 want_ms[] = { 1000, 3000, 7000, 15000, 31000, 63000 };
	struct run run = run_of(fixture_policy());
	struct story story;

	(void)state;
	run.policy.synack_retries = 2;
	run.change = cross_at_500_ms;
	story = tell(&run);
	expect_story(&story, want_ms, ARRAY_SIZE(want_ms), 127000);
	assert_int_equal(run.tcb.state, THREEWAY_SYN_RECEIVED);
}

/* An unacceptable ACK at 300 ms pulls in the first copy alone. */
static void half_open_at_300_ms(struct run *run, u32 now_ms)
{
	struct hs_segment seg = segment(HS_ACK, IRS, ISS + 77, 0);
	struct hs_actions actions;

	if (now_ms != 1000)
		return;
	hs_segment_arrives(&run->tcb, &seg, &run->policy, 300, &actions);
	set_due(run, &actions, 300);
}

static void half_open_schedule(void **state)
{
	static const u32 want_ms[] = {
		308, 2308, 6308, 14308, 30308, 62308,
	};
	struct run run = run_of(fixture_policy());
	struct story story;

	(void)state;
	run.change = half_open_at_300_ms;
	story = tell(&run);
	expect_story(&story, want_ms, ARRAY_SIZE(want_ms), 126308);
}

static struct hs_reply copy_at(struct hs_tcb *tcb,
			       const struct hs_policy *policy, u32 now_ms)
{
	struct hs_actions actions;

	memset(&actions, 0xa5, sizeof(actions));
	hs_timer_fires(tcb, policy, now_ms, &actions);
	return actions.reply;
}

static void copies_are_alike(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_reply want, got;
	struct hs_actions actions;
	u32 now_ms = 0;
	u32 i;

	(void)state;
	tcb.ecn_ok = true;
	tcb.ecn_setup = true;
	tcb.ts_recent = 4711;
	hs_syn_first(&tcb, &policy, 0, &actions);
	want = actions.reply;
	assert_int_equal(want.flags, HS_SYN | HS_ECE | HS_CWR);
	for (i = 0; i < 6; i++) {
		now_ms += 1000U << i;
		got = copy_at(&tcb, &policy, now_ms);
		want.opts.tsval = TS_OFFSET + now_ms;
		expect_reply_equal("copy", &got, &want);
	}
	assert_int_equal(tcb.tsval_first, TS_OFFSET);
}

static void ecn_fallback(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_segment seg;

	(void)state;
	tcb.ecn_ok = true;
	tcb.ecn_setup = true;
	policy.ecn_fallback = true;
	assert_int_equal(copy_at(&tcb, &policy, 1000).flags, HS_SYN);
	assert_int_equal(copy_at(&tcb, &policy, 3000).flags, HS_SYN);
	/* A SYN-ACK copy keeps what it said. */
	tcb = fixture_syn_sent(ISS);
	tcb.ecn_ok = true;
	tcb.ecn_setup = true;
	seg = segment(HS_SYN | HS_ECE | HS_CWR, IRS, 0, 0);
	arrive_expect("SYN", &tcb, &seg, &policy, 500, CROSSED);
	assert_int_equal(copy_at(&tcb, &policy, 1000).flags,
			 HS_SYN | HS_ACK | HS_ECE);
}

static void lost_copies(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(ISS);

	(void)state;
	hs_copy_lost(&tcb);
	assert_int_equal(tcb.retransmits, 0);
	copy_at(&tcb, &policy, 1000);
	assert_int_equal(tcb.retransmits, 1);
	hs_copy_lost(&tcb);
	assert_int_equal(tcb.retransmits, 0);
	assert_int_equal(tcb.timeouts, 1);
	/* It is in the range of TSecr all the same: it may have left. */
	assert_int_equal(tcb.tsval_last, TS_OFFSET + 1000);
}

/* The queue of the host was full at 1 s and 1.5 s: 500 ms later, not doubled. */
static void congested_copies(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_actions actions;
	u32 i;

	(void)state;
	for (i = 0; i < 2; i++) {
		copy_at(&tcb, &policy, 1000 + 500 * i);
		assert_int_equal(hs_copy_congested(&tcb, &policy,
						   1000 + 500 * i, &actions),
				 1000);
		assert_int_equal(actions.timer, HS_TIMER_SET);
		assert_int_equal(actions.timer_ms, 500);
		assert_int_equal(actions.reply.flags, 0);
		assert_int_equal(tcb.retransmits, 0);
		assert_int_equal(tcb.timeouts, i + 1);
	}
	hs_timer_fires(&tcb, &policy, 2000, &actions);
	assert_int_equal(actions.timer_ms, 2000);
	hs_timer_fires(&tcb, &policy, 4000, &actions);
	assert_int_equal(actions.timer_ms, 4000);
	/* they count, or it would never end */
	for (i = 4; i < policy.syn_retries; i++) {
		hs_timer_fires(&tcb, &policy, 8000, &actions);
		assert_int_equal(actions.end, HS_NONE);
	}
	hs_timer_fires(&tcb, &policy, 8000, &actions);
	assert_int_equal(actions.end, THREEWAY_C_flows_timed_out);
	/* what is left of a deadline may be less */
	tcb = fixture_syn_sent(ISS);
	policy.deadline_ms = 1200;
	copy_at(&tcb, &policy, 1000);
	hs_copy_congested(&tcb, &policy, 1000, &actions);
	assert_int_equal(actions.timer_ms, 200);
}

static const struct cm_unit_test tests[] = {
	TEST("RT1 RT2 RT3 RT4 RT5 schedules of the SYN that are known",
	     known_schedules),
	TEST("RT1 RT2 RT4 RT18 retries 0 to 10, RTO 100 ms to 10 s, linear, cap",
	     all_schedules),
	TEST("RT1 510 copies, and no count overflows", most_retries),
	TEST("RT1 RT2 TM1 the policy changes on the way", policy_changes),
	TEST("TM1 a user timeout ends it on time", user_timeout),
	TEST("TM1 SS3 not even a hurried SYN comes after it",
	     user_timeout_soon),
	TEST("SM7 the SYN-ACK goes on with the schedule of the SYN",
	     crossed_schedule),
	TEST("SS3 an early first copy, then the schedule from there",
	     half_open_schedule),
	TEST("RT12 RT13 TS2 a copy differs in its TSval alone",
	     copies_are_alike),
	TEST("EC5 a copy does not ask for ECN when it is to fall back",
	     ecn_fallback),
	TEST("RT8 RT16 a copy that was not sent is not counted", lost_copies),
	TEST("RT16 a SYN that the host had no room for", congested_copies),
};

SUITE(syn_timer_suite);
