// SPDX-License-Identifier: GPL-2.0
/*
 * The table of cells.h, and what is made of it. A row is
 *
 *	state, sets of flags, SEG.ACK, octets, verdicts by SEG.SEQ, rules
 *
 * and stands for every combination of what it names. SEG.ACK is GOOD (iss+1),
 * OLD (iss-1, iss), AHEAD (iss+2, iss+2^31), BAD (both of those), ANY, or NONE
 * for sets of flags without ACK. PSH, URG, ECE, CWR and the reserved bits need
 * no rows, they change no verdict: wire/wire_matrix.c adds them.
 *
 * A new case is a new row, or a new word in one. The verdicts come from the
 * text of the RFC. Where they do not, or the native stack has others, a comment
 * says so behind "Linux:", and the rules of the row say more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"

enum ack { NONE, OLD, GOOD, AHEAD, BAD, ANY };

#define BOTH	0xffU	/* without data and with CELL_DATA octets */

struct row {
	enum cell_state state;
	const char *flags;
	enum ack ack;
	unsigned int data;
	enum verdict verdict[CELL_SEQS];
	const char *rules;
};

#define ALL(verdict)	{ verdict, verdict, verdict, verdict, verdict, verdict }
/* SEG.SEQ does not matter where there is nothing to compare it with. */
#define ONE(verdict)	{ [CELL_NEXT] = verdict }

/* Every set of flags with RST: it goes before SYN and FIN. */
#define RSTS		"R SR FR SFR"
#define RST_ACKS	"R. SR. FR. SFR."

static const struct row rows[] = {
	/* 3.10.7.1 CLOSED. SEG.LEN counts SYN, FIN and data. */
	{ CELL_CLOSED, RSTS, NONE, BOTH, ONE(IGNORE), "CL1 FL2" },
	{ CELL_CLOSED, RST_ACKS, ANY, BOTH, ONE(IGNORE), "CL1 FL2" },
	{ CELL_CLOSED, "S SF F -", NONE, BOTH, ONE(RA), "CL2 SQ3" },
	{ CELL_CLOSED, "S. SF. . F.", ANY, BOTH, ONE(RST), "CL3" },

	/* 3.10.7.2 LISTEN: RST, ACK, SYN, other. */
	{ CELL_LISTEN, RSTS, NONE, BOTH, ONE(IGNORE), "LI1 FL2" },
	{ CELL_LISTEN, RST_ACKS, ANY, BOTH, ONE(IGNORE), "LI1 FL2" },
	{ CELL_LISTEN, "S. SF. . F.", ANY, BOTH, ONE(RST), "LI2" },
	{ CELL_LISTEN, "S", NONE, 0, ONE(SYN_ACK), "LI3" },
	/* Data on the SYN are not acknowledged; the peer sends them again. */
	{ CELL_LISTEN, "S SP", NONE, 1, ONE(SYN_ACK), "LI6 LI7 FL7" },
	{ CELL_LISTEN, "S", NONE, 3, ONE(SYN_ACK), "LI6" },
	{ CELL_LISTEN, "S SP", NONE, 1460, ONE(SYN_ACK), "LI6 LI7 FL7" },
	{ CELL_LISTEN, "S SP", NONE, 64000, ONE(SYN_ACK), "LI6 LI7 FL7" },
	/* Linux: dropped; the RFC would take the SYN and queue the FIN. */
	{ CELL_LISTEN, "SF", NONE, BOTH, ONE(DROP), "LI4" },
	{ CELL_LISTEN, "SFP", NONE, 1, ONE(DROP), "LI4 FL7" },
	{ CELL_LISTEN, "SFP", NONE, 1460, ONE(DROP), "LI4 FL7" },
	{ CELL_LISTEN, "SFP", NONE, 64000, ONE(DROP), "LI4 FL7" },
	{ CELL_LISTEN, "F -", NONE, BOTH, ONE(DROP), "LI5" },

	/* 3.10.7.3 SYN-SENT: ACK, RST, SYN, other; SEG.SEQ says nothing yet. */
	{ CELL_SYN_SENT, RST_ACKS, BAD, BOTH, ALL(IGNORE), "SS4 FL2" },
	/* Linux: the SYN follows the RST at once. */
	{ CELL_SYN_SENT, "S. SF. . F.", BAD, BOTH, ALL(RST_SYN), "SS2 SS3" },
	/* The RFC would compare SEG.SEQ first (RFC 5961), but with what? */
	{ CELL_SYN_SENT, RST_ACKS, GOOD, BOTH, ALL(REFUSE), "SS5 FL2" },
	{ CELL_SYN_SENT, RSTS, NONE, BOTH, ALL(IGNORE), "SS6 FL2" },
	{ CELL_SYN_SENT, "S.", GOOD, 0, ALL(OPEN), "SS1" },
	/* Linux: what else the SYN carries is not taken, nor acknowledged. */
	{ CELL_SYN_SENT, "S.", GOOD, 3, ALL(OPEN), "SS1 SS10" },
	{ CELL_SYN_SENT, "SF.", GOOD, BOTH, ALL(OPEN), "SS9 SS10" },
	{ CELL_SYN_SENT, "S", NONE, BOTH, ALL(CROSS), "SS8 SM1 SM10" },
	{ CELL_SYN_SENT, "SF", NONE, BOTH, ALL(CROSS), "SS9 SM1 SM10" },
	{ CELL_SYN_SENT, ". F.", GOOD, BOTH, ALL(DROP), "SS7" },
	{ CELL_SYN_SENT, "F -", NONE, BOTH, ALL(DROP), "SS9" },

	/*
	 * 3.10.7.4 SYN-RECEIVED from LISTEN.
	 *
	 *  irs-1     irs       irs+1     irs+2     irs+wnd   irs+1+wnd
	 */
	/* RFC 5961 section 3.2: SEG.SEQ decides, SEG.ACK does not matter. */
	{ CELL_PASSIVE, RSTS, NONE, BOTH,
	  { IGNORE,   IGNORE,   END,      RST_CHAL, RST_CHAL, IGNORE },
	  "SR6 SR7 SR8 FL2" },
	{ CELL_PASSIVE, RST_ACKS, ANY, BOTH,
	  { IGNORE,   IGNORE,   END,      RST_CHAL, RST_CHAL, IGNORE },
	  "SR6 SR7 SR8 SR9 FL2" },
	/* Linux: before SEG.SEQ; the RFC has an ACK for one out of window. */
	{ CELL_PASSIVE, "S. SF. .", BAD, BOTH, ALL(RST), "SR2 SQ8" },
	{ CELL_PASSIVE, "F.", BAD, BOTH, ALL(RST), "SR2 SQ8 FL5" },
	/*
	 * Linux: the peer's SYN again is answered by the SYN-ACK again, and one
	 * in the window by a RST; the RFC has an ACK for the first and sends
	 * nothing with the second. No data make a SYN before the window part of
	 * the connection.
	 */
	{ CELL_PASSIVE, "S SF", NONE, BOTH,
	  { ACK,      SYN_ACK,  RA_END,   RA_END,   RA_END,   ACK },
	  "SR3 SR4 SR5" },
	{ CELL_PASSIVE, "S. SF.", GOOD, BOTH,
	  { ACK,      ACK,      RST_END,  RST_END,  RST_END,  ACK },
	  "SR5 SR10" },
	{ CELL_PASSIVE, "-", NONE, 0,
	  { ACK,      ACK,      DROP,     DROP,     DROP,     ACK },
	  "SR11 SR12" },
	{ CELL_PASSIVE, "-", NONE, 3,
	  { DROP,     DROP,     DROP,     DROP,     DROP,     ACK },
	  "SR11 SR12" },
	/* A FIN that ends at irs is not in the window. */
	{ CELL_PASSIVE, "F", NONE, 0,
	  { ACK,      ACK,      DROP,     DROP,     DROP,     ACK },
	  "SR11 SR12 FL5" },
	{ CELL_PASSIVE, "F", NONE, 3,
	  { DROP,     DROP,     DROP,     DROP,     DROP,     ACK },
	  "SR11 SR12 FL5" },
	/* Linux: takes one octet more, at irs+1+wnd. */
	{ CELL_PASSIVE, ".", GOOD, 0,
	  { ACK,      ACK,      OPEN,     OPEN,     OPEN,     ACK },
	  "SR1 SR17 SR18 SQ7" },
	/* Trimmed to the window where they only reach into it. */
	{ CELL_PASSIVE, ".", GOOD, 3,
	  { OPEN_1,   OPEN_2,   OPEN_3,   OPEN_Q,   OPEN_Q,   ACK },
	  "SR13 SR15 SR16 SQ4 SQ5 SQ7" },
	{ CELL_PASSIVE, "F.", GOOD, 0,
	  { ACK,      ACK,      OPEN_F,   OPEN_Q,   OPEN_Q,   ACK },
	  "SR14 SQ4 SQ7" },
	{ CELL_PASSIVE, "F.", GOOD, 3,
	  { OPEN_1F,  OPEN_2F,  OPEN_3F,  OPEN_Q,   OPEN_Q,   ACK },
	  "SR14 SR16 SQ4 SQ5 SQ7" },

	/*
	 * 3.10.7.4 SYN-RECEIVED from SYN-SENT.
	 *
	 *  irs-1     irs       irs+1     irs+2     irs+wnd   irs+1+wnd
	 */
	/* Linux: ECONNRESET. */
	{ CELL_CROSSED, RSTS, NONE, BOTH,
	  { IGNORE,   IGNORE,   REFUSE,   RST_CHAL, RST_CHAL, IGNORE },
	  "SM4 SM5 FL2" },
	{ CELL_CROSSED, RST_ACKS, ANY, BOTH,
	  { IGNORE,   IGNORE,   REFUSE,   RST_CHAL, RST_CHAL, IGNORE },
	  "SM4 SM5 FL2" },
	/* RFC 5961 section 4.2: wherever it stands, before SEG.ACK. */
	{ CELL_CROSSED, "S SF", NONE, BOTH, ALL(SYN_CHAL), "SM6" },
	{ CELL_CROSSED, "S. SF.", BAD, BOTH, ALL(SYN_CHAL), "SM6" },
	/* Linux: but for the answer to our own SYN, and nothing beside it. */
	{ CELL_CROSSED, "S.", GOOD, 0,
	  { SYN_CHAL, OPEN,     SYN_CHAL, SYN_CHAL, SYN_CHAL, SYN_CHAL },
	  "SM2 SM6" },
	{ CELL_CROSSED, "S.", GOOD, 3, ALL(SYN_CHAL), "SM6" },
	{ CELL_CROSSED, "SF.", GOOD, BOTH, ALL(SYN_CHAL), "SM6" },
	/* Linux: no ACK, wherever it stands. */
	{ CELL_CROSSED, "-", NONE, 0,
	  { ACK,      ACK,      DROP,     DROP,     DROP,     ACK },
	  "SQ4" },
	{ CELL_CROSSED, "-", NONE, 3,
	  { DROP,     DROP,     DROP,     DROP,     DROP,     ACK },
	  "SQ4" },
	{ CELL_CROSSED, "F", NONE, 0,
	  { ACK,      ACK,      DROP,     DROP,     DROP,     ACK },
	  "SQ4 FL5" },
	{ CELL_CROSSED, "F", NONE, 3,
	  { DROP,     DROP,     DROP,     DROP,     DROP,     ACK },
	  "SQ4 FL5" },
	/* SEG.SEQ comes before SEG.ACK. */
	{ CELL_CROSSED, ".", BAD, 0,
	  { ACK,      ACK,      RST,      RST,      RST,      ACK },
	  "SM11" },
	{ CELL_CROSSED, ".", BAD, 3,
	  { RST,      RST,      RST,      RST,      RST,      ACK },
	  "SM11 SQ5" },
	{ CELL_CROSSED, "F.", BAD, 0,
	  { ACK,      ACK,      RST,      RST,      RST,      ACK },
	  "SM11 FL5" },
	{ CELL_CROSSED, "F.", BAD, 3,
	  { RST,      RST,      RST,      RST,      RST,      ACK },
	  "SM11 SQ5 FL5" },
	{ CELL_CROSSED, ".", GOOD, 0,
	  { ACK,      ACK,      OPEN,     OPEN,     OPEN,     ACK },
	  "SM3" },
	{ CELL_CROSSED, ".", GOOD, 3,
	  { OPEN_1,   OPEN_2,   OPEN_3,   OPEN_Q,   OPEN_Q,   ACK },
	  "SM3 SQ4 SQ5" },
	{ CELL_CROSSED, "F.", GOOD, 0,
	  { ACK,      ACK,      OPEN_F,   OPEN_Q,   OPEN_Q,   ACK },
	  "SM3 SQ4" },
	{ CELL_CROSSED, "F.", GOOD, 3,
	  { OPEN_1F,  OPEN_2F,  OPEN_3F,  OPEN_Q,   OPEN_Q,   ACK },
	  "SM3 SQ4 SQ5" },

	/*
	 * 3.10.7.4 ESTABLISHED, as the engine keeps it: nobody reads, so
	 * nothing that the peer sends is accepted.
	 *
	 *  irs-1     irs       irs+1     irs+2     irs+wnd   irs+1+wnd
	 */
	{ CELL_HELD, RSTS, NONE, BOTH,
	  { IGNORE,   IGNORE,   END,      RST_CHAL, RST_CHAL, IGNORE },
	  "FL2" },
	{ CELL_HELD, RST_ACKS, ANY, BOTH,
	  { IGNORE,   IGNORE,   END,      RST_CHAL, RST_CHAL, IGNORE },
	  "FL2" },
	{ CELL_HELD, "S SF", NONE, BOTH, ALL(SYN_CHAL), "RS4" },
	{ CELL_HELD, "S. SF.", ANY, BOTH, ALL(SYN_CHAL), "SS15 RS4" },
	{ CELL_HELD, "F -", NONE, 0,
	  { ACK,      ACK,      KEEP,     KEEP,     KEEP,     ACK },
	  "SQ4" },
	{ CELL_HELD, "F -", NONE, 3,
	  { KEEP,     KEEP,     KEEP,     KEEP,     KEEP,     ACK },
	  "SQ4" },
	{ CELL_HELD, ".", OLD, 0,
	  { ACK,      ACK,      KEEP,     KEEP,     KEEP,     ACK },
	  "SQ4" },
	{ CELL_HELD, ".", GOOD, 0,
	  { ACK,      ACK,      KEEP,     KEEP,     KEEP,     ACK },
	  "SQ4 RS1" },
	/* What was never sent is acknowledged: an ACK says what was. */
	{ CELL_HELD, ".", AHEAD, 0,
	  { ACK,      ACK,      KEEP_ACK, KEEP_ACK, KEEP_ACK, ACK },
	  "SQ4" },
	{ CELL_HELD, "F.", ANY, 0,
	  { ACK,      ACK,      KEEP_ACK, KEEP_ACK, KEEP_ACK, ACK },
	  "SQ4" },
	{ CELL_HELD, ". F.", ANY, 3,
	  { KEEP_ACK, KEEP_ACK, KEEP_ACK, KEEP_ACK, KEEP_ACK, ACK },
	  "SQ4" },
};

#define ROWS	(sizeof(rows) / sizeof(*rows))

static const unsigned int ack_values[] = { 0U - 1, 0, 1, 2, 0x80000000U };

/* Which of them a row is about, as bits. */
static const unsigned int ack_sets[] = {
	[OLD] = 0x03, [GOOD] = 0x04, [AHEAD] = 0x18, [BAD] = 0x1b, [ANY] = 0x1f,
};

static struct cell cells[CELLS_MAX];
static unsigned int cell_count;

static void bad_table(const struct cell *cell, const char *what)
{
	char name[CELL_NAME_LEN];

	fprintf(stderr, "# %s: %s: %s\n", __FILE__, cell_name(cell, name),
		what);
	abort();
}

static bool same_segment(const struct cell *a, const struct cell *b)
{
	return a->state == b->state && !strcmp(a->flags, b->flags) &&
	       a->seq == b->seq && a->ack == b->ack && a->data == b->data;
}

static void add_cell(const struct cell *cell)
{
	unsigned int i;

	if (!!strchr(cell->flags, '.') != cell->has_ack)
		bad_table(cell, "SEG.ACK belongs to ACK");
	for (i = 0; i < cell_count; i++) {
		if (same_segment(&cells[i], cell))
			bad_table(cell, "is there twice");
	}
	if (cell_count == CELLS_MAX)
		bad_table(cell, "too many");
	cells[cell_count++] = *cell;
}

/* One set of flags of a row, in all its places. */
static void add_word(const struct row *row, const char *flags)
{
	struct cell cell = {
		.state = row->state,
		.flags = flags,
		.has_ack = row->ack != NONE,
		.rules = row->rules,
	};
	unsigned int ack, pass;

	for (ack = 0; ack < sizeof(ack_values) / sizeof(*ack_values); ack++) {
		if (cell.has_ack ? !(ack_sets[row->ack] & 1U << ack) : ack)
			continue;
		cell.ack = cell.has_ack ? ack_values[ack] : 0;
		for (pass = 0; pass < (row->data == BOTH ? 2 : 1); pass++) {
			cell.data = row->data != BOTH ? row->data :
				    pass ? CELL_DATA : 0;
			for (cell.seq = 0; cell.seq < CELL_SEQS; cell.seq++) {
				cell.verdict = row->verdict[cell.seq];
				if (cell.verdict != NOT_A_CELL)
					add_cell(&cell);
			}
		}
	}
}

/* Every set of flags must be there in every state. */
static void check_flags(void)
{
	unsigned int state, i, seen;

	for (state = 0; state < CELL_STATES; state++) {
		for (seen = i = 0; i < cell_count; i++) {
			if (cells[i].state == state &&
			    cells[i].seq == CELL_NEXT &&
			    cells[i].data <= CELL_DATA &&
			    cells[i].data % CELL_DATA == 0 &&
			    (!cells[i].has_ack || cells[i].ack == 1))
				seen++;
		}
		if (seen == 2 * 16)
			continue;
		fprintf(stderr, "# %s: not all sets of flags, or some twice\n",
			cell_state_name(state));
		abort();
	}
}

const struct cell *cells_all(unsigned int *count)
{
	static char words[ROWS][32];
	unsigned int i;
	char *word;

	*count = cell_count;
	if (cell_count)
		return cells;
	for (i = 0; i < ROWS; i++) {
		strncpy(words[i], rows[i].flags, sizeof(words[i]) - 1);
		for (word = strtok(words[i], " "); word;
		     word = strtok(NULL, " "))
			add_word(&rows[i], word);
	}
	check_flags();
	*count = cell_count;
	return cells;
}

const char *cell_state_name(enum cell_state state)
{
	static const char * const names[CELL_STATES] = {
		[CELL_CLOSED] = "CLOSED",
		[CELL_LISTEN] = "LISTEN",
		[CELL_SYN_SENT] = "SYN-SENT",
		[CELL_PASSIVE] = "SYN-RECEIVED",
		[CELL_CROSSED] = "SYN-RECEIVED (simultaneous)",
		[CELL_HELD] = "ESTABLISHED",
	};

	return names[state];
}

const char *cell_type(const struct cell *cell)
{
	static const char * const names[] = {
		"null", "FIN", "SYN", "SYN-FIN",
		"ACK", "FIN-ACK", "SYN-ACK", "SYN-FIN-ACK",
	};
	const char *flags = cell->flags;

	if (strchr(flags, 'R'))
		return cell->has_ack ? "RST-ACK" : "RST";
	return names[!!strchr(flags, 'F') + 2 * !!strchr(flags, 'S') +
		     4 * cell->has_ack];
}

const char *verdict_name(enum verdict verdict)
{
	static const char * const names[VERDICTS] = {
		[DROP] = "DROP", [IGNORE] = "IGNORE", [SYN_ACK] = "SYN_ACK",
		[CROSS] = "CROSS", [ACK] = "ACK", [RST_CHAL] = "RST_CHAL",
		[SYN_CHAL] = "SYN_CHAL", [KEEP] = "KEEP",
		[KEEP_ACK] = "KEEP_ACK", [RST] = "RST", [RST_SYN] = "RST_SYN",
		[RA] = "RA", [RST_END] = "RST_END", [RA_END] = "RA_END",
		[END] = "END", [REFUSE] = "REFUSE", [OPEN] = "OPEN",
		[OPEN_Q] = "OPEN_Q", [OPEN_1] = "OPEN_1", [OPEN_2] = "OPEN_2",
		[OPEN_3] = "OPEN_3", [OPEN_F] = "OPEN_F",
		[OPEN_1F] = "OPEN_1F", [OPEN_2F] = "OPEN_2F",
		[OPEN_3F] = "OPEN_3F",
	};

	return names[verdict];
}

char *cell_name(const struct cell *cell, char name[CELL_NAME_LEN])
{
	static const char * const seqs[CELL_SEQS] = {
		"irs-1", "irs", "irs+1", "irs+2", "irs+wnd", "irs+1+wnd",
	};
	int len = snprintf(name, CELL_NAME_LEN, "%s, %s %s(%u)",
			   cell_state_name(cell->state), cell->flags,
			   seqs[cell->seq], cell->data);

	if (cell->ack == 0x80000000U)
		snprintf(name + len, CELL_NAME_LEN - len, " ack iss+2^31");
	else if (cell->has_ack)
		snprintf(name + len, CELL_NAME_LEN - len, " ack iss%+d",
			 (int)cell->ack);
	return name;
}
