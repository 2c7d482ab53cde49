/* SPDX-License-Identifier: GPL-2.0 */
/* Retransmission schedule: RFC 6298 sections 2 and 5. */
#ifndef HS_CORE_SCHEDULE_H
#define HS_CORE_SCHEDULE_H

#include "types.h"

/**
 * hs_rto_ms() - the timeout after a number of timeouts
 * @initial_ms:	first timeout
 * @max_ms:	cap
 * @timeouts:	timeouts so far
 *
 * Return: min(@initial_ms * 2^@timeouts, @max_ms), without overflow.
 */
u32 hs_rto_ms(u32 initial_ms, u32 max_ms, u32 timeouts);

#endif /* HS_CORE_SCHEDULE_H */
