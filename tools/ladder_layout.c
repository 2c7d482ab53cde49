// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: where the parts of a ladder stand in a picture
 *
 * Steps go down in their order. How far apart they are depends on what stands
 * between them, not on the time, but a long time makes a break. Then each label
 * looks for a free place along its arrow; if it finds none its step moves down,
 * and all is done again.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ladder_build.h"
#include "ladder_layout.h"

#define WIDTH		(LAYOUT_RIGHT - LAYOUT_LEFT)
#define SLANT		40.0	/* of an arrow at least */
#define STEP		10.0	/* between any two steps */
#define LABEL_ROOM	30.0	/* above the start of an arrow */
#define BREAK		16.0	/* above and below a break */
#define BUMP		10.0
#define ROUNDS		40
#define CLEAR		3.0	/* around arrows and texts */
#define END_ROOM	16.0	/* between a label and the end of its arrow */
#define CROSS		8.0	/* half of the size of a cross */
/* So often a label tries to stay near its sender. */
#define PATIENCE	8
/* A ladder with more segments than this is not made to look good at any cost. */
#define SEGMENTS_MANY	256
#define ROUNDS_MANY	2

/* Rectangles that may be turned, and arrows. */
struct box {
	struct point corners[4];
	double top;
	double bottom;
};

/**
 * struct boxes - what is taken
 * @boxes:	arrows by segment, then texts
 * @count:	how many
 * @room:	how many fit
 */
struct boxes {
	struct box *boxes;
	unsigned int count;
	unsigned int room;
};

static double line_x(enum ladder_side side)
{
	return side == LADDER_LEFT ? LAYOUT_LEFT : LAYOUT_RIGHT;
}

static void add_box(struct boxes *boxes, const struct box *box)
{
	unsigned int i;

	if (boxes->count == boxes->room) {
		boxes->room = boxes->room * 2 + 64;
		boxes->boxes = ladder_alloc(boxes->boxes, boxes->room, sizeof(*box));
	}
	boxes->boxes[boxes->count] = *box;
	box = &boxes->boxes[boxes->count];
	boxes->boxes[boxes->count].top = box->corners[0].y;
	boxes->boxes[boxes->count].bottom = box->corners[0].y;
	for (i = 1; i < 4; i++) {
		boxes->boxes[boxes->count].top = fmin(box->top, box->corners[i].y);
		boxes->boxes[boxes->count].bottom = fmax(box->bottom, box->corners[i].y);
	}
	boxes->count++;
}

/* Does an edge of a have all of b on its outer side? */
static bool is_beside(const struct box *a, const struct box *b)
{
	unsigned int i, j;

	for (i = 0; i < 4; i++) {
		struct point p = a->corners[i], q = a->corners[(i + 1) % 4];
		double dx = q.x - p.x, dy = q.y - p.y;
		bool beside = true;

		for (j = 0; j < 4 && beside; j++)
			beside = dx * (b->corners[j].y - p.y) - dy * (b->corners[j].x - p.x) <= 0;
		if (beside)
			return true;
	}
	return false;
}

static bool is_free(const struct boxes *boxes, const struct box *box, unsigned int own)
{
	unsigned int i;

	for (i = 0; i < boxes->count; i++) {
		const struct box *other = &boxes->boxes[i];

		if (i == own || other->bottom < box->top || other->top > box->bottom)
			continue;
		if (!is_beside(other, box) && !is_beside(box, other))
			return false;
	}
	return true;
}

/* A rectangle from one point to another, so far to its left and its right. */
static struct box make_box(struct point from, struct point to, double above, double below)
{
	double length = hypot(to.x - from.x, to.y - from.y);
	double x = length > 0 ? (to.x - from.x) / length : 1;
	double y = length > 0 ? (to.y - from.y) / length : 0;
	struct box box = { .corners = {
		{ from.x + above * y, from.y - above * x },
		{ to.x + above * y, to.y - above * x },
		{ to.x - below * y, to.y + below * x },
		{ from.x - below * y, from.y + below * x },
	} };
	unsigned int i;

	box.top = box.corners[0].y;
	box.bottom = box.corners[0].y;
	for (i = 1; i < 4; i++) {
		box.top = fmin(box.top, box.corners[i].y);
		box.bottom = fmax(box.bottom, box.corners[i].y);
	}
	return box;
}

/* The line of text that begins there and is turned by the angle. */
static struct box text_box(const char *text, double size, struct point at, double angle)
{
	double width = text_width(text, size);
	struct point end = {
		at.x + width * cos(angle), at.y + width * sin(angle),
	};

	return make_box(at, end, size * 0.8 + CLEAR / 2, size * 0.22 + CLEAR / 2);
}

/* How to set a label: which way, how many lines of options, and how many above. */
struct form {
	enum { AT_MIDDLE, AT_SENDER, AT_RECEIVER } where;
	unsigned int option_lines;
	bool all_above;
};

static const struct form forms[] = {
	{ AT_MIDDLE, 1, false },
	{ AT_SENDER, 1, false },
	{ AT_MIDDLE, 1, true },
	{ AT_SENDER, 1, true },
	{ AT_SENDER, 2, true },
	{ AT_SENDER, 3, true },
	{ AT_RECEIVER, 1, true },
	{ AT_RECEIVER, 2, true },
};

#define FORMS		(sizeof(forms) / sizeof(*forms))
#define FORMS_NEAR	6

/* Breaks the options into so many lines of about the same length. */
static void fill_label(struct label *label, const struct ladder_segment *segment,
		       unsigned int option_lines)
{
	const char *rest = segment->options;
	size_t aim = strlen(rest) / option_lines + 1;

	label->count = 1;
	snprintf(label->lines[0], sizeof(label->lines[0]), "%s", segment->text);
	label->sizes[0] = FONT_TEXT;
	while (*rest && label->count <= option_lines) {
		size_t length = strlen(rest);

		if (label->count < option_lines && length > aim)
			for (length = aim; rest[length] && rest[length - 1] != ','; length++)
				;
		snprintf(label->lines[label->count], sizeof(label->lines[0]), "%.*s",
			 (int)length, rest);
		label->sizes[label->count++] = FONT_SMALL;
		rest += length;
		rest += *rest == ' ';
	}
}

/* How far along the way a line of so much width begins, seen from the left. */
static double label_start(const struct arrow *arrow, const struct ladder_segment *segment,
			  double width, const struct form *form)
{
	double length = hypot(arrow->to.x - arrow->from.x, arrow->to.y - arrow->from.y);
	bool left = (segment->from == LADDER_LEFT) == (form->where == AT_SENDER);
	double room = END_ROOM;

	if (form->where == AT_MIDDLE)
		return (length - width) / 2;
	/* The cross stands where the label would begin. */
	if (segment->fate == LADDER_UNSENT)
		room += length + CROSS - END_ROOM / 2;
	return left ? room : length - room - width;
}

/* Puts the lines where the form wants them. */
static void set_label(struct arrow *arrow, const struct ladder_segment *segment,
		      const struct form *form)
{
	double radians = arrow->angle * M_PI / 180, rise = 6;
	struct label *label = &arrow->label;
	struct point left = arrow->from;
	unsigned int i, above;

	fill_label(label, segment, form->option_lines);
	if (segment->from == LADDER_RIGHT)
		left = arrow->to;
	above = form->all_above ? label->count : 1;
	for (i = above; i--;) {
		double start = label_start(arrow, segment,
					   text_width(label->lines[i], label->sizes[i]), form);

		label->at[i].x = left.x + start * cos(radians) + rise * sin(radians);
		label->at[i].y = left.y + start * sin(radians) - rise * cos(radians);
		rise += label->sizes[i] + 2;
	}
	for (i = above, rise = FONT_SMALL + 3; i < label->count; i++) {
		double start = label_start(arrow, segment,
					   text_width(label->lines[i], label->sizes[i]), form);

		label->at[i].x = left.x + start * cos(radians) - rise * sin(radians);
		label->at[i].y = left.y + start * sin(radians) + rise * cos(radians);
		rise += label->sizes[i] + 2;
	}
}

static bool try_label(const struct arrow *arrow, const struct boxes *boxes, unsigned int own)
{
	const struct label *label = &arrow->label;
	unsigned int i;

	for (i = 0; i < label->count; i++) {
		double width = text_width(label->lines[i], label->sizes[i]);
		struct box box = text_box(label->lines[i], label->sizes[i], label->at[i],
					  arrow->angle * M_PI / 180);

		if (label->at[i].x < LAYOUT_LEFT + LAYOUT_BAR ||
		    label->at[i].x + width > LAYOUT_RIGHT - LAYOUT_BAR ||
		    !is_free(boxes, &box, own))
			return false;
	}
	return true;
}

/* The first form that is free, or the last one and false. */
static bool place_label(struct arrow *arrow, const struct ladder_segment *segment,
			struct boxes *boxes, unsigned int own, unsigned int form_count)
{
	bool is_whole = segment->fate == LADDER_ARRIVED;
	unsigned int i;
	bool found = false;

	for (i = 0; i < form_count && !found; i++) {
		if (!is_whole && forms[i].where != AT_SENDER)
			continue;
		set_label(arrow, segment, &forms[i]);
		found = try_label(arrow, boxes, own);
	}
	for (i = 0; i < arrow->label.count; i++) {
		struct box box = text_box(arrow->label.lines[i], arrow->label.sizes[i],
					  arrow->label.at[i], arrow->angle * M_PI / 180);

		add_box(boxes, &box);
	}
	return found;
}

/* How much of its way an arrow goes that does not arrive. */
static double way_of(enum ladder_fate fate)
{
	switch (fate) {
	case LADDER_UNSENT:
		return 0.05;
	case LADDER_LOST:
		return 0.72;
	case LADDER_UNANSWERED:
		return 0.88;
	default:
		return 1;
	}
}

static void place_arrow(struct arrow *arrow, const struct ladder_segment *segment,
			const struct layout *layout)
{
	double from_x = line_x(segment->from), to_x = line_x(ladder_other(segment->from));
	double bar = segment->from == LADDER_LEFT ? LAYOUT_BAR / 2 : -LAYOUT_BAR / 2;
	double way = way_of(segment->fate), from_y, to_y;

	if (segment->sent.step >= 0)
		from_y = layout->spots[segment->sent.step].y;
	else
		from_y = layout->spots[segment->arrived.step].y - SLANT;
	to_y = segment->arrived.step >= 0 ? layout->spots[segment->arrived.step].y :
		from_y + SLANT;
	arrow->from.x = from_x + bar;
	arrow->from.y = from_y;
	arrow->to.x = from_x + bar + (to_x - from_x - 2 * bar) * way;
	arrow->to.y = from_y + (to_y - from_y) * way;
	arrow->angle = atan((arrow->to.y - arrow->from.y) / (arrow->to.x - arrow->from.x)) *
		180 / M_PI;
}

/* Notes are broken into lines that fit beside the ladder. */
static void fill_notes(struct spot *spot, const struct ladder_step *step)
{
	unsigned int i;

	spot->note_count = 0;
	for (i = 0; i < step->note_count; i++) {
		const char *rest = step->notes[i];

		while (*rest && spot->note_count < LAYOUT_LINES) {
			int length = strlen(rest), end;

			if (length > LAYOUT_NOTE) {
				for (end = LAYOUT_NOTE; end && rest[end] != ' '; end--)
					;
				length = end ? end : LAYOUT_NOTE;
			}
			snprintf(spot->notes[spot->note_count++], LAYOUT_NOTE + 1, "%.*s",
				 length, rest);
			rest += length;
			rest += *rest == ' ';
		}
	}
	spot->beside = step->state < 0 && spot->note_count &&
		strlen(spot->notes[0]) <= LAYOUT_BESIDE;
}

/* Where things end so far, while steps are placed one after the other. */
struct cursor {
	double side[2];		/* text beside the lines */
	double step[2];		/* the last step of each line */
	double inside;		/* arrows that do not arrive */
	double last;		/* the last step */
};

static double place_break(struct layout *layout, struct cursor *cursor, __u64 gap_ns)
{
	struct gap *gap = &layout->gaps[layout->gap_count++];
	double above = fmax(fmax(cursor->side[0], cursor->side[1]) - LINE_SMALL / 2,
			    fmax(cursor->inside, cursor->last));
	/* Longer times look longer, but hardly. */
	double stretch = fmin(8 * log2(1 + gap_ns / 1e9), 48);

	gap->at.x = (LAYOUT_LEFT + LAYOUT_RIGHT) / 2;
	gap->at.y = above + BREAK + stretch / 2 + FONT_SMALL / 3;
	ladder_gap_text(gap_ns, gap->text);
	return above + 2 * BREAK + stretch;
}

static double spot_height(const struct spot *spot)
{
	return LINE_TEXT + (spot->note_count - spot->beside) * LINE_SMALL;
}

/* How far down the step stands at least. */
static double step_y(struct layout *layout, const struct ladder *ladder, unsigned int i,
		     struct cursor *cursor)
{
	const struct ladder_step *step = &ladder->steps[i];
	const struct ladder_segment *segment = step->segment < 0 ? NULL :
		&ladder->segments[step->segment];
	double y = cursor->last + STEP;
	__u64 gap_ns = i ? ladder_gap(ladder->steps[i - 1].time_ns, step->time_ns) : 0;

	if (gap_ns)
		y = fmax(y, place_break(layout, cursor, gap_ns));
	if (step->kind == LADDER_SENDS && gap_ns)
		y += LABEL_ROOM / 2;
	if (step->kind == LADDER_SENDS)
		y = fmax(y, cursor->step[step->side] + LABEL_ROOM);
	if (step->kind == LADDER_ARRIVES && segment->sent.step >= 0 &&
	    segment->sent.step < (int)i)
		y = fmax(y, layout->spots[segment->sent.step].y + SLANT);
	return fmax(y, cursor->side[step->side]);
}

static void place_steps(struct layout *layout, const struct ladder *ladder, const double *extra)
{
	struct cursor cursor = {
		.side = { layout->top + LINE_TEXT * 1.5, layout->top + LINE_TEXT * 1.5 },
		.step = { layout->top, layout->top },
		.inside = layout->top,
		.last = layout->top + LINE_TEXT * 1.5 - STEP,
	};
	unsigned int i;

	layout->gap_count = 0;
	for (i = 0; i < ladder->step_count; i++) {
		const struct ladder_step *step = &ladder->steps[i];
		struct spot *spot = &layout->spots[i];

		spot->y = step_y(layout, ladder, i, &cursor) + extra[i];
		cursor.last = spot->y;
		cursor.step[step->side] = spot->y;
		cursor.side[step->side] = spot->y + spot_height(spot);
		if (step->kind == LADDER_SENDS &&
		    ladder->segments[step->segment].arrived.step < 0)
			cursor.inside = spot->y + SLANT;
	}
	layout->bottom = fmax(fmax(cursor.side[0], cursor.side[1]),
			      fmax(cursor.inside, cursor.last + LINE_TEXT)) + STEP;
}

/* A break's text moves aside from arrows that cross it. */
static void place_gap(struct gap *gap, struct boxes *boxes)
{
	static const double ways[] = { 0.5, 0.3, 0.7, 0.15, 0.85 };
	double width = text_width(gap->text, FONT_SMALL);
	struct box box;
	unsigned int i;

	for (i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct point at = { LAYOUT_LEFT + WIDTH * ways[i] - width / 2, gap->at.y };

		box = text_box(gap->text, FONT_SMALL, at, 0);
		gap->at.x = at.x + width / 2;
		if (is_free(boxes, &box, ~0U))
			break;
	}
	add_box(boxes, &box);
}

static void place_cross(const struct arrow *arrow, enum ladder_fate fate, struct boxes *boxes)
{
	struct point left = { arrow->to.x - CROSS, arrow->to.y };
	struct point right = { arrow->to.x + CROSS, arrow->to.y };
	struct box box = make_box(left, right, CROSS, CROSS);

	if (fate == LADDER_LOST || fate == LADDER_UNSENT)
		add_box(boxes, &box);
}

/* Places all; false if a label found no room, with more of it for the next time. */
static bool place(struct layout *layout, const struct ladder *ladder, double *extra,
		  struct boxes *boxes, unsigned int form_count)
{
	bool good = true;
	unsigned int i;

	place_steps(layout, ladder, extra);
	boxes->count = 0;
	for (i = 0; i < ladder->segment_count; i++) {
		struct arrow *arrow = &layout->arrows[i];
		bool leftwards;
		struct box box;

		place_arrow(arrow, &ladder->segments[i], layout);
		leftwards = arrow->from.x > arrow->to.x;
		box = make_box(leftwards ? arrow->to : arrow->from,
			       leftwards ? arrow->from : arrow->to, CLEAR, CLEAR);
		add_box(boxes, &box);
	}
	for (i = 0; i < ladder->segment_count; i++)
		place_cross(&layout->arrows[i], ladder->segments[i].fate, boxes);
	for (i = 0; i < layout->gap_count; i++)
		place_gap(&layout->gaps[i], boxes);
	for (i = 0; i < ladder->segment_count; i++) {
		const struct ladder_segment *segment = &ladder->segments[i];

		if (place_label(&layout->arrows[i], segment, boxes, i, form_count))
			continue;
		good = false;
		extra[segment->sent.step >= 0 ? segment->sent.step :
		      segment->arrived.step] += BUMP;
	}
	return good;
}

void layout_make(struct layout *layout, const struct ladder *ladder, double top)
{
	double *extra = ladder_alloc(NULL, ladder->step_count, sizeof(*extra));
	struct boxes boxes = { .count = 0 };
	unsigned int i, round, rounds;

	memset(layout, 0, sizeof(*layout));
	layout->top = top;
	layout->spots = ladder_alloc(NULL, ladder->step_count, sizeof(*layout->spots));
	layout->arrows = ladder_alloc(NULL, ladder->segment_count, sizeof(*layout->arrows));
	layout->gaps = ladder_alloc(NULL, ladder->step_count, sizeof(*layout->gaps));
	for (i = 0; i < ladder->step_count; i++) {
		extra[i] = 0;
		fill_notes(&layout->spots[i], &ladder->steps[i]);
	}
	rounds = ladder->segment_count > SEGMENTS_MANY ? ROUNDS_MANY : ROUNDS;
	for (round = 0; round < rounds; round++)
		if (place(layout, ladder, extra, &boxes, round < PATIENCE ? FORMS_NEAR : FORMS))
			break;
	free(boxes.boxes);
	free(extra);
}

void layout_free(struct layout *layout)
{
	free(layout->spots);
	free(layout->arrows);
	free(layout->gaps);
}
