// SPDX-License-Identifier: GPL-2.0
/*
 * What the link layer has to do with it: padded frames, frames that are not for
 * us, checksums that the device computes, and those who look on (rules CL5, CL9,
 * IP2, IP7, IP15).
 *
 * Frames come in by tap0; the answers go the way of all packets to the peer.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "client.h"
#include "kinds.h"
#include "program.h"
#include "wire.h"

#define PADDING_MAX	512

static const u8 our_mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };
static const u8 peers_mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 2 };

static int open_tap(struct peer *peer)
{
	struct ifreq request = {
		.ifr_name = "tap0",
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR,
	};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	check(peer, fd >= 0 && !ioctl(fd, TUNSETIFF, &request), "tap0: %s",
	      strerror(errno));
	run("ip link set tap0 address 02:00:00:00:00:01 up");
	/* until IPv6 is ready as well */
	sleep_ms(10);
	return fd;
}

/* A frame to that address, with so many octets behind the packet. */
static void __printf(5, 6) frame(struct peer *peer, int tap, const u8 *to,
				 size_t padding, const char *format, ...)
{
	static u8 raw[PACKET_MAX], pad[PADDING_MAX];
	struct virtio_net_hdr vnet = { .flags = 0 };
	struct ethhdr header;
	struct iovec parts[] = {
		{ .iov_base = &vnet, .iov_len = sizeof(vnet) },
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = raw },
		{ .iov_base = pad, .iov_len = padding },
	};
	char line[LINE_MAX_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	parts[2].iov_len = peer_prepare(peer, raw, "%s", line);
	memcpy(header.h_dest, to, ETH_ALEN);
	memcpy(header.h_source, peers_mac, ETH_ALEN);
	header.h_proto = htons(peer->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	memset(pad, 0xa5, sizeof(pad));
	check(peer, writev(tap, parts, 4) > 0, "tap0: %s", strerror(errno));
}

/* A claimed port, nobody listens: native answers. */
static void padding_closed(struct peer *peer, int tap, size_t padding)
{
	peer_flow(peer);
	frame(peer, tap, our_mac, padding, "S =7");
	expect(peer, "R. =0 ack =8 win 0");
	frame(peer, tap, our_mac, padding, "S =7(3)");
	expect(peer, "R. =0 ack =11 win 0");
	frame(peer, tap, our_mac, padding, "SF =0xffffffff(3)");
	expect(peer, "R. =0 ack =4 win 0");
	frame(peer, tap, our_mac, padding, ". =5 ack =9");
	expect(peer, "R =9 win 0");
}

static void padding_listen(struct peer *peer, int tap, size_t padding)
{
	char octet;
	int fd;

	peer_flow(peer);
	frame(peer, tap, our_mac, padding, "S 0 <%s>", SYN_OPTIONS);
	expect(peer, "S. 0 ack 1");
	frame(peer, tap, our_mac, padding, ". 1 ack 7");
	expect(peer, "R 7 win 0");
	/* in the window only if the padding were data */
	frame(peer, tap, our_mac, padding, ". -3 ack 1");
	expect(peer, ". 1 ack 1");
	expect_flow(peer, true);
	expect_no_accept(peer);
	frame(peer, tap, our_mac, padding,
	      ". 1 ack 1 <nop,nop,TS val 1100 ecr ^>");
	expect_silence_ms(peer, 50);
	fd = expect_accept(peer);
	check(peer, recv(fd, &octet, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN,
	      "padding was read");
	frame(peer, tap, our_mac, padding,
	      "P. 1(3) ack 1 <nop,nop,TS val 1200 ecr ^>");
	expect(peer, ". 1 ack 4");
	expect_stream(peer, fd, 1, 3);
	peer_send(peer, "R 4");
	close(fd);

	peer_flow(peer);
	frame(peer, tap, our_mac, padding, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1");
	frame(peer, tap, our_mac, padding, "R 1");
	expect_silence_ms(peer, 50);
	expect_flow(peer, false);

	peer_flow(peer);
	frame(peer, tap, our_mac, padding, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1");
	frame(peer, tap, our_mac, padding, "S 5");
	expect(peer, "R. =0 ack 6 win 0");
	expect_flow(peer, false);
}

static void padding_connect(struct peer *peer, int tap, size_t padding)
{
	int fd = client_open(peer);

	frame(peer, tap, our_mac, padding, "S. 0 ack 7");
	expect(peer, "R 7 win 0");
	frame(peer, tap, our_mac, padding, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	client_exchange(peer, fd);
}

TEST_F(wire, CL9_padding_of_a_frame_is_no_data)
{
	/* a short frame's, and what nobody would call that */
	static const size_t paddings[] = { 1, 6, 46, 300 };
	struct peer *peer = &self->peer;
	u16 port = peer->header.dport;
	int tap = open_tap(peer);
	unsigned int i;

	peer_claim(peer, NULL);
	client_claim(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(paddings); i++)
		padding_closed(peer, tap, paddings[i]);
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_flows_opened));
	peer_listen(peer, 1024);
	for (i = 0; i < ARRAY_SIZE(paddings); i++)
		padding_listen(peer, tap, paddings[i]);
	EXPECT_EQ(12, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_flows_reset));
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_flows_syn_reset));
	for (i = 0; i < ARRAY_SIZE(paddings); i++) {
		padding_connect(peer, tap, paddings[i]);
		peer->header.dport = port;
	}
	EXPECT_EQ(16, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(8, peer_counter(peer, THREEWAY_C_flows_handed_over));
	close(tap);
}

/* Nothing of this is answered or changes anything. */
static void not_for_us(struct peer *peer, int tap, const u8 *to,
		       const char * const *segments)
{
	for (; *segments; segments++) {
		frame(peer, tap, to, 0, "%s", *segments);
		expect_silence_ms(peer, 50);
	}
	expect_silence(peer);
}

static void not_for_us_passive(struct peer *peer, int tap, const u8 *to)
{
	static const char * const listen[] = {
		"S 0 <mss 1460>", ". 1 ack 1", "F 1", "S. 0 ack 1", NULL
	};
	static const char * const received[] = {
		". 1 ack 1", "P. 1(5) ack 1", "R 1", "R. 1 ack 1", "S 0",
		"S 1", ". 1 ack 7", ". 3000000 ack 1", NULL
	};

	peer_flow(peer);
	not_for_us(peer, tap, to, listen);
	expect_flow(peer, false);
	peer_syn(peer, "mss 1460");
	not_for_us(peer, tap, to, received);
	expect_flow(peer, true);
	expect_no_accept(peer);
	frame(peer, tap, our_mac, 0, ". 1 ack 1");
	close(expect_accept(peer));
}

static void not_for_us_active(struct peer *peer, int tap, const u8 *to)
{
	static const char * const sent[] = {
		"S. 0 ack 1 <mss 1460>", "R. 0 ack 1", ". 1 ack 7",
		"S 0 <mss 1460>", NULL
	};
	int fd = client_open(peer);

	not_for_us(peer, tap, to, sent);
	expect_connecting(peer, fd);
	expect_state(peer, THREEWAY_SYN_SENT);
	frame(peer, tap, our_mac, 0, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	client_close(peer, fd);
}

TEST_F(wire, CL5_IP7_frames_to_everybody_and_to_others)
{
	static const u8 addresses[][ETH_ALEN] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x01, 0x00, 0x5e, 0, 0, 1 },
		{ 0x33, 0x33, 0, 0, 0, 1 },
		{ 2, 0, 0, 0, 0, 9 },
	};
	static const char * const closed[] = {
		"S 0", ". 1 ack 1", "F 1", "S 0(5)", NULL
	};
	struct peer *peer = &self->peer;
	u16 port = peer->header.dport;
	int tap = open_tap(peer);
	unsigned int i;

	sysctl_set("net/threeway/rto_initial_ms", "60000");
	peer_claim(peer, NULL);
	client_claim(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		peer_flow(peer);
		not_for_us(peer, tap, addresses[i], closed);
	}
	peer_listen(peer, 1024);
	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		not_for_us_passive(peer, tap, addresses[i]);
		not_for_us_active(peer, tap, addresses[i]);
		peer->header.dport = port;
	}
	EXPECT_EQ(8, peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(8, peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_sent_synack));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_sent_rst));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_sent_ack));
	EXPECT_LT(0, peer_counter(peer, THREEWAY_C_native_not_unicast));
	close(tap);
}

/* Checksums are computed by the kernel, then by the device. */
TEST_F(wire, IP2_checksums_of_the_engine_and_of_the_device)
{
	struct peer *peer = &self->peer;

	kinds_claim(peer);
	kinds_play(peer, false, 0);
	EXPECT_EQ(0, peer->partial);
	check(peer, !ioctl(peer->tun, TUNSETOFFLOAD, TUN_F_CSUM),
	      "TUNSETOFFLOAD: %s", strerror(errno));
	kinds_play(peer, false, 0);
	EXPECT_EQ(KINDS_SENT, peer->partial);
}

/* Both sides' packets as they were on the wire, and as somebody captured them. */
#define CAPTURE_MAX	64
#define CAPTURE_OCTETS	256

struct packets {
	unsigned int count;
	struct {
		u8 raw[CAPTURE_OCTETS];
		size_t len;
	} packet[CAPTURE_MAX];
};

static struct packets wire_packets[2];

/* The kernel has its own affairs, of both families. */
static bool is_tcp(const struct peer *peer, const u8 *raw)
{
	return peer->family == AF_INET ?
	       raw[0] >> 4 == 4 && raw[9] == IPPROTO_TCP :
	       raw[0] >> 4 == 6 && raw[6] == IPPROTO_TCP;
}

static void remember(struct peer *peer, bool sent, const u8 *raw, size_t len)
{
	struct packets *packets = &wire_packets[sent];

	if (!is_tcp(peer, raw))
		return;
	if (!check(peer, packets->count < CAPTURE_MAX && len < CAPTURE_OCTETS,
		   "too many or too large packets"))
		return;
	memcpy(packets->packet[packets->count].raw, raw, len);
	packets->packet[packets->count++].len = len;
}

static int open_capture(struct peer *peer)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex("tun0"),
	};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			htons(ETH_P_ALL));

	check(peer, fd >= 0 && !bind(fd, (struct sockaddr *)&address,
				     sizeof(address)),
	      "packet socket: %s", strerror(errno));
	return fd;
}

/* Nothing has touched the octets while the packet was waiting to be read. */
static void compare_capture(struct peer *peer, int fd)
{
	unsigned int at[2] = { 0, 0 };
	struct sockaddr_ll from;
	socklen_t from_len = sizeof(from);
	const struct packets *packets;
	u8 raw[PACKET_MAX];
	unsigned int *next;
	ssize_t len;

	while ((len = recvfrom(fd, raw, sizeof(raw), 0,
			       (struct sockaddr *)&from, &from_len)) > 0) {
		from_len = sizeof(from);
		if (!is_tcp(peer, raw))
			continue;
		packets = &wire_packets[from.sll_pkttype != PACKET_OUTGOING];
		next = &at[from.sll_pkttype != PACKET_OUTGOING];
		check(peer, *next < packets->count &&
		      packets->packet[*next].len == (size_t)len &&
		      !memcmp(packets->packet[*next].raw, raw, len),
		      "packet %u of %s was captured otherwise", *next,
		      next == at ? "the kernel" : "the peer");
		++*next;
	}
	check(peer, at[0] == wire_packets[0].count &&
	      at[1] == wire_packets[1].count,
	      "captured %u and %u packets of %u and %u", at[0], at[1],
	      wire_packets[0].count, wire_packets[1].count);
}

/* What the socket did not offer is taken out of the SYN-ACK for it alone. */
static void masked_synack(struct peer *peer)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_SACK | THREEWAY_P_TIMESTAMPS |
		       THREEWAY_P_WINDOW_SCALING | THREEWAY_P_ECN,
	};
	int fd;

	client_reclaim(peer, &policy);
	fd = client_open(peer);
	peer_send(peer, "S.E 0 ack 1 <" SYN_OPTIONS ">");
	expect(peer, ". 1 ack 1 <>");
	expect_connected(peer, fd);
	client_exchange(peer, fd);
	client_reclaim(peer, NULL);
}

static void play_captured(struct peer *peer)
{
	int fd = open_capture(peer);

	memset(wire_packets, 0, sizeof(wire_packets));
	peer->watch = remember;
	kinds_play(peer, true, 0);
	masked_synack(peer);
	peer->watch = NULL;
	compare_capture(peer, fd);
	close(fd);
}

/* A program that lets everything pass; this device has it behind its driver. */
static int attach_xdp(struct peer *peer)
{
	const struct bpf_insn code[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	struct bpf_link_create_opts options = {
		.sz = sizeof(options),
		.flags = XDP_FLAGS_SKB_MODE,
	};
	int program = program_load(BPF_PROG_TYPE_XDP, BPF_XDP, code,
				   ARRAY_SIZE(code));
	int link = bpf_link_create(program, if_nametoindex("tun0"), BPF_XDP,
				   &options);

	check(peer, link >= 0, "XDP: %s", strerror(errno));
	close(program);
	return link;
}

TEST_F(wire, IP15_captured_packets_stay_as_they_are)
{
	struct peer *peer = &self->peer;

	kinds_claim(peer);
	play_captured(peer);
}

TEST_F(wire, IP15_packets_that_come_by_XDP)
{
	struct peer *peer = &self->peer;
	int link;

	kinds_claim(peer);
	link = attach_xdp(peer);
	play_captured(peer);
	close(link);
}

TEST_HARNESS_MAIN
