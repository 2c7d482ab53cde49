// SPDX-License-Identifier: GPL-2.0
/* The native socket of a tuple. */
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/inet_timewait_sock.h>
#include <net/tcp.h>
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

/* Of the previous connection. Return: whether the SYN may take its tuple. */
static bool hs_native_lets_go(const struct net *net, const struct sock *sk,
			      const struct hs_segment *syn,
			      struct hs_time_wait *previous)
{
	const struct tcp_timewait_sock *tw = tcp_twsk(sk);

	/* FIN-WAIT-2 may be kept in the same way */
	if (inet_twsk(sk)->tw_substate != TCP_TIME_WAIT)
		return false;
	previous->snd_nxt = tw->tw_snd_nxt;
	previous->rcv_nxt = tw->tw_rcv_nxt;
	previous->ts_recent = READ_ONCE(tw->tw_ts_recent);
	previous->timestamps = READ_ONCE(tw->tw_ts_recent_stamp) &&
			       READ_ONCE(net->ipv4.sysctl_tcp_timestamps);
	return hs_time_wait_reusable(previous, syn);
}

enum threeway_counter hs_native_owner(struct net *net,
				      const struct hs_packet *pkt,
				      struct hs_time_wait *previous,
				      bool *time_wait)
{
	enum threeway_counter reason = THREEWAY_C_native_socket_owns;
	struct sock *sk = pkt->skb->sk;

	if (!sk)
		sk = hs_native_socket(net, &pkt->key, pkt->iif, pkt->sdif);
	if (!sk)
		return HS_NONE;
	if (sk->sk_state == TCP_TIME_WAIT) {
		*time_wait = hs_native_lets_go(net, sk, &pkt->seg, previous);
		reason = *time_wait ? HS_NONE : THREEWAY_C_native_time_wait;
	}
	if (sk != pkt->skb->sk)
		sock_gen_put(sk);
	return reason;
}

bool hs_native_has(struct net *net, const struct hs_flow_key *key, int dif,
		   int sdif)
{
	struct sock *sk = hs_native_socket(net, key, dif, sdif);

	if (sk)
		sock_gen_put(sk);
	return sk;
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
