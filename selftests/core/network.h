/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two cores that talk to each other, each by its own clock, over a network that
 * loses, duplicates, delays and reorders. Segments go over it as they go over the
 * wire, as octets.
 */
#ifndef CORE_NETWORK_H
#define CORE_NETWORK_H

#include "core_test.h"

#define LATENCY_MS	20U
#define QUEUE_MAX	256
#define NEVER		0xffffffffU

/* From one ISS of a listener to the next. */
#define ISS_STEP	1000000U

/*
 * Answers to answers: a SYN, its SYN-ACK at an end that has another connection,
 * the challenge ACK, the RST. Two ends that disagree must not go on for ever.
 */
#define ANSWERS_MAX	3U

struct end {
	struct hs_tcb tcb;
	struct hs_policy policy;
	struct hs_offer offer;
	u32 iss;
	u32 clock_ms;			/* ahead of the network's */
	u32 due_ms;
	u32 copies;
	u32 flows;			/* so far */
	bool active;
	bool alive;
	bool opens;			/* when the timer is due */
	enum threeway_counter ended;
};

struct packet {
	u32 at_ms;
	u32 number;
	u32 to;
	u32 len;			/* of the header */
	u32 data_len;
	u32 answers;			/* to how many others this is one */
	u8 octets[HS_HEADER_MAX];
};

struct network {
	struct end ends[2];
	struct packet queue[QUEUE_MAX];
	u32 queued;
	u32 sent;			/* packets so far */
	u32 resets;
	u32 answers;			/* of what is sent now */
	u32 now_ms;
	u64 lose;			/* bit n: packet n is lost */
	u32 deaf;			/* bit n: nothing arrives at end n */
	bool wild;			/* until it heals */
	u32 heals_ms;
	u32 loss_percent;
	u32 disturb_ms;			/* when something else happens, or NEVER */
	void (*disturb)(struct network *net);
};

/* An end that listens, or a second one that opens, and the first that opens. */
void network_make(struct network *net, bool both_active);

void network_open(struct network *net, u32 which);
void network_open_later(struct network *net, u32 which, u32 later_ms);

/* The end forgets its connection. */
void network_crash(struct network *net, u32 which);

/* A segment of an end; its fate is up to the network. */
void network_transmit(struct network *net, u32 from,
		      const struct hs_reply *reply);

/* A segment of somebody else, which arrives. */
void network_forge(struct network *net, u32 to, const struct hs_reply *reply,
		   u32 data_len);

/* Until nothing is on its way and both ends have come to rest. */
void network_run(struct network *net);

/* Opens what is to open, and runs. */
void network_start(struct network *net);

/* Both ends are ESTABLISHED and agree about everything. */
void expect_agreement(const struct network *net);
/* So they are, and nobody had to be reset. */
void expect_converged(const struct network *net);

#endif /* CORE_NETWORK_H */
