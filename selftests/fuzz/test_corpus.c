// SPDX-License-Identifier: GPL-2.0
/*
 * Every input that the fuzzers keep, once more, as a part of the tests of the
 * core. CORPUS is the directory of the inputs.
 */
#include <ctype.h>
#include <stdio.h>

#include "../core/core_test.h"
#include "rule.h"
#include "target.h"

#define INPUT_MAX	4096

static const char *input_name;
static u32 input_line;

void rule_broken(const char *what, const char *file, int line)
{
	FAIL("%s:%u: %s (%s:%d)", input_name, input_line, what, file, line);
	abort();
}

static u8 digit(char c)
{
	if (!isxdigit((unsigned char)c))
		FAIL("%s:%u: not hexadecimal", input_name, input_line);
	return (u8)(isdigit((unsigned char)c) ? c - '0' :
		    tolower((unsigned char)c) - 'a' + 10);
}

/* Return: octets, in memory of just that size. */
static size_t decode(const char *text, u8 **octets)
{
	size_t size = strcspn(text, "\n") / 2;
	size_t i;

	*octets = malloc(size ? size : 1);
	assert_non_null(*octets);
	for (i = 0; i < size; i++)
		(*octets)[i] = (u8)(digit(text[2 * i]) << 4 |
				    digit(text[2 * i + 1]));
	return size;
}

static void replay(const char *name, void (*target)(const u8 *, size_t))
{
	char text[2 * INPUT_MAX];
	u32 inputs = 0;
	FILE *file = fopen(name, "r");

	if (!file)
		FAIL("cannot read %s", name);
	input_name = name;
	input_line = 0;
	while (fgets(text, sizeof(text), file)) {
		u8 *octets;
		size_t size;

		input_line++;
		if (text[0] == '#' || text[0] == '\n')
			continue;
		size = decode(text, &octets);
		target(octets, size);
		free(octets);
		inputs++;
	}
	fclose(file);
	print_message("# %u inputs\n", inputs);
	/* Fewer say nothing about the core. */
	assert_true(inputs >= 20);
}

static void replay_option(void **state)
{
	(void)state;
	replay(CORPUS "/option.hex", fuzz_option);
}

static void replay_segment(void **state)
{
	(void)state;
	replay(CORPUS "/segment.hex", fuzz_segment);
}

static void replay_engine(void **state)
{
	(void)state;
	replay(CORPUS "/engine.hex", fuzz_engine);
}

static void replay_follow(void **state)
{
	(void)state;
	replay(CORPUS "/follow.hex", fuzz_follow);
}

static void replay_flood(void **state)
{
	(void)state;
	replay(CORPUS "/flood.hex", fuzz_flood);
}

static const struct cm_unit_test tests[] = {
	TEST("OP16 OP13 fuzzed options, parsed, built and masked",
	     replay_option),
	TEST("OP8 OP16 fuzzed headers, parsed and built", replay_segment),
	TEST("SS7 RS1 RT1 SM11 fuzzed flows keep every rule", replay_engine),
	TEST("IC2 IC7 fuzzed handshakes of others, and ICMP errors", replay_follow),
	TEST("CK2 CK3 CK6 LM5 fuzzed cookies, sources and limits", replay_flood),
};

SUITE(corpus_suite);
