// SPDX-License-Identifier: GPL-2.0
/*
 * When the timers of flows are due.
 *
 * The kernel's timers take 40 bytes each, and are late by up to an eighth of a
 * timeout, seconds after a few doublings. Here a flow takes 18 bytes, and is exact.
 *
 * The slot of a flow has a level and a number. The level is the highest octet in
 * which the time that it is due differs from the wheel's clock, the number is that
 * octet. When the clock comes to the first jiffy of a slot, the flows there are due
 * or go to a lower level, which happens at most three times.
 */
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/timer.h>

#include "wheel.h"

#define HS_WHEEL_BITS	8
#define HS_WHEEL_LEVELS	4
#define HS_WHEEL_SLOTS	256	/* of a level */

/* Timeouts up to this, in jiffies, a kernel timer keeps to the jiffy. */
#define HS_WHEEL_EXACT	62

/* Flows that change their level before others get the lock. */
#define HS_WHEEL_BATCH	256

/**
 * struct hs_wheel - the flows whose timers were set on one CPU
 * @lock:	guards all; a leaf, taken under hs_flow.lock
 * @idle:	all slots are empty, @tick is not armed
 * @clock:	the jiffy up to which they have been looked at
 * @next:	nothing is to be done before that jiffy
 * @tick:	armed for @next or before
 * @due:	flows whose timers fire now
 * @next_jiffy:	those that do so in the next jiffy, whenever they are due
 * @soon:	those that do so in the one after: a whole jiffy lies between
 * @used:	slots that are not empty
 * @slot:	flows by level and number
 */
struct hs_wheel {
	spinlock_t lock;	/* all */
	bool idle;
	u32 clock;
	u32 next;
	struct timer_list tick;
	struct hlist_head due;
	struct hlist_head next_jiffy;
	struct hlist_head soon;
	DECLARE_BITMAP(used, HS_WHEEL_LEVELS * HS_WHEEL_SLOTS);
	struct hlist_head slot[HS_WHEEL_LEVELS * HS_WHEEL_SLOTS];
};

static struct hs_wheel __percpu *hs_wheels;

static bool hs_wheel_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/* The jiffy in which its time began has begun before: one more, or it is early. */
static u32 hs_wheel_due(const struct hs_flow *flow)
{
	return READ_ONCE(flow->due) + 1;
}

/* Return: the first jiffy of its slot. */
static u32 hs_wheel_place(struct hs_wheel *wheel, struct hs_flow *flow, u32 due)
{
	unsigned int shift;
	u32 first, slot;

	if (!hs_wheel_before(wheel->clock, due)) {
		hlist_add_head(&flow->waits, &wheel->due);
		return wheel->clock + 1;
	}
	shift = round_down(__fls(due ^ wheel->clock), HS_WHEEL_BITS);
	first = due >> shift;
	slot = shift * (HS_WHEEL_SLOTS / HS_WHEEL_BITS) +
	       first % HS_WHEEL_SLOTS;
	hlist_add_head(&flow->waits, &wheel->slot[slot]);
	__set_bit(slot, wheel->used);
	return first << shift;
}

static void hs_wheel_take(struct hs_wheel *wheel, struct hs_flow *flow)
{
	struct hlist_node *node = &flow->waits;
	size_t slot = (struct hlist_head *)node->pprev - wheel->slot;

	__hlist_del(node);
	WRITE_ONCE(node->pprev, NULL);
	/* it was the first of a slot, and the last */
	if (slot < ARRAY_SIZE(wheel->slot) && hlist_empty(&wheel->slot[slot]))
		__clear_bit(slot, wheel->used);
}

/* Kernel timers fire in the jiffy after. It need not be exact while it is far. */
static void hs_wheel_wake(struct hs_wheel *wheel, u32 at)
{
	unsigned long now = jiffies;
	s32 wait = at - (u32)now - 1;

	wheel->idle = false;
	wheel->next = at;
	mod_timer(&wheel->tick, now + clamp(wait, 0, HS_WHEEL_EXACT));
}

/* Would it go to a lower level first, where only hs_flow.due counts? */
static bool hs_wheel_crosses(const struct hs_wheel *wheel, u32 wait)
{
	return (wheel->clock ^ (wheel->clock + wait)) >= HS_WHEEL_SLOTS;
}

void hs_wheel_add(struct hs_flow *flow, u32 wait)
{
	bool was = hs_wheel_has(flow) && hs_wheel_remove(flow);
	struct hs_wheel *wheel = this_cpu_ptr(hs_wheels);
	u32 due = hs_wheel_due(flow), now, at;

	lockdep_assert_held(&flow->lock);
	if (!was)
		refcount_inc(&flow->refs);
	spin_lock(&wheel->lock);
	/* not before: the clock must not go back */
	now = jiffies;
	at = now + 1;
	if (wheel->idle || hs_wheel_before(now, wheel->next))
		wheel->clock = now;
	if (wait)
		due = wheel->clock + wait;
	else if (!hs_wheel_before(wheel->clock, due))
		due = wheel->clock + 1;
	flow->cpu = smp_processor_id();
	if (wait == HS_WHEEL_SOON || hs_wheel_crosses(wheel, wait))
		hlist_add_head(&flow->waits, &wheel->soon);
	else
		at = hs_wheel_place(wheel, flow, due);
	if (wheel->idle || hs_wheel_before(at, wheel->next))
		hs_wheel_wake(wheel, at);
	spin_unlock(&wheel->lock);
}

bool hs_wheel_remove(struct hs_flow *flow)
{
	struct hs_wheel *wheel;
	bool has;

	if (!hs_wheel_has(flow))
		return false;
	wheel = per_cpu_ptr(hs_wheels, flow->cpu);
	spin_lock_bh(&wheel->lock);
	has = hs_wheel_has(flow);
	if (has)
		hs_wheel_take(wheel, flow);
	spin_unlock_bh(&wheel->lock);
	return has;
}

/* The flows that are due. */
static void hs_wheel_fire(struct hs_wheel *wheel)
{
	struct hs_flow *flow;

	rcu_read_lock();
	while (!hlist_empty(&wheel->due)) {
		flow = hlist_entry(wheel->due.first, struct hs_flow, waits);
		hs_wheel_take(wheel, flow);
		spin_unlock(&wheel->lock);
		hs_flow_timer(flow);
		spin_lock(&wheel->lock);
	}
	rcu_read_unlock();
}

/* The next slot on a level that is in use, or HS_WHEEL_SLOTS. */
static u32 hs_wheel_search(const struct hs_wheel *wheel, unsigned int level)
{
	const unsigned long *used = wheel->used +
				    BIT_WORD(level * HS_WHEEL_SLOTS);
	u32 here = (u8)(wheel->clock >> level * HS_WHEEL_BITS);
	u32 found = find_next_bit(used, HS_WHEEL_SLOTS, here + 1);

	/* on the highest one the clock wraps */
	if (found >= HS_WHEEL_SLOTS && level == HS_WHEEL_LEVELS - 1)
		found = find_first_bit(used, HS_WHEEL_SLOTS);
	return found;
}

static bool hs_wheel_hurries(const struct hs_wheel *wheel)
{
	return !hlist_empty(&wheel->next_jiffy) || !hlist_empty(&wheel->soon);
}

/* Go on to the next slot. Return: its level, or HS_WHEEL_LEVELS for none by @now. */
static unsigned int hs_wheel_turn(struct hs_wheel *wheel, u32 now)
{
	unsigned int level, shift;
	u32 found, at;

	for (level = 0; level < HS_WHEEL_LEVELS; level++) {
		found = hs_wheel_search(wheel, level);
		if (found < HS_WHEEL_SLOTS)
			break;
	}
	if (level == HS_WHEEL_LEVELS && !hs_wheel_hurries(wheel)) {
		wheel->idle = true;
		return level;
	}
	shift = level * HS_WHEEL_BITS;
	at = level == HS_WHEEL_LEVELS ? now + 1 :
	     (round_down(wheel->clock >> shift, HS_WHEEL_SLOTS) | found) <<
	     shift;
	if (!hs_wheel_before(now, at)) {
		wheel->clock = at;
		return level;
	}
	wheel->clock = now;
	hs_wheel_wake(wheel, hs_wheel_hurries(wheel) ? now + 1 : at);
	return HS_WHEEL_LEVELS;
}

/* The flows of the slot at which the clock is go to a lower level, or are due. */
static void hs_wheel_lower(struct hs_wheel *wheel, unsigned int level)
{
	u32 here = (u8)(wheel->clock >> level * HS_WHEEL_BITS);
	u32 slot = level * HS_WHEEL_SLOTS + here;
	struct hlist_head *head = &wheel->slot[slot];
	unsigned int n = 0;

	if (!level)
		hlist_move_list(head, &wheel->due);
	while (!hlist_empty(head)) {
		struct hs_flow *flow = hlist_entry(head->first, struct hs_flow,
						   waits);

		__hlist_del(&flow->waits);
		hs_wheel_place(wheel, flow, hs_wheel_due(flow));
		if (++n % HS_WHEEL_BATCH)
			continue;
		spin_unlock(&wheel->lock);
		cpu_relax();
		spin_lock(&wheel->lock);
	}
	__clear_bit(slot, wheel->used);
}

static void hs_wheel_tick(struct timer_list *tick)
{
	struct hs_wheel *wheel = from_timer(wheel, tick, tick);
	unsigned int level;
	u32 now;

	spin_lock(&wheel->lock);
	/* not before: on another CPU than its own the clock may just go on */
	now = jiffies;
	/* what is added meanwhile need not wake us */
	wheel->next = wheel->clock;
	hlist_move_list(&wheel->next_jiffy, &wheel->due);
	hlist_move_list(&wheel->soon, &wheel->next_jiffy);
	hs_wheel_fire(wheel);
	while ((level = hs_wheel_turn(wheel, now)) < HS_WHEEL_LEVELS) {
		wheel->next = wheel->clock;
		hs_wheel_lower(wheel, level);
		hs_wheel_fire(wheel);
	}
	spin_unlock(&wheel->lock);
}

int hs_wheels_create(void)
{
	struct hs_wheel *wheel;
	int cpu;

	BUILD_BUG_ON(CONFIG_NR_CPUS > U16_MAX);
	BUILD_BUG_ON(BIT(HS_WHEEL_BITS) != HS_WHEEL_SLOTS);
	hs_wheels = alloc_percpu(struct hs_wheel);
	if (!hs_wheels)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		wheel = per_cpu_ptr(hs_wheels, cpu);
		spin_lock_init(&wheel->lock);
		wheel->idle = true;
		timer_setup(&wheel->tick, hs_wheel_tick, TIMER_PINNED);
	}
	return 0;
}

void hs_wheels_destroy(void)
{
	int cpu;

	/* there are no flows any more: it is not armed again */
	for_each_possible_cpu(cpu)
		timer_delete_sync(&per_cpu_ptr(hs_wheels, cpu)->tick);
	free_percpu(hs_wheels);
}
