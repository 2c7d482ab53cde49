// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/threeway and everything that is not as it should be but the values: memory
 * that ends in the middle of an argument, that cannot be read or written, files
 * that are others, duplicates or travelled, system calls that the device does not
 * know. What is refused changes nothing. SEED in the environment repeats the
 * random part.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "controlutil.h"
#include "ioctlgen.h"
#include "kselftest_harness.h"

#define CALLS	2000

/* Where an argument lies. */
enum place {
	PLAIN,
	MISALIGNED,
	READ_ONLY,
	READ_ONLY_END,		/* its second half is on a page that is */
	UNMAPPED_END,
	UNMAPPED,
	UNREADABLE,
	NULL_PAGE,
	KERNEL,
	TOP,
	PLACES
};

static bool readable(enum place place)
{
	return place <= READ_ONLY_END;
}

static bool writable(enum place place)
{
	return place <= MISALIGNED;
}

static bool writes_back(unsigned long command)
{
	return _IOC_DIR(command) & _IOC_READ;
}

static size_t page;
static unsigned char *pages;	/* two, and one that is not there */
static char records[IOCTLGEN_BYTES];

static unsigned char *memory_at(enum place place, size_t size)
{
	switch (place) {
	case PLAIN:
		return pages;
	case MISALIGNED:
		return pages + 1;
	case READ_ONLY:
		return pages + page;
	case READ_ONLY_END:
		return pages + page - size / 2;
	case UNMAPPED_END:
		return pages + 2 * page - size / 2;
	case UNMAPPED:
	case UNREADABLE:
		return pages + 2 * page;
	case NULL_PAGE:
		return NULL;
	case KERNEL:
		return (unsigned char *)0xffff888000000000UL;
	default:
		return (unsigned char *)-(uintptr_t)(size / 2);
	}
}

/* Copies the argument there, as far as there is a there. */
static void *place_argument(enum place place, const void *argument, size_t size)
{
	unsigned char *at = memory_at(place, size);
	size_t fit = size;

	if (place == UNMAPPED_END)
		fit = size / 2;
	else if (place > UNMAPPED_END)
		fit = 0;
	mprotect(pages, 2 * page, PROT_READ | PROT_WRITE);
	memcpy(at, argument, fit);
	mprotect(pages + page, page, PROT_READ);
	mprotect(pages + 2 * page, page, PROT_NONE);
	return at;
}

/* What there was before a call, and after it. */
static struct state before, now;

FIXTURE(hostile) {
	int fd;
};

static int add_claim(int fd, unsigned int port)
{
	struct threeway_claim claim = {
		.family = AF_INET,
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HANDOFF,
		.port_first = port,
		.port_last = port,
	};

	return call(fd, THREEWAY_IOC_CLAIM_ADD, &claim) ? -1 : (int)claim.id;
}

static int open_flow(int fd, struct threeway_open *open)
{
	memset(open, 0, sizeof(*open));
	make_open(open);
	return call(fd, THREEWAY_IOC_OPEN, open);
}

FIXTURE_SETUP(hostile)
{
	struct threeway_open conf;

	ioctlgen_state = ioctlgen_seed();
	ASSERT_EQ(0, system("test -d /sys/module/threeway || modprobe threeway"));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, system(make_link));
	self->fd = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_LT(0, add_claim(self->fd, 77));
	ASSERT_EQ(0, open_flow(self->fd, &conf));
	page = sysconf(_SC_PAGESIZE);
	pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)pages);
	ASSERT_EQ(0, mprotect(pages + 2 * page, page, PROT_NONE));
	ASSERT_TRUE(read_state(self->fd, &before));
	ASSERT_EQ(1, before.claims);
	ASSERT_EQ(1, before.flows);
}

FIXTURE_TEARDOWN(hostile)
{
	munmap(pages, 3 * page);
	close(self->fd);
}

static bool unchanged(int fd)
{
	return read_state(fd, &now) && same_state(&before, &now);
}

/* A call that would succeed. Return: the size of its argument. */
static size_t good_call(unsigned long command, union argument *argument)
{
	memset(argument, 0, sizeof(*argument));
	switch (command) {
	case THREEWAY_IOC_CLAIM_ADD:
		argument->claim.direction = THREEWAY_PASSIVE;
		argument->claim.mode = THREEWAY_HANDOFF;
		argument->claim.port_first = 1000;
		argument->claim.port_last = 2000;
		break;
	case THREEWAY_IOC_CLAIM_DEL:
		argument->id.id = before.claim[0].id;
		break;
	case THREEWAY_IOC_OPEN:
		make_open(&argument->open);
		break;
	case THREEWAY_IOC_EVENT_START:
		argument->start.room = 16;
		break;
	case THREEWAY_IOC_STAT_GET:
		argument->stat.values = (uintptr_t)records;
		argument->stat.room = 100;
		break;
	default:
		argument->list.records = (uintptr_t)records;
		argument->list.room = 100;
	}
	return _IOC_SIZE(command);
}

/* What the call has done is undone: one claim and one flow again. */
static void restore(struct __test_metadata *_metadata, int fd)
{
	struct threeway_open open;

	ASSERT_TRUE(empty_state(fd));
	ASSERT_LT(0, add_claim(fd, 77));
	ASSERT_EQ(0, open_flow(fd, &open));
	ASSERT_TRUE(read_state(fd, &before));
}

static const unsigned long commands[] = {
	THREEWAY_IOC_CLAIM_ADD, THREEWAY_IOC_CLAIM_DEL,
	THREEWAY_IOC_CLAIM_LIST, THREEWAY_IOC_FLOW_LIST, THREEWAY_IOC_STAT_GET,
	THREEWAY_IOC_OPEN, THREEWAY_IOC_EVENT_START,
};

TEST_F(hostile, memory_of_every_argument)
{
	union argument argument;
	enum place place;
	int want, got;
	size_t i, size;
	void *at;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		for (place = PLAIN; place < PLACES; place++) {
			size = good_call(commands[i], &argument);
			at = place_argument(place, &argument, size);
			want = !readable(place) || (!writable(place) &&
			       writes_back(commands[i])) ? EFAULT : 0;
			got = call(self->fd, commands[i], at);
			EXPECT_EQ(want, got)
				TH_LOG("command %zu, place %d", i, place);
			EXPECT_TRUE(!want || unchanged(self->fd))
				TH_LOG("command %zu, place %d", i, place);
			restore(_metadata, self->fd);
		}
	}
}

/* FLOW_DEL names something that another call returned. */
TEST_F(hostile, memory_of_FLOW_DEL)
{
	struct threeway_flow_del del;
	struct threeway_open open;
	enum place place;
	void *at;

	for (place = PLAIN; place < PLACES; place++) {
		ASSERT_EQ(0, open_flow(self->fd, &open));
		ASSERT_TRUE(read_state(self->fd, &before));
		memset(&del, 0, sizeof(del));
		del.id = open.id;
		del.key = open.key;
		at = place_argument(place, &del, sizeof(del));
		EXPECT_EQ(readable(place) ? 0 : EFAULT,
			  call(self->fd, THREEWAY_IOC_FLOW_DEL, at))
			TH_LOG("place %d", place);
		EXPECT_NE(readable(place), unchanged(self->fd))
			TH_LOG("place %d", place);
		restore(_metadata, self->fd);
	}
}

/* The records of a list, and the values of the counters. */
TEST_F(hostile, memory_of_lists)
{
	static const unsigned long lists[] = {
		THREEWAY_IOC_CLAIM_LIST, THREEWAY_IOC_FLOW_LIST,
		THREEWAY_IOC_STAT_GET,
	};
	union argument argument;
	enum place place;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		for (place = PLAIN; place < PLACES; place++) {
			place_argument(PLAIN, &argument, 0);
			good_call(lists[i], &argument);
			argument.list.records =
				(uintptr_t)memory_at(place, 16);
			EXPECT_EQ(writable(place) ? 0 : EFAULT,
				  call(self->fd, lists[i], &argument))
				TH_LOG("list %zu, place %d", i, place);
			EXPECT_TRUE(unchanged(self->fd));
		}
	}
}

/* Events that could not be copied are not lost, and come whole. */
TEST_F(hostile, a_list_of_claims_goes_on_after_any_id)
{
	struct threeway_claim_record record[4];
	struct threeway_claim_id id = { 0 };
	struct threeway_list list;
	unsigned int ids[3], i;

#define AFTER(id) (list = (struct threeway_list){			\
	.records = (uintptr_t)record, .cursor = (id),			\
	.room = ARRAY_SIZE(record) },					\
	call(self->fd, THREEWAY_IOC_CLAIM_LIST, &list))
	for (i = 0; i < ARRAY_SIZE(ids); i++)
		ids[i] = add_claim(self->fd, 90 + i);
	EXPECT_EQ(0, AFTER(ids[0]));
	EXPECT_EQ(2, list.count);
	EXPECT_EQ(ids[1], record[0].claim.id);
	EXPECT_EQ(ids[2], list.cursor);
	id.id = ids[1];
	EXPECT_EQ(0, call(self->fd, THREEWAY_IOC_CLAIM_DEL, &id));
	EXPECT_EQ(0, AFTER(ids[1]));
	EXPECT_EQ(1, list.count);
	EXPECT_EQ(ids[2], record[0].claim.id);
	EXPECT_EQ(0, AFTER(0xffffffff));
	EXPECT_EQ(0, list.count);
	EXPECT_EQ(0xffffffff, list.cursor);
	EXPECT_EQ(EINVAL, AFTER(1ULL << 32));
	EXPECT_EQ(EINVAL, AFTER(~0ULL));
#undef AFTER
}

TEST_F(hostile, memory_of_events)
{
	const size_t size = sizeof(struct threeway_event);
	struct threeway_event_start start = { .room = 64 };
	struct threeway_event event;
	struct threeway_open open;
	enum place place;
	unsigned char *at;

	ASSERT_EQ(0, call(self->fd, THREEWAY_IOC_EVENT_START, &start));
	ASSERT_EQ(0, open_flow(self->fd, &open));
	place_argument(PLAIN, &event, 0);
	for (place = READ_ONLY; place < PLACES; place++) {
		at = memory_at(place, size);
		EXPECT_EQ(-1, read(self->fd, at, size))
			TH_LOG("place %d", place);
		EXPECT_EQ(EFAULT, errno);
	}
	/* one and a half fit, one comes */
	at = pages + page - size - size / 2;
	EXPECT_EQ((ssize_t)size, read(self->fd, at, 2 * size));
	memcpy(&event, at, size);
	EXPECT_EQ(THREEWAY_EV_OPENED, event.type);
	EXPECT_EQ((ssize_t)size, read(self->fd, pages + 1, size));
	memcpy(&event, pages + 1, size);
	EXPECT_EQ(THREEWAY_EV_STATE, event.type);
	EXPECT_EQ(open.id, event.flow);
	EXPECT_EQ(0, event.lost);
}

/* An errno value. */
#define FAILS(error, expression) do {			\
	errno = 0;					\
	EXPECT_EQ(-1, (long)(expression));		\
	EXPECT_EQ(error, errno);			\
} while (0)

TEST_F(hostile, other_system_calls)
{
	struct threeway_event_start start = { .room = 16 };
	struct iovec vector = { records, 1000 };
	int ends[2], fd = self->fd;
	loff_t offset = 0;

	ASSERT_EQ(0, pipe(ends));
	FAILS(ENODATA, read(fd, records, sizeof(records)));
	ASSERT_EQ(0, call(fd, THREEWAY_IOC_EVENT_START, &start));
	FAILS(EAGAIN, read(fd, records, sizeof(records)));
	FAILS(EINVAL, read(fd, records, sizeof(struct threeway_event) - 1));
	FAILS(EINVAL, read(fd, records, 0));
	FAILS(EAGAIN, readv(fd, &vector, 1));
	FAILS(ESPIPE, pread(fd, records, 1000, 0));
	FAILS(ESPIPE, preadv(fd, &vector, 1, 4096));
	FAILS(EINVAL, write(fd, records, 1));
	FAILS(ESPIPE, lseek(fd, 0, SEEK_SET));
	FAILS(ESPIPE, lseek(fd, 0, SEEK_END));
	FAILS(ENODEV, mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0));
	FAILS(ENODEV, mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, page));
	FAILS(EINVAL, splice(fd, NULL, ends[1], NULL, 100, 0));
	FAILS(EINVAL, splice(ends[0], NULL, fd, NULL, 100, SPLICE_F_NONBLOCK));
	FAILS(EINVAL, splice(fd, &offset, ends[1], NULL, 100, 0));
	FAILS(EINVAL, sendfile(ends[1], fd, NULL, 100));
	FAILS(EINVAL, fsync(fd));
	FAILS(EINVAL, ftruncate(fd, 0));
	EXPECT_NE(0, fallocate(fd, 0, 0, 1));
	EXPECT_TRUE(unchanged(self->fd));
	close(ends[0]);
	close(ends[1]);
}

TEST_F(hostile, events_make_it_ready)
{
	struct threeway_event_start start = { .room = 16 };
	struct pollfd ready = { .fd = self->fd, .events = POLLIN | POLLOUT };
	struct threeway_open open;

	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(POLLERR, ready.revents);
	ASSERT_EQ(0, call(self->fd, THREEWAY_IOC_EVENT_START, &start));
	EXPECT_EQ(0, poll(&ready, 1, 0));
	ASSERT_EQ(0, open_flow(self->fd, &open));
	EXPECT_EQ(1, poll(&ready, 1, 0));
	EXPECT_EQ(POLLIN, ready.revents);
}

/* A duplicate is the same file, wherever it comes from and is used. */
TEST_F(hostile, duplicates_and_inheritance)
{
	int pair[2], fds[3], status;
	size_t i;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_TRUE(send_fd(pair[0], self->fd));
	fds[0] = receive_fd(pair[1]);
	fds[1] = dup(self->fd);
	fds[2] = fcntl(self->fd, F_DUPFD_CLOEXEC, 500);
	/* the namespace is that of the first open(), not the caller's */
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		ASSERT_TRUE(read_state(fds[i], &now));
		EXPECT_TRUE(same_state(&before, &now));
		close(fds[i]);
	}
	if (!fork())
		_exit(empty_state(self->fd) ? 42 : 1);
	ASSERT_LT(0, wait(&status));
	EXPECT_EQ(42, WEXITSTATUS(status));
	ASSERT_TRUE(read_state(self->fd, &now));
	EXPECT_EQ(0, now.claims + now.flows);
	close(pair[0]);
	close(pair[1]);
}

/* Opened anew below /proc it is another file, of the opener's namespace. */
TEST_F(hostile, opened_anew_it_has_another_namespace)
{
	char name[64];
	int fd;

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", self->fd);
	fd = open(name, O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(read_state(fd, &now));
	EXPECT_EQ(0, now.claims + now.flows);
	EXPECT_LT(0, add_claim(fd, 77));
	close(fd);
	EXPECT_TRUE(unchanged(self->fd));
}

TEST_F(hostile, other_files)
{
	union argument argument;
	int fds[5];
	size_t i, j;

	fds[0] = open(THREEWAY_DEVICE, O_PATH);
	fds[1] = open("/dev/null", O_RDWR);
	fds[2] = socket(AF_INET, SOCK_STREAM, 0);
	fds[3] = open("/proc/self/exe", O_RDONLY);
	fds[4] = dup(self->fd);
	close(fds[4]);
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		for (j = 0; j < ARRAY_SIZE(commands); j++) {
			good_call(commands[j], &argument);
			EXPECT_NE(0, call(fds[i], commands[j], &argument))
				TH_LOG("file %zu, command %zu", i, j);
		}
	}
	EXPECT_TRUE(unchanged(self->fd));
	for (i = 0; i < 4; i++)
		close(fds[i]);
}

/* RFC 9293 MUST-46: no SYN is sent to everybody. */
TEST_F(hostile, ER6_OPEN_to_a_broadcast_address)
{
	static const unsigned char remote[][4] = {
		{ 192, 0, 2, 255 }, { 255, 255, 255, 255 },
		{ 224, 0, 0, 1 }, { 0, 0, 0, 0 },
	};
	unsigned long long sent = read_counter(self->fd, THREEWAY_C_sent_syn);
	struct threeway_open open;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(remote); i++) {
		memset(&open, 0, sizeof(open));
		make_open(&open);
		open.key.family = AF_INET;
		memset(open.key.remote, 0, sizeof(open.key.remote));
		memcpy(open.key.remote, remote[i], 4);
		EXPECT_EQ(i ? EINVAL : ENETUNREACH,
			  call(self->fd, THREEWAY_IOC_OPEN, &open))
			TH_LOG("address %zu", i);
	}
	EXPECT_TRUE(unchanged(self->fd));
	EXPECT_EQ(sent, read_counter(self->fd, THREEWAY_C_sent_syn));
}

TEST_F(hostile, random_calls_from_random_memory)
{
	unsigned int refused = 0, done = 0, i;
	union argument argument;
	unsigned long command;
	enum place place;
	bool mutated;
	int error;

	ioctlgen_state = ioctlgen_seed();
	TH_LOG("SEED=%llu", ioctlgen_state);
	for (i = 0; i < CALLS; i++) {
		command = make_call(&argument, records, before.claims ?
				    before.claim[before.claims - 1].id : 0);
		mutated = pick(2);
		if (mutated)
			mutate(&argument, &command, records);
		place = pick(2) ? PLAIN : pick(PLACES);
		error = call(self->fd, command,
			     place_argument(place, &argument,
					    sizeof(argument)));
		if (error) {
			refused++;
			ASSERT_TRUE(documented(command, error))
				TH_LOG("call %u, %#lx: %s", i, command,
				       strerror(error));
			ASSERT_TRUE(unchanged(self->fd))
				TH_LOG("call %u, %#lx, place %d: %s", i,
				       command, place, strerror(error));
		} else if (++done % 50 == 0 ||
			   (mutated && command == THREEWAY_IOC_OPEN)) {
			/* such a flow might end by itself */
			restore(_metadata, self->fd);
		}
		ASSERT_TRUE(read_state(self->fd, &before));
	}
	EXPECT_LT(CALLS / 5, refused);
	EXPECT_LT(CALLS / 5, done);
	EXPECT_TRUE(empty_state(self->fd));
}

TEST_HARNESS_MAIN
