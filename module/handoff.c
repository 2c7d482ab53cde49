// SPDX-License-Identifier: GPL-2.0
/* Handoff by replay. */
#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <net/inet_timewait_sock.h>
#include <net/ip6_fib.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "core/segment.h"
#include "handoff.h"
#include "made.h"
#include "native.h"
#include "netns.h"
#include "request.h"

/* The replay that this CPU does; BH are off throughout. */
struct hs_replay {
	struct hs_flow *flow;
	bool caught;
};

static DEFINE_PER_CPU(struct hs_replay *, hs_replay);

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

/*
 * The previous connection of the tuple makes room; any other native socket
 * keeps the tuple.
 */
static bool hs_tuple_free(const struct hs_flow *flow, struct hs_packet *pkt)
{
	struct sock *sk;

	if (pkt->skb->sk && pkt->skb->sk->sk_state != TCP_TIME_WAIT)
		return false;
	if (!pkt->skb->sk && !flow->time_wait)
		return true;
	/* early demux has found what goes away now */
	skb_orphan(pkt->skb);
	sk = hs_native_socket(flow->hn->net, &flow->key, pkt->iif,
			      pkt->sdif);
	if (!sk)
		return true;
	if (sk->sk_state != TCP_TIME_WAIT) {
		sock_gen_put(sk);
		return false;
	}
	inet_twsk_deschedule_put(inet_twsk(sk));
	return true;
}

/* Is it the request of our replay? Fill it in then. */
static bool hs_replay_fill(struct hs_flow *flow, struct request_sock *req)
{
	struct tcp_request_sock *treq = tcp_rsk(req);

	if (treq->snt_isn != hs_replay_isn(flow) ||
	    treq->rcv_isn != flow->tcb.irs)
		return false;
	hs_request_fill(treq, flow);
	return true;
}

/*
 * The native SYN-ACK did not come by: there was no memory or route for it, or a
 * hook before ours took it. The request may be there all the same.
 */
static enum hs_handoff_result hs_replay_search(struct hs_flow *flow,
					       const struct hs_packet *pkt)
{
	struct sock *sk = hs_native_socket(flow->hn->net, &flow->key, pkt->iif,
					   pkt->sdif);
	enum hs_handoff_result result = HS_HANDOFF_NATIVE_OWNS;

	if (!sk)
		return HS_HANDOFF_REFUSED;
	if (sk->sk_state == TCP_NEW_SYN_RECV &&
	    hs_replay_fill(flow, inet_reqsk(sk))) {
		hs_count(flow->hn, THREEWAY_C_handoff_synack_leaked);
		result = HS_HANDOFF_DONE;
	}
	sock_gen_put(sk);
	return result;
}

enum hs_handoff_result hs_handoff(struct hs_flow *flow, struct hs_packet *pkt)
{
	struct hs_replay replay = { .flow = flow };
	struct sock *listener = flow->listener;
	struct sk_buff *syn;

	lockdep_assert_held(&flow->lock);
	syn = hs_syn_build(flow, pkt->skb);
	if (!syn)
		return HS_HANDOFF_REFUSED;
	if (!hs_tuple_free(flow, pkt)) {
		kfree_skb(syn);
		return HS_HANDOFF_NATIVE_OWNS;
	}
	this_cpu_write(hs_replay, &replay);
	inet_csk(listener)->icsk_af_ops->conn_request(listener, syn);
	this_cpu_write(hs_replay, NULL);
	consume_skb(syn);

	if (replay.caught)
		return HS_HANDOFF_DONE;
	return hs_replay_search(flow, pkt);
}

/* It was counted as sent by TCP when it was made, and by IPv6 on its way here. */
static void hs_replay_uncount(const struct hs_flow *flow,
			      const struct sk_buff *skb)
{
	struct net *net = flow->hn->net;
	struct inet6_dev *idev;

	TCP_DEC_STATS(net, TCP_MIB_OUTSEGS);
	if (flow->key.family == AF_INET)
		return;
	idev = ip6_dst_idev(skb_dst(skb));
	IP6_ADD_STATS(net, idev, IPSTATS_MIB_OUTPKTS, -1);
	IP6_ADD_STATS(net, idev, IPSTATS_MIB_OUTOCTETS, -(u64)skb->len);
}

unsigned int hs_handoff_output(struct sk_buff *skb)
{
	struct hs_replay *replay = this_cpu_read(hs_replay);
	struct sock *sk = skb->sk;

	if (likely(!replay) || !sk || sk->sk_state != TCP_NEW_SYN_RECV ||
	    sk->sk_num != ntohs(replay->flow->key.local_port) ||
	    sk->sk_dport != replay->flow->key.remote_port ||
	    !hs_replay_fill(replay->flow, inet_reqsk(sk)))
		return NF_ACCEPT;
	replay->caught = true;
	hs_replay_uncount(replay->flow, skb);
	consume_skb(skb);
	return NF_STOLEN;
}
