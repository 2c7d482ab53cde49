// SPDX-License-Identifier: GPL-2.0
/*
 * SYN-RECEIVED reached from LISTEN: what the matrix of wire_matrix.c leaves
 * open. Sequences of segments, timestamps, windows, sequence numbers around the
 * wrap, rate limits, and listeners that do not want the connection yet.
 */
#include <linux/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "quote.h"
#include "wire.h"

/* A server whose SYN-ACK timer does not speak in between. */
static void serve_quietly(struct peer *peer)
{
	peer_serve(peer, NULL);
	sysctl_set("net/threeway/rto_initial_ms", "60000");
}

/* Flow opened by a SYN with these options, counters checked. */
static bool open_flow(struct peer *peer, const char *options)
{
	peer_flow(peer);
	if (!peer_syn(peer, options))
		return false;
	return expect_counters(peer, "flows_opened 1; sent_synack 1");
}

/* The right ACK completes the handshake, nothing is sent, accept() returns. */
static void expect_completes(struct peer *peer)
{
	peer_send(peer, ". 1 ack 1");
	expect_silence(peer);
	close(expect_accept(peer));
	expect_counters(peer, "flows_handed_over 1");
	expect_flow(peer, false);
}

TEST_F(wire, SR1_SQ3_final_ACK_completes_and_nothing_is_sent)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;

	peer_serve(peer, NULL);
	open_flow(peer, SYN_OPTIONS);
	expect_no_accept(peer);
	EXPECT_EQ(1, peer_flows(peer, &flow));
	EXPECT_EQ(peer->iss, flow.iss);
	EXPECT_EQ(peer->irs, flow.irs);
	EXPECT_EQ(peer->iss + 1, flow.snd_nxt);
	EXPECT_EQ(peer->irs + 1, flow.rcv_nxt);
	EXPECT_EQ(peer->latest.window, flow.rcv_wnd);
	EXPECT_EQ(peer->claim, flow.claim);
	EXPECT_EQ(THREEWAY_PASSIVE, flow.direction);
	EXPECT_EQ(1460, flow.peer_mss);
	EXPECT_EQ(7, flow.snd_wscale);
	EXPECT_EQ(THREEWAY_F_SACK | THREEWAY_F_TIMESTAMPS |
		  THREEWAY_F_WINDOW_SCALING, flow.flags);
	EXPECT_EQ(5, flow.retries_left);
	expect_completes(peer);
	EXPECT_EQ(0, peer_flows(peer, NULL));
}

TEST_F(wire, SR2_RS6_bad_acks_get_RST_and_the_flow_stays)
{
	static const u32 acks[] = { -1, 0, 2, 0x80000001, 0x7fffffff };
	struct peer *peer = &self->peer;
	unsigned int i;

	peer_serve(peer, NULL);
	open_flow(peer, SYN_OPTIONS);
	for (i = 0; i < ARRAY_SIZE(acks); i++) {
		peer_send(peer, ". 1 ack %u", acks[i]);
		expect(peer, "R %u win 0 urg 0 <>", acks[i]);
		peer_send(peer, "P. 1(3) ack %u", acks[i]);
		expect(peer, "R %u win 0 urg 0 <>", acks[i]);
	}
	expect_counters(peer, "segment_bad_ack 10; sent_rst 10");
	expect_no_accept(peer);
	expect_completes(peer);
}

TEST_F(wire, SR4_restarted_client_converges)
{
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	open_flow(peer, SYN_OPTIONS);
	/* It does not remember the connection and begins far away. */
	peer_send(peer, "S 0x40000000 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_counters(peer, "segment_out_of_window 1; sent_ack 1");
	peer_send(peer, "R 1");
	expect_silence(peer);
	expect_counters(peer, "segment_rst_exact 1; flows_reset 1");
	peer->irs += 0x40000000;
	peer->iss_known = false;
	peer_syn(peer, "mss 1460");
	expect_counters(peer, "flows_opened 1; sent_synack 1");
	expect_completes(peer);
}

TEST_F(wire, SR11_neither_SYN_RST_nor_ACK_is_dropped)
{
	static const char * const flags[] = {
		"-", "P", "U", "F", "FP", "FPU", "UEW"
	};
	struct peer *peer = &self->peer;
	unsigned int i;

	peer_serve(peer, NULL);
	open_flow(peer, SYN_OPTIONS);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		peer_send(peer, "%s 1", flags[i]);
		peer_send(peer, "%s 1(3)", flags[i]);
	}
	expect_silence(peer);
	expect_counters(peer, "segment_no_ack 14");
	expect_completes(peer);
}

/* Ten segments within 100 ms, twice; each time one answer. */
static void expect_limited(struct peer *peer, const char *segment,
			   const char *answer, const char *counters)
{
	unsigned int burst, i;

	for (burst = 0; burst < 2; burst++) {
		peer_label(peer, "%s, burst %u", segment, burst);
		peer_send(peer, "%s", segment);
		expect(peer, "%s", answer);
		for (i = 1; i < 10; i++) {
			sleep_ms(10);
			peer_send(peer, "%s", segment);
		}
		expect_silence(peer);
		expect_counters(peer, "%s", counters);
		sleep_ms(250);
	}
}

TEST_F(wire, SR12_RS2_one_answer_in_500_ms)
{
	static const char oow[] = "segment_out_of_window 1; sent_ack 1; "
				  "segment_out_of_window_limited 9";
	struct peer *peer = &self->peer;

	serve_quietly(peer);
	open_flow(peer, "mss 1460");
	expect_limited(peer, ". 0 ack 1", ". 1 ack 1", oow);
	expect_limited(peer, ". -1000(1) ack 1", ". 1 ack 1", oow);
	expect_limited(peer, "S 0x10000000", ". 1 ack 1", oow);
	expect_limited(peer, "R 2", ". 1 ack 1",
		       "segment_rst_challenged 1; sent_ack 1; "
		       "segment_rst_limited 9");
	expect_limited(peer, "S 0", "S. 0 ack 1",
		       "segment_duplicate_syn 1; sent_synack_duplicate 1; "
		       "segment_duplicate_limited 9");
	expect_completes(peer);
}

#define CHALLENGED_FLOWS	60

/* A RST in the window of each of many flows. Return: how many are challenged. */
static unsigned int challenge_all(struct peer *peer)
{
	u64 sent = tcp_ext("TCPChallengeACK");
	u64 skipped = tcp_ext("TCPACKSkippedChallenge");
	u64 limited = peer_counter(peer, THREEWAY_C_segment_challenge_limited);
	unsigned int i, answered = 0;

	for (i = 0; i < CHALLENGED_FLOWS; i++) {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
		peer_send(peer, "R 2");
		answered += peer_receive(peer, 2);
	}
	check(peer, tcp_ext("TCPChallengeACK") == sent + answered,
	      "TCPChallengeACK");
	check(peer, tcp_ext("TCPACKSkippedChallenge") == skipped,
	      "TCPACKSkippedChallenge");
	check(peer, peer_counter(peer, THREEWAY_C_segment_challenge_limited) ==
	      limited + CHALLENGED_FLOWS - answered, "%u answers", answered);
	return answered;
}

/* By chance between half of the limit and one and a half, each second anew. */
TEST_F(wire, RS3_MI6_challenge_ACKs_of_all_flows_have_a_limit)
{
	struct peer *peer = &self->peer;
	unsigned int i, answered, least = CHALLENGED_FLOWS, most = 0;

	serve_quietly(peer);
	EXPECT_EQ(CHALLENGED_FLOWS, challenge_all(peer));
	/* half of it is 1, and there is no number below 1 but 0 */
	sysctl_set("net/ipv4/tcp_challenge_ack_limit", "1");
	answered = challenge_all(peer);
	check(peer, answered == 1 || answered == 2, "%u answers", answered);
	sysctl_set("net/ipv4/tcp_challenge_ack_limit", "10");
	for (i = 0; i < 10; i++) {
		sleep_ms(1000);
		answered = challenge_all(peer);
		/* a new second may begin meanwhile */
		check(peer, answered >= 5 && answered <= 28, "%u answers",
		      answered);
		if (answered < least)
			least = answered;
		if (answered > most)
			most = answered;
	}
	EXPECT_LT(least, most);
}

TEST_F(wire, RS2_invalid_ratelimit_ms_of_0_and_1000)
{
	struct peer *peer = &self->peer;
	unsigned int i;

	serve_quietly(peer);
	open_flow(peer, "mss 1460");
	sysctl_set("net/threeway/invalid_ratelimit_ms", "0");
	for (i = 0; i < 10; i++) {
		peer_send(peer, ". 0 ack 1");
		expect(peer, ". 1 ack 1");
	}
	sysctl_set("net/threeway/invalid_ratelimit_ms", "1000");
	sleep_ms(900);
	peer_send(peer, ". 0 ack 1");
	expect_silence_ms(peer, 50);
	sleep_ms(100);
	peer_send(peer, ". 0 ack 1");
	expect(peer, ". 1 ack 1");
	expect_counters(peer, "segment_out_of_window 11; sent_ack 11; "
			      "segment_out_of_window_limited 1");
}

TEST_F(wire, RS1_two_ends_that_disagree_do_not_keep_each_other_busy)
{
	struct peer *peer = &self->peer;
	unsigned int answers = 0;

	serve_quietly(peer);
	open_flow(peer, "mss 1460");
	/* A peer that answers each ACK by one, out of the window. */
	peer_send(peer, ". -10 ack 1");
	while (answers < 100 && peer_receive(peer, 100)) {
		answers++;
		peer_send(peer, ". -10 ack 1");
	}
	EXPECT_EQ(1, answers);
	/* Nor is there a RST for a RST. */
	peer_send(peer, "R 1000000 win 0");
	peer_send(peer, "R. 1000000 ack 17 win 0");
	expect_silence(peer);
	expect_flow(peer, true);
}

TEST_F(wire, RS4_TS1_challenge_ACK_has_window_and_timestamps)
{
	struct peer *peer = &self->peer;
	const u8 *shift;
	u32 window;

	peer_serve(peer, NULL);
	open_flow(peer, SYN_OPTIONS);
	window = peer->latest.window;
	ASSERT_EQ(3, packet_option(&peer->latest, 3, &shift));
	ASSERT_LT(0, shift[2]);
	peer_send(peer, "R 2");
	expect(peer, ". 1 ack 1 win %u urg 0 <nop,nop,TS val * ecr 1000>",
	       window >> shift[2]);
	expect_counters(peer, "segment_rst_challenged 1; sent_ack 1");
	/* A TSval of 0 is one as well. */
	open_flow(peer, "mss 1460,sackOK,TS val 0 ecr 0");
	window = peer->latest.window;
	peer_send(peer, "R 2");
	expect(peer, ". 1 ack 1 win %u urg 0 <nop,nop,TS val * ecr 0>",
	       window);
}

TEST_F(wire, SR19_PAWS_of_the_completing_segment)
{
	static const struct {
		u32 syn, ack;
		bool old;
	} cases[] = {
		{ 1000, 999, true },
		{ 1000, 1000, false },
		{ 1000, 1001, false },
		{ 1000, 1000u + 0x7fffffff, false },
		{ 1000, 1000u + 0x80000001, true },
		{ 0xfffffff0, 5, false },
		{ 5, 0xfffffff0, true },
		{ 0, 0xffffffff, false },
	};
	struct peer *peer = &self->peer;
	char options[64];
	unsigned int i;

	serve_quietly(peer);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(options, sizeof(options), "mss 1460,TS val %u ecr 0",
			 cases[i].syn);
		open_flow(peer, options);
		peer_label(peer, "%s, TSval %u", options, cases[i].ack);
		peer_send(peer, ". 1 ack 1 <nop,nop,TS val %u ecr ^>",
			  cases[i].ack);
		if (cases[i].old) {
			expect(peer, ". 1 ack 1 <nop,nop,TS val * ecr %u>",
			       cases[i].syn);
			expect_counters(peer, "segment_paws 1; sent_ack 1");
			expect_no_accept(peer);
			peer_send(peer, ". 1 ack 1 <nop,nop,TS val %u ecr ^>",
				  cases[i].syn);
		}
		expect_silence(peer);
		expect_counters(peer, "flows_handed_over 1");
		close(expect_accept(peer));
	}
}

TEST_F(wire, TS7_no_PAWS_on_RST)
{
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	open_flow(peer, SYN_OPTIONS);
	peer_send(peer, "R 1 <nop,nop,TS val 999 ecr 0>");
	expect_silence(peer);
	expect_counters(peer, "segment_rst_exact 1; flows_reset 1");
	expect_flow(peer, false);
}

TEST_F(wire, SR20_tsecr_must_be_a_tsval_that_was_sent)
{
	struct peer *peer = &self->peer;
	u32 first, last, tsecr;
	unsigned int i;

	peer_serve(peer, NULL);
	for (i = 0; i < 5; i++) {
		open_flow(peer, SYN_OPTIONS);
		first = peer->tsval;
		expect_at(peer, 1000, "S. 0 ack 1");
		last = peer->tsval;
		EXPECT_LE(999, last - first);
		expect_counters(peer, "sent_synack_timer 1");
		tsecr = i == 0 ? first - 1 : i == 1 ? first :
			i == 2 ? last : i == 3 ? last + 1 : 0;
		peer_label(peer, "TSecr %d after the first",
			   (int)(tsecr - first));
		peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr %u>",
			  tsecr);
		if (i == 0 || i == 3) {
			expect(peer, ". 1 ack 1");
			expect_counters(peer, "segment_tsecr 1; sent_ack 1");
			expect_no_accept(peer);
			expect_flow(peer, true);
			peer_send(peer, "R 1");
			expect_counters(peer, "segment_rst_exact 1; flows_reset 1");
			continue;
		}
		expect_silence(peer);
		expect_counters(peer, "flows_handed_over 1");
		close(expect_accept(peer));
	}
}

/* A SYN that echoes something comes from a proxy that rewrites timestamps. */
TEST_F(wire, SR20_tsecr_of_a_proxy_is_not_looked_at)
{
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	open_flow(peer, "mss 1460,TS val 1000 ecr 77");
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^+100000>");
	expect_silence(peer);
	close(expect_accept(peer));
	expect_counters(peer, "flows_handed_over 1");
}

TEST_F(wire, SR21_final_ACK_without_the_agreed_timestamps)
{
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	open_flow(peer, SYN_OPTIONS);
	expect_completes(peer);
}

TEST_F(wire, SR22_WI1_window_of_the_final_ACK_is_scaled)
{
	static const unsigned int shifts[] = { 0, 7, 14 };
	static const unsigned int windows[] = { 0, 1, 10, 65535 };
	struct peer *peer = &self->peer;
	struct tcp_info info;
	socklen_t len;
	char options[32];
	unsigned int i;
	int fd;

	peer_serve(peer, NULL);
	for (i = 0; i < 12; i++) {
		unsigned int shift = shifts[i / 4], window = windows[i % 4];

		snprintf(options, sizeof(options), "nop,wscale %u", shift);
		open_flow(peer, options);
		peer_label(peer, "wscale %u; win %u", shift, window);
		peer_send(peer, ". 1 ack 1 win %u", window);
		fd = expect_accept(peer);
		len = sizeof(info);
		memset(&info, 0, len);
		getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
		check(peer, info.tcpi_snd_wnd == window << shift &&
		      info.tcpi_snd_wscale == shift,
		      "snd_wnd %u; shift %u", info.tcpi_snd_wnd,
		      info.tcpi_snd_wscale);
		expect_counters(peer, "flows_handed_over 1");
		close(fd);
	}
}

TEST_F(wire, SR23_many_final_acks_make_one_connection)
{
	struct peer *peer = &self->peer;
	unsigned int i;
	int fd;

	peer_serve(peer, NULL);
	open_flow(peer, SYN_OPTIONS);
	for (i = 0; i < 8; i++)
		peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
	fd = expect_accept(peer);
	expect_no_accept(peer);
	expect_counters(peer, "flows_handed_over 1");
	peer_send(peer, "P. 1(10) ack 1 <nop,nop,TS val 1002 ecr ^>");
	expect(peer, ". 1 ack 11");
	expect_stream(peer, fd, 1, 10);
	close(fd);
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
	unsigned int i, data;
	u32 window;
	int fd;

	peer_listen(peer, 64);
	sysctl_set("net/threeway/invalid_ratelimit_ms", "0");
	for (i = 0; i < ARRAY_SIZE(corners); i++) {
		unsigned int k;

		policy.isn_fixed = corners[i];
		if (peer->claim)
			EXPECT_EQ(0, threeway_claim_del(peer->engine,
							peer->claim));
		peer_claim(peer, &policy);
		for (k = 0; k < 2 * ARRAY_SIZE(corners); k++) {
			data = k % 2 * 100;
			peer_flow(peer);
			peer->irs = corners[k / 2];
			peer_label(peer, "iss %#x irs %#x data %u",
				   corners[i], peer->irs, data);
			peer_syn(peer, SYN_OPTIONS);
			window = peer->latest.window;
			check(peer, peer->iss == corners[i], "iss %#x",
			      peer->iss);
			peer_send(peer, ". 1 ack 0");
			expect(peer, "R 0 win 0");
			peer_send(peer, ". 0 ack 1");
			expect(peer, ". 1 ack 1");
			/* left of the window, at its right edge, within */
			peer_send(peer, "R 0");
			peer_send(peer, "R %u", 1 + window);
			peer_send(peer, "R %u", window);
			expect(peer, ". 1 ack 1");
			peer_send(peer, "P. 1(%u) ack 1 <nop,nop,TS val 1001 ecr ^>",
				  data);
			if (data)
				expect(peer, ". 1 ack 101");
			expect_silence_ms(peer, 50);
			fd = expect_accept(peer);
			expect_stream(peer, fd, 1, data);
			EXPECT_EQ(5, send(fd, "hello", 5, 0));
			expect(peer, "P. 1(5) ack %u", 1 + data);
			close(fd);
			expect(peer, "F. 6 ack %u", 1 + data);
			peer_send(peer, "R 1 ack 7");
			expect_counters(peer, "flows_opened 1; sent_synack 1; "
					"segment_bad_ack 1; sent_rst 1; "
					"segment_out_of_window 1; sent_ack 2; "
					"segment_rst_out_of_window 2; "
					"segment_rst_challenged 1; "
					"flows_handed_over 1");
		}
	}
}

/* SEG.SEQ - irs and SEG.LEN; counted from the right edge if from_edge. */
static const struct {
	int seq;
	unsigned int len;
	bool from_edge;
	bool acceptable;
} segments[] = {
	{ -3, 3, false, false },
	{ -2, 3, false, false },
	{ -1, 0, false, false },
	{ -1, 2, false, false },
	{ -1, 3, false, true },
	{ 0, 0, false, false },
	{ 0, 1, false, false },
	{ 0, 2, false, true },
	{ 1, 0, false, true },
	{ 1, 1, false, true },
	{ 2, 0, false, true },
	{ -2, 0, true, true },
	{ -2, 1, true, true },
	{ -2, 5, true, true },
	{ -1, 0, true, true },
	{ -1, 1, true, true },
	{ -1, 2, true, true },
	{ 0, 0, true, false },
	{ 0, 1, true, false },
	{ 1, 0, true, false },
	{ 1, 1, true, false },
	{ 100000, 0, true, false },
	{ 100000, 1, true, false },
	{ 0x7fff0000, 1, true, false },
};

TEST_F_TIMEOUT(wire, SQ4_SQ5_SQ7_acceptance_around_both_edges, 120)
{
	struct peer *peer = &self->peer;
	unsigned int i, small;
	int size;

	serve_quietly(peer);
	for (i = 0; i < 2 * ARRAY_SIZE(segments); i++) {
		const typeof(*segments) *segment = &segments[i / 2];
		u32 seq = segment->seq;

		/* The window is the one in the SYN-ACK, whatever its size. */
		small = i % 2;
		size = small ? 4096 : 1 << 20;
		EXPECT_EQ(0, setsockopt(peer->listener, SOL_SOCKET, SO_RCVBUF,
					&size, sizeof(size)));
		open_flow(peer, "mss 1460");
		if (segment->from_edge)
			seq += 1 + peer->latest.window;
		peer_label(peer, "seq %s%d len %u window %u",
			   segment->from_edge ? "edge" : "irs", segment->seq,
			   segment->len, peer->latest.window);
		EXPECT_EQ(small, peer->latest.window < 5000);
		peer_send(peer, ". %u(%u) ack 1", seq, segment->len);
		if (segment->acceptable) {
			peer_receive(peer, PEER_ANSWER_MS);
			close(expect_accept(peer));
			expect_counters(peer, "flows_handed_over 1");
		} else {
			expect(peer, ". 1 ack 1");
			expect_no_accept(peer);
			expect_counters(peer, "segment_out_of_window 1; sent_ack 1");
		}
	}
}

TEST_F(wire, SQ6_exact_RST_counts_with_the_smallest_window)
{
	struct peer *peer = &self->peer;
	int one = 1;

	peer_serve(peer, NULL);
	EXPECT_EQ(0, setsockopt(peer->listener, SOL_SOCKET, SO_RCVBUF, &one,
				sizeof(one)));
	open_flow(peer, "mss 1460");
	peer_send(peer, "R %u", 1 + peer->latest.window);
	expect_silence(peer);
	expect_counters(peer, "segment_rst_out_of_window 1");
	peer_send(peer, "R 1");
	expect_silence(peer);
	expect_counters(peer, "segment_rst_exact 1; flows_reset 1");
}

TEST_F(wire, SQ8_segments_with_two_faults)
{
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	open_flow(peer, SYN_OPTIONS);
	/* The ACK is looked at before the sequence number and before PAWS. */
	peer_send(peer, ". 0 ack 7");
	expect(peer, "R 7 win 0");
	peer_send(peer, ". 1 ack 7 <nop,nop,TS val 1 ecr ^>");
	expect(peer, "R 7 win 0");
	expect_counters(peer, "segment_bad_ack 2; sent_rst 2");
	/* PAWS before SYN: no reset by an old duplicate. */
	peer_send(peer, "S 2 <nop,nop,TS val 1 ecr 0>");
	expect(peer, ". 1 ack 1");
	expect_counters(peer, "segment_paws 1; sent_ack 1");
	/* RST before SYN, whatever is acknowledged. */
	peer_send(peer, "SR. 1 ack 99");
	expect_silence(peer);
	expect_counters(peer, "segment_rst_exact 1; flows_reset 1");
}

/* All 64 combinations of flags at seq irs+1, a flow for each. */
static void all_flags(struct peer *peer, const void *arg)
{
	static const char letters[] = "FSRP.U";
	unsigned int flags, bit;
	const int *data = arg;
	char text[8];

	peer_serve(peer, NULL);
	for (flags = 0; flags < 64; flags++) {
		char *to = text;

		for (bit = 0; bit < 6; bit++) {
			if (flags & 1 << bit)
				*to++ = letters[bit];
		}
		strcpy(to, flags ? "" : "-");
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
		peer_label(peer, "%s data %d", text, *data);
		peer_send(peer, "%s 1(%d) ack 1", text, *data);
		while (peer_receive(peer, 100))
			;
		peer_send(peer, ". 1 ack 1");
		while (peer_receive(peer, 100))
			;
		bit = accept(peer->listener, NULL, NULL);
		peer_note(peer, "accept %s", (int)bit < 0 ? "no" : "yes");
		close(bit);
	}
	check(peer, peer->engine < 0 ||
	      peer_counter(peer, THREEWAY_C_flows_opened) == 64,
	      "not all flows were the engine's");
}

TEST_F_TIMEOUT(wire, FL1_all_flags_in_SYN_RECEIVED_as_native, 120)
{
	static const int data[] = { 0, 3 };

	same_as_native(&self->peer, all_flags, &data[0]);
	same_as_native(&self->peer, all_flags, &data[1]);
}

TEST_HARNESS_MAIN
