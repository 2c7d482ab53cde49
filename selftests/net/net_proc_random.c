// SPDX-License-Identifier: GPL-2.0
/*
 * Random writes to every file below /proc/sys/net/threeway and /proc/net/threeway,
 * by every way there is, and reads in pieces: a sysctl is always in its range, a
 * write that is refused changes nothing, and a file reads the same however it is
 * read. SEED in the environment repeats a run.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "controlutil.h"
#include "ioctlgen.h"
#include "kselftest_harness.h"

#define WRITES	6000
#define READS	300
#define SYSCTLS	"/proc/sys/net/threeway/"
#define PROC	"/proc/net/threeway/"

/* As README and threeway(8) have them. */
static const struct range {
	const char *name;
	unsigned int low, high;
} ranges[] = {
	{ "synack_retries", 0, 255 },
	{ "syn_retries", 0, 255 },
	{ "syn_linear_timeouts", 0, 255 },
	{ "rto_initial_ms", 100, 60000 },
	{ "rto_max_ms", 1000, 120000 },
	{ "max_syn_backlog", 1, 16777216 },
	{ "max_flows", 1, 16777216 },
	{ "invalid_ratelimit_ms", 0, 60000 },
	{ "isn", 1, 2 },
	{ "sack", 0, 1 },
	{ "timestamps", 0, 1 },
	{ "window_scaling", 0, 1 },
	{ "ecn", 0, 1 },
	{ "icmp_soft_abort", 0, 1 },
	{ "syncookies", 0, 2 },
	{ "source_rate", 0, 65535 },
	{ "source_burst", 1, 65535 },
	{ "source_flows", 0, 4095 },
	{ "cookie_rotation_s", 256, 31536000 },
};

static unsigned int values[ARRAY_SIZE(ranges)];

static int open_sysctl(size_t i, int flags)
{
	char name[128];

	snprintf(name, sizeof(name), SYSCTLS "%s", ranges[i].name);
	return open(name, flags | O_CLOEXEC);
}

/* Return: whether it is a number and a line. */
static bool read_sysctl(size_t i, unsigned int *value)
{
	char text[64] = "", end;
	int fd = open_sysctl(i, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	return n > 0 && sscanf(text, "%u%c", value, &end) == 2 && end == '\n';
}

/* Something like a number. Return: its length. */
static size_t make_text(char *text, size_t room)
{
	static const char *const others[] = {
		"", " ", "\n", "-", "-1", "+1", "0x10", "1e3", "1.5", "1,2",
		"1 2 3", "abc", "1abc", "4294967296", "18446744073709551616",
		"-4294967295", "99999999999999999999999999999", "\t7\n", "007",
	};
	unsigned int i;

	switch (pick(4)) {
	case 0:
		return snprintf(text, room, "%u%s", pick_interesting(),
				pick(2) ? "\n" : "");
	case 1:
		return snprintf(text, room, "%u", pick(300));
	case 2:
		return snprintf(text, room, "%s",
				others[pick(ARRAY_SIZE(others))]);
	}
	for (i = 0; i < 1 + pick(40); i++)
		text[i] = pick(2) ? '0' + pick(10) : pick(256);
	return i;
}

static ssize_t write_somehow(int fd, char *text, size_t length)
{
	struct iovec vector[2] = {
		{ text, length / 2 },
		{ text + length / 2, length - length / 2 },
	};

	switch (pick(8)) {
	case 0:
		return pwrite(fd, text, length, pick(4));
	case 1:
		return writev(fd, vector, 2);
	case 2:
		return write(fd, pick(2) ? NULL : (void *)-4096L, length);
	case 3:
		return write(fd, text, 65536);
	}
	return write(fd, text, length);
}

static bool plain_number(const char *text, size_t length, unsigned int *value)
{
	char copy[64] = "", end = 0;

	/* a zero before others makes it octal */
	if (!length || length >= sizeof(copy) || (length > 1 && *text == '0'))
		return false;
	memcpy(copy, text, length);
	return strspn(copy, "0123456789") >= length - 1 &&
	       sscanf(copy, "%u%c", value, &end) >= 1 &&
	       (!end || end == '\n');
}

FIXTURE(proc) {
	int fd;
};

FIXTURE_SETUP(proc)
{
	size_t i;

	ioctlgen_state = ioctlgen_seed();
	TH_LOG("SEED=%llu", ioctlgen_state);
	ASSERT_EQ(0, system("test -d /sys/module/threeway || modprobe threeway"));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, system(make_link));
	self->fd = open(THREEWAY_DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		ASSERT_TRUE(read_sysctl(i, &values[i]));
}

FIXTURE_TEARDOWN(proc)
{
	close(self->fd);
}

/* None is missing in the table above. */
TEST_F(proc, LC9_every_sysctl_is_known)
{
	DIR *dir = opendir(SYSCTLS);
	struct dirent *entry;
	size_t n = 0, i;

	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		for (i = 0; i < ARRAY_SIZE(ranges); i++)
			if (!strcmp(ranges[i].name, entry->d_name))
				break;
		EXPECT_NE(i, ARRAY_SIZE(ranges))
			TH_LOG("%s", entry->d_name);
	}
	EXPECT_EQ(ARRAY_SIZE(ranges), n);
	closedir(dir);
}

TEST_F(proc, LC9_random_writes_to_sysctls)
{
	static char text[65536];
	unsigned int written, now = 0, accepted = 0, refused = 0, n;
	size_t i, length;
	ssize_t done;
	int fd;

	for (n = 0; n < WRITES; n++) {
		i = pick(ARRAY_SIZE(ranges));
		memset(text, pick(2) ? 0 : ' ', 256);
		length = make_text(text, 64);
		fd = open_sysctl(i, pick(2) ? O_WRONLY : O_RDWR);
		ASSERT_LE(0, fd);
		done = write_somehow(fd, text, length);
		close(fd);
		ASSERT_TRUE(read_sysctl(i, &now));
		ASSERT_TRUE(now >= ranges[i].low && now <= ranges[i].high)
			TH_LOG("%s is %u", ranges[i].name, now);
		if (done < 0) {
			refused++;
			ASSERT_EQ(values[i], now)
				TH_LOG("%s", ranges[i].name);
		} else if (now != values[i]) {
			accepted++;
			ASSERT_TRUE(!plain_number(text, length, &written) ||
				    now == written)
				TH_LOG("%s: %s gives %u", ranges[i].name, text,
				       now);
		}
		values[i] = now;
	}
	TH_LOG("%u accepted, %u refused", accepted, refused);
	EXPECT_LT(WRITES / 20, accepted);
	EXPECT_LT(WRITES / 5, refused);
}

/* Root may open one of them to write, for all that it is worth. */
TEST_F(proc, LC9_proc_files_take_nothing)
{
	static const char *const names[] = { "flows", "claims", "stat" };
	char name[64], text[64];
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(name, sizeof(name), PROC "%s", names[i]);
		fd = open(name, O_RDWR);
		if (fd < 0) {
			EXPECT_EQ(EACCES, errno);
			fd = open(name, O_RDONLY);
		}
		ASSERT_LE(0, fd);
		EXPECT_EQ(-1, write(fd, "1", 1));
		EXPECT_EQ(-1, pwrite(fd, "1", 1, 5));
		EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED,
					   fd, 0));
		EXPECT_EQ(ENOTTY, call(fd, THREEWAY_IOC_STAT_GET, text));
		EXPECT_LT(0, read(fd, text, sizeof(text)));
		close(fd);
	}
	EXPECT_EQ(-1, open(PROC "new", O_CREAT | O_RDWR, 0600));
	EXPECT_EQ(-1, unlink(PROC "flows"));
	EXPECT_EQ(-1, rename(PROC "flows", PROC "claims"));
	EXPECT_EQ(-1, open(SYSCTLS "new", O_CREAT | O_RDWR, 0600));
}

static char whole[1 << 20], pieces[1 << 20];

static ssize_t read_whole(const char *name)
{
	int fd = open(name, O_RDONLY);
	ssize_t total = 0, n;

	while ((n = read(fd, whole + total, sizeof(whole) - total)) > 0)
		total += n;
	close(fd);
	return n ? -1 : total;
}

/* By read() of any size, pread() anywhere, and after lseek(). */
static bool same_in_pieces(int fd, ssize_t length)
{
	ssize_t at = 0, n;

	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, pieces + at, 1 + pick(300))) > 0)
		at += n;
	if (n || at != length || memcmp(whole, pieces, length))
		return false;
	at = pick(length + 10);
	n = pread(fd, pieces, 1 + pick(300), at);
	if (n < 0 || (n && memcmp(pieces, whole + at, n)))
		return false;
	at = pick(length + 10);
	if (lseek(fd, at, SEEK_SET) != at)
		return false;
	n = read(fd, pieces, 1 + pick(300));
	return n >= 0 && (!n || !memcmp(pieces, whole + at, n));
}

/* Timers tick between two reads, but no line comes twice or not at all. */
static bool each_flow_once(int fd, unsigned int flows)
{
	unsigned long long seen = 0, id;
	char *line, *next;
	ssize_t at = 0, n;

	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, pieces + at, 1 + pick(300))) > 0)
		at += n;
	pieces[at] = '\0';
	line = strchr(pieces, '\n');
	for (; line && line[1]; line = next) {
		next = strchr(line + 1, '\n');
		if (sscanf(line, "%llu:", &id) != 1 || id > 63 ||
		    seen >> id & 1)
			return false;
		seen |= 1ULL << id;
	}
	return !n && __builtin_popcountll(seen) == (int)flows;
}

/* Few enough flows for a table that does not grow. */
TEST_F(proc, MI10_files_read_the_same_in_pieces)
{
	static const char *const names[] = { PROC "claims", PROC "stat" };
	union argument argument;
	ssize_t length;
	unsigned int n;
	size_t i;
	int fd;

	for (n = 0; n < 200; n++) {
		memset(&argument, 0, sizeof(argument));
		make_claim(&argument.claim);
		call(self->fd, THREEWAY_IOC_CLAIM_ADD, &argument);
		memset(&argument, 0, sizeof(argument));
		make_open(&argument.open);
		argument.open.key.remote_port = htons(1 + n);
		if (n < 40)
			ASSERT_EQ(0, call(self->fd, THREEWAY_IOC_OPEN,
					  &argument));
	}
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		fd = open(names[i], O_RDONLY);
		ASSERT_LE(0, fd);
		for (n = 0; n < READS; n++) {
			length = read_whole(names[i]);
			ASSERT_LT(100, length);
			ASSERT_TRUE(same_in_pieces(fd, length))
				TH_LOG("%s, read %u", names[i], n);
		}
		close(fd);
	}
	fd = open(PROC "flows", O_RDONLY);
	ASSERT_LE(0, fd);
	for (n = 0; n < READS; n++)
		ASSERT_TRUE(each_flow_once(fd, 40))
			TH_LOG("read %u", n);
	close(fd);
}

TEST_HARNESS_MAIN
