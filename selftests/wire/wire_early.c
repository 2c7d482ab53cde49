// SPDX-License-Identifier: GPL-2.0
/*
 * SYN cookies and flows on the early path: which SYNs are answered there, in place,
 * how, and which are left to all that comes later (rules CK1, CK5, CK6, CL5, FL2,
 * HO8, IP1, IP3, IP7, IP10, IP12, LI10, LM1, LM5, MI1, OP11, RT6, SR2, V61).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "early.h"
#include "mib.h"
#include "wire.h"

static u32 early_tsval(const struct peer *peer)
{
	u32 tsval;

	memcpy(&tsval, peer->latest.options + 8, sizeof(tsval));
	return ntohl(tsval);
}

static bool alike(const struct packet *a, const struct packet *b)
{
	return a->window == b->window && a->ttl == b->ttl && a->tos == b->tos &&
	       a->df == b->df && a->ip_id == b->ip_id &&
	       a->options_len == b->options_len &&
	       !memcmp(a->options, b->options, 4);
}

/* But for the way, early and late ones look alike. */
static void alike_late(struct peer *peer, enum answer by, const char *with)
{
	const struct packet early = peer->latest;

	sleep_ms(20);
	peer_flow(peer);
	peer_syn(peer, with);
	expect_answers(peer, by, 1, 0);
	check(peer, alike(&early, &peer->latest),
	      "early and late answers differ");
}

static void same_early_and_late(struct peer *peer, enum answer by,
				const char *counters)
{
	static const char * const options[] = {
		"mss 1460", "mss 1460,sackOK,TS val 1000 ecr 0", SYN_OPTIONS,
		"mss 1460,nop,wscale 7",
	};
	unsigned int i;

	serve(peer, by);
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		peer_label(peer, "%s", options[i]);
		confirm(peer, options[i], true);
		if (strstr(options[i], "TS"))
			peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr %u>",
				  early_tsval(peer));
		else
			peer_send(peer, ". 1 ack 1");
		close(expect_accept(peer));
		expect_counters(peer, "%s", counters);
		alike_late(peer, by, options[i]);
	}
}

TEST_F(wire, CK1_CK6_an_early_cookie_is_as_good_as_a_late_one)
{
	same_early_and_late(&self->peer, COOKIE, "sent_cookie 2; "
			    "sent_cookie_early 1; cookies_received 1; "
			    "flows_opened 1; flows_handed_over 1");
}

/* What the listener would not send to the peer is not in the SYN-ACK. */
TEST_F(wire, HO8_the_MSS_of_an_early_flow_is_clamped)
{
	struct peer *peer = &self->peer;
	struct tcp_info info = { };
	socklen_t size = sizeof(info);
	int mss = 700, fd;

	serve(peer, FLOW);
	setsockopt(peer->listener, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss));
	confirm(peer, "mss 1460", true);
	peer_send(peer, ". 1 ack 1");
	fd = expect_accept(peer);
	EXPECT_EQ(0, getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
	EXPECT_EQ(700, info.tcpi_snd_mss);
	close(fd);
}

TEST_F(wire, LI10_HO1_an_early_flow_is_as_good_as_a_late_one)
{
	same_early_and_late(&self->peer, FLOW, "flows_opened 2; sent_synack 2; "
			    "sent_synack_early 1; flows_handed_over 1");
}

static void usual_flow(struct peer *peer)
{
	peer_flow(peer);
	usual(peer, "S 0 <%s>", SYN_OPTIONS);
}

/*
 * A late answer and an early one count alike in what nstat(8) shows. To read that may
 * take longer than a confirmation lasts: after the late one comes another, with an
 * early one at its heels.
 */
static void counted_alike(struct peer *peer, enum answer by)
{
	struct mib mib[3];
	unsigned int i;

	sysctl_set("net/ipv6/conf/default/router_solicitations", "0");
	serve(peer, by);
	mib_settle(peer);
	mib_read(peer, &mib[0]);
	usual_flow(peer);
	sleep_ms(20);
	mib_read(peer, &mib[1]);
	usual_flow(peer);
	usual_flow(peer);
	mib_read(peer, &mib[2]);
	expect_answers(peer, by, 3, 1);
	for (i = 0; i < mib[0].count; i++) {
		const char *name = mib[0].entry[i].name;
		long long late = mib_change(&mib[0], &mib[1], name);
		long long both = mib_change(&mib[1], &mib[2], name);

		check(peer, 2 * late == both, "%s: late %lld, early %lld",
		      name, late, both - late);
	}
	check(peer, mib_change(&mib[1], &mib[2], "Tcp OutSegs") == 2,
	      "an early answer is not counted");
}

TEST_F(wire, MI1_an_early_cookie_counts_as_a_late_one)
{
	counted_alike(&self->peer, COOKIE);
}

TEST_F(wire, MI1_an_early_flow_counts_as_a_late_one)
{
	counted_alike(&self->peer, FLOW);
}

static const struct oddity oddities[] = {
	{ .what = "IP1 wrong checksum", .bad_checksum = true },
	{ .what = "IP7 to everybody",
	  .to = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
	{ .what = "IP7 to a group", .to = { 1, 0, 0x5e, 0, 0, 1 } },
	{ .what = "CL5 to somebody else", .to = { 2, 0, 0, 0, 0, 9 } },
	{ .what = "IP7 from a group of stations",
	  .from = { 1, 0, 0x5e, 0, 0, 1 }, .late = true },
	{ .what = "IP7 from nobody", .src4 = "0.0.0.0", .src6 = "::" },
	{ .what = "IP7 from the loopback", .src4 = "127.0.0.1",
	  .src6 = "::1" },
	{ .what = "IP7 from a group", .src4 = "224.0.0.1", .src6 = "ff02::1" },
	{ .what = "IP7 from everybody", .src4 = "255.255.255.255",
	  .src6 = "::ffff:192.0.2.2" },
	{ .what = "IP10 no port", .no_port = true },
	{ .what = "IP12 V61 IP options", .options = true },
	{ .what = "IP3 first fragment", .first_fragment = true },
	{ .what = "data", .line = "S 0(10) <mss 1460>", .late = true },
	{ .what = "FL2 SYN and ACK", .line = "S. 0 ack 1 <mss 1460>" },
	{ .what = "FL2 SYN and RST", .line = "SR 0 <mss 1460>" },
	{ .what = "FL2 SYN and FIN", .line = "SF 0 <mss 1460>" },
	{ .what = "Fast Open cookie",
	  .line = "S 0 <mss 1460,raw 220a0011223344556677,nop,nop>",
	  .late = true },
	{ .what = "AU2 MD5",
	  .line = "S 0 <mss 1460,raw 131200112233445566778899aabbccddeeff>" },
	{ .what = "AU4 MPTCP",
	  .line = "S 0 <mss 1460,raw 1e040181>", .late = true },
};

/* Between two SYNs that are answered early: such a one, which is not. */
static void odd_are_late(struct peer *peer, enum answer by)
{
	enum threeway_counter each = by == COOKIE ?
		THREEWAY_C_sent_cookie : THREEWAY_C_sent_synack;
	enum threeway_counter each_early = by == COOKIE ?
		THREEWAY_C_sent_cookie_early : THREEWAY_C_sent_synack_early;
	unsigned int i, all = 0, early = 0;
	u64 seen, seen_early;

	serve(peer, by);
	for (i = 0; i < ARRAY_SIZE(oddities); i++) {
		const struct oddity *odd = &oddities[i];

		if (odd->first_fragment && peer->family != AF_INET)
			continue;
		peer_label(peer, "%s", odd->what);
		confirm(peer, "mss 1460", true);
		peer_flow(peer);
		frame(peer, odd, odd->line ?: "S 0 <mss 1460>");
		no_more(peer);
		all += 2 + odd->late;
		early++;
		seen = peer_counter(peer, each);
		seen_early = peer_counter(peer, each_early);
		check(peer, seen == all && seen_early == early,
		      "%llu answers, %llu early, expected %u, %u",
		      (unsigned long long)seen,
		      (unsigned long long)seen_early, all, early);
	}
}

TEST_F(wire, CK1_IP1_IP3_IP7_IP10_IP12_FL2_V61_CL5_odd_SYNs_get_no_early_cookie)
{
	odd_are_late(&self->peer, COOKIE);
	EXPECT_EQ(0, peer_counter(&self->peer, THREEWAY_C_flows_opened));
}

TEST_F(wire, IP1_IP3_IP7_IP10_IP12_FL2_V61_CL5_odd_SYNs_open_no_flow_early)
{
	odd_are_late(&self->peer, FLOW);
}

/*
 * Our own addresses, those of everybody on a link, and those that nobody knows a
 * way to: all of them if there is an rp_filter.
 */
static void foreign_sources_only(struct peer *peer, enum answer by)
{
	static const struct oddity odd[] = {
		{ "the same address, no rp_filter", .src4 = "192.0.2.1" },
		{ "the same address", .src4 = "192.0.2.1" },
		{ "another of ours", .src4 = "198.51.100.7" },
		{ "broadcast", .src4 = "192.0.2.255" },
		{ "broadcast of another link", .src4 = "198.51.100.255" },
		{ "one without a route", .src4 = "203.0.113.9" },
	};
	unsigned int i;

	if (peer->family != AF_INET)
		return;
	serve(peer, by);
	run("ip address add 198.51.100.7/24 broadcast + dev tap0");
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		peer_label(peer, "%s", odd[i].what);
		sysctl_set("net/ipv4/conf/tap0/rp_filter", i ? "2" : "0");
		confirm(peer, "mss 1460", true);
		peer_flow(peer);
		frame(peer, &odd[i], "S 0 <mss 1460>");
		no_more(peer);
		expect_answers(peer, by, 2, 1);
	}
}

TEST_F(wire, IP7_sources_that_are_not_of_one_other_host_get_no_early_cookie)
{
	foreign_sources_only(&self->peer, COOKIE);
}

TEST_F(wire, IP7_sources_that_are_not_of_one_other_host_open_no_flow_early)
{
	foreign_sources_only(&self->peer, FLOW);
}

/* Whose tuple it is answers it. */
static void owned_are_late(struct peer *peer, enum answer by,
			   const char *counters)
{
	struct flow connected;
	int fd;

	serve(peer, by);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	peer_send(peer, ". 1 ack 1");
	fd = expect_accept(peer);
	connected = peer_park(peer);
	expect_counters(peer, "%s", counters);
	confirm(peer, "mss 1460", true);
	peer_resume(peer, connected);
	usual(peer, "S 0 <mss 1460>");
	no_more(peer);
	expect(peer, ". 1 ack 1");
	expect_answers(peer, by, 2, 1);
	close(fd);
}

TEST_F(wire, SR2_CK1_tuples_with_an_owner_get_no_early_cookie)
{
	owned_are_late(&self->peer, COOKIE, "sent_cookie 1; cookies_received 1; "
		       "flows_opened 1; flows_handed_over 1");
}

TEST_F(wire, SR2_tuples_with_an_owner_open_no_flow_early)
{
	owned_are_late(&self->peer, FLOW, "flows_opened 1; sent_synack 1; "
		       "flows_handed_over 1");
}

/* So does the tuple of a connection that TIME-WAIT remembers. */
static void time_wait_is_late(struct peer *peer, enum answer by)
{
	struct flow before;
	u32 iss;

	serve(peer, by);
	peer_flow(peer);
	peer_time_wait(peer);
	iss = peer->iss;
	before = peer_park(peer);
	confirm(peer, "mss 1460", true);
	peer_resume(peer, before);
	peer->irs += 1000;
	peer->iss_known = false;
	usual(peer, "S 0 <mss 1460>");
	no_more(peer);
	expect(peer, "S. 0 ack 1");
	if (by == FLOW)
		check(peer, peer->iss == iss + 2 + 65537, "%u after %u",
		      peer->iss, iss);
	check(peer, peer_counter(peer, by == COOKIE ?
				 THREEWAY_C_sent_cookie_early :
				 THREEWAY_C_sent_synack_early) == 1,
	      "an early answer to TIME-WAIT");
}

TEST_F(wire, TW1_IS4_tuples_in_TIME_WAIT_get_no_early_cookie)
{
	time_wait_is_late(&self->peer, COOKIE);
}

TEST_F(wire, TW1_IS4_tuples_in_TIME_WAIT_open_no_flow_early)
{
	time_wait_is_late(&self->peer, FLOW);
}

/* Of ECN an early answer agrees to what a late one would; it has no mark itself. */
static void ecn_early(struct peer *peer, enum answer by)
{
	static const struct {
		const char *syn;
		u16 ece;
	} cases[] = {
		{ "SEW 0 <" SYN_OPTIONS ">", FLAG_ECE },
		{ "SEW 0 tos 2 <" SYN_OPTIONS ">", 0 },
		{ "SE 0 <" SYN_OPTIONS ">", 0 },
		{ "S 0 tos 3 <" SYN_OPTIONS ">", 0 },
	};
	struct packet answer;
	unsigned int i;

	serve(peer, by);
	/* even if the mark of the SYN were to be reflected */
	sysctl_set("net/ipv4/tcp_reflect_tos", "1");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		peer_label(peer, "%s", cases[i].syn);
		confirm(peer, SYN_OPTIONS, true);
		peer_flow(peer);
		usual(peer, "%s", cases[i].syn);
		if (!check(peer, early_answer(peer, &answer), "no answer"))
			continue;
		check(peer, answer.flags == (FLAG_SYN | FLAG_ACK | cases[i].ece),
		      "flags %#x", answer.flags);
		check(peer, !(answer.tos & 3), "tos %#x", answer.tos);
		no_more(peer);
	}
}

TEST_F(wire, EC1_EC2_EC3_EC4_early_cookies)
{
	ecn_early(&self->peer, COOKIE);
}

TEST_F(wire, EC1_EC2_EC3_EC4_early_flows)
{
	ecn_early(&self->peer, FLOW);
}

/* A copy of a SYN that was answered early belongs to its flow. */
TEST_F(wire, SR2_RT6_an_early_flow_answers_copies_by_the_route)
{
	struct threeway_policy policy = policies[FLOW];
	struct peer *peer = &self->peer;
	const char *copy = peer->family == AF_INET ? "S. 0 ack 1 <mss 1460>" :
						     "S. 0 ack 1 <mss 1440>";

	tap = tap_open(peer);
	policy.rto_initial_ms = 1000;
	peer_serve(peer, &policy);
	confirm(peer, "mss 1460", true);
	expect_answers(peer, FLOW, 2, 1);
	usual(peer, "S 0 <mss 1460>");
	no_more(peer);
	expect(peer, "%s", copy);
	expect_counters(peer, "sent_synack_duplicate 1; segment_duplicate_syn 1");
	/* and so does its timer */
	sleep_ms(1010);
	no_more(peer);
	expect(peer, "%s", copy);
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_handed_over));
}

/* A full backlog, a rate of sources and cookies are the late path's to deal with. */
TEST_F(wire, LM1_LM5_limits_hold_for_early_flows)
{
	struct threeway_policy policy = policies[FLOW];
	struct peer *peer = &self->peer;

	tap = tap_open(peer);
	policy.set |= THREEWAY_P_BACKLOG | THREEWAY_P_COOKIES;
	policy.backlog = 2;
	peer_serve(peer, &policy);
	confirm(peer, "mss 1460", true);
	expect_answers(peer, FLOW, 2, 1);
	peer_flow(peer);
	usual(peer, "S 0 <mss 1460>");
	no_more(peer);
	expect_counters(peer, "native_backlog_full 1");
	sysctl_set("net/threeway/max_flows", "2");
	peer_flow(peer);
	usual(peer, "S 0 <mss 1460>");
	no_more(peer);
	expect_counters(peer, "native_flow_limit 1");
	sysctl_set("net/threeway/max_flows", "65536");
	policy.backlog = 100;
	policy.set |= THREEWAY_P_SOURCE_RATE;
	policy.source_rate = 1000;
	EXPECT_EQ(0, threeway_claim_del(peer->engine, peer->claim));
	peer_claim(peer, &policy);
	confirm(peer, "mss 1460", false);
}

/* It has to be complained of, which takes the late path. */
TEST_F(wire, OP11_a_SYN_with_an_illegal_shift_is_answered_late)
{
	struct peer *peer = &self->peer;

	serve(peer, FLOW);
	confirm(peer, "mss 1460,nop,wscale 14", true);
	confirm(peer, "mss 1460,nop,wscale 15", false);
	EXPECT_EQ(0, threeway_claim_del(peer->engine, peer->claim));
	peer_claim(peer, &policies[COOKIE]);
	confirm(peer, "mss 1460,nop,wscale 14", true);
	confirm(peer, "mss 1460,nop,wscale 255", false);
}

static int listen_in_group(struct peer *peer, int ttl)
{
	struct sockaddr_in6 address = {
		.sin6_family = peer->family,
		.sin6_port = htons(peer->header.dport),
	};
	bool v4 = peer->family == AF_INET;
	int one = 1, fd;

	fd = socket(peer->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	check(peer, !setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one,
				sizeof(one)) &&
		    !setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
				v4 ? IP_TTL : IPV6_UNICAST_HOPS, &ttl,
				sizeof(ttl)) &&
		    !bind(fd, (struct sockaddr *)&address,
			  v4 ? sizeof(struct sockaddr_in) : sizeof(address)) &&
		    !listen(fd, 1024), "listener: %s", strerror(errno));
	return fd;
}

#define GROUP_SYNS	100

/* Finishes what a SYN-ACK has begun. Return: whose connection it is. */
static int whose(struct peer *peer, const int member[2], u32 iss)
{
	int i, fd;

	peer->iss = iss;
	peer->iss_known = true;
	peer_send(peer, ". 1 ack 1");
	for (i = 0; i < 2; i++) {
		fd = accept(member[i], NULL, NULL);
		if (fd >= 0)
			return close(fd) ? -1 : i;
	}
	return -1;
}

/* Return: how many SYNs to two listeners on the port are answered early. */
static unsigned int early_in_group(struct peer *peer)
{
	unsigned int i, early = 0, seen[2] = { 0 };
	int member[2] = {
		listen_in_group(peer, 44), listen_in_group(peer, 33),
	};
	struct packet answer;

	peer_claim(peer, &policies[FLOW]);
	for (i = 0; i < GROUP_SYNS; i++) {
		peer_flow(peer);
		usual(peer, "S 0 <mss 1460>");
		if (!early_answer(peer, &answer))
			continue;
		early++;
		seen[answer.ttl == 33]++;
		check(peer, whose(peer, member, answer.seq) ==
		      (answer.ttl == 33), "the TTL is the other one's");
	}
	expect_counters(peer, "flows_opened %u; sent_synack %u; "
			"sent_synack_early %u; flows_handed_over %u",
			GROUP_SYNS, GROUP_SYNS, early, early);
	check(peer, seen[0] && seen[1], "%u and %u early", seen[0], seen[1]);
	close(member[0]);
	close(member[1]);
	return early;
}

/*
 * Each listener of a group says what it says, and not what another one does. If
 * both had one place, that would be the other one's every second time. That they
 * share one by chance happens, but not again and again.
 */
TEST_F(wire, LI10_listeners_of_a_group_are_told_apart)
{
	struct peer *peer = &self->peer;
	unsigned int i, early = 0;

	tap = tap_open(peer);
	for (i = 0; i < 4 && early <= GROUP_SYNS * 2 / 3; i++) {
		peer->header.dport++;
		early = early_in_group(peer);
	}
	check(peer, early > GROUP_SYNS * 2 / 3, "%u of %u early", early,
	      GROUP_SYNS);
}

TEST_HARNESS_MAIN
