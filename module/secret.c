// SPDX-License-Identifier: GPL-2.0
/* The secrets of SYN cookies. */
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "cookie.h"
#include "flow.h"
#include "netns.h"
#include "secret.h"

/* What a hash is taken of: IPv4 in three words, IPv6 in six. */
struct hs_secret_tuple_ipv4 {
	__be32 remote;
	__be32 local;
	__be16 remote_port;
	__be16 local_port;
	u32 irs;
	u32 count;
	u32 data;
};

struct hs_secret_tuple_ipv6 {
	struct in6_addr remote;
	struct in6_addr local;
	__be16 remote_port;
	__be16 local_port;
	u32 irs;
	u32 count;
	u32 data;
} __aligned(8);

static u64 hs_secret_hash_ipv4(const siphash_key_t *secret,
			       const struct hs_flow_key *key, u32 irs,
			       const struct hs_cookie *cookie)
{
	const struct hs_secret_tuple_ipv4 tuple = {
		.remote = key->v4.remote,
		.local = key->v4.local,
		.remote_port = key->remote_port,
		.local_port = key->local_port,
		.irs = irs,
		.count = cookie->count,
		.data = cookie->data,
	};
	u64 word[3];

	BUILD_BUG_ON(sizeof(tuple) != sizeof(word));
	memcpy(word, &tuple, sizeof(word));
	return siphash_3u64(word[0], word[1], word[2], secret);
}

static u64 hs_secret_hash_ipv6(const siphash_key_t *secret,
			       const struct hs_flow_key *key, u32 irs,
			       const struct hs_cookie *cookie)
{
	const struct hs_secret_tuple_ipv6 tuple = {
		.remote = key->v6.remote,
		.local = key->v6.local,
		.remote_port = key->remote_port,
		.local_port = key->local_port,
		.irs = irs,
		.count = cookie->count,
		.data = cookie->data,
	};

	BUILD_BUG_ON(sizeof(tuple) != 48);
	return siphash(&tuple, sizeof(tuple), secret);
}

u64 hs_secret_hash(const struct hs_secrets *secrets,
		   const struct hs_flow_key *key, u32 irs,
		   const struct hs_cookie *cookie)
{
	bool old = hs_cookie_secret_old(cookie, secrets->from);
	const siphash_key_t *secret = old ? &secrets->older : &secrets->newer;

	if (key->family == AF_INET)
		return hs_secret_hash_ipv4(secret, key, irs, cookie);
	return hs_secret_hash_ipv6(secret, key, irs, cookie);
}

static struct hs_secrets *hs_secrets_locked(struct hs_net *hn)
{
	return rcu_dereference_protected(hn->cookies.secrets,
					 lockdep_is_held(&hn->lock));
}

static u32 hs_secrets_count(void)
{
	return hs_cookie_count(ktime_get_real_seconds());
}

static void hs_secrets_free(struct rcu_head *rcu)
{
	kfree_sensitive(container_of(rcu, struct hs_secrets, rcu));
}

static void hs_secrets_publish(struct hs_net *hn, struct hs_secrets *new)
{
	struct hs_secrets *old = hs_secrets_locked(hn);

	new->drawn_s = (u32)ktime_get_seconds();
	rcu_assign_pointer(hn->cookies.secrets, new);
	if (old)
		call_rcu(&old->rcu, hs_secrets_free);
}

static struct hs_secrets *hs_secrets_draw(void)
{
	struct hs_secrets *secrets = kzalloc(sizeof(*secrets),
					     GFP_KERNEL_ACCOUNT);

	if (!secrets)
		return NULL;
	get_random_bytes(&secrets->older, sizeof(secrets->older));
	get_random_bytes(&secrets->newer, sizeof(secrets->newer));
	secrets->from = hs_secrets_count();
	return secrets;
}

int hs_secrets_make(struct hs_net *hn)
{
	struct hs_secrets *secrets;

	lockdep_assert_held(&hn->lock);
	if (hs_secrets_locked(hn))
		return 0;
	secrets = hs_secrets_draw();
	if (!secrets)
		return -ENOMEM;
	hs_secrets_publish(hn, secrets);
	return 0;
}

/* The wall clock was set back: the newer one would not begin for long. */
static bool hs_secrets_astray(const struct hs_secrets *secrets)
{
	return hs_cookie_secret_astray(hs_secrets_count(), secrets->from);
}

/* The one that is in use, and a new one. */
static void hs_secrets_follow(struct hs_secrets *new,
			      const struct hs_secrets *old)
{
	bool astray = hs_secrets_astray(old);

	new->older = astray ? old->older : old->newer;
	new->older_shared = astray ? old->older_shared : old->shared;
	new->from = hs_cookie_secret_from(hs_secrets_count());
}

static bool hs_secrets_settled(const struct hs_secrets *secrets)
{
	return hs_cookie_secret_settled(hs_secrets_count(), secrets->from);
}

/* May it be followed by another one? */
static bool hs_secrets_may_end(const struct hs_secrets *secrets)
{
	return hs_secrets_settled(secrets) || hs_secrets_astray(secrets);
}

bool hs_secrets_shared(const struct hs_secrets *secrets)
{
	return secrets->shared ||
	       (secrets->older_shared && !hs_secrets_settled(secrets));
}

static bool hs_secrets_due(const struct hs_net *hn,
			   const struct hs_secrets *secrets)
{
	/* another CPU's clock may have been read later: signed */
	s32 age_s = (u32)ktime_get_seconds() - READ_ONCE(secrets->drawn_s);

	return !secrets->shared &&
	       age_s > (s32)READ_ONCE(hn->sysctl.cookie_rotation_s);
}

void hs_secrets_used(struct hs_net *hn)
{
	const struct hs_secrets *secrets = rcu_dereference(hn->cookies.secrets);

	if (unlikely(hs_secrets_due(hn, secrets)))
		queue_work(system_wq, &hn->cookies.rotate);
}

static void hs_secrets_rotate(struct work_struct *work)
{
	struct hs_net *hn = container_of(work, struct hs_net, cookies.rotate);
	struct hs_secrets *old, *new = hs_secrets_draw();

	mutex_lock(&hn->lock);
	old = hs_secrets_locked(hn);
	if (new && hs_secrets_due(hn, old) && hs_secrets_may_end(old)) {
		hs_secrets_follow(new, old);
		hs_secrets_publish(hn, new);
		hs_count(hn, THREEWAY_C_cookie_rotations);
		new = NULL;
	} else {
		/* no memory, or too soon: not with each cookie */
		WRITE_ONCE(old->drawn_s, (u32)ktime_get_seconds());
	}
	mutex_unlock(&hn->lock);
	kfree_sensitive(new);
}

/* Context: hs_net.lock held. */
static int hs_secrets_join(struct hs_net *hn, struct hs_secrets *new,
			   const struct threeway_cookie_secret *set)
{
	const struct hs_secrets *old = hs_secrets_locked(hn);

	if (set->flags & THREEWAY_COOKIE_SECRET_PREVIOUS) {
		memcpy(&new->older, set->previous, sizeof(set->previous));
		new->older_shared = true;
		new->from = hs_cookie_secret_from(hs_secrets_count());
	} else if (!old || (!old->shared && !hs_cookie_out(hn))) {
		/* no cookie is out */
		new->from = hs_secrets_count() - 1;
	} else if (hs_secrets_may_end(old)) {
		hs_secrets_follow(new, old);
	} else {
		return -EBUSY;
	}
	hs_secrets_publish(hn, new);
	hs_count(hn, THREEWAY_C_cookie_rotations);
	return 0;
}

int hs_secrets_set(struct hs_net *hn, const struct threeway_cookie_secret *set)
{
	bool random = set->flags & THREEWAY_COOKIE_SECRET_RANDOM;
	struct hs_secrets *new;
	int err;

	BUILD_BUG_ON(sizeof(siphash_key_t) != sizeof(set->secret));
	if ((set->flags & ~(THREEWAY_COOKIE_SECRET_RANDOM |
			    THREEWAY_COOKIE_SECRET_PREVIOUS)) || set->pad ||
	    (random && memchr_inv(set->secret, 0, sizeof(set->secret))) ||
	    (!(set->flags & THREEWAY_COOKIE_SECRET_PREVIOUS) &&
	     memchr_inv(set->previous, 0, sizeof(set->previous))))
		return -EINVAL;
	err = wait_for_random_bytes();
	if (err)
		return err;
	new = hs_secrets_draw();
	if (!new)
		return -ENOMEM;
	if (!random) {
		memcpy(&new->newer, set->secret, sizeof(set->secret));
		new->shared = true;
	}
	mutex_lock(&hn->lock);
	err = hs_secrets_join(hn, new, set);
	mutex_unlock(&hn->lock);
	if (err)
		kfree_sensitive(new);
	return err;
}

void hs_secrets_setup(struct hs_net *hn)
{
	INIT_WORK(&hn->cookies.rotate, hs_secrets_rotate);
}

void hs_secrets_teardown(struct hs_net *hn)
{
	cancel_work_sync(&hn->cookies.rotate);
	kfree_sensitive(rcu_dereference_protected(hn->cookies.secrets, true));
}
