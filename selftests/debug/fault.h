/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations that fail. A walk repeats a step: the first time the first
 * allocation of the system call or packet in question fails, then the second,
 * and so on until it has no more of them. The buffers of what is sent come from a
 * cache of the CPU: where that matters, it is emptied. What the engine's counters say about it
 * must be one of the outcomes of the walk, and each of them must come about.
 *
 *	static void a_step(struct walk *walk)
 *	{
 *		peer_flow(walk->peer);
 *		fault_send(walk, "S 0");
 *		... all works as ever, at the latest when it is tried again
 *	}
 *
 *	fault_walk(peer, a_step,
 *		   "",
 *		   "flows_opened 1; sent_synack 1",
 *		   "native_no_memory 1");
 */
#ifndef DEBUG_FAULT_H
#define DEBUG_FAULT_H

#include "peer.h"

#define OUTCOMES_MAX	8

/**
 * struct walk - over the allocations of something
 * @peer:	what it happens to
 * @outcomes:	what it may come to: the counters that have moved, in their
 *		order. NULL after the last one; no first one: not looked at
 * @seen:	how often it came to that
 * @nth:	the allocation that fails
 * @hit:	there were as many
 * @remote:	it is not of a system call or packet of this thread, but of what
 *		the module does in a timer or worker; @nth is about octets then
 * @symbol:	@remote: of the module only what this function does, or NULL
 * @empty:	the cache of buffers is not filled any more
 * @init:	it is of what threeway does when it is loaded or a network
 *		namespace is made, see modules/fault_init.c
 */
struct walk {
	struct peer *peer;
	const char *outcomes[OUTCOMES_MAX];
	unsigned int seen[OUTCOMES_MAX];
	unsigned int nth;
	bool hit;
	bool remote;
	const char *symbol;
	bool empty;
	bool init;
};

typedef void fault_step(struct walk *walk);

/* What the machine lacks for all this, or NULL. Call it first. */
const char *fault_prepare(void);

/*
 * Whether whole pages are walked over, too. At first not: now and then a slab needs
 * some, so that the n-th allocation would be another one each time.
 */
void fault_pages(bool fail);

/* Between the two, the allocation fails. */
void fault_begin(struct walk *walk);
void fault_end(struct walk *walk);

void fault_walk_(struct walk *walk, struct place place, fault_step *step);

#define fault_walk(_peer, step, ...)					\
	fault_walk_(&(struct walk){ .peer = (_peer),			\
				    .outcomes = { __VA_ARGS__ } }, HERE, step)
/* The same for what threeway does at its start or that of a namespace. */
#define fault_walk_init(_peer, step)					\
	fault_walk_(&(struct walk){ .peer = (_peer), .init = true },	\
		    HERE, step)
/* The same for what the module does in a timer or worker. */
#define fault_walk_remote(_peer, step, _symbol, ...)			\
	fault_walk_(&(struct walk){ .peer = (_peer), .remote = true,	\
				    .symbol = (_symbol),		\
				    .outcomes = { __VA_ARGS__ } }, HERE, step)

/* Whether a packet with just these flags came within some ms. */
bool fault_answer(struct peer *peer, u16 flags, unsigned int ms);
/* Nothing is left of the flow: neither here nor in the native stack. */
#define fault_expect_nothing(peer) fault_expect_nothing_(peer, HERE)
void fault_expect_nothing_(struct peer *peer, struct place place);

/* What the peer sends is what the allocation is for. */
#define fault_send(walk, ...) do {				\
	fault_begin(walk);					\
	peer_send((walk)->peer, __VA_ARGS__);			\
	fault_end(walk);					\
} while (0)

#endif /* DEBUG_FAULT_H */
