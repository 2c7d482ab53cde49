// SPDX-License-Identifier: GPL-2.0
/* Counters of the kernel: see mib.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mib.h"

char mib_name[MIB_MAX][MIB_NAME];

static void add(struct mib *mib, const char *group, const char *name,
		const char *value)
{
	if (mib->count == MIB_MAX)
		abort();
	if (!*mib_name[mib->count])
		snprintf(mib_name[mib->count], MIB_NAME, "%s%s", group, name);
	mib->value[mib->count++] = strtoull(value, NULL, 10);
}

static FILE *open_file(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file) {
		perror(path);
		abort();
	}
	return file;
}

/* Not gauges, nor what neighbours and routers do to IPv6 by themselves. */
static bool wanted(const char *group)
{
	return !strcmp(group, "Ip") || !strcmp(group, "Tcp") ||
	       !strcmp(group, "TcpExt") || !strcmp(group, "IpExt");
}

/* A line of names, then one of values, each behind "Group:". */
static void read_pairs(struct mib *mib, const char *path)
{
	static char names[8192], values[8192];
	char *name, *value, *name_at, *value_at, *group;
	FILE *file = open_file(path);

	while (fgets(names, sizeof(names), file) &&
	       fgets(values, sizeof(values), file)) {
		group = strtok_r(names, "\n: ", &name_at);
		strtok_r(values, "\n: ", &value_at);
		if (!group || !wanted(group))
			continue;
		while ((name = strtok_r(NULL, "\n ", &name_at)) &&
		       (value = strtok_r(NULL, "\n ", &value_at)))
			add(mib, group, name, value);
	}
	fclose(file);
}

/* "NAME VALUE" lines. */
static void read_lines(struct mib *mib, const char *path)
{
	char name[64], value[32];
	FILE *file = open_file(path);

	while (fscanf(file, "%63s %31s", name, value) == 2) {
		if (!strncmp(name, "Ip6", 3))
			add(mib, "", name, value);
	}
	fclose(file);
}

void mib_read(struct mib *mib)
{
	mib->count = 0;
	read_pairs(mib, "/proc/net/snmp");
	read_pairs(mib, "/proc/net/netstat");
	read_lines(mib, "/proc/net/snmp6");
}

void mib_since(struct mib *mib, const struct mib *before)
{
	unsigned int i;

	for (i = 0; i < mib->count; i++)
		mib->value[i] -= before->value[i];
}
