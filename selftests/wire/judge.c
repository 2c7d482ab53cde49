// SPDX-License-Identifier: GPL-2.0
/* What must come of the cells that field.c plays. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "field.h"

/* Numbers of tcpi_state. */
#define STATE_ESTABLISHED	1
#define STATE_CLOSE_WAIT	8

/* What a verdict does to the engine's counters. */
static const char * const counters[CELL_STATES][VERDICTS] = {
	[CELL_SYN_SENT] = {
		[DROP] = "segment_syn_sent_no_syn 1",
		[IGNORE] = "segment_syn_sent_rst 1",
		[CROSS] = "segment_syn_crossed 1; sent_synack_crossed 1",
		[RST_SYN] = "segment_bad_ack 1; sent_rst 1; sent_syn_timer 1",
		[REFUSE] = "segment_refused 1; flows_refused 1",
	},
	[CELL_PASSIVE] = {
		[DROP] = "segment_no_ack 1",
		[IGNORE] = "segment_rst_out_of_window 1",
		[SYN_ACK] = "segment_duplicate_syn 1; sent_synack_duplicate 1",
		[ACK] = "segment_out_of_window 1; sent_ack 1",
		[RST_CHAL] = "segment_rst_challenged 1; sent_ack 1",
		[RST] = "segment_bad_ack 1; sent_rst 1",
		[RST_END] = "segment_syn_in_window 1; sent_rst 1; "
			    "flows_syn_reset 1",
		[RA_END] = "segment_syn_in_window 1; sent_rst 1; "
			   "flows_syn_reset 1",
		[END] = "segment_rst_exact 1; flows_reset 1",
	},
	[CELL_CROSSED] = {
		[DROP] = "segment_no_ack 1",
		[IGNORE] = "segment_rst_out_of_window 1",
		[ACK] = "segment_out_of_window 1; sent_ack 1",
		[RST_CHAL] = "segment_rst_challenged 1; sent_ack 1",
		[SYN_CHAL] = "segment_syn_challenged 1; sent_ack 1",
		[RST] = "segment_bad_ack 1; sent_rst 1",
		[REFUSE] = "segment_rst_exact 1; flows_refused 1",
	},
	[CELL_HELD] = {
		[IGNORE] = "segment_rst_out_of_window 1",
		[ACK] = "segment_out_of_window 1; sent_ack 1",
		[RST_CHAL] = "segment_rst_challenged 1; sent_ack 1",
		[SYN_CHAL] = "segment_syn_challenged 1; sent_ack 1",
		[KEEP] = "segment_held 1",
		[KEEP_ACK] = "segment_held 1; sent_ack 1",
		[END] = "segment_rst_exact 1; flows_reset 1",
	},
};

/* What OPEN and its like say about the stream. */
static const struct {
	unsigned int octets;
	bool fin, queued;
} streams[VERDICTS] = {
	[OPEN_Q] = { .queued = true },
	[OPEN_1] = { .octets = 1 },
	[OPEN_2] = { .octets = 2 },
	[OPEN_3] = { .octets = 3 },
	[OPEN_F] = { .fin = true },
	[OPEN_1F] = { .octets = 1, .fin = true },
	[OPEN_2F] = { .octets = 2, .fin = true },
	[OPEN_3F] = { .octets = 3, .fin = true },
};

bool run_opens(const struct run *run)
{
	return run->cell->verdict >= OPEN;
}

static bool is_end(const struct run *run)
{
	enum verdict verdict = run->cell->verdict;

	return verdict == END || verdict == REFUSE || verdict == RST_END ||
	       verdict == RA_END;
}

void judge_counters(struct field *field, const struct run *run)
{
	const struct cell *cell = run->cell;
	struct peer *peer = &field->peer;
	bool sent = field->state == CELL_SYN_SENT;

	if (run_opens(run) && field->hold)
		expect_counters(peer, "flows_held 1; sent_ack %u", sent);
	else if (run_opens(run))
		expect_counters(peer, "flows_handed_over 1");
	else if (field->state >= CELL_SYN_SENT)
		expect_counters(peer, "%s",
				counters[cell->state][cell->verdict]);
	else if (!strcmp(cell_type(cell), "SYN-FIN"))
		expect_counters(peer, "segment_syn_fin 1");
	else if (cell->verdict == SYN_ACK)
		expect_counters(peer, "flows_opened 1; sent_synack 1");
	else if (cell->verdict == DROP && field->hold)
		expect_counters(peer, "segment_no_ack 1");
	else
		expect_counters(peer, "native_no_listener %u",
				!strcmp(cell_type(cell), "SYN"));
}

/* What the socket, or the engine that keeps the connection, has to say. */
static void want_opened(struct field *field, struct run *run)
{
	enum verdict verdict = run->cell->verdict;
	unsigned int next = 1 + streams[verdict].octets +
			    streams[verdict].fin;
	bool sent = field->state == CELL_SYN_SENT;
	bool answer = next > 1 || streams[verdict].queued;

	if (field->hold || sent)
		field_want(field, run, "%s", sent ? ". 1 ack 1" : "");
	/* The socket hears of the crossing SYN now, and acknowledges it. */
	else if (field->state == CELL_CROSSED && answer)
		field_want(field, run, ". 1 ack 1; . 1 ack %u", next);
	else if (field->state == CELL_CROSSED)
		field_want(field, run, ". 1 ack 1");
	else if (answer)
		field_want(field, run, ". 1 ack %u", next);
	else
		field_want(field, run, "%s", "");
}

void judge_answer(struct field *field, struct run *run)
{
	const struct cell *cell = run->cell;
	/* An active open takes nothing back of what its SYN promised. */
	u32 up = field->state == CELL_CROSSED ? (1U << run->shift) - 1 : 0;
	u32 end = run->seq + cell->data + !!strchr(cell->flags, 'S') +
		  !!strchr(cell->flags, 'F');

	switch (cell->verdict) {
	case SYN_ACK:
	case CROSS:
		field_want(field, run, "S. 0 ack 1");
		break;
	case ACK:
	case RST_CHAL:
	case SYN_CHAL:
	case KEEP_ACK:
		field_want(field, run, ". 1 ack 1 win %u <%s>",
			   (run->wnd + up) >> run->shift,
			   field_options(field));
		break;
	case RST:
	case RST_END:
		field_want(field, run, "R %d win 0 <>", (int)cell->ack);
		break;
	case RST_SYN:
		field_want(field, run, "R %d win 0 <>; S 0", (int)cell->ack);
		break;
	case RA:
	case RA_END:
		field_want(field, run, "R. =0 ack %d win 0 <>", (int)end);
		break;
	default:
		if (run_opens(run))
			want_opened(field, run);
		else
			field_want(field, run, "%s", "");
	}
}

/* Where a flow is that the cell has not changed. */
static const enum threeway_state at_first[CELL_STATES] = {
	[CELL_SYN_SENT] = THREEWAY_SYN_SENT,
	[CELL_PASSIVE] = THREEWAY_SYN_RECEIVED,
	[CELL_CROSSED] = THREEWAY_SYN_RECEIVED,
	[CELL_HELD] = THREEWAY_ESTABLISHED,
};

static enum threeway_state state_after(const struct field *field,
				       const struct run *run)
{
	enum verdict verdict = run->cell->verdict;

	if (run_opens(run) && field->hold)
		return THREEWAY_ESTABLISHED;
	if (run_opens(run) || is_end(run))
		return THREEWAY_CLOSED;
	if (verdict == CROSS || verdict == SYN_ACK)
		return THREEWAY_SYN_RECEIVED;
	return at_first[field->state];
}

static void want_state(struct field *field, const struct run *run,
		       const struct threeway_flow *flows, int flow_count,
		       enum threeway_state state)
{
	enum threeway_state is = THREEWAY_CLOSED;
	int i;

	for (i = 0; i < flow_count; i++) {
		if (ntohs(flows[i].key.remote_port) == run->flow.port)
			is = flows[i].state;
	}
	if (is != state)
		field_wrong(field, run, "the flow is in state %u, expected %u",
			    is, state);
}

static void want_open_socket(struct field *field, const struct run *run)
{
	unsigned int octets = streams[run->cell->verdict].octets;
	bool fin = streams[run->cell->verdict].fin;
	unsigned int state = fin ? STATE_CLOSE_WAIT : STATE_ESTABLISHED;
	int error = 0;
	socklen_t len = sizeof(error);
	char octet;

	if (run->fd < 0) {
		field_wrong(field, run, "accept() returns no socket");
		return;
	}
	getsockopt(run->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error || client_state(run->fd) != state)
		field_wrong(field, run, "%s, the socket is in state %u, not %u",
			    strerror(error), client_state(run->fd), state);
	expect_stream(&field->peer, run->fd, 1, octets);
	if ((recv(run->fd, &octet, 1, MSG_DONTWAIT) == 0) != fin)
		field_wrong(field, run, "end of stream %sexpected",
			    fin ? "" : "not ");
}

/* What the program has of it: a socket, an error, or nothing yet. */
static void want_socket(struct field *field, const struct run *run)
{
	if (field->hold)
		return;
	if (run_opens(run))
		want_open_socket(field, run);
	else if (run->cell->verdict == REFUSE)
		expect_failed(&field->peer, run->fd, ECONNREFUSED);
	else if (field_active(field))
		expect_connecting(&field->peer, run->fd);
	else if (run->fd >= 0)
		field_wrong(field, run, "accept() returns a socket");
}

static void accept_all(struct field *field)
{
	struct sockaddr_in6 from;
	socklen_t len = sizeof(from);
	struct run *run;
	unsigned int i;
	int fd;

	if (field->peer.listener < 0)
		return;
	while ((fd = accept(field->peer.listener, (struct sockaddr *)&from,
			    &len)) >= 0) {
		/* The port stands at the same place in both families. */
		i = ntohs(from.sin6_port) - field->runs[0].flow.port;
		run = &field->runs[i];
		if (i >= field->count) {
			check(&field->peer, false, "accept(): no cell's");
			close(fd);
		} else if (run->fd >= 0) {
			field_wrong(field, run, "accept() a second time");
			close(fd);
		} else {
			run->fd = fd;
		}
	}
}

/**
 * struct proof - what shows in the end that a flow or connection is all right
 * @segment:	the peer sends it; "" for nothing
 * @answer:	and gets that
 * @counters:	that it moves
 * @state:	of the flow afterwards
 * @connected:	a program has a socket
 * @next:	for that to go on with: RCV.NXT, from irs
 * @octets:	that can be read now
 * @fin:	and then the end of the stream
 */
struct proof {
	char segment[64], answer[64], counters[64];
	enum threeway_state state;
	bool connected;
	unsigned int next;
	unsigned int octets;
	bool fin;
};

/* An octet more for the stream, or the one that all the others wait for. */
static void prove_open(const struct run *run, struct proof *proof)
{
	enum verdict verdict = run->cell->verdict;
	unsigned int at = 1 + streams[verdict].octets;

	proof->connected = true;
	if (streams[verdict].fin) {
		proof->next = at + 1;
		proof->fin = true;
		return;
	}
	proof->octets = 1;
	if (streams[verdict].queued && run->cell->seq == CELL_INSIDE) {
		proof->octets += run->cell->data;
		proof->fin = strchr(run->cell->flags, 'F');
	}
	proof->next = at + proof->octets + proof->fin;
	sprintf(proof->segment, "P. %u(1) ack 1", at);
	sprintf(proof->answer, ". 1 ack %u;", proof->next);
}

/* What is left of the handshake, done right. */
static void prove_flow(const struct field *field, const struct run *run,
		       struct proof *proof)
{
	bool sent = field->state == CELL_SYN_SENT &&
		    run->cell->verdict != CROSS;

	strcpy(proof->segment, field_active(field) ? "S. 0 ack 1 <mss 1460>" :
						     ". 1 ack 1");
	if (is_end(run)) {
		strcpy(proof->answer, "R 1 win 0 <>");
		return;
	}
	if (sent || (field_active(field) && !field->hold))
		strcpy(proof->answer, ". 1 ack 1");
	if (field->hold) {
		sprintf(proof->counters, "flows_held 1; sent_ack %u", sent);
		proof->state = THREEWAY_ESTABLISHED;
	} else {
		strcpy(proof->counters, "flows_handed_over 1");
		proof->connected = true;
	}
}

static struct proof proof_of(const struct field *field, const struct run *run)
{
	struct proof proof = { .state = THREEWAY_CLOSED };

	if (field->state == CELL_CLOSED) {
		return proof;
	} else if (run_opens(run) && field->hold) {
		proof.state = THREEWAY_ESTABLISHED;
	} else if (run_opens(run)) {
		prove_open(run, &proof);
	} else if (field->state == CELL_LISTEN &&
		   run->cell->verdict != SYN_ACK) {
		strcpy(proof.segment, "S 0 <mss 1460>");
		strcpy(proof.answer, "S. * ack 1");
		strcpy(proof.counters, "flows_opened 1; sent_synack 1");
		proof.state = THREEWAY_SYN_RECEIVED;
	} else if (field->state == CELL_HELD && !is_end(run)) {
		strcpy(proof.segment, "R 1");
		strcpy(proof.counters, "segment_rst_exact 1; flows_reset 1");
	} else {
		prove_flow(field, run, &proof);
	}
	return proof;
}

void judge_prove(struct field *field, struct run *run)
{
	struct proof proof = proof_of(field, run);

	if (*proof.segment)
		field_tell(field, run, "%s", proof.segment);
	if (run->fd >= 0 && proof.next) {
		send(run->fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		field_drain(field, 0);
		field_tell(field, run, ". %u ack 2", proof.next);
	}
	expect_counters(&field->peer, "%s", proof.counters);
}

static void judge_proof(struct field *field, struct run *run)
{
	struct proof proof = proof_of(field, run);
	unsigned int state = proof.fin ? STATE_CLOSE_WAIT : STATE_ESTABLISHED;

	field_resume(field, run);
	if (proof.next)
		field_want(field, run, "%s P. 1(1) ack %u", proof.answer,
			   proof.next);
	else
		field_want(field, run, "%s", proof.answer);
	if (proof.connected && run->fd < 0)
		field_wrong(field, run, "accept() fails in the end");
	else if (proof.connected && client_state(run->fd) != state)
		field_wrong(field, run, "the socket is in state %u in the end",
			    client_state(run->fd));
	else if (proof.next)
		expect_stream(&field->peer, run->fd,
			      1 + streams[run->cell->verdict].octets,
			      proof.octets);
	else if (!proof.connected && run->fd >= 0 && !field_active(field))
		field_wrong(field, run, "accept() returns a socket in the end");
}

void judge_cells(struct field *field)
{
	struct threeway_flow *flows = NULL;
	struct run *run;
	unsigned int i;
	int count;

	accept_all(field);
	count = threeway_flow_list(field->peer.engine, &flows);
	for (i = 0; i < field->count; i++) {
		run = &field->runs[i];
		field_resume(field, run);
		judge_answer(field, run);
		want_state(field, run, flows, count, state_after(field, run));
		want_socket(field, run);
	}
	free(flows);
}

void judge_proofs(struct field *field)
{
	struct threeway_flow *flows = NULL;
	struct run *run;
	unsigned int i;
	int count;

	accept_all(field);
	count = threeway_flow_list(field->peer.engine, &flows);
	for (i = 0; i < field->count; i++) {
		run = &field->runs[i];
		judge_proof(field, run);
		want_state(field, run, flows, count,
			   proof_of(field, run).state);
	}
	free(flows);
}
