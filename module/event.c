// SPDX-License-Identifier: GPL-2.0
/* Events of flows. */
#include <linux/ktime.h>

#include "event.h"
#include "reader.h"

DEFINE_STATIC_KEY_FALSE(hs_event_traced);

/* For trace.h: the first and the last user of each tracepoint. */
static int hs_event_trace_start(void)
{
	static_branch_inc(&hs_event_traced);
	return 0;
}

static void hs_event_trace_stop(void)
{
	static_branch_dec(&hs_event_traced);
}

#define CREATE_TRACE_POINTS
#include "trace.h"

/* All of an event but its segment and its timer. */
static void hs_event_init(struct threeway_event *event,
			  const struct hs_flow *flow,
			  enum threeway_event_type type,
			  enum threeway_state before, enum threeway_state state,
			  enum threeway_counter counter)
{
	const struct threeway_claim *claim = &flow->claim->conf;

	memset(event, 0, sizeof(*event));
	event->time_ns = ktime_get_boottime_ns();
	event->flow = hs_flow_id(flow);
	event->claim = claim->id;
	event->counter = counter == HS_NONE ? THREEWAY_EVENT_NO_COUNTER :
					      counter;
	event->type = type;
	event->direction = claim->direction;
	event->mode = claim->mode;
	event->state_before = before;
	event->state = state;
	event->iss = flow->tcb.iss;
	event->irs = flow->tcb.irs;
	event->timeouts = flow->tcb.timeouts;
	event->retransmits = flow->tcb.retransmits;
	hs_flow_key_write(&event->key, &flow->key);
}

static void hs_event_options(struct threeway_event *event,
			     const struct hs_options *opts)
{
	if (opts->present & HS_OPT_MSS) {
		event->options |= THREEWAY_O_MSS;
		event->mss = opts->mss;
	}
	if (opts->present & HS_OPT_WSCALE) {
		event->options |= THREEWAY_O_WINDOW_SCALE;
		event->wscale = opts->wscale;
	}
	if (opts->present & HS_OPT_SACK_PERMITTED)
		event->options |= THREEWAY_O_SACK_PERMITTED;
	if (opts->present & HS_OPT_TIMESTAMPS) {
		event->options |= THREEWAY_O_TIMESTAMPS;
		event->tsval = opts->tsval;
		event->tsecr = opts->tsecr;
	}
}

static void hs_event_trace(const struct net *net,
			   const struct threeway_event *event)
{
	switch (event->type) {
	case THREEWAY_EV_OPENED:
		trace_threeway_opened(net, event);
		break;
	case THREEWAY_EV_ARRIVED:
		trace_threeway_arrived(net, event);
		break;
	case THREEWAY_EV_SENT:
		trace_threeway_sent(net, event);
		break;
	case THREEWAY_EV_TIMER:
		trace_threeway_timer(net, event);
		break;
	case THREEWAY_EV_STATE:
		trace_threeway_state(net, event);
		break;
	case THREEWAY_EV_HANDOFF:
		trace_threeway_handoff(net, event);
		break;
	case THREEWAY_EV_ENDED:
		trace_threeway_ended(net, event);
		break;
	}
}

static void hs_event_tell(struct hs_flow *flow,
			  const struct threeway_event *event)
{
	hs_event_trace(hs_flow_net(flow)->net, event);
	hs_readers_push(hs_flow_net(flow), event);
}

/* An event that changes no state and has no segment. */
static void hs_event_plain(struct hs_flow *flow, enum threeway_event_type type,
			   enum threeway_state state,
			   enum threeway_counter counter, u32 timer_ms)
{
	struct threeway_event event;

	hs_event_init(&event, flow, type, state, state, counter);
	event.timer_ms = timer_ms;
	hs_event_tell(flow, &event);
}

static void hs_event_in(struct hs_flow *flow, enum threeway_state state,
			const struct hs_segment *seg,
			enum threeway_counter counter, u32 timer_ms)
{
	struct threeway_event event;

	hs_event_init(&event, flow, THREEWAY_EV_ARRIVED, state, state, counter);
	event.flags = seg->flags;
	event.seq = seg->seq;
	event.ack = seg->ack;
	event.wnd = seg->wnd;
	event.len = seg->len - !!(seg->flags & HS_SYN) -
		    !!(seg->flags & HS_FIN);
	hs_event_options(&event, &seg->opts);
	event.timer_ms = timer_ms;
	hs_event_tell(flow, &event);
}

static void hs_event_out(struct hs_flow *flow, const struct hs_reply *reply,
			 enum threeway_counter counter, u32 timer_ms)
{
	enum threeway_state state = flow->tcb.state;
	struct threeway_event event;

	hs_event_init(&event, flow, THREEWAY_EV_SENT, state, state, counter);
	event.flags = reply->flags;
	event.seq = reply->seq;
	event.ack = reply->ack;
	event.wnd = reply->wnd;
	hs_event_options(&event, &reply->opts);
	event.timer_ms = timer_ms;
	hs_event_tell(flow, &event);
}

/* A segment that the policy loses has a counter as well. */
static bool hs_event_sends(const struct hs_actions *actions)
{
	return actions->sent != HS_NONE;
}

/* The state that the flow is in now, and what is sent in it. */
static void hs_event_outcome(struct hs_flow *flow, enum threeway_state before,
			     const struct hs_actions *actions, u32 timer_ms)
{
	struct threeway_event event;

	if (flow->tcb.state != before) {
		hs_event_init(&event, flow, THREEWAY_EV_STATE, before,
			      flow->tcb.state, HS_NONE);
		hs_event_tell(flow, &event);
	}
	if (hs_event_sends(actions))
		hs_event_out(flow, &actions->reply, actions->sent, timer_ms);
}

static u32 hs_event_timer_ms(const struct hs_actions *actions)
{
	return actions->timer == HS_TIMER_SET ? actions->timer_ms : 0;
}

void hs_event_tell_opened(struct hs_flow *flow, enum threeway_state before,
			  const struct hs_segment *seg,
			  const struct hs_actions *actions)
{
	u32 timer_ms = hs_event_timer_ms(actions);

	lockdep_assert_held(&flow->lock);
	hs_event_plain(flow, THREEWAY_EV_OPENED, before,
		       THREEWAY_C_flows_opened,
		       hs_event_sends(actions) ? 0 : timer_ms);
	if (seg)
		hs_event_in(flow, before, seg, actions->counter, 0);
	hs_event_outcome(flow, before, actions, timer_ms);
}

void hs_event_tell_acted(struct hs_flow *flow, enum threeway_state before,
			 const struct hs_segment *seg,
			 const struct hs_actions *actions)
{
	u32 timer_ms = hs_event_timer_ms(actions);
	u32 first_ms = hs_event_sends(actions) ? 0 : timer_ms;

	lockdep_assert_held(&flow->lock);
	if (seg)
		hs_event_in(flow, before, seg, actions->counter, first_ms);
	else
		hs_event_plain(flow, THREEWAY_EV_TIMER, before,
			       actions->counter, first_ms);
	hs_event_outcome(flow, before, actions, timer_ms);
}

void hs_event_tell_sent(struct hs_flow *flow, enum threeway_state before,
			const struct hs_actions *actions)
{
	lockdep_assert_held(&flow->lock);
	hs_event_outcome(flow, before, actions, hs_event_timer_ms(actions));
}

void hs_event_tell_arrived(struct hs_flow *flow, const struct hs_segment *seg,
			   enum threeway_counter counter)
{
	spin_lock(&flow->lock);
	if (!flow->dead)
		hs_event_in(flow, flow->tcb.state, seg, counter, 0);
	spin_unlock(&flow->lock);
}

void hs_event_tell_unsent(struct hs_flow *flow,
			  const struct hs_actions *actions,
			  enum threeway_counter counter)
{
	spin_lock(&flow->lock);
	/* another CPU may have told the end meanwhile */
	if (!flow->dead || actions->end != HS_NONE)
		hs_event_out(flow, &actions->reply, counter, 0);
	spin_unlock(&flow->lock);
}

void hs_event_tell_ended(struct hs_flow *flow, enum threeway_counter counter)
{
	bool handoff = counter == THREEWAY_C_flows_handed_over;
	bool established = handoff || counter == THREEWAY_C_flows_observed;
	struct threeway_event event;

	hs_event_init(&event, flow,
		      handoff ? THREEWAY_EV_HANDOFF : THREEWAY_EV_ENDED,
		      flow->tcb.state,
		      established ? THREEWAY_ESTABLISHED : THREEWAY_CLOSED,
		      counter);
	hs_event_tell(flow, &event);
}

void hs_event_cookies(const struct hs_net *hn, const struct hs_claim *claim,
		      bool on)
{
	trace_threeway_cookies(hn->net, claim->conf.id, on,
			       atomic_read(&claim->flows));
}
