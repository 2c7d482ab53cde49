/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: where events come from, the device or a recording
 *
 * A recording is what read() of the device returned: struct threeway_event, one
 * after the other, and nothing else. Everything in it is checked, so that a
 * caller may trust each event to hold values that uapi/threeway.h names.
 *
 * Functions that return an int return STATUS_OK, or the exit code of the error
 * that they have printed.
 */
#ifndef _SOURCE_H
#define _SOURCE_H

#include "filter.h"
#include "lib/threeway.h"

struct source;

/*
 * Events of the namespace from now on, or those that the filter's id and claim
 * name: the caller still has to apply filter_event().
 */
int source_device(const struct filter *filter, struct source **source);
/* The events of a recording; "-" is the standard input. */
int source_file(const char *name, struct source **source);
void source_close(struct source *source);

/*
 * The next event, valid until the next call, or NULL when there will be none:
 * at the end of a recording, after SIGINT or SIGTERM, and when nobody reads the
 * standard output any longer. Standard output is flushed before it waits.
 */
int source_next(struct source *source, const struct threeway_event **event);

/*
 * The same, but waits until_ms (CLOCK_MONOTONIC) at most: *event is NULL and
 * *late true then.
 */
int source_next_until(struct source *source, __u64 until_ms,
		      const struct threeway_event **event, bool *late);
/* CLOCK_MONOTONIC in ms. */
__u64 monotonic_ms(void);

/* Is it the device, whose times belong to this machine and this boot? */
bool source_is_live(const struct source *source);

#endif /* _SOURCE_H */
