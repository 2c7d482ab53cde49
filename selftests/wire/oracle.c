// SPDX-License-Identifier: GPL-2.0
/* The native stack as the reference: see same_as_native() in peer.h. */
#include <linux/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"

/* How often two runs may differ by nothing but times. */
#define TRIES	3

void peer_note(struct peer *peer, const char *format, ...)
{
	struct transcript *transcript = peer->transcript;
	char text[LINE_MAX_LEN - PEER_LABEL - 2];
	va_list args;

	if (!transcript)
		return;
	if (transcript->count == TRANSCRIPT_MAX) {
		fprintf(stderr, "# the transcript is full\n");
		abort();
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(transcript->entry[transcript->count].line, LINE_MAX_LEN,
		 "%s%s%s", peer->label, *peer->label ? ": " : "", text);
	transcript->entry[transcript->count++].at_ms =
		now_ms() - peer->start_ms;
}

void peer_watch(struct peer *peer, u64 until_ms)
{
	u64 end = peer->start_ms + until_ms;
	u64 now;

	while ((now = now_ms()) < end && peer_receive(peer, end - now))
		;
}

void peer_note_info(struct peer *peer, int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len)) {
		peer_note(peer, "no TCP_INFO");
		return;
	}
	peer_note(peer, "state %u ca_state %u options %#x wscale %u,%u",
		  info.tcpi_state, info.tcpi_ca_state, info.tcpi_options,
		  info.tcpi_snd_wscale, info.tcpi_rcv_wscale);
	peer_note(peer, "retransmits %u probes %u backoff %u retrans %u,%u",
		  info.tcpi_retransmits, info.tcpi_probes, info.tcpi_backoff,
		  info.tcpi_retrans, info.tcpi_total_retrans);
	peer_note(peer, "mss %u,%u advmss %u pmtu %u reordering %u pacing %s",
		  info.tcpi_snd_mss, info.tcpi_rcv_mss, info.tcpi_advmss,
		  info.tcpi_pmtu, info.tcpi_reordering,
		  info.tcpi_pacing_rate ? "yes" : "no");
	peer_note(peer, "unacked %u sacked %u lost %u notsent %u delivered %u,%u",
		  info.tcpi_unacked, info.tcpi_sacked, info.tcpi_lost,
		  info.tcpi_notsent_bytes, info.tcpi_delivered,
		  info.tcpi_delivered_ce);
	peer_note(peer, "cwnd %u ssthresh %u,%u rcv_space %u snd_wnd %u",
		  info.tcpi_snd_cwnd, info.tcpi_snd_ssthresh,
		  info.tcpi_rcv_ssthresh, info.tcpi_rcv_space,
		  info.tcpi_snd_wnd);
	peer_note(peer, "rto ~%u ato ~%u rtt ~%u rttvar ~%u min ~%u rcv_rtt ~%u",
		  info.tcpi_rto / 1000, info.tcpi_ato / 1000,
		  info.tcpi_rtt / 1000, info.tcpi_rttvar / 1000,
		  info.tcpi_min_rtt / 1000, info.tcpi_rcv_rtt / 1000);
	peer_note(peer, "last data sent ~%u data received ~%u ack ~%u",
		  info.tcpi_last_data_sent, info.tcpi_last_data_recv,
		  info.tcpi_last_ack_recv);
	peer_note(peer, "segments %u,%u data %u,%u dsack %u reord %u ooo %u",
		  info.tcpi_segs_in, info.tcpi_segs_out,
		  info.tcpi_data_segs_in, info.tcpi_data_segs_out,
		  info.tcpi_dsack_dups, info.tcpi_reord_seen,
		  info.tcpi_rcv_ooopack);
	peer_note(peer, "octets acked %llu received %llu sent %llu again %llu",
		  (unsigned long long)info.tcpi_bytes_acked,
		  (unsigned long long)info.tcpi_bytes_received,
		  (unsigned long long)info.tcpi_bytes_sent,
		  (unsigned long long)info.tcpi_bytes_retrans);
}

/*
 * Times in ms that belong together. The timer wheel may be late by an eighth,
 * and what is measured differs a little from run to run.
 */
static bool nearly_equal(u64 a_ms, u64 b_ms, unsigned int tolerance_ms)
{
	return a_ms <= b_ms + b_ms / 8 + tolerance_ms &&
	       b_ms <= a_ms + a_ms / 8 + tolerance_ms;
}

/*
 * The same text, but that numbers behind "~" are times in ms. @late becomes true
 * where these differ.
 */
static bool same_text(const char *a, const char *b, bool *late)
{
	char *a_end, *b_end;
	u64 a_ms, b_ms;

	for (; *a && *a == *b; a++, b++) {
		if (*a != '~')
			continue;
		a_ms = strtoull(a + 1, &a_end, 10);
		b_ms = strtoull(b + 1, &b_end, 10);
		if (!nearly_equal(a_ms, b_ms, 10 * peer_patience()))
			*late = true;
		a = a_end - 1;
		b = b_end - 1;
	}
	return *a == *b;
}

/*
 * How two transcripts differ, and at which entry first. What is said counts for
 * more than when, which is only looked at when all is said alike.
 */
struct difference {
	enum { DIFFER_NOT, DIFFER_WHEN, DIFFER_WHAT } in;
	unsigned int at;
};

static struct difference find_difference(const struct transcript *a,
					 const struct transcript *b)
{
	struct difference found = { .in = DIFFER_NOT };
	unsigned int i;
	bool late;

	for (i = 0; i < a->count && i < b->count; i++) {
		late = !nearly_equal(a->entry[i].at_ms, b->entry[i].at_ms,
				     PEER_TOLERANCE_MS);
		if (!same_text(a->entry[i].line, b->entry[i].line, &late))
			return (struct difference) { DIFFER_WHAT, i };
		if (late && found.in == DIFFER_NOT)
			found = (struct difference) { DIFFER_WHEN, i };
	}
	if (a->count != b->count)
		return (struct difference) { DIFFER_WHAT, i };
	return found;
}

static const struct entry *entry_at(const struct transcript *transcript,
				    unsigned int i)
{
	static const struct entry none = { .line = "nothing more" };

	return i < transcript->count ? &transcript->entry[i] : &none;
}

static bool check_difference(struct peer *peer, struct place place,
			     struct difference found,
			     const struct transcript *native_run,
			     const struct transcript *engine_run)
{
	const struct entry *native = entry_at(native_run, found.at);
	const struct entry *engine = entry_at(engine_run, found.at);

	return peer_check_(peer, place, found.in == DIFFER_NOT,
			   "the runs differ\n# native: %llu ms %.180s\n# engine: %llu ms %.180s",
			   (unsigned long long)native->at_ms, native->line,
			   (unsigned long long)engine->at_ms, engine->line);
}

/* What else the machine does, namespaces that go away above all, takes its time. */
static bool try_again(struct difference found)
{
	if (found.in != DIFFER_WHEN)
		return false;
	printf("# the times of both runs differ, once more\n");
	return true;
}

static bool run_once(struct peer *peer, bool with_engine,
		     void (*script)(struct peer *peer, const void *arg),
		     const void *arg, struct transcript *transcript)
{
	const char *lacking;

	peer_close(peer);
	lacking = peer_open(peer, peer->family, with_engine);
	if (!check(peer, !lacking, "%s", lacking))
		return false;
	transcript->count = 0;
	peer->transcript = transcript;
	script(peer, arg);
	peer->transcript = NULL;
	return true;
}

bool peer_same_as_native_(struct peer *peer, struct place place,
			  void (*script)(struct peer *peer, const void *arg),
			  const void *arg)
{
	static struct transcript native, engine;
	struct difference found;
	unsigned int tries = TRIES;

	do {
		if (!run_once(peer, false, script, arg, &native) ||
		    !check(peer, native.count, "the script does nothing") ||
		    !run_once(peer, true, script, arg, &engine))
			return false;
		found = find_difference(&native, &engine);
	} while (--tries && try_again(found));
	return check_difference(peer, place, found, &native, &engine);
}
