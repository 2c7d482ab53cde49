// SPDX-License-Identifier: GPL-2.0
/* The native socket of a connect() that the engine does. */
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/mptcp.h>
#include <net/tcp.h>

#include "made.h"
#include "native.h"
#include "netns.h"
#include "socket.h"

/* Further away than any timeout of the engine. */
#define HS_SOCKET_PARK	(600 * HZ)

bool hs_socket_connects(const struct hs_flow *flow, const struct sock *sk)
{
	return inet_sk_state_load(sk) == TCP_SYN_SENT &&
	       READ_ONCE(tcp_sk(sk)->snd_una) == flow->tcb.iss;
}

void hs_socket_note(struct hs_flow *flow, const struct sock *sk)
{
	struct hs_flow_large *large = hs_flow_large(flow);

	large->socket = sk;
	large->socket_hash = sk->sk_hash;
	large->uid = sk->sk_uid;
	flow->bound_if = sk->sk_bound_dev_if;
}

bool hs_socket_has_key(const struct sock *sk, const struct hs_flow *flow)
{
	const struct hs_flow_key *key = &flow->key;

	if (!net_eq(sock_net(sk), hs_flow_net(flow)->net) ||
	    sk->sk_num != ntohs(key->local_port) ||
	    sk->sk_dport != key->remote_port)
		return false;
	if (key->family == AF_INET)
		return sk->sk_daddr == key->v4.remote &&
		       sk->sk_rcv_saddr == key->v4.local;
#if IS_ENABLED(CONFIG_IPV6)
	return ipv6_addr_equal(&sk->sk_v6_daddr, &key->v6.remote) &&
	       ipv6_addr_equal(&sk->sk_v6_rcv_saddr, &key->v6.local);
#else
	return false;
#endif
}

static struct sock *hs_socket_take(struct sock *sk, const struct hs_flow *flow)
{
	if (!refcount_inc_not_zero(&sk->sk_refcnt))
		return NULL;
	if (hs_socket_has_key(sk, flow))
		return sk;
	sock_gen_put(sk);
	return NULL;
}

struct sock *hs_socket_get(const struct hs_flow *flow)
{
	const struct hs_flow_large *large = hs_flow_large(flow);
	struct inet_hashinfo *hashinfo =
		hs_flow_net(flow)->net->ipv4.tcp_death_row.hashinfo;
	struct inet_ehash_bucket *head = inet_ehash_bucket(hashinfo,
							   large->socket_hash);
	const struct hlist_nulls_node *node;
	struct sock *sk;

	do {
		sk_nulls_for_each_rcu(sk, node, &head->chain) {
			if (sk == large->socket)
				return hs_socket_take(sk, flow);
		}
		/* it went astray when a socket moved to another chain */
	} while (get_nulls_value(node) !=
		 (large->socket_hash & hashinfo->ehash_mask));
	return NULL;
}

static bool hs_socket_signs(const struct sock *sk)
{
#ifdef CONFIG_TCP_MD5SIG
	return rcu_access_pointer(tcp_sk(sk)->md5sig_info);
#else
	return false;
#endif
}

static bool hs_socket_smc(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_SMC)
	return tcp_sk(sk)->syn_smc;
#else
	return false;
#endif
}

static bool hs_socket_bpf(const struct sock *sk)
{
#ifdef CONFIG_BPF
	return tcp_sk(sk)->bpf_sock_ops_cb_flags;
#else
	return false;
#endif
}

/* Its SYN goes to the first hop: the tuple is not that of the packet. */
static bool hs_socket_source_routed(const struct sock *sk)
{
	const struct ip_options_rcu *options =
		rcu_dereference(inet_sk(sk)->inet_opt);

	return sk->sk_family == AF_INET && options && options->opt.srr;
}

/* Its first SYN, nothing else, and not yet accounted for as sent. */
static bool hs_socket_first_syn(const struct sock *sk)
{
	const struct sk_buff *skb = tcp_rtx_queue_head(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	return skb && tp->packets_out == 1 &&
	       !inet_csk(sk)->icsk_retransmits &&
	       TCP_SKB_CB(skb)->seq == tp->snd_una &&
	       TCP_SKB_CB(skb)->seq == tp->snd_nxt &&
	       TCP_SKB_CB(skb)->end_seq == tp->snd_una + 1 &&
	       tp->write_seq == tp->snd_una + 1;
}

enum threeway_counter hs_socket_objection(const struct sock *sk,
					  const struct hs_segment *seg)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u16 present = seg->opts.present;

	if (tp->repair)
		return THREEWAY_C_native_repair;
	if ((present & HS_OPT_FAST_OPEN) || tp->fastopen_req ||
	    tp->syn_fastopen || tp->syn_data || seg->len > 1)
		return THREEWAY_C_native_fast_open;
	if ((present & (HS_OPT_MD5 | HS_OPT_AO)) || hs_socket_signs(sk))
		return THREEWAY_C_native_md5;
	if ((present & HS_OPT_MPTCP) || sk_is_mptcp(sk))
		return THREEWAY_C_native_mptcp;
	if ((present & HS_OPT_SMC) || hs_socket_smc(sk))
		return THREEWAY_C_native_smc;
	if (hs_socket_bpf(sk))
		return THREEWAY_C_native_bpf;
	if (hs_socket_source_routed(sk))
		return THREEWAY_C_native_ip_options;
	if (!hs_socket_first_syn(sk))
		return THREEWAY_C_native_busy_socket;
	return HS_NONE;
}

void hs_socket_set_iss(struct sock *sk, u32 iss)
{
	struct sk_buff *skb = tcp_rtx_queue_head(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	TCP_SKB_CB(skb)->seq = iss;
	TCP_SKB_CB(skb)->end_seq = iss + 1;
	WRITE_ONCE(tp->snd_una, iss);
	WRITE_ONCE(tp->snd_nxt, iss);
	WRITE_ONCE(tp->write_seq, iss + 1);
	tp->pushed_seq = iss;
	tp->snd_sml = iss;
	tp->snd_up = iss;
}

/* connect() arms its timer by this when the SYN has left. */
void hs_socket_first_park(struct sock *sk)
{
	inet_csk(sk)->icsk_rto = TCP_RTO_MAX;
}

static void hs_socket_timer_set(struct sock *sk, unsigned long delay)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->icsk_pending = ICSK_TIME_RETRANS;
	icsk->icsk_timeout = jiffies + delay;
	sk_reset_timer(sk, &icsk->icsk_retransmit_timer, icsk->icsk_timeout);
}

/* @rto, @delay: in jiffies */
static void hs_socket_rearm(struct sock *sk, u32 timeouts, u32 rto,
			    unsigned long delay)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->icsk_retransmits = min(timeouts, 255U);
	icsk->icsk_rto = rto;
	hs_socket_timer_set(sk, delay);
}

void hs_socket_park(struct sock *sk, u32 timeouts, u32 rto_ms)
{
	hs_socket_rearm(sk, timeouts, msecs_to_jiffies(rto_ms), HS_SOCKET_PARK);
}

void hs_socket_let_go(struct sock *sk, u32 timeouts, u32 rto_ms)
{
	u32 rto = msecs_to_jiffies(rto_ms);

	hs_socket_rearm(sk, timeouts, rto, rto);
}

static void hs_socket_prepare(struct sock *sk, u8 retransmits)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	icsk->icsk_retransmits = retransmits;
	icsk->icsk_pending = ICSK_TIME_RETRANS;
	icsk->icsk_timeout = jiffies;
}

/*
 * With no retransmission on its account the socket does not ask whether its own
 * limits allow one: that is decided. It would look for another route if there
 * were any, and count a first retransmission in CA_Loss as a failed recovery.
 */
void hs_socket_prepare_copy(struct sock *sk, u32 timeouts)
{
	if (timeouts > 1)
		__dst_negative_advice(sk);
	inet_csk(sk)->icsk_ca_state = TCP_CA_Open;
	hs_socket_prepare(sk, 0);
}

/* No socket allows as many retransmissions as this. */
void hs_socket_prepare_end(struct sock *sk)
{
	hs_socket_prepare(sk, 255);
}

void hs_socket_ended(struct sock *sk, u32 timeouts)
{
	bh_lock_sock(sk);
	if (sk->sk_state == TCP_CLOSE && !sock_owned_by_user(sk))
		inet_csk(sk)->icsk_retransmits = min(timeouts, 255U);
	bh_unlock_sock(sk);
}

void hs_socket_fire(struct sock *sk)
{
	struct timer_list *timer = &inet_csk(sk)->icsk_retransmit_timer;

	/* an armed timer has a reference, which its function drops */
	sock_hold(sk);
	timer->function(timer);
}

/* Context: the socket's spin lock held. */
static void hs_socket_unpark(struct hs_flow *flow, struct sock *sk)
{
	u32 timeouts = flow->tcb.timeouts;
	u32 rto = min_t(unsigned long, TCP_RTO_MAX,
			tcp_timeout_init(sk) << min(timeouts, 7U));

	hs_socket_rearm(sk, timeouts, rto,
			max(hs_flow_wait(flow, jiffies), 1U));
}

/* Return: whether it has the native timer again, or has no use for it. */
static bool hs_socket_try_resume(struct hs_flow *flow, struct sock *sk,
				 bool in_use)
{
	bool done;

	local_bh_disable();
	bh_lock_sock(sk);
	done = in_use || !sock_owned_by_user(sk);
	if (done && hs_socket_connects(flow, sk))
		hs_socket_unpark(flow, sk);
	bh_unlock_sock(sk);
	local_bh_enable();
	return done;
}

void hs_socket_resume(struct hs_flow *flow, unsigned long until)
{
	struct sock *sk;

	rcu_read_lock();
	sk = hs_socket_get(flow);
	rcu_read_unlock();
	if (!sk)
		return;
	while (!hs_socket_try_resume(flow, sk, time_after(jiffies, until)))
		schedule_timeout_uninterruptible(1);
	sock_put(sk);
}

/* As tcp_segs_in(), which wants the headers pulled. */
void hs_socket_count(struct sock *sk, const struct hs_packet *pkt)
{
	u16 segments = max_t(u16, 1, skb_shinfo(pkt->skb)->gso_segs);
	u32 control = !!(pkt->seg.flags & HS_SYN) +
		      !!(pkt->seg.flags & HS_FIN);
	struct tcp_sock *tp = tcp_sk(sk);

	bh_lock_sock_nested(sk);
	WRITE_ONCE(tp->segs_in, tp->segs_in + segments);
	if (pkt->seg.len > control)
		WRITE_ONCE(tp->data_segs_in, tp->data_segs_in + segments);
	bh_unlock_sock(sk);
}

int hs_socket_inject(const struct hs_flow *flow, struct sock *sk,
		     const struct hs_reply *reply, const struct sk_buff *model)
{
	struct sk_buff *skb = hs_made_segment(flow, reply, model);

	if (!skb)
		return -ENOMEM;
	if (!sock_owned_by_user(sk)) {
		sk->sk_backlog_rcv(sk, skb);
		return 0;
	}
	if (!sk_add_backlog(sk, skb, READ_ONCE(sk->sk_rcvbuf)))
		return 0;
	kfree_skb(skb);
	return -ENOMEM;
}
