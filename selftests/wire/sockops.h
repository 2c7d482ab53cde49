/* SPDX-License-Identifier: GPL-2.0 */
/* BPF programs on socket operations, attached to all processes. */
#ifndef WIRE_SOCKOPS_H
#define WIRE_SOCKOPS_H

#include <stdbool.h>

#include "packet.h"
#include "program.h"

/**
 * struct sockops - a program and its map
 * @cgroup:	fd of what it is attached to
 * @map:	fd of an array of numbers
 * @program:	fd of the program, or -1
 */
struct sockops {
	int cgroup;
	int map;
	int program;
};

/* The map first, as the program has its fd in it. */
struct sockops sockops_open(unsigned int numbers);
bool sockops_start(struct sockops *ops, const struct bpf_insn *code,
		   size_t count);
bool sockops_stop(struct sockops *ops);
u64 sockops_number(const struct sockops *ops, int index);
void sockops_close(struct sockops *ops);

#endif /* WIRE_SOCKOPS_H */
