/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Claims: which handshakes the engine owns.
 *
 * Claims of one shape (family, prefix lengths, one port or a range or all) sit
 * in one hash under the prefixes and port that the shape leaves; a look-up tries
 * the shapes that exist, the most specific first. A segment for a port that no
 * claim covers is turned away by one bit.
 */
#ifndef HS_CLAIM_H
#define HS_CLAIM_H

#include <linux/bitmap.h>
#include <linux/in6.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>

#include "core/tcb.h"
#include "uapi/threeway.h"

struct hs_net;

#define HS_CLAIMS_MAX	65536
#define HS_PORTS	65536

/* An address of either family; IPv4 in the first word, the rest zero. */
union hs_addr {
	struct in6_addr v6;
	__be32 v4;
	u8 byte[16];
	__be32 word[4];
};

enum hs_port_class {
	HS_PORT_ONE,
	HS_PORT_RANGE,
	HS_PORT_ALL,
};

/* The service is the side that listens: us for a passive claim. */
struct hs_shape {
	u8 family;
	u8 direction;
	u8 service_prefixlen;
	u8 client_prefixlen;
	u8 port_class;
	u8 pad[3];
};

struct hs_claim_key {
	struct hs_shape shape;
	u16 port;	/* 0 but for HS_PORT_ONE */
	u16 pad;
	union hs_addr service;
	union hs_addr client;
};

/**
 * struct hs_claim - one claim
 * @node:	in hs_claims.hash
 * @key:	its key there
 * @list:	in hs_claims.list until the last flow is gone
 * @hn:		its namespace
 * @refs:	the claim itself and its flows
 * @deleted:	no longer found by look-ups
 * @flows:	half-open flows
 * @young:	those of them that had no timeout yet
 * @opened:	flows that it began
 * @handed_over: flows that it handed to a listener
 * @conf:	as it was added, with its id
 * @rcu:	to free it
 */
struct hs_claim {
	struct rhlist_head node;
	struct hs_claim_key key;
	struct list_head list;
	struct hs_net *hn;
	refcount_t refs;
	bool deleted;
	atomic_t flows;
	atomic_t young;
	atomic64_t opened;
	atomic64_t handed_over;
	struct threeway_claim conf;
	struct rcu_head rcu;
};

struct hs_shape_entry {
	struct hs_shape shape;
	unsigned int claims;
};

/* The shapes that exist, the most specific first. */
struct hs_shapes {
	struct rcu_head rcu;
	unsigned int count;
	struct hs_shape_entry entry[];
};

/**
 * struct hs_claims - the claims of a namespace, changed under hs_net.lock
 * @hash:	claims by key
 * @shapes:	shapes of the claims in @hash
 * @list:	all claims in the order of their ids, those still in use by flows
 *		after their deletion as well
 * @count:	claims that are not deleted
 * @last_id:	id of the newest claim
 * @ports:	local ports that a passive claim in @list covers
 */
struct hs_claims {
	struct rhltable hash;
	struct hs_shapes __rcu *shapes;
	struct list_head list;
	unsigned int count;
	u32 last_id;
	DECLARE_BITMAP(ports, HS_PORTS);
};

int hs_claims_setup(struct hs_net *hn);
void hs_claims_teardown(struct hs_net *hn);

/* May a claim cover this local port? */
static inline bool hs_claims_port(const struct hs_claims *claims, u16 port)
{
	return test_bit(port, claims->ports);
}

/**
 * hs_claim_add() - add a claim
 * @hn:		the namespace
 * @conf:	the claim; its id is set
 *
 * Context: process. Return: 0 or what THREEWAY_IOC_CLAIM_ADD documents.
 */
int hs_claim_add(struct hs_net *hn, struct threeway_claim *conf);

/* Context: process. Return: 0 or -ENOENT. */
int hs_claim_del(struct hs_net *hn, u32 id);

/* Delete all claims. Context: process, hs_net.lock held. */
void hs_claims_flush(struct hs_net *hn);

struct hs_flow_key;

/**
 * hs_claim_find() - the claim that owns a handshake
 * @hn:		the namespace
 * @direction:	who opens
 * @key:	addresses and ports
 *
 * Context: RCU. Return: the most specific claim, or NULL.
 */
struct hs_claim *hs_claim_find(struct hs_net *hn,
			       enum threeway_direction direction,
			       const struct hs_flow_key *key);

/**
 * hs_claim_single() - a claim for one flow, found by no look-up
 * @hn:		the namespace
 * @policy:	valid values for a hold
 *
 * Context: process. Return: the claim with one reference, or an error pointer.
 */
struct hs_claim *hs_claim_single(struct hs_net *hn,
				 const struct threeway_policy *policy);

static inline bool hs_claim_hold(struct hs_claim *claim)
{
	return refcount_inc_not_zero(&claim->refs);
}

void hs_claim_put(struct hs_claim *claim);

#endif /* HS_CLAIM_H */
