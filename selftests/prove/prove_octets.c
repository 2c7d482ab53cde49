// SPDX-License-Identifier: GPL-2.0
/*
 * Hostile octets. They lie at the end of an array, so that the first one too many
 * is outside of it.
 */
#include "any.h"
#include "octet.h"
#include "segment.h"

#define WRITTEN		(HS_OPT_MSS | HS_OPT_WSCALE | \
			 HS_OPT_SACK_PERMITTED | HS_OPT_TIMESTAMPS)

/* Octets of options where two readings are compared. */
#define COMPARED_MAX	8

static bool same_options(const struct hs_options *a, const struct hs_options *b)
{
	return a->present == b->present && a->mss == b->mss &&
	       a->wscale == b->wscale && a->wscale_over == b->wscale_over &&
	       a->tsval == b->tsval && a->tsecr == b->tsecr;
}

void prove_options_parse(void)
{
	u8 octets[HS_OPTIONS_MAX];
	size_t len = nondet_size();
	bool syn = nondet_bool() ? true : false;
	struct hs_options opts;

	ASSUME(len <= HS_OPTIONS_MAX);
	hs_options_parse(&opts, octets + HS_OPTIONS_MAX - len, len, syn);
	rules_options(&opts, syn);
	REACH("every option in the end", opts.present == 0x3ff);
	REACH("none", !opts.present);
}

/*
 * What is known at a glance, but for values: of these prove_known.c shows that
 * they are all. With the octets in between given the walk has but one way to go.
 */
static void known_layout(const u8 *octets, size_t len, bool syn)
{
	struct hs_options opts, walked;

	hs_options_parse(&opts, octets, len, syn);
	hs_options_walk(&walked, octets, len, syn);
	RULE("a layout that is known is read as by the walk",
	     same_options(&opts, &walked));
	REACH("a known layout of its octets", opts.present && opts.mss != 1);
}

void prove_options_known(void)
{
	u8 any[10];
	const u8 timestamps[] = {
		1, 1, 8, 10, any[0], any[1], any[2], any[3], any[4], any[5],
		any[6], any[7],
	};
	const u8 windows[] = {
		2, 4, any[0], any[1], 1, 3, 3, any[2], 1, 1, 4, 2,
	};
	const u8 linux_syn[] = {
		2, 4, any[0], any[1], 4, 2, 8, 10, any[2], any[3], any[4],
		any[5], any[6], any[7], any[8], any[9], 1, 3, 3, nondet_u8(),
	};

	known_layout(timestamps, sizeof(timestamps), true);
	known_layout(timestamps, sizeof(timestamps), false);
	known_layout(windows, sizeof(windows), true);
	known_layout(linux_syn, sizeof(linux_syn), true);
}

void prove_options_build(void)
{
	struct hs_options opts = any_options();
	struct hs_options back, want = opts;
	u8 octets[20];
	size_t len;

	ASSUME(IMPLIES(opts.present & HS_OPT_MSS, opts.mss));
	ASSUME(opts.wscale <= HS_WSCALE_MAX);
	len = hs_options_build(octets, &opts);
	RULE("options are written in words of four octets, 20 at most",
	     len <= sizeof(octets) && !(len & 3));
	hs_options_parse(&back, octets, len, true);
	want.present &= WRITTEN;
	want.mss = opts.present & HS_OPT_MSS ? opts.mss : 0;
	want.wscale = opts.present & HS_OPT_WSCALE ? opts.wscale : 0;
	want.wscale_over = 0;
	want.tsval = opts.present & HS_OPT_TIMESTAMPS ? opts.tsval : 0;
	want.tsecr = opts.present & HS_OPT_TIMESTAMPS ? opts.tsecr : 0;
	RULE("what is written is what is read", same_options(&back, &want));
	REACH("all that can be written", len == 20);
}

void prove_options_mask(void)
{
	u8 octets[HS_OPTIONS_MAX], before;
	size_t len = nondet_size(), i = nondet_size();

	ASSUME(len <= HS_OPTIONS_MAX && i < HS_OPTIONS_MAX - len);
	before = octets[i];
	hs_options_mask(octets + HS_OPTIONS_MAX - len, len, nondet_u16());
	RULE("what is before the options stays", octets[i] == before);
	REACH("no options", !len);
}

void prove_options_masked(void)
{
	const u16 maskable = HS_OPT_WSCALE | HS_OPT_SACK_PERMITTED |
			     HS_OPT_TIMESTAMPS;
	u8 octets[COMPARED_MAX];
	size_t len = nondet_size();
	u16 options = nondet_u16();
	struct hs_options before, after;

	ASSUME(len <= COMPARED_MAX && !(options & ~maskable));
	hs_options_parse(&before, octets, len, true);
	hs_options_mask(octets, len, options);
	hs_options_parse(&after, octets, len, true);
	RULE("no masked option is left", !(after.present & options));
	RULE("an option that is not masked is left",
	     after.present == (before.present & (u16)~options) &&
	     after.mss == before.mss &&
	     IMPLIES(!(options & HS_OPT_WSCALE),
		     after.wscale == before.wscale &&
		     after.wscale_over == before.wscale_over) &&
	     IMPLIES(!(options & HS_OPT_TIMESTAMPS),
		     after.tsval == before.tsval &&
		     after.tsecr == before.tsecr));
	REACH("a masked option", before.present != after.present);
}

void prove_segment_parse(void)
{
	u8 octets[HS_HEADER_MAX];
	size_t len = nondet_size();
	u32 segment_len = nondet_u32();
	const u8 *header;
	struct hs_segment seg;

	ASSUME(len <= HS_HEADER_MAX && segment_len <= SEGMENT_MAX);
	header = octets + HS_HEADER_MAX - len;
	if (!hs_segment_parse(&seg, header, len, segment_len, nondet_u8())) {
		RULE("what is not understood is cut short",
		     len < HS_HEADER_MIN || header[12] >> 4 < 5 ||
		     (u32)(header[12] >> 4) * 4 > len ||
		     (u32)(header[12] >> 4) * 4 > segment_len);
		return;
	}
	rules_segment(&seg);
	RULE("SEG.LEN is what is behind the header, SYN and FIN",
	     seg.len == segment_len - (u32)(header[12] >> 4) * 4 +
	     !!(seg.flags & HS_SYN) + !!(seg.flags & HS_FIN));
	REACH("a header with timestamps",
	      seg.opts.present & HS_OPT_TIMESTAMPS);
}

/*
 * What is said to repeat a SYN and is built is the same, octet by octet. (In others
 * SACK-permitted means nothing, and takes the place of padding.)
 */
static void reply_repeats(const struct hs_reply *reply, const u8 *header,
			  size_t len)
{
	struct hs_reply other;
	struct hs_segment seg;
	u8 written[40];
	size_t i;

	ASSUME(IMPLIES(other.opts.present & HS_OPT_MSS, other.opts.mss));
	ASSUME(other.opts.wscale <= HS_WSCALE_MAX);
	ASSUME(other.seq == reply->seq && (reply->flags & HS_SYN));
	i = hs_reply_build(written, &other, 0, 0);
	ASSUME(hs_segment_parse(&seg, written, i, (u32)i, 0));
	if (!hs_reply_repeats(reply, &seg, i))
		return;
	RULE("what repeats a SYN is as long", i == len);
	for (i = 4; i < len; i++)
		RULE("what repeats a SYN says the same",
		     written[i] == header[i]);
	REACH("a SYN that is repeated", len > HS_HEADER_MIN);
}

void prove_reply_build(void)
{
	struct hs_reply reply;
	u8 header[40];
	struct hs_segment back;
	size_t len;

	ASSUME(IMPLIES(reply.opts.present & HS_OPT_MSS, reply.opts.mss));
	ASSUME(reply.opts.wscale <= HS_WSCALE_MAX);
	len = hs_reply_build(header, &reply, nondet_u16(), nondet_u16());
	RULE("a header is 20 to 40 octets, in words",
	     len >= HS_HEADER_MIN && len <= sizeof(header) && !(len & 3));
	RULE("what is sent can be read",
	     hs_segment_parse(&back, header, len, (u32)len, 0));
	RULE("what is sent is what is read",
	     back.seq == reply.seq && back.ack == reply.ack &&
	     back.wnd == reply.wnd && back.flags == reply.flags && !back.ae &&
	     back.len == !!(reply.flags & HS_SYN) + !!(reply.flags & HS_FIN));
	RULE("and it repeats itself, if all of it can be written",
	     IMPLIES(back.opts.present == reply.opts.present &&
		     back.opts.mss == reply.opts.mss &&
		     back.opts.wscale == reply.opts.wscale &&
		     back.opts.tsval == reply.opts.tsval &&
		     back.opts.tsecr == reply.opts.tsecr,
		     hs_reply_repeats(&reply, &back, len)));
	REACH("all that can be written", len == sizeof(header));
	reply_repeats(&reply, header, len);
}
