// SPDX-License-Identifier: GPL-2.0
/* What a source may take, and that others are not harmed by it. */
#include "bucket.h"
#include "core_test.h"

#define NSEC_PER_SEC	1000000000ULL
#define UNIT_NS		1024ULL
#define WAYS		4
#define TAG		0xa5a5

/* Where times begin: also just before their 36 bits wrap. */
static const u64 starts_ns[] = {
	0, NSEC_PER_SEC, (UNIT_NS << 36) - NSEC_PER_SEC / 2,
	(UNIT_NS << 40) - 1, UINT64_MAX - 100000 * NSEC_PER_SEC,
};

static struct hs_bucket_limits limits_of(u32 rate, u32 burst, u32 flows)
{
	struct hs_bucket_limits limits;

	hs_bucket_limits_init(&limits, rate, burst, flows);
	return limits;
}

/* How many SYNs pass at this moment. */
static u32 pass(u64 *word, u16 tag, const struct hs_bucket_limits *limits,
		u64 now_ns)
{
	u32 passed = 0;

	while (hs_bucket_take(word, tag, limits, false, now_ns) ==
	       HS_BUCKET_PASS) {
		passed++;
		assert_true(passed <= 100000);
	}
	return passed;
}

static void burst_then_rate(void **state)
{
	static const u32 rates[] = { 1, 3, 10, 997, 1000 };
	static const u32 bursts[] = { 1, 2, 50 };
	size_t i, j, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(starts_ns); i++)
		for (j = 0; j < ARRAY_SIZE(rates); j++)
			for (k = 0; k < ARRAY_SIZE(bursts); k++) {
				struct hs_bucket_limits limits =
					limits_of(rates[j], bursts[k], 0);
				u64 word = 0, now_ns = starts_ns[i], before;
				u32 n, most = 0;

				assert_int_equal(pass(&word, TAG, &limits,
						      now_ns), bursts[k]);
				before = word;
				assert_int_equal(hs_bucket_take(&word, TAG,
								&limits, false,
								now_ns),
						 HS_BUCKET_RATE);
				assert_true(word == before);
				for (n = 0; n < 200; n++) {
					now_ns += NSEC_PER_SEC / 20;
					most += pass(&word, TAG, &limits,
						     now_ns);
				}
				/* what comes between is kept only in a burst */
				if (rates[j] <= 20 * (bursts[k] - 1))
					assert_in_range(most, rates[j] * 10 - 1,
							rates[j] * 10 * 1.002);
				now_ns += 1000 * NSEC_PER_SEC;
				assert_int_equal(pass(&word, TAG, &limits,
						      now_ns), bursts[k]);
			}
}

/* In units of time that do not wrap. */
struct model {
	u64 full_at;
	u32 flows;
};

static enum hs_bucket_answer model_take(struct model *model, u32 rate,
					u32 burst, u32 flows, bool flow,
					u64 now_ns)
{
	u64 interval = rate ? NSEC_PER_SEC / UNIT_NS / rate : 0;
	u64 now = now_ns / UNIT_NS;
	u64 full_at = (model->full_at > now ? model->full_at : now) + interval;

	if (full_at > now + interval * burst)
		return HS_BUCKET_RATE;
	model->full_at = full_at;
	if (!flow || !flows)
		return HS_BUCKET_PASS;
	if (model->flows == flows)
		return HS_BUCKET_FLOWS;
	model->flows++;
	return HS_BUCKET_PASS;
}

/* One source for months. */
static void source_run(u32 steps)
{
	u32 rate = random_below(4) ? random_below(2000) + 1 : 0;
	u32 burst = random_below(100) + 1, flows = random_below(20);
	struct hs_bucket_limits limits = limits_of(rate, burst, flows);
	struct model model = { 0 };
	u16 tag = (u16)random_u32();
	u64 word = (u64)tag << 48;
	u64 now_ns = (u64)random_u32() << random_below(24);

	while (steps--) {
		bool flow = random_one_in(2);

		/* not idle for so long that times wrap */
		now_ns += (u64)random_u32() << random_below(13);
		if (random_one_in(3) && model.flows) {
			assert_true(hs_bucket_put(&word, tag));
			model.flows--;
		}
		do {
			assert_int_equal(hs_bucket_take(&word, tag, &limits,
							flow, now_ns),
					 model_take(&model, rate, burst, flows,
						    flow, now_ns));
			assert_int_equal(hs_bucket_flows(word), model.flows);
			assert_int_equal(word >> 48, tag);
		} while (random_below(burst));
	}
}

static void against_model(void **state)
{
	u32 rounds = random_rounds(300);

	(void)state;
	random_start();
	while (rounds--)
		source_run(200);
}

/* Idle for any time: full again, or as it would be not long after. */
static void idle_is_full(void **state)
{
	struct hs_bucket_limits limits = limits_of(10, 20, 0);
	u64 wrap_ns = UNIT_NS << 36, idle_ns;

	(void)state;
	for (idle_ns = 2 * NSEC_PER_SEC; idle_ns < 3 * wrap_ns;
	     idle_ns += 997 * NSEC_PER_SEC) {
		u64 word = 0;

		if (idle_ns % wrap_ns < 2 * NSEC_PER_SEC)
			continue;
		assert_int_equal(pass(&word, TAG, &limits, 0), 20);
		assert_int_equal(pass(&word, TAG, &limits, idle_ns), 20);
	}
}

static void limits_are_limited(void **state)
{
	struct hs_bucket_limits limits = limits_of(-1U, -1U, -1U);
	u64 word = 0;

	(void)state;
	assert_int_equal(limits.interval, NSEC_PER_SEC / UNIT_NS / 65535);
	assert_int_equal(limits.depth, limits.interval * 65535);
	assert_int_equal(limits.flows, 4095);
	/* an hour and no more, else times would be ambiguous */
	limits = limits_of(1, 65535, 0);
	assert_in_range(pass(&word, TAG, &limits, 0), 3600, 4500);
	/* no burst is one SYN, not none */
	word = 0;
	limits = limits_of(10, 0, 0);
	assert_int_equal(pass(&word, TAG, &limits, 0), 1);
}

static void rate_unlimited(void **state)
{
	struct hs_bucket_limits limits = limits_of(0, 0, 2);
	u64 word = 0;
	u32 n;

	(void)state;
	for (n = 0; n < 1000; n++)
		assert_int_equal(hs_bucket_take(&word, TAG, &limits, false, 5),
				 HS_BUCKET_PASS);
	assert_int_equal(hs_bucket_take(&word, TAG, &limits, true, 5),
			 HS_BUCKET_PASS);
	assert_int_equal(hs_bucket_take(&word, TAG, &limits, true, 5),
			 HS_BUCKET_PASS);
	assert_int_equal(hs_bucket_take(&word, TAG, &limits, true, 5),
			 HS_BUCKET_FLOWS);
}

static void flows_are_counted(void **state)
{
	struct hs_bucket_limits limits = limits_of(1000, 10, 3);
	u64 word = 0;
	u32 n;

	(void)state;
	for (n = 0; n < 3; n++)
		assert_int_equal(hs_bucket_take(&word, TAG, &limits, true, 0),
				 HS_BUCKET_PASS);
	/* refused as a flow, and answered otherwise: that takes a token, too */
	for (n = 0; n < 7; n++)
		assert_int_equal(hs_bucket_take(&word, TAG, &limits, true, 0),
				 HS_BUCKET_FLOWS);
	assert_int_equal(hs_bucket_take(&word, TAG, &limits, true, 0),
			 HS_BUCKET_RATE);
	assert_int_equal(hs_bucket_flows(word), 3);
	assert_true(hs_bucket_put(&word, TAG));
	assert_int_equal(hs_bucket_take(&word, TAG, &limits, true,
					NSEC_PER_SEC), HS_BUCKET_PASS);
	for (n = 0; n < 3; n++)
		assert_true(hs_bucket_put(&word, TAG));
	/* one end too many, and that of another source */
	assert_false(hs_bucket_put(&word, TAG));
	assert_int_equal(hs_bucket_take(&word, TAG, &limits, true,
					NSEC_PER_SEC), HS_BUCKET_PASS);
	assert_false(hs_bucket_put(&word, TAG + 1));
	assert_int_equal(hs_bucket_flows(word), 1);
}

/* The largest count is next to the tag. */
static void flows_do_not_overflow(void **state)
{
	struct hs_bucket_limits limits = limits_of(0, 0, HS_BUCKET_FLOWS_MAX);
	u64 word = 0;
	u32 n;

	(void)state;
	for (n = 0; n < HS_BUCKET_FLOWS_MAX; n++)
		assert_int_equal(hs_bucket_take(&word, 0xffff, &limits, true,
						UNIT_NS << 35),
				 HS_BUCKET_PASS);
	assert_int_equal(hs_bucket_take(&word, 0xffff, &limits, true,
					UNIT_NS << 35), HS_BUCKET_FLOWS);
	assert_true(word == (0xffffULL << 48 | 4095ULL << 36 | 1ULL << 35));
	for (n = 0; n < HS_BUCKET_FLOWS_MAX; n++)
		assert_true(hs_bucket_put(&word, 0xffff));
	assert_true(word == (0xffffULL << 48 | 1ULL << 35));
}

static u64 word_of(u16 tag, u32 flows, u64 full_at_ns)
{
	return (u64)tag << 48 | (u64)flows << 36 | full_at_ns / UNIT_NS;
}

static void word_is_chosen(void **state)
{
	u64 now_ns = 1000 * NSEC_PER_SEC;
	u64 set[WAYS] = {
		word_of(1, 2, now_ns), word_of(2, 1, now_ns + 500000),
		word_of(3, 1, now_ns + 400000), word_of(4, 9, 0),
	};

	(void)state;
	/* its own, however little it is worth to others */
	assert_int_equal(hs_bucket_choose(set, WAYS, 1, now_ns), 0);
	assert_int_equal(hs_bucket_choose(set, WAYS, 4, now_ns), 3);
	/* else fewest flows, then the fullest bucket */
	assert_int_equal(hs_bucket_choose(set, WAYS, 9, now_ns), 2);
	assert_int_equal(hs_bucket_choose(set, 2, 9, now_ns), 1);
	assert_int_equal(hs_bucket_choose(set, 1, 9, now_ns), 0);
	/* an idle one before all */
	set[3] = word_of(4, 0, 0);
	assert_int_equal(hs_bucket_choose(set, WAYS, 9, now_ns), 3);
	set[0] = 0;
	assert_int_equal(hs_bucket_choose(set, WAYS, 9, now_ns), 0);
	set[0] = word_of(1, 0, now_ns + NSEC_PER_SEC);
	assert_int_equal(hs_bucket_choose(set, WAYS, 9, now_ns), 3);
}

/* Given away: nothing of the former owner is left, and nobody else's goes. */
static void word_given_away(void **state)
{
	struct hs_bucket_limits limits = limits_of(1, 5, 5);
	u64 word = 0;

	(void)state;
	assert_int_equal(hs_bucket_take(&word, 7, &limits, true, 0),
			 HS_BUCKET_PASS);
	assert_int_equal(pass(&word, 7, &limits, 0), 4);
	assert_int_equal(pass(&word, 8, &limits, 0), 5);
	assert_int_equal(hs_bucket_flows(word), 0);
	assert_false(hs_bucket_put(&word, 7));
}

/* One source sends without end, others now and then, all in one set. */
static void others_unaffected(void **state)
{
	struct hs_bucket_limits limits = limits_of(10, 5, 4);
	u64 set[WAYS] = { 0 };
	u32 flooder = 0, n;

	(void)state;
	for (n = 0; n < 100000; n++) {
		u64 now_ns = n * 100000ULL;
		u32 i = hs_bucket_choose(set, WAYS, TAG, now_ns);

		flooder += hs_bucket_take(&set[i], TAG, &limits, true,
					  now_ns) == HS_BUCKET_PASS;
		/* two SYNs a second of each of three others */
		if (n % 5000 < 3) {
			i = hs_bucket_choose(set, WAYS, (u16)(n % 5000),
					     now_ns);
			assert_int_equal(hs_bucket_take(&set[i],
							(u16)(n % 5000),
							&limits, true, now_ns),
					 HS_BUCKET_PASS);
			assert_true(hs_bucket_put(&set[i], (u16)(n % 5000)));
		}
	}
	assert_int_equal(flooder, 4);
}

static const struct cm_unit_test tests[] = {
	TEST("LM5 a source has a burst of SYNs, then its rate",
	     burst_then_rate),
	TEST("LM5 the bucket of a source is as one whose numbers do not wrap",
	     against_model),
	TEST("LM5 an idle bucket is full, whatever the clock", idle_is_full),
	TEST("LM5 limits out of range are the largest", limits_are_limited),
	TEST("LM5 no limit of the rate", rate_unlimited),
	TEST("LM5 no more half-open connections from one source than allowed",
	     flows_are_counted),
	TEST("LM5 the count of half-open connections does not overflow",
	     flows_do_not_overflow),
	TEST("LM5 LM6 a source gets its own word, or the one worth least",
	     word_is_chosen),
	TEST("LM5 a word given away has nothing of its former owner",
	     word_given_away),
	TEST("LM5 a flood of one source leaves the others alone",
	     others_unaffected),
};

SUITE(bucket_suite);
