// SPDX-License-Identifier: GPL-2.0
/*
 * Random options against a second parser, which first cuts the octets into a
 * list and then asks that list for each option in turn.
 */
#include "core_test.h"

struct item {
	u8 kind;
	u8 len;			/* as stated */
	const u8 *value;	/* len - 2 octets */
};

static size_t cut(struct item *items, const u8 *p, size_t len)
{
	size_t at = 0;
	size_t count = 0;

	for (;;) {
		while (at < len && p[at] == 1)
			at++;
		if (at >= len || p[at] == 0)
			break;
		if (at + 1 >= len)
			break;
		if (p[at + 1] < 2 || at + p[at + 1] > len)
			break;
		items[count++] = (struct item) { p[at], p[at + 1], p + at + 2 };
		at += p[at + 1];
	}
	return count;
}

static u32 number(const u8 *p, size_t octets)
{
	u32 value = 0;

	while (octets--)
		value = value * 256 + *p++;
	return value;
}

/* The last item of a kind and length, or NULL. */
static const struct item *last(const struct item *items, size_t count, u8 kind,
			       u8 len)
{
	while (count--)
		if (items[count].kind == kind && items[count].len == len)
			return &items[count];
	return NULL;
}

static bool any(const struct item *items, size_t count, u8 kind, u8 len_min,
		u32 magic, size_t magic_len)
{
	while (count--)
		if (items[count].kind == kind && items[count].len >= len_min &&
		    number(items[count].value, magic_len) == magic)
			return true;
	return false;
}

/* The last one whose cookie has an even number of octets. */
static bool asks_for_cookie(const struct item *items, size_t count)
{
	while (count--) {
		const struct item *item = &items[count];
		bool experiment = item->kind == 254 && item->len >= 4 &&
				  number(item->value, 2) == 0xf989;

		if ((experiment || item->kind == 34) && item->len % 2 == 0)
			return item->len == (experiment ? 4 : 2);
	}
	return false;
}

static void model_syn(struct hs_options *opts, const struct item *items,
		      size_t count)
{
	const struct item *item;
	size_t i;

	for (i = 0; i < count; i++)
		if (items[i].kind == 2 && items[i].len == 4 &&
		    number(items[i].value, 2)) {
			opts->present |= HS_OPT_MSS;
			opts->mss = (u16)number(items[i].value, 2);
		}
	item = last(items, count, 3, 3);
	if (item) {
		opts->present |= HS_OPT_WSCALE;
		opts->wscale = item->value[0] <= 14 ? item->value[0] : 14;
	}
	for (i = 0; i < count; i++)
		if (items[i].kind == 3 && items[i].len == 3 &&
		    items[i].value[0] > 14)
			opts->wscale_over = items[i].value[0];
	if (last(items, count, 4, 2))
		opts->present |= HS_OPT_SACK_PERMITTED;
}

static struct hs_options model(const u8 *p, size_t len, bool syn)
{
	struct hs_options opts = { 0 };
	const struct item *item;
	struct item items[20];
	size_t count = cut(items, p, len);

	if (syn)
		model_syn(&opts, items, count);
	item = last(items, count, 8, 10);
	if (item) {
		opts.present |= HS_OPT_TIMESTAMPS;
		opts.tsval = number(item->value, 4);
		opts.tsecr = number(item->value + 4, 4);
	}
	if (any(items, count, 19, 2, 0, 0))
		opts.present |= HS_OPT_MD5;
	if (any(items, count, 29, 2, 0, 0))
		opts.present |= HS_OPT_AO;
	if (any(items, count, 30, 2, 0, 0))
		opts.present |= HS_OPT_MPTCP;
	if (any(items, count, 34, 2, 0, 0) ||
	    any(items, count, 254, 4, 0xf989, 2))
		opts.present |= HS_OPT_FAST_OPEN;
	if (syn && asks_for_cookie(items, count))
		opts.present |= HS_OPT_COOKIE_REQUEST;
	if (any(items, count, 254, 6, 0xe2d4c3d9, 4))
		opts.present |= HS_OPT_SMC;
	return opts;
}

/* An option that is mostly right, for pure noise hardly ever is. */
static size_t put_option(u8 *p)
{
	static const u8 templates[][12] = {
		{ 2, 4, 0x05, 0xb4 }, { 2, 4, 0, 0 }, { 3, 3, 7 },
		{ 3, 3, 200 }, { 4, 2 }, { 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 },
		{ 19, 4, 1, 1 }, { 29, 4, 1, 1 }, { 30, 4, 1, 1 },
		{ 34, 2 }, { 34, 10, 1, 2, 3, 4, 5, 6, 7, 8 },
		{ 254, 4, 0xf9, 0x89 }, { 254, 6, 0xe2, 0xd4, 0xc3, 0xd9 },
		{ 254, 5, 0xe2, 0xd4, 0xc3 }, { 5, 10, 1, 2, 3, 4, 5, 6, 7, 8 },
		{ 77, 6, 1, 2, 3, 4 }, { 1, 1 }, { 1, 1 },
	};
	u32 which = random_below(ARRAY_SIZE(templates));
	size_t len = templates[which][1];
	size_t i;

	memcpy(p, templates[which], len);
	if (random_one_in(2) && len > 2)
		for (i = 2; i < len; i++)
			if (random_one_in(3))
				p[i] = (u8)random_u32();
	if (random_one_in(8) && p[0] != 1) {
		static const u8 lens[] = { 0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 40 };

		p[1] = lens[random_below(ARRAY_SIZE(lens))];
	}
	if (random_one_in(60))
		p[0] = 0;
	return len;
}

/* Whole lists that the parser may know at a glance, with or without a flaw. */
static size_t put_list(u8 *octets)
{
	static const struct {
		size_t len;
		u8 octets[24];
	} lists[] = {
		{ 20, { 2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3,
			3, 7 } },
		{ 12, { 2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2 } },
		{ 12, { 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 } },
		{ 24, { 2, 4, 5, 180, 1, 3, 3, 6, 1, 1, 8, 10, 1, 2, 3, 4, 0, 0,
			0, 0, 4, 2, 0, 0 } },
		{ 4, { 2, 4, 5, 180 } },
	};
	u32 which = random_below(ARRAY_SIZE(lists));
	size_t len = lists[which].len;

	memcpy(octets, lists[which].octets, len);
	while (random_one_in(2))
		octets[random_below((u32)len)] = (u8)random_below(16);
	if (random_one_in(4))
		octets[random_below((u32)len)] ^= (u8)(1 << random_below(8));
	return len;
}

static size_t fill(u8 *octets)
{
	size_t len = random_below(HS_OPTIONS_MAX + 1);
	size_t at = 0;

	if (random_one_in(3))
		return put_list(octets);
	if (random_one_in(4)) {
		for (at = 0; at < len; at++)
			octets[at] = (u8)random_u32();
		return len;
	}
	while (at < len)
		at += put_option(octets + at);
	return len;
}

static void against_model(void **state)
{
	u32 rounds = random_rounds(1000000);
	u32 seen = 0;
	u32 round;

	(void)state;
	random_start();
	for (round = 0; round < rounds; round++) {
		struct hs_options got, want;
		u8 octets[HS_OPTIONS_MAX + 12];
		size_t len = fill(octets);
		bool syn = !random_one_in(4);
		u8 *copy = malloc(len + 1);

		/* The options end where the allocation ends. */
		assert_non_null(copy);
		memcpy(copy + 1, octets, len);
		memset(&got, 0xa5, sizeof(got));
		hs_options_parse(&got, copy + 1, len, syn);
		want = model(copy + 1, len, syn);
		free(copy);

		if (got.present != want.present || got.mss != want.mss ||
		    got.wscale != want.wscale ||
		    got.wscale_over != want.wscale_over ||
		    got.tsval != want.tsval || got.tsecr != want.tsecr)
			FAIL("round %u: present %#x, not %#x", round,
			     got.present, want.present);
		seen |= got.present;
	}
	/* Every option came up, or the noise proves little. */
	assert_int_equal(seen, 0x3ff);
}

static void build_then_parse(void **state)
{
	const u16 written = HS_OPT_MSS | HS_OPT_WSCALE | HS_OPT_SACK_PERMITTED |
			    HS_OPT_TIMESTAMPS;
	u32 rounds = random_rounds(100000);

	(void)state;
	random_start();
	while (rounds--) {
		struct hs_options in = {
			.present = random_u32() & written,
			.mss = (u16)(1 + random_below(65535)),
			.wscale = (u8)random_below(HS_WSCALE_MAX + 1),
			.tsval = random_u32(),
			.tsecr = random_u32(),
		};
		struct hs_options out;
		u8 octets[HS_OPTIONS_MAX];
		size_t len = hs_options_build(octets, &in);

		hs_options_parse(&out, octets, len, true);
		assert_int_equal(out.present, in.present);
		if (in.present & HS_OPT_MSS)
			assert_int_equal(out.mss, in.mss);
		if (in.present & HS_OPT_WSCALE)
			assert_int_equal(out.wscale, in.wscale);
		if (in.present & HS_OPT_TIMESTAMPS) {
			assert_int_equal(out.tsval, in.tsval);
			assert_int_equal(out.tsecr, in.tsecr);
		}
	}
}

static const struct cm_unit_test tests[] = {
	TEST("OP16 a million random options against a second parser",
	     against_model),
	TEST("OP13 what is written is what is read", build_then_parse),
};

SUITE(option_random_suite);
