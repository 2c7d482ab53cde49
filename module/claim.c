// SPDX-License-Identifier: GPL-2.0
/* Claims: which handshakes the engine owns. */
#include <linux/random.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "claim.h"
#include "cookie.h"
#include "early.h"
#include "endpoint.h"
#include "flow.h"
#include "hook.h"
#include "netns.h"
#include "policy.h"
#include "sender.h"

struct hs_claim *hs_claim_find(struct hs_net *hn,
			       enum threeway_direction direction,
			       const struct hs_flow_key *key)
{
	return hs_index_find(&hn->claims.index, direction, key, false);
}

struct hs_claim *hs_claim_find_gone(struct hs_net *hn,
				    const struct hs_flow_key *key)
{
	return hs_index_find(&hn->claims.index, THREEWAY_PASSIVE, key, true);
}

bool hs_claims_by_client(const struct hs_net *hn)
{
	return READ_ONCE(hn->claims.index.by_client);
}

static bool hs_prefix_valid(const u8 *addr, u8 prefixlen, u16 family)
{
	unsigned int max = family == AF_INET ? 32 : family ? 128 : 0;
	union hs_addr given, masked;

	if (prefixlen > max)
		return false;
	memcpy(given.byte, addr, sizeof(given.byte));
	ipv6_addr_prefix(&masked.v6, &given.v6, prefixlen);
	return !memcmp(&given, &masked, sizeof(given));
}

static int hs_claim_check(const struct threeway_claim *conf)
{
	if (conf->id || conf->pad)
		return -EINVAL;
	if (conf->family != AF_UNSPEC && conf->family != AF_INET &&
	    conf->family != AF_INET6)
		return -EINVAL;
	if (conf->family == AF_INET6 && !ipv6_mod_enabled())
		return -EOPNOTSUPP;
	if (conf->direction != THREEWAY_PASSIVE &&
	    conf->direction != THREEWAY_ACTIVE)
		return -EINVAL;
	/* an active hold has no socket: that is THREEWAY_IOC_OPEN */
	if (conf->mode < THREEWAY_HANDOFF || conf->mode > THREEWAY_OBSERVE ||
	    (conf->mode == THREEWAY_HOLD &&
	     conf->direction != THREEWAY_PASSIVE))
		return -EINVAL;
	if (conf->port_first > conf->port_last ||
	    (conf->port_last && !conf->port_first))
		return -EINVAL;
	if (!hs_prefix_valid(conf->local, conf->local_prefixlen,
			     conf->family) ||
	    !hs_prefix_valid(conf->remote, conf->remote_prefixlen,
			     conf->family))
		return -EINVAL;
	return hs_policy_valid(&conf->policy, conf->mode) ? 0 : -EINVAL;
}

static struct hs_claim *hs_claim_make(struct hs_net *hn,
				      const struct threeway_claim *conf)
{
	struct hs_claim *claim = kzalloc(sizeof(*claim), GFP_KERNEL_ACCOUNT);

	if (!claim)
		return NULL;
	claim->hn = hn;
	claim->conf = *conf;
	refcount_set(&claim->refs, 1);
	hs_flood_setup(&claim->flood);
	return claim;
}

/* The ports at which LOCAL_IN has to look. */
static void hs_ports_set(unsigned long *ports, const struct threeway_claim *conf)
{
	if (conf->direction == THREEWAY_PASSIVE)
		bitmap_set(ports, conf->port_first,
			   hs_claim_port_last(conf) - conf->port_first + 1);
}

/* Flows without a listener are sent by sockets of their own. */
static int hs_claim_senders(struct hs_net *hn,
			    const struct threeway_claim *conf)
{
	if (conf->mode == THREEWAY_OBSERVE ||
	    (conf->mode == THREEWAY_HANDOFF &&
	     conf->direction == THREEWAY_PASSIVE))
		return 0;
	return hs_senders_setup(hn);
}

static bool hs_claim_early(const struct hs_claim *claim)
{
	return (hs_endpoint_wanted(claim, false) ||
		hs_endpoint_wanted(claim, true)) &&
	       claim->conf.direction == THREEWAY_PASSIVE &&
	       claim->conf.mode == THREEWAY_HANDOFF;
}

static bool hs_claim_replays(const struct hs_claim *claim)
{
	return claim->conf.direction == THREEWAY_PASSIVE &&
	       claim->conf.mode == THREEWAY_HANDOFF;
}

static unsigned int hs_claim_families(const struct hs_claim *claim)
{
	return (claim->conf.family != AF_INET6 ? HS_HOOKS_IPV4 : 0) |
	       (claim->conf.family != AF_INET ? HS_HOOKS_IPV6 : 0);
}

/* The hooks that its handshakes need, but for replays. */
static unsigned int hs_claim_hooks(const struct hs_claim *claim)
{
	unsigned int hooks = hs_claim_families(claim);

	if (hs_claim_replays(claim))
		hooks &= HS_HOOKS_IN;
	return hooks;
}

/* A replay may come soon: what requests are like has to be learnt from one. */
static int hs_claim_hook(struct hs_net *hn, const struct hs_claim *claim)
{
	unsigned int hooks = hs_claim_hooks(claim);
	unsigned int out = hs_claim_families(claim) & HS_HOOKS_OUT;

	if (hs_claim_replays(claim)) {
		hooks |= out;
		hs_catch_want(hn, out);
	}
	return hs_hook_register(hn, hooks);
}

/* Publish a claim; the hooks come last and the first claim brings them. */
static int hs_claim_insert(struct hs_net *hn, struct hs_claim *claim)
{
	int err;

	if (hs_index_same(&hn->claims.index, claim, false))
		return -EEXIST;
	if (hn->claims.count >= HS_CLAIMS_MAX ||
	    hn->claims.last_id == U32_MAX)
		return -ENOSPC;
	err = hs_claim_senders(hn, &claim->conf);
	if (!err)
		err = hs_claim_hook(hn, claim);
	if (!err && hs_claim_early(claim))
		err = hs_early_register(hn);
	if (err)
		goto unhook;
	claim->conf.id = hn->claims.last_id + 1;
	err = hs_index_add(&hn->claims.index, claim);
	if (err)
		goto unhook;
	hn->claims.last_id++;
	hn->claims.count++;
	/* pairs with hs_endpoint_confirm() */
	smp_store_release(&hn->claims.generation, hn->claims.generation + 1);
	list_add_tail(&claim->list, &hn->claims.list);
	hs_ports_set(hn->claims.ports, &claim->conf);
	return 0;

unhook:
	queue_work(system_wq, &hn->reap);
	return err;
}

/*
 * What a namespace needs from its first claim on. Its secrets are made now: those
 * of a generator that is not seeded could be guessed.
 */
static int hs_claims_prepare(struct hs_net *hn)
{
	lockdep_assert_held(&hn->lock);
	if (!hn->isn_ready)
		get_random_bytes(&hn->isn_key, sizeof(hn->isn_key));
	hn->isn_ready = true;
	return hs_flows_setup(hn);
}

int hs_claim_add(struct hs_net *hn, struct threeway_claim *conf)
{
	struct hs_claim *claim;
	int err;

	err = hs_claim_check(conf);
	if (err)
		return err;
	err = wait_for_random_bytes();
	if (err)
		return err;
	claim = hs_claim_make(hn, conf);
	if (!claim)
		return -ENOMEM;

	mutex_lock(&hn->lock);
	err = hs_claims_prepare(hn);
	if (!err)
		err = hs_secrets_make(hn);
	if (!err)
		err = hs_claim_insert(hn, claim);
	if (!err)
		*conf = claim->conf;
	mutex_unlock(&hn->lock);
	if (err)
		kfree(claim);
	return err;
}

struct hs_claim *hs_claim_single(struct hs_net *hn,
				 const struct threeway_policy *policy)
{
	struct threeway_claim conf = {
		.direction = THREEWAY_ACTIVE,
		.mode = THREEWAY_HOLD,
		.policy = *policy,
	};
	struct hs_claim *claim;
	int err;

	err = wait_for_random_bytes();
	if (err)
		return ERR_PTR(err);
	claim = hs_claim_make(hn, &conf);
	if (!claim)
		return ERR_PTR(-ENOMEM);
	mutex_lock(&hn->lock);
	err = hs_claims_prepare(hn);
	if (!err)
		err = hs_claim_senders(hn, &conf);
	if (!err)
		err = hs_claim_hook(hn, claim);
	if (!err) {
		/* in the list only, so that the reaper finds it */
		claim->deleted = true;
		list_add(&claim->list, &hn->claims.list);
	}
	mutex_unlock(&hn->lock);
	if (!err)
		return claim;
	kfree(claim);
	/* some of the hooks may be there, for nobody */
	queue_work(system_wq, &hn->reap);
	return ERR_PTR(err);
}

void hs_claim_put(struct hs_claim *claim)
{
	struct hs_net *hn = claim->hn;

	/* the reaper finds it by its count; the list needs the mutex */
	if (refcount_dec_and_test(&claim->refs))
		queue_work(system_wq, &hn->reap);
}

static void hs_claim_forget(struct hs_net *hn, struct hs_claim *claim)
{
	hn->claims.lingering -= claim->lingers;
	claim->lingers = false;
	hs_index_del(&hn->claims.index, claim);
	hs_claim_put(claim);
}

/* Its peers have its SYN-ACKs, which are promises: keep it for their ACKs. */
static void hs_claim_linger(struct hs_net *hn, struct hs_claim *claim)
{
	struct hs_claim *older = hs_index_same(&hn->claims.index, claim,
						true);

	if (older)
		hs_claim_forget(hn, older);
	if (hn->claims.lingering >= HS_CLAIMS_LINGER_MAX) {
		hs_claim_forget(hn, claim);
		return;
	}
	claim->lingers = true;
	hn->claims.lingering++;
	/* the early hooks need not stay */
	queue_work(system_wq, &hn->reap);
	queue_delayed_work(system_wq, &hn->claims.forget,
			   HS_COOKIE_LIFETIME_S * HZ);
}

static void hs_claim_hide(struct hs_net *hn, struct hs_claim *claim)
{
	WRITE_ONCE(claim->deleted, true);
	/* whoever sees the new generation sees that, too */
	smp_wmb();
	WRITE_ONCE(hn->claims.generation, hn->claims.generation + 1);
	hn->claims.count--;
}

static void hs_claim_unlink(struct hs_net *hn, struct hs_claim *claim)
{
	hs_claim_hide(hn, claim);
	if (hs_cookie_of_claim_out(claim))
		hs_claim_linger(hn, claim);
	else
		hs_claim_forget(hn, claim);
}

/* Those that linger are kept for twice the time of a cookie at most. */
static void hs_claims_forget(struct work_struct *work)
{
	struct hs_net *hn = container_of(to_delayed_work(work), struct hs_net,
					 claims.forget);
	struct hs_claim *claim, *next;

	mutex_lock(&hn->lock);
	list_for_each_entry_safe(claim, next, &hn->claims.list, list)
		if (claim->lingers && !hs_cookie_of_claim_out(claim))
			hs_claim_forget(hn, claim);
	if (hn->claims.lingering)
		queue_delayed_work(system_wq, &hn->claims.forget,
				   HS_COOKIE_LIFETIME_S * HZ);
	mutex_unlock(&hn->lock);
}

int hs_claim_del(struct hs_net *hn, u32 id)
{
	struct hs_claim *claim;
	int err = -ENOENT;

	mutex_lock(&hn->lock);
	list_for_each_entry(claim, &hn->claims.list, list) {
		if (claim->conf.id != id || claim->deleted)
			continue;
		hs_claim_unlink(hn, claim);
		err = 0;
		break;
	}
	mutex_unlock(&hn->lock);
	return err;
}

void hs_claims_flush(struct hs_net *hn)
{
	struct hs_claim *claim, *next;

	lockdep_assert_held(&hn->lock);
	list_for_each_entry_safe(claim, next, &hn->claims.list, list) {
		if (claim->deleted && !claim->lingers)
			continue;
		if (!claim->deleted)
			hs_claim_hide(hn, claim);
		hs_claim_forget(hn, claim);
	}
}

static void hs_ports_rebuild(struct hs_claims *claims)
{
	unsigned long *ports = bitmap_zalloc(HS_PORTS, GFP_KERNEL);
	struct hs_claim *claim;
	size_t i;

	if (!ports)
		return;	/* a bit too many costs a look-up, no more */
	list_for_each_entry(claim, &claims->list, list)
		hs_ports_set(ports, &claim->conf);
	for (i = 0; i < BITS_TO_LONGS(HS_PORTS); i++)
		WRITE_ONCE(claims->ports[i], ports[i]);
	bitmap_free(ports);
}

void hs_claims_hook(struct hs_net *hn)
{
	unsigned int hooks = 0;
	struct hs_claim *claim;

	list_for_each_entry(claim, &hn->claims.list, list)
		hooks |= hs_claim_hooks(claim);
	if (hooks)
		hooks |= hn->catch.hooks;
	hs_hook_keep(hn, hooks);
}

static void hs_claims_reap(struct work_struct *work)
{
	struct hs_net *hn = container_of(work, struct hs_net, reap);
	struct hs_claim *claim, *next;
	bool early = false;

	mutex_lock(&hn->lock);
	list_for_each_entry_safe(claim, next, &hn->claims.list, list) {
		if (!claim->deleted)
			early |= hs_claim_early(claim);
		if (refcount_read(&claim->refs))
			continue;
		list_del(&claim->list);
		kfree_rcu(claim, rcu);
	}
	hs_ports_rebuild(&hn->claims);
	if (!early)
		hs_early_unregister(hn);
	hs_claims_hook(hn);
	mutex_unlock(&hn->lock);
}

void hs_claims_setup(struct hs_net *hn)
{
	INIT_LIST_HEAD(&hn->claims.list);
	INIT_WORK(&hn->reap, hs_claims_reap);
	INIT_DELAYED_WORK(&hn->claims.forget, hs_claims_forget);
}

void hs_claims_teardown(struct hs_net *hn)
{
	cancel_delayed_work_sync(&hn->claims.forget);
	flush_work(&hn->reap);
}
