// SPDX-License-Identifier: GPL-2.0
/* Arithmetic, against the same in numbers that do not wrap. */
#include "any.h"
#include "follow.h"
#include "icmp.h"
#include "isn.h"
#include "schedule.h"
#include "seq.h"

/* The largest window: 65535 shifted by 14 (RFC 7323 section 2.3). */
#define WINDOW_MAX	(65535U << HS_WSCALE_MAX)

static __s64 distance(u32 from, u32 to)
{
	__s64 d = (__s64)to - (__s64)from;

	if (d >= 0x80000000LL)
		return d - 0x100000000LL;
	return d < -0x80000000LL ? d + 0x100000000LL : d;
}

void prove_seq_acceptable(void)
{
	u32 seq = nondet_u32(), len = nondet_u32();
	u32 nxt = nondet_u32(), wnd = nondet_u32();
	bool got = hs_seq_acceptable(seq, len, nxt, wnd);
	__s64 first = distance(nxt, seq);
	__s64 last = first + len - 1;

	ASSUME(len <= SEGMENT_MAX && wnd <= WINDOW_MAX);
	RULE("no data, no window: SEG.SEQ = RCV.NXT",
	     IMPLIES(!len && !wnd, got == !first));
	RULE("no data, a window: SEG.SEQ is in it",
	     IMPLIES(!len && wnd, got == (first >= 0 && first < wnd)));
	RULE("data, no window: never", IMPLIES(len && !wnd, !got));
	RULE("data, a window: first or last octet is in it",
	     IMPLIES(len && wnd, got == ((first >= 0 && first < wnd) ||
					 (last >= 0 && last < wnd))));
	REACH("both", got);
	REACH("neither", !got);
}

void prove_seq_order(void)
{
	u32 a = nondet_u32(), b = nondet_u32(), c = nondet_u32();
	__s64 d = distance(a, b);

	RULE("before is a positive distance, but for the farthest",
	     IMPLIES(d != -0x80000000LL, hs_seq_before(a, b) == (d > 0)));
	RULE("after is before, turned round",
	     hs_seq_after(a, b) == hs_seq_before(b, a));
	RULE("between counts upwards from the lower end",
	     hs_seq_between(c, a, b) == ((c - a) <= (b - a)));
	REACH("before", hs_seq_before(a, b));
}

void prove_rto(void)
{
	u32 initial_ms = nondet_u32(), max_ms = nondet_u32();
	u32 timeouts = nondet_u32();
	u32 got = hs_rto_ms(initial_ms, max_ms, timeouts);
	u64 want = (u64)initial_ms << (timeouts < 32 ? timeouts : 32);

	if (want > max_ms)
		want = max_ms;
	RULE("the timeout doubles each time, up to its maximum", got == want);
	REACH("a maximum", got == max_ms && timeouts);
}

void prove_retries_pressed(void)
{
	u32 retries = nondet_u8();
	u32 flows = nondet_u32(), young = nondet_u32();
	u32 backlog = nondet_u32();
	u32 got = hs_retries_pressed(retries, flows, young, backlog);

	RULE("pressure takes retries away, but not the last two",
	     got <= retries && (got == retries || got >= 2));
	RULE("no pressure below half the backlog",
	     IMPLIES((u64)flows * 2 <= backlog, got == retries));
	REACH("pressure", got < retries);
}

void prove_time_wait(void)
{
	struct hs_segment syn = any_segment();
	struct hs_time_wait tw;
	u32 iss;

	tw.timestamps = nondet_bool() ? true : false;
	iss = hs_time_wait_iss(&tw);
	RULE("the ISS after TIME-WAIT is beyond the old window, and not 0",
	     iss && (iss == tw.snd_nxt + 65537 || iss == tw.snd_nxt + 65538));
	RULE("a SYN that is neither later nor newer opens nothing",
	     IMPLIES(distance(tw.rcv_nxt, syn.seq) <= 0 &&
		     distance(tw.rcv_nxt, syn.seq) != -0x80000000LL &&
		     !(syn.opts.present & HS_OPT_TIMESTAMPS),
		     !hs_time_wait_reusable(&tw, &syn)));
	REACH("a reuse", hs_time_wait_reusable(&tw, &syn));
}

void prove_isn(void)
{
	u32 hash = nondet_u32();
	u64 now_ns = nondet_u64();
	u32 later_ns = nondet_u32();

	ASSUME(now_ns <= (u64)-1 - later_ns);
	ASSUME(later_ns >= 64);
	RULE("a later ISN of a tuple is after the earlier one",
	     hs_seq_after(hs_isn(hash, now_ns + later_ns),
			  hs_isn(hash, now_ns)));
	RULE("two tuples are as far apart as their hashes",
	     hs_isn(hash, now_ns) - hs_isn(0, now_ns) == hash);
	REACH("a wrap", hs_isn(hash, now_ns + later_ns) < hs_isn(hash, now_ns));
}

static void icmp_arrives(const struct hs_tcb *tcb, enum hs_icmp meaning,
			 u32 seq)
{
	struct hs_policy policy = any_policy();
	enum threeway_counter counter = hs_icmp_arrives(tcb, &policy, meaning,
							seq);

	RULE("a handshake ends by a hard error in its window only, before it is done",
	     IMPLIES(counter == THREEWAY_C_icmp_hard,
		     meaning == HS_ICMP_HARD && hs_icmp_in_window(tcb, seq) &&
		     tcb->state != THREEWAY_ESTABLISHED && !tcb->delayed));
	RULE("an ICMP error out of the window means nothing",
	     IMPLIES(!hs_icmp_in_window(tcb, seq),
		     counter == THREEWAY_C_icmp_ignored ||
		     counter == THREEWAY_C_icmp_out_of_window));
	REACH("an end by ICMP", counter == THREEWAY_C_icmp_hard);
}

void prove_icmp(void)
{
	struct hs_tcb tcb = any_tcb();
	bool v6 = nondet_bool() ? true : false;
	u8 type = nondet_u8(), code = nondet_u8();
	u32 seq = nondet_u32();
	enum hs_icmp meaning = hs_icmp_classify(v6, type, code);

	RULE("an ICMP error has one of the meanings",
	     meaning <= HS_ICMP_REDIRECT);
	RULE("hard are unreachable protocols and ports only, and prohibition by ICMPv6",
	     IMPLIES(meaning == HS_ICMP_HARD,
		     v6 ? type == 1 && (code == 1 || code == 4) :
			  type == 3 && (code == 2 || code == 3)));
	RULE("an ICMP error counts only for what may be in flight",
	     IMPLIES(hs_icmp_in_window(&tcb, seq),
		     seq == tcb.iss || (seq == tcb.iss + 1 &&
		     (tcb.active || tcb.state != THREEWAY_SYN_RECEIVED))));
	REACH("a hard error", meaning == HS_ICMP_HARD);
	icmp_arrives(&tcb, meaning, seq);
}

void prove_follow(void)
{
	struct hs_segment seg = any_segment();
	struct hs_tcb before, tcb;
	enum hs_followed was;

	ASSUME(before.state >= THREEWAY_LISTEN &&
	       before.state <= THREEWAY_SYN_RECEIVED);
	tcb = before;
	hs_follow_arrived(&tcb, &seg);
	RULE("what comes to him changes neither his state nor his ISS",
	     tcb.state == before.state && tcb.iss == before.iss);
	RULE("a RST says nothing about a handshake",
	     IMPLIES(seg.flags & HS_RST, same_tcb(&tcb, &before, false)));
	tcb = before;
	was = hs_follow_sent(&tcb, &seg);
	RULE("only his SYN-ACK brings him to SYN-RECEIVED, once",
	     (was == HS_FOLLOWED_FIRST) ==
	     (before.state != THREEWAY_SYN_RECEIVED &&
	      (seg.flags & (HS_SYN | HS_ACK | HS_RST)) ==
	      (HS_SYN | HS_ACK)) &&
	     IMPLIES(was != HS_FOLLOWED_FIRST, tcb.state == before.state));
	RULE("what he sends does not change the peer's numbers",
	     tcb.irs == before.irs && tcb.peer_mss == before.peer_mss);
	REACH("his SYN-ACK", was == HS_FOLLOWED_FIRST);
	REACH("a copy", was == HS_FOLLOWED_COPY);
	tcb = before;
	RULE("he is reset by a RST only",
	     IMPLIES(hs_follow_reset(&tcb, &seg), seg.flags & HS_RST));
	RULE("his handshake completes by an ACK of his SYN, never by a RST",
	     IMPLIES(hs_follow_completes(&tcb, &seg),
		     (seg.flags & HS_ACK) && !(seg.flags & HS_RST) &&
		     seg.ack - (tcb.iss + 1) <= tcb.syn_data));
	RULE("asking changes nothing", same_tcb(&tcb, &before, false));
	REACH("an end by RST", hs_follow_reset(&tcb, &seg));
	REACH("a completed handshake", hs_follow_completes(&tcb, &seg));
}

void prove_follow_opened(void)
{
	struct hs_segment syn = any_segment();
	u32 now_ms = nondet_u32();
	struct hs_tcb tcb;

	ASSUME((syn.flags & (HS_SYN | HS_ACK | HS_RST)) == HS_SYN);
	hs_follow_active(&tcb, &syn, now_ms);
	RULE("his SYN opens in SYN-SENT, with its ISS",
	     tcb.active && tcb.state == THREEWAY_SYN_SENT &&
	     tcb.iss == syn.seq && tcb.opened_ms == now_ms);
	hs_follow_passive(&tcb, &syn, now_ms);
	RULE("a SYN to him opens in LISTEN, with its IRS",
	     !tcb.active && tcb.state == THREEWAY_LISTEN &&
	     tcb.irs == syn.seq && tcb.opened_ms == now_ms);
	REACH("a SYN with data", syn.len > 1);
}
