// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses and ports: what the checksum covers, which addresses are answered,
 * and which ones a socket gets that connects (rules V68, V69, V610, IS11).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

static void set_address(struct peer *peer, struct address *address,
			const char *v4, const char *v6)
{
	memset(address, 0, sizeof(*address));
	inet_pton(peer->family, peer->family == AF_INET ? v4 : v6, address);
}

/* A SYN to us with the checksum of one to somebody else. */
static void send_misdirected(struct peer *peer)
{
	bool v4 = peer->family == AF_INET;
	struct address here = peer->header.dst;
	u8 raw[256];
	size_t len;

	set_address(peer, &peer->header.dst, "192.0.2.9", "2001:db8::9");
	len = peer_prepare(peer, raw, "S 0 <mss 1000>");
	peer->header.dst = here;
	memcpy(raw + (v4 ? 16 : 24), &here, v4 ? 4 : 16);
	/* the IPv4 header has a checksum of its own: 8 less in the address */
	if (v4)
		raw[11] += 8;
	if (v4 && raw[11] < 8)
		raw[10]++;
	peer_inject(peer, raw, len);
}

TEST_F(wire, V68_IP1_the_checksum_is_of_the_destination)
{
	/* an empty routing header, so that the IPv6 header tells the end */
	static const u8 routing[24] = { 0, 2, 253, 0 };
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	peer_flow(peer);
	send_misdirected(peer);
	expect_silence(peer);
	expect_counters(peer, "segment_bad_checksum 1");
	peer_syn(peer, "mss 1000");
	peer_send(peer, "R 1");
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"segment_rst_exact 1; flows_reset 1");
	if (variant->family == AF_INET)
		return;
	memcpy(peer->header.extension, routing, sizeof(routing));
	peer->header.extension_len = sizeof(routing);
	peer->header.extension_type = IPPROTO_ROUTING;
	peer_flow(peer);
	send_misdirected(peer);
	expect_silence(peer);
	peer_send(peer, "S 0 <mss 1000>");
	expect(peer, "S. 0 ack 1");
}

/* A source or destination that is no ordinary address of a host. */
struct odd {
	const char *what;
	const char *src4, *dst4, *src6, *dst6;
};

static void odd_addresses(struct peer *peer, const void *arg)
{
	static const struct odd odd[] = {
		{ "nobody's source", "0.0.0.0", "192.0.2.1", "::",
		  "2001:db8::1" },
		{ "loopback source", "127.0.0.1", "192.0.2.1", "::1",
		  "2001:db8::1" },
		{ "source of a group", "224.0.0.1", "192.0.2.1", "ff02::1",
		  "2001:db8::1" },
		{ "mapped source", "192.0.2.2", "192.0.2.1",
		  "::ffff:192.0.2.2", "2001:db8::1" },
		{ "subnet's own address", "192.0.2.2", "192.0.2.0",
		  "2001:db8::2", "2001:db8::" },
		{ "to nobody", "192.0.2.2", "0.0.0.0", "2001:db8::2", "::" },
		{ "to the loopback", "192.0.2.2", "127.0.0.1", "2001:db8::2",
		  "::1" },
		{ "another address of ours", "192.0.2.2", "192.0.2.33",
		  "2001:db8::2", "2001:db8::33" },
	};
	unsigned int i;

	/* a router has the anycast address of its subnet */
	sysctl_set("net/ipv6/conf/tun0/forwarding", "1");
	run("ip -4 address add 192.0.2.33/24 dev tun0");
	run("ip -6 address add 2001:db8::33/64 dev tun0 nodad");
	peer_serve(peer, arg);
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		peer_flow(peer);
		peer_label(peer, "%s", odd[i].what);
		set_address(peer, &peer->header.src, odd[i].src4, odd[i].src6);
		set_address(peer, &peer->header.dst, odd[i].dst4, odd[i].dst6);
		peer_send(peer, "S 0 <mss 1000>");
		peer_watch(peer, 100);
		peer_send(peer, ". 1 ack 1");
		peer_watch(peer, 200);
		peer_note(peer, "accept %d",
			  close(accept(peer->listener, NULL, NULL)));
	}
}

TEST_F(wire, V69_IP7_odd_addresses_as_native)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, odd_addresses, NULL);
	/* the last one is as good as any */
	EXPECT_LE(1, peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(peer_counter(peer, THREEWAY_C_flows_opened),
		  peer_counter(peer, THREEWAY_C_flows_handed_over));
}

/* connect() without bind(): the kernel chooses address and port. */
static int open_unbound(struct peer *peer)
{
	struct sockaddr_in6 to = { .sin6_family = peer->family };
	bool v4 = peer->family == AF_INET;
	struct sockaddr_in *to4 = (struct sockaddr_in *)&to;
	int fd = socket(peer->family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	peer->opens = true;
	to.sin6_port = htons(peer->header.sport);
	if (v4)
		memcpy(&to4->sin_addr, &peer->header.src, 4);
	else
		memcpy(&to.sin6_addr, &peer->header.src, 16);
	if (!connect(fd, (struct sockaddr *)&to, v4 ? sizeof(*to4) :
		     sizeof(to)) || errno == EINPROGRESS)
		return fd;
	close(fd);
	return -errno;
}

static void note_source(struct peer *peer)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(peer->family, &peer->latest.src, text, sizeof(text));
	peer_note(peer, "from %s", text);
}

static void sources(struct peer *peer, const void *arg)
{
	static const struct {
		const char *what;
		const char *commands[2];
	} steps[] = {
		{ "one address", { NULL } },
		{ "a deprecated one",
		  { "-6 address add 2001:db8::7/64 dev tun0 nodad",
		    "-6 address change 2001:db8::1/64 dev tun0 preferred_lft 0" } },
		{ "one that is nearer",
		  { "-6 address add 2001:db8::a/126 dev tun0 nodad",
		    "-4 address add 192.0.2.3/32 dev tun0" } },
		{ "the route's choice",
		  { "-6 route add 2001:db8::2/128 dev tun0 src 2001:db8::7",
		    "-4 route add 192.0.2.2/32 dev tun0 src 192.0.2.3" } },
	};
	unsigned int i, j;
	int fd;

	client_claim(peer, arg);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		peer_flow(peer);
		peer_label(peer, "%s", steps[i].what);
		for (j = 0; j < 2 && steps[i].commands[j]; j++)
			run("ip %s", steps[i].commands[j]);
		fd = open_unbound(peer);
		check(peer, peer_receive(peer, PEER_ANSWER_MS), "no SYN");
		note_source(peer);
		peer->header.dst = peer->latest.src;
		peer->header.dport = peer->latest.sport;
		peer_send(peer, "S. 0 ack 1 <mss 1000>");
		expect(peer, ". 1 ack 1");
		note_source(peer);
		expect_connected(peer, fd);
		client_close(peer, fd);
	}
}

TEST_F(wire, V610_HO13_the_kernel_chooses_the_source_address)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, sources, NULL);
	expect_counters(peer, "flows_opened 4; sent_syn 4; "
			"flows_handed_over 4");
}

#define FIRST_PORT	40000
#define PORTS		64
#define FIRST_RESERVED	40010
#define RESERVED	10

/*
 * Every port of the range but the reserved ones is used once, in no order, and
 * then there is none.
 */
TEST_F(wire, IS11_ER5_ephemeral_ports)
{
	bool used[PORTS] = { false };
	struct peer *peer = &self->peer;
	unsigned int i, port, last = 0, steps = 0;
	int fds[PORTS];

	sysctl_set("net/ipv4/ip_local_port_range", "%u %u", FIRST_PORT,
		   FIRST_PORT + PORTS - 1);
	sysctl_set("net/ipv4/ip_local_reserved_ports", "%u-%u",
		   FIRST_RESERVED, FIRST_RESERVED + RESERVED - 1);
	client_claim(peer, NULL);
	peer_flow(peer);
	for (i = 0; i < PORTS - RESERVED; i++) {
		fds[i] = open_unbound(peer);
		ASSERT_LE(0, fds[i]);
		ASSERT_TRUE(peer_receive(peer, PEER_ANSWER_MS));
		port = peer->latest.sport - FIRST_PORT;
		ASSERT_GT(PORTS, port);
		EXPECT_FALSE(used[port]);
		used[port] = true;
		steps += port - last == 1 || port - last == 2;
		last = port;
	}
	for (i = 0; i < RESERVED; i++)
		EXPECT_FALSE(used[FIRST_RESERVED - FIRST_PORT + i]);
	/* one after the other would be this in nearly all cases */
	EXPECT_GT(PORTS / 2, steps);
	EXPECT_EQ(-EADDRNOTAVAIL, open_unbound(peer));
	EXPECT_EQ(PORTS - RESERVED, peer_flows(peer, NULL));
	expect_counters(peer, "flows_opened %u; sent_syn %u", PORTS - RESERVED,
			PORTS - RESERVED);
	for (i = 0; i < PORTS - RESERVED; i++)
		close(fds[i]);
}

TEST_HARNESS_MAIN
