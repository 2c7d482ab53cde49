// SPDX-License-Identifier: GPL-2.0
/* What the kernel counts: see mib.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mib.h"

#define LINE_OF_COUNTERS	8192
#define BLANK			"\n "

static void add(struct mib *mib, const char *group, const char *name,
		long long value)
{
	if (mib->count == MIB_MAX) {
		fprintf(stderr, "# more than %d counters\n", MIB_MAX);
		abort();
	}
	snprintf(mib->entry[mib->count].name, MIB_NAME_MAX, "%s%s%s", group,
		 *group ? " " : "", name);
	mib->entry[mib->count++].value = value;
}

/* A line "Group: NAME NAME..." and one "Group: NUMBER NUMBER...". */
static void read_pairs(struct mib *mib, const char *path,
		       const char * const *groups)
{
	char names[LINE_OF_COUNTERS], numbers[LINE_OF_COUNTERS];
	char *group, *name, *number, *at, *to;
	const char * const *wanted;
	FILE *file = fopen(path, "r");

	while (file && fgets(names, sizeof(names), file) &&
	       fgets(numbers, sizeof(numbers), file)) {
		group = strtok_r(names, ":", &at);
		for (wanted = groups; *wanted && strcmp(group, *wanted);)
			wanted++;
		if (!*wanted)
			continue;
		strtok_r(numbers, BLANK, &to);
		while ((name = strtok_r(NULL, BLANK, &at)) &&
		       (number = strtok_r(NULL, BLANK, &to)))
			add(mib, group, name, atoll(number));
	}
	if (file)
		fclose(file);
}

/* A line for each. */
static void read_lines(struct mib *mib, const char *path,
		       const char * const *wanted)
{
	FILE *file = fopen(path, "r");
	char name[MIB_NAME_MAX];
	const char * const *each;
	long long value;

	while (file && fscanf(file, "%47s %lld", name, &value) == 2) {
		for (each = wanted; *each; each++) {
			if (!strcmp(name, *each))
				add(mib, "", name, value);
		}
	}
	if (file)
		fclose(file);
}

void mib_read(const struct peer *peer, struct mib *mib)
{
	static const char * const tcp[] = { "Tcp", NULL };
	static const char * const tcp_ext[] = { "TcpExt", "IpExt", NULL };
	static const char * const ip[] = { "Ip", "Tcp", NULL };
	static const char * const ip6[] = {
		"Ip6InReceives", "Ip6InHdrErrors", "Ip6InDiscards",
		"Ip6InDelivers", "Ip6InOctets", "Ip6OutRequests",
		"Ip6OutDiscards", "Ip6OutOctets", NULL
	};

	mib->count = 0;
	read_pairs(mib, "/proc/net/snmp",
		   peer->family == AF_INET ? ip : tcp);
	read_pairs(mib, "/proc/net/netstat", tcp_ext);
	if (peer->family == AF_INET6)
		read_lines(mib, "/proc/net/snmp6", ip6);
	if (mib->count < 50) {
		fprintf(stderr, "# only %u counters\n", mib->count);
		abort();
	}
}

static long long icmp6_sent(void)
{
	static const char * const name[] = { "Icmp6OutMsgs", NULL };
	struct mib mib = { 0 };

	read_lines(&mib, "/proc/net/snmp6", name);
	return mib.count ? mib.entry[0].value : -1;
}

void mib_settle(struct peer *peer)
{
	unsigned int tries = 10;
	long long sent;

	if (peer->family != AF_INET6)
		return;
	do {
		sent = icmp6_sent();
		sleep_ms(3000);
	} while (icmp6_sent() != sent && --tries);
	check(peer, sent >= 0 && tries, "IPv6 does not fall silent");
}

static long long find(const struct mib *mib, const char *name)
{
	unsigned int i;

	for (i = 0; i < mib->count; i++) {
		if (!strcmp(mib->entry[i].name, name))
			return mib->entry[i].value;
	}
	fprintf(stderr, "# no counter %s\n", name);
	abort();
}

long long mib_change(const struct mib *before, const struct mib *after,
		     const char *name)
{
	return find(after, name) - find(before, name);
}

void mib_note(struct peer *peer, const struct mib *before,
	      const struct mib *after)
{
	long long change;
	unsigned int i;

	for (i = 0; i < after->count; i++) {
		change = after->entry[i].value - before->entry[i].value;
		if (change)
			peer_note(peer, "%s %+lld", after->entry[i].name,
				  change);
	}
}
