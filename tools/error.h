/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: messages on stderr
 *
 * Each function prints one line and returns the exit code that goes with it,
 * so that a caller can say "return usage_error(...)".
 */
#ifndef _ERROR_H
#define _ERROR_H

#define __printf(format, first)				\
	__attribute__((__format__(__printf__,		\
				  format, first)))

/* Lines that follow come from this line of a batch file; NULL: from none. */
void error_position(const char *file, unsigned int line);

/* A wrong word: STATUS_USAGE. */
__printf(1, 2) int usage_error(const char *format, ...);
/* A failure that is nobody's typing: STATUS_FAILED. */
__printf(1, 2) int failure(const char *format, ...);
/*
 * The kernel returned -err to what: STATUS_KERNEL. The hint says what would
 * help, NULL takes the usual one for the errno.
 */
int kernel_error(int err, const char *what, const char *hint);

#endif /* _ERROR_H */
