// SPDX-License-Identifier: GPL-2.0
/*
 * What the engine leaves to others, or out: IPsec policy, MD5 and low TTLs,
 * MPTCP's options, big answers, early timers (rules AU2, AU6, AU8, IP5, LI11,
 * LM9, RT19).
 */
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "quote.h"
#include "wire.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

#define MP_CAPABLE	"raw 1e040101"
#define MP_JOIN		"raw 1e0c10000102030405060708"
#define MP_RESET_KIND	30

/* Neither RST of the engine has an option, whatever the segment had. */
TEST_F(wire, AU6_OP15_a_RST_has_no_options)
{
	struct peer *peer = &self->peer;
	int fd;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_syn(peer, "mss 1460," MP_CAPABLE);
	peer_send(peer, ". 1 ack 9 <" MP_CAPABLE ">");
	expect(peer, "R 9 win 0 <>");
	peer_send(peer, "S 2 <mss 1460," MP_JOIN ">");
	expect(peer, "R. =0 ack 3 win 0 <>");
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"segment_bad_ack 1; sent_rst 2; "
			"segment_syn_in_window 1; flows_syn_reset 1");
	client_claim(peer, NULL);
	fd = client_open(peer);
	peer_send(peer, "S. 0 ack 7 <mss 1460," MP_CAPABLE ">");
	expect(peer, "R 7 win 0 <>");
	close(fd);
}

/* Nobody knows the token: a RST that says why. */
static void unknown_token(struct peer *peer, const void *arg)
{
	const u8 *option;

	(void)arg;
	peer_listen_protocol(peer, 16, IPPROTO_MPTCP);
	peer_claim(peer, NULL);
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460," MP_JOIN ">");
	expect(peer, "R. =0 ack 1");
	check(peer, packet_option(&peer->latest, MP_RESET_KIND, &option) == 4,
	      "no reason");
}

TEST_F(wire, AU6_AU5_the_reason_of_a_RST_is_the_native_stack_s)
{
	if (access("/proc/sys/net/mptcp/enabled", F_OK))
		SKIP(return, "this kernel has no MPTCP");
	same_as_native(&self->peer, unknown_token, NULL);
	expect_counters(&self->peer, "native_mptcp 1");
}

/* From now on TCP between both has to be encrypted; or not any more. */
static void ipsec(struct peer *peer, const char *direction, bool required)
{
	bool v4 = peer->family == AF_INET;
	const char *ends = v4 ? "src 192.0.2.2 dst 192.0.2.1" :
				"src 2001:db8::2 dst 2001:db8::1";
	const char *back = v4 ? "src 192.0.2.1 dst 192.0.2.2" :
				"src 2001:db8::1 dst 2001:db8::2";

	run("ip xfrm policy %s %s proto 6 dir %s %s",
	    required ? "add" : "delete",
	    strcmp(direction, "in") ? back : ends, direction,
	    required ? "tmpl proto esp mode transport" : "");
}

static void note_accept(struct peer *peer)
{
	peer_note(peer, "accept %d",
		  close(accept(peer->listener, NULL, NULL)));
}

static void in_the_clear(struct peer *peer, const void *arg)
{
	static const char * const segments[] = {
		"S 0", ". 1 ack 7", "R 1", "S 2", "P. 1(3) ack 1",
	};
	unsigned int i;

	peer_serve(peer, arg);
	ipsec(peer, "in", true);
	peer_flow(peer);
	peer_label(peer, "in");
	peer_send(peer, "S 0 <mss 1460>");
	expect_silence(peer);
	ipsec(peer, "in", false);
	peer_flow(peer);
	peer_label(peer, "after the SYN");
	peer_syn(peer, "mss 1460");
	ipsec(peer, "in", true);
	for (i = 0; i < ARRAY_SIZE(segments); i++) {
		peer_send(peer, "%s", segments[i]);
		expect_silence_ms(peer, 100);
		note_accept(peer);
	}
	ipsec(peer, "in", false);
	peer_send(peer, ". 1 ack 1");
	peer_watch(peer, 900);
	note_accept(peer);
	/* the answer would have to be encrypted, and nobody can */
	ipsec(peer, "out", true);
	peer_flow(peer);
	peer_label(peer, "out");
	peer_send(peer, "S 0 <mss 1460>");
	expect_silence_ms(peer, 8000);
	peer_send(peer, "R 1");
	ipsec(peer, "out", false);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	peer_send(peer, ". 1 ack 1");
	note_accept(peer);
}

TEST_F(wire, AU8_LI11_IPsec_policy_comes_before_any_answer)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, in_the_clear, NULL);
	EXPECT_LE(2, peer_counter(peer, THREEWAY_C_segment_policy));
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_handed_over));
}

/**
 * struct bar - what keeps a segment from a socket that connects
 * @counter:	of the engine, for each such segment
 * @mib:	of the native stack, if it has one
 * @ttl:	of the segments; the socket wants 255
 * @options:	what they have in addition
 * @ipsec:	there is an IPsec policy as long as they come
 */
struct bar {
	const char *counter, *mib;
	unsigned int ttl;
	const char *options;
	bool ipsec;
};

/* And whether the good SYN of the peer comes before. */
struct barred {
	struct bar bar;
	bool crosses;
};

#define DIGEST	",raw 131200112233445566778899aabbccddeeff"

static int begin_with_min_ttl(struct peer *peer)
{
	bool v4 = peer->family == AF_INET;
	int fd, ttl = 255;

	peer_flow(peer);
	fd = client_socket(peer);
	check(peer, !setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
				v4 ? IP_MINTTL : IPV6_MINHOPCOUNT, &ttl,
				sizeof(ttl)), "no minimal TTL");
	peer->start_ms = now_ms();
	client_connect(peer, fd);
	expect(peer, "S 0");
	expect_counters(peer, "flows_opened 1; sent_syn 1");
	return fd;
}

/* Each of the segments means something in that state, and none must count. */
static void send_barred(struct peer *peer, const struct bar *bar,
			const char * const *segments, int fd)
{
	for (; *segments; segments++) {
		peer_label(peer, "%s", *segments);
		peer_send(peer, "%s ttl %u <nop,nop%s>", *segments, bar->ttl,
			  bar->options);
		/* all of them in less than the second that a copy waits */
		expect_silence_ms(peer, 25 / peer_patience());
		expect_counters(peer, "%s 1", bar->counter);
		client_note(peer, fd);
	}
	if (bar->ipsec)
		ipsec(peer, "in", false);
	if (bar->mib)
		peer_note(peer, "%s %llu", bar->mib,
			  (unsigned long long)tcp_ext(bar->mib));
	peer_label(peer, "afterwards");
}

static int barred_in_syn_sent(struct peer *peer, const struct bar *bar)
{
	static const char * const segments[] = {
		". 100 ack 7", "S 0", "R. 1 ack 1", "S. 0 ack 7", "S. 0 ack 1",
		NULL
	};
	int fd;

	if (bar->ipsec)
		ipsec(peer, "in", true);
	fd = begin_with_min_ttl(peer);
	send_barred(peer, bar, segments, fd);
	expect_state(peer, THREEWAY_SYN_SENT);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	return fd;
}

static int barred_in_syn_received(struct peer *peer, const struct bar *bar)
{
	static const char * const segments[] = {
		"R 1", ". 1 ack 7", "S 0", "S. 0 ack 1", ". 1 ack 1",
		"P. 1(3) ack 1", "R. 1 ack 1", NULL
	};
	int fd = begin_with_min_ttl(peer);

	/* natively a SYN-ACK offers what the SYN does not, too */
	peer_send(peer, "S 0 <" SYN_OPTIONS ">");
	expect(peer, "S. 0 ack 1");
	expect_counters(peer, "segment_syn_crossed 1; sent_synack_crossed 1");
	if (bar->ipsec)
		ipsec(peer, "in", true);
	send_barred(peer, bar, segments, fd);
	expect_state(peer, THREEWAY_SYN_RECEIVED);
	/* how that ends is for wire_simopen.c to compare */
	peer->transcript = NULL;
	peer_send(peer, ". 1 ack 1");
	peer_receive(peer, 50);
	return fd;
}

/* A socket that connects may be in either state; it all happens in a second. */
static void barred_script(struct peer *peer, const void *arg)
{
	const struct barred *barred = arg;
	int fd;

	client_claim(peer, NULL);
	peer->header.ttl = 255;
	if (barred->crosses)
		fd = barred_in_syn_received(peer, &barred->bar);
	else
		fd = barred_in_syn_sent(peer, &barred->bar);
	client_note(peer, fd);
	expect_connected(peer, fd);
	expect_counters(peer, "flows_handed_over 1");
	client_close(peer, fd);
}

static void connecting_as_native(struct peer *peer, const struct bar *bar)
{
	struct barred barred = { .bar = *bar };

	same_as_native(peer, barred_script, &barred);
	barred.crosses = true;
	same_as_native(peer, barred_script, &barred);
}

TEST_F(wire, IP5_minimal_TTL_of_a_socket_that_connects)
{
	static const struct bar bar = {
		"native_min_ttl", "TCPMinTTLDrop", 254, "", false,
	};

	connecting_as_native(&self->peer, &bar);
}

TEST_F(wire, AU2_a_socket_that_connects_has_no_use_for_MD5)
{
	static const struct bar bar = {
		"native_md5", "TCPMD5Unexpected", 255, DIGEST, false,
	};

	connecting_as_native(&self->peer, &bar);
}

TEST_F(wire, AU8_IPsec_policy_for_a_socket_that_connects)
{
	static const struct bar bar = {
		"segment_policy", NULL, 255, "", true,
	};

	connecting_as_native(&self->peer, &bar);
}

/* A key, for the peer or another one, that comes when the handshake has begun. */
static void late_key(struct peer *peer, int fd, const struct address *whose)
{
	struct tcp_md5sig key = { .tcpm_keylen = 3, .tcpm_key = "key" };
	struct sockaddr_in6 *address = (void *)&key.tcpm_addr;

	address->sin6_family = peer->family;
	if (peer->family == AF_INET)
		memcpy(&((struct sockaddr_in *)address)->sin_addr, whose, 4);
	else
		memcpy(&address->sin6_addr, whose, 16);
	check(peer, !setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof(key)),
	      "no key");
}

/**
 * struct unsigned_case - a segment without signature that comes then
 * @state:	where the handshake is
 * @line:	the segment
 */
struct unsigned_case {
	enum threeway_state state;
	const char *line;
	bool active;
};

static void unsigned_script(struct peer *peer, const void *arg)
{
	const struct unsigned_case *test = arg;
	int fd;

	if (test->active) {
		client_claim(peer, NULL);
		fd = client_open(peer);
		if (test->state == THREEWAY_SYN_RECEIVED) {
			peer_send(peer, "S 0 <" SYN_OPTIONS ">");
			expect(peer, "S. 0 ack 1");
		}
	} else {
		peer_serve(peer, NULL);
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
		fd = peer->listener;
	}
	late_key(peer, fd, &peer->header.src);
	peer_label(peer, "%s, %s, state %u", test->line,
		   test->active ? "active" : "passive", test->state);
	peer_send(peer, "%s", test->line);
	expect_silence(peer);
	expect_state(peer, test->state);
	if (test->active)
		client_note(peer, fd);
	else
		note_accept(peer);
}

TEST_F(wire, AU1_AU3_unsigned_segments_after_a_late_key)
{
	static const struct unsigned_case cases[] = {
		{ THREEWAY_SYN_SENT, ". 100 ack 7", true },
		{ THREEWAY_SYN_SENT, "R. 1 ack 1", true },
		{ THREEWAY_SYN_SENT, "S. 0 ack 1", true },
		{ THREEWAY_SYN_SENT, "S 0 <mss 1460>", true },
		{ THREEWAY_SYN_RECEIVED, ". 1 ack 7", true },
		{ THREEWAY_SYN_RECEIVED, "R 1", true },
		{ THREEWAY_SYN_RECEIVED, ". 1 ack 1", true },
		{ THREEWAY_SYN_RECEIVED, ". 1 ack 7", false },
		{ THREEWAY_SYN_RECEIVED, "R 1", false },
		{ THREEWAY_SYN_RECEIVED, "S 2", false },
		{ THREEWAY_SYN_RECEIVED, ". 1 ack 1", false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		same_as_native(&self->peer, unsigned_script, &cases[i]);
}

TEST_F(wire, AU1_a_late_key_for_somebody_else)
{
	struct peer *peer = &self->peer;
	int fd;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	late_key(peer, peer->listener, &peer->header.dst);
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	client_claim(peer, NULL);
	fd = client_open(peer);
	peer_send(peer, "S 0 <" SYN_OPTIONS ">");
	expect(peer, "S. 0 ack 1");
	late_key(peer, fd, &peer->header.dst);
	peer_send(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	close(fd);
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_handed_over));
}

/* Where no socket is asked, the policy of all is. */
TEST_F(wire, AU8_IPsec_policy_comes_before_held_flows)
{
	static const char * const segments[] = { ". 1 ack 7", "R 1", ". 1 ack 1" };
	struct peer *peer = &self->peer;
	struct threeway_flow flow;
	unsigned int i;

	peer_hold(peer, NULL);
	peer_flow(peer);
	ipsec(peer, "in", true);
	peer_send(peer, "S 0 <mss 1460>");
	expect_silence(peer);
	expect_counters(peer, "segment_policy 1");
	ipsec(peer, "in", false);
	peer_syn(peer, "mss 1460");
	ipsec(peer, "in", true);
	for (i = 0; i < ARRAY_SIZE(segments); i++) {
		peer_send(peer, "%s", segments[i]);
		expect_silence_ms(peer, 100);
	}
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"segment_policy 3");
	ipsec(peer, "in", false);
	peer_send(peer, ". 1 ack 1");
	expect_silence_ms(peer, 100);
	EXPECT_EQ(1, peer_flows(peer, &flow));
	EXPECT_EQ(THREEWAY_ESTABLISHED, flow.state);
}

TEST_F(wire, MI11_a_held_flow_without_a_route_is_told_as_such)
{
	struct peer *peer = &self->peer;

	peer_hold(peer, NULL);
	run("ip -%c route flush dev tun0", peer->family == AF_INET ? '4' : '6');
	sysctl_set("net/ipv4/conf/tun0/rp_filter", "0");
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460>");
	expect_silence(peer);
	expect_counters(peer, "native_no_route 1");
}

/* Never data, never more than an MSS option beyond what the SYN had. */
TEST_F(wire, LM9_a_SYN_ACK_is_hardly_larger_than_its_SYN)
{
	static const char * const options[] = {
		"", "mss 1460", "sackOK", "TS val 1000 ecr 0", "wscale 7",
		"mss 1460,sackOK", "mss 1460,TS val 1000 ecr 0",
		"mss 1460,wscale 14", SYN_OPTIONS, MP_CAPABLE, "raw 4d06aabbccdd",
		"nop,nop,nop,nop,nop,nop,nop,nop",
	};
	struct peer *peer = &self->peer;
	unsigned int i, ecn;
	u8 raw[256];
	size_t len;

	peer_serve(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		for (ecn = 0; ecn < 2; ecn++) {
			peer_flow(peer);
			peer_label(peer, "%s", options[i]);
			len = peer_prepare(peer, raw, "%s 0 <%s>",
					   ecn ? "SEW" : "S", options[i]);
			peer_inject(peer, raw, len);
			expect(peer, ecn ? "S.E 0(0) ack 1" : "S. 0(0) ack 1");
			check(peer, peer->raw_len <= len + 4,
			      "%zu octets for %zu", peer->raw_len, len);
			peer_send(peer, "R 1");
		}
	}
	EXPECT_EQ(2 * ARRAY_SIZE(options),
		  peer_counter(peer, THREEWAY_C_sent_synack));
}

/* How long after the packet before it the next one came, in ms. */
static u64 wait_for_copy(struct peer *peer)
{
	u64 before = peer->at_ms;

	check(peer, peer_receive(peer, 5000), "no copy");
	return peer->at_ms - before;
}

/* No randomness: the clock's tick is 4 ms, and the timers' ticks get longer. */
static void check_copies(struct peer *peer)
{
	/* the one before may have been read late */
	unsigned int late_ms = 1 + 3 * (peer_patience() - 1);
	unsigned int i, ms;

	for (i = 0, ms = 1000; i < 2; i++, ms *= 2) {
		u64 after = wait_for_copy(peer);

		check(peer, after + late_ms >= ms && after <= ms + ms / 8 + 8,
		      "copy %u after %llu ms", i, (unsigned long long)after);
	}
}

TEST_F_TIMEOUT(wire, RT19_no_copy_comes_early, 300)
{
	struct peer *peer = &self->peer;
	int i, fd;

	peer_serve(peer, NULL);
	for (i = 0; i < 8; i++) {
		sleep_ms(i * 3 + 1);
		peer_flow(peer);
		peer_label(peer, "SYN-ACK %d", i);
		peer_syn(peer, "mss 1460");
		check_copies(peer);
		peer_send(peer, "R 1");
	}
	client_claim(peer, NULL);
	for (i = 0; i < 8; i++) {
		sleep_ms(i * 3 + 1);
		fd = client_open(peer);
		peer_label(peer, "SYN %d", i);
		check_copies(peer);
		close(fd);
	}
}

TEST_HARNESS_MAIN
