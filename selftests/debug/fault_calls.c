// SPDX-License-Identifier: GPL-2.0
/*
 * The device while each allocation fails once: claims, opening and listing,
 * readers of events, /proc. A call that fails says so and leaves nothing behind;
 * it succeeds the next time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

/* More than kmalloc() gives: pages, and a table of them. */
#define READER_ROOM	32800

/* By one name or the other: ENFILE is a socket that could not be made. */
static bool is_no_memory(int error)
{
	return error == ENOMEM || error == ENOBUFS || error == ENFILE;
}

/* How many claims there are. */
static int claims(struct peer *peer)
{
	struct threeway_claim_record *records;
	int count = threeway_claim_list(peer->engine, &records);

	if (count >= 0)
		free(records);
	return count;
}

static struct threeway_claim claim_of(const struct peer *peer, u16 port)
{
	struct threeway_claim claim = {
		.family = peer->family,
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HOLD,
		.port_first = port,
		.port_last = port,
	};

	memcpy(claim.local, &peer->header.dst, sizeof(claim.local));
	claim.local_prefixlen = peer->family == AF_INET ? 32 : 128;
	return claim;
}

/* A SYN is answered, by a RST if nobody listens. */
static void expect_answer(struct peer *peer, u16 flags)
{
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460>");
	check(peer, fault_answer(peer, flags, PEER_ANSWER_MS),
	      "no answer with flags %#x", flags);
	peer_send(peer, "R 1");
}

/*
 * The first claim of a namespace brings hooks and sockets. If it fails there are
 * none, or none that anybody would notice.
 */
static void first_claim_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	struct threeway_claim claim;
	int err, count;

	peer_close(peer);
	if (!check(peer, !peer_open(peer, peer->family, true), "namespace"))
		return;
	peer_label(peer, "allocation %u", walk->nth);
	/* until its addresses have their routes */
	sleep_ms(20);
	claim = claim_of(peer, peer->header.dport);
	fault_begin(walk);
	err = threeway_claim_add(peer->engine, &claim);
	fault_end(walk);
	check(peer, !err || is_no_memory(-err), "claim: %s", strerror(-err));
	count = claims(peer);
	check(peer, count == !err, "%d claims", count);
	expect_answer(peer, err ? FLAG_RST | FLAG_ACK : FLAG_SYN | FLAG_ACK);
	if (!err)
		return;
	claim.id = 0;
	check(peer, !threeway_claim_add(peer->engine, &claim), "second try");
	expect_answer(peer, FLAG_SYN | FLAG_ACK);
}

TEST_F_TIMEOUT(fault, LM6_LC7_no_memory_for_the_first_claim, 3000)
{
	fault_walk(&self->peer, first_claim_step, NULL);
}

/* A claim like no other, beside some that stay, comes and goes. */
static void claim_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	struct threeway_claim claim = claim_of(peer, 443);
	int before = claims(peer);
	int err;

	fault_begin(walk);
	err = threeway_claim_add(peer->engine, &claim);
	fault_end(walk);
	check(peer, !err || is_no_memory(-err), "claim: %s", strerror(-err));
	check(peer, claims(peer) == before + !err, "%d claims, were %d",
	      claims(peer), before);
	if (!err)
		check(peer, !threeway_claim_del(peer->engine, claim.id), "del");
	check(peer, claims(peer) == before, "the claim stays");
	expect_answer(peer, FLAG_SYN | FLAG_ACK);
}

/* Of another shape than the others, with which the table grows. */
static void some_claims(struct peer *peer)
{
	struct threeway_claim claim;
	u16 port;

	for (port = 1000; port < 1090; port++) {
		claim = claim_of(peer, port);
		check(peer, !threeway_claim_add(peer->engine, &claim), "claim");
	}
	claim = claim_of(peer, peer->header.dport);
	claim.local_prefixlen = 0;
	memset(claim.local, 0, sizeof(claim.local));
	check(peer, !threeway_claim_add(peer->engine, &claim), "claim");
}

TEST_F_TIMEOUT(fault, LM6_LC7_no_memory_for_a_claim, 3000)
{
	struct peer *peer = &self->peer;
	struct threeway_claim claim = claim_of(peer, 0);

	/* alone of its shape */
	claim.local_prefixlen = 0;
	memset(claim.local, 0, sizeof(claim.local));
	claim.port_last = 0;
	ASSERT_EQ(0, threeway_claim_add(peer->engine, &claim));
	fault_walk(peer, claim_step, NULL);
	some_claims(peer);
	fault_walk(peer, claim_step, NULL);
}

/* The ports that are looked at are counted anew by a worker. */
static void reap_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	struct threeway_claim claim = claim_of(peer, 443);

	check(peer, !threeway_claim_add(peer->engine, &claim), "claim");
	fault_begin(walk);
	check(peer, !threeway_claim_del(peer->engine, claim.id), "del");
	sleep_ms(100);
	fault_end(walk);
	peer->header.dport = 443;
	expect_answer(peer, FLAG_RST | FLAG_ACK);
	peer->header.dport = 80;
	expect_answer(peer, FLAG_SYN | FLAG_ACK);
}

TEST_F_TIMEOUT(fault, LM6_LC7_no_memory_behind_a_claim_that_goes, 3000)
{
	struct peer *peer = &self->peer;
	struct threeway_claim claim = claim_of(peer, peer->header.dport);

	ASSERT_EQ(0, threeway_claim_add(peer->engine, &claim));
	fault_walk_remote(peer, reap_step, "hs_claims_reap", NULL);
}

static void device_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	int fd, error;

	fault_begin(walk);
	fd = open("/dev/threeway", O_RDWR | O_CLOEXEC);
	error = errno;
	fault_end(walk);
	check(peer, fd >= 0 || is_no_memory(error), "open: %s",
	      strerror(error));
	if (fd >= 0)
		close(fd);
}

TEST_F_TIMEOUT(fault, LM6_LC7_no_memory_to_open_the_device, 3000)
{
	fault_walk(&self->peer, device_step, NULL);
}

static void reader_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	int fd = threeway_open(NULL);
	int err;

	fault_begin(walk);
	err = threeway_event_start(fd, 0, 0, READER_ROOM);
	fault_end(walk);
	check(peer, !err || is_no_memory(-err), "reader: %s", strerror(-err));
	if (err)
		err = threeway_event_start(fd, 0, 0, READER_ROOM);
	check(peer, !err, "reader: %s", strerror(-err));
	/* with the ring that it has it may start anew */
	fault_begin(walk);
	err = threeway_event_start(fd, 0, 0, READER_ROOM / 2);
	fault_end(walk);
	check(peer, !err || is_no_memory(-err), "reader: %s", strerror(-err));
	close(fd);
}

TEST_F_TIMEOUT(fault, LM6_LC7_no_memory_for_a_reader_of_events, 3000)
{
	fault_walk(&self->peer, reader_step, NULL);
	/* its ring is made of pages */
	fault_pages(true);
	fault_walk(&self->peer, reader_step, NULL);
}

/* What the kernel lists, as far as it could. */
static void read_all(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	while (read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
}

static void list_step(struct walk *walk)
{
	static const char * const files[] = {
		"/proc/thread-self/net/threeway/flows",
		"/proc/thread-self/net/threeway/claims",
		"/proc/thread-self/net/threeway/stat",
		"/proc/sys/net/threeway/isn",
	};
	struct peer *peer = walk->peer;
	struct threeway_flow *flows;
	bool hit = false;
	unsigned int i;
	int count;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		fault_begin(walk);
		read_all(files[i]);
		fault_end(walk);
		hit |= walk->hit;
	}
	fault_begin(walk);
	count = threeway_flow_list(peer->engine, &flows);
	fault_end(walk);
	hit |= walk->hit;
	check(peer, count == 1 || is_no_memory(-count), "flows: %d", count);
	if (count >= 0)
		free(flows);
	fault_begin(walk);
	count = claims(peer);
	fault_end(walk);
	check(peer, count == 1 || is_no_memory(-count), "claims: %d", count);
	walk->hit |= hit;
}

TEST_F_TIMEOUT(fault, LM6_LC7_no_memory_to_list_flows_and_claims, 3000)
{
	struct peer *peer = &self->peer;
	struct threeway_claim claim = claim_of(peer, peer->header.dport);

	ASSERT_EQ(0, threeway_claim_add(peer->engine, &claim));
	expect_answer(peer, FLAG_SYN | FLAG_ACK);
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460>");
	ASSERT_EQ(1, peer_flows(peer, NULL));
	fault_walk(peer, list_step, NULL);
}

TEST_HARNESS_MAIN
