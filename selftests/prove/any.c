// SPDX-License-Identifier: GPL-2.0
#include "any.h"

/* A _Bool of which nothing is known might not even be 0 or 1. */
static bool any_bool(void)
{
	return nondet_bool() ? true : false;
}

struct hs_options any_options(void)
{
	struct hs_options opts;

	return opts;
}

struct hs_segment any_segment(void)
{
	struct hs_segment seg;

	seg.ae = any_bool();
	seg.ecn_capable = any_bool();
	ASSUME(seg.len <= SEGMENT_MAX);
	assume_segment(&seg);
	return seg;
}

struct hs_tcb any_tcb(void)
{
	struct hs_tcb tcb;

	assume_tcb(&tcb);
	return tcb;
}

struct hs_policy any_policy(void)
{
	struct hs_policy policy;

	policy.accept_queue_full = any_bool();
	policy.abort_on_overflow = any_bool();
	policy.native_cookies = any_bool();
	policy.cookie_back = any_bool();
	policy.ecn_fallback = any_bool();
	policy.challenges_spent = any_bool();
	policy.hold = any_bool();
	ASSUME(policy.rto_initial_ms >= 100 && policy.rto_initial_ms <= 60000);
	ASSUME(policy.rto_max_ms >= 1000 && policy.rto_max_ms <= 120000);
	ASSUME(policy.delay_ms <= 600000);
	ASSUME(policy.deadline_ms <= 0x7fffffff);
	ASSUME(policy.freeze <= THREEWAY_FREEZE_REFUSE);
	return policy;
}

struct hs_offer any_offer(void)
{
	struct hs_offer offer;

	offer.sack = any_bool();
	offer.timestamps = any_bool();
	offer.wscale = any_bool();
	offer.ecn = any_bool();
	offer.ecn_always = any_bool();
	ASSUME(offer.default_mss);
	return offer;
}
