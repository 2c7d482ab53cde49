// SPDX-License-Identifier: GPL-2.0
/* LOCAL_OUT for the sake of replays. */
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <net/dst.h>
#include <net/sock.h>

#include "confirm.h"
#include "hook.h"
#include "netns.h"
#include "packet.h"

#define HS_CATCH_IDLE	(60 * HZ)

void hs_catch_want(struct hs_net *hn, unsigned int hooks)
{
	lockdep_assert_held(&hn->lock);
	hn->catch.hooks |= hooks;
	hs_catch_use(hn);
	queue_delayed_work(system_wq, &hn->catch.idle, HS_CATCH_IDLE);
}

void hs_catch_use(struct hs_net *hn)
{
	WRITE_ONCE(hn->catch.used, jiffies);
}

static void hs_catch_idle(struct work_struct *work)
{
	struct hs_catch *catch = container_of(to_delayed_work(work),
					      struct hs_catch, idle);
	struct hs_net *hn = container_of(catch, struct hs_net, catch);
	unsigned long until = READ_ONCE(catch->used) + HS_CATCH_IDLE;

	mutex_lock(&hn->lock);
	if (!catch->over && time_before(jiffies, until)) {
		queue_delayed_work(system_wq, &catch->idle, until - jiffies);
	} else {
		catch->hooks = 0;
		hs_claims_hook(hn);
	}
	mutex_unlock(&hn->lock);
}

bool hs_catch_wait(struct hs_net *hn, struct hs_packet *pkt)
{
	struct hs_catch *catch = &hn->catch;
	bool v6 = pkt->family == AF_INET6;
	struct sk_buff *skb = pkt->skb;

	/* a socket that was assigned to it may be without a reference */
	if (skb_queue_len_lockless(&catch->waiting) >= HS_CATCH_WAITING_MAX ||
	    skb_sk_is_prefetched(skb) || !skb_dst_force(skb))
		return false;
	dev_hold(skb->dev);
	WRITE_ONCE(catch->okfn[v6], pkt->state->okfn);
	set_bit(v6 ? HS_HOOK_OUT6 : HS_HOOK_OUT4, &catch->wanted);
	pkt->skb = NULL;
	skb_queue_tail(&catch->waiting, skb);
	queue_work(system_highpri_wq, &catch->work);
	return true;
}

/* What netfilter does with a segment at LOCAL_IN, from our hook on. */
static void hs_catch_go_on(struct hs_net *hn, struct sk_buff *skb)
{
	bool v6 = skb->protocol == htons(ETH_P_IPV6);
	struct net_device *dev = skb->dev;
	struct nf_hook_state state;
	unsigned int verdict;

	nf_hook_state_init(&state, NF_INET_LOCAL_IN,
			   v6 ? NFPROTO_IPV6 : NFPROTO_IPV4, dev, NULL, NULL,
			   hn->net, READ_ONCE(hn->catch.okfn[v6]));
	local_bh_disable();
	rcu_read_lock();
	/* the device may have gone elsewhere meanwhile */
	if (net_eq(dev_net(dev), hn->net)) {
		verdict = hs_local_in(hn, skb, &state);
	} else {
		hs_count(hn, THREEWAY_C_handoff_refused);
		verdict = NF_DROP;
	}
	if (verdict == NF_ACCEPT && !hs_conntrack_confirm(skb)) {
		hs_count(hn, THREEWAY_C_segment_conntrack_drop);
		verdict = NF_DROP;
	}
	if (verdict == NF_ACCEPT)
		hs_hook_go_on(hn, skb, &state);
	else if (verdict == NF_DROP)
		kfree_skb(skb);
	rcu_read_unlock();
	local_bh_enable();
	dev_put(dev);
}

static void hs_catch_drop(struct sk_buff_head *list)
{
	struct sk_buff *skb;
	struct net_device *dev;

	while ((skb = skb_dequeue(list))) {
		dev = skb->dev;
		kfree_skb(skb);
		dev_put(dev);
	}
}

/* Without hooks they are dropped, as with a full accept queue. */
static void hs_catch_work(struct work_struct *work)
{
	struct hs_catch *catch = container_of(work, struct hs_catch, work);
	struct hs_net *hn = container_of(catch, struct hs_net, catch);
	unsigned int wanted = xchg(&catch->wanted, 0);
	struct sk_buff_head list;
	struct sk_buff *skb;
	int err = 0;

	mutex_lock(&hn->lock);
	if (!catch->over && !list_empty(&hn->claims.list)) {
		err = hs_hook_register(hn, wanted);
		hs_catch_want(hn, wanted);
	}
	mutex_unlock(&hn->lock);

	__skb_queue_head_init(&list);
	spin_lock_bh(&catch->waiting.lock);
	skb_queue_splice_init(&catch->waiting, &list);
	spin_unlock_bh(&catch->waiting.lock);
	while (!err && (skb = __skb_dequeue(&list)))
		hs_catch_go_on(hn, skb);
	hs_count_add(hn, THREEWAY_C_handoff_refused, skb_queue_len(&list));
	spin_lock_init(&list.lock);
	hs_catch_drop(&list);
}

void hs_catch_setup(struct hs_net *hn)
{
	skb_queue_head_init(&hn->catch.waiting);
	INIT_WORK(&hn->catch.work, hs_catch_work);
	INIT_DELAYED_WORK(&hn->catch.idle, hs_catch_idle);
}

void hs_catch_teardown(struct hs_net *hn)
{
	cancel_work_sync(&hn->catch.work);
	cancel_delayed_work_sync(&hn->catch.idle);
	hs_catch_drop(&hn->catch.waiting);
}
