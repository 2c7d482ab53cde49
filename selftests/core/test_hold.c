// SPDX-License-Identifier: GPL-2.0
/* What the lab asks for: frozen states, late answers, lost segments, refusal. */
#include <stdio.h>

#include "core_test.h"

#define GOOD		(ISS + 1)
#define NXT		(IRS + 1)
#define LIFETIME_MS	300000U

static struct hs_policy hold_policy(u8 freeze)
{
	struct hs_policy policy = fixture_policy();

	policy.hold = true;
	policy.deadline_ms = LIFETIME_MS;
	policy.freeze = freeze;
	return policy;
}

/* What a segment or the timer did, reduced to one line. */
struct step {
	u8 flags;			/* of the reply, 0: none */
	enum threeway_counter counter;
	enum threeway_counter sent;
	enum threeway_counter end;
	u8 state;
	s64 timer_ms;			/* -1: as it was */
};

#define C(name)	THREEWAY_C_##name
#define KEPT	-1

static void expect_step(const char *cell, const struct hs_tcb *tcb,
			const struct hs_actions *actions,
			const struct step *want)
{
	const struct step got = {
		.flags = actions->lost ? 0 : actions->reply.flags,
		.counter = actions->counter,
		.sent = actions->lost ? THREEWAY_C_segment_lost : actions->sent,
		.end = actions->end,
		.state = tcb->state,
		.timer_ms = actions->timer == HS_TIMER_SET ?
			    (s64)actions->timer_ms : KEPT,
	};

	assert_int_equal(actions->verdict, HS_DROP);
	if (got.flags != want->flags || got.counter != want->counter ||
	    got.sent != want->sent || got.end != want->end ||
	    got.state != want->state || got.timer_ms != want->timer_ms)
		FAIL("%s: flags %#x counter %d sent %d end %d state %d timer %lld",
		     cell, got.flags, got.counter, got.sent, got.end,
		     got.state, (long long)got.timer_ms);
}

static struct hs_actions arrive(struct hs_tcb *tcb, struct hs_segment seg,
				const struct hs_policy *policy, u32 now_ms)
{
	struct hs_actions actions;

	memset(&actions, 0xa5, sizeof(actions));
	hs_segment_arrives(tcb, &seg, policy, now_ms, &actions);
	return actions;
}

static struct hs_actions timer(struct hs_tcb *tcb,
			       const struct hs_policy *policy, u32 now_ms)
{
	struct hs_actions actions;

	memset(&actions, 0xa5, sizeof(actions));
	hs_timer_fires(tcb, policy, now_ms, &actions);
	return actions;
}

#define EXPECT(cell, tcb, actions, ...)					\
	do {								\
		const struct hs_actions done = (actions);		\
		const struct step wanted = { __VA_ARGS__ };		\
									\
		expect_step(cell, tcb, &done, &wanted);			\
	} while (0)

#define SENT		THREEWAY_SYN_SENT
#define RECEIVED	THREEWAY_SYN_RECEIVED
#define ESTABLISHED	THREEWAY_ESTABLISHED

/* RFC 9293 section 3.10.7.4 for ESTABLISHED, of which no data is taken. */
static void held_answers(void **state)
{
	static const struct {
		u8 flags;
		u32 seq;
		u32 ack;
		u32 data;
		enum outcome want;
	} cells[] = {
		{ HS_ACK, NXT, GOOD, 0, HELD },
		{ HS_ACK | HS_URG, NXT + 5, GOOD, 0, HELD },
		{ HS_ACK | HS_PSH, NXT, GOOD, 5, HELD_ANSWERED },
		{ HS_ACK, NXT + 5, GOOD, 5, HELD_ANSWERED },
		{ HS_ACK, IRS, GOOD, 5, HELD_ANSWERED },
		{ HS_ACK | HS_FIN, NXT, GOOD, 0, HELD_ANSWERED },
		/* fifth: no ACK is dropped, the ACK of nothing is answered */
		{ 0, NXT, 0, 5, HELD },
		{ HS_FIN, NXT, 0, 0, HELD },
		{ HS_ACK, NXT, ISS, 0, HELD },
		{ HS_ACK, NXT, GOOD + 1, 0, HELD_ANSWERED },
		{ HS_ACK, NXT, GOOD + 0x7fffffff, 0, HELD_ANSWERED },
		/* first: a keepalive probe, and what else is outside */
		{ HS_ACK, IRS, GOOD, 0, OUTSIDE },
		{ HS_ACK, NXT + WINDOW, GOOD, 0, OUTSIDE },
		{ 0, IRS, GOOD, 0, OUTSIDE },
		/* second */
		{ HS_RST, NXT, 0, 0, RST_EXACT },
		{ HS_RST | HS_ACK, NXT, ISS, 3, RST_EXACT },
		{ HS_RST | HS_SYN, NXT, 0, 0, RST_EXACT },
		{ HS_RST, NXT + 1, 0, 0, RST_CHALLENGED },
		{ HS_RST, IRS + WINDOW, 0, 0, RST_CHALLENGED },
		{ HS_RST, IRS, 0, 0, RST_IGNORED },
		{ HS_RST, NXT + WINDOW, 0, 0, RST_IGNORED },
		/* fourth, wherever it is */
		{ HS_SYN, IRS, 0, 0, CHALLENGED },
		{ HS_SYN | HS_ACK, IRS, GOOD, 0, CHALLENGED },
		{ HS_SYN, NXT, 0, 0, CHALLENGED },
		{ HS_SYN, IRS + 5000000, 0, 0, CHALLENGED },
		{ HS_SYN | HS_FIN | HS_ACK, NXT + 1, GOOD, 4, CHALLENGED },
	};
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_NONE);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cells); i++) {
		struct hs_tcb tcb = fixture_held(ISS, IRS);
		struct hs_segment seg;
		char cell[32];

		snprintf(cell, sizeof(cell), "segment %zu", i);
		seg = segment(cells[i].flags, cells[i].seq, cells[i].ack,
			      cells[i].data);
		arrive_expect(cell, &tcb, &seg, &policy, 100, cells[i].want);
	}
}

/* One limit for all of the answers of ESTABLISHED. */
static void held_limit(void **state)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_NONE);
	struct hs_tcb tcb = fixture_held(ISS, IRS);
	struct hs_segment seg;

	(void)state;
	seg = segment(HS_ACK, NXT, GOOD, 5);
	arrive_expect("data", &tcb, &seg, &policy, 100, HELD_ANSWERED);
	arrive_expect("data", &tcb, &seg, &policy, 599, HELD);
	seg = segment(HS_SYN, IRS, 0, 0);
	arrive_expect("SYN", &tcb, &seg, &policy, 599, CHALLENGE_LIMITED);
	seg = segment(HS_ACK, IRS, GOOD, 0);
	arrive_expect("old", &tcb, &seg, &policy, 599, OUTSIDE_LIMITED);
	seg = segment(HS_RST, NXT + 1, GOOD, 0);
	arrive_expect("RST", &tcb, &seg, &policy, 599, RST_LIMITED);
	seg = stamped(segment(HS_ACK, NXT, GOOD, 0), TS_RECENT - 1, 0);
	arrive_expect("PAWS", &tcb, &seg, &policy, 599, PAWS_LIMITED);
	arrive_expect("PAWS", &tcb, &seg, &policy, 600, PAWS);
	seg = stamped(segment(HS_ACK, NXT, GOOD, 0), TS_RECENT, 1);
	arrive_expect("TSecr", &tcb, &seg, &policy, 1100, TSECR);
}

/* The three ways to finish, and what the engine says. */
static void finished(void **state)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_NONE);
	struct hs_segment synack = with_options(segment(HS_SYN | HS_ACK, IRS,
							GOOD, 0));
	struct hs_tcb tcb, want;

	(void)state;
	tcb = fixture_syn_sent(ISS);
	want = fixture_held(ISS, IRS);
	want.tsval_last = TS_OFFSET + 100;
	EXPECT("SYN-ACK", &tcb, arrive(&tcb, synack, &policy, 100), HS_ACK,
	       C(flows_held), C(sent_ack), HS_NONE, ESTABLISHED,
	       LIFETIME_MS - 100);
	expect_tcb_equal("SYN-ACK", &tcb, &want);

	tcb = fixture_crossed(ISS, IRS);
	want = fixture_held(ISS, IRS);
	EXPECT("crossed SYN-ACK", &tcb, arrive(&tcb, synack, &policy, 100), 0,
	       C(flows_held), HS_NONE, HS_NONE, ESTABLISHED,
	       LIFETIME_MS - 100);
	expect_tcb_equal("crossed SYN-ACK", &tcb, &want);

	tcb = fixture_tcb(ISS, IRS);
	want = tcb;
	want.state = ESTABLISHED;
	tcb.acked = true;
	EXPECT("ACK with data", &tcb,
	       arrive(&tcb, segment(HS_ACK, NXT, GOOD, 9), &policy, 100), 0,
	       C(flows_held), HS_NONE, HS_NONE, ESTABLISHED,
	       LIFETIME_MS - 100);
	expect_tcb_equal("ACK with data", &tcb, &want);
	assert_int_equal(hs_retries_left(&tcb, &policy), 0);
}

/* Each of the 256 sets of flags, where a state is frozen: nothing happens. */
static void expect_frozen(const struct hs_tcb *flow, u8 freeze)
{
	struct hs_policy policy = hold_policy(freeze);
	u32 flags, data;

	for (flags = 0; flags < 256; flags++)
		for (data = 0; data < 4; data += 3) {
			struct hs_tcb tcb = *flow;
			struct hs_segment seg;

			seg = segment((u8)flags, NXT, GOOD, data);
			arrive_expect("frozen", &tcb, &seg, &policy, 100,
				      FROZEN);
			seg = segment((u8)flags, IRS, ISS, data);
			arrive_expect("frozen", &tcb, &seg, &policy, 100,
				      FROZEN);
		}
}

static void frozen_syn_sent(void **state)
{
	static const u32 want_s[] = { 1, 3, 7, 15, 31, 63 };
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_SYN_SENT);
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	u32 at_ms = 1000;
	size_t i;

	(void)state;
	expect_frozen(&tcb, policy.freeze);
	for (i = 0; i < ARRAY_SIZE(want_s); i++) {
		assert_int_equal(at_ms, want_s[i] * 1000);
		EXPECT("copy", &tcb, timer(&tcb, &policy, at_ms), HS_SYN,
		       HS_NONE, C(sent_syn_timer), HS_NONE, SENT,
		       2000 << i);
		at_ms += 2000U << i;
	}
	assert_int_equal(hs_retries_left(&tcb, &policy), 0);
	EXPECT("rest", &tcb, timer(&tcb, &policy, 127000), 0, HS_NONE, HS_NONE,
	       HS_NONE, SENT, LIFETIME_MS - 127000);
	EXPECT("early", &tcb, timer(&tcb, &policy, LIFETIME_MS - 1), 0, HS_NONE,
	       HS_NONE, HS_NONE, SENT, 1);
	EXPECT("end", &tcb, timer(&tcb, &policy, LIFETIME_MS), 0, HS_NONE,
	       HS_NONE, C(flows_lifetime), SENT, KEPT);
}

static void frozen_syn_received(void **state)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_SYN_RECEIVED);
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_actions actions;

	(void)state;
	expect_frozen(&tcb, policy.freeze);
	/* Passive: one SYN-ACK, and nothing until the end. */
	hs_synack_first(&tcb, &policy, 0, &actions);
	assert_int_equal(actions.reply.flags, HS_SYN | HS_ACK);
	assert_int_equal(actions.timer_ms, LIFETIME_MS);
	assert_int_equal(hs_retries_left(&tcb, &policy), 0);
	EXPECT("rest", &tcb, timer(&tcb, &policy, 200000), 0, HS_NONE, HS_NONE,
	       HS_NONE, RECEIVED, 100000);
	EXPECT("end", &tcb, timer(&tcb, &policy, LIFETIME_MS), 0, HS_NONE,
	       HS_NONE, C(flows_lifetime), RECEIVED, KEPT);
	/* Active: the crossing SYN is answered, and the copies of ours end. */
	tcb = fixture_syn_sent(ISS);
	EXPECT("SYN", &tcb, arrive(&tcb, segment(HS_SYN, IRS, 0, 0), &policy,
				   10), HS_SYN | HS_ACK, C(segment_syn_crossed),
	       C(sent_synack_crossed), HS_NONE, RECEIVED, KEPT);
	expect_frozen(&tcb, policy.freeze);
	EXPECT("rest", &tcb, timer(&tcb, &policy, 1000), 0, HS_NONE, HS_NONE,
	       HS_NONE, RECEIVED, LIFETIME_MS - 1000);
	/* A SYN-ACK does not lead there. */
	tcb = fixture_syn_sent(ISS);
	EXPECT("SYN-ACK", &tcb,
	       arrive(&tcb, segment(HS_SYN | HS_ACK, IRS, GOOD, 0), &policy,
		      10), HS_ACK, C(flows_held), C(sent_ack), HS_NONE,
	       ESTABLISHED, LIFETIME_MS - 10);
}

static void frozen_final_ack(void **state)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_FINAL_ACK);
	static const struct {
		u8 flags;
		u32 seq;
	} finals[] = {
		{ HS_SYN | HS_ACK, IRS }, { HS_ACK, NXT },
		{ HS_ACK | HS_FIN, NXT },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(finals); i++) {
		struct hs_segment seg = segment(finals[i].flags, finals[i].seq,
						GOOD, 0);
		struct hs_tcb tcb = fixture_syn_sent(ISS);

		if (!i)
			arrive_expect("SYN-SENT", &tcb, &seg, &policy, 100,
				      FROZEN);
		tcb = fixture_crossed(ISS, IRS);
		arrive_expect("crossed", &tcb, &seg, &policy, 100, FROZEN);
		EXPECT("copy", &tcb, timer(&tcb, &policy, 1000),
		       HS_SYN | HS_ACK, HS_NONE, C(sent_synack_timer), HS_NONE,
		       RECEIVED, 2000);
		tcb.timeouts = 6;
		EXPECT("gives up", &tcb, timer(&tcb, &policy, 127000), 0,
		       HS_NONE, HS_NONE, C(flows_timed_out), RECEIVED, KEPT);
		tcb = fixture_tcb(ISS, IRS);
		if (i)
			arrive_expect("passive", &tcb, &seg, &policy, 100,
				      FROZEN);
		tcb.timeouts = 5;
		EXPECT("expires", &tcb, timer(&tcb, &policy, 63000), 0, HS_NONE,
		       HS_NONE, C(flows_expired), RECEIVED, KEPT);
	}
}

/* What does not finish the handshake is treated as ever. */
static void final_ack_alone(void **state)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_FINAL_ACK);
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_segment seg;

	(void)state;
	seg = segment(HS_ACK, IRS, ISS, 0);
	arrive_expect("bad ACK", &tcb, &seg, &policy, 100, BAD_ACK_SOON);
	seg = with_options(segment(HS_SYN, IRS, 0, 0));
	arrive_expect("SYN", &tcb, &seg, &policy, 100, CROSSED);
	arrive_expect("SYN again", &tcb, &seg, &policy, 100, CHALLENGED);
	seg = segment(HS_RST, NXT, 0, 0);
	arrive_expect("RST", &tcb, &seg, &policy, 100, REFUSED_EXACT);
}

/* RST in the peer's eyes exact, whether it is in SYN-SENT or SYN-RECEIVED. */
static void expect_refusal(const struct hs_actions *actions)
{
	const struct hs_reply want = {
		.seq = GOOD, .ack = NXT, .flags = HS_RST | HS_ACK,
	};

	expect_reply_equal("refusal", &actions->reply, &want);
	assert_int_equal(actions->sent, THREEWAY_C_sent_rst);
	assert_int_equal(actions->end, THREEWAY_C_flows_refusing);
}

static void refuses(void **state)
{
	static const u8 flags[] = { HS_SYN | HS_ACK, HS_SYN };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct hs_policy policy = hold_policy(THREEWAY_FREEZE_REFUSE);
		struct hs_segment seg = segment(flags[i], IRS, GOOD, 0);
		struct hs_tcb tcb = fixture_syn_sent(ISS);
		struct hs_actions actions;

		actions = arrive(&tcb, seg, &policy, 100);
		assert_int_equal(actions.verdict, HS_DROP);
		assert_int_equal(actions.counter, THREEWAY_C_segment_frozen);
		expect_refusal(&actions);
		/* and late */
		policy.delay_ms = 5000;
		tcb = fixture_syn_sent(ISS);
		EXPECT("held back", &tcb, arrive(&tcb, seg, &policy, 100), 0,
		       C(segment_frozen), HS_NONE, HS_NONE, SENT, 5000);
		expect_frozen(&tcb, policy.freeze);
		actions = timer(&tcb, &policy, 5100);
		assert_int_equal(actions.counter, HS_NONE);
		expect_refusal(&actions);
	}
}

static void refuses_a_syn(void **state)
{
	struct hs_segment seg = segment(HS_SYN | HS_FIN, 0xffffffff, 0, 3);
	const struct hs_reply want = { .ack = 4, .flags = HS_RST | HS_ACK };
	struct hs_actions actions;

	(void)state;
	memset(&actions, 0xa5, sizeof(actions));
	hs_listen_refuse(&seg, &actions);
	assert_int_equal(actions.verdict, HS_DROP);
	assert_int_equal(actions.counter, THREEWAY_C_segment_frozen);
	assert_int_equal(actions.sent, THREEWAY_C_sent_rst);
	assert_int_equal(actions.end, HS_NONE);
	assert_int_equal(actions.timer, HS_TIMER_KEEP);
	expect_reply_equal("closed port", &actions.reply, &want);
}

static void late_synack(void **state)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_NONE);
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_actions actions;

	(void)state;
	policy.delay_ms = 7000;
	tcb.segments_sent = 0;
	tcb.opened_ms = 0x80000000;
	hs_synack_first(&tcb, &policy, 0, &actions);
	EXPECT("nothing yet", &tcb, actions, 0, HS_NONE, HS_NONE, HS_NONE,
	       RECEIVED, 7000);
	expect_frozen(&tcb, policy.freeze);
	EXPECT("late", &tcb, timer(&tcb, &policy, 7000), HS_SYN | HS_ACK,
	       HS_NONE, C(sent_synack), HS_NONE, RECEIVED, 1000);
	assert_int_equal(tcb.tsval_first, TS_OFFSET + 7000);
	assert_int_equal(tcb.timeouts, 0);
	assert_int_equal(tcb.retransmits, 0);
	assert_false(tcb.delayed);
	EXPECT("copy", &tcb, timer(&tcb, &policy, 8000), HS_SYN | HS_ACK,
	       HS_NONE, C(sent_synack_timer), HS_NONE, RECEIVED, 2000);
	/* What finishes it is not answered, so not late. */
	EXPECT("ACK", &tcb, arrive(&tcb, segment(HS_ACK, NXT, GOOD, 0), &policy,
				   8100), 0, C(flows_held), HS_NONE, HS_NONE,
	       ESTABLISHED, LIFETIME_MS - 8100);
}

static void late_ack(void **state)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_NONE);
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_segment seg = with_options(segment(HS_SYN | HS_ACK, IRS,
						     GOOD, 0));
	struct hs_reply want;
	struct hs_actions actions;

	(void)state;
	policy.delay_ms = 7000;
	EXPECT("nothing yet", &tcb, arrive(&tcb, seg, &policy, 100), 0,
	       C(flows_held), HS_NONE, HS_NONE, ESTABLISHED, 7000);
	expect_frozen(&tcb, policy.freeze);
	want = want_ack(&tcb, 7100);
	actions = timer(&tcb, &policy, 7100);
	EXPECT("late", &tcb, actions, HS_ACK, HS_NONE, C(sent_ack), HS_NONE,
	       ESTABLISHED, LIFETIME_MS - 7100);
	expect_reply_equal("late", &actions.reply, &want);
	/* From now on it answers at once. */
	arrive_expect("SYN-ACK again", &tcb, &seg, &policy, 7200, CHALLENGED);
}

static void late_crossed_synack(void **state)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_NONE);
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_segment seg = with_options(segment(HS_SYN, IRS, 0, 0));

	(void)state;
	policy.delay_ms = 7000;
	EXPECT("nothing yet", &tcb, arrive(&tcb, seg, &policy, 100), 0,
	       C(segment_syn_crossed), HS_NONE, HS_NONE, RECEIVED, 7000);
	expect_frozen(&tcb, policy.freeze);
	EXPECT("late", &tcb, timer(&tcb, &policy, 7100), HS_SYN | HS_ACK,
	       HS_NONE, C(sent_synack_crossed), HS_NONE, RECEIVED, 1000);
	/* The peer may well echo the TSval of the SYN. */
	assert_int_equal(tcb.tsval_first, TS_OFFSET);
	EXPECT("SYN-ACK", &tcb,
	       arrive(&tcb, with_options(segment(HS_SYN | HS_ACK, IRS, GOOD,
						 0)), &policy, 7200), 0,
	       C(flows_held), HS_NONE, HS_NONE, ESTABLISHED,
	       LIFETIME_MS - 7200);
}

static void too_late(void **state)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_NONE);
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_actions actions;

	(void)state;
	policy.delay_ms = 600000;
	hs_synack_first(&tcb, &policy, 0, &actions);
	assert_int_equal(actions.timer_ms, LIFETIME_MS);
	EXPECT("end", &tcb, timer(&tcb, &policy, LIFETIME_MS), 0, HS_NONE,
	       HS_NONE, C(flows_lifetime), RECEIVED, KEPT);
}

/* Asks an active flow for 34 segments, of which it loses those of the mask. */
static void expect_lost(u32 lose)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_NONE);
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_actions actions;
	u32 n;

	policy.lose = lose;
	policy.syn_retries = 255;
	policy.deadline_ms = 0;
	tcb.segments_sent = 0;
	hs_syn_first(&tcb, &policy, 0, &actions);
	for (n = 1; n <= 34; n++) {
		bool lost = n <= 32 && (lose & 1U << (n - 1));

		assert_int_equal(actions.lost, lost);
		assert_int_equal(actions.reply.flags, HS_SYN);
		assert_int_equal(actions.sent, n == 1 ?
				 THREEWAY_C_sent_syn :
				 THREEWAY_C_sent_syn_timer);
		/* As if the network had lost it. */
		assert_int_equal(tcb.retransmits, n - 1);
		assert_int_equal(tcb.segments_sent, n);
		assert_int_equal(actions.timer, HS_TIMER_SET);
		actions = timer(&tcb, &policy, n * 1000);
	}
}

static void lost(void **state)
{
	u32 n;

	(void)state;
	expect_lost(0);
	expect_lost(0xffffffff);
	expect_lost(0x55555555);
	for (n = 0; n < 32; n++)
		expect_lost(1U << n);
}

/* Every kind of answer counts, and can be lost. */
static void lost_answers(void **state)
{
	static const struct {
		struct hs_tcb (*flow)(u32 iss, u32 irs);
		u8 flags;
		u32 seq;
		u32 ack;
	} cells[] = {
		{ fixture_tcb, HS_SYN, IRS, 0 },
		{ fixture_tcb, HS_ACK, NXT, ISS },
		{ fixture_tcb, HS_SYN, NXT, 0 },
		{ fixture_tcb, HS_ACK, IRS - 100, GOOD },
		{ fixture_crossed, HS_SYN, IRS, 0 },
		{ fixture_crossed, HS_ACK, NXT, ISS },
		{ fixture_held, HS_SYN | HS_ACK, IRS, GOOD },
		{ fixture_held, HS_ACK, NXT, GOOD },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cells); i++) {
		struct hs_policy policy = hold_policy(THREEWAY_FREEZE_NONE);
		struct hs_tcb tcb = cells[i].flow(ISS, IRS);
		struct hs_tcb again = tcb;
		struct hs_segment seg = segment(cells[i].flags, cells[i].seq,
						cells[i].ack, 7);
		struct hs_actions sent, actions;

		sent = arrive(&again, seg, &policy, 100);
		assert_true(sent.reply.flags);
		policy.lose = 1U << tcb.segments_sent;
		actions = arrive(&tcb, seg, &policy, 100);
		EXPECT("lost", &tcb, actions, 0, sent.counter, C(segment_lost),
		       sent.end, sent.end == HS_NONE ? again.state : tcb.state,
		       sent.timer == HS_TIMER_SET ? (s64)sent.timer_ms : KEPT);
		expect_tcb_equal("lost", &tcb, &again);
	}
}

static void lost_at_the_end(void **state)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_NONE);
	struct hs_tcb tcb = fixture_held(ISS, IRS);

	(void)state;
	policy.lose = 1U << tcb.segments_sent;
	EXPECT("end", &tcb, timer(&tcb, &policy, LIFETIME_MS), 0, HS_NONE,
	       C(segment_lost), C(flows_lifetime), ESTABLISHED, KEPT);
}

/* Silence before the handshake is complete, RST afterwards. */
static void lifetime(void **state)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_NONE);
	struct hs_tcb tcb;
	struct hs_actions actions;
	struct hs_reply abort_reply;

	(void)state;
	policy.deadline_ms = 2500;
	tcb = fixture_syn_sent(ISS);
	EXPECT("SYN copy", &tcb, timer(&tcb, &policy, 1000), HS_SYN, HS_NONE,
	       C(sent_syn_timer), HS_NONE, SENT, 1500);
	EXPECT("SYN-SENT", &tcb, timer(&tcb, &policy, 2500), 0, HS_NONE,
	       HS_NONE, C(flows_lifetime), SENT, KEPT);
	tcb = fixture_tcb(ISS, IRS);
	EXPECT("SYN-RECEIVED", &tcb, timer(&tcb, &policy, 2500), 0, HS_NONE,
	       HS_NONE, C(flows_lifetime), RECEIVED, KEPT);
	tcb = fixture_held(ISS, IRS);
	actions = timer(&tcb, &policy, 2500);
	EXPECT("ESTABLISHED", &tcb, actions, HS_RST | HS_ACK, HS_NONE,
	       C(sent_rst), C(flows_lifetime), ESTABLISHED, KEPT);
	memset(&abort_reply, 0xa5, sizeof(abort_reply));
	hs_held_abort(&tcb, &abort_reply);
	assert_int_equal(abort_reply.seq, GOOD);
	assert_int_equal(abort_reply.ack, NXT);
	assert_int_equal(abort_reply.flags, HS_RST | HS_ACK);
	assert_int_equal(abort_reply.wnd, 0);
	assert_int_equal(abort_reply.opts.present, 0);
	expect_reply_equal("abort", &actions.reply, &abort_reply);
	/* Finished past its end, and longer after a change. */
	tcb = fixture_crossed(ISS, IRS);
	EXPECT("overdue", &tcb, arrive(&tcb, segment(HS_ACK, NXT, GOOD, 0),
				       &policy, 2600), 0, C(flows_held),
	       HS_NONE, HS_NONE, ESTABLISHED, 0);
	policy.deadline_ms = 4000;
	EXPECT("longer", &tcb, timer(&tcb, &policy, 2600), 0, HS_NONE, HS_NONE,
	       HS_NONE, ESTABLISHED, 1400);
	EXPECT("end", &tcb, timer(&tcb, &policy, 4000), HS_RST | HS_ACK,
	       HS_NONE, C(sent_rst), C(flows_lifetime), ESTABLISHED, KEPT);
}

/* Without a lifetime the timer must not spin. */
static void no_lifetime(void **state)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_SYN_SENT);
	struct hs_tcb tcb = fixture_held(ISS, IRS);

	(void)state;
	policy.deadline_ms = 0;
	EXPECT("ESTABLISHED", &tcb, timer(&tcb, &policy, 5000), 0, HS_NONE,
	       HS_NONE, HS_NONE, ESTABLISHED, 120000);
	tcb = fixture_syn_sent(ISS);
	tcb.timeouts = 6;
	EXPECT("frozen", &tcb, timer(&tcb, &policy, 127000), 0, HS_NONE,
	       HS_NONE, HS_NONE, SENT, 120000);
	tcb = fixture_crossed(ISS, IRS);
	EXPECT("finished", &tcb, arrive(&tcb, segment(HS_ACK, NXT, GOOD, 0),
					&policy, 100), 0, C(flows_held),
	       HS_NONE, HS_NONE, ESTABLISHED, 120000);
}

static void lifetime_wraps(void **state)
{
	struct hs_policy policy = hold_policy(THREEWAY_FREEZE_NONE);
	struct hs_tcb tcb = fixture_held(ISS, IRS);

	(void)state;
	policy.deadline_ms = 86400000;
	tcb.opened_ms = 0U - 1000;
	EXPECT("day", &tcb, timer(&tcb, &policy, 5000), 0, HS_NONE, HS_NONE,
	       HS_NONE, ESTABLISHED, 86394000);
	EXPECT("end", &tcb, timer(&tcb, &policy, 86399000), HS_RST | HS_ACK,
	       HS_NONE, C(sent_rst), C(flows_lifetime), ESTABLISHED, KEPT);
}

static const struct cm_unit_test tests[] = {
	TEST("SM2 SM3 SS1 SR1 held: finished in each of the ways", finished),
	TEST("SS15 SQ4 RS2 held: what ESTABLISHED answers", held_answers),
	TEST("RS3 RS4 held: one limit for all answers", held_limit),
	TEST("RT1 SS frozen in SYN-SENT: deaf, all copies, then rest",
	     frozen_syn_sent),
	TEST("SR SM frozen in SYN-RECEIVED: one answer, deaf, no copies",
	     frozen_syn_received),
	TEST("SM7 SR24 the final ACK ignored: copies, and the end",
	     frozen_final_ack),
	TEST("SM6 SM4 SS2 the final ACK ignored: all else as ever",
	     final_ack_alone),
	TEST("SS5 SM4 refusing SYN-ACK and crossing SYN, at once and late",
	     refuses),
	TEST("CL2 CL4 refusing a SYN as a closed port does", refuses_a_syn),
	TEST("SR24 the SYN-ACK late", late_synack),
	TEST("SS1 SS15 the ACK of the SYN-ACK late", late_ack),
	TEST("SM1 SM3 SS12 the SYN-ACK to a crossing SYN late",
	     late_crossed_synack),
	TEST("TM1 an answer later than the lifetime", too_late),
	TEST("RT8 RT12 the n-th segment lost", lost),
	TEST("SM15 every kind of answer lost", lost_answers),
	TEST("SM15 the RST at the end of the lifetime lost", lost_at_the_end),
	TEST("TM1 LC the lifetime: silence, or RST when complete", lifetime),
	TEST("TM3 without a lifetime the timer does not spin", no_lifetime),
	TEST("TM4 the clock wraps in the lifetime", lifetime_wraps),
};

SUITE(hold_suite);
