// SPDX-License-Identifier: GPL-2.0
/* Segments that the peers send. */
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <net/ip.h>
#include <net/tcp.h>

#include "load.h"

#define HS_WINDOW	64240
#define HS_MSS		1460
#define HS_MSS6		1440
#define HS_WSCALE	7
#define HS_TTL		64

static void hs_put_timestamps(u8 *options, u32 tsecr)
{
	options[0] = TCPOPT_TIMESTAMP;
	options[1] = TCPOLEN_TIMESTAMP;
	put_unaligned_be32(tcp_time_stamp_raw(), options + 2);
	put_unaligned_be32(tsecr, options + 6);
}

/* Those of a Linux host. Return: bytes. */
static unsigned int hs_put_options(u8 *options, const struct hs_spec *spec)
{
	static const u8 sack[] = { TCPOPT_SACK_PERM, TCPOLEN_SACK_PERM };
	static const u8 wscale[] = {
		TCPOPT_NOP, TCPOPT_WINDOW, TCPOLEN_WINDOW, HS_WSCALE,
	};
	static const u8 pad[] = { TCPOPT_NOP, TCPOPT_NOP };
	u8 *at = options;

	if (!(spec->flags & TCP_FLAG_SYN)) {
		memcpy(at, pad, sizeof(pad));
		hs_put_timestamps(at + sizeof(pad), spec->tsecr);
		return sizeof(pad) + TCPOLEN_TIMESTAMP;
	}
	*at++ = TCPOPT_MSS;
	*at++ = TCPOLEN_MSS;
	put_unaligned_be16(hs_peer_family() == AF_INET ? HS_MSS : HS_MSS6, at);
	at += 2;
	memcpy(at, sack, sizeof(sack));
	at += sizeof(sack);
	hs_put_timestamps(at, spec->tsecr);
	at += TCPOLEN_TIMESTAMP;
	memcpy(at, wscale, sizeof(wscale));
	return at + sizeof(wscale) - options;
}

static void hs_put_tcp(struct sk_buff *skb, const struct hs_spec *spec)
{
	struct tcphdr *th = skb_put_zero(skb, sizeof(*th));
	u8 options[40];
	unsigned int len = hs_put_options(options, spec);

	skb_put_data(skb, options, len);
	tcp_flag_word(th) = spec->flags;
	th->source = htons(spec->peer_port ?: hs_peer_port(spec->peer));
	th->dest = htons(spec->host_port);
	th->seq = htonl(spec->seq);
	th->ack_seq = htonl(spec->ack);
	th->doff = (sizeof(*th) + len) / 4;
	th->window = htons(HS_WINDOW);
	skb_put_zero(skb, spec->len);
}

static void hs_put_ipv4(struct sk_buff *skb, const struct hs_spec *spec)
{
	struct iphdr *iph = skb_put_zero(skb, sizeof(*iph));

	hs_put_tcp(skb, spec);
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tot_len = htons(skb->len - ETH_HLEN);
	iph->frag_off = htons(IP_DF);
	iph->ttl = HS_TTL;
	iph->protocol = IPPROTO_TCP;
	iph->saddr = hs_peer_address(spec->peer);
	iph->daddr = htonl(HS_HOST);
	ip_send_check(iph);
}

static void hs_put_ipv6(struct sk_buff *skb, const struct hs_spec *spec)
{
	struct ipv6hdr *ip6h = skb_put_zero(skb, sizeof(*ip6h));

	hs_put_tcp(skb, spec);
	ip6h->version = 6;
	ip6h->payload_len = htons(skb->len - ETH_HLEN - sizeof(*ip6h));
	ip6h->nexthdr = IPPROTO_TCP;
	ip6h->hop_limit = HS_TTL;
	ip6h->saddr = hs_peer_address6(spec->peer);
	ip6h->daddr = HS_HOST6;
}

struct sk_buff *hs_peer_segment(const struct hs_spec *spec)
{
	struct net_device *dev = hs_peer_device();
	struct sk_buff *skb;
	struct ethhdr *eth;

	skb = netdev_alloc_skb_ip_align(dev, 128 + spec->len);
	if (!skb)
		return NULL;
	eth = skb_put_zero(skb, sizeof(*eth));
	ether_addr_copy(eth->h_dest, dev->dev_addr);
	/* of one station, administered locally */
	eth->h_source[0] = 2;
	if (hs_peer_family() == AF_INET) {
		eth->h_proto = htons(ETH_P_IP);
		hs_put_ipv4(skb, spec);
	} else {
		eth->h_proto = htons(ETH_P_IPV6);
		hs_put_ipv6(skb, spec);
	}
	skb->protocol = eth_type_trans(skb, dev);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return skb;
}
