/* SPDX-License-Identifier: GPL-2.0 */
/* Connection tracking, where it is loaded. */
#ifndef HS_CONFIRM_H
#define HS_CONFIRM_H

#include <linux/netfilter.h>
#include <net/netfilter/nf_conntrack.h>

/**
 * hs_conntrack_confirm() - put the packet's new connection into the table
 * @skb:	a packet that the engine keeps
 *
 * Conntrack itself does it at the end of LOCAL_IN, which a kept packet may not
 * reach; and it has to be done before the answer passes LOCAL_OUT. Through the
 * hook, so that conntrack need not be loaded.
 *
 * Return: false when conntrack wants the packet dropped.
 */
static inline bool hs_conntrack_confirm(struct sk_buff *skb)
{
	const struct nf_ct_hook *hook;
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (!ct || nf_ct_is_confirmed(ct))
		return true;
	hook = rcu_dereference(nf_ct_hook);
	return !hook || hook->confirm(skb) == NF_ACCEPT;
}

#endif /* HS_CONFIRM_H */
