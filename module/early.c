// SPDX-License-Identifier: GPL-2.0
/* SYN-ACKs on the early path. */
#include <linux/etherdevice.h>
#include <linux/inetdevice.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/addrconf.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip_fib.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/tcp.h>

#include "cookie.h"
#include "early.h"
#include "endpoint.h"
#include "flood.h"
#include "listener.h"
#include "native.h"
#include "netns.h"
#include "output.h"
#include "passive.h"

/* What only the late path knows how to deal with. */
#define HS_EARLY_OPTIONS	(HS_OPT_MD5 | HS_OPT_AO | HS_OPT_MPTCP | \
				 HS_OPT_FAST_OPEN | HS_OPT_SMC)

/* Is there a route to the source, by whatever device (rp_filter 2)? */
static bool hs_early_routed(const struct hs_packet *pkt)
{
	const struct net_device *dev = pkt->skb->dev;
	struct in_device *in_dev = __in_dev_get_rcu(dev);
	struct flowi4 fl4 = {
		.flowi4_iif = LOOPBACK_IFINDEX,
		.flowi4_tos = pkt->tos & IPTOS_RT_MASK,
		.flowi4_scope = RT_SCOPE_UNIVERSE,
		.daddr = pkt->key.v4.remote,
		.saddr = pkt->key.v4.local,
	};
	struct fib_result res;

	if (in_dev && IN_DEV_SRC_VMARK(in_dev))
		fl4.flowi4_mark = pkt->skb->mark;
	return !fib_lookup(dev_net(dev), &fl4, &res, 0) &&
	       res.type == RTN_UNICAST;
}

/* A peer whom an answer can reach. */
static bool hs_early_peer_ipv4(const struct hs_packet *pkt, bool loose)
{
	__be32 remote = pkt->key.v4.remote;

	return remote != pkt->key.v4.local && !ipv4_is_multicast(remote) &&
	       !ipv4_is_lbcast(remote) && !ipv4_is_zeronet(remote) &&
	       !ipv4_is_loopback(remote) &&
	       (!loose || hs_early_routed(pkt));
}

static bool hs_early_peer_ipv6(const struct in6_addr *remote,
			       const struct in6_addr *local)
{
	int type = ipv6_addr_type(remote);

	return (type & IPV6_ADDR_UNICAST) &&
	       !(type & (IPV6_ADDR_LOOPBACK | IPV6_ADDR_LINKLOCAL |
			 IPV6_ADDR_MAPPED)) &&
	       !ipv6_addr_equal(remote, local);
}

static bool hs_early_peer(const struct hs_packet *pkt, bool loose)
{
	if (pkt->family == AF_INET)
		return hs_early_peer_ipv4(pkt, loose);
	return hs_early_peer_ipv6(&pkt->key.v6.remote, &pkt->key.v6.local);
}

static bool hs_early_frame(const struct sk_buff *skb)
{
	return skb_mac_header_was_set(skb) &&
	       skb->data - skb_mac_header(skb) == ETH_HLEN &&
	       eth_hdr(skb)->h_proto == skb->protocol &&
	       is_valid_ether_addr(eth_hdr(skb)->h_source) &&
	       !is_multicast_ether_addr(eth_hdr(skb)->h_dest) &&
	       !skb_vlan_tag_present(skb);
}

static bool hs_early_bridged(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	return nf_bridge_info_exists(skb);
#else
	return false;
#endif
}

/* It came the ordinary way. */
static bool hs_early_plain(const struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST && !skb->sk && !skb_dst(skb) &&
	       !skb_is_nonlinear(skb) && !skb_is_gso(skb) &&
	       !skb_sec_path(skb) &&
	       hs_endpoint_device(skb->dev) && !hs_early_bridged(skb);
}

static bool hs_early_syn(const struct hs_packet *pkt)
{
	return hs_segment_opens(&pkt->seg) &&
	       !(pkt->seg.opts.present & HS_EARLY_OPTIONS) &&
	       !pkt->seg.opts.wscale_over && pkt->remote_port && !pkt->sdif;
}

/* Has the tuple an owner who answers differently? */
static bool hs_early_owned(struct hs_net *hn, struct hs_packet *pkt)
{
	if (atomic_read(&hn->flow_count) && hs_flow_find(hn, &pkt->key))
		return true;
	return hs_native_has(hn->net, &pkt->key, pkt->iif, pkt->sdif);
}

static void hs_early_network_header(struct hs_net *hn, struct sk_buff *skb,
				    const struct hs_endpoint *end,
				    u8 syn_tos)
{
	u8 tos = end->tos;

	if (end->reflect)
		tos = (syn_tos & ~INET_ECN_MASK) | (tos & INET_ECN_MASK);
	if (end->family == AF_INET) {
		struct iphdr *iph = ip_hdr(skb);

		swap(iph->saddr, iph->daddr);
		iph->tos = tos;
		iph->tot_len = htons(skb->len);
		iph->id = 0;
		iph->frag_off = htons(IP_DF);
		iph->ttl = end->ttl;
		ip_send_check(iph);
	} else {
		struct ipv6hdr *ip6h = ipv6_hdr(skb);

		swap(ip6h->saddr, ip6h->daddr);
		ip6_flow_hdr(ip6h, tos,
			     ip6_make_flowlabel(hn->net, skb, 0,
						end->autolabel, NULL));
		ip6h->payload_len = htons(skb->len - sizeof(*ip6h));
		ip6h->hop_limit = end->ttl;
	}
}

static void hs_early_tcp_header(struct sk_buff *skb, const u8 *header,
				size_t len, const struct hs_flow_key *key)
{
	skb_set_transport_header(skb, skb->len - len);
	memcpy(tcp_hdr(skb), header, len);
	hs_output_checksum(skb, key, len);
}

/* As a packet that begins here, for the device that it came from. */
static void hs_early_send(struct sk_buff *skb, const struct hs_endpoint *end)
{
	struct ethhdr *eth;
	u8 own[ETH_ALEN];

	skb_orphan(skb);
	skb_scrub_packet(skb, true);
	skb->encapsulation = 0;
	skb->mark = end->mark;
	skb->priority = end->priority;
	skb_set_queue_mapping(skb, 0);
#ifdef CONFIG_NET_CLS_ACT
	skb->tc_at_ingress = 0;
#endif
	skb_reset_redirect(skb);
	memset(skb->cb, 0, sizeof(skb->cb));
	__skb_push(skb, ETH_HLEN);
	skb_reset_mac_header(skb);
	eth = eth_hdr(skb);
	ether_addr_copy(own, eth->h_dest);
	ether_addr_copy(eth->h_dest, eth->h_source);
	ether_addr_copy(eth->h_source, own);
	dev_queue_xmit(skb);
}

static void hs_early_count(struct hs_net *hn, const struct sk_buff *skb,
			   u8 family)
{
	struct inet6_dev *idev;

	TCP_INC_STATS(hn->net, TCP_MIB_INSEGS);
	if (family == AF_INET) {
		__IP_INC_STATS(hn->net, IPSTATS_MIB_INDELIVERS);
		IP_UPD_PO_STATS(hn->net, IPSTATS_MIB_OUT, skb->len);
		return;
	}
	idev = __in6_dev_get(skb->dev);
	__IP6_INC_STATS(hn->net, idev, IPSTATS_MIB_INDELIVERS);
	IP6_UPD_PO_STATS(hn->net, idev, IPSTATS_MIB_OUT, skb->len);
}

/*
 * Is there room for another TCP header of that length? Somebody else, as a capture,
 * may look at the packet as it was.
 */
static bool hs_early_room(const struct hs_packet *pkt, unsigned int len)
{
	unsigned int old = pkt->skb->len - pkt->thoff;

	return (len <= old || skb_tailroom(pkt->skb) >= len - old) &&
	       !skb_unclone(pkt->skb, GFP_ATOMIC | __GFP_NOWARN);
}

/* Turn the SYN round, for which there is room, and send it. */
static void hs_early_bounce(struct hs_net *hn, const struct hs_packet *pkt,
			    const struct hs_endpoint *end, const u8 *header,
			    unsigned int len, u32 hash)
{
	struct sk_buff *skb = pkt->skb;
	unsigned int old = skb->len - pkt->thoff;

	if (len > old)
		__skb_put(skb, len - old);
	else
		__skb_trim(skb, pkt->thoff + len);
	hs_early_tcp_header(skb, header, len, &pkt->key);
	skb_set_hash(skb, hash, PKT_HASH_TYPE_L4);
	hs_early_network_header(hn, skb, end, pkt->tos);
	hs_early_count(hn, skb, end->family);
	hs_early_send(skb, end);
}

static unsigned int hs_early_cookie(struct hs_net *hn, struct hs_packet *pkt,
				    const struct hs_endpoint *end)
{
	u8 header[HS_HEADER_MAX];
	struct hs_reply reply;
	unsigned int len;

	hs_cookie_make(hn, &pkt->key, &pkt->seg, &end->terms, &reply);
	len = hs_reply_build(header, &reply, ntohs(pkt->local_port),
			     ntohs(pkt->remote_port));
	if (!hs_early_room(pkt, len))
		return NF_ACCEPT;
	hs_cookie_sent(hn, end->claim);
	hs_count(hn, THREEWAY_C_sent_cookie);
	hs_count(hn, THREEWAY_C_sent_cookie_early);
	/* as good as random, and not 0 */
	hs_early_bounce(hn, pkt, end, header, len, reply.seq | 1);
	return NF_STOLEN;
}

/* Has the late path nothing to say about a flow of this listener? */
static bool hs_early_calm(struct hs_net *hn, const struct hs_packet *pkt,
			  struct hs_claim *claim, struct sock *listener)
{
	return hs_listener_objection(listener, pkt) == HS_NONE &&
	       !hs_endpoint_filtered(listener) &&
	       hs_flow_limits(hn, claim, false) == HS_NONE &&
	       hs_flood_calm(hn, claim);
}

static unsigned int hs_early_open(struct hs_net *hn, struct hs_packet *pkt,
				  const struct hs_endpoint *end,
				  struct sock *listener)
{
	struct hs_actions actions __uninitialized;
	unsigned int verdict = NF_ACCEPT;
	u8 header[HS_HEADER_MAX];
	struct hs_flow *flow;
	unsigned int len;

	flow = hs_passive_draft(hn, end->claim, listener, pkt, &end->terms,
				&actions);
	if (!flow)
		return NF_ACCEPT;
	len = hs_reply_build(header, &actions.reply, ntohs(pkt->local_port),
			     ntohs(pkt->remote_port));
	/* a copy of the SYN whose flow is there is the late path's */
	if (hs_early_room(pkt, len) &&
	    !hs_passive_enter(flow, &pkt->seg, &actions)) {
		hs_count(hn, actions.sent);
		hs_count(hn, THREEWAY_C_sent_synack_early);
		hs_early_bounce(hn, pkt, end, header, len, flow->txhash);
		verdict = NF_STOLEN;
	}
	hs_flow_put(flow);
	return verdict;
}

static unsigned int hs_early_flow(struct hs_net *hn, struct hs_packet *pkt,
				  const struct hs_endpoint *end)
{
	unsigned int verdict = NF_ACCEPT;
	struct sock *listener;

	listener = hs_listener_lookup(hn, pkt);
	if (!listener)
		return NF_ACCEPT;
	end = hs_endpoint_of(hn, pkt, end, listener);
	if (end && hs_early_calm(hn, pkt, end->claim, listener))
		verdict = hs_early_open(hn, pkt, end, listener);
	sock_put(listener);
	return verdict;
}

static unsigned int hs_early_packet(struct hs_net *hn, struct hs_packet *pkt)
{
	const struct hs_endpoint *end;

	if (!hs_packet_read(pkt) || !hs_early_syn(pkt))
		return NF_ACCEPT;
	end = hs_endpoint_find(hn, pkt);
	if (!end || (end->takes_mark && pkt->skb->mark) ||
	    !hs_early_frame(pkt->skb) ||
	    !hs_early_peer(pkt, end->loose) || hs_early_owned(hn, pkt) ||
	    !hs_packet_checksum_ok(pkt))
		return NF_ACCEPT;
	return end->cookie ? hs_early_cookie(hn, pkt, end) :
			     hs_early_flow(hn, pkt, end);
}

static unsigned int hs_early_in(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct hs_net *hn = priv;
	struct hs_packet pkt;
	unsigned int verdict;

	if (!hs_early_plain(skb) || !hs_packet_find(&pkt, skb, state->pf) ||
	    !pkt.plain || !pkt.syn ||
	    !hs_claims_port(&hn->claims, ntohs(pkt.local_port)))
		return NF_ACCEPT;
	pkt.state = state;
	if (softirq_count())
		return hs_early_packet(hn, &pkt);
	local_bh_disable();
	verdict = hs_early_packet(hn, &pkt);
	local_bh_enable();
	return verdict;
}

static const struct nf_hook_ops hs_early_template[HS_EARLY_HOOKS] = {
	{
		.hook = hs_early_in,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_FIRST,
	}, {
		.hook = hs_early_in,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP6_PRI_FIRST,
	},
};

int hs_early_register(struct hs_net *hn)
{
	struct hs_early *early = &hn->early;
	int i, err;

	lockdep_assert_held(&hn->lock);
	if (early->hooked)
		return 0;
	if (!early->endpoints)
		early->endpoints = alloc_percpu_gfp(struct hs_endpoints,
						    GFP_KERNEL_ACCOUNT |
						    __GFP_ZERO);
	if (!early->endpoints)
		return -ENOMEM;
	memcpy(early->hooks, hs_early_template, sizeof(early->hooks));
	for (i = 0; i < HS_EARLY_HOOKS; i++)
		early->hooks[i].priv = hn;
	err = nf_register_net_hooks(hn->net, early->hooks, HS_EARLY_HOOKS);
	early->hooked = !err;
	return err;
}

void hs_early_unregister(struct hs_net *hn)
{
	lockdep_assert_held(&hn->lock);
	if (!hn->early.hooked)
		return;
	nf_unregister_net_hooks(hn->net, hn->early.hooks, HS_EARLY_HOOKS);
	synchronize_net();
	hn->early.hooked = false;
}

void hs_early_teardown(struct hs_net *hn)
{
	free_percpu(hn->early.endpoints);
}
