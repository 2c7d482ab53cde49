// SPDX-License-Identifier: GPL-2.0
/* J.-P. Aumasson, D. J. Bernstein: SipHash, a fast short-input PRF, section 2. */
#include "siphash.h"

static u64 rotate(u64 value, unsigned int bits)
{
	return value << bits | value >> (64 - bits);
}

static void rounds(u64 *v, int count)
{
	while (count--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static u64 little_endian(const u8 *p, size_t len)
{
	u64 word = 0;

	while (len--)
		word = word << 8 | p[len];
	return word;
}

static void absorb(u64 *v, u64 word)
{
	v[3] ^= word;
	rounds(v, 2);
	v[0] ^= word;
}

u64 siphash24(const void *data, size_t len,
	      const struct siphash_secret *secret)
{
	/* "somepseudorandomlygeneratedbytes" */
	u64 v[4] = {
		secret->word[0] ^ 0x736f6d6570736575ULL,
		secret->word[1] ^ 0x646f72616e646f6dULL,
		secret->word[0] ^ 0x6c7967656e657261ULL,
		secret->word[1] ^ 0x7465646279746573ULL,
	};
	u64 last = (u64)len << 56;
	const u8 *p = data;

	for (; len >= 8; p += 8, len -= 8)
		absorb(v, little_endian(p, 8));
	absorb(v, last | little_endian(p, len));
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
