// SPDX-License-Identifier: GPL-2.0
/*
 * Native TIME-WAIT and the engine beyond sequence numbers: SYNs that come to
 * nothing, RSTs, limits, references, held flows (rules TW, CL7, IS4, LM10, NF7,
 * RS8; see wire_isn.c).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "quote.h"
#include "wire.h"

/* A new SYN, with a number that TIME-WAIT has to believe. */
static void reopen(struct peer *peer)
{
	peer->irs += 1000;
	peer->iss_known = false;
	peer_syn(peer, "mss 1460");
}

/*
 * RFC 1122, 4.2.2.13: "returns to TIME-WAIT state if the SYN turns out to be an
 * old duplicate". The native stack has forgotten it by then.
 */
TEST_F(wire, TW3_TIME_WAIT_outlives_a_SYN_that_was_an_old_duplicate)
{
	struct peer *peer = &self->peer;
	struct flow before;

	peer_serve(peer, NULL);
	peer_time_wait(peer);
	before = peer_park(peer);
	reopen(peer);
	peer_send(peer, "R 1");
	expect_flow(peer, false);
	peer_resume(peer, before);
	peer_send(peer, "F. 1 ack 2");
	expect(peer, ". 2 ack 2");
	/* nor does the last timeout of such a SYN end it */
	sysctl_set("net/threeway/synack_retries", "0");
	reopen(peer);
	peer_watch(peer, 3000);
	expect_flow(peer, false);
	peer_resume(peer, before);
	peer_send(peer, "F. 1 ack 2");
	expect(peer, ". 2 ack 2");
	expect_counters(peer, "flows_opened 3; sent_synack 3; "
			"flows_handed_over 1; segment_rst_exact 1; "
			"flows_reset 1; flows_expired 1");
}

/* A RST that is exact ends TIME-WAIT, unless the sysctl forbids it. */
static void assassinate(struct peer *peer, const void *arg)
{
	int protect;

	peer_serve(peer, arg);
	for (protect = 0; protect < 2; protect++) {
		sysctl_set("net/ipv4/tcp_rfc1337", "%d", protect);
		peer_flow(peer);
		peer_label(peer, "tcp_rfc1337 %d", protect);
		peer_time_wait(peer);
		peer_send(peer, "R 7");
		peer_send(peer, "R 1");
		peer_watch(peer, 100);
		peer_send(peer, "F. 1 ack 2");
		expect(peer, ". 2 ack 2");
		peer_send(peer, "R 2");
		peer_watch(peer, 200);
		peer_send(peer, "F. 1 ack 2");
		if (protect)
			expect(peer, ". 2 ack 2");
		else
			expect(peer, "R 2 win 0");
	}
}

TEST_F(wire, TW5_RS8_RST_in_TIME_WAIT_as_native)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, assassinate, NULL);
	expect_counters(peer, "flows_opened 2; sent_synack 2; "
			"flows_handed_over 2");
}

TEST_F(wire, LM10_TIME_WAIT_is_proof_enough_when_the_backlog_is_full)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_BACKLOG,
		.backlog = 2,
	};
	struct peer *peer = &self->peer;
	struct flow known;
	int i;

	sysctl_set("net/threeway/syncookies", "0");
	peer_serve(peer, &policy);
	peer_time_wait(peer);
	known = peer_park(peer);
	for (i = 0; i < 2; i++) {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
	}
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460>");
	peer_receive(peer, PEER_ANSWER_MS);
	expect_flow(peer, false);
	expect_counters(peer, "flows_opened 3; sent_synack 3; "
			"flows_handed_over 1; native_backlog_full 1");
	peer_resume(peer, known);
	reopen(peer);
	expect_flow(peer, true);
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"flows_handed_over 1");
}

/* How many objects of a slab are in use, about: some are kept for each CPU. */
static long slab_objects(const char *slab)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	long objects, found = -1;
	char line[256], name[64];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld", name, &objects) == 2 &&
		    !strcmp(name, slab))
			found = objects;
	if (file)
		fclose(file);
	return found;
}

#define REUSES	400

/*
 * Early demux hands a packet on with a reference to TIME-WAIT or to the socket.
 * One that is lost shows in the slab, one too many in the kernel's log.
 */
TEST_F_TIMEOUT(wire, NF7_TW1_early_demux_and_references, 600)
{
	bool v4 = variant->family == AF_INET;
	const char *slab = v4 ? "tw_sock_TCP" : "tw_sock_TCPv6";
	struct peer *peer = &self->peer;
	long before, after;
	int demux, i, fd;

	peer_serve(peer, NULL);
	peer_time_wait(peer);
	before = slab_objects(slab);
	ASSERT_LE(0, before);
	for (demux = 0; demux < 2; demux++) {
		sysctl_set("net/ipv4/tcp_early_demux", "%d", demux);
		peer_flow(peer);
		peer_label(peer, "early demux %d", demux);
		peer_time_wait(peer);
		for (i = 0; i < REUSES; i++) {
			/* every other SYN comes to nothing */
			reopen(peer);
			peer_send(peer, i % 2 ? ". 1 ack 1" : "R 1");
			if (i % 2 == 0)
				continue;
			fd = expect_accept(peer);
			/* one of a tuple that a socket has */
			peer_send(peer, "S 5000");
			expect(peer, ". 1 ack 1");
			close(fd);
			expect(peer, "F. 1 ack 1");
			peer_send(peer, "F. 1 ack 2");
			expect(peer, ". 2 ack 2");
		}
	}
	EXPECT_EQ(3 + 2 * REUSES,
		  (int)peer_counter(peer, THREEWAY_C_flows_opened));
	/* TIME-WAIT itself takes a minute, and RCU a moment */
	sleep_ms(65000);
	after = slab_objects(slab);
	check(peer, after < before + REUSES / 4,
	      "%ld objects of %s after %d SYNs, %ld before", after, slab,
	      2 * REUSES, before);
}

/* The native server has closed first; the claim comes then. */
static void hold_over_time_wait(struct peer *peer, enum threeway_freeze freeze)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_FREEZE,
		.freeze = freeze,
	};

	peer_listen(peer, 16);
	peer_flow(peer);
	peer_time_wait(peer);
	close(peer->listener);
	peer->listener = -1;
	peer_hold(peer, freeze ? &policy : NULL);
}

/* Until a new connection comes, TIME-WAIT has the tuple. */
TEST_F(wire, CL7_RS8_TW1_IS4_hold_claim_and_TIME_WAIT)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;
	u32 iss;

	hold_over_time_wait(peer, 0);
	iss = peer->iss;
	peer_send(peer, "S -1000 <mss 1460>");
	expect(peer, ". 2 ack 2");
	expect_counters(peer, "native_time_wait 1");
	sleep_ms(600);
	peer_send(peer, "F. 1 ack 2");
	expect(peer, ". 2 ack 2");
	expect_state(peer, THREEWAY_CLOSED);
	peer->irs += 1000;
	peer->iss_known = false;
	peer_syn(peer, "mss 1460");
	EXPECT_EQ(iss + 2 + 65537, peer->iss);
	expect_counters(peer, "flows_opened 1; sent_synack 1");
	peer_send(peer, ". 1 ack 1");
	expect_state(peer, THREEWAY_ESTABLISHED);
	/* the old connection is gone for good */
	ASSERT_EQ(1, peer_flows(peer, &flow));
	EXPECT_EQ(0, threeway_flow_del(peer->engine, flow.id, &flow.key));
	expect(peer, "R. 1 ack 1");
	peer_send(peer, "F. 1 ack 1");
	expect(peer, "R 1");
}

TEST_F(wire, RS8_nothing_in_TIME_WAIT_is_refused)
{
	struct peer *peer = &self->peer;

	hold_over_time_wait(peer, THREEWAY_FREEZE_REFUSE);
	peer_send(peer, "S 1000 <mss 1460>");
	expect(peer, ". 2 ack 2");
	expect_counters(peer, "native_time_wait 1");
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "R. =0 ack 1");
}

TEST_HARNESS_MAIN
