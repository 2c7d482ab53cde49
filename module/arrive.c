// SPDX-License-Identifier: GPL-2.0
/* A segment for a flow. */
#include <linux/netfilter.h>
#include <net/inet_connection_sock.h>
#include <net/tcp.h>

#include "arrive.h"
#include "confirm.h"
#include "handoff.h"
#include "listener.h"
#include "netns.h"
#include "policy.h"
#include "xmit.h"

void hs_act(struct hs_flow *flow, struct sock *listener,
	    const struct hs_actions *actions, const struct hs_xmit *xmit)
{
	struct hs_net *hn = flow->hn;

	hs_count(hn, actions->counter);
	if (actions->counter == THREEWAY_C_segment_accept_queue_full)
		atomic_inc(&listener->sk_drops);
	if (actions->end != HS_NONE)
		hs_flow_unlink(flow, actions->end);
	if (!actions->reply.flags)
		return;
	if (!hs_xmit_send(xmit, listener, NULL, NULL, NULL)) {
		hs_count(hn, actions->sent);
		return;
	}
	hs_count(hn, THREEWAY_C_send_failed);
	if (!(actions->reply.flags & HS_SYN))
		return;
	spin_lock(&flow->lock);
	hs_synack_lost(&flow->tcb);
	spin_unlock(&flow->lock);
}

/* The handshake is complete. Context: hs_flow.lock held. */
static unsigned int hs_arrive_final(struct hs_flow *flow, struct hs_packet *pkt,
				    struct sock *listener,
				    struct hs_actions *actions)
{
	switch (hs_handoff(flow, pkt, listener)) {
	case HS_HANDOFF_DONE:
		actions->end = THREEWAY_C_flows_handed_over;
		atomic64_inc(&flow->claim->handed_over);
		return NF_ACCEPT;
	case HS_HANDOFF_NATIVE_OWNS:
		actions->end = THREEWAY_C_flows_native_owns;
		return NF_ACCEPT;
	default:
		/* the SYN-ACK will come again, and with it another chance */
		actions->counter = THREEWAY_C_handoff_refused;
		flow->tcb.acked = true;
		return NF_STOLEN;
	}
}

/* Context: hs_flow.lock held, the flow alive. */
static unsigned int hs_arrive_locked(struct hs_flow *flow,
				     struct hs_packet *pkt,
				     struct sock *listener,
				     struct hs_actions *actions)
{
	unsigned int verdict = NF_STOLEN;
	struct hs_policy policy;

	hs_policy_read(flow->hn, flow->claim, listener, &policy);
	hs_segment_arrives(&flow->tcb, &pkt->seg, &policy,
			   tcp_time_stamp_raw(), actions);
	if (actions->verdict == HS_HANDOFF)
		verdict = hs_arrive_final(flow, pkt, listener, actions);
	if (actions->timer == HS_TIMER_SET)
		hs_flow_timer_set(flow, actions->timer_ms);
	if (actions->end != HS_NONE)
		flow->dead = true;
	return verdict;
}

static unsigned int hs_arrive_at(struct hs_flow *flow, struct hs_packet *pkt,
				 struct sock *listener)
{
	struct hs_actions actions;
	unsigned int verdict;
	struct hs_xmit xmit;

	spin_lock(&flow->lock);
	if (flow->dead) {
		spin_unlock(&flow->lock);
		return HS_FLOW_GONE;
	}
	verdict = hs_arrive_locked(flow, pkt, listener, &actions);
	if (actions.reply.flags)
		hs_xmit_prepare(&xmit, flow, listener, &actions.reply, pkt);
	spin_unlock(&flow->lock);

	/* what was not tracked before must be so before it is answered */
	if (verdict == NF_STOLEN && !hs_conntrack_confirm(pkt->skb)) {
		hs_count(flow->hn, THREEWAY_C_segment_conntrack_drop);
		actions.reply.flags = 0;
	}
	hs_act(flow, listener, &actions, &xmit);
	return verdict;
}

/*
 * The rest of the segment is not here (LOCAL_IN of IPv6 comes before reassembly)
 * and what is here cannot be verified: the native stack gets the handshake as it
 * stands and decides, as long as its own queue has room.
 */
static unsigned int hs_arrive_fragment(struct hs_flow *flow,
				       struct hs_packet *pkt,
				       struct sock *listener)
{
	enum hs_handoff_result result = HS_HANDOFF_REFUSED;

	spin_lock(&flow->lock);
	if (flow->dead) {
		spin_unlock(&flow->lock);
		return HS_FLOW_GONE;
	}
	if (!inet_csk_reqsk_queue_is_full(listener))
		result = hs_handoff(flow, pkt, listener);
	if (result != HS_HANDOFF_REFUSED)
		flow->dead = true;
	spin_unlock(&flow->lock);

	if (result == HS_HANDOFF_REFUSED) {
		hs_count(flow->hn, THREEWAY_C_handoff_refused);
		return NF_STOLEN;
	}
	hs_count(flow->hn, THREEWAY_C_handoff_fragment);
	hs_flow_unlink(flow, result == HS_HANDOFF_DONE ?
			     THREEWAY_C_flows_handed_over :
			     THREEWAY_C_flows_native_owns);
	return NF_ACCEPT;
}

/* What the native stack checks before it looks at a request socket. */
static enum threeway_counter hs_arrive_objection(struct sock *listener,
						 const struct hs_packet *pkt)
{
	if (!hs_packet_checksum_ok(pkt))
		return THREEWAY_C_segment_bad_checksum;
	if (pkt->seg.opts.present & (HS_OPT_MD5 | HS_OPT_AO))
		return THREEWAY_C_native_md5;
	/* a segment that completes is filtered when it gets to the socket */
	return hs_listener_refuses(listener, pkt,
				   !(pkt->seg.flags & HS_ACK));
}

static unsigned int hs_arrive_judged(struct hs_flow *flow,
				     struct hs_packet *pkt,
				     struct sock *listener)
{
	enum threeway_counter reason;

	if (pkt->fragment)
		return hs_arrive_fragment(flow, pkt, listener);
	reason = hs_arrive_objection(listener, pkt);
	if (reason == HS_NONE)
		return hs_arrive_at(flow, pkt, listener);
	hs_count(flow->hn, reason);
	return NF_ACCEPT;
}

unsigned int hs_arrive(struct hs_flow *flow, struct hs_packet *pkt)
{
	unsigned int verdict = HS_FLOW_GONE;
	struct sock *listener;

	if (!hs_flow_hold(flow))
		return HS_FLOW_GONE;
	listener = hs_listener_of(flow, pkt->fragment ? NULL : pkt);
	if (listener) {
		verdict = hs_arrive_judged(flow, pkt, listener);
		sock_put(listener);
	} else {
		hs_flow_end(flow, THREEWAY_C_flows_listener_gone);
		if (!pkt->syn)
			hs_count(flow->hn, THREEWAY_C_segment_listener_gone);
	}
	hs_flow_put(flow);
	return verdict;
}
