// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls of /dev/threeway from several threads at once, through one file
 * and through files of their own, with arguments on pages that are taken away
 * meanwhile, while files are opened and closed. At the end everything can be
 * deleted, and as many flows have ended as were opened. SEED in the environment
 * repeats what is called, not the order.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

#include "controlutil.h"
#include "ioctlgen.h"
#include "kselftest_harness.h"

#define CALLERS	4
#define CALLS	3000

static atomic_bool stop;
static atomic_uint undocumented, succeeded, refused, flips, last_id;
static int shared;
static unsigned long long seed;

struct caller {
	pthread_t thread;
	unsigned int number;
	unsigned char *page;
	char *records;
	int pipe[2];
};

static struct caller callers[CALLERS];

static void note(unsigned long command, int error,
		 const union argument *argument)
{
	if (!error) {
		atomic_fetch_add(&succeeded, 1);
		if (command == THREEWAY_IOC_CLAIM_ADD)
			atomic_store(&last_id, argument->claim.id);
	} else {
		atomic_fetch_add(&refused, 1);
	}
	if (documented(command, error))
		return;
	if (atomic_fetch_add(&undocumented, 1) < 10)
		printf("# %#lx: %s\n", command, strerror(error));
}

/* By a system call: it fails where memcpy() would be a signal. */
static bool put_on_page(const struct caller *caller,
			const union argument *argument)
{
	bool done;

	mprotect(caller->page, 4096, PROT_READ | PROT_WRITE);
	done = write(caller->pipe[1], argument, sizeof(*argument)) > 0;
	if (read(caller->pipe[0], caller->page, sizeof(*argument)) < 0) {
		/* it must not stay in the pipe */
		done = read(caller->pipe[0], caller->records,
			    sizeof(*argument)) < 0;
	}
	return done;
}

/* Whatever comes of it. */
static void read_some(int fd, void *to)
{
	ssize_t n = read(fd, to, IOCTLGEN_BYTES);

	if (n % (ssize_t)sizeof(struct threeway_event) > 0)
		atomic_fetch_add(&undocumented, 1);
}

static void *call_at_random(void *argument)
{
	const struct caller *caller = argument;
	union argument call_argument;
	unsigned long command;
	int fd = -1, i, error;
	void *at;

	ioctlgen_state = seed + caller->number;
	for (i = 0; i < CALLS; i++) {
		if (i % 100 == 0) {
			if (fd >= 0)
				close(fd);
			fd = open(THREEWAY_DEVICE, O_RDWR | O_NONBLOCK);
		}
		command = make_call(&call_argument, caller->records,
				    atomic_load(&last_id));
		if (pick(2))
			mutate(&call_argument, &command, caller->records);
		at = &call_argument;
		/* the page may go between here and the kernel's last look */
		if (pick(2) && put_on_page(caller, &call_argument))
			at = caller->page;
		error = call(pick(2) ? fd : shared, command, at);
		note(command, error, &call_argument);
		if (!pick(20))
			read_some(pick(2) ? fd : shared, caller->records);
	}
	close(fd);
	return NULL;
}

/* Takes the right to write to the arguments away. */
static void *flip(void *unused)
{
	unsigned int i = 0;

	while (!atomic_load(&stop)) {
		mprotect(callers[i % CALLERS].page, 4096, PROT_READ);
		atomic_fetch_add(&flips, 1);
		i++;
		usleep(100);
	}
	return unused;
}

FIXTURE(race) {
	int fd;
};

FIXTURE_SETUP(race)
{
	unsigned int i;

	seed = ioctlgen_seed();
	TH_LOG("SEED=%llu", seed);
	ASSERT_EQ(0, system("test -d /sys/module/threeway || modprobe threeway"));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, system(make_link));
	self->fd = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC);
	shared = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, shared);
	for (i = 0; i < CALLERS; i++) {
		callers[i].number = i;
		callers[i].records = malloc(IOCTLGEN_BYTES);
		ASSERT_EQ(0, pipe(callers[i].pipe));
		callers[i].page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(MAP_FAILED, (void *)callers[i].page);
	}
}

FIXTURE_TEARDOWN(race)
{
	close(shared);
	close(self->fd);
}

static unsigned long long ended_flows(int fd)
{
	static const enum threeway_counter ends[] = {
		THREEWAY_C_flows_killed, THREEWAY_C_flows_lifetime,
		THREEWAY_C_flows_timed_out, THREEWAY_C_flows_icmp,
		THREEWAY_C_flows_native_owns, THREEWAY_C_flows_refused,
		THREEWAY_C_flows_reset, THREEWAY_C_flows_expired,
		THREEWAY_C_flows_refusing, THREEWAY_C_flows_syn_reset,
	};
	unsigned long long sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ends); i++)
		sum += read_counter(fd, ends[i]);
	return sum;
}

TEST_F_TIMEOUT(race, LC7_LC9_calls_from_all_sides, 120)
{
	pthread_t flipper;
	unsigned int i;

	ASSERT_EQ(0, pthread_create(&flipper, NULL, flip, NULL));
	for (i = 0; i < CALLERS; i++)
		ASSERT_EQ(0, pthread_create(&callers[i].thread, NULL,
					    call_at_random, &callers[i]));
	for (i = 0; i < CALLERS; i++)
		pthread_join(callers[i].thread, NULL);
	atomic_store(&stop, true);
	pthread_join(flipper, NULL);
	TH_LOG("%u calls succeeded, %u refused, %u flips",
	       atomic_load(&succeeded), atomic_load(&refused),
	       atomic_load(&flips));
	EXPECT_EQ(0, atomic_load(&undocumented));
	EXPECT_LT(CALLS, atomic_load(&succeeded));
	EXPECT_LT(CALLS, atomic_load(&refused));
	/* more of them than one list has room for */
	for (i = 0; i < 200 && !empty_state(self->fd); i++)
		;
	EXPECT_TRUE(empty_state(self->fd));
	EXPECT_LT(CALLS / 20, read_counter(self->fd, THREEWAY_C_flows_opened));
	EXPECT_EQ(read_counter(self->fd, THREEWAY_C_flows_opened),
		  ended_flows(self->fd));
}

TEST_HARNESS_MAIN
