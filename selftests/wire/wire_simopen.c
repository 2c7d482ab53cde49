// SPDX-License-Identifier: GPL-2.0
/*
 * Simultaneous open: the peer's SYN crosses the one of a connecting socket. The
 * state matrix is in wire_matrix.c; here are the sequences of segments, what
 * is negotiated, the timer, and who gets the connection (rules SM, SS19, SS21,
 * FL1).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#define CROSSED "flows_opened 1; sent_syn 1; segment_syn_crossed 1; " \
		"sent_synack_crossed 1"
/* All that is offered, and no TSval of ours to echo yet. */
#define ALL_OPTIONS "mss 1460,sackOK,TS val 5000 ecr 0,nop,wscale 7"

static void claim_quietly(struct peer *peer)
{
	client_claim(peer, NULL);
	sysctl_set("net/threeway/rto_initial_ms", "60000");
}

/* A connect(), the peer's SYN, and the SYN-ACK for it. */
static int cross(struct peer *peer, const char *options)
{
	int fd = client_open(peer);

	peer_send(peer, "S 0 win 65535 <%s>", options);
	expect(peer, "S. 0 ack 1");
	expect_state(peer, THREEWAY_SYN_RECEIVED);
	expect_counters(peer, CROSSED);
	return fd;
}

static void expect_handed_over(struct peer *peer, int fd)
{
	expect_connected(peer, fd);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "flows_handed_over 1");
}

TEST_F(wire, SM1_SM13_SYN_ACK_for_the_crossing_SYN_has_the_ISS)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;
	int fd;

	claim_quietly(peer);
	fd = client_open(peer);
	sleep_ms(100);
	peer_send(peer, "S 0 <" ALL_OPTIONS ">");
	expect(peer, "S. 0 ack 1 <mss *,sackOK,TS val * ecr 5000,nop,wscale 7>");
	expect_connecting(peer, fd);
	EXPECT_EQ(1, peer_flows(peer, &flow));
	EXPECT_EQ(THREEWAY_SYN_RECEIVED, flow.state);
	EXPECT_EQ(THREEWAY_ACTIVE, flow.direction);
	EXPECT_EQ(peer->iss, flow.iss);
	EXPECT_EQ(peer->irs, flow.irs);
	EXPECT_EQ(peer->irs + 1, flow.rcv_nxt);
	EXPECT_EQ(1460, flow.peer_mss);
	EXPECT_EQ(7, flow.snd_wscale);
	EXPECT_EQ(THREEWAY_F_SACK | THREEWAY_F_TIMESTAMPS |
		  THREEWAY_F_WINDOW_SCALING, flow.flags);
	expect_silence(peer);
	expect_counters(peer, CROSSED);
	peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	expect(peer, ". 1 ack 1 <nop,nop,TS val * ecr 5000>");
	expect_silence(peer);
	expect_handed_over(peer, fd);
	client_exchange(peer, fd);
}

/* Lines 6 and 7 of RFC 9293 figure 7 in the other order. */
TEST_F(wire, SM2_the_peer_s_SYN_ACK_comes_before_its_SYN)
{
	struct peer *peer = &self->peer;
	int fd;

	claim_quietly(peer);
	fd = client_open(peer);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_silence(peer);
	expect_counters(peer, "flows_opened 1; sent_syn 1; flows_handed_over 1");
	client_exchange(peer, fd);
}

TEST_F(wire, SM3_what_else_completes)
{
	static const char * const segments[] = {
		". 1 ack 1", "P. 1(10) ack 1", "P. 11(10) ack 1",
		". 0(11) ack 1", "U. 1 ack 1 urg 3"
	};
	static const char * const stamps[] = {
		"", " <nop,nop,TS val 5001 ecr ^>"
	};
	struct peer *peer = &self->peer;
	unsigned int i;
	int fd;

	claim_quietly(peer);
	for (i = 0; i < 2 * ARRAY_SIZE(segments); i++) {
		fd = cross(peer, i % 2 ? ALL_OPTIONS : "mss 1460");
		peer_label(peer, "%s%s", segments[i / 2], stamps[i % 2]);
		peer_send(peer, "%s%s", segments[i / 2], stamps[i % 2]);
		/* The socket acknowledges the SYN, and what else came. */
		expect(peer, ". 1 ack 1");
		if (i / 2 == 1 || i / 2 == 3)
			expect(peer, ". 1 ack 11");
		else if (i / 2 == 2)
			expect(peer, ". 1 ack 1");
		expect_silence(peer);
		if (i / 2 == 2) {
			peer_send(peer, "P. 1(10) ack 1%s", stamps[i % 2]);
			expect(peer, ". 1 ack 21");
			expect_stream(peer, fd, 1, 20);
		} else if (i / 2 == 1 || i / 2 == 3) {
			expect_stream(peer, fd, 1, 10);
		}
		expect_handed_over(peer, fd);
		client_close(peer, fd);
	}
}

/* Native would say ECONNRESET: RFC 9293 section 3.10.7.4, RST, wants "refused". */
TEST_F(wire, SM4_ER2_exact_RST_is_ECONNREFUSED_and_all_is_over)
{
	static const char * const segments[] = {
		"R 1", "R. 1 ack 1", "R. 1 ack 0", "R 1(3)", "SR 1", "FR. 1 ack 9"
	};
	struct peer *peer = &self->peer;
	unsigned int i;
	int fd;

	client_claim(peer, NULL);
	for (i = 0; i < 2 * ARRAY_SIZE(segments); i++) {
		fd = cross(peer, i % 2 ? ALL_OPTIONS : "mss 1460");
		peer_label(peer, "%s", segments[i / 2]);
		peer_send(peer, "%s", segments[i / 2]);
		expect_failed(peer, fd, ECONNREFUSED);
		expect_state(peer, THREEWAY_CLOSED);
		expect_silence(peer);
		expect_counters(peer, "segment_rst_exact 1; flows_refused 1");
		close(fd);
	}
	expect_silence_ms(peer, 3000);
}

/* A TSval that is too old does not save anybody from a RST. */
TEST_F(wire, SM5_TS7_no_PAWS_on_RST_but_on_all_else)
{
	struct peer *peer = &self->peer;
	int fd;

	claim_quietly(peer);
	fd = cross(peer, ALL_OPTIONS);
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 4999 ecr ^>");
	expect(peer, ". 1 ack 1 <nop,nop,TS val * ecr 5000>");
	expect_counters(peer, "segment_paws 1; sent_ack 1");
	expect_connecting(peer, fd);
	sleep_ms(600);
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 5001 ecr ^+5>");
	expect(peer, ". 1 ack 1 <nop,nop,TS val * ecr 5000>");
	expect_counters(peer, "segment_tsecr 1; sent_ack 1");
	expect_connecting(peer, fd);
	peer_send(peer, "R 1 <nop,nop,TS val 4999 ecr 0>");
	expect_failed(peer, fd, ECONNREFUSED);
	expect_counters(peer, "segment_rst_exact 1; flows_refused 1");
	close(fd);
}

static void duplicate_script(struct peer *peer, const void *arg)
{
	const char *options = arg;
	unsigned int i;
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	peer_send(peer, "S 0 <%s>", options);
	peer_watch(peer, 100);
	for (i = 0; i < 3; i++) {
		peer_send(peer, "S 0 <%s>", options);
		peer_watch(peer, 150 + 50 * i);
	}
	peer_send(peer, "S 5000 <%s>", options);
	peer_watch(peer, 900);
	peer_send(peer, "S 0 <%s>", options);
	peer_watch(peer, 950);
	peer_note(peer, "events: %s", client_state(fd) == 1 ? "yes" : "no");
	close(fd);
}

TEST_F(wire, SM6_SYN_again_is_challenged_once_in_500_ms_as_native)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, duplicate_script, ALL_OPTIONS);
	expect_counters(peer, CROSSED "; segment_syn_challenged 2; sent_ack 2; "
			"segment_duplicate_limited 3");
}

/* The SYN's timer goes on, by its own retries. */
static void schedule_script(struct peer *peer, const void *arg)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_SYNACK_RETRIES,
		.synack_retries = 1,
	};
	int fd;

	client_claim(peer, arg ? arg : &policy);
	fd = client_open(peer);
	peer_watch(peer, 500);
	peer_send(peer, "S 0 <" ALL_OPTIONS ">");
	peer_watch(peer, 150000);
	client_note(peer, fd);
	close(fd);
	peer_watch(peer, 300000);
}

TEST_F_TIMEOUT(wire, SM7_copies_of_the_SYN_ACK_on_the_SYN_s_schedule, 900)
{
	struct peer *peer = &self->peer;
	unsigned int i;
	u32 tsval;
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	sleep_ms(500);
	peer_send(peer, "S 0 <" ALL_OPTIONS ">");
	expect_at(peer, 500, "S. 0 ack 1 <mss *,sackOK,TS val * ecr 5000,nop,wscale 7>");
	tsval = peer->tsval;
	for (i = 1; i <= 6; i++) {
		expect_at(peer, (1000 << i) - 1000,
			  "S. 0 ack 1 <mss *,sackOK,TS val * ecr 5000,nop,wscale 7>");
		EXPECT_EQ((1000U << i) - 1500,
			  (peer->tsval - tsval + 10) / 50 * 50);
	}
	expect_silence_ms(peer, 127000 - 63000 - PEER_TOLERANCE_MS);
	expect_connecting(peer, fd);
	expect_silence_ms(peer, 2 * PEER_TOLERANCE_MS);
	expect_failed(peer, fd, ETIMEDOUT);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, CROSSED "; sent_synack_timer 6; flows_timed_out 1");
	expect_silence_ms(peer, 150000);
	close(fd);
}

TEST_F_TIMEOUT(wire, SM7_schedule_and_errno_as_native, 900)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, schedule_script, NULL);
	expect_counters(peer, CROSSED "; sent_synack_timer 6; flows_timed_out 1");
}

TEST_F(wire, SM7_syn_retries_of_the_claim)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_SYN_RETRIES | THREEWAY_P_RTO_INITIAL,
		.syn_retries = 2,
		.rto_initial_ms = 200,
	};
	struct peer *peer = &self->peer;
	int fd;

	client_claim(peer, &policy);
	fd = client_open(peer);
	/* The first copy is still one of the SYN. */
	expect_at(peer, 200, "S 0");
	sleep_ms(100);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1 <mss *>");
	expect_at(peer, 600, "S. 0 ack 1 <mss *>");
	expect_silence_ms(peer, 850);
	expect_failed(peer, fd, ETIMEDOUT);
	expect_counters(peer, CROSSED "; sent_syn_timer 1; "
			"sent_synack_timer 1; flows_timed_out 1");
	close(fd);
}

/*
 * What is agreed on when SYNs cross is what would have been agreed on by a
 * SYN-ACK with the options of the peer's SYN: native's SYN-ACK is compared, as
 * native itself offers all it has in a crossed SYN-ACK and then scales windows
 * that the peer does not.
 */
static void intersection_script(struct peer *peer, const void *arg)
{
	struct transcript *transcript = peer->transcript;
	bool by_synack = arg;
	const char *last;
	unsigned int set;
	int fd;

	client_claim(peer, NULL);
	for (set = 0; set < 16; set++) {
		peer->transcript = NULL;
		fd = client_open(peer);
		peer_label(peer, "<%s>", client_subset(set, "0"));
		sleep_ms(20);
		peer_send(peer, "S%s 0 ack %d win 60000 <%s>",
			  peer->engine < 0 ? "." : "", peer->engine < 0,
			  client_subset(set, "0"));
		peer_receive(peer, PEER_ANSWER_MS);
		if (peer->engine >= 0 && by_synack) {
			peer_send(peer, "S. 0 ack 1 win 60000 <%s>",
				  client_subset(set, "^"));
			peer_receive(peer, PEER_ANSWER_MS);
		}
		last = set & 4 ? "<nop,nop,TS val 5001 ecr ^>" : "";
		peer_send(peer, ". 1 ack 1 win 500 %s", last);
		peer_watch(peer, 200);
		peer->transcript = transcript;
		client_note_data(peer, fd, set & 4);
	}
}

#define CROSSED_16 "flows_opened 16; sent_syn 16; segment_syn_crossed 16; " \
		   "sent_synack_crossed 16; flows_handed_over 16"

TEST_F_TIMEOUT(wire, SM8_SM9_16_option_subsets_of_the_crossing_SYN, 120)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, intersection_script, NULL);
	expect_counters(peer, CROSSED_16);
	same_as_native(peer, intersection_script, peer);
	expect_counters(peer, CROSSED_16);
}

TEST_F(wire, SM8_SYN_ACK_has_what_both_offered)
{
	struct peer *peer = &self->peer;
	unsigned int set;
	char want[80];
	int fd;

	claim_quietly(peer);
	for (set = 0; set < 16; set++) {
		fd = client_open(peer);
		peer_label(peer, "<%s>", client_subset(set, "0"));
		peer_send(peer, "S 0 <%s>", client_subset(set, "0"));
		/* SACK stands where the NOPs before timestamps would be. */
		snprintf(want, sizeof(want), "%s%s%s",
			 set & 2 ? set & 4 ? ",sackOK" : ",nop,nop,sackOK" :
				   set & 4 ? ",nop,nop" : "",
			 set & 4 ? ",TS val * ecr 5000" : "",
			 set & 8 ? ",nop,wscale *" : "");
		expect(peer, "S. 0 ack 1 <mss *%s>", want);
		client_close(peer, fd);
	}
	EXPECT_EQ(16, peer_counter(peer, THREEWAY_C_sent_synack_crossed));
}

TEST_F(wire, SM8_OP12_crossing_SYN_with_options_that_were_not_offered)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_SACK | THREEWAY_P_TIMESTAMPS |
		       THREEWAY_P_WINDOW_SCALING,
	};
	struct peer *peer = &self->peer;
	struct tcp_info info;
	socklen_t len;
	unsigned int i;
	int fd;

	client_claim(peer, &policy);
	for (i = 0; i < 2; i++) {
		fd = client_open(peer);
		peer_send(peer, "S 0 <" ALL_OPTIONS ">");
		expect(peer, "S. 0 ack 1 <mss *>");
		peer_send(peer, i ? ". 1 ack 1 win 1000" :
				    "S. 0 ack 1 win 1000 <" ALL_OPTIONS ">");
		expect(peer, ". 1 ack 1 win %u <>", peer->latest.window);
		len = sizeof(info);
		getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
		EXPECT_EQ(0, info.tcpi_options);
		EXPECT_EQ(1000, info.tcpi_snd_wnd);
		client_exchange(peer, fd);
	}
	expect_counters(peer, "flows_opened 2; sent_syn 2; "
			"segment_syn_crossed 2; sent_synack_crossed 2; "
			"flows_handed_over 2");
}

TEST_F(wire, SM9_window_of_a_completing_SYN_ACK_is_not_scaled)
{
	struct peer *peer = &self->peer;
	struct tcp_info info;
	socklen_t len;
	unsigned int i;
	int fd;

	claim_quietly(peer);
	for (i = 0; i < 2; i++) {
		fd = client_open(peer);
		peer_send(peer, "S 0 win 5000 <mss 1460,nop,wscale 7>");
		expect(peer, "S. 0 ack 1");
		expect_counters(peer, CROSSED);
		peer_send(peer, i ? ". 1 ack 1 win 1000" :
			  "S. 0 ack 1 win 1000 <mss 1460,nop,wscale 7>");
		expect(peer, ". 1 ack 1");
		len = sizeof(info);
		getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
		EXPECT_EQ(7, (int)info.tcpi_snd_wscale);
		EXPECT_EQ(i ? 1000 << 7 : 1000, info.tcpi_snd_wnd);
		expect_handed_over(peer, fd);
		client_close(peer, fd);
	}
}

TEST_F(wire, SM10_SS9_data_and_FIN_of_the_crossing_SYN_are_not_acknowledged)
{
	static const char * const syns[] = {
		"S 0(3)", "SF 0", "SF 0(3)", "SP 0(1400)", "SU 0(3) urg 2"
	};
	struct peer *peer = &self->peer;
	unsigned int i;
	int fd;

	claim_quietly(peer);
	for (i = 0; i < ARRAY_SIZE(syns); i++) {
		fd = client_open(peer);
		peer_label(peer, "%s", syns[i]);
		peer_send(peer, "%s <mss 1460>", syns[i]);
		expect(peer, "S. 0 ack 1");
		expect_counters(peer, CROSSED);
		peer_send(peer, "P. 1(3) ack 1");
		expect(peer, ". 1 ack 1");
		expect(peer, ". 1 ack 4");
		expect_stream(peer, fd, 1, 3);
		expect_handed_over(peer, fd);
		client_close(peer, fd);
	}
}

TEST_F(wire, SM11_RS6_unacceptable_ACK_gets_RST_and_the_flow_stays)
{
	static const u32 acks[] = { -1, 0, 2, 0x80000001, 0x7fffffff };
	struct peer *peer = &self->peer;
	unsigned int i;
	int fd;

	claim_quietly(peer);
	fd = cross(peer, "mss 1460");
	for (i = 0; i < ARRAY_SIZE(acks); i++) {
		peer_send(peer, ". 1 ack %u", acks[i]);
		expect(peer, "R %u win 0 urg 0 <>", acks[i]);
		peer_send(peer, "FP. 1(3) ack %u", acks[i]);
		expect(peer, "R %u win 0 urg 0 <>", acks[i]);
	}
	/* Nothing is sent forward: that is for SYN-SENT. */
	expect_silence(peer);
	expect_counters(peer, "segment_bad_ack 10; sent_rst 10");
	peer_send(peer, ". 1 ack 1");
	expect(peer, ". 1 ack 1");
	expect_handed_over(peer, fd);
	client_close(peer, fd);
}

/* The same local port listens as well, and its SYNs are the engine's. */
TEST_F(wire, SM12_SM13_LI9_the_SYN_goes_to_connect_and_not_to_the_listener)
{
	struct peer *peer = &self->peer;
	struct flow first;
	u32 iss;
	int fd;

	client_claim(peer, NULL);
	peer_flow(peer);
	/* Bound before the other one listens. */
	fd = client_socket(peer);
	peer_serve(peer, NULL);
	sysctl_set("net/threeway/rto_initial_ms", "60000");
	EXPECT_EQ(EINPROGRESS, client_connect(peer, fd));
	expect(peer, "S 0");
	iss = peer->iss;
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1");
	EXPECT_EQ(iss, peer->iss);
	expect_counters(peer, CROSSED);
	/* Another tuple is the listener's. */
	first = peer_park(peer);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_counters(peer, "flows_opened 1; sent_synack 1");
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	expect(peer, "F. 1 ack 1");
	peer_send(peer, "R 1");
	expect_counters(peer, "flows_handed_over 1");
	peer_resume(peer, first);
	peer_send(peer, ". 1 ack 1");
	expect(peer, ". 1 ack 1");
	expect_silence(peer);
	expect_no_accept(peer);
	expect_handed_over(peer, fd);
	client_exchange(peer, fd);
}

static void ecn_script(struct peer *peer, const void *arg)
{
	static const char * const syns[] = { "S", "SE", "SW", "SEW" };
	unsigned int i;
	int fd;

	client_claim(peer, arg);
	/* No SACK: native would report the peer's SYN-ACK as a duplicate. */
	sysctl_set("net/ipv4/tcp_sack", "0");
	for (i = 0; i < 2 * ARRAY_SIZE(syns); i++) {
		sysctl_set("net/ipv4/tcp_ecn", "%d", i % 2);
		fd = client_begin(peer);
		peer_label(peer, "%s, tcp_ecn %d", syns[i / 2], i % 2);
		peer_watch(peer, 50);
		peer_send(peer, "%s 0 <mss 1460,nop,nop,TS val 5000 ecr 0,nop,wscale 7>",
			  syns[i / 2]);
		peer_watch(peer, 100);
		peer_send(peer, "%s 0 ack 1 <mss 1460,nop,nop,TS val 5000 ecr ^,nop,wscale 7>",
			  i / 2 == 3 && i % 2 ? "S.E" : "S.");
		peer_watch(peer, 150);
		send(fd, "hello", 5, 0);
		peer_watch(peer, 200);
		client_close(peer, fd);
	}
}

TEST_F(wire, SM14_ECN_of_crossing_SYNs_as_native)
{
	same_as_native(&self->peer, ecn_script, NULL);
	expect_counters(&self->peer, "flows_opened 8; sent_syn 8; "
			"segment_syn_crossed 8; sent_synack_crossed 8; "
			"flows_handed_over 8");
}

/*
 * RFC 9293 figure 7 with segments lost, seen from one of its ends: nothing but
 * what the timers and the other end do later is needed.
 */
TEST_F(wire, SM15_lost_segments_converge)
{
	struct peer *peer = &self->peer;
	int fd;

	client_claim(peer, NULL);
	/* Our SYN-ACK: the peer has our SYN and repeats its own SYN-ACK. */
	fd = cross(peer, "mss 1460");
	peer_label(peer, "our SYN-ACK");
	expect_at(peer, 1000, "S. 0 ack 1");
	expect_counters(peer, "sent_synack_timer 1");
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_handed_over(peer, fd);
	client_close(peer, fd);
	/* Our SYN: the peer is in SYN-SENT, and acknowledges our SYN-ACK. */
	fd = cross(peer, "mss 1460");
	peer_label(peer, "our SYN");
	peer_send(peer, ". 1 ack 1");
	expect(peer, ". 1 ack 1");
	expect_handed_over(peer, fd);
	client_close(peer, fd);
	/* Our SYN and our SYN-ACK: the peer repeats its SYN. */
	fd = cross(peer, "mss 1460");
	peer_label(peer, "our SYN and our SYN-ACK");
	sleep_ms(300);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_at(peer, 1000, "S. 0 ack 1");
	expect_counters(peer, "segment_syn_challenged 1; sent_ack 1; "
			"sent_synack_timer 1");
	peer_send(peer, ". 1 ack 1");
	expect(peer, ". 1 ack 1");
	expect_handed_over(peer, fd);
	client_close(peer, fd);
	/* The peer's SYN: its SYN-ACK tells all. */
	fd = client_open(peer);
	peer_label(peer, "the peer's SYN");
	expect_at(peer, 1000, "S 0");
	expect_counters(peer, "flows_opened 1; sent_syn 1; sent_syn_timer 1");
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_handed_over(peer, fd);
	client_close(peer, fd);
	/* The peer's SYN-ACK: our own gets it there. */
	fd = cross(peer, "mss 1460");
	peer_label(peer, "the peer's SYN-ACK");
	sleep_ms(100);
	peer_send(peer, ". 1 ack 1");
	expect(peer, ". 1 ack 1");
	expect_handed_over(peer, fd);
	client_close(peer, fd);
	/* Both SYN-ACKs. */
	fd = cross(peer, "mss 1460");
	peer_label(peer, "both SYN-ACKs");
	sleep_until_ms(peer->start_ms + 990);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_silence_ms(peer, 3000);
	expect_handed_over(peer, fd);
	client_close(peer, fd);
}

/* Port unreachable, about the latest packet with that sequence number. */
static void send_unreachable(struct peer *peer, u32 seq)
{
	bool v4 = peer->family == AF_INET;
	size_t header = v4 ? 20 : 40;
	u8 about[64], raw[PACKET_MAX];

	memcpy(about, peer->raw, header + 8);
	seq += peer->iss;
	about[header + 4] = seq >> 24;
	about[header + 5] = seq >> 16;
	about[header + 6] = seq >> 8;
	about[header + 7] = seq;
	peer_inject(peer, raw,
		    packet_build_icmp(&peer->header, v4 ? 0x0303 : 0x0104,
				      about, header + 8, raw));
}

TEST_F(wire, SM16_ER3_ER4_IC4_port_unreachable_after_the_SYNs_crossed)
{
	struct peer *peer = &self->peer;
	int fd;

	client_claim(peer, NULL);
	fd = cross(peer, ALL_OPTIONS);
	/* Neither sent nor to be sent. */
	send_unreachable(peer, -1);
	send_unreachable(peer, 2);
	send_unreachable(peer, 0x80000000);
	expect_connecting(peer, fd);
	expect_state(peer, THREEWAY_SYN_RECEIVED);
	send_unreachable(peer, 0);
	expect_failed(peer, fd, ECONNREFUSED);
	expect_silence_ms(peer, 3000);
	expect_state(peer, THREEWAY_CLOSED);
	close(fd);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, "R 1 win 0 <>");
}

/*
 * Whoever knows the tuple can send a SYN, and the server's SYN-ACK is out of the
 * window then. That is RFC 9293; what it comes to is recorded here.
 */
TEST_F(wire, SS21_a_spoofed_SYN_makes_the_server_reset)
{
	struct peer *peer = &self->peer;
	u32 server = 1000000;
	int fd;

	claim_quietly(peer);
	fd = cross(peer, "mss 1460");
	peer_send(peer, "S. %u ack 1 <mss 1460>", server);
	expect(peer, ". 1 ack 1");
	expect_connecting(peer, fd);
	expect_counters(peer, "segment_syn_challenged 1; sent_ack 1");
	/* The server resets what that acknowledges. */
	peer_send(peer, "R 1");
	expect_failed(peer, fd, ECONNREFUSED);
	expect_silence(peer);
	expect_counters(peer, "segment_rst_exact 1; flows_refused 1");
	close(fd);
}

TEST_F(wire, SS16_ER9_close_after_the_SYNs_crossed)
{
	struct peer *peer = &self->peer;
	int fd;

	claim_quietly(peer);
	fd = cross(peer, "mss 1460");
	close(fd);
	expect_silence(peer);
	peer_send(peer, ". 1 ack 1");
	expect(peer, "R 1 win 0 <>");
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "flows_socket_gone 1");
}

/* A socket that connects to itself, over the loopback interface. */
static void self_script(struct peer *peer, const void *arg)
{
	struct packet *header = &peer->header;
	char data[8] = "";
	int fd, error;

	header->src = header->dst;
	client_claim(peer, arg);
	fd = client_socket(peer);
	header->sport = header->dport;
	error = client_connect(peer, fd);
	peer_note(peer, "connect(): %s", strerror(error));
	sleep_ms(50);
	peer_note(peer, "state %u", client_state(fd));
	peer_note(peer, "send() %zd", send(fd, "hello", 5, 0));
	sleep_ms(10);
	peer_note(peer, "recv() %zd", recv(fd, data, sizeof(data), 0));
	peer_note(peer, "%s", data);
	close(fd);
}

TEST_F(wire, SS19_NF6_a_socket_that_connects_to_itself_as_native)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, self_script, NULL);
	expect_counters(peer, CROSSED "; flows_handed_over 1");
}

/*
 * All 64 combinations of flags after the SYNs have crossed. But for two things
 * the engine is native's equal: an exact RST is ECONNREFUSED (SM4), and the
 * socket, which hears of the crossing SYN only now, acknowledges it first (SM3).
 */
static void all_flags(struct peer *peer, const void *arg)
{
	static const char letters[] = "FSRP.U";
	struct transcript *transcript = peer->transcript;
	const char *segment = arg;
	unsigned int flags, bit;
	char text[8];
	int fd;

	client_claim(peer, NULL);
	sysctl_set("net/ipv4/tcp_sack", "0");
	for (flags = 0; flags < 64; flags++) {
		struct pollfd wanted = { .events = POLLOUT };
		char *to = text, line[LINE_MAX_LEN];
		struct origin origin = { .hide_tsval = true };

		for (bit = 0; bit < 6; bit++) {
			if (flags & 1 << bit)
				*to++ = letters[bit];
		}
		strcpy(to, flags ? "" : "-");
		fd = client_open(peer);
		peer_label(peer, "%s %s", text, segment);
		peer_send(peer, "S 0 <mss 1460,nop,nop,TS val 5000 ecr 0,nop,wscale 7>");
		expect(peer, "S. 0 ack 1");
		peer_send(peer, "%s %s", text, segment);
		peer->transcript = NULL;
		origin.seq = peer->iss;
		origin.ack = peer->irs;
		while (peer_receive(peer, 100)) {
			if (peer->latest.flags == FLAG_ACK &&
			    peer->latest.ack == peer->irs + 1)
				continue;
			peer->latest.ip_id = 0;
			packet_print(&peer->latest, &origin, line);
			peer->transcript = transcript;
			peer_note(peer, "> %s", line);
			peer->transcript = NULL;
		}
		peer->transcript = transcript;
		wanted.fd = fd;
		poll(&wanted, 1, 0);
		bit = client_state(fd);
		peer_note(peer, "events %#x, state %u", wanted.revents,
			  bit == 2 ? 3 : bit);
		peer_send(peer, "R =%u", peer->acked);
		close(fd);
	}
}

TEST_F_TIMEOUT(wire, FL1_all_flags_after_the_SYNs_crossed_as_native, 600)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, all_flags, "1 ack 1");
	EXPECT_EQ(64, peer_counter(peer, THREEWAY_C_sent_synack_crossed));
	/* 32 of them, and those that end what is still in SYN-RECEIVED. */
	EXPECT_EQ(56, peer_counter(peer, THREEWAY_C_segment_rst_exact));
	EXPECT_EQ(8, peer_counter(peer, THREEWAY_C_flows_handed_over));
	same_as_native(peer, all_flags, "1(3) ack 1");
	EXPECT_EQ(64, peer_counter(peer, THREEWAY_C_sent_synack_crossed));
	/* 32 of them, and those that end what is still in SYN-RECEIVED. */
	EXPECT_EQ(56, peer_counter(peer, THREEWAY_C_segment_rst_exact));
	EXPECT_EQ(8, peer_counter(peer, THREEWAY_C_flows_handed_over));
}

TEST_HARNESS_MAIN
