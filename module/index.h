/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Claims by what they are for.
 *
 * For each direction and family there is a tree of services, that is of ports and
 * prefixes of addresses. Claims for several ports have the port 0 there. What a
 * service carries is a tree of prefixes of clients, and what those carry are
 * claims, those for the fewest ports first. Most keys leave each tree at its root.
 */
#ifndef HS_INDEX_H
#define HS_INDEX_H

#include "prefix.h"
#include "uapi/threeway.h"

struct hs_claim;
struct hs_flow_key;

/**
 * struct hs_index - claims, changed under hs_net.lock
 * @tree:	services of those for peers that open, and for us, IPv4 and IPv6
 * @by_client:	how many of the former are for some clients only
 */
struct hs_index {
	struct hs_prefix __rcu *tree[2][2];
	unsigned int by_client;
};

/**
 * struct hs_place - where a claim is, once for each of its families
 * @node:	in hs_prefix.first
 * @claim:	the claim
 * @first:	first port
 * @last:	last port
 */
struct hs_place {
	struct hlist_node node;
	struct hs_claim *claim;
	u16 first;
	u16 last;
};

/* Context: process. Return: 0 or -ENOMEM. */
int hs_index_add(struct hs_index *index, struct hs_claim *claim);

void hs_index_del(struct hs_index *index, struct hs_claim *claim);

/* The claim for the same handshakes: that there is, or that lingers. */
struct hs_claim *hs_index_same(struct hs_index *index,
			       const struct hs_claim *claim, bool lingers);

/**
 * hs_index_find() - the most specific claim for a handshake
 * @index:	the claims
 * @direction:	who opens
 * @key:	addresses and ports
 * @gone:	of those that are deleted, instead of those that are not
 *
 * Context: RCU.
 */
struct hs_claim *hs_index_find(const struct hs_index *index,
			       enum threeway_direction direction,
			       const struct hs_flow_key *key, bool gone);

#endif /* HS_INDEX_H */
