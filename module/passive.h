/* SPDX-License-Identifier: GPL-2.0 */
/* Passive open: a SYN for a claim. */
#ifndef HS_PASSIVE_H
#define HS_PASSIVE_H

#include "netns.h"
#include "packet.h"

/**
 * hs_passive_syn() - a segment that opens a flow, or that LISTEN drops
 * @hn:		the namespace
 * @pkt:	the segment; it has SYN or is odd, and belongs to no flow
 *
 * Opens a flow when a claim, a listener and all limits allow it; whatever they
 * do not allow is the native stack's.
 *
 * Context: LOCAL_IN. Return: NF_ACCEPT; NF_STOLEN when a flow was
 * opened, and the caller frees the SYN; NF_DROP.
 */
unsigned int hs_passive_syn(struct hs_net *hn, struct hs_packet *pkt);

#endif /* HS_PASSIVE_H */
