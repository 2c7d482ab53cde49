// SPDX-License-Identifier: GPL-2.0
/*
 * Handshakes, kills and readers at the same time on all CPUs: one reader with
 * room for everything finds the events of each flow complete and in order,
 * while others are opened, started anew, read and closed at any moment.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "threeway.h"
#include "kselftest_harness.h"

#define PORT		8080
#define SIZE		sizeof(struct threeway_event)
#define CLIENTS		2
#define DISTURBERS	3
#define RUN_MS		4000
/* It goes on that long where so many handshakes take their time. */
#define RUN_MAX_MS	60000
#define HANDSHAKES_MIN	100
#define FLOWS_MAX	100000
#define ROOM_MAX	65536

static atomic_bool stop;
static atomic_uint complaints, handshakes, restarts;

/* What the last event of each flow was. */
static struct threeway_event last[FLOWS_MAX];
static unsigned long long told[THREEWAY_COUNTER_MAX];

static void complain(const char *what, const struct threeway_event *event)
{
	atomic_fetch_add(&complaints, 1);
	printf("# flow %llu: event %u: %s\n", (unsigned long long)event->flow,
	       event->type, what);
}

static struct sockaddr_in server_address(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	return address;
}

static void *client(void *unused)
{
	struct sockaddr_in address = server_address();
	struct linger reset = { 1, 0 };

	while (!atomic_load(&stop)) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (!connect(fd, (void *)&address, sizeof(address)))
			atomic_fetch_add(&handshakes, 1);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
	return unused;
}

static void *server(void *argument)
{
	struct pollfd ready = { .fd = *(int *)argument, .events = POLLIN };

	while (!atomic_load(&stop))
		if (poll(&ready, 1, 10) > 0)
			close(accept(ready.fd, NULL, NULL));
	return NULL;
}

/* Deletes whatever flow it sees, so that ends come from elsewhere, too. */
static void *killer(void *argument)
{
	int fd = *(int *)argument;

	while (!atomic_load(&stop)) {
		struct threeway_flow flow;
		struct threeway_list list = {
			.records = (uintptr_t)&flow,
			.room = 1,
		};
		struct threeway_flow_del del = { 0 };

		if (ioctl(fd, THREEWAY_IOC_FLOW_LIST, &list) || !list.count) {
			usleep(500);
			continue;
		}
		del.id = flow.id;
		del.key = flow.key;
		ioctl(fd, THREEWAY_IOC_FLOW_DEL, &del);
	}
	return NULL;
}

/* Opens, starts, starts anew, reads a little, closes. */
static void *disturber(void *argument)
{
	unsigned int seed = (uintptr_t)argument;
	struct threeway_event some[8];

	while (!atomic_load(&stop)) {
		int fd = open(THREEWAY_DEVICE, O_RDONLY | O_NONBLOCK);
		int i, n = rand_r(&seed) % 4;

		for (i = 0; i < n; i++) {
			struct threeway_event_start start = {
				.room = 16 + rand_r(&seed) % 512,
			};

			if (ioctl(fd, THREEWAY_IOC_EVENT_START, &start))
				complain(strerror(errno), &some[0]);
			atomic_fetch_add(&restarts, 1);
			usleep(rand_r(&seed) % 2000);
			if (read(fd, some, SIZE * (1 + rand_r(&seed) % 8)) %
			    (ssize_t)SIZE > 0)
				complain("not whole", &some[0]);
		}
		close(fd);
	}
	return NULL;
}

static void look_at(const struct threeway_event *event)
{
	struct threeway_event *before;

	if (event->flow >= FLOWS_MAX) {
		complain("what flow?", event);
		return;
	}
	before = &last[event->flow];
	if (before->type && event->type == THREEWAY_EV_OPENED)
		complain("opened twice", event);
	if (!before->type && event->type != THREEWAY_EV_OPENED)
		complain("not opened", event);
	if (before->type == THREEWAY_EV_HANDOFF ||
	    before->type == THREEWAY_EV_ENDED)
		complain("after the last one", event);
	if (before->type && (event->state_before != before->state ||
			     event->time_ns < before->time_ns ||
			     event->iss != before->iss ||
			     memcmp(&event->key, &before->key,
				    sizeof(event->key))))
		complain("does not follow", event);
	if (event->lost)
		complain("lost", event);
	if (event->counter < THREEWAY_COUNTER_MAX)
		told[event->counter]++;
	*before = *event;
}

static unsigned int read_all(int fd)
{
	static struct threeway_event events[4096];
	ssize_t n = read(fd, events, sizeof(events));
	ssize_t i;

	for (i = 0; i < n / (ssize_t)SIZE; i++)
		look_at(&events[i]);
	return n > 0 ? n / SIZE : 0;
}

static unsigned int now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

FIXTURE(race) {
	int fd;
	int reader;
	int listener;
};

FIXTURE_SETUP(race)
{
	struct sockaddr_in address = server_address();
	struct threeway_claim claim = {
		.family = AF_INET,
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HANDOFF,
		.port_first = PORT,
		.port_last = PORT,
	};

	ASSERT_EQ(0, system("test -d /sys/module/threeway || modprobe threeway"));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, system("ip link set lo up"));
	self->fd = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC);
	self->reader = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->reader);
	ASSERT_EQ(0, ioctl(self->fd, THREEWAY_IOC_CLAIM_ADD, &claim));
	self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, bind(self->listener, (void *)&address, sizeof(address)));
	ASSERT_EQ(0, listen(self->listener, 128));
}

FIXTURE_TEARDOWN(race)
{
	close(self->listener);
	close(self->reader);
	close(self->fd);
}

static void compare_counters(struct __test_metadata *_metadata, int fd)
{
	__u64 values[THREEWAY_COUNTER_MAX] = { 0 };
	struct threeway_stat stat = {
		.values = (uintptr_t)values,
		.room = THREEWAY_COUNTER_MAX,
	};
	unsigned int i;

	ASSERT_EQ(0, ioctl(fd, THREEWAY_IOC_STAT_GET, &stat));
	for (i = 0; i < THREEWAY_COUNTER_MAX; i++) {
		/* the disturbers lose some; a copy of a SYN is of no flow yet */
		if (i == THREEWAY_C_events_lost ||
		    i == THREEWAY_C_segment_duplicate_limited)
			continue;
		/* how a handoff was done, not that it was */
		if (i == THREEWAY_C_handoff_replayed)
			continue;
		/* SYNs that were left to the native stack are of none */
		if (i >= THREEWAY_C_segment_syn_fin &&
		    i <= THREEWAY_C_native_cookie_ack)
			continue;
		EXPECT_EQ(values[i], told[i])
			TH_LOG("counter %u", i);
	}
	EXPECT_LT(0, values[THREEWAY_C_flows_handed_over]);
	TH_LOG("%llu flows, %llu killed, %u restarts",
	       (unsigned long long)values[THREEWAY_C_flows_opened],
	       (unsigned long long)values[THREEWAY_C_flows_killed],
	       atomic_load(&restarts));
}

TEST_F_TIMEOUT(race, LC7_readers_come_and_go_during_handshakes, 120)
{
	struct threeway_event_start start = { .room = ROOM_MAX };
	pthread_t threads[CLIENTS + DISTURBERS + 2];
	unsigned int i, n = 0, begun = now_ms();

	ASSERT_EQ(0, ioctl(self->reader, THREEWAY_IOC_EVENT_START, &start));
	pthread_create(&threads[n++], NULL, server, &self->listener);
	pthread_create(&threads[n++], NULL, killer, &self->fd);
	for (i = 0; i < CLIENTS; i++)
		pthread_create(&threads[n++], NULL, client, NULL);
	for (i = 0; i < DISTURBERS; i++)
		pthread_create(&threads[n++], NULL, disturber,
			       (void *)(uintptr_t)(i + 1));
	while (now_ms() - begun < RUN_MS ||
	       (atomic_load(&handshakes) <= HANDSHAKES_MIN &&
		now_ms() - begun < RUN_MAX_MS)) {
		struct pollfd ready = { .fd = self->reader, .events = POLLIN };

		poll(&ready, 1, 100);
		read_all(self->reader);
	}
	atomic_store(&stop, true);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	usleep(100000);
	while (read_all(self->reader))
		;
	EXPECT_EQ(0, atomic_load(&complaints));
	EXPECT_LT(HANDSHAKES_MIN, atomic_load(&handshakes));
	compare_counters(_metadata, self->reader);
}

TEST_HARNESS_MAIN
