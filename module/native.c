// SPDX-License-Identifier: GPL-2.0
/* The native socket of a tuple. */
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/inet_timewait_sock.h>
#include <net/tcp_states.h>

#include "native.h"
#include "netns.h"

struct sock *hs_native_socket(struct net *net, const struct hs_flow_key *key,
			      int dif, int sdif)
{
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;
	u16 port = ntohs(key->local_port);

	if (key->family == AF_INET)
		return __inet_lookup_established(net, hashinfo, key->v4.remote,
						 key->remote_port,
						 key->v4.local, port, dif,
						 sdif);
	return __inet6_lookup_established(net, hashinfo, &key->v6.remote,
					  key->remote_port, &key->v6.local,
					  port, dif, sdif);
}

bool hs_native_owns(struct net *net, const struct hs_flow_key *key, int dif,
		    int sdif)
{
	struct sock *sk = hs_native_socket(net, key, dif, sdif);
	bool owns;

	if (!sk)
		return false;
	owns = sk->sk_state != TCP_TIME_WAIT;
	sock_gen_put(sk);
	return owns;
}

bool hs_native_yields(const struct hs_flow *flow, struct hs_packet *pkt)
{
	struct sock *sk = pkt->skb->sk;

	if (sk && sk->sk_state != TCP_TIME_WAIT)
		return false;
	if (!sk && !flow->time_wait)
		return true;
	/* early demux has found what goes away now */
	skb_orphan(pkt->skb);
	sk = hs_native_socket(hs_flow_net(flow)->net, &flow->key, pkt->iif,
			      pkt->sdif);
	if (!sk)
		return true;
	if (sk->sk_state != TCP_TIME_WAIT) {
		sock_gen_put(sk);
		return false;
	}
	inet_twsk_deschedule_put(inet_twsk(sk));
	return true;
}
