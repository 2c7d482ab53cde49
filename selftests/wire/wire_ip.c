// SPDX-License-Identifier: GPL-2.0
/*
 * What comes before the TCP header: broken and truncated packets, checksums,
 * fragments, IPv4 options and IPv6 extension headers (rules IP, V6, OP8, OP14).
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "wire.h"

static size_t ip_header_len(const struct peer *peer)
{
	return (peer->family == AF_INET ? 20 : 40) + peer->header.extension_len;
}

static void put16(u8 *p, u16 value)
{
	p[0] = value >> 8;
	p[1] = value;
}

/* The lengths in the IP header, and the header's checksum, for @len octets. */
static void fix_ip(struct peer *peer, u8 *raw, size_t len)
{
	u32 sum = 0;
	size_t i;

	if (peer->family != AF_INET) {
		put16(raw + 4, len - 40);
		return;
	}
	put16(raw + 2, len);
	put16(raw + 10, 0);
	for (i = 0; i < 20; i += 2)
		sum += raw[i] << 8 | raw[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(raw + 10, ~(sum + (sum >> 16)));
}

/*
 * Each octet behind the IP header flipped in turn, three ways. The ports may
 * then be those of another flow or nobody's; a bad checksum comes first.
 */
static void flip_octets(struct peer *peer, const u8 *good, size_t len)
{
	static const u8 flips[] = { 0x01, 0x80, 0xff };
	u8 raw[256];
	size_t at;
	unsigned int i;

	for (at = ip_header_len(peer); at < len; at++) {
		for (i = 0; i < ARRAY_SIZE(flips); i++) {
			memcpy(raw, good, len);
			raw[at] ^= flips[i];
			peer_inject(peer, raw, len);
			peer_label(peer, "octet %zu ^ %#x", at, flips[i]);
			expect_silence_ms(peer, 0);
		}
	}
	expect_silence(peer);
}

TEST_F_TIMEOUT(wire, IP1_CL6_bad_checksum_is_silence, 120)
{
	struct peer *peer = &self->peer;
	u64 bad;
	u8 raw[256];
	size_t len;

	peer_serve(peer, NULL);
	sysctl_set("net/threeway/rto_initial_ms", "60000");
	peer_flow(peer);
	len = peer_prepare(peer, raw, "S 0(5) <%s>", SYN_OPTIONS);
	flip_octets(peer, raw, len);
	EXPECT_EQ(0, peer_flows(peer, NULL));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_flows_opened));
	/* A flip in the ports, or of the SYN bit, is not the claim's affair. */
	bad = peer_counter(peer, THREEWAY_C_segment_bad_checksum);
	EXPECT_LT(3 * (len - ip_header_len(peer) - 12), bad);
	peer_inject(peer, raw, len);
	expect(peer, "S. 0 ack 1");

	/* Nothing of this may touch the flow. */
	len = peer_prepare(peer, raw, "P. 1(9) ack 1");
	flip_octets(peer, raw, len);
	expect_no_accept(peer);
	expect_flow(peer, true);
	len = peer_prepare(peer, raw, "R 1(4)");
	flip_octets(peer, raw, len);
	expect_flow(peer, true);
	len = peer_prepare(peer, raw, "S 0");
	flip_octets(peer, raw, len);
	EXPECT_EQ(1, peer_flows(peer, NULL));
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_sent_synack));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_sent_synack_duplicate));
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
}

/* Every length from nothing to one octet short. */
static void cut(struct peer *peer, const u8 *good, size_t len, bool honest)
{
	u8 raw[256];
	size_t cut_len;

	for (cut_len = 0; cut_len < len; cut_len++) {
		memcpy(raw, good, len);
		/* The IP header says how much there is, or lies. */
		if (honest && cut_len >= ip_header_len(peer))
			fix_ip(peer, raw, cut_len);
		peer_label(peer, "%zu of %zu octets, %s", cut_len, len,
			   honest ? "honest" : "lying");
		if (cut_len)
			peer_inject(peer, raw, cut_len);
		while (peer_receive(peer, 0))
			check(peer, peer->latest.icmp, "it was answered");
	}
	expect_silence(peer);
}

TEST_F(wire, IP13_truncated_packets_are_silence)
{
	struct peer *peer = &self->peer;
	u8 raw[256];
	size_t len;

	peer_serve(peer, NULL);
	sysctl_set("net/threeway/rto_initial_ms", "60000");
	peer_flow(peer);
	len = peer_prepare(peer, raw, "S 0(3) <%s>", SYN_OPTIONS);
	cut(peer, raw, len, true);
	cut(peer, raw, len, false);
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_flows_opened));
	peer_inject(peer, raw, len);
	expect(peer, "S. 0 ack 1");
	len = peer_prepare(peer, raw, "P. 1(3) ack 1 <nop,nop,TS val 1 ecr 1>");
	cut(peer, raw, len, true);
	cut(peer, raw, len, false);
	expect_flow(peer, true);
	expect_no_accept(peer);
}

TEST_F(wire, OP8_CL6_data_offset)
{
	struct peer *peer = &self->peer;
	unsigned int offset;
	u8 raw[256];
	size_t len;

	peer_serve(peer, NULL);
	for (offset = 0; offset < 16; offset++) {
		peer_flow(peer);
		peer_label(peer, "data offset %u", offset);
		/* 20 octets of data that are NOPs when read as options */
		len = peer_prepare(peer, raw, "S 0(20)");
		memset(raw + len - 20, 1, 20);
		raw[ip_header_len(peer) + 12] = offset << 4;
		packet_checksum(raw, len);
		peer_inject(peer, raw, len);
		if (offset < 5 || offset > 10) {
			expect_silence(peer);
			expect_counters(peer, "segment_malformed 1");
			continue;
		}
		expect(peer, "S. 0 ack 1");
		peer_send(peer, "R 1");
		expect_counters(peer, "flows_opened 1; sent_synack 1; "
				      "segment_rst_exact 1; flows_reset 1");
	}
	EXPECT_EQ(0, peer_flows(peer, NULL));
}

/* A fragment of a TCP packet: octets @from to @to of what follows the header. */
struct piece {
	size_t from, to;
};

static void inject_piece(struct peer *peer, const u8 *whole, size_t len,
			 const struct piece *piece, u16 id)
{
	size_t header = ip_header_len(peer);
	size_t to = piece->to ? piece->to : len - header;
	size_t size = to - piece->from;
	bool more = to < len - header;
	u8 raw[512];

	memcpy(raw, whole, header);
	if (peer->family == AF_INET) {
		put16(raw + 4, id);
		put16(raw + 6, piece->from / 8 | more << 13);
	} else {
		memset(raw + header, 0, 8);
		raw[6] = IPPROTO_FRAGMENT;
		raw[header] = IPPROTO_TCP;
		put16(raw + header + 2, piece->from | more);
		put16(raw + header + 6, id);
		header += 8;
	}
	memcpy(raw + header, whole + ip_header_len(peer) + piece->from, size);
	fix_ip(peer, raw, header + size);
	peer_inject(peer, raw, header + size);
}

/*
 * The pieces in which a segment comes, and whether it is complete then. IPv6
 * wants the whole TCP header in the first fragment (RFC 7112).
 */
struct cut {
	const char *what;
	struct piece piece[4];
	bool complete;
};

static const struct cut ipv4_cuts[] = {
	{ "8 and the rest", { { 0, 8 }, { 8, 0 } }, true },
	{ "the rest and 8", { { 8, 0 }, { 0, 8 } }, true },
	{ "16 and the rest", { { 0, 16 }, { 16, 0 } }, true },
	{ "three", { { 0, 8 }, { 8, 24 }, { 24, 0 } }, true },
	{ "three, shuffled", { { 24, 0 }, { 0, 8 }, { 8, 24 } }, true },
	{ "the first alone", { { 0, 24 } }, false },
	{ "the last alone", { { 8, 0 } }, false },
	{ "a hole", { { 0, 8 }, { 16, 0 } }, false },
	{ "overlap", { { 0, 16 }, { 8, 0 } }, false },
};

static const struct cut ipv6_cuts[] = {
	{ "40 and the rest", { { 0, 40 }, { 40, 0 } }, true },
	{ "the rest and 40", { { 40, 0 }, { 0, 40 } }, true },
	{ "three", { { 0, 32 }, { 32, 40 }, { 40, 0 } }, true },
	{ "three, shuffled", { { 40, 0 }, { 0, 32 }, { 32, 40 } }, true },
	{ "8 and the rest", { { 0, 8 }, { 8, 0 } }, false },
	{ "the first alone", { { 0, 32 } }, false },
	{ "the last alone", { { 32, 0 } }, false },
	{ "overlap", { { 0, 40 }, { 32, 0 } }, false },
};

static void __printf(4, 5) send_pieces(struct peer *peer, const struct cut *cut,
				       u16 id, const char *format, ...)
{
	const struct piece *piece = cut->piece;
	char line[LINE_MAX_LEN];
	va_list args;
	u8 raw[256];
	size_t len;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	len = peer_prepare(peer, raw, "%s", line);
	do {
		inject_piece(peer, raw, len, piece++, id);
	} while (piece < cut->piece + 4 && (piece->from || piece->to));
}

/* @arg: whether the SYN comes in pieces, else only what completes */
static void fragments(struct peer *peer, const void *arg)
{
	bool v4 = peer->family == AF_INET;
	const struct cut *cut = v4 ? ipv4_cuts : ipv6_cuts;
	unsigned int count = v4 ? ARRAY_SIZE(ipv4_cuts) :
				  ARRAY_SIZE(ipv6_cuts);
	u16 id = 100;

	peer_serve(peer, NULL);
	for (; count--; cut++) {
		peer_flow(peer);
		peer_label(peer, "%s", cut->what);
		if (*(const bool *)arg) {
			send_pieces(peer, cut, id++, "S 0(8) <%s>",
				    SYN_OPTIONS);
			if (cut->complete)
				expect(peer, "S. 0 ack 1");
			peer_watch(peer, 100);
			check(peer, peer->iss_known == cut->complete,
			      "SYN-ACK");
			peer_send(peer, "R 1");
			continue;
		}
		peer_syn(peer, SYN_OPTIONS);
		send_pieces(peer, cut, id++,
			    "P. 1(40) ack 1 <nop,nop,TS val 2000 ecr ^>");
		if (cut->complete)
			expect(peer, ". 1 ack 41");
		peer_watch(peer, 100);
		peer_note(peer, "accept %d",
			  close(accept(peer->listener, NULL, NULL)));
		peer_send(peer, "R %d", cut->complete ? 41 : 1);
		peer_watch(peer, 200);
	}
}

TEST_F_TIMEOUT(wire, IP3_V63_SYN_in_fragments, 120)
{
	static const bool yes = true;

	same_as_native(&self->peer, fragments, &yes);
	/* LOCAL_IN sees single IPv6 fragments: those SYNs may be native's. */
	if (variant->family == AF_INET)
		EXPECT_EQ(5, peer_counter(&self->peer,
					  THREEWAY_C_flows_opened));
}

TEST_F_TIMEOUT(wire, IP3_IP4_V63_completing_segment_in_fragments, 120)
{
	static const bool no;

	same_as_native(&self->peer, fragments, &no);
	EXPECT_EQ(variant->family == AF_INET ? ARRAY_SIZE(ipv4_cuts) :
					       ARRAY_SIZE(ipv6_cuts),
		  peer_counter(&self->peer, THREEWAY_C_flows_opened));
	/* Native judges what it alone can put together. */
	if (variant->family == AF_INET6)
		EXPECT_LE(4, peer_counter(&self->peer,
					  THREEWAY_C_handoff_fragment));
	EXPECT_EQ(variant->family == AF_INET ? 5 :
		  peer_counter(&self->peer, THREEWAY_C_handoff_fragment),
		  peer_counter(&self->peer, THREEWAY_C_flows_handed_over));
}

/*
 * In fragments as well a bad ACK is reset and the flow stays. What else does not
 * complete is dropped before IPv6 has put it together.
 */
TEST_F(wire, IP3_SR2_SR12_bad_segments_in_fragments)
{
	struct peer *peer = &self->peer;
	bool v4 = variant->family == AF_INET;
	const struct cut *cut = v4 ? ipv4_cuts : ipv6_cuts;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	send_pieces(peer, cut, 1, "P. 1(40) ack 7 <nop,nop,TS val 1 ecr ^>");
	expect(peer, "R 7 win 0");
	send_pieces(peer, cut, 2, ". 100000(40) ack 9");
	expect(peer, "R 9 win 0");
	send_pieces(peer, cut, 3, ". 100000(40) ack 1");
	if (v4)
		expect(peer, ". 1 ack 1");
	expect_silence(peer);
	EXPECT_EQ(!v4, peer_counter(peer, THREEWAY_C_segment_fragment));
	expect_no_accept(peer);
	expect_flow(peer, true);
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_handed_over));
}

/* IPv4 options, or extension headers in front of TCP, and the first's type. */
struct extension {
	const char *what;
	u8 octets[64];
	size_t len;
	u8 type;
	bool answered;
};

static const struct extension ipv4_options[] = {
	{ "NOPs", { 1, 1, 1, 0 }, 4, 0, true },
	{ "record route", { 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 0, true },
	{ "time stamp", { 68, 12, 5, 0 }, 12, 0, true },
	{ "router alert", { 148, 4, 0, 0 }, 4, 0, true },
	{ "loose source route", { 131, 7, 4, 192, 0, 2, 9, 0 }, 8, 0, false },
	{ "strict source route", { 137, 7, 4, 192, 0, 2, 9, 0 }, 8, 0, false },
	{ "40 octets", { 1, 1, 1, 1, 1, 1, 1, 1 }, 40, 0, true },
};

/* An extension header begins with the type of the next; 1, 4 is PadN. */
static const struct extension ipv6_headers[] = {
	{ "hop by hop", { 0, 0, 1, 4 }, 8, IPPROTO_HOPOPTS, true },
	{ "destination options", { 0, 0, 1, 4 }, 8, IPPROTO_DSTOPTS, true },
	{ "two of destination options",
	  { IPPROTO_DSTOPTS, 0, 1, 4, 0, 0, 0, 0, 0, 0, 1, 4 }, 16,
	  IPPROTO_DSTOPTS, true },
	{ "hop by hop, destination options",
	  { IPPROTO_DSTOPTS, 0, 1, 4, 0, 0, 0, 0, 0, 0, 1, 4 }, 16,
	  IPPROTO_HOPOPTS, true },
	{ "atomic fragment", { 0, 0, 0, 0, 0, 0, 0, 9 }, 8, IPPROTO_FRAGMENT,
	  true },
	{ "destination options, atomic fragment",
	  { IPPROTO_FRAGMENT, 0, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8 }, 16,
	  IPPROTO_DSTOPTS, true },
	{ "routing header 253 used up", { 0, 2, 253, 0 }, 24, IPPROTO_ROUTING,
	  true },
	{ "routing header 0 used up", { 0, 2, 0, 0 }, 24, IPPROTO_ROUTING,
	  true },
	/* V62: the IP layer answers by a parameter problem or not at all */
	{ "routing header 0", { 0, 2, 0, 1 }, 24, IPPROTO_ROUTING, false },
	{ "unknown header", { 0, 0, 1, 4 }, 8, 150, false },
	{ "unknown option", { 0, 0, 0xc2, 4, 0, 0, 0, 0 }, 8, IPPROTO_DSTOPTS,
	  false },
	{ "unknown option that may be skipped", { 0, 0, 0x1e, 4, 1, 2, 3, 4 },
	  8, IPPROTO_DSTOPTS, true },
	{ "padding that is not 0", { 0, 0, 1, 4, 0, 0, 0, 1 }, 8,
	  IPPROTO_DSTOPTS, false },
	{ "too much padding", { 0, 1, 1, 12 }, 16, IPPROTO_DSTOPTS, false },
	{ "an option that is longer than its header", { 0, 0, 0x1e, 5 }, 8,
	  IPPROTO_DSTOPTS, false },
	{ "hop by hop behind another one",
	  { IPPROTO_HOPOPTS, 0, 1, 4, 0, 0, 0, 0, 0, 0, 1, 4 }, 16,
	  IPPROTO_DSTOPTS, false },
	/* nobody has verified it */
	{ "authentication", { 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1 }, 16, IPPROTO_AH,
	  false },
};

static void set_extension(struct peer *peer, const struct extension *extension)
{
	memcpy(peer->header.extension, extension->octets, extension->len);
	peer->header.extension_len = extension->len;
	peer->header.extension_type = extension->type;
}

/* On the SYN first, then on the ACK only. */
static void extensions(struct peer *peer, const void *arg)
{
	bool v4 = peer->family == AF_INET;
	const struct extension *extension = v4 ? ipv4_options : ipv6_headers;
	unsigned int i, count = v4 ? ARRAY_SIZE(ipv4_options) :
				     ARRAY_SIZE(ipv6_headers);

	peer_serve(peer, arg);
	for (i = 0; i < count; i++, extension++) {
		peer_flow(peer);
		peer_label(peer, "SYN with %s", extension->what);
		set_extension(peer, extension);
		peer_send(peer, "S 0 <mss 1000>");
		if (extension->answered)
			expect(peer, "S. 0 ack 1");
		peer_watch(peer, 100);
		check(peer, peer->iss_known == extension->answered, "SYN-ACK");
		if (peer->iss_known) {
			peer_send(peer, ". 1 ack 1");
			peer_watch(peer, 200);
			close(expect_accept(peer));
		}
		peer->header.extension_len = 0;
		peer_flow(peer);
		peer_label(peer, "ACK with %s", extension->what);
		peer_syn(peer, "mss 1000");
		set_extension(peer, extension);
		peer_send(peer, "P. 1(10) ack 1");
		peer_watch(peer, 100);
		peer_note(peer, "accept %d",
			  close(accept(peer->listener, NULL, NULL)));
		peer->header.extension_len = 0;
		peer_send(peer, "P. 1(10) ack 1");
		peer_watch(peer, 200);
		peer_note(peer, "accept %d",
			  close(accept(peer->listener, NULL, NULL)));
		peer_send(peer, "R 11");
	}
}

/* The part of a chain that is a fragment header, if there is one. */
static bool has_fragment(const struct extension *extension)
{
	return extension->type == IPPROTO_FRAGMENT ||
	       extension->octets[0] == IPPROTO_FRAGMENT;
}

/*
 * What the IP layer does not pass on means nothing to a half-open flow. (Those in
 * fragments the native stack decides on when it has the whole. Natively a RST has
 * the IPv4 options of what it answers.)
 */
static void behind_headers(struct peer *peer, const void *arg)
{
	static const char * const segments[] = { "R 1", ". 1 ack 7", "S 2" };
	bool v4 = peer->family == AF_INET;
	const struct extension *extension = v4 ? ipv4_options : ipv6_headers;
	unsigned int i, j, count = v4 ? ARRAY_SIZE(ipv4_options) :
					ARRAY_SIZE(ipv6_headers);

	peer_serve(peer, arg);
	for (i = 0; i < count * 3; i++) {
		j = i / 3;
		if (v4 ? extension[j].answered && i % 3 :
			 has_fragment(&extension[j]))
			continue;
		peer_flow(peer);
		peer_label(peer, "%s with %s", segments[i % 3],
			   extension[j].what);
		peer_syn(peer, "mss 1000");
		set_extension(peer, &extension[j]);
		peer_send(peer, "%s", segments[i % 3]);
		peer_watch(peer, 50);
		peer->header.extension_len = 0;
		peer_send(peer, ". 1 ack 1");
		peer_watch(peer, 50);
		peer_note(peer, "accept %d",
			  close(accept(peer->listener, NULL, NULL)));
	}
}

TEST_F_TIMEOUT(wire, IP4_V61_V62_segments_behind_headers_as_native, 120)
{
	same_as_native(&self->peer, behind_headers, NULL);
	EXPECT_LT(10, peer_counter(&self->peer, THREEWAY_C_flows_opened));
}

/* But for what the IP layer says. */
static void no_tcp(struct peer *peer)
{
	while (peer_receive(peer, 50))
		check(peer, peer->latest.icmp, "an answer of TCP");
}

/* A held flow has nobody else to ask. */
TEST_F(wire, V61_V62_held_flows_do_not_act_on_what_IP_refuses)
{
	const struct extension *extension = ipv6_headers;
	struct peer *peer = &self->peer;
	unsigned int i;

	if (variant->family == AF_INET)
		return;
	peer_hold(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(ipv6_headers); i++, extension++) {
		if (extension->answered)
			continue;
		peer_label(peer, "%s", extension->what);
		peer_flow(peer);
		set_extension(peer, extension);
		peer_send(peer, "S 0 <mss 1000>");
		no_tcp(peer);
		peer->header.extension_len = 0;
		peer_syn(peer, "mss 1000");
		set_extension(peer, extension);
		peer_send(peer, "R 1");
		peer_send(peer, ". 1 ack 7");
		no_tcp(peer);
		peer->header.extension_len = 0;
		expect_flow(peer, true);
		peer_send(peer, "R 1");
		expect_flow(peer, false);
	}
}

TEST_F_TIMEOUT(wire, IP4_IP12_V61_V62_options_and_headers_as_native, 120)
{
	struct peer *peer = &self->peer;
	bool v4 = variant->family == AF_INET;

	same_as_native(peer, extensions, NULL);
	/* Those SYNs were native's, the plain ones were not. */
	EXPECT_EQ(v4 ? ARRAY_SIZE(ipv4_options) : ARRAY_SIZE(ipv6_headers),
		  peer_counter(peer, THREEWAY_C_flows_opened));
	EXPECT_EQ(peer_counter(peer, THREEWAY_C_flows_opened),
		  peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_LE(v4 ? 5 : 6,
		  peer_counter(peer, THREEWAY_C_native_ip_options));
}

/*
 * Packets of more than a page come in with only so many octets in the first
 * part of the buffer, so that headers are split from each other, and within.
 */
TEST_F(wire, OP14_IP14_headers_outside_the_linear_part)
{
	struct peer *peer = &self->peer;
	size_t ip = ip_header_len(peer);
	const size_t linear[] = { ip, ip + 1, ip + 8, ip + 19, ip + 20,
				  ip + 21, ip + 39 };
	unsigned int i;
	int fd;

	peer_serve(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(linear); i++) {
		peer_flow(peer);
		peer_label(peer, "%zu octets linear", linear[i]);
		peer->vnet.hdr_len = linear[i];
		peer_send(peer, "S 0(8000) <%s>", SYN_OPTIONS);
		expect(peer, "S. 0 ack 1 <mss *,sackOK,TS val * ecr 1000,nop,wscale *>");
		peer_send(peer, "P. 1(60000) ack 1 <nop,nop,TS val 1001 ecr ^>");
		expect(peer, ". 1 ack 60001");
		fd = expect_accept(peer);
		expect_stream(peer, fd, 1, 60000);
		expect_counters(peer, "flows_opened 1; sent_synack 1; "
				      "flows_handed_over 1");
		peer->vnet.hdr_len = 0;
		peer_send(peer, "R 60001");
		close(fd);
	}
}

/* A checksum that is still to be completed, as between virtual machines. */
TEST_F(wire, IP1_partial_checksum_is_no_bad_one)
{
	struct peer *peer = &self->peer;
	u8 raw[256];
	size_t len;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	peer->vnet.csum_start = ip_header_len(peer);
	peer->vnet.csum_offset = 16;
	len = peer_prepare(peer, raw, "S 0(8) <%s>", SYN_OPTIONS);
	raw[ip_header_len(peer) + 16] ^= 0xff;
	peer_inject(peer, raw, len);
	expect(peer, "S. 0 ack 1");
	len = peer_prepare(peer, raw, "P. 1(8) ack 1");
	raw[ip_header_len(peer) + 16] ^= 0xff;
	peer_inject(peer, raw, len);
	expect(peer, ". 1 ack 9");
	close(expect_accept(peer));
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "flows_handed_over 1");
}

/* What GRO makes of many segments: one large one, with its segment size. */
TEST_F(wire, SR13_IP14_super_segment_completes)
{
	struct peer *peer = &self->peer;
	static u8 raw[PACKET_MAX];
	size_t len;
	int fd;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	len = peer_prepare(peer, raw, "P. 1(60000) ack 1 <nop,nop,TS val 1001 ecr ^>");
	peer->vnet = (struct virtio_net_hdr) {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = variant->family == AF_INET ?
			    VIRTIO_NET_HDR_GSO_TCPV4 :
			    VIRTIO_NET_HDR_GSO_TCPV6,
		.hdr_len = ip_header_len(peer) + 32,
		.gso_size = 1400,
		.csum_start = ip_header_len(peer),
		.csum_offset = 16,
	};
	peer_inject(peer, raw, len);
	expect(peer, ". 1 ack 60001");
	fd = expect_accept(peer);
	expect_stream(peer, fd, 1, 60000);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			      "flows_handed_over 1");
	close(fd);
}

/* The same link-local addresses and ports on two links are two flows. */
TEST(V64_link_local_peers)
{
	static struct peer peer;
	struct threeway_flow *flows = NULL;
	struct flow flow[2];
	int i, tun[2];

	ASSERT_EQ(NULL, peer_open(&peer, AF_INET6, true));
	tun[0] = peer.tun;
	tun[1] = peer_add_device(&peer, "tun1");
	ASSERT_LE(0, tun[1]);
	for (i = 0; i < 2; i++)
		run("ip address add fe80::1/64 dev tun%d nodad", i);
	sleep_ms(10);
	inet_pton(AF_INET6, "fe80::2", &peer.header.src);
	inet_pton(AF_INET6, "fe80::1", &peer.header.dst);
	peer_serve(&peer, NULL);
	for (i = 0; i < 2; i++) {
		peer.tun = tun[i];
		peer.iss_known = false;
		peer_syn(&peer, "mss 1000");
		flow[i] = peer_park(&peer);
	}
	EXPECT_NE(flow[0].iss, flow[1].iss);
	ASSERT_EQ(2, threeway_flow_list(peer.engine, &flows));
	EXPECT_NE(flows[0].key.ifindex, flows[1].key.ifindex);
	EXPECT_NE(0, flows[0].key.ifindex);
	EXPECT_NE(0, flows[1].key.ifindex);
	free(flows);
	for (i = 0; i < 2; i++) {
		peer.tun = tun[i];
		peer_resume(&peer, flow[i]);
		peer_send(&peer, "P. 1(5) ack 1");
		expect(&peer, ". 1 ack 6");
		close(expect_accept(&peer));
	}
	expect_counters(&peer, "flows_opened 2; sent_synack 2; "
			"flows_handed_over 2");
	EXPECT_EQ(0, peer.failures);
	close(tun[0]);
	peer_close(&peer);
}

TEST_HARNESS_MAIN
