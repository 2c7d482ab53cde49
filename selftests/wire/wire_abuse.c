// SPDX-License-Identifier: GPL-2.0
/*
 * What the engine sends to somebody who has asked for nothing, because another one
 * forged his address: how many packets, how many octets (rules LM8, LM9, RS2, RS5).
 */
#include <unistd.h>

#include "client.h"
#include "wire.h"

/* Beyond the last retransmission and the end of the flow. */
#define FLOW_MS		70000
#define LIMIT_MS	500	/* net.threeway.invalid_ratelimit_ms */

/* What came back. */
struct answers {
	unsigned int packets;
	unsigned int largest;
	unsigned int resets;
};

static void collect(struct peer *peer, unsigned int ms, struct answers *answers)
{
	u64 end = now_ms() + ms, now = now_ms();

	while (peer_receive(peer, now < end ? end - now : 0)) {
		answers->packets++;
		answers->resets += !!(peer->raw[peer->family == AF_INET ?
						33 : 53] & 4);
		if (peer->raw_len > answers->largest)
			answers->largest = peer->raw_len;
		now = now_ms();
	}
}

static const char *const syns[] = {
	"S 0 win 1000",
	"S 0 <mss 1460>",
	"S 0 <" SYN_OPTIONS ">",
	"SEW 0 <" SYN_OPTIONS ">",
	"S 0(1000) <" SYN_OPTIONS ">",
};

/* One forged SYN of each kind, and all that it is worth. */
static void reflect(struct peer *peer, unsigned int packets)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(syns); i++) {
		struct answers answers = { 0 };
		u8 raw[PACKET_MAX];
		size_t len;

		peer_flow(peer);
		peer_label(peer, "%s", syns[i]);
		len = peer_prepare(peer, raw, syns[i]);
		peer_inject(peer, raw, len);
		collect(peer, FLOW_MS, &answers);
		check(peer, answers.packets == packets, "%u packets",
		      answers.packets);
		/* a SYN without options is answered by our MSS */
		check(peer, answers.largest <= len + 4, "%zu octets give %u",
		      len, answers.largest);
		check(peer, !answers.resets, "%u resets", answers.resets);
		expect_flow(peer, false);
	}
}

TEST_F_TIMEOUT(wire, LM8_LM9_a_SYN_yields_one_SYN_ACK_and_five_copies, 600)
{
	peer_serve(&self->peer, NULL);
	reflect(&self->peer, 6);
}

TEST_F_TIMEOUT(wire, LM8_LM9_a_claim_can_make_it_one, 600)
{
	static const struct threeway_policy policy = {
		.set = THREEWAY_P_SYNACK_RETRIES,
	};

	peer_serve(&self->peer, &policy);
	reflect(&self->peer, 1);
}

/* Not to be answered more than once in half a second, all of them together. */
static const char *const garbage[] = {
	"S 0 <" SYN_OPTIONS ">",
	"R 100",
	". 100000 ack 1",
	"P. 100000(1000) ack 1",
	"F. 2000000000 ack 1",
	"S. 0 ack 1 <mss 1460>",
	"S 100000000",
	"R. 5000 ack 77",
};

TEST_F_TIMEOUT(wire, LM8_RS2_garbage_for_a_flow_is_answered_twice_a_second, 600)
{
	const unsigned int run_ms = 20000, each_ms = 10;
	struct peer *peer = &self->peer;
	struct answers answers = { 0 };
	unsigned int i;

	/* no copies but those that somebody asks for */
	static const struct threeway_policy policy = {
		.set = THREEWAY_P_RTO_INITIAL,
		.rto_initial_ms = 60000,
	};

	peer_serve(peer, &policy);
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	for (i = 0; i < run_ms / each_ms; i++) {
		peer_send(peer, "%s", garbage[i % ARRAY_SIZE(garbage)]);
		collect(peer, 0, &answers);
		sleep_ms(each_ms);
	}
	check(peer, answers.packets <= run_ms / LIMIT_MS + 1, "%u answers",
	      answers.packets);
	check(peer, answers.packets >= run_ms / LIMIT_MS / 2, "%u answers",
	      answers.packets);
	check(peer, answers.largest <= 80, "%u octets", answers.largest);
	expect_flow(peer, true);
}

/* As the native stack, one for one, and not more octets than came. */
TEST_F(wire, LM8_RS5_RS6_one_reset_for_one_wrong_ACK)
{
	static const char *const wrong[] = {
		". 1 ack 5000", ". 1 ack 0", "P. 1(100) ack 2",
		"S. 0 ack 5 <mss 1460>", "F. 1 ack 3000000000",
	};
	struct peer *peer = &self->peer;
	struct answers answers = { 0 };
	unsigned int i;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	for (i = 0; i < 200; i++) {
		peer_send(peer, "%s", wrong[i % ARRAY_SIZE(wrong)]);
		collect(peer, 0, &answers);
	}
	check(peer, answers.resets == 200, "%u resets", answers.resets);
	check(peer, answers.packets == 200, "%u packets", answers.packets);
	check(peer, answers.largest == (peer->family == AF_INET ? 40 : 60),
	      "%u octets", answers.largest);
	expect_flow(peer, true);
}

/* Only a SYN leaves something behind, and that within the limits. */
TEST_F(wire, LM8_LM6_nothing_but_a_SYN_makes_a_flow)
{
	static const char *const others[] = {
		". 1 ack 1", "F. 1 ack 1", "F 1", "P. 1(1000) ack 1", "R 1",
		"R. 1 ack 1", "S. 0 ack 1 <mss 1460>", "SF 0", "SR 0", "U 1",
		"F 1(1000)",
	};
	struct peer *peer = &self->peer;
	struct answers answers = { 0 };
	unsigned int i;

	peer_serve(peer, NULL);
	for (i = 0; i < 200; i++) {
		peer_flow(peer);
		peer_send(peer, "%s", others[i % ARRAY_SIZE(others)]);
		collect(peer, 0, &answers);
	}
	check(peer, answers.packets == answers.resets, "%u packets, %u resets",
	      answers.packets, answers.resets);
	check(peer, answers.packets <= 200, "%u packets", answers.packets);
	check(peer, answers.largest <= 60, "%u octets", answers.largest);
	check(peer, !peer_flows(peer, NULL), "a flow");
	check(peer, !peer_counter(peer, THREEWAY_C_flows_opened), "a flow");
}

/* SYNs for handshakes that have crossed are challenged on the same account. */
TEST_F(wire, RS3_challenges_of_SYNs_have_a_limit_too)
{
	struct peer *peer = &self->peer;
	unsigned int i, answered = 0;
	int fd[10];

	sysctl_set("net/ipv4/tcp_challenge_ack_limit", "1");
	client_claim(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = client_open(peer);
		peer_send(peer, "S 0 <mss 1460>");
		expect(peer, "S. 0 ack 1");
		peer_send(peer, "S 0 <mss 1460>");
		answered += peer_receive(peer, 2);
		/* nor is it one that the flow itself is limited in */
		EXPECT_EQ(answered, peer_counter(peer, THREEWAY_C_sent_ack));
	}
	/* half of 1 is 1, one and a half are 1, and a second may begin */
	check(peer, answered && answered <= 4, "%u answers", answered);
	EXPECT_EQ(ARRAY_SIZE(fd) - answered,
		  peer_counter(peer, THREEWAY_C_segment_challenge_limited));
	for (i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
}

TEST_F(wire, LM6_LM8_no_more_flows_than_the_limit)
{
	struct peer *peer = &self->peer;
	unsigned int i;

	sysctl_set("net/threeway/max_flows", "%d", 50);
	sysctl_set("net/threeway/syncookies", "%d", 0);
	/* the native stack drops what is too much for it without an answer */
	sysctl_set("net/ipv4/tcp_syncookies", "%d", 0);
	peer_serve(peer, NULL);
	for (i = 0; i < 500; i++) {
		peer_flow(peer);
		peer_send(peer, "S 0 <" SYN_OPTIONS ">");
	}
	check(peer, peer_flows(peer, NULL) == 50, "%d flows",
	      peer_flows(peer, NULL));
	check(peer, peer_counter(peer, THREEWAY_C_flows_opened) == 50, "opened");
	check(peer, peer_counter(peer, THREEWAY_C_native_flow_limit) == 450,
	      "left to the native stack");
}

TEST_HARNESS_MAIN
