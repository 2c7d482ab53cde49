/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What must come of a segment, cell by cell: the tables of RFC 9293 section
 * 3.10.7 for the states of a handshake. They stand in cells.c;
 * wire/wire_matrix.c plays every cell against the kernel, core/test_matrix.c
 * against the rules alone.
 */
#ifndef MATRIX_CELLS_H
#define MATRIX_CELLS_H

#include <stdbool.h>
#include <stddef.h>

enum cell_state {
	CELL_CLOSED,	/* the port is claimed, and nobody listens */
	CELL_LISTEN,
	CELL_SYN_SENT,
	CELL_PASSIVE,	/* SYN-RECEIVED from LISTEN */
	CELL_CROSSED,	/* SYN-RECEIVED from SYN-SENT: simultaneous open */
	CELL_HELD,	/* ESTABLISHED in the engine, without a socket */
	CELL_STATES
};

/* Where SEG.SEQ stands: the columns. */
enum cell_seq {
	CELL_BEFORE,	/* irs-1 */
	CELL_IRS,	/* irs */
	CELL_NEXT,	/* irs+1, which is RCV.NXT */
	CELL_INSIDE,	/* irs+2 */
	CELL_LAST,	/* irs+wnd, the last of the window */
	CELL_EDGE,	/* irs+1+wnd, the first beyond it */
	CELL_SEQS
};

/* Octets of data, of segments that have some. */
#define CELL_DATA	3

/* "-" is no packet, and but for those that end it the flow stays. */
enum verdict {
	NOT_A_CELL,
	DROP,		/* - */
	IGNORE,		/* -; a RST that changes nothing */
	SYN_ACK,	/* a SYN-ACK; from LISTEN to SYN-RECEIVED */
	CROSS,		/* the same, from SYN-SENT */
	ACK,		/* an ACK: SEG.SEQ is not acceptable */
	RST_CHAL,	/* an ACK that challenges a RST */
	SYN_CHAL,	/* an ACK that challenges a SYN */
	KEEP,		/* - */
	KEEP_ACK,	/* an ACK: the segment is not accepted */
	RST,		/* RST, its SEQ is SEG.ACK */
	RST_SYN,	/* the same, and the SYN again at once */
	RA,		/* RST+ACK, its SEQ is 0, its ACK SEG.SEQ+SEG.LEN */
	RST_END,	/* as RST, and the flow is deleted */
	RA_END,		/* as RA, and the flow is deleted */
	END,		/* -, and the flow is deleted */
	REFUSE,		/* - to the peer; connect() fails with ECONNREFUSED */
	/* The connection is there for the program, and ... */
	OPEN,		/* the segment has no more to say */
	OPEN_Q,		/* its data or FIN wait for what comes before them */
	OPEN_1,		/* this many octets can be read */
	OPEN_2,
	OPEN_3,
	OPEN_F,		/* the peer has closed */
	OPEN_1F,
	OPEN_2F,
	OPEN_3F,
	VERDICTS
};

/**
 * struct cell - one segment in one state
 * @state:	the state
 * @flags:	the segment's flags, in the notation of wire/packet.h
 * @seq:	where SEG.SEQ stands
 * @has_ack:	it has the ACK bit
 * @ack:	then SEG.ACK - iss
 * @data:	octets of data
 * @verdict:	what must come of it
 * @rules:	ids of the rules that say so
 */
struct cell {
	enum cell_state state;
	const char *flags;
	enum cell_seq seq;
	bool has_ack;
	unsigned int ack;
	unsigned int data;
	enum verdict verdict;
	const char *rules;
};

#define CELLS_MAX	4096

/* All cells, in an array of @count. */
const struct cell *cells_all(unsigned int *count);

const char *cell_state_name(enum cell_state state);
/* "SYN-ACK" and the like; all sets of flags with RST are one type. */
const char *cell_type(const struct cell *cell);
const char *verdict_name(enum verdict verdict);

#define CELL_NAME_LEN	80
/* Names the cell as a person would. Returns @name. */
char *cell_name(const struct cell *cell, char name[CELL_NAME_LEN]);

#endif /* MATRIX_CELLS_H */
