/* SPDX-License-Identifier: GPL-2.0 */
/* Flows: the handshakes that the engine tracks. */
#ifndef HS_FLOW_H
#define HS_FLOW_H

#include <linux/in6.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>

#include "claim.h"
#include "core/tcb.h"

struct dst_entry;
struct hs_net;
struct saved_syn;
struct sock;

/* What a flow serves, and so whose code deals with its segments and its timer. */
enum hs_flow_kind {
	HS_FLOW_ACCEPT,		/* a listener: arrive.c */
	HS_FLOW_CONNECT,	/* a connecting socket: connect.c, answer.c */
	HS_FLOW_HOLD,		/* nobody: hold.c */
	HS_FLOW_OBSERVE,	/* who looks on: observe.c */
};

/**
 * struct hs_flow_key - what tells one flow of a namespace from the others
 * @hash:	of all the others, by hs_flow_find(), 0 before
 * @ifindex:	the link of a link-local peer or the VRF, else 0
 * @local_port:	local port
 * @remote_port: remote port
 * @family:	AF_INET or AF_INET6
 * @v4:		addresses of IPv4
 * @v6:		addresses of IPv6
 *
 * The hash is made once for a packet and goes along from the look-up into the
 * flow. Behind @v4 there need not be any memory: hs_flow_key_copy().
 */
struct hs_flow_key {
	u32 hash;
	u32 ifindex;
	__be16 local_port;
	__be16 remote_port;
	u32 family;
	union {
		struct {
			__be32 local;
			__be32 remote;
		} v4;
		struct {
			struct in6_addr local;
			struct in6_addr remote;
		} v6;
	};
};

/* Bytes of the key with addresses of the family. */
static inline size_t hs_flow_key_len(u32 family)
{
	return family == AF_INET ? offsetofend(struct hs_flow_key, v4) :
				   sizeof(struct hs_flow_key);
}

/* What is behind @to's addresses stays as it is. */
static inline void hs_flow_key_copy(struct hs_flow_key *to,
				    const struct hs_flow_key *from)
{
	memcpy(to, from, hs_flow_key_len(from->family));
}

/**
 * struct hs_flow - one handshake
 * @node:	in hs_net.flows
 * @lock:	guards @tcb, @dead, hs_flow_large.cookie and the arming of the timer
 * @refs:	the table, the armed timer and whoever works on it
 * @cpu:	whose wheel it is in, if it is in one
 * @dead:	out of the table, never armed again
 * @young:	counted in hs_claim.young
 * @time_wait:	the tuple was in TIME-WAIT when the SYN came
 * @counted:	the source counts it, see source.h
 * @large:	it is a struct hs_flow_large
 * @kind:	what it serves
 * @outcome:	why it will have ended when its socket is gone
 * @syn_tos:	TOS or traffic class of the SYN
 * @syn_ttl:	TTL or hop limit of the SYN
 * @tcb:	the protocol's state
 * @id:		see hs_flow_id()
 * @due:	jiffies when the timer is due
 * @synack_us:	when the first SYN-ACK was made, tcp_clock_ns() / 1000
 * @window_clamp: limit of the receive window, for the native socket
 * @bound_if:	interface that it belongs to, 0 for any; observed: that of the
 *		first segment
 * @mark:	mark of the answers
 * @txhash:	hash of the answers, for multipath and flow labels
 * @waits:	in a wheel, when the timer is armed, which holds a reference
 * @rcu:	to free it
 * @claim:	its claim
 * @dst:	IPv4, of a listener: the route of the answers, referenced, or NULL
 * @listener:	its listener, referenced, perhaps closed meanwhile, or NULL
 * @key:	its key in hs_net.flows; at the end, as its length varies
 *
 * There may be millions of them in a flood: times are the low 32 bits, and what
 * few flows need has its place in struct hs_flow_large.
 */
struct hs_flow {
	struct rhash_head node;
	spinlock_t lock;	/* tcb, dead, arming of the timer */
	refcount_t refs;
	u16 cpu;
	bool dead;
	bool young;
	bool time_wait : 1;	/* these four stay as they began */
	bool counted : 1;
	bool large : 1;
	u8 kind : 2;
	u8 outcome;
	u8 syn_tos;
	u8 syn_ttl;
	struct hs_tcb tcb;
	u32 id;
	u32 due;
	u32 synack_us;
	u32 window_clamp;
	int bound_if;
	u32 mark;
	u32 txhash;
	union {
		struct hlist_node waits;
		struct rcu_head rcu;
	};
	struct hs_claim *claim;
	struct dst_entry *dst;
	struct sock *listener;
	struct hs_flow_key key;
};

/**
 * struct hs_flow_large - all but the half-open connections of plain listeners
 * @flow:	the flow
 * @socket:	the connecting socket or NULL; not referenced, to compare with
 * @socket_hash: its sk_hash
 * @syn:	headers of the SYN for TCP_SAVE_SYN, or NULL
 * @uid:	owner of @socket
 * @id_high:	the upper half of hs_flow.id
 * @sdif:	observed: the VRF's link that the first segment came by, or 0
 * @tos:	TOS or traffic class of what it sends
 * @copy_due:	the next SYN of the socket is to leave
 * @cookie:	observed: the SYN-ACK was a SYN cookie, there is no socket
 */
struct hs_flow_large {
	struct hs_flow flow;
	const struct sock *socket;
	struct saved_syn *syn;
	kuid_t uid;
	u32 socket_hash;
	u32 id_high;
	int sdif;
	u8 tos;
	bool copy_due;
	bool cookie;
};

static inline struct hs_net *hs_flow_net(const struct hs_flow *flow)
{
	return flow->claim->hn;
}

/* Context: hs_flow.large is set, as of all kinds but HS_FLOW_ACCEPT. */
static inline struct hs_flow_large *hs_flow_large(const struct hs_flow *flow)
{
	return container_of(flow, struct hs_flow_large, flow);
}

/* Jiffies from @now until the timer is due, 0 when it is. */
static inline u32 hs_flow_wait(const struct hs_flow *flow, u32 now)
{
	s32 left = READ_ONCE(flow->due) - now;

	return max(left, 0);
}

/* The key as the control interface has it. Return: false if no flow can have it. */
bool hs_flow_key_read(struct hs_flow_key *key,
		      const struct threeway_flow_key *from);
void hs_flow_key_write(struct threeway_flow_key *to,
		       const struct hs_flow_key *key);

int hs_flow_cache_create(void);
void hs_flow_cache_destroy(void);

/* Make the table if there is none. Context: hs_net.lock. Return: 0 or -ENOMEM. */
int hs_flows_setup(struct hs_net *hn);
void hs_flows_teardown(struct hs_net *hn);

/* Is there a table? Only who runs for a claim or a flow need not ask. */
bool hs_flows_ready(const struct hs_net *hn);

/* Delete all flows and wait until they are gone; no hook may run. */
void hs_flows_purge(struct hs_net *hn);

/**
 * hs_flow_alloc() - a flow that is not in the table yet
 * @hn:		the namespace
 * @claim:	its claim; the flow takes a reference
 * @kind:	what it serves
 * @listener:	its listener; likewise; or NULL
 * @key:	its key; with its hash, or without one
 *
 * Context: RCU, BH. Return: a flow with one reference, or NULL.
 */
struct hs_flow *hs_flow_alloc(struct hs_net *hn, struct hs_claim *claim,
			      enum hs_flow_kind kind, struct sock *listener,
			      const struct hs_flow_key *key);

/* May the claim have one more? Return: the counter of the reason, or HS_NONE. */
enum threeway_counter hs_flow_limits(const struct hs_net *hn,
				     const struct hs_claim *claim,
				     bool proven);

/**
 * hs_flow_insert() - put a new flow into the table
 * @flow:	the flow
 *
 * Return: 0; -EEXIST when the key is taken; -ENOMEM, -E2BIG or -EBUSY.
 */
int hs_flow_insert(struct hs_flow *flow);

/**
 * hs_flow_find() - look a flow up
 * @hn:		the namespace
 * @key:	its key, whose hash is set
 *
 * Context: RCU. Return: the flow or NULL.
 */
struct hs_flow *hs_flow_find(struct hs_net *hn, struct hs_flow_key *key);

static inline bool hs_flow_hold(struct hs_flow *flow)
{
	return refcount_inc_not_zero(&flow->refs);
}

void hs_flow_put(struct hs_flow *flow);

/* Unique in the namespace. */
u64 hs_flow_id(const struct hs_flow *flow);

/* Who owns the socket that it serves. */
kuid_t hs_flow_uid(const struct hs_flow *flow);

/* When the first SYN-ACK was made, up to an hour before @now_ns. */
u64 hs_flow_synack_us(const struct hs_flow *flow, u64 now_ns);

/* The headers of its SYN, if they are kept: the caller's from now on. */
struct saved_syn *hs_flow_take_syn(struct hs_flow *flow);

/**
 * hs_flow_end() - delete a flow
 * @flow:	the flow, its lock not held
 * @reason:	the counter to bump
 *
 * Return: whether this call deleted it.
 */
bool hs_flow_end(struct hs_flow *flow, enum threeway_counter reason);

/**
 * hs_flow_unlink() - the rest of hs_flow_end()
 * @flow:	the flow, its lock not held; the caller has set @flow->dead under
 *		the lock and was the first to do so
 * @reason:	the counter to bump
 */
void hs_flow_unlink(struct hs_flow *flow, enum threeway_counter reason);

/* It has begun: what is refused before is none. Context: BH. */
void hs_flow_opened(struct hs_flow *flow);

/* The first timeout: it makes room for younger ones. Context: hs_flow.lock. */
static inline void hs_flow_aged(struct hs_flow *flow)
{
	if (flow->young)
		atomic_dec(&flow->claim->young);
	flow->young = false;
}

/*
 * Begin or go on with a walk of the flow table, where rhashtable_walk_stop() or
 * rhashtable_walk_enter() left it. What goes away meanwhile does not hide what
 * stays; the latter may come twice. Context: takes RCU.
 */
void hs_flow_walk_start(struct rhashtable_iter *iter) __acquires(RCU);

/* Flow table walkers skip nothing but what rhashtable_walk_next() skips. */
struct hs_flow *hs_flow_walk_next(struct rhashtable_iter *iter);

/* The flow as the control interface shows it. */
void hs_flow_fill(struct hs_flow *flow, struct threeway_flow *out);

/* timer.c: (re)arm the timer. Context: hs_flow.lock held, not dead. */
void hs_flow_timer_set(struct hs_flow *flow, u32 timer_ms);

/*
 * timer.c: it fires; the reference of the armed timer is the handler's. Context: RCU,
 * BH.
 */
void hs_flow_timer(struct hs_flow *flow);

#endif /* HS_FLOW_H */
