// SPDX-License-Identifier: GPL-2.0
/* SYN-RECEIVED: stories of more than one segment, and what the matrix lacks. */
#include "core_test.h"

#define GOOD	(ISS + 1)
#define NXT	(IRS + 1)

static struct hs_actions timer(struct hs_tcb *tcb,
			       const struct hs_policy *policy, u32 now_ms)
{
	struct hs_actions actions;

	memset(&actions, 0xa5, sizeof(actions));
	hs_timer_fires(tcb, policy, now_ms, &actions);
	return actions;
}

static void bad_ack_keeps_flow(void **state)
{
	static const u32 bad[] = { ISS - 1, ISS, ISS + 2, ISS + 0x80000000 };
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_policy policy = fixture_policy();
	struct hs_segment seg;
	size_t i;
	u32 data;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		for (data = 0; data <= 3; data += 3) {
			/* No rate limit: each is answered at once. */
			seg = segment(HS_ACK, NXT, bad[i], data);
			arrive_expect("bad ACK", &tcb, &seg, &policy, 10,
				      BAD_ACK);
		}
	seg = segment(HS_ACK, NXT, GOOD, 0);
	arrive_expect("good ACK", &tcb, &seg, &policy, 10, HANDOFF);
}

struct ack_cell {
	u8 flags;
	u32 seq;
	u32 ack;
	u32 data;
	enum outcome want;
};

static void expect_cells(const char *what, const struct ack_cell *cells,
			 size_t count, const struct hs_policy *policy)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct hs_tcb tcb = fixture_tcb(ISS, IRS);
		struct hs_segment seg;

		seg = segment(cells[i].flags, cells[i].seq, cells[i].ack,
			      cells[i].data);
		arrive_expect(what, &tcb, &seg, policy, 10, cells[i].want);
	}
}

/* Such an ACK may answer a cookie: only the native stack can tell. */
static void native_cookies(void **state)
{
	static const struct ack_cell cells[] = {
		{ HS_ACK, NXT, ISS, 0, COOKIE_ACK },
		{ HS_ACK | HS_PSH, NXT, ISS + 2, 10, COOKIE_ACK },
		{ HS_ACK | HS_FIN, NXT, ISS - 1, 0, COOKIE_ACK },
		{ HS_ACK, IRS - 100000, ISS + 0x80000000, 0, COOKIE_ACK },
		/* No cookie is answered by a SYN or a RST, or without ACK. */
		{ HS_SYN | HS_ACK, NXT, ISS, 0, BAD_ACK },
		{ HS_RST | HS_ACK, NXT, ISS, 0, RST_EXACT },
		{ HS_RST | HS_ACK, IRS, ISS, 0, RST_IGNORED },
		{ HS_FIN, NXT, ISS, 0, NO_ACK },
		{ HS_SYN, IRS, ISS, 0, SYNACK },
		/* The right ACK is the engine's as ever. */
		{ HS_ACK, NXT, GOOD, 0, HANDOFF },
		{ HS_ACK, IRS, GOOD, 0, OUTSIDE },
	};
	struct hs_policy policy = fixture_policy();

	(void)state;
	policy.native_cookies = true;
	expect_cells("native cookies", cells, ARRAY_SIZE(cells), &policy);
}

/* A cookie that the same SYN got: the peer has one SYN-ACK, and that is it. */
static void cookie_back(void **state)
{
	static const struct ack_cell cells[] = {
		{ HS_ACK, NXT, ISS, 0, COOKIE_BACK },
		{ HS_ACK | HS_PSH, NXT, ISS + 2, 10, COOKIE_BACK },
		{ HS_ACK | HS_FIN, NXT, ISS + 0x80000000, 0, COOKIE_BACK },
		{ HS_SYN | HS_ACK, NXT, ISS, 0, BAD_ACK },
		{ HS_RST | HS_ACK, NXT, ISS, 0, RST_EXACT },
		{ HS_FIN, NXT, ISS, 0, NO_ACK },
		{ HS_SYN, IRS, ISS, 0, SYNACK },
		/* the flow's own SYN-ACK counts more */
		{ HS_ACK, NXT, GOOD, 0, HANDOFF },
	};
	static const struct ack_cell of_another_syn[] = {
		{ HS_ACK, NXT + 1, ISS, 0, BAD_ACK },
		{ HS_ACK, IRS, ISS, 0, BAD_ACK },
	};
	struct hs_policy policy = fixture_policy();

	(void)state;
	policy.cookie_back = true;
	expect_cells("another SYN's cookie back", of_another_syn,
		     ARRAY_SIZE(of_another_syn), &policy);
	expect_cells("cookie back", cells, ARRAY_SIZE(cells), &policy);
	/* it is certain, the native stack's is not */
	policy.native_cookies = true;
	expect_cells("both cookies", cells, ARRAY_SIZE(cells), &policy);
}

static void rst_has_nothing_else(void **state)
{
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_policy policy = fixture_policy();
	struct hs_segment seg;
	struct hs_actions actions;

	(void)state;
	seg = stamped(segment(HS_ACK | HS_PSH, NXT, 0x12345678, 10), TS_RECENT,
		      TS_OFFSET);
	hs_segment_arrives(&tcb, &seg, &policy, 0, &actions);
	assert_int_equal(actions.reply.flags, HS_RST);
	assert_int_equal(actions.reply.seq, 0x12345678);
	assert_int_equal(actions.reply.ack, 0);
	assert_int_equal(actions.reply.wnd, 0);
	assert_int_equal(actions.reply.opts.present, 0);
}

/* A client that starts anew from its old port: ACK, RST, SYN, and it works. */
static void restarted_client(void **state)
{
	const struct hs_offer offer = { .default_mss = 536 };
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_policy policy = fixture_policy();
	u32 irs2 = IRS + 0x10000000;
	struct hs_segment seg;

	(void)state;
	seg = segment(HS_SYN, irs2, 0, 0);
	arrive_expect("new SYN", &tcb, &seg, &policy, 5000, OUTSIDE);
	seg = segment(HS_RST, NXT, 0, 0);
	arrive_expect("RST", &tcb, &seg, &policy, 5010, RST_EXACT);

	seg = segment(HS_SYN, irs2, 0, 0);
	hs_tcb_passive_open(&tcb, &seg, &offer, ISS + 5000000, 0);
	tcb.rcv_wnd = WINDOW;
	tcb.rcv_wscale = 0;
	seg = segment(HS_ACK, irs2 + 1, ISS + 5000001, 0);
	arrive_expect("ACK", &tcb, &seg, &policy, 6010, HANDOFF);
}

static void old_duplicate_syn(void **state)
{
	struct hs_tcb tcb = fixture_tcb(ISS, 90);
	struct hs_policy policy = fixture_policy();
	struct hs_segment seg = segment(HS_RST, 91, 0, 0);

	(void)state;
	arrive_expect("RST", &tcb, &seg, &policy, 20, RST_EXACT);
}

static void duplicate_syn_keeps_iss(void **state)
{
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_policy policy = fixture_policy();
	struct hs_segment seg = segment(HS_SYN, IRS, 0, 0);
	u32 at;

	(void)state;
	for (at = 600; at < 6000; at += 600)
		arrive_expect("SYN again", &tcb, &seg, &policy, at, SYNACK);
	assert_int_equal(tcb.iss, ISS);
	assert_int_equal(tcb.timeouts, 0);
	assert_int_equal(tcb.retransmits, 9);
}

/* The timer starts anew at the timeout in force, backed off no further. */
static void duplicate_syn_timer(void **state)
{
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_policy policy = fixture_policy();
	struct hs_segment seg = segment(HS_SYN, IRS, 0, 0);
	struct hs_actions actions;

	(void)state;
	hs_segment_arrives(&tcb, &seg, &policy, 600, &actions);
	assert_int_equal(actions.timer, HS_TIMER_SET);
	assert_int_equal(actions.timer_ms, 1000);
	assert_int_equal(timer(&tcb, &policy, 1600).timer_ms, 2000);
	assert_int_equal(timer(&tcb, &policy, 3600).timer_ms, 4000);
	hs_segment_arrives(&tcb, &seg, &policy, 4600, &actions);
	assert_int_equal(actions.timer, HS_TIMER_SET);
	assert_int_equal(actions.timer_ms, 4000);
	assert_int_equal(tcb.timeouts, 2);
}

static void duplicate_syn_other_options(void **state)
{
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_policy policy = fixture_policy();
	struct hs_segment seg;

	(void)state;
	/* What was agreed stays as it was: no ECN, MSS, shift, SACK. */
	seg = stamped(segment(HS_SYN | HS_ECE | HS_CWR, IRS, 0, 0),
		      TS_RECENT + 1000, 0);
	seg.opts.present |= HS_OPT_MSS;
	seg.opts.mss = 9000;
	arrive_expect("other SYN", &tcb, &seg, &policy, 1000, SYNACK);
	tcb.ecn_ok = true;
	seg = segment(HS_SYN, IRS, 0, 0);
	arrive_expect("SYN without ECN", &tcb, &seg, &policy, 2000, SYNACK);
}

static void duplicate_syn_saturates(void **state)
{
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_policy policy = fixture_policy();
	struct hs_segment seg = segment(HS_SYN, IRS, 0, 0);
	u32 i;

	(void)state;
	for (i = 1; i <= 300; i++)
		arrive_expect("SYN again", &tcb, &seg, &policy, i * 500,
			      SYNACK);
	assert_int_equal(tcb.retransmits, 255);
}

static void window_edges(void **state)
{
	static const u32 windows[] = { 1, 2, 1000, 65535 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		u32 end = NXT + windows[i];
		struct {
			u8 flags;
			u32 seq;
			enum outcome want;
		} cells[] = {
			{ HS_ACK, end - 1, HANDOFF },
			{ HS_ACK, end, OUTSIDE },
			{ HS_RST, end, RST_IGNORED },
			{ HS_RST, end - 1, windows[i] == 1 ? RST_EXACT :
			  RST_CHALLENGED },
			{ HS_SYN, end - 1, SYN_RESET },
			{ HS_SYN, end, OUTSIDE },
		};
		size_t j;

		for (j = 0; j < ARRAY_SIZE(cells); j++) {
			struct hs_policy policy = fixture_policy();
			struct hs_tcb tcb = fixture_tcb(ISS, IRS);
			struct hs_segment seg;

			tcb.rcv_wnd = windows[i];
			/* Buffers beyond what was promised do not count. */
			seg = segment(cells[j].flags, cells[j].seq, GOOD, 0);
			arrive_expect("window edge", &tcb, &seg, &policy, 0,
				      cells[j].want);
		}
	}
}

static void zero_window(void **state)
{
	static const struct {
		u8 flags;
		u32 seq;
		u32 data;
		enum outcome want;
	} cells[] = {
		{ HS_RST, NXT, 0, RST_EXACT },
		{ HS_RST | HS_ACK, NXT, 3, RST_EXACT },
		{ HS_RST, NXT + 1, 0, RST_IGNORED },
		{ HS_RST, NXT - 1, 0, RST_IGNORED },
		{ HS_ACK, NXT, 0, HANDOFF },
		{ HS_ACK | HS_URG, NXT, 0, HANDOFF },
		{ HS_ACK, NXT, 1, OUTSIDE },
		{ HS_ACK | HS_FIN, NXT, 0, OUTSIDE },
		{ HS_ACK, NXT + 1, 0, OUTSIDE },
		{ HS_SYN, NXT, 0, OUTSIDE },
		{ HS_SYN, IRS, 0, SYNACK },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cells); i++) {
		struct hs_policy policy = fixture_policy();
		struct hs_tcb tcb = fixture_tcb(ISS, IRS);
		struct hs_segment seg;

		tcb.rcv_wnd = 0;
		seg = segment(cells[i].flags, cells[i].seq, GOOD,
			      cells[i].data);
		arrive_expect("zero window", &tcb, &seg, &policy, 0,
			      cells[i].want);
	}
}

static void left_edge_overlap(void **state)
{
	(void)state;
	expect_at("data from irs", segment(HS_ACK, IRS, GOOD, 4), 0, HANDOFF);
	expect_at("one octet in", segment(HS_ACK, NXT - 9, GOOD, 10), 0,
		  HANDOFF);
	expect_at("none in", segment(HS_ACK, NXT - 9, GOOD, 9), 0, OUTSIDE);
	expect_at("FIN alone in", segment(HS_ACK | HS_FIN, NXT - 9, GOOD, 9),
		  0, HANDOFF);
	/* A SYN is not trimmed off. */
	expect_at("SYN and data", segment(HS_SYN | HS_ACK, IRS, GOOD, 4), 0,
		  OUTSIDE);
	expect_at("older SYN and data", segment(HS_SYN, IRS - 1, 0, 100), 0,
		  OUTSIDE);
}

static void large_segments(void **state)
{
	(void)state;
	/* A merged segment may well be longer than the window. */
	expect_at("65000 octets", segment(HS_ACK, NXT, GOOD, 65000), 0,
		  HANDOFF);
	expect_at("from irs over all", segment(HS_ACK, IRS, GOOD, 65000), 0,
		  OUTSIDE);
}

static void mixed_faults(void **state)
{
	(void)state;
	expect_at("bad ACK, old seq", segment(HS_ACK, IRS - 5, ISS, 0), 0,
		  BAD_ACK);
	expect_at("bad ACK, SYN in window", segment(HS_SYN | HS_ACK, NXT, ISS,
						    0), 0, BAD_ACK);
	expect_at("bad ACK, old TSval",
		  stamped(segment(HS_ACK, NXT, ISS, 0), TS_RECENT - 1,
			  TS_OFFSET), 0, BAD_ACK);
	expect_at("bad ACK, RST", segment(HS_RST | HS_ACK, NXT, ISS, 0), 0,
		  RST_EXACT);
	expect_at("old TSval, RST",
		  stamped(segment(HS_RST, NXT, 0, 0), TS_RECENT - 1, 0), 0,
		  RST_EXACT);
	expect_at("old TSval, out of window",
		  stamped(segment(HS_ACK, IRS, GOOD, 0), TS_RECENT - 1,
			  TS_OFFSET), 0, PAWS);
	expect_at("old TSval, bad TSecr",
		  stamped(segment(HS_ACK, NXT, GOOD, 0), TS_RECENT - 1, 1), 0,
		  PAWS);
	expect_at("bad TSecr, out of window",
		  stamped(segment(HS_ACK, IRS, GOOD, 0), TS_RECENT, 1), 0,
		  TSECR);
	expect_at("old TSval, SYN in window",
		  stamped(segment(HS_SYN, NXT, 0, 0), TS_RECENT - 1, 0), 0,
		  PAWS);
	expect_at("SYN, RST and ACK",
		  segment(HS_SYN | HS_RST | HS_ACK, NXT, ISS, 0), 0,
		  RST_EXACT);
	expect_at("SYN, RST and ACK at irs",
		  segment(HS_SYN | HS_RST | HS_ACK, IRS, GOOD, 0), 0,
		  RST_IGNORED);
}

static void reset_forms(void **state)
{
	static const u32 irs = 0xffffffff;
	struct hs_policy policy = fixture_policy();
	struct hs_segment seg;
	struct hs_actions actions;
	struct hs_tcb tcb;

	(void)state;
	/* SEG.LEN counts SYN, FIN and data, and wraps. */
	tcb = fixture_tcb(ISS, irs - 1);
	seg = segment(HS_SYN | HS_FIN, irs, 0xdeadbeef, 3);
	hs_segment_arrives(&tcb, &seg, &policy, 0, &actions);
	assert_int_equal(actions.reply.flags, HS_RST | HS_ACK);
	assert_int_equal(actions.reply.seq, 0);
	assert_int_equal(actions.reply.ack, 4);
	assert_int_equal(actions.reply.wnd, 0);
	/* With ACK it takes the number from there. */
	tcb = fixture_tcb(0xffffffff, irs - 1);
	seg = segment(HS_SYN | HS_ACK, irs, 0, 3);
	hs_segment_arrives(&tcb, &seg, &policy, 0, &actions);
	assert_int_equal(actions.end, THREEWAY_C_flows_syn_reset);
	assert_int_equal(actions.reply.flags, HS_RST);
	assert_int_equal(actions.reply.seq, 0);
	assert_int_equal(actions.reply.ack, 0);
}

static void ack_zero(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(0xffffffff, IRS);
	struct hs_segment seg = segment(HS_ACK, NXT, 0, 0);

	(void)state;
	arrive_expect("ack 0", &tcb, &seg, &policy, 0, HANDOFF);
}

static void challenge_ack_window(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_segment seg = segment(HS_RST, NXT + 1, 0, 0);
	struct hs_actions actions;
	struct hs_tcb tcb;

	(void)state;
	tcb = fixture_tcb(ISS, IRS);
	tcb.rcv_wnd = 65535;
	tcb.rcv_wscale = 7;
	hs_segment_arrives(&tcb, &seg, &policy, 0, &actions);
	assert_int_equal(actions.reply.wnd, 65535 / 128);
	/* A shift that was not agreed is not used. */
	tcb = fixture_tcb(ISS, IRS);
	tcb.rcv_wnd = 65535;
	tcb.rcv_wscale = 7;
	tcb.wscale_ok = false;
	hs_segment_arrives(&tcb, &seg, &policy, 0, &actions);
	assert_int_equal(actions.reply.wnd, 65535);
}

static void final_window_and_flags(void **state)
{
	static const u16 windows[] = { 0, 1, 0x8000, 65535 };
	static const u8 flags[] = {
		HS_ECE, HS_CWR, HS_ECE | HS_CWR, HS_URG | HS_PSH, HS_PSH,
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		struct hs_segment seg = segment(HS_ACK, NXT, GOOD, 0);

		seg.wnd = windows[i];
		expect_at("window of the final ACK", seg, 0, HANDOFF);
	}
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		expect_at("flags of the final ACK",
			  segment(HS_ACK | flags[i], NXT, GOOD, 1), 0, HANDOFF);
}

static void queue_full(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_segment seg = segment(HS_ACK, NXT, GOOD, 0);
	struct hs_actions actions;

	(void)state;
	policy.accept_queue_full = true;
	arrive_expect("queue full", &tcb, &seg, &policy, 10, QUEUE_FULL);
	assert_true(tcb.acked);
	/* SYN-ACKs go on, and the ACK of one completes once there is room. */
	actions = timer(&tcb, &policy, 1000);
	assert_int_equal(actions.sent, THREEWAY_C_sent_synack_timer);
	assert_int_equal(actions.timer_ms, 2000);
	arrive_expect("still full", &tcb, &seg, &policy, 1010, QUEUE_FULL);
	policy.accept_queue_full = false;
	arrive_expect("room", &tcb, &seg, &policy, 3010, HANDOFF);
}

/* Only a segment that would complete the handshake asks for room. */
static void queue_full_is_last(void **state)
{
	static const struct {
		u8 flags;
		u32 seq;
		u32 ack;
		enum outcome want;
	} cells[] = {
		{ HS_SYN, IRS, 0, SYNACK },
		{ HS_ACK, NXT, ISS, BAD_ACK },
		{ HS_ACK, IRS, GOOD, OUTSIDE },
		{ HS_SYN, NXT, 0, SYN_RESET },
		{ HS_RST, NXT, 0, RST_EXACT },
		{ HS_FIN, NXT, 0, NO_ACK },
	};
	size_t i;
	u32 abort;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cells); i++)
		for (abort = 0; abort < 2; abort++) {
			struct hs_policy policy = fixture_policy();
			struct hs_tcb tcb = fixture_tcb(ISS, IRS);
			struct hs_segment seg;

			policy.accept_queue_full = true;
			policy.abort_on_overflow = abort;
			seg = segment(cells[i].flags, cells[i].seq,
				      cells[i].ack, 0);
			arrive_expect("queue full", &tcb, &seg, &policy, 10,
				      cells[i].want);
		}
}

static void overflow_reset(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_segment seg = segment(HS_ACK, NXT, GOOD, 5);

	(void)state;
	policy.abort_on_overflow = true;
	arrive_expect("room", &tcb, &seg, &policy, 10, HANDOFF);
	policy.accept_queue_full = true;
	arrive_expect("overflow", &tcb, &seg, &policy, 10, OVERFLOW_RESET);
}

/* With everything else right: what the look says is what comes of it. */
static void expect_look(u32 iss, u8 flags, u32 ack, u32 *completing)
{
	struct hs_tcb tcb = fixture_tcb(iss, IRS);
	struct hs_policy policy = fixture_policy();
	struct hs_segment seg = segment(flags, NXT, ack, 0);
	bool look = hs_segment_may_complete(&seg, iss);
	struct hs_actions actions;
	bool completes;

	hs_segment_arrives(&tcb, &seg, &policy, 10, &actions);
	completes = actions.verdict == HS_HANDOFF;
	if (look != completes)
		FAIL("flags %#x ack ISS + %d: %s", flags, (int)(ack - iss),
		     look ? "does not complete" : "completes");
	*completing += look;
}

static void look_at_what_completes(void **state)
{
	static const u32 isses[] = { ISS, 0, 0x7fffffff, 0xffffffff };
	static const u32 acks[] = { -1, 0, 1, 2, 0x80000001 };
	u32 flags, completing = 0;
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(isses); i++)
		for (j = 0; j < ARRAY_SIZE(acks); j++)
			for (flags = 0; flags < 256; flags++)
				expect_look(isses[i], (u8)flags,
					    isses[i] + acks[j], &completing);
	/* ACK with FIN, PSH, URG, ECE and CWR or not */
	assert_int_equal(completing, 4 * 32);
}

static const struct cm_unit_test tests[] = {
	TEST("SR2 RS5 RS6 bad ACK gets RST, flow stays", bad_ack_keeps_flow),
	TEST("SR2 CK8 with native cookies out, a bad ACK is left to native",
	     native_cookies),
	TEST("SR2 CK3 a flow gives way to a cookie that the same SYN got",
	     cookie_back),
	TEST("SR2 CL3 that RST has no ACK, window or options",
	     rst_has_nothing_else),
	TEST("SR4 SR6 a restarted client converges: ACK, RST, SYN",
	     restarted_client),
	TEST("LI8 SR6 an old duplicate SYN's flow goes with the RST",
	     old_duplicate_syn),
	TEST("SR3 IS7 a duplicate SYN gets the same ISS", duplicate_syn_keeps_iss),
	TEST("SR3 TM7 a duplicate SYN sets the timer, backed off no further",
	     duplicate_syn_timer),
	TEST("EC7 SR3 a duplicate SYN changes nothing that was agreed",
	     duplicate_syn_other_options),
	TEST("SR3 the count of copies saturates", duplicate_syn_saturates),
	TEST("SQ7 SR7 SR8 SR18 the window is the promised one", window_edges),
	TEST("SQ6 SQ4 RST and URG with a zero window", zero_window),
	TEST("SQ5 SR10 overlap of the left edge", left_edge_overlap),
	TEST("SR13 SQ4 segments as large as GRO makes them", large_segments),
	TEST("SQ8 mixed faults: the order of the checks", mixed_faults),
	TEST("CL2 CL3 CL4 SR5 the two forms of RST, modulo 2^32", reset_forms),
	TEST("SQ2 ack 0 completes when ISS is 2^32 - 1", ack_zero),
	TEST("WI1 RS4 the window of a challenge ACK is scaled",
	     challenge_ack_window),
	TEST("SR22 SR27 SR28 window, ECN and URG of the final ACK are native's",
	     final_window_and_flags),
	TEST("SR26 accept queue full: dropped, kept, completed later",
	     queue_full),
	TEST("SR26 accept queue full matters to completing segments only",
	     queue_full_is_last),
	TEST("SR26 accept queue full with tcp_abort_on_overflow: RST",
	     overflow_reset),
	TEST("TW7 what may complete is told at a look", look_at_what_completes),
};

SUITE(arrives_suite);
