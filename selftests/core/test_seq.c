// SPDX-License-Identifier: GPL-2.0
#include "core_test.h"

static const u32 corners[] = {
	0, 1, 2, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe,
	0xffffffff,
};

static void before_and_after_wrap(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(corners); i++) {
		u32 a = corners[i];

		assert_false(hs_seq_before(a, a));
		assert_false(hs_seq_after(a, a));
		assert_true(hs_seq_before(a, a + 1));
		assert_true(hs_seq_after(a + 1, a));
		assert_false(hs_seq_before(a + 1, a));
		assert_true(hs_seq_before(a, a + 0x7fffffff));
		assert_true(hs_seq_after(a, a + 0x80000001));
		assert_false(hs_seq_before(a, a + 0x80000001));
	}
}

static void between_is_inclusive(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(corners); i++) {
		u32 low = corners[i];
		u32 high = low + 10;

		assert_false(hs_seq_between(low - 1, low, high));
		assert_true(hs_seq_between(low, low, high));
		assert_true(hs_seq_between(low + 5, low, high));
		assert_true(hs_seq_between(high, low, high));
		assert_false(hs_seq_between(high + 1, low, high));
		assert_true(hs_seq_between(low, low, low));
		assert_false(hs_seq_between(low + 1, low, low));
	}
}

static void expect_acceptable(u32 seq, u32 len, u32 nxt, u32 wnd, bool want)
{
	if (hs_seq_acceptable(seq, len, nxt, wnd) != want)
		FAIL("seq %#x len %u at RCV.NXT %#x RCV.WND %u: not %s", seq,
		     len, nxt, wnd, want ? "accepted" : "refused");
}

/* RFC 9293 section 3.4, table 6, a line a case. */
static void table_6(void **state)
{
	static const struct {
		int seq;	/* from RCV.NXT */
		u32 len;
		u32 wnd;
		bool want;
	} rows[] = {
		{  0, 0, 0, true },	/* only here */
		{  1, 0, 0, false },
		{ -1, 0, 0, false },
		{ -1, 0, 8, false },
		{  0, 0, 8, true },
		{  7, 0, 8, true },
		{  8, 0, 8, false },	/* the right edge is outside */
		{  0, 1, 0, false },	/* data never fit a window of 0 */
		{ -1, 2, 0, false },
		{ -1, 1, 8, false },	/* ends before the window */
		{ -1, 2, 8, true },	/* overlaps the left edge */
		{  0, 8, 8, true },
		{  0, 9, 8, true },	/* overlaps the right edge */
		{  7, 5, 8, true },
		{  8, 1, 8, false },
		{ -1, 9, 8, true },
		{ -1, 10, 8, false },	/* covers it with both ends outside */
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (j = 0; j < ARRAY_SIZE(corners); j++)
			expect_acceptable(corners[j] + (u32)rows[i].seq,
					  rows[i].len, corners[j], rows[i].wnd,
					  rows[i].want);
}

/* Every octet of the segment against every octet of the window. */
static bool octets_acceptable(int seq, int len, int wnd)
{
	int first = seq;
	int last = seq + len - 1;
	int octet;

	if (!wnd)
		return !len && !seq;
	if (!len)
		last = first;
	for (octet = 0; octet < wnd; octet++)
		if (octet == first || octet == last)
			return true;
	return false;
}

static void expect_at_corners(int seq, int len, int wnd)
{
	bool want = octets_acceptable(seq, len, wnd);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(corners); i++)
		expect_acceptable(corners[i] + (u32)seq, (u32)len, corners[i],
				  (u32)wnd, want);
}

static void acceptable_exhaustive(void **state)
{
	int seq, len, wnd;

	(void)state;
	for (wnd = 0; wnd <= 20; wnd++)
		for (len = 0; len <= 24; len++)
			for (seq = -26; seq <= 26; seq++)
				expect_at_corners(seq, len, wnd);
}

static void acceptable_large(void **state)
{
	u32 rounds = random_rounds(300000);

	(void)state;
	random_start();
	while (rounds--) {
		u32 nxt = random_u32();
		u32 wnd = random_one_in(8) ? 0 : random_below(65536);
		u32 len = random_one_in(4) ? 0 : random_below(70000);
		u32 seq = random_one_in(8) ? random_u32() :
			  nxt + random_below(140000) - 70000;

		/* Onto the edges, where mistakes are. */
		if (random_one_in(3))
			seq = nxt + wnd + random_below(3) - 1;
		else if (random_one_in(3))
			seq = nxt - len + random_below(3) - 1;
		expect_acceptable(seq, len, nxt, wnd,
				  oracle_acceptable(seq, len, nxt, wnd));
	}
}

static const struct cm_unit_test tests[] = {
	TEST("SQ1 before and after around the wrap", before_and_after_wrap),
	TEST("SQ9 between takes in both ends", between_is_inclusive),
	TEST("SQ4 table 6 row by row", table_6),
	TEST("SQ4 table 6 exhaustive against octets", acceptable_exhaustive),
	TEST("SQ4 table 6 random against 64-bit numbers", acceptable_large),
};

SUITE(seq_suite);
