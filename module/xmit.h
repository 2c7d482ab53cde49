/* SPDX-License-Identifier: GPL-2.0 */
/* Sending: what the core asks for, as IP packets through LOCAL_OUT. */
#ifndef HS_XMIT_H
#define HS_XMIT_H

#include <linux/tcp.h>
#include <net/flow.h>

#include "core/segment.h"
#include "flow.h"
#include "packet.h"

/**
 * struct hs_xmit - a segment to send, copied out of the flow's lock
 * @key:	the flow's key
 * @reply:	the segment
 * @mark:	mark
 * @bound_if:	interface to leave by, 0 for any
 * @txhash:	multipath hash
 * @tos:	TOS or traffic class
 */
struct hs_xmit {
	struct hs_flow_key key;
	struct hs_reply reply;
	u32 mark;
	int bound_if;
	u32 txhash;
	u8 tos;
};

/**
 * hs_xmit_prepare() - take what is needed from a flow
 * @xmit:	result
 * @flow:	the flow, locked or not yet visible
 * @listener:	its listener
 * @reply:	the segment
 * @pkt:	the segment that it answers, or NULL
 */
void hs_xmit_prepare(struct hs_xmit *xmit, const struct hs_flow *flow,
		     const struct sock *listener, const struct hs_reply *reply,
		     const struct hs_packet *pkt);

/**
 * hs_xmit_send() - send it
 * @xmit:	what
 * @listener:	a referenced listener, which the packet belongs to
 * @treq:	a request for the flow whose route is @dst, or NULL
 * @dst:	a referenced route, which is consumed, or NULL to look it up
 * @fl:		the flow that found @dst
 *
 * Context: RCU, BH, no lock held. Return: 0, or a negative errno when it did
 * not leave.
 */
int hs_xmit_send(const struct hs_xmit *xmit, struct sock *listener,
		 struct tcp_request_sock *treq, struct dst_entry *dst,
		 struct flowi *fl);

#endif /* HS_XMIT_H */
