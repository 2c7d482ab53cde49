/* SPDX-License-Identifier: GPL-2.0 */
/* Segments for a flow that serves a connecting socket. */
#ifndef HS_ANSWER_H
#define HS_ANSWER_H

#include "flow.h"
#include "packet.h"

/**
 * hs_answer() - a segment for a flow of kind HS_FLOW_CONNECT
 * @flow:	the flow, referenced
 * @pkt:	the segment
 *
 * Context: LOCAL_IN. Return: NF_ACCEPT, NF_DROP, NF_STOLEN (@pkt->skb is NULL
 * if the native stack has it already), or HS_FLOW_GONE.
 */
unsigned int hs_answer(struct hs_flow *flow, struct hs_packet *pkt);

#endif /* HS_ANSWER_H */
