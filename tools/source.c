// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: where events come from, the device or a recording
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "source.h"
#include "tool.h"

#define ROOM_KERNEL	8192	/* events that may wait in the kernel */
#define ROOM		64	/* events read at once */
#define FOREVER		(~0ULL)

/**
 * struct source - where events come from
 * @fd:		the device or the recording
 * @live:	it is the device
 * @name:	of the recording
 * @number:	events that were returned
 * @begin:	first byte of @buf that was not returned
 * @end:	bytes in @buf
 * @buf:	what was read
 */
struct source {
	int fd;
	bool live;
	const char *name;
	unsigned long long number;
	size_t begin;
	size_t end;
	union {
		struct threeway_event events[ROOM];
		char bytes[ROOM * sizeof(struct threeway_event)];
	} buf;
};

static bool interrupted;
static int signals = -1;	/* a signalfd while there is a source */
static sigset_t signals_before;

static void catch_signals(void)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &signals_before);
	signals = signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void release_signals(void)
{
	struct signalfd_siginfo signal;

	/* The one that has ended the source must not end the program as well. */
	if (interrupted)
		while (read(signals, &signal, sizeof(signal)) > 0)
			;
	interrupted = false;
	close(signals);
	sigprocmask(SIG_SETMASK, &signals_before, NULL);
}

static struct source *source_new(int fd, const char *name)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		exit(failure("out of memory"));
	source->fd = fd;
	source->name = name;
	source->live = !name;
	catch_signals();
	return source;
}

int source_device(const struct filter *filter, struct source **source)
{
	int fd, err, status = tool_device(&fd);

	if (status)
		return status;
	err = threeway_event_start(fd, filter->id, filter->claim, ROOM_KERNEL);
	if (err)
		return kernel_error(err, "cannot start events", err == -ENOSPC ?
				    "the namespace has as many readers as it may" : NULL);
	*source = source_new(fd, NULL);
	return STATUS_OK;
}

int source_file(const char *name, struct source **source)
{
	int fd = strcmp(name, "-") ? open(name, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;

	if (fd < 0)
		return failure("file \"%s\": %s", name, strerror(errno));
	*source = source_new(fd, name);
	return STATUS_OK;
}

void source_close(struct source *source)
{
	/* The device is shared, see tool_device(). */
	if (!source->live && source->fd != STDIN_FILENO)
		close(source->fd);
	free(source);
	release_signals();
}

bool source_is_live(const struct source *source)
{
	return source->live;
}

__u64 monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

enum wait { WAIT_READY, WAIT_LATE, WAIT_OVER };

static enum wait wait_for(const struct source *source, __u64 until_ms)
{
	/* Standard output only for the news that its reader has gone. */
	struct pollfd files[] = {
		{ .fd = source->fd, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = fcntl(STDOUT_FILENO, F_GETFD) < 0 ? -1 : STDOUT_FILENO },
	};
	struct timespec left, *timeout = NULL;

	fflush(stdout);
	if (until_ms != FOREVER) {
		__u64 now = monotonic_ms();
		__u64 left_ms = until_ms > now ? until_ms - now : 0;

		left.tv_sec = left_ms / 1000;
		left.tv_nsec = left_ms % 1000 * 1000000;
		timeout = &left;
	}
	if (!ppoll(files, 3, timeout, NULL))
		return WAIT_LATE;
	if (files[1].revents)
		interrupted = true;
	return files[0].revents && !interrupted ? WAIT_READY : WAIT_OVER;
}

/* Are all values of the event known? what gets the name of one that is not. */
static bool valid(const struct threeway_event *event, const char **what, unsigned int *value)
{
	const struct {
		const char *what;
		unsigned int value, min, max;
	} ranges[] = {
		{ "type", event->type, THREEWAY_EV_OPENED, THREEWAY_EV_ENDED },
		{ "direction", event->direction, THREEWAY_PASSIVE, THREEWAY_ACTIVE },
		{ "mode", event->mode, THREEWAY_HANDOFF, THREEWAY_OBSERVE },
		{ "state", event->state_before, THREEWAY_CLOSED, THREEWAY_ESTABLISHED },
		{ "state", event->state, THREEWAY_CLOSED, THREEWAY_ESTABLISHED },
		{ "pad", event->pad, 0, 0 },
		{ "pad", event->key.pad, 0, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		*what = ranges[i].what;
		*value = ranges[i].value;
		if (*value < ranges[i].min || *value > ranges[i].max)
			return false;
	}
	*what = "family";
	*value = event->key.family;
	return *value == AF_INET || *value == AF_INET6;
}

static int check_event(struct source *source, const struct threeway_event *event)
{
	unsigned long long byte = source->number * sizeof(*event);
	unsigned int value;
	const char *what;

	source->number++;
	if (valid(event, &what, &value))
		return STATUS_OK;
	if (source->live)
		return failure("an event of %s %u: the module and the tool are of different versions",
			       what, value);
	return failure("file \"%s\": event %llu (byte %llu) has the %s %u, this is no recording",
		       source->name, source->number, byte, what, value);
}

static int read_error(const struct source *source)
{
	if (source->live)
		return kernel_error(-errno, "cannot read events", NULL);
	return failure("file \"%s\": %s", source->name, strerror(errno));
}

/* Reads until a whole event is in the buffer; *over when none will come. */
static int fill(struct source *source, __u64 until_ms, bool *over, bool *late)
{
	while (source->end - source->begin < sizeof(struct threeway_event)) {
		ssize_t got;

		memmove(source->buf.bytes, source->buf.bytes + source->begin,
			source->end - source->begin);
		source->end -= source->begin;
		source->begin = 0;

		*late = false;
		*over = true;
		switch (wait_for(source, until_ms)) {
		case WAIT_LATE:
			*late = true;
			return STATUS_OK;
		case WAIT_OVER:
			return STATUS_OK;
		case WAIT_READY:
			break;
		}
		got = read(source->fd, source->buf.bytes + source->end,
			   sizeof(source->buf.bytes) - source->end);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return read_error(source);
		if (!got && source->end)
			return failure("file \"%s\": ends within event %llu (byte %llu)",
				       source->name, source->number + 1,
				       source->number * sizeof(struct threeway_event));
		if (!got)
			return STATUS_OK;
		if (got > 0)
			source->end += got;
	}
	*over = false;
	return STATUS_OK;
}

int source_next_until(struct source *source, __u64 until_ms,
		      const struct threeway_event **event, bool *late)
{
	bool over;
	int status;

	*event = NULL;
	*late = false;
	status = fill(source, until_ms, &over, late);
	if (status || over)
		return status;
	/* Whole events only go in and out, so that this one is aligned. */
	*event = &source->buf.events[source->begin / sizeof(**event)];
	source->begin += sizeof(**event);
	return check_event(source, *event);
}

int source_next(struct source *source, const struct threeway_event **event)
{
	bool late;

	return source_next_until(source, FOREVER, event, &late);
}
