/* SPDX-License-Identifier: GPL-2.0 */
/* ICMP errors that quote what the kernel has sent. */
#ifndef WIRE_QUOTE_H
#define WIRE_QUOTE_H

#include "peer.h"

/* IPv4 */
#define UNREACHABLE4	3
#define QUENCH4		4
#define REDIRECT4	5
#define EXCEEDED4	11
#define PARAMETER4	12
/* IPv6 */
#define UNREACHABLE6	1
#define TOO_BIG6	2
#define EXCEEDED6	3
#define PARAMETER6	4

/* Of the TCP header an ICMP error need not quote more than this. */
#define QUOTE_MIN	8

/**
 * struct icmp_error - an ICMP or ICMPv6 error about a segment of the flow
 * @type:	its type
 * @code:	its code
 * @rest:	the second word of its header: MTU, gateway or pointer
 * @seq:	the quoted SEG.SEQ, from the kernel's ISS
 * @ttl:	TTL or hop limit of the error; 0: 64
 * @quoted_ttl:	TTL or hop limit of the quoted packet; 0: 1
 * @from:	last octet of the sender's address; 0: 3
 * @octets:	of the quoted TCP segment; 0: QUOTE_MIN; QUOTE_NOTHING for none
 * @extension:	quoted IPv4 options or IPv6 extension headers
 * @extension_len: octets of them
 * @extension_type: protocol number of the first extension header
 * @outer:	IPv4 options or IPv6 extension headers of the error itself, the last
 *		of which says that ICMPv6 follows
 * @outer_len:	octets of them
 * @outer_type:	protocol number of the first extension header
 * @spoil:	changes the quoted packet before it is sent, or NULL
 * @bad_checksum: the error's own checksum is wrong
 */
struct icmp_error {
	u8 type;
	u8 code;
	u32 rest;
	int seq;
	u8 ttl;
	u8 quoted_ttl;
	u8 from;
	int octets;
	const u8 *extension;
	size_t extension_len;
	u8 extension_type;
	const u8 *outer;
	size_t outer_len;
	u8 outer_type;
	void (*spoil)(u8 *quoted);
	bool bad_checksum;
};

#define QUOTE_NOTHING	-1

/* How a quoted packet can be unfit, for icmp_error.spoil. */
void quote_is_udp(u8 *quoted);
void quote_has_short_header(u8 *quoted);
void quote_has_long_header(u8 *quoted);
void quote_is_to_another_port(u8 *quoted);

/* Where a quoted SEG.SEQ may be, from the ISS: 0 and 1 were sent. */
#define QUOTE_OFFSETS	8
extern const int quote_offsets[QUOTE_OFFSETS];

/* Sends the error. */
void peer_icmp(struct peer *peer, const struct icmp_error *error);

/* The same in short. */
#define icmp(peer, ...) \
	peer_icmp(peer, &(const struct icmp_error){ __VA_ARGS__ })

/* Port and host unreachable of the peer's family: hard and soft. */
struct icmp_error hard_error(const struct peer *peer);
struct icmp_error soft_error(const struct peer *peer);

/* Whether `ip route get` says so about the way to the peer. */
bool route_has(const struct peer *peer, const char *words);

/* A counter of the namespace: of ICMP of the peer's family, and TcpExt. */
u64 icmp_mib(const struct peer *peer, const char *name);
u64 tcp_ext(const char *name);

#endif /* WIRE_QUOTE_H */
