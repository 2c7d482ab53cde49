// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: ladders as text
 *
 *	       TIME          STATE |            inner             | STATE
 */
#include <stdlib.h>
#include <string.h>

#include "ladder_build.h"

#define TIME_WIDTH	10
#define STATE_WIDTH	14	/* "(SYN-RECEIVED)" */
#define LEFT_LINE	(TIME_WIDTH + 1 + STATE_WIDTH + 1)
#define AROUND		(LEFT_LINE + 2 + 1 + STATE_WIDTH)
#define INNER_MIN	36
#define INNER_MAX	64
#define LINE_MAX	(AROUND + INNER_MAX)
#define INDENT		3	/* of what stands below an arrow */

/* What cells hold beside ASCII characters. */
enum glyph {
	GLYPH_LINE = 0x100,	/* between the ends' events */
	GLYPH_GAP,		/* the same where time is left out */
	GLYPH_SHAFT,
	GLYPH_DASHED,
	GLYPH_TO_LEFT,
	GLYPH_TO_RIGHT,
	GLYPH_MAYBE_LEFT,
	GLYPH_MAYBE_RIGHT,
	GLYPH_CROSS,
	GLYPH_WAY,		/* still on its way */
	GLYPH_NOTE,
};

static const struct {
	const char *utf8;
	char ascii;
} glyphs[] = {
	[GLYPH_LINE - GLYPH_LINE] = { "│", '|' },
	[GLYPH_GAP - GLYPH_LINE] = { "┊", ':' },
	[GLYPH_SHAFT - GLYPH_LINE] = { "─", '-' },
	[GLYPH_DASHED - GLYPH_LINE] = { "╌", '~' },
	[GLYPH_TO_LEFT - GLYPH_LINE] = { "◀", '<' },
	[GLYPH_TO_RIGHT - GLYPH_LINE] = { "▶", '>' },
	[GLYPH_MAYBE_LEFT - GLYPH_LINE] = { "◁", '<' },
	[GLYPH_MAYBE_RIGHT - GLYPH_LINE] = { "▷", '>' },
	[GLYPH_CROSS - GLYPH_LINE] = { "✗", 'X' },
	[GLYPH_WAY - GLYPH_LINE] = { "·", '.' },
	[GLYPH_NOTE - GLYPH_LINE] = { "•", '*' },
};

/**
 * struct canvas - the line that is being drawn
 * @cells:	ASCII characters and glyphs
 * @inner:	cells between the two lines
 */
struct canvas {
	unsigned short cells[LINE_MAX];
	unsigned int inner;
};

static unsigned int right_line(const struct canvas *canvas)
{
	return LEFT_LINE + 1 + canvas->inner;
}

static void clear(struct canvas *canvas, enum glyph line)
{
	unsigned int i;

	for (i = 0; i < LINE_MAX; i++)
		canvas->cells[i] = ' ';
	canvas->cells[LEFT_LINE] = line;
	canvas->cells[right_line(canvas)] = line;
}

static void start(struct canvas *canvas, const struct ladder_style *style)
{
	unsigned int room = strlen(style->prefix) + AROUND;

	canvas->inner = style->columns > room ? style->columns - room : 0;
	if (canvas->inner < INNER_MIN)
		canvas->inner = INNER_MIN;
	if (canvas->inner > INNER_MAX)
		canvas->inner = INNER_MAX;
	clear(canvas, GLYPH_LINE);
}

static void put(struct canvas *canvas, unsigned int at, const char *text, unsigned int length)
{
	for (; length-- && at < LINE_MAX; at++, text++)
		canvas->cells[at] = *text > ' ' && *text < 0x7f ? *text : ' ';
}

/* Writes the line and begins another one. */
static void flush(struct canvas *canvas, const struct ladder_style *style, FILE *file)
{
	unsigned int i, end = LINE_MAX;

	while (end && canvas->cells[end - 1] == ' ')
		end--;
	fputs(style->prefix, file);
	for (i = 0; i < end; i++) {
		unsigned int cell = canvas->cells[i];

		if (cell < GLYPH_LINE)
			fputc(cell, file);
		else if (style->ascii)
			fputc(glyphs[cell - GLYPH_LINE].ascii, file);
		else
			fputs(glyphs[cell - GLYPH_LINE].utf8, file);
	}
	fputc('\n', file);
	clear(canvas, GLYPH_LINE);
}

static void put_time(struct canvas *canvas, const struct ladder *ladder, __u64 time_ns)
{
	char buf[LADDER_TIME_MAX];
	unsigned int length = strlen(ladder_time(ladder, time_ns, buf));

	put(canvas, length < TIME_WIDTH ? TIME_WIDTH - length : 0, buf, length);
}

/* States that are inferred stand in parentheses. */
static void put_state(struct canvas *canvas, const struct ladder *ladder, enum ladder_side side,
		      int state)
{
	bool known = ladder->ends[side].recorded || state < 0;
	char buf[32];
	unsigned int length;

	snprintf(buf, sizeof(buf), known ? "%s" : "(%s)", ladder_state_name(state));
	length = strlen(buf);
	if (side == LADDER_RIGHT)
		put(canvas, right_line(canvas) + 2, buf, length);
	else if (length < LEFT_LINE)
		put(canvas, LEFT_LINE - 1 - length, buf, length);
}

/*
 * As many words as fit into so many columns, at least one; a comma is a better place
 * to break than a blank.
 */
static unsigned int fit(const char *text, unsigned int columns)
{
	unsigned int length = strlen(text), end, blank = 0;

	if (length <= columns)
		return length;
	for (end = columns; end; end--) {
		if (text[end] != ' ')
			continue;
		if (text[end - 1] == ',')
			return end;
		if (!blank)
			blank = end;
	}
	return blank ? blank : columns;
}

/* Text inside, beside the line of that side. */
static void put_inside(struct canvas *canvas, enum ladder_side side, unsigned int indent,
		       const char *text, unsigned int length)
{
	put(canvas, side == LADDER_LEFT ? LEFT_LINE + 1 + indent :
	    right_line(canvas) - indent - length, text, length);
}

static void write_lines(struct canvas *canvas, const struct ladder_style *style,
			enum ladder_side side, const char *text, FILE *file)
{
	while (*text) {
		unsigned int length = fit(text, canvas->inner - 2 * INDENT);

		put_inside(canvas, side, INDENT, text, length);
		flush(canvas, style, file);
		text += length;
		while (*text == ' ')
			text++;
	}
}

/* Notes, with a mark before each; the first line may have something already. */
static void write_notes(struct canvas *canvas, const struct ladder_style *style,
			const struct ladder_step *step, FILE *file)
{
	bool left = step->side == LADDER_LEFT;
	unsigned int i;

	for (i = 0; i < step->note_count; i++) {
		const char *rest = step->notes[i];
		unsigned int mark = left ? LEFT_LINE + 2 : right_line(canvas) - 2;

		canvas->cells[mark] = GLYPH_NOTE;
		while (*rest) {
			unsigned int length = fit(rest, canvas->inner - 2 * INDENT);

			put_inside(canvas, step->side, INDENT, rest, length);
			flush(canvas, style, file);
			rest += length;
			while (*rest == ' ')
				rest++;
		}
	}
}

/* Which part of its way a line shows. */
enum way { WAY_ALL, WAY_BEGIN, WAY_END };

/* Cell number i of the arrow, counted from its sender; its text ends before text_end. */
static enum glyph arrow_glyph(const struct canvas *canvas, const struct ladder_segment *segment,
			      enum way way, unsigned int i, unsigned int text_end)
{
	bool to_right = segment->from == LADDER_LEFT;
	unsigned int last = canvas->inner - 1, cross = canvas->inner * 3 / 4;

	if (cross < text_end + 2)
		cross = text_end + 2;
	switch (segment->fate) {
	case LADDER_UNSENT:
		return i ? ' ' : GLYPH_CROSS;
	case LADDER_LOST:
		if (i == cross)
			return GLYPH_CROSS;
		return i < cross ? GLYPH_SHAFT : ' ';
	case LADDER_UNANSWERED:
		if (i == last)
			return to_right ? GLYPH_MAYBE_RIGHT : GLYPH_MAYBE_LEFT;
		return GLYPH_DASHED;
	case LADDER_ARRIVED:
		break;
	}
	if (way == WAY_BEGIN && i + 4 > last)
		return i == last ? ' ' : GLYPH_WAY;
	if (way == WAY_END && i < 4)
		return i ? GLYPH_WAY : ' ';
	if (i == last)
		return to_right ? GLYPH_TO_RIGHT : GLYPH_TO_LEFT;
	return GLYPH_SHAFT;
}

/* The arrow with as much of the text as fits; the rest comes back. */
static const char *put_arrow(struct canvas *canvas, const struct ladder_segment *segment,
			     enum way way)
{
	unsigned int i, length = fit(segment->text, canvas->inner - 10);
	const char *rest = segment->text + length;
	unsigned int indent = way == WAY_END ? 6 : 3;

	for (i = 0; i < canvas->inner; i++)
		canvas->cells[segment->from == LADDER_LEFT ? LEFT_LINE + 1 + i :
			      right_line(canvas) - 1 - i] =
			arrow_glyph(canvas, segment, way, i, indent + length);
	put_inside(canvas, segment->from, indent - 1, " ", 1);
	put_inside(canvas, segment->from, indent, segment->text, length);
	put_inside(canvas, segment->from, indent + length, " ", 1);
	while (*rest == ' ')
		rest++;
	return rest;
}

/* Is one from the other end on its way at the same time? */
static bool is_crossed(const struct ladder *ladder, const struct ladder_segment *segment)
{
	unsigned int i;

	for (i = 0; i < ladder->segment_count; i++) {
		const struct ladder_segment *other = &ladder->segments[i];

		if (other->from != segment->from && other->sent.step >= 0 &&
		    other->sent.step < segment->arrived.step &&
		    other->arrived.step > segment->sent.step)
			return true;
	}
	return false;
}

/* Does one line show both ends of the segment? */
static bool is_whole(const struct ladder *ladder, const struct ladder_segment *segment,
		     const struct ladder_style *style)
{
	const struct ladder_point *sent = &segment->sent, *arrived = &segment->arrived;

	if (sent->step < 0 || arrived->step < 0)
		return false;
	if (style->growing && (!sent->seen || !arrived->seen))
		return true;
	return arrived->step == sent->step + 1 && !ladder_gap(sent->time_ns, arrived->time_ns) &&
	       !is_crossed(ladder, segment);
}

/* The step at the segment's other end, if this line shows both. */
static const struct ladder_step *partner(const struct ladder *ladder,
					 const struct ladder_style *style, unsigned int index)
{
	const struct ladder_step *step = &ladder->steps[index];
	const struct ladder_segment *segment = &ladder->segments[step->segment];

	if (!is_whole(ladder, segment, style))
		return NULL;
	return &ladder->steps[step->kind == LADDER_SENDS ? segment->arrived.step :
			      segment->sent.step];
}

/* Is this step on the line of another one? */
static bool is_on_other(const struct ladder *ladder, const struct ladder_style *style,
			unsigned int index)
{
	const struct ladder_step *step = &ladder->steps[index];
	const struct ladder_segment *segment;

	if (step->segment < 0)
		return false;
	segment = &ladder->segments[step->segment];
	if (!is_whole(ladder, segment, style))
		return false;
	return !step->seen || (step->kind == LADDER_ARRIVES && segment->sent.seen);
}

/* The state of that end after the step with that index. */
static int state_at(const struct ladder *ladder, enum ladder_side side, unsigned int index)
{
	int state = ladder->ends[side].first_state;
	unsigned int i;

	for (i = 0; i <= index; i++)
		if (ladder->steps[i].side == side && ladder->steps[i].state >= 0)
			state = ladder->steps[i].state;
	return state;
}

/* Lines that are drawn already may have come too early to know the state. */
static int partner_state(const struct ladder *ladder, const struct ladder_style *style,
			 const struct ladder_step *partner)
{
	if (!style->growing)
		return partner->state;
	return state_at(ladder, partner->side, partner - ladder->steps);
}

static void write_segment(struct canvas *canvas, const struct ladder *ladder,
			  const struct ladder_style *style, unsigned int index, FILE *file)
{
	const struct ladder_step *step = &ladder->steps[index];
	const struct ladder_segment *segment = &ladder->segments[step->segment];
	const struct ladder_step *other = partner(ladder, style, index);
	enum way way = WAY_ALL;
	const char *rest;

	if (!other && segment->fate == LADDER_ARRIVED)
		way = step->kind == LADDER_SENDS ? WAY_BEGIN : WAY_END;
	rest = put_arrow(canvas, segment, way);
	if (other && partner_state(ladder, style, other) >= 0)
		put_state(canvas, ladder, other->side, partner_state(ladder, style, other));
	flush(canvas, style, file);
	write_lines(canvas, style, segment->from, rest, file);
	if (way != WAY_END)
		write_lines(canvas, style, segment->from, segment->options, file);
	write_notes(canvas, style, step, file);
	if (other)
		write_notes(canvas, style, other, file);
}

static void write_gap(struct canvas *canvas, const struct ladder_style *style, __u64 gap_ns,
		      FILE *file)
{
	char buf[DURATION_MAX];
	unsigned int length = strlen(ladder_gap_text(gap_ns, buf));

	clear(canvas, GLYPH_GAP);
	put(canvas, LEFT_LINE + 1 + (canvas->inner - length) / 2, buf, length);
	flush(canvas, style, file);
}

void ladder_text_steps(const struct ladder *ladder, const struct ladder_style *style,
		       unsigned int first, FILE *file)
{
	__u64 last_ns = ladder->begin_ns;
	unsigned int i, shown = 0;
	struct canvas canvas;

	start(&canvas, style);
	for (i = 0; i < ladder->step_count; i++) {
		const struct ladder_step *step = &ladder->steps[i];
		__u64 gap_ns = ladder_gap(last_ns, step->time_ns);

		if (is_on_other(ladder, style, i))
			continue;
		last_ns = step->time_ns;
		if (shown++ < first)
			continue;
		if (gap_ns)
			write_gap(&canvas, style, gap_ns, file);
		if (step->seen)
			put_time(&canvas, ladder, step->time_ns);
		if (step->state >= 0)
			put_state(&canvas, ladder, step->side, step->state);
		if (step->segment >= 0) {
			write_segment(&canvas, ladder, style, i, file);
			continue;
		}
		if (!step->note_count)
			flush(&canvas, style, file);
		write_notes(&canvas, style, step, file);
	}
}

unsigned int ladder_text_count(const struct ladder *ladder, const struct ladder_style *style)
{
	unsigned int i, count = 0;

	for (i = 0; i < ladder->step_count; i++)
		count += !is_on_other(ladder, style, i);
	return count;
}

static void write_isns(struct canvas *canvas, const struct ladder *ladder,
		       const struct ladder_style *style, FILE *file)
{
	unsigned int side, length;
	char buf[32];

	for (side = 0; side < 2; side++) {
		const struct ladder_end *end = &ladder->ends[side];

		if (!end->has_isn)
			continue;
		length = snprintf(buf, sizeof(buf), "%s %u", end->recorded ? "ISS" : "IRS",
				  end->isn);
		put_inside(canvas, side, 1, buf, length);
	}
	for (side = 0; side < 2; side++)
		put_state(canvas, ladder, side, ladder->ends[side].first_state);
	flush(canvas, style, file);
}

void ladder_text_head(const struct ladder *ladder, const struct ladder_style *style, FILE *file)
{
	const struct ladder_end *ends = ladder->ends;
	char buf[2 * ENDPOINT_MAX];
	struct canvas canvas;
	int width, length;

	start(&canvas, style);
	if (*ladder->title)
		fprintf(file, "%s%s\n", style->prefix, ladder->title);
	fprintf(file, "%s%s\n", style->prefix, ladder_headline(ladder, buf, sizeof(buf)));
	/* The right name ends where the last state does, on a line of its own if need be. */
	width = right_line(&canvas) + 1 + STATE_WIDTH;
	length = strlen(ends[0].name);
	if (length + 2 + (int)strlen(ends[1].name) > width) {
		fprintf(file, "%s%s\n%s", style->prefix, ends[0].name, style->prefix);
		length = 0;
	} else {
		fprintf(file, "%s%s", style->prefix, ends[0].name);
	}
	fprintf(file, "%*s\n", width - length, ends[1].name);
	write_isns(&canvas, ladder, style, file);
}

static void write_legend(const struct ladder *ladder, const struct ladder_style *style, FILE *file)
{
	static const char * const meanings[] = {
		[LADDER_UNANSWERED] = "no answer came",
		[LADDER_LOST] = "lost",
		[LADDER_UNSENT] = "not sent",
	};
	bool seen[LADDER_UNSENT + 1] = { false };
	unsigned int i;

	for (i = 0; i < ladder->segment_count; i++)
		seen[ladder->segments[i].fate] = true;
	if (seen[LADDER_UNANSWERED])
		fprintf(file, "%s%s %s\n", style->prefix, style->ascii ? "~>" : "╌▷",
			meanings[LADDER_UNANSWERED]);
	if (seen[LADDER_LOST])
		fprintf(file, "%s%s %s\n", style->prefix, style->ascii ? "-X" : "─✗",
			meanings[LADDER_LOST]);
	if (seen[LADDER_UNSENT])
		fprintf(file, "%s%s  %s\n", style->prefix, style->ascii ? "X" : "✗",
			meanings[LADDER_UNSENT]);
}

void ladder_text_foot(const struct ladder *ladder, const struct ladder_style *style, FILE *file)
{
	char buf[LADDER_NOTE_MAX * 2];
	unsigned int side;

	for (side = 0; side < 2; side++)
		if (ladder->ends[side].recorded && *ladder_outcome(ladder, side, buf))
			fprintf(file, "%s%s: %s\n", style->prefix, ladder->ends[side].name, buf);
	/* It was not known when the head was drawn. */
	for (side = 0; side < 2 && style->growing; side++)
		if (!ladder->ends[side].recorded && ladder->ends[side].has_isn)
			fprintf(file, "%s%s: IRS %u\n", style->prefix, ladder->ends[side].name,
				ladder->ends[side].isn);
	if (ladder->left_out)
		fprintf(file, "%s%llu events are missing\n", style->prefix, ladder->left_out);
	write_legend(ladder, style, file);
}

void ladder_text(const struct ladder *ladder, const struct ladder_style *style, FILE *file)
{
	ladder_text_head(ladder, style, file);
	ladder_text_steps(ladder, style, 0, file);
	ladder_text_foot(ladder, style, file);
}
