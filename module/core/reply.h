/* SPDX-License-Identifier: GPL-2.0 */
/* What a handshake sends, and when its timer is due. For the core only. */
#ifndef HS_CORE_REPLY_H
#define HS_CORE_REPLY_H

#include "tcb.h"

static inline u32 hs_rcv_nxt(const struct hs_tcb *tcb)
{
	return tcb->irs + 1;
}

static inline u32 hs_snd_nxt(const struct hs_tcb *tcb)
{
	return tcb->iss + 1;
}

static inline void hs_saturating_inc(u8 *value)
{
	if (*value < 255)
		(*value)++;
}

/* The SYN of an active open: what this end offers. */
void hs_reply_syn(struct hs_reply *reply, struct hs_tcb *tcb, u32 now_ms);
void hs_reply_synack(struct hs_reply *reply, struct hs_tcb *tcb, u32 now_ms);
/* The one of the two that the state repeats. */
void hs_reply_copy(struct hs_reply *reply, struct hs_tcb *tcb, u32 now_ms);

void hs_reply_ack(struct hs_reply *reply, struct hs_tcb *tcb, u32 now_ms);

/* The RST that answers a segment: RFC 9293 section 3.10.7.1. */
void hs_reply_rst(struct hs_reply *reply, const struct hs_segment *seg);

/* The lab may want the segment lost: count it, and perhaps do not send it. */
void hs_reply_lose(struct hs_tcb *tcb, const struct hs_policy *policy,
		   struct hs_actions *actions);

/* Return: whether the lab wants the first answer to the peer late. */
bool hs_answer_later(struct hs_tcb *tcb, const struct hs_policy *policy,
		     u32 now_ms, struct hs_actions *actions);

/* Refuse as a program would that is not there any more: RST, and the end. */
void hs_refuse(const struct hs_tcb *tcb, struct hs_actions *actions);

/* The peer's SYN or SYN-ACK is refused, now or late. */
void hs_refuse_first(struct hs_tcb *tcb, const struct hs_policy *policy,
		     u32 now_ms, struct hs_actions *actions);

/* ms since the flow began */
u32 hs_elapsed_ms(const struct hs_tcb *tcb, u32 now_ms);

/* Set the timer to @wait_ms, or to the deadline if that comes first. */
void hs_timer_wait(const struct hs_tcb *tcb, const struct hs_policy *policy,
		   u32 now_ms, u32 wait_ms, struct hs_actions *actions);

/* The retransmission timeout as it is now. */
u32 hs_tcb_rto_ms(const struct hs_tcb *tcb, const struct hs_policy *policy);

/* Set it to the retransmission timeout. */
void hs_timer_set(const struct hs_tcb *tcb, const struct hs_policy *policy,
		  u32 now_ms, struct hs_actions *actions);

/*
 * Set it to the deadline: there is nothing to retransmit. Without one it is
 * looked for now and then, as the policy may change.
 */
void hs_timer_idle(const struct hs_tcb *tcb, const struct hs_policy *policy,
		   u32 now_ms, struct hs_actions *actions);

#endif /* HS_CORE_REPLY_H */
