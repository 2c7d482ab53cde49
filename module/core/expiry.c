// SPDX-License-Identifier: GPL-2.0
/* The timer of a handshake: first segments, copies, and the end. */
#include "reply.h"
#include "tcb.h"

/* TCP_RESOURCE_PROBE_INTERVAL of the native stack. */
#define HS_CONGESTED_MS	500

static void hs_first_sent(struct hs_tcb *tcb, const struct hs_policy *policy,
			  u32 now_ms, struct hs_actions *actions)
{
	/* of an active open it was the SYN */
	if (!tcb->active)
		tcb->tsval_first = tcb->tsval_last;
	if (policy->freeze == THREEWAY_FREEZE_SYN_RECEIVED)
		hs_timer_idle(tcb, policy, now_ms, actions);
	else
		hs_timer_set(tcb, policy, now_ms, actions);
	hs_reply_lose(tcb, policy, actions);
}

static void hs_synack_send(struct hs_tcb *tcb, const struct hs_policy *policy,
			   u32 now_ms, struct hs_actions *actions)
{
	actions->sent = tcb->active ? THREEWAY_C_sent_synack_crossed :
				      THREEWAY_C_sent_synack;
	hs_reply_synack(&actions->reply, tcb, now_ms);
	hs_first_sent(tcb, policy, now_ms, actions);
}

void hs_synack_first(struct hs_tcb *tcb, const struct hs_policy *policy,
		     u32 now_ms, struct hs_actions *actions)
{
	hs_actions_init(actions, HS_DROP);
	tcb->opened_ms = now_ms;
	if (!hs_answer_later(tcb, policy, now_ms, actions))
		hs_synack_send(tcb, policy, now_ms, actions);
}

void hs_syn_first(struct hs_tcb *tcb, const struct hs_policy *policy,
		  u32 now_ms, struct hs_actions *actions)
{
	hs_actions_init(actions, HS_DROP);
	tcb->opened_ms = now_ms;
	actions->sent = THREEWAY_C_sent_syn;
	hs_reply_syn(&actions->reply, tcb, now_ms);
	tcb->tsval_first = tcb->tsval_last;
	hs_timer_set(tcb, policy, now_ms, actions);
	hs_reply_lose(tcb, policy, actions);
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
	if (tcb->active)
		return policy->syn_retries + policy->syn_linear_timeouts;
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

/* The answer that the lab wanted late. */
static void hs_delay_over(struct hs_tcb *tcb, const struct hs_policy *policy,
			  u32 now_ms, struct hs_actions *actions)
{
	tcb->delayed = false;
	if (tcb->state == THREEWAY_SYN_RECEIVED) {
		hs_synack_send(tcb, policy, now_ms, actions);
		return;
	}
	if (tcb->state == THREEWAY_SYN_SENT) {
		hs_refuse(tcb, actions);
	} else {
		actions->sent = THREEWAY_C_sent_ack;
		hs_reply_ack(&actions->reply, tcb, now_ms);
		hs_timer_idle(tcb, policy, now_ms, actions);
	}
	hs_reply_lose(tcb, policy, actions);
}

/* Return: whether the flow has no time left. */
static bool hs_deadline_over(struct hs_tcb *tcb, const struct hs_policy *policy,
			     u32 now_ms, struct hs_actions *actions)
{
	if (!policy->deadline_ms ||
	    hs_elapsed_ms(tcb, now_ms) < policy->deadline_ms)
		return false;
	actions->end = policy->hold ? THREEWAY_C_flows_lifetime :
				      THREEWAY_C_flows_timed_out;
	if (tcb->state == THREEWAY_ESTABLISHED) {
		hs_held_abort(tcb, &actions->reply);
		actions->sent = THREEWAY_C_sent_rst;
		hs_reply_lose(tcb, policy, actions);
	}
	return true;
}

/* Is there nothing more to send, though the flow is to stay? */
static bool hs_timer_rests(const struct hs_tcb *tcb,
			   const struct hs_policy *policy)
{
	if (tcb->state == THREEWAY_ESTABLISHED)
		return true;
	if (tcb->state == THREEWAY_SYN_RECEIVED)
		return policy->freeze == THREEWAY_FREEZE_SYN_RECEIVED;
	return policy->freeze == THREEWAY_FREEZE_SYN_SENT &&
	       tcb->timeouts >= hs_expiries(tcb, policy);
}

static void hs_timer_copy(struct hs_tcb *tcb, const struct hs_policy *policy,
			  u32 now_ms, struct hs_actions *actions)
{
	/* the path may not like ECN: RFC 3168 section 6.1.1.1 */
	if (policy->ecn_fallback)
		tcb->ecn_setup = false;
	actions->sent = tcb->state == THREEWAY_SYN_SENT ?
			THREEWAY_C_sent_syn_timer : THREEWAY_C_sent_synack_timer;
	hs_reply_copy(&actions->reply, tcb, now_ms);
	hs_saturating_inc(&tcb->retransmits);
}

void hs_timer_fires(struct hs_tcb *tcb, const struct hs_policy *policy,
		    u32 now_ms, struct hs_actions *actions)
{
	hs_actions_init(actions, HS_DROP);
	if (hs_deadline_over(tcb, policy, now_ms, actions))
		return;
	if (tcb->delayed) {
		hs_delay_over(tcb, policy, now_ms, actions);
		return;
	}
	if (hs_timer_rests(tcb, policy)) {
		hs_timer_idle(tcb, policy, now_ms, actions);
		return;
	}
	if (tcb->timeouts >= hs_expiries(tcb, policy)) {
		actions->end = tcb->active ? THREEWAY_C_flows_timed_out :
					     THREEWAY_C_flows_expired;
		return;
	}
	if (tcb->timeouts >= hs_silent_expiries(tcb, policy))
		hs_timer_copy(tcb, policy, now_ms, actions);
	tcb->timeouts++;
	hs_timer_set(tcb, policy, now_ms, actions);
	hs_reply_lose(tcb, policy, actions);
}

void hs_copy_lost(struct hs_tcb *tcb)
{
	if (tcb->retransmits)
		tcb->retransmits--;
}

u32 hs_copy_congested(struct hs_tcb *tcb, const struct hs_policy *policy,
		      u32 now_ms, struct hs_actions *actions)
{
	hs_actions_init(actions, HS_DROP);
	hs_copy_lost(tcb);
	hs_saturating_inc(&tcb->unsent);
	hs_timer_wait(tcb, policy, now_ms, HS_CONGESTED_MS, actions);
	return hs_tcb_rto_ms(tcb, policy);
}

u32 hs_retries_left(const struct hs_tcb *tcb, const struct hs_policy *policy)
{
	u32 silent = hs_silent_expiries(tcb, policy);
	u32 next = tcb->timeouts > silent ? tcb->timeouts : silent;
	u32 end = hs_expiries(tcb, policy);

	return end > next && !hs_timer_rests(tcb, policy) ? end - next : 0;
}
