// SPDX-License-Identifier: GPL-2.0
/* How long a cookie is good, where, and for whom. */
#include "cookies.h"

#define PERIOD_S	64
#define SKEW_S		4
#define CLASSES		4

/* Each second of a period, each age: two periods, less the skew of clocks. */
static void lifetime(void **state)
{
	struct hs_segment syn = cookie_syn();
	u32 phase, age;

	(void)state;
	for (phase = 0; phase < PERIOD_S; phase++)
		for (age = 0; age < 400; age++) {
			struct cookie_host host = cookie_host();
			bool good = phase + age + SKEW_S < 2 * PERIOD_S;
			struct hs_reply synack;
			struct hs_segment ack;
			struct hs_tcb tcb;

			cookie_wait(&host, phase);
			synack = cookie_answer(&host, &syn, &tcb);
			ack = cookie_ack(&synack);
			cookie_wait(&host, age);
			if (cookie_fate(&host, &ack) !=
			    (good ? ACCEPTED : INVALID))
				FAIL("made at %u s, %u s old", phase, age);
			/* so the least and the most are */
			if (age <= 60)
				assert_true(good);
			if (age >= HS_COOKIE_LIFETIME_S)
				assert_false(good);
		}
}

static void period_edge(void **state)
{
	struct hs_segment syn = cookie_syn();
	u32 phase;

	(void)state;
	/* from 4 s before the end, that of the checker, to that of the maker */
	for (phase = PERIOD_S - SKEW_S - 2; phase < PERIOD_S + 2; phase++) {
		struct cookie_host host = cookie_host();
		struct hs_reply synack;
		struct hs_segment ack;
		struct hs_tcb tcb;

		cookie_wait(&host, phase);
		synack = cookie_answer(&host, &syn, &tcb);
		ack = cookie_ack(&synack);
		assert_int_equal(cookie_fate(&host, &ack), ACCEPTED);
		cookie_wait(&host, 1);
		assert_int_equal(cookie_fate(&host, &ack), ACCEPTED);
	}
}

/* The count of periods may wrap, or begin. */
static void count_wraps(void **state)
{
	static const u64 starts_s[] = {
		0, 64, 0x100000000ULL * 64 - 64, 0x100000000ULL * 64 - 1,
	};
	struct hs_segment syn = cookie_syn();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(starts_s); i++) {
		struct cookie_host host = cookie_host();
		struct hs_reply synack;
		struct hs_segment ack;
		struct hs_tcb tcb;

		host.wall_s = starts_s[i];
		host.from = hs_cookie_count(host.wall_s);
		synack = cookie_answer(&host, &syn, &tcb);
		ack = cookie_ack(&synack);
		assert_int_equal(cookie_fate(&host, &ack), ACCEPTED);
		cookie_wait(&host, 60);
		assert_int_equal(cookie_fate(&host, &ack), ACCEPTED);
		cookie_wait(&host, 64);
		assert_int_equal(cookie_fate(&host, &ack), INVALID);
	}
}

static void secrets_wrap(void **state)
{
	struct hs_cookie cookie = { .count = 0 };

	(void)state;
	assert_false(hs_cookie_secret_old(&cookie, -1U));
	assert_true(hs_cookie_secret_old(&cookie, 1));
	assert_true(hs_cookie_secret_settled(0, -1U));
	assert_false(hs_cookie_secret_settled(-1U, 0));
	cookie.count = -1U;
	assert_true(hs_cookie_secret_old(&cookie, 0));
	assert_true(hs_cookie_secret_old(&cookie, 1));
}

/* A copy of the SYN gets a copy of the SYN-ACK, until the period ends. */
static void copies(void **state)
{
	struct cookie_host host = cookie_host();
	struct hs_segment syn = cookie_syn();
	struct hs_tcb tcb;
	struct hs_reply first = cookie_answer(&host, &syn, &tcb);
	struct hs_reply copy;

	(void)state;
	cookie_wait(&host, 3);
	copy = cookie_answer(&host, &syn, &tcb);
	assert_int_equal(copy.seq, first.seq);
	assert_in_range(copy.opts.tsval - first.opts.tsval, 3000 - 255,
			3000 + 255);
	first.opts.tsval = copy.opts.tsval;
	expect_reply_equal("copy", &copy, &first);
	cookie_wait(&host, 61);
	copy = cookie_answer(&host, &syn, &tcb);
	assert_int_not_equal(copy.seq, first.seq);
}

/* The same ACK twice: nobody remembers the first. */
static void again(void **state)
{
	struct cookie_host host = cookie_host();
	struct hs_segment syn = cookie_syn();
	struct hs_tcb tcb;
	struct hs_reply synack = cookie_answer(&host, &syn, &tcb);
	struct hs_segment ack = cookie_ack(&synack);
	u32 s;

	(void)state;
	for (s = 0; s < 124; s++) {
		assert_int_equal(cookie_fate(&host, &ack), ACCEPTED);
		cookie_wait(&host, 1);
	}
	assert_int_equal(cookie_fate(&host, &ack), INVALID);
}

static void flags(void **state)
{
	struct cookie_host host = cookie_host();
	struct hs_segment syn = cookie_syn();
	struct hs_tcb tcb;
	struct hs_reply synack = cookie_answer(&host, &syn, &tcb);
	struct hs_segment ack = cookie_ack(&synack);
	u32 flags;

	(void)state;
	for (flags = 0; flags < 256; flags++) {
		bool can = (flags & HS_ACK) && !(flags & (HS_SYN | HS_RST));

		ack.flags = (u8)flags;
		assert_int_equal(cookie_fate(&host, &ack),
				 can ? ACCEPTED : IMPOSSIBLE);
	}
}

/* Each bit of SEG.SEQ and SEG.ACK, their neighbours, and another tuple. */
static void changed(void **state)
{
	u32 which, bit;

	(void)state;
	for (which = 0; which < 2; which++) {
		struct cookie_host host = cookie_host();
		struct hs_segment syn = cookie_syn();
		struct hs_reply synack;
		struct hs_segment ack, bad;
		struct hs_tcb tcb;

		if (which)
			syn.opts.present = HS_OPT_MSS;
		synack = cookie_answer(&host, &syn, &tcb);
		ack = cookie_ack(&synack);
		for (bit = 0; bit < 34; bit++) {
			u32 flip = 1U << (bit & 31);

			bad = ack;
			bad.seq = bit < 32 ? bad.seq ^ flip :
					     bad.seq + 2 * (bit & 1) - 1;
			assert_int_equal(cookie_fate(&host, &bad), INVALID);
			bad = ack;
			bad.ack = bit < 32 ? bad.ack ^ flip :
					     bad.ack + 2 * (bit & 1) - 1;
			assert_int_equal(cookie_fate(&host, &bad), INVALID);
		}
		host.tuple++;
		assert_int_equal(cookie_fate(&host, &ack), INVALID);
	}
}

/* All ISSs that are valid for one hash each of the cookies that can be. */
static u32 count_valid(const struct hs_segment *like, u64 now_s, u32 entropy,
		       const u64 hashes[2 * CLASSES])
{
	u32 tags = 1U << entropy, valid = 0;
	u32 tag, low;

	for (tag = 0; tag < tags; tag++)
		for (low = 0; low < 2 * CLASSES; low++) {
			struct hs_segment ack = *like;
			struct hs_cookie cookie;
			u32 which;

			ack.ack = (tag << 3 | low) + 1;
			if (!hs_cookie_read(&cookie, &ack, now_s))
				continue;
			which = (cookie.data >> 8 & (CLASSES - 1)) |
				(cookie.count & 1) * CLASSES;
			valid += hs_cookie_valid(&cookie, hashes[which], &ack);
		}
	return valid;
}

/*
 * The tag has 29 bits, too many to try them all; so the hash has only 9 bits
 * here. Of the ISSs that have no other bits in the tag 8 are valid, one of each
 * period and class, whatever the hash says: as no more bits of the ISS are
 * looked at than these, 8 of 2^32 are where the hash has them all.
 */
static void eight_valid(void **state)
{
	struct hs_segment ack = segment(HS_ACK, IRS + 1, 0, 0);
	u32 rounds = random_rounds(300);

	(void)state;
	random_start();
	while (rounds--) {
		u64 hashes[2 * CLASSES];
		u32 i;

		for (i = 0; i < ARRAY_SIZE(hashes); i++)
			hashes[i] = random_u32() & 0x1ff;
		assert_int_equal(count_valid(&ack, random_u32(), 9, hashes),
				 8);
		ack = stamped(ack, 0, random_u32() & ~0xffU);
		assert_int_equal(count_valid(&ack, random_u32(), 9, hashes),
				 8);
		/* a bit of the tag that is not looked at would add some */
		hashes[random_below(8)] |= 1U << (9 + random_below(20));
		assert_int_equal(count_valid(&ack, random_u32(), 9, hashes),
				 7);
	}
}

/* Whoever knows all but 9 bits of the tag has 8 chances in 2^12. */
static void guessed(void **state)
{
	struct cookie_host host = cookie_host();
	u32 rounds = random_rounds(1000000), found = 0, n;

	(void)state;
	random_start();
	for (n = 0; n < rounds; n++) {
		struct hs_segment ack = segment(HS_ACK, random_u32(),
						random_below(1U << 12), 0);
		struct hs_cookie cookie;

		if (n & 1)
			ack = stamped(ack, 0, random_u32());
		if (hs_cookie_read(&cookie, &ack, host.wall_s))
			found += hs_cookie_valid(&cookie, random_u32() & 0x1ff,
						 &ack);
	}
	print_message("# %u of %u\n", found, rounds);
	/* no shift of ours without the peer's: 8 of 256 TSecrs are impossible */
	assert_in_range(found, rounds / 512 * 9 / 10, rounds / 512 * 11 / 10);
}

/* And whoever knows nothing has none in this time. */
static void guessed_blindly(void **state)
{
	struct cookie_host host = cookie_host();
	u32 rounds = random_rounds(1000000);

	(void)state;
	random_start();
	while (rounds--) {
		struct hs_segment ack = segment(HS_ACK, random_u32(),
						random_u32(), 0);

		host.tuple = random_u32();
		if (random_one_in(2))
			ack = stamped(ack, 0, random_u32());
		assert_int_not_equal(cookie_fate(&host, &ack), ACCEPTED);
	}
}

/* A cookie of each second, before, at and after the change of the secret. */
static void rotation(void **state)
{
	static const u32 ages_s[] = { 0, 30, 60 };
	struct cookie_host start = cookie_host();
	struct hs_segment syn = cookie_syn();
	u32 s;
	size_t i;

	(void)state;
	start.from = hs_cookie_secret_from(hs_cookie_count(start.wall_s));
	assert_int_equal(start.from, hs_cookie_count(start.wall_s) + 2);
	for (s = 0; s < 6 * PERIOD_S; s++)
		for (i = 0; i < ARRAY_SIZE(ages_s); i++) {
			struct cookie_host host = start, other = start;
			struct hs_segment ack;
			struct hs_reply synack;
			struct hs_tcb tcb;
			bool old = s < 2 * PERIOD_S;

			cookie_wait(&host, s);
			synack = cookie_answer(&host, &syn, &tcb);
			ack = cookie_ack(&synack);
			cookie_wait(&host, ages_s[i]);
			assert_int_equal(cookie_fate(&host, &ack), ACCEPTED);
			/* and it was made with this secret, not that */
			host.secrets[!old].word[0]++;
			assert_int_equal(cookie_fate(&host, &ack), INVALID);
			cookie_wait(&other, s + ages_s[i]);
			other.secrets[old].word[0]++;
			assert_int_equal(cookie_fate(&other, &ack), ACCEPTED);
		}
}

/* The older secret may go just when none of its cookies is good any more. */
static void settled(void **state)
{
	struct hs_segment syn = cookie_syn();
	u32 made_s, s;

	(void)state;
	for (made_s = 0; made_s < PERIOD_S; made_s++)
		for (s = made_s; s < 4 * PERIOD_S; s++) {
			struct cookie_host host = cookie_host();
			struct hs_reply synack;
			struct hs_segment ack;
			struct hs_tcb tcb;
			u32 count;

			host.from = hs_cookie_count(host.wall_s) + 1;
			cookie_wait(&host, made_s);
			synack = cookie_answer(&host, &syn, &tcb);
			ack = cookie_ack(&synack);
			cookie_wait(&host, s - made_s);
			count = hs_cookie_count(host.wall_s);
			assert_int_equal(hs_cookie_secret_settled(count,
								  host.from),
					 s >= 2 * PERIOD_S);
			if (hs_cookie_secret_settled(count, host.from))
				assert_int_equal(cookie_fate(&host, &ack),
						 INVALID);
		}
}

/* A secret that begins later than any does was set by another clock. */
static void astray(void **state)
{
	u32 count, at;

	(void)state;
	for (count = -300U; count != 300; count++) {
		at = hs_cookie_secret_from(count);
		assert_false(hs_cookie_secret_astray(count, at));
		assert_false(hs_cookie_secret_astray(count, at - 1));
		assert_false(hs_cookie_secret_astray(count, count - 1000));
		assert_true(hs_cookie_secret_astray(count, at + 1));
		assert_true(hs_cookie_secret_astray(count, at + 1000));
		assert_false(hs_cookie_secret_settled(count, at + 1));
	}
}

/* The ACK comes to a host with another clock, and other timestamps. */
static void other_host(void **state)
{
	struct hs_segment syn = cookie_syn();
	u32 phase;
	int skew_s;

	(void)state;
	for (phase = 0; phase < PERIOD_S; phase++)
		for (skew_s = -SKEW_S; skew_s <= SKEW_S; skew_s++) {
			struct cookie_host host = cookie_host(), other;
			struct hs_reply synack;
			struct hs_segment ack;
			struct hs_tcb tcb;

			cookie_wait(&host, phase);
			synack = cookie_answer(&host, &syn, &tcb);
			ack = cookie_ack(&synack);
			other = host;
			other.wall_s += (u64)skew_s;
			other.ts_offset += 0x50000000;
			other.clock_ms += 0x20000000;
			assert_int_equal(cookie_back(&other, &ack, &tcb),
					 ACCEPTED);
			assert_int_equal(other.clock_ms + tcb.ts_offset,
					 synack.opts.tsval + 333);
			assert_int_equal(tcb.tsval_last, synack.opts.tsval);
			cookie_wait(&other, 55);
			assert_int_equal(cookie_fate(&other, &ack), ACCEPTED);
		}
}

/* The oldest TSval that can be of this host, and the next. */
static void own_tsvals(void **state)
{
	static const u32 most_ms = 124000 + 255;
	struct cookie_host host = cookie_host();
	struct hs_segment syn = cookie_syn();
	struct hs_tcb tcb;
	struct hs_reply synack = cookie_answer(&host, &syn, &tcb);
	struct hs_segment ack = cookie_ack(&synack);

	(void)state;
	host.clock_ms = synack.opts.tsval - host.ts_offset + most_ms;
	assert_int_equal(cookie_back(&host, &ack, &tcb), ACCEPTED);
	assert_int_equal(tcb.ts_offset, host.ts_offset);
	host.clock_ms++;
	assert_int_equal(cookie_back(&host, &ack, &tcb), ACCEPTED);
	assert_int_equal(host.clock_ms + tcb.ts_offset,
			 synack.opts.tsval + 333);
	/* a TSval of the future is not of this host, either */
	host.clock_ms = synack.opts.tsval - host.ts_offset - 1;
	assert_int_equal(cookie_back(&host, &ack, &tcb), ACCEPTED);
	assert_int_equal(host.clock_ms + tcb.ts_offset,
			 synack.opts.tsval + 333);
}

static const struct cm_unit_test tests[] = {
	TEST("CK3 a cookie is good for 60 s, and not after 124 s, whenever it is made",
	     lifetime),
	TEST("CK15 a period that ends between SYN-ACK and ACK", period_edge),
	TEST("CK3 the count of periods wraps", count_wraps),
	TEST("CK11 the reign of secrets when the count wraps", secrets_wrap),
	TEST("CK2 a copy of a SYN gets the same cookie", copies),
	TEST("CK10 the core takes a cookie again while it is good", again),
	TEST("CK8 ACK without SYN and RST may be of a cookie, nothing else",
	     flags),
	TEST("CK8 each bit of SEG.SEQ and SEG.ACK, their neighbours, another tuple",
	     changed),
	TEST("CK9 8 of all ISSs are valid at a moment", eight_valid),
	TEST("CK9 guessing by chance succeeds as often as it may", guessed),
	TEST("CK9 a million blind ACKs", guessed_blindly),
	TEST("CK11 a cookie is good across the change of the secret",
	     rotation),
	TEST("CK11 the old secret is kept as long as its cookies are good",
	     settled),
	TEST("CK11 a secret of a clock that was set back is known as such",
	     astray),
	TEST("CK3 CK6 a cookie of another host, whose clocks differ",
	     other_host),
	TEST("CK6 TSvals of this host and of others", own_tsvals),
};

SUITE(cookie_guard_suite);
