// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody can choose tuples that share a bucket of the flow table. A list of flows
 * comes in the order of the buckets, so that neighbours in it mostly share one.
 */
#include <stdio.h>

#include "controlutil.h"
#include "kselftest_harness.h"

#define FLOWS		2000
#define FIRST_PORT	20000
/* Chance makes about two pairs; a shared bucket would make hundreds. */
#define PAIRS_MAX	30

/* The local ports of all flows in the order of the list, and where each is. */
struct order {
	unsigned int count;
	unsigned int port[FLOWS];
	unsigned int place[65536];
};

static struct order first, again, other;

/* The same tuples in each namespace. */
static bool open_all(int fd)
{
	struct threeway_open open;
	unsigned int i;

	for (i = 0; i < FLOWS; i++) {
		open = (struct threeway_open) {
			.key.family = AF_INET,
			.key.remote = { 192, 0, 2, 9 },
			.key.remote_port = htons(80),
			.key.local_port = htons(FIRST_PORT + i),
			.policy.set = THREEWAY_P_RTO_INITIAL,
			.policy.rto_initial_ms = 60000,
		};
		if (call(fd, THREEWAY_IOC_OPEN, &open))
			return false;
	}
	return true;
}

static bool read_order(int fd, struct order *order)
{
	static struct threeway_flow flows[FLOWS];
	unsigned int i;

	order->count = list_records(fd, THREEWAY_IOC_FLOW_LIST, flows, FLOWS);
	if (order->count != FLOWS)
		return false;
	for (i = 0; i < FLOWS; i++) {
		order->port[i] = ntohs(flows[i].key.local_port);
		order->place[order->port[i]] = i;
	}
	return true;
}

/* A table that has grown is rehashed in the background. */
static bool settled(int fd, struct order *order)
{
	unsigned int i;

	for (i = 0; i < 50; i++) {
		usleep(20000);
		if (!read_order(fd, order) || !read_order(fd, &again))
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
		pairs += distance(b->place[a->port[i - 1]],
				  b->place[a->port[i]]) == 1;
	return pairs;
}

FIXTURE(hash) {
	int fd;
};

FIXTURE_SETUP(hash)
{
	ASSERT_EQ(0, system("test -d /sys/module/threeway || modprobe threeway"));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, system(make_link));
	self->fd = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	ASSERT_TRUE(open_all(self->fd));
	ASSERT_TRUE(settled(self->fd, &first));
}

FIXTURE_TEARDOWN(hash)
{
	close(self->fd);
}

TEST_F(hash, LM7_neighbouring_ports_do_not_share_a_bucket)
{
	unsigned int i, pairs = 0;

	for (i = 1; i < FLOWS; i++)
		pairs += distance(first.port[i - 1], first.port[i]) == 1;
	TH_LOG("%u pairs", pairs);
	EXPECT_GT(PAIRS_MAX, pairs);
}

TEST_F(hash, LM7_what_shares_a_bucket_here_does_not_elsewhere)
{
	unsigned int pairs;
	int fd;

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, system(make_link));
	fd = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(open_all(fd));
	ASSERT_TRUE(settled(fd, &other));
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
	ASSERT_TRUE(open_all(self->fd));
	ASSERT_TRUE(settled(self->fd, &first));
	pairs = common_pairs(&other, &first);
	TH_LOG("%u pairs", pairs);
	EXPECT_GT(PAIRS_MAX, pairs);
}

TEST_HARNESS_MAIN
