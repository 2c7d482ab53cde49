/* SPDX-License-Identifier: GPL-2.0 */
/* Buffers for what is sent: new ones, or those of what came in. */
#ifndef HS_BUFFER_H
#define HS_BUFFER_H

#include <linux/skbuff.h>

struct dst_entry;

/**
 * hs_buffer_own() - is a received packet the engine's alone
 * @skb:	the packet
 *
 * Nobody else has a reference to it or to its data, and it is in one piece.
 */
bool hs_buffer_own(const struct sk_buff *skb);

/**
 * hs_buffer_get() - an empty packet for a TCP header
 * @used:	a received packet for which hs_buffer_own() holds, which is
 *		consumed; or NULL
 * @offset:	of the TCP header from its data
 * @dst:	where it will go
 *
 * Return: a packet with room for the largest TCP header, and before that for
 * the headers of the layers below. Nothing of what came in is left in it. NULL
 * when there is no memory.
 */
struct sk_buff *hs_buffer_get(struct sk_buff *used, unsigned int offset,
			      const struct dst_entry *dst);

#endif /* HS_BUFFER_H */
