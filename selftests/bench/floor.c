// SPDX-License-Identifier: GPL-2.0
/*
 * What no answer to a SYN can be cheaper than: at the ingress hook of a device of
 * the network namespace in which the module is loaded, SYNs are dropped, or
 * become SYN-ACKs in place, without any state.
 */
#include <linux/etherdevice.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/nsproxy.h>
#include <net/tcp.h>

static char *device = "load0";
module_param(device, charp, 0);

static bool bounce;
module_param(bounce, bool, 0);

static struct net_device *hs_device;

static void hs_bounce_tcp(struct tcphdr *th, const struct iphdr *iph, u32 len)
{
	u32 isn = jhash_3words((__force u32)iph->saddr,
			       (__force u32)iph->daddr,
			       *(const u32 *)th, 0);

	swap(th->source, th->dest);
	th->ack_seq = htonl(ntohl(th->seq) + 1);
	th->seq = htonl(isn);
	th->ack = 1;
	th->check = ~tcp_v4_check(len, iph->saddr, iph->daddr, 0);
}

/* A SYN without data, IP options or a fragment: all that the load sends. */
static unsigned int hs_bounce(struct sk_buff *skb)
{
	struct ethhdr *eth = eth_hdr(skb);
	struct iphdr *iph = (struct iphdr *)skb->data;
	struct tcphdr *th = (struct tcphdr *)(iph + 1);

	swap(iph->saddr, iph->daddr);
	hs_bounce_tcp(th, iph, skb->len - sizeof(*iph));
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (u8 *)th - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	ether_addr_copy(eth->h_dest, eth->h_source);
	ether_addr_copy(eth->h_source, skb->dev->dev_addr);
	skb_push(skb, ETH_HLEN);
	dev_queue_xmit(skb);
	return NF_STOLEN;
}

static unsigned int hs_ingress(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;

	if (skb->protocol != htons(ETH_P_IP) || skb_is_nonlinear(skb) ||
	    skb->len < sizeof(struct iphdr) + sizeof(struct tcphdr) ||
	    iph->ihl != 5 || iph->protocol != IPPROTO_TCP ||
	    !((const struct tcphdr *)(iph + 1))->syn)
		return NF_ACCEPT;
	return bounce ? hs_bounce(skb) : NF_DROP;
}

static struct nf_hook_ops hs_hook = {
	.hook = hs_ingress,
	.pf = NFPROTO_NETDEV,
	.hooknum = NF_NETDEV_INGRESS,
};

static int __init hs_floor_init(void)
{
	struct net *net = current->nsproxy->net_ns;
	int err;

	hs_device = dev_get_by_name(net, device);
	if (!hs_device)
		return -ENODEV;
	hs_hook.dev = hs_device;
	err = nf_register_net_hook(net, &hs_hook);
	if (err)
		dev_put(hs_device);
	return err;
}

static void __exit hs_floor_exit(void)
{
	nf_unregister_net_hook(dev_net(hs_device), &hs_hook);
	dev_put(hs_device);
}

module_init(hs_floor_init);
module_exit(hs_floor_exit);

MODULE_DESCRIPTION("floors for the benchmarks of threeway");
MODULE_LICENSE("GPL");
