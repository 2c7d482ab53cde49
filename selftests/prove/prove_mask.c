// SPDX-License-Identifier: GPL-2.0
/*
 * Masking leaves the other options, for any number of them: one step of both
 * loops of option.c. Two readings, of options as they came and as they are after
 * they were masked, differ by what is masked alone; they still do after one more
 * option, and both go on at the same octet. At the beginning both are empty.
 */
#define hs_options_parse	step_options_parse
#define hs_options_walk		step_options_walk
#define hs_options_build	step_options_build
#define hs_options_mask		step_options_mask
#include "../../module/core/option.c"
#undef hs_options_parse
#undef hs_options_walk
#undef hs_options_build
#undef hs_options_mask

#include "any.h"

#define MASKABLE	(HS_OPT_WSCALE | HS_OPT_SACK_PERMITTED | \
			 HS_OPT_TIMESTAMPS)

/* @b is @a but for what is masked. */
static bool masked(const struct hs_options *a, const struct hs_options *b,
		   u16 options)
{
	return b->present == (a->present & (u16)~options) &&
	       b->mss == a->mss &&
	       b->wscale == (options & HS_OPT_WSCALE ? 0 : a->wscale) &&
	       b->tsval == (options & HS_OPT_TIMESTAMPS ? 0 : a->tsval) &&
	       b->tsecr == (options & HS_OPT_TIMESTAMPS ? 0 : a->tsecr);
}

/* Read what was one option: itself, or the NOPs that took its place. */
static u8 read_again(struct hs_options *opts, const u8 *p, size_t len, u8 size,
		     bool syn)
{
	u8 at = 0, step;

	while (at < size) {
		step = hs_option_size(p + at, len - at);
		if (!step)
			break;
		hs_option_read(opts, p + at, step, syn);
		at += step;
	}
	return at;
}

void prove_options_masked_any(void)
{
	u8 octets[HS_OPTIONS_MAX], before[HS_OPTIONS_MAX];
	struct hs_options a = any_options(), b = any_options();
	size_t len = nondet_size(), i = nondet_size();
	bool syn = nondet_bool() ? true : false;
	u16 options = nondet_u16();
	u8 size;

	ASSUME(len && len <= HS_OPTIONS_MAX && i < HS_OPTIONS_MAX);
	ASSUME(!(options & ~MASKABLE) && masked(&a, &b, options));
	memcpy(before, octets, sizeof(before));
	size = hs_option_size(octets, len);
	if (!size)
		return;
	hs_option_read(&a, octets, size, syn);
	hs_option_mask(octets, size, options);
	RULE("what is behind an option that is masked stays",
	     IMPLIES(i >= size, octets[i] == before[i]));
	RULE("masked or not, the next option begins at the same octet",
	     read_again(&b, octets, len, size, syn) == size);
	RULE("two readings differ by what is masked alone",
	     masked(&a, &b, options));
	REACH("an option that fills all", size == HS_OPTIONS_MAX);
	REACH("timestamps that are masked",
	      options & HS_OPT_TIMESTAMPS && before[0] == HS_KIND_TIMESTAMPS &&
	      octets[0] == HS_KIND_NOP);
}
