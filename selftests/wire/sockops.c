// SPDX-License-Identifier: GPL-2.0
/* BPF programs on socket operations. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sockops.h"

#define CGROUP	"/sys/fs/cgroup"

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

struct sockops sockops_open(unsigned int numbers)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 8,
		.max_entries = numbers,
	};

	return (struct sockops){
		.cgroup = open(CGROUP, O_RDONLY | O_DIRECTORY),
		.map = bpf(BPF_MAP_CREATE, &attr),
		.program = -1,
	};
}

static bool attach(struct sockops *ops, int command)
{
	union bpf_attr attr = {
		.target_fd = ops->cgroup,
		.attach_bpf_fd = ops->program,
		.attach_type = BPF_CGROUP_SOCK_OPS,
	};

	return !bpf(command, &attr);
}

bool sockops_start(struct sockops *ops, const struct bpf_insn *code,
		   size_t count)
{
	static char log[16384];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCK_OPS,
		.insns = (unsigned long)code,
		.insn_cnt = count,
		.license = (unsigned long)"GPL",
		.log_buf = (unsigned long)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};

	ops->program = bpf(BPF_PROG_LOAD, &attr);
	if (ops->program < 0)
		fprintf(stderr, "# %s\n%s\n", strerror(errno), log);
	return ops->program >= 0 && attach(ops, BPF_PROG_ATTACH);
}

bool sockops_stop(struct sockops *ops)
{
	return attach(ops, BPF_PROG_DETACH);
}

u64 sockops_number(const struct sockops *ops, int index)
{
	__u64 number = 0;
	union bpf_attr attr = {
		.map_fd = ops->map,
		.key = (unsigned long)&index,
		.value = (unsigned long)&number,
	};

	bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	return number;
}

void sockops_close(struct sockops *ops)
{
	close(ops->program);
	close(ops->map);
	close(ops->cgroup);
}
