// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading. */
#include <linux/init.h>
#include <linux/module.h>

#include "control.h"
#include "flow.h"
#include "kind.h"
#include "netns.h"
#include "wheel.h"

static int __init hs_init(void)
{
	int err;

	hs_kinds_setup();
	err = hs_flow_cache_create();
	if (err)
		return err;
	err = hs_wheels_create();
	if (err)
		goto destroy_cache;
	err = hs_net_setup();
	if (err)
		goto destroy_wheels;
	err = hs_control_setup();
	if (err)
		goto teardown_net;
	return 0;

teardown_net:
	hs_net_teardown();
destroy_wheels:
	hs_wheels_destroy();
destroy_cache:
	hs_flow_cache_destroy();
	return err;
}

static void __exit hs_exit(void)
{
	hs_control_teardown();
	hs_net_teardown();
	hs_wheels_destroy();
	hs_flow_cache_destroy();
}

module_init(hs_init);
module_exit(hs_exit);

MODULE_DESCRIPTION("TCP three-way handshake engine beside the native stack");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
