/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of the raw-packet tests: a peer of each family, see peer.h. Each
 * test has a process and a network namespace of its own. A test is a dialogue in
 * the notation of packet.h, with what the engine's counters say about it:
 *
 *	TEST_F(wire, SR6_exact_RST_deletes_the_flow)
 *	{
 *		struct peer *peer = &self->peer;
 *
 *		peer_serve(peer, NULL);
 *		peer_flow(peer);
 *		peer_send(peer, "S 0 <mss 1460>");
 *		expect(peer, "S. 0 ack 1 <mss *>");
 *		peer_send(peer, "R 1");
 *		expect_silence(peer);
 *		expect_counters(peer, "flows_opened 1; sent_synack 1; "
 *				"segment_rst_exact 1; flows_reset 1");
 *	}
 *
 * Where native's behaviour is the measure, same_as_native() runs a script with
 * and without the engine and compares all that happened.
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include "kselftest_harness.h"

#include "peer.h"

FIXTURE(wire)
{
	struct peer peer;
};

FIXTURE_VARIANT(wire)
{
	int family;
};

FIXTURE_VARIANT_ADD(wire, ipv4)
{
	.family = AF_INET,
};

FIXTURE_VARIANT_ADD(wire, ipv6)
{
	.family = AF_INET6,
};

FIXTURE_SETUP(wire)
{
	const char *lacking = peer_open(&self->peer, variant->family, true);

	/* SKIP() alone would not keep the test itself from running. */
	if (lacking)
		SKIP(_exit(255), "%s", lacking);
}

FIXTURE_TEARDOWN(wire)
{
	peer_close(&self->peer);
	EXPECT_EQ(0, self->peer.failures);
}

#endif /* WIRE_WIRE_H */
