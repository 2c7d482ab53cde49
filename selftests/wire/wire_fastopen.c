// SPDX-License-Identifier: GPL-2.0
/*
 * TCP Fast Open is the native stack's, on listeners and on sockets that connect:
 * with a claim everything is as without (rules FO).
 */
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "quote.h"
#include "wire.h"

#define KIND_FAST_OPEN		34
#define COOKIE_LEN		8

/* What an option looks like in the notation. */
struct cookie {
	char text[64];
};

static struct cookie cookie_option(const u8 *octets, size_t len)
{
	struct cookie cookie;
	size_t i;

	snprintf(cookie.text, sizeof(cookie.text), "raw %02x%02zx",
		 KIND_FAST_OPEN, 2 + len);
	for (i = 0; i < len; i++)
		sprintf(cookie.text + 8 + 2 * i, "%02x", octets[i]);
	return cookie;
}

static void note_counters(struct peer *peer)
{
	static const char * const names[] = {
		"TCPFastOpenPassive", "TCPFastOpenPassiveFail",
		"TCPFastOpenCookieReqd", "TCPFastOpenListenOverflow",
		"TCPFastOpenPassiveAltKey", "TCPFastOpenActive",
		"TCPFastOpenActiveFail", "ListenOverflows", "ListenDrops",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		peer_note(peer, "%s %llu", names[i],
			  (unsigned long long)tcp_ext(names[i]));
}

/* A listener for Fast Open with so many handshakes that are not finished. */
static void serve(struct peer *peer, int limit)
{
	sysctl_set("net/ipv4/tcp_fastopen", "3");
	sysctl_set("net/ipv4/tcp_fastopen_key", "1-2-3-4");
	peer_serve(peer, NULL);
	check(peer, !setsockopt(peer->listener, IPPROTO_TCP, TCP_FASTOPEN,
				&limit, sizeof(limit)), "TCP_FASTOPEN");
}

/* Octets of an option in the latest packet. */
static size_t option_len(const struct peer *peer, u8 kind)
{
	const u8 *option;

	return packet_option(&peer->latest, kind, &option);
}

/* The cookie in the latest packet, or one of no octets. */
static struct cookie cookie_received(struct peer *peer)
{
	const u8 *option;
	size_t len = packet_option(&peer->latest, KIND_FAST_OPEN, &option);

	check(peer, len == 2 + COOKIE_LEN, "a cookie option of %zu octets",
	      len);
	return cookie_option(option + 2, len ? len - 2 : 0);
}

static struct cookie ask_for_cookie(struct peer *peer)
{
	struct cookie nothing = cookie_option(NULL, 0);

	peer_flow(peer);
	peer_label(peer, "request");
	peer_syn(peer, "mss 1000");
	peer_send(peer, "R 1");
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1000,%s>", nothing.text);
	peer_receive(peer, PEER_ANSWER_MS);
	return cookie_received(peer);
}

/* SYN with ten octets and that option; the SYN-ACK acknowledges so much. */
static void syn_with(struct peer *peer, const char *option, unsigned int ack)
{
	peer_flow(peer);
	peer_label(peer, "%s", option);
	peer_send(peer, "S 0(10) <mss 1000,%s>", option);
	expect(peer, "S. 0 ack %u", ack);
}

/* What is not acknowledged yet is sent; the server gets the ten octets once. */
static void finish(struct peer *peer, unsigned int ack)
{
	int fd;

	if (ack == 1)
		peer_send(peer, "P. 1(10) ack 1");
	else
		peer_send(peer, ". 11 ack 1");
	peer_watch(peer, 500);
	fd = expect_accept(peer);
	/* what came with the SYN began at its number */
	expect_stream(peer, fd, ack == 1, 10);
	peer_note_info(peer, fd);
	peer_send(peer, "R 11");
	close(fd);
	note_counters(peer);
}

static void cookie_lengths(struct peer *peer, const void *arg)
{
	static const u8 octets[18] = { 0xa, 0xb, 0xc, 0xd };
	static const size_t lens[] = { 3, 4, 5, 8, 15, 16, 18 };
	struct cookie cookie;
	unsigned int i;

	(void)arg;
	serve(peer, 16);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		cookie = cookie_option(octets, lens[i]);
		syn_with(peer, cookie.text, 1);
		finish(peer, 1);
	}
	/* in its experimental form, to be answered in kind */
	syn_with(peer, "raw fe04f989", 1);
	check(peer, option_len(peer, 254) == 4 + COOKIE_LEN,
	      "no answer in kind");
	finish(peer, 1);
	cookie = ask_for_cookie(peer);
	peer_send(peer, ". 1 ack 1");
	peer_watch(peer, 500);
	close(expect_accept(peer));
	note_counters(peer);
}

/* Each SYN is for the native stack, but for one that does not ask. */
static void expect_native(struct peer *peer, unsigned int syns)
{
	expect_counters(peer, "native_fast_open %u; flows_opened 1; "
			"sent_synack 1; segment_rst_exact 1; flows_reset 1",
			syns);
}

TEST_F(wire, FO2_FO8_requests_and_cookies_of_any_length)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, cookie_lengths, NULL);
	expect_native(peer, 9);
}

static void cookies_right_and_wrong(struct peer *peer, const void *arg)
{
	struct cookie good, bad, again;

	(void)arg;
	serve(peer, 16);
	good = ask_for_cookie(peer);
	syn_with(peer, good.text, 11);
	finish(peer, 11);
	bad = good;
	bad.text[9] ^= 1;
	syn_with(peer, bad.text, 1);
	again = cookie_received(peer);
	check(peer, !strcmp(again.text, good.text), "another cookie: %s",
	      again.text);
	check(peer, tcp_ext("TCPFastOpenPassiveFail") == 1, "not counted");
	finish(peer, 1);
}

TEST_F(wire, FO3_FO4_FO8_right_and_wrong_cookies)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, cookies_right_and_wrong, NULL);
	expect_native(peer, 3);
}

/*
 * With room for two, of which one is reset after accept(): its place remains
 * taken for a minute.
 */
static void too_many(struct peer *peer, const void *arg)
{
	struct cookie cookie;
	u64 reset_ms;
	int fds[2];
	int i;

	(void)arg;
	serve(peer, 2);
	cookie = ask_for_cookie(peer);
	peer_send(peer, "R 1");
	for (i = 0; i < 2; i++) {
		syn_with(peer, cookie.text, 11);
		fds[i] = expect_accept(peer);
	}
	peer_send(peer, "R 11");
	reset_ms = now_ms();
	syn_with(peer, cookie.text, 1);
	note_counters(peer);
	sleep_until_ms(reset_ms + 58000);
	syn_with(peer, cookie.text, 1);
	sleep_until_ms(reset_ms + 62000);
	syn_with(peer, cookie.text, 11);
	note_counters(peer);
	close(fds[0]);
	close(fds[1]);
}

TEST_F_TIMEOUT(wire, FO5_FO8_too_many_unfinished_ones_and_quarantine, 300)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, too_many, NULL);
	expect_native(peer, 6);
}

static void keys(struct peer *peer, const void *arg)
{
	struct cookie old, fresh;

	(void)arg;
	serve(peer, 16);
	old = ask_for_cookie(peer);
	sysctl_set("net/ipv4/tcp_fastopen_key", "5-6-7-8,1-2-3-4");
	syn_with(peer, old.text, 11);
	fresh = cookie_received(peer);
	check(peer, strcmp(old.text, fresh.text), "the cookie is not fresh");
	check(peer, tcp_ext("TCPFastOpenPassiveAltKey") == 1, "not counted");
	finish(peer, 11);
	syn_with(peer, fresh.text, 11);
	check(peer, !option_len(peer, KIND_FAST_OPEN),
	      "a cookie to who has it");
	finish(peer, 11);
	/* without the old key its cookies are worth nothing */
	sysctl_set("net/ipv4/tcp_fastopen_key", "5-6-7-8");
	syn_with(peer, old.text, 1);
	finish(peer, 1);
}

TEST_F(wire, FO7_FO8_change_of_the_key)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, keys, NULL);
	expect_native(peer, 4);
}

/* The listener has no Fast Open: who asks for a cookie gets none, and counts. */
static void asked_in_vain(struct peer *peer, const void *arg)
{
	static const char * const options[] = {
		"mss 1000", "mss 1000,raw 2202", "mss 1000,raw fe04f989",
		"mss 1000,raw 220601020304", "mss 1000,raw 220301",
	};
	unsigned int i, sysctl;

	(void)arg;
	peer_serve(peer, NULL);
	for (sysctl = 1; sysctl <= 3; sysctl += 2) {
		sysctl_set("net/ipv4/tcp_fastopen", "%u", sysctl);
		for (i = 0; i < ARRAY_SIZE(options); i++) {
			peer_flow(peer);
			peer_label(peer, "tcp_fastopen %u, %s", sysctl,
				   options[i]);
			peer_syn(peer, options[i]);
			check(peer, !option_len(peer, KIND_FAST_OPEN) &&
			      !option_len(peer, 254), "an answer");
			/* a copy does not ask again */
			peer_send(peer, "S 0 <%s>", options[i]);
			peer_watch(peer, 100);
			peer_send(peer, "R 1");
			note_counters(peer);
		}
	}
	check(peer, tcp_ext("TCPFastOpenCookieReqd") == 4, "not counted");
}

TEST_F(wire, FO1_MI7_requests_where_nobody_listens_for_them)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, asked_in_vain, NULL);
	EXPECT_EQ(10, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_native_fast_open));
}

/* connect() and send() in one, with data. */
static int open_fast(struct peer *peer)
{
	struct sockaddr_in6 to = { .sin6_family = peer->family };
	bool v4 = peer->family == AF_INET;
	struct sockaddr_in *to4 = (struct sockaddr_in *)&to;
	int fd;

	peer_flow(peer);
	fd = client_socket(peer);
	peer->opens = true;
	to.sin6_port = htons(peer->header.sport);
	if (v4)
		memcpy(&to4->sin_addr, &peer->header.src, 4);
	else
		memcpy(&to.sin6_addr, &peer->header.src, 16);
	sendto(fd, "hello", 5, MSG_FASTOPEN, (struct sockaddr *)&to,
	       v4 ? sizeof(*to4) : sizeof(to));
	return fd;
}

static void close_open(struct peer *peer, int fd)
{
	client_note(peer, fd);
	note_counters(peer);
	client_close(peer, fd);
}

/*
 * Without a cookie it only asks for one. Then a SYN with data, of which nothing
 * arrives at first.
 */
static void client(struct peer *peer, const void *arg)
{
	int fd;

	(void)arg;
	client_claim(peer, NULL);
	fd = open_fast(peer);
	expect(peer, "S 0(0)");
	check(peer, option_len(peer, KIND_FAST_OPEN) == 2, "no request");
	peer_send(peer, "S. 0 ack 1 <mss 1300,raw 220a0102030405060708,nop,nop>");
	expect(peer, ". 1 ack 1");
	close_open(peer, fd);
	fd = open_fast(peer);
	expect(peer, "S 0(5)");
	check(peer, option_len(peer, KIND_FAST_OPEN) == 2 + COOKIE_LEN,
	      "no cookie");
	/* copies have the other options and no more */
	expect_at(peer, 1000, "S 0(0) <mss *,sackOK,TS val * ecr 0,nop,wscale *>");
	expect_at(peer, 3000, "S 0(0) <mss *,sackOK,TS val * ecr 0,nop,wscale *>");
	peer_send(peer, "S. 0 ack 1 <mss 1300>");
	expect(peer, "P. 1(5) ack 1");
	peer_send(peer, ". 1 ack 6");
	peer_watch(peer, 3500);
	close_open(peer, fd);
	/* and one that arrives */
	fd = open_fast(peer);
	expect(peer, "S 0(5)");
	peer_send(peer, "S. 0 ack 6 <mss 1300>");
	expect(peer, ". 6 ack 1");
	close_open(peer, fd);
}

TEST_F(wire, FO6_FO8_connect_with_data)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, client, NULL);
	EXPECT_LE(2, peer_counter(peer, THREEWAY_C_native_fast_open));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_flows_handed_over) +
		     peer_flows(peer, NULL));
}

TEST_HARNESS_MAIN
