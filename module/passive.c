// SPDX-License-Identifier: GPL-2.0
/* Passive open: a SYN for a claim. */
#include <linux/netfilter.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/tcp.h>

#include "buffer.h"
#include "confirm.h"
#include "core/isn.h"
#include "event.h"
#include "hold.h"
#include "isn.h"
#include "listener.h"
#include "native.h"
#include "observe.h"
#include "passive.h"
#include "policy.h"
#include "request.h"
#include "xmit.h"

/* What other files write into. */
struct hs_opening_room {
	struct tcp_request_sock treq;
	struct flowi fl;
	struct hs_time_wait previous;
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

static bool hs_time_wait_allows(struct hs_opening *o, struct sock *sk)
{
	const struct tcp_timewait_sock *tw = tcp_twsk(sk);
	struct hs_time_wait *previous = &o->room->previous;

	if (inet_twsk(sk)->tw_substate != TCP_TIME_WAIT)
		return false;
	previous->snd_nxt = tw->tw_snd_nxt;
	previous->rcv_nxt = tw->tw_rcv_nxt;
	previous->ts_recent = READ_ONCE(tw->tw_ts_recent);
	previous->timestamps = READ_ONCE(tw->tw_ts_recent_stamp) &&
		READ_ONCE(o->hn->net->ipv4.sysctl_tcp_timestamps);
	return hs_time_wait_reusable(previous, &o->pkt->seg);
}

/* Does a native socket have the tuple? TIME-WAIT may let it go. */
static enum threeway_counter hs_native_owner(struct hs_opening *o)
{
	const struct hs_packet *pkt = o->pkt;
	enum threeway_counter reason = THREEWAY_C_native_socket_owns;
	struct sock *sk = pkt->skb->sk;

	if (!sk)
		sk = hs_native_socket(o->hn->net, &pkt->key, pkt->iif,
				      pkt->sdif);
	if (!sk)
		return HS_NONE;
	if (sk->sk_state == TCP_TIME_WAIT) {
		o->time_wait = hs_time_wait_allows(o, sk);
		reason = o->time_wait ? HS_NONE : THREEWAY_C_native_time_wait;
	}
	if (sk != pkt->skb->sk)
		sock_gen_put(sk);
	return reason;
}

/* Why the native stack has to deal with this SYN, or HS_NONE. */
static enum threeway_counter hs_opening_check(struct hs_opening *o)
{
	enum threeway_counter reason;

	if (!o->pkt->plain)
		return THREEWAY_C_native_ip_options;
	reason = hs_native_owner(o);
	if (reason != HS_NONE)
		return reason;
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

static u32 hs_opening_iss(const struct hs_opening *o, u32 native)
{
	bool fixed = hs_policy_isn(o->hn, o->claim) == THREEWAY_ISN_FIXED;
	u32 iss = hs_isn_choose(o->hn, o->claim, &o->pkt->key, native, o->now,
				&o->flow->txhash);

	return o->time_wait && !fixed ? hs_time_wait_iss(&o->room->previous) : iss;
}

/* The native generator is asked only where one of its numbers is of use. */
static void hs_opening_enter(struct hs_opening *o, const struct hs_offer *offer)
{
	union tcp_seq_and_ts_off native = { };
	const struct hs_packet *pkt = o->pkt;

	/* the native offset, so that a tuple's TSval stays monotonic whoever
	 * does its handshakes
	 */
	if ((offer->timestamps &&
	     (pkt->seg.opts.present & HS_OPT_TIMESTAMPS)) ||
	    hs_policy_isn(o->hn, o->claim) == THREEWAY_ISN_KERNEL)
		native = hs_isn_native(o->hn->net, &pkt->key);
	hs_tcb_passive_open(&o->flow->tcb, &pkt->seg, offer,
			    hs_opening_iss(o, native.seq), native.ts_off);
}

static void hs_opening_negotiate(struct hs_opening *o)
{
	u32 ecn = dst_feature(o->dst, DST_FEATURE_ECN_MASK);
	struct hs_offer offer;

	hs_policy_offer(o->hn, o->claim, o->listener, o->pkt->family, &offer);
	offer.ecn_always &= tcp_ca_needs_ecn(o->listener) ||
			    (ecn & DST_FEATURE_ECN_CA) ||
			    (hs_request_bpf() &&
			     tcp_bpf_ca_needs_ecn((struct sock *)&o->room->treq));
	offer.ecn &= READ_ONCE(o->hn->net->ipv4.sysctl_tcp_ecn) || ecn;
	hs_opening_enter(o, &offer);
	hs_request_window(&o->room->treq, o->listener, o->dst, o->flow);
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
	if (!flow)
		return THREEWAY_C_native_no_memory;
	o->flow = flow;
	flow->time_wait = o->time_wait;
	hs_request_of_syn(flow, o->listener, pkt);
	hs_request_init(&o->room->treq, o->listener, &flow->key, flow->mark,
			flow->bound_if);
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

/* The SYN-ACK takes the place of a SYN that nobody else has. */
static void hs_opening_reuse(struct hs_opening *o, struct hs_xmit *xmit)
{
	struct hs_packet *pkt = o->pkt;

	if (!hs_buffer_own(pkt->skb))
		return;
	xmit->used = pkt->skb;
	xmit->used_thoff = pkt->thoff;
	hs_packet_kept(o->hn->net, pkt);
	pkt->skb = NULL;
}

/*
 * Make the flow visible and answer. Return: the fate of the SYN. Inline, as a call
 * would give away a pointer to @o.
 */
static __always_inline unsigned int hs_opening_start(struct hs_opening *o)
{
	struct hs_flow *flow = o->flow;
	u64 now_ns = ktime_to_ns(o->now);
	struct hs_actions actions __uninitialized;
	struct hs_policy policy __uninitialized;
	struct hs_xmit xmit __uninitialized;
	int err;

	flow->synack_us = div_u64(now_ns, NSEC_PER_USEC);
	hs_policy_first(flow, &policy);
	hs_synack_first(&flow->tcb, &policy,
			(u32)div_u64(now_ns, NSEC_PER_MSEC), &actions);
	hs_xmit_prepare(&xmit, flow, &actions.reply, o->pkt);

	/* no segment may see the flow before its timer runs */
	spin_lock(&flow->lock);
	err = hs_flow_insert(flow);
	if (!err) {
		hs_flow_timer_set(flow, actions.timer_ms);
		hs_event_opened(flow, THREEWAY_LISTEN, &o->pkt->seg, &actions);
	}
	spin_unlock(&flow->lock);
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
	hs_count(o->hn, THREEWAY_C_flows_opened);
	/* it is in vain, but that is known */
	if (o->pkt->seg.opts.present & HS_OPT_COOKIE_REQUEST)
		NET_INC_STATS(o->hn->net, LINUX_MIB_TCPFASTOPENCOOKIEREQD);
	hs_opening_reuse(o, &xmit);
	err = hs_xmit_routed(&xmit, o->listener, &o->room->treq, o->dst, &o->room->fl);
	hs_count(o->hn, err ? THREEWAY_C_send_failed : actions.sent);
	if (err)
		hs_event_unsent(flow, &actions, THREEWAY_C_send_failed);
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
	if (reason == THREEWAY_C_segment_conntrack_drop)
		return NF_DROP;
	if (reason != THREEWAY_C_segment_policy)
		return NF_ACCEPT;
	atomic_inc(&o->listener->sk_drops);
	return NF_DROP;
}

static unsigned int hs_opening_run(struct hs_net *hn, struct hs_packet *pkt,
				   struct hs_claim *claim)
{
	enum threeway_counter reason;
	unsigned int verdict;
	struct hs_opening_room room __uninitialized;
	struct hs_opening o = {
		.hn = hn,
		.pkt = pkt,
		.claim = claim,
		.now = ktime_get(),
		.room = &room,
	};

	reason = hs_opening_check(&o);
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
