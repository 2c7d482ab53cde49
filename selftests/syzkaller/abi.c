// SPDX-License-Identifier: GPL-2.0
/*
 * The description for syzkaller says what the header says: numbers of the ioctls
 * and flags, the place of every field, nothing left out. abi.awk has made the
 * table of both.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "threeway.h"
#include "kselftest.h"

enum { in = _IOC_WRITE, inout = _IOC_READ | _IOC_WRITE };

struct fact {
	const char *what;
	unsigned long described, real;
};

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#endif
#define CONSTANT(name, value)	{ #name, value, (unsigned long)(name) },
#define IOCTL(name, type, direction)					\
	{ "direction of " #name, direction, _IOC_DIR(name) },		\
	{ "argument of " #name, sizeof(struct type), _IOC_SIZE(name) },
#define FIELD(type, field, offset, size)				\
	{ "place of " #type "." #field, offset,				\
	  offsetof(struct type, field) },				\
	{ "size of " #type "." #field, size,				\
	  sizeof(((struct type *)NULL)->field) },
#define STRUCT(type, size)						\
	{ "size of " #type, size, sizeof(struct type) },
#define MISSING(name)		{ #name " is not described", 0, 1 },

static const struct fact facts[] = {
#include "abi_table.h"
};

int main(void)
{
	size_t i, n = ARRAY_SIZE(facts);

	ksft_print_header();
	ksft_set_plan(2);
	for (i = 0; i < n; i++) {
		if (facts[i].described == facts[i].real)
			continue;
		ksft_print_msg("%s: described %lu, real %lu\n", facts[i].what,
			       facts[i].described, facts[i].real);
		break;
	}
	ksft_test_result(i == n, "%zu facts of the ABI\n", n);
	/* 8 ioctls, 15 values of a policy and all their structs are many */
	ksft_test_result(n > 200, "the description was read\n");
	if (ksft_get_fail_cnt())
		ksft_exit_fail();
	ksft_exit_pass();
}
