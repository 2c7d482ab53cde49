/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values of which cbmc knows nothing but what is said here. A variable without
 * an initial value is any value to it.
 */
#ifndef PROVE_ANY_H
#define PROVE_ANY_H

#include "../fuzz/rule.h"
#include "../fuzz/rules.h"

_Bool nondet_bool(void);
u8 nondet_u8(void);
u16 nondet_u16(void);
u32 nondet_u32(void);
u64 nondet_u64(void);
size_t nondet_size(void);

#define ASSUME(condition)	__CPROVER_assume(condition)

/*
 * What must be possible, so that no proof is true for want of cases: the opposite
 * is asserted, and has to fail.
 */
#define REACH(what, condition)	__CPROVER_assert(!(condition), "reach: " what)

/* Data of a segment with GRO are 512 KiB at most. */
#define SEGMENT_MAX	0x100000U

/* assume.c: what other proofs have shown */
void assume_tcb(const struct hs_tcb *tcb);
void assume_segment(const struct hs_segment *seg);
void assume_options(const struct hs_options *opts, bool syn);

/* Any that the parser can make of a segment. */
struct hs_segment any_segment(void);
struct hs_options any_options(void);
/* Any between two events. */
struct hs_tcb any_tcb(void);
/* Any that the module's limits allow. */
struct hs_policy any_policy(void);
struct hs_offer any_offer(void);

#endif /* PROVE_ANY_H */
