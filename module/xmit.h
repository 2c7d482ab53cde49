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
 * @txhash:	multipath hash, unless @socket has its own
 * @dst:	the route of the flow, not referenced, or NULL
 * @keeps:	the flow keeps another one
 * @found:	result: that, referenced, or NULL
 * @tos:	TOS or traffic class, unless it is that of @socket
 * @label:	IPv6 flow label of what a socket that connects is sent
 * @by_socket:	it has TTL, TOS and IP options of the socket, else none
 * @socket:	referenced, one that connects, whose TTL, TOS, priority, options,
 *		flow label and multipath hash it gets; NULL: the sender's
 * @used:	a packet to build it in, as hs_buffer_get() has it, or NULL
 * @used_thoff:	offset of the TCP header there
 */
struct hs_xmit {
	struct hs_flow_key key;
	struct hs_reply reply;
	u32 mark;
	int bound_if;
	u32 txhash;
	struct dst_entry *dst;
	bool keeps;
	struct dst_entry *found;
	u8 tos;
	__be32 label;
	bool by_socket;
	struct sock *socket;
	struct sk_buff *used;
	unsigned int used_thoff;
};

/**
 * hs_xmit_prepare() - take what is needed from a flow
 * @xmit:	result
 * @flow:	the flow, locked or not yet visible
 * @reply:	the segment
 * @pkt:	the segment that it answers, or NULL
 */
void hs_xmit_prepare(struct hs_xmit *xmit, const struct hs_flow *flow,
		     const struct hs_reply *reply, const struct hs_packet *pkt);

/* Before a copy: another path may get through where this one did not. */
void hs_xmit_rehash(struct hs_flow *flow);

/**
 * hs_xmit_routed() - send a segment
 * @xmit:	what; hs_xmit.used is consumed
 * @listener:	a referenced listener, which the packet belongs to
 * @treq:	a request for the flow
 * @dst:	its referenced route, which is consumed
 * @fl:		what found @dst
 *
 * Context: RCU, BH, no lock held. Return: 0, or a negative errno when it did
 * not leave.
 */
int hs_xmit_routed(const struct hs_xmit *xmit, struct sock *listener,
		   struct tcp_request_sock *treq, struct dst_entry *dst,
		   struct flowi *fl);

/*
 * The same by hs_xmit.dst, or after a look-up of the route. It may change the MSS
 * in @xmit, and hs_xmit.found.
 */
int hs_xmit(struct hs_xmit *xmit, struct sock *listener);

#endif /* HS_XMIT_H */
