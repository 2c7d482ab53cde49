// SPDX-License-Identifier: GPL-2.0
/* The native listening socket that a handshake belongs to. */
#include <linux/filter.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/sock_reuseport.h>
#include <net/tcp.h>
#include <net/xfrm.h>

#include "listener.h"

static struct sock *hs_listener_find(struct net *net, struct sk_buff *skb,
				     const struct hs_packet *pkt)
{
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;
	int doff = __tcp_hdrlen((const struct tcphdr *)skb->data);
	const struct hs_flow_key *key = &pkt->key;

	if (key->family == AF_INET)
		return __inet_lookup_listener(net, hashinfo, skb, doff,
					      key->v4.remote, key->remote_port,
					      key->v4.local,
					      ntohs(key->local_port),
					      pkt->iif, pkt->sdif);
	return inet6_lookup_listener(net, hashinfo, skb, doff, &key->v6.remote,
				     key->remote_port, &key->v6.local,
				     ntohs(key->local_port),
				     pkt->iif, pkt->sdif);
}

struct sock *hs_listener_lookup(struct hs_net *hn, const struct hs_packet *pkt)
{
	struct sock *sk;

	/* BPF programs that choose a listener see a segment from its TCP
	 * header on
	 */
	__skb_pull(pkt->skb, pkt->thoff);
	sk = hs_listener_find(hn->net, pkt->skb, pkt);
	__skb_push(pkt->skb, pkt->thoff);
	if (sk && hs_listener_listens(sk) &&
	    refcount_inc_not_zero(&sk->sk_refcnt))
		return sk;
	return NULL;
}

static bool hs_listener_signs(const struct sock *sk)
{
#ifdef CONFIG_TCP_MD5SIG
	return rcu_access_pointer(tcp_sk(sk)->md5sig_info);
#else
	return false;
#endif
}

bool hs_listener_has_key(const struct sock *sk, const struct hs_packet *pkt)
{
#ifdef CONFIG_TCP_MD5SIG
	const void *addr = pkt->family == AF_INET ?
			   (const void *)&pkt->key.v4.remote :
			   (const void *)&pkt->key.v6.remote;

	return tcp_md5_do_lookup(sk, pkt->sdif ? pkt->iif : 0, addr,
				 pkt->family);
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

/* May the rest of its group take over half-open connections? */
static bool hs_listener_migrates(const struct sock *sk)
{
	const struct sock_reuseport *group;
	const struct bpf_prog *prog;

	group = rcu_dereference(sk->sk_reuseport_cb);
	if (!group)
		return false;
	if (READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_migrate_req))
		return true;
	prog = rcu_dereference(group->prog);
	return prog && prog->expected_attach_type ==
		       BPF_SK_REUSEPORT_SELECT_OR_MIGRATE;
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
	if (hs_listener_migrates(sk))
		return THREEWAY_C_native_migrate;
	if (READ_ONCE(tcp_sk(sk)->tcp_tx_delay))
		return THREEWAY_C_native_tx_delay;
	if (sk_acceptq_is_full(sk))
		return THREEWAY_C_native_accept_queue_full;
	return HS_NONE;
}

bool hs_listener_ttl_refuses(const struct sock *sk,
			     const struct hs_packet *pkt)
{
	if (pkt->family == AF_INET)
		return pkt->ttl < READ_ONCE(inet_sk(sk)->min_ttl);
	return pkt->ttl < READ_ONCE(inet6_sk(sk)->min_hopcount);
}

bool hs_listener_policy_refuses(struct sock *sk, const struct hs_packet *pkt)
{
	if (pkt->family == AF_INET)
		return !xfrm4_policy_check(sk, XFRM_POLICY_IN, pkt->skb);
	return !xfrm6_policy_check(sk, XFRM_POLICY_IN, pkt->skb);
}

bool hs_listener_filter_refuses(struct sock *sk, const struct hs_packet *pkt)
{
	const struct tcphdr *th;
	int err;

	/* filters see a segment from its TCP header on */
	__skb_pull(pkt->skb, pkt->thoff);
	th = (const struct tcphdr *)pkt->skb->data;
	err = sk_filter_trim_cap(sk, pkt->skb, __tcp_hdrlen(th));
	__skb_push(pkt->skb, pkt->thoff);
	return err;
}
