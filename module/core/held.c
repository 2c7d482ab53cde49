// SPDX-License-Identifier: GPL-2.0
/*
 * A finished handshake that the engine keeps, without a socket. Nothing of what
 * the peer sends is accepted: it hears of it by ACKs that do not move.
 */
#include "arrival.h"
#include "reply.h"
#include "seq.h"

void hs_held_arrives(const struct hs_arrival *a)
{
	if (hs_check_timestamps(a) ||
	    hs_check_rst(a, THREEWAY_C_flows_reset) ||
	    hs_check_syn_challenge(a) || hs_check_sequence(a))
		return;
	a->actions->counter = THREEWAY_C_segment_held;
	if (!(a->seg->flags & HS_ACK))
		return;
	/*
	 * A pure ACK is not answered, or two held ends would never rest, but
	 * when it acknowledges what was never sent.
	 */
	if (a->seg->len || hs_seq_after(a->seg->ack, hs_snd_nxt(a->tcb)))
		hs_answer_ack(a);
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
		if (answer) {
			hs_refuse_first(tcb, policy, now_ms, actions);
		} else {
			actions->counter = THREEWAY_C_segment_frozen;
			hs_refuse(tcb, actions);
		}
		return;
	}
	tcb->state = THREEWAY_ESTABLISHED;
	tcb->acked = false;
	actions->counter = THREEWAY_C_flows_held;
	hs_timer_idle(tcb, policy, now_ms, actions);
	if (!answer || hs_answer_later(tcb, policy, now_ms, actions))
		return;
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
