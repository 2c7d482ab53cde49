// SPDX-License-Identifier: GPL-2.0
/* Limits of a source. */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/random.h>

#include "core/bucket.h"
#include "flow.h"
#include "netns.h"
#include "policy.h"
#include "source.h"

/* Whoever is overtaken more often than that by other CPUs lets it be. */
#define HS_SOURCE_TRIES		8

/**
 * struct hs_source - where a source is
 * @set:	its words
 * @tag:	which of them may be its own
 */
struct hs_source {
	atomic64_t *set;
	u16 tag;
};

static void hs_source_find(struct hs_source *source,
			   struct hs_source_table *table,
			   const struct hs_claim *claim,
			   const struct hs_flow_key *key)
{
	u64 network = key->family == AF_INET ? (__force u32)key->v4.remote :
		      (u64)(__force u32)key->v6.remote.s6_addr32[0] << 32 |
		      (__force u32)key->v6.remote.s6_addr32[1];
	u64 hash = siphash_2u64(network, (u64)key->family << 32 |
				claim->conf.id, &table->secret);

	source->set = &table->word[(hash % HS_SOURCE_SETS) * HS_SOURCE_WAYS];
	source->tag = hash >> 48;
}

/* @taken: whether that is written down, of which only flows are counted */
static enum hs_bucket_answer
hs_source_try(const struct hs_source *source,
	      const struct hs_bucket_limits *limits, bool *taken)
{
	u64 now_ns = ktime_get_ns(), set[HS_SOURCE_WAYS];
	enum hs_bucket_answer answer = HS_BUCKET_PASS;
	int try, i;

	*taken = false;
	for (try = 0; try < HS_SOURCE_TRIES && !*taken; try++) {
		s64 before;
		u64 word;

		for (i = 0; i < HS_SOURCE_WAYS; i++)
			set[i] = atomic64_read(&source->set[i]);
		i = hs_bucket_choose(set, HS_SOURCE_WAYS, source->tag, now_ns);
		word = set[i];
		answer = hs_bucket_take(&word, source->tag, limits,
					limits->flows, now_ns);
		before = set[i];
		*taken = word == set[i] ||
			 atomic64_try_cmpxchg(&source->set[i], &before, word);
	}
	return answer;
}

bool hs_source_take(struct hs_net *hn, const struct hs_claim *claim,
		    const struct hs_flow_key *key, bool *counted)
{
	u32 flows = hs_policy_source_flows(hn, claim);
	u32 rate = hs_policy_source_rate(hn, claim);
	struct hs_bucket_limits limits;
	struct hs_source_table *table;
	struct hs_source source;
	bool taken;

	if (likely(!rate && !flows))
		return true;
	table = rcu_dereference(hn->sources.table);
	if (unlikely(!table)) {
		queue_work(system_wq, &hn->sources.make);
		return true;
	}
	hs_bucket_limits_init(&limits, rate, hs_policy_source_burst(hn, claim),
			      flows);
	hs_source_find(&source, table, claim, key);
	if (hs_source_try(&source, &limits, &taken) != HS_BUCKET_PASS)
		return false;
	*counted = flows && taken;
	return true;
}

/* Return: false when the word is of another source, or changes just now. */
static bool hs_source_give(atomic64_t *at, u16 tag)
{
	s64 before = atomic64_read(at);
	u64 word = before;

	return hs_bucket_put(&word, tag) &&
	       atomic64_try_cmpxchg(at, &before, word);
}

void hs_source_put(struct hs_net *hn, const struct hs_claim *claim,
		   const struct hs_flow_key *key)
{
	struct hs_source source;
	int try, i;

	rcu_read_lock();
	hs_source_find(&source, rcu_dereference(hn->sources.table), claim, key);
	for (try = 0; try < HS_SOURCE_TRIES; try++)
		for (i = 0; i < HS_SOURCE_WAYS; i++)
			if (hs_source_give(&source.set[i], source.tag))
				goto out;
out:
	rcu_read_unlock();
}

static void hs_sources_make(struct work_struct *work)
{
	struct hs_net *hn = container_of(work, struct hs_net, sources.make);
	struct hs_source_table *table;

	table = kvzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!table)
		return;
	get_random_bytes(&table->secret, sizeof(table->secret));
	mutex_lock(&hn->lock);
	if (!rcu_access_pointer(hn->sources.table)) {
		rcu_assign_pointer(hn->sources.table, table);
		table = NULL;
	}
	mutex_unlock(&hn->lock);
	kvfree(table);
}

void hs_sources_setup(struct hs_net *hn)
{
	INIT_WORK(&hn->sources.make, hs_sources_make);
}

void hs_sources_teardown(struct hs_net *hn)
{
	cancel_work_sync(&hn->sources.make);
	kvfree(rcu_dereference_protected(hn->sources.table, true));
}
