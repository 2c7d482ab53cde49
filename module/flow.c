// SPDX-License-Identifier: GPL-2.0
/* Flows: the handshakes that the engine tracks. */
#include <linux/hash.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "event.h"
#include "flow.h"
#include "netns.h"
#include "policy.h"
#include "socket.h"
#include "source.h"
#include "wheel.h"

/* Flows to delete between two chances to reschedule. */
#define HS_PURGE_BATCH	256

/*
 * Buckets of the least table. To resize is the dearest that can befall a table:
 * short flows by the hundred shall neither grow nor shrink it.
 */
#define HS_FLOWS_MIN	2048

/* Of IPv4 and of IPv6, and what is more than a struct hs_flow. */
static struct kmem_cache *hs_flow_cache[2];
static struct kmem_cache *hs_flow_large_cache;

/*
 * Keyed with a secret of the namespace, so that no peer can choose tuples that
 * share a bucket, and whoever learns which ones do knows nothing of another
 * namespace.
 */
static u32 hs_flow_hash(const struct hs_net *hn, const struct hs_flow_key *key)
{
	const size_t first = offsetof(struct hs_flow_key, ifindex);
	u32 ports = (__force u32)key->local_port << 16 |
		    (__force u32)key->remote_port;
	u32 hash;

	if (key->family == AF_INET)
		hash = hsiphash_4u32((__force u32)key->v4.local,
				     (__force u32)key->v4.remote, ports,
				     key->ifindex, &hn->flow_secret);
	else
		hash = hsiphash(&key->ifindex, sizeof(*key) - first,
				&hn->flow_secret);
	return hash ?: 1;
}

/*
 * The bucket. The seed is another one each time that the table is rehashed: as a
 * factor it parts tuples that shared a bucket before, and costs next to nothing.
 */
static u32 hs_flow_mix(u32 hash, u32 seed)
{
	return (hash * ((seed | 1) * GOLDEN_RATIO_64)) >> 32;
}

static u32 hs_flow_key_mix(const void *key, u32 len, u32 seed)
{
	return hs_flow_mix(((const struct hs_flow_key *)key)->hash, seed);
}

static u32 hs_flow_node_mix(const void *flow, u32 len, u32 seed)
{
	return hs_flow_mix(((const struct hs_flow *)flow)->key.hash, seed);
}

static bool hs_flow_key_equal(const struct hs_flow_key *a,
			      const struct hs_flow_key *b)
{
	if (a->hash != b->hash || a->local_port != b->local_port ||
	    a->remote_port != b->remote_port || a->ifindex != b->ifindex ||
	    a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return a->v4.local == b->v4.local &&
		       a->v4.remote == b->v4.remote;
	return ipv6_addr_equal(&a->v6.local, &b->v6.local) &&
	       ipv6_addr_equal(&a->v6.remote, &b->v6.remote);
}

/* Return: 0 when they are equal. */
static int hs_flow_compare(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct hs_flow *flow = obj;

	return !hs_flow_key_equal(arg->key, &flow->key);
}

static const struct rhashtable_params hs_flow_params = {
	.head_offset = offsetof(struct hs_flow, node),
	.key_offset = offsetof(struct hs_flow, key),
	.key_len = sizeof(struct hs_flow_key),
	.hashfn = hs_flow_key_mix,
	.obj_hashfn = hs_flow_node_mix,
	.obj_cmpfn = hs_flow_compare,
	.min_size = HS_FLOWS_MIN,
	.automatic_shrinking = true,
};

bool hs_flow_key_read(struct hs_flow_key *key,
		      const struct threeway_flow_key *from)
{
	if (from->pad || (from->family != AF_INET && from->family != AF_INET6))
		return false;
	key->family = from->family;
	key->local_port = from->local_port;
	key->remote_port = from->remote_port;
	key->ifindex = from->ifindex;
	if (from->family == AF_INET6) {
		memcpy(&key->v6.local, from->local, sizeof(key->v6.local));
		memcpy(&key->v6.remote, from->remote, sizeof(key->v6.remote));
		return true;
	}
	memcpy(&key->v4.local, from->local, sizeof(key->v4.local));
	memcpy(&key->v4.remote, from->remote, sizeof(key->v4.remote));
	return !(memchr_inv(from->local + 4, 0, sizeof(from->local) - 4) ||
		 memchr_inv(from->remote + 4, 0, sizeof(from->remote) - 4));
}

void hs_flow_key_write(struct threeway_flow_key *to,
		       const struct hs_flow_key *key)
{
	memset(to, 0, sizeof(*to));
	to->family = key->family;
	to->local_port = key->local_port;
	to->remote_port = key->remote_port;
	to->ifindex = key->ifindex;
	if (key->family == AF_INET6) {
		memcpy(to->local, &key->v6.local, sizeof(key->v6.local));
		memcpy(to->remote, &key->v6.remote, sizeof(key->v6.remote));
	} else {
		memcpy(to->local, &key->v4.local, sizeof(key->v4.local));
		memcpy(to->remote, &key->v4.remote, sizeof(key->v4.remote));
	}
}

static struct kmem_cache *hs_flow_cache_of(u32 family, bool large)
{
	return large ? hs_flow_large_cache : hs_flow_cache[family == AF_INET6];
}

struct hs_flow *hs_flow_alloc(struct hs_net *hn, struct hs_claim *claim,
			      enum hs_flow_kind kind, struct sock *listener,
			      const struct hs_flow_key *key)
{
	bool large = kind != HS_FLOW_ACCEPT || tcp_sk(listener)->save_syn;
	struct hs_flow *flow;
	u64 id;

	if (!hs_claim_hold(claim))
		return NULL;
	flow = kmem_cache_zalloc(hs_flow_cache_of(key->family, large),
				 GFP_ATOMIC | __GFP_NOWARN);
	if (!flow) {
		hs_claim_put(claim);
		return NULL;
	}
	spin_lock_init(&flow->lock);
	refcount_set(&flow->refs, 1);
	hs_flow_key_copy(&flow->key, key);
	if (!flow->key.hash)
		flow->key.hash = hs_flow_hash(hn, key);
	flow->claim = claim;
	flow->large = large;
	flow->kind = kind;
	flow->outcome = HS_NONE;
	flow->listener = listener;
	if (listener)
		sock_hold(listener);
	if (kind != HS_FLOW_ACCEPT)
		atomic_inc(&hn->unclaimed_ports);
	if (kind == HS_FLOW_OBSERVE)
		atomic_inc(&hn->observed);
	id = atomic64_inc_return(&hn->flow_id);
	flow->id = (u32)id;
	if (large)
		hs_flow_large(flow)->id_high = id >> 32;
	atomic_inc(&claim->flows);
	atomic_inc(&hn->flow_live);
	return flow;
}

static void hs_flow_free_rcu(struct rcu_head *rcu)
{
	struct hs_flow *flow = container_of(rcu, struct hs_flow, rcu);

	kfree(hs_flow_take_syn(flow));
	kmem_cache_free(hs_flow_cache_of(flow->key.family, flow->large), flow);
}

void hs_flow_put(struct hs_flow *flow)
{
	struct hs_net *hn = hs_flow_net(flow);

	if (!refcount_dec_and_test(&flow->refs))
		return;
	atomic_dec(&flow->claim->flows);
	if (flow->counted)
		hs_source_put(hn, flow->claim, &flow->key);
	hs_claim_put(flow->claim);
	dst_release(flow->dst);
	if (flow->listener)
		sock_put(flow->listener);
	if (flow->kind != HS_FLOW_ACCEPT)
		atomic_dec(&hn->unclaimed_ports);
	if (flow->kind == HS_FLOW_OBSERVE)
		atomic_dec(&hn->observed);
	call_rcu(&flow->rcu, hs_flow_free_rcu);
	/* hn may be gone right after this */
	if (atomic_dec_and_test(&hn->flow_live))
		wake_up_var(&hn->flow_live);
}

u64 hs_flow_id(const struct hs_flow *flow)
{
	u64 last;

	if (flow->large)
		return (u64)hs_flow_large(flow)->id_high << 32 | flow->id;
	/* in its life there are not so many others that it would be another one */
	last = atomic64_read(&hs_flow_net(flow)->flow_id);
	return last - ((u32)last - flow->id);
}

kuid_t hs_flow_uid(const struct hs_flow *flow)
{
	if (flow->kind == HS_FLOW_ACCEPT)
		return READ_ONCE(flow->listener->sk_uid);
	return hs_flow_large(flow)->uid;
}

u64 hs_flow_synack_us(const struct hs_flow *flow, u64 now_ns)
{
	u64 now_us = div_u64(now_ns, NSEC_PER_USEC);

	return now_us - ((u32)now_us - flow->synack_us);
}

struct saved_syn *hs_flow_take_syn(struct hs_flow *flow)
{
	struct saved_syn *syn;

	if (!flow->large)
		return NULL;
	syn = hs_flow_large(flow)->syn;
	hs_flow_large(flow)->syn = NULL;
	return syn;
}

int hs_flow_insert(struct hs_flow *flow)
{
	struct hs_net *hn = hs_flow_net(flow);
	int err;

	refcount_inc(&flow->refs);
	err = rhashtable_lookup_insert_key(&hn->flows, &flow->key, &flow->node,
					   hs_flow_params);
	if (err) {
		refcount_dec(&flow->refs);
		return err;
	}
	flow->young = true;
	atomic_inc(&flow->claim->young);
	atomic_inc(&hn->flow_count);
	return 0;
}

void hs_flow_opened(struct hs_flow *flow)
{
	hs_count(hs_flow_net(flow), THREEWAY_C_flows_opened);
	atomic64_inc(&flow->claim->opened);
}

/* A peer that is proven to be real may exceed the claim's limit. */
enum threeway_counter hs_flow_limits(const struct hs_net *hn,
				     const struct hs_claim *claim, bool proven)
{
	if (atomic_read(&hn->flow_count) >= READ_ONCE(hn->sysctl.max_flows))
		return THREEWAY_C_native_flow_limit;
	if (!proven &&
	    atomic_read(&claim->flows) >= hs_policy_backlog(hn, claim))
		return THREEWAY_C_native_backlog_full;
	return HS_NONE;
}

struct hs_flow *hs_flow_find(struct hs_net *hn, struct hs_flow_key *key)
{
	key->hash = hs_flow_hash(hn, key);
	return rhashtable_lookup(&hn->flows, key, hs_flow_params);
}

void hs_flow_unlink(struct hs_flow *flow, enum threeway_counter reason)
{
	struct hs_net *hn = hs_flow_net(flow);

	rhashtable_remove_fast(&hn->flows, &flow->node, hs_flow_params);
	hs_count(hn, reason);
	/* nobody else touches young once the flow is dead */
	hs_flow_aged(flow);
	atomic_dec(&hn->flow_count);
	if (hs_wheel_remove(flow))
		hs_flow_put(flow);
	hs_flow_put(flow);
}

bool hs_flow_end(struct hs_flow *flow, enum threeway_counter reason)
{
	bool first;

	spin_lock_bh(&flow->lock);
	first = !flow->dead;
	flow->dead = true;
	if (first)
		hs_event_ended(flow, reason);
	spin_unlock_bh(&flow->lock);
	if (first)
		hs_flow_unlink(flow, reason);
	return first;
}

/*
 * The kernel's walk counts in its chain what has gone since, and older ones keep a
 * pointer to it when the table was resized.
 */
void hs_flow_walk_start(struct rhashtable_iter *iter)
	__acquires(RCU)
{
	const struct rhash_head *last = iter->p;

	if (rhashtable_walk_start_check(iter) == -EAGAIN)
		iter->p = NULL;
	else if (last && !iter->p)
		iter->skip = 0;
}

struct hs_flow *hs_flow_walk_next(struct rhashtable_iter *iter)
{
	struct hs_flow *flow;

	do
		flow = rhashtable_walk_next(iter);
	while (IS_ERR(flow));	/* a resize, the walk begins again */
	return flow;
}

/* With what the connecting socket has to say, if there is one. */
static void hs_flow_policy(const struct hs_flow *flow, struct hs_policy *policy)
{
	struct sock *sk = NULL;

	rcu_read_lock();
	if (flow->kind == HS_FLOW_CONNECT)
		sk = hs_socket_get(flow);
	hs_policy_read(flow, sk, policy);
	if (sk)
		sock_gen_put(sk);
	rcu_read_unlock();
}

void hs_flow_fill(struct hs_flow *flow, struct threeway_flow *out)
{
	struct hs_policy policy;
	struct hs_tcb tcb;

	spin_lock_bh(&flow->lock);
	tcb = flow->tcb;
	spin_unlock_bh(&flow->lock);
	hs_flow_policy(flow, &policy);

	memset(out, 0, sizeof(*out));
	out->id = hs_flow_id(flow);
	out->claim = flow->claim->conf.id;
	out->direction = flow->claim->conf.direction;
	out->mode = flow->claim->conf.mode;
	out->state = tcb.state;
	hs_flow_key_write(&out->key, &flow->key);
	out->iss = tcb.iss;
	out->irs = tcb.irs;
	out->snd_nxt = tcb.iss + 1;
	out->rcv_nxt = tcb.state == THREEWAY_SYN_SENT ? 0 : tcb.irs + 1;
	out->rcv_wnd = tcb.rcv_wnd;
	out->flags = (tcb.sack_ok ? THREEWAY_F_SACK : 0) |
		     (tcb.tstamp_ok ? THREEWAY_F_TIMESTAMPS : 0) |
		     (tcb.wscale_ok ? THREEWAY_F_WINDOW_SCALING : 0) |
		     (tcb.ecn_ok ? THREEWAY_F_ECN : 0) |
		     (tcb.acked ? THREEWAY_F_ACKED : 0) |
		     (hs_frozen(&tcb, &policy) ? THREEWAY_F_FROZEN : 0);
	out->peer_mss = tcb.peer_mss;
	out->snd_wscale = tcb.snd_wscale;
	out->rcv_wscale = tcb.rcv_wscale;
	out->retransmits = tcb.retransmits;
	if (flow->kind != HS_FLOW_OBSERVE)
		out->retries_left = hs_retries_left(&tcb, &policy);
	out->age_ms = tcp_time_stamp_raw() - tcb.opened_ms;
	out->timer_ms = jiffies_to_msecs(hs_flow_wait(flow, jiffies));
	if (policy.hold && out->age_ms < policy.deadline_ms)
		out->lifetime_ms = policy.deadline_ms - out->age_ms;
}

void hs_flows_purge(struct hs_net *hn)
{
	const unsigned long until = jiffies + HZ;
	struct rhashtable_iter iter;
	struct hs_flow *flow;
	unsigned int n = 0;

	while (atomic_read(&hn->flow_count)) {
		rhashtable_walk_enter(&hn->flows, &iter);
		hs_flow_walk_start(&iter);
		while ((flow = hs_flow_walk_next(&iter))) {
			bool resume = flow->kind == HS_FLOW_CONNECT &&
				      hs_flow_hold(flow);

			hs_flow_end(flow, THREEWAY_C_flows_purged);
			if (!resume && ++n % HS_PURGE_BATCH)
				continue;
			rhashtable_walk_stop(&iter);
			if (resume) {
				hs_socket_resume(flow, until);
				hs_flow_put(flow);
			}
			cond_resched();
			hs_flow_walk_start(&iter);
		}
		rhashtable_walk_stop(&iter);
		rhashtable_walk_exit(&iter);
	}
	wait_var_event(&hn->flow_live, !atomic_read(&hn->flow_live));
}

int hs_flows_setup(struct hs_net *hn)
{
	int err;

	lockdep_assert_held(&hn->lock);
	if (hn->flows_ready)
		return 0;
	get_random_bytes(&hn->flow_secret, sizeof(hn->flow_secret));
	err = rhashtable_init(&hn->flows, &hs_flow_params);
	if (err)
		return err;
	/* pairs with hs_flows_ready() */
	smp_store_release(&hn->flows_ready, true);
	return 0;
}

bool hs_flows_ready(const struct hs_net *hn)
{
	/* pairs with hs_flows_setup() */
	return smp_load_acquire(&hn->flows_ready);
}

void hs_flows_teardown(struct hs_net *hn)
{
	if (hn->flows_ready)
		rhashtable_destroy(&hn->flows);
}

/*
 * Not in cache lines of their own: it is their number that counts. What may be
 * copied to users, of which there is none, keeps the kernel from merging a cache
 * with another one of that size, where nobody would see what is left in it.
 */
static struct kmem_cache *hs_flow_cache_new(const char *name, unsigned int size)
{
	return kmem_cache_create_usercopy(name, size, 0, 0, 0, 1, NULL);
}

int hs_flow_cache_create(void)
{
	hs_flow_cache[0] = hs_flow_cache_new("threeway_flow",
					     offsetof(struct hs_flow, key) +
					     hs_flow_key_len(AF_INET));
	hs_flow_cache[1] = hs_flow_cache_new("threeway_flow_ipv6",
					     sizeof(struct hs_flow));
	hs_flow_large_cache = hs_flow_cache_new("threeway_flow_large",
						sizeof(struct hs_flow_large));
	if (hs_flow_cache[0] && hs_flow_cache[1] && hs_flow_large_cache)
		return 0;
	hs_flow_cache_destroy();
	return -ENOMEM;
}

void hs_flow_cache_destroy(void)
{
	/* flows are freed by RCU callbacks of this module */
	rcu_barrier();
	kmem_cache_destroy(hs_flow_large_cache);
	kmem_cache_destroy(hs_flow_cache[1]);
	kmem_cache_destroy(hs_flow_cache[0]);
}
