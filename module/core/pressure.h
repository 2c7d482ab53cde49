/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When a listener answers by cookies because it has no room for half-open flows:
 * at once when a limit is reached, and until there is room again for all who ask.
 */
#ifndef HS_CORE_PRESSURE_H
#define HS_CORE_PRESSURE_H

#include "types.h"

/* The least time under pressure, and over which its end is judged. */
#define HS_PRESSURE_QUIET_MS	10000

/* After its end a cookie may still come back: two periods. */
#define HS_PRESSURE_AFTER_MS	128000

/**
 * struct hs_pressure - all 0 is: no pressure
 * @unanswered:	see hs_pressure_update(), at the begin of the quiet time
 * @since_ms:	begin of the present quiet time, or the end of the pressure
 * @on:		answer by cookies
 * @after:	the pressure is over, but cookies may still come back
 */
struct hs_pressure {
	u64 unanswered;
	u32 since_ms;
	bool on;
	bool after;
};

enum hs_pressure_change {
	HS_PRESSURE_SAME = 0,
	HS_PRESSURE_BEGINS,
	HS_PRESSURE_ENDS,
};

/**
 * hs_pressure_update() - what is taken has changed, or time has passed
 * @pressure:	state; the caller serialises the calls
 * @used:	what is taken: flows, or bytes
 * @limit:	of @used; 0 is always reached
 * @cost:	of one flow, in the unit of @used
 * @unanswered:	cookies sent so far, less those that came back
 * @now_ms:	a clock that never steps back, and may wrap
 *
 * Begins when @used reaches @limit. Ends after a quiet time in which each call
 * found less than 7/8 of @limit taken, and in which so few cookies remained
 * without an answer that all of those as flows would have fitted below 7/8, too:
 * else the same flood would fill the limit again at once. (Whoever answers does
 * so soon, and needs no lasting room.) To be called for each SYN while off, and
 * now and then while on.
 *
 * With several limits (of a claim, of the namespace) each has its own state.
 */
enum hs_pressure_change hs_pressure_update(struct hs_pressure *pressure,
					   u64 used, u64 limit, u32 cost,
					   u64 unanswered, u32 now_ms);

/**
 * hs_pressure_expects() - can a valid cookie be on its way back
 * @pressure:	state
 * @now_ms:	the same clock
 *
 * Else an ACK out of nowhere need not be checked. (Not for a listener whose
 * secret other hosts have, too.)
 */
bool hs_pressure_expects(const struct hs_pressure *pressure, u32 now_ms);

#endif /* HS_CORE_PRESSURE_H */
