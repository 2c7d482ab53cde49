// SPDX-License-Identifier: GPL-2.0
/* Limits of half-open flows. */
#include <net/tcp.h>

#include "claim.h"
#include "event.h"
#include "flood.h"
#include "netns.h"
#include "packet.h"
#include "policy.h"
#include "source.h"

/* Least time between two lines in the log about one claim. */
#define HS_FLOOD_WARN	(60 * HZ)

void hs_flood_setup(struct hs_flood *flood)
{
	spin_lock_init(&flood->lock);
	flood->warned = jiffies - HS_FLOOD_WARN;
}

/*
 * One look in a jiffy is enough while cookies are sent, and by one CPU.
 * Return: how the pressure has changed.
 */
static enum hs_pressure_change hs_flood_look(struct hs_flood *flood, u32 used,
					     u32 limit)
{
	bool on = READ_ONCE(flood->pressure.on);
	enum hs_pressure_change change;
	unsigned long now = jiffies;

	if (on ? READ_ONCE(flood->looked) == now : used < limit)
		return HS_PRESSURE_SAME;
	if (!spin_trylock(&flood->lock))
		return HS_PRESSURE_SAME;
	WRITE_ONCE(flood->looked, now);
	change = hs_pressure_update(&flood->pressure, used, limit, 1,
				    atomic64_read(&flood->unanswered),
				    tcp_time_stamp_raw());
	spin_unlock(&flood->lock);
	return change;
}

static void hs_flood_warn(struct hs_flood *flood, const struct hs_claim *claim,
			  const struct hs_packet *pkt, const char *what)
{
	if (time_before(jiffies, READ_ONCE(flood->warned) + HS_FLOOD_WARN))
		return;
	WRITE_ONCE(flood->warned, jiffies);
	net_info_ratelimited("threeway: claim %u: %s full, perhaps a SYN flood on port %u: SYN cookies\n",
			     claim->conf.id, what,
			     ntohs(pkt->key.local_port));
}

/* Is there no room in the claim, or in the namespace? */
static bool hs_flood_pressed(struct hs_net *hn, struct hs_claim *claim,
			     const struct hs_packet *pkt)
{
	enum hs_pressure_change change;

	change = hs_flood_look(&claim->flood, atomic_read(&claim->flows),
			       hs_policy_backlog(hn, claim));
	if (change == HS_PRESSURE_BEGINS)
		hs_flood_warn(&claim->flood, claim, pkt, "backlog");
	if (change == HS_PRESSURE_SAME) {
		change = hs_flood_look(&hn->flood, atomic_read(&hn->flow_count),
				       READ_ONCE(hn->sysctl.max_flows));
		if (change == HS_PRESSURE_BEGINS)
			hs_flood_warn(&hn->flood, claim, pkt, "max_flows");
	}
	if (change != HS_PRESSURE_SAME) {
		bool on = change == HS_PRESSURE_BEGINS;

		hs_count(hn, on ? THREEWAY_C_cookies_on :
				  THREEWAY_C_cookies_off);
		hs_event_cookies(hn, claim, on);
	}
	return READ_ONCE(claim->flood.pressure.on) ||
	       READ_ONCE(hn->flood.pressure.on);
}

/* Is that why it cannot have a flow? */
static bool hs_flood_full(enum threeway_counter reason)
{
	return reason == THREEWAY_C_native_backlog_full ||
	       reason == THREEWAY_C_native_flow_limit;
}

static noinline enum hs_flood_answer
hs_flood_decide(struct hs_net *hn, struct hs_claim *claim,
		const struct hs_packet *pkt, enum threeway_counter *reason,
		bool *counted)
{
	enum threeway_cookies cookies = hs_policy_cookies(hn, claim);
	bool full = *reason != HS_NONE;

	if (full && !hs_flood_full(*reason))
		return HS_FLOOD_FLOW;
	/* full, but another CPU is about to say so */
	if (cookies == THREEWAY_COOKIES_ALWAYS ||
	    (cookies == THREEWAY_COOKIES_AUTO &&
	     (hs_flood_pressed(hn, claim, pkt) || full)))
		return HS_FLOOD_COOKIES;
	if (full || hs_source_take(hn, claim, &pkt->key, counted))
		return HS_FLOOD_FLOW;
	if (cookies == THREEWAY_COOKIES_AUTO)
		return HS_FLOOD_COOKIE;
	*reason = THREEWAY_C_segment_source_rate;
	return HS_FLOOD_FLOW;
}

bool hs_flood_calm(const struct hs_net *hn, const struct hs_claim *claim)
{
	enum threeway_cookies cookies = hs_policy_cookies(hn, claim);

	/* pressure that nobody asks about stays */
	if (cookies == THREEWAY_COOKIES_ALWAYS ||
	    (cookies == THREEWAY_COOKIES_AUTO &&
	     (READ_ONCE(hn->flood.pressure.on) ||
	      READ_ONCE(claim->flood.pressure.on))))
		return false;
	return !hs_policy_source_rate(hn, claim) &&
	       !hs_policy_source_flows(hn, claim);
}

enum hs_flood_answer hs_flood_cookie(struct hs_net *hn, struct hs_claim *claim,
				     const struct hs_packet *pkt,
				     enum threeway_counter *reason,
				     bool *counted)
{
	if (likely(*reason == HS_NONE && hs_flood_calm(hn, claim)))
		return HS_FLOOD_FLOW;
	return hs_flood_decide(hn, claim, pkt, reason, counted);
}
