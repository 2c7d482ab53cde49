// SPDX-License-Identifier: GPL-2.0
/* Segments of every kind: see kinds.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "kinds.h"

#define SERVED_PORT	80
#define HELD_PORT	81
#define OPENED_PORT	82

#define TS(val)		"<nop,nop,TS val " #val " ecr ^>"

void kinds_claim(struct peer *peer)
{
	struct threeway_claim held = {
		.family = peer->family,
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HOLD,
		.port_first = HELD_PORT,
		.port_last = HELD_PORT,
	};

	peer->header.dport = SERVED_PORT;
	peer_serve(peer, NULL);
	check(peer, !threeway_claim_add(peer->engine, &held), "claim");
	client_claim(peer, NULL);
}

static void kill_flow(struct peer *peer)
{
	struct threeway_flow flow;

	peer_flows(peer, &flow);
	check(peer, !threeway_flow_del(peer->engine, flow.id, &flow.key),
	      "cannot kill the flow");
}

/* The SYN is not marked: that would be another question about ECN. */
static void syn(struct peer *peer, bool ecn)
{
	u8 tos = peer->header.tos;

	peer->header.tos = 0;
	peer_send(peer, "%s 0 <" SYN_OPTIONS ">", ecn ? "SEW" : "S");
	peer->header.tos = tos;
}

static void served(struct peer *peer, const char *synack, bool ecn)
{
	peer->header.dport = SERVED_PORT;
	peer_flow(peer);
	syn(peer, ecn);
	expect(peer, "%s 0 ack 1", synack);
	syn(peer, ecn);
	expect(peer, "%s 0 ack 1", synack);
	peer_send(peer, ". 1 ack 7");
	expect(peer, "R 7");
	/* the duplicate has set the timer anew */
	peer_receive(peer, 1200);
	check(peer, peer->latest.flags & FLAG_SYN, "no copy");
	peer_send(peer, ". 3000000 ack 1 " TS(1001));
	expect(peer, ". 1 ack 1");
	peer_send(peer, "S 5");
	expect(peer, "R. =0 ack 6");
}

static void connecting(struct peer *peer, bool ecn)
{
	const char *first = ecn ? "SEW" : "S";
	int fd = client_begin(peer);

	expect(peer, "%s 0", first);
	peer_send(peer, ". 1 ack 7");
	expect(peer, "R 7");
	peer_receive(peer, 1200);
	check(peer, peer->latest.flags & FLAG_SYN, "no copy");
	syn(peer, ecn);
	peer_receive(peer, PEER_ANSWER_MS);
	check(peer, (peer->latest.flags & 0x3f) == (FLAG_SYN | FLAG_ACK),
	      "no SYN-ACK");
	peer_receive(peer, 4000);
	check(peer, (peer->latest.flags & 0x3f) == (FLAG_SYN | FLAG_ACK),
	      "no copy of the SYN-ACK");
	peer_send(peer, "R 1");
	close(fd);
}

static void held(struct peer *peer, const char *synack, bool ecn)
{
	peer->header.dport = HELD_PORT;
	peer_flow(peer);
	syn(peer, ecn);
	expect(peer, "%s 0 ack 1", synack);
	peer_send(peer, ". 1 ack 1 " TS(1001));
	peer_send(peer, "P. 1(5) ack 1 " TS(1002));
	expect(peer, ". 1 ack 1");
	kill_flow(peer);
	expect(peer, "R. 1 ack 1");
}

static void opened(struct peer *peer, bool ecn)
{
	struct threeway_open open = { .key.family = peer->family };

	peer->header.dport = OPENED_PORT;
	peer_flow(peer);
	memcpy(open.key.remote, &peer->header.src, sizeof(open.key.remote));
	open.key.local_port = htons(OPENED_PORT);
	open.key.remote_port = htons(peer->header.sport);
	check(peer, !threeway_open_flow(peer->engine, &open), "open");
	expect(peer, "%s 0", ecn ? "SEW" : "S");
	peer_send(peer, ". 1 ack 9");
	expect(peer, "R 9");
	peer_receive(peer, 1200);
	check(peer, peer->latest.flags & FLAG_SYN, "no copy");
	peer_send(peer, "%s 0 ack 1 <" SYNACK_OPTIONS ">", ecn ? "S.E" : "S.");
	expect(peer, ". 1 ack 1");
	kill_flow(peer);
	peer_receive(peer, PEER_ANSWER_MS);
	check(peer, peer->latest.flags & FLAG_RST, "no RST");
}

void kinds_play(struct peer *peer, bool ecn, u8 tos)
{
	const char *synack = ecn ? "S.E" : "S.";

	sysctl_set("net/ipv4/tcp_ecn", "%d", ecn ? 1 : 2);
	peer->header.tos = tos;
	served(peer, synack, ecn);
	connecting(peer, ecn);
	held(peer, synack, ecn);
	opened(peer, ecn);
	peer->header.tos = 0;
	peer->header.dport = SERVED_PORT;
}
