// SPDX-License-Identifier: GPL-2.0
/*
 * Loading the module, and making a network namespace, while each allocation of
 * threeway for it fails once. Nothing is left then, and it works the next time.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "fault.h"
#include "kselftest_harness.h"

static int open_module(void)
{
	struct utsname system;
	char path[256];

	uname(&system);
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/threeway.ko",
		 system.release);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, 0) ? errno : 0;
}

static bool is_gone(void)
{
	return access("/sys/module/threeway", F_OK) &&
	       access("/sys/kernel/slab/threeway_flow", F_OK) &&
	       access("/proc/net/threeway", F_OK) &&
	       access("/proc/sys/net/threeway", F_OK) &&
	       access("/dev/threeway", F_OK);
}

static void load_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	int module = open_module();
	int error;

	fault_begin(walk);
	error = syscall(SYS_finit_module, module, "", 0) ? errno : 0;
	fault_end(walk);
	close(module);
	if (error) {
		check(peer, error == ENOMEM, "load: %s", strerror(error));
	} else {
		error = unload("threeway");
		check(peer, !error, "unload: %s", strerror(error));
	}
	check(peer, is_gone(), "something of the module stays");
}

/* Instead of a threeway that did not see fault_init.ko come. */
static int load_first(void)
{
	int module = open("fault_init.ko", O_RDONLY | O_CLOEXEC);
	int error;

	error = unload("threeway");
	if (!error && syscall(SYS_finit_module, module, "", 0))
		error = errno;
	close(module);
	return error;
}

/* And back to normal. */
static int load_again(void)
{
	int module = open_module();
	int error;

	error = unload("fault_init");
	if (!error && syscall(SYS_finit_module, module, "", 0))
		error = errno;
	close(module);
	return error;
}

FIXTURE(start)
{
	struct peer peer;
};

FIXTURE_SETUP(start)
{
	const char *lacking = fault_prepare();

	if (lacking)
		SKIP(_exit(255), "%s", lacking);
	memset(&self->peer, 0, sizeof(self->peer));
	ASSERT_EQ(0, load_first());
}

FIXTURE_TEARDOWN(start)
{
	EXPECT_EQ(0, load_again());
	EXPECT_EQ(0, access("/dev/threeway", F_OK));
	EXPECT_EQ(0, self->peer.failures);
}

TEST_F_TIMEOUT(start, LC2_LC7_no_memory_to_load_the_module, 3000)
{
	fault_walk_init(&self->peer, load_step);
}

static void netns_step(struct walk *walk)
{
	struct peer *peer = walk->peer;
	int error;

	fault_begin(walk);
	error = unshare(CLONE_NEWNET) ? errno : 0;
	fault_end(walk);
	check(peer, !error || error == ENOMEM, "namespace: %s",
	      strerror(error));
}

TEST_F_TIMEOUT(start, LC1_LC7_no_memory_for_a_network_namespace, 3000)
{
	int module = open_module();

	ASSERT_EQ(0, syscall(SYS_finit_module, module, "", 0));
	close(module);
	fault_walk_init(&self->peer, netns_step);
	EXPECT_EQ(0, unshare(CLONE_NEWNET));
	EXPECT_EQ(0, access("/proc/thread-self/net/threeway/stat", F_OK));
	EXPECT_EQ(0, unload("threeway"));
}

TEST_HARNESS_MAIN
