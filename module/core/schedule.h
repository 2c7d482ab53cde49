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

/**
 * hs_retries_pressed() - retries that are left when the backlog fills up
 * @retries:	retries without pressure
 * @flows:	half-open flows
 * @young:	those of them that had no timeout yet
 * @backlog:	limit of @flows
 *
 * As the native listener does it: once half the backlog is taken, and mostly by
 * flows that had a timeout, these get fewer retries, but not fewer than 2.
 */
u32 hs_retries_pressed(u32 retries, u32 flows, u32 young, u32 backlog);

#endif /* HS_CORE_SCHEDULE_H */
