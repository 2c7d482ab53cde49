// SPDX-License-Identifier: GPL-2.0
#include "rule.h"
#include "rules.h"
#include "rules_flood.h"

#define COUNT_SHIFT	6
#define SKEW_S		4
#define LIFETIME_MS	124255U

#define BITS_36		0xfffffffffULL

void cookie_send(struct cookie_sent *sent)
{
	sent->kept = sent->agreed;
	hs_cookie_open(&sent->cookie, &sent->kept, sent->v6, sent->now_s);
	hs_cookie_synack(&sent->cookie, sent->hash, &sent->kept, sent->now_ms,
			 &sent->synack);
}

/* The least that a cookie knows, and the most. */
static bool mss_of_cookie(u16 mss, bool v6)
{
	return mss >= (v6 ? 1220 : 536) && mss <= (v6 ? 8940 : 8960);
}

void rules_cookie_sent(const struct cookie_sent *sent)
{
	const struct hs_tcb *agreed = &sent->agreed, *kept = &sent->kept;
	u16 least = sent->v6 ? 1220 : 536;
	u32 now = sent->now_ms + kept->ts_offset;

	RULE("a cookie rounds the MSS down, but for one below all that it knows",
	     mss_of_cookie(kept->peer_mss, sent->v6) &&
	     (kept->peer_mss <= agreed->peer_mss ||
	      (kept->peer_mss == least && agreed->peer_mss < least)));
	RULE("with timestamps a cookie keeps window scale, SACK and ECN",
	     kept->tstamp_ok == agreed->tstamp_ok &&
	     IMPLIES(kept->tstamp_ok,
		     kept->wscale_ok == agreed->wscale_ok &&
		     kept->snd_wscale == agreed->snd_wscale &&
		     kept->sack_ok == agreed->sack_ok &&
		     kept->ecn_ok == agreed->ecn_ok));
	RULE("without timestamps a cookie has no other option",
	     kept->tstamp_ok ||
	     (!kept->wscale_ok && !kept->sack_ok && !kept->ecn_ok &&
	      !kept->snd_wscale && !kept->rcv_wscale));
	RULE("our window shift has one of two values, and none without the peer's",
	     kept->rcv_wscale == 0 ? !kept->wscale_ok :
	     kept->wscale_ok &&
	     kept->rcv_wscale == (agreed->rcv_wscale > 7 ? 12 : 7));
	RULE("the SYN-ACK of a cookie says what is kept",
	     sent->synack.seq == kept->iss &&
	     sent->synack.ack == kept->irs + 1 &&
	     sent->synack.flags == (HS_SYN | HS_ACK |
				    (kept->ecn_ok ? HS_ECE : 0)) &&
	     !(sent->synack.opts.present & HS_OPT_WSCALE) ==
	     !kept->wscale_ok &&
	     sent->synack.opts.wscale == kept->rcv_wscale &&
	     !(sent->synack.opts.present & HS_OPT_SACK_PERMITTED) ==
	     !kept->sack_ok);
	RULE("the TSval of a cookie is not ahead of the clock, and 255 ms back at most",
	     IMPLIES(kept->tstamp_ok,
		     now - sent->synack.opts.tsval <= 255 &&
		     kept->tsval_first == sent->synack.opts.tsval &&
		     kept->tsval_last == sent->synack.opts.tsval));
}

bool cookie_can_be(u32 tsecr)
{
	return (tsecr & 0x4f) != 0x4f;
}

void rules_cookie_read(const struct hs_cookie *cookie,
		       const struct hs_segment *seg, u64 now_s, bool can)
{
	bool stamped = seg->opts.present & HS_OPT_TIMESTAMPS;
	u32 newest = (u32)((now_s + SKEW_S) >> COUNT_SHIFT);

	RULE("a cookie comes back with ACK, and with neither SYN nor RST",
	     can == ((seg->flags & HS_ACK) &&
		     !(seg->flags & (HS_SYN | HS_RST)) &&
		     (!stamped || cookie_can_be(seg->opts.tsecr))));
	RULE("a cookie is of this period or of the one before",
	     IMPLIES(can, newest - cookie->count <= 1));
	RULE("what the hash covers says whether there are timestamps",
	     IMPLIES(can, !(cookie->data & ~0x7ffU) &&
		     !(cookie->data & 0x400) == !stamped &&
		     (cookie->data & 0xff) ==
		     (stamped ? seg->opts.tsecr & 0xff : 0)));
}

void rules_cookie_valid(const struct hs_segment *seg, u64 hash, bool valid)
{
	RULE("in a valid cookie are 29 bits of the hash",
	     IMPLIES(valid, (seg->ack - 1) >> 3 == (hash & 0x1fffffff)));
}

void rules_cookie_accepted(const struct hs_tcb *tcb,
			   const struct hs_segment *seg, u16 user_mss, bool v6,
			   u32 ts_offset, u32 now_ms)
{
	u32 now = now_ms + tcb->ts_offset;
	bool own = now_ms + ts_offset - seg->opts.tsecr <= LIFETIME_MS;

	RULE("an accepted cookie has timestamps if its segment has",
	     tcb->tstamp_ok == !!(seg->opts.present & HS_OPT_TIMESTAMPS));
	RULE("without timestamps an accepted cookie has no other option",
	     tcb->tstamp_ok ||
	     (!tcb->wscale_ok && !tcb->sack_ok && !tcb->ecn_ok));
	RULE("its numbers are those before the segment's",
	     tcb->state == THREEWAY_SYN_RECEIVED && !tcb->active &&
	     tcb->iss == seg->ack - 1 && tcb->irs == seg->seq - 1 &&
	     tcb->peer_wnd == seg->wnd);
	RULE("the MSS of an accepted cookie is one that it knows, or TCP_MAXSEG",
	     mss_of_cookie(tcb->peer_mss, v6) ||
	     (user_mss && tcb->peer_mss == user_mss));
	RULE("TSvals go on from that of the cookie",
	     IMPLIES(tcb->tstamp_ok,
		     tcb->ts_recent == seg->opts.tsval &&
		     tcb->tsval_last == seg->opts.tsecr &&
		     now - seg->opts.tsecr <= LIFETIME_MS &&
		     IMPLIES(own, tcb->ts_offset == ts_offset)));
}

void rules_cookie_same(const struct cookie_sent *sent,
		       const struct hs_tcb *tcb, const struct hs_segment *ack)
{
	struct hs_tcb want = sent->kept;

	want.opened_ms = tcb->opened_ms;
	want.peer_wnd = ack->wnd;
	want.tsecr_ok = want.tstamp_ok;
	want.ts_recent = want.tstamp_ok ? ack->opts.tsval : 0;
	want.ts_offset = tcb->ts_offset;
	want.tsval_first = tcb->tsval_first;
	want.tsval_last = tcb->tsval_last;
	/* the caller's part */
	want.rcv_wnd = tcb->rcv_wnd;
	want.advertised_mss = tcb->advertised_mss;
	RULE("what a cookie keeps is what comes back",
	     same_tcb(tcb, &want, false));
}

void rules_limits(const struct hs_bucket_limits *limits, u32 rate, u32 burst,
		  u32 flows)
{
	RULE("one SYN passes at least, and times are not ambiguous",
	     limits->depth >= limits->interval &&
	     limits->depth <= 0x100000000ULL);
	RULE("a rate is a limit unless it is 0",
	     !limits->interval == !rate && !limits->depth == !rate);
	RULE("a burst of one is one interval",
	     IMPLIES(burst <= 1, limits->depth == limits->interval));
	RULE("flows have a limit unless it is 0",
	     limits->flows == (flows > 4095 ? 4095 : flows));
}

/* Time until the bucket is full. */
static u64 missing(u64 word, u64 now_ns)
{
	return (word - (now_ns >> 10)) & BITS_36;
}

void rules_bucket_take(const struct bucket_step *step,
		       const struct hs_bucket_limits *limits)
{
	bool own = step->before >> 48 == step->tag;
	u32 flows = own ? step->before >> 36 & 4095 : 0;
	u64 was = own ? missing(step->before, step->now_ns) : 0;
	u64 is = missing(step->after, step->now_ns);

	if (was > limits->depth)
		was = 0;
	RULE("a SYN for which there is no token changes nothing",
	     (step->answer == HS_BUCKET_RATE) ==
	     (was + limits->interval > limits->depth) &&
	     IMPLIES(step->answer == HS_BUCKET_RATE,
		     step->after == step->before));
	RULE("any other takes one token",
	     step->answer == HS_BUCKET_RATE ||
	     (step->after >> 48 == step->tag && is <= limits->depth &&
	      is == was + limits->interval));
	RULE("a half-open connection more, unless there are enough",
	     step->answer == HS_BUCKET_RATE ||
	     (hs_bucket_flows(step->after) ==
	      flows + (step->flow && limits->flows &&
		       flows < limits->flows) &&
	      (step->answer == HS_BUCKET_FLOWS) ==
	      (step->flow && limits->flows && flows >= limits->flows)));
}

void rules_bucket_put(u64 before, u64 after, u16 tag, bool put)
{
	RULE("only who has half-open connections has one less",
	     put == (before >> 48 == tag && (before >> 36 & 4095)) &&
	     before - after == (put ? BITS_36 + 1 : 0));
}

void rules_pressure(const struct pressure_step *step)
{
	RULE("pressure begins at the limit, and only there",
	     IMPLIES(!step->before.on,
		     (step->change == HS_PRESSURE_BEGINS) ==
		     (step->used >= step->limit) &&
		     step->change != HS_PRESSURE_ENDS));
	RULE("pressure ends below 7/8 of the limit, after 10 s at least",
	     IMPLIES(step->change == HS_PRESSURE_ENDS,
		     step->before.on &&
		     step->used < step->limit - step->limit / 8 &&
		     step->now_ms - step->before.since_ms >= 10000));
	RULE("the answer says what has changed",
	     step->after.on == (step->change == HS_PRESSURE_SAME ?
				step->before.on :
				step->change == HS_PRESSURE_BEGINS));
	RULE("cookies are expected under pressure and for two periods after it",
	     hs_pressure_expects(&step->after, step->now_ms) ==
	     (step->after.on || step->change == HS_PRESSURE_ENDS ||
	      (step->before.after &&
	       step->now_ms - step->before.since_ms < 128000)));
}
