/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between two runs of a script, and whether it may. */
#ifndef DIFFER_COMPARE_H
#define DIFFER_COMPARE_H

#include "play.h"

/**
 * struct difference - one
 * @script:	the script
 * @native:	the run without the engine
 * @engine:	the run with it
 * @native_line: what the native stack did, or NULL for nothing
 * @engine_line: what the engine did, or NULL for nothing
 * @native_at:	place of @native_line in the run, or where it is missing
 * @engine_at:	place of @engine_line, or where it is missing
 * @step:	the latest step, or -1
 * @sent:	its segment, or NULL
 * @counter:	it is one of the kernel's counters, else NULL
 * @late_ms:	by how much the native timer was late so far
 */
struct difference {
	const struct script *script;
	const struct run *native;
	const struct run *engine;
	const char *native_line;
	const char *engine_line;
	unsigned int native_at;
	unsigned int engine_at;
	int step;
	const struct packet *sent;
	const char *counter;
	u64 late_ms;
};

/**
 * struct allowed - a difference that is meant
 * @rule:	of the checklist
 * @what:	differs
 * @when:	the condition
 * @why:	the reason
 * @matches:	whether a difference is this one
 * @counters:	that differ with it, between spaces
 * @rest:	from there on the connections go different ways: what follows
 *		is not compared
 * @uses:	scripts that had it
 */
struct allowed {
	const char *rule;
	const char *what;
	const char *when;
	const char *why;
	bool (*matches)(const struct difference *difference);
	const char *counters;
	bool rest;
	unsigned int uses;
};

extern struct allowed allowed[];
extern const unsigned int allowed_count;

/**
 * enum verdict - of two runs
 * @SAME:	no difference but allowed ones
 * @DIVERGED:	an allowed one after which nothing can be compared
 * @DIFFERENT:	another one
 */
enum verdict {
	SAME,
	DIVERGED,
	DIFFERENT,
};

/* The first difference that is not allowed is in *difference. */
enum verdict compare(const struct script *script, const struct run *native,
		     const struct run *engine, struct difference *difference);

/* Both runs side by side, and what differs. */
void print_difference(const struct difference *difference);

#endif /* DIFFER_COMPARE_H */
