// SPDX-License-Identifier: GPL-2.0
/*
 * Two held ends against each other over the loopback interface: handshakes,
 * crossing SYNs with each segment lost (rule SM15), and that they rest in the
 * end. And what THREEWAY_IOC_OPEN and hold claims refuse.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#define PORT_A	1001
#define PORT_B	1002

static void set_loopback(const struct peer *peer, __u8 address[16])
{
	memset(address, 0, 16);
	if (peer->family == AF_INET)
		memcpy(address, "\x7f\0\0\1", 4);
	else
		address[15] = 1;
}

/* From one port of the loopback address to another one of it. */
static struct threeway_open pair(const struct peer *peer, __u16 local,
				 __u16 remote)
{
	struct threeway_open open = {
		.key = {
			.family = peer->family,
			.local_port = htons(local),
			.remote_port = htons(remote),
		},
	};

	set_loopback(peer, open.key.local);
	set_loopback(peer, open.key.remote);
	return open;
}

static void open_pair(struct peer *peer, __u16 local, __u16 remote, u32 lose)
{
	struct threeway_open open = pair(peer, local, remote);
	int err;

	if (lose) {
		open.policy.set = THREEWAY_P_LOSE;
		open.policy.lose = lose;
	}
	err = threeway_open_flow(peer->engine, &open);
	check(peer, !err, "open: %s", strerror(-err));
}

static void hold_port(struct peer *peer, __u16 port,
		      const struct threeway_policy *policy)
{
	struct threeway_claim claim = {
		.family = peer->family,
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HOLD,
		.port_first = port,
		.port_last = port,
	};

	if (policy)
		claim.policy = *policy;
	check(peer, !threeway_claim_add(peer->engine, &claim), "no claim");
}

static enum threeway_state state_of(struct peer *peer, __u16 local,
				    __u16 remote)
{
	struct threeway_open key = pair(peer, local, remote);
	enum threeway_state state = THREEWAY_CLOSED;
	struct threeway_flow *flows;
	int i, count;

	count = threeway_flow_list(peer->engine, &flows);
	for (i = 0; i < count; i++)
		if (!memcmp(&flows[i].key, &key.key, sizeof(key.key)))
			state = flows[i].state;
	if (count >= 0)
		free(flows);
	return state;
}

static void expect_pair(struct peer *peer, enum threeway_state a,
			enum threeway_state b)
{
	enum threeway_state is_a = state_of(peer, PORT_A, PORT_B);
	enum threeway_state is_b = state_of(peer, PORT_B, PORT_A);

	check(peer, is_a == a && is_b == b,
	      "the ends are in states %u and %u, expected %u and %u", is_a,
	      is_b, a, b);
}

static void kill_end(struct peer *peer, __u16 local, __u16 remote)
{
	struct threeway_open open = pair(peer, local, remote);

	check(peer, !threeway_flow_del(peer->engine, 0, &open.key),
	      "cannot kill port %u", local);
}

TEST_F_TIMEOUT(wire, open_against_a_hold_claim, 900)
{
	struct peer *peer = &self->peer;

	hold_port(peer, PORT_B, NULL);
	open_pair(peer, PORT_A, PORT_B, 0);
	expect_pair(peer, THREEWAY_ESTABLISHED, THREEWAY_ESTABLISHED);
	expect_counters(peer, "flows_opened 2; sent_syn 1; sent_synack 1; "
			"flows_held 2; sent_ack 1");
	sleep_ms(100000);
	expect_no_counters(peer);
	/* The RST of the one is the end of the other. */
	kill_end(peer, PORT_A, PORT_B);
	expect_pair(peer, THREEWAY_CLOSED, THREEWAY_CLOSED);
	expect_counters(peer, "flows_killed 1; sent_rst 1; "
			"segment_rst_exact 1; flows_reset 1");
	open_pair(peer, PORT_A, PORT_B, 0);
	expect_counters(peer, "flows_opened 2; sent_syn 1; sent_synack 1; "
			"flows_held 2; sent_ack 1");
	kill_end(peer, PORT_B, PORT_A);
	expect_pair(peer, THREEWAY_CLOSED, THREEWAY_CLOSED);
	expect_counters(peer, "flows_killed 1; sent_rst 1; "
			"segment_rst_exact 1; flows_reset 1");
}

TEST_F_TIMEOUT(wire, open_against_claims_that_stop, 900)
{
	struct threeway_policy policy = { .set = THREEWAY_P_FREEZE };
	struct peer *peer = &self->peer;

	policy.freeze = THREEWAY_FREEZE_SYN_RECEIVED;
	hold_port(peer, PORT_B, &policy);
	open_pair(peer, PORT_A, PORT_B, 0);
	expect_pair(peer, THREEWAY_ESTABLISHED, THREEWAY_SYN_RECEIVED);
	expect_counters(peer, "flows_opened 2; sent_syn 1; sent_synack 1; "
			"flows_held 1; sent_ack 1; segment_frozen 1");
	/* It does not even hear of the end. */
	kill_end(peer, PORT_A, PORT_B);
	expect_pair(peer, THREEWAY_CLOSED, THREEWAY_SYN_RECEIVED);
	expect_counters(peer, "flows_killed 1; sent_rst 1; segment_frozen 1");

	policy.freeze = THREEWAY_FREEZE_REFUSE;
	hold_port(peer, PORT_B + 1, &policy);
	open_pair(peer, PORT_A, PORT_B + 1, 0);
	EXPECT_EQ(THREEWAY_CLOSED, state_of(peer, PORT_A, PORT_B + 1));
	expect_counters(peer, "flows_opened 1; sent_syn 1; segment_frozen 1; "
			"sent_rst 1; segment_refused 1; flows_refused 1");
	/* Nobody there: native's RST is as good. */
	open_pair(peer, PORT_A, PORT_B + 2, 0);
	EXPECT_EQ(THREEWAY_CLOSED, state_of(peer, PORT_A, PORT_B + 2));
	expect_counters(peer, "flows_opened 1; sent_syn 1; segment_refused 1; "
			"flows_refused 1");

	policy.freeze = THREEWAY_FREEZE_FINAL_ACK;
	hold_port(peer, PORT_B + 3, &policy);
	open_pair(peer, PORT_A, PORT_B + 3, 0);
	EXPECT_EQ(THREEWAY_ESTABLISHED, state_of(peer, PORT_A, PORT_B + 3));
	EXPECT_EQ(THREEWAY_SYN_RECEIVED, state_of(peer, PORT_B + 3, PORT_A));
	sleep_ms(64000);
	EXPECT_EQ(THREEWAY_ESTABLISHED, state_of(peer, PORT_A, PORT_B + 3));
	EXPECT_EQ(THREEWAY_CLOSED, state_of(peer, PORT_B + 3, PORT_A));
	EXPECT_EQ(5, peer_counter(peer, THREEWAY_C_sent_synack_timer));
	EXPECT_EQ(5, peer_counter(peer, THREEWAY_C_segment_syn_challenged));
}

/* A path of 100 ms: the SYN of each end is under way when the other one opens. */
static void cross(struct peer *peer, u32 lose_a, u32 lose_b)
{
	open_pair(peer, PORT_A, PORT_B, lose_a);
	sleep_ms(20);
	open_pair(peer, PORT_B, PORT_A, lose_b);
}

/* Bits of policy.lose. */
#define SYN	1
#define SYNACK	2

TEST_F_TIMEOUT(wire, SM1_SM2_SM15_crossing_SYNs_and_each_loss, 900)
{
	static const struct {
		u32 lose_a, lose_b;
		unsigned int ms;
		const char *name;
	} cases[] = {
		{ 0, 0, 350, "nothing" },
		{ SYN, 0, 350, "one SYN" },
		{ 0, SYN, 350, "the other SYN" },
		{ SYNACK, 0, 1400, "one SYN-ACK" },
		{ 0, SYNACK, 1400, "the other SYN-ACK" },
		{ SYNACK, SYNACK, 1400, "both SYN-ACKs" },
		{ SYN, SYN, 1400, "both SYNs" },
		{ SYN | SYNACK, SYNACK, 3500, "a SYN and both SYN-ACKs" },
	};
	struct peer *peer = &self->peer;
	u64 held, opened = 0;
	unsigned int i;

	run("tc qdisc add dev lo root netem delay 100ms");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		peer_label(peer, "lost: %s", cases[i].name);
		cross(peer, cases[i].lose_a, cases[i].lose_b);
		sleep_ms(cases[i].ms);
		expect_pair(peer, THREEWAY_ESTABLISHED, THREEWAY_ESTABLISHED);
		/* They have no more to say to each other. */
		sleep_ms(1000);
		opened = peer_counter(peer, THREEWAY_C_sent_ack);
		sleep_ms(100000);
		expect_pair(peer, THREEWAY_ESTABLISHED, THREEWAY_ESTABLISHED);
		check(peer, opened == peer_counter(peer, THREEWAY_C_sent_ack),
		      "they go on to send ACKs");
		held = peer_counter(peer, THREEWAY_C_flows_held);
		check(peer, held == 2 * (i + 1), "%llu flows held",
		      (unsigned long long)held);
		kill_end(peer, PORT_A, PORT_B);
		sleep_ms(150);
		expect_pair(peer, THREEWAY_CLOSED, THREEWAY_CLOSED);
	}
	EXPECT_EQ(16, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(8, peer_counter(peer, THREEWAY_C_flows_reset));
	EXPECT_LE(8, peer_counter(peer, THREEWAY_C_segment_syn_crossed));
}

/* An end that is one connection with itself. */
TEST_F(wire, SS19_open_to_itself)
{
	struct peer *peer = &self->peer;

	open_pair(peer, PORT_A, PORT_A, 0);
	sleep_ms(100);
	EXPECT_EQ(THREEWAY_ESTABLISHED, state_of(peer, PORT_A, PORT_A));
	expect_counters(peer, "flows_opened 1; sent_syn 1; "
			"segment_syn_crossed 1; sent_synack_crossed 1; "
			"flows_held 1");
}

/* errno of an open that begins as a good one and is changed by the caller. */
static int try(struct peer *peer, const struct threeway_open *open)
{
	struct threeway_open copy = *open;

	return ioctl(peer->engine, THREEWAY_IOC_OPEN, &copy) ? errno : 0;
}

#define REFUSED(error, change)						\
	do {								\
		open = good;						\
		change;							\
		EXPECT_EQ(error, try(peer, &open));			\
	} while (0)

#define POLICY(bit, field, value)					\
	REFUSED(EINVAL, (open.policy.set = THREEWAY_P_##bit,		\
			 open.policy.field = value))

TEST_F(wire, open_refuses_bad_keys)
{
	struct peer *peer = &self->peer;
	struct threeway_open open, good = pair(peer, 0, PORT_B);
	bool v4 = variant->family == AF_INET;

	REFUSED(EINVAL, open.pad = 1);
	REFUSED(EINVAL, open.id = 1);
	REFUSED(EINVAL, open.key.pad = 1);
	REFUSED(EINVAL, open.key.family = AF_UNSPEC);
	REFUSED(EINVAL, open.key.family = AF_UNIX);
	REFUSED(EINVAL, open.key.remote_port = 0);
	REFUSED(EINVAL, memset(open.key.remote, 0, 16));
	REFUSED(EINVAL, open.key.ifindex = 1);
	REFUSED(EINVAL, (memset(open.key.remote, 0, 16),
			 memset(open.key.remote, v4 ? 0xe0 : 0xff,
				v4 ? 1 : 2)));
	if (v4) {
		REFUSED(EINVAL, open.key.local[4] = 1);
		REFUSED(EINVAL, open.key.remote[15] = 1);
		REFUSED(EINVAL, memset(open.key.remote, 0xff, 4));
	} else {
		/* a v4-mapped address; a link-local one without its link */
		REFUSED(EINVAL, memcpy(open.key.remote,
				       "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1",
				       16));
		REFUSED(EINVAL, memcpy(open.key.remote,
				       "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1",
				       16));
	}
	REFUSED(EADDRNOTAVAIL, memcpy(open.key.local,
				      v4 ? "\xc0\0\2\x63\0\0\0\0\0\0\0\0\0\0\0\0" :
				      "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x63",
				      16));
	EXPECT_EQ(-1, ioctl(peer->engine, THREEWAY_IOC_OPEN, (void *)8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, peer_flows(peer, NULL));
	expect_no_counters(peer);
}

TEST_F(wire, open_refuses_bad_policies)
{
	struct peer *peer = &self->peer;
	struct threeway_open open, good = pair(peer, 0, PORT_B);

	REFUSED(EINVAL, open.policy.set = THREEWAY_P_ALL + 1);
	REFUSED(EINVAL, open.policy.reserved[0] = 1);
	REFUSED(EINVAL, open.policy.reserved[3] = 1);
	REFUSED(EINVAL, open.policy.freeze = THREEWAY_FREEZE_REFUSE);
	REFUSED(EINVAL, open.policy.lifetime_ms = 5000);
	REFUSED(EINVAL, open.policy.delay_ms = 5);
	REFUSED(EINVAL, open.policy.lose = 1);
	REFUSED(EINVAL, open.policy.syn_retries = 1);
	POLICY(FREEZE, freeze, THREEWAY_FREEZE_REFUSE + 1);
	POLICY(LIFETIME, lifetime_ms, 999);
	POLICY(LIFETIME, lifetime_ms, 86400001);
	POLICY(DELAY, delay_ms, 600001);
	POLICY(SYN_RETRIES, syn_retries, 256);
	POLICY(SYNACK_RETRIES, synack_retries, 256);
	POLICY(SYN_LINEAR_TIMEOUTS, syn_linear_timeouts, 256);
	POLICY(RTO_INITIAL, rto_initial_ms, 99);
	POLICY(RTO_INITIAL, rto_initial_ms, 60001);
	POLICY(RTO_MAX, rto_max_ms, 999);
	POLICY(RTO_MAX, rto_max_ms, 120001);
	POLICY(BACKLOG, backlog, 0);
	POLICY(COOKIES, cookies, 3);
	POLICY(COOKIE_PATH, cookie_path, 2);
	POLICY(SYNACK_PATH, synack_path, 2);
	POLICY(SOURCE_RATE, source_rate, 65536);
	POLICY(SOURCE_BURST, source_burst, 0);
	POLICY(SOURCE_FLOWS, source_flows, 4096);
	POLICY(ISN, isn, 0);
	POLICY(ISN, isn, 4);
	POLICY(ISN, isn_fixed, 7);
	POLICY(SACK, sack, 2);
	POLICY(TIMESTAMPS, timestamps, 2);
	POLICY(WINDOW_SCALING, window_scaling, 2);
	POLICY(ECN, ecn, 2);
	EXPECT_EQ(0, peer_flows(peer, NULL));
	expect_no_counters(peer);
	/* And the good one is good. */
	EXPECT_EQ(0, try(peer, &good));
	expect_counters(peer, "flows_opened 1; sent_syn 1; segment_refused 1; "
			"flows_refused 1");
}

TEST_F(wire, open_refuses_what_is_taken_or_cannot_be_reached)
{
	struct peer *peer = &self->peer;
	struct threeway_open open = pair(peer, PORT_A, PORT_B);
	bool v4 = variant->family == AF_INET;
	int fd;

	open.policy.set = THREEWAY_P_LOSE;
	open.policy.lose = 0xffffffff;
	EXPECT_EQ(0, try(peer, &open));
	EXPECT_EQ(EADDRINUSE, try(peer, &open));
	expect_counters(peer, "flows_opened 1; segment_lost 1");
	/* A socket's tuple. */
	peer_flow(peer);
	fd = client_begin(peer);
	expect(peer, "S 0");
	open.key.local_port = htons(peer->header.dport);
	open.key.remote_port = htons(peer->header.sport);
	memcpy(open.key.local, &peer->header.dst, 16);
	memcpy(open.key.remote, &peer->header.src, 16);
	EXPECT_EQ(EADDRINUSE, try(peer, &open));
	/* the same, bound to its link */
	check(peer, !setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "tun0", 4),
	      "not bound");
	EXPECT_EQ(EADDRINUSE, try(peer, &open));
	close(fd);
	EXPECT_EQ(0, try(peer, &open));
	expect_counters(peer, "flows_opened 1; segment_lost 1");
	/* Routes say no. */
	run("ip -%c route add unreachable %s", v4 ? '4' : '6',
	    v4 ? "198.51.100.1/32" : "2001:db8:1::1/128");
	memset(open.key.local, 0, 16);
	memcpy(open.key.remote, v4 ?
	       "\xc6\x33\x64\1\0\0\0\0\0\0\0\0\0\0\0\0" :
	       "\x20\1\x0d\xb8\0\1\0\0\0\0\0\0\0\0\0\1", 16);
	EXPECT_EQ(EHOSTUNREACH, try(peer, &open));
	memcpy(open.key.remote, v4 ?
	       "\xc6\x33\x64\2\0\0\0\0\0\0\0\0\0\0\0\0" :
	       "\x20\1\x0d\xb8\0\1\0\0\0\0\0\0\0\0\0\2", 16);
	EXPECT_EQ(ENETUNREACH, try(peer, &open));
	expect_no_counters(peer);
}

TEST_F(wire, open_takes_a_free_port_of_the_range)
{
	struct peer *peer = &self->peer;
	struct threeway_open open;
	unsigned int i, seen = 0;
	__u16 port;

	sysctl_set("net/ipv4/ip_local_port_range", "40000 40007");
	sysctl_set("net/ipv4/ip_local_reserved_ports", "40002,40005-40006");
	for (i = 0; i < 5; i++) {
		open = pair(peer, 0, PORT_B);
		open.policy.set = THREEWAY_P_LOSE;
		open.policy.lose = 0xffffffff;
		EXPECT_EQ(0, threeway_open_flow(peer->engine, &open));
		port = ntohs(open.key.local_port);
		check(peer, port >= 40000 && port <= 40007, "port %u", port);
		seen |= 1U << (port - 40000);
	}
	EXPECT_EQ(0x9b, seen);
	open = pair(peer, 0, PORT_B);
	EXPECT_EQ(-EADDRNOTAVAIL, threeway_open_flow(peer->engine, &open));
	/* Another destination is another tuple. */
	open = pair(peer, 0, PORT_B + 1);
	open.policy.set = THREEWAY_P_LOSE;
	open.policy.lose = 0xffffffff;
	EXPECT_EQ(0, threeway_open_flow(peer->engine, &open));
	expect_counters(peer, "flows_opened 6; segment_lost 6");
}

/* However many next to each other are taken. */
TEST_F_TIMEOUT(wire, open_finds_the_last_port_of_a_large_range, 120)
{
	struct peer *peer = &self->peer;
	struct threeway_open open;
	unsigned int i, opened = 0;

	sysctl_set("net/ipv4/ip_local_port_range", "40000 42999");
	for (i = 0; i < 3000; i++) {
		open = pair(peer, 0, PORT_B);
		open.policy.set = THREEWAY_P_LOSE;
		open.policy.lose = 0xffffffff;
		opened += !threeway_open_flow(peer->engine, &open);
	}
	EXPECT_EQ(3000, opened);
	open = pair(peer, 0, PORT_B);
	EXPECT_EQ(-EADDRNOTAVAIL, threeway_open_flow(peer->engine, &open));
}

/* connect() to where a held flow is: the tuple is the socket's from then on. */
TEST_F(wire, CL7_connect_takes_the_tuple_of_a_held_flow)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_FREEZE,
		.freeze = THREEWAY_FREEZE_SYN_SENT,
	};
	struct peer *peer = &self->peer;
	struct threeway_open open;
	int fd;

	client_claim(peer, NULL);
	peer_flow(peer);
	fd = client_socket(peer);
	open = pair(peer, peer->header.dport, peer->header.sport);
	memcpy(open.key.local, &peer->header.dst, 16);
	memcpy(open.key.remote, &peer->header.src, 16);
	open.policy = policy;
	EXPECT_EQ(0, threeway_open_flow(peer->engine, &open));
	expect(peer, "S 0");
	peer->iss_known = false;
	EXPECT_EQ(EINPROGRESS, client_connect(peer, fd));
	expect(peer, "S 0");
	expect_counters(peer, "flows_opened 2; sent_syn 2; flows_native_owns 1");
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	client_exchange(peer, fd);
}

/* What only hold has, and what hold does not have. */
TEST_F(wire, claims_of_mode_hold_and_their_values)
{
	struct threeway_claim claim = {
		.family = AF_INET,
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HANDOFF,
		.port_first = 9,
		.port_last = 9,
	};
	struct peer *peer = &self->peer;
	const u32 bits[] = {
		THREEWAY_P_FREEZE, THREEWAY_P_LIFETIME, THREEWAY_P_DELAY,
		THREEWAY_P_LOSE
	};
	unsigned int i;

	claim.family = variant->family;
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		claim.policy.set = bits[i];
		claim.policy.lifetime_ms =
			bits[i] == THREEWAY_P_LIFETIME ? 5000 : 0;
		claim.mode = THREEWAY_HANDOFF;
		EXPECT_EQ(-EINVAL, threeway_claim_add(peer->engine, &claim));
		claim.mode = THREEWAY_OBSERVE;
		EXPECT_EQ(-EINVAL, threeway_claim_add(peer->engine, &claim));
		claim.mode = THREEWAY_HOLD;
		claim.direction = THREEWAY_ACTIVE;
		EXPECT_EQ(-EINVAL, threeway_claim_add(peer->engine, &claim));
		claim.direction = THREEWAY_PASSIVE;
		EXPECT_EQ(0, threeway_claim_add(peer->engine, &claim));
		EXPECT_EQ(0, threeway_claim_del(peer->engine, claim.id));
		claim.id = 0;
	}
}

TEST_HARNESS_MAIN
