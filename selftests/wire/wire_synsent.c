// SPDX-License-Identifier: GPL-2.0
/*
 * SYN-SENT of connecting sockets: what each segment does to it, who else's
 * segments do nothing, and that it is what native does (rules SS, SQ, FL1, IP1,
 * CL7, ER2). Options and numbers are in wire_synopen.c, the timer is in
 * wire_syntimer.c.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

/* Sends only the segments that a test asks for: no copies of the SYN. */
static void claim_quietly(struct peer *peer)
{
	client_claim(peer, NULL);
	sysctl_set("net/threeway/rto_initial_ms", "60000");
}

static int open_flow(struct peer *peer)
{
	int fd = client_open(peer);

	expect_counters(peer, "flows_opened 1; sent_syn 1");
	return fd;
}

/* The SYN-ACK that was due all the time. */
static void expect_completes(struct peer *peer, int fd)
{
	expect_connecting(peer, fd);
	expect_state(peer, THREEWAY_SYN_SENT);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1 <>");
	expect_connected(peer, fd);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "flows_handed_over 1");
	client_exchange(peer, fd);
}

TEST_F_TIMEOUT(wire, SS1_SYN_ACK_establishes_and_no_SYN_follows, 300)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;
	int fd;

	client_claim(peer, NULL);
	fd = open_flow(peer);
	EXPECT_EQ(1, peer_flows(peer, &flow));
	EXPECT_EQ(peer->iss, flow.iss);
	EXPECT_EQ(peer->iss + 1, flow.snd_nxt);
	EXPECT_EQ(peer->latest.window, flow.rcv_wnd);
	EXPECT_EQ(peer->claim, flow.claim);
	EXPECT_EQ(THREEWAY_ACTIVE, flow.direction);
	EXPECT_EQ(THREEWAY_HANDOFF, flow.mode);
	EXPECT_EQ(6, flow.retries_left);
	expect_connecting(peer, fd);
	peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	expect(peer, ". 1 ack 1 <nop,nop,TS val * ecr 5000>");
	expect_connected(peer, fd);
	EXPECT_EQ(0, peer_flows(peer, NULL));
	expect_silence_ms(peer, 130000);
	expect_counters(peer, "flows_handed_over 1");
	client_exchange(peer, fd);
	expect_no_counters(peer);
}

static void connect_script(struct peer *peer, const void *arg)
{
	const char *options = arg;
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	client_note(peer, fd);
	sleep_ms(30);
	peer_send(peer, "S. 0 ack 1 win 60000 <%s>", options);
	peer_watch(peer, 100);
	client_note(peer, fd);
	send(fd, "hello", 5, 0);
	peer_watch(peer, 110);
	peer_send(peer, "P. 1(7) ack 6");
	peer_watch(peer, 400);
	client_note(peer, fd);
	close(fd);
	peer_watch(peer, 500);
	peer_send(peer, "F. 8 ack 7");
	peer_watch(peer, 600);
}

TEST_F(wire, SS1_HO11_TCP_INFO_and_segments_as_native)
{
	same_as_native(&self->peer, connect_script, SYNACK_OPTIONS);
	EXPECT_EQ(1, peer_counter(&self->peer, THREEWAY_C_flows_handed_over));
	same_as_native(&self->peer, connect_script, "mss 536");
	EXPECT_EQ(1, peer_counter(&self->peer, THREEWAY_C_flows_handed_over));
}

TEST_F(wire, SS2_RS6_unacceptable_ACK_gets_RST_and_the_flow_stays)
{
	static const u32 acks[] = { -1, 0, 2, 0x80000001, 0x7fffffff };
	static const char * const flags[] = { ".", "S.", "F.", "P." };
	struct peer *peer = &self->peer;
	unsigned int i, k;
	int fd;

	claim_quietly(peer);
	fd = open_flow(peer);
	/* The first one brings the next SYN forward, see SS3. */
	peer_send(peer, ". 100 ack 0");
	expect(peer, "R 0 win 0 urg 0 <>");
	expect(peer, "S 0");
	expect_counters(peer, "segment_bad_ack 1; sent_rst 1; sent_syn_timer 1");
	for (i = 0; i < ARRAY_SIZE(acks); i++) {
		for (k = 0; k < 2 * ARRAY_SIZE(flags); k++) {
			peer_send(peer, "%s 100(%u) ack %u", flags[k / 2],
				  k % 2 * 3, acks[i]);
			expect(peer, "R %u win 0 urg 0 <>", acks[i]);
		}
	}
	expect_silence(peer);
	expect_counters(peer, "segment_bad_ack 40; sent_rst 40");
	expect_completes(peer, fd);
}

TEST_F(wire, SS3_the_first_bad_ACK_brings_the_SYN_forward_once)
{
	struct peer *peer = &self->peer;
	u64 sent_ms;
	int fd;

	client_claim(peer, NULL);
	fd = open_flow(peer);
	sleep_ms(100);
	sent_ms = now_ms();
	peer_send(peer, ". 100 ack 7");
	expect(peer, "R 7 win 0 <>");
	expect(peer, "S 0");
	check(peer, peer->at_ms - sent_ms <= 20, "SYN after %llu ms",
	      (unsigned long long)(peer->at_ms - sent_ms));
	peer_send(peer, ". 100 ack 7");
	expect(peer, "R 7 win 0 <>");
	/* It is the first timeout: the next one is twice as long. */
	expect_at(peer, 2108, "S 0");
	expect_counters(peer, "segment_bad_ack 2; sent_rst 2; sent_syn_timer 2");
	peer_send(peer, ". 100 ack 7");
	expect(peer, "R 7 win 0 <>");
	expect_at(peer, 6108, "S 0");
	expect_counters(peer, "segment_bad_ack 1; sent_rst 1; sent_syn_timer 1");
	expect_completes(peer, fd);
}

TEST_F(wire, SS3_a_flood_of_bad_ACKs_does_not_put_the_SYN_off)
{
	struct peer *peer = &self->peer;
	unsigned int i, syns = 0;
	int fd;

	client_claim(peer, NULL);
	fd = open_flow(peer);
	for (i = 0; i < 25; i++) {
		peer_send(peer, ". 100 ack 7");
		expect(peer, "R 7 win 0 <>");
		if (!peer_receive(peer, 4))
			continue;
		check(peer, peer->latest.flags == FLAG_SYN && i < 6,
		      "after %u bad ACKs", i);
		syns++;
	}
	EXPECT_EQ(1, syns);
	expect_counters(peer, "segment_bad_ack 25; sent_rst 25; sent_syn_timer 1");
	expect_completes(peer, fd);
}

static void bad_ack_script(struct peer *peer, const void *arg)
{
	bool v4 = peer->family == AF_INET;
	int fd, ttl = 33;

	client_claim(peer, arg);
	fd = client_open(peer);
	/* that of a RST is not the socket's */
	setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
		   v4 ? IP_TTL : IPV6_UNICAST_HOPS, &ttl, sizeof(ttl));
	peer_watch(peer, 200);
	peer_send(peer, ". 100 ack 7 tos 0x13");
	peer_watch(peer, 300);
	peer_send(peer, "S. 100 ack 0 <mss 1460>");
	peer_watch(peer, 400);
	client_note(peer, fd);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	peer_watch(peer, 500);
	client_note(peer, fd);
	client_close(peer, fd);
}

TEST_F(wire, SS2_SS3_CL8_half_open_discovery_as_native)
{
	same_as_native(&self->peer, bad_ack_script, NULL);
	expect_counters(&self->peer, "flows_opened 1; sent_syn 1; "
			"segment_bad_ack 2; sent_rst 2; sent_syn_timer 1; "
			"flows_handed_over 1");
}

TEST_F(wire, SS4_RST_with_unacceptable_ACK_is_dropped_and_hurries_nothing)
{
	static const u32 acks[] = { 0, 2, 0x80000001 };
	struct peer *peer = &self->peer;
	unsigned int i;
	int fd;

	client_claim(peer, NULL);
	fd = open_flow(peer);
	for (i = 0; i < 2 * ARRAY_SIZE(acks); i++)
		peer_send(peer, "R. 1(%u) ack %u", i % 2 * 3, acks[i / 2]);
	peer_send(peer, "SR. 1 ack 0");
	peer_send(peer, "FR. 1 ack 0");
	expect_at(peer, 1000, "S 0");
	expect_counters(peer, "segment_syn_sent_rst 8; sent_syn_timer 1");
	expect_completes(peer, fd);
}

TEST_F(wire, SS5_ER2_RST_with_acceptable_ACK_refuses)
{
	static const u32 seqs[] = { 0, 1, 0x12345678 };
	static const char * const flags[] = { "R.", "SR.", "FR.", "R.P" };
	struct peer *peer = &self->peer;
	unsigned int i;
	int fd;

	client_claim(peer, NULL);
	for (i = 0; i < 2 * ARRAY_SIZE(seqs) * ARRAY_SIZE(flags); i++) {
		fd = open_flow(peer);
		peer_send(peer, "%s =%u(%u) ack 1", flags[i / 6],
			  seqs[i / 2 % 3], i % 2 * 3);
		expect_failed(peer, fd, ECONNREFUSED);
		expect_state(peer, THREEWAY_CLOSED);
		expect_silence(peer);
		expect_counters(peer, "segment_refused 1; flows_refused 1");
		close(fd);
	}
	/* Not a word later, and the tuple can be used again. */
	expect_silence_ms(peer, 3000);
	fd = open_flow(peer);
	expect_completes(peer, fd);
}

TEST_F(wire, SS6_RST_without_ACK_is_dropped)
{
	static const u32 seqs[] = { 0, 1, 0x12345678 };
	struct peer *peer = &self->peer;
	unsigned int i;
	int fd;

	client_claim(peer, NULL);
	fd = open_flow(peer);
	for (i = 0; i < 2 * ARRAY_SIZE(seqs); i++)
		peer_send(peer, "R =%u(%u)", seqs[i / 2], i % 2 * 3);
	peer_send(peer, "R =%u", peer->iss);
	peer_send(peer, "SR 0");
	peer_send(peer, "SFR 0 <mss 1000>");
	expect_at(peer, 1000, "S 0");
	expect_counters(peer, "segment_syn_sent_rst 9; sent_syn_timer 1");
	expect_completes(peer, fd);
}

TEST_F(wire, SS7_acceptable_ACK_without_SYN_is_dropped)
{
	static const char * const flags[] = { ".", "F.", "P.", "FP.U", "U." };
	struct peer *peer = &self->peer;
	unsigned int i;
	int fd;

	client_claim(peer, NULL);
	fd = open_flow(peer);
	for (i = 0; i < 2 * ARRAY_SIZE(flags); i++)
		peer_send(peer, "%s 1(%u) ack 1", flags[i / 2], i % 2 * 3);
	expect_connecting(peer, fd);
	expect_at(peer, 1000, "S 0");
	expect_counters(peer, "segment_syn_sent_no_syn 10; sent_syn_timer 1");
	expect_completes(peer, fd);
}

TEST_F(wire, SS9_FIN_is_not_processed)
{
	struct peer *peer = &self->peer;
	char octet;
	int fd;

	claim_quietly(peer);
	fd = open_flow(peer);
	peer_send(peer, "F 0");
	peer_send(peer, "F 0(3)");
	expect_silence(peer);
	expect_counters(peer, "segment_syn_sent_no_syn 2");
	peer_send(peer, "SF. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	/* It has to come again. */
	peer_send(peer, "F. 1 ack 1");
	expect(peer, ". 1 ack 2");
	EXPECT_EQ(0, recv(fd, &octet, 1, 0));
	expect_counters(peer, "flows_handed_over 1");
	close(fd);
	expect(peer, "F. 1 ack 2");
	peer_send(peer, "R 2");
}

TEST_F(wire, SS10_HO18_data_on_the_SYN_ACK_is_not_acknowledged)
{
	struct peer *peer = &self->peer;
	int fd;

	claim_quietly(peer);
	fd = open_flow(peer);
	peer_send(peer, "S.P 0(3) ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	expect_stream(peer, fd, 1, 0);
	peer_send(peer, "P. 1(3) ack 1");
	expect(peer, ". 1 ack 4");
	expect_stream(peer, fd, 1, 3);
	expect_counters(peer, "flows_handed_over 1");
	client_close(peer, fd);
}

/* From the first TSval and after the copy's: with ACK, and with RST. */
TEST_F(wire, SS12_TSecr_must_be_a_TSval_that_was_sent)
{
	static const struct {
		int from_first, from_now;
		bool zero, good;
	} cases[] = {
		{ .from_first = -1 }, { .good = true },
		{ .from_first = 500, .good = true },
		{ .from_now = 1, .from_first = 2 },
		{ .from_now = 10000 }, { .from_first = 0x40000000 },
		{ .zero = true, .good = true },
	};
	struct peer *peer = &self->peer;
	unsigned int i;
	u32 first, ecr;
	int fd;

	client_claim(peer, NULL);
	for (i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		const typeof(*cases) *c = &cases[i / 2];

		fd = client_open(peer);
		first = peer->tsval;
		expect_at(peer, 1000, "S 0 <" CLIENT_OPTIONS(*) ">");
		EXPECT_LE(999, peer->tsval - first);
		ecr = c->from_now ? peer->tsval + c->from_now : first;
		ecr = c->zero ? 0 : ecr + c->from_first;
		peer_label(peer, "case %u, %s", i / 2, i % 2 ? "RST" : "SYN");
		expect_counters(peer, "flows_opened 1; sent_syn 1; sent_syn_timer 1");
		peer_send(peer, "%s 0 ack 1 <mss 1460,nop,nop,TS val 9 ecr %u>",
			  i % 2 ? "R." : "S.", ecr);
		if (!c->good) {
			if (!(i % 2))
				expect(peer, "R 1 win 0 <>");
			expect_silence(peer);
			expect_connecting(peer, fd);
			expect_counters(peer, "segment_tsecr 1%s",
					i % 2 ? "" : "; sent_rst 1");
		} else if (i % 2) {
			expect_failed(peer, fd, ECONNREFUSED);
			expect_silence(peer);
			expect_counters(peer, "segment_refused 1; flows_refused 1");
		} else {
			expect(peer, ". 1 ack 1 <nop,nop,TS val * ecr 9>");
			expect_connected(peer, fd);
			expect_counters(peer, "flows_handed_over 1");
		}
		client_close(peer, fd);
		peer_send(peer, "S. 0 ack 1 <mss 1460>");
		expect(peer, "R 1 win 0 <>");
		expect_counters(peer, "%s",
				c->good ? "" : "flows_socket_gone 1");
	}
}

/* The window of the SYN-ACK, with a shift that must not be applied to it. */
static void window_script(struct peer *peer, const void *arg)
{
	static const unsigned int windows[] = { 0, 1, 1000, 65535 };
	unsigned int i;
	int fd;

	client_claim(peer, arg);
	for (i = 0; i < 2 * ARRAY_SIZE(windows); i++) {
		fd = client_open(peer);
		peer_label(peer, "window %u%s", windows[i / 2],
			   i % 2 ? ", wscale 14" : "");
		peer_send(peer, "S. 0 ack 1 win %u <mss 1460%s>",
			  windows[i / 2], i % 2 ? ",nop,wscale 14" : "");
		peer_watch(peer, 50);
		client_note(peer, fd);
		/* A window of 0 is probed. */
		send(fd, "hello", 5, 0);
		peer_watch(peer, 1000);
		client_close(peer, fd);
	}
}

TEST_F(wire, SS14_WI1_WI6_WI7_window_of_the_SYN_ACK_as_native)
{
	same_as_native(&self->peer, window_script, NULL);
	expect_counters(&self->peer, "flows_opened 8; sent_syn 8; "
			"flows_handed_over 8");
}

static void duplicate_script(struct peer *peer, const void *arg)
{
	const char *ts = arg ? "<nop,nop,TS val 5000 ecr ^>" : "<mss 1460>";
	unsigned int i;
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	for (i = 0; i < 3; i++)
		peer_send(peer, "S. 0 ack 1 %s", ts);
	peer_watch(peer, 1000);
	peer_send(peer, "S. 0 ack 1 %s", ts);
	peer_watch(peer, 2000);
	/* Another one's. */
	peer_send(peer, "S. 5000 ack 1 %s", ts);
	peer_watch(peer, 3000);
	client_note(peer, fd);
	client_close(peer, fd);
}

TEST_F(wire, SS15_SYN_ACK_again_is_native_s_to_answer)
{
	static const bool stamps = true;

	same_as_native(&self->peer, duplicate_script, NULL);
	expect_counters(&self->peer, "flows_opened 1; sent_syn 1; "
			"flows_handed_over 1");
	same_as_native(&self->peer, duplicate_script, &stamps);
	expect_counters(&self->peer, "flows_opened 1; sent_syn 1; "
			"flows_handed_over 1");
}

TEST_F(wire, SS16_ER9_close_sends_nothing_and_the_late_SYN_ACK_gets_RST)
{
	struct peer *peer = &self->peer;
	int fd;

	client_claim(peer, NULL);
	fd = open_flow(peer);
	close(fd);
	expect_silence_ms(peer, 500);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, "R 1 win 0 <>");
	expect_counters(peer, "flows_socket_gone 1");
	/* Without any answer its timer finds out. */
	fd = open_flow(peer);
	close(fd);
	expect_silence_ms(peer, 3500);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "flows_socket_gone 1");
	/* Nor is there anything to see of it in another connect(). */
	fd = open_flow(peer);
	close(fd);
	peer->iss_known = false;
	fd = client_socket(peer);
	EXPECT_EQ(EINPROGRESS, client_connect(peer, fd));
	expect(peer, "S 0");
	expect_counters(peer, "flows_socket_gone 1; flows_opened 1; sent_syn 1");
	expect_completes(peer, fd);
}

TEST_F_TIMEOUT(wire, SS17_ER1_SYN_ACK_after_the_timeout_gets_RST, 300)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_SYN_RETRIES,
		.syn_retries = 1,
	};
	struct peer *peer = &self->peer;
	int fd;

	client_claim(peer, &policy);
	fd = open_flow(peer);
	expect_at(peer, 1000, "S 0");
	expect_silence_ms(peer, 2100);
	expect_failed(peer, fd, ETIMEDOUT);
	expect_counters(peer, "sent_syn_timer 1; flows_timed_out 1");
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, "R 1 win 0 <>");
	expect_no_counters(peer);
	close(fd);
}

/* Of the flow, but for one octet of an address or a port. */
static void send_from_elsewhere(struct peer *peer, u8 *octet, const char *line)
{
	(*octet)++;
	peer_send(peer, "%s", line);
	peer_receive(peer, PEER_ANSWER_MS);
	check(peer, peer->latest.flags == FLAG_RST, "no RST");
	(*octet)--;
}

TEST_F(wire, SS18_only_the_exact_tuple_matches)
{
	struct peer *peer = &self->peer;
	struct packet *header = &peer->header;
	unsigned int last = variant->family == AF_INET ? 3 : 15;
	int fd;

	claim_quietly(peer);
	fd = open_flow(peer);
	header->sport -= 100;
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	peer_receive(peer, PEER_ANSWER_MS);
	check(peer, peer->latest.flags == FLAG_RST, "no RST");
	header->sport += 100;
	header->dport++;
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	peer_receive(peer, PEER_ANSWER_MS);
	check(peer, peer->latest.flags == FLAG_RST, "no RST");
	header->dport--;
	send_from_elsewhere(peer, &header->src.octet[last],
			    "S. 0 ack 1 <mss 1460>");
	run("ip addr add %s dev tun0 %s", variant->family == AF_INET ?
	    "192.0.2.3/24" : "2001:db8::3/64",
	    variant->family == AF_INET ? "" : "nodad");
	header->dst.octet[last] += 2;
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	peer_receive(peer, PEER_ANSWER_MS);
	check(peer, peer->latest.flags == FLAG_RST, "no RST");
	header->dst.octet[last] -= 2;
	expect_silence(peer);
	expect_no_counters(peer);
	expect_completes(peer, fd);
}

/*
 * Two connections of one tuple: the first one ends in TIME-WAIT, the second one
 * begins with what is left of it.
 */
static int reuse_tuple(struct peer *peer)
{
	int fd = client_open(peer);

	peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	expect(peer, ". 1 ack 1");
	close(fd);
	expect(peer, "F. 1 ack 1");
	peer_send(peer, "F. 1 ack 2 <nop,nop,TS val 6000 ecr ^>");
	expect(peer, ". 2 ack 2");
	sleep_ms(1500);
	peer->iss_known = false;
	fd = client_socket(peer);
	check(peer, client_connect(peer, fd) == EINPROGRESS, "connect()");
	return fd;
}

TEST_F(wire, SS20_TS2_IS4_TW_reuse_keeps_native_s_number_and_TS_Recent)
{
	struct peer *peer = &self->peer;
	u32 iss;
	int fd;

	claim_quietly(peer);
	sysctl_set("net/ipv4/tcp_tw_reuse", "1");
	fd = reuse_tuple(peer);
	iss = peer->iss;
	expect(peer, "S 0 <mss *,sackOK,TS val * ecr 6000,nop,wscale 7>");
	EXPECT_EQ(iss + 2 + 65537, peer->iss);
	/* A crossing SYN that is older than the last connection. */
	peer->irs += 100000;
	peer_send(peer, "S 0 <mss 1460,nop,nop,TS val 5999 ecr 0>");
	expect_silence(peer);
	expect_counters(peer, "flows_opened 2; sent_syn 2; "
			"flows_handed_over 1; segment_paws 1");
	expect_completes(peer, fd);
}

/* Values around which compares go wrong that are not modulo 2^32. */
static const u32 corners[] = { 0xffffffff, 0xfffffffe, 0x7fffffff,
			       0x80000000, 0 };

TEST_F_TIMEOUT(wire, SQ1_SQ2_IS10_sequence_numbers_around_the_wrap, 120)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_ISN,
		.isn = THREEWAY_ISN_FIXED,
	};
	struct peer *peer = &self->peer;
	unsigned int i, k;
	int fd;

	sysctl_set("net/threeway/rto_initial_ms", "60000");
	for (i = 0; i < ARRAY_SIZE(corners); i++) {
		policy.isn_fixed = corners[i];
		client_reclaim(peer, &policy);
		for (k = 0; k < ARRAY_SIZE(corners); k++) {
			fd = client_open(peer);
			peer->irs = corners[k];
			peer_label(peer, "iss %#x irs %#x", corners[i],
				   corners[k]);
			check(peer, peer->iss == corners[i], "iss %#x",
			      peer->iss);
			peer_send(peer, "S. 0 ack 0");
			expect(peer, "R 0 win 0");
			expect(peer, "S 0");
			peer_send(peer, "S. 0 ack 2");
			expect(peer, "R 2 win 0");
			peer_send(peer, "R. 0 ack 0");
			peer_send(peer, ". 0 ack 1");
			expect_silence_ms(peer, 50);
			expect_counters(peer, "flows_opened 1; sent_syn 1; "
					"segment_bad_ack 2; sent_rst 2; "
					"segment_syn_sent_rst 1; "
					"sent_syn_timer 1; "
					"segment_syn_sent_no_syn 1");
			expect_completes(peer, fd);
		}
	}
}

/*
 * All that is offered, so that a crossing SYN is answered as native does; and no
 * SACK, as native would report the SYN-ACK after it as a duplicate.
 */
#define ALL_OPTIONS "mss 1460,nop,nop,TS val 5000 ecr 0,nop,wscale 7"

/* All 64 combinations of flags, a flow for each. */
static void all_flags(struct peer *peer, const void *arg)
{
	static const char letters[] = "FSRP.U";
	unsigned int flags, bit;
	const char *segment = arg;
	char text[8];
	int fd;

	client_claim(peer, NULL);
	sysctl_set("net/ipv4/tcp_sack", "0");
	for (flags = 0; flags < 64; flags++) {
		char *to = text;

		for (bit = 0; bit < 6; bit++) {
			if (flags & 1 << bit)
				*to++ = letters[bit];
		}
		strcpy(to, flags ? "" : "-");
		fd = client_open(peer);
		peer_label(peer, "%s %s", text, segment);
		peer_send(peer, "%s %s", text, segment);
		peer_watch(peer, 900);
		client_note(peer, fd);
		peer_send(peer, "S. 0 ack 1 <" ALL_OPTIONS ">");
		peer_watch(peer, 950);
		peer_note(peer, "state %u", client_state(fd));
		client_close(peer, fd);
	}
}

TEST_F_TIMEOUT(wire, FL1_all_flags_in_SYN_SENT_as_native, 600)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, all_flags, "0 ack 1 <" ALL_OPTIONS ">");
	EXPECT_EQ(64, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(16, peer_counter(peer, THREEWAY_C_segment_refused));
	same_as_native(peer, all_flags, "0(3) ack 1 <" ALL_OPTIONS ">");
	EXPECT_EQ(64, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(16, peer_counter(peer, THREEWAY_C_segment_refused));
}

/* A wrong octet anywhere after the addresses. */
TEST_F_TIMEOUT(wire, IP1_a_wrong_octet_and_the_segment_never_was, 120)
{
	static const char * const segments[] = {
		"S. 0 ack 1 <mss 1460>", "R. 0 ack 1", "S 0 <mss 1460>",
		". 0 ack 7"
	};
	struct peer *peer = &self->peer;
	u8 raw[PACKET_MAX];
	unsigned int i, at, header, sent = 0;
	size_t len;
	int fd;

	header = variant->family == AF_INET ? 20 : 40;
	claim_quietly(peer);
	fd = open_flow(peer);
	for (i = 0; i < ARRAY_SIZE(segments); i++) {
		len = peer_prepare(peer, raw, "%s", segments[i]);
		for (at = header + 4; at < len; at++) {
			/* a data offset beyond the packet is another thing */
			raw[at] ^= at == header + 12 ? 0x01 : 0x40;
			peer_inject(peer, raw, len);
			raw[at] ^= at == header + 12 ? 0x01 : 0x40;
			sent++;
		}
	}
	expect_silence(peer);
	expect_connecting(peer, fd);
	expect_counters(peer, "segment_bad_checksum %u", sent);
	expect_completes(peer, fd);
}

/* Connections that no claim is for, and what the engine does about them. */
static void unclaimed_script(struct peer *peer, const void *arg)
{
	static const char * const probes[] = {
		"S 0 <mss 1000>", "S 5000 <mss 1000>", ". 1 ack 0", ". 1 ack 1",
		"R 5000", "S. 0 ack 1", "F. 1 ack 1", "R 1"
	};
	struct threeway_claim claim = {
		.family = peer->family,
		.direction = THREEWAY_ACTIVE,
		.mode = THREEWAY_HANDOFF,
		.port_first = 9,
		.port_last = 9,
	};
	unsigned int i, k;
	int fd;

	if (peer->engine >= 0)
		threeway_claim_add(peer->engine, &claim);
	for (i = 0; i < 2 * ARRAY_SIZE(probes); i++) {
		fd = client_open(peer);
		peer_label(peer, "%s in %s", probes[i / 2],
			   i % 2 ? "SYN-SENT" : "ESTABLISHED");
		if (!(i % 2))
			peer_send(peer, "S. 0 ack 1 <mss 1460>");
		peer_watch(peer, 100);
		peer_send(peer, "%s", probes[i / 2]);
		peer_watch(peer, 900);
		client_note(peer, fd);
		for (k = 0; k < 2; k++)
			peer_send(peer, "R. %u ack 1", k);
		peer_watch(peer, 950);
		close(fd);
	}
	check(peer, !arg, "no argument");
}

TEST_F_TIMEOUT(wire, CL7_NF9_connections_that_no_claim_is_for, 120)
{
	same_as_native(&self->peer, unclaimed_script, NULL);
	expect_no_counters(&self->peer);
}

TEST_HARNESS_MAIN
