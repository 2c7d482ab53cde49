// SPDX-License-Identifier: GPL-2.0
/* The native socket of a tuple. */
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/tcp_states.h>

#include "native.h"

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
