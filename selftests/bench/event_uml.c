// SPDX-License-Identifier: GPL-2.0
/*
 * User-mode Linux is a process, and asks the kernel that it runs on for the cycles
 * of it. Its instructions are not what it is for: the machine with a clock that
 * counts them has them more exactly.
 */
#include <linux/errno.h>
#include <linux/perf_event.h>
#include <asm/unistd.h>

#include "event.h"

static long hs_fd;

static long hs_host_call(long number, long a, long b, long c, long d, long e)
{
	register long fourth asm("r10") = d;
	register long fifth asm("r8") = e;
	long result = number;

	asm volatile("syscall"
		     : "+a" (result)
		     : "D" (a), "S" (b), "d" (c), "r" (fourth), "r" (fifth)
		     : "rcx", "r11", "memory");
	return result;
}

int hs_event_open(u64 config, unsigned int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = config,
		.pinned = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	if (config != PERF_COUNT_HW_CPU_CYCLES)
		return -EOPNOTSUPP;
	hs_fd = hs_host_call(__NR_perf_event_open, (long)&attr, 0, -1, -1, 0);
	return hs_fd < 0 ? hs_fd : 0;
}

void hs_event_close(void)
{
	hs_host_call(__NR_close, hs_fd, 0, 0, 0, 0);
}

u64 hs_event_read(void)
{
	u64 count = 0;

	hs_host_call(__NR_read, hs_fd, (long)&count, sizeof(count), 0, 0);
	return count;
}
