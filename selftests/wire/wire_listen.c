// SPDX-License-Identifier: GPL-2.0
/*
 * Segments without a flow: to a claimed port where someone listens, and to one
 * where nobody does (rules CL, LI, FL, LM2).
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "wire.h"

/* Each segment to a flow of its own; whatever comes back is noted. */
struct probe {
	const char *flags;
	u32 ack;
	unsigned int data;
	const char *rest;
};

static void send_probe(struct peer *peer, const struct probe *probe)
{
	peer_flow(peer);
	/* No kernel number is known: ack counts from 0. */
	peer_label(peer, "%s data %u ack %u %s", probe->flags, probe->data,
		   probe->ack, probe->rest ? probe->rest : "");
	if (strchr(probe->flags, '.'))
		peer_send(peer, "%s 0(%u) ack %u %s", probe->flags,
			  probe->data, probe->ack,
			  probe->rest ? probe->rest : "");
	else
		peer_send(peer, "%s 0(%u) %s", probe->flags, probe->data,
			  probe->rest ? probe->rest : "");
}

TEST_F(wire, LI1_RST_is_ignored)
{
	static const char * const flags[] = { "R", "R.", "SR", "SR.", "FR" };
	struct peer *peer = &self->peer;
	unsigned int i, data;

	peer_serve(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		for (data = 0; data <= 3; data += 3) {
			struct probe probe = { flags[i], 34, data, NULL };

			send_probe(peer, &probe);
			expect_silence(peer);
		}
	}
	EXPECT_EQ(0, peer_flows(peer, NULL));
	expect_counters(peer, "%s", "");
	/* The listener is as it was. */
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_counters(peer, "flows_opened 1; sent_synack 1");
}

TEST_F(wire, LI2_ACK_gets_a_RST)
{
	static const char * const flags[] = {
		".", "S.", "F.", "P.", "U.", "SF.", "SFPU."
	};
	static const u32 acks[] = { 34, 0, 0xffffffff };
	struct peer *peer = &self->peer;
	unsigned int i, k;

	peer_serve(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		for (k = 0; k < 2 * ARRAY_SIZE(acks); k++) {
			struct probe probe = {
				flags[i], acks[k / 2], k % 2 * 3, NULL
			};

			send_probe(peer, &probe);
			expect(peer, "R =%u win 0 urg 0 <>", probe.ack);
			expect_silence_ms(peer, 10);
		}
	}
	EXPECT_EQ(0, peer_flows(peer, NULL));
	expect_counters(peer, "%s", "");
}

TEST_F(wire, LI3_SYN_gets_one_SYN_ACK)
{
	static const u32 irs[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff };
	struct peer *peer = &self->peer;
	struct threeway_flow flow;
	unsigned int i;

	peer_serve(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(irs); i++) {
		peer_flow(peer);
		peer->irs = irs[i];
		peer_syn(peer, "mss 1460");
		expect_silence(peer);
		peer_flows(peer, &flow);
		EXPECT_EQ(THREEWAY_SYN_RECEIVED, flow.state);
		EXPECT_EQ(irs[i] + 1, flow.rcv_nxt);
		EXPECT_EQ(peer->iss + 1, flow.snd_nxt);
		expect_counters(peer, "flows_opened 1; sent_synack 1");
		peer_send(peer, "R 1");
		expect_counters(peer, "segment_rst_exact 1; flows_reset 1");
	}
}

TEST_F(wire, LI4_SYN_FIN_is_dropped)
{
	static const char * const flags[] = { "SF", "SFP", "SFU", "SFPUEW" };
	struct peer *peer = &self->peer;
	unsigned int i;

	peer_serve(peer, NULL);
	for (i = 0; i < 2 * ARRAY_SIZE(flags); i++) {
		struct probe probe = { flags[i / 2], 0, i % 2 * 3, NULL };

		send_probe(peer, &probe);
		expect_silence(peer);
		expect_counters(peer, "segment_syn_fin 1");
	}
	EXPECT_EQ(0, peer_flows(peer, NULL));
}

TEST_F(wire, LI5_neither_SYN_RST_nor_ACK_is_dropped)
{
	static const char * const flags[] = {
		"-", "F", "U", "P", "FU", "FPU", "EW", "FPUEW"
	};
	struct peer *peer = &self->peer;
	unsigned int i;

	peer_serve(peer, NULL);
	for (i = 0; i < 2 * ARRAY_SIZE(flags); i++) {
		struct probe probe = { flags[i / 2], 0, i % 2 * 3, NULL };

		send_probe(peer, &probe);
		expect_silence(peer);
	}
	EXPECT_EQ(0, peer_flows(peer, NULL));
	expect_counters(peer, "%s", "");
}

TEST_F(wire, LI6_FL7_HO18_data_on_the_SYN_are_neither_acked_nor_delivered)
{
	static const size_t lens[] = { 1, 3, 1460, 60000 };
	struct peer *peer = &self->peer;
	unsigned int i;
	int fd;

	peer_serve(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		peer_flow(peer);
		peer_label(peer, "%zu octets", lens[i]);
		peer_send(peer, "SP 0(%zu) <mss 1460>", lens[i]);
		expect(peer, "S. 0 ack 1");
		peer_send(peer, ". 1 ack 1");
		fd = expect_accept(peer);
		expect_stream(peer, fd, 1, 0);
		peer_send(peer, "P. 1(3) ack 1");
		expect(peer, ". 1 ack 4");
		expect_stream(peer, fd, 1, 3);
		close(fd);
		expect_counters(peer, "flows_opened 1; sent_synack 1; "
				      "flows_handed_over 1");
	}
}

TEST_F(wire, LI7_FL3_FL4_FL6_odd_flags_on_a_SYN_do_not_matter)
{
	static const struct probe probes[] = {
		{ "SP", 0, 0, "" }, { "SU", 0, 0, "urg 1" },
		{ "SU", 0, 0, "urg 0" }, { "SU", 0, 3, "urg 65535" },
		{ "SPU", 0, 3, "urg 2" }, { "S", 0, 0, "urg 7" },
		{ "SE", 0, 0, "" }, { "SW", 0, 0, "" },
		{ "S", 0, 0, "res 14" }, { "S", 0, 0, "res 1" },
		{ "SP", 0, 3, "res 15" },
	};
	struct peer *peer = &self->peer;
	unsigned int i;
	int fd, mark;

	peer_serve(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		send_probe(peer, &probes[i]);
		expect(peer, "S. 0 ack 1");
		peer_send(peer, ". 1 ack 1");
		fd = expect_accept(peer);
		/* No urgent data is remembered. */
		mark = sockatmark(fd);
		check(peer, !mark, "sockatmark() is %d", mark);
		close(fd);
		expect_counters(peer, "flows_opened 1; sent_synack 1; "
				      "flows_handed_over 1");
	}
}

TEST_F(wire, LI8_IS8_old_duplicate_SYN_is_undone)
{
	struct peer *peer = &self->peer;
	u32 first;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_send(peer, "S -10");
	expect(peer, "S. 0 ack -9");
	peer_send(peer, "R -9");
	expect_silence(peer);
	expect_flow(peer, false);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "segment_rst_exact 1; flows_reset 1");
	first = peer->iss;
	peer->iss_known = false;
	peer_send(peer, "S 0");
	expect(peer, "S. 0 ack 1");
	EXPECT_NE(first, peer->iss);
	EXPECT_LT(0, (int)(peer->iss - first));
	expect_no_accept(peer);
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	expect_no_accept(peer);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "flows_handed_over 1");
}

TEST_F(wire, LI13_shutdown_and_listen_again)
{
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	EXPECT_EQ(0, shutdown(peer->listener, SHUT_RD));
	peer_flow(peer);
	peer_send(peer, "S 0");
	expect(peer, "R. =0 ack 1 win 0 <>");
	expect_counters(peer, "native_no_listener 1");
	EXPECT_EQ(0, listen(peer->listener, 16));
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_counters(peer, "flows_opened 1; sent_synack 1");
}

/* All 64 flag combinations; a SYN-ACK is answered by a RST. */
static void all_flags(struct peer *peer, const void *arg)
{
	const struct probe *common = arg;
	unsigned int flags;
	char text[8];

	/* Without "listen" there is nobody on the claimed port. */
	if (common->ack)
		peer_listen(peer, 1024);
	peer_claim(peer, NULL);
	for (flags = 0; flags < 64; flags++) {
		struct probe probe = *common;
		static const char letters[] = "FSRP.U";
		char *to = text;
		unsigned int i;

		for (i = 0; i < 6; i++) {
			if (flags & 1 << i)
				*to++ = letters[i];
		}
		strcpy(to, flags ? "" : "-");
		probe.flags = text;
		send_probe(peer, &probe);
		while (peer_receive(peer, 100))
			;
		if (peer->iss_known)
			peer_send(peer, "R 1");
	}
}

TEST_F_TIMEOUT(wire, FL1_LISTEN_all_flags_as_native, 120)
{
	static const struct probe probes[] = {
		{ "", 34, 0, "" }, { "", 34, 3, "" },
		{ "", 34, 0, "res 9 urg 3" }, { "", 34, 1460, "win 0" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		same_as_native(&self->peer, all_flags, &probes[i]);
		/* SYN without FIN, RST and ACK, with or without PSH and URG */
		EXPECT_EQ(4, peer_counter(&self->peer,
					  THREEWAY_C_flows_opened));
		EXPECT_EQ(4, peer_counter(&self->peer,
					  THREEWAY_C_segment_syn_fin));
	}
}

TEST_F_TIMEOUT(wire, FL1_CL1_CL2_CL3_CLOSED_all_flags_as_native, 120)
{
	static const struct probe probes[] = {
		{ "", 0, 0, "" }, { "", 0, 3, "" }, { "", 0, 1460, "urg 7" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		same_as_native(&self->peer, all_flags, &probes[i]);
		EXPECT_EQ(4, peer_counter(&self->peer,
					  THREEWAY_C_native_no_listener));
		EXPECT_EQ(0, peer_counter(&self->peer,
					  THREEWAY_C_flows_opened));
	}
}

TEST_F(wire, CL1_CL2_CL3_CL4_claimed_port_without_listener)
{
	static const struct {
		const char *segment;
		const char *answer;	/* NULL: none */
	} cases[] = {
		{ "R =5", NULL }, { "R =5(3)", NULL },
		{ "R. =5 ack =9", NULL }, { "R. =5(3) ack =9", NULL },
		{ "S =0", "R. =0 ack =1" }, { "S =0(3)", "R. =0 ack =4" },
		{ "SF =0", "R. =0 ack =2" }, { "SF =0(3)", "R. =0 ack =5" },
		{ "F =0", "R. =0 ack =1" }, { "F =0(3)", "R. =0 ack =4" },
		{ "- =0", "R. =0 ack =0" }, { "- =0(3)", "R. =0 ack =3" },
		{ "U =0(3)", "R. =0 ack =3" }, { "P =0(3)", "R. =0 ack =3" },
		{ ". =5 ack =9", "R =9" }, { "F. =5(3) ack =9", "R =9" },
		{ "S. =5 ack =9", "R =9" }, { "P. =5(3) ack =0", "R =0" },
		{ "S =0xffffffff(3)", "R. =0 ack =3" },
		{ "S =0xffffffff", "R. =0 ack =0" },
	};
	struct peer *peer = &self->peer;
	unsigned int i;

	peer_claim(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		peer_flow(peer);
		peer_label(peer, "%s", cases[i].segment);
		peer_send(peer, "%s <mss 1460>", cases[i].segment);
		if (cases[i].answer)
			expect(peer, "%s win 0 urg 0 <>", cases[i].answer);
		expect_silence(peer);
	}
	expect_counters(peer, "native_no_listener 4; segment_syn_fin 2");
	EXPECT_EQ(0, peer_flows(peer, NULL));
}

/* A SYN must not be answered, to an ACK native's answer counts. */
static void probe_addresses(struct peer *peer, const char *from, const char *to)
{
	inet_pton(peer->family, from, &peer->header.src);
	inet_pton(peer->family, to, &peer->header.dst);
	peer_flow(peer);
	peer_label(peer, "%s to %s", from, to);
	peer_note(peer, "probe");
	peer_send(peer, "S 0 <mss 1460>");
	while (peer_receive(peer, 100))
		check(peer, peer->latest.icmp, "the SYN was answered");
	peer_send(peer, ". 1 ack 1");
	peer_watch(peer, 300);
	/* Land: the same port as well. */
	peer->header.sport = peer->header.dport;
	peer_send(peer, "S 0 <mss 1460>");
	while (peer_receive(peer, 100))
		check(peer, peer->latest.icmp, "the SYN was answered");
}

static void bad_addresses(struct peer *peer, const void *arg)
{
	static const char * const ipv4[][2] = {
		/* source, destination */
		{ "192.0.2.2", "255.255.255.255" },
		{ "192.0.2.2", "192.0.2.255" },
		{ "192.0.2.2", "224.0.0.1" },
		{ "192.0.2.2", "127.0.0.1" },
		{ "192.0.2.2", "0.0.0.0" },
		{ "192.0.2.2", "198.51.100.1" },
		{ "255.255.255.255", "192.0.2.1" },
		{ "192.0.2.255", "192.0.2.1" },
		{ "224.0.0.1", "192.0.2.1" },
		{ "0.0.0.0", "192.0.2.1" },
		{ "0.1.2.3", "192.0.2.1" },
		{ "127.0.0.1", "192.0.2.1" },
		{ "240.0.0.1", "192.0.2.1" },
		/* land, and a source that has no route back */
		{ "192.0.2.1", "192.0.2.1" },
		{ "198.51.100.7", "192.0.2.1" },
	};
	static const char * const ipv6[][2] = {
		{ "2001:db8::2", "ff02::1" },
		{ "2001:db8::2", "ff05::2" },
		{ "2001:db8::2", "::1" },
		{ "2001:db8::2", "::" },
		{ "2001:db8::2", "::ffff:192.0.2.1" },
		{ "2001:db8::2", "2001:db8:1::1" },
		{ "ff02::1", "2001:db8::1" },
		{ "::", "2001:db8::1" },
		{ "::1", "2001:db8::1" },
		{ "::ffff:192.0.2.2", "2001:db8::1" },
		/* No martian for IPv6: answered, but on lo. */
		{ "2001:db8::1", "2001:db8::1" },
	};
	bool v4 = peer->family == AF_INET;
	unsigned int i, count = v4 ? ARRAY_SIZE(ipv4) : ARRAY_SIZE(ipv6);
	const char * const *pair;

	sysctl_set("net/ipv4/conf/all/rp_filter", "1");
	peer_serve(peer, arg);
	for (i = 0; i < count; i++) {
		pair = v4 ? ipv4[i] : ipv6[i];
		probe_addresses(peer, pair[0], pair[1]);
	}
	check(peer, !peer_flows(peer, NULL), "there are flows");
}

TEST_F_TIMEOUT(wire, CL5_IP7_IP8_IP9_bad_addresses_are_not_answered, 120)
{
	same_as_native(&self->peer, bad_addresses, NULL);
	EXPECT_EQ(variant->family == AF_INET ? 0 : 2,
		  peer_counter(&self->peer, THREEWAY_C_flows_opened));
}

static void type_of_service(struct peer *peer, const void *arg)
{
	bool v4 = peer->family == AF_INET;
	const int *listening = arg;
	unsigned int i;
	int ttl = 33;

	if (*listening) {
		peer_listen(peer, 1024);
		/* the listener's TTL is not that of what it refuses */
		setsockopt(peer->listener, v4 ? IPPROTO_IP : IPPROTO_IPV6,
			   v4 ? IP_TTL : IPV6_UNICAST_HOPS, &ttl, sizeof(ttl));
	}
	peer_claim(peer, NULL);
	for (i = 0; i < 3; i++) {
		sysctl_set("net/ipv4/tcp_reflect_tos", "%u", i % 2);
		peer_flow(peer);
		peer_label(peer, "reflect %u", i % 2);
		peer_send(peer, "S 0 tos %#x <mss 1460>", i ? 0x13 : 0xb8);
		peer_watch(peer, 100);
		peer_send(peer, ". 1 ack 77 tos 0x13");
		peer_watch(peer, 200);
		peer_send(peer, ". 0 ack 1 tos 0xb9");
		peer_watch(peer, 300);
		peer_send(peer, "R 1");
	}
}

TEST_F(wire, CL8_IP16_type_of_service_of_all_answers_as_native)
{
	static const int listening[] = { 0, 1 };

	same_as_native(&self->peer, type_of_service, &listening[0]);
	EXPECT_EQ(3, peer_counter(&self->peer,
				  THREEWAY_C_native_no_listener));
	same_as_native(&self->peer, type_of_service, &listening[1]);
	EXPECT_EQ(3, peer_counter(&self->peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(3, peer_counter(&self->peer, THREEWAY_C_sent_rst));
	EXPECT_EQ(3, peer_counter(&self->peer, THREEWAY_C_sent_ack));
}

TEST_F(wire, LM1_a_full_claim_leaves_the_SYN_to_native)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_BACKLOG,
		.backlog = 2,
	};
	struct peer *peer = &self->peer;

	sysctl_set("net/threeway/syncookies", "0");
	peer_serve(peer, &policy);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_counters(peer, "flows_opened 2; sent_synack 2");
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_counters(peer, "native_backlog_full 1");
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	/* The namespace's own limit. */
	sysctl_set("net/threeway/max_flows", "1");
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_counters(peer, "native_flow_limit 1");
	sysctl_set("net/threeway/max_flows", "3");
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_counters(peer, "native_backlog_full 1");
}

/* Which member of a group a connection goes to does not change. */
TEST_F_TIMEOUT(wire, LI10_group_member_as_native, 60)
{
	struct peer *peer = &self->peer;
	int listener[4], hits[4] = { 0 }, fd, one = 1;
	unsigned int i, k, by_engine, by_native;

	for (i = 0; i < 4; i++) {
		struct sockaddr_in6 address = {
			.sin6_family = variant->family,
			.sin6_port = htons(peer->header.dport),
		};

		listener[i] = socket(variant->family,
				     SOCK_STREAM | SOCK_NONBLOCK, 0);
		setsockopt(listener[i], SOL_SOCKET, SO_REUSEPORT, &one,
			   sizeof(one));
		ASSERT_EQ(0, bind(listener[i], (struct sockaddr *)&address,
				  variant->family == AF_INET ?
				  sizeof(struct sockaddr_in) :
				  sizeof(address)));
		ASSERT_EQ(0, listen(listener[i], 16));
	}
	for (i = 0; i < 200; i++) {
		unsigned int member[2] = { 9, 9 };

		peer_flow(peer);
		for (k = 0; k < 2; k++) {
			if (k)
				threeway_claim_del(peer->engine, peer->claim);
			else
				peer_claim(peer, NULL);
			peer->iss_known = false;
			peer_syn(peer, "mss 1460");
			peer_send(peer, ". 1 ack 1");
			for (by_native = 0; by_native < 4; by_native++) {
				fd = accept(listener[by_native], NULL, NULL);
				if (fd >= 0)
					member[k] = by_native;
				close(fd);
			}
			expect(peer, "F. 1 ack 1");
			peer_send(peer, "R 1 ack 2");
			peer_watch(peer, 0);
		}
		by_engine = member[0];
		by_native = member[1];
		check(peer, by_engine == by_native && by_engine < 4,
		      "member %u by the engine, %u by native", by_engine,
		      by_native);
		hits[by_engine % 4]++;
	}
	for (i = 0; i < 4; i++) {
		EXPECT_LT(20, hits[i]);
		close(listener[i]);
	}
	expect_counters(peer, "flows_opened 200; sent_synack 200; "
			"flows_handed_over 200");
}

/* By fq, on behalf of the listener */
static void delayed(struct peer *peer, const void *arg)
{
	int delay_us = 300000;

	(void)arg;
	run("tc qdisc replace dev tun0 root fq");
	peer_serve(peer, NULL);
	check(peer, !setsockopt(peer->listener, IPPROTO_TCP, TCP_TX_DELAY,
				&delay_us, sizeof(delay_us)), "no delay");
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460>");
	peer_watch(peer, 500);
	peer_send(peer, "R 1");
}

TEST_F(wire, HO13_SYN_ACKs_of_a_listener_with_TCP_TX_DELAY)
{
	same_as_native(&self->peer, delayed, NULL);
	expect_counters(&self->peer, "native_tx_delay 1");
}

TEST_F(wire, IP10_ports_of_0)
{
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer->header.sport = 0;
	peer_send(peer, "S 0 <mss 1460>");
	expect_silence(peer);
	expect_counters(peer, "segment_port_zero 1");
	EXPECT_EQ(0, peer_flows(peer, NULL));
	peer_flow(peer);
	peer->header.dport = 0;
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "R. =0 ack 1 win 0 <>");
	expect_counters(peer, "%s", "");
}

TEST_HARNESS_MAIN
