// SPDX-License-Identifier: GPL-2.0
/* The device, and the stateless peers behind it. */
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "load.h"

#define HS_PEERS	0xc6120000U	/* 198.18.0.0/15 */
#define HS_PEER_BITS	17
#define HS_PEER_MASK	((1U << HS_PEER_BITS) - 1)
#define HS_PEER_PORT	1024

static struct net_device *hs_device;
static int hs_family = AF_INET;
static struct hs_sent hs_sent[HS_BATCH];
static u32 hs_first;
static u16 hs_port;
static u32 hs_next;
static unsigned int hs_syns;

struct net_device *hs_peer_device(void)
{
	return hs_device;
}

struct net *hs_peer_net(void)
{
	return dev_net(hs_device);
}

void hs_peer_use(int family)
{
	hs_family = family;
}

int hs_peer_family(void)
{
	return hs_family;
}

__be32 hs_peer_address(u32 peer)
{
	return htonl(HS_PEERS | (peer & HS_PEER_MASK));
}

struct in6_addr hs_peer_address6(u32 peer)
{
	struct in6_addr address = { { { 0x20, 0x01, 0x00, 0x02 } } };

	address.s6_addr32[3] = htonl(peer & HS_PEER_MASK);
	return address;
}

u16 hs_peer_port(u32 peer)
{
	return HS_PEER_PORT + (peer >> HS_PEER_BITS);
}

int hs_peer_name(u32 peer, u16 port, struct sockaddr_storage *name)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)name;
	struct sockaddr_in *sin = (struct sockaddr_in *)name;

	memset(name, 0, sizeof(*name));
	name->ss_family = hs_family;
	if (hs_family == AF_INET) {
		sin->sin_port = htons(port);
		sin->sin_addr.s_addr = hs_peer_address(peer);
		return sizeof(*sin);
	}
	sin6->sin6_port = htons(port);
	sin6->sin6_addr = hs_peer_address6(peer);
	return sizeof(*sin6);
}

bool hs_peer_has(u32 peer, const struct sock *sk)
{
	struct in6_addr address = hs_peer_address6(peer);

	if (hs_family == AF_INET)
		return sk->sk_daddr == hs_peer_address(peer);
	return ipv6_addr_equal(&sk->sk_v6_daddr, &address);
}

u32 hs_peer_new(u32 count)
{
	u32 first = hs_next;

	hs_next += count;
	return first;
}

u32 hs_peer_iss(u32 peer)
{
	return peer * 2654435761U;
}

void hs_peer_batch(u32 first, u16 port)
{
	memset(hs_sent, 0, sizeof(hs_sent));
	hs_first = first;
	hs_port = port;
}

const struct hs_sent *hs_peer_sent(unsigned int n)
{
	return &hs_sent[n];
}

unsigned int hs_peer_syns(void)
{
	return READ_ONCE(hs_syns);
}

/* The TCP header of a packet and the low bits of whom it is for, or NULL. */
static u8 *hs_sent_tcp(struct sk_buff *skb, u32 *peer)
{
	struct ipv6hdr *ip6h = (struct ipv6hdr *)(skb->data + ETH_HLEN);
	struct iphdr *iph = (struct iphdr *)ip6h;

	if (eth_hdr(skb)->h_proto == htons(ETH_P_IP)) {
		*peer = ntohl(iph->daddr);
		return iph->protocol == IPPROTO_TCP ?
			(u8 *)iph + iph->ihl * 4 : NULL;
	}
	if (eth_hdr(skb)->h_proto != htons(ETH_P_IPV6) ||
	    ip6h->nexthdr != IPPROTO_TCP)
		return NULL;
	*peer = ntohl(ip6h->daddr.s6_addr32[3]);
	return (u8 *)(ip6h + 1);
}

/* The host sends: remember the TCP header. */
static netdev_tx_t hs_peer_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct hs_sent *sent;
	u32 peer, slot;
	u8 *th;

	th = hs_sent_tcp(skb, &peer);
	if (!th)
		goto out;
	if (((struct tcphdr *)th)->syn)
		hs_syns++;
	/* others have the same address: copies of old SYN-ACKs */
	slot = (peer - hs_first) & HS_PEER_MASK;
	if (slot >= HS_BATCH || ntohs(((struct tcphdr *)th)->dest) !=
	    (hs_port ?: hs_peer_port(hs_first + slot)))
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
