// SPDX-License-Identifier: GPL-2.0
/*
 * Active open: one segment of each type, sequence number, acknowledgment number,
 * with and without data, each to a flow of its own, and what must come of it: in
 * SYN-SENT, where SEG.SEQ says nothing yet, and in the SYN-RECEIVED that a
 * crossing SYN leads to (RFC 9293 sections 3.10.7.3 and 3.10.7.4; rules SS2 to
 * SS9, SM2 to SM6, SM11, SQ4, SQ5).
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#define DATA_LEN	3

enum verdict {
	CROSSED,	/* a SYN-ACK: SYN-RECEIVED */
	ACK_KEPT,	/* an ACK, the segment is dropped, the flow stays */
	RST_KEPT,	/* a RST for the segment, the flow stays */
	DROP_KEPT,	/* no answer, the flow stays */
	REFUSED,	/* no answer, connect() fails */
	ESTABLISHED,	/* connect() succeeds */
};

#define NO_ACK		99

/**
 * struct sent_row - segments in SYN-SENT that differ in data only
 * @flags:	as in the notation
 * @ack:	SEG.ACK - iss, or NO_ACK
 * @verdict:	what comes of it
 * @counters:	what it does to the engine's counters
 */
struct sent_row {
	const char *flags;
	int ack;
	enum verdict verdict;
	const char *counters;
};

static const char crossed[] = "segment_syn_crossed 1; sent_synack_crossed 1";
static const char reset[] = "segment_bad_ack 1; sent_rst 1";
static const char no_syn[] = "segment_syn_sent_no_syn 1";
static const char odd_rst[] = "segment_syn_sent_rst 1";

static const struct sent_row sent_rows[] = {
	{ "S", NO_ACK, CROSSED, crossed },
	{ "S.", 0, RST_KEPT, reset },
	{ "S.", 1, ESTABLISHED, "flows_handed_over 1" },
	{ "S.", 2, RST_KEPT, reset },
	{ "SF", NO_ACK, CROSSED, crossed },
	{ ".", 0, RST_KEPT, reset },
	{ ".", 1, DROP_KEPT, no_syn },
	{ ".", 2, RST_KEPT, reset },
	{ "F", NO_ACK, DROP_KEPT, no_syn },
	{ "F.", 0, RST_KEPT, reset },
	{ "F.", 1, DROP_KEPT, no_syn },
	{ "F.", 2, RST_KEPT, reset },
	{ "R", NO_ACK, DROP_KEPT, odd_rst },
	{ "R.", 0, DROP_KEPT, odd_rst },
	{ "R.", 1, REFUSED, "segment_refused 1; flows_refused 1" },
	{ "R.", 2, DROP_KEPT, odd_rst },
};

enum { SEQ_IRS, SEQ_NEXT, SEQ_LAST, SEQ_EDGE, SEQS };

static const char * const seq_names[SEQS] = {
	[SEQ_IRS] = "irs",
	[SEQ_NEXT] = "irs+1",
	[SEQ_LAST] = "irs+wnd",
	[SEQ_EDGE] = "irs+1+wnd",
};

/**
 * struct row - segments in SYN-RECEIVED that differ in SEG.SEQ only
 * @flags:	as in the notation
 * @ack:	SEG.ACK - iss, or NO_ACK
 * @data:	octets of data, or ANY_LEN
 * @verdict:	by SEG.SEQ
 */
struct row {
	const char *flags;
	int ack;
	size_t data;
	enum verdict verdict[SEQS];
};

#define ANY_LEN		((size_t)-1)	/* none, and DATA_LEN */

#define ALL_ACK_KEPT	{ ACK_KEPT, ACK_KEPT, ACK_KEPT, ACK_KEPT }
#define BAD_ACK		{ ACK_KEPT, RST_KEPT, RST_KEPT, ACK_KEPT }
/* Three octets from irs on reach into the window. */
#define BAD_ACK_DATA	{ RST_KEPT, RST_KEPT, RST_KEPT, ACK_KEPT }
#define RST_ROW		{ DROP_KEPT, REFUSED, ACK_KEPT, DROP_KEPT }

static const struct row rows[] = {
	/* A SYN is not of this connection, wherever it stands. */
	{ "S", NO_ACK, ANY_LEN, ALL_ACK_KEPT },
	{ "SF", NO_ACK, ANY_LEN, ALL_ACK_KEPT },
	{ "S.", -1, ANY_LEN, ALL_ACK_KEPT },
	{ "S.", 0, ANY_LEN, ALL_ACK_KEPT },
	/* But for the peer's own answer to our SYN. */
	{ "S.", 1, 0, { ESTABLISHED, ACK_KEPT, ACK_KEPT, ACK_KEPT } },
	{ "S.", 1, DATA_LEN, ALL_ACK_KEPT },
	{ "S.", 2, ANY_LEN, ALL_ACK_KEPT },
	{ "F", NO_ACK, 0, { ACK_KEPT, DROP_KEPT, DROP_KEPT, ACK_KEPT } },
	{ "F", NO_ACK, DATA_LEN, { DROP_KEPT, DROP_KEPT, DROP_KEPT, ACK_KEPT } },
	/* What a RST acknowledges does not matter. */
	{ "R", NO_ACK, ANY_LEN, RST_ROW },
	{ "R.", -1, ANY_LEN, RST_ROW },
	{ "R.", 0, ANY_LEN, RST_ROW },
	{ "R.", 1, ANY_LEN, RST_ROW },
	{ "R.", 2, ANY_LEN, RST_ROW },
	{ ".", -1, 0, BAD_ACK },
	{ ".", 0, 0, BAD_ACK },
	{ ".", 2, 0, BAD_ACK },
	{ ".", -1, DATA_LEN, BAD_ACK_DATA },
	{ ".", 0, DATA_LEN, BAD_ACK_DATA },
	{ ".", 2, DATA_LEN, BAD_ACK_DATA },
	{ "F.", -1, 0, BAD_ACK },
	{ "F.", 0, 0, BAD_ACK },
	{ "F.", 2, 0, BAD_ACK },
	{ "F.", -1, DATA_LEN, BAD_ACK_DATA },
	{ "F.", 0, DATA_LEN, BAD_ACK_DATA },
	{ "F.", 2, DATA_LEN, BAD_ACK_DATA },
	{ ".", 1, 0, { ACK_KEPT, ESTABLISHED, ESTABLISHED, ACK_KEPT } },
	{ ".", 1, DATA_LEN,
		{ ESTABLISHED, ESTABLISHED, ESTABLISHED, ACK_KEPT } },
	{ "F.", 1, 0, { ACK_KEPT, ESTABLISHED, ESTABLISHED, ACK_KEPT } },
	{ "F.", 1, DATA_LEN,
		{ ESTABLISHED, ESTABLISHED, ESTABLISHED, ACK_KEPT } },
};

/* The engine is asked to do nothing but answer. */
static void claim_quietly(struct peer *peer)
{
	client_claim(peer, NULL);
	sysctl_set("net/threeway/rto_initial_ms", "60000");
}

static void expect_verdict(struct peer *peer, enum verdict verdict, int ack,
			   unsigned int wnd)
{
	switch (verdict) {
	case CROSSED:
		expect(peer, "S. 0 ack 1 <mss *>");
		break;
	case ACK_KEPT:
		expect(peer, ". 1 ack 1 win %u <>", wnd);
		break;
	case RST_KEPT:
		expect(peer, "R %d win 0 <>", ack);
		break;
	default:
		break;
	}
}

/* Whether the flow is still there: the right SYN-ACK completes it. */
static void expect_kept(struct peer *peer, int fd, enum verdict verdict)
{
	if (verdict == REFUSED) {
		expect_state(peer, THREEWAY_CLOSED);
		expect_failed(peer, fd, ECONNREFUSED);
		peer_send(peer, "S. 0 ack 1");
		expect(peer, "R 1 win 0 <>");
		close(fd);
		expect_no_counters(peer);
		return;
	}
	if (verdict != ESTABLISHED) {
		expect_connecting(peer, fd);
		peer_send(peer, "S. 0 ack 1 <mss 1460>");
		expect(peer, ". 1 ack 1");
		expect_counters(peer, "flows_handed_over 1");
	}
	expect_state(peer, THREEWAY_CLOSED);
	expect_connected(peer, fd);
	client_close(peer, fd);
}

static void run_sent_cell(struct peer *peer, const struct sent_row *row,
			  size_t data)
{
	char ack[16] = "";
	int fd;

	fd = client_open(peer);
	expect_counters(peer, "flows_opened 1; sent_syn 1");
	peer_label(peer, "SYN-SENT: %s ack %d data %zu", row->flags, row->ack,
		   data);
	if (row->ack != NO_ACK)
		snprintf(ack, sizeof(ack), "ack %d", row->ack);
	peer_send(peer, "%s 0(%zu) %s <mss 1460>", row->flags, data, ack);
	if (row->verdict == ESTABLISHED)
		expect(peer, ". 1 ack 1");
	else
		expect_verdict(peer, row->verdict, row->ack, 0);
	expect_counters(peer, "%s", row->counters);
	expect_state(peer, row->verdict == CROSSED ? THREEWAY_SYN_RECEIVED :
		     row->verdict == ESTABLISHED || row->verdict == REFUSED ?
		     THREEWAY_CLOSED : THREEWAY_SYN_SENT);
	if (row->verdict == RST_KEPT) {
		/* SS3: the SYN comes at once */
		expect(peer, "S 0");
		expect_counters(peer, "sent_syn_timer 1");
	}
	expect_silence(peer);
	expect_kept(peer, fd, row->verdict);
}

TEST_F_TIMEOUT(wire, SS2_SS4_to_SS9_SYN_SENT_32_cells, 120)
{
	struct peer *peer = &self->peer;
	unsigned int i;

	claim_quietly(peer);
	for (i = 0; i < ARRAY_SIZE(sent_rows); i++) {
		run_sent_cell(peer, &sent_rows[i], 0);
		run_sent_cell(peer, &sent_rows[i], DATA_LEN);
	}
}

/* What the segment does to the engine's counters. */
static const char *counters_of(const struct row *row, enum verdict verdict)
{
	switch (verdict) {
	case ACK_KEPT:
		if (*row->flags == 'R')
			return "segment_rst_challenged 1; sent_ack 1";
		if (*row->flags == 'S')
			return "segment_syn_challenged 1; sent_ack 1";
		return "segment_out_of_window 1; sent_ack 1";
	case RST_KEPT:
		return "segment_bad_ack 1; sent_rst 1";
	case DROP_KEPT:
		return *row->flags == 'R' ? "segment_rst_out_of_window 1" :
					    "segment_no_ack 1";
	case REFUSED:
		return "segment_rst_exact 1; flows_refused 1";
	case ESTABLISHED:
		return "flows_handed_over 1";
	default:
		return "";
	}
}

/*
 * The socket hears of the crossing SYN first and acknowledges it. Octets of the
 * stream, and FIN, come to it, or wait for what is before them.
 */
static void expect_established(struct peer *peer, const struct row *row,
			       unsigned int seq, int fd)
{
	size_t len = seq == SEQ_LAST || !row->data ? 0 :
		     seq == SEQ_IRS ? row->data - 1 : row->data;
	bool fin = *row->flags == 'F' && seq != SEQ_LAST;

	expect(peer, ". 1 ack 1");
	if (*row->flags != 'S' && (row->data || *row->flags == 'F'))
		expect(peer, ". 1 ack %zu", 1 + len + fin);
	expect_stream(peer, fd, 1, len);
	if (!fin)
		return;
	/* expect_connected() is not for a socket in CLOSE-WAIT */
	check(peer, client_state(fd) == 8, "state %u", client_state(fd));
}

static void run_cell(struct peer *peer, const struct row *row, unsigned int i)
{
	enum verdict verdict = row->verdict[i];
	char ack[16] = "";
	const u8 *shift;
	u32 wnd, seq;
	int fd;

	fd = client_open(peer);
	peer_label(peer, "SYN-RECEIVED: %s seq %s ack %d data %zu", row->flags,
		   seq_names[i], row->ack, row->data);
	peer_send(peer, "S 0 <mss 1460,nop,wscale 7>");
	expect(peer, "S. 0 ack 1 <mss *,nop,wscale *>");
	expect_counters(peer, "flows_opened 1; sent_syn 1; %s", crossed);
	wnd = peer->latest.window;
	packet_option(&peer->latest, 3, &shift);
	seq = i == SEQ_IRS ? 0 : i == SEQ_NEXT ? 1 :
	      i == SEQ_LAST ? wnd : wnd + 1;
	if (row->ack != NO_ACK)
		snprintf(ack, sizeof(ack), "ack %d", row->ack);
	peer_send(peer, "%s %u(%zu) %s", row->flags, seq, row->data, ack);
	if (verdict == ESTABLISHED)
		expect_established(peer, row, i, fd);
	else
		/* Rounded up: nothing is taken back of what was promised. */
		expect_verdict(peer, verdict, row->ack,
			       (wnd + (1 << shift[2]) - 1) >> shift[2]);
	expect_silence(peer);
	expect_counters(peer, "%s", counters_of(row, verdict));
	if (verdict == ESTABLISHED && *row->flags == 'F' && i != SEQ_LAST) {
		peer_send(peer, "R =%u", peer->acked);
		close(fd);
		return;
	}
	expect_kept(peer, fd, verdict);
}

static void run_rows(struct peer *peer, const char *flags)
{
	unsigned int i, cell, len;
	struct row row;

	claim_quietly(peer);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].flags, flags))
			continue;
		row = rows[i];
		for (len = 0; len <= DATA_LEN; len += DATA_LEN) {
			if (rows[i].data != ANY_LEN && rows[i].data != len)
				continue;
			row.data = len;
			for (cell = 0; cell < SEQS; cell++)
				run_cell(peer, &row, cell);
		}
	}
}

TEST_F_TIMEOUT(wire, SM6_SYN_in_all_places, 120)
{
	run_rows(&self->peer, "S");
}

TEST_F_TIMEOUT(wire, SM6_SYN_FIN_in_all_places, 120)
{
	run_rows(&self->peer, "SF");
}

TEST_F_TIMEOUT(wire, FL5_FIN_without_ACK_in_all_places, 120)
{
	run_rows(&self->peer, "F");
}

TEST_F_TIMEOUT(wire, SM4_SM5_RST_in_all_places, 120)
{
	run_rows(&self->peer, "R");
}

TEST_F_TIMEOUT(wire, SM4_SM5_RST_ACK_in_all_places_with_all_acks, 120)
{
	run_rows(&self->peer, "R.");
}

TEST_F_TIMEOUT(wire, SM2_SM6_SYN_ACK_in_all_places_with_all_acks, 120)
{
	run_rows(&self->peer, "S.");
}

TEST_F_TIMEOUT(wire, SM3_SM11_ACK_in_all_places_with_all_acks, 120)
{
	run_rows(&self->peer, ".");
}

TEST_F_TIMEOUT(wire, SM3_SM11_FIN_ACK_in_all_places_with_all_acks, 120)
{
	run_rows(&self->peer, "F.");
}

TEST_HARNESS_MAIN
