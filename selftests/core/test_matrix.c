// SPDX-License-Identifier: GPL-2.0
/*
 * The states by segment type, sequence number, ACK number and data, at the
 * corners of the sequence space.
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
 * SYN-RECEIVED from LISTEN.
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

/* SYN-SENT: where SEG.ACK stands, in the order of the table's columns. */
static const u32 sent_acks[] = { 0, 1, 2 };

static const struct sent_row {
	const char *type;
	u8 flags;
	enum outcome want[ARRAY_SIZE(sent_acks)];
} sent_rows[] = {
	/*		    ack iss           iss+1    iss+2 */
	{ "SYN", S,	  { CROSSED,          CROSSED, CROSSED } },
	{ "SYN-ACK", S | A,
			  { BAD_ACK_SOON,     HANDOFF, BAD_ACK_SOON } },
	{ "SYN-FIN", S | F,
			  { CROSSED,          CROSSED, CROSSED } },
	{ "ACK", A,	  { BAD_ACK_SOON,     NO_SYN,  BAD_ACK_SOON } },
	{ "FIN", F,	  { NO_SYN,           NO_SYN,  NO_SYN } },
	{ "FIN-ACK", F | A,
			  { BAD_ACK_SOON,     NO_SYN,  BAD_ACK_SOON } },
	{ "RST", R,	  { SENT_RST_IGNORED, SENT_RST_IGNORED,
			    SENT_RST_IGNORED } },
	{ "RST-ACK", R | A,
			  { SENT_RST_IGNORED, REFUSED, SENT_RST_IGNORED } },
};

static void run_sent_row(void **state)
{
	const struct sent_row *row = *state;
	struct hs_policy policy = fixture_policy();
	u32 ack, data, iss, irs;

	for (ack = 0; ack < ARRAY_SIZE(sent_acks); ack++)
		for (data = 0; data <= DATA; data += DATA)
			for (iss = 0; iss < ARRAY_SIZE(starts); iss++)
				for (irs = 0; irs < ARRAY_SIZE(starts); irs++) {
					u32 snd = starts[iss];
					struct hs_tcb tcb = fixture_syn_sent(snd);
					struct hs_segment seg;

					seg = segment(row->flags, starts[irs],
						      snd + sent_acks[ack],
						      data);
					arrive_expect(row->type, &tcb, &seg,
						      &policy, 250,
						      row->want[ack]);
				}
}

/* Which ACK numbers a row is about. */
enum ack_kind { ANY, GOOD, BAD };

#define CHAL	CHALLENGED
#define DONE	HANDOFF
#define OUT	OUTSIDE
#define IGN	RST_IGNORED
#define RCHAL	RST_CHALLENGED

/* SYN-RECEIVED from SYN-SENT. */
static const struct crossed_row {
	const char *type;
	u8 flags;
	u32 data;
	enum ack_kind acks;
	enum outcome want[ARRAY_SIZE(columns)];
} crossed_rows[] = {
	/*			   irs-1 irs   irs+1 irs+2 irs+wnd irs+1+wnd */
	{ "SYN", S, 0, ANY,	 { CHAL, CHAL, CHAL, CHAL, CHAL, CHAL } },
	{ "SYN", S, DATA, ANY,	 { CHAL, CHAL, CHAL, CHAL, CHAL, CHAL } },
	{ "SYN-FIN", S | F, 0, ANY,
				 { CHAL, CHAL, CHAL, CHAL, CHAL, CHAL } },
	{ "SYN-FIN", S | F, DATA, ANY,
				 { CHAL, CHAL, CHAL, CHAL, CHAL, CHAL } },
	{ "SYN-ACK", S | A, 0, GOOD,
				 { CHAL, DONE, CHAL, CHAL, CHAL, CHAL } },
	{ "SYN-ACK", S | A, DATA, GOOD,
				 { CHAL, CHAL, CHAL, CHAL, CHAL, CHAL } },
	{ "SYN-ACK", S | A, 0, BAD,
				 { CHAL, CHAL, CHAL, CHAL, CHAL, CHAL } },
	{ "SYN-ACK", S | A, DATA, BAD,
				 { CHAL, CHAL, CHAL, CHAL, CHAL, CHAL } },
	{ "ACK", A, 0, GOOD,	 { OUT,  OUT,  DONE, DONE, DONE, OUT } },
	{ "ACK", A, DATA, GOOD,	 { DONE, DONE, DONE, DONE, DONE, OUT } },
	{ "ACK", A, 0, BAD,	 { OUT,  OUT,  BAD_ACK, BAD_ACK, BAD_ACK,
				   OUT } },
	{ "ACK", A, DATA, BAD,	 { BAD_ACK, BAD_ACK, BAD_ACK, BAD_ACK, BAD_ACK,
				   OUT } },
	{ "FIN", F, 0, ANY,	 { OUT,  OUT,  NO_ACK, NO_ACK, NO_ACK, OUT } },
	{ "FIN", F, DATA, ANY,	 { NO_ACK, NO_ACK, NO_ACK, NO_ACK, NO_ACK,
				   OUT } },
	{ "FIN-ACK", F | A, 0, GOOD,
				 { OUT,  OUT,  DONE, DONE, DONE, OUT } },
	{ "FIN-ACK", F | A, DATA, GOOD,
				 { DONE, DONE, DONE, DONE, DONE, OUT } },
	{ "FIN-ACK", F | A, 0, BAD,
				 { OUT,  OUT,  BAD_ACK, BAD_ACK, BAD_ACK,
				   OUT } },
	{ "FIN-ACK", F | A, DATA, BAD,
				 { BAD_ACK, BAD_ACK, BAD_ACK, BAD_ACK, BAD_ACK,
				   OUT } },
	{ "RST", R, 0, ANY,	 { IGN,  IGN,  REFUSED_EXACT, RCHAL, RCHAL,
				   IGN } },
	{ "RST", R, DATA, ANY,	 { IGN,  IGN,  REFUSED_EXACT, RCHAL, RCHAL,
				   IGN } },
	{ "RST-ACK", R | A, 0, ANY,
				 { IGN,  IGN,  REFUSED_EXACT, RCHAL, RCHAL,
				   IGN } },
	{ "RST-ACK", R | A, DATA, ANY,
				 { IGN,  IGN,  REFUSED_EXACT, RCHAL, RCHAL,
				   IGN } },
};

static void expect_crossed(const struct crossed_row *row, size_t column,
			   u32 iss, u32 irs, u32 ack_offset)
{
	struct hs_policy policy = fixture_policy();
	struct hs_tcb tcb = fixture_crossed(iss, irs);
	enum ack_kind kind = ack_offset == 1 ? GOOD : BAD;
	struct hs_segment seg;
	char cell[128];

	if (row->acks != ANY && row->acks != kind)
		return;
	seg = segment(row->flags, irs + columns[column].offset,
		      iss + ack_offset, row->data);
	snprintf(cell, sizeof(cell),
		 "%s+%u at %s, ack iss%+d, iss %#x irs %#x (want %s)",
		 row->type, row->data, columns[column].name, (int)ack_offset,
		 iss, irs, outcome_name(row->want[column]));
	arrive_expect(cell, &tcb, &seg, &policy, 250, row->want[column]);
}

/* All rows of one type. */
static void run_crossed_type(void **state)
{
	const char *type = *state;
	size_t row, column, ack, iss, irs;
	u32 cells = 0;

	for (row = 0; row < ARRAY_SIZE(crossed_rows); row++) {
		if (strcmp(crossed_rows[row].type, type))
			continue;
		for (column = 0; column < ARRAY_SIZE(columns); column++)
			for (ack = 0; ack < ARRAY_SIZE(acks); ack++)
				for (iss = 0; iss < ARRAY_SIZE(starts); iss++)
					for (irs = 0; irs < ARRAY_SIZE(starts);
					     irs++, cells++)
						expect_crossed(&crossed_rows[row],
							       column,
							       starts[iss],
							       starts[irs],
							       acks[ack]);
	}
	assert_true(cells > 0);
}

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
		for (column = 0; column < ARRAY_SIZE(columns); column++)
			for (ack = 0; ack < ARRAY_SIZE(acks); ack++)
				for (data = 0; data <= 3; data += 3) {
					struct hs_tcb tcb = flow(ISS, IRS);
					struct hs_segment seg;
					char cell[64];

					seg = segment((u8)flags, IRS +
						      columns[column].offset,
						      ISS + acks[ack], data);
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

/* The frozen answer for each of the 64 at RCV.NXT. */
static enum outcome frozen_received(u32 flags, bool good)
{
	if (flags & R)
		return RST_EXACT;
	if ((flags & A) && !good)
		return BAD_ACK;
	if (flags & S)
		return SYN_RESET;
	return flags & A ? HANDOFF : NO_ACK;
}

static enum outcome frozen_crossed(u32 flags, bool good)
{
	if (flags & R)
		return REFUSED_EXACT;
	if (flags & S)
		return CHALLENGED;
	if (!(flags & A))
		return NO_ACK;
	return good ? HANDOFF : BAD_ACK;
}

static enum outcome frozen_sent(u32 flags, bool good)
{
	if ((flags & A) && !good)
		return flags & R ? SENT_RST_IGNORED : BAD_ACK_SOON;
	if (flags & R)
		return flags & A ? REFUSED : SENT_RST_IGNORED;
	if (!(flags & S))
		return NO_SYN;
	return flags & A ? HANDOFF : CROSSED;
}

static enum outcome frozen_held(u32 flags, bool good)
{
	if (flags & R)
		return RST_EXACT;
	if (flags & S)
		return CHALLENGED;
	if (!(flags & A))
		return HELD;
	return flags & F || !good ? HELD_ANSWERED : HELD;
}

static const struct {
	struct hs_tcb (*flow)(u32 iss, u32 irs);
	enum outcome (*want)(u32 flags, bool good);
} frozen[] = {
	{ fixture_tcb, frozen_received },
	{ fixture_crossed, frozen_crossed },
	{ sent_flow, frozen_sent },
	{ fixture_held, frozen_held },
};

static void every_flag_frozen(void **state)
{
	struct hs_policy policy = fixture_policy();
	u32 flags, data, good;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(frozen); i++)
		for (flags = 0; flags < 64; flags++)
			for (data = 0; data <= 3; data += 3)
				for (good = 0; good < 2; good++) {
					struct hs_tcb tcb;
					struct hs_segment seg;
					enum outcome want;

					tcb = frozen[i].flow(ISS, IRS);
					want = frozen[i].want(flags, good);
					if (want == HELD && data && (flags & A))
						want = HELD_ANSWERED;
					seg = segment((u8)flags, IRS + 1,
						      good ? ISS + 1 : ISS + 2,
						      data);
					arrive_expect("frozen flags", &tcb,
						      &seg, &policy, 250, want);
				}
}

#define ROW(title, index)						\
	{ title, run_row, NULL, NULL, (void *)(uintptr_t)&rows[index] }

#define SENT_ROW(title, index)						\
	{ title, run_sent_row, NULL, NULL,				\
	  (void *)(uintptr_t)&sent_rows[index] }
#define CROSSED_TYPE(title, type)					\
	{ title, run_crossed_type, NULL, NULL, (void *)(uintptr_t)(type) }
#define EVERY_FLAG(title, flow)						\
	{ title, every_flag, NULL, NULL, (void *)(uintptr_t)(flow) }

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
	SENT_ROW("SS8 SM1 SM10 SQ1 matrix, SYN-SENT: SYN", 0),
	SENT_ROW("SS1 SS2 SS10 SQ1 SQ2 matrix, SYN-SENT: SYN-ACK", 1),
	SENT_ROW("SS9 SM10 matrix, SYN-SENT: SYN-FIN", 2),
	SENT_ROW("SS2 SS7 matrix, SYN-SENT: ACK", 3),
	SENT_ROW("SS9 matrix, SYN-SENT: FIN", 4),
	SENT_ROW("SS2 SS7 matrix, SYN-SENT: FIN-ACK", 5),
	SENT_ROW("SS6 matrix, SYN-SENT: RST", 6),
	SENT_ROW("SS4 SS5 matrix, SYN-SENT: RST-ACK", 7),
	CROSSED_TYPE("SM6 SQ1 matrix, simultaneous: SYN", "SYN"),
	CROSSED_TYPE("SM6 matrix, simultaneous: SYN-FIN", "SYN-FIN"),
	CROSSED_TYPE("SM2 SM6 SM11 matrix, simultaneous: SYN-ACK", "SYN-ACK"),
	CROSSED_TYPE("SM3 SM11 SQ2 SQ5 matrix, simultaneous: ACK", "ACK"),
	CROSSED_TYPE("FL5 matrix, simultaneous: FIN", "FIN"),
	CROSSED_TYPE("SM3 SM11 matrix, simultaneous: FIN-ACK", "FIN-ACK"),
	CROSSED_TYPE("SM4 SM5 matrix, simultaneous: RST", "RST"),
	CROSSED_TYPE("SM4 SM5 matrix, simultaneous: RST-ACK", "RST-ACK"),
	EVERY_FLAG("FL1 SR28 SYN-RECEIVED, every set of flags against the oracle",
		   fixture_tcb),
	EVERY_FLAG("FL1 SYN-SENT, every set of flags against the oracle",
		   sent_flow),
	EVERY_FLAG("FL1 simultaneous, every set of flags against the oracle",
		   fixture_crossed),
	EVERY_FLAG("FL1 held, every set of flags against the oracle",
		   fixture_held),
	TEST("FL1 FL2 FL3 each state at RCV.NXT, every set of flags",
	     every_flag_frozen),
};

SUITE(matrix_suite);
