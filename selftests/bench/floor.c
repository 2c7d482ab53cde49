// SPDX-License-Identifier: GPL-2.0
/*
 * What the engine cannot be cheaper than. In the network namespace in which the
 * module is loaded, for SYNs that come from its device, "floor" is
 *
 *	drop		they are dropped at the device's ingress hook
 *	bounce		there they become SYN-ACKs in place, without any state
 *	arrival		they are dropped where the engine takes them: at the end of
 *			the input hooks
 *	reply		there they become SYN-ACKs without any state, and leave as
 *			those of the engine do: through IP's output and its hooks
 *	hooks		nothing is done, by as many hooks as the engine has
 */
#include <linux/etherdevice.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/nsproxy.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/tcp.h>

static char *device = "load0";
module_param(device, charp, 0);

static char *floor = "drop";
module_param(floor, charp, 0);

static struct net_device *hs_device;

static void hs_answer_tcp(struct sk_buff *skb, struct tcphdr *th)
{
	u32 isn = jhash_2words((__force u32)th->seq, *(const u32 *)th, 0);

	swap(th->source, th->dest);
	th->ack_seq = htonl(ntohl(th->seq) + 1);
	th->seq = htonl(isn);
	th->ack = 1;
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (u8 *)th - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
}

/* The SYN becomes a SYN-ACK. */
static void hs_answer(struct sk_buff *skb)
{
	struct ipv6hdr *ip6h = ipv6_hdr(skb);
	struct iphdr *iph = ip_hdr(skb);
	struct tcphdr *th;

	if (skb->protocol == htons(ETH_P_IP)) {
		th = (struct tcphdr *)(iph + 1);
		swap(iph->saddr, iph->daddr);
		hs_answer_tcp(skb, th);
		th->check = ~tcp_v4_check(skb->len - sizeof(*iph), iph->saddr,
					  iph->daddr, 0);
	} else {
		th = (struct tcphdr *)(ip6h + 1);
		swap(ip6h->saddr, ip6h->daddr);
		hs_answer_tcp(skb, th);
		th->check = ~tcp_v6_check(skb->len - sizeof(*ip6h),
					  &ip6h->saddr, &ip6h->daddr, 0);
	}
}

/* Without data, options of IP or a fragment: all that the load sends. */
static bool hs_is_syn(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	const struct iphdr *iph = ip_hdr(skb);

	if (skb->dev != hs_device || skb_is_nonlinear(skb) ||
	    skb->len < sizeof(*ip6h) + sizeof(struct tcphdr))
		return false;
	if (skb->protocol == htons(ETH_P_IP))
		return iph->ihl == 5 && iph->protocol == IPPROTO_TCP &&
		       ((const struct tcphdr *)(iph + 1))->syn;
	return skb->protocol == htons(ETH_P_IPV6) &&
	       ip6h->nexthdr == IPPROTO_TCP &&
	       ((const struct tcphdr *)(ip6h + 1))->syn;
}

static unsigned int hs_drop(void *priv, struct sk_buff *skb,
			    const struct nf_hook_state *state)
{
	return hs_is_syn(skb) ? NF_DROP : NF_ACCEPT;
}

static unsigned int hs_bounce(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	struct ethhdr *eth = eth_hdr(skb);

	if (!hs_is_syn(skb))
		return NF_ACCEPT;
	hs_answer(skb);
	ether_addr_copy(eth->h_dest, eth->h_source);
	ether_addr_copy(eth->h_source, skb->dev->dev_addr);
	skb_push(skb, ETH_HLEN);
	dev_queue_xmit(skb);
	return NF_STOLEN;
}

static struct dst_entry *hs_route4(struct net *net, const struct sk_buff *skb)
{
	struct flowi4 fl4 = {
		.daddr = ip_hdr(skb)->daddr,
		.saddr = ip_hdr(skb)->saddr,
		.flowi4_proto = IPPROTO_TCP,
	};
	struct rtable *rt = ip_route_output_key(net, &fl4);

	return IS_ERR(rt) ? NULL : &rt->dst;
}

static struct dst_entry *hs_route6(struct net *net, const struct sk_buff *skb)
{
	struct flowi6 fl6 = {
		.daddr = ipv6_hdr(skb)->daddr,
		.saddr = ipv6_hdr(skb)->saddr,
		.flowi6_proto = IPPROTO_TCP,
	};
	struct dst_entry *dst = ip6_route_output(net, NULL, &fl6);

	if (!dst->error)
		return dst;
	dst_release(dst);
	return NULL;
}

static unsigned int hs_reply(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	bool v4 = skb->protocol == htons(ETH_P_IP);
	struct dst_entry *dst;

	if (!hs_is_syn(skb))
		return NF_ACCEPT;
	hs_answer(skb);
	dst = v4 ? hs_route4(state->net, skb) : hs_route6(state->net, skb);
	if (!dst)
		return NF_DROP;
	skb_dst_drop(skb);
	skb_dst_set(skb, dst);
	if (v4)
		ip_local_out(state->net, NULL, skb);
	else
		ip6_local_out(state->net, NULL, skb);
	return NF_STOLEN;
}

static unsigned int hs_nothing(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}

/* Where each floor is. */
static struct nf_hook_ops hs_drop_ops[] = {
	{ .hook = hs_drop, .pf = NFPROTO_NETDEV,
	  .hooknum = NF_NETDEV_INGRESS },
};

static struct nf_hook_ops hs_bounce_ops[] = {
	{ .hook = hs_bounce, .pf = NFPROTO_NETDEV,
	  .hooknum = NF_NETDEV_INGRESS },
};

static struct nf_hook_ops hs_arrival_ops[] = {
	{ .hook = hs_drop, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_IN,
	  .priority = NF_IP_PRI_LAST },
	{ .hook = hs_drop, .pf = NFPROTO_IPV6, .hooknum = NF_INET_LOCAL_IN,
	  .priority = NF_IP6_PRI_LAST },
};

static struct nf_hook_ops hs_reply_ops[] = {
	{ .hook = hs_reply, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_IN,
	  .priority = NF_IP_PRI_LAST },
	{ .hook = hs_reply, .pf = NFPROTO_IPV6, .hooknum = NF_INET_LOCAL_IN,
	  .priority = NF_IP6_PRI_LAST },
	{ .hook = hs_nothing, .pf = NFPROTO_IPV4,
	  .hooknum = NF_INET_LOCAL_OUT, .priority = NF_IP_PRI_FIRST },
	{ .hook = hs_nothing, .pf = NFPROTO_IPV6,
	  .hooknum = NF_INET_LOCAL_OUT, .priority = NF_IP6_PRI_FIRST },
};

static struct nf_hook_ops hs_nothing_ops[] = {
	{ .hook = hs_nothing, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_IN,
	  .priority = NF_IP_PRI_LAST },
	{ .hook = hs_nothing, .pf = NFPROTO_IPV6, .hooknum = NF_INET_LOCAL_IN,
	  .priority = NF_IP6_PRI_LAST },
	{ .hook = hs_nothing, .pf = NFPROTO_IPV4,
	  .hooknum = NF_INET_LOCAL_OUT, .priority = NF_IP_PRI_FIRST },
	{ .hook = hs_nothing, .pf = NFPROTO_IPV6,
	  .hooknum = NF_INET_LOCAL_OUT, .priority = NF_IP6_PRI_FIRST },
};

static const struct hs_floor {
	const char *name;
	struct nf_hook_ops *ops;
	unsigned int count;
} hs_floors[] = {
	{ "drop", hs_drop_ops, ARRAY_SIZE(hs_drop_ops) },
	{ "bounce", hs_bounce_ops, ARRAY_SIZE(hs_bounce_ops) },
	{ "arrival", hs_arrival_ops, ARRAY_SIZE(hs_arrival_ops) },
	{ "reply", hs_reply_ops, ARRAY_SIZE(hs_reply_ops) },
	{ "hooks", hs_nothing_ops, ARRAY_SIZE(hs_nothing_ops) },
};

static const struct hs_floor *hs_chosen;

static int hs_floor_hook(struct net *net)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hs_floors); i++)
		if (!strcmp(floor, hs_floors[i].name))
			hs_chosen = &hs_floors[i];
	if (!hs_chosen)
		return -EINVAL;
	if (hs_chosen->ops->pf == NFPROTO_NETDEV)
		hs_chosen->ops->dev = hs_device;
	return nf_register_net_hooks(net, hs_chosen->ops, hs_chosen->count);
}

static int __init hs_floor_init(void)
{
	struct net *net = current->nsproxy->net_ns;
	int err;

	hs_device = dev_get_by_name(net, device);
	if (!hs_device)
		return -ENODEV;
	err = hs_floor_hook(net);
	if (err)
		dev_put(hs_device);
	return err;
}

static void __exit hs_floor_exit(void)
{
	nf_unregister_net_hooks(dev_net(hs_device), hs_chosen->ops,
				hs_chosen->count);
	dev_put(hs_device);
}

module_init(hs_floor_init);
module_exit(hs_floor_exit);

MODULE_DESCRIPTION("floors for the benchmarks of threeway");
MODULE_LICENSE("GPL");
