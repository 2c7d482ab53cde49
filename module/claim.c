// SPDX-License-Identifier: GPL-2.0
/* Claims: which handshakes the engine owns. */
#include <linux/random.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "claim.h"
#include "flow.h"
#include "hook.h"
#include "netns.h"
#include "policy.h"
#include "sender.h"

static const struct rhashtable_params hs_claim_params = {
	.head_offset = offsetof(struct hs_claim, node),
	.key_offset = offsetof(struct hs_claim, key),
	.key_len = sizeof(struct hs_claim_key),
	.automatic_shrinking = true,
};

/* Order of look-up; the lower value is tried first. */
static u32 hs_shape_rank(const struct hs_shape *shape)
{
	u32 service = 128 - shape->service_prefixlen;
	u32 client = 128 - shape->client_prefixlen;

	return service << 24 | (u32)shape->port_class << 16 | client << 8 |
	       (shape->family ? 0 : 1);
}

/* Shapes of one group can only be told apart by the width of the range. */
static u32 hs_shape_group(const struct hs_shape *shape)
{
	return hs_shape_rank(shape) >> 16;
}

static unsigned int hs_claim_width(const struct threeway_claim *conf)
{
	return conf->port_last - conf->port_first + 1;
}

/* 0 and 0 stand for every port */
static u16 hs_claim_port_last(const struct threeway_claim *conf)
{
	return conf->port_last ? conf->port_last : HS_PORTS - 1;
}

static void hs_addr_mask(union hs_addr *dst, const union hs_addr *src,
			 unsigned int prefixlen)
{
	ipv6_addr_prefix(&dst->v6, &src->v6, prefixlen);
}

static void hs_claim_key_make(struct hs_claim_key *key,
			      const struct hs_shape *shape,
			      const union hs_addr *service, u16 port,
			      const union hs_addr *client)
{
	memset(key, 0, sizeof(*key));
	key->shape = *shape;
	key->port = shape->port_class == HS_PORT_ONE ? port : 0;
	if (shape->family) {
		hs_addr_mask(&key->service, service, shape->service_prefixlen);
		hs_addr_mask(&key->client, client, shape->client_prefixlen);
	}
}

/* Fewer ports first, then the older claim. */
static bool hs_claim_better(const struct hs_claim *a, const struct hs_claim *b)
{
	unsigned int wa = hs_claim_width(&a->conf);
	unsigned int wb = hs_claim_width(&b->conf);

	return wa != wb ? wa < wb : a->conf.id < b->conf.id;
}

static struct hs_claim *hs_shape_find(struct hs_net *hn,
				      const struct hs_shape *shape,
				      const union hs_addr *service, u16 port,
				      const union hs_addr *client)
{
	struct hs_claim *claim, *best = NULL;
	struct rhlist_head *list, *pos;
	struct hs_claim_key key;

	hs_claim_key_make(&key, shape, service, port, client);
	list = rhltable_lookup(&hn->claims.hash, &key, hs_claim_params);
	rhl_for_each_entry_rcu(claim, pos, list, node) {
		if (port < claim->conf.port_first ||
		    port > hs_claim_port_last(&claim->conf))
			continue;
		if (!best || hs_claim_better(claim, best))
			best = claim;
	}
	return best;
}

/* No more than the prefix of a claim is read of an address. */
static const union hs_addr *hs_claim_local(const struct hs_flow_key *key)
{
	if (key->family == AF_INET)
		return (const union hs_addr *)&key->v4.local;
	return (const union hs_addr *)&key->v6.local;
}

static const union hs_addr *hs_claim_remote(const struct hs_flow_key *key)
{
	if (key->family == AF_INET)
		return (const union hs_addr *)&key->v4.remote;
	return (const union hs_addr *)&key->v6.remote;
}

struct hs_claim *hs_claim_find(struct hs_net *hn,
			       enum threeway_direction direction,
			       const struct hs_flow_key *key)
{
	const struct hs_shapes *shapes = rcu_dereference(hn->claims.shapes);
	bool passive = direction == THREEWAY_PASSIVE;
	const union hs_addr *local = hs_claim_local(key);
	const union hs_addr *remote = hs_claim_remote(key);
	const union hs_addr *service = passive ? local : remote;
	const union hs_addr *client = passive ? remote : local;
	u16 port = ntohs(passive ? key->local_port : key->remote_port);
	struct hs_claim *claim, *best = NULL;
	unsigned int i;

	for (i = 0; shapes && i < shapes->count; i++) {
		const struct hs_shape *shape = &shapes->entry[i].shape;

		if (best && hs_shape_group(shape) !=
			    hs_shape_group(&best->key.shape))
			break;
		if (shape->direction != direction ||
		    (shape->family && shape->family != key->family))
			continue;
		claim = hs_shape_find(hn, shape, service, port, client);
		if (!claim)
			continue;
		if (!best || hs_claim_width(&claim->conf) <
			     hs_claim_width(&best->conf))
			best = claim;
	}
	return best;
}

static struct hs_shapes *hs_shapes_locked(struct hs_net *hn)
{
	return rcu_dereference_protected(hn->claims.shapes,
					 lockdep_is_held(&hn->lock));
}

static struct hs_shape_entry *hs_shape_entry(struct hs_shapes *shapes,
					     const struct hs_shape *shape)
{
	unsigned int i;

	for (i = 0; shapes && i < shapes->count; i++)
		if (!memcmp(&shapes->entry[i].shape, shape, sizeof(*shape)))
			return &shapes->entry[i];
	return NULL;
}

static void hs_shapes_publish(struct hs_net *hn, struct hs_shapes *new)
{
	struct hs_shapes *old = hs_shapes_locked(hn);

	rcu_assign_pointer(hn->claims.shapes, new);
	if (old)
		kfree_rcu(old, rcu);
}

static int hs_shape_add(struct hs_net *hn, const struct hs_shape *shape)
{
	struct hs_shapes *old = hs_shapes_locked(hn), *new;
	struct hs_shape_entry *entry = hs_shape_entry(old, shape);
	unsigned int i = 0, count = old ? old->count : 0;

	if (entry) {
		entry->claims++;
		return 0;
	}
	new = kzalloc(struct_size(new, entry, count + 1), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	while (i < count && hs_shape_rank(&old->entry[i].shape) <=
			    hs_shape_rank(shape)) {
		new->entry[i] = old->entry[i];
		i++;
	}
	new->entry[i].shape = *shape;
	new->entry[i].claims = 1;
	for (; i < count; i++)
		new->entry[i + 1] = old->entry[i];
	new->count = count + 1;
	hs_shapes_publish(hn, new);
	return 0;
}

static void hs_shape_del(struct hs_net *hn, const struct hs_shape *shape)
{
	struct hs_shapes *old = hs_shapes_locked(hn), *new;
	struct hs_shape_entry *entry = hs_shape_entry(old, shape);
	unsigned int i;

	if (--entry->claims)
		return;
	new = kzalloc(struct_size(new, entry, old->count), GFP_KERNEL_ACCOUNT);
	if (!new)
		return;	/* an unused shape costs a look-up, no more */
	for (i = 0; i < old->count; i++)
		if (old->entry[i].claims)
			new->entry[new->count++] = old->entry[i];
	hs_shapes_publish(hn, new);
}

static bool hs_prefix_valid(const u8 *addr, u8 prefixlen, u16 family)
{
	unsigned int max = family == AF_INET ? 32 : family ? 128 : 0;
	union hs_addr given, masked;

	if (prefixlen > max)
		return false;
	memcpy(given.byte, addr, sizeof(given.byte));
	hs_addr_mask(&masked, &given, prefixlen);
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
	bool passive = conf->direction == THREEWAY_PASSIVE;
	struct hs_shape shape = {
		.family = conf->family,
		.direction = conf->direction,
		.service_prefixlen = passive ? conf->local_prefixlen :
					       conf->remote_prefixlen,
		.client_prefixlen = passive ? conf->remote_prefixlen :
					      conf->local_prefixlen,
	};
	const u8 *service = passive ? conf->local : conf->remote;
	const u8 *client = passive ? conf->remote : conf->local;

	if (!claim)
		return NULL;
	if (!conf->port_last)
		shape.port_class = HS_PORT_ALL;
	else if (conf->port_first == conf->port_last)
		shape.port_class = HS_PORT_ONE;
	else
		shape.port_class = HS_PORT_RANGE;
	claim->hn = hn;
	claim->conf = *conf;
	refcount_set(&claim->refs, 1);
	hs_claim_key_make(&claim->key, &shape, (const union hs_addr *)service,
			  conf->port_first, (const union hs_addr *)client);
	return claim;
}

/* The ports at which LOCAL_IN has to look. */
static void hs_ports_set(unsigned long *ports, const struct threeway_claim *conf)
{
	if (conf->direction == THREEWAY_PASSIVE)
		bitmap_set(ports, conf->port_first,
			   hs_claim_port_last(conf) - conf->port_first + 1);
}

static bool hs_claim_exists(struct hs_net *hn, const struct hs_claim *new)
{
	struct rhlist_head *list, *pos;
	struct hs_claim *claim;
	bool found = false;

	rcu_read_lock();
	list = rhltable_lookup(&hn->claims.hash, &new->key, hs_claim_params);
	rhl_for_each_entry_rcu(claim, pos, list, node) {
		if (claim->conf.port_first == new->conf.port_first &&
		    claim->conf.port_last == new->conf.port_last)
			found = true;
	}
	rcu_read_unlock();
	return found;
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

/* Publish a claim; the hooks come last and the first claim brings them. */
static int hs_claim_insert(struct hs_net *hn, struct hs_claim *claim)
{
	int err;

	if (hs_claim_exists(hn, claim))
		return -EEXIST;
	if (hn->claims.count >= HS_CLAIMS_MAX ||
	    hn->claims.last_id == U32_MAX)
		return -ENOSPC;
	err = hs_claim_senders(hn, &claim->conf);
	if (!err)
		err = hs_hook_register(hn);
	if (err)
		return err;
	err = hs_shape_add(hn, &claim->key.shape);
	if (err)
		goto unhook;
	claim->conf.id = hn->claims.last_id + 1;
	err = rhltable_insert(&hn->claims.hash, &claim->node, hs_claim_params);
	if (err)
		goto unshape;
	hn->claims.last_id++;
	hn->claims.count++;
	list_add_tail(&claim->list, &hn->claims.list);
	hs_ports_set(hn->claims.ports, &claim->conf);
	return 0;

unshape:
	hs_shape_del(hn, &claim->key.shape);
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
		err = hs_hook_register(hn);
	if (!err) {
		/* in the list only, so that the reaper finds it */
		claim->deleted = true;
		list_add(&claim->list, &hn->claims.list);
	}
	mutex_unlock(&hn->lock);
	if (!err)
		return claim;
	kfree(claim);
	return ERR_PTR(err);
}

void hs_claim_put(struct hs_claim *claim)
{
	struct hs_net *hn = claim->hn;

	/* the reaper finds it by its count; the list needs the mutex */
	if (refcount_dec_and_test(&claim->refs))
		queue_work(system_wq, &hn->reap);
}

static void hs_claim_unlink(struct hs_net *hn, struct hs_claim *claim)
{
	WRITE_ONCE(claim->deleted, true);
	hn->claims.count--;
	rhltable_remove(&hn->claims.hash, &claim->node, hs_claim_params);
	hs_shape_del(hn, &claim->key.shape);
	hs_claim_put(claim);
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
	list_for_each_entry_safe(claim, next, &hn->claims.list, list)
		if (!claim->deleted)
			hs_claim_unlink(hn, claim);
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

static void hs_claims_reap(struct work_struct *work)
{
	struct hs_net *hn = container_of(work, struct hs_net, reap);
	struct hs_claim *claim, *next;

	mutex_lock(&hn->lock);
	list_for_each_entry_safe(claim, next, &hn->claims.list, list) {
		if (refcount_read(&claim->refs))
			continue;
		list_del(&claim->list);
		kfree_rcu(claim, rcu);
	}
	hs_ports_rebuild(&hn->claims);
	if (list_empty(&hn->claims.list))
		hs_hook_unregister(hn);
	mutex_unlock(&hn->lock);
}

int hs_claims_setup(struct hs_net *hn)
{
	INIT_LIST_HEAD(&hn->claims.list);
	INIT_WORK(&hn->reap, hs_claims_reap);
	return rhltable_init(&hn->claims.hash, &hs_claim_params);
}

void hs_claims_teardown(struct hs_net *hn)
{
	flush_work(&hn->reap);
	kfree(rcu_dereference_protected(hn->claims.shapes, true));
	rhltable_destroy(&hn->claims.hash);
}
