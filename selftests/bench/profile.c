// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU: how many instructions the guest executes where, while the
 * load measures. For each block of code a line
 *
 *	KIND ADDRESS INSTRUCTIONS
 *
 * goes to the file of the argument out=FILE, and first the number of batches as
 * KIND "batches" NUMBER. KIND is that of HS_MARK() in load.h.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

#define KINDS	4
#define BUCKETS	65536
#define MARK	"\x0f\x1f\x80\x68\x73\x5f"	/* nop of HS_MARK() */
#define MARK_LEN 6

/**
 * struct block - code that is entered at its first instruction
 * @next:	in its bucket
 * @address:	of that
 * @length:	instructions
 * @count:	times, for each kind
 */
struct block {
	struct block *next;
	uint64_t address;
	size_t length;
	uint64_t count[KINDS];
};

static struct block *blocks[BUCKETS];
static uint64_t batches[KINDS];
static unsigned int kind;	/* 0: none */
static const char *out_name;

static struct block *block_of(uint64_t address, size_t length)
{
	struct block **bucket = &blocks[address / 4 % BUCKETS], *block;

	for (block = *bucket; block; block = block->next)
		if (block->address == address && block->length == length)
			return block;
	block = calloc(1, sizeof(*block));
	if (!block)
		abort();
	block->address = address;
	block->length = length;
	block->next = *bucket;
	*bucket = block;
	return block;
}

static void executed(unsigned int vcpu, void *data)
{
	struct block *block = data;

	(void)vcpu;
	if (kind)
		block->count[kind]++;
}

static void marked(unsigned int vcpu, void *data)
{
	(void)vcpu;
	kind = (uintptr_t)data;
	batches[kind]++;
}

static void translated_insn(struct qemu_plugin_insn *insn)
{
	const uint8_t *data = qemu_plugin_insn_data(insn);
	uintptr_t mark;

	if (qemu_plugin_insn_size(insn) != MARK_LEN + 1 ||
	    memcmp(data, MARK, MARK_LEN))
		return;
	mark = data[MARK_LEN];
	if (mark < KINDS)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, marked, 0,
						       (void *)mark);
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb), i;
	struct block *block = block_of(qemu_plugin_tb_vaddr(tb), n);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, 0, block);
	for (i = 0; i < n; i++)
		translated_insn(qemu_plugin_tb_get_insn(tb, i));
}

static void finish(plugin_id id, void *data)
{
	FILE *out = fopen(out_name, "w");
	const struct block *block;
	unsigned int i, k;

	(void)id;
	(void)data;
	if (!out) {
		perror(out_name);
		return;
	}
	for (k = 1; k < KINDS; k++)
		fprintf(out, "%u batches %" PRIu64 "\n", k, batches[k]);
	for (i = 0; i < BUCKETS; i++)
		for (block = blocks[i]; block; block = block->next)
			for (k = 1; k < KINDS; k++)
				if (block->count[k])
					fprintf(out,
						"%u %" PRIx64 " %" PRIu64 "\n",
						k, block->address,
						block->count[k] *
						block->length);
	fclose(out);
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc,
			char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "profile: expected out=FILE\n");
		return -1;
	}
	out_name = argv[0] + 4;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
