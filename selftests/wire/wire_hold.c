// SPDX-License-Identifier: GPL-2.0
/*
 * Handshakes that the engine keeps: passive claims of mode hold and
 * THREEWAY_IOC_OPEN, what is answered once they are finished, how they end, and
 * where they can be stopped. No program has a socket in any of it. The ioctl's
 * bad arguments, and two such ends against each other, are in wire_holdpair.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#define LOCAL_PORT	80
#define LISTED		500
#define HELD		"flows_opened 1; sent_synack 1; flows_held 1"
#define OPENED		"flows_opened 1; sent_syn 1"

static struct threeway_policy stop_at(enum threeway_freeze freeze)
{
	return (struct threeway_policy) {
		.set = THREEWAY_P_FREEZE,
		.freeze = freeze,
	};
}

/* A new flow of the engine's own to the peer. */
static void open_flow(struct peer *peer, const struct threeway_policy *policy)
{
	struct threeway_open open = { .key.family = peer->family };
	int err;

	peer_flow(peer);
	peer->header.dport = LOCAL_PORT;
	memcpy(open.key.remote, &peer->header.src, sizeof(open.key.remote));
	open.key.local_port = htons(LOCAL_PORT);
	open.key.remote_port = htons(peer->header.sport);
	if (policy)
		open.policy = *policy;
	peer->start_ms = now_ms();
	err = threeway_open_flow(peer->engine, &open);
	check(peer, !err, "open: %s", strerror(-err));
	check(peer, open.id && !memcmp(open.key.local, &peer->header.dst,
				       sizeof(open.key.local)),
	      "id or local address");
}

/* The SYN of such a flow; the peer's SYN-ACK is next. */
static void open_syn(struct peer *peer, const struct threeway_policy *policy)
{
	open_flow(peer, policy);
	expect(peer, "S 0");
	expect_counters(peer, OPENED);
}

/* By key, as the user does it. */
static void kill_flow(struct peer *peer)
{
	struct threeway_flow flow;

	peer_flows(peer, &flow);
	check(peer, !threeway_flow_del(peer->engine, flow.id, &flow.key),
	      "cannot kill the flow");
	expect_state(peer, THREEWAY_CLOSED);
}

/* The peer finishes a handshake that is then held. */
static void held_passive(struct peer *peer, const char *options)
{
	peer_flow(peer);
	peer_syn(peer, options);
	peer_send(peer, ". 1 ack 1");
	expect_silence(peer);
	expect_state(peer, THREEWAY_ESTABLISHED);
	expect_counters(peer, HELD);
}

static void held_active(struct peer *peer, const struct threeway_policy *policy)
{
	open_syn(peer, policy);
	peer_send(peer, "S. 0 ack 1 <mss 1460,nop,wscale 7>");
	expect(peer, ". 1 ack 1 <>");
	expect_state(peer, THREEWAY_ESTABLISHED);
	expect_counters(peer, "flows_held 1; sent_ack 1");
}

TEST_F_TIMEOUT(wire, hold_claim_finishes_a_handshake_and_keeps_it, 900)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;

	peer_hold(peer, NULL);
	peer_flow(peer);
	peer_send(peer, "S 0 win 65535 <" SYN_OPTIONS ">");
	expect(peer, "S. 0 ack 1 <mss *,sackOK,TS val * ecr 1000,nop,wscale 7>");
	expect_state(peer, THREEWAY_SYN_RECEIVED);
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
	expect_silence(peer);
	EXPECT_EQ(1, peer_flows(peer, &flow));
	EXPECT_EQ(THREEWAY_ESTABLISHED, flow.state);
	EXPECT_EQ(THREEWAY_PASSIVE, flow.direction);
	EXPECT_EQ(THREEWAY_HOLD, flow.mode);
	EXPECT_EQ(peer->claim, flow.claim);
	EXPECT_EQ(peer->iss + 1, flow.snd_nxt);
	EXPECT_EQ(peer->irs + 1, flow.rcv_nxt);
	EXPECT_EQ(0, flow.retries_left);
	EXPECT_LT(298000, flow.lifetime_ms);
	EXPECT_GE(300000, flow.lifetime_ms);
	expect_counters(peer, HELD);
	/* It is kept for all its time, and nothing is sent in between. */
	expect_silence_ms(peer, 200000);
	expect_state(peer, THREEWAY_ESTABLISHED);
}

TEST_F_TIMEOUT(wire, open_finishes_a_handshake_and_keeps_it, 900)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;

	open_flow(peer, NULL);
	expect(peer, "S 0 ttl 64 tos 0 <" CLIENT_OPTIONS(*) ">");
	EXPECT_EQ(1, peer_flows(peer, &flow));
	EXPECT_EQ(THREEWAY_SYN_SENT, flow.state);
	EXPECT_EQ(THREEWAY_ACTIVE, flow.direction);
	EXPECT_EQ(THREEWAY_HOLD, flow.mode);
	EXPECT_EQ(0, flow.claim);
	EXPECT_EQ(6, flow.retries_left);
	peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	expect(peer, ". 1 ack 1 <nop,nop,TS val * ecr 5000>");
	expect_state(peer, THREEWAY_ESTABLISHED);
	expect_silence_ms(peer, 200000);
	expect_counters(peer, OPENED "; flows_held 1; sent_ack 1");
	expect_state(peer, THREEWAY_ESTABLISHED);
}

/* MSS as connect() would have it; of ECN it asks what connect() would ask. */
TEST_F(wire, OP13_PM1_EC1_SYN_of_open)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_SACK | THREEWAY_P_TIMESTAMPS |
		       THREEWAY_P_WINDOW_SCALING,
	};
	struct peer *peer = &self->peer;

	open_syn(peer, &policy);
	EXPECT_EQ(4, peer->latest.options_len);
	EXPECT_EQ(variant->family == AF_INET ? 1460 : 1440,
		  peer->latest.options[2] << 8 | peer->latest.options[3]);
	kill_flow(peer);
	expect_counters(peer, "flows_killed 1");
	policy.set = THREEWAY_P_ISN;
	policy.isn = THREEWAY_ISN_FIXED;
	policy.isn_fixed = 0x89abcdef;
	open_syn(peer, &policy);
	EXPECT_EQ(0x89abcdef, peer->iss);
	kill_flow(peer);
	sysctl_set("net/ipv4/tcp_ecn", "1");
	open_flow(peer, NULL);
	expect(peer, "SEW 0 tos 0");
	/* Its copy does not. */
	expect_at(peer, 1000, "S 0 tos 0");
	peer_send(peer, "S.E 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1 tos 0");
	kill_flow(peer);
	expect(peer, "R. 1 ack 1");
}

/* As a listener would agree to it. */
TEST_F(wire, EC1_EC3_SYN_ACK_of_held_flows)
{
	static const struct {
		int tcp_ecn;
		const char *syn, *answer;
	} cases[] = {
		{ 2, "SEW 0 <mss 1460>", "S.E 0 ack 1" },
		{ 2, "SEW 0 tos 2 <mss 1460>", "S. 0 ack 1" },
		{ 2, "SEW 0 tos 2 res 1 <mss 1460>", "S.E 0 ack 1" },
		{ 0, "SEW 0 <mss 1460>", "S. 0 ack 1" },
		{ 0, "SEW 0 tos 2 res 1 <mss 1460>", "S. 0 ack 1" },
	};
	struct peer *peer = &self->peer;
	unsigned int i;

	peer_hold(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		sysctl_set("net/ipv4/tcp_ecn", "%d", cases[i].tcp_ecn);
		peer_flow(peer);
		peer_label(peer, "%s, tcp_ecn %d", cases[i].syn,
			   cases[i].tcp_ecn);
		peer_send(peer, "%s", cases[i].syn);
		expect(peer, "%s", cases[i].answer);
	}
}

/* What comes for a finished flow, and what it is answered. */
TEST_F(wire, held_flow_acknowledges_and_accepts_nothing)
{
	static const struct {
		const char *segment, *answer, *counters;
	} cases[] = {
		{ ". 1 ack 1", NULL, "segment_held 1" },
		{ "P. 1(10) ack 1", ". 1 ack 1", "segment_held 1; sent_ack 1" },
		{ "F. 1 ack 1", ". 1 ack 1", "segment_held 1; sent_ack 1" },
		{ "P. 100(10) ack 1", ". 1 ack 1",
			"segment_held 1; sent_ack 1" },
		{ "S 0", ". 1 ack 1", "segment_syn_challenged 1; sent_ack 1" },
		{ "S. 0 ack 1", ". 1 ack 1",
			"segment_syn_challenged 1; sent_ack 1" },
		{ "S 5000", ". 1 ack 1",
			"segment_syn_challenged 1; sent_ack 1" },
		{ ". 100000 ack 1", ". 1 ack 1",
			"segment_out_of_window 1; sent_ack 1" },
		{ ". 0 ack 1", ". 1 ack 1",
			"segment_out_of_window 1; sent_ack 1" },
		{ "R 2", ". 1 ack 1", "segment_rst_challenged 1; sent_ack 1" },
		{ "R 0", NULL, "segment_rst_out_of_window 1" },
		{ "R 70000", NULL, "segment_rst_out_of_window 1" },
	};
	struct peer *peer = &self->peer;
	unsigned int i;

	sysctl_set("net/threeway/invalid_ratelimit_ms", "0");
	for (i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		const char *end = i % 2 ? "active" : "passive";

		if (i % 2) {
			held_active(peer, NULL);
		} else {
			peer_hold(peer, NULL);
			held_passive(peer, "mss 1460,nop,wscale 7");
		}
		peer_label(peer, "%s (%s)", cases[i / 2].segment, end);
		peer_send(peer, "%s", cases[i / 2].segment);
		if (cases[i / 2].answer)
			expect(peer, "%s <>", cases[i / 2].answer);
		expect_silence(peer);
		expect_state(peer, THREEWAY_ESTABLISHED);
		expect_counters(peer, "%s", cases[i / 2].counters);
		/* An exact RST ends it. */
		peer_send(peer, "R 1");
		expect_silence(peer);
		expect_state(peer, THREEWAY_CLOSED);
		expect_counters(peer, "segment_rst_exact 1; flows_reset 1");
	}
}

TEST_F(wire, RS1_RS2_held_flow_is_limited_in_its_answers)
{
	struct peer *peer = &self->peer;
	unsigned int i;

	peer_hold(peer, NULL);
	held_passive(peer, "mss 1460");
	for (i = 0; i < 10; i++)
		peer_send(peer, "P. 1(10) ack 1");
	expect(peer, ". 1 ack 1");
	expect_silence(peer);
	expect_counters(peer, "segment_held 10; sent_ack 1");
}

TEST_F(wire, flow_kill_sends_RST_in_ESTABLISHED_only)
{
	struct threeway_policy frozen = stop_at(THREEWAY_FREEZE_SYN_SENT);
	struct peer *peer = &self->peer;

	peer_hold(peer, NULL);
	held_passive(peer, "mss 1460");
	kill_flow(peer);
	expect(peer, "R. 1 ack 1 win 0 <>");
	expect_counters(peer, "flows_killed 1; sent_rst 1");
	held_active(peer, NULL);
	kill_flow(peer);
	expect(peer, "R. 1 ack 1 win 0 <>");
	expect_counters(peer, "flows_killed 1; sent_rst 1");
	/* Nothing has come to be reset before that. */
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	kill_flow(peer);
	expect_silence_ms(peer, 5000);
	expect_counters(peer, "flows_opened 1; sent_synack 1; flows_killed 1");
	open_syn(peer, NULL);
	kill_flow(peer);
	expect_silence_ms(peer, 5000);
	expect_counters(peer, "flows_killed 1");
	open_syn(peer, &frozen);
	kill_flow(peer);
	expect_silence_ms(peer, 5000);
	expect_counters(peer, "flows_killed 1");
}

/* A flow lives for so long, whatever state it is in. */
TEST_F_TIMEOUT(wire, lifetime_ends_a_flow_in_every_state, 3000)
{
	static const u32 lifetimes_ms[] = { 1000, 2500, 10000, 600000 };
	struct threeway_policy policy = { .set = THREEWAY_P_LIFETIME };
	struct peer *peer = &self->peer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lifetimes_ms); i++) {
		policy.lifetime_ms = lifetimes_ms[i];
		policy.set = THREEWAY_P_LIFETIME;
		policy.freeze = THREEWAY_FREEZE_NONE;
		peer_hold(peer, &policy);
		held_passive(peer, "mss 1460");
		peer_label(peer, "%u ms", lifetimes_ms[i]);
		expect_at(peer, lifetimes_ms[i], "R. 1 ack 1 win 0 <>");
		expect_state(peer, THREEWAY_CLOSED);
		expect_counters(peer, "flows_lifetime 1; sent_rst 1");
		held_active(peer, &policy);
		expect_at(peer, lifetimes_ms[i], "R. 1 ack 1 win 0 <>");
		expect_counters(peer, "flows_lifetime 1; sent_rst 1");
		/* Frozen, and so silent to the end. */
		policy.set |= THREEWAY_P_FREEZE;
		policy.freeze = THREEWAY_FREEZE_SYN_RECEIVED;
		peer_hold(peer, &policy);
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
		expect_silence_ms(peer, lifetimes_ms[i] - PEER_TOLERANCE_MS);
		expect_state(peer, THREEWAY_SYN_RECEIVED);
		expect_silence_ms(peer, 2 * PEER_TOLERANCE_MS);
		expect_state(peer, THREEWAY_CLOSED);
		expect_counters(peer, "flows_opened 1; sent_synack 1; "
				"flows_lifetime 1");
	}
}

TEST_F_TIMEOUT(wire, lifetime_is_300_s_by_default, 900)
{
	struct peer *peer = &self->peer;

	peer_hold(peer, NULL);
	held_passive(peer, "mss 1460");
	expect_at(peer, 300000, "R. 1 ack 1 win 0 <>");
	expect_counters(peer, "flows_lifetime 1; sent_rst 1");
}

/* Retries end a held handshake just as any other. */
TEST_F_TIMEOUT(wire, RT1_RT6_retries_of_held_handshakes, 900)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_SYN_RETRIES | THREEWAY_P_SYNACK_RETRIES,
		.syn_retries = 2,
		.synack_retries = 1,
	};
	struct peer *peer = &self->peer;

	open_syn(peer, NULL);
	expect_at(peer, 1000, "S 0");
	expect_at(peer, 3000, "S 0");
	expect_at(peer, 7000, "S 0");
	expect_at(peer, 15000, "S 0");
	expect_at(peer, 31000, "S 0");
	expect_at(peer, 63000, "S 0");
	expect_silence_ms(peer, 63900);
	expect_state(peer, THREEWAY_SYN_SENT);
	expect_silence_ms(peer, 200);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "sent_syn_timer 6; flows_timed_out 1");
	open_syn(peer, &policy);
	expect_at(peer, 1000, "S 0");
	expect_at(peer, 3000, "S 0");
	expect_silence_ms(peer, 4100);
	expect_counters(peer, "sent_syn_timer 2; flows_timed_out 1");
	peer_hold(peer, &policy);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_at(peer, 1000, "S. 0 ack 1");
	expect_silence_ms(peer, 2100);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"sent_synack_timer 1; flows_expired 1");
}

/* There is no socket whose wish it could be. */
TEST_F(wire, RT15_flow_labels_of_held_flows)
{
	struct peer *peer = &self->peer;
	u32 label;
	int on;

	if (variant->family == AF_INET)
		return;
	for (on = 0; on < 2; on++) {
		sysctl_set("net/core/txrehash", "%d", on);
		peer_hold(peer, NULL);
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
		label = peer->latest.flow_label;
		expect_at(peer, 1000, "S. 0 ack 1");
		check(peer, (label != peer->latest.flow_label) == on,
		      "txrehash %d: labels %x, %x", on, label,
		      peer->latest.flow_label);
	}
}

TEST_F_TIMEOUT(wire, freeze_syn_sent_ignores_every_answer, 900)
{
	static const char * const answers[] = {
		"S. 0 ack 1 <mss 1460>", "S 0 <mss 1460>", "R. 0 ack 1",
		". 1 ack 7", "R 0", "F. 1 ack 1"
	};
	struct threeway_policy policy = stop_at(THREEWAY_FREEZE_SYN_SENT);
	struct peer *peer = &self->peer;
	struct threeway_flow flow;
	unsigned int i;

	policy.set |= THREEWAY_P_SYN_RETRIES;
	policy.syn_retries = 2;
	open_syn(peer, &policy);
	for (i = 0; i < ARRAY_SIZE(answers); i++)
		peer_send(peer, "%s", answers[i]);
	/* It sends its copies, and stays when they have been sent. */
	expect_at(peer, 1000, "S 0");
	expect_at(peer, 3000, "S 0");
	expect_silence_ms(peer, 30000);
	peer_flows(peer, &flow);
	EXPECT_EQ(THREEWAY_SYN_SENT, flow.state);
	EXPECT_EQ(THREEWAY_F_FROZEN, flow.flags & THREEWAY_F_FROZEN);
	EXPECT_EQ(0, flow.retries_left);
	expect_counters(peer, "segment_frozen 6; sent_syn_timer 2");
	expect_silence_ms(peer, 300000 - (now_ms() - peer->start_ms) + 100);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "flows_lifetime 1");
}

TEST_F_TIMEOUT(wire, freeze_syn_received_answers_once, 900)
{
	static const char * const segments[] = {
		". 1 ack 1", "S 0 <mss 1460>", "R 1", ". 1 ack 7",
		"P. 1(3) ack 1", "S 1", ". 100000 ack 1"
	};
	struct threeway_policy policy = stop_at(THREEWAY_FREEZE_SYN_RECEIVED);
	struct peer *peer = &self->peer;
	struct threeway_flow flow;
	unsigned int i;

	peer_hold(peer, &policy);
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	for (i = 0; i < ARRAY_SIZE(segments); i++)
		peer_send(peer, "%s", segments[i]);
	expect_silence_ms(peer, 200000);
	peer_flows(peer, &flow);
	EXPECT_EQ(THREEWAY_SYN_RECEIVED, flow.state);
	EXPECT_EQ(THREEWAY_F_FROZEN, flow.flags & THREEWAY_F_FROZEN);
	expect_counters(peer, "flows_opened 1; sent_synack 1; segment_frozen 7");
	kill_flow(peer);
	expect_silence(peer);
	expect_counters(peer, "flows_killed 1");
	/* After crossing SYNs as well. */
	open_syn(peer, &policy);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1");
	for (i = 0; i < ARRAY_SIZE(segments); i++)
		peer_send(peer, "%s", segments[i]);
	expect_silence_ms(peer, 200000);
	expect_state(peer, THREEWAY_SYN_RECEIVED);
	expect_counters(peer, "segment_syn_crossed 1; sent_synack_crossed 1; "
			"segment_frozen 7");
}

TEST_F_TIMEOUT(wire, freeze_final_ack_retransmits_and_gives_up, 900)
{
	static const char * const finals[] = {
		". 1 ack 1", "P. 1(3) ack 1", "F. 1 ack 1"
	};
	struct threeway_policy policy = stop_at(THREEWAY_FREEZE_FINAL_ACK);
	struct peer *peer = &self->peer;
	unsigned int i;

	peer_hold(peer, &policy);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	for (i = 0; i < ARRAY_SIZE(finals); i++)
		peer_send(peer, "%s", finals[i]);
	for (i = 1; i <= 5; i++) {
		expect_at(peer, (1000 << i) - 1000, "S. 0 ack 1");
		peer_send(peer, ". 1 ack 1");
	}
	expect_state(peer, THREEWAY_SYN_RECEIVED);
	expect_silence_ms(peer, 32100);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "flows_opened 1; sent_synack 1; segment_frozen 8; "
			"sent_synack_timer 5; flows_expired 1");
	/* What would not finish it is answered as ever. */
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	peer_send(peer, ". 1 ack 7");
	expect(peer, "R 7 win 0 <>");
	peer_send(peer, "R 1");
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "flows_opened 1; sent_synack 1; segment_bad_ack 1; "
			"sent_rst 1; segment_rst_exact 1; flows_reset 1");
	/* An active one ignores the SYN-ACK. */
	policy.set |= THREEWAY_P_SYN_RETRIES;
	policy.syn_retries = 1;
	open_syn(peer, &policy);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect_at(peer, 1000, "S 0");
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect_silence_ms(peer, 2100);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "segment_frozen 2; sent_syn_timer 1; "
			"flows_timed_out 1");
	/* And after crossing SYNs, the last ACK and the SYN-ACK alike. */
	open_syn(peer, &policy);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1");
	peer_send(peer, ". 1 ack 1");
	peer_send(peer, "S. 0 ack 1");
	expect_at(peer, 1000, "S. 0 ack 1");
	expect_silence_ms(peer, 2100);
	expect_counters(peer, "segment_syn_crossed 1; sent_synack_crossed 1; "
			"segment_frozen 2; sent_synack_timer 1; "
			"flows_timed_out 1");
}

TEST_F(wire, freeze_refuse_answers_by_RST)
{
	struct threeway_policy policy = stop_at(THREEWAY_FREEZE_REFUSE);
	struct peer *peer = &self->peer;

	peer_hold(peer, &policy);
	peer_flow(peer);
	peer_send(peer, "S 0(3) <mss 1460>");
	expect(peer, "R. =0 ack 4 win 0 <>");
	expect_silence(peer);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "segment_frozen 1; sent_rst 1");
	open_syn(peer, &policy);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, "R. 1 ack 1 win 0 <>");
	expect_silence(peer);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "segment_frozen 1; sent_rst 1; flows_refusing 1");
	/* A crossing SYN is the peer's SYN. */
	open_syn(peer, &policy);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "R. 1 ack 1 win 0 <>");
	expect_silence(peer);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "segment_frozen 1; sent_rst 1; flows_refusing 1");
}

/* What else comes before the answer changes nothing. */
TEST_F_TIMEOUT(wire, delay_holds_the_first_answer_back, 900)
{
	/* The second SYN has to come before the first one's answer. */
	const u32 delays_ms[] = {
		peer_patience() == 1 ? 1 : 100, 500, 3000, 60000
	};
	struct threeway_policy policy = { .set = THREEWAY_P_DELAY };
	struct peer *peer = &self->peer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(delays_ms); i++) {
		policy.delay_ms = delays_ms[i];
		peer_hold(peer, &policy);
		peer_flow(peer);
		peer_label(peer, "%u ms", delays_ms[i]);
		peer_send(peer, "S 0 win 65535 <mss 1460>");
		peer_send(peer, "S 0 win 65535 <mss 1460>");
		expect_at(peer, delays_ms[i], "S. 0 ack 1");
		expect_at(peer, delays_ms[i] + 1000, "S. 0 ack 1");
		peer_send(peer, ". 1 ack 1");
		expect_silence(peer);
		expect_state(peer, THREEWAY_ESTABLISHED);
		expect_counters(peer, HELD "; segment_frozen 1; "
				"sent_synack_timer 1");
		/* The final ACK of an active open. */
		open_syn(peer, &policy);
		sleep_ms(100);
		peer_send(peer, "S. 0 ack 1 <mss 1460>");
		expect_at(peer, 100 + delays_ms[i], ". 1 ack 1");
		expect_state(peer, THREEWAY_ESTABLISHED);
		expect_silence(peer);
		expect_counters(peer, "flows_held 1; sent_ack 1");
	}
	/* No longer than it lives. */
	policy.set |= THREEWAY_P_LIFETIME;
	policy.lifetime_ms = 2000;
	peer_hold(peer, &policy);
	peer_flow(peer);
	peer_send(peer, "S 0 win 65535 <mss 1460>");
	expect_silence_ms(peer, 1950);
	expect_state(peer, THREEWAY_SYN_RECEIVED);
	expect_silence_ms(peer, 100000);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "flows_opened 1; flows_lifetime 1");
}

/* Bit n - 1: the n-th segment of the flow, copies and answers included. */
TEST_F(wire, lose_drops_the_nth_segment)
{
	struct threeway_policy policy = { .set = THREEWAY_P_LOSE };
	struct peer *peer = &self->peer;

	policy.lose = 1;
	peer_hold(peer, &policy);
	peer_flow(peer);
	peer_send(peer, "S 0 win 65535 <mss 1460>");
	expect_at(peer, 1000, "S. 0 ack 1");
	expect_counters(peer, "flows_opened 1; segment_lost 1; "
			"sent_synack_timer 1");
	kill_flow(peer);
	/* the copy, and the RST for a bad ACK */
	policy.lose = 1 << 1 | 1 << 3;
	peer_hold(peer, &policy);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_at(peer, 3000, "S. 0 ack 1");
	peer_send(peer, ". 1 ack 7");
	expect_silence(peer);
	peer_send(peer, ". 1 ack 7");
	expect(peer, "R 7 win 0 <>");
	kill_flow(peer);
	expect_counters(peer, "flows_killed 2; flows_opened 1; sent_synack 1; "
			"segment_lost 2; sent_synack_timer 1; "
			"segment_bad_ack 2; sent_rst 1");
	/* The SYN, then the final ACK, which the peer's copy brings again. */
	policy.lose = 1 | 1 << 2;
	open_flow(peer, &policy);
	expect_at(peer, 1000, "S 0");
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect_silence(peer);
	expect_state(peer, THREEWAY_ESTABLISHED);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_counters(peer, "flows_opened 1; segment_lost 2; "
			"sent_syn_timer 1; flows_held 1; "
			"segment_syn_challenged 1; sent_ack 1");
	/* All 32 of them. */
	policy.lose = 0xffffffff;
	peer_hold(peer, &policy);
	sysctl_set("net/threeway/invalid_ratelimit_ms", "0");
	sysctl_set("net/threeway/rto_initial_ms", "60000");
	peer_flow(peer);
	peer->iss_known = true;
	peer_send(peer, "S 0 <mss 1460>");
	for (int i = 0; i < 31; i++)
		peer_send(peer, "S 0 <mss 1460>");
	expect_silence(peer);
	expect_counters(peer, "flows_opened 1; segment_lost 32; "
			"segment_duplicate_syn 31");
	peer->iss_known = false;
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1");
}

TEST_F(wire, limits_backlog_of_the_claim_and_max_flows)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_BACKLOG,
		.backlog = 2,
	};
	struct peer *peer = &self->peer;
	struct threeway_open open = { .key.family = peer->family };
	unsigned int i;

	peer_hold(peer, &policy);
	for (i = 0; i < 2; i++) {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
	}
	expect_counters(peer, "flows_opened 2; sent_synack 2");
	/* Native has no listener. */
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "R. =0 ack 1");
	expect_counters(peer, "native_backlog_full 1");
	sysctl_set("net/threeway/max_flows", "3");
	open_syn(peer, NULL);
	open.key.remote_port = htons(9);
	memcpy(open.key.remote, &peer->header.src, sizeof(open.key.remote));
	EXPECT_EQ(-ENOSPC, threeway_open_flow(peer->engine, &open));
	peer_hold(peer, NULL);
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "R. =0 ack 1");
	expect_counters(peer, "native_flow_limit 1");
}

/* A hold claim answers where a program listens, and lets sockets be. */
TEST_F(wire, CL7_hold_claim_and_sockets)
{
	struct peer *peer = &self->peer;
	int fd;

	peer_listen(peer, 16);
	/* A connection from before the claim. */
	peer_syn(peer, "mss 1460");
	peer_send(peer, ". 1 ack 1");
	fd = expect_accept(peer);
	peer_hold(peer, NULL);
	peer_send(peer, "P. 1(3) ack 1");
	expect(peer, ". 1 ack 4");
	expect_stream(peer, fd, 1, 3);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, ". 1 ack 4");
	expect_counters(peer, "native_socket_owns 0");
	peer_send(peer, "R 4");
	close(fd);
	held_passive(peer, "mss 1460");
	expect_no_accept(peer);
}

TEST_F(wire, IP1_LI4_LI5_IP10_what_does_not_open_a_held_flow)
{
	struct peer *peer = &self->peer;
	u8 raw[PACKET_MAX];
	size_t len;

	peer_hold(peer, NULL);
	peer_flow(peer);
	len = peer_prepare(peer, raw, "S 0 <mss 1460>");
	raw[len - 1] ^= 1;
	peer_inject(peer, raw, len);
	expect_silence(peer);
	expect_counters(peer, "segment_bad_checksum 1");
	/* Nobody listens, and still nothing is reset. */
	peer_send(peer, "SF 0 <mss 1460>");
	expect_silence(peer);
	expect_counters(peer, "segment_syn_fin 1");
	peer_send(peer, "FPU 0(3)");
	expect_silence(peer);
	expect_counters(peer, "segment_no_ack 1");
	peer_send(peer, ". 0 ack 1");
	expect(peer, "R 1 win 0");
	peer_send(peer, "R 0");
	expect_silence(peer);
	expect_no_counters(peer);
	EXPECT_EQ(0, peer_flows(peer, NULL));
	/* Nor does it do harm to one that is there. */
	peer_syn(peer, "mss 1460");
	len = peer_prepare(peer, raw, ". 1 ack 1");
	raw[len - 1] ^= 1;
	peer_inject(peer, raw, len);
	expect_silence(peer);
	expect_state(peer, THREEWAY_SYN_RECEIVED);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"segment_bad_checksum 1");
}

/* Who deletes what has been listed misses nothing of the rest. */
TEST_F(wire, flows_are_deleted_while_they_are_listed)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;
	struct threeway_list list = {
		.records = (uintptr_t)&flow,
		.room = 1,
	};
	unsigned int seen = 0, i;

	/* some of them share a chain of the table */
	peer_hold(peer, NULL);
	for (i = 0; i < LISTED; i++) {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
	}
	while (!ioctl(peer->engine, THREEWAY_IOC_FLOW_LIST, &list) &&
	       list.count) {
		list.count = 0;
		EXPECT_EQ(0, threeway_flow_del(peer->engine, flow.id,
					       &flow.key));
		seen++;
	}
	EXPECT_EQ(LISTED, seen);
	EXPECT_EQ(0, peer_flows(peer, NULL));
}

TEST_HARNESS_MAIN
