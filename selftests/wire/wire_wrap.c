// SPDX-License-Identifier: GPL-2.0
/*
 * The lower half of the kernel's clock of ticks wraps five minutes after boot, so
 * that nobody relies on it not to: handshakes are on their way then (rule TM4).
 */
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#define WRAP_MS		300000
#define BEGIN_MS	(WRAP_MS - 4000)
/* More than expect_at() lets a packet be early or late. */
#define APART_MS	100

/**
 * struct opening - a handshake that nobody answers for some seconds
 * @peer:	the end that does not
 * @fd:		the socket that connects, or -1 for a passive open
 */
struct opening {
	struct peer peer;
	int fd;
};

static u64 since_boot_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/* In a namespace of its own. */
static void prepare(struct opening *opening, int family, bool active)
{
	struct peer *peer = &opening->peer;

	check(peer, !peer_open(peer, family, true), "no namespace");
	opening->fd = -1;
	if (!active) {
		peer_serve(peer, NULL);
		return;
	}
	client_claim(peer, NULL);
	opening->fd = client_socket(peer);
}

static void begin(struct opening *opening)
{
	struct peer *peer = &opening->peer;

	peer->start_ms = now_ms();
	if (opening->fd < 0) {
		peer_syn(peer, SYN_OPTIONS);
		return;
	}
	client_connect(peer, opening->fd);
	expect(peer, "S 0");
}

static void end(struct opening *opening)
{
	struct peer *peer = &opening->peer;

	if (opening->fd < 0) {
		peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
		close(expect_accept(peer));
		expect(peer, "F. 1 ack 1");
		expect_counters(peer, "flows_opened 1; sent_synack 1; "
				"sent_synack_timer 3; flows_handed_over 1");
	} else {
		peer_send(peer, "S. 0 ack 1 <mss 1460>");
		expect(peer, ". 1 ack 1");
		expect_connected(peer, opening->fd);
		client_close(peer, opening->fd);
		expect_counters(peer, "flows_opened 1; sent_syn 1; "
				"sent_syn_timer 3; flows_handed_over 1");
	}
	expect_state(peer, THREEWAY_CLOSED);
}

#define OPENINGS	4

FIXTURE(wrap)
{
	struct opening openings[OPENINGS];
};

FIXTURE_SETUP(wrap)
{
	unsigned int i;

	/* SKIP() alone would not keep the test itself from running. */
	if (since_boot_ms() > BEGIN_MS - 1000)
		SKIP(_exit(255), "booted too long ago");
	for (i = 0; i < OPENINGS; i++)
		prepare(&self->openings[i], i & 1 ? AF_INET6 : AF_INET, i & 2);
}

FIXTURE_TEARDOWN(wrap)
{
	unsigned int i;

	for (i = 0; i < OPENINGS; i++) {
		peer_close(&self->openings[i].peer);
		EXPECT_EQ(0, self->openings[i].peer.failures);
	}
}

TEST_F_TIMEOUT(wrap, TM4_handshakes_across_the_wrap_of_the_ticks, 400)
{
	static const unsigned int copies_ms[] = { 1000, 3000, 7000 };
	u64 begin_ms = now_ms() + BEGIN_MS - since_boot_ms();
	unsigned int i, j;

	for (i = 0; i < OPENINGS; i++) {
		sleep_until_ms(begin_ms + i * APART_MS);
		begin(&self->openings[i]);
	}
	ASSERT_GT(WRAP_MS, since_boot_ms());
	for (j = 0; j < ARRAY_SIZE(copies_ms); j++) {
		for (i = 0; i < OPENINGS; i++)
			expect_at(&self->openings[i].peer, copies_ms[j],
				  i & 2 ? "S 0" : "S. 0 ack 1");
	}
	ASSERT_LT(WRAP_MS, since_boot_ms());
	for (i = 0; i < OPENINGS; i++)
		end(&self->openings[i]);
}

TEST_HARNESS_MAIN
