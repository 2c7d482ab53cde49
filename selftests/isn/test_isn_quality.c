// SPDX-License-Identifier: GPL-2.0
/*
 * A million ISNs of the engine show nothing, and the same tests find the weakness
 * of every weak generator. PICTURE is where the picture goes.
 */
#include "../core/core_test.h"
#include "quality.h"

#define SAMPLE		1000000U
#define WEAK_SAMPLE	200000U

static void siphash_vector(void **state)
{
	struct siphash_secret secret = {
		{ 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL },
	};
	u8 data[15];
	u8 i;

	(void)state;
	for (i = 0; i < sizeof(data); i++)
		data[i] = i;
	/* appendix A of the paper */
	assert_true(siphash24(data, sizeof(data), &secret) ==
		    0xa129ca6149be45e5ULL);
	assert_int_equal(sizeof(struct tuple), 44);
}

static u32 weaknesses(const struct generator *generator, u32 count)
{
	u32 *room = malloc(2 * count * sizeof(*room));
	u32 weak = 0;
	int series;

	assert_non_null(room);
	for (series = 0; series < SERIES; series++) {
		u32 found = quality_weaknesses(generator, series, room, count);

		print_message("# %s, neighbouring %s:%s%s%s%s%s%s\n",
			      generator->name, series_names[series],
			      found ? "" : " none",
			      found & WEAK_VALUES ? " values" : "",
			      found & WEAK_STEPS ? " steps" : "",
			      found & WEAK_BITS ? " bits" : "",
			      found & WEAK_REPEATS ? " repeats" : "",
			      found & WEAK_SECRET ? " secret" : "");
		weak |= found;
	}
	free(room);
	return weak;
}

static void engine_is_random(void **state)
{
	(void)state;
	assert_int_equal(weaknesses(&generators[0], SAMPLE), 0);
}

/* Three bits are used otherwise, and values come twice as often as of 29 bits. */
static void cookies_are_random(void **state)
{
	(void)state;
	assert_int_equal(weaknesses(&cookie_generator, WEAK_SAMPLE),
			 WEAK_REPEATS);
}

static void weak_are_found(void **state)
{
	/* what each is known for, in the order of the generators */
	static const u32 known[GENERATORS] = {
		0,
		WEAK_VALUES | WEAK_STEPS | WEAK_BITS | WEAK_SECRET,
		WEAK_VALUES | WEAK_STEPS | WEAK_REPEATS | WEAK_SECRET,
		WEAK_VALUES | WEAK_STEPS | WEAK_BITS,
		WEAK_SECRET,
		WEAK_SECRET,
		WEAK_STEPS | WEAK_SECRET,
		WEAK_VALUES | WEAK_STEPS | WEAK_REPEATS | WEAK_SECRET,
	};
	int i;

	(void)state;
	for (i = 1; i < GENERATORS; i++) {
		u32 weak = weaknesses(&generators[i], WEAK_SAMPLE);

		if ((weak & known[i]) != known[i])
			FAIL("%s: found %#x, not all of %#x",
			     generators[i].name, weak, known[i]);
	}
}

/* The same tuple again and again, at any distance below half a wrap. */
static void later_is_after(void **state)
{
	static const struct siphash_secret secret = { { 1, 2 } };
	const struct generator *engine = &generators[0];
	u32 rounds = random_rounds(SAMPLE);

	(void)state;
	random_start();
	while (rounds--) {
		struct tuple tuple = { .family = 10 };
		u64 now_ns = (u64)random_u32() << 20;
		u64 wait_ns = 64 + (u64)random_below(1U << 31) * 63;
		u32 first, second;

		tuple.local_port[0] = (u8)random_u32();
		tuple.remote[15] = (u8)random_u32();
		first = engine->isn(&tuple, &secret, now_ns, 0);
		second = engine->isn(&tuple, &secret, now_ns + wait_ns, 1);
		assert_true(hs_seq_after(second, first));
		assert_in_range(second - first, wait_ns / 64,
				wait_ns / 64 + 1);
	}
}

static void picture(void **state)
{
	(void)state;
	assert_true(quality_draw(PICTURE));
	print_message("# %s\n", PICTURE);
}

static const struct cm_unit_test tests[] = {
	TEST("IS2 the hash of these tests is SipHash-2-4", siphash_vector),
	TEST("IS2 IS3 a million ISNs: uniform, unrelated to those of neighbouring ports, addresses, times and other secrets",
	     engine_is_random),
	TEST("CK9 IS2 two hundred thousand cookies likewise, but for 3 bits less",
	     cookies_are_random),
	TEST("IS2 IS3 the same tests find every weak generator",
	     weak_are_found),
	TEST("IS1 IS8 a million times a later ISN of a tuple is after the earlier one",
	     later_is_after),
	TEST("IS3 the attractors in delay coordinates are drawn", picture),
};

SUITE(isn_quality_suite);
