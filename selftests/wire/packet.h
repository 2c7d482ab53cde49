/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP over IPv4 and IPv6 as raw octets: build, parse, and the one-line notation
 * that the tests are written in.
 *
 * A line is
 *
 *	FLAGS SEQ:END(LEN) [ack N] [win N] [urg N] [ttl N] [tos N] [res N]
 *	      [<option,option,...>]
 *
 * to which a printed packet adds df, "id" and "label" when IPv4 identification
 * and IPv6 flow label are not 0, and the size of IP options.
 *
 * with FLAGS from "FSRP.UEW" ("." is ACK, "-" none) and LEN the octets of data
 * (":END" and "(LEN)" may be left out). SEQ counts from the sender's initial
 * sequence number and ack from the receiver's; "=N" is the number itself. N may
 * be negative, or hexadecimal with 0x. In an expected packet "*" stands for any
 * value, and what a line does not mention may be anything.
 *
 * Options: mss N, sackOK, TS val N ecr N, wscale N, sack N:N, nop, eol, and raw
 * HEX for any octets. "^" in a sent TS ecr is the latest TSval of the kernel,
 * also as "^+N" and "^-N". In an expected packet the options are compared as
 * octets, order and padding included; "<>" means none.
 */
#ifndef WIRE_PACKET_H
#define WIRE_PACKET_H

#include "../../module/core/types.h"

#ifndef __printf
#define __printf(a, b)	__attribute((format(printf, a, b)))
#endif

#define FLAG_FIN	0x001
#define FLAG_SYN	0x002
#define FLAG_RST	0x004
#define FLAG_PSH	0x008
#define FLAG_ACK	0x010
#define FLAG_URG	0x020
#define FLAG_ECE	0x040
#define FLAG_CWR	0x080
#define FLAG_ALL	0x0ff	/* the rest of the 12 bits is reserved */

#define PACKET_MAX	65535
#define OPTIONS_MAX	40
#define EXTENSION_MAX	256
#define LINE_MAX_LEN	512

/* An address; IPv4 in the first four octets. */
struct address {
	u8 octet[16];
};

/**
 * struct packet - a TCP segment in an IP packet
 * @family:	AF_INET or AF_INET6
 * @src:	source address
 * @dst:	destination address
 * @ttl:	time to live or hop limit
 * @tos:	type of service or traffic class
 * @df:		don't fragment (IPv4)
 * @ip_id:	identification (IPv4)
 * @flow_label:	IPv6 flow label
 * @extension:	IPv4 options, or IPv6 extension headers, whose next-header
 *		fields are filled in by packet_build()
 * @extension_len: octets of them, a multiple of 4 (IPv4) or 8
 * @extension_type: protocol number of the first extension header
 * @sport:	source port
 * @dport:	destination port
 * @seq:	sequence number, as on the wire
 * @ack:	acknowledgment number, as on the wire
 * @flags:	the 12 bits beside the data offset
 * @window:	window field, as on the wire
 * @urgent:	urgent pointer
 * @options:	TCP options
 * @options_len: octets of them, padded to a multiple of 4
 * @data:	data, or NULL for zero octets
 * @data_len:	octets of data
 * @icmp:	not TCP but ICMP: type in the high octet, code in the low one
 */
struct packet {
	int family;
	struct address src;
	struct address dst;
	u8 ttl;
	u8 tos;
	bool df;
	u16 ip_id;
	u32 flow_label;
	u8 extension[EXTENSION_MAX];
	size_t extension_len;
	u8 extension_type;
	u16 sport;
	u16 dport;
	u32 seq;
	u32 ack;
	u16 flags;
	u16 window;
	u16 urgent;
	u8 options[OPTIONS_MAX];
	size_t options_len;
	const u8 *data;
	size_t data_len;
	int icmp;
};

/**
 * struct pattern - an expected packet
 * @packet:	its values
 * @any_seq, @any_ack, @any_window, @any_ttl, @any_tos, @any_options: not
 *		compared
 * @option_mask: which octets of the options are compared
 */
struct pattern {
	struct packet packet;
	bool any_seq;
	bool any_ack;
	bool any_window;
	bool any_urgent;
	bool any_ttl;
	bool any_tos;
	bool any_options;
	u8 option_mask[OPTIONS_MAX];
};

/**
 * struct origin - what the numbers of a line count from
 * @seq:	initial sequence number of the sender
 * @ack:	initial sequence number of the receiver
 * @tsval:	what "^" stands for
 * @hide_tsval:	print "*" for TSvals, which no two runs share
 */
struct origin {
	u32 seq;
	u32 ack;
	u32 tsval;
	bool hide_tsval;
};

/* Octets of the built packet in @raw (room for PACKET_MAX), checksums right. */
size_t packet_build(const struct packet *packet, u8 *raw);

/*
 * An ICMP or ICMPv6 message with addresses and TTL of @packet: @type in the high
 * octet and code in the low one, and the beginning of the packet it is about.
 */
size_t packet_build_icmp(const struct packet *packet, u16 type,
			 const u8 *about, size_t about_len, u8 *raw);

/*
 * Recomputes the checksums of a TCP packet without extensions after a test has
 * changed its octets.
 */
void packet_checksum(u8 *raw, size_t len);

/* Writes the checksum that a device is to compute from @start into @start + @at. */
void packet_complete(u8 *raw, size_t len, size_t start, size_t at);

/*
 * Reads a packet of the kernel; @packet->data points into @raw. False, and a
 * reason, for what is no well-formed TCP or ICMP packet: a kernel must not send
 * that, so bad checksums are among the reasons.
 */
bool packet_parse(struct packet *packet, const u8 *raw, size_t len,
		  const char **reason);

/* The notation: a line to a pattern (abort() on a line that makes no sense). */
void packet_scan(struct pattern *pattern, const char *line,
		 const struct origin *origin);

/* The notation: a packet to a line. Returns @line. */
char *packet_print(const struct packet *packet, const struct origin *origin,
		   char line[LINE_MAX_LEN]);

/* Whether a packet has all that the pattern asks for. */
bool packet_matches(const struct packet *packet, const struct pattern *pattern);

/* Finds the TSopt of a packet. False when there is none. */
bool packet_timestamps(const struct packet *packet, u32 *tsval,
		       u32 *tsecr);

/* Finds an option; its length octet included in the returned length, or 0. */
size_t packet_option(const struct packet *packet, u8 kind,
		     const u8 **option);

/* The octet that belongs at a place of the stream, counted from the ISN. */
u8 stream_octet(u32 place);

#endif /* WIRE_PACKET_H */
