// SPDX-License-Identifier: GPL-2.0
#include "core_test.h"

static void doubles(void **state)
{
	static const u32 want_ms[] = { 1000, 2000, 4000, 8000, 16000, 32000 };
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(want_ms); i++)
		assert_int_equal(hs_rto_ms(1000, 120000, i), want_ms[i]);
}

static void capped(void **state)
{
	static const u32 want_s[] = { 1, 3, 7, 15, 31, 63, 127, 247, 367, 487 };
	u32 at_ms = 0;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(want_s); i++) {
		at_ms += hs_rto_ms(1000, 120000, i);
		assert_int_equal(at_ms, want_s[i] * 1000);
	}
	/* The cap holds for the first timeout as well. */
	assert_int_equal(hs_rto_ms(60000, 1000, 0), 1000);
	assert_int_equal(hs_rto_ms(1000, 1000, 0), 1000);
	assert_int_equal(hs_rto_ms(1000, 1000, 255), 1000);
}

static void no_overflow(void **state)
{
	static const u32 values[] = {
		0, 1, 2, 3, 100, 999, 1000, 1001, 60000, 119999, 120000,
		0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff,
	};
	static const u32 timeouts[] = {
		30, 31, 32, 33, 63, 64, 65, 127, 128, 254, 255, 256, 0x7fffffff,
		0x80000000, 0xffffffff,
	};
	size_t i, j, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(values); i++)
		for (j = 0; j < ARRAY_SIZE(values); j++)
			for (k = 0; k < 30 + ARRAY_SIZE(timeouts); k++) {
				u32 n = k < 30 ? (u32)k : timeouts[k - 30];
				u64 want = values[i];

				/* At 2^32 any value but 0 is past the cap. */
				want <<= n < 32 ? n : 32;
				if (want > values[j])
					want = values[j];
				assert_int_equal(hs_rto_ms(values[i], values[j],
							   n), want);
			}
}

/* Expected by hand: a backlog of 64, then the edges. */
static void pressure(void **state)
{
	static const struct {
		u32 retries, flows, young, backlog, want;
	} rows[] = {
		{ 5, 32, 0, 64, 5 },		/* half is no pressure */
		{ 5, 33, 0, 64, 2 },		/* all old: the least */
		{ 5, 60, 60, 64, 5 },		/* all young */
		{ 5, 60, 31, 64, 5 },		/* mostly young */
		{ 5, 60, 30, 64, 4 },		/* half of them old */
		{ 5, 60, 16, 64, 4 },
		{ 5, 60, 15, 64, 3 },
		{ 5, 60, 8, 64, 3 },
		{ 5, 60, 7, 64, 2 },
		{ 255, 60, 1, 64, 250 },	/* 2, 4, 8, 16, 32 reach 60 */
		{ 2, 60, 0, 64, 2 },		/* few retries are not raised */
		{ 1, 60, 0, 64, 1 },
		{ 0, 60, 0, 64, 0 },
		{ 5, 4, 0, 1, 5 },		/* a small backlog counts as 8 */
		{ 5, 5, 0, 1, 2 },
		{ 5, 5, 0, 0, 2 },
		{ 5, 0x80000000, 0, 0xffffffff, 2 },
		{ 5, 0x7fffffff, 0, 0xffffffff, 5 },
		{ 255, 0xffffffff, 0x80000000, 1, 255 },
		{ 255, 0xffffffff, 0x7fffffff, 1, 254 },
		{ 255, 0xffffffff, 0, 1, 2 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 got = hs_retries_pressed(rows[i].retries, rows[i].flows,
					     rows[i].young, rows[i].backlog);

		if (got != rows[i].want)
			FAIL("%u of %u young, backlog %u: %u of %u retries, not %u",
			     rows[i].young, rows[i].flows, rows[i].backlog, got,
			     rows[i].retries, rows[i].want);
	}
}

static const struct cm_unit_test tests[] = {
	TEST("RT8 the timeout doubles", doubles),
	TEST("RT4 the timeout is capped, 487 s after nine copies", capped),
	TEST("RT4 no overflow at any corner", no_overflow),
	TEST("RT7 fewer retries for old flows when half the backlog is taken",
	     pressure),
};

SUITE(schedule_suite);
