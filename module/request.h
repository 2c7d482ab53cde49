/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A request socket on the stack: the native helpers for routes, windows and
 * security take one. It never reaches the native tables.
 */
#ifndef HS_REQUEST_H
#define HS_REQUEST_H

#include <linux/bpf-cgroup.h>
#include <linux/tcp.h>
#include <net/flow.h>
#include <net/sock.h>

#include "flow.h"
#include "packet.h"

/**
 * hs_request_init() - a request for a flow
 * @treq:	result
 * @listener:	the flow's listener
 * @key:	the flow's key
 * @mark:	mark of its answers
 * @bound_if:	interface that they leave by
 */
void hs_request_init(struct tcp_request_sock *treq, struct sock *listener,
		     const struct hs_flow_key *key, u32 mark, int bound_if);

/* Are there BPF programs to ask about a request? To ask nobody costs as well. */
static inline bool hs_request_bpf(void)
{
	return cgroup_bpf_enabled(CGROUP_SOCK_OPS);
}

/* Mark and interface of the answers to a SYN. */
void hs_request_of_syn(struct hs_flow *flow, struct sock *listener,
		       const struct hs_packet *pkt);

/* Does the security module let this SYN in? */
bool hs_request_allowed(struct tcp_request_sock *treq, struct sock *listener,
			struct sk_buff *skb);

/* Has IPsec a say in where answers go? */
static inline bool hs_request_ipsec(const struct net *net,
				    const struct sock *listener)
{
#ifdef CONFIG_XFRM
	return READ_ONCE(net->xfrm.policy_count[XFRM_POLICY_OUT]) ||
	       READ_ONCE(net->xfrm.policy_default[XFRM_POLICY_OUT]) ==
			XFRM_USERPOLICY_BLOCK ||
	       rcu_access_pointer(listener->sk_policy[XFRM_POLICY_OUT]);
#else
	return false;
#endif
}

/* Return: a referenced route for answers, or NULL. */
struct dst_entry *hs_request_route(struct tcp_request_sock *treq,
				   struct sock *listener, struct flowi *fl);

/* The MSS that the listener announces by a route. */
u16 hs_request_mss(const struct sock *listener, const struct dst_entry *dst);

/**
 * hs_request_window() - the window to promise, and its shift
 * @treq:	the request
 * @listener:	its listener
 * @dst:	its route
 * @flow:	result: tcb.rcv_wnd, tcb.rcv_wscale, tcb.advertised_mss and
 *		window_clamp
 */
void hs_request_window(struct tcp_request_sock *treq, struct sock *listener,
		       const struct dst_entry *dst, struct hs_flow *flow);

/**
 * hs_request_fill() - make a native request what the engine promised
 * @treq:	the native request of a flow, which nobody has used yet
 * @flow:	the flow, which gives away its saved SYN
 * @pkt:	the segment that completed the handshake
 */
void hs_request_fill(struct tcp_request_sock *treq, struct hs_flow *flow,
		     const struct hs_packet *pkt);

/* What has timed out is not young. For a request that is filled in and queued. */
void hs_request_age(struct request_sock *req);

#endif /* HS_REQUEST_H */
