// SPDX-License-Identifier: GPL-2.0
/*
 * The retransmission timer of SYN-SENT: when copies of the SYN go out, what they
 * look like, when connect() fails, and what the socket keeps of it (rules RT, TM,
 * ER1).
 */
#include <errno.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

/* A schedule: times of the copies in ms, the end of connect() behind them. */
struct schedule {
	u64 at_ms[16];
	unsigned int copies;
};

/* Timeouts that do not double, then those that do, up to a limit. */
static struct schedule schedule_of(u32 initial_ms, u32 max_ms,
				   unsigned int linear, unsigned int retries)
{
	struct schedule schedule = { .copies = linear + retries };
	u64 rto = initial_ms < max_ms ? initial_ms : max_ms, at = 0;
	unsigned int i;

	for (i = 0; i <= schedule.copies; i++) {
		at += rto;
		schedule.at_ms[i] = at;
		if (i >= linear)
			rto = 2 * rto < max_ms ? 2 * rto : max_ms;
	}
	return schedule;
}

/* Each copy at its time, ETIMEDOUT at its time, and no copy after it. */
static void expect_schedule(struct peer *peer, int fd,
			    const struct schedule *schedule)
{
	u64 end = peer->start_ms + schedule->at_ms[schedule->copies];
	unsigned int i;

	for (i = 0; i < schedule->copies; i++) {
		if (!expect_at(peer, schedule->at_ms[i], "S 0"))
			return;
	}
	if (now_ms() < end - PEER_TOLERANCE_MS)
		expect_silence_ms(peer, end - PEER_TOLERANCE_MS - now_ms());
	expect_connecting(peer, fd);
	expect_state(peer, THREEWAY_SYN_SENT);
	expect_silence_ms(peer, 2 * PEER_TOLERANCE_MS);
	expect_failed(peer, fd, ETIMEDOUT);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "flows_opened 1; sent_syn 1; sent_syn_timer %u; "
			"flows_timed_out 1", schedule->copies);
	expect_silence_ms(peer, 2 * schedule->at_ms[0]);
	close(fd);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, "R 1 win 0 <>");
}

TEST_F_TIMEOUT(wire, RT1_RT18_copies_at_1_3_7_15_31_63_s_fails_at_127_s, 600)
{
	static const struct schedule schedule = {
		.at_ms = { 1000, 3000, 7000, 15000, 31000, 63000, 127000 },
		.copies = 6,
	};
	struct peer *peer = &self->peer;

	client_claim(peer, NULL);
	expect_schedule(peer, client_open(peer), &schedule);
}

TEST_F_TIMEOUT(wire, RT2_linear_timeouts_1_2_3_4_5_7_11_19_35_67_s, 600)
{
	static const struct schedule schedule = {
		.at_ms = { 1000, 2000, 3000, 4000, 5000, 7000, 11000, 19000,
			   35000, 67000, 131000 },
		.copies = 10,
	};
	struct threeway_policy policy = {
		.set = THREEWAY_P_SYN_LINEAR_TIMEOUTS,
		.syn_linear_timeouts = 4,
	};
	struct peer *peer = &self->peer;

	client_claim(peer, &policy);
	expect_schedule(peer, client_open(peer), &schedule);
	client_reclaim(peer, NULL);
	sysctl_set("net/threeway/syn_linear_timeouts", "4");
	expect_schedule(peer, client_open(peer), &schedule);
}

TEST_F_TIMEOUT(wire, RT3_RT4_syn_retries_of_the_claim_and_the_cap, 8000)
{
	static const unsigned int retries[] = { 0, 1, 2, 5, 7, 10 };
	struct threeway_policy policy = { .set = THREEWAY_P_SYN_RETRIES };
	struct peer *peer = &self->peer;
	struct schedule schedule;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(retries); i++) {
		policy.syn_retries = retries[i];
		client_reclaim(peer, &policy);
		schedule = schedule_of(1000, 120000, 0, retries[i]);
		expect_schedule(peer, client_open(peer), &schedule);
	}
}

TEST_F_TIMEOUT(wire, RT1_rto_initial_ms_and_rto_max_ms, 8000)
{
	static const struct {
		u32 initial_ms, max_ms;
	} rtos[] = {
		{ 100, 120000 }, { 100, 1000 }, { 250, 1500 }, { 3000, 5000 },
		{ 10000, 120000 }, { 60000, 1000 },
	};
	struct threeway_policy policy = {
		.set = THREEWAY_P_RTO_INITIAL | THREEWAY_P_RTO_MAX |
		       THREEWAY_P_SYN_RETRIES,
		.syn_retries = 4,
	};
	struct peer *peer = &self->peer;
	struct schedule schedule;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rtos); i++) {
		policy.rto_initial_ms = rtos[i].initial_ms;
		policy.rto_max_ms = rtos[i].max_ms;
		client_reclaim(peer, &policy);
		schedule = schedule_of(rtos[i].initial_ms, rtos[i].max_ms, 0, 4);
		expect_schedule(peer, client_open(peer), &schedule);
	}
}

static void set_int(struct peer *peer, int fd, int option, int value)
{
	check(peer, !setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value)),
	      "setsockopt(%d)", option);
}

/* TCP_SYNCNT, then what others have to say. */
static int open_with(struct peer *peer, int option, int value)
{
	int fd;

	peer_flow(peer);
	fd = client_socket(peer);
	set_int(peer, fd, option, value);
	peer->start_ms = now_ms();
	client_connect(peer, fd);
	expect(peer, "S 0");
	return fd;
}

TEST_F_TIMEOUT(wire, RT5_TCP_SYNCNT_but_for_a_claim_that_says_otherwise, 600)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_SYN_RETRIES,
		.syn_retries = 1,
	};
	struct schedule two = schedule_of(1000, 120000, 0, 2);
	struct schedule one = schedule_of(1000, 120000, 0, 1);
	struct peer *peer = &self->peer;

	client_claim(peer, NULL);
	sysctl_set("net/threeway/syn_retries", "1");
	expect_schedule(peer, open_with(peer, TCP_SYNCNT, 2), &two);
	expect_schedule(peer, client_open(peer), &one);
	/* The native sysctl counts as long as ours has not been touched. */
	sysctl_set("net/threeway/syn_retries", "6");
	sysctl_set("net/ipv4/tcp_syn_retries", "2");
	expect_schedule(peer, client_open(peer), &two);
	client_reclaim(peer, &policy);
	expect_schedule(peer, open_with(peer, TCP_SYNCNT, 2), &one);
}

static void user_timeout_script(struct peer *peer, const void *arg)
{
	const int *timeout_ms = arg;
	int fd;

	client_claim(peer, NULL);
	fd = open_with(peer, TCP_USER_TIMEOUT, *timeout_ms);
	peer_watch(peer, *timeout_ms - *timeout_ms / 10);
	client_note(peer, fd);
	peer_watch(peer, *timeout_ms + *timeout_ms / 10);
	client_note(peer, fd);
	peer_watch(peer, 3 * *timeout_ms);
	close(fd);
}

TEST_F_TIMEOUT(wire, TM1_TCP_USER_TIMEOUT_as_native, 600)
{
	static const int timeouts_ms[] = { 2500, 5000, 40000 };
	struct peer *peer = &self->peer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(timeouts_ms); i++) {
		same_as_native(peer, user_timeout_script, &timeouts_ms[i]);
		EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_opened));
		EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_timed_out));
	}
}

/* No word of the copies may differ but TSval, checksums and IP ID. */
TEST_F_TIMEOUT(wire, RT12_RT13_IS7_WI3_copies_are_the_SYN_with_a_new_TSval, 600)
{
	const unsigned int header = variant->family == AF_INET ? 20 : 40;
	struct peer *peer = &self->peer;
	u8 first[128], copy[128];
	u32 tsval, first_tsval;
	unsigned int i;
	u64 first_ms;
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	first_ms = peer->at_ms;
	first_tsval = peer->tsval;
	tsval = first_tsval;
	ASSERT_EQ(header + 40, peer->raw_len);
	memcpy(first, peer->raw, peer->raw_len);
	for (i = 1; i <= 6; i++) {
		/* Not these either, though a new connection would see them. */
		if (i == 3) {
			sysctl_set("net/ipv4/tcp_rmem", "4096 8192 16384");
			sysctl_set("net/ipv4/tcp_sack", "0");
			sysctl_set("net/threeway/isn", "2");
		}
		expect_at(peer, (1000 << i) - 1000, "S 0");
		check(peer, (int)(peer->tsval - tsval) > 0 &&
		      peer->tsval - first_tsval + 2 * peer_patience() >
		      peer->at_ms - first_ms &&
		      peer->tsval - first_tsval <
		      peer->at_ms - first_ms + 2 * peer_patience(),
		      "TSval %u after %u ms", peer->tsval - first_tsval,
		      (unsigned int)(peer->at_ms - first_ms));
		tsval = peer->tsval;
		ASSERT_EQ(header + 40, peer->raw_len);
		memcpy(copy, peer->raw, peer->raw_len);
		/* Identification and checksum, or flow label; checksum; TSval */
		if (header == 20) {
			memcpy(copy + 4, first + 4, 2);
			memcpy(copy + 10, first + 10, 2);
		} else {
			memcpy(copy + 1, first + 1, 3);
		}
		memcpy(copy + header + 16, first + header + 16, 2);
		memcpy(copy + header + 28, first + header + 28, 4);
		check(peer, !memcmp(first, copy, peer->raw_len),
		      "copy %u is another SYN", i);
	}
	expect_counters(peer, "flows_opened 1; sent_syn 1; sent_syn_timer 6");
	client_close(peer, fd);
}

/* A full queue of the host itself, for a while, or until connect() has failed. */
static void congested_script(struct peer *peer, const void *arg)
{
	const bool *for_ever = arg;
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	run("tc qdisc replace dev tun0 root bfifo limit 1");
	peer_watch(peer, 1200);
	client_note(peer, fd);
	if (*for_ever)
		peer_watch(peer, 3800);
	else
		run("tc qdisc del dev tun0 root");
	client_note(peer, fd);
	peer_watch(peer, *for_ever ? 4400 : 8000);
	client_note(peer, fd);
	client_close(peer, fd);
}

TEST_F_TIMEOUT(wire, RT16_a_copy_that_a_full_queue_drops_as_native, 60)
{
	static const bool for_ever[] = { false, true };
	struct peer *peer = &self->peer;

	same_as_native(peer, congested_script, &for_ever[0]);
	expect_counters(peer, "flows_opened 1; sent_syn 1; sent_syn_timer 4; "
			"send_failed 1");
	same_as_native(peer, congested_script, &for_ever[1]);
	expect_counters(peer, "flows_opened 1; sent_syn 1; sent_syn_timer 6; "
			"send_failed 6; flows_timed_out 1");
}

TEST_F(wire, RT15_flow_label_changes_with_each_timeout)
{
	struct peer *peer = &self->peer;
	u32 label;
	int fd;

	if (variant->family == AF_INET)
		return;
	client_claim(peer, NULL);
	fd = client_open(peer);
	label = peer->latest.flow_label;
	EXPECT_NE(0, label);
	expect_at(peer, 1000, "S 0");
	EXPECT_NE(label, peer->latest.flow_label);
	EXPECT_NE(0, peer->latest.flow_label);
	client_close(peer, fd);
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_sent_syn_timer));
}

/* The answer to the SYN or to its nth copy, and which of them it echoes. */
struct answer {
	unsigned int lost;
	bool stamps;
	bool first_tsval;
};

static void lost_script(struct peer *peer, const void *arg)
{
	const struct answer *answer = arg;
	unsigned int i;
	u32 first;
	int fd;
	u64 at;

	client_claim(peer, NULL);
	fd = client_open(peer);
	first = peer->tsval;
	for (i = 0; i < answer->lost; i++)
		peer_receive(peer, (2000 << i));
	/* Native's timer may be late. */
	at = peer->at_ms - peer->start_ms + 100;
	peer_watch(peer, at);
	client_note(peer, fd);
	if (!answer->stamps)
		peer_send(peer, "S. 0 ack 1 <mss 1460,sackOK>");
	else
		peer_send(peer, "S. 0 ack 1 <mss 1460,sackOK,TS val 5000 ecr %u>",
			  answer->first_tsval ? first : peer->tsval);
	peer_watch(peer, at + 50);
	client_note(peer, fd);
	send(fd, "hello", 5, 0);
	/* It is lost: when does it come again? */
	peer_watch(peer, at + 8000);
	peer_note(peer, "state %u", client_state(fd));
	client_close(peer, fd);
}

TEST_F_TIMEOUT(wire, RT8_RT9_RT10_RT11_HO11_after_lost_SYNs_as_native, 600)
{
	struct peer *peer = &self->peer;
	struct answer answer;

	for (answer.lost = 0; answer.lost < 4; answer.lost++) {
		answer.stamps = false;
		answer.first_tsval = false;
		same_as_native(peer, lost_script, &answer);
		expect_counters(peer, "flows_opened 1; sent_syn 1; "
				"sent_syn_timer %u; flows_handed_over 1",
				answer.lost);
		answer.stamps = true;
		same_as_native(peer, lost_script, &answer);
		answer.first_tsval = true;
		same_as_native(peer, lost_script, &answer);
	}
}

/* Around the moment of the first timeout, before it and after it. */
TEST_F_TIMEOUT(wire, RT17_no_copy_after_the_SYN_ACK, 600)
{
	struct peer *peer = &self->peer;
	unsigned int i, copies = 0;
	int fd;

	client_claim(peer, NULL);
	for (i = 0; i < 60; i++) {
		fd = client_open(peer);
		sleep_until_ms(peer->start_ms + 985 + i / 2);
		peer_send(peer, "S. 0 ack 1 <mss 1460>");
		/* A copy that left before it may still lie in the device. */
		peer_receive(peer, PEER_ANSWER_MS);
		if (peer->latest.flags == FLAG_SYN) {
			copies++;
			peer_receive(peer, PEER_ANSWER_MS);
		}
		check(peer, peer->latest.flags == FLAG_ACK, "no ACK");
		expect_silence_ms(peer, 2500);
		expect_connected(peer, fd);
		client_close(peer, fd);
	}
	check(peer, copies > 5 && copies < 55, "%u copies", copies);
	expect_counters(peer, "flows_opened 60; sent_syn 60; "
			"sent_syn_timer %u; flows_handed_over 60", copies);
}

/* Whoever takes the flow away leaves a socket that goes on by itself. */
TEST_F(wire, LC4_a_killed_flow_s_socket_goes_on_as_native)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_RTO_INITIAL,
		.rto_initial_ms = 3000,
	};
	struct peer *peer = &self->peer;
	struct threeway_flow flow;
	unsigned int i;
	u64 ms;
	int fd;

	client_claim(peer, &policy);
	fd = client_open(peer);
	expect_at(peer, 3000, "S 0");
	peer_flows(peer, &flow);
	EXPECT_EQ(1, flow.retransmits);
	EXPECT_EQ(0, threeway_flow_del(peer->engine, flow.id, &flow.key));
	expect_connecting(peer, fd);
	/*
	 * When the engine would have sent it, and native's timer is late; then by
	 * native's own timeouts.
	 */
	for (i = 0; i < 2; i++) {
		ms = now_ms();
		ASSERT_TRUE(peer_receive(peer, 8000));
		EXPECT_EQ(FLAG_SYN, peer->latest.flags);
		check(peer, peer->at_ms - ms > (i ? 3900 : 5900) &&
		      peer->at_ms - ms < (i ? 4600 : 6800), "after %llu ms",
		      (unsigned long long)(peer->at_ms - ms));
	}
	expect_counters(peer, "flows_opened 1; sent_syn 1; sent_syn_timer 1; "
			"flows_killed 1; native_busy_socket 2");
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	client_exchange(peer, fd);
	expect_no_counters(peer);
}

TEST_HARNESS_MAIN
