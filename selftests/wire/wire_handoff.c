// SPDX-License-Identifier: GPL-2.0
/*
 * Two ways to hand a connection over: the native stack makes the request from a
 * SYN that is replayed to it, or the engine makes it, once it has seen one of
 * that kind. Whichever way it takes, the socket is the one that native would
 * have made (rules HO1 to HO15, HO23), and the engine's own way is the usual one.
 * A completing segment with IP options, and a listener of MPTCP, are replayed.
 * One that native refuses leaves everything as it was (rule HO20), and a request
 * that comes to nothing yet goes on where the flow was (rules SR12, RT6).
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
 * @late:	so long after the claim that LOCAL_OUT has gone
 */
struct handing {
	enum listener listener;
	bool options;
	bool late;
};

/* When no replay has been for this long, LOCAL_OUT goes. */
#define IDLE_MS	60000

static const char * const syns[] = {
	"S 0 <" SYN_OPTIONS ">",
	"S 0",
	"S 0 <mss 1000,sackOK>",
	"S 0 <mss 536,nop,wscale 3> tos 8",
	"SEW 0 <mss 1460>",
};

#define MARK	9

#define FLOWS	((unsigned int)ARRAY_SIZE(syns))

static void listen_as(struct peer *peer, enum listener listener)
{
	struct sockaddr_in6 address = {
		.sin6_family = listener == OF_BOTH_FAMILIES ? AF_INET6 :
							      peer->family,
		.sin6_port = htons(peer->header.dport),
	};
	int fd, one = 1, mark = 5;

	sysctl_set("net/ipv4/tcp_reflect_tos", "1");
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
	note_option(peer, fd, IPPROTO_IPV6, IPV6_TCLASS);
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
	if (handing->late)
		sleep_ms(IDLE_MS + 10000);
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
	static const struct handing made = { OF_THE_FAMILY, false, false };

	learn(&self->peer, made.listener);
	hand_over(&self->peer, &made, 0);
}

TEST_F(wire, HO1_HO2_HO3_HO4_HO13_HO14_HO15_HO23_request_replayed_as_native)
{
	static const struct handing replayed = { OF_THE_FAMILY, true, false };

	hand_over(&self->peer, &replayed, FLOWS);
}

TEST_F(wire, HO13_HO14_HO15_HO23_listener_of_both_families)
{
	static const struct handing made = { OF_BOTH_FAMILIES, false, false };
	static const struct handing replayed = { OF_BOTH_FAMILIES, true, false };

	learn(&self->peer, made.listener);
	hand_over(&self->peer, &made, 0);
	hand_over(&self->peer, &replayed, FLOWS);
}

/* Where the native stack is told our number, 0 is one like all others. */
TEST_F(wire, IS10_SQ1_a_number_of_0_is_replayed)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_ISN,
		.isn = THREEWAY_ISN_FIXED,
		.isn_fixed = 0,
	};
	struct peer *peer = &self->peer;

	if (access("/proc/sys/net/mptcp/enabled", F_OK))
		SKIP(return, "this kernel has no MPTCP");
	peer_listen_protocol(peer, 16, IPPROTO_MPTCP);
	peer_claim(peer, &policy);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	EXPECT_EQ(0, peer->iss);
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"flows_handed_over 1; handoff_replayed 1");
}

TEST_F(wire, HO14_AU5_listener_of_MPTCP_is_a_kind_of_its_own)
{
	static const struct handing mptcp = { OF_MPTCP, false, false };

	if (access("/proc/sys/net/mptcp/enabled", F_OK))
		SKIP(return, "this kernel has no MPTCP");
	hand_over(&self->peer, &mptcp, FLOWS);
}

/* The segment waits until LOCAL_OUT is there for the replay's SYN-ACK. */
TEST_F_TIMEOUT(wire, HO13_HO14_a_replay_brings_its_hook_back, 900)
{
	static const struct handing plain = { OF_THE_FAMILY, true, true };
	static const struct handing mptcp = { OF_MPTCP, false, true };

	hand_over(&self->peer, &plain, FLOWS);
	if (!access("/proc/sys/net/mptcp/enabled", F_OK))
		hand_over(&self->peer, &mptcp, FLOWS);
}

/* Where the connection has no route, native makes nothing of a replayed SYN. */
static void prohibit_mark(struct peer *peer, bool on)
{
	run("ip %s rule %s fwmark %d prohibit",
	    peer->family == AF_INET ? "-4" : "-6", on ? "add" : "del", MARK);
}

/* From now on a SYN has the mark, and its connection takes it over. */
static void mark_syns(void)
{
	sysctl_set("net/ipv4/tcp_fwmark_accept", "1");
	run("nft 'table inet first { chain in { type filter hook prerouting priority 0; "
	    "iif tun0 tcp flags syn meta mark set %d; }; }'", MARK);
}

static void complete(struct peer *peer, const char *segment)
{
	peer_ip_options(peer, true);
	peer_send(peer, "%s", segment);
	peer_ip_options(peer, false);
}

/*
 * Only the SYN has the mark that the connection takes over: whatever else could
 * answer the ACK, a RST of the listener's above all, has a route.
 */
TEST_F(wire, HO20_refused_by_native_the_flow_stays)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;
	int fd;

	peer_serve(peer, NULL);
	mark_syns();
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	prohibit_mark(peer, true);
	complete(peer, "P. 1(5) ack 1");
	expect_silence(peer);
	expect_no_accept(peer);
	EXPECT_EQ(1, peer_flows(peer, &flow));
	EXPECT_EQ(THREEWAY_F_ACKED, flow.flags);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"handoff_replayed 1; handoff_refused 1");
	prohibit_mark(peer, false);
	expect_at(peer, 1000, "S. 0 ack 1");
	complete(peer, "P. 1(5) ack 1");
	expect(peer, ". 1 ack 6");
	fd = expect_accept(peer);
	expect_stream(peer, fd, 1, 5);
	expect_flow(peer, false);
	expect_counters(peer, "sent_synack_timer 1; handoff_replayed 1; "
			"flows_handed_over 1");
	close(fd);
}

/* The native timer goes on where that of the flow was, one case a timeout. */
static void stuck(struct peer *peer, const void *arg)
{
	static const unsigned int handoff_ms[] = { 10, 400, 1400, 4500 };
	unsigned int i;

	(void)arg;
	peer_serve(peer, NULL);
	handshake(peer, syns[0], false);
	mark_syns();
	for (i = 0; i < ARRAY_SIZE(handoff_ms); i++) {
		peer_flow(peer);
		peer_label(peer, "at %u ms", handoff_ms[i]);
		peer_syn(peer, "mss 1460");
		peer->start_ms = now_ms();
		peer_watch(peer, handoff_ms[i]);
		prohibit_mark(peer, true);
		peer_send(peer, ". 1 ack 1");
		prohibit_mark(peer, false);
		expect_no_accept(peer);
		peer_watch(peer, 8000);
		peer_send(peer, ". 1 ack 1");
		close(expect_accept(peer));
		peer_send(peer, "R 1");
		peer_watch(peer, 8100);
	}
}

TEST_F_TIMEOUT(wire, HO20_RT6_copies_of_who_has_no_route_as_native, 120)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, stuck, NULL);
	EXPECT_EQ(5, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(5, peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_handoff_refused));
}

/**
 * struct wrong - ACKs out of the window, on both sides of a handoff
 * @early:	one comes at once
 * @handoff_ms:	when the one comes that completes the handshake
 * @again_ms:	when another one does
 * @answered:	which is not too early
 */
struct wrong {
	bool early;
	unsigned int handoff_ms;
	unsigned int again_ms;
	bool answered;
};

static const struct wrong wrongs[] = {
	{ .early = true, .handoff_ms = 100, .again_ms = 200 },
	{ .handoff_ms = 10, .again_ms = 20, .answered = true },
	{ .early = true, .handoff_ms = 250, .again_ms = 300 },
	{ .early = true, .handoff_ms = 400, .again_ms = 600, .answered = true },
	{ .early = true, .handoff_ms = 700, .again_ms = 750, .answered = true },
};

/* No route for the connection: its request stays what it is. */
static void wrong_acks(struct peer *peer, const void *arg)
{
	const struct wrong *wrong;
	unsigned int i;

	(void)arg;
	/* without a mark of its own */
	peer_serve(peer, NULL);
	handshake(peer, syns[0], false);
	mark_syns();
	for (i = 0; i < ARRAY_SIZE(wrongs); i++) {
		wrong = &wrongs[i];
		peer_flow(peer);
		peer_label(peer, "case %u", i);
		peer_syn(peer, "mss 1460");
		peer->start_ms = now_ms();
		if (wrong->early) {
			peer_send(peer, ". 2000000 ack 1");
			expect(peer, ". 1 ack 1");
		}
		prohibit_mark(peer, true);
		peer_watch(peer, wrong->handoff_ms);
		peer_send(peer, ". 1 ack 1");
		prohibit_mark(peer, false);
		expect_no_accept(peer);
		peer_watch(peer, wrong->again_ms);
		peer_send(peer, ". 2000000 ack 1");
		check(peer, peer_receive(peer, 50) == wrong->answered,
		      "answered: %s", wrong->answered ? "no" : "yes");
		peer_send(peer, "R 1");
		peer_watch(peer, wrong->again_ms + 100);
	}
}

TEST_F(wire, HO20_SR12_the_limit_of_answers_goes_on_as_native)
{
	struct peer *peer = &self->peer;
	unsigned int flows = 1 + ARRAY_SIZE(wrongs);

	same_as_native(peer, wrong_acks, NULL);
	EXPECT_EQ(flows, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(flows, peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_handoff_refused));
}

TEST_HARNESS_MAIN
