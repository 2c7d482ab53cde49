// SPDX-License-Identifier: GPL-2.0
/* Where initial sequence numbers come from in a namespace. */
#include <linux/ktime.h>
#include <linux/timekeeping.h>
#include <net/sock.h>

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

/* One secret for both: the length of what is hashed tells them apart. */
static u64 hs_isn_hash(const struct hs_net *hn, const struct hs_flow_key *key)
{
	const size_t len = hs_flow_key_len(key->family) -
			   offsetof(struct hs_flow_key, ifindex);
	u32 ports;

	if (key->family != AF_INET || key->ifindex)
		return siphash(&key->ifindex, len, &hn->isn_key);
	ports = (__force u32)key->local_port << 16 |
		(__force u32)key->remote_port;
	return siphash_3u32((__force u32)key->v4.local,
			    (__force u32)key->v4.remote, ports, &hn->isn_key);
}

/* The half of the hash that no ISS is made of is as good as random. */
static u32 hs_isn_engine(const struct hs_net *hn, const struct hs_flow_key *key,
			 ktime_t now, u32 *other)
{
	u64 hash = hs_isn_hash(hn, key);

	if (other)
		*other = ((u32)(hash >> 32) + (u32)ktime_to_ns(now)) ?: 1;
	return hs_isn((u32)hash,
		      ktime_to_ns(ktime_mono_to_any(now, TK_OFFS_BOOT)));
}

u32 hs_isn_choose(const struct hs_net *hn, const struct hs_claim *claim,
		  const struct hs_flow_key *key, u32 native, ktime_t now,
		  u32 *other)
{
	enum threeway_isn source = hs_policy_isn(hn, claim);

	if (source == THREEWAY_ISN_ENGINE)
		return hs_isn_engine(hn, key, now, other);
	if (other)
		*other = net_tx_rndhash();
	return source == THREEWAY_ISN_FIXED ? claim->conf.policy.isn_fixed :
					      native;
}
