// SPDX-License-Identifier: GPL-2.0
#include "octet.h"
#include "segment.h"

/* Octets of the header, RFC 9293 figure 1. */
#define HS_AT_SOURCE		0
#define HS_AT_DESTINATION	2
#define HS_AT_SEQ		4
#define HS_AT_ACK		8
#define HS_AT_OFFSET		12
#define HS_AT_FLAGS		13
#define HS_AT_WINDOW		14

/* The AE bit (RFC 9768) shares its octet with the data offset. */
#define HS_AE			0x01

bool hs_segment_parse(struct hs_segment *seg, const u8 *header,
		      size_t header_len, u32 segment_len, u8 ip_ecn)
{
	u32 offset;

	if (header_len < HS_HEADER_MIN)
		return false;
	offset = (u32)(header[HS_AT_OFFSET] >> 4) * 4;
	if (offset < HS_HEADER_MIN || offset > header_len ||
	    offset > segment_len)
		return false;

	seg->seq = hs_get32(header + HS_AT_SEQ);
	seg->ack = hs_get32(header + HS_AT_ACK);
	seg->wnd = hs_get16(header + HS_AT_WINDOW);
	seg->flags = header[HS_AT_FLAGS];
	seg->ae = header[HS_AT_OFFSET] & HS_AE;
	seg->ecn_capable = ip_ecn & 3;
	seg->len = segment_len - offset;
	if (seg->flags & HS_SYN)
		seg->len++;
	if (seg->flags & HS_FIN)
		seg->len++;
	hs_options_parse(&seg->opts, header + HS_HEADER_MIN,
			 offset - HS_HEADER_MIN, seg->flags & HS_SYN);
	return true;
}

bool hs_reply_repeats(const struct hs_reply *reply, const struct hs_segment *seg,
		      size_t header_len)
{
	const struct hs_options *a = &reply->opts, *b = &seg->opts;

	return reply->flags == seg->flags && !seg->ae &&
	       reply->wnd == seg->wnd && reply->ack == seg->ack &&
	       a->present == b->present && a->mss == b->mss &&
	       a->wscale == b->wscale && a->tsval == b->tsval &&
	       a->tsecr == b->tsecr &&
	       header_len == HS_HEADER_MIN + hs_options_len(a->present);
}

size_t hs_reply_build(u8 *header, const struct hs_reply *reply, u16 source,
		      u16 destination)
{
	size_t len = HS_HEADER_MIN;

	memset(header, 0, HS_HEADER_MIN);
	len += hs_options_build(header + HS_HEADER_MIN, &reply->opts);
	hs_put16(header + HS_AT_SOURCE, source);
	hs_put16(header + HS_AT_DESTINATION, destination);
	hs_put32(header + HS_AT_SEQ, reply->seq);
	hs_put32(header + HS_AT_ACK, reply->ack);
	header[HS_AT_OFFSET] = (u8)(len / 4 << 4);
	header[HS_AT_FLAGS] = reply->flags;
	hs_put16(header + HS_AT_WINDOW, reply->wnd);
	return len;
}
