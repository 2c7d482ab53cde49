/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one source (an IPv4 address, an IPv6 /64) may take: SYNs by a token
 * bucket, and half-open flows. RFC 4987 section 3.
 *
 * All that is known of a source is one 64-bit word,
 *
 *	63   48 47    36 35                                  0
 *	|  tag  |  flows |  when its bucket will be full again |
 *
 * which the functions here change in a copy, for the caller to put back by
 * compare-and-exchange, or to try again. The caller has a table of them, of fixed
 * size: a keyed hash of the source says in which set of a few words the source may
 * be, and another part of it, the tag, which of these is its own. Nothing of a
 * source is lost when a word that is idle is given away.
 */
#ifndef HS_CORE_BUCKET_H
#define HS_CORE_BUCKET_H

#include "types.h"

/* The most that can be asked for. */
#define HS_BUCKET_RATE_MAX	65535
#define HS_BUCKET_BURST_MAX	65535
#define HS_BUCKET_FLOWS_MAX	4095

/**
 * struct hs_bucket_limits - what a source may take
 * @depth:	time in which an empty bucket becomes full
 * @interval:	time in which one token comes back
 * @flows:	half-open flows, 0 for any number
 *
 * Times are in units of 1024 ns. No limit for SYNs if @interval is 0.
 */
struct hs_bucket_limits {
	u64 depth;
	u32 interval;
	u32 flows;
};

/**
 * hs_bucket_limits_init() - limits in the units of their users
 * @limits:	result
 * @rate:	SYNs per second, up to HS_BUCKET_RATE_MAX; 0 for no limit
 * @burst:	SYNs at once, 1 to HS_BUCKET_BURST_MAX
 * @flows:	half-open flows, up to HS_BUCKET_FLOWS_MAX; 0 for no limit
 *
 * What is beyond is taken for the most. The rate is never less than asked for; it
 * is more by up to 0.2 % until 1000 per second, and by up to 7 % beyond. A burst
 * that takes more than an hour to come back is cut down to that.
 */
void hs_bucket_limits_init(struct hs_bucket_limits *limits, u32 rate,
			   u32 burst, u32 flows);

enum hs_bucket_answer {
	HS_BUCKET_PASS = 0,
	HS_BUCKET_RATE,		/* no token left */
	HS_BUCKET_FLOWS,	/* too many half-open flows; took a token */
};

/**
 * hs_bucket_choose() - the word of a source
 * @set:	the words where it may be, as read before
 * @ways:	how many, at least 1
 * @tag:	of the source
 * @now_ns:	a clock that never steps back
 *
 * Return: index of its own word; else of an idle one; else of the one that
 * loses least by being given away: the fewest flows, then the fullest bucket.
 */
u32 hs_bucket_choose(const u64 *set, u32 ways, u16 tag, u64 now_ns);

/**
 * hs_bucket_take() - a SYN of the source
 * @word:	its word, changed but for HS_BUCKET_RATE; if it is of another
 *		source, that one's is given away
 * @tag:	of the source
 * @limits:	its limits
 * @flow:	the SYN makes a half-open flow, which is counted if @limits have a
 *		number for them, and then needs hs_bucket_put()
 * @now_ns:	the same clock
 */
enum hs_bucket_answer hs_bucket_take(u64 *word, u16 tag,
				     const struct hs_bucket_limits *limits,
				     bool flow, u64 now_ns);

/**
 * hs_bucket_put() - a half-open flow of the source is no more
 * @word:	a word of its set
 * @tag:	of the source
 *
 * Return: false, and no change, if the word is of another source or counts no
 * flow (it was given away meanwhile).
 */
bool hs_bucket_put(u64 *word, u16 tag);

/* Half-open flows of the source. */
u32 hs_bucket_flows(u64 word);

#endif /* HS_CORE_BUCKET_H */
