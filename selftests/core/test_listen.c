// SPDX-License-Identifier: GPL-2.0
#include "core_test.h"

#define PORT	40000

enum fate { LEFT, LEFT_SYN_FIN, LEFT_NEITHER, OPENS, NO_PORT };

static const char *const fate_names[] = {
	"left to native", "left to native as SYN+FIN",
	"left to native as neither SYN, ACK nor RST", "opens a flow",
	"dropped for port 0",
};

static enum fate fate_of(struct hs_segment seg, u16 port)
{
	static const struct hs_reply silence;
	struct hs_actions actions;

	memset(&actions, 0xa5, sizeof(actions));
	hs_listen_arrives(&seg, port, &actions);

	/* LISTEN itself never answers, ends or times anything. */
	assert_int_equal(actions.timer, HS_TIMER_KEEP);
	assert_int_equal(actions.timer_ms, 0);
	assert_int_equal(actions.sent, HS_NONE);
	assert_int_equal(actions.end, HS_NONE);
	expect_reply_equal("LISTEN", &actions.reply, &silence);

	if (actions.verdict == HS_NATIVE) {
		if (actions.counter == HS_NONE)
			return LEFT;
		if (actions.counter == THREEWAY_C_segment_no_ack)
			return LEFT_NEITHER;
		assert_int_equal(actions.counter, THREEWAY_C_segment_syn_fin);
		return LEFT_SYN_FIN;
	}
	assert_int_equal(actions.verdict, HS_DROP);
	if (actions.counter == HS_NONE)
		return OPENS;
	assert_int_equal(actions.counter, THREEWAY_C_segment_port_zero);
	return NO_PORT;
}

static void expect_fate(u8 flags, u32 data, u16 port, enum fate want)
{
	enum fate got = fate_of(segment(flags, 100, 200, data), port);

	if (got != want)
		FAIL("flags %#04x, %u octets: %s, not %s", flags, data,
		     fate_names[got], fate_names[want]);
}

static void expect_fates(const u8 *flags, size_t count, enum fate want)
{
	size_t i;

	for (i = 0; i < count; i++) {
		expect_fate(flags[i], 0, PORT, want);
		expect_fate(flags[i], 3, PORT, want);
	}
}

static void rst(void **state)
{
	static const u8 flags[] = {
		HS_RST, HS_RST | HS_ACK, HS_RST | HS_SYN,
		HS_RST | HS_SYN | HS_ACK, HS_RST | HS_FIN,
	};

	(void)state;
	expect_fates(flags, ARRAY_SIZE(flags), LEFT);
}

static void ack(void **state)
{
	static const u8 flags[] = {
		HS_ACK, HS_ACK | HS_SYN, HS_ACK | HS_FIN, HS_ACK | HS_PSH,
		HS_ACK | HS_SYN | HS_FIN,
	};

	(void)state;
	expect_fates(flags, ARRAY_SIZE(flags), LEFT);
}

static void syn_fin(void **state)
{
	static const u8 flags[] = {
		HS_SYN | HS_FIN, HS_SYN | HS_FIN | HS_PSH,
		HS_SYN | HS_FIN | HS_URG,
		HS_SYN | HS_FIN | HS_PSH | HS_URG | HS_ECE | HS_CWR,
	};

	(void)state;
	expect_fates(flags, ARRAY_SIZE(flags), LEFT_SYN_FIN);
}

static void neither(void **state)
{
	static const u8 flags[] = {
		0, HS_FIN, HS_URG, HS_PSH, HS_FIN | HS_URG,
		HS_FIN | HS_PSH | HS_URG, HS_ECE | HS_CWR,
	};

	(void)state;
	expect_fates(flags, ARRAY_SIZE(flags), LEFT_NEITHER);
}

static void syn(void **state)
{
	static const u8 flags[] = {
		HS_SYN, HS_SYN | HS_PSH, HS_SYN | HS_URG, HS_SYN | HS_ECE,
		HS_SYN | HS_CWR, HS_SYN | HS_ECE | HS_CWR,
		HS_SYN | HS_PSH | HS_URG | HS_ECE | HS_CWR,
	};

	(void)state;
	expect_fates(flags, ARRAY_SIZE(flags), OPENS);
}

static void port_zero(void **state)
{
	(void)state;
	expect_fate(HS_SYN, 0, 0, NO_PORT);
	expect_fate(HS_SYN, 3, 0, NO_PORT);
	expect_fate(HS_SYN, 0, 1, OPENS);
	expect_fate(HS_SYN, 0, 65535, OPENS);
	expect_fate(HS_ACK, 0, 0, LEFT);
	expect_fate(HS_RST, 0, 0, LEFT);
}

/* Which of the sixteen sets of SYN, ACK, RST and FIN does what; all 256. */
static void every_flag(void **state)
{
	static const enum fate table[16] = {
		[0]		= LEFT_NEITHER,
		[1]		= LEFT_NEITHER,	/* FIN */
		[2]		= OPENS,	/* SYN */
		[3]		= LEFT_SYN_FIN,
		[4 ... 7]	= LEFT,		/* RST with any */
		[8 ... 15]	= LEFT,		/* ACK with any */
	};
	u32 flags;

	(void)state;
	for (flags = 0; flags < 256; flags++) {
		u8 row = flags & (HS_FIN | HS_SYN | HS_RST);

		if (flags & HS_ACK)
			row |= 8;
		expect_fate((u8)flags, 0, PORT, table[row]);
		expect_fate((u8)flags, 3, PORT, table[row]);
	}
}

static const struct cm_unit_test tests[] = {
	TEST("LI1 RST is not the engine's", rst),
	TEST("LI2 ACK is not the engine's", ack),
	TEST("LI4 SYN+FIN opens nothing", syn_fin),
	TEST("LI5 neither SYN, ACK nor RST opens nothing", neither),
	TEST("LI3 LI6 LI7 a plain SYN opens a flow, whatever else it has",
	     syn),
	TEST("IP10 a SYN from port 0 is dropped", port_zero),
	TEST("FL1 FL2 FL3 LISTEN, every set of flags", every_flag),
};

SUITE(listen_suite);
