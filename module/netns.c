// SPDX-License-Identifier: GPL-2.0
/* The engine of one network namespace. */
#include <net/netns/generic.h>

#include "flow.h"
#include "hook.h"
#include "netns.h"
#include "proc.h"
#include "sender.h"

static unsigned int hs_net_id __read_mostly;

struct hs_net *hs_net_get(const struct net *net)
{
	return net_generic(net, hs_net_id);
}

static int __net_init hs_net_init(struct net *net)
{
	struct hs_net *hn = hs_net_get(net);
	int err;

	hn->net = net;
	mutex_init(&hn->lock);
	hs_readers_setup(&hn->readers);
	hs_secrets_setup(hn);
	hs_sources_setup(hn);
	hs_flood_setup(&hn->flood);
	hn->stats = alloc_percpu(struct hs_stats);
	if (!hn->stats)
		return -ENOMEM;
	hs_claims_setup(hn);
	hs_catch_setup(hn);
	err = hs_sysctl_setup(hn);
	if (err)
		goto free_claims;
	err = hs_proc_setup(hn);
	if (err)
		goto free_sysctl;
	return 0;

free_sysctl:
	hs_sysctl_teardown(hn);
free_claims:
	hs_claims_teardown(hn);
	free_percpu(hn->stats);
	return err;
}

static void __net_exit hs_net_pre_exit(struct net *net)
{
	struct hs_net *hn = hs_net_get(net);

	mutex_lock(&hn->lock);
	hs_claims_flush(hn);
	hs_early_unregister(hn);
	hn->catch.over = true;
	hs_hook_keep(hn, 0);
	mutex_unlock(&hn->lock);
	hs_catch_teardown(hn);
	hs_flows_purge(hn);
}

static void __net_exit hs_net_exit(struct net *net)
{
	struct hs_net *hn = hs_net_get(net);

	hs_proc_teardown(hn);
	hs_sysctl_teardown(hn);
	hs_flows_teardown(hn);
	hs_claims_teardown(hn);
	hs_senders_teardown(hn);
	hs_secrets_teardown(hn);
	hs_early_teardown(hn);
	hs_sources_teardown(hn);
	free_percpu(hn->stats);
}

static struct pernet_operations hs_net_ops = {
	.init = hs_net_init,
	.pre_exit = hs_net_pre_exit,
	.exit = hs_net_exit,
	.id = &hs_net_id,
	.size = sizeof(struct hs_net),
};

int hs_net_setup(void)
{
	return register_pernet_subsys(&hs_net_ops);
}

void hs_net_teardown(void)
{
	unregister_pernet_subsys(&hs_net_ops);
}
