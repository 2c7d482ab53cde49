/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events of flows, for the readers of /dev/threeway and the tracepoints.
 *
 * The events of one flow come in the order in which things happened, since all
 * are told under hs_flow.lock, but for the last one, which nobody can overtake:
 * a dead flow tells nothing else. A segment is told as sent before it is given
 * to IP, so that no answer can come earlier.
 *
 * The state changes in STATE, HANDOFF and ENDED only; every other event has the
 * state of the event before it. Of the events that one cause has, SENT tells how
 * the timer was set (RFC 6298 section 5.1), or without it the first one.
 *
 * What is wanted by nobody costs a patched jump and the read of a list head.
 */
#ifndef HS_EVENT_H
#define HS_EVENT_H

#include <linux/jump_label.h>
#include <linux/list.h>

#include "core/tcb.h"
#include "flow.h"
#include "netns.h"

/* Tracepoints that are in use. */
DECLARE_STATIC_KEY_FALSE(hs_event_traced);

static inline bool hs_event_wanted(const struct hs_flow *flow)
{
	return static_branch_unlikely(&hs_event_traced) ||
	       unlikely(!list_empty(&hs_flow_net(flow)->readers.list));
}

void hs_event_tell_opened(struct hs_flow *flow, enum threeway_state before,
			  const struct hs_segment *seg,
			  const struct hs_actions *actions);
void hs_event_tell_acted(struct hs_flow *flow, enum threeway_state before,
			 const struct hs_segment *seg,
			 const struct hs_actions *actions);
void hs_event_tell_sent(struct hs_flow *flow, enum threeway_state before,
			const struct hs_actions *actions);
void hs_event_tell_arrived(struct hs_flow *flow, const struct hs_segment *seg,
			   enum threeway_counter counter);
void hs_event_tell_unsent(struct hs_flow *flow,
			  const struct hs_actions *actions,
			  enum threeway_counter counter);
void hs_event_tell_ended(struct hs_flow *flow, enum threeway_counter counter);

/* A claim begins or stops to send SYN cookies: a tracepoint alone. */
void hs_event_cookies(const struct hs_net *hn, const struct hs_claim *claim,
		      bool on);

/**
 * hs_event_opened() - OPENED, and what else the beginning of a flow was
 * @flow:	the flow, in the state that it begins with
 * @before:	the state it was in before that: CLOSED or LISTEN
 * @seg:	the segment that opened it (ARRIVED), or NULL
 * @actions:	what is done about it (SENT)
 *
 * Context: hs_flow.lock held, so that no other event comes first.
 */
static inline void hs_event_opened(struct hs_flow *flow,
				   enum threeway_state before,
				   const struct hs_segment *seg,
				   const struct hs_actions *actions)
{
	if (hs_event_wanted(flow))
		hs_event_tell_opened(flow, before, seg, actions);
}

/**
 * hs_event_acted() - a segment or the timer, a new state, a segment sent
 * @flow:	the flow, as the core left it
 * @before:	its state before
 * @seg:	the segment that arrived (ARRIVED), NULL for the timer (TIMER)
 * @actions:	what the core asks for; the end of the flow is not told yet
 *
 * Context: hs_flow.lock held, the flow was alive when it was taken.
 */
static inline void hs_event_acted(struct hs_flow *flow,
				  enum threeway_state before,
				  const struct hs_segment *seg,
				  const struct hs_actions *actions)
{
	if (hs_event_wanted(flow))
		hs_event_tell_acted(flow, before, seg, actions);
}

/**
 * hs_event_sent() - a new state, a segment sent, without a cause of ours
 * @flow:	the flow
 * @before:	its state before
 * @actions:	what was sent
 *
 * Context: as hs_event_acted().
 */
static inline void hs_event_sent(struct hs_flow *flow,
				 enum threeway_state before,
				 const struct hs_actions *actions)
{
	if (hs_event_wanted(flow))
		hs_event_tell_sent(flow, before, actions);
}

/**
 * hs_event_arrived() - ARRIVED, for a segment that the core does not get
 * @flow:	the flow; nothing is told when it is dead
 * @seg:	the segment
 * @counter:	what became of it
 *
 * Context: BH, hs_flow.lock not held.
 */
static inline void hs_event_arrived(struct hs_flow *flow,
				    const struct hs_segment *seg,
				    enum threeway_counter counter)
{
	if (hs_event_wanted(flow))
		hs_event_tell_arrived(flow, seg, counter);
}

/**
 * hs_event_unsent() - SENT once more, for a segment that was not sent after all
 * @flow:	the flow
 * @actions:	what the core had asked for
 * @counter:	why
 *
 * Context: BH, hs_flow.lock not held.
 */
static inline void hs_event_unsent(struct hs_flow *flow,
				   const struct hs_actions *actions,
				   enum threeway_counter counter)
{
	if (hs_event_wanted(flow))
		hs_event_tell_unsent(flow, actions, counter);
}

/**
 * hs_event_ended() - HANDOFF or ENDED, the last event of a flow
 * @flow:	the flow, dead by the caller's doing
 * @counter:	why
 *
 * Context: whatever may bump a counter.
 */
static inline void hs_event_ended(struct hs_flow *flow,
				  enum threeway_counter counter)
{
	if (hs_event_wanted(flow))
		hs_event_tell_ended(flow, counter);
}

#endif /* HS_EVENT_H */
