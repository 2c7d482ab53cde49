// SPDX-License-Identifier: GPL-2.0
/*
 * A program gives up before the connection stands: close(), with a reset or
 * without, and shutdown(), in SYN-SENT as the native stack, and after the SYNs have
 * crossed, where the engine differs (rules ER9, SS16).
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#define ALL_OPTIONS	"mss 1460,sackOK,TS val 5000 ecr 0,nop,wscale 7"

enum how { CLOSE, ABORT, SHUT_WRITE, SHUT_BOTH, SHUT_READ, WAYS };

static const char * const ways[WAYS] = {
	"close", "abort", "shutdown for writing", "shutdown for both",
	"shutdown for reading",
};

/* What else may have happened by then, and what comes too late. */
struct moment {
	const char *name;
	unsigned int after_ms;
	const char *late;
};

static const struct moment moments[] = {
	{ "at once, SYN-ACK", 0, "S. 0 ack 1 <mss 1460>" },
	{ "after a copy, SYN-ACK", 1500, "S. 0 ack 1 <mss 1460>" },
	{ "at once, SYN", 0, "S 0 <mss 1460>" },
	{ "at once, RST", 0, "R. 0 ack 1" },
	{ "at once, ACK", 0, ". 1 ack 1" },
};

/* Return: what it says. */
static int give_up(int fd, enum how how)
{
	const struct linger linger = { .l_onoff = 1 };

	switch (how) {
	case CLOSE:
		return close(fd) ? errno : 0;
	case ABORT:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		return close(fd) ? errno : 0;
	case SHUT_WRITE:
		return shutdown(fd, SHUT_WR) ? errno : 0;
	case SHUT_BOTH:
		return shutdown(fd, SHUT_RDWR) ? errno : 0;
	default:
		return shutdown(fd, SHUT_RD) ? errno : 0;
	}
}

static bool closes(enum how how)
{
	return how == CLOSE || how == ABORT;
}

static void in_syn_sent(struct peer *peer, const void *arg)
{
	const struct moment *moment = arg;
	unsigned int how;
	int fd;

	client_claim(peer, NULL);
	for (how = 0; how < WAYS; how++) {
		peer_label(peer, "%s %s", ways[how], moment->name);
		fd = client_open(peer);
		peer_watch(peer, moment->after_ms);
		peer_note(peer, "%s", strerror(give_up(fd, how)));
		if (!closes(how))
			client_note(peer, fd);
		peer_watch(peer, moment->after_ms + 2500);
		peer_send(peer, "%s", moment->late);
		peer_watch(peer, moment->after_ms + 3000);
		if (closes(how))
			continue;
		client_note(peer, fd);
		peer_note(peer, "send: %s",
			  send(fd, "x", 1, MSG_NOSIGNAL) < 0 ?
			  strerror(errno) : "done");
		close(fd);
	}
}

TEST_F_TIMEOUT(wire, ER9_SS16_giving_up_in_SYN_SENT_as_native, 600)
{
	struct peer *peer = &self->peer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(moments); i++) {
		same_as_native(peer, in_syn_sent, &moments[i]);
		EXPECT_EQ(WAYS, peer_counter(peer, THREEWAY_C_flows_opened));
		EXPECT_EQ(WAYS, peer_counter(peer,
					     THREEWAY_C_flows_socket_gone));
	}
}

/* Each in a namespace of its own; the engine is there or not. */
static void begin(struct peer *peer, bool with_engine)
{
	const char *lacking;

	peer_close(peer);
	lacking = peer_open(peer, peer->family, with_engine);
	check(peer, !lacking, "%s", lacking);
	client_claim(peer, NULL);
}

/* The SYNs have crossed, and then it gives up. */
static int cross_and(struct peer *peer, enum how how)
{
	int fd = client_open(peer), error;

	peer_label(peer, "%s by %s", ways[how],
		   peer->engine < 0 ? "native" : "the engine");
	peer_send(peer, "S 0 win 65535 <%s>", ALL_OPTIONS);
	expect(peer, "S. 0 ack 1");
	error = give_up(fd, how);
	check(peer, !error, "%s", strerror(error));
	return fd;
}

#define STAMPS	"<nop,nop,TS val 5001 ecr ^>"

/* The ACK of the FIN, and the peer's own FIN. */
static void end_of_both(struct peer *peer)
{
	peer_send(peer, ". 1 ack 2 " STAMPS);
	peer_send(peer, "F. 1 ack 2 " STAMPS);
	expect(peer, ". 2 ack 2");
	expect_silence(peer);
}

/* The native stack: RFC 9293 section 3.10.4, CLOSE in SYN-RECEIVED. */
static void native_ends(struct peer *peer)
{
	int fd;

	cross_and(peer, CLOSE);
	expect(peer, "F. 1 ack 1");
	end_of_both(peer);
	cross_and(peer, ABORT);
	expect(peer, "R. 1 ack 1");
	expect_silence(peer);
	fd = cross_and(peer, SHUT_WRITE);
	expect_silence(peer);
	peer_send(peer, ". 1 ack 1 " STAMPS);
	expect(peer, "F. 1 ack 1");
	end_of_both(peer);
	close(fd);
	fd = cross_and(peer, SHUT_BOTH);
	expect_silence(peer);
	peer_send(peer, ". 1 ack 1 " STAMPS);
	expect(peer, "F. 1 ack 1");
	end_of_both(peer);
	close(fd);
	fd = cross_and(peer, SHUT_READ);
	expect_silence(peer);
	peer_send(peer, ". 1 ack 1 " STAMPS);
	expect_silence(peer);
	check(peer, client_state(fd) == TCP_ESTABLISHED, "state %u", client_state(fd));
	peer_send(peer, "R 1");
	close(fd);
}

/* What the peer sends on is reset, whichever segment it is. */
static void engine_ends(struct peer *peer, const char *segment,
			const char *answer)
{
	unsigned int how;
	int fd;

	for (how = 0; how < WAYS; how++) {
		fd = cross_and(peer, how);
		/* neither now, nor when a copy would be due */
		expect_silence_ms(peer, 2500);
		expect_state(peer, THREEWAY_CLOSED);
		expect_counters(peer, "flows_opened 1; sent_syn 1; "
				"segment_syn_crossed 1; "
				"sent_synack_crossed 1; flows_socket_gone 1");
		peer_send(peer, "%s " STAMPS, segment);
		expect(peer, "%s", answer);
		expect_silence(peer);
		if (closes(how))
			continue;
		/* as natively in SYN-SENT */
		expect_failed(peer, fd, ECONNRESET);
		check(peer, client_state(fd) == TCP_CLOSE, "state %u",
		      client_state(fd));
		close(fd);
	}
}

TEST_F_TIMEOUT(wire, ER9_giving_up_after_the_SYNs_crossed_sends_no_FIN, 300)
{
	struct peer *peer = &self->peer;

	begin(peer, false);
	native_ends(peer);
	begin(peer, true);
	engine_ends(peer, ". 1 ack 1", "R 1 win 0 <>");
	engine_ends(peer, "S. 0 ack 1", "R 1 win 0 <>");
	engine_ends(peer, "P. 1(10) ack 1", "R 1 win 0 <>");
}

/* A segment that comes before the timer finds out at once. */
TEST_F(wire, ER9_SS16_the_peer_s_next_segment_is_reset_at_once)
{
	struct peer *peer = &self->peer;
	unsigned int how;
	int fd;

	sysctl_set("net/threeway/rto_initial_ms", "60000");
	client_claim(peer, NULL);
	for (how = 0; how < WAYS; how++) {
		fd = cross_and(peer, how);
		peer_send(peer, ". 1 ack 1 " STAMPS);
		expect(peer, "R 1 win 0 <>");
		expect_state(peer, THREEWAY_CLOSED);
		expect_counters(peer, "flows_opened 1; sent_syn 1; "
				"segment_syn_crossed 1; "
				"sent_synack_crossed 1; flows_socket_gone 1");
		if (!closes(how))
			close(fd);
	}
}

TEST_HARNESS_MAIN
