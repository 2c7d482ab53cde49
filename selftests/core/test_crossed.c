// SPDX-License-Identifier: GPL-2.0
/* Simultaneous open: SYN-RECEIVED from SYN-SENT, and what is agreed there. */
#include <stdio.h>

#include "core_test.h"

#define GOOD	(ISS + 1)
#define NXT	(IRS + 1)

/* Gives a segment to a fresh flow whose SYN has crossed another. */
static void crossed_expect(const char *cell, struct hs_segment seg, u32 now_ms,
			   enum outcome want)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_crossed(ISS, IRS);

	arrive_expect(cell, &tcb, &seg, &policy, now_ms, want);
}

/* Figure 7 of RFC 9293: lines 1 to 6. */
static void figure_7(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(100);
	struct hs_segment seg = with_options(segment(HS_SYN, 300, 0, 0));
	struct hs_tcb want = fixture_crossed(100, 300);
	struct hs_actions actions;

	(void)state;
	hs_segment_arrives(&tcb, &seg, &policy, 0, &actions);
	assert_int_equal(actions.reply.flags, HS_SYN | HS_ACK);
	assert_int_equal(actions.reply.seq, 100);
	assert_int_equal(actions.reply.ack, 301);
	assert_int_equal(actions.reply.wnd, WINDOW);
	/* the timer of the SYN goes on */
	assert_int_equal(actions.timer, HS_TIMER_KEEP);
	expect_tcb_equal("crossed", &tcb, &want);
	seg = with_options(segment(HS_SYN | HS_ACK, 300, 101, 0));
	arrive_expect("SYN-ACK", &tcb, &seg, &policy, 10, HANDOFF);
}

/* The peer's SYN-ACK is here before its SYN: the SYN is a duplicate then. */
static void figure_7_reordered(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(100);
	struct hs_segment seg = segment(HS_SYN | HS_ACK, 300, 101, 0);
	struct hs_actions actions;

	(void)state;
	arrive_expect("SYN-ACK", &tcb, &seg, &policy, 10, HANDOFF);
	policy.hold = true;
	policy.deadline_ms = 300000;
	hs_segment_arrives(&tcb, &seg, &policy, 10, &actions);
	assert_int_equal(tcb.state, THREEWAY_ESTABLISHED);
	seg = segment(HS_SYN, 300, 0, 0);
	arrive_expect("late SYN", &tcb, &seg, &policy, 20, CHALLENGED);
}

/* A connection to itself: what goes out comes in. */
static void self_connect(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_segment seg = with_options(segment(HS_SYN, ISS, 0, 0));
	struct hs_actions actions;

	(void)state;
	seg.opts.tsval = TS_OFFSET;
	hs_segment_arrives(&tcb, &seg, &policy, 0, &actions);
	assert_int_equal(actions.reply.flags, HS_SYN | HS_ACK);
	seg = segment(actions.reply.flags, actions.reply.seq,
		      actions.reply.ack, 0);
	seg.opts = actions.reply.opts;
	arrive_expect("own SYN-ACK", &tcb, &seg, &policy, 1, HANDOFF);
}

/*
 * A forged SYN needs nothing but the tuple. The real SYN-ACK is challenged then;
 * to the peer that is a bad ACK, and its RST has the number from there. The
 * attempt is lost, as it is with the native stack.
 */
static void forged_syn(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	u32 forged = IRS + 0x10000000;
	struct hs_segment seg;

	(void)state;
	seg = segment(HS_SYN, forged, 0, 0);
	arrive_expect("forged SYN", &tcb, &seg, &policy, 0, CROSSED);
	seg = segment(HS_SYN | HS_ACK, IRS, GOOD, 0);
	arrive_expect("real SYN-ACK", &tcb, &seg, &policy, 10, CHALLENGED);
	seg = segment(HS_RST, forged + 1, 0, 0);
	arrive_expect("RST", &tcb, &seg, &policy, 50, REFUSED_EXACT);
}

static void completing(void **state)
{
	static const struct {
		u8 flags;
		u32 seq;
		u32 data;
		enum outcome want;
	} cells[] = {
		{ HS_SYN | HS_ACK, IRS, 0, HANDOFF },
		{ HS_SYN | HS_ACK | HS_ECE, IRS, 0, HANDOFF },
		{ HS_SYN | HS_ACK | HS_PSH | HS_URG, IRS, 0, HANDOFF },
		{ HS_ACK, NXT, 0, HANDOFF },
		{ HS_ACK | HS_PSH, NXT, 100, HANDOFF },
		{ HS_ACK | HS_FIN, NXT, 0, HANDOFF },
		{ HS_ACK, NXT + 10, 10, HANDOFF },
		{ HS_ACK, IRS, 10, HANDOFF },
		/* More than a SYN, or another one, is not what crossed. */
		{ HS_SYN | HS_ACK, IRS, 1, CHALLENGED },
		{ HS_SYN | HS_ACK | HS_FIN, IRS, 0, CHALLENGED },
		{ HS_SYN | HS_ACK, IRS - 1, 0, CHALLENGED },
		{ HS_SYN | HS_ACK, NXT, 0, CHALLENGED },
		{ HS_SYN | HS_ACK, IRS + 0x10000000, 0, CHALLENGED },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cells); i++) {
		char cell[32];

		snprintf(cell, sizeof(cell), "segment %zu", i);
		crossed_expect(cell, segment(cells[i].flags, cells[i].seq, GOOD,
					     cells[i].data), 250,
			       cells[i].want);
	}
}

static void refused_exactly(void **state)
{
	static const u8 flags[] = {
		HS_RST, HS_RST | HS_ACK, HS_RST | HS_SYN,
		HS_RST | HS_SYN | HS_ACK | HS_FIN,
	};
	static const u32 acks[] = { 0, ISS, GOOD };
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		for (j = 0; j < ARRAY_SIZE(acks); j++) {
			crossed_expect("exact",
				       segment(flags[i], NXT, acks[j], 0), 250,
				       REFUSED_EXACT);
			crossed_expect("first of the window",
				       segment(flags[i], NXT + 1, acks[j], 0),
				       250, RST_CHALLENGED);
			crossed_expect("last of the window",
				       segment(flags[i], IRS + WINDOW, acks[j],
					       0), 250, RST_CHALLENGED);
			crossed_expect("right of the window",
				       segment(flags[i], NXT + WINDOW, acks[j],
					       0), 250, RST_IGNORED);
			crossed_expect("left of the window",
				       segment(flags[i], IRS, acks[j], 0), 250,
				       RST_IGNORED);
		}
}

static void duplicate_syn(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_crossed(ISS, IRS);
	struct hs_segment seg = with_options(segment(HS_SYN, IRS, 0, 0));

	(void)state;
	arrive_expect("first", &tcb, &seg, &policy, 1000, CHALLENGED);
	arrive_expect("second", &tcb, &seg, &policy, 1499, CHALLENGE_LIMITED);
	arrive_expect("third", &tcb, &seg, &policy, 1500, CHALLENGED);
	/* Another one is not a new attempt either. */
	seg = segment(HS_SYN, IRS + 5000000, 0, 0);
	arrive_expect("other", &tcb, &seg, &policy, 2000, CHALLENGED);
	assert_int_equal(tcb.irs, IRS);
}

static void unacceptable_ack(void **state)
{
	static const u32 acks[] = {
		ISS - 1, ISS, ISS + 2, ISS + 0x80000000, ISS + 0x80000001,
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(acks); i++) {
		crossed_expect("in window", segment(HS_ACK, NXT, acks[i], 0),
			       250, BAD_ACK);
		crossed_expect("data and FIN",
			       segment(HS_ACK | HS_FIN, NXT + 5, acks[i], 5),
			       250, BAD_ACK);
		/* The sequence number comes first, and the SYN. */
		crossed_expect("out of window",
			       segment(HS_ACK, IRS, acks[i], 0), 250, OUTSIDE);
		crossed_expect("SYN-ACK",
			       segment(HS_SYN | HS_ACK, IRS, acks[i], 0), 250,
			       CHALLENGED);
	}
}

/* The order of the RFC: timestamps, RST, SYN, sequence, ACK. */
static void mixed_faults(void **state)
{
	(void)state;
	crossed_expect("old TSval, RST",
		       stamped(segment(HS_RST, NXT, 0, 0), TS_RECENT - 1, 0),
		       250, REFUSED_EXACT);
	crossed_expect("old TSval, SYN",
		       stamped(segment(HS_SYN, IRS, 0, 0), TS_RECENT - 1, 0),
		       250, PAWS);
	crossed_expect("old TSval, bad ACK",
		       stamped(segment(HS_ACK, NXT, ISS, 0), TS_RECENT - 1,
			       TS_OFFSET), 250, PAWS);
	crossed_expect("bad TSecr, SYN-ACK",
		       stamped(segment(HS_SYN | HS_ACK, IRS, GOOD, 0),
			       TS_RECENT, TS_OFFSET - 1), 250, TSECR);
	crossed_expect("TSecr of a SYN",
		       stamped(segment(HS_SYN, IRS, 0, 0), TS_RECENT,
			       TS_OFFSET - 1), 250, CHALLENGED);
	crossed_expect("SYN out of window, bad ACK",
		       segment(HS_SYN | HS_ACK, IRS - 5, ISS, 0), 250,
		       CHALLENGED);
}

/* The peer may echo the SYN or the SYN-ACK; what lies between is ours, too. */
static void tsecr_range(void **state)
{
	static const struct {
		u32 tsecr;
		enum outcome want;
	} cells[] = {
		{ TS_OFFSET - 1, TSECR }, { TS_OFFSET, HANDOFF },
		{ TS_OFFSET + 300, HANDOFF }, { TS_OFFSET + 301, TSECR },
		{ 0, HANDOFF },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cells); i++) {
		struct hs_policy policy = fixture_policy();
		struct hs_tcb tcb = fixture_syn_sent(ISS);
		struct hs_segment seg = with_options(segment(HS_SYN, IRS, 0,
							     0));

		arrive_expect("SYN", &tcb, &seg, &policy, 300, CROSSED);
		seg = stamped(segment(HS_ACK, NXT, GOOD, 0), TS_RECENT,
			      cells[i].tsecr);
		arrive_expect("ACK", &tcb, &seg, &policy, 400, cells[i].want);
	}
}

/* The options of a subset, and which of them are there. */
static struct hs_segment subset_of(struct hs_segment seg, u32 subset)
{
	seg = with_options(seg);
	seg.opts.present = (subset & 1 ? HS_OPT_MSS : 0) |
			   (subset & 2 ? HS_OPT_WSCALE : 0) |
			   (subset & 4 ? HS_OPT_SACK_PERMITTED : 0) |
			   (subset & 8 ? HS_OPT_TIMESTAMPS : 0);
	return seg;
}

/* What this end offered, as a subset, too; MSS it always sends. */
static struct hs_tcb offering(u32 subset)
{
	struct hs_tcb tcb = fixture_syn_sent(ISS);

	tcb.wscale_ok = subset & 2;
	tcb.rcv_wscale = tcb.wscale_ok ? RCV_WSCALE : 0;
	tcb.sack_ok = subset & 4;
	tcb.tstamp_ok = subset & 8;
	tcb.tsecr_ok = tcb.tstamp_ok;
	return tcb;
}

static void expect_agreed(const struct hs_tcb *tcb, u32 ours, u32 theirs)
{
	u32 both = ours & theirs;

	assert_int_equal(tcb->wscale_ok, !!(both & 2));
	assert_int_equal(tcb->snd_wscale, both & 2 ? 7 : 0);
	assert_int_equal(tcb->rcv_wscale, both & 2 ? RCV_WSCALE : 0);
	assert_int_equal(tcb->sack_ok, !!(both & 4));
	assert_int_equal(tcb->tstamp_ok, !!(both & 8));
	assert_int_equal(tcb->ts_recent, both & 8 ? TS_RECENT : 0);
	assert_int_equal(tcb->peer_mss, theirs & 1 ? 1400 : 536);
}

/* All 16 subsets from the peer, against all 8 that this end can offer. */
static void intersection(void **state)
{
	u32 ours, theirs;

	(void)state;
	for (ours = 1; ours < 16; ours += 2)
		for (theirs = 0; theirs < 16; theirs++) {
			struct hs_policy policy = fixture_policy();
			struct hs_tcb tcb = offering(ours);
			struct hs_segment seg;
			struct hs_actions actions;
			u32 both = ours & theirs;

			seg = subset_of(segment(HS_SYN, IRS, 0, 0), theirs);
			hs_segment_arrives(&tcb, &seg, &policy, 7, &actions);
			assert_int_equal(actions.reply.flags, HS_SYN | HS_ACK);
			assert_int_equal(actions.reply.opts.present,
					 subset_of(seg, both | 1).opts.present);
			assert_int_equal(actions.reply.opts.tsecr,
					 both & 8 ? TS_RECENT : 0);
			expect_agreed(&tcb, ours, theirs);
			/* A challenge ACK keeps to it as well. */
			seg = segment(HS_SYN, IRS, 0, 0);
			hs_segment_arrives(&tcb, &seg, &policy, 8, &actions);
			assert_int_equal(actions.reply.flags, HS_ACK);
			assert_int_equal(actions.reply.wnd, both & 2 ?
					 WINDOW >> RCV_WSCALE : WINDOW);
			assert_int_equal(actions.reply.opts.present,
					 both & 8 ? HS_OPT_TIMESTAMPS : 0);
		}
}

/* The same for a SYN-ACK that an engine without a socket takes. */
static void synack_subsets(void **state)
{
	u32 ours, theirs;

	(void)state;
	for (ours = 1; ours < 16; ours += 2)
		for (theirs = 0; theirs < 16; theirs++) {
			struct hs_policy policy = fixture_policy();
			struct hs_tcb tcb = offering(ours);
			struct hs_segment seg;
			struct hs_actions actions;
			u32 both = ours & theirs;

			policy.hold = true;
			policy.deadline_ms = 300000;
			seg = subset_of(segment(HS_SYN | HS_ACK, IRS, GOOD, 0),
					theirs);
			assert_int_equal(hs_tcb_unoffered(&tcb),
					 subset_of(seg, ~ours & 14).opts.present);
			hs_segment_arrives(&tcb, &seg, &policy, 7, &actions);
			assert_int_equal(tcb.state, THREEWAY_ESTABLISHED);
			expect_agreed(&tcb, ours, theirs);
			assert_int_equal(actions.reply.flags, HS_ACK);
			assert_int_equal(actions.reply.seq, GOOD);
			assert_int_equal(actions.reply.ack, NXT);
			assert_int_equal(actions.reply.wnd, both & 2 ?
					 WINDOW >> RCV_WSCALE : WINDOW);
			assert_int_equal(actions.reply.opts.present,
					 both & 8 ? HS_OPT_TIMESTAMPS : 0);
		}
}

static void peer_windows(void **state)
{
	static const u16 windows[] = { 0, 1, 1000, 0x8000, 65535 };
	static const u8 flags[] = { HS_SYN, HS_SYN | HS_ACK };
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(windows); i++)
		for (j = 0; j < ARRAY_SIZE(flags); j++) {
			struct hs_tcb tcb = fixture_syn_sent(ISS);
			struct hs_segment seg;

			seg = with_options(segment(flags[j], IRS, GOOD, 0));
			seg.wnd = windows[i];
			seg.opts.wscale = 14;
			hs_tcb_peer_syn(&tcb, &seg);
			assert_int_equal(tcb.peer_wnd, windows[i]);
			assert_int_equal(tcb.snd_wscale, 14);
		}
}

static bool ecn_agreed(u8 peer_flags, bool ours, bool fallen_back)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_segment seg = segment(peer_flags, IRS, GOOD, 0);
	struct hs_actions actions;

	tcb.ecn_ok = ours;
	tcb.ecn_setup = ours && !fallen_back;
	policy.hold = true;
	policy.deadline_ms = 300000;
	hs_segment_arrives(&tcb, &seg, &policy, 7, &actions);
	if (!(peer_flags & HS_ACK))
		assert_int_equal(actions.reply.flags, HS_SYN | HS_ACK |
				 (tcb.ecn_ok ? HS_ECE : 0));
	else
		assert_int_equal(actions.reply.flags, HS_ACK);
	return tcb.ecn_ok;
}

static void ecn(void **state)
{
	static const u8 bits[] = { 0, HS_ECE, HS_CWR, HS_ECE | HS_CWR };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		u8 syn = HS_SYN | bits[i];
		u8 synack = syn | HS_ACK;

		assert_int_equal(ecn_agreed(syn, true, false), i == 3);
		assert_false(ecn_agreed(syn, false, false));
		assert_int_equal(ecn_agreed(synack, true, false), i == 1);
		assert_false(ecn_agreed(synack, false, false));
		/* The peer may have seen the copy alone, which did not ask. */
		assert_false(ecn_agreed(syn, true, true));
		/* It may answer the first SYN, which asked for it. */
		assert_int_equal(ecn_agreed(synack, true, true), i == 1);
	}
}

/* The SYN-ACK that completes has the last word, a bare ACK has none. */
static void ecn_taken_back(void **state)
{
	static const u8 bits[] = { 0, HS_ECE, HS_CWR, HS_ECE | HS_CWR };
	static const u8 flags[] = { HS_SYN | HS_ACK, HS_ACK };
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bits); i++)
		for (j = 0; j < ARRAY_SIZE(flags); j++) {
			struct hs_policy policy = fixture_policy();
			struct hs_tcb tcb = fixture_crossed(ISS, IRS);
			struct hs_segment seg;

			tcb.ecn_ok = true;
			seg = segment(flags[j] | bits[i], IRS + (u32)j, GOOD,
				      0);
			arrive_expect("ECN", &tcb, &seg, &policy, 9, HANDOFF);
			assert_int_equal(tcb.ecn_ok, j == 1 || i == 1);
		}
}

/*
 * A socket in SYN-SENT that gets the SYN-ACK which stands for the crossing SYN
 * agrees to the same.
 */
static void replayed_synack(void **state)
{
	u32 ours, theirs, ecn_bits;

	(void)state;
	for (ours = 1; ours < 16; ours += 2)
		for (theirs = 0; theirs < 16; theirs++)
			for (ecn_bits = 0; ecn_bits < 2; ecn_bits++) {
				struct hs_policy policy = fixture_policy();
				struct hs_tcb tcb = offering(ours);
				struct hs_tcb socket;
				struct hs_segment seg;
				struct hs_actions actions;
				struct hs_reply synack;

				tcb.ecn_ok = true;
				tcb.ecn_setup = true;
				socket = tcb;
				seg = segment(HS_SYN, IRS, 0, 0);
				if (ecn_bits)
					seg.flags |= HS_ECE | HS_CWR;
				seg = subset_of(seg, theirs);
				seg.wnd = 777;
				hs_segment_arrives(&tcb, &seg, &policy, 7,
						   &actions);
				memset(&synack, 0xa5, sizeof(synack));
				hs_tcb_replay_synack(&tcb, &synack);
				seg = segment(synack.flags, synack.seq,
					      synack.ack, 0);
				seg.wnd = synack.wnd;
				seg.opts = synack.opts;
				assert_false(synack.opts.present &
					     hs_tcb_unoffered(&socket));
				arrive_expect("replay", &socket, &seg, &policy,
					      10, HANDOFF);
				hs_tcb_peer_syn(&socket, &seg);
				/* what is the engine's own */
				socket.state = tcb.state;
				socket.segments_sent = tcb.segments_sent;
				socket.tsval_last = tcb.tsval_last;
				expect_tcb_equal("replay", &socket, &tcb);
			}
}

static const struct cm_unit_test tests[] = {
	TEST("SM1 SM2 SS8 figure 7: seq is ISS, the SYN-ACK completes",
	     figure_7),
	TEST("SM2 SS15 figure 7 with lines 6 and 4 swapped",
	     figure_7_reordered),
	TEST("SS19 SQ1 a connection to itself", self_connect),
	TEST("SS21 a forged SYN, then the real SYN-ACK", forged_syn),
	TEST("SM2 SM3 SQ5 what completes, and what is challenged", completing),
	TEST("SM4 SM5 SQ7 RST: exact refuses, in window is challenged",
	     refused_exactly),
	TEST("SM6 RS3 a duplicate SYN is challenged, once per 500 ms",
	     duplicate_syn),
	TEST("SM11 FL5 unacceptable ACK: RST, state kept", unacceptable_ack),
	TEST("SM6 SM11 SQ8 mixed faults: the order of the RFC", mixed_faults),
	TEST("SS12 SM3 TSecr from the SYN to the SYN-ACK", tsecr_range),
	TEST("SM8 SS13 TS1 WI2 WI8 crossing SYN: options are the intersection",
	     intersection),
	TEST("SS13 WI1 TS1 SYN-ACK: options are the intersection",
	     synack_subsets),
	TEST("SM9 SS14 the peer's window is not scaled", peer_windows),
	TEST("SM14 EC5 EC6 ECN of a crossing SYN and of a SYN-ACK", ecn),
	TEST("SM2 SM14 EC6 the completing SYN-ACK may take ECN back",
	     ecn_taken_back),
	TEST("SM8 SM9 SM13 the replayed SYN-ACK agrees to the same",
	     replayed_synack),
};

SUITE(crossed_suite);
