// SPDX-License-Identifier: GPL-2.0
/*
 * A flow from its first segment to its end. The input is a program: how the flow
 * begins, then what happens, one octet each and its arguments. Segments are
 * written and read by the core itself, so that only what can arrive does.
 */
#include "input.h"
#include "reply.h"
#include "rule.h"
#include "rules.h"
#include "target.h"

struct run {
	struct input in;
	struct hs_tcb tcb;
	struct hs_policy policy;
	u32 now_ms;
	u32 events;		/* segments and timers, the first included */
	u32 sent;
	u32 copies;		/* sent by the timer */
	u32 copies_allowed;	/* the most that any policy so far allowed */
	bool pending;		/* the timer is set */
	bool acked;		/* an acceptable ACK of our SYN has come */
};

/* Within the limits of the module's sysctls and of its control interface. */
static void change_policy(struct run *run)
{
	static const u32 limits_ms[] = { 0, 1, 500, 60000 };
	static const u32 deadlines_ms[] = {
		0, 0, 1000, 5000, 300000, 86400000, 1, 0x7fffffff,
	};
	static const u32 delays_ms[] = { 0, 0, 1, 600000 };
	struct hs_policy *policy = &run->policy;
	u8 times = take8(&run->in);
	u8 bits = take8(&run->in);
	u32 allowed;

	policy->rto_initial_ms = 100 + take8(&run->in) * 230U;
	policy->rto_max_ms = 1000 + take8(&run->in) * 460U;
	policy->ratelimit_ms = limits_ms[times & 3];
	policy->deadline_ms = deadlines_ms[times >> 2 & 7];
	policy->delay_ms = delays_ms[times >> 5 & 3];
	policy->synack_retries = take8(&run->in);
	policy->syn_retries = take8(&run->in);
	policy->syn_linear_timeouts = times & 0x80 ? take8(&run->in) : 0;
	policy->hold = bits & 1;
	policy->accept_queue_full = bits & 2;
	policy->abort_on_overflow = bits & 4;
	policy->native_cookies = bits & 8;
	policy->cookie_back = (bits & 12) == 12;
	policy->ecn_fallback = bits & 16;
	/* no bit is left for it, nor for cookie_back */
	policy->challenges_spent = (bits & 24) == 24;
	policy->defer_accept = bits & 32 ? take8(&run->in) : 0;
	policy->lose = bits & 64 ? take32(&run->in) : 0;
	policy->freeze = bits & 128 ?
			 take8(&run->in) % (THREEWAY_FREEZE_REFUSE + 1) : 0;

	allowed = policy->synack_retries > policy->defer_accept ?
		  policy->synack_retries : policy->defer_accept;
	if (run->tcb.active)
		allowed = (u32)policy->syn_retries +
			  policy->syn_linear_timeouts;
	if (run->copies_allowed < allowed)
		run->copies_allowed = allowed;
}

static void take_options(struct run *run, struct hs_options *opts)
{
	const struct hs_tcb *tcb = &run->tcb;
	u8 which = take8(&run->in);

	opts->present = which & (HS_OPT_MSS | HS_OPT_WSCALE |
				 HS_OPT_SACK_PERMITTED | HS_OPT_TIMESTAMPS);
	if (which & HS_OPT_MSS)
		opts->mss = take16(&run->in);
	if (which & HS_OPT_WSCALE)
		opts->wscale = take8(&run->in);
	if (!(which & HS_OPT_TIMESTAMPS))
		return;
	opts->tsval = take_near(&run->in, tcb->ts_recent);
	switch (which >> 4 & 3) {
	case 0:
		opts->tsecr = tcb->tsval_last;
		break;
	case 1:
		opts->tsecr = take_near(&run->in, tcb->tsval_first);
		break;
	case 2:
		opts->tsecr = take_near(&run->in, tcb->ts_offset + run->now_ms);
		break;
	default:
		opts->tsecr = take32(&run->in);
	}
}

static u32 take_seq(struct run *run, u8 how)
{
	const struct hs_tcb *tcb = &run->tcb;

	switch (how & 7) {
	case 0:
		return tcb->irs;
	case 1:
		return tcb->irs + 1;
	case 2:
		return take_near(&run->in, tcb->irs + 1);
	case 3:
		return take_near(&run->in, tcb->irs + 1 + tcb->rcv_wnd);
	case 4:
		return take_near(&run->in, tcb->irs + 0x80000000U);
	default:
		return take32(&run->in);
	}
}

static u32 take_ack(struct run *run, u8 how)
{
	switch (how >> 3 & 3) {
	case 0:
	case 1:
		return run->tcb.iss + 1;
	case 2:
		return take_near(&run->in, run->tcb.iss + 1);
	default:
		return take32(&run->in);
	}
}

static struct hs_segment take_segment(struct run *run, u8 flags)
{
	static const u32 lens[] = { 0, 0, 0, 1, 2, 1000, 1460, 65475 };
	u8 header[HS_HEADER_MAX];
	struct hs_reply wire = { .flags = flags };
	struct hs_segment seg;
	u8 how = take8(&run->in);
	size_t len;

	wire.seq = take_seq(run, how);
	wire.ack = take_ack(run, how);
	wire.wnd = take16(&run->in);
	take_options(run, &wire.opts);
	len = hs_reply_build(header, &wire, 1, 2);
	RULE("what was built can be parsed",
	     hs_segment_parse(&seg, header, len,
			      (u32)len + lens[how >> 5], take8(&run->in)));
	rules_segment(&seg);
	return seg;
}

/* Return: whether the flow goes on. */
static bool account(struct run *run, const struct step *step)
{
	const struct hs_actions *actions = &step->actions;

	run->events++;
	run->sent += !!actions->reply.flags;
	RULE("no more segments leave than events came",
	     run->sent <= run->events);
	if (actions->sent == THREEWAY_C_sent_syn_timer ||
	    actions->sent == THREEWAY_C_sent_synack_timer)
		run->copies++;
	RULE("no more copies than the most generous policy allows",
	     run->copies <= run->copies_allowed);
	if (actions->timer == HS_TIMER_SET)
		run->pending = true;
	RULE("a flow that is not over has its timer set",
	     actions->end != HS_NONE || run->pending);
	RULE("ESTABLISHED only after an acceptable ACK of our SYN",
	     run->tcb.state != THREEWAY_ESTABLISHED || run->acked);
	return actions->end == HS_NONE;
}

/* Once more from the same beginning, to compare. */
static void repeat(const struct run *run, const struct step *step)
{
	struct hs_actions actions;
	struct hs_tcb tcb;

	memcpy(&tcb, &step->before, sizeof(tcb));
	memset(&actions, 0x5a, sizeof(actions));
	if (step->seg)
		hs_segment_arrives(&tcb, step->seg, &step->policy,
				   step->now_ms, &actions);
	else
		hs_timer_fires(&tcb, &step->policy, step->now_ms, &actions);
	RULE("the same event does the same again",
	     same_tcb(&tcb, &run->tcb, false) &&
	     !memcmp(&actions.reply, &step->actions.reply,
		     sizeof(actions.reply)) &&
	     actions.verdict == step->actions.verdict &&
	     actions.timer_ms == step->actions.timer_ms &&
	     actions.counter == step->actions.counter &&
	     actions.end == step->actions.end);
}

static bool event(struct run *run, const struct hs_segment *seg)
{
	struct step step = {
		.before = run->tcb,
		.policy = run->policy,
		.seg = seg,
		.now_ms = run->now_ms,
	};

	/* What the core forgets to set shows. */
	memset(&step.actions, 0xa5, sizeof(step.actions));
	if (seg) {
		if ((seg->flags & (HS_ACK | HS_RST)) == HS_ACK &&
		    seg->ack == run->tcb.iss + 1)
			run->acked = true;
		hs_segment_arrives(&run->tcb, seg, &run->policy, run->now_ms,
				   &step.actions);
	} else {
		run->pending = false;
		hs_timer_fires(&run->tcb, &run->policy, run->now_ms,
			       &step.actions);
	}
	step.after = run->tcb;
	if (seg)
		rules_segment_step(&step);
	else
		rules_timer_step(&step);
	repeat(run, &step);
	if (!account(run, &step))
		return false;
	/* The native stack may take it, or drop it after all. */
	if (step.actions.verdict != HS_HANDOFF)
		return true;
	if (take8(&run->in) & 1)
		return false;
	if (!run->tcb.active)
		run->tcb.acked = true;
	return true;
}

static bool begin(struct run *run)
{
	u8 how = take8(&run->in);
	const struct hs_offer offer = {
		.user_mss = how & 1 ? take16(&run->in) : 0,
		.default_mss = how & 2 ? 536 : 1220,
		.sack = !(how & 4),
		.timestamps = !(how & 8),
		.wscale = !(how & 16),
		.ecn = how & 32,
		.ecn_always = (how & 96) == 96,
	};
	struct hs_segment syn;
	struct step step;
	u8 flags = take8(&run->in) & (HS_ECE | HS_CWR | HS_PSH | HS_URG);

	run->now_ms = take32(&run->in);
	syn = take_segment(run, HS_SYN | flags);
	memset(&run->tcb, 0xa5, sizeof(run->tcb));
	if (how & 128) {
		hs_tcb_active_open(&run->tcb, &syn, &offer, take32(&run->in),
				   take32(&run->in));
	} else {
		hs_tcb_passive_open(&run->tcb, &syn, &offer, take32(&run->in),
				    take32(&run->in));
		run->tcb.rcv_wnd = take16(&run->in);
		run->tcb.rcv_wscale = take8(&run->in) % (HS_WSCALE_MAX + 1);
		run->tcb.advertised_mss = take16(&run->in);
	}
	change_policy(run);
	memset(&step, 0xa5, sizeof(step));
	step.before = run->tcb;
	step.policy = run->policy;
	step.seg = NULL;
	step.now_ms = run->now_ms;
	if (run->tcb.active)
		hs_syn_first(&run->tcb, &run->policy, run->now_ms,
			     &step.actions);
	else
		hs_synack_first(&run->tcb, &run->policy, run->now_ms,
				&step.actions);
	step.after = run->tcb;
	rules_first_step(&step);
	return account(run, &step);
}

/* The host had no room for a copy. */
static void congested(struct run *run)
{
	struct hs_tcb before = run->tcb;
	struct hs_actions actions;
	u32 rto_ms = hs_tcb_rto_ms(&before, &run->policy);

	memset(&actions, 0xa5, sizeof(actions));
	RULE("a copy that found no room doubles no timeout",
	     hs_copy_congested(&run->tcb, &run->policy, run->now_ms,
			       &actions) <= rto_ms);
	RULE("a copy that found no room does not count",
	     run->tcb.retransmits == before.retransmits - 1);
	RULE("a copy that found no room is tried again, now nothing leaves",
	     actions.timer == HS_TIMER_SET && !actions.reply.flags &&
	     actions.end == HS_NONE);
	RULE("a copy that found no room changes nothing else",
	     run->tcb.timeouts == before.timeouts &&
	     run->tcb.state == before.state &&
	     run->tcb.unsent == before.unsent + (before.unsent < 255));
	run->pending = true;
}

/* What the caller may ask for between events. */
static bool user(struct run *run)
{
	struct hs_tcb before = run->tcb;
	struct hs_reply reply = { 0 };
	u8 what = take8(&run->in);

	switch (what & 3) {
	case 0:
		RULE("copies that are left are not more than there are at all",
		     hs_retries_left(&run->tcb, &run->policy) <= EXPIRIES_MAX);
		break;
	case 1:
		/* as a copy is sent again for a socket, or was not sent */
		if (run->tcb.state != THREEWAY_ESTABLISHED)
			hs_tcb_copy(&run->tcb, run->now_ms, &reply);
		before.tsval_last = run->tcb.tsval_last;
		break;
	case 2:
		hs_tcb_replay_synack(&run->tcb, &reply);
		RULE("the SYN-ACK for a socket acknowledges its SYN",
		     (reply.flags & ~(u32)HS_ECE) == (HS_SYN | HS_ACK) &&
		     reply.ack == run->tcb.iss + 1 &&
		     !(reply.opts.present & hs_tcb_unoffered(&run->tcb)));
		break;
	default:
		hs_held_abort(&run->tcb, &reply);
		RULE("an abort is a RST at SND.NXT",
		     reply.flags == (HS_RST | HS_ACK) &&
		     reply.seq == run->tcb.iss + 1);
		return !(what & 4);
	}
	RULE("asking changes nothing", same_tcb(&run->tcb, &before, false));
	if (what == 5 && run->tcb.retransmits) {
		hs_copy_lost(&run->tcb);
		RULE("a copy that was lost does not count",
		     run->tcb.retransmits == before.retransmits - 1);
	}
	if (what == 9 && run->tcb.retransmits)
		congested(run);
	return true;
}

void fuzz_engine(const u8 *data, size_t size)
{
	struct run run = { .in = { data, size } };
	bool alive = begin(&run);

	while (alive && run.in.left) {
		u8 what = take8(&run.in);
		struct hs_segment seg;

		switch (what & 7) {
		case 0:
			alive = event(&run, NULL);
			break;
		case 1:
			run.now_ms += 1U << (what >> 3);
			break;
		case 2:
			change_policy(&run);
			break;
		case 3:
			alive = user(&run);
			break;
		default:
			seg = take_segment(&run, take8(&run.in));
			alive = event(&run, &seg);
		}
	}
}
