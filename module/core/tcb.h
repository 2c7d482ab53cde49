/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The transmission control block of a handshake and the rules that change it:
 * RFC 9293 sections 3.3.1, 3.5 and 3.10. Everything here is deterministic: time,
 * secrets and the state of the surroundings come in as arguments, and what is to
 * be done goes out in struct hs_actions. The caller serialises the calls for one
 * tcb.
 */
#ifndef HS_CORE_TCB_H
#define HS_CORE_TCB_H

#include "../uapi/threeway.h"
#include "segment.h"
#include "types.h"

/**
 * struct hs_tcb - one handshake
 * @iss:	initial send sequence number
 * @irs:	initial receive sequence number
 * @ts_recent:	TS.Recent, the peer's TSval
 * @ts_offset:	added to the clock to make a TSval
 * @tsval_first: TSval of the first segment sent
 * @tsval_last:	TSval of the latest segment sent
 * @limited_ms:	time of the latest answer that the rate limit counts
 * @opened_ms:	time of the first segment sent
 * @rcv_wnd:	window promised in the SYN-ACK, in bytes
 * @peer_wnd:	window of the peer's SYN or SYN-ACK, not scaled
 * @peer_mss:	MSS of the peer, in bytes
 * @advertised_mss: MSS of our SYN or SYN-ACK, in bytes; 0 for none
 * @snd_wscale:	the peer's window shift
 * @rcv_wscale:	our window shift
 * @syn_data:	bytes of data on the SYN, of a handshake that is followed
 * @timeouts:	timer expiries so far
 * @state:	enum threeway_state, 0 is CLOSED
 * @retransmits: copies of the SYN or SYN-ACK sent, for whatever reason
 * @segments_sent: all segments, as far as the lab may want to lose one
 * @unsent:	timeouts whose copy the host had no room for: they do not double
 * @active:	this end opened
 * @wscale_ok:	window scaling was agreed, or in SYN-SENT: offered; so are the
 *		next ones
 * @tstamp_ok:	timestamps were agreed
 * @tsecr_ok:	the peer's TSecr can be relied on
 * @sack_ok:	SACK was agreed
 * @ecn_ok:	ECN was agreed
 * @ecn_setup:	the SYN still asks for it
 * @hurried:	the first copy of the SYN is due at once
 * @delayed:	the first answer is held back
 * @acked:	an acceptable ACK came but could not complete the handshake
 * @limited:	@limited_ms is valid
 */
struct hs_tcb {
	u32 iss;
	u32 irs;
	u32 ts_recent;
	u32 ts_offset;
	u32 tsval_first;
	u32 tsval_last;
	u32 limited_ms;
	u32 opened_ms;
	u16 rcv_wnd;
	u16 peer_wnd;
	u16 peer_mss;
	u16 advertised_mss;
	u16 syn_data;
	u16 timeouts;
	u8 snd_wscale;
	u8 rcv_wscale;
	u8 state;
	u8 retransmits;
	u8 segments_sent;
	u8 unsent;
	bool active : 1;
	bool wscale_ok : 1;
	bool tstamp_ok : 1;
	bool tsecr_ok : 1;
	bool sack_ok : 1;
	bool ecn_ok : 1;
	bool ecn_setup : 1;
	bool hurried : 1;
	bool delayed : 1;
	bool acked : 1;
	bool limited : 1;
};

/**
 * struct hs_offer - what this end is willing to negotiate on a SYN
 * @user_mss:	clamp of the peer's MSS (TCP_MAXSEG), 0 for none
 * @default_mss: MSS of a peer that announces none: 536 or 1220 (RFC 9293
 *		section 3.7.1)
 * @sack:	SACK
 * @timestamps:	timestamps
 * @wscale:	window scaling
 * @ecn:	ECN when the SYN is a plain ECN-setup SYN (RFC 3168 section 6.1.1)
 * @ecn_always:	ECN whatever the IP header says (the congestion control or the
 *		route demands it)
 */
struct hs_offer {
	u16 user_mss;
	u16 default_mss;
	bool sack;
	bool timestamps;
	bool wscale;
	bool ecn;
	bool ecn_always;
};

/**
 * struct hs_policy - what may change between two events of a flow
 * @rto_initial_ms: first retransmission timeout
 * @rto_max_ms:	cap of the timeout
 * @ratelimit_ms: least time between two answers to invalid or duplicate
 *		segments, 0 for no limit (RFC 5961 section 7)
 * @delay_ms:	the first answer is sent this much later
 * @deadline_ms: the flow ends so long after its first segment, 0 for never
 * @lose:	bit n - 1: the n-th segment is not sent
 * @synack_retries: timer expiries that send a copy of a SYN-ACK
 * @syn_retries: timer expiries of an active open that send a copy, without
 * @syn_linear_timeouts: those before the timeout begins to double
 * @freeze:	enum threeway_freeze
 * @defer_accept: timer expiries for which a bare ACK does not complete the
 *		handshake (TCP_DEFER_ACCEPT), 0 for none
 * @accept_queue_full: the listener would refuse a connection now
 * @abort_on_overflow: then reset the peer (net.ipv4.tcp_abort_on_overflow)
 * @native_cookies: the native stack has sent SYN cookies for this listener
 * @cookie_back: the segment brings back a SYN cookie of the engine
 * @ecn_fallback: a copy of the SYN does not ask for ECN (RFC 3168 section
 *		6.1.1.1)
 * @challenges_spent: all flows together may send no more challenge ACKs now (RFC
 *		5961 section 7)
 * @hold:	the engine keeps the connection
 */
struct hs_policy {
	u32 rto_initial_ms;
	u32 rto_max_ms;
	u32 ratelimit_ms;
	u32 delay_ms;
	u32 deadline_ms;
	u32 lose;
	u8 synack_retries;
	u8 syn_retries;
	u8 syn_linear_timeouts;
	u8 freeze;
	u8 defer_accept;
	bool accept_queue_full;
	bool abort_on_overflow;
	bool native_cookies;
	bool cookie_back;
	bool ecn_fallback;
	bool challenges_spent;
	bool hold;
};

enum hs_verdict {
	HS_NATIVE = 0,	/* not ours: let the native stack have it */
	HS_DROP,	/* dealt with: free it */
	HS_HANDOFF,	/* completes the handshake: hand over, then native */
	HS_COOKIE,	/* completes another one: it is of no flow from now on */
};

enum hs_timer {
	HS_TIMER_KEEP = 0,
	HS_TIMER_SET,
};

/* counter and end: no such event */
#define HS_NONE		THREEWAY_COUNTER_MAX

/**
 * struct hs_actions - what an event asks the caller to do
 * @verdict:	what becomes of the segment
 * @timer:	whether to set the timer
 * @timer_ms:	from now on, when @timer is HS_TIMER_SET
 * @counter:	enum threeway_counter for the segment, or HS_NONE
 * @sent:	enum threeway_counter for @reply, or HS_NONE
 * @end:	enum threeway_counter for the end of the flow, or HS_NONE: the
 *		caller deletes it
 * @reply:	at most one segment to send
 * @lost:	the lab wants it lost: do not send it
 */
struct hs_actions {
	enum hs_verdict verdict;
	enum hs_timer timer;
	u32 timer_ms;
	enum threeway_counter counter;
	enum threeway_counter sent;
	enum threeway_counter end;
	struct hs_reply reply;
	bool lost;
};

/**
 * hs_actions_init() - nothing to do
 * @actions:	result
 * @verdict:	what becomes of the segment
 */
void hs_actions_init(struct hs_actions *actions, enum hs_verdict verdict);

/**
 * hs_listen_arrives() - a segment for a claimed LISTEN, no flow
 * @seg:	the segment
 * @source_port: of the segment, host byte order
 * @actions:	result
 *
 * RFC 9293 section 3.10.7.2. Only a plain SYN is the engine's (HS_HANDOFF is
 * never returned; HS_DROP with counter HS_NONE means: open a flow). A SYN from
 * port 0 is dropped (a reply could reach nobody). All else is HS_NATIVE: the
 * native listener ignores, drops or resets it as it should. With a counter it
 * is what LISTEN drops and CLOSED would reset: where no listener is, the caller
 * has to drop it.
 */
void hs_listen_arrives(const struct hs_segment *seg, u16 source_port,
		       struct hs_actions *actions);

/**
 * hs_tcb_passive_open() - enter SYN-RECEIVED from LISTEN
 * @tcb:	result; the caller fills rcv_wnd, rcv_wscale and advertised_mss,
 *		which come from the route and the listener's buffers
 * @seg:	the SYN
 * @offer:	what this end is willing to negotiate
 * @iss:	initial send sequence number
 * @ts_offset:	timestamp offset of the tuple
 *
 * Negotiates the options by RFC 9293 section 3.10.7.2, RFC 7323 and RFC 3168.
 */
void hs_tcb_passive_open(struct hs_tcb *tcb, const struct hs_segment *seg,
			 const struct hs_offer *offer, u32 iss, u32 ts_offset);

/**
 * hs_synack_first() - the first SYN-ACK, and its timer
 * @tcb:	in SYN-RECEIVED
 * @policy:	in force now
 * @now_ms:	the timestamp clock
 * @actions:	result: reply, sent and timer
 */
void hs_synack_first(struct hs_tcb *tcb, const struct hs_policy *policy,
		     u32 now_ms, struct hs_actions *actions);

/**
 * hs_listen_refuse() - answer a SYN by RST, as a closed port does
 * @seg:	the SYN
 * @actions:	result
 */
void hs_listen_refuse(const struct hs_segment *seg, struct hs_actions *actions);

/**
 * hs_tcb_active_open() - enter SYN-SENT
 * @tcb:	result
 * @syn:	the SYN as the native stack or the user would have it: its window,
 *		options and ECN bits
 * @offer:	what of it may be offered
 * @iss:	initial send sequence number
 * @ts_offset:	timestamp offset of the tuple
 */
void hs_tcb_active_open(struct hs_tcb *tcb, const struct hs_segment *syn,
			const struct hs_offer *offer, u32 iss, u32 ts_offset);

/**
 * hs_syn_first() - the first SYN, and its timer
 * @tcb:	in SYN-SENT
 * @policy:	in force now
 * @now_ms:	the timestamp clock
 * @actions:	result: reply, sent and timer
 */
void hs_syn_first(struct hs_tcb *tcb, const struct hs_policy *policy,
		  u32 now_ms, struct hs_actions *actions);

/**
 * hs_tcb_peer_syn() - take the peer's SYN or SYN-ACK into an active open
 * @tcb:	in SYN-SENT
 * @seg:	the segment
 *
 * What only one end offered is off afterwards.
 */
void hs_tcb_peer_syn(struct hs_tcb *tcb, const struct hs_segment *seg);

/* Return: HS_OPT_* that a SYN-ACK must not bring. Context: SYN-SENT. */
u16 hs_tcb_unoffered(const struct hs_tcb *tcb);

/**
 * hs_tcb_replay_synack() - the SYN-ACK that the peer might as well have sent
 * @tcb:	in SYN-RECEIVED after a simultaneous open
 * @synack:	result
 *
 * For a native socket that has not seen the SYNs cross.
 */
void hs_tcb_replay_synack(const struct hs_tcb *tcb, struct hs_reply *synack);

/**
 * hs_segment_may_complete() - is it an ACK of just our SYN, as ends a handshake?
 * @seg:	the segment
 * @iss:	our initial sequence number
 *
 * A look at it only: hs_segment_arrives() decides.
 */
static inline bool hs_segment_may_complete(const struct hs_segment *seg,
					   u32 iss)
{
	if ((seg->flags & (HS_SYN | HS_ACK | HS_RST)) != HS_ACK)
		return false;
	return seg->ack == iss + 1;
}

/**
 * hs_syn_answered() - is it the SYN-ACK that our latest SYN asks for?
 * @tcb:	in any state
 * @seg:	the segment
 *
 * Nearly every active open ends by it. For a flow that is not held it is
 * HS_HANDOFF and nothing else, whatever the policy and the time:
 * hs_segment_arrives() need not be asked. Without it that one decides.
 */
bool hs_syn_answered(const struct hs_tcb *tcb, const struct hs_segment *seg);

/**
 * hs_segment_arrives() - a segment for a flow
 * @tcb:	in any state
 * @seg:	the segment
 * @policy:	in force now
 * @now_ms:	the timestamp clock
 * @actions:	result
 *
 * RFC 9293 section 3.10.7. HS_HANDOFF means that the handshake is complete; the
 * tcb stays as it is, so that nothing is lost if the native stack drops the
 * segment after all.
 */
void hs_segment_arrives(struct hs_tcb *tcb, const struct hs_segment *seg,
			const struct hs_policy *policy, u32 now_ms,
			struct hs_actions *actions);

/**
 * hs_held_finish() - the handshake is complete and the engine keeps it
 * @tcb:	in SYN-SENT or SYN-RECEIVED
 * @seg:	the segment that completed it
 * @policy:	in force now
 * @now_ms:	the timestamp clock
 * @actions:	result
 */
void hs_held_finish(struct hs_tcb *tcb, const struct hs_segment *seg,
		    const struct hs_policy *policy, u32 now_ms,
		    struct hs_actions *actions);

/* The RST that ends a connection in ESTABLISHED: RFC 9293 section 3.10.5. */
void hs_held_abort(const struct hs_tcb *tcb, struct hs_reply *reply);

/**
 * hs_timer_fires() - the timer of a flow
 * @tcb:	in any state
 * @policy:	in force now
 * @now_ms:	the timestamp clock
 * @actions:	result
 */
void hs_timer_fires(struct hs_tcb *tcb, const struct hs_policy *policy,
		    u32 now_ms, struct hs_actions *actions);

/**
 * hs_copy_lost() - the copy that was asked for could not be sent
 * @tcb:	in SYN-SENT or SYN-RECEIVED
 *
 * A copy that never left does not spoil the round-trip sample.
 */
void hs_copy_lost(struct hs_tcb *tcb);

/**
 * hs_copy_congested() - the host itself had no room for the copy
 * @tcb:	in SYN-SENT or SYN-RECEIVED, after hs_timer_fires()
 * @policy:	in force now
 * @now_ms:	the timestamp clock
 * @actions:	result: the timer
 *
 * As the native stack has it: the next one comes soon, but not for ever, and what
 * has told nothing about the path does not double the timeout.
 *
 * Return: the timeout as it stays, in ms.
 */
u32 hs_copy_congested(struct hs_tcb *tcb, const struct hs_policy *policy,
		      u32 now_ms, struct hs_actions *actions);

/* The segment that the state repeats: SYN, or SYN-ACK in SYN-RECEIVED. */
void hs_tcb_copy(struct hs_tcb *tcb, u32 now_ms, struct hs_reply *reply);

/* Has a held flow stopped where the user wants it? */
bool hs_frozen(const struct hs_tcb *tcb, const struct hs_policy *policy);

/**
 * hs_retries_left() - timer expiries that will still send a copy
 * @tcb:	in any state
 * @policy:	in force now
 */
u32 hs_retries_left(const struct hs_tcb *tcb, const struct hs_policy *policy);

#endif /* HS_CORE_TCB_H */
