/* SPDX-License-Identifier: GPL-2.0 */
/* Passive open: a SYN for a claim. */
#ifndef HS_PASSIVE_H
#define HS_PASSIVE_H

#include "core/tcb.h"
#include "netns.h"
#include "packet.h"
#include "terms.h"

struct dst_entry;
struct hs_xmit;
struct sock;
struct tcp_request_sock;

/**
 * hs_passive_syn() - a segment that opens a flow, or that LISTEN drops
 * @hn:		the namespace
 * @pkt:	the segment; it has SYN or is odd, and belongs to no flow
 *
 * Opens a flow when a claim, a listener and all limits allow it; whatever they
 * do not allow is the native stack's.
 *
 * Context: LOCAL_IN. Return: NF_ACCEPT; NF_STOLEN when a flow was
 * opened, and the caller frees the SYN; NF_DROP.
 */
unsigned int hs_passive_syn(struct hs_net *hn, struct hs_packet *pkt);

/**
 * hs_passive_offer() - what a listener may agree to on a SYN
 * @hn:		the namespace
 * @claim:	the claim
 * @listener:	the listener
 * @family:	of the SYN
 * @treq:	a request for it
 * @dst:	the route back
 * @offer:	result
 */
void hs_passive_offer(const struct hs_net *hn, const struct hs_claim *claim,
		      struct sock *listener, u8 family,
		      struct tcp_request_sock *treq,
		      const struct dst_entry *dst, struct hs_offer *offer);

/* What a flow says in its SYN-ACK, but for the offer. */
void hs_passive_terms(const struct hs_flow *flow, struct hs_terms *terms);

/**
 * hs_passive_draft() - a flow that a SYN opens, not yet in the table
 * @hn:		the namespace
 * @claim:	its claim
 * @listener:	its listener, which has no objection
 * @pkt:	the SYN
 * @terms:	what this end says
 * @actions:	result: the first SYN-ACK
 *
 * Context: RCU, BH. Return: the flow with one reference, or NULL.
 */
struct hs_flow *hs_passive_draft(struct hs_net *hn, struct hs_claim *claim,
				 struct sock *listener,
				 const struct hs_packet *pkt,
				 const struct hs_terms *terms,
				 struct hs_actions *actions);

/**
 * hs_passive_enter() - make a flow visible whose SYN-ACK is about to be sent
 * @flow:	the flow
 * @seg:	its SYN
 * @actions:	its first SYN-ACK
 *
 * Context: RCU, BH. Return: as hs_flow_insert().
 */
int hs_passive_enter(struct hs_flow *flow, const struct hs_segment *seg,
		     const struct hs_actions *actions);

/* The SYN-ACK takes the place of a SYN that nobody else has. */
void hs_passive_reuse(struct hs_net *hn, struct hs_packet *pkt,
		      struct hs_xmit *xmit);

#endif /* HS_PASSIVE_H */
