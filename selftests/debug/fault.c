// SPDX-License-Identifier: GPL-2.0
/* Allocations that fail: see fault.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"

#define FAULTS		"/sys/kernel/debug"
#define FAULT_INIT	"/sys/module/fault_init/parameters"
/* No step has as many allocations as this. */
#define WALK_MAX	20000
/* A walk over octets: as fine as the allocations of a segment are apart. */
#define WALK_OCTETS	128
#define WALK_REMOTE	100
/* More buffers than the cache of a CPU has, and what fills it. */
#define BUFFERS_MAX	200
#define FILLS_BUFFERS	"hs_buffer_get"
#define FILLS_MAX	100000
/* After so many surprises nothing makes sense any more. */
#define FAILURES_MAX	10
#define STACK_TOUCHED	(512 << 10)

static int fail_nth = -1;

static void set(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0) {
		fprintf(stderr, "# %s: %s\n", file, strerror(errno));
		abort();
	}
	close(fd);
}

static void __printf(2, 3) set_slab(const char *name, const char *format, ...)
{
	char file[128], value[32];
	va_list args;

	snprintf(file, sizeof(file), FAULTS "/failslab/%s", name);
	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	set(file, value);
}

/* So that no page fault of the test itself needs an allocation. */
static void touch_stack(void)
{
	char stack[STACK_TOUCHED];

	memset(stack, 0, sizeof(stack));
	/* no compiler leaves that out */
	asm volatile("" : : "r" (stack) : "memory");
}

const char *fault_prepare(void)
{
	touch_stack();
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0 || access(FAULTS "/failslab", F_OK))
		return "a kernel with failslab: see make check-debug";
	/* the kernel's own retries are tried as well */
	set_slab("ignore-gfp-wait", "N");
	set_slab("verbose", "0");
	set_slab("interval", "1");
	set_slab("stacktrace-depth", "32");
	set(FAULTS "/fail_page_alloc/ignore-gfp-wait", "N");
	set(FAULTS "/fail_page_alloc/ignore-gfp-highmem", "N");
	set(FAULTS "/fail_page_alloc/verbose", "0");
	fault_pages(false);
	return NULL;
}

void fault_pages(bool fail)
{
	set(FAULTS "/fail_page_alloc/min-order", fail ? "0" : "20");
}

/* A line of /proc/kallsyms about a function of the module. */
static bool scan_symbol(const char *line, unsigned long *at, char *name)
{
	char type;

	return strstr(line, "\t[threeway]") &&
	       sscanf(line, "%lx %c %127s", at, &type, name) == 3 &&
	       strchr("tT", type);
}

/* The text of the module, or of one of its functions. */
static void find_range(const char *symbol, unsigned long *start,
		       unsigned long *end)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[256], name[128];
	unsigned long at;

	*start = 0;
	*end = 0;
	while (fgets(line, sizeof(line), file)) {
		if (!scan_symbol(line, &at, name))
			continue;
		if (symbol ? !strcmp(name, symbol) : !*start || at < *start)
			*start = at;
		if (!symbol && at >= *end)
			*end = at + 1;
	}
	rewind(file);
	while (symbol && fgets(line, sizeof(line), file)) {
		if (scan_symbol(line, &at, name) && at > *start &&
		    (!*end || at < *end))
			*end = at;
	}
	fclose(file);
	if (*end <= *start) {
		fprintf(stderr, "# no %s in the module\n", symbol ?: "text");
		abort();
	}
}

/* How many allocations fail at most where the walk is over all threads'. */
static unsigned int times(const struct walk *walk)
{
	return walk->empty ? FILLS_MAX : 1;
}

static void begin_anywhere(const struct walk *walk)
{
	set_slab("space", "%u",
		 walk->empty ? 0 : (walk->nth - 1) * WALK_OCTETS);
	set_slab("times", "%u", times(walk));
	set_slab("probability", "100");
}

/* The number that a file consists of. */
static int get(const char *path)
{
	FILE *file = fopen(path, "r");
	int value;

	if (!file || fscanf(file, "%d", &value) != 1) {
		fprintf(stderr, "# %s: no number\n", path);
		abort();
	}
	fclose(file);
	return value;
}

static bool end_anywhere(const struct walk *walk)
{
	set_slab("probability", "0");
	return get(FAULTS "/failslab/times") < (int)times(walk);
}

static bool end_init(void)
{
	bool hit = !get(FAULT_INIT "/left");

	set(FAULT_INIT "/nth", "0");
	return hit;
}

static void read_counters(struct peer *peer, __u64 *values)
{
	int n = threeway_stat_get(peer->engine, values, THREEWAY_COUNTER_MAX);

	check(peer, n == THREEWAY_COUNTER_MAX, "counters: %d", n);
}

void fault_begin(struct walk *walk)
{
	char value[16];
	int len = snprintf(value, sizeof(value), "%u", walk->nth);

	if (*walk->outcomes)
		read_counters(walk->peer, walk->peer->counters);
	walk->peer->lossy = true;
	if (walk->empty || walk->remote)
		begin_anywhere(walk);
	else if (walk->init)
		set(FAULT_INIT "/nth", value);
	else if (pwrite(fail_nth, value, len, 0) != len)
		abort();
}

/* Whatever the counters say must be among the outcomes. */
static void judge(struct walk *walk)
{
	struct peer *peer = walk->peer;
	__u64 values[THREEWAY_COUNTER_MAX];
	char text[LINE_MAX_LEN] = "";
	size_t at = 0;
	unsigned int i;

	read_counters(peer, values);
	for (i = 0; i < THREEWAY_COUNTER_MAX; i++) {
		/* not what came of it but how it was done */
		if (i == THREEWAY_C_handoff_replayed ||
		    values[i] == peer->counters[i] || at >= sizeof(text))
			continue;
		at += snprintf(text + at, sizeof(text) - at, "%s%s %llu",
			       at ? "; " : "", threeway_counter_name(i),
			       (unsigned long long)(values[i] -
						    peer->counters[i]));
	}
	for (i = 0; walk->outcomes[i]; i++) {
		if (strcmp(walk->outcomes[i], text))
			continue;
		walk->seen[i]++;
		return;
	}
	check(peer, false, "counters: %s", text);
}

void fault_end(struct walk *walk)
{
	char value[16] = "";

	if (walk->empty || walk->remote) {
		walk->hit = end_anywhere(walk);
	} else if (walk->init) {
		walk->hit = end_init();
	} else {
		if (pread(fail_nth, value, sizeof(value) - 1, 0) <= 0 ||
		    pwrite(fail_nth, "0", 1, 0) != 1)
			abort();
		walk->hit = !atoi(value);
	}
	walk->peer->lossy = false;
	if (*walk->outcomes)
		judge(walk);
}

/* Each of the outcomes must have come about. */
static void report(struct walk *walk, struct place place, unsigned int hits)
{
	unsigned int i;

	fprintf(stderr, "# line %d: %u allocations failed\n", place.line,
		hits);
	for (i = 0; walk->outcomes[i]; i++) {
		fprintf(stderr, "# line %d: %u times: %s\n", place.line,
			walk->seen[i],
			*walk->outcomes[i] ? walk->outcomes[i] : "nothing");
		peer_check_(walk->peer, place, walk->seen[i], "never: %s",
			    walk->outcomes[i]);
	}
}

/* Only allocations of that function, or of all the module. */
static void only_in(const char *symbol)
{
	unsigned long start, end;

	find_range(symbol, &start, &end);
	set_slab("require-start", "%lu", start);
	set_slab("require-end", "%lu", end);
}

static bool all_seen(const struct walk *walk)
{
	unsigned int i;

	for (i = 0; walk->outcomes[i]; i++) {
		if (!walk->seen[i])
			return false;
	}
	return true;
}

/* Return: how often there was no buffer. */
static unsigned int empty_cache(struct walk *walk, fault_step *step)
{
	unsigned int i, hits = 0;

	only_in(FILLS_BUFFERS);
	walk->empty = true;
	for (i = 0; i < BUFFERS_MAX && !all_seen(walk) &&
	     walk->peer->failures < FAILURES_MAX; i++) {
		peer_label(walk->peer, "buffer %u", i);
		step(walk);
		hits += walk->hit;
	}
	walk->empty = false;
	return hits;
}

void fault_walk_(struct walk *walk, struct place place, fault_step *step)
{
	unsigned int limit = walk->remote ? WALK_REMOTE : WALK_MAX;
	struct peer *peer = walk->peer;
	unsigned int hits = 0;
	bool ended;

	/* takes longer than a step may */
	if (walk->remote)
		only_in(walk->symbol);
	do {
		walk->nth++;
		peer_label(peer, "allocation %u", walk->nth);
		step(walk);
		hits += walk->hit;
	} while (walk->hit && walk->nth < limit &&
		 peer->failures < FAILURES_MAX);
	ended = !walk->hit;
	/* there are no buffers before the module has started */
	if (!walk->init)
		hits += empty_cache(walk, step);
	peer_label(peer, "after %u failed allocations", hits);
	peer_check_(peer, place, hits && ended, "no walk");
	report(walk, place, hits);
}

bool fault_answer(struct peer *peer, u16 flags, unsigned int ms)
{
	u64 until_ms = now_ms() + ms;
	u64 now;

	while ((now = now_ms()) < until_ms) {
		if (peer_receive(peer, until_ms - now) &&
		    !peer->latest.icmp && peer->latest.flags == flags)
			return true;
	}
	return false;
}

/* Lines of a file that begin as those of /proc/net/tcp do. */
static unsigned int count_sockets(const char *path, unsigned int port)
{
	FILE *file = fopen(path, "r");
	unsigned int remote, count = 0;
	char line[512];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %*u: %*[^:]:%*x %*[^:]:%x", &remote) == 1 &&
		    remote == port)
			count++;
	}
	if (file)
		fclose(file);
	return count;
}

void fault_expect_nothing_(struct peer *peer, struct place place)
{
	unsigned int port = peer->header.sport;

	peer_check_(peer, place, !count_sockets("/proc/net/tcp", port) &&
		    !count_sockets("/proc/net/tcp6", port),
		    "a native socket is left");
	peer_check_(peer, place, peer_flows(peer, NULL) == 0,
		    "a flow is left");
}
