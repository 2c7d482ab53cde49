// SPDX-License-Identifier: GPL-2.0
/* Active open: the SYNs of native sockets, and the timer of their flows. */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "arrive.h"
#include "connect.h"
#include "event.h"
#include "isn.h"
#include "observe.h"
#include "output.h"
#include "packet.h"
#include "policy.h"
#include "socket.h"
#include "wheel.h"

/* Before a socket that is busy is asked again. */
#define HS_CONNECT_BUSY	msecs_to_jiffies(20)

/* What an active open works on. */
struct hs_connecting {
	struct hs_net *hn;
	struct sk_buff *skb;
	struct sock *sk;
	struct hs_flow_key key;
	struct hs_segment seg;
};

static bool hs_connect_read(struct hs_connecting *c, u8 family)
{
	return c->skb->ip_summed == CHECKSUM_PARTIAL &&
	       hs_packet_outgoing(c->skb, family, &c->key, &c->seg) &&
	       (c->seg.flags & (HS_SYN | HS_ACK)) == HS_SYN;
}

/* The length of the packet has changed. */
static void hs_connect_fix_ip(struct sk_buff *skb, u8 family)
{
	if (family == AF_INET) {
		ip_hdr(skb)->tot_len = htons(skb->len);
		ip_send_check(ip_hdr(skb));
	} else {
		ipv6_hdr(skb)->payload_len =
			htons(skb->len - sizeof(struct ipv6hdr));
	}
}

/*
 * Put another TCP header into the packet, at most as long as the one that is
 * there: the native stack offers whatever the engine may.
 */
static bool hs_connect_rewrite(const struct hs_connecting *c,
			       const struct hs_reply *reply)
{
	const struct hs_flow_key *key = &c->key;
	struct sk_buff *skb = c->skb;
	unsigned int old = tcp_hdrlen(skb), ip = skb_transport_offset(skb);
	u8 header[HS_HEADER_MAX];
	size_t len;

	len = hs_reply_build(header, reply, ntohs(key->local_port),
			     ntohs(key->remote_port));
	if (len > old || skb_cow_head(skb, 0))
		return false;
	if (len < old) {
		memmove(skb->data + old - len, skb->data, ip);
		__skb_pull(skb, old - len);
		skb_reset_network_header(skb);
		skb_set_transport_header(skb, ip);
		hs_connect_fix_ip(skb, key->family);
	}
	memcpy(tcp_hdr(skb), header, len);
	hs_output_checksum(skb, key, len);
	return true;
}

/* The header of the first SYN: as a rule it is as it has to be, but for the ISS. */
static bool hs_connect_write(const struct hs_connecting *c,
			     const struct hs_reply *syn)
{
	struct tcphdr *th = tcp_hdr(c->skb);

	if (!hs_reply_repeats(syn, &c->seg, __tcp_hdrlen(th)))
		return hs_connect_rewrite(c, syn);
	/* not in the checksum, of which there is but the pseudo header's */
	th->seq = htonl(syn->seq);
	return true;
}

/*
 * After TIME-WAIT the native stack has chosen an ISS that no old segment can be
 * mistaken for; and for a socket that was connected before, which rcv_tstamp still
 * knows, if it is the same peer. connect() has just read the clock.
 */
static u32 hs_connect_iss(const struct hs_connecting *c,
			  const struct hs_claim *claim)
{
	const struct tcp_sock *tp = tcp_sk(c->sk);

	if ((tp->rx_opt.ts_recent_stamp || tp->rcv_tstamp) &&
	    hs_policy_isn(c->hn, claim) != THREEWAY_ISN_FIXED)
		return c->seg.seq;
	return hs_isn_choose(c->hn, claim, &c->key, c->seg.seq,
			     ns_to_ktime(tp->tcp_clock_cache), NULL);
}

/* The native TSval, so that the socket knows its own clock in the answer. */
static u32 hs_connect_now_ms(const struct hs_connecting *c)
{
	if (c->seg.opts.present & HS_OPT_TIMESTAMPS)
		return c->seg.opts.tsval - tcp_sk(c->sk)->tsoffset;
	return tcp_time_stamp_raw();
}

/* The SYN that the flow begins with. Nobody sees the flow yet. */
static void hs_connect_first(const struct hs_connecting *c,
			     struct hs_flow *flow, struct hs_actions *actions)
{
	struct hs_policy policy __uninitialized;

	/* of all else the first SYN needs nothing */
	if (READ_ONCE(inet_csk(c->sk)->icsk_user_timeout))
		hs_policy_read(flow, c->sk, &policy);
	else
		hs_policy_first(flow, &policy);
	hs_syn_first(&flow->tcb, &policy, hs_connect_now_ms(c), actions);
}

static struct hs_flow *hs_connect_flow(const struct hs_connecting *c,
				       struct hs_claim *claim)
{
	struct hs_offer offer __uninitialized;
	const struct sock *sk = c->sk;
	struct hs_flow *flow;

	flow = hs_flow_alloc(c->hn, claim, HS_FLOW_CONNECT, NULL, &c->key);
	if (!flow)
		return NULL;
	hs_socket_note(flow, sk);
	flow->mark = READ_ONCE(sk->sk_mark);
	flow->txhash = sk->sk_txhash;
	hs_flow_large(flow)->tos = c->key.family == AF_INET ?
				   inet_sk(sk)->tos : inet6_sk(sk)->tclass;
	hs_policy_offer(c->hn, claim, sk, c->key.family, &offer);
	hs_tcb_active_open(&flow->tcb, &c->seg, &offer,
			   hs_connect_iss(c, claim), tcp_sk(sk)->tsoffset);
	return flow;
}

/* Another connect() has the tuple now: the socket of the flow let go of it. */
static void hs_connect_replaced(struct hs_flow *flow)
{
	enum threeway_counter reason = THREEWAY_C_flows_native_owns;

	if (flow->kind == HS_FLOW_CONNECT)
		reason = flow->outcome == THREEWAY_C_flows_refused ?
			 THREEWAY_C_flows_refused : THREEWAY_C_flows_socket_gone;
	hs_flow_end(flow, reason);
}

/*
 * Sockets of different links may have one tuple, as inet_sk_bound_dev_eq() says, and
 * each its handshake. One flow has it: the other ones are native.
 */
static bool hs_connect_others(const struct hs_connecting *c,
			      const struct hs_flow *flow)
{
	struct sock *sk;
	bool connects;

	if (flow->kind != HS_FLOW_CONNECT || !flow->bound_if ||
	    flow->bound_if == c->sk->sk_bound_dev_if ||
	    hs_flow_large(flow)->socket == c->sk)
		return false;
	sk = hs_socket_get(flow);
	connects = sk && hs_socket_connects(flow, sk);
	if (sk)
		sock_gen_put(sk);
	return connects;
}

static bool hs_connect_taken(struct hs_connecting *c)
{
	const struct hs_flow *flow = hs_flow_find(c->hn, &c->key);

	return flow && hs_connect_others(c, flow);
}

/* Return: whether the tuple had a flow that it has no more. */
static bool hs_connect_replace(struct hs_connecting *c)
{
	struct hs_flow *flow = hs_flow_find(c->hn, &c->key);

	if (!flow || hs_connect_others(c, flow) || !hs_flow_hold(flow))
		return false;
	hs_connect_replaced(flow);
	hs_flow_put(flow);
	return true;
}

/* Return: 0 when the flow is in the table. */
static int hs_connect_insert(struct hs_flow *flow,
			     const struct hs_actions *actions)
{
	int err;

	spin_lock(&flow->lock);
	err = hs_flow_insert(flow);
	if (!err) {
		hs_flow_timer_set(flow, actions->timer_ms);
		hs_event_opened(flow, THREEWAY_CLOSED, NULL, actions);
	}
	spin_unlock(&flow->lock);
	return err;
}

/* Return: a referenced flow that is in the table, or NULL. */
static struct hs_flow *hs_connect_start(struct hs_connecting *c,
					struct hs_claim *claim,
					struct hs_actions *actions)
{
	struct hs_flow *flow = hs_connect_flow(c, claim);
	int err;

	if (!flow)
		return NULL;
	hs_connect_first(c, flow, actions);
	/* who finds the flow has to find that it is the socket's */
	hs_socket_set_iss(c->sk, flow->tcb.iss);
	err = hs_connect_insert(flow, actions);
	/* seldom enough not to look before */
	if (err == -EEXIST && hs_connect_replace(c))
		err = hs_connect_insert(flow, actions);
	if (!err)
		return flow;
	hs_socket_set_iss(c->sk, c->seg.seq);
	hs_flow_put(flow);
	return NULL;
}

static enum threeway_counter hs_connect_objection(const struct hs_connecting *c,
						  const struct hs_claim *claim)
{
	enum threeway_counter reason = hs_socket_objection(c->sk, &c->seg);

	/* connect() has asked for it */
	if (reason == HS_NONE &&
	    hs_policy_foreign_rto(claim, inet_csk(c->sk)->icsk_rto))
		return THREEWAY_C_native_bpf;
	return reason == HS_NONE ? hs_flow_limits(c->hn, claim, false) : reason;
}

static unsigned int hs_connect_open(struct hs_connecting *c,
				    struct hs_claim *claim)
{
	enum threeway_counter reason = hs_connect_objection(c, claim);
	struct hs_actions actions __uninitialized;
	struct hs_flow *flow = NULL;

	/* a flow that the tuple still has goes in any case, and leaves room */
	if (reason != HS_NONE && hs_connect_replace(c))
		reason = hs_connect_objection(c, claim);
	if (reason != HS_NONE) {
		hs_count(c->hn, reason);
		return NF_ACCEPT;
	}
	if (!skb_cow_head(c->skb, 0))
		flow = hs_connect_start(c, claim, &actions);
	if (!flow) {
		hs_count(c->hn, hs_connect_taken(c) ?
			 THREEWAY_C_native_socket_owns :
			 THREEWAY_C_native_no_memory);
		return NF_ACCEPT;
	}
	hs_flow_opened(flow);
	if (hs_connect_write(c, &actions.reply)) {
		hs_socket_first_park(c->sk);
		hs_count(c->hn, THREEWAY_C_sent_syn);
	} else {
		hs_count(c->hn, THREEWAY_C_native_no_memory);
		hs_flow_end(flow, THREEWAY_C_flows_socket_gone);
		hs_socket_set_iss(c->sk, c->seg.seq);
	}
	hs_flow_put(flow);
	return NF_ACCEPT;
}

void hs_connect_hurry(struct hs_flow *flow)
{
	spin_lock(&flow->lock);
	if (!flow->dead)
		hs_wheel_add(flow, HS_WHEEL_SOON);
	spin_unlock(&flow->lock);
}

/* The socket's SYN again: as a copy if the engine wants one. */
static unsigned int hs_connect_again(struct hs_connecting *c,
				     struct hs_flow *flow)
{
	enum threeway_counter sent = THREEWAY_C_segment_native_syn;
	struct hs_flow_large *large = hs_flow_large(flow);
	struct hs_reply copy;
	bool due;

	spin_lock(&flow->lock);
	due = large->copy_due && !flow->dead;
	large->copy_due = false;
	if (due)
		hs_tcb_copy(&flow->tcb, hs_connect_now_ms(c), &copy);
	spin_unlock(&flow->lock);
	if (due && hs_connect_rewrite(c, &copy)) {
		sent = copy.flags & HS_ACK ? THREEWAY_C_sent_synack_timer :
					     THREEWAY_C_sent_syn_timer;
		/* it is the native timer that sends, and has counted it */
		hs_count_add(c->hn, sent, 1);
		return NF_ACCEPT;
	}
	hs_count(c->hn, due ? THREEWAY_C_send_failed : sent);
	/* the native timer ran though it should not */
	if (!due)
		hs_connect_hurry(flow);
	consume_skb(c->skb);
	return NF_STOLEN;
}

/* A flow has the tuple. Return: the verdict, or HS_FLOW_GONE. */
static unsigned int hs_connect_known(struct hs_connecting *c)
{
	struct hs_flow *flow = hs_flow_find(c->hn, &c->key);
	unsigned int verdict = NF_ACCEPT;

	if (!flow || !hs_flow_hold(flow))
		return HS_FLOW_GONE;
	if (hs_connect_others(c, flow)) {
		/* its own timer sends it */
	} else if (!flow->large || hs_flow_large(flow)->socket != c->sk ||
		   flow->tcb.iss != c->seg.seq) {
		hs_connect_replaced(flow);
		verdict = HS_FLOW_GONE;
	} else if (flow->kind == HS_FLOW_OBSERVE) {
		hs_observe_sent(flow, &c->seg, false);
	} else {
		verdict = hs_connect_again(c, flow);
	}
	hs_flow_put(flow);
	return verdict;
}

static unsigned int hs_connect_packet(struct hs_connecting *c)
{
	struct hs_claim *claim = hs_claim_find(c->hn, THREEWAY_ACTIVE, &c->key);
	bool opens = claim && claim->conf.mode == THREEWAY_HANDOFF;
	unsigned int verdict;

	if (opens && hs_socket_first(c->sk, &c->seg))
		return hs_connect_open(c, claim);
	verdict = hs_connect_known(c);
	if (verdict != HS_FLOW_GONE)
		return verdict;
	if (opens)
		return hs_connect_open(c, claim);
	if (claim)
		hs_observe_connect(c->hn, claim, c->sk, &c->key, &c->seg);
	return NF_ACCEPT;
}

unsigned int hs_connect_output(struct hs_net *hn, struct sk_buff *skb,
			       u8 family)
{
	struct hs_connecting c __uninitialized;
	unsigned int verdict = NF_ACCEPT;

	/* the rest is read, or not looked at */
	c.hn = hn;
	c.skb = skb;
	c.sk = skb->sk;
	local_bh_disable();
	if (hs_connect_read(&c, family))
		verdict = hs_connect_packet(&c);
	local_bh_enable();
	return verdict;
}

/* Of a socket that has gone we know what it was told last. */
bool hs_connect_settle(struct hs_flow *flow, const struct sock *sk)
{
	enum threeway_counter reason = flow->outcome;

	if (sk && hs_socket_connects(flow, sk))
		return true;
	if (sk && inet_sk_state_load(sk) != TCP_CLOSE)
		reason = THREEWAY_C_flows_handed_over;
	else if (reason == HS_NONE)
		reason = THREEWAY_C_flows_socket_gone;
	if (hs_flow_end(flow, reason) &&
	    reason == THREEWAY_C_flows_handed_over)
		atomic64_inc(&flow->claim->handed_over);
	return false;
}

/* What the timer of a flow finds to do for the socket. */
enum hs_connect_work {
	HS_CONNECT_NOTHING,
	HS_CONNECT_COPY,
	HS_CONNECT_END,
};

/**
 * struct hs_connect_copy - a copy that the socket is asked for
 * @rto_ms:	the timeout that it has then
 * @backoff:	the socket's own count of timeouts that double, before it
 */
struct hs_connect_copy {
	u32 rto_ms;
	u8 backoff;
};

/* The timer is due. Context: socket and hs_flow.lock held. */
static enum hs_connect_work hs_connect_timeout(struct hs_flow *flow,
					       struct sock *sk,
					       struct hs_connect_copy *copy)
{
	const u8 before = flow->tcb.state;
	struct hs_actions actions;
	struct hs_policy policy;

	hs_policy_read(flow, sk, &policy);
	hs_flow_aged(flow);
	hs_timer_fires(&flow->tcb, &policy, tcp_time_stamp_raw(), &actions);
	hs_event_acted(flow, before, NULL, &actions);
	copy->rto_ms = actions.timer_ms;
	copy->backoff = inet_csk(sk)->icsk_backoff;
	if (actions.timer == HS_TIMER_SET)
		hs_flow_timer_set(flow, actions.timer_ms);
	if (actions.end != HS_NONE) {
		flow->dead = true;
		flow->outcome = actions.end;
		hs_socket_prepare_end(sk);
		return HS_CONNECT_END;
	}
	if (!actions.reply.flags)
		return HS_CONNECT_NOTHING;
	/* a SYN-ACK that the socket has dropped does not count */
	flow->outcome = HS_NONE;
	hs_flow_large(flow)->copy_due = true;
	hs_socket_prepare_copy(sk, flow->tcb.timeouts);
	return HS_CONNECT_COPY;
}

/* Context: the socket locked. */
static enum hs_connect_work hs_connect_work(struct hs_flow *flow,
					    struct sock *sk,
					    struct hs_connect_copy *copy)
{
	enum hs_connect_work work = HS_CONNECT_NOTHING;

	spin_lock(&flow->lock);
	if (flow->dead || hs_wheel_has(flow)) {
		/* done, or set anew while we waited for the lock */
	} else if (sock_owned_by_user(sk)) {
		hs_wheel_add(flow, HS_CONNECT_BUSY);
	} else if (!hs_socket_connects(flow, sk)) {
		/* no more: whoever had the lock did that */
		hs_wheel_add(flow, HS_WHEEL_SOON);
	} else if (hs_flow_wait(flow, jiffies)) {
		/* what came did not end it after all */
		flow->outcome = HS_NONE;
		hs_socket_park(sk, flow->tcb.timeouts,
			       jiffies_to_msecs(inet_csk(sk)->icsk_rto));
		hs_wheel_add(flow, 0);
	} else {
		work = hs_connect_timeout(flow, sk, copy);
	}
	spin_unlock(&flow->lock);
	return work;
}

/* Context: socket and hs_flow.lock held. Return: the timeout that stays, in ms. */
static u32 hs_connect_congested(struct hs_flow *flow, struct sock *sk)
{
	struct hs_actions actions;
	struct hs_policy policy;
	u32 rto_ms;

	hs_policy_read(flow, sk, &policy);
	rto_ms = hs_copy_congested(&flow->tcb, &policy, tcp_time_stamp_raw(),
				   &actions);
	hs_flow_timer_set(flow, actions.timer_ms);
	return rto_ms;
}

/*
 * A copy that nobody has let out was not sent: no route, no memory. Nor was one
 * after which the socket does not double its timeout: a queue was full. If the
 * socket is in use, its user will send it. With ip_dynaddr it may have left from
 * another address, as a SYN that is native.
 */
static void hs_connect_copied(struct hs_flow *flow, struct sock *sk,
			      struct hs_connect_copy *copy)
{
	struct hs_flow_large *large = hs_flow_large(flow);
	bool lost = false, moved = false, congested = false;

	bh_lock_sock(sk);
	spin_lock(&flow->lock);
	/* the timer of a flow that is no more is the socket's again */
	if (!sock_owned_by_user(sk) && !flow->dead &&
	    hs_socket_connects(flow, sk)) {
		moved = !hs_socket_has_key(sk, flow);
		lost = large->copy_due && !moved;
		congested = !lost && !moved &&
			    inet_csk(sk)->icsk_backoff == copy->backoff;
		large->copy_due = false;
		if (lost)
			hs_copy_lost(&flow->tcb);
		else if (congested)
			copy->rto_ms = hs_connect_congested(flow, sk);
		if (moved)
			hs_socket_let_go(sk, flow->tcb.timeouts, copy->rto_ms);
		else
			hs_socket_park(sk, flow->tcb.timeouts, copy->rto_ms);
	}
	spin_unlock(&flow->lock);
	bh_unlock_sock(sk);
	if (lost || congested)
		hs_count(hs_flow_net(flow), THREEWAY_C_send_failed);
	if (moved)
		hs_connect_settle(flow, NULL);
}

static void hs_connect_timer_socket(struct hs_flow *flow, struct sock *sk)
{
	struct hs_connect_copy copy = { };
	enum hs_connect_work work;

	bh_lock_sock(sk);
	work = hs_connect_work(flow, sk, &copy);
	bh_unlock_sock(sk);
	if (work == HS_CONNECT_END) {
		hs_flow_unlink(flow, flow->outcome);
		hs_event_ended(flow, flow->outcome);
	}
	if (work != HS_CONNECT_NOTHING)
		hs_socket_fire(sk);
	if (work == HS_CONNECT_COPY)
		hs_connect_copied(flow, sk, &copy);
	else if (work == HS_CONNECT_END)
		hs_socket_ended(sk, flow->tcb.timeouts);
}

void hs_connect_timer(struct hs_flow *flow)
{
	struct sock *sk = hs_socket_get(flow);

	if (hs_connect_settle(flow, sk))
		hs_connect_timer_socket(flow, sk);
	if (sk)
		sock_gen_put(sk);
}
