// SPDX-License-Identifier: GPL-2.0
#include "cookie.h"
#include "reply.h"

/* Low bits of the ISS. */
#define HS_COOKIE_CLASS		0x3U
#define HS_COOKIE_PERIOD	0x4U
#define HS_COOKIE_LOW_BITS	3
#define HS_COOKIE_LOW		0x7U

/* Low bits of the TSval, and of data. */
#define HS_COOKIE_WSCALE	0x0fU
#define HS_COOKIE_SACK		0x10U
#define HS_COOKIE_ECN		0x20U
#define HS_COOKIE_SHIFT		0x40U
#define HS_COOKIE_FINE		0x80U
#define HS_COOKIE_TSVAL		0xffU

/* Further bits of data. */
#define HS_COOKIE_CLASS_SHIFT	8
#define HS_COOKIE_TIMESTAMPS	0x400U

/* A window shift that cannot be: no window scaling. */
#define HS_COOKIE_UNSCALED	15U

/*
 * The first sample of the round-trip time of a connection whose SYN-ACK another
 * host has sent. Nobody knows it; of this one comes the same timeout as of none,
 * 1 s (RFC 6298 sections 2.1 and 2.2).
 */
#define HS_COOKIE_SAMPLE_MS	333U

#define HS_COOKIE_CLASSES	4U

/*
 * Without timestamps only every other value can be kept, beginning with the
 * first: what is common on links without tunnels, and what fits nearly all. With
 * them from 1220 to 1460 (1440) at most 7 % are lost. The last is that of jumbo
 * frames.
 */
static const u16 hs_cookie_mss[2][2 * HS_COOKIE_CLASSES] = {
	{ 536, 1220, 1300, 1380, 1440, 1452, 1460, 8960 },
	{ 1220, 1300, 1360, 1400, 1420, 1432, 1440, 8940 },
};

static u32 hs_cookie_mss_index(u16 mss, bool v6)
{
	u32 i = 2 * HS_COOKIE_CLASSES - 1;

	while (i && mss < hs_cookie_mss[v6][i])
		i--;
	return i;
}

/* What the TSval keeps besides the MSS. */
static u32 hs_cookie_options(const struct hs_tcb *tcb)
{
	u32 options = HS_COOKIE_UNSCALED;

	if (tcb->wscale_ok) {
		options = tcb->snd_wscale;
		if (tcb->rcv_wscale == HS_COOKIE_SHIFT_LARGE)
			options |= HS_COOKIE_SHIFT;
	}
	if (tcb->sack_ok)
		options |= HS_COOKIE_SACK;
	if (tcb->ecn_ok)
		options |= HS_COOKIE_ECN;
	return options;
}

void hs_cookie_open(struct hs_cookie *cookie, struct hs_tcb *tcb, bool v6,
		    u64 now_s)
{
	u32 i = hs_cookie_mss_index(tcb->peer_mss, v6);

	cookie->count = hs_cookie_count(now_s);
	cookie->data = 0;
	if (tcb->tstamp_ok) {
		if (!tcb->wscale_ok)
			tcb->rcv_wscale = 0;
		else if (tcb->rcv_wscale > HS_COOKIE_SHIFT_SMALL)
			tcb->rcv_wscale = HS_COOKIE_SHIFT_LARGE;
		else
			tcb->rcv_wscale = HS_COOKIE_SHIFT_SMALL;
		cookie->data = HS_COOKIE_TIMESTAMPS | hs_cookie_options(tcb);
		if (i & 1)
			cookie->data |= HS_COOKIE_FINE;
	} else {
		i &= ~1U;
		tcb->wscale_ok = false;
		tcb->snd_wscale = 0;
		tcb->rcv_wscale = 0;
		tcb->sack_ok = false;
		tcb->ecn_ok = false;
	}
	cookie->data |= i >> 1 << HS_COOKIE_CLASS_SHIFT;
	tcb->peer_mss = hs_cookie_mss[v6][i];
}

/* The low bits would be the same in most cookies of a period. */
static u32 hs_cookie_mask(u32 iss)
{
	return iss >> (32 - HS_COOKIE_LOW_BITS);
}

static u32 hs_cookie_iss(const struct hs_cookie *cookie, u64 hash)
{
	u32 iss = (u32)hash << HS_COOKIE_LOW_BITS;

	iss |= (cookie->data >> HS_COOKIE_CLASS_SHIFT) & HS_COOKIE_CLASS;
	if (cookie->count & 1)
		iss |= HS_COOKIE_PERIOD;
	return iss ^ hs_cookie_mask(iss);
}

void hs_cookie_synack(const struct hs_cookie *cookie, u64 hash,
		      struct hs_tcb *tcb, u32 now_ms, struct hs_reply *reply)
{
	tcb->iss = hs_cookie_iss(cookie, hash);
	memset(reply, 0, sizeof(*reply));
	hs_reply_synack(reply, tcb, now_ms);
	if (!tcb->tstamp_ok)
		return;
	reply->opts.tsval -= (reply->opts.tsval - cookie->data) &
			     HS_COOKIE_TSVAL;
	tcb->tsval_first = reply->opts.tsval;
	tcb->tsval_last = reply->opts.tsval;
}

bool hs_cookie_read(struct hs_cookie *cookie, const struct hs_segment *seg,
		    u64 now_s)
{
	u32 iss = seg->ack - 1;
	u32 low = (iss ^ hs_cookie_mask(iss)) & HS_COOKIE_LOW;
	u32 newest = hs_cookie_count(now_s + HS_COOKIE_SKEW_S);
	u32 odd = low & HS_COOKIE_PERIOD ? 1 : 0;

	cookie->count = newest - ((newest ^ odd) & 1);
	cookie->data = (low & HS_COOKIE_CLASS) << HS_COOKIE_CLASS_SHIFT;
	if (!hs_cookie_carrier(seg))
		return false;
	if (!(seg->opts.present & HS_OPT_TIMESTAMPS))
		return true;
	cookie->data |= HS_COOKIE_TIMESTAMPS |
			(seg->opts.tsecr & HS_COOKIE_TSVAL);
	/* Never made: our shift without the peer's. */
	return (cookie->data & HS_COOKIE_WSCALE) != HS_COOKIE_UNSCALED ||
	       !(cookie->data & HS_COOKIE_SHIFT);
}

bool hs_cookie_valid(const struct hs_cookie *cookie, u64 hash,
		     const struct hs_segment *seg)
{
	return !(hs_cookie_iss(cookie, hash) ^ (seg->ack - 1));
}

/* What has not been agreed on is not there in any case. */
static void hs_cookie_restore(const struct hs_cookie *cookie,
			      struct hs_tcb *tcb)
{
	u32 data = cookie->data;

	tcb->tstamp_ok = data & HS_COOKIE_TIMESTAMPS;
	if (!tcb->tstamp_ok)
		return;
	tcb->tsecr_ok = true;
	tcb->sack_ok = data & HS_COOKIE_SACK;
	tcb->ecn_ok = data & HS_COOKIE_ECN;
	tcb->wscale_ok = (data & HS_COOKIE_WSCALE) != HS_COOKIE_UNSCALED;
	if (!tcb->wscale_ok)
		return;
	tcb->snd_wscale = data & HS_COOKIE_WSCALE;
	tcb->rcv_wscale = data & HS_COOKIE_SHIFT ? HS_COOKIE_SHIFT_LARGE :
						   HS_COOKIE_SHIFT_SMALL;
}

static void hs_cookie_timestamps(struct hs_tcb *tcb,
				 const struct hs_options *opts, u32 ts_offset,
				 u32 now_ms)
{
	u32 age_ms = now_ms + ts_offset - opts->tsecr;

	tcb->ts_recent = opts->tsval;
	tcb->tsval_first = opts->tsecr;
	tcb->tsval_last = opts->tsecr;
	tcb->ts_offset = ts_offset;
	if (age_ms > HS_COOKIE_LIFETIME_S * 1000 + HS_COOKIE_TSVAL_BACK_MS)
		tcb->ts_offset = opts->tsecr + HS_COOKIE_SAMPLE_MS - now_ms;
}

void hs_cookie_accept(const struct hs_cookie *cookie, struct hs_tcb *tcb,
		      const struct hs_segment *seg, u16 user_mss, bool v6,
		      u32 ts_offset, u32 now_ms)
{
	u32 i = (cookie->data >> HS_COOKIE_CLASS_SHIFT & HS_COOKIE_CLASS) << 1;

	if (cookie->data & HS_COOKIE_FINE)
		i++;
	memset(tcb, 0, sizeof(*tcb));
	tcb->state = THREEWAY_SYN_RECEIVED;
	tcb->iss = seg->ack - 1;
	tcb->irs = seg->seq - 1;
	tcb->opened_ms = now_ms;
	tcb->peer_wnd = seg->wnd;
	tcb->peer_mss = hs_cookie_mss[v6][i];
	if (user_mss && user_mss < tcb->peer_mss)
		tcb->peer_mss = user_mss;
	hs_cookie_restore(cookie, tcb);
	if (tcb->tstamp_ok)
		hs_cookie_timestamps(tcb, &seg->opts, ts_offset, now_ms);
}
