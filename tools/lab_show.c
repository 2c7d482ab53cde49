// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: an experiment of the lab for its reader
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lab.h"
#include "ladder.h"
#include "print.h"
#include "tool.h"

#define TIME_MAX	24
#define INDENT		19	/* of an explanation */

const char * const lab_end_names[2] = { "A", "B" };

const char *lab_segment_name(__u8 flags, char buf[32])
{
	static const struct {
		const char *name;
		__u8 flags;
	} names[] = {
		{ "SYN", TCP_SYN },
		{ "SYN-ACK", TCP_SYN | TCP_ACK },
		{ "ACK", TCP_ACK },
		{ "RST", TCP_RST },
		{ "RST-ACK", TCP_RST | TCP_ACK },
	};
	char flag_buf[12];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].flags == (flags & LAB_FLAGS))
			return names[i].name;
	snprintf(buf, 32, "[%s]", format_flags(flags, flag_buf));
	return buf;
}

static const char *time_since(__u64 begin, __u64 time_ns, char buf[TIME_MAX])
{
	__u64 since = time_ns > begin ? time_ns - begin : 0;
	bool is_short = since < 1000000000;
	unsigned long long thousandth = since / (is_short ? 1000 : 1000000);

	snprintf(buf, TIME_MAX, "%llu.%03llu %s", thousandth / 1000, thousandth % 1000,
		 is_short ? "ms" : "s");
	return buf;
}

static __u64 begin_ns(const struct lab *lab)
{
	return lab->count ? lab->records[0].event.time_ns : lab_now_ns();
}

static unsigned int screen_columns(void)
{
	const char *text = getenv("COLUMNS");
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return text && atoi(text) > 0 ? atoi(text) : 80;
}

/* Words, as many as fit on a line that has that many columns before them. */
static void print_folded(const char *text, unsigned int indent)
{
	unsigned int columns = screen_columns(), used = indent;

	while (*text) {
		unsigned int length = strcspn(text, " ");

		if (used > indent && used + 1 + length > columns) {
			printf("\n%*s", indent, "");
			used = indent;
		} else if (used > indent) {
			putchar(' ');
			used++;
		}
		printf("%.*s", length, text);
		used += length;
		text += length + strspn(text + length, " ");
	}
	putchar('\n');
}

static void show_head_json(const struct lab *lab)
{
	print_begin(PRINT_STREAM);
	print_record();
	print_string("lab", NULL, lab->experiment->name);
	print_string("a", NULL, lab_address(lab, LAB_ADDRESS_A));
	print_string("b", NULL, lab_address(lab, LAB_ADDRESS_B));
	if (lab->keep) {
		print_string("netns_a", NULL, lab->hosts[LAB_A].name);
		print_string("netns_b", NULL, lab->hosts[LAB_B].name);
	}
	print_end();
}

void lab_show_head(const struct lab *lab)
{
	if (print_options.json) {
		show_head_json(lab);
		return;
	}
	printf("%s: %s\n\n", lab->experiment->name, lab->experiment->summary);
	print_folded(lab->experiment->about, 0);
	if (lab->keep)
		printf("\nThe hosts stay as the namespaces %s and %s.\n",
		       lab->hosts[LAB_A].name, lab->hosts[LAB_B].name);
	putchar('\n');
	fflush(stdout);
}

void lab_show_event(const struct lab *lab, const struct lab_record *record)
{
	const struct threeway_event *event = &record->event;
	char time[TIME_MAX], name[32];

	if (event->counter == THREEWAY_C_segment_lost)
		return;
	time_since(begin_ns(lab), event->time_ns, time);
	if (event_has_segment(event))
		printf("%12s  %s  port %u: %s %s%s\n", time, lab_end_names[record->end],
		       ntohs(event->key.remote_port),
		       event->type == THREEWAY_EV_SENT ? "sends" : "gets",
		       lab_segment_name(event->flags, name),
		       event->counter == THREEWAY_C_sent_syn_timer ? " again" : "");
	else if (event->type == THREEWAY_EV_ENDED)
		printf("%12s  %s  port %u: %s\n", time, lab_end_names[record->end],
		       ntohs(event->key.remote_port), event_reason(event, name));
}

static int compare_records(const void *a, const void *b)
{
	const struct lab_record *p = a, *q = b;

	if (p->event.time_ns != q->event.time_ns)
		return p->event.time_ns < q->event.time_ns ? -1 : 1;
	return p->order < q->order ? -1 : p->order > q->order;
}

/* Within a chapter in the order in which it happened. */
static int compare_steps(const void *a, const void *b)
{
	const struct lab_step *p = a, *q = b;

	if (p->chapter != q->chapter)
		return p->chapter < q->chapter ? -1 : 1;
	if (p->time_ns != q->time_ns)
		return p->time_ns < q->time_ns ? -1 : 1;
	return p->order < q->order ? -1 : p->order > q->order;
}

static void show_events_json(const struct lab *lab)
{
	unsigned int i;

	for (i = 0; i < lab->count; i++) {
		print_begin(PRINT_STREAM);
		print_record();
		print_string("end", NULL, lab_end_names[lab->records[i].end]);
		event_print(&lab->records[i].event);
		print_end();
	}
}

/* What the segments alone would not tell. */
static void let_listen(struct ladder *ladder, enum ladder_side side)
{
	unsigned int i;

	if (ladder->ends[side].recorded)
		return;
	ladder->ends[side].first_state = THREEWAY_LISTEN;
	for (i = 0; i < ladder->step_count; i++)
		if (ladder->steps[i].side == side)
			ladder->steps[i].state = -1;
}

static struct ladder *make_ladders(const struct lab *lab, unsigned int *count)
{
	struct ladder_set *set;
	struct ladder *ladders;
	unsigned int i;

	/* An end where the engine has no part is not the same as one that got nothing. */
	for (i = 0; i < lab->count && lab->records[i].end == LAB_A; i++)
		;
	set = ladder_set_new(i < lab->count ? 2 : 1);
	for (i = 0; i < lab->count; i++)
		ladder_set_add(set, lab->records[i].end, &lab->records[i].event);
	ladders = ladder_set_build(set, count);
	ladder_set_free(set);
	for (i = 0; i < *count && lab->experiment->others_listen; i++) {
		let_listen(&ladders[i], LADDER_LEFT);
		let_listen(&ladders[i], LADDER_RIGHT);
	}
	return ladders;
}

static void show_ladders(const struct ladder *ladders, unsigned int count)
{
	struct ladder_style style = {
		.ascii = options.ascii,
		.columns = screen_columns(),
		.prefix = "",
	};
	unsigned int i;

	for (i = 0; i < count; i++) {
		ladder_text(&ladders[i], &style, stdout);
		putchar('\n');
	}
}

static int write_svg(const struct lab *lab, struct ladder *ladders, unsigned int count,
		     const char *svg)
{
	FILE *file = fopen(svg, "we");
	unsigned int i;

	for (i = 0; i < count; i++)
		snprintf(ladders[i].title, sizeof(ladders[i].title), "threeway lab %s: %s",
			 lab->experiment->name, lab->experiment->summary);
	if (!file)
		return failure("svg \"%s\": %s", svg, strerror(errno));
	ladder_svg(ladders, count, file);
	if (fclose(file))
		return failure("svg \"%s\": %s", svg, strerror(errno));
	return STATUS_OK;
}

static void show_isn(const struct lab *lab, unsigned int row)
{
	const struct lab_isn *isn = &lab->isns[row], *before = isn;
	char since[TIME_MAX];
	unsigned int i;

	/* The one of the same tuple before it. */
	for (i = 0; i < row; i++)
		if (lab->isns[i].port == isn->port)
			before = &lab->isns[i];
	print_record();
	time_since(begin_ns(lab), isn->time_ns, since);
	print_u64_as("time_ns", "Time", isn->time_ns, since);
	print_u64("client_port", "Client port", isn->port);
	print_u64("iss_a", "ISS of A", isn->iss[LAB_A]);
	print_u64("difference_a", "Difference", (__u32)(isn->iss[LAB_A] - before->iss[LAB_A]));
	print_u64("iss_b", "ISS of B", isn->iss[LAB_B]);
	print_u64("difference_b", "Difference", (__u32)(isn->iss[LAB_B] - before->iss[LAB_B]));
	print_u64("elapsed_ns", "Elapsed, ns", isn->time_ns - before->time_ns);
}

/* JSON is one object a line, as everything of the lab. */
static void show_isns(const struct lab *lab)
{
	unsigned int i;

	if (!print_options.json && lab->isn_count)
		print_begin(PRINT_TABLE);
	for (i = 0; i < lab->isn_count; i++) {
		if (print_options.json)
			print_begin(PRINT_STREAM);
		show_isn(lab, i);
		if (print_options.json)
			print_end();
	}
	if (!print_options.json && lab->isn_count) {
		print_end();
		putchar('\n');
	}
}

static void show_step_json(const struct lab *lab, unsigned int number)
{
	const struct lab_step *step = &lab->steps[number];

	print_begin(PRINT_STREAM);
	print_record();
	print_u64("step", NULL, number + 1);
	print_string("end", NULL, lab_end_names[step->end]);
	print_u64("time_ns", NULL, step->time_ns);
	print_u64("after_ms", NULL, step->time_ns > begin_ns(lab) ?
		  (step->time_ns - begin_ns(lab)) / 1000000 : 0);
	print_switch("ok", NULL, step->ok);
	print_string("text", NULL, step->text);
	print_end();
}

static void show_steps(const struct lab *lab)
{
	const char *title;
	char time[TIME_MAX];
	unsigned int i;

	for (i = 0; i < lab->step_count; i++) {
		const struct lab_step *step = &lab->steps[i];

		if (print_options.json) {
			show_step_json(lab, i);
			continue;
		}
		title = lab->titles[step->chapter];
		if (title && (!i || step->chapter != lab->steps[i - 1].chapter))
			printf("%s%s\n", i ? "\n" : "", title);
		printf("%3u. %10s  %s ", i + 1, time_since(begin_ns(lab), step->time_ns, time),
		       lab_end_names[step->end]);
		print_folded(step->text, INDENT);
	}
}

static void show_counters_json(const struct lab *lab)
{
	unsigned int i;
	int end;

	for (end = LAB_A; end <= LAB_B; end++) {
		print_begin(PRINT_STREAM);
		print_record();
		print_string("counters", NULL, lab_end_names[end]);
		for (i = 0; i < THREEWAY_COUNTER_MAX; i++)
			if (lab->counters[end][i])
				print_u64(threeway_counter_name(i), NULL, lab->counters[end][i]);
		print_end();
	}
}

static int show_result(const struct lab *lab)
{
	print_begin(PRINT_STREAM);
	print_record();
	if (print_options.json) {
		print_string("lab", NULL, lab->experiment->name);
		print_switch("ok", NULL, !lab->failed);
	} else {
		print_text(NULL, lab->failed ? "\nIt did NOT go as RFC 9293 says." :
			   "\nIt went as RFC 9293 says.");
	}
	return print_end();
}

int lab_show(struct lab *lab, const char *svg)
{
	struct ladder *ladders;
	unsigned int count, drawn;
	int status = STATUS_OK;

	qsort(lab->records, lab->count, sizeof(*lab->records), compare_records);
	qsort(lab->steps, lab->step_count, sizeof(*lab->steps), compare_steps);
	ladders = make_ladders(lab, &count);
	drawn = lab->experiment->pictures && lab->experiment->pictures < count ?
		lab->experiment->pictures : count;
	if (print_options.json)
		show_events_json(lab);
	else
		show_ladders(ladders, drawn);
	if (svg)
		status = write_svg(lab, ladders, drawn, svg);
	ladder_free(ladders, count);
	show_isns(lab);
	show_steps(lab);
	if (print_options.json)
		show_counters_json(lab);
	return status ? status : show_result(lab);
}
