/* SPDX-License-Identifier: GPL-2.0 */
/* ICMP errors: RFC 9293 section 3.9.2.2, RFC 5461, RFC 5927. */
#ifndef HS_CORE_ICMP_H
#define HS_CORE_ICMP_H

#include "tcb.h"
#include "types.h"

enum hs_icmp {
	HS_ICMP_NONE = 0,	/* no error, or one without meaning for TCP */
	HS_ICMP_QUENCH,		/* ignored: RFC 6633 */
	HS_ICMP_SOFT,		/* may pass: must not end the handshake */
	HS_ICMP_HARD,		/* will not pass */
	HS_ICMP_PMTU,		/* too big for a link */
	HS_ICMP_REDIRECT,	/* for the routing table */
};

/**
 * hs_icmp_classify() - what an ICMP or ICMPv6 message means for a handshake
 * @v6:		ICMPv6
 * @type:	its type
 * @code:	its code
 *
 * Hard are protocol and port unreachable; for ICMPv6 also "administratively
 * prohibited", as RFC 5461 section 2 counts them.
 */
enum hs_icmp hs_icmp_classify(bool v6, u8 type, u8 code);

/**
 * hs_icmp_in_window() - does the quoted segment belong to the handshake
 * @tcb:	the handshake
 * @seq:	SEG.SEQ in the quote
 *
 * RFC 5927 section 4.1: what is in flight, which is our SYN or SYN-ACK, or
 * nothing more than ISS + 1.
 */
bool hs_icmp_in_window(const struct hs_tcb *tcb, u32 seq);

/**
 * hs_icmp_arrives() - an ICMP error that quotes a segment of a handshake
 * @tcb:	the handshake
 * @policy:	in force now
 * @meaning:	of the error
 * @seq:	SEG.SEQ in the quote
 *
 * THREEWAY_C_icmp_hard ends the flow. After the handshake no error does (RFC
 * 5461 section 4.1), and nothing does that the lab wants ignored. A new route
 * or path MTU is told by THREEWAY_C_icmp_soft.
 *
 * Return: THREEWAY_C_icmp_hard, THREEWAY_C_icmp_soft,
 * THREEWAY_C_icmp_out_of_window or THREEWAY_C_icmp_ignored.
 */
enum threeway_counter hs_icmp_arrives(const struct hs_tcb *tcb,
				      const struct hs_policy *policy,
				      enum hs_icmp meaning, u32 seq);

#endif /* HS_CORE_ICMP_H */
