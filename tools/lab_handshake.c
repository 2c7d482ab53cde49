// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: experiments with a handshake that goes well, or is refused
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lab.h"
#include "tool.h"

#define DELAY_MS	100	/* of the cable, for SYNs to cross */

/* The three segments, and what each end makes of them. */
static void tell_three_way(struct lab *lab)
{
	struct lab_record syn, synack, ack, end;

	if (!lab_sent(lab, LAB_A, TCP_SYN, LAB_SOON_MS, &syn))
		return;
	lab_say(lab, &syn, "sends SYN with a fresh initial sequence number (ISS), %u. CLOSED becomes SYN-SENT.",
		syn.event.seq);
	lab_must_be(lab, &syn, THREEWAY_SYN_SENT);

	if (!lab_arrived(lab, LAB_B, TCP_SYN, LAB_SOON_MS, &ack) ||
	    !lab_sent(lab, LAB_B, TCP_SYN | TCP_ACK, LAB_SOON_MS, &synack))
		return;
	lab_say(lab, &synack, "answers SYN-ACK: its own ISS is %u, and ACK %u says that it has A's SYN and waits for the number after it. LISTEN becomes SYN-RECEIVED.",
		synack.event.seq, synack.event.ack);
	lab_must_be(lab, &synack, THREEWAY_SYN_RECEIVED);
	lab_must(lab, synack.event.ack == syn.event.seq + 1, "ACK is not A's ISS + 1");

	if (!lab_arrived(lab, LAB_A, TCP_SYN | TCP_ACK, LAB_SOON_MS, &synack) ||
	    !lab_arrived(lab, LAB_B, TCP_ACK, LAB_SOON_MS, &ack) ||
	    !lab_became(lab, LAB_B, THREEWAY_EV_HANDOFF, THREEWAY_ESTABLISHED, LAB_SOON_MS, &end))
		return;
	lab_say(lab, &ack, "gets ACK %u: whoever sends it has seen B's SYN-ACK. SYN-RECEIVED becomes ESTABLISHED, and accept() returns the connection.",
		ack.event.ack);
	lab_must(lab, ack.event.ack == synack.event.seq + 1, "ACK is not B's ISS + 1");

	if (!lab_became(lab, LAB_A, THREEWAY_EV_HANDOFF, THREEWAY_ESTABLISHED, LAB_SOON_MS, &end))
		return;
	lab_say(lab, &end, "is ESTABLISHED since the SYN-ACK; its engine now leaves the connection to the socket that called connect().");
	lab_silent(lab);
}

static int run_three_way(struct lab *lab)
{
	int status, listener, client, server;

	status = lab_claim(lab, LAB_B, THREEWAY_PASSIVE, THREEWAY_HANDOFF, LAB_PORT, NULL);
	if (!status)
		status = lab_claim(lab, LAB_A, THREEWAY_ACTIVE, THREEWAY_HANDOFF, LAB_PORT, NULL);
	if (!status)
		status = lab_listen(lab, LAB_B, LAB_PORT, &listener);
	if (!status)
		status = lab_connect(lab, LAB_A, 0, LAB_ADDRESS_B, LAB_PORT, &client);
	if (status)
		return status;

	lab_chapter(lab, LAB_PORT, NULL);
	tell_three_way(lab);
	if (lab->failed)
		return STATUS_OK;
	server = lab_accept(lab, listener, LAB_SOON_MS);
	lab_add(lab, LAB_A, "and B talk: what one program writes, the other one reads, both ways.");
	lab_must(lab, !lab_connected(lab, client, LAB_SOON_MS) && server >= 0 &&
		 lab_talk(lab, client, server) && lab_talk(lab, server, client), "they do not");
	return STATUS_OK;
}

const struct lab_experiment lab_three_way = {
	.name = "three-way",
	.summary = "the three-way handshake",
	.about = "A program on host A connects to a server on host B, as curl would. Both use ordinary sockets; the handshake is done by the engines of both hosts.",
	.run = run_three_way,
};

static void tell_refused(struct lab *lab, int client)
{
	struct lab_record syn, rst, end;

	if (!lab_sent(lab, LAB_A, TCP_SYN, LAB_SOON_MS, &syn))
		return;
	lab_say(lab, &syn, "sends SYN, ISS %u, to port %u of B.", syn.event.seq, lab->port);

	if (!lab_arrived(lab, LAB_A, TCP_RST | TCP_ACK, LAB_SOON_MS, &rst))
		return;
	lab_say(lab, &rst, "gets RST from B, where nobody listens. Its ACK %u proves that it answers this SYN, so that no stranger can have guessed it.",
		rst.event.ack);
	lab_must(lab, rst.event.ack == syn.event.seq + 1, "ACK is not A's ISS + 1");
	lab_must(lab, !rst.event.seq, "a RST that answers a SYN has seq 0");

	if (!lab_became(lab, LAB_A, THREEWAY_EV_ENDED, THREEWAY_CLOSED, LAB_SOON_MS, &end))
		return;
	lab_say(lab, &end, "gives up at once: SYN-SENT becomes CLOSED.");
	lab_must(lab, end.event.counter == THREEWAY_C_flows_refused, "for another reason");
	if (!lab_silent(lab))
		return;
	lab_add(lab, LAB_A, "hears ECONNREFUSED (\"Connection refused\") from connect().");
	lab_must(lab, lab_connected(lab, client, LAB_SOON_MS) == -ECONNREFUSED, "it does not");
}

static int run_refused(struct lab *lab)
{
	int status, client;

	status = lab_claim(lab, LAB_A, THREEWAY_ACTIVE, THREEWAY_HANDOFF, LAB_PORT, NULL);
	if (!status)
		status = lab_connect(lab, LAB_A, 0, LAB_ADDRESS_B, LAB_PORT, &client);
	if (status)
		return status;
	lab_chapter(lab, LAB_PORT, NULL);
	tell_refused(lab, client);
	return STATUS_OK;
}

const struct lab_experiment lab_refused = {
	.name = "refused",
	.summary = "a connect() to a port where nobody listens",
	.about = "A program on host A connects to a port of host B that nobody listens on. A's engine does the handshake; on B Linux's own TCP answers.",
	.run = run_refused,
};

/* SYN out, SYN in, SYN-ACK out: tells one end's part of the crossing. */
static bool tell_crossing(struct lab *lab, enum lab_end end, const struct lab_record *own,
			  struct lab_record *synack)
{
	struct lab_record syn, state;

	if (!lab_arrived(lab, end, TCP_SYN, LAB_SOON_MS, &syn) ||
	    !lab_became(lab, end, THREEWAY_EV_STATE, THREEWAY_SYN_RECEIVED, LAB_SOON_MS, &state) ||
	    !lab_sent(lab, end, TCP_SYN | TCP_ACK, LAB_SOON_MS, synack))
		return false;
	lab_say(lab, synack, "gets %s's SYN where it waits for a SYN-ACK: the SYNs have crossed. It repeats its SYN with ACK %u. SYN-SENT becomes SYN-RECEIVED.",
		lab_end_names[!end],
		synack->event.ack);
	if (own->event.time_ns > syn.event.time_ns)
		lab_fail(lab, end, "sent its own SYN too late: the SYNs did not cross.");
	else
		lab_must(lab, synack->event.seq == own->event.seq &&
			 synack->event.ack == syn.event.seq + 1,
			 "seq is not its ISS, or ACK not the other's ISS + 1");
	return !lab->failed;
}

static bool tell_crossed(struct lab *lab, enum lab_end end, const struct lab_record *own)
{
	struct lab_record synack, done;

	if (!lab_arrived(lab, end, TCP_SYN | TCP_ACK, LAB_SOON_MS, &synack) ||
	    !lab_became(lab, end, THREEWAY_EV_HANDOFF, THREEWAY_ESTABLISHED, LAB_SOON_MS, &done))
		return false;
	lab_say(lab, &done, "gets SYN-ACK with ACK %u for its own SYN. SYN-RECEIVED becomes ESTABLISHED.",
		synack.event.ack);
	return lab_must(lab, synack.event.ack == own->event.seq + 1, "ACK is not its ISS + 1");
}

static void tell_simultaneous(struct lab *lab)
{
	struct lab_record syn[2], synack;
	int end;

	for (end = LAB_A; end <= LAB_B; end++) {
		if (!lab_sent(lab, end, TCP_SYN, LAB_SOON_MS, &syn[end]))
			return;
		lab_say(lab, &syn[end], "sends SYN, ISS %u. CLOSED becomes SYN-SENT.",
			syn[end].event.seq);
		lab_must_be(lab, &syn[end], THREEWAY_SYN_SENT);
	}
	for (end = LAB_A; end <= LAB_B; end++)
		if (!tell_crossing(lab, end, &syn[end], &synack))
			return;
	for (end = LAB_A; end <= LAB_B; end++)
		if (!tell_crossed(lab, end, &syn[end]))
			return;
}

static int run_simultaneous(struct lab *lab)
{
	int status, end, fds[2];

	status = lab_delay(lab, DELAY_MS);
	for (end = LAB_A; end <= LAB_B && !status; end++)
		status = lab_claim(lab, end, THREEWAY_ACTIVE, THREEWAY_HANDOFF, LAB_PORT, NULL);
	/* Both from the port that the other one connects to. */
	if (!status)
		status = lab_connect(lab, LAB_A, LAB_PORT, LAB_ADDRESS_B, LAB_PORT, &fds[LAB_A]);
	if (!status)
		status = lab_connect(lab, LAB_B, LAB_PORT, LAB_ADDRESS_A, LAB_PORT, &fds[LAB_B]);
	if (status)
		return status;

	lab_chapter(lab, LAB_PORT, NULL);
	tell_simultaneous(lab);
	if (lab->failed)
		return STATUS_OK;
	lab_add(lab, LAB_A, "and B have one connection, not two: both connect() succeed, and what one program writes, the other one reads.");
	lab_must(lab, !lab_connected(lab, fds[LAB_A], LAB_SOON_MS) &&
		 !lab_connected(lab, fds[LAB_B], LAB_SOON_MS) &&
		 lab_talk(lab, fds[LAB_A], fds[LAB_B]) && lab_talk(lab, fds[LAB_B], fds[LAB_A]),
		 "they do not");
	return STATUS_OK;
}

const struct lab_experiment lab_simultaneous_open = {
	.name = "simultaneous-open",
	.summary = "both ends connect at the same moment, and their SYNs cross",
	.about = "Programs on both hosts connect to each other at the same moment, each from the port that the other one connects to; nobody listens. The cable is slow, 100 ms each way, so that the SYNs cross (RFC 9293 section 3.5, figure 7).",
	.run = run_simultaneous,
};
