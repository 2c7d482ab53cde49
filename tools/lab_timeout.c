// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: experiments with answers that do not come
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lab.h"
#include "tool.h"

#define RTO_MS		1000	/* initial, RFC 6298 */
#define RTO_MAX_MS	120000
#define TOLERANCE_MS	200	/* a busy machine is late */

/* When the copy with this number is due, counted from the first segment. */
static unsigned int due_ms(unsigned int copy)
{
	unsigned int i, rto_ms = RTO_MS, ms = 0;

	for (i = 0; i < copy; i++) {
		ms += rto_ms;
		rto_ms = rto_ms * 2 < RTO_MAX_MS ? rto_ms * 2 : RTO_MAX_MS;
	}
	return ms;
}

static bool is_due(const struct lab_record *first, const struct lab_record *record,
		   unsigned int copy)
{
	long long ms = (record->event.time_ns - first->event.time_ns) / 1000000;

	return llabs(ms - due_ms(copy)) <= TOLERANCE_MS;
}

/* What is waited for beyond the moment when it is due. */
static unsigned int patience_ms(unsigned int copy)
{
	return due_ms(copy + 1) - due_ms(copy) + LAB_SOON_MS;
}

static bool tell_copies(struct lab *lab, unsigned int retries, struct lab_record *first)
{
	unsigned int i, before_ms;
	struct lab_record copy;

	if (!lab_sent(lab, LAB_A, TCP_SYN, LAB_SOON_MS, first))
		return false;
	lab_say(lab, first, "sends SYN, ISS %u, and waits %u ms for an answer.", first->event.seq,
		first->event.timer_ms);
	before_ms = first->event.timer_ms;
	for (i = 1; i <= retries; i++) {
		if (!lab_sent(lab, LAB_A, TCP_SYN, patience_ms(i - 1), &copy))
			return false;
		lab_say(lab, &copy, "sends the same SYN again, %s. The timeout is %s: %u ms.",
			i == retries ? "for the last time" : "since no answer came",
			copy.event.timer_ms == 2 * before_ms ? "doubled" : "at its limit",
			copy.event.timer_ms);
		before_ms = copy.event.timer_ms;
		if (!lab_must(lab, copy.event.seq == first->event.seq, "the ISS has changed") ||
		    !lab_must(lab, is_due(first, &copy, i), "this is not the moment"))
			return false;
	}
	return true;
}

/* The connection to one port, from the first SYN to ETIMEDOUT, and how long it took. */
static void tell_syn_sent(struct lab *lab, int fd, unsigned int retries, unsigned int *took_ms)
{
	struct lab_record first, end;

	if (!tell_copies(lab, retries, &first) ||
	    !lab_became(lab, LAB_A, THREEWAY_EV_ENDED, THREEWAY_CLOSED, patience_ms(retries), &end))
		return;
	lab_say(lab, &end, "gives up after %u %s: connect() fails with ETIMEDOUT (\"Connection timed out\").",
		retries, retries == 1 ? "copy" : "copies");
	lab_must(lab, end.event.counter == THREEWAY_C_flows_timed_out, "for another reason");
	lab_must(lab, is_due(&first, &end, retries + 1), "this is not the moment");
	lab_must(lab, lab_connected(lab, fd, LAB_SOON_MS) == -ETIMEDOUT, "connect() does not");
	*took_ms = (end.event.time_ns - first.event.time_ns) / 1000000;
	lab_silent(lab);
}

static int start_syn_sent(struct lab *lab, unsigned int claimed, int fds[2])
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_SYN_RETRIES,
		.syn_retries = claimed,
	};
	int status, i;

	status = lab_claim(lab, LAB_A, THREEWAY_ACTIVE, THREEWAY_HANDOFF, LAB_PORT, NULL);
	if (!status)
		status = lab_claim(lab, LAB_A, THREEWAY_ACTIVE, THREEWAY_HANDOFF, LAB_PORT + 1,
				   &policy);
	for (i = 0; i < 2 && !status; i++)
		status = lab_connect(lab, LAB_A, 0, LAB_ADDRESS_NOBODY, LAB_PORT + i, &fds[i]);
	return status;
}

static int run_syn_sent(struct lab *lab)
{
	unsigned int retries, claimed, took_ms[2];
	int fds[2], status = STATUS_OK;

	if (lab->syn_retries >= 0)
		status = lab_sysctl_write(lab, LAB_A, "syn_retries", lab->syn_retries);
	if (!status)
		status = lab_sysctl_read(lab, LAB_A, "syn_retries", &retries);
	if (status)
		return status;
	claimed = retries == 2 ? 1 : 2;
	if (lab->live)
		printf("net.threeway.syn_retries is %u: this takes %u seconds.%s\n\n", retries,
		       due_ms((retries > claimed ? retries : claimed) + 1) / 1000,
		       retries > 3 ? " \"syn_retries 3\" is shorter." : "");
	status = start_syn_sent(lab, claimed, fds);
	if (status)
		return status;
	lab_chapter(lab, LAB_PORT, "Port 80, as net.threeway.syn_retries says:");
	tell_syn_sent(lab, fds[0], retries, &took_ms[0]);
	if (lab->failed)
		return STATUS_OK;
	lab_chapter(lab, LAB_PORT + 1, claimed == 1 ?
		    "Port 81, begun at the same time, with syn_retries 1 in its claim:" :
		    "Port 81, begun at the same time, with syn_retries 2 in its claim:");
	tell_syn_sent(lab, fds[1], claimed, &took_ms[1]);
	if (!lab->failed)
		lab_add(lab, LAB_A, "has taken %u.%u s to find out with syn_retries %u, and %u.%u s with syn_retries %u: each further retry doubles the time.",
			took_ms[0] / 1000, took_ms[0] / 100 % 10, retries,
			took_ms[1] / 1000, took_ms[1] / 100 % 10, claimed);
	return STATUS_OK;
}

const struct lab_experiment lab_syn_sent = {
	.name = "syn-sent",
	.summary = "a SYN that nobody answers, again and again",
	.about = "A program on host A connects to an address that nobody has, at port 80. To port 81 another one does the same at the same time, under a claim that sets syn_retries.",
	.run = run_syn_sent,
	.slow = true,
};

/* The ACK is lost once; the copy of the SYN-ACK makes A send it again. */
static void tell_ack_lost(struct lab *lab, int listener)
{
	struct lab_record first, synack, ack, end;

	if (!lab_arrived(lab, LAB_B, TCP_SYN, LAB_SOON_MS, &synack) ||
	    !lab_sent(lab, LAB_B, TCP_SYN | TCP_ACK, LAB_SOON_MS, &first))
		return;
	lab_say(lab, &first, "answers A's SYN: SYN-ACK, ISS %u. It is in SYN-RECEIVED and waits %u ms.",
		first.event.seq, first.event.timer_ms);
	if (!lab_sent(lab, LAB_A, TCP_SYN, LAB_SOON_MS, &synack) ||
	    !lab_lost(lab, LAB_A, TCP_ACK, &ack))
		return;
	lab_say(lab, &ack, "is ESTABLISHED and sends ACK %u, which is lost. From now on the connection is half open: A has it, B has not.",
		ack.event.ack);
	lab_must(lab, ack.event.state == THREEWAY_ESTABLISHED, "A is not ESTABLISHED");

	if (!lab_sent(lab, LAB_B, TCP_SYN | TCP_ACK, patience_ms(0), &synack))
		return;
	lab_say(lab, &synack, "has got no ACK, so it sends SYN-ACK again and waits twice as long: %u ms.",
		synack.event.timer_ms);
	if (!lab_must(lab, synack.event.seq == first.event.seq, "the ISS has changed") ||
	    !lab_must(lab, is_due(&first, &synack, 1), "this is not the moment"))
		return;

	if (!lab_sent(lab, LAB_A, TCP_ACK, LAB_SOON_MS, &ack))
		return;
	lab_say(lab, &ack, "has that SYN-ACK already, and says so: ACK %u once more.",
		ack.event.ack);
	if (!lab_arrived(lab, LAB_B, TCP_ACK, LAB_SOON_MS, &ack) ||
	    !lab_became(lab, LAB_B, THREEWAY_EV_HANDOFF, THREEWAY_ESTABLISHED, LAB_SOON_MS, &end))
		return;
	lab_say(lab, &end, "gets the ACK: SYN-RECEIVED becomes ESTABLISHED after all, and accept() returns the connection.");
	lab_must(lab, lab_accept(lab, listener, LAB_SOON_MS) >= 0, "it does not");
}

/* Every ACK is lost. */
static void tell_given_up(struct lab *lab, unsigned int retries)
{
	struct lab_record first, synack, end;
	unsigned int i;

	if (!lab_sent(lab, LAB_B, TCP_SYN | TCP_ACK, LAB_SOON_MS, &first))
		return;
	lab_say(lab, &first, "answers A's SYN: SYN-ACK, ISS %u. All ACKs of A will be lost.",
		first.event.seq);
	for (i = 1; i <= retries; i++) {
		if (!lab_sent(lab, LAB_B, TCP_SYN | TCP_ACK, patience_ms(i - 1), &synack))
			return;
		lab_say(lab, &synack, "sends SYN-ACK again, copy %u of %u, and waits %u ms.", i,
			retries, synack.event.timer_ms);
		if (!lab_must(lab, is_due(&first, &synack, i), "this is not the moment"))
			return;
	}
	if (!lab_became(lab, LAB_B, THREEWAY_EV_ENDED, THREEWAY_CLOSED, patience_ms(retries), &end))
		return;
	lab_say(lab, &end, "gives up and forgets the connection, without a word to A.");
	if (!lab_must(lab, end.event.counter == THREEWAY_C_flows_expired, "for another reason") ||
	    !lab_must(lab, is_due(&first, &end, retries + 1), "this is not the moment"))
		return;
	lab_add(lab, LAB_A, "still believes to be ESTABLISHED. It will find out when it sends something: see the experiment half-open.");
	lab_must(lab, lab_flow_is(lab, LAB_A, lab->port, THREEWAY_ESTABLISHED), "it is not");
}

static int start_syn_rcvd(struct lab *lab, __u16 port, const struct threeway_policy *policy,
			  __u32 lose, int *listener)
{
	struct threeway_policy losing = { .set = THREEWAY_P_LOSE, .lose = lose };
	struct threeway_open open;
	int status;

	status = lab_claim(lab, LAB_B, THREEWAY_PASSIVE, THREEWAY_HANDOFF, port, policy);
	if (!status)
		status = lab_listen(lab, LAB_B, port, listener);
	return status ? status : lab_open(lab, LAB_A, 0, port, &losing, &open);
}

static int run_syn_rcvd(struct lab *lab)
{
	struct threeway_policy once = { .set = THREEWAY_P_SYNACK_RETRIES, .synack_retries = 1 };
	int status, listener, other;

	/* Bit n - 1: the n-th segment of A, of which the first is the SYN. */
	status = start_syn_rcvd(lab, LAB_PORT, NULL, 1U << 1, &listener);
	if (!status)
		status = start_syn_rcvd(lab, LAB_PORT + 1, &once, ~1U, &other);
	if (status)
		return status;
	lab_chapter(lab, LAB_PORT, "Port 80, where one ACK is lost:");
	tell_ack_lost(lab, listener);
	if (lab->failed)
		return STATUS_OK;
	lab_chapter(lab, LAB_PORT + 1,
		    "Port 81, where every ACK is lost, with synack_retries 1 in its claim:");
	tell_given_up(lab, once.synack_retries);
	return STATUS_OK;
}

const struct lab_experiment lab_syn_rcvd = {
	.name = "syn-rcvd",
	.summary = "the final ACK is lost, and the server hangs in SYN-RECEIVED",
	.about = "Host A opens a connection to port 80 of host B and loses its second segment, which is the ACK that finishes the handshake. To port 81 it opens another one and loses all that follows its SYN.",
	.run = run_syn_rcvd,
};
