// SPDX-License-Identifier: GPL-2.0
#include <linux/netfilter.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/l3mdev.h>
#include <net/route.h>

#include "hook.h"
#include "output.h"

/* The hooks of all others. Return: 1 when it may go, else it is gone. */
static int hs_output_hooks(struct net *net, struct sock *sk,
			   struct sk_buff *skb)
{
	struct nf_hook_state state __uninitialized;
	const struct nf_hook_entries *hooks;
	unsigned int own;

	hooks = rcu_dereference(net->nf.hooks_ipv4[NF_INET_LOCAL_OUT]);
	if (!hooks)
		return 1;
	own = hooks->hooks[0].hook == hs_local_out;
	if (own == hooks->num_hook_entries)
		return 1;
	nf_hook_state_init(&state, NF_INET_LOCAL_OUT, NFPROTO_IPV4, NULL,
			   skb_dst(skb)->dev, sk, net, dst_output);
	return nf_hook_slow(skb, &state, hooks, own);
}

/* @own: of its socket, or -1 */
static u8 hs_output_ttl(const struct net *net, int own,
			const struct dst_entry *dst)
{
	int ttl = own;

	if (ttl < 0)
		ttl = dst_metric_raw(dst, RTAX_HOPLIMIT);
	return ttl ?: READ_ONCE(net->ipv4.sysctl_ip_default_ttl);
}

int hs_output_ipv4(struct sk_buff *skb, const struct sock *sk,
		   const struct hs_flow_key *key, u8 tos, bool by_socket)
{
	struct net *net = sock_net(sk);
	struct sock *owner = skb->sk;
	struct iphdr *iph;
	int err;

	iph = __skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = tos;
	iph->tot_len = htons(skb->len);
	/* too small to be cut, whatever the path (RFC 6864 section 4.1) */
	iph->id = 0;
	iph->frag_off = htons(IP_DF);
	iph->ttl = hs_output_ttl(net, by_socket ? inet_sk(sk)->uc_ttl : -1,
				 skb_dst(skb));
	iph->protocol = IPPROTO_TCP;
	iph->saddr = key->v4.local;
	iph->daddr = key->v4.remote;
	iph->check = 0;
	iph->check = ip_fast_csum(iph, sizeof(*iph) / 4);
	skb->priority = READ_ONCE(sk->sk_priority);
	if (!skb->mark)
		skb->mark = READ_ONCE(sk->sk_mark);
	skb = l3mdev_ip_out(owner, skb);
	if (unlikely(!skb))
		return 0;
	skb->protocol = htons(ETH_P_IP);
	err = hs_output_hooks(net, owner, skb);
	return err == 1 ? dst_output(net, owner, skb) : err;
}
