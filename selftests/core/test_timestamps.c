// SPDX-License-Identifier: GPL-2.0
#include "core_test.h"

#define GOOD	(ISS + 1)
#define NXT	(IRS + 1)

static struct hs_segment final(u32 tsval, u32 tsecr)
{
	return stamped(segment(HS_ACK, NXT, GOOD, 0), tsval, tsecr);
}

static void paws(void **state)
{
	(void)state;
	expect_at("older", final(TS_RECENT - 1, TS_OFFSET), 0, PAWS);
	expect_at("equal", final(TS_RECENT, TS_OFFSET), 0, HANDOFF);
	expect_at("newer", final(TS_RECENT + 1, TS_OFFSET), 0, HANDOFF);
	expect_at("none", segment(HS_ACK, NXT, GOOD, 0), 0, HANDOFF);
	expect_at("older with data",
		  stamped(segment(HS_ACK, NXT, GOOD, 10), TS_RECENT - 1,
			  TS_OFFSET), 0, PAWS);
}

static void paws_wraps(void **state)
{
	static const struct {
		u32 recent;
		u32 tsval;
		enum outcome want;
	} rows[] = {
		{ 0xfffffff0, 5, HANDOFF },
		{ 5, 0xfffffff0, PAWS },
		{ 0x7fffffff, 0x80000000, HANDOFF },
		{ 0x80000000, 0x7fffffff, PAWS },
		{ 1, 0x80000000, HANDOFF },
		/* half the space apart is not older (RFC 7323 section 5.2) */
		{ 1, 0x80000001, HANDOFF },
		{ 1, 0x80000002, PAWS },
		/* TS.Recent 0 rejects nothing */
		{ 0, 0xffffffff, HANDOFF },
		{ 0, 0x80000001, HANDOFF },
	};
	struct hs_policy policy = fixture_policy();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct hs_tcb tcb = fixture_tcb(ISS, IRS);
		struct hs_segment seg = final(rows[i].tsval, TS_OFFSET);

		tcb.ts_recent = rows[i].recent;
		arrive_expect("PAWS", &tcb, &seg, &policy, 0, rows[i].want);
	}
}

static void paws_not_agreed(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_segment seg = final(TS_RECENT - 1, 1);

	(void)state;
	tcb.tstamp_ok = false;
	arrive_expect("not agreed", &tcb, &seg, &policy, 0, HANDOFF);
	seg = stamped(segment(HS_SYN, IRS, 0, 0), TS_RECENT - 1, 0);
	arrive_expect("not agreed, SYN", &tcb, &seg, &policy, 0, SYNACK);
}

static void paws_on_syn(void **state)
{
	(void)state;
	expect_at("older copy",
		  stamped(segment(HS_SYN, IRS, 0, 0), TS_RECENT - 1, 0), 0,
		  PAWS);
	expect_at("same copy",
		  stamped(segment(HS_SYN, IRS, 0, 0), TS_RECENT, 0), 0,
		  SYNACK);
	expect_at("later copy",
		  stamped(segment(HS_SYN, IRS, 0, 0), TS_RECENT + 1000, 0), 0,
		  SYNACK);
}

static void paws_not_on_rst(void **state)
{
	(void)state;
	expect_at("exact",
		  stamped(segment(HS_RST, NXT, 0, 0), TS_RECENT - 1, 0), 0,
		  RST_EXACT);
	expect_at("in window",
		  stamped(segment(HS_RST | HS_ACK, NXT + 1, GOOD, 0),
			  TS_RECENT - 1, 1), 0, RST_CHALLENGED);
	expect_at("out of window",
		  stamped(segment(HS_RST, IRS, 0, 0), TS_RECENT - 1, 1), 0,
		  RST_IGNORED);
}

static void tsecr_range(void **state)
{
	static const u32 lasts[] = { 0, 1, 3000 };
	static const u32 firsts[] = { TS_OFFSET, 0xffffffff, 0xfffffff0, 1 };
	struct hs_policy policy = fixture_policy();
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(firsts); i++)
		for (j = 0; j < ARRAY_SIZE(lasts); j++) {
			u32 first = firsts[i];
			u32 last = first + lasts[j];
			const struct {
				u32 tsecr;
				enum outcome want;
			} rows[] = {
				{ first - 1, TSECR },
				{ first, HANDOFF },
				{ last, HANDOFF },
				{ last + 1, TSECR },
				{ first + 0x80000000, TSECR },
			};
			size_t k;

			for (k = 0; k < ARRAY_SIZE(rows); k++) {
				struct hs_tcb tcb = fixture_tcb(ISS, IRS);
				struct hs_segment seg;
				enum outcome want = rows[k].want;

				tcb.tsval_first = first;
				tcb.tsval_last = last;
				seg = final(TS_RECENT, rows[k].tsecr);
				/* 0 is what those send who echo nothing */
				if (!rows[k].tsecr)
					want = HANDOFF;
				arrive_expect("TSecr", &tcb, &seg, &policy, 0,
					      want);
			}
		}
}

static void tsecr_zero(void **state)
{
	(void)state;
	expect_at("TSecr 0", final(TS_RECENT, 0), 0, HANDOFF);
	expect_at("TSecr 0, older", final(TS_RECENT - 1, 0), 0, PAWS);
}

/* SYNPROXY rewrites timestamps; its SYN has a TSecr, a client's has none. */
static void tsecr_of_a_proxy(void **state)
{
	const struct hs_policy policy = fixture_policy();
	struct hs_segment syn = segment(HS_SYN, IRS, 0, 0);
	const struct hs_offer offer = {
		.default_mss = 536,
		.timestamps = true,
	};
	struct hs_actions actions;
	struct hs_segment ack;
	struct hs_tcb tcb;

	(void)state;
	syn = stamped(syn, TS_RECENT, 99);
	ack = final(TS_RECENT, 77);
	hs_tcb_passive_open(&tcb, &syn, &offer, ISS, TS_OFFSET);
	tcb.rcv_wnd = WINDOW;
	hs_synack_first(&tcb, &policy, 0, &actions);
	arrive_expect("TSecr of a proxy", &tcb, &ack, &policy, 0, HANDOFF);
}

static void tsecr_needs_ack(void **state)
{
	(void)state;
	/* RFC 7323 section 3.2: without ACK it means nothing. */
	expect_at("SYN", stamped(segment(HS_SYN, IRS, 0, 0), TS_RECENT, 77), 0,
		  SYNACK);
	expect_at("SYN in window",
		  stamped(segment(HS_SYN, NXT, 0, 0), TS_RECENT, 77), 0,
		  SYN_RESET);
	expect_at("FIN", stamped(segment(HS_FIN, NXT, 0, 0), TS_RECENT, 77), 0,
		  NO_ACK);
	expect_at("ACK", final(TS_RECENT, 77), 0, TSECR);
	expect_at("RST",
		  stamped(segment(HS_RST | HS_ACK, NXT, GOOD, 0), TS_RECENT,
			  77), 0, RST_EXACT);
}

/* Copies widen the range at its upper end, whoever asked for them. */
static void tsecr_follows_copies(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_segment syn = segment(HS_SYN, IRS, 0, 0);
	struct hs_segment seg = final(TS_RECENT, TS_OFFSET + 600);
	struct hs_actions actions;

	(void)state;
	arrive_expect("early", &tcb, &seg, &policy, 10, TSECR);
	assert_int_equal(tcb.tsval_last, TS_OFFSET + 10);
	arrive_expect("copy", &tcb, &syn, &policy, 600, SYNACK);
	arrive_expect("echo", &tcb, &seg, &policy, 610, HANDOFF);
	hs_timer_fires(&tcb, &policy, 1600, &actions);
	assert_int_equal(tcb.tsval_first, TS_OFFSET);
	assert_int_equal(tcb.tsval_last, TS_OFFSET + 1600);
	seg = final(TS_RECENT, TS_OFFSET + 1600);
	arrive_expect("echo of the timer's", &tcb, &seg, &policy, 1610,
		      HANDOFF);
	seg = final(TS_RECENT, TS_OFFSET);
	arrive_expect("echo of the first", &tcb, &seg, &policy, 1620, HANDOFF);
}

/* A peer echoes what it saw last, and that may have been an ACK. */
static void tsecr_follows_acks(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_segment old = segment(HS_ACK, IRS, GOOD, 0);
	struct hs_segment rst = segment(HS_RST, NXT + 1, 0, 0);
	struct hs_segment seg;

	(void)state;
	arrive_expect("old ACK", &tcb, &old, &policy, 700, OUTSIDE);
	seg = final(TS_RECENT, TS_OFFSET + 700);
	arrive_expect("echo of the ACK", &tcb, &seg, &policy, 710, HANDOFF);
	/* An ACK that the limit swallowed was never seen. */
	arrive_expect("limited", &tcb, &rst, &policy, 800, RST_LIMITED);
	seg = final(TS_RECENT, TS_OFFSET + 800);
	arrive_expect("echo of nothing", &tcb, &seg, &policy, 810,
		      TSECR_LIMITED);
	arrive_expect("challenge", &tcb, &rst, &policy, 1200, RST_CHALLENGED);
	seg = final(TS_RECENT, TS_OFFSET + 1200);
	arrive_expect("echo of the challenge", &tcb, &seg, &policy, 1210,
		      HANDOFF);
	seg = final(TS_RECENT, TS_OFFSET);
	arrive_expect("echo of the first", &tcb, &seg, &policy, 1220, HANDOFF);
}

static void stamps_in_every_ack(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_segment seg = segment(HS_ACK, IRS, GOOD, 0);
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_actions actions;

	(void)state;
	/* Even if the peer's clock stood at 0. */
	tcb.ts_recent = 0;
	hs_segment_arrives(&tcb, &seg, &policy, 123, &actions);
	assert_int_equal(actions.reply.opts.present, HS_OPT_TIMESTAMPS);
	assert_int_equal(actions.reply.opts.tsval, TS_OFFSET + 123);
	assert_int_equal(actions.reply.opts.tsecr, 0);
	/* None where none was agreed. */
	tcb = fixture_tcb(ISS, IRS);
	tcb.tstamp_ok = false;
	hs_segment_arrives(&tcb, &seg, &policy, 123, &actions);
	assert_int_equal(actions.reply.opts.present, 0);
	assert_int_equal(actions.reply.flags, HS_ACK);
}

static void copies_have_current_stamps(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_actions actions;
	u32 last = tcb.tsval_last;
	u32 now_ms = 0;

	(void)state;
	while (now_ms < 31000) {
		struct hs_reply want;

		now_ms += hs_rto_ms(1000, 120000, tcb.timeouts);
		want = want_synack(&tcb, now_ms);
		hs_timer_fires(&tcb, &policy, now_ms, &actions);
		expect_reply_equal("copy", &actions.reply, &want);
		assert_true(hs_seq_after(actions.reply.opts.tsval, last));
		last = actions.reply.opts.tsval;
		assert_int_equal(actions.reply.opts.tsecr, TS_RECENT);
	}
}

static void ts_recent_stays(void **state)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_segment seg;

	(void)state;
	seg = stamped(segment(HS_SYN, IRS, 0, 0), TS_RECENT + 500, 0);
	arrive_expect("SYN", &tcb, &seg, &policy, 1000, SYNACK);
	seg = stamped(segment(HS_ACK, NXT + 100, GOOD, 100), TS_RECENT + 900,
		      TS_OFFSET);
	arrive_expect("out of order", &tcb, &seg, &policy, 1100, HANDOFF);
	seg = final(TS_RECENT + 600, TS_OFFSET);
	arrive_expect("in order", &tcb, &seg, &policy, 1200, HANDOFF);
	assert_int_equal(tcb.ts_recent, TS_RECENT);
}

static const struct cm_unit_test tests[] = {
	TEST("SR19 SR21 PAWS: one below, equal, one above, none", paws),
	TEST("TS6 SR19 PAWS around the wrap, and TS.Recent 0", paws_wraps),
	TEST("SR19 no PAWS where no timestamps were agreed", paws_not_agreed),
	TEST("SR19 SR3 PAWS on a copy of the SYN", paws_on_syn),
	TEST("TS7 no PAWS on a RST", paws_not_on_rst),
	TEST("SR20 TSecr one outside and at both bounds", tsecr_range),
	TEST("SR20 TSecr 0 is let through", tsecr_zero),
	TEST("SR20 NF4 no TSecr check behind a proxy", tsecr_of_a_proxy),
	TEST("SR20 TSecr means nothing without ACK or with RST",
	     tsecr_needs_ack),
	TEST("SR20 each copy widens the range of TSecr", tsecr_follows_copies),
	TEST("SR20 RS4 the TSval of an ACK that was sent may be echoed",
	     tsecr_follows_acks),
	TEST("TS1 RS4 timestamps in ACKs even with TS.Recent 0",
	     stamps_in_every_ack),
	TEST("RT13 TS4 each copy has the current TSval",
	     copies_have_current_stamps),
	TEST("TS5 SR16 the core leaves TS.Recent to the native stack",
	     ts_recent_stays),
};

SUITE(timestamps_suite);
