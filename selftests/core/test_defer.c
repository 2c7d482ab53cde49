// SPDX-License-Identifier: GPL-2.0
/* TCP_DEFER_ACCEPT by a simulated clock. */
#include "core_test.h"

#define GOOD	(ISS + 1)
#define NXT	(IRS + 1)

struct flow {
	struct hs_tcb tcb;
	struct hs_policy policy;
	u32 now_ms;
	u32 timer_ms;	/* when it fires */
};

static struct flow start(u8 defer_accept, u8 retries)
{
	struct flow flow = {
		.tcb = fixture_tcb(ISS, IRS), .policy = fixture_policy(),
	};
	struct hs_actions actions;

	flow.policy.defer_accept = defer_accept;
	flow.policy.synack_retries = retries;
	hs_synack_first(&flow.tcb, &flow.policy, 0, &actions);
	flow.timer_ms = actions.timer_ms;
	return flow;
}

enum expiry { COPY, SILENT, GONE };

/* Advances to the next expiry, which must be at @at_s and do @want. */
static void expect_expiry(struct flow *flow, u32 at_s, enum expiry want)
{
	struct hs_actions actions;
	enum expiry got = SILENT;

	flow->now_ms = flow->timer_ms;
	memset(&actions, 0xa5, sizeof(actions));
	hs_timer_fires(&flow->tcb, &flow->policy, flow->now_ms, &actions);
	if (actions.end == THREEWAY_C_flows_expired) {
		got = GONE;
		assert_int_equal(actions.timer, HS_TIMER_KEEP);
	} else {
		assert_int_equal(actions.end, HS_NONE);
		assert_int_equal(actions.timer, HS_TIMER_SET);
		flow->timer_ms += actions.timer_ms;
	}
	if (actions.sent == THREEWAY_C_sent_synack_timer) {
		got = COPY;
		assert_int_equal(actions.reply.flags, HS_SYN | HS_ACK);
	} else {
		assert_int_equal(actions.sent, HS_NONE);
		assert_int_equal(actions.reply.flags, 0);
	}
	if (flow->now_ms != at_s * 1000 || got != want)
		FAIL("expiry at %u ms did %d, not %d at %u s", flow->now_ms,
		     got, want, at_s);
}

static void expect_arrival(struct flow *flow, u8 flags, u32 data,
			   enum outcome want)
{
	struct hs_segment seg = segment(flags, NXT, GOOD, data);

	arrive_expect("DEFER_ACCEPT", &flow->tcb, &seg, &flow->policy,
		      flow->now_ms + 1, want);
}

static void whole_story(void **state)
{
	struct flow flow = start(3, 5);

	(void)state;
	expect_arrival(&flow, HS_ACK, 0, DEFERRED);
	assert_int_equal(hs_retries_left(&flow.tcb, &flow.policy), 3);
	expect_expiry(&flow, 1, SILENT);
	expect_arrival(&flow, HS_ACK, 0, DEFERRED);
	expect_expiry(&flow, 3, SILENT);
	expect_arrival(&flow, HS_ACK | HS_PSH, 0, DEFERRED);
	assert_int_equal(hs_retries_left(&flow.tcb, &flow.policy), 3);
	/* The last of the period asks once more; the answer completes. */
	expect_expiry(&flow, 7, COPY);
	assert_int_equal(hs_retries_left(&flow.tcb, &flow.policy), 2);
	expect_arrival(&flow, HS_ACK, 0, HANDOFF);
}

static void without_answer(void **state)
{
	struct flow flow = start(3, 5);

	(void)state;
	expect_arrival(&flow, HS_ACK, 0, DEFERRED);
	expect_expiry(&flow, 1, SILENT);
	expect_expiry(&flow, 3, SILENT);
	expect_expiry(&flow, 7, COPY);
	expect_expiry(&flow, 15, COPY);
	expect_expiry(&flow, 31, COPY);
	expect_expiry(&flow, 63, GONE);
}

/* A period longer than the retries keeps an acknowledged flow. */
static void longer_than_retries(void **state)
{
	struct flow flow = start(4, 1);

	(void)state;
	expect_arrival(&flow, HS_ACK, 0, DEFERRED);
	assert_int_equal(hs_retries_left(&flow.tcb, &flow.policy), 1);
	expect_expiry(&flow, 1, SILENT);
	expect_expiry(&flow, 3, SILENT);
	expect_expiry(&flow, 7, SILENT);
	assert_int_equal(hs_retries_left(&flow.tcb, &flow.policy), 1);
	expect_expiry(&flow, 15, COPY);
	assert_int_equal(hs_retries_left(&flow.tcb, &flow.policy), 0);
	expect_expiry(&flow, 31, GONE);
}

static void not_acknowledged(void **state)
{
	struct flow flow = start(4, 2);

	(void)state;
	assert_int_equal(hs_retries_left(&flow.tcb, &flow.policy), 2);
	expect_expiry(&flow, 1, COPY);
	expect_expiry(&flow, 3, COPY);
	expect_expiry(&flow, 7, GONE);
}

static void one_expiry(void **state)
{
	struct flow flow = start(1, 5);

	(void)state;
	expect_arrival(&flow, HS_ACK, 0, DEFERRED);
	/* Nothing of the period is silent. */
	expect_expiry(&flow, 1, COPY);
	expect_arrival(&flow, HS_ACK, 0, HANDOFF);
}

static void data_completes(void **state)
{
	struct flow flow = start(3, 5);

	(void)state;
	expect_arrival(&flow, HS_ACK, 1, HANDOFF);
	expect_arrival(&flow, HS_ACK | HS_FIN, 0, HANDOFF);
	expect_arrival(&flow, HS_ACK, 0, DEFERRED);
	expect_expiry(&flow, 1, SILENT);
	expect_arrival(&flow, HS_ACK, 1, HANDOFF);
}

/* Only what ends at RCV.NXT is bare: an ACK further on is about data. */
static void bare_means_at_rcv_nxt(void **state)
{
	struct flow flow = start(3, 5);
	struct hs_segment seg = segment(HS_ACK, NXT + 10, GOOD, 0);

	(void)state;
	arrive_expect("beyond", &flow.tcb, &seg, &flow.policy, 10, HANDOFF);
	seg = segment(HS_ACK, IRS, GOOD, 4);
	arrive_expect("overlap", &flow.tcb, &seg, &flow.policy, 10, HANDOFF);
}

static void duplicate_syn_answered(void **state)
{
	struct flow flow = start(3, 5);
	struct hs_segment seg = segment(HS_SYN, IRS, 0, 0);

	(void)state;
	expect_arrival(&flow, HS_ACK, 0, DEFERRED);
	arrive_expect("SYN", &flow.tcb, &seg, &flow.policy, 10, SYNACK);
}

static void queue_full_afterwards(void **state)
{
	struct flow flow = start(2, 5);

	(void)state;
	flow.policy.accept_queue_full = true;
	/* A bare ACK is deferred first; nobody asks for room. */
	flow.policy.abort_on_overflow = true;
	expect_arrival(&flow, HS_ACK, 0, DEFERRED);
	expect_arrival(&flow, HS_ACK, 1, OVERFLOW_RESET);
	flow.policy.abort_on_overflow = false;
	expect_arrival(&flow, HS_ACK, 1, QUEUE_FULL);
}

static void most(void **state)
{
	struct flow flow = start(255, 255);
	struct hs_actions actions;
	u32 copies = 0;
	u32 n = 0;

	(void)state;
	expect_arrival(&flow, HS_ACK, 0, DEFERRED);
	do {
		hs_timer_fires(&flow.tcb, &flow.policy, 0, &actions);
		copies += actions.sent == THREEWAY_C_sent_synack_timer;
		assert_true(++n <= 256);
	} while (actions.end == HS_NONE);
	assert_int_equal(n, 256);
	assert_int_equal(copies, 1);
}

static const struct cm_unit_test tests[] = {
	TEST("SR25 a bare ACK waits, the last copy's ACK completes",
	     whole_story),
	TEST("SR25 no data ever: copies after the period, then gone",
	     without_answer),
	TEST("SR25 a period longer than the retries", longer_than_retries),
	TEST("SR25 without an ACK the schedule is the usual one",
	     not_acknowledged),
	TEST("SR25 TM8 a period of one expiry", one_expiry),
	TEST("SR25 data or FIN completes at once", data_completes),
	TEST("SR25 only an ACK at RCV.NXT is bare", bare_means_at_rcv_nxt),
	TEST("SR25 SR3 a duplicate SYN is answered while deferred",
	     duplicate_syn_answered),
	TEST("SR25 SR26 deferring comes before the accept queue",
	     queue_full_afterwards),
	TEST("SR25 255 expiries end", most),
};

SUITE(defer_suite);
