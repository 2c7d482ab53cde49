/* SPDX-License-Identifier: GPL-2.0 */
/* The netfilter hooks of a namespace, there only while it has a claim. */
#ifndef HS_HOOK_H
#define HS_HOOK_H

struct hs_net;
struct nf_hook_state;
struct sk_buff;

/* LOCAL_OUT and LOCAL_IN for each family */
#define HS_HOOKS	4

/* Context: hs_net.lock held. */
int hs_hook_register(struct hs_net *hn);
void hs_hook_unregister(struct hs_net *hn);

/* The hook at LOCAL_OUT, to be known among others. */
unsigned int hs_local_out(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state);

#endif /* HS_HOOK_H */
