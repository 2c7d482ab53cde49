/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Claims of mode observe: the native stack does the handshake, and nothing of it
 * is changed, delayed or dropped; the engine follows it.
 */
#ifndef HS_OBSERVE_H
#define HS_OBSERVE_H

#include <linux/skbuff.h>

#include "netns.h"
#include "packet.h"

/* A SYN for a claim of mode observe, on its way up. Context: LOCAL_IN. */
void hs_observe_syn(struct hs_net *hn, struct hs_claim *claim,
		    struct hs_packet *pkt);

/**
 * hs_observe_connect() - the first SYN of a socket for a claim of mode observe
 * @hn:		the namespace
 * @claim:	the claim
 * @sk:		the socket
 * @key:	its addresses and ports
 * @seg:	the SYN
 *
 * Context: LOCAL_OUT, BH.
 */
void hs_observe_connect(struct hs_net *hn, struct hs_claim *claim,
			const struct sock *sk, const struct hs_flow_key *key,
			const struct hs_segment *seg);

/**
 * hs_observe_sent() - a segment of a flow goes out
 * @flow:	the flow
 * @seg:	the segment
 * @cookie:	it may be a SYN cookie: no socket sends it
 *
 * Context: LOCAL_OUT, BH.
 */
void hs_observe_sent(struct hs_flow *flow, const struct hs_segment *seg,
		     bool cookie);

/**
 * hs_observe_arrive() - a segment for a flow of kind HS_FLOW_OBSERVE
 * @flow:	the flow, referenced
 * @pkt:	the segment
 *
 * Context: LOCAL_IN. Return: NF_STOLEN, the native stack has had it; NF_ACCEPT.
 */
unsigned int hs_observe_arrive(struct hs_flow *flow, struct hs_packet *pkt);

/**
 * hs_observe_icmp() - an ICMP error on its way to the native stack
 * @flow:	the flow that it quotes, referenced
 * @counter:	what hs_icmp_arrives() says
 */
void hs_observe_icmp(struct hs_flow *flow, enum threeway_counter counter);

/* The timer of such a flow: has the native stack given up? Context: RCU, BH. */
void hs_observe_timer(struct hs_flow *flow);

/**
 * hs_observe_output() - what a request, or no socket at all, sends
 * @hn:		the namespace
 * @skb:	the packet at LOCAL_OUT
 * @family:	of the packet
 */
void hs_observe_output(struct hs_net *hn, struct sk_buff *skb, u8 family);

#endif /* HS_OBSERVE_H */
