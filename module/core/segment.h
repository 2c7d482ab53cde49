/* SPDX-License-Identifier: GPL-2.0 */
/* A TCP segment as the core sees it: RFC 9293 section 3.1. */
#ifndef HS_CORE_SEGMENT_H
#define HS_CORE_SEGMENT_H

#include "option.h"
#include "types.h"

#define HS_HEADER_MIN	20
#define HS_HEADER_MAX	60

#define HS_FIN		0x01
#define HS_SYN		0x02
#define HS_RST		0x04
#define HS_PSH		0x08
#define HS_ACK		0x10
#define HS_URG		0x20
#define HS_ECE		0x40
#define HS_CWR		0x80

/**
 * struct hs_segment - a segment that arrived
 * @seq:	SEG.SEQ
 * @ack:	SEG.ACK, of no meaning without HS_ACK
 * @len:	SEG.LEN: data plus one each for SYN and FIN
 * @wnd:	the window field as it stands, not scaled
 * @flags:	HS_FIN to HS_CWR
 * @ae:		the AE bit of RFC 9768
 * @ecn_capable: the IP header was ECT or CE (RFC 3168)
 * @opts:	its options
 */
struct hs_segment {
	u32 seq;
	u32 ack;
	u32 len;
	u16 wnd;
	u8 flags;
	bool ae;
	bool ecn_capable;
	struct hs_options opts;
};

/**
 * hs_segment_parse() - read a TCP header with its options
 * @seg:	result
 * @header:	the header, all doff * 4 octets of it
 * @header_len:	octets at @header
 * @segment_len: octets of the whole segment, header and data
 * @ip_ecn:	the two ECN bits of the IP header
 *
 * Return: false when the data offset is below 5 or beyond either length.
 */
bool hs_segment_parse(struct hs_segment *seg, const u8 *header,
		      size_t header_len, u32 segment_len, u8 ip_ecn);

/**
 * struct hs_reply - a segment to send
 * @seq:	SEG.SEQ
 * @ack:	SEG.ACK, 0 without HS_ACK
 * @wnd:	window field as it goes on the wire
 * @flags:	HS_*, 0 when there is nothing to send
 * @opts:	its options
 */
struct hs_reply {
	u32 seq;
	u32 ack;
	u16 wnd;
	u8 flags;
	struct hs_options opts;
};

/**
 * hs_segment_opens() - is it the SYN of an ordinary open
 * @seg:	the segment
 *
 * Return: true for SYN without any other control bit, data and urgent pointer.
 */
static inline bool hs_segment_opens(const struct hs_segment *seg)
{
	const u8 control = HS_FIN | HS_SYN | HS_RST | HS_ACK | HS_URG;

	return (seg->flags & control) == HS_SYN && seg->len == 1;
}

/**
 * hs_reply_repeats() - does a header say what a reply says, SEG.SEQ aside
 * @reply:	the reply
 * @seg:	the header, hs_segment_parse() has read it
 * @header_len:	its octets
 *
 * Return: false as well if there are other options in it.
 */
bool hs_reply_repeats(const struct hs_reply *reply, const struct hs_segment *seg,
		      size_t header_len);

/**
 * hs_reply_build() - write a TCP header with its options, checksum 0
 * @header:	room for HS_HEADER_MAX octets
 * @reply:	what to write
 * @source:	source port, host byte order
 * @destination: destination port, host byte order
 *
 * Return: octets written.
 */
size_t hs_reply_build(u8 *header, const struct hs_reply *reply, u16 source,
		      u16 destination);

#endif /* HS_CORE_SEGMENT_H */
