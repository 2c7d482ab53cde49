// SPDX-License-Identifier: GPL-2.0
/*
 * Two octets say how much data there is and how much of the header, one is the
 * ECN field of the IP header, and the rest is the TCP header.
 */
#include <stdlib.h>

#include "input.h"
#include "rule.h"
#include "rules.h"
#include "segment.h"
#include "target.h"

#define WRITTEN		(HS_OPT_MSS | HS_OPT_WSCALE | \
			 HS_OPT_SACK_PERMITTED | HS_OPT_TIMESTAMPS)

/* SYN and FIN have a sequence number each. */
static u32 control_len(u8 flags)
{
	return (flags & HS_SYN ? 1U : 0U) + (flags & HS_FIN ? 1U : 0U);
}

/* A reply with the numbers of a segment, written and read. */
static void round_trip(const struct hs_segment *seg, u16 source,
		       u16 destination)
{
	const struct hs_reply reply = {
		.seq = seg->seq,
		.ack = seg->ack,
		.wnd = seg->wnd,
		.flags = seg->flags,
		.opts = seg->opts,
	};
	u8 header[HS_HEADER_MAX];
	struct hs_segment back;
	size_t len;

	memset(header, 0xa5, sizeof(header));
	len = hs_reply_build(header, &reply, source, destination);
	RULE("a header is 20 to 40 octets, in words",
	     len >= HS_HEADER_MIN && len <= 40 && !(len & 3));
	RULE("ports are where they belong, and there is no checksum yet",
	     hs_get16(header) == source && hs_get16(header + 2) == destination &&
	     !hs_get32(header + 16));
	RULE("what is sent can be read",
	     hs_segment_parse(&back, header, len, (u32)len, 0));
	RULE("what is sent is what is read",
	     back.seq == seg->seq && back.ack == seg->ack &&
	     back.wnd == seg->wnd && back.flags == seg->flags &&
	     !back.ae && !back.ecn_capable &&
	     back.len == control_len(seg->flags));
	RULE("the options that are sent are those that are read",
	     back.opts.present == (seg->opts.present & WRITTEN) &&
	     back.opts.mss == seg->opts.mss &&
	     back.opts.wscale == seg->opts.wscale &&
	     back.opts.tsval == seg->opts.tsval &&
	     back.opts.tsecr == seg->opts.tsecr);
}

void fuzz_segment(const u8 *data, size_t size)
{
	struct input in = { data, size };
	u32 data_len = take8(&in) * 257U;
	size_t shown = take8(&in) % (HS_HEADER_MAX + 5);
	u8 ip_ecn = take8(&in);
	size_t len = in.left < shown ? in.left : shown;
	u32 segment_len = data_len > 60000 ? 65535 : (u32)len + data_len;
	struct hs_segment seg;
	u8 *header = malloc(len ? len : 1);
	bool good;

	RULE("there is memory", header);
	memcpy(header, in.at, len);
	memset(&seg, 0xa5, sizeof(seg));
	good = hs_segment_parse(&seg, header, len, segment_len, ip_ecn);
	RULE("a header is understood exactly if it is whole",
	     good == (len >= HS_HEADER_MIN && header[12] >> 4 >= 5 &&
		      (u32)(header[12] >> 4) * 4 <= len &&
		      (u32)(header[12] >> 4) * 4 <= segment_len));
	if (good) {
		rules_segment(&seg);
		RULE("SEG.LEN is what is behind the header",
		     seg.len - control_len(seg.flags) ==
		     segment_len - (u32)(header[12] >> 4) * 4);
		RULE("ECT and CE are ECN-capable",
		     seg.ecn_capable == !!(ip_ecn & 3));
		round_trip(&seg, hs_get16(header), hs_get16(header + 2));
	}
	free(header);
}
