// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: events sorted by handshake
 */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "event.h"
#include "ladder.h"
#include "ladder_build.h"

#define BUCKETS		1024
/* Events of a ladder: of both ends, and of flows that followed one another. */
#define ITEMS		(4 * LADDER_EVENTS)

/**
 * struct flow - the events of one flow
 * @next:	in its bucket
 * @id:		its id
 * @recording:	that it is in
 * @events:	they
 * @count:	how many
 * @room:	how many fit
 * @left_out:	those beyond LADDER_EVENTS
 * @begin_ns:	time of the first
 * @end_ns:	time of the last
 * @group:	a flow of the same handshake, itself if it speaks for them
 */
struct flow {
	struct flow *next;
	__u64 id;
	unsigned int recording;
	struct threeway_event *events;
	unsigned int count;
	unsigned int room;
	unsigned long long left_out;
	__u64 begin_ns;
	__u64 end_ns;
	struct flow *group;
};

/**
 * struct ladder_set - events of one recording or two
 * @buckets:	flows by id
 * @counts:	flows of each recording
 * @two:	there is a second recording
 * @left_out:	events of flows beyond LADDER_FLOWS
 */
struct ladder_set {
	struct flow *buckets[BUCKETS];
	unsigned int counts[2];
	bool two;
	unsigned long long left_out;
};

void *ladder_alloc(void *memory, size_t count, size_t size)
{
	memory = reallocarray(memory, count ? count : 1, size);
	if (!memory)
		exit(failure("out of memory"));
	return memory;
}

struct ladder_set *ladder_set_new(unsigned int recordings)
{
	struct ladder_set *set = ladder_alloc(NULL, 1, sizeof(*set));

	memset(set, 0, sizeof(*set));
	set->two = recordings == 2;
	return set;
}

static void flow_free(struct flow *flow)
{
	free(flow->events);
	free(flow);
}

void ladder_set_free(struct ladder_set *set)
{
	struct flow *flow;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		while ((flow = set->buckets[i])) {
			set->buckets[i] = flow->next;
			flow_free(flow);
		}
	free(set);
}

unsigned long long ladder_set_left_out(const struct ladder_set *set)
{
	return set->left_out;
}

static struct flow **find(const struct ladder_set *set, unsigned int recording, __u64 id)
{
	struct flow **flow = (struct flow **)&set->buckets[id % BUCKETS];

	while (*flow && ((*flow)->id != id || (*flow)->recording != recording))
		flow = &(*flow)->next;
	return flow;
}

void ladder_set_remove(struct ladder_set *set, __u64 id)
{
	struct flow **place = find(set, 0, id), *flow = *place;

	if (!flow)
		return;
	*place = flow->next;
	flow_free(flow);
	set->counts[0]--;
}

static struct flow *add_flow(struct ladder_set *set, unsigned int recording, __u64 id,
			     struct flow **place)
{
	struct flow *flow = ladder_alloc(NULL, 1, sizeof(*flow));

	memset(flow, 0, sizeof(*flow));
	flow->id = id;
	flow->recording = recording;
	*place = flow;
	set->counts[recording]++;
	return flow;
}

void ladder_set_add(struct ladder_set *set, unsigned int recording,
		    const struct threeway_event *event)
{
	struct flow **place = find(set, recording, event->flow), *flow = *place;

	if (!flow && set->counts[recording] == LADDER_FLOWS) {
		set->left_out++;
		return;
	}
	if (!flow)
		flow = add_flow(set, recording, event->flow, place);
	if (!flow->count || event->time_ns < flow->begin_ns)
		flow->begin_ns = event->time_ns;
	if (event->time_ns > flow->end_ns)
		flow->end_ns = event->time_ns;
	/* The last one tells how it ended, and takes the place of another. */
	if (flow->count == LADDER_EVENTS) {
		flow->left_out++;
		flow->events[flow->count - 1] = *event;
		return;
	}
	if (flow->count == flow->room) {
		flow->room = flow->room * 2 + 8;
		flow->events = ladder_alloc(flow->events, flow->room, sizeof(*event));
	}
	flow->events[flow->count++] = *event;
}

static bool same_handshake(const struct flow *a, const struct flow *b)
{
	const struct threeway_flow_key *p = &a->events[0].key, *q = &b->events[0].key;

	return p->family == q->family && p->local_port == q->remote_port &&
	       p->remote_port == q->local_port &&
	       !memcmp(p->local, q->remote, sizeof(p->local)) &&
	       !memcmp(p->remote, q->local, sizeof(p->remote)) &&
	       a->begin_ns <= b->end_ns && b->begin_ns <= a->end_ns;
}

static struct flow *speaker(struct flow *flow)
{
	while (flow->group != flow)
		flow = flow->group;
	return flow;
}

/* Flows of recording 0 first, each recording in the order of its begin. */
static int compare_flows(const void *a, const void *b)
{
	const struct flow *p = *(struct flow * const *)a, *q = *(struct flow * const *)b;

	if (p->recording != q->recording)
		return p->recording < q->recording ? -1 : 1;
	if (p->begin_ns != q->begin_ns)
		return p->begin_ns < q->begin_ns ? -1 : 1;
	return p->id < q->id ? -1 : p->id > q->id;
}

static struct flow **list_flows(const struct ladder_set *set, unsigned int *count)
{
	unsigned int i, all = set->counts[0] + set->counts[1];
	struct flow **flows = ladder_alloc(NULL, all, sizeof(*flows)), *flow;

	*count = 0;
	for (i = 0; i < BUCKETS; i++)
		for (flow = set->buckets[i]; flow; flow = flow->next) {
			flow->group = flow;
			flows[(*count)++] = flow;
		}
	qsort(flows, all, sizeof(*flows), compare_flows);
	return flows;
}

static void group_flows(const struct ladder_set *set, struct flow **flows)
{
	unsigned int i, j, all = set->counts[0] + set->counts[1];

	for (i = 0; i < set->counts[0]; i++)
		for (j = set->counts[0]; j < all; j++)
			if (same_handshake(flows[i], flows[j]))
				speaker(flows[j])->group = speaker(flows[i]);
}

static int compare_items(const void *a, const void *b)
{
	const struct ladder_item *p = a, *q = b;

	if (p->event->time_ns != q->event->time_ns)
		return p->event->time_ns < q->event->time_ns ? -1 : 1;
	/* Still in the order in which they were read. */
	return p->segment - q->segment;
}

/* A recording of the side that opens is on the left. */
static bool is_left(const struct flow *flow)
{
	return (flow->events[0].direction == THREEWAY_ACTIVE) == !flow->recording;
}

/* Adds the events of a flow to the items of its ladder. */
static unsigned int add_items(struct ladder *ladder, struct ladder_item *items, unsigned int count,
			      const struct flow *flow, enum ladder_side side)
{
	unsigned int i;

	for (i = 0; i < flow->count && count < ITEMS; i++, count++) {
		items[count].event = &flow->events[i];
		items[count].side = side;
		items[count].segment = count;
	}
	ladder->left_out += flow->left_out + flow->count - i;
	return count;
}

/* The ladder of the flows that the one speaks for. */
static void build(struct ladder *ladder, struct flow **flows, unsigned int count,
		  const struct flow *group, bool two)
{
	enum ladder_side first = is_left(group) ? LADDER_LEFT : LADDER_RIGHT;
	struct ladder_item *items = ladder_alloc(NULL, ITEMS, sizeof(*items));
	unsigned int i, all = 0;

	memset(ladder, 0, sizeof(*ladder));
	ladder->has_first = !group->recording;
	for (i = 0; i < count; i++)
		if (speaker(flows[i]) == group)
			all = add_items(ladder, items, all, flows[i], flows[i]->recording ?
					ladder_other(first) : first);
	qsort(items, all, sizeof(*items), compare_items);
	ladder_build(ladder, items, all, two);
	free(items);
}

static int compare_ladders(const void *a, const void *b)
{
	const struct ladder *p = a, *q = b;

	return p->begin_ns < q->begin_ns ? -1 : p->begin_ns > q->begin_ns;
}

struct ladder *ladder_set_build(const struct ladder_set *set, unsigned int *count)
{
	struct ladder *ladders;
	struct flow **flows;
	unsigned int i, all;

	flows = list_flows(set, &all);
	if (set->two)
		group_flows(set, flows);
	ladders = ladder_alloc(NULL, all, sizeof(*ladders));
	*count = 0;
	for (i = 0; i < all; i++)
		if (flows[i]->group == flows[i])
			build(&ladders[(*count)++], flows, all, flows[i], set->two);
	qsort(ladders, *count, sizeof(*ladders), compare_ladders);
	free(flows);
	return ladders;
}

struct ladder *ladder_set_build_one(const struct ladder_set *set, __u64 id)
{
	struct flow *flow = *find(set, 0, id);
	struct ladder *ladder;

	if (!flow)
		return NULL;
	flow->group = flow;
	ladder = ladder_alloc(NULL, 1, sizeof(*ladder));
	build(ladder, &flow, 1, flow, false);
	return ladder;
}

void ladder_clear(struct ladder *ladder)
{
	free(ladder->steps);
	free(ladder->segments);
}

void ladder_free(struct ladder *ladders, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		ladder_clear(&ladders[i]);
	free(ladders);
}
