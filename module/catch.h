/* SPDX-License-Identifier: GPL-2.0 */
/*
 * LOCAL_OUT for the sake of replays, which catch a SYN-ACK there. Most handoffs do
 * without one, and then no packet of the host need pass: it goes when a minute has
 * seen no replay, and comes back for the next one. The segment that is in want of
 * it waits that long.
 */
#ifndef HS_CATCH_H
#define HS_CATCH_H

#include <linux/skbuff.h>
#include <linux/workqueue.h>

struct hs_net;
struct hs_packet;
struct net;
struct sock;

#define HS_CATCH_WAITING_MAX	256

/**
 * struct hs_catch - LOCAL_OUT for replays
 * @okfn:	where segments go on, IPv4 and IPv6
 * @hooks:	which are to be there, under hs_net.lock
 * @over:	none any more, likewise
 * @used:	when the latest replay was, in jiffies
 * @idle:	looks whether that is long ago
 * @waiting:	segments, each with a reference to its device
 * @wanted:	the hooks that they need
 * @work:	brings the hooks, and lets them go on
 */
struct hs_catch {
	int (*okfn[2])(struct net *net, struct sock *sk, struct sk_buff *skb);
	unsigned int hooks;
	bool over;
	unsigned long used;
	struct delayed_work idle;
	struct sk_buff_head waiting;
	unsigned long wanted;
	struct work_struct work;
};

void hs_catch_setup(struct hs_net *hn);

/* Let nobody wait any more. Context: process, after the hooks. */
void hs_catch_teardown(struct hs_net *hn);

/* Have these for the next minute. Context: hs_net.lock held. */
void hs_catch_want(struct hs_net *hn, unsigned int hooks);

/* A replay is about to be: the hooks stay. */
void hs_catch_use(struct hs_net *hn);

/**
 * hs_catch_wait() - let a segment wait until a replay is possible
 * @hn:		the namespace
 * @pkt:	the segment, whose skb is gone then
 *
 * It will come to LOCAL_IN again. Return: false when it cannot wait.
 */
bool hs_catch_wait(struct hs_net *hn, struct hs_packet *pkt);

#endif /* HS_CATCH_H */
