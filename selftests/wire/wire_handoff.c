// SPDX-License-Identifier: GPL-2.0
/*
 * Two ways to hand a connection over: the native stack makes the request from a
 * SYN that is replayed to it, or the engine makes it, once it has seen one of
 * that kind. Whichever way it takes, the socket is the one that native would
 * have made (rules HO1 to HO15, HO23), and the engine's own way is the usual one.
 * A completing segment with IP options, and a listener of MPTCP, are replayed.
 */
#include <arpa/inet.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "wire.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

/* What listens. */
enum listener {
	OF_THE_FAMILY,
	OF_BOTH_FAMILIES,	/* IPv6, and so for segments of IPv4 as well */
	OF_MPTCP,
};

/**
 * struct handing - how connections are handed over
 * @listener:	to whom
 * @options:	the segment that completes has IP options
 */
struct handing {
	enum listener listener;
	bool options;
};

static const char * const syns[] = {
	"S 0 <" SYN_OPTIONS ">",
	"S 0",
	"S 0 <mss 1000,sackOK>",
	"S 0 <mss 536,nop,wscale 3> tos 8",
	"SEW 0 <mss 1460>",
};

#define FLOWS	((unsigned int)ARRAY_SIZE(syns))

static void listen_as(struct peer *peer, enum listener listener)
{
	struct sockaddr_in6 address = {
		.sin6_family = listener == OF_BOTH_FAMILIES ? AF_INET6 :
							      peer->family,
		.sin6_port = htons(peer->header.dport),
	};
	int fd, one = 1, mark = 5;

	fd = socket(address.sin6_family, SOCK_STREAM | SOCK_NONBLOCK,
		    listener == OF_MPTCP ? IPPROTO_MPTCP : 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	check(peer, !bind(fd, (struct sockaddr *)&address,
			  address.sin6_family == AF_INET ?
			  sizeof(struct sockaddr_in) : sizeof(address)) &&
	      !setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) &&
	      /* which MPTCP does not know */
	      (!setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &one, sizeof(one)) ||
	       listener == OF_MPTCP) &&
	      !listen(fd, 16), "cannot listen");
	peer->listener = fd;
	peer_claim(peer, NULL);
}

static void note_address(struct peer *peer, int fd, bool remote)
{
	struct sockaddr_in6 address = { 0 };
	socklen_t len = sizeof(address);
	char text[2 * sizeof(address) + 1] = "";
	unsigned int i;

	if (remote)
		getpeername(fd, (struct sockaddr *)&address, &len);
	else
		getsockname(fd, (struct sockaddr *)&address, &len);
	for (i = 0; i < len && i < sizeof(address); i++)
		sprintf(text + 2 * i, "%02x", ((u8 *)&address)[i]);
	peer_note(peer, "address %s", text);
}

static void note_option(struct peer *peer, int fd, int level, int option)
{
	u8 value[200] = { 0 };
	socklen_t i, len = sizeof(value);
	int err = getsockopt(fd, level, option, value, &len);
	u32 hash = 0;

	for (i = 0; i < len; i++)
		hash = hash * 31 + value[i];
	peer_note(peer, "option %d of %d: %d, %u octets, %#x", option, level,
		  err, len, hash);
}

static void note_socket(struct peer *peer, int fd)
{
	peer_note_info(peer, fd);
	note_address(peer, fd, false);
	note_address(peer, fd, true);
	note_option(peer, fd, SOL_SOCKET, SO_MARK);
	note_option(peer, fd, SOL_SOCKET, SO_BINDTODEVICE);
	note_option(peer, fd, SOL_SOCKET, SO_PRIORITY);
	note_option(peer, fd, IPPROTO_IP, IP_TOS);
	note_option(peer, fd, IPPROTO_TCP, TCP_SAVED_SYN);
	note_option(peer, fd, IPPROTO_TCP, TCP_MAXSEG);
}

static void handshake(struct peer *peer, const char *syn, bool options)
{
	int fd;

	peer_flow(peer);
	peer_label(peer, "%s", syn);
	peer_send(peer, "%s", syn);
	if (!check(peer, peer_receive(peer, PEER_ANSWER_MS), "no SYN-ACK"))
		return;
	sleep_ms(100);
	peer_ip_options(peer, options);
	peer_send(peer, "P. 1(10) ack 1 win 500%s", strstr(syn, "TS") ?
		  " <nop,nop,TS val 1100 ecr ^>" : "");
	peer_ip_options(peer, false);
	fd = expect_accept(peer);
	note_socket(peer, fd);
	peer_watch(peer, 300);
	expect_stream(peer, fd, 1, 10);
	send(fd, "0123456789", 10, MSG_DONTWAIT);
	peer_watch(peer, 350);
	note_socket(peer, fd);
	peer_send(peer, "R 11");
	close(fd);
}

static void handshakes(struct peer *peer, const void *arg)
{
	const struct handing *handing = arg;
	unsigned int i;

	listen_as(peer, handing->listener);
	for (i = 0; i < FLOWS; i++)
		handshake(peer, syns[i], handing->options);
}

/* As native, and so many of them by a replay. */
static void hand_over(struct peer *peer, const struct handing *handing,
		      unsigned int replayed)
{
	if (!same_as_native(peer, handshakes, handing))
		return;
	expect_counters(peer, "flows_opened %u; sent_synack %u; "
			"flows_handed_over %u; handoff_replayed %u",
			FLOWS, FLOWS, FLOWS, replayed);
}

/* So that the engine has seen one; did it have to? */
static bool learn(struct peer *peer, enum listener listener)
{
	u64 before = peer_counter(peer, THREEWAY_C_handoff_replayed);

	listen_as(peer, listener);
	handshake(peer, syns[0], false);
	return peer_counter(peer, THREEWAY_C_handoff_replayed) != before;
}

TEST_F(wire, HO1_HO13_the_first_of_a_kind_is_replayed)
{
	struct peer *peer = &self->peer;

	if (!learn(peer, OF_THE_FAMILY))
		SKIP(return, "the module has seen one before");
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"flows_handed_over 1; handoff_replayed 1");
	handshake(peer, syns[0], false);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"flows_handed_over 1; handoff_replayed 0");
}

TEST_F(wire, HO1_HO2_HO3_HO4_HO13_HO14_HO15_HO23_request_made_as_native)
{
	static const struct handing made = { OF_THE_FAMILY, false };

	learn(&self->peer, made.listener);
	hand_over(&self->peer, &made, 0);
}

TEST_F(wire, HO1_HO2_HO3_HO4_HO13_HO14_HO15_HO23_request_replayed_as_native)
{
	static const struct handing replayed = { OF_THE_FAMILY, true };

	hand_over(&self->peer, &replayed, FLOWS);
}

TEST_F(wire, HO13_HO14_HO15_HO23_listener_of_both_families)
{
	static const struct handing made = { OF_BOTH_FAMILIES, false };
	static const struct handing replayed = { OF_BOTH_FAMILIES, true };

	learn(&self->peer, made.listener);
	hand_over(&self->peer, &made, 0);
	hand_over(&self->peer, &replayed, FLOWS);
}

TEST_F(wire, HO14_AU5_listener_of_MPTCP_is_a_kind_of_its_own)
{
	static const struct handing mptcp = { OF_MPTCP, false };

	if (access("/proc/sys/net/mptcp/enabled", F_OK))
		SKIP(return, "this kernel has no MPTCP");
	hand_over(&self->peer, &mptcp, FLOWS);
}

TEST_HARNESS_MAIN
