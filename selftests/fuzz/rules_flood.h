/* SPDX-License-Identifier: GPL-2.0 */
/* What must hold of cookies, of what sources may take, and of pressure. */
#ifndef FUZZ_RULES_FLOOD_H
#define FUZZ_RULES_FLOOD_H

#include "bucket.h"
#include "cookie.h"
#include "pressure.h"

/**
 * struct cookie_sent - a cookie on its way
 * @agreed:	after the SYN, as it would be without cookies
 * @kept:	what the cookie keeps of it
 * @cookie:	what its hash covers
 * @hash:	of it
 * @synack:	what was sent
 * @now_s:	when
 * @now_ms:	the same on the timestamp clock
 * @v6:		IPv6
 */
struct cookie_sent {
	struct hs_tcb agreed;
	struct hs_tcb kept;
	struct hs_cookie cookie;
	u64 hash;
	struct hs_reply synack;
	u64 now_s;
	u32 now_ms;
	bool v6;
};

/* hs_cookie_open() and hs_cookie_synack(), from @agreed, @hash and so on. */
void cookie_send(struct cookie_sent *sent);
void rules_cookie_sent(const struct cookie_sent *sent);

/* Is it a TSval's part of a cookie that can have been made? */
bool cookie_can_be(u32 tsecr);

/* Of the answer to hs_cookie_read(), and to hs_cookie_valid(). */
void rules_cookie_read(const struct hs_cookie *cookie,
		       const struct hs_segment *seg, u64 now_s, bool can);
void rules_cookie_valid(const struct hs_segment *seg, u64 hash, bool valid);

/* Of an accepted cookie: any, and the one that was sent. */
void rules_cookie_accepted(const struct hs_tcb *tcb,
			   const struct hs_segment *seg, u16 user_mss, bool v6,
			   u32 ts_offset, u32 now_ms);
void rules_cookie_same(const struct cookie_sent *sent,
		       const struct hs_tcb *tcb, const struct hs_segment *ack);

/**
 * struct bucket_step - a SYN of a source
 * @before:	its word
 * @after:	the same since
 * @tag:	of the source
 * @flow:	whether it makes a half-open flow
 * @now_ns:	when
 * @answer:	what became of it
 */
struct bucket_step {
	u64 before;
	u64 after;
	u16 tag;
	bool flow;
	u64 now_ns;
	enum hs_bucket_answer answer;
};

void rules_limits(const struct hs_bucket_limits *limits, u32 rate, u32 burst,
		  u32 flows);
void rules_bucket_take(const struct bucket_step *step,
		       const struct hs_bucket_limits *limits);
void rules_bucket_put(u64 before, u64 after, u16 tag, bool put);

/**
 * struct pressure_step - a call of hs_pressure_update()
 * @before:	the state
 * @after:	the same since
 * @used:	the arguments
 * @limit:	likewise
 * @now_ms:	likewise
 * @change:	the answer
 */
struct pressure_step {
	struct hs_pressure before;
	struct hs_pressure after;
	u64 used;
	u64 limit;
	u32 now_ms;
	enum hs_pressure_change change;
};

void rules_pressure(const struct pressure_step *step);

#endif /* FUZZ_RULES_FLOOD_H */
