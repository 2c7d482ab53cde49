// SPDX-License-Identifier: GPL-2.0
#include "follow.h"
#include "reply.h"

static u8 hs_control(const struct hs_segment *seg)
{
	return seg->flags & (HS_SYN | HS_ACK | HS_RST);
}

/* What the segment offers, which the answer may still turn off. */
static void hs_follow_offer(struct hs_tcb *tcb, const struct hs_options *opts)
{
	tcb->wscale_ok = opts->present & HS_OPT_WSCALE;
	tcb->sack_ok = opts->present & HS_OPT_SACK_PERMITTED;
	tcb->tstamp_ok = opts->present & HS_OPT_TIMESTAMPS;
}

static void hs_follow_agree(struct hs_tcb *tcb, const struct hs_options *opts)
{
	tcb->wscale_ok &= !!(opts->present & HS_OPT_WSCALE);
	tcb->sack_ok &= !!(opts->present & HS_OPT_SACK_PERMITTED);
	tcb->tstamp_ok &= !!(opts->present & HS_OPT_TIMESTAMPS);
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

void hs_follow_active(struct hs_tcb *tcb, const struct hs_segment *syn,
		      u32 now_ms)
{
	memset(tcb, 0, sizeof(*tcb));
	tcb->active = true;
	tcb->state = THREEWAY_SYN_SENT;
	tcb->opened_ms = now_ms;
	hs_follow_ours(tcb, syn);
	hs_follow_offer(tcb, &syn->opts);
}

void hs_follow_passive(struct hs_tcb *tcb, const struct hs_segment *syn,
		       u32 now_ms)
{
	memset(tcb, 0, sizeof(*tcb));
	tcb->state = THREEWAY_LISTEN;
	tcb->opened_ms = now_ms;
	hs_follow_theirs(tcb, syn);
	hs_follow_offer(tcb, &syn->opts);
}

enum hs_followed hs_follow_sent(struct hs_tcb *tcb,
				const struct hs_segment *seg)
{
	bool first = tcb->state != THREEWAY_SYN_RECEIVED;

	if (hs_control(seg) == HS_SYN) {
		hs_saturating_inc(&tcb->retransmits);
		return HS_FOLLOWED_COPY;
	}
	if (hs_control(seg) != (HS_SYN | HS_ACK))
		return HS_FOLLOWED_OTHER;
	if (!first) {
		hs_saturating_inc(&tcb->retransmits);
		return HS_FOLLOWED_COPY;
	}
	tcb->state = THREEWAY_SYN_RECEIVED;
	hs_follow_ours(tcb, seg);
	hs_follow_agree(tcb, &seg->opts);
	return HS_FOLLOWED_FIRST;
}

/* A SYN that crosses ours shows when it is answered. */
void hs_follow_arrived(struct hs_tcb *tcb, const struct hs_segment *seg)
{
	if (!(seg->flags & HS_SYN) || (seg->flags & HS_RST) ||
	    tcb->state != THREEWAY_SYN_SENT)
		return;
	if ((seg->flags & HS_ACK) && seg->ack != hs_snd_nxt(tcb))
		return;
	hs_follow_theirs(tcb, seg);
	if (seg->flags & HS_ACK)
		hs_follow_agree(tcb, &seg->opts);
}
