// SPDX-License-Identifier: GPL-2.0
/*
 * Initial sequence numbers: their clock, their distribution, and that a tuple's
 * numbers grow whoever did its last handshake (rules IS, TW).
 */
#include <stdio.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

/* One tick of the ISN clock. */
#define TICK_NS		64

static u64 clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* A SYN of the present tuple, whose SYN-ACK is answered by a RST. */
static bool probe(struct peer *peer)
{
	peer->iss_known = false;
	if (!peer_syn(peer, "mss 1460"))
		return false;
	peer_send(peer, "R 1");
	return true;
}

/* A number, and between which times the kernel has made it. */
struct sample {
	u32 iss;
	u64 from_ns;
	u64 to_ns;
};

static bool sample(struct peer *peer, clockid_t clock, struct sample *sample)
{
	bool answered;

	sample->from_ns = clock_ns(clock);
	answered = probe(peer);
	sample->to_ns = clock_ns(clock);
	sample->iss = peer->iss;
	return answered;
}

/* Whether it is the ISN clock that has gone on from one to the other. */
static void check_ticks(struct peer *peer, const struct sample *a,
			const struct sample *b)
{
	u64 min = (b->from_ns - a->to_ns) / TICK_NS;
	u64 max = (b->to_ns - a->from_ns) / TICK_NS + 1;
	u32 ticks = b->iss - a->iss;

	check(peer, ticks >= min && ticks <= max, "%u ticks, not %llu to %llu",
	      ticks, (unsigned long long)min, (unsigned long long)max);
}

TEST_F(wire, IS1_IS8_clock_ticks_every_64_ns)
{
	struct peer *peer = &self->peer;
	struct sample last, next;
	int i;

	peer_serve(peer, NULL);
	for (i = 0; i < 10; i++) {
		ASSERT_TRUE(sample(peer, CLOCK_BOOTTIME, &next));
		if (i)
			check_ticks(peer, &last, &next);
		last = next;
		sleep_ms(1000);
	}
	expect_counters(peer, "flows_opened 10; sent_synack 10; "
			"segment_rst_exact 10; flows_reset 10");
}

/* 255 degrees of freedom: 255 on average, with a deviation of 23. */
static double chi_square(const u32 *values, unsigned int count,
			 unsigned int shift)
{
	unsigned int bins[256] = { 0 };
	double expected = count / 256.0, sum = 0;
	unsigned int i;

	for (i = 0; i < count; i++)
		bins[values[i] >> shift & 0xff]++;
	for (i = 0; i < 256; i++)
		sum += (bins[i] - expected) * (bins[i] - expected) / expected;
	return sum;
}

#define TUPLES	4096

TEST_F_TIMEOUT(wire, IS2_numbers_of_tuples_have_nothing_in_common, 120)
{
	static u32 hash[TUPLES], difference[TUPLES];
	struct peer *peer = &self->peer;
	unsigned int i, shift;
	double chi;

	peer_serve(peer, NULL);
	for (i = 0; i < TUPLES; i++) {
		/* Every other time the address changes as well. */
		peer_flow(peer);
		peer->header.src.octet[variant->family == AF_INET ? 3 : 15] =
			2 + i % 2;
		ASSERT_TRUE(probe(peer));
		/* What is left without the clock. */
		hash[i] = peer->iss -
			  (u32)(clock_ns(CLOCK_BOOTTIME) / TICK_NS);
		difference[i] = hash[i] - (i ? hash[i - 1] : 0);
	}
	/* The low bits are those of the moment, the rest is the hash's. */
	for (shift = 16; shift <= 24; shift += 8) {
		chi = chi_square(hash, TUPLES, shift);
		check(peer, chi > 150 && chi < 400,
		      "chi-square of the numbers from bit %u: %d", shift,
		      (int)chi);
		chi = chi_square(difference, TUPLES, shift);
		check(peer, chi > 150 && chi < 400,
		      "chi-square of their differences from bit %u: %d", shift,
		      (int)chi);
	}
	for (shift = 0; shift < 16; shift += 8) {
		for (i = 0; i < TUPLES; i++)
			difference[i] = hash[i];
		chi = chi_square(difference, TUPLES, shift);
		check(peer, chi > 150 && chi < 400,
		      "chi-square of the numbers from bit %u: %d", shift,
		      (int)chi);
	}
	EXPECT_EQ(TUPLES, peer_counter(peer, THREEWAY_C_flows_opened));
}

TEST_F(wire, IS3_each_namespace_has_its_own_secret)
{
	struct peer *peer = &self->peer;
	u32 iss[3];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		peer_close(peer);
		ASSERT_EQ(NULL, peer_open(peer, variant->family, true));
		peer_serve(peer, NULL);
		ASSERT_TRUE(probe(peer));
		iss[i] = peer->iss - (u32)(clock_ns(CLOCK_BOOTTIME) / TICK_NS);
		EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_opened));
	}
	EXPECT_LT(1U << 16, iss[0] - iss[1] + (1U << 15));
	EXPECT_LT(1U << 16, iss[1] - iss[2] + (1U << 15));
	EXPECT_LT(1U << 16, iss[0] - iss[2] + (1U << 15));
}

TEST_F(wire, IS7_the_number_stays_while_the_flow_lives)
{
	struct peer *peer = &self->peer;
	unsigned int i;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	for (i = 0; i < 4; i++) {
		/* expect() compares with the first SYN-ACK's. */
		sleep_ms(600);
		peer_send(peer, "S 0 <mss 1460>");
		expect(peer, "S. 0 ack 1");
	}
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_sent_synack_duplicate));
	sysctl_set("net/threeway/isn", "2");
	sleep_ms(600);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1");
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_opened));
}

static void step_clock(struct peer *peer, int seconds)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	now.tv_sec += seconds;
	check(peer, !settimeofday(&now, NULL), "settimeofday()");
}

TEST_F(wire, IS9_setting_the_clock_back_does_not_matter)
{
	struct peer *peer = &self->peer;
	struct sample before, after;

	peer_serve(peer, NULL);
	ASSERT_TRUE(sample(peer, CLOCK_BOOTTIME, &before));
	step_clock(peer, -3600);
	sleep_ms(10);
	check(peer, sample(peer, CLOCK_BOOTTIME, &after), "no SYN-ACK");
	step_clock(peer, 3600);
	check_ticks(peer, &before, &after);
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_opened));
}

/* Claim the port with that source of numbers, or leave it to native. */
static void set_isn(struct peer *peer, enum threeway_isn isn)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_ISN,
		.isn = isn,
	};

	if (peer->claim)
		check(peer, !threeway_claim_del(peer->engine, peer->claim),
		      "cannot delete the claim");
	peer->claim = 0;
	if (isn)
		peer_claim(peer, &policy);
}

TEST_F(wire, IS5_kernel_numbers_are_those_of_native)
{
	struct peer *peer = &self->peer;
	struct sample last, next;
	u32 error;
	int i;

	peer_listen(peer, 16);
	for (i = 0; i < 10; i++) {
		set_isn(peer, i % 2 ? THREEWAY_ISN_KERNEL : 0);
		ASSERT_TRUE(sample(peer, CLOCK_REALTIME, &next));
		if (i)
			check_ticks(peer, &last, &next);
		last = next;
		sleep_ms(100);
	}
	EXPECT_EQ(5, peer_counter(peer, THREEWAY_C_flows_opened));
	/* The namespace's own setting does the same. */
	sysctl_set("net/threeway/isn", "2");
	set_isn(peer, 0);
	peer_claim(peer, NULL);
	ASSERT_TRUE(sample(peer, CLOCK_REALTIME, &next));
	check_ticks(peer, &last, &next);
	EXPECT_EQ(6, peer_counter(peer, THREEWAY_C_flows_opened));
	/* The engine's own are others. */
	sysctl_set("net/threeway/isn", "1");
	last = next;
	ASSERT_TRUE(sample(peer, CLOCK_REALTIME, &next));
	error = next.iss - last.iss - (next.from_ns - last.from_ns) / TICK_NS;
	EXPECT_LT(1U << 16, error + (1U << 15));
}

/* The connection's end: the server closes first and keeps TIME-WAIT. */
static void close_first(struct peer *peer, int fd, const char *ts)
{
	close(fd);
	expect(peer, "F. 1 ack 1");
	peer_send(peer, "F. 1 ack 2 %s", ts);
	expect(peer, ". 2 ack 2");
}

/* One connection on the tuple, from SYN to TIME-WAIT; data in between. */
static bool one_connection(struct peer *peer, const char *options)
{
	int fd;

	peer->iss_known = false;
	if (!peer_syn(peer, options))
		return false;
	peer_send(peer, "P. 1(5) ack 1");
	expect(peer, ". 1 ack 6");
	fd = expect_accept(peer);
	expect_stream(peer, fd, 1, 5);
	peer->irs += 5;
	close_first(peer, fd, "");
	/* Where the next one's sequence numbers may begin. */
	peer->irs += 3;
	return true;
}

/* From the last SND.NXT of a connection whose number was iss. */
static u32 beyond(const struct peer *peer, u32 iss)
{
	return peer->iss - (iss + 2);
}

TEST_F_TIMEOUT(wire, IS4_TW1_TW7_one_tuple_again_and_again, 120)
{
	struct peer *peer = &self->peer;
	unsigned int i;
	u32 iss = 0;

	peer_serve(peer, NULL);
	for (i = 0; i < 200; i++) {
		peer_label(peer, "connection %u", i);
		if (!one_connection(peer, i % 3 ? "mss 1460" : SYN_OPTIONS))
			break;
		if (i)
			check(peer, beyond(peer, iss) == 65537,
			      "iss is %u beyond the last SND.NXT",
			      beyond(peer, iss));
		iss = peer->iss;
	}
	expect_counters(peer, "flows_opened 200; sent_synack 200; "
			"flows_handed_over 200");
}

/*
 * Native does not look at TIME-WAIT for its number (it forgets what it had
 * chosen), so after the engine's step it needs 4 ms to be ahead again.
 */
TEST_F_TIMEOUT(wire, IS5_engine_and_native_take_turns_on_a_tuple, 120)
{
	struct peer *peer = &self->peer;
	unsigned int i;
	u32 iss = 0;

	peer_listen(peer, 16);
	for (i = 0; i < 40; i++) {
		peer_label(peer, "connection %u", i);
		/* The second half has nothing in common with native's. */
		set_isn(peer, i % 2 ? 0 : i < 20 ? THREEWAY_ISN_KERNEL :
						   THREEWAY_ISN_ENGINE);
		sleep_ms(20);
		if (!one_connection(peer, "mss 1460"))
			break;
		if (i && i < 20)
			check(peer, (int)beyond(peer, iss) > 0,
			      "iss is %d beyond the last SND.NXT",
			      (int)beyond(peer, iss));
		iss = peer->iss;
	}
	expect_counters(peer, "flows_opened 20; sent_synack 20; "
			"flows_handed_over 20");
}

TEST_F(wire, TW1_IS10_number_0_becomes_1)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_ISN,
		.isn = THREEWAY_ISN_FIXED,
		.isn_fixed = -(65537 + 2),
	};
	struct peer *peer = &self->peer;

	peer_serve(peer, &policy);
	peer_syn(peer, "mss 1460");
	EXPECT_EQ(policy.isn_fixed, peer->iss);
	peer_send(peer, ". 1 ack 1");
	close_first(peer, expect_accept(peer), "");
	set_isn(peer, THREEWAY_ISN_ENGINE);
	peer->irs += 1000;
	peer->iss_known = false;
	peer_syn(peer, "mss 1460");
	EXPECT_EQ(1, peer->iss);
	expect_counters(peer, "flows_opened 2; sent_synack 2; "
			"flows_handed_over 1");
}

/* Whether the last connection had timestamps, and the namespace still has. */
struct stamps {
	bool before;
	bool now;
};

/* Which SYNs end TIME-WAIT: SEG.SEQ from our last RCV.NXT, and TSval. */
static void time_wait_script(struct peer *peer, const void *arg)
{
	static const int seqs[] = { -100, -1, 0, 1, 100, 0x40000000 };
	static const char * const stamps[] = {
		"", "TS val 1000 ecr 0", "TS val 2000 ecr 0",
		"TS val 2001 ecr 0",
	};
	const struct stamps *stamped = arg;
	bool with_ts = stamped->before;
	unsigned int i;
	u32 iss;
	int fd;

	peer_serve(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(seqs) * ARRAY_SIZE(stamps); i++) {
		const char *ts = with_ts ?
				 "<nop,nop,TS val 2000 ecr ^>" : "";

		peer_flow(peer);
		peer_label(peer, "seq %d, %s%s%s", seqs[i / 4], stamps[i % 4],
			   with_ts ? " (timestamps before)" : "",
			   stamped->now ? "" : " (none now)");
		sysctl_set("net/ipv4/tcp_timestamps", "1");
		peer_syn(peer, with_ts ? SYN_OPTIONS : "mss 1460");
		peer_send(peer, ". 1 ack 1 %s", ts);
		fd = expect_accept(peer);
		close_first(peer, fd, ts);
		/* TS.Recent must be older than a second for some rules */
		sleep_ms(1500);
		sysctl_set("net/ipv4/tcp_timestamps", "%d", stamped->now);
		iss = peer->iss;
		peer->iss_known = false;
		peer_send(peer, "S %d <%s>", 2 + seqs[i / 4], stamps[i % 4]);
		if (!peer_receive(peer, 300))
			continue;
		if (!(peer->latest.flags & FLAG_SYN)) {
			/* TIME-WAIT goes on: what else comes is answered */
			peer_send(peer, "P. 2(3) ack 2 %s", ts);
			peer_watch(peer, 3000);
			peer_send(peer, "F. 1 ack 2 %s", ts);
			peer_watch(peer, 3200);
			continue;
		}
		check(peer, peer->engine < 0 || peer->iss == iss + 2 + 65537,
		      "iss is %u beyond the last SND.NXT",
		      peer->iss - iss - 2);
		peer->irs += 2 + seqs[i / 4];
		peer_send(peer, "P. 1(4) ack 1");
		peer_watch(peer, 3000);
		fd = expect_accept(peer);
		peer_note_info(peer, fd);
		close(fd);
		peer_watch(peer, 3100);
		peer_send(peer, "R 5 ack 2");
	}
}

TEST_F_TIMEOUT(wire, TW1_TW2_RS8_which_SYN_ends_TIME_WAIT_as_native, 600)
{
	static const struct stamps stamps[] = {
		{ .now = true }, { .before = true, .now = true },
		{ .before = true },
	};
	struct peer *peer = &self->peer;
	u64 opened, refused;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(stamps); i++) {
		same_as_native(peer, time_wait_script, &stamps[i]);
		opened = peer_counter(peer, THREEWAY_C_flows_opened);
		refused = peer_counter(peer, THREEWAY_C_native_time_wait);
		EXPECT_EQ(48, opened + refused);
		EXPECT_LT(24, opened);
		EXPECT_LT(0, refused);
		EXPECT_EQ(opened, peer_counter(peer,
					       THREEWAY_C_flows_handed_over));
	}
}

/* The other states a connection can be in when a SYN of its tuple comes. */
static void owned_script(struct peer *peer, const void *arg)
{
	static const char * const states[] = {
		"ESTABLISHED", "CLOSE-WAIT", "FIN-WAIT-1", "FIN-WAIT-2",
		"LAST-ACK", "CLOSING", "FIN-WAIT-2, closed",
	};
	unsigned int i;
	int fd;

	peer_serve(peer, arg);
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		peer_flow(peer);
		peer_label(peer, "%s", states[i]);
		peer_syn(peer, "mss 1460");
		peer_send(peer, ". 1 ack 1");
		fd = expect_accept(peer);
		if (i == 1 || i == 4) {
			peer_send(peer, "F. 1 ack 1");
			peer_watch(peer, 100);
		}
		if (i == 6) {
			close(fd);
			fd = -1;
		} else if (i > 1) {
			shutdown(fd, SHUT_WR);
		}
		if (i > 1)
			peer_watch(peer, 150);
		if (i == 3 || i == 6)
			peer_send(peer, ". 1 ack 2");
		if (i == 5)
			peer_send(peer, "F. 1 ack 1");
		peer_watch(peer, 200);
		peer_send(peer, "S 5000 <mss 1000>");
		peer_watch(peer, 300);
		/* the RST has ended what was left of the closed one */
		if (i != 6)
			peer_send(peer, "S 0 <mss 1000>");
		peer_watch(peer, 1000);
		peer_send(peer, "R 1");
		peer_send(peer, "R 2");
		peer_watch(peer, 1100);
		close(fd);
	}
}

TEST_F_TIMEOUT(wire, CL7_a_native_socket_answers_for_its_tuple, 60)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, owned_script, NULL);
	EXPECT_EQ(7, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(7, peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_sent_ack));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_sent_rst));
}

TEST_F(wire, TW6_a_flow_that_never_was_established_leaves_nothing)
{
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	ASSERT_TRUE(probe(peer));
	/* An older sequence number, at once. */
	peer->irs -= 100000;
	ASSERT_TRUE(probe(peer));
	expect_counters(peer, "flows_opened 2; sent_synack 2; "
			"segment_rst_exact 2; flows_reset 2");
}

TEST_HARNESS_MAIN
