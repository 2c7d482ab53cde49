/* SPDX-License-Identifier: GPL-2.0 */
/* The native socket of a tuple: there must never be two answers to a segment. */
#ifndef HS_NATIVE_H
#define HS_NATIVE_H

#include <net/net_namespace.h>
#include <net/sock.h>

#include "core/isn.h"
#include "flow.h"
#include "packet.h"

/**
 * hs_native_socket() - the native socket that has a tuple
 * @net:	the namespace
 * @key:	the tuple
 * @dif:	interface of a segment, or of the flow
 * @sdif:	VRF slave, 0 for none
 *
 * Context: RCU. Return: a referenced socket, which may be in TIME-WAIT or a
 * request, or NULL.
 */
struct sock *hs_native_socket(struct net *net, const struct hs_flow_key *key,
			      int dif, int sdif);

/**
 * hs_native_owner() - does a native socket have the tuple of a SYN?
 * @net:	the namespace
 * @pkt:	the SYN
 * @previous:	result: what TIME-WAIT remembers of the tuple
 * @time_wait:	set when it does, and lets the SYN take the tuple
 *
 * Context: RCU. Return: why the SYN is the native stack's, or HS_NONE.
 */
enum threeway_counter hs_native_owner(struct net *net,
				      const struct hs_packet *pkt,
				      struct hs_time_wait *previous,
				      bool *time_wait);

/* Is there one, in whatever state? */
bool hs_native_has(struct net *net, const struct hs_flow_key *key, int dif,
		   int sdif);

/* Is there one that is not in TIME-WAIT? */
bool hs_native_owns(struct net *net, const struct hs_flow_key *key, int dif,
		    int sdif);

/**
 * hs_native_yields() - make room for the request of a flow
 * @flow:	the flow
 * @pkt:	the segment that completed the handshake
 *
 * The previous connection of the tuple goes away when it is in TIME-WAIT.
 *
 * Return: false when another native socket is known to have the tuple.
 */
bool hs_native_yields(const struct hs_flow *flow, struct hs_packet *pkt);

#endif /* HS_NATIVE_H */
