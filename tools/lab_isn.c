// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: the experiment with initial sequence numbers
 */
#include <stdlib.h>
#include <string.h>

#include "lab.h"
#include "tool.h"

#define ROUNDS		6
#define PAUSE_MS	250
#define TICK_NS		64	/* of the engine's ISN clock */
#define TOLERANCE_NS	20000000LL	/* between reading that clock and the event's */

/* Opens a connection, notes the numbers of both ends, and has it reset. */
static int open_once(struct lab *lab, __u16 client_port, struct lab_record *synack)
{
	struct threeway_open open;
	struct lab_record ack;
	int status;

	status = lab_open(lab, LAB_A, client_port, LAB_PORT, NULL, &open);
	if (status || !lab_sent(lab, LAB_B, TCP_SYN | TCP_ACK, LAB_SOON_MS, synack) ||
	    !lab_arrived(lab, LAB_B, TCP_ACK, LAB_SOON_MS, &ack))
		return status;
	lab->isns[lab->isn_count++] = (struct lab_isn){
		.time_ns = synack->event.time_ns,
		.port = client_port,
		.iss = { synack->event.ack - 1, synack->event.seq },
	};
	status = lab_kill(lab, LAB_A, &open);
	if (!status)
		lab_became(lab, LAB_B, THREEWAY_EV_ENDED, THREEWAY_CLOSED, LAB_SOON_MS, &ack);
	return status;
}

/* Has the number grown by a tick for each 64 ns? */
static bool fits_clock(const struct lab_isn *isn, const struct lab_isn *before, enum lab_end end)
{
	long long ticks = (__u32)(isn->iss[end] - before->iss[end]);
	long long elapsed_ns = isn->time_ns - before->time_ns;

	return llabs(ticks * TICK_NS - elapsed_ns) <= TOLERANCE_NS;
}

static void tell_round(struct lab *lab, const struct lab_record *synack)
{
	const struct lab_isn *isn = &lab->isns[lab->isn_count - 1];
	__u64 elapsed_ns;

	if (lab->isn_count == 1) {
		lab_say(lab, synack, "and A open a connection. A's ISS is %u, B's %u. Then A resets it.",
			isn->iss[LAB_A], isn->iss[LAB_B]);
		return;
	}
	elapsed_ns = isn->time_ns - isn[-1].time_ns;
	lab_say(lab, synack, "and A open it again after %llu ms: A's ISS has grown by %u, B's by %u.",
		(unsigned long long)elapsed_ns / 1000000,
		isn->iss[LAB_A] - isn[-1].iss[LAB_A], isn->iss[LAB_B] - isn[-1].iss[LAB_B]);
	lab_must(lab, fits_clock(isn, &isn[-1], LAB_A) && fits_clock(isn, &isn[-1], LAB_B),
		 "that is not a tick for each 64 ns");
}

static void tell_clock(struct lab *lab)
{
	const struct lab_isn *first = lab->isns, *last = &lab->isns[ROUNDS - 1];
	const struct lab_isn *other = &lab->isns[ROUNDS];
	__u32 by_clock = (other->time_ns - last->time_ns) / TICK_NS;

	lab_add(lab, LAB_A, "has a clock in its ISS that ticks every %.2f ns and wraps in %.0f s. A segment lives 2 minutes (RFC 9293), so the numbers of an earlier connection that sent less than a byte a tick do not come again before its segments are gone.",
		(double)(last->time_ns - first->time_ns) / (last->iss[LAB_A] - first->iss[LAB_A]),
		4294967296.0 * (last->time_ns - first->time_ns) /
		(last->iss[LAB_A] - first->iss[LAB_A]) / 1e9);
	lab_add(lab, LAB_A, "opens one from port %u: ISS %u, which is %u off what the clock alone would say. Each tuple has an offset of its own, a keyed hash (RFC 6528), so nobody can tell the number of one connection by that of another.",
		other->port,
		other->iss[LAB_A], other->iss[LAB_A] - last->iss[LAB_A] - by_clock);
	lab_must(lab, !fits_clock(other, last, LAB_A), "the offset is the same");
}

static int run_port_reuse(struct lab *lab)
{
	struct lab_record synack;
	int round, status;

	status = lab_claim(lab, LAB_B, THREEWAY_PASSIVE, THREEWAY_HOLD, LAB_PORT, NULL);
	lab_chapter(lab, LAB_PORT, NULL);
	for (round = 0; round < ROUNDS && !status && !lab->failed; round++) {
		if (round)
			lab_pause(lab, PAUSE_MS);
		status = open_once(lab, LAB_CLIENT_PORT, &synack);
		if (!status && !lab->failed)
			tell_round(lab, &synack);
	}
	if (!status && !lab->failed)
		status = open_once(lab, LAB_CLIENT_PORT + 1, &synack);
	if (!status && !lab->failed)
		tell_clock(lab);
	return status;
}

const struct lab_experiment lab_port_reuse = {
	.name = "port-reuse",
	.summary = "the initial sequence numbers of one tuple over time",
	.about = "Host A opens a connection to host B again and again, always between the same ports, and at last one from another port. The picture shows the first one, the table the initial sequence numbers of both ends.",
	.run = run_port_reuse,
	.pictures = 1,
};
