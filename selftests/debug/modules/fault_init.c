// SPDX-License-Identifier: GPL-2.0
/*
 * Makes an allocation fail while threeway.ko starts, or starts in a new network
 * namespace. /proc/PID/fail-nth would count all that the kernel does for it
 * before, and its complaints about its own failures.
 *
 * Load it first. "nth" is the allocation, 0 for none; "left" what was left of it
 * when threeway had started, 0 if there were as many.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <net/net_namespace.h>

static unsigned int nth;
module_param(nth, uint, 0600);
static unsigned int left;
module_param(left, uint, 0400);

/* Registering what comes after calls it for the namespaces that are there. */
static bool fault_init_began;

static void fault_init_begin(void)
{
	if (!nth)
		return;
	left = 0;
	fault_init_began = true;
	current->fail_nth = nth;
}

static void fault_init_end(void)
{
	if (!fault_init_began)
		return;
	fault_init_began = false;
	left = current->fail_nth;
	current->fail_nth = 0;
}

/* Namespaces call their operations in the order of registration. */
static int __net_init fault_init_before(struct net *net)
{
	fault_init_begin();
	return 0;
}

static int __net_init fault_init_after(struct net *net)
{
	fault_init_end();
	return 0;
}

static struct pernet_operations fault_init_before_ops = {
	.init = fault_init_before,
};

static struct pernet_operations fault_init_after_ops = {
	.init = fault_init_after,
};

static bool fault_init_follows;

static int fault_init_notify(struct notifier_block *nb, unsigned long state,
			     void *data)
{
	const struct module *module = data;

	if (strcmp(module->name, "threeway"))
		return NOTIFY_OK;
	if (state == MODULE_STATE_COMING) {
		fault_init_begin();
	} else if (state == MODULE_STATE_LIVE) {
		fault_init_end();
		fault_init_follows =
			!register_pernet_subsys(&fault_init_after_ops);
	} else if (state == MODULE_STATE_GOING) {
		fault_init_end();
		if (fault_init_follows)
			unregister_pernet_subsys(&fault_init_after_ops);
		fault_init_follows = false;
	}
	return NOTIFY_OK;
}

/* The last to know of a module that comes. */
static struct notifier_block fault_init_block = {
	.notifier_call = fault_init_notify,
	.priority = INT_MIN,
};

static int __init fault_init_init(void)
{
	int err;

	err = register_pernet_subsys(&fault_init_before_ops);
	if (err)
		return err;
	err = register_module_notifier(&fault_init_block);
	if (err)
		unregister_pernet_subsys(&fault_init_before_ops);
	return err;
}

static void __exit fault_init_exit(void)
{
	unregister_module_notifier(&fault_init_block);
	if (fault_init_follows)
		unregister_pernet_subsys(&fault_init_after_ops);
	unregister_pernet_subsys(&fault_init_before_ops);
}

module_init(fault_init_init);
module_exit(fault_init_exit);
MODULE_DESCRIPTION("Allocations that fail while threeway starts");
MODULE_LICENSE("GPL");
