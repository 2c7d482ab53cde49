// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody can choose tuples that share a bucket of the flow table. A list of flows
 * comes in the order of the buckets, so that neighbours in it mostly share one.
 */
#include <stdio.h>

#include "controlutil.h"
#include "kselftest_harness.h"

#define FLOWS		2000
/* the first of the numbers that tell the flows apart */
#define FIRST		20000
/* Chance makes about two pairs; a shared bucket would make hundreds. */
#define PAIRS_MAX	30

/* What tells the flows apart; a peer chooses either of his own. */
enum part { LOCAL_PORT, REMOTE_PORT, REMOTE_ADDRESS };

/* The numbers of all flows in the order of the list, and where each is. */
struct order {
	unsigned int count;
	unsigned int number[FLOWS];
	unsigned int place[FLOWS];
};

static struct order first, again, other;

static void set_number(struct threeway_flow_key *key, enum part part,
		       unsigned int number)
{
	unsigned int last = key->family == AF_INET ? 2 : 14;

	if (part == LOCAL_PORT)
		key->local_port = htons(FIRST + number);
	else if (part == REMOTE_PORT)
		key->remote_port = htons(FIRST + number);
	key->remote[last] = part == REMOTE_ADDRESS ? (FIRST + number) >> 8 : 1;
	key->remote[last + 1] = part == REMOTE_ADDRESS ? FIRST + number : 1;
}

static unsigned int get_number(const struct threeway_flow_key *key,
			       enum part part)
{
	unsigned int last = key->family == AF_INET ? 2 : 14;

	if (part == LOCAL_PORT)
		return ntohs(key->local_port) - FIRST;
	if (part == REMOTE_PORT)
		return ntohs(key->remote_port) - FIRST;
	return (key->remote[last] << 8 | key->remote[last + 1]) - FIRST;
}

/* The same tuples in each namespace. */
static bool open_all(int fd, unsigned short family, enum part part)
{
	static const __u8 remote4[16] = { 198, 18 };
	static const __u8 remote6[16] = { 0x20, 1, 0xd, 0xb8, 0, 9 };
	struct threeway_open open;
	unsigned int i;

	for (i = 0; i < FLOWS; i++) {
		open = (struct threeway_open) {
			.key.family = family,
			.key.remote_port = htons(80),
			.key.local_port = htons(9),
			.policy.set = THREEWAY_P_RTO_INITIAL,
			.policy.rto_initial_ms = 60000,
		};
		memcpy(open.key.remote, family == AF_INET ? remote4 : remote6,
		       sizeof(remote4));
		set_number(&open.key, part, i);
		if (call(fd, THREEWAY_IOC_OPEN, &open))
			return false;
	}
	return true;
}

static bool read_order(int fd, struct order *order, enum part part)
{
	static struct threeway_flow flows[FLOWS];
	unsigned int i;

	order->count = list_records(fd, THREEWAY_IOC_FLOW_LIST, flows, FLOWS);
	if (order->count != FLOWS)
		return false;
	for (i = 0; i < FLOWS; i++) {
		order->number[i] = get_number(&flows[i].key, part);
		if (order->number[i] >= FLOWS)
			return false;
		order->place[order->number[i]] = i;
	}
	return true;
}

/* A table that has grown is rehashed in the background. */
static bool settled(int fd, struct order *order, enum part part)
{
	unsigned int i;

	for (i = 0; i < 50; i++) {
		usleep(20000);
		if (!read_order(fd, order, part) ||
		    !read_order(fd, &again, part))
			continue;
		if (!memcmp(order, &again, sizeof(again)))
			return true;
	}
	return false;
}

static unsigned int distance(unsigned int a, unsigned int b)
{
	return a < b ? b - a : a - b;
}

/* Neighbours in one order that are neighbours in the other one as well. */
static unsigned int common_pairs(const struct order *a, const struct order *b)
{
	unsigned int i, pairs = 0;

	for (i = 1; i < FLOWS; i++)
		pairs += distance(b->place[a->number[i - 1]],
				  b->place[a->number[i]]) == 1;
	return pairs;
}

static bool make_routes(void)
{
	return !system(make_link) &&
	       !system("ip route add 198.18.0.0/15 dev dum0") &&
	       !system("ip route add 2001:db8:9::/48 dev dum0");
}

FIXTURE(hash) {
	int fd;
};

FIXTURE_VARIANT(hash) {
	unsigned short family;
	enum part part;
};

#define VARIANT(name, _family, _part)		\
	FIXTURE_VARIANT_ADD(hash, name) {	\
		.family = _family,		\
		.part = _part,			\
	}

VARIANT(ipv4_local_port, AF_INET, LOCAL_PORT);
VARIANT(ipv4_remote_port, AF_INET, REMOTE_PORT);
VARIANT(ipv4_remote_address, AF_INET, REMOTE_ADDRESS);
VARIANT(ipv6_local_port, AF_INET6, LOCAL_PORT);
VARIANT(ipv6_remote_port, AF_INET6, REMOTE_PORT);
VARIANT(ipv6_remote_address, AF_INET6, REMOTE_ADDRESS);

FIXTURE_SETUP(hash)
{
	ASSERT_EQ(0, system("test -d /sys/module/threeway || modprobe threeway"));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_TRUE(make_routes());
	self->fd = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	ASSERT_TRUE(open_all(self->fd, variant->family, variant->part));
	ASSERT_TRUE(settled(self->fd, &first, variant->part));
}

FIXTURE_TEARDOWN(hash)
{
	close(self->fd);
}

TEST_F(hash, LM7_neighbours_do_not_share_a_bucket)
{
	unsigned int i, pairs = 0;

	for (i = 1; i < FLOWS; i++)
		pairs += distance(first.number[i - 1], first.number[i]) == 1;
	TH_LOG("%u pairs", pairs);
	EXPECT_GT(PAIRS_MAX, pairs);
}

TEST_F(hash, LM7_what_shares_a_bucket_here_does_not_elsewhere)
{
	unsigned int pairs;
	int fd;

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_TRUE(make_routes());
	fd = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(open_all(fd, variant->family, variant->part));
	ASSERT_TRUE(settled(fd, &other, variant->part));
	pairs = common_pairs(&first, &other);
	TH_LOG("%u pairs", pairs);
	EXPECT_GT(PAIRS_MAX, pairs);
	/* the comparison can see it: a table agrees with itself */
	EXPECT_EQ(FLOWS - 1, common_pairs(&other, &again));
	close(fd);
}

/* Tuples of one bucket come apart when the table is made anew. */
TEST_F(hash, LM7_what_shares_a_bucket_now_does_not_later)
{
	unsigned int pairs;

	other = first;
	while (!empty_state(self->fd))
		;
	/* it shrinks in the background */
	usleep(200000);
	ASSERT_TRUE(open_all(self->fd, variant->family, variant->part));
	ASSERT_TRUE(settled(self->fd, &first, variant->part));
	pairs = common_pairs(&other, &first);
	TH_LOG("%u pairs", pairs);
	EXPECT_GT(PAIRS_MAX, pairs);
}

TEST_HARNESS_MAIN
