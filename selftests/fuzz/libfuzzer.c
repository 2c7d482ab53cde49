// SPDX-License-Identifier: GPL-2.0
/* One target, TARGET, as libFuzzer wants it. */
#include <stdio.h>
#include <stdlib.h>

#include "rule.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

void rule_broken(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: broken: %s\n", file, line, what);
	abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	TARGET(data, size);
	return 0;
}
