// SPDX-License-Identifier: GPL-2.0
/* Sending segments. */
#include <linux/skbuff.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "buffer.h"
#include "netns.h"
#include "output.h"
#include "request.h"
#include "xmit.h"

/* The listener's TOS, or the SYN's where net.ipv4.tcp_reflect_tos says so. */
static u8 hs_xmit_synack_tos(const struct hs_flow *flow)
{
	const struct sock *listener = flow->listener;
	u8 own;

	if (!listener)
		return flow->tos;
	own = flow->key.family == AF_INET ? inet_sk(listener)->tos :
					    inet6_sk(listener)->tclass;
	if (!READ_ONCE(sock_net(listener)->ipv4.sysctl_tcp_reflect_tos))
		return own;
	return (flow->syn_tos & ~INET_ECN_MASK) | (own & INET_ECN_MASK);
}

/*
 * What is answered by no socket reflects the mark where net.ipv4.fwmark_reflect or
 * that of IPv6 says so; all else has that of the connection.
 */
static u32 hs_xmit_mark(const struct hs_flow *flow,
			const struct hs_reply *reply,
			const struct hs_packet *pkt)
{
	struct net *net = flow->hn->net;
	u32 mark;

	if (!pkt || (reply->flags & HS_SYN) ||
	    (flow->kind == HS_FLOW_CONNECT && !(reply->flags & HS_RST)))
		return flow->mark;
	if (flow->key.family == AF_INET)
		mark = IP4_REPLY_MARK(net, pkt->skb->mark);
	else
		mark = IP6_REPLY_MARK(net, pkt->skb->mark);
	return mark ?: flow->mark;
}

void hs_xmit_prepare(struct hs_xmit *xmit, const struct hs_flow *flow,
		     const struct hs_reply *reply, const struct hs_packet *pkt)
{
	hs_flow_key_copy(&xmit->key, &flow->key);
	xmit->reply = *reply;
	xmit->mark = hs_xmit_mark(flow, reply, pkt);
	xmit->bound_if = flow->bound_if;
	xmit->txhash = flow->txhash;
	xmit->socket = NULL;
	xmit->used = NULL;
	xmit->used_thoff = 0;
	if (reply->flags & HS_SYN)
		xmit->tos = hs_xmit_synack_tos(flow);
	else
		xmit->tos = pkt ? pkt->tos & ~INET_ECN_MASK : 0;
}

void hs_xmit_rehash(struct hs_flow *flow)
{
	if (!flow->listener ||
	    READ_ONCE(flow->listener->sk_txrehash) == SOCK_TXREHASH_ENABLED)
		flow->txhash = net_tx_rndhash();
}

static struct sk_buff *hs_xmit_build(const struct hs_xmit *xmit,
				     struct sock *listener,
				     const struct dst_entry *dst)
{
	const struct hs_flow_key *key = &xmit->key;
	struct sk_buff *skb;
	struct tcphdr *th;
	size_t len;

	skb = hs_buffer_get(xmit->used, xmit->used_thoff, dst);
	if (!skb)
		return NULL;
	th = (struct tcphdr *)skb->data;
	len = hs_reply_build(skb->data, &xmit->reply, ntohs(key->local_port),
			     ntohs(key->remote_port));
	skb_put(skb, len);
	skb_reset_transport_header(skb);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	if (key->family == AF_INET)
		th->check = ~tcp_v4_check(len, key->v4.local, key->v4.remote,
					  0);
	else
		th->check = ~tcp_v6_check(len, &key->v6.local, &key->v6.remote,
					  0);
	skb->mark = xmit->mark;
	/* firewalls and cgroups see whose answer it is; freeing it must not
	 * wake those who wait in accept()
	 */
	if (!skb_set_owner_sk_safe(skb, listener)) {
		kfree_skb(skb);
		return NULL;
	}
	skb_set_hash(skb, xmit->txhash, PKT_HASH_TYPE_L4);
	return skb;
}

static int hs_xmit_ip(const struct hs_xmit *xmit, struct sock *listener,
		      struct sk_buff *skb, struct flowi *fl, u8 tos)
{
	struct sock *sk = xmit->socket ?: listener;
	const struct hs_flow_key *key = &xmit->key;
	struct ipv6_pinfo *np;
	u32 mark;

	if (key->family == AF_INET)
		return hs_output_ipv4(skb, sk, key, tos);
	np = inet6_sk(listener);
	mark = skb->mark ?: READ_ONCE(listener->sk_mark);
	fl->u.ip6.daddr = key->v6.remote;
	return ip6_xmit(sk, skb, &fl->u.ip6, mark, rcu_dereference(np->opt),
			tos, READ_ONCE(sk->sk_priority));
}

int hs_xmit_routed(const struct hs_xmit *xmit, struct sock *listener,
		   struct tcp_request_sock *treq, struct dst_entry *dst,
		   struct flowi *fl)
{
	struct sk_buff *skb;
	u8 tos = xmit->tos;
	int err;

	skb = hs_xmit_build(xmit, listener, dst);
	if (!skb) {
		dst_release(dst);
		return -ENOMEM;
	}
	skb_dst_set(skb, dst);
	if (hs_request_bpf() && (xmit->reply.flags & HS_SYN) &&
	    !INET_ECN_is_capable(tos) &&
	    tcp_bpf_ca_needs_ecn((struct sock *)treq))
		tos |= INET_ECN_ECT_0;
	err = hs_xmit_ip(xmit, listener, skb, fl, tos);
	return net_xmit_eval(err);
}

/* Does the route have an MTU that an ICMP error has told? */
static bool hs_xmit_learned(const struct dst_entry *dst)
{
	if (dst->ops->family == AF_INET)
		return container_of(dst, struct rtable, dst)->rt_pmtu;
	return container_of(dst, struct rt6_info, dst)->rt6i_flags & RTF_CACHE;
}

int hs_xmit(struct hs_xmit *xmit, struct sock *listener)
{
	struct tcp_request_sock treq __uninitialized;
	struct flowi fl __uninitialized;
	struct dst_entry *dst;

	hs_request_init(&treq, listener, &xmit->key, xmit->mark,
			xmit->bound_if);
	dst = hs_request_route(&treq, listener, &fl);
	if (!dst)
		return -EHOSTUNREACH;
	/* a copy announces what the route is now that it takes, whatever has
	 * been learned of the path (RFC 9293 section 3.7.1)
	 */
	if ((xmit->reply.flags & HS_SYN) && sk_is_tcp(listener) &&
	    !hs_xmit_learned(dst))
		xmit->reply.opts.mss = hs_request_mss(listener, dst);
	return hs_xmit_routed(xmit, listener, &treq, dst, &fl);
}
