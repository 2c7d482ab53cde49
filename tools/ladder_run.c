// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: the object ladder
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error.h"
#include "filter.h"
#include "ladder.h"
#include "print.h"
#include "source.h"
#include "tool.h"

#define HELP		"threeway ladder help"

/* Events that belong together come so close to one another. */
#define LIVE_MS		20
/* A flow that is kept gets no more segments after so much silence. */
#define SILENCE_MS	200

enum word { WORD_FILE = FILTER_WORDS, WORD_PEER, WORD_SVG, WORD_LIVE, WORD_HELP };

/**
 * struct watch - a flow that is to be drawn
 * @id:		its id
 * @due_ms:	when, ~0 for not yet
 * @over:	no event will follow
 * @shown:	that it was drawn, and only its end is still awaited
 * @steps:	steps that were drawn
 */
struct watch {
	__u64 id;
	__u64 due_ms;
	bool over;
	bool shown;
	unsigned int steps;
};

/**
 * struct run - what the words say, and what there is to draw
 * @filter:	which flows are meant
 * @file:	recording of one end, NULL for the device
 * @peer:	recording of the other end
 * @svg:	picture to write, NULL for text
 * @live:	draw each step at once
 * @help:	the word help
 * @style:	of text
 * @set:	the events
 * @watches:	flows that are drawn while events come
 * @watch_count: how many
 * @lost:	events that were lost so far
 * @left_out:	events of flows beyond LADDER_FLOWS
 * @drawn:	ladders so far
 * @done:	the one flow that was asked for is over
 */
struct run {
	struct filter filter;
	const char *file;
	const char *peer;
	const char *svg;
	bool live;
	bool help;
	struct ladder_style style;
	struct ladder_set *set;
	struct watch watches[LADDER_FLOWS];
	unsigned int watch_count;
	__u64 lost;
	unsigned long long left_out;
	unsigned long long drawn;
	bool done;
};

static void usage(FILE *file)
{
	fputs("Usage: threeway ladder [ FILTER ] [ file FILE ] [ live ]\n"
	      "       threeway ladder [ FILTER ] [ file FILE [ peer FILE ] ] [ svg FILE ]\n"
	      "       file: read a recording instead of the device\n"
	      "       peer: the recording of the other end\n"
	      "       live: draw each step at once, not each handshake when it has ended\n"
	      "       svg: draw a picture instead of text\n"
	      FILTER_USAGE_FLOW, file);
}

static const struct keyword words[] = {
	FILTER_KEYWORDS_FLOW,
	{ "file", WORD_FILE },
	{ "peer", WORD_PEER },
	{ "svg", WORD_SVG },
	{ "live", WORD_LIVE },
	{ "help", WORD_HELP },
	{ }
};

static int parse_word(int word, struct args *args, struct run *run, unsigned int *given)
{
	char buf[16];
	const char *name = keyword_name(words, word, buf);
	int status;

	if (word < FILTER_WORDS)
		return filter_parse(&run->filter, word, args);
	status = keyword_once(given, 1U << word, name);
	if (status)
		return status;
	switch ((enum word)word) {
	case WORD_FILE:
		return args_value(args, name, "the name of a FILE, or -", &run->file);
	case WORD_PEER:
		return args_value(args, name, "the name of a FILE, or -", &run->peer);
	case WORD_SVG:
		return args_value(args, name, "the name of a FILE, or -", &run->svg);
	case WORD_LIVE:
		run->live = true;
		break;
	case WORD_HELP:
		run->help = true;
		break;
	}
	return STATUS_OK;
}

static int parse_words(struct args *args, struct run *run)
{
	int word, status = STATUS_OK;
	unsigned int given = 0;
	const char *text;

	filter_init(&run->filter);
	while (!status && !run->help && (text = args_next(args))) {
		status = keyword_parse(words, "ladder: word", HELP, text, &word);
		if (!status)
			status = parse_word(word, args, run, &given);
	}
	if (status || run->help)
		return status;
	if (run->peer && !run->file)
		return usage_error("peer: expected only with file");
	if (run->peer && !strcmp(run->peer, "-") && !strcmp(run->file, "-"))
		return usage_error("peer \"-\": file is the standard input already");
	if (run->live && (run->peer || run->svg))
		return usage_error("live: expected no peer and no svg beside it");
	if (print_options.json)
		return usage_error("ladder: there is no JSON, try \"threeway -json monitor\"");
	return status;
}

static unsigned int screen_columns(void)
{
	const char *text = getenv("COLUMNS");
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return text && atoi(text) > 0 ? atoi(text) : 80;
}

static struct watch *find_watch(struct run *run, __u64 id)
{
	unsigned int i;

	for (i = 0; i < run->watch_count; i++)
		if (run->watches[i].id == id)
			return &run->watches[i];
	if (run->watch_count == LADDER_FLOWS)
		return NULL;
	run->watches[run->watch_count] = (struct watch){ .id = id, .due_ms = ~0ULL };
	return &run->watches[run->watch_count++];
}

static void forget(struct run *run, struct watch *watch)
{
	ladder_set_remove(run->set, watch->id);
	*watch = run->watches[--run->watch_count];
}

/* When is the flow to be drawn? */
static void schedule(struct run *run, const struct threeway_event *event)
{
	struct watch *watch = find_watch(run, event->flow);
	__u64 now = monotonic_ms();

	if (!watch) {
		run->left_out++;
		return;
	}
	watch->over = event->type == THREEWAY_EV_ENDED || event->type == THREEWAY_EV_HANDOFF;
	/* Of what was drawn already only the end is news. */
	if (!watch->shown || watch->over)
		ladder_set_add(run->set, 0, event);
	if (run->live && watch->due_ms == ~0ULL)
		watch->due_ms = now + LIVE_MS;
	if (run->live)
		return;
	if (watch->over)
		watch->due_ms = now;
	else if (!watch->shown && event->state == THREEWAY_ESTABLISHED)
		watch->due_ms = now + SILENCE_MS;
}

/* The steps of a flow since the last time. */
static void draw_live(struct run *run, struct watch *watch, const struct ladder *ladder)
{
	char prefix[32] = "";

	/* Lines of several flows mix. */
	if (!run->filter.id)
		snprintf(prefix, sizeof(prefix), "#%-4llu ", (unsigned long long)watch->id);
	run->style.prefix = prefix;
	if (!watch->steps)
		ladder_text_head(ladder, &run->style, stdout);
	ladder_text_steps(ladder, &run->style, watch->steps, stdout);
	watch->steps = ladder_text_count(ladder, &run->style);
	if (watch->over)
		ladder_text_foot(ladder, &run->style, stdout);
	run->style.prefix = "";
}

static void draw(struct run *run, const struct ladder *ladder)
{
	if (run->drawn++)
		putchar('\n');
	ladder_text(ladder, &run->style, stdout);
}

static void draw_end(const struct ladder *ladder)
{
	unsigned int side;

	for (side = 0; side < 2; side++)
		if (ladder->ends[side].recorded)
			printf("\nflow %llu: %s\n", (unsigned long long)ladder->ends[side].flow,
			       ladder->ends[side].reason);
}

static void draw_watch(struct run *run, struct watch *watch)
{
	struct ladder *ladder = ladder_set_build_one(run->set, watch->id);

	watch->due_ms = ~0ULL;
	if (run->live)
		draw_live(run, watch, ladder);
	else if (watch->shown)
		draw_end(ladder);
	else
		draw(run, ladder);
	ladder_free(ladder, 1);
	if (watch->over) {
		run->done = run->filter.id;
		forget(run, watch);
	} else if (!run->live) {
		watch->shown = true;
		ladder_set_remove(run->set, watch->id);
	}
}

/* Draws what is due by then. */
static void draw_due(struct run *run, __u64 now)
{
	unsigned int i;

	for (i = run->watch_count; i--;)
		if (run->watches[i].due_ms <= now)
			draw_watch(run, &run->watches[i]);
}

static __u64 next_due(const struct run *run)
{
	__u64 due_ms = ~0ULL;
	unsigned int i;

	for (i = 0; i < run->watch_count; i++)
		if (run->watches[i].due_ms < due_ms)
			due_ms = run->watches[i].due_ms;
	return due_ms;
}

static void tell_lost(struct run *run, const struct threeway_event *event)
{
	if (event->lost > run->lost)
		fprintf(stderr, "threeway: %llu events lost\n",
			(unsigned long long)(event->lost - run->lost));
	run->lost = event->lost;
}

static void handle(struct run *run, const struct threeway_event *event, bool draws)
{
	tell_lost(run, event);
	if (!filter_event(&run->filter, event))
		return;
	if (draws) {
		schedule(run, event);
		return;
	}
	ladder_set_add(run->set, 0, event);
	if (event->type == THREEWAY_EV_ENDED || event->type == THREEWAY_EV_HANDOFF)
		run->done = run->filter.id;
}

/* Draws while events come, or draws nothing yet. */
static int watch(struct run *run, bool draws)
{
	const struct threeway_event *event;
	struct source *source;
	int status;
	bool late;

	status = run->file ? source_file(run->file, &source) :
		source_device(&run->filter, &source);
	if (status)
		return status;
	do {
		status = source_next_until(source, next_due(run), &event, &late);
		if (status)
			break;
		if (event)
			handle(run, event, draws);
		draw_due(run, monotonic_ms());
	} while ((event || late) && !run->done);
	if (run->live)
		draw_due(run, ~0ULL - 1);
	source_close(source);
	return status;
}

/* The recording of the other end. */
static int read_peer(struct run *run)
{
	const struct threeway_event *event;
	struct source *source;
	int status;

	run->lost = 0;
	status = source_file(run->peer, &source);
	if (status)
		return status;
	do {
		status = source_next(source, &event);
		if (status || !event)
			break;
		tell_lost(run, event);
		ladder_set_add(run->set, 1, event);
	} while (event);
	source_close(source);
	return status;
}

/* A filter is about the end that the word file names. */
static unsigned int drop_unasked(const struct run *run, struct ladder *ladders,
				 unsigned int count)
{
	unsigned int i, kept = 0;

	for (i = 0; i < count; i++) {
		bool asked = !run->peer || !run->filter.given || ladders[i].has_first;

		if (asked)
			ladders[kept++] = ladders[i];
		else
			ladder_clear(&ladders[i]);
	}
	return kept;
}

static int write_svg(const struct run *run, const struct ladder *ladders, unsigned int count)
{
	bool is_stdout = !strcmp(run->svg, "-");
	FILE *file = is_stdout ? stdout : fopen(run->svg, "we");

	if (!file)
		return failure("svg \"%s\": %s", run->svg, strerror(errno));
	ladder_svg(ladders, count, file);
	if (is_stdout)
		return print_flush();
	if (ferror(file) | fclose(file))
		return failure("svg \"%s\": %s", run->svg, strerror(errno));
	return STATUS_OK;
}

/* What has not been drawn while it happened. */
static int draw_rest(struct run *run)
{
	struct ladder *ladders;
	unsigned int i, count;
	int status = STATUS_OK;

	run->left_out += ladder_set_left_out(run->set);
	if (run->left_out)
		fprintf(stderr, "threeway: more than %u flows, %llu events left out\n",
			LADDER_FLOWS, run->left_out);
	ladders = ladder_set_build(run->set, &count);
	count = drop_unasked(run, ladders, count);
	if (run->svg)
		status = write_svg(run, ladders, count);
	else if (!run->live)
		for (i = 0; i < count; i++)
			draw(run, &ladders[i]);
	ladder_free(ladders, count);
	return status ? status : print_flush();
}

static int run_words(struct run *run)
{
	int status;

	run->style.ascii = options.ascii;
	run->style.growing = run->live;
	run->style.columns = screen_columns();
	run->style.prefix = "";
	run->set = ladder_set_new(run->peer ? 2 : 1);
	/* A recording that is complete needs no watching. */
	status = watch(run, run->live || !(run->file || run->svg));
	if (!status && run->peer)
		status = read_peer(run);
	if (!status)
		status = draw_rest(run);
	ladder_set_free(run->set);
	return status;
}

int ladder_run(struct args *args)
{
	struct run *run = calloc(1, sizeof(*run));
	int status;

	if (!run)
		return failure("out of memory");
	status = parse_words(args, run);
	if (!status && run->help)
		usage(stdout);
	else if (!status)
		status = run_words(run);
	free(run);
	return status;
}
