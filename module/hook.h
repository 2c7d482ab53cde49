/* SPDX-License-Identifier: GPL-2.0 */
/* The netfilter hooks of a namespace, there only while it has a claim. */
#ifndef HS_HOOK_H
#define HS_HOOK_H

struct hs_net;

/* LOCAL_OUT and LOCAL_IN for each family */
#define HS_HOOKS	4

/* Context: hs_net.lock held. */
int hs_hook_register(struct hs_net *hn);
void hs_hook_unregister(struct hs_net *hn);

#endif /* HS_HOOK_H */
