/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What must hold in every run of the engine, whatever the peer, the clock, the
 * user and the policy do. Each function takes one event and what came of it.
 */
#ifndef FUZZ_RULES_H
#define FUZZ_RULES_H

#include "tcb.h"

/* Timer expiries that a policy can ask for: two counts of at most 255. */
#define EXPIRIES_MAX	510U

/**
 * struct step - one event of a flow
 * @before:	the tcb when it came
 * @after:	the tcb since
 * @policy:	in force
 * @seg:	the segment, NULL for the timer
 * @now_ms:	the timestamp clock
 * @actions:	what is to be done
 */
struct step {
	struct hs_tcb before;
	struct hs_tcb after;
	struct hs_policy policy;
	const struct hs_segment *seg;
	u32 now_ms;
	struct hs_actions actions;
};

/* Of any tcb between two events. */
void rules_tcb(const struct hs_tcb *tcb);

/* Of a segment that hs_segment_parse() has read, and of options. */
void rules_segment(const struct hs_segment *seg);
void rules_options(const struct hs_options *opts, bool syn);

/* Of an event, after it. */
void rules_segment_step(const struct step *step);
void rules_timer_step(const struct step *step);
/* Of hs_syn_first() and hs_synack_first(). */
void rules_first_step(const struct step *step);

/* Does @tcb say the same as @other, @other's ECN aside if @but_ecn? */
bool same_tcb(const struct hs_tcb *tcb, const struct hs_tcb *other,
	      bool but_ecn);

#endif /* FUZZ_RULES_H */
