// SPDX-License-Identifier: GPL-2.0
/*
 * The lower half of the kernel's clock of ticks wraps five minutes after boot, so
 * that nobody relies on it not to: handshakes are on their way then (rule TM4).
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#define WRAP_MS		300000

/* After the SYN or SYN-ACK. */
static const int copies_ms[] = { 0, 1000, 3000, 7000 };

/*
 * Some are in the middle of a timeout then, others near its end. No two of
 * their packets come at the same time.
 */
static const struct {
	int from_wrap_ms;
	int family;
	bool active;
} plans[] = {
	{ -6900, AF_INET6, true }, { -6780, AF_INET, false },
	{ -4040, AF_INET, false }, { -3940, AF_INET6, false },
	{ -3840, AF_INET, true }, { -3740, AF_INET6, true },
	{ -2820, AF_INET, true }, { -960, AF_INET6, false },
};

#define OPENINGS	ARRAY_SIZE(plans)
#define EVENTS		(OPENINGS * ARRAY_SIZE(copies_ms))

/* A packet of one of them. */
struct event {
	int from_wrap_ms;
	unsigned int opening;
	unsigned int number;
};

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

FIXTURE(wrap)
{
	struct opening openings[OPENINGS];
};

FIXTURE_SETUP(wrap)
{
	unsigned int i;

	/* SKIP() alone would not keep the test itself from running. */
	if (since_boot_ms() > (u64)(WRAP_MS + plans[0].from_wrap_ms - 1000))
		SKIP(_exit(255), "booted too long ago");
	for (i = 0; i < OPENINGS; i++)
		prepare(&self->openings[i], plans[i].family, plans[i].active);
}

FIXTURE_TEARDOWN(wrap)
{
	unsigned int i;

	for (i = 0; i < OPENINGS; i++) {
		peer_close(&self->openings[i].peer);
		EXPECT_EQ(0, self->openings[i].peer.failures);
	}
}

static int earlier(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return x->from_wrap_ms - y->from_wrap_ms;
}

static void plan_events(struct event *event)
{
	unsigned int i, j;

	for (i = 0; i < OPENINGS; i++) {
		for (j = 0; j < ARRAY_SIZE(copies_ms); j++, event++) {
			event->from_wrap_ms = plans[i].from_wrap_ms +
					      copies_ms[j];
			event->opening = i;
			event->number = j;
		}
	}
	qsort(event - EVENTS, EVENTS, sizeof(*event), earlier);
}

TEST_F_TIMEOUT(wrap, TM4_handshakes_across_the_wrap_of_the_ticks, 400)
{
	u64 wrap_ms = now_ms() + WRAP_MS - since_boot_ms();
	struct event events[EVENTS], *event;
	unsigned int i;

	plan_events(events);
	for (event = events; event < events + EVENTS; event++) {
		struct opening *opening = &self->openings[event->opening];

		if (event->number) {
			expect_at(&opening->peer, copies_ms[event->number],
				  opening->fd < 0 ? "S. 0 ack 1" : "S 0");
			continue;
		}
		sleep_until_ms(wrap_ms + event->from_wrap_ms);
		begin(opening);
		ASSERT_GT(WRAP_MS, since_boot_ms());
	}
	ASSERT_LT(WRAP_MS, since_boot_ms());
	for (i = 0; i < OPENINGS; i++)
		end(&self->openings[i]);
}

TEST_HARNESS_MAIN
