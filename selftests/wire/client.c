// SPDX-License-Identifier: GPL-2.0
/* The kernel as the client: see client.h. */
#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

#define CLIENT_PORT	40000

/* Numbers of tcpi_state that <linux/tcp.h> does not name. */
#define STATE_ESTABLISHED	1
#define STATE_SYN_SENT		2

bool client_claim(struct peer *peer, const struct threeway_policy *policy)
{
	struct threeway_claim claim = {
		.family = peer->family,
		.direction = THREEWAY_ACTIVE,
		.mode = THREEWAY_HANDOFF,
		.remote_prefixlen = peer->family == AF_INET ? 32 : 128,
	};
	int err;

	if (peer->engine < 0)
		return true;
	memcpy(claim.remote, &peer->header.src, sizeof(claim.remote));
	if (policy)
		claim.policy = *policy;
	err = threeway_claim_add(peer->engine, &claim);
	peer->claim = claim.id;
	return check(peer, !err, "claim: %s", strerror(-err));
}

bool client_reclaim(struct peer *peer, const struct threeway_policy *policy)
{
	if (peer->engine < 0)
		return true;
	if (peer->claim)
		check(peer, !threeway_claim_del(peer->engine, peer->claim),
		      "cannot delete the claim");
	return client_claim(peer, policy);
}

/* The port stands at the same place in both families' addresses. */
static socklen_t fill(const struct peer *peer, struct sockaddr_in6 *to,
		      const struct address *address, u16 port)
{
	memset(to, 0, sizeof(*to));
	to->sin6_family = peer->family;
	to->sin6_port = htons(port);
	if (peer->family == AF_INET6) {
		memcpy(&to->sin6_addr, address, sizeof(to->sin6_addr));
		return sizeof(*to);
	}
	memcpy(&((struct sockaddr_in *)to)->sin_addr, address, 4);
	return sizeof(struct sockaddr_in);
}

int client_socket(struct peer *peer)
{
	struct sockaddr_in6 local;
	int one = 1;
	socklen_t len;
	int fd;

	peer->header.dport = CLIENT_PORT;
	len = fill(peer, &local, &peer->header.dst, CLIENT_PORT);
	fd = socket(peer->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
				 sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&local, len)) {
		perror("# a socket to connect");
		abort();
	}
	return fd;
}

int client_connect(struct peer *peer, int fd)
{
	struct sockaddr_in6 remote;
	socklen_t len;

	peer->opens = true;
	len = fill(peer, &remote, &peer->header.src, peer->header.sport);
	return connect(fd, (struct sockaddr *)&remote, len) ? errno : 0;
}

int client_begin(struct peer *peer)
{
	int fd, error;

	peer_flow(peer);
	fd = client_socket(peer);
	peer->start_ms = now_ms();
	error = client_connect(peer, fd);
	check(peer, error == EINPROGRESS, "connect(): %s", strerror(error));
	return fd;
}

int client_open_(struct peer *peer, struct place place)
{
	int fd = client_begin(peer);

	peer_expect_(peer, place, PEER_ANSWER_MS, "S 0");
	return fd;
}

unsigned int client_state(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state;
}

static int events_of(int fd)
{
	struct pollfd wanted = {
		.fd = fd,
		.events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP,
	};

	return poll(&wanted, 1, 0) > 0 ? wanted.revents : 0;
}

static int error_of(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

bool client_expect_connected_(struct peer *peer, struct place place, int fd)
{
	int events = events_of(fd);
	int error = error_of(fd);

	return peer_check_(peer, place, events == POLLOUT && !error &&
			   client_state(fd) == STATE_ESTABLISHED,
			   "events %#x, %s, state %u", events, strerror(error),
			   client_state(fd));
}

bool client_expect_connecting_(struct peer *peer, struct place place, int fd)
{
	int events = events_of(fd);

	return peer_check_(peer, place,
			   !events && client_state(fd) == STATE_SYN_SENT,
			   "events %#x, %s, state %u", events,
			   strerror(error_of(fd)), client_state(fd));
}

bool client_expect_failed_(struct peer *peer, struct place place, int fd,
			   int error)
{
	int events = events_of(fd);
	int first = error_of(fd);

	return peer_check_(peer, place, first == error && !error_of(fd) &&
			   (events & (POLLERR | POLLHUP)) ==
			   (POLLERR | POLLHUP),
			   "events %#x, %s, then %s", events, strerror(first),
			   strerror(error_of(fd)));
}

bool client_expect_state_(struct peer *peer, struct place place,
			  enum threeway_state state)
{
	struct threeway_flow flow;

	if (peer->engine < 0)
		return true;
	peer_flows(peer, &flow);
	return peer_check_(peer, place, flow.state == state,
			   "the flow is in state %u, expected %u", flow.state,
			   state);
}

/*
 * What TCP_INFO says about a socket that still connects, or has failed to. The
 * engine has its timer parked, does not tell it of a crossing SYN, and lets it
 * count more timeouts than it had to make it give up.
 */
static void note_unconnected(struct peer *peer, int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	peer_note(peer, "ca_state %u unacked %u cwnd %u lost %u",
		  info.tcpi_ca_state, info.tcpi_unacked, info.tcpi_snd_cwnd,
		  info.tcpi_lost);
	peer_note(peer, "retransmits %u backoff %u retrans %u,%u",
		  info.tcpi_state == STATE_SYN_SENT ? info.tcpi_retransmits : 0,
		  info.tcpi_backoff, info.tcpi_retrans,
		  info.tcpi_total_retrans);
	peer_note(peer, "segments %u data %u,%u", info.tcpi_segs_in,
		  info.tcpi_data_segs_in, info.tcpi_data_segs_out);
}

void client_note(struct peer *peer, int fd)
{
	int events = events_of(fd);
	int error = error_of(fd);

	peer_note(peer, "events %#x, error %s", events, strerror(error));
	if (client_state(fd) == STATE_ESTABLISHED)
		peer_note_info(peer, fd);
	else
		note_unconnected(peer, fd);
}

const char *client_subset(unsigned int set, const char *ecr)
{
	static char text[96];
	char *to = text;

	*to = '\0';
	if (set & 1)
		to += sprintf(to, "mss 1300");
	if (set & 2)
		to += sprintf(to, "%ssackOK", to > text ? "," : "");
	if (set & 4)
		to += sprintf(to, "%snop,nop,TS val 5000 ecr %s",
			      to > text ? "," : "", ecr);
	if (set & 8)
		to += sprintf(to, "%snop,wscale 3", to > text ? "," : "");
	return text;
}

void client_note_data(struct peer *peer, int fd, bool stamps)
{
	const char *ts = stamps ? "<nop,nop,TS val 5003 ecr ^>" : "";
	u64 at = now_ms() - peer->start_ms;
	struct tcp_info info;
	socklen_t len = sizeof(info);

	send(fd, "hello", 5, 0);
	peer_watch(peer, at + 50);
	peer_send(peer, "P. 11(10) ack 6 %s", ts);
	peer_watch(peer, at + 100);
	peer_send(peer, "P. 1(10) ack 6 %s", ts);
	peer_watch(peer, at + 250);
	memset(&info, 0, sizeof(info));
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	peer_note(peer, "options %#x wscale %u,%u mss %u,%u advmss %u",
		  info.tcpi_options, info.tcpi_snd_wscale,
		  info.tcpi_rcv_wscale, info.tcpi_snd_mss, info.tcpi_rcv_mss,
		  info.tcpi_advmss);
	peer_note(peer, "cwnd %u rcv_space %u snd_wnd %u received %llu",
		  info.tcpi_snd_cwnd, info.tcpi_rcv_space, info.tcpi_snd_wnd,
		  (unsigned long long)info.tcpi_bytes_received);
	client_close(peer, fd);
}

void client_exchange(struct peer *peer, int fd)
{
	const u8 *ts;
	bool stamps = packet_option(&peer->latest, 8, &ts);

	check(peer, send(fd, "hello", 5, 0) == 5, "send()");
	expect(peer, "P. 1(5) ack 1");
	peer_send(peer, stamps ?
		  "P. 1(7) ack 6 <nop,nop,TS val 5001 ecr ^>" :
		  "P. 1(7) ack 6");
	expect(peer, ". 6 ack 8");
	expect_stream(peer, fd, 1, 7);
	client_close(peer, fd);
}

void client_close(struct peer *peer, int fd)
{
	if (client_state(fd) == STATE_ESTABLISHED)
		peer_send(peer, "R =%u", peer->acked);
	close(fd);
	check(peer, !peer_receive(peer, 50), "a packet at close()");
}
