/* SPDX-License-Identifier: GPL-2.0 */
/* Handshakes without a socket: the engine is the endpoint. */
#ifndef HS_HOLD_H
#define HS_HOLD_H

#include "netns.h"
#include "packet.h"

/**
 * hs_hold_syn() - a SYN for a claim of mode hold
 * @hn:		the namespace
 * @claim:	the claim
 * @pkt:	the SYN, which the core accepts
 *
 * Context: LOCAL_IN. Return: as hs_passive_syn().
 */
unsigned int hs_hold_syn(struct hs_net *hn, struct hs_claim *claim,
			 struct hs_packet *pkt);

/**
 * hs_hold_drops() - whether the claim stands in for a listener that drops
 * @hn:		the namespace
 * @claim:	of any mode
 * @pkt:	the segment, which LISTEN drops and a closed port would reset
 */
bool hs_hold_drops(struct hs_net *hn, const struct hs_claim *claim,
		   const struct hs_packet *pkt);

/* A segment for a flow of kind HS_FLOW_HOLD, referenced. Return: as above. */
unsigned int hs_hold_arrive(struct hs_flow *flow, struct hs_packet *pkt);

/**
 * hs_hold_open() - begin a handshake
 * @hn:		the namespace
 * @open:	what to open; key and id are set
 *
 * Context: process. Return: 0 or what THREEWAY_IOC_OPEN documents.
 */
int hs_hold_open(struct hs_net *hn, struct threeway_open *open);

/* Tell the peer of a flow that has just been killed. Context: process. */
void hs_hold_abort(struct hs_flow *flow);

#endif /* HS_HOLD_H */
