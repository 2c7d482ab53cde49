// SPDX-License-Identifier: GPL-2.0
/*
 * What the engine leaves alone: listeners and SYNs that only native can serve,
 * claims that do not match, other namespaces, and everything while there is no
 * claim (rules AU, FO1, FO8, IP5, LI11, V65, V66, CL7, NF9).
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "wire.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

static void set(struct peer *peer, int level, int option, const void *value,
		socklen_t len)
{
	check(peer, !setsockopt(peer->listener, level, option, value, len),
	      "setsockopt(%d, %d)", level, option);
}

/* Each segment of the list in turn; what comes is noted; then accept(). */
static void send_list(struct peer *peer, const char * const *segments)
{
	int fd;

	peer_flow(peer);
	peer_label(peer, "%s", *segments);
	for (; *segments; segments++) {
		peer_send(peer, "%s", *segments);
		while (peer_receive(peer, 100))
			;
		fd = accept(peer->listener, NULL, NULL);
		peer_note(peer, "accept %s", fd < 0 ? "no" : "yes");
		close(fd);
	}
}

/* A key for the peer itself, or for somebody else. */
static void set_md5_key(struct peer *peer, bool own)
{
	struct tcp_md5sig key = { .tcpm_keylen = 3, .tcpm_key = "key" };
	struct sockaddr_in6 *address = (void *)&key.tcpm_addr;

	address->sin6_family = peer->family;
	if (peer->family == AF_INET)
		((struct sockaddr_in *)address)->sin_addr.s_addr =
			inet_addr(own ? "192.0.2.2" : "192.0.2.77");
	else
		inet_pton(AF_INET6, own ? "2001:db8::2" : "2001:db8::77",
			  &address->sin6_addr);
	set(peer, IPPROTO_TCP, TCP_MD5SIG, &key, sizeof(key));
}

#define DIGEST	"raw 131200112233445566778899aabbccddeeff"

static void md5_script(struct peer *peer, const void *arg)
{
	static const char * const unsigned_syn[] = {
		"S 0 <mss 1000>", ". 1 ack 1", NULL
	};
	static const char * const signed_syn[] = {
		"S 0 <mss 1000," DIGEST ">", ". 1 ack 1 <" DIGEST ">", NULL
	};

	peer_serve(peer, NULL);
	set_md5_key(peer, *(const bool *)arg);
	send_list(peer, unsigned_syn);
	send_list(peer, signed_syn);
}

TEST_F(wire, AU1_listener_with_MD5_keys)
{
	static const bool own[] = { true, false };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		same_as_native(&self->peer, md5_script, &own[i]);
		EXPECT_EQ(2, peer_counter(&self->peer, THREEWAY_C_native_md5));
		EXPECT_EQ(0, peer_counter(&self->peer,
					  THREEWAY_C_flows_opened));
	}
}

static void unexpected_md5_script(struct peer *peer, const void *arg)
{
	static const char * const syn[] = {
		"S 0 <mss 1000," DIGEST ">", "S 0 <mss 1000>", ". 1 ack 1",
		NULL
	};
	static const char * const ack[] = {
		"S 0 <mss 1000>", ". 1 ack 1 <" DIGEST ">",
		"P. 1(3) ack 1 <" DIGEST ">", ". 1 ack 1", NULL
	};
	static const char * const ao[] = {
		"S 0 <mss 1000,raw 1d100101aabbccddeeff001122334455>",
		". 1 ack 1", NULL
	};

	peer_serve(peer, arg);
	send_list(peer, syn);
	send_list(peer, ack);
	send_list(peer, ao);
}

TEST_F(wire, AU2_AU3_signed_segments_without_a_key)
{
	same_as_native(&self->peer, unexpected_md5_script, NULL);
	EXPECT_EQ(4, peer_counter(&self->peer, THREEWAY_C_native_md5));
	EXPECT_EQ(2, peer_counter(&self->peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(2, peer_counter(&self->peer, THREEWAY_C_flows_handed_over));
}

static void fast_open_script(struct peer *peer, const void *arg)
{
	static const char * const request[] = {
		"S 0 <mss 1000,raw 2202,nop,nop>", ". 1 ack 1", NULL
	};
	static const char * const bad_cookie[] = {
		"S 0(10) <mss 1000,raw 220a0102030405060708,nop,nop>",
		". 1 ack 1", NULL
	};
	static const char * const experimental[] = {
		"S 0 <mss 1000,raw fe04f989>", ". 1 ack 1", NULL
	};
	static const char * const plain[] = {
		"S 0(10) <mss 1000>", "P. 1(10) ack 1", NULL
	};
	char line[256], *to;
	const u8 *cookie;
	size_t len, i;
	int queue = 16;
	int fd;

	sysctl_set("net/ipv4/tcp_fastopen", "3");
	sysctl_set("net/ipv4/tcp_fastopen_key", "0-1-2-3");
	peer_serve(peer, arg);
	set(peer, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
	send_list(peer, bad_cookie);
	send_list(peer, experimental);
	send_list(peer, plain);
	send_list(peer, request);
	/* The cookie that came, with data: accept() before any ACK. */
	peer_flow(peer);
	peer_label(peer, "SYN with cookie");
	peer_send(peer, "%s", request[0]);
	peer_receive(peer, PEER_ANSWER_MS);
	len = packet_option(&peer->latest, 34, &cookie);
	if (!check(peer, len == 10, "no cookie"))
		return;
	to = line + sprintf(line, "S 0(10) <mss 1000,raw ");
	for (i = 0; i < len; i++)
		to += sprintf(to, "%02x", cookie[i]);
	strcpy(to, ",nop,nop>");
	peer_flow(peer);
	peer_label(peer, "cookie");
	peer_send(peer, "%s", line);
	expect(peer, "S. 0 ack 11");
	fd = expect_accept(peer);
	peer_send(peer, ". 11 ack 1");
	peer_watch(peer, 1000);
	peer_note_info(peer, fd);
	close(fd);
}

TEST_F(wire, FO1_FO8_fast_open_listener)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, fast_open_script, NULL);
	EXPECT_EQ(6, peer_counter(peer, THREEWAY_C_native_fast_open) +
		     peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_LE(5, peer_counter(peer, THREEWAY_C_native_fast_open));
}

TEST_F(wire, AU4_AU5_MPTCP_listener)
{
	struct peer *peer = &self->peer;
	const u8 *option;
	char data[16];
	int fd;

	if (access("/proc/sys/net/mptcp/enabled", F_OK))
		SKIP(return, "this kernel has no MPTCP");
	peer_listen_protocol(peer, 16, IPPROTO_MPTCP);
	peer_claim(peer, NULL);
	/* MP_CAPABLE, version 1, with checksum bit off and HMAC-SHA256 */
	peer_flow(peer);
	peer_syn(peer, "mss 1460,raw 1e040101");
	EXPECT_EQ(12, packet_option(&peer->latest, 30, &option));
	expect_counters(peer, "native_mptcp 1");
	/* MP_JOIN with a token that nobody has: a RST, or silence */
	peer_flow(peer);
	peer_send(peer, "S 0 <mss 1460,raw 1e0c1000,raw 0102030405060708>");
	if (peer_receive(peer, PEER_ANSWER_MS))
		EXPECT_TRUE(peer->latest.flags & FLAG_RST);
	expect_counters(peer, "native_mptcp 1");
	/* A plain SYN is the engine's, and falls back to TCP. */
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	EXPECT_EQ(0, packet_option(&peer->latest, 30, &option));
	peer_send(peer, "P. 1(5) ack 1 <nop,nop,TS val 1001 ecr ^>");
	expect(peer, ". 1 ack 6");
	fd = expect_accept(peer);
	EXPECT_EQ(5, recv(fd, data, sizeof(data), MSG_DONTWAIT));
	EXPECT_EQ(5, send(fd, "hello", 5, 0));
	expect(peer, "P. 1(5) ack 6");
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"flows_handed_over 1");
	close(fd);
}

/*
 * Native asks for the TTL only once it knows that no request socket is meant,
 * so for SYN-RECEIVED there is nothing to compare with.
 */
TEST_F(wire, IP5_IP_MINTTL_holds_in_SYN_RECEIVED)
{
	static const char * const segments[] = {
		". 1 ack 7 ttl 254", "R 1 ttl 254", "S 0 ttl 254",
		"S 2 ttl 254", "P. 1(3) ack 1 ttl 254", "F 1 ttl 254",
	};
	struct peer *peer = &self->peer;
	bool v4 = variant->family == AF_INET;
	unsigned int i;
	int ttl = 255;

	peer_serve(peer, NULL);
	set(peer, v4 ? IPPROTO_IP : IPPROTO_IPV6,
	    v4 ? IP_MINTTL : IPV6_MINHOPCOUNT, &ttl, sizeof(ttl));
	peer_flow(peer);
	peer_send(peer, "S 0 ttl 254 <mss 1000>");
	expect_silence(peer);
	expect_counters(peer, "native_min_ttl 1");
	peer->header.ttl = 255;
	peer_syn(peer, "mss 1000");
	expect_counters(peer, "flows_opened 1; sent_synack 1");
	for (i = 0; i < ARRAY_SIZE(segments); i++) {
		peer_send(peer, "%s", segments[i]);
		expect_silence_ms(peer, 50);
		expect_counters(peer, "native_min_ttl 1");
	}
	if (!v4) {
		/* a fragment that is all of it: the native stack would be asked */
		memset(peer->header.extension, 0, 7);
		peer->header.extension[7] = 9;
		peer->header.extension_len = 8;
		peer->header.extension_type = IPPROTO_FRAGMENT;
		peer_send(peer, "P. 1(3) ack 1 ttl 254");
		peer->header.extension_len = 0;
		expect_silence_ms(peer, 50);
		expect_counters(peer, "native_min_ttl 1");
	}
	expect_flow(peer, true);
	expect_no_accept(peer);
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	expect_counters(peer, "flows_handed_over 1");
	peer_flow(peer);
	peer_syn(peer, "mss 1000");
	peer_send(peer, "R 1");
	expect_flow(peer, false);
}

/* A filter that drops what the program returns 0 for. */
static void attach(struct peer *peer, struct sock_filter *code, u16 count)
{
	struct sock_fprog program = { .len = count, .filter = code };

	set(peer, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static void filter_script(struct peer *peer, const void *arg)
{
	static const char * const handshake[] = {
		"S 0 <mss 1000>", ". 1 ack 1", NULL
	};
	static const char * const rest[] = {
		"R 1", "S 2", ". 1 ack 9", "S 0", "P. 1(3) ack 1",
	};
	struct sock_filter drop_all[] = {
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	/* Drops segments with SYN: flags are the 14th octet of the header. */
	struct sock_filter drop_syn[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
	};
	unsigned int i;
	int fd, none = 0;

	peer_serve(peer, arg);
	attach(peer, drop_all, 1);
	send_list(peer, handshake);
	attach(peer, drop_syn, 4);
	send_list(peer, handshake);
	set(peer, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
	/* A filter that comes after the SYN. */
	peer_flow(peer);
	peer_label(peer, "late filter");
	peer_syn(peer, "mss 1460");
	attach(peer, drop_all, 1);
	for (i = 0; i < ARRAY_SIZE(rest); i++) {
		peer_send(peer, "%s", rest[i]);
		peer_watch(peer, 100 * (i + 1));
	}
	set(peer, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
	peer_send(peer, ". 1 ack 1");
	peer_watch(peer, 2000);
	fd = accept(peer->listener, NULL, NULL);
	peer_note(peer, "accept %s", fd < 0 ? "no" : "yes");
	/* what was dropped has not been counted, either */
	peer_note_info(peer, fd);
	close(fd);
}

TEST_F(wire, LI11_filter_of_the_listener)
{
	same_as_native(&self->peer, filter_script, NULL);
	EXPECT_LE(2, peer_counter(&self->peer, THREEWAY_C_segment_policy));
	EXPECT_EQ(1, peer_counter(&self->peer, THREEWAY_C_flows_opened));
}

TEST_F(wire, V66_V65_listener_wants_what_came_with_the_SYN)
{
	struct peer *peer = &self->peer;
	int one = 1;

	if (variant->family == AF_INET) {
		/* IPv4 keeps nothing of a SYN: the option does not matter. */
		peer_serve(peer, NULL);
		set(peer, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
		peer_flow(peer);
		peer_syn(peer, "mss 1000");
		expect_counters(peer, "flows_opened 1; sent_synack 1");
		return;
	}
	peer_serve(peer, NULL);
	set(peer, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
	peer_flow(peer);
	peer_syn(peer, "mss 1000");
	expect_counters(peer, "native_pktoptions 1");
	/* A reflected flow label comes from the SYN as well. */
	sysctl_set("net/ipv6/flowlabel_reflect", "1");
	peer->header.dport++;
	peer_serve(peer, NULL);
	peer->header.flow_label = 0x12345;
	peer_flow(peer);
	peer_syn(peer, "mss 1000");
	EXPECT_EQ(0x12345, peer->latest.flow_label);
	expect_counters(peer, "native_pktoptions 1");
}

TEST_F(wire, IP7_no_route_and_no_unicast_are_native_s)
{
	struct peer *peer = &self->peer;
	bool v4 = variant->family == AF_INET;

	peer_serve(peer, NULL);
	inet_pton(variant->family, v4 ? "192.0.2.255" : "ff02::1",
		  &peer->header.dst);
	peer_flow(peer);
	peer_send(peer, "S 0");
	expect_silence(peer);
	expect_counters(peer, "native_not_unicast 1");
	inet_pton(variant->family, v4 ? "192.0.2.1" : "2001:db8::1",
		  &peer->header.dst);
	inet_pton(variant->family, v4 ? "198.51.100.7" : "2001:db8:7::7",
		  &peer->header.src);
	peer_flow(peer);
	peer_send(peer, "S 0");
	expect_silence(peer);
	expect_counters(peer, "native_no_route 1");
}

static void to_sockaddr(const struct peer *peer, struct sockaddr_in6 *address)
{
	memset(address, 0, sizeof(*address));
	address->sin6_family = peer->family;
	address->sin6_port = htons(peer->header.sport);
	if (peer->family == AF_INET)
		memcpy(&((struct sockaddr_in *)address)->sin_addr,
		       &peer->header.src, 4);
	else
		memcpy(&address->sin6_addr, &peer->header.src, 16);
}

/* Listens (or not) on the peer's local port, which others may share. */
static int shared_socket(struct peer *peer, bool listening)
{
	struct sockaddr_in6 address = {
		.sin6_family = peer->family,
		.sin6_port = htons(peer->header.dport),
	};
	int one = 1, fd = socket(peer->family, SOCK_STREAM | SOCK_NONBLOCK, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	check(peer, !bind(fd, (struct sockaddr *)&address,
			  peer->family == AF_INET ?
			  sizeof(struct sockaddr_in) : sizeof(address)) &&
	      (!listening || !listen(fd, 16)), "bind() or listen()");
	return fd;
}

/* A program of this host connects to the peer while it is half-open. */
TEST_F(wire, LI9_TW7_connect_takes_the_tuple)
{
	struct peer *peer = &self->peer;
	struct sockaddr_in6 address;
	int fd, i;

	peer->listener = shared_socket(peer, true);
	peer_claim(peer, NULL);
	for (i = 0; i < 2; i++) {
		/* With and without early demux the answer finds the socket. */
		sysctl_set("net/ipv4/tcp_early_demux", "%d", i);
		peer_flow(peer);
		peer_label(peer, "early demux %d", i);
		peer_syn(peer, "mss 1460");
		fd = shared_socket(peer, false);
		to_sockaddr(peer, &address);
		connect(fd, (struct sockaddr *)&address,
			variant->family == AF_INET ?
			sizeof(struct sockaddr_in) : sizeof(address));
		ASSERT_EQ(1, peer_receive(peer, PEER_ANSWER_MS));
		EXPECT_EQ(FLAG_SYN,
			  peer->latest.flags & ~(FLAG_ECE | FLAG_CWR));
		/* Its SYN ends the flow: the tuple is the socket's. */
		expect_flow(peer, false);
		peer->iss = peer->latest.seq;
		peer_send(peer, "S. 0 ack 1 <mss 1460>");
		expect(peer, ". 1 ack 1");
		EXPECT_EQ(5, send(fd, "hello", 5, 0));
		expect(peer, "P. 1(5) ack 1");
		peer_send(peer, ". 1 ack 6");
		expect_silence_ms(peer, 3500);
		expect_flow(peer, false);
		expect_no_accept(peer);
		expect_counters(peer, "flows_opened 1; sent_synack 1; "
				"flows_native_owns 1");
		close(fd);
		peer_watch(peer, 3600);
	}
}

/*
 * The peer got a SYN cookie of native's and, for the copy of its SYN, a SYN-ACK
 * of the engine's. It believes the first.
 */
TEST_F(wire, CK8_ACK_of_a_native_cookie_is_native_s)
{
	struct peer *peer = &self->peer;
	int fd;

	sysctl_set("net/ipv4/tcp_syncookies", "2");
	peer_listen(peer, 16);
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	peer_claim(peer, NULL);
	peer_send(peer, "S 0 <mss 1460>");
	peer_receive(peer, PEER_ANSWER_MS);
	EXPECT_NE(peer->iss, peer->latest.seq);
	expect_counters(peer, "flows_opened 1; sent_synack 1");
	peer_send(peer, "P. 1(5) ack 1");
	expect(peer, ". 1 ack 6");
	fd = expect_accept(peer);
	expect_stream(peer, fd, 1, 5);
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_native_cookie_ack));
	/* The other answer is not repeated to an established connection. */
	expect_silence_ms(peer, 3500);
	expect_flow(peer, false);
	EXPECT_EQ(5, send(fd, "hello", 5, 0));
	expect(peer, "P. 1(5) ack 6");
	close(fd);
}

/* Handshakes, refusals and resets as anybody has them. */
static void common_script(struct peer *peer, const void *arg)
{
	static const char * const connection[] = {
		"SEW 0 <" SYN_OPTIONS ">", "S 0 <" SYN_OPTIONS ">",
		". 0 ack 1", ". 1 ack 7", "R 2",
		"P. 1(10) ack 1 <nop,nop,TS val 1001 ecr ^>",
		"P. 11(10) ack 1 <nop,nop,TS val 1002 ecr ^>", "F. 21 ack 2",
		NULL
	};
	static const char * const reset[] = {
		"S 0 <mss 1460>", "R 1", ". 1 ack 1", NULL
	};
	static const char * const odd[] = {
		"SF 0", "F 0", "- 0", ". 5 ack 9", "S. 5 ack 9", "R. 5 ack 9",
		NULL
	};

	(void)arg;
	send_list(peer, connection);
	send_list(peer, reset);
	send_list(peer, odd);
	/* Copies of the SYN-ACK. */
	peer_flow(peer);
	peer_label(peer, "copies");
	peer_send(peer, "S 0 <" SYN_OPTIONS ">");
	peer_watch(peer, 8000);
	/* Nobody listens there. */
	peer->header.dport += 1000;
	send_list(peer, connection);
	peer->header.dport -= 1000;
}

/**
 * struct mismatch - a claim that has nothing to do with the peer
 * @what:	name of the case
 * @family:	0 for the peer's own
 * @port:	first and last local port
 * @local4, @local6: local prefix
 * @remote4, @remote6: remote prefix
 * @bits4, @bits6: prefix lengths
 */
struct mismatch {
	const char *what;
	u16 port;
	const char *local4, *local6, *remote4, *remote6;
	u8 bits4, bits6;
	bool other_family;
};

static const struct mismatch mismatches[] = {
	{ "another port", 81, NULL, NULL, NULL, NULL, 0, 0, false },
	{ "another local address", 0, "192.0.2.3", "2001:db8::3", NULL, NULL,
	  32, 128, false },
	{ "another local prefix", 0, "192.0.2.128", "2001:db8:0:0:8000::",
	  NULL, NULL, 25, 65, false },
	{ "another remote address", 0, NULL, NULL, "192.0.2.3", "2001:db8::3",
	  32, 128, false },
	{ "another remote prefix", 80, NULL, NULL, "198.51.100.0",
	  "2001:db8:1::", 24, 48, false },
	{ "the other family", 0, NULL, NULL, NULL, NULL, 0, 0, true },
	{ "no claim", 0, NULL, NULL, NULL, NULL, 0, 0, false },
};

static void add_mismatch(struct peer *peer, const struct mismatch *mismatch)
{
	bool v4 = (peer->family == AF_INET) != mismatch->other_family;
	const char *local = v4 ? mismatch->local4 : mismatch->local6;
	const char *remote = v4 ? mismatch->remote4 : mismatch->remote6;
	struct threeway_claim claim = {
		.family = v4 ? AF_INET : AF_INET6,
		.direction = THREEWAY_PASSIVE,
		.mode = THREEWAY_HANDOFF,
		.port_first = mismatch->port,
		.port_last = mismatch->port,
	};
	u8 bits = v4 ? mismatch->bits4 : mismatch->bits6;

	if (local) {
		inet_pton(claim.family, local, claim.local);
		claim.local_prefixlen = bits;
	}
	if (remote) {
		inet_pton(claim.family, remote, claim.remote);
		claim.remote_prefixlen = bits;
	}
	check(peer, !threeway_claim_add(peer->engine, &claim), "claim");
}

static void mismatch_script(struct peer *peer, const void *arg)
{
	const struct mismatch *mismatch = arg;

	peer_listen(peer, 16);
	if (peer->engine >= 0 && strcmp(mismatch->what, "no claim"))
		add_mismatch(peer, mismatch);
	common_script(peer, NULL);
	expect_counters(peer, "%s", "");
}

TEST_F_TIMEOUT(wire, NF9_CL7_claims_that_do_not_match_change_nothing, 2000)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mismatches); i++) {
		if (!same_as_native(&self->peer, mismatch_script,
				    &mismatches[i]))
			TH_LOG("%s", mismatches[i].what);
	}
}

static bool is_loaded(void)
{
	return !access("/sys/module/threeway", F_OK);
}

/* The first run, without /dev/threeway, is one without the module at all. */
static void unloaded_script(struct peer *peer, const void *arg)
{
	if (peer->engine < 0)
		run("modprobe -r threeway");
	check(peer, is_loaded() == (peer->engine >= 0), "module");
	peer_listen(peer, 16);
	common_script(peer, arg);
	run("modprobe threeway");
}

TEST_F_TIMEOUT(wire, NF9_loaded_without_claims_is_as_not_loaded, 400)
{
	struct peer *peer = &self->peer;

	if (system("modprobe -D threeway >/dev/null"))
		SKIP(return, "modprobe does not find threeway.ko");
	same_as_native(peer, unloaded_script, NULL);
	EXPECT_TRUE(is_loaded());
	expect_counters(peer, "%s", "");
}

/* Two namespaces at once, a claim in the first. */
TEST_F(wire, NF9_a_claim_in_another_namespace_changes_nothing)
{
	static struct peer other;
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	sysctl_set("net/threeway/synack_retries", "1");
	ASSERT_EQ(NULL, peer_open(&other, variant->family, true));
	/* The other namespace has the defaults. */
	peer_listen(&other, 16);
	peer_flow(&other);
	peer_syn(&other, SYN_OPTIONS);
	peer_send(&other, "P. 1(10) ack 1 <nop,nop,TS val 1001 ecr ^>");
	expect(&other, ". 1 ack 11");
	close(expect_accept(&other));
	peer_watch(&other, 100);
	expect_counters(&other, "%s", "");
	EXPECT_EQ(0, peer_flows(&other, NULL));
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	expect_counters(peer, "flows_opened 1; sent_synack 1");
	/* A claim there, too: each has its own flows, for the same tuple. */
	peer_claim(&other, NULL);
	peer_flow(&other);
	other.header.sport = peer->header.sport;
	peer_syn(&other, SYN_OPTIONS);
	expect_counters(&other, "flows_opened 1; sent_synack 1");
	peer_send(&other, "R 1");
	expect_counters(&other, "segment_rst_exact 1; flows_reset 1");
	expect_counters(peer, "%s", "");
	peer_send(peer, "P. 1(10) ack 1 <nop,nop,TS val 1001 ecr ^>");
	expect(peer, ". 1 ack 11");
	close(expect_accept(peer));
	expect_counters(peer, "flows_handed_over 1");
	EXPECT_EQ(0, other.failures);
	peer_close(&other);
}

/* A claim for the peer's addresses that is known by its ISN; its id or 0. */
static u32 claim_numbered(struct peer *peer, struct threeway_claim *claim)
{
	claim->direction = THREEWAY_PASSIVE;
	claim->mode = THREEWAY_HANDOFF;
	claim->policy.set = THREEWAY_P_ISN;
	claim->policy.isn = THREEWAY_ISN_FIXED;
	memcpy(claim->local, &peer->header.dst, claim->local_prefixlen / 8);
	memcpy(claim->remote, &peer->header.src, claim->remote_prefixlen / 8);
	return threeway_claim_add(peer->engine, claim) ? 0 : claim->id;
}

static void expect_claim(struct peer *peer, unsigned int number)
{
	peer_flow(peer);
	peer_label(peer, "claims up to %u", number);
	peer_syn(peer, "mss 1000");
	check(peer, peer->iss == 1000 + number, "claim %u decided",
	      peer->iss - 1000);
}

/* The most specific of the claims that match: its number tells which. */
TEST_F(wire, claims_the_most_specific_one_wins)
{
	bool v4 = variant->family == AF_INET;
	const u8 all = v4 ? 32 : 128, half = v4 ? 24 : 64;
	const struct {
		u8 local_bits, remote_bits;
		u16 first, last;
		bool any_family;
	} claims[] = {
		/* from the least specific one on */
		{ 0, 0, 0, 0, true },
		{ 0, half, 0, 0, false },
		{ 0, 0, 1, 1000, false },
		{ 0, 0, 80, 90, false },
		{ 0, 0, 80, 80, false },
		{ 0, all, 80, 80, false },
		{ half, 0, 0, 0, false },
		{ half, 0, 80, 80, false },
		{ all, 0, 0, 0, false },
		{ all, half, 0, 0, false },
		{ all, 0, 80, 80, false },
		{ all, all, 80, 80, false },
	};
	struct peer *peer = &self->peer;
	u32 ids[ARRAY_SIZE(claims)];
	int i;

	peer_listen(peer, 16);
	for (i = 0; i < (int)ARRAY_SIZE(claims); i++) {
		struct threeway_claim claim = {
			.family = claims[i].any_family ? AF_UNSPEC :
							 variant->family,
			.local_prefixlen = claims[i].local_bits,
			.remote_prefixlen = claims[i].remote_bits,
			.port_first = claims[i].first,
			.port_last = claims[i].last,
			.policy.isn_fixed = 1000 + i,
		};

		ids[i] = claim_numbered(peer, &claim);
		ASSERT_NE(0, ids[i]);
		expect_claim(peer, i);
	}
	for (i--; i >= 0; i--) {
		expect_claim(peer, i);
		ASSERT_EQ(0, threeway_claim_del(peer->engine, ids[i]));
	}
	peer_flow(peer);
	peer_syn(peer, "mss 1000");
	EXPECT_EQ(2 * ARRAY_SIZE(claims),
		  peer_counter(peer, THREEWAY_C_flows_opened));
}

TEST_HARNESS_MAIN
