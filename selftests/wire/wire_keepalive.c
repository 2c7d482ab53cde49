// SPDX-License-Identifier: GPL-2.0
/*
 * Keepalive of connections whose handshake the engine has done: its idle time
 * begins with the connection, and not with the handshake (rule TM9).
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

/* How long the handshake takes. */
#define HANDSHAKE_MS	500

static void set_keepalive(struct peer *peer, int fd)
{
	static const struct {
		int level, option, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 2 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 1 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 2 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		check(peer, !setsockopt(fd, options[i].level, options[i].option,
					&options[i].value, sizeof(int)),
		      "setsockopt(%d, %d)", options[i].level,
		      options[i].option);
}

/* The timer wheel may be late by an eighth. */
static void expect_after(struct peer *peer, u64 *since_ms, unsigned int ms,
			 const char *line)
{
	unsigned int late_ms = 10 * peer_patience();
	u64 after_ms;

	if (!peer_expect_(peer, HERE, 2 * ms, "%s", line))
		return;
	after_ms = peer->at_ms - *since_ms;
	check(peer, after_ms + late_ms >= ms &&
	      after_ms <= ms + ms / 8 + late_ms, "%s after %llu ms, not %u",
	      line, (unsigned long long)after_ms, ms);
	*since_ms = peer->at_ms;
}

/* Nobody answers from now on. */
static void expect_probes(struct peer *peer, int fd)
{
	u64 since_ms = now_ms();

	expect_connected(peer, fd);
	expect_after(peer, &since_ms, 2000, ". 0(0) ack 1");
	expect_after(peer, &since_ms, 1000, ". 0(0) ack 1");
	expect_connected(peer, fd);
	expect_after(peer, &since_ms, 1000, "R. 1 ack 1");
	expect_failed(peer, fd, ETIMEDOUT);
	expect_silence_ms(peer, 3000);
	close(fd);
}

static void accept_script(struct peer *peer, const void *arg)
{
	int fd;

	peer_serve(peer, arg);
	set_keepalive(peer, peer->listener);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	sleep_ms(HANDSHAKE_MS);
	peer_send(peer, ". 1 ack 1");
	fd = expect_accept(peer);
	expect_probes(peer, fd);
}

TEST_F_TIMEOUT(wire, TM9_keepalive_of_an_accepted_connection_as_native, 120)
{
	static const struct threeway_policy cookies = {
		.set = THREEWAY_P_COOKIES,
		.cookies = THREEWAY_COOKIES_ALWAYS,
	};
	struct peer *peer = &self->peer;

	same_as_native(peer, accept_script, NULL);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"flows_handed_over 1");
	same_as_native(peer, accept_script, &cookies);
	expect_counters(peer, "sent_cookie 1; cookies_received 1; "
			"flows_opened 1; flows_handed_over 1");
}

/* A socket with keepalive since before its SYN, or since just after it. */
static int begin(struct peer *peer, bool later)
{
	int fd;

	peer_flow(peer);
	fd = client_socket(peer);
	if (!later)
		set_keepalive(peer, fd);
	peer->start_ms = now_ms();
	client_connect(peer, fd);
	expect(peer, "S 0");
	if (later)
		set_keepalive(peer, fd);
	sleep_ms(HANDSHAKE_MS);
	return fd;
}

static void connect_script(struct peer *peer, const void *arg)
{
	int fd;

	client_claim(peer, NULL);
	fd = begin(peer, *(const bool *)arg);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_probes(peer, fd);
}

TEST_F_TIMEOUT(wire, TM9_keepalive_of_a_socket_that_connects_as_native, 120)
{
	static const bool later[] = { false, true };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(later); i++) {
		same_as_native(&self->peer, connect_script, &later[i]);
		expect_counters(&self->peer, "flows_opened 1; sent_syn 1; "
				"flows_handed_over 1");
	}
}

/* The native stack would forget what was asked for before the SYN. */
TEST_F_TIMEOUT(wire, TM9_keepalive_after_crossing_SYNs, 120)
{
	struct peer *peer = &self->peer;
	unsigned int later;
	int fd;

	client_claim(peer, NULL);
	for (later = 0; later < 2; later++) {
		fd = begin(peer, later);
		peer_label(peer, "later: %u", later);
		peer_send(peer, "S 0 <mss 1460>");
		expect(peer, "S. 0 ack 1");
		peer_send(peer, ". 1 ack 1");
		expect(peer, ". 1 ack 1");
		expect_probes(peer, fd);
		expect_counters(peer, "flows_opened 1; sent_syn 1; "
				"segment_syn_crossed 1; sent_synack_crossed 1; "
				"flows_handed_over 1");
	}
}

TEST_HARNESS_MAIN
