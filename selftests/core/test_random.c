// SPDX-License-Identifier: GPL-2.0
/*
 * Random flows under random segments and timers: each step is compared with the
 * oracle, and what must hold in every run is held against every step.
 */
#include <stdio.h>

#include "core_test.h"

struct run {
	struct hs_tcb tcb;
	struct hs_policy policy;
	u32 now_ms;
	u32 timer_copies;
	bool answered;		/* a limited answer was given */
	u32 answered_ms;
};

static struct hs_policy random_policy(void)
{
	static const u32 limits[] = { 0, 1, 500, 500, 60000 };
	static const u8 retries[] = { 0, 1, 2, 5, 5, 255 };
	static const u8 defers[] = { 0, 0, 0, 1, 3, 7, 255 };

	return (struct hs_policy) {
		.rto_initial_ms = 100 + random_below(59901),
		.rto_max_ms = 1000 + random_below(119001),
		.ratelimit_ms = limits[random_below(ARRAY_SIZE(limits))],
		.synack_retries = retries[random_below(ARRAY_SIZE(retries))],
		.defer_accept = defers[random_below(ARRAY_SIZE(defers))],
		.accept_queue_full = random_one_in(8),
		.abort_on_overflow = random_one_in(2),
		.native_cookies = random_one_in(4),
		.cookie_back = random_one_in(4),
	};
}

static void random_flow(struct run *run)
{
	static const u32 windows[] = { 0, 1, 2, 1000, 65534, 65535 };
	struct hs_offer offer = {
		.user_mss = random_one_in(2) ? 0 : (u16)random_u32(),
		.default_mss = 536,
		.sack = random_one_in(2),
		.timestamps = !random_one_in(4),
		.wscale = random_one_in(2),
		.ecn = random_one_in(2),
		.ecn_always = random_one_in(8),
	};
	struct hs_segment syn = segment(HS_SYN | (u8)(random_u32() &
						      (HS_ECE | HS_CWR)),
					random_corner(), 0, random_below(3));
	struct hs_actions actions;

	syn.opts = (struct hs_options) {
		.present = random_u32() & 0x3ff,
		.mss = (u16)(1 + random_below(65535)),
		.wscale = (u8)random_below(15),
		.tsval = random_corner(),
		/* A proxy's SYN has one. */
		.tsecr = random_one_in(4) ? random_corner() : 0,
	};
	memset(run, 0, sizeof(*run));
	run->policy = random_policy();
	run->now_ms = random_corner();
	hs_tcb_passive_open(&run->tcb, &syn, &offer, random_corner(),
			    random_corner());
	assert_int_equal(run->tcb.tsecr_ok,
			 run->tcb.tstamp_ok && syn.opts.tsecr == 0);
	run->tcb.rcv_wnd = windows[random_below(ARRAY_SIZE(windows))];
	run->tcb.rcv_wscale = run->tcb.wscale_ok ? (u8)random_below(15) : 0;
	run->tcb.advertised_mss = (u16)(1 + random_below(65535));
	hs_synack_first(&run->tcb, &run->policy, run->now_ms, &actions);
	assert_int_equal(actions.timer, HS_TIMER_SET);
}

/* What holds after every step, whatever it was. */
static void expect_sane(const struct run *run, const struct hs_tcb *before,
			const struct hs_actions *actions)
{
	const struct hs_tcb *tcb = &run->tcb;
	bool replies = actions->reply.flags != 0;

	assert_int_equal(replies, actions->sent != HS_NONE);
	/* Native gets nothing but what may be a cookie's. */
	if (actions->verdict == HS_NATIVE) {
		assert_true(run->policy.native_cookies);
		assert_int_equal(actions->counter,
				 THREEWAY_C_native_cookie_ack);
		assert_false(replies);
	}
	assert_int_equal(tcb->iss, before->iss);
	assert_int_equal(tcb->irs, before->irs);
	assert_int_equal(tcb->state, THREEWAY_SYN_RECEIVED);
	assert_true(tcb->timeouts >= before->timeouts);
	if (actions->timer == HS_TIMER_SET) {
		assert_int_equal(actions->end, HS_NONE);
		assert_true(actions->timer_ms > 0);
		assert_true(actions->timer_ms <= run->policy.rto_max_ms);
	}
}

static void expect_handoff_earned(const struct hs_tcb *tcb,
				  const struct hs_segment *seg,
				  const struct hs_actions *actions)
{
	assert_true(seg->flags & HS_ACK);
	assert_false(seg->flags & (HS_RST | HS_SYN));
	assert_int_equal(seg->ack, tcb->iss + 1);
	assert_true(oracle_acceptable(seg->seq, seg->len, tcb->irs + 1,
				      tcb->rcv_wnd));
	assert_int_equal(actions->sent, HS_NONE);
	assert_int_equal(actions->end, HS_NONE);
	assert_int_equal(actions->counter, HS_NONE);
}

/* At most one answer in each period of the limit. */
static void expect_limited(struct run *run, const struct hs_actions *actions)
{
	if (actions->sent != THREEWAY_C_sent_ack &&
	    actions->sent != THREEWAY_C_sent_synack_duplicate)
		return;
	if (run->answered)
		assert_true(run->now_ms - run->answered_ms >=
			    run->policy.ratelimit_ms);
	run->answered = true;
	run->answered_ms = run->now_ms;
}

/* Return: whether the flow goes on. */
static bool step_segment(struct run *run)
{
	struct hs_segment seg = random_segment(&run->tcb);
	struct hs_tcb before = run->tcb;
	struct hs_tcb again = run->tcb;
	struct hs_actions actions;
	char cell[96];

	snprintf(cell, sizeof(cell), "flags %#04x seq irs%+d ack iss%+d len %u",
		 seg.flags, (int)(seg.seq - before.irs),
		 (int)(seg.ack - before.iss), seg.len);
	arrive_expect(cell, &again, &seg, &run->policy, run->now_ms,
		      oracle(&before, &seg, &run->policy, run->now_ms));

	hs_segment_arrives(&run->tcb, &seg, &run->policy, run->now_ms,
			   &actions);
	expect_tcb_equal(cell, &run->tcb, &again);
	expect_sane(run, &before, &actions);
	expect_limited(run, &actions);
	if (actions.verdict == HS_HANDOFF)
		expect_handoff_earned(&before, &seg, &actions);
	else
		assert_true(actions.counter != HS_NONE ||
			    actions.verdict == HS_COOKIE);
	if (seg.flags & HS_RST)
		assert_true(actions.reply.flags == 0 ||
			    (actions.reply.flags == HS_ACK && actions.counter ==
			     THREEWAY_C_segment_rst_challenged));
	if (actions.reply.flags & HS_RST)
		assert_int_equal(actions.reply.opts.present, 0);
	return actions.verdict != HS_HANDOFF && actions.end == HS_NONE;
}

static bool step_timer(struct run *run)
{
	u32 limit = run->policy.synack_retries;
	struct hs_tcb before = run->tcb;
	struct hs_actions actions;
	u32 left;

	if (run->policy.defer_accept > limit && before.acked)
		limit = run->policy.defer_accept;
	left = hs_retries_left(&run->tcb, &run->policy);
	memset(&actions, 0xa5, sizeof(actions));
	hs_timer_fires(&run->tcb, &run->policy, run->now_ms, &actions);
	expect_sane(run, &before, &actions);
	assert_int_equal(actions.verdict, HS_DROP);
	if (actions.end != HS_NONE) {
		assert_int_equal(actions.end, THREEWAY_C_flows_expired);
		assert_int_equal(actions.sent, HS_NONE);
		assert_int_equal(left, 0);
		return false;
	}
	/* A flow that lives on has a timer. */
	assert_int_equal(actions.timer, HS_TIMER_SET);
	assert_int_equal(run->tcb.timeouts, before.timeouts + 1);
	if (actions.sent == THREEWAY_C_sent_synack_timer) {
		run->timer_copies++;
		assert_int_equal(hs_retries_left(&run->tcb, &run->policy),
				 left - 1);
	} else {
		assert_true(before.acked);
		assert_int_equal(hs_retries_left(&run->tcb, &run->policy),
				 left);
	}
	assert_true(run->timer_copies <= limit);
	return true;
}

static void random_flows(void **state)
{
	u32 rounds = random_rounds(40000);
	u32 steps = 0;

	(void)state;
	random_start();
	while (rounds--) {
		u32 left = 1 + random_below(40);
		bool alive = true;
		struct run run;

		random_flow(&run);
		while (alive && left--) {
			run.now_ms += random_one_in(2) ? random_below(20) :
				      random_below(5000);
			run.policy.accept_queue_full = random_one_in(8);
			alive = random_one_in(6) ? step_timer(&run) :
				step_segment(&run);
			steps++;
		}
	}
	print_message("# %u steps\n", steps);
}

/* The timer alone always ends a flow, after no more copies than allowed. */
static void random_expiry(void **state)
{
	u32 rounds = random_rounds(5000);

	(void)state;
	random_start();
	while (rounds--) {
		struct run run;
		u32 steps = 0;

		random_flow(&run);
		run.tcb.acked = random_one_in(2);
		while (step_timer(&run))
			assert_true(++steps <= 255);
	}
}

static const struct cm_unit_test tests[] = {
	TEST("SR1 RS1 RS2 random flows against the oracle", random_flows),
	TEST("RT6 SR24 SR25 the timer ends every flow", random_expiry),
};

SUITE(random_suite);
