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
