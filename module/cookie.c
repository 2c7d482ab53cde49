// SPDX-License-Identifier: GPL-2.0
/* SYN cookies: the late path, and what comes back. */
#include <linux/netfilter.h>
#include <linux/timekeeping.h>
#include <net/tcp.h>

#include "confirm.h"
#include "cookie.h"
#include "core/schedule.h"
#include "endpoint.h"
#include "event.h"
#include "handoff.h"
#include "isn.h"
#include "listener.h"
#include "native.h"
#include "netns.h"
#include "passive.h"
#include "policy.h"
#include "request.h"
#include "xmit.h"

/*
 * When a cookie was sent, to the second; 0 is never. Written once a second at
 * most, by whoever comes first.
 */
static void hs_cookie_stamp(u32 *stamp, u32 now_s)
{
	if (READ_ONCE(*stamp) != now_s)
		WRITE_ONCE(*stamp, now_s);
}

static u32 hs_cookie_clock(void)
{
	return (u32)ktime_get_seconds() + 1;
}

static bool hs_cookie_recent(const u32 *stamp)
{
	u32 sent = READ_ONCE(*stamp);

	/* another CPU's stamp may be of a second that begins just now */
	return sent &&
	       (s32)(hs_cookie_clock() - sent) <= HS_COOKIE_LIFETIME_S;
}

void hs_cookie_sent(struct hs_net *hn, struct hs_claim *claim)
{
	u32 now_s = hs_cookie_clock();

	hs_cookie_stamp(&hn->cookies.sent, now_s);
	hs_cookie_stamp(&claim->cookie_sent, now_s);
	atomic64_inc(&hn->flood.unanswered);
	atomic64_inc(&claim->flood.unanswered);
	hs_secrets_used(hn);
}

/* Once for each connection, not for each copy of the ACK. */
static void hs_cookie_answered(struct hs_net *hn, struct hs_claim *claim)
{
	atomic64_dec(&hn->flood.unanswered);
	atomic64_dec(&claim->flood.unanswered);
}

bool hs_cookie_out(const struct hs_net *hn)
{
	return hs_cookie_recent(&hn->cookies.sent);
}

bool hs_cookie_of_claim_out(const struct hs_claim *claim)
{
	return hs_cookie_recent(&claim->cookie_sent);
}

/* Hosts behind one address see the ACKs of each other's cookies. */
bool hs_cookie_expected(const struct hs_net *hn)
{
	const struct hs_secrets *secrets;

	if (READ_ONCE(hn->cookies.sent) && hs_cookie_out(hn))
		return true;
	secrets = rcu_dereference(hn->cookies.secrets);
	return secrets && hs_secrets_shared(secrets);
}

/*
 * Of a tuple the native stack's, so that its TSval stays monotonic whoever does
 * its handshakes.
 */
static u32 hs_cookie_ts_offset(struct hs_net *hn, const struct hs_flow_key *key)
{
	return hs_isn_native(hn->net, key).ts_off;
}

void hs_cookie_make(struct hs_net *hn, const struct hs_flow_key *key,
		    const struct hs_segment *seg,
		    const struct hs_terms *terms, struct hs_reply *reply)
{
	const struct hs_secrets *secrets = rcu_dereference(hn->cookies.secrets);
	struct hs_cookie cookie;
	struct hs_tcb tcb;

	hs_tcb_passive_open(&tcb, seg, &terms->offer, 0, 0);
	if (tcb.tstamp_ok)
		tcb.ts_offset = hs_cookie_ts_offset(hn, key);
	tcb.rcv_wnd = terms->rcv_wnd;
	tcb.rcv_wscale = terms->rcv_wscale;
	tcb.advertised_mss = terms->advertised_mss;
	hs_cookie_open(&cookie, &tcb, key->family == AF_INET6,
		       ktime_get_real_seconds());
	hs_cookie_synack(&cookie, hs_secret_hash(secrets, key, tcb.irs,
						 &cookie),
			 &tcb, tcp_time_stamp_raw(), reply);
}

/*
 * What a SYN-ACK needs for a moment: a flow that is never in the table, and a
 * request for the native helpers.
 */
struct hs_cookie_draft {
	struct hs_flow flow;
	struct tcp_request_sock treq;
	struct hs_terms terms;
	struct dst_entry *dst;
	struct flowi fl;
};

static void hs_cookie_draft(struct hs_cookie_draft *draft, struct hs_net *hn,
			    struct hs_claim *claim, struct sock *listener,
			    struct hs_packet *pkt)
{
	struct hs_flow *flow = &draft->flow;

	memset(flow, 0, sizeof(*flow));
	flow->key = pkt->key;
	flow->claim = claim;
	flow->listener = listener;
	flow->kind = HS_FLOW_ACCEPT;
	flow->txhash = net_tx_rndhash();
	hs_request_of_syn(flow, listener, pkt);
	hs_request_init(&draft->treq, listener, &flow->key, flow->mark,
			flow->bound_if);
}

/* What the listener and the route have to say about a SYN-ACK to this SYN. */
static void hs_cookie_agree(struct hs_cookie_draft *draft,
			    const struct hs_packet *pkt)
{
	struct hs_flow *flow = &draft->flow;
	struct hs_terms *terms = &draft->terms;

	hs_passive_offer(hs_flow_net(flow), flow->claim, flow->listener,
			 pkt->family, &draft->treq, draft->dst, &terms->offer);
	hs_tcb_passive_open(&flow->tcb, &pkt->seg, &terms->offer, 0, 0);
	if (!flow->tcb.tstamp_ok)
		flow->tcb.wscale_ok = false;
	hs_request_window(&draft->treq, flow->listener, draft->dst, flow);
	hs_passive_terms(flow, terms);
}

static unsigned int hs_cookie_refuse(struct hs_net *hn, struct sock *listener,
				     enum threeway_counter reason)
{
	hs_count(hn, reason);
	if (reason == THREEWAY_C_native_no_route)
		return NF_ACCEPT;
	if (reason == THREEWAY_C_segment_policy)
		atomic_inc(&listener->sk_drops);
	return NF_DROP;
}

static struct hs_endpoint *hs_cookie_proof(const struct hs_cookie_draft *draft,
					   const struct hs_packet *pkt)
{
	const struct hs_endpoint_proof proof = {
		.claim = draft->flow.claim,
		.listener = draft->flow.listener,
		.pkt = pkt,
		.dst = draft->dst,
		.terms = &draft->terms,
		.cookie = true,
	};

	return hs_endpoint_confirm(hs_flow_net(&draft->flow), &proof);
}

unsigned int hs_cookie_syn(struct hs_net *hn, struct hs_claim *claim,
			   struct sock *listener, struct hs_packet *pkt,
			   bool everybody)
{
	struct hs_endpoint *end = NULL;
	struct hs_cookie_draft draft;
	struct hs_reply reply;
	struct hs_xmit xmit;
	int err;

	hs_cookie_draft(&draft, hn, claim, listener, pkt);
	if (hs_listener_policy_refuses(listener, pkt) ||
	    hs_listener_filter_refuses(listener, pkt) ||
	    !hs_request_allowed(&draft.treq, listener, pkt->skb))
		return hs_cookie_refuse(hn, listener,
					THREEWAY_C_segment_policy);
	draft.dst = hs_request_route(&draft.treq, listener, &draft.fl);
	if (!draft.dst)
		return hs_cookie_refuse(hn, listener,
					THREEWAY_C_native_no_route);
	hs_cookie_agree(&draft, pkt);
	if (!hs_conntrack_confirm(pkt->skb)) {
		dst_release(draft.dst);
		return hs_cookie_refuse(hn, listener,
					THREEWAY_C_segment_conntrack_drop);
	}
	hs_cookie_make(hn, &pkt->key, &pkt->seg, &draft.terms, &reply);
	hs_xmit_prepare(&xmit, &draft.flow, &reply, pkt);
	hs_cookie_sent(hn, claim);
	if (everybody && hs_endpoint_wanted(claim, true))
		end = hs_cookie_proof(&draft, pkt);
	hs_passive_reuse(hn, pkt, &xmit);
	err = hs_xmit_routed(&xmit, listener, &draft.treq, draft.dst,
			     &draft.fl);
	hs_count(hn, err ? THREEWAY_C_send_failed : THREEWAY_C_sent_cookie);
	if (err)
		hs_endpoint_refute(end);
	return NF_STOLEN;
}

/* A segment that may bring back a cookie, and whose that would be. */
struct hs_cookie_return {
	struct hs_net *hn;
	struct hs_packet *pkt;
	struct hs_claim *claim;
	struct sock *listener;
	struct hs_cookie cookie;
};

/*
 * Whose policy holds now. The claim that sent the cookie need not be there any
 * more, or has got a more specific one beside it.
 */
static struct hs_claim *hs_cookie_claim(struct hs_net *hn,
					const struct hs_flow_key *key)
{
	struct hs_claim *claim = hs_claim_find(hn, THREEWAY_PASSIVE, key);

	if (claim && claim->conf.mode == THREEWAY_HANDOFF)
		return claim;
	return hs_claim_find_gone(hn, key);
}

/* Has nobody else to deal with it? */
static bool hs_cookie_mine(struct hs_cookie_return *back)
{
	struct hs_packet *pkt = back->pkt;
	struct hs_net *hn = back->hn;
	struct sock *sk;

	if (pkt->skb->sk)
		return false;
	back->claim = hs_cookie_claim(hn, &pkt->key);
	if (!back->claim)
		return false;
	sk = hs_native_socket(hn->net, &pkt->key, pkt->iif, pkt->sdif);
	if (sk)
		sock_gen_put(sk);
	if (sk)
		return false;
	back->listener = hs_listener_lookup(hn, pkt);
	return back->listener;
}

static bool hs_cookie_good(const struct hs_net *hn,
			   const struct hs_packet *pkt,
			   struct hs_cookie *cookie)
{
	const struct hs_secrets *secrets = rcu_dereference(hn->cookies.secrets);
	const struct hs_segment *seg = &pkt->seg;

	return secrets &&
	       hs_cookie_read(cookie, seg, ktime_get_real_seconds()) &&
	       hs_cookie_valid(cookie,
			       hs_secret_hash(secrets, &pkt->key, seg->seq - 1,
					      cookie),
			       seg);
}

bool hs_cookie_back(const struct hs_net *hn, const struct hs_packet *pkt)
{
	struct hs_cookie cookie;

	return hs_cookie_expected(hn) && hs_cookie_good(hn, pkt, &cookie);
}

/* A flow for as long as it takes to hand it over. */
static struct hs_flow *hs_cookie_flow(struct hs_cookie_return *back)
{
	struct hs_packet *pkt = back->pkt;
	struct hs_net *hn = back->hn;
	struct tcp_request_sock treq;
	struct dst_entry *dst;
	struct hs_flow *flow;
	struct flowi fl;
	u8 rcv_wscale;

	flow = hs_flow_alloc(hn, back->claim, HS_FLOW_ACCEPT, back->listener,
			     &pkt->key);
	if (!flow)
		return NULL;
	flow->txhash = net_tx_rndhash();
	hs_request_of_syn(flow, back->listener, pkt);
	hs_request_init(&treq, back->listener, &flow->key, flow->mark,
			flow->bound_if);
	dst = hs_request_route(&treq, back->listener, &fl);
	if (!dst) {
		hs_flow_put(flow);
		return NULL;
	}
	hs_cookie_accept(&back->cookie, &flow->tcb, &pkt->seg,
			 READ_ONCE(tcp_sk(back->listener)->rx_opt.user_mss),
			 pkt->family == AF_INET6,
			 hs_cookie_ts_offset(hn, &pkt->key),
			 tcp_time_stamp_raw());
	rcv_wscale = flow->tcb.rcv_wscale;
	hs_request_window(&treq, back->listener, dst, flow);
	flow->tcb.rcv_wscale = rcv_wscale;
	dst_release(dst);
	return flow;
}

/*
 * The segment waits, and what comes after it must not be reset: from now on it is
 * a flow like any other one. Context: hs_flow.lock held.
 */
static void hs_cookie_keep(struct hs_flow *flow)
{
	struct hs_policy policy;

	hs_policy_first(flow, &policy);
	hs_flow_timer_set(flow, hs_rto_ms(policy.rto_initial_ms,
					  policy.rto_max_ms, 0));
}

/*
 * In the table meanwhile, so that a copy of the segment on another CPU waits.
 * There is no sample of the round-trip time: synack_us is 0.
 */
static unsigned int hs_cookie_hand_over(struct hs_flow *flow,
					struct hs_packet *pkt)
{
	enum hs_handoff_result result = HS_HANDOFF_REFUSED;
	struct hs_net *hn = hs_flow_net(flow);
	struct hs_actions actions;
	int err;

	hs_actions_init(&actions, HS_HANDOFF);
	spin_lock(&flow->lock);
	err = hs_flow_insert(flow);
	if (!err)
		result = hs_handoff(flow, pkt);
	if (result == HS_HANDOFF_WAITS)
		hs_cookie_keep(flow);
	else
		flow->dead = true;
	if (result == HS_HANDOFF_WAITS || result == HS_HANDOFF_DONE) {
		hs_flow_opened(flow);
		hs_cookie_answered(hn, flow->claim);
		/* what waits will arrive once more */
		hs_event_opened(flow, THREEWAY_LISTEN,
				result == HS_HANDOFF_DONE ? &pkt->seg : NULL,
				&actions);
	}
	spin_unlock(&flow->lock);
	hs_count(hn, THREEWAY_C_cookies_received);
	if (result == HS_HANDOFF_WAITS)
		return NF_STOLEN;
	if (err) {
		/* another CPU is at it */
		hs_count(hn, err == -EEXIST ?
			 THREEWAY_C_segment_duplicate_limited :
			 THREEWAY_C_handoff_refused);
		return NF_DROP;
	}
	if (result != HS_HANDOFF_DONE) {
		hs_flow_unlink(flow, HS_NONE);
		/* the peer will try again */
		hs_count(hn, THREEWAY_C_handoff_refused);
		return NF_DROP;
	}
	atomic64_inc(&flow->claim->handed_over);
	hs_flow_unlink(flow, THREEWAY_C_flows_handed_over);
	hs_event_ended(flow, THREEWAY_C_flows_handed_over);
	return NF_ACCEPT;
}

static unsigned int hs_cookie_return(struct hs_cookie_return *back)
{
	struct sock *listener = back->listener;
	struct hs_net *hn = back->hn;
	unsigned int verdict;
	struct hs_flow *flow;

	if (hs_listener_policy_refuses(listener, back->pkt))
		return hs_cookie_refuse(hn, listener,
					THREEWAY_C_segment_policy);
	if (!hs_cookie_good(hn, back->pkt, &back->cookie)) {
		hs_count(hn, hs_policy_native_cookies(listener) ?
			 THREEWAY_C_native_cookie_ack :
			 THREEWAY_C_native_bad_cookie);
		return NF_ACCEPT;
	}
	if (sk_acceptq_is_full(listener)) {
		hs_count(hn, THREEWAY_C_cookies_received);
		hs_count(hn, THREEWAY_C_segment_accept_queue_full);
		atomic_inc(&listener->sk_drops);
		return NF_DROP;
	}
	flow = hs_cookie_flow(back);
	if (!flow) {
		/* the native listener would reset it; the peer will try again */
		hs_count(hn, THREEWAY_C_cookies_received);
		hs_count(hn, THREEWAY_C_handoff_refused);
		return NF_DROP;
	}
	verdict = hs_cookie_hand_over(flow, back->pkt);
	hs_flow_put(flow);
	return verdict;
}

unsigned int hs_cookie_ack(struct hs_net *hn, struct hs_packet *pkt)
{
	struct hs_cookie_return back = { .hn = hn, .pkt = pkt };
	unsigned int verdict = NF_ACCEPT;

	if (!hs_cookie_carrier(&pkt->seg) || pkt->unsure ||
	    !hs_cookie_mine(&back))
		return NF_ACCEPT;
	if (!hs_packet_checksum_ok(pkt))
		hs_count(hn, THREEWAY_C_segment_bad_checksum);
	else if ((pkt->seg.opts.present & (HS_OPT_MD5 | HS_OPT_AO)) ||
		 hs_listener_has_key(back.listener, pkt))
		hs_count(hn, THREEWAY_C_native_md5);
	else if (hs_listener_ttl_refuses(back.listener, pkt))
		hs_count(hn, THREEWAY_C_native_min_ttl);
	else
		verdict = hs_cookie_return(&back);
	sock_put(back.listener);
	return verdict;
}
