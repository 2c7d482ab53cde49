// SPDX-License-Identifier: GPL-2.0
/*
 * SYN-RECEIVED from LISTEN: segment types by sequence number, ACK number and
 * data, at the corners of the sequence space.
 */
#include <stdio.h>

#include "core_test.h"

#define S	HS_SYN
#define A	HS_ACK
#define F	HS_FIN
#define R	HS_RST
#define DATA	4

/* Where SEG.SEQ stands, in the order of the table's columns. */
static const struct {
	const char *name;
	u32 offset;	/* from IRS */
} columns[] = {
	{ "irs-1", 0U - 1 },
	{ "irs", 0 },
	{ "irs+1", 1 },
	{ "irs+2", 2 },
	{ "irs+wnd", WINDOW },
	{ "irs+1+wnd", 1 + WINDOW },
};

/*
 * What becomes of the segment when its ACK, if it has one, is ISS + 1. Data of
 * 4 octets at irs-1 or irs reach into the window.
 */
static const struct row {
	const char *type;
	u8 flags;
	u32 data;
	enum outcome want[ARRAY_SIZE(columns)];
} rows[] = {
	/*			irs-1    irs      irs+1    irs+2    irs+wnd  irs+1+wnd */
	{ "SYN", S, 0,
	  { OUTSIDE, SYNACK, SYN_RESET, SYN_RESET, SYN_RESET, OUTSIDE } },
	{ "SYN, data", S, DATA,
	  { OUTSIDE, SYNACK, SYN_RESET, SYN_RESET, SYN_RESET, OUTSIDE } },
	{ "SYN-FIN", S | F, 0,
	  { OUTSIDE, SYNACK, SYN_RESET, SYN_RESET, SYN_RESET, OUTSIDE } },
	{ "SYN-FIN, data", S | F, DATA,
	  { OUTSIDE, SYNACK, SYN_RESET, SYN_RESET, SYN_RESET, OUTSIDE } },
	{ "SYN-ACK", S | A, 0,
	  { OUTSIDE, OUTSIDE, SYN_RESET, SYN_RESET, SYN_RESET, OUTSIDE } },
	{ "SYN-ACK, data", S | A, DATA,
	  { OUTSIDE, OUTSIDE, SYN_RESET, SYN_RESET, SYN_RESET, OUTSIDE } },
	{ "ACK", A, 0,
	  { OUTSIDE, OUTSIDE, HANDOFF, HANDOFF, HANDOFF, OUTSIDE } },
	{ "ACK, data", A, DATA,
	  { HANDOFF, HANDOFF, HANDOFF, HANDOFF, HANDOFF, OUTSIDE } },
	{ "FIN", F, 0,
	  { OUTSIDE, OUTSIDE, NO_ACK, NO_ACK, NO_ACK, OUTSIDE } },
	{ "FIN, data", F, DATA,
	  { NO_ACK, NO_ACK, NO_ACK, NO_ACK, NO_ACK, OUTSIDE } },
	{ "FIN-ACK", F | A, 0,
	  { OUTSIDE, OUTSIDE, HANDOFF, HANDOFF, HANDOFF, OUTSIDE } },
	{ "FIN-ACK, data", F | A, DATA,
	  { HANDOFF, HANDOFF, HANDOFF, HANDOFF, HANDOFF, OUTSIDE } },
	{ "null", 0, 0,
	  { OUTSIDE, OUTSIDE, NO_ACK, NO_ACK, NO_ACK, OUTSIDE } },
	{ "null, data", 0, DATA,
	  { NO_ACK, NO_ACK, NO_ACK, NO_ACK, NO_ACK, OUTSIDE } },
	{ "RST", R, 0,
	  { RST_IGNORED, RST_IGNORED, RST_EXACT, RST_CHALLENGED,
	    RST_CHALLENGED, RST_IGNORED } },
	{ "RST, data", R, DATA,
	  { RST_IGNORED, RST_IGNORED, RST_EXACT, RST_CHALLENGED,
	    RST_CHALLENGED, RST_IGNORED } },
	{ "RST-ACK", R | A, 0,
	  { RST_IGNORED, RST_IGNORED, RST_EXACT, RST_CHALLENGED,
	    RST_CHALLENGED, RST_IGNORED } },
	{ "RST-ACK, data", R | A, DATA,
	  { RST_IGNORED, RST_IGNORED, RST_EXACT, RST_CHALLENGED,
	    RST_CHALLENGED, RST_IGNORED } },
	{ "RST-SYN", R | S, 0,
	  { RST_IGNORED, RST_IGNORED, RST_EXACT, RST_CHALLENGED,
	    RST_CHALLENGED, RST_IGNORED } },
};

/* SEG.ACK from ISS; 1 is the right one. */
static const u32 acks[] = { 0U - 1, 0, 1, 2, 0x80000000 };

/* The corners of ISS and IRS. */
static const u32 starts[] = {
	0, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
};

static void expect_cell(const struct row *row, size_t column, u32 iss, u32 irs,
			u32 ack_offset)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_tcb(iss, irs);
	enum outcome want = row->want[column];
	struct hs_segment seg;
	char cell[128];

	seg = segment(row->flags, irs + columns[column].offset,
		      iss + ack_offset, row->data);
	if ((row->flags & A) && !(row->flags & R) && ack_offset != 1)
		want = BAD_ACK;
	snprintf(cell, sizeof(cell),
		 "%s at %s, ack iss%+d, iss %#x irs %#x (want %s)", row->type,
		 columns[column].name, (int)ack_offset, iss, irs,
		 outcome_name(want));
	arrive_expect(cell, &tcb, &seg, &policy, 250, want);
}

static void run_row(void **state)
{
	const struct row *row = *state;
	size_t column, ack, iss, irs;

	for (column = 0; column < ARRAY_SIZE(columns); column++)
		for (ack = 0; ack < ARRAY_SIZE(acks); ack++)
			for (iss = 0; iss < ARRAY_SIZE(starts); iss++)
				for (irs = 0; irs < ARRAY_SIZE(starts); irs++)
					expect_cell(row, column, starts[iss],
						    starts[irs], acks[ack]);
}

/* All 256 sets of flags with and without data, against the oracle. */
static void every_flag(void **state)
{
	static const u32 lens[] = { 0, 3 };
	size_t column, ack, len;
	u32 flags;

	(void)state;
	for (flags = 0; flags < 256; flags++)
		for (column = 0; column < ARRAY_SIZE(columns); column++)
			for (ack = 0; ack < ARRAY_SIZE(acks); ack++)
				for (len = 0; len < ARRAY_SIZE(lens); len++) {
					struct hs_policy policy;
					struct hs_segment seg;
					struct hs_tcb tcb;
					char cell[64];

					policy = fixture_policy();
					tcb = fixture_tcb(ISS, IRS);
					seg = segment((u8)flags, IRS +
						      columns[column].offset,
						      ISS + acks[ack],
						      lens[len]);
					snprintf(cell, sizeof(cell),
						 "flags %#04x at %s ack %#x",
						 flags, columns[column].name,
						 acks[ack]);
					arrive_expect(cell, &tcb, &seg, &policy,
						      250, oracle(&tcb, &seg,
								  &policy,
								  250));
				}
}

/* The frozen answer for each of the 64 at RCV.NXT with the right ACK. */
static void every_flag_frozen(void **state)
{
	u32 flags;

	(void)state;
	for (flags = 0; flags < 64; flags++) {
		enum outcome want = HANDOFF;
		u32 data;

		if (!(flags & A))
			want = NO_ACK;
		if (flags & S)
			want = SYN_RESET;
		if (flags & R)
			want = RST_EXACT;
		for (data = 0; data <= 3; data += 3)
			expect_at("frozen flags",
				  segment((u8)flags, IRS + 1, ISS + 1, data),
				  250, want);
	}
}

#define ROW(title, index)						\
	{ title, run_row, NULL, NULL, (void *)(uintptr_t)&rows[index] }

static const struct cm_unit_test tests[] = {
	ROW("SR3 SR4 SR5 SQ1 matrix: SYN", 0),
	ROW("SR3 SR4 SR5 SQ3 matrix: SYN with data", 1),
	ROW("SR3 SR4 SR5 SQ3 matrix: SYN-FIN", 2),
	ROW("SR3 SR4 SR5 SQ3 matrix: SYN-FIN with data", 3),
	ROW("SR2 SR10 matrix: SYN-ACK", 4),
	ROW("SR2 SR10 matrix: SYN-ACK with data", 5),
	ROW("SR1 SR2 SR17 SR18 SQ2 matrix: ACK", 6),
	ROW("SR2 SR13 SR15 SR16 SQ5 matrix: ACK with data", 7),
	ROW("SR11 FL5 matrix: FIN", 8),
	ROW("SR11 FL5 matrix: FIN with data", 9),
	ROW("SR2 SR14 matrix: FIN-ACK", 10),
	ROW("SR2 SR14 SQ5 matrix: FIN-ACK with data", 11),
	ROW("SR11 matrix: no flags", 12),
	ROW("SR11 matrix: no flags with data", 13),
	ROW("SR6 SR7 SR8 matrix: RST", 14),
	ROW("SR6 SR7 SR8 matrix: RST with data", 15),
	ROW("SR9 matrix: RST-ACK", 16),
	ROW("SR9 matrix: RST-ACK with data", 17),
	ROW("SR9 FL2 matrix: RST-SYN", 18),
	TEST("FL1 SR28 SYN-RECEIVED, every set of flags against the oracle",
	     every_flag),
	TEST("FL1 FL2 SYN-RECEIVED at RCV.NXT, every set of flags",
	     every_flag_frozen),
};

SUITE(matrix_suite);
