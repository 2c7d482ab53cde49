/* SPDX-License-Identifier: GPL-2.0 */
/* TCP options: RFC 9293 section 3.2, RFC 7323, RFC 2018. */
#ifndef HS_CORE_OPTION_H
#define HS_CORE_OPTION_H

#include "types.h"

#define HS_OPTIONS_MAX		40
#define HS_WSCALE_MAX		14

/* Options that were there; those of the SYN only are seen only on a SYN. */
#define HS_OPT_MSS		0x001
#define HS_OPT_WSCALE		0x002
#define HS_OPT_SACK_PERMITTED	0x004
#define HS_OPT_TIMESTAMPS	0x008
#define HS_OPT_MD5		0x010	/* kind 19 */
#define HS_OPT_AO		0x020	/* kind 29 */
#define HS_OPT_MPTCP		0x040	/* kind 30 */
#define HS_OPT_FAST_OPEN	0x080	/* kind 34, or 254 with 0xf989 */
#define HS_OPT_SMC		0x100	/* kind 254 with 0xe2d4c3d9 */
#define HS_OPT_COOKIE_REQUEST	0x200	/* HS_OPT_FAST_OPEN without a cookie */

/**
 * struct hs_options - the options of one segment
 * @present:	HS_OPT_*
 * @mss:	in bytes, never 0 when present
 * @wscale:	window shift, at most 14 (RFC 7323 section 2.3)
 * @wscale_over: a shift that was more than that, or 0
 * @tsval:	TSval
 * @tsecr:	TSecr
 */
struct hs_options {
	u16 present;
	u16 mss;
	u8 wscale;
	u8 wscale_over;
	u32 tsval;
	u32 tsecr;
};

/**
 * hs_options_parse() - read the options of a segment
 * @opts:	result, complete in every case
 * @p:		first octet after the fixed header
 * @len:	octets of options, 0 to 40
 * @syn:	whether the segment has SYN
 *
 * The last valid option of a kind counts. An option with the wrong length for
 * its kind is skipped; one shorter than two octets or longer than the header
 * ends the list, and what was read before it counts.
 */
void hs_options_parse(struct hs_options *opts, const u8 *p, size_t len,
		      bool syn);

/**
 * hs_options_walk() - the same, one option after the other
 * @opts:	result, the same as that of hs_options_parse()
 * @p:		first octet after the fixed header
 * @len:	octets of options, 0 to 40
 * @syn:	whether the segment has SYN
 *
 * Apart only for proofs and tests to compare: hs_options_parse() knows the
 * layouts that most segments have without walking.
 */
void hs_options_walk(struct hs_options *opts, const u8 *p, size_t len,
		     bool syn);

/**
 * hs_options_build() - write options in the order of the native stack
 * @p:		room for 40 octets
 * @opts:	MSS, window scale, SACK-permitted and timestamps are written
 *
 * Return: octets written, a multiple of four.
 */
size_t hs_options_build(u8 *p, const struct hs_options *opts);

/* Octets that hs_options_build() writes of HS_OPT_*. */
static inline size_t hs_options_len(u16 present)
{
	size_t len = present & HS_OPT_MSS ? 4 : 0;

	if (present & HS_OPT_WSCALE)
		len += 4;
	if (present & HS_OPT_TIMESTAMPS)
		return len + 12;
	return present & HS_OPT_SACK_PERMITTED ? len + 4 : len;
}

/**
 * hs_options_mask() - overwrite options by NOP
 * @p:		first octet after the fixed header
 * @len:	octets of options, 0 to 40
 * @options:	HS_OPT_WSCALE, HS_OPT_SACK_PERMITTED and HS_OPT_TIMESTAMPS
 */
void hs_options_mask(u8 *p, size_t len, u16 options);

#endif /* HS_CORE_OPTION_H */
