/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SYN cookies: a handshake of which this end remembers nothing until its last
 * segment brings back what was put into the SYN-ACK. RFC 4987 section 3.6.
 *
 * The ISS holds
 *
 *	31                               3   2   1   0
 *	|              tag               | p | class |
 *
 * and the TSval, if timestamps were agreed,
 *
 *	31                   8   7     6     5     4   3     0
 *	|        time        |fine|shift| ECN |SACK |snd_wscale|
 *
 * The tag is a part of a keyed hash over the tuple, IRS and all else that is
 * here but the time, so nothing of it can be changed on the way. The period of
 * 64 s in which the cookie was made is in the hash, too; p is its lowest bit,
 * by which the checker finds the period (and the secret) again and needs one
 * hash. p and the class are masked by the first bits of the tag, so that no bit is
 * the same in all ISSs.
 *
 * For a given tuple, IRS and TSval two periods times four classes are valid at
 * any moment, 8 of 2^32: one blind ACK in 2^29 succeeds. A finer MSS or a third
 * period would cost a bit of that; bits of the TSval cost nothing, as whoever
 * guesses sends just one TSecr with each ACK. They cost time: the TSval of a
 * SYN-ACK is up to HS_COOKIE_TSVAL_BACK_MS old. It is never ahead of the clock,
 * so later ones do not go back (PAWS), but it is a bad sample of the round-trip
 * time.
 *
 * The ISS of a tuple does not grow from one cookie to the next as RFC 6528 would
 * have it. What that protects against, old segments of the previous connection,
 * is the matter of TIME-WAIT: where it is at this end, hs_time_wait_iss() has to
 * be used and cannot be a cookie; where it is at the peer's, nothing that this
 * end does protects the peer less. It cannot be guessed, as RFC 6528 demands;
 * and within a period the same SYN has the same ISS, so a copy gets a copy.
 */
#ifndef HS_CORE_COOKIE_H
#define HS_CORE_COOKIE_H

#include "segment.h"
#include "tcb.h"
#include "types.h"

#define HS_COOKIE_PERIOD_SHIFT	6

/*
 * Hosts that share a secret may have clocks that differ by so much: a cookie is
 * checked as if it were so much later. It is valid for 60 to 124 s.
 */
#define HS_COOKIE_SKEW_S	4
#define HS_COOKIE_LIFETIME_S	124

#define HS_COOKIE_TSVAL_BACK_MS	255

/* The window shift of those who need no more, and that of all others. */
#define HS_COOKIE_SHIFT_SMALL	7
#define HS_COOKIE_SHIFT_LARGE	12

/**
 * struct hs_cookie - what the hash of a cookie covers besides tuple and IRS
 * @count:	number of the period in which it was made
 * @data:	what it carries
 *
 * The caller hashes remote address, local address, both ports, IRS, @count and
 * @data, all of them, by a 64-bit keyed hash that is as good as random (SipHash)
 * and with the secret of @count, see hs_cookie_secret_old().
 */
struct hs_cookie {
	u32 count;
	u32 data;
};

/**
 * hs_cookie_count() - the period that the wall clock is in
 * @now_s:	seconds since 1970, so that all hosts count alike
 */
static inline u32 hs_cookie_count(u64 now_s)
{
	return (u32)(now_s >> HS_COOKIE_PERIOD_SHIFT);
}

/**
 * hs_cookie_secret_from() - where the reign of a new secret begins
 * @count:	of now
 *
 * Some time ahead (64 to 128 s), so that it can be set on several hosts, one
 * after the other, and none of them meets a cookie of a secret that it does not
 * know. All of them have to have it from the same count on. Only the first secret
 * of a host may begin at once.
 */
static inline u32 hs_cookie_secret_from(u32 count)
{
	return count + 2;
}

/**
 * hs_cookie_secret_old() - which of two secrets is that of a cookie
 * @cookie:	from hs_cookie_open() or hs_cookie_read()
 * @from:	count at which the newer secret begins
 *
 * A period has one secret, so a second secret in use does not make guessing
 * easier, and none has to be tried in vain.
 *
 * Return: true for the older one.
 */
static inline bool hs_cookie_secret_old(const struct hs_cookie *cookie,
					u32 from)
{
	return (s32)(cookie->count - from) < 0;
}

/**
 * hs_cookie_secret_settled() - may a third secret come, and the oldest go
 * @count:	of now
 * @from:	count at which the newer secret begins
 *
 * Return: true when no valid cookie can be of the older secret any more.
 */
static inline bool hs_cookie_secret_settled(u32 count, u32 from)
{
	return (s32)(count - from) > 0;
}

/**
 * hs_cookie_secret_astray() - was the wall clock set back
 * @count:	of now
 * @from:	count at which the newer secret begins
 *
 * Return: true when the newer secret begins later than any does that was made
 * with this clock: not for long, and the older one would be in use for as long.
 */
static inline bool hs_cookie_secret_astray(u32 count, u32 from)
{
	return (s32)(from - hs_cookie_secret_from(count)) > 0;
}

/**
 * hs_cookie_open() - cut down what was agreed on to what a cookie can keep
 * @cookie:	result
 * @tcb:	after hs_tcb_passive_open(), with rcv_wnd, rcv_wscale and
 *		advertised_mss filled in. Without timestamps: no window scaling,
 *		SACK and ECN any more. peer_mss is rounded down to one of four
 *		values, with timestamps to one of eight (up, if it is below all
 *		of them); rcv_wscale becomes HS_COOKIE_SHIFT_SMALL or
 *		HS_COOKIE_SHIFT_LARGE, so that the one sent is known later
 *		however the buffers change meanwhile.
 * @v6:		IPv6
 * @now_s:	seconds since 1970
 */
void hs_cookie_open(struct hs_cookie *cookie, struct hs_tcb *tcb, bool v6,
		    u64 now_s);

/**
 * hs_cookie_synack() - the SYN-ACK that is a cookie
 * @cookie:	from hs_cookie_open()
 * @hash:	of it
 * @tcb:	the same; its ISS is set
 * @now_ms:	the timestamp clock
 * @reply:	result
 */
void hs_cookie_synack(const struct hs_cookie *cookie, u64 hash,
		      struct hs_tcb *tcb, u32 now_ms, struct hs_reply *reply);

/**
 * hs_cookie_carrier() - may a segment bring back a cookie
 * @seg:	the segment
 *
 * Data and FIN may come with the ACK.
 */
static inline bool hs_cookie_carrier(const struct hs_segment *seg)
{
	return (seg->flags & (HS_SYN | HS_RST | HS_ACK)) == HS_ACK;
}

/**
 * hs_cookie_read() - what a segment says about the cookie that it may be of
 * @cookie:	result; IRS is SEG.SEQ - 1
 * @seg:	a segment that belongs to no flow and no socket
 * @now_s:	seconds since 1970
 *
 * Return: false if it cannot be of one: there is no need to hash.
 */
bool hs_cookie_read(struct hs_cookie *cookie, const struct hs_segment *seg,
		    u64 now_s);

/**
 * hs_cookie_valid() - is the segment of a cookie of ours
 * @cookie:	from hs_cookie_read()
 * @hash:	of it
 * @seg:	the same
 *
 * In the same time whatever the segment says.
 */
bool hs_cookie_valid(const struct hs_cookie *cookie, u64 hash,
		     const struct hs_segment *seg);

/**
 * hs_cookie_accept() - the handshake that the cookie was of
 * @cookie:	a valid one
 * @tcb:	result: in SYN-RECEIVED as after the SYN-ACK. The caller fills
 *		rcv_wnd and advertised_mss, which no cookie keeps; peer_wnd is
 *		the window field of @seg, not that of the SYN.
 * @seg:	the segment that completes it
 * @user_mss:	clamp of the peer's MSS (TCP_MAXSEG), 0 for none
 * @v6:		IPv6
 * @ts_offset:	timestamp offset of the tuple on this host. When another host
 *		has sent the SYN-ACK the offset in @tcb differs from it, such
 *		that the TSvals go on from that host's.
 * @now_ms:	the timestamp clock
 *
 * What was agreed on holds, as that of a flow, even if this end would not offer
 * it any more. The hash covers all of it: no peer can claim more.
 */
void hs_cookie_accept(const struct hs_cookie *cookie, struct hs_tcb *tcb,
		      const struct hs_segment *seg, u16 user_mss, bool v6,
		      u32 ts_offset, u32 now_ms);

#endif /* HS_CORE_COOKIE_H */
