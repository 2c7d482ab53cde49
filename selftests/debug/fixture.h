/* SPDX-License-Identifier: GPL-2.0 */
/* As wire.h: a peer of each family for each test, and allocations may fail. */
#ifndef DEBUG_FIXTURE_H
#define DEBUG_FIXTURE_H

#include "kselftest_harness.h"

#include "fault.h"

FIXTURE(fault)
{
	struct peer peer;
};

FIXTURE_VARIANT(fault)
{
	int family;
};

FIXTURE_VARIANT_ADD(fault, ipv4)
{
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(fault, ipv6)
{
	.family = AF_INET6,
};

FIXTURE_SETUP(fault)
{
	const char *lacking = fault_prepare();

	if (!lacking)
		lacking = peer_open(&self->peer, variant->family, true);
	/* SKIP() alone would not keep the test itself from running. */
	if (lacking)
		SKIP(_exit(255), "%s", lacking);
}

FIXTURE_TEARDOWN(fault)
{
	peer_close(&self->peer);
	EXPECT_EQ(0, self->peer.failures);
}

#endif /* DEBUG_FIXTURE_H */
