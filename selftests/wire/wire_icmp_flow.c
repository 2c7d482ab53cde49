// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors for flows without a socket: of a listener, and held ones; storms; and
 * what is announced to the same peer afterwards.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "quote.h"
#include "wire.h"

#define HELD_PORT	40001

/* All errors of a type and the codes up to @last. */
struct errors {
	u8 type;
	u8 last;
};

static const struct errors errors4[] = {
	{ 3, 16 }, { 4, 0 }, { 5, 1 }, { 11, 1 }, { 12, 2 },
};

static const struct errors errors6[] = {
	{ 1, 8 }, { 2, 0 }, { 3, 1 }, { 4, 3 },
};

static bool is_hard(const struct peer *peer, u8 type, u8 code)
{
	if (peer->family == AF_INET)
		return type == UNREACHABLE4 && (code == 2 || code == 3);
	return type == UNREACHABLE6 && (code == 1 || code == 4);
}

static const char *counter_of(const struct peer *peer, u8 type, u8 code)
{
	if (peer->family == AF_INET && type == QUENCH4)
		return "icmp_ignored 1";
	if (peer->family == AF_INET && type == UNREACHABLE4 && code > 15)
		return "";
	return is_hard(peer, type, code) ? "icmp_hard 1" : "icmp_soft 1";
}

/*
 * The next error of the peer's family, with a flow of its own. Begin with type
 * 0; false after the last one.
 */
static bool next_error(struct peer *peer, u8 *type, u8 *code)
{
	bool v4 = peer->family == AF_INET;
	const struct errors *errors = v4 ? errors4 : errors6;
	size_t i, n = v4 ? ARRAY_SIZE(errors4) : ARRAY_SIZE(errors6);

	for (i = 0; *type && errors[i].type != *type; i++)
		;
	if (!*type) {
		*code = 0;
	} else if (++*code > errors[i].last) {
		*code = 0;
		i++;
	}
	if (i == n)
		return false;
	*type = errors[i].type;
	peer_flow(peer);
	peer_label(peer, "type %u code %u", *type, *code);
	return true;
}

static void serve(struct peer *peer)
{
	peer_serve(peer, NULL);
	sysctl_set("net/threeway/rto_initial_ms", "60000");
	expect_no_counters(peer);
}

static void half_open(struct peer *peer)
{
	peer_syn(peer, SYN_OPTIONS);
	expect_counters(peer, "flows_opened 1; sent_synack 1");
}

static void completes(struct peer *peer)
{
	peer_send(peer, ". 1 ack 1");
	expect_silence_ms(peer, 50);
	close(expect_accept(peer));
	expect_counters(peer, "flows_handed_over 1");
}

static void one_in_syn_received(struct peer *peer, u8 type, u8 code)
{
	u64 seen = icmp_mib(peer, "InMsgs");
	u64 bad = icmp_mib(peer, "InErrors");
	u64 drops = tcp_ext("ListenDrops");
	bool hard = is_hard(peer, type, code);
	const char *counter = counter_of(peer, type, code);

	half_open(peer);
	icmp(peer, .type = type, .code = code, .rest = 1400);
	expect_flow(peer, !hard);
	expect_counters(peer, "%s%s", counter, hard ? "; flows_icmp 1" : "");
	check(peer, icmp_mib(peer, "InMsgs") == seen + 1, "InMsgs");
	check(peer, icmp_mib(peer, "InErrors") == bad || !*counter,
	      "InErrors");
	check(peer, tcp_ext("ListenDrops") == drops + hard, "ListenDrops");
	/* the program never hears of it */
	expect_no_accept(peer);
	if (hard) {
		peer->iss_known = false;
		half_open(peer);
	}
	completes(peer);
}

TEST_F_TIMEOUT(wire, IC1_IC6_ER11_only_a_hard_error_ends_SYN_RECEIVED, 120)
{
	u8 type = 0, code;

	serve(&self->peer);
	while (next_error(&self->peer, &type, &code))
		one_in_syn_received(&self->peer, type, code);
}

TEST_F(wire, IC2_SQ9_quoted_number_in_SYN_RECEIVED)
{
	struct peer *peer = &self->peer;
	struct icmp_error hard = hard_error(peer);
	u64 outside = tcp_ext("OutOfWindowIcmps");
	unsigned int i;

	serve(peer);
	half_open(peer);
	for (i = 0; i < QUOTE_OFFSETS; i++) {
		if (!quote_offsets[i])
			continue;
		peer_label(peer, "ISS + %d", quote_offsets[i]);
		hard.seq = quote_offsets[i];
		peer_icmp(peer, &hard);
		expect_flow(peer, true);
		expect_counters(peer, "icmp_out_of_window 1");
		outside++;
	}
	EXPECT_EQ(outside, tcp_ext("OutOfWindowIcmps"));
	hard.seq = 0;
	peer_icmp(peer, &hard);
	expect_flow(peer, false);
	expect_counters(peer, "icmp_hard 1; flows_icmp 1");
	EXPECT_EQ(outside, tcp_ext("OutOfWindowIcmps"));
}

/* What IPsec policy does not let in nobody listens to. */
TEST_F(wire, IC1_AU8_an_error_in_the_clear)
{
	const char *ends = self->peer.family == AF_INET ?
			   "0.0.0.0/0 dst 192.0.2.1 proto 1" :
			   "::/0 dst 2001:db8::1 proto 58";
	struct icmp_error hard = hard_error(&self->peer);
	struct peer *peer = &self->peer;

	serve(peer);
	half_open(peer);
	run("ip xfrm policy add src %s dir in tmpl proto esp mode transport",
	    ends);
	peer_icmp(peer, &hard);
	expect_flow(peer, true);
	expect_counters(peer, "%s", "");
	run("ip xfrm policy delete src %s dir in", ends);
	peer_icmp(peer, &hard);
	expect_flow(peer, false);
	expect_counters(peer, "icmp_hard 1; flows_icmp 1");
}

static void has_wrong_version(u8 *quoted)
{
	quoted[0] ^= 0x30;
}

static void is_from_another(u8 *quoted)
{
	quoted[quoted[0] >> 4 == 4 ? 15 : 23]++;
}

static void (* const unfit[])(u8 *quoted) = {
	quote_is_udp, has_wrong_version, quote_has_short_header,
	quote_has_long_header, quote_is_to_another_port, is_from_another,
};

TEST_F(wire, IC3_unfit_quotes_leave_the_flow_alone)
{
	struct peer *peer = &self->peer;
	struct icmp_error hard = hard_error(peer);
	u64 sums = icmp_mib(peer, "InCsumErrors");
	unsigned int i;

	serve(peer);
	half_open(peer);
	for (hard.octets = 1; hard.octets < QUOTE_MIN; hard.octets++)
		peer_icmp(peer, &hard);
	hard.octets = QUOTE_NOTHING;
	peer_icmp(peer, &hard);
	hard.octets = 0;
	for (i = 0; i < ARRAY_SIZE(unfit); i++) {
		hard.spoil = unfit[i];
		peer_icmp(peer, &hard);
	}
	hard.spoil = NULL;
	hard.bad_checksum = true;
	peer_icmp(peer, &hard);
	EXPECT_EQ(sums + 1, icmp_mib(peer, "InCsumErrors"));
	expect_no_counters(peer);
	completes(peer);
}

static void is_later_fragment(u8 *quoted)
{
	quoted[7] = 1;
}

TEST_F(wire, IC3_IC7_fragments_and_quenches_are_no_bad_messages)
{
	struct peer *peer = &self->peer;
	struct icmp_error hard = hard_error(peer);
	u64 bad = icmp_mib(peer, "InErrors");

	if (peer->family == AF_INET6)
		return;
	serve(peer);
	half_open(peer);
	hard.spoil = is_later_fragment;
	peer_icmp(peer, &hard);
	icmp(peer, .type = QUENCH4, .seq = 77);
	expect_counters(peer, "icmp_ignored 2");
	EXPECT_EQ(bad, icmp_mib(peer, "InErrors"));
	completes(peer);
}

TEST_F(wire, IC8_redirect_of_a_flow_without_socket)
{
	struct peer *peer = &self->peer;
	u64 bad = icmp_mib(peer, "InErrors");

	if (peer->family == AF_INET6)
		return;
	run("ip route add 192.0.2.2/32 via 192.0.2.254 dev tun0");
	serve(peer);
	half_open(peer);
	icmp(peer, .type = REDIRECT4, .code = 1, .seq = 1, .from = 254,
	     .rest = 192U << 24 | 2 << 8 | 253);
	EXPECT_TRUE(route_has(peer, "via 192.0.2.254"));
	expect_counters(peer, "icmp_out_of_window 1");
	icmp(peer, .type = REDIRECT4, .code = 1, .from = 253,
	     .rest = 192U << 24 | 2 << 8 | 252);
	EXPECT_TRUE(route_has(peer, "via 192.0.2.254"));
	icmp(peer, .type = REDIRECT4, .code = 1, .from = 254,
	     .rest = 192U << 24 | 2 << 8 | 253);
	EXPECT_TRUE(route_has(peer, "via 192.0.2.253"));
	expect_counters(peer, "icmp_soft 2");
	EXPECT_EQ(bad, icmp_mib(peer, "InErrors"));
	completes(peer);
}

TEST_F(wire, PM6_V611_too_big_for_the_SYN_ACK_changes_the_route_only)
{
	static const u32 mtus[] = { 0, 67, 1400, 1279 };
	struct peer *peer = &self->peer;
	bool v4 = peer->family == AF_INET;
	static const char data[3000];
	char words[32];
	unsigned int i;
	bool valid;
	int fd;

	/* before the first copy a program looks at each route */
	sysctl_set("net/threeway/rto_initial_ms", "4000");
	peer_serve(peer, NULL);
	half_open(peer);
	for (i = 0; i < ARRAY_SIZE(mtus); i++) {
		icmp(peer, .type = v4 ? UNREACHABLE4 : TOO_BIG6,
		     .code = v4 ? 4 : 0, .rest = mtus[i]);
		snprintf(words, sizeof(words), "mtu %u ", mtus[i]);
		valid = mtus[i] >= (v4 ? 68 : 1280);
		check(peer, route_has(peer, words) == valid, "MTU %u",
		      mtus[i]);
	}
	expect_counters(peer, "icmp_soft %zu", ARRAY_SIZE(mtus));
	/* the MSS that was offered stays (PM5) */
	expect_at(peer, 4000, v4 ? "S. 0 ack 1 <mss 1460,sackOK,TS val * ecr 1000,nop,wscale 7>" :
		  "S. 0 ack 1 <mss 1440,sackOK,TS val * ecr 1000,nop,wscale 7>");
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
	fd = expect_accept(peer);
	EXPECT_EQ(sizeof(data), send(fd, data, sizeof(data), 0));
	expect(peer, v4 ? ". 1(1227) ack 1" : ". 1(1328) ack 1");
	close(fd);
}

/* A copy takes its MSS from a new route, the next one not from a learned MTU. */
TEST_F(wire, PM6_V611_too_big_does_not_change_what_a_copy_announced)
{
	static const char * const copy =
		"S. 0 ack 1 <mss 1000,sackOK,TS val * ecr 1000,nop,wscale 7>";
	struct peer *peer = &self->peer;
	bool v4 = peer->family == AF_INET;

	peer_serve(peer, NULL);
	half_open(peer);
	peer_route(peer, "advmss 1000");
	expect_at(peer, 1000, "%s", copy);
	icmp(peer, .type = v4 ? UNREACHABLE4 : TOO_BIG6, .code = v4 ? 4 : 0,
	     .rest = 1400);
	check(peer, route_has(peer, "mtu 1400 "), "no MTU learned");
	expect_counters(peer, "sent_synack_timer 1; icmp_soft 1");
	expect_at(peer, 3000, "%s", copy);
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
	close(expect_accept(peer));
}

/* What an error tells about the path, and whose segment it quotes. */
struct narrow {
	u32 mtu;
	enum { CONNECTING, HALF_OPEN, ACCEPTED } whose;
};

/* The native stack learns nothing for a connection that is half open. */
static void learn_path(struct peer *peer, const struct narrow *narrow)
{
	bool connects = narrow->whose == CONNECTING;
	bool accepts = narrow->whose == ACCEPTED ||
		       (narrow->whose == HALF_OPEN && peer->engine < 0);
	bool v4 = peer->family == AF_INET;
	int fd = -1;

	if (connects) {
		fd = client_open(peer);
	} else {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
		if (accepts) {
			peer_send(peer, ". 1 ack 1");
			fd = expect_accept(peer);
			send(fd, "hello", 5, 0);
			expect(peer, "P. 1(5) ack 1");
		}
	}
	icmp(peer, .type = v4 ? UNREACHABLE4 : TOO_BIG6, .code = v4 ? 4 : 0,
	     .rest = narrow->mtu, .seq = accepts);
	peer_send(peer, connects ? "R. 1 ack 1" : "R 1");
	close(fd);
}

/*
 * By RFC 9293 section 3.7.1 the path should not matter, but natively it does once
 * it is known. A handshake that begins then has the native MSS.
 */
static void next_handshakes(struct peer *peer, const void *arg)
{
	struct transcript *transcript = peer->transcript;
	u16 port = peer->header.dport;
	int fd;

	peer_serve(peer, NULL);
	client_claim(peer, NULL);
	peer->transcript = NULL;
	learn_path(peer, arg);
	peer->transcript = transcript;
	peer->header.dport = port;
	peer_flow(peer);
	peer_note(peer, "learned: %d", route_has(peer, " mtu "));
	peer_syn(peer, SYN_OPTIONS);
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
	fd = expect_accept(peer);
	peer_note_info(peer, fd);
	peer_send(peer, "R 1");
	close(fd);
	fd = client_open(peer);
	peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	expect(peer, ". 1 ack 1");
	client_note(peer, fd);
	client_close(peer, fd);
}

TEST_F(wire, PM5_MSS_of_the_next_handshakes_after_too_big_as_native)
{
	static const u32 mtus[] = { 600, 1280, 1400 };
	struct narrow narrow;
	unsigned int i;

	for (i = 0; i < 3 * ARRAY_SIZE(mtus); i++) {
		narrow.mtu = mtus[i / 3];
		narrow.whose = i % 3;
		same_as_native(&self->peer, next_handshakes, &narrow);
		EXPECT_EQ(3, peer_counter(&self->peer,
					  THREEWAY_C_flows_opened));
	}
}

TEST_F(wire, PM6_ip_no_pmtu_disc_is_obeyed)
{
	static const bool wanted[] = { true, false, false, true };
	struct peer *peer = &self->peer;
	char words[32];
	unsigned int i;

	if (peer->family == AF_INET6)
		return;
	serve(peer);
	half_open(peer);
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		sysctl_set("net/ipv4/ip_no_pmtu_disc", "%u", i);
		icmp(peer, .type = UNREACHABLE4, .code = 4, .rest = 1400 - i);
		snprintf(words, sizeof(words), "mtu %u ", 1400 - i);
		check(peer, route_has(peer, words) == wanted[i],
		      "ip_no_pmtu_disc %u", i);
	}
	expect_counters(peer, "icmp_soft 4");
	completes(peer);
}

TEST_F(wire, IC10_after_the_handoff_errors_are_native)
{
	struct peer *peer = &self->peer;
	struct icmp_error hard = hard_error(peer);
	u64 bad;
	int fd;

	serve(peer);
	half_open(peer);
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
	fd = expect_accept(peer);
	expect_counters(peer, "flows_handed_over 1");
	bad = icmp_mib(peer, "InErrors");
	hard.seq = 1;
	peer_icmp(peer, &hard);
	expect_no_counters(peer);
	EXPECT_EQ(bad, icmp_mib(peer, "InErrors"));
	EXPECT_EQ(5, send(fd, "hello", 5, 0));
	expect(peer, "P. 1(5) ack 1");
	close(fd);
}

#define STORM	5000

TEST_F(wire, IC13_storm)
{
	struct peer *peer = &self->peer;
	struct icmp_error soft = soft_error(peer);
	u64 start_ms, first_ms = 0, later_ms;
	unsigned int round, i;

	serve(peer);
	half_open(peer);
	for (round = 0; round < 2; round++) {
		start_ms = now_ms();
		for (i = 0; i < STORM; i++)
			peer_icmp(peer, &soft);
		later_ms = now_ms() - start_ms;
		if (!round)
			first_ms = later_ms;
	}
	EXPECT_LE(later_ms, first_ms + first_ms / 8 + 10);
	EXPECT_EQ(1, peer_flows(peer, NULL));
	expect_counters(peer, "icmp_soft %u", 2 * STORM);
	completes(peer);
}

/* An open without a socket. */
static void hold_open(struct peer *peer, u32 freeze)
{
	struct threeway_open open = {
		.key = {
			.family = peer->family,
			.local_port = htons(HELD_PORT),
			.remote_port = htons(peer->header.sport),
		},
		.policy = {
			.set = THREEWAY_P_RTO_INITIAL | THREEWAY_P_FREEZE,
			.rto_initial_ms = 60000,
			.freeze = freeze,
		},
	};
	int err;

	peer->header.dport = HELD_PORT;
	memcpy(open.key.remote, &peer->header.src, sizeof(open.key.remote));
	err = threeway_open_flow(peer->engine, &open);
	check(peer, !err, "open: %s", strerror(-err));
	expect(peer, "S 0");
	expect_counters(peer, "flows_opened 1; sent_syn 1");
}

/* And its end. */
static void hold_close(struct peer *peer)
{
	struct threeway_flow flow;

	peer_flows(peer, &flow);
	check(peer, flow.id && !threeway_flow_del(peer->engine, flow.id,
						  &flow.key), "no flow");
	peer_receive(peer, 50);
	peer_expect_counters_(peer, HERE, "flows_killed 1%s",
			      flow.state == THREEWAY_ESTABLISHED ?
			      "; sent_rst 1" : "");
}

static void one_in_syn_sent(struct peer *peer, u8 type, u8 code)
{
	bool hard = is_hard(peer, type, code);
	const char *counter = counter_of(peer, type, code);
	u64 bad = icmp_mib(peer, "InErrors");

	hold_open(peer, THREEWAY_FREEZE_NONE);
	/* everything that is not the other end of the window */
	icmp(peer, .type = type, .code = code, .rest = 1400, .seq = hard);
	expect_state(peer, hard ? THREEWAY_CLOSED : THREEWAY_SYN_SENT);
	expect_counters(peer, "%s%s", counter, hard ? "; flows_icmp 1" : "");
	check(peer, icmp_mib(peer, "InErrors") == bad || !*counter,
	      "InErrors");
	if (!hard)
		hold_close(peer);
}

TEST_F(wire, IC1_IC4_IC5_only_a_hard_error_ends_a_held_SYN_SENT)
{
	u8 type = 0, code;

	while (next_error(&self->peer, &type, &code))
		one_in_syn_sent(&self->peer, type, code);
}

static void one_in_established(struct peer *peer, u8 type, u8 code)
{
	const char *counter = counter_of(peer, type, code);
	u64 bad = icmp_mib(peer, "InErrors");

	if (is_hard(peer, type, code))
		counter = "icmp_soft 1";
	hold_open(peer, THREEWAY_FREEZE_NONE);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_counters(peer, "flows_held 1; sent_ack 1");
	icmp(peer, .type = type, .code = code, .rest = 1400, .seq = 1);
	expect_state(peer, THREEWAY_ESTABLISHED);
	expect_counters(peer, "%s", counter);
	check(peer, icmp_mib(peer, "InErrors") == bad || !*counter,
	      "InErrors");
	hold_close(peer);
}

TEST_F(wire, IC4_no_error_ends_a_held_connection)
{
	u8 type = 0, code;

	while (next_error(&self->peer, &type, &code))
		one_in_established(&self->peer, type, code);
}

static void one_in_frozen(struct peer *peer, u8 type, u8 code)
{
	const char *counter = counter_of(peer, type, code);
	bool route = peer->family == AF_INET ?
		     type == REDIRECT4 || (type == UNREACHABLE4 && code == 4) :
		     type == TOO_BIG6;

	hold_open(peer, THREEWAY_FREEZE_SYN_SENT);
	icmp(peer, .type = type, .code = code, .rest = 1400);
	expect_state(peer, THREEWAY_SYN_SENT);
	expect_counters(peer, "%s", *counter && !route ? "icmp_ignored 1" :
							 counter);
	hold_close(peer);
}

TEST_F(wire, IC4_no_error_ends_what_is_to_stay_in_SYN_SENT)
{
	u8 type = 0, code;

	while (next_error(&self->peer, &type, &code))
		one_in_frozen(&self->peer, type, code);
}

static void claim_held(struct peer *peer, u32 freeze)
{
	struct threeway_claim claim = {
		.family = peer->family,
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HOLD,
		.port_first = peer->header.dport,
		.port_last = peer->header.dport,
		.policy = {
			.set = THREEWAY_P_RTO_INITIAL | THREEWAY_P_FREEZE,
			.rto_initial_ms = 60000,
			.freeze = freeze,
		},
	};

	if (peer->claim)
		threeway_claim_del(peer->engine, peer->claim);
	check(peer, !threeway_claim_add(peer->engine, &claim), "no claim");
	peer->claim = claim.id;
}

TEST_F(wire, IC2_IC6_held_SYN_RECEIVED)
{
	struct peer *peer = &self->peer;
	struct icmp_error hard = hard_error(peer);
	struct icmp_error soft = soft_error(peer);

	claim_held(peer, THREEWAY_FREEZE_NONE);
	half_open(peer);
	peer_icmp(peer, &soft);
	hard.seq = 1;
	peer_icmp(peer, &hard);
	expect_flow(peer, true);
	expect_counters(peer, "icmp_soft 1; icmp_out_of_window 1");
	hard.seq = 0;
	peer_icmp(peer, &hard);
	expect_flow(peer, false);
	expect_counters(peer, "icmp_hard 1; flows_icmp 1");

	claim_held(peer, THREEWAY_FREEZE_SYN_RECEIVED);
	peer_flow(peer);
	half_open(peer);
	peer_icmp(peer, &soft);
	peer_icmp(peer, &hard);
	expect_flow(peer, true);
	expect_counters(peer, "icmp_ignored 2");
	hold_close(peer);
}

#define STORM	5000

static u64 storm(struct peer *peer, const struct icmp_error *error)
{
	u64 start_ms = now_ms();
	unsigned int i;

	for (i = 0; i < STORM; i++)
		peer_icmp(peer, error);
	return now_ms() - start_ms;
}

TEST_F(wire, IC13_storm_for_a_connecting_socket)
{
	struct peer *peer = &self->peer;
	struct icmp_error soft = soft_error(peer);
	struct icmp_error outside = hard_error(peer);
	u64 first_ms, later_ms;
	int fd;

	client_claim(peer, NULL);
	sysctl_set("net/threeway/icmp_soft_abort", "0");
	sysctl_set("net/threeway/rto_initial_ms", "60000");
	outside.seq = 2;
	fd = client_open(peer);
	first_ms = storm(peer, &soft);
	storm(peer, &outside);
	later_ms = storm(peer, &soft);
	EXPECT_LE(later_ms, first_ms + first_ms / 8 + 10);
	EXPECT_EQ(1, peer_flows(peer, NULL));
	peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	expect_counters(peer, "flows_opened 1; sent_syn 1; "
			"icmp_soft %u; icmp_out_of_window %u; "
			"flows_handed_over 1", 2 * STORM, STORM);
	client_exchange(peer, fd);
}

TEST_HARNESS_MAIN
