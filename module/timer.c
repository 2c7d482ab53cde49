// SPDX-License-Identifier: GPL-2.0
/*
 * The retransmission timer of a flow. It holds a reference while it is armed,
 * which passes to the handler when it fires. It is armed only under hs_flow.lock
 * and only while the flow is not dead.
 */
#include <linux/rcupdate.h>
#include <net/tcp.h>

#include "arrive.h"
#include "listener.h"
#include "native.h"
#include "netns.h"
#include "policy.h"

/* Context: hs_flow.lock held, the flow alive. */
static void hs_timer_locked(struct hs_flow *flow, struct hs_actions *actions,
			    struct hs_xmit *xmit)
{
	struct hs_policy policy;

	hs_policy_read(flow, &policy);
	hs_flow_aged(flow);
	hs_timer_fires(&flow->tcb, &policy, tcp_time_stamp_raw(), actions);
	if (actions->timer == HS_TIMER_SET)
		hs_flow_timer_set(flow, actions->timer_ms);
	if (actions->end != HS_NONE)
		flow->dead = true;
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
	hs_timer_locked(flow, &actions, &xmit);
	spin_unlock(&flow->lock);
	NET_INC_STATS(flow->hn->net, LINUX_MIB_TCPTIMEOUTS);
	hs_act(flow, &actions, &xmit);
}

void hs_flow_timer(struct timer_list *timer)
{
	struct hs_flow *flow = from_timer(flow, timer, timer);

	rcu_read_lock();
	if (!hs_listener_listens(flow->listener))
		hs_flow_end(flow, THREEWAY_C_flows_listener_gone);
	else if (hs_native_owns(flow->hn->net, &flow->key, flow->bound_if, 0))
		/* a program did connect() from our side of the tuple */
		hs_flow_end(flow, THREEWAY_C_flows_native_owns);
	else
		hs_timer_run(flow);
	rcu_read_unlock();
	hs_flow_put(flow);
}
