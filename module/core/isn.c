// SPDX-License-Identifier: GPL-2.0
#include "isn.h"
#include "seq.h"
#include "timestamp.h"

u32 hs_isn(u32 hash, u64 now_ns)
{
	return hash + (u32)(now_ns >> HS_ISN_TICK_SHIFT);
}

/* The caller asks only for a SYN that has neither RST nor ACK. */
bool hs_time_wait_reusable(const struct hs_time_wait *tw,
			   const struct hs_segment *seg)
{
	if (hs_seq_after(seg->seq, tw->rcv_nxt))
		return !tw->timestamps ||
		       !hs_paws_rejects(tw->ts_recent, &seg->opts);

	return tw->timestamps && (seg->opts.present & HS_OPT_TIMESTAMPS) &&
	       (s32)(tw->ts_recent - seg->opts.tsval) < 0;
}

u32 hs_time_wait_iss(const struct hs_time_wait *tw)
{
	u32 iss = tw->snd_nxt + 65535 + 2;

	return iss ? iss : 1;
}
