// SPDX-License-Identifier: GPL-2.0
/* The native listening socket that a handshake belongs to. */
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/sock_reuseport.h>
#include <net/tcp.h>
#include <net/xfrm.h>

#include "listener.h"
#include "netns.h"

static struct sock *hs_listener_find(struct net *net,
				     const struct hs_flow_key *key,
				     struct sk_buff *skb, int doff,
				     int iif, int sdif)
{
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;

	if (key->family == AF_INET)
		return __inet_lookup_listener(net, hashinfo, skb, doff,
					      key->remote.v4, key->remote_port,
					      key->local.v4,
					      ntohs(key->local_port),
					      iif, sdif);
	return inet6_lookup_listener(net, hashinfo, skb, doff, &key->remote.v6,
				     key->remote_port, &key->local.v6,
				     ntohs(key->local_port), iif, sdif);
}

/* BPF programs that choose a listener expect the skb at its TCP header. */
static struct sock *hs_listener_find_for(struct net *net,
					 const struct hs_packet *pkt)
{
	const struct tcphdr *th;
	struct sock *sk;

	__skb_pull(pkt->skb, pkt->thoff);
	th = (const struct tcphdr *)pkt->skb->data;
	sk = hs_listener_find(net, &pkt->key, pkt->skb, __tcp_hdrlen(th),
			      pkt->iif, pkt->sdif);
	__skb_push(pkt->skb, pkt->thoff);
	return sk;
}

static struct sock *hs_listener_hold(struct sock *sk)
{
	if (sk && sk->sk_state == TCP_LISTEN &&
	    refcount_inc_not_zero(&sk->sk_refcnt))
		return sk;
	return NULL;
}

struct sock *hs_listener_lookup(struct hs_net *hn, const struct hs_packet *pkt)
{
	return hs_listener_hold(hs_listener_find_for(hn->net, pkt));
}

u64 hs_listener_cookie(struct sock *sk)
{
	u32 cookie[2];

	sock_diag_save_cookie(sk, cookie);
	return (u64)cookie[1] << 32 | cookie[0];
}

/* A group that has grown may choose another member than at the SYN. */
static struct sock *hs_listener_in_group(struct sock *sk, u64 cookie)
{
	const struct sock_reuseport *group;
	int i;

	group = rcu_dereference(sk->sk_reuseport_cb);
	for (i = 0; group && i < READ_ONCE(group->num_socks); i++)
		if (hs_listener_cookie(READ_ONCE(group->socks[i])) == cookie)
			return READ_ONCE(group->socks[i]);
	return NULL;
}

struct sock *hs_listener_of(const struct hs_flow *flow,
			    const struct hs_packet *pkt)
{
	struct net *net = flow->hn->net;
	struct sock *sk;

	sk = pkt ? hs_listener_find_for(net, pkt) :
		   hs_listener_find(net, &flow->key, NULL, 0, flow->iif,
				    flow->sdif);
	if (sk && hs_listener_cookie(sk) != flow->listener)
		sk = hs_listener_in_group(sk, flow->listener);
	return hs_listener_hold(sk);
}

static bool hs_listener_signs(const struct sock *sk)
{
#ifdef CONFIG_TCP_MD5SIG
	return rcu_access_pointer(tcp_sk(sk)->md5sig_info);
#else
	return false;
#endif
}

/* SYN data may open the connection, with a cookie or without. */
static bool hs_listener_fast_open(const struct sock *sk,
				  const struct hs_segment *seg)
{
	return READ_ONCE(inet_csk(sk)->icsk_accept_queue.fastopenq.max_qlen) &&
	       ((seg->opts.present & HS_OPT_FAST_OPEN) || seg->len > 1);
}

static bool hs_listener_smc(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_SMC)
	return tcp_sk(sk)->syn_smc;
#else
	return false;
#endif
}

static bool hs_listener_bpf(const struct sock *sk)
{
#ifdef CONFIG_BPF
	return tcp_sk(sk)->bpf_sock_ops_cb_flags;
#else
	return false;
#endif
}

/* The request of a replay cannot carry what the SYN's IPv6 header said. */
static bool hs_listener_pktoptions(const struct sock *sk)
{
	const struct ipv6_pinfo *np;

	if (sk->sk_family != AF_INET6)
		return false;
	np = inet6_sk(sk);
	return np->rxopt.all || np->repflow;
}

enum threeway_counter hs_listener_objection(struct sock *sk,
					    const struct hs_packet *pkt)
{
	u16 present = pkt->seg.opts.present;

	if ((present & (HS_OPT_MD5 | HS_OPT_AO)) || hs_listener_signs(sk))
		return THREEWAY_C_native_md5;
	if (hs_listener_fast_open(sk, &pkt->seg))
		return THREEWAY_C_native_fast_open;
	if ((present & HS_OPT_MPTCP) && sk_is_mptcp(sk))
		return THREEWAY_C_native_mptcp;
	if (hs_listener_smc(sk))
		return THREEWAY_C_native_smc;
	if (hs_listener_bpf(sk))
		return THREEWAY_C_native_bpf;
	if (pkt->family == AF_INET6 && hs_listener_pktoptions(sk))
		return THREEWAY_C_native_pktoptions;
	if (sk_acceptq_is_full(sk))
		return THREEWAY_C_native_accept_queue_full;
	return HS_NONE;
}

static bool hs_listener_ttl_refuses(const struct sock *sk,
				    const struct hs_packet *pkt)
{
	if (pkt->family == AF_INET)
		return pkt->ttl < READ_ONCE(inet_sk(sk)->min_ttl);
	return pkt->ttl < READ_ONCE(inet6_sk(sk)->min_hopcount);
}

static bool hs_listener_policy_refuses(struct sock *sk,
				       const struct hs_packet *pkt)
{
	if (pkt->family == AF_INET)
		return !xfrm4_policy_check(sk, XFRM_POLICY_IN, pkt->skb);
	return !xfrm6_policy_check(sk, XFRM_POLICY_IN, pkt->skb);
}

static bool hs_listener_filter_refuses(struct sock *sk,
				       const struct hs_packet *pkt)
{
	const struct tcphdr *th;
	int err;

	/* socket filters see a segment from its TCP header on */
	__skb_pull(pkt->skb, pkt->thoff);
	th = (const struct tcphdr *)pkt->skb->data;
	err = sk_filter_trim_cap(sk, pkt->skb, __tcp_hdrlen(th));
	__skb_push(pkt->skb, pkt->thoff);
	return err;
}

enum threeway_counter hs_listener_refuses(struct sock *sk,
					  const struct hs_packet *pkt,
					  bool filter)
{
	if (hs_listener_ttl_refuses(sk, pkt))
		return THREEWAY_C_native_min_ttl;
	if (hs_listener_policy_refuses(sk, pkt))
		return THREEWAY_C_native_policy;
	if (filter && hs_listener_filter_refuses(sk, pkt))
		return THREEWAY_C_native_policy;
	return HS_NONE;
}
