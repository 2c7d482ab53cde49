// SPDX-License-Identifier: GPL-2.0
/*
 * What a SYN says and what the SYN-ACK may make of it: options, MSS, ECN, and
 * initial sequence numbers of active opens (rules OP12, OP13, SS13, TS, EC, PM,
 * IS).
 */
#include <errno.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#define TICK_NS			64
/* What may pass between a clock read here and one in the kernel. */
#define TICKS_OF_1_MS		(1000000 / TICK_NS)

/* Where the SYN's octets may differ from those of another one of its kind. */
struct octets {
	u8 raw[PACKET_MAX];
	size_t len;
};

static void blank(u8 *at, size_t len)
{
	memset(at, 0, len);
}

/* Without ISN, TSval, checksums, and what is random in the IP header. */
static void take_octets(struct peer *peer, struct octets *syn)
{
	size_t header = peer->family == AF_INET ? 20 : 40;
	const u8 *ts;
	size_t at;

	memset(syn, 0, sizeof(*syn));
	syn->len = peer->raw_len;
	memcpy(syn->raw, peer->raw, syn->len);
	if (peer->family == AF_INET) {
		blank(syn->raw + 4, 2);		/* identification */
		blank(syn->raw + 10, 2);
	} else {
		blank(syn->raw + 1, 3);		/* flow label */
	}
	blank(syn->raw + header + 4, 4);
	blank(syn->raw + header + 16, 2);
	if (!packet_option(&peer->latest, 8, &ts))
		return;
	at = ts - peer->latest.options;
	blank(syn->raw + header + 20 + at + 2, 4);
}

/* What native and the engine make of the same connect(). */
static void same_syn(struct peer *peer, const char *what,
		     void (*prepare)(struct peer *peer, int fd, const void *arg),
		     const void *arg)
{
	struct octets syns[2];
	unsigned int run, i;
	int fd;

	for (run = 0; run < 2; run++) {
		peer_close(peer);
		if (!check(peer, !peer_open(peer, peer->family, run),
			   "no namespace"))
			return;
		client_claim(peer, NULL);
		peer_flow(peer);
		peer_label(peer, "%s", what);
		fd = client_socket(peer);
		prepare(peer, fd, arg);
		client_connect(peer, fd);
		expect(peer, "S 0");
		take_octets(peer, &syns[run]);
		close(fd);
	}
	expect_counters(peer, "flows_opened 1; sent_syn 1");
	check(peer, syns[0].len == syns[1].len, "%zu and %zu octets",
	      syns[0].len, syns[1].len);
	for (i = 0; i < syns[0].len; i++) {
		if (!check(peer, syns[0].raw[i] == syns[1].raw[i],
			   "octet %u: %#x, native %#x", i, syns[1].raw[i],
			   syns[0].raw[i]))
			return;
	}
}

static void set_sysctls(struct peer *peer, int fd, const void *arg)
{
	unsigned int off = *(const unsigned int *)arg;

	check(peer, fd >= 0, "no socket");
	sysctl_set("net/ipv4/tcp_sack", "%d", !(off & 1));
	sysctl_set("net/ipv4/tcp_timestamps", "%d", !(off & 2));
	sysctl_set("net/ipv4/tcp_window_scaling", "%d", !(off & 4));
}

TEST_F(wire, OP12_OP13_SYN_is_native_s_octet_by_octet)
{
	unsigned int off;
	char what[32];

	for (off = 0; off < 8; off++) {
		snprintf(what, sizeof(what), "sysctls off: %u", off);
		same_syn(&self->peer, what, set_sysctls, &off);
	}
}

static void set_mtu(struct peer *peer, int fd, const void *arg)
{
	check(peer, fd >= 0, "no socket");
	run("ip link set tun0 mtu %u", *(const unsigned int *)arg);
}

static void set_maxseg(struct peer *peer, int fd, const void *arg)
{
	check(peer, !setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, arg, sizeof(int)),
	      "TCP_MAXSEG");
}

static void set_route(struct peer *peer, int fd, const void *arg)
{
	check(peer, fd >= 0, "no socket");
	peer_route(peer, arg);
}

static void set_rcvbuf(struct peer *peer, int fd, const void *arg)
{
	check(peer, !setsockopt(fd, SOL_SOCKET, SO_RCVBUF, arg, sizeof(int)),
	      "SO_RCVBUF");
}

static void set_ip(struct peer *peer, int fd, const void *arg)
{
	const bool v4 = peer->family == AF_INET;
	int tos = 0x48, ttl = 37;

	check(peer, !arg, "no argument");
	check(peer, !setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
				v4 ? IP_TOS : IPV6_TCLASS, &tos, sizeof(tos)) &&
	      !setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
			  v4 ? IP_TTL : IPV6_UNICAST_HOPS, &ttl, sizeof(ttl)),
	      "TOS and TTL");
}

TEST_F(wire, PM1_PM4_WI4_MSS_and_window_are_native_s)
{
	static const unsigned int mtus[] = { 1280, 1500, 9000, 65535 };
	static const int maxsegs[] = { 88, 500, 1400, 5000 };
	static const int buffers[] = { 1, 20000, 1 << 20 };
	static const char * const routes[] = {
		"advmss 700", "mtu 1300", "mtu lock 1300 advmss 1200",
		"window 5000", "initrwnd 5", "hoplimit 11"
	};
	struct peer *peer = &self->peer;
	unsigned int i, small = 576;
	char what[64];

	for (i = 0; i < ARRAY_SIZE(mtus); i++) {
		snprintf(what, sizeof(what), "MTU %u", mtus[i]);
		same_syn(peer, what, set_mtu, &mtus[i]);
	}
	if (variant->family == AF_INET)
		same_syn(peer, "MTU 576", set_mtu, &small);
	for (i = 0; i < ARRAY_SIZE(maxsegs); i++) {
		snprintf(what, sizeof(what), "TCP_MAXSEG %d", maxsegs[i]);
		same_syn(peer, what, set_maxseg, &maxsegs[i]);
	}
	for (i = 0; i < ARRAY_SIZE(buffers); i++) {
		snprintf(what, sizeof(what), "SO_RCVBUF %d", buffers[i]);
		same_syn(peer, what, set_rcvbuf, &buffers[i]);
	}
	for (i = 0; i < ARRAY_SIZE(routes); i++)
		same_syn(peer, routes[i], set_route, routes[i]);
	same_syn(peer, "TOS and TTL", set_ip, NULL);
}

TEST_F(wire, PM1_MSS_is_that_of_the_MTU)
{
	struct peer *peer = &self->peer;
	unsigned int headers = variant->family == AF_INET ? 40 : 60;
	static const unsigned int mtus[] = { 1280, 1500, 9000 };
	unsigned int i;

	client_claim(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(mtus); i++) {
		run("ip link set tun0 mtu %u", mtus[i]);
		close(client_open(peer));
		peer_send(peer, "R. 0 ack 1");
		check(peer, peer->latest.options[2] * 256 +
		      peer->latest.options[3] == (int)(mtus[i] - headers),
		      "MTU %u", mtus[i]);
	}
	expect_counters(peer, "flows_opened 3; sent_syn 3; flows_socket_gone 3");
}

static void subset_script(struct peer *peer, const void *arg)
{
	unsigned int set;
	int fd;

	client_claim(peer, arg);
	for (set = 0; set < 16; set++) {
		fd = client_open(peer);
		peer_label(peer, "<%s>", client_subset(set, "^"));
		sleep_ms(20);
		peer_send(peer, "S. 0 ack 1 win 60000 <%s>", client_subset(set, "^"));
		peer_watch(peer, 50);
		client_note(peer, fd);
		client_note_data(peer, fd, set & 4);
	}
}

TEST_F_TIMEOUT(wire, SS13_PM2_WI2_WI8_TS9_16_option_subsets_as_native, 120)
{
	same_as_native(&self->peer, subset_script, NULL);
	expect_counters(&self->peer, "flows_opened 16; sent_syn 16; "
			"flows_handed_over 16");
}

/*
 * What the claim has switched off is not offered, and a SYN-ACK that brings it
 * all the same changes nothing: as native with the sysctl at 0.
 */
static void hostile_script(struct peer *peer, const void *arg)
{
	unsigned int off = *(const unsigned int *)arg, set;
	struct threeway_policy policy = {
		.set = THREEWAY_P_SACK | THREEWAY_P_TIMESTAMPS |
		       THREEWAY_P_WINDOW_SCALING,
		.sack = !(off & 1),
		.timestamps = !(off & 2),
		.window_scaling = !(off & 4),
	};
	int fd;

	if (peer->engine < 0)
		set_sysctls(peer, 0, arg);
	client_claim(peer, &policy);
	for (set = 0; set < 16; set++) {
		fd = client_open(peer);
		peer_label(peer, "off %u, <%s>", off, client_subset(set, "0"));
		sleep_ms(20);
		peer_send(peer, "S. 0 ack 1 win 60000 <%s>", client_subset(set, "0"));
		peer_watch(peer, 50);
		client_note(peer, fd);
		client_note_data(peer, fd, (set & 4) && !(off & 2));
	}
}

TEST_F_TIMEOUT(wire, SS13_OP12_options_that_were_not_offered, 600)
{
	struct peer *peer = &self->peer;
	unsigned int off;

	for (off = 1; off < 8; off++) {
		same_as_native(peer, hostile_script, &off);
		expect_counters(peer, "flows_opened 16; sent_syn 16; "
				"flows_handed_over 16");
	}
}

/* The namespace's own sysctls do the same as the claim's values. */
TEST_F(wire, OP12_net_threeway_sysctls_switch_options_off)
{
	struct peer *peer = &self->peer;

	client_claim(peer, NULL);
	sysctl_set("net/threeway/sack", "0");
	close(client_open(peer));
	check(peer, peer->latest.options[4] == 1, "SACK is offered");
	sysctl_set("net/threeway/timestamps", "0");
	sysctl_set("net/threeway/window_scaling", "0");
	close(client_open(peer));
	EXPECT_EQ(4, peer->latest.options_len);
	sysctl_set("net/threeway/sack", "1");
	close(client_open(peer));
	EXPECT_EQ(8, peer->latest.options_len);
	expect_counters(peer, "flows_opened 3; sent_syn 3");
}

TEST_F(wire, TS2_TS3_TS4_TS8_one_clock_from_the_SYN_on)
{
	struct peer *peer = &self->peer;
	int late_ms = 10 * peer_patience();
	u32 first, offset = 0;
	unsigned int i;
	u64 at_ms;
	int fd;

	client_claim(peer, NULL);
	for (i = 0; i < 2; i++) {
		fd = client_open(peer);
		first = peer->tsval;
		at_ms = peer->at_ms;
		/* Each tuple has its own offset. */
		EXPECT_NE(offset, first - (u32)at_ms);
		offset = first - (u32)at_ms;
		expect_at(peer, 1000, "S 0 <" CLIENT_OPTIONS(*) ">");
		/* what else runs makes that a segment is read late */
		check(peer, abs((int)(peer->tsval - first -
				      (peer->at_ms - at_ms))) <= late_ms,
		      "TSval moved by %u", peer->tsval - first);
		sleep_ms(777);
		peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
		expect(peer, ". 1 ack 1 <nop,nop,TS val * ecr 5000>");
		EXPECT_LE(1777, peer->tsval - first);
		EXPECT_GE(1790, peer->tsval - first);
		client_close(peer, fd);
	}
	/* 2: no offset. 0: no timestamps. */
	sysctl_set("net/ipv4/tcp_timestamps", "2");
	close(client_open(peer));
	first = peer->tsval - (u32)peer->at_ms;
	close(client_open(peer));
	EXPECT_GE(1, peer->tsval - (u32)peer->at_ms - first + 1);
	sysctl_set("net/ipv4/tcp_timestamps", "0");
	close(client_open(peer));
	expect_silence(peer);
	EXPECT_EQ(5, peer_counter(peer, THREEWAY_C_flows_opened));
}

static void ecn_script(struct peer *peer, const void *arg)
{
	static const char * const flags[] = { "S.", "S.E", "S.W", "S.EW" };
	unsigned int i, lost;
	int fd;

	client_claim(peer, arg);
	sysctl_set("net/ipv4/tcp_ecn", "1");
	for (i = 0; i < 4 * ARRAY_SIZE(flags); i++) {
		lost = i / 4 % 2;
		sysctl_set("net/ipv4/tcp_ecn_fallback", "%d", i < 8);
		fd = client_begin(peer);
		peer_receive(peer, PEER_ANSWER_MS);
		peer_label(peer, "%s, %u lost, fallback %d", flags[i % 4],
			   lost, i < 8);
		peer_watch(peer, lost ? 1100 : 10);
		peer_send(peer, "%s 0 ack 1 <mss 1460>", flags[i % 4]);
		peer_watch(peer, lost ? 1150 : 50);
		client_note(peer, fd);
		send(fd, "hello", 5, 0);
		peer_watch(peer, lost ? 1200 : 100);
		client_close(peer, fd);
	}
}

TEST_F(wire, EC1_EC2_EC5_EC6_EC9_as_native)
{
	same_as_native(&self->peer, ecn_script, NULL);
	expect_counters(&self->peer, "flows_opened 16; sent_syn 16; "
			"flows_handed_over 16; sent_syn_timer 8");
}

TEST_F(wire, EC1_EC2_EC5_ECN_setup_SYN_and_its_copies)
{
	struct threeway_policy policy = { .set = THREEWAY_P_ECN };
	struct peer *peer = &self->peer;
	int fd;

	client_claim(peer, NULL);
	/* 2, the default: to accept, not to ask. */
	close(client_open(peer));
	sysctl_set("net/ipv4/tcp_ecn", "1");
	fd = client_begin(peer);
	expect(peer, "SEW 0 tos 0");
	expect_at(peer, 1000, "S 0 tos 0");
	close(fd);
	sysctl_set("net/ipv4/tcp_ecn_fallback", "0");
	fd = client_begin(peer);
	expect(peer, "SEW 0 tos 0");
	expect_at(peer, 1000, "SEW 0 tos 0");
	expect_at(peer, 3000, "SEW 0 tos 0");
	close(fd);
	sysctl_set("net/threeway/ecn", "0");
	close(client_open(peer));
	sysctl_set("net/threeway/ecn", "1");
	client_reclaim(peer, &policy);
	close(client_open(peer));
	EXPECT_EQ(5, peer_counter(peer, THREEWAY_C_sent_syn));
}

/* Without ECN in the SYN, ECE in the SYN-ACK means nothing. */
TEST_F(wire, EC6_ECE_of_a_SYN_ACK_that_was_not_asked_for)
{
	struct threeway_policy policy = { .set = THREEWAY_P_ECN };
	static const char * const flags[] = { "S.E", "S.EW" };
	struct peer *peer = &self->peer;
	unsigned int i;
	int fd;

	sysctl_set("net/ipv4/tcp_ecn", "1");
	client_claim(peer, &policy);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		fd = client_open(peer);
		peer_send(peer, "%s 0 ack 1 <mss 1460>", flags[i]);
		expect(peer, ". 1 ack 1 tos 0");
		EXPECT_EQ(5, send(fd, "hello", 5, 0));
		expect(peer, "P. 1(5) ack 1 tos 0");
		client_close(peer, fd);
	}
	expect_counters(peer, "flows_opened 2; sent_syn 2; flows_handed_over 2");
}

static u64 clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Another connect() of the present tuple, refused. */
static u32 probe(struct peer *peer)
{
	int fd = client_socket(peer);

	peer->iss_known = false;
	client_connect(peer, fd);
	expect(peer, "S 0");
	peer_send(peer, "R. 0 ack 1");
	expect_failed(peer, fd, ECONNREFUSED);
	close(fd);
	return peer->iss;
}

/* The number has moved by the clock since then, or by something else. */
static bool moved_with(u32 iss, u32 before, u64 ns)
{
	int ticks = TICKS_OF_1_MS * (peer_patience() == 1 ? 1 : 20);
	int error = iss - before - (u32)(ns / TICK_NS);

	return error > -ticks && error < ticks;
}

TEST_F(wire, IS1_IS7_IS8_clock_ticks_every_64_ns_also_in_SYNs)
{
	struct peer *peer = &self->peer;
	u32 iss, before = 0;
	u64 now, ns = 0;
	unsigned int i;

	client_claim(peer, NULL);
	for (i = 0; i < 10; i++) {
		now = clock_ns(CLOCK_BOOTTIME);
		iss = probe(peer);
		if (i)
			EXPECT_TRUE(moved_with(iss, before, now - ns));
		before = iss;
		ns = now;
		sleep_ms(1000);
	}
	expect_counters(peer, "flows_opened 10; sent_syn 10; "
			"segment_refused 10; flows_refused 10");
}

TEST_F(wire, IS9_setting_the_clock_back_does_not_matter)
{
	struct peer *peer = &self->peer;
	struct timeval now;
	u32 before;
	u64 ns;

	client_claim(peer, NULL);
	ns = clock_ns(CLOCK_BOOTTIME);
	before = probe(peer);
	gettimeofday(&now, NULL);
	now.tv_sec -= 3600;
	EXPECT_EQ(0, settimeofday(&now, NULL));
	ns = clock_ns(CLOCK_BOOTTIME) - ns;
	EXPECT_TRUE(moved_with(probe(peer), before, ns));
	gettimeofday(&now, NULL);
	now.tv_sec += 3600;
	EXPECT_EQ(0, settimeofday(&now, NULL));
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_opened));
}

TEST_F(wire, IS2_numbers_of_tuples_have_nothing_in_common)
{
	struct peer *peer = &self->peer;
	unsigned int i, k, ones;
	u32 hash[64];

	client_claim(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(hash); i++) {
		peer_flow(peer);
		hash[i] = probe(peer) -
			  (u32)(clock_ns(CLOCK_BOOTTIME) / TICK_NS);
	}
	for (k = 16; k < 32; k++) {
		for (ones = 0, i = 0; i < ARRAY_SIZE(hash); i++)
			ones += hash[i] >> k & 1;
		/* 32 on average, with a deviation of 4 */
		check(peer, ones > 8 && ones < 56, "bit %u is set %u times", k,
		      ones);
	}
	EXPECT_EQ(64, peer_counter(peer, THREEWAY_C_flows_opened));
}

/* Claim with that source of numbers, or no claim. */
static void set_isn(struct peer *peer, enum threeway_isn isn, u32 fixed)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_ISN,
		.isn = isn,
		.isn_fixed = fixed,
	};

	if (isn) {
		client_reclaim(peer, &policy);
		return;
	}
	if (peer->claim)
		check(peer, !threeway_claim_del(peer->engine, peer->claim),
		      "cannot delete the claim");
	peer->claim = 0;
}

/* The clock alone would fall back behind what was in the peer's window. */
TEST_F(wire, IS4_a_socket_connects_again_beyond_its_old_window)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	struct peer *peer = &self->peer;
	u32 iss;
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	iss = peer->iss;
	peer_send(peer, "S. 0 ack 1 win 65535 <mss 1460,nop,wscale 14>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	peer_send(peer, ". 1 ack 1 win 65535");
	EXPECT_EQ(0, connect(fd, &nobody, sizeof(nobody)));
	expect(peer, "R. 1 ack 1");
	peer->iss_known = false;
	client_connect(peer, fd);
	expect(peer, "S 0");
	EXPECT_EQ(iss + 1 + (65535U << 14) + 2, peer->iss);
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_opened));
	close(fd);
}

TEST_F(wire, IS5_kernel_numbers_are_those_of_native)
{
	struct peer *peer = &self->peer;
	u32 iss, before = 0;
	u64 now, ns = 0;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		set_isn(peer, i % 2 ? THREEWAY_ISN_KERNEL : 0, 0);
		now = clock_ns(CLOCK_REALTIME);
		iss = probe(peer);
		if (i)
			EXPECT_TRUE(moved_with(iss, before, now - ns));
		before = iss;
		ns = now;
		sleep_ms(100);
	}
	expect_counters(peer, "flows_opened 5; sent_syn 5; "
			"segment_refused 5; flows_refused 5");
	/* The engine's own are others. */
	set_isn(peer, THREEWAY_ISN_ENGINE, 0);
	now = clock_ns(CLOCK_REALTIME);
	EXPECT_FALSE(moved_with(probe(peer), before, now - ns));
	/* The namespace's own setting does the same. */
	client_reclaim(peer, NULL);
	sysctl_set("net/threeway/isn", "2");
	now = clock_ns(CLOCK_REALTIME);
	EXPECT_TRUE(moved_with(probe(peer), before, now - ns));
}

TEST_F(wire, IS5_fixed_and_engine_numbers_in_turn)
{
	static const u32 fixed[] = { 0, 1, 0xffffffff, 0x12345678 };
	struct peer *peer = &self->peer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fixed); i++) {
		set_isn(peer, THREEWAY_ISN_FIXED, fixed[i]);
		EXPECT_EQ(fixed[i], probe(peer));
		EXPECT_EQ(fixed[i], probe(peer));
	}
	expect_counters(peer, "flows_opened 8; sent_syn 8; "
			"segment_refused 8; flows_refused 8");
}

/* One connection of the tuple, left in TIME-WAIT by us. */
static void one_connection(struct peer *peer)
{
	int fd = client_socket(peer);

	peer->iss_known = false;
	client_connect(peer, fd);
	expect(peer, "S 0");
	peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	expect(peer, ". 1 ack 1");
	close(fd);
	expect(peer, "F. 1 ack 1");
	peer_send(peer, "F. 1 ack 2 <nop,nop,TS val 6000 ecr ^>");
	expect(peer, ". 2 ack 2");
	sleep_ms(1100);
}

/* Whoever it was before, and whoever it is now. */
TEST_F(wire, IS4_IS5_TIME_WAIT_is_honoured_by_engine_and_native_in_turn)
{
	static const enum threeway_isn isns[] = {
		THREEWAY_ISN_ENGINE, 0, THREEWAY_ISN_KERNEL, 0,
		THREEWAY_ISN_ENGINE, THREEWAY_ISN_KERNEL, THREEWAY_ISN_ENGINE
	};
	struct peer *peer = &self->peer;
	unsigned int i;
	u32 iss = 0;

	sysctl_set("net/ipv4/tcp_tw_reuse", "1");
	for (i = 0; i < ARRAY_SIZE(isns); i++) {
		set_isn(peer, isns[i], 0);
		one_connection(peer);
		if (i)
			EXPECT_EQ(iss + 2 + 65537, peer->iss);
		iss = peer->iss;
		peer->irs += 1000000;
	}
	expect_counters(peer, "flows_opened 5; sent_syn 5; flows_handed_over 5");
}

TEST_HARNESS_MAIN
