/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: the policy words of a claim
 */
#ifndef _POLICY_H
#define _POLICY_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/threeway.h"

#define POLICY_WORDS	21

/* The word of index 0 to POLICY_WORDS - 1. */
const char *policy_word(unsigned int index);
/* Reads the value of that word. */
int policy_parse(unsigned int index, const char *text, struct threeway_policy *policy);
/* What may follow that word. */
const char *policy_expected(unsigned int index, char buf[64]);
/* Is every value that is set of use in this mode? mode is an enum threeway_mode. */
int policy_check(const struct threeway_policy *policy, int mode);
/* Prints each value that is set. */
void policy_print(const struct threeway_policy *policy);
/* Does every value that wanted sets stand in policy, too? */
bool policy_agrees(const struct threeway_policy *policy,
		   const struct threeway_policy *wanted);

#endif /* _POLICY_H */
