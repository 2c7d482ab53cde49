// SPDX-License-Identifier: GPL-2.0
/*
 * Options are known at a glance only if they lie as prove_options_known() has
 * them.
 */
#define hs_options_parse	known_options_parse
#define hs_options_walk		known_options_walk
#define hs_options_build	known_options_build
#define hs_options_mask		known_options_mask
#include "../../module/core/option.c"
#undef hs_options_parse
#undef hs_options_walk
#undef hs_options_build
#undef hs_options_mask

#include "any.h"

/* Stands for any octet in a layout. */
#define ANY	0x100

static bool lies(const u8 *octets, const u16 *layout, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (layout[i] != ANY && layout[i] != octets[i])
			return false;
	}
	return true;
}

void prove_options_unknown(void)
{
	static const u16 timestamps[] = {
		1, 1, 8, 10, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY,
	};
	static const u16 windows[] = {
		2, 4, ANY, ANY, 1, 3, 3, ANY, 1, 1, 4, 2,
	};
	static const u16 linux_syn[] = {
		2, 4, ANY, ANY, 4, 2, 8, 10, ANY, ANY, ANY, ANY, ANY, ANY, ANY,
		ANY, 1, 3, 3, ANY,
	};
	bool syn = nondet_bool() ? true : false;
	size_t len = nondet_size();
	u8 octets[HS_OPTIONS_MAX];
	struct hs_options opts;
	const u8 *p;

	ASSUME(len <= HS_OPTIONS_MAX);
	p = octets + HS_OPTIONS_MAX - len;
	if (!hs_options_known(&opts, p, len, syn))
		return;
	RULE("only three layouts, and none, are known at a glance",
	     !len || (len == 12 && lies(p, timestamps, 12)) ||
	     (syn && len == 12 && lies(p, windows, 12)) ||
	     (syn && len == 20 && lies(p, linux_syn, 20)));
	RULE("without options there are none", len || !opts.present);
	REACH("the SYN of Linux", len == 20);
	REACH("the SYN of Windows", opts.present == 0x7);
	REACH("timestamps", !syn && len == 12);
}
