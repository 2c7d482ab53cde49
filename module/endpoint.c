// SPDX-License-Identifier: GPL-2.0
/* Endpoints that the early path may answer for. */
#include <linux/bpf-cgroup.h>
#include <linux/hash.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ip_fib.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/tcp.h>

#include "endpoint.h"
#include "netns.h"
#include "request.h"

/* How long one stays confirmed. */
#define HS_ENDPOINT_VALID	(HZ / 100 ?: 1)

/* The window depends on them, and with cookies one on the other. */
static u8 hs_endpoint_options(const struct hs_segment *seg)
{
	return seg->opts.present & (HS_OPT_TIMESTAMPS | HS_OPT_WSCALE);
}

static void hs_endpoint_local(struct in6_addr *local,
			      const struct hs_flow_key *key)
{
	if (key->family == AF_INET6)
		*local = key->v6.local;
	else
		*local = (struct in6_addr){ .s6_addr32[0] = key->v4.local };
}

static struct hs_endpoint *hs_endpoint_slot(struct hs_net *hn,
					    const struct in6_addr *local,
					    const struct hs_packet *pkt,
					    const struct sock *listener)
{
	u32 hash = (__force u32)local->s6_addr32[0] ^
		   (__force u32)local->s6_addr32[3] ^
		   (__force u32)pkt->key.local_port ^ pkt->skb->dev->ifindex ^
		   hs_endpoint_options(&pkt->seg) << 24;

	if (listener)
		hash ^= hash_ptr(listener, 32);
	return this_cpu_ptr(&hn->early.endpoints->slot[hash_32(hash,
					ilog2(HS_ENDPOINT_SLOTS))]);
}

static bool hs_endpoint_is(const struct hs_net *hn,
			   const struct hs_endpoint *end,
			   const struct in6_addr *local,
			   const struct hs_packet *pkt)
{
	return end->local_port == pkt->key.local_port &&
	       end->family == pkt->key.family &&
	       end->ifindex == pkt->skb->dev->ifindex &&
	       end->options == hs_endpoint_options(&pkt->seg) &&
	       ipv6_addr_equal(&end->local, local) &&
	       jiffies - end->stamp <= HS_ENDPOINT_VALID &&
	       end->generation == READ_ONCE(hn->claims.generation);
}

const struct hs_endpoint *hs_endpoint_find(struct hs_net *hn,
					   const struct hs_packet *pkt)
{
	const struct hs_endpoint *end;
	struct in6_addr local;

	hs_endpoint_local(&local, &pkt->key);
	end = hs_endpoint_slot(hn, &local, pkt, NULL);
	if (!hs_endpoint_is(hn, end, &local, pkt))
		return NULL;
	if (end->by_client &&
	    hs_claim_find(hn, THREEWAY_PASSIVE, &pkt->key) != end->claim)
		return NULL;
	return end;
}

const struct hs_endpoint *hs_endpoint_of(struct hs_net *hn,
					 const struct hs_packet *pkt,
					 const struct hs_endpoint *end,
					 const struct sock *listener)
{
	const struct hs_endpoint *other;

	if (likely(end->listener == listener))
		return end;
	other = hs_endpoint_slot(hn, &end->local, pkt, listener);
	if (other->listener != listener || other->cookie ||
	    other->claim != end->claim ||
	    !hs_endpoint_is(hn, other, &end->local, pkt))
		return NULL;
	return other;
}

bool hs_endpoint_device(const struct net_device *dev)
{
	return dev->type == ARPHRD_ETHER && !netif_is_l3_slave(dev) &&
	       !netif_is_l3_master(dev);
}

static bool hs_endpoint_translated(const struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	return ct && (ct->status & IPS_NAT_MASK);
}

/* The policy may be for other peers only: not to be known here. */
static bool hs_endpoint_ipsec(const struct net *net, const struct sock *sk,
			      const struct sk_buff *skb)
{
#ifdef CONFIG_XFRM
	return net->xfrm.policy_count[XFRM_POLICY_IN] ||
	       rcu_access_pointer(sk->sk_policy[XFRM_POLICY_IN]) ||
	       hs_request_ipsec(net, sk) || skb_sec_path(skb);
#else
	return false;
#endif
}

bool hs_endpoint_filtered(const struct sock *sk)
{
#ifdef CONFIG_CGROUP_BPF
	if (cgroup_bpf_sock_enabled((struct sock *)sk, CGROUP_INET_INGRESS) ||
	    cgroup_bpf_sock_enabled((struct sock *)sk, CGROUP_INET_EGRESS))
		return true;
#endif
	return rcu_access_pointer(sk->sk_filter);
}

/* Does it matter by which device a source can be reached (1)? Or if at all (2)? */
static int hs_endpoint_rp_filter(const struct net_device *dev)
{
	struct in_device *in_dev = __in_dev_get_rcu(dev);

	return in_dev ? IN_DEV_RPFILTER(in_dev) : 1;
}

/* Has the answer the mark of its SYN, which rules may set behind the early path? */
static bool hs_endpoint_takes_mark(const struct sock *sk)
{
	return !READ_ONCE(sk->sk_mark) &&
	       READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_fwmark_accept);
}

/* What a flow keeps of its SYN, and the early path does not know. */
static bool hs_endpoint_keeps(const struct hs_endpoint_proof *proof)
{
	const struct sock *sk = proof->listener;

	return !proof->cookie &&
	       (tcp_sk(sk)->save_syn ||
		READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_fwmark_accept));
}

/*
 * Is the address ours whoever sends? Rules of routing, as those of a transparent
 * proxy, may make it so for some, and the others' packets are to be forwarded.
 */
static bool hs_endpoint_ours(struct net *net, const struct hs_flow_key *key)
{
	if (key->family == AF_INET)
		return !fib4_has_custom_rules(net) ||
		       inet_addr_type(net, key->v4.local) == RTN_LOCAL;
	return !fib6_has_custom_rules(net) ||
	       ipv6_chk_addr(net, &key->v6.local, NULL, 0);
}

/* Is there anything that the early path would pass by? */
static bool hs_endpoint_plain(const struct hs_net *hn,
			      const struct hs_endpoint_proof *proof)
{
	const struct hs_packet *pkt = proof->pkt;
	struct sock *sk = proof->listener;
	struct sk_buff *skb = pkt->skb;

	if (!pkt->plain || skb->sk || !hs_endpoint_device(skb->dev) ||
	    pkt->iif != skb->dev->ifindex || pkt->sdif || pkt->key.ifindex ||
	    hs_endpoint_translated(skb) || hs_endpoint_ipsec(hn->net, sk, skb) ||
	    hs_endpoint_filtered(sk) || hs_endpoint_keeps(proof) ||
	    (skb->mark && hs_endpoint_takes_mark(sk)) ||
	    hs_request_bpf() || READ_ONCE(tcp_sk(sk)->tcp_tx_delay) ||
	    proof->terms->offer.ecn_always ||
	    !hs_endpoint_ours(hn->net, &pkt->key))
		return false;
	if (pkt->family == AF_INET)
		return !READ_ONCE(inet_sk(sk)->min_ttl) &&
		       ip_dont_fragment(sk, proof->dst) &&
		       hs_endpoint_rp_filter(skb->dev) != 1;
	return !READ_ONCE(inet6_sk(sk)->min_hopcount) &&
	       !rcu_access_pointer(inet6_sk(sk)->opt);
}

static void hs_endpoint_headers(struct hs_endpoint *end,
				const struct hs_endpoint_proof *proof)
{
	struct sock *sk = proof->listener;
	struct net *net = sock_net(sk);

	if (end->family == AF_INET) {
		end->tos = inet_sk(sk)->tos;
		end->ttl = inet_sk(sk)->uc_ttl >= 0 ? inet_sk(sk)->uc_ttl :
			   ip4_dst_hoplimit(proof->dst);
	} else {
		const struct ipv6_pinfo *np = inet6_sk(sk);

		end->tos = np->tclass;
		end->ttl = np->hop_limit >= 0 ? np->hop_limit :
			   ip6_dst_hoplimit(proof->dst);
		end->autolabel = np->autoflowlabel_set ? np->autoflowlabel :
				 ip6_default_np_autolabel(net);
	}
	end->loose = end->family == AF_INET &&
		     hs_endpoint_rp_filter(proof->pkt->skb->dev);
	end->takes_mark = hs_endpoint_takes_mark(sk);
	end->reflect = READ_ONCE(net->ipv4.sysctl_tcp_reflect_tos);
	end->mark = READ_ONCE(sk->sk_mark);
	end->priority = READ_ONCE(sk->sk_priority);
}

static void hs_endpoint_write(struct hs_net *hn, struct hs_endpoint *end,
			      u32 generation,
			      const struct hs_endpoint_proof *proof)
{
	const struct hs_packet *pkt = proof->pkt;

	memset(end, 0, sizeof(*end));
	hs_endpoint_local(&end->local, &pkt->key);
	end->local_port = pkt->key.local_port;
	end->family = pkt->key.family;
	end->cookie = proof->cookie;
	end->options = hs_endpoint_options(&pkt->seg);
	end->ifindex = pkt->skb->dev->ifindex;
	end->stamp = jiffies;
	end->generation = generation;
	end->claim = proof->claim;
	end->listener = proof->listener;
	end->by_client = hs_claims_by_client(hn);
	end->terms = *proof->terms;
	hs_endpoint_headers(end, proof);
}

bool hs_endpoint_wanted(const struct hs_claim *claim, bool cookie)
{
	const struct threeway_policy *own = &claim->conf.policy;

	return (cookie ? own->cookie_path : own->synack_path) ==
	       THREEWAY_PATH_EARLY;
}

struct hs_endpoint *hs_endpoint_confirm(struct hs_net *hn,
					const struct hs_endpoint_proof *proof)
{
	/* pairs with hs_claim_insert(): a better claim may be there since */
	u32 generation = smp_load_acquire(&hn->claims.generation);
	const struct hs_packet *pkt = proof->pkt;
	struct hs_endpoint *end, *own = NULL;
	struct in6_addr local;

	if (!hs_endpoint_plain(hn, proof) ||
	    hs_claim_find(hn, THREEWAY_PASSIVE, &pkt->key) != proof->claim)
		return NULL;
	/* pairs with hs_claim_hide(), whose claim must not be kept */
	smp_rmb();
	if (READ_ONCE(proof->claim->deleted))
		return NULL;
	hs_endpoint_local(&local, &pkt->key);
	/* of a group that shares the port, each has a place of its own */
	if (!proof->cookie && proof->listener->sk_reuseport) {
		own = hs_endpoint_slot(hn, &local, pkt, proof->listener);
		hs_endpoint_write(hn, own, generation, proof);
	}
	end = hs_endpoint_slot(hn, &local, pkt, NULL);
	hs_endpoint_write(hn, end, generation, proof);
	if (own != end)
		end->own = own;
	return end;
}

void hs_endpoint_refute(struct hs_endpoint *end)
{
	if (!end)
		return;
	end->family = AF_UNSPEC;
	if (end->own)
		end->own->family = AF_UNSPEC;
}
