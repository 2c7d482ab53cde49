// SPDX-License-Identifier: GPL-2.0
#include "icmp.h"
#include "seq.h"

/* ICMP, RFC 792 and RFC 1122 section 3.2.2.1 */
#define HS_ICMP4_UNREACHABLE		3
#define HS_ICMP4_SOURCE_QUENCH		4
#define HS_ICMP4_REDIRECT		5
#define HS_ICMP4_TIME_EXCEEDED		11
#define HS_ICMP4_PARAMETER_PROBLEM	12
#define HS_ICMP4_PROTOCOL		2
#define HS_ICMP4_PORT			3
#define HS_ICMP4_FRAGMENTATION_NEEDED	4
#define HS_ICMP4_UNREACHABLE_MAX	15

/* ICMPv6, RFC 4443 */
#define HS_ICMP6_UNREACHABLE		1
#define HS_ICMP6_TOO_BIG		2
#define HS_ICMP6_TIME_EXCEEDED		3
#define HS_ICMP6_PARAMETER_PROBLEM	4
#define HS_ICMP6_PROHIBITED		1
#define HS_ICMP6_PORT			4

static enum hs_icmp hs_icmp4_classify(u8 type, u8 code)
{
	switch (type) {
	case HS_ICMP4_UNREACHABLE:
		if (code == HS_ICMP4_FRAGMENTATION_NEEDED)
			return HS_ICMP_PMTU;
		if (code == HS_ICMP4_PROTOCOL || code == HS_ICMP4_PORT)
			return HS_ICMP_HARD;
		return code <= HS_ICMP4_UNREACHABLE_MAX ? HS_ICMP_SOFT :
							  HS_ICMP_NONE;
	case HS_ICMP4_TIME_EXCEEDED:
	case HS_ICMP4_PARAMETER_PROBLEM:
		return HS_ICMP_SOFT;
	case HS_ICMP4_SOURCE_QUENCH:
		return HS_ICMP_QUENCH;
	case HS_ICMP4_REDIRECT:
		return HS_ICMP_REDIRECT;
	default:
		return HS_ICMP_NONE;
	}
}

static enum hs_icmp hs_icmp6_classify(u8 type, u8 code)
{
	switch (type) {
	case HS_ICMP6_UNREACHABLE:
		if (code == HS_ICMP6_PROHIBITED || code == HS_ICMP6_PORT)
			return HS_ICMP_HARD;
		return HS_ICMP_SOFT;
	case HS_ICMP6_TOO_BIG:
		return HS_ICMP_PMTU;
	case HS_ICMP6_TIME_EXCEEDED:
	case HS_ICMP6_PARAMETER_PROBLEM:
		return HS_ICMP_SOFT;
	default:
		return HS_ICMP_NONE;
	}
}

enum hs_icmp hs_icmp_classify(bool v6, u8 type, u8 code)
{
	return v6 ? hs_icmp6_classify(type, code) :
		    hs_icmp4_classify(type, code);
}

bool hs_icmp_in_window(const struct hs_tcb *tcb, u32 seq)
{
	/* of an accepted handshake nothing but the SYN-ACK has been sent */
	if (tcb->state == THREEWAY_SYN_RECEIVED && !tcb->active)
		return seq == tcb->iss;
	return hs_seq_between(seq, tcb->iss, tcb->iss + 1);
}

enum threeway_counter hs_icmp_arrives(const struct hs_tcb *tcb,
				      const struct hs_policy *policy,
				      enum hs_icmp meaning, u32 seq)
{
	bool ends = meaning == HS_ICMP_HARD || meaning == HS_ICMP_SOFT;

	if (meaning == HS_ICMP_NONE || meaning == HS_ICMP_QUENCH)
		return THREEWAY_C_icmp_ignored;
	if (!hs_icmp_in_window(tcb, seq))
		return THREEWAY_C_icmp_out_of_window;
	if (ends && (tcb->delayed || hs_frozen(tcb, policy)))
		return THREEWAY_C_icmp_ignored;
	return meaning == HS_ICMP_HARD && tcb->state != THREEWAY_ESTABLISHED ?
	       THREEWAY_C_icmp_hard : THREEWAY_C_icmp_soft;
}
