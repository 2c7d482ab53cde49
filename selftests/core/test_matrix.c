// SPDX-License-Identifier: GPL-2.0
/*
 * The cells of ../matrix/cells.c, which wire/wire_matrix.c plays against the
 * kernel, here against the rules alone and at the corners of the sequence
 * space. CLOSED is not the core's. Then every set of flags in every place,
 * against the oracle.
 */
#include <stdio.h>

#include "../matrix/cells.h"
#include "core_test.h"

#define DATA	4

/* How the core says what a cell says. */
static const enum outcome outcome_of[CELL_STATES][VERDICTS] = {
	[CELL_SYN_SENT] = {
		[DROP] = NO_SYN, [IGNORE] = SENT_RST_IGNORED, [CROSS] = CROSSED,
		[RST_SYN] = BAD_ACK_SOON, [REFUSE] = REFUSED, [OPEN] = HANDOFF,
	},
	[CELL_PASSIVE] = {
		[DROP] = NO_ACK, [IGNORE] = RST_IGNORED, [SYN_ACK] = SYNACK,
		[ACK] = OUTSIDE, [RST_CHAL] = RST_CHALLENGED, [RST] = BAD_ACK,
		[RST_END] = SYN_RESET, [RA_END] = SYN_RESET, [END] = RST_EXACT,
	},
	[CELL_CROSSED] = {
		[DROP] = NO_ACK, [IGNORE] = RST_IGNORED, [ACK] = OUTSIDE,
		[RST_CHAL] = RST_CHALLENGED, [SYN_CHAL] = CHALLENGED,
		[RST] = BAD_ACK, [REFUSE] = REFUSED_EXACT,
	},
	[CELL_HELD] = {
		[IGNORE] = RST_IGNORED, [ACK] = OUTSIDE,
		[RST_CHAL] = RST_CHALLENGED, [SYN_CHAL] = CHALLENGED,
		[KEEP] = HELD, [KEEP_ACK] = HELD_ANSWERED, [END] = RST_EXACT,
	},
};

/* The corners of ISS and IRS. */
static const u32 starts[] = {
	0, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
};

static const u32 from_irs[CELL_SEQS] = {
	[CELL_BEFORE] = 0U - 1, [CELL_IRS] = 0, [CELL_NEXT] = 1,
	[CELL_INSIDE] = 2, [CELL_LAST] = WINDOW, [CELL_EDGE] = 1 + WINDOW,
};

static u8 bits_of(const char *flags)
{
	static const char letters[] = "FSRP.U";
	u8 bits = 0;

	for (; *flags && *flags != '-'; flags++)
		bits |= (u8)(1U << (strchr(letters, *flags) - letters));
	return bits;
}

static struct hs_tcb flow_in(enum cell_state state, u32 iss, u32 irs)
{
	if (state == CELL_SYN_SENT)
		return fixture_syn_sent(iss);
	if (state == CELL_CROSSED)
		return fixture_crossed(iss, irs);
	if (state == CELL_HELD)
		return fixture_held(iss, irs);
	return fixture_tcb(iss, irs);
}

/* LISTEN: the core says whose the segment is, the rest is native. */
static void expect_listen(const struct cell *cell, const char *name,
			  const struct hs_segment *seg)
{
	enum threeway_counter counter = HS_NONE;
	enum hs_verdict verdict = cell->verdict == SYN_ACK ? HS_DROP :
							     HS_NATIVE;
	struct hs_actions actions;

	memset(&actions, 0xa5, sizeof(actions));
	hs_listen_arrives(seg, 20000, &actions);
	if (actions.verdict != verdict)
		FAIL("%s: verdict %d", name, actions.verdict);
	if (cell->verdict == DROP)
		counter = seg->flags & HS_SYN ? THREEWAY_C_segment_syn_fin :
						THREEWAY_C_segment_no_ack;
	if (actions.counter != counter)
		FAIL("%s: counter %d", name, actions.counter);
	if (actions.reply.flags)
		FAIL("%s: is answered", name);
}

static void expect_cell(const struct cell *cell, u8 more, u32 iss, u32 irs)
{
	struct hs_segment seg = segment(bits_of(cell->flags) | more,
					irs + from_irs[cell->seq],
					cell->has_ack ? iss + cell->ack : 0,
					cell->data);
	struct hs_tcb tcb = flow_in(cell->state, iss, irs);
	struct hs_policy policy = fixture_policy();
	char name[CELL_NAME_LEN], text[CELL_NAME_LEN + 80];

	snprintf(text, sizeof(text), "%s, flags %#x, iss %#x irs %#x: %s",
		 cell_name(cell, name), seg.flags, iss, irs,
		 verdict_name(cell->verdict));
	if (cell->state == CELL_LISTEN)
		expect_listen(cell, text, &seg);
	else
		arrive_expect(text, &tcb, &seg, &policy, 250,
			      cell->verdict >= OPEN ? HANDOFF :
			      outcome_of[cell->state][cell->verdict]);
}

static const struct group {
	enum cell_state state;
	const char *type;
} groups[] = {
	{ CELL_LISTEN, NULL },
	{ CELL_SYN_SENT, "SYN" },
	{ CELL_SYN_SENT, "SYN-ACK" },
	{ CELL_SYN_SENT, "SYN-FIN" },
	{ CELL_SYN_SENT, "SYN-FIN-ACK" },
	{ CELL_SYN_SENT, "ACK" },
	{ CELL_SYN_SENT, "FIN" },
	{ CELL_SYN_SENT, "FIN-ACK" },
	{ CELL_SYN_SENT, "null" },
	{ CELL_SYN_SENT, "RST" },
	{ CELL_SYN_SENT, "RST-ACK" },
	{ CELL_PASSIVE, "SYN" },
	{ CELL_PASSIVE, "SYN-ACK" },
	{ CELL_PASSIVE, "SYN-FIN" },
	{ CELL_PASSIVE, "SYN-FIN-ACK" },
	{ CELL_PASSIVE, "ACK" },
	{ CELL_PASSIVE, "FIN" },
	{ CELL_PASSIVE, "FIN-ACK" },
	{ CELL_PASSIVE, "null" },
	{ CELL_PASSIVE, "RST" },
	{ CELL_PASSIVE, "RST-ACK" },
	{ CELL_CROSSED, "SYN" },
	{ CELL_CROSSED, "SYN-ACK" },
	{ CELL_CROSSED, "SYN-FIN" },
	{ CELL_CROSSED, "SYN-FIN-ACK" },
	{ CELL_CROSSED, "ACK" },
	{ CELL_CROSSED, "FIN" },
	{ CELL_CROSSED, "FIN-ACK" },
	{ CELL_CROSSED, "null" },
	{ CELL_CROSSED, "RST" },
	{ CELL_CROSSED, "RST-ACK" },
	{ CELL_HELD, NULL },
	{ CELL_CLOSED, NULL },
};

static bool belongs(const struct cell *cell, const struct group *group)
{
	return cell->state == group->state &&
	       (!group->type || !strcmp(group->type, cell_type(cell)));
}

static void run_group(void **state)
{
	const struct group *group = *state;
	const struct cell *cells;
	size_t iss, irs, played = 0;
	unsigned int i, count;

	cells = cells_all(&count);
	for (i = 0; i < count; i++) {
		if (!belongs(&cells[i], group))
			continue;
		for (iss = 0; iss < ARRAY_SIZE(starts); iss++)
			for (irs = 0; irs < ARRAY_SIZE(starts); irs++, played++)
				expect_cell(&cells[i], 0, starts[iss],
					    starts[irs]);
	}
	assert_true(played > 0);
}

/* No cell is left out above. */
static void every_cell_in_a_group(void **state)
{
	const struct cell *cells;
	char name[CELL_NAME_LEN];
	unsigned int i, j, count;

	(void)state;
	cells = cells_all(&count);
	for (i = 0; i < count; i++) {
		for (j = 0; j < ARRAY_SIZE(groups); j++)
			if (belongs(&cells[i], &groups[j]))
				break;
		if (j == ARRAY_SIZE(groups))
			FAIL("%s: in no group", cell_name(&cells[i], name));
	}
}

/* PSH, URG, ECE and CWR change no verdict. */
static void every_flag_of_a_cell(void **state)
{
	const struct cell *cells;
	unsigned int i, count;
	u32 more;

	(void)state;
	cells = cells_all(&count);
	for (i = 0; i < count; i++) {
		if (cells[i].state == CELL_CLOSED)
			continue;
		for (more = 0; more < 256; more++)
			if (!(more & (HS_FIN | HS_SYN | HS_RST | HS_ACK)))
				expect_cell(&cells[i], (u8)more, ISS, IRS);
	}
}

/* SEG.ACK from ISS; 1 is the right one. */
static const u32 acks[] = { 0U - 1, 0, 1, 2, 0x80000000 };

static struct hs_tcb sent_flow(u32 iss, u32 irs)
{
	(void)irs;
	return fixture_syn_sent(iss);
}

/* All 256 sets of flags with and without data, against the oracle. */
static void every_flag(void **state)
{
	struct hs_tcb (*flow)(u32 iss, u32 irs) = *state;
	struct hs_policy policy = fixture_policy();
	size_t column, ack;
	u32 flags, data;

	for (flags = 0; flags < 256; flags++)
		for (column = 0; column < CELL_SEQS; column++)
			for (ack = 0; ack < ARRAY_SIZE(acks); ack++)
				for (data = 0; data <= DATA; data += DATA) {
					struct hs_tcb tcb = flow(ISS, IRS);
					struct hs_segment seg;
					char cell[64];

					seg = segment((u8)flags, IRS +
						      from_irs[column],
						      ISS + acks[ack], data);
					snprintf(cell, sizeof(cell),
						 "flags %#04x at irs%+d ack %#x",
						 flags, (int)from_irs[column],
						 acks[ack]);
					arrive_expect(cell, &tcb, &seg, &policy,
						      250, oracle(&tcb, &seg,
								  &policy,
								  250));
				}
}

#define CELLS(title, index)						\
	{ title, run_group, NULL, NULL, (void *)(uintptr_t)&groups[index] }
#define EVERY_FLAG(title, flow)						\
	{ title, every_flag, NULL, NULL, (void *)(uintptr_t)(flow) }

static const struct cm_unit_test tests[] = {
	CELLS("LI1 LI2 LI3 LI4 LI5 LI6 matrix, LISTEN", 0),
	CELLS("SS8 SM1 SM10 SQ1 matrix, SYN-SENT: SYN", 1),
	CELLS("SS1 SS2 SS10 SQ1 SQ2 matrix, SYN-SENT: SYN-ACK", 2),
	CELLS("SS9 SM10 matrix, SYN-SENT: SYN-FIN", 3),
	CELLS("SS2 SS9 matrix, SYN-SENT: SYN-FIN-ACK", 4),
	CELLS("SS2 SS7 matrix, SYN-SENT: ACK", 5),
	CELLS("SS9 matrix, SYN-SENT: FIN", 6),
	CELLS("SS2 SS7 matrix, SYN-SENT: FIN-ACK", 7),
	CELLS("SS9 matrix, SYN-SENT: no flags", 8),
	CELLS("SS6 FL2 matrix, SYN-SENT: RST", 9),
	CELLS("SS4 SS5 FL2 matrix, SYN-SENT: RST-ACK", 10),
	CELLS("SR3 SR4 SR5 SQ1 SQ3 matrix, SYN-RECEIVED: SYN", 11),
	CELLS("SR2 SR10 matrix, SYN-RECEIVED: SYN-ACK", 12),
	CELLS("SR3 SR4 SR5 SQ3 matrix, SYN-RECEIVED: SYN-FIN", 13),
	CELLS("SR2 SR10 matrix, SYN-RECEIVED: SYN-FIN-ACK", 14),
	CELLS("SR1 SR2 SR13 SR15 SR16 SR17 SR18 SQ2 SQ5 matrix, SYN-RECEIVED: ACK",
	      15),
	CELLS("SR11 FL5 matrix, SYN-RECEIVED: FIN", 16),
	CELLS("SR2 SR14 SQ5 FL5 matrix, SYN-RECEIVED: FIN-ACK", 17),
	CELLS("SR11 matrix, SYN-RECEIVED: no flags", 18),
	CELLS("SR6 SR7 SR8 FL2 matrix, SYN-RECEIVED: RST", 19),
	CELLS("SR9 FL2 matrix, SYN-RECEIVED: RST-ACK", 20),
	CELLS("SM6 SQ1 matrix, simultaneous: SYN", 21),
	CELLS("SM2 SM6 matrix, simultaneous: SYN-ACK", 22),
	CELLS("SM6 matrix, simultaneous: SYN-FIN", 23),
	CELLS("SM6 matrix, simultaneous: SYN-FIN-ACK", 24),
	CELLS("SM3 SM11 SQ2 SQ5 matrix, simultaneous: ACK", 25),
	CELLS("FL5 matrix, simultaneous: FIN", 26),
	CELLS("SM3 SM11 FL5 matrix, simultaneous: FIN-ACK", 27),
	CELLS("SQ4 matrix, simultaneous: no flags", 28),
	CELLS("SM4 SM5 FL2 matrix, simultaneous: RST", 29),
	CELLS("SM4 SM5 FL2 matrix, simultaneous: RST-ACK", 30),
	CELLS("SS15 RS4 FL2 matrix, held", 31),
	TEST("matrix: every cell has a test", every_cell_in_a_group),
	TEST("FL1 FL2 FL3 matrix: other flags change no verdict",
	     every_flag_of_a_cell),
	EVERY_FLAG("FL1 SR28 SYN-RECEIVED, every set of flags against the oracle",
		   fixture_tcb),
	EVERY_FLAG("FL1 SYN-SENT, every set of flags against the oracle",
		   sent_flow),
	EVERY_FLAG("FL1 simultaneous, every set of flags against the oracle",
		   fixture_crossed),
	EVERY_FLAG("FL1 held, every set of flags against the oracle",
		   fixture_held),
};

SUITE(matrix_suite);
