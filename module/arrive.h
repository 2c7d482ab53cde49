/* SPDX-License-Identifier: GPL-2.0 */
/* A segment for a flow. */
#ifndef HS_ARRIVE_H
#define HS_ARRIVE_H

#include <linux/netfilter.h>

#include "flow.h"
#include "packet.h"
#include "xmit.h"

/* Not a netfilter verdict: the flow is no more, look at the segment afresh. */
#define HS_FLOW_GONE	(NF_MAX_VERDICT + 1)

/**
 * hs_arrive() - let the core decide on a segment, and do what it says
 * @flow:	the flow
 * @pkt:	the segment
 *
 * Context: LOCAL_IN. Return: NF_ACCEPT, NF_DROP or HS_FLOW_GONE.
 */
unsigned int hs_arrive(struct hs_flow *flow, struct hs_packet *pkt);

/**
 * hs_act() - what the core asked for, once the flow's lock is dropped
 * @flow:	the flow, still held by the caller
 * @actions:	what to do
 * @xmit:	prepared while the lock was held, if there is a reply
 */
void hs_act(struct hs_flow *flow, const struct hs_actions *actions,
	    struct hs_xmit *xmit);

#endif /* HS_ARRIVE_H */
