// SPDX-License-Identifier: GPL-2.0
/*
 * SYN cookies and flows on the early path: which SYNs are answered there, in place,
 * and which are left to all that comes later (rules CK1, CK5, CK6, CL5, FL2, IP1,
 * IP3, IP5, IP7, IP10, IP12, LI10, LI11, LI12, LM5, RT6, SR2, V61).
 *
 * SYNs come in by tap0. What is answered early goes out there; what is answered
 * late goes by the route to the peer, which is tun0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mib.h"
#include "tap.h"
#include "wire.h"

/* How a frame differs from the usual one. */
struct oddity {
	const char *what;
	const char *line;		/* instead of the usual SYN */
	const char *src4, *src6;	/* instead of the peer's address */
	u8 to[ETH_ALEN], from[ETH_ALEN];
	bool bad_checksum, options, no_port, first_fragment;
	bool late;			/* a cookie all the same */
};

static int tap;

/* What SYNs are answered by. */
enum answer { COOKIE, FLOW };

/* Flows do not send copies while others are looked at. */
static const struct threeway_policy policies[] = {
	[COOKIE] = {
		.set = THREEWAY_P_COOKIES | THREEWAY_P_COOKIE_PATH,
		.cookies = THREEWAY_COOKIES_ALWAYS,
		.cookie_path = THREEWAY_PATH_EARLY,
	},
	[FLOW] = {
		.set = THREEWAY_P_RTO_INITIAL | THREEWAY_P_SYNACK_PATH,
		.rto_initial_ms = 60000,
		.synack_path = THREEWAY_PATH_EARLY,
	},
};

static void serve(struct peer *peer, enum answer by)
{
	tap = tap_open(peer);
	peer_serve(peer, &policies[by]);
}

/* So many answers since the last look, some of them early, and nothing else. */
static void expect_answers(struct peer *peer, enum answer by, unsigned int all,
			   unsigned int early)
{
	char line[LINE_MAX_LEN];
	int len;

	if (by == COOKIE)
		len = snprintf(line, sizeof(line), "sent_cookie %u", all);
	else
		len = snprintf(line, sizeof(line),
			       "flows_opened %u; sent_synack %u", all, all);
	if (early)
		snprintf(line + len, sizeof(line) - len, "; %s %u",
			 by == COOKIE ? "sent_cookie_early" :
					"sent_synack_early", early);
	expect_counters(peer, "%s", line);
}

static bool is_set(const u8 *mac)
{
	static const u8 none[ETH_ALEN];

	return memcmp(mac, none, ETH_ALEN);
}

/* More fragments, and the header's checksum right again. */
static void fragment_first(u8 *raw)
{
	unsigned int sum;

	raw[6] |= 0x20;
	sum = (raw[10] << 8 | raw[11]) ^ 0xffff;
	sum += 0x2000;
	sum = ((sum & 0xffff) + (sum >> 16)) ^ 0xffff;
	raw[10] = sum >> 8;
	raw[11] = sum;
}

static void frame(struct peer *peer, const struct oddity *odd, const char *line)
{
	static u8 raw[PACKET_MAX];
	struct packet usual = peer->header;
	size_t len;

	if (odd->src4)
		inet_pton(peer->family, peer->family == AF_INET ? odd->src4 :
			  odd->src6, &peer->header.src);
	if (odd->no_port)
		peer->header.sport = 0;
	if (odd->options)
		peer_ip_options(peer, true);
	len = peer_prepare(peer, raw, "%s", line);
	peer->header = usual;
	if (odd->bad_checksum)
		raw[len - 1] ^= 1;
	if (odd->first_fragment && peer->family == AF_INET)
		fragment_first(raw);
	check(peer, tap_send(peer, tap, is_set(odd->to) ? odd->to : NULL,
			     is_set(odd->from) ? odd->from : NULL, raw, len),
	      "tap0: %s", strerror(errno));
}

static void __printf(2, 3) usual(struct peer *peer, const char *format, ...)
{
	static const struct oddity none;
	char line[LINE_MAX_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	frame(peer, &none, line);
}

static bool early_answer(struct peer *peer, struct packet *answer)
{
	return tap_receive(peer, tap, answer);
}

static void no_more(struct peer *peer)
{
	struct packet answer;

	while (early_answer(peer, &answer))
		check(peer, false, "an answer by tap0");
}

/* Two SYNs: the first is answered late, and so the next one early. */
static void confirm(struct peer *peer, const char *options, bool taken)
{
	struct packet answer;
	bool good;

	/* what was confirmed before is forgotten */
	sleep_ms(20);
	peer_flow(peer);
	usual(peer, "S 0 <%s>", options);
	peer_flow(peer);
	usual(peer, "S 0 <%s>", options);
	check(peer, early_answer(peer, &answer) == taken, "early: %d", !taken);
	if (!taken)
		return;
	good = answer.flags == (FLAG_SYN | FLAG_ACK) &&
	       answer.dport == peer->header.sport &&
	       answer.sport == peer->header.dport &&
	       answer.ack == peer->irs + 1 &&
	       !memcmp(&answer.src, &peer->header.dst, 16) &&
	       !memcmp(&answer.dst, &peer->header.src, 16);
	check(peer, good, "no SYN-ACK to the SYN");
	peer->iss = answer.seq;
	peer->iss_known = true;
	peer->latest = answer;
}

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

/* A late answer and an early one count alike in what nstat(8) shows. */
static void counted_alike(struct peer *peer, enum answer by)
{
	struct mib mib[3];
	unsigned int i;

	sysctl_set("net/ipv6/conf/default/router_solicitations", "0");
	serve(peer, by);
	mib_settle(peer);
	for (i = 0; i < 2; i++) {
		peer_flow(peer);
		mib_read(peer, &mib[i]);
		usual(peer, "S 0 <%s>", SYN_OPTIONS);
	}
	mib_read(peer, &mib[2]);
	expect_answers(peer, by, 2, 1);
	for (i = 0; i < mib[0].count; i++) {
		const char *name = mib[0].entry[i].name;
		long long late = mib_change(&mib[0], &mib[1], name);
		long long early = mib_change(&mib[1], &mib[2], name);

		check(peer, late == early, "%s: late %lld, early %lld", name,
		      late, early);
	}
	check(peer, mib_change(&mib[1], &mib[2], "Tcp OutSegs") == 1,
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
 * Our own addresses, and those of everybody on a link: all of them if there is an
 * rp_filter.
 */
static void foreign_sources_only(struct peer *peer, enum answer by)
{
	static const struct oddity odd[] = {
		{ "the same address, no rp_filter", .src4 = "192.0.2.1" },
		{ "the same address", .src4 = "192.0.2.1" },
		{ "another of ours", .src4 = "198.51.100.7" },
		{ "broadcast", .src4 = "192.0.2.255" },
		{ "broadcast of another link", .src4 = "198.51.100.255" },
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

static void no_filter(struct peer *peer)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
	struct sock_fprog program = { .len = 1, .filter = &all };

	check(peer, !setsockopt(peer->listener, SOL_SOCKET, SO_ATTACH_FILTER,
				&program, sizeof(program)), "filter: %s",
	      strerror(errno));
}

static void minimum_ttl(struct peer *peer)
{
	bool v4 = peer->family == AF_INET;
	int ttl = 2;

	check(peer, !setsockopt(peer->listener, v4 ? IPPROTO_IP : IPPROTO_IPV6,
				v4 ? IP_MINTTL : IPV6_MINHOPCOUNT, &ttl,
				sizeof(ttl)), "TTL: %s", strerror(errno));
}

static void late_only(struct peer *peer, enum answer by, const char *what)
{
	peer_label(peer, "%s", what);
	confirm(peer, "mss 1460", false);
	expect_answers(peer, by, 2, 0);
}

/* What only the late path asks keeps all SYNs there. */
static void filtered_are_late(struct peer *peer, enum answer by)
{
	int zero = 0;

	serve(peer, by);
	confirm(peer, "mss 1460", true);
	expect_answers(peer, by, 2, 1);
	no_filter(peer);
	late_only(peer, by, "a filter of the socket");
	setsockopt(peer->listener, SOL_SOCKET, SO_DETACH_FILTER, &zero,
		   sizeof(zero));
	minimum_ttl(peer);
	late_only(peer, by, "a minimal TTL");
}

TEST_F(wire, IP5_CK1_listeners_with_filters_send_no_early_cookie)
{
	filtered_are_late(&self->peer, COOKIE);
}

TEST_F(wire, IP5_LI11_listeners_with_filters_open_no_flow_early)
{
	filtered_are_late(&self->peer, FLOW);
}

/* A filter that comes after the last confirmation holds at once. */
TEST_F(wire, LI11_a_new_filter_is_asked_about_the_next_SYN)
{
	struct peer *peer = &self->peer;

	serve(peer, FLOW);
	confirm(peer, "mss 1460", true);
	no_filter(peer);
	peer_flow(peer);
	usual(peer, "S 0 <mss 1460>");
	no_more(peer);
	expect_answers(peer, FLOW, 3, 1);
}

/* What a flow keeps of its SYN, and only the late path has. */
TEST_F(wire, HO15_listeners_that_save_SYNs_or_take_marks_open_no_flow_early)
{
	struct peer *peer = &self->peer;
	int one = 1, zero = 0;

	serve(peer, FLOW);
	setsockopt(peer->listener, IPPROTO_TCP, TCP_SAVE_SYN, &one,
		   sizeof(one));
	late_only(peer, FLOW, "TCP_SAVE_SYN");
	setsockopt(peer->listener, IPPROTO_TCP, TCP_SAVE_SYN, &zero,
		   sizeof(zero));
	sysctl_set("net/ipv4/tcp_fwmark_accept", "1");
	late_only(peer, FLOW, "tcp_fwmark_accept");
	sysctl_set("net/ipv4/tcp_fwmark_accept", "0");
	confirm(peer, "mss 1460", true);
}

static void strict_rp_filter(struct peer *peer, enum answer by)
{
	unsigned int i;

	if (peer->family != AF_INET)
		return;
	serve(peer, by);
	/* the way back, or such a filter would let nothing in */
	run("ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev tap0");
	run("ip route add 192.0.2.2/32 dev tap0");
	for (i = 0; i < 2; i++) {
		peer_label(peer, "rp_filter %u", i);
		sysctl_set("net/ipv4/conf/tap0/rp_filter", "%u", i);
		sleep_ms(20);
		peer_flow(peer);
		usual(peer, "S 0 <mss 1460>");
		peer_flow(peer);
		usual(peer, "S 0 <mss 1460>");
		expect_answers(peer, by, 2, !i);
	}
}

TEST_F(wire, IP7_under_a_strict_rp_filter_there_are_no_early_cookies)
{
	strict_rp_filter(&self->peer, COOKIE);
}

TEST_F(wire, IP7_under_a_strict_rp_filter_no_flow_opens_early)
{
	strict_rp_filter(&self->peer, FLOW);
}

static void claim_is_gone(struct peer *peer, enum answer by)
{
	serve(peer, by);
	confirm(peer, "mss 1460", true);
	check(peer, !threeway_claim_del(peer->engine, peer->claim),
	      "the claim stays");
	peer_flow(peer);
	usual(peer, "S 0 <mss 1460>");
	no_more(peer);
	expect_answers(peer, by, 2, 1);
}

TEST_F(wire, CK1_a_claim_that_is_gone_sends_no_early_cookie)
{
	claim_is_gone(&self->peer, COOKIE);
}

TEST_F(wire, LC9_a_claim_that_is_gone_opens_no_flow_early)
{
	claim_is_gone(&self->peer, FLOW);
}

/* A closed port looks closed at once, although the SYN before found it. */
TEST_F(wire, CL2_a_listener_that_is_gone_opens_no_flow_early)
{
	struct peer *peer = &self->peer;

	serve(peer, FLOW);
	confirm(peer, "mss 1460", true);
	close(peer->listener);
	peer->listener = -1;
	peer_flow(peer);
	usual(peer, "S 0 <mss 1460>");
	no_more(peer);
	expect(peer, "R. 0 ack 1");
	expect_counters(peer, "flows_opened 2; sent_synack 2; "
			"sent_synack_early 1; native_no_listener 1");
}

/* A source beyond its rate gets cookies, the next one a flow. */
TEST_F(wire, LM5_cookies_for_one_source_are_for_no_other)
{
	static const struct oddity other = {
		.src4 = "203.0.113.9", .src6 = "2001:db8:7::9",
	};
	struct threeway_policy policy = {
		.set = THREEWAY_P_COOKIE_PATH | THREEWAY_P_SOURCE_RATE |
		       THREEWAY_P_SOURCE_BURST,
		.cookie_path = THREEWAY_PATH_EARLY,
		.source_rate = 1,
		.source_burst = 1,
	};
	struct peer *peer = &self->peer;
	unsigned int i;

	tap = tap_open(peer);
	peer_serve(peer, &policy);
	run("ip -%d route add default dev tun0",
	    peer->family == AF_INET ? 4 : 6);
	/* the first SYN makes the table */
	peer_flow(peer);
	usual(peer, "S 0 <mss 1460>");
	sleep_ms(100);
	for (i = 0; i < 3; i++) {
		peer_flow(peer);
		usual(peer, "S 0 <mss 1460>");
	}
	expect_counters(peer, "flows_opened 2; sent_synack 2; sent_cookie 2");
	peer_flow(peer);
	frame(peer, &other, "S 0 <mss 1460>");
	no_more(peer);
	expect_counters(peer, "flows_opened 1; sent_synack 1");
}

TEST_HARNESS_MAIN
