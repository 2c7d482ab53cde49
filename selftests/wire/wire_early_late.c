// SPDX-License-Identifier: GPL-2.0
/*
 * What keeps all SYNs of a listener or a claim from the early path, and for how
 * long (rules CK1, CL2, HO15, IP5, IP7, LC9, LI11, LM1, LM5).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/xfrm.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "early.h"
#include "sockops.h"
#include "wire.h"

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

/* It allows everything, but has a say. */
static void own_ipsec_policy(struct peer *peer)
{
	bool v4 = peer->family == AF_INET;
	struct xfrm_userpolicy_info allow = {
		.sel.family = peer->family,
		.lft = {
			.soft_byte_limit = XFRM_INF,
			.hard_byte_limit = XFRM_INF,
			.soft_packet_limit = XFRM_INF,
			.hard_packet_limit = XFRM_INF,
		},
		.dir = XFRM_POLICY_IN,
		.action = XFRM_POLICY_ALLOW,
	};

	/* whoever makes a policy of it is there then */
	run("ip xfrm policy list");
	check(peer, !setsockopt(peer->listener, v4 ? IPPROTO_IP : IPPROTO_IPV6,
				v4 ? IP_XFRM_POLICY : IPV6_XFRM_POLICY, &allow,
				sizeof(allow)), "no policy");
}

static void no_ipsec_policy(struct peer *peer)
{
	bool v4 = peer->family == AF_INET;

	check(peer, !setsockopt(peer->listener, v4 ? IPPROTO_IP : IPPROTO_IPV6,
				v4 ? IP_XFRM_POLICY : IPV6_XFRM_POLICY, NULL,
				0), "the policy stays");
}

/* A program that could answer each peer in another way. */
static struct sockops start_asking(struct peer *peer)
{
	const struct bpf_insn code[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, -1),
		INSN(BPF_STX | BPF_MEM | BPF_W, 1, 2, 4, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	struct sockops ops = sockops_open(1);

	check(peer, sockops_start(&ops, code, ARRAY_SIZE(code)),
	      "no program: %s", strerror(errno));
	return ops;
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
	struct sockops asked;
	int zero = 0;

	serve(peer, by);
	confirm(peer, "mss 1460", true);
	expect_answers(peer, by, 2, 1);
	no_filter(peer);
	late_only(peer, by, "a filter of the socket");
	setsockopt(peer->listener, SOL_SOCKET, SO_DETACH_FILTER, &zero,
		   sizeof(zero));
	own_ipsec_policy(peer);
	late_only(peer, by, "an IPsec policy of the socket");
	no_ipsec_policy(peer);
	confirm(peer, "mss 1460", true);
	expect_answers(peer, by, 2, 1);
	asked = start_asking(peer);
	late_only(peer, by, "a program on socket operations");
	sockops_stop(&asked);
	sockops_close(&asked);
	confirm(peer, "mss 1460", true);
	expect_answers(peer, by, 2, 1);
	minimum_ttl(peer);
	late_only(peer, by, "a minimal TTL");
}

/* OUTPUT is asked by the late SYN-ACK: what it refuses is not sent early. */
static void refused_by_output(struct peer *peer, enum answer by)
{
	serve(peer, by);
	run("nft 'table inet guard { chain out { type filter hook output priority 0; "
	    "tcp sport %u tcp flags & syn == syn drop; }; }'",
	    peer->header.dport);
	confirm(peer, "mss 1460", false);
	expect_counters(peer, by == COOKIE ? "send_failed 2" :
					     "flows_opened 2; send_failed 2");
	run("nft delete table inet guard");
	confirm(peer, "mss 1460", true);
	expect_answers(peer, by, 2, 1);
}

TEST_F(wire, IP5_CK1_listeners_with_filters_send_no_early_cookie)
{
	filtered_are_late(&self->peer, COOKIE);
}

TEST_F(wire, IP5_LI11_listeners_with_filters_open_no_flow_early)
{
	filtered_are_late(&self->peer, FLOW);
}

TEST_F(wire, NF1_what_OUTPUT_drops_is_no_early_cookie)
{
	refused_by_output(&self->peer, COOKIE);
}

TEST_F(wire, NF1_what_OUTPUT_drops_opens_no_flow_early)
{
	refused_by_output(&self->peer, FLOW);
}

/* The pressure stays when nobody sends cookies any more, and means nothing. */
TEST_F(wire, LM4_without_cookies_there_is_no_pressure)
{
	struct threeway_policy policy = policies[FLOW];
	struct peer *peer = &self->peer;

	tap = tap_open(peer);
	policy.set |= THREEWAY_P_BACKLOG;
	policy.backlog = 2;
	peer_serve(peer, &policy);
	confirm(peer, "mss 1460", true);
	peer_flow(peer);
	usual(peer, "S 0 <mss 1460>");
	expect_counters(peer, "flows_opened 2; sent_synack 2; "
			"sent_synack_early 1; sent_cookie 1; cookies_on 1");
	sysctl_set("net/threeway/syncookies", "0");
	run("threeway flow kill all >/dev/null");
	expect_counters(peer, "flows_killed 2");
	confirm(peer, "mss 1460", true);
	expect_answers(peer, FLOW, 2, 1);
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

/**
 * struct neighbours - addresses, of which all but one are one source
 * @source:	who takes its places
 * @third:	who comes too late
 * @other:	who differs from @source in the last bit that counts
 */
struct neighbours {
	const char *source[2], *third, *other;
};

static const struct neighbours neighbours[] = {
	{ { "192.0.2.2", "192.0.2.2" }, "192.0.2.2", "192.0.2.3" },
	{ { "2001:db8::2", "2001:db8::3" }, "2001:db8:0:0:8000::4",
	  "2001:db8:0:1::2" },
};

static void syn_from(struct peer *peer, const char *source, const char *counters)
{
	inet_pton(peer->family, source, &peer->header.src);
	peer_flow(peer);
	peer_label(peer, "%s", source);
	peer_send(peer, "S 0 <mss 1460>");
	if (strstr(counters, "sent_"))
		expect(peer, "S. 0 ack 1");
	else
		expect_silence_ms(peer, 50);
	expect_counters(peer, "%s", counters);
}

/* Two places for a source; @third is what the next SYN leads to. */
static void share(struct peer *peer, enum threeway_cookies cookies,
		  const char *third)
{
	static const char * const opened = "flows_opened 1; sent_synack 1";
	const struct threeway_policy policy = {
		.set = THREEWAY_P_SOURCE_FLOWS | THREEWAY_P_COOKIES |
		       THREEWAY_P_RTO_INITIAL,
		.source_flows = 2,
		.cookies = cookies,
		.rto_initial_ms = 60000,
	};
	const struct neighbours *by = &neighbours[peer->family == AF_INET6];

	peer_serve(peer, &policy);
	/* the first SYN makes the table, and is not counted in it */
	syn_from(peer, by->source[0], opened);
	peer_send(peer, "R 1");
	expect_counters(peer, "segment_rst_exact 1; flows_reset 1");
	sleep_ms(100);
	syn_from(peer, by->source[0], opened);
	syn_from(peer, by->source[1], opened);
	syn_from(peer, by->third, third);
	syn_from(peer, by->other, opened);
	syn_from(peer, by->source[0], third);
	syn_from(peer, by->other, opened);
	syn_from(peer, by->other, third);
	/* places that become free are anybody's of that source */
	run("threeway flow kill all >/dev/null");
	expect_counters(peer, "flows_killed 4");
	syn_from(peer, by->third, opened);
	peer_send(peer, "R 1");
	expect_counters(peer, "segment_rst_exact 1; flows_reset 1");
}

TEST_F(wire, LM5_a_source_is_an_IPv4_address_or_an_IPv6_64)
{
	struct peer *peer = &self->peer;

	run("ip -%d route add default dev tun0",
	    peer->family == AF_INET ? 4 : 6);
	share(peer, THREEWAY_COOKIES_NEVER, "segment_source_rate 1");
	peer->header.dport++;
	share(peer, THREEWAY_COOKIES_AUTO, "sent_cookie 1");
}

TEST_HARNESS_MAIN
