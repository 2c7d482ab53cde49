// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: ladders as an SVG picture
 */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "event.h"
#include "ladder_build.h"
#include "ladder_layout.h"

#define PADDING		20.0
#define HEAD		118.0	/* from the top of a ladder to its lines */
#define NAME_Y		66.0	/* the boxes of the ends */
#define NAME_HEIGHT	40.0
#define FOOT		26.0	/* from the end of the lines to the outcome */
#define HEADSIZE	9.0	/* of an arrow */
#define STATE_WIDTH	104.0	/* "(SYN-RECEIVED)" */

/* Light, and dark where the reader prefers that. */
static const char style[] =
	"<style>\n"
	".threeway text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",\"Liberation Mono\",monospace;white-space:pre}\n"
	".threeway .card{fill:#ffffff;stroke:#d0d7de}\n"
	".threeway .box{fill:#f6f8fa;stroke:#d0d7de}\n"
	".threeway .ink{fill:#1f2328}\n"
	".threeway .dim{fill:#59636e}\n"
	".threeway .bold{font-weight:bold}\n"
	".threeway .guess{font-style:italic}\n"
	".threeway .gap{stroke:#afb8c1;stroke-dasharray:2 5;fill:none}\n"
	".threeway .cut{fill:#ffffff}\n"
	".threeway .tear{stroke:#818b98;fill:none}\n"
	".threeway .closed{fill:#8c959f}\n"
	".threeway .listen{fill:#4f8fc0}\n"
	".threeway .syn-sent{fill:#bf8700}\n"
	".threeway .syn-received{fill:#d1561c}\n"
	".threeway .established{fill:#1f8a3d}\n"
	".threeway .unknown{fill:#d8dee4}\n"
	".threeway .arrow{stroke-width:1.6;fill:none}\n"
	".threeway .dashed{stroke-dasharray:6 5}\n"
	".threeway .syn{stroke:#0a5fd0}.threeway .syn-tip{fill:#0a5fd0}\n"
	".threeway .syn-ack{stroke:#7b45d8}.threeway .syn-ack-tip{fill:#7b45d8}\n"
	".threeway .ack{stroke:#14776f}.threeway .ack-tip{fill:#14776f}\n"
	".threeway .rst{stroke:#cf222e}.threeway .rst-tip{fill:#cf222e}\n"
	".threeway .cross{stroke:#cf222e;stroke-width:2.2;fill:none}\n"
	"@media (prefers-color-scheme:dark){\n"
	".threeway .card,.threeway .cut{fill:#0d1117}\n"
	".threeway .card,.threeway .box{stroke:#3d444d}\n"
	".threeway .box{fill:#151b23}\n"
	".threeway .ink{fill:#f0f6fc}\n"
	".threeway .dim{fill:#9198a1}\n"
	".threeway .gap{stroke:#4a525c}\n"
	".threeway .tear{stroke:#7d8590}\n"
	".threeway .closed{fill:#7d8590}\n"
	".threeway .listen{fill:#539bd1}\n"
	".threeway .syn-sent{fill:#d9a520}\n"
	".threeway .syn-received{fill:#ee7b3c}\n"
	".threeway .established{fill:#3fb950}\n"
	".threeway .unknown{fill:#2f363e}\n"
	".threeway .syn{stroke:#58a6ff}.threeway .syn-tip{fill:#58a6ff}\n"
	".threeway .syn-ack{stroke:#b083f5}.threeway .syn-ack-tip{fill:#b083f5}\n"
	".threeway .ack{stroke:#3bb8ab}.threeway .ack-tip{fill:#3bb8ab}\n"
	".threeway .rst,.threeway .cross{stroke:#f85149}.threeway .rst-tip{fill:#f85149}\n"
	"}\n"
	"</style>\n";

/* Any text as XML: only what prints, and nothing that means something there. */
static void write_escaped(FILE *file, const char *text)
{
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '<')
			fputs("&lt;", file);
		else if (c == '>')
			fputs("&gt;", file);
		else if (c == '&')
			fputs("&amp;", file);
		else
			fputc(c >= ' ' && c < 0x7f ? c : '?', file);
	}
}

/**
 * struct type - how a text looks
 * @class:	of the style
 * @size:	of the font
 * @anchor:	"start", "middle" or "end"
 * @angle:	in degrees
 */
struct type {
	const char *class;
	double size;
	const char *anchor;
	double angle;
};

static void write_text(FILE *file, const struct type *type, double x, double y, const char *text)
{
	fprintf(file, "<text class=\"%s\" font-size=\"%.1f\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\"",
		type->class, type->size, type->anchor ? type->anchor : "start", x, y);
	if (fabs(type->angle) > 0.01)
		fprintf(file, " transform=\"rotate(%.2f %.1f %.1f)\"", type->angle, x, y);
	fputc('>', file);
	write_escaped(file, text);
	fputs("</text>\n", file);
}

static double line_x(enum ladder_side side)
{
	return side == LADDER_LEFT ? LAYOUT_LEFT : LAYOUT_RIGHT;
}

static const char *state_class(int state)
{
	switch (state) {
	case THREEWAY_CLOSED:
		return "closed";
	case THREEWAY_LISTEN:
		return "listen";
	case THREEWAY_SYN_SENT:
		return "syn-sent";
	case THREEWAY_SYN_RECEIVED:
		return "syn-received";
	case THREEWAY_ESTABLISHED:
		return "established";
	default:
		return "unknown";
	}
}

static void write_bar(FILE *file, enum ladder_side side, int state, double top, double bottom)
{
	fprintf(file, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>\n",
		state_class(state), line_x(side) - LAYOUT_BAR / 2.0, top, LAYOUT_BAR,
		bottom - top);
}

/* The line of an end, in the colours of its states. */
static void write_line(FILE *file, const struct ladder *ladder, const struct layout *layout,
		       enum ladder_side side)
{
	int state = ladder->ends[side].first_state;
	double top = layout->top;
	unsigned int i;

	for (i = 0; i < ladder->step_count; i++) {
		if (ladder->steps[i].side != side || ladder->steps[i].state < 0)
			continue;
		write_bar(file, side, state, top, layout->spots[i].y);
		state = ladder->steps[i].state;
		top = layout->spots[i].y;
	}
	write_bar(file, side, state, top, layout->bottom);
}

static void write_state(FILE *file, const struct ladder *ladder, enum ladder_side side,
			int state, double y)
{
	bool guess = !ladder->ends[side].recorded;
	const char *name = state < 0 ? "state unknown" : ladder_state_name(state);
	double beside = LAYOUT_BAR / 2 + LAYOUT_MARGIN;
	char class[48];
	struct type type = {
		.class = class,
		.size = FONT_TEXT,
		.anchor = side == LADDER_LEFT ? "end" : "start",
	};

	snprintf(class, sizeof(class), "bold %s%s", state < 0 ? "dim" : state_class(state),
		 guess ? " guess" : "");
	write_text(file, &type, line_x(side) + (side == LADDER_LEFT ? -beside : beside),
		   y + FONT_TEXT / 3, name);
}

static void write_step(FILE *file, const struct ladder *ladder, const struct layout *layout,
		       unsigned int i)
{
	const struct ladder_step *step = &ladder->steps[i];
	const struct spot *spot = &layout->spots[i];
	bool left = step->side == LADDER_LEFT;
	double beside = LAYOUT_BAR / 2 + LAYOUT_MARGIN;
	struct type type = { .class = "dim", .size = FONT_SMALL, .anchor = left ? "end" : "start" };
	double x = line_x(step->side) + (left ? -beside : beside);
	double y = spot->y + FONT_TEXT / 3;
	char buf[LADDER_TIME_MAX];
	unsigned int n;

	if (step->state >= 0)
		write_state(file, ladder, step->side, step->state, spot->y);
	if (step->seen)
		write_text(file, &type, x + (left ? -STATE_WIDTH : STATE_WIDTH), y,
			   ladder_time(ladder, step->time_ns, buf));
	for (n = 0; n < spot->note_count; n++) {
		if (n || !spot->beside)
			y += LINE_SMALL;
		write_text(file, &type, x, y, spot->notes[n]);
	}
}

static const char *segment_class(const struct ladder_segment *segment)
{
	__u8 flags = segment->event.flags;

	if (flags & TCP_RST)
		return "rst";
	if (flags & TCP_SYN)
		return flags & TCP_ACK ? "syn-ack" : "syn";
	return "ack";
}

static void write_cross(FILE *file, struct point at)
{
	fprintf(file, "<path class=\"cross\" d=\"M%.1f %.1fl12 12m0 -12l-12 12\"/>\n",
		at.x - 6, at.y - 6);
}

static void write_tip(FILE *file, const struct arrow *arrow, const char *class, bool open)
{
	double x = arrow->to.x - arrow->from.x, y = arrow->to.y - arrow->from.y;
	double length = hypot(x, y), back_x, back_y;

	if (length <= 0)
		return;
	x *= HEADSIZE / length;
	y *= HEADSIZE / length;
	back_x = arrow->to.x - x;
	back_y = arrow->to.y - y;
	fprintf(file, "<path class=\"%s%s\" d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1f%s\"/>\n",
		open ? "arrow " : "", class, back_x - y * 0.45, back_y + x * 0.45,
		arrow->to.x, arrow->to.y, back_x + y * 0.45, back_y - x * 0.45, open ? "" : "Z");
}

/* Everything about it, with absolute numbers, for the pointer that rests on it. */
static void write_title(FILE *file, const struct ladder *ladder,
			const struct ladder_segment *segment)
{
	static const char * const fates[] = {
		[LADDER_ARRIVED] = "",
		[LADDER_UNANSWERED] = ", no answer",
		[LADDER_LOST] = ", lost",
		[LADDER_UNSENT] = ", not sent",
	};
	char text[EVENT_TEXT_MAX], sent[LADDER_TIME_MAX], arrived[LADDER_TIME_MAX];

	ladder_time(ladder, segment->sent.time_ns, sent);
	ladder_time(ladder, segment->arrived.time_ns, arrived);
	fputs("<title>", file);
	write_escaped(file, format_segment(&segment->event, text));
	if (segment->sent.seen)
		fprintf(file, ", sent %s", sent);
	if (segment->arrived.seen)
		fprintf(file, ", arrived %s", arrived);
	fprintf(file, "%s</title>\n", fates[segment->fate]);
}

static void write_segment(FILE *file, const struct ladder *ladder,
			  const struct ladder_segment *segment, const struct arrow *arrow)
{
	const char *kind = segment_class(segment);
	bool maybe = segment->fate == LADDER_UNANSWERED;
	struct type type = { .angle = arrow->angle };
	char class[32];
	unsigned int i;

	fputs("<g class=\"segment\">", file);
	write_title(file, ladder, segment);
	fprintf(file, "<path class=\"arrow %s%s\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", kind,
		maybe ? " dashed" : "", arrow->from.x, arrow->from.y, arrow->to.x, arrow->to.y);
	snprintf(class, sizeof(class), maybe ? "%s" : "%s-tip", kind);
	if (segment->fate == LADDER_ARRIVED || maybe)
		write_tip(file, arrow, class, maybe);
	else
		write_cross(file, arrow->to);
	for (i = 0; i < arrow->label.count; i++) {
		type.class = i ? "dim" : "ink bold";
		type.size = arrow->label.sizes[i];
		write_text(file, &type, arrow->label.at[i].x, arrow->label.at[i].y,
			   arrow->label.lines[i]);
	}
	fputs("</g>\n", file);
}

/* The lines are torn, and between them stands for how long. */
static void write_gap(FILE *file, const struct gap *gap)
{
	double width = text_width(gap->text, FONT_SMALL), y = gap->at.y - FONT_SMALL / 3;
	struct type type = { .class = "dim guess", .size = FONT_SMALL, .anchor = "middle" };
	unsigned int side;

	for (side = 0; side < 2; side++) {
		double x = line_x(side) - LAYOUT_BAR;

		fprintf(file, "<path class=\"cut\" d=\"M%.1f %.1fl5.3 -6l5.4 6l5.3 -6v8l-5.3 6l-5.4 -6l-5.3 6z\"/>\n",
			x, y);
		fprintf(file, "<path class=\"tear\" d=\"M%.1f %.1fl5.3 -6l5.4 6l5.3 -6m-16 14l5.3 -6l5.4 6l5.3 -6\"/>\n",
			x, y);
	}
	fprintf(file, "<path class=\"gap\" d=\"M%.1f %.1fH%.1fM%.1f %.1fH%.1f\"/>\n",
		LAYOUT_LEFT + 16.0, y, gap->at.x - width / 2 - 10, gap->at.x + width / 2 + 10, y,
		LAYOUT_RIGHT - 16.0);
	write_text(file, &type, gap->at.x, gap->at.y, gap->text);
}

/* The box of an end, above its line. */
static void write_end(FILE *file, const struct ladder *ladder, enum ladder_side side, double top)
{
	const struct ladder_end *end = &ladder->ends[side];
	double width = fmax(text_width(end->name, FONT_TEXT), 130) + 24;
	double middle = line_x(side);
	struct type type = { .class = "ink bold", .size = FONT_TEXT, .anchor = "middle" };
	char isn[48];

	/* A long name moves out of the middle, but stays in the picture. */
	if (side == LADDER_LEFT)
		middle = fmax(middle, PADDING + width / 2);
	else
		middle = fmin(middle, LAYOUT_WIDTH - PADDING - width / 2);
	fprintf(file, "<rect class=\"box\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"6\"/>\n",
		middle - width / 2, top + NAME_Y, width, NAME_HEIGHT);
	write_text(file, &type, middle, top + NAME_Y + 17, end->name);
	snprintf(isn, sizeof(isn), end->has_isn ? "%s %u" : "%s unknown",
		 end->recorded ? "ISS" : "IRS", end->isn);
	type.class = "dim";
	type.size = FONT_SMALL;
	write_text(file, &type, middle, top + NAME_Y + 32, isn);
}

static void write_head(FILE *file, const struct ladder *ladder, double top)
{
	struct type type = { .class = "ink bold", .size = FONT_TITLE };
	char buf[2 * ENDPOINT_MAX];

	write_text(file, &type, PADDING, top + 28,
		   *ladder->title ? ladder->title : "TCP handshake");
	type.class = "dim";
	type.size = FONT_SMALL;
	write_text(file, &type, PADDING, top + 48, ladder_headline(ladder, buf, sizeof(buf)));
	write_end(file, ladder, LADDER_LEFT, top);
	write_end(file, ladder, LADDER_RIGHT, top);
}

/* A tick or a cross, as a drawing: not every font has them. */
static void write_mark(FILE *file, bool good, double x, double y)
{
	fprintf(file, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"8\"/>\n",
		good ? "established" : "rst-tip", x, y);
	fprintf(file, "<path d=\"M%.1f %.1f%s\" stroke=\"#ffffff\" stroke-width=\"1.8\" fill=\"none\"/>\n",
		good ? x - 4 : x - 3.2, good ? y : y - 3.2,
		good ? "l2.8 3.2l5 -6" : "l6.4 6.4m0 -6.4l-6.4 6.4");
}

static double write_outcome(FILE *file, const struct ladder *ladder, enum ladder_side side,
			    double y)
{
	const struct ladder_end *end = &ladder->ends[side];
	struct type type = { .class = "ink", .size = FONT_TEXT };
	char buf[LADDER_NOTE_MAX * 2], text[LADDER_NOTE_MAX * 2 + ENDPOINT_MAX];

	if (!end->recorded || !*ladder_outcome(ladder, side, buf))
		return y;
	write_mark(file, end->established_ns || end->handed_over, PADDING + 8, y - 4);
	snprintf(text, sizeof(text), "%s: %s", end->name, buf);
	write_text(file, &type, PADDING + 26, y, text);
	return y + 22;
}

static void add_words(char *buf, size_t size, const char *words)
{
	size_t used = strlen(buf);

	snprintf(buf + used, size - used, "%s%s", used ? "; " : "", words);
}

static double write_legend(FILE *file, const struct ladder *ladder, double y)
{
	struct type type = { .class = "dim", .size = FONT_SMALL };
	bool seen[LADDER_UNSENT + 1] = { false };
	char buf[256] = "", missing[64];
	unsigned int i;

	for (i = 0; i < ladder->segment_count; i++)
		seen[ladder->segments[i].fate] = true;
	add_words(buf, sizeof(buf), "Times since the first event");
	add_words(buf, sizeof(buf), "seq and ack relative to ISS and IRS");
	if (!ladder->ends[0].recorded || !ladder->ends[1].recorded)
		add_words(buf, sizeof(buf), "italics: inferred");
	if (seen[LADDER_UNANSWERED])
		add_words(buf, sizeof(buf), "dashed: no answer came");
	if (seen[LADDER_LOST] || seen[LADDER_UNSENT])
		add_words(buf, sizeof(buf), "cross: lost");
	write_text(file, &type, PADDING, y, buf);
	if (!ladder->left_out)
		return y;
	snprintf(missing, sizeof(missing), "%llu events are missing", ladder->left_out);
	y += LINE_TEXT;
	write_text(file, &type, PADDING, y, missing);
	return y;
}

/* Where the ladder ends. */
static double write_ladder(FILE *file, const struct ladder *ladder, double top)
{
	struct layout layout;
	unsigned int i;
	double y;

	layout_make(&layout, ladder, top + HEAD);
	fputs("<g class=\"ladder\">\n", file);
	write_head(file, ladder, top);
	write_line(file, ladder, &layout, LADDER_LEFT);
	write_line(file, ladder, &layout, LADDER_RIGHT);
	write_state(file, ladder, LADDER_LEFT, ladder->ends[0].first_state, layout.top + 10);
	write_state(file, ladder, LADDER_RIGHT, ladder->ends[1].first_state, layout.top + 10);
	for (i = 0; i < layout.gap_count; i++)
		write_gap(file, &layout.gaps[i]);
	for (i = 0; i < ladder->segment_count; i++)
		write_segment(file, ladder, &ladder->segments[i], &layout.arrows[i]);
	for (i = 0; i < ladder->step_count; i++)
		write_step(file, ladder, &layout, i);
	y = write_outcome(file, ladder, LADDER_LEFT, layout.bottom + FOOT);
	y = write_outcome(file, ladder, LADDER_RIGHT, y);
	y = write_legend(file, ladder, y);
	fputs("</g>\n", file);
	layout_free(&layout);
	return y + PADDING;
}

/* The height is known at the end, and has to stand at the beginning. */
void ladder_svg(const struct ladder *ladders, unsigned int count, FILE *file)
{
	char *body = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&body, &size);
	double height = 0;
	unsigned int i;

	if (!memory)
		exit(failure("out of memory"));
	for (i = 0; i < count; i++)
		height = write_ladder(memory, &ladders[i], height);
	if (fclose(memory))
		exit(failure("out of memory"));
	height = fmax(height, PADDING);
	fprintf(file, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"threeway\" width=\"%d\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"TCP handshake\">\n",
		LAYOUT_WIDTH, height, LAYOUT_WIDTH, height);
	fputs(style, file);
	fprintf(file, "<rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"%.1f\" height=\"%.1f\" rx=\"8\"/>\n",
		LAYOUT_WIDTH - 1.0, round(height) - 1);
	fwrite(body, 1, size, file);
	fputs("</svg>\n", file);
	free(body);
}
