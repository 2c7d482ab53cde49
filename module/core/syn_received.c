// SPDX-License-Identifier: GPL-2.0
/*
 * SYN-RECEIVED: RFC 9293 section 3.10.7.4. Reached from LISTEN the native stack's
 * order of checks holds: duplicate SYN, ACK value, timestamps, RST, sequence,
 * SYN, ACK bit. Reached from SYN-SENT it is the RFC's.
 */
#include "arrival.h"
#include "reply.h"
#include "seq.h"

/*
 * The peer's SYN again. Its FIN and data are ignored as they were the first
 * time. The copy is not a timeout: the timer starts anew, backed off no further.
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
	hs_timer_set(a->tcb, a->policy, a->now_ms, actions);
	return true;
}

/*
 * Before the sequence number, unlike RFC 9293: a lie about SND.NXT is reset,
 * unless it answers a SYN cookie: one of the engine's that the same SYN got when
 * there was no room for a flow; or one of the native stack's, which only that can
 * tell.
 */
static bool hs_check_ack_value(const struct hs_arrival *a)
{
	bool may_be_cookie = !(a->seg->flags & HS_SYN);

	if (!(a->seg->flags & HS_ACK) || (a->seg->flags & HS_RST) ||
	    a->seg->ack == hs_snd_nxt(a->tcb))
		return false;

	if (may_be_cookie && a->policy->cookie_back &&
	    a->seg->seq == hs_rcv_nxt(a->tcb)) {
		a->actions->verdict = HS_COOKIE;
		a->actions->end = THREEWAY_C_flows_cookie;
		return true;
	}
	if (may_be_cookie && a->policy->native_cookies) {
		a->actions->verdict = HS_NATIVE;
		a->actions->counter = THREEWAY_C_native_cookie_ack;
		return true;
	}
	a->actions->counter = THREEWAY_C_segment_bad_ack;
	hs_answer_rst(a);
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

/*
 * Simultaneous open: the peer's SYN-ACK acknowledges our SYN and repeats the SYN
 * that we have; strictly it is out of the window. It may say that the peer will
 * not do ECN after all.
 */
static bool hs_check_crossed_synack(const struct hs_arrival *a)
{
	const struct hs_segment *seg = a->seg;

	if ((seg->flags & (HS_SYN | HS_ACK | HS_RST | HS_FIN)) !=
	    (HS_SYN | HS_ACK) || seg->len != 1 || seg->seq != a->tcb->irs ||
	    seg->ack != hs_snd_nxt(a->tcb))
		return false;
	a->tcb->ecn_ok = hs_agree_ecn(a->tcb, seg->flags);
	a->actions->verdict = HS_HANDOFF;
	return true;
}

static void hs_crossed_final(const struct hs_arrival *a)
{
	if (!(a->seg->flags & HS_ACK)) {
		a->actions->counter = THREEWAY_C_segment_no_ack;
	} else if (a->seg->ack != hs_snd_nxt(a->tcb)) {
		a->actions->counter = THREEWAY_C_segment_bad_ack;
		hs_answer_rst(a);
	} else {
		a->actions->verdict = HS_HANDOFF;
	}
}

void hs_syn_received_arrives(const struct hs_arrival *a)
{
	if (a->tcb->active) {
		if (!hs_check_timestamps(a) &&
		    !hs_check_rst(a, THREEWAY_C_flows_refused) &&
		    !hs_check_crossed_synack(a) &&
		    !hs_check_syn_challenge(a) && !hs_check_sequence(a))
			hs_crossed_final(a);
		return;
	}
	if (!hs_check_duplicate_syn(a) && !hs_check_ack_value(a) &&
	    !hs_check_timestamps(a) &&
	    !hs_check_rst(a, THREEWAY_C_flows_reset) &&
	    !hs_check_sequence(a) && !hs_check_syn(a))
		hs_arrives_final(a);
}
