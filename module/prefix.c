// SPDX-License-Identifier: GPL-2.0
/* A tree of prefixes. */
#include <linux/bitops.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "prefix.h"

/* For those who change the tree, and keep others out. */
static struct hs_prefix *hs_prefix_at(struct hs_prefix __rcu **link)
{
	return rcu_dereference_protected(*link, true);
}

/* How many of the first @max bits are the same? */
static unsigned int hs_bits_common(const struct hs_bits *a,
				   const struct hs_bits *b, unsigned int max)
{
	unsigned int i;
	u64 differ;

	for (i = 0; i * 64 < max; i++) {
		differ = a->word[i] ^ b->word[i];
		if (differ)
			return min(max, i * 64 + 64 - fls64(differ));
	}
	return max;
}

/* The first @len % 64 bits. */
static u64 hs_bits_mask(unsigned int len)
{
	return len % 64 ? ~0ULL << (64 - len % 64) : 0;
}

static void hs_bits_cut(struct hs_bits *bits, unsigned int len)
{
	unsigned int i = len / 64;

	bits->word[i] &= hs_bits_mask(len);
	while (++i < ARRAY_SIZE(bits->word))
		bits->word[i] = 0;
}

/*
 * The link that leads to the node of a prefix, or where it would have to be put.
 * The one that led there before goes to @above.
 */
static struct hs_prefix __rcu **hs_prefix_link(struct hs_prefix __rcu **root,
					       const struct hs_bits *bits,
					       unsigned int len,
					       struct hs_prefix __rcu ***above)
{
	struct hs_prefix __rcu **link = root;
	struct hs_prefix *node;

	*above = NULL;
	for (node = hs_prefix_at(link);
	     node && node->len < len && hs_prefix_of(node, bits);
	     node = hs_prefix_at(link)) {
		*above = link;
		link = &node->child[hs_bits_at(bits, node->len)];
	}
	return link;
}

static bool hs_prefix_is(const struct hs_prefix *node,
			 const struct hs_bits *bits, unsigned int len)
{
	return node && node->len == len && hs_prefix_of(node, bits);
}

static struct hs_prefix *hs_prefix_make(const struct hs_bits *bits,
					unsigned int len)
{
	struct hs_prefix *node = kzalloc(sizeof(*node), GFP_KERNEL_ACCOUNT);

	if (!node)
		return NULL;
	node->bits = *bits;
	hs_bits_cut(&node->bits, len);
	node->len = len;
	node->mask = hs_bits_mask(len);
	return node;
}

static void hs_prefix_adopt(struct hs_prefix *node, struct hs_prefix *child)
{
	RCU_INIT_POINTER(node->child[hs_bits_at(&child->bits, node->len)],
			 child);
}

struct hs_prefix *hs_prefix_get(struct hs_prefix __rcu **root,
				const struct hs_bits *bits, unsigned int len)
{
	struct hs_prefix __rcu **above, **link;
	struct hs_prefix *node, *other, *fork;
	unsigned int common;

	link = hs_prefix_link(root, bits, len, &above);
	other = hs_prefix_at(link);
	if (hs_prefix_is(other, bits, len))
		return other;
	node = hs_prefix_make(bits, len);
	if (!node)
		return NULL;
	common = other ? hs_bits_common(&other->bits, bits,
					min(other->len, len)) : len;
	if (common == len) {
		if (other)
			hs_prefix_adopt(node, other);
		rcu_assign_pointer(*link, node);
		return node;
	}
	fork = hs_prefix_make(bits, common);
	if (!fork) {
		kfree(node);
		return NULL;
	}
	hs_prefix_adopt(fork, other);
	hs_prefix_adopt(fork, node);
	rcu_assign_pointer(*link, fork);
	return node;
}

struct hs_prefix *hs_prefix_find(struct hs_prefix __rcu **root,
				 const struct hs_bits *bits, unsigned int len)
{
	struct hs_prefix __rcu **above;
	struct hs_prefix *node;

	node = hs_prefix_at(hs_prefix_link(root, bits, len, &above));
	return hs_prefix_is(node, bits, len) ? node : NULL;
}

/* Its child takes its place, unless it is needed. Return: whether it is gone. */
static bool hs_prefix_drop(struct hs_prefix __rcu **link)
{
	struct hs_prefix *node = hs_prefix_at(link);
	struct hs_prefix *zero = hs_prefix_at(&node->child[0]);
	struct hs_prefix *one = hs_prefix_at(&node->child[1]);

	if (hs_prefix_at(&node->below) || !hlist_empty(&node->first) ||
	    (zero && one))
		return false;
	rcu_assign_pointer(*link, zero ?: one);
	kfree_rcu(node, rcu);
	return true;
}

void hs_prefix_put(struct hs_prefix __rcu **root, const struct hs_bits *bits,
		   unsigned int len)
{
	struct hs_prefix __rcu **above, **link;

	link = hs_prefix_link(root, bits, len, &above);
	/* what parted it from another one has nothing to do any more */
	if (hs_prefix_is(hs_prefix_at(link), bits, len) &&
	    hs_prefix_drop(link) && above)
		hs_prefix_drop(above);
}
