// SPDX-License-Identifier: GPL-2.0
/*
 * The early path of a host that routes and translates: what is only forwarded, or
 * is for another port or host than its header says, is not answered there (rules
 * NF4, NF5).
 *
 *	peer ---- tap0 (tap1) ---- the kernel ---- tun1 ---- a host behind it
 *	     ---- tun0 -----------
 */
#include <arpa/inet.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "early.h"
#include "wire.h"

#define PORT		80
#define OTHER_PORT	81
/* By which TTL the answers of the listener on PORT are known. */
#define TTL		44

static const char *v(const struct peer *peer, const char *v4, const char *v6)
{
	return peer->family == AF_INET ? v4 : v6;
}

#define OURS(peer)	v(peer, "192.0.2.1", "2001:db8::1")
#define BEHIND(peer)	v(peer, "198.51.100.2", "2001:db8:7::2")
#define CLIENT(peer)	v(peer, "192.0.2.2", "2001:db8::2")
#define OTHER(peer)	v(peer, "192.0.2.3", "2001:db8::3")
#define IP(peer)	v(peer, "ip", "ip6")

/* Return: the device of the host behind us. */
static int make_router(struct peer *peer)
{
	int tun = peer_add_device(peer, "tun1");

	run("ip address add %s dev tun1 %s",
	    v(peer, "198.51.100.1/24", "2001:db8:7::1/64"),
	    v(peer, "", "nodad"));
	sysctl_set("net/ipv4/ip_forward", "1");
	sysctl_set("net/ipv6/conf/all/forwarding", "1");
	/* the route of the address comes a moment later */
	sleep_ms(100);
	return tun;
}

static void from_to(struct peer *peer, const char *from, const char *to,
		    u16 port)
{
	inet_pton(peer->family, from, &peer->header.src);
	inet_pton(peer->family, to, &peer->header.dst);
	peer->header.dport = port;
}

/* The next segment to the host behind us. Return: did any come? */
static bool receive(struct peer *peer, int tun, struct packet *packet)
{
	static u8 raw[PACKET_MAX];
	struct virtio_net_hdr vnet;
	struct iovec parts[] = {
		{ .iov_base = &vnet, .iov_len = sizeof(vnet) },
		{ .iov_base = raw, .iov_len = sizeof(raw) },
	};
	struct pollfd fd = { .fd = tun, .events = POLLIN };
	const char *reason = NULL;
	ssize_t len;

	while (poll(&fd, 1, 50) > 0) {
		len = readv(tun, parts, 2) - (ssize_t)sizeof(vnet);
		/* and not what a router tells its neighbours */
		if (raw[peer->family == AF_INET ? 9 : 6] != IPPROTO_TCP)
			continue;
		return check(peer, packet_parse(packet, raw, len, &reason),
			     "forwarded: %s", reason);
	}
	return false;
}

/* What was sent, with that header, has come to that port of the host behind us. */
static void expect_behind(struct peer *peer, int tun, const struct packet *sent,
			  u16 port)
{
	struct address address = { };
	struct packet packet;
	bool same;

	inet_pton(peer->family, BEHIND(peer), &address);
	if (!check(peer, receive(peer, tun, &packet), "it is not forwarded"))
		return;
	same = packet.sport == sent->sport && packet.dport == port &&
	       !memcmp(&packet.src, &sent->src, sizeof(address)) &&
	       !memcmp(&packet.dst, &address, sizeof(address)) &&
	       packet.ttl == sent->ttl - 1;
	check(peer, same, "another one is forwarded");
	check(peer, !receive(peer, tun, &packet), "it comes twice");
}

/* So does this segment, of which the engine does not hear. */
static void expect_forwarded(struct peer *peer, int tun, const char *line)
{
	usual(peer, "%s", line);
	no_more(peer);
	expect_no_counters(peer);
	expect_behind(peer, tun, &peer->header, PORT);
}

/* A SYN whose answer is late, by the listener on PORT if @ttl is its one. */
static void expect_late(struct peer *peer, u8 ttl)
{
	peer_flow(peer);
	usual(peer, "S 0 <mss 1460>");
	no_more(peer);
	expect(peer, "S. 0 ack 1 ttl %u", ttl);
}

/* A SYN that just now is answered early. */
static void expect_early(struct peer *peer)
{
	struct packet answer;

	peer_flow(peer);
	usual(peer, "S 0 <mss 1460>");
	check(peer, early_answer(peer, &answer), "it is late");
	no_more(peer);
}

/* Another listener whose port is claimed; the usual one goes on. */
static int serve_too(struct peer *peer, enum answer by, u16 port)
{
	int first = peer->listener, second;
	u16 usual_port = peer->header.dport;
	u32 claim = peer->claim;

	peer->listener = -1;
	peer->header.dport = port;
	peer_serve(peer, &policies[by]);
	peer->header.dport = usual_port;
	second = peer->listener;
	peer->listener = first;
	peer->claim = claim;
	return second;
}

static void listener_ttl(struct peer *peer)
{
	bool v4 = peer->family == AF_INET;
	int ttl = TTL;

	check(peer, !setsockopt(peer->listener, v4 ? IPPROTO_IP : IPPROTO_IPV6,
				v4 ? IP_TTL : IPV6_UNICAST_HOPS, &ttl,
				sizeof(ttl)), "TTL");
}

static void transparent(struct peer *peer)
{
	bool v4 = peer->family == AF_INET;
	int one = 1;

	check(peer, !setsockopt(peer->listener, v4 ? SOL_IP : SOL_IPV6,
				v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT, &one,
				sizeof(one)), "transparent");
}

/* All kinds of segments for the same port of the host behind us. */
static void forwarded(struct peer *peer, enum answer by)
{
	static const char * const lines[] = {
		"S 0 <mss 1460>", "S 0 <" SYN_OPTIONS ">", "SEW 0 <mss 1460>",
		". 1 ack 1", ". 1 ack 70000", "P. 1(5) ack 1", "S. 0 ack 1",
		"F. 1 ack 1", "R 1", "S 0(10) <mss 1460>",
	};
	int tun = make_router(peer);
	struct packet sent;
	unsigned int i;

	serve(peer, by);
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		confirm(peer, "mss 1460", true);
		expect_answers(peer, by, 2, 1);
		peer_label(peer, "%s", lines[i]);
		from_to(peer, CLIENT(peer), BEHIND(peer), PORT);
		sent = peer->header;
		usual(peer, "%s", lines[i]);
		no_more(peer);
		expect_no_counters(peer);
		/* for us it would still have been early */
		from_to(peer, CLIENT(peer), OURS(peer), PORT);
		expect_early(peer);
		expect_answers(peer, by, 1, 1);
		expect_behind(peer, tun, &sent, PORT);
	}
	close(tun);
}

TEST_F(wire, NF5_forwarded_segments_pass_early_cookies)
{
	forwarded(&self->peer, COOKIE);
}

TEST_F(wire, NF5_forwarded_segments_pass_early_flows)
{
	forwarded(&self->peer, FLOW);
}

/* What comes with a mark is for us, wherever it goes: a transparent proxy. */
static void accept_marked(struct peer *peer)
{
	run("nft 'table inet divert { chain before { "
	    "type filter hook prerouting priority mangle; "
	    "%s saddr %s meta mark set 1; }; }'", IP(peer), OTHER(peer));
	run("ip -%s rule add fwmark 1 lookup 100", v(peer, "4", "6"));
	run("ip -%s route add local default dev lo table 100",
	    v(peer, "4", "6"));
}

/* An address that is ours for some clients only has no early answers. */
static void ours_for_some(struct peer *peer, enum answer by)
{
	int tun = make_router(peer);

	serve(peer, by);
	transparent(peer);
	accept_marked(peer);
	from_to(peer, OTHER(peer), BEHIND(peer), PORT);
	expect_late(peer, 64);
	expect_answers(peer, by, 1, 0);
	from_to(peer, CLIENT(peer), BEHIND(peer), PORT);
	peer_flow(peer);
	expect_forwarded(peer, tun, "S 0 <mss 1460>");
	expect_forwarded(peer, tun, ". 1 ack 1");
	from_to(peer, OTHER(peer), BEHIND(peer), PORT);
	expect_late(peer, 64);
	expect_late(peer, 64);
	expect_answers(peer, by, 2, 0);
	/* those that are for everybody have */
	from_to(peer, CLIENT(peer), OURS(peer), PORT);
	confirm(peer, "mss 1460", true);
	expect_answers(peer, by, 2, 1);
	close(tun);
}

TEST_F(wire, NF5_an_address_that_is_ours_for_some_clients_gets_no_early_cookie)
{
	ours_for_some(&self->peer, COOKIE);
}

TEST_F(wire, NF5_an_address_that_is_ours_for_some_clients_opens_no_flow_early)
{
	ours_for_some(&self->peer, FLOW);
}

/* A local route makes more addresses ours, for everybody. */
static void ours_by_route(struct peer *peer, enum answer by)
{
	const char *to = v(peer, "203.0.113.7", "2001:db8:9::7");

	serve(peer, by);
	run("ip -%s route add local %s dev lo", v(peer, "4", "6"),
	    v(peer, "203.0.113.0/24", "2001:db8:9::/64"));
	from_to(peer, CLIENT(peer), to, PORT);
	confirm(peer, "mss 1460", true);
	expect_answers(peer, by, 2, 1);
}

TEST_F(wire, NF5_addresses_of_a_local_route_get_early_cookies)
{
	ours_by_route(&self->peer, COOKIE);
}

TEST_F(wire, NF5_addresses_of_a_local_route_open_flows_early)
{
	ours_by_route(&self->peer, FLOW);
}

/* The other port stands for the usual one, though somebody listens there, too. */
static void redirected(struct peer *peer, enum answer by)
{
	int second, fd;

	serve(peer, by);
	listener_ttl(peer);
	second = serve_too(peer, by, OTHER_PORT);
	peer->header.dport = OTHER_PORT;
	confirm(peer, "mss 1460", true);
	expect_answers(peer, by, 2, 1);
	run("nft 'table inet translate { chain before { "
	    "type nat hook prerouting priority dstnat; "
	    "tcp dport %u redirect to :%u; }; }'", OTHER_PORT, PORT);
	/* a device without an address has none to redirect to */
	run("ip address add %s dev tap0 %s",
	    v(peer, "192.0.2.1/32", "2001:db8::1/128"), v(peer, "", "nodad"));
	sleep_ms(100);
	expect_late(peer, TTL);
	expect_late(peer, TTL);
	peer->header.dport = PORT;
	expect_late(peer, TTL);
	expect_early(peer);
	peer->header.dport = OTHER_PORT;
	expect_late(peer, TTL);
	expect_answers(peer, by, 5, 1);
	peer_send(peer, ". 1 ack 1");
	fd = expect_accept(peer);
	close(fd);
	close(second);
}

TEST_F(wire, NF4_redirected_SYNs_get_no_early_cookie)
{
	redirected(&self->peer, COOKIE);
}

TEST_F(wire, NF4_redirected_SYNs_open_no_flow_early)
{
	redirected(&self->peer, FLOW);
}

/*
 * The server knows its clients by another address. Of that an early answer would
 * know nothing, and the client's ACK would not belong to it.
 */
static void client_translated(struct peer *peer, enum answer by)
{
	serve(peer, by);
	run("nft 'table inet translate { chain in { "
	    "type nat hook input priority 100; "
	    "tcp dport %u snat %s to %s; }; }'", PORT, IP(peer), OTHER(peer));
	expect_late(peer, 64);
	expect_late(peer, 64);
	expect_answers(peer, by, 2, 0);
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
}

TEST_F(wire, NF4_SYNs_of_translated_clients_get_no_early_cookie)
{
	client_translated(&self->peer, COOKIE);
}

TEST_F(wire, NF4_SYNs_of_translated_clients_open_no_flow_early)
{
	client_translated(&self->peer, FLOW);
}

/* The SYN-ACK of the host behind us to the latest SYN. */
static void answer_from_behind(struct peer *peer, int tun)
{
	struct packet usual_header = peer->header;
	int usual_tun = peer->tun;

	from_to(peer, BEHIND(peer), CLIENT(peer), usual_header.sport);
	peer->header.sport = PORT;
	peer->tun = tun;
	peer_send(peer, "S. =5000 ack =%u <mss 1460>", peer->irs + 1);
	peer->tun = usual_tun;
	peer->header = usual_header;
}

/* A port of ours stands for the host behind us, though somebody listens there. */
static void port_forwarded(struct peer *peer, enum answer by)
{
	int tun = make_router(peer), second;

	serve(peer, by);
	second = serve_too(peer, by, OTHER_PORT);
	run("nft 'table inet translate { chain before { "
	    "type nat hook prerouting priority dstnat; "
	    "tcp dport %u dnat %s to %s%s%s:%u; }; }'", OTHER_PORT, IP(peer),
	    v(peer, "", "["), BEHIND(peer), v(peer, "", "]"), PORT);
	confirm(peer, "mss 1460", true);
	expect_answers(peer, by, 2, 1);
	peer->header.dport = OTHER_PORT;
	peer_flow(peer);
	expect_forwarded(peer, tun, "S 0 <mss 1460>");
	answer_from_behind(peer, tun);
	expect(peer, "S. 0 ack 1");
	expect_forwarded(peer, tun, ". 1 ack 1");
	peer_flow(peer);
	expect_forwarded(peer, tun, "S 0 <mss 1460>");
	close(second);
	close(tun);
}

TEST_F(wire, NF4_NF5_a_port_that_is_another_hosts_gets_no_early_cookie)
{
	port_forwarded(&self->peer, COOKIE);
}

TEST_F(wire, NF4_NF5_a_port_that_is_another_hosts_opens_no_flow_early)
{
	port_forwarded(&self->peer, FLOW);
}

/* The same for those outside only: tap0; who comes by tap1 is served here. */
static void served_inside(struct peer *peer, enum answer by)
{
	int tun = make_router(peer), outside, inside;
	struct packet sent;

	serve(peer, by);
	outside = tap;
	inside = tap_add(peer, "tap1");
	run("nft 'table inet translate { chain before { "
	    "type nat hook prerouting priority dstnat; "
	    "iif tap0 tcp dport %u dnat %s to %s; }; }'", PORT, IP(peer),
	    BEHIND(peer));
	tap = inside;
	confirm(peer, "mss 1460", true);
	expect_answers(peer, by, 2, 1);
	tap = outside;
	peer_flow(peer);
	sent = peer->header;
	usual(peer, "S 0 <mss 1460>");
	no_more(peer);
	expect_no_counters(peer);
	tap = inside;
	expect_early(peer);
	expect_answers(peer, by, 1, 1);
	expect_behind(peer, tun, &sent, PORT);
	close(inside);
	close(tun);
}

TEST_F(wire, NF4_NF5_what_one_device_serves_another_does_not_by_early_cookies)
{
	served_inside(&self->peer, COOKIE);
}

TEST_F(wire, NF4_NF5_what_one_device_serves_another_does_not_by_early_flows)
{
	served_inside(&self->peer, FLOW);
}

/* TPROXY gives SYNs for a port to the listener of another one: they are native. */
static void proxied(struct peer *peer, enum answer by)
{
	const char * const to[] = { BEHIND(peer), OURS(peer) };
	int tun = make_router(peer), second, fd;
	unsigned int i;

	serve(peer, by);
	listener_ttl(peer);
	transparent(peer);
	second = serve_too(peer, by, OTHER_PORT);
	run("nft 'table inet divert { chain before { "
	    "type filter hook prerouting priority mangle; "
	    "tcp dport %u tproxy %s to :%u meta mark set 1; }; }'", OTHER_PORT,
	    IP(peer), PORT);
	run("ip -%s rule add fwmark 1 lookup 100", v(peer, "4", "6"));
	run("ip -%s route add local default dev lo table 100",
	    v(peer, "4", "6"));
	for (i = 0; i < ARRAY_SIZE(to); i++) {
		from_to(peer, CLIENT(peer), OURS(peer), PORT);
		confirm(peer, "mss 1460", true);
		expect_answers(peer, by, 2, 1);
		from_to(peer, CLIENT(peer), to[i], OTHER_PORT);
		expect_late(peer, TTL);
		expect_late(peer, TTL);
		expect_no_counters(peer);
		usual(peer, ". 1 ack 1");
		fd = expect_accept(peer);
		close(fd);
	}
	close(second);
	close(tun);
}

TEST_F(wire, NF4_SYNs_for_TPROXY_get_no_early_cookie)
{
	proxied(&self->peer, COOKIE);
}

TEST_F(wire, NF4_SYNs_for_TPROXY_open_no_flow_early)
{
	proxied(&self->peer, FLOW);
}

TEST_HARNESS_MAIN
