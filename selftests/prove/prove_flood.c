// SPDX-License-Identifier: GPL-2.0
/*
 * Cookies, of which the hash is any number; what sources may take; and pressure.
 */
#include "any.h"
#include "../fuzz/rules_flood.h"

/* Words of a set. */
#define WAYS	3

static bool any_bool(void)
{
	return nondet_bool() ? true : false;
}

/* Any time of which the next two minutes are there, too. */
static u64 any_now_s(void)
{
	u64 now_s = nondet_u64();

	ASSUME(now_s <= (u64)-1 - 0x1000);
	return now_s;
}

static struct cookie_sent any_cookie_sent(const struct hs_offer *offer)
{
	struct hs_segment syn = any_segment();
	struct cookie_sent sent;
	struct hs_tcb fresh = { 0 };

	ASSUME((syn.flags & (HS_SYN | HS_ACK | HS_RST | HS_FIN)) == HS_SYN);
	sent.agreed = fresh;
	hs_tcb_passive_open(&sent.agreed, &syn, offer, 0, nondet_u32());
	sent.agreed.rcv_wnd = nondet_u16();
	sent.agreed.rcv_wscale = nondet_u8();
	ASSUME(sent.agreed.rcv_wscale <= HS_WSCALE_MAX);
	sent.agreed.advertised_mss = nondet_u16();
	sent.v6 = any_bool();
	sent.hash = nondet_u64();
	sent.now_s = any_now_s();
	sent.now_ms = nondet_u32();
	cookie_send(&sent);
	return sent;
}

void prove_cookie_sent(void)
{
	struct hs_offer offer = any_offer();
	struct cookie_sent sent = any_cookie_sent(&offer);

	rules_cookie_sent(&sent);
	rules_tcb(&sent.kept);
	REACH("a cookie with all options", sent.kept.tstamp_ok &&
	      sent.kept.wscale_ok && sent.kept.sack_ok && sent.kept.ecn_ok);
	REACH("a cookie with none", !sent.kept.tstamp_ok);
	REACH("an MSS below all", sent.kept.peer_mss > sent.agreed.peer_mss);
}

/* The peer's answer, whatever data and flags come with it. */
static struct hs_segment any_answer(const struct cookie_sent *sent)
{
	struct hs_segment ack = any_segment();

	ASSUME((ack.flags & (HS_SYN | HS_RST | HS_ACK)) == HS_ACK);
	ASSUME(ack.seq == sent->synack.ack);
	ASSUME(ack.ack == sent->synack.seq + 1);
	ASSUME(!(ack.opts.present & HS_OPT_TIMESTAMPS) ==
	       !sent->kept.tstamp_ok);
	ASSUME(ack.opts.tsecr == sent->synack.opts.tsval);
	return ack;
}

void prove_cookie_comes_back(void)
{
	struct hs_offer offer = any_offer();
	struct cookie_sent sent = any_cookie_sent(&offer);
	struct hs_segment ack = any_answer(&sent);
	u32 age_s = nondet_u32(), skew_s = nondet_u32();
	u64 now_s = sent.now_s + age_s;
	u32 now_ms = sent.now_ms + age_s * 1000;
	u16 user_mss = nondet_u16();
	struct hs_cookie cookie;
	struct hs_tcb tcb;
	bool can;

	/* nor does TCP_MAXSEG, which holds in any case, cut the MSS down */
	ASSUME(!user_mss || user_mss >= sent.kept.peer_mss);
	ASSUME(age_s <= 60);
	/* a clock that is late */
	ASSUME(skew_s <= HS_COOKIE_SKEW_S && sent.now_s >= skew_s);
	now_s -= skew_s;
	can = hs_cookie_read(&cookie, &ack, now_s);
	RULE("for 60 s a cookie is recognised, for all that it keeps",
	     can && cookie.count == sent.cookie.count &&
	     cookie.data == sent.cookie.data);
	RULE("for 60 s a cookie is valid",
	     hs_cookie_valid(&cookie, sent.hash, &ack));
	hs_cookie_accept(&cookie, &tcb, &ack, user_mss, sent.v6,
			 sent.kept.ts_offset, now_ms);
	tcb.rcv_wnd = nondet_u16();
	tcb.advertised_mss = nondet_u16();
	rules_cookie_same(&sent, &tcb, &ack);
	RULE("for 60 s the TSvals of this host stay its own",
	     IMPLIES(tcb.tstamp_ok, tcb.ts_offset == sent.kept.ts_offset &&
		     tcb.tsval_first == sent.synack.opts.tsval &&
		     tcb.tsval_last == sent.synack.opts.tsval));
	REACH("another period", cookie.count != hs_cookie_count(now_s));
	REACH("a FIN", ack.flags & HS_FIN);
	REACH("all options", tcb.wscale_ok && tcb.sack_ok && tcb.ecn_ok);
}

void prove_cookie_ends(void)
{
	struct hs_offer offer = any_offer();
	struct cookie_sent sent = any_cookie_sent(&offer);
	struct hs_segment ack = any_answer(&sent);
	u32 age_s = nondet_u32();
	struct hs_cookie cookie;

	ASSUME(age_s >= HS_COOKIE_LIFETIME_S && age_s <= 0x80000000);
	ASSUME(sent.now_s <= 0xffffffff);
	RULE("after 124 s a cookie is taken for another one",
	     hs_cookie_read(&cookie, &ack, sent.now_s + age_s) &&
	     cookie.count != sent.cookie.count);
	REACH("the same bit of the period",
	      !((cookie.count ^ sent.cookie.count) & 1));
}

/* Two segments and two hashes: nothing but the hash decides, and all of it. */
void prove_cookie_valid(void)
{
	struct hs_segment one = any_segment(), two = one;
	u64 now_s = any_now_s(), hash = nondet_u64(), other = nondet_u64();
	struct hs_cookie first, second;
	bool can, valid;

	two.ack = nondet_u32();
	can = hs_cookie_read(&first, &one, now_s);
	rules_cookie_read(&first, &one, now_s, can);
	valid = hs_cookie_valid(&first, hash, &one);
	rules_cookie_valid(&one, hash, valid);
	REACH("no cookie", !can);
	ASSUME(can);
	hs_cookie_read(&second, &two, now_s);
	RULE("of one period and class one ISS is valid, so of a tuple 8",
	     IMPLIES(valid && hs_cookie_valid(&second, hash, &two) &&
		     first.count == second.count && first.data == second.data,
		     one.ack == two.ack));
	RULE("periods and classes are eight at most",
	     first.count - second.count + 1 <= 2 &&
	     !((first.data ^ second.data) & ~0x300U));
	RULE("what has another hash is not valid, each of 29 bits counts",
	     IMPLIES(valid && ((hash ^ other) & 0x1fffffff),
		     !hs_cookie_valid(&first, other, &one)));
	REACH("a valid cookie", valid);
	REACH("two of them", valid && hs_cookie_valid(&second, other, &two) &&
	      one.ack != two.ack);
}

void prove_cookie_accept(void)
{
	struct hs_segment seg = any_segment();
	u32 ts_offset = nondet_u32(), now_ms = nondet_u32();
	u16 user_mss = nondet_u16();
	struct hs_cookie cookie;
	bool v6 = any_bool();
	struct hs_tcb tcb;

	ASSUME(hs_cookie_read(&cookie, &seg, any_now_s()));
	hs_cookie_accept(&cookie, &tcb, &seg, user_mss, v6, ts_offset, now_ms);
	tcb.rcv_wnd = nondet_u16();
	tcb.advertised_mss = nondet_u16();
	rules_tcb(&tcb);
	rules_cookie_accepted(&tcb, &seg, user_mss, v6, ts_offset, now_ms);
	REACH("one of another host", tcb.tstamp_ok &&
	      tcb.ts_offset != ts_offset);
	REACH("one without timestamps", !tcb.tstamp_ok);
}

void prove_cookie_secret(void)
{
	u64 now_s = any_now_s(), later_s = any_now_s();
	u32 count = hs_cookie_count(now_s);
	u32 from = hs_cookie_secret_from(count);
	struct hs_segment seg = any_segment();
	struct hs_cookie cookie;

	ASSUME(later_s >= now_s && later_s - now_s <= 0x40000000);
	cookie.count = count;
	RULE("a new secret does not begin before it is known everywhere",
	     hs_cookie_secret_old(&cookie, from));
	ASSUME(hs_cookie_read(&cookie, &seg, later_s));
	RULE("no cookie is of a secret that could go",
	     IMPLIES(hs_cookie_secret_settled(hs_cookie_count(later_s), from),
		     !hs_cookie_secret_old(&cookie, from)));
	RULE("three periods on the new secret reigns alone",
	     IMPLIES(later_s - now_s >= 192,
		     hs_cookie_secret_settled(hs_cookie_count(later_s), from)));
	REACH("the old secret", hs_cookie_secret_old(&cookie, from));
	REACH("the new secret", !hs_cookie_secret_old(&cookie, from));
}

static struct hs_bucket_limits any_limits(void)
{
	struct hs_bucket_limits limits;

	ASSUME(limits.interval <= 1000000 && limits.flows <= 4095);
	ASSUME(limits.depth >= limits.interval &&
	       limits.depth <= 0x100000000ULL);
	return limits;
}

void prove_bucket_limits(void)
{
	u32 rate = nondet_u32(), burst = nondet_u32(), flows = nondet_u32();
	struct hs_bucket_limits limits;

	hs_bucket_limits_init(&limits, rate, burst, flows);
	rules_limits(&limits, rate, burst, flows);
	REACH("all limits", rate && burst && flows);
	REACH("no limit", !limits.interval && !limits.flows);
}

void prove_bucket(void)
{
	struct hs_bucket_limits limits = any_limits();
	struct bucket_step step;

	step.before = nondet_u64();
	step.after = step.before;
	step.tag = nondet_u16();
	step.flow = any_bool();
	step.now_ns = nondet_u64();
	step.answer = hs_bucket_take(&step.after, step.tag, &limits, step.flow,
				     step.now_ns);
	rules_bucket_take(&step, &limits);
	REACH("a SYN that passes", step.answer == HS_BUCKET_PASS);
	REACH("no token", step.answer == HS_BUCKET_RATE);
	REACH("too many flows", step.answer == HS_BUCKET_FLOWS);
}

void prove_bucket_put(void)
{
	u64 before = nondet_u64(), word = before;
	u16 tag = nondet_u16();
	bool put = hs_bucket_put(&word, tag);

	rules_bucket_put(before, word, tag, put);
	REACH("a flow less", put);
	REACH("none", !put);
}

void prove_bucket_choose(void)
{
	u64 set[WAYS] = { nondet_u64(), nondet_u64(), nondet_u64() };
	u32 ways = nondet_u32(), i, other = nondet_u32();
	u16 tag = nondet_u16();

	ASSUME(ways >= 1 && ways <= WAYS && other < ways);
	i = hs_bucket_choose(set, ways, tag, nondet_u64());
	RULE("a word of the set is chosen", i < ways);
	RULE("who has a word keeps it",
	     IMPLIES(set[other] >> 48 == tag, set[i] >> 48 == tag));
	RULE("a word goes that has the fewest half-open connections",
	     set[i] >> 48 == tag ||
	     hs_bucket_flows(set[i]) <= hs_bucket_flows(set[other]));
	REACH("the last", i == WAYS - 1);
}

void prove_pressure(void)
{
	struct pressure_step step;
	u32 cost = nondet_u32();
	u64 unanswered = nondet_u64();

	step.before.on = any_bool();
	step.before.after = any_bool();
	ASSUME(!step.before.on || !step.before.after);
	step.used = nondet_u64();
	step.limit = nondet_u64();
	step.now_ms = nondet_u32();
	step.after = step.before;
	step.change = hs_pressure_update(&step.after, step.used, step.limit,
					 cost, unanswered, step.now_ms);
	rules_pressure(&step);
	RULE("pressure is on, or over, or neither",
	     !step.after.on || !step.after.after);
	REACH("its begin", step.change == HS_PRESSURE_BEGINS);
	REACH("its end", step.change == HS_PRESSURE_ENDS);
	REACH("a flood that goes on", step.before.on && step.after.on &&
	      step.used < step.limit / 2 &&
	      step.after.since_ms != step.before.since_ms);
}
