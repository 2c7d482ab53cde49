// SPDX-License-Identifier: GPL-2.0
#include "core_test.h"

/* Parses a copy that ends where its allocation ends. */
static bool parse(struct hs_segment *seg, const u8 *header, size_t header_len,
		  u32 segment_len, u8 ip_ecn)
{
	u8 *copy = malloc(header_len + 1);
	bool ok;

	assert_non_null(copy);
	memcpy(copy + 1, header, header_len);
	memset(seg, 0xa5, sizeof(*seg));
	ok = hs_segment_parse(seg, copy + 1, header_len, segment_len, ip_ecn);
	free(copy);
	return ok;
}

static const u8 example[HS_HEADER_MAX] = {
	0x12, 0x34, 0x00, 0x50,		/* ports */
	0xfe, 0xdc, 0xba, 0x98,		/* SEG.SEQ */
	0x89, 0xab, 0xcd, 0xef,		/* SEG.ACK */
	0x60, HS_SYN, 0xfa, 0xf0,	/* offset, flags, window */
	0xff, 0xff, 0x55, 0x55,		/* checksum, urgent pointer */
	0x02, 0x04, 0x05, 0xb4,		/* MSS */
};

static void fields(void **state)
{
	struct hs_segment seg;

	(void)state;
	assert_true(parse(&seg, example, 24, 24 + 100, 0));
	assert_int_equal(seg.seq, 0xfedcba98);
	assert_int_equal(seg.ack, 0x89abcdef);
	assert_int_equal(seg.wnd, 0xfaf0);
	assert_int_equal(seg.flags, HS_SYN);
	assert_int_equal(seg.len, 101);
	assert_false(seg.ae);
	assert_false(seg.ecn_capable);
	assert_int_equal(seg.opts.present, HS_OPT_MSS);
	assert_int_equal(seg.opts.mss, 1460);
}

static void data_offset(void **state)
{
	u8 header[HS_HEADER_MAX];
	struct hs_segment seg;
	u32 segment_len;
	u32 header_len;
	u32 doff;

	(void)state;
	memcpy(header, example, sizeof(header));
	for (doff = 0; doff < 16; doff++)
		for (header_len = 0; header_len <= 60; header_len++)
			for (segment_len = 0; segment_len <= 84;
			     segment_len++) {
				bool want = doff >= 5 &&
					    doff * 4 <= header_len &&
					    doff * 4 <= segment_len;

				header[12] = (u8)(doff << 4);
				if (parse(&seg, header, header_len,
					  segment_len, 0) != want)
					FAIL("doff %u, %u and %u octets", doff,
					     header_len, segment_len);
				if (want)
					assert_int_equal(seg.len, segment_len -
							 doff * 4 + 1);
			}
}

static void segment_length(void **state)
{
	static const struct {
		u8 flags;
		u32 extra;
	} rows[] = {
		{ HS_SYN, 1 }, { HS_FIN, 1 }, { HS_SYN | HS_FIN, 2 },
		{ HS_ACK, 0 }, { HS_RST, 0 }, { 0, 0 }, { HS_URG | HS_PSH, 0 },
		{ HS_SYN | HS_ACK, 1 }, { HS_FIN | HS_ACK | HS_RST, 1 },
	};
	static const u32 data[] = { 0, 1, 3, 1460, 65515, 65535, 524280 };
	u8 header[HS_HEADER_MAX];
	struct hs_segment seg;
	size_t i, j;

	(void)state;
	memcpy(header, example, sizeof(header));
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (j = 0; j < ARRAY_SIZE(data); j++) {
			header[13] = rows[i].flags;
			assert_true(parse(&seg, header, 24, 24 + data[j], 0));
			assert_int_equal(seg.len, data[j] + rows[i].extra);
			assert_int_equal(seg.flags, rows[i].flags);
		}
}

static void syn_options(void **state)
{
	u8 header[HS_HEADER_MAX];
	struct hs_segment seg;

	(void)state;
	memcpy(header, example, sizeof(header));
	header[13] = HS_ACK;
	assert_true(parse(&seg, header, 24, 24, 0));
	assert_int_equal(seg.opts.present, 0);
	header[13] = HS_SYN | HS_ACK;
	assert_true(parse(&seg, header, 24, 24, 0));
	assert_int_equal(seg.opts.present, HS_OPT_MSS);
	/* Options end with the header, data are no options. */
	header[12] = 0x50;
	assert_true(parse(&seg, header, 24, 24, 0));
	assert_int_equal(seg.opts.present, 0);
}

static void reserved_bits(void **state)
{
	u8 header[HS_HEADER_MAX];
	struct hs_segment seg;
	u8 reserved;

	(void)state;
	memcpy(header, example, sizeof(header));
	for (reserved = 0; reserved < 16; reserved++) {
		header[12] = 0x60 | reserved;
		assert_true(parse(&seg, header, 24, 24, 0));
		assert_int_equal(seg.ae, reserved & 1);
		assert_int_equal(seg.len, 1);
		assert_int_equal(seg.flags, HS_SYN);
		assert_int_equal(seg.opts.mss, 1460);
	}
}

static void ip_ecn(void **state)
{
	struct hs_segment seg;
	u8 ecn;

	(void)state;
	for (ecn = 0; ecn < 4; ecn++) {
		assert_true(parse(&seg, example, 24, 24, ecn));
		assert_int_equal(seg.ecn_capable, ecn != 0);
	}
	/* Only those two bits, should the whole octet come. */
	assert_true(parse(&seg, example, 24, 24, 0xfc));
	assert_false(seg.ecn_capable);
}

static void build_synack(void **state)
{
	const struct hs_reply reply = {
		.seq = 0x01020304,
		.ack = 0x05060708,
		.wnd = 0xfffe,
		.flags = HS_SYN | HS_ACK | HS_ECE,
		.opts = {
			.present = HS_OPT_MSS | HS_OPT_SACK_PERMITTED |
				   HS_OPT_TIMESTAMPS | HS_OPT_WSCALE,
			.mss = 1460, .wscale = 7,
			.tsval = 0x11121314, .tsecr = 0x21222324,
		},
	};
	static const u8 want[] = {
		0x1f, 0x90, 0xc0, 0x01, 1, 2, 3, 4, 5, 6, 7, 8,
		0xa0, 0x52, 0xff, 0xfe, 0, 0, 0, 0,
		2, 4, 0x05, 0xb4, 4, 2, 8, 10,
		0x11, 0x12, 0x13, 0x14, 0x21, 0x22, 0x23, 0x24, 1, 3, 3, 7,
	};
	u8 header[HS_HEADER_MAX];

	(void)state;
	memset(header, 0xa5, sizeof(header));
	assert_int_equal(hs_reply_build(header, &reply, 8080, 49153),
			 sizeof(want));
	assert_memory_equal(header, want, sizeof(want));
	/* Nothing beyond what the length says. */
	assert_int_equal(header[sizeof(want)], 0xa5);
}

static void build_rst(void **state)
{
	const struct hs_reply reply = { .seq = 0x80000000, .flags = HS_RST };
	static const u8 want[] = {
		0x00, 0x50, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0,
		0x50, 0x04, 0, 0, 0, 0, 0, 0,
	};
	u8 header[HS_HEADER_MAX];

	(void)state;
	memset(header, 0xa5, sizeof(header));
	assert_int_equal(hs_reply_build(header, &reply, 80, 65535),
			 sizeof(want));
	assert_memory_equal(header, want, sizeof(want));
	assert_int_equal(header[sizeof(want)], 0xa5);
}

/* Does the header that @built becomes say what @reply says? */
static bool repeats(const struct hs_reply *reply, const struct hs_reply *built)
{
	u8 header[HS_HEADER_MAX];
	struct hs_segment seg;
	size_t len;

	len = hs_reply_build(header, built, 1, 2);
	assert_true(parse(&seg, header, len, (u32)len, 0));
	/* room for an option that is not known */
	assert_false(hs_reply_repeats(reply, &seg, len + 4));
	seg.ae = true;
	assert_false(hs_reply_repeats(reply, &seg, len));
	seg.ae = false;
	return hs_reply_repeats(reply, &seg, len);
}

static void repeated(void **state)
{
	static const u16 bits[] = {
		HS_OPT_MSS, HS_OPT_WSCALE, HS_OPT_SACK_PERMITTED,
		HS_OPT_TIMESTAMPS,
	};
	const struct hs_reply reply = {
		.seq = 7, .wnd = 64240, .flags = HS_SYN | HS_ECE | HS_CWR,
		.opts = {
			.present = HS_OPT_MSS | HS_OPT_SACK_PERMITTED |
				   HS_OPT_TIMESTAMPS | HS_OPT_WSCALE,
			.mss = 1460, .wscale = 7,
			.tsval = 0x11121314, .tsecr = 0x21222324,
		},
	};
	struct hs_reply other;
	size_t i;

	(void)state;
	assert_true(repeats(&reply, &reply));
	for (i = 0; i < 7; i++) {
		other = reply;
		other.ack += i == 0;
		other.wnd += i == 1;
		other.flags ^= i == 2 ? HS_ACK : 0;
		other.opts.mss += i == 3;
		other.opts.wscale += i == 4;
		other.opts.tsval += i == 5;
		other.opts.tsecr += i == 6;
		assert_false(repeats(&reply, &other));
	}
	other = reply;
	other.seq++;
	assert_true(repeats(&reply, &other));
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		other = reply;
		other.opts.present &= (u16)~bits[i];
		assert_false(repeats(&reply, &other));
		assert_false(repeats(&other, &reply));
	}
	/* what is not there has no value */
	other = (struct hs_reply) { .flags = HS_SYN };
	assert_true(repeats(&other, &other));
}

static void random_headers(void **state)
{
	u32 rounds = random_rounds(200000);

	(void)state;
	random_start();
	while (rounds--) {
		size_t header_len = random_below(HS_HEADER_MAX + 1);
		u8 header[HS_HEADER_MAX];
		struct hs_segment seg;
		size_t i;

		for (i = 0; i < header_len; i++)
			header[i] = (u8)random_u32();
		if (!parse(&seg, header, header_len, random_below(70000),
			   (u8)random_u32()))
			continue;
		assert_true(seg.opts.wscale <= HS_WSCALE_MAX);
		assert_int_equal(seg.opts.mss != 0,
				 (seg.opts.present & HS_OPT_MSS) != 0);
		if (!(seg.flags & HS_SYN))
			assert_false(seg.opts.present &
				     (HS_OPT_MSS | HS_OPT_WSCALE |
				      HS_OPT_SACK_PERMITTED));
	}
}

static const struct cm_unit_test tests[] = {
	TEST("SQ1 the fields of a header", fields),
	TEST("OP8 data offset 0 to 15 against the octets there", data_offset),
	TEST("SQ3 SEG.LEN counts data, SYN and FIN", segment_length),
	TEST("OP9 a header's options, those of a SYN only on a SYN",
	     syn_options),
	TEST("FL6 EC3 reserved bits are ignored but for AE", reserved_bits),
	TEST("EC3 ECT and CE of the IP header are noticed", ip_ecn),
	TEST("OP13 FL6 WI1 a SYN-ACK octet by octet", build_synack),
	TEST("CL3 a RST octet by octet", build_rst),
	TEST("OP13 SS1 a header that need not be written again", repeated),
	TEST("OP16 random headers in exact buffers", random_headers),
};

SUITE(segment_suite);
