// SPDX-License-Identifier: GPL-2.0
/* A received packet. */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/tcp.h>
#include <net/tcp.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>

#include "exthdr.h"
#include "packet.h"

static bool hs_packet_ipv6_thoff(struct hs_packet *pkt)
{
	pkt->thoff = sizeof(struct ipv6hdr);
	pkt->plain = ipv6_hdr(pkt->skb)->nexthdr == IPPROTO_TCP;
	return pkt->plain ||
	       hs_exthdr_find(pkt->skb, IPPROTO_TCP, &pkt->thoff,
			      &pkt->unsure);
}

static bool hs_packet_ipv4_thoff(struct hs_packet *pkt)
{
	const struct iphdr *iph = ip_hdr(pkt->skb);

	if (iph->protocol != IPPROTO_TCP || ip_is_fragment(iph))
		return false;
	pkt->thoff = iph->ihl * 4;
	pkt->plain = pkt->thoff == sizeof(*iph);
	return true;
}

bool hs_packet_find(struct hs_packet *pkt, struct sk_buff *skb, u8 family)
{
	const struct tcphdr *th;
	struct tcphdr buf;
	bool tcp;

	pkt->skb = skb;
	pkt->family = family;
	pkt->unsure = false;
	tcp = family == AF_INET ? hs_packet_ipv4_thoff(pkt) :
				  hs_packet_ipv6_thoff(pkt);
	if (!tcp)
		return false;
	th = skb_header_pointer(skb, pkt->thoff, sizeof(buf), &buf);
	if (!th)
		return false;
	pkt->syn = th->syn;
	pkt->odd = !th->syn && !th->ack && !th->rst;
	pkt->local_port = th->dest;
	pkt->remote_port = th->source;
	return true;
}

static void hs_packet_addresses(struct hs_packet *pkt)
{
	struct sk_buff *skb = pkt->skb;

	memset(&pkt->key, 0, sizeof(pkt->key));
	pkt->key.family = pkt->family;
	pkt->key.local_port = pkt->local_port;
	pkt->key.remote_port = pkt->remote_port;
	if (pkt->family == AF_INET) {
		const struct iphdr *iph = ip_hdr(skb);

		pkt->key.v4.local = iph->daddr;
		pkt->key.v4.remote = iph->saddr;
		pkt->iif = inet_iif(skb);
		pkt->sdif = inet_sdif(skb);
		pkt->tos = ipv4_get_dsfield(iph);
		pkt->ttl = iph->ttl;
	} else {
		const struct ipv6hdr *ip6h = ipv6_hdr(skb);

		pkt->key.v6.local = ip6h->daddr;
		pkt->key.v6.remote = ip6h->saddr;
		pkt->iif = inet6_iif(skb);
		pkt->sdif = inet6_sdif(skb);
		pkt->tos = ipv6_get_dsfield(ip6h);
		pkt->ttl = ip6h->hop_limit;
		/* the link, not the VRF that it is in */
		if (ipv6_addr_type(&ip6h->saddr) & IPV6_ADDR_LINKLOCAL)
			pkt->key.ifindex = pkt->sdif ?: pkt->iif;
	}
	/* two VRFs may use the same addresses */
	if (!pkt->key.ifindex && netif_is_l3_master(skb->dev))
		pkt->key.ifindex = skb->dev->ifindex;
}

bool hs_packet_read(struct hs_packet *pkt)
{
	struct sk_buff *skb = pkt->skb;
	u32 len = skb->len - pkt->thoff;
	const u8 *header;

	hs_packet_addresses(pkt);
	if (!pskb_may_pull(skb, pkt->thoff + sizeof(struct tcphdr)))
		return false;
	header = skb_network_header(skb) + pkt->thoff;
	if (!pskb_may_pull(skb, pkt->thoff +
				((const struct tcphdr *)header)->doff * 4))
		return false;
	/* pulling may have moved the header */
	header = skb_network_header(skb) + pkt->thoff;
	return hs_segment_parse(&pkt->seg, header, skb_headlen(skb) - pkt->thoff,
				len, pkt->tos & INET_ECN_MASK);
}

bool hs_packet_checksum_ok(const struct hs_packet *pkt)
{
	struct sk_buff *skb = pkt->skb;
	__sum16 sum;

	if (pkt->family == AF_INET6)
		return !nf_ip6_checksum(skb, NF_INET_LOCAL_IN, pkt->thoff,
					IPPROTO_TCP);
	/* without the IP header: options that were filled in on the way up
	 * have spoilt its sum
	 */
	__skb_pull(skb, pkt->thoff);
	sum = nf_ip_checksum(skb, NF_INET_LOCAL_IN, 0, IPPROTO_TCP);
	__skb_push(skb, pkt->thoff);
	return !sum;
}

/* Return: the bits of ECN, or -1 when it is not TCP. */
static int hs_outgoing_addresses(const struct sk_buff *skb,
				 struct hs_flow_key *key)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	const struct iphdr *iph = ip_hdr(skb);

	if (key->family == AF_INET) {
		if (iph->protocol != IPPROTO_TCP || ip_is_fragment(iph))
			return -1;
		key->v4.local = iph->saddr;
		key->v4.remote = iph->daddr;
		return ipv4_get_dsfield(iph) & INET_ECN_MASK;
	}
	if (ip6h->nexthdr != IPPROTO_TCP)
		return -1;
	key->v6.local = ip6h->saddr;
	key->v6.remote = ip6h->daddr;
	return ipv6_get_dsfield(ip6h) & INET_ECN_MASK;
}

/*
 * The interface whose link-local addresses it has. What goes to an address of this
 * host leaves by the loopback device, but arrives as if by that one.
 */
static int hs_outgoing_link(struct dst_entry *dst)
{
	const struct inet6_dev *idev = ip6_dst_idev(dst);

	return idev ? idev->dev->ifindex : dst->dev->ifindex;
}

bool hs_packet_outgoing(struct sk_buff *skb, u8 family,
			struct hs_flow_key *key, struct hs_segment *seg)
{
	const struct tcphdr *th = tcp_hdr(skb);
	int offset = skb_transport_offset(skb);
	int ecn;

	memset(key, 0, sizeof(*key));
	key->family = family;
	ecn = hs_outgoing_addresses(skb, key);
	if (ecn < 0 || !skb_dst(skb) || offset < 0 ||
	    offset + sizeof(*th) > skb_headlen(skb))
		return false;
	key->local_port = th->source;
	key->remote_port = th->dest;
	if (family == AF_INET6 &&
	    ipv6_addr_type(&key->v6.remote) & IPV6_ADDR_LINKLOCAL)
		key->ifindex = hs_outgoing_link(skb_dst(skb));
	else
		key->ifindex = l3mdev_master_ifindex_rcu(skb_dst(skb)->dev);
	return hs_segment_parse(seg, (const u8 *)th, skb_headlen(skb) - offset,
				skb->len - offset, ecn);
}

void hs_packet_delivered(struct net *net, const struct sk_buff *skb, u8 family)
{
	struct dst_entry *dst = skb_dst(skb);

	if (family == AF_INET)
		__IP_INC_STATS(net, IPSTATS_MIB_INDELIVERS);
	else
		__IP6_INC_STATS(net, dst ? ip6_dst_idev(dst) : NULL,
				IPSTATS_MIB_INDELIVERS);
}

/* As tcp_parse_options(), which does not see the segment. */
static void hs_packet_wscale_warn(struct net *net, u8 wscale)
{
	if (READ_ONCE(net->ipv4.sysctl_tcp_window_scaling))
		net_info_ratelimited("threeway: Illegal window scaling value %u > %u received\n",
				     wscale, HS_WSCALE_MAX);
}

void hs_packet_kept(struct net *net, const struct hs_packet *pkt)
{
	hs_packet_delivered(net, pkt->skb, pkt->family);
	TCP_INC_STATS(net, TCP_MIB_INSEGS);
	if (unlikely(pkt->seg.opts.wscale_over))
		hs_packet_wscale_warn(net, pkt->seg.opts.wscale_over);
}

bool hs_packet_mask(struct hs_packet *pkt, u16 options, u8 flags)
{
	struct sk_buff *skb = pkt->skb;
	unsigned int len = pkt->thoff + HS_HEADER_MAX;
	struct tcphdr *th;

	if (skb_ensure_writable(skb, min(len, skb->len)))
		return false;
	th = (struct tcphdr *)(skb_network_header(skb) + pkt->thoff);
	/* the checksum has been verified, and is not looked at again */
	hs_options_mask((u8 *)(th + 1), th->doff * 4 - sizeof(*th), options);
	tcp_flag_byte(th) &= ~flags;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return true;
}
