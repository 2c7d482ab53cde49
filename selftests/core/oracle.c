// SPDX-License-Identifier: GPL-2.0
/*
 * The rules for the states a second time, written as facts first and a decision
 * last, on 64-bit numbers that do not wrap.
 */
#include "core_test.h"

/* The signed distance from @from to @to, -2^31 to 2^31 - 1. */
static s64 distance(u32 from, u32 to)
{
	s64 d = (s64)to - (s64)from;

	if (d >= 0x80000000LL)
		d -= 0x100000000LL;
	else if (d < -0x80000000LL)
		d += 0x100000000LL;
	return d;
}

bool oracle_acceptable(u32 seq, u32 len, u32 rcv_nxt, u32 rcv_wnd)
{
	s64 first = distance(rcv_nxt, seq);
	s64 last = first + len - 1;
	s64 wnd = rcv_wnd;

	if (len == 0 && wnd == 0)
		return first == 0;
	if (len == 0)
		return first >= 0 && first < wnd;
	if (wnd == 0)
		return false;
	return (first >= 0 && first < wnd) || (last >= 0 && last < wnd);
}

struct facts {
	bool syn, ack, rst;
	bool ack_good;
	bool ack_future;	/* acknowledges what was never sent */
	bool old;
	bool tsecr_bad;
	bool tsecr_sent_bad;	/* in SYN-SENT, where now is the end */
	s64 offset;		/* of SEG.SEQ from RCV.NXT */
	bool syn_in_window;
	bool acceptable;
	bool limited;
	bool bare;
};

static struct facts find_facts(const struct hs_tcb *tcb,
			       const struct hs_segment *seg,
			       const struct hs_policy *policy, u32 now_ms)
{
	const struct hs_options *opts = &seg->opts;
	bool stamps = tcb->tstamp_ok && (opts->present & HS_OPT_TIMESTAMPS);
	u32 nxt = tcb->irs + 1;
	struct facts f = {
		.syn = seg->flags & HS_SYN,
		.ack = seg->flags & HS_ACK,
		.rst = seg->flags & HS_RST,
		.ack_good = distance(tcb->iss, seg->ack) == 1,
		.offset = distance(nxt, seg->seq),
		.acceptable = oracle_acceptable(seg->seq, seg->len, nxt,
						tcb->rcv_wnd),
		.bare = distance(nxt, seg->seq + seg->len) == 0,
	};

	f.ack_future = distance(seg->ack, tcb->iss + 1) < 0;
	if (stamps) {
		u32 now_tsval = tcb->ts_offset + now_ms;
		s64 behind = distance(opts->tsval, tcb->ts_recent);

		f.old = tcb->ts_recent != 0 && behind > 0;
		f.tsecr_bad = tcb->tsecr_ok && opts->tsecr != 0 &&
			(distance(tcb->tsval_first, opts->tsecr) < 0 ||
			 distance(opts->tsecr, tcb->tsval_last) < 0);
		f.tsecr_sent_bad = opts->tsecr != 0 &&
			(distance(tcb->tsval_first, opts->tsecr) < 0 ||
			 distance(opts->tsecr, now_tsval) < 0);
	}
	f.syn_in_window = f.offset >= 0 && f.offset < (s64)tcb->rcv_wnd;
	if (tcb->limited) {
		s64 elapsed = distance(tcb->limited_ms, now_ms);

		f.limited = elapsed >= 0 &&
			    elapsed < (s64)policy->ratelimit_ms;
	}
	return f;
}

/* The decision for a RST: nothing but SEG.SEQ counts. */
static enum outcome decide_rst(const struct facts *f, u32 rcv_wnd)
{
	if (f->offset == 0)
		return RST_EXACT;
	if (f->offset < 0 || f->offset >= (s64)rcv_wnd)
		return RST_IGNORED;
	return f->limited ? RST_LIMITED : RST_CHALLENGED;
}

static enum outcome oracle_passive(const struct hs_tcb *tcb,
				   const struct hs_policy *policy,
				   const struct facts *facts)
{
	const struct facts f = *facts;

	if (f.rst)
		return decide_rst(&f, tcb->rcv_wnd);
	if (f.ack && !f.ack_good && policy->cookie_back && !f.syn &&
	    f.offset == 0)
		return COOKIE_BACK;
	if (f.ack && !f.ack_good)
		return policy->native_cookies && !f.syn ? COOKIE_ACK : BAD_ACK;
	if (f.syn && !f.ack && f.offset == -1 && !f.old)
		return f.limited ? SYNACK_LIMITED : SYNACK;
	if (f.old)
		return f.limited ? PAWS_LIMITED : PAWS;
	if (f.ack && f.tsecr_bad)
		return f.limited ? TSECR_LIMITED : TSECR;
	if (f.syn && f.syn_in_window)
		return SYN_RESET;
	if (f.syn || !f.acceptable)
		return f.limited ? OUTSIDE_LIMITED : OUTSIDE;
	if (!f.ack)
		return NO_ACK;
	if (f.bare && tcb->timeouts < policy->defer_accept)
		return DEFERRED;
	if (!policy->accept_queue_full)
		return HANDOFF;
	return policy->abort_on_overflow ? OVERFLOW_RESET : QUEUE_FULL;
}

/* RFC 9293 section 3.10.7.3, ACK first; PAWS for what TIME-WAIT left. */
static enum outcome oracle_sent(const struct hs_tcb *tcb,
				const struct hs_policy *policy,
				const struct facts *f)
{
	bool copies = policy->syn_retries || policy->syn_linear_timeouts;

	if (f->ack && !f->ack_good) {
		if (f->rst)
			return SENT_RST_IGNORED;
		return tcb->timeouts || tcb->hurried || !copies ? BAD_ACK :
		       BAD_ACK_SOON;
	}
	if (f->ack && f->tsecr_sent_bad)
		return f->rst ? TSECR_DROPPED : TSECR_RESET;
	if (f->rst)
		return f->ack ? REFUSED : SENT_RST_IGNORED;
	if (!f->syn)
		return NO_SYN;
	if (f->ack)
		return HANDOFF;
	return f->old ? PAWS_DROPPED : CROSSED;
}

/*
 * RFC 9293 section 3.10.7.4 in its order, but for the SYN-ACK that says no more
 * than that our SYN has arrived.
 */
static enum outcome oracle_synchronized(const struct hs_tcb *tcb,
					const struct hs_segment *seg,
					const struct facts *f)
{
	bool held = tcb->state == THREEWAY_ESTABLISHED;
	enum outcome rst = decide_rst(f, tcb->rcv_wnd);

	if (f->rst)
		return rst == RST_EXACT && !held ? REFUSED_EXACT : rst;
	if (f->old)
		return f->limited ? PAWS_LIMITED : PAWS;
	if (f->ack && f->tsecr_bad)
		return f->limited ? TSECR_LIMITED : TSECR;
	if (!held && f->syn && f->ack_good && f->ack && f->offset == -1 &&
	    f->bare)
		return HANDOFF;
	if (f->syn)
		return f->limited ? CHALLENGE_LIMITED : CHALLENGED;
	if (!f->acceptable)
		return f->limited ? OUTSIDE_LIMITED : OUTSIDE;
	if (held)
		return f->ack && (seg->len || f->ack_future) && !f->limited ?
		       HELD_ANSWERED : HELD;
	if (!f->ack)
		return NO_ACK;
	return f->ack_good ? HANDOFF : BAD_ACK;
}

static bool frozen(const struct hs_tcb *tcb, const struct hs_policy *policy)
{
	if (tcb->delayed)
		return true;
	if (tcb->state == THREEWAY_SYN_SENT)
		return policy->freeze == THREEWAY_FREEZE_SYN_SENT;
	return tcb->state == THREEWAY_SYN_RECEIVED &&
	       policy->freeze == THREEWAY_FREEZE_SYN_RECEIVED;
}

enum outcome oracle(const struct hs_tcb *tcb, const struct hs_segment *seg,
		    const struct hs_policy *policy, u32 now_ms)
{
	struct facts f = find_facts(tcb, seg, policy, now_ms);

	if (frozen(tcb, policy))
		return FROZEN;
	if (tcb->state == THREEWAY_SYN_SENT)
		return oracle_sent(tcb, policy, &f);
	if (tcb->state == THREEWAY_SYN_RECEIVED && !tcb->active)
		return oracle_passive(tcb, policy, &f);
	return oracle_synchronized(tcb, seg, &f);
}
