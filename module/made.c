// SPDX-License-Identifier: GPL-2.0
/* Segments that nobody sent, for the native stack to receive. */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "made.h"

static void hs_made_network_header(struct sk_buff *skb,
				   const struct hs_flow *flow, size_t tcp_len)
{
	const struct hs_flow_key *key = &flow->key;

	if (key->family == AF_INET) {
		struct iphdr *iph = skb_put_zero(skb, sizeof(*iph));

		iph->version = 4;
		iph->ihl = sizeof(*iph) / 4;
		iph->tos = flow->syn_tos;
		iph->tot_len = htons(sizeof(*iph) + tcp_len);
		iph->ttl = flow->syn_ttl;
		iph->protocol = IPPROTO_TCP;
		iph->saddr = key->v4.remote;
		iph->daddr = key->v4.local;
	} else {
		struct ipv6hdr *ip6h = skb_put_zero(skb, sizeof(*ip6h));

		ip6_flow_hdr(ip6h, flow->syn_tos, 0);
		ip6h->payload_len = htons(tcp_len);
		ip6h->nexthdr = IPPROTO_TCP;
		ip6h->hop_limit = flow->syn_ttl;
		ip6h->saddr = key->v6.remote;
		ip6h->daddr = key->v6.local;
	}
}

static void hs_made_control_block(struct sk_buff *skb,
				  const struct hs_flow *flow,
				  const struct hs_reply *reply,
				  const struct sk_buff *model)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	memset(skb->cb, 0, sizeof(skb->cb));
	if (flow->key.family == AF_INET) {
		cb->header.h4.iif = IPCB(model)->iif;
		cb->header.h4.flags = IPCB(model)->flags;
	} else {
		cb->header.h6.iif = IP6CB(model)->iif;
		cb->header.h6.flags = IP6CB(model)->flags;
	}
	cb->seq = reply->seq;
	cb->end_seq = reply->seq + !!(reply->flags & HS_SYN);
	cb->ack_seq = reply->ack;
	cb->tcp_flags = reply->flags;
	cb->ip_dsfield = flow->syn_tos;
}

struct sk_buff *hs_made_segment(const struct hs_flow *flow,
				const struct hs_reply *reply,
				const struct sk_buff *model)
{
	u8 header[HS_HEADER_MAX];
	struct sk_buff *skb;
	size_t len;

	len = hs_reply_build(header, reply, ntohs(flow->key.remote_port),
			     ntohs(flow->key.local_port));
	skb = alloc_skb(sizeof(struct ipv6hdr) + len, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	hs_made_network_header(skb, flow, len);
	skb_set_transport_header(skb, skb->len);
	skb_put_data(skb, header, len);
	__skb_pull(skb, skb_transport_offset(skb));

	skb->protocol = model->protocol;
	skb->dev = model->dev;
	skb->skb_iif = model->skb_iif;
	skb->mark = flow->mark;
	skb->pkt_type = PACKET_HOST;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb_copy_queue_mapping(skb, model);
	skb_copy_secmark(skb, model);
	skb_ext_copy(skb, model);
	skb_dst_copy(skb, model);
	hs_made_control_block(skb, flow, reply, model);
	return skb;
}
