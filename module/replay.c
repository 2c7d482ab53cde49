// SPDX-License-Identifier: GPL-2.0
/* Handoff by replay. */
#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <net/ip6_fib.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "core/segment.h"
#include "made.h"
#include "native.h"
#include "netns.h"
#include "replay.h"
#include "request.h"

/* The replay that this CPU does; BH are off throughout. */
struct hs_replay {
	struct hs_flow *flow;
	const struct hs_packet *pkt;
	struct hs_kind *kind;
	bool caught;
};

static DEFINE_PER_CPU(struct hs_replay *, hs_replay_current);

/* To the native stack 0 would mean "none". The true one is filled in later. */
static u32 hs_replay_isn(const struct hs_flow *flow)
{
	return flow->tcb.iss ?: 1;
}

/* The peer's SYN as far as it was agreed to. */
static void hs_syn_segment(struct hs_reply *syn, const struct hs_tcb *tcb)
{
	memset(syn, 0, sizeof(*syn));
	syn->seq = tcb->irs;
	syn->flags = HS_SYN | (tcb->ecn_ok ? HS_ECE | HS_CWR : 0);
	syn->opts.present = HS_OPT_MSS |
			    (tcb->wscale_ok ? HS_OPT_WSCALE : 0) |
			    (tcb->sack_ok ? HS_OPT_SACK_PERMITTED : 0) |
			    (tcb->tstamp_ok ? HS_OPT_TIMESTAMPS : 0);
	syn->opts.mss = tcb->peer_mss;
	syn->opts.wscale = tcb->snd_wscale;
	syn->opts.tsval = tcb->ts_recent;
}

/* A SYN as the native stack would see it. */
static struct sk_buff *hs_syn_build(const struct hs_flow *flow,
				    struct sk_buff *model)
{
	struct hs_reply syn;
	struct sk_buff *skb;

	hs_syn_segment(&syn, &flow->tcb);
	skb = hs_made_segment(flow, &syn, model);
	if (skb)
		TCP_SKB_CB(skb)->tcp_tw_isn = hs_replay_isn(flow);
	return skb;
}

/* Is it the request of our replay? Fill it in then. */
static bool hs_replay_fill(const struct hs_replay *replay,
			   struct request_sock *req)
{
	struct tcp_request_sock *treq = tcp_rsk(req);
	struct hs_flow *flow = replay->flow;

	if (treq->snt_isn != hs_replay_isn(flow) ||
	    treq->rcv_isn != flow->tcb.irs)
		return false;
	if (replay->kind &&
	    !hs_kind_learn(replay->kind, req, flow, replay->pkt))
		hs_count(hs_flow_net(flow), THREEWAY_C_handoff_unlike);
	hs_request_fill(treq, flow, replay->pkt);
	hs_request_age(req);
	return true;
}

/*
 * The native SYN-ACK did not come by: there was no memory or route for it, or a
 * hook before ours took it. The request may be there all the same.
 */
static enum hs_handoff_result hs_replay_search(const struct hs_replay *replay)
{
	const struct hs_packet *pkt = replay->pkt;
	struct hs_flow *flow = replay->flow;
	struct sock *sk = hs_native_socket(hs_flow_net(flow)->net, &flow->key,
					   pkt->iif,
					   pkt->sdif);
	enum hs_handoff_result result = HS_HANDOFF_NATIVE_OWNS;

	if (!sk)
		return HS_HANDOFF_REFUSED;
	if (sk->sk_state == TCP_NEW_SYN_RECV &&
	    hs_replay_fill(replay, inet_reqsk(sk))) {
		hs_count(hs_flow_net(flow), THREEWAY_C_handoff_synack_leaked);
		result = HS_HANDOFF_DONE;
	}
	sock_gen_put(sk);
	return result;
}

enum hs_handoff_result hs_replay(struct hs_flow *flow, struct hs_packet *pkt,
				 struct hs_kind *kind)
{
	struct hs_replay replay = { .flow = flow, .pkt = pkt, .kind = kind };
	struct sock *listener = flow->listener;
	struct sk_buff *syn;

	syn = hs_syn_build(flow, pkt->skb);
	if (!syn)
		return HS_HANDOFF_REFUSED;
	if (!hs_native_yields(flow, pkt)) {
		kfree_skb(syn);
		return HS_HANDOFF_NATIVE_OWNS;
	}
	hs_count(hs_flow_net(flow), THREEWAY_C_handoff_replayed);
	this_cpu_write(hs_replay_current, &replay);
	inet_csk(listener)->icsk_af_ops->conn_request(listener, syn);
	this_cpu_write(hs_replay_current, NULL);
	consume_skb(syn);

	if (replay.caught)
		return HS_HANDOFF_DONE;
	return hs_replay_search(&replay);
}

/* It was counted as sent by TCP when it was made, and by IPv6 on its way here. */
static void hs_replay_uncount(const struct hs_flow *flow,
			      const struct sk_buff *skb)
{
	struct net *net = hs_flow_net(flow)->net;
	struct inet6_dev *idev;

	TCP_DEC_STATS(net, TCP_MIB_OUTSEGS);
	if (flow->key.family == AF_INET)
		return;
	idev = ip6_dst_idev(skb_dst(skb));
	IP6_ADD_STATS(net, idev, IPSTATS_MIB_OUTPKTS, -1);
	IP6_ADD_STATS(net, idev, IPSTATS_MIB_OUTOCTETS, -(u64)skb->len);
}

unsigned int hs_replay_output(struct sk_buff *skb)
{
	struct hs_replay *replay = this_cpu_read(hs_replay_current);
	struct sock *sk = skb->sk;

	if (likely(!replay) || !sk || sk->sk_state != TCP_NEW_SYN_RECV ||
	    sk->sk_num != ntohs(replay->flow->key.local_port) ||
	    sk->sk_dport != replay->flow->key.remote_port ||
	    !hs_replay_fill(replay, inet_reqsk(sk)))
		return NF_ACCEPT;
	replay->caught = true;
	hs_replay_uncount(replay->flow, skb);
	consume_skb(skb);
	return NF_STOLEN;
}
