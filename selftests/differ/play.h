/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A script on a host with or without claims, and all that can be seen of it.
 *
 * Both hosts are network namespaces of one machine. Each script begins at the
 * same place between two ticks of the timer wheel, so that timers of both
 * stacks that are set to the same time expire in the same tick, and what is sent
 * next to a retransmission comes before or after it on both.
 */
#ifndef DIFFER_PLAY_H
#define DIFFER_PLAY_H

#include "../wire/client.h"
#include "mib.h"
#include "script.h"

/**
 * struct host - one that scripts are played on
 * @peer:	its peer
 * @netns:	fd of its namespace
 */
struct host {
	struct peer peer;
	int netns;
};

/* Connections that one script can make. */
#define ISN_MAX	8

/**
 * struct run - what was seen of a script
 * @seen:	packets of the kernel, what the program noticed, and each step as
 *		a line that begins with "*"
 * @mib:	by how much the kernel's counters have moved
 * @sent:	the segments of the steps, their numbers relative
 * @is_segment:	the step is one
 * @bad_echo:	its TSecr is none that the kernel has sent to this ISN
 * @edge:	right edge of the kernel's window, from the peer's ISN
 * @isns:	how many ISNs the kernel has used
 * @isn:	they
 * @claimed:	by how much counters of the engine have moved that tell that the
 *		claim was met
 * @handed_over: the engine has handed the connection over
 */
struct run {
	struct transcript seen;
	struct mib mib;
	struct packet sent[SCRIPT_STEPS];
	bool is_segment[SCRIPT_STEPS];
	bool bad_echo[SCRIPT_STEPS];
	u32 edge;
	unsigned int isns;
	u32 isn[ISN_MAX];
	u64 claimed;
	u64 handed_over;
};

/* NULL, or what the machine lacks. */
const char *host_open(struct host *host, int family, bool with_engine);
void host_close(struct host *host);
/* It begins @phase_ms after a tick of the timer wheel. */
void host_play(struct host *host, const struct script *script, u64 phase_ms,
	       struct run *run);

#endif /* DIFFER_PLAY_H */
