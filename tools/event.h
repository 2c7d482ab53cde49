/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: an event in words
 */
#ifndef _EVENT_H
#define _EVENT_H

#include "key.h"
#include "lib/threeway.h"

#define TCP_FIN		0x01
#define TCP_SYN		0x02
#define TCP_RST		0x04
#define TCP_PSH		0x08
#define TCP_ACK		0x10

#define EVENT_TEXT_MAX	320

bool event_has_segment(const struct threeway_event *event);
/* Is irs known by then? */
bool event_has_irs(const struct threeway_event *event);
/* The counter that says more, or NULL. */
const char *event_counter(const struct threeway_event *event, char buf[32]);
/* What that counter means for a reader, or its name; NULL if it adds nothing. */
const char *event_reason(const struct threeway_event *event, char buf[32]);

/* "S." as tcpdump writes it; "none" for no flag. */
const char *format_flags(__u8 flags, char buf[12]);
/* "mss 1460,sackOK,TS val 1 ecr 0,wscale 7", or "". */
const char *format_options(const struct threeway_event *event, char buf[96]);
/* What follows "FROM > TO: " in the line of a segment. */
const char *format_segment(const struct threeway_event *event, char buf[EVENT_TEXT_MAX]);

/* Adds the event to the record of print.h, as text or as JSON. */
void event_print(const struct threeway_event *event);

#endif /* _EVENT_H */
