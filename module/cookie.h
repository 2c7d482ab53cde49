/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SYN cookies: SYN-ACKs of which nothing is kept, and the ACKs that bring them
 * back (RFC 4987 section 3.6).
 *
 * They are sent late, as every SYN-ACK: at LOCAL_IN, for a listener, by a
 * route; or early (early.c). What comes back is a flow for a moment, and handed
 * over like any other one.
 */
#ifndef HS_COOKIE_H
#define HS_COOKIE_H

#include "claim.h"
#include "core/cookie.h"
#include "packet.h"
#include "secret.h"
#include "terms.h"

struct hs_net;
struct sock;

/**
 * hs_cookie_make() - the SYN-ACK that is a cookie
 * @hn:		the namespace
 * @key:	addresses and ports
 * @seg:	the SYN
 * @terms:	what this end says
 * @reply:	result
 *
 * Context: RCU.
 */
void hs_cookie_make(struct hs_net *hn, const struct hs_flow_key *key,
		    const struct hs_segment *seg,
		    const struct hs_terms *terms, struct hs_reply *reply);

/**
 * hs_cookie_syn() - answer a SYN by a cookie
 * @hn:		the namespace
 * @claim:	its claim
 * @listener:	its listener, which has no objection
 * @pkt:	the SYN
 * @everybody:	every SYN for the claim is answered like that now
 *
 * Context: LOCAL_IN. Return: NF_STOLEN when it was answered, and the caller
 * frees it; NF_DROP; NF_ACCEPT.
 */
unsigned int hs_cookie_syn(struct hs_net *hn, struct hs_claim *claim,
			   struct sock *listener, struct hs_packet *pkt,
			   bool everybody);

/* A cookie was sent. Context: RCU. */
void hs_cookie_sent(struct hs_net *hn, struct hs_claim *claim);

/* May a cookie that this host sent be on its way back? */
bool hs_cookie_out(const struct hs_net *hn);

/* One of this claim? */
bool hs_cookie_of_claim_out(const struct hs_claim *claim);

/* Or one of another host? Context: RCU. */
bool hs_cookie_expected(const struct hs_net *hn);

/**
 * hs_cookie_back() - does a segment bring back a cookie
 * @hn:		the namespace
 * @pkt:	the segment, whose checksum is good
 *
 * Context: RCU.
 */
bool hs_cookie_back(const struct hs_net *hn, const struct hs_packet *pkt);

/**
 * hs_cookie_ack() - a segment that may bring back a cookie
 * @hn:		the namespace
 * @pkt:	the segment, of no flow
 *
 * Context: LOCAL_IN. Return: NF_ACCEPT, also for what the native stack has to
 * reset, or NF_DROP.
 */
unsigned int hs_cookie_ack(struct hs_net *hn, struct hs_packet *pkt);

#endif /* HS_COOKIE_H */
