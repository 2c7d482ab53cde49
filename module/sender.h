/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's own sockets, for flows that have no listener to send by. */
#ifndef HS_SENDER_H
#define HS_SENDER_H

#include <net/sock.h>

#include "flow.h"
#include "netns.h"

/* Context: process, hs_net.lock held. Return: 0 or a negative errno. */
int hs_senders_setup(struct hs_net *hn);

/* Context: no flow is left. */
void hs_senders_teardown(struct hs_net *hn);

/* The socket that segments of a flow are sent by. */
static inline struct sock *hs_sender(const struct hs_flow *flow)
{
	if (flow->listener)
		return flow->listener;
	return hs_flow_net(flow)->sender[flow->key.family == AF_INET6];
}

#endif /* HS_SENDER_H */
