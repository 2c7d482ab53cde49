// SPDX-License-Identifier: GPL-2.0
/*
 * What users without privileges may do, and those who are root in a user
 * namespace of their own: nothing by default. Where the administrator lets
 * everybody open /dev/threeway, they get the engine of namespaces that they own,
 * and only its gentle settings.
 */
#include <grp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "controlutil.h"
#include "kselftest_harness.h"

#define NOBODY	65534

static const unsigned long commands[] = {
	THREEWAY_IOC_CLAIM_ADD, THREEWAY_IOC_CLAIM_DEL,
	THREEWAY_IOC_CLAIM_LIST, THREEWAY_IOC_FLOW_LIST, THREEWAY_IOC_FLOW_DEL,
	THREEWAY_IOC_STAT_GET, THREEWAY_IOC_OPEN, THREEWAY_IOC_EVENT_START,
};

static int netns;
static int pair[2];	/* for a file that the child sends */
static struct state before, now;

FIXTURE(users) {
	int fd;
};

FIXTURE_SETUP(users)
{
	struct threeway_claim claim = {
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HANDOFF,
		.port_first = 80,
		.port_last = 80,
	};

	ASSERT_EQ(0, system("test -d /sys/module/threeway || modprobe threeway"));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	netns = open("/proc/self/ns/net", O_RDONLY);
	self->fd = open(THREEWAY_DEVICE, O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, call(self->fd, THREEWAY_IOC_CLAIM_ADD, &claim));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_TRUE(read_state(self->fd, &before));
}

FIXTURE_TEARDOWN(users)
{
	/* whatever happened, and nothing of it may have changed the claim */
	chmod(THREEWAY_DEVICE, 0600);
	EXPECT_TRUE(read_state(self->fd, &now));
	EXPECT_TRUE(same_state(&before, &now));
	close(pair[0]);
	close(pair[1]);
	close(netns);
	close(self->fd);
}

static bool become_nobody(void)
{
	return !setgroups(0, NULL) && !setgid(NOBODY) && !setuid(NOBODY);
}

/* Return: 0, or which of the steps of @story, from 1 on, was not as it should. */
static int as_nobody(int fd, int (*story)(int fd))
{
	int status;
	pid_t child = fork();

	if (!child)
		_exit(become_nobody() ? story(fd) : 99);
	if (child < 0 || waitpid(child, &status, 0) != child ||
	    !WIFEXITED(status))
		return 98;
	return WEXITSTATUS(status);
}

static int open_error(void)
{
	int fd = open(THREEWAY_DEVICE, O_RDWR);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* Each command of a file that somebody else has opened. */
static bool all_refused(int fd)
{
	unsigned char argument[256] = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (call(fd, commands[i], argument) != EPERM)
			return false;
	return true;
}

/* Return: 0 or the errno of writing the text there. */
static int write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY), error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		error = errno;
	close(fd);
	return error;
}

#define SYSCTL(name)	"/proc/sys/net/threeway/" name

static int user(int fd)
{
	if (open_error() != EACCES)
		return 1;
	if (!all_refused(fd))
		return 2;
	if (write_file(SYSCTL("synack_retries"), "1") != EACCES)
		return 3;
	if (write_file("/proc/net/threeway/flows", "1") != EACCES)
		return 4;
	return 0;
}

TEST_F(users, LC10_a_user_may_do_nothing)
{
	EXPECT_EQ(0, as_nobody(self->fd, user));
}

static int user_with_node(int fd)
{
	return open_error() == EPERM && all_refused(fd) ? 0 : 1;
}

TEST_F(users, LC10_nor_if_the_device_is_open_to_all)
{
	ASSERT_EQ(0, chmod(THREEWAY_DEVICE, 0666));
	EXPECT_EQ(0, as_nobody(self->fd, user_with_node));
}

/* All capabilities, but not over the network namespace that it is in. */
static int root_in_user_namespace(int fd)
{
	if (unshare(CLONE_NEWUSER))
		return 1;
	if (open_error() != EPERM)
		return 2;
	if (!all_refused(fd))
		return 3;
	if (write_file(SYSCTL("synack_retries"), "1") != EACCES)
		return 4;
	if (!setns(netns, CLONE_NEWNET))
		return 5;
	return 0;
}

TEST_F(users, LC10_a_user_namespace_gains_nothing)
{
	ASSERT_EQ(0, chmod(THREEWAY_DEVICE, 0666));
	EXPECT_EQ(0, as_nobody(self->fd, root_in_user_namespace));
}

/* The node is of the host's root. */
static int root_in_own_network(int fd)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return 1;
	if (open_error() != EACCES)
		return 2;
	return all_refused(fd) ? 0 : 3;
}

TEST_F(users, LC10_nor_does_a_network_namespace_of_its_own)
{
	EXPECT_EQ(0, as_nobody(self->fd, root_in_own_network));
}

/* What README and threeway(8) say of it. */
static int settings_of_own_network(void)
{
	static const struct {
		const char *name, *value;
		int error;
	} writes[] = {
		{ SYSCTL("max_flows"), "16777216", EACCES },
		{ SYSCTL("max_flows"), "1", EACCES },
		{ SYSCTL("max_syn_backlog"), "10", 0 },
		{ SYSCTL("synack_retries"), "0", 0 },
		{ SYSCTL("syn_retries"), "255", 0 },
		{ SYSCTL("isn"), "2", 0 },
		{ SYSCTL("isn"), "3", EINVAL },
		{ SYSCTL("invalid_ratelimit_ms"), "0", 0 },
		{ SYSCTL("rto_initial_ms"), "99", EINVAL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(writes); i++)
		if (write_file(writes[i].name, writes[i].value) !=
		    writes[i].error)
			return 20 + i;
	return 0;
}

static int owner_of_network(int others)
{
	struct threeway_claim claim = {
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HANDOFF,
		.port_first = 8080,
		.port_last = 8080,
	};
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return 1;
	fd = open(THREEWAY_DEVICE, O_RDWR);
	if (fd < 0)
		return 2;
	if (call(fd, THREEWAY_IOC_CLAIM_ADD, &claim) || claim.id != 1)
		return 3;
	if (!all_refused(others))
		return 4;
	if (!send_fd(pair[0], fd))
		return 5;
	return settings_of_own_network();
}

TEST_F(users, LC10_with_the_device_it_owns_its_own_network_and_no_more)
{
	int fd;

	ASSERT_EQ(0, chmod(THREEWAY_DEVICE, 0666));
	EXPECT_EQ(0, as_nobody(self->fd, owner_of_network));
	/* the host's root has every right over it */
	fd = receive_fd(pair[1]);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(read_state(fd, &now));
	ASSERT_EQ(1, now.claims);
	EXPECT_EQ(8080, now.claim[0].port_first);
	close(fd);
}

/* A child of the user namespace that owns the network has no right to it. */
static int nested(int others)
{
	int fd;

	(void)others;
	/* who has no id in a user namespace cannot make one below it */
	if (prctl(PR_SET_DUMPABLE, 1) ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) ||
	    write_file("/proc/self/setgroups", "deny") ||
	    write_file("/proc/self/uid_map", "0 65534 1") ||
	    write_file("/proc/self/gid_map", "0 65534 1"))
		return 1;
	fd = open(THREEWAY_DEVICE, O_RDWR);
	if (fd < 0)
		return 2;
	if (unshare(CLONE_NEWUSER))
		return 3;
	if (!all_refused(fd) || open_error() != EPERM)
		return 4;
	return write_file(SYSCTL("synack_retries"), "1") == EACCES ? 0 : 5;
}

TEST_F(users, LC10_nor_does_a_user_namespace_below)
{
	ASSERT_EQ(0, chmod(THREEWAY_DEVICE, 0666));
	EXPECT_EQ(0, as_nobody(self->fd, nested));
}

/* read() asks for no capability: who opened the file has decided. */
static int reader(int fd)
{
	struct threeway_event event;

	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		return 1;
	return read(fd, &event, sizeof(event)) == -1 &&
	       errno == EAGAIN ? 0 : 2;
}

TEST_F(users, LC10_a_file_that_was_started_may_be_read)
{
	struct threeway_event_start start = { .room = 16 };

	ASSERT_EQ(0, call(self->fd, THREEWAY_IOC_EVENT_START, &start));
	EXPECT_EQ(0, as_nobody(self->fd, reader));
}

TEST_HARNESS_MAIN
