// SPDX-License-Identifier: GPL-2.0
/*
 * The first octet says what is masked and whether the segment is a SYN; the rest
 * are the options. They end where their memory ends, so that the sanitizer sees
 * the first octet too many.
 */
#include <stdlib.h>

#include "input.h"
#include "option.h"
#include "rule.h"
#include "rules.h"
#include "target.h"

#define MASKABLE	(HS_OPT_WSCALE | HS_OPT_SACK_PERMITTED | \
			 HS_OPT_TIMESTAMPS)
#define WRITTEN		(HS_OPT_MSS | MASKABLE)
#define SYN_ONLY	(WRITTEN | HS_OPT_COOKIE_REQUEST)

static u8 *exact_copy(const u8 *data, size_t size)
{
	u8 *copy = malloc(size ? size : 1);

	RULE("there is memory", copy);
	memcpy(copy, data, size);
	return copy;
}

static bool same_options(const struct hs_options *a, const struct hs_options *b)
{
	return a->present == b->present && a->mss == b->mss &&
	       a->wscale == b->wscale && a->wscale_over == b->wscale_over &&
	       a->tsval == b->tsval && a->tsecr == b->tsecr;
}

/* However the parser comes to it. */
static void walked(const u8 *octets, size_t len, bool syn,
		   const struct hs_options *want)
{
	struct hs_options opts;

	hs_options_walk(&opts, octets, len, syn);
	RULE("a layout that is known is read as by the walk",
	     same_options(&opts, want));
}

/* What can be written is read back. */
static void round_trip(const struct hs_options *opts)
{
	struct hs_options want = *opts;
	u8 octets[HS_OPTIONS_MAX];
	struct hs_options back;
	size_t len;
	size_t i;

	memset(octets, 0xa5, sizeof(octets));
	len = hs_options_build(octets, opts);
	RULE("options are written in words of four octets, 20 at most",
	     len <= 20 && !(len & 3));
	for (i = len; i < sizeof(octets); i++)
		RULE("nothing is written behind them", octets[i] == 0xa5);
	hs_options_parse(&back, octets, len, true);
	want.present &= WRITTEN;
	want.wscale_over = 0;
	RULE("what is written is what is read", same_options(&back, &want));
}

/* The others stay, and the list keeps its shape. */
static void without(const u8 *data, size_t len, u16 options,
		    const struct hs_options *before)
{
	struct hs_options after, want = *before;
	u8 *octets = exact_copy(data, len);
	size_t i;

	hs_options_mask(octets, len, options);
	for (i = 0; i < len; i++)
		RULE("the mask writes NOP and nothing else",
		     octets[i] == data[i] || octets[i] == 1);
	hs_options_parse(&after, octets, len, true);
	free(octets);
	RULE("no masked option is left", !(after.present & options));
	want.present &= (u16)~options;
	if (options & HS_OPT_WSCALE) {
		want.wscale = 0;
		want.wscale_over = 0;
	}
	if (options & HS_OPT_TIMESTAMPS) {
		want.tsval = 0;
		want.tsecr = 0;
	}
	RULE("an option that is not masked is left", same_options(&after,
								  &want));
}

void fuzz_option(const u8 *data, size_t size)
{
	struct input in = { data, size };
	u8 how = take8(&in);
	size_t len = in.left < HS_OPTIONS_MAX ? in.left : HS_OPTIONS_MAX;
	struct hs_options opts, syn_opts;
	u8 *octets = exact_copy(in.at, len);
	bool syn = how & 1;

	memset(&opts, 0xa5, sizeof(opts));
	hs_options_parse(&opts, octets, len, syn);
	rules_options(&opts, syn);
	walked(octets, len, syn, &opts);
	memset(&syn_opts, 0x5a, sizeof(syn_opts));
	hs_options_parse(&syn_opts, octets, len, true);
	rules_options(&syn_opts, true);
	walked(octets, len, true, &syn_opts);
	RULE("without SYN the rest is read as with it",
	     (opts.present | SYN_ONLY) == (syn_opts.present | SYN_ONLY) &&
	     opts.tsval == syn_opts.tsval && opts.tsecr == syn_opts.tsecr);
	RULE("the parser only reads", !memcmp(octets, in.at, len));
	round_trip(&syn_opts);
	without(in.at, len, (u16)((how & 0x80 ? HS_OPT_WSCALE : 0) |
				  (how & 0x40 ? HS_OPT_SACK_PERMITTED : 0) |
				  (how & 0x20 ? HS_OPT_TIMESTAMPS : 0)),
		&syn_opts);
	free(octets);
}
