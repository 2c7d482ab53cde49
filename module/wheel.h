/* SPDX-License-Identifier: GPL-2.0 */
/* When the timers of flows are due: a wheel for each CPU, exact to the jiffy. */
#ifndef HS_WHEEL_H
#define HS_WHEEL_H

#include "flow.h"

/* In two jiffies: what now runs on this CPU has got on by then. */
#define HS_WHEEL_SOON	2

int hs_wheels_create(void);
void hs_wheels_destroy(void);

/**
 * hs_wheel_add() - have hs_flow_timer() called when a flow is due
 * @flow:	the flow, which may be in a wheel already
 * @wait:	0: when hs_flow.due says; else in so many jiffies, less than 256,
 *		whatever that says
 *
 * The wheel holds a reference. Context: hs_flow.lock held, the flow alive.
 */
void hs_wheel_add(struct hs_flow *flow, u32 wait);

/**
 * hs_wheel_remove() - do not call it
 * @flow:	the flow, which nobody adds at the same time
 *
 * Context: any. Return: whether it was in a wheel, whose reference is the caller's.
 */
bool hs_wheel_remove(struct hs_flow *flow);

static inline bool hs_wheel_has(const struct hs_flow *flow)
{
	return !hlist_unhashed_lockless(&flow->waits);
}

#endif /* HS_WHEEL_H */
