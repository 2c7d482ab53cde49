/* SPDX-License-Identifier: GPL-2.0 */
/* BPF programs of a few instructions. */
#ifndef WIRE_PROGRAM_H
#define WIRE_PROGRAM_H

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stddef.h>

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), \
			    .off = (o), .imm = (i) })

/**
 * program_load() - load a program
 * @type:	its type
 * @attach:	where it will be attached, 0 for types that do not ask for it
 * @code:	instructions
 * @count:	how many
 *
 * What the verifier has against it goes to standard error.
 *
 * Return: its fd, or a negative error.
 */
int program_load(enum bpf_prog_type type, enum bpf_attach_type attach,
		 const struct bpf_insn *code, size_t count);

#endif /* WIRE_PROGRAM_H */
