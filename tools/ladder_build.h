/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: how a ladder is made from events
 */
#ifndef _LADDER_BUILD_H
#define _LADDER_BUILD_H

#include "ladder.h"

/**
 * struct ladder_item - an event on its way into a ladder
 * @event:	the event
 * @side:	of the end that recorded it
 * @segment:	index of its segment, -1 if it only tells more about the one before it;
 *		its own number before there are segments
 */
struct ladder_item {
	const struct threeway_event *event;
	enum ladder_side side;
	int segment;
};

/**
 * struct ladder_draft - a ladder before its steps are made
 * @ladder:	ends and segments
 * @items:	events in the order of their times
 * @item_count:	how many
 * @two:	there are two recordings, even if one knows nothing of this handshake
 */
struct ladder_draft {
	struct ladder *ladder;
	struct ladder_item *items;
	unsigned int item_count;
	bool two;
};

/* Makes the ladder; events are in the order of their times. */
void ladder_build(struct ladder *ladder, struct ladder_item *items, unsigned int count,
		  bool two);

/* Makes the segments, and finds out where they went. */
void ladder_pair(struct ladder_draft *draft);

/* The state of an end that was not recorded, before it does anything. */
int ladder_infer_first(const struct ladder_draft *draft, enum ladder_side side);
/* And its state after it has sent that segment, or got it. */
int ladder_infer_next(int state, __u8 flags, bool sends);

static inline enum ladder_side ladder_other(enum ladder_side side)
{
	return side == LADDER_LEFT ? LADDER_RIGHT : LADDER_LEFT;
}

static inline __u64 ladder_before(__u64 time_ns, __u64 span_ns)
{
	return time_ns > span_ns ? time_ns - span_ns : 0;
}

/* Memory that a ladder needs; the program ends when there is none. */
void *ladder_alloc(void *memory, size_t count, size_t size);

#endif /* _LADDER_BUILD_H */
