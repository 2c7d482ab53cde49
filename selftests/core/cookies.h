/* SPDX-License-Identifier: GPL-2.0 */
/* Hosts that answer by cookies, as the module does it around the core. */
#ifndef CORE_COOKIES_H
#define CORE_COOKIES_H

#include "../isn/siphash.h"
#include "cookie.h"
#include "core_test.h"

/**
 * struct cookie_host - a host
 * @secrets:	the older one and the newer one
 * @from:	count at which the newer one begins
 * @wall_s:	seconds since 1970
 * @clock_ms:	the timestamp clock
 * @ts_offset:	timestamp offset of the tuple
 * @tuple:	stands for addresses and ports
 * @rcv_wscale:	the shift that the listener's buffers need
 * @offer:	what it is willing to negotiate
 * @v6:		IPv6
 */
struct cookie_host {
	struct siphash_secret secrets[2];
	u32 from;
	u64 wall_s;
	u32 clock_ms;
	u32 ts_offset;
	u32 tuple;
	u8 rcv_wscale;
	struct hs_offer offer;
	bool v6;
};

/* Begins in the middle of nowhere, at the first second of a period. */
struct cookie_host cookie_host(void);

void cookie_wait(struct cookie_host *host, u32 s);

/* A SYN with every option. */
struct hs_segment cookie_syn(void);

/* Return: the SYN-ACK; @tcb is what the host then forgets. */
struct hs_reply cookie_answer(const struct cookie_host *host,
			      const struct hs_segment *syn,
			      struct hs_tcb *tcb);

/* What the peer answers to it. */
struct hs_segment cookie_ack(const struct hs_reply *synack);

enum cookie_fate {
	ACCEPTED,
	IMPOSSIBLE,	/* no need to hash */
	INVALID,
};

enum cookie_fate cookie_back(const struct cookie_host *host,
			     const struct hs_segment *ack, struct hs_tcb *tcb);

/* The same, where only the answer matters. */
enum cookie_fate cookie_fate(const struct cookie_host *host,
			     const struct hs_segment *ack);

#endif /* CORE_COOKIES_H */
