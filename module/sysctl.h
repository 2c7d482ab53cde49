/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/sys/net/threeway: what applies where a claim has no value of its own. */
#ifndef HS_SYSCTL_H
#define HS_SYSCTL_H

#include <linux/types.h>

struct hs_net;

/* Bounds that claims and sysctls share. */
#define HS_RETRIES_MAX		255U
#define HS_SYN_RETRIES		6U
#define HS_RTO_INITIAL_MIN_MS	100U
#define HS_RTO_INITIAL_MAX_MS	60000U
#define HS_RTO_MAX_MIN_MS	1000U
#define HS_RTO_MAX_MAX_MS	120000U
#define HS_BACKLOG_MAX		16777216U
#define HS_LIFETIME_MIN_MS	1000U
#define HS_LIFETIME_MAX_MS	86400000U
#define HS_LIFETIME_MS		300000U
#define HS_DELAY_MAX_MS		600000U
#define HS_SOURCE_RATE_MAX	65535U
#define HS_SOURCE_BURST_MAX	65535U
#define HS_SOURCE_FLOWS_MAX	4095U
#define HS_ROTATION_MIN_S	256U
#define HS_ROTATION_MAX_S	31536000U

/**
 * struct hs_sysctl - per namespace, read anew at each SYN and each timer
 * @syn_retries:	SYN retransmissions of an active open, 0 to 255, default 6;
 *			while it is 6, net.ipv4.tcp_syn_retries stands in for it
 * @syn_linear_timeouts: timeouts of an active open before they begin to double,
 *			0 to 255, default 0; they come on top of syn_retries
 * @synack_retries:	SYN-ACK retransmissions, 0 to 255, default 5; TCP_SYNCNT of
 *			the listener goes before it
 * @rto_initial_ms:	first timeout, 100 to 60000 ms, default 1000 (RFC 6298
 *			section 2.1)
 * @rto_max_ms:		cap of the doubled timeout, 1000 to 120000 ms, default
 *			120000 (RFC 6298 section 2.5)
 * @max_syn_backlog:	half-open flows of one claim, 1 to 16777216, default 4096
 * @max_flows:		flows of the namespace, 1 to 16777216, default 65536;
 *			read-only where another user namespace owns the network
 *			namespace
 * @invalid_ratelimit_ms: least time between two answers to duplicate or invalid
 *			segments of a flow, 0 to 60000 ms, default 500 (RFC 5961
 *			section 7)
 * @isn:		enum threeway_isn, 1 or 2, default 1
 * @sack:		0 or 1, default 1: negotiate as net.ipv4.tcp_sack says
 * @timestamps:		likewise
 * @window_scaling:	likewise
 * @ecn:		likewise
 * @icmp_soft_abort:	0 or 1, default 1: a soft ICMP error (RFC 9293 section
 *			3.9.2.2) ends connect() at once, as with the native stack;
 *			0 keeps it for the case that all retries fail
 * @syncookies:		enum threeway_cookies, default 1
 * @source_rate:	SYNs of one source in a second, 0 to 65535, default 0:
 *			no limit
 * @source_burst:	SYNs that it may save up, 1 to 65535, default 100
 * @source_flows:	half-open flows of one source, 0 to 4095, default 0: no
 *			limit
 * @cookie_rotation_s:	age at which the secret of SYN cookies is replaced, 256
 *			to 31536000 s, default 3600
 *
 * A new namespace gets the defaults. A write out of range fails with EINVAL and
 * changes nothing.
 */
struct hs_sysctl {
	unsigned int syn_retries;
	unsigned int syn_linear_timeouts;
	unsigned int synack_retries;
	unsigned int rto_initial_ms;
	unsigned int rto_max_ms;
	unsigned int max_syn_backlog;
	unsigned int max_flows;
	unsigned int invalid_ratelimit_ms;
	unsigned int isn;
	unsigned int sack;
	unsigned int timestamps;
	unsigned int window_scaling;
	unsigned int ecn;
	unsigned int icmp_soft_abort;
	unsigned int syncookies;
	unsigned int source_rate;
	unsigned int source_burst;
	unsigned int source_flows;
	unsigned int cookie_rotation_s;
};

int hs_sysctl_setup(struct hs_net *hn);
void hs_sysctl_teardown(struct hs_net *hn);

#endif /* HS_SYSCTL_H */
