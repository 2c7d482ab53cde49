/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints threeway:threeway_*, one for each type of event of
 * uapi/threeway.h, with the fields of struct threeway_event. What differs:
 *
 *   netns	inode of the namespace, as lsns(8) shows it; flows and claims are
 *		numbered in each namespace
 *   local, remote: address and port
 *   counter	its name, empty for none
 *
 * Of the segments only those that arrived or were sent tell. And there is
 * threeway_cookies: a claim began or stopped to send SYN cookies.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM threeway

#if !defined(HS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define HS_TRACE_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tracepoint.h>
#include <net/net_namespace.h>

#include "stats.h"
#include "uapi/threeway.h"

#ifndef HS_TRACE_HELPERS
#define HS_TRACE_HELPERS

#define HS_TRACE_NAME_SIZE	32

/* sockaddr_in6 has room for both families; %pISpc wants one of them. */
static inline void hs_trace_address(void *to, u16 family, const u8 *address,
				    __be16 port)
{
	struct sockaddr_in6 *v6 = to;
	struct sockaddr_in *v4 = to;

	memset(to, 0, sizeof(*v6));
	if (family == AF_INET) {
		v4->sin_family = AF_INET;
		v4->sin_port = port;
		memcpy(&v4->sin_addr, address, sizeof(v4->sin_addr));
	} else {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = port;
		memcpy(&v6->sin6_addr, address, sizeof(v6->sin6_addr));
	}
}

static inline void hs_trace_counter(char *to, u32 counter)
{
	memset(to, 0, HS_TRACE_NAME_SIZE);
	if (counter < THREEWAY_COUNTER_MAX)
		strscpy(to, hs_stat_names[counter], HS_TRACE_NAME_SIZE);
}
#endif

TRACE_DEFINE_ENUM(THREEWAY_PASSIVE);
TRACE_DEFINE_ENUM(THREEWAY_ACTIVE);
TRACE_DEFINE_ENUM(THREEWAY_HANDOFF);
TRACE_DEFINE_ENUM(THREEWAY_HOLD);
TRACE_DEFINE_ENUM(THREEWAY_OBSERVE);
TRACE_DEFINE_ENUM(THREEWAY_CLOSED);
TRACE_DEFINE_ENUM(THREEWAY_LISTEN);
TRACE_DEFINE_ENUM(THREEWAY_SYN_SENT);
TRACE_DEFINE_ENUM(THREEWAY_SYN_RECEIVED);
TRACE_DEFINE_ENUM(THREEWAY_ESTABLISHED);

#define hs_show_direction(direction)					\
	__print_symbolic(direction,					\
			 { THREEWAY_PASSIVE, "passive" },		\
			 { THREEWAY_ACTIVE, "active" })

#define hs_show_mode(mode)						\
	__print_symbolic(mode,						\
			 { THREEWAY_HANDOFF, "handoff" },		\
			 { THREEWAY_HOLD, "hold" },			\
			 { THREEWAY_OBSERVE, "observe" })

#define hs_show_state(state)						\
	__print_symbolic(state,						\
			 { THREEWAY_CLOSED, "CLOSED" },			\
			 { THREEWAY_LISTEN, "LISTEN" },			\
			 { THREEWAY_SYN_SENT, "SYN-SENT" },		\
			 { THREEWAY_SYN_RECEIVED, "SYN-RECEIVED" },	\
			 { THREEWAY_ESTABLISHED, "ESTABLISHED" })

#define hs_show_flags(flags)						\
	__print_flags(flags, "|",					\
		      { 0x01, "FIN" }, { 0x02, "SYN" },			\
		      { 0x04, "RST" }, { 0x08, "PSH" },			\
		      { 0x10, "ACK" }, { 0x20, "URG" },			\
		      { 0x40, "ECE" }, { 0x80, "CWR" })

#define hs_show_options(options)					\
	__print_flags(options, "|",					\
		      { 0x1, "mss" }, { 0x2, "wscale" },		\
		      { 0x4, "sackOK" }, { 0x8, "ts" })

DECLARE_EVENT_CLASS(threeway_flow,
	TP_PROTO(const struct net *net, const struct threeway_event *event),
	TP_ARGS(net, event),
	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u64, flow)
		__field(u32, claim)
		__field(u8, direction)
		__field(u8, mode)
		__field(u8, state_before)
		__field(u8, state)
		__field(u32, iss)
		__field(u32, irs)
		__field(u32, timer_ms)
		__field(u16, timeouts)
		__field(u16, retransmits)
		__field(u32, ifindex)
		__array(char, counter, HS_TRACE_NAME_SIZE)
		__array(u8, local, sizeof(struct sockaddr_in6))
		__array(u8, remote, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->flow = event->flow;
		__entry->claim = event->claim;
		__entry->direction = event->direction;
		__entry->mode = event->mode;
		__entry->state_before = event->state_before;
		__entry->state = event->state;
		__entry->iss = event->iss;
		__entry->irs = event->irs;
		__entry->timer_ms = event->timer_ms;
		__entry->timeouts = event->timeouts;
		__entry->retransmits = event->retransmits;
		__entry->ifindex = event->key.ifindex;
		hs_trace_counter(__entry->counter, event->counter);
		hs_trace_address(__entry->local, event->key.family,
				 event->key.local, event->key.local_port);
		hs_trace_address(__entry->remote, event->key.family,
				 event->key.remote, event->key.remote_port);
	),
	TP_printk("netns=%u flow=%llu claim=%u %s %s local=%pISpc remote=%pISpc ifindex=%u %s -> %s counter=%s iss=%u irs=%u timer_ms=%u timeouts=%u retransmits=%u",
		  __entry->netns, __entry->flow, __entry->claim,
		  hs_show_direction(__entry->direction),
		  hs_show_mode(__entry->mode), __entry->local, __entry->remote,
		  __entry->ifindex, hs_show_state(__entry->state_before),
		  hs_show_state(__entry->state), __entry->counter,
		  __entry->iss, __entry->irs, __entry->timer_ms,
		  __entry->timeouts, __entry->retransmits)
);

DECLARE_EVENT_CLASS(threeway_segment,
	TP_PROTO(const struct net *net, const struct threeway_event *event),
	TP_ARGS(net, event),
	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u64, flow)
		__field(u32, claim)
		__field(u8, state)
		__field(u8, flags)
		__field(u8, options)
		__field(u8, wscale)
		__field(u32, seq)
		__field(u32, ack)
		__field(u16, wnd)
		__field(u16, mss)
		__field(u32, tsval)
		__field(u32, tsecr)
		__field(u32, len)
		__field(u32, timer_ms)
		__field(u16, retransmits)
		__field(u32, ifindex)
		__array(char, counter, HS_TRACE_NAME_SIZE)
		__array(u8, local, sizeof(struct sockaddr_in6))
		__array(u8, remote, sizeof(struct sockaddr_in6))
	),
	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->flow = event->flow;
		__entry->claim = event->claim;
		__entry->state = event->state;
		__entry->flags = event->flags;
		__entry->options = event->options;
		__entry->wscale = event->wscale;
		__entry->seq = event->seq;
		__entry->ack = event->ack;
		__entry->wnd = event->wnd;
		__entry->mss = event->mss;
		__entry->tsval = event->tsval;
		__entry->tsecr = event->tsecr;
		__entry->len = event->len;
		__entry->timer_ms = event->timer_ms;
		__entry->retransmits = event->retransmits;
		__entry->ifindex = event->key.ifindex;
		hs_trace_counter(__entry->counter, event->counter);
		hs_trace_address(__entry->local, event->key.family,
				 event->key.local, event->key.local_port);
		hs_trace_address(__entry->remote, event->key.family,
				 event->key.remote, event->key.remote_port);
	),
	TP_printk("netns=%u flow=%llu claim=%u local=%pISpc remote=%pISpc ifindex=%u %s flags=%s seq=%u ack=%u wnd=%u len=%u options=%s mss=%u wscale=%u tsval=%u tsecr=%u counter=%s timer_ms=%u retransmits=%u",
		  __entry->netns, __entry->flow, __entry->claim,
		  __entry->local, __entry->remote, __entry->ifindex,
		  hs_show_state(__entry->state), hs_show_flags(__entry->flags),
		  __entry->seq, __entry->ack, __entry->wnd, __entry->len,
		  hs_show_options(__entry->options), __entry->mss,
		  __entry->wscale, __entry->tsval, __entry->tsecr,
		  __entry->counter, __entry->timer_ms, __entry->retransmits)
);

#define HS_TRACE_EVENT(template, name)					\
DEFINE_EVENT_FN(template, name,						\
	TP_PROTO(const struct net *net, const struct threeway_event *event), \
	TP_ARGS(net, event),						\
	hs_event_trace_start, hs_event_trace_stop)

HS_TRACE_EVENT(threeway_segment, threeway_arrived);
HS_TRACE_EVENT(threeway_segment, threeway_sent);
HS_TRACE_EVENT(threeway_flow, threeway_opened);
HS_TRACE_EVENT(threeway_flow, threeway_timer);
HS_TRACE_EVENT(threeway_flow, threeway_state);
HS_TRACE_EVENT(threeway_flow, threeway_handoff);
HS_TRACE_EVENT(threeway_flow, threeway_ended);

TRACE_EVENT(threeway_cookies,
	TP_PROTO(const struct net *net, u32 claim, bool on, u32 flows),
	TP_ARGS(net, claim, on, flows),
	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u32, claim)
		__field(u32, flows)
		__field(bool, on)
	),
	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->claim = claim;
		__entry->flows = flows;
		__entry->on = on;
	),
	TP_printk("netns=%u claim=%u %s flows=%u", __entry->netns,
		  __entry->claim, __entry->on ? "on" : "off", __entry->flows)
);

#endif /* HS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH module
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
