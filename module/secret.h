/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The secrets of SYN cookies of a namespace: the kernel draws them, and new
 * ones on a schedule as long as cookies are sent; or the user sets them, on
 * several hosts behind one address.
 */
#ifndef HS_SECRET_H
#define HS_SECRET_H

#include <linux/siphash.h>
#include <linux/workqueue.h>

#include "core/cookie.h"

struct hs_flow_key;
struct hs_net;
struct threeway_cookie_secret;

/**
 * struct hs_secrets - two of them
 * @older:	that of cookies made before @from
 * @newer:	that of the others
 * @from:	hs_cookie_count() at which @newer begins
 * @drawn_s:	when it came, by the monotonic clock
 * @shared:	other hosts have @newer, too: never changed by the kernel
 * @older_shared: other hosts have @older
 * @rcu:	to free them
 */
struct hs_secrets {
	siphash_aligned_key_t older;
	siphash_aligned_key_t newer;
	u32 from;
	u32 drawn_s;
	bool shared;
	bool older_shared;
	struct rcu_head rcu;
};

/**
 * struct hs_cookies - SYN cookies of a namespace
 * @secrets:	made with the first claim, changed under hs_net.lock
 * @rotate:	draws new ones
 * @sent:	when the latest cookie was sent, by hs_cookie_stamp()
 */
struct hs_cookies {
	struct hs_secrets __rcu *secrets;
	struct work_struct rotate;
	u32 sent;
};

void hs_secrets_setup(struct hs_net *hn);
void hs_secrets_teardown(struct hs_net *hn);

/* Draw the first ones. Context: hs_net.lock held. Return: 0 or -ENOMEM. */
int hs_secrets_make(struct hs_net *hn);

/* What THREEWAY_IOC_COOKIE_SECRET documents. Context: process. */
int hs_secrets_set(struct hs_net *hn,
		   const struct threeway_cookie_secret *set);

/* Can there be valid cookies of other hosts? */
bool hs_secrets_shared(const struct hs_secrets *secrets);

/**
 * hs_secret_hash() - the keyed hash of a cookie
 * @secrets:	the secrets
 * @key:	addresses and ports
 * @irs:	IRS
 * @cookie:	the cookie
 */
u64 hs_secret_hash(const struct hs_secrets *secrets,
		   const struct hs_flow_key *key, u32 irs,
		   const struct hs_cookie *cookie);

/* A cookie was sent: are new secrets due? Context: RCU. */
void hs_secrets_used(struct hs_net *hn);

#endif /* HS_SECRET_H */
