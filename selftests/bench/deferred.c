// SPDX-License-Identifier: GPL-2.0
/*
 * What the host does later, functions of timers and RCU callbacks, and what it
 * does at that moment for other reasons: the tick of the clock, and softirqs that
 * do not belong to the network. The kernel's own tracepoints tell when they begin
 * and end.
 */
#include <linux/interrupt.h>
#include <linux/timer.h>
#include <linux/tracepoint.h>

#include "load.h"

#define HS_FUNCTIONS	64

/* One function of timers. */
struct hs_function {
	void (*function)(struct timer_list *timer);
	u64 spent;
	unsigned int syns;
};

/* A tracepoint that is listened to. */
struct hs_probe {
	const char *name;
	void *function;
	struct tracepoint *point;
};

static struct hs_function hs_functions[HS_FUNCTIONS];
static struct hs_function *hs_running;
static unsigned int hs_syns_before;
static u64 hs_timer_began;
static u64 hs_softirq_began;
static u64 hs_rcu_spent;
static u64 hs_tick_began;
static u64 hs_stolen_before;
static u64 hs_stolen;
static bool hs_listening;

static struct hs_function *hs_function_find(const struct timer_list *timer)
{
	unsigned int i;

	for (i = 0; i < HS_FUNCTIONS; i++) {
		if (!hs_functions[i].function)
			hs_functions[i].function = timer->function;
		if (hs_functions[i].function == timer->function)
			return &hs_functions[i];
	}
	return NULL;
}

static void hs_timer_entry(void *data, struct timer_list *timer,
			   unsigned long base)
{
	if (!hs_listening || !hs_counter_here())
		return;
	hs_running = hs_function_find(timer);
	hs_syns_before = hs_peer_syns();
	if (hs_running && hs_running->syns)
		HS_MARK(3);
	hs_timer_began = hs_counter();
}

static void hs_timer_exit(void *data, struct timer_list *timer)
{
	if (!hs_listening || !hs_counter_here() || !hs_running)
		return;
	hs_running->spent += hs_counter() - hs_timer_began;
	HS_MARK(0);
	hs_running->syns += hs_peer_syns() - hs_syns_before;
	hs_running = NULL;
}

static bool hs_softirq_other(unsigned int nr)
{
	return nr != NET_RX_SOFTIRQ && nr != NET_TX_SOFTIRQ &&
	       hs_counter_here();
}

static void hs_softirq_entry(void *data, unsigned int nr)
{
	if (!hs_softirq_other(nr))
		return;
	/* a tick in it is not counted twice */
	hs_stolen_before = hs_stolen;
	hs_softirq_began = hs_counter();
}

static void hs_softirq_exit(void *data, unsigned int nr)
{
	u64 spent;

	if (!hs_softirq_other(nr))
		return;
	spent = hs_counter() - hs_softirq_began;
	hs_stolen = hs_stolen_before + spent;
	if (nr == RCU_SOFTIRQ && hs_listening)
		hs_rcu_spent += spent;
}

/* A tick of User-mode Linux is a signal, and rare enough for a median. */
static void __maybe_unused hs_tick_entry(void *data, int vector)
{
	if (hs_counter_here())
		hs_tick_began = hs_counter();
}

static void __maybe_unused hs_tick_exit(void *data, int vector)
{
	if (hs_counter_here())
		hs_stolen += hs_counter() - hs_tick_began;
}

u64 hs_deferred_stolen(void)
{
	return READ_ONCE(hs_stolen);
}

static struct hs_probe hs_probes[] = {
	{ "timer_expire_entry", hs_timer_entry },
	{ "timer_expire_exit", hs_timer_exit },
	{ "softirq_entry", hs_softirq_entry },
	{ "softirq_exit", hs_softirq_exit },
#ifndef CONFIG_UML
	{ "local_timer_entry", hs_tick_entry },
	{ "local_timer_exit", hs_tick_exit },
#endif
};

static void hs_probe_find(struct tracepoint *point, void *data)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hs_probes); i++)
		if (!strcmp(point->name, hs_probes[i].name))
			hs_probes[i].point = point;
}

static void hs_probes_remove(unsigned int count)
{
	while (count--)
		tracepoint_probe_unregister(hs_probes[count].point,
					    hs_probes[count].function, NULL);
	tracepoint_synchronize_unregister();
}

int hs_deferred_setup(void)
{
	unsigned int i;
	int err;

	for_each_kernel_tracepoint(hs_probe_find, NULL);
	for (i = 0; i < ARRAY_SIZE(hs_probes); i++) {
		err = -ENOENT;
		if (hs_probes[i].point)
			err = tracepoint_probe_register(hs_probes[i].point,
							hs_probes[i].function,
							NULL);
		if (err) {
			hs_probes_remove(i);
			return err;
		}
	}
	return 0;
}

void hs_deferred_teardown(void)
{
	hs_probes_remove(ARRAY_SIZE(hs_probes));
}

void hs_deferred_begin(void)
{
	memset(hs_functions, 0, sizeof(hs_functions));
	hs_running = NULL;
	hs_rcu_spent = 0;
	WRITE_ONCE(hs_listening, true);
}

void hs_deferred_end(struct hs_deferred *sum)
{
	unsigned int i;

	WRITE_ONCE(hs_listening, false);
	sum->rcu = hs_rcu_spent;
	sum->timer = 0;
	for (i = 0; i < HS_FUNCTIONS; i++)
		if (hs_functions[i].syns)
			sum->timer += hs_functions[i].spent;
}
