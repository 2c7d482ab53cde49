/* SPDX-License-Identifier: GPL-2.0 */
/* ICMP errors that quote a segment of a flow. */
#ifndef HS_ICMP_H
#define HS_ICMP_H

#include <linux/netfilter.h>

#include "netns.h"

/**
 * hs_icmp() - a packet that is not TCP
 * @hn:		the namespace
 * @skb:	it, at LOCAL_IN
 * @state:	of the hook
 *
 * An error for a connecting socket is native business, since the socket knows
 * the engine's ISS. All other flows have no socket: without us the native stack
 * would count such an error as bad.
 *
 * Context: BH. Return: NF_ACCEPT, or NF_STOLEN when nobody else may have it.
 */
unsigned int hs_icmp(struct hs_net *hn, struct sk_buff *skb,
		     const struct nf_hook_state *state);

#endif /* HS_ICMP_H */
