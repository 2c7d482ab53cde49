// SPDX-License-Identifier: GPL-2.0
#include "arrival.h"
#include "reply.h"
#include "tcb.h"

void hs_actions_init(struct hs_actions *actions, enum hs_verdict verdict)
{
	memset(actions, 0, sizeof(*actions));
	actions->verdict = verdict;
	actions->timer = HS_TIMER_KEEP;
	actions->counter = HS_NONE;
	actions->sent = HS_NONE;
	actions->end = HS_NONE;
}

void hs_listen_arrives(const struct hs_segment *seg, u16 source_port,
		       struct hs_actions *actions)
{
	u8 control = seg->flags & (HS_SYN | HS_ACK | HS_RST | HS_FIN);

	hs_actions_init(actions, HS_NATIVE);
	if (control == (HS_SYN | HS_FIN)) {
		actions->counter = THREEWAY_C_segment_syn_fin;
	} else if (control == HS_SYN) {
		actions->verdict = HS_DROP;
		if (!source_port)
			actions->counter = THREEWAY_C_segment_port_zero;
	} else if (!(control & (HS_SYN | HS_ACK | HS_RST))) {
		actions->counter = THREEWAY_C_segment_no_ack;
	}
}

void hs_listen_refuse(const struct hs_segment *seg, struct hs_actions *actions)
{
	hs_actions_init(actions, HS_DROP);
	actions->counter = THREEWAY_C_segment_frozen;
	actions->sent = THREEWAY_C_sent_rst;
	hs_reply_rst(&actions->reply, seg);
}

/*
 * MSS, window scale, SACK and timestamps: what came and what this end wants. The
 * bits are set one after the other, so that they are written at once.
 */
static void hs_negotiate_options(struct hs_tcb *tcb,
				 const struct hs_options *opts,
				 const struct hs_offer *offer)
{
	u16 both = opts->present & ((offer->wscale ? HS_OPT_WSCALE : 0) |
				    (offer->sack ? HS_OPT_SACK_PERMITTED : 0) |
				    (offer->timestamps ? HS_OPT_TIMESTAMPS : 0));
	bool tsecr = opts->tsecr;
	u16 mss = opts->mss;

	if (!(opts->present & HS_OPT_MSS))
		mss = offer->default_mss;
	else if (offer->user_mss && offer->user_mss < mss)
		mss = offer->user_mss;
	tcb->peer_mss = mss;
	tcb->snd_wscale = both & HS_OPT_WSCALE ? opts->wscale : 0;
	tcb->ts_recent = both & HS_OPT_TIMESTAMPS ? opts->tsval : 0;
	tcb->wscale_ok = both & HS_OPT_WSCALE;
	tcb->tstamp_ok = both & HS_OPT_TIMESTAMPS;
	tcb->tsecr_ok = (both & HS_OPT_TIMESTAMPS) && !tsecr;
	tcb->sack_ok = both & HS_OPT_SACK_PERMITTED;
}

/*
 * An ECN-setup SYN must not itself be ECN-capable (RFC 3168 section 6.1.1); one
 * of RFC 9768, known by its AE bit, may be.
 */
static bool hs_negotiate_ecn(const struct hs_segment *seg,
			     const struct hs_offer *offer)
{
	const u8 setup = HS_ECE | HS_CWR;

	if ((seg->flags & setup) != setup)
		return false;
	return offer->ecn_always ||
	       (offer->ecn && (!seg->ecn_capable || seg->ae));
}

void hs_tcb_passive_open(struct hs_tcb *tcb, const struct hs_segment *seg,
			 const struct hs_offer *offer, u32 iss, u32 ts_offset)
{
	tcb->iss = iss;
	tcb->irs = seg->seq;
	tcb->ts_offset = ts_offset;
	tcb->tsval_first = 0;
	tcb->tsval_last = 0;
	tcb->limited_ms = 0;
	tcb->opened_ms = 0;
	tcb->peer_wnd = seg->wnd;
	tcb->timeouts = 0;
	tcb->state = THREEWAY_SYN_RECEIVED;
	tcb->retransmits = 0;
	tcb->segments_sent = 0;
	tcb->unsent = 0;
	tcb->active = false;
	tcb->ecn_setup = false;
	tcb->hurried = false;
	tcb->delayed = false;
	tcb->acked = false;
	tcb->limited = false;
	hs_negotiate_options(tcb, &seg->opts, offer);
	tcb->ecn_ok = hs_negotiate_ecn(seg, offer);
}

void hs_tcb_active_open(struct hs_tcb *tcb, const struct hs_segment *syn,
			const struct hs_offer *offer, u32 iss, u32 ts_offset)
{
	const struct hs_options *opts = &syn->opts;
	const u8 setup = HS_ECE | HS_CWR;
	bool wscale = offer->wscale && (opts->present & HS_OPT_WSCALE);
	bool tstamp = offer->timestamps && (opts->present & HS_OPT_TIMESTAMPS);
	bool ecn = offer->ecn && (syn->flags & setup) == setup;

	tcb->iss = iss;
	tcb->irs = 0;
	/* not 0 when the previous connection of the tuple left one */
	tcb->ts_recent = tstamp ? opts->tsecr : 0;
	tcb->ts_offset = ts_offset;
	tcb->tsval_first = 0;
	tcb->tsval_last = 0;
	tcb->limited_ms = 0;
	tcb->opened_ms = 0;
	tcb->rcv_wnd = syn->wnd;
	tcb->peer_wnd = 0;
	tcb->peer_mss = offer->default_mss;
	tcb->advertised_mss = opts->present & HS_OPT_MSS ? opts->mss : 0;
	tcb->syn_data = 0;
	tcb->timeouts = 0;
	tcb->snd_wscale = 0;
	tcb->rcv_wscale = wscale ? opts->wscale : 0;
	tcb->state = THREEWAY_SYN_SENT;
	tcb->retransmits = 0;
	tcb->segments_sent = 0;
	tcb->unsent = 0;
	tcb->active = true;
	tcb->wscale_ok = wscale;
	tcb->tstamp_ok = tstamp;
	tcb->tsecr_ok = tstamp;
	tcb->sack_ok = offer->sack && (opts->present & HS_OPT_SACK_PERMITTED);
	tcb->ecn_ok = ecn;
	tcb->ecn_setup = ecn;
	tcb->hurried = false;
	tcb->delayed = false;
	tcb->acked = false;
	tcb->limited = false;
}

/*
 * ECE without CWR in a SYN-ACK, both in a crossing SYN. That does not say which
 * of our SYNs the peer has seen: once one did not ask for ECN there is none.
 */
bool hs_agree_ecn(const struct hs_tcb *tcb, u8 flags)
{
	const u8 setup = HS_ECE | HS_CWR;

	if (flags & HS_ACK)
		return tcb->ecn_ok && (flags & setup) == HS_ECE;
	return tcb->ecn_ok && tcb->ecn_setup && (flags & setup) == setup;
}

/*
 * A SYN-ACK must not bring what was not offered (RFC 7323 sections 2.2 and 3.2).
 */
void hs_tcb_peer_syn(struct hs_tcb *tcb, const struct hs_segment *seg)
{
	const struct hs_offer offer = {
		.default_mss = tcb->peer_mss,
		.sack = tcb->sack_ok,
		.timestamps = tcb->tstamp_ok,
		.wscale = tcb->wscale_ok,
	};

	tcb->irs = seg->seq;
	tcb->peer_wnd = seg->wnd;
	hs_negotiate_options(tcb, &seg->opts, &offer);
	/* TSecr was checked where there is an ACK, and means nothing elsewhere */
	tcb->tsecr_ok = tcb->tstamp_ok;
	if (!tcb->wscale_ok)
		tcb->rcv_wscale = 0;
	tcb->ecn_ok = hs_agree_ecn(tcb, seg->flags);
}

u16 hs_tcb_unoffered(const struct hs_tcb *tcb)
{
	return (tcb->wscale_ok ? 0 : HS_OPT_WSCALE) |
	       (tcb->sack_ok ? 0 : HS_OPT_SACK_PERMITTED) |
	       (tcb->tstamp_ok ? 0 : HS_OPT_TIMESTAMPS);
}

void hs_tcb_replay_synack(const struct hs_tcb *tcb, struct hs_reply *synack)
{
	memset(synack, 0, sizeof(*synack));
	synack->seq = tcb->irs;
	synack->ack = hs_snd_nxt(tcb);
	synack->wnd = tcb->peer_wnd;
	synack->flags = HS_SYN | HS_ACK | (tcb->ecn_ok ? HS_ECE : 0);
	synack->opts.present = HS_OPT_MSS |
			       (tcb->wscale_ok ? HS_OPT_WSCALE : 0) |
			       (tcb->sack_ok ? HS_OPT_SACK_PERMITTED : 0) |
			       (tcb->tstamp_ok ? HS_OPT_TIMESTAMPS : 0);
	synack->opts.mss = tcb->peer_mss;
	synack->opts.wscale = tcb->snd_wscale;
	synack->opts.tsval = tcb->ts_recent;
	synack->opts.tsecr = tcb->tsval_last;
}
