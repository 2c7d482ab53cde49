// SPDX-License-Identifier: GPL-2.0
/* Compares two runs of a script: see compare.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"

/* Three ticks of 4 ms. */
#define TOLERANCE_MS	12
/* By so much the wheel may round the next timer up, from 256 ms on. */
#define ROUNDING_MS	32

static bool near(u64 a_ms, u64 b_ms, u64 tolerance_ms)
{
	return a_ms <= b_ms + tolerance_ms && b_ms <= a_ms + tolerance_ms;
}

/* Are both the same number of the kernel's sequence space? */
static bool same_number(const struct difference *d, u32 native, u32 engine)
{
	unsigned int i;

	for (i = 0; i < d->native->isns && i < d->engine->isns; i++) {
		if (native - d->native->isn[i] == engine - d->engine->isn[i])
			return true;
	}
	return native == engine;
}

/*
 * The same text, but for numbers behind "~", which are times in ms, and behind
 * "=", which may be of the kernel's sequence space.
 */
static bool same_line(const struct difference *d, const char *a, const char *b)
{
	char *a_end, *b_end;
	u64 n, e;

	for (; *a && *a == *b; a++, b++) {
		if (*a != '~' && *a != '=')
			continue;
		n = strtoull(a + 1, &a_end, 10);
		e = strtoull(b + 1, &b_end, 10);
		if (*a == '~' ? !near(n, e, TOLERANCE_MS + 3 * d->late_ms) :
		    !same_number(d, n, e))
			return false;
		a = a_end - 1;
		b = b_end - 1;
	}
	return *a == *b;
}

/*
 * What a step brings comes at once. The native timer is late by up to an eighth of
 * its time, as the wheel has it, the engine's is not, and what they make the peer
 * measure differs as much.
 */
static bool same_time(struct difference *d, u64 native_ms, u64 engine_ms)
{
	u64 step_ms = d->step < 0 ? 0 : d->script->step[d->step].at_ms;
	u64 late_ms = native_ms > engine_ms ? native_ms - engine_ms :
					      engine_ms - native_ms;

	if (late_ms > TOLERANCE_MS &&
	    (near(native_ms, step_ms, TOLERANCE_MS) ||
	     near(engine_ms, step_ms, TOLERANCE_MS) ||
	     late_ms > TOLERANCE_MS + ROUNDING_MS + native_ms / 16))
		return false;
	if (d->late_ms < late_ms)
		d->late_ms = late_ms;
	return true;
}

/* The line there, or NULL where the next step begins or the run ends. */
static const char *line_at(const struct run *run, unsigned int at)
{
	if (at >= run->seen.count || *run->seen.entry[at].line == '*')
		return NULL;
	return run->seen.entry[at].line;
}

static bool is_packet(const char *line)
{
	return *line == '>';
}

/* Of two events that do not belong together the later one is still to come. */
static bool same_entry(struct difference *d)
{
	u64 native_ms, engine_ms;
	bool timely;

	if (!d->native_line || !d->engine_line)
		return false;
	native_ms = d->native->seen.entry[d->native_at].at_ms;
	engine_ms = d->engine->seen.entry[d->engine_at].at_ms;
	timely = same_time(d, native_ms, engine_ms);
	if (timely && same_line(d, d->native_line, d->engine_line))
		return true;
	if (timely && is_packet(d->native_line) && is_packet(d->engine_line))
		return false;
	if (native_ms + TOLERANCE_MS < engine_ms)
		d->engine_line = NULL;
	else if (engine_ms + TOLERANCE_MS < native_ms)
		d->native_line = NULL;
	return false;
}

static const struct allowed *find_allowed(const struct difference *d)
{
	unsigned int i;

	for (i = 0; i < allowed_count; i++) {
		if (allowed[i].matches(d))
			return &allowed[i];
	}
	return NULL;
}

/* Does this allowed difference move the counter? */
static bool moves(const struct allowed *entry, const char *counter)
{
	size_t len = strlen(counter);
	const char *at = entry->counters;

	while (at && (at = strstr(at, counter))) {
		if (at[-1] == ' ' && at[len] == ' ')
			return true;
		at += len;
	}
	return false;
}

/* Which allowed differences the script has had. */
static void use(bool *used, const struct allowed *entry)
{
	used[entry - allowed] = true;
}

static enum verdict compare_counters(struct difference *d, bool *used)
{
	static char native[32], engine[32];
	const struct allowed *entry;
	unsigned int i, k;

	d->native_line = native;
	d->engine_line = engine;
	for (i = 0; i < d->native->mib.count; i++) {
		if (d->native->mib.value[i] == d->engine->mib.value[i])
			continue;
		d->counter = mib_name[i];
		for (k = 0; k < allowed_count; k++) {
			if (used[k] && moves(&allowed[k], d->counter))
				break;
		}
		if (k < allowed_count)
			continue;
		snprintf(native, sizeof(native), "%lld",
			 (long long)d->native->mib.value[i]);
		snprintf(engine, sizeof(engine), "%lld",
			 (long long)d->engine->mib.value[i]);
		entry = find_allowed(d);
		if (!entry)
			return DIFFERENT;
		use(used, entry);
	}
	return SAME;
}

static void next_step(struct difference *d)
{
	d->native_at++;
	d->engine_at++;
	d->step++;
	d->sent = NULL;
	if (d->step < (int)d->script->steps && d->native->is_segment[d->step])
		d->sent = &d->native->sent[d->step];
}

/* Step by step, line by line. */
static enum verdict compare_lines(struct difference *d, bool *used)
{
	const struct allowed *entry;

	/* an active script begins with connect() */
	d->step = d->script->active ? -2 : -1;
	while (d->native_at < d->native->seen.count ||
	       d->engine_at < d->engine->seen.count) {
		d->native_line = line_at(d->native, d->native_at);
		d->engine_line = line_at(d->engine, d->engine_at);
		if (!d->native_line && !d->engine_line) {
			next_step(d);
			continue;
		}
		if (!same_entry(d)) {
			entry = find_allowed(d);
			if (!entry)
				return DIFFERENT;
			use(used, entry);
			if (entry->rest)
				return DIVERGED;
		}
		d->native_at += !!d->native_line;
		d->engine_at += !!d->engine_line;
	}
	return SAME;
}

enum verdict compare(const struct script *script, const struct run *native,
		     const struct run *engine, struct difference *difference)
{
	bool used[64] = { false };
	enum verdict verdict;
	unsigned int i;

	*difference = (struct difference) {
		.script = script,
		.native = native,
		.engine = engine,
	};
	verdict = compare_lines(difference, used);
	if (verdict == SAME)
		verdict = compare_counters(difference, used);
	for (i = 0; i < allowed_count && verdict != DIFFERENT; i++)
		allowed[i].uses += used[i];
	return verdict;
}

static void print_row(const struct difference *d, unsigned int native_at,
		      unsigned int engine_at)
{
	bool differs = !d->counter && native_at == d->native_at &&
		       engine_at == d->engine_at;
	const struct run *native = d->native, *engine = d->engine;
	const char *left = line_at(native, native_at);
	const char *right = line_at(engine, engine_at);

	printf("# %c ", differs ? '!' : ' ');
	if (left)
		printf("%6llu %-100s",
		       (unsigned long long)native->seen.entry[native_at].at_ms,
		       left);
	else
		printf("%107s", "");
	if (left && right && same_line(d, left, right) && !differs)
		printf(" =\n");
	else if (right)
		printf(" | %6llu %s\n",
		       (unsigned long long)engine->seen.entry[engine_at].at_ms,
		       right);
	else
		printf(" |\n");
}

static void print_runs(const struct difference *d)
{
	const struct run *native = d->native, *engine = d->engine;
	unsigned int n = 0, e = 0;
	bool left, right;

	printf("#   %6s %-100s | %6s engine\n", "ms", "native", "ms");
	while (n < native->seen.count || e < engine->seen.count) {
		left = line_at(native, n);
		right = line_at(engine, e);
		if (!left && !right) {
			printf("#   %s\n", n < native->seen.count ?
			       native->seen.entry[n].line : "");
			n++;
			e++;
			continue;
		}
		print_row(d, n, e);
		n += left;
		e += right;
	}
}

void print_difference(const struct difference *d)
{
	unsigned int i;

	print_runs(d);
	if (!d->counter)
		return;
	for (i = 0; i < d->native->mib.count; i++) {
		if (d->native->mib.value[i] != d->engine->mib.value[i])
			printf("# ! %s: native %lld, engine %lld\n",
			       mib_name[i],
			       (long long)d->native->mib.value[i],
			       (long long)d->engine->mib.value[i]);
	}
}
