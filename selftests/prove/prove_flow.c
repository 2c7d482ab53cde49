// SPDX-License-Identifier: GPL-2.0
/*
 * A flow. The rules of a tcb hold when it begins, and if they hold before an
 * event they hold after it: so they hold after any number of events.
 */
#include "any.h"

static void after_segment(struct step *step, u8 state, bool active)
{
	struct hs_segment seg = any_segment();

	step->before = any_tcb();
	step->policy = any_policy();
	step->seg = &seg;
	step->now_ms = nondet_u32();
	ASSUME(step->before.state == state && step->before.active == active);
	step->after = step->before;
	hs_segment_arrives(&step->after, &seg, &step->policy, step->now_ms,
			   &step->actions);
	rules_segment_step(step);
	REACH("an answer", step->actions.reply.flags);
	REACH("a segment without answer", !step->actions.reply.flags);
	REACH("an end", step->actions.end != HS_NONE);
	REACH("a RST", seg.flags & HS_RST);
}

static void after_segment_unfinished(u8 state, bool active)
{
	struct step step;

	after_segment(&step, state, active);
	REACH("a handoff", step.actions.verdict == HS_HANDOFF);
	REACH("a held connection", step.after.state == THREEWAY_ESTABLISHED);
}

void prove_syn_sent(void)
{
	after_segment_unfinished(THREEWAY_SYN_SENT, true);
}

void prove_syn_received(void)
{
	after_segment_unfinished(THREEWAY_SYN_RECEIVED, false);
}

void prove_syn_received_crossed(void)
{
	after_segment_unfinished(THREEWAY_SYN_RECEIVED, true);
}

void prove_held(void)
{
	struct step step;

	after_segment(&step, THREEWAY_ESTABLISHED,
		      nondet_bool() ? true : false);
}

/* What the user is told that will still come, comes. */
static void rules_retries_left(const struct step *step)
{
	u32 before = hs_retries_left(&step->before, &step->policy);
	u32 after = hs_retries_left(&step->after, &step->policy);
	bool copy = step->actions.sent == THREEWAY_C_sent_syn_timer ||
		    step->actions.sent == THREEWAY_C_sent_synack_timer;

	RULE("every copy is one of those that were left",
	     IMPLIES(!step->before.delayed, before == after + copy));
	RULE("a flow does not end for want of copies while some are left",
	     IMPLIES(step->actions.end == THREEWAY_C_flows_expired ||
		     (step->actions.end == THREEWAY_C_flows_timed_out &&
		      !step->policy.deadline_ms), !before));
	REACH("several copies that are left", after > 1);
}

void prove_timer(void)
{
	struct step step;

	step.before = any_tcb();
	step.policy = any_policy();
	step.seg = NULL;
	step.now_ms = nondet_u32();
	step.after = step.before;
	hs_timer_fires(&step.after, &step.policy, step.now_ms, &step.actions);
	rules_timer_step(&step);
	rules_retries_left(&step);
	REACH("a copy", step.actions.sent == THREEWAY_C_sent_syn_timer);
	REACH("a copy of the SYN-ACK",
	      step.actions.sent == THREEWAY_C_sent_synack_timer);
	REACH("a late answer", step.actions.sent == THREEWAY_C_sent_ack);
	REACH("an end", step.actions.end != HS_NONE);
	REACH("an idle timer", step.actions.sent == HS_NONE &&
	      step.actions.end == HS_NONE);
}

void prove_passive_open(void)
{
	struct hs_segment syn = any_segment();
	struct hs_offer offer = any_offer();
	struct step step;

	ASSUME((syn.flags & (HS_SYN | HS_ACK | HS_RST | HS_FIN)) == HS_SYN);
	step.policy = any_policy();
	step.seg = NULL;
	step.now_ms = nondet_u32();
	hs_tcb_passive_open(&step.after, &syn, &offer, nondet_u32(),
			    nondet_u32());
	/* the caller's part */
	step.after.rcv_wnd = nondet_u16();
	step.after.rcv_wscale = nondet_u8();
	ASSUME(step.after.rcv_wscale <= HS_WSCALE_MAX);
	step.after.advertised_mss = nondet_u16();
	step.before = step.after;
	hs_synack_first(&step.after, &step.policy, step.now_ms, &step.actions);
	rules_first_step(&step);
	RULE("the first answer is a SYN-ACK",
	     IMPLIES(step.actions.reply.flags,
		     (step.actions.reply.flags & ~HS_ECE) ==
		     (HS_SYN | HS_ACK)));
	RULE("only what both want is agreed",
	     IMPLIES(step.after.sack_ok, offer.sack &&
		     (syn.opts.present & HS_OPT_SACK_PERMITTED)) &&
	     IMPLIES(step.after.tstamp_ok, offer.timestamps &&
		     (syn.opts.present & HS_OPT_TIMESTAMPS)) &&
	     IMPLIES(step.after.wscale_ok, offer.wscale &&
		     (syn.opts.present & HS_OPT_WSCALE)));
	REACH("an answer", step.actions.reply.flags);
	REACH("a late answer", step.after.delayed);
}

void prove_active_open(void)
{
	struct hs_segment syn = any_segment();
	struct hs_offer offer = any_offer();
	struct step step;

	ASSUME((syn.flags & (HS_SYN | HS_ACK | HS_RST | HS_FIN)) == HS_SYN);
	step.policy = any_policy();
	step.seg = NULL;
	step.now_ms = nondet_u32();
	hs_tcb_active_open(&step.after, &syn, &offer, nondet_u32(),
			   nondet_u32());
	step.before = step.after;
	hs_syn_first(&step.after, &step.policy, step.now_ms, &step.actions);
	rules_first_step(&step);
	RULE("the first segment is a SYN",
	     (step.actions.reply.flags & ~(HS_ECE | HS_CWR)) == HS_SYN);
	RULE("what the SYN brings was offered",
	     !(step.actions.reply.opts.present &
	       hs_tcb_unoffered(&step.after)));
	REACH("a SYN", step.actions.reply.flags);
}

void prove_listen(void)
{
	struct hs_segment seg = any_segment();
	struct hs_actions actions;
	u16 port = nondet_u16();
	u8 control = seg.flags & (HS_SYN | HS_ACK | HS_RST | HS_FIN);

	hs_listen_arrives(&seg, port, &actions);
	RULE("LISTEN takes a plain SYN, and leaves all else to the native stack",
	     actions.verdict == (control == HS_SYN ? HS_DROP : HS_NATIVE));
	RULE("LISTEN itself answers nothing and ends nothing",
	     !actions.reply.flags && actions.sent == HS_NONE &&
	     actions.end == HS_NONE && actions.timer == HS_TIMER_KEEP);
	RULE("nobody can have sent a SYN from port 0",
	     IMPLIES(actions.verdict == HS_DROP,
		     (actions.counter == HS_NONE) == !!port));
	REACH("a SYN", actions.verdict == HS_DROP);
	REACH("another segment", actions.verdict == HS_NATIVE);

	ASSUME(control == HS_SYN);
	hs_listen_refuse(&seg, &actions);
	RULE("a refusal is the RST of a closed port",
	     actions.reply.flags == (HS_RST | HS_ACK) && !actions.reply.seq &&
	     actions.reply.ack == seg.seq + seg.len &&
	     actions.sent == THREEWAY_C_sent_rst);
}

void prove_between(void)
{
	struct hs_tcb before = any_tcb();
	struct hs_policy policy = any_policy();
	struct hs_tcb tcb = before;
	struct hs_actions actions;
	struct hs_reply reply;
	u32 now_ms = nondet_u32();
	u32 rto_ms;

	RULE("copies that are left are not more than there are at all",
	     hs_retries_left(&tcb, &policy) <= EXPIRIES_MAX);
	hs_tcb_replay_synack(&tcb, &reply);
	RULE("the SYN-ACK for a socket acknowledges its SYN",
	     (reply.flags & ~HS_ECE) == (HS_SYN | HS_ACK) &&
	     reply.seq == tcb.irs && reply.ack == tcb.iss + 1 &&
	     !(reply.opts.present & hs_tcb_unoffered(&tcb)));
	hs_held_abort(&tcb, &reply);
	RULE("an abort is a RST at SND.NXT that acknowledges RCV.NXT",
	     reply.flags == (HS_RST | HS_ACK) && reply.seq == tcb.iss + 1 &&
	     reply.ack == tcb.irs + 1 && !reply.opts.present);
	RULE("asking changes nothing", same_tcb(&tcb, &before, false));
	hs_tcb_copy(&tcb, now_ms, &reply);
	RULE("a copy has the ISS of the first", (reply.flags & HS_SYN) &&
	     reply.seq == before.iss);
	hs_copy_lost(&tcb);
	RULE("a copy that was lost does not count",
	     tcb.retransmits == before.retransmits - !!before.retransmits);
	rto_ms = hs_tcb_rto_ms(&tcb, &policy);
	RULE("a copy that the host had no room for does not double the timeout",
	     hs_copy_congested(&tcb, &policy, now_ms, &actions) <= rto_ms);
	RULE("another one comes soon",
	     actions.timer == HS_TIMER_SET && actions.timer_ms <= 500);
	rules_tcb(&tcb);
	REACH("a copy", reply.flags);
}
