// SPDX-License-Identifier: GPL-2.0
/* A flood: SYNs of ever new peers that never answer, at a rate. */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/netdevice.h>

#include "load.h"

#define HS_TICK_NS	(100 * NSEC_PER_USEC)
#define HS_BURST	256	/* what is due and more than that is not sent */

static struct hrtimer hs_timer;
static ktime_t hs_began;
static u64 hs_due_before;
static struct hs_flood_sum hs_sum;
static u32 hs_rate;
static u16 hs_port;
static bool hs_flooding;

static void hs_flood_syn(void)
{
	struct hs_spec spec = {
		.peer = hs_peer_new(1),
		.host_port = hs_port,
		.flags = TCP_FLAG_SYN,
	};
	struct sk_buff *skb;

	spec.seq = hs_peer_iss(spec.peer);
	skb = hs_peer_segment(&spec);
	/* as from a driver; the queue may be full */
	if (skb && netif_rx(skb) == NET_RX_SUCCESS)
		hs_sum.sent++;
	else
		hs_sum.lost++;
}

static enum hrtimer_restart hs_flood_tick(struct hrtimer *timer)
{
	s64 past = ktime_to_ns(ktime_sub(ktime_get(), hs_began));
	u64 due = mul_u64_u32_div(past, hs_rate, NSEC_PER_SEC);
	u64 count = due - hs_due_before;

	hs_due_before = due;
	if (count > HS_BURST) {
		hs_sum.lost += count - HS_BURST;
		count = HS_BURST;
	}
	while (count--)
		hs_flood_syn();
	hrtimer_forward_now(timer, ns_to_ktime(HS_TICK_NS));
	return HRTIMER_RESTART;
}

int hs_flood_begin(u16 port, u32 rate)
{
	if (hs_flooding || !rate)
		return -EINVAL;
	hs_flooding = true;
	hs_port = port;
	hs_rate = rate;
	hs_due_before = 0;
	memset(&hs_sum, 0, sizeof(hs_sum));
	hs_began = ktime_get();
	hrtimer_init(&hs_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT);
	hs_timer.function = hs_flood_tick;
	hrtimer_start(&hs_timer, ns_to_ktime(HS_TICK_NS),
		      HRTIMER_MODE_REL_SOFT);
	return 0;
}

struct hs_flood_sum hs_flood_end(void)
{
	if (hs_flooding)
		hrtimer_cancel(&hs_timer);
	hs_flooding = false;
	return hs_sum;
}
