// SPDX-License-Identifier: GPL-2.0
/* Sending segments. */
#include <linux/hash.h>
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
		return hs_flow_large(flow)->tos;
	own = flow->key.family == AF_INET ? inet_sk(listener)->tos :
					    inet6_sk(listener)->tclass;
	if (!READ_ONCE(sock_net(listener)->ipv4.sysctl_tcp_reflect_tos))
		return own;
	return (flow->syn_tos & ~INET_ECN_MASK) | (own & INET_ECN_MASK);
}

/* Natively the others come from the kernel's own socket. */
static bool hs_xmit_by_socket(const struct hs_flow *flow,
			      const struct hs_reply *reply)
{
	return (reply->flags & HS_SYN) ||
	       (flow->kind == HS_FLOW_CONNECT && !(reply->flags & HS_RST));
}

/*
 * What is answered by no socket reflects the mark where net.ipv4.fwmark_reflect or
 * that of IPv6 says so; all else has that of the connection.
 */
static u32 hs_xmit_mark(const struct hs_flow *flow,
			const struct hs_reply *reply,
			const struct hs_packet *pkt)
{
	struct net *net = hs_flow_net(flow)->net;
	u32 mark;

	if (!pkt || hs_xmit_by_socket(flow, reply))
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
	xmit->dst = NULL;
	xmit->keeps = false;
	xmit->found = NULL;
	xmit->socket = NULL;
	xmit->by_socket = hs_xmit_by_socket(flow, reply);
	xmit->used = NULL;
	xmit->used_thoff = 0;
	if (reply->flags & HS_SYN)
		xmit->tos = hs_xmit_synack_tos(flow);
	else
		xmit->tos = pkt ? pkt->tos & ~INET_ECN_MASK : 0;
	xmit->label = 0;
	if (flow->kind == HS_FLOW_CONNECT && pkt && pkt->family == AF_INET6)
		xmit->label = ip6_flowlabel(ipv6_hdr(pkt->skb));
}

/* The first one was random, and another one is all that is wanted. */
void hs_xmit_rehash(struct hs_flow *flow)
{
	u8 rehash = flow->listener ? READ_ONCE(flow->listener->sk_txrehash) :
		    READ_ONCE(hs_flow_net(flow)->net->core.sysctl_txrehash);

	if (rehash == SOCK_TXREHASH_ENABLED)
		flow->txhash = hash_32(flow->txhash + flow->key.hash, 32) ?: 1;
}

/* That of a socket that connects may have changed since its SYN. */
static u8 hs_xmit_tos(const struct hs_xmit *xmit)
{
	const struct sock *sk = xmit->socket;

	if (!sk || !xmit->by_socket)
		return xmit->tos;
	return xmit->key.family == AF_INET ? inet_sk(sk)->tos :
					     inet6_sk(sk)->tclass;
}

/* A socket that connects has another one after each timeout. */
static u32 hs_xmit_hash(const struct hs_xmit *xmit)
{
	return xmit->socket ? READ_ONCE(xmit->socket->sk_txhash) : xmit->txhash;
}

static struct sk_buff *hs_xmit_build(const struct hs_xmit *xmit,
				     struct sock *listener,
				     const struct dst_entry *dst)
{
	const struct hs_flow_key *key = &xmit->key;
	struct sk_buff *skb;
	size_t len;

	skb = hs_buffer_get(xmit->used, xmit->used_thoff, dst);
	if (!skb)
		return NULL;
	len = hs_reply_build(skb->data, &xmit->reply, ntohs(key->local_port),
			     ntohs(key->remote_port));
	__skb_put(skb, len);
	skb_reset_transport_header(skb);
	hs_output_checksum(skb, key, len);
	skb->mark = xmit->mark;
	/* firewalls and cgroups see whose answer it is; freeing it must not
	 * wake those who wait in accept()
	 */
	if (!skb_set_owner_sk_safe(skb, listener)) {
		kfree_skb(skb);
		return NULL;
	}
	skb_set_hash(skb, hs_xmit_hash(xmit), PKT_HASH_TYPE_L4);
	return skb;
}

static int hs_xmit_ipv4(const struct hs_xmit *xmit, struct sock *sk,
			struct sk_buff *skb, u8 tos)
{
	const struct hs_flow_key *key = &xmit->key;
	struct ip_options_rcu *opt = NULL;

	/* of a listener the native stack uses none, either */
	if (xmit->socket && xmit->by_socket)
		opt = rcu_dereference(inet_sk(sk)->inet_opt);
	if (opt)
		return ip_build_and_send_pkt(skb, sk, key->v4.local,
					     key->v4.remote, opt, tos);
	return hs_output_ipv4(skb, sk, key, tos, xmit->by_socket);
}

/* What the socket that connects would write there, 0 for any. */
static __be32 hs_xmit_label(const struct hs_xmit *xmit,
			    const struct ipv6_pinfo *np)
{
	if (xmit->by_socket)
		return np->flow_label;
	return np->repflow ? xmit->label : 0;
}

static int hs_xmit_ip(const struct hs_xmit *xmit, struct sock *listener,
		      struct sk_buff *skb, struct flowi *fl, u8 tos)
{
	struct sock *sk = xmit->socket ?: listener;
	const struct hs_flow_key *key = &xmit->key;
	u32 priority = READ_ONCE(sk->sk_priority);
	struct ipv6_txoptions *opt = NULL;
	u32 mark;

	if (key->family == AF_INET)
		return hs_xmit_ipv4(xmit, sk, skb, tos);
	mark = skb->mark ?: READ_ONCE(listener->sk_mark);
	fl->u.ip6.daddr = key->v6.remote;
	if (xmit->socket)
		fl->u.ip6.flowlabel = hs_xmit_label(xmit, inet6_sk(sk));
	if (xmit->by_socket)
		opt = rcu_dereference(inet6_sk(sk)->opt);
	else
		sk = sock_net(sk)->ipv6.tcp_sk;
	return ip6_xmit(sk, skb, &fl->u.ip6, mark, opt, tos, priority);
}

int hs_xmit_routed(const struct hs_xmit *xmit, struct sock *listener,
		   struct tcp_request_sock *treq, struct dst_entry *dst,
		   struct flowi *fl)
{
	struct sk_buff *skb;
	u8 tos = hs_xmit_tos(xmit);
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

/*
 * A copy announces what the route is now that it takes, whatever has been learned
 * of the path (RFC 9293 section 3.7.1).
 */
static void hs_xmit_announce(struct hs_xmit *xmit, const struct sock *listener,
			     const struct dst_entry *dst)
{
	if ((xmit->reply.flags & HS_SYN) && sk_is_tcp(listener) &&
	    !hs_xmit_learned(dst))
		xmit->reply.opts.mss = hs_request_mss(listener, dst);
}

/* Is there nothing to ask but whether the route is still there? */
static bool hs_xmit_knows(const struct hs_xmit *xmit, struct sock *listener)
{
	const struct dst_entry *dst = xmit->dst;

	return dst && !hs_request_bpf() &&
	       !hs_request_ipsec(sock_net(listener), listener) &&
	       dst->ops->check(xmit->dst, 0);
}

static int hs_xmit_known(struct hs_xmit *xmit, struct sock *listener)
{
	struct sk_buff *skb;
	int err;

	/* what the route says has not changed */
	if (READ_ONCE(tcp_sk(listener)->rx_opt.user_mss))
		hs_xmit_announce(xmit, listener, xmit->dst);
	skb = hs_xmit_build(xmit, listener, xmit->dst);
	if (!skb)
		return -ENOMEM;
	skb_dst_set_noref(skb, xmit->dst);
	err = hs_output_ipv4(skb, listener, &xmit->key, xmit->tos,
			     xmit->by_socket);
	return net_xmit_eval(err);
}

/*
 * Where the socket that connects would send it: that may have an address that is
 * not ours, and a user with rules of his own. Not inline: what it needs of the
 * stack is dear.
 */
static noinline int hs_xmit_looked_up(struct hs_xmit *xmit,
				      struct sock *listener)
{
	struct sock *sk = xmit->socket ?: listener;
	struct tcp_request_sock treq __uninitialized;
	struct flowi fl __uninitialized;
	struct dst_entry *dst;

	hs_request_init(&treq, sk, &xmit->key, xmit->mark, xmit->bound_if);
	dst = hs_request_route(&treq, sk, &fl);
	if (!dst)
		return -EHOSTUNREACH;
	hs_xmit_announce(xmit, listener, dst);
	if (xmit->keeps)
		xmit->found = dst_clone(dst);
	return hs_xmit_routed(xmit, listener, &treq, dst, &fl);
}

int hs_xmit(struct hs_xmit *xmit, struct sock *listener)
{
	if (hs_xmit_knows(xmit, listener))
		return hs_xmit_known(xmit, listener);
	return hs_xmit_looked_up(xmit, listener);
}
