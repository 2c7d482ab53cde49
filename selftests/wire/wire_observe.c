// SPDX-License-Identifier: GPL-2.0
/*
 * Claims of mode observe. Each script runs twice, without and with the claim:
 * what the kernel sends and what programs see must be equal. What the engine
 * told about it is a list of lines
 *
 *	TYPE STATE [FLAGS] [COUNTER]
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client.h"
#include "quote.h"
#include "wire.h"

#define EVENTS_MAX	4096

/* Half-open for 7 s: copies at 1 and 3 s. */
#define RETRIES		2

static void claim_observed(struct peer *peer, u8 direction)
{
	struct threeway_claim claim = {
		.direction = direction,
		.mode = THREEWAY_OBSERVE,
	};
	struct threeway_event_start start = { .room = EVENTS_MAX };
	int err;

	sysctl_set("net/ipv4/tcp_synack_retries", "%u", RETRIES);
	sysctl_set("net/ipv4/tcp_syn_retries", "%u", RETRIES);
	if (peer->engine < 0)
		return;
	err = threeway_claim_add(peer->engine, &claim);
	check(peer, !err, "claim: %s", strerror(-err));
	fcntl(peer->engine, F_SETFL, O_NONBLOCK);
	check(peer, !ioctl(peer->engine, THREEWAY_IOC_EVENT_START, &start),
	      "no events: %s", strerror(errno));
}

static void serve_observed(struct peer *peer)
{
	peer_listen(peer, 1024);
	claim_observed(peer, THREEWAY_PASSIVE);
}

static void format_event(const struct threeway_event *event, char *line,
			 size_t size)
{
	static const char * const types[] = {
		"-", "opened", "arrived", "sent", "timer", "state", "handoff",
		"ended"
	};
	static const char * const states[] = {
		"closed", "listen", "syn-sent", "syn-received", "established"
	};
	static const char letters[] = "FSRP.UEW";
	char flags[9] = "";
	int i, n = 0;

	for (i = 0; i < 8; i++)
		if (event->flags & 1 << i)
			flags[n++] = letters[i];
	n = snprintf(line, size, "%s %s%s%s", types[event->type & 7],
		     states[event->state % 5], *flags ? " " : "", flags);
	if (event->counter != THREEWAY_EVENT_NO_COUNTER)
		snprintf(line + n, size - n, " %s",
			 threeway_counter_name(event->counter));
}

/* The events so far are just these, "|" in between. */
static bool expect_told_(struct peer *peer, struct place place,
			 const char *want)
{
	static struct threeway_event events[64];
	char got[2048] = "";
	size_t at = 0;
	int i, n;

	if (peer->engine < 0)
		return true;
	while ((n = threeway_event_read(peer->engine, events, 64)) > 0) {
		for (i = 0; i < n && at < sizeof(got) - 128; i++) {
			if (at)
				got[at++] = '|';
			format_event(&events[i], got + at, sizeof(got) - at);
			at += strlen(got + at);
			check(peer, events[i].mode == THREEWAY_OBSERVE,
			      "mode %u", events[i].mode);
		}
	}
	return peer_check_(peer, place, !strcmp(got, want),
			   "told:\n# %.400s\n# expected:\n# %.400s", got,
			   want);
}

#define expect_told(peer, want)	expect_told_(peer, HERE, want)

#define OPENED		"opened listen flows_opened|arrived listen S"
#define ANSWERED	"|state syn-received|sent syn-received S. observed_synack"
#define COPY		"sent syn-received S. observed_copy"
#define ACKED		"|arrived syn-received .|ended established flows_observed"
#define BEGUN		"flows_opened 1; observed_synack 1"
#define SENT \
	"opened closed flows_opened|state syn-sent|sent syn-sent S observed_syn"
#define CONNECTS	"flows_opened 1; observed_syn 1"

/* The flow that the engine shows. */
static void expect_shown_(struct peer *peer, struct place place, u8 state)
{
	struct threeway_flow flow;

	if (peer->engine < 0)
		return;
	peer_flows(peer, &flow);
	peer_check_(peer, place, flow.state == state &&
		    (!state || flow.mode == THREEWAY_OBSERVE),
		    "state %u mode %u, expected state %u", flow.state,
		    flow.mode, state);
	if (state != THREEWAY_SYN_RECEIVED)
		return;
	peer_check_(peer, place, flow.iss == peer->iss &&
		    flow.irs == peer->irs && flow.rcv_nxt == peer->irs + 1 &&
		    flow.peer_mss == 1460 && flow.snd_wscale == 7 &&
		    flow.flags == (THREEWAY_F_SACK | THREEWAY_F_TIMESTAMPS |
				   THREEWAY_F_WINDOW_SCALING),
		    "iss %u irs %u mss %u shift %u flags %#x", flow.iss,
		    flow.irs, flow.peer_mss, flow.snd_wscale, flow.flags);
}

#define expect_shown(peer, state)	expect_shown_(peer, HERE, state)

/* The time to ESTABLISHED of the flows since the last call, which it clears. */
static void expect_took_(struct peer *peer, struct place place, int want_ms)
{
	static u64 before;
	u64 now = peer_counter(peer, THREEWAY_C_observed_ms);
	int ms = now - before;

	if (peer->engine < 0)
		return;
	before = now;
	peer_check_(peer, place, ms > want_ms - 20 && ms < want_ms + 20,
		    "it took %d ms, expected %d ms", ms, want_ms);
}

#define expect_took(peer, ms)	expect_took_(peer, HERE, ms)

static void passive_handshake(struct peer *peer, const void *arg)
{
	int fd;

	(void)arg;
	serve_observed(peer);
	peer_syn(peer, SYN_OPTIONS);
	expect_shown(peer, THREEWAY_SYN_RECEIVED);
	sleep_ms(300);
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
	fd = expect_accept(peer);
	expect_shown(peer, 0);
	expect_told(peer, OPENED ANSWERED ACKED);
	expect_took(peer, 300);
	expect_counters(peer, BEGUN "; flows_observed 1; observed_ms %llu",
			(unsigned long long)
			peer_counter(peer, THREEWAY_C_observed_ms));
	peer_note_info(peer, fd);
	/* what comes now is not looked at */
	peer_send(peer, "P. 1(5) ack 1 <nop,nop,TS val 1001 ecr ^>");
	expect(peer, ". 1 ack 6");
	expect_stream(peer, fd, 1, 5);
	expect_told(peer, "");
	expect_no_counters(peer);
	close(fd);
	peer_watch(peer, 1000);
}

TEST_F(wire, NF9_passive_handshake)
{
	same_as_native(&self->peer, passive_handshake, NULL);
}

static void passive_expiry(struct peer *peer, const void *arg)
{
	(void)arg;
	serve_observed(peer);
	peer_syn(peer, SYN_OPTIONS);
	peer_send(peer, "S 0 win 65535 <" SYN_OPTIONS ">");
	peer_watch(peer, 9000);
	expect_told(peer, OPENED ANSWERED "|arrived syn-received S|" COPY "|"
		    COPY "|" COPY "|ended closed flows_expired");
	expect_counters(peer, BEGUN "; observed_copy 3; flows_expired 1");
	expect_shown(peer, 0);
}

TEST_F(wire, NF9_RT6_copies_of_the_SYN_ACK_and_the_end)
{
	same_as_native(&self->peer, passive_expiry, NULL);
}

static void passive_refusals(struct peer *peer, const void *arg)
{
	(void)arg;
	/* nobody listens */
	claim_observed(peer, THREEWAY_PASSIVE);
	peer_send(peer, "S 0 win 65535 <" SYN_OPTIONS ">");
	expect(peer, "R. =0 ack 1");
	expect_told(peer, OPENED "|sent listen R. observed_rst|ended closed flows_rejected");
	expect_counters(peer, "flows_opened 1; observed_rst 1; "
			"flows_rejected 1");

	/* the peer gives up */
	peer_listen(peer, 1024);
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	peer_send(peer, "R 1");
	expect_told(peer, OPENED ANSWERED
		    "|arrived syn-received R|ended closed flows_reset");
	expect_counters(peer, BEGUN "; flows_reset 1");
	expect_shown(peer, 0);

	/* a SYN in the window */
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	peer_send(peer, "S 100");
	peer_watch(peer, 50);
	expect_told(peer, OPENED ANSWERED "|arrived syn-received S|sent syn-received R. observed_rst|ended closed flows_rejected");
	expect_counters(peer, BEGUN "; observed_rst 1; flows_rejected 1");
}

TEST_F(wire, NF9_refusals_of_either_end)
{
	same_as_native(&self->peer, passive_refusals, NULL);
}

static void survivals(struct peer *peer, const void *arg)
{
	u8 raw[PACKET_MAX];
	size_t len;

	(void)arg;
	serve_observed(peer);
	peer_syn(peer, SYN_OPTIONS);
	/* a bad ACK gets a RST, and the request stays */
	peer_send(peer, ". 1 ack 2");
	expect(peer, "R 2");
	expect_shown(peer, THREEWAY_SYN_RECEIVED);
	/* a RST beside the window changes nothing, nor what is spoilt */
	peer_send(peer, "R 0x40000000");
	len = peer_prepare(peer, raw, "R 1");
	raw[len - 3] ^= 1;
	peer_inject(peer, raw, len);
	expect_shown(peer, THREEWAY_SYN_RECEIVED);
	peer_watch(peer, 500);
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
	close(expect_accept(peer));
	expect_told(peer, OPENED ANSWERED "|arrived syn-received .|sent syn-received R observed_rst|arrived syn-received R"
		    ACKED);
	peer_watch(peer, 600);

	/* nor do they name the reason when the kernel gives up itself */
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	peer_send(peer, ". 1 ack 2");
	peer_send(peer, "R 0x40000000");
	peer_watch(peer, 9000);
	expect_told(peer, OPENED ANSWERED "|arrived syn-received .|sent syn-received R observed_rst|arrived syn-received R|"
		    COPY "|" COPY "|ended closed flows_expired");
}

TEST_F(wire, NF9_what_ends_nothing)
{
	same_as_native(&self->peer, survivals, NULL);
}

static void cookies(struct peer *peer, const void *arg)
{
	(void)arg;
	sysctl_set("net/ipv4/tcp_syncookies", "2");
	serve_observed(peer);
	peer_syn(peer, SYN_OPTIONS);
	/* no socket remembers it, and its ACK may take a while */
	peer_watch(peer, 2000);
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
	close(expect_accept(peer));
	expect_told(peer, OPENED ANSWERED ACKED);
	expect_took(peer, 2000);
	/* a forged one is reset */
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	peer_send(peer, ". 1 ack 1000");
	peer_watch(peer, 100);
	expect_told(peer, OPENED ANSWERED "|arrived syn-received .|sent syn-received R observed_rst|ended closed flows_rejected");
	/* and nobody waits for ever */
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	peer_watch(peer, 4000);
	expect_shown(peer, THREEWAY_SYN_RECEIVED);
	peer_watch(peer, 5100);
	expect_told(peer, OPENED ANSWERED "|ended closed flows_expired");
	expect_shown(peer, 0);
}

TEST_F(wire, NF9_CK1_SYN_cookies)
{
	same_as_native(&self->peer, cookies, NULL);
}

static void time_wait(struct peer *peer, const void *arg)
{
	(void)arg;
	serve_observed(peer);
	peer_time_wait(peer);
	expect_told(peer, OPENED ANSWERED ACKED);
	/* too old: it is acknowledged, which opens nothing */
	peer_send(peer, "S 1 <mss 1460>");
	peer_watch(peer, 2500);
	expect_told(peer, OPENED "|ended closed flows_expired");
	/* new: the port is used again */
	peer->irs += 100000;
	peer->iss_known = false;
	peer_syn(peer, "mss 1460");
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	expect_told(peer, OPENED ANSWERED ACKED);
	peer_watch(peer, 3000);
}

TEST_F(wire, NF9_TW1_TIME_WAIT_refused_and_reused)
{
	same_as_native(&self->peer, time_wait, NULL);
}

static void fast_open(struct peer *peer, const void *arg)
{
	int one = 16;
	int fd;

	(void)arg;
	/* without cookies, for every listener that wants it */
	sysctl_set("net/ipv4/tcp_fastopen", "%d", 0x203);
	serve_observed(peer);
	setsockopt(peer->listener, IPPROTO_TCP, TCP_FASTOPEN, &one,
		   sizeof(one));
	peer_send(peer, "S 0(5) win 65535 <mss 1460>");
	expect(peer, "S. 0 ack 6");
	fd = expect_accept(peer);
	expect_stream(peer, fd, 0, 5);
	peer_watch(peer, 200);
	peer_send(peer, ". 6 ack 1");
	expect_told(peer, OPENED ANSWERED ACKED);
	expect_took(peer, 200);
	close(fd);
	peer_watch(peer, 500);
}

TEST_F(wire, NF9_FO3_passive_fast_open)
{
	same_as_native(&self->peer, fast_open, NULL);
}

static void connects(struct peer *peer, const void *arg)
{
	struct icmp_error hard = hard_error(peer);
	int fd;

	(void)arg;
	claim_observed(peer, THREEWAY_ACTIVE);
	fd = client_open(peer);
	expect_shown(peer, THREEWAY_SYN_SENT);
	peer_watch(peer, 1500);
	peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	expect(peer, ". 1 ack 1");
	client_note(peer, fd);
	expect_told(peer, SENT "|sent syn-sent S observed_copy|arrived syn-sent S.|ended established flows_observed");
	client_close(peer, fd);

	fd = client_open(peer);
	peer_send(peer, "R. 0 ack 1");
	client_note(peer, fd);
	expect_told(peer, SENT "|arrived syn-sent R.|ended closed flows_refused");
	close(fd);

	/* nobody answers */
	fd = client_open(peer);
	peer_watch(peer, 15000);
	client_note(peer, fd);
	expect_told(peer, SENT "|sent syn-sent S observed_copy|sent syn-sent S observed_copy|ended closed flows_socket_gone");
	close(fd);

	fd = client_open(peer);
	peer_icmp(peer, &hard);
	client_note(peer, fd);
	peer_watch(peer, 20);
	expect_told(peer, SENT "|ended closed flows_icmp");
	close(fd);
}

TEST_F_TIMEOUT(wire, NF9_active_handshake_refusal_timeout_and_ICMP, 90)
{
	same_as_native(&self->peer, connects, NULL);
}

static void bad_answers(struct peer *peer, const void *arg)
{
	int fd;

	(void)arg;
	claim_observed(peer, THREEWAY_ACTIVE);
	fd = client_open(peer);
	peer_send(peer, ". 1 ack 7");
	expect(peer, "R 7");
	/* the first one brings it forward, by two jiffies */
	expect(peer, "S 0");
	peer_send(peer, "S. 0 ack 2 <mss 1460>");
	peer_watch(peer, 100);
	peer_send(peer, "R 1");
	peer_send(peer, "R. 1 ack 2");
	expect_shown(peer, THREEWAY_SYN_SENT);
	peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	peer_watch(peer, 200);
	client_note(peer, fd);
	expect_told(peer, SENT "|arrived syn-sent .|sent syn-sent R observed_rst|sent syn-sent S observed_copy|arrived syn-sent S.|sent syn-sent R observed_rst|arrived syn-sent R|arrived syn-sent R.|arrived syn-sent S.|ended established flows_observed");
	client_close(peer, fd);
}

TEST_F(wire, NF9_SS2_bad_answers_to_an_observed_SYN)
{
	same_as_native(&self->peer, bad_answers, NULL);
}

static void crossing(struct peer *peer, const void *arg)
{
	int fd;

	(void)arg;
	claim_observed(peer, THREEWAY_ACTIVE);
	fd = client_open(peer);
	peer_send(peer, "S 0 win 65535 <" SYN_OPTIONS ">");
	expect(peer, "S. 0 ack 1");
	expect_shown(peer, THREEWAY_SYN_RECEIVED);
	peer_watch(peer, 300);
	peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	peer_watch(peer, 400);
	client_note(peer, fd);
	expect_told(peer, SENT "|arrived syn-sent S|state syn-received|sent syn-received S. observed_synack|arrived syn-received S.|ended established flows_observed");
	expect_counters(peer, CONNECTS "; observed_synack 1; flows_observed 1; "
			"observed_ms %llu", (unsigned long long)
			peer_counter(peer, THREEWAY_C_observed_ms));
	client_close(peer, fd);
}

TEST_F(wire, NF9_SM1_simultaneous_open)
{
	same_as_native(&self->peer, crossing, NULL);
}

/*
 * What is answered to a segment, before the next one. A SYN or SYN-ACK may be
 * of another connection, with another ISS. A delayed ACK comes after 40 ms and
 * perhaps a tick: not just when a segment does. A slow machine needs more than
 * that; all segments together less than a timeout.
 */
static void hear(struct peer *peer)
{
	peer->iss_known = false;
	peer_watch(peer, now_ms() - peer->start_ms +
		   (peer_patience() == 1 ? 25 : 60));
	peer->iss_known = true;
}

/* TCP_INFO says how long ago data came, which never did. */
static void note_socket(struct peer *peer, int fd)
{
	socklen_t len = sizeof(int);
	int error = -1;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	peer_note(peer, "state %u, %s", client_state(fd), strerror(error));
}

/* Segments of all kinds around the window; the same ones in both runs. */
static void anything(struct peer *peer, const void *arg)
{
	static const char * const flags[] = {
		"S", "S.", ".", "P.", "F.", "R", "R.", "SF", "SR", "-", "SEW"
	};
	static const int seqs[] = { -1, 0, 1, 2, 1000, 70000, 0x40000000 };
	static const int acks[] = { -1, 0, 1, 2, 1000, 30000 };
	unsigned int i, j, seed = *(const unsigned int *)arg;
	int fd;

	sysctl_set("net/ipv4/tcp_invalid_ratelimit", "0");
	serve_observed(peer);
	claim_observed(peer, THREEWAY_ACTIVE);
	srandom(seed);
	for (i = 0; i < 40; i++) {
		fd = -1;
		if (i % 2) {
			fd = client_open(peer);
		} else {
			peer_flow(peer);
			peer->header.dport = 80;
			peer_syn(peer, SYN_OPTIONS);
		}
		for (j = 0; j < 12; j++) {
			peer_send(peer, "%s %d(%d) ack %d",
				  flags[random() % ARRAY_SIZE(flags)],
				  seqs[random() % ARRAY_SIZE(seqs)],
				  random() % 3 ? 0 : 10,
				  acks[random() % ARRAY_SIZE(acks)]);
			hear(peer);
		}
		hear(peer);
		if (fd >= 0)
			note_socket(peer, fd);
		close(fd);
		peer_send(peer, "R =%u", peer->acked);
		close(accept(peer->listener, NULL, NULL));
	}
	peer_watch(peer, 20000);
	check(peer, !peer_flows(peer, NULL), "flows are left");
}

TEST_F_TIMEOUT(wire, NF9_whatever_comes_nothing_is_changed, 400)
{
	unsigned int seed;

	for (seed = 1; seed <= 3; seed++)
		same_as_native(&self->peer, anything, &seed);
}

TEST_HARNESS_MAIN
