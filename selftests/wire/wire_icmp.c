// SPDX-License-Identifier: GPL-2.0
/* ICMP errors for sockets that connect. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h>

#include "client.h"
#include "quote.h"
#include "wire.h"

/* Numbers of tcpi_state. */
#define ESTABLISHED	1
#define SYN_SENT	2

#define BEGUN	"flows_opened 1; sent_syn 1; "

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT	73
#endif

/* The native stack does not hear of what is UNHEARD: it ends no connect(). */
enum weight { SOFT, HARD, UNHEARD };

struct answer {
	u8 type;
	u8 code;
	enum weight weight;
	int error;
};

static const struct answer answers4[] = {
	{ 3, 0, SOFT, ENETUNREACH },
	{ 3, 1, SOFT, EHOSTUNREACH },
	{ 3, 2, HARD, ENOPROTOOPT },
	{ 3, 3, HARD, ECONNREFUSED },
	{ 3, 5, SOFT, EOPNOTSUPP },
	{ 3, 6, SOFT, ENETUNREACH },
	{ 3, 7, SOFT, EHOSTDOWN },
	{ 3, 8, SOFT, ENONET },
	{ 3, 9, SOFT, ENETUNREACH },
	{ 3, 10, SOFT, EHOSTUNREACH },
	{ 3, 11, SOFT, ENETUNREACH },
	{ 3, 12, SOFT, EHOSTUNREACH },
	{ 3, 13, SOFT, EHOSTUNREACH },
	{ 3, 14, SOFT, EHOSTUNREACH },
	{ 3, 15, SOFT, EHOSTUNREACH },
	{ 11, 0, SOFT, EHOSTUNREACH },
	{ 11, 1, UNHEARD, EHOSTUNREACH },	/* reassembly */
	{ 12, 0, SOFT, EPROTO },
	{ 12, 2, SOFT, EPROTO },
};

static const struct answer answers6[] = {
	{ 1, 0, SOFT, ENETUNREACH },
	{ 1, 1, HARD, EACCES },
	{ 1, 2, SOFT, EHOSTUNREACH },
	{ 1, 3, SOFT, EHOSTUNREACH },
	{ 1, 4, HARD, ECONNREFUSED },
	{ 1, 5, SOFT, EACCES },
	{ 1, 6, SOFT, EACCES },
	{ 1, 7, SOFT, EPROTO },
	{ 1, 255, SOFT, EPROTO },
	{ 3, 0, SOFT, EHOSTUNREACH },
	{ 3, 1, SOFT, EHOSTUNREACH },
	{ 4, 0, SOFT, EPROTO },
	{ 4, 1, SOFT, EPROTO },
	{ 4, 2, SOFT, EPROTO },
};

static size_t answers(const struct peer *peer, const struct answer **answer)
{
	bool v4 = peer->family == AF_INET;

	*answer = v4 ? answers4 : answers6;
	return v4 ? ARRAY_SIZE(answers4) : ARRAY_SIZE(answers6);
}

/* The socket goes on as if nothing had come, and is closed. */
static void expect_unmoved(struct peer *peer, int fd, const char *counters)
{
	expect_connecting(peer, fd);
	expect_state(peer, THREEWAY_SYN_SENT);
	close(fd);
	/* the engine sees that when its timer runs */
	expect_silence_ms(peer, 1100);
	expect_counters(peer, BEGUN "flows_socket_gone 1%s", counters);
}

/* SO_ERROR would take the soft error away. */
static void expect_patient(struct peer *peer, int fd)
{
	check(peer, client_state(fd) == SYN_SENT, "state %u",
	      client_state(fd));
	expect_state(peer, THREEWAY_SYN_SENT);
}

static void expect_established(struct peer *peer, int fd)
{
	check(peer, client_state(fd) == ESTABLISHED, "state %u",
	      client_state(fd));
}

static void soft_abort(int on)
{
	sysctl_set("net/threeway/icmp_soft_abort", "%d", on);
}

TEST_F_TIMEOUT(wire, IC1_IC4_ER3_ER4_each_error_ends_connect_at_once, 120)
{
	struct peer *peer = &self->peer;
	const struct answer *answer;
	size_t i, n = answers(peer, &answer);
	u64 bad, seen;
	int fd;

	client_claim(peer, NULL);
	bad = icmp_mib(peer, "InErrors");
	for (i = 0; i < n; i++) {
		seen = icmp_mib(peer, "InMsgs");
		fd = client_open(peer);
		peer_label(peer, "type %u code %u", answer[i].type,
			   answer[i].code);
		icmp(peer, .type = answer[i].type, .code = answer[i].code);
		check(peer, icmp_mib(peer, "InMsgs") == seen + 1, "InMsgs");
		if (answer[i].weight == UNHEARD) {
			expect_unmoved(peer, fd, "; icmp_soft 1");
			continue;
		}
		expect_failed(peer, fd, answer[i].error);
		expect_state(peer, THREEWAY_CLOSED);
		expect_silence_ms(peer, 1100);
		expect_counters(peer, BEGUN "icmp_%s 1; flows_icmp 1",
				answer[i].weight == HARD ? "hard" : "soft");
		close(fd);
	}
	EXPECT_EQ(bad, icmp_mib(peer, "InErrors"));
}

static void each_error(struct peer *peer, const void *arg)
{
	const struct answer *answer;
	size_t i, n = answers(peer, &answer);
	int fd;

	(void)arg;
	client_claim(peer, NULL);
	for (i = 0; i < n; i++) {
		fd = client_open(peer);
		peer_label(peer, "type %u code %u", answer[i].type,
			   answer[i].code);
		sleep_ms(50);
		icmp(peer, .type = answer[i].type, .code = answer[i].code);
		client_note(peer, fd);
		peer_note(peer, "InMsgs %llu InErrors %llu",
			  (unsigned long long)icmp_mib(peer, "InMsgs"),
			  (unsigned long long)icmp_mib(peer, "InErrors"));
		/* the socket can be used again */
		peer_note(peer, "connect() again: %s",
			  strerror(client_connect(peer, fd)));
		peer_watch(peer, 1200);
		close(fd);
	}
}

TEST_F_TIMEOUT(wire, IC1_ER3_ER4_ER8_ER10_each_error_as_native, 120)
{
	same_as_native(&self->peer, each_error, NULL);
}

TEST_F(wire, IC2_SQ9_quoted_number_in_SYN_SENT)
{
	struct peer *peer = &self->peer;
	struct icmp_error error = hard_error(peer);
	u64 outside = tcp_ext("OutOfWindowIcmps");
	unsigned int i;
	int fd;

	client_claim(peer, NULL);
	for (i = 0; i < QUOTE_OFFSETS; i++) {
		bool inside = quote_offsets[i] == 0 || quote_offsets[i] == 1;

		fd = client_open(peer);
		peer_label(peer, "ISS + %d", quote_offsets[i]);
		error.seq = quote_offsets[i];
		peer_icmp(peer, &error);
		if (inside) {
			expect_failed(peer, fd, ECONNREFUSED);
			expect_counters(peer, BEGUN "icmp_hard 1; flows_icmp 1");
			close(fd);
		} else {
			outside++;
			expect_unmoved(peer, fd, "; icmp_out_of_window 1");
		}
		check(peer, tcp_ext("OutOfWindowIcmps") == outside,
		      "OutOfWindowIcmps");
	}
}

TEST_F(wire, IC2_SM16_quoted_number_in_a_simultaneous_open)
{
	struct peer *peer = &self->peer;
	struct icmp_error error = hard_error(peer);
	unsigned int i;
	int fd;

	client_claim(peer, NULL);
	for (i = 0; i < QUOTE_OFFSETS; i++) {
		fd = client_open(peer);
		peer_label(peer, "ISS + %d", quote_offsets[i]);
		peer_send(peer, "S 0 <" SYN_OPTIONS ">");
		expect(peer, "S. 0 ack 1");
		expect_counters(peer, BEGUN
				"segment_syn_crossed 1; sent_synack_crossed 1");
		error.seq = quote_offsets[i];
		peer_icmp(peer, &error);
		if (quote_offsets[i] == 0 || quote_offsets[i] == 1) {
			expect_failed(peer, fd, ECONNREFUSED);
			expect_state(peer, THREEWAY_CLOSED);
			expect_counters(peer, "icmp_hard 1; flows_icmp 1");
			close(fd);
			continue;
		}
		expect_state(peer, THREEWAY_SYN_RECEIVED);
		expect_counters(peer, "icmp_out_of_window 1");
		peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
		expect(peer, ". 1 ack 1");
		expect_connected(peer, fd);
		expect_counters(peer, "flows_handed_over 1");
		client_close(peer, fd);
	}
}

/* How a quote can be unfit; the numbers are of the quoted IP header. */
static void is_to_another(u8 *quoted)
{
	quoted[quoted[0] >> 4 == 4 ? 19 : 39]++;
}

static void is_from_another_port(u8 *quoted)
{
	quoted[quoted[0] >> 4 == 4 ? 21 : 41]++;
}

static void (* const unfit[])(u8 *quoted) = {
	quote_is_udp, quote_has_short_header, quote_has_long_header,
	is_to_another, is_from_another_port, quote_is_to_another_port,
};

/* A later fragment, whose octets look like the start of our segment. */
static const u8 fragment6[] = { IPPROTO_TCP, 0, 0, 8, 0, 0, 0, 1 };

static void quotes_unfit(struct peer *peer, const void *arg)
{
	struct icmp_error error = hard_error(peer);
	unsigned int i;
	int fd, octets;

	(void)arg;
	client_claim(peer, NULL);
	fd = client_open(peer);
	for (octets = QUOTE_NOTHING; octets < QUOTE_MIN; octets++) {
		if (octets) {
			error.octets = octets;
			peer_icmp(peer, &error);
		}
	}
	error.octets = 0;
	for (i = 0; i < ARRAY_SIZE(unfit); i++) {
		error.spoil = unfit[i];
		peer_icmp(peer, &error);
	}
	error.spoil = NULL;
	error.bad_checksum = true;
	peer_icmp(peer, &error);
	error.bad_checksum = false;
	if (peer->family == AF_INET6) {
		error.extension = fragment6;
		error.extension_len = sizeof(fragment6);
		error.extension_type = IPPROTO_FRAGMENT;
		peer_icmp(peer, &error);
	}
	client_note(peer, fd);
	peer_note(peer, "InMsgs %llu InErrors %llu InCsumErrors %llu",
		  (unsigned long long)icmp_mib(peer, "InMsgs"),
		  (unsigned long long)icmp_mib(peer, "InErrors"),
		  (unsigned long long)icmp_mib(peer, "InCsumErrors"));
	expect_connecting(peer, fd);
	close(fd);
	peer_watch(peer, 1100);
	expect_counters(peer, BEGUN "flows_socket_gone 1");
}

TEST_F(wire, IC3_short_foreign_and_broken_quotes_are_ignored)
{
	same_as_native(&self->peer, quotes_unfit, NULL);
}

static void is_later_fragment(u8 *quoted)
{
	quoted[7] = 1;
}

TEST_F(wire, IC3_quoted_later_fragment_is_ignored)
{
	struct peer *peer = &self->peer;
	struct icmp_error error = hard_error(peer);
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	if (peer->family == AF_INET) {
		error.spoil = is_later_fragment;
		peer_icmp(peer, &error);
		expect_unmoved(peer, fd, "; icmp_ignored 1");
	} else {
		error.extension = fragment6;
		error.extension_len = sizeof(fragment6);
		error.extension_type = IPPROTO_FRAGMENT;
		peer_icmp(peer, &error);
		expect_unmoved(peer, fd, "");
	}
}

TEST_F(wire, IC1_quoted_options_and_extension_headers_are_passed)
{
	static const u8 options4[] = { 1, 1, 1, 0 };
	static const u8 hop_by_hop[] = {
		IPPROTO_DSTOPTS, 0, 1, 4, 0, 0, 0, 0,
		IPPROTO_TCP, 0, 1, 4, 0, 0, 0, 0,
	};
	struct peer *peer = &self->peer;
	struct icmp_error error = hard_error(peer);
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	error.extension = peer->family == AF_INET ? options4 : hop_by_hop;
	error.extension_len = peer->family == AF_INET ? sizeof(options4) :
							sizeof(hop_by_hop);
	error.extension_type = IPPROTO_HOPOPTS;
	peer_icmp(peer, &error);
	expect_failed(peer, fd, ECONNREFUSED);
	expect_counters(peer, BEGUN "icmp_hard 1; flows_icmp 1");
	close(fd);
}

/* SYNs at 0 and 1 s, the end at 3 s. */
static const struct threeway_policy one_retry = {
	.set = THREEWAY_P_SYN_RETRIES,
	.syn_retries = 1,
};

TEST_F_TIMEOUT(wire, IC5_ER1_soft_errors_are_remembered_for_the_timeout, 120)
{
	struct peer *peer = &self->peer;
	const struct answer *answer;
	size_t i, n = answers(peer, &answer);
	int fd;

	client_claim(peer, &one_retry);
	soft_abort(0);
	for (i = 0; i < n; i++) {
		fd = client_open(peer);
		peer_label(peer, "type %u code %u", answer[i].type,
			   answer[i].code);
		sleep_ms(100);
		icmp(peer, .type = answer[i].type, .code = answer[i].code);
		if (answer[i].weight == HARD) {
			expect_failed(peer, fd, answer[i].error);
			expect_counters(peer, BEGUN "icmp_hard 1; flows_icmp 1");
			close(fd);
			continue;
		}
		expect_patient(peer, fd);
		expect_at(peer, 1000, "S 0");
		expect_patient(peer, fd);
		expect_silence_ms(peer, 1950);
		expect_patient(peer, fd);
		sleep_ms(100);
		expect_failed(peer, fd, answer[i].error);
		expect_counters(peer, BEGUN "sent_syn_timer 1; icmp_soft 1; "
				"flows_timed_out 1");
		close(fd);
	}
}

TEST_F(wire, IC5_connect_goes_on_after_a_soft_error)
{
	struct peer *peer = &self->peer;
	struct icmp_error soft = soft_error(peer);
	int fd;

	client_claim(peer, NULL);
	soft_abort(0);
	fd = client_open(peer);
	sleep_ms(100);
	peer_icmp(peer, &soft);
	peer_icmp(peer, &soft);
	expect_patient(peer, fd);
	expect_at(peer, 1000, "S 0");
	sleep_ms(100);
	peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	expect_counters(peer, BEGUN "sent_syn_timer 1; icmp_soft 2; "
			"flows_handed_over 1");
	client_exchange(peer, fd);

	/* crossed as well */
	fd = client_open(peer);
	peer_send(peer, "S 0 <" SYN_OPTIONS ">");
	expect(peer, "S. 0 ack 1");
	peer_icmp(peer, &soft);
	expect_state(peer, THREEWAY_SYN_RECEIVED);
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	expect_counters(peer, BEGUN "segment_syn_crossed 1; icmp_soft 1; "
			"sent_synack_crossed 1; flows_handed_over 1");
	client_close(peer, fd);
}

TEST_F(wire, IC5_a_soft_error_is_of_no_account_when_a_RST_comes)
{
	struct peer *peer = &self->peer;
	struct icmp_error soft = soft_error(peer);
	struct icmp_error bad = hard_error(peer);
	int fd;

	client_claim(peer, NULL);
	soft_abort(0);
	fd = client_open(peer);
	peer_icmp(peer, &soft);
	peer_send(peer, "R. 0 ack 1");
	expect_failed(peer, fd, ECONNREFUSED);
	expect_counters(peer, BEGUN "icmp_soft 1; segment_refused 1; "
			"flows_refused 1");
	close(fd);

	/* nor does an error that was not one end the flow as if it were */
	fd = client_open(peer);
	peer_icmp(peer, &soft);
	bad.bad_checksum = true;
	peer_icmp(peer, &bad);
	expect_unmoved(peer, fd, "; icmp_soft 1");
}

TEST_F(wire, IC7_source_quench_is_ignored)
{
	struct peer *peer = &self->peer;
	u64 bad = icmp_mib(peer, "InErrors");
	int fd;

	/* ICMPv6 has none */
	if (peer->family == AF_INET6)
		return;
	client_claim(peer, NULL);
	fd = client_open(peer);
	icmp(peer, .type = QUENCH4);
	icmp(peer, .type = QUENCH4, .seq = 2);
	expect_at(peer, 1000, "S 0");
	expect_connecting(peer, fd);
	expect_counters(peer, BEGUN "sent_syn_timer 1; icmp_ignored 2");
	EXPECT_EQ(bad, icmp_mib(peer, "InErrors"));
	close(fd);
}

#define GATEWAY(n)	(192U << 24 | 2 << 8 | (n))

static void redirected(struct peer *peer, const void *arg)
{
	static const struct {
		u8 from;
		int seq;
		u32 gateway;
	} cells[] = {
		{ 253, 0, GATEWAY(252) },	/* not the gateway */
		{ 254, 2, GATEWAY(252) },	/* not what we sent */
		{ 254, 0, GATEWAY(253) },
	};
	unsigned int i;
	int fd;

	(void)arg;
	client_claim(peer, NULL);
	run("ip route add 192.0.2.2/32 via 192.0.2.254 dev tun0");
	fd = client_open(peer);
	for (i = 0; i < ARRAY_SIZE(cells); i++) {
		icmp(peer, .type = REDIRECT4, .code = 1,
		     .rest = cells[i].gateway, .seq = cells[i].seq,
		     .from = cells[i].from);
		peer_note(peer, "via .254: %d .253: %d",
			  route_has(peer, "via 192.0.2.254"),
			  route_has(peer, "via 192.0.2.253"));
	}
	client_note(peer, fd);
	peer_watch(peer, 1200);
	check(peer, route_has(peer, "via 192.0.2.253"), "not redirected");
	peer_note(peer, "InErrors %llu",
		  (unsigned long long)icmp_mib(peer, "InErrors"));
	expect_counters(peer, BEGUN "sent_syn_timer 1; icmp_soft 2; "
			"icmp_out_of_window 1");
	close(fd);
}

TEST_F(wire, IC8_redirect_changes_the_route_only)
{
	/* neighbour discovery does it for IPv6 */
	if (self->peer.family == AF_INET)
		same_as_native(&self->peer, redirected, NULL);
}

static void guarded(struct peer *peer, const void *arg)
{
	bool v4 = peer->family == AF_INET;
	struct icmp_error hard = hard_error(peer);
	struct icmp_error soft = soft_error(peer);
	u64 before = tcp_ext("TCPMinTTLDrop");
	int most = 255, fd;

	client_claim(peer, NULL);
	if (peer->engine >= 0)
		soft_abort(!arg);
	peer_flow(peer);
	fd = client_socket(peer);
	check(peer, !setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
				v4 ? IP_MINTTL : IPV6_MINHOPCOUNT, &most,
				sizeof(most)), "no minimum TTL");
	client_connect(peer, fd);
	expect(peer, "S 0");
	hard.ttl = 254;
	hard.quoted_ttl = 254;
	soft.ttl = 254;
	soft.quoted_ttl = 254;
	peer_icmp(peer, &hard);
	peer_icmp(peer, &soft);
	client_note(peer, fd);
	expect_connecting(peer, fd);
	hard.ttl = 255;
	hard.quoted_ttl = 255;
	peer_icmp(peer, &hard);
	client_note(peer, fd);
	peer_note(peer, "TCPMinTTLDrop +%llu",
		  (unsigned long long)(tcp_ext("TCPMinTTLDrop") - before));
	expect_counters(peer, BEGUN "icmp_hard 1; flows_icmp 1");
	close(fd);
}

TEST_F(wire, IC9_minimum_TTL_of_the_socket)
{
	static const bool keep_soft = true;

	same_as_native(&self->peer, guarded, NULL);
	same_as_native(&self->peer, guarded, &keep_soft);
}

static void after_connect(struct peer *peer, const void *arg)
{
	struct icmp_error hard = hard_error(peer);
	struct icmp_error soft = soft_error(peer);
	int fd;

	(void)arg;
	client_claim(peer, NULL);
	fd = client_open(peer);
	peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	expect(peer, ". 1 ack 1");
	expect_counters(peer, BEGUN "flows_handed_over 1");
	hard.seq = 1;
	soft.seq = 1;
	peer_icmp(peer, &hard);
	peer_icmp(peer, &soft);
	expect_established(peer, fd);
	client_note(peer, fd);
	peer_note(peer, "InErrors %llu",
		  (unsigned long long)icmp_mib(peer, "InErrors"));
	expect_no_counters(peer);
	client_exchange(peer, fd);
}

TEST_F(wire, IC10_after_the_handshake_errors_are_native)
{
	same_as_native(&self->peer, after_connect, NULL);
}

static void note_queue(struct peer *peer, int fd)
{
	char control[512], data[64];
	struct iovec part = { .iov_base = data, .iov_len = sizeof(data) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
	const struct sock_extended_err *error;
	struct cmsghdr *each;

	peer_note(peer, "queue: %zd octets, flags %#x", len,
		  len < 0 ? 0 : message.msg_flags);
	for (each = len < 0 ? NULL : CMSG_FIRSTHDR(&message); each;
	     each = CMSG_NXTHDR(&message, each)) {
		error = (void *)CMSG_DATA(each);
		peer_note(peer, "level %d type %d: errno %u origin %u %u/%u info %u",
			  each->cmsg_level, each->cmsg_type, error->ee_errno,
			  error->ee_origin, error->ee_type, error->ee_code,
			  error->ee_info);
	}
}

static void queued(struct peer *peer, const void *arg)
{
	bool v4 = peer->family == AF_INET;
	const struct icmp_error *error = arg;
	int on = 1, fd;

	client_claim(peer, NULL);
	/* who wants errors is told of soft ones, too */
	if (peer->engine >= 0)
		soft_abort(0);
	peer_flow(peer);
	fd = client_socket(peer);
	check(peer, !setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
				v4 ? IP_RECVERR : IPV6_RECVERR, &on,
				sizeof(on)), "no queue of errors");
	client_connect(peer, fd);
	expect(peer, "S 0");
	peer_icmp(peer, error);
	note_queue(peer, fd);
	note_queue(peer, fd);
	client_note(peer, fd);
	peer_watch(peer, 1200);
	expect_state(peer, THREEWAY_CLOSED);
	close(fd);
}

TEST_F(wire, IC11_TM6_errors_are_queued_for_who_wants_them)
{
	struct peer *peer = &self->peer;
	struct icmp_error hard = hard_error(peer);
	struct icmp_error soft = soft_error(peer);

	same_as_native(peer, queued, &hard);
	same_as_native(peer, queued, &soft);
}

/*
 * A copy of the SYN. Our MSS has nothing to do with the path's MTU (RFC 9293
 * section 3.7.1), but the native one has.
 */
static void expect_own_mss(struct peer *peer)
{
	struct transcript *transcript = peer->transcript;

	peer->transcript = NULL;
	if (peer->engine < 0)
		expect_at(peer, 1000, "S 0");
	else if (peer->family == AF_INET)
		expect_at(peer, 1000, "S 0 <" CLIENT_OPTIONS(1460) ">");
	else
		expect_at(peer, 1000, "S 0 <" CLIENT_OPTIONS(1440) ">");
	peer->transcript = transcript;
}

/* A link of the path's MTU, and what is too small for the family. */
static void too_big(struct peer *peer, const void *arg)
{
	bool v4 = peer->family == AF_INET;
	const struct icmp_error *error = arg;
	static const char data[4000];
	char words[32];
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	sleep_ms(100);
	peer_icmp(peer, error);
	snprintf(words, sizeof(words), "mtu %u ", error->rest);
	peer_note(peer, "route has it: %d", route_has(peer, words));
	client_note(peer, fd);
	expect_own_mss(peer);
	peer_send(peer, "S. 0 ack 1 <" SYNACK_OPTIONS ">");
	expect(peer, ". 1 ack 1");
	check(peer, send(fd, data, sizeof(data), 0) == sizeof(data), "send()");
	peer_watch(peer, 1300);
	peer_note(peer, "InErrors %llu",
		  (unsigned long long)icmp_mib(peer, "InErrors"));
	expect_counters(peer, BEGUN "sent_syn_timer 1; %s; flows_handed_over 1",
			error->seq == 2 ? "icmp_out_of_window 1" :
					  "icmp_soft 1");
	check(peer, v4 || error->rest >= 1280 || !route_has(peer, words),
	      "a path MTU of less than IPv6 has");
	client_close(peer, fd);
}

TEST_F(wire, PM5_PM6_V611_too_big_lowers_the_path_MTU)
{
	static const u32 mtus[] = { 0, 68, 600, 1000, 1279, 1280, 1400, 9000 };
	struct peer *peer = &self->peer;
	bool v4 = peer->family == AF_INET;
	struct icmp_error error = {
		.type = v4 ? UNREACHABLE4 : TOO_BIG6,
		.code = v4 ? 4 : 0,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mtus); i++) {
		error.rest = mtus[i];
		same_as_native(peer, too_big, &error);
	}
	error.rest = 1300;
	error.seq = 2;
	same_as_native(peer, too_big, &error);
}

TEST_HARNESS_MAIN
