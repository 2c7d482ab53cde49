/* SPDX-License-Identifier: GPL-2.0 */
/* Active open: the SYNs of native sockets, and the timer of their flows. */
#ifndef HS_CONNECT_H
#define HS_CONNECT_H

#include <linux/skbuff.h>
#include <net/tcp.h>

#include "flow.h"
#include "netns.h"

/* Is it a SYN of a socket that connects? */
static inline bool hs_connect_syn(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	return sk && sk->sk_state == TCP_SYN_SENT &&
	       sk->sk_protocol == IPPROTO_TCP && sk->sk_type == SOCK_STREAM;
}

/**
 * hs_connect_output() - a SYN that a native socket sends
 * @hn:		the namespace
 * @skb:	the packet at LOCAL_OUT, hs_connect_syn(); its socket is locked
 * @family:	of the packet
 *
 * The first one of a claimed connect() opens a flow and gets the engine's header.
 * Later ones leave when the engine wants a copy, as the segment that its state
 * repeats, and are taken away at all other times.
 *
 * Return: NF_ACCEPT, NF_DROP, or NF_STOLEN when it was freed.
 */
unsigned int hs_connect_output(struct hs_net *hn, struct sk_buff *skb,
			       u8 family);

/* The timer of a flow of kind HS_FLOW_CONNECT. Context: RCU, BH. */
void hs_connect_timer(struct hs_flow *flow);

/**
 * hs_connect_settle() - see what has become of the socket
 * @flow:	the flow, its lock not held
 * @sk:		its socket or NULL
 *
 * Return: whether it still connects; if not, the flow has ended.
 */
bool hs_connect_settle(struct hs_flow *flow, const struct sock *sk);

/* Have the flow's timer look at the socket soon. */
void hs_connect_hurry(struct hs_flow *flow);

#endif /* HS_CONNECT_H */
