// SPDX-License-Identifier: GPL-2.0
/*
 * What is computed from a tuple depends on each part of it: cookies, initial
 * sequence numbers; and on a secret of the namespace (rules CK2, CK8, CK11, IS2,
 * IS3).
 */
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

/* One tick of the ISN clock. */
#define TICK_NS		64
/* 8 ms: nobody is as late as that, nor two hashes so near each other often. */
#define NEAR		131072U
#define ROUNDS		4

enum { SAME, REMOTE, REMOTE_NET, LOCAL, LOCAL_NET, REMOTE_PORT, LOCAL_PORT, PARTS };

static const char * const parts[] = {
	"nothing", "remote address", "remote network", "local address",
	"local network", "remote port", "local port"
};

/* Two ports, each with a listener, and the other local addresses. */
static void serve_both(struct peer *peer, enum threeway_cookies cookies)
{
	struct threeway_claim claim = {
		.family = peer->family,
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HANDOFF,
		.port_first = peer->header.dport,
		.port_last = peer->header.dport + 1,
		.policy = {
			.set = THREEWAY_P_COOKIES,
			.cookies = cookies,
		},
	};
	int err, other;

	if (peer->family == AF_INET) {
		run("ip address add 192.0.2.65/24 dev tun0");
		run("ip address add 198.51.100.1/24 dev tun0");
	} else {
		run("ip address add 2001:db8::41/64 dev tun0 nodad");
		run("ip address add 2001:db8:0:1::1/64 dev tun0 nodad");
	}
	peer->header.dport++;
	peer_listen(peer, 64);
	other = peer->listener;
	peer->listener = -1;
	peer->header.dport--;
	peer_listen(peer, 64);
	err = threeway_claim_add(peer->engine, &claim);
	check(peer, !err && other >= 0, "no claim, or no listener");
}

static void other_address(struct peer *peer, struct address *address,
			  unsigned int host, bool other_net)
{
	if (peer->family == AF_INET) {
		if (other_net)
			memcpy(address->octet, (u8[]){ 198, 51, 100 }, 3);
		else
			address->octet[3] = host;
	} else if (other_net) {
		address->octet[7] = 1;
	} else {
		address->octet[15] = host;
	}
}

/* The tuple of the present flow, but for one part. */
static void change(struct peer *peer, unsigned int part)
{
	switch (part) {
	case REMOTE:
	case REMOTE_NET:
		other_address(peer, &peer->header.src, 66, part == REMOTE_NET);
		break;
	case LOCAL:
	case LOCAL_NET:
		other_address(peer, &peer->header.dst, 65, part == LOCAL_NET);
		break;
	case REMOTE_PORT:
		peer->header.sport++;
		break;
	case LOCAL_PORT:
		peer->header.dport++;
		break;
	}
}

TEST_F(wire, CK2_CK8_a_cookie_is_good_for_its_tuple_only)
{
	struct peer *peer = &self->peer;
	struct packet header;
	unsigned int part;

	serve_both(peer, THREEWAY_COOKIES_ALWAYS);
	for (part = REMOTE; part < PARTS; part++) {
		peer_flow(peer);
		peer_label(peer, "another %s", parts[part]);
		peer_syn(peer, "mss 1460");
		header = peer->header;
		change(peer, part);
		peer_send(peer, ". 1 ack 1");
		expect(peer, "R 1 win 0 <>");
		peer->header = header;
		expect_counters(peer, "sent_cookie 1; native_bad_cookie 1");
		expect_no_accept(peer);
		peer_send(peer, ". 1 ack 1");
		close(expect_accept(peer));
		expect_counters(peer, "cookies_received 1; flows_opened 1; "
				"flows_handed_over 1");
	}
}

/* The half of the ISS that the clock has no part in. */
static u32 hash_of_tuple(struct peer *peer)
{
	struct timespec now;

	peer->iss_known = false;
	peer_syn(peer, "mss 1460");
	clock_gettime(CLOCK_BOOTTIME, &now);
	peer_send(peer, "R 1");
	return peer->iss - (u32)((now.tv_sec * 1000000000ULL + now.tv_nsec) /
				 TICK_NS);
}

static bool near(u32 a, u32 b)
{
	return a - b + NEAR < 2 * NEAR;
}

/* Which parts have changed nothing in a round; by chance none does so twice. */
static void hash_parts(struct peer *peer, unsigned int *same)
{
	struct packet header = peer->header;
	u32 hash[PARTS];
	unsigned int part, other;

	for (part = SAME; part < PARTS; part++) {
		change(peer, part);
		hash[part] = hash_of_tuple(peer);
		peer->header = header;
	}
	check(peer, near(hash[SAME], hash_of_tuple(peer)), "not a function");
	for (part = REMOTE; part < PARTS; part++)
		for (other = SAME; other < part; other++)
			same[part] += near(hash[part], hash[other]);
}

TEST_F(wire, IS2_IS3_a_number_depends_on_each_part_of_its_tuple)
{
	struct peer *peer = &self->peer;
	unsigned int same[PARTS] = { 0 };
	unsigned int round, part;

	serve_both(peer, THREEWAY_COOKIES_NEVER);
	for (round = 0; round < ROUNDS; round++) {
		peer_flow(peer);
		hash_parts(peer, same);
	}
	for (part = REMOTE; part < PARTS; part++)
		check(peer, same[part] < 2, "%s: %u of %u alike", parts[part],
		      same[part], ROUNDS);
}

/* The same tuple in a namespace of its own, and its number or cookie. */
static u32 elsewhere(struct peer *peer, enum threeway_cookies cookies)
{
	u32 value;

	peer_close(peer);
	peer_open(peer, peer->family, true);
	serve_both(peer, cookies);
	peer_flow(peer);
	if (cookies == THREEWAY_COOKIES_NEVER)
		return hash_of_tuple(peer);
	peer_syn(peer, "mss 1460");
	value = peer->iss;
	expect_flow(peer, false);
	return value;
}

TEST_F(wire, CK11_IS3_each_namespace_has_secrets_of_its_own)
{
	static const enum threeway_cookies cookies[] = {
		THREEWAY_COOKIES_NEVER, THREEWAY_COOKIES_ALWAYS,
	};
	struct peer *peer = &self->peer;
	u32 value[ROUNDS];
	unsigned int i, round, same;

	for (i = 0; i < ARRAY_SIZE(cookies); i++) {
		for (round = 0; round < ROUNDS; round++)
			value[round] = elsewhere(peer, cookies[i]);
		/* a cookie has 24 bits that the minute has no part in */
		for (same = 0, round = 1; round < ROUNDS; round++)
			same += near(value[round], value[0]);
		check(peer, same < 2, "cookies %u: %u of %u alike", cookies[i],
		      same + 1, ROUNDS);
	}
}

TEST_HARNESS_MAIN
