// SPDX-License-Identifier: GPL-2.0
/*
 * Writes a recording of events, as read() of /dev/threeway would return them,
 * from a description on the standard input: a line for each event,
 *
 *	SECONDS TYPE [FLAGS] [NAME=VALUE]...
 *
 * TYPE is opened, arrived, sent, timer, state, handoff or ended; FLAGS are those
 * of a segment as tcpdump writes them. NAME is flow, claim, direction, mode,
 * local, remote, iss, irs, state, lost, timeouts or retransmits, which stay as
 * they are for the events of the flow that follow, or seq, ack, wnd, len, mss,
 * sack, ts (VAL/ECR), ws, timer_ms, counter and before, the state before it, which
 * are for one event.
 * flow comes first where it is given. # begins a comment.
 *
 * "record random SEED COUNT" writes so many events instead whose values are all
 * known to uapi/threeway.h, and make no sense.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/lib/threeway.h"

#define FLOWS	64

static const char * const states[] = {
	"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED",
};

static struct threeway_event flows[FLOWS];
static unsigned int line;

static void die(const char *what, const char *word)
{
	fprintf(stderr, "record: line %u: %s \"%s\"\n", line, what, word);
	exit(1);
}

static unsigned long long value_of(const char *text)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 0);

	if (!isdigit(*text) || *end)
		die("no number", text);
	return value;
}

/* The index of the word in a list, from first on. */
static int index_of(const char * const *words, int count, int first, const char *word)
{
	int i;

	for (i = 0; i < count; i++)
		if (!strcmp(words[i], word))
			return first + i;
	die("unknown", word);
	return 0;
}

#define INDEX_OF(words, first, word) \
	index_of(words, sizeof(words) / sizeof(*(words)), first, word)

/* ADDRESS:PORT, with the address of IPv6 in brackets. */
static void endpoint(struct threeway_flow_key *key, char *text, __u8 *address, __be16 *port)
{
	char *colon = strrchr(text, ':');
	size_t length;

	if (!colon)
		die("no port in", text);
	*colon = '\0';
	*port = htons(value_of(colon + 1));
	length = strlen(text);
	memset(address, 0, 16);
	key->family = *text == '[' ? AF_INET6 : AF_INET;
	if (*text == '[' && text[length - 1] == ']') {
		text[length - 1] = '\0';
		text++;
	}
	if (inet_pton(key->family, text, address) != 1)
		die("no address", text);
}

static __u8 flags_of(const char *text)
{
	static const char letters[] = "FSRP.UEW";
	__u8 flags = 0;

	for (; *text; text++) {
		const char *letter = strchr(letters, *text);

		if (!letter)
			die("no flags", text);
		flags |= 1U << (letter - letters);
	}
	return flags;
}

static void set_timestamps(struct threeway_event *event, char *value)
{
	char *slash = strchr(value, '/');

	if (!slash)
		die("no VAL/ECR", value);
	*slash = '\0';
	event->options |= THREEWAY_O_TIMESTAMPS;
	event->tsval = value_of(value);
	event->tsecr = value_of(slash + 1);
}

/* What stays for the flow. */
static int set_flow(struct threeway_event *event, const char *name, char *value)
{
	static const char * const directions[] = { "passive", "active" };
	static const char * const modes[] = { "handoff", "hold", "observe" };

	if (!strcmp(name, "claim"))
		event->claim = value_of(value);
	else if (!strcmp(name, "direction"))
		event->direction = INDEX_OF(directions, 1, value);
	else if (!strcmp(name, "mode"))
		event->mode = INDEX_OF(modes, 1, value);
	else if (!strcmp(name, "local"))
		endpoint(&event->key, value, event->key.local, &event->key.local_port);
	else if (!strcmp(name, "remote"))
		endpoint(&event->key, value, event->key.remote, &event->key.remote_port);
	else if (!strcmp(name, "iss"))
		event->iss = value_of(value);
	else if (!strcmp(name, "irs"))
		event->irs = value_of(value);
	else if (!strcmp(name, "state"))
		event->state = INDEX_OF(states, 0, value);
	else if (!strcmp(name, "lost"))
		event->lost = value_of(value);
	else if (!strcmp(name, "timeouts"))
		event->timeouts = value_of(value);
	else if (!strcmp(name, "retransmits"))
		event->retransmits = value_of(value);
	else
		return 0;
	return 1;
}

/* What is for this event alone. */
static int set_event(struct threeway_event *event, const char *name, char *value)
{
	if (!strcmp(name, "seq")) {
		event->seq = value_of(value);
	} else if (!strcmp(name, "ack")) {
		event->ack = value_of(value);
	} else if (!strcmp(name, "wnd")) {
		event->wnd = value_of(value);
	} else if (!strcmp(name, "len")) {
		event->len = value_of(value);
	} else if (!strcmp(name, "mss")) {
		event->options |= THREEWAY_O_MSS;
		event->mss = value_of(value);
	} else if (!strcmp(name, "sack")) {
		event->options |= value_of(value) ? THREEWAY_O_SACK_PERMITTED : 0;
	} else if (!strcmp(name, "ws")) {
		event->options |= THREEWAY_O_WINDOW_SCALE;
		event->wscale = value_of(value);
	} else if (!strcmp(name, "ts")) {
		set_timestamps(event, value);
	} else if (!strcmp(name, "timer_ms")) {
		event->timer_ms = value_of(value);
	} else if (!strcmp(name, "counter")) {
		int counter = threeway_counter_find(value);

		event->counter = counter < 0 ? value_of(value) : (unsigned int)counter;
	} else if (!strcmp(name, "before")) {
		event->state_before = INDEX_OF(states, 0, value);
	} else {
		return 0;
	}
	return 1;
}

static void clear_event(struct threeway_event *event)
{
	event->counter = THREEWAY_EVENT_NO_COUNTER;
	event->state_before = event->state;
	event->wscale = 0;
	event->flags = 0;
	event->options = 0;
	event->seq = 0;
	event->ack = 0;
	event->wnd = 0;
	event->mss = 0;
	event->tsval = 0;
	event->tsecr = 0;
	event->len = 0;
	event->timer_ms = 0;
}

/* "1.000250" without the rounding of a double. */
static __u64 nanoseconds(const char *text)
{
	unsigned long long seconds;
	__u64 ns = 0, unit = 100000000;
	char *end;

	seconds = strtoull(text, &end, 10);
	if (end == text || (*end && *end != '.'))
		die("no time", text);
	if (*end)
		for (end++; isdigit(*end) && unit; end++, unit /= 10)
			ns += (*end - '0') * unit;
	if (*end)
		die("no time", text);
	return (seconds + 1000) * 1000000000ULL + ns;
}

static void write_event(char *text)
{
	static const char * const types[] = {
		"opened", "arrived", "sent", "timer", "state", "handoff", "ended",
	};
	char *time = strtok(text, " \t\n"), *type = strtok(NULL, " \t\n"), *word;
	struct threeway_event *event = NULL;
	static unsigned int flow;

	if (!time)
		return;
	if (!type)
		die("no type after", time);
	while ((word = strtok(NULL, " \t\n"))) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		if (!event) {
			if (value && !strcmp(word, "flow"))
				flow = value_of(value);
			if (flow >= FLOWS)
				die("too large", value);
			event = &flows[flow];
			clear_event(event);
		}
		if (!value)
			event->flags = flags_of(word);
		else if (strcmp(word, "flow") && !set_flow(event, word, value) &&
			 !set_event(event, word, value))
			die("unknown", word);
	}
	if (!event) {
		event = &flows[flow];
		clear_event(event);
	}
	event->flow = flow;
	event->time_ns = nanoseconds(time);
	event->type = INDEX_OF(types, 1, type);
	if (fwrite(event, sizeof(*event), 1, stdout) != 1)
		die("cannot write", strerror(0));
}

static __u64 seed;

static __u64 any(__u64 below)
{
	/* splitmix64 */
	__u64 z = seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	z ^= z >> 31;
	return below ? z % below : z;
}

/* Small numbers meet each other, large ones overflow something. */
static __u64 some(void)
{
	return any(2) ? any(4) : any(0);
}

static void write_random(void)
{
	struct threeway_event event = {
		.time_ns = any(8) ? any(200) * 50000000 : some(),
		.flow = any(20) ? any(6) : some(),
		.lost = any(50) ? 0 : some(),
		.claim = some(),
		.counter = any(2) ? THREEWAY_EVENT_NO_COUNTER : any(THREEWAY_COUNTER_MAX + 2),
		.type = THREEWAY_EV_OPENED + any(THREEWAY_EV_ENDED),
		.direction = THREEWAY_PASSIVE + any(2),
		.mode = THREEWAY_HANDOFF + any(3),
		.state_before = any(THREEWAY_ESTABLISHED + 1),
		.state = any(THREEWAY_ESTABLISHED + 1),
		.wscale = any(256),
		.flags = any(256),
		.options = any(256),
		.seq = some(),
		.ack = some(),
		.wnd = some(),
		.mss = some(),
		.tsval = some(),
		.tsecr = some(),
		.len = some(),
		.iss = some(),
		.irs = some(),
		.timer_ms = some(),
		.timeouts = some(),
		.retransmits = some(),
		.key.family = any(2) ? AF_INET : AF_INET6,
		.key.local_port = any(2),
		.key.remote_port = any(2),
		.key.ifindex = any(5) ? 0 : some(),
	};

	event.key.local[0] = any(2);
	event.key.remote[15] = any(16) ? 0 : 255;
	if (fwrite(&event, sizeof(event), 1, stdout) != 1)
		exit(1);
}

int main(int argc, char **argv)
{
	char text[1024];
	unsigned int i;

	if (argc == 4) {
		seed = value_of(argv[2]);
		for (i = value_of(argv[3]); i; i--)
			write_random();
		return fflush(stdout) ? 1 : 0;
	}
	for (i = 0; i < FLOWS; i++) {
		flows[i].direction = THREEWAY_ACTIVE;
		flows[i].mode = THREEWAY_HOLD;
		flows[i].key.family = AF_INET;
	}
	while (fgets(text, sizeof(text), stdin)) {
		line++;
		text[strcspn(text, "#")] = '\0';
		write_event(text);
	}
	return fflush(stdout) ? 1 : 0;
}
