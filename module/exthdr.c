// SPDX-License-Identifier: GPL-2.0
/* Extension headers of IPv6. */
#include <linux/ipv6.h>
#include <net/ipv6.h>

#include "exthdr.h"

/* No sender needs more of either, and a walk has to end. */
#define HS_EXTHDR_MAX		8
#define HS_EXTHDR_OPTIONS_MAX	8
/* What options are aligned to is 8 octets. */
#define HS_EXTHDR_PADDING_MAX	7

/* The two bits that say what is to be done with an option that is unknown. */
#define HS_OPTION_ACTION	0xc0

/**
 * struct hs_exthdr_walk - where a walk over extension headers is
 * @skb:	the packet
 * @offset:	of the next header
 * @nexthdr:	its type
 * @protocol:	what is looked for
 * @unsure:	as hs_exthdr_find() has it
 */
struct hs_exthdr_walk {
	const struct sk_buff *skb;
	unsigned int offset;
	u8 nexthdr;
	u8 protocol;
	bool unsure;
};

/* Another octet, or -1. */
static int hs_exthdr_octet(const struct sk_buff *skb, unsigned int offset)
{
	u8 buf;
	const u8 *octet = skb_header_pointer(skb, offset, sizeof(buf), &buf);

	return octet ? *octet : -1;
}

/* Padding of PadN, which has to be 0 (RFC 4942 section 2.1.9.5). */
static bool hs_exthdr_zero(const struct sk_buff *skb, unsigned int offset,
			   unsigned int end)
{
	for (; offset < end; offset++)
		if (hs_exthdr_octet(skb, offset))
			return false;
	return true;
}

/* Return: whether the IP layer may take the options from @offset to @end. */
static bool hs_exthdr_options(struct hs_exthdr_walk *walk, unsigned int offset,
			      unsigned int end)
{
	unsigned int options = 0, padding = 0;
	int type, len;

	while (offset < end) {
		type = hs_exthdr_octet(walk->skb, offset++);
		if (type < 0)
			return false;
		if (type == IPV6_TLV_PAD1) {
			if (++padding > HS_EXTHDR_PADDING_MAX)
				return false;
			continue;
		}
		len = hs_exthdr_octet(walk->skb, offset++);
		if (len < 0 || offset + len > end)
			return false;
		offset += len;
		if (type == IPV6_TLV_PADN) {
			padding += len + 2;
			if (padding > HS_EXTHDR_PADDING_MAX ||
			    !hs_exthdr_zero(walk->skb, offset - len, offset))
				return false;
			continue;
		}
		padding = 0;
		/* the segment has another source then */
		if (type == IPV6_TLV_HAO && IS_ENABLED(CONFIG_IPV6_MIP6))
			walk->unsure = true;
		else if (type & HS_OPTION_ACTION)
			return false;
		if (++options > HS_EXTHDR_OPTIONS_MAX)
			walk->unsure = true;
	}
	return true;
}

/* Return: whether it has come to its end. */
static bool hs_exthdr_routing(struct hs_exthdr_walk *walk)
{
	/* Without Mobile IPv6 type 2 is one that IP knows nothing of. */
	u8 first = IPV6_SRCRT_TYPE_2 + !IS_ENABLED(CONFIG_IPV6_MIP6);
	struct ipv6_rt_hdr buf, *routing;

	routing = skb_header_pointer(walk->skb, walk->offset, sizeof(buf), &buf);
	if (!routing || routing->segments_left)
		return false;
	if (routing->type >= first && routing->type <= IPV6_SRCRT_TYPE_4)
		walk->unsure = true;
	return true;
}

static bool hs_exthdr_fragment(struct hs_exthdr_walk *walk)
{
	struct frag_hdr buf, *fragment;

	fragment = skb_header_pointer(walk->skb, walk->offset, sizeof(buf), &buf);
	if (!fragment || fragment->frag_off & htons(IP6_OFFSET))
		return false;
	/* an error in one piece has nothing to wait for */
	if (walk->protocol == IPPROTO_TCP || fragment->frag_off & htons(IP6_MF))
		walk->unsure = true;
	return true;
}

/* Over the next header. */
static bool hs_exthdr_step(struct hs_exthdr_walk *walk)
{
	struct ipv6_opt_hdr buf, *header;
	unsigned int len;

	header = skb_header_pointer(walk->skb, walk->offset, sizeof(buf), &buf);
	if (!header)
		return false;
	len = ipv6_optlen(header);
	switch (walk->nexthdr) {
	case NEXTHDR_HOP:
		/* looked at before the hook, where it may be */
		if (walk->offset != sizeof(struct ipv6hdr))
			return false;
		break;
	case NEXTHDR_DEST:
		if (!hs_exthdr_options(walk, walk->offset + sizeof(*header),
				       walk->offset + len))
			return false;
		break;
	case NEXTHDR_ROUTING:
		if (!hs_exthdr_routing(walk))
			return false;
		break;
	case NEXTHDR_FRAGMENT:
		if (!hs_exthdr_fragment(walk))
			return false;
		len = sizeof(struct frag_hdr);
		break;
	default:
		/* IPsec verifies it, and then it comes without the header */
		return false;
	}
	walk->nexthdr = header->nexthdr;
	walk->offset += len;
	return true;
}

bool hs_exthdr_find(const struct sk_buff *skb, u8 protocol,
		    unsigned int *offset, bool *unsure)
{
	struct hs_exthdr_walk walk = {
		.skb = skb,
		.offset = sizeof(struct ipv6hdr),
		.nexthdr = ipv6_hdr(skb)->nexthdr,
		.protocol = protocol,
	};
	unsigned int headers = 0;

	while (walk.nexthdr != protocol)
		if (++headers > HS_EXTHDR_MAX || !hs_exthdr_step(&walk))
			return false;
	*offset = walk.offset;
	*unsure = walk.unsure;
	return true;
}
