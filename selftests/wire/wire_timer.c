// SPDX-License-Identifier: GPL-2.0
/*
 * The retransmission timer of SYN-RECEIVED: when copies of the SYN-ACK go out,
 * what they look like, and when the flow ends (rules RT, TM, LI12, SR3, SR24).
 */
#include <linux/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "wire.h"

/* Milliseconds from the SYN to the nth timeout, counted from 1. */
static u64 timeout_at(u32 initial_ms, u32 max_ms, unsigned int n)
{
	u64 at = 0;
	u64 rto = initial_ms;

	while (n--) {
		at += rto < max_ms ? rto : max_ms;
		rto *= 2;
	}
	return at;
}

/*
 * From the first SYN-ACK on: @copies at their times, then nothing, and the flow
 * is gone one timeout later. Native's answer to the late ACK is a RST.
 */
static void expect_schedule(struct peer *peer, u32 initial_ms, u32 max_ms,
			    unsigned int copies)
{
	unsigned int i;
	u64 end;

	for (i = 1; i <= copies; i++) {
		if (!expect_at(peer, timeout_at(initial_ms, max_ms, i),
			       "S. 0 ack 1"))
			return;
	}
	end = peer->start_ms + timeout_at(initial_ms, max_ms, copies + 1);
	if (now_ms() < end - PEER_TOLERANCE_MS)
		expect_silence_ms(peer, end - PEER_TOLERANCE_MS - now_ms());
	expect_flow(peer, true);
	expect_silence_ms(peer, 2 * PEER_TOLERANCE_MS);
	expect_flow(peer, false);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "sent_synack_timer %u; flows_expired 1",
			copies);
	/* Nor is there anything when the next timeout would be due. */
	expect_silence_ms(peer, timeout_at(initial_ms, max_ms, copies + 2) -
			  timeout_at(initial_ms, max_ms, copies + 1));
	peer_send(peer, ". 1 ack 1");
	expect(peer, "R 1 win 0 <>");
	expect_no_accept(peer);
}

static void open_flow(struct peer *peer)
{
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
}

TEST_F_TIMEOUT(wire, RT6_SR24_copies_at_1_3_7_15_31_s_gone_at_63_s, 600)
{
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	open_flow(peer);
	expect_schedule(peer, 1000, 120000, 5);
}

TEST_F_TIMEOUT(wire, RT4_RT6_synack_retries_of_the_claim, 4000)
{
	static const unsigned int retries[] = { 0, 1, 2, 8 };
	struct threeway_policy policy = { .set = THREEWAY_P_SYNACK_RETRIES };
	struct peer *peer = &self->peer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(retries); i++) {
		peer->header.dport++;
		policy.synack_retries = retries[i];
		peer_serve(peer, &policy);
		open_flow(peer);
		peer_label(peer, "synack_retries %u", retries[i]);
		expect_schedule(peer, 1000, 120000, retries[i]);
	}
}

TEST_F_TIMEOUT(wire, RT6_rto_initial_ms_and_rto_max_ms, 4000)
{
	static const struct {
		u32 initial_ms, max_ms;
	} rtos[] = {
		{ 100, 120000 }, { 100, 1000 }, { 250, 1500 }, { 700, 1000 },
		{ 3000, 5000 }, { 10000, 120000 }, { 60000, 1000 },
	};
	struct threeway_policy policy = {
		.set = THREEWAY_P_RTO_INITIAL | THREEWAY_P_RTO_MAX |
		       THREEWAY_P_SYNACK_RETRIES,
		.synack_retries = 4,
	};
	struct peer *peer = &self->peer;
	unsigned int i;

	peer_serve(peer, NULL);
	sysctl_set("net/threeway/synack_retries", "4");
	for (i = 0; i < ARRAY_SIZE(rtos); i++) {
		sysctl_set("net/threeway/rto_initial_ms", "%u",
			   rtos[i].initial_ms);
		sysctl_set("net/threeway/rto_max_ms", "%u", rtos[i].max_ms);
		open_flow(peer);
		peer_label(peer, "sysctl rto %u to %u ms", rtos[i].initial_ms,
			   rtos[i].max_ms);
		expect_schedule(peer, rtos[i].initial_ms, rtos[i].max_ms, 4);
	}
	/* The claim's own values win. */
	for (i = 0; i < ARRAY_SIZE(rtos); i++) {
		peer->header.dport++;
		policy.rto_initial_ms = rtos[i].initial_ms;
		policy.rto_max_ms = rtos[i].max_ms;
		peer_serve(peer, &policy);
		open_flow(peer);
		peer_label(peer, "claim's rto %u to %u ms", rtos[i].initial_ms,
			   rtos[i].max_ms);
		expect_schedule(peer, rtos[i].initial_ms, rtos[i].max_ms, 4);
	}
}

TEST_F_TIMEOUT(wire, RT5_TCP_SYNCNT_of_the_listener, 600)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_SYNACK_RETRIES,
		.synack_retries = 1,
	};
	struct peer *peer = &self->peer;
	int count = 3;

	peer_serve(peer, NULL);
	EXPECT_EQ(0, setsockopt(peer->listener, IPPROTO_TCP, TCP_SYNCNT,
				&count, sizeof(count)));
	open_flow(peer);
	expect_schedule(peer, 1000, 120000, 3);
	/* It stands for the sysctl, so a claim's own value wins. */
	peer->header.dport++;
	peer_serve(peer, &policy);
	EXPECT_EQ(0, setsockopt(peer->listener, IPPROTO_TCP, TCP_SYNCNT,
				&count, sizeof(count)));
	open_flow(peer);
	expect_schedule(peer, 1000, 120000, 1);
}

TEST_F_TIMEOUT(wire, RT6_synack_retries_changed_on_the_way, 600)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;

	peer_serve(peer, NULL);
	open_flow(peer);
	expect_at(peer, 1000, "S. 0 ack 1");
	expect_at(peer, 3000, "S. 0 ack 1");
	peer_flows(peer, &flow);
	EXPECT_EQ(3, flow.retries_left);
	EXPECT_EQ(2, flow.retransmits);
	/* Two copies are enough now: the next timeout ends it. */
	sysctl_set("net/threeway/synack_retries", "2");
	peer_flows(peer, &flow);
	EXPECT_EQ(0, flow.retries_left);
	expect_silence_ms(peer, 3900);
	expect_flow(peer, true);
	expect_silence_ms(peer, 200);
	expect_flow(peer, false);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "sent_synack_timer 2; flows_expired 1");
	/* And upwards. */
	sysctl_set("net/threeway/synack_retries", "1");
	open_flow(peer);
	expect_at(peer, 1000, "S. 0 ack 1");
	sysctl_set("net/threeway/synack_retries", "3");
	expect_at(peer, 3000, "S. 0 ack 1");
	expect_at(peer, 7000, "S. 0 ack 1");
	expect_silence_ms(peer, 8200);
	expect_flow(peer, false);
}

TEST_F_TIMEOUT(wire, RT6_rto_changed_on_the_way, 600)
{
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	open_flow(peer);
	/* The timer that runs is left alone, the next one is 2 * 200 ms. */
	sysctl_set("net/threeway/rto_initial_ms", "200");
	expect_at(peer, 1000, "S. 0 ack 1");
	expect_at(peer, 1400, "S. 0 ack 1");
	sysctl_set("net/threeway/rto_initial_ms", "10000");
	sysctl_set("net/threeway/rto_max_ms", "2000");
	expect_at(peer, 2200, "S. 0 ack 1");
	expect_at(peer, 4200, "S. 0 ack 1");
	expect_at(peer, 6200, "S. 0 ack 1");
	expect_silence_ms(peer, 1900);
	expect_flow(peer, true);
	expect_silence_ms(peer, 200);
	expect_flow(peer, false);
}

TEST_F_TIMEOUT(wire, SR3_TM7_IS7_duplicate_SYN_rearms_and_does_not_count, 600)
{
	/* TS.Recent is the first SYN's. */
	static const char synack[] =
		"S. 0 ack 1 <mss *,sackOK,TS val * ecr 1000,nop,wscale *>";
	struct peer *peer = &self->peer;
	struct threeway_flow flow;
	unsigned int i;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	/* One answer for five within 100 ms. */
	for (i = 1; i <= 5; i++) {
		sleep_until_ms(peer->start_ms + 20 * i);
		peer_send(peer, "S 0 <" SYN_OPTIONS ">");
		if (i == 1)
			expect_at(peer, 20, "%s", synack);
	}
	expect_silence(peer);
	/* 500 ms later one more. */
	sleep_until_ms(peer->start_ms + 600);
	peer_send(peer, "S 0 <mss 1460,sackOK,TS val 1600 ecr 0,nop,wscale 7>");
	expect_at(peer, 600, "%s", synack);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "segment_duplicate_syn 2; "
			      "sent_synack_duplicate 2; "
			      "segment_duplicate_limited 4");
	peer_flows(peer, &flow);
	EXPECT_EQ(5, flow.retries_left);
	EXPECT_EQ(2, flow.retransmits);
	/* The timeout that it restarts is the present one, whichever it is. */
	expect_at(peer, 1600, "S. 0 ack 1");
	expect_silence_ms(peer, 900);
	sleep_until_ms(peer->start_ms + 2600);
	peer_send(peer, "S 0 <" SYN_OPTIONS ">");
	expect_at(peer, 2600, "S. 0 ack 1");
	expect_at(peer, 4600, "S. 0 ack 1");
	expect_at(peer, 8600, "S. 0 ack 1");
	expect_at(peer, 16600, "S. 0 ack 1");
	expect_at(peer, 32600, "S. 0 ack 1");
	expect_silence_ms(peer, 31900);
	expect_flow(peer, true);
	expect_silence_ms(peer, 200);
	expect_flow(peer, false);
	expect_counters(peer, "segment_duplicate_syn 1; "
			      "sent_synack_duplicate 1; sent_synack_timer 5; "
			      "flows_expired 1");
}

/*
 * Octets of a copy that may differ: IP identification and header checksum, or
 * flow label, TCP checksum, and the TSval, which the SYN-ACK has at a fixed
 * place behind MSS and SACK-permitted.
 */
static void blank(struct peer *peer, u8 *raw)
{
	size_t tcp = peer->family == AF_INET ? 20 : 40;

	if (peer->family == AF_INET) {
		memset(raw + 4, 0, 2);
		memset(raw + 10, 0, 2);
	} else {
		raw[1] &= 0xf0;
		memset(raw + 2, 0, 2);
	}
	memset(raw + tcp + 16, 0, 2);
	memset(raw + tcp + 20 + 8, 0, 4);
}

/* The MSS of a route over a link with this MTU, in the first option. */
static void put_mss(const struct peer *peer, u8 *raw, unsigned int mtu)
{
	size_t headers = peer->family == AF_INET ? 20 + 20 : 40 + 20;
	unsigned int mss = mtu - (unsigned int)headers;

	raw[headers + 2] = (u8)(mss >> 8);
	raw[headers + 3] = (u8)mss;
}

TEST_F_TIMEOUT(wire, RT12_RT13_WI3_copies_are_equal_but_for_a_current_tsval, 600)
{
	struct peer *peer = &self->peer;
	u8 first[256], copy[256];
	size_t len;
	u32 tsval, ms, late_ms;
	u64 at_ms;
	unsigned int i;

	peer_serve(peer, NULL);
	peer_flow(peer);
	at_ms = now_ms();
	peer_syn(peer, SYN_OPTIONS);
	tsval = peer->tsval;
	/* what the kernel takes for it, and each copy may as well */
	late_ms = (u32)(peer->at_ms - at_ms) + 1;
	at_ms = peer->at_ms;
	len = peer->raw_len;
	ASSERT_GT(sizeof(first), len);
	memcpy(first, peer->raw, len);
	blank(peer, first);
	/* What would make another window and shift for a new flow. */
	sysctl_set("net/ipv4/tcp_rmem", "4096 20000 20000");
	/* The MSS is that of the route, as a native copy's is. */
	run("ip link set tun0 mtu 1400");
	put_mss(peer, first, 1400);
	for (i = 0; i < 6; i++) {
		if (i == 3)
			peer_send(peer, "S 0 <" SYN_OPTIONS ">");
		ASSERT_EQ(1, peer_receive(peer, 33000));
		ASSERT_EQ(len, peer->raw_len);
		memcpy(copy, peer->raw, len);
		blank(peer, copy);
		check(peer, !memcmp(first, copy, len), "copy %u differs", i);
		ms = (u32)(peer->at_ms - at_ms);
		check(peer, peer->tsval - tsval <= ms + late_ms &&
		      peer->tsval - tsval + late_ms >= ms,
		      "TSval is %u ms on after %u ms", peer->tsval - tsval,
		      ms);
	}
}

/* Flow labels of the first SYN-ACK and five copies: how many there are. */
static unsigned int labels_of_copies(struct peer *peer)
{
	u32 labels[6];
	unsigned int i, k, different = 0;

	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	for (i = 0; i < 6; i++) {
		if (i)
			check(peer, peer_receive(peer, 33000), "no copy %u", i);
		labels[i] = peer->latest.flow_label;
		for (k = 0; k < i && labels[k] != labels[i]; k++)
			;
		different += k == i;
	}
	check(peer, labels[0], "no flow label");
	return different;
}

TEST_F_TIMEOUT(wire, RT15_copies_take_another_flow_label, 600)
{
	struct peer *peer = &self->peer;
	int off = 0;

	if (variant->family == AF_INET) {
		/* IPv4 has none: the copies must do without. */
		peer_serve(peer, NULL);
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
		expect_at(peer, 1000, "S. 0 ack 1");
		return;
	}
	peer_serve(peer, NULL);
	EXPECT_LT(3, labels_of_copies(peer));
	EXPECT_EQ(0, setsockopt(peer->listener, SOL_SOCKET, SO_TXREHASH, &off,
				sizeof(off)));
	EXPECT_EQ(1, labels_of_copies(peer));
}

TEST_F_TIMEOUT(wire, RT14_RT16_copies_follow_the_route_and_survive_its_loss, 600)
{
	struct peer *peer = &self->peer;
	const char *ip = variant->family == AF_INET ? "-4" : "-6";
	const char *to = variant->family == AF_INET ? "192.0.2.2/32" :
						      "2001:db8::2/128";
	struct threeway_flow flow;

	peer_serve(peer, NULL);
	open_flow(peer);
	run("ip %s route add blackhole %s", ip, to);
	expect_silence_ms(peer, 1500);
	expect_counters(peer, "flows_opened 1; sent_synack 1; send_failed 1");
	run("ip %s route del blackhole %s", ip, to);
	expect_at(peer, 3000, "S. 0 ack 1");
	expect_at(peer, 7000, "S. 0 ack 1");
	/* one never left */
	peer_flows(peer, &flow);
	EXPECT_EQ(2, flow.retransmits);
	peer_send(peer, ". 1 ack 1");
	expect_silence(peer);
	close(expect_accept(peer));
}

TEST_F_TIMEOUT(wire, LI12_LC8_listener_closed, 600)
{
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	open_flow(peer);
	close(peer->listener);
	peer->listener = -1;
	/* Nothing more is sent, and the flow ends by itself. */
	expect_silence_ms(peer, 1100);
	expect_flow(peer, false);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "flows_listener_gone 1");
	peer_send(peer, ". 1 ack 1");
	expect(peer, "R 1 win 0 <>");

	/* The ACK comes before the timer. */
	peer_listen(peer, 16);
	open_flow(peer);
	close(peer->listener);
	peer->listener = -1;
	peer_send(peer, ". 1 ack 1");
	expect(peer, "R 1 win 0 <>");
	expect_flow(peer, false);
	expect_silence_ms(peer, 3000);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "segment_listener_gone 1; flows_listener_gone 1");

	/* Another socket on the port does not inherit the flow. */
	peer_listen(peer, 16);
	open_flow(peer);
	close(peer->listener);
	peer->listener = -1;
	peer_listen(peer, 16);
	peer_send(peer, ". 1 ack 1");
	expect(peer, "R 1 win 0 <>");
	expect_no_accept(peer);
	expect_silence_ms(peer, 3000);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "segment_listener_gone 1; flows_listener_gone 1");
	open_flow(peer);
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
}

TEST_F_TIMEOUT(wire, flows_outlive_their_claim, 600)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_SYNACK_RETRIES | THREEWAY_P_RTO_INITIAL,
		.synack_retries = 2,
		.rto_initial_ms = 2000,
	};
	struct peer *peer = &self->peer;

	peer_serve(peer, &policy);
	open_flow(peer);
	EXPECT_EQ(0, threeway_claim_del(peer->engine, peer->claim));
	expect_at(peer, 2000, "S. 0 ack 1");
	peer_send(peer, ". 1 ack 1");
	expect_silence(peer);
	close(expect_accept(peer));
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "sent_synack_timer 1; flows_handed_over 1");

	EXPECT_EQ(1, peer_claim(peer, &policy));
	open_flow(peer);
	EXPECT_EQ(0, threeway_claim_del(peer->engine, peer->claim));
	expect_schedule(peer, 2000, 120000, 2);
	/* Without a claim the next handshake is native's. */
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_counters(peer, "%s", "");
}

TEST_F_TIMEOUT(wire, a_killed_flow_is_silent, 600)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;

	peer_serve(peer, NULL);
	open_flow(peer);
	EXPECT_EQ(1, peer_flows(peer, &flow));
	EXPECT_EQ(0, threeway_flow_del(peer->engine, flow.id, &flow.key));
	expect_flow(peer, false);
	expect_silence_ms(peer, 3500);
	expect_counters(peer, "flows_opened 1; sent_synack 1; flows_killed 1");
	peer_send(peer, ". 1 ack 1");
	expect(peer, "R 1 win 0 <>");
	peer_send(peer, "S 0 <mss 1460>");
	peer->iss_known = false;
	expect(peer, "S. 0 ack 1");
}

TEST_F_TIMEOUT(wire, timers_stop_when_the_handshake_is_complete, 600)
{
	struct peer *peer = &self->peer;
	int fd;

	peer_serve(peer, NULL);
	open_flow(peer);
	expect_at(peer, 1000, "S. 0 ack 1");
	peer_send(peer, ". 1 ack 1");
	expect_silence_ms(peer, 130000);
	fd = expect_accept(peer);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "sent_synack_timer 1; flows_handed_over 1");
	close(fd);
	/* Nor after a RST. */
	expect(peer, "F. 1 ack 1");
	open_flow(peer);
	peer_send(peer, "R 1");
	expect_silence_ms(peer, 130000);
}

TEST_HARNESS_MAIN
