// SPDX-License-Identifier: GPL-2.0
/*
 * The end of the handshake: whatever segment completes it, the socket that
 * accept() returns is the one that native would have made. Each script runs with
 * and without the engine; packets, TCP_INFO, what TCP_REPAIR shows of the
 * sequence numbers, the data, and the socket options must be equal (rules SR13
 * to SR16, SR27, SR28, HO, RT8 to RT11, TS4 to TS6, WI5 to WI8, PM2, PM3).
 */
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "wire.h"

#define SYN	"S 0 <" SYN_OPTIONS ">"
#define PLAIN	"S 0 <mss 1460>"
/* Echoes the latest TSval; the SYN's own is 1000. */
#define TS(val)	" <nop,nop,TS val " #val " ecr ^>"

/**
 * struct completion - how a client completes its handshake
 * @what:	name of the case
 * @syn:	the SYN
 * @delay_ms:	from the latest SYN-ACK to what completes
 * @lost:	SYN-ACKs that do not reach the client
 * @segments:	what it sends then
 */
struct completion {
	const char *what;
	const char *syn;
	unsigned int delay_ms;
	unsigned int lost;
	const char *segments[6];
};

static void note_sequence(struct peer *peer, int fd)
{
	static const int queues[] = { TCP_SEND_QUEUE, TCP_RECV_QUEUE };
	struct tcp_repair_window window;
	socklen_t len = sizeof(window);
	int i, on = 1, off = TCP_REPAIR_OFF_NO_WP;
	u32 seq;

	check(peer, !setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)),
	      "TCP_REPAIR");
	memset(&window, 0, sizeof(window));
	getsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, &len);
	peer_note(peer, "snd_wl1 %d snd_wnd %u max_window %u rcv_wnd %u rcv_wup %d",
		  (int)(window.snd_wl1 - peer->irs), window.snd_wnd,
		  window.max_window, window.rcv_wnd,
		  (int)(window.rcv_wup - peer->irs));
	for (i = 0; i < 2; i++) {
		setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queues[i],
			   sizeof(int));
		len = sizeof(seq);
		seq = 0;
		getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, &len);
		peer_note(peer, i ? "rcv_nxt %d" : "write_seq %d",
			  (int)(seq - (i ? peer->irs : peer->iss)));
	}
	check(peer, !setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off,
				sizeof(off)), "TCP_REPAIR_OFF");
}

/* What read() returns: how much, and which octets. */
static void note_data(struct peer *peer, int fd)
{
	static u8 data[PACKET_MAX];
	ssize_t i, len = recv(fd, data, sizeof(data), MSG_DONTWAIT);
	u32 hash = 0;
	char urgent;

	for (i = 0; i < len; i++)
		hash = hash * 31 + data[i];
	peer_note(peer, "read %zd, hash %#x, then %zd, mark %d, urgent %zd",
		  len, hash, recv(fd, data, 1, MSG_DONTWAIT), sockatmark(fd),
		  recv(fd, &urgent, 1, MSG_OOB | MSG_DONTWAIT));
}

/* The server talks: its segments, acknowledged one by one, then its FIN. */
static void note_reply(struct peer *peer, int fd)
{
	static const char data[20000];
	struct packet *latest = &peer->latest;
	u32 ecr, rcv_nxt = peer->latest.ack - peer->irs;

	send(fd, data, sizeof(data), MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	while (peer_receive(peer, 1000) && !(latest->flags & FLAG_FIN)) {
		rcv_nxt = latest->ack - peer->irs;
		if (packet_timestamps(latest, &ecr, &ecr))
			peer_send(peer, ". %u ack %u win 60000 <nop,nop,TS val 4000 ecr ^>",
				  rcv_nxt, latest->seq - peer->iss +
				  (u32)latest->data_len);
		else
			peer_send(peer, ". %u ack %u win 60000", rcv_nxt,
				  latest->seq - peer->iss +
				  (u32)latest->data_len);
	}
	peer_send(peer, "R %u", rcv_nxt);
}

/* SYN to accept(): the copies that are waited for, and what completes. */
static int complete(struct peer *peer, const struct completion *completion)
{
	const char * const *segment = completion->segments;
	u32 label, tsval;
	unsigned int i;
	int fd;

	peer_flow(peer);
	peer_label(peer, "%s", completion->what);
	peer_send(peer, "%s", completion->syn);
	for (i = 0; i <= completion->lost; i++) {
		if (!check(peer, peer_receive(peer, 9000), "no SYN-ACK"))
			return -1;
	}
	label = peer->latest.flow_label;
	tsval = peer->tsval;
	sleep_ms(completion->delay_ms);
	for (; *segment; segment++) {
		peer_send(peer, "%s", *segment);
		while (peer_receive(peer, 60)) {
			/* TS4: the clock goes on; HO13: so does the path */
			check(peer, !tsval ||
			      peer->tsval - tsval < 2000, "TSval jumped");
			check(peer, peer->latest.flow_label == label ||
			      (peer->latest.flags & FLAG_RST),
			      "another flow label");
		}
	}
	fd = accept(peer->listener, NULL, NULL);
	peer_note(peer, "accept %s", fd < 0 ? "no" : "yes");
	return fd;
}

static void completion_script(struct peer *peer, const void *arg)
{
	int fd;

	peer_serve(peer, NULL);
	fd = complete(peer, arg);
	if (fd < 0)
		return;
	peer_note_info(peer, fd);
	note_sequence(peer, fd);
	note_data(peer, fd);
	note_reply(peer, fd);
	close(fd);
}

static void run_completions(struct peer *peer,
			    struct __test_metadata *_metadata,
			    const struct completion *completion,
			    unsigned int count)
{
	for (; count--; completion++) {
		if (!same_as_native(peer, completion_script, completion))
			TH_LOG("%s", completion->what);
		EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_opened));
		EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_handed_over));
		EXPECT_EQ(0, peer_counter(peer,
					  THREEWAY_C_handoff_synack_leaked));
	}
}

TEST_F_TIMEOUT(wire, SR13_SR14_SR15_SR16_any_segment_completes_as_native, 900)
{
	static const struct completion completions[] = {
		{ "bare ACK", SYN, 100, 0, { ". 1 ack 1 win 500" TS(1100) } },
		{ "bare ACK without options", PLAIN, 100, 0, { ". 1 ack 1" } },
		{ "one octet", SYN, 100, 0, { "P. 1(1) ack 1" TS(1100) } },
		{ "a full segment", SYN, 100, 0,
			{ ". 1(1448) ack 1" TS(1100) } },
		{ "60000 octets", SYN, 100, 0,
			{ ". 1(60000) ack 1" TS(1100) } },
		{ "FIN", SYN, 100, 0, { "F. 1 ack 1" TS(1100) } },
		{ "data and FIN", PLAIN, 100, 0, { "FP. 1(3) ack 1" } },
		{ "ACK lost, data", SYN, 300, 0,
			{ "P. 1(100) ack 1" TS(1300), "P. 101(9) ack 1" TS(1301) } },
		{ "ACK and data close behind", SYN, 100, 0,
			{ ". 1 ack 1" TS(1100), "P. 1(100) ack 1" TS(1100),
			  "P. 101(100) ack 1" TS(1100) } },
		{ "out of order, then the hole", SYN, 100, 0,
			{ "P. 101(100) ack 1" TS(1100), ". 1(100) ack 1" TS(1101) } },
		{ "out of order without options", PLAIN, 100, 0,
			{ "P. 101(100) ack 1", "P. 301(5) ack 1", ". 1(100) ack 1" } },
		{ "FIN out of order", PLAIN, 100, 0,
			{ "F. 101 ack 1", "P. 1(100) ack 1" } },
		{ "overlap with the SYN", PLAIN, 100, 0, { "P. 0(50) ack 1" } },
		{ "urgent data", PLAIN, 100, 0, { "PU. 1(5) ack 1 urg 1" } },
		{ "urgent pointer far ahead", PLAIN, 100, 0,
			{ "PU. 1(5) ack 1 urg 65535" } },
		{ "urgent flag with pointer 0", PLAIN, 100, 0,
			{ "U. 1 ack 1 urg 0", "P. 1(3) ack 1" } },
		{ "data again and again", SYN, 100, 0,
			{ "P. 1(10) ack 1" TS(1100), "P. 1(10) ack 1" TS(1100),
			  "P. 1(20) ack 1" TS(1102) } },
		{ "PSH without data", PLAIN, 100, 0, { "P. 1 ack 1" } },
		{ "reserved bits", PLAIN, 100, 0, { "P. 1(3) ack 1 res 15" } },
	};

	run_completions(&self->peer, _metadata, completions,
			ARRAY_SIZE(completions));
}

TEST_F_TIMEOUT(wire, HO3_WI5_WI6_WI7_WI8_windows_as_native, 900)
{
	static const struct completion completions[] = {
		{ "window of two segments", SYN, 100, 0,
			{ ". 1 ack 1 win 22" TS(1100) } },
		{ "window of two segments, unscaled", PLAIN, 100, 0,
			{ ". 1 ack 1 win 2920" } },
		{ "window 0", SYN, 100, 0, { ". 1 ack 1 win 0" TS(1100) } },
		{ "window 0, unscaled", PLAIN, 100, 0, { ". 1 ack 1 win 0" } },
		{ "window 65535", PLAIN, 100, 0, { ". 1 ack 1 win 65535" } },
		{ "window 65535 scaled by 14", "S 0 <mss 1460,nop,wscale 14>",
			100, 0, { ". 1 ack 1 win 65535" } },
		{ "scaled by 255", "S 0 win 1 <nop,wscale 255>", 100, 0,
			{ ". 1 ack 1 win 3" } },
		{ "SYN with window 0", "S 0 win 0 <mss 1460>", 100, 0,
			{ ". 1 ack 1 win 5000" } },
		{ "window grows, then data", SYN, 100, 0,
			{ ". 1 ack 1 win 1" TS(1100), ". 1 ack 1 win 100" TS(1101),
			  "P. 1(100) ack 1 win 200" TS(1102) } },
		{ "shift 0 is an offer", "S 0 <mss 1460,nop,wscale 0>", 100, 0,
			{ "P. 1(1460) ack 1", ". 1461(1460) ack 1" } },
	};

	run_completions(&self->peer, _metadata, completions,
			ARRAY_SIZE(completions));
}

TEST_F_TIMEOUT(wire, RT8_RT9_RT10_HO10_HO11_lost_SYN_acks_as_native, 900)
{
	static const struct completion completions[] = {
		{ "at once, timestamps", SYN, 0, 0, { ". 1 ack 1" TS(1000) } },
		{ "200 ms, timestamps", SYN, 200, 0, { ". 1 ack 1" TS(1200) } },
		{ "900 ms, no timestamps", PLAIN, 900, 0, { ". 1 ack 1" } },
		{ "one lost, timestamps", SYN, 100, 1, { ". 1 ack 1" TS(2100) } },
		{ "one lost", PLAIN, 100, 1, { ". 1 ack 1" } },
		{ "one lost, data", PLAIN, 100, 1, { "P. 1(5) ack 1" } },
		{ "two lost, timestamps", SYN, 100, 2, { ". 1 ack 1" TS(4100) } },
		{ "two lost", PLAIN, 100, 2, { ". 1 ack 1" } },
		{ "three lost", PLAIN, 100, 3, { "P. 1(5) ack 1" } },
	};

	run_completions(&self->peer, _metadata, completions,
			ARRAY_SIZE(completions));
}

TEST_F_TIMEOUT(wire, TS4_TS5_TS6_HO6_timestamps_as_native, 900)
{
	static const struct completion completions[] = {
		{ "TS.Recent stays behind a hole", SYN, 100, 0,
			{ "P. 101(100) ack 1" TS(5000), ". 1(100) ack 1" TS(1100) } },
		{ "old TSval after the handoff", SYN, 100, 0,
			{ ". 1 ack 1" TS(5000), "P. 1(10) ack 1" TS(1100),
			  "P. 1(10) ack 1" TS(5001) } },
		{ "TSval wraps", "S 0 <mss 1460,TS val 4294967280 ecr 0>", 100, 0,
			{ ". 1 ack 1" TS(5), "P. 1(10) ack 1" TS(6) } },
		{ "TSval 0", "S 0 <mss 1460,TS val 0 ecr 0>", 100, 0,
			{ ". 1 ack 1" TS(0), "P. 1(10) ack 1" TS(1) } },
		{ "agreed, but missing in the ACK", SYN, 100, 0,
			{ ". 1 ack 1", "P. 1(10) ack 1" TS(1101) } },
		{ "not agreed, but in the ACK", PLAIN, 100, 0,
			{ ". 1 ack 1 <nop,nop,TS val 7 ecr 7>", "P. 1(10) ack 1" } },
	};

	run_completions(&self->peer, _metadata, completions,
			ARRAY_SIZE(completions));
}

TEST_F_TIMEOUT(wire, OP9_PM2_PM3_HO7_HO8_MSS_and_SACK_as_native, 900)
{
	static const struct completion completions[] = {
		{ "no options at all", "S 0", 100, 0, { ". 1 ack 1" } },
		{ "no MSS, timestamps", "S 0 <TS val 1 ecr 0>", 100, 0,
			{ ". 1 ack 1" TS(101) } },
		{ "MSS above the MTU", "S 0 <mss 9000>", 100, 0, { ". 1 ack 1" } },
		{ "MSS 100", "S 0 <mss 100>", 100, 0, { ". 1 ack 1" } },
		{ "MSS, wscale and SACK on the ACK do not count", "S 0 <mss 1000>",
			100, 0, { ". 1 ack 1 <mss 500,sackOK,nop,nop,nop,wscale 5>" } },
		{ "SACK blocks", "S 0 <mss 1460,sackOK>", 100, 0,
			{ "P. 101(100) ack 1", "P. 301(100) ack 1",
			  "P. 501(100) ack 1" } },
		{ "no SACK blocks", PLAIN, 100, 0,
			{ "P. 101(100) ack 1", "P. 301(100) ack 1" } },
	};

	run_completions(&self->peer, _metadata, completions,
			ARRAY_SIZE(completions));
}

TEST_F_TIMEOUT(wire, SR27_EC6_EC9_HO9_ECN_as_native, 900)
{
	static const struct completion completions[] = {
		{ "agreed", "SEW 0 <mss 1460>", 100, 0,
			{ ". 1 ack 1", "P. 1(10) ack 1 tos 2" } },
		{ "agreed, ECE on the ACK", "SEW 0 <mss 1460>", 100, 0,
			{ "E. 1 ack 1", "P. 1(10) ack 1 tos 2" } },
		{ "agreed, ECE and CWR on data", "SEW 0 <mss 1460>", 100, 0,
			{ "PEW. 1(10) ack 1 tos 2" } },
		{ "agreed, CE on data", "SEW 0 <mss 1460>", 100, 0,
			{ "P. 1(10) ack 1 tos 3", "PW. 11(10) ack 1 tos 2" } },
		{ "not agreed, CE on data", "S 0 <mss 1460>", 100, 0,
			{ "P. 1(10) ack 1 tos 3", "PE. 11(10) ack 1 tos 2" } },
	};

	run_completions(&self->peer, _metadata, completions,
			ARRAY_SIZE(completions));
}

/* RT11: the SYN-ACK was late, not lost, as its echoed TSval tells. */
static void spurious_script(struct peer *peer, const void *arg)
{
	unsigned int i, copies = *(const unsigned int *)arg;
	u32 first;
	int fd;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	first = peer->tsval;
	for (i = 0; i < copies; i++)
		peer_receive(peer, 9000);
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 3000 ecr %u>", first);
	peer_watch(peer, 9000);
	fd = accept(peer->listener, NULL, NULL);
	peer_note(peer, "accept %s", fd < 0 ? "no" : "yes");
	peer_note_info(peer, fd);
	note_reply(peer, fd);
	close(fd);
}

TEST_F_TIMEOUT(wire, RT11_spurious_copies_are_undone_as_native, 120)
{
	unsigned int copies;

	for (copies = 1; copies <= 3; copies++) {
		same_as_native(&self->peer, spurious_script, &copies);
		EXPECT_EQ(1, peer_counter(&self->peer,
					  THREEWAY_C_flows_handed_over));
	}
}

/* HO12, RT9: data that nobody acknowledges, and nothing else, is repeated. */
static void unacknowledged_script(struct peer *peer, const void *arg)
{
	static const char data[100];
	int fd;

	peer_serve(peer, NULL);
	fd = complete(peer, arg);
	send(fd, data, sizeof(data), 0);
	peer_watch(peer, 12000);
	close(fd);
}

TEST_F_TIMEOUT(wire, RT9_HO12_first_timeout_of_data_as_native, 300)
{
	static const struct completion completions[] = {
		{ "nothing lost", PLAIN, 100, 0, { ". 1 ack 1" } },
		{ "one lost", PLAIN, 100, 1, { ". 1 ack 1" } },
		{ "one lost, timestamps", SYN, 100, 1, { ". 1 ack 1" TS(2100) } },
		{ "two lost", PLAIN, 100, 2, { ". 1 ack 1" } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(completions); i++) {
		same_as_native(&self->peer, unacknowledged_script,
			       &completions[i]);
		EXPECT_EQ(1, peer_counter(&self->peer,
					  THREEWAY_C_flows_handed_over));
	}
}

TEST_F(wire, HO15_TCP_SAVED_SYN_is_what_came)
{
	static const char * const syns[] = {
		SYN, PLAIN, "S 0", "SEW 0 win 17 ttl 77 tos 0x88 <mss 1000>",
		"SPU 0(100) urg 3 res 14 <mss 1000,raw 4d03ff,eol>",
	};
	struct peer *peer = &self->peer;
	u8 raw[256], saved[256];
	unsigned int i, mode;
	size_t headers;
	socklen_t len;
	int fd;

	peer_serve(peer, NULL);
	peer->header.ip_id = 0x1234;
	peer->header.flow_label = 0x54321;
	for (i = 0; i < 2 * ARRAY_SIZE(syns); i++) {
		peer_flow(peer);
		peer_label(peer, "%s, mode %u", syns[i / 2], 1 + i % 2);
		/* Mode 2 has the link layer as well, but there is none. */
		mode = 1 + i % 2;
		ASSERT_EQ(0, setsockopt(peer->listener, IPPROTO_TCP,
					TCP_SAVE_SYN, &mode, sizeof(mode)));
		peer_prepare(peer, raw, "%s", syns[i / 2]);
		headers = variant->family == AF_INET ? 20 : 40;
		headers += (raw[headers + 12] >> 4) * 4;
		peer_send(peer, "%s", syns[i / 2]);
		peer_receive(peer, PEER_ANSWER_MS);
		peer_send(peer, ". 1 ack 1");
		fd = expect_accept(peer);
		len = sizeof(saved);
		ASSERT_EQ(0, getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, saved,
					&len));
		EXPECT_EQ(headers, len);
		check(peer, !memcmp(raw, saved, headers), "other octets");
		/* Once. */
		len = sizeof(saved);
		getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, saved, &len);
		EXPECT_EQ(0, len);
		close(fd);
		expect_counters(peer, "flows_opened 1; sent_synack 1; "
				      "flows_handed_over 1");
	}
	/* Asked for after the SYN: nothing was kept. */
	mode = 0;
	setsockopt(peer->listener, IPPROTO_TCP, TCP_SAVE_SYN, &mode,
		   sizeof(mode));
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	mode = 1;
	setsockopt(peer->listener, IPPROTO_TCP, TCP_SAVE_SYN, &mode,
		   sizeof(mode));
	peer_send(peer, ". 1 ack 1");
	fd = expect_accept(peer);
	len = sizeof(saved);
	getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, saved, &len);
	EXPECT_EQ(0, len);
	close(fd);
}

TEST_F(wire, HO19_accept_returns_in_the_order_of_completion)
{
	struct peer *peer = &self->peer;
	struct sockaddr_in6 address;
	struct pollfd fd = { .events = POLLIN };
	struct flow flow[4];
	socklen_t len;
	int i, sock;

	peer_serve(peer, NULL);
	for (i = 0; i < 4; i++) {
		peer_flow(peer);
		peer_syn(peer, "mss 1460");
		flow[i] = peer_park(peer);
	}
	fd.fd = peer->listener;
	EXPECT_EQ(0, poll(&fd, 1, 0));
	for (i = 3; i >= 0; i--) {
		peer_resume(peer, flow[i]);
		peer_send(peer, ". 1 ack 1");
		EXPECT_EQ(1, poll(&fd, 1, 0));
	}
	for (i = 3; i >= 0; i--) {
		len = sizeof(address);
		sock = accept(peer->listener, (struct sockaddr *)&address,
			      &len);
		EXPECT_LE(0, sock);
		EXPECT_EQ(flow[i].port, ntohs(address.sin6_port));
		close(sock);
	}
	expect_no_accept(peer);
	expect_counters(peer, "flows_opened 4; sent_synack 4; "
			      "flows_handed_over 4");
}

/* Options whose value is the socket's own, a time, or no value at all. */
static bool is_own_option(int level, int option)
{
	if (level == SOL_SOCKET)
		return option == SO_COOKIE || option == SO_PEERNAME ||
		       option == SO_INCOMING_CPU ||
		       option == SO_INCOMING_NAPI_ID || option == SO_MEMINFO ||
		       option == SO_PEERSEC || option == SO_NETNS_COOKIE ||
		       option == SO_ERROR;
	if (level == IPPROTO_TCP)
		return option == TCP_INFO || option == TCP_CC_INFO ||
		       option == TCP_TIMESTAMP ||
		       option == TCP_ZEROCOPY_RECEIVE ||
		       option == TCP_QUEUE_SEQ;
	return false;
}

static void note_options(struct peer *peer, int fd, int level, int last)
{
	char text[2 * 64 + 1];
	u8 value[256];
	socklen_t len, i;
	int option, result;

	for (option = 1; option <= last; option++) {
		if (is_own_option(level, option))
			continue;
		memset(value, 0, sizeof(value));
		len = sizeof(value);
		result = getsockopt(fd, level, option, value, &len);
		if (result)
			len = 0;
		for (i = 0; i < len && i < 64; i++)
			sprintf(text + 2 * i, "%02x", value[i]);
		text[2 * i] = '\0';
		peer_note(peer, "option %d/%d: %d, %u octets %s", level,
			  option, result, len, text);
	}
}

static void set(struct peer *peer, int level, int option, int value)
{
	check(peer, !setsockopt(peer->listener, level, option, &value,
				sizeof(value)), "setsockopt(%d, %d)", level,
	      option);
}

/* HO14: what an accepted socket inherits from a listener that is set up so. */
static void inherit_script(struct peer *peer, const void *arg)
{
	struct completion completion = {
		"options", SYN, 100, 0, { ". 1 ack 1" TS(1100) },
	};
	struct linger linger = { .l_onoff = 1, .l_linger = 7 };
	bool v4 = peer->family == AF_INET;
	int fd;

	peer_serve(peer, NULL);
	if (*(const bool *)arg) {
		set(peer, SOL_SOCKET, SO_KEEPALIVE, 1);
		setsockopt(peer->listener, SOL_SOCKET, SO_LINGER, &linger,
			   sizeof(linger));
		set(peer, SOL_SOCKET, SO_SNDBUF, 30000);
		set(peer, SOL_SOCKET, SO_RCVBUF, 50000);
		set(peer, SOL_SOCKET, SO_PRIORITY, 5);
		set(peer, SOL_SOCKET, SO_MARK, 77);
		set(peer, SOL_SOCKET, SO_OOBINLINE, 1);
		set(peer, SOL_SOCKET, SO_RCVLOWAT, 9);
		set(peer, SOL_SOCKET, SO_TIMESTAMP, 1);
		set(peer, SOL_SOCKET, SO_BUSY_POLL, 50);
		set(peer, SOL_SOCKET, SO_MAX_PACING_RATE, 1 << 20);
		set(peer, IPPROTO_TCP, TCP_NODELAY, 1);
		set(peer, IPPROTO_TCP, TCP_KEEPIDLE, 33);
		set(peer, IPPROTO_TCP, TCP_KEEPINTVL, 11);
		set(peer, IPPROTO_TCP, TCP_KEEPCNT, 4);
		set(peer, IPPROTO_TCP, TCP_USER_TIMEOUT, 12345);
		set(peer, IPPROTO_TCP, TCP_LINGER2, 13);
		set(peer, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4000);
		set(peer, IPPROTO_TCP, TCP_MAXSEG, 1200);
		set(peer, IPPROTO_TCP, TCP_WINDOW_CLAMP, 20000);
		setsockopt(peer->listener, IPPROTO_TCP, TCP_CONGESTION, "reno",
			   4);
		set(peer, v4 ? IPPROTO_IP : IPPROTO_IPV6,
		    v4 ? IP_TTL : IPV6_UNICAST_HOPS, 99);
		set(peer, v4 ? IPPROTO_IP : IPPROTO_IPV6,
		    v4 ? IP_TOS : IPV6_TCLASS, 0x20);
	}
	fd = complete(peer, &completion);
	/* first, as some options wait for whoever configures the network */
	peer_note_info(peer, fd);
	note_options(peer, fd, SOL_SOCKET, 80);
	note_options(peer, fd, IPPROTO_TCP, 50);
	note_options(peer, fd, IPPROTO_IP, 60);
	note_options(peer, fd, IPPROTO_IPV6, 90);
	note_reply(peer, fd);
	close(fd);
}

TEST_F_TIMEOUT(wire, HO14_TM9_inherited_options_as_native, 120)
{
	static const bool changed[] = { false, true };

	same_as_native(&self->peer, inherit_script, &changed[0]);
	EXPECT_EQ(1, peer_counter(&self->peer, THREEWAY_C_flows_handed_over));
	same_as_native(&self->peer, inherit_script, &changed[1]);
	EXPECT_EQ(1, peer_counter(&self->peer, THREEWAY_C_flows_handed_over));
}

/* A timestamp, and between which times it was made. */
struct stamp {
	u32 tsval;
	u64 from_ms;
	u64 to_ms;
};

static void stamp(struct peer *peer, u64 from_ms, struct stamp *stamp)
{
	stamp->tsval = peer->tsval;
	stamp->from_ms = from_ms;
	stamp->to_ms = peer->at_ms;
}

/* Whether it is the same clock, in ms. */
static void check_stamps(struct peer *peer, const struct stamp *a,
			 const struct stamp *b)
{
	u64 min = b->from_ms - a->to_ms - 1;
	u64 max = b->to_ms - a->from_ms + 1;
	u32 ms = b->tsval - a->tsval;

	check(peer, ms >= min && ms <= max, "%u ms, not %llu to %llu", ms,
	      (unsigned long long)min, (unsigned long long)max);
}

TEST_F(wire, HO1_HO2_TS4_numbers_go_on_from_the_handshake)
{
	struct peer *peer = &self->peer;
	struct stamp first, later;
	u64 from_ms;
	int fd;

	peer_serve(peer, NULL);
	peer_flow(peer);
	from_ms = now_ms();
	peer_syn(peer, SYN_OPTIONS);
	stamp(peer, from_ms, &first);
	sleep_ms(500);
	from_ms = now_ms();
	peer_send(peer, "P. 1(100) ack 1" TS(1500));
	expect(peer, ". 1 ack 101 <nop,nop,TS val * ecr 1500>");
	stamp(peer, from_ms, &later);
	check_stamps(peer, &first, &later);
	fd = expect_accept(peer);
	expect_stream(peer, fd, 1, 100);
	sleep_ms(700);
	from_ms = now_ms();
	EXPECT_EQ(5, send(fd, "hello", 5, 0));
	expect(peer, "P. 1(5) ack 101 <nop,nop,TS val * ecr 1500>");
	stamp(peer, from_ms, &later);
	check_stamps(peer, &first, &later);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "flows_handed_over 1");
	close(fd);
}

/* IPv4 to an IPv6 listener: the socket has mapped addresses. */
static void mapped_script(struct peer *peer, const void *arg)
{
	struct completion completion = {
		"mapped", SYN, 100, 0, { "P. 1(9) ack 1" TS(1100) },
	};
	struct sockaddr_in6 address = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(peer->header.dport),
	};
	socklen_t len = sizeof(address);
	const int *only_v6 = arg;
	int fd;

	peer->listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	set(peer, IPPROTO_IPV6, IPV6_V6ONLY, *only_v6);
	check(peer, !bind(peer->listener, (struct sockaddr *)&address, len) &&
	      !listen(peer->listener, 16), "IPv6 listener");
	peer_claim(peer, NULL);
	if (*only_v6) {
		peer_flow(peer);
		peer_send(peer, SYN);
		peer_watch(peer, 100);
		return;
	}
	fd = complete(peer, &completion);
	memset(&address, 0, sizeof(address));
	getpeername(fd, (struct sockaddr *)&address, &len);
	peer_note(peer, "peer %u %#x %#x", len,
		  ntohl(address.sin6_addr.s6_addr32[2]),
		  ntohl(address.sin6_addr.s6_addr32[3]));
	note_options(peer, fd, IPPROTO_IPV6, 90);
	peer_note_info(peer, fd);
	note_reply(peer, fd);
	close(fd);
}

TEST(V67_mapped_addresses_as_native)
{
	static struct peer peer = { .family = AF_INET, .tun = -1,
				    .engine = -1, .listener = -1 };
	static const int only_v6[] = { 0, 1 };

	same_as_native(&peer, mapped_script, &only_v6[0]);
	EXPECT_EQ(1, peer_counter(&peer, THREEWAY_C_flows_handed_over));
	same_as_native(&peer, mapped_script, &only_v6[1]);
	EXPECT_EQ(1, peer_counter(&peer, THREEWAY_C_native_no_listener));
	EXPECT_EQ(0, peer.failures);
	peer_close(&peer);
}

TEST_F(wire, WI5_promised_right_edge_is_kept)
{
	static const char * const syns[] = { PLAIN, SYN };
	struct peer *peer = &self->peer;
	const u8 *option;
	unsigned int i, shift;
	u32 edge;

	peer_serve(peer, NULL);
	for (i = 0; i < 4; i++) {
		peer_flow(peer);
		peer_label(peer, "%s", syns[i % 2]);
		peer_send(peer, "%s", syns[i % 2]);
		expect(peer, "S. 0 ack 1");
		edge = 1 + peer->latest.window;
		shift = packet_option(&peer->latest, 3, &option) == 3 ?
			option[2] : 0;
		peer_send(peer, "P. 1(%u) ack 1", i / 2 ? 1000 : 1);
		peer_receive(peer, PEER_ANSWER_MS);
		/* What a shift rounds away is no promise broken. */
		check(peer, peer->latest.ack - peer->irs +
		      (peer->latest.window << shift) + (1 << shift) > edge,
		      "right edge %u, then %u", edge,
		      peer->latest.ack - peer->irs +
		      (peer->latest.window << shift));
		close(expect_accept(peer));
		expect_counters(peer, "flows_opened 1; sent_synack 1; "
				      "flows_handed_over 1");
	}
}

TEST_HARNESS_MAIN
