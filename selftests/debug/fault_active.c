// SPDX-License-Identifier: GPL-2.0
/*
 * Active opens while each of their allocations fails once: connect(), the
 * answers, a simultaneous open, ICMP errors, the timer, and opens without a
 * socket. connect() says at once that it failed, or succeeds in the end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "fixture.h"
#include "quote.h"

#define SYNACK		(FLAG_SYN | FLAG_ACK)
#define CROSSING	"S 0 win 65535 <mss 1460,sackOK,TS val 5000 ecr 0," \
			"nop,wscale 7>"
#define TS		"<nop,nop,TS val 5000 ecr ^>"
/* The engine's timeout here. */
#define RTO_MS		400
/* The native one, of a SYN that was left to it. */
#define NATIVE_RTO_MS	1000

static void claim_connects(struct peer *peer)
{
	client_claim(peer, NULL);
	sysctl_set("net/threeway/rto_initial_ms", "%u", RTO_MS);
	sysctl_set("net/threeway/invalid_ratelimit_ms", "0");
}

/* Whatever was sent so far is of no interest. */
static void drain(struct peer *peer)
{
	while (peer_receive(peer, 20))
		;
}

/* The connection works. */
static void use(struct peer *peer, int fd)
{
	drain(peer);
	expect_connected(peer, fd);
	client_exchange(peer, fd);
	fault_expect_nothing(peer);
}

/* The peer's SYN-ACK, once more if need be. */
static void finish(struct peer *peer, int fd)
{
	if (client_state(fd) == TCP_SYN_SENT)
		peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	use(peer, fd);
}

static void expect_syn(struct peer *peer)
{
	check(peer, fault_answer(peer, FLAG_SYN, NATIVE_RTO_MS + 100),
	      "no SYN");
}

static void connect_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	int fd, error;

	peer_flow(peer);
	fd = client_socket(peer);
	fault_begin(walk);
	error = client_connect(peer, fd);
	fault_end(walk);
	/* without memory for a route of IPv6 the kernel finds none */
	check(peer, error == EINPROGRESS || error == ENOMEM ||
	      error == ENOBUFS || error == ENETUNREACH, "connect(): %s",
	      strerror(error));
	/* a socket that could not connect may try again */
	if (error != EINPROGRESS)
		check(peer, client_connect(peer, fd) == EINPROGRESS,
		      "no second connect()");
	expect_syn(peer);
	finish(peer, fd);
}

TEST_F_TIMEOUT(fault, LM12_HO20_LC7_no_memory_in_connect, 3000)
{
	struct peer *peer = &self->peer;

	claim_connects(peer);
	fault_walk(peer, connect_step,
		   "",
		   "flows_opened 1; sent_syn 1",
		   "native_no_memory 1");
}

static void synack_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	int fd = client_open(peer);

	fault_send(walk, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	finish(peer, fd);
}

TEST_F_TIMEOUT(fault, HO20_HO21_LC7_no_memory_at_the_SYN_ACK, 3000)
{
	struct peer *peer = &self->peer;

	claim_connects(peer);
	fault_walk(peer, synack_step,
		   "",
		   "flows_handed_over 1");
}

/* In the end the peer's ACK of our SYN-ACK, once more if need be. */
static void crossed_finish(struct peer *peer, int fd)
{
	if (client_state(fd) == TCP_SYN_SENT)
		peer_send(peer, ". 1 ack 1 " TS);
	if (client_state(fd) == TCP_SYN_SENT)
		peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	use(peer, fd);
}

static void cross_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	int fd = client_open(peer);

	fault_send(walk, CROSSING);
	/* the engine's timer sends its SYN or SYN-ACK again */
	if (!fault_answer(peer, SYNACK, 2 * RTO_MS)) {
		peer_send(peer, CROSSING);
		check(peer, fault_answer(peer, SYNACK, 2 * RTO_MS),
		      "no SYN-ACK");
	}
	crossed_finish(peer, fd);
}

TEST_F_TIMEOUT(fault, SM1_LM6_LC7_no_memory_at_a_crossing_SYN, 3000)
{
	struct peer *peer = &self->peer;

	claim_connects(peer);
	fault_walk(peer, cross_step,
		   "",
		   "sent_synack_crossed 1; segment_syn_crossed 1",
		   "send_failed 1; segment_syn_crossed 1");
}

static void crossed_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	int fd = client_open(peer);

	peer_send(peer, CROSSING);
	check(peer, fault_answer(peer, SYNACK, PEER_ANSWER_MS), "no SYN-ACK");
	fault_send(walk, ". 1 ack 1 " TS);
	crossed_finish(peer, fd);
}

TEST_F_TIMEOUT(fault, SM3_HO20_LC7_no_memory_at_the_end_of_a_crossing, 3000)
{
	struct peer *peer = &self->peer;

	claim_connects(peer);
	fault_walk(peer, crossed_step,
		   "",
		   "flows_handed_over 1",
		   "handoff_refused 1");
}

/* What the peer sends to a socket that connects; connect() goes on. */
static const char *line;

static void segment_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	int fd = client_open(peer);

	fault_send(walk, "%s", line);
	drain(peer);
	expect_connecting(peer, fd);
	finish(peer, fd);
}

TEST_F_TIMEOUT(fault, SS3_LM6_LC7_no_memory_for_a_RST_in_SYN_SENT, 3000)
{
	struct peer *peer = &self->peer;

	claim_connects(peer);
	line = "S. 0 ack 2 <" SYNACK_OPTIONS ">";
	fault_walk(peer, segment_step,
		   "",
		   "sent_rst 1; segment_bad_ack 1",
		   "send_failed 1; segment_bad_ack 1");
}

static void timer_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	int fd = client_begin(peer);

	/* while its SYN is still in use, the socket needs another one */
	fault_begin(walk);
	sleep_ms(RTO_MS + 200);
	fault_end(walk);
	expect_syn(peer);
	check(peer, fault_answer(peer, FLAG_SYN, 2 * RTO_MS),
	      "no SYN of the timer");
	finish(peer, fd);
}

TEST_F_TIMEOUT(fault, LM6_RT1_LC7_no_memory_for_a_SYN_of_the_timer, 3000)
{
	struct peer *peer = &self->peer;

	claim_connects(peer);
	fault_walk_remote(peer, timer_step, NULL,
			  "sent_syn_timer 1",
			  "send_failed 1");
}

/* connect() fails with the error, at the latest when it comes again. */
static void icmp_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	struct icmp_error error = hard_error(peer);
	int fd = client_open(peer);

	fault_begin(walk);
	peer_icmp(peer, &error);
	fault_end(walk);
	if (client_state(fd) == TCP_SYN_SENT)
		peer_icmp(peer, &error);
	expect_failed(peer, fd, ECONNREFUSED);
	close(fd);
	fault_expect_nothing(peer);
}

TEST_F_TIMEOUT(fault, LM6_LC7_no_memory_at_an_ICMP_error, 3000)
{
	struct peer *peer = &self->peer;

	claim_connects(peer);
	fault_walk(peer, icmp_step,
		   "",
		   "flows_icmp 1; icmp_hard 1");
}

/* An open without a socket: it fails and nothing is left, or begins. */
static void open_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	struct threeway_open open = { .key.family = peer->family };
	struct threeway_flow flow;
	int err;

	peer_flow(peer);
	peer->header.dport = 80;
	peer->opens = true;
	memcpy(open.key.remote, &peer->header.src, sizeof(open.key.remote));
	open.key.local_port = htons(80);
	open.key.remote_port = htons(peer->header.sport);
	fault_begin(walk);
	err = threeway_open_flow(peer->engine, &open);
	fault_end(walk);
	if (err) {
		check(peer, err == -ENOMEM || err == -ENOBUFS, "open: %s",
		      strerror(-err));
		fault_expect_nothing(peer);
		return;
	}
	expect_syn(peer);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	peer_flows(peer, &flow);
	check(peer, flow.state == THREEWAY_ESTABLISHED, "state %u", flow.state);
	check(peer, !threeway_flow_del(peer->engine, flow.id, &flow.key),
	      "cannot kill the flow");
	drain(peer);
	fault_expect_nothing(peer);
}

TEST_F_TIMEOUT(fault, LM6_LM12_LC7_no_memory_for_an_open_without_socket, 3000)
{
	struct peer *peer = &self->peer;

	sysctl_set("net/threeway/rto_initial_ms", "%u", RTO_MS);
	fault_walk(peer, open_step,
		   "",
		   "flows_opened 1; sent_syn 1",
		   "flows_opened 1; send_failed 1");
}

TEST_HARNESS_MAIN
