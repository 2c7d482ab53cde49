// SPDX-License-Identifier: GPL-2.0
#include "octet.h"
#include "option.h"

#define HS_KIND_EOL		0
#define HS_KIND_NOP		1
#define HS_KIND_MSS		2
#define HS_KIND_WSCALE		3
#define HS_KIND_SACK_PERMITTED	4
#define HS_KIND_TIMESTAMPS	8
#define HS_KIND_MD5		19
#define HS_KIND_AO		29
#define HS_KIND_MPTCP		30
#define HS_KIND_FAST_OPEN	34
#define HS_KIND_EXPERIMENT	254

#define HS_LEN_MSS		4
#define HS_LEN_WSCALE		3
#define HS_LEN_SACK_PERMITTED	2
#define HS_LEN_TIMESTAMPS	10

/* Whole words, as the options are padded to by those who send them. */
#define HS_WORD_TIMESTAMPS	0x0101080a
#define HS_WORD_SACK_TIMESTAMPS	0x0402080a
#define HS_WORD_SACK_PERMITTED	0x01010402
#define HS_WORD_WSCALE		0x010303	/* and its value */

/* RFC 6994: experiments share a kind and are told apart by a magic number. */
#define HS_MAGIC_FAST_OPEN	0xf989
#define HS_MAGIC_SMC		0xe2d4c3d9

/* Options of the SYN, which mean nothing on other segments. */
static void hs_option_syn(struct hs_options *opts, const u8 *p, u8 len)
{
	u16 mss;

	switch (p[0]) {
	case HS_KIND_MSS:
		if (len != HS_LEN_MSS)
			break;
		mss = hs_get16(p + 2);
		if (!mss)
			break;
		opts->present |= HS_OPT_MSS;
		opts->mss = mss;
		break;
	case HS_KIND_WSCALE:
		if (len != HS_LEN_WSCALE)
			break;
		opts->present |= HS_OPT_WSCALE;
		opts->wscale = p[2];
		if (p[2] <= HS_WSCALE_MAX)
			break;
		opts->wscale = HS_WSCALE_MAX;
		opts->wscale_over = p[2];
		break;
	case HS_KIND_SACK_PERMITTED:
		if (len == HS_LEN_SACK_PERMITTED)
			opts->present |= HS_OPT_SACK_PERMITTED;
		break;
	}
}

/* RFC 7413 section 4.1.1: a cookie has an even number of octets. */
static void hs_option_fast_open(struct hs_options *opts, bool syn, u8 cookie)
{
	opts->present |= HS_OPT_FAST_OPEN;
	if (!syn || cookie % 2)
		return;
	opts->present &= (u16)~HS_OPT_COOKIE_REQUEST;
	if (!cookie)
		opts->present |= HS_OPT_COOKIE_REQUEST;
}

static void hs_option_experiment(struct hs_options *opts, const u8 *p, u8 len,
				 bool syn)
{
	if (len >= 4 && hs_get16(p + 2) == HS_MAGIC_FAST_OPEN)
		hs_option_fast_open(opts, syn, len - 4);
	else if (len >= 6 && hs_get32(p + 2) == HS_MAGIC_SMC)
		opts->present |= HS_OPT_SMC;
}

/* Options of any segment. */
static void hs_option_any(struct hs_options *opts, const u8 *p, u8 len,
			  bool syn)
{
	switch (p[0]) {
	case HS_KIND_TIMESTAMPS:
		if (len != HS_LEN_TIMESTAMPS)
			break;
		opts->present |= HS_OPT_TIMESTAMPS;
		opts->tsval = hs_get32(p + 2);
		opts->tsecr = hs_get32(p + 6);
		break;
	case HS_KIND_MD5:
		opts->present |= HS_OPT_MD5;
		break;
	case HS_KIND_AO:
		opts->present |= HS_OPT_AO;
		break;
	case HS_KIND_MPTCP:
		opts->present |= HS_OPT_MPTCP;
		break;
	case HS_KIND_FAST_OPEN:
		hs_option_fast_open(opts, syn, len - 2);
		break;
	case HS_KIND_EXPERIMENT:
		hs_option_experiment(opts, p, len, syn);
		break;
	}
}

/* Octets of the option that the list begins with, or 0 where it ends. */
static u8 hs_option_size(const u8 *p, size_t len)
{
	if (p[0] == HS_KIND_EOL)
		return 0;
	if (p[0] == HS_KIND_NOP)
		return 1;
	if (len < 2 || p[1] < 2 || p[1] > len)
		return 0;
	return p[1];
}

static void hs_option_read(struct hs_options *opts, const u8 *p, u8 size,
			   bool syn)
{
	if (syn)
		hs_option_syn(opts, p, size);
	hs_option_any(opts, p, size, syn);
}

void hs_options_walk(struct hs_options *opts, const u8 *p, size_t len, bool syn)
{
	memset(opts, 0, sizeof(*opts));

	while (len) {
		u8 size = hs_option_size(p, len);

		if (!size)
			return;
		hs_option_read(opts, p, size, syn);
		p += size;
		len -= size;
	}
}

static void hs_known_timestamps(struct hs_options *opts, const u8 *value)
{
	opts->present |= HS_OPT_TIMESTAMPS;
	opts->tsval = hs_get32(value);
	opts->tsecr = hs_get32(value + 4);
}

/* Return: false where the walk has to say what the values mean. */
static bool hs_known_syn(struct hs_options *opts, u32 mss, u8 wscale)
{
	if (mss >> 16 != (HS_KIND_MSS << 8 | HS_LEN_MSS) || !(u16)mss ||
	    wscale > HS_WSCALE_MAX)
		return false;
	opts->present = HS_OPT_MSS | HS_OPT_SACK_PERMITTED | HS_OPT_WSCALE;
	opts->mss = (u16)mss;
	opts->wscale = wscale;
	return true;
}

/*
 * The layouts that nearly everybody sends, known at a few words: timestamps on
 * any segment, and the SYNs of Linux and Windows.
 */
static bool hs_options_known(struct hs_options *opts, const u8 *p, size_t len,
			     bool syn)
{
	memset(opts, 0, sizeof(*opts));
	switch (len) {
	case 0:
		return true;
	case 12:
		if (hs_get32(p) == HS_WORD_TIMESTAMPS) {
			hs_known_timestamps(opts, p + 4);
			return true;
		}
		return syn && hs_get32(p + 4) >> 8 == HS_WORD_WSCALE &&
		       hs_get32(p + 8) == HS_WORD_SACK_PERMITTED &&
		       hs_known_syn(opts, hs_get32(p), p[7]);
	case 20:
		if (!syn || hs_get32(p + 4) != HS_WORD_SACK_TIMESTAMPS ||
		    hs_get32(p + 16) >> 8 != HS_WORD_WSCALE ||
		    !hs_known_syn(opts, hs_get32(p), p[19]))
			return false;
		hs_known_timestamps(opts, p + 8);
		return true;
	default:
		return false;
	}
}

void hs_options_parse(struct hs_options *opts, const u8 *p, size_t len,
		      bool syn)
{
	if (!hs_options_known(opts, p, len, syn))
		hs_options_walk(opts, p, len, syn);
}

/* All that can be written, as most SYN-ACKs have it. */
static size_t hs_options_build_all(u8 *p, const struct hs_options *opts)
{
	hs_put32(p, (u32)(HS_KIND_MSS << 8 | HS_LEN_MSS) << 16 | opts->mss);
	hs_put32(p + 4, HS_WORD_SACK_TIMESTAMPS);
	hs_put32(p + 8, opts->tsval);
	hs_put32(p + 12, opts->tsecr);
	hs_put32(p + 16, (u32)HS_WORD_WSCALE << 8 | opts->wscale);
	return 20;
}

size_t hs_options_build(u8 *p, const struct hs_options *opts)
{
	const u16 all = HS_OPT_MSS | HS_OPT_WSCALE | HS_OPT_SACK_PERMITTED |
			HS_OPT_TIMESTAMPS;
	bool sack = opts->present & HS_OPT_SACK_PERMITTED;
	u8 *end = p;

	if ((opts->present & all) == all)
		return hs_options_build_all(p, opts);
	if (opts->present & HS_OPT_MSS) {
		end[0] = HS_KIND_MSS;
		end[1] = HS_LEN_MSS;
		hs_put16(end + 2, opts->mss);
		end += 4;
	}
	/* SACK-permitted takes the place of the padding before timestamps. */
	if (sack || (opts->present & HS_OPT_TIMESTAMPS)) {
		bool first = sack && (opts->present & HS_OPT_TIMESTAMPS);

		memset(end, HS_KIND_NOP, 4);
		if (sack) {
			end[first ? 0 : 2] = HS_KIND_SACK_PERMITTED;
			end[first ? 1 : 3] = HS_LEN_SACK_PERMITTED;
		}
		end += 4;
	}
	if (opts->present & HS_OPT_TIMESTAMPS) {
		end[-2] = HS_KIND_TIMESTAMPS;
		end[-1] = HS_LEN_TIMESTAMPS;
		hs_put32(end, opts->tsval);
		hs_put32(end + 4, opts->tsecr);
		end += 8;
	}
	if (opts->present & HS_OPT_WSCALE) {
		end[0] = HS_KIND_NOP;
		end[1] = HS_KIND_WSCALE;
		end[2] = HS_LEN_WSCALE;
		end[3] = opts->wscale;
		end += 4;
	}
	return (size_t)(end - p);
}

static u16 hs_option_bit(u8 kind)
{
	switch (kind) {
	case HS_KIND_WSCALE:
		return HS_OPT_WSCALE;
	case HS_KIND_SACK_PERMITTED:
		return HS_OPT_SACK_PERMITTED;
	case HS_KIND_TIMESTAMPS:
		return HS_OPT_TIMESTAMPS;
	default:
		return 0;
	}
}

static void hs_option_mask(u8 *p, u8 size, u16 options)
{
	if (hs_option_bit(p[0]) & options)
		memset(p, HS_KIND_NOP, size);
}

void hs_options_mask(u8 *p, size_t len, u16 options)
{
	while (len) {
		u8 size = hs_option_size(p, len);

		if (!size)
			return;
		hs_option_mask(p, size, options);
		p += size;
		len -= size;
	}
}
