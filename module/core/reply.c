// SPDX-License-Identifier: GPL-2.0
#include "reply.h"
#include "schedule.h"

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

static void hs_reply_options(struct hs_reply *reply, struct hs_tcb *tcb,
			     u32 now_ms)
{
	reply->wnd = tcb->rcv_wnd;
	if (tcb->advertised_mss) {
		reply->opts.present |= HS_OPT_MSS;
		reply->opts.mss = tcb->advertised_mss;
	}
	if (tcb->wscale_ok) {
		reply->opts.present |= HS_OPT_WSCALE;
		reply->opts.wscale = tcb->rcv_wscale;
	}
	if (tcb->sack_ok)
		reply->opts.present |= HS_OPT_SACK_PERMITTED;
	hs_reply_timestamps(reply, tcb, now_ms);
}

void hs_reply_syn(struct hs_reply *reply, struct hs_tcb *tcb, u32 now_ms)
{
	reply->seq = tcb->iss;
	reply->flags = HS_SYN;
	if (tcb->ecn_ok && tcb->ecn_setup)
		reply->flags |= HS_ECE | HS_CWR;
	hs_reply_options(reply, tcb, now_ms);
}

void hs_reply_synack(struct hs_reply *reply, struct hs_tcb *tcb, u32 now_ms)
{
	reply->seq = tcb->iss;
	reply->ack = hs_rcv_nxt(tcb);
	reply->flags = HS_SYN | HS_ACK;
	if (tcb->ecn_ok)
		reply->flags |= HS_ECE;
	hs_reply_options(reply, tcb, now_ms);
}

/*
 * Rounded up, so that an active open takes nothing back of what its SYN promised
 * (RFC 9293 section 3.8.6), like a native socket. A native request rounds down.
 */
static u16 hs_scaled_window(const struct hs_tcb *tcb)
{
	u8 shift = tcb->wscale_ok ? tcb->rcv_wscale : 0;
	u32 up = tcb->active ? (1U << shift) - 1 : 0;

	return (u16)((tcb->rcv_wnd + up) >> shift);
}

void hs_reply_ack(struct hs_reply *reply, struct hs_tcb *tcb, u32 now_ms)
{
	reply->seq = hs_snd_nxt(tcb);
	reply->ack = hs_rcv_nxt(tcb);
	reply->wnd = hs_scaled_window(tcb);
	reply->flags = HS_ACK;
	hs_reply_timestamps(reply, tcb, now_ms);
}

void hs_reply_rst(struct hs_reply *reply, const struct hs_segment *seg)
{
	if (seg->flags & HS_ACK) {
		reply->seq = seg->ack;
		reply->flags = HS_RST;
	} else {
		reply->ack = seg->seq + seg->len;
		reply->flags = HS_RST | HS_ACK;
	}
}

void hs_reply_copy(struct hs_reply *reply, struct hs_tcb *tcb, u32 now_ms)
{
	if (tcb->state == THREEWAY_SYN_SENT)
		hs_reply_syn(reply, tcb, now_ms);
	else
		hs_reply_synack(reply, tcb, now_ms);
}

void hs_tcb_copy(struct hs_tcb *tcb, u32 now_ms, struct hs_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	hs_reply_copy(reply, tcb, now_ms);
}

void hs_reply_lose(struct hs_tcb *tcb, const struct hs_policy *policy,
		   struct hs_actions *actions)
{
	if (!actions->reply.flags)
		return;
	hs_saturating_inc(&tcb->segments_sent);
	if (tcb->segments_sent > 32 ||
	    !(policy->lose >> (tcb->segments_sent - 1) & 1))
		return;
	actions->lost = true;
}

bool hs_answer_later(struct hs_tcb *tcb, const struct hs_policy *policy,
		     u32 now_ms, struct hs_actions *actions)
{
	if (!policy->delay_ms)
		return false;
	tcb->delayed = true;
	hs_timer_wait(tcb, policy, now_ms, policy->delay_ms, actions);
	return true;
}

void hs_refuse(const struct hs_tcb *tcb, struct hs_actions *actions)
{
	actions->sent = THREEWAY_C_sent_rst;
	actions->end = THREEWAY_C_flows_refusing;
	hs_held_abort(tcb, &actions->reply);
}

void hs_refuse_first(struct hs_tcb *tcb, const struct hs_policy *policy,
		     u32 now_ms, struct hs_actions *actions)
{
	actions->counter = THREEWAY_C_segment_frozen;
	if (!hs_answer_later(tcb, policy, now_ms, actions))
		hs_refuse(tcb, actions);
}

u32 hs_elapsed_ms(const struct hs_tcb *tcb, u32 now_ms)
{
	return now_ms - tcb->opened_ms;
}

void hs_timer_wait(const struct hs_tcb *tcb, const struct hs_policy *policy,
		   u32 now_ms, u32 wait_ms, struct hs_actions *actions)
{
	u32 elapsed_ms = hs_elapsed_ms(tcb, now_ms);

	actions->timer = HS_TIMER_SET;
	actions->timer_ms = wait_ms;
	if (!policy->deadline_ms)
		return;
	if (elapsed_ms >= policy->deadline_ms)
		actions->timer_ms = 0;
	else if (policy->deadline_ms - elapsed_ms < wait_ms)
		actions->timer_ms = policy->deadline_ms - elapsed_ms;
}

u32 hs_tcb_rto_ms(const struct hs_tcb *tcb, const struct hs_policy *policy)
{
	u32 linear = tcb->unsent;
	u32 backoff;

	if (tcb->active)
		linear += policy->syn_linear_timeouts;
	backoff = tcb->timeouts > linear ? tcb->timeouts - linear : 0;
	return hs_rto_ms(policy->rto_initial_ms, policy->rto_max_ms, backoff);
}

void hs_timer_set(const struct hs_tcb *tcb, const struct hs_policy *policy,
		  u32 now_ms, struct hs_actions *actions)
{
	hs_timer_wait(tcb, policy, now_ms, hs_tcb_rto_ms(tcb, policy), actions);
}

void hs_timer_idle(const struct hs_tcb *tcb, const struct hs_policy *policy,
		   u32 now_ms, struct hs_actions *actions)
{
	u32 wait_ms = policy->deadline_ms;

	hs_timer_wait(tcb, policy, now_ms, wait_ms ? wait_ms :
		      policy->rto_max_ms, actions);
}
