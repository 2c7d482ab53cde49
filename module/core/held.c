// SPDX-License-Identifier: GPL-2.0
/*
 * A finished handshake that the engine keeps, without a socket. Nothing of what
 * the peer sends is accepted: it hears of it by ACKs that do not move.
 */
#include "arrival.h"
#include "reply.h"

void hs_held_arrives(const struct hs_arrival *a)
{
	if (hs_check_timestamps(a) ||
	    hs_check_rst(a, THREEWAY_C_flows_reset) ||
	    hs_check_syn_challenge(a) || hs_check_sequence(a))
		return;
	a->actions->counter = THREEWAY_C_segment_held;
	/* a pure ACK is not answered, or two held ends would never rest */
	if (a->seg->len)
		hs_answer_ack(a);
}

/* Refuse at the last moment, as a program would that is not there any more. */
static void hs_held_refuse(struct hs_tcb *tcb, struct hs_actions *actions)
{
	actions->counter = THREEWAY_C_segment_frozen;
	actions->sent = THREEWAY_C_sent_rst;
	actions->end = THREEWAY_C_flows_refusing;
	hs_held_abort(tcb, &actions->reply);
}

void hs_held_finish(struct hs_tcb *tcb, const struct hs_segment *seg,
		    const struct hs_policy *policy, u32 now_ms,
		    struct hs_actions *actions)
{
	bool answer = tcb->state == THREEWAY_SYN_SENT;

	actions->verdict = HS_DROP;
	if (policy->freeze == THREEWAY_FREEZE_FINAL_ACK) {
		actions->counter = THREEWAY_C_segment_frozen;
		return;
	}
	if (answer)
		hs_tcb_peer_syn(tcb, seg);
	if (policy->freeze == THREEWAY_FREEZE_REFUSE) {
		hs_held_refuse(tcb, actions);
		return;
	}
	tcb->state = THREEWAY_ESTABLISHED;
	tcb->acked = false;
	actions->counter = THREEWAY_C_flows_held;
	hs_timer_idle(tcb, policy, now_ms, actions);
	if (!answer)
		return;
	if (policy->delay_ms) {
		tcb->delayed = true;
		hs_timer_wait(tcb, policy, now_ms, policy->delay_ms, actions);
		return;
	}
	hs_reply_ack(&actions->reply, tcb, now_ms);
	actions->sent = THREEWAY_C_sent_ack;
}

void hs_held_abort(const struct hs_tcb *tcb, struct hs_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	reply->seq = hs_snd_nxt(tcb);
	reply->ack = hs_rcv_nxt(tcb);
	reply->flags = HS_RST | HS_ACK;
}
