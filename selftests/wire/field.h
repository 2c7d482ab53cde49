/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cells of ../matrix/cells.h, played against the kernel: each with a flow of
 * its own, many at a time, so that the silence that has to be waited for is
 * waited for once.
 */
#ifndef WIRE_FIELD_H
#define WIRE_FIELD_H

#include "../matrix/cells.h"
#include "peer.h"

#define SEEN_MAX	4

/**
 * struct tweak - what a cell is sent with that must not change its verdict
 * @flags:	more flags
 * @rest:	more of the segment, in the notation of packet.h
 */
struct tweak {
	const char *flags;
	const char *rest;
};

/**
 * struct run - a cell that is played
 * @cell:	what
 * @tweak:	and how
 * @flow:	its port and initial sequence numbers
 * @wnd:	the window that the kernel promised, in octets
 * @shift:	its shift
 * @fd:		the socket that connects, or that was accepted, or -1
 * @seen:	packets of the kernel that nothing was said about yet
 * @count:	how many
 * @seq:	SEG.SEQ - irs
 */
struct run {
	const struct cell *cell;
	const struct tweak *tweak;
	struct flow flow;
	u32 wnd;
	u8 shift;
	int fd;
	struct packet seen[SEEN_MAX];
	unsigned int count;
	u32 seq;
};

/**
 * struct field - a namespace for the cells of one state
 * @peer:	the remote end
 * @state:	the state
 * @hold:	no sockets: the engine keeps what it opens
 * @random:	each cell comes after others that change nothing, with timestamps
 *		and with ISNs at the corners of the sequence space, drawn by this
 *		state of a random generator; 0 for none of it
 * @policy:	of the claim, or of the open
 * @runs:	what is played now
 * @count:	how many of them
 * @said:	lines about what is wrong, since field_play() began
 */
struct field {
	struct peer peer;
	enum cell_state state;
	bool hold;
	u64 random;
	struct threeway_policy policy;
	struct run *runs;
	unsigned int count;
	unsigned int said;
};

/* Returns NULL, or what the machine lacks. @seed: 0, or any. */
const char *field_open(struct field *field, int family, enum cell_state state,
		       bool hold, u64 seed);
void field_close(struct field *field);

/* Plays cells of the field's state; what is wrong is printed. How many are. */
unsigned int field_play(struct field *field, struct run *runs,
			unsigned int count);

/* Between field.c and judge.c, which knows what must come of a cell. */

/* The handshake is begun by the kernel. */
bool field_active(const struct field *field);
/* The run is the one that peer.h's functions are about now. */
void field_resume(struct field *field, const struct run *run);
/* What the kernel's ACKs carry. */
const char *field_options(const struct field *field);
/* Whatever the kernel sends within that time, to the runs it belongs to. */
void field_drain(struct field *field, unsigned int ms);
/* Sends for the run, and sees what comes at once. */
void __printf(3, 4) field_tell(struct field *field, const struct run *run,
			       const char *format, ...);
/* Just this has come since the last look; "" is nothing, "A; B" are two. */
void __printf(3, 4) field_want(struct field *field, struct run *run,
			       const char *format, ...);
/* Names the cell, and says what is wrong. */
void __printf(3, 4) field_wrong(struct field *field, const struct run *run,
				const char *format, ...);

/* The connection is there for the program after the cell. */
bool run_opens(const struct run *run);
/* What has come and what was counted, right after the cell. */
void judge_counters(struct field *field, const struct run *run);
void judge_answer(struct field *field, struct run *run);
/* All that the cells have led to. */
void judge_cells(struct field *field);
/* Goes on with the flow, and in the end looks how that went. */
void judge_prove(struct field *field, struct run *run);
void judge_proofs(struct field *field);

#endif /* WIRE_FIELD_H */
