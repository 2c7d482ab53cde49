// SPDX-License-Identifier: GPL-2.0
/*
 * Faults on demand, of each kind that a debug kernel must report. Loading the
 * module with the parameter "kind" commits one.
 */
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *kind = "";
module_param(kind, charp, 0444);

struct seeded {
	struct timer_list timer;
	struct rcu_head rcu;
	refcount_t refs;
	char last;
};

static DEFINE_SPINLOCK(seeded_a);
static DEFINE_SPINLOCK(seeded_b);

static noinline struct seeded *seeded_alloc(void)
{
	struct seeded *s = kzalloc(sizeof(*s), GFP_KERNEL);

	/* so that the compiler does not see what becomes of it */
	OPTIMIZER_HIDE_VAR(s);
	return s;
}

static noinline void seeded_read(const struct seeded *s, size_t offset)
{
	READ_ONCE(((const char *)s)[offset]);
}

static void seeded_use_after_free(struct seeded *s)
{
	struct seeded *stale = s;

	OPTIMIZER_HIDE_VAR(stale);
	kfree(s);
	seeded_read(stale, 0);
}

static void seeded_double_free(struct seeded *s)
{
	struct seeded *stale = s;

	OPTIMIZER_HIDE_VAR(stale);
	kfree(s);
	kfree(stale);
}

static void seeded_out_of_bounds(struct seeded *s)
{
	seeded_read(s, sizeof(*s));
	kfree(s);
}

static void seeded_leak(struct seeded *s)
{
}

static void seeded_reference(struct seeded *s)
{
	refcount_inc(&s->refs);
	kfree(s);
}

static void seeded_lock_inversion(struct seeded *s)
{
	spin_lock(&seeded_a);
	spin_lock(&seeded_b);
	spin_unlock(&seeded_b);
	spin_unlock(&seeded_a);
	spin_lock(&seeded_b);
	spin_lock(&seeded_a);
	spin_unlock(&seeded_a);
	spin_unlock(&seeded_b);
	kfree(s);
}

static void seeded_sleep_in_atomic(struct seeded *s)
{
	spin_lock(&seeded_a);
	kfree(kmalloc(1, GFP_KERNEL));
	spin_unlock(&seeded_a);
	kfree(s);
}

static void seeded_rcu(struct seeded *s)
{
	struct seeded __rcu *pointer = RCU_INITIALIZER(s);

	kfree(rcu_dereference(pointer));
}

static void seeded_timer_function(struct timer_list *timer)
{
}

static void seeded_armed_timer(struct seeded *s)
{
	timer_setup(&s->timer, seeded_timer_function, 0);
	mod_timer(&s->timer, jiffies + 3600 * HZ);
	kfree(s);
}

static void seeded_rcu_function(struct rcu_head *rcu)
{
}

static void seeded_twice_rcu(struct seeded *s)
{
	call_rcu(&s->rcu, seeded_rcu_function);
	call_rcu(&s->rcu, seeded_rcu_function);
	rcu_barrier();
	kfree(s);
}

static noinline void seeded_count(struct seeded *s)
{
	s->last++;
}

static int seeded_race_thread(void *data)
{
	while (!kthread_should_stop()) {
		seeded_count(data);
		cond_resched();
	}
	return 0;
}

/* Both count for a second, and nothing keeps the other one out. */
static void seeded_race(struct seeded *s)
{
	unsigned long end = jiffies + HZ;
	struct task_struct *other;

	other = kthread_run(seeded_race_thread, s, "seeded");
	if (!IS_ERR(other)) {
		while (time_before(jiffies, end)) {
			seeded_count(s);
			cond_resched();
		}
		kthread_stop(other);
	}
	kfree(s);
}

static const struct seeded_kind {
	const char *name;
	void (*commit)(struct seeded *s);
} seeded_kinds[] = {
	{ "use_after_free", seeded_use_after_free },
	{ "double_free", seeded_double_free },
	{ "out_of_bounds", seeded_out_of_bounds },
	{ "leak", seeded_leak },
	{ "reference", seeded_reference },
	{ "lock_inversion", seeded_lock_inversion },
	{ "sleep_in_atomic", seeded_sleep_in_atomic },
	{ "rcu", seeded_rcu },
	{ "armed_timer", seeded_armed_timer },
	{ "twice_rcu", seeded_twice_rcu },
	{ "race", seeded_race },
};

static int __init seeded_init(void)
{
	struct seeded *s;
	int i;

	for (i = 0; i < ARRAY_SIZE(seeded_kinds); i++) {
		if (strcmp(seeded_kinds[i].name, kind))
			continue;
		s = seeded_alloc();
		if (!s)
			return -ENOMEM;
		seeded_kinds[i].commit(s);
		return 0;
	}
	return -EINVAL;
}

static void __exit seeded_exit(void)
{
}

module_init(seeded_init);
module_exit(seeded_exit);
MODULE_DESCRIPTION("Faults that a debug kernel must report");
MODULE_LICENSE("GPL");
