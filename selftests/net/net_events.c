// SPDX-License-Identifier: GPL-2.0
/*
 * The contract of reading events from /dev/threeway, as uapi/threeway.h has it.
 * Built a second time as a 32-bit program, which must find the very same. What
 * the events say is the matter of wire_events.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "threeway.h"
#include "kselftest_harness.h"

#define PORT		8080
#define BAD_POINTER	((void *)8)
#define SIZE		sizeof(struct threeway_event)
#define ROOM_MIN	16
#define ROOM_MAX	65536
#define READERS_MAX	64
/* OPENED, ARRIVED, STATE, SENT; ARRIVED, HANDOFF */
#define EVENTS		6
#define LATER_MS	200

static struct threeway_event events[1024];

/* An errno value, 0 for success. */
static int start(int fd, unsigned int room, unsigned long long flow,
		 unsigned int claim)
{
	struct threeway_event_start wanted = {
		.flow = flow,
		.claim = claim,
		.room = room,
	};

	return ioctl(fd, THREEWAY_IOC_EVENT_START, &wanted) ? errno : 0;
}

/* How many events one read() of so many bytes gets, or -errno. */
static int take(int fd, size_t bytes)
{
	ssize_t n = read(fd, events, bytes);

	if (n < 0)
		return -errno;
	return n % SIZE ? -1000 : (int)(n / SIZE);
}

static unsigned long long counter(int fd, enum threeway_counter number)
{
	__u64 values[THREEWAY_COUNTER_MAX] = { 0 };
	struct threeway_stat stat = {
		.values = (uintptr_t)values,
		.room = THREEWAY_COUNTER_MAX,
	};

	ioctl(fd, THREEWAY_IOC_STAT_GET, &stat);
	return values[number];
}

static void set_blocking(int fd, bool blocking)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

static struct sockaddr_in loopback(unsigned short port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	return address;
}

static int serve(unsigned short port)
{
	struct sockaddr_in address = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (void *)&address, sizeof(address)) || listen(fd, 16))
		return -1;
	return fd;
}

/* When accept() returns, all events of the handshake are told. */
static bool handshake(int listener, unsigned short port)
{
	struct sockaddr_in address = loopback(port);
	struct linger reset = { 1, 0 };
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int server = -1;

	if (!connect(client, (void *)&address, sizeof(address)))
		server = accept(listener, NULL, NULL);
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client);
	close(server);
	return server >= 0;
}

/* The same by another process, LATER_MS from now on. */
static pid_t handshake_later(int listener)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	usleep(LATER_MS * 1000);
	_exit(!handshake(listener, PORT));
}

static bool succeeds(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && status == 0;
}

static unsigned int now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int add_claim(int fd, unsigned short port)
{
	struct threeway_claim claim = {
		.family = AF_INET,
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HANDOFF,
		.port_first = port,
		.port_last = port,
	};

	return ioctl(fd, THREEWAY_IOC_CLAIM_ADD, &claim) ? -1 : (int)claim.id;
}

FIXTURE(events) {
	int fd;
	int old_netns;
	int listener;
	int claim;
};

FIXTURE_SETUP(events)
{
	self->old_netns = open("/proc/self/ns/net", O_RDONLY);
	ASSERT_LE(0, self->old_netns);
	ASSERT_EQ(0, system("test -d /sys/module/threeway || modprobe threeway"));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, system("ip link set lo up"));
	self->fd = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	self->claim = add_claim(self->fd, PORT);
	ASSERT_LE(0, self->claim);
	self->listener = serve(PORT);
	ASSERT_LE(0, self->listener);
}

FIXTURE_TEARDOWN(events)
{
	close(self->listener);
	close(self->fd);
	close(self->old_netns);
}

static int poll_now(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&ready, 1, 0) < 0 ? -errno : ready.revents;
}

TEST_F(events, without_START_ENODATA)
{
	EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(-ENODATA, take(self->fd, sizeof(events)));
	EXPECT_EQ(-ENODATA, take(self->fd, 0));
	EXPECT_EQ(POLLERR, poll_now(self->fd));
	set_blocking(self->fd, true);
	EXPECT_EQ(-ENODATA, take(self->fd, sizeof(events)));
	/* what happened before does not count */
	EXPECT_EQ(0, start(self->fd, ROOM_MIN, 0, 0));
	EXPECT_EQ(0, poll_now(self->fd));
	set_blocking(self->fd, false);
	EXPECT_EQ(-EAGAIN, take(self->fd, sizeof(events)));
}

TEST_F(events, START_bad_value_EINVAL)
{
	static const unsigned int rooms[] = {
		0, 1, ROOM_MIN - 1, ROOM_MAX + 1, 0x7fffffff, 0x80000000, ~0U,
	};
	size_t i;

	EXPECT_EQ(-1, ioctl(self->fd, THREEWAY_IOC_EVENT_START, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->fd, THREEWAY_IOC_EVENT_START, BAD_POINTER));
	EXPECT_EQ(EFAULT, errno);
	for (i = 0; i < ARRAY_SIZE(rooms); i++)
		EXPECT_EQ(EINVAL, start(self->fd, rooms[i], 0, 0));
	EXPECT_EQ(-ENODATA, take(self->fd, SIZE));

	EXPECT_EQ(0, start(self->fd, ROOM_MAX, 0, 0));
	EXPECT_TRUE(handshake(self->listener, PORT));
	/* a call that fails changes nothing */
	for (i = 0; i < ARRAY_SIZE(rooms); i++)
		EXPECT_EQ(EINVAL, start(self->fd, rooms[i], ~0ULL, 0));
	EXPECT_EQ(EVENTS, take(self->fd, sizeof(events)));
}

TEST_F(events, read_gets_whole_events_as_many_as_fit)
{
	ASSERT_EQ(0, start(self->fd, 64, 0, 0));
	EXPECT_EQ(128, SIZE);
	EXPECT_EQ(-EINVAL, take(self->fd, 0));
	EXPECT_EQ(-EINVAL, take(self->fd, SIZE - 1));
	EXPECT_EQ(-EAGAIN, take(self->fd, SIZE));
	EXPECT_EQ(0, poll_now(self->fd));
	ASSERT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(-EINVAL, take(self->fd, 0));
	EXPECT_EQ(-EINVAL, take(self->fd, 1));
	EXPECT_EQ(-EINVAL, take(self->fd, SIZE - 1));
	EXPECT_EQ(POLLIN, poll_now(self->fd));
	memset(events, 0xff, sizeof(events));
	EXPECT_EQ(1, take(self->fd, SIZE));
	EXPECT_EQ(THREEWAY_EV_OPENED, events[0].type);
	EXPECT_EQ(0xff, events[1].type);
	EXPECT_EQ(3, take(self->fd, SIZE * 4 - 1));
	EXPECT_EQ(THREEWAY_EV_ARRIVED, events[0].type);
	EXPECT_EQ(THREEWAY_EV_SENT, events[2].type);
	EXPECT_EQ(0xff, events[3].type);
	EXPECT_EQ(2, take(self->fd, sizeof(events)));
	EXPECT_EQ(THREEWAY_EV_HANDOFF, events[1].type);
	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_EQ(-EAGAIN, take(self->fd, sizeof(events)));
}

TEST_F(events, bad_pointer_EFAULT_loses_nothing)
{
	long page = sysconf(_SC_PAGESIZE);
	char *two = mmap(NULL, page * 2, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct threeway_event *last = (void *)(two + page - 2 * SIZE - 8);

	ASSERT_NE(MAP_FAILED, (void *)two);
	ASSERT_EQ(0, munmap(two + page, page));
	ASSERT_EQ(0, start(self->fd, 64, 0, 0));
	ASSERT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(-1, read(self->fd, two + page, SIZE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(self->fd, two + page - SIZE + 1, SIZE));
	EXPECT_EQ(EFAULT, errno);
	/* the third event would be cut */
	EXPECT_EQ(2 * SIZE, read(self->fd, last, 5 * SIZE));
	EXPECT_EQ(THREEWAY_EV_OPENED, last[0].type);
	EXPECT_EQ(THREEWAY_EV_ARRIVED, last[1].type);
	EXPECT_EQ(4, take(self->fd, sizeof(events)));
	EXPECT_EQ(THREEWAY_EV_STATE, events[0].type);
	EXPECT_EQ(THREEWAY_EV_HANDOFF, events[3].type);
	munmap(two, page);
}

TEST_F(events, only_a_stream_that_is_read)
{
	char byte = 0;
	struct iovec parts[] = {
		{ events, 100 }, { (char *)events + 100, 28 + SIZE },
		{ events + 2, SIZE + 5 },
	};

	ASSERT_EQ(0, start(self->fd, 64, 0, 0));
	ASSERT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(-1, pread(self->fd, events, sizeof(events), 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, write(self->fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	/* events do not care how the buffer is cut */
	EXPECT_EQ(3 * SIZE, readv(self->fd, parts, 3));
	EXPECT_EQ(THREEWAY_EV_OPENED, events[0].type);
	EXPECT_EQ(THREEWAY_EV_ARRIVED, events[1].type);
	EXPECT_EQ(THREEWAY_EV_STATE, events[2].type);
	EXPECT_EQ(3, take(self->fd, sizeof(events)));
}

TEST_F(events, read_blocks_until_there_is_one)
{
	unsigned int begun;
	pid_t pid;
	int n = 0;

	ASSERT_EQ(0, start(self->fd, 64, 0, 0));
	set_blocking(self->fd, true);
	begun = now_ms();
	pid = handshake_later(self->listener);
	while (n < EVENTS) {
		int now = take(self->fd, sizeof(events));

		ASSERT_LT(0, now);
		EXPECT_LE(LATER_MS, now_ms() - begun);
		n += now;
	}
	EXPECT_EQ(EVENTS, n);
	EXPECT_TRUE(succeeds(pid));
}

static void on_alarm(int signal)
{
	(void)signal;
}

TEST_F(events, a_signal_interrupts_read)
{
	struct itimerval later = { .it_value.tv_usec = LATER_MS * 1000 };
	struct sigaction action = { .sa_handler = on_alarm };
	unsigned int begun = now_ms();

	ASSERT_EQ(0, start(self->fd, 64, 0, 0));
	set_blocking(self->fd, true);
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &later, NULL));
	EXPECT_EQ(-EINTR, take(self->fd, sizeof(events)));
	EXPECT_LE(LATER_MS, now_ms() - begun);
	EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(EVENTS, take(self->fd, sizeof(events)));
}

TEST_F(events, poll_waits_until_there_is_one)
{
	struct pollfd ready = { .fd = self->fd, .events = POLLIN };
	unsigned int begun = now_ms();
	pid_t pid;

	ASSERT_EQ(0, start(self->fd, 64, 0, 0));
	EXPECT_EQ(0, poll(&ready, 1, 50));
	EXPECT_LE(50, now_ms() - begun);
	begun = now_ms();
	pid = handshake_later(self->listener);
	EXPECT_EQ(1, poll(&ready, 1, 10000));
	EXPECT_EQ(POLLIN, ready.revents);
	EXPECT_LE(LATER_MS, now_ms() - begun);
	EXPECT_GE(LATER_MS * 5, now_ms() - begun);
	EXPECT_TRUE(succeeds(pid));
	EXPECT_EQ(EVENTS, take(self->fd, sizeof(events)));
	EXPECT_EQ(0, poll(&ready, 1, 0));
}

/* Edge-triggered: told once for each time that the first event comes. */
TEST_F(events, epoll_tells_each_first_event)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int set = epoll_create1(EPOLL_CLOEXEC), i;

	ASSERT_EQ(0, start(self->fd, 64, 0, 0));
	ASSERT_EQ(0, epoll_ctl(set, EPOLL_CTL_ADD, self->fd, &event));
	EXPECT_EQ(0, epoll_wait(set, &event, 1, 0));
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(handshake(self->listener, PORT));
		EXPECT_EQ(1, epoll_wait(set, &event, 1, 0));
		EXPECT_EQ(EPOLLIN, event.events);
		EXPECT_EQ(0, epoll_wait(set, &event, 1, 0));
		EXPECT_EQ(EVENTS, take(self->fd, sizeof(events)));
	}
	close(set);
}

TEST_F(events, each_file_has_all_events)
{
	static struct threeway_event others[EVENTS + 1];
	int other = open(THREEWAY_DEVICE, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	ASSERT_LE(0, other);
	EXPECT_EQ(0, start(self->fd, 64, 0, 0));
	EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(0, start(other, 64, 0, 0));
	EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(EVENTS * SIZE, read(other, others, sizeof(others)));
	EXPECT_EQ(2 * EVENTS, take(self->fd, sizeof(events)));
	EXPECT_EQ(0, memcmp(others, events + EVENTS, EVENTS * SIZE));
	/* one goes, the other stays */
	close(other);
	EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(EVENTS, take(self->fd, sizeof(events)));
	EXPECT_EQ(0, counter(self->fd, THREEWAY_C_events_lost));
}

/* Reads one by one and passes on what it gets. */
static pid_t pass_on(int fd, int to)
{
	pid_t pid = fork();
	struct threeway_event event;

	if (pid)
		return pid;
	while (read(fd, &event, SIZE) == SIZE)
		if (write(to, &event, SIZE) != SIZE)
			_exit(1);
	_exit(1);
}

TEST_F(events, several_processes_share_the_events_of_a_file)
{
	unsigned char seen[32][EVENTS] = { 0 };
	unsigned int i, j, rounds = 20;
	struct threeway_event event;
	pid_t readers[3];
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, start(self->fd, 1024, 0, 0));
	set_blocking(self->fd, true);
	for (i = 0; i < 3; i++)
		readers[i] = pass_on(self->fd, pipes[1]);
	usleep(50000);
	for (i = 0; i < rounds; i++)
		ASSERT_TRUE(handshake(self->listener, PORT));
	for (i = 0; i < rounds * EVENTS; i++) {
		ASSERT_EQ(SIZE, read(pipes[0], &event, SIZE));
		ASSERT_GT(32, event.flow);
		/* ARRIVED comes twice, with and without ACK */
		j = event.type == THREEWAY_EV_HANDOFF ? 0 : event.type;
		if (event.type == THREEWAY_EV_ARRIVED && event.flags & 0x10)
			j = THREEWAY_EV_TIMER;
		ASSERT_GT(EVENTS, j);
		EXPECT_EQ(1, ++seen[event.flow][j]);
	}
	/* killed in the middle of read() */
	for (i = 0; i < 3; i++) {
		kill(readers[i], SIGKILL);
		waitpid(readers[i], NULL, 0);
	}
	EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(EVENTS, take(self->fd, sizeof(events)));
}

TEST_F(events, START_of_too_many_files_ENOSPC)
{
	int fds[READERS_MAX], other, i;

	for (i = 0; i < READERS_MAX; i++) {
		fds[i] = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
		ASSERT_LE(0, fds[i]);
		EXPECT_EQ(0, start(fds[i], ROOM_MIN, 0, 0));
	}
	EXPECT_EQ(ENOSPC, start(self->fd, ROOM_MIN, 0, 0));
	EXPECT_EQ(-ENODATA, take(self->fd, SIZE));
	/* those that are there may start again, and get what they ask for */
	EXPECT_EQ(0, start(fds[0], ROOM_MIN, 0, 0));
	EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(EVENTS, take(fds[0], sizeof(events)));
	EXPECT_EQ(EVENTS, take(fds[READERS_MAX - 1], sizeof(events)));
	/* another namespace has its own */
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	other = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	EXPECT_EQ(0, start(other, ROOM_MIN, 0, 0));
	close(other);
	EXPECT_EQ(ENOSPC, start(self->fd, ROOM_MIN, 0, 0));
	close(fds[1]);
	EXPECT_EQ(0, start(self->fd, ROOM_MIN, 0, 0));
	EXPECT_EQ(-EAGAIN, take(self->fd, SIZE));
	for (i = 0; i < READERS_MAX; i++)
		if (i != 1)
			close(fds[i]);
}

TEST_F(events, only_those_of_a_claim)
{
	int other = add_claim(self->fd, PORT + 1), i;
	int listener = serve(PORT + 1);

	ASSERT_LE(0, other);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, start(self->fd, 64, 0, other));
	EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(-EAGAIN, take(self->fd, sizeof(events)));
	EXPECT_TRUE(handshake(listener, PORT + 1));
	EXPECT_TRUE(handshake(self->listener, PORT));
	ASSERT_EQ(EVENTS, take(self->fd, sizeof(events)));
	for (i = 0; i < EVENTS; i++) {
		EXPECT_EQ(other, events[i].claim);
		EXPECT_EQ(htons(PORT + 1), events[i].key.local_port);
	}
	/* of none: no event, and none lost */
	ASSERT_EQ(0, start(self->fd, ROOM_MIN, 0, ~0U));
	for (i = 0; i < ROOM_MIN; i++)
		EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(-EAGAIN, take(self->fd, sizeof(events)));
	EXPECT_EQ(0, counter(self->fd, THREEWAY_C_events_lost));
	close(listener);
}

TEST_F(events, only_those_of_a_flow)
{
	unsigned long long flow;
	int i;

	ASSERT_EQ(0, start(self->fd, 64, 0, 0));
	EXPECT_TRUE(handshake(self->listener, PORT));
	ASSERT_EQ(EVENTS, take(self->fd, sizeof(events)));
	flow = events[0].flow;
	/* ids are given in turn */
	ASSERT_EQ(0, start(self->fd, 64, flow + 2, 0));
	for (i = 0; i < 4; i++)
		EXPECT_TRUE(handshake(self->listener, PORT));
	ASSERT_EQ(EVENTS, take(self->fd, sizeof(events)));
	for (i = 0; i < EVENTS; i++)
		EXPECT_EQ(flow + 2, events[i].flow);
	/* both conditions have to be met */
	ASSERT_EQ(0, start(self->fd, 64, flow + 5, self->claim + 1));
	EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(-EAGAIN, take(self->fd, sizeof(events)));
	ASSERT_EQ(0, start(self->fd, 64, flow + 6, self->claim));
	EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(EVENTS, take(self->fd, sizeof(events)));
}

TEST_F(events, START_again_drops_what_waits)
{
	int i;

	ASSERT_EQ(0, start(self->fd, ROOM_MIN, 0, 0));
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(3 * EVENTS - ROOM_MIN,
		  counter(self->fd, THREEWAY_C_events_lost));
	ASSERT_EQ(0, start(self->fd, 2 * ROOM_MIN, 0, 0));
	EXPECT_EQ(0, poll_now(self->fd));
	EXPECT_EQ(-EAGAIN, take(self->fd, sizeof(events)));
	for (i = 0; i < 5; i++)
		EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(30, take(self->fd, sizeof(events)));
	for (i = 0; i < 30; i++)
		EXPECT_EQ(0, events[i].lost);
}

/* Nobody reads: every handshake succeeds, the oldest events are kept. */
TEST_F(events, a_reader_that_does_not_read_loses_and_slows_nothing)
{
	static const unsigned int rounds = 1000;
	int other = open(THREEWAY_DEVICE, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned int i, lost = rounds * EVENTS - 20;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, start(self->fd, 20, 0, 0));
	ASSERT_EQ(0, start(other, ROOM_MIN, 0, 0));
	for (i = 0; i < rounds; i++)
		ASSERT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(rounds, counter(self->fd, THREEWAY_C_flows_opened));
	EXPECT_EQ(rounds, counter(self->fd, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(rounds, counter(self->fd, THREEWAY_C_sent_synack));
	EXPECT_EQ(lost + rounds * EVENTS - ROOM_MIN,
		  counter(self->fd, THREEWAY_C_events_lost));
	close(other);
	/* half of the room becomes free, the next event says what is missing */
	ASSERT_EQ(10, take(self->fd, 10 * SIZE));
	EXPECT_EQ(THREEWAY_EV_OPENED, events[0].type);
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(1 + i / EVENTS, events[i].flow);
		EXPECT_EQ(0, events[i].lost);
	}
	ASSERT_TRUE(handshake(self->listener, PORT));
	ASSERT_TRUE(handshake(self->listener, PORT));
	ASSERT_EQ(20, take(self->fd, sizeof(events)));
	for (i = 0; i < 10; i++)
		EXPECT_EQ(0, events[i].lost);
	for (; i < 20; i++) {
		EXPECT_EQ(rounds + 1 + (i - 10) / EVENTS, events[i].flow);
		EXPECT_EQ(lost, events[i].lost);
	}
	ASSERT_TRUE(handshake(self->listener, PORT));
	ASSERT_EQ(EVENTS, take(self->fd, sizeof(events)));
	EXPECT_EQ(lost + 2, events[0].lost);
	EXPECT_EQ(lost + 2, events[EVENTS - 1].lost);
}

/* The ring goes round many times, against one that never has to. */
TEST_F(events, the_order_stays_in_a_small_ring)
{
	static struct threeway_event all[256 * EVENTS];
	int other = open(THREEWAY_DEVICE, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned int i, got = 0, total = 0;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, start(other, ROOM_MAX, 0, 0));
	ASSERT_EQ(0, start(self->fd, 17, 0, 0));
	for (i = 0; i < 256; i++) {
		ASSERT_TRUE(handshake(self->listener, PORT));
		total += EVENTS;
		/* what stays is at most 11, and another 6 fit */
		while (total - got > 11 - i % 7) {
			ssize_t n = read(self->fd, all + got,
					 (1 + i % 5) * SIZE);

			ASSERT_LT(0, n);
			got += n / SIZE;
		}
	}
	got += read(self->fd, all + got, 17 * SIZE) / SIZE;
	ASSERT_EQ(total, got);
	for (i = 0; i < total; i += 512) {
		ASSERT_EQ(512, take(other, 512 * SIZE));
		ASSERT_EQ(0, memcmp(all + i, events, 512 * SIZE));
	}
	EXPECT_EQ(0, counter(self->fd, THREEWAY_C_events_lost));
	close(other);
}

TEST_F(events, of_the_namespace_of_the_opener_only)
{
	int other, listener;

	ASSERT_EQ(0, start(self->fd, 64, 0, 0));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, system("ip link set lo up"));
	other = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	ASSERT_LE(0, other);
	ASSERT_LE(0, add_claim(other, PORT));
	listener = serve(PORT);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, start(other, 64, 0, 0));
	ASSERT_TRUE(handshake(listener, PORT));
	EXPECT_EQ(-EAGAIN, take(self->fd, sizeof(events)));
	EXPECT_EQ(EVENTS, take(other, sizeof(events)));
	/* started from elsewhere, it is still the opener's */
	ASSERT_EQ(0, start(self->fd, 64, 0, 0));
	ASSERT_TRUE(handshake(listener, PORT));
	EXPECT_EQ(-EAGAIN, take(self->fd, sizeof(events)));
	EXPECT_EQ(EVENTS, take(other, sizeof(events)));
	close(listener);
	close(other);
}

TEST_F(events, START_without_the_capability_EPERM)
{
	pid_t pid;

	ASSERT_EQ(0, start(self->fd, 64, 0, 0));
	ASSERT_TRUE(handshake(self->listener, PORT));
	pid = fork();
	if (!pid) {
		if (setresuid(65534, 65534, 65534) ||
		    start(self->fd, 64, 0, 0) != EPERM)
			_exit(1);
		/* what was allowed once may be read on */
		_exit(take(self->fd, 2 * SIZE) != 2);
	}
	EXPECT_TRUE(succeeds(pid));
	EXPECT_EQ(EVENTS - 2, take(self->fd, sizeof(events)));
}

TEST_F(events, an_open_file_keeps_the_module)
{
	ASSERT_EQ(0, start(self->fd, ROOM_MAX, 0, 0));
	EXPECT_EQ(-1, syscall(SYS_delete_module, "threeway", O_NONBLOCK));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_TRUE(handshake(self->listener, PORT));
	EXPECT_EQ(EVENTS, take(self->fd, sizeof(events)));
}

TEST_HARNESS_MAIN
