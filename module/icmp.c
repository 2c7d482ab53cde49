// SPDX-License-Identifier: GPL-2.0
/* ICMP errors that quote a segment of a flow. */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/addrconf.h>
#include <net/icmp.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/tcp.h>

#include "connect.h"
#include "core/icmp.h"
#include "event.h"
#include "exthdr.h"
#include "hook.h"
#include "icmp.h"
#include "observe.h"
#include "packet.h"
#include "policy.h"
#include "socket.h"

/* The start of a TCP header, which is all that an ICMP error need quote. */
struct hs_quoted_tcp {
	__be16 source;
	__be16 dest;
	__be32 seq;
};

/**
 * struct hs_quote - an ICMP error with a quoted TCP segment of ours
 * @skb:	the packet, at its network header
 * @state:	of the hook
 * @icmp_offset: offset of the ICMP header
 * @ip_offset:	offset of the quoted IP header
 * @key:	the key of the flow
 * @seq:	SEG.SEQ of the quoted segment
 * @mtu:	of the link that it did not fit
 * @type:	of the error
 * @code:	of the error
 * @ttl:	what IP_MINTTL and IPV6_MINHOPCOUNT compare: the quoted TTL, but
 *		the hop limit of the error itself
 * @fragment:	no TCP header is quoted, but octets that may look like one
 * @meaning:	of the error
 */
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
	u8 ttl;
	bool fragment;
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
	    iph->protocol != IPPROTO_TCP)
		return false;
	q->ttl = iph->ttl;
	q->fragment = iph->frag_off & htons(IP_OFFSET);
	q->key.family = AF_INET;
	q->key.v4.local = iph->saddr;
	q->key.v4.remote = iph->daddr;
	return hs_quote_tcp(q, q->ip_offset + iph->ihl * 4);
}

static bool hs_quote_ipv6(struct hs_quote *q)
{
	const struct icmp6hdr *icmp;
	struct icmp6hdr icmp_buf;
	const struct ipv6hdr *ip6h;
	struct ipv6hdr buf;
	__be16 fragment;
	bool unsure;
	u8 nexthdr;
	int offset;

	if (!hs_exthdr_find(q->skb, IPPROTO_ICMPV6, &q->icmp_offset, &unsure) ||
	    unsure)
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
	q->ttl = ipv6_hdr(q->skb)->hop_limit;
	q->key.family = AF_INET6;
	q->key.v6.local = ip6h->saddr;
	q->key.v6.remote = ip6h->daddr;
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
	    ipv6_addr_type(&q->key.v6.remote) & IPV6_ADDR_LINKLOCAL)
		q->key.ifindex = inet6_sdif(skb) ?: inet6_iif(skb);
	else if (netif_is_l3_master(skb->dev))
		q->key.ifindex = skb->dev->ifindex;
}

static bool hs_quote_checksum_ok(const struct hs_quote *q)
{
	struct sk_buff *skb = q->skb;
	__sum16 sum;

	if (q->key.family == AF_INET6)
		return !nf_ip6_checksum(skb, NF_INET_LOCAL_IN, q->icmp_offset,
					IPPROTO_ICMPV6);
	/* without the IP header, as hs_packet_checksum_ok() */
	__skb_pull(skb, q->icmp_offset);
	sum = nf_ip_checksum(skb, NF_INET_LOCAL_IN, 0, IPPROTO_ICMP);
	__skb_push(skb, q->icmp_offset);
	return !sum;
}

/* A policy that the native stack would look at more closely. */
static bool hs_quote_policy_refuses(const struct hs_quote *q)
{
	return !(q->key.family == AF_INET ?
		 xfrm4_policy_check(NULL, XFRM_POLICY_IN, q->skb) :
		 xfrm6_policy_check(NULL, XFRM_POLICY_IN, q->skb));
}

/* It has been dealt with: count it as the native stack would. */
static unsigned int hs_quote_consume(struct hs_net *hn,
				     const struct hs_quote *q)
{
	struct net *net = hn->net;
	struct inet6_dev *idev;

	hs_packet_delivered(net, q->skb, q->key.family);
	if (q->key.family == AF_INET) {
		ICMP_INC_STATS(net, ICMP_MIB_INMSGS);
		ICMPMSGIN_INC_STATS(net, q->type);
	} else {
		idev = __in6_dev_get(q->skb->dev);
		ICMP6_INC_STATS(net, idev, ICMP6_MIB_INMSGS);
		ICMP6MSGIN_INC_STATS(net, idev, q->type);
	}
	consume_skb(q->skb);
	return NF_STOLEN;
}

static bool hs_quote_routes(const struct hs_quote *q)
{
	return q->meaning == HS_ICMP_PMTU || q->meaning == HS_ICMP_REDIRECT;
}

/* ip_no_pmtu_disc: 0 or 3, which TCP is strict enough for. */
static bool hs_quote_pmtu_wanted(const struct hs_quote *q, const struct net *net)
{
	if (q->key.family == AF_INET6)
		return q->mtu >= IPV6_MIN_MTU;
	return q->mtu >= IPV4_MIN_MTU &&
	       READ_ONCE(net->ipv4.sysctl_ip_no_pmtu_disc) % 3 == 0;
}

/* What the error tells of the way to the peer, if an honest router may say so. */
static void hs_quote_route(const struct hs_flow *flow, const struct hs_quote *q)
{
	bool v6 = q->key.family == AF_INET6;
	struct net *net = hs_flow_net(flow)->net;
	struct sk_buff *skb = q->skb;
	int oif = flow->bound_if ?: q->key.ifindex;

	if ((q->meaning == HS_ICMP_PMTU && !hs_quote_pmtu_wanted(q, net)) ||
	    !pskb_may_pull(skb, q->ip_offset + (v6 ? sizeof(struct ipv6hdr) :
						     sizeof(struct iphdr))))
		return;
	__skb_pull(skb, q->ip_offset);
	if (q->meaning == HS_ICMP_REDIRECT)
		ipv4_redirect(skb, net, oif, IPPROTO_TCP);
	else if (v6)
		ip6_update_pmtu(skb, net, htonl(q->mtu), oif, flow->mark,
				sock_net_uid(net, NULL));
	else
		ipv4_update_pmtu(skb, net, q->mtu, oif, IPPROTO_TCP);
	__skb_push(skb, q->ip_offset);
}

/* What the error is for the flow; HS_NONE when that has ended. */
static enum threeway_counter hs_icmp_judge(struct hs_flow *flow,
					   const struct sock *sk,
					   const struct hs_quote *q)
{
	enum threeway_counter counter = HS_NONE;
	struct hs_policy policy;

	if (q->fragment)
		return THREEWAY_C_icmp_ignored;
	spin_lock(&flow->lock);
	if (!flow->dead) {
		hs_policy_read(flow, sk, &policy);
		counter = hs_icmp_arrives(&flow->tcb, &policy, q->meaning,
					  q->seq);
	}
	spin_unlock(&flow->lock);
	return counter;
}

/* A flow that has no socket of its own. */
static unsigned int hs_icmp_flow(struct hs_flow *flow, const struct hs_quote *q)
{
	enum threeway_counter counter = hs_icmp_judge(flow, NULL, q);

	hs_count(hs_flow_net(flow), counter);
	if (counter == HS_NONE)
		return NF_ACCEPT;
	if (counter == THREEWAY_C_icmp_soft && hs_quote_routes(q))
		hs_quote_route(flow, q);
	if (counter == THREEWAY_C_icmp_hard &&
	    hs_flow_end(flow, THREEWAY_C_flows_icmp) && flow->listener)
		tcp_listendrop(flow->listener);
	return hs_quote_consume(hs_flow_net(flow), q);
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

/* Does the socket want to hear of each error at once? */
static bool hs_icmp_wanted(const struct hs_quote *q, const struct sock *sk)
{
	return q->key.family == AF_INET ? inet_sk(sk)->recverr :
					  inet6_sk(sk)->recverr;
}

static bool hs_icmp_ttl_refuses(const struct hs_quote *q, const struct sock *sk)
{
	return q->ttl < (q->key.family == AF_INET ?
			 READ_ONCE(inet_sk(sk)->min_ttl) :
			 READ_ONCE(inet6_sk(sk)->min_hopcount));
}

/*
 * The native stack ends connect() on soft errors as well. Where that is not
 * wanted the error is remembered, for the case that nothing better comes.
 */
static bool hs_icmp_soften(const struct hs_flow *flow, struct sock *sk,
			   const struct hs_quote *q)
{
	if (READ_ONCE(hs_flow_net(flow)->sysctl.icmp_soft_abort) ||
	    hs_icmp_wanted(q, sk))
		return false;
	WRITE_ONCE(sk->sk_err_soft, hs_icmp_errno(q));
	return true;
}

/* What the flow would end by; its timer may have decided that. */
static void hs_icmp_outcome(struct hs_flow *flow, enum threeway_counter reason)
{
	spin_lock(&flow->lock);
	if (!flow->dead)
		flow->outcome = reason;
	spin_unlock(&flow->lock);
}

/* The native stack decides, and it shows at once. */
static unsigned int hs_icmp_deliver(struct hs_flow *flow, struct sock *sk,
				    const struct hs_quote *q)
{
	hs_icmp_outcome(flow, THREEWAY_C_flows_icmp);
	hs_hook_go_on(hs_flow_net(flow), q->skb, q->state);
	if (hs_connect_settle(flow, sk))
		hs_icmp_outcome(flow, HS_NONE);
	return NF_STOLEN;
}

/* A flow whose socket still connects. */
static unsigned int hs_icmp_socket(struct hs_flow *flow, struct sock *sk,
				   const struct hs_quote *q)
{
	enum threeway_counter counter;

	if (hs_icmp_ttl_refuses(q, sk))
		return NF_ACCEPT;
	counter = hs_icmp_judge(flow, sk, q);
	hs_count(hs_flow_net(flow), counter);
	switch (counter) {
	case HS_NONE:
		return NF_ACCEPT;
	case THREEWAY_C_icmp_soft:
		if (hs_quote_routes(q))
			return NF_ACCEPT;
		if (hs_icmp_soften(flow, sk, q))
			break;
		fallthrough;
	case THREEWAY_C_icmp_hard:
		return hs_icmp_deliver(flow, sk, q);
	default:
		break;
	}
	return hs_quote_consume(hs_flow_net(flow), q);
}

static unsigned int hs_icmp_connect(struct hs_flow *flow,
				    const struct hs_quote *q)
{
	struct sock *sk = hs_socket_get(flow);
	unsigned int verdict = NF_ACCEPT;

	if (hs_connect_settle(flow, sk))
		verdict = hs_icmp_socket(flow, sk, q);
	if (sk)
		sock_gen_put(sk);
	return verdict;
}

/* Would the native stack look for the flow where the error came in? */
static bool hs_icmp_here(const struct hs_flow *flow, const struct hs_quote *q)
{
	bool v6 = q->state->pf == NFPROTO_IPV6;

	return flow->kind == HS_FLOW_OBSERVE ||
	       inet_sk_bound_dev_eq(hs_flow_net(flow)->net, flow->bound_if,
				    v6 ? q->skb->dev->ifindex :
					 inet_iif(q->skb),
				    v6 ? inet6_sdif(q->skb) : 0);
}

static unsigned int hs_icmp_quote(struct hs_net *hn, struct hs_quote *q)
{
	struct hs_flow *flow = hs_flow_find(hn, &q->key);
	unsigned int verdict = NF_ACCEPT;

	if (!flow || !hs_flow_hold(flow))
		return NF_ACCEPT;
	if (!hs_icmp_here(flow, q) || !hs_quote_checksum_ok(q) ||
	    hs_quote_policy_refuses(q))
		;
	else if (flow->kind == HS_FLOW_OBSERVE)
		hs_observe_icmp(flow, hs_icmp_judge(flow, NULL, q));
	else if (flow->kind == HS_FLOW_CONNECT)
		verdict = hs_icmp_connect(flow, q);
	else
		verdict = hs_icmp_flow(flow, q);
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
	if (q.meaning == HS_ICMP_NONE)
		return NF_ACCEPT;
	hs_quote_ifindex(&q);
	local_bh_disable();
	verdict = hs_icmp_quote(hn, &q);
	local_bh_enable();
	return verdict;
}
