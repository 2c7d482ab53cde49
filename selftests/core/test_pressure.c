// SPDX-License-Identifier: GPL-2.0
/* When cookies begin, and when they end. */
#include "core_test.h"
#include "pressure.h"

#define LIMIT		4096
#define LOW		3584	/* 7/8 of it */

static const u32 starts_ms[] = { 0, 1000000, 0x7ffffff0, 0xffffff00 };

static enum hs_pressure_change update(struct hs_pressure *pressure, u64 used,
				      u64 unanswered, u32 now_ms)
{
	return hs_pressure_update(pressure, used, LIMIT, 1, unanswered,
				  now_ms);
}

static struct hs_pressure pressed(u32 now_ms)
{
	struct hs_pressure pressure = { 0 };

	assert_int_equal(update(&pressure, LIMIT, 0, now_ms),
			 HS_PRESSURE_BEGINS);
	return pressure;
}

static void begins_at_limit(void **state)
{
	struct hs_pressure pressure = { 0 };
	u64 used;

	(void)state;
	for (used = 0; used < LIMIT; used++) {
		assert_int_equal(update(&pressure, used, 0, 5),
				 HS_PRESSURE_SAME);
		assert_false(pressure.on);
		assert_false(hs_pressure_expects(&pressure, 5));
	}
	assert_int_equal(update(&pressure, LIMIT, 0, 5), HS_PRESSURE_BEGINS);
	assert_true(pressure.on);
	assert_true(hs_pressure_expects(&pressure, 5));
	/* a limit that was lowered: far beyond it */
	pressure = (struct hs_pressure) { 0 };
	assert_int_equal(update(&pressure, ~0ULL, 0, 5), HS_PRESSURE_BEGINS);
	assert_int_equal(update(&pressure, ~0ULL, 0, 6), HS_PRESSURE_SAME);
}

static void ends_after_quiet(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(starts_ms); i++) {
		struct hs_pressure pressure = pressed(starts_ms[i]);
		u32 ms;

		for (ms = 0; ms < 10000; ms += 10)
			assert_int_equal(update(&pressure, 0, 0,
						starts_ms[i] + ms),
					 HS_PRESSURE_SAME);
		assert_int_equal(update(&pressure, 0, 0, starts_ms[i] + ms),
				 HS_PRESSURE_ENDS);
		assert_false(pressure.on);
	}
}

/* Between 7/8 and the limit nothing changes, either way. */
static void hysteresis(void **state)
{
	struct hs_pressure pressure = pressed(0);
	u32 s;

	(void)state;
	for (s = 0; s < 100; s++)
		assert_int_equal(update(&pressure, LOW, 0, s * 1000),
				 HS_PRESSURE_SAME);
	assert_true(pressure.on);
	/* ten seconds from the last one that found it so */
	assert_int_equal(update(&pressure, LOW - 1, 0, 99000 + 9999),
			 HS_PRESSURE_SAME);
	assert_int_equal(update(&pressure, LOW - 1, 0, 99000 + 10000),
			 HS_PRESSURE_ENDS);
	for (s = 110; s < 200; s++)
		assert_int_equal(update(&pressure, LIMIT - 1, 0, s * 1000),
				 HS_PRESSURE_SAME);
	assert_false(pressure.on);
}

/* As long as what comes would fill the limit again, cookies go on. */
static void flood_goes_on(void **state)
{
	struct hs_pressure pressure = pressed(0);
	u64 unanswered = 0;
	u32 ms;

	(void)state;
	/* as many in 10 s as fit below 7/8 */
	for (ms = 1; ms <= 200000; ms++) {
		unanswered += ms * (u64)LOW / 10000 -
			      (ms - 1) * (u64)LOW / 10000;
		assert_int_equal(update(&pressure, 0, unanswered, ms),
				 HS_PRESSURE_SAME);
	}
	assert_true(pressure.on);
	/* and one less */
	for (; ms < 210000; ms++) {
		if (ms < 200001 + LOW - 1)
			unanswered++;
		assert_int_equal(update(&pressure, 0, unanswered, ms),
				 HS_PRESSURE_SAME);
	}
	assert_int_equal(update(&pressure, 0, unanswered, ms),
			 HS_PRESSURE_ENDS);
}

/* Clients that answer are no reason to go on, however many they are. */
static void answered_do_not_count(void **state)
{
	struct hs_pressure pressure = { 0 };
	u64 unanswered = ~0ULL - 50;
	u32 ms;

	(void)state;
	update(&pressure, LIMIT, unanswered, 0);
	for (ms = 1; ms < 10000; ms++) {
		/* those of before answer, too */
		unanswered += ms % 2 ? 100 : -101;
		assert_int_equal(update(&pressure, 0, unanswered, ms),
				 HS_PRESSURE_SAME);
	}
	assert_int_equal(update(&pressure, 0, unanswered, ms),
			 HS_PRESSURE_ENDS);
}

/* The limit is one of bytes: what would fit is counted in those. */
static void cost_counts(void **state)
{
	static const struct {
		u64 used;
		u32 cost;
		u64 unanswered;
		enum hs_pressure_change want;
	} cases[] = {
		{ 0, 100, 35, HS_PRESSURE_ENDS },
		{ 0, 100, 36, HS_PRESSURE_SAME },
		{ 1000, 100, 25, HS_PRESSURE_ENDS },
		{ 1000, 100, 26, HS_PRESSURE_SAME },
		{ 0, 1, LOW - 1, HS_PRESSURE_ENDS },
		{ 0, 1, LOW, HS_PRESSURE_SAME },
		{ 0, 0xffffffff, 1, HS_PRESSURE_SAME },
		{ 0, 0xffffffff, 0x100000001ULL, HS_PRESSURE_SAME },
		{ 0, 4, 1ULL << 62, HS_PRESSURE_SAME },
		{ 0, 0, 1ULL << 62, HS_PRESSURE_ENDS },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hs_pressure pressure = pressed(0);

		if (hs_pressure_update(&pressure, cases[i].used, LIMIT,
				       cases[i].cost, cases[i].unanswered,
				       10000) != cases[i].want)
			FAIL("case %zu", i);
	}
}

/* Nothing fits: never ends. Almost nothing: ends when nothing is there. */
static void tiny_limits(void **state)
{
	struct hs_pressure pressure = { 0 };
	u64 limit;

	(void)state;
	assert_int_equal(hs_pressure_update(&pressure, 0, 0, 1, 0, 0),
			 HS_PRESSURE_BEGINS);
	assert_int_equal(hs_pressure_update(&pressure, 0, 0, 1, 0, 20000),
			 HS_PRESSURE_SAME);
	for (limit = 1; limit < 8; limit++) {
		pressure = (struct hs_pressure) { 0 };
		assert_int_equal(hs_pressure_update(&pressure, limit, limit, 1,
						    0, 0), HS_PRESSURE_BEGINS);
		assert_int_equal(hs_pressure_update(&pressure, limit - 1,
						    limit, 1, 0, 10000),
				 HS_PRESSURE_ENDS);
	}
}

static void expected_after(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(starts_ms); i++) {
		struct hs_pressure pressure = pressed(starts_ms[i]);
		u32 end_ms = starts_ms[i] + 20000;

		assert_int_equal(update(&pressure, 0, 0, end_ms),
				 HS_PRESSURE_ENDS);
		assert_true(hs_pressure_expects(&pressure, end_ms));
		assert_true(hs_pressure_expects(&pressure, end_ms + 127999));
		assert_false(hs_pressure_expects(&pressure, end_ms + 128000));
		assert_int_equal(update(&pressure, 0, 0, end_ms + 127999),
				 HS_PRESSURE_SAME);
		assert_true(pressure.after);
		/* and not again when the clock has wrapped */
		assert_int_equal(update(&pressure, 0, 0, end_ms + 128000),
				 HS_PRESSURE_SAME);
		assert_false(hs_pressure_expects(&pressure, end_ms));
		/* until it begins again */
		assert_int_equal(update(&pressure, LIMIT, 0, end_ms + 200000),
				 HS_PRESSURE_BEGINS);
		assert_true(hs_pressure_expects(&pressure, end_ms));
	}
}

static const struct cm_unit_test tests[] = {
	TEST("CK1 cookies begin when the limit is reached", begins_at_limit),
	TEST("CK1 cookies end after a quiet time", ends_after_quiet),
	TEST("CK1 between 7/8 and the limit nothing changes", hysteresis),
	TEST("CK1 cookies go on as long as the flood", flood_goes_on),
	TEST("CK1 clients that answer do not keep cookies on",
	     answered_do_not_count),
	TEST("CK1 LM6 a limit of bytes", cost_counts),
	TEST("CK1 limits of a few flows, or none", tiny_limits),
	TEST("CK3 a cookie is expected for two periods after the last",
	     expected_after),
};

SUITE(pressure_suite);
