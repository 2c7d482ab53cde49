// SPDX-License-Identifier: GPL-2.0
/*
 * Random active flows, plain and as the lab wants them, under random segments
 * and timers: what must hold in every run is held against every step, and plain
 * ones are compared with the oracle.
 */
#include <stdio.h>

#include "core_test.h"

struct run {
	struct hs_tcb tcb;
	struct hs_policy policy;
	struct hs_options offered;
	u32 now_ms;
	u32 copies;
	bool pending;			/* the timer is set */
	bool plain;
};

static struct hs_policy random_policy(bool plain)
{
	static const u8 retries[] = { 0, 1, 2, 6, 6, 255 };
	static const u32 limits_ms[] = { 0, 1, 500, 60000 };
	static const u32 deadlines_ms[] = { 0, 1000, 5000, 300000, 86400000 };
	static const u32 delays_ms[] = { 0, 0, 1, 3000, 600000 };
	struct hs_policy policy = {
		.rto_initial_ms = 100 + random_below(59901),
		.rto_max_ms = 1000 + random_below(119001),
		.ratelimit_ms = limits_ms[random_below(ARRAY_SIZE(limits_ms))],
		.deadline_ms =
			deadlines_ms[random_below(ARRAY_SIZE(deadlines_ms))],
		.synack_retries = (u8)random_u32(),
		.syn_retries = retries[random_below(ARRAY_SIZE(retries))],
		.syn_linear_timeouts = (u8)random_below(3),
		.ecn_fallback = random_one_in(2),
	};

	if (plain)
		return policy;
	policy.hold = true;
	policy.freeze = (u8)random_below(THREEWAY_FREEZE_REFUSE + 1);
	policy.delay_ms = delays_ms[random_below(ARRAY_SIZE(delays_ms))];
	policy.lose = random_one_in(2) ? random_u32() & random_u32() : 0;
	return policy;
}

static void expect_timer(struct run *run, const struct hs_actions *actions)
{
	u32 most_ms = run->policy.rto_max_ms;

	if (actions->timer == HS_TIMER_SET) {
		run->pending = true;
		if (most_ms < run->policy.delay_ms)
			most_ms = run->policy.delay_ms;
		if (most_ms < run->policy.deadline_ms)
			most_ms = run->policy.deadline_ms;
		assert_int_equal(actions->end, HS_NONE);
		assert_true(actions->timer_ms <= most_ms);
		/* Only a deadline that is over is due at once. */
		if (!actions->timer_ms)
			assert_true(run->policy.deadline_ms);
	}
	if (actions->end == HS_NONE && actions->verdict != HS_HANDOFF)
		assert_true(run->pending);
}

static void random_flow(struct run *run)
{
	struct hs_offer offer = {
		.default_mss = 536,
		.sack = random_one_in(2),
		.timestamps = !random_one_in(4),
		.wscale = random_one_in(2),
		.ecn = random_one_in(2),
	};
	struct hs_segment syn = segment(HS_SYN | (u8)(random_u32() &
						      (HS_ECE | HS_CWR)),
					0, 0, 0);
	struct hs_actions actions;

	memset(run, 0, sizeof(*run));
	syn.wnd = (u16)random_u32();
	syn.opts = (struct hs_options) {
		.present = random_u32() & 0x3ff,
		.mss = (u16)(1 + random_below(65535)),
		.wscale = (u8)random_below(15),
		.tsecr = random_one_in(3) ? random_corner() : 0,
	};
	run->plain = random_one_in(2);
	run->policy = random_policy(run->plain);
	run->now_ms = random_corner();
	hs_tcb_active_open(&run->tcb, &syn, &offer, random_corner(),
			   random_corner());
	hs_syn_first(&run->tcb, &run->policy, run->now_ms, &actions);
	run->offered = syn.opts;
	run->offered.present &= (offer.sack ? HS_OPT_SACK_PERMITTED : 0) |
				(offer.timestamps ? HS_OPT_TIMESTAMPS : 0) |
				(offer.wscale ? HS_OPT_WSCALE : 0);
	expect_timer(run, &actions);
	assert_int_equal(hs_tcb_unoffered(&run->tcb) & run->offered.present, 0);
}

/* What both offered, and nothing else, is agreed. */
static void expect_agreed(const struct run *run, const struct hs_segment *seg)
{
	u16 both = run->offered.present & seg->opts.present;
	const struct hs_tcb *tcb = &run->tcb;

	assert_int_equal(tcb->irs, seg->seq);
	assert_int_equal(tcb->peer_wnd, seg->wnd);
	assert_int_equal(tcb->sack_ok, !!(both & HS_OPT_SACK_PERMITTED));
	assert_int_equal(tcb->tstamp_ok, !!(both & HS_OPT_TIMESTAMPS));
	assert_int_equal(tcb->wscale_ok, !!(both & HS_OPT_WSCALE));
	assert_int_equal(tcb->rcv_wscale, both & HS_OPT_WSCALE ?
			 run->offered.wscale : 0);
	assert_int_equal(tcb->snd_wscale, both & HS_OPT_WSCALE ?
			 seg->opts.wscale : 0);
	assert_int_equal(tcb->peer_mss, seg->opts.present & HS_OPT_MSS ?
			 seg->opts.mss : 536);
}

/* A reply says where the flow is, in numbers that it owns. */
static void expect_reply_fits(const struct run *run,
			      const struct hs_reply *reply)
{
	const struct hs_tcb *tcb = &run->tcb;

	if (!reply->flags || (reply->flags & HS_RST))
		return;
	assert_false(tcb->delayed);
	assert_int_equal(reply->seq, reply->flags & HS_SYN ? tcb->iss :
			 tcb->iss + 1);
	assert_int_equal(reply->ack, reply->flags & HS_ACK ? tcb->irs + 1 : 0);
	if (reply->flags & HS_SYN)
		assert_int_equal(tcb->state, reply->flags & HS_ACK ?
				 THREEWAY_SYN_RECEIVED : THREEWAY_SYN_SENT);
	if (reply->flags & HS_ACK)
		assert_int_equal(reply->opts.present & hs_tcb_unoffered(tcb),
				 0);
}

/* Who believes to be connected has reason to. */
static void expect_earned(const struct run *run, const struct hs_tcb *before,
			  const struct hs_segment *seg,
			  const struct hs_actions *actions)
{
	bool finished = actions->verdict == HS_HANDOFF ||
			(run->tcb.state == THREEWAY_ESTABLISHED &&
			 before->state != THREEWAY_ESTABLISHED);

	if (!finished)
		return;
	assert_true(seg->flags & HS_ACK);
	assert_false(seg->flags & HS_RST);
	assert_int_equal(seg->ack, before->iss + 1);
	if (before->state == THREEWAY_SYN_SENT)
		assert_true(seg->flags & HS_SYN);
	else if (seg->flags & HS_SYN)
		assert_int_equal(seg->seq, before->irs);
	else
		assert_true(oracle_acceptable(seg->seq, seg->len,
					      before->irs + 1,
					      before->rcv_wnd));
	assert_int_equal(actions->verdict == HS_HANDOFF, run->plain);
}

static void expect_rst_unanswered(const struct hs_tcb *before,
				  const struct hs_segment *seg,
				  const struct hs_actions *actions)
{
	if (!(seg->flags & HS_RST) || !actions->reply.flags)
		return;
	/* but for the challenge of RFC 5961 */
	assert_int_not_equal(before->state, THREEWAY_SYN_SENT);
	assert_int_equal(actions->reply.flags, HS_ACK);
	assert_int_equal(actions->counter, THREEWAY_C_segment_rst_challenged);
}

static void expect_sane(const struct run *run, const struct hs_tcb *before,
			const struct hs_actions *actions)
{
	const struct hs_tcb *tcb = &run->tcb;
	bool lost = actions->sent == THREEWAY_C_segment_lost;

	assert_int_equal(actions->reply.flags != 0,
			 actions->sent != HS_NONE && !lost);
	assert_false(run->plain && lost);
	assert_int_equal(tcb->iss, before->iss);
	assert_true(tcb->active);
	assert_true(tcb->state >= before->state);
	if (before->state != THREEWAY_SYN_SENT) {
		assert_int_equal(tcb->irs, before->irs);
		assert_int_equal(tcb->tsval_first, before->tsval_first);
	}
	assert_true(tcb->timeouts <= run->policy.syn_retries +
		    run->policy.syn_linear_timeouts);
	if (actions->verdict == HS_NATIVE) {
		assert_int_equal(before->state, THREEWAY_SYN_SENT);
		assert_int_equal(actions->end, THREEWAY_C_flows_refused);
	}
	if (before->delayed)
		assert_true(actions->end != HS_NONE || !tcb->delayed ||
			    actions->sent == HS_NONE);
}

/* Return: whether the flow goes on. */
static bool step_segment(struct run *run)
{
	struct hs_segment seg = random_segment(&run->tcb);
	struct hs_tcb before = run->tcb;
	struct hs_actions actions;
	char cell[96];

	snprintf(cell, sizeof(cell),
		 "state %u flags %#04x seq irs%+d ack iss%+d len %u",
		 before.state, seg.flags, (int)(seg.seq - before.irs),
		 (int)(seg.ack - before.iss), seg.len);
	if (run->plain || before.state == THREEWAY_ESTABLISHED) {
		struct hs_policy policy = run->policy;
		struct hs_tcb again = before;

		policy.lose = 0;
		arrive_expect(cell, &again, &seg, &policy, run->now_ms,
			      oracle(&before, &seg, &policy, run->now_ms));
	}
	memset(&actions, 0xa5, sizeof(actions));
	hs_segment_arrives(&run->tcb, &seg, &run->policy, run->now_ms,
			   &actions);
	expect_sane(run, &before, &actions);
	expect_timer(run, &actions);
	expect_reply_fits(run, &actions.reply);
	expect_earned(run, &before, &seg, &actions);
	expect_rst_unanswered(&before, &seg, &actions);
	if (before.state == THREEWAY_SYN_SENT &&
	    run->tcb.state != THREEWAY_SYN_SENT)
		expect_agreed(run, &seg);
	/* No segment puts off what SYN-SENT waits for. */
	if (actions.timer == HS_TIMER_SET && !run->tcb.delayed &&
	    run->tcb.state != THREEWAY_ESTABLISHED) {
		assert_false(before.hurried);
		assert_true(actions.timer_ms <= SYN_SOON_MS);
	}
	return actions.verdict != HS_HANDOFF && actions.end == HS_NONE;
}

static bool step_timer(struct run *run)
{
	struct hs_tcb before = run->tcb;
	struct hs_actions actions;

	run->pending = false;
	memset(&actions, 0xa5, sizeof(actions));
	hs_timer_fires(&run->tcb, &run->policy, run->now_ms, &actions);
	assert_int_equal(actions.verdict, HS_DROP);
	assert_int_equal(actions.counter, HS_NONE);
	expect_sane(run, &before, &actions);
	expect_timer(run, &actions);
	expect_reply_fits(run, &actions.reply);
	assert_int_equal(run->tcb.state, before.state);
	if (run->tcb.timeouts != before.timeouts) {
		assert_int_equal(run->tcb.timeouts, before.timeouts + 1);
		run->copies++;
	}
	assert_true(run->copies <= run->policy.syn_retries +
		    run->policy.syn_linear_timeouts);
	return actions.end == HS_NONE;
}

static void random_flows(void **state)
{
	u32 rounds = random_rounds(60000);
	u32 reached[THREEWAY_ESTABLISHED + 1] = { 0 };
	u32 steps = 0;

	(void)state;
	random_start();
	while (rounds--) {
		u32 left = 1 + random_below(30);
		bool alive = true;
		struct run run;

		random_flow(&run);
		while (alive && left--) {
			run.now_ms += random_one_in(2) ? random_below(20) :
				      random_below(5000);
			alive = random_one_in(6) ? step_timer(&run) :
				step_segment(&run);
			steps++;
		}
		reached[run.tcb.state]++;
	}
	print_message("# %u steps, ends in %u SYN-SENT, %u SYN-RECEIVED, %u ESTABLISHED\n",
		      steps, reached[THREEWAY_SYN_SENT],
		      reached[THREEWAY_SYN_RECEIVED],
		      reached[THREEWAY_ESTABLISHED]);
	assert_true(reached[THREEWAY_SYN_SENT] &&
		    reached[THREEWAY_SYN_RECEIVED] &&
		    reached[THREEWAY_ESTABLISHED]);
}

/* The timer alone ends every flow that has an end. */
static void random_expiry(void **state)
{
	u32 rounds = random_rounds(5000);

	(void)state;
	random_start();
	while (rounds--) {
		struct run run;
		u32 steps = 0;

		random_flow(&run);
		if (!run.plain && !run.policy.deadline_ms)
			continue;
		do
			run.now_ms += 1000 + random_below(120000);
		while (step_timer(&run) && ++steps <= 100000);
		assert_true(steps <= 100000);
	}
}

static const struct cm_unit_test tests[] = {
	TEST("SS1 SS7 SM8 SM11 RS1 RT17 random active flows and what always holds",
	     random_flows),
	TEST("RT1 TM1 TM3 the timer ends every active flow", random_expiry),
};

SUITE(random_active_suite);
