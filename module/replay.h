/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Handoff by replay: the native stack is given the SYN of a finished handshake
 * together with the ISS that the engine chose, and makes a request socket of it;
 * its SYN-ACK is taken away, and the request is made what the engine promised.
 */
#ifndef HS_REPLAY_H
#define HS_REPLAY_H

#include "handoff.h"
#include "kind.h"

/**
 * hs_replay() - let the native stack make the request of a flow
 * @flow:	as for hs_handoff()
 * @pkt:	likewise
 * @kind:	what kind of request will be learnt from it, or NULL
 */
enum hs_handoff_result hs_replay(struct hs_flow *flow, struct hs_packet *pkt,
				 struct hs_kind *kind);

/**
 * hs_replay_output() - take the SYN-ACK of a replay
 * @skb:	a packet at LOCAL_OUT
 *
 * Return: NF_STOLEN for that SYN-ACK, else NF_ACCEPT.
 */
unsigned int hs_replay_output(struct sk_buff *skb);

#endif /* HS_REPLAY_H */
