/* SPDX-License-Identifier: GPL-2.0 */
/* SipHash-2-4, which the kernel has and a program has not. */
#ifndef ISN_SIPHASH_H
#define ISN_SIPHASH_H

#include "types.h"

struct siphash_secret {
	u64 word[2];
};

u64 siphash24(const void *data, size_t len,
	      const struct siphash_secret *secret);

#endif /* ISN_SIPHASH_H */
