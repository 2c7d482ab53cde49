// SPDX-License-Identifier: GPL-2.0
/* Following a handshake that somebody else does. */
#include <stdio.h>

#include "core_test.h"

#include "follow.h"

#define SENT		THREEWAY_SYN_SENT
#define RECEIVED	THREEWAY_SYN_RECEIVED
#define NOW_MS		4711U
#define NXT		(IRS + 1)

#define WSCALE		HS_OPT_WSCALE
#define SACK		HS_OPT_SACK_PERMITTED
#define STAMPS		HS_OPT_TIMESTAMPS
#define ALL		(HS_OPT_MSS | WSCALE | SACK | STAMPS)
#define SETUP		(HS_ECE | HS_CWR)

/* A segment of either end, with some of the options. */
static struct hs_segment opening(u8 flags, u32 seq, u32 ack, u16 present)
{
	struct hs_segment seg = with_options(segment(flags, seq, ack, 0));

	seg.opts.present = present;
	if (!(present & HS_OPT_MSS))
		seg.opts.mss = 0;
	if (!(present & WSCALE))
		seg.opts.wscale = 0;
	return seg;
}

static struct hs_tcb following_active(u16 present)
{
	struct hs_segment syn = opening(HS_SYN, ISS, 0, present);
	struct hs_tcb tcb;

	memset(&tcb, 0xa5, sizeof(tcb));
	hs_follow_active(&tcb, &syn, NOW_MS);
	return tcb;
}

static struct hs_tcb following_passive(u16 present)
{
	struct hs_segment syn = opening(HS_SYN, IRS, 0, present);
	struct hs_tcb tcb;

	memset(&tcb, 0xa5, sizeof(tcb));
	hs_follow_passive(&tcb, &syn, NOW_MS);
	return tcb;
}

static enum hs_followed sent(struct hs_tcb *tcb, struct hs_segment seg)
{
	return hs_follow_sent(tcb, &seg);
}

static void arrived(struct hs_tcb *tcb, struct hs_segment seg)
{
	hs_follow_arrived(tcb, &seg);
}

static void expect_numbers(const struct hs_tcb *tcb, u8 state, u32 iss, u32 irs)
{
	assert_int_equal(tcb->state, state);
	assert_int_equal(tcb->iss, iss);
	assert_int_equal(tcb->irs, irs);
	assert_int_equal(tcb->opened_ms, NOW_MS);
}

static void active_open(void **state)
{
	struct hs_tcb tcb = following_active(ALL);

	(void)state;
	expect_numbers(&tcb, SENT, ISS, 0);
	assert_true(tcb.active);
	assert_int_equal(tcb.rcv_wnd, 512);
	assert_int_equal(tcb.advertised_mss, 1400);
	assert_int_equal(sent(&tcb, opening(HS_SYN, ISS, 0, ALL)),
			 HS_FOLLOWED_COPY);
	assert_int_equal(tcb.retransmits, 1);
	arrived(&tcb, opening(HS_SYN | HS_ACK, IRS, ISS + 1, ALL));
	/* it is over when the followed end says so */
	expect_numbers(&tcb, SENT, ISS, IRS);
	assert_int_equal(tcb.peer_mss, 1400);
	assert_int_equal(tcb.peer_wnd, 512);
	assert_int_equal(tcb.snd_wscale, 7);
	assert_int_equal(sent(&tcb, segment(HS_ACK, ISS + 1, NXT, 0)),
			 HS_FOLLOWED_OTHER);
	assert_int_equal(sent(&tcb, segment(HS_ACK | HS_PSH, ISS + 1, NXT,
					    100)), HS_FOLLOWED_OTHER);
	assert_int_equal(tcb.retransmits, 1);
}

static void passive_open(void **state)
{
	struct hs_tcb tcb = following_passive(ALL);
	int i;

	(void)state;
	expect_numbers(&tcb, THREEWAY_LISTEN, 0, IRS);
	assert_false(tcb.active);
	assert_int_equal(tcb.peer_mss, 1400);
	assert_int_equal(sent(&tcb, opening(HS_SYN | HS_ACK, ISS, NXT, ALL)),
			 HS_FOLLOWED_FIRST);
	expect_numbers(&tcb, RECEIVED, ISS, IRS);
	assert_int_equal(tcb.retransmits, 0);
	for (i = 1; i <= 300; i++) {
		assert_int_equal(sent(&tcb, opening(HS_SYN | HS_ACK, ISS, NXT,
						    ALL)), HS_FOLLOWED_COPY);
		assert_int_equal(tcb.retransmits, i < 255 ? i : 255);
	}
	expect_numbers(&tcb, RECEIVED, ISS, IRS);
}

/* RFC 9293 figure 8: the SYN that crossed ours is answered by a SYN-ACK. */
static void simultaneous_open(void **state)
{
	struct hs_tcb tcb = following_active(ALL);

	(void)state;
	arrived(&tcb, opening(HS_SYN, IRS, 0, ALL));
	expect_numbers(&tcb, SENT, ISS, IRS);
	assert_int_equal(sent(&tcb, opening(HS_SYN | HS_ACK, ISS, NXT, ALL)),
			 HS_FOLLOWED_FIRST);
	expect_numbers(&tcb, RECEIVED, ISS, IRS);
	assert_true(tcb.active);
	arrived(&tcb, opening(HS_SYN | HS_ACK, IRS + 77, ISS + 1, ALL));
	expect_numbers(&tcb, RECEIVED, ISS, IRS);
	assert_int_equal(sent(&tcb, opening(HS_SYN | HS_ACK, ISS, NXT, ALL)),
			 HS_FOLLOWED_COPY);
}

static void expect_agreed(const char *cell, const struct hs_tcb *tcb,
			  u16 agreed, u8 snd_wscale)
{
	bool scaled = agreed & WSCALE;

	if (tcb->wscale_ok != scaled || tcb->sack_ok != !!(agreed & SACK) ||
	    tcb->tstamp_ok != !!(agreed & STAMPS))
		FAIL("%s: window scale %d SACK %d timestamps %d, not %#x", cell,
		     tcb->wscale_ok, tcb->sack_ok, tcb->tstamp_ok, agreed);
	if (tcb->snd_wscale != (scaled ? snd_wscale : 0) ||
	    (!scaled && tcb->rcv_wscale))
		FAIL("%s: shifts %u and %u", cell, tcb->snd_wscale,
		     tcb->rcv_wscale);
}

static void options_agreed(void **state)
{
	u16 offer, answer;
	struct hs_tcb tcb;
	char cell[64];

	(void)state;
	for (offer = 0; offer <= ALL; offer++) {
		for (answer = 0; answer <= ALL; answer++) {
			snprintf(cell, sizeof(cell), "offer %#x answer %#x",
				 offer, answer);
			tcb = following_active(offer);
			arrived(&tcb, opening(HS_SYN | HS_ACK, IRS, ISS + 1,
					      answer));
			expect_agreed(cell, &tcb, offer & answer, 7);
			tcb = following_passive(offer);
			sent(&tcb, opening(HS_SYN | HS_ACK, ISS, NXT, answer));
			expect_agreed(cell, &tcb, offer & answer, 7);
			/* a crossing SYN answers nothing, our SYN-ACK does */
			tcb = following_active(ALL);
			arrived(&tcb, opening(HS_SYN, IRS, 0, offer));
			sent(&tcb, opening(HS_SYN | HS_ACK, ISS, NXT,
					   offer & answer));
			expect_agreed(cell, &tcb, offer & answer, 7);
		}
	}
}

static void ecn_agreed(void **state)
{
	static const u8 bits[] = { 0, HS_ECE, HS_CWR, SETUP };
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		for (j = 0; j < ARRAY_SIZE(bits); j++) {
			struct hs_segment syn = segment(HS_SYN | bits[i], ISS,
							0, 0);
			bool want = bits[i] == SETUP && bits[j] == HS_ECE;
			struct hs_tcb tcb;

			hs_follow_active(&tcb, &syn, NOW_MS);
			arrived(&tcb, segment(HS_SYN | HS_ACK | bits[j], IRS,
					      ISS + 1, 0));
			if (tcb.ecn_ok != want)
				FAIL("active, SYN %#x SYN-ACK %#x: ECN %d",
				     bits[i], bits[j], tcb.ecn_ok);
			syn.seq = IRS;
			hs_follow_passive(&tcb, &syn, NOW_MS);
			sent(&tcb, segment(HS_SYN | HS_ACK | bits[j], ISS, NXT,
					   0));
			if (tcb.ecn_ok != want)
				FAIL("passive, SYN %#x SYN-ACK %#x: ECN %d",
				     bits[i], bits[j], tcb.ecn_ok);
		}
	}
}

/* A listener that answers by cookies has no ISS of its own. */
static void later_cookie(void **state)
{
	struct hs_tcb tcb = following_passive(ALL);

	(void)state;
	sent(&tcb, opening(HS_SYN | HS_ACK, ISS, NXT, ALL));
	assert_int_equal(sent(&tcb, opening(HS_SYN | HS_ACK, ISS + 5000, NXT,
					    HS_OPT_MSS)), HS_FOLLOWED_COPY);
	expect_numbers(&tcb, RECEIVED, ISS + 5000, IRS);
	expect_agreed("cookie", &tcb, 0, 0);
}

static void data_on_the_syn(void **state)
{
	static const u32 lens[] = { 0, 1, 1400, 65000 };
	size_t i;
	int off;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		struct hs_segment syn = segment(HS_SYN, ISS, 0, lens[i]);

		for (off = -1; off <= 1; off++) {
			u32 ack = ISS + 1 + lens[i] + off;
			bool good = ack - (ISS + 1) <= lens[i];
			struct hs_tcb tcb;

			hs_follow_active(&tcb, &syn, NOW_MS);
			arrived(&tcb, segment(HS_SYN | HS_ACK, IRS, ack, 0));
			if (tcb.irs != (good ? IRS : 0))
				FAIL("%u octets, SEG.ACK ISS + %u: IRS %#x",
				     lens[i], ack - ISS, tcb.irs);
		}
	}
}

/* Nobody but the followed end's own segments may move it. */
static void hostile_segments(void **state)
{
	static const u32 acks[] = {
		ISS - 1, ISS, ISS + 2, ISS + 0x80000000, 0, 0xffffffff,
	};
	struct hs_tcb tcbs[] = {
		following_active(ALL), following_passive(ALL),
		following_passive(ALL), following_active(ALL),
	};
	struct hs_tcb got;
	u32 flags;
	size_t i, j;

	(void)state;
	sent(&tcbs[2], opening(HS_SYN | HS_ACK, ISS, NXT, ALL));
	arrived(&tcbs[3], opening(HS_SYN, IRS, 0, ALL));
	sent(&tcbs[3], opening(HS_SYN | HS_ACK, ISS, NXT, ALL));
	for (flags = 0; flags < 256; flags++) {
		for (i = 0; i < ARRAY_SIZE(tcbs); i++) {
			/* a crossing SYN is heard */
			if (!i && (flags & (HS_SYN | HS_ACK | HS_RST)) == HS_SYN)
				continue;
			for (j = 0; j < ARRAY_SIZE(acks); j++) {
				got = tcbs[i];
				arrived(&got, opening(flags, IRS + 9, acks[j],
						      0));
				expect_tcb_equal("hostile", &got, &tcbs[i]);
			}
		}
	}
}

/* A SYN-ACK with a bad ACK does not spoil what the good one says later. */
static void bad_then_good(void **state)
{
	struct hs_tcb tcb = following_active(ALL);

	(void)state;
	arrived(&tcb, opening(HS_SYN | HS_ACK, IRS + 9, ISS + 2, 0));
	arrived(&tcb, opening(HS_SYN | HS_ACK | HS_RST, IRS + 9, ISS + 1, 0));
	arrived(&tcb, opening(HS_SYN | HS_ACK, IRS, ISS + 1, ALL));
	expect_numbers(&tcb, SENT, ISS, IRS);
	expect_agreed("after a bad one", &tcb, ALL, 7);
}

static void expect_reset(const char *cell, const struct hs_tcb *tcb, u8 flags,
			 u32 seq, u32 ack, bool want)
{
	struct hs_segment seg = segment(flags, seq, ack, 0);

	if (hs_follow_reset(tcb, &seg) != want)
		FAIL("%s, flags %#x seq %#x ack %#x: not %d", cell, flags, seq,
		     ack, want);
}

static void resets(void **state)
{
	struct hs_tcb tcb = following_active(ALL);
	struct hs_tcb listen = following_passive(ALL);

	(void)state;
	expect_reset("SYN-SENT", &tcb, HS_RST | HS_ACK, 0, ISS + 1, true);
	expect_reset("SYN-SENT", &tcb, HS_RST | HS_ACK, 0, ISS, false);
	expect_reset("SYN-SENT", &tcb, HS_RST | HS_ACK, 0, ISS + 2, false);
	expect_reset("SYN-SENT", &tcb, HS_RST, 0, 0, false);
	expect_reset("SYN-SENT", &tcb, HS_ACK, 0, ISS + 1, false);
	expect_reset("LISTEN", &listen, HS_RST, NXT, 0, false);
	tcb = listen;
	sent(&tcb, opening(HS_SYN | HS_ACK, ISS, NXT, ALL));
	expect_reset("SYN-RECEIVED", &tcb, HS_RST, NXT, 0, true);
	expect_reset("SYN-RECEIVED", &tcb, HS_RST | HS_ACK, NXT, 0, true);
	expect_reset("SYN-RECEIVED", &tcb, HS_RST, NXT + 512, 0, true);
	expect_reset("SYN-RECEIVED", &tcb, HS_RST, NXT + 513, 0, false);
	expect_reset("SYN-RECEIVED", &tcb, HS_RST, IRS, 0, false);
	expect_reset("SYN-RECEIVED", &tcb, HS_ACK, NXT, ISS + 1, false);
}

static void expect_complete(const char *cell, const struct hs_tcb *tcb,
			    u8 flags, u32 seq, u32 ack, bool want)
{
	struct hs_segment seg = segment(flags, seq, ack, 0);

	if (hs_follow_completes(tcb, &seg) != want)
		FAIL("%s, flags %#x seq %#x ack %#x: not %d", cell, flags, seq,
		     ack, want);
}

static void completing_segments(void **state)
{
	const u8 synack = HS_SYN | HS_ACK;
	struct hs_tcb active = following_active(ALL);
	struct hs_tcb passive = following_passive(ALL);
	struct hs_tcb crossed = active;
	int ack;

	(void)state;
	expect_complete("LISTEN", &passive, HS_ACK, NXT, 1, false);
	sent(&passive, opening(synack, ISS, NXT, ALL));
	arrived(&crossed, opening(HS_SYN, IRS, 0, ALL));
	sent(&crossed, opening(synack, ISS, NXT, ALL));
	for (ack = 0; ack < 3; ack++) {
		bool good = ack == 1;

		expect_complete("SYN-SENT", &active, synack, IRS, ISS + ack,
				good);
		expect_complete("SYN-SENT", &active, HS_ACK, IRS, ISS + ack,
				false);
		expect_complete("SYN-SENT", &active, synack | HS_RST, IRS,
				ISS + ack, false);
		expect_complete("passive", &passive, HS_ACK, NXT, ISS + ack,
				good);
		expect_complete("passive", &passive, HS_ACK | HS_FIN, NXT,
				ISS + ack, good);
		expect_complete("passive", &passive, synack, NXT, ISS + ack,
				false);
		expect_complete("passive", &passive, HS_ACK | HS_RST, NXT,
				ISS + ack, false);
		expect_complete("crossed", &crossed, synack, IRS, ISS + ack,
				good);
		expect_complete("crossed", &crossed, HS_ACK, NXT, ISS + ack,
				good);
	}
	expect_complete("no ACK", &passive, 0, NXT, ISS + 1, false);
	expect_complete("right edge", &passive, HS_ACK, IRS + 512, ISS + 1,
			true);
	expect_complete("beyond", &passive, HS_ACK, IRS + 513, ISS + 1, false);
	expect_complete("before", &passive, HS_ACK, IRS - 1, ISS + 1, false);
}

static const struct cm_unit_test tests[] = {
	TEST("NF9 an active open is followed", active_open),
	TEST("NF9 a passive open is followed, its copies counted",
	     passive_open),
	TEST("NF9 SM1 a simultaneous open is followed", simultaneous_open),
	TEST("NF9 SS13 what both ends offer is agreed, and no more",
	     options_agreed),
	TEST("NF9 EC6 ECN is agreed by ECE alone", ecn_agreed),
	TEST("NF9 CK1 the latest SYN cookie is the ISS", later_cookie),
	TEST("NF9 SS11 an ACK of data on the SYN is followed",
	     data_on_the_syn),
	TEST("NF9 SS2 segments that are not acceptable move nothing",
	     hostile_segments),
	TEST("NF9 SS2 a bad SYN-ACK spoils nothing", bad_then_good),
	TEST("NF9 SS5 SR6 which RST may end it", resets),
	TEST("NF9 SS1 SR1 SM2 SM3 which segment may complete it",
	     completing_segments),
};

SUITE(follow_suite);
