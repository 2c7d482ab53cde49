// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: the object monitor
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "error.h"
#include "event.h"
#include "filter.h"
#include "print.h"
#include "source.h"
#include "tool.h"

#define HELP		"threeway monitor help"

enum word { WORD_FILE = FILTER_WORDS, WORD_WRITE, WORD_HELP };

/**
 * struct monitor - what the words say, and where the output stands
 * @filter:	which events are meant
 * @file:	recording to read, NULL for the device
 * @write:	recording to write, NULL for text or JSON
 * @help:	the word help
 * @source:	where the events come from
 * @output:	the recording
 * @begin_ns:	time of the first event, 0 before it
 * @lost:	events that were lost so far
 */
struct monitor {
	struct filter filter;
	const char *file;
	const char *write;
	bool help;
	struct source *source;
	FILE *output;
	__u64 begin_ns;
	__u64 lost;
};

static void usage(FILE *file)
{
	fputs("Usage: threeway monitor [ FILTER ] [ file FILE ] [ write FILE ]\n"
	      "       file: read a recording instead of the device\n"
	      "       write: make a recording instead of text\n"
	      FILTER_USAGE, file);
}

static int parse_words(struct args *args, struct monitor *monitor)
{
	static const struct keyword words[] = {
		FILTER_KEYWORDS,
		{ "file", WORD_FILE },
		{ "write", WORD_WRITE },
		{ "help", WORD_HELP },
		{ }
	};
	int word, status = STATUS_OK;
	unsigned int given = 0;
	const char *text;

	memset(monitor, 0, sizeof(*monitor));
	filter_init(&monitor->filter);
	while (!status && (text = args_next(args))) {
		status = keyword_parse(words, "monitor: word", HELP, text, &word);
		if (status)
			break;
		if (word == WORD_HELP) {
			monitor->help = true;
			break;
		}
		if (word < FILTER_WORDS) {
			status = filter_parse(&monitor->filter, word, args);
			continue;
		}
		status = keyword_once(&given, 1U << word, words[word].word);
		if (!status)
			status = args_value(args, words[word].word, "the name of a FILE, or -",
					    word == WORD_FILE ? &monitor->file : &monitor->write);
	}
	return status;
}

/* CLOCK_BOOTTIME as the time of day, as good as the clock was steady since. */
static struct timespec time_of_day(__u64 boot_ns)
{
	struct timespec boot, real;
	__s64 ns;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &real);
	ns = (real.tv_sec - boot.tv_sec) * 1000000000LL + real.tv_nsec - boot.tv_nsec + boot_ns;
	real.tv_sec = ns / 1000000000;
	real.tv_nsec = ns % 1000000000;
	return real;
}

static void format_time(const struct monitor *monitor, __u64 time_ns, char *buf, size_t size)
{
	bool is_short = options.timestamp == TIMESTAMP_SHORT;
	unsigned long us = time_ns / 1000 % 1000000;
	char date[64];
	struct timespec now;
	struct tm tm;

	/* Nobody knows any more when the machine of a recording was booted. */
	if (!source_is_live(monitor->source)) {
		snprintf(buf, size, is_short ? "[%llu.%06lu]" : "%llu.%06lu sec since boot",
			 (unsigned long long)time_ns / 1000000000, us);
		return;
	}
	now = time_of_day(time_ns);
	localtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), is_short ? "%Y-%m-%dT%H:%M:%S" : "%a %b %e %H:%M:%S %Y", &tm);
	us = now.tv_nsec / 1000;
	snprintf(buf, size, is_short ? "[%s.%06lu]" : "%s %06lu usec", date, us);
}

static void print_time(struct monitor *monitor, __u64 time_ns)
{
	__u64 since = time_ns - monitor->begin_ns;
	char buf[96];

	if (options.timestamp != TIMESTAMP_NONE) {
		format_time(monitor, time_ns, buf, sizeof(buf));
		if (options.timestamp == TIMESTAMP_SHORT || print_options.json)
			print_string("timestamp", NULL, buf);
		else
			printf("Timestamp: %s\n", buf);
		return;
	}
	/* Events of two CPUs may come in another order than they happened. */
	if (time_ns < monitor->begin_ns)
		since = 0;
	snprintf(buf, sizeof(buf), "%3llu.%06u", (unsigned long long)since / 1000000000,
		 (unsigned int)(since / 1000 % 1000000));
	print_text(NULL, buf);
}

static int print_lost(__u64 count)
{
	char text[48];

	snprintf(text, sizeof(text), "%llu events lost", (unsigned long long)count);
	print_begin(PRINT_STREAM);
	print_record();
	if (print_options.json)
		print_string("event", NULL, "lost");
	print_u64_as("count", NULL, count, text);
	return print_end();
}

static int show(struct monitor *monitor, const struct threeway_event *event)
{
	if (!monitor->begin_ns)
		monitor->begin_ns = event->time_ns;
	print_begin(PRINT_STREAM);
	print_record();
	print_time(monitor, event->time_ns);
	event_print(event);
	return print_end();
}

static int record(struct monitor *monitor, const struct threeway_event *event)
{
	if (fwrite(event, sizeof(*event), 1, monitor->output) == 1 && !fflush(monitor->output))
		return STATUS_OK;
	return failure("write \"%s\": %s", monitor->write, strerror(errno));
}

/* Losses are told even if the filter does not let this event through. */
static int handle(struct monitor *monitor, const struct threeway_event *event)
{
	__u64 lost = event->lost > monitor->lost ? event->lost - monitor->lost : 0;
	int status = STATUS_OK;

	monitor->lost = event->lost;
	if (lost && !monitor->write)
		status = print_lost(lost);
	if (status || !filter_event(&monitor->filter, event))
		return status;
	return monitor->write ? record(monitor, event) : show(monitor, event);
}

static int run(struct monitor *monitor)
{
	const struct threeway_event *event;
	int status;

	do {
		status = source_next(monitor->source, &event);
		if (!status && event)
			status = handle(monitor, event);
	} while (!status && event);
	return status;
}

static int open_output(struct monitor *monitor)
{
	bool is_stdout = monitor->write && !strcmp(monitor->write, "-");

	if (!monitor->write)
		return STATUS_OK;
	monitor->output = is_stdout ? stdout : fopen(monitor->write, "we");
	if (!monitor->output)
		return failure("write \"%s\": %s", monitor->write, strerror(errno));
	return STATUS_OK;
}

int monitor_run(struct args *args)
{
	struct monitor monitor;
	int status;

	status = parse_words(args, &monitor);
	if (status)
		return status;
	if (monitor.help) {
		usage(stdout);
		return STATUS_OK;
	}
	status = monitor.file ? source_file(monitor.file, &monitor.source) :
		source_device(&monitor.filter, &monitor.source);
	if (status)
		return status;
	status = open_output(&monitor);
	if (!status)
		status = run(&monitor);
	if (monitor.output && monitor.output != stdout && fclose(monitor.output) && !status)
		status = failure("write \"%s\": %s", monitor.write, strerror(errno));
	source_close(monitor.source);
	return status;
}
