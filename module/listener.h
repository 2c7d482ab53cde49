/* SPDX-License-Identifier: GPL-2.0 */
/* The native listening socket that a handshake belongs to. */
#ifndef HS_LISTENER_H
#define HS_LISTENER_H

#include <net/sock.h>
#include <net/tcp_states.h>

#include "netns.h"
#include "packet.h"

/**
 * hs_listener_lookup() - the listener that the native stack would choose
 * @hn:		the namespace
 * @pkt:	a segment
 *
 * Context: RCU, BH. Return: a referenced listener, or NULL.
 */
struct sock *hs_listener_lookup(struct hs_net *hn, const struct hs_packet *pkt);

/* Does it still take connections? Another one on the port is not meant. */
static inline bool hs_listener_listens(const struct sock *sk)
{
	return inet_sk_state_load(sk) == TCP_LISTEN;
}

/**
 * hs_listener_objection() - does the native stack have to do this handshake
 * @sk:		the listener
 * @pkt:	a SYN
 *
 * Return: the counter of the reason, or HS_NONE.
 */
enum threeway_counter hs_listener_objection(struct sock *sk,
					    const struct hs_packet *pkt);

/* Is the TTL or hop limit below what the listener demands? */
bool hs_listener_ttl_refuses(const struct sock *sk,
			     const struct hs_packet *pkt);

/* Is there an MD5 key for the peer, so that the segment has to be signed? */
bool hs_listener_has_key(const struct sock *sk, const struct hs_packet *pkt);

/* Does IPsec policy forbid this segment? @sk may be NULL. */
bool hs_listener_policy_refuses(struct sock *sk, const struct hs_packet *pkt);

/**
 * hs_listener_filter_refuses() - do the filters of the socket, of its cgroup or
 * of the security module reject a segment
 * @sk:		the listener
 * @pkt:	a segment that is not for the native stack: filters may count
 *		what they see, so nothing must pass them twice
 */
bool hs_listener_filter_refuses(struct sock *sk, const struct hs_packet *pkt);

#endif /* HS_LISTENER_H */
