/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The native socket of a connect() that the engine does.
 *
 * It stays in SYN-SENT, with the engine's ISS, its SYN in its retransmit queue
 * and its own timer parked far away. When a copy is due, or connect() has to
 * fail, that timer's function is called: congestion state, counters, wake-ups
 * and the error are native code, and so is the SYN until it reaches LOCAL_OUT.
 * Whoever lets go of the socket before it is connected gives it its timer back,
 * and it goes on by itself.
 *
 * A flow does not hold its socket: it looks it up, so that a socket that was
 * closed is gone at once. It does so by the socket's address: the interface that it
 * is bound to, on which the native look-up insists, may change meanwhile.
 */
#ifndef HS_SOCKET_H
#define HS_SOCKET_H

#include <net/sock.h>
#include <net/tcp.h>

#include "flow.h"
#include "packet.h"

/* Remember whose connect() it is, for hs_socket_get(). Context: LOCAL_OUT. */
void hs_socket_note(struct hs_flow *flow, const struct sock *sk);

/**
 * hs_socket_get() - the socket of a flow
 * @flow:	an active flow of mode handoff
 *
 * Context: RCU. Return: the referenced socket in whatever state, or NULL when it
 * was closed or does something else now.
 */
struct sock *hs_socket_get(const struct hs_flow *flow);

/*
 * Its memory may have become another socket since, and ip_dynaddr changes its
 * address.
 */
bool hs_socket_has_key(const struct sock *sk, const struct hs_flow *flow);

/* Is it still in the connect() of the flow? */
bool hs_socket_connects(const struct hs_flow *flow, const struct sock *sk);

/* Is it the first SYN of a connect()? Context: the socket locked, LOCAL_OUT. */
static inline bool hs_socket_first(const struct sock *sk,
				   const struct hs_segment *syn)
{
	/* what has left is behind SND.NXT */
	return tcp_sk(sk)->snd_nxt == syn->seq;
}

/**
 * hs_socket_objection() - does the native stack have to do this connect()
 * @sk:		a socket in SYN-SENT, locked
 * @seg:	its SYN
 *
 * Return: the counter of the reason, or HS_NONE.
 */
enum threeway_counter hs_socket_objection(const struct sock *sk,
					  const struct hs_segment *seg);

/* Give the first SYN another ISS. Context: the socket locked, LOCAL_OUT. */
void hs_socket_set_iss(struct sock *sk, u32 iss);

/* Keep the native timer away. Context: the socket locked, LOCAL_OUT. */
void hs_socket_first_park(struct sock *sk);

/**
 * hs_socket_park() - keep the native timer away from now on
 * @sk:		the socket, locked and not in use
 * @timeouts:	timeouts so far
 * @rto_ms:	the timeout now
 *
 * The numbers are for those who look at the socket.
 */
void hs_socket_park(struct sock *sk, u32 timeouts, u32 rto_ms);

/* The opposite: it goes on alone. Arguments and context are the same. */
void hs_socket_let_go(struct sock *sk, u32 timeouts, u32 rto_ms);

/**
 * hs_socket_prepare_copy() - the native timer is to send the SYN again
 * @sk:		the socket, locked and not in use
 * @timeouts:	timeouts so far
 */
void hs_socket_prepare_copy(struct sock *sk, u32 timeouts);

/* It is to end connect(), by ETIMEDOUT or the soft error that was remembered. */
void hs_socket_prepare_end(struct sock *sk);

/**
 * hs_socket_fire() - call the native timer's function
 * @sk:		the socket, prepared and not locked
 *
 * Should somebody have begun to use it meanwhile, he does the work when he is
 * done.
 *
 * Context: BH, no flow locked: a SYN passes LOCAL_OUT before this returns.
 */
void hs_socket_fire(struct sock *sk);

/* After it has ended: what TCP_INFO says of the retransmissions. */
void hs_socket_ended(struct sock *sk, u32 timeouts);

/**
 * hs_socket_resume() - give the socket back to the native stack
 * @flow:	an active flow of mode handoff that has ended
 * @until:	jiffies until when it may be in use. Whoever sleeps longer with it
 *		does not touch its timer meanwhile, and nobody else is to wait
 *		for him: a page of his own file system, a module to be loaded.
 *
 * Context: process.
 */
void hs_socket_resume(struct hs_flow *flow, unsigned long until);

/**
 * hs_socket_count() - count a segment that the socket does not get to see
 * @sk:		the socket
 * @pkt:	the segment
 *
 * Context: BH, the socket not locked.
 */
void hs_socket_count(struct sock *sk, const struct hs_packet *pkt);

/**
 * hs_socket_inject() - have the socket receive a segment that was made up
 * @flow:	its flow
 * @sk:		the socket, locked
 * @reply:	the segment, as the peer would have sent it
 * @model:	a segment that did arrive
 *
 * Context: BH. Return: 0 or -ENOMEM.
 */
int hs_socket_inject(const struct hs_flow *flow, struct sock *sk,
		     const struct hs_reply *reply, const struct sk_buff *model);

#endif /* HS_SOCKET_H */
