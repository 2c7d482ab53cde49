// SPDX-License-Identifier: GPL-2.0
/* Counters of a namespace. */
#include <linux/cpumask.h>
#include <net/snmp.h>
#include <net/tcp.h>

#include "netns.h"
#include "stats.h"

#define HS_STAT_NAME(name) \
	[THREEWAY_C_##name] = #name,
const char *const hs_stat_names[THREEWAY_COUNTER_MAX] = {
	THREEWAY_COUNTERS(HS_STAT_NAME)
};

/* Native counters that an event bumps; of most events there are none. */
struct hs_mib {
	union {
		struct {
			u8 tcp[2];
			u8 linux_mib[2];
		};
		u32 any;
	};
};

/*
 * The native counters that the same event bumps in the native stack, so that
 * the tools which watch those see the engine's handshakes as well.
 */
static const struct hs_mib hs_native_mib[THREEWAY_COUNTER_MAX] = {
	[THREEWAY_C_flows_reset] = {
		.tcp = { TCP_MIB_ATTEMPTFAILS },
		.linux_mib = { LINUX_MIB_EMBRYONICRSTS },
	},
	[THREEWAY_C_flows_syn_reset] = {
		.tcp = { TCP_MIB_ATTEMPTFAILS },
		.linux_mib = { LINUX_MIB_EMBRYONICRSTS },
	},
	[THREEWAY_C_flows_overflow_reset] = {
		.linux_mib = { LINUX_MIB_EMBRYONICRSTS },
	},
	[THREEWAY_C_sent_synack] = { .tcp = { TCP_MIB_OUTSEGS } },
	[THREEWAY_C_sent_synack_timer] = {
		.tcp = { TCP_MIB_OUTSEGS, TCP_MIB_RETRANSSEGS },
		.linux_mib = { LINUX_MIB_TCPSYNRETRANS },
	},
	[THREEWAY_C_sent_synack_duplicate] = {
		.tcp = { TCP_MIB_OUTSEGS, TCP_MIB_RETRANSSEGS },
		.linux_mib = { LINUX_MIB_TCPSYNRETRANS },
	},
	[THREEWAY_C_sent_ack] = { .tcp = { TCP_MIB_OUTSEGS } },
	[THREEWAY_C_sent_rst] = {
		.tcp = { TCP_MIB_OUTSEGS, TCP_MIB_OUTRSTS },
	},
	[THREEWAY_C_segment_duplicate_limited] = {
		.linux_mib = { LINUX_MIB_TCPACKSKIPPEDSYNRECV },
	},
	[THREEWAY_C_segment_out_of_window_limited] = {
		.linux_mib = { LINUX_MIB_TCPACKSKIPPEDSYNRECV },
	},
	[THREEWAY_C_segment_rst_challenged] = {
		.linux_mib = { LINUX_MIB_TCPCHALLENGEACK },
	},
	[THREEWAY_C_segment_rst_limited] = {
		.linux_mib = { LINUX_MIB_TCPACKSKIPPEDCHALLENGE },
	},
	[THREEWAY_C_segment_syn_challenged] = {
		.linux_mib = { LINUX_MIB_TCPSYNCHALLENGE,
			       LINUX_MIB_TCPCHALLENGEACK },
	},
	[THREEWAY_C_segment_paws] = {
		.linux_mib = { LINUX_MIB_PAWSESTABREJECTED },
	},
	[THREEWAY_C_segment_deferred] = {
		.linux_mib = { LINUX_MIB_TCPDEFERACCEPTDROP },
	},
	[THREEWAY_C_icmp_out_of_window] = {
		.linux_mib = { LINUX_MIB_OUTOFWINDOWICMPS },
	},
	[THREEWAY_C_cookies_received] = {
		.linux_mib = { LINUX_MIB_SYNCOOKIESRECV },
	},
	[THREEWAY_C_sent_cookie] = {
		.tcp = { TCP_MIB_OUTSEGS },
		.linux_mib = { LINUX_MIB_SYNCOOKIESSENT,
			       LINUX_MIB_TCPREQQFULLDOCOOKIES },
	},
	[THREEWAY_C_native_bad_cookie] = {
		.linux_mib = { LINUX_MIB_SYNCOOKIESFAILED },
	},
	[THREEWAY_C_segment_accept_queue_full] = {
		.linux_mib = { LINUX_MIB_LISTENOVERFLOWS,
			       LINUX_MIB_LISTENDROPS },
	},
};

/* Of an active open they are those of a socket, not of a request. */
static const struct hs_mib hs_socket_mib[THREEWAY_COUNTER_MAX] = {
	[THREEWAY_C_segment_duplicate_limited] = {
		.linux_mib = { LINUX_MIB_TCPSYNCHALLENGE,
			       LINUX_MIB_TCPACKSKIPPEDCHALLENGE },
	},
	[THREEWAY_C_segment_out_of_window_limited] = {
		.linux_mib = { LINUX_MIB_TCPACKSKIPPEDSEQ },
	},
};

static void hs_count_mib(struct hs_net *hn, enum threeway_counter counter,
			 const struct hs_mib *mib)
{
	struct net *net = hn->net;

	this_cpu_inc(hn->stats->value[counter]);
	if (!mib->any)
		return;
	if (mib->tcp[0])
		TCP_INC_STATS(net, mib->tcp[0]);
	if (mib->tcp[1])
		TCP_INC_STATS(net, mib->tcp[1]);
	if (mib->linux_mib[0])
		NET_INC_STATS(net, mib->linux_mib[0]);
	if (mib->linux_mib[1])
		NET_INC_STATS(net, mib->linux_mib[1]);
}

void hs_count(struct hs_net *hn, enum threeway_counter counter)
{
	if (counter < THREEWAY_COUNTER_MAX)
		hs_count_mib(hn, counter, &hs_native_mib[counter]);
}

void hs_count_active(struct hs_net *hn, enum threeway_counter counter)
{
	if (counter < THREEWAY_COUNTER_MAX &&
	    hs_socket_mib[counter].linux_mib[0])
		hs_count_mib(hn, counter, &hs_socket_mib[counter]);
	else
		hs_count(hn, counter);
}

void hs_count_add(struct hs_net *hn, enum threeway_counter counter, u64 value)
{
	this_cpu_add(hn->stats->value[counter], value);
}

u64 hs_stat_read(const struct hs_net *hn, enum threeway_counter counter)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(hn->stats, cpu)->value[counter]);
	return sum;
}
