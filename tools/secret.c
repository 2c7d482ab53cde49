// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: the object secret
 *
 * A secret is read from a file or the standard input, as what stands on the
 * command line can be seen by everybody; and it is never printed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "lib/threeway.h"
#include "tool.h"

#define HELP		"threeway secret help"
#define EXPECTED	"expected 32 hexadecimal digits"

static void usage(FILE *file)
{
	fputs("Usage: threeway secret set [ file FILE ]\n"
	      "       threeway secret random\n"
	      "FILE has the secret on its first line, 32 hexadecimal digits, and on its second\n"
	      "line, if there is one, the secret in use until the first begins; without a FILE they\n"
	      "are read from the standard input\n", file);
}

static int digit_of(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	if (!at)
		return -1;
	return at - digits < 16 ? at - digits : at - digits - 6;
}

/* 1 for a secret, 0 when there is no such line, -1 for anything else. */
static int read_secret(FILE *file, __u8 secret[16])
{
	char line[64];
	int i, high, low, found = -1;

	if (!fgets(line, sizeof(line), file))
		return 0;
	line[strcspn(line, "\r\n")] = '\0';
	if (strlen(line) == 32) {
		for (i = 0, found = 1; i < 16; i++) {
			high = digit_of(line[2 * i]);
			low = digit_of(line[2 * i + 1]);
			if (high < 0 || low < 0)
				found = -1;
			secret[i] = high << 4 | low;
		}
	}
	explicit_bzero(line, sizeof(line));
	return found;
}

static int secret_send(struct threeway_cookie_secret *set)
{
	int fd, err, status = tool_device(&fd);

	if (status)
		return status;
	err = threeway_cookie_secret(fd, set);
	explicit_bzero(set, sizeof(*set));
	if (err == -EBUSY)
		return kernel_error(err, "secret",
				    "the latest one has not been in use for 64 seconds: try again in 200");
	return err ? kernel_error(err, "secret", NULL) : STATUS_OK;
}

static int secret_set(const char *name)
{
	struct threeway_cookie_secret set = { };
	FILE *file = name ? fopen(name, "r") : stdin;
	int first, second;

	if (!file)
		return failure("secret set: cannot open \"%s\": %s", name, strerror(errno));
	first = read_secret(file, set.secret);
	second = first > 0 ? read_secret(file, set.previous) : 0;
	if (name)
		fclose(file);
	if (first <= 0 || second < 0)
		return failure("secret set: " EXPECTED " on the %s line",
				   first <= 0 ? "first" : "second");
	if (second)
		set.flags |= THREEWAY_COOKIE_SECRET_PREVIOUS;
	return secret_send(&set);
}

static int secret_random(void)
{
	struct threeway_cookie_secret set = { .flags = THREEWAY_COOKIE_SECRET_RANDOM };

	return secret_send(&set);
}

enum word { WORD_SET, WORD_RANDOM, WORD_HELP };

int secret_run(struct args *args)
{
	static const struct keyword words[] = {
		{ "set", WORD_SET },
		{ "random", WORD_RANDOM },
		{ "help", WORD_HELP },
		{ }
	};
	const char *name = NULL, *text = args_next(args);
	int word = WORD_HELP, status = STATUS_OK;

	if (text)
		status = keyword_parse(words, "secret: command", HELP, text, &word);
	if (status)
		return status;
	text = args_next(args);
	if (text && word == WORD_SET && !strcmp(text, "file")) {
		status = args_value(args, "file", "a file name", &name);
		if (status)
			return status;
		text = args_next(args);
	}
	if (text && strcmp(text, "help"))
		return usage_error("secret: \"%s\" is too much, try \"" HELP "\"", text);
	if (text)
		word = WORD_HELP;
	if (word == WORD_SET)
		return secret_set(name);
	if (word == WORD_RANDOM)
		return secret_random();
	usage(stdout);
	return STATUS_OK;
}
