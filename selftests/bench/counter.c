// SPDX-License-Identifier: GPL-2.0
/*
 * What costs are counted in: the CPU's own instructions, else its cycles, else the
 * time-stamp counter. In a virtual machine whose time passes with its instructions
 * there are no counters, and the time-stamp counter counts instructions.
 */
#include <linux/cpumask.h>
#include <linux/perf_event.h>
#include <linux/sched.h>

#include "load.h"
#include "event.h"

#define HS_LOOPS	1000

static bool hs_counts_events;
static unsigned int hs_cpu;
static const char *hs_unit;

u64 hs_counter(void)
{
	return hs_counts_events ? hs_event_read() : __builtin_ia32_rdtsc();
}

bool hs_counter_here(void)
{
	return raw_smp_processor_id() == hs_cpu;
}

int hs_counter_stay(void)
{
	return set_cpus_allowed_ptr(current, cpumask_of(hs_cpu));
}

/* What a loop of two instructions counts. */
static u64 hs_counter_loop(void)
{
	unsigned long loops = HS_LOOPS;
	u64 began;

	preempt_disable();
	began = hs_counter();
	asm volatile("1: dec %0; jnz 1b" : "+r" (loops));
	began = hs_counter() - began;
	preempt_enable();
	return began;
}

/* And one of six, four of which wait for each other: many cycles, if any. */
static u64 hs_counter_slow_loop(void)
{
	unsigned long loops = HS_LOOPS, product = 3;
	u64 began;

	preempt_disable();
	began = hs_counter();
	asm volatile("1: imul %1, %1; imul %1, %1; imul %1, %1; imul %1, %1;"
		     "dec %0; jnz 1b" : "+r" (loops), "+r" (product));
	began = hs_counter() - began;
	preempt_enable();
	return began;
}

static bool hs_counter_near(u64 counted, u32 instructions)
{
	return counted >= instructions * 99 / 100 &&
	       counted <= instructions * 102 / 100;
}

/* What is open need not count: others may have taken all counters. */
static bool hs_counter_try(u64 config, const char *unit)
{
	hs_counts_events = !hs_event_open(config, hs_cpu);
	if (hs_counts_events && !hs_counter_loop()) {
		hs_event_close();
		hs_counts_events = false;
	}
	hs_unit = unit;
	return hs_counts_events;
}

int hs_counter_setup(void)
{
	int err;

	hs_cpu = cpumask_first(cpu_online_mask);
	err = hs_counter_stay();
	if (err ||
	    hs_counter_try(PERF_COUNT_HW_INSTRUCTIONS, "instructions") ||
	    hs_counter_try(PERF_COUNT_HW_CPU_CYCLES, "cycles"))
		return err;
	hs_unit = hs_counter_near(hs_counter_loop(), 2 * HS_LOOPS) &&
		  hs_counter_near(hs_counter_slow_loop(), 6 * HS_LOOPS) ?
		  "instructions" : "ticks";
	return 0;
}

void hs_counter_teardown(void)
{
	if (hs_counts_events)
		hs_event_close();
}

const char *hs_counter_unit(void)
{
	return hs_unit;
}
