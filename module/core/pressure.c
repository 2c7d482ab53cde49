// SPDX-License-Identifier: GPL-2.0
#include "pressure.h"

static void hs_pressure_watch(struct hs_pressure *pressure, u64 unanswered,
			      u32 now_ms)
{
	pressure->since_ms = now_ms;
	pressure->unanswered = unanswered;
}

/* What those would take who have not answered a cookie in the quiet time. */
static u64 hs_pressure_demand(const struct hs_pressure *pressure, u32 cost,
			      u64 unanswered)
{
	u64 more = unanswered - pressure->unanswered;

	/* answers to cookies of before */
	if (more >> 63)
		return 0;
	return (more >> 32 ? 0xffffffffU : more) * cost;
}

static enum hs_pressure_change
hs_pressure_relax(struct hs_pressure *pressure, u64 used, u64 limit, u32 cost,
		  u64 unanswered, u32 now_ms)
{
	u64 low = limit - limit / 8;
	u64 demand = hs_pressure_demand(pressure, cost, unanswered);

	if (used >= low) {
		hs_pressure_watch(pressure, unanswered, now_ms);
		return HS_PRESSURE_SAME;
	}
	if (now_ms - pressure->since_ms < HS_PRESSURE_QUIET_MS)
		return HS_PRESSURE_SAME;
	hs_pressure_watch(pressure, unanswered, now_ms);
	if (demand >= low - used)
		return HS_PRESSURE_SAME;
	pressure->on = false;
	pressure->after = true;
	return HS_PRESSURE_ENDS;
}

enum hs_pressure_change hs_pressure_update(struct hs_pressure *pressure,
					   u64 used, u64 limit, u32 cost,
					   u64 unanswered, u32 now_ms)
{
	if (pressure->on)
		return hs_pressure_relax(pressure, used, limit, cost,
					 unanswered, now_ms);
	if (used < limit) {
		pressure->after = hs_pressure_expects(pressure, now_ms);
		return HS_PRESSURE_SAME;
	}
	hs_pressure_watch(pressure, unanswered, now_ms);
	pressure->on = true;
	pressure->after = false;
	return HS_PRESSURE_BEGINS;
}

bool hs_pressure_expects(const struct hs_pressure *pressure, u32 now_ms)
{
	return pressure->on ||
	       (pressure->after &&
		now_ms - pressure->since_ms < HS_PRESSURE_AFTER_MS);
}
