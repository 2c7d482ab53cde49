/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: what the parts of the tool share
 */
#ifndef _TOOL_H
#define _TOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "args.h"

/* Exit codes, those of iproute2 and one more. */
enum status {
	STATUS_OK	= 0,
	STATUS_FAILED	= 1,	/* nothing matched, no output possible */
	STATUS_KERNEL	= 2,	/* the kernel refused */
	STATUS_UNFINISHED = 3,	/* open wait: not done yet */
	STATUS_USAGE	= 255,	/* a word on the command line is wrong */
};

enum timestamp { TIMESTAMP_NONE, TIMESTAMP_LONG, TIMESTAMP_SHORT };

/**
 * struct tool_options - what the options on the command line say
 * @family:	AF_INET for -4, AF_INET6 for -6, else AF_UNSPEC
 * @statistics:	-statistics
 * @echo:	-echo
 * @ascii:	-ascii, or the locale's characters are not UTF-8
 * @timestamp:	-timestamp or -tshort
 */
struct tool_options {
	int family;
	bool statistics;
	bool echo;
	bool ascii;
	enum timestamp timestamp;
};

extern struct tool_options options;

/* Opens the device at the first call; all later calls return the same file. */
int tool_device(int *fd);

/* The objects, with the words that follow theirs. */
int claim_run(struct args *args);
int secret_run(struct args *args);
int flow_run(struct args *args);
int stat_run(struct args *args);
int lab_run(struct args *args);
int ladder_run(struct args *args);
int monitor_run(struct args *args);
int open_run(struct args *args);

#endif /* _TOOL_H */
