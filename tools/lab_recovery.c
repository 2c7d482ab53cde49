// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: experiments with segments of connections that are no more
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "lab.h"
#include "tool.h"

#define OLDER		1000	/* so much older is the duplicate's number */
#define FIGURE_9	LAB_PORT
#define FIGURE_10	(LAB_PORT + 1)
#define FIGURE_11	(LAB_PORT + 2)

static void tell_old_duplicate(struct lab *lab, const struct lab_record *syn)
{
	struct lab_record old, synack, rst, ack, end;

	if (!lab_arrived(lab, LAB_B, TCP_SYN, LAB_SOON_MS, &old) ||
	    !lab_sent(lab, LAB_B, TCP_SYN | TCP_ACK, LAB_SOON_MS, &synack))
		return;
	lab_say(lab, &old, "gets a SYN with number %u, a duplicate from long ago. B cannot know that it is old.",
		old.event.seq);
	lab_must(lab, old.event.seq == syn->event.seq - OLDER, "it has another number");
	lab_say(lab, &synack, "answers it: SYN-ACK, ISS %u, ACK %u. LISTEN becomes SYN-RECEIVED.",
		synack.event.seq, synack.event.ack);

	if (!lab_arrived(lab, LAB_A, TCP_SYN | TCP_ACK, LAB_SOON_MS, &synack) ||
	    !lab_sent(lab, LAB_A, TCP_RST, LAB_SOON_MS, &rst))
		return;
	lab_say(lab, &rst, "sees that ACK %u is not for its SYN, which would be %u, and answers RST with just that number, so that B believes it. A stays in SYN-SENT.",
		synack.event.ack, syn->event.seq + 1);
	lab_must_be(lab, &rst, THREEWAY_SYN_SENT);
	lab_must(lab, rst.event.seq == synack.event.ack, "RST has another number");

	if (!lab_arrived(lab, LAB_B, TCP_RST, LAB_SOON_MS, &rst) ||
	    !lab_became(lab, LAB_B, THREEWAY_EV_ENDED, THREEWAY_CLOSED, LAB_SOON_MS, &end))
		return;
	lab_say(lab, &end, "gets the RST and forgets what the duplicate began; the listener still listens.");
	lab_must(lab, end.event.counter == THREEWAY_C_flows_reset, "for another reason");

	if (!lab_sent(lab, LAB_A, TCP_SYN, LAB_SOON_MS, &ack) ||
	    !lab_arrived(lab, LAB_B, TCP_SYN, LAB_SOON_MS, &ack) ||
	    !lab_sent(lab, LAB_B, TCP_SYN | TCP_ACK, LAB_SOON_MS, &synack))
		return;
	lab_say(lab, &synack, "gets A's own SYN, sent again at once, and answers with a new ISS, %u, and ACK %u.",
		synack.event.seq, synack.event.ack);
	lab_must(lab, ack.event.seq == syn->event.seq && synack.event.ack == ack.event.seq + 1,
		 "SYN or ACK has another number");
	if (!lab_arrived(lab, LAB_B, TCP_ACK, LAB_SOON_MS, &ack) ||
	    !lab_became(lab, LAB_B, THREEWAY_EV_HANDOFF, THREEWAY_ESTABLISHED, LAB_SOON_MS, &end))
		return;
	lab_say(lab, &end, "gets ACK %u: both are ESTABLISHED, as if nothing had been.",
		ack.event.ack);
}

static int run_old_duplicate(struct lab *lab)
{
	/* The first SYN is still on its way when the duplicate arrives. */
	struct threeway_policy policy = { .set = THREEWAY_P_LOSE, .lose = 1 };
	struct threeway_open open;
	struct lab_record syn;
	int status, listener;

	status = lab_claim(lab, LAB_B, THREEWAY_PASSIVE, THREEWAY_HANDOFF, LAB_PORT, NULL);
	if (!status)
		status = lab_listen(lab, LAB_B, LAB_PORT, &listener);
	if (!status)
		status = lab_open(lab, LAB_A, 0, LAB_PORT, &policy, &open);
	if (status)
		return status;
	lab_chapter(lab, LAB_PORT, NULL);
	if (!lab_lost(lab, LAB_A, TCP_SYN, &syn))
		return STATUS_OK;
	lab_say(lab, &syn, "sends SYN, ISS %u, which does not arrive yet (here it never will).",
		syn.event.seq);
	status = lab_forge_syn(lab, LAB_A, LAB_CLIENT_PORT, LAB_PORT, syn.event.seq - OLDER);
	if (status)
		return status;
	tell_old_duplicate(lab, &syn);
	if (lab->failed)
		return STATUS_OK;
	lab_add(lab, LAB_B, "gets one connection from accept(), and no second one.");
	lab_must(lab, lab_accept(lab, listener, LAB_SOON_MS) >= 0 &&
		 lab_accept(lab, listener, 100) < 0, "this is not so");
	return STATUS_OK;
}

const struct lab_experiment lab_old_duplicate = {
	.name = "old-duplicate",
	.summary = "an old SYN arrives before the new one",
	.about = "Host A opens a connection to host B. A SYN of an earlier connection between the same ports, which got lost in the network (a raw socket sends it), arrives before A's own (RFC 9293 section 3.5, figure 8).",
	.run = run_old_duplicate,
};

/* Power failure on A: it knows nothing of its connections, and nobody was told. */
static int crash(struct lab *lab, const struct threeway_open *open)
{
	int status = lab_silence(lab, true);

	if (!status)
		status = lab_kill(lab, LAB_A, open);
	return status ? status : lab_silence(lab, false);
}

/* Has the connection come to be, on both ends? */
static bool is_open(struct lab *lab, int type)
{
	struct lab_record record;

	if (!lab_arrived(lab, LAB_B, TCP_SYN, LAB_SOON_MS, &record) ||
	    !lab_arrived(lab, LAB_B, TCP_ACK, LAB_SOON_MS, &record) ||
	    !lab_became(lab, LAB_B, type, THREEWAY_ESTABLISHED, LAB_SOON_MS, &record))
		return false;
	lab_say(lab, &record, "and A are ESTABLISHED.");
	return true;
}

static bool tell_crash(struct lab *lab)
{
	struct lab_record end;

	if (!lab_became(lab, LAB_A, THREEWAY_EV_ENDED, THREEWAY_CLOSED, LAB_SOON_MS, &end))
		return false;
	lab_say(lab, &end, "crashes: it has forgotten the connection, and B has not heard of it.");
	return lab_must(lab, lab_flow_is(lab, LAB_B, lab->port, THREEWAY_ESTABLISHED) ||
			lab->port != FIGURE_9, "B has forgotten it, too");
}

static void tell_figure_9(struct lab *lab)
{
	struct lab_record syn, challenge, ack, rst, end, again;

	if (!lab_sent(lab, LAB_A, TCP_SYN, LAB_SOON_MS, &syn))
		return;
	lab_say(lab, &syn, "is back and opens a connection between the same ports: SYN, ISS %u.",
		syn.event.seq);
	if (!lab_arrived(lab, LAB_B, TCP_SYN, LAB_SOON_MS, &ack) ||
	    !lab_sent(lab, LAB_B, TCP_ACK, LAB_SOON_MS, &challenge))
		return;
	lab_say(lab, &challenge, "is ESTABLISHED; a SYN makes no sense there. It does not believe it (RFC 5961), and repeats where it stands: ACK %u.",
		challenge.event.ack);
	lab_must_be(lab, &challenge, THREEWAY_ESTABLISHED);
	if (!lab_arrived(lab, LAB_A, TCP_ACK, LAB_SOON_MS, &ack) ||
	    !lab_sent(lab, LAB_A, TCP_RST, LAB_SOON_MS, &rst))
		return;
	lab_say(lab, &rst, "gets an ACK for something that it has not sent, and answers RST with that number, %u.",
		rst.event.seq);
	lab_must(lab, rst.event.seq == challenge.event.ack, "RST has another number");
	if (!lab_became(lab, LAB_B, THREEWAY_EV_ENDED, THREEWAY_CLOSED, LAB_SOON_MS, &end))
		return;
	lab_say(lab, &end, "knows by the exact number that the RST is true: the old connection is gone on both ends.");
	lab_must(lab, end.event.counter == THREEWAY_C_flows_reset, "for another reason");
	if (!lab_sent(lab, LAB_A, TCP_SYN, LAB_SOON_MS, &again))
		return;
	lab_say(lab, &again, "sends its SYN again, %llu ms after the RST.", (unsigned long long)
		(again.event.time_ns - rst.event.time_ns) / 1000000);
	lab_must(lab, again.event.seq == syn.event.seq, "the ISS has changed");
	if (!lab_became(lab, LAB_B, THREEWAY_EV_STATE, THREEWAY_SYN_RECEIVED, LAB_SOON_MS, &end) ||
	    !lab_became(lab, LAB_B, THREEWAY_EV_STATE, THREEWAY_ESTABLISHED, LAB_SOON_MS, &end))
		return;
	lab_say(lab, &end, "and A are ESTABLISHED again, with new numbers.");
}

/* A comes back and connects. */
static int run_figure_9(struct lab *lab)
{
	struct threeway_open open;
	int status;

	lab_chapter(lab, FIGURE_9, "Figure 9: A crashes, comes back, and opens the same connection");
	status = lab_claim(lab, LAB_B, THREEWAY_PASSIVE, THREEWAY_HOLD, FIGURE_9, NULL);
	if (!status)
		status = lab_open(lab, LAB_A, 0, FIGURE_9, NULL, &open);
	if (status || !is_open(lab, THREEWAY_EV_STATE))
		return status;
	status = crash(lab, &open);
	if (status || !tell_crash(lab))
		return status;
	status = lab_open(lab, LAB_A, 0, FIGURE_9, NULL, &open);
	if (!status)
		tell_figure_9(lab);
	return status;
}

/* B has something to say. */
static int run_figure_10(struct lab *lab)
{
	struct threeway_open open;
	int status, listener, fd;
	char byte;

	lab_chapter(lab, FIGURE_10, "Figure 10: A crashes, and B sends");
	status = lab_claim(lab, LAB_B, THREEWAY_PASSIVE, THREEWAY_HANDOFF, FIGURE_10, NULL);
	if (!status)
		status = lab_listen(lab, LAB_B, FIGURE_10, &listener);
	if (!status)
		status = lab_open(lab, LAB_A, 0, FIGURE_10, NULL, &open);
	if (status || !is_open(lab, THREEWAY_EV_HANDOFF))
		return status;
	fd = lab_accept(lab, listener, LAB_SOON_MS);
	if (fd < 0)
		lab_fail(lab, LAB_B, "gets no connection from accept().");
	status = crash(lab, &open);
	if (status || !tell_crash(lab))
		return status;
	lab_add(lab, LAB_B, "sends 10 bytes; its program notices nothing yet.");
	lab_must(lab, send(fd, "0123456789", 10, MSG_NOSIGNAL) == 10, "send() fails");
	lab_wait(lab, fd, POLLIN, LAB_SOON_MS);
	lab_add(lab, LAB_B, "has got a RST from A, which knows no such connection: recv() fails with ECONNRESET (\"Connection reset by peer\").");
	lab_must(lab, recv(fd, &byte, 1, 0) < 0 && errno == ECONNRESET, "it does not");
	return STATUS_OK;
}

/* Two listeners and an old SYN between them. */
static int run_figure_11(struct lab *lab)
{
	struct lab_record syn, synack, rst, end;
	int status, fd;

	lab_chapter(lab, FIGURE_11, "Figure 11: an old SYN, and both ends only listen");
	status = lab_claim(lab, LAB_B, THREEWAY_PASSIVE, THREEWAY_HANDOFF, FIGURE_11, NULL);
	if (!status)
		status = lab_listen(lab, LAB_A, FIGURE_11, &fd);
	if (!status)
		status = lab_listen(lab, LAB_B, FIGURE_11, &fd);
	if (!status)
		status = lab_forge_syn(lab, LAB_A, FIGURE_11, FIGURE_11, OLDER);
	if (status || !lab_arrived(lab, LAB_B, TCP_SYN, LAB_SOON_MS, &syn) ||
	    !lab_sent(lab, LAB_B, TCP_SYN | TCP_ACK, LAB_SOON_MS, &synack))
		return status;
	lab_say(lab, &synack, "gets SYN %u, which A has not sent in this life, and answers it: SYN-ACK, ISS %u, ACK %u.",
		syn.event.seq, synack.event.seq, synack.event.ack);
	if (!lab_arrived(lab, LAB_B, TCP_RST, LAB_SOON_MS, &rst))
		return status;
	lab_say(lab, &rst, "gets RST %u from A, whose socket listens and has asked for nothing.",
		rst.event.seq);
	lab_must(lab, rst.event.seq == synack.event.ack, "RST has another number");
	if (!lab_became(lab, LAB_B, THREEWAY_EV_ENDED, THREEWAY_CLOSED, LAB_SOON_MS, &end))
		return status;
	lab_say(lab, &end, "forgets it; both still listen, and accept() returns nothing.");
	lab_must(lab, end.event.counter == THREEWAY_C_flows_reset &&
		 lab_accept(lab, fd, 100) < 0, "this is not so");
	return status;
}

static int run_half_open(struct lab *lab)
{
	int status = run_figure_9(lab);

	if (!status && !lab->failed)
		status = run_figure_10(lab);
	if (!status && !lab->failed)
		status = run_figure_11(lab);
	return status;
}

const struct lab_experiment lab_half_open = {
	.name = "half-open",
	.summary = "one end has crashed, and the other one does not know",
	.about = "Connections that one end knows and the other one does not, and how RST clears them away (RFC 9293 section 3.5.1, figures 9 to 11). A \"crashes\": its engine forgets the connection while nothing that it sends gets out.",
	.run = run_half_open,
	.others_listen = true,
};
