/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel counts, as nstat(8) and netstat(8) show it. */
#ifndef WIRE_MIB_H
#define WIRE_MIB_H

#include "peer.h"

#define MIB_MAX		512
#define MIB_NAME_MAX	48

/**
 * struct mib - the counters of a namespace
 * @count:	how many
 * @entry:	each with the name of its group before it, as "TcpExt TW"
 */
struct mib {
	unsigned int count;
	struct {
		char name[MIB_NAME_MAX];
		long long value;
	} entry[MIB_MAX];
};

/* Those of TCP, and how IP of the peer's family received and sent packets. */
void mib_read(const struct peer *peer, struct mib *mib);

/* Wait until IPv6 has told its neighbours what new addresses make it tell. */
void mib_settle(struct peer *peer);

/* By how much one of them has moved, which must be there. */
long long mib_change(const struct mib *before, const struct mib *after,
		     const char *name);

/* Those that have moved, for same_as_native(). */
void mib_note(struct peer *peer, const struct mib *before,
	      const struct mib *after);

#endif /* WIRE_MIB_H */
