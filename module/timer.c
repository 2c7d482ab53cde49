// SPDX-License-Identifier: GPL-2.0
/*
 * The retransmission timer of a flow.
 *
 * It holds a reference while it is armed, which passes to the handler when it
 * fires. It is armed only under hs_flow.lock and only while the flow is not dead.
 */
#include <net/tcp.h>

#include "arrive.h"
#include "connect.h"
#include "event.h"
#include "listener.h"
#include "native.h"
#include "netns.h"
#include "observe.h"
#include "policy.h"
#include "wheel.h"

void hs_flow_timer_set(struct hs_flow *flow, u32 timer_ms)
{
	/* no further away than hs_flow_wait() can tell */
	u32 wait = min_t(unsigned long, msecs_to_jiffies(timer_ms), INT_MAX);

	lockdep_assert_held(&flow->lock);
	WRITE_ONCE(flow->due, (u32)jiffies + wait);
	hs_wheel_add(flow, 0);
}

/* Context: hs_flow.lock held, the flow alive. */
static void hs_timer_locked(struct hs_flow *flow, struct hs_actions *actions,
			    struct hs_xmit *xmit)
{
	const u8 before = flow->tcb.state;
	struct hs_policy policy __uninitialized;

	hs_policy_timer(flow, &policy);
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
	xmit->dst = flow->dst;
	/* one of IPv6 would need a cookie besides */
	xmit->keeps = flow->listener && flow->key.family == AF_INET;
}

static void hs_timer_run(struct hs_flow *flow)
{
	struct hs_actions actions __uninitialized;
	struct hs_xmit xmit __uninitialized;

	spin_lock(&flow->lock);
	/* a segment may have set it anew while we waited for the lock */
	if (flow->dead || hs_wheel_has(flow)) {
		spin_unlock(&flow->lock);
		return;
	}
	if (hs_flow_wait(flow, jiffies)) {
		hs_wheel_add(flow, 0);
		spin_unlock(&flow->lock);
		return;
	}
	hs_timer_locked(flow, &actions, &xmit);
	spin_unlock(&flow->lock);
	NET_INC_STATS(hs_flow_net(flow)->net, LINUX_MIB_TCPTIMEOUTS);
	hs_act(flow, &actions, &xmit);
}

void hs_flow_timer(struct hs_flow *flow)
{
	if (flow->kind == HS_FLOW_CONNECT)
		hs_connect_timer(flow);
	else if (flow->kind == HS_FLOW_OBSERVE)
		hs_observe_timer(flow);
	else if (flow->listener && !hs_listener_listens(flow->listener))
		hs_flow_end(flow, THREEWAY_C_flows_listener_gone);
	else if (hs_native_owns(hs_flow_net(flow)->net, &flow->key,
				flow->bound_if, 0))
		/* a program did connect() from our side of the tuple */
		hs_flow_end(flow, THREEWAY_C_flows_native_owns);
	else
		hs_timer_run(flow);
	hs_flow_put(flow);
}
