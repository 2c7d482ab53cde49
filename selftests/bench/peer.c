// SPDX-License-Identifier: GPL-2.0
/* The device, and the stateless peers behind it. */
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <net/ip.h>
#include <net/tcp.h>

#include "load.h"

#define HS_PEERS	0xc6120000U	/* 198.18.0.0/15 */
#define HS_PEER_BITS	17
#define HS_PEER_MASK	((1U << HS_PEER_BITS) - 1)
#define HS_PEER_PORT	1024
#define HS_WINDOW	64240
#define HS_MSS		1460
#define HS_WSCALE	7

static struct net_device *hs_device;
static struct hs_sent hs_sent[HS_BATCH];
static u32 hs_first;
static unsigned int hs_syns;

struct net *hs_peer_net(void)
{
	return dev_net(hs_device);
}

__be32 hs_peer_address(u32 peer)
{
	return htonl(HS_PEERS | (peer & HS_PEER_MASK));
}

static u16 hs_peer_port(u32 peer)
{
	return HS_PEER_PORT + (peer >> HS_PEER_BITS);
}

void hs_peer_batch(u32 first)
{
	memset(hs_sent, 0, sizeof(hs_sent));
	hs_first = first;
}

const struct hs_sent *hs_peer_sent(unsigned int n)
{
	return &hs_sent[n];
}

unsigned int hs_peer_syns(void)
{
	return READ_ONCE(hs_syns);
}

/* The host sends: remember the TCP header. */
static netdev_tx_t hs_peer_xmit(struct sk_buff *skb, struct net_device *dev)
{
	const struct iphdr *iph = (struct iphdr *)(skb->data + ETH_HLEN);
	struct hs_sent *sent;
	unsigned int slot;
	u8 *th;

	if (eth_hdr(skb)->h_proto != htons(ETH_P_IP) ||
	    iph->protocol != IPPROTO_TCP)
		goto out;
	th = (u8 *)iph + iph->ihl * 4;
	if (((struct tcphdr *)th)->syn)
		hs_syns++;
	slot = ((ntohl(iph->daddr) - HS_PEERS) - hs_first) & HS_PEER_MASK;
	if (slot >= HS_BATCH)
		goto out;
	sent = &hs_sent[slot];
	memcpy(sent, th, min_t(unsigned int, sizeof(struct tcphdr) +
			       sizeof(sent->options),
			       skb_headlen(skb) - (th - skb->data)));
	sent->count++;
out:
	consume_skb(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops hs_device_ops = {
	.ndo_start_xmit = hs_peer_xmit,
};

static void hs_device_init(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &hs_device_ops;
	dev->flags |= IFF_NOARP;
	dev->priv_flags |= IFF_NO_QUEUE;
	dev->features |= NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA |
			 NETIF_F_LLTX;
	eth_hw_addr_random(dev);
}

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
	static const u8 mss_sack[] = {
		TCPOPT_MSS, TCPOLEN_MSS, HS_MSS >> 8, HS_MSS & 0xff,
		TCPOPT_SACK_PERM, TCPOLEN_SACK_PERM,
	};
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
	memcpy(at, mss_sack, sizeof(mss_sack));
	at += sizeof(mss_sack);
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

struct sk_buff *hs_peer_segment(const struct hs_spec *spec)
{
	struct sk_buff *skb;
	struct ethhdr *eth;
	struct iphdr *iph;

	skb = netdev_alloc_skb_ip_align(hs_device, 128 + spec->len);
	if (!skb)
		return NULL;
	eth = skb_put_zero(skb, sizeof(*eth));
	eth->h_proto = htons(ETH_P_IP);
	ether_addr_copy(eth->h_dest, hs_device->dev_addr);
	iph = skb_put_zero(skb, sizeof(*iph));
	hs_put_tcp(skb, spec);
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tot_len = htons(skb->len - sizeof(*eth));
	iph->frag_off = htons(IP_DF);
	iph->ttl = 64;
	iph->protocol = IPPROTO_TCP;
	iph->saddr = hs_peer_address(spec->peer);
	iph->daddr = htonl(HS_HOST);
	ip_send_check(iph);
	skb->protocol = eth_type_trans(skb, hs_device);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return skb;
}

u32 hs_sent_tsval(const struct hs_sent *sent)
{
	unsigned int len = sent->th.doff * 4 - sizeof(sent->th), i = 0;

	while (i + TCPOLEN_TIMESTAMP <= len) {
		if (sent->options[i] == TCPOPT_TIMESTAMP)
			return get_unaligned_be32(sent->options + i + 2);
		if (sent->options[i] == TCPOPT_NOP)
			i++;
		else
			i += max_t(u8, sent->options[i + 1], 2);
	}
	return 0;
}

int hs_peer_setup(void)
{
	int err;

	hs_device = alloc_netdev(0, "load%d", NET_NAME_ENUM, hs_device_init);
	if (!hs_device)
		return -ENOMEM;
	dev_net_set(hs_device, current->nsproxy->net_ns);
	err = register_netdev(hs_device);
	if (err)
		free_netdev(hs_device);
	return err;
}

void hs_peer_teardown(void)
{
	unregister_netdev(hs_device);
	free_netdev(hs_device);
}
