/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SYN-ACKs on the early path: the SYN is answered in place, before firewall,
 * conntrack and routing, out of the Ethernet device that it came in by; by a cookie,
 * or by a flow that is in the table from then on like any other one.
 *
 * Which endpoints it may answer for the late path has confirmed (endpoint.h).
 * What is not confirmed, or not plain, goes on to the late path.
 */
#ifndef HS_EARLY_H
#define HS_EARLY_H

#include <linux/netfilter.h>

struct hs_endpoints;
struct hs_net;

/* PRE_ROUTING for each family */
#define HS_EARLY_HOOKS	2

/**
 * struct hs_early - the early path of a namespace, changed under hs_net.lock
 * @endpoints:	of each CPU, there from the first claim that takes this path to
 *		the end of the namespace
 * @hooked:	the netfilter hooks are registered
 * @hooks:	them
 */
struct hs_early {
	struct hs_endpoints __percpu *endpoints;
	bool hooked;
	struct nf_hook_ops hooks[HS_EARLY_HOOKS];
};

/* Context: hs_net.lock held. Return: 0 or a negative errno. */
int hs_early_register(struct hs_net *hn);
void hs_early_unregister(struct hs_net *hn);

void hs_early_teardown(struct hs_net *hn);

#endif /* HS_EARLY_H */
