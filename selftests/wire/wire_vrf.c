// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets that connect or listen in a VRF, whose packets pass LOCAL_OUT twice,
 * at the VRF and at the link below; and listeners of one link (rules IP11, SS1,
 * RT12, SM1, IC1, NF1).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "quote.h"
#include "wire.h"

/* tun1 is a link of the VRF "red", with the usual addresses; the test plays it. */
static void enter_vrf(struct peer *peer)
{
	int tun = peer_add_device(peer, "tun1");
	bool v4 = peer->family == AF_INET;

	run("ip link add red type vrf table 10; ip link set red up; "
	    "ip link set tun1 master red; "
	    "ip address flush dev tun0 scope global; "
	    "ip address add %s dev tun1 %s",
	    v4 ? "192.0.2.1/24" : "2001:db8::1/64", v4 ? "" : "nodad");
	sleep_ms(10);
	close(peer->tun);
	peer->tun = tun;
	client_claim(peer, NULL);
}

/* Likewise, with a claim of that mode for what comes to the local port. */
static void enter_vrf_passive(struct peer *peer, enum threeway_mode mode)
{
	struct threeway_claim claim = {
		.family = peer->family,
		.direction = THREEWAY_PASSIVE,
		.mode = mode,
		.port_first = peer->header.dport,
		.port_last = peer->header.dport,
	};

	enter_vrf(peer);
	check(peer, !threeway_claim_add(peer->engine, &claim), "no claim");
	peer->opens = false;
}

static socklen_t address_of(const struct peer *peer,
			    const struct address *address, u16 port,
			    struct sockaddr_in6 *to)
{
	memset(to, 0, sizeof(*to));
	to->sin6_family = peer->family;
	to->sin6_port = htons(port);
	if (peer->family == AF_INET) {
		memcpy(&((struct sockaddr_in *)to)->sin_addr, address, 4);
		return sizeof(struct sockaddr_in);
	}
	memcpy(&to->sin6_addr, address, sizeof(to->sin6_addr));
	if (IN6_IS_ADDR_LINKLOCAL(&to->sin6_addr))
		to->sin6_scope_id = if_nametoindex("tun1");
	return sizeof(*to);
}

/* A socket of that device, which connects; with the tuple of the flow. */
static int connect_tuple(struct peer *peer, const char *device)
{
	struct sockaddr_in6 local, remote;
	socklen_t len;
	int fd, one = 1;

	peer_label(peer, "by %s", device);
	peer->iss_known = false;
	len = address_of(peer, &peer->header.dst, 40000, &local);
	address_of(peer, &peer->header.src, peer->header.sport, &remote);
	fd = socket(peer->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	check(peer, !setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
				strlen(device)) &&
	      !bind(fd, (struct sockaddr *)&local, len), "%s: %s", device,
	      strerror(errno));
	peer->start_ms = now_ms();
	check(peer, connect(fd, (struct sockaddr *)&remote, len) &&
	      errno == EINPROGRESS, "connect(): %s", strerror(errno));
	expect(peer, "S 0");
	return fd;
}

static int connect_by(struct peer *peer, const char *device)
{
	peer_flow(peer);
	peer->header.dport = 40000;
	peer->opens = true;
	return connect_tuple(peer, device);
}

/* Every end that a connect() can come to. */
static void all_ends(struct peer *peer, const char *device)
{
	int fd = connect_by(peer, device);

	expect_at(peer, 1000, "S 0");
	expect_at(peer, 3000, "S 0");
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	client_exchange(peer, fd);

	fd = connect_by(peer, device);
	peer_send(peer, "R. 0 ack 1");
	expect_failed(peer, fd, ECONNREFUSED);
	client_close(peer, fd);

	fd = connect_by(peer, device);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1");
	expect_at(peer, 1000, "S. 0 ack 1");
	peer_send(peer, ". 1 ack 1");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	client_exchange(peer, fd);

	fd = connect_by(peer, device);
	close(fd);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, "R 1 win 0");
}

#define ALL_ENDS "flows_opened 4; sent_syn 4; sent_syn_timer 2; " \
	"flows_handed_over 2; segment_refused 1; flows_refused 1; " \
	"segment_syn_crossed 1; sent_synack_crossed 1; " \
	"sent_synack_timer 1; flows_socket_gone 1"

TEST_F(wire, IP11_SS1_SM1_RT12_connect_in_a_VRF)
{
	struct peer *peer = &self->peer;

	enter_vrf(peer);
	all_ends(peer, "red");
	expect_counters(peer, ALL_ENDS);
	all_ends(peer, "tun1");
	expect_counters(peer, ALL_ENDS);
}

/* With a queue of its own the VRF is a device on the way, like any other. */
TEST_F(wire, IP11_SS1_SM1_RT12_connect_in_a_VRF_with_a_qdisc)
{
	struct peer *peer = &self->peer;

	enter_vrf(peer);
	run("tc qdisc add dev red root fq_codel");
	all_ends(peer, "red");
	expect_counters(peer, ALL_ENDS);
}

/* Whether an error is heard depends on where the socket is bound to. */
static void errors(struct peer *peer, const void *arg)
{
	static const char * const devices[] = { "red", "tun1" };
	struct icmp_error error;
	unsigned int i;
	int fd;

	enter_vrf(peer);
	for (i = 0; i < 2 * ARRAY_SIZE(devices); i++) {
		fd = connect_by(peer, devices[i / 2]);
		error = hard_error(peer);
		error.seq = i % 2 ? 7 : 0;
		peer_icmp(peer, &error);
		peer_watch(peer, 1500);
		client_note(peer, fd);
		close(fd);
	}
	check(peer, !arg, "no argument");
}

TEST_F(wire, IP11_IC1_errors_in_a_VRF_as_native)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, errors, NULL);
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_LE(1, peer_counter(peer, THREEWAY_C_flows_icmp));
}

/* How a firewall counts what the port sends, at the VRF and at its link. */
static void count_output(void)
{
	static const char rules[] =
		"oifname red tcp sport 80 counter; oifname tun1 tcp sport 80 counter; ";

	run("nft 'table inet seen { "
	    "chain out { type filter hook output priority 0; %s}; "
	    "chain post { type filter hook postrouting priority 0; %s}; }'",
	    rules, rules);
}

static void note_output(struct peer *peer)
{
	FILE *list = popen("nft list table inet seen", "r");
	unsigned int rules = 0;
	char line[128];

	while (list && fgets(line, sizeof(line), list)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strstr(line, "packets"))
			continue;
		peer_note(peer, "%s", line);
		rules++;
	}
	check(peer, list && !pclose(list) && rules == 4, "%u rules", rules);
}

/* SYN-ACK, copy, RST and, from the native stack, an ACK. */
static void serve_vrf(struct peer *peer, const void *arg)
{
	static const char * const devices[] = { "red", "tun1" };
	const char *qdisc = arg;
	unsigned int i;

	enter_vrf(peer);
	if (*qdisc)
		run("tc qdisc add dev red root %s", qdisc);
	count_output();
	peer_claim(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		peer_flow(peer);
		peer_label(peer, "listens at %s", devices[i]);
		close(peer->listener);
		peer->listener = -1;
		peer_listen(peer, 16);
		check(peer, !setsockopt(peer->listener, SOL_SOCKET,
					SO_BINDTODEVICE, devices[i],
					strlen(devices[i])), "%s", devices[i]);
		peer_syn(peer, "mss 1460");
		note_output(peer);
		peer_watch(peer, 1500);
		peer_send(peer, ". 1 ack 7");
		peer_watch(peer, 1600);
		note_output(peer);
		peer_send(peer, "P. 1(5) ack 1");
		peer_watch(peer, 1700);
		close(expect_accept(peer));
		peer_send(peer, "R 6");
		peer_watch(peer, 1800);
		note_output(peer);
	}
}

TEST_F(wire, IP11_NF1_a_firewall_at_the_VRF_sees_the_answers_as_native)
{
	static const char * const qdiscs[] = { "", "fq_codel" };
	struct peer *peer = &self->peer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(qdiscs); i++) {
		same_as_native(peer, serve_vrf, qdiscs[i]);
		EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_opened));
		EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_handed_over));
	}
}

/* A link-local peer's packets do not pass the VRF. */
TEST(IP11_V64_link_local_peer_in_a_VRF)
{
	static struct peer peer;

	ASSERT_EQ(NULL, peer_open(&peer, AF_INET6, true));
	inet_pton(AF_INET6, "fe80::2", &peer.header.src);
	inet_pton(AF_INET6, "fe80::1", &peer.header.dst);
	enter_vrf(&peer);
	run("ip address add fe80::1/64 dev tun1 nodad");
	sleep_ms(10);
	all_ends(&peer, "tun1");
	expect_counters(&peer, ALL_ENDS);
	peer.opens = false;
	peer.header.dport = 80;
	peer_serve(&peer, NULL);
	ASSERT_EQ(0, setsockopt(peer.listener, SOL_SOCKET, SO_BINDTODEVICE,
				"red", 3));
	peer_flow(&peer);
	peer_syn(&peer, "mss 1460");
	expect_at(&peer, 1000, "S. 0 ack 1");
	peer_send(&peer, ". 1 ack 7");
	expect(&peer, "R 7 win 0");
	peer_send(&peer, "P. 1(5) ack 1");
	expect(&peer, ". 1 ack 6");
	close(expect_accept(&peer));
	expect_counters(&peer, "flows_opened 1; sent_synack 1; "
			"sent_synack_timer 1; segment_bad_ack 1; sent_rst 1; "
			"flows_handed_over 1");
	EXPECT_EQ(0, peer.failures);
	peer_close(&peer);
}

/* No socket says which domain it is of: the SYN does. */
TEST_F(wire, IP11_held_flows_in_a_VRF)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;

	enter_vrf_passive(peer, THREEWAY_HOLD);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_at(peer, 1000, "S. 0 ack 1");
	peer_send(peer, ". 1 ack 1");
	expect_silence_ms(peer, 100);
	EXPECT_EQ(1, peer_flows(peer, &flow));
	EXPECT_EQ(THREEWAY_ESTABLISHED, flow.state);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"sent_synack_timer 1; flows_held 1");
}

/* The native listener may be of the domain or of one of its links. */
TEST_F(wire, IP11_observed_handshakes_in_a_VRF)
{
	static const char * const devices[] = { "red", "tun1" };
	struct peer *peer = &self->peer;
	unsigned int i;

	enter_vrf_passive(peer, THREEWAY_OBSERVE);
	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		peer_listen(peer, 5);
		ASSERT_EQ(0, setsockopt(peer->listener, SOL_SOCKET,
					SO_BINDTODEVICE, devices[i],
					strlen(devices[i])));
		peer_flow(peer);
		peer_label(peer, "listener of %s", devices[i]);
		peer_syn(peer, "mss 1460");
		expect_at(peer, 1000, "S. 0 ack 1");
		/* the timer of the observer has looked at it meanwhile */
		sleep_ms(1000);
		expect_flow(peer, true);
		peer_send(peer, ". 1 ack 1");
		close(expect_accept(peer));
		expect_flow(peer, false);
		close(peer->listener);
		peer->listener = -1;
	}
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_observed));
}

/* What comes by another link is for nobody, whatever number it has. */
TEST_F(wire, IP11_another_link_has_no_part_in_a_handshake)
{
	static const char * const segments[] = {
		"R 1", "S 1", "S 0", ". 1 ack 7", ". 1 ack 1",
	};
	struct peer *peer = &self->peer;
	int usual = peer->tun, other = peer_add_device(peer, "tun1");
	struct icmp_error error;
	unsigned int i;

	sysctl_set("net/ipv4/conf/all/rp_filter", "0");
	peer_serve(peer, NULL);
	ASSERT_EQ(0, setsockopt(peer->listener, SOL_SOCKET, SO_BINDTODEVICE,
				"tun0", 4));
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	for (i = 0; i < ARRAY_SIZE(segments); i++) {
		peer->tun = other;
		peer_send(peer, "%s", segments[i]);
		peer->tun = usual;
		/* of a port that is closed there */
		if (*segments[i] != 'R' && peer_receive(peer, PEER_ANSWER_MS))
			EXPECT_TRUE(peer->latest.flags & FLAG_RST);
		expect_flow(peer, true);
	}
	error = hard_error(peer);
	peer->tun = other;
	peer_icmp(peer, &error);
	peer->tun = usual;
	expect_flow(peer, true);
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_icmp_hard));
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_sent_synack));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_sent_rst));
	expect_no_accept(peer);
	expect_at(peer, 1000, "S. 0 ack 1");
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_handed_over));
	close(other);
}

static void connects(struct peer *peer, struct flow flow, int tun, int fd)
{
	peer_resume(peer, flow);
	peer->tun = tun;
	expect_at(peer, 1000, "S 0");
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
}

/* The first one is the engine's, and keeps its timer. */
TEST_F(wire, IP11_SS1_two_sockets_of_two_links_have_one_tuple)
{
	struct peer *peer = &self->peer;
	int usual = peer->tun, other = peer_add_device(peer, "tun1");
	bool v4 = variant->family == AF_INET;
	struct flow first, second;
	int by_first, by_second;

	sysctl_set("net/ipv4/conf/all/rp_filter", "0");
	run("ip -%c route add %s dev tun1 metric 2000", v4 ? '4' : '6',
	    v4 ? "192.0.2.0/24" : "2001:db8::/64");
	client_claim(peer, NULL);
	by_first = connect_by(peer, "tun0");
	first = peer_park(peer);
	peer->tun = other;
	by_second = connect_tuple(peer, "tun1");
	second = peer_park(peer);
	expect_counters(peer, "flows_opened 1; sent_syn 1; "
			"native_socket_owns 1");
	connects(peer, first, usual, by_first);
	connects(peer, second, other, by_second);
	/* the second one's SYN comes again when the first one has no flow */
	expect_counters(peer, "sent_syn_timer 1; flows_handed_over 1; "
			"native_busy_socket 1");
	close(by_first);
	close(by_second);
	peer->tun = usual;
	close(other);
}

TEST_HARNESS_MAIN
