// SPDX-License-Identifier: GPL-2.0
/* /proc/sys/net/threeway */
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "netns.h"
#include "sysctl.h"

static unsigned int hs_zero;
static unsigned int hs_one = 1;
static unsigned int hs_two = 2;
static unsigned int hs_retries_max = HS_RETRIES_MAX;
static unsigned int hs_rto_initial_min = HS_RTO_INITIAL_MIN_MS;
static unsigned int hs_rto_initial_max = HS_RTO_INITIAL_MAX_MS;
static unsigned int hs_rto_max_min = HS_RTO_MAX_MIN_MS;
static unsigned int hs_rto_max_max = HS_RTO_MAX_MAX_MS;
static unsigned int hs_backlog_max = HS_BACKLOG_MAX;
static unsigned int hs_ratelimit_max = 60000;
static unsigned int hs_source_rate_max = HS_SOURCE_RATE_MAX;
static unsigned int hs_source_burst_max = HS_SOURCE_BURST_MAX;
static unsigned int hs_source_flows_max = HS_SOURCE_FLOWS_MAX;
static unsigned int hs_rotation_min = HS_ROTATION_MIN_S;
static unsigned int hs_rotation_max = HS_ROTATION_MAX_S;

static const struct hs_sysctl hs_sysctl_defaults = {
	.syn_retries = HS_SYN_RETRIES,
	.synack_retries = 5,
	.rto_initial_ms = 1000,
	.rto_max_ms = 120000,
	.max_syn_backlog = 4096,
	.max_flows = 65536,
	.invalid_ratelimit_ms = 500,
	.isn = THREEWAY_ISN_ENGINE,
	.sack = 1,
	.timestamps = 1,
	.window_scaling = 1,
	.ecn = 1,
	.icmp_soft_abort = 1,
	.syncookies = THREEWAY_COOKIES_AUTO,
	.source_burst = 100,
	.cookie_rotation_s = 3600,
};

/* data is an offset into struct hs_sysctl until the table is copied */
#define HS_SYSCTL(_field, _min, _max) {					\
	.procname = #_field,						\
	.data = (void *)offsetof(struct hs_sysctl, _field),		\
	.maxlen = sizeof(unsigned int),					\
	.mode = 0644,							\
	.proc_handler = proc_douintvec_minmax,				\
	.extra1 = &(_min),						\
	.extra2 = &(_max),						\
}

static const struct ctl_table hs_sysctl_template[] = {
	HS_SYSCTL(max_flows, hs_one, hs_backlog_max),
	HS_SYSCTL(syn_retries, hs_zero, hs_retries_max),
	HS_SYSCTL(syn_linear_timeouts, hs_zero, hs_retries_max),
	HS_SYSCTL(synack_retries, hs_zero, hs_retries_max),
	HS_SYSCTL(rto_initial_ms, hs_rto_initial_min, hs_rto_initial_max),
	HS_SYSCTL(rto_max_ms, hs_rto_max_min, hs_rto_max_max),
	HS_SYSCTL(max_syn_backlog, hs_one, hs_backlog_max),
	HS_SYSCTL(invalid_ratelimit_ms, hs_zero, hs_ratelimit_max),
	HS_SYSCTL(isn, hs_one, hs_two),
	HS_SYSCTL(sack, hs_zero, hs_one),
	HS_SYSCTL(timestamps, hs_zero, hs_one),
	HS_SYSCTL(window_scaling, hs_zero, hs_one),
	HS_SYSCTL(ecn, hs_zero, hs_one),
	HS_SYSCTL(icmp_soft_abort, hs_zero, hs_one),
	HS_SYSCTL(syncookies, hs_zero, hs_two),
	HS_SYSCTL(source_rate, hs_zero, hs_source_rate_max),
	HS_SYSCTL(source_burst, hs_one, hs_source_burst_max),
	HS_SYSCTL(source_flows, hs_zero, hs_source_flows_max),
	HS_SYSCTL(cookie_rotation_s, hs_rotation_min, hs_rotation_max),
	{ }
};

int hs_sysctl_setup(struct hs_net *hn)
{
	struct ctl_table *table;
	size_t i;

	hn->sysctl = hs_sysctl_defaults;
	table = kmemdup(hs_sysctl_template, sizeof(hs_sysctl_template),
			GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(hs_sysctl_template) - 1; i++)
		table[i].data = (char *)&hn->sysctl + (size_t)table[i].data;
	/* kernel memory is not for an unprivileged namespace to hand out */
	if (hn->net->user_ns != &init_user_ns)
		table[0].mode = 0444;

	hn->sysctl_header = register_net_sysctl(hn->net, "net/threeway", table);
	if (!hn->sysctl_header) {
		kfree(table);
		return -ENOMEM;
	}
	hn->sysctl_table = table;
	return 0;
}

void hs_sysctl_teardown(struct hs_net *hn)
{
	unregister_net_sysctl_table(hn->sysctl_header);
	kfree(hn->sysctl_table);
}
