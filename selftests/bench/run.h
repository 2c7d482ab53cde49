/* SPDX-License-Identifier: GPL-2.0 */
/* Batches of operations, and what they cost. */
#ifndef HS_RUN_H
#define HS_RUN_H

#include "load.h"

/**
 * struct hs_run - an operation
 * @port:	of the service
 * @count:	how many times
 * @warm:	how many of them are not measured
 * @first:	number of the first peer of the batch
 * @skb:	segments of the batch
 * @sock:	sockets of the batch
 * @opened:	measured: SYNs, connect(), or data sent
 * @completed:	measured: ACKs, SYN-ACKs, or data received
 */
struct hs_run {
	u16 port;
	u32 count;
	u32 warm;
	u32 first;
	struct sk_buff *skb[HS_BATCH];
	struct socket *sock[HS_BATCH];
	struct hs_costs opened;
	struct hs_costs completed;
};

/* The counter without what was done for other reasons meanwhile. */
u64 hs_clock(void);

/* The host receives the segments of the batch. Return: what it costs. */
u64 hs_run_receive(struct hs_run *run, bool completes);

/* Makes SYNs for a new batch; the host answers them with SYN-ACKs. */
int hs_batch_syn(struct hs_run *run);

/* Makes the ACKs of those. */
int hs_run_acks(struct hs_run *run);

/* The answer to what the host has sent: the specification, and is it right? */
bool hs_run_answer(const struct hs_run *run, unsigned int n,
		   struct hs_spec *spec);

/* Frees the segments that the host has not received. */
void hs_run_drop(struct hs_run *run);

/* What was measured so far does not count. */
void hs_run_forget(struct hs_run *run);

/* Appends a name and a number to a result. */
int hs_print(const char *what, u64 tenths, char *result);

/* talk.c: data on a connection */
int hs_exchange(struct hs_run *run, char *result);

#endif /* HS_RUN_H */
