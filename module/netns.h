/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine of one network namespace.
 *
 * Locking
 *   hs_net.lock (mutex)  claims, hooks, and dead; taken first
 *   hs_flow.lock (BH)	the tcb, dead and timer of one flow
 *   RCU		look-ups of claims and flows; no reference is needed as
 *			long as nothing outlives the read side
 *
 * Nothing is sent under hs_flow.lock: what is sent passes LOCAL_OUT and may come
 * back as a segment for the same flow. The one exception is the handoff, whose
 * SYN-ACK our own LOCAL_OUT hook takes before anybody sees it (handoff.c); that
 * hook takes no lock. Native locks taken under hs_flow.lock: those of the ehash
 * bucket and of the timer base, under which no code of ours runs.
 *
 * Lifetime
 *   A flow holds its claim. The table and the armed timer each hold the flow.
 *   Everything of a namespace ends in its pre_exit: hooks go first, then flows
 *   and their timers, then claims.
 */
#ifndef HS_NETNS_H
#define HS_NETNS_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/rhashtable.h>
#include <linux/siphash.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "claim.h"
#include "compat.h"
#include "core/tcb.h"
#include "hook.h"
#include "stats.h"
#include "sysctl.h"

/**
 * struct hs_net - the engine of one namespace
 * @net:	the namespace
 * @lock:	see above
 * @dead:	the namespace is being dismantled: no new claim
 * @hooked:	the netfilter hooks are registered
 * @hooks:	them
 * @reap:	drops claims that no flow needs any more, and then the hooks
 * @claims:	the claims
 * @flows:	the flows
 * @flow_count:	flows in the table
 * @flow_live:	flows not yet freed
 * @flow_id:	id of the newest flow
 * @isn_key:	secret of the ISN generator, made with the first claim
 * @isn_ready:	@isn_key is set
 * @sysctl:	values of /proc/sys/net/threeway
 * @sysctl_header: its registration
 * @sysctl_table: its table
 * @stats:	counters
 */
struct hs_net {
	struct net *net;
	struct mutex lock;	/* claims, hooks, dead */
	bool dead;
	bool hooked;
	bool isn_ready;
	struct nf_hook_ops hooks[HS_HOOKS];
	struct work_struct reap;
	struct hs_claims claims;
	struct rhashtable flows;
	atomic_t flow_count;
	atomic_t flow_live;
	atomic64_t flow_id;
	siphash_aligned_key_t isn_key;
	struct hs_sysctl sysctl;
	struct ctl_table_header *sysctl_header;
	struct ctl_table *sysctl_table;
	struct hs_stats __percpu *stats;
};

struct hs_net *hs_net_get(const struct net *net);

int hs_net_setup(void);
void hs_net_teardown(void);

#endif /* HS_NETNS_H */
