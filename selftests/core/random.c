// SPDX-License-Identifier: GPL-2.0
/*
 * xorshift64*: fast, and the same on every machine, so that a seed repeats a
 * failure.
 */
#include "core_test.h"

static u64 state;

static u64 number_of(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

void random_start(void)
{
	u64 seed = number_of("CORE_SEED", 20220822);

	print_message("# CORE_SEED=%llu\n", (unsigned long long)seed);
	/* A state of 0 would stay 0. */
	state = seed * 0x9e3779b97f4a7c15ULL;
	if (!state)
		state = 1;
}

u32 random_u32(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (u32)((state * 0x2545f4914f6cdd1dULL) >> 32);
}

u32 random_below(u32 limit)
{
	return (u32)(((u64)random_u32() * limit) >> 32);
}

bool random_one_in(u32 n)
{
	return random_below(n) == 0;
}

u32 random_rounds(u32 cases)
{
	return cases * (u32)number_of("CORE_ROUNDS", 1);
}

u32 random_corner(void)
{
	static const u32 corners[] = {
		0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
	};

	return random_one_in(2) ? random_u32() :
	       corners[random_below(ARRAY_SIZE(corners))];
}

static u32 random_seq(u32 base)
{
	static const u32 near[] = {
		0U - 70000, 0U - 2, 0U - 1, 0, 1, 2, 3, 100, 65535, 65536,
		0x7fffffff, 0x80000000, 0x80000001,
	};

	if (random_one_in(20))
		return random_u32();
	return base + near[random_below(ARRAY_SIZE(near))];
}

static u8 random_flags(void)
{
	static const u8 usual[] = {
		HS_SYN, HS_ACK, HS_ACK, HS_ACK | HS_PSH, HS_ACK | HS_FIN,
		HS_SYN | HS_ACK, HS_RST, HS_RST | HS_ACK, HS_SYN | HS_FIN,
		HS_FIN, 0,
	};

	if (random_one_in(3))
		return (u8)random_u32();
	return usual[random_below(ARRAY_SIZE(usual))];
}

struct hs_segment random_segment(const struct hs_tcb *tcb)
{
	static const u32 lens[] = { 0, 0, 0, 1, 2, 3, 1000, 1460, 65535 };
	struct hs_segment seg;
	u32 seq = random_seq(tcb->irs);

	if (random_one_in(4))
		seq = tcb->irs + 1 + tcb->rcv_wnd + random_below(3) - 1;
	seg = segment(random_flags(), seq,
		      random_one_in(3) ? random_seq(tcb->iss) : tcb->iss + 1,
		      lens[random_below(ARRAY_SIZE(lens))]);
	if (seg.flags & HS_SYN)
		seg.opts = (struct hs_options) {
			.present = random_u32() & (HS_OPT_MSS | HS_OPT_WSCALE |
						   HS_OPT_SACK_PERMITTED),
			.mss = (u16)(1 + random_below(65535)),
			.wscale = (u8)random_below(15),
		};
	if (random_one_in(2)) {
		u32 tsval = tcb->ts_recent + random_below(5) - 1;
		u32 tsecr = tcb->tsval_last + random_below(3) - 1;

		if (random_one_in(4))
			tsval = random_seq(tcb->ts_recent);
		if (random_one_in(3))
			tsecr = random_seq(tcb->tsval_first);
		if (random_one_in(8))
			tsecr = 0;
		seg = stamped(seg, tsval, tsecr);
	}
	return seg;
}
