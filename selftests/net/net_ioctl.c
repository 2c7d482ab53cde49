// SPDX-License-Identifier: GPL-2.0
/*
 * The contract of /dev/threeway, as uapi/threeway.h has it: every wrong
 * argument gets its errno and changes nothing. Built a second time as a 32-bit
 * program, which must find the very same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "threeway.h"
#include "kselftest_harness.h"

#define ALL_CLAIMS	65536
#define PORT		8080
#define BAD_POINTER	((void *)8)

/* ioctl() as an errno value, 0 for success. */
static int call(int fd, unsigned long command, void *argument)
{
	return ioctl(fd, command, argument) ? errno : 0;
}

static struct threeway_claim plain_claim(unsigned short family)
{
	struct threeway_claim claim = {
		.family = family,
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HANDOFF,
		.port_first = PORT,
		.port_last = PORT,
	};

	return claim;
}

static struct threeway_claim full_claim(void)
{
	struct threeway_claim claim = plain_claim(AF_INET);

	claim.local_prefixlen = 24;
	claim.remote_prefixlen = 8;
	memcpy(claim.local, "\xc0\x00\x02", 3);
	claim.remote[0] = 10;
	claim.mode = THREEWAY_HOLD;
	claim.policy.set = THREEWAY_P_ALL;
	claim.policy.synack_retries = 5;
	claim.policy.rto_initial_ms = 1000;
	claim.policy.rto_max_ms = 120000;
	claim.policy.backlog = 100;
	claim.policy.isn = THREEWAY_ISN_FIXED;
	claim.policy.isn_fixed = 7;
	claim.policy.sack = 1;
	claim.policy.syn_retries = 6;
	claim.policy.syn_linear_timeouts = 4;
	claim.policy.freeze = THREEWAY_FREEZE_FINAL_ACK;
	claim.policy.lifetime_ms = 60000;
	claim.policy.delay_ms = 100;
	claim.policy.lose = 2;
	claim.policy.cookies = THREEWAY_COOKIES_ALWAYS;
	claim.policy.cookie_path = THREEWAY_PATH_EARLY;
	claim.policy.synack_path = THREEWAY_PATH_EARLY;
	claim.policy.source_rate = 10;
	claim.policy.source_burst = 20;
	claim.policy.source_flows = 30;
	return claim;
}

static int add(int fd, struct threeway_claim *claim)
{
	return call(fd, THREEWAY_IOC_CLAIM_ADD, claim);
}

static int delete(int fd, unsigned int id)
{
	struct threeway_claim_id claim = { .id = id };

	return call(fd, THREEWAY_IOC_CLAIM_DEL, &claim);
}

/* All claims by as many calls as it takes; returns how many, or -errno. */
static int list_claims(int fd, struct threeway_claim_record *records,
		       unsigned int room, unsigned int step)
{
	struct threeway_list list = { .cursor = 0 };
	unsigned int total = 0;
	int error;

	do {
		list.records = (uintptr_t)(records + total);
		list.room = step < room - total ? step : room - total;
		list.count = 0;
		error = call(fd, THREEWAY_IOC_CLAIM_LIST, &list);
		if (error)
			return -error;
		total += list.count;
	} while (list.count && total < room);
	return total;
}

static int count_claims(int fd)
{
	static struct threeway_claim_record records[4096];

	return list_claims(fd, records, ARRAY_SIZE(records), 4096);
}

static int list_flows(int fd, struct threeway_flow *records, unsigned int room)
{
	struct threeway_list list = {
		.records = (uintptr_t)records,
		.room = room,
	};
	int error = call(fd, THREEWAY_IOC_FLOW_LIST, &list);

	return error ? -error : (int)list.count;
}

static unsigned long long counter(int fd, enum threeway_counter number)
{
	__u64 values[THREEWAY_COUNTER_MAX] = { 0 };
	struct threeway_stat stat = {
		.values = (uintptr_t)values,
		.room = THREEWAY_COUNTER_MAX,
	};

	call(fd, THREEWAY_IOC_STAT_GET, &stat);
	return values[number];
}

FIXTURE(control) {
	int fd;
	int old_netns;
};

FIXTURE_SETUP(control)
{
	self->old_netns = open("/proc/self/ns/net", O_RDONLY);
	ASSERT_LE(0, self->old_netns);
	ASSERT_EQ(0, system("test -d /sys/module/threeway || modprobe threeway"));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, system("ip link set lo up"));
	self->fd = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(control)
{
	close(self->fd);
	close(self->old_netns);
}

TEST_F(control, unknown_command_ENOTTY)
{
	static const unsigned long unknown[] = {
		_IO(THREEWAY_IOC_MAGIC, 0), _IO(THREEWAY_IOC_MAGIC, 7),
		_IO(THREEWAY_IOC_MAGIC, 255), 0, ~0U, FIONREAD,
		/* known numbers with another size, direction or magic */
		_IOWR(THREEWAY_IOC_MAGIC, 1, char),
		_IOW(THREEWAY_IOC_MAGIC, 1, struct threeway_claim),
		_IOR(THREEWAY_IOC_MAGIC, 2, struct threeway_claim_id),
		_IOWR(THREEWAY_IOC_MAGIC, 3, struct threeway_stat),
		_IOWR('x', 6, struct threeway_stat),
	};
	struct threeway_claim claim = full_claim();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		EXPECT_EQ(ENOTTY, call(self->fd, unknown[i], &claim))
			TH_LOG("command %#lx", unknown[i]);
	EXPECT_EQ(0, count_claims(self->fd));
}

TEST_F(control, bad_pointer_EFAULT)
{
	static const unsigned long commands[] = {
		THREEWAY_IOC_CLAIM_ADD, THREEWAY_IOC_CLAIM_DEL,
		THREEWAY_IOC_CLAIM_LIST, THREEWAY_IOC_FLOW_LIST,
		THREEWAY_IOC_FLOW_DEL, THREEWAY_IOC_STAT_GET,
	};
	struct threeway_stat stat = { .room = THREEWAY_COUNTER_MAX };
	struct threeway_claim claim = plain_claim(AF_INET);
	struct threeway_list list = { .room = 4 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		EXPECT_EQ(EFAULT, call(self->fd, commands[i], NULL));
		EXPECT_EQ(EFAULT, call(self->fd, commands[i], BAD_POINTER));
		EXPECT_EQ(EFAULT, call(self->fd, commands[i], (void *)-1L));
	}
	EXPECT_EQ(0, count_claims(self->fd));

	/* the pointer within is bad */
	ASSERT_EQ(0, add(self->fd, &claim));
	list.records = (uintptr_t)BAD_POINTER;
	EXPECT_EQ(EFAULT, call(self->fd, THREEWAY_IOC_CLAIM_LIST, &list));
	EXPECT_EQ(EFAULT, call(self->fd, THREEWAY_IOC_STAT_GET, &stat));
	stat.values = ~0ULL;
	EXPECT_EQ(EFAULT, call(self->fd, THREEWAY_IOC_STAT_GET, &stat));
	EXPECT_EQ(1, count_claims(self->fd));
}

/* One field of a valid claim with a value that makes it invalid. */
struct edit {
	const char *name;
	size_t offset, size;
	unsigned int value;
};

#define EDIT(field, to) {					\
	#field " = " #to,					\
	offsetof(struct threeway_claim, field),			\
	sizeof(((struct threeway_claim *)NULL)->field), to }

static void apply(struct threeway_claim *claim, const struct edit *edit)
{
	unsigned char *at = (unsigned char *)claim + edit->offset;
	__u16 value_16 = edit->value;

	switch (edit->size) {
	case 1:
		*at = edit->value;
		break;
	case 2:
		memcpy(at, &value_16, 2);
		break;
	default:
		memcpy(at, &edit->value, 4);
	}
}

#define UNSET(word)	EDIT(policy.set, THREEWAY_P_ALL & ~THREEWAY_P_##word)

/* Each of them makes full_claim() invalid. */
static const struct edit bad_values[] = {
	EDIT(id, 1), EDIT(id, ~0U),
	EDIT(family, 1), EDIT(family, 0), EDIT(family, AF_INET6 | 256),
	EDIT(direction, 0), EDIT(direction, 3), EDIT(direction, 255),
	/* a hold that is opened needs no claim */
	EDIT(direction, THREEWAY_ACTIVE),
	EDIT(mode, 0), EDIT(mode, 4), EDIT(mode, 255),
	/* values that only a hold can have */
	EDIT(mode, THREEWAY_HANDOFF), EDIT(mode, THREEWAY_OBSERVE),
	EDIT(local_prefixlen, 33), EDIT(local_prefixlen, 255),
	EDIT(local_prefixlen, 22), EDIT(local_prefixlen, 0),
	EDIT(remote_prefixlen, 33), EDIT(remote_prefixlen, 128),
	EDIT(remote_prefixlen, 0), EDIT(remote_prefixlen, 4),
	EDIT(pad, 1), EDIT(pad, 0x8000),
	EDIT(port_first, 0), EDIT(port_first, PORT + 1),
	EDIT(port_last, 0), EDIT(port_last, PORT - 1),
	EDIT(local[3], 1), EDIT(local[3], 0x80), EDIT(local[4], 1),
	EDIT(local[15], 1), EDIT(remote[1], 1), EDIT(remote[15], 128),
	EDIT(policy.set, THREEWAY_P_ALL | (THREEWAY_P_ALL + 1)),
	EDIT(policy.set, ~0U),
	UNSET(SYNACK_RETRIES), UNSET(RTO_INITIAL), UNSET(RTO_MAX),
	UNSET(BACKLOG), UNSET(ISN), UNSET(SACK), UNSET(SYN_RETRIES),
	UNSET(SYN_LINEAR_TIMEOUTS), UNSET(FREEZE), UNSET(LIFETIME),
	UNSET(DELAY), UNSET(LOSE), UNSET(COOKIES), UNSET(COOKIE_PATH),
	UNSET(SYNACK_PATH),
	UNSET(SOURCE_RATE), UNSET(SOURCE_BURST), UNSET(SOURCE_FLOWS),
	EDIT(policy.cookies, 3), EDIT(policy.cookie_path, 2),
	EDIT(policy.synack_path, 2), EDIT(policy.pad, 1),
	EDIT(policy.source_rate, 65536), EDIT(policy.source_burst, 0),
	EDIT(policy.source_burst, 65536), EDIT(policy.source_flows, 4096),
	EDIT(policy.syn_retries, 256), EDIT(policy.syn_retries, ~0U),
	EDIT(policy.syn_linear_timeouts, 256),
	EDIT(policy.freeze, 5), EDIT(policy.freeze, ~0U),
	EDIT(policy.lifetime_ms, 0), EDIT(policy.lifetime_ms, 999),
	EDIT(policy.lifetime_ms, 86400001),
	EDIT(policy.delay_ms, 600001),
	EDIT(policy.reserved[0], 1), EDIT(policy.reserved[3], 1),
	EDIT(policy.synack_retries, 256),
	EDIT(policy.synack_retries, ~0U),
	EDIT(policy.rto_initial_ms, 0), EDIT(policy.rto_initial_ms, 99),
	EDIT(policy.rto_initial_ms, 60001),
	EDIT(policy.rto_max_ms, 0), EDIT(policy.rto_max_ms, 999),
	EDIT(policy.rto_max_ms, 120001),
	EDIT(policy.backlog, 0), EDIT(policy.backlog, 16777217),
	EDIT(policy.isn, 0), EDIT(policy.isn, 4),
	EDIT(policy.isn, THREEWAY_ISN_ENGINE),
	EDIT(policy.isn, THREEWAY_ISN_KERNEL),
	EDIT(policy.sack, 2), EDIT(policy.sack, 255),
	EDIT(policy.timestamps, 2), EDIT(policy.window_scaling, 2),
	EDIT(policy.ecn, 2),
};

TEST_F(control, CLAIM_ADD_bad_value_EINVAL)
{
	struct threeway_claim claim;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad_values); i++) {
		claim = full_claim();
		apply(&claim, &bad_values[i]);
		EXPECT_EQ(EINVAL, add(self->fd, &claim))
			TH_LOG("%s", bad_values[i].name);
	}
	EXPECT_EQ(0, count_claims(self->fd));
	claim = full_claim();
	EXPECT_EQ(0, add(self->fd, &claim));
}

TEST_F(control, CLAIM_ADD_value_not_set_must_be_zero)
{
	static const struct edit bad[] = {
		EDIT(policy.synack_retries, 1), EDIT(policy.rto_initial_ms, 1000),
		EDIT(policy.rto_max_ms, 1000), EDIT(policy.backlog, 1),
		EDIT(policy.isn, THREEWAY_ISN_ENGINE), EDIT(policy.isn_fixed, 1),
		EDIT(policy.sack, 1), EDIT(policy.timestamps, 1),
		EDIT(policy.window_scaling, 1), EDIT(policy.ecn, 1),
		EDIT(policy.syn_retries, 1), EDIT(policy.syn_linear_timeouts, 1),
		EDIT(policy.freeze, 1), EDIT(policy.lifetime_ms, 1000),
		EDIT(policy.delay_ms, 1), EDIT(policy.lose, 1),
		EDIT(policy.cookies, 1), EDIT(policy.cookie_path, 1),
		EDIT(policy.synack_path, 1),
		EDIT(policy.source_rate, 1), EDIT(policy.source_burst, 1),
		EDIT(policy.source_flows, 1),
	};
	struct threeway_claim claim;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		claim = plain_claim(AF_INET);
		apply(&claim, &bad[i]);
		EXPECT_EQ(EINVAL, add(self->fd, &claim))
			TH_LOG("%s", bad[i].name);
	}
	EXPECT_EQ(0, count_claims(self->fd));
}

TEST_F(control, CLAIM_ADD_any_family_has_no_addresses)
{
	static const struct edit bad[] = {
		EDIT(local_prefixlen, 1), EDIT(remote_prefixlen, 1),
		EDIT(local_prefixlen, 32), EDIT(remote_prefixlen, 128),
		EDIT(local[0], 1), EDIT(remote[15], 1),
	};
	struct threeway_claim claim;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		claim = plain_claim(AF_UNSPEC);
		apply(&claim, &bad[i]);
		EXPECT_EQ(EINVAL, add(self->fd, &claim))
			TH_LOG("%s", bad[i].name);
	}
	claim = plain_claim(AF_UNSPEC);
	EXPECT_EQ(0, add(self->fd, &claim));
}

TEST_F(control, CLAIM_ADD_edges_are_valid)
{
	static const struct edit good[] = {
		EDIT(port_first, 1), EDIT(port_last, 65535),
		EDIT(local_prefixlen, 32), EDIT(remote_prefixlen, 32),
		EDIT(remote_prefixlen, 7),
		EDIT(policy.synack_retries, 0), EDIT(policy.synack_retries, 255),
		EDIT(policy.rto_initial_ms, 100),
		EDIT(policy.rto_initial_ms, 60000),
		EDIT(policy.rto_max_ms, 1000),
		EDIT(policy.backlog, 1), EDIT(policy.backlog, 16777216),
		EDIT(policy.isn_fixed, 0), EDIT(policy.isn_fixed, ~0U),
		EDIT(policy.sack, 0), EDIT(policy.timestamps, 1),
		EDIT(policy.window_scaling, 1), EDIT(policy.ecn, 1),
		EDIT(policy.syn_retries, 0), EDIT(policy.syn_retries, 255),
		EDIT(policy.syn_linear_timeouts, 255),
		EDIT(policy.freeze, 0), EDIT(policy.freeze, 4),
		EDIT(policy.lifetime_ms, 1000),
		EDIT(policy.lifetime_ms, 86400000),
		EDIT(policy.delay_ms, 0), EDIT(policy.delay_ms, 600000),
		EDIT(policy.lose, 0), EDIT(policy.lose, ~0U),
	};
	struct threeway_claim claim;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		claim = full_claim();
		apply(&claim, &good[i]);
		EXPECT_EQ(0, add(self->fd, &claim))
			TH_LOG("%s", good[i].name);
		EXPECT_EQ(0, delete(self->fd, claim.id));
	}
	claim = plain_claim(AF_INET6);
	claim.local_prefixlen = 128;
	memset(claim.local, 0xff, 16);
	claim.remote_prefixlen = 1;
	claim.remote[0] = 0x80;
	EXPECT_EQ(0, add(self->fd, &claim));
	claim = plain_claim(AF_INET6);
	claim.port_first = 0;
	claim.port_last = 0;
	EXPECT_EQ(0, add(self->fd, &claim));
	claim = plain_claim(AF_INET6);
	claim.local_prefixlen = 129;
	EXPECT_EQ(EINVAL, add(self->fd, &claim));
	EXPECT_EQ(2, count_claims(self->fd));
}

TEST_F(control, CLAIM_ADD_the_same_again_EEXIST)
{
	struct threeway_claim first = full_claim(), claim;

	ASSERT_EQ(0, add(self->fd, &first));
	claim = full_claim();
	EXPECT_EQ(EEXIST, add(self->fd, &claim));
	/* the policy does not make it another claim, its selector does */
	memset(&claim.policy, 0, sizeof(claim.policy));
	EXPECT_EQ(EEXIST, add(self->fd, &claim));
	EXPECT_EQ(1, count_claims(self->fd));
	claim.port_last = PORT + 1;
	EXPECT_EQ(0, add(self->fd, &claim));
	claim.id = 0;
	EXPECT_EQ(EEXIST, add(self->fd, &claim));
	claim.remote_prefixlen = 9;
	EXPECT_EQ(0, add(self->fd, &claim));
	EXPECT_EQ(0, delete(self->fd, first.id));
	claim = full_claim();
	EXPECT_EQ(0, add(self->fd, &claim));
	EXPECT_LT(first.id, claim.id);
	EXPECT_EQ(3, count_claims(self->fd));
}

TEST_F(control, CLAIM_ADD_65536_claims_then_ENOSPC)
{
	struct threeway_claim claim;
	unsigned int i;

	for (i = 1; i < ALL_CLAIMS; i++) {
		claim = plain_claim(AF_UNSPEC);
		claim.port_first = i;
		claim.port_last = i;
		ASSERT_EQ(0, add(self->fd, &claim));
	}
	claim = plain_claim(AF_INET);
	ASSERT_EQ(0, add(self->fd, &claim));
	claim = plain_claim(AF_INET6);
	EXPECT_EQ(ENOSPC, add(self->fd, &claim));
	EXPECT_EQ(0, delete(self->fd, 1));
	EXPECT_EQ(0, add(self->fd, &claim));
}

TEST_F(control, CLAIM_DEL)
{
	struct threeway_claim_id wrong = { .id = 1, .pad = 1 };
	struct threeway_claim claim = plain_claim(AF_INET);

	ASSERT_EQ(0, add(self->fd, &claim));
	wrong.id = claim.id;
	EXPECT_EQ(EINVAL, call(self->fd, THREEWAY_IOC_CLAIM_DEL, &wrong));
	EXPECT_EQ(ENOENT, delete(self->fd, 0));
	EXPECT_EQ(ENOENT, delete(self->fd, claim.id + 1));
	EXPECT_EQ(ENOENT, delete(self->fd, ~0U));
	EXPECT_EQ(1, count_claims(self->fd));
	EXPECT_EQ(0, delete(self->fd, claim.id));
	EXPECT_EQ(ENOENT, delete(self->fd, claim.id));
	EXPECT_EQ(0, count_claims(self->fd));
}

TEST_F(control, lists_and_counters_check_room_and_count)
{
	static const unsigned long commands[] = {
		THREEWAY_IOC_CLAIM_LIST, THREEWAY_IOC_FLOW_LIST,
	};
	static struct threeway_flow records[4096];
	struct threeway_list list;
	struct threeway_stat stat;
	size_t i;

#define LIST(...) (list = (struct threeway_list){			\
	.records = (uintptr_t)records, __VA_ARGS__ },			\
	call(self->fd, commands[i], &list))
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		EXPECT_EQ(EINVAL, LIST(.room = 0));
		EXPECT_EQ(EINVAL, LIST(.room = 4097));
		EXPECT_EQ(EINVAL, LIST(.room = ~0U));
		EXPECT_EQ(EINVAL, LIST(.room = 1, .count = 1));
		EXPECT_EQ(0, LIST(.room = 1));
		EXPECT_EQ(0, LIST(.room = 4096));
		EXPECT_EQ(0, list.count);
	}
#define STAT(...) (stat = (struct threeway_stat){			\
	.values = (uintptr_t)records, __VA_ARGS__ },			\
	call(self->fd, THREEWAY_IOC_STAT_GET, &stat))
	EXPECT_EQ(EINVAL, STAT(.room = 0));
	EXPECT_EQ(EINVAL, STAT(.room = 4097));
	EXPECT_EQ(EINVAL, STAT(.room = 1, .count = 1));
	memset(records, 0xff, sizeof(records[0]));
	EXPECT_EQ(0, STAT(.room = 1));
	EXPECT_EQ(1, stat.count);
	EXPECT_EQ(0, memcmp(records, "\0\0\0\0\0\0\0\0\xff\xff", 10));
	EXPECT_EQ(0, STAT(.room = 4096));
	EXPECT_EQ(THREEWAY_COUNTER_MAX, stat.count);
}

TEST_F(control, CLAIM_LIST_in_the_order_of_ids)
{
	static struct threeway_claim_record records[100];
	struct threeway_claim claims[50];
	unsigned int step;
	int i;

	for (i = 0; i < 50; i++) {
		claims[i] = full_claim();
		claims[i].port_first = 1000 - i;
		claims[i].port_last = 1000 + i % 7;
		ASSERT_EQ(0, add(self->fd, &claims[i]));
	}
	for (step = 1; step < 60; step += 6) {
		memset(records, 0xff, sizeof(records));
		ASSERT_EQ(50, list_claims(self->fd, records, 100, step));
		for (i = 0; i < 50; i++) {
			EXPECT_EQ(0, memcmp(&records[i].claim, &claims[i],
					    sizeof(claims[i])));
			EXPECT_EQ(0, records[i].flows | records[i].pad |
				  records[i].opened | records[i].handed_over);
		}
	}
}

TEST_F(control, bound_to_the_namespace_of_its_opener)
{
	struct threeway_claim claim = plain_claim(AF_INET);
	int other;

	/* the file keeps working on a namespace that has no other user */
	ASSERT_EQ(0, setns(self->old_netns, CLONE_NEWNET));
	EXPECT_EQ(0, add(self->fd, &claim));
	EXPECT_EQ(1, count_claims(self->fd));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	other = open(THREEWAY_DEVICE, O_RDWR);
	ASSERT_LE(0, other);
	EXPECT_EQ(0, count_claims(other));
	EXPECT_EQ(ENOENT, delete(other, claim.id));
	EXPECT_EQ(1, count_claims(self->fd));
	close(other);
}

/* The capability to administer the network is given up for good. */
static int drop_capabilities(void)
{
	return setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534);
}

TEST_F(control, without_the_capability_EPERM)
{
	static const unsigned long commands[] = {
		THREEWAY_IOC_CLAIM_ADD, THREEWAY_IOC_CLAIM_DEL,
		THREEWAY_IOC_CLAIM_LIST, THREEWAY_IOC_FLOW_LIST,
		THREEWAY_IOC_FLOW_DEL, THREEWAY_IOC_STAT_GET,
	};
	static struct threeway_claim_record records[4];
	struct threeway_list list = {
		.records = (uintptr_t)records,
		.room = 4,
	};
	struct threeway_claim claim = plain_claim(AF_INET);
	size_t i;

	/* root everywhere, but the device file may be opened by others too */
	ASSERT_EQ(0, chmod(THREEWAY_DEVICE, 0666));
	ASSERT_EQ(0, drop_capabilities());
	EXPECT_EQ(-1, open(THREEWAY_DEVICE, O_RDWR));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(EPERM, add(self->fd, &claim));
	EXPECT_EQ(EPERM, call(self->fd, THREEWAY_IOC_CLAIM_LIST, &list));
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		EXPECT_EQ(EPERM, call(self->fd, commands[i], &claim));
}

TEST_F(control, LC10_user_namespace)
{
	struct threeway_claim claim = plain_claim(AF_INET);
	int fd;

	ASSERT_EQ(0, chmod(THREEWAY_DEVICE, 0666));
	ASSERT_EQ(0, drop_capabilities());
	ASSERT_EQ(0, unshare(CLONE_NEWUSER));
	/* all capabilities, but not over the namespace of the network */
	EXPECT_EQ(-1, open(THREEWAY_DEVICE, O_RDWR));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(EPERM, add(self->fd, &claim));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	fd = open(THREEWAY_DEVICE, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, add(fd, &claim));
	EXPECT_EQ(1, count_claims(fd));
	EXPECT_EQ(EPERM, add(self->fd, &claim));
	close(fd);
}

/*
 * A half-open flow on the loopback device: the listener waits for data, the
 * client sends none.
 */
struct half_open {
	int listener, client;
	union {
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address;
};

static int begin(struct half_open *h, int family)
{
	socklen_t length = sizeof(h->address);
	int one = 1, patience_s = 60;

	memset(h, 0, sizeof(*h));
	h->address.sa.sa_family = family;
	if (family == AF_INET)
		h->address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		h->address.v6.sin6_addr = in6addr_loopback;
	/* the port is at the same place in both */
	h->address.v4.sin_port = htons(PORT);
	h->listener = socket(family, SOCK_STREAM, 0);
	h->client = socket(family, SOCK_STREAM, 0);
	return setsockopt(h->listener, SOL_SOCKET, SO_REUSEADDR, &one,
			  sizeof(one)) ||
	       setsockopt(h->listener, IPPROTO_TCP, TCP_DEFER_ACCEPT,
			  &patience_s, sizeof(patience_s)) ||
	       bind(h->listener, &h->address.sa, length) ||
	       listen(h->listener, 5) ||
	       connect(h->client, &h->address.sa, length) ||
	       getsockname(h->client, &h->address.sa, &length);
}

static void end(struct half_open *h)
{
	close(h->client);
	close(h->listener);
}

static void check_flow(struct __test_metadata *_metadata,
		       const struct half_open *h,
		       const struct threeway_flow *flow,
		       const struct threeway_claim *claim)
{
	int family = h->address.sa.sa_family;
	const void *ip = family == AF_INET ?
		(const void *)&h->address.v4.sin_addr :
		(const void *)&h->address.v6.sin6_addr;
	__u8 address[16] = { 0 };

	memcpy(address, ip, family == AF_INET ? 4 : 16);
	EXPECT_EQ(claim->id, flow->claim);
	EXPECT_EQ(THREEWAY_PASSIVE, flow->direction);
	EXPECT_EQ(THREEWAY_SYN_RECEIVED, flow->state);
	EXPECT_EQ(family, flow->key.family);
	EXPECT_EQ(htons(PORT), flow->key.local_port);
	EXPECT_EQ(h->address.v4.sin_port, flow->key.remote_port);
	EXPECT_EQ(0, flow->key.ifindex);
	EXPECT_EQ(0, memcmp(flow->key.local, address, 16));
	EXPECT_EQ(0, memcmp(flow->key.remote, address, 16));
	EXPECT_EQ(flow->iss + 1, flow->snd_nxt);
	EXPECT_EQ(flow->irs + 1, flow->rcv_nxt);
	EXPECT_LT(0, flow->rcv_wnd);
	EXPECT_EQ(THREEWAY_F_SACK | THREEWAY_F_TIMESTAMPS |
		  THREEWAY_F_WINDOW_SCALING | THREEWAY_F_ACKED, flow->flags);
	EXPECT_EQ(family == AF_INET ? 65495 : 65476, flow->peer_mss);
	EXPECT_EQ(7, flow->snd_wscale);
	EXPECT_EQ(7, flow->rcv_wscale);
	EXPECT_EQ(0, flow->retransmits);
	EXPECT_GE(10000, flow->age_ms);
	EXPECT_EQ(0, flow->pad | flow->lifetime_ms | flow->key.pad);
}

static void check_flow_delete(struct __test_metadata *_metadata, int fd,
			      const struct threeway_flow *flow)
{
	struct threeway_flow_del del, right = { .key = flow->key };

#define WRONG(what) (del = right, (what),				\
		     call(fd, THREEWAY_IOC_FLOW_DEL, &del))
	EXPECT_EQ(EINVAL, WRONG(del.key.family = 0));
	EXPECT_EQ(EINVAL, WRONG(del.key.family = AF_UNIX));
	EXPECT_EQ(EINVAL, WRONG(del.pad = 1));
	EXPECT_EQ(EINVAL, WRONG(del.key.pad = 1));
	if (flow->key.family == AF_INET) {
		EXPECT_EQ(EINVAL, WRONG(del.key.local[4] = 1));
		EXPECT_EQ(EINVAL, WRONG(del.key.remote[15] = 1));
	}
	EXPECT_EQ(ENOENT, WRONG(del.id = flow->id + 1));
	EXPECT_EQ(ENOENT, WRONG(del.key.local_port ^= 1));
	EXPECT_EQ(ENOENT, WRONG(del.key.remote_port ^= 1));
	EXPECT_EQ(ENOENT, WRONG(del.key.local[0] ^= 1));
	EXPECT_EQ(ENOENT, WRONG(del.key.remote[3] ^= 1));
	EXPECT_EQ(ENOENT, WRONG(del.key.ifindex = 1));
	EXPECT_EQ(0, counter(fd, THREEWAY_C_flows_killed));
	del = right;
	del.id = flow->id;
	EXPECT_EQ(0, call(fd, THREEWAY_IOC_FLOW_DEL, &del));
	EXPECT_EQ(1, counter(fd, THREEWAY_C_flows_killed));
	EXPECT_EQ(ENOENT, call(fd, THREEWAY_IOC_FLOW_DEL, &del));
	del.id = 0;
	EXPECT_EQ(ENOENT, call(fd, THREEWAY_IOC_FLOW_DEL, &del));
}

/* The client may be connected before its ACK has come back by the loopback. */
static bool await_ack(int fd)
{
	int ms;

	for (ms = 0; ms < 1000; ms++) {
		if (counter(fd, THREEWAY_C_segment_deferred))
			return true;
		usleep(1000);
	}
	return false;
}

static void check_flows(struct __test_metadata *_metadata, int fd, int family)
{
	struct threeway_claim_record record;
	struct threeway_claim claim = plain_claim(family);
	struct threeway_flow flows[4];
	struct half_open h;
	char byte;

	ASSERT_EQ(0, add(fd, &claim));
	ASSERT_EQ(0, begin(&h, family));
	ASSERT_TRUE(await_ack(fd));
	ASSERT_EQ(1, list_flows(fd, flows, 4));
	check_flow(_metadata, &h, &flows[0], &claim);
	ASSERT_EQ(1, list_claims(fd, &record, 1, 1));
	EXPECT_EQ(1, record.flows);
	EXPECT_EQ(1, record.opened);
	EXPECT_EQ(0, record.handed_over);
	check_flow_delete(_metadata, fd, &flows[0]);
	EXPECT_EQ(0, list_flows(fd, flows, 4));
	ASSERT_EQ(1, list_claims(fd, &record, 1, 1));
	EXPECT_EQ(0, record.flows);
	EXPECT_EQ(1, counter(fd, THREEWAY_C_flows_opened));
	/* forgotten in silence: the client learns of it when it sends */
	EXPECT_EQ(1, send(h.client, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(-1, recv(h.client, &byte, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	end(&h);
}

TEST_F(control, flows_are_listed_and_deleted_v4)
{
	check_flows(_metadata, self->fd, AF_INET);
}

TEST_F(control, flows_are_listed_and_deleted_v6)
{
	check_flows(_metadata, self->fd, AF_INET6);
}

TEST_F(control, FLOW_LIST_begins_again_after_an_error)
{
	struct threeway_claim claim = plain_claim(AF_UNSPEC);
	struct threeway_flow flows[2] = { 0 };
	struct threeway_list list, before;
	struct half_open h, g;

#define WALK(to, from) (list = (struct threeway_list){			\
	.records = (uintptr_t)(to), .cursor = (from), .room = 1 },	\
	before = list, call(self->fd, THREEWAY_IOC_FLOW_LIST, &list))
	ASSERT_EQ(0, add(self->fd, &claim));
	ASSERT_EQ(0, begin(&h, AF_INET));
	ASSERT_EQ(0, begin(&g, AF_INET6));
	ASSERT_EQ(0, WALK(&flows[0], 0));
	ASSERT_EQ(1, list.count);
	EXPECT_EQ(EFAULT, WALK(BAD_POINTER, list.cursor));
	EXPECT_EQ(0, memcmp(&before, &list, sizeof(list)));
	EXPECT_EQ(EINVAL, WALK(&flows[0], list.cursor));
	EXPECT_EQ(0, WALK(&flows[0], 0));
	EXPECT_EQ(1, list.count);
	EXPECT_EQ(0, WALK(&flows[1], list.cursor));
	EXPECT_EQ(1, list.count);
	EXPECT_NE(flows[0].key.family, flows[1].key.family);
	EXPECT_EQ(0, WALK(&flows[0], list.cursor));
	EXPECT_EQ(0, list.count);
	EXPECT_EQ(EINVAL, WALK(&flows[0], 12345));
	/* deleting the claim leaves its flows alone */
	EXPECT_EQ(0, delete(self->fd, claim.id));
	EXPECT_EQ(2, list_flows(self->fd, flows, 2));
	end(&h);
	end(&g);
}

TEST_HARNESS_MAIN
