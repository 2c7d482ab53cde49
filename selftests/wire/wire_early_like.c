// SPDX-License-Identifier: GPL-2.0
/*
 * What an early SYN-ACK has in its header, and when there is none, as natively:
 * the type of service, mark and priority, a full accept queue, an IPsec policy
 * (rules AU8, CK1, IP16, IP17, LM2).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "early.h"
#include "mib.h"
#include "wire.h"

#define MARK		7
#define OTHER_MARK	9
#define PRIORITY	5

/* Each mark and priority shows as a TTL of its own, whatever the packet's way. */
static void tell_marks(struct peer *peer)
{
	bool v4 = peer->family == AF_INET;
	const char *ttl = v4 ? "ip ttl" : "ip6 hoplimit";

	run("nft 'table netdev tell { chain out { "
	    "type filter hook egress devices = { tun0, tap0 } priority 0; "
	    "meta mark %d %s set 107; meta mark %d %s set 109; "
	    "meta mark 0 meta priority 0:%d %s set 150; "
	    "meta mark %d meta priority 0:%d %s set 157; }; }'",
	    MARK, ttl, OTHER_MARK, ttl, PRIORITY, ttl, MARK, PRIORITY, ttl);
}

/* Who marks a SYN, before the engine's first hook or behind it. */
enum marked { UNMARKED, BY_DEVICE, BY_RULE };

/* Those that match. */
static void mark_syns(enum marked marked, const char *which)
{
	if (marked == BY_DEVICE)
		run("nft 'table netdev marks { chain in { "
		    "type filter hook ingress device tap0 priority 0; "
		    "%s meta mark set %d; }; }'", which, OTHER_MARK);
	if (marked == BY_RULE)
		run("nft 'table inet marks { chain in { "
		    "type filter hook prerouting priority mangle; "
		    "iif tap0 %s meta mark set %d; }; }'", which, OTHER_MARK);
}

static void no_marks(enum marked marked)
{
	if (marked != UNMARKED)
		run("nft delete table %s marks",
		    marked == BY_DEVICE ? "netdev" : "inet");
}

/**
 * struct likeness - what decides about the header of a SYN-ACK
 * @what:	in words
 * @tos:	of the listener
 * @syn_tos:	of the SYN
 * @reflect:	tcp_reflect_tos
 * @mark:	SO_MARK of the listener
 * @priority:	its SO_PRIORITY
 * @marked:	who marks the SYN
 * @accept:	tcp_fwmark_accept
 * @want_tos:	of the SYN-ACK
 * @want_ttl:	likewise, by tell_marks()
 */
struct likeness {
	const char *what;
	int tos;
	u8 syn_tos;
	bool reflect;
	int mark;
	int priority;
	enum marked marked;
	bool accept;
	u8 want_tos, want_ttl;
};

static const struct likeness types_of_service[] = {
	{ "nothing", .want_ttl = 64 },
	{ "of the socket", .tos = 0x20, .want_tos = 0x20, .want_ttl = 64 },
	{ "of the SYN, not reflected", .syn_tos = 0xb8, .want_ttl = 64 },
	{ "of the SYN", .syn_tos = 0xb8, .reflect = true, .want_tos = 0xb8,
	  .want_ttl = 64 },
	{ "of both", .tos = 0x20, .syn_tos = 0xb8, .reflect = true,
	  .want_tos = 0xb8, .want_ttl = 64 },
	{ "of the socket, reflected", .tos = 0x20, .reflect = true,
	  .want_ttl = 64 },
	{ "without the mark of congestion", .syn_tos = 0xba, .reflect = true,
	  .want_tos = 0xb8, .want_ttl = 64 },
};

static const struct likeness marks[] = {
	{ "of the socket", .mark = MARK, .want_ttl = 107 },
	{ "priority", .priority = PRIORITY, .want_ttl = 150 },
	{ "of the socket, and priority", .mark = MARK, .priority = PRIORITY,
	  .want_ttl = 157 },
	{ "of a SYN's device", .marked = BY_DEVICE, .want_ttl = 64 },
	{ "of a SYN's rule", .marked = BY_RULE, .want_ttl = 64 },
	{ "of both", .mark = MARK, .marked = BY_DEVICE, .want_ttl = 107 },
};

/* All the same for listeners that take marks: flows are late then. */
static const struct likeness accepted[] = {
	{ "no mark", .accept = true, .want_ttl = 64 },
	{ "of the socket", .mark = MARK, .accept = true, .want_ttl = 107 },
	{ "of both", .mark = MARK, .marked = BY_DEVICE, .accept = true,
	  .want_ttl = 107 },
};

/* The answer has the SYN's mark, which the early path may not know. */
static const struct likeness taken[] = {
	{ "of a SYN's device", .marked = BY_DEVICE, .accept = true,
	  .want_ttl = 109 },
	{ "of a SYN's rule", .marked = BY_RULE, .accept = true,
	  .want_ttl = 109 },
};

static void apply(struct peer *peer, const struct likeness *like)
{
	bool v4 = peer->family == AF_INET;

	peer_label(peer, "%s", like->what);
	check(peer, !setsockopt(peer->listener, v4 ? IPPROTO_IP : IPPROTO_IPV6,
				v4 ? IP_TOS : IPV6_TCLASS, &like->tos,
				sizeof(like->tos)) &&
		    !setsockopt(peer->listener, SOL_SOCKET, SO_MARK,
				&like->mark, sizeof(like->mark)) &&
		    !setsockopt(peer->listener, SOL_SOCKET, SO_PRIORITY,
				&like->priority, sizeof(like->priority)),
	      "options of the listener");
	sysctl_set("net/ipv4/tcp_reflect_tos", "%d", like->reflect);
	sysctl_set("net/ipv4/tcp_fwmark_accept", "%d", like->accept);
	mark_syns(like->marked, "");
	peer->header.tos = like->syn_tos;
}

/* The answer to the latest SYN, which left by tap0 if @early, else by tun0. */
static void expect_like(struct peer *peer, const struct likeness *like,
			const char *who, bool early)
{
	struct packet answer;

	if (early) {
		if (!check(peer, early_answer(peer, &answer), "%s: none", who))
			return;
	} else {
		no_more(peer);
		if (!check(peer, peer_receive(peer, PEER_ANSWER_MS), "%s: none",
			   who))
			return;
		answer = peer->latest;
	}
	check(peer, answer.flags == (FLAG_SYN | FLAG_ACK), "%s: flags %#x", who,
	      answer.flags);
	check(peer, answer.tos == like->want_tos, "%s: tos %#x, not %#x", who,
	      answer.tos, like->want_tos);
	check(peer, answer.ttl == like->want_ttl, "%s: ttl %u, not %u", who,
	      answer.ttl, like->want_ttl);
}

static void syn(struct peer *peer, const struct likeness *like)
{
	peer_flow(peer);
	peer_label(peer, "%s", like->what);
	usual(peer, "S 0 <mss 1460>");
}

/* Three SYNs: to the native listener, to the late path and to the early one. */
static void play(struct peer *peer, enum answer by, const struct likeness *like,
		 bool early)
{
	apply(peer, like);
	syn(peer, like);
	expect_like(peer, like, "native", false);
	expect_no_counters(peer);
	peer_claim(peer, &policies[by]);
	syn(peer, like);
	expect_like(peer, like, "late", false);
	syn(peer, like);
	expect_like(peer, like, early ? "early" : "late again", early);
	expect_answers(peer, by, 2, early);
	check(peer, !threeway_claim_del(peer->engine, peer->claim),
	      "the claim stays");
	no_marks(like->marked);
}

static void like_native(struct peer *peer, enum answer by,
			const struct likeness *cases, unsigned int count,
			bool early)
{
	unsigned int i;

	tap = tap_open(peer);
	tell_marks(peer);
	/* what a flow says a cookie of the native stack says as well */
	sysctl_set("net/ipv4/tcp_syncookies", "%d", by == COOKIE ? 2 : 0);
	peer_listen(peer, 1024);
	for (i = 0; i < count; i++)
		play(peer, by, &cases[i], early);
}

TEST_F(wire, IP16_type_of_service_of_early_cookies_as_native)
{
	like_native(&self->peer, COOKIE, types_of_service,
		    ARRAY_SIZE(types_of_service), true);
}

TEST_F(wire, IP16_type_of_service_of_early_flows_as_native)
{
	like_native(&self->peer, FLOW, types_of_service,
		    ARRAY_SIZE(types_of_service), true);
}

TEST_F(wire, IP17_mark_and_priority_of_early_cookies_as_native)
{
	like_native(&self->peer, COOKIE, marks, ARRAY_SIZE(marks), true);
}

TEST_F(wire, IP17_mark_and_priority_of_early_flows_as_native)
{
	like_native(&self->peer, FLOW, marks, ARRAY_SIZE(marks), true);
}

TEST_F(wire, IP17_early_cookies_where_marks_are_taken)
{
	like_native(&self->peer, COOKIE, accepted, ARRAY_SIZE(accepted), true);
}

TEST_F(wire, IP17_cookies_with_the_mark_of_the_SYN_are_late)
{
	like_native(&self->peer, COOKIE, taken, ARRAY_SIZE(taken), false);
}

TEST_F(wire, IP17_flows_are_late_where_marks_are_taken)
{
	like_native(&self->peer, FLOW, accepted, ARRAY_SIZE(accepted), false);
}

TEST_F(wire, IP17_flows_with_the_mark_of_the_SYN_are_late)
{
	like_native(&self->peer, FLOW, taken, ARRAY_SIZE(taken), false);
}

/* A mark that only some SYNs have: it counts, whatever the SYN before had. */
TEST_F(wire, IP17_cookies_for_SYNs_of_which_some_are_marked)
{
	static const struct likeness plain = { "unmarked", .want_ttl = 64 };
	static const struct likeness marked = { "marked", .want_ttl = 109 };
	struct peer *peer = &self->peer;

	serve(peer, COOKIE);
	tell_marks(peer);
	mark_syns(BY_DEVICE, variant->family == AF_INET ? "ip ttl 33" :
							  "ip6 hoplimit 33");
	sysctl_set("net/ipv4/tcp_fwmark_accept", "1");
	syn(peer, &plain);
	expect_like(peer, &plain, "the first", false);
	syn(peer, &plain);
	expect_like(peer, &plain, "the second", true);
	peer->header.ttl = 33;
	syn(peer, &marked);
	expect_like(peer, &marked, "the third", false);
	expect_answers(peer, COOKIE, 3, 1);
}

/* So much has the native stack counted for a SYN that it did not answer. */
static void expect_overflow(struct peer *peer, const char *who)
{
	struct mib before, after;

	mib_read(peer, &before);
	peer_flow(peer);
	peer_label(peer, "%s", who);
	usual(peer, "S 0 <mss 1460>");
	no_more(peer);
	expect_silence(peer);
	mib_read(peer, &after);
	check(peer, mib_change(&before, &after, "TcpExt ListenOverflows") == 1,
	      "ListenOverflows");
	check(peer, mib_change(&before, &after, "TcpExt ListenDrops") == 1,
	      "ListenDrops");
	check(peer, mib_change(&before, &after, "Tcp OutSegs") == 0, "OutSegs");
}

/* Connections that began early take all places. */
static void fill_queue(struct peer *peer, enum answer by)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		confirm(peer, "mss 1460", true);
		peer_send(peer, ". 1 ack 1");
	}
	expect_counters(peer, by == COOKIE ?
			"sent_cookie 4; sent_cookie_early 2; "
			"cookies_received 2; flows_opened 2; "
			"flows_handed_over 2" :
			"flows_opened 4; sent_synack 4; sent_synack_early 2; "
			"flows_handed_over 2");
}

static void full_queue(struct peer *peer, enum answer by)
{
	tap = tap_open(peer);
	/* nobody but the engine is to send cookies */
	sysctl_set("net/ipv4/tcp_syncookies", "%d", by == COOKIE ? 2 : 0);
	peer_listen(peer, 1);
	peer_claim(peer, &policies[by]);
	fill_queue(peer, by);
	/* flows ask the listener, even if it has just been confirmed */
	if (by == COOKIE)
		sleep_ms(20);
	expect_overflow(peer, "the first");
	expect_overflow(peer, "the second");
	expect_counters(peer, "native_accept_queue_full 2");
	check(peer, !threeway_claim_del(peer->engine, peer->claim),
	      "the claim stays");
	expect_overflow(peer, "native");
	expect_no_counters(peer);
	peer_claim(peer, &policies[by]);
	close(expect_accept(peer));
	confirm(peer, "mss 1460", true);
	expect_answers(peer, by, 2, 1);
}

TEST_F(wire, LM2_CK1_a_full_accept_queue_gets_no_early_cookie)
{
	full_queue(&self->peer, COOKIE);
}

TEST_F(wire, LM2_a_full_accept_queue_opens_no_flow_early)
{
	full_queue(&self->peer, FLOW);
}

/*
 * It has just got full: the cookie that is still sent finds no place, and no RST
 * comes of it.
 */
TEST_F(wire, LM2_CK1_an_early_cookie_for_a_queue_that_is_just_full)
{
	struct peer *peer = &self->peer;
	struct packet answer;

	tap = tap_open(peer);
	peer_listen(peer, 1);
	peer_claim(peer, &policies[COOKIE]);
	fill_queue(peer, COOKIE);
	peer_flow(peer);
	usual(peer, "S 0 <mss 1460>");
	if (!check(peer, early_answer(peer, &answer), "no cookie"))
		return;
	expect_answers(peer, COOKIE, 1, 1);
	peer->iss = answer.seq;
	peer->iss_known = true;
	peer_send(peer, ". 1 ack 1");
	expect_silence(peer);
	expect_counters(peer, "cookies_received 1; segment_accept_queue_full 1");
	/* there is room again: the next segment brings the connection */
	close(expect_accept(peer));
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	close(expect_accept(peer));
	expect_counters(peer, "cookies_received 1; flows_opened 1; "
			"flows_handed_over 1");
}

/* From now on what comes from that peer has to be encrypted; or not any more. */
static void ipsec(struct peer *peer, const char *source, bool required)
{
	bool v4 = peer->family == AF_INET;

	run("ip xfrm policy %s src %s dst %s proto 6 dport %u dir in %s",
	    required ? "add" : "delete", source,
	    v4 ? "192.0.2.1" : "2001:db8::1", peer->header.dport,
	    required ? "tmpl proto esp mode transport" : "");
}

static void in_the_clear(struct peer *peer, const struct oddity *from,
			 const char *counters)
{
	peer_flow(peer);
	frame(peer, from, "S 0 <mss 1460>");
	no_more(peer);
	expect_silence_ms(peer, 50);
	expect_counters(peer, "%s", counters);
}

/*
 * A peer that has to use IPsec gets no answer, and whoever else asks does not get
 * one early, as that would make the early path answer both.
 */
static void ipsec_required(struct peer *peer, enum answer by)
{
	static const struct oddity peers[] = {
		{ "the peer", .src4 = "192.0.2.2", .src6 = "2001:db8::2" },
		{ "another one", .src4 = "192.0.2.3", .src6 = "2001:db8::3" },
	};
	unsigned int i;

	serve(peer, by);
	for (i = 0; i < ARRAY_SIZE(peers); i++) {
		const struct oddity *who = &peers[i];
		const char *source = peer->family == AF_INET ? who->src4 :
							       who->src6;

		confirm(peer, "mss 1460", true);
		expect_answers(peer, by, 2, 1);
		ipsec(peer, source, true);
		sleep_ms(20);
		if (i) {
			confirm(peer, "mss 1460", false);
			expect_answers(peer, by, 2, 0);
		}
		peer_label(peer, "%s", who->what);
		in_the_clear(peer, who, "segment_policy 1");
		in_the_clear(peer, who, "segment_policy 1");
		ipsec(peer, source, false);
	}
	check(peer, !threeway_claim_del(peer->engine, peer->claim),
	      "the claim stays");
	ipsec(peer, peer->family == AF_INET ? "192.0.2.2" : "2001:db8::2", true);
	in_the_clear(peer, &peers[0], "");
}

TEST_F(wire, AU8_IPsec_policy_comes_before_early_cookies)
{
	ipsec_required(&self->peer, COOKIE);
}

TEST_F(wire, AU8_IPsec_policy_comes_before_early_flows)
{
	ipsec_required(&self->peer, FLOW);
}

TEST_HARNESS_MAIN
