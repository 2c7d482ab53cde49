// SPDX-License-Identifier: GPL-2.0
/*
 * The retransmission timer of a flow.
 *
 * It holds a reference while it is armed, which passes to the handler when it
 * fires. It is armed only under hs_flow.lock and only while the flow is not dead.
 *
 * The timer wheel is late by up to an eighth of a timeout, seconds after a few
 * doublings. So a long timeout is armed an eighth short and, when it fires, for
 * what is left, until that is short enough for the wheel to be exact. A handful
 * of extra expiries buys a schedule that can be relied on.
 */
#include <linux/rcupdate.h>
#include <net/tcp.h>

#include "arrive.h"
#include "connect.h"
#include "event.h"
#include "listener.h"
#include "native.h"
#include "netns.h"
#include "observe.h"
#include "policy.h"

/* Timeouts up to this, in jiffies, the wheel keeps to the jiffy. */
#define HS_TIMER_EXACT	62

void hs_flow_timer_arm(struct hs_flow *flow)
{
	unsigned long now = jiffies;
	u32 left = hs_flow_wait(flow, now);

	if (left > HS_TIMER_EXACT)
		left -= left / 8;
	if (!mod_timer(&flow->timer, now + left))
		refcount_inc(&flow->refs);
}

void hs_flow_timer_set(struct hs_flow *flow, u32 timer_ms)
{
	/* no further away than hs_flow_wait() can tell */
	u32 wait = min_t(unsigned long, msecs_to_jiffies(timer_ms), INT_MAX);

	lockdep_assert_held(&flow->lock);
	WRITE_ONCE(flow->due, (u32)jiffies + wait);
	hs_flow_timer_arm(flow);
}

/* Context: hs_flow.lock held, the flow alive. */
static void hs_timer_locked(struct hs_flow *flow, struct hs_actions *actions,
			    struct hs_xmit *xmit)
{
	const u8 before = flow->tcb.state;
	struct hs_policy policy;

	hs_policy_read(flow, NULL, &policy);
	hs_flow_aged(flow);
	hs_timer_fires(&flow->tcb, &policy, tcp_time_stamp_raw(), actions);
	if (actions->timer == HS_TIMER_SET)
		hs_flow_timer_set(flow, actions->timer_ms);
	if (actions->end != HS_NONE)
		flow->dead = true;
	hs_event_acted(flow, before, NULL, actions);
	if (!actions->reply.flags)
		return;
	hs_xmit_rehash(flow);
	hs_xmit_prepare(xmit, flow, &actions->reply, NULL);
}

static void hs_timer_run(struct hs_flow *flow)
{
	struct hs_actions actions;
	struct hs_xmit xmit;

	spin_lock(&flow->lock);
	/* a segment may have set it anew while we waited for the lock */
	if (flow->dead || timer_pending(&flow->timer)) {
		spin_unlock(&flow->lock);
		return;
	}
	if (hs_flow_wait(flow, jiffies)) {
		hs_flow_timer_arm(flow);
		spin_unlock(&flow->lock);
		return;
	}
	hs_timer_locked(flow, &actions, &xmit);
	spin_unlock(&flow->lock);
	NET_INC_STATS(flow->hn->net, LINUX_MIB_TCPTIMEOUTS);
	hs_act(flow, &actions, &xmit);
}

void hs_flow_timer(struct timer_list *timer)
{
	struct hs_flow *flow = from_timer(flow, timer, timer);

	rcu_read_lock();
	if (flow->kind == HS_FLOW_CONNECT)
		hs_connect_timer(flow);
	else if (flow->kind == HS_FLOW_OBSERVE)
		hs_observe_timer(flow);
	else if (flow->listener && !hs_listener_listens(flow->listener))
		hs_flow_end(flow, THREEWAY_C_flows_listener_gone);
	else if (hs_native_owns(flow->hn->net, &flow->key, flow->bound_if, 0))
		/* a program did connect() from our side of the tuple */
		hs_flow_end(flow, THREEWAY_C_flows_native_owns);
	else
		hs_timer_run(flow);
	rcu_read_unlock();
	hs_flow_put(flow);
}
