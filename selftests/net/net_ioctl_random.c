// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls of /dev/threeway, near to right ones: nothing crashes, no call
 * fails in a way that is not documented, and the table of claims is what the
 * calls that succeeded have made of it. SEED in the environment repeats a run.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "threeway.h"
#include "kselftest_harness.h"

#define CALLS		10000
#define ROOM		4096

union argument {
	struct threeway_claim claim;
	struct threeway_claim_id id;
	struct threeway_list list;
	struct threeway_flow_del del;
	struct threeway_stat stat;
	unsigned char bytes[128];
};

/* What the kernel should have, by id. */
static struct threeway_claim model[CALLS + 2];
static bool alive[CALLS + 2];
static unsigned int last_id;

static char records[ROOM * sizeof(struct threeway_claim_record)];
static unsigned long long state;

static unsigned int pick(unsigned int below)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % below;
}

static unsigned int pick_interesting(void)
{
	static const unsigned int values[] = {
		0, 1, 2, 3, 4, 10, 32, 33, 64, 100, 127, 128, 129, 255, 256,
		999, 1000, 4096, 4097, 32767, 32768, 60000, 60001, 65535,
		65536, 120000, 16777216, 16777217, 0x7fffffff, 0x80000000,
		0xfffffffe, 0xffffffff,
	};

	return values[pick(ARRAY_SIZE(values))];
}

static void make_claim(struct threeway_claim *claim)
{
	claim->family = pick(3) ? AF_INET : pick(2) ? AF_INET6 : AF_UNSPEC;
	claim->direction = THREEWAY_PASSIVE;
	claim->mode = THREEWAY_HANDOFF;
	claim->port_first = pick(40) + 1;
	claim->port_last = claim->port_first + pick(3);
	if (claim->family != AF_UNSPEC) {
		claim->local_prefixlen = 8 * pick(3);
		memset(claim->local, 10, claim->local_prefixlen / 8);
	}
	if (!pick(4)) {
		claim->policy.set = THREEWAY_P_BACKLOG | THREEWAY_P_ECN;
		claim->policy.backlog = pick_interesting();
		claim->policy.ecn = pick(2);
	}
}

static unsigned long make_call(union argument *argument)
{
	static const unsigned long commands[] = {
		THREEWAY_IOC_CLAIM_ADD, THREEWAY_IOC_CLAIM_DEL,
		THREEWAY_IOC_CLAIM_LIST, THREEWAY_IOC_FLOW_LIST,
		THREEWAY_IOC_FLOW_DEL, THREEWAY_IOC_STAT_GET,
	};
	unsigned long command = commands[pick(ARRAY_SIZE(commands))];

	memset(argument, 0, sizeof(*argument));
	switch (command) {
	case THREEWAY_IOC_CLAIM_ADD:
		make_claim(&argument->claim);
		break;
	case THREEWAY_IOC_CLAIM_DEL:
		argument->id.id = pick(last_id + 2);
		break;
	case THREEWAY_IOC_FLOW_DEL:
		argument->del.key.family = AF_INET;
		break;
	case THREEWAY_IOC_STAT_GET:
		argument->stat.values = (uintptr_t)records;
		argument->stat.room = pick(ROOM);
		break;
	default:
		argument->list.records = (uintptr_t)records;
		argument->list.room = pick(ROOM);
		argument->list.cursor = pick(2) ? pick(last_id + 2) : 0;
	}
	return command;
}

/* Never a pointer into this program: the kernel would write there. */
static void keep_pointer(union argument *argument, unsigned long command)
{
	if (command != THREEWAY_IOC_CLAIM_LIST &&
	    command != THREEWAY_IOC_FLOW_LIST &&
	    command != THREEWAY_IOC_STAT_GET)
		return;
	argument->list.records = (uintptr_t)records;
	if (!pick(8))
		argument->list.records = pick(2) ? pick(4096) : ~0ULL << pick(8);
}

static void mutate(union argument *argument, unsigned long *command)
{
	unsigned int count = pick(4), value, at;

	while (count--) {
		value = pick_interesting();
		at = pick(_IOC_SIZE(*command));
		switch (pick(4)) {
		case 0:
			argument->bytes[at] ^= 1 << pick(8);
			break;
		case 1:
			argument->bytes[at] = value;
			break;
		case 2:
			memcpy(argument->bytes + (at & ~1U), &value, 2);
			break;
		default:
			memcpy(argument->bytes + (at & ~3U), &value, 4);
		}
	}
	keep_pointer(argument, *command);
	if (!pick(100))
		*command ^= 1UL << pick(32);
}

static bool documented(int error)
{
	switch (error) {
	case 0:
	case EINVAL:
	case EEXIST:
	case ENOENT:
	case EFAULT:
	case ENOTTY:
		return true;
	}
	return false;
}

static void follow(struct __test_metadata *_metadata, unsigned long command,
		   const union argument *argument)
{
	unsigned int id;

	if (command == THREEWAY_IOC_CLAIM_ADD) {
		id = argument->claim.id;
		ASSERT_LT(last_id, id);
		ASSERT_GT(ARRAY_SIZE(model), id);
		last_id = id;
		model[id] = argument->claim;
		alive[id] = true;
	} else if (command == THREEWAY_IOC_CLAIM_DEL) {
		id = argument->id.id;
		ASSERT_GT(ARRAY_SIZE(model), id);
		ASSERT_TRUE(alive[id]);
		alive[id] = false;
	}
}

static void compare_tables(struct __test_metadata *_metadata, int fd)
{
	struct threeway_claim_record *record = (void *)records;
	struct threeway_list list = { 0 };
	unsigned int id = 0, i;

	do {
		list.records = (uintptr_t)records;
		list.room = ROOM;
		list.count = 0;
		ASSERT_EQ(0, ioctl(fd, THREEWAY_IOC_CLAIM_LIST, &list));
		for (i = 0; i < list.count; i++) {
			do {
				ASSERT_GT(last_id, id++);
			} while (!alive[id]);
			ASSERT_EQ(0, memcmp(&record[i].claim, &model[id],
					    sizeof(model[id])));
		}
	} while (list.count);
	while (id < last_id)
		ASSERT_FALSE(alive[++id]);
}

TEST(ten_thousand_random_calls)
{
	unsigned int done[ERANGE + 1] = { 0 };
	union argument argument;
	unsigned long command;
	int fd, i, error;
	char *seed;

	seed = getenv("SEED");
	state = seed ? strtoull(seed, NULL, 0) : (unsigned int)time(NULL);
	TH_LOG("SEED=%llu", state);
	ASSERT_EQ(0, system("test -d /sys/module/threeway || modprobe threeway"));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	fd = open(THREEWAY_DEVICE, O_RDWR);
	ASSERT_LE(0, fd);
	for (i = 0; i < CALLS; i++) {
		command = make_call(&argument);
		if (pick(3))
			mutate(&argument, &command);
		error = ioctl(fd, command, &argument) ? errno : 0;
		ASSERT_TRUE(documented(error))
			TH_LOG("call %d, %#lx: %s", i, command, strerror(error));
		done[error]++;
		if (!error)
			follow(_metadata, command, &argument);
		if (i % 1000 == 0)
			compare_tables(_metadata, fd);
	}
	compare_tables(_metadata, fd);
	/* the mixture must try the whole interface */
	EXPECT_LT(CALLS / 4, done[0]);
	EXPECT_LT(CALLS / 50, done[EINVAL]);
	EXPECT_LT(CALLS / 50, done[ENOENT]);
	EXPECT_LT(10, done[EEXIST]);
	EXPECT_LT(10, done[EFAULT]);
	EXPECT_LT(10, done[ENOTTY]);
	close(fd);
}

TEST_HARNESS_MAIN
