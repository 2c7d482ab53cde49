/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Extension headers of IPv6. LOCAL_IN comes before the IP layer has looked at
 * them, but for hop-by-hop options, and what it will drop must mean nothing here.
 */
#ifndef HS_EXTHDR_H
#define HS_EXTHDR_H

#include <linux/skbuff.h>

/**
 * hs_exthdr_find() - find the header of TCP or ICMPv6 behind extension headers
 * @skb:	a packet of IPv6, at the network header
 * @protocol:	which of the two
 * @offset:	result: where it is
 * @unsure:	result: the IP layer may keep the packet from the protocol, or pass
 *		on another one: the first fragment, or for TCP an atomic one; a
 *		header that depends on how the host is configured
 *
 * Return: false when there is none, or the IP layer will drop the packet, or it
 * has to be verified first and will come again: RFC 8200 sections 4.2 to 4.6.
 */
bool hs_exthdr_find(const struct sk_buff *skb, u8 protocol,
		    unsigned int *offset, bool *unsure);

#endif /* HS_EXTHDR_H */
