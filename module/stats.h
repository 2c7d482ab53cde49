/* SPDX-License-Identifier: GPL-2.0 */
/* Counters of a namespace: one for each reason to drop, reset or hand over. */
#ifndef HS_STATS_H
#define HS_STATS_H

#include <linux/percpu.h>

#include "uapi/threeway.h"

struct hs_net;

struct hs_stats {
	u64 value[THREEWAY_COUNTER_MAX];
};

extern const char *const hs_stat_names[THREEWAY_COUNTER_MAX];

/**
 * hs_count() - bump a counter, and the native MIB that means the same
 * @hn:		the namespace
 * @counter:	which, or HS_NONE for none
 *
 * Context: BH disabled, or process context.
 */
void hs_count(struct hs_net *hn, enum threeway_counter counter);

/* The same for a segment of an active open. */
void hs_count_active(struct hs_net *hn, enum threeway_counter counter);

/* Without a native counterpart, or where the native stack bumps that itself. */
void hs_count_add(struct hs_net *hn, enum threeway_counter counter, u64 value);

/* Sum of a counter over all CPUs. */
u64 hs_stat_read(const struct hs_net *hn, enum threeway_counter counter);

#endif /* HS_STATS_H */
