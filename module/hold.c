// SPDX-License-Identifier: GPL-2.0
/* Handshakes without a socket: the engine is the endpoint. */
#include <linux/netfilter.h>
#include <linux/random.h>
#include <net/addrconf.h>
#include <net/inet_connection_sock.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/tcp.h>

#include "arrive.h"
#include "confirm.h"
#include "event.h"
#include "hold.h"
#include "isn.h"
#include "listener.h"
#include "native.h"
#include "passive.h"
#include "policy.h"
#include "request.h"
#include "sender.h"

/* As the native stack has it unless the receive buffers are large. */
#define HS_HOLD_WSCALE	7

/* A window of whole segments, as large as the field allows. */
static void hs_hold_window(struct hs_tcb *tcb, const struct dst_entry *dst)
{
	u16 mss = clamp_t(u32, dst_metric_advmss(dst), TCP_MIN_MSS, U16_MAX);

	tcb->advertised_mss = mss;
	tcb->rcv_wnd = rounddown(65535U, mss);
	tcb->rcv_wscale = tcb->wscale_ok ? HS_HOLD_WSCALE : 0;
}

/*
 * Send a segment of a flow that nobody else sees yet, and make it visible.
 * Return: 0 or a negative errno; that it could not be sent is none.
 */
static int hs_hold_start(struct hs_flow *flow, const struct hs_actions *actions,
			 const struct hs_packet *pkt)
{
	struct hs_xmit xmit;
	int err;

	if (actions->reply.flags)
		hs_xmit_prepare(&xmit, flow, &actions->reply, pkt);
	spin_lock(&flow->lock);
	err = hs_flow_insert(flow);
	if (!err) {
		hs_flow_timer_set(flow, actions->timer_ms);
		hs_event_opened(flow, pkt ? THREEWAY_LISTEN : THREEWAY_CLOSED,
				pkt ? &pkt->seg : NULL, actions);
	}
	spin_unlock(&flow->lock);
	if (err)
		return err;
	hs_flow_opened(flow);
	hs_act(flow, actions, &xmit);
	return 0;
}

/* As an unbound socket: where the SYN came from, if that is a domain of its own. */
static void hs_hold_bind(struct hs_flow *flow, struct hs_packet *pkt)
{
	hs_request_of_syn(flow, hs_sender(flow), pkt);
	if (!flow->bound_if)
		flow->bound_if = pkt->key.ifindex;
}

/* @previous: what TIME-WAIT remembers of the tuple, or NULL */
static struct hs_flow *hs_hold_flow(struct hs_net *hn, struct hs_claim *claim,
				    struct hs_packet *pkt,
				    const struct hs_time_wait *previous,
				    enum threeway_counter *reason)
{
	union tcp_seq_and_ts_off native = hs_isn_native(hn->net, &pkt->key);
	struct tcp_request_sock treq;
	struct dst_entry *dst;
	struct hs_offer offer;
	struct hs_flow *flow;
	struct flowi fl;
	u32 iss;

	*reason = THREEWAY_C_native_no_memory;
	flow = hs_flow_alloc(hn, claim, HS_FLOW_HOLD, NULL, &pkt->key);
	if (!flow)
		return NULL;
	hs_hold_bind(flow, pkt);
	hs_request_init(&treq, hs_sender(flow), &flow->key, flow->mark,
			flow->bound_if);
	dst = hs_request_route(&treq, hs_sender(flow), &fl);
	if (!dst) {
		*reason = THREEWAY_C_native_no_route;
		hs_flow_put(flow);
		return NULL;
	}
	hs_passive_offer(hn, claim, NULL, pkt->family, &treq, dst, &offer);
	iss = hs_isn_choose(hn, claim, &pkt->key, native.seq, ktime_get(),
			    &flow->txhash);
	if (previous && hs_policy_isn(hn, claim) != THREEWAY_ISN_FIXED)
		iss = hs_time_wait_iss(previous);
	flow->time_wait = !!previous;
	hs_tcb_passive_open(&flow->tcb, &pkt->seg, &offer, iss, native.ts_off);
	hs_hold_window(&flow->tcb, dst);
	dst_release(dst);
	return flow;
}

/* No answer. A claim that went away meanwhile has no say in it any more. */
static unsigned int hs_hold_unable(struct hs_net *hn,
				   const struct hs_claim *claim,
				   enum threeway_counter reason)
{
	if (reason == THREEWAY_C_native_no_memory && READ_ONCE(claim->deleted))
		return NF_ACCEPT;
	hs_count(hn, reason);
	return NF_DROP;
}

/* Answer as a closed port does. */
static unsigned int hs_hold_refuse(struct hs_net *hn, struct hs_claim *claim,
				   struct hs_packet *pkt)
{
	struct hs_actions actions;
	struct hs_flow *flow;
	struct hs_xmit xmit;

	flow = hs_flow_alloc(hn, claim, HS_FLOW_HOLD, NULL, &pkt->key);
	if (!flow)
		return hs_hold_unable(hn, claim, THREEWAY_C_native_no_memory);
	hs_hold_bind(flow, pkt);
	flow->txhash = net_tx_rndhash();
	hs_listen_refuse(&pkt->seg, &actions);
	hs_xmit_prepare(&xmit, flow, &actions.reply, pkt);
	hs_act(flow, &actions, &xmit);
	hs_flow_put(flow);
	return NF_DROP;
}

/* Why the native stack has to deal with this SYN, or HS_NONE. */
static enum threeway_counter hs_hold_check(struct hs_net *hn,
					   struct hs_claim *claim,
					   const struct hs_packet *pkt,
					   struct hs_time_wait *previous,
					   bool *time_wait)
{
	enum threeway_counter reason;

	reason = hs_native_owner(hn->net, pkt, previous, time_wait);
	if (reason != HS_NONE)
		return reason;
	/* nothing that is answered there is reset */
	if (*time_wait && claim->conf.policy.freeze == THREEWAY_FREEZE_REFUSE)
		return THREEWAY_C_native_time_wait;
	return hs_flow_limits(hn, claim, *time_wait);
}

unsigned int hs_hold_syn(struct hs_net *hn, struct hs_claim *claim,
			 struct hs_packet *pkt)
{
	struct hs_time_wait previous;
	enum threeway_counter reason;
	struct hs_actions actions;
	struct hs_policy policy;
	bool time_wait = false;
	struct hs_flow *flow;
	int err;

	reason = hs_hold_check(hn, claim, pkt, &previous, &time_wait);
	if (reason != HS_NONE) {
		hs_count(hn, reason);
		return NF_ACCEPT;
	}
	if (hs_listener_policy_refuses(NULL, pkt)) {
		hs_count(hn, THREEWAY_C_segment_policy);
		return NF_DROP;
	}
	if (!hs_conntrack_confirm(pkt->skb)) {
		hs_count(hn, THREEWAY_C_segment_conntrack_drop);
		return NF_DROP;
	}
	if (claim->conf.policy.freeze == THREEWAY_FREEZE_REFUSE)
		return hs_hold_refuse(hn, claim, pkt);
	flow = hs_hold_flow(hn, claim, pkt, time_wait ? &previous : NULL,
			    &reason);
	if (!flow)
		return hs_hold_unable(hn, claim, reason);
	hs_policy_read(flow, NULL, &policy);
	hs_synack_first(&flow->tcb, &policy, tcp_time_stamp_raw(), &actions);
	err = hs_hold_start(flow, &actions, pkt);
	if (err)
		hs_count(hn, err == -EEXIST ?
			 THREEWAY_C_segment_duplicate_limited :
			 THREEWAY_C_native_no_memory);
	else
		hs_native_yields(flow, pkt);
	hs_flow_put(flow);
	return NF_DROP;
}

bool hs_hold_drops(struct hs_net *hn, const struct hs_claim *claim,
		   const struct hs_packet *pkt)
{
	return claim->conf.mode == THREEWAY_HOLD &&
	       claim->conf.policy.freeze != THREEWAY_FREEZE_REFUSE &&
	       !hs_native_has(hn->net, &pkt->key, pkt->iif, pkt->sdif);
}

unsigned int hs_hold_arrive(struct hs_flow *flow, struct hs_packet *pkt)
{
	struct hs_actions actions;
	struct hs_policy policy;
	struct hs_xmit xmit;
	u8 before;

	if (pkt->unsure) {
		hs_count(hs_flow_net(flow), THREEWAY_C_segment_fragment);
		return NF_DROP;
	}
	if (!hs_packet_checksum_ok(pkt)) {
		hs_count(hs_flow_net(flow), THREEWAY_C_segment_bad_checksum);
		return NF_ACCEPT;
	}
	if (hs_listener_policy_refuses(NULL, pkt)) {
		hs_count(hs_flow_net(flow), THREEWAY_C_segment_policy);
		return NF_DROP;
	}
	spin_lock(&flow->lock);
	if (flow->dead) {
		spin_unlock(&flow->lock);
		return HS_FLOW_GONE;
	}
	before = flow->tcb.state;
	hs_policy_read(flow, NULL, &policy);
	hs_segment_arrives(&flow->tcb, &pkt->seg, &policy,
			   tcp_time_stamp_raw(), &actions);
	if (actions.timer == HS_TIMER_SET)
		hs_flow_timer_set(flow, actions.timer_ms);
	if (actions.end != HS_NONE)
		flow->dead = true;
	if (actions.reply.flags)
		hs_xmit_prepare(&xmit, flow, &actions.reply, pkt);
	hs_event_acted(flow, before, &pkt->seg, &actions);
	spin_unlock(&flow->lock);
	if (!hs_conntrack_confirm(pkt->skb)) {
		hs_count(hs_flow_net(flow), THREEWAY_C_segment_conntrack_drop);
		if (actions.reply.flags)
			hs_event_unsent(flow, &actions,
					THREEWAY_C_segment_conntrack_drop);
		actions.reply.flags = 0;
	}
	hs_act(flow, &actions, &xmit);
	return NF_DROP;
}

void hs_hold_abort(struct hs_flow *flow)
{
	struct hs_reply rst;
	struct hs_xmit xmit;

	if (flow->tcb.state != THREEWAY_ESTABLISHED)
		return;
	hs_held_abort(&flow->tcb, &rst);
	hs_xmit_prepare(&xmit, flow, &rst, NULL);
	local_bh_disable();
	rcu_read_lock();
	hs_count(hs_flow_net(flow), hs_xmit(&xmit, hs_sender(flow)) ?
		 THREEWAY_C_send_failed : THREEWAY_C_sent_rst);
	rcu_read_unlock();
	local_bh_enable();
}

/* The route, and the local address if the user leaves it to the route. */
static struct dst_entry *hs_hold_route(struct hs_net *hn,
				       struct hs_flow_key *key)
{
	struct sock *sk = hn->sender[key->family == AF_INET6];
	struct dst_entry *dst;
	struct flowi6 fl6 = {
		.flowi6_proto = IPPROTO_TCP,
		.flowi6_oif = key->ifindex,
		.saddr = key->v6.local,
		.daddr = key->v6.remote,
		.fl6_sport = key->local_port,
		.fl6_dport = key->remote_port,
	};
	struct flowi4 fl4 = {
		.flowi4_proto = IPPROTO_TCP,
		.saddr = key->v4.local,
		.daddr = key->v4.remote,
		.fl4_sport = key->local_port,
		.fl4_dport = key->remote_port,
	};

	if (key->family == AF_INET) {
		struct rtable *rt = ip_route_output_flow(hn->net, &fl4, sk);

		if (IS_ERR(rt))
			return ERR_CAST(rt);
		/* RFC 9293 section 3.9.2.3, as connect() */
		if (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
			ip_rt_put(rt);
			return ERR_PTR(-ENETUNREACH);
		}
		key->v4.local = fl4.saddr;
		return &rt->dst;
	}
	dst = ip6_dst_lookup_flow(hn->net, sk, &fl6, NULL);
	if (!IS_ERR(dst))
		key->v6.local = fl6.saddr;
	return dst;
}

static int hs_hold_key_check(struct hs_net *hn, const struct hs_flow_key *key)
{
	struct net *net = hn->net;

	if (!key->remote_port)
		return -EINVAL;
	if (key->family == AF_INET) {
		if (key->ifindex || ipv4_is_multicast(key->v4.remote) ||
		    ipv4_is_lbcast(key->v4.remote) || !key->v4.remote)
			return -EINVAL;
		if (key->v4.local &&
		    inet_addr_type(net, key->v4.local) != RTN_LOCAL)
			return -EADDRNOTAVAIL;
		return 0;
	}
	if (!ipv6_mod_enabled())
		return -EOPNOTSUPP;
	if (ipv6_addr_is_multicast(&key->v6.remote) ||
	    ipv6_addr_any(&key->v6.remote) ||
	    ipv6_addr_v4mapped(&key->v6.remote) ||
	    !!(ipv6_addr_type(&key->v6.remote) & IPV6_ADDR_LINKLOCAL) !=
	    !!key->ifindex)
		return -EINVAL;
	if (!ipv6_addr_any(&key->v6.local) &&
	    !ipv6_chk_addr(net, &key->v6.local, NULL, 0))
		return -EADDRNOTAVAIL;
	return 0;
}

static struct hs_flow *hs_hold_open_flow(struct hs_net *hn,
					 struct hs_claim *claim,
					 const struct hs_flow_key *key,
					 const struct dst_entry *dst)
{
	union tcp_seq_and_ts_off native = hs_isn_native(hn->net, key);
	struct hs_segment syn = {
		.flags = HS_SYN | HS_ECE | HS_CWR,
		.opts.present = HS_OPT_WSCALE | HS_OPT_SACK_PERMITTED |
				HS_OPT_TIMESTAMPS,
	};
	struct hs_offer offer;
	struct hs_flow *flow;

	flow = hs_flow_alloc(hn, claim, HS_FLOW_HOLD, NULL, key);
	if (!flow)
		return NULL;
	flow->bound_if = key->ifindex;
	hs_policy_offer(hn, claim, NULL, key->family, &offer);
	/* asked for only where connect() would */
	offer.ecn &= READ_ONCE(hn->net->ipv4.sysctl_tcp_ecn) == 1;
	hs_tcb_active_open(&flow->tcb, &syn, &offer,
			   hs_isn_choose(hn, claim, key, native.seq,
					 ktime_get(), &flow->txhash),
			   native.ts_off);
	hs_hold_window(&flow->tcb, dst);
	return flow;
}

/* Return: 0, -EEXIST when the tuple is taken, or another negative errno. */
static int hs_hold_try(struct hs_net *hn, struct hs_claim *claim,
		       struct hs_flow_key *key,
		       const struct dst_entry *dst, u64 *id)
{
	struct hs_actions actions;
	struct hs_policy policy;
	struct hs_flow *flow;
	int err = -EEXIST;

	local_bh_disable();
	rcu_read_lock();
	if (hs_flow_find(hn, key) ||
	    hs_native_has(hn->net, key, key->ifindex ?: dst->dev->ifindex, 0))
		goto unlock;
	err = -ENOSPC;
	if (hs_flow_limits(hn, claim, true) != HS_NONE)
		goto unlock;
	err = -ENOMEM;
	flow = hs_hold_open_flow(hn, claim, key, dst);
	if (!flow)
		goto unlock;
	*id = hs_flow_id(flow);
	hs_policy_read(flow, NULL, &policy);
	hs_syn_first(&flow->tcb, &policy, tcp_time_stamp_raw(), &actions);
	err = hs_hold_start(flow, &actions, NULL);
	hs_flow_put(flow);
unlock:
	rcu_read_unlock();
	local_bh_enable();
	return err;
}

/* Any local port that is free, as connect() would take one. */
static int hs_hold_any_port(struct hs_net *hn, struct hs_claim *claim,
			    struct hs_flow_key *key,
			    const struct dst_entry *dst, u64 *id)
{
	u32 range, port, i;
	int low, high, err;

	inet_get_local_port_range(hn->net, &low, &high);
	range = high - low + 1;
	port = prandom_u32_max(range);
	for (i = 0; i < range && !fatal_signal_pending(current); i++) {
		u16 candidate = low + (port + i) % range;

		if (inet_is_local_reserved_port(hn->net, candidate))
			continue;
		key->local_port = htons(candidate);
		err = hs_hold_try(hn, claim, key, dst, id);
		if (err != -EEXIST)
			return err;
		cond_resched();
	}
	return -EADDRNOTAVAIL;
}

static int hs_hold_open_claimed(struct hs_net *hn, struct hs_claim *claim,
				struct hs_flow_key *key, u64 *id)
{
	struct dst_entry *dst = hs_hold_route(hn, key);
	int err;

	if (IS_ERR(dst))
		return PTR_ERR(dst);
	if (key->local_port) {
		err = hs_hold_try(hn, claim, key, dst, id);
		if (err == -EEXIST)
			err = -EADDRINUSE;
	} else {
		err = hs_hold_any_port(hn, claim, key, dst, id);
	}
	dst_release(dst);
	return err;
}

int hs_hold_open(struct hs_net *hn, struct threeway_open *open)
{
	struct hs_flow_key key = {};
	struct hs_claim *claim;
	u64 id = 0;
	int err;

	if (open->id || open->pad ||
	    !hs_policy_valid(&open->policy, THREEWAY_HOLD) ||
	    !hs_flow_key_read(&key, &open->key))
		return -EINVAL;
	err = hs_hold_key_check(hn, &key);
	if (err)
		return err;
	claim = hs_claim_single(hn, &open->policy);
	if (IS_ERR(claim))
		return PTR_ERR(claim);
	err = hs_hold_open_claimed(hn, claim, &key, &id);
	hs_claim_put(claim);
	if (err)
		return err;
	open->id = id;
	hs_flow_key_write(&open->key, &key);
	return 0;
}
