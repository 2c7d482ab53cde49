// SPDX-License-Identifier: GPL-2.0
/* The values that hold for a flow. */
#include <linux/ipv6.h>
#include <net/inet_connection_sock.h>
#include <net/tcp.h>

#include "claim.h"
#include "core/schedule.h"
#include "flow.h"
#include "netns.h"
#include "policy.h"

static bool hs_policy_value(const struct threeway_policy *policy, u32 bit,
			    u32 value, u32 min, u32 max)
{
	if (!(policy->set & bit))
		return !value;
	return value >= min && value <= max;
}

static bool hs_policy_hold_valid(const struct threeway_policy *p)
{
	return hs_policy_value(p, THREEWAY_P_FREEZE, p->freeze,
			       0, THREEWAY_FREEZE_REFUSE) &&
	       hs_policy_value(p, THREEWAY_P_LIFETIME, p->lifetime_ms,
			       HS_LIFETIME_MIN_MS, HS_LIFETIME_MAX_MS) &&
	       hs_policy_value(p, THREEWAY_P_DELAY, p->delay_ms,
			       0, HS_DELAY_MAX_MS) &&
	       hs_policy_value(p, THREEWAY_P_LOSE, p->lose, 0, U32_MAX);
}

static bool hs_policy_flood_valid(const struct threeway_policy *p)
{
	return hs_policy_value(p, THREEWAY_P_COOKIES, p->cookies,
			       THREEWAY_COOKIES_NEVER,
			       THREEWAY_COOKIES_ALWAYS) &&
	       hs_policy_value(p, THREEWAY_P_COOKIE_PATH, p->cookie_path,
			       THREEWAY_PATH_LATE, THREEWAY_PATH_EARLY) &&
	       hs_policy_value(p, THREEWAY_P_SYNACK_PATH, p->synack_path,
			       THREEWAY_PATH_LATE, THREEWAY_PATH_EARLY) &&
	       hs_policy_value(p, THREEWAY_P_SOURCE_RATE, p->source_rate,
			       0, HS_SOURCE_RATE_MAX) &&
	       hs_policy_value(p, THREEWAY_P_SOURCE_BURST, p->source_burst,
			       1, HS_SOURCE_BURST_MAX) &&
	       hs_policy_value(p, THREEWAY_P_SOURCE_FLOWS, p->source_flows,
			       0, HS_SOURCE_FLOWS_MAX) &&
	       !p->pad;
}

bool hs_policy_valid(const struct threeway_policy *p, enum threeway_mode mode)
{
	bool fixed = (p->set & THREEWAY_P_ISN) && p->isn == THREEWAY_ISN_FIXED;

	return !(p->set & ~THREEWAY_P_ALL) &&
	       !memchr_inv(p->reserved, 0, sizeof(p->reserved)) &&
	       (mode == THREEWAY_HOLD || !(p->set & THREEWAY_P_HOLD)) &&
	       hs_policy_hold_valid(p) && hs_policy_flood_valid(p) &&
	       hs_policy_value(p, THREEWAY_P_SYN_RETRIES, p->syn_retries,
			       0, HS_RETRIES_MAX) &&
	       hs_policy_value(p, THREEWAY_P_SYN_LINEAR_TIMEOUTS,
			       p->syn_linear_timeouts, 0, HS_RETRIES_MAX) &&
	       hs_policy_value(p, THREEWAY_P_SYNACK_RETRIES, p->synack_retries,
			       0, HS_RETRIES_MAX) &&
	       hs_policy_value(p, THREEWAY_P_RTO_INITIAL, p->rto_initial_ms,
			       HS_RTO_INITIAL_MIN_MS, HS_RTO_INITIAL_MAX_MS) &&
	       hs_policy_value(p, THREEWAY_P_RTO_MAX, p->rto_max_ms,
			       HS_RTO_MAX_MIN_MS, HS_RTO_MAX_MAX_MS) &&
	       hs_policy_value(p, THREEWAY_P_BACKLOG, p->backlog,
			       1, HS_BACKLOG_MAX) &&
	       hs_policy_value(p, THREEWAY_P_ISN, p->isn,
			       THREEWAY_ISN_ENGINE, THREEWAY_ISN_FIXED) &&
	       (fixed || !p->isn_fixed) &&
	       hs_policy_value(p, THREEWAY_P_SACK, p->sack, 0, 1) &&
	       hs_policy_value(p, THREEWAY_P_TIMESTAMPS, p->timestamps, 0, 1) &&
	       hs_policy_value(p, THREEWAY_P_WINDOW_SCALING,
			       p->window_scaling, 0, 1) &&
	       hs_policy_value(p, THREEWAY_P_ECN, p->ecn, 0, 1);
}

/* The claim's value if it has one, else the namespace's. */
static u32 hs_pick(const struct hs_claim *claim, u32 bit, u32 own, u32 common)
{
	return claim->conf.policy.set & bit ? own : common;
}

/* The claim, then TCP_SYNCNT of the listener, then the namespace. */
static u32 hs_policy_synack_retries(const struct hs_flow *flow)
{
	const struct threeway_policy *own = &flow->claim->conf.policy;
	u32 listener = READ_ONCE(inet_csk(flow->listener)->icsk_syn_retries);
	u32 common = READ_ONCE(hs_flow_net(flow)->sysctl.synack_retries);

	return hs_pick(flow->claim, THREEWAY_P_SYNACK_RETRIES,
		       own->synack_retries, listener ?: common);
}

bool hs_policy_native_cookies(const struct sock *listener)
{
	/* 0 means never, but looks recent when jiffies wrap */
	if (!listener->sk_reuseport &&
	    !READ_ONCE(tcp_sk(listener)->rx_opt.ts_recent_stamp))
		return false;
	return READ_ONCE(sock_net(listener)->ipv4.sysctl_tcp_syncookies) &&
	       !tcp_synq_no_recent_overflow(listener);
}

/*
 * The claim, then TCP_SYNCNT of the socket, then the namespace: its own value, or
 * the native one for as long as nobody has touched ours.
 */
static u32 hs_policy_syn_retries(const struct hs_flow *flow,
				 const struct sock *sk)
{
	const struct threeway_policy *own = &flow->claim->conf.policy;
	const struct hs_net *hn = hs_flow_net(flow);
	u32 common = READ_ONCE(hn->sysctl.syn_retries);
	u32 socket = sk ? READ_ONCE(inet_csk(sk)->icsk_syn_retries) : 0;

	if (common == HS_SYN_RETRIES && flow->kind == HS_FLOW_CONNECT)
		common = READ_ONCE(hn->net->ipv4.sysctl_tcp_syn_retries);
	return hs_pick(flow->claim, THREEWAY_P_SYN_RETRIES, own->syn_retries,
		       socket ?: common);
}

/* Fewer, while there is little room for young flows. */
static u8 hs_policy_synack_pressed(const struct hs_flow *flow)
{
	const struct hs_claim *claim = flow->claim;

	return hs_retries_pressed(hs_policy_synack_retries(flow),
				  atomic_read(&claim->flows),
				  atomic_read(&claim->young),
				  hs_policy_backlog(hs_flow_net(flow), claim));
}

static u8 hs_policy_defer_accept(const struct sock *listener)
{
	return READ_ONCE(inet_csk(listener)->icsk_accept_queue.rskq_defer_accept);
}

static void hs_policy_accept(const struct hs_flow *flow,
			     struct hs_policy *policy)
{
	const struct netns_ipv4 *native = &hs_flow_net(flow)->net->ipv4;
	const struct sock *listener = flow->listener;

	policy->defer_accept = hs_policy_defer_accept(listener);
	policy->accept_queue_full = sk_acceptq_is_full(listener);
	policy->abort_on_overflow =
		READ_ONCE(native->sysctl_tcp_abort_on_overflow);
	policy->native_cookies = hs_policy_native_cookies(listener);
}

static void hs_policy_open(const struct hs_flow *flow, const struct sock *sk,
			   struct hs_policy *policy)
{
	const struct hs_net *hn = hs_flow_net(flow);
	const struct hs_claim *claim = flow->claim;

	policy->syn_retries = hs_policy_syn_retries(flow, sk);
	policy->syn_linear_timeouts =
		hs_pick(claim, THREEWAY_P_SYN_LINEAR_TIMEOUTS,
			claim->conf.policy.syn_linear_timeouts,
			READ_ONCE(hn->sysctl.syn_linear_timeouts));
	policy->ecn_fallback =
		READ_ONCE(hn->net->ipv4.sysctl_tcp_ecn_fallback);
	/* TCP_USER_TIMEOUT, unless the claim decides when connect() fails */
	if (sk && !(claim->conf.policy.set & THREEWAY_P_SYN_RETRIES))
		policy->deadline_ms = READ_ONCE(inet_csk(sk)->icsk_user_timeout);
}

bool hs_policy_foreign_rto(const struct hs_claim *claim, u32 rto)
{
	return rto != TCP_TIMEOUT_INIT &&
	       !(claim->conf.policy.set & THREEWAY_P_RTO_INITIAL);
}

static void hs_policy_hold(const struct hs_flow *flow, struct hs_policy *policy)
{
	const struct threeway_policy *own = &flow->claim->conf.policy;

	policy->hold = true;
	policy->freeze = own->freeze;
	policy->delay_ms = own->delay_ms;
	policy->lose = own->lose;
	policy->deadline_ms = hs_pick(flow->claim, THREEWAY_P_LIFETIME,
				      own->lifetime_ms, HS_LIFETIME_MS);
	policy->synack_retries =
		hs_pick(flow->claim, THREEWAY_P_SYNACK_RETRIES,
			own->synack_retries,
			READ_ONCE(hs_flow_net(flow)->sysctl.synack_retries));
}

/*
 * The account of challenge ACKs that net.ipv4.tcp_challenge_ack_limit opens for a
 * second is one for all of the namespace, the native stack's included. How large
 * it is nobody is to know, or the answers of one flow tell of another one.
 */
static bool hs_policy_challenges_spent(struct netns_ipv4 *native)
{
	u32 limit = READ_ONCE(native->sysctl_tcp_challenge_ack_limit);
	u32 second = jiffies / HZ;

	if (likely(limit == INT_MAX))
		return false;
	if (READ_ONCE(native->tcp_challenge_timestamp) != second) {
		WRITE_ONCE(native->tcp_challenge_timestamp, second);
		WRITE_ONCE(native->tcp_challenge_count,
			   DIV_ROUND_UP(limit, 2) + prandom_u32_max(limit));
	}
	return !READ_ONCE(native->tcp_challenge_count);
}

void hs_policy_challenged(struct hs_net *hn)
{
	struct netns_ipv4 *native = &hn->net->ipv4;
	u32 left = READ_ONCE(native->tcp_challenge_count);

	if (READ_ONCE(native->sysctl_tcp_challenge_ack_limit) != INT_MAX &&
	    left)
		WRITE_ONCE(native->tcp_challenge_count, left - 1);
}

void hs_policy_first(const struct hs_flow *flow, struct hs_policy *policy)
{
	const struct hs_sysctl *ctl = &hs_flow_net(flow)->sysctl;
	const struct hs_claim *claim = flow->claim;
	const struct threeway_policy *own = &claim->conf.policy;

	memset(policy, 0, sizeof(*policy));
	policy->rto_initial_ms = hs_pick(claim, THREEWAY_P_RTO_INITIAL,
					 own->rto_initial_ms,
					 READ_ONCE(ctl->rto_initial_ms));
	policy->rto_max_ms = hs_pick(claim, THREEWAY_P_RTO_MAX,
				     own->rto_max_ms,
				     READ_ONCE(ctl->rto_max_ms));
}

static void hs_policy_limits(const struct hs_flow *flow,
			     struct hs_policy *policy)
{
	struct hs_net *hn = hs_flow_net(flow);

	policy->ratelimit_ms = READ_ONCE(hn->sysctl.invalid_ratelimit_ms);
	policy->challenges_spent =
		hs_policy_challenges_spent(&hn->net->ipv4);
}

void hs_policy_segment(const struct hs_flow *flow, struct hs_policy *policy)
{
	hs_policy_first(flow, policy);
	hs_policy_limits(flow, policy);
	hs_policy_accept(flow, policy);
}

void hs_policy_read(const struct hs_flow *flow, const struct sock *sk,
		    struct hs_policy *policy)
{
	if (flow->kind == HS_FLOW_ACCEPT) {
		hs_policy_segment(flow, policy);
		policy->synack_retries = hs_policy_synack_pressed(flow);
		return;
	}
	hs_policy_first(flow, policy);
	hs_policy_limits(flow, policy);
	hs_policy_open(flow, sk, policy);
	if (flow->kind == HS_FLOW_HOLD)
		hs_policy_hold(flow, policy);
}

void hs_policy_timer(const struct hs_flow *flow, struct hs_policy *policy)
{
	if (flow->kind != HS_FLOW_ACCEPT) {
		hs_policy_read(flow, NULL, policy);
		return;
	}
	hs_policy_first(flow, policy);
	policy->synack_retries = hs_policy_synack_pressed(flow);
	policy->defer_accept = hs_policy_defer_accept(flow->listener);
}

u32 hs_policy_backlog(const struct hs_net *hn, const struct hs_claim *claim)
{
	return hs_pick(claim, THREEWAY_P_BACKLOG, claim->conf.policy.backlog,
		       READ_ONCE(hn->sysctl.max_syn_backlog));
}

enum threeway_cookies hs_policy_cookies(const struct hs_net *hn,
					const struct hs_claim *claim)
{
	return hs_pick(claim, THREEWAY_P_COOKIES, claim->conf.policy.cookies,
		       READ_ONCE(hn->sysctl.syncookies));
}

u32 hs_policy_source_rate(const struct hs_net *hn,
			  const struct hs_claim *claim)
{
	return hs_pick(claim, THREEWAY_P_SOURCE_RATE,
		       claim->conf.policy.source_rate,
		       READ_ONCE(hn->sysctl.source_rate));
}

u32 hs_policy_source_burst(const struct hs_net *hn,
			   const struct hs_claim *claim)
{
	return hs_pick(claim, THREEWAY_P_SOURCE_BURST,
		       claim->conf.policy.source_burst,
		       READ_ONCE(hn->sysctl.source_burst));
}

u32 hs_policy_source_flows(const struct hs_net *hn,
			   const struct hs_claim *claim)
{
	return hs_pick(claim, THREEWAY_P_SOURCE_FLOWS,
		       claim->conf.policy.source_flows,
		       READ_ONCE(hn->sysctl.source_flows));
}

enum threeway_isn hs_policy_isn(const struct hs_net *hn,
				const struct hs_claim *claim)
{
	return hs_pick(claim, THREEWAY_P_ISN, claim->conf.policy.isn,
		       READ_ONCE(hn->sysctl.isn));
}

void hs_policy_offer(const struct hs_net *hn, const struct hs_claim *claim,
		     const struct sock *sk, u8 family,
		     struct hs_offer *offer)
{
	const struct threeway_policy *own = &claim->conf.policy;
	const struct netns_ipv4 *native = &hn->net->ipv4;
	const struct hs_sysctl *ctl = &hn->sysctl;

	memset(offer, 0, sizeof(*offer));
	if (sk)
		offer->user_mss = READ_ONCE(tcp_sk(sk)->rx_opt.user_mss);
	offer->default_mss = family == AF_INET ? TCP_MSS_DEFAULT :
			     IPV6_MIN_MTU - sizeof(struct tcphdr) -
			     sizeof(struct ipv6hdr);
	offer->sack = hs_pick(claim, THREEWAY_P_SACK, own->sack,
			      READ_ONCE(ctl->sack)) &&
		      READ_ONCE(native->sysctl_tcp_sack);
	offer->timestamps = hs_pick(claim, THREEWAY_P_TIMESTAMPS,
				    own->timestamps,
				    READ_ONCE(ctl->timestamps)) &&
			    READ_ONCE(native->sysctl_tcp_timestamps);
	offer->wscale = hs_pick(claim, THREEWAY_P_WINDOW_SCALING,
				own->window_scaling,
				READ_ONCE(ctl->window_scaling)) &&
			READ_ONCE(native->sysctl_tcp_window_scaling);
	offer->ecn = hs_pick(claim, THREEWAY_P_ECN, own->ecn,
			     READ_ONCE(ctl->ecn));
	offer->ecn_always = offer->ecn;
}
