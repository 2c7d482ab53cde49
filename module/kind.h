/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Native requests, made by us as the native stack would have made them.
 *
 * What such a request needs and what no header gives away is learnt from one that
 * the native stack has made itself. That one is compared with one of ours, member
 * by member; if they are not alike, we make none of that kind.
 */
#ifndef HS_KIND_H
#define HS_KIND_H

#include <net/request_sock.h>

#include "flow.h"
#include "packet.h"

struct hs_kind;

/* Which function of a listener makes plain requests? Context: process, once. */
void hs_kinds_setup(void);

/**
 * hs_kind_of() - the kind of request that a listener makes
 * @listener:	the listener
 * @family:	of the segments: an IPv6 listener may take those of IPv4
 *
 * Return: NULL when it is a special one, like that of MPTCP.
 */
struct hs_kind *hs_kind_of(const struct sock *listener, u8 family);

/* May hs_kind_request() make it? */
bool hs_kind_known(const struct hs_kind *kind);

/**
 * hs_kind_learn() - learn from a request of the native stack
 * @kind:	its kind
 * @native:	the request, fresh from conn_request()
 * @flow:	its flow
 * @pkt:	the segment that completed the handshake
 *
 * Return: false when our request would not be like it.
 */
bool hs_kind_learn(struct hs_kind *kind, struct request_sock *native,
		   const struct hs_flow *flow, const struct hs_packet *pkt);

/**
 * hs_kind_request() - make a request, which the security module has allowed
 * @kind:	a known kind
 * @flow:	its flow
 * @pkt:	the segment that completed the handshake: it has the label of
 *		the peer, as a segment that completes a SYN cookie has
 *
 * What hs_request_fill() fills in is left to that.
 *
 * Return: the request, hashed by nobody and without a reference, or NULL.
 */
struct request_sock *hs_kind_request(const struct hs_kind *kind,
				     const struct hs_flow *flow,
				     const struct hs_packet *pkt);

#endif /* HS_KIND_H */
