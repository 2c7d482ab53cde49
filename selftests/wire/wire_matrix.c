// SPDX-License-Identifier: GPL-2.0
/*
 * SYN-RECEIVED reached from LISTEN: one segment of each type, sequence number,
 * acknowledgment number, with and without data, each to a flow of its own, and
 * what must come of it (RFC 9293 section 3.10.7.4; rules SR2 to SR18, SQ4, SQ5).
 */
#include <stdio.h>
#include <unistd.h>

#include "wire.h"

#define DATA_LEN	3

enum verdict {
	SYNACK_KEPT,	/* the SYN-ACK again */
	ACK_KEPT,	/* an ACK, the segment is dropped, the flow stays */
	RST_KEPT,	/* a RST for the segment, the flow stays */
	RST_GONE,	/* a RST, and the flow is deleted */
	DROP_KEPT,	/* no answer, the flow stays */
	DROP_GONE,	/* no answer, the flow is deleted */
	ESTABLISHED,	/* the handshake is complete */
};

enum { SEQ_IRS, SEQ_NEXT, SEQ_LAST, SEQ_EDGE, SEQS };

static const char * const seq_names[SEQS] = {
	[SEQ_IRS] = "irs",
	[SEQ_NEXT] = "irs+1",
	[SEQ_LAST] = "irs+wnd",
	[SEQ_EDGE] = "irs+1+wnd",
};

/**
 * struct row - segments that differ in SEG.SEQ only
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

#define NO_ACK		99
#define ANY_LEN		((size_t)-1)	/* none, and DATA_LEN */

static const struct row rows[] = {
	{ "S", NO_ACK, ANY_LEN, { SYNACK_KEPT, RST_GONE, RST_GONE, ACK_KEPT } },
	{ "SF", NO_ACK, ANY_LEN, { SYNACK_KEPT, RST_GONE, RST_GONE, ACK_KEPT } },
	{ "F", NO_ACK, 0, { ACK_KEPT, DROP_KEPT, DROP_KEPT, ACK_KEPT } },
	/* Three octets from irs on reach into the window. */
	{ "F", NO_ACK, DATA_LEN, { DROP_KEPT, DROP_KEPT, DROP_KEPT, ACK_KEPT } },
	{ "R", NO_ACK, ANY_LEN, { DROP_KEPT, DROP_GONE, ACK_KEPT, DROP_KEPT } },
	/* What a RST acknowledges does not matter. */
	{ "R.", -1, ANY_LEN, { DROP_KEPT, DROP_GONE, ACK_KEPT, DROP_KEPT } },
	{ "R.", 0, ANY_LEN, { DROP_KEPT, DROP_GONE, ACK_KEPT, DROP_KEPT } },
	{ "R.", 1, ANY_LEN, { DROP_KEPT, DROP_GONE, ACK_KEPT, DROP_KEPT } },
	{ "R.", 2, ANY_LEN, { DROP_KEPT, DROP_GONE, ACK_KEPT, DROP_KEPT } },
	/* Where a bad ACK stands does not matter. */
	{ "S.", -1, ANY_LEN, { RST_KEPT, RST_KEPT, RST_KEPT, RST_KEPT } },
	{ "S.", 0, ANY_LEN, { RST_KEPT, RST_KEPT, RST_KEPT, RST_KEPT } },
	{ "S.", 2, ANY_LEN, { RST_KEPT, RST_KEPT, RST_KEPT, RST_KEPT } },
	{ ".", -1, ANY_LEN, { RST_KEPT, RST_KEPT, RST_KEPT, RST_KEPT } },
	{ ".", 0, ANY_LEN, { RST_KEPT, RST_KEPT, RST_KEPT, RST_KEPT } },
	{ ".", 2, ANY_LEN, { RST_KEPT, RST_KEPT, RST_KEPT, RST_KEPT } },
	{ "F.", -1, ANY_LEN, { RST_KEPT, RST_KEPT, RST_KEPT, RST_KEPT } },
	{ "F.", 0, ANY_LEN, { RST_KEPT, RST_KEPT, RST_KEPT, RST_KEPT } },
	{ "F.", 2, ANY_LEN, { RST_KEPT, RST_KEPT, RST_KEPT, RST_KEPT } },
	{ "S.", 1, ANY_LEN, { ACK_KEPT, RST_GONE, RST_GONE, ACK_KEPT } },
	{ ".", 1, 0, { ACK_KEPT, ESTABLISHED, ESTABLISHED, ACK_KEPT } },
	{ ".", 1, DATA_LEN,
		{ ESTABLISHED, ESTABLISHED, ESTABLISHED, ACK_KEPT } },
	{ "F.", 1, 0, { ACK_KEPT, ESTABLISHED, ESTABLISHED, ACK_KEPT } },
	{ "F.", 1, DATA_LEN,
		{ ESTABLISHED, ESTABLISHED, ESTABLISHED, ACK_KEPT } },
};

/* What the segment does to the engine's counters, beside the SYN's own. */
static const char *counters_of(const struct row *row, enum verdict verdict)
{
	bool rst = *row->flags == 'R';

	switch (verdict) {
	case SYNACK_KEPT:
		return "segment_duplicate_syn 1; sent_synack_duplicate 1";
	case ACK_KEPT:
		return rst ? "segment_rst_challenged 1; sent_ack 1" :
			     "segment_out_of_window 1; sent_ack 1";
	case RST_KEPT:
		return "segment_bad_ack 1; sent_rst 1";
	case RST_GONE:
		return "segment_syn_in_window 1; sent_rst 1; flows_syn_reset 1";
	case DROP_KEPT:
		return rst ? "segment_rst_out_of_window 1" :
			     "segment_no_ack 1";
	case DROP_GONE:
		return "segment_rst_exact 1; flows_reset 1";
	case ESTABLISHED:
		return "flows_handed_over 1";
	}
	return "";
}

/* Octets of the stream, and FIN, that an ESTABLISHED cell delivers. */
static size_t delivered(const struct row *row, unsigned int seq, bool *fin)
{
	*fin = *row->flags == 'F' && seq != SEQ_LAST;
	if (seq == SEQ_LAST || !row->data)
		return 0;
	return seq == SEQ_IRS ? row->data - 1 : row->data;
}

static void expect_established(struct peer *peer, const struct row *row,
			       unsigned int seq)
{
	char octet;
	size_t len;
	bool fin;
	int fd;

	len = delivered(row, seq, &fin);
	if (row->data || *row->flags == 'F')
		expect(peer, ". 1 ack %zu", 1 + len + fin);
	else
		expect_silence(peer);
	fd = expect_accept(peer);
	if (fd < 0)
		return;
	expect_stream(peer, fd, 1, len);
	check(peer, (recv(fd, &octet, 1, MSG_DONTWAIT) == 0) == fin,
	      "end of stream %sexpected", fin ? "" : "not ");
	close(fd);
}

static void expect_answer(struct peer *peer, const struct row *row,
			  enum verdict verdict, u32 seq, unsigned int wnd)
{
	switch (verdict) {
	case SYNACK_KEPT:
		expect(peer, "S. 0 ack 1");
		break;
	case ACK_KEPT:
		expect(peer, ". 1 ack 1 win %u <>", wnd);
		break;
	case RST_KEPT:
		expect(peer, "R %d win 0 <>", row->ack);
		break;
	case RST_GONE:
		if (row->ack == NO_ACK)
			expect(peer, "R. =0 ack %u win 0 <>",
			       seq + 1 + (row->flags[1] == 'F') +
			       (u32)row->data);
		else
			expect(peer, "R %d win 0 <>", row->ack);
		break;
	default:
		break;
	}
	expect_silence(peer);
}

/* Whether the flow is still there: the right ACK completes it. */
static void expect_kept(struct peer *peer, bool kept)
{
	expect_flow(peer, kept);
	peer_send(peer, ". 1 ack 1");
	if (kept) {
		expect_silence(peer);
		close(expect_accept(peer));
	} else {
		expect(peer, "R 1 win 0 <>");
		expect_no_accept(peer);
	}
	expect_counters(peer, "flows_handed_over %d", kept);
}

static void run_cell(struct peer *peer, const struct row *row, unsigned int i)
{
	enum verdict verdict = row->verdict[i];
	char ack[16] = "";
	const u8 *shift;
	u32 wnd, seq;

	peer_flow(peer);
	peer_label(peer, "%s seq %s ack %d data %zu", row->flags, seq_names[i],
		   row->ack, row->data);
	if (!peer_syn(peer, "mss 1460,nop,wscale 7"))
		return;
	expect_counters(peer, "flows_opened 1; sent_synack 1");
	wnd = peer->latest.window;
	if (!check(peer, packet_option(&peer->latest, 3, &shift) == 3,
		   "no window scale"))
		return;
	seq = i == SEQ_IRS ? 0 : i == SEQ_NEXT ? 1 :
	      i == SEQ_LAST ? wnd : wnd + 1;
	if (row->ack != NO_ACK)
		snprintf(ack, sizeof(ack), "ack %d", row->ack);
	peer_send(peer, "%s %u(%zu) %s", row->flags, seq, row->data, ack);
	if (verdict == ESTABLISHED)
		expect_established(peer, row, i);
	else
		expect_answer(peer, row, verdict, seq, wnd >> shift[2]);
	expect_counters(peer, "%s", counters_of(row, verdict));
	if (verdict != ESTABLISHED)
		expect_kept(peer, verdict != RST_GONE && verdict != DROP_GONE);
}

static void run_row(struct peer *peer, const struct row *row)
{
	struct row one = *row;
	unsigned int cell;

	if (row->data == ANY_LEN) {
		one.data = 0;
		run_row(peer, &one);
		one.data = DATA_LEN;
		run_row(peer, &one);
		return;
	}
	for (cell = 0; cell < SEQS; cell++)
		run_cell(peer, &one, cell);
}

static void run_rows(struct peer *peer, const char *flags)
{
	unsigned int i;

	peer_serve(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!strcmp(rows[i].flags, flags))
			run_row(peer, &rows[i]);
	}
}

TEST_F_TIMEOUT(wire, SR3_SR4_SR5_SYN_in_all_places, 120)
{
	run_rows(&self->peer, "S");
}

TEST_F_TIMEOUT(wire, SR3_SR4_SR5_SYN_FIN_in_all_places, 120)
{
	run_rows(&self->peer, "SF");
}

TEST_F_TIMEOUT(wire, SR11_FL5_FIN_without_ACK_in_all_places, 120)
{
	run_rows(&self->peer, "F");
}

TEST_F_TIMEOUT(wire, SR6_SR7_SR8_RST_in_all_places, 120)
{
	run_rows(&self->peer, "R");
}

TEST_F_TIMEOUT(wire, SR9_RST_ACK_in_all_places_with_all_acks, 120)
{
	run_rows(&self->peer, "R.");
}

TEST_F_TIMEOUT(wire, SR2_SR10_SYN_ACK_in_all_places_with_all_acks, 120)
{
	run_rows(&self->peer, "S.");
}

TEST_F_TIMEOUT(wire, SR2_SR16_SR17_SR18_ACK_in_all_places_with_all_acks, 120)
{
	run_rows(&self->peer, ".");
}

TEST_F_TIMEOUT(wire, SR14_FL5_FIN_ACK_in_all_places_with_all_acks, 120)
{
	run_rows(&self->peer, "F.");
}

TEST_HARNESS_MAIN
