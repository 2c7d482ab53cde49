// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls of /dev/threeway, near to right ones: nothing crashes, no call
 * fails in a way that is not documented, and the table of claims is what the
 * calls that succeeded have made of it. SEED in the environment repeats a run.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "ioctlgen.h"
#include "kselftest_harness.h"

#define CALLS		10000

/* What the kernel should have, by id. */
static struct threeway_claim model[CALLS + 2];
static bool alive[CALLS + 2];
static unsigned int last_id;

static char records[IOCTLGEN_BYTES];

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
		list.room = IOCTLGEN_ROOM;
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
	unsigned int done[256] = { 0 };
	union argument argument;
	unsigned long command;
	int fd, i, error;

	ioctlgen_state = ioctlgen_seed();
	TH_LOG("SEED=%llu", ioctlgen_state);
	ASSERT_EQ(0, system("test -d /sys/module/threeway || modprobe threeway"));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	fd = open(THREEWAY_DEVICE, O_RDWR);
	ASSERT_LE(0, fd);
	for (i = 0; i < CALLS; i++) {
		command = make_call(&argument, records, last_id);
		if (pick(3))
			mutate(&argument, &command, records);
		error = ioctl(fd, command, &argument) ? errno : 0;
		ASSERT_TRUE(documented(command, error))
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
