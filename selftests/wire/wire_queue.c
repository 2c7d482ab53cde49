// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners that will not have the connection yet: TCP_DEFER_ACCEPT and full
 * accept queues (rules SR25, SR26, HO20, LM2, TM8).
 */
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "wire.h"

static void defer_accept(struct peer *peer, int seconds)
{
	check(peer, !setsockopt(peer->listener, IPPROTO_TCP, TCP_DEFER_ACCEPT,
				&seconds, sizeof(seconds)), "DEFER_ACCEPT");
}

static bool note_accept(struct peer *peer)
{
	char data[64];
	int fd = accept(peer->listener, NULL, NULL);

	peer_note(peer, "accept %s, data %zd", fd < 0 ? "no" : "yes",
		  recv(fd, data, sizeof(data), MSG_DONTWAIT));
	close(fd);
	return fd >= 0;
}

/**
 * struct defer - how a client treats a listener that waits for data
 * @seconds:	TCP_DEFER_ACCEPT
 * @ack_ms:	when its bare ACK comes, 0 for never
 * @answer:	it answers SYN-ACK copies by bare ACKs
 * @data_ms:	when its data come, 0 for never
 */
struct defer {
	int seconds;
	unsigned int ack_ms;
	bool answer;
	unsigned int data_ms;
};

static void defer_script(struct peer *peer, const void *arg)
{
	const struct defer *defer = arg;
	u64 end;

	peer_serve(peer, NULL);
	defer_accept(peer, defer->seconds);
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	if (defer->ack_ms) {
		peer_watch(peer, defer->ack_ms);
		peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
		if (note_accept(peer))
			return;
	}
	if (defer->data_ms) {
		peer_watch(peer, defer->data_ms);
		peer_send(peer, "P. 1(10) ack 1 <nop,nop,TS val 1002 ecr ^>");
		peer_watch(peer, defer->data_ms + 100);
		note_accept(peer);
		return;
	}
	/* Beyond the last timeout of either kind. */
	end = peer->start_ms + (defer->seconds > 31 ? 140000 : 70000);
	while (now_ms() < end && peer_receive(peer, end - now_ms())) {
		if (!defer->answer)
			continue;
		peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1003 ecr ^>");
		if (note_accept(peer))
			return;
	}
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1004 ecr ^>");
	peer_watch(peer, now_ms() - peer->start_ms + 1000);
	note_accept(peer);
}

TEST_F_TIMEOUT(wire, SR25_TM8_deferred_accept_as_native, 4000)
{
	static const struct defer cases[] = {
		{ .seconds = 1, .ack_ms = 1 },
		{ .seconds = 1, .ack_ms = 1, .answer = true },
		{ .seconds = 2, .ack_ms = 1, .answer = true },
		{ .seconds = 5, .ack_ms = 1 },
		{ .seconds = 5, .ack_ms = 1, .answer = true },
		{ .seconds = 5, .ack_ms = 1500, .answer = true },
		{ .seconds = 5, .ack_ms = 4000 },
		{ .seconds = 5, .ack_ms = 8000 },
		{ .seconds = 5, .ack_ms = 1, .data_ms = 2000 },
		{ .seconds = 5, .data_ms = 1 },
		{ .seconds = 5, .data_ms = 4000 },
		{ .seconds = 5 },
		{ .seconds = 100, .ack_ms = 1 },
		{ .seconds = 100, .ack_ms = 1, .data_ms = 70000 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (!same_as_native(&self->peer, defer_script, &cases[i]))
			TH_LOG("case %u", i);
		EXPECT_EQ(1, peer_counter(&self->peer,
					  THREEWAY_C_flows_opened));
	}
}

TEST_F_TIMEOUT(wire, SR25_bare_ACK_waits_and_the_last_copy_asks_again, 120)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;

	peer_serve(peer, NULL);
	/* Three timeouts: 1, 2 and 4 seconds. */
	defer_accept(peer, 5);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	peer_send(peer, ". 1 ack 1");
	expect_silence(peer);
	expect_no_accept(peer);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "segment_deferred 1");
	peer_flows(peer, &flow);
	EXPECT_EQ(THREEWAY_F_ACKED, flow.flags);
	expect_at(peer, 7000, "S. 0 ack 1");
	expect_no_accept(peer);
	peer_send(peer, ". 1 ack 1");
	expect_silence(peer);
	close(expect_accept(peer));
	expect_counters(peer, "sent_synack_timer 1; flows_handed_over 1");
}

TEST_F(wire, SR25_data_complete_at_once)
{
	struct peer *peer = &self->peer;
	int fd;

	peer_serve(peer, NULL);
	defer_accept(peer, 5);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	peer_send(peer, ". 1 ack 1");
	expect_silence_ms(peer, 2000);
	peer_send(peer, "P. 1(10) ack 1");
	expect(peer, ". 1 ack 11");
	fd = expect_accept(peer);
	expect_stream(peer, fd, 1, 10);
	close(fd);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "segment_deferred 1; flows_handed_over 1");
}

/*
 * Two connections fill a queue of backlog 1, then a third one would complete,
 * whose SYN came first.
 */
static void fill_queue(struct peer *peer, const char *counters)
{
	struct flow third;
	unsigned int i;

	peer_listen(peer, 1);
	peer_claim(peer, NULL);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	third = peer_park(peer);
	for (i = 0; i < 2; i++) {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
		peer_send(peer, ". 1 ack 1");
		expect_silence_ms(peer, 10);
	}
	expect_counters(peer, "flows_opened 3; sent_synack 3; "
			      "flows_handed_over 2");
	peer_resume(peer, third);
	peer_send(peer, ". 1 ack 1");
	expect_counters(peer, "%s", counters);
}

TEST_F(wire, SR26_HO20_full_accept_queue_drops_the_ACK_and_keeps_the_flow)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;

	fill_queue(peer, "segment_accept_queue_full 1");
	expect_silence(peer);
	peer_flows(peer, &flow);
	EXPECT_EQ(THREEWAY_F_ACKED, flow.flags);
	/* The copies go on, and what answers them is dropped as well. */
	expect_at(peer, 1000, "S. 0 ack 1");
	peer_send(peer, "P. 1(10) ack 1");
	expect_silence(peer);
	expect_counters(peer, "sent_synack_timer 1; "
			      "segment_accept_queue_full 1");
	/* There is room now. */
	close(expect_accept(peer));
	expect_at(peer, 3000, "S. 0 ack 1");
	peer_send(peer, "P. 1(10) ack 1");
	expect(peer, ". 1 ack 11");
	expect_counters(peer, "sent_synack_timer 1; flows_handed_over 1");
	close(expect_accept(peer));
	close(expect_accept(peer));
	expect_no_accept(peer);
}

TEST_F(wire, SR26_tcp_abort_on_overflow_resets)
{
	struct peer *peer = &self->peer;

	sysctl_set("net/ipv4/tcp_abort_on_overflow", "1");
	fill_queue(peer, "segment_accept_queue_full 1; sent_rst 1; "
			 "flows_overflow_reset 1");
	expect(peer, "R 1 win 0 <>");
	expect_flow(peer, false);
	expect_silence_ms(peer, 2000);
}

/* The same with and without the engine, times of the copies included. */
static void overflow_script(struct peer *peer, const void *arg)
{
	const bool *abort_on_overflow = arg;
	unsigned int i;

	sysctl_set("net/ipv4/tcp_abort_on_overflow", "%d", *abort_on_overflow);
	fill_queue(peer, *abort_on_overflow ?
		   "segment_accept_queue_full 1; sent_rst 1; "
		   "flows_overflow_reset 1" :
		   "segment_accept_queue_full 1");
	peer_watch(peer, 8000);
	/* A full queue takes no new SYN either. */
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460>");
	peer_watch(peer, 3500);
	for (i = 0; i < 4; i++)
		note_accept(peer);
	peer_send(peer, "S 0 <mss 1460>");
	peer_watch(peer, 5000);
}

TEST_F_TIMEOUT(wire, SR26_LM2_full_accept_queue_as_native, 120)
{
	static const bool abort_on_overflow[] = { false, true };

	same_as_native(&self->peer, overflow_script, &abort_on_overflow[0]);
	EXPECT_EQ(1, peer_counter(&self->peer,
				  THREEWAY_C_native_accept_queue_full));
	same_as_native(&self->peer, overflow_script, &abort_on_overflow[1]);
	EXPECT_EQ(1, peer_counter(&self->peer,
				  THREEWAY_C_native_accept_queue_full));
}

/* listen() once more: its backlog is that of what comes next. */
static void backlog_script(struct peer *peer, const void *arg)
{
	unsigned int i;

	(void)arg;
	fill_queue(peer, "segment_accept_queue_full 1");
	check(peer, !listen(peer->listener, 2), "listen");
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460>");
	peer_watch(peer, 500);
	peer_send(peer, ". 1 ack 1");
	/* as much as there is: no room, and none after less */
	for (i = 2; i > 0; i--) {
		check(peer, !listen(peer->listener, i), "listen");
		peer_flow(peer);
		peer_send(peer, "S 0 <mss 1460>");
		peer_watch(peer, 500);
	}
	for (i = 0; i < 4; i++)
		note_accept(peer);
}

TEST_F(wire, LI13_LM2_another_backlog_as_native)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, backlog_script, NULL);
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(3, peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_native_accept_queue_full));
}

/**
 * struct pressure - how a backlog of 64 is used
 * @retries:	copies of a SYN-ACK
 * @before:	flows that are opened and finished before all others
 * @late:	each of them after a copy
 * @leave:	the claim is taken away then
 * @old:	flows that nobody answers
 * @young:	more of them, just before the third timeout of the others
 * @old_copies:	SYN-ACKs that come of the old ones after their first
 * @young_copies: of the young ones
 */
struct pressure {
	unsigned int retries;
	unsigned int before;
	bool late;
	bool leave;
	unsigned int old;
	unsigned int young;
	unsigned int old_copies;
	unsigned int young_copies;
};

static void open_flows(struct peer *peer, unsigned int count)
{
	while (count--) {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
	}
}

/* Flows that come to an accepted connection, which is gone then. */
static void finish_flows(struct peer *peer, const struct pressure *pressure)
{
	struct flow flows[64];
	unsigned int i;

	for (i = 0; i < pressure->before; i++) {
		open_flows(peer, 1);
		flows[i] = peer_park(peer);
	}
	if (pressure->late)
		sleep_ms(1500);
	for (i = 0; i < pressure->before; i++) {
		peer_resume(peer, flows[i]);
		peer_send(peer, ". 1 ack 1");
		close(expect_accept(peer));
		peer_send(peer, "R 1");
	}
	peer_resume(peer, flows[0]);
	peer_watch(peer, now_ms() - peer->start_ms + 100);
}

/* Of all flows, up to that port and beyond: no packet is of a past one now. */
static void count_copies(struct peer *peer, unsigned int ms, u16 last_old,
			 unsigned int copies[2])
{
	peer->first_port = 65535;
	while (peer_receive(peer, ms))
		copies[peer->latest.dport > last_old]++;
}

/*
 * RT7: of old flows as many as are more than half of the backlog get no more
 * than 2 copies, unless others are young.
 */
static void pressure_script(struct peer *peer, const void *arg)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_BACKLOG,
		.backlog = 64,
	};
	const struct pressure *pressure = arg;
	struct transcript *transcript = peer->transcript;
	unsigned int copies[2] = { 0 };
	u64 begin_ms;
	u16 last_old;

	peer_listen(peer, 64);
	check(peer, !setsockopt(peer->listener, IPPROTO_TCP, TCP_SYNCNT,
				&pressure->retries, sizeof(pressure->retries)),
	      "TCP_SYNCNT");
	peer_claim(peer, &policy);
	peer->transcript = NULL;
	if (pressure->before)
		finish_flows(peer, pressure);
	if (pressure->leave && peer->claim)
		check(peer, !threeway_claim_del(peer->engine, peer->claim),
		      "cannot delete the claim");
	begin_ms = now_ms();
	open_flows(peer, pressure->old);
	last_old = peer->last_port;
	if (pressure->young) {
		sleep_until_ms(begin_ms + 6500);
		count_copies(peer, 0, last_old, copies);
		open_flows(peer, pressure->young);
	}
	/* longer than from the last but one to the last */
	count_copies(peer, 2000U << pressure->retries, last_old, copies);
	peer->transcript = transcript;
	peer_note(peer, "%u and %u copies, the last at ~%llu", copies[0],
		  copies[1], (unsigned long long)(peer->at_ms - begin_ms));
	check(peer, copies[0] == pressure->old_copies &&
	      copies[1] == pressure->young_copies,
	      "%u and %u copies, expected %u and %u", copies[0], copies[1],
	      pressure->old_copies, pressure->young_copies);
}

static void expect_pressure(struct peer *peer, const struct pressure *pressure)
{
	unsigned int unanswered = pressure->leave ? 0 : pressure->old +
							pressure->young;

	same_as_native(peer, pressure_script, pressure);
	check(peer, peer_counter(peer, THREEWAY_C_flows_opened) ==
		    pressure->before + unanswered &&
	      peer_counter(peer, THREEWAY_C_flows_handed_over) ==
		    pressure->before &&
	      peer_counter(peer, THREEWAY_C_flows_expired) == unanswered,
	      "other flows than %u and %u", pressure->before, unanswered);
}

TEST_F_TIMEOUT(wire, RT7_old_flows_make_room_as_native, 1000)
{
	static const struct pressure pressures[] = {
		{ .retries = 5, .old = 20, .old_copies = 20 * 5 },
		{ .retries = 5, .old = 32, .old_copies = 32 * 5 },
		{ .retries = 5, .old = 33, .old_copies = 32 * 5 + 1 * 2 },
		{ .retries = 5, .old = 60, .old_copies = 32 * 5 + 28 * 2 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pressures); i++)
		expect_pressure(&self->peer, &pressures[i]);
}

TEST_F_TIMEOUT(wire, RT7_young_flows_save_old_ones_as_native, 1000)
{
	/* who is saved by the young ones; those are too many later on */
	static const struct pressure pressure = {
		.retries = 3, .old = 20, .young = 30, .old_copies = 20 * 3,
		.young_copies = 12 * 3 + 18 * 2,
	};
	struct pressure finished = pressure, alone = {
		.retries = 3, .before = 40, .old = 60,
		.old_copies = 32 * 3 + 28 * 2,
	};

	expect_pressure(&self->peer, &pressure);
	/* what is finished does not count for the claim any more */
	expect_pressure(&self->peer, &alone);
	finished.before = 40;
	finished.late = true;
	expect_pressure(&self->peer, &finished);
	/* nor for the native stack, when it goes on alone */
	finished.late = false;
	finished.leave = true;
	expect_pressure(&self->peer, &finished);
	alone.late = true;
	alone.leave = true;
	expect_pressure(&self->peer, &alone);
}

TEST_HARNESS_MAIN
