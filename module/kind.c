// SPDX-License-Identifier: GPL-2.0
/* Native requests, made by us as the native stack would have made them. */
#include <linux/net.h>
#include <linux/security.h>
#include <net/inet_connection_sock.h>
#include <net/tcp.h>
#include <net/transp_v6.h>

#include "kind.h"

enum hs_kind_state {
	HS_KIND_NEW,
	HS_KIND_ALIKE,
	HS_KIND_UNLIKE,	/* for good */
};

/**
 * struct hs_kind - requests of one sort
 * @state:	what is known of it
 * @af_specific: static data of the kernel, valid when they are alike
 */
struct hs_kind {
	int state;
	const struct tcp_request_sock_ops *af_specific;
};

typedef int hs_conn_request(struct sock *sk, struct sk_buff *skb);

/* By the families of the listener and of the segments, IPv6 being 1. */
static struct hs_kind hs_kinds[2][2];
static hs_conn_request *hs_plain[2] __ro_after_init;

void __init hs_kinds_setup(void)
{
	struct socket *sock;

	hs_plain[0] = tcp_v4_conn_request;
	if (sock_create_kern(&init_net, PF_INET6, SOCK_STREAM, IPPROTO_TCP,
			     &sock))
		return;
	hs_plain[1] = inet_csk(sock->sk)->icsk_af_ops->conn_request;
	sock_release(sock);
}

struct hs_kind *hs_kind_of(const struct sock *listener, u8 family)
{
	bool v6 = listener->sk_family == AF_INET6;

	if (inet_csk(listener)->icsk_af_ops->conn_request != hs_plain[v6])
		return NULL;
	return &hs_kinds[v6][family == AF_INET6];
}

bool hs_kind_known(const struct hs_kind *kind)
{
	/* pairs with the release in hs_kind_learn() */
	return smp_load_acquire(&kind->state) == HS_KIND_ALIKE;
}

static const struct request_sock_ops *hs_kind_ops(u8 family)
{
	return family == AF_INET ? tcp_prot.rsk_prot : tcpv6_prot.rsk_prot;
}

/* What inet_reqsk_alloc() has not initialised, nor hs_request_fill() will. */
static void hs_kind_init(struct request_sock *req, const struct hs_flow *flow,
			 const struct hs_packet *pkt)
{
	struct inet_request_sock *ireq = inet_rsk(req);
	struct tcp_request_sock *treq = tcp_rsk(req);
	const struct hs_flow_key *key = &flow->key;

	req->syncookie = 0;
	treq->tfo_listener = false;
	treq->is_mptcp = false;
#if IS_ENABLED(CONFIG_MPTCP)
	treq->drop_req = false;
#endif
	treq->rcv_isn = flow->tcb.irs;
	treq->rcv_nxt = flow->tcb.irs + 1;
	treq->last_oow_ack_time = 0;
	ireq->acked = 0;
	ireq->smc_ok = 0;
	ireq->no_srccheck = inet_sk(flow->listener)->transparent;
	ireq->ir_num = ntohs(key->local_port);
	ireq->ir_rmt_port = key->remote_port;
	ireq->ir_iif = flow->bound_if;
	ireq->ir_mark = flow->mark;
	if (key->family == AF_INET) {
		sk_rcv_saddr_set(req_to_sk(req), key->v4.local);
		sk_daddr_set(req_to_sk(req), key->v4.remote);
	} else {
		ireq->ir_v6_loc_addr = key->v6.local;
		ireq->ir_v6_rmt_addr = key->v6.remote;
	}
	sk_rx_queue_set(req_to_sk(req), pkt->skb);
}

/* Security modules see a segment from its TCP header on. */
static int hs_kind_secure(struct request_sock *req, const struct hs_flow *flow,
			  const struct hs_packet *pkt)
{
	int err;

	__skb_pull(pkt->skb, pkt->thoff);
	err = security_inet_conn_request(flow->listener, pkt->skb, req);
	__skb_push(pkt->skb, pkt->thoff);
	return err;
}

struct request_sock *hs_kind_request(const struct hs_kind *kind,
				     const struct hs_flow *flow,
				     const struct hs_packet *pkt)
{
	struct request_sock *req;

	req = inet_reqsk_alloc(hs_kind_ops(flow->key.family), flow->listener,
			       true);
	if (!req)
		return NULL;
	tcp_rsk(req)->af_specific = kind->af_specific;
	hs_kind_init(req, flow, pkt);
	if (!hs_kind_secure(req, flow, pkt))
		return req;
	reqsk_free(req);
	return NULL;
}

static bool hs_kind_addresses_alike(const struct request_sock *a,
				    const struct request_sock *b, u8 family)
{
	const struct inet_request_sock *ia = inet_rsk(a), *ib = inet_rsk(b);

	if (family == AF_INET)
		return ia->ir_loc_addr == ib->ir_loc_addr &&
		       ia->ir_rmt_addr == ib->ir_rmt_addr;
	return ipv6_addr_equal(&ia->ir_v6_loc_addr, &ib->ir_v6_loc_addr) &&
	       ipv6_addr_equal(&ia->ir_v6_rmt_addr, &ib->ir_v6_rmt_addr);
}

/* What inet_reqsk_alloc() decides, and the security module. */
static bool hs_kind_sockets_alike(const struct request_sock *a,
				  const struct request_sock *b)
{
	const struct inet_request_sock *ia = inet_rsk(a), *ib = inet_rsk(b);

	return a->rsk_ops == b->rsk_ops &&
	       a->rsk_listener == b->rsk_listener &&
	       a->sk == b->sk &&
	       a->secid == b->secid &&
	       a->peer_secid == b->peer_secid &&
	       a->__req_common.skc_prot == b->__req_common.skc_prot &&
	       a->__req_common.skc_tx_queue_mapping ==
	       b->__req_common.skc_tx_queue_mapping &&
	       net_eq(read_pnet(&ia->ireq_net), read_pnet(&ib->ireq_net)) &&
	       ia->ireq_family == ib->ireq_family &&
	       ia->ireq_state == ib->ireq_state &&
	       rcu_access_pointer(ia->ireq_opt) ==
	       rcu_access_pointer(ib->ireq_opt) &&
	       ia->pktopts == ib->pktopts;
}

/* What hs_kind_init() does, and the timeout. */
static bool hs_kind_values_alike(const struct request_sock *a,
				 const struct request_sock *b)
{
	const struct inet_request_sock *ia = inet_rsk(a), *ib = inet_rsk(b);
	const struct tcp_request_sock *ta = tcp_rsk(a), *tb = tcp_rsk(b);

	return a->syncookie == b->syncookie &&
	       a->timeout == b->timeout &&
	       ia->ir_num == ib->ir_num &&
	       ia->ir_rmt_port == ib->ir_rmt_port &&
	       ia->acked == ib->acked &&
	       ia->smc_ok == ib->smc_ok &&
	       ia->no_srccheck == ib->no_srccheck &&
	       ta->tfo_listener == tb->tfo_listener &&
	       ta->is_mptcp == tb->is_mptcp &&
	       ta->rcv_isn == tb->rcv_isn &&
	       ta->rcv_nxt == tb->rcv_nxt &&
	       ta->last_oow_ack_time == tb->last_oow_ack_time;
}

static bool hs_kind_alike(const struct request_sock *a,
			  const struct request_sock *b, u8 family)
{
	return hs_kind_addresses_alike(a, b, family) &&
	       hs_kind_sockets_alike(a, b) &&
	       hs_kind_values_alike(a, b);
}

bool hs_kind_learn(struct hs_kind *kind, struct request_sock *native,
		   const struct hs_flow *flow, const struct hs_packet *pkt)
{
	struct request_sock *req;
	bool allowed, alike;

	if (READ_ONCE(kind->state) != HS_KIND_NEW)
		return true;
	req = inet_reqsk_alloc(hs_kind_ops(flow->key.family), flow->listener,
			       true);
	if (!req)
		return true;
	tcp_rsk(req)->af_specific = tcp_rsk(native)->af_specific;
	hs_kind_init(req, flow, pkt);
	/* without a security module nobody initialises them */
	req->secid = native->secid;
	req->peer_secid = native->peer_secid;
	/* the policy changed at this moment: another request will tell */
	allowed = !hs_kind_secure(req, flow, pkt);
	req->timeout = tcp_timeout_init(req_to_sk(req));
	alike = hs_kind_alike(native, req, flow->key.family);
	reqsk_free(req);
	if (!allowed)
		return true;
	if (!alike) {
		WRITE_ONCE(kind->state, HS_KIND_UNLIKE);
		return false;
	}
	/* the same for whoever learns it at this moment */
	WRITE_ONCE(kind->af_specific, tcp_rsk(native)->af_specific);
	cmpxchg_release(&kind->state, HS_KIND_NEW, HS_KIND_ALIKE);
	return true;
}
