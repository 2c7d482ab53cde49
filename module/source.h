/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one source, an IPv4 address or an IPv6 /64, takes of a claim: a table of
 * fixed size in each namespace, there from the first SYN for which there is a
 * limit. Its words are those of core/bucket.h.
 */
#ifndef HS_SOURCE_H
#define HS_SOURCE_H

#include <linux/atomic.h>
#include <linux/siphash.h>
#include <linux/workqueue.h>

struct hs_claim;
struct hs_flow_key;
struct hs_net;

#define HS_SOURCE_WAYS		4
#define HS_SOURCE_SETS		4096

/**
 * struct hs_source_table - the sources of a namespace
 * @secret:	of the hash, so that nobody can choose who shares a set
 * @word:	the sets, one after the other
 */
struct hs_source_table {
	siphash_aligned_key_t secret;
	atomic64_t word[HS_SOURCE_SETS * HS_SOURCE_WAYS];
};

/**
 * struct hs_sources - the table and who makes it
 * @table:	the table, or NULL
 * @make:	makes it
 */
struct hs_sources {
	struct hs_source_table __rcu *table;
	struct work_struct make;
};

void hs_sources_setup(struct hs_net *hn);
void hs_sources_teardown(struct hs_net *hn);

/**
 * hs_source_take() - a SYN of a source
 * @hn:		the namespace
 * @claim:	its claim
 * @key:	addresses and ports
 * @counted:	result: the source has one more half-open flow, until
 *		hs_source_put()
 *
 * Context: RCU. Return: false when the source has no more to take.
 */
bool hs_source_take(struct hs_net *hn, const struct hs_claim *claim,
		    const struct hs_flow_key *key, bool *counted);

/* A half-open flow of the source is no more. */
void hs_source_put(struct hs_net *hn, const struct hs_claim *claim,
		   const struct hs_flow_key *key);

#endif /* HS_SOURCE_H */
