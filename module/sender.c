// SPDX-License-Identifier: GPL-2.0
/* The kernel's own sockets, for flows that have no listener to send by. */
#include <linux/ipv6.h>
#include <net/inet_common.h>

#include "sender.h"

static int hs_sender_create(struct hs_net *hn, bool v6)
{
	if (hn->sender[v6])
		return 0;
	return inet_ctl_sock_create(&hn->sender[v6], v6 ? PF_INET6 : PF_INET,
				    SOCK_RAW, IPPROTO_TCP, hn->net);
}

int hs_senders_setup(struct hs_net *hn)
{
	int err;

	lockdep_assert_held(&hn->lock);
	err = hs_sender_create(hn, false);
	if (!err && ipv6_mod_enabled())
		err = hs_sender_create(hn, true);
	return err;
}

void hs_senders_teardown(struct hs_net *hn)
{
	int i;

	for (i = 0; i < 2; i++)
		if (hn->sender[i])
			inet_ctl_sock_destroy(hn->sender[i]);
}
