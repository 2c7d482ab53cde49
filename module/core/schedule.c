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
