/* SPDX-License-Identifier: GPL-2.0 */
/* The netfilter hooks of a namespace, there only while its claims need them. */
#ifndef HS_HOOK_H
#define HS_HOOK_H

#include <linux/bits.h>
#include <linux/types.h>

struct hs_net;
struct nf_hook_state;
struct sk_buff;

enum hs_hook {
	HS_HOOK_OUT4,
	HS_HOOK_OUT6,
	HS_HOOK_IN4,
	HS_HOOK_IN6,
	HS_HOOKS,
};

#define HS_HOOKS_OUT	(BIT(HS_HOOK_OUT4) | BIT(HS_HOOK_OUT6))
#define HS_HOOKS_IN	(BIT(HS_HOOK_IN4) | BIT(HS_HOOK_IN6))
#define HS_HOOKS_IPV4	(BIT(HS_HOOK_OUT4) | BIT(HS_HOOK_IN4))
#define HS_HOOKS_IPV6	(BIT(HS_HOOK_OUT6) | BIT(HS_HOOK_IN6))

/* Have these hooks, and maybe more. Context: hs_net.lock held. */
int hs_hook_register(struct hs_net *hn, unsigned int hooks);

/* Have no hooks but these. Context: hs_net.lock held. */
void hs_hook_keep(struct hs_net *hn, unsigned int hooks);

/* Would LOCAL_OUT see what a replay sends? Context: RCU. */
bool hs_hook_catches(const struct hs_net *hn, u8 family);

/* The hook at LOCAL_OUT, to be known among others. */
unsigned int hs_local_out(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state);

/* The hook at LOCAL_IN, for what comes there a second time. */
unsigned int hs_local_in(void *priv, struct sk_buff *skb,
			 const struct nf_hook_state *state);

/*
 * Let a segment go on behind the hook at LOCAL_IN, before the hook returns: to the
 * hooks of the same priority that are older, then to the native stack. It has the
 * segment then. Context: the hook's, or RCU with bottom halves disabled.
 */
void hs_hook_go_on(struct hs_net *hn, struct sk_buff *skb,
		   const struct nf_hook_state *state);

#endif /* HS_HOOK_H */
