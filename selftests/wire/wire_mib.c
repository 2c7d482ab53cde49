// SPDX-License-Identifier: GPL-2.0
/*
 * What nstat(8) shows of handshakes that the engine does is what it shows of the
 * native stack's (rules MI1 to MI8, MI11).
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "kinds.h"
#include "mib.h"
#include "quote.h"
#include "wire.h"

#define STEPS		10
#define SETTLE_MS	60

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT	73
#endif

/**
 * struct scene - a dialogue, and what it does to the counters
 * @what:	its name
 * @prepare:	makes it possible, before the counters are read, or NULL
 * @steps:	segments in the notation of packet.h; "!" before one that gets a
 *		wrong checksum; "@accept", "@close" of the listener,
 *		"@wait MS", and "@hard N" or "@soft N", an ICMP error that quotes
 *		that SEG.SEQ
 */
struct scene {
	const char *what;
	void (*prepare)(struct peer *peer);
	const char *steps[STEPS];
};

#define SYN		"S 0 <" SYN_OPTIONS ">"
#define SYNACK		"S. 0 ack 1 <" SYNACK_OPTIONS ">"
#define TS(val)		" <nop,nop,TS val " #val " ecr ^>"

/* Whatever comes in a while, which is noted. */
static void settle(struct peer *peer, unsigned int ms)
{
	peer_watch(peer, now_ms() - peer->start_ms + ms);
}

static void spoil(struct peer *peer, const char *line)
{
	u8 raw[512];
	size_t len = peer_prepare(peer, raw, "%s", line);

	raw[len - 1] ^= 1;
	peer_inject(peer, raw, len);
}

static void note_drops(struct peer *peer)
{
	u32 info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	check(peer, !getsockopt(peer->listener, SOL_SOCKET, SO_MEMINFO, info,
				&len), "SO_MEMINFO");
	peer_note(peer, "the listener has dropped %u", info[SK_MEMINFO_DROPS]);
}

static void send_error(struct peer *peer, struct icmp_error error, int seq)
{
	error.seq = seq;
	peer_icmp(peer, &error);
}

static void do_step(struct peer *peer, const char *text, int *fd)
{
	int n = 0;

	if (*text == '!') {
		spoil(peer, text + 1);
	} else if (*text != '@') {
		peer_send(peer, "%s", text);
	} else if (sscanf(text, "@wait %d", &n) == 1) {
		settle(peer, n);
	} else if (sscanf(text, "@hard %d", &n) == 1) {
		send_error(peer, hard_error(peer), n);
	} else if (sscanf(text, "@soft %d", &n) == 1) {
		send_error(peer, soft_error(peer), n);
	} else if (!strcmp(text, "@accept")) {
		*fd = accept(peer->listener, NULL, NULL);
		peer_note(peer, "accept %s", *fd < 0 ? "no" : "yes");
	} else if (!strcmp(text, "@close")) {
		close(*fd);
		*fd = -1;
	} else {
		fprintf(stderr, "# unknown: %s\n", text);
		abort();
	}
	settle(peer, SETTLE_MS);
}

static void play(struct peer *peer, const struct scene *scene,
		 const struct mib *before, int fd)
{
	struct mib after;
	unsigned int i;

	for (i = 0; i < STEPS && scene->steps[i]; i++)
		do_step(peer, scene->steps[i], &fd);
	if (fd >= 0)
		close(fd);
	settle(peer, SETTLE_MS);
	if (peer->listener >= 0)
		note_drops(peer);
	mib_read(peer, &after);
	mib_note(peer, before, &after);
}

/*
 * From 300 to 420 s after boot, when jiffies have just been 0, the native stack
 * takes a listener's "no flood ever", which is 0, for one of just now, and counts
 * ACKs as bad cookies.
 */
#define BOOT_STRANGE_UNTIL_S	421

__attribute__((constructor)) static void wait_for_plain_times(void)
{
	struct timespec up;

	clock_gettime(CLOCK_BOOTTIME, &up);
	if (up.tv_sec < BOOT_STRANGE_UNTIL_S)
		sleep(BOOT_STRANGE_UNTIL_S - up.tv_sec);
}

static void nobody_listens(struct peer *peer)
{
	close(peer->listener);
	peer->listener = -1;
}

/* A listener, whose port is claimed, for each. */
static void passive(struct peer *peer, const void *arg)
{
	const struct scene *scene = arg;
	struct mib before;

	peer_claim(peer, NULL);
	sleep_ms(2500);
	for (; scene->what; scene++) {
		nobody_listens(peer);
		peer_listen(peer, 1024);
		peer_flow(peer);
		if (scene->prepare)
			scene->prepare(peer);
		peer_label(peer, "%s", scene->what);
		settle(peer, SETTLE_MS);
		mib_read(peer, &before);
		play(peer, scene, &before, -1);
	}
}

/* The steps begin when a socket's SYN is there. */
static void active(struct peer *peer, const void *arg)
{
	const struct scene *scene = arg;
	struct mib before;
	int fd;

	client_claim(peer, NULL);
	sleep_ms(2500);
	for (; scene->what; scene++) {
		if (scene->prepare)
			scene->prepare(peer);
		mib_read(peer, &before);
		fd = client_begin(peer);
		peer_label(peer, "%s", scene->what);
		settle(peer, SETTLE_MS);
		play(peer, scene, &before, fd);
	}
}

static void set(struct peer *peer, int level, int option, int value)
{
	check(peer, !setsockopt(peer->listener, level, option, &value,
				sizeof(value)), "setsockopt %d", option);
}

static void defer_accept(struct peer *peer)
{
	set(peer, IPPROTO_TCP, TCP_DEFER_ACCEPT, 5);
}

static void minimum_ttl(struct peer *peer)
{
	bool v4 = peer->family == AF_INET;

	set(peer, v4 ? IPPROTO_IP : IPPROTO_IPV6,
	    v4 ? IP_MINTTL : IPV6_MINHOPCOUNT, 60);
}

/* A socket filter that no segment passes. */
static void filter_everything(struct peer *peer)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &drop };

	check(peer, !setsockopt(peer->listener, SOL_SOCKET, SO_ATTACH_FILTER,
				&program, sizeof(program)), "the filter");
}

/* From now on IPsec lets nothing in. */
static void block_everything(struct peer *peer)
{
	bool v4 = peer->family == AF_INET;

	run("ip xfrm policy add src %s dst %s dir in action block",
	    v4 ? "192.0.2.2" : "2001:db8::2", v4 ? "192.0.2.1" : "2001:db8::1");
	/* a module that had to be loaded takes its time */
	peer->start_ms = now_ms();
}

/* One more than the accept queue takes is in SYN-RECEIVED. */
static void full_accept_queue(struct peer *peer)
{
	struct flow late;

	check(peer, !listen(peer->listener, 0), "listen()");
	peer_syn(peer, "mss 1460");
	late = peer_park(peer);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	peer_send(peer, ". 1 ack 1");
	settle(peer, SETTLE_MS);
	peer_resume(peer, late);
}

static void overflow_resets(struct peer *peer)
{
	sysctl_set("net/ipv4/tcp_abort_on_overflow", "1");
	full_accept_queue(peer);
}

static void overflow_drops(struct peer *peer)
{
	sysctl_set("net/ipv4/tcp_abort_on_overflow", "0");
	check(peer, peer->listener >= 0, "no listener");
}

/* Segments of all kinds to one listener. */
static const struct scene passive_scenes[] = {
	{ "handshake, data, RST", NULL,
	  { SYN, ". 1 ack 1" TS(1100), "@accept", "P. 1(5) ack 1" TS(1200),
	    "R. 6 ack 1" TS(1300) } },
	{ "data complete it", NULL,
	  { SYN, "P. 1(5) ack 1" TS(1100), "@accept", "R. 6 ack 1" TS(1300) } },
	{ "FIN completes it", NULL,
	  { SYN, "F. 1 ack 1" TS(1100), "@accept", "R. 2 ack 1" TS(1300) } },
	{ "out of order data complete it", NULL,
	  { SYN, "P. 3(5) ack 1" TS(1100), "@accept", "R. 1 ack 1" TS(1300) } },
	{ "peers close", NULL,
	  { SYN, ". 1 ack 1" TS(1100), "@accept", "F. 1 ack 1" TS(1200),
	    "@close", ". 2 ack 2" TS(1300) } },
	{ "copies by duplicates", NULL,
	  { SYN, SYN, SYN, "@wait 600", SYN, ". 1 ack 1" TS(1100), "@accept",
	    "R. 1 ack 1" TS(1300) } },
	{ "copies by the timer", NULL,
	  { SYN, "@wait 3500", ". 1 ack 1" TS(1100), "@accept",
	    "R. 1 ack 1" TS(1300) } },
	{ "nobody answers", NULL, { SYN, "@wait 70000" } },
	{ "wrong checksums", NULL,
	  { "!" SYN, SYN, "!. 1 ack 1" TS(1100), "!R 1", ". 1 ack 1" TS(1100),
	    "@accept", "R. 1 ack 1" TS(1300) } },
	{ "SYN with data", NULL, { "S 0(10) <mss 1460>", "R 1" } },
	{ "bad ACKs", NULL,
	  { SYN, ". 1 ack 7" TS(1100), ". 1 ack 0" TS(1100),
	    "P. 1(3) ack 2" TS(1100), "S. 0 ack 9", "R 1" } },
	{ "exact RST", NULL, { SYN, "R 1" } },
	{ "RST with an ACK", NULL, { SYN, "R. 1 ack 9" } },
	{ "RST in the window", NULL, { SYN, "R 1000", "R 2000", "R 1" } },
	{ "RST out of the window", NULL, { SYN, "R 0", "R 2000000", "R 1" } },
	{ "SYN in the window", NULL, { SYN, "S 1000 <mss 1460>" } },
	{ "SYN out of the window", NULL,
	  { SYN, "S 2000000 <mss 1460>", "S 2000000 <mss 1460>", "R 1" } },
	{ "ACK out of the window", NULL,
	  { SYN, ". 2000000 ack 1" TS(1100), ". 2000000 ack 1" TS(1100),
	    "@wait 600", "P. -5(3) ack 1" TS(1100), "R 1" } },
	{ "old timestamp", NULL,
	  { SYN, ". 1 ack 1" TS(500), ". 1 ack 1" TS(500), "R 1" } },
	{ "neither ACK nor RST", NULL, { SYN, "P 1(3)", "F 1", "- 1", "R 1" } },
	{ "ICMP errors about another number", NULL,
	  { SYN, "@hard 9", "@soft 9", "R 1" } },
	{ "LISTEN", NULL, { ". 1 ack 1", "R 1", "SF 0", "F 1", "S. 0 ack 5" } },
	{ "nobody listens", nobody_listens,
	  { SYN, ". 1 ack 1", "R 1", "S 0(20)", "!" SYN } },
	{ "deferred accept", defer_accept,
	  { SYN, ". 1 ack 1" TS(1100), ". 1 ack 1" TS(1100), "@accept",
	    "P. 1(4) ack 1" TS(1200), "@accept", "R. 5 ack 1" TS(1300) } },
	{ "minimum TTL", minimum_ttl,
	  { "S 0 ttl 59", SYN, "R 1" } },
	{ "full accept queue", full_accept_queue,
	  { ". 1 ack 1", ". 1 ack 1", "P. 1(4) ack 1" } },
	{ "a SYN and a full accept queue", full_accept_queue,
	  { "R 1", SYN } },
	{ "full accept queue that resets", overflow_resets, { ". 1 ack 1" } },
	{ "MD5 without a key", overflow_drops,
	  { "S 0 <mss 1460,raw 131200112233445566778899aabbccddeeff>",
	    SYN, ". 1 ack 1 <raw 131200112233445566778899aabbccddeeff>",
	    "R 1" } },
	{ "socket filter", filter_everything, { SYN, SYN, ". 1 ack 1" } },
	{ "IPsec policy", block_everything, { SYN, SYN, ". 1 ack 1" } },
	{ NULL, NULL, { NULL } },
};

TEST_F_TIMEOUT(wire, MI1_MI2_MI3_MI5_MI6_MI7_passive_opens_as_native, 600)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, passive, passive_scenes);
	EXPECT_LE(26, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(12, peer_counter(peer, THREEWAY_C_flows_handed_over));
}

static const struct scene active_scenes[] = {
	{ "handshake, data, RST", NULL,
	  { SYNACK, "P. 1(5) ack 1" TS(5100), "R. 6 ack 1" TS(5200) } },
	{ "peers close", NULL,
	  { SYNACK, "@close", "F. 1 ack 2" TS(5100) } },
	{ "data on the SYN-ACK", NULL,
	  { "S. 0(5) ack 1 <" SYNACK_OPTIONS ">", "R. 1 ack 1" TS(5200) } },
	{ "refused", NULL, { "R. 0 ack 1" } },
	{ "copies", NULL, { "@wait 3500", SYNACK, "R. 1 ack 1" TS(5200) } },
	{ "nobody answers", NULL, { "@wait 160000" } },
	{ "wrong checksums", NULL,
	  { "!" SYNACK, "!R. 0 ack 1", SYNACK, "R. 1 ack 1" TS(5200) } },
	{ "bad ACKs", NULL,
	  { ". 1 ack 0", "S. 0 ack 2", "F. 1 ack 9", "@close" } },
	{ "RSTs that do not count", NULL,
	  { "R 0", "R 1000", "@close" } },
	{ "no SYN", NULL, { ". 1 ack 1", "F. 1 ack 1", "F 1", "- 1", "@close" } },
	{ "a TSecr that was not sent", NULL,
	  { "S. 0 ack 1 <mss 1460,sackOK,TS val 5000 ecr ^+100000>",
	    "S. 0 ack 1 <mss 1460,sackOK,TS val 5000 ecr ^-9>", "@close" } },
	{ "hard ICMP error", NULL, { "@hard 0" } },
	{ "soft ICMP error", NULL, { "@soft 0" } },
	{ "ICMP error about another number", NULL,
	  { "@hard 1", "@hard -1", "@close" } },
	{ "closed before the answer", NULL, { "@close", SYNACK } },
	{ "SYNs cross, then silence", NULL, { SYN, "@wait 3500", "R 1" } },
	{ NULL, NULL, { NULL } },
};

TEST_F_TIMEOUT(wire, MI1_MI2_MI3_MI4_MI6_MI7_active_opens_as_native, 600)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, active, active_scenes);
	EXPECT_EQ(16, peer_counter(peer, THREEWAY_C_flows_opened));
}

/*
 * A claim that is full leaves the SYN to native, which answers it by a cookie,
 * and knows it again.
 */
TEST_F(wire, MI5_cookies_are_counted_when_a_claim_is_full)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_BACKLOG,
		.backlog = 1,
	};
	static const struct {
		const char *name;
		long long by;
	} expected[] = {
		{ "TcpExt SyncookiesSent", 2 }, { "TcpExt SyncookiesRecv", 1 },
		{ "TcpExt SyncookiesFailed", 1 }, { "Tcp PassiveOpens", 1 },
		{ "TcpExt TCPReqQFullDoCookies", 2 },
		{ "TcpExt TCPReqQFullDrop", 0 }, { "TcpExt ListenDrops", 0 },
		{ "TcpExt ListenOverflows", 0 },
	};
	struct peer *peer = &self->peer;
	struct mib before, after;
	unsigned int i;

	sysctl_set("net/ipv4/tcp_syncookies", "2");
	sysctl_set("net/threeway/syncookies", "0");
	peer_serve(peer, &policy);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	mib_read(peer, &before);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	peer_send(peer, ". 1 ack 77");
	expect(peer, "R 77");
	mib_read(peer, &after);
	for (i = 0; i < ARRAY_SIZE(expected); i++)
		check(peer, mib_change(&before, &after, expected[i].name) ==
		      expected[i].by, "%s by %lld", expected[i].name,
		      mib_change(&before, &after, expected[i].name));
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"native_backlog_full 2");
}

/* "TCP: inuse N orphan N tw N ...", without what ends in TIME-WAIT. */
static int sockets_in_use(const struct peer *peer)
{
	const char *path = peer->family == AF_INET ? "/proc/net/sockstat" :
						     "/proc/net/sockstat6";
	const char *format = peer->family == AF_INET ? "TCP: inuse %d" :
						       "TCP6: inuse %d";
	FILE *file = fopen(path, "r");
	char line[128];
	int count = -1;

	while (file && fgets(line, sizeof(line), file) && count < 0)
		sscanf(line, format, &count);
	if (file)
		fclose(file);
	return count;
}

static void expect_established(struct peer *peer, const struct mib *before,
			       int sockets, int count)
{
	struct mib now;

	mib_read(peer, &now);
	check(peer, mib_change(before, &now, "Tcp CurrEstab") == count,
	      "CurrEstab %lld, expected %d",
	      mib_change(before, &now, "Tcp CurrEstab"), count);
	check(peer, sockets_in_use(peer) == sockets + count,
	      "%d sockets in use, %d before, expected %d more",
	      sockets_in_use(peer), sockets, count);
}

/* Either end lets go first, by a RST, so that nothing is left in TIME-WAIT. */
static void abort_both(int first, int second)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(first, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(first);
	close(second);
}

#define CYCLES		2000
#define LOOKS		50

/* The engine on both ends of lo. */
TEST_F_TIMEOUT(wire, MI8_MI1_gauges_return_to_where_they_were, 120)
{
	struct peer *peer = &self->peer;
	int client, server, sockets, i;
	struct mib before, after;

	memcpy(&peer->header.src, &peer->header.dst, sizeof(peer->header.src));
	peer_serve(peer, NULL);
	peer->header.sport = peer->header.dport;
	client_claim(peer, NULL);
	sockets = sockets_in_use(peer);
	mib_read(peer, &before);
	for (i = 0; i < CYCLES && !peer->failures; i++) {
		client = socket(peer->family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		client_connect(peer, client);
		while ((server = accept(peer->listener, NULL, NULL)) < 0)
			sleep_ms(1);
		if (i % LOOKS == 0)
			expect_established(peer, &before, sockets, 2);
		if (i % 2)
			abort_both(client, server);
		else
			abort_both(server, client);
		if (i % LOOKS == 0)
			expect_established(peer, &before, sockets, 0);
	}
	/* the last flow is told a moment later that its socket has it */
	sleep_ms(50);
	expect_established(peer, &before, sockets, 0);
	mib_read(peer, &after);
	EXPECT_EQ(CYCLES, mib_change(&before, &after, "Tcp ActiveOpens"));
	EXPECT_EQ(CYCLES, mib_change(&before, &after, "Tcp PassiveOpens"));
	EXPECT_EQ(2 * CYCLES, mib_change(&before, &after, "Tcp EstabResets"));
	EXPECT_EQ(0, mib_change(&before, &after, "Tcp AttemptFails"));
	/* SYN, SYN-ACK, ACK and RST, each sent once and received once */
	EXPECT_EQ(4 * CYCLES, mib_change(&before, &after, "Tcp OutSegs"));
	EXPECT_EQ(4 * CYCLES, mib_change(&before, &after, "Tcp InSegs"));
	EXPECT_EQ(0, mib_change(&before, &after, "Tcp RetransSegs"));
	expect_counters(peer, "flows_opened %d; sent_syn %d; sent_synack %d; "
			"flows_handed_over %d", 2 * CYCLES, CYCLES, CYCLES,
			2 * CYCLES);
}

/* RSTs in kinds_play(). */
#define RSTS		6

/* What happens in one namespace is counted there, by whoever does it. */
TEST_F(wire, MI11_counters_belong_to_a_namespace)
{
	struct peer *peer = &self->peer;
	struct mib before, after, ours;
	static struct peer other;
	int here, there;
	unsigned int i;

	here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(NULL, peer_open(&other, variant->family, true));
	there = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	kinds_claim(&other);
	mib_read(&other, &before);

	ASSERT_EQ(0, setns(here, CLONE_NEWNET));
	kinds_claim(peer);
	mib_read(peer, &ours);
	kinds_play(peer, false, 0);
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_flows_opened));
	mib_read(peer, &after);
	EXPECT_EQ(RSTS, mib_change(&ours, &after, "Tcp OutRsts"));

	ASSERT_EQ(0, setns(there, CLONE_NEWNET));
	mib_read(&other, &after);
	for (i = 0; i < after.count; i++) {
		if (!strncmp(after.entry[i].name, "Tcp", 3))
			check(peer, after.entry[i].value ==
			      before.entry[i].value, "%s by %lld",
			      after.entry[i].name, after.entry[i].value -
			      before.entry[i].value);
	}
	expect_no_counters(&other);
	kinds_play(&other, false, 0);
	EXPECT_EQ(4, peer_counter(&other, THREEWAY_C_flows_opened));
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(0, other.failures);
	peer_close(&other);
}

TEST_HARNESS_MAIN
