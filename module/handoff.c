// SPDX-License-Identifier: GPL-2.0
/* Handoff by replay. */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/inet_timewait_sock.h>
#include <net/tcp.h>

#include "core/segment.h"
#include "handoff.h"
#include "netns.h"
#include "request.h"

/* The replay that this CPU does; BH are off throughout. */
struct hs_replay {
	struct hs_flow *flow;
	bool caught;
};

static DEFINE_PER_CPU(struct hs_replay *, hs_replay);

static void hs_syn_network_header(struct sk_buff *skb,
				  const struct hs_flow *flow, size_t tcp_len)
{
	const struct hs_flow_key *key = &flow->key;

	if (key->family == AF_INET) {
		struct iphdr *iph = skb_put_zero(skb, sizeof(*iph));

		iph->version = 4;
		iph->ihl = sizeof(*iph) / 4;
		iph->tos = flow->syn_tos;
		iph->tot_len = htons(sizeof(*iph) + tcp_len);
		iph->ttl = flow->syn_ttl;
		iph->protocol = IPPROTO_TCP;
		iph->saddr = key->remote.v4;
		iph->daddr = key->local.v4;
	} else {
		struct ipv6hdr *ip6h = skb_put_zero(skb, sizeof(*ip6h));

		ip6_flow_hdr(ip6h, flow->syn_tos, 0);
		ip6h->payload_len = htons(tcp_len);
		ip6h->nexthdr = IPPROTO_TCP;
		ip6h->hop_limit = flow->syn_ttl;
		ip6h->saddr = key->remote.v6;
		ip6h->daddr = key->local.v6;
	}
}

/* The peer's SYN as far as it was agreed to. */
static void hs_syn_segment(struct hs_reply *syn, const struct hs_tcb *tcb)
{
	memset(syn, 0, sizeof(*syn));
	syn->seq = tcb->irs;
	syn->flags = HS_SYN | (tcb->ecn_ok ? HS_ECE | HS_CWR : 0);
	syn->opts.present = HS_OPT_MSS |
			    (tcb->wscale_ok ? HS_OPT_WSCALE : 0) |
			    (tcb->sack_ok ? HS_OPT_SACK_PERMITTED : 0) |
			    (tcb->tstamp_ok ? HS_OPT_TIMESTAMPS : 0);
	syn->opts.mss = tcb->peer_mss;
	syn->opts.wscale = tcb->snd_wscale;
	syn->opts.tsval = tcb->ts_recent;
}

static void hs_syn_control_block(struct sk_buff *skb,
				 const struct hs_flow *flow,
				 const struct sk_buff *model)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	memset(skb->cb, 0, sizeof(skb->cb));
	if (flow->key.family == AF_INET) {
		cb->header.h4.iif = IPCB(model)->iif;
		cb->header.h4.flags = IPCB(model)->flags;
	} else {
		cb->header.h6.iif = IP6CB(model)->iif;
		cb->header.h6.flags = IP6CB(model)->flags;
	}
	cb->seq = flow->tcb.irs;
	cb->end_seq = flow->tcb.irs + 1;
	cb->tcp_flags = HS_SYN;
	cb->ip_dsfield = flow->syn_tos;
	/* 0 would mean "none"; the true one is filled in later anyway */
	cb->tcp_tw_isn = flow->tcb.iss ?: 1;
}

/* A SYN as the native stack would see it, at its TCP header. */
static struct sk_buff *hs_syn_build(const struct hs_flow *flow,
				    struct sk_buff *model)
{
	u8 header[HS_HEADER_MAX];
	struct hs_reply syn;
	struct sk_buff *skb;
	size_t len;

	hs_syn_segment(&syn, &flow->tcb);
	len = hs_reply_build(header, &syn, ntohs(flow->key.remote_port),
			     ntohs(flow->key.local_port));
	skb = alloc_skb(sizeof(struct ipv6hdr) + len, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	hs_syn_network_header(skb, flow, len);
	skb_set_transport_header(skb, skb->len);
	skb_put_data(skb, header, len);
	__skb_pull(skb, skb_transport_offset(skb));

	skb->protocol = model->protocol;
	skb->dev = model->dev;
	skb->skb_iif = model->skb_iif;
	skb->mark = flow->mark;
	skb->pkt_type = PACKET_HOST;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb_copy_queue_mapping(skb, model);
	skb_copy_secmark(skb, model);
	skb_dst_copy(skb, model);
	hs_syn_control_block(skb, flow, model);
	return skb;
}

static struct sock *hs_established(const struct hs_flow *flow,
				   const struct hs_packet *pkt)
{
	struct net *net = flow->hn->net;
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;
	const struct hs_flow_key *key = &flow->key;

	if (key->family == AF_INET)
		return __inet_lookup_established(net, hashinfo, key->remote.v4,
						 key->remote_port, key->local.v4,
						 ntohs(key->local_port),
						 pkt->iif, pkt->sdif);
	return __inet6_lookup_established(net, hashinfo, &key->remote.v6,
					  key->remote_port, &key->local.v6,
					  ntohs(key->local_port),
					  pkt->iif, pkt->sdif);
}

/* The previous connection of the tuple makes room; any other socket stays. */
static bool hs_tuple_free(const struct hs_flow *flow, struct hs_packet *pkt)
{
	struct sk_buff *skb = pkt->skb;
	struct sock *sk = skb->sk;

	if (!sk && !flow->time_wait)
		return true;
	if (sk && sk->sk_state != TCP_TIME_WAIT)
		return false;
	/* early demux has found what goes away now */
	skb_orphan(skb);
	sk = hs_established(flow, pkt);
	if (!sk)
		return true;
	if (sk->sk_state != TCP_TIME_WAIT) {
		sock_gen_put(sk);
		return false;
	}
	inet_twsk_deschedule_put(inet_twsk(sk));
	return true;
}

/*
 * The native SYN-ACK did not come by: somebody before us took it, or there was
 * no memory or route for it. The request may be there all the same.
 */
static bool hs_replay_search(struct hs_flow *flow, const struct hs_packet *pkt)
{
	struct sock *sk = hs_established(flow, pkt);
	bool found;

	if (!sk)
		return false;
	found = sk->sk_state == TCP_NEW_SYN_RECV;
	if (found) {
		hs_request_fill(tcp_rsk(inet_reqsk(sk)), flow);
		hs_count(flow->hn, THREEWAY_C_handoff_synack_leaked);
	}
	sock_gen_put(sk);
	return found;
}

enum hs_handoff_result hs_handoff(struct hs_flow *flow, struct hs_packet *pkt,
				  struct sock *listener)
{
	struct hs_replay replay = { .flow = flow };
	struct sk_buff *syn;

	lockdep_assert_held(&flow->lock);
	if (!hs_tuple_free(flow, pkt))
		return HS_HANDOFF_NATIVE_OWNS;
	syn = hs_syn_build(flow, pkt->skb);
	if (!syn)
		return HS_HANDOFF_REFUSED;

	this_cpu_write(hs_replay, &replay);
	inet_csk(listener)->icsk_af_ops->conn_request(listener, syn);
	this_cpu_write(hs_replay, NULL);
	consume_skb(syn);

	if (replay.caught || hs_replay_search(flow, pkt))
		return HS_HANDOFF_DONE;
	return HS_HANDOFF_REFUSED;
}

static bool hs_replay_is(const struct hs_replay *replay,
			 const struct request_sock *req)
{
	const struct hs_flow_key *key = &replay->flow->key;
	const struct inet_request_sock *ireq = inet_rsk(req);

	if (ireq->ir_rmt_port != key->remote_port ||
	    ireq->ir_num != ntohs(key->local_port))
		return false;
	if (key->family == AF_INET)
		return ireq->ir_rmt_addr == key->remote.v4 &&
		       ireq->ir_loc_addr == key->local.v4;
	return ipv6_addr_equal(&ireq->ir_v6_rmt_addr, &key->remote.v6) &&
	       ipv6_addr_equal(&ireq->ir_v6_loc_addr, &key->local.v6);
}

unsigned int hs_handoff_output(struct sk_buff *skb)
{
	struct hs_replay *replay = this_cpu_read(hs_replay);
	struct request_sock *req;
	struct sock *sk;

	if (likely(!replay))
		return NF_ACCEPT;
	sk = skb->sk;
	if (!sk || sk->sk_state != TCP_NEW_SYN_RECV)
		return NF_ACCEPT;
	req = inet_reqsk(sk);
	if (!hs_replay_is(replay, req))
		return NF_ACCEPT;
	hs_request_fill(tcp_rsk(req), replay->flow);
	replay->caught = true;
	/* it was counted as sent when it was made */
	TCP_DEC_STATS(replay->flow->hn->net, TCP_MIB_OUTSEGS);
	consume_skb(skb);
	return NF_STOLEN;
}
