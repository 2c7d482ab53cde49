// SPDX-License-Identifier: GPL-2.0
#include "core_test.h"

#define NSEC_PER_SEC	1000000000ULL

static const u64 starts_ns[] = {
	0, 63, 64, 123456789, 274877906943ULL, 274877906944ULL,
	3600 * NSEC_PER_SEC, 1ULL << 62, UINT64_MAX - 1000 * NSEC_PER_SEC,
};

static void clock_ticks(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(starts_ns); i++) {
		u64 t = starts_ns[i];
		u32 isn = hs_isn(0x12345678, t);

		/* 64 ns, at least one in 4 us, and 15625000 a second */
		assert_int_equal(hs_isn(0x12345678, t + 64) - isn, 1);
		assert_true(hs_isn(0x12345678, t + 4000) - isn >= 1);
		assert_int_equal(hs_isn(0x12345678, t + NSEC_PER_SEC) - isn,
				 15625000);
	}
	assert_int_equal(hs_isn(7, 0), 7);
	assert_int_equal(hs_isn(7, 63), 7);
	/* a wrap in 2^38 ns */
	assert_int_equal(hs_isn(7, 1ULL << 38), 7);
	assert_int_equal(hs_isn(7, (1ULL << 38) - 1), 6);
}

static void hash_is_added(void **state)
{
	static const u32 hashes[] = {
		0, 1, 0x7fffffff, 0x80000000, 0xffffffff,
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(hashes); i++)
		for (j = 0; j < ARRAY_SIZE(starts_ns); j++)
			assert_int_equal(hs_isn(hashes[i], starts_ns[j]) -
					 hs_isn(0, starts_ns[j]), hashes[i]);
}

static void later_is_after(void **state)
{
	static const u64 later_ns[] = {
		64, 4000, 1000000, NSEC_PER_SEC, 60 * NSEC_PER_SEC,
		137 * NSEC_PER_SEC,
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(starts_ns); i++)
		for (j = 0; j < ARRAY_SIZE(later_ns); j++)
			assert_true(hs_seq_after(hs_isn(99, starts_ns[i] +
							later_ns[j]),
						 hs_isn(99, starts_ns[i])));
}

static void zero_is_legal(void **state)
{
	(void)state;
	assert_int_equal(hs_isn(0, 0), 0);
	assert_int_equal(hs_isn(0xffffffff, 64), 0);
}

static void time_wait_iss(void **state)
{
	struct hs_time_wait tw = { .snd_nxt = 1000 };

	(void)state;
	assert_int_equal(hs_time_wait_iss(&tw), 1000 + 65537);
	/* Beyond every window without scaling that ends above SND.NXT. */
	assert_true(hs_seq_after(hs_time_wait_iss(&tw), 1000 + 65535));
	tw.snd_nxt = 0xffffffff;
	assert_int_equal(hs_time_wait_iss(&tw), 65536);
	tw.snd_nxt = 0U - 65537;
	assert_int_equal(hs_time_wait_iss(&tw), 1);
	tw.snd_nxt++;
	assert_int_equal(hs_time_wait_iss(&tw), 1);
	tw.snd_nxt -= 2;
	assert_int_equal(hs_time_wait_iss(&tw), 0xffffffff);
}

/* SEG.SEQ and TSval each before, at and after what TIME-WAIT remembers. */
static void time_wait_matrix(void **state)
{
	static const u32 bases[] = { 0, 1000, 0x7fffffff, 0xffffffff };
	/* [SEG.SEQ][TSval], then without a timestamp */
	static const bool want[3][4] = {
		/*	    older  equal  newer  none */
		/* before */	{ false, false, true, false },
		/* equal  */	{ false, false, true, false },
		/* after  */	{ false, true, true, true },
	};
	size_t i, j;
	int s, t;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bases); i++)
		for (j = 0; j < ARRAY_SIZE(bases); j++)
			for (s = 0; s < 3; s++)
				for (t = 0; t < 4; t++) {
					struct hs_time_wait tw = {
						.rcv_nxt = bases[i],
						/* 0 has a test of its own */
						.ts_recent = bases[j] ?: 7,
						.timestamps = true,
					};
					struct hs_segment syn;

					syn = segment(HS_SYN, bases[i] + s - 1,
						      0, 0);
					if (t < 3)
						syn = stamped(syn, tw.ts_recent
							      + t - 1, 0);
					if (hs_time_wait_reusable(&tw, &syn) !=
					    want[s][t])
						FAIL("seq %d TSval %d", s, t);
				}
}

static void time_wait_without_timestamps(void **state)
{
	struct hs_time_wait tw = { .rcv_nxt = 1000, .ts_recent = 500 };
	struct hs_segment syn;

	(void)state;
	/* The old connection had none, so those of the SYN say nothing. */
	syn = stamped(segment(HS_SYN, 1001, 0, 0), 1, 0);
	assert_true(hs_time_wait_reusable(&tw, &syn));
	syn = stamped(segment(HS_SYN, 1000, 0, 0), 1000, 0);
	assert_false(hs_time_wait_reusable(&tw, &syn));
	/* TS.Recent 0 rejects nothing, and anything is newer. */
	tw = (struct hs_time_wait) { .rcv_nxt = 1000, .timestamps = true };
	syn = stamped(segment(HS_SYN, 1001, 0, 0), 0xf0000000, 0);
	assert_true(hs_time_wait_reusable(&tw, &syn));
	syn = stamped(segment(HS_SYN, 999, 0, 0), 1, 0);
	assert_true(hs_time_wait_reusable(&tw, &syn));
	syn = stamped(segment(HS_SYN, 999, 0, 0), 0, 0);
	assert_false(hs_time_wait_reusable(&tw, &syn));
}

static const struct cm_unit_test tests[] = {
	TEST("IS1 the ISN clock ticks every 64 ns", clock_ticks),
	TEST("IS2 the hash of the tuple is added", hash_is_added),
	TEST("IS8 a later ISN of a tuple is after the earlier one",
	     later_is_after),
	TEST("IS10 0 is an ISN like any other", zero_is_legal),
	TEST("IS4 TW1 the ISS after TIME-WAIT is SND.NXT + 65537, never 0",
	     time_wait_iss),
	TEST("TW1 a SYN in TIME-WAIT, sequence number by TSval",
	     time_wait_matrix),
	TEST("TW1 a SYN in TIME-WAIT without timestamps",
	     time_wait_without_timestamps),
};

SUITE(isn_suite);
