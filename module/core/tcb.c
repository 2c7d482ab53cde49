// SPDX-License-Identifier: GPL-2.0
#include "schedule.h"
#include "seq.h"
#include "tcb.h"
#include "timestamp.h"

/* A segment that arrived for a flow, and where its consequences go. */
struct hs_arrival {
	struct hs_tcb *tcb;
	const struct hs_segment *seg;
	const struct hs_policy *policy;
	u32 now_ms;
	struct hs_actions *actions;
};

void hs_actions_init(struct hs_actions *actions, enum hs_verdict verdict)
{
	memset(actions, 0, sizeof(*actions));
	actions->verdict = verdict;
	actions->timer = HS_TIMER_KEEP;
	actions->counter = HS_NONE;
	actions->sent = HS_NONE;
	actions->end = HS_NONE;
}

static u32 hs_rcv_nxt(const struct hs_tcb *tcb)
{
	return tcb->irs + 1;
}

static u32 hs_snd_nxt(const struct hs_tcb *tcb)
{
	return tcb->iss + 1;
}

static void hs_saturating_inc(u8 *value)
{
	if (*value < 255)
		(*value)++;
}

/*
 * On every segment but a RST, even while TS.Recent is 0 (RFC 7323 section 3.2).
 * Whichever of them the peer saw last, it may echo.
 */
static void hs_reply_timestamps(struct hs_reply *reply, struct hs_tcb *tcb,
				u32 now_ms)
{
	if (!tcb->tstamp_ok)
		return;
	reply->opts.present |= HS_OPT_TIMESTAMPS;
	reply->opts.tsval = now_ms + tcb->ts_offset;
	reply->opts.tsecr = tcb->ts_recent;
	tcb->tsval_last = reply->opts.tsval;
}

static void hs_reply_synack(struct hs_reply *reply, struct hs_tcb *tcb,
			    u32 now_ms)
{
	reply->seq = tcb->iss;
	reply->ack = hs_rcv_nxt(tcb);
	reply->wnd = (u16)(tcb->rcv_wnd < 65535 ? tcb->rcv_wnd : 65535);
	reply->flags = HS_SYN | HS_ACK;
	if (tcb->ecn_ok)
		reply->flags |= HS_ECE;

	reply->opts.present = HS_OPT_MSS;
	reply->opts.mss = tcb->advertised_mss;
	if (tcb->wscale_ok) {
		reply->opts.present |= HS_OPT_WSCALE;
		reply->opts.wscale = tcb->rcv_wscale;
	}
	if (tcb->sack_ok)
		reply->opts.present |= HS_OPT_SACK_PERMITTED;
	hs_reply_timestamps(reply, tcb, now_ms);
}

static void hs_reply_ack(struct hs_reply *reply, struct hs_tcb *tcb,
			 u32 now_ms)
{
	u8 shift = tcb->wscale_ok ? tcb->rcv_wscale : 0;

	reply->seq = hs_snd_nxt(tcb);
	reply->ack = hs_rcv_nxt(tcb);
	reply->wnd = (u16)(tcb->rcv_wnd >> shift);
	reply->flags = HS_ACK;
	hs_reply_timestamps(reply, tcb, now_ms);
}

/* RFC 9293 section 3.10.7.1 */
static void hs_reply_rst(struct hs_reply *reply, const struct hs_segment *seg)
{
	if (seg->flags & HS_ACK) {
		reply->seq = seg->ack;
		reply->flags = HS_RST;
	} else {
		reply->ack = seg->seq + seg->len;
		reply->flags = HS_RST | HS_ACK;
	}
}

static void hs_timer_set(const struct hs_tcb *tcb,
			 const struct hs_policy *policy,
			 struct hs_actions *actions)
{
	actions->timer = HS_TIMER_SET;
	actions->timer_ms = hs_rto_ms(policy->rto_initial_ms,
				      policy->rto_max_ms, tcb->timeouts);
}

/*
 * One limit for all answers to duplicate and invalid segments (RFC 5961
 * section 7), so that two ends that disagree cannot keep each other busy.
 */
static bool hs_rate_limited(const struct hs_arrival *a)
{
	struct hs_tcb *tcb = a->tcb;

	if (tcb->limited) {
		s32 elapsed_ms = (s32)(a->now_ms - tcb->limited_ms);

		if (elapsed_ms >= 0 && (u32)elapsed_ms < a->policy->ratelimit_ms)
			return true;
	}
	tcb->limited = true;
	tcb->limited_ms = a->now_ms;
	return false;
}

/* Return: whether the ACK goes out. */
static bool hs_answer_ack(const struct hs_arrival *a)
{
	if (hs_rate_limited(a))
		return false;
	hs_reply_ack(&a->actions->reply, a->tcb, a->now_ms);
	a->actions->sent = THREEWAY_C_sent_ack;
	return true;
}

static void hs_answer_rst(const struct hs_arrival *a)
{
	hs_reply_rst(&a->actions->reply, a->seg);
	a->actions->sent = THREEWAY_C_sent_rst;
}

static bool hs_arrival_old(const struct hs_arrival *a)
{
	return a->tcb->tstamp_ok &&
	       hs_paws_rejects(a->tcb->ts_recent, &a->seg->opts);
}

/*
 * The peer's SYN again. Its FIN and data are ignored as they were the first
 * time. The copy is not a timeout: the timer starts anew, backed off no further.
 *
 * The checks below return whether they have dealt with the segment.
 */
static bool hs_check_duplicate_syn(const struct hs_arrival *a)
{
	u8 control = a->seg->flags & (HS_SYN | HS_ACK | HS_RST);
	struct hs_actions *actions = a->actions;

	if (control != HS_SYN || a->seg->seq != a->tcb->irs ||
	    hs_arrival_old(a))
		return false;

	if (hs_rate_limited(a)) {
		actions->counter = THREEWAY_C_segment_duplicate_limited;
		return true;
	}
	actions->counter = THREEWAY_C_segment_duplicate_syn;
	actions->sent = THREEWAY_C_sent_synack_duplicate;
	hs_reply_synack(&actions->reply, a->tcb, a->now_ms);
	hs_saturating_inc(&a->tcb->retransmits);
	hs_timer_set(a->tcb, a->policy, actions);
	return true;
}

/*
 * Before the sequence number, unlike RFC 9293: a lie about SND.NXT is reset,
 * unless it may be the answer to a SYN cookie of the native stack.
 */
static bool hs_check_ack_value(const struct hs_arrival *a)
{
	if (!(a->seg->flags & HS_ACK) || (a->seg->flags & HS_RST) ||
	    a->seg->ack == hs_snd_nxt(a->tcb))
		return false;

	if (a->policy->native_cookies && !(a->seg->flags & HS_SYN)) {
		a->actions->verdict = HS_NATIVE;
		a->actions->counter = THREEWAY_C_native_cookie_ack;
		return true;
	}
	a->actions->counter = THREEWAY_C_segment_bad_ack;
	hs_answer_rst(a);
	return true;
}

/*
 * PAWS, then TSecr, which must be a TSval of ours. A RST is exempt (RFC 7323
 * section 5.2). TSecr means nothing without ACK; 0 comes from peers that echo
 * nothing. A SYN that has one comes from a proxy that rewrites timestamps
 * (SYNPROXY does), and not always well.
 */
static bool hs_check_timestamps(const struct hs_arrival *a)
{
	const struct hs_options *opts = &a->seg->opts;
	const struct hs_tcb *tcb = a->tcb;

	if (!tcb->tstamp_ok || !(opts->present & HS_OPT_TIMESTAMPS) ||
	    (a->seg->flags & HS_RST))
		return false;

	if (hs_arrival_old(a))
		a->actions->counter = THREEWAY_C_segment_paws;
	else if ((a->seg->flags & HS_ACK) && opts->tsecr && tcb->tsecr_ok &&
		 !hs_seq_between(opts->tsecr, tcb->tsval_first,
				 tcb->tsval_last))
		a->actions->counter = THREEWAY_C_segment_tsecr;
	else
		return false;

	hs_answer_ack(a);
	return true;
}

/*
 * Only SEG.SEQ decides (RFC 5961 section 3.2): exact resets, within the window
 * is challenged, else it is ignored. The exact one counts even with a window
 * of 0.
 */
static bool hs_check_rst(const struct hs_arrival *a)
{
	struct hs_actions *actions = a->actions;
	u32 distance = a->seg->seq - hs_rcv_nxt(a->tcb);

	if (!(a->seg->flags & HS_RST))
		return false;

	if (!distance) {
		actions->counter = THREEWAY_C_segment_rst_exact;
		actions->end = THREEWAY_C_flows_reset;
	} else if (distance >= a->tcb->rcv_wnd) {
		actions->counter = THREEWAY_C_segment_rst_out_of_window;
	} else if (hs_answer_ack(a)) {
		actions->counter = THREEWAY_C_segment_rst_challenged;
	} else {
		actions->counter = THREEWAY_C_segment_rst_limited;
	}
	return true;
}

/*
 * A SYN left of the window stays out of it even when its data reach in: that
 * is not a segment of this connection, so nothing of it is trimmed to fit.
 */
static bool hs_check_sequence(const struct hs_arrival *a)
{
	const struct hs_segment *seg = a->seg;
	u32 rcv_nxt = hs_rcv_nxt(a->tcb);
	u32 len = seg->flags & HS_SYN ? 1 : seg->len;

	if (hs_seq_acceptable(seg->seq, len, rcv_nxt, a->tcb->rcv_wnd))
		return false;

	if (hs_answer_ack(a))
		a->actions->counter = THREEWAY_C_segment_out_of_window;
	else
		a->actions->counter = THREEWAY_C_segment_out_of_window_limited;
	return true;
}

/* A SYN in the window: the peer has begun anew, or this is an attack. */
static bool hs_check_syn(const struct hs_arrival *a)
{
	if (!(a->seg->flags & HS_SYN))
		return false;

	a->actions->counter = THREEWAY_C_segment_syn_in_window;
	a->actions->end = THREEWAY_C_flows_syn_reset;
	hs_answer_rst(a);
	return true;
}

/*
 * All that is left may complete the handshake, if the listener wants it now.
 * TS.Recent stays as it is: the native stack sees the segment again and updates
 * it there.
 */
static void hs_arrives_final(const struct hs_arrival *a)
{
	const struct hs_policy *policy = a->policy;
	const struct hs_segment *seg = a->seg;
	struct hs_actions *actions = a->actions;
	struct hs_tcb *tcb = a->tcb;

	if (!(seg->flags & HS_ACK)) {
		actions->counter = THREEWAY_C_segment_no_ack;
	} else if (tcb->timeouts < policy->defer_accept &&
		   seg->seq + seg->len == hs_rcv_nxt(tcb)) {
		actions->counter = THREEWAY_C_segment_deferred;
		tcb->acked = true;
	} else if (!policy->accept_queue_full) {
		actions->verdict = HS_HANDOFF;
	} else {
		actions->counter = THREEWAY_C_segment_accept_queue_full;
		if (policy->abort_on_overflow) {
			actions->end = THREEWAY_C_flows_overflow_reset;
			hs_answer_rst(a);
		} else {
			tcb->acked = true;
		}
	}
}

void hs_segment_arrives(struct hs_tcb *tcb, const struct hs_segment *seg,
			const struct hs_policy *policy, u32 now_ms,
			struct hs_actions *actions)
{
	const struct hs_arrival a = {
		.tcb = tcb,
		.seg = seg,
		.policy = policy,
		.now_ms = now_ms,
		.actions = actions,
	};

	hs_actions_init(actions, HS_DROP);
	if (hs_check_duplicate_syn(&a) || hs_check_ack_value(&a) ||
	    hs_check_timestamps(&a) || hs_check_rst(&a) ||
	    hs_check_sequence(&a) || hs_check_syn(&a))
		return;
	hs_arrives_final(&a);
}

void hs_listen_arrives(const struct hs_segment *seg, u16 source_port,
		       struct hs_actions *actions)
{
	u8 control = seg->flags & (HS_SYN | HS_ACK | HS_RST | HS_FIN);

	hs_actions_init(actions, HS_NATIVE);
	if (control == (HS_SYN | HS_FIN)) {
		actions->counter = THREEWAY_C_segment_syn_fin;
	} else if (control == HS_SYN) {
		actions->verdict = HS_DROP;
		if (!source_port)
			actions->counter = THREEWAY_C_segment_port_zero;
	}
}

/* MSS, window scale, SACK and timestamps: what came and what this end wants. */
static void hs_negotiate_options(struct hs_tcb *tcb,
				 const struct hs_options *opts,
				 const struct hs_offer *offer)
{
	tcb->peer_mss = offer->default_mss;
	if (opts->present & HS_OPT_MSS) {
		tcb->peer_mss = opts->mss;
		if (offer->user_mss && offer->user_mss < opts->mss)
			tcb->peer_mss = offer->user_mss;
	}
	tcb->wscale_ok = offer->wscale && (opts->present & HS_OPT_WSCALE);
	tcb->snd_wscale = tcb->wscale_ok ? opts->wscale : 0;
	tcb->sack_ok = offer->sack && (opts->present & HS_OPT_SACK_PERMITTED);
	tcb->tstamp_ok = offer->timestamps &&
			 (opts->present & HS_OPT_TIMESTAMPS);
	tcb->ts_recent = tcb->tstamp_ok ? opts->tsval : 0;
	tcb->tsecr_ok = tcb->tstamp_ok && !opts->tsecr;
}

/*
 * An ECN-setup SYN must not itself be ECN-capable (RFC 3168 section 6.1.1); one
 * of RFC 9768, known by its AE bit, may be.
 */
static bool hs_negotiate_ecn(const struct hs_segment *seg,
			     const struct hs_offer *offer)
{
	const u8 setup = HS_ECE | HS_CWR;

	if ((seg->flags & setup) != setup)
		return false;
	return offer->ecn_always ||
	       (offer->ecn && (!seg->ecn_capable || seg->ae));
}

void hs_tcb_passive_open(struct hs_tcb *tcb, const struct hs_segment *seg,
			 const struct hs_offer *offer, u32 iss, u32 ts_offset)
{
	tcb->iss = iss;
	tcb->irs = seg->seq;
	tcb->ts_offset = ts_offset;
	tcb->tsval_first = 0;
	tcb->tsval_last = 0;
	tcb->limited_ms = 0;
	tcb->limited = false;
	tcb->state = THREEWAY_SYN_RECEIVED;
	tcb->timeouts = 0;
	tcb->retransmits = 0;
	tcb->acked = false;
	hs_negotiate_options(tcb, &seg->opts, offer);
	tcb->ecn_ok = hs_negotiate_ecn(seg, offer);
}

void hs_synack_first(struct hs_tcb *tcb, const struct hs_policy *policy,
		     u32 now_ms, struct hs_actions *actions)
{
	hs_actions_init(actions, HS_DROP);
	actions->sent = THREEWAY_C_sent_synack;
	hs_reply_synack(&actions->reply, tcb, now_ms);
	tcb->tsval_first = tcb->tsval_last;
	hs_timer_set(tcb, policy, actions);
}

/*
 * TCP_DEFER_ACCEPT: once the peer has acknowledged, the flow waits for data
 * without copies, and at the end of the period one more copy provokes an ACK
 * that will complete the handshake even if it is bare.
 */
static bool hs_waits_for_data(const struct hs_tcb *tcb,
			      const struct hs_policy *policy)
{
	return tcb->acked && policy->defer_accept;
}

/* Timer expiries after which the next one ends the flow. */
static u32 hs_expiries(const struct hs_tcb *tcb, const struct hs_policy *policy)
{
	if (hs_waits_for_data(tcb, policy) &&
	    policy->defer_accept > policy->synack_retries)
		return policy->defer_accept;
	return policy->synack_retries;
}

/* Timer expiries that send no copy. */
static u32 hs_silent_expiries(const struct hs_tcb *tcb,
			      const struct hs_policy *policy)
{
	return hs_waits_for_data(tcb, policy) ? policy->defer_accept - 1U : 0;
}

void hs_timer_fires(struct hs_tcb *tcb, const struct hs_policy *policy,
		    u32 now_ms, struct hs_actions *actions)
{
	hs_actions_init(actions, HS_DROP);
	if (tcb->timeouts >= hs_expiries(tcb, policy)) {
		actions->end = THREEWAY_C_flows_expired;
		return;
	}
	if (tcb->timeouts >= hs_silent_expiries(tcb, policy)) {
		actions->sent = THREEWAY_C_sent_synack_timer;
		hs_reply_synack(&actions->reply, tcb, now_ms);
		hs_saturating_inc(&tcb->retransmits);
	}
	hs_saturating_inc(&tcb->timeouts);
	hs_timer_set(tcb, policy, actions);
}

void hs_synack_lost(struct hs_tcb *tcb)
{
	if (tcb->retransmits)
		tcb->retransmits--;
}

u32 hs_retries_left(const struct hs_tcb *tcb, const struct hs_policy *policy)
{
	u32 silent = hs_silent_expiries(tcb, policy);
	u32 next = tcb->timeouts > silent ? tcb->timeouts : silent;
	u32 end = hs_expiries(tcb, policy);

	return end > next ? end - next : 0;
}
