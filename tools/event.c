// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: an event in words
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "event.h"
#include "print.h"
#include "words.h"

static const char * const type_names[] = {
	[THREEWAY_EV_OPENED] = "opened",
	[THREEWAY_EV_ARRIVED] = "arrived",
	[THREEWAY_EV_SENT] = "sent",
	[THREEWAY_EV_TIMER] = "timer",
	[THREEWAY_EV_STATE] = "state",
	[THREEWAY_EV_HANDOFF] = "handoff",
	[THREEWAY_EV_ENDED] = "ended",
};

/*
 * What a counter says about a flow or a segment, where its name is too terse; ""
 * where the event says it all.
 */
static const char * const reasons[THREEWAY_COUNTER_MAX] = {
	[THREEWAY_C_flows_opened] = "",
	[THREEWAY_C_flows_handed_over] = "handed over to a socket",
	[THREEWAY_C_flows_expired] = "gave up: no answer to the last SYN-ACK",
	[THREEWAY_C_flows_timed_out] = "timed out: no answer to the last SYN (ETIMEDOUT)",
	[THREEWAY_C_flows_reset] = "reset by the peer",
	[THREEWAY_C_flows_refused] = "refused by the peer's RST (ECONNREFUSED)",
	[THREEWAY_C_flows_syn_reset] = "reset: a SYN came in the window",
	[THREEWAY_C_flows_overflow_reset] = "reset: accept queue full",
	[THREEWAY_C_flows_listener_gone] = "the listener is gone",
	[THREEWAY_C_flows_native_owns] = "a native socket took the addresses",
	[THREEWAY_C_flows_socket_gone] = "the connecting socket was closed",
	[THREEWAY_C_flows_icmp] = "ended by an ICMP error",
	[THREEWAY_C_flows_killed] = "killed by the user",
	[THREEWAY_C_flows_purged] = "module or namespace went away",
	[THREEWAY_C_flows_lifetime] = "lifetime ended",
	[THREEWAY_C_flows_held] = "finished and kept",
	[THREEWAY_C_flows_observed] = "the native stack has finished it",
	[THREEWAY_C_segment_duplicate_syn] = "duplicate SYN",
	[THREEWAY_C_segment_duplicate_limited] = "duplicate SYN, answered just before",
	[THREEWAY_C_segment_bad_ack] = "wrong ACK number",
	[THREEWAY_C_segment_out_of_window] = "out of window",
	[THREEWAY_C_segment_out_of_window_limited] = "out of window, rate limit",
	[THREEWAY_C_segment_paws] = "old timestamp",
	[THREEWAY_C_segment_tsecr] = "echoes a timestamp never sent",
	[THREEWAY_C_segment_rst_challenged] = "RST in the window, challenged",
	[THREEWAY_C_segment_rst_limited] = "RST in the window, rate limit",
	[THREEWAY_C_segment_challenge_limited] = "challenge, limit of all flows",
	[THREEWAY_C_segment_rst_out_of_window] = "RST out of window",
	[THREEWAY_C_segment_syn_in_window] = "SYN in the window",
	[THREEWAY_C_segment_no_ack] = "neither SYN, RST nor ACK",
	[THREEWAY_C_segment_deferred] = "waits for data (TCP_DEFER_ACCEPT)",
	[THREEWAY_C_segment_accept_queue_full] = "accept queue full",
	[THREEWAY_C_segment_syn_crossed] = "simultaneous open",
	[THREEWAY_C_segment_frozen] = "ignored: frozen",
	[THREEWAY_C_segment_held] = "flow is held",
	[THREEWAY_C_send_failed] = "not sent: no route, no memory or local drop",
	[THREEWAY_C_segment_conntrack_drop] = "not sent: refused by conntrack",
	[THREEWAY_C_segment_lost] = "not sent: lost as told",
	/* The end of the flow follows, and says why. */
	[THREEWAY_C_segment_refused] = "",
	[THREEWAY_C_segment_rst_exact] = "",
	[THREEWAY_C_sent_syn] = "",
	[THREEWAY_C_sent_synack] = "",
	[THREEWAY_C_sent_rst] = "",
	[THREEWAY_C_sent_syn_timer] = "again",
	[THREEWAY_C_sent_synack_timer] = "again",
	[THREEWAY_C_sent_synack_duplicate] = "again: answers a duplicate SYN",
	[THREEWAY_C_sent_synack_crossed] = "",
	/* what it answers stands before it */
	[THREEWAY_C_sent_ack] = "",
	[THREEWAY_C_segment_syn_challenged] = "SYN, challenged",
	[THREEWAY_C_flows_rejected] = "answered by the native stack's RST",
	[THREEWAY_C_flows_refusing] = "refused as told",
	[THREEWAY_C_flows_cookie] = "the peer answers a SYN cookie",
	[THREEWAY_C_observed_syn] = "",
	[THREEWAY_C_observed_synack] = "",
	[THREEWAY_C_observed_rst] = "",
	[THREEWAY_C_observed_copy] = "again",
	[THREEWAY_C_icmp_hard] = "hard ICMP error",
	[THREEWAY_C_icmp_soft] = "soft ICMP error",
};

bool event_has_segment(const struct threeway_event *event)
{
	return event->type == THREEWAY_EV_ARRIVED || event->type == THREEWAY_EV_SENT;
}

bool event_has_irs(const struct threeway_event *event)
{
	return event->state == THREEWAY_SYN_RECEIVED || event->state == THREEWAY_ESTABLISHED;
}

const char *event_counter(const struct threeway_event *event, char buf[32])
{
	const char *name = threeway_counter_name(event->counter);

	if (event->counter == THREEWAY_EVENT_NO_COUNTER)
		return NULL;
	if (name)
		return name;
	/* A newer module has more of them. */
	snprintf(buf, 32, "counter %u", event->counter);
	return buf;
}

const char *event_reason(const struct threeway_event *event, char buf[32])
{
	const char *reason = NULL;

	if (event->counter < THREEWAY_COUNTER_MAX)
		reason = reasons[event->counter];
	if (reason)
		return *reason ? reason : NULL;
	return event_counter(event, buf);
}

const char *format_flags(__u8 flags, char buf[12])
{
	static const char letters[] = "FSRP.UEW";
	unsigned int bit, used = 0;

	for (bit = 0; bit < 8; bit++)
		if (flags & 1U << bit)
			buf[used++] = letters[bit];
	buf[used] = '\0';
	return used ? buf : "none";
}

__printf(3, 4)
static void add(char *buf, size_t size, const char *format, ...)
{
	size_t used = strlen(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(buf + used, size - used, format, args);
	va_end(args);
}

const char *format_options(const struct threeway_event *event, char buf[96])
{
	*buf = '\0';
	if (event->options & THREEWAY_O_MSS)
		add(buf, 96, ",mss %u", event->mss);
	if (event->options & THREEWAY_O_SACK_PERMITTED)
		add(buf, 96, ",sackOK");
	if (event->options & THREEWAY_O_TIMESTAMPS)
		add(buf, 96, ",TS val %u ecr %u", event->tsval, event->tsecr);
	if (event->options & THREEWAY_O_WINDOW_SCALE)
		add(buf, 96, ",wscale %u", event->wscale);
	if (*buf)
		memmove(buf, buf + 1, strlen(buf));
	return buf;
}

const char *format_segment(const struct threeway_event *event, char buf[EVENT_TEXT_MAX])
{
	char flags[12], options[96];

	snprintf(buf, EVENT_TEXT_MAX, "Flags [%s], seq %u", format_flags(event->flags, flags),
		 event->seq);
	if (event->flags & TCP_ACK)
		add(buf, EVENT_TEXT_MAX, ", ack %u", event->ack);
	add(buf, EVENT_TEXT_MAX, ", win %u", event->wnd);
	if (*format_options(event, options))
		add(buf, EVENT_TEXT_MAX, ", options [%s]", options);
	add(buf, EVENT_TEXT_MAX, ", length %u", event->len);
	return buf;
}

/* What an event tells beside its segment. */
static const char *format_rest(const struct threeway_event *event, char buf[EVENT_TEXT_MAX])
{
	char state[16], before[16], counter[32], after[DURATION_MAX];
	const char *reason = event_reason(event, counter);

	*buf = '\0';
	if (!event_has_segment(event) || event->state != event->state_before)
		add(buf, EVENT_TEXT_MAX, ", %s",
		    keyword_name(state_words, event->state_before, before));
	if (event->state != event->state_before)
		add(buf, EVENT_TEXT_MAX, " -> %s",
		    keyword_name(state_words, event->state, state));
	if (event->type == THREEWAY_EV_OPENED)
		add(buf, EVENT_TEXT_MAX, ", iss %u", event->iss);
	if (event->type == THREEWAY_EV_OPENED && event_has_irs(event))
		add(buf, EVENT_TEXT_MAX, ", irs %u", event->irs);
	if (event->type == THREEWAY_EV_TIMER)
		add(buf, EVENT_TEXT_MAX, ", timeout %u", event->timeouts);
	if (event->timer_ms)
		add(buf, EVENT_TEXT_MAX, ", timer %s",
		    format_duration(event->timer_ms, after));
	if (reason)
		add(buf, EVENT_TEXT_MAX, " (%s)", reason);
	if (!event_has_segment(event))
		memmove(buf, buf + 2, strlen(buf + 1));
	return buf;
}

static void print_text_of(const struct threeway_event *event)
{
	char buf[EVENT_TEXT_MAX], line[2 * EVENT_TEXT_MAX], direction[16], mode[16];
	bool from_local = event->type != THREEWAY_EV_ARRIVED;

	snprintf(buf, sizeof(buf), "flow %-3llu %-7s", (unsigned long long)event->flow,
		 type_names[event->type]);
	print_text(NULL, buf);
	key_print_end(&event->key, from_local);
	if (event->type != THREEWAY_EV_OPENED && !event_has_segment(event)) {
		print_text(NULL, format_rest(event, buf));
		return;
	}
	print_text(NULL, ">");
	key_print_end(&event->key, !from_local);
	if (event_has_segment(event)) {
		format_segment(event, line);
	} else {
		snprintf(line, sizeof(line), "%s %s",
			 keyword_name(direction_words, event->direction, direction),
			 keyword_name(mode_words, event->mode, mode));
		if (event->claim)
			add(line, sizeof(line), ", claim %u", event->claim);
		add(line, sizeof(line), ", ");
	}
	add(line, sizeof(line), "%s", format_rest(event, buf));
	print_text(NULL, line);
}

static void print_segment(const struct threeway_event *event)
{
	static const char * const flags[] = {
		"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR",
	};

	print_bits("flags", NULL, flags, sizeof(flags) / sizeof(*flags), event->flags);
	print_u64("seq", NULL, event->seq);
	if (event->flags & TCP_ACK)
		print_u64("ack", NULL, event->ack);
	print_u64("wnd", NULL, event->wnd);
	print_u64("len", NULL, event->len);
	if (event->options & THREEWAY_O_MSS)
		print_u64("mss", NULL, event->mss);
	if (event->options & THREEWAY_O_SACK_PERMITTED)
		print_switch("sack", NULL, true);
	if (event->options & THREEWAY_O_WINDOW_SCALE)
		print_u64("wscale", NULL, event->wscale);
	if (event->options & THREEWAY_O_TIMESTAMPS) {
		print_u64("tsval", NULL, event->tsval);
		print_u64("tsecr", NULL, event->tsecr);
	}
}

static void print_json_of(const struct threeway_event *event)
{
	char buf[32];

	print_u64("time_ns", NULL, event->time_ns);
	print_string("event", NULL, type_names[event->type]);
	print_u64("id", NULL, event->flow);
	print_u64("claim", NULL, event->claim);
	print_string("direction", NULL, keyword_name(direction_words, event->direction, buf));
	print_string("mode", NULL, keyword_name(mode_words, event->mode, buf));
	key_print(&event->key);
	print_string("state_before", NULL, keyword_name(state_words, event->state_before, buf));
	print_string("state", NULL, keyword_name(state_words, event->state, buf));
	if (event_has_segment(event))
		print_segment(event);
	print_u64("iss", NULL, event->iss);
	if (event_has_irs(event))
		print_u64("irs", NULL, event->irs);
	if (event->timer_ms)
		print_u64("timer_ms", NULL, event->timer_ms);
	print_u64("timeouts", NULL, event->timeouts);
	print_u64("retransmits", NULL, event->retransmits);
	if (event_counter(event, buf))
		print_string("counter", NULL, event_counter(event, buf));
}

void event_print(const struct threeway_event *event)
{
	if (print_options.json)
		print_json_of(event);
	else
		print_text_of(event);
}
