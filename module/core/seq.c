// SPDX-License-Identifier: GPL-2.0
#include "seq.h"

bool hs_seq_acceptable(u32 seq, u32 len, u32 rcv_nxt, u32 rcv_wnd)
{
	u32 first = seq - rcv_nxt;
	u32 last = first + len - 1;

	if (!rcv_wnd)
		return !len && !first;
	if (first < rcv_wnd)
		return true;
	return len && last < rcv_wnd;
}
