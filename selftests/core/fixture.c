// SPDX-License-Identifier: GPL-2.0
#include "core_test.h"

struct hs_tcb fixture_tcb(u32 iss, u32 irs)
{
	return (struct hs_tcb) {
		.iss = iss,
		.irs = irs,
		.rcv_wnd = WINDOW,
		.ts_recent = TS_RECENT,
		.ts_offset = TS_OFFSET,
		.tsval_first = TS_OFFSET,
		.tsval_last = TS_OFFSET,
		.peer_wnd = 512,
		.peer_mss = 1400,
		.advertised_mss = 1460,
		.snd_wscale = 7,
		.rcv_wscale = RCV_WSCALE,
		.state = THREEWAY_SYN_RECEIVED,
		.segments_sent = 1,
		.wscale_ok = true,
		.tstamp_ok = true,
		.tsecr_ok = true,
		.sack_ok = true,
	};
}

struct hs_tcb fixture_syn_sent(u32 iss)
{
	struct hs_tcb tcb = fixture_tcb(iss, 0);

	tcb.state = THREEWAY_SYN_SENT;
	tcb.active = true;
	tcb.ts_recent = 0;
	tcb.peer_wnd = 0;
	tcb.peer_mss = 536;
	tcb.snd_wscale = 0;
	return tcb;
}

struct hs_tcb fixture_crossed(u32 iss, u32 irs)
{
	struct hs_tcb tcb = fixture_tcb(iss, irs);

	tcb.active = true;
	tcb.segments_sent = 2;
	return tcb;
}

struct hs_tcb fixture_held(u32 iss, u32 irs)
{
	struct hs_tcb tcb = fixture_crossed(iss, irs);

	tcb.state = THREEWAY_ESTABLISHED;
	return tcb;
}

struct hs_policy fixture_policy(void)
{
	return (struct hs_policy) {
		.rto_initial_ms = 1000,
		.rto_max_ms = 120000,
		.ratelimit_ms = 500,
		.synack_retries = 5,
		.syn_retries = 6,
	};
}

struct hs_segment segment(u8 flags, u32 seq, u32 ack, u32 data_len)
{
	struct hs_segment seg = {
		.seq = seq,
		.ack = ack,
		.len = data_len,
		.wnd = 512,
		.flags = flags,
	};

	if (flags & HS_SYN)
		seg.len++;
	if (flags & HS_FIN)
		seg.len++;
	return seg;
}

struct hs_segment stamped(struct hs_segment seg, u32 tsval, u32 tsecr)
{
	seg.opts.present |= HS_OPT_TIMESTAMPS;
	seg.opts.tsval = tsval;
	seg.opts.tsecr = tsecr;
	return seg;
}

struct hs_segment with_options(struct hs_segment seg)
{
	seg.opts = (struct hs_options) {
		.present = HS_OPT_MSS | HS_OPT_WSCALE | HS_OPT_SACK_PERMITTED |
			   HS_OPT_TIMESTAMPS,
		.mss = 1400,
		.wscale = 7,
		.tsval = TS_RECENT,
		.tsecr = seg.flags & HS_ACK ? TS_OFFSET : 0,
	};
	return seg;
}

enum answer { NOTHING, WITH_SYNACK, WITH_ACK, WITH_RST };

#define C(name)	THREEWAY_C_##name
#define NONE	HS_NONE

static const struct {
	const char *name;
	enum hs_verdict verdict;
	enum threeway_counter counter;
	enum threeway_counter sent;
	enum threeway_counter end;
	enum answer answer;
} outcomes[OUTCOMES] = {
	[HANDOFF] = { "handoff", HS_HANDOFF, NONE, NONE, NONE, NOTHING },
	[SYNACK] = { "SYN-ACK again", HS_DROP, C(segment_duplicate_syn),
		C(sent_synack_duplicate), NONE, WITH_SYNACK },
	[SYNACK_LIMITED] = { "duplicate SYN, limited", HS_DROP,
		C(segment_duplicate_limited), NONE, NONE, NOTHING },
	[BAD_ACK] = { "bad ACK", HS_DROP, C(segment_bad_ack), C(sent_rst),
		NONE, WITH_RST },
	[COOKIE_ACK] = { "ACK of a native cookie", HS_NATIVE,
		C(native_cookie_ack), NONE, NONE, NOTHING },
	[COOKIE_BACK] = { "ACK of a cookie", HS_COOKIE, NONE, NONE,
		C(flows_cookie), NOTHING },
	[PAWS] = { "PAWS", HS_DROP, C(segment_paws), C(sent_ack), NONE,
		WITH_ACK },
	[PAWS_LIMITED] = { "PAWS, limited", HS_DROP, C(segment_paws), NONE,
		NONE, NOTHING },
	[TSECR] = { "TSecr", HS_DROP, C(segment_tsecr), C(sent_ack), NONE,
		WITH_ACK },
	[TSECR_LIMITED] = { "TSecr, limited", HS_DROP, C(segment_tsecr), NONE,
		NONE, NOTHING },
	[RST_EXACT] = { "exact RST", HS_DROP, C(segment_rst_exact), NONE,
		C(flows_reset), NOTHING },
	[RST_CHALLENGED] = { "RST challenged", HS_DROP,
		C(segment_rst_challenged), C(sent_ack), NONE, WITH_ACK },
	[RST_LIMITED] = { "RST, limited", HS_DROP, C(segment_rst_limited),
		NONE, NONE, NOTHING },
	[CHALLENGES_SPENT] = { "challenges spent", HS_DROP,
		C(segment_challenge_limited), NONE, NONE, NOTHING },
	[RST_IGNORED] = { "RST ignored", HS_DROP,
		C(segment_rst_out_of_window), NONE, NONE, NOTHING },
	[OUTSIDE] = { "out of window", HS_DROP, C(segment_out_of_window),
		C(sent_ack), NONE, WITH_ACK },
	[OUTSIDE_LIMITED] = { "out of window, limited", HS_DROP,
		C(segment_out_of_window_limited), NONE, NONE, NOTHING },
	[SYN_RESET] = { "SYN in window", HS_DROP, C(segment_syn_in_window),
		C(sent_rst), C(flows_syn_reset), WITH_RST },
	[NO_ACK] = { "no ACK", HS_DROP, C(segment_no_ack), NONE, NONE,
		NOTHING },
	[DEFERRED] = { "deferred", HS_DROP, C(segment_deferred), NONE, NONE,
		NOTHING },
	[QUEUE_FULL] = { "accept queue full", HS_DROP,
		C(segment_accept_queue_full), NONE, NONE, NOTHING },
	[OVERFLOW_RESET] = { "overflow reset", HS_DROP,
		C(segment_accept_queue_full), C(sent_rst),
		C(flows_overflow_reset), WITH_RST },
	[BAD_ACK_SOON] = { "bad ACK, SYN soon", HS_DROP, C(segment_bad_ack),
		C(sent_rst), NONE, WITH_RST },
	[SENT_RST_IGNORED] = { "RST in SYN-SENT ignored", HS_DROP,
		C(segment_syn_sent_rst), NONE, NONE, NOTHING },
	[REFUSED] = { "refused", HS_NATIVE, C(segment_refused), NONE,
		C(flows_refused), NOTHING },
	[NO_SYN] = { "no SYN", HS_DROP, C(segment_syn_sent_no_syn), NONE, NONE,
		NOTHING },
	[TSECR_RESET] = { "TSecr, reset", HS_DROP, C(segment_tsecr),
		C(sent_rst), NONE, WITH_RST },
	[TSECR_DROPPED] = { "TSecr, dropped", HS_DROP, C(segment_tsecr), NONE,
		NONE, NOTHING },
	[PAWS_DROPPED] = { "PAWS, dropped", HS_DROP, C(segment_paws), NONE,
		NONE, NOTHING },
	[CROSSED] = { "SYNs cross", HS_DROP, C(segment_syn_crossed),
		C(sent_synack_crossed), NONE, WITH_SYNACK },
	[REFUSED_EXACT] = { "refused by an exact RST", HS_DROP,
		C(segment_rst_exact), NONE, C(flows_refused), NOTHING },
	[CHALLENGED] = { "SYN challenged", HS_DROP, C(segment_syn_challenged),
		C(sent_ack), NONE, WITH_ACK },
	[CHALLENGE_LIMITED] = { "SYN challenge, limited", HS_DROP,
		C(segment_duplicate_limited), NONE, NONE, NOTHING },
	[HELD] = { "held", HS_DROP, C(segment_held), NONE, NONE, NOTHING },
	[HELD_ANSWERED] = { "held, answered", HS_DROP, C(segment_held),
		C(sent_ack), NONE, WITH_ACK },
	[FROZEN] = { "frozen", HS_DROP, C(segment_frozen), NONE, NONE,
		NOTHING },
};

const char *outcome_name(enum outcome outcome)
{
	return outcomes[outcome].name;
}

/* Says what happened instead of what was wanted. */
static const char *counter_name(enum threeway_counter counter)
{
#define COUNTER_NAME(name)	#name "\0"
	const char *name = THREEWAY_COUNTERS(COUNTER_NAME) "none";
#undef COUNTER_NAME
	u32 i;

	for (i = 0; i < counter; i++)
		name += strlen(name) + 1;
	return name;
}

struct number {
	const char *what;
	u32 got;
	u32 want;
};

static void expect_numbers(const char *cell, const struct number *numbers,
			   size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (numbers[i].got != numbers[i].want)
			FAIL("%s: %s is %u, not %u", cell, numbers[i].what,
			     numbers[i].got, numbers[i].want);
}

static void expect_counter(const char *cell, const char *what,
			   enum threeway_counter got,
			   enum threeway_counter want)
{
	if ((unsigned int)got > HS_NONE)
		FAIL("%s: %s is no counter", cell, what);
	if (got != want)
		FAIL("%s: %s is %s, not %s", cell, what, counter_name(got),
		     counter_name(want));
}

void expect_tcb_equal(const char *cell, const struct hs_tcb *got,
		      const struct hs_tcb *want)
{
	const struct number numbers[] = {
		{ "tcb.iss", got->iss, want->iss },
		{ "tcb.irs", got->irs, want->irs },
		{ "tcb.rcv_wnd", got->rcv_wnd, want->rcv_wnd },
		{ "tcb.ts_recent", got->ts_recent, want->ts_recent },
		{ "tcb.ts_offset", got->ts_offset, want->ts_offset },
		{ "tcb.tsval_first", got->tsval_first, want->tsval_first },
		{ "tcb.tsval_last", got->tsval_last, want->tsval_last },
		{ "tcb.limited_ms", got->limited_ms, want->limited_ms },
		{ "tcb.opened_ms", got->opened_ms, want->opened_ms },
		{ "tcb.peer_wnd", got->peer_wnd, want->peer_wnd },
		{ "tcb.peer_mss", got->peer_mss, want->peer_mss },
		{ "tcb.advertised_mss", got->advertised_mss,
		  want->advertised_mss },
		{ "tcb.snd_wscale", got->snd_wscale, want->snd_wscale },
		{ "tcb.rcv_wscale", got->rcv_wscale, want->rcv_wscale },
		{ "tcb.state", got->state, want->state },
		{ "tcb.timeouts", got->timeouts, want->timeouts },
		{ "tcb.retransmits", got->retransmits, want->retransmits },
		{ "tcb.segments_sent", got->segments_sent,
		  want->segments_sent },
		{ "tcb.unsent", got->unsent, want->unsent },
		{ "tcb.active", got->active, want->active },
		{ "tcb.wscale_ok", got->wscale_ok, want->wscale_ok },
		{ "tcb.tstamp_ok", got->tstamp_ok, want->tstamp_ok },
		{ "tcb.tsecr_ok", got->tsecr_ok, want->tsecr_ok },
		{ "tcb.sack_ok", got->sack_ok, want->sack_ok },
		{ "tcb.ecn_ok", got->ecn_ok, want->ecn_ok },
		{ "tcb.ecn_setup", got->ecn_setup, want->ecn_setup },
		{ "tcb.hurried", got->hurried, want->hurried },
		{ "tcb.delayed", got->delayed, want->delayed },
		{ "tcb.acked", got->acked, want->acked },
		{ "tcb.limited", got->limited, want->limited },
	};

	expect_numbers(cell, numbers, ARRAY_SIZE(numbers));
}

void expect_reply_equal(const char *cell, const struct hs_reply *got,
			const struct hs_reply *want)
{
	const struct number numbers[] = {
		{ "reply.flags", got->flags, want->flags },
		{ "reply.seq", got->seq, want->seq },
		{ "reply.ack", got->ack, want->ack },
		{ "reply.wnd", got->wnd, want->wnd },
		{ "reply.opts.present", got->opts.present, want->opts.present },
		{ "reply.opts.mss", got->opts.mss, want->opts.mss },
		{ "reply.opts.wscale", got->opts.wscale, want->opts.wscale },
		{ "reply.opts.tsval", got->opts.tsval, want->opts.tsval },
		{ "reply.opts.tsecr", got->opts.tsecr, want->opts.tsecr },
	};

	expect_numbers(cell, numbers, ARRAY_SIZE(numbers));
}

static void want_timestamps(struct hs_reply *reply, const struct hs_tcb *tcb,
			    u32 now_ms)
{
	if (!tcb->tstamp_ok)
		return;
	reply->opts.present |= HS_OPT_TIMESTAMPS;
	reply->opts.tsval = tcb->ts_offset + now_ms;
	reply->opts.tsecr = tcb->ts_recent;
}

struct hs_reply want_synack(const struct hs_tcb *tcb, u32 now_ms)
{
	struct hs_reply reply = {
		.seq = tcb->iss,
		.ack = tcb->irs + 1,
		.wnd = (u16)tcb->rcv_wnd,
		.flags = HS_SYN | HS_ACK | (tcb->ecn_ok ? HS_ECE : 0),
		.opts.present = tcb->advertised_mss ? HS_OPT_MSS : 0,
		.opts.mss = tcb->advertised_mss,
	};

	if (tcb->sack_ok)
		reply.opts.present |= HS_OPT_SACK_PERMITTED;
	if (tcb->wscale_ok) {
		reply.opts.present |= HS_OPT_WSCALE;
		reply.opts.wscale = tcb->rcv_wscale;
	}
	want_timestamps(&reply, tcb, now_ms);
	return reply;
}

struct hs_reply want_ack(const struct hs_tcb *tcb, u32 now_ms)
{
	struct hs_reply reply = {
		.seq = tcb->iss + 1,
		.ack = tcb->irs + 1,
		/* what an active open's SYN promised is not taken back */
		.wnd = (u16)((tcb->rcv_wnd +
			      (tcb->active ? (1U << tcb->rcv_wscale) - 1 : 0)) >>
			     tcb->rcv_wscale),
		.flags = HS_ACK,
	};

	want_timestamps(&reply, tcb, now_ms);
	return reply;
}

struct hs_reply want_rst(const struct hs_segment *seg)
{
	if (seg->flags & HS_ACK)
		return (struct hs_reply) { .seq = seg->ack, .flags = HS_RST };
	return (struct hs_reply) {
		.ack = seg->seq + seg->len,
		.flags = HS_RST | HS_ACK,
	};
}

static struct hs_reply want_reply(enum answer answer, const struct hs_tcb *tcb,
				  const struct hs_segment *seg, u32 now_ms)
{
	switch (answer) {
	case WITH_SYNACK:
		return want_synack(tcb, now_ms);
	case WITH_ACK:
		return want_ack(tcb, now_ms);
	case WITH_RST:
		return want_rst(seg);
	case NOTHING:
		break;
	}
	return (struct hs_reply) { 0 };
}

/* What both offered is agreed; ECN by ECE and CWR in all SYNs. */
static void want_crossed(struct hs_tcb *tcb, const struct hs_segment *seg)
{
	const u16 came = seg->opts.present;

	tcb->state = THREEWAY_SYN_RECEIVED;
	tcb->irs = seg->seq;
	tcb->peer_wnd = seg->wnd;
	if (came & HS_OPT_MSS)
		tcb->peer_mss = seg->opts.mss;
	if (!(came & HS_OPT_SACK_PERMITTED))
		tcb->sack_ok = false;
	if (!(came & HS_OPT_TIMESTAMPS))
		tcb->tstamp_ok = false;
	if (!(came & HS_OPT_WSCALE))
		tcb->wscale_ok = false;
	tcb->tsecr_ok = tcb->tstamp_ok;
	tcb->ts_recent = tcb->tstamp_ok ? seg->opts.tsval : 0;
	tcb->snd_wscale = tcb->wscale_ok ? seg->opts.wscale : 0;
	if (!tcb->wscale_ok)
		tcb->rcv_wscale = 0;
	if (!(seg->flags & HS_ECE) || !(seg->flags & HS_CWR) ||
	    !tcb->ecn_setup)
		tcb->ecn_ok = false;
}

/* What the outcome does to the tcb. */
static void want_changes(struct hs_tcb *tcb, const struct hs_segment *seg,
			 enum outcome outcome, u32 now_ms)
{
	enum answer answer = outcomes[outcome].answer;

	if (outcome == CROSSED)
		want_crossed(tcb, seg);
	if (outcome == HANDOFF && tcb->state == THREEWAY_SYN_RECEIVED &&
	    (seg->flags & HS_SYN) &&
	    (!(seg->flags & HS_ECE) || (seg->flags & HS_CWR)))
		tcb->ecn_ok = false;
	if (outcome == SYNACK && tcb->retransmits != 255)
		tcb->retransmits++;
	if (outcome == SYNACK || outcome == CHALLENGES_SPENT ||
	    answer == WITH_ACK) {
		tcb->limited = true;
		tcb->limited_ms = now_ms;
	}
	if ((answer == WITH_SYNACK || answer == WITH_ACK) && tcb->tstamp_ok)
		tcb->tsval_last = tcb->ts_offset + now_ms;
	if (answer != NOTHING && tcb->segments_sent != 255)
		tcb->segments_sent++;
	if (outcome == BAD_ACK_SOON)
		tcb->hurried = true;
	if (outcome == DEFERRED || outcome == QUEUE_FULL)
		tcb->acked = true;
}

/* The timer never goes beyond the deadline. */
static u32 want_timer_ms(const struct hs_tcb *tcb,
			 const struct hs_policy *policy, u32 now_ms,
			 enum outcome outcome)
{
	u32 elapsed_ms = now_ms - tcb->opened_ms;
	u32 left_ms = 0;
	u32 ms = SYN_SOON_MS;

	if (outcome == SYNACK)
		ms = hs_rto_ms(policy->rto_initial_ms, policy->rto_max_ms,
			       tcb->timeouts);
	if (elapsed_ms < policy->deadline_ms)
		left_ms = policy->deadline_ms - elapsed_ms;
	return policy->deadline_ms && left_ms < ms ? left_ms : ms;
}

static void expect_decision(const char *cell, const struct hs_actions *actions,
			    enum outcome want, u32 timer_ms)
{
	bool timer = want == SYNACK || want == BAD_ACK_SOON;
	const struct number numbers[] = {
		{ "verdict", actions->verdict, outcomes[want].verdict },
		{ "timer", actions->timer, timer ? HS_TIMER_SET :
						   HS_TIMER_KEEP },
		{ "timer_ms", actions->timer_ms, timer ? timer_ms : 0 },
	};

	expect_numbers(cell, numbers, ARRAY_SIZE(numbers));
}

void arrive_expect(const char *cell, struct hs_tcb *tcb,
		   const struct hs_segment *seg,
		   const struct hs_policy *policy, u32 now_ms,
		   enum outcome want)
{
	struct hs_segment seg_before = *seg;
	struct hs_tcb want_tcb = *tcb;
	struct hs_actions actions;
	struct hs_reply reply;

	want_changes(&want_tcb, seg, want, now_ms);
	reply = want_reply(outcomes[want].answer, &want_tcb, seg, now_ms);

	/* What the core forgets to set shows. */
	memset(&actions, 0xa5, sizeof(actions));
	hs_segment_arrives(tcb, seg, policy, now_ms, &actions);

	expect_counter(cell, "counter", actions.counter,
		       outcomes[want].counter);
	expect_counter(cell, "sent", actions.sent, outcomes[want].sent);
	expect_counter(cell, "end", actions.end, outcomes[want].end);
	expect_decision(cell, &actions, want,
			want_timer_ms(&want_tcb, policy, now_ms, want));
	expect_reply_equal(cell, &actions.reply, &reply);
	expect_tcb_equal(cell, tcb, &want_tcb);
	if (memcmp(&seg_before, seg, sizeof(*seg)))
		FAIL("%s: the segment was changed", cell);
}

void expect_at(const char *cell, struct hs_segment seg, u32 now_ms,
	       enum outcome want)
{
	struct hs_tcb tcb = fixture_tcb(ISS, IRS);
	struct hs_policy policy = fixture_policy();

	arrive_expect(cell, &tcb, &seg, &policy, now_ms, want);
}
