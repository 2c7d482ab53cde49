// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: what happened in the lab
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event.h"
#include "lab.h"
#include "source.h"
#include "tool.h"
#include "words.h"

#define READ_ONCE_COUNT	64	/* events read at once */
#define EVENTS_MAX	8192

__u64 lab_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void add_record(struct lab *lab, enum lab_end end, const struct threeway_event *event)
{
	if (lab->count == EVENTS_MAX)
		exit(failure("lab: more events than any experiment has"));
	if (lab->count == lab->room) {
		lab->room = lab->room * 2 + 64;
		lab->records = reallocarray(lab->records, lab->room, sizeof(*lab->records));
		if (!lab->records)
			exit(failure("out of memory"));
	}
	lab->records[lab->count].end = end;
	lab->records[lab->count].order = lab->count;
	lab->records[lab->count].event = *event;
	if (lab->live)
		lab_show_event(lab, &lab->records[lab->count]);
	lab->count++;
}

static void read_events(struct lab *lab, enum lab_end end)
{
	struct threeway_event events[READ_ONCE_COUNT];
	int i, count;

	do {
		count = threeway_event_read(lab->hosts[end].device, events, READ_ONCE_COUNT);
		if (count < 0 && count != -EAGAIN && count != -EINTR)
			exit(kernel_error(count, "cannot read events", NULL));
		for (i = 0; i < count; i++)
			add_record(lab, end, &events[i]);
	} while (count == READ_ONCE_COUNT);
}

/* Waits for events or for the file; tells whether the file is ready. */
static bool wait_once(struct lab *lab, int fd, short wanted, __u64 until_ms)
{
	struct pollfd files[] = {
		{ .fd = lab->hosts[LAB_A].device, .events = POLLIN },
		{ .fd = lab->hosts[LAB_B].device, .events = POLLIN },
		{ .fd = fd, .events = wanted },
	};
	__u64 now = monotonic_ms();

	fflush(stdout);
	if (poll(files, 3, until_ms > now ? until_ms - now : 0) < 0)
		return false;
	if (files[0].revents)
		read_events(lab, LAB_A);
	if (files[1].revents)
		read_events(lab, LAB_B);
	return files[2].revents;
}

bool lab_wait(struct lab *lab, int fd, short wanted, unsigned int within_ms)
{
	__u64 until_ms = monotonic_ms() + within_ms;

	do {
		if (wait_once(lab, fd, wanted, until_ms))
			return true;
	} while (monotonic_ms() < until_ms);
	return false;
}

void lab_pause(struct lab *lab, unsigned int ms)
{
	lab_wait(lab, -1, 0, ms);
}

int lab_read_counters(struct lab *lab)
{
	int end, count;

	lab_pause(lab, 0);
	for (end = LAB_A; end <= LAB_B; end++) {
		count = threeway_stat_get(lab->hosts[end].device, lab->counters[end],
					  THREEWAY_COUNTER_MAX);
		if (count < 0)
			return kernel_error(count, "stat", NULL);
	}
	return STATUS_OK;
}

void lab_chapter(struct lab *lab, __u16 port, const char *title)
{
	lab->port = port;
	lab->cursors[LAB_A] = 0;
	lab->cursors[LAB_B] = 0;
	lab->titles[++lab->chapter] = title;
}

static bool is_looked_at(const struct lab *lab, const struct lab_record *record, enum lab_end end)
{
	const struct threeway_flow_key *key = &record->event.key;

	return record->end == end &&
	       (ntohs(key->local_port) == lab->port || ntohs(key->remote_port) == lab->port);
}

typedef bool wanted_fn(const struct threeway_event *event, int type);

/* The next event that the function wants; those before it are passed over. */
static bool find(struct lab *lab, enum lab_end end, wanted_fn *wanted, int type,
		 unsigned int within_ms, struct lab_record *found)
{
	__u64 until_ms = monotonic_ms() + within_ms;
	unsigned int *cursor = &lab->cursors[end];

	for (;;) {
		while (*cursor < lab->count) {
			const struct lab_record *record = &lab->records[(*cursor)++];

			if (is_looked_at(lab, record, end) && wanted(&record->event, type)) {
				*found = *record;
				return true;
			}
		}
		if (monotonic_ms() >= until_ms)
			return false;
		wait_once(lab, -1, 0, until_ms);
	}
}

/* Each segment once: that it was lost is told by an event of its own. */
static bool is_segment(const struct threeway_event *event, int type)
{
	return event->type == type && event->counter != THREEWAY_C_segment_lost;
}

static bool is_lost(const struct threeway_event *event, int type)
{
	return event->type == type && event->counter == THREEWAY_C_segment_lost;
}

static bool is_of_type(const struct threeway_event *event, int type)
{
	return event->type == type;
}

static bool find_segment(struct lab *lab, enum lab_end end, int type, __u8 flags,
			 unsigned int within_ms, struct lab_record *record)
{
	const char *verb = type == THREEWAY_EV_SENT ? "sends" : "gets";
	char wanted[32], got[32];

	if (lab->failed)
		return false;
	if (!find(lab, end, is_segment, type, within_ms, record))
		lab_fail(lab, end, "%s nothing within %u.%03u s, it should have been %s.", verb,
			 within_ms / 1000, within_ms % 1000, lab_segment_name(flags, wanted));
	else if ((record->event.flags & LAB_FLAGS) != flags)
		lab_fail(lab, end, "%s %s, it should have been %s.", verb,
			 lab_segment_name(record->event.flags, got),
			 lab_segment_name(flags, wanted));
	return !lab->failed;
}

bool lab_sent(struct lab *lab, enum lab_end end, __u8 flags, unsigned int within_ms,
	      struct lab_record *record)
{
	return find_segment(lab, end, THREEWAY_EV_SENT, flags, within_ms, record);
}

bool lab_arrived(struct lab *lab, enum lab_end end, __u8 flags, unsigned int within_ms,
		 struct lab_record *record)
{
	return find_segment(lab, end, THREEWAY_EV_ARRIVED, flags, within_ms, record);
}

bool lab_lost(struct lab *lab, enum lab_end end, __u8 flags, struct lab_record *record)
{
	char wanted[32];

	if (!lab_sent(lab, end, flags, LAB_SOON_MS, record))
		return false;
	if (!find(lab, end, is_lost, THREEWAY_EV_SENT, LAB_SOON_MS, record))
		lab_fail(lab, end, "does not lose its %s, as it should.",
			 lab_segment_name(flags, wanted));
	return !lab->failed;
}

bool lab_became(struct lab *lab, enum lab_end end, int type, int state, unsigned int within_ms,
		struct lab_record *record)
{
	char wanted[16], got[16];

	if (lab->failed)
		return false;
	if (!find(lab, end, is_of_type, type, within_ms, record))
		lab_fail(lab, end, "does not become %s.",
			 keyword_name(state_words, state, wanted));
	else if (record->event.state != state)
		lab_fail(lab, end, "becomes %s, it should have been %s.",
			 keyword_name(state_words, record->event.state, got),
			 keyword_name(state_words, state, wanted));
	return !lab->failed;
}

bool lab_silent(struct lab *lab)
{
	int end, types[] = { THREEWAY_EV_SENT, THREEWAY_EV_ARRIVED };
	struct lab_record record;
	unsigned int i, cursor;
	char name[32];

	lab_pause(lab, 0);
	for (end = LAB_A; end <= LAB_B; end++)
		for (i = 0; i < 2 && !lab->failed; i++) {
			cursor = lab->cursors[end];
			if (find(lab, end, is_segment, types[i], 0, &record))
				lab_fail(lab, end, "%s %s as well, which should not be.",
					 i ? "gets" : "sends",
					 lab_segment_name(record.event.flags, name));
			lab->cursors[end] = cursor;
		}
	return !lab->failed;
}

__printf(5, 0)
static void add_step(struct lab *lab, enum lab_end end, __u64 time_ns, bool ok,
		     const char *format, va_list args)
{
	struct lab_step *step = &lab->steps[lab->step_count];

	if (lab->step_count == LAB_STEPS)
		exit(failure("lab: too many steps"));
	step->end = end;
	step->time_ns = time_ns;
	step->ok = ok;
	step->chapter = lab->chapter;
	step->order = lab->step_count;
	vsnprintf(step->text, sizeof(step->text), format, args);
	lab->step_count++;
}

void lab_say(struct lab *lab, const struct lab_record *record, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_step(lab, record->end, record->event.time_ns, true, format, args);
	va_end(args);
}

void lab_add(struct lab *lab, enum lab_end end, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_step(lab, end, lab_now_ns(), true, format, args);
	va_end(args);
}

bool lab_must(struct lab *lab, bool ok, const char *otherwise)
{
	struct lab_step *step = &lab->steps[lab->step_count - 1];
	size_t used = strlen(step->text);

	if (ok || lab->failed)
		return !lab->failed;
	snprintf(step->text + used, sizeof(step->text) - used, " WRONG: %s.", otherwise);
	step->ok = false;
	lab->failed = true;
	return false;
}

bool lab_must_be(struct lab *lab, const struct lab_record *record, int state)
{
	char name[16], text[32];

	snprintf(text, sizeof(text), "it is in %s",
		 keyword_name(state_words, record->event.state, name));
	return lab_must(lab, record->event.state == state, text);
}

void lab_fail(struct lab *lab, enum lab_end end, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_step(lab, end, lab_now_ns(), false, format, args);
	va_end(args);
	lab->failed = true;
}
