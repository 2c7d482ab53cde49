// SPDX-License-Identifier: GPL-2.0
#include "core_test.h"

/* Parses a copy that ends where its allocation ends: an over-read is caught. */
static struct hs_options parse(const void *octets, size_t len, bool syn)
{
	u8 *copy = malloc(len + 1);
	struct hs_options opts;

	assert_non_null(copy);
	memcpy(copy + 1, octets, len);
	memset(&opts, 0xa5, sizeof(opts));
	hs_options_parse(&opts, copy + 1, len, syn);
	free(copy);
	return opts;
}

/* The options as string literals, without the NUL at their end. */
#define PARSE(text)		parse(text, sizeof(text) - 1, true)
#define PARSE_NO_SYN(text)	parse(text, sizeof(text) - 1, false)

#define EOL		"\x00"
#define NOP		"\x01"
#define MSS_0		"\x02\x04\x00\x00"
#define MSS_1460	"\x02\x04\x05\xb4"
#define MSS_1000	"\x02\x04\x03\xe8"
#define MSS_500		"\x02\x04\x01\xf4"
#define WSCALE_7	"\x03\x03\x07"
#define WSCALE_2	"\x03\x03\x02"
#define SACK_OK		"\x04\x02"
#define STAMPS		"\x08\x0a\x01\x02\x03\x04\xf1\xf2\xf3\xf4"
#define STAMPS_OLD	"\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x02"
/* Kind 34, or 254 with its magic number, without a cookie. */
#define COOKIE_REQUEST	(HS_OPT_FAST_OPEN | HS_OPT_COOKIE_REQUEST)
#define TSVAL		0x01020304U
#define TSECR		0xf1f2f3f4U

static void expect_options(const struct hs_options *opts, u16 present, u16 mss,
			   u8 wscale, u32 tsval, u32 tsecr)
{
	assert_int_equal(opts->present, present);
	assert_int_equal(opts->mss, mss);
	assert_int_equal(opts->wscale, wscale);
	assert_int_equal(opts->tsval, tsval);
	assert_int_equal(opts->tsecr, tsecr);
}

static void usual_syn(void **state)
{
	struct hs_options opts;

	(void)state;
	opts = PARSE(MSS_1460 SACK_OK STAMPS NOP WSCALE_7);
	expect_options(&opts, HS_OPT_MSS | HS_OPT_SACK_PERMITTED |
		       HS_OPT_TIMESTAMPS | HS_OPT_WSCALE, 1460, 7, TSVAL,
		       TSECR);
	opts = PARSE("");
	expect_options(&opts, 0, 0, 0, 0, 0);
}

/* Cut anywhere, what came whole before the cut counts and nothing else. */
static void every_length(void **state)
{
	u8 octets[40] = MSS_1460 SACK_OK STAMPS NOP WSCALE_7 "\x13\x12";
	size_t len;

	(void)state;
	octets[38] = 34;
	octets[39] = 2;
	for (len = 0; len <= sizeof(octets); len++) {
		struct hs_options opts = parse(octets, len, true);
		u16 want = 0;

		if (len >= 4)
			want |= HS_OPT_MSS;
		if (len >= 6)
			want |= HS_OPT_SACK_PERMITTED;
		if (len >= 16)
			want |= HS_OPT_TIMESTAMPS;
		if (len >= 20)
			want |= HS_OPT_WSCALE;
		if (len >= 38)
			want |= HS_OPT_MD5;
		if (len >= 40)
			want |= HS_OPT_FAST_OPEN | HS_OPT_COOKIE_REQUEST;
		expect_options(&opts, want, len >= 4 ? 1460 : 0,
			       len >= 20 ? 7 : 0, len >= 16 ? TSVAL : 0,
			       len >= 16 ? TSECR : 0);
	}
}

static bool known_kind(u32 kind)
{
	return kind <= 4 || kind == 8 || kind == 19 || kind == 29 ||
	       kind == 30 || kind == 34;
}

static void unknown_kinds(void **state)
{
	struct hs_options opts;
	u32 kind;
	u8 len;

	(void)state;
	for (kind = 0; kind < 256; kind++) {
		if (known_kind(kind))
			continue;
		for (len = 2; len <= 30; len++) {
			u8 octets[40] = { (u8)kind, len };

			memcpy(octets + len, STAMPS, 10);
			opts = parse(octets, len + 10U, true);
			expect_options(&opts, HS_OPT_TIMESTAMPS, 0, 0, TSVAL,
				       TSECR);
			opts = parse(octets, len + 10U, false);
			expect_options(&opts, HS_OPT_TIMESTAMPS, 0, 0, TSVAL,
				       TSECR);
		}
	}
}

static void illegal_lengths(void **state)
{
	static const u8 kinds[] = { 2, 3, 4, 5, 8, 19, 29, 30, 34, 77, 254 };
	static const u8 lens[] = { 0, 1, 6, 255 };
	struct hs_options opts;
	size_t i, j;

	(void)state;
	/* 0 and 1, one beyond the header and far beyond it end the list. */
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		for (j = 0; j < ARRAY_SIZE(lens); j++) {
			u8 octets[9] = MSS_1460 "??" WSCALE_7;

			octets[4] = kinds[i];
			octets[5] = lens[j];
			opts = parse(octets, sizeof(octets), true);
			expect_options(&opts, HS_OPT_MSS, 1460, 0, 0, 0);
			/* no room for a length */
			opts = parse(octets, 5, true);
			expect_options(&opts, HS_OPT_MSS, 1460, 0, 0, 0);
		}
}

static void end_of_list(void **state)
{
	struct hs_options opts;

	(void)state;
	opts = PARSE(EOL MSS_1460);
	expect_options(&opts, 0, 0, 0, 0, 0);
	opts = PARSE(WSCALE_7 EOL MSS_1460 STAMPS);
	expect_options(&opts, HS_OPT_WSCALE, 0, 7, 0, 0);
}

static void no_operation(void **state)
{
	struct hs_options opts;
	u8 octets[40];
	size_t at;

	(void)state;
	memset(octets, 1, sizeof(octets));
	opts = parse(octets, sizeof(octets), true);
	expect_options(&opts, 0, 0, 0, 0, 0);
	octets[39] = 2;
	opts = parse(octets, sizeof(octets), true);
	expect_options(&opts, 0, 0, 0, 0, 0);
	for (at = 0; at <= 36; at++) {
		memset(octets, 1, sizeof(octets));
		memcpy(octets + at, MSS_1460, 4);
		opts = parse(octets, sizeof(octets), true);
		expect_options(&opts, HS_OPT_MSS, 1460, 0, 0, 0);
	}
}

static void no_alignment(void **state)
{
	struct hs_options opts;
	size_t shift;

	(void)state;
	for (shift = 0; shift < 4; shift++) {
		u8 octets[40] = { 1, 1, 1 };

		memcpy(octets + shift, STAMPS MSS_1460 SACK_OK WSCALE_7, 19);
		opts = parse(octets, shift + 19, true);
		expect_options(&opts, HS_OPT_MSS | HS_OPT_SACK_PERMITTED |
			       HS_OPT_TIMESTAMPS | HS_OPT_WSCALE, 1460, 7,
			       TSVAL, TSECR);
	}
}

static void wrong_lengths(void **state)
{
	static const struct {
		u8 kind, right;
	} known[] = { { 2, 4 }, { 3, 3 }, { 4, 2 }, { 8, 10 } };
	struct hs_options opts;
	size_t i;
	u8 len;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(known); i++)
		for (len = 2; len <= 36; len++) {
			u8 octets[40] = { 0 };

			if (len == known[i].right)
				continue;
			/* Skipped by the length that it states. */
			memset(octets, 0x22, sizeof(octets));
			octets[0] = known[i].kind;
			octets[1] = len;
			memcpy(octets + len, "\x22\x02", 2);
			opts = parse(octets, len + 2U, false);
			expect_options(&opts, HS_OPT_FAST_OPEN, 0, 0, 0, 0);
			opts = parse(octets, len + 2U, true);
			expect_options(&opts, COOKIE_REQUEST, 0, 0, 0, 0);
		}
}

static void duplicates(void **state)
{
	struct hs_options opts;

	(void)state;
	opts = PARSE(MSS_1000 MSS_500);
	expect_options(&opts, HS_OPT_MSS, 500, 0, 0, 0);
	opts = PARSE(MSS_500 MSS_1000);
	expect_options(&opts, HS_OPT_MSS, 1000, 0, 0, 0);
	opts = PARSE(WSCALE_7 WSCALE_2);
	expect_options(&opts, HS_OPT_WSCALE, 0, 2, 0, 0);
	opts = PARSE(STAMPS_OLD STAMPS);
	expect_options(&opts, HS_OPT_TIMESTAMPS, 0, 0, TSVAL, TSECR);
	opts = PARSE(SACK_OK SACK_OK);
	expect_options(&opts, HS_OPT_SACK_PERMITTED, 0, 0, 0, 0);
	/* One that is not valid does not take the valid one back. */
	opts = PARSE(MSS_500 MSS_0 "\x02\x03\x07");
	expect_options(&opts, HS_OPT_MSS, 500, 0, 0, 0);
}

static void only_on_syn(void **state)
{
	struct hs_options opts;

	(void)state;
	opts = PARSE_NO_SYN(MSS_1460 SACK_OK STAMPS NOP WSCALE_7);
	expect_options(&opts, HS_OPT_TIMESTAMPS, 0, 0, TSVAL, TSECR);
}

static void mss_values(void **state)
{
	static const u16 values[] = { 1, 47, 48, 536, 0x7fff, 0x8000, 65535 };
	struct hs_options opts;
	size_t i;

	(void)state;
	opts = PARSE(MSS_0);
	expect_options(&opts, 0, 0, 0, 0, 0);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		u8 octets[4] = { 2, 4, (u8)(values[i] >> 8), (u8)values[i] };

		opts = parse(octets, sizeof(octets), true);
		expect_options(&opts, HS_OPT_MSS, values[i], 0, 0, 0);
	}
	/* The same in a SYN that is known at a glance. */
	opts = PARSE(MSS_0 SACK_OK STAMPS NOP WSCALE_7);
	expect_options(&opts, HS_OPT_SACK_PERMITTED | HS_OPT_TIMESTAMPS |
		       HS_OPT_WSCALE, 0, 7, TSVAL, TSECR);
	opts = PARSE(MSS_0 NOP WSCALE_7 NOP NOP SACK_OK);
	expect_options(&opts, HS_OPT_SACK_PERMITTED | HS_OPT_WSCALE, 0, 7, 0,
		       0);
}

static void wscale_values(void **state)
{
	u8 linux_syn[] = MSS_1460 SACK_OK STAMPS NOP WSCALE_7;
	u8 windows_syn[] = MSS_1460 NOP WSCALE_7 NOP NOP SACK_OK;
	u16 both = HS_OPT_MSS | HS_OPT_SACK_PERMITTED | HS_OPT_WSCALE;
	struct hs_options opts;
	u32 shift;

	(void)state;
	for (shift = 0; shift < 256; shift++) {
		u8 octets[3] = { 3, 3, (u8)shift };
		u8 want = (u8)(shift < 14 ? shift : 14);
		u8 over = (u8)(shift > 14 ? shift : 0);

		opts = parse(octets, sizeof(octets), true);
		expect_options(&opts, HS_OPT_WSCALE, 0, want, 0, 0);
		assert_int_equal(opts.wscale_over, over);
		linux_syn[19] = (u8)shift;
		opts = parse(linux_syn, 20, true);
		expect_options(&opts, both | HS_OPT_TIMESTAMPS, 1460, want,
			       TSVAL, TSECR);
		assert_int_equal(opts.wscale_over, over);
		windows_syn[7] = (u8)shift;
		opts = parse(windows_syn, 12, true);
		expect_options(&opts, both, 1460, want, 0, 0);
		assert_int_equal(opts.wscale_over, over);
	}
}

static void options_of_others(void **state)
{
	static const struct {
		u8 kind;
		u16 present;
	} kinds[] = {
		{ 19, HS_OPT_MD5 }, { 29, HS_OPT_AO }, { 30, HS_OPT_MPTCP },
		{ 34, HS_OPT_FAST_OPEN },
	};
	struct hs_options opts;
	size_t i;
	u8 len;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		for (len = 2; len <= 40; len++) {
			u8 octets[40] = { kinds[i].kind, len };

			opts = parse(octets, len, true);
			expect_options(&opts, len == 2 && kinds[i].kind == 34 ?
				       COOKIE_REQUEST : kinds[i].present, 0, 0, 0, 0);
			opts = parse(octets, len, false);
			expect_options(&opts, kinds[i].present, 0, 0, 0, 0);
		}
}

static void experiments(void **state)
{
	struct hs_options opts;

	(void)state;
	opts = PARSE("\xfe\x04\xf9\x89");
	expect_options(&opts, COOKIE_REQUEST, 0, 0, 0, 0);
	opts = PARSE("\xfe\x05\xf9\x89\x01");
	expect_options(&opts, HS_OPT_FAST_OPEN, 0, 0, 0, 0);
	opts = PARSE("\xfe\x0c\xf9\x89\x01\x02\x03\x04\x05\x06\x07\x08");
	expect_options(&opts, HS_OPT_FAST_OPEN, 0, 0, 0, 0);
	opts = PARSE("\xfe\x03\xf9\x89");
	expect_options(&opts, 0, 0, 0, 0, 0);
	opts = PARSE("\xfe\x04\xf9\x8a");
	expect_options(&opts, 0, 0, 0, 0, 0);
	opts = PARSE("\xfd\x04\xf9\x89");
	expect_options(&opts, 0, 0, 0, 0, 0);
	opts = PARSE("\xfe\x06\xe2\xd4\xc3\xd9");
	expect_options(&opts, HS_OPT_SMC, 0, 0, 0, 0);
	opts = PARSE("\xfe\x05\xe2\xd4\xc3\xd9");
	expect_options(&opts, 0, 0, 0, 0, 0);
	opts = PARSE("\xfe\x06\xe2\xd4\xc3\xd8");
	expect_options(&opts, 0, 0, 0, 0, 0);
	opts = PARSE("\xfe\x02");
	expect_options(&opts, 0, 0, 0, 0, 0);
}

static size_t put(u8 *at, const char *octets, size_t len)
{
	memcpy(at, octets, len);
	return len;
}

/* What the native stack writes for each set of options. */
static void build_order(void **state)
{
	static const u16 bits[] = {
		HS_OPT_MSS, HS_OPT_WSCALE, HS_OPT_SACK_PERMITTED,
		HS_OPT_TIMESTAMPS,
	};
	struct hs_options opts = {
		.mss = 1460, .wscale = 7, .tsval = TSVAL, .tsecr = TSECR,
	};
	u32 set;

	(void)state;
	for (set = 0; set < 16; set++) {
		u8 want[HS_OPTIONS_MAX], got[HS_OPTIONS_MAX];
		size_t i, len = 0;

		if (set & 1)
			len += put(want + len, MSS_1460, 4);
		if ((set & 12) == 12)
			len += put(want + len, SACK_OK STAMPS, 12);
		else if (set & 8)
			len += put(want + len, NOP NOP STAMPS, 12);
		else if (set & 4)
			len += put(want + len, NOP NOP SACK_OK, 4);
		if (set & 2)
			len += put(want + len, NOP WSCALE_7, 4);

		opts.present = 0;
		for (i = 0; i < ARRAY_SIZE(bits); i++)
			if (set & 1U << i)
				opts.present |= bits[i];
		assert_int_equal(hs_options_build(got, &opts), len);
		assert_int_equal(hs_options_len(opts.present), len);
		assert_int_equal(len % 4, 0);
		assert_memory_equal(got, want, len);
	}
}

/* What counts of several is the last one with an even number of octets. */
static void cookie_requests(void **state)
{
	struct hs_options opts;

	(void)state;
	opts = PARSE("\x22\x02\x22\x06\x01\x02\x03\x04");
	expect_options(&opts, HS_OPT_FAST_OPEN, 0, 0, 0, 0);
	opts = PARSE("\x22\x06\x01\x02\x03\x04\x22\x02");
	expect_options(&opts, COOKIE_REQUEST, 0, 0, 0, 0);
	opts = PARSE("\x22\x02\x22\x03\x01");
	expect_options(&opts, COOKIE_REQUEST, 0, 0, 0, 0);
	opts = PARSE("\x22\x02\xfe\x06\xf9\x89\x01\x02");
	expect_options(&opts, HS_OPT_FAST_OPEN, 0, 0, 0, 0);
}

static void build_nothing_else(void **state)
{
	struct hs_options opts = {
		.present = HS_OPT_MD5 | HS_OPT_AO | HS_OPT_MPTCP |
			   HS_OPT_FAST_OPEN | HS_OPT_SMC,
	};
	u8 octets[HS_OPTIONS_MAX];

	(void)state;
	assert_int_equal(hs_options_build(octets, &opts), 0);
}

static const struct cm_unit_test tests[] = {
	TEST("OP13 the options of a usual SYN", usual_syn),
	TEST("OP2 cut at every length from 0 to 40", every_length),
	TEST("OP1 OP15 unknown and obsolete kinds are skipped", unknown_kinds),
	TEST("OP2 an illegal length ends the list", illegal_lengths),
	TEST("OP3 EOL ends the list", end_of_list),
	TEST("OP4 NOP anywhere", no_operation),
	TEST("OP5 no alignment", no_alignment),
	TEST("OP6 a known kind with the wrong length is skipped",
	     wrong_lengths),
	TEST("OP7 the last valid duplicate wins", duplicates),
	TEST("OP9 MSS, window scale and SACK-permitted count on a SYN only",
	     only_on_syn),
	TEST("OP10 MSS 0 is no MSS, any other is taken", mss_values),
	TEST("OP11 a shift above 14 is 14", wscale_values),
	TEST("AU1 AU4 kinds 19, 29, 30 and 34 are noticed", options_of_others),
	TEST("AU7 kind 254 is told apart by its magic number", experiments),
	TEST("FO1 a Fast Open option of no octets asks for a cookie",
	     cookie_requests),
	TEST("OP13 options are written in native order", build_order),
	TEST("OP15 no other option is ever written", build_nothing_else),
};

SUITE(option_suite);
