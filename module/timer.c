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
#include "netns.h"
#include "policy.h"
#include "xmit.h"

static void hs_flow_timeout(struct hs_flow *flow, struct sock *listener)
{
	struct hs_actions actions;
	struct hs_policy policy;
	struct hs_xmit xmit;

	hs_policy_read(flow->hn, flow->claim, listener, &policy);
	spin_lock(&flow->lock);
	/* a segment may have set it anew while we waited for the lock */
	if (flow->dead || timer_pending(&flow->timer)) {
		spin_unlock(&flow->lock);
		return;
	}
	hs_timer_fires(&flow->tcb, &policy, tcp_time_stamp_raw(), &actions);
	if (actions.timer == HS_TIMER_SET)
		hs_flow_timer_set(flow, actions.timer_ms);
	if (actions.end != HS_NONE)
		flow->dead = true;
	if (actions.reply.flags) {
		/* another path may get through where this one did not */
		if (READ_ONCE(listener->sk_txrehash) == SOCK_TXREHASH_ENABLED)
			flow->txhash = net_tx_rndhash();
		hs_xmit_prepare(&xmit, flow, listener, &actions.reply, NULL);
	}
	spin_unlock(&flow->lock);
	NET_INC_STATS(flow->hn->net, LINUX_MIB_TCPTIMEOUTS);
	hs_act(flow, listener, &actions, &xmit);
}

void hs_flow_timer(struct timer_list *timer)
{
	struct hs_flow *flow = from_timer(flow, timer, timer);
	struct sock *listener;

	rcu_read_lock();
	listener = hs_listener_of(flow, NULL);
	if (listener) {
		hs_flow_timeout(flow, listener);
		sock_put(listener);
	} else {
		hs_flow_end(flow, THREEWAY_C_flows_listener_gone);
	}
	rcu_read_unlock();
	hs_flow_put(flow);
}
