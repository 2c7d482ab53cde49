/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handoff: a native request socket is made for a finished handshake, as if the
 * native stack had received the SYN and sent the engine's SYN-ACK. The segment
 * that completed the handshake then goes its native way and finds the request.
 * Everything about the new socket is native code.
 *
 * The request is made by us (kind.h) where we know how the native stack makes it,
 * else by the native stack itself (replay.h).
 */
#ifndef HS_HANDOFF_H
#define HS_HANDOFF_H

#include "flow.h"
#include "packet.h"

enum hs_handoff_result {
	HS_HANDOFF_DONE,	/* the native request is there */
	HS_HANDOFF_REFUSED,	/* the listener would not have it */
	HS_HANDOFF_WAITS,	/* the segment comes back soon, its skb is gone */
	HS_HANDOFF_NATIVE_OWNS,	/* another native socket has the tuple */
};

/**
 * hs_handoff() - make the native request of a flow
 * @flow:	the flow, locked: a segment on another CPU waits until the native
 *		stack can take it. Of what is in it, @key but for the hash, @hn,
 *		@listener, @tcb, @time_wait, @window_clamp, @bound_if, @mark,
 *		@txhash, @synack_us, @syn_tos, @syn_ttl and what
 *		hs_flow_take_syn() returns are used; it need not be in the table
 * @pkt:	the segment that completed the handshake
 *
 * The flow's saved SYN goes to the request.
 *
 * Context: LOCAL_IN, BH disabled.
 */
enum hs_handoff_result hs_handoff(struct hs_flow *flow, struct hs_packet *pkt);

#endif /* HS_HANDOFF_H */
