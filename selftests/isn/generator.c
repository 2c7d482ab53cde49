// SPDX-License-Identifier: GPL-2.0
#include "cookie.h"
#include "generator.h"
#include "isn.h"
#include "octet.h"

/* IPv4 as its words lie in memory of little-endian machines. */
static u64 engine_ipv4(const struct tuple *tuple,
		       const struct siphash_secret *secret)
{
	u8 words[12];

	memcpy(words, tuple->local, 4);
	memcpy(words + 4, tuple->remote, 4);
	memcpy(words + 8, tuple->remote_port, 2);
	memcpy(words + 10, tuple->local_port, 2);
	return siphash24(words, sizeof(words), secret);
}

/* As hs_isn_choose() has it. */
static u32 engine(const struct tuple *tuple,
		  const struct siphash_secret *secret, u64 now_ns, u32 n)
{
	u64 hash = tuple->family == 2 ? engine_ipv4(tuple, secret) :
		   siphash24(tuple, sizeof(*tuple), secret);

	(void)n;
	return hs_isn((u32)hash, now_ns);
}

/* 4.2BSD: the same step for each connection. */
static u32 counter(const struct tuple *tuple,
		   const struct siphash_secret *secret, u64 now_ns, u32 n)
{
	(void)tuple;
	(void)now_ns;
	return (u32)secret->word[0] + 64000 * n;
}

/* RFC 793: the clock alone. */
static u32 clock_only(const struct tuple *tuple,
		      const struct siphash_secret *secret, u64 now_ns, u32 n)
{
	(void)tuple;
	(void)n;
	return hs_isn((u32)secret->word[0], now_ns);
}

/* A linear congruential generator, each call a step. */
static u32 congruential(const struct tuple *tuple,
			const struct siphash_secret *secret, u64 now_ns, u32 n)
{
	static u32 value;

	(void)tuple;
	(void)now_ns;
	if (!n)
		value = (u32)secret->word[0];
	value = value * 1103515245U + 12345U;
	return value;
}

/* A hash that everybody can compute. */
static u32 unkeyed(const struct tuple *tuple,
		   const struct siphash_secret *secret, u64 now_ns, u32 n)
{
	static const struct siphash_secret known;

	(void)secret;
	(void)n;
	return hs_isn((u32)siphash24(tuple, sizeof(*tuple), &known), now_ns);
}

/* A secret that is only added: two ISNs tell it. */
static u32 added(const struct tuple *tuple,
		 const struct siphash_secret *secret, u64 now_ns, u32 n)
{
	return unkeyed(tuple, secret, now_ns, n) + (u32)secret->word[0];
}

/* Only 16 bits of a good hash. */
static u32 truncated(const struct tuple *tuple,
		     const struct siphash_secret *secret, u64 now_ns, u32 n)
{
	(void)n;
	return hs_isn((u32)siphash24(tuple, sizeof(*tuple), secret) & 0xffff,
		      now_ns);
}

/* A sum of the tuple under a secret: neighbours are neighbours. */
static u32 linear(const struct tuple *tuple,
		  const struct siphash_secret *secret, u64 now_ns, u32 n)
{
	u32 sum = (u32)hs_get16(tuple->remote_port) * 0x9e3779b1U +
		  hs_get32(tuple->remote) * 0x85ebca6bU;

	(void)n;
	return hs_isn(sum ^ (u32)secret->word[0], now_ns);
}

/* For SYNs that are all alike, but for tuple and time. */
static u32 cookie(const struct tuple *tuple,
		  const struct siphash_secret *secret, u64 now_ns, u32 n)
{
	struct {
		struct tuple tuple;
		u32 irs;
		struct hs_cookie cookie;
	} covered = { .tuple = *tuple, .irs = 1 };
	struct hs_tcb tcb = { .peer_mss = 1460 };
	struct hs_reply synack;

	(void)n;
	hs_cookie_open(&covered.cookie, &tcb, false, now_ns / 1000000000);
	hs_cookie_synack(&covered.cookie,
			 siphash24(&covered, sizeof(covered), secret), &tcb, 0,
			 &synack);
	return synack.seq;
}

const struct generator cookie_generator = { "cookie", cookie };

const struct generator generators[GENERATORS] = {
	{ "engine", engine },
	{ "counter", counter },
	{ "clock only", clock_only },
	{ "linear congruential", congruential },
	{ "hash without a key", unkeyed },
	{ "hash plus secret", added },
	{ "sum of the tuple", linear },
	{ "truncated hash", truncated },
};
