// SPDX-License-Identifier: GPL-2.0
/* BPF programs of a few instructions. */
#include <stdio.h>
#include <string.h>

#include "program.h"

int program_load(enum bpf_prog_type type, enum bpf_attach_type attach,
		 const struct bpf_insn *code, size_t count)
{
	static char log[16384];
	struct bpf_prog_load_opts options = {
		.sz = sizeof(options),
		.expected_attach_type = attach,
		.log_level = 1,
		.log_buf = log,
		.log_size = sizeof(log),
	};
	int program = bpf_prog_load(type, NULL, "GPL", code, count, &options);

	if (program < 0)
		fprintf(stderr, "# %s\n%s\n", strerror(-program), log);
	return program;
}
