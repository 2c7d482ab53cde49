/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel as the client: ordinary sockets that connect() to the peer, and
 * claims of what they do. It is the peer of peer.h that answers their SYNs.
 *
 *	client_claim(peer, NULL);
 *	fd = client_open(peer);
 *	peer_send(peer, "S. 0 ack 1 <mss 1460>");
 *	expect(peer, ". 1 ack 1");
 *	expect_connected(peer, fd);
 */
#ifndef WIRE_CLIENT_H
#define WIRE_CLIENT_H

#include "peer.h"

/* What the kernel offers in its SYN, the peer's MTU being 1500. */
#define CLIENT_OPTIONS(mss) \
	"mss " #mss ",sackOK,TS val * ecr 0,nop,wscale 7"

/* What a common server answers to it. */
#define SYNACK_OPTIONS "mss 1460,sackOK,TS val 5000 ecr ^,nop,wscale 7"

/* Claims every connection that is opened to the peer's address. */
bool client_claim(struct peer *peer, const struct threeway_policy *policy);
/* The same with other values from now on. */
bool client_reclaim(struct peer *peer, const struct threeway_policy *policy);

/* A non-blocking socket, bound to the flow's local port. */
int client_socket(struct peer *peer);
/* connect() of that socket to the flow's remote port; what it says. */
int client_connect(struct peer *peer, int fd);
/* A new flow, and a socket that connects. */
int client_begin(struct peer *peer);
/* And its SYN, which does not ask for ECN. */
int client_open_(struct peer *peer, struct place place);

#define client_open(peer)	client_open_(peer, HERE)

/* The socket's state, a TCP_* of <linux/tcp.h>'s tcpi_state. */
unsigned int client_state(int fd);

/* connect() has succeeded: writable, without error, in ESTABLISHED. */
#define expect_connected(peer, fd) \
	client_expect_connected_(peer, HERE, fd)
/* It goes on: nothing to poll() for, in SYN-SENT. */
#define expect_connecting(peer, fd) \
	client_expect_connecting_(peer, HERE, fd)
/* It has failed with that errno, once. */
#define expect_failed(peer, fd, error) \
	client_expect_failed_(peer, HERE, fd, error)
/* The engine has the flow in that state, THREEWAY_CLOSED for no flow. */
#define expect_state(peer, state) \
	client_expect_state_(peer, HERE, state)

bool client_expect_connected_(struct peer *peer, struct place place, int fd);
bool client_expect_connecting_(struct peer *peer, struct place place, int fd);
bool client_expect_failed_(struct peer *peer, struct place place, int fd,
			   int error);
bool client_expect_state_(struct peer *peer, struct place place,
			  enum threeway_state state);

/* What a program sees of its connect(), for same_as_native(). */
void client_note(struct peer *peer, int fd);
/* Options by the bits of @set: MSS 1, SACK 2, timestamps 4, window scale 8. */
const char *client_subset(unsigned int set, const char *ecr);
/*
 * Data both ways, with a hole for SACK to speak of; what is sent and what TCP_INFO
 * says in the end is noted, and the connection closed.
 */
void client_note_data(struct peer *peer, int fd, bool stamps);
/* Both directions work; then the peer resets the connection and it is closed. */
void client_exchange(struct peer *peer, int fd);
/* Closes the socket; if it is connected, the peer resets it first. */
void client_close(struct peer *peer, int fd);

#endif /* WIRE_CLIENT_H */
