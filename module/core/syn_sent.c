// SPDX-License-Identifier: GPL-2.0
/* SYN-SENT: RFC 9293 section 3.10.7.3. */
#include "arrival.h"
#include "reply.h"
#include "seq.h"
#include "timestamp.h"

/* After a half-open connection was reset, the SYN will find the peer ready. */
#define HS_SYN_SOON_MS	8

/*
 * Once, or a flood would put the copy off for ever; and not when there is no copy
 * left: that would only end the flow before its time.
 */
static void hs_syn_soon(const struct hs_arrival *a)
{
	if (a->tcb->hurried || a->tcb->timeouts ||
	    !hs_retries_left(a->tcb, a->policy))
		return;
	a->tcb->hurried = true;
	hs_timer_wait(a->tcb, a->policy, a->now_ms, HS_SYN_SOON_MS,
		      a->actions);
}

/*
 * The ACK bit comes first. Whatever acknowledges something else than our SYN is
 * reset; a RST that does so is a guess, and must not even hurry a SYN.
 */
static bool hs_check_syn_sent_ack(const struct hs_arrival *a)
{
	const struct hs_segment *seg = a->seg;

	if (!(seg->flags & HS_ACK) || seg->ack == hs_snd_nxt(a->tcb))
		return false;
	if (seg->flags & HS_RST) {
		a->actions->counter = THREEWAY_C_segment_syn_sent_rst;
		return true;
	}
	a->actions->counter = THREEWAY_C_segment_bad_ack;
	hs_answer_rst(a);
	hs_syn_soon(a);
	return true;
}

/* TSecr must be a TSval of ours; 0 comes from peers that echo nothing. */
static bool hs_check_syn_sent_tsecr(const struct hs_arrival *a)
{
	const struct hs_options *opts = &a->seg->opts;
	const struct hs_tcb *tcb = a->tcb;

	if (!(a->seg->flags & HS_ACK) || !tcb->tstamp_ok || !opts->tsecr ||
	    !(opts->present & HS_OPT_TIMESTAMPS) ||
	    hs_seq_between(opts->tsecr, tcb->tsval_first,
			   a->now_ms + tcb->ts_offset))
		return false;
	a->actions->counter = THREEWAY_C_segment_tsecr;
	if (!(a->seg->flags & HS_RST))
		hs_answer_rst(a);
	return true;
}

/* SEG.SEQ says nothing yet: refusals carry 0. */
static bool hs_check_syn_sent_rst(const struct hs_arrival *a)
{
	if (!(a->seg->flags & HS_RST))
		return false;
	if (a->seg->flags & HS_ACK) {
		a->actions->verdict = HS_NATIVE;
		a->actions->counter = THREEWAY_C_segment_refused;
		a->actions->end = THREEWAY_C_flows_refused;
	} else {
		a->actions->counter = THREEWAY_C_segment_syn_sent_rst;
	}
	return true;
}

static bool hs_check_syn_sent_no_syn(const struct hs_arrival *a)
{
	if (a->seg->flags & HS_SYN)
		return false;
	a->actions->counter = THREEWAY_C_segment_syn_sent_no_syn;
	return true;
}

/*
 * The SYNs cross. What was not offered by both is off, data and FIN of the SYN
 * are not acknowledged, and the timer goes on as it was set for the SYN.
 */
static void hs_syn_sent_crossed(const struct hs_arrival *a)
{
	struct hs_actions *actions = a->actions;

	if (hs_arrival_old(a)) {
		actions->counter = THREEWAY_C_segment_paws;
		return;
	}
	hs_tcb_peer_syn(a->tcb, a->seg);
	if (a->policy->freeze == THREEWAY_FREEZE_REFUSE) {
		hs_refuse_first(a->tcb, a->policy, a->now_ms, actions);
		return;
	}
	a->tcb->state = THREEWAY_SYN_RECEIVED;
	actions->counter = THREEWAY_C_segment_syn_crossed;
	if (hs_answer_later(a->tcb, a->policy, a->now_ms, actions))
		return;
	actions->sent = THREEWAY_C_sent_synack_crossed;
	hs_reply_synack(&actions->reply, a->tcb, a->now_ms);
}

bool hs_syn_answered(const struct hs_tcb *tcb, const struct hs_segment *seg)
{
	const struct hs_options *opts = &seg->opts;

	if (tcb->state != THREEWAY_SYN_SENT || seg->ack != hs_snd_nxt(tcb) ||
	    (seg->flags & (HS_SYN | HS_ACK | HS_RST)) != (HS_SYN | HS_ACK))
		return false;
	return !tcb->tstamp_ok || !(opts->present & HS_OPT_TIMESTAMPS) ||
	       opts->tsecr == tcb->tsval_last;
}

void hs_syn_sent_arrives(const struct hs_arrival *a)
{
	if (hs_check_syn_sent_ack(a) || hs_check_syn_sent_tsecr(a) ||
	    hs_check_syn_sent_rst(a) || hs_check_syn_sent_no_syn(a))
		return;
	if (a->seg->flags & HS_ACK)
		a->actions->verdict = HS_HANDOFF;
	else
		hs_syn_sent_crossed(a);
}
