/* SPDX-License-Identifier: GPL-2.0 */
/* The octets of a fuzzer, taken one after the other; 0 when there are no more. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include "octet.h"
#include "types.h"

struct input {
	const u8 *at;
	size_t left;
};

static inline u8 take8(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static inline u16 take16(struct input *in)
{
	u8 high = take8(in);

	return (u16)(high << 8 | take8(in));
}

static inline u32 take32(struct input *in)
{
	u32 high = take16(in);

	return high << 16 | take16(in);
}

/* A number near @base. */
static inline u32 take_near(struct input *in, u32 base)
{
	return base + (u32)(signed char)take8(in);
}

#endif /* FUZZ_INPUT_H */
