/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tree of prefixes: every node is a prefix of all that is below it. Those of one
 * key lie on one path from the root, the longest last; a key that shares little
 * with them leaves the path early, however many they are. Nodes are there for
 * what they carry, or to part two others.
 *
 * Readers need RCU and nothing else, whoever changes the tree keeps others out.
 */
#ifndef HS_PREFIX_H
#define HS_PREFIX_H

#include <linux/rcupdate.h>
#include <linux/types.h>

/* A port and an address, and more. The first bit is the highest one of a word. */
struct hs_bits {
	u64 word[3];
};

/**
 * struct hs_prefix - a node
 * @child:	what goes on with 0, and with 1
 * @bits:	its first @len bits; zeros after them
 * @len:	how many
 * @mask:	those of the last word that are not the whole word
 * @below:	a tree of other keys, which it carries
 * @first:	in a list that it carries
 * @rcu:	to free it
 */
struct hs_prefix {
	struct hs_prefix __rcu *child[2];
	struct hs_bits bits;
	unsigned int len;
	u64 mask;
	struct hs_prefix __rcu *below;
	struct hlist_head first;
	struct rcu_head rcu;
};

static inline unsigned int hs_bits_at(const struct hs_bits *bits,
				      unsigned int at)
{
	return bits->word[at / 64] >> (63 - at % 64) & 1;
}

/* Do they begin with the same bits, @words of them whole, and those of @mask? */
static inline bool hs_bits_equal(const struct hs_bits *a,
				 const struct hs_bits *b, unsigned int words,
				 u64 mask)
{
	unsigned int i;

	for (i = 0; i < words; i++)
		if (a->word[i] != b->word[i])
			return false;
	return !((a->word[i] ^ b->word[i]) & mask);
}

/* Does the key begin with the node's bits? */
static inline bool hs_prefix_of(const struct hs_prefix *node,
				const struct hs_bits *key)
{
	return hs_bits_equal(&node->bits, key, node->len / 64, node->mask);
}

/* The shortest prefix of the key, or NULL. Context: RCU. */
static inline const struct hs_prefix *
hs_prefix_first(struct hs_prefix __rcu *const *link,
		const struct hs_bits *key)
{
	const struct hs_prefix *node = rcu_dereference(*link);

	return node && hs_prefix_of(node, key) ? node : NULL;
}

/* The next longer prefix of the key. Context: RCU. */
static inline const struct hs_prefix *
hs_prefix_next(const struct hs_prefix *node, const struct hs_bits *key)
{
	return hs_prefix_first(&node->child[hs_bits_at(key, node->len)], key);
}

/**
 * hs_prefix_get() - the node of a prefix, made if there is none
 * @root:	the tree
 * @bits:	the prefix, with zeros after it
 * @len:	its length
 *
 * Context: process. Return: NULL when there is no memory.
 */
struct hs_prefix *hs_prefix_get(struct hs_prefix __rcu **root,
				const struct hs_bits *bits, unsigned int len);

/* The node of a prefix, or NULL. Context: nobody changes the tree. */
struct hs_prefix *hs_prefix_find(struct hs_prefix __rcu **root,
				 const struct hs_bits *bits, unsigned int len);

/* Drop the node of a prefix if it carries nothing. Context: process. */
void hs_prefix_put(struct hs_prefix __rcu **root, const struct hs_bits *bits,
		   unsigned int len);

#endif /* HS_PREFIX_H */
