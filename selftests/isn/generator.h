/* SPDX-License-Identifier: GPL-2.0 */
/* Where ISNs come from: the engine, and generators that are known to be weak. */
#ifndef ISN_GENERATOR_H
#define ISN_GENERATOR_H

#include "siphash.h"

/* As the module's struct hs_flow_key, which needs the kernel's headers. */
struct tuple {
	u8 local[16];
	u8 remote[16];
	u8 local_port[2];	/* network byte order */
	u8 remote_port[2];
	u32 ifindex;
	u32 family;
};

/**
 * struct generator - one way to choose ISNs
 * @name:	what it is
 * @isn:	the ISN of a tuple; @n counts the calls
 */
struct generator {
	const char *name;
	u32 (*isn)(const struct tuple *tuple,
		   const struct siphash_secret *secret, u64 now_ns, u32 n);
};

enum { GENERATORS = 8 };

/* The first is the engine's. */
extern const struct generator generators[GENERATORS];

/* The engine's SYN cookies. */
extern const struct generator cookie_generator;

#endif /* ISN_GENERATOR_H */
