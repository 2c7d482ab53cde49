/* SPDX-License-Identifier: GPL-2.0 */
/* Initial sequence numbers: RFC 6528, RFC 9293 section 3.4.1. */
#ifndef HS_CORE_ISN_H
#define HS_CORE_ISN_H

#include "segment.h"
#include "types.h"

/* One tick of the ISN clock in ns, as a shift: 64 ns, a wrap in 274 s. */
#define HS_ISN_TICK_SHIFT	6

/**
 * hs_isn() - M + F(tuple, secret)
 * @hash:	F: keyed hash of the tuple
 * @now_ns:	a clock that never steps back
 */
u32 hs_isn(u32 hash, u64 now_ns);

/**
 * struct hs_time_wait - what is left of the previous connection of a tuple
 * @snd_nxt:	its SND.NXT
 * @rcv_nxt:	its RCV.NXT
 * @ts_recent:	its TS.Recent
 * @timestamps:	whether @ts_recent is valid
 */
struct hs_time_wait {
	u32 snd_nxt;
	u32 rcv_nxt;
	u32 ts_recent;
	bool timestamps;
};

/**
 * hs_time_wait_reusable() - may this SYN open a new connection
 * @tw:		the previous connection
 * @seg:	a SYN
 *
 * RFC 1122 section 4.2.2.13 and RFC 6191 section 2: its SEG.SEQ is after
 * RCV.NXT, or its TSval after TS.Recent; and PAWS does not reject it.
 */
bool hs_time_wait_reusable(const struct hs_time_wait *tw,
			   const struct hs_segment *seg);

/**
 * hs_time_wait_iss() - an ISS that no old segment can be mistaken for
 * @tw:		the previous connection
 *
 * Return: a value beyond the largest window above SND.NXT, never 0 (the native
 * stack would take 0 for "none").
 */
u32 hs_time_wait_iss(const struct hs_time_wait *tw);

#endif /* HS_CORE_ISN_H */
