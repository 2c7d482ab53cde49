// SPDX-License-Identifier: GPL-2.0
/* Where initial sequence numbers come from in a namespace. */
#include <linux/ktime.h>

#include "core/isn.h"
#include "isn.h"
#include "policy.h"

union tcp_seq_and_ts_off hs_isn_native(struct net *net,
				       const struct hs_flow_key *key)
{
	if (key->family == AF_INET)
		return secure_tcp_seq_and_ts_off(net, key->v4.local,
						 key->v4.remote,
						 key->local_port,
						 key->remote_port);
	return secure_tcpv6_seq_and_ts_off(net, key->v6.local.s6_addr32,
					   key->v6.remote.s6_addr32,
					   key->local_port, key->remote_port);
}

u32 hs_isn_choose(const struct hs_net *hn, const struct hs_claim *claim,
		  const struct hs_flow_key *key, u32 native)
{
	const size_t len = hs_flow_key_len(key->family) -
			   offsetof(struct hs_flow_key, ifindex);

	switch (hs_policy_isn(hn, claim)) {
	case THREEWAY_ISN_FIXED:
		return claim->conf.policy.isn_fixed;
	case THREEWAY_ISN_KERNEL:
		return native;
	default:
		return hs_isn((u32)siphash(&key->ifindex, len, &hn->isn_key),
			      ktime_get_boottime_ns());
	}
}
