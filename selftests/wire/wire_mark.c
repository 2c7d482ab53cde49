// SPDX-License-Identifier: GPL-2.0
/*
 * Marks, priorities, other hooks and other links: what decides how a packet of
 * the engine leaves, and whose it is (rules IP17, CL8, PM1, PM8, SS18).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#define MARK		7
#define PRIORITY	5
#define OTHER_MARK	9

/* "ip" or "ip6", as nft(8) has it. */
static const char *ip(const struct peer *peer)
{
	return peer->family == AF_INET ? "ip" : "ip6";
}

/* A packet's mark shows as its DSCP, and its priority as its TTL. */
static void tell_marks(struct peer *peer)
{
	const char *ttl = peer->family == AF_INET ? "ttl" : "hoplimit";

	run("nft 'table inet tell { chain out { type filter hook output priority 0; "
	    "meta mark %d %s dscp set 1; meta mark %d %s dscp set 2; "
	    "meta priority 0:%d %s %s set 77; }; }'", MARK, ip(peer),
	    OTHER_MARK, ip(peer), PRIORITY, ip(peer), ttl);
}

/* What comes from the peer is marked. */
static void mark_input(void)
{
	run("nft 'table inet incoming { chain in { type filter hook prerouting priority 0; "
	    "iif tun0 meta mark set %d; }; }'", OTHER_MARK);
}

/* Who marks what. */
struct marking {
	const char *what;
	int mark;
	int priority;
	bool input;
	bool accept;
	bool reflect;
};

static const struct marking markings[] = {
	{ .what = "socket", .mark = MARK, .priority = PRIORITY },
	{ .what = "input", .input = true },
	{ .what = "socket, input", .mark = MARK, .input = true },
	{ .what = "socket, accept", .mark = MARK, .priority = PRIORITY,
	  .input = true, .accept = true },
	{ .what = "reflect", .input = true, .reflect = true },
	{ .what = "all", .mark = MARK, .input = true, .accept = true,
	  .reflect = true },
};

static void apply(struct peer *peer, const struct marking *marking, int fd)
{
	int value[2] = { marking->mark, marking->priority };

	if (marking->mark)
		check(peer, !setsockopt(fd, SOL_SOCKET, SO_MARK, &value[0],
					sizeof(value[0])), "SO_MARK");
	if (marking->priority)
		check(peer, !setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &value[1],
					sizeof(value[1])), "SO_PRIORITY");
}

static void set_up(struct peer *peer, const struct marking *marking)
{
	tell_marks(peer);
	if (marking->input)
		mark_input();
	sysctl_set("net/ipv4/tcp_fwmark_accept", "%d", marking->accept);
	sysctl_set("net/ipv4/fwmark_reflect", "%d", marking->reflect);
	sysctl_set("net/ipv6/fwmark_reflect", "%d", marking->reflect);
}

static void note_marks(struct peer *peer, int fd)
{
	int mark = -1, priority = -1;
	socklen_t len = sizeof(int);

	getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len);
	getsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, &len);
	peer_note(peer, "mark %d, priority %d", mark, priority);
}

static void send_each(struct peer *peer, const char * const *segments)
{
	for (; *segments; segments++) {
		peer_send(peer, "%s", *segments);
		peer_watch(peer, now_ms() - peer->start_ms + 50);
	}
}

static void passive_script(struct peer *peer, const void *arg)
{
	static const char * const begin[] = {
		"S 0 <mss 1460>", "S 0 <mss 1460>", ". 1 ack 7", NULL
	};
	static const char * const complete[] = {
		". 3000000 ack 1", ". 1 ack 1", NULL
	};
	static const char * const end[] = { "P. 1(3) ack 1", "R 4", NULL };
	static const char * const refuse[] = {
		"S 0 <mss 1460>", "S 5", ". 1 ack 1", NULL
	};
	int fd;

	set_up(peer, arg);
	peer_serve(peer, NULL);
	apply(peer, arg, peer->listener);
	peer_flow(peer);
	peer_label(peer, "%s", ((const struct marking *)arg)->what);
	send_each(peer, begin);
	peer_watch(peer, 4000);
	send_each(peer, complete);
	fd = expect_accept(peer);
	note_marks(peer, fd);
	send_each(peer, end);
	close(fd);
	peer_flow(peer);
	send_each(peer, refuse);
}

TEST_F_TIMEOUT(wire, IP17_CL8_marks_and_priority_of_passive_opens_as_native, 120)
{
	struct peer *peer = &self->peer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(markings) && !peer->failures; i++) {
		same_as_native(peer, passive_script, &markings[i]);
		expect_counters(peer, "flows_opened 2; sent_synack 2; "
				"segment_duplicate_syn 1; "
				"sent_synack_duplicate 1; "
				"segment_bad_ack 1; sent_rst 2; "
				"segment_out_of_window 1; sent_ack 1; "
				"sent_synack_timer 2; flows_handed_over 1; "
				"segment_syn_in_window 1; flows_syn_reset 1");
	}
}

/*
 * What a SYN brings with it from the hooks and the device before it came to the
 * engine: mark, priority, that it is not tracked, and when it came, which fq takes
 * for the time at which it is to leave.
 */
static void burden_input(struct peer *peer)
{
	tell_marks(peer);
	run("nft 'table inet incoming { chain in { type filter hook prerouting priority raw; "
	    "iif tun0 meta mark set %d meta priority set 0:%d notrack; }; }'",
	    OTHER_MARK, PRIORITY);
	run("nft 'add rule inet tell out ct state untracked %s dscp set 3'",
	    ip(peer));
	run("tc qdisc replace dev tun0 root fq");
}

static void burdened_script(struct peer *peer, const void *arg)
{
	int one = 1, clock = socket(AF_INET, SOCK_DGRAM, 0);

	(void)arg;
	burden_input(peer);
	check(peer, !setsockopt(clock, SOL_SOCKET, SO_TIMESTAMPNS, &one,
				sizeof(one)), "SO_TIMESTAMPNS");
	/* the kernel turns its clock on in its own time */
	sleep_ms(100);
	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460>");
	peer_watch(peer, 500);
	peer_send(peer, "R 1");
	close(clock);
}

TEST_F(wire, IP17_nothing_that_a_SYN_brought_is_left_in_its_answer)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, burdened_script, NULL);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"segment_rst_exact 1; flows_reset 1");
}

/* That the tests above would see a mark at all. */
TEST_F(wire, IP17_a_mark_and_a_priority_show)
{
	struct peer *peer = &self->peer;
	int none = 0;

	set_up(peer, &markings[0]);
	peer_serve(peer, NULL);
	apply(peer, &markings[0], peer->listener);
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1 tos 0x04 ttl 77");
	peer_send(peer, "R 1");
	mark_input();
	setsockopt(peer->listener, SOL_SOCKET, SO_MARK, &none, sizeof(none));
	sysctl_set("net/ipv4/tcp_fwmark_accept", "1");
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1 tos 0x08 ttl 77");
	expect_at(peer, 1000, "S. 0 ack 1 tos 0x08 ttl 77");
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_opened));
}

static void active_script(struct peer *peer, const void *arg)
{
	static const char * const bad[] = { ". 1 ack 7", NULL };
	static const char * const good[] = { "S. 0 ack 1 <mss 1460>", NULL };
	int fd;

	set_up(peer, arg);
	client_claim(peer, NULL);
	peer_flow(peer);
	peer_label(peer, "%s", ((const struct marking *)arg)->what);
	fd = client_socket(peer);
	apply(peer, arg, fd);
	peer->start_ms = now_ms();
	client_connect(peer, fd);
	peer_watch(peer, 1500);
	send_each(peer, bad);
	send_each(peer, good);
	note_marks(peer, fd);
	peer_send(peer, "R 1");
	close(fd);
}

TEST_F_TIMEOUT(wire, IP17_CL8_marks_and_priority_of_active_opens_as_native, 120)
{
	struct peer *peer = &self->peer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(markings) && !peer->failures; i++) {
		same_as_native(peer, active_script, &markings[i]);
		expect_counters(peer, "flows_opened 1; sent_syn 1; "
				"sent_syn_timer 1; segment_bad_ack 1; "
				"sent_rst 1; flows_handed_over 1");
	}
}

/* The SYNs cross: what it answers with is as the socket itself would send it. */
static void cross(struct peer *peer, int fd, const char *header)
{
	client_connect(peer, fd);
	expect(peer, "S 0 %s", header);
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1 %s", header);
	peer_receive(peer, 1200);
	check(peer, peer->latest.flags & FLAG_SYN, "no copy");
	peer_send(peer, "S 9");
	expect(peer, ". 1 ack 1 %s", header);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1 %s", header);
	expect_connected(peer, fd);
	client_close(peer, fd);
}

TEST_F(wire, IP17_IP6_mark_priority_and_TTL_in_a_simultaneous_open)
{
	struct peer *peer = &self->peer;
	bool v4 = variant->family == AF_INET;
	int fd, ttl = 33;

	client_claim(peer, NULL);
	peer_flow(peer);
	fd = client_socket(peer);
	setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
		   v4 ? IP_TTL : IPV6_UNICAST_HOPS, &ttl, sizeof(ttl));
	cross(peer, fd, "tos 0 ttl 33");
	set_up(peer, &markings[0]);
	peer_flow(peer);
	fd = client_socket(peer);
	apply(peer, &markings[0], fd);
	cross(peer, fd, "tos 0x04 ttl 77");
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_segment_syn_challenged));
}

/* Marked packets leave by tun1. */
static int route_marks(struct peer *peer)
{
	const char *words = peer->family == AF_INET ? "-4" : "-6";
	int tun = peer_add_device(peer, "tun1");

	sysctl_set("net/ipv4/conf/all/rp_filter", "0");
	run("ip %s rule add fwmark %d lookup 100", words, OTHER_MARK);
	run("ip %s route add default dev tun1 table 100", words);
	return tun;
}

/* What the peer sends comes by the usual way, the answers by the other. */
static void send_usual(struct peer *peer, int usual, const char *segment)
{
	int other = peer->tun;

	peer->tun = usual;
	peer_send(peer, "%s", segment);
	peer->tun = other;
}

/* Whatever a connection with the mark of its SYN sends has that mark. */
TEST_F(wire, IP17_CL8_mark_of_the_SYN_decides_about_the_route)
{
	struct peer *peer = &self->peer;
	int usual = peer->tun, tun = route_marks(peer);
	int fd;

	mark_input();
	sysctl_set("net/ipv4/tcp_fwmark_accept", "1");
	peer_serve(peer, NULL);
	peer_flow(peer);
	peer->tun = tun;
	send_usual(peer, usual, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1");
	expect_at(peer, 1000, "S. 0 ack 1");
	send_usual(peer, usual, ". 1 ack 7");
	expect(peer, "R 7 win 0");
	send_usual(peer, usual, ". 3000000 ack 1");
	expect(peer, ". 1 ack 1");
	send_usual(peer, usual, ". 1 ack 1");
	send_usual(peer, usual, "P. 1(5) ack 1");
	expect(peer, ". 1 ack 6");
	fd = expect_accept(peer);
	expect_stream(peer, fd, 1, 5);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"sent_synack_timer 1; segment_bad_ack 1; sent_rst 1; "
			"segment_out_of_window 1; sent_ack 1; "
			"flows_handed_over 1");
	peer->tun = usual;
	expect_silence(peer);
	close(fd);
	close(tun);
}

/* That of a connecting socket does so too. */
TEST_F(wire, IP17_CL8_mark_of_the_socket_decides_about_the_route)
{
	struct peer *peer = &self->peer;
	int usual = peer->tun, tun = route_marks(peer);
	int fd, mark = OTHER_MARK;

	client_claim(peer, NULL);
	peer_flow(peer);
	fd = client_socket(peer);
	setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	peer->tun = tun;
	peer->start_ms = now_ms();
	client_connect(peer, fd);
	expect(peer, "S 0");
	expect_at(peer, 1000, "S 0");
	send_usual(peer, usual, ". 1 ack 7");
	expect(peer, "R 7 win 0");
	send_usual(peer, usual, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1");
	send_usual(peer, usual, "S 9");
	expect(peer, ". 1 ack 1");
	send_usual(peer, usual, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_handed_over));
	peer->tun = usual;
	expect_silence(peer);
	close(fd);
	close(tun);
}

/* A firewall between us and the peer lowers the MSS of whoever opens. */
static void lower_mss(const char *hook)
{
	run("nft 'table inet lower { chain out { type filter hook %s priority -150; "
	    "tcp flags syn / syn,rst tcp option maxseg size set 1000; }; }'",
	    hook);
}

TEST_F(wire, PM8_other_hooks_clamp_the_MSS)
{
	static const char * const hooks[] = { "output", "postrouting" };
	struct peer *peer = &self->peer;
	u16 port = peer->header.dport;
	unsigned int i;
	int fd;

	peer_serve(peer, NULL);
	client_claim(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		lower_mss(hooks[i]);
		peer->header.dport = port;
		peer_flow(peer);
		peer_label(peer, "%s", hooks[i]);
		peer_send(peer, "S 0 <mss 1460>");
		expect(peer, "S. 0 ack 1 <mss 1000>");
		expect_at(peer, 1000, "S. 0 ack 1 <mss 1000>");
		peer_send(peer, ". 1 ack 1");
		fd = expect_accept(peer);
		client_exchange(peer, fd);

		fd = client_begin(peer);
		expect(peer, "S 0 <" CLIENT_OPTIONS(1000) ">");
		expect_at(peer, 1000, "S 0 <" CLIENT_OPTIONS(1000) ">");
		peer_send(peer, "S 0 <mss 1460>");
		expect(peer, "S. 0 ack 1 <mss 1000>");
		peer_send(peer, ". 1 ack 1");
		/* of the socket, which knows of a SYN-ACK only */
		expect(peer, ". 1 ack 1");
		client_exchange(peer, fd);
		run("nft delete table inet lower");
	}
	expect_counters(peer, "flows_opened 4; sent_synack 2; "
			"sent_synack_timer 2; flows_handed_over 4; sent_syn 2; "
			"sent_syn_timer 2; segment_syn_crossed 2; "
			"sent_synack_crossed 2");
}

/* The first packet on lo with that flag byte; its MSS. */
static int mss_on_lo(struct peer *peer, int fd, u8 flags)
{
	size_t header = peer->family == AF_INET ? 20 : 40;
	const char *reason = "nothing came";
	u8 raw[PACKET_MAX];
	struct packet packet;
	const u8 *option;
	ssize_t len;

	while ((len = recv(fd, raw, sizeof(raw), MSG_DONTWAIT)) > 0) {
		/* lo leaves it at that */
		packet_complete(raw, len, header, 16);
		if (!packet_parse(&packet, raw, len, &reason) ||
		    packet.flags != flags ||
		    packet_option(&packet, 2, &option) != 4)
			continue;
		return option[2] << 8 | option[3];
	}
	check(peer, false, "no MSS: %s", reason);
	return 0;
}

static int capture_lo(struct peer *peer)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(peer->family == AF_INET ? ETH_P_IP :
				      ETH_P_IPV6),
		.sll_ifindex = if_nametoindex("lo"),
	};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	check(peer, fd >= 0 && !bind(fd, (struct sockaddr *)&address,
				     sizeof(address)),
	      "packet socket: %s", strerror(errno));
	return fd;
}

/* The engine on both ends of lo, whose MTU is more than an MSS can say. */
TEST_F(wire, PM1_MSS_on_lo)
{
	struct peer *peer = &self->peer;
	int mss = variant->family == AF_INET ? 65495 : 65476;
	int capture = capture_lo(peer);
	int client, server;

	memcpy(&peer->header.src, &peer->header.dst, sizeof(peer->header.src));
	peer_serve(peer, NULL);
	peer->header.sport = peer->header.dport;
	client_claim(peer, NULL);
	client = client_socket(peer);
	client_connect(peer, client);
	/* a flow whose socket is in use is looked at again a little later */
	sleep_ms(peer_patience() == 1 ? 10 : 500);
	expect_connected(peer, client);
	server = expect_accept(peer);
	EXPECT_EQ(mss, mss_on_lo(peer, capture, FLAG_SYN));
	EXPECT_EQ(mss, mss_on_lo(peer, capture, FLAG_SYN | FLAG_ACK));
	expect_counters(peer, "flows_opened 2; sent_syn 1; sent_synack 1; "
			"flows_handed_over 2");
	close(client);
	close(server);
	close(capture);
}

/*
 * Segments that belong to the socket of the other world: a wrong ACK number here,
 * which brings the SYN forward, and a RST that may do nothing at all.
 */
static void cross_worlds(struct peer *here, struct peer *there, int fd)
{
	u32 difference = there->iss - here->iss;

	peer_send(here, "S. 0 ack %u <mss 1460>", difference + 1);
	expect(here, "R %u win 0", difference + 1);
	expect(here, "S 0");
	peer_send(here, "R. 0 ack %u", difference + 1);
	expect_silence(here);
	expect_connecting(here, fd);
	expect_state(here, THREEWAY_SYN_SENT);
}

/* One tuple in two namespaces. */
TEST_F(wire, SS18_a_namespace_of_its_own)
{
	struct peer *peer = &self->peer;
	static struct peer other;
	int fd, other_fd;

	sysctl_set("net/threeway/rto_initial_ms", "60000");
	client_claim(peer, NULL);
	fd = client_open(peer);
	ASSERT_EQ(NULL, peer_open(&other, variant->family, true));
	sysctl_set("net/threeway/rto_initial_ms", "60000");
	/* nobody here has it yet */
	other.header.dport = peer->header.dport;
	other.iss = peer->iss;
	peer_send(&other, "S. 0 ack 1 <mss 1460>");
	expect(&other, "R 1 win 0");
	client_claim(&other, NULL);
	other.last_port = peer->last_port - 1;
	other_fd = client_open(&other);
	EXPECT_EQ(peer->header.sport, other.header.sport);
	EXPECT_NE(peer->iss, other.iss);
	cross_worlds(&other, peer, other_fd);
	cross_worlds(peer, &other, fd);
	expect_counters(peer, "flows_opened 1; sent_syn 1; segment_bad_ack 1; "
			"sent_rst 1; segment_syn_sent_rst 1; "
			"sent_syn_timer 1");
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	expect_connecting(&other, other_fd);
	peer_send(&other, "S. 0 ack 1 <mss 1460>");
	expect(&other, ". 1 ack 1");
	expect_connected(&other, other_fd);
	expect_counters(peer, "flows_handed_over 1");
	client_close(peer, fd);
	client_close(&other, other_fd);
	EXPECT_EQ(0, other.failures);
	peer_close(&other);
}

static void make_vrf(struct peer *peer)
{
	bool v4 = peer->family == AF_INET;

	run("ip link add red type vrf table 10");
	run("ip link set red up");
	run("ip link set tun1 master red");
	run("ip address add %s dev tun1 %s", v4 ? "192.0.2.1/24" :
	    "2001:db8::1/64", v4 ? "" : "nodad");
	sleep_ms(10);
}

/* One tuple in a VRF and outside of it. */
TEST_F(wire, SS18_a_VRF_of_its_own)
{
	struct peer *peer = &self->peer;
	static struct peer other;
	int tun = peer_add_device(peer, "tun1");
	int fd, other_fd;

	sysctl_set("net/threeway/rto_initial_ms", "60000");
	make_vrf(peer);
	client_claim(peer, NULL);
	fd = client_open(peer);
	other = *peer;
	other.tun = tun;
	other.iss_known = false;
	other_fd = client_socket(&other);
	ASSERT_EQ(0, setsockopt(other_fd, SOL_SOCKET, SO_BINDTODEVICE, "red",
				4));
	EXPECT_EQ(EINPROGRESS, client_connect(&other, other_fd));
	expect(&other, "S 0");
	EXPECT_EQ(2, peer_flows(peer, NULL));
	cross_worlds(&other, peer, other_fd);
	cross_worlds(peer, &other, fd);
	expect_counters(peer, "flows_opened 2; sent_syn 2; segment_bad_ack 2; "
			"sent_rst 2; segment_syn_sent_rst 2; "
			"sent_syn_timer 2");
	peer_send(&other, "S. 0 ack 1 <mss 1460>");
	expect(&other, ". 1 ack 1");
	expect_connected(&other, other_fd);
	expect_connecting(peer, fd);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	expect_counters(peer, "flows_handed_over 2");
	client_close(&other, other_fd);
	client_close(peer, fd);
	EXPECT_EQ(0, other.failures);
	close(tun);
}

#define FOREIGN(peer)	((peer)->family == AF_INET ? "198.51.100.7" : "2001:db8:7::7")

/* A proxy's socket, with its client's address: what comes back is let in by a rule. */
static int foreign_socket(struct peer *peer)
{
	bool v4 = peer->family == AF_INET;
	int one = 1;
	int fd;

	run("ip -%c rule add iif tun0 lookup 100", v4 ? '4' : '6');
	run("ip -%c route add local %s dev lo table 100", v4 ? '4' : '6',
	    FOREIGN(peer));
	sysctl_set("net/ipv4/ip_nonlocal_bind", "1");
	sysctl_set("net/ipv6/ip_nonlocal_bind", "1");
	peer_flow(peer);
	inet_pton(peer->family, FOREIGN(peer), &peer->header.dst);
	fd = client_socket(peer);
	check(peer, !setsockopt(fd, v4 ? SOL_IP : SOL_IPV6,
				v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT, &one,
				sizeof(one)), "transparent");
	return fd;
}

/* The peer remembers an older connection: without the RST there is never a new one. */
TEST_F(wire, IP17_SS2_what_answers_for_a_foreign_address_leaves_as_well)
{
	struct peer *peer = &self->peer;
	int fd;

	client_claim(peer, NULL);
	fd = foreign_socket(peer);
	EXPECT_EQ(EINPROGRESS, client_connect(peer, fd));
	expect(peer, "S 0");
	peer_send(peer, ". 0 ack 7");
	expect(peer, "R 7 win 0 <>");
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1");
	expect_counters(peer, "flows_opened 1; sent_syn 1; "
			"segment_bad_ack 1; "
			"sent_rst 1; segment_syn_crossed 1; "
			"sent_synack_crossed 1");
	peer_send(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	expect_counters(peer, "flows_handed_over 1");
	peer_send(peer, "R 1");
	close(fd);
}

TEST_HARNESS_MAIN
