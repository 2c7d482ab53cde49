// SPDX-License-Identifier: GPL-2.0
/* Cells that are played against the kernel: see field.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "field.h"

/* Cells at a time; the device queues some hundred packets. */
#define CHUNK		64

/* Lines about what is wrong that are printed for one result. */
#define SAID_MAX	40

#define LOCAL_PORT	80
/* How long the SYN that follows a RST may take: a tick, or two. */
#define SYN_SOON_MS	20

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

static bool is_open(const struct run *run)
{
	return run->cell->verdict >= OPEN;
}

static bool is_end(const struct run *run)
{
	enum verdict verdict = run->cell->verdict;

	return verdict == END || verdict == REFUSE || verdict == RST_END ||
	       verdict == RA_END;
}

static bool is_active(const struct field *field)
{
	return field->state == CELL_SYN_SENT || field->state == CELL_CROSSED;
}

static void claim_port(struct field *field)
{
	struct peer *peer = &field->peer;
	struct threeway_claim claim = {
		.family = peer->family,
		.direction = THREEWAY_PASSIVE,
		.mode = field->hold ? THREEWAY_HOLD : THREEWAY_HANDOFF,
		.port_first = LOCAL_PORT,
		.port_last = LOCAL_PORT,
	};
	int err = threeway_claim_add(peer->engine, &claim);

	check(peer, !err, "claim: %s", strerror(-err));
}

const char *field_open(struct field *field, int family, enum cell_state state,
		       bool hold)
{
	struct peer *peer = &field->peer;
	const char *lacking;
	int one = 1;

	memset(field, 0, sizeof(*field));
	lacking = peer_open(peer, family, true);
	if (lacking)
		return lacking;
	field->state = state;
	field->hold = hold;
	/* No packet is of a flow that was left: all are looked at. */
	peer->first_port = 65535;
	/* The engine does nothing but answer. */
	sysctl_set("net/threeway/rto_initial_ms", "60000");
	if (is_active(field)) {
		if (!hold)
			client_claim(peer, NULL);
		return NULL;
	}
	if (state != CELL_CLOSED && !hold) {
		peer_listen(peer, 4 * CHUNK);
		/* Its sockets inherit it: urgent data stand in the stream. */
		setsockopt(peer->listener, SOL_SOCKET, SO_OOBINLINE, &one,
			   sizeof(one));
	}
	claim_port(field);
	return NULL;
}

void field_close(struct field *field)
{
	peer_close(&field->peer);
}

static void __printf(3, 4) wrong(struct field *field, const struct run *run,
				 const char *format, ...)
{
	char name[CELL_NAME_LEN];
	va_list args;

	field->peer.failures++;
	if (field->said++ >= SAID_MAX)
		return;
	printf("# ipv%c %s%s%s%s%s: %s: ",
	       field->peer.family == AF_INET ? '4' : '6',
	       cell_name(run->cell, name), *run->tweak->flags ? " with " : "",
	       run->tweak->flags, run->tweak->rest,
	       field->hold ? ", hold" : "", verdict_name(run->cell->verdict));
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

/* Whatever the kernel sends within that time, to the cells it belongs to. */
static void drain(struct field *field, unsigned int ms)
{
	struct peer *peer = &field->peer;
	const struct packet *packet = &peer->latest;
	u64 now = now_ms();
	u64 end = now + ms;
	struct run *run;
	unsigned int i;

	for (;; now = now_ms()) {
		if (!peer_receive(peer, now < end ? end - now : 0))
			return;
		i = packet->dport - field->runs[0].flow.port;
		run = &field->runs[i];
		if (i >= field->count || packet->icmp ||
		    packet->sport != peer->header.dport ||
		    memcmp(&packet->src, &peer->header.dst,
			   sizeof(packet->src)))
			check(peer, false, "a packet of no cell");
		else if (run->count == SEEN_MAX)
			wrong(field, run, "too many packets");
		else
			run->seen[run->count++] = *packet;
	}
}

static struct origin seen_origin(const struct run *run)
{
	return (struct origin) { .seq = run->flow.iss, .ack = run->flow.irs };
}

/* Just this has come since the last look, "" is nothing; "A; B" are two. */
static void __printf(3, 4) want(struct field *field, struct run *run,
				const char *format, ...)
{
	struct origin origin = seen_origin(run);
	char wanted[LINE_MAX_LEN], lines[LINE_MAX_LEN];
	char seen[LINE_MAX_LEN] = "";
	struct pattern pattern;
	bool good = true;
	unsigned int i = 0;
	va_list args;
	char *line;

	va_start(args, format);
	vsnprintf(wanted, sizeof(wanted), format, args);
	va_end(args);
	strcpy(lines, wanted);
	for (line = strtok(lines, ";"); line; line = strtok(NULL, ";"), i++) {
		packet_scan(&pattern, line, &origin);
		good &= i < run->count &&
			packet_matches(&run->seen[i], &pattern);
	}
	if (good && i == run->count) {
		run->count = 0;
		return;
	}
	for (i = 0; i < run->count; i++) {
		packet_print(&run->seen[i], &origin, lines);
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen),
			 "%s%.200s", i ? "; " : "", lines);
	}
	wrong(field, run, "expected > %s, seen > %s",
	      *wanted ? wanted : "nothing", *seen ? seen : "nothing");
	run->count = 0;
}

/* The run is the one that is looked at now. */
static void resume(struct field *field, const struct run *run)
{
	struct peer *peer = &field->peer;
	char name[CELL_NAME_LEN];

	peer_resume(peer, run->flow);
	peer_label(peer, "%s%s%s%s", cell_name(run->cell, name),
		   run->tweak->flags, run->tweak->rest,
		   field->hold ? ", hold" : "");
}

/* Sends for the run, and sees what comes at once. */
static void __printf(3, 4) tell(struct field *field, const struct run *run,
				const char *format, ...)
{
	char line[LINE_MAX_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	resume(field, run);
	peer_send(&field->peer, "%s", line);
	drain(field, 0);
}

static void open_held(struct field *field)
{
	struct peer *peer = &field->peer;
	struct threeway_open open = { .key.family = peer->family };
	int err;

	peer_flow(peer);
	peer->header.dport = LOCAL_PORT;
	memcpy(open.key.remote, &peer->header.src, sizeof(open.key.remote));
	open.key.local_port = htons(LOCAL_PORT);
	open.key.remote_port = htons(peer->header.sport);
	err = threeway_open_flow(peer->engine, &open);
	check(peer, !err, "open: %s", strerror(-err));
}

static void begin_active(struct field *field, struct run *run)
{
	struct peer *peer = &field->peer;
	int one = 1;

	if (field->hold) {
		open_held(field);
	} else {
		run->fd = client_begin(peer);
		setsockopt(run->fd, SOL_SOCKET, SO_OOBINLINE, &one,
			   sizeof(one));
	}
	run->flow = peer_park(peer);
	drain(field, 0);
	run->flow.iss = run->seen[0].seq;
	want(field, run, "S 0");
	expect_counters(peer, "flows_opened 1; sent_syn 1");
	if (field->state == CELL_SYN_SENT)
		return;
	tell(field, run, "S 0 <mss 1460,nop,wscale 7>");
	expect_counters(peer, "segment_syn_crossed 1; sent_synack_crossed 1");
}

/* From here to the cell's state. */
static void begin(struct field *field, struct run *run)
{
	struct peer *peer = &field->peer;
	struct packet *synack = &run->seen[0];
	const u8 *shift;

	run->fd = -1;
	run->wnd = 1000;
	if (is_active(field)) {
		begin_active(field, run);
	} else {
		peer_flow(peer);
		run->flow = peer_park(peer);
	}
	if (field->state < CELL_PASSIVE)
		return;
	if (!is_active(field)) {
		tell(field, run, "S 0 <mss 1460,nop,wscale 7>");
		expect_counters(peer, "flows_opened 1; sent_synack 1");
		run->flow.iss = synack->seq;
	}
	run->wnd = synack->window;
	if (run->count && packet_option(synack, 3, &shift))
		run->shift = shift[2];
	else
		wrong(field, run, "no window scale");
	want(field, run, "S. 0 ack 1 <mss *,nop,wscale *>");
	if (field->state != CELL_HELD)
		return;
	tell(field, run, ". 1 ack 1");
	expect_counters(peer, "flows_held 1");
	want(field, run, "%s", "");
}

static void expect_moves(struct field *field, const struct run *run)
{
	const struct cell *cell = run->cell;
	struct peer *peer = &field->peer;
	bool sent = field->state == CELL_SYN_SENT;

	if (is_open(run) && field->hold)
		expect_counters(peer, "flows_held 1; sent_ack %u", sent);
	else if (is_open(run))
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

/* The cell itself. */
static void act(struct field *field, struct run *run)
{
	const u32 from_irs[CELL_SEQS] = {
		[CELL_BEFORE] = 0U - 1, [CELL_IRS] = 0, [CELL_NEXT] = 1,
		[CELL_INSIDE] = 2, [CELL_LAST] = run->wnd,
		[CELL_EDGE] = run->wnd + 1,
	};
	const struct cell *cell = run->cell;
	bool none = *cell->flags == '-' && *run->tweak->flags;
	char ack[32] = "";

	run->seq = from_irs[cell->seq];
	if (cell->has_ack)
		snprintf(ack, sizeof(ack), "ack %d", (int)cell->ack);
	tell(field, run, "%s%s %d(%u) %s%s", none ? "" : cell->flags,
	     run->tweak->flags, (int)run->seq, cell->data, ack,
	     run->tweak->rest);
	if (cell->verdict == RST_SYN)
		drain(field, SYN_SOON_MS);
	expect_moves(field, run);
	/* A SYN that is taken says what counts from now on. */
	if (field->state <= CELL_SYN_SENT &&
	    (is_open(run) || cell->verdict == CROSS ||
	     cell->verdict == SYN_ACK)) {
		run->flow.irs += run->seq;
		run->seq = 0;
	}
	if (cell->verdict == SYN_ACK && field->state == CELL_LISTEN)
		run->flow.iss = run->seen[0].seq;
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
		want(field, run, "%s", sent ? ". 1 ack 1" : "");
	/* The socket hears of the crossing SYN now, and acknowledges it. */
	else if (field->state == CELL_CROSSED && answer)
		want(field, run, ". 1 ack 1; . 1 ack %u", next);
	else if (field->state == CELL_CROSSED)
		want(field, run, ". 1 ack 1");
	else if (answer)
		want(field, run, ". 1 ack %u", next);
	else
		want(field, run, "%s", "");
}

static void want_answer(struct field *field, struct run *run)
{
	const struct cell *cell = run->cell;
	/* An active open takes nothing back of what its SYN promised. */
	u32 up = field->state == CELL_CROSSED ? (1U << run->shift) - 1 : 0;
	u32 end = run->seq + cell->data + !!strchr(cell->flags, 'S') +
		  !!strchr(cell->flags, 'F');

	switch (cell->verdict) {
	case SYN_ACK:
	case CROSS:
		want(field, run, "S. 0 ack 1");
		break;
	case ACK:
	case RST_CHAL:
	case SYN_CHAL:
	case KEEP_ACK:
		want(field, run, ". 1 ack 1 win %u <>",
		     (run->wnd + up) >> run->shift);
		break;
	case RST:
	case RST_END:
		want(field, run, "R %d win 0 <>", (int)cell->ack);
		break;
	case RST_SYN:
		want(field, run, "R %d win 0 <>; S 0", (int)cell->ack);
		break;
	case RA:
	case RA_END:
		want(field, run, "R. =0 ack %d win 0 <>", (int)end);
		break;
	default:
		if (is_open(run))
			want_opened(field, run);
		else
			want(field, run, "%s", "");
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

	if (is_open(run) && field->hold)
		return THREEWAY_ESTABLISHED;
	if (is_open(run) || is_end(run))
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
		wrong(field, run, "the flow is in state %u, expected %u", is,
		      state);
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
		wrong(field, run, "accept() returns no socket");
		return;
	}
	getsockopt(run->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error || client_state(run->fd) != state)
		wrong(field, run, "%s, the socket is in state %u, not %u",
		      strerror(error), client_state(run->fd), state);
	expect_stream(&field->peer, run->fd, 1, octets);
	if ((recv(run->fd, &octet, 1, MSG_DONTWAIT) == 0) != fin)
		wrong(field, run, "end of stream %sexpected",
		      fin ? "" : "not ");
}

/* What the program has of it: a socket, an error, or nothing yet. */
static void want_socket(struct field *field, const struct run *run)
{
	if (field->hold)
		return;
	if (is_open(run))
		want_open_socket(field, run);
	else if (run->cell->verdict == REFUSE)
		expect_failed(&field->peer, run->fd, ECONNREFUSED);
	else if (is_active(field))
		expect_connecting(&field->peer, run->fd);
	else if (run->fd >= 0)
		wrong(field, run, "accept() returns a socket");
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
			wrong(field, run, "accept() returns a second socket");
			close(fd);
		} else {
			run->fd = fd;
		}
	}
}

/* What tells in the end that the flow is there, or gone. */
static void prove(struct field *field, struct run *run)
{
	struct peer *peer = &field->peer;
	bool sent = field->state == CELL_SYN_SENT &&
		    run->cell->verdict != CROSS;

	if (field->state == CELL_CLOSED || is_open(run))
		return;
	if (field->state == CELL_LISTEN && run->cell->verdict != SYN_ACK) {
		tell(field, run, "S 0 <mss 1460>");
		expect_counters(peer, "flows_opened 1; sent_synack 1");
		return;
	}
	if (field->state == CELL_HELD && !is_end(run)) {
		tell(field, run, "R 1");
		expect_counters(peer, "segment_rst_exact 1; flows_reset 1");
		return;
	}
	tell(field, run, is_active(field) ? "S. 0 ack 1 <mss 1460>" :
					    ". 1 ack 1");
	if (is_end(run))
		expect_no_counters(peer);
	else if (field->hold)
		expect_counters(peer, "flows_held 1; sent_ack %u", sent);
	else
		expect_counters(peer, "flows_handed_over 1");
}

/* Whether the handshake went on to its end after the cell. */
static bool finishes(const struct field *field, const struct run *run)
{
	if (is_open(run) || is_end(run) || field->state == CELL_CLOSED ||
	    field->state == CELL_HELD)
		return false;
	return field->state != CELL_LISTEN || run->cell->verdict == SYN_ACK;
}

static void judge_proof(struct field *field, struct run *run)
{
	bool sent = field->state == CELL_SYN_SENT &&
		    run->cell->verdict != CROSS;

	resume(field, run);
	if (is_open(run) || field->state == CELL_CLOSED)
		want(field, run, "%s", "");
	else if (is_end(run))
		want(field, run, "R 1 win 0 <>");
	else if (field->state == CELL_LISTEN && !finishes(field, run))
		want(field, run, "S. * ack 1");
	else
		want(field, run, "%s", sent ||
		     (is_active(field) && !field->hold) ? ". 1 ack 1" : "");
	if (field->hold || is_open(run))
		return;
	if (!finishes(field, run)) {
		if (run->fd >= 0 && !is_active(field))
			wrong(field, run, "accept() returns a socket");
	} else if (run->fd < 0) {
		wrong(field, run, "accept() returns no socket afterwards");
	} else if (client_state(run->fd) != STATE_ESTABLISHED) {
		wrong(field, run, "the socket is in state %u afterwards",
		      client_state(run->fd));
	}
}

/* Leaves nothing behind that could speak up. */
static void finish(struct field *field)
{
	struct linger abort = { .l_onoff = 1 };
	unsigned int i;

	for (i = 0; i < field->count; i++) {
		if (field->runs[i].fd >= 0) {
			setsockopt(field->runs[i].fd, SOL_SOCKET, SO_LINGER,
				   &abort, sizeof(abort));
			close(field->runs[i].fd);
		} else if (field->state == CELL_LISTEN) {
			tell(field, &field->runs[i], "R 1");
		}
	}
	drain(field, 0);
}

static void judge(struct field *field)
{
	struct threeway_flow *flows = NULL;
	struct run *run;
	unsigned int i;
	int count;

	accept_all(field);
	count = threeway_flow_list(field->peer.engine, &flows);
	for (i = 0; i < field->count; i++) {
		run = &field->runs[i];
		resume(field, run);
		want_answer(field, run);
		want_state(field, run, flows, count, state_after(field, run));
		want_socket(field, run);
	}
	free(flows);
}

static void judge_proofs(struct field *field)
{
	struct threeway_flow *flows = NULL;
	enum threeway_state state;
	struct run *run;
	unsigned int i;
	int count;

	accept_all(field);
	count = threeway_flow_list(field->peer.engine, &flows);
	for (i = 0; i < field->count; i++) {
		run = &field->runs[i];
		judge_proof(field, run);
		state = field->state == CELL_LISTEN && !finishes(field, run) ?
			THREEWAY_SYN_RECEIVED : THREEWAY_CLOSED;
		if (field->hold && (is_open(run) || finishes(field, run)))
			state = THREEWAY_ESTABLISHED;
		want_state(field, run, flows, count, state);
	}
	free(flows);
}

static void play_chunk(struct field *field, struct run *runs,
		       unsigned int count)
{
	struct peer *peer = &field->peer;
	unsigned int i;

	field->runs = runs;
	field->count = count;
	threeway_stat_get(peer->engine, peer->counters, THREEWAY_COUNTER_MAX);
	for (i = 0; i < count; i++)
		begin(field, &runs[i]);
	for (i = 0; i < count; i++)
		act(field, &runs[i]);
	drain(field, PEER_SILENCE_MS);
	judge(field);
	for (i = 0; i < count; i++)
		prove(field, &runs[i]);
	drain(field, PEER_SILENCE_MS);
	judge_proofs(field);
	finish(field);
}

unsigned int field_play(struct field *field, struct run *runs,
			unsigned int count)
{
	unsigned int before = field->peer.failures;
	unsigned int i;

	field->said = 0;
	for (i = 0; i < count; i += CHUNK)
		play_chunk(field, &runs[i],
			   count - i < CHUNK ? count - i : CHUNK);
	if (field->said > SAID_MAX)
		printf("# and %u more\n", field->said - SAID_MAX);
	return field->peer.failures - before;
}
