// SPDX-License-Identifier: GPL-2.0
/* What a cookie keeps of the SYN, and what of the SYN-ACK. */
#include "cookies.h"

#define ALL_OPTIONS	(HS_OPT_MSS | HS_OPT_WSCALE | \
			 HS_OPT_SACK_PERMITTED | HS_OPT_TIMESTAMPS)

/* One option after the other away from a SYN that has all. */
#define WITHOUT_ECN	0x10
#define VARIANTS	0x20

static struct hs_segment variant(u32 which)
{
	static const u16 options[] = {
		HS_OPT_MSS, HS_OPT_WSCALE, HS_OPT_SACK_PERMITTED,
		HS_OPT_TIMESTAMPS,
	};
	struct hs_segment syn = cookie_syn();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (which >> i & 1)
			syn.opts.present &= ~options[i];
	if (which & WITHOUT_ECN)
		syn.flags = HS_SYN;
	return syn;
}

/* What only the SYN could tell is gone; all else is as if it had been kept. */
static void expect_kept(const char *cell, const struct hs_tcb *kept,
			const struct hs_tcb *back, const struct hs_segment *ack)
{
	struct hs_tcb want = *kept;

	want.peer_wnd = ack->wnd;
	want.opened_ms = back->opened_ms;
	want.tsecr_ok = want.tstamp_ok;
	want.ts_recent = want.tstamp_ok ? ack->opts.tsval : 0;
	want.ts_offset = want.tstamp_ok ? want.ts_offset : 0;
	expect_tcb_equal(cell, back, &want);
}

static void comes_back(void **state)
{
	static const u32 ages_s[] = { 0, 1, 59, 60 };
	u32 rounds = random_rounds(20000);

	(void)state;
	random_start();
	while (rounds--) {
		struct cookie_host host = cookie_host();
		struct hs_segment syn = variant(random_below(VARIANTS));
		struct hs_tcb kept, back;
		struct hs_segment ack;
		struct hs_reply synack;

		host.tuple = random_u32();
		host.v6 = random_one_in(2);
		host.rcv_wscale = (u8)random_below(HS_WSCALE_MAX + 1);
		host.clock_ms = random_corner();
		host.ts_offset = random_corner();
		host.wall_s += random_u32();
		syn.seq = random_corner();
		syn.opts.mss = (u16)random_below(65535) + 1;
		syn.opts.wscale = (u8)random_below(HS_WSCALE_MAX + 1);
		synack = cookie_answer(&host, &syn, &kept);
		ack = cookie_ack(&synack);
		cookie_wait(&host, ages_s[random_below(ARRAY_SIZE(ages_s))]);
		assert_int_equal(cookie_back(&host, &ack, &back), ACCEPTED);
		expect_kept("cookie", &kept, &back, &ack);
	}
}

/* A handshake that nobody remembers goes on as any other. */
static void completes(void **state)
{
	static const u8 flags[] = { HS_ACK, HS_ACK | HS_PSH, HS_ACK | HS_FIN };
	const struct hs_policy policy = fixture_policy();
	struct cookie_host host = cookie_host();
	struct hs_segment syn = cookie_syn();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct hs_tcb tcb;
		struct hs_reply synack = cookie_answer(&host, &syn, &tcb);
		struct hs_segment ack = cookie_ack(&synack);
		struct hs_actions actions;

		ack.flags = flags[i];
		ack.len = 100;
		assert_int_equal(cookie_back(&host, &ack, &tcb), ACCEPTED);
		assert_int_equal(tcb.opened_ms, host.clock_ms);
		hs_segment_arrives(&tcb, &ack, &policy, host.clock_ms,
				   &actions);
		assert_int_equal(actions.verdict, HS_HANDOFF);
	}
}

static u16 floor_of(const u16 *table, size_t size, u16 mss)
{
	u16 kept = table[0];
	size_t i;

	for (i = 0; i < size; i++)
		if (table[i] <= mss)
			kept = table[i];
	return kept;
}

static u16 mss_back(const struct cookie_host *host,
		    const struct hs_segment *syn)
{
	struct hs_tcb kept, back;
	struct hs_reply synack = cookie_answer(host, syn, &kept);
	struct hs_segment ack = cookie_ack(&synack);

	assert_int_equal(cookie_back(host, &ack, &back), ACCEPTED);
	assert_int_equal(kept.peer_mss, back.peer_mss);
	return back.peer_mss;
}

static void mss_rounded_down(void **state)
{
	static const u16 fine[2][8] = {
		{ 536, 1220, 1300, 1380, 1440, 1452, 1460, 8960 },
		{ 1220, 1300, 1360, 1400, 1420, 1432, 1440, 8940 },
	};
	static const u16 coarse[2][4] = {
		{ 536, 1300, 1440, 1460 }, { 1220, 1360, 1420, 1440 },
	};
	struct cookie_host host = cookie_host();
	struct hs_segment syn = cookie_syn();
	struct hs_segment plain = variant(0x8);
	u32 mss, v6;

	(void)state;
	for (v6 = 0; v6 < 2; v6++)
		for (mss = 1; mss <= 65535; mss += mss < 10000 ? 1 : 997) {
			host.v6 = v6;
			syn.opts.mss = (u16)mss;
			plain.opts.mss = (u16)mss;
			assert_int_equal(mss_back(&host, &syn),
					 floor_of(fine[v6], 8, (u16)mss));
			assert_int_equal(mss_back(&host, &plain),
					 floor_of(coarse[v6], 4, (u16)mss));
		}
}

/* Where packets have the sizes of today, little is lost. */
static void mss_loss(void **state)
{
	struct cookie_host host = cookie_host();
	struct hs_segment syn = cookie_syn();
	u32 v6, mss;

	(void)state;
	for (v6 = 0; v6 < 2; v6++)
		for (mss = 1220; mss <= 1460; mss++) {
			host.v6 = v6;
			syn.opts.mss = (u16)mss;
			assert_in_range(mss_back(&host, &syn) * 100,
					mss * 93, mss * 100);
		}
}

/* The listener's clamp may have come meanwhile. */
static void mss_clamped(void **state)
{
	struct cookie_host host = cookie_host();
	struct hs_segment syn = cookie_syn();
	struct hs_tcb tcb;
	struct hs_reply synack = cookie_answer(&host, &syn, &tcb);
	struct hs_segment ack = cookie_ack(&synack);

	(void)state;
	host.offer.user_mss = 1000;
	assert_int_equal(cookie_back(&host, &ack, &tcb), ACCEPTED);
	assert_int_equal(tcb.peer_mss, 1000);
	host.offer.user_mss = 1461;
	assert_int_equal(cookie_back(&host, &ack, &tcb), ACCEPTED);
	assert_int_equal(tcb.peer_mss, 1460);
}

static void nothing_without_timestamps(void **state)
{
	struct cookie_host host = cookie_host();
	u32 which;

	(void)state;
	for (which = 0; which < 2 * VARIANTS; which++) {
		struct hs_segment syn = variant(which % VARIANTS);
		struct hs_reply synack;
		struct hs_segment ack;
		struct hs_tcb tcb;

		/* either end may be without */
		host.offer.timestamps = which < VARIANTS;
		if (host.offer.timestamps &&
		    (syn.opts.present & HS_OPT_TIMESTAMPS))
			continue;
		synack = cookie_answer(&host, &syn, &tcb);
		assert_int_equal(synack.opts.present, HS_OPT_MSS);
		assert_int_equal(synack.opts.mss, 1460);
		assert_int_equal(synack.flags, HS_SYN | HS_ACK);
		ack = cookie_ack(&synack);
		assert_int_equal(cookie_back(&host, &ack, &tcb), ACCEPTED);
		assert_false(tcb.wscale_ok || tcb.sack_ok || tcb.ecn_ok ||
			     tcb.tstamp_ok || tcb.snd_wscale ||
			     tcb.rcv_wscale);
	}
}

/* Every shift of both ends, or none, with and without SACK and ECN. */
static void options_exact(void **state)
{
	struct cookie_host host = cookie_host();
	u32 snd, rcv, bits;

	(void)state;
	for (snd = 0; snd <= HS_WSCALE_MAX + 1; snd++)
		for (rcv = 0; rcv <= HS_WSCALE_MAX; rcv++)
			for (bits = 0; bits < 4; bits++) {
				bool scaled = snd <= HS_WSCALE_MAX;
				struct hs_segment syn, ack;
				struct hs_reply synack;
				struct hs_tcb tcb;

				syn = variant((scaled ? 0 : 0x2) |
					      (bits & 1 ? 0 : 0x4) |
					      (bits & 2 ? 0 : WITHOUT_ECN));
				syn.opts.wscale = (u8)snd;
				host.rcv_wscale = (u8)rcv;
				synack = cookie_answer(&host, &syn, &tcb);
				ack = cookie_ack(&synack);
				assert_int_equal(cookie_back(&host, &ack, &tcb),
						 ACCEPTED);
				assert_true(tcb.tstamp_ok);
				assert_int_equal(tcb.wscale_ok, scaled);
				assert_int_equal(tcb.snd_wscale,
						 scaled ? snd : 0);
				assert_int_equal(tcb.sack_ok, bits & 1);
				assert_int_equal(tcb.ecn_ok, bits >> 1);
			}
}

/* Never ahead of the clock, so that no later one goes back. */
static void tsval_not_ahead(void **state)
{
	u32 rounds = random_rounds(20000);

	(void)state;
	random_start();
	while (rounds--) {
		struct cookie_host host = cookie_host();
		struct hs_segment syn = variant(random_below(8) & 6);
		struct hs_segment ack;
		struct hs_reply synack;
		struct hs_tcb tcb;
		u32 now, later_s = random_below(61);

		host.clock_ms = random_corner();
		host.ts_offset = random_corner();
		host.v6 = random_one_in(2);
		syn.opts.mss = (u16)random_below(1500) + 1;
		syn.opts.wscale = (u8)random_below(HS_WSCALE_MAX + 1);
		now = host.clock_ms + host.ts_offset;
		synack = cookie_answer(&host, &syn, &tcb);
		assert_in_range(now - synack.opts.tsval, 0, 255);
		assert_int_equal(synack.opts.tsecr, TS_RECENT);
		assert_int_equal(tcb.tsval_first, synack.opts.tsval);
		assert_int_equal(tcb.tsval_last, synack.opts.tsval);

		ack = cookie_ack(&synack);
		cookie_wait(&host, later_s);
		assert_int_equal(cookie_back(&host, &ack, &tcb), ACCEPTED);
		assert_int_equal(tcb.ts_offset, host.ts_offset);
	}
}

/* The bits of the options are covered, those of the time are not. */
static void tsecr_flipped(void **state)
{
	struct cookie_host host = cookie_host();
	u32 which, bit;

	(void)state;
	for (which = 0; which < 8; which += 2)
		for (bit = 0; bit < 32; bit++) {
			struct hs_segment syn = variant(which);
			struct hs_tcb tcb;
			struct hs_reply synack = cookie_answer(&host, &syn,
							       &tcb);
			struct hs_segment ack = cookie_ack(&synack);
			enum cookie_fate fate;

			ack.opts.tsecr ^= 1U << bit;
			fate = cookie_fate(&host, &ack);
			if (bit >= 8)
				assert_int_equal(fate, ACCEPTED);
			else
				assert_in_range(fate, IMPOSSIBLE, INVALID);
		}
}

/* A shift of ours without the peer's has never been sent. */
static void tsecr_impossible(void **state)
{
	struct cookie_host host = cookie_host();
	struct hs_segment syn = cookie_syn();
	struct hs_tcb tcb;
	struct hs_reply synack = cookie_answer(&host, &syn, &tcb);
	struct hs_segment ack = cookie_ack(&synack);
	u32 low;

	(void)state;
	for (low = 0; low < 256; low++) {
		ack.opts.tsecr = (ack.opts.tsecr & ~0xffU) | low;
		assert_int_equal(cookie_fate(&host, &ack) == IMPOSSIBLE,
				 (low & 0x4f) == 0x4f);
	}
}

/* Timestamps that come, or do not, against what was agreed on. */
static void timestamps_changed(void **state)
{
	struct cookie_host host = cookie_host();
	struct hs_segment syn = cookie_syn();
	struct hs_tcb tcb;
	struct hs_reply synack = cookie_answer(&host, &syn, &tcb);
	struct hs_segment ack = cookie_ack(&synack);

	(void)state;
	ack.opts.present = 0;
	assert_int_equal(cookie_fate(&host, &ack), INVALID);

	syn = variant(0x8);
	synack = cookie_answer(&host, &syn, &tcb);
	ack = cookie_ack(&synack);
	assert_int_equal(cookie_fate(&host, &ack), ACCEPTED);
	ack = stamped(ack, 1, 0);
	assert_int_equal(cookie_fate(&host, &ack), INVALID);
}

/* What this end offers does not matter any more. */
static void agreed_holds(void **state)
{
	struct hs_segment syn = cookie_syn();
	int i;

	(void)state;
	for (i = 0; i < 16; i++) {
		struct cookie_host host = cookie_host();
		struct hs_tcb kept, tcb;
		struct hs_reply synack = cookie_answer(&host, &syn, &kept);
		struct hs_segment ack = cookie_ack(&synack);

		host.offer.timestamps = i & 1;
		host.offer.wscale = i & 2;
		host.offer.sack = i & 4;
		host.offer.ecn = i & 8;
		assert_int_equal(cookie_back(&host, &ack, &tcb), ACCEPTED);
		expect_kept("agreed", &kept, &tcb, &ack);
	}
}

/* Demanded by the route, it was there from the begin. */
static void ecn_demanded(void **state)
{
	struct cookie_host host = cookie_host();
	struct hs_segment syn = cookie_syn();
	struct hs_tcb tcb;
	struct hs_reply synack;
	struct hs_segment ack;

	(void)state;
	host.offer.ecn = false;
	host.offer.ecn_always = true;
	synack = cookie_answer(&host, &syn, &tcb);
	assert_int_equal(synack.flags, HS_SYN | HS_ACK | HS_ECE);
	ack = cookie_ack(&synack);
	assert_int_equal(cookie_back(&host, &ack, &tcb), ACCEPTED);
	assert_true(tcb.ecn_ok);
}

/* Whatever the buffers are when the ACK comes. */
static void shift_as_sent(void **state)
{
	struct cookie_host host = cookie_host();
	struct hs_segment syn = cookie_syn();
	u32 before, after;

	(void)state;
	for (before = 0; before <= HS_WSCALE_MAX; before++)
		for (after = 0; after <= HS_WSCALE_MAX; after++) {
			struct hs_segment ack;
			struct hs_reply synack;
			struct hs_tcb tcb;

			host.rcv_wscale = (u8)before;
			synack = cookie_answer(&host, &syn, &tcb);
			assert_int_equal(synack.opts.present, ALL_OPTIONS);
			assert_int_equal(synack.opts.wscale,
					 before > 7 ? 12 : 7);
			host.rcv_wscale = (u8)after;
			ack = cookie_ack(&synack);
			assert_int_equal(cookie_back(&host, &ack, &tcb),
					 ACCEPTED);
			assert_int_equal(tcb.rcv_wscale, synack.opts.wscale);
		}
}

static const struct cm_unit_test tests[] = {
	TEST("CK2 what a cookie keeps comes back from the ACK alone",
	     comes_back),
	TEST("CK14 CK8 data and FIN come with the ACK of a cookie", completes),
	TEST("CK4 the MSS is rounded down to one of 8 values, or of 4 without timestamps",
	     mss_rounded_down),
	TEST("CK4 no MSS between 1220 and 1460 loses more than 7 %", mss_loss),
	TEST("CK4 TCP_MAXSEG holds for a cookie, too", mss_clamped),
	TEST("CK5 without timestamps a cookie has no other option",
	     nothing_without_timestamps),
	TEST("CK6 window scale, SACK and ECN come back exactly",
	     options_exact),
	TEST("CK6 the TSval of a cookie is not ahead of the clock",
	     tsval_not_ahead),
	TEST("CK6 CK8 no option of a cookie can be changed by TSecr",
	     tsecr_flipped),
	TEST("CK6 what no TSval of a cookie says is of none",
	     tsecr_impossible),
	TEST("CK6 timestamps come back if they were agreed on, and only then",
	     timestamps_changed),
	TEST("CK6 what was agreed on holds, though it is not offered any more",
	     agreed_holds),
	TEST("CK6 ECN that the route demands", ecn_demanded),
	TEST("CK7 our window shift is the one sent, however buffers change",
	     shift_as_sent),
};

SUITE(cookie_suite);
