// SPDX-License-Identifier: GPL-2.0
/*
 * The netfilter hooks.
 *
 * LOCAL_IN, last: defragmentation, routing, firewall, conntrack and NAT have all
 * had their say, so that a packet they drop is dropped and a translated one comes
 * translated. LOCAL_OUT, first: the SYN-ACK of a replay is seen by nobody else.
 * Each is there for the families of the claims that need it: LOCAL_IN for all,
 * LOCAL_OUT where the native stack sends SYNs, is looked at, or may want the tuple
 * of a held flow; or see catch.h.
 */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip6_route.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "arrive.h"
#include "connect.h"
#include "cookie.h"
#include "hook.h"
#include "icmp.h"
#include "netns.h"
#include "observe.h"
#include "packet.h"
#include "passive.h"
#include "replay.h"

/* A segment of no flow. */
static unsigned int hs_local_in_new(struct hs_net *hn, struct hs_packet *pkt)
{
	if (pkt->unsure)
		return NF_ACCEPT;
	if (pkt->syn || pkt->odd)
		return hs_passive_syn(hn, pkt);
	return hs_cookie_expected(hn) ? hs_cookie_ack(hn, pkt) : NF_ACCEPT;
}

static unsigned int hs_local_in_packet(struct hs_net *hn, struct hs_packet *pkt,
				       bool flows)
{
	unsigned int verdict = HS_FLOW_GONE;
	struct hs_flow *flow = NULL;

	if (!hs_packet_read(pkt)) {
		hs_count(hn, THREEWAY_C_segment_malformed);
		return NF_ACCEPT;
	}
	if (flows)
		flow = hs_flow_find(hn, &pkt->key);
	if (flow)
		verdict = hs_arrive(flow, pkt);
	if (verdict == HS_FLOW_GONE)
		verdict = hs_local_in_new(hn, pkt);
	if (verdict == NF_ACCEPT || !pkt->skb)
		return verdict;
	hs_packet_kept(hn->net, pkt);
	if (verdict == NF_STOLEN)
		consume_skb(pkt->skb);
	return verdict;
}

static bool hs_hook_state(const struct sock *sk, int states)
{
	return (1 << READ_ONCE(sk->sk_state)) & states;
}

/* What most packets of a host are for, and sent by. Raw sockets have states, too. */
static __always_inline bool hs_hook_established(const struct sock *sk)
{
	return likely(sk && READ_ONCE(sk->sk_state) == TCP_ESTABLISHED);
}

static noinline unsigned int hs_local_in_other(struct hs_net *hn,
					       struct sk_buff *skb,
					       const struct nf_hook_state *state)
{
	/* many packets come here: the compiler is not to clear it first */
	struct hs_packet pkt __uninitialized;
	unsigned int verdict;
	bool flows;

	/* early demux found a connection, or TPROXY a socket */
	if (skb->sk && sk_fullsock(skb->sk) &&
	    !hs_hook_state(skb->sk, TCPF_SYN_SENT | TCPF_SYN_RECV))
		return NF_ACCEPT;
	if (!hs_packet_find(&pkt, skb, state->pf))
		return hs_icmp(hn, skb, state);
	if (!hs_claims_port(&hn->claims, ntohs(pkt.local_port)) &&
	    !atomic_read(&hn->unclaimed_ports))
		return NF_ACCEPT;
	pkt.state = state;
	flows = atomic_read(&hn->flow_count);
	if (!pkt.syn && !pkt.odd && !flows && !hs_cookie_expected(hn))
		return NF_ACCEPT;
	/* what the link layer sent to everybody the native stack drops */
	if (skb->pkt_type != PACKET_HOST) {
		hs_count(hn, THREEWAY_C_native_not_unicast);
		return NF_ACCEPT;
	}
	if (softirq_count())
		return hs_local_in_packet(hn, &pkt, flows);
	/* a verdict from NFQUEUE comes in process context */
	local_bh_disable();
	verdict = hs_local_in_packet(hn, &pkt, flows);
	local_bh_enable();
	return verdict;
}

/* Two functions, as what the other one keeps on its stack costs here as well. */
unsigned int hs_local_in(void *priv, struct sk_buff *skb,
			 const struct nf_hook_state *state)
{
	if (hs_hook_established(skb->sk))
		return NF_ACCEPT;
	return hs_local_in_other(priv, skb, state);
}

/*
 * A VRF has a LOCAL_OUT of its own, before that of the link that the packet leaves
 * by; only what is of link scope does not pass there. There, either the hook or
 * the route is of the VRF.
 */
static bool hs_hook_again(const struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	const struct dst_entry *dst = skb_dst(skb);

	if (!state->out || !netif_is_l3_slave(state->out) ||
	    !dst || dst->dev != state->out)
		return false;
	return state->pf != NFPROTO_IPV6 ||
	       !rt6_need_strict(&ipv6_hdr(skb)->daddr);
}

/*
 * Sent by a connection, or by one that has just been given up: no handshake is in
 * it.
 */
static bool hs_hook_settled(const struct sock *sk)
{
	return sk && hs_hook_state(sk, TCPF_ESTABLISHED | TCPF_FIN_WAIT1 |
				       TCPF_FIN_WAIT2 | TCPF_CLOSE_WAIT |
				       TCPF_LAST_ACK | TCPF_CLOSING |
				       TCPF_CLOSE) &&
	       sk->sk_type == SOCK_STREAM;
}

static noinline unsigned int hs_local_out_other(struct hs_net *hn,
						struct sk_buff *skb,
						const struct nf_hook_state *state)
{
	unsigned int verdict;

	if (hs_hook_settled(skb->sk) || hs_hook_again(skb, state))
		return NF_ACCEPT;
	if (hs_connect_syn(skb))
		return hs_connect_output(hn, skb, state->pf);
	verdict = hs_replay_output(skb);
	if (verdict == NF_ACCEPT && atomic_read(&hn->observed)) {
		local_bh_disable();
		hs_observe_output(hn, skb, state->pf);
		local_bh_enable();
	}
	return verdict;
}

unsigned int hs_local_out(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	if (hs_hook_established(skb->sk) && skb->sk->sk_type == SOCK_STREAM)
		return NF_ACCEPT;
	return hs_local_out_other(priv, skb, state);
}

void hs_hook_go_on(struct hs_net *hn, struct sk_buff *skb,
		   const struct nf_hook_state *state)
{
	const struct netns_nf *nf = &hn->net->nf;
	const struct nf_hook_entries *hooks;
	struct nf_hook_state behind = *state;
	unsigned int i;

	if (state->pf == NFPROTO_IPV4)
		hooks = rcu_dereference(nf->hooks_ipv4[NF_INET_LOCAL_IN]);
	else
		hooks = rcu_dereference(nf->hooks_ipv6[NF_INET_LOCAL_IN]);
	for (i = 0; hooks && i < hooks->num_hook_entries; i++)
		if (hooks->hooks[i].hook == hs_local_in)
			break;
	if (!hooks || i == hooks->num_hook_entries) {
		/* unregistered meanwhile, with its place: the peer tries again */
		kfree_skb(skb);
		return;
	}
	if (i + 1 == hooks->num_hook_entries ||
	    nf_hook_slow(skb, &behind, hooks, i + 1) == 1)
		state->okfn(state->net, state->sk, skb);
}

static const struct nf_hook_ops hs_hook_template[HS_HOOKS] = {
	[HS_HOOK_OUT4] = {
		.hook = hs_local_out,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_FIRST,
	},
	[HS_HOOK_OUT6] = {
		.hook = hs_local_out,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP6_PRI_FIRST,
	},
	[HS_HOOK_IN4] = {
		.hook = hs_local_in,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP_PRI_LAST,
	},
	[HS_HOOK_IN6] = {
		.hook = hs_local_in,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP6_PRI_LAST,
	},
};

static int hs_hook_add(struct hs_net *hn, enum hs_hook hook)
{
	int err;

	hn->hooks[hook] = hs_hook_template[hook];
	hn->hooks[hook].priv = hn;
	err = nf_register_net_hook(hn->net, &hn->hooks[hook]);
	if (err)
		return err;
	/* pairs with the acquire in hs_hook_catches() */
	smp_store_release(&hn->hooked, hn->hooked | BIT(hook));
	return 0;
}

int hs_hook_register(struct hs_net *hn, unsigned int hooks)
{
	int hook, err = 0;

	lockdep_assert_held(&hn->lock);
	for (hook = 0; hook < HS_HOOKS && !err; hook++)
		if (hooks & ~hn->hooked & BIT(hook))
			err = hs_hook_add(hn, hook);
	return err;
}

static void hs_hook_drop(struct hs_net *hn, unsigned int hooks)
{
	int hook;

	for (hook = 0; hook < HS_HOOKS; hook++)
		if (hooks & BIT(hook))
			nf_unregister_net_hook(hn->net, &hn->hooks[hook]);
}

void hs_hook_keep(struct hs_net *hn, unsigned int hooks)
{
	unsigned int drop = hn->hooked & ~hooks;

	lockdep_assert_held(&hn->lock);
	if (!drop)
		return;
	WRITE_ONCE(hn->hooked, hn->hooked & ~drop);
	hs_hook_drop(hn, drop & HS_HOOKS_IN);
	/* a LOCAL_IN that still runs may replay, and needs LOCAL_OUT for it */
	synchronize_net();
	hs_hook_drop(hn, drop & HS_HOOKS_OUT);
}

bool hs_hook_catches(const struct hs_net *hn, u8 family)
{
	enum hs_hook out = family == AF_INET ? HS_HOOK_OUT4 : HS_HOOK_OUT6;

	/* pairs with the release in hs_hook_add() */
	return smp_load_acquire(&hn->hooked) & BIT(out);
}
