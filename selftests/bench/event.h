/* SPDX-License-Identifier: GPL-2.0 */
/* One event that a CPU can count. */
#ifndef HS_EVENT_H
#define HS_EVENT_H

#include <linux/types.h>

/**
 * hs_event_open() - begin to count it
 * @config:	PERF_COUNT_HW_*
 * @cpu:	on which CPU
 *
 * Return: 0, or an error when the CPU cannot.
 */
int hs_event_open(u64 config, unsigned int cpu);
void hs_event_close(void);

/* On that CPU only. */
u64 hs_event_read(void);

#endif /* HS_EVENT_H */
