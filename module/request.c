// SPDX-License-Identifier: GPL-2.0
/* Request sockets: ours on the stack, and the native one of a handoff. */
#include <linux/security.h>
#include <net/inet6_connection_sock.h>
#include <net/inet_connection_sock.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/tcp.h>

#include "netns.h"
#include "request.h"

/* Security modules look at the family, and at nothing else of it. */
static const struct request_sock_ops hs_request_ops_ipv4 = {
	.family = PF_INET,
};

static const struct request_sock_ops hs_request_ops_ipv6 = {
	.family = PF_INET6,
};

void hs_request_init(struct tcp_request_sock *treq, struct sock *listener,
		     const struct hs_flow_key *key, u32 mark, int bound_if)
{
	struct inet_request_sock *ireq = &treq->req;
	struct request_sock *req = &ireq->req;

	memset(treq, 0, sizeof(*treq));
	req->rsk_listener = listener;
	ireq->ireq_state = TCP_NEW_SYN_RECV;
	ireq->ireq_family = listener->sk_family;
	write_pnet(&ireq->ireq_net, sock_net(listener));
	ireq->ir_num = ntohs(key->local_port);
	ireq->ir_rmt_port = key->remote_port;
	ireq->ir_iif = bound_if;
	ireq->ir_mark = mark;
	ireq->no_srccheck = inet_sk(listener)->transparent;
	if (key->family == AF_INET) {
		req->rsk_ops = &hs_request_ops_ipv4;
		ireq->ir_loc_addr = key->v4.local;
		ireq->ir_rmt_addr = key->v4.remote;
	} else {
		req->rsk_ops = &hs_request_ops_ipv6;
		ireq->ir_v6_loc_addr = key->v6.local;
		ireq->ir_v6_rmt_addr = key->v6.remote;
	}
}

void hs_request_of_syn(struct hs_flow *flow, struct sock *listener,
		       const struct hs_packet *pkt)
{
	flow->mark = inet_request_mark(listener, pkt->skb);
	flow->bound_if = inet_request_bound_dev_if(listener, pkt->skb);
	/* a link-local address means nothing without its link */
	if (pkt->family == AF_INET6 &&
	    (!listener->sk_bound_dev_if || pkt->sdif) &&
	    ipv6_addr_type(&pkt->key.v6.remote) & IPV6_ADDR_LINKLOCAL)
		flow->bound_if = pkt->key.ifindex;
	flow->syn_tos = pkt->tos;
	flow->syn_ttl = pkt->ttl;
}

bool hs_request_allowed(struct tcp_request_sock *treq, struct sock *listener,
			struct sk_buff *skb)
{
	struct inet_request_sock *ireq = &treq->req;
	int err;

	err = security_inet_conn_request(listener, skb, &ireq->req);
	/* a label in the IP options of the answer: not ours to build */
	if (rcu_access_pointer(ireq->ireq_opt)) {
		if (ireq->req.rsk_ops->family == PF_INET)
			kfree(rcu_dereference_protected(ireq->ireq_opt, true));
		else
			kfree(ireq->ipv6_opt);
		RCU_INIT_POINTER(ireq->ireq_opt, NULL);
		err = -EOPNOTSUPP;
	}
	return !err;
}

/* What inet_csk_route_req() finds where there are neither options nor IPsec. */
static struct dst_entry *hs_request_route_plain(const struct request_sock *req,
						struct sock *listener,
						struct flowi4 *fl4)
{
	const struct inet_request_sock *ireq = inet_rsk(req);
	struct net *net = sock_net(listener);
	struct rtable *rt;

	flowi4_init_output(fl4, ireq->ir_iif, ireq->ir_mark,
			   RT_CONN_FLAGS(listener), RT_SCOPE_UNIVERSE,
			   listener->sk_protocol, inet_sk_flowi_flags(listener),
			   ireq->ir_rmt_addr, ireq->ir_loc_addr,
			   ireq->ir_rmt_port, htons(ireq->ir_num),
			   listener->sk_uid);
	security_req_classify_flow(req, flowi4_to_flowi_common(fl4));
	rt = __ip_route_output_key(net, fl4);
	if (!IS_ERR(rt))
		return &rt->dst;
	__IP_INC_STATS(net, IPSTATS_MIB_OUTNOROUTES);
	return NULL;
}

struct dst_entry *hs_request_route(struct tcp_request_sock *treq,
				   struct sock *listener, struct flowi *fl)
{
	struct request_sock *req = &treq->req.req;

	if (req->rsk_ops->family != PF_INET)
		return inet6_csk_route_req(listener, &fl->u.ip6, req,
					   IPPROTO_TCP);
	if (hs_request_ipsec(sock_net(listener), listener))
		return inet_csk_route_req(listener, &fl->u.ip4, req);
	return hs_request_route_plain(req, listener, &fl->u.ip4);
}

u16 hs_request_mss(const struct sock *listener, const struct dst_entry *dst)
{
	return tcp_mss_clamp(tcp_sk(listener), tcp_dst_advmss(dst));
}

/* The bytes that the receive window may ever have, 0 for any number. */
static u32 hs_request_clamp(const struct sock *listener,
			    const struct dst_entry *dst, u32 space)
{
	u32 clamp = READ_ONCE(tcp_sk(listener)->window_clamp);

	if (!clamp)
		clamp = dst_metric(dst, RTAX_WINDOW);
	/* a buffer that the program chose */
	if ((listener->sk_userlocks & SOCK_RCVBUF_LOCK) &&
	    (!clamp || clamp > space))
		clamp = space;
	return clamp;
}

/*
 * What tcp_openreq_init_rwin() does, but for the MSS, which it would have to be
 * asked for a second time.
 */
void hs_request_window(struct tcp_request_sock *treq, struct sock *listener,
		       const struct dst_entry *dst, struct hs_flow *flow)
{
	u32 mss = hs_request_mss(listener, dst);
	struct inet_request_sock *ireq = &treq->req;
	int space = tcp_full_space(listener);
	struct hs_tcb *tcb = &flow->tcb;
	u32 segments, wnd;

	ireq->wscale_ok = tcb->wscale_ok;
	ireq->tstamp_ok = tcb->tstamp_ok;
	flow->window_clamp = hs_request_clamp(listener, dst, space);
	segments = hs_request_bpf() ? tcp_rwnd_init_bpf((struct sock *)ireq) : 0;
	if (!segments)
		segments = dst_metric(dst, RTAX_INITRWND);
	else if (space < segments * mss)
		space = segments * mss;
	tcp_select_initial_window(listener, space,
				  mss - (tcb->tstamp_ok ?
					 TCPOLEN_TSTAMP_ALIGNED : 0),
				  &wnd, &flow->window_clamp, tcb->wscale_ok,
				  &tcb->rcv_wscale, segments);
	tcb->rcv_wnd = min(wnd, 65535U);
	tcb->advertised_mss = mss;
}

void hs_request_age(struct request_sock *req)
{
	if (req->num_timeout)
		atomic_dec(&inet_csk(req->rsk_listener)->icsk_accept_queue.young);
}

void hs_request_fill(struct tcp_request_sock *treq, struct hs_flow *flow,
		     const struct hs_packet *pkt)
{
	struct inet_request_sock *ireq = &treq->req;
	const struct hs_tcb *tcb = &flow->tcb;
	struct request_sock *req = &ireq->req;

	/* the one that is there is of the SYN that we made up */
	kfree(req->saved_syn);
	req->saved_syn = hs_flow_take_syn(flow);
	/* what the native timer would have counted by now */
	req->num_retrans = tcb->retransmits;
	/* the native timeout is shifted by it */
	req->num_timeout = min_t(u8, tcb->timeouts, 32);
	req->mss = tcb->peer_mss;
	req->ts_recent = tcb->ts_recent;
	req->rsk_rcv_wnd = tcb->rcv_wnd;
	req->rsk_window_clamp = flow->window_clamp;
	ireq->snd_wscale = tcb->snd_wscale;
	ireq->rcv_wscale = tcb->rcv_wscale;
	ireq->wscale_ok = tcb->wscale_ok;
	ireq->tstamp_ok = tcb->tstamp_ok;
	ireq->sack_ok = tcb->sack_ok;
	ireq->ecn_ok = tcb->ecn_ok;
	ireq->ir_mark = flow->mark;
	ireq->ir_iif = flow->bound_if;
	treq->snt_isn = tcb->iss;
	treq->ts_off = tcb->tstamp_ok ? tcb->ts_offset : 0;
	/* of a cookie nobody knows */
	treq->snt_synack = flow->synack_us ?
			   hs_flow_synack_us(flow, pkt->now_ns) : 0;
	treq->txhash = flow->txhash;
	treq->syn_tos = flow->syn_tos;
	/* the native limit goes on from the last answer */
	if (tcb->limited)
		treq->last_oow_ack_time = tcp_jiffies32 -
			msecs_to_jiffies(tcp_time_stamp_raw() -
					 tcb->limited_ms);
}
