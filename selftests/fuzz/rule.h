/* SPDX-License-Identifier: GPL-2.0 */
/* A rule that must hold: tried by fuzzers and tests, proved by cbmc. */
#ifndef FUZZ_RULE_H
#define FUZZ_RULE_H

#include "types.h"

#ifdef RULES_ASSUMED
/* What another proof has shown. */
#define RULE(what, condition)	__CPROVER_assume(condition)
#elif defined(PROVED)
#define RULE(what, condition)	__CPROVER_assert(condition, what)
#else
/* Supplied by the program: must not return. */
void rule_broken(const char *what, const char *file, int line);

#define RULE(what, condition)						\
	do {								\
		if (!(condition))					\
			rule_broken(what, __FILE__, __LINE__);		\
	} while (0)
#endif

/* If the first, then the second. */
#define IMPLIES(a, b)	(!(a) || (b))

#endif /* FUZZ_RULE_H */
