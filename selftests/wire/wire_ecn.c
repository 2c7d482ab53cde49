// SPDX-License-Identifier: GPL-2.0
/*
 * ECN of the engine's own packets, and AccECN, which it does not do: RFC 9768's
 * bits are neither sent nor understood (rules EC2, EC8, EC9).
 */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "kinds.h"
#include "wire.h"

#define DSCP	0x28
#define CE	0x03

static unsigned int looked_at;

/* The peer's packets are marked, the kernel's must not be. */
static void not_ect(struct peer *peer, bool sent, const u8 *raw, size_t len)
{
	bool v4 = peer->family == AF_INET;
	u8 tos = v4 ? raw[1] : (raw[0] << 4 | raw[1] >> 4) & 0xff;

	/* the kernel has its own affairs, of both families */
	if (sent || len < 40 || raw[0] >> 4 != (v4 ? 4 : 6) ||
	    raw[v4 ? 9 : 6] != IPPROTO_TCP)
		return;
	looked_at++;
	check(peer, !(tos & CE), "type of service %#x", tos);
}

TEST_F(wire, EC2_no_packet_of_the_engine_is_ECT)
{
	struct peer *peer = &self->peer;

	kinds_claim(peer);
	peer->watch = not_ect;
	kinds_play(peer, true, DSCP | CE);
	EXPECT_EQ(KINDS_SENT, looked_at);
	kinds_play(peer, false, DSCP | CE);
	EXPECT_EQ(2 * KINDS_SENT, looked_at);
}

/* AE, CWR and ECE, the three bits that are the ACE field in AccECN. */
static const char *ace_flags(unsigned int ace, const char *flags)
{
	static char text[32];

	snprintf(text, sizeof(text), "%s%s%s", flags, ace & 1 ? "E" : "",
		 ace & 2 ? "W" : "");
	return text;
}

static const char *ae(unsigned int ace)
{
	return ace & 4 ? "res 1" : "";
}

/* The engine's packets have no bit that only AccECN knows. */
static void no_ae(struct peer *peer)
{
	check(peer, !(peer->latest.flags >> 8), "AE or reserved bits %#x",
	      peer->latest.flags >> 8);
}

static void accecn_syns(struct peer *peer, const void *arg)
{
	unsigned int ace, ect;
	bool classic;

	sysctl_set("net/ipv4/tcp_ecn", "%d", *(const int *)arg);
	peer_serve(peer, NULL);
	for (ace = 0; ace < 8; ace++) {
		for (ect = 0; ect < 4; ect++) {
			peer_flow(peer);
			peer_label(peer, "SYN, ACE %u, ECN field %u", ace, ect);
			peer_send(peer, "%s 0 tos %u %s <mss 1460>",
				  ace_flags(ace, "S"), ect, ae(ace));
			if (!check(peer, peer_receive(peer, PEER_ANSWER_MS),
				   "no SYN-ACK"))
				return;
			no_ae(peer);
			/* as from a server that knows RFC 3168 only */
			classic = peer->latest.flags & FLAG_ECE;
			check(peer, !(peer->latest.flags & FLAG_CWR) &&
			      (!classic || (ace & 3) == 3), "flags %#x",
			      peer->latest.flags);
			if (!ect && ace == 7)
				check(peer, classic == !!*(const int *)arg,
				      "an AccECN SYN is an ECN-setup SYN too");
			peer_send(peer, ". 1 ack 1 tos %u %s", ect, ae(ace));
			peer_send(peer, "P. 1(5) ack 1 tos %u %s", ect, ae(ace));
			peer_watch(peer, 100);
			no_ae(peer);
			peer_send(peer, "R 6");
			close(expect_accept(peer));
		}
	}
}

TEST_F_TIMEOUT(wire, EC8_AccECN_SYN_is_answered_as_by_a_classic_server, 120)
{
	struct peer *peer = &self->peer;
	int ecn;

	for (ecn = 0; ecn < 3; ecn++) {
		same_as_native(peer, accecn_syns, &ecn);
		expect_counters(peer, "flows_opened 32; sent_synack 32; "
				"flows_handed_over 32");
	}
}

static void accecn_synacks(struct peer *peer, const void *arg)
{
	unsigned int ace;
	int fd;

	sysctl_set("net/ipv4/tcp_ecn", "%d", *(const int *)arg);
	client_claim(peer, NULL);
	for (ace = 0; ace < 8; ace++) {
		fd = client_begin(peer);
		peer_label(peer, "SYN-ACK, ACE %u", ace);
		if (!check(peer, peer_receive(peer, PEER_ANSWER_MS), "no SYN"))
			return;
		no_ae(peer);
		peer_send(peer, "%s 0 ack 1 %s <mss 1460>",
			  ace_flags(ace, "S."), ae(ace));
		peer_watch(peer, 50);
		no_ae(peer);
		send(fd, "hello", 5, 0);
		peer_watch(peer, 100);
		no_ae(peer);
		/* CE, echoed if ECN was agreed on */
		peer_send(peer, "P. 1(5) ack 6 tos 3 %s", ae(ace));
		peer_watch(peer, 200);
		no_ae(peer);
		client_note(peer, fd);
		client_close(peer, fd);
	}
}

TEST_F_TIMEOUT(wire, EC8_AccECN_bits_of_a_SYN_ACK_as_native, 120)
{
	struct peer *peer = &self->peer;
	int ecn;

	for (ecn = 0; ecn < 3; ecn++) {
		same_as_native(peer, accecn_synacks, &ecn);
		expect_counters(peer, "flows_opened 8; sent_syn 8; "
				"flows_handed_over 8");
	}
}

/* A congestion control that wants ECN asks for it, and for ECT on everything. */
static void dctcp_script(struct peer *peer, const void *arg)
{
	static const char * const syns[] = { "S", "SEW" };
	unsigned int i, ect;
	int fd;

	sysctl_set("net/ipv4/tcp_ecn", "%d", *(const int *)arg);
	peer_serve(peer, NULL);
	check(peer, !setsockopt(peer->listener, IPPROTO_TCP, TCP_CONGESTION,
				"dctcp", 5), "no dctcp");
	for (i = 0; i < ARRAY_SIZE(syns); i++) {
		for (ect = 0; ect < 4; ect++) {
			peer_flow(peer);
			peer_label(peer, "%s, ECN field %u", syns[i], ect);
			peer_send(peer, "%s 0 tos %u <mss 1460>", syns[i], ect);
			peer_watch(peer, 50);
			peer_send(peer, ". 1 ack 7");
			peer_send(peer, ". 1 ack 1");
			peer_send(peer, "P. 1(5) ack 1 tos 3");
			peer_watch(peer, 150);
			fd = expect_accept(peer);
			peer_note_info(peer, fd);
			peer_send(peer, "R 6");
			close(fd);
		}
	}
	client_claim(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(syns); i++) {
		peer_flow(peer);
		peer_label(peer, "active, %s", syns[i]);
		fd = client_socket(peer);
		setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "dctcp", 5);
		client_connect(peer, fd);
		peer_watch(peer, 1500);
		peer_send(peer, "%s 0 ack 1 <mss 1460>", i ? "S.E" : "S.");
		send(fd, "hello", 5, 0);
		peer_watch(peer, 1600);
		peer_send(peer, "P. 1(5) ack 6 tos 3");
		peer_watch(peer, 1700);
		client_note(peer, fd);
		client_close(peer, fd);
	}
}

TEST_F_TIMEOUT(wire, EC2_EC9_dctcp_as_native, 120)
{
	struct peer *peer = &self->peer;
	int ecn;

	for (ecn = 0; ecn < 3; ecn++) {
		same_as_native(peer, dctcp_script, &ecn);
		EXPECT_EQ(10, peer_counter(peer, THREEWAY_C_flows_opened));
		EXPECT_EQ(10, peer_counter(peer, THREEWAY_C_flows_handed_over));
	}
}

TEST_HARNESS_MAIN
