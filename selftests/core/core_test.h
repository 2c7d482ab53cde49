/* SPDX-License-Identifier: GPL-2.0 */
/* What the unit tests of the core share. */
#ifndef CORE_TEST_H
#define CORE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include "isn.h"
#include "option.h"
#include "schedule.h"
#include "segment.h"
#include "seq.h"
#include "tcb.h"

#include <cmocka.h>

typedef __s64 s64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* One test of a list; its name begins with the ids of the rules it proves. */
#define TEST(title, function)	{ title, function, NULL, NULL, NULL }

struct suite {
	const struct cm_unit_test *tests;
	size_t count;
};

/* Offers the list called tests to main.c. */
#define SUITE(name)	const struct suite name = { tests, ARRAY_SIZE(tests) }

extern const struct suite option_suite;
extern const struct suite option_random_suite;
extern const struct suite segment_suite;
extern const struct suite seq_suite;
extern const struct suite schedule_suite;
extern const struct suite isn_suite;
extern const struct suite listen_suite;
extern const struct suite open_suite;
extern const struct suite matrix_suite;
extern const struct suite arrives_suite;
extern const struct suite limit_suite;
extern const struct suite timestamps_suite;
extern const struct suite timer_suite;
extern const struct suite defer_suite;
extern const struct suite random_suite;
extern const struct suite syn_sent_suite;
extern const struct suite syn_timer_suite;
extern const struct suite crossed_suite;
extern const struct suite hold_suite;
extern const struct suite two_ends_suite;
extern const struct suite two_ends_random_suite;
extern const struct suite random_active_suite;
extern const struct suite icmp_suite;
extern const struct suite follow_suite;
extern const struct suite cookie_suite;
extern const struct suite cookie_guard_suite;
extern const struct suite bucket_suite;
extern const struct suite pressure_suite;
extern const struct suite corpus_suite;
extern const struct suite isn_quality_suite;

/* Fails the running test, with the reason as a TAP comment. */
#define FAIL(...)							\
	do {								\
		print_message("# ");					\
		print_message(__VA_ARGS__);				\
		print_message("\n");					\
		fail();							\
	} while (0)

/* random.c: repeatable random numbers, seeded by CORE_SEED */
void random_start(void);
u32 random_u32(void);
u32 random_below(u32 limit);
bool random_one_in(u32 n);
/* Often 0, 2^31, 2^32 - 1 and the like. */
u32 random_corner(void);
/* Often near to what the flow would take. */
struct hs_segment random_segment(const struct hs_tcb *tcb);
/* The number of cases, CORE_ROUNDS times as many as asked for. */
u32 random_rounds(u32 cases);

/*
 * fixture.c: flows with round numbers, and segments for them. Their clock reads
 * 0 when the first SYN or SYN-ACK leaves.
 */
#define ISS		0x40000000U
#define IRS		0x70000000U
#define WINDOW		1000U	/* promised in the SYN-ACK, in bytes */
#define RCV_WSCALE	3
#define TS_RECENT	5000U
#define TS_OFFSET	700000U

#define SYN_SOON_MS	8	/* after an ACK that our SYN cannot have caused */

struct hs_tcb fixture_tcb(u32 iss, u32 irs);
/* An active open that offers everything but ECN. */
struct hs_tcb fixture_syn_sent(u32 iss);
/* The same after the SYNs have crossed, all agreed. */
struct hs_tcb fixture_crossed(u32 iss, u32 irs);
/* A connection that the engine keeps. */
struct hs_tcb fixture_held(u32 iss, u32 irs);
struct hs_policy fixture_policy(void);
struct hs_segment segment(u8 flags, u32 seq, u32 ack, u32 data_len);
struct hs_segment stamped(struct hs_segment seg, u32 tsval, u32 tsecr);
/* A SYN or SYN-ACK with every option, as fixture_crossed() had it. */
struct hs_segment with_options(struct hs_segment seg);

/* What can become of a segment for a flow. */
enum outcome {
	HANDOFF,
	SYNACK,			/* duplicate SYN: the same SYN-ACK again */
	SYNACK_LIMITED,
	BAD_ACK,		/* RST, flow stays */
	COOKIE_ACK,		/* to native, flow stays */
	COOKIE_BACK,		/* the flow gives way to a cookie's */
	PAWS,
	PAWS_LIMITED,
	TSECR,
	TSECR_LIMITED,
	RST_EXACT,		/* flow ends in silence */
	RST_CHALLENGED,
	RST_LIMITED,
	CHALLENGES_SPENT,
	RST_IGNORED,
	OUTSIDE,		/* ACK, flow stays */
	OUTSIDE_LIMITED,
	SYN_RESET,		/* RST, flow ends */
	NO_ACK,
	DEFERRED,
	QUEUE_FULL,		/* dropped, flow stays */
	OVERFLOW_RESET,		/* RST, flow ends */
	/* SYN-SENT */
	BAD_ACK_SOON,		/* RST, and the SYN again at once */
	SENT_RST_IGNORED,
	REFUSED,		/* to native, flow ends */
	NO_SYN,
	TSECR_RESET,		/* RST, flow stays */
	TSECR_DROPPED,
	PAWS_DROPPED,
	CROSSED,		/* SYN-ACK, SYN-RECEIVED */
	/* SYN-RECEIVED from SYN-SENT, and ESTABLISHED */
	REFUSED_EXACT,		/* flow ends, the user hears of it */
	CHALLENGED,		/* SYN: ACK */
	CHALLENGE_LIMITED,
	/* held */
	HELD,
	HELD_ANSWERED,		/* ACK */
	FROZEN,
	OUTCOMES
};

const char *outcome_name(enum outcome outcome);

/*
 * Gives the segment to the flow and requires the outcome: verdict, counters,
 * every field of the reply, timer, and that nothing else of the tcb changed.
 * @cell names the case in the message when it fails.
 */
void arrive_expect(const char *cell, struct hs_tcb *tcb,
		   const struct hs_segment *seg,
		   const struct hs_policy *policy, u32 now_ms,
		   enum outcome want);

/* The same at a given time for a fresh fixture and its policy. */
void expect_at(const char *cell, struct hs_segment seg, u32 now_ms,
	       enum outcome want);

void expect_tcb_equal(const char *cell, const struct hs_tcb *got,
		      const struct hs_tcb *want);
void expect_reply_equal(const char *cell, const struct hs_reply *got,
			const struct hs_reply *want);

/* The segments that a flow may send, from the rules and not from the core. */
struct hs_reply want_synack(const struct hs_tcb *tcb, u32 now_ms);
struct hs_reply want_ack(const struct hs_tcb *tcb, u32 now_ms);
struct hs_reply want_rst(const struct hs_segment *seg);

/* oracle.c: the rules for each state a second time, by brute force */
enum outcome oracle(const struct hs_tcb *tcb, const struct hs_segment *seg,
		    const struct hs_policy *policy, u32 now_ms);
bool oracle_acceptable(u32 seq, u32 len, u32 rcv_nxt, u32 rcv_wnd);

#endif /* CORE_TEST_H */
