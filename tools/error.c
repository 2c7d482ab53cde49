// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: messages on stderr
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "tool.h"

static const char *position_file;
static unsigned int position_line;

void error_position(const char *file, unsigned int line)
{
	position_file = file;
	position_line = line;
}

static void print_position(void)
{
	/* What was printed before the error stands before it in a log, too. */
	fflush(stdout);
	fputs("threeway: ", stderr);
	if (position_file)
		fprintf(stderr, "%s:%u: ", position_file, position_line);
}

int usage_error(const char *format, ...)
{
	va_list args;

	print_position();
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return STATUS_USAGE;
}

int failure(const char *format, ...)
{
	va_list args;

	print_position();
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return STATUS_FAILED;
}

static const char *usual_hint(int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return "CAP_NET_ADMIN over the network namespace is needed, run as root";
	case ENODEV:
		return "the network namespace is gone";
	case ENOTTY:
		return "the module and the tool are of different versions";
	default:
		return NULL;
	}
}

int kernel_error(int err, const char *what, const char *hint)
{
	if (!hint)
		hint = usual_hint(err);

	print_position();
	fprintf(stderr, "%s: %s", what, strerror(-err));
	if (hint)
		fprintf(stderr, " (%s)", hint);
	fputc('\n', stderr);
	return STATUS_KERNEL;
}
