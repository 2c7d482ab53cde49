/* SPDX-License-Identifier: GPL-2.0 */
/* Where initial sequence numbers come from in a namespace. */
#ifndef HS_ISN_H
#define HS_ISN_H

#include <linux/ktime.h>
#include <net/secure_seq.h>

#include "flow.h"
#include "netns.h"

/* What the native stack would choose: its ISN, and the offset of TSvals. */
union tcp_seq_and_ts_off hs_isn_native(struct net *net,
				       const struct hs_flow_key *key);

/**
 * hs_isn_choose() - the ISS of a new flow
 * @hn:		the namespace
 * @claim:	its claim
 * @key:	its addresses and ports
 * @native:	the native stack's choice
 * @now:	ktime_get()
 * @other:	result: a number that tells nothing of the ISS and that nobody can
 *		foresee, another one for the next flow of the tuple, never 0; or
 *		NULL
 */
u32 hs_isn_choose(const struct hs_net *hn, const struct hs_claim *claim,
		  const struct hs_flow_key *key, u32 native, ktime_t now,
		  u32 *other);

#endif /* HS_ISN_H */
