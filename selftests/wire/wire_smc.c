// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of SMC, which begin as TCP with an option of their own, are left to
 * the native stack (rule AU7).
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#ifndef AF_SMC
#define AF_SMC		43
#endif

#define SMC_OPTION	"raw fe06e2d4c3d9,nop,nop"
#define SMC_KIND	254

/* The protocols of an SMC socket are its families. */
static int smc_socket(struct peer *peer)
{
	int fd = socket(AF_SMC, SOCK_STREAM | SOCK_NONBLOCK,
			peer->family == AF_INET6);

	check(peer, fd >= 0, "no SMC socket: %s", strerror(errno));
	return fd;
}

/* Of the socket itself, or of the peer. */
static socklen_t fill(struct peer *peer, struct sockaddr_in6 *address,
		      bool remote)
{
	struct sockaddr_in *address4 = (struct sockaddr_in *)address;
	struct packet *header = &peer->header;

	memset(address, 0, sizeof(*address));
	address->sin6_family = peer->family;
	address->sin6_port = htons(remote ? header->sport : header->dport);
	if (peer->family == AF_INET) {
		memcpy(&address4->sin_addr,
		       remote ? &header->src : &header->dst, 4);
		return sizeof(*address4);
	}
	memcpy(&address->sin6_addr, remote ? &header->src : &header->dst, 16);
	return sizeof(*address);
}

static void smc_listener(struct peer *peer, const void *arg)
{
	static const char * const options[] = {
		"mss 1000," SMC_OPTION, "mss 1000", SYN_OPTIONS "," SMC_OPTION,
	};
	struct sockaddr_in6 address;
	int fd = smc_socket(peer);
	const u8 *option;
	unsigned int i;

	(void)arg;
	check(peer, !bind(fd, (struct sockaddr *)&address,
			  fill(peer, &address, false)) && !listen(fd, 16),
	      "SMC listener: %s", strerror(errno));
	peer_claim(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		peer_flow(peer);
		peer_label(peer, "%s", options[i]);
		peer_syn(peer, options[i]);
		check(peer, packet_option(&peer->latest, SMC_KIND, &option) ==
		      (i == 1 ? 0 : 6), "the option is not answered in kind");
		peer_send(peer, "R 1");
	}
	close(fd);
}

TEST_F(wire, AU7_SMC_listener)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, smc_listener, NULL);
	expect_counters(peer, "native_smc 3");
}

static void smc_connect(struct peer *peer, const void *arg)
{
	struct sockaddr_in6 address;
	const u8 *option;
	socklen_t len;
	int fd;

	client_claim(peer, arg);
	peer_flow(peer);
	peer->opens = true;
	fd = smc_socket(peer);
	len = fill(peer, &address, true);
	connect(fd, (struct sockaddr *)&address, len);
	check(peer, peer_receive(peer, PEER_ANSWER_MS), "no SYN");
	check(peer, packet_option(&peer->latest, SMC_KIND, &option) == 6,
	      "no option of SMC");
	/* its port is the kernel's choice */
	peer->header.dport = peer->latest.sport;
	/* SMC connects in a work queue: a second from then */
	expect_at(peer, peer->at_ms - peer->start_ms + 1000, "S 0");
	peer_watch(peer, 1500);
	peer_send(peer, "S. 0 ack 1 <mss 1000>");
	/* the ACK is delayed */
	peer_watch(peer, 2000);
	check(peer, peer->acked == peer->irs + 1, "not connected");
	peer_send(peer, "R 1");
	close(fd);
}

TEST_F(wire, AU7_SMC_connect)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, smc_connect, NULL);
	EXPECT_LE(1, peer_counter(peer, THREEWAY_C_native_smc));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_flows_opened));
}

TEST_HARNESS_MAIN
