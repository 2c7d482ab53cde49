// SPDX-License-Identifier: GPL-2.0
/* Claims of mode observe. */
#include <linux/netfilter.h>
#include <net/tcp.h>

#include "confirm.h"
#include "connect.h"
#include "core/follow.h"
#include "core/schedule.h"
#include "event.h"
#include "hook.h"
#include "native.h"
#include "observe.h"
#include "socket.h"
#include "wheel.h"

/*
 * How often it is checked whether the native stack has given up: not in step with its
 * timers, which double, and are late by up to an eighth.
 */
#define HS_OBSERVE_MS		1000
#define HS_OBSERVE_MAX_MS	1300

/* As often it is not there and may yet come: for 5 s. */
#define HS_OBSERVE_COOKIE_CHECKS	3

/* A segment that went out, as an event has it. */
static void hs_observe_reply(struct hs_reply *reply,
			     const struct hs_segment *seg)
{
	reply->seq = seg->seq;
	reply->ack = seg->ack;
	reply->wnd = seg->wnd;
	reply->flags = seg->flags;
	reply->opts = seg->opts;
}

static struct hs_flow *hs_observe_flow(struct hs_net *hn,
				       struct hs_claim *claim,
				       const struct hs_flow_key *key)
{
	enum threeway_counter reason = hs_flow_limits(hn, claim, false);
	struct hs_flow *flow = NULL;

	if (reason == HS_NONE) {
		reason = THREEWAY_C_native_no_memory;
		flow = hs_flow_alloc(hn, claim, HS_FLOW_OBSERVE, NULL, key);
	}
	if (!flow)
		hs_count(hn, reason);
	return flow;
}

/* Let the flow be seen. What it sent, if it did, is in @actions. */
static void hs_observe_start(struct hs_flow *flow, enum threeway_state before,
			     const struct hs_segment *seg,
			     struct hs_actions *actions)
{
	int err;

	actions->timer = HS_TIMER_SET;
	actions->timer_ms = HS_OBSERVE_MS;
	spin_lock(&flow->lock);
	err = hs_flow_insert(flow);
	if (!err) {
		hs_flow_timer_set(flow, HS_OBSERVE_MS);
		hs_event_opened(flow, before, seg, actions);
	}
	spin_unlock(&flow->lock);
	if (!err) {
		hs_flow_opened(flow);
		hs_count(hs_flow_net(flow), actions->sent);
	} else if (err != -EEXIST) {
		hs_count(hs_flow_net(flow), THREEWAY_C_native_no_memory);
	}
	hs_flow_put(flow);
}

void hs_observe_syn(struct hs_net *hn, struct hs_claim *claim,
		    struct hs_packet *pkt)
{
	struct hs_actions actions;
	struct hs_flow *flow;

	/* a SYN for a connection that is there belongs to that one */
	if (hs_native_owns(hn->net, &pkt->key, pkt->iif, pkt->sdif))
		return;
	flow = hs_observe_flow(hn, claim, &pkt->key);
	if (!flow)
		return;
	flow->bound_if = pkt->iif;
	hs_flow_large(flow)->sdif = pkt->sdif;
	hs_actions_init(&actions, HS_NATIVE);
	hs_follow_passive(&flow->tcb, &pkt->seg, tcp_time_stamp_raw());
	hs_observe_start(flow, THREEWAY_LISTEN, &pkt->seg, &actions);
}

void hs_observe_connect(struct hs_net *hn, struct hs_claim *claim,
			const struct sock *sk, const struct hs_flow_key *key,
			const struct hs_segment *seg)
{
	struct hs_flow *flow = hs_observe_flow(hn, claim, key);
	struct hs_actions actions;

	if (!flow)
		return;
	hs_socket_note(flow, sk);
	hs_actions_init(&actions, HS_NATIVE);
	actions.sent = THREEWAY_C_observed_syn;
	hs_observe_reply(&actions.reply, seg);
	hs_follow_active(&flow->tcb, seg, tcp_time_stamp_raw());
	hs_observe_start(flow, THREEWAY_CLOSED, NULL, &actions);
}

/*
 * A RST ends what has no socket yet. Later ones may answer any bad segment: it
 * shows whether they ended anything.
 */
static bool hs_observe_rejects(struct hs_flow *flow, const struct hs_segment *seg)
{
	if (!(seg->flags & HS_RST))
		return false;
	if (!flow->tcb.active)
		flow->outcome = THREEWAY_C_flows_rejected;
	return flow->tcb.state == THREEWAY_LISTEN;
}

void hs_observe_sent(struct hs_flow *flow, const struct hs_segment *seg,
		     bool cookie)
{
	static const enum threeway_counter counters[] = {
		[HS_FOLLOWED_OTHER] = HS_NONE,
		[HS_FOLLOWED_FIRST] = THREEWAY_C_observed_synack,
		[HS_FOLLOWED_COPY] = THREEWAY_C_observed_copy,
	};
	struct hs_actions actions;
	bool rejected = false;
	u8 before;

	hs_actions_init(&actions, HS_NATIVE);
	hs_observe_reply(&actions.reply, seg);
	spin_lock(&flow->lock);
	if (!flow->dead) {
		before = flow->tcb.state;
		hs_flow_large(flow)->cookie = cookie;
		actions.sent = counters[hs_follow_sent(&flow->tcb, seg)];
		rejected = hs_observe_rejects(flow, seg);
		if (seg->flags & HS_RST)
			actions.sent = THREEWAY_C_observed_rst;
		if (actions.sent != HS_NONE)
			hs_event_sent(flow, before, &actions);
	}
	spin_unlock(&flow->lock);
	hs_count(hs_flow_net(flow), actions.sent);
	if (rejected)
		hs_flow_end(flow, THREEWAY_C_flows_rejected);
}

/* The native socket of the flow, whatever it has become; referenced. */
static struct sock *hs_observe_socket(const struct hs_flow *flow)
{
	return hs_native_socket(hs_flow_net(flow)->net, &flow->key,
				flow->bound_if, hs_flow_large(flow)->sdif);
}

/* TCP_CLOSE for none. */
static int hs_observe_state(const struct hs_flow *flow)
{
	struct sock *sk = hs_observe_socket(flow);
	int state;

	if (!sk)
		return TCP_CLOSE;
	state = inet_sk_state_load(sk);
	sock_gen_put(sk);
	/* the connection before, which would not let this one be */
	if (state == TCP_TIME_WAIT && flow->tcb.state == THREEWAY_LISTEN)
		state = TCP_CLOSE;
	return state;
}

/*
 * What the native stack has made of it. A socket that has gone was reset, or its
 * user or its timer gave up.
 * Return: whether the handshake goes on; if not, the flow has ended.
 */
static bool hs_observe_settle(struct hs_flow *flow)
{
	int state = hs_observe_state(flow);
	enum threeway_counter reason;
	bool cookie;

	if (state == TCP_SYN_SENT || state == TCP_SYN_RECV)
		return true;
	spin_lock(&flow->lock);
	/* a request socket has no backlog: what came did not end it */
	if (state == TCP_NEW_SYN_RECV)
		flow->outcome = HS_NONE;
	reason = flow->outcome;
	cookie = hs_flow_large(flow)->cookie &&
		 flow->tcb.timeouts < HS_OBSERVE_COOKIE_CHECKS;
	spin_unlock(&flow->lock);
	if (state == TCP_NEW_SYN_RECV ||
	    (state == TCP_CLOSE && reason == HS_NONE && cookie))
		return true;
	if (state != TCP_CLOSE)
		reason = THREEWAY_C_flows_observed;
	else if (reason == HS_NONE)
		reason = flow->tcb.active ? THREEWAY_C_flows_socket_gone :
					    THREEWAY_C_flows_expired;
	if (hs_flow_end(flow, reason) && reason == THREEWAY_C_flows_observed)
		hs_count_add(hs_flow_net(flow), THREEWAY_C_observed_ms,
			     tcp_time_stamp_raw() - flow->tcb.opened_ms);
	return false;
}

/*
 * What it will have been when the socket is gone before anybody looks: it may be
 * in use, and have its segments in the backlog. Context: hs_flow.lock held.
 */
static void hs_observe_expect(struct hs_flow *flow,
			      const struct hs_segment *seg)
{
	if (flow->outcome == THREEWAY_C_flows_observed)
		return;
	if (hs_follow_reset(&flow->tcb, seg))
		flow->outcome = flow->tcb.active ? THREEWAY_C_flows_refused :
						   THREEWAY_C_flows_reset;
	else if (!hs_flow_large(flow)->cookie &&
		 hs_follow_completes(&flow->tcb, seg))
		flow->outcome = THREEWAY_C_flows_observed;
}

static void hs_observe_segment(struct hs_flow *flow,
			       const struct hs_packet *pkt)
{
	struct hs_actions actions;
	u8 before;

	hs_actions_init(&actions, HS_NATIVE);
	spin_lock(&flow->lock);
	if (!flow->dead) {
		before = flow->tcb.state;
		hs_follow_arrived(&flow->tcb, &pkt->seg);
		hs_observe_expect(flow, &pkt->seg);
		hs_event_acted(flow, before, &pkt->seg, &actions);
	}
	spin_unlock(&flow->lock);
}

unsigned int hs_observe_arrive(struct hs_flow *flow, struct hs_packet *pkt)
{
	struct sk_buff *skb = pkt->skb;

	/* what has to be put together first is seen when the timer looks */
	if (pkt->unsure)
		return NF_ACCEPT;
	if (!hs_packet_checksum_ok(pkt)) {
		hs_count(hs_flow_net(flow), THREEWAY_C_segment_bad_checksum);
		return NF_ACCEPT;
	}
	hs_observe_segment(flow, pkt);
	if (!hs_conntrack_confirm(skb)) {
		hs_count(hs_flow_net(flow), THREEWAY_C_segment_conntrack_drop);
		return NF_DROP;
	}
	pkt->skb = NULL;
	hs_hook_go_on(hs_flow_net(flow), skb, pkt->state);
	/* a socket that is in use gets it from its backlog in a moment */
	if (hs_observe_settle(flow))
		hs_connect_hurry(flow);
	return NF_STOLEN;
}

void hs_observe_timer(struct hs_flow *flow)
{
	u32 wait_ms;

	if (!hs_observe_settle(flow))
		return;
	spin_lock(&flow->lock);
	/* what came did not end it after all */
	flow->outcome = HS_NONE;
	if (!flow->dead && !hs_wheel_has(flow)) {
		if (!hs_flow_wait(flow, jiffies)) {
			flow->tcb.timeouts++;
			wait_ms = hs_rto_ms(HS_OBSERVE_MS, HS_OBSERVE_MAX_MS,
					    flow->tcb.timeouts);
			hs_flow_aged(flow);
			hs_flow_timer_set(flow, wait_ms);
		} else {
			hs_wheel_add(flow, 0);
		}
	}
	spin_unlock(&flow->lock);
}

void hs_observe_icmp(struct hs_flow *flow, enum threeway_counter counter)
{
	if (counter != THREEWAY_C_icmp_hard && counter != THREEWAY_C_icmp_soft)
		return;
	hs_count(hs_flow_net(flow), counter);
	spin_lock(&flow->lock);
	flow->outcome = THREEWAY_C_flows_icmp;
	spin_unlock(&flow->lock);
	hs_connect_hurry(flow);
}

void hs_observe_output(struct hs_net *hn, struct sk_buff *skb, u8 family)
{
	struct hs_flow_key key;
	struct hs_segment seg;
	struct hs_flow *flow;

	if (!hs_packet_outgoing(skb, family, &key, &seg) ||
	    !(seg.flags & (HS_SYN | HS_RST)))
		return;
	flow = hs_flow_find(hn, &key);
	if (flow && flow->kind == HS_FLOW_OBSERVE && hs_flow_hold(flow)) {
		/* a request socket owns its SYN-ACKs */
		hs_observe_sent(flow, &seg,
				!skb->sk && !(seg.flags & HS_RST));
		hs_flow_put(flow);
	}
}
