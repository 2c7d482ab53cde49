// SPDX-License-Identifier: GPL-2.0
#include "schedule.h"

u32 hs_rto_ms(u32 initial_ms, u32 max_ms, u32 timeouts)
{
	if (!initial_ms)
		return 0;
	if (timeouts > 31 || initial_ms > max_ms >> timeouts)
		return max_ms;
	return initial_ms << timeouts;
}

u32 hs_retries_pressed(u32 retries, u32 flows, u32 young, u32 backlog)
{
	u32 room = backlog > 8 ? backlog : 8;
	u64 doubled = (u64)young * 2;

	if ((u64)flows * 2 <= room)
		return retries;
	while (retries > 2 && flows >= doubled) {
		retries--;
		doubled *= 2;
	}
	return retries;
}
