/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A segment that arrived for a flow, and the checks that several states share.
 * A check returns whether it has dealt with the segment. For the core only.
 */
#ifndef HS_CORE_ARRIVAL_H
#define HS_CORE_ARRIVAL_H

#include "tcb.h"

/* What arrived, and where its consequences go. */
struct hs_arrival {
	struct hs_tcb *tcb;
	const struct hs_segment *seg;
	const struct hs_policy *policy;
	u32 now_ms;
	struct hs_actions *actions;
};

/* May not even an answer be sent? If it may, it counts. */
bool hs_rate_limited(const struct hs_arrival *a);

/* Return: whether the ACK goes out. */
bool hs_answer_ack(const struct hs_arrival *a);
void hs_answer_rst(const struct hs_arrival *a);

/* Older than TS.Recent? */
bool hs_arrival_old(const struct hs_arrival *a);

bool hs_check_timestamps(const struct hs_arrival *a);
bool hs_check_rst(const struct hs_arrival *a, enum threeway_counter end);
bool hs_check_sequence(const struct hs_arrival *a);

/* A SYN in a state that has seen one: RFC 5961 section 4.2. */
bool hs_check_syn_challenge(const struct hs_arrival *a);

/* Is ECN still on after the peer's SYN or SYN-ACK? RFC 3168 section 6.1.1. */
bool hs_agree_ecn(const struct hs_tcb *tcb, u8 flags);

/* The states; each deals with every segment. */
void hs_syn_sent_arrives(const struct hs_arrival *a);
void hs_syn_received_arrives(const struct hs_arrival *a);
void hs_held_arrives(const struct hs_arrival *a);

#endif /* HS_CORE_ARRIVAL_H */
