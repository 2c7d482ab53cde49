/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handoff by replay: the native stack is given the SYN of a finished handshake
 * together with the ISS that the engine chose, and makes a request socket of it;
 * its SYN-ACK is taken away, and the request is made what the engine promised.
 * The segment that completed the handshake then goes its native way and finds
 * the request. Everything about the new socket is native code.
 */
#ifndef HS_HANDOFF_H
#define HS_HANDOFF_H

#include "flow.h"
#include "packet.h"

enum hs_handoff_result {
	HS_HANDOFF_DONE,	/* the native request is there */
	HS_HANDOFF_REFUSED,	/* the listener would not have it */
	HS_HANDOFF_NATIVE_OWNS,	/* another native socket has the tuple */
};

/**
 * hs_handoff() - make the native request of a flow
 * @flow:	the flow, locked: a segment on another CPU waits until the native
 *		stack can take it
 * @pkt:	the segment that completed the handshake
 *
 * Context: LOCAL_IN.
 */
enum hs_handoff_result hs_handoff(struct hs_flow *flow, struct hs_packet *pkt);

/**
 * hs_handoff_output() - take the SYN-ACK of a replay
 * @skb:	a packet at LOCAL_OUT
 *
 * Return: NF_STOLEN for that SYN-ACK, else NF_ACCEPT.
 */
unsigned int hs_handoff_output(struct sk_buff *skb);

#endif /* HS_HANDOFF_H */
