// SPDX-License-Identifier: GPL-2.0
/* The remote end of a connection: see peer.h. Packets and checks. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

/* Failures of one test that are printed in full. */
#define FAILURES_SHOWN	5

/* ICMPv6 that a host sends of its own accord: reports, discovery. */
#define ICMP6_OWN_FIRST	130
#define ICMP6_OWN_LAST	143

unsigned int peer_patience(void)
{
	const char *patience = getenv("THREEWAY_PATIENCE");

	return patience ? atoi(patience) : 1;
}

u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

void sleep_ms(unsigned int ms)
{
	sleep_until_ms(now_ms() + ms);
}

void sleep_until_ms(u64 ms)
{
	struct timespec until = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
		;
}

/* What the numbers of our packets count from. */
static struct origin sent_origin(const struct peer *peer)
{
	return (struct origin) {
		.seq = peer->irs,
		.ack = peer->iss,
		.tsval = peer->tsval,
	};
}

/* What the numbers of the kernel's packets count from. */
static struct origin received_origin(const struct peer *peer)
{
	return (struct origin) {
		.seq = peer->iss,
		.ack = peer->irs,
		.tsval = peer->tsval,
	};
}

static void trace(struct peer *peer, char direction, const char *line)
{
	u64 ms = now_ms() - peer->start_ms;
	char *to = peer->trace[peer->trace_count++ % PEER_TRACE];

	snprintf(to, LINE_MAX_LEN, "%3u.%03u %c %.*s", (unsigned int)ms / 1000,
		 (unsigned int)ms % 1000, direction, LINE_MAX_LEN - 20, line);
}

static void print_trace(const struct peer *peer)
{
	unsigned int i = peer->trace_count > PEER_TRACE ?
			 peer->trace_count - PEER_TRACE : 0;

	for (; i < peer->trace_count; i++)
		printf("#     %s\n", peer->trace[i % PEER_TRACE]);
}

static bool __printf(3, 4) fail(struct peer *peer, struct place place,
				const char *format, ...)
{
	va_list args;

	if (peer->failures++ >= FAILURES_SHOWN)
		return false;
	/* what was wrong comes last, as who shortens a log keeps its end */
	print_trace(peer);
	printf("# %s:%d: %s%s", place.file, place.line, peer->label,
	       *peer->label ? ": " : "");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	return false;
}

bool peer_check_(struct peer *peer, struct place place, bool good,
		 const char *format, ...)
{
	char text[LINE_MAX_LEN];
	va_list args;

	if (good)
		return true;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return fail(peer, place, "%s", text);
}

static size_t prepare(struct peer *peer, u8 *raw, const char *line)
{
	struct origin origin = sent_origin(peer);
	u8 data[PACKET_MAX];
	struct pattern pattern;
	struct packet packet;
	size_t i;

	packet_scan(&pattern, line, &origin);
	packet = peer->header;
	packet.seq = pattern.packet.seq;
	packet.ack = pattern.packet.ack;
	packet.flags = pattern.packet.flags;
	packet.window = pattern.any_window ? 65535 : pattern.packet.window;
	packet.urgent = pattern.packet.urgent;
	if (!pattern.any_ttl)
		packet.ttl = pattern.packet.ttl;
	if (!pattern.any_tos)
		packet.tos = pattern.packet.tos;
	packet.options_len = pattern.packet.options_len;
	memcpy(packet.options, pattern.packet.options, OPTIONS_MAX);
	packet.data_len = pattern.packet.data_len;
	for (i = 0; i < packet.data_len; i++)
		data[i] = stream_octet(packet.seq - peer->irs + i);
	packet.data = data;
	return packet_build(&packet, raw);
}

size_t peer_prepare(struct peer *peer, u8 *raw, const char *format, ...)
{
	char line[LINE_MAX_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	return prepare(peer, raw, line);
}

void peer_inject(struct peer *peer, const u8 *raw, size_t len)
{
	struct iovec parts[] = {
		{ .iov_base = &peer->vnet, .iov_len = sizeof(peer->vnet) },
		{ .iov_base = (void *)raw, .iov_len = len },
	};

	/* The device refuses what it can see is no IP packet: silence too. */
	if (writev(peer->tun, parts, 2) < 0 && errno != EINVAL &&
	    !peer->lossy) {
		perror("# tun: write");
		abort();
	}
	if (peer->watch)
		peer->watch(peer, true, raw, len);
}

void peer_send(struct peer *peer, const char *format, ...)
{
	u8 raw[PACKET_MAX];
	char line[LINE_MAX_LEN];
	va_list args;
	size_t len;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	len = prepare(peer, raw, line);
	trace(peer, '<', line);
	peer_inject(peer, raw, len);
}

/* Whether the packet belongs to a flow that the test has left. */
static bool is_of_past_flow(const struct peer *peer,
			    const struct packet *packet)
{
	return !packet->icmp && packet->dport >= peer->first_port &&
	       packet->dport <= peer->last_port &&
	       packet->dport != peer->header.sport;
}

static bool is_own_icmp6(const struct packet *packet)
{
	int type = packet->icmp >> 8;

	return packet->family == AF_INET6 && type >= ICMP6_OWN_FIRST &&
	       type <= ICMP6_OWN_LAST;
}

static void note_packet(struct peer *peer)
{
	struct packet *packet = &peer->latest;
	struct packet noted;
	struct origin origin;
	char line[LINE_MAX_LEN];
	u32 ecr;

	packet_timestamps(packet, &peer->tsval, &ecr);
	if (!peer->iss_known && (packet->flags & FLAG_SYN)) {
		peer->iss = packet->seq;
		peer->iss_known = true;
	}
	if (packet->flags & FLAG_ACK)
		peer->acked = packet->ack;
	origin = received_origin(peer);
	trace(peer, '>', packet_print(packet, &origin, line));
	/*
	 * Where a sender pushes depends on how its memory lies, and a socket's
	 * IPv4 identification is a random number that may be 0 as well. Only
	 * who answers without a socket has none.
	 */
	noted = *packet;
	if (noted.data_len)
		noted.flags &= ~FLAG_PSH;
	if (!(noted.flags & FLAG_RST) &&
	    (peer->opens || !(noted.flags & FLAG_SYN)))
		noted.ip_id = 0;
	origin.hide_tsval = true;
	peer_note(peer, "> %s", packet_print(&noted, &origin, line));
}

/* Only what is the test's business is the latest packet. */
static void keep_latest(struct peer *peer, const struct packet *packet,
			const u8 *raw, size_t len)
{
	memcpy(peer->raw, raw, len);
	peer->raw_len = len;
	peer->latest = *packet;
	if (packet->data)
		peer->latest.data = peer->raw + (packet->data - raw);
}

/* One packet off the device. False when it is none of the test's business. */
static bool read_packet(struct peer *peer)
{
	static u8 raw[PACKET_MAX];
	struct packet packet;
	struct virtio_net_hdr vnet;
	struct iovec parts[] = {
		{ .iov_base = &vnet, .iov_len = sizeof(vnet) },
		{ .iov_base = raw, .iov_len = sizeof(raw) },
	};
	ssize_t len = readv(peer->tun, parts, 2) - sizeof(vnet);
	const char *reason;

	if (len < 0) {
		perror("# tun: read");
		abort();
	}
	peer->at_ms = now_ms();
	if (vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		packet_complete(raw, len, vnet.csum_start, vnet.csum_offset);
		peer->partial++;
	}
	if (peer->watch)
		peer->watch(peer, false, raw, len);
	if (!packet_parse(&packet, raw, len, &reason)) {
		fail(peer, HERE, "the kernel sent a broken packet: %s", reason);
		return false;
	}
	if (is_own_icmp6(&packet) || is_of_past_flow(peer, &packet))
		return false;
	keep_latest(peer, &packet, raw, len);
	note_packet(peer);
	return true;
}

/* The addresses and ports of a packet are the flow's. */
static bool is_of_flow(const struct peer *peer, const struct packet *packet)
{
	const struct packet *sent = &peer->header;

	return packet->sport == sent->dport && packet->dport == sent->sport &&
	       !memcmp(&packet->src, &sent->dst, sizeof(packet->src)) &&
	       !memcmp(&packet->dst, &sent->src, sizeof(packet->dst));
}

bool peer_receive(struct peer *peer, unsigned int timeout_ms)
{
	struct pollfd fd = { .fd = peer->tun, .events = POLLIN };
	u64 end = now_ms() + timeout_ms;
	u64 now, left;

	for (;;) {
		now = now_ms();
		left = now < end ? end - now : 0;
		/* A long poll() is late by a thousandth. */
		if (left > 1000)
			left -= left / 8;
		if (poll(&fd, 1, left) > 0) {
			if (read_packet(peer))
				return true;
		} else if (now >= end) {
			return false;
		}
	}
}

static bool expect_line(struct peer *peer, struct place place,
			unsigned int timeout_ms, const char *line)
{
	struct pattern pattern;
	struct origin origin;
	char seen[LINE_MAX_LEN];

	if (!peer_receive(peer, timeout_ms))
		return fail(peer, place, "expected > %s, but nothing came",
			    line);
	origin = received_origin(peer);
	packet_scan(&pattern, line, &origin);
	if (packet_matches(&peer->latest, &pattern) &&
	    is_of_flow(peer, &peer->latest))
		return true;
	return fail(peer, place, "expected > %s, seen > %s%s", line,
		    packet_print(&peer->latest, &origin, seen),
		    is_of_flow(peer, &peer->latest) ? "" :
		    " (other addresses or ports)");
}

bool peer_expect_(struct peer *peer, struct place place,
		  unsigned int timeout_ms, const char *format, ...)
{
	char line[LINE_MAX_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	return expect_line(peer, place, timeout_ms, line);
}

bool peer_expect_at_(struct peer *peer, struct place place, u64 at_ms,
		     const char *format, ...)
{
	u64 due = peer->start_ms + at_ms;
	u64 now = now_ms();
	char line[LINE_MAX_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (!expect_line(peer, place, due + PEER_TOLERANCE_MS > now ?
			 due + PEER_TOLERANCE_MS - now : 0, line))
		return false;
	if (peer->at_ms + PEER_TOLERANCE_MS >= due)
		return true;
	return fail(peer, place, "at %llu ms, expected at %llu ms: > %s",
		    (unsigned long long)(peer->at_ms - peer->start_ms),
		    (unsigned long long)at_ms, line);
}

bool peer_expect_silence_(struct peer *peer, struct place place,
			  unsigned int ms)
{
	struct origin origin = received_origin(peer);
	char seen[LINE_MAX_LEN];

	if (!peer_receive(peer, ms))
		return true;
	return fail(peer, place, "expected nothing, seen > %s",
		    packet_print(&peer->latest, &origin, seen));
}

bool peer_syn(struct peer *peer, const char *options)
{
	peer_send(peer, "S 0 win 65535 <%s>", options);
	return expect(peer, "S. 0 ack 1");
}
