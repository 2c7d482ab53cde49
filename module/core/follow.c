// SPDX-License-Identifier: GPL-2.0
#include "follow.h"
#include "reply.h"
#include "seq.h"

static u8 hs_control(const struct hs_segment *seg)
{
	return seg->flags & (HS_SYN | HS_ACK | HS_RST);
}

/* What the segment offers, which the answer may still turn off. */
static void hs_follow_offer(struct hs_tcb *tcb, const struct hs_segment *seg)
{
	const u8 setup = HS_ECE | HS_CWR;

	tcb->wscale_ok = seg->opts.present & HS_OPT_WSCALE;
	tcb->sack_ok = seg->opts.present & HS_OPT_SACK_PERMITTED;
	tcb->tstamp_ok = seg->opts.present & HS_OPT_TIMESTAMPS;
	tcb->ecn_ok = (seg->flags & setup) == setup;
}

static void hs_follow_agree(struct hs_tcb *tcb, const struct hs_segment *synack)
{
	const struct hs_options *opts = &synack->opts;

	tcb->wscale_ok &= !!(opts->present & HS_OPT_WSCALE);
	tcb->sack_ok &= !!(opts->present & HS_OPT_SACK_PERMITTED);
	tcb->tstamp_ok &= !!(opts->present & HS_OPT_TIMESTAMPS);
	tcb->ecn_ok &= (synack->flags & (HS_ECE | HS_CWR)) == HS_ECE;
	if (tcb->wscale_ok)
		return;
	tcb->snd_wscale = 0;
	tcb->rcv_wscale = 0;
}

static void hs_follow_ours(struct hs_tcb *tcb, const struct hs_segment *seg)
{
	tcb->iss = seg->seq;
	tcb->rcv_wnd = seg->wnd;
	tcb->rcv_wscale = seg->opts.wscale;
	tcb->advertised_mss = seg->opts.mss;
}

static void hs_follow_theirs(struct hs_tcb *tcb, const struct hs_segment *seg)
{
	tcb->irs = seg->seq;
	tcb->peer_wnd = seg->wnd;
	tcb->snd_wscale = seg->opts.wscale;
	tcb->peer_mss = seg->opts.mss;
}

/* SND.UNA < SEG.ACK =< SND.NXT: a SYN may carry data (RFC 7413). */
static bool hs_follow_acks(const struct hs_tcb *tcb,
			   const struct hs_segment *seg)
{
	return (seg->flags & HS_ACK) &&
	       hs_seq_between(seg->ack, hs_snd_nxt(tcb),
			      hs_snd_nxt(tcb) + tcb->syn_data);
}

void hs_follow_active(struct hs_tcb *tcb, const struct hs_segment *syn,
		      u32 now_ms)
{
	memset(tcb, 0, sizeof(*tcb));
	tcb->active = true;
	tcb->state = THREEWAY_SYN_SENT;
	tcb->opened_ms = now_ms;
	tcb->syn_data = (u16)(syn->len - 1);
	hs_follow_ours(tcb, syn);
	hs_follow_offer(tcb, syn);
}

void hs_follow_passive(struct hs_tcb *tcb, const struct hs_segment *syn,
		       u32 now_ms)
{
	memset(tcb, 0, sizeof(*tcb));
	tcb->state = THREEWAY_LISTEN;
	tcb->opened_ms = now_ms;
	hs_follow_theirs(tcb, syn);
	hs_follow_offer(tcb, syn);
}

/* Each SYN cookie is another ISS, and the latest one is as good as any. */
static enum hs_followed hs_follow_synack(struct hs_tcb *tcb,
					 const struct hs_segment *synack)
{
	bool first = tcb->state != THREEWAY_SYN_RECEIVED;

	hs_follow_ours(tcb, synack);
	hs_follow_agree(tcb, synack);
	tcb->state = THREEWAY_SYN_RECEIVED;
	if (first)
		return HS_FOLLOWED_FIRST;
	hs_saturating_inc(&tcb->retransmits);
	return HS_FOLLOWED_COPY;
}

enum hs_followed hs_follow_sent(struct hs_tcb *tcb,
				const struct hs_segment *seg)
{
	switch (hs_control(seg)) {
	case HS_SYN | HS_ACK:
		return hs_follow_synack(tcb, seg);
	case HS_SYN:
		hs_saturating_inc(&tcb->retransmits);
		return HS_FOLLOWED_COPY;
	default:
		return HS_FOLLOWED_OTHER;
	}
}

/* A SYN that crosses ours shows when it is answered. */
void hs_follow_arrived(struct hs_tcb *tcb, const struct hs_segment *seg)
{
	if (!(seg->flags & HS_SYN) || (seg->flags & HS_RST) ||
	    tcb->state != THREEWAY_SYN_SENT)
		return;
	if ((seg->flags & HS_ACK) && !hs_follow_acks(tcb, seg))
		return;
	hs_follow_theirs(tcb, seg);
	if (seg->flags & HS_ACK)
		hs_follow_agree(tcb, seg);
}

bool hs_follow_reset(const struct hs_tcb *tcb, const struct hs_segment *seg)
{
	if (!(seg->flags & HS_RST))
		return false;
	if (tcb->state == THREEWAY_SYN_SENT)
		return hs_follow_acks(tcb, seg);
	return tcb->state == THREEWAY_SYN_RECEIVED &&
	       seg->seq - hs_rcv_nxt(tcb) <= tcb->rcv_wnd;
}

bool hs_follow_completes(const struct hs_tcb *tcb, const struct hs_segment *seg)
{
	u8 control = hs_control(seg);

	if (!hs_follow_acks(tcb, seg))
		return false;
	if (tcb->state == THREEWAY_SYN_SENT)
		return control == (HS_SYN | HS_ACK);
	return tcb->state == THREEWAY_SYN_RECEIVED && !(control & HS_RST) &&
	       (tcb->active || control == HS_ACK) &&
	       seg->seq - tcb->irs <= tcb->rcv_wnd;
}
