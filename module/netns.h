/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine of one network namespace.
 *
 * Locking
 *   hs_net.lock (mutex)  claims and hooks; taken first
 *   the lock of a native socket that connects
 *   hs_flow.lock (BH)	the tcb, dead, young and the arming of the timer of one
 *			flow; never two of them
 *   hs_reader.mutex	one at a time takes events out of a reader; none of the
 *			above is taken with it
 *   hs_readers.lock	who comes and goes in the list of readers
 *   hs_wheel.lock (BH)	the flows whose timers run on one CPU; a leaf, taken under
 *			hs_flow.lock, and let go of before a timer fires
 *   hs_reader.lock (BH) the ring of one reader; a leaf, taken under hs_flow.lock
 *			so that the events of a flow come in their order
 *   hs_catch.waiting	segments that wait for LOCAL_OUT; a leaf as well
 *   RCU		look-ups of claims, flows and readers; no reference is
 *			needed as long as nothing outlives the read side
 *
 * Nothing is sent under hs_flow.lock: what is sent passes LOCAL_OUT and may come
 * back as a segment for the same flow. The one exception is a replay (replay.c):
 * all of the listener's conn_request() runs under the lock, but the SYN-ACK that
 * it sends is taken by our own LOCAL_OUT hook before anybody sees it, and that
 * hook takes no lock. Nothing below conn_request(), and nothing that is called
 * to make a request without it, knows of our locks.
 *
 * Lifetime
 *   A flow holds its claim and its listener; the table and the armed timer each
 *   hold the flow. The listener keeps the namespace alive until the flow's next
 *   timer finds it closed, as it does with native half-open connections.
 *   Everything of a namespace ends in its pre_exit: claims can no longer be
 *   found, then hooks go, then flows and their timers; the last flow lets its
 *   claim go. An open file keeps its namespace, and with it its reader.
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

#include "catch.h"
#include "claim.h"
#include "compat.h"
#include "core/tcb.h"
#include "early.h"
#include "hook.h"
#include "reader.h"
#include "secret.h"
#include "source.h"
#include "stats.h"
#include "sysctl.h"

/**
 * struct hs_net - the engine of one namespace
 * @net:	the namespace
 * @lock:	see above
 * @hooked:	the netfilter hooks that are registered, bits by enum hs_hook
 * @hooks:	them
 * @catch:	those that are there for replays
 * @reap:	drops claims that no flow needs any more, and then the hooks
 * @claims:	the claims
 * @flows:	the flows, a table that is made with the first claim and stays
 * @flow_secret: secret of the hash of their keys
 * @flows_ready: @flows and @flow_secret are there
 * @flow_count:	flows in the table
 * @flow_live:	flows not yet freed
 * @unclaimed_ports: those of them whose local port no claim need cover
 * @observed:	those of them that are only observed
 * @flow_id:	id of the newest flow
 * @readers:	readers of events
 * @isn_key:	secret of the ISN generator, made with the first claim
 * @isn_ready:	@isn_key is set
 * @cookies:	SYN cookies
 * @sources:	what sources take
 * @early:	their early path
 * @flood:	when to send them for want of room in the namespace
 * @sysctl:	values of /proc/sys/net/threeway
 * @sysctl_header: its registration
 * @sysctl_table: its table
 * @sender:	kernel sockets for flows without one, by hs_sender()
 * @stats:	counters
 */
struct hs_net {
	struct net *net;
	struct mutex lock;	/* claims and hooks */
	bool isn_ready;
	unsigned int hooked;
	struct nf_hook_ops hooks[HS_HOOKS];
	struct hs_catch catch;
	struct work_struct reap;
	struct hs_claims claims;
	struct rhashtable flows;
	hsiphash_key_t flow_secret;
	bool flows_ready;
	atomic_t flow_count;
	atomic_t flow_live;
	atomic_t unclaimed_ports;
	atomic_t observed;
	atomic64_t flow_id;
	struct hs_readers readers;
	siphash_aligned_key_t isn_key;
	struct hs_cookies cookies;
	struct hs_sources sources;
	struct hs_early early;
	struct hs_flood flood;
	struct hs_sysctl sysctl;
	struct ctl_table_header *sysctl_header;
	struct ctl_table *sysctl_table;
	struct sock *sender[2];
	struct hs_stats __percpu *stats;
};

struct hs_net *hs_net_get(const struct net *net);

int hs_net_setup(void);
void hs_net_teardown(void);

#endif /* HS_NETNS_H */
