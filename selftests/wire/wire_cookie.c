// SPDX-License-Identifier: GPL-2.0
/*
 * SYN cookies of the engine: what is sent, what brings a connection back, what
 * does not (rules CK1 to CK15, LM1, LM8, LM10, MI5).
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mib.h"
#include "wire.h"

#define BACKLOG	4

static void serve(struct peer *peer, enum threeway_cookies cookies)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_COOKIES | THREEWAY_P_BACKLOG,
		.cookies = cookies,
		.backlog = BACKLOG,
	};

	peer_serve(peer, &policy);
}

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info;
}

/* A SYN whose SYN-ACK is a cookie, in a flow of its own. */
static void open_cookie(struct peer *peer, const char *options)
{
	peer_flow(peer);
	peer_syn(peer, options);
	expect_flow(peer, false);
}

/* The ACK of the present flow, and that it makes a connection. */
static int finish(struct peer *peer)
{
	int fd;

	peer_send(peer, ". 1 ack 1");
	fd = expect_accept(peer);
	return fd;
}

static void expect_reset(struct peer *peer, const char *ack)
{
	expect(peer, "R %s win 0 <>", ack);
	expect_no_accept(peer);
}

TEST_F_TIMEOUT(wire, CK1_LM8_a_cookie_is_sent_once_and_leaves_nothing, 120)
{
	struct peer *peer = &self->peer;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	open_cookie(peer, "mss 1460");
	expect_silence_ms(peer, 70000);
	EXPECT_EQ(0, peer_flows(peer, NULL));
	expect_counters(peer, "sent_cookie 1");
	/* a copy of the SYN is a SYN */
	peer->iss_known = false;
	peer_syn(peer, "mss 1460");
	expect_counters(peer, "sent_cookie 1");
	close(finish(peer));
	expect_counters(peer, "cookies_received 1; flows_opened 1; "
			"flows_handed_over 1");
}

TEST_F(wire, CK1_LM1_never_leaves_a_full_backlog_to_the_native_stack)
{
	struct peer *peer = &self->peer;
	int i;

	sysctl_set("net/ipv4/tcp_syncookies", "0");
	serve(peer, THREEWAY_COOKIES_NEVER);
	for (i = 0; i < BACKLOG; i++) {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
	}
	expect_counters(peer, "flows_opened 4; sent_synack 4");
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_counters(peer, "native_backlog_full 1");
}

TEST_F_TIMEOUT(wire, CK1_LM1_cookies_begin_with_a_full_backlog, 300)
{
	struct peer *peer = &self->peer;
	struct flow flows[BACKLOG];
	int i;

	serve(peer, THREEWAY_COOKIES_AUTO);
	for (i = 0; i < BACKLOG; i++) {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
		flows[i] = peer_park(peer);
	}
	expect_counters(peer, "flows_opened 4; sent_synack 4");
	open_cookie(peer, "mss 1460");
	expect_counters(peer, "cookies_on 1; sent_cookie 1");
	close(finish(peer));
	expect_counters(peer, "cookies_received 1; flows_opened 1; "
			"flows_handed_over 1");
	/* room for some does not end it, nor room for all at once */
	peer_resume(peer, flows[0]);
	peer_send(peer, "R 1");
	open_cookie(peer, "mss 1460");
	expect_counters(peer, "segment_rst_exact 1; flows_reset 1; "
			"sent_cookie 1");
	for (i = 1; i < BACKLOG; i++) {
		peer_resume(peer, flows[i]);
		peer_send(peer, "R 1");
	}
	open_cookie(peer, "mss 1460");
	expect_counters(peer, "segment_rst_exact 3; flows_reset 3; "
			"sent_cookie 1");
	sleep_ms(11000);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_flow(peer, true);
	expect_counters(peer, "cookies_off 1; flows_opened 1; sent_synack 1");
}

TEST_F(wire, CK1_max_flows_brings_cookies_as_well)
{
	struct peer *peer = &self->peer;

	sysctl_set("net/threeway/max_flows", "1");
	serve(peer, THREEWAY_COOKIES_AUTO);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_counters(peer, "flows_opened 1; sent_synack 1");
	open_cookie(peer, "mss 1460");
	expect_counters(peer, "cookies_on 1; sent_cookie 1");
	close(finish(peer));
	expect_counters(peer, "cookies_received 1; flows_opened 1; "
			"flows_handed_over 1");
}

/* What the child takes for the MSS of a peer that announced so much. */
static int mss_kept(struct peer *peer, int mss)
{
	socklen_t len = sizeof(int);
	int fd, kept = 0;

	peer_flow(peer);
	peer_send(peer, "S 0 <mss %d>", mss);
	expect(peer, "S. 0 ack 1");
	fd = finish(peer);
	getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &kept, &len);
	close(fd);
	return kept;
}

TEST_F(wire, CK4_the_MSS_is_rounded_down_to_one_of_a_few)
{
	static const int table[2][4] = {
		{ 536, 1300, 1440, 1460 }, { 1220, 1360, 1420, 1440 },
	};
	struct peer *peer = &self->peer;
	const int *mss = table[peer->family == AF_INET6];
	unsigned int i;
	int kept;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	for (i = 0; i < 4; i++) {
		kept = mss_kept(peer, mss[i]);
		check(peer, kept == mss[i], "%d of %d", kept, mss[i]);
		kept = mss_kept(peer, mss[i] + 1);
		check(peer, kept == mss[i], "%d of %d", kept, mss[i] + 1);
		if (i) {
			kept = mss_kept(peer, mss[i] - 1);
			check(peer, kept == mss[i - 1], "%d of %d", kept,
			      mss[i] - 1);
		}
	}
	/* up, if there is none below */
	kept = mss_kept(peer, mss[0] - 1);
	check(peer, kept == mss[0], "%d of %d", kept, mss[0] - 1);
}

TEST_F_TIMEOUT(wire, CK11_cookies_outlive_a_rotation_of_the_secret, 4000)
{
	struct peer *peer = &self->peer;
	unsigned int i;

	sysctl_set("net/threeway/cookie_rotation_s", "256");
	serve(peer, THREEWAY_COOKIES_ALWAYS);
	for (i = 0; i < 30; i++) {
		open_cookie(peer, "mss 1460");
		sleep_ms(50000);
		close(finish(peer));
	}
	EXPECT_GE(peer_counter(peer, THREEWAY_C_cookie_rotations), 3);
	EXPECT_EQ(30, peer_counter(peer, THREEWAY_C_cookies_received));
}

TEST_F(wire, CK11_what_a_secret_may_be)
{
	struct threeway_cookie_secret set = { .secret = { 1 } };
	struct peer *peer = &self->peer;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	EXPECT_EQ(0, threeway_cookie_secret(peer->engine, &set));
	/* the one before has not begun */
	set.secret[0] = 2;
	open_cookie(peer, "mss 1460");
	EXPECT_EQ(0, threeway_cookie_secret(peer->engine, &set));
	EXPECT_EQ(-EBUSY, threeway_cookie_secret(peer->engine, &set));
	/* a cookie of before is good as long as it would be */
	close(finish(peer));
	set.flags = THREEWAY_COOKIE_SECRET_PREVIOUS;
	EXPECT_EQ(0, threeway_cookie_secret(peer->engine, &set));
	set.flags = 0;
	set.previous[15] = 1;
	EXPECT_EQ(-EINVAL, threeway_cookie_secret(peer->engine, &set));
	set.previous[15] = 0;
	set.pad = 1;
	EXPECT_EQ(-EINVAL, threeway_cookie_secret(peer->engine, &set));
	set.pad = 0;
	set.flags = 4;
	EXPECT_EQ(-EINVAL, threeway_cookie_secret(peer->engine, &set));
	set.flags = THREEWAY_COOKIE_SECRET_RANDOM;
	EXPECT_EQ(-EINVAL, threeway_cookie_secret(peer->engine, &set));
}

TEST_F(wire, CK5_without_timestamps_the_SYN_ACK_has_an_MSS_and_no_more)
{
	struct peer *peer = &self->peer;
	int mss = peer->family == AF_INET ? 1460 : 1440;
	struct tcp_info info;
	int fd;

	sysctl_set("net/ipv4/tcp_ecn", "1");
	serve(peer, THREEWAY_COOKIES_ALWAYS);
	peer_flow(peer);
	peer_send(peer, "SEW 0 <mss 1460,sackOK,nop,wscale 7>");
	expect(peer, "S. 0 ack 1 <mss %d>", mss);
	fd = finish(peer);
	info = info_of(fd);
	EXPECT_EQ(0, info.tcpi_options &
		  (TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE |
		   TCPI_OPT_ECN));
	close(fd);
}

/* What the SYN offers, as the bits of TCP_INFO have it. */
static int offered(const char *options, bool ecn)
{
	return TCPI_OPT_TIMESTAMPS | (ecn ? TCPI_OPT_ECN : 0) |
	       (strstr(options, "sackOK") ? TCPI_OPT_SACK : 0) |
	       (strstr(options, "wscale") ? TCPI_OPT_WSCALE : 0);
}

TEST_F(wire, CK6_with_timestamps_all_options_survive)
{
	static const char * const cases[] = {
		"mss 1460,sackOK,TS val 1000 ecr 0,nop,wscale 7",
		"mss 1460,sackOK,TS val 1000 ecr 0,nop,wscale 0",
		"mss 1460,sackOK,TS val 1000 ecr 0,nop,wscale 14",
		"mss 1460,nop,nop,TS val 1000 ecr 0,nop,wscale 3",
		"mss 1460,sackOK,TS val 1000 ecr 0",
		"mss 1460,nop,nop,TS val 1000 ecr 0",
	};
	const int all = TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK |
			TCPI_OPT_WSCALE | TCPI_OPT_ECN;
	struct peer *peer = &self->peer;
	struct tcp_info info;
	const char *wscale;
	unsigned int i;
	int fd, ecn;
	u32 tsval;

	sysctl_set("net/ipv4/tcp_ecn", "1");
	serve(peer, THREEWAY_COOKIES_ALWAYS);
	for (i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		ecn = i & 1;
		peer_flow(peer);
		peer_send(peer, "S%s 0 <%s>", ecn ? "EW" : "", cases[i / 2]);
		expect(peer, "S.%s 0 ack 1", ecn ? "E" : "");
		tsval = peer->tsval;
		peer_send(peer, "P. 1(10) ack 1 <nop,nop,TS val 1001 ecr ^>");
		/* what it says from now on is not older */
		expect(peer, ". 1 ack 11");
		check(peer, (s32)(peer->tsval - tsval) >= 0,
		      "TSval %u after %u", peer->tsval, tsval);
		fd = expect_accept(peer);
		info = info_of(fd);
		check(peer, (info.tcpi_options & all) ==
			    offered(cases[i / 2], ecn),
		      "case %u: options %x, expected %x", i,
		      info.tcpi_options & all, offered(cases[i / 2], ecn));
		wscale = strstr(cases[i / 2], "wscale");
		check(peer, info.tcpi_snd_wscale ==
			    (wscale ? atoi(wscale + 7) : 0),
		      "case %u: wscale %d", i, info.tcpi_snd_wscale);
		close(fd);
	}
}

/* As that of a flow: the SYN-ACK has promised it. */
TEST_F(wire, CK6_what_was_agreed_on_holds_whatever_a_sysctl_says_since)
{
	static const char * const names[] = {
		"net/ipv4/tcp_timestamps", "net/threeway/timestamps",
		"net/ipv4/tcp_sack", "net/threeway/sack",
		"net/ipv4/tcp_window_scaling", "net/threeway/window_scaling",
		"net/ipv4/tcp_ecn", "net/threeway/ecn",
	};
	const int all = TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK |
			TCPI_OPT_WSCALE | TCPI_OPT_ECN;
	struct peer *peer = &self->peer;
	struct tcp_info info;
	unsigned int i;
	int fd;

	sysctl_set("net/ipv4/tcp_ecn", "1");
	serve(peer, THREEWAY_COOKIES_ALWAYS);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		peer_flow(peer);
		peer_send(peer, "SEW 0 <%s>", SYN_OPTIONS);
		expect(peer, "S.E 0 ack 1");
		sysctl_set(names[i], "0");
		peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
		fd = expect_accept(peer);
		info = info_of(fd);
		check(peer, (info.tcpi_options & all) == all,
		      "%s off: options %x", names[i], info.tcpi_options);
		close(fd);
		sysctl_set(names[i], "1");
	}
}

static void claim_changes(struct peer *peer, const struct threeway_claim *conf)
{
	struct threeway_claim claim = *conf;
	int err;

	claim.family = peer->family;
	claim.port_first = peer->header.dport;
	claim.port_last = peer->header.dport;
	if (!conf->local_prefixlen)
		check(peer, !threeway_claim_del(peer->engine, peer->claim),
		      "cannot delete the claim");
	else
		memcpy(claim.local, &peer->header.dst, sizeof(claim.local));
	if (!conf->direction)
		return;
	err = threeway_claim_add(peer->engine, &claim);
	check(peer, !err, "claim: %s", strerror(-err));
	peer->claim = claim.id;
}

/* Whoever has its SYN-ACK has been promised a connection. */
TEST_F(wire, CK3_a_cookie_outlives_its_claim)
{
	const struct threeway_policy never = {
		.set = THREEWAY_P_COOKIES,
		.cookies = THREEWAY_COOKIES_NEVER,
	};
	const struct threeway_claim conf[] = {
		{},
		{ .direction = THREEWAY_PASSIVE, .mode = THREEWAY_OBSERVE },
		{ .direction = THREEWAY_PASSIVE, .mode = THREEWAY_HOLD },
		{ .direction = THREEWAY_PASSIVE, .mode = THREEWAY_HANDOFF,
		  .policy = never },
		{ .direction = THREEWAY_PASSIVE, .mode = THREEWAY_HANDOFF,
		  .policy = never, .local_prefixlen = variant->family ==
						      AF_INET ? 32 : 128 },
	};
	struct peer *peer = &self->peer;
	unsigned int i;
	u32 first;

	peer_listen(peer, 1024);
	for (i = 0; i < ARRAY_SIZE(conf); i++) {
		struct threeway_policy always = {
			.set = THREEWAY_P_COOKIES,
			.cookies = THREEWAY_COOKIES_ALWAYS,
		};

		peer_claim(peer, &always);
		first = peer->claim;
		open_cookie(peer, SYN_OPTIONS);
		claim_changes(peer, &conf[i]);
		peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
		close(expect_accept(peer));
		expect_counters(peer, "sent_cookie 1; cookies_received 1; "
				"flows_opened 1; flows_handed_over 1");
		threeway_claim_del(peer->engine, first);
		threeway_claim_del(peer->engine, peer->claim);
	}
	/* what that claim did not send does not become valid with it */
	peer_flow(peer);
	peer_send(peer, ". 1 ack =12345");
	expect(peer, "R =12345 win 0 <>");
	expect_no_accept(peer);
}

/*
 * Pressure has ended between two copies of a SYN: the second one made a flow. The
 * peer answers the first SYN-ACK that reaches it, and no other one.
 */
TEST_F(wire, SR2_CK3_the_same_SYN_has_a_cookie_and_a_flow)
{
	struct peer *peer = &self->peer;
	u32 cookie, tsval;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	open_cookie(peer, SYN_OPTIONS);
	cookie = peer->iss;
	tsval = peer->tsval;
	expect_counters(peer, "sent_cookie 1");
	claim_changes(peer, &(struct threeway_claim){
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HANDOFF,
		.policy = { .set = THREEWAY_P_COOKIES },
	});
	peer->iss_known = false;
	peer_syn(peer, SYN_OPTIONS);
	expect_flow(peer, true);
	check(peer, peer->iss != cookie, "the flow has the cookie's ISS");
	peer->tsval = tsval;
	/* neither one, nor the other */
	peer_send(peer, ". 1 ack =%u <nop,nop,TS val 1001 ecr ^>", cookie + 2);
	expect(peer, "R =%u win 0 <>", cookie + 2);
	/* of another SYN than that of the flow */
	peer_send(peer, ". 2 ack =%u <nop,nop,TS val 1001 ecr ^>", cookie + 1);
	expect(peer, "R =%u win 0 <>", cookie + 1);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"segment_bad_ack 2; sent_rst 2");
	peer->iss = cookie;
	peer_send(peer, "P. 1(10) ack 1 <nop,nop,TS val 1001 ecr ^>");
	close(expect_accept(peer));
	expect_counters(peer, "flows_cookie 1; cookies_received 1; "
			"flows_opened 1; flows_handed_over 1");
	expect_flow(peer, false);
}

TEST_F_TIMEOUT(wire, CK3_CK15_valid_for_a_minute_and_for_no_more_than_two, 4000)
{
	static const unsigned int good_s[] = { 0, 1, 30, 59 };
	static const unsigned int bad_s[] = { 125, 181, 600 };
	struct peer *peer = &self->peer;
	unsigned int phase, i;
	struct flow late;
	u64 bad;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	/* at each phase of the minute */
	for (phase = 0; phase < 6; phase++) {
		for (i = 0; i < ARRAY_SIZE(good_s); i++) {
			open_cookie(peer, "mss 1460");
			sleep_ms(good_s[i] * 1000 + 500);
			close(finish(peer));
		}
		sleep_ms(10000);
	}
	for (i = 0; i < ARRAY_SIZE(bad_s); i++) {
		open_cookie(peer, "mss 1460");
		late = peer_park(peer);
		sleep_ms((bad_s[i] - 5) * 1000);
		/* so that ACKs are looked at */
		open_cookie(peer, "mss 1460");
		sleep_ms(5000);
		peer_resume(peer, late);
		bad = peer_counter(peer, THREEWAY_C_native_bad_cookie);
		peer_send(peer, ". 1 ack 1");
		expect_reset(peer, "1");
		EXPECT_EQ(bad + 1, peer_counter(peer,
						THREEWAY_C_native_bad_cookie));
	}
}

TEST_F(wire, CK8_whatever_is_changed_in_the_ACK_is_reset)
{
	struct peer *peer = &self->peer;
	unsigned int bit;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	open_cookie(peer, "mss 1460");
	expect_counters(peer, "sent_cookie 1");
	for (bit = 0; bit < 32; bit++) {
		u32 ack = 1 + (1U << bit);

		peer_label(peer, "bit %u of the ACK", bit);
		peer_send(peer, ". 1 ack %d", (int)ack);
		expect(peer, "R %d win 0 <>", (int)ack);
	}
	expect_counters(peer, "native_bad_cookie 32");
	for (bit = 0; bit < 32; bit++) {
		peer_label(peer, "bit %u of the number", bit);
		peer_send(peer, ". %d ack 1", (int)(1 + (1U << bit)));
		expect(peer, "R 1 win 0 <>");
	}
	expect_counters(peer, "native_bad_cookie 32");
	expect_no_accept(peer);
	/* of another port */
	peer->header.sport += 1000;
	peer_send(peer, ". 1 ack 1");
	expect(peer, "R 1 win 0 <>");
	peer->header.sport -= 1000;
	expect_counters(peer, "native_bad_cookie 1");
	close(finish(peer));
}

TEST_F(wire, CK8_neither_RST_nor_SYN_completes)
{
	struct peer *peer = &self->peer;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	open_cookie(peer, "mss 1460");
	expect_counters(peer, "sent_cookie 1");
	peer_send(peer, "R. 1 ack 1");
	expect_silence(peer);
	peer_send(peer, "R 1");
	expect_silence(peer);
	peer_send(peer, "S. 1 ack 1");
	expect_reset(peer, "1");
	peer_send(peer, "- 1");
	expect_silence(peer);
	expect_no_accept(peer);
	expect_no_counters(peer);
	close(finish(peer));
}

/* What is not to reach a request gets none. */
TEST_F(wire, AU2_IP5_CK8_what_the_listener_refuses_completes_nothing)
{
	bool v4 = variant->family == AF_INET;
	struct peer *peer = &self->peer;
	int ttl = 60;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	open_cookie(peer, "mss 1460");
	expect_counters(peer, "sent_cookie 1");
	peer_send(peer,
		  ". 1 ack 1 <raw 131200112233445566778899aabbccddeeff>");
	expect_silence(peer);
	expect_counters(peer, "native_md5 1");
	setsockopt(peer->listener, v4 ? IPPROTO_IP : IPPROTO_IPV6,
		   v4 ? IP_MINTTL : IPV6_MINHOPCOUNT, &ttl, sizeof(ttl));
	peer_send(peer, ". 1 ack 1 ttl 59");
	expect_silence(peer);
	expect_no_accept(peer);
	expect_counters(peer, "native_min_ttl 1");
	close(finish(peer));
}

TEST_F(wire, CK8_a_FIN_may_bring_it_back)
{
	struct peer *peer = &self->peer;
	char data[8];
	int fd;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	open_cookie(peer, "mss 1460");
	peer_send(peer, "F. 1 ack 1");
	expect(peer, ". 1 ack 2");
	fd = expect_accept(peer);
	EXPECT_EQ(0, read(fd, data, sizeof(data)));
	close(fd);
	expect(peer, "F. 1 ack 2");
}

TEST_F(wire, CK10_a_cookie_can_be_used_again_as_with_the_native_stack)
{
	struct peer *peer = &self->peer;
	int i;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	open_cookie(peer, "mss 1460");
	for (i = 0; i < 2; i++) {
		int fd = finish(peer);

		peer_send(peer, "R 1");
		close(fd);
		sleep_ms(10000);
	}
	expect_counters(peer, "sent_cookie 1; cookies_received 2; "
			"flows_opened 2; flows_handed_over 2");
}

TEST_F(wire, CK12_no_round_trip_and_no_saved_SYN)
{
	struct peer *peer = &self->peer;
	socklen_t len;
	int one = 1;
	char syn[128];
	int fd;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	setsockopt(peer->listener, IPPROTO_TCP, TCP_SAVE_SYN, &one,
		   sizeof(one));
	open_cookie(peer, "mss 1460");
	sleep_ms(300);
	fd = finish(peer);
	EXPECT_EQ(0, info_of(fd).tcpi_rtt);
	EXPECT_EQ(0, info_of(fd).tcpi_total_retrans);
	len = sizeof(syn);
	getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len);
	EXPECT_EQ(0, len);
	close(fd);
}

TEST_F(wire, CK13_after_a_lost_ACK_data_of_the_client_repair_it)
{
	struct peer *peer = &self->peer;
	int fd;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	open_cookie(peer, "mss 1460");
	expect_silence_ms(peer, 20000);
	expect_no_accept(peer);
	peer_send(peer, "P. 1(10) ack 1");
	expect(peer, ". 1 ack 11");
	fd = expect_accept(peer);
	expect_stream(peer, fd, 1, 10);
	close(fd);
}

TEST_F(wire, CK14_data_on_the_ACK_are_delivered)
{
	struct peer *peer = &self->peer;
	int fd;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	open_cookie(peer, SYN_OPTIONS);
	peer_send(peer, "P. 1(1000) ack 1 <nop,nop,TS val 1001 ecr ^>");
	expect(peer, ". 1 ack 1001");
	fd = expect_accept(peer);
	expect_stream(peer, fd, 1, 1000);
	close(fd);
}

TEST_F(wire, CK7_the_window_shift_that_was_sent_is_the_one_that_holds)
{
	struct peer *peer = &self->peer;
	struct tcp_info info;
	const u8 *option;
	int fd, shift = -1;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	open_cookie(peer, SYN_OPTIONS);
	if (check(peer, packet_option(&peer->latest, 3, &option) == 3,
		  "no window scale"))
		shift = option[2];
	/* less memory needs a smaller shift */
	sysctl_set("net/ipv4/tcp_rmem", "4096 65536 131072");
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
	fd = expect_accept(peer);
	info = info_of(fd);
	check(peer, info.tcpi_rcv_wscale == shift, "shift %d, sent was %d",
	      info.tcpi_rcv_wscale, shift);
	close(fd);
}

TEST_F(wire, LM2_a_full_accept_queue_takes_no_cookie_in_silence)
{
	struct peer *peer = &self->peer;
	struct threeway_policy policy = {
		.set = THREEWAY_P_COOKIES,
		.cookies = THREEWAY_COOKIES_ALWAYS,
	};
	struct flow late;
	int i;

	peer_listen(peer, 1);
	peer_claim(peer, &policy);
	open_cookie(peer, "mss 1460");
	late = peer_park(peer);
	for (i = 0; i < 2; i++) {
		open_cookie(peer, "mss 1460");
		peer_send(peer, ". 1 ack 1");
	}
	expect_counters(peer, "sent_cookie 3; cookies_received 2; "
			"flows_opened 2; flows_handed_over 2");
	peer_resume(peer, late);
	peer_send(peer, ". 1 ack 1");
	expect_silence(peer);
	expect_counters(peer, "cookies_received 1; "
			"segment_accept_queue_full 1");
	close(expect_accept(peer));
	close(finish(peer));
}

TEST_F(wire, LM10_TIME_WAIT_needs_no_cookie)
{
	struct peer *peer = &self->peer;
	int fd;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	open_cookie(peer, "mss 1460");
	fd = finish(peer);
	close(fd);
	expect(peer, "F. 1 ack 1");
	peer_send(peer, "F. 1 ack 2");
	expect(peer, ". 2 ack 2");
	expect_counters(peer, "sent_cookie 1; cookies_received 1; "
			"flows_opened 1; flows_handed_over 1");
	peer->irs += 1000;
	peer->iss_known = false;
	peer_syn(peer, "mss 1460");
	expect_flow(peer, true);
	expect_counters(peer, "flows_opened 1; sent_synack 1");
}

TEST_F(wire, MI5_native_counters_tell_of_cookies)
{
	struct mib before, after;
	struct peer *peer = &self->peer;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	mib_read(peer, &before);
	open_cookie(peer, "mss 1460");
	peer_send(peer, ". 1 ack 2");
	expect_reset(peer, "2");
	close(finish(peer));
	mib_read(peer, &after);
	EXPECT_EQ(1, mib_change(&before, &after, "TcpExt SyncookiesSent"));
	EXPECT_EQ(1, mib_change(&before, &after, "TcpExt SyncookiesRecv"));
	EXPECT_EQ(1, mib_change(&before, &after, "TcpExt SyncookiesFailed"));
	EXPECT_EQ(1, mib_change(&before, &after,
				"TcpExt TCPReqQFullDoCookies"));
}

/* The ACK waits until LOCAL_OUT is there for the replay, and comes again. */
TEST_F_TIMEOUT(wire, MI5_HO13_an_ACK_that_waits_is_counted_once, 120)
{
	const struct sched_param urgent = { 1 }, ordinary = {};
	struct mib before, after;
	struct peer *peer = &self->peer;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	/* until LOCAL_OUT has gone */
	sleep_ms(62000);
	mib_read(peer, &before);
	open_cookie(peer, "mss 1460");
	/* all of it before the hook is there */
	sched_setscheduler(0, SCHED_FIFO, &urgent);
	peer_ip_options(peer, true);
	peer_send(peer, ". 1 ack 1");
	peer_send(peer, "P. 1(10) ack 1");
	peer_send(peer, "P. 11(10) ack 1");
	peer_ip_options(peer, false);
	sched_setscheduler(0, SCHED_OTHER, &ordinary);
	expect(peer, ". 1 ack 11");
	expect(peer, ". 1 ack 21");
	close(expect_accept(peer));
	mib_read(peer, &after);
	expect_counters(peer, "sent_cookie 1; cookies_received 1; "
			"flows_opened 1; flows_handed_over 1; "
			"handoff_replayed 1");
	EXPECT_EQ(1, mib_change(&before, &after, "TcpExt SyncookiesRecv"));
}

/* Only a socket with a hash can take another path, or label, after timeouts. */
TEST_F_TIMEOUT(wire, CK3_HO22_connections_change_their_path, 60)
{
	struct mib before, after;
	struct peer *peer = &self->peer;
	int fd;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	open_cookie(peer, "mss 1460");
	fd = finish(peer);
	mib_read(peer, &before);
	EXPECT_EQ(5, send(fd, "hello", 5, 0));
	peer_watch(peer, 10000);
	mib_read(peer, &after);
	EXPECT_LT(0, mib_change(&before, &after, "TcpExt TcpTimeoutRehash"));
	close(fd);
}

/* Whoever never got a cookie cannot bring one back. */
TEST_F(wire, CK3_an_ACK_is_looked_at_only_after_cookies_were_sent)
{
	struct peer *peer = &self->peer;

	serve(peer, THREEWAY_COOKIES_ALWAYS);
	peer_flow(peer);
	peer_send(peer, ". 1 ack =12345");
	expect(peer, "R =12345 win 0 <>");
	expect_no_counters(peer);
}

TEST_HARNESS_MAIN
