// SPDX-License-Identifier: GPL-2.0
/*
 * The octets are SYNs answered by cookies, ACKs that may be of one, SYNs of
 * sources that share a set of words, and limits that are reached or not.
 */
#include "input.h"
#include "rule.h"
#include "rules.h"
#include "rules_flood.h"
#include "target.h"

#define WAYS	4

static struct hs_offer take_offer(struct input *in)
{
	u8 bits = take8(in);

	return (struct hs_offer) {
		.default_mss = 536,
		.user_mss = bits & 0x40 ? take16(in) : 0,
		.sack = bits & 1,
		.timestamps = bits & 2,
		.wscale = bits & 4,
		.ecn = bits & 8,
		.ecn_always = bits & 16,
	};
}

static u64 take64(struct input *in)
{
	u64 high = take32(in);

	return high << 32 | take32(in);
}

static struct hs_segment take_syn(struct input *in)
{
	struct hs_segment syn = { .flags = HS_SYN, .len = 1 };
	u8 bits = take8(in);

	if (bits & 1)
		syn.flags |= HS_ECE | HS_CWR;
	syn.seq = take32(in);
	syn.wnd = take16(in);
	if (bits & 2) {
		syn.opts.present |= HS_OPT_MSS;
		syn.opts.mss = take16(in) | 1;
	}
	if (bits & 4) {
		syn.opts.present |= HS_OPT_WSCALE;
		syn.opts.wscale = take8(in) % (HS_WSCALE_MAX + 1);
	}
	if (bits & 8)
		syn.opts.present |= HS_OPT_SACK_PERMITTED;
	if (bits & 16) {
		syn.opts.present |= HS_OPT_TIMESTAMPS;
		syn.opts.tsval = take32(in);
	}
	return syn;
}

static void send_cookie(struct input *in, struct cookie_sent *sent)
{
	struct hs_offer offer = take_offer(in);
	struct hs_segment syn = take_syn(in);
	u8 bits = take8(in);

	memset(sent, 0, sizeof(*sent));
	hs_tcb_passive_open(&sent->agreed, &syn, &offer, 0, take32(in));
	sent->agreed.rcv_wnd = take16(in);
	sent->agreed.rcv_wscale = (bits >> 4) % (HS_WSCALE_MAX + 1);
	sent->agreed.advertised_mss = take16(in);
	sent->v6 = bits & 1;
	sent->hash = take64(in);
	sent->now_s = take32(in);
	sent->now_ms = take32(in);
	cookie_send(sent);
	rules_cookie_sent(sent);
	rules_tcb(&sent->kept);
}

/* The right one, but for what the octets say. */
static struct hs_segment take_ack(struct input *in,
				  const struct cookie_sent *sent)
{
	const struct hs_reply *synack = &sent->synack;
	struct hs_segment ack = { .flags = HS_ACK };
	u8 wrong = take8(in);

	ack.seq = synack->ack;
	ack.ack = synack->seq + 1;
	ack.wnd = take16(in);
	ack.opts.present = synack->opts.present & HS_OPT_TIMESTAMPS;
	if (wrong & 1)
		ack.flags = take8(in);
	if (wrong & 2)
		ack.ack = take_near(in, ack.ack);
	if (wrong & 4)
		ack.ack = take32(in);
	if (wrong & 8)
		ack.seq = take_near(in, ack.seq);
	if (wrong & 16)
		ack.opts.present ^= HS_OPT_TIMESTAMPS;
	if (ack.opts.present) {
		ack.opts.tsval = take32(in);
		ack.opts.tsecr = synack->opts.tsval;
	}
	if (wrong & 32)
		ack.opts.tsecr = take_near(in, ack.opts.tsecr);
	return ack;
}

static void cookie_comes_back(struct input *in, const struct cookie_sent *sent)
{
	struct hs_segment ack = take_ack(in, sent);
	u16 user_mss = take_offer(in).user_mss;
	u64 now_s = sent->now_s + take8(in);
	u32 now_ms = take_near(in, sent->now_ms);
	u32 ts_offset = take_near(in, sent->kept.ts_offset);
	struct hs_cookie cookie;
	struct hs_tcb tcb;
	u64 hash = sent->hash;
	bool valid, same;

	valid = hs_cookie_read(&cookie, &ack, now_s);
	rules_cookie_read(&cookie, &ack, now_s, valid);
	if (!valid)
		return;
	same = cookie.count == sent->cookie.count &&
	       cookie.data == sent->cookie.data &&
	       ack.seq == sent->synack.ack;
	RULE("a cookie of before is not taken for one of now",
	     !same || now_s - sent->now_s < HS_COOKIE_LIFETIME_S);
	/* a good hash of anything else is another one */
	if (!same)
		hash = take64(in);
	valid = hs_cookie_valid(&cookie, hash, &ack);
	rules_cookie_valid(&ack, hash, valid);
	RULE("only the ISS that was sent is of a cookie that was sent",
	     !same || valid == (ack.ack == sent->synack.seq + 1));
	if (!valid)
		return;
	hs_cookie_accept(&cookie, &tcb, &ack, user_mss, sent->v6, ts_offset,
			 now_ms);
	rules_cookie_accepted(&tcb, &ack, user_mss, sent->v6, ts_offset,
			      now_ms);
	rules_tcb(&tcb);
	if (same && !user_mss)
		rules_cookie_same(sent, &tcb, &ack);
}

static void source_sends(struct input *in, u64 *set, u64 now_ns)
{
	u32 rate = take16(in) >> 4, burst = take8(in), flows = take8(in) >> 4;
	struct hs_bucket_limits limits;
	struct bucket_step step;
	u8 who = take8(in);
	u32 i;

	hs_bucket_limits_init(&limits, rate, burst, flows);
	rules_limits(&limits, rate, burst, flows);
	step.tag = who & 7;
	step.flow = who & 8;
	step.now_ns = now_ns;
	i = hs_bucket_choose(set, WAYS, step.tag, now_ns);
	RULE("a word of the set is chosen", i < WAYS);
	step.before = set[i];
	step.answer = hs_bucket_take(&set[i], step.tag, &limits, step.flow,
				     now_ns);
	step.after = set[i];
	rules_bucket_take(&step, &limits);
}

static void flow_ends(struct input *in, u64 *set)
{
	u8 who = take8(in);
	u64 *word = &set[who >> 3 & (WAYS - 1)], before = *word;
	bool put = hs_bucket_put(word, who & 7);

	rules_bucket_put(before, *word, who & 7, put);
}

static void pressure_changes(struct input *in, struct hs_pressure *pressure,
			     u32 now_ms)
{
	struct pressure_step step = { .before = *pressure };

	step.limit = take8(in);
	step.used = take8(in);
	step.now_ms = now_ms;
	step.change = hs_pressure_update(pressure, step.used, step.limit,
					 take8(in), pressure->unanswered +
					 take8(in), now_ms);
	step.after = *pressure;
	rules_pressure(&step);
}

void fuzz_flood(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct hs_pressure pressure = { 0 };
	struct cookie_sent sent;
	u64 set[WAYS] = { 0 };
	u64 now_ns = take32(&in);

	send_cookie(&in, &sent);
	while (in.left) {
		u8 what = take8(&in);

		now_ns += (u64)take8(&in) << (what >> 3);
		switch (what & 7) {
		case 0:
			send_cookie(&in, &sent);
			break;
		case 1:
		case 2:
		case 3:
			cookie_comes_back(&in, &sent);
			break;
		case 4:
		case 5:
			source_sends(&in, set, now_ns);
			break;
		case 6:
			flow_ends(&in, set);
			break;
		default:
			pressure_changes(&in, &pressure,
					 (u32)(now_ns / 1000000));
		}
	}
}
