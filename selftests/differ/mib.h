/* SPDX-License-Identifier: GPL-2.0 */
/* The counters that nstat(8) shows, of the namespace we are in. */
#ifndef DIFFER_MIB_H
#define DIFFER_MIB_H

#include "../wire/packet.h"

#define MIB_MAX		512
#define MIB_NAME	40

/**
 * struct mib - counters of IP and TCP
 * @count:	how many
 * @value:	their values, or how much they have moved
 */
struct mib {
	unsigned int count;
	u64 value[MIB_MAX];
};

/* Their names, as nstat(8) has them, once they were read. */
extern char mib_name[MIB_MAX][MIB_NAME];

void mib_read(struct mib *mib);
/* How much has moved since then, in *mib. */
void mib_since(struct mib *mib, const struct mib *before);

#endif /* DIFFER_MIB_H */
