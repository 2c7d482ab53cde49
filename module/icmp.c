// SPDX-License-Identifier: GPL-2.0
/* ICMP errors that quote a segment of a flow. */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/icmp.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/tcp.h>

#include "connect.h"
#include "core/icmp.h"
#include "event.h"
#include "icmp.h"
#include "socket.h"

/* The start of a TCP header, which is all that an ICMP error need quote. */
struct hs_quoted_tcp {
	__be16 source;
	__be16 dest;
	__be32 seq;
};

/* An ICMP error with a quoted TCP segment of ours. */
struct hs_quote {
	struct sk_buff *skb;
	const struct nf_hook_state *state;
	unsigned int icmp_offset;
	unsigned int ip_offset;
	struct hs_flow_key key;
	u32 seq;
	u32 mtu;
	u8 type;
	u8 code;
	enum hs_icmp meaning;
};

static bool hs_quote_tcp(struct hs_quote *q, unsigned int offset)
{
	const struct hs_quoted_tcp *th;
	struct hs_quoted_tcp buf;

	th = skb_header_pointer(q->skb, offset, sizeof(buf), &buf);
	if (!th)
		return false;
	q->key.local_port = th->source;
	q->key.remote_port = th->dest;
	q->seq = ntohl(th->seq);
	return true;
}

static bool hs_quote_ipv4(struct hs_quote *q)
{
	const struct icmphdr *icmp;
	struct icmphdr icmp_buf;
	const struct iphdr *iph = ip_hdr(q->skb);
	struct iphdr buf;

	if (iph->protocol != IPPROTO_ICMP || ip_is_fragment(iph))
		return false;
	q->icmp_offset = iph->ihl * 4;
	icmp = skb_header_pointer(q->skb, q->icmp_offset, sizeof(icmp_buf),
				  &icmp_buf);
	if (!icmp)
		return false;
	q->type = icmp->type;
	q->code = icmp->code;
	q->mtu = ntohs(icmp->un.frag.mtu);
	q->ip_offset = q->icmp_offset + sizeof(icmp_buf);
	iph = skb_header_pointer(q->skb, q->ip_offset, sizeof(buf), &buf);
	if (!iph || iph->version != 4 || iph->ihl < 5 ||
	    iph->protocol != IPPROTO_TCP || (iph->frag_off & htons(IP_OFFSET)))
		return false;
	q->key.family = AF_INET;
	q->key.local.v4 = iph->saddr;
	q->key.remote.v4 = iph->daddr;
	return hs_quote_tcp(q, q->ip_offset + iph->ihl * 4);
}

static bool hs_quote_ipv6(struct hs_quote *q)
{
	const struct icmp6hdr *icmp;
	struct icmp6hdr icmp_buf;
	const struct ipv6hdr *ip6h;
	struct ipv6hdr buf;
	__be16 fragment;
	u8 nexthdr;
	int offset;

	if (ipv6_find_hdr(q->skb, &q->icmp_offset, IPPROTO_ICMPV6, NULL,
			  NULL) != IPPROTO_ICMPV6)
		return false;
	icmp = skb_header_pointer(q->skb, q->icmp_offset, sizeof(icmp_buf),
				  &icmp_buf);
	if (!icmp)
		return false;
	q->type = icmp->icmp6_type;
	q->code = icmp->icmp6_code;
	q->mtu = ntohl(icmp->icmp6_mtu);
	q->ip_offset = q->icmp_offset + sizeof(icmp_buf);
	ip6h = skb_header_pointer(q->skb, q->ip_offset, sizeof(buf), &buf);
	if (!ip6h || ip6h->version != 6)
		return false;
	q->key.family = AF_INET6;
	q->key.local.v6 = ip6h->saddr;
	q->key.remote.v6 = ip6h->daddr;
	nexthdr = ip6h->nexthdr;
	offset = ipv6_skip_exthdr(q->skb, q->ip_offset + sizeof(buf), &nexthdr,
				  &fragment);
	if (offset < 0 || nexthdr != IPPROTO_TCP ||
	    (fragment & htons(IP6_OFFSET)))
		return false;
	return hs_quote_tcp(q, offset);
}

/* As hs_packet_read() has it. */
static void hs_quote_ifindex(struct hs_quote *q)
{
	struct sk_buff *skb = q->skb;

	if (q->key.family == AF_INET6 &&
	    ipv6_addr_type(&q->key.remote.v6) & IPV6_ADDR_LINKLOCAL)
		q->key.ifindex = inet6_iif(skb);
	else if (netif_is_l3_master(skb->dev))
		q->key.ifindex = skb->dev->ifindex;
}

static bool hs_quote_checksum_ok(const struct hs_quote *q)
{
	if (q->key.family == AF_INET)
		return !nf_ip_checksum(q->skb, NF_INET_LOCAL_IN, q->icmp_offset,
				       IPPROTO_ICMP);
	return !nf_ip6_checksum(q->skb, NF_INET_LOCAL_IN, q->icmp_offset,
				IPPROTO_ICMPV6);
}

/* Only of what an honest router may say. */
static void hs_quote_pmtu(struct hs_net *hn, const struct hs_quote *q)
{
	bool v6 = q->key.family == AF_INET6;
	struct sk_buff *skb = q->skb;

	if (q->mtu < (v6 ? IPV6_MIN_MTU : IPV4_MIN_MTU) ||
	    !pskb_may_pull(skb, q->ip_offset + (v6 ? sizeof(struct ipv6hdr) :
						     sizeof(struct iphdr))))
		return;
	__skb_pull(skb, q->ip_offset);
	if (v6)
		ip6_update_pmtu(skb, hn->net, htonl(q->mtu), 0, 0,
				sock_net_uid(hn->net, NULL));
	else
		ipv4_update_pmtu(skb, hn->net, q->mtu, 0, IPPROTO_TCP);
	__skb_push(skb, q->ip_offset);
}

/* A flow that has no socket of its own. */
static void hs_icmp_flow(struct hs_flow *flow, const struct hs_quote *q)
{
	struct hs_net *hn = flow->hn;
	bool in_window;

	spin_lock(&flow->lock);
	in_window = hs_icmp_in_window(&flow->tcb, q->seq);
	spin_unlock(&flow->lock);
	if (!in_window) {
		hs_count(hn, THREEWAY_C_icmp_out_of_window);
		return;
	}
	switch (q->meaning) {
	case HS_ICMP_HARD:
		hs_count(hn, THREEWAY_C_icmp_hard);
		hs_flow_end(flow, THREEWAY_C_flows_icmp);
		break;
	case HS_ICMP_PMTU:
		hs_quote_pmtu(hn, q);
		hs_count(hn, THREEWAY_C_icmp_soft);
		break;
	case HS_ICMP_SOFT:
		hs_count(hn, THREEWAY_C_icmp_soft);
		break;
	default:
		hs_count(hn, THREEWAY_C_icmp_ignored);
	}
}

static int hs_icmp_errno(const struct hs_quote *q)
{
	int err;

	if (q->key.family == AF_INET6) {
		icmpv6_err_convert(q->type, q->code, &err);
		return err;
	}
	if (q->type == ICMP_DEST_UNREACH)
		return icmp_err_convert[q->code].errno;
	return q->type == ICMP_PARAMETERPROB ? EPROTO : EHOSTUNREACH;
}

/*
 * The native stack ends connect() on soft errors as well. Where that is not
 * wanted the error is remembered, for the case that nothing better comes.
 */
static bool hs_icmp_soften(struct hs_flow *flow, struct sock *sk,
			   const struct hs_quote *q)
{
	if (q->meaning != HS_ICMP_SOFT ||
	    READ_ONCE(flow->hn->sysctl.icmp_soft_abort) ||
	    !hs_icmp_in_window(&flow->tcb, q->seq) || !hs_quote_checksum_ok(q))
		return false;
	WRITE_ONCE(sk->sk_err_soft, hs_icmp_errno(q));
	hs_count(flow->hn, THREEWAY_C_icmp_soft);
	return true;
}

static unsigned int hs_icmp_connect(struct hs_flow *flow,
				    const struct hs_quote *q)
{
	struct sock *sk = hs_socket_get(flow);
	unsigned int verdict = NF_ACCEPT;

	if (!hs_connect_settle(flow, sk)) {
		/* not ours any more */
	} else if (hs_icmp_soften(flow, sk, q)) {
		consume_skb(q->skb);
		verdict = NF_STOLEN;
	} else {
		flow->outcome = THREEWAY_C_flows_icmp;
		q->state->okfn(q->state->net, q->state->sk, q->skb);
		/* a socket in use remembers it, and its user may give up */
		if (hs_connect_settle(flow, sk) && !READ_ONCE(sk->sk_err_soft))
			flow->outcome = HS_NONE;
		verdict = NF_STOLEN;
	}
	if (sk)
		sock_gen_put(sk);
	return verdict;
}

static unsigned int hs_icmp_quote(struct hs_net *hn, const struct hs_quote *q)
{
	struct hs_flow *flow = hs_flow_find(hn, &q->key);
	unsigned int verdict = NF_STOLEN;

	if (!flow || !hs_flow_hold(flow))
		return NF_ACCEPT;
	if (flow->kind == HS_FLOW_OBSERVE) {
		verdict = NF_ACCEPT;
	} else if (flow->kind == HS_FLOW_CONNECT) {
		verdict = hs_icmp_connect(flow, q);
	} else if (hs_quote_checksum_ok(q)) {
		hs_icmp_flow(flow, q);
		consume_skb(q->skb);
	} else {
		verdict = NF_ACCEPT;
	}
	hs_flow_put(flow);
	return verdict;
}

unsigned int hs_icmp(struct hs_net *hn, struct sk_buff *skb,
		     const struct nf_hook_state *state)
{
	struct hs_quote q = { .skb = skb, .state = state };
	bool v6 = state->pf == NFPROTO_IPV6;
	unsigned int verdict;

	if (!atomic_read(&hn->flow_count) ||
	    !(v6 ? hs_quote_ipv6(&q) : hs_quote_ipv4(&q)))
		return NF_ACCEPT;
	q.meaning = hs_icmp_classify(v6, q.type, q.code);
	if (q.meaning == HS_ICMP_NONE || q.meaning == HS_ICMP_REDIRECT)
		return NF_ACCEPT;
	hs_quote_ifindex(&q);
	local_bh_disable();
	verdict = hs_icmp_quote(hn, &q);
	local_bh_enable();
	return verdict;
}
