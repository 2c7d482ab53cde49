// SPDX-License-Identifier: GPL-2.0
/*
 * The rules in words of their own: they call nothing of the core but what a rule
 * is about, so that a mistake there is not made here as well.
 */
#include "rule.h"
#include "rules.h"

#define SETUP		(HS_ECE | HS_CWR)
#define WRITTEN		(HS_OPT_MSS | HS_OPT_WSCALE | \
			 HS_OPT_SACK_PERMITTED | HS_OPT_TIMESTAMPS)
#define SYN_ONLY	(HS_OPT_MSS | HS_OPT_WSCALE | HS_OPT_SACK_PERMITTED)
#define SOON_MS		8U

static bool synchronized(const struct hs_tcb *tcb)
{
	return tcb->state == THREEWAY_SYN_RECEIVED ||
	       tcb->state == THREEWAY_ESTABLISHED;
}

/* Does a segment touch the window? RFC 9293 section 3.4 in 64 bits. */
static bool touches_window(const struct hs_tcb *tcb,
			   const struct hs_segment *seg)
{
	__s64 first = (s32)(seg->seq - (tcb->irs + 1));
	__s64 wnd = tcb->rcv_wnd;
	__s64 last = first + seg->len - 1;

	if (!wnd)
		return !first && !seg->len;
	if (first >= 0 && first < wnd)
		return true;
	return seg->len && last >= 0 && last < wnd;
}

static bool is_counter(enum threeway_counter counter)
{
	return (u32)counter <= (u32)HS_NONE;
}

bool same_tcb(const struct hs_tcb *tcb, const struct hs_tcb *other,
	      bool but_ecn)
{
	return tcb->iss == other->iss && tcb->irs == other->irs &&
	       tcb->rcv_wnd == other->rcv_wnd &&
	       tcb->ts_recent == other->ts_recent &&
	       tcb->ts_offset == other->ts_offset &&
	       tcb->tsval_first == other->tsval_first &&
	       tcb->tsval_last == other->tsval_last &&
	       tcb->limited_ms == other->limited_ms &&
	       tcb->opened_ms == other->opened_ms &&
	       tcb->peer_wnd == other->peer_wnd &&
	       tcb->peer_mss == other->peer_mss &&
	       tcb->advertised_mss == other->advertised_mss &&
	       tcb->timeouts == other->timeouts &&
	       tcb->snd_wscale == other->snd_wscale &&
	       tcb->rcv_wscale == other->rcv_wscale &&
	       tcb->state == other->state &&
	       tcb->retransmits == other->retransmits &&
	       tcb->segments_sent == other->segments_sent &&
	       tcb->unsent == other->unsent &&
	       tcb->active == other->active &&
	       tcb->wscale_ok == other->wscale_ok &&
	       tcb->tstamp_ok == other->tstamp_ok &&
	       tcb->tsecr_ok == other->tsecr_ok &&
	       tcb->sack_ok == other->sack_ok &&
	       (but_ecn || tcb->ecn_ok == other->ecn_ok) &&
	       tcb->ecn_setup == other->ecn_setup &&
	       tcb->hurried == other->hurried &&
	       tcb->delayed == other->delayed && tcb->acked == other->acked &&
	       tcb->limited == other->limited;
}

/* A reply is one segment, and says where the flow is in numbers it owns. */
static void rules_reply_numbers(const struct step *step)
{
	const struct hs_reply *reply = &step->actions.reply;
	const struct hs_tcb *tcb = &step->after;

	if (reply->flags & HS_RST) {
		RULE("a RST has no options and no window",
		     !reply->opts.present && !reply->wnd);
		return;
	}
	RULE("SEG.SEQ is the ISS with SYN, else SND.NXT",
	     reply->seq == tcb->iss + !(reply->flags & HS_SYN));
	RULE("SEG.ACK is RCV.NXT with ACK, else 0",
	     reply->ack == (reply->flags & HS_ACK ? tcb->irs + 1 : 0));
	RULE("a SYN leaves in SYN-SENT, a SYN-ACK in SYN-RECEIVED",
	     IMPLIES(reply->flags & HS_SYN,
		     tcb->state == (reply->flags & HS_ACK ?
				    THREEWAY_SYN_RECEIVED :
				    THREEWAY_SYN_SENT)));
	RULE("an answer brings no option that was not agreed",
	     !(reply->opts.present & ~(u32)WRITTEN) &&
	     IMPLIES(reply->opts.present & HS_OPT_WSCALE, tcb->wscale_ok) &&
	     IMPLIES(reply->opts.present & HS_OPT_SACK_PERMITTED,
		     tcb->sack_ok) &&
	     !(reply->opts.present & HS_OPT_TIMESTAMPS) == !tcb->tstamp_ok);
	RULE("a SYN's options leave only on a SYN",
	     IMPLIES(!(reply->flags & HS_SYN),
		     !(reply->opts.present & SYN_ONLY)));
}

static bool flags_known(u8 flags)
{
	switch (flags) {
	case 0:
	case HS_SYN:
	case HS_SYN | SETUP:
	case HS_SYN | HS_ACK:
	case HS_SYN | HS_ACK | HS_ECE:
	case HS_ACK:
	case HS_RST:
	case HS_RST | HS_ACK:
		return true;
	default:
		return false;
	}
}

static void rules_actions(const struct step *step)
{
	const struct hs_actions *actions = &step->actions;
	const struct hs_reply *reply = &actions->reply;

	RULE("verdict, timer and counters are of their kind",
	     actions->verdict <= HS_COOKIE && actions->timer <= HS_TIMER_SET &&
	     is_counter(actions->counter) && is_counter(actions->sent) &&
	     is_counter(actions->end));
	RULE("one segment leaves exactly if one is counted as sent",
	     !reply->flags == (actions->sent == HS_NONE));
	RULE("only SYN, SYN-ACK, ACK and RST leave", flags_known(reply->flags));
	RULE("only what the lab asks for is lost",
	     IMPLIES(actions->lost, reply->flags && step->policy.lose));
	RULE("a segment counts as sent, up to 255",
	     step->after.segments_sent == step->before.segments_sent +
	     (reply->flags && step->before.segments_sent != 255));
	if (reply->flags)
		rules_reply_numbers(step);
}

/* No state goes back, and nothing that names the connection changes. */
static void rules_progress(const struct step *step)
{
	const struct hs_tcb *before = &step->before;
	const struct hs_tcb *after = &step->after;

	rules_tcb(after);
	RULE("the ISS stays", after->iss == before->iss);
	RULE("the direction stays", after->active == before->active);
	RULE("the state does not go back", after->state >= before->state);
	RULE("the IRS changes only to the SYN's that SYN-SENT takes",
	     after->irs == before->irs ||
	     (before->state == THREEWAY_SYN_SENT && step->seg &&
	      (step->seg->flags & HS_SYN) &&
	      after->irs == step->seg->seq));
	RULE("the window that was promised stays",
	     after->rcv_wnd == before->rcv_wnd);
	RULE("what is not agreed stays so",
	     after->wscale_ok <= before->wscale_ok &&
	     after->tstamp_ok <= before->tstamp_ok &&
	     after->sack_ok <= before->sack_ok &&
	     after->ecn_ok <= before->ecn_ok &&
	     after->ecn_setup <= before->ecn_setup);
	RULE("the flow's birth stays", after->opened_ms == before->opened_ms &&
	     after->ts_offset == before->ts_offset);
}

/* Neither the retransmission, nor the deadline, nor the delay is exceeded. */
static void rules_timer_value(const struct step *step)
{
	const struct hs_policy *policy = &step->policy;
	u32 elapsed_ms = step->now_ms - step->after.opened_ms;
	u32 most_ms = policy->rto_max_ms;

	if (step->actions.timer != HS_TIMER_SET)
		return;
	if (most_ms < policy->delay_ms)
		most_ms = policy->delay_ms;
	if (most_ms < policy->deadline_ms)
		most_ms = policy->deadline_ms;
	RULE("the timer is set to RTO.max, delay or deadline at most",
	     step->actions.timer_ms <= most_ms);
	RULE("the timer does not miss the deadline",
	     IMPLIES(policy->deadline_ms && elapsed_ms < policy->deadline_ms,
		     step->actions.timer_ms <=
		     policy->deadline_ms - elapsed_ms));
	RULE("a timer that is due at once is a deadline that is over",
	     IMPLIES(!step->actions.timer_ms && policy->rto_initial_ms,
		     policy->deadline_ms && elapsed_ms >= policy->deadline_ms));
	RULE("a flow that ends sets no timer", step->actions.end == HS_NONE);
}

/* Is the connection ours by right? */
static void rules_earned(const struct step *step)
{
	const struct hs_tcb *before = &step->before;
	const struct hs_segment *seg = step->seg;
	bool finished = step->actions.verdict == HS_HANDOFF ||
			(step->after.state == THREEWAY_ESTABLISHED &&
			 before->state != THREEWAY_ESTABLISHED);

	if (!finished)
		return;
	RULE("the handshake completes by an ACK of our SYN, never by a RST",
	     (seg->flags & HS_ACK) && !(seg->flags & HS_RST) &&
	     seg->ack == before->iss + 1);
	RULE("in SYN-SENT it completes by a SYN-ACK",
	     IMPLIES(before->state == THREEWAY_SYN_SENT,
		     seg->flags & HS_SYN));
	RULE("in SYN-RECEIVED it completes within the window, or by the crossed SYN-ACK",
	     before->state == THREEWAY_SYN_SENT ||
	     (!(seg->flags & HS_SYN) && touches_window(before, seg)) ||
	     (before->active && (seg->flags & HS_SYN) && seg->len == 1 &&
	      seg->seq == before->irs));
	RULE("in SYN-RECEIVED it does not complete by what is older than TS.Recent",
	     before->state == THREEWAY_SYN_SENT || !before->tstamp_ok ||
	     !before->ts_recent ||
	     !(seg->opts.present & HS_OPT_TIMESTAMPS) ||
	     (s32)(seg->opts.tsval - before->ts_recent) >= 0 ||
	     seg->opts.tsval - before->ts_recent == 0x80000000U);
	RULE("a completed handshake is handed over, or held where that is wanted",
	     (step->actions.verdict == HS_HANDOFF) == !step->policy.hold);
	RULE("what completes the handshake does not end the flow",
	     step->actions.end == HS_NONE);
}

static void rules_handoff(const struct step *step)
{
	bool crossed = step->before.active &&
		       step->before.state == THREEWAY_SYN_RECEIVED &&
		       (step->seg->flags & HS_SYN);

	if (step->actions.verdict != HS_HANDOFF)
		return;
	RULE("a handoff sends nothing and sets no timer",
	     !step->actions.reply.flags &&
	     step->actions.timer == HS_TIMER_KEEP);
	RULE("a handoff leaves the tcb as it is, but for ECN that a crossed SYN-ACK refuses",
	     same_tcb(&step->after, &step->before, crossed) &&
	     step->after.ecn_ok <= step->before.ecn_ok);
}

static void rules_answered(const struct step *step)
{
	const struct hs_tcb *before = &step->before;
	u32 now = step->now_ms + before->ts_offset;
	u32 first = before->tsval_first;
	bool clock_runs = now - first >= before->tsval_last - first;

	if (!hs_syn_answered(before, step->seg) || !clock_runs ||
	    step->policy.hold || step->policy.freeze || before->delayed)
		return;
	RULE("what answers our latest SYN is handed over, and nothing else comes of it",
	     step->actions.verdict == HS_HANDOFF &&
	     step->actions.counter == HS_NONE &&
	     step->actions.end == HS_NONE &&
	     same_tcb(&step->after, before, false));
}

static void rules_rst(const struct step *step)
{
	const struct hs_actions *actions = &step->actions;
	const struct hs_tcb *before = &step->before;
	u32 distance = step->seg->seq - (before->irs + 1);

	if (!(step->seg->flags & HS_RST))
		return;
	RULE("a RST is never answered, but by the challenge ACK of RFC 5961",
	     !actions->reply.flags ||
	     (actions->reply.flags == HS_ACK && synchronized(before) &&
	      actions->counter == THREEWAY_C_segment_rst_challenged &&
	      distance && distance < before->rcv_wnd));
	RULE("a RST neither completes nor moves a handshake",
	     step->after.state == before->state &&
	     actions->verdict != HS_HANDOFF);
	RULE("a RST ends a flow only if it is exact, or acknowledges our SYN",
	     actions->end == HS_NONE ||
	     (synchronized(before) && !distance) ||
	     (before->state == THREEWAY_SYN_SENT &&
	      (step->seg->flags & HS_ACK) &&
	      step->seg->ack == before->iss + 1));
}

/* RFC 5961 section 7, also for the SYN-ACKs that answer a duplicate SYN. */
static void rules_rate(const struct step *step)
{
	const struct hs_tcb *before = &step->before;
	s32 elapsed_ms = (s32)(step->now_ms - before->limited_ms);
	bool counted = step->actions.sent == THREEWAY_C_sent_synack_duplicate ||
		       (step->actions.sent == THREEWAY_C_sent_ack &&
			synchronized(before));

	if (!counted)
		return;
	RULE("answers to invalid and duplicate segments keep their distance",
	     !before->limited || elapsed_ms < 0 ||
	     (u32)elapsed_ms >= step->policy.ratelimit_ms);
	RULE("an answer that is limited counts for the next one",
	     step->after.limited && step->after.limited_ms == step->now_ms);
}

static void rules_frozen(const struct step *step)
{
	const struct hs_tcb *before = &step->before;
	u8 freeze = step->policy.freeze;

	if (!before->delayed &&
	    !(freeze == THREEWAY_FREEZE_SYN_SENT &&
	      before->state == THREEWAY_SYN_SENT) &&
	    !(freeze == THREEWAY_FREEZE_SYN_RECEIVED &&
	      before->state == THREEWAY_SYN_RECEIVED))
		return;
	RULE("a frozen flow, and one that answers late, takes no notice",
	     same_tcb(&step->after, before, false) &&
	     step->actions.verdict == HS_DROP &&
	     !step->actions.reply.flags && step->actions.end == HS_NONE &&
	     step->actions.timer == HS_TIMER_KEEP);
}

static void rules_segment_timer(const struct step *step)
{
	const struct hs_actions *actions = &step->actions;
	const struct hs_tcb *before = &step->before;

	RULE("no segment is a timeout", step->after.timeouts ==
	     before->timeouts);
	RULE("only an answered duplicate SYN counts as a copy",
	     step->after.retransmits == before->retransmits +
	     (actions->sent == THREEWAY_C_sent_synack_duplicate &&
	      before->retransmits != 255));
	RULE("no segment puts off the copies of a SYN",
	     IMPLIES(actions->timer == HS_TIMER_SET && before->active &&
		     !step->after.delayed &&
		     step->after.state != THREEWAY_ESTABLISHED,
		     !before->hurried && actions->timer_ms <= SOON_MS));
	RULE("a flow whose answer is late has its timer set for it",
	     IMPLIES(step->after.delayed && !before->delayed,
		     actions->timer == HS_TIMER_SET));
}

void rules_segment_step(const struct step *step)
{
	const struct hs_actions *actions = &step->actions;

	rules_actions(step);
	rules_progress(step);
	rules_timer_value(step);
	rules_earned(step);
	rules_handoff(step);
	rules_answered(step);
	rules_rst(step);
	rules_rate(step);
	rules_frozen(step);
	rules_segment_timer(step);
	RULE("the native stack gets answers to cookies and refusals only",
	     IMPLIES(actions->verdict == HS_NATIVE,
		     (actions->counter == THREEWAY_C_native_cookie_ack &&
		      actions->end == HS_NONE && step->policy.native_cookies) ||
		     actions->end == THREEWAY_C_flows_refused));
	RULE("the flow gives way to a cookie for its SYN, whose ACK is not its own",
	     (actions->verdict == HS_COOKIE) ==
		     (actions->end == THREEWAY_C_flows_cookie) &&
	     IMPLIES(actions->verdict == HS_COOKIE,
		     step->policy.cookie_back && !step->before.active &&
		     (step->seg->flags & (HS_SYN | HS_ACK | HS_RST)) == HS_ACK &&
		     step->seg->seq == step->before.irs + 1 &&
		     step->seg->ack != step->before.iss + 1 &&
		     !actions->reply.flags));
	RULE("a segment that is dropped is counted",
	     IMPLIES(actions->verdict == HS_DROP, actions->counter != HS_NONE));
}

/* Copies that the policy allows from now on, the silence of defer included. */
static u32 expiries_allowed(const struct step *step)
{
	const struct hs_policy *policy = &step->policy;

	if (step->before.active)
		return (u32)policy->syn_retries + policy->syn_linear_timeouts;
	if (step->before.acked && policy->defer_accept > policy->synack_retries)
		return policy->defer_accept;
	return policy->synack_retries;
}

/* No flow lives for ever, but where the user wants it to. */
static void rules_timer_end(const struct step *step)
{
	const struct hs_policy *policy = &step->policy;
	const struct hs_tcb *before = &step->before;
	bool ends = step->actions.end != HS_NONE;
	bool stays = before->state == THREEWAY_ESTABLISHED ||
		     policy->freeze == THREEWAY_FREEZE_SYN_SENT ||
		     policy->freeze == THREEWAY_FREEZE_SYN_RECEIVED;

	RULE("the timer ends a flow at its deadline",
	     IMPLIES(policy->deadline_ms && step->now_ms - before->opened_ms >=
		     policy->deadline_ms, ends));
	RULE("the timer brings the end nearer, unless the flow is to stay",
	     ends || stays || before->delayed ||
	     step->after.timeouts == before->timeouts + 1);
	RULE("the timer ends a flow that has all its copies sent",
	     IMPLIES(before->timeouts >= expiries_allowed(step) && !stays &&
		     !before->delayed, ends));
}

void rules_timer_step(const struct step *step)
{
	const struct hs_actions *actions = &step->actions;
	const struct hs_tcb *before = &step->before;
	bool copy = actions->sent == THREEWAY_C_sent_syn_timer ||
		    actions->sent == THREEWAY_C_sent_synack_timer;

	rules_actions(step);
	rules_progress(step);
	rules_timer_value(step);
	RULE("the timer drops nothing and counts no segment",
	     actions->verdict == HS_DROP && actions->counter == HS_NONE);
	RULE("the timer does not change the state",
	     step->after.state == before->state);
	RULE("the timer is set again, or the flow ends",
	     (actions->timer == HS_TIMER_SET) == (actions->end == HS_NONE));
	RULE("a copy is a timeout and counts as a copy",
	     IMPLIES(copy, step->after.timeouts == before->timeouts + 1 &&
		     step->after.retransmits == before->retransmits +
		     (before->retransmits != 255)));
	RULE("no more copies than allowed",
	     IMPLIES(copy, before->timeouts < expiries_allowed(step)));
	RULE("what is not copied does not count as a copy",
	     IMPLIES(!copy, step->after.retransmits == before->retransmits));
	RULE("timeouts count one by one",
	     step->after.timeouts == before->timeouts ||
	     (step->after.timeouts == before->timeouts + 1 &&
	      before->timeouts < expiries_allowed(step)));
	RULE("the timer sends copies, late answers and the last RST only",
	     !actions->reply.flags || copy || before->delayed ||
	     (actions->sent == THREEWAY_C_sent_rst &&
	      actions->end != HS_NONE &&
	      before->state == THREEWAY_ESTABLISHED));
	RULE("a late answer is late once", !step->after.delayed ||
	     actions->end != HS_NONE);
	rules_timer_end(step);
}

void rules_first_step(const struct step *step)
{
	const struct hs_actions *actions = &step->actions;

	rules_actions(step);
	rules_tcb(&step->after);
	rules_timer_value(step);
	RULE("a flow begins with its timer set",
	     actions->timer == HS_TIMER_SET && actions->end == HS_NONE &&
	     actions->verdict == HS_DROP);
	RULE("a flow begins with its SYN or SYN-ACK, unless that is to be late",
	     !!actions->reply.flags == !step->after.delayed &&
	     IMPLIES(actions->reply.flags, actions->reply.flags & HS_SYN));
	RULE("a flow begins in SYN-SENT or SYN-RECEIVED",
	     step->after.state == (step->after.active ? THREEWAY_SYN_SENT :
				   THREEWAY_SYN_RECEIVED));
	RULE("a flow begins now", step->after.opened_ms == step->now_ms &&
	     !step->after.timeouts && !step->after.retransmits);
}
