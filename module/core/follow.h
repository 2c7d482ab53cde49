/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Following a handshake that somebody else does: the state that the segments
 * must have brought him to, by RFC 9293 section 3.5.
 */
#ifndef HS_CORE_FOLLOW_H
#define HS_CORE_FOLLOW_H

#include "tcb.h"

/* What a segment of the followed end was. */
enum hs_followed {
	HS_FOLLOWED_OTHER = 0,	/* none that opens */
	HS_FOLLOWED_FIRST,	/* its SYN or SYN-ACK */
	HS_FOLLOWED_COPY,	/* the same again */
};

/**
 * hs_follow_active() - the followed end sends a SYN
 * @tcb:	result, in SYN-SENT
 * @syn:	the SYN
 * @now_ms:	the timestamp clock
 */
void hs_follow_active(struct hs_tcb *tcb, const struct hs_segment *syn,
		      u32 now_ms);

/**
 * hs_follow_passive() - a SYN comes to the followed end
 * @tcb:	result, in LISTEN
 * @syn:	the SYN
 * @now_ms:	the timestamp clock
 */
void hs_follow_passive(struct hs_tcb *tcb, const struct hs_segment *syn,
		       u32 now_ms);

/* The followed end sends a segment. */
enum hs_followed hs_follow_sent(struct hs_tcb *tcb,
				const struct hs_segment *seg);

/* A segment comes to the followed end. */
void hs_follow_arrived(struct hs_tcb *tcb, const struct hs_segment *seg);

/**
 * hs_follow_reset() - may a RST that comes to the followed end be why it gives up
 * @tcb:	the handshake
 * @seg:	the segment
 *
 * RFC 9293 section 3.10.7, without RFC 5961 in SYN-RECEIVED: not everybody has
 * that.
 */
bool hs_follow_reset(const struct hs_tcb *tcb, const struct hs_segment *seg);

/**
 * hs_follow_completes() - may a segment that comes complete the handshake
 * @tcb:	the handshake
 * @seg:	the segment
 */
bool hs_follow_completes(const struct hs_tcb *tcb,
			 const struct hs_segment *seg);

#endif /* HS_CORE_FOLLOW_H */
