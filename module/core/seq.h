/* SPDX-License-Identifier: GPL-2.0 */
/* Sequence numbers are compared modulo 2^32, RFC 9293 section 3.4. */
#ifndef HS_CORE_SEQ_H
#define HS_CORE_SEQ_H

#include "types.h"

static inline bool hs_seq_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static inline bool hs_seq_after(u32 a, u32 b)
{
	return hs_seq_before(b, a);
}

/* low <= seq <= high */
static inline bool hs_seq_between(u32 seq, u32 low, u32 high)
{
	return high - low >= seq - low;
}

/**
 * hs_seq_acceptable() - the four cases of RFC 9293 section 3.4, table 6
 * @seq:	SEG.SEQ
 * @len:	SEG.LEN, SYN and FIN included
 * @rcv_nxt:	RCV.NXT
 * @rcv_wnd:	RCV.WND
 */
bool hs_seq_acceptable(u32 seq, u32 len, u32 rcv_nxt, u32 rcv_wnd);

#endif /* HS_CORE_SEQ_H */
