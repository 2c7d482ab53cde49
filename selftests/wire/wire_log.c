// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's log has to say, and how often (rules LM4, OP11).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#define BACKLOG	8

/* Commands of syslog(2). */
#define LOG_READ_ALL	3
#define LOG_SIZE	10

/* How many lines of the log have these words. */
static unsigned int __printf(1, 2) lines(const char *format, ...)
{
	int size = klogctl(LOG_SIZE, NULL, 0), len;
	unsigned int found = 0;
	char words[128], *log, *at;
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	log = malloc(size + 1);
	if (!log)
		abort();
	len = klogctl(LOG_READ_ALL, log, size);
	log[len < 0 ? 0 : len] = '\0';
	for (at = log; (at = strstr(at, words)); at++)
		found++;
	free(log);
	return found;
}

/* Of the claim and the port of the peer. */
static void expect_warnings(struct peer *peer, const char *what,
			    unsigned int wanted)
{
	unsigned int found;

	found = lines("threeway: claim %u: %s full, perhaps a SYN flood on port %u: SYN cookies\n",
		      peer->claim, what, peer->header.dport);
	check(peer, found == wanted, "%u lines, expected %u", found, wanted);
}

/* The log has lines of other namespaces, whose claims have the same numbers. */
static void port_of_its_own(struct peer *peer, u16 port)
{
	peer->header.dport = port + (peer->family == AF_INET6 ? 10 : 0);
}

static void serve(struct peer *peer, enum threeway_cookies cookies)
{
	const struct threeway_policy policy = {
		.set = THREEWAY_P_COOKIES | THREEWAY_P_BACKLOG,
		.cookies = cookies,
		.backlog = BACKLOG,
	};

	/* the other claim has one as well */
	peer->listener = -1;
	peer_serve(peer, &policy);
}

/* The backlog becomes full, and one SYN finds it so. */
static void press(struct peer *peer, struct flow flows[BACKLOG])
{
	unsigned int i;

	for (i = 0; i < BACKLOG; i++) {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
		flows[i] = peer_park(peer);
	}
	expect_counters(peer, "flows_opened 8; sent_synack 8");
	for (i = 0; i < 3; i++) {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
	}
	expect_counters(peer, "cookies_on 1; sent_cookie 3");
}

/* It empties, and nobody comes; then there are flows again. */
static void relax(struct peer *peer, const struct flow flows[BACKLOG])
{
	unsigned int i;

	for (i = 0; i < BACKLOG; i++) {
		peer_resume(peer, flows[i]);
		peer_send(peer, "R 1");
	}
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	sleep_ms(11000);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	peer_send(peer, "R 1");
	expect_counters(peer, "segment_rst_exact 9; flows_reset 9; "
			"sent_cookie 1; cookies_off 1; flows_opened 1; "
			"sent_synack 1");
}

TEST_F_TIMEOUT(wire, LM4_once_a_minute_for_each_claim, 300)
{
	struct peer *peer = &self->peer;
	struct flow flows[BACKLOG];
	u64 first;
	u32 claim;

	port_of_its_own(peer, 1000);
	serve(peer, THREEWAY_COOKIES_AUTO);
	expect_warnings(peer, "backlog", 0);
	first = now_ms();
	press(peer, flows);
	expect_warnings(peer, "backlog", 1);
	relax(peer, flows);
	/* it begins anew, too early */
	press(peer, flows);
	expect_warnings(peer, "backlog", 1);
	relax(peer, flows);
	/* which is nothing to another one */
	claim = peer->claim;
	peer->header.dport++;
	serve(peer, THREEWAY_COOKIES_AUTO);
	press(peer, flows);
	expect_warnings(peer, "backlog", 1);
	relax(peer, flows);
	peer->claim = claim;
	peer->header.dport--;
	sleep_until_ms(first + 59000);
	press(peer, flows);
	expect_warnings(peer, "backlog", 1);
	relax(peer, flows);
	sleep_until_ms(first + 61000);
	press(peer, flows);
	expect_warnings(peer, "backlog", 2);
	relax(peer, flows);
	/* and a minute begins with each line */
	press(peer, flows);
	expect_warnings(peer, "backlog", 2);
	relax(peer, flows);
}

/* One that goes on for minutes is one. */
TEST_F_TIMEOUT(wire, LM4_a_long_flood_has_one_line, 600)
{
	struct peer *peer = &self->peer;
	unsigned int i;

	sysctl_set("net/threeway/rto_initial_ms", "60000");
	port_of_its_own(peer, 1100);
	serve(peer, THREEWAY_COOKIES_AUTO);
	for (i = 0; i < 200; i++) {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
		if (i >= BACKLOG)
			sleep_ms(1000);
	}
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_cookies_on));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_cookies_off));
	expect_warnings(peer, "backlog", 1);
}

TEST_F(wire, LM4_the_namespace_s_own_limit)
{
	struct peer *peer = &self->peer;
	unsigned int i;

	sysctl_set("net/threeway/max_flows", "4");
	port_of_its_own(peer, 1200);
	serve(peer, THREEWAY_COOKIES_AUTO);
	for (i = 0; i < 10; i++) {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
	}
	expect_counters(peer, "flows_opened 4; sent_synack 4; cookies_on 1; "
			"sent_cookie 6");
	expect_warnings(peer, "max_flows", 1);
	expect_warnings(peer, "backlog", 0);
}

/* Where no cookie stands for a flood there is nothing to say. */
TEST_F(wire, LM4_no_line_without_a_flood)
{
	static const enum threeway_cookies cookies[] = {
		THREEWAY_COOKIES_NEVER, THREEWAY_COOKIES_ALWAYS,
	};
	struct peer *peer = &self->peer;
	unsigned int i, k;

	port_of_its_own(peer, 1300);
	for (i = 0; i < ARRAY_SIZE(cookies); i++) {
		serve(peer, cookies[i]);
		for (k = 0; k < 2 * BACKLOG; k++) {
			peer_flow(peer);
			peer_syn(peer, "mss 1460");
		}
		expect_warnings(peer, "backlog", 0);
		peer->header.dport++;
	}
	EXPECT_EQ(BACKLOG, peer_counter(peer, THREEWAY_C_native_backlog_full));
	EXPECT_EQ(2 * BACKLOG, peer_counter(peer, THREEWAY_C_sent_cookie));
}

static unsigned int scaling_lines;

/* How many lines have come since the last time. */
static unsigned int new_lines(void)
{
	unsigned int before = scaling_lines;

	scaling_lines = lines(": Illegal window scaling value ");
	return scaling_lines - before;
}

/* Ten lines in five seconds are allowed to all that the network stack says. */
static void allow_lines(void)
{
	sleep_ms(5500);
	new_lines();
}

static void scaled_syns(struct peer *peer)
{
	static const char * const options[] = {
		"nop,wscale 14", "nop,wscale 15", "nop,wscale 255",
		"wscale 200,wscale 7,nop,nop", "wscale 7,wscale 200,nop,nop",
		"mss 1460,sackOK,TS val 1000 ecr 0,nop,wscale 99",
		"mss 1460,nop,wscale 98,nop,nop,sackOK", "mss 1460",
		/* not that option at all */
		"raw 0302,mss 1460", "raw 03040f0f,mss 1460",
	};
	unsigned int i, value;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		allow_lines();
		peer_flow(peer);
		peer_label(peer, "%s", options[i]);
		peer_syn(peer, options[i]);
		peer_note(peer, "%u lines", new_lines());
		/* means nothing here */
		peer_send(peer, ". 1 ack 1 <nop,wscale 255>");
		close(expect_accept(peer));
		peer_note(peer, "%u lines", new_lines());
		peer_send(peer, "R 1");
		peer_watch(peer, 0);
	}
	for (value = 20; value < 220; value += 40) {
		unsigned int before = lines("scaling value %u > 14 received\n",
					    value);

		peer_flow(peer);
		peer_send(peer, "S 0 <nop,wscale %u>", value);
		expect(peer, "S. 0 ack 1");
		peer_note(peer, "%u lines of %u",
			  lines("scaling value %u > 14 received\n", value) -
			  before, value);
		peer_send(peer, "R 1");
	}
}

static void scaled(struct peer *peer, const void *arg)
{
	unsigned int i;

	(void)arg;
	peer_serve(peer, NULL);
	scaled_syns(peer);
	allow_lines();
	for (i = 0; i < 30; i++) {
		peer_flow(peer);
		peer_syn(peer, "nop,wscale 255");
		peer_send(peer, "R 1");
	}
	peer_label(peer, "%s", "");
	peer_note(peer, "%u lines of 30", new_lines());
	allow_lines();
	/* nobody would use it */
	sysctl_set("net/ipv4/tcp_window_scaling", "0");
	peer_flow(peer);
	peer_syn(peer, "nop,wscale 255");
	peer_note(peer, "%u lines without", new_lines());
	peer_send(peer, "R 1");
}

TEST_F_TIMEOUT(wire, OP11_an_illegal_shift_of_a_SYN_is_logged_as_native, 300)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, scaled, NULL);
	EXPECT_EQ(46, peer_counter(peer, THREEWAY_C_flows_opened));
}

static void scaled_answers(struct peer *peer, const void *arg)
{
	int fd;

	(void)arg;
	client_claim(peer, NULL);
	allow_lines();
	fd = client_open(peer);
	peer_send(peer, "S. 0 ack 1 <nop,wscale 255>");
	expect(peer, ". 1 ack 1");
	peer_note(peer, "%u lines of a SYN-ACK", new_lines());
	client_close(peer, fd);
	allow_lines();
	fd = client_open(peer);
	peer_send(peer, "S 0 <mss 1460,sackOK,TS val 5000 ecr 0,nop,wscale 255>");
	expect(peer, "S. 0 ack 1");
	peer_note(peer, "%u lines of a crossing SYN", new_lines());
	peer_send(peer, "R. 1 ack 1");
	close(fd);
}

TEST_F_TIMEOUT(wire, OP11_an_illegal_shift_of_an_answer_is_logged_as_native, 120)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, scaled_answers, NULL);
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_sent_synack_crossed));
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_handed_over));
}

/* Where the SYN leaves nothing, or no socket is behind it. */
TEST_F_TIMEOUT(wire, OP11_an_illegal_shift_is_logged_by_cookies_and_held_flows, 60)
{
	const struct threeway_policy always = {
		.set = THREEWAY_P_COOKIES,
		.cookies = THREEWAY_COOKIES_ALWAYS,
	};
	struct peer *peer = &self->peer;

	allow_lines();
	peer_serve(peer, &always);
	peer_flow(peer);
	peer_syn(peer, "nop,wscale 255");
	EXPECT_EQ(1, new_lines());
	peer_hold(peer, NULL);
	peer_flow(peer);
	peer_syn(peer, "nop,wscale 255");
	EXPECT_EQ(1, new_lines());
	expect_counters(peer, "sent_cookie 1; flows_opened 1; sent_synack 1");
}

TEST_HARNESS_MAIN
