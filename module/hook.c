// SPDX-License-Identifier: GPL-2.0
/*
 * The netfilter hooks.
 *
 * LOCAL_IN, last: defragmentation, routing, firewall, conntrack and NAT have all
 * had their say, so that a packet they drop is dropped and a translated one comes
 * translated. LOCAL_OUT, first: the SYN-ACK of a replay is seen by nobody else.
 */
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip6_route.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "arrive.h"
#include "connect.h"
#include "hook.h"
#include "icmp.h"
#include "netns.h"
#include "observe.h"
#include "packet.h"
#include "passive.h"
#include "replay.h"

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
		verdict = (pkt->syn || pkt->odd) && !pkt->fragment ?
			  hs_passive_syn(hn, pkt) : NF_ACCEPT;
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

static unsigned int hs_local_in(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct hs_net *hn = priv;
	/* every packet comes here: the compiler is not to clear it first */
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
	if (!pkt.syn && !pkt.odd && !flows)
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
 * Sent by a connection, as most packets of a host, or by one that has just been
 * given up: no handshake is in it. Raw sockets have states, too.
 */
static bool hs_hook_settled(const struct sock *sk)
{
	return sk && hs_hook_state(sk, TCPF_ESTABLISHED | TCPF_FIN_WAIT1 |
				       TCPF_FIN_WAIT2 | TCPF_CLOSE_WAIT |
				       TCPF_LAST_ACK | TCPF_CLOSING |
				       TCPF_CLOSE) &&
	       sk->sk_type == SOCK_STREAM;
}

unsigned int hs_local_out(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	struct hs_net *hn = priv;
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

static const struct nf_hook_ops hs_hook_template[HS_HOOKS] = {
	{
		.hook = hs_local_out,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_FIRST,
	}, {
		.hook = hs_local_out,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP6_PRI_FIRST,
	}, {
		.hook = hs_local_in,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP_PRI_LAST,
	}, {
		.hook = hs_local_in,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP6_PRI_LAST,
	},
};

#define HS_HOOKS_OUT	2

int hs_hook_register(struct hs_net *hn)
{
	int i, err;

	lockdep_assert_held(&hn->lock);
	if (hn->hooked)
		return 0;
	memcpy(hn->hooks, hs_hook_template, sizeof(hn->hooks));
	for (i = 0; i < HS_HOOKS; i++)
		hn->hooks[i].priv = hn;
	err = nf_register_net_hooks(hn->net, hn->hooks, HS_HOOKS);
	hn->hooked = !err;
	return err;
}

void hs_hook_unregister(struct hs_net *hn)
{
	lockdep_assert_held(&hn->lock);
	if (!hn->hooked)
		return;
	/* a LOCAL_IN that still runs may replay, and needs LOCAL_OUT for it */
	nf_unregister_net_hooks(hn->net, hn->hooks + HS_HOOKS_OUT,
				HS_HOOKS - HS_HOOKS_OUT);
	synchronize_net();
	nf_unregister_net_hooks(hn->net, hn->hooks, HS_HOOKS_OUT);
	hn->hooked = false;
}
