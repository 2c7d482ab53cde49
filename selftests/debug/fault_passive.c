// SPDX-License-Identifier: GPL-2.0
/*
 * Passive opens, held ones included, while each of their allocations fails
 * once: the SYN, the ACK that completes, all that is answered, and the timer.
 * A peer that tries again, as every peer does, gets its connection.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "tap.h"

#define SYN		"S 0 win 65535 <" SYN_OPTIONS ">"
#define TS		"<nop,nop,TS val 1001 ecr ^>"
#define SYNACK		(FLAG_SYN | FLAG_ACK)
/* Before that a copy of a SYN is not answered. */
#define COPY_MS		600
/* The engine's timeout here. */
#define RTO_MS		400

/* Every SYN is saved, and programs of the network are told of nothing. */
static void serve(struct peer *peer)
{
	int one = 1;

	peer_serve(peer, NULL);
	setsockopt(peer->listener, IPPROTO_TCP, TCP_SAVE_SYN, &one,
		   sizeof(one));
	sysctl_set("net/threeway/invalid_ratelimit_ms", "0");
}

static void claim(struct peer *peer, enum threeway_mode mode,
		  const struct threeway_policy *policy)
{
	struct threeway_claim claim = {
		.family = peer->family,
		.direction = THREEWAY_PASSIVE,
		.mode = mode,
		.port_first = peer->header.dport,
		.port_last = peer->header.dport,
	};

	if (policy)
		claim.policy = *policy;
	check(peer, !threeway_claim_add(peer->engine, &claim), "claim");
	sysctl_set("net/threeway/invalid_ratelimit_ms", "0");
}

/* The SYN-ACK, at the latest when the peer has sent its SYN again. */
static void expect_synack(struct peer *peer)
{
	if (fault_answer(peer, SYNACK, COPY_MS))
		return;
	peer_send(peer, SYN);
	check(peer, fault_answer(peer, SYNACK, PEER_ANSWER_MS), "no SYN-ACK");
}

/* The connection: it works, and is reset then. */
static void use(struct peer *peer, int fd)
{
	if (!check(peer, fd >= 0, "no connection"))
		return;
	peer_send(peer, "P. 1(5) ack 1 " TS);
	expect_stream(peer, fd, 1, 5);
	peer_send(peer, "R 6");
	close(fd);
	fault_expect_nothing(peer);
}

/* Completes the handshake, if need be with a second ACK. */
static void finish(struct peer *peer)
{
	int fd = accept(peer->listener, NULL, NULL);

	if (fd < 0) {
		peer_send(peer, ". 1 ack 1 " TS);
		fd = expect_accept(peer);
	}
	use(peer, fd);
}

static void syn_step(struct walk *walk)
{
	struct peer *peer = walk->peer;

	peer_flow(peer);
	fault_send(walk, SYN);
	expect_synack(peer);
	finish(peer);
}

TEST_F_TIMEOUT(fault, HO20_LM6_LC7_no_memory_at_the_SYN, 3000)
{
	struct peer *peer = &self->peer;

	serve(peer);
	fault_walk(peer, syn_step,
		   "",
		   "flows_opened 1; sent_synack 1",
		   "native_no_memory 1");
}

/* The SYN-ACK cannot be built where the SYN is. */
TEST_F_TIMEOUT(fault, HO20_LM6_LC7_no_memory_at_a_captured_SYN, 3000)
{
	struct peer *peer = &self->peer;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	ASSERT_LE(0, fd);
	serve(peer);
	fault_walk(peer, syn_step,
		   "",
		   "flows_opened 1; sent_synack 1",
		   "flows_opened 1; send_failed 1",
		   "native_no_memory 1");
	close(fd);
}

static int tap;

/* A SYN on the Ethernet device. */
static void send_syn_there(struct peer *peer)
{
	static u8 raw[PACKET_MAX];

	tap_send(peer, tap, NULL, NULL, raw, peer_prepare(peer, raw, "%s", SYN));
}

/*
 * The endpoint has just been confirmed. What cannot be answered in the device is
 * answered by the route.
 */
static void early_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	struct packet answer;

	peer_flow(peer);
	send_syn_there(peer);
	fault_answer(peer, SYNACK, COPY_MS);
	peer_send(peer, "R 1");
	peer_flow(peer);
	fault_begin(walk);
	send_syn_there(peer);
	fault_end(walk);
	if (tap_receive(peer, tap, &answer)) {
		peer->iss = answer.seq;
		peer->iss_known = true;
		memcpy(&peer->tsval, answer.options + 8, sizeof(peer->tsval));
		peer->tsval = ntohl(peer->tsval);
	} else {
		expect_synack(peer);
	}
	finish(peer);
}

/* Who captures gets the SYN as it was: to turn it round takes a copy. */
TEST_F_TIMEOUT(fault, HO20_LM6_LC7_no_memory_on_the_early_path, 3000)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_SYNACK_PATH,
		.synack_path = THREEWAY_PATH_EARLY,
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	struct peer *peer = &self->peer;

	ASSERT_LE(0, fd);
	tap = tap_open(peer);
	peer_serve(peer, &policy);
	sysctl_set("net/threeway/invalid_ratelimit_ms", "0");
	fault_walk(peer, early_step,
		   "",
		   "flows_opened 1; sent_synack 1; sent_synack_early 1",
		   "flows_opened 1; sent_synack 1");
	close(tap);
	close(fd);
}

/* IP options on the ACK have the handoff done by replay. */
static bool replay;

static void ack_step(struct walk *walk)
{
	struct peer *peer = walk->peer;

	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	peer_ip_options(peer, replay);
	fault_send(walk, ". 1 ack 1 " TS);
	peer_ip_options(peer, false);
	finish(peer);
}

TEST_F_TIMEOUT(fault, HO20_LC7_no_memory_at_the_completing_ACK, 3000)
{
	struct peer *peer = &self->peer;

	serve(peer);
	/* the first of a kind is replayed */
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	finish(peer);
	fault_walk(peer, ack_step,
		   "",
		   "flows_handed_over 1",
		   "handoff_refused 1");
}

TEST_F_TIMEOUT(fault, HO20_LC7_no_memory_for_a_replay, 3000)
{
	struct peer *peer = &self->peer;

	serve(peer);
	replay = true;
	fault_walk(peer, ack_step,
		   "",
		   "flows_handed_over 1",
		   "handoff_refused 1",
		   "flows_handed_over 1; handoff_synack_leaked 1");
}

/* What the peer sends to a half-open flow; the handshake goes on after it. */
static const char *line;

static void segment_step(struct walk *walk)
{
	struct peer *peer = walk->peer;

	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	sleep_ms(COPY_MS);
	fault_send(walk, "%s", line);
	finish(peer);
}

TEST_F_TIMEOUT(fault, LM6_SR9_LC7_no_memory_for_a_RST, 3000)
{
	struct peer *peer = &self->peer;

	serve(peer);
	line = ". 1 ack 2 " TS;
	fault_walk(peer, segment_step,
		   "",
		   "sent_rst 1; segment_bad_ack 1",
		   "send_failed 1; segment_bad_ack 1");
}

TEST_F_TIMEOUT(fault, LM6_SR18_LC7_no_memory_for_an_ACK, 3000)
{
	struct peer *peer = &self->peer;

	serve(peer);
	line = "P. 900000(5) ack 1 " TS;
	fault_walk(peer, segment_step,
		   "",
		   "sent_ack 1; segment_out_of_window 1",
		   "send_failed 1; segment_out_of_window 1");
}

TEST_F_TIMEOUT(fault, LM6_SR1_LC7_no_memory_for_another_SYN_ACK, 3000)
{
	struct peer *peer = &self->peer;

	serve(peer);
	line = SYN;
	fault_walk(peer, segment_step,
		   "",
		   "sent_synack_duplicate 1; segment_duplicate_syn 1",
		   "send_failed 1; segment_duplicate_syn 1");
}

static void timer_step(struct walk *walk)
{
	struct peer *peer = walk->peer;

	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	fault_begin(walk);
	sleep_ms(RTO_MS + 200);
	fault_end(walk);
	/* one that could not be sent is sent the next time */
	check(peer, fault_answer(peer, SYNACK, 2 * RTO_MS),
	      "no SYN-ACK of the timer");
	finish(peer);
}

TEST_F_TIMEOUT(fault, LM6_RT1_LC7_no_memory_for_a_SYN_ACK_of_the_timer, 3000)
{
	struct peer *peer = &self->peer;

	serve(peer);
	sysctl_set("net/threeway/rto_initial_ms", "%u", RTO_MS);
	fault_walk_remote(peer, timer_step, NULL,
			  "sent_synack_timer 1",
			  "send_failed 1");
}

/* The engine keeps the connection, and resets it when it is told to end it. */
static void hold_finish(struct peer *peer)
{
	struct threeway_flow flow;

	peer_flows(peer, &flow);
	if (flow.state != THREEWAY_ESTABLISHED)
		peer_send(peer, ". 1 ack 1 " TS);
	peer_flows(peer, &flow);
	check(peer, flow.state == THREEWAY_ESTABLISHED, "state %u", flow.state);
	check(peer, !threeway_flow_del(peer->engine, flow.id, &flow.key),
	      "cannot kill the flow");
	check(peer, fault_answer(peer, FLAG_RST | FLAG_ACK, PEER_ANSWER_MS),
	      "no RST");
	fault_expect_nothing(peer);
}

static void hold_syn_step(struct walk *walk)
{
	struct peer *peer = walk->peer;

	peer_flow(peer);
	fault_send(walk, SYN);
	expect_synack(peer);
	hold_finish(peer);
}

TEST_F_TIMEOUT(fault, LM6_LC7_no_memory_at_a_SYN_that_is_held, 3000)
{
	struct peer *peer = &self->peer;

	claim(peer, THREEWAY_HOLD, NULL);
	fault_walk(peer, hold_syn_step,
		   "",
		   "flows_opened 1; sent_synack 1",
		   "flows_opened 1; send_failed 1",
		   "native_no_memory 1");
}

static void hold_data_step(struct walk *walk)
{
	struct peer *peer = walk->peer;

	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	peer_send(peer, ". 1 ack 1 " TS);
	fault_send(walk, "P. 1(5) ack 1 " TS);
	hold_finish(peer);
}

TEST_F_TIMEOUT(fault, LM6_LC7_no_memory_at_data_that_is_held, 3000)
{
	struct peer *peer = &self->peer;

	claim(peer, THREEWAY_HOLD, NULL);
	fault_walk(peer, hold_data_step,
		   "",
		   "sent_ack 1; segment_held 1",
		   "send_failed 1; segment_held 1");
}

/* The flow is gone whether or not there is memory for its RST. */
static void hold_kill_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	struct threeway_flow flow;
	int err;

	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	peer_send(peer, ". 1 ack 1 " TS);
	peer_flows(peer, &flow);
	fault_begin(walk);
	err = threeway_flow_del(peer->engine, flow.id, &flow.key);
	fault_end(walk);
	check(peer, !err, "%s", strerror(-err));
	fault_expect_nothing(peer);
}

TEST_F_TIMEOUT(fault, LM6_LC7_no_memory_for_the_RST_of_a_held_flow, 3000)
{
	struct peer *peer = &self->peer;

	claim(peer, THREEWAY_HOLD, NULL);
	fault_walk(peer, hold_kill_step,
		   "flows_killed 1; sent_rst 1",
		   "flows_killed 1; send_failed 1");
}

/* A claim that refuses all: nothing but RSTs. */
static void refuse_step(struct walk *walk)
{
	struct peer *peer = walk->peer;

	peer_flow(peer);
	fault_send(walk, SYN);
	fault_expect_nothing(peer);
}

TEST_F_TIMEOUT(fault, LM6_LC7_no_memory_at_a_SYN_that_is_refused, 3000)
{
	struct peer *peer = &self->peer;
	struct threeway_policy policy = {
		.set = THREEWAY_P_FREEZE,
		.freeze = THREEWAY_FREEZE_REFUSE,
	};

	claim(peer, THREEWAY_HOLD, &policy);
	fault_walk(peer, refuse_step,
		   "",
		   "sent_rst 1; segment_frozen 1",
		   "send_failed 1; segment_frozen 1",
		   "native_no_memory 1");
}

/* The native stack does it, and what it sends is watched. */
TEST_F_TIMEOUT(fault, LM6_LC7_no_memory_at_a_SYN_that_is_observed, 3000)
{
	struct peer *peer = &self->peer;

	peer_listen(peer, 1024);
	claim(peer, THREEWAY_OBSERVE, NULL);
	fault_walk(peer, syn_step,
		   "",
		   "flows_opened 1; observed_synack 1",
		   "flows_opened 1",
		   "native_no_memory 1");
}

TEST_HARNESS_MAIN
