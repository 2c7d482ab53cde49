/* SPDX-License-Identifier: GPL-2.0 */
/* The native listening socket that a handshake belongs to. */
#ifndef HS_LISTENER_H
#define HS_LISTENER_H

#include "flow.h"
#include "packet.h"

/**
 * hs_listener_lookup() - the listener that the native stack would choose
 * @hn:		the namespace
 * @pkt:	a segment
 *
 * Context: RCU, BH. Return: a referenced listener, or NULL.
 */
struct sock *hs_listener_lookup(struct hs_net *hn, const struct hs_packet *pkt);

/**
 * hs_listener_of() - the listener that a flow began with
 * @flow:	the flow
 * @pkt:	a segment of it, or NULL
 *
 * Not another one on the same port: that may belong to another user.
 *
 * Context: RCU, BH. Return: a referenced listener, or NULL when it is closed.
 */
struct sock *hs_listener_of(const struct hs_flow *flow,
			    const struct hs_packet *pkt);

/* What tells this listener from all others, ever. */
u64 hs_listener_cookie(struct sock *sk);

/**
 * hs_listener_objection() - does the native stack have to do this handshake
 * @sk:		the listener
 * @pkt:	a SYN
 *
 * Return: the counter of the reason, or HS_NONE.
 */
enum threeway_counter hs_listener_objection(struct sock *sk,
					    const struct hs_packet *pkt);

/**
 * hs_listener_refuses() - do IPsec policy, filters or TTL reject a segment
 * @sk:		the listener
 * @pkt:	a segment
 * @filter:	run the listener's filters: they may count what they see, so
 *		a segment that goes on to a socket must not pass them here
 *
 * The native stack drops it then, and counts it.
 */
enum threeway_counter hs_listener_refuses(struct sock *sk,
					  const struct hs_packet *pkt,
					  bool filter);

#endif /* HS_LISTENER_H */
