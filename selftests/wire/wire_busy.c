// SPDX-License-Identifier: GPL-2.0
/*
 * What sockets do around a handshake: one that is in use while something arrives
 * for it, one that drops what arrives, one that is bound while it connects, one that
 * is closed with connections nobody has accepted, one that sends data in its SYN, one
 * that connects from the port of a listener, and one whose peer takes only the
 * smallest segments (rules IC12, MI7, RS7, RT1, SS1, SS11, SS16, LI9, TW7, PM10).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client.h"
#include "quote.h"
#include "wire.h"

#define PAGE	4096

/*
 * A socket that is in use as long as we like: somebody attaches a filter to it,
 * which is read with the socket locked, from a page that is not there yet.
 */
struct busy {
	int fd;
	int fault;
	void *page;
	pthread_t user;
};

static void *use(void *arg)
{
	struct busy *busy = arg;
	struct sock_fprog program = { .len = 1, .filter = busy->page };

	/* what comes in the end is no filter */
	setsockopt(busy->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		   sizeof(program));
	return NULL;
}

static void occupy(struct peer *peer, struct busy *busy, int fd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct pollfd poll_fault = { .events = POLLIN };

	busy->fd = fd;
	busy->fault = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	busy->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (unsigned long)busy->page;
	range.range.len = PAGE;
	if (busy->fault < 0 || ioctl(busy->fault, UFFDIO_API, &api) ||
	    ioctl(busy->fault, UFFDIO_REGISTER, &range)) {
		perror("# userfaultfd");
		abort();
	}
	pthread_create(&busy->user, NULL, use, busy);
	poll_fault.fd = busy->fault;
	check(peer, poll(&poll_fault, 1, 2000) == 1, "nobody uses the socket");
}

static void let_go(struct peer *peer, struct busy *busy)
{
	struct uffdio_zeropage zero = {
		.range.start = (unsigned long)busy->page,
		.range.len = PAGE,
	};

	check(peer, !ioctl(busy->fault, UFFDIO_ZEROPAGE, &zero),
	      "UFFDIO_ZEROPAGE: %s", strerror(errno));
	pthread_join(busy->user, NULL);
	munmap(busy->page, PAGE);
	close(busy->fault);
}

/* What comes for a socket in use: errors about its SYN, then a segment or not. */
struct arrival {
	const char *what;
	int errors;		/* hard ones */
	int soft;
	const char *during;
	const char *after;	/* NULL: nobody ever answers */
};

static const struct arrival arrivals[] = {
	{ "hard error, silence", 1, 0, NULL, NULL },
	{ "soft error, silence", 0, 1, NULL, NULL },
	{ "hard and soft error, silence", 1, 1, NULL, NULL },
	{ "hard error, SYN-ACK later", 1, 0, NULL, "S. 0 ack 1 <mss 1460>" },
	{ "hard error, SYN-ACK", 1, 0, "S. 0 ack 1 <mss 1460>", NULL },
	{ "hard error, RST later", 1, 0, NULL, "R. 0 ack 1" },
	{ "hard error, RST", 1, 0, "R. 0 ack 1", NULL },
};

static void arrive(struct peer *peer, const struct arrival *arrival)
{
	u64 locked = tcp_ext("LockDroppedIcmps");
	struct icmp_error hard = hard_error(peer), soft = soft_error(peer);
	struct busy busy;
	int retries = 1;
	int fd = client_begin(peer);

	peer_label(peer, "%s", arrival->what);
	peer_receive(peer, PEER_ANSWER_MS);
	setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &retries, sizeof(retries));
	occupy(peer, &busy, fd);
	if (arrival->errors)
		peer_icmp(peer, &hard);
	if (arrival->soft)
		peer_icmp(peer, &soft);
	if (arrival->during)
		peer_send(peer, "%s", arrival->during);
	peer_watch(peer, 100);
	expect_state(peer, THREEWAY_SYN_SENT);
	let_go(peer, &busy);
	peer_watch(peer, 200);
	peer_note(peer, "locked %llu",
		  (unsigned long long)(tcp_ext("LockDroppedIcmps") - locked));
	check(peer, tcp_ext("LockDroppedIcmps") != locked,
	      "the socket was not in use");
	if (arrival->after) {
		/* after a copy */
		peer_watch(peer, 1500);
		peer_send(peer, "%s", arrival->after);
	}
	peer_watch(peer, 4000);
	client_note(peer, fd);
	client_close(peer, fd);
}

static void busy_script(struct peer *peer, const void *arg)
{
	unsigned int i;

	client_claim(peer, arg);
	for (i = 0; i < ARRAY_SIZE(arrivals); i++)
		arrive(peer, &arrivals[i]);
}

TEST_F_TIMEOUT(wire, IC12_MI7_errors_for_a_socket_in_use_as_native, 120)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, busy_script, NULL);
	EXPECT_EQ(ARRAY_SIZE(arrivals),
		  peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(3, peer_counter(peer, THREEWAY_C_flows_timed_out));
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_refused));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_flows_icmp));
}

/*
 * The error that nobody could be told at once is told in the end. To ask for it
 * before would be to have been told.
 */
TEST_F(wire, IC12_the_error_is_remembered)
{
	struct peer *peer = &self->peer;
	struct icmp_error hard = hard_error(peer);
	struct busy busy;
	int retries = 1;
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &retries, sizeof(retries));
	occupy(peer, &busy, fd);
	peer_icmp(peer, &hard);
	let_go(peer, &busy);
	expect_state(peer, THREEWAY_SYN_SENT);
	expect_at(peer, 1000, "S 0");
	expect_silence_ms(peer, 1900);
	expect_state(peer, THREEWAY_SYN_SENT);
	expect_silence_ms(peer, 500);
	expect_failed(peer, fd, ECONNREFUSED);
	close(fd);
}

/* However long the socket was in use: the next SYN would be due after a second. */
TEST_F(wire, SS1_the_flow_ends_soon_after_a_socket_was_in_use)
{
	struct peer *peer = &self->peer;
	struct busy busy;
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	occupy(peer, &busy, fd);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect_silence_ms(peer, 100);
	expect_state(peer, THREEWAY_SYN_SENT);
	let_go(peer, &busy);
	expect(peer, ". 1 ack 1");
	sleep_ms(200);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "flows_opened 1; sent_syn 1; flows_handed_over 1");
	client_close(peer, fd);
}

/* A SYN-ACK that a filter of the socket drops establishes nothing. */
TEST_F(wire, SS16_a_SYN_ACK_that_the_socket_drops_is_no_handoff)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &none };
	struct peer *peer = &self->peer;
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	check(peer, !setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
				sizeof(program)), "no filter");
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect_at(peer, 1000, "S 0");
	close(fd);
	expect_silence_ms(peer, 2500);
	expect_state(peer, THREEWAY_CLOSED);
	expect_counters(peer, "flows_opened 1; sent_syn 1; sent_syn_timer 1; "
			"flows_socket_gone 1");
}

/* A look-up by the interface of before would not find it. */
TEST_F(wire, RT1_a_socket_that_is_bound_to_a_device_goes_on_connecting)
{
	struct peer *peer = &self->peer;
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	check(peer, !setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "tun0", 5),
	      "not bound: %s", strerror(errno));
	expect_at(peer, 1000, "S 0");
	expect_at(peer, 3000, "S 0");
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	sleep_ms(200);
	expect_counters(peer, "flows_opened 1; sent_syn 1; sent_syn_timer 2; "
			"flows_handed_over 1");
	client_close(peer, fd);
}

/* Connections that nobody has accepted, and the listener is closed. */
static void orphans(struct peer *peer, const void *arg)
{
	static const char * const last[] = {
		". 1 ack 1", "P. 1(5) ack 1", "F. 1 ack 1",
	};
	static const u32 acked[] = { 1, 6, 2 };
	unsigned int i;

	peer_claim(peer, arg);
	for (i = 0; i < ARRAY_SIZE(last); i++) {
		peer_listen(peer, 16);
		peer_flow(peer);
		peer_label(peer, "%s", last[i]);
		peer_syn(peer, "mss 1460");
		peer_send(peer, "%s", last[i]);
		peer_watch(peer, 200);
		close(peer->listener);
		peer->listener = -1;
		expect(peer, "R. 1 ack %u", acked[i]);
		/* it is gone: */
		peer_send(peer, ". %u ack 1", acked[i]);
		expect(peer, "R 1 win 0");
		peer_watch(peer, 2000);
	}
}

TEST_F(wire, RS7_closed_listener_resets_what_was_not_accepted)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, orphans, NULL);
	expect_counters(peer, "flows_opened 3; sent_synack 3; "
			"flows_handed_over 3");
}

/* 1000 octets in the SYN, of which the peer takes some. */
static void data_on_syn(struct peer *peer, const void *arg)
{
	static const u32 acks[] = { 1, 501, 1001, 1002, 0 };
	struct sockaddr_in6 to = { .sin6_family = peer->family };
	bool v4 = peer->family == AF_INET;
	static const char data[1000];
	unsigned int i;
	int fd;

	/* clients, and without a cookie */
	sysctl_set("net/ipv4/tcp_fastopen", "5");
	client_claim(peer, arg);
	for (i = 0; i < ARRAY_SIZE(acks); i++) {
		peer_flow(peer);
		peer_label(peer, "ack %u", acks[i]);
		fd = client_socket(peer);
		peer->opens = true;
		memset(&to, 0, sizeof(to));
		to.sin6_family = peer->family;
		to.sin6_port = htons(peer->header.sport);
		memcpy(v4 ? (void *)&((struct sockaddr_in *)&to)->sin_addr :
		       (void *)&to.sin6_addr, &peer->header.src, v4 ? 4 : 16);
		sendto(fd, data, sizeof(data), MSG_FASTOPEN,
		       (struct sockaddr *)&to,
		       v4 ? sizeof(struct sockaddr_in) : sizeof(to));
		expect(peer, "S 0(1000)");
		peer_send(peer, "S. 0 ack %u <mss 1460>", acks[i]);
		if (acks[i] < 1 || acks[i] > 1001)
			expect(peer, "R %u win 0", acks[i]);
		else if (acks[i] == 1001)
			expect(peer, ". 1001 ack 1");
		else
			expect(peer, "P. %u(%u) ack 1", acks[i],
			       1001 - acks[i]);
		peer_watch(peer, 150);
		peer_send(peer, "R 1");
		close(fd);
	}
}

TEST_F(wire, SS11_data_on_the_SYN_are_native_s)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, data_on_syn, NULL);
	/* and one more for each copy */
	EXPECT_LE(5, peer_counter(peer, THREEWAY_C_native_fast_open));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_flows_opened));
}

/* A listener's port, and a socket bound to it before. */
static int serve_and_connect_from(struct peer *peer, bool early_demux)
{
	int fd = client_socket(peer);

	sysctl_set("net/ipv4/tcp_early_demux", "%d", early_demux);
	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_label(peer, "early demux %d", early_demux);
	return fd;
}

static void stop_serving(struct peer *peer)
{
	threeway_claim_del(peer->engine, peer->claim);
	close(peer->listener);
	peer->listener = -1;
}

TEST_F(wire, LI9_the_SYN_for_a_socket_that_connects_is_its_own)
{
	struct peer *peer = &self->peer;
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = serve_and_connect_from(peer, i);
		EXPECT_EQ(EINPROGRESS, client_connect(peer, fd));
		expect(peer, "S 0");
		peer_send(peer, "S 0 <mss 1460>");
		/* the number is that of the SYN */
		expect(peer, "S. 0 ack 1");
		peer_send(peer, ". 1 ack 1");
		expect_silence(peer);
		expect_no_accept(peer);
		expect_connected(peer, fd);
		expect_counters(peer, "native_socket_owns 1");
		client_close(peer, fd);
		stop_serving(peer);
	}
}

/*
 * A socket whose SYN waits for its first data (TCP_FASTOPEN_CONNECT) has the
 * tuple of a half-open connection before any packet tells. Whatever the flow
 * hears of next is its end: a segment, one that completes the handshake, or the
 * timer.
 */
static void take_tuple(struct peer *peer, bool early_demux,
		       const char *segment, const char *answer)
{
	int one = 1, fd = serve_and_connect_from(peer, early_demux);

	peer_syn(peer, "mss 1460");
	check(peer, !setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one,
				sizeof(one)) && !client_connect(peer, fd),
	      "connect() without SYN: %s", strerror(errno));
	expect_flow(peer, true);
	if (segment) {
		peer_send(peer, "%s", segment);
		expect(peer, "%s", answer);
	} else {
		expect_silence_ms(peer, 1200);
	}
	expect_flow(peer, false);
	expect_silence(peer);
	expect_no_accept(peer);
	/* nobody else has the tuple */
	peer->iss_known = false;
	send(fd, "hello", 5, 0);
	expect(peer, "S 0(5)");
	peer_send(peer, "S. 0 ack 6 <mss 1460>");
	expect(peer, ". 6 ack 1");
	client_close(peer, fd);
	stop_serving(peer);
}

/* From then on the engine need not replay a SYN to make a request. */
static void hand_one_over(struct peer *peer)
{
	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	peer_watch(peer, 100);
	peer_send(peer, "R 1");
	stop_serving(peer);
}

TEST_F(wire, TW7_LI9_a_tuple_that_is_taken_without_a_packet)
{
	struct peer *peer = &self->peer;
	int i;

	/* without a cookie, or any word of one */
	sysctl_set("net/ipv4/tcp_fastopen", "5");
	for (i = 0; i < 4; i++) {
		take_tuple(peer, i % 2, ". 1 ack 7", "R 7 win 0");
		take_tuple(peer, i % 2, ". 1 ack 1", "R 1 win 0");
		hand_one_over(peer);
	}
	EXPECT_EQ(8, peer_counter(peer, THREEWAY_C_native_socket_owns));
	take_tuple(peer, false, NULL, NULL);
	EXPECT_EQ(8, peer_counter(peer, THREEWAY_C_native_socket_owns));
	EXPECT_EQ(9, peer_counter(peer, THREEWAY_C_flows_native_owns));
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(13, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(13, peer_counter(peer, THREEWAY_C_sent_synack));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_sent_synack_timer));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_sent_rst));
}

/* A peer that asks for segments of no use to anybody. */
static void tiny_segments(struct peer *peer, const void *arg)
{
	static const unsigned int sizes[] = { 0, 1, 47, 48, 100 };
	unsigned int least = *(const unsigned int *)arg, size, i;
	unsigned int usual = peer->family == AF_INET ? 536 : 1220;
	static const char data[3000];
	int fd;

	sysctl_set("net/ipv4/tcp_min_snd_mss", "%u", least);
	peer_serve(peer, NULL);
	client_claim(peer, NULL);
	for (i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		size = sizes[i / 2];
		if (i % 2) {
			fd = client_open(peer);
			peer_send(peer, "S. 0 ack 1 <mss %u>", size);
			expect(peer, ". 1 ack 1");
		} else {
			peer->header.dport = 80;
			peer_flow(peer);
			peer_send(peer, "S 0 <mss %u>", size);
			expect(peer, "S. 0 ack 1");
			peer_send(peer, ". 1 ack 1");
			fd = expect_accept(peer);
		}
		peer_label(peer, "MSS %u, %s", size, i % 2 ? "active" :
			   "passive");
		send(fd, data, sizeof(data), 0);
		peer_receive(peer, PEER_ANSWER_MS);
		size = size ? (size > least ? size : least) : usual;
		check(peer, peer->latest.data_len == size, "%zu octets",
		      peer->latest.data_len);
		peer_watch(peer, 150);
		peer_send(peer, "R 1");
		close(fd);
	}
}

TEST_F(wire, PM10_no_segment_is_smaller_than_tcp_min_snd_mss)
{
	static const unsigned int least[] = { 48, 500 };
	struct peer *peer = &self->peer;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(least); i++) {
		same_as_native(peer, tiny_segments, &least[i]);
		EXPECT_EQ(10, peer_counter(peer, THREEWAY_C_flows_opened));
		EXPECT_EQ(10, peer_counter(peer, THREEWAY_C_flows_handed_over));
	}
}

TEST_HARNESS_MAIN
