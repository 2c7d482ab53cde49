// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: which segment went where, and what the end that was not recorded did
 */
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "ladder_build.h"

/* Events are made just before or after what they tell, on two CPUs. */
#define SKEW_NS		10000000ULL
/* Time on the way, if nothing is known about it, and at most. */
#define TRANSIT_NS	50000ULL
#define TRANSIT_MAX_NS	100000000ULL

static bool is_same_segment(const struct threeway_event *a, const struct threeway_event *b)
{
	return a->flags == b->flags && a->seq == b->seq && a->ack == b->ack &&
	       a->wnd == b->wnd && a->len == b->len && a->options == b->options &&
	       a->tsval == b->tsval && a->tsecr == b->tsecr && a->mss == b->mss &&
	       a->wscale == b->wscale;
}

/*
 * The segment that arrived in this event. Of copies that do not differ, and that
 * have no timestamp to tell them apart, the one that was sent last is meant.
 */
static struct ladder_segment *find_sent(struct ladder *ladder, const struct threeway_event *event,
					enum ladder_side from)
{
	unsigned int i;

	for (i = ladder->segment_count; i--;) {
		struct ladder_segment *segment = &ladder->segments[i];

		if (segment->from == from && segment->sent.seen && !segment->arrived.seen &&
		    segment->fate != LADDER_UNSENT &&
		    segment->sent.time_ns <= event->time_ns + SKEW_NS &&
		    is_same_segment(&segment->event, event))
			return segment;
	}
	return NULL;
}

static bool was_sent_before(const struct ladder *ladder, const struct ladder_segment *segment)
{
	const struct ladder_segment *other;

	for (other = ladder->segments; other < segment; other++)
		if (other->from == segment->from &&
		    other->event.seq == segment->event.seq &&
		    other->event.flags == segment->event.flags &&
		    other->event.len == segment->event.len)
			return true;
	return false;
}

static struct ladder_segment *add_segment(struct ladder *ladder,
					  const struct threeway_event *event,
					  enum ladder_side from)
{
	struct ladder_segment *segment = &ladder->segments[ladder->segment_count++];

	memset(segment, 0, sizeof(*segment));
	segment->event = *event;
	segment->from = from;
	segment->sent.step = -1;
	segment->arrived.step = -1;
	segment->again = was_sent_before(ladder, segment);
	return segment;
}

static bool is_unsent(const struct threeway_event *event)
{
	return event->counter == THREEWAY_C_segment_lost ||
	       event->counter == THREEWAY_C_send_failed ||
	       event->counter == THREEWAY_C_segment_conntrack_drop;
}

/* The same segment, told a moment before its sending failed. */
static struct ladder_segment *find_failed(struct ladder *ladder, const struct ladder_item *item)
{
	unsigned int i;

	for (i = ladder->segment_count; i--;) {
		struct ladder_segment *segment = &ladder->segments[i];

		if (segment->sent.time_ns + SKEW_NS < item->event->time_ns)
			return NULL;
		if (segment->from == item->side && is_same_segment(&segment->event, item->event))
			return segment;
	}
	return NULL;
}

static void add_sent(struct ladder_draft *draft, struct ladder_item *item)
{
	struct ladder_segment *segment = NULL;

	if (is_unsent(item->event))
		segment = find_failed(draft->ladder, item);
	if (segment) {
		segment->fate = LADDER_UNSENT;
		item->segment = -1;
		return;
	}
	segment = add_segment(draft->ladder, item->event, item->side);
	segment->sent.seen = true;
	segment->sent.time_ns = item->event->time_ns;
	if (is_unsent(item->event))
		segment->fate = LADDER_UNSENT;
	item->segment = segment - draft->ladder->segments;
}

static void add_arrived(struct ladder_draft *draft, struct ladder_item *item)
{
	enum ladder_side from = ladder_other(item->side);
	struct ladder_segment *segment = find_sent(draft->ladder, item->event, from);

	if (!segment)
		segment = add_segment(draft->ladder, item->event, from);
	segment->arrived.seen = true;
	segment->arrived.time_ns = item->event->time_ns;
	if (segment->sent.time_ns >= segment->arrived.time_ns)
		segment->sent.time_ns = ladder_before(segment->arrived.time_ns, 1);
	item->segment = segment - draft->ladder->segments;
}

/* Sent ones first: by the clock an arrival may come before its sending. */
static void make_segments(struct ladder_draft *draft)
{
	unsigned int i;

	draft->ladder->segments = ladder_alloc(NULL, draft->item_count,
					       sizeof(*draft->ladder->segments));
	for (i = 0; i < draft->item_count; i++)
		if (draft->items[i].event->type == THREEWAY_EV_SENT)
			add_sent(draft, &draft->items[i]);
	for (i = 0; i < draft->item_count; i++)
		if (draft->items[i].event->type == THREEWAY_EV_ARRIVED)
			add_arrived(draft, &draft->items[i]);
}

/* Does the second one acknowledge the first, or refuse it? */
static bool is_answer(const struct threeway_event *sent, const struct threeway_event *answer)
{
	__u32 end = sent->seq + sent->len + !!(sent->flags & TCP_SYN) +
		    !!(sent->flags & TCP_FIN);

	if (answer->flags & TCP_ACK)
		return end != sent->seq && answer->ack == end;
	return answer->flags & TCP_RST && sent->flags & TCP_ACK && answer->seq == sent->ack;
}

/* The segment that this arrival answers: by its timestamp, or the last copy. */
static struct ladder_segment *find_answered(struct ladder *ladder,
					    const struct ladder_segment *answer)
{
	const struct threeway_event *event = &answer->event;
	struct ladder_segment *last = NULL;
	unsigned int i;

	for (i = ladder->segment_count; i--;) {
		struct ladder_segment *segment = &ladder->segments[i];

		if (segment->from == answer->from || !segment->sent.seen ||
		    segment->fate == LADDER_UNSENT ||
		    segment->sent.time_ns > answer->arrived.time_ns ||
		    !is_answer(&segment->event, event))
			continue;
		if (event->options & segment->event.options & THREEWAY_O_TIMESTAMPS &&
		    event->tsecr == segment->event.tsval)
			return segment;
		if (!last || last->sent.time_ns < segment->sent.time_ns)
			last = segment;
	}
	return last;
}

/* Had the sender reason to believe that it did not arrive? */
static bool was_missed(const struct ladder_draft *draft, const struct ladder_segment *segment)
{
	bool wants_answer = segment->event.flags & TCP_SYN;
	unsigned int i;

	for (i = 0; i < draft->item_count; i++) {
		const struct ladder_item *item = &draft->items[i];
		const struct threeway_event *event = item->event;

		if (item->side != segment->from || event->time_ns <= segment->sent.time_ns)
			continue;
		if (wants_answer && (event->type == THREEWAY_EV_TIMER ||
				     event->type == THREEWAY_EV_ENDED))
			return true;
		/* The peer sends its SYN-ACK again: it has not got the ACK of it. */
		if (!wants_answer && segment->event.flags == TCP_ACK &&
		    event->type == THREEWAY_EV_ARRIVED && event->flags & TCP_SYN &&
		    event->flags & TCP_ACK && event->seq + 1 == segment->event.ack)
			return true;
	}
	return false;
}

/* Was that end still recording then? */
static bool was_watched(const struct ladder_draft *draft, enum ladder_side side, __u64 time_ns)
{
	const struct ladder_end *end = &draft->ladder->ends[side];

	if (!end->recorded)
		return draft->two;
	return !end->over_ns || time_ns < end->over_ns;
}

static void judge(const struct ladder_draft *draft, struct ladder_segment *segment, bool answered)
{
	enum ladder_side to = ladder_other(segment->from);

	if (segment->fate == LADDER_UNSENT || segment->arrived.seen || answered)
		return;
	if (draft->ladder->ends[to].recorded && was_watched(draft, to, segment->sent.time_ns))
		segment->fate = LADDER_LOST;
	else if (was_missed(draft, segment))
		segment->fate = was_watched(draft, to, segment->sent.time_ns) ?
			LADDER_LOST : LADDER_UNANSWERED;
}

static __u64 min_transit(struct ladder *ladder)
{
	__u64 least = TRANSIT_MAX_NS;
	bool known = false;
	unsigned int i;

	for (i = 0; i < ladder->segment_count; i++) {
		struct ladder_segment *answer = &ladder->segments[i], *segment;

		if (!answer->arrived.seen || answer->sent.seen)
			continue;
		segment = find_answered(ladder, answer);
		if (!segment)
			continue;
		known = true;
		if (answer->arrived.time_ns - segment->sent.time_ns < 2 * least)
			least = (answer->arrived.time_ns - segment->sent.time_ns) / 2;
	}
	return known ? least : TRANSIT_NS;
}

/* When it left, and when that which it answers arrived. */
static void infer_departure(struct ladder *ladder, struct ladder_segment *answer, __u64 transit,
			    bool *answered)
{
	struct ladder_segment *segment = find_answered(ladder, answer);
	__u64 arrived_ns = answer->arrived.time_ns;

	answer->sent.time_ns = ladder_before(arrived_ns, transit);
	if (!segment)
		return;
	answered[segment - ladder->segments] = true;
	if (segment->arrived.seen)
		return;
	segment->arrived.time_ns = segment->sent.time_ns + transit;
	if (answer->sent.time_ns <= segment->arrived.time_ns)
		answer->sent.time_ns = segment->arrived.time_ns + 1;
	if (answer->sent.time_ns >= arrived_ns)
		answer->sent.time_ns = ladder_before(arrived_ns, 1);
}

void ladder_pair(struct ladder_draft *draft)
{
	struct ladder *ladder = draft->ladder;
	bool *answered;
	__u64 transit;
	unsigned int i;

	make_segments(draft);
	transit = min_transit(ladder);
	answered = ladder_alloc(NULL, ladder->segment_count, sizeof(*answered));
	memset(answered, 0, ladder->segment_count * sizeof(*answered));
	for (i = 0; i < ladder->segment_count; i++)
		if (ladder->segments[i].arrived.seen && !ladder->segments[i].sent.seen)
			infer_departure(ladder, &ladder->segments[i], transit, answered);
	for (i = 0; i < ladder->segment_count; i++) {
		struct ladder_segment *segment = &ladder->segments[i];

		judge(draft, segment, answered[i]);
		if (segment->fate == LADDER_ARRIVED && !segment->arrived.seen)
			segment->arrived.time_ns = segment->sent.time_ns + transit;
	}
	free(answered);
}

/* The first segment between the ends tells where the other one came from. */
int ladder_infer_first(const struct ladder_draft *draft, enum ladder_side side)
{
	const struct ladder *ladder = draft->ladder;
	const struct ladder_end *other = &ladder->ends[ladder_other(side)];
	unsigned int i;

	if (other->direction == THREEWAY_PASSIVE)
		return THREEWAY_CLOSED;
	for (i = 0; i < draft->item_count; i++) {
		const struct threeway_event *event = draft->items[i].event;

		if (event->type != THREEWAY_EV_ARRIVED)
			continue;
		if (event->flags & TCP_RST || !(event->flags & TCP_ACK))
			return THREEWAY_CLOSED;
		return event->flags & TCP_SYN ? THREEWAY_LISTEN : -1;
	}
	return -1;
}

static int next_by_sending(int state, __u8 flags)
{
	bool began = state == THREEWAY_SYN_SENT || state == THREEWAY_SYN_RECEIVED;

	if (flags & TCP_RST)
		return state == THREEWAY_LISTEN ? state : THREEWAY_CLOSED;
	if (flags & TCP_SYN && flags & TCP_ACK)
		return state == THREEWAY_ESTABLISHED ? state : THREEWAY_SYN_RECEIVED;
	if (flags & TCP_SYN)
		return THREEWAY_SYN_SENT;
	return began ? THREEWAY_ESTABLISHED : state;
}

static int next_by_getting(int state, __u8 flags)
{
	bool has_syn = flags & TCP_SYN, has_ack = flags & TCP_ACK;

	switch (state) {
	case THREEWAY_LISTEN:
		return has_syn && !has_ack && !(flags & TCP_RST) ? THREEWAY_SYN_RECEIVED : state;
	case THREEWAY_SYN_SENT:
		if (flags & TCP_RST)
			return has_ack ? THREEWAY_CLOSED : state;
		if (!has_syn)
			return state;
		return has_ack ? THREEWAY_ESTABLISHED : THREEWAY_SYN_RECEIVED;
	case THREEWAY_SYN_RECEIVED:
		if (flags & TCP_RST)
			return THREEWAY_CLOSED;
		return has_ack ? THREEWAY_ESTABLISHED : state;
	default:
		return state;
	}
}

int ladder_infer_next(int state, __u8 flags, bool sends)
{
	return sends ? next_by_sending(state, flags) : next_by_getting(state, flags);
}
