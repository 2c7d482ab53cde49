// SPDX-License-Identifier: GPL-2.0
/* Passive open: a SYN for a claim. */
#include <linux/netfilter.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/tcp.h>

#include "buffer.h"
#include "confirm.h"
#include "cookie.h"
#include "core/isn.h"
#include "endpoint.h"
#include "event.h"
#include "flood.h"
#include "hold.h"
#include "isn.h"
#include "listener.h"
#include "native.h"
#include "observe.h"
#include "passive.h"
#include "policy.h"
#include "request.h"
#include "source.h"
#include "xmit.h"

/* What other files write into. */
struct hs_opening_room {
	struct tcp_request_sock treq;
	struct flowi fl;
	struct hs_time_wait previous;
	struct hs_terms terms;
	bool counted;
};

/*
 * What a passive open works on. No other file gets a pointer to it, and so the
 * compiler keeps it in registers.
 */
struct hs_opening {
	struct hs_net *hn;
	struct hs_packet *pkt;
	struct hs_claim *claim;
	struct sock *listener;
	ktime_t now;
	bool time_wait;
	struct hs_flow *flow;
	struct dst_entry *dst;
	struct hs_opening_room *room;
};

static bool hs_packet_unicast(const struct hs_packet *pkt)
{
	struct sk_buff *skb = pkt->skb;

	if (!skb_dst(skb))
		return false;
	if (pkt->family == AF_INET)
		return !(skb_rtable(skb)->rt_flags &
			 (RTCF_BROADCAST | RTCF_MULTICAST));
	return ipv6_unicast_destination(skb) &&
	       !ipv6_addr_v4mapped(&pkt->key.v6.remote);
}

/* Why the native stack has to deal with this SYN, or HS_NONE. */
static enum threeway_counter hs_opening_check(struct hs_opening *o)
{
	enum threeway_counter reason;
	bool time_wait = false;

	if (!o->pkt->plain)
		return THREEWAY_C_native_ip_options;
	reason = hs_native_owner(o->hn->net, o->pkt, &o->room->previous,
				 &time_wait);
	if (reason != HS_NONE)
		return reason;
	o->time_wait = time_wait;
	o->listener = hs_listener_lookup(o->hn, o->pkt);
	if (!o->listener)
		return THREEWAY_C_native_no_listener;
	reason = hs_listener_objection(o->listener, o->pkt);
	if (reason != HS_NONE)
		return reason;
	if (hs_listener_ttl_refuses(o->listener, o->pkt))
		return THREEWAY_C_native_min_ttl;
	/* a peer that was in TIME-WAIT is real */
	return hs_flow_limits(o->hn, o->claim, o->time_wait);
}

/*
 * SND and RCV variables of a new flow. @previous is what TIME-WAIT remembers of
 * the tuple, or NULL. The native generator is asked only where one of its numbers
 * is of use.
 */
static void hs_passive_open(struct hs_flow *flow, const struct hs_segment *seg,
			    const struct hs_offer *offer, ktime_t now,
			    const struct hs_time_wait *previous)
{
	enum threeway_isn source = hs_policy_isn(hs_flow_net(flow), flow->claim);
	union tcp_seq_and_ts_off native = { };
	u32 iss;

	/* the native offset, so that a tuple's TSval stays monotonic whoever
	 * does its handshakes
	 */
	if ((offer->timestamps && (seg->opts.present & HS_OPT_TIMESTAMPS)) ||
	    source == THREEWAY_ISN_KERNEL)
		native = hs_isn_native(hs_flow_net(flow)->net, &flow->key);
	iss = hs_isn_choose(hs_flow_net(flow), flow->claim, &flow->key,
			    native.seq, now, &flow->txhash);
	if (previous && source != THREEWAY_ISN_FIXED)
		iss = hs_time_wait_iss(previous);
	hs_tcb_passive_open(&flow->tcb, seg, offer, iss, native.ts_off);
}

static bool hs_passive_needs_ecn(const struct sock *listener,
				 struct tcp_request_sock *treq)
{
	return tcp_ca_needs_ecn(listener) ||
	       (hs_request_bpf() && tcp_bpf_ca_needs_ecn((struct sock *)treq));
}

void hs_passive_offer(const struct hs_net *hn, const struct hs_claim *claim,
		      struct sock *listener, u8 family,
		      struct tcp_request_sock *treq,
		      const struct dst_entry *dst, struct hs_offer *offer)
{
	u32 ecn = dst_feature(dst, DST_FEATURE_ECN_MASK);

	hs_policy_offer(hn, claim, listener, family, offer);
	offer->ecn_always &= (ecn & DST_FEATURE_ECN_CA) ||
			     (listener && hs_passive_needs_ecn(listener, treq));
	offer->ecn &= READ_ONCE(hn->net->ipv4.sysctl_tcp_ecn) || ecn;
}

static void hs_opening_negotiate(struct hs_opening *o)
{
	struct hs_offer *offer = &o->room->terms.offer;

	hs_passive_offer(o->hn, o->claim, o->listener, o->pkt->family,
			 &o->room->treq, o->dst, offer);
	hs_passive_open(o->flow, &o->pkt->seg, offer, o->now,
			o->time_wait ? &o->room->previous : NULL);
	hs_request_window(&o->room->treq, o->listener, o->dst, o->flow);
	/* as hs_xmit.keeps */
	if (o->pkt->family == AF_INET)
		o->flow->dst = dst_clone(o->dst);
}

static void hs_opening_save_syn(struct hs_opening *o)
{
	const struct sk_buff *skb = o->pkt->skb;
	u32 tcp_len = tcp_hdrlen(skb);
	u32 network_len = o->pkt->thoff;
	struct saved_syn *syn;
	u32 mac_len = 0;
	const u8 *base;

	if (!o->flow->large)
		return;
	switch (tcp_sk(o->listener)->save_syn) {
	case 0:
		return;
	case 1:
		base = skb_network_header(skb);
		break;
	default:
		base = skb_mac_header(skb);
		mac_len = skb_mac_header_len(skb);
	}
	syn = kmalloc(struct_size(syn, data, mac_len + network_len + tcp_len),
		      GFP_ATOMIC | __GFP_NOWARN);
	if (!syn)
		return;
	syn->mac_hdrlen = mac_len;
	syn->network_hdrlen = network_len;
	syn->tcp_hdrlen = tcp_len;
	memcpy(syn->data, base, mac_len + network_len + tcp_len);
	hs_flow_large(o->flow)->syn = syn;
}

/* The flow with all that its first SYN-ACK needs, not yet in the table. */
static enum threeway_counter hs_opening_prepare(struct hs_opening *o)
{
	struct hs_packet *pkt = o->pkt;
	struct hs_flow *flow;

	flow = hs_flow_alloc(o->hn, o->claim, HS_FLOW_ACCEPT, o->listener,
			     &pkt->key);
	if (!flow) {
		if (o->room->counted)
			hs_source_put(o->hn, o->claim, &pkt->key);
		return THREEWAY_C_native_no_memory;
	}
	o->flow = flow;
	flow->time_wait = o->time_wait;
	flow->counted = o->room->counted;
	hs_request_of_syn(flow, o->listener, pkt);
	hs_request_init(&o->room->treq, o->listener, &flow->key, flow->mark,
			flow->bound_if);
	/* before the filters, as nothing is to pass them twice */
	if (hs_request_bpf() &&
	    hs_policy_foreign_rto(o->claim,
				  tcp_timeout_init((void *)&o->room->treq)))
		return THREEWAY_C_native_bpf;
	if (hs_listener_policy_refuses(o->listener, pkt) ||
	    hs_listener_filter_refuses(o->listener, pkt) ||
	    !hs_request_allowed(&o->room->treq, o->listener, pkt->skb))
		return THREEWAY_C_segment_policy;
	o->dst = hs_request_route(&o->room->treq, o->listener, &o->room->fl);
	if (!o->dst)
		return THREEWAY_C_native_no_route;
	hs_opening_negotiate(o);
	hs_opening_save_syn(o);
	return HS_NONE;
}

void hs_passive_reuse(struct hs_net *hn, struct hs_packet *pkt,
		      struct hs_xmit *xmit)
{
	if (!hs_buffer_own(pkt->skb))
		return;
	xmit->used = pkt->skb;
	xmit->used_thoff = pkt->thoff;
	hs_packet_kept(hn->net, pkt);
	pkt->skb = NULL;
}

void hs_passive_terms(const struct hs_flow *flow, struct hs_terms *terms)
{
	terms->rcv_wnd = flow->tcb.rcv_wnd;
	terms->window_clamp = flow->window_clamp;
	terms->rcv_wscale = flow->tcb.rcv_wscale;
	terms->advertised_mss = flow->tcb.advertised_mss;
}

static void hs_passive_first(struct hs_flow *flow, ktime_t now,
			     struct hs_actions *actions)
{
	struct hs_policy policy __uninitialized;
	u64 now_ns = ktime_to_ns(now);

	flow->synack_us = div_u64(now_ns, NSEC_PER_USEC);
	hs_policy_first(flow, &policy);
	hs_synack_first(&flow->tcb, &policy,
			(u32)div_u64(now_ns, NSEC_PER_MSEC), actions);
}

struct hs_flow *hs_passive_draft(struct hs_net *hn, struct hs_claim *claim,
				 struct sock *listener,
				 const struct hs_packet *pkt,
				 const struct hs_terms *terms,
				 struct hs_actions *actions)
{
	ktime_t now = ktime_get();
	struct hs_flow *flow;

	flow = hs_flow_alloc(hn, claim, HS_FLOW_ACCEPT, listener, &pkt->key);
	if (!flow)
		return NULL;
	hs_request_of_syn(flow, listener, pkt);
	hs_passive_open(flow, &pkt->seg, &terms->offer, now, NULL);
	flow->tcb.rcv_wnd = terms->rcv_wnd;
	flow->tcb.rcv_wscale = terms->rcv_wscale;
	flow->tcb.advertised_mss = terms->advertised_mss;
	flow->window_clamp = terms->window_clamp;
	hs_passive_first(flow, now, actions);
	return flow;
}

int hs_passive_enter(struct hs_flow *flow, const struct hs_segment *seg,
		     const struct hs_actions *actions)
{
	int err;

	/* no segment may see the flow before its timer runs */
	spin_lock(&flow->lock);
	err = hs_flow_insert(flow);
	if (!err) {
		hs_flow_timer_set(flow, actions->timer_ms);
		hs_event_opened(flow, THREEWAY_LISTEN, seg, actions);
	}
	spin_unlock(&flow->lock);
	if (err)
		return err;
	hs_flow_opened(flow);
	/* it is in vain, but that is known */
	if (seg->opts.present & HS_OPT_COOKIE_REQUEST)
		NET_INC_STATS(hs_flow_net(flow)->net,
			      LINUX_MIB_TCPFASTOPENCOOKIEREQD);
	return 0;
}

static struct hs_endpoint *hs_opening_proof(struct hs_opening *o)
{
	const struct hs_endpoint_proof proof = {
		.claim = o->claim,
		.listener = o->listener,
		.pkt = o->pkt,
		.dst = o->dst,
		.terms = &o->room->terms,
	};

	hs_passive_terms(o->flow, &o->room->terms);
	return hs_endpoint_confirm(o->hn, &proof);
}

/*
 * Make the flow visible and answer. Return: the fate of the SYN. Inline, as a call
 * would give away a pointer to @o.
 */
static __always_inline unsigned int hs_opening_start(struct hs_opening *o)
{
	struct hs_flow *flow = o->flow;
	struct hs_actions actions __uninitialized;
	struct hs_xmit xmit __uninitialized;
	struct hs_endpoint *end = NULL;
	int err;

	hs_passive_first(flow, o->now, &actions);
	hs_xmit_prepare(&xmit, flow, &actions.reply, o->pkt);
	err = hs_passive_enter(flow, &o->pkt->seg, &actions);
	if (err) {
		dst_release(o->dst);
		if (err != -EEXIST) {
			hs_count(o->hn, THREEWAY_C_native_no_memory);
			return NF_ACCEPT;
		}
		/* another CPU answers a copy of this SYN right now */
		hs_count(o->hn, THREEWAY_C_segment_duplicate_limited);
		return NF_DROP;
	}
	if (hs_endpoint_wanted(o->claim, false))
		end = hs_opening_proof(o);
	hs_passive_reuse(o->hn, o->pkt, &xmit);
	err = hs_xmit_routed(&xmit, o->listener, &o->room->treq, o->dst,
			     &o->room->fl);
	hs_count(o->hn, err ? THREEWAY_C_send_failed : actions.sent);
	if (err) {
		hs_endpoint_refute(end);
		hs_event_unsent(flow, &actions, THREEWAY_C_send_failed);
	}
	return NF_STOLEN;
}

/* Leave it, or drop it where the native stack would do no more than that. */
static unsigned int hs_opening_refuse(struct hs_opening *o,
				      enum threeway_counter reason)
{
	/* the claim went away meanwhile, and with it our interest */
	if (reason == THREEWAY_C_native_no_memory &&
	    READ_ONCE(o->claim->deleted))
		return NF_ACCEPT;
	hs_count(o->hn, reason);
	if (reason == THREEWAY_C_segment_conntrack_drop ||
	    reason == THREEWAY_C_segment_source_rate)
		return NF_DROP;
	if (reason != THREEWAY_C_segment_policy)
		return NF_ACCEPT;
	atomic_inc(&o->listener->sk_drops);
	return NF_DROP;
}

/*
 * Is a cookie the answer? A peer that was in TIME-WAIT is real, and its ISS has
 * to be beyond that of the previous connection.
 */
static enum hs_flood_answer hs_opening_cookie(struct hs_opening *o,
					      enum threeway_counter *reason)
{
	if (o->time_wait || !o->listener)
		return HS_FLOOD_FLOW;
	return hs_flood_cookie(o->hn, o->claim, o->pkt, reason,
			       &o->room->counted);
}

static unsigned int hs_opening_run(struct hs_net *hn, struct hs_packet *pkt,
				   struct hs_claim *claim)
{
	enum threeway_counter reason;
	enum hs_flood_answer answer;
	unsigned int verdict;
	struct hs_opening_room room __uninitialized;
	struct hs_opening o = {
		.hn = hn,
		.pkt = pkt,
		.claim = claim,
		.now = ktime_get(),
		.room = &room,
	};

	room.counted = false;
	reason = hs_opening_check(&o);
	answer = hs_opening_cookie(&o, &reason);
	if (answer != HS_FLOOD_FLOW) {
		verdict = hs_cookie_syn(hn, claim, o.listener, pkt,
					answer == HS_FLOOD_COOKIES);
		sock_put(o.listener);
		return verdict;
	}
	if (reason == HS_NONE)
		reason = hs_opening_prepare(&o);
	if (reason == HS_NONE && !hs_conntrack_confirm(pkt->skb))
		reason = THREEWAY_C_segment_conntrack_drop;
	if (reason == HS_NONE) {
		verdict = hs_opening_start(&o);
	} else {
		verdict = hs_opening_refuse(&o, reason);
		dst_release(o.dst);
	}
	if (o.flow)
		hs_flow_put(o.flow);
	if (o.listener)
		sock_put(o.listener);
	return verdict;
}

unsigned int hs_passive_syn(struct hs_net *hn, struct hs_packet *pkt)
{
	struct hs_actions actions __uninitialized;
	struct hs_claim *claim;

	claim = hs_claim_find(hn, THREEWAY_PASSIVE, &pkt->key);
	if (!claim)
		return NF_ACCEPT;
	/* a socket that listens drops it as well */
	if (!pkt->syn && claim->conf.mode != THREEWAY_HOLD)
		return NF_ACCEPT;
	if (!hs_packet_unicast(pkt)) {
		hs_count(hn, THREEWAY_C_native_not_unicast);
		return NF_ACCEPT;
	}
	if (!hs_packet_checksum_ok(pkt)) {
		hs_count(hn, THREEWAY_C_segment_bad_checksum);
		return NF_ACCEPT;
	}
	if (claim->conf.mode == THREEWAY_OBSERVE) {
		if ((pkt->seg.flags & (HS_SYN | HS_ACK | HS_RST)) == HS_SYN)
			hs_observe_syn(hn, claim, pkt);
		return NF_ACCEPT;
	}
	hs_listen_arrives(&pkt->seg, ntohs(pkt->key.remote_port), &actions);
	hs_count(hn, actions.counter);
	if (actions.verdict == HS_NATIVE)
		return actions.counter != HS_NONE &&
		       hs_hold_drops(hn, claim, pkt) ? NF_DROP : NF_ACCEPT;
	if (actions.counter != HS_NONE)
		return NF_DROP;
	if (claim->conf.mode == THREEWAY_HOLD)
		return hs_hold_syn(hn, claim, pkt);
	return hs_opening_run(hn, pkt, claim);
}
