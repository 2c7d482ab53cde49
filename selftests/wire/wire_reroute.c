// SPDX-License-Identifier: GPL-2.0
/*
 * Routes that change during a handshake: each segment goes the way that they then
 * say, from the address that the handshake began with (rules RT14, V610, HO13).
 *
 * The peer is behind both links, and reads what comes by either.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#define LINKS	2

static int tuns[LINKS];

/* The way to the peer, by that link from now on. */
enum way { DEFAULT, NARROWER, BETTER, ADDED_FIRST, WAYS };

static const char * const ways[] = {
	"another default route", "a narrower route", "a better metric",
	"a route that is added before the old one goes",
};

static const char *tool(const struct peer *peer)
{
	return peer->family == AF_INET ? "ip -4" : "ip -6";
}

static const char *host(const struct peer *peer)
{
	return peer->family == AF_INET ? "198.51.100.7/32" : "2001:db8:7::7/128";
}

/* The peer is a stranger; tun1 has an address that the kernel would choose. */
static void open_links(struct peer *peer)
{
	bool v4 = peer->family == AF_INET;

	tuns[0] = peer->tun;
	tuns[1] = peer_add_device(peer, "tun1");
	sysctl_set("net/ipv4/conf/all/rp_filter", "0");
	sysctl_set("net/ipv4/conf/tun0/rp_filter", "0");
	sysctl_set("net/ipv4/conf/tun1/rp_filter", "0");
	run("ip address add %s dev tun1 %s", v4 ? "203.0.113.1/24" :
	    "2001:db8:1::1/64", v4 ? "" : "nodad");
	run("%s route add default dev tun0 metric 100", tool(peer));
	inet_pton(peer->family, v4 ? "198.51.100.7" : "2001:db8:7::7",
		  &peer->header.src);
	sleep_ms(10);
}

static void close_links(struct peer *peer)
{
	close(tuns[1]);
	peer->tun = tuns[0];
}

static void turn(struct peer *peer, enum way way, int link)
{
	switch (way) {
	case DEFAULT:
		run("%s route replace default dev tun%d metric 100", tool(peer),
		    link);
		break;
	case NARROWER:
		run("%s route replace %s dev tun%d", tool(peer), host(peer), link);
		break;
	case BETTER:
		if (link)
			run("%s route add default dev tun1 metric 50", tool(peer));
		else
			run("%s route delete default dev tun1 metric 50",
			    tool(peer));
		break;
	default:
		run("%s route add %s dev tun%d metric %d", tool(peer), host(peer),
		    link, 10 + link);
		run("%s route delete %s dev tun%d 2>/dev/null || true",
		    tool(peer), host(peer), !link);
		break;
	}
}

/*
 * The next packet, by whichever link until that time of the flow's clock; which
 * one and from whom is noted. Returns the link, or -1.
 */
static int receive(struct peer *peer, u64 until_ms)
{
	u64 end = peer->start_ms + until_ms, now;
	char text[INET6_ADDRSTRLEN];
	int i;

	while ((now = now_ms()) < end) {
		struct pollfd fds[LINKS] = {
			{ .fd = tuns[0], .events = POLLIN },
			{ .fd = tuns[1], .events = POLLIN },
		};

		/* a long poll() is late by a thousandth */
		if (poll(fds, LINKS, end - now > 100 ? 100 : end - now) <= 0)
			continue;
		for (i = 0; i < LINKS; i++) {
			peer->tun = tuns[i];
			if (!(fds[i].revents & POLLIN) || !peer_receive(peer, 0))
				continue;
			inet_ntop(peer->family, &peer->latest.src, text,
				  sizeof(text));
			peer_note(peer, "by tun%d from %s", i, text);
			return i;
		}
	}
	return -1;
}

/*
 * A packet with those flags, by that link, from the address of the handshake. The
 * turns before may have taken longer than that on a slow machine.
 */
static void expect_by(struct peer *peer, int link, u64 until_ms, u16 flags)
{
	u64 soon_ms = now_ms() - peer->start_ms + 100;
	int by = receive(peer, until_ms > soon_ms ? until_ms : soon_ms);

	check(peer, by == link, "by link %d, expected %d", by, link);
	check(peer, by < 0 || (peer->latest.flags & FLAG_ALL) == flags,
	      "flags %#x, expected %#x", peer->latest.flags, flags);
	check(peer, by < 0 || !memcmp(&peer->latest.src, &peer->header.dst,
				      sizeof(peer->latest.src)),
	      "from another address");
}

/* The other link for each copy, and for what comes after it. */
static void passive(struct peer *peer, const void *arg)
{
	enum way way = *(const enum way *)arg;
	int fd;

	open_links(peer);
	sysctl_set("net/ipv4/tcp_invalid_ratelimit", "0");
	if (peer->engine >= 0)
		sysctl_set("net/threeway/invalid_ratelimit_ms", "0");
	peer_serve(peer, NULL);
	turn(peer, way == BETTER ? DEFAULT : way, 0);
	peer_flow(peer);
	peer_label(peer, "%s", ways[way]);
	peer_send(peer, "S 0 <mss 1000>");
	expect_by(peer, 0, 100, FLAG_SYN | FLAG_ACK);
	turn(peer, way, 1);
	expect_by(peer, 1, 1300, FLAG_SYN | FLAG_ACK);
	turn(peer, way, 0);
	expect_by(peer, 0, 3600, FLAG_SYN | FLAG_ACK);
	turn(peer, way, 1);
	peer_watch(peer, 4000);
	/* whichever link it comes by */
	peer->tun = tuns[0];
	peer_send(peer, "S 0 <mss 1000>");
	expect_by(peer, 1, 4100, FLAG_SYN | FLAG_ACK);
	peer->tun = tuns[0];
	peer_send(peer, ". 1 ack 7");
	expect_by(peer, 1, 4200, FLAG_RST);
	peer->tun = tuns[0];
	peer_send(peer, ". 3000000 ack 1");
	expect_by(peer, 1, 4300, FLAG_ACK);
	turn(peer, way, 0);
	peer->tun = tuns[1];
	peer_send(peer, ". 1 ack 7");
	expect_by(peer, 0, 4400, FLAG_RST);
	peer->tun = tuns[1];
	peer_send(peer, "P. 1(5) ack 1");
	expect_by(peer, 0, 4500, FLAG_ACK);
	fd = expect_accept(peer);
	turn(peer, way, 1);
	check(peer, send(fd, "hello", 5, 0) == 5, "send()");
	expect_by(peer, 1, 4600, FLAG_PSH | FLAG_ACK);
	peer_send(peer, "R 6");
	close(fd);
	close_links(peer);
}

/* connect() without bind(); the MSS is that of the route for 0. */
static int begin(struct peer *peer, int mss)
{
	struct sockaddr_in6 to = { .sin6_family = peer->family };
	bool v4 = peer->family == AF_INET;
	int fd = socket(peer->family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	peer->opens = true;
	to.sin6_port = htons(peer->header.sport);
	if (v4)
		memcpy(&((struct sockaddr_in *)&to)->sin_addr,
		       &peer->header.src, 4);
	else
		memcpy(&to.sin6_addr, &peer->header.src, 16);
	if (mss)
		check(peer, !setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss,
					sizeof(mss)), "TCP_MAXSEG");
	peer->start_ms = now_ms();
	check(peer, connect(fd, (struct sockaddr *)&to, v4 ?
			    sizeof(struct sockaddr_in) : sizeof(to)) &&
	      errno == EINPROGRESS, "connect(): %s", strerror(errno));
	return fd;
}

static int connect_and_turn(struct peer *peer, enum way way, int mss)
{
	int fd;

	open_links(peer);
	client_claim(peer, NULL);
	turn(peer, way == BETTER ? DEFAULT : way, 0);
	peer_flow(peer);
	peer_label(peer, "%s", ways[way]);
	fd = begin(peer, mss);
	check(peer, receive(peer, 100) == 0, "no SYN by tun0");
	peer->header.dst = peer->latest.src;
	peer->header.dport = peer->latest.sport;
	turn(peer, way, 1);
	return fd;
}

static void active(struct peer *peer, const void *arg)
{
	enum way way = *(const enum way *)arg;
	int fd = connect_and_turn(peer, way, 0);

	expect_by(peer, 1, 1300, FLAG_SYN);
	turn(peer, way, 0);
	expect_by(peer, 0, 3600, FLAG_SYN);
	turn(peer, way, 1);
	peer->tun = tuns[0];
	peer_send(peer, ". 0 ack 7");
	expect_by(peer, 1, 4000, FLAG_RST);
	peer->tun = tuns[0];
	peer_send(peer, "S. 0 ack 1 <mss 1000>");
	expect_by(peer, 1, 4000, FLAG_ACK);
	expect_connected(peer, fd);
	client_note(peer, fd);
	peer_send(peer, "R 1");
	close(fd);
	close_links(peer);
}

/*
 * By the time that the SYN comes the kernel may have cleaned up a route that has
 * gone; whoever asks it for an MSS is told 256 then.
 */
static void crossing(struct peer *peer, const void *arg)
{
	enum way way = *(const enum way *)arg;
	int fd = connect_and_turn(peer, way, 200);

	peer->tun = tuns[0];
	peer_send(peer, "S 0 <" SYN_OPTIONS ">");
	expect_by(peer, 1, 500, FLAG_SYN | FLAG_ACK);
	turn(peer, way, 0);
	expect_by(peer, 0, 1800, FLAG_SYN | FLAG_ACK);
	turn(peer, way, 1);
	expect_by(peer, 1, 3600, FLAG_SYN | FLAG_ACK);
	peer->tun = tuns[0];
	peer_send(peer, "S 9 <nop,nop,TS val 4000 ecr ^>");
	expect_by(peer, 1, 4000, FLAG_ACK);
	peer_send(peer, "R 1");
	close(fd);
	close_links(peer);
}

static void each_way(struct peer *peer,
		     void (*script)(struct peer *peer, const void *arg),
		     const char *counters)
{
	enum way way;

	for (way = 0; way < WAYS; way++) {
		same_as_native(peer, script, &way);
		expect_counters(peer, "%s", counters);
	}
}

TEST_F_TIMEOUT(wire, RT14_HO13_answers_go_by_the_routes_of_their_time_as_native, 120)
{
	each_way(&self->peer, passive, "flows_opened 1; sent_synack 1; "
		 "sent_synack_timer 2; segment_duplicate_syn 1; "
		 "sent_synack_duplicate 1; segment_bad_ack 2; sent_rst 2; "
		 "segment_out_of_window 1; sent_ack 1; flows_handed_over 1");
}

TEST_F_TIMEOUT(wire, RT14_V610_copies_of_a_SYN_go_by_the_routes_of_their_time_as_native, 120)
{
	each_way(&self->peer, active, "flows_opened 1; sent_syn 1; "
		 "sent_syn_timer 2; segment_bad_ack 1; sent_rst 1; "
		 "flows_handed_over 1");
}

TEST_F_TIMEOUT(wire, RT14_SM1_a_simultaneous_open_goes_by_the_routes_of_its_time, 120)
{
	struct peer *peer = &self->peer;
	enum way way;

	for (way = 0; way < WAYS; way++) {
		same_as_native(peer, crossing, &way);
		EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_sent_synack_crossed));
		EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_sent_synack_timer));
		EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_segment_syn_challenged));
	}
}

TEST_HARNESS_MAIN
