// SPDX-License-Identifier: GPL-2.0
/* Active open: the first SYN, and every segment that SYN-SENT may get. */
#include <stdio.h>

#include "core_test.h"

#define GOOD	(ISS + 1)

static const struct hs_offer everything = {
	.default_mss = 536, .sack = true, .timestamps = true, .wscale = true,
	.ecn = true,
};

static struct hs_segment full_syn(void)
{
	struct hs_segment syn = with_options(segment(HS_SYN, 0, 0, 0));

	syn.wnd = WINDOW;
	syn.opts.mss = 1460;
	syn.opts.wscale = RCV_WSCALE;
	syn.opts.tsval = 0;
	return syn;
}

/* Opens over garbage: what the core forgets to set shows. */
static struct hs_tcb open_flow(const struct hs_segment *syn,
			       const struct hs_offer *offer)
{
	struct hs_tcb tcb;

	memset(&tcb, 0xff, sizeof(tcb));
	hs_tcb_active_open(&tcb, syn, offer, ISS, TS_OFFSET);
	return tcb;
}

static struct hs_reply first_syn(struct hs_tcb *tcb, u32 now_ms)
{
	const struct hs_policy policy = fixture_policy();
	struct hs_actions actions;

	memset(&actions, 0xa5, sizeof(actions));
	hs_syn_first(tcb, &policy, now_ms, &actions);
	assert_int_equal(actions.verdict, HS_DROP);
	assert_int_equal(actions.counter, HS_NONE);
	assert_int_equal(actions.sent, THREEWAY_C_sent_syn);
	assert_int_equal(actions.end, HS_NONE);
	assert_int_equal(actions.timer, HS_TIMER_SET);
	assert_int_equal(actions.timer_ms, 1000);
	return actions.reply;
}

static void everything_offered(void **state)
{
	struct hs_segment syn = full_syn();
	struct hs_tcb tcb = open_flow(&syn, &everything);
	struct hs_tcb want = fixture_syn_sent(ISS);
	struct hs_reply reply, want_reply;

	(void)state;
	reply = first_syn(&tcb, 0);
	expect_tcb_equal("active open", &tcb, &want);
	want_reply = (struct hs_reply) {
		.seq = ISS, .wnd = WINDOW, .flags = HS_SYN,
		.opts = {
			.present = HS_OPT_MSS | HS_OPT_WSCALE |
				   HS_OPT_SACK_PERMITTED | HS_OPT_TIMESTAMPS,
			.mss = 1460, .wscale = RCV_WSCALE, .tsval = TS_OFFSET,
		},
	};
	expect_reply_equal("first SYN", &reply, &want_reply);
}

/* Each option is offered when the template has it and the policy allows it. */
static void option_switches(void **state)
{
	static const u16 bits[] = {
		HS_OPT_WSCALE, HS_OPT_SACK_PERMITTED, HS_OPT_TIMESTAMPS,
	};
	u32 allowed, there;

	(void)state;
	for (allowed = 0; allowed < 8; allowed++)
		for (there = 0; there < 8; there++) {
			struct hs_offer offer = {
				.default_mss = 536,
				.wscale = allowed & 1,
				.sack = allowed & 2,
				.timestamps = allowed & 4,
			};
			struct hs_segment syn = full_syn();
			u16 want = HS_OPT_MSS;
			struct hs_reply reply;
			struct hs_tcb tcb;
			size_t i;

			for (i = 0; i < ARRAY_SIZE(bits); i++) {
				if (!(there & 1U << i))
					syn.opts.present &= (u16)~bits[i];
				else if (allowed & 1U << i)
					want |= bits[i];
			}
			tcb = open_flow(&syn, &offer);
			reply = first_syn(&tcb, 0);
			assert_int_equal(reply.opts.present, want);
			assert_int_equal(tcb.rcv_wscale, want & HS_OPT_WSCALE ?
					 RCV_WSCALE : 0);
			assert_int_equal(hs_tcb_unoffered(&tcb),
					 (bits[0] | bits[1] | bits[2]) & ~want);
		}
}

/* A firewall may have taken it off: an MSS of 0 must not stand in for it. */
static void no_mss(void **state)
{
	struct hs_segment syn = full_syn();
	struct hs_policy policy = fixture_policy();
	struct hs_segment seg = with_options(segment(HS_SYN, IRS, 0, 0));
	struct hs_actions actions;
	struct hs_tcb tcb;

	(void)state;
	syn.opts.present &= (u16)~HS_OPT_MSS;
	tcb = open_flow(&syn, &everything);
	assert_int_equal(first_syn(&tcb, 0).opts.present, HS_OPT_WSCALE |
			 HS_OPT_SACK_PERMITTED | HS_OPT_TIMESTAMPS);
	hs_segment_arrives(&tcb, &seg, &policy, 1, &actions);
	assert_int_equal(actions.reply.flags, HS_SYN | HS_ACK);
	assert_int_equal(actions.reply.opts.present, HS_OPT_WSCALE |
			 HS_OPT_SACK_PERMITTED | HS_OPT_TIMESTAMPS);
}

static void tsecr_of_the_first(void **state)
{
	struct hs_segment syn = full_syn();
	struct hs_reply reply;
	struct hs_tcb tcb;

	(void)state;
	tcb = open_flow(&syn, &everything);
	reply = first_syn(&tcb, 5);
	assert_int_equal(reply.opts.tsval, TS_OFFSET + 5);
	assert_int_equal(reply.opts.tsecr, 0);
	/* The tuple comes from TIME-WAIT: its last TSval is there. */
	syn.opts.tsecr = 77;
	tcb = open_flow(&syn, &everything);
	reply = first_syn(&tcb, 5);
	assert_int_equal(reply.opts.tsecr, 77);
	assert_int_equal(tcb.ts_recent, 77);
	/* Without timestamps there is nothing to remember. */
	syn.opts.present &= (u16)~HS_OPT_TIMESTAMPS;
	tcb = open_flow(&syn, &everything);
	reply = first_syn(&tcb, 5);
	assert_false(reply.opts.present & HS_OPT_TIMESTAMPS);
	assert_int_equal(tcb.ts_recent, 0);
}

static void windows_are_raw(void **state)
{
	static const u16 windows[] = { 0, 1, 0x7fff, 0x8000, 65535 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		struct hs_segment syn = full_syn();
		struct hs_tcb tcb;

		syn.wnd = windows[i];
		tcb = open_flow(&syn, &everything);
		assert_int_equal(first_syn(&tcb, 0).wnd, windows[i]);
		assert_int_equal(tcb.rcv_wnd, windows[i]);
	}
}

static void ecn_of_the_first(void **state)
{
	static const u8 flags[] = { 0, HS_ECE, HS_CWR, HS_ECE | HS_CWR };
	size_t i;
	u32 offered;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		for (offered = 0; offered < 2; offered++) {
			struct hs_offer offer = { .ecn = offered };
			struct hs_segment syn = full_syn();
			struct hs_tcb tcb;
			bool want = offered && i == 3;

			syn.flags |= flags[i];
			tcb = open_flow(&syn, &offer);
			assert_int_equal(first_syn(&tcb, 0).flags, HS_SYN |
					 (want ? HS_ECE | HS_CWR : 0));
			assert_int_equal(tcb.ecn_ok, want);
		}
}

/* Gives a segment to a fresh SYN-SENT. */
static void sent_expect(const char *cell, struct hs_segment seg, u32 now_ms,
			enum outcome want)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(ISS);

	arrive_expect(cell, &tcb, &seg, &policy, now_ms, want);
}

static const u32 lens[] = { 0, 3 };

static void unacceptable_ack(void **state)
{
	static const u32 acks[] = {
		ISS - 1, ISS, ISS + 2, ISS + 0x80000000, ISS + 0x80000001,
	};
	static const u8 flags[] = {
		HS_ACK, HS_SYN | HS_ACK, HS_FIN | HS_ACK,
		HS_SYN | HS_FIN | HS_ACK, HS_ACK | HS_PSH | HS_URG,
	};
	size_t i, j, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(acks); i++)
		for (j = 0; j < ARRAY_SIZE(flags); j++)
			for (k = 0; k < ARRAY_SIZE(lens); k++) {
				u8 rst = flags[j] | HS_RST;

				sent_expect("unacceptable ACK",
					    segment(flags[j], IRS, acks[i],
						    lens[k]),
					    250, BAD_ACK_SOON);
				sent_expect("the same with RST",
					    segment(rst, IRS, acks[i], lens[k]),
					    250, SENT_RST_IGNORED);
			}
}

/* Once a copy was sent the timer goes on as it was set. */
static void syn_soon_only_first(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_segment seg = segment(HS_ACK, IRS, ISS, 0);
	struct hs_actions actions;

	(void)state;
	arrive_expect("half-open peer", &tcb, &seg, &policy, 100, BAD_ACK_SOON);
	/* More of them do not put the copy off. */
	arrive_expect("flood", &tcb, &seg, &policy, 107, BAD_ACK);
	hs_timer_fires(&tcb, &policy, 108, &actions);
	assert_int_equal(actions.sent, THREEWAY_C_sent_syn_timer);
	assert_int_equal(actions.reply.flags, HS_SYN);
	assert_int_equal(actions.reply.seq, ISS);
	assert_int_equal(actions.timer_ms, 2000);
	arrive_expect("again", &tcb, &seg, &policy, 200, BAD_ACK);
}

/* With no copy to send, the SYN has its timeout to be answered. */
static void syn_soon_without_retries(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_segment seg = segment(HS_ACK, IRS, ISS, 0);

	(void)state;
	policy.syn_retries = 0;
	arrive_expect("no copies", &tcb, &seg, &policy, 100, BAD_ACK);
	policy.syn_linear_timeouts = 1;
	arrive_expect("one copy", &tcb, &seg, &policy, 100, BAD_ACK_SOON);
}

static void resets(void **state)
{
	static const u32 seqs[] = { 0, 1, ISS, IRS, 0xffffffff };
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(seqs); i++)
		for (k = 0; k < ARRAY_SIZE(lens); k++) {
			sent_expect("refused",
				    segment(HS_RST | HS_ACK, seqs[i], GOOD,
					    lens[k]), 250, REFUSED);
			sent_expect("refused, SYN",
				    segment(HS_RST | HS_ACK | HS_SYN, seqs[i],
					    GOOD, lens[k]), 250, REFUSED);
			sent_expect("RST without ACK",
				    segment(HS_RST, seqs[i], GOOD, lens[k]),
				    250, SENT_RST_IGNORED);
			sent_expect("RST and SYN without ACK",
				    segment(HS_RST | HS_SYN, seqs[i], GOOD,
					    lens[k]), 250, SENT_RST_IGNORED);
		}
}

static void ack_without_syn(void **state)
{
	static const u8 flags[] = {
		HS_ACK, HS_ACK | HS_FIN, HS_ACK | HS_PSH, HS_ACK | HS_URG,
		HS_FIN, 0, HS_PSH | HS_URG | HS_FIN,
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		for (k = 0; k < ARRAY_SIZE(lens); k++)
			sent_expect("no SYN", segment(flags[i], IRS + 1, GOOD,
						      lens[k]), 250, NO_SYN);
}

/* FIN, data, urgent and ECN bits of a SYN or SYN-ACK change nothing. */
static void syn_with_more(void **state)
{
	static const u8 more[] = {
		0, HS_FIN, HS_PSH, HS_URG, HS_ECE, HS_CWR,
		HS_FIN | HS_PSH | HS_URG | HS_ECE | HS_CWR,
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(more); i++)
		for (k = 0; k < ARRAY_SIZE(lens); k++) {
			sent_expect("SYN-ACK",
				    with_options(segment(HS_SYN | HS_ACK |
							 more[i], IRS, GOOD,
							 lens[k])),
				    250, HANDOFF);
			sent_expect("SYN",
				    with_options(segment(HS_SYN | more[i], IRS,
							 GOOD, lens[k])),
				    250, CROSSED);
		}
}

static void corners(void **state)
{
	static const u32 starts[] = {
		0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(starts); i++)
		for (j = 0; j < ARRAY_SIZE(starts); j++) {
			struct hs_policy policy = fixture_policy();
			struct hs_tcb tcb = fixture_syn_sent(starts[i]);
			struct hs_segment seg;
			char cell[64];

			snprintf(cell, sizeof(cell), "iss %#x irs %#x",
				 starts[i], starts[j]);
			seg = segment(HS_SYN | HS_ACK, starts[j],
				      starts[i] + 1, 0);
			arrive_expect(cell, &tcb, &seg, &policy, 9, HANDOFF);
			seg = segment(HS_SYN, starts[j], 0, 0);
			arrive_expect(cell, &tcb, &seg, &policy, 9, CROSSED);
			seg = segment(HS_ACK, starts[j] + 1, starts[i] + 1, 0);
			arrive_expect(cell, &tcb, &seg, &policy, 9, HANDOFF);
		}
}

static void tsecr_range(void **state)
{
	static const struct {
		u32 tsecr;
		bool good;
	} cells[] = {
		{ TS_OFFSET - 1, false },
		{ TS_OFFSET, true },
		{ TS_OFFSET + 500, true },
		{ TS_OFFSET + 1000, true },
		{ TS_OFFSET + 1001, false },
		{ TS_OFFSET + 11000, false },
		{ TS_OFFSET + 0x80000000, false },
		{ 0, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cells); i++) {
		u32 tsecr = cells[i].tsecr;
		bool good = cells[i].good;

		sent_expect("SYN-ACK",
			    stamped(segment(HS_SYN | HS_ACK, IRS, GOOD, 0), 9,
				    tsecr),
			    1000, good ? HANDOFF : TSECR_RESET);
		sent_expect("ACK",
			    stamped(segment(HS_ACK, IRS, GOOD, 0), 9, tsecr),
			    1000, good ? NO_SYN : TSECR_RESET);
		sent_expect("RST",
			    stamped(segment(HS_RST | HS_ACK, IRS, GOOD, 0), 9,
				    tsecr),
			    1000, good ? REFUSED : TSECR_DROPPED);
		/* Without ACK it means nothing. */
		sent_expect("SYN",
			    stamped(segment(HS_SYN, IRS, 0, 0), 9, tsecr),
			    1000, CROSSED);
		/* The ACK comes first. */
		sent_expect("bad ACK",
			    stamped(segment(HS_ACK, IRS, ISS, 0), 9, tsecr),
			    1000, BAD_ACK_SOON);
	}
}

/* The clock wraps while the SYN is out. */
static void tsecr_wraps(void **state)
{
	static const struct {
		u32 tsecr;
		enum outcome want;
	} cells[] = {
		{ 0xffffff9b, TSECR_RESET },
		{ 0xffffff9c, HANDOFF },
		{ 0xffffffff, HANDOFF },
		{ 1, HANDOFF },
		{ 900, HANDOFF },
		{ 901, TSECR_RESET },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cells); i++) {
		struct hs_policy policy = fixture_policy();
		struct hs_tcb tcb = fixture_syn_sent(ISS);
		struct hs_segment seg;

		tcb.ts_offset = 0U - 100;
		tcb.tsval_first = 0U - 100;
		tcb.tsval_last = 0U - 100;
		seg = stamped(segment(HS_SYN | HS_ACK, IRS, GOOD, 0), 9,
			      cells[i].tsecr);
		arrive_expect("wrap", &tcb, &seg, &policy, 1000,
			      cells[i].want);
	}
}

/* Timestamps that were not offered are not looked at. */
static void tsecr_not_offered(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_segment seg;

	(void)state;
	tcb.tstamp_ok = false;
	tcb.tsecr_ok = false;
	tcb.ts_recent = 0;
	seg = stamped(segment(HS_SYN | HS_ACK, IRS, GOOD, 0), 9, 12345);
	arrive_expect("SYN-ACK", &tcb, &seg, &policy, 10, HANDOFF);
	seg = stamped(segment(HS_SYN, IRS, 0, 0), 9, 12345);
	arrive_expect("SYN", &tcb, &seg, &policy, 10, CROSSED);
}

static void paws_on_a_syn(void **state)
{
	static const struct {
		u32 recent;
		u32 tsval;
		enum outcome want;
	} cells[] = {
		{ 5000, 4999, PAWS_DROPPED },
		{ 5000, 5000, CROSSED },
		{ 5000, 5001, CROSSED },
		{ 5000, 5000 + 0x7fffffffU, CROSSED },
		{ 5000, 5000 + 0x80000001U, PAWS_DROPPED },
		{ 0xfffffff0, 5, CROSSED },
		{ 0, 0x80000001, CROSSED },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cells); i++) {
		struct hs_policy policy = fixture_policy();
		struct hs_tcb tcb = fixture_syn_sent(ISS);
		struct hs_segment seg;

		tcb.ts_recent = cells[i].recent;
		seg = stamped(segment(HS_SYN, IRS, 0, 0), cells[i].tsval, 0);
		arrive_expect("SYN", &tcb, &seg, &policy, 10, cells[i].want);
		/* A SYN-ACK has a better proof. */
		tcb = fixture_syn_sent(ISS);
		tcb.ts_recent = cells[i].recent;
		seg = stamped(segment(HS_SYN | HS_ACK, IRS, GOOD, 0),
			      cells[i].tsval, TS_OFFSET);
		arrive_expect("SYN-ACK", &tcb, &seg, &policy, 10, HANDOFF);
	}
}

/* What is known at a glance: each of it matters. */
static void expected_answer(void **state)
{
	const struct hs_segment good =
		with_options(segment(HS_SYN | HS_ACK, IRS, GOOD, 0));
	struct hs_tcb tcb = fixture_syn_sent(ISS);
	struct hs_segment seg = good;

	(void)state;
	assert_true(hs_syn_answered(&tcb, &good));
	seg.opts.present &= (u16)~HS_OPT_TIMESTAMPS;
	seg.opts.tsecr = 0;
	assert_true(hs_syn_answered(&tcb, &seg));
	seg = good;
	seg.opts.tsecr++;
	assert_false(hs_syn_answered(&tcb, &seg));
	tcb.tstamp_ok = false;
	assert_true(hs_syn_answered(&tcb, &seg));
	seg = good;
	seg.ack++;
	assert_false(hs_syn_answered(&tcb, &seg));
	seg = good;
	seg.flags = HS_ACK;
	assert_false(hs_syn_answered(&tcb, &seg));
	seg.flags = HS_SYN;
	assert_false(hs_syn_answered(&tcb, &seg));
	seg.flags = HS_SYN | HS_ACK | HS_RST;
	assert_false(hs_syn_answered(&tcb, &seg));
	tcb.state = THREEWAY_SYN_RECEIVED;
	assert_false(hs_syn_answered(&tcb, &good));
}

static const struct cm_unit_test tests[] = {
	TEST("SS1 IS10 RT18 everything offered: the first SYN and its timer",
	     everything_offered),
	TEST("OP12 SS13 WI2 only what is there and allowed is offered",
	     option_switches),
	TEST("PM SS13 a SYN without MSS stays without", no_mss),
	TEST("TS2 TSecr of the first SYN is 0, but after TIME-WAIT",
	     tsecr_of_the_first),
	TEST("WI1 WI6 the window of a SYN is not scaled", windows_are_raw),
	TEST("EC1 an ECN-setup SYN needs both bits and the offer",
	     ecn_of_the_first),
	TEST("SS2 SS4 FL2 unacceptable ACK: RST, none for a RST",
	     unacceptable_ack),
	TEST("SS3 the SYN again at once, only while it is the first",
	     syn_soon_only_first),
	TEST("SS2 SS3 RT1 without retries an unacceptable ACK ends nothing",
	     syn_soon_without_retries),
	TEST("SS5 SS6 RST with and without an acceptable ACK", resets),
	TEST("SS7 SS9 no SYN: no answer, whatever it acknowledges",
	     ack_without_syn),
	TEST("SS1 SS8 SS9 SS10 SM10 FIN, data and URG change nothing",
	     syn_with_more),
	TEST("SQ1 SQ2 SS1 SM1 SM3 ISS and IRS at the corners", corners),
	TEST("SS1 SS12 the answer to the latest SYN, known at a glance",
	     expected_answer),
	TEST("SS12 TSecr must be a TSval of ours, or 0", tsecr_range),
	TEST("SS12 TS6 the clock wraps meanwhile", tsecr_wraps),
	TEST("SS12 SS13 timestamps that were not offered", tsecr_not_offered),
	TEST("SS20 TS6 PAWS on a crossing SYN after TIME-WAIT", paws_on_a_syn),
};

SUITE(syn_sent_suite);
