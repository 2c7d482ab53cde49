// SPDX-License-Identifier: GPL-2.0
/* Segments for a flow that serves a connecting socket. */
#include <linux/netfilter.h>
#include <net/tcp.h>

#include "answer.h"
#include "arrive.h"
#include "confirm.h"
#include "connect.h"
#include "event.h"
#include "hook.h"
#include "listener.h"
#include "policy.h"
#include "socket.h"

/*
 * The native stack receives the segment before this returns, so that it can be
 * seen what came of it.
 */
static unsigned int hs_answer_deliver(struct hs_flow *flow,
				      struct hs_packet *pkt, struct sock *sk)
{
	struct sk_buff *skb = pkt->skb;

	if (!hs_conntrack_confirm(skb)) {
		hs_count(hs_flow_net(flow), THREEWAY_C_segment_conntrack_drop);
		return NF_DROP;
	}
	pkt->skb = NULL;
	hs_hook_go_on(hs_flow_net(flow), skb, pkt->state);
	/* a socket that is in use gets it from its backlog in a moment */
	if (hs_connect_settle(flow, sk))
		hs_connect_hurry(flow);
	return NF_STOLEN;
}

/*
 * The handshake of a simultaneous open is over, or was reset; the socket is still
 * in SYN-SENT. It gets the SYN-ACK that the crossing SYN was worth, or the RST as
 * it would have come in that state.
 */
static bool hs_answer_inject(struct hs_flow *flow, struct hs_packet *pkt,
			     struct sock *sk, bool refused)
{
	struct hs_reply reply;
	bool done;

	bh_lock_sock_nested(sk);
	spin_lock(&flow->lock);
	hs_tcb_replay_synack(&flow->tcb, &reply);
	if (refused) {
		reply.flags = HS_RST | HS_ACK;
		reply.opts.present = 0;
	}
	spin_unlock(&flow->lock);
	done = !hs_socket_inject(flow, sk, &reply, pkt->skb);
	bh_unlock_sock(sk);
	if (!done)
		hs_count(hs_flow_net(flow), THREEWAY_C_handoff_refused);
	return done;
}

/* What the socket did not offer it must not see. */
static bool hs_answer_mask(struct hs_packet *pkt, u16 unoffered, bool ecn)
{
	u8 flags = ecn ? 0 : HS_ECE | HS_CWR;

	if (!(pkt->seg.opts.present & unoffered) && !(pkt->seg.flags & flags))
		return true;
	return hs_packet_mask(pkt, unoffered, flags);
}

/*
 * Context: hs_flow.lock held, the flow alive.
 * Return: what the core says, after the filters of the socket.
 */
static enum hs_verdict hs_answer_locked(struct hs_flow *flow,
					struct hs_packet *pkt, struct sock *sk,
					struct hs_actions *actions)
{
	const struct hs_tcb before = flow->tcb;
	struct hs_policy policy;

	hs_policy_read(flow, sk, &policy);
	hs_segment_arrives(&flow->tcb, &pkt->seg, &policy,
			   tcp_time_stamp_raw(), actions);
	if (actions->verdict == HS_DROP &&
	    hs_listener_filter_refuses(sk, pkt)) {
		/* it never came */
		flow->tcb = before;
		hs_actions_init(actions, HS_DROP);
		actions->counter = THREEWAY_C_segment_policy;
	}
	if (actions->timer == HS_TIMER_SET)
		hs_flow_timer_set(flow, actions->timer_ms);
	hs_event_acted(flow, before.state, &pkt->seg, actions);
	/* the flow ends when the socket has it */
	flow->outcome = actions->verdict == HS_HANDOFF ?
			THREEWAY_C_flows_handed_over : actions->end;
	actions->end = HS_NONE;
	return actions->verdict;
}

/* Let the socket have it. */
static unsigned int hs_answer_pass(struct hs_flow *flow, struct hs_packet *pkt,
				   struct sock *sk, bool crossed, u16 unoffered,
				   bool ecn)
{
	if (crossed && !pkt->syn &&
	    !hs_answer_inject(flow, pkt, sk, false))
		return NF_DROP;
	if (pkt->syn && !hs_answer_mask(pkt, unoffered, ecn))
		return NF_DROP;
	return hs_answer_deliver(flow, pkt, sk);
}

/* Nothing but the handoff: neither the policy nor the time matters. */
static void hs_answer_expected(struct hs_flow *flow,
			       const struct hs_packet *pkt)
{
	struct hs_actions actions __uninitialized;

	flow->outcome = THREEWAY_C_flows_handed_over;
	if (!hs_event_wanted(flow))
		return;
	hs_actions_init(&actions, HS_HANDOFF);
	hs_event_tell_acted(flow, flow->tcb.state, &pkt->seg, &actions);
}

static unsigned int hs_answer_other(struct hs_flow *flow,
				    struct hs_packet *pkt, struct sock *sk)
{
	struct hs_actions actions;
	enum hs_verdict verdict;
	struct hs_xmit xmit;
	bool crossed, ecn, refused;
	u16 unoffered;

	spin_lock(&flow->lock);
	if (flow->dead) {
		spin_unlock(&flow->lock);
		return HS_FLOW_GONE;
	}
	crossed = flow->tcb.state == THREEWAY_SYN_RECEIVED;
	unoffered = hs_tcb_unoffered(&flow->tcb);
	ecn = flow->tcb.ecn_ok;
	verdict = hs_answer_locked(flow, pkt, sk, &actions);
	/* the next segment has another outcome */
	refused = flow->outcome == THREEWAY_C_flows_refused;
	if (actions.reply.flags)
		hs_xmit_prepare(&xmit, flow, &actions.reply, pkt);
	xmit.socket = sk;
	spin_unlock(&flow->lock);

	if (verdict != HS_DROP) {
		hs_count(hs_flow_net(flow), actions.counter);
		return hs_answer_pass(flow, pkt, sk, crossed, unoffered, ecn);
	}
	hs_socket_count(sk, pkt);
	if (!crossed && actions.counter == THREEWAY_C_segment_tsecr)
		NET_INC_STATS(hs_flow_net(flow)->net,
			      LINUX_MIB_PAWSACTIVEREJECTED);
	else if (actions.counter == THREEWAY_C_segment_paws &&
		 !actions.reply.flags)
		NET_INC_STATS(hs_flow_net(flow)->net,
			      LINUX_MIB_TCPACKSKIPPEDPAWS);
	else if (actions.counter == THREEWAY_C_segment_challenge_limited &&
		 pkt->syn)
		NET_INC_STATS(hs_flow_net(flow)->net,
			      LINUX_MIB_TCPSYNCHALLENGE);
	if (!hs_conntrack_confirm(pkt->skb)) {
		hs_count(hs_flow_net(flow), THREEWAY_C_segment_conntrack_drop);
		if (actions.reply.flags)
			hs_event_unsent(flow, &actions,
					THREEWAY_C_segment_conntrack_drop);
		actions.reply.flags = 0;
	}
	hs_act(flow, &actions, &xmit);
	if (refused) {
		hs_answer_inject(flow, pkt, sk, true);
		hs_connect_settle(flow, sk);
	}
	return NF_DROP;
}

static unsigned int hs_answer_segment(struct hs_flow *flow,
				      struct hs_packet *pkt, struct sock *sk)
{
	bool expected, ecn;
	u16 unoffered;

	spin_lock(&flow->lock);
	expected = !flow->dead && hs_syn_answered(&flow->tcb, &pkt->seg);
	unoffered = hs_tcb_unoffered(&flow->tcb);
	ecn = flow->tcb.ecn_ok;
	if (expected)
		hs_answer_expected(flow, pkt);
	spin_unlock(&flow->lock);
	if (!expected)
		return hs_answer_other(flow, pkt, sk);
	return hs_answer_pass(flow, pkt, sk, false, unoffered, ecn);
}

/* What the native stack checks before it looks at the state. */
static unsigned int hs_answer_checked(struct hs_flow *flow,
				      struct hs_packet *pkt, struct sock *sk)
{
	enum threeway_counter reason;

	if (pkt->unsure)
		reason = THREEWAY_C_native_ip_options;
	else if (!hs_packet_checksum_ok(pkt))
		reason = THREEWAY_C_segment_bad_checksum;
	else if ((pkt->seg.opts.present & (HS_OPT_MD5 | HS_OPT_AO)) ||
		 hs_listener_has_key(sk, pkt))
		reason = THREEWAY_C_native_md5;
	else if (hs_listener_ttl_refuses(sk, pkt))
		reason = THREEWAY_C_native_min_ttl;
	else if (hs_listener_policy_refuses(sk, pkt))
		reason = THREEWAY_C_segment_policy;
	else
		return hs_answer_segment(flow, pkt, sk);
	hs_count(hs_flow_net(flow), reason);
	hs_event_arrived(flow, &pkt->seg, reason);
	return NF_ACCEPT;
}

/* Early demux has mostly found the socket. Return: it, referenced, or NULL. */
static struct sock *hs_answer_socket(struct hs_flow *flow,
				     const struct hs_packet *pkt)
{
	struct sock *sk = pkt->skb->sk;

	/* a socket that once listened is found without a reference */
	if (!sk || sk != hs_flow_large(flow)->socket ||
	    !refcount_inc_not_zero(&sk->sk_refcnt))
		return hs_socket_get(flow);
	return sk;
}

unsigned int hs_answer(struct hs_flow *flow, struct hs_packet *pkt)
{
	unsigned int verdict = HS_FLOW_GONE;
	struct sock *sk = hs_answer_socket(flow, pkt);

	if (hs_connect_settle(flow, sk))
		verdict = hs_answer_checked(flow, pkt, sk);
	if (sk)
		sock_gen_put(sk);
	return verdict;
}
