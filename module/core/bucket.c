// SPDX-License-Identifier: GPL-2.0
#include "bucket.h"

#define HS_BUCKET_UNIT_SHIFT	10	/* ns to units of time */
#define HS_BUCKET_TIME_BITS	36
#define HS_BUCKET_TIME		0xfffffffffULL
#define HS_BUCKET_FLOWS_UNIT	0x1000000000ULL
#define HS_BUCKET_TAG_SHIFT	48

#define HS_BUCKET_SECOND	(1000000000U >> HS_BUCKET_UNIT_SHIFT)

/* What is further ahead is past: times wrap every 20 hours. */
#define HS_BUCKET_DEPTH_MAX	0x100000000ULL

void hs_bucket_limits_init(struct hs_bucket_limits *limits, u32 rate,
			   u32 burst, u32 flows)
{
	if (rate > HS_BUCKET_RATE_MAX)
		rate = HS_BUCKET_RATE_MAX;
	if (burst > HS_BUCKET_BURST_MAX)
		burst = HS_BUCKET_BURST_MAX;
	if (flows > HS_BUCKET_FLOWS_MAX)
		flows = HS_BUCKET_FLOWS_MAX;
	limits->interval = rate ? HS_BUCKET_SECOND / rate : 0;
	limits->depth = (u64)limits->interval * (burst ? burst : 1);
	if (limits->depth > HS_BUCKET_DEPTH_MAX)
		limits->depth = HS_BUCKET_DEPTH_MAX;
	limits->flows = flows;
}

static u16 hs_bucket_tag(u64 word)
{
	return (u16)(word >> HS_BUCKET_TAG_SHIFT);
}

u32 hs_bucket_flows(u64 word)
{
	return (u32)(word >> HS_BUCKET_TIME_BITS) & HS_BUCKET_FLOWS_MAX;
}

/* Time until the bucket is full. */
static u64 hs_bucket_missing(u64 word, u64 depth, u64 now_ns)
{
	u64 ahead = (word - (now_ns >> HS_BUCKET_UNIT_SHIFT)) & HS_BUCKET_TIME;

	return ahead <= depth ? ahead : 0;
}

/* What is lost when the word is given away. */
static u64 hs_bucket_worth(u64 word, u64 now_ns)
{
	return (u64)hs_bucket_flows(word) << HS_BUCKET_TIME_BITS |
	       hs_bucket_missing(word, HS_BUCKET_DEPTH_MAX, now_ns);
}

u32 hs_bucket_choose(const u64 *set, u32 ways, u16 tag, u64 now_ns)
{
	u64 least = (u64)-1;
	u32 best = 0;
	u32 i;

	for (i = 0; i < ways; i++) {
		u64 worth = hs_bucket_worth(set[i], now_ns);

		if (hs_bucket_tag(set[i]) == tag)
			return i;
		if (worth < least) {
			least = worth;
			best = i;
		}
	}
	return best;
}

enum hs_bucket_answer hs_bucket_take(u64 *word, u16 tag,
				     const struct hs_bucket_limits *limits,
				     bool flow, u64 now_ns)
{
	u64 now = now_ns >> HS_BUCKET_UNIT_SHIFT;
	u64 missing = 0;
	u32 flows = 0;

	if (hs_bucket_tag(*word) == tag) {
		missing = hs_bucket_missing(*word, limits->depth, now_ns);
		flows = hs_bucket_flows(*word);
	}
	missing += limits->interval;
	if (missing > limits->depth)
		return HS_BUCKET_RATE;
	*word = (u64)tag << HS_BUCKET_TAG_SHIFT |
		(u64)flows << HS_BUCKET_TIME_BITS |
		((now + missing) & HS_BUCKET_TIME);
	if (!flow || !limits->flows)
		return HS_BUCKET_PASS;
	if (flows >= limits->flows)
		return HS_BUCKET_FLOWS;
	*word += HS_BUCKET_FLOWS_UNIT;
	return HS_BUCKET_PASS;
}

bool hs_bucket_put(u64 *word, u16 tag)
{
	if (hs_bucket_tag(*word) != tag || !hs_bucket_flows(*word))
		return false;
	*word -= HS_BUCKET_FLOWS_UNIT;
	return true;
}
