/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Claims: which handshakes the engine owns.
 *
 * They are found by an index, see index.h. A segment for a port that no claim covers
 * is turned away by one bit.
 */
#ifndef HS_CLAIM_H
#define HS_CLAIM_H

#include <linux/bitmap.h>
#include <linux/in6.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>

#include "core/tcb.h"
#include "flood.h"
#include "index.h"
#include "uapi/threeway.h"

struct hs_net;

#define HS_CLAIMS_MAX	65536
/* deleted ones whose cookies are still out */
#define HS_CLAIMS_LINGER_MAX	1024
#define HS_PORTS	65536

/* An address of either family; IPv4 in the first word, the rest zero. */
union hs_addr {
	struct in6_addr v6;
	__be32 v4;
	u8 byte[16];
	__be32 word[4];
};

/**
 * struct hs_claim - one claim
 * @place:	in hs_claims.index, of IPv4 and IPv6
 * @list:	in hs_claims.list until the last flow is gone
 * @hn:		its namespace
 * @refs:	the claim itself and its flows
 * @deleted:	no longer found by look-ups, but for SYN cookies
 * @lingers:	deleted, but still in hs_claims.index
 * @flows:	half-open flows
 * @young:	those of them that had no timeout yet
 * @opened:	flows that it began
 * @handed_over: flows that it handed to a socket
 * @cookie_sent: when its latest SYN cookie was sent, see cookie.c
 * @flood:	when to send them
 * @conf:	as it was added, with its id
 * @rcu:	to free it
 */
struct hs_claim {
	struct hs_place place[2];
	struct list_head list;
	struct hs_net *hn;
	refcount_t refs;
	bool deleted;
	bool lingers;
	atomic_t flows;
	atomic_t young;
	atomic64_t opened;
	atomic64_t handed_over;
	u32 cookie_sent;
	struct hs_flood flood;
	struct threeway_claim conf;
	struct rcu_head rcu;
};

/**
 * struct hs_claims - the claims of a namespace, changed under hs_net.lock
 * @index:	claims by what they are for
 * @list:	all claims in the order of their ids, those still in use by flows
 *		or cookies after their deletion as well
 * @count:	claims that are not deleted
 * @lingering:	deleted claims in @index
 * @forget:	takes them out of it
 * @last_id:	id of the newest claim
 * @generation:	changes whenever a claim comes or goes
 * @ports:	local ports that a passive claim in @list covers
 */
struct hs_claims {
	struct hs_index index;
	struct list_head list;
	unsigned int count;
	unsigned int lingering;
	struct delayed_work forget;
	u32 last_id;
	u32 generation;
	DECLARE_BITMAP(ports, HS_PORTS);
};

void hs_claims_setup(struct hs_net *hn);
void hs_claims_teardown(struct hs_net *hn);

/* May a claim cover this local port? */
static inline bool hs_claims_port(const struct hs_claims *claims, u16 port)
{
	return test_bit(port, claims->ports);
}

/* 0 and 0 stand for every port */
static inline u16 hs_claim_port_last(const struct threeway_claim *conf)
{
	return conf->port_last ? conf->port_last : HS_PORTS - 1;
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

/* Delete all claims, for good. Context: process, hs_net.lock held. */
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
 * hs_claim_find_gone() - the claim that may have sent a cookie
 * @hn:		the namespace
 * @key:	addresses and ports
 *
 * Context: RCU. Return: a passive claim that was deleted after it sent cookies
 * which are still out, or NULL.
 */
struct hs_claim *hs_claim_find_gone(struct hs_net *hn,
				    const struct hs_flow_key *key);

/* Is any passive claim for some clients only? */
bool hs_claims_by_client(const struct hs_net *hn);

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

/* Let go of hooks that no claim needs. Context: process, hs_net.lock held. */
void hs_claims_hook(struct hs_net *hn);

#endif /* HS_CLAIM_H */
