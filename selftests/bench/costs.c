// SPDX-License-Identifier: GPL-2.0
/* Costs of batches. */
#include <linux/math64.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include "load.h"

int hs_costs_init(struct hs_costs *costs, unsigned int operations)
{
	costs->count = 0;
	costs->max = operations / HS_BATCH;
	costs->batch = vmalloc_array(max(costs->max, 1U), sizeof(u64));
	return costs->batch ? 0 : -ENOMEM;
}

void hs_costs_free(struct hs_costs *costs)
{
	vfree(costs->batch);
}

void hs_costs_add(struct hs_costs *costs, u64 cost)
{
	if (costs->count < costs->max)
		costs->batch[costs->count++] = cost;
}

static int hs_costs_compare(const void *a, const void *b)
{
	const u64 *first = a, *second = b;

	return *first < *second ? -1 : *first > *second;
}

u64 hs_costs_middle(struct hs_costs *costs)
{
	unsigned int skip = costs->count / 4, i;
	u64 sum = 0;

	if (!costs->count)
		return 0;
	sort(costs->batch, costs->count, sizeof(u64), hs_costs_compare, NULL);
	for (i = skip; i < costs->count - skip; i++)
		sum += costs->batch[i];
	return div_u64(sum * 10, (costs->count - 2 * skip) * HS_BATCH);
}
