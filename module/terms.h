/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HS_TERMS_H
#define HS_TERMS_H

#include "core/tcb.h"

/**
 * struct hs_terms - what this end says in a SYN-ACK
 * @offer:	what it is willing to negotiate
 * @rcv_wnd:	window, in bytes
 * @window_clamp: what it may ever be
 * @rcv_wscale:	its window shift
 * @advertised_mss: its MSS
 */
struct hs_terms {
	struct hs_offer offer;
	u32 rcv_wnd;
	u32 window_clamp;
	u8 rcv_wscale;
	u16 advertised_mss;
};

#endif /* HS_TERMS_H */
