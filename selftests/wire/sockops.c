// SPDX-License-Identifier: GPL-2.0
/* BPF programs on socket operations. */
#include <fcntl.h>
#include <unistd.h>

#include "sockops.h"

#define CGROUP	"/sys/fs/cgroup"

struct sockops sockops_open(unsigned int numbers)
{
	return (struct sockops){
		.cgroup = open(CGROUP, O_RDONLY | O_DIRECTORY),
		.map = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, 8, numbers,
				      NULL),
		.program = -1,
	};
}

bool sockops_start(struct sockops *ops, const struct bpf_insn *code,
		   size_t count)
{
	ops->program = program_load(BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS,
				    code, count);
	return ops->program >= 0 &&
	       !bpf_prog_attach(ops->program, ops->cgroup, BPF_CGROUP_SOCK_OPS,
				0);
}

bool sockops_stop(struct sockops *ops)
{
	return !bpf_prog_detach2(ops->program, ops->cgroup,
				 BPF_CGROUP_SOCK_OPS);
}

u64 sockops_number(const struct sockops *ops, int index)
{
	__u64 number = 0;

	bpf_map_lookup_elem(ops->map, &index, &number);
	return number;
}

void sockops_close(struct sockops *ops)
{
	close(ops->program);
	close(ops->map);
	close(ops->cgroup);
}
