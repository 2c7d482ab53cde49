// SPDX-License-Identifier: GPL-2.0
/* A segment for a flow. */
#include <net/tcp.h>

#include "answer.h"
#include "arrive.h"
#include "confirm.h"
#include "cookie.h"
#include "event.h"
#include "handoff.h"
#include "hold.h"
#include "listener.h"
#include "native.h"
#include "netns.h"
#include "observe.h"
#include "policy.h"
#include "sender.h"

static void hs_act_unsent(struct hs_flow *flow,
			  const struct hs_actions *actions,
			  enum threeway_counter counter)
{
	hs_count(hs_flow_net(flow), counter);
	hs_event_unsent(flow, actions, counter);
}

static bool hs_act_copied(const struct hs_actions *actions)
{
	return actions->sent == THREEWAY_C_sent_syn_timer ||
	       actions->sent == THREEWAY_C_sent_synack_timer ||
	       actions->sent == THREEWAY_C_sent_synack_duplicate;
}

static bool hs_act_challenges(const struct hs_actions *actions)
{
	return actions->counter == THREEWAY_C_segment_rst_challenged ||
	       actions->counter == THREEWAY_C_segment_syn_challenged;
}

/* The next copy begins with what this one has announced, and where it went. */
static void hs_act_announced(struct hs_flow *flow, const struct hs_xmit *xmit)
{
	struct dst_entry *dst = xmit->found;

	spin_lock(&flow->lock);
	flow->tcb.advertised_mss = xmit->reply.opts.mss;
	if (dst)
		swap(flow->dst, dst);
	spin_unlock(&flow->lock);
	dst_release(dst);
}

static void hs_act_reply(struct hs_flow *flow, const struct hs_actions *actions,
			 struct hs_xmit *xmit)
{
	if (actions->lost) {
		hs_act_unsent(flow, actions, THREEWAY_C_segment_lost);
		return;
	}
	if (hs_act_challenges(actions))
		hs_policy_challenged(hs_flow_net(flow));
	if (!hs_xmit(xmit, hs_sender(flow))) {
		hs_count(hs_flow_net(flow), actions->sent);
		if (xmit->found ||
		    xmit->reply.opts.mss != actions->reply.opts.mss)
			hs_act_announced(flow, xmit);
		return;
	}
	dst_release(xmit->found);
	if (hs_act_copied(actions)) {
		spin_lock(&flow->lock);
		hs_copy_lost(&flow->tcb);
		spin_unlock(&flow->lock);
	}
	hs_act_unsent(flow, actions, THREEWAY_C_send_failed);
}

void hs_act(struct hs_flow *flow, const struct hs_actions *actions,
	    struct hs_xmit *xmit)
{
	if (flow->tcb.active)
		hs_count_active(hs_flow_net(flow), actions->counter);
	else
		hs_count(hs_flow_net(flow), actions->counter);
	if (flow->listener &&
	    actions->counter == THREEWAY_C_segment_accept_queue_full)
		atomic_inc(&flow->listener->sk_drops);
	if (actions->end != HS_NONE)
		hs_flow_unlink(flow, actions->end);
	if (actions->reply.flags)
		hs_act_reply(flow, actions, xmit);
	if (actions->end != HS_NONE)
		hs_event_ended(flow, actions->end);
}

/* The handshake is complete. Context: hs_flow.lock held. */
static unsigned int hs_arrive_final(struct hs_flow *flow, struct hs_packet *pkt,
				    struct hs_actions *actions)
{
	switch (hs_handoff(flow, pkt)) {
	case HS_HANDOFF_DONE:
		actions->end = THREEWAY_C_flows_handed_over;
		atomic64_inc(&flow->claim->handed_over);
		return NF_ACCEPT;
	case HS_HANDOFF_NATIVE_OWNS:
		actions->counter = THREEWAY_C_native_socket_owns;
		actions->end = THREEWAY_C_flows_native_owns;
		return NF_ACCEPT;
	case HS_HANDOFF_WAITS:
		return NF_STOLEN;
	default:
		/* as with a full accept queue: the peer will try again */
		actions->counter = THREEWAY_C_handoff_refused;
		flow->tcb.acked = true;
		return NF_DROP;
	}
}

/* Context: hs_flow.lock held, the flow alive. */
static unsigned int hs_arrive_locked(struct hs_flow *flow,
				     struct hs_packet *pkt,
				     struct hs_actions *actions)
{
	const struct hs_tcb before = flow->tcb;
	unsigned int verdict = NF_DROP;
	struct hs_policy policy __uninitialized;

	pkt->now_ns = tcp_clock_ns();
	hs_policy_segment(flow, &policy);
	/* what completes the handshake of the flow need not be hashed */
	if (unlikely(pkt->seg.ack != flow->tcb.iss + 1))
		policy.cookie_back = hs_cookie_back(hs_flow_net(flow), pkt);
	hs_segment_arrives(&flow->tcb, &pkt->seg, &policy,
			   (u32)tcp_ns_to_ts(pkt->now_ns), actions);
	if (actions->verdict == HS_DROP &&
	    hs_listener_filter_refuses(flow->listener, pkt)) {
		/* it never came */
		flow->tcb = before;
		hs_actions_init(actions, HS_DROP);
		actions->counter = THREEWAY_C_segment_policy;
	}
	if (actions->verdict == HS_HANDOFF)
		verdict = hs_arrive_final(flow, pkt, actions);
	else if (actions->verdict == HS_NATIVE)
		verdict = NF_ACCEPT;
	else if (actions->verdict == HS_COOKIE)
		verdict = HS_FLOW_GONE;
	if (verdict == NF_STOLEN) {
		/* it has yet to come */
		flow->tcb = before;
		hs_actions_init(actions, HS_DROP);
		return verdict;
	}
	if (actions->timer == HS_TIMER_SET)
		hs_flow_timer_set(flow, actions->timer_ms);
	if (actions->end != HS_NONE)
		flow->dead = true;
	hs_event_acted(flow, before.state, &pkt->seg, actions);
	return verdict;
}

/*
 * As the native stack counts what a request socket makes it drop. A wrong ACK
 * number is the listener's affair there, which resets it.
 */
static void hs_arrive_dropped(const struct hs_flow *flow,
			      const struct hs_actions *actions)
{
	if ((actions->counter == THREEWAY_C_segment_paws ||
	     actions->counter == THREEWAY_C_segment_tsecr) &&
	    !actions->reply.flags)
		NET_INC_STATS(hs_flow_net(flow)->net,
			      LINUX_MIB_TCPACKSKIPPEDSYNRECV);
	if (actions->counter != THREEWAY_C_segment_bad_ack)
		atomic_inc(&flow->listener->sk_drops);
}

static unsigned int hs_arrive_segment(struct hs_flow *flow,
				      struct hs_packet *pkt)
{
	struct hs_actions actions __uninitialized;
	struct hs_xmit xmit __uninitialized;
	unsigned int verdict;

	spin_lock(&flow->lock);
	if (flow->dead) {
		spin_unlock(&flow->lock);
		return HS_FLOW_GONE;
	}
	verdict = hs_arrive_locked(flow, pkt, &actions);
	if (actions.reply.flags & HS_SYN)
		hs_xmit_rehash(flow);
	if (actions.reply.flags)
		hs_xmit_prepare(&xmit, flow, &actions.reply, pkt);
	spin_unlock(&flow->lock);

	if (verdict == NF_DROP)
		hs_arrive_dropped(flow, &actions);
	/* what was not tracked before must be so before it is answered */
	if (verdict == NF_DROP && !hs_conntrack_confirm(pkt->skb)) {
		hs_count(hs_flow_net(flow), THREEWAY_C_segment_conntrack_drop);
		if (actions.reply.flags)
			hs_event_unsent(flow, &actions,
					THREEWAY_C_segment_conntrack_drop);
		actions.reply.flags = 0;
	}
	hs_act(flow, &actions, &xmit);
	return verdict;
}

/*
 * LOCAL_IN of IPv6 comes before reassembly, and before extension headers are
 * looked at: the rest of the segment is not here, or it may never come to TCP. If
 * its header would complete the handshake, the native stack gets that as it
 * stands, and decides when it has the whole segment. A wrong ACK number it
 * resets just as the core would. All else is dropped: without a request the
 * native stack would reset a peer that deserves better, and nothing is done here
 * on a word that cannot be verified.
 */
static unsigned int hs_arrive_unsure(struct hs_flow *flow,
				     struct hs_packet *pkt)
{
	struct hs_actions actions;
	struct hs_policy policy;
	unsigned int verdict;
	struct hs_tcb tcb;

	spin_lock(&flow->lock);
	if (flow->dead) {
		spin_unlock(&flow->lock);
		return HS_FLOW_GONE;
	}
	hs_policy_segment(flow, &policy);
	tcb = flow->tcb;
	pkt->now_ns = tcp_clock_ns();
	hs_segment_arrives(&tcb, &pkt->seg, &policy,
			   (u32)tcp_ns_to_ts(pkt->now_ns), &actions);
	if (actions.verdict == HS_NATIVE ||
	    actions.counter == THREEWAY_C_segment_bad_ack) {
		spin_unlock(&flow->lock);
		hs_count(hs_flow_net(flow), THREEWAY_C_native_ip_options);
		hs_event_arrived(flow, &pkt->seg, THREEWAY_C_native_ip_options);
		return NF_ACCEPT;
	}
	if (actions.verdict != HS_HANDOFF) {
		spin_unlock(&flow->lock);
		hs_count(hs_flow_net(flow), THREEWAY_C_segment_fragment);
		hs_event_arrived(flow, &pkt->seg, THREEWAY_C_segment_fragment);
		return NF_DROP;
	}
	actions.counter = THREEWAY_C_handoff_fragment;
	verdict = hs_arrive_final(flow, pkt, &actions);
	if (verdict == NF_STOLEN) {
		spin_unlock(&flow->lock);
		return verdict;
	}
	flow->dead = actions.end != HS_NONE;
	hs_event_acted(flow, flow->tcb.state, &pkt->seg, &actions);
	spin_unlock(&flow->lock);
	hs_act(flow, &actions, NULL);
	return verdict;
}

/*
 * Did a program connect() from our side of the tuple meanwhile? What answers our
 * SYN-ACK is not for that one; should it end the handshake, the native table has
 * the last word at the handoff.
 */
static bool hs_arrive_native_owns(const struct hs_flow *flow,
				  const struct hs_packet *pkt)
{
	if (pkt->skb->sk)
		return pkt->skb->sk->sk_state != TCP_TIME_WAIT;
	if (hs_segment_may_complete(&pkt->seg, READ_ONCE(flow->tcb.iss)))
		return false;
	return hs_native_owns(hs_flow_net(flow)->net, &flow->key, pkt->iif,
			      pkt->sdif);
}

/* What the native stack checks before it looks at a request socket. */
static unsigned int hs_arrive_checked(struct hs_flow *flow,
				      struct hs_packet *pkt)
{
	struct sock *listener = flow->listener;
	enum threeway_counter reason;
	unsigned int verdict = NF_ACCEPT;

	if (hs_listener_has_key(listener, pkt)) {
		reason = THREEWAY_C_native_md5;
	} else if (hs_listener_ttl_refuses(listener, pkt)) {
		reason = THREEWAY_C_native_min_ttl;
	} else if (pkt->unsure) {
		return hs_arrive_unsure(flow, pkt);
	} else if (hs_listener_policy_refuses(listener, pkt)) {
		reason = THREEWAY_C_segment_policy;
		verdict = NF_DROP;
		atomic_inc(&listener->sk_drops);
	} else if (!hs_packet_checksum_ok(pkt)) {
		reason = THREEWAY_C_segment_bad_checksum;
	} else if (pkt->seg.opts.present & (HS_OPT_MD5 | HS_OPT_AO)) {
		reason = THREEWAY_C_native_md5;
	} else {
		return hs_arrive_segment(flow, pkt);
	}
	hs_count(hs_flow_net(flow), reason);
	hs_event_arrived(flow, &pkt->seg, reason);
	return verdict;
}

/* A segment for a flow of kind HS_FLOW_ACCEPT. */
static unsigned int hs_arrive_accept(struct hs_flow *flow,
				     struct hs_packet *pkt)
{
	struct hs_net *hn = hs_flow_net(flow);
	unsigned int verdict;

	if (!hs_listener_listens(flow->listener)) {
		if (!pkt->syn) {
			hs_count(hn, THREEWAY_C_segment_listener_gone);
			hs_event_arrived(flow, &pkt->seg,
					 THREEWAY_C_segment_listener_gone);
		}
		hs_flow_end(flow, THREEWAY_C_flows_listener_gone);
		verdict = HS_FLOW_GONE;
	} else if (hs_arrive_native_owns(flow, pkt)) {
		hs_event_arrived(flow, &pkt->seg,
				 THREEWAY_C_native_socket_owns);
		/* or another CPU hands the flow over right now */
		if (hs_flow_end(flow, THREEWAY_C_flows_native_owns))
			hs_count(hn, THREEWAY_C_native_socket_owns);
		verdict = NF_ACCEPT;
	} else {
		verdict = hs_arrive_checked(flow, pkt);
	}
	return verdict;
}

unsigned int hs_arrive(struct hs_flow *flow, struct hs_packet *pkt)
{
	unsigned int verdict;

	/* as for a native request socket, which decides if it is one */
	if (flow->kind != HS_FLOW_OBSERVE &&
	    !inet_sk_bound_dev_eq(hs_flow_net(flow)->net, flow->bound_if,
				  pkt->iif, pkt->sdif))
		return NF_ACCEPT;
	if (!hs_flow_hold(flow))
		return HS_FLOW_GONE;
	if (flow->kind == HS_FLOW_CONNECT)
		verdict = hs_answer(flow, pkt);
	else if (flow->kind == HS_FLOW_HOLD)
		verdict = hs_hold_arrive(flow, pkt);
	else if (flow->kind == HS_FLOW_OBSERVE)
		verdict = hs_observe_arrive(flow, pkt);
	else
		verdict = hs_arrive_accept(flow, pkt);
	hs_flow_put(flow);
	return verdict;
}
