/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: sequence diagrams of handshakes
 *
 * Events go into a set, one recording or two: those of one end and those of the
 * other, with times of the same clock.
 *
 *	set = ladder_set_new(2);
 *	ladder_set_add(set, 0, &event);		for each event of one end
 *	ladder_set_add(set, 1, &event);		for each event of the other
 *	ladders = ladder_set_build(set, &count);
 *	ladder_text(&ladders[i], &style, stdout);
 *	ladder_svg(ladders, count, file);
 *	ladder_free(ladders, count);
 *	ladder_set_free(set);
 *
 * Flows of the two recordings with the same addresses and ports that overlap in
 * time become one ladder; a segment that one end sent is sought among those that
 * arrived at the other, and what is not found there is shown as lost. With one
 * recording the other end is inferred: its states from the segments, by the state
 * diagram of RFC 9293 section 3.3.2, and what became of a segment from the answers.
 *
 * struct ladder is the model of one diagram. The renderers add nothing to what it
 * says; they only place it.
 */
#ifndef _LADDER_H
#define _LADDER_H

#include <stdbool.h>
#include <stdio.h>

#include "key.h"
#include "lib/threeway.h"

#define LADDER_EVENTS	512	/* of one flow; further ones are counted */
#define LADDER_FLOWS	4096	/* of one recording; further ones are left out */
#define LADDER_NOTES	4	/* of one step */
#define LADDER_NOTE_MAX	64

/* Who opens is on the left, or in doubt whoever was recorded first. */
enum ladder_side { LADDER_LEFT, LADDER_RIGHT };

enum ladder_fate {
	LADDER_ARRIVED,		/* seen at the other end, or nothing speaks against it */
	LADDER_UNANSWERED,	/* no answer came: it or the answer is lost */
	LADDER_LOST,		/* the other end has not seen it */
	LADDER_UNSENT,		/* not sent, as the policy says */
};

/**
 * struct ladder_point - when a segment was at one end
 * @time_ns:	CLOCK_BOOTTIME
 * @seen:	recorded; otherwise inferred, good for the order only
 * @step:	index of the step, -1 for none: it never was there
 */
struct ladder_point {
	__u64 time_ns;
	bool seen;
	int step;
};

/**
 * struct ladder_segment - a segment from one end to the other
 * @event:	that tells of it, the sender's if there are two
 * @from:	the sender's side
 * @fate:	what became of it
 * @again:	the same was sent before
 * @sent:	when and where it starts
 * @arrived:	when and where it arrives
 * @text:	"SYN-ACK seq 0 ack 1", relative to the initial sequence numbers
 * @options:	"win 65160, mss 1460, sackOK, wscale 7, TS 900/100"
 */
struct ladder_segment {
	struct threeway_event event;
	enum ladder_side from;
	enum ladder_fate fate;
	bool again;
	struct ladder_point sent;
	struct ladder_point arrived;
	char text[80];
	char options[96];
};

enum ladder_kind {
	LADDER_SENDS,		/* a segment starts here */
	LADDER_ARRIVES,		/* a segment arrives here */
	LADDER_TIMER,		/* the timer fired */
	LADDER_CHANGES,		/* state or outcome, without a segment */
};

/**
 * struct ladder_step - what happened at one end at one instant
 * @kind:	enum ladder_kind
 * @side:	at which end
 * @time_ns:	CLOCK_BOOTTIME
 * @seen:	recorded, otherwise inferred
 * @segment:	index of the segment, -1 for none
 * @state:	enum threeway_state from here on, -1 when it stays as it was
 * @notes:	what else there is to say
 * @note_count:	how many
 */
struct ladder_step {
	enum ladder_kind kind;
	enum ladder_side side;
	__u64 time_ns;
	bool seen;
	int segment;
	int state;
	char notes[LADDER_NOTES][LADDER_NOTE_MAX];
	unsigned int note_count;
};

/**
 * struct ladder_end - one of the two ends
 * @recorded:	its events are known, otherwise it is inferred
 * @flow:	id of its (last) flow, when it was recorded
 * @claim:	id of the claim, likewise
 * @direction:	enum threeway_direction, likewise
 * @mode:	enum threeway_mode, likewise
 * @name:	address and port
 * @has_isn:	its initial sequence number is known
 * @isn:	that number
 * @first_state: enum threeway_state before the first step, -1 when unknown
 * @established_ns: when it reached ESTABLISHED, 0 if it has not
 * @over_ns:	when the flow was over, 0 if it is not
 * @handed_over: to a socket, which is why it is over
 * @observed:	the native stack has finished it, which is why it is over
 * @reason:	why it is over otherwise
 */
struct ladder_end {
	bool recorded;
	__u64 flow;
	__u32 claim;
	__u8 direction;
	__u8 mode;
	char name[ENDPOINT_MAX];
	bool has_isn;
	__u32 isn;
	int first_state;
	__u64 established_ns;
	__u64 over_ns;
	bool handed_over;
	bool observed;
	char reason[LADDER_NOTE_MAX];
};

/**
 * struct ladder - the diagram of one handshake
 * @ends:	by enum ladder_side
 * @steps:	in the order in which they happened
 * @step_count:	how many
 * @segments:	in the order in which they were seen first
 * @segment_count: how many
 * @begin_ns:	time of the first step
 * @left_out:	events that were too many, or lost
 * @has_first:	a flow of the first recording is in it
 * @title:	a headline, "" for none; a caller may set it
 */
struct ladder {
	struct ladder_end ends[2];
	struct ladder_step *steps;
	unsigned int step_count;
	struct ladder_segment *segments;
	unsigned int segment_count;
	__u64 begin_ns;
	unsigned long long left_out;
	bool has_first;
	char title[LADDER_NOTE_MAX * 2];
};

struct ladder_set;

/* For the events of one recording, or of two. */
struct ladder_set *ladder_set_new(unsigned int recordings);
void ladder_set_free(struct ladder_set *set);
/* The recording is 0 or 1. */
void ladder_set_add(struct ladder_set *set, unsigned int recording,
		    const struct threeway_event *event);
/* Forgets a flow of recording 0. */
void ladder_set_remove(struct ladder_set *set, __u64 flow);
/* Events of flows beyond LADDER_FLOWS, which are in no ladder. */
unsigned long long ladder_set_left_out(const struct ladder_set *set);

/* One ladder for each handshake in the order of their begin, for ladder_free(). */
struct ladder *ladder_set_build(const struct ladder_set *set, unsigned int *count);
/* The ladder of a flow of recording 0 alone; NULL if there is none. */
struct ladder *ladder_set_build_one(const struct ladder_set *set, __u64 flow);
void ladder_free(struct ladder *ladders, unsigned int count);
/* What one ladder of an array holds. */
void ladder_clear(struct ladder *ladder);

/**
 * struct ladder_style - how text is drawn
 * @ascii:	only ASCII characters
 * @growing:	steps may follow: what is inferred stands with what was seen, so that
 *		lines which were drawn stay true
 * @columns:	width of the screen
 * @prefix:	begins each line, "" for nothing
 */
struct ladder_style {
	bool ascii;
	bool growing;
	unsigned int columns;
	const char *prefix;
};

/* The lines above the first step. */
void ladder_text_head(const struct ladder *ladder, const struct ladder_style *style,
		      FILE *file);
/* Its steps, without the first so many; a segment with both its ends is one. */
void ladder_text_steps(const struct ladder *ladder, const struct ladder_style *style,
		       unsigned int first, FILE *file);
/* How many steps that are. */
unsigned int ladder_text_count(const struct ladder *ladder, const struct ladder_style *style);
/* What became of it. */
void ladder_text_foot(const struct ladder *ladder, const struct ladder_style *style,
		      FILE *file);
/* All of it. */
void ladder_text(const struct ladder *ladder, const struct ladder_style *style, FILE *file);

/* A picture of all ladders, one below the other. */
void ladder_svg(const struct ladder *ladders, unsigned int count, FILE *file);

/* What the renderers share. */
#define LADDER_TIME_MAX	24
/* Time of a step since the first one: "0.130 ms" or "127.000 s". */
const char *ladder_time(const struct ladder *ladder, __u64 time_ns, char buf[LADDER_TIME_MAX]);
/* "SYN-SENT", or "?" for -1. */
const char *ladder_state_name(int state);
/* The time between two steps if it is too long to draw, in ns, else 0. */
__u64 ladder_gap(__u64 before_ns, __u64 after_ns);
/* How long such a gap is, rounded: "2sec". */
const char *ladder_gap_text(__u64 gap_ns, char buf[DURATION_MAX]);
/* "flow 7, active hold, claim 3", or of both ends. */
const char *ladder_headline(const struct ladder *ladder, char *buf, size_t size);
/* "ESTABLISHED after 0.130 ms" or the reason why not; "" when it goes on. */
const char *ladder_outcome(const struct ladder *ladder, enum ladder_side side,
			   char buf[LADDER_NOTE_MAX * 2]);

#endif /* _LADDER_H */
