/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: where the parts of a ladder stand in a picture
 *
 * Pixels, from the upper left corner of the ladder. Text is monospaced, so that its
 * width is known without the font.
 */
#ifndef _LADDER_LAYOUT_H
#define _LADDER_LAYOUT_H

#include "ladder.h"

#define LAYOUT_WIDTH	980
#define LAYOUT_LEFT	210	/* the line of the left end */
#define LAYOUT_RIGHT	770	/* and of the right one */
#define LAYOUT_MARGIN	14	/* between such a line and the text beside it */
#define LAYOUT_BAR	8	/* thickness of the line */

#define FONT_TITLE	16.0
#define FONT_TEXT	12.0
#define FONT_SMALL	10.5
#define FONT_ADVANCE	0.61	/* of a character, in font sizes; no font is wider */
#define LINE_TEXT	16.0	/* from line to line */
#define LINE_SMALL	14.0

/* Characters of a note that fit into a line beside the ladder. */
#define LAYOUT_NOTE	28
#define LAYOUT_BESIDE	15	/* between the time and the ladder */
#define LAYOUT_LINES	12	/* of notes at a step */
#define LABEL_LINES	4

struct point {
	double x;
	double y;
};

/**
 * struct label - the text of a segment
 * @lines:	they, from top to bottom
 * @sizes:	their font sizes
 * @at:	the left end of each one's base line, before it is turned
 * @count:	how many
 */
struct label {
	char lines[LABEL_LINES][96];
	double sizes[LABEL_LINES];
	struct point at[LABEL_LINES];
	unsigned int count;
};

/**
 * struct arrow - a segment
 * @from:	where it starts
 * @to:		where it ends
 * @angle:	of its text, in degrees
 * @label:	its text
 */
struct arrow {
	struct point from;
	struct point to;
	double angle;
	struct label label;
};

/**
 * struct spot - a step
 * @y:		its height
 * @beside:	the first note stands where the state would
 * @notes:	lines below its time and state
 * @note_count:	how many
 */
struct spot {
	double y;
	bool beside;
	char notes[LAYOUT_LINES][LAYOUT_NOTE + 1];
	unsigned int note_count;
};

/**
 * struct gap - time that is left out
 * @at:		middle of its text, on the base line
 * @text:	how long
 */
struct gap {
	struct point at;
	char text[DURATION_MAX];
};

/**
 * struct layout - all of a ladder
 * @spots:	by step
 * @arrows:	by segment
 * @gaps:	they
 * @gap_count:	how many
 * @top:	where the lines begin
 * @bottom:	where they end
 */
struct layout {
	struct spot *spots;
	struct arrow *arrows;
	struct gap *gaps;
	unsigned int gap_count;
	double top;
	double bottom;
};

void layout_make(struct layout *layout, const struct ladder *ladder, double top);
void layout_free(struct layout *layout);

static inline double text_width(const char *text, double size)
{
	unsigned int characters = 0;

	/* Bytes that go on with a character of UTF-8 are none of their own. */
	for (; *text; text++)
		characters += (*text & 0xc0) != 0x80;
	return characters * size * FONT_ADVANCE;
}

#endif /* _LADDER_LAYOUT_H */
