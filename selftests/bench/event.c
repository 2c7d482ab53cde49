// SPDX-License-Identifier: GPL-2.0
/* The counters of the CPU. */
#include <linux/err.h>
#include <linux/perf_event.h>

#include "event.h"

static struct perf_event *hs_event;

int hs_event_open(u64 config, unsigned int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = config,
		.pinned = 1,
		.exclude_hv = 1,
	};
	struct perf_event *event;

	event = perf_event_create_kernel_counter(&attr, cpu, NULL, NULL, NULL);
	if (IS_ERR(event))
		return PTR_ERR(event);
	hs_event = event;
	return 0;
}

void hs_event_close(void)
{
	perf_event_release_kernel(hs_event);
}

u64 hs_event_read(void)
{
	unsigned long flags;
	u64 count;

	local_irq_save(flags);
	hs_event->pmu->read(hs_event);
	count = local64_read(&hs_event->count);
	local_irq_restore(flags);
	return count;
}
