// SPDX-License-Identifier: GPL-2.0
#include "arrival.h"
#include "reply.h"
#include "seq.h"
#include "timestamp.h"

/*
 * One limit for all answers to duplicate and invalid segments (RFC 5961
 * section 7), so that two ends that disagree cannot keep each other busy.
 */
bool hs_rate_limited(const struct hs_arrival *a)
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

static void hs_answer_ack_now(const struct hs_arrival *a)
{
	hs_reply_ack(&a->actions->reply, a->tcb, a->now_ms);
	a->actions->sent = THREEWAY_C_sent_ack;
}

bool hs_answer_ack(const struct hs_arrival *a)
{
	if (hs_rate_limited(a))
		return false;
	hs_answer_ack_now(a);
	return true;
}

/*
 * A challenge ACK counts for the flow before it counts for all of them.
 * Return: the counter of what came of it.
 */
static enum threeway_counter hs_answer_challenge(const struct hs_arrival *a,
						 enum threeway_counter sent,
						 enum threeway_counter limited)
{
	if (hs_rate_limited(a))
		return limited;
	if (a->policy->challenges_spent)
		return THREEWAY_C_segment_challenge_limited;
	hs_answer_ack_now(a);
	return sent;
}

void hs_answer_rst(const struct hs_arrival *a)
{
	hs_reply_rst(&a->actions->reply, a->seg);
	a->actions->sent = THREEWAY_C_sent_rst;
}

bool hs_arrival_old(const struct hs_arrival *a)
{
	return a->tcb->tstamp_ok &&
	       hs_paws_rejects(a->tcb->ts_recent, &a->seg->opts);
}

/*
 * PAWS, then TSecr, which must be a TSval of ours. A RST is exempt (RFC 7323
 * section 5.2). TSecr means nothing without ACK; 0 comes from peers that echo
 * nothing. A SYN that has one comes from a proxy that rewrites timestamps
 * (SYNPROXY does), and not always well.
 */
bool hs_check_timestamps(const struct hs_arrival *a)
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
bool hs_check_rst(const struct hs_arrival *a, enum threeway_counter end)
{
	struct hs_actions *actions = a->actions;
	u32 distance = a->seg->seq - hs_rcv_nxt(a->tcb);

	if (!(a->seg->flags & HS_RST))
		return false;

	if (!distance) {
		actions->counter = THREEWAY_C_segment_rst_exact;
		actions->end = end;
	} else if (distance >= a->tcb->rcv_wnd) {
		actions->counter = THREEWAY_C_segment_rst_out_of_window;
	} else {
		actions->counter =
			hs_answer_challenge(a,
					    THREEWAY_C_segment_rst_challenged,
					    THREEWAY_C_segment_rst_limited);
	}
	return true;
}

/*
 * A SYN left of the window stays out of it even when its data reach in: that
 * is not a segment of this connection, so nothing of it is trimmed to fit.
 */
bool hs_check_sequence(const struct hs_arrival *a)
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

bool hs_check_syn_challenge(const struct hs_arrival *a)
{
	if (!(a->seg->flags & HS_SYN))
		return false;

	a->actions->counter =
		hs_answer_challenge(a, THREEWAY_C_segment_syn_challenged,
				    THREEWAY_C_segment_duplicate_limited);
	return true;
}

bool hs_frozen(const struct hs_tcb *tcb, const struct hs_policy *policy)
{
	return (policy->freeze == THREEWAY_FREEZE_SYN_SENT &&
		tcb->state == THREEWAY_SYN_SENT) ||
	       (policy->freeze == THREEWAY_FREEZE_SYN_RECEIVED &&
		tcb->state == THREEWAY_SYN_RECEIVED);
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
	if (tcb->delayed || hs_frozen(tcb, policy)) {
		actions->counter = THREEWAY_C_segment_frozen;
		return;
	}
	if (tcb->state == THREEWAY_SYN_SENT)
		hs_syn_sent_arrives(&a);
	else if (tcb->state == THREEWAY_SYN_RECEIVED)
		hs_syn_received_arrives(&a);
	else
		hs_held_arrives(&a);
	if (policy->hold && actions->verdict == HS_HANDOFF)
		hs_held_finish(tcb, seg, policy, now_ms, actions);
	hs_reply_lose(tcb, policy, actions);
}
