// SPDX-License-Identifier: GPL-2.0
/* From LISTEN to SYN-RECEIVED: what is agreed, and the first SYN-ACK. */
#include "core_test.h"

static const struct hs_offer everything = {
	.default_mss = 536, .sack = true, .timestamps = true, .wscale = true,
	.ecn = true,
};

static struct hs_segment full_syn(void)
{
	struct hs_segment seg = segment(HS_SYN, IRS, 0, 0);

	seg.opts = (struct hs_options) {
		.present = HS_OPT_MSS | HS_OPT_WSCALE | HS_OPT_SACK_PERMITTED |
			   HS_OPT_TIMESTAMPS,
		.mss = 1400,
		.wscale = 7,
		.tsval = TS_RECENT,
	};
	return seg;
}

/* Opens over garbage: what the core forgets to set shows. */
static struct hs_tcb open_flow(const struct hs_segment *seg,
			       const struct hs_offer *offer)
{
	struct hs_tcb tcb;

	memset(&tcb, 0xff, sizeof(tcb));
	hs_tcb_passive_open(&tcb, seg, offer, ISS, TS_OFFSET);
	tcb.rcv_wnd = WINDOW;
	tcb.rcv_wscale = tcb.wscale_ok ? RCV_WSCALE : 0;
	tcb.advertised_mss = 1460;
	return tcb;
}

static struct hs_reply first_synack(struct hs_tcb *tcb, u32 now_ms)
{
	const struct hs_policy policy = fixture_policy();
	struct hs_actions actions;

	memset(&actions, 0xa5, sizeof(actions));
	hs_synack_first(tcb, &policy, now_ms, &actions);
	assert_int_equal(actions.verdict, HS_DROP);
	assert_int_equal(actions.counter, HS_NONE);
	assert_int_equal(actions.sent, THREEWAY_C_sent_synack);
	assert_int_equal(actions.end, HS_NONE);
	assert_int_equal(actions.timer, HS_TIMER_SET);
	assert_int_equal(actions.timer_ms, 1000);
	return actions.reply;
}

static void everything_agreed(void **state)
{
	struct hs_segment seg = full_syn();
	struct hs_tcb tcb = open_flow(&seg, &everything);
	struct hs_tcb want = fixture_tcb(ISS, IRS);
	struct hs_reply reply, want_reply;

	(void)state;
	reply = first_synack(&tcb, 0);
	expect_tcb_equal("open", &tcb, &want);
	want_reply = (struct hs_reply) {
		.seq = ISS, .ack = IRS + 1, .wnd = WINDOW,
		.flags = HS_SYN | HS_ACK,
		.opts = {
			.present = HS_OPT_MSS | HS_OPT_WSCALE |
				   HS_OPT_SACK_PERMITTED | HS_OPT_TIMESTAMPS,
			.mss = 1460, .wscale = RCV_WSCALE,
			.tsval = TS_OFFSET, .tsecr = TS_RECENT,
		},
	};
	expect_reply_equal("first SYN-ACK", &reply, &want_reply);
}

static void nothing_agreed(struct hs_segment seg, struct hs_offer offer)
{
	struct hs_tcb tcb = open_flow(&seg, &offer);
	struct hs_reply reply = first_synack(&tcb, 12345);

	assert_false(tcb.wscale_ok || tcb.sack_ok || tcb.tstamp_ok);
	assert_int_equal(tcb.snd_wscale, 0);
	assert_int_equal(tcb.ts_recent, 0);
	assert_int_equal(reply.opts.present, HS_OPT_MSS);
	assert_int_equal(reply.opts.mss, 1460);
	assert_int_equal(reply.flags, HS_SYN | HS_ACK);
}

static void bare_syn(void **state)
{
	(void)state;
	nothing_agreed(segment(HS_SYN, IRS, 0, 0), everything);
}

static void nothing_offered(void **state)
{
	const struct hs_offer nothing = { .default_mss = 536 };

	(void)state;
	nothing_agreed(full_syn(), nothing);
}

/* One option at a time, from either side. */
static void option_switches(void **state)
{
	static const u16 bits[] = {
		HS_OPT_WSCALE, HS_OPT_SACK_PERMITTED, HS_OPT_TIMESTAMPS,
	};
	u32 wanted, came;

	(void)state;
	for (wanted = 0; wanted < 8; wanted++)
		for (came = 0; came < 8; came++) {
			struct hs_offer offer = {
				.default_mss = 536,
				.wscale = wanted & 1,
				.sack = wanted & 2,
				.timestamps = wanted & 4,
			};
			struct hs_segment seg = full_syn();
			struct hs_reply reply;
			struct hs_tcb tcb;
			u16 want = HS_OPT_MSS;
			size_t i;

			for (i = 0; i < ARRAY_SIZE(bits); i++) {
				if (!(came & 1U << i))
					seg.opts.present &= (u16)~bits[i];
				else if (wanted & 1U << i)
					want |= bits[i];
			}
			tcb = open_flow(&seg, &offer);
			reply = first_synack(&tcb, 0);
			assert_int_equal(reply.opts.present, want);
			assert_int_equal(tcb.snd_wscale,
					 want & HS_OPT_WSCALE ? 7 : 0);
			assert_int_equal(tcb.ts_recent,
					 want & HS_OPT_TIMESTAMPS ? TS_RECENT :
					 0);
		}
}

static void shift_zero_is_an_offer(void **state)
{
	struct hs_segment seg = full_syn();
	struct hs_tcb tcb;

	(void)state;
	seg.opts.wscale = 0;
	tcb = open_flow(&seg, &everything);
	assert_true(tcb.wscale_ok);
	assert_int_equal(tcb.snd_wscale, 0);
	tcb.rcv_wscale = 0;
	assert_true(first_synack(&tcb, 0).opts.present & HS_OPT_WSCALE);
}

static u16 peer_mss(u16 announced, u16 user_mss, u16 default_mss)
{
	struct hs_segment seg = segment(HS_SYN, IRS, 0, 0);
	struct hs_offer offer = everything;

	if (announced) {
		seg.opts.present = HS_OPT_MSS;
		seg.opts.mss = announced;
	}
	offer.user_mss = user_mss;
	offer.default_mss = default_mss;
	return open_flow(&seg, &offer).peer_mss;
}

static void mss_of_the_peer(void **state)
{
	(void)state;
	assert_int_equal(peer_mss(1400, 0, 536), 1400);
	assert_int_equal(peer_mss(1, 0, 536), 1);
	assert_int_equal(peer_mss(65535, 0, 536), 65535);
	assert_int_equal(peer_mss(0, 0, 536), 536);
	assert_int_equal(peer_mss(0, 0, 1220), 1220);
	/* TCP_MAXSEG lowers what was announced, never raises it ... */
	assert_int_equal(peer_mss(1400, 1000, 536), 1000);
	assert_int_equal(peer_mss(1400, 1400, 536), 1400);
	assert_int_equal(peer_mss(900, 1000, 536), 900);
	/* ... and leaves the default alone. */
	assert_int_equal(peer_mss(0, 400, 536), 536);
}

static bool ecn_agreed(u8 flags, bool ecn_capable, bool ae, bool offered,
		       bool always)
{
	struct hs_segment seg = segment(HS_SYN | flags, IRS, 0, 0);
	struct hs_offer offer = {
		.default_mss = 536, .ecn = offered, .ecn_always = always,
	};
	struct hs_reply reply;
	struct hs_tcb tcb;

	seg.ecn_capable = ecn_capable;
	seg.ae = ae;
	tcb = open_flow(&seg, &offer);
	reply = first_synack(&tcb, 0);
	assert_int_equal(reply.flags, HS_SYN | HS_ACK |
			 (tcb.ecn_ok ? HS_ECE : 0));
	return tcb.ecn_ok;
}

static void ecn_setup(void **state)
{
	const u8 both = HS_ECE | HS_CWR;

	(void)state;
	assert_false(ecn_agreed(0, false, false, true, false));
	assert_false(ecn_agreed(HS_ECE, false, false, true, false));
	assert_false(ecn_agreed(HS_CWR, false, false, true, false));
	assert_true(ecn_agreed(both, false, false, true, false));
	assert_false(ecn_agreed(both, false, false, false, false));
	assert_true(ecn_agreed(both, false, false, false, true));
	assert_false(ecn_agreed(HS_ECE, false, false, true, true));
	assert_false(ecn_agreed(HS_CWR, false, false, true, true));
}

static void ecn_capable_syn(void **state)
{
	const u8 both = HS_ECE | HS_CWR;

	(void)state;
	assert_false(ecn_agreed(both, true, false, true, false));
	assert_true(ecn_agreed(both, true, true, true, false));
	assert_false(ecn_agreed(both, true, true, false, false));
	assert_true(ecn_agreed(both, true, false, true, true));
	assert_true(ecn_agreed(both, true, false, false, true));
}

/* AE, CWR, ECE of a SYN: only with both of the last two is it ECN. */
static void ecn_accurate(void **state)
{
	u32 bits;

	(void)state;
	for (bits = 0; bits < 8; bits++) {
		u8 flags = (bits & 2 ? HS_CWR : 0) | (bits & 1 ? HS_ECE : 0);

		assert_int_equal(ecn_agreed(flags, false, bits & 4, true,
					    false), (bits & 3) == 3);
	}
}

static void irs_corners(void **state)
{
	static const u32 corners[] = {
		0, 1, 0x7fffffff, 0x80000000, 0xffffffff,
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(corners); i++)
		for (j = 0; j < ARRAY_SIZE(corners); j++) {
			struct hs_segment seg = segment(HS_SYN, corners[i], 0,
							3);
			struct hs_reply reply;
			struct hs_tcb tcb;

			memset(&tcb, 0, sizeof(tcb));
			hs_tcb_passive_open(&tcb, &seg, &everything,
					    corners[j], 0);
			reply = first_synack(&tcb, 0);
			assert_int_equal(reply.seq, corners[j]);
			/* Data on the SYN are not acknowledged. */
			assert_int_equal(reply.ack, (u32)(corners[i] + 1));
		}
}

static void window_unscaled(void **state)
{
	static const u32 windows[] = { 0, 1, 0x7fff, 0x8000, 65535 };
	struct hs_segment seg = full_syn();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		struct hs_tcb tcb = open_flow(&seg, &everything);

		tcb.rcv_wnd = windows[i];
		assert_int_equal(first_synack(&tcb, 0).wnd, windows[i]);
	}
}

static void tsval_of_the_first(void **state)
{
	struct hs_segment seg = full_syn();
	struct hs_tcb tcb = open_flow(&seg, &everything);
	struct hs_reply reply;

	(void)state;
	tcb.ts_offset = 0xffffff00;
	reply = first_synack(&tcb, 0x200);
	assert_int_equal(reply.opts.tsval, 0x100);
	assert_int_equal(tcb.tsval_first, 0x100);
	assert_int_equal(tcb.tsval_last, 0x100);
}

/* What the caller may have filled in before stays. */
static void caller_fields_stay(void **state)
{
	struct hs_segment seg = full_syn();
	struct hs_tcb tcb = {
		.rcv_wnd = 777, .rcv_wscale = 5, .advertised_mss = 1234,
	};

	(void)state;
	hs_tcb_passive_open(&tcb, &seg, &everything, ISS, TS_OFFSET);
	assert_int_equal(tcb.rcv_wnd, 777);
	assert_int_equal(tcb.rcv_wscale, 5);
	assert_int_equal(tcb.advertised_mss, 1234);
}

static const struct cm_unit_test tests[] = {
	TEST("LI3 TS1 TS5 WI2 everything offered and wanted is agreed",
	     everything_agreed),
	TEST("LI3 WI2 TS1 a SYN without options agrees to none", bare_syn),
	TEST("OP12 nothing wanted, nothing agreed", nothing_offered),
	TEST("OP12 WI2 TS1 each option from either side", option_switches),
	TEST("WI2 shift 0 is still an offer", shift_zero_is_an_offer),
	TEST("OP10 PM the MSS of the peer", mss_of_the_peer),
	TEST("EC1 ECN needs ECE and CWR, the SYN-ACK has ECE alone",
	     ecn_setup),
	TEST("EC3 no ECN for an ECN-capable SYN without AE", ecn_capable_syn),
	TEST("EC4 AE, CWR and ECE of a SYN", ecn_accurate),
	TEST("LI3 LI6 IS10 SQ1 ISS and IRS at the corners", irs_corners),
	TEST("WI1 WI6 the window of a SYN-ACK is not scaled",
	     window_unscaled),
	TEST("SR20 TS4 the first TSval is remembered", tsval_of_the_first),
	TEST("WI3 window, shift and MSS of the caller stay",
	     caller_fields_stay),
};

SUITE(open_suite);
