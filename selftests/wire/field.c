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

/* Cells that come before one. */
#define PRECEDING	6

/* Lines about what is wrong that are printed for one result. */
#define SAID_MAX	40

#define LOCAL_PORT	80
/* How long the SYN that follows a RST may take: a tick, or two. */
#define SYN_SOON_MS	20

bool field_active(const struct field *field)
{
	return field->state == CELL_SYN_SENT || field->state == CELL_CROSSED;
}

static u32 draw(struct field *field, u32 limit)
{
	field->random ^= field->random << 13;
	field->random ^= field->random >> 7;
	field->random ^= field->random << 17;
	return (u32)(field->random >> 32) % limit;
}

static u32 draw_corner(struct field *field)
{
	static const u32 corners[] = {
		0, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
		0xffffff00, 0x7fff8000,
	};

	return corners[draw(field, sizeof(corners) / sizeof(*corners))];
}

const char *field_options(const struct field *field)
{
	return field->random ? "nop,nop,TS val * ecr 1000" : "";
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
		.policy = field->policy,
	};
	int err = threeway_claim_add(peer->engine, &claim);

	check(peer, !err, "claim: %s", strerror(-err));
}

const char *field_open(struct field *field, int family, enum cell_state state,
		       bool hold, u64 seed)
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
	field->random = seed;
	/* No packet is of a flow that was left: all are looked at. */
	peer->first_port = 65535;
	/* The engine does nothing but answer. */
	sysctl_set("net/threeway/rto_initial_ms", "60000");
	if (seed) {
		/* Each of several cells for one flow is answered. */
		sysctl_set("net/threeway/invalid_ratelimit_ms", "0");
		field->policy.set = THREEWAY_P_ISN;
		field->policy.isn = THREEWAY_ISN_FIXED;
		field->policy.isn_fixed = draw_corner(field);
	}
	if (field_active(field)) {
		if (!hold)
			client_claim(peer, &field->policy);
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

void field_wrong(struct field *field, const struct run *run,
		 const char *format, ...)
{
	char name[CELL_NAME_LEN];
	va_list args;

	field->peer.failures++;
	if (field->said++ >= SAID_MAX)
		return;
	printf("# ipv%c %s%s%s%s%s%s: %s: ",
	       field->peer.family == AF_INET ? '4' : '6',
	       cell_name(run->cell, name), *run->tweak->flags ? " with " : "",
	       run->tweak->flags, run->tweak->rest,
	       field->hold ? ", hold" : "",
	       field->random ? ", after others" : "",
	       verdict_name(run->cell->verdict));
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	if (field->random)
		printf(" (iss %#x irs %#x)", run->flow.iss, run->flow.irs);
	printf("\n");
}

/* Whatever the kernel sends within that time, to the cells it belongs to. */
void field_drain(struct field *field, unsigned int ms)
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
			field_wrong(field, run, "too many packets");
		else
			run->seen[run->count++] = *packet;
	}
}

static struct origin seen_origin(const struct run *run)
{
	return (struct origin) { .seq = run->flow.iss, .ack = run->flow.irs };
}

/* Just this has come since the last look, "" is nothing; "A; B" are two. */
void field_want(struct field *field, struct run *run, const char *format, ...)
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
	field_wrong(field, run, "expected > %s, seen > %s",
		    *wanted ? wanted : "nothing", *seen ? seen : "nothing");
	run->count = 0;
}

/* The run is the one that is looked at now. */
void field_resume(struct field *field, const struct run *run)
{
	struct peer *peer = &field->peer;
	char name[CELL_NAME_LEN];

	peer_resume(peer, run->flow);
	peer_label(peer, "%s%s%s%s", cell_name(run->cell, name),
		   run->tweak->flags, run->tweak->rest,
		   field->hold ? ", hold" : "");
}

/* With timestamps, if the field has them. */
static void stamp(const struct field *field, char line[LINE_MAX_LEN])
{
	size_t len = strlen(line);
	bool options = line[len - 1] == '>';

	if (!field->random || strstr(line, "TS"))
		return;
	snprintf(line + len - options, LINE_MAX_LEN - len,
		 "%snop,nop,TS val 1000 ecr 0>", options ? "," : " <");
}

/* Sends for the run, and sees what comes at once. */
void field_tell(struct field *field, const struct run *run,
		const char *format, ...)
{
	char line[LINE_MAX_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	stamp(field, line);
	field_resume(field, run);
	peer_send(&field->peer, "%s", line);
	field_drain(field, 0);
}

static const char *syn_options(const struct field *field)
{
	return field->random ? SYN_OPTIONS : "mss 1460,nop,wscale 7";
}

/* The run has the peer's new flow. */
static void park(struct field *field, struct run *run)
{
	if (field->random)
		field->peer.irs = draw_corner(field);
	run->flow = peer_park(&field->peer);
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
	open.policy = field->policy;
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
	park(field, run);
	field_drain(field, 0);
	run->flow.iss = run->seen[0].seq;
	field_want(field, run, "S 0");
	expect_counters(peer, "flows_opened 1; sent_syn 1");
	if (field->state == CELL_SYN_SENT)
		return;
	field_tell(field, run, "S 0 <%s>", syn_options(field));
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
	if (field_active(field)) {
		begin_active(field, run);
	} else {
		peer_flow(peer);
		park(field, run);
	}
	if (field->state < CELL_PASSIVE)
		return;
	if (!field_active(field)) {
		field_tell(field, run, "S 0 <%s>", syn_options(field));
		expect_counters(peer, "flows_opened 1; sent_synack 1");
		run->flow.iss = synack->seq;
	}
	run->wnd = synack->window;
	if (run->count && packet_option(synack, 3, &shift))
		run->shift = shift[2];
	else
		field_wrong(field, run, "no window scale");
	field_want(field, run, field->random ?
		   "S. 0 ack 1 <mss *,sackOK,TS val * ecr 1000,nop,wscale *>" :
		   "S. 0 ack 1 <mss *,nop,wscale *>");
	if (field->state != CELL_HELD)
		return;
	field_tell(field, run, ". 1 ack 1");
	expect_counters(peer, "flows_held 1");
	field_want(field, run, "%s", "");
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
	field_tell(field, run, "%s%s %d(%u) %s%s", none ? "" : cell->flags,
		   run->tweak->flags, (int)run->seq, cell->data, ack,
		   run->tweak->rest);
	if (cell->verdict == RST_SYN)
		field_drain(field, SYN_SOON_MS);
	judge_counters(field, run);
	/* A SYN that is taken says what counts from now on. */
	if (field->state <= CELL_SYN_SENT &&
	    (run_opens(run) || cell->verdict == CROSS ||
	     cell->verdict == SYN_ACK)) {
		run->flow.irs += run->seq;
		run->seq = 0;
	}
	if (cell->verdict == SYN_ACK && field->state == CELL_LISTEN)
		run->flow.iss = run->seen[0].seq;
}

/* What leaves the flow as it was, and answers as if nothing had been. */
static bool changes_nothing(const struct field *field, const struct cell *cell)
{
	return cell->state == field->state && cell->verdict < RST_SYN &&
	       cell->verdict != CROSS &&
	       (cell->verdict != SYN_ACK || cell->state == CELL_PASSIVE);
}

/* Some of them, before the cell itself. */
static void precede(struct field *field, struct run *run)
{
	const struct cell *last = run->cell;
	unsigned int count, left = PRECEDING;
	const struct cell *cells;

	cells = cells_all(&count);
	while (left) {
		run->cell = &cells[draw(field, count)];
		if (!changes_nothing(field, run->cell))
			continue;
		act(field, run);
		judge_answer(field, run);
		left--;
	}
	run->cell = last;
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
			field_tell(field, &field->runs[i], "R 1");
		}
	}
	field_drain(field, 0);
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
	for (i = 0; i < count; i++) {
		if (field->random)
			precede(field, &runs[i]);
		act(field, &runs[i]);
	}
	field_drain(field, PEER_SILENCE_MS);
	judge_cells(field);
	for (i = 0; i < count; i++)
		judge_prove(field, &runs[i]);
	field_drain(field, PEER_SILENCE_MS);
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
