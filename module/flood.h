/* SPDX-License-Identifier: GPL-2.0 */
/* Limits of half-open flows, and when a SYN gets a cookie instead. */
#ifndef HS_FLOOD_H
#define HS_FLOOD_H

#include <linux/atomic.h>
#include <linux/spinlock.h>

#include "core/pressure.h"
#include "uapi/threeway.h"

struct hs_claim;
struct hs_net;
struct hs_packet;

/**
 * struct hs_flood - one limit, of a claim or a namespace
 * @lock:	guards @pressure; nobody waits for it
 * @pressure:	when it is reached
 * @looked:	jiffies when it was looked at last
 * @warned:	jiffies of the latest line in the log
 * @unanswered:	cookies sent, less those that came back
 */
struct hs_flood {
	spinlock_t lock;	/* pressure */
	struct hs_pressure pressure;
	unsigned long looked;
	unsigned long warned;
	atomic64_t unanswered;
};

void hs_flood_setup(struct hs_flood *flood);

/* What a SYN gets. */
enum hs_flood_answer {
	HS_FLOOD_FLOW = 0,	/* a flow, if there was no reason against it */
	HS_FLOOD_COOKIE,	/* its source a cookie */
	HS_FLOOD_COOKIES,	/* everybody a cookie */
};

/**
 * hs_flood_cookie() - is a cookie the answer to this SYN
 * @hn:		the namespace
 * @claim:	its claim
 * @pkt:	the SYN; its peer is not proven to be real
 * @reason:	why it cannot have a flow, HS_NONE if it can; changed for what
 *		the source may not have
 * @counted:	result: hs_source_take() has counted the flow
 *
 * Context: RCU, BH.
 */
enum hs_flood_answer hs_flood_cookie(struct hs_net *hn, struct hs_claim *claim,
				     const struct hs_packet *pkt,
				     enum threeway_counter *reason,
				     bool *counted);

/* Is there nothing to be asked before a SYN gets a flow, if there is room? */
bool hs_flood_calm(const struct hs_net *hn, const struct hs_claim *claim);

#endif /* HS_FLOOD_H */
