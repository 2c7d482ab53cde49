/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The values that hold for a flow: the claim's, else the listener's, else the
 * namespace's.
 */
#ifndef HS_POLICY_H
#define HS_POLICY_H

#include "core/tcb.h"

struct hs_claim;
struct hs_flow;
struct hs_net;
struct sock;

/* Are the values of a claim of this mode in range, and the others 0? */
bool hs_policy_valid(const struct threeway_policy *p, enum threeway_mode mode);

/**
 * hs_policy_read() - what holds for a flow now
 * @flow:	the flow; its listener may be closed meanwhile
 * @sk:		its connecting socket, or NULL when that is not at hand
 * @policy:	result
 */
void hs_policy_read(const struct hs_flow *flow, const struct sock *sk,
		    struct hs_policy *policy);

/**
 * hs_policy_first() - what of it the first segment of a handshake needs
 * @flow:	the flow, of a listener
 * @policy:	result: the timeouts; nothing that delays or loses a segment
 */
void hs_policy_first(const struct hs_flow *flow, struct hs_policy *policy);

/**
 * hs_policy_segment() - what of it a segment for a flow of a listener needs
 * @flow:	the flow
 * @policy:	result, without @synack_retries
 */
void hs_policy_segment(const struct hs_flow *flow, struct hs_policy *policy);

/**
 * hs_policy_timer() - what of it the timer of a flow without a socket needs
 * @flow:	the flow
 * @policy:	result
 */
void hs_policy_timer(const struct hs_flow *flow, struct hs_policy *policy);

/* A challenge ACK is sent: the namespace may send one less in this second. */
void hs_policy_challenged(struct hs_net *hn);

/**
 * hs_policy_foreign_rto() - has a BPF program chosen the first timeout?
 * @claim:	a claim with a value of its own goes before any program
 * @rto:	what tcp_timeout_init() says, in jiffies
 */
bool hs_policy_foreign_rto(const struct hs_claim *claim, u32 rto);

/* Half-open flows that a claim may hold. */
u32 hs_policy_backlog(const struct hs_net *hn, const struct hs_claim *claim);

/* When a claim's SYNs are answered by SYN cookies. */
enum threeway_cookies hs_policy_cookies(const struct hs_net *hn,
					const struct hs_claim *claim);

/* SYNs of one source in a second that may open flows, 0 for no limit. */
u32 hs_policy_source_rate(const struct hs_net *hn,
			  const struct hs_claim *claim);

/* SYNs that a source may save up. */
u32 hs_policy_source_burst(const struct hs_net *hn,
			   const struct hs_claim *claim);

/* Half-open flows that a source may have, 0 for no limit. */
u32 hs_policy_source_flows(const struct hs_net *hn,
			   const struct hs_claim *claim);

/* Could a segment answer a SYN cookie of the native stack? */
bool hs_policy_native_cookies(const struct sock *listener);

/* Where the ISS of a claim's flows comes from. */
enum threeway_isn hs_policy_isn(const struct hs_net *hn,
				const struct hs_claim *claim);

/**
 * hs_policy_offer() - what may be negotiated on a SYN
 * @hn:		the namespace
 * @claim:	the claim
 * @sk:		the listener, or the connecting socket, or NULL
 * @family:	of the SYN
 * @offer:	result, the ECN bits only as far as the claim and the sysctl go
 */
void hs_policy_offer(const struct hs_net *hn, const struct hs_claim *claim,
		     const struct sock *sk, u8 family,
		     struct hs_offer *offer);

#endif /* HS_POLICY_H */
