// SPDX-License-Identifier: GPL-2.0
/*
 * Where the engine means to differ from the native stack of Linux 6.1: section 3
 * of the checklist. A difference has to be just this one, in what the peer sent
 * and in what both stacks did; all others are bugs. Each entry must be met by the
 * scripts of the fixed seed, or it must go.
 */
#include <stdlib.h>
#include <string.h>

#include "compare.h"

/* tcp_invalid_ratelimit */
#define LIMIT_MS	500

/* What comes later than this after a step is the work of a timer. */
#define TIMER_MS	16

/* Within this much the native stack sends a SYN that it is in a hurry to send. */
#define HURRY_MS	16

/* What the kernel did: a line of the run, or NULL for nothing. */
static bool starts(const char *line, const char *text)
{
	return line && !strncmp(line, text, strlen(text));
}

static bool has(const char *line, const char *text)
{
	return line && strstr(line, text);
}

/* An ACK that carries no news. */
static bool challenge(const char *line)
{
	return starts(line, "> . 1:1(0) ack ");
}

static bool synack(const char *line)
{
	return starts(line, "> S.");
}

/* Has this run agreed on timestamps? */
static bool stamped(const struct run *run)
{
	unsigned int i;

	for (i = 0; i < run->seen.count; i++) {
		if (starts(run->seen.entry[i].line, "> S") &&
		    strstr(run->seen.entry[i].line, "TS val"))
			return true;
	}
	return false;
}

/* Have SYNs crossed? */
static bool crossed(const struct run *run)
{
	unsigned int i;

	for (i = 0; i < run->seen.count; i++) {
		if (synack(run->seen.entry[i].line))
			return true;
	}
	return false;
}

/* Is it one of the SYNs that may have begun the connection? */
static bool opens(const struct run *run, int step)
{
	return run->is_segment[step] &&
	       (run->sent[step].flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) ==
	       FLAG_SYN;
}

/* Is it a RST at the right edge, or one whose data reach into the window? */
static bool is_edge_rst(const struct difference *d, int step)
{
	const struct run *run = d->native;
	const struct packet *rst = &run->sent[step];
	u32 first, last;
	int i;

	if (!run->is_segment[step] || !(rst->flags & FLAG_RST))
		return false;
	for (i = 0; i < step; i++) {
		first = rst->seq - run->sent[i].seq - 1;
		last = first + rst->data_len - 1 + !!(rst->flags & FLAG_FIN) +
		       !!(rst->flags & FLAG_SYN);
		if (opens(run, i) && (first == run->edge - 1 ||
				      ((int)first < 0 && (int)last >= 0)))
			return true;
	}
	return false;
}

static bool rst_edge(const struct difference *d)
{
	unsigned int i;

	if (d->script->active)
		return false;
	if (!d->counter)
		return d->sent && is_edge_rst(d, d->step) &&
		       challenge(d->native_line) && !d->engine_line;
	for (i = 0; i < d->script->steps; i++) {
		if (is_edge_rst(d, i))
			return !strcmp(d->counter,
				       "TcpExtTCPACKSkippedChallenge");
	}
	return false;
}

/* A segment that the native stack answers without limit. */
static bool unlimited(const struct packet *sent)
{
	return !(sent->flags & (FLAG_SYN | FLAG_RST)) &&
	       (sent->data_len || (sent->flags & FLAG_FIN));
}

/* One of those within the time of the limit. */
static bool data_limit(const struct difference *d)
{
	int i;

	if ((d->script->active && !crossed(d->native)) || !d->sent ||
	    d->engine_line ||
	    (!challenge(d->native_line) && !synack(d->native_line)))
		return false;
	for (i = d->step; i >= 0; i--) {
		if (d->script->step[i].at_ms + LIMIT_MS <=
		    d->script->step[d->step].at_ms)
			break;
		if (d->native->is_segment[i] && unlimited(&d->native->sent[i]))
			return true;
	}
	return false;
}

static bool right_edge(const struct difference *d)
{
	return !d->script->active && d->sent && !d->sent->data_len &&
	       d->sent->seq == d->native->edge &&
	       !(d->sent->flags & (FLAG_SYN | FLAG_RST)) &&
	       (starts(d->native_line, "  accepted") || !d->native_line) &&
	       (challenge(d->engine_line) || !d->engine_line);
}

static bool echo_range(const struct difference *d)
{
	return (!d->script->active || crossed(d->native)) && d->sent &&
	       d->engine->bad_echo[d->step] && (d->sent->flags & FLAG_ACK) && stamped(d->engine) &&
	       (challenge(d->engine_line) || !d->engine_line);
}

static bool syn_from_left(const struct difference *d)
{
	return !d->script->active && d->sent && d->sent->data_len &&
	       (d->sent->flags & (FLAG_SYN | FLAG_RST)) == FLAG_SYN &&
	       starts(d->native_line, "> R") && challenge(d->engine_line);
}

static bool synack_as_data(const struct difference *d)
{
	int i;

	if (d->script->active || !d->sent ||
	    (d->sent->flags & (FLAG_SYN | FLAG_ACK | FLAG_RST)) !=
	    (FLAG_SYN | FLAG_ACK) ||
	    (!d->sent->data_len && !(d->sent->flags & FLAG_FIN)) ||
	    (!challenge(d->engine_line) &&
	     (!starts(d->native_line, "  accepted") || d->engine_line)))
		return false;
	for (i = 0; i < d->step; i++) {
		if (opens(d->native, i) &&
		    d->native->sent[i].seq == d->sent->seq)
			return true;
	}
	return false;
}

/* Is it a RST older than a SYN of the peer? */
static bool is_old_rst(const struct run *run, int step)
{
	const struct packet *rst = &run->sent[step];
	u32 syn_tsval, tsval, tsecr;
	int i;

	if (!run->is_segment[step] || !(rst->flags & FLAG_RST) ||
	    !packet_timestamps(rst, &tsval, &tsecr))
		return false;
	for (i = 0; i < step; i++) {
		if (run->is_segment[i] && (run->sent[i].flags & FLAG_SYN) &&
		    packet_timestamps(&run->sent[i], &syn_tsval, &tsecr) &&
		    (int)(tsval - syn_tsval) < 0)
			return true;
	}
	return false;
}

static bool old_rst(const struct difference *d)
{
	int i, last = d->counter ? (int)d->script->steps - 1 : d->step;

	if (d->script->active || !stamped(d->engine) ||
	    (d->counter && strcmp(d->counter, "TcpExtPAWSEstab") &&
	     strcmp(d->counter, "TcpExtTCPACKSkippedChallenge")))
		return false;
	for (i = 0; i <= last; i++) {
		if (is_old_rst(d->engine, i))
			return true;
	}
	return false;
}

static bool zero_stamps(const struct difference *d)
{
	return !d->script->active && challenge(d->native_line) &&
	       challenge(d->engine_line) && has(d->native_line, "<>") &&
	       has(d->engine_line, "<nop,nop,TS val * ecr 0>");
}

static bool reset_error(const struct difference *d)
{
	return d->script->active && crossed(d->native) &&
	       has(d->native_line, "Connection reset by peer") &&
	       has(d->engine_line, "Connection refused");
}

/* The native timer has been pulled in to two ticks from the RST. */
static bool no_hurry(const struct difference *d)
{
	const struct packet *sent;
	u64 at_ms, rst_ms;
	int i;

	if (!d->script->active || !starts(d->native_line, "> S") ||
	    d->engine_line)
		return false;
	at_ms = d->native->seen.entry[d->native_at].at_ms;
	for (i = 0; i <= d->step; i++) {
		sent = &d->native->sent[i];
		rst_ms = d->script->step[i].at_ms;
		if (d->native->is_segment[i] && sent->ack != 1 &&
		    (sent->flags & FLAG_RST) && (sent->flags & FLAG_ACK) &&
		    at_ms >= rst_ms && at_ms <= rst_ms + HURRY_MS)
			return true;
	}
	return false;
}

static bool crossed_shutdown(const struct difference *d)
{
	return d->script->active && crossed(d->native) && d->step >= 0 &&
	       !strcmp(d->script->step[d->step].text, "shut") &&
	       !d->native_line && starts(d->engine_line, "  events");
}

/* What TCP_INFO says in the end, 0 for nothing. */
static u32 peer_window(const struct run *run)
{
	const char *at;
	u32 window = 0;
	unsigned int i;

	for (i = 0; i < run->seen.count; i++) {
		at = strstr(run->seen.entry[i].line, " snd_wnd ");
		if (at)
			window = strtoul(at + 9, NULL, 10);
	}
	return window;
}

/* Has the peer's SYN-ACK completed a simultaneous open? */
static bool crossed_synack(const struct difference *d)
{
	return d->script->active && d->sent && crossed(d->native) &&
	       (d->sent->flags & (FLAG_SYN | FLAG_ACK | FLAG_RST |
				  FLAG_FIN)) == (FLAG_SYN | FLAG_ACK) &&
	       d->sent->ack == 1;
}

static bool crossed_dsack(const struct difference *d)
{
	return crossed_synack(d) && challenge(d->native_line) &&
	       challenge(d->engine_line) && has(d->native_line, ",sack 0:1>") &&
	       !has(d->engine_line, ",sack ");
}

/* It goes into the MSS as well, and when it was measured into RTT. */
static bool unscaled_window(const struct difference *d)
{
	u32 native = peer_window(d->native), engine = peer_window(d->engine);
	unsigned int i;

	if (!d->script->active || !crossed(d->native) || !engine)
		return false;
	for (i = 0; i < d->script->steps; i++) {
		if (d->native->is_segment[i] &&
		    (d->native->sent[i].flags & (FLAG_SYN | FLAG_ACK)) ==
		    (FLAG_SYN | FLAG_ACK) &&
		    d->native->sent[i].window == engine)
			return native > engine && !(native % engine) &&
			       starts(d->engine_line, "mss ");
	}
	return false;
}

/* The native stack looks at the ACK bit first. */
static bool crossed_no_ack(const struct difference *d)
{
	const u16 flags = FLAG_SYN | FLAG_ACK | FLAG_RST;
	unsigned int i;

	if (!d->script->active || !crossed(d->native))
		return false;
	if (!d->counter)
		return d->sent && !(d->sent->flags & flags) &&
		       !d->native_line && challenge(d->engine_line);
	for (i = 0; i < d->script->steps; i++) {
		if (d->native->is_segment[i] &&
		    !(d->native->sent[i].flags & flags))
			return !strcmp(d->counter, "TcpExtTCPACKSkippedSeq");
	}
	return false;
}

/* It ends where the window begins, or begins where that ends. */
static bool crossed_edge(const struct difference *d)
{
	u32 first, last;
	int i;

	if (!d->script->active || !d->sent || !crossed(d->native) ||
	    (!challenge(d->engine_line) && d->engine_line))
		return false;
	for (i = 0; i < d->step; i++) {
		first = d->sent->seq - d->native->sent[i].seq - 1;
		last = first + d->sent->data_len +
		       !!(d->sent->flags & FLAG_FIN);
		if (opens(d->native, i) &&
		    ((!last && first) || first == d->native->edge - 1))
			return true;
	}
	return false;
}

static bool crossed_iss(const struct difference *d)
{
	return d->script->active && d->sent && crossed(d->native) &&
	       (d->sent->flags & FLAG_ACK) && !d->sent->ack &&
	       !(d->sent->flags & (FLAG_SYN | FLAG_RST)) &&
	       starts(d->engine_line, "> R") && !starts(d->native_line, "> R");
}

/* The same SYN-ACK, but for the window. */
static bool copied_window(const struct difference *d)
{
	const char *native = d->native_line, *engine = d->engine_line;
	char *native_end, *engine_end;

	if (!d->script->active || !synack(native) || !synack(engine))
		return false;
	for (; *native && *native == *engine; native++, engine++) {
		if (strncmp(native, " win ", 5) || strncmp(engine, " win ", 5))
			continue;
		return strtoul(native + 5, &native_end, 10) >
		       strtoul(engine + 5, &engine_end, 10) &&
		       !strcmp(native_end, engine_end);
	}
	return false;
}

static bool port_zero(const struct difference *d)
{
	return !d->script->active && !d->script->port && d->sent &&
	       (d->sent->flags & FLAG_SYN) && synack(d->native_line) &&
	       !d->engine_line;
}

/* After an ICMP error only one of them still has the handshake. */
static bool icmp_abort(const struct difference *d)
{
	const struct script *script = d->script;
	bool native_ended = starts(d->native_line, "> R");
	bool engine_ended = starts(d->engine_line, "> R");
	int i;

	for (i = 0; i < d->step; i++) {
		if (!strncmp(script->step[i].text, "icmp ", 5))
			return !script->active && native_ended != engine_ended;
	}
	return false;
}

static bool crossed_ack(const struct difference *d)
{
	return d->script->active && d->sent && crossed(d->native) &&
	       !(d->sent->flags & (FLAG_SYN | FLAG_RST)) &&
	       d->sent->flags & FLAG_ACK && d->sent->ack == 1 &&
	       !starts(d->native_line, "> R") && challenge(d->engine_line);
}

/* Options in the answer of the engine are among those of the native one. */
static bool fewer_options(const char *native, const char *engine)
{
	static const char * const names[] = { "sackOK", "TS val", "wscale" };
	unsigned int i, fewer = 0;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strstr(native, names[i]) && strstr(engine, names[i]))
			return false;
		fewer += strstr(native, names[i]) && !strstr(engine, names[i]);
	}
	return fewer;
}

static bool crossed_options(const struct difference *d)
{
	const char *native_end, *engine_end;

	if (!d->script->active || !synack(d->native_line) ||
	    !synack(d->engine_line))
		return false;
	native_end = strchr(d->native_line, '<');
	engine_end = strchr(d->engine_line, '<');
	return native_end && engine_end &&
	       native_end - d->native_line == engine_end - d->engine_line &&
	       !strncmp(d->native_line, d->engine_line,
			native_end - d->native_line) &&
	       fewer_options(native_end, engine_end);
}

static bool crossed_retries(const struct difference *d)
{
	return d->script->active && crossed(d->native) &&
	       starts(d->native_line, "retransmits 0 ") &&
	       starts(d->engine_line, "retransmits ") &&
	       !strcmp(strstr(d->native_line, " backoff"),
		       strstr(d->engine_line, " backoff"));
}

/* What comes by a timer, on one side just before the next step. */
static bool late_timer(const struct difference *d)
{
	const struct run *run = d->native_line ? d->native : d->engine;
	unsigned int at = d->native_line ? d->native_at : d->engine_at;
	unsigned int next;
	u64 at_ms;

	if (!d->native_line == !d->engine_line ||
	    !starts(run->seen.entry[at].line, "> "))
		return false;
	at_ms = run->seen.entry[at].at_ms;
	if (d->step >= 0 && at_ms < d->script->step[d->step].at_ms + TIMER_MS)
		return false;
	for (next = at; next < run->seen.count; next++) {
		if (*run->seen.entry[next].line == '*')
			break;
	}
	return next < run->seen.count && at_ms + 48 + 4 * d->late_ms >
	       run->seen.entry[next].at_ms;
}

struct allowed allowed[] = {
	{
		.rule = "SR8",
		.what = "an ACK for a RST outside the window",
		.when = "it is at the right edge, or its data reach in from the left",
		.why = "RFC 9293 section 3.10.7.4 and RFC 5961: only SEG.SEQ decides, and such a RST is dropped",
		.matches = rst_edge,
		.rest = true,
	}, {
		.rule = "SR4",
		.what = "an ACK for a SYN left of the window",
		.when = "its data reach into the window",
		.why = "such a SYN is of another connection, and nothing of it is trimmed to fit",
		.matches = syn_from_left,
		.rest = true,
	}, {
		.rule = "SR10",
		.what = "a connection from a SYN-ACK with data or FIN",
		.when = "it repeats the peer's SYN",
		.why = "RFC 9293 table 6: the SYN is out of the window; the native child never gets the data",
		.matches = synack_as_data,
		.rest = true,
	}, {
		.rule = "SR12",
		.what = "answers to segments outside the window",
		.when = "it has data or FIN, or another one had within 500 ms",
		.why = "RFC 5961 section 7: all answers to garbage share a limit",
		.matches = data_limit,
		.rest = true,
	}, {
		.rule = "SR18",
		.what = "an ACK at the right edge of the window",
		.when = "it is empty",
		.why = "RFC 9293 table 6: it is out of the window",
		.matches = right_edge,
		.rest = true,
	}, {
		.rule = "SR20",
		.what = "TSecr that was never sent",
		.when = "timestamps were agreed, before the handshake is complete",
		.why = "later kernels check it as well: such a segment is challenged",
		.matches = echo_range,
		.rest = true,
	}, {
		.rule = "TS7",
		.what = "a RST with an old TSval",
		.when = "timestamps were agreed, before the handshake is complete",
		.why = "RFC 7323 section 5.2: PAWS is not for RST",
		.matches = old_rst,
		.rest = true,
	}, {
		.rule = "TS1",
		.what = "timestamps in ACKs of SYN-RECEIVED",
		.when = "the TSval of the peer's SYN is 0",
		.why = "RFC 7323 section 3.2: once agreed they are in every segment but RST",
		.matches = zero_stamps,
		.rest = true,
	}, {
		.rule = "IP10",
		.what = "a SYN from port 0",
		.when = "it is for a claim",
		.why = "an answer could reach nobody",
		.matches = port_zero,
		.rest = true,
	}, {
		.rule = "IC6",
		.what = "ICMP errors in SYN-RECEIVED",
		.when = "IPv4",
		.why = "RFC 9293 section 3.9.2.2: hard ones end it, soft ones do not, as in native IPv6",
		.matches = icmp_abort,
		.rest = true,
	}, {
		.rule = "SS4",
		.what = "a SYN after a RST with a wrong ACK",
		.when = "in SYN-SENT",
		.why = "RFC 9293 section 3.10.7.3: such a RST is dropped, and must hurry nothing",
		.matches = no_hurry,
		.rest = true,
	}, {
		.rule = "ER9",
		.what = "shutdown() of a simultaneous open",
		.when = "the SYNs have crossed, and nothing else has come",
		.why = "the socket stays in SYN-SENT, where that disconnects",
		.matches = crossed_shutdown,
		.rest = true,
	}, {
		.rule = "SM9",
		.what = "the peer's window after a simultaneous open",
		.when = "its SYN-ACK completes it",
		.why = "RFC 7323 section 2.2: the window of a SYN-ACK is not scaled",
		.matches = unscaled_window,
		.rest = true,
	}, {
		.rule = "SM2",
		.what = "D-SACK in the ACK of a simultaneous open",
		.when = "the peer's SYN-ACK completes it",
		.why = "the socket has not seen the SYNs cross: the SYN in it is no duplicate",
		.matches = crossed_dsack,
		.rest = true,
	}, {
		.rule = "SM11",
		.what = "a simultaneous open that is complete by an ACK of nothing",
		.when = "it acknowledges all before our SYN",
		.why = "RFC 9293 section 3.10.7.4: SND.UNA < SEG.ACK, else a RST",
		.matches = crossed_iss,
		.rest = true,
	}, {
		.rule = "RT12",
		.what = "the window in copies of the SYN-ACK of a simultaneous open",
		.when = "an ACK has been sent since",
		.why = "a copy is what was sent before, not rounded up to the shift",
		.matches = copied_window,
	}, {
		.rule = "SQ8",
		.what = "the edges of the window of a simultaneous open",
		.when = "a segment ends at its left edge or begins at its right one",
		.why = "RFC 9293 table 6: it is out of the window",
		.matches = crossed_edge,
		.rest = true,
	}, {
		.rule = "SQ4",
		.what = "an ACK in a simultaneous open",
		.when = "a segment without ACK is out of the window",
		.why = "RFC 9293 section 3.10.7.4: the sequence number comes before the ACK bit",
		.matches = crossed_no_ack,
		.rest = true,
	}, {
		.rule = "SM3",
		.what = "an ACK when a simultaneous open is complete",
		.when = "a segment without SYN completes it",
		.why = "the socket has not seen the SYNs cross: it gets a SYN-ACK in place of the SYN, and answers that",
		.matches = crossed_ack,
		.rest = true,
	}, {
		.rule = "SM4",
		.what = "errno of a simultaneous open that is reset",
		.when = "the SYNs have crossed",
		.why = "RFC 9293 section 3.10.7.4: connection refused",
		.matches = reset_error,
	}, {
		.rule = "RT6",
		.what = "what a timer sends",
		.when = "the next step is near",
		.why = "the native timer is late by up to an eighth, the engine's is not, and all that follows is shifted",
		.matches = late_timer,
		.rest = true,
	}, {
		.rule = "SM7",
		.what = "retransmissions in TCP_INFO of a simultaneous open",
		.when = "the handshake is not complete",
		.why = "the socket stays in SYN-SENT, where they count",
		.matches = crossed_retries,
	}, {
		.rule = "SM8",
		.what = "options of the SYN-ACK of a simultaneous open",
		.when = "the peer did not offer all of ours",
		.why = "RFC 7323 section 2.2: what one end did not offer is off",
		.matches = crossed_options,
		.rest = true,
	},
};

const unsigned int allowed_count = ARRAY_SIZE(allowed);
