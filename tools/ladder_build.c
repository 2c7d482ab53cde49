// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: the steps of a ladder
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "event.h"
#include "ladder_build.h"
#include "words.h"

/* A state change or an end so soon after a segment or a timeout belongs to it. */
#define FOLD_NS		10000000ULL
/* From here on a gap in time is too long to draw. */
#define GAP_NS		100000000ULL
/* Numbers that are so far from the first one are not shown relative to it. */
#define RELATIVE_MAX	1000000

const char *ladder_time(const struct ladder *ladder, __u64 time_ns, char buf[LADDER_TIME_MAX])
{
	__u64 us = time_ns > ladder->begin_ns ? (time_ns - ladder->begin_ns) / 1000 : 0;

	if (us < 1000000)
		snprintf(buf, LADDER_TIME_MAX, "%u.%03u ms", (unsigned int)(us / 1000),
			 (unsigned int)(us % 1000));
	else if (us >= 100000000000ULL)
		snprintf(buf, LADDER_TIME_MAX, "%llu s", (unsigned long long)us / 1000000);
	else
		snprintf(buf, LADDER_TIME_MAX, "%llu.%03u s",
			 (unsigned long long)(us + 500) / 1000000,
			 (unsigned int)((us + 500) / 1000 % 1000));
	return buf;
}

const char *ladder_state_name(int state)
{
	static char buf[16];

	return state < 0 ? "?" : keyword_name(state_words, state, buf);
}

__u64 ladder_gap(__u64 before_ns, __u64 after_ns)
{
	return after_ns > before_ns && after_ns - before_ns >= GAP_NS ?
		after_ns - before_ns : 0;
}

const char *ladder_gap_text(__u64 gap_ns, char buf[DURATION_MAX])
{
	__u64 ms = (gap_ns + 500000) / 1000000;

	/* A timer of 2 s that fires a little later than that is still one of 2 s. */
	if (ms >= 10000)
		ms = (ms + 500) / 1000 * 1000;
	else if (ms >= 1000)
		ms = (ms + 50) / 100 * 100;
	return format_duration(ms, buf);
}

const char *ladder_headline(const struct ladder *ladder, char *buf, size_t size)
{
	char direction[16], mode[16], claim[32];
	size_t used = 0;
	unsigned int side;

	*buf = '\0';
	for (side = 0; side < 2 && used < size; side++) {
		const struct ladder_end *end = &ladder->ends[side];

		if (!end->recorded)
			continue;
		snprintf(claim, sizeof(claim), end->claim ? ", claim %u" : "", end->claim);
		used += snprintf(buf + used, size - used, "%sflow %llu, %s %s%s", used ? "; " : "",
				 (unsigned long long)end->flow,
				 keyword_name(direction_words, end->direction, direction),
				 keyword_name(mode_words, end->mode, mode), claim);
	}
	return buf;
}

const char *ladder_outcome(const struct ladder *ladder, enum ladder_side side,
			   char buf[LADDER_NOTE_MAX * 2])
{
	const struct ladder_end *end = &ladder->ends[side];
	char when[LADDER_TIME_MAX], over[LADDER_TIME_MAX];

	*buf = '\0';
	ladder_time(ladder, end->over_ns, over);
	ladder_time(ladder, end->established_ns, when);
	if (end->established_ns && end->handed_over)
		snprintf(buf, LADDER_NOTE_MAX * 2, "ESTABLISHED after %s, handed over to a socket",
			 when);
	else if (end->established_ns && end->over_ns && !end->observed)
		snprintf(buf, LADDER_NOTE_MAX * 2, "ESTABLISHED after %s; after %s: %s", when, over,
			 end->reason);
	else if (end->established_ns)
		snprintf(buf, LADDER_NOTE_MAX * 2, "ESTABLISHED after %s", when);
	else if (end->over_ns)
		snprintf(buf, LADDER_NOTE_MAX * 2, "%s after %s",
			 end->handed_over ? "handed over to a socket" : end->reason, over);
	return buf;
}

__printf(2, 3)
static void add_note(struct ladder_step *step, const char *format, ...)
{
	va_list args;

	if (step->note_count == LADDER_NOTES)
		return;
	va_start(args, format);
	vsnprintf(step->notes[step->note_count++], LADDER_NOTE_MAX, format, args);
	va_end(args);
}

static struct ladder_step *add_step(struct ladder *ladder, enum ladder_kind kind,
				    enum ladder_side side, __u64 time_ns)
{
	struct ladder_step *step = &ladder->steps[ladder->step_count++];

	memset(step, 0, sizeof(*step));
	step->kind = kind;
	step->side = side;
	step->time_ns = time_ns;
	step->seen = true;
	step->segment = -1;
	step->state = -1;
	return step;
}

/* The step that an event without a segment belongs to, or a new one. */
static struct ladder_step *fold(struct ladder *ladder, struct ladder_step *last,
				const struct ladder_item *item)
{
	__u64 time_ns = item->event->time_ns;

	if (last && time_ns < last->time_ns + FOLD_NS)
		return last;
	return add_step(ladder, LADDER_CHANGES, item->side, time_ns);
}

/* A new step for a segment; the timeout that sent it is the same step. */
static struct ladder_step *segment_step(struct ladder *ladder, struct ladder_step *last,
					const struct ladder_item *item)
{
	struct ladder_segment *segment = &ladder->segments[item->segment];

	if (item->event->type == THREEWAY_EV_ARRIVED)
		return add_step(ladder, LADDER_ARRIVES, item->side, segment->arrived.time_ns);
	if (!last || last->kind != LADDER_TIMER ||
	    segment->sent.time_ns >= last->time_ns + FOLD_NS)
		return add_step(ladder, LADDER_SENDS, item->side, segment->sent.time_ns);
	last->kind = LADDER_SENDS;
	last->time_ns = segment->sent.time_ns;
	return last;
}

static struct ladder_step *add_segment_step(struct ladder *ladder, struct ladder_step *last,
					    const struct ladder_item *item)
{
	struct ladder_step *step = segment_step(ladder, last, item);
	char counter[32], after[DURATION_MAX];
	const char *reason = event_reason(item->event, counter);

	step->segment = item->segment;
	if (reason && strncmp(reason, "again", 5))
		add_note(step, "%s", reason);
	if (item->event->timer_ms)
		add_note(step, "timer %s", format_duration(item->event->timer_ms, after));
	return step;
}

static struct ladder_step *add_event(struct ladder *ladder, struct ladder_step *last,
				     const struct ladder_item *item, bool opening)
{
	const struct threeway_event *event = item->event;
	struct ladder_step *step;
	char counter[32];

	switch (event->type) {
	case THREEWAY_EV_ARRIVED:
	case THREEWAY_EV_SENT:
		if (item->segment >= 0)
			return add_segment_step(ladder, last, item);
		if (last && event_reason(event, counter))
			add_note(last, "%s", event_reason(event, counter));
		return last;
	case THREEWAY_EV_TIMER:
		step = add_step(ladder, LADDER_TIMER, item->side, event->time_ns);
		add_note(step, "timeout %u", event->timeouts);
		return step;
	case THREEWAY_EV_OPENED:
		return last;
	case THREEWAY_EV_HANDOFF:
		step = fold(ladder, last, item);
		add_note(step, "handed over");
		return step;
	case THREEWAY_EV_ENDED:
		step = fold(ladder, last, item);
		if (event_reason(event, counter))
			add_note(step, "%s", event_reason(event, counter));
		return step;
	default:
		/* The first segment shows it. */
		return opening ? NULL : fold(ladder, last, item);
	}
}

/*
 * The steps of an end that was recorded. Steps are told apart by their index, as
 * their array is sorted only later.
 */
static void add_events(struct ladder_draft *draft, enum ladder_side side)
{
	struct ladder *ladder = draft->ladder;
	struct ladder_step *last = NULL;
	int state = ladder->ends[side].first_state;
	const struct threeway_event *event = NULL;
	bool opening = false;
	__u64 lost = 0;
	unsigned int i;

	for (i = 0; i < draft->item_count; i++) {
		const struct ladder_item *item = &draft->items[i];

		if (item->side != side)
			continue;
		/* What was lost before the first event is not of this flow. */
		if (!event)
			lost = item->event->lost;
		event = item->event;
		opening |= event->type == THREEWAY_EV_OPENED;
		last = add_event(ladder, last, item, opening && !last);
		if (last && event->lost > lost) {
			add_note(last, "%llu events lost",
				 (unsigned long long)(event->lost - lost));
			ladder->left_out += event->lost - lost;
		}
		lost = event->lost;
		/* What the opening changes shows at the first segment. */
		if (last && event->state != state) {
			last->state = event->state;
			state = event->state;
		}
	}
}

/* The steps of an end that was not recorded. */
static void add_inferred(struct ladder *ladder)
{
	unsigned int i;

	for (i = 0; i < ladder->segment_count; i++) {
		struct ladder_segment *segment = &ladder->segments[i];
		enum ladder_side to = ladder_other(segment->from);
		struct ladder_step *step;

		if (segment->sent.seen &&
		    (segment->arrived.seen || segment->fate != LADDER_ARRIVED))
			continue;
		if (segment->sent.seen)
			step = add_step(ladder, LADDER_ARRIVES, to, segment->arrived.time_ns);
		else
			step = add_step(ladder, LADDER_SENDS, segment->from,
					segment->sent.time_ns);
		step->segment = i;
		step->seen = false;
	}
}

static int compare_steps(const void *a, const void *b)
{
	const struct ladder_step *p = a, *q = b;

	if (p->time_ns != q->time_ns)
		return p->time_ns < q->time_ns ? -1 : 1;
	/* An end acts after it has heard; else as they came. */
	if (p->kind != q->kind && p->side == q->side &&
	    p->kind <= LADDER_ARRIVES && q->kind <= LADDER_ARRIVES)
		return p->kind == LADDER_ARRIVES ? -1 : 1;
	return p < q ? -1 : p > q;
}

/* qsort() may move equal elements; this does not, and they are few. */
static void sort_steps(struct ladder *ladder)
{
	unsigned int i, j;

	for (i = 1; i < ladder->step_count; i++) {
		struct ladder_step step = ladder->steps[i];

		for (j = i; j && compare_steps(&ladder->steps[j - 1], &step) > 0; j--)
			ladder->steps[j] = ladder->steps[j - 1];
		ladder->steps[j] = step;
	}
}

static void number_steps(struct ladder *ladder)
{
	bool begun = false;
	unsigned int i;

	for (i = 0; i < ladder->step_count; i++) {
		struct ladder_step *step = &ladder->steps[i];
		struct ladder_segment *segment;

		if (step->seen && !begun) {
			ladder->begin_ns = step->time_ns;
			begun = true;
		}
		if (step->segment < 0)
			continue;
		segment = &ladder->segments[step->segment];
		if (step->kind == LADDER_SENDS)
			segment->sent.step = i;
		else
			segment->arrived.step = i;
	}
}

static void infer_states(struct ladder_draft *draft, enum ladder_side side)
{
	struct ladder *ladder = draft->ladder;
	struct ladder_end *end = &ladder->ends[side];
	int state, next;
	unsigned int i;

	if (end->recorded)
		return;
	end->first_state = ladder_infer_first(draft, side);
	state = end->first_state;
	for (i = 0; i < ladder->step_count; i++) {
		struct ladder_step *step = &ladder->steps[i];

		if (step->side != side || step->segment < 0)
			continue;
		next = ladder_infer_next(state, ladder->segments[step->segment].event.flags,
					 step->kind == LADDER_SENDS);
		if (next != state)
			step->state = next;
		state = next;
	}
}

static void describe_end(struct ladder_end *end, const struct threeway_event *event)
{
	char counter[32];
	const char *reason;

	if (!end->recorded) {
		end->recorded = true;
		end->direction = event->direction;
		end->mode = event->mode;
		key_format(&event->key, true, end->name);
		end->first_state = event->state_before;
		/* Nobody stays as he was by beginning. */
		if (event->type == THREEWAY_EV_OPENED && event->state == event->state_before)
			end->first_state = event->direction == THREEWAY_ACTIVE ?
				THREEWAY_CLOSED : THREEWAY_LISTEN;
	}
	end->flow = event->flow;
	end->claim = event->claim;
	end->isn = event->iss;
	end->has_isn |= event->iss || event_has_segment(event);
	if (event->state == THREEWAY_ESTABLISHED && !end->established_ns)
		end->established_ns = event->time_ns;
	end->over_ns = 0;
	if (event->type != THREEWAY_EV_HANDOFF && event->type != THREEWAY_EV_ENDED)
		return;
	end->over_ns = event->time_ns;
	end->handed_over = event->type == THREEWAY_EV_HANDOFF;
	end->observed = event->counter == THREEWAY_C_flows_observed;
	reason = event_reason(event, counter);
	snprintf(end->reason, sizeof(end->reason), "%s", reason ? reason : "ended");
}

/* What one end knows of another that was not recorded. */
static void describe_peer(struct ladder_end *end, const struct threeway_event *event)
{
	key_format(&event->key, false, end->name);
	if (event_has_irs(event)) {
		end->isn = event->irs;
		end->has_isn = true;
	} else if (event->type == THREEWAY_EV_ARRIVED && event->flags & TCP_SYN) {
		end->isn = event->seq;
		end->has_isn = true;
	}
}

static void describe_ends(struct ladder_draft *draft)
{
	struct ladder_end *ends = draft->ladder->ends;
	unsigned int i;

	for (i = 0; i < draft->item_count; i++)
		describe_end(&ends[draft->items[i].side], draft->items[i].event);
	for (i = 0; i < draft->item_count; i++)
		if (!ends[ladder_other(draft->items[i].side)].recorded)
			describe_peer(&ends[ladder_other(draft->items[i].side)],
				      draft->items[i].event);
}

__printf(3, 4)
static void append(char *buf, size_t size, const char *format, ...)
{
	size_t used = strlen(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(buf + used, size - used, format, args);
	va_end(args);
}

static void append_number(char *buf, size_t size, const char *name, __u32 number,
			  const struct ladder_end *end)
{
	__s32 relative = number - end->isn;

	if (end->has_isn && relative < RELATIVE_MAX && relative > -RELATIVE_MAX)
		append(buf, size, " %s %d", name, relative);
	else
		append(buf, size, " %s abs %u", name, number);
}

static void describe_segment(const struct ladder *ladder, struct ladder_segment *segment)
{
	static const char * const names[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR",
	};
	/* SYN-ACK, not ACK-SYN, and the rare ones last. */
	static const unsigned int order[] = { 1, 2, 0, 4, 3, 5, 6, 7 };
	const struct threeway_event *event = &segment->event;
	char *text = segment->text, *options = segment->options;
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (event->flags & 1U << order[i])
			append(text, sizeof(segment->text), "%s%s", *text ? "-" : "",
			       names[order[i]]);
	if (!event->flags)
		append(text, sizeof(segment->text), "no flags");
	append_number(text, sizeof(segment->text), "seq", event->seq,
		      &ladder->ends[segment->from]);
	if (event->flags & TCP_ACK)
		append_number(text, sizeof(segment->text), "ack", event->ack,
			      &ladder->ends[ladder_other(segment->from)]);
	if (event->len)
		append(text, sizeof(segment->text), " len %u", event->len);
	if (segment->again)
		append(text, sizeof(segment->text), " (again)");

	append(options, sizeof(segment->options), "win %u", event->wnd);
	if (event->options & THREEWAY_O_MSS)
		append(options, sizeof(segment->options), ", mss %u", event->mss);
	if (event->options & THREEWAY_O_SACK_PERMITTED)
		append(options, sizeof(segment->options), ", sackOK");
	if (event->options & THREEWAY_O_WINDOW_SCALE)
		append(options, sizeof(segment->options), ", wscale %u", event->wscale);
	if (event->options & THREEWAY_O_TIMESTAMPS)
		append(options, sizeof(segment->options), ", TS %u/%u", event->tsval,
		       event->tsecr);
}

void ladder_build(struct ladder *ladder, struct ladder_item *items, unsigned int count, bool two)
{
	struct ladder_draft draft = {
		.ladder = ladder,
		.items = items,
		.item_count = count,
		.two = two,
	};
	unsigned int i;

	describe_ends(&draft);
	ladder_pair(&draft);
	/* Each event makes a step at most, and another one at the other end. */
	ladder->steps = ladder_alloc(NULL, 2 * count, sizeof(*ladder->steps));
	add_events(&draft, LADDER_LEFT);
	add_events(&draft, LADDER_RIGHT);
	add_inferred(ladder);
	sort_steps(ladder);
	number_steps(ladder);
	infer_states(&draft, LADDER_LEFT);
	infer_states(&draft, LADDER_RIGHT);
	for (i = 0; i < ladder->segment_count; i++)
		describe_segment(ladder, &ladder->segments[i]);
}
