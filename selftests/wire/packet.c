// SPDX-License-Identifier: GPL-2.0
/* Packets as octets: see packet.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "packet.h"

#define IPV4_MIN	20
#define IPV6_MIN	40
#define TCP_MIN		20
#define ICMP_MIN 8

static void put16(u8 *p, u16 v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(u8 *p, u32 v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static u16 get16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static u32 get32(const u8 *p)
{
	return (u32)get16(p) << 16 | get16(p + 2);
}

/* The Internet checksum's running sum, RFC 1071. */
static u32 sum(u32 start, const u8 *p, size_t len)
{
	for (; len > 1; p += 2, len -= 2)
		start += get16(p);
	if (len)
		start += *p << 8;
	while (start >> 16)
		start = (start & 0xffff) + (start >> 16);
	return start;
}

static u16 fold(u32 value)
{
	while (value >> 16)
		value = (value & 0xffff) + (value >> 16);
	return ~value;
}

static size_t address_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* Source and destination as they stand in the IP header. */
static const u8 *addresses(const u8 *raw, int family)
{
	return raw + (family == AF_INET ? 12 : 8);
}

static u16 transport_checksum(const u8 *raw, int family, u8 protocol,
			      const u8 *p, size_t len)
{
	u32 value = sum(0, addresses(raw, family),
			     2 * address_len(family));

	return fold(sum(value + protocol + (len >> 16) + (len & 0xffff),
			p, len));
}

u8 stream_octet(u32 place)
{
	return 'a' + place % 26;
}

static size_t build_tcp(const struct packet *packet, u8 *p)
{
	size_t options = (packet->options_len + 3) & ~3UL;
	size_t len = TCP_MIN + options;

	memset(p, 0, len);
	put16(p, packet->sport);
	put16(p + 2, packet->dport);
	put32(p + 4, packet->seq);
	put32(p + 8, packet->ack);
	put16(p + 12, len / 4 << 12 | packet->flags);
	put16(p + 14, packet->window);
	put16(p + 18, packet->urgent);
	memcpy(p + TCP_MIN, packet->options, packet->options_len);
	if (packet->data)
		memcpy(p + len, packet->data, packet->data_len);
	else
		memset(p + len, 0, packet->data_len);
	return len + packet->data_len;
}

static size_t build_ipv4(const struct packet *packet, u8 *raw)
{
	size_t header = IPV4_MIN + packet->extension_len;
	size_t len = header + build_tcp(packet, raw + header);

	memset(raw, 0, IPV4_MIN);
	raw[0] = 0x40 | header / 4;
	raw[1] = packet->tos;
	put16(raw + 2, len);
	put16(raw + 4, packet->ip_id);
	put16(raw + 6, packet->df ? 0x4000 : 0);
	raw[8] = packet->ttl;
	raw[9] = IPPROTO_TCP;
	memcpy(raw + 12, packet->src.octet, 4);
	memcpy(raw + 16, packet->dst.octet, 4);
	memcpy(raw + IPV4_MIN, packet->extension, packet->extension_len);
	put16(raw + 10, fold(sum(0, raw, header)));
	put16(raw + header + 16,
	      transport_checksum(raw, AF_INET, IPPROTO_TCP, raw + header,
				 len - header));
	return len;
}

size_t packet_build_icmp(const struct packet *packet, u16 type,
			 const u8 *about, size_t about_len, u8 *raw)
{
	bool v4 = packet->family == AF_INET;
	size_t header = v4 ? IPV4_MIN : IPV6_MIN;
	size_t len = ICMP_MIN + about_len;
	u8 *p = raw + header;

	memset(raw, 0, header + ICMP_MIN);
	memcpy(raw + (v4 ? 12 : 8), packet->src.octet, v4 ? 4 : 16);
	memcpy(raw + (v4 ? 16 : 24), packet->dst.octet, v4 ? 4 : 16);
	raw[v4 ? 8 : 7] = packet->ttl;
	put16(p, type);
	memcpy(p + ICMP_MIN, about, about_len);
	if (v4) {
		raw[0] = 0x45;
		put16(raw + 2, header + len);
		raw[9] = IPPROTO_ICMP;
		put16(raw + 10, fold(sum(0, raw, header)));
		put16(p + 2, fold(sum(0, p, len)));
	} else {
		raw[0] = 0x60;
		put16(raw + 4, len);
		raw[6] = IPPROTO_ICMPV6;
		put16(p + 2, transport_checksum(raw, AF_INET6, IPPROTO_ICMPV6,
						p, len));
	}
	return header + len;
}

/*
 * The first octet of each extension header says which one follows; its author
 * knows that of all but the last.
 */
static void chain_extensions(u8 *p, size_t len, u8 type)
{
	size_t size;

	while (len) {
		size = type == IPPROTO_FRAGMENT ? 8 : 8 * (p[1] + 1);
		type = p[0];
		if (size >= len) {
			p[0] = IPPROTO_TCP;
			return;
		}
		p += size;
		len -= size;
	}
}

static size_t build_ipv6(const struct packet *packet, u8 *raw)
{
	size_t header = IPV6_MIN + packet->extension_len;
	size_t len = header + build_tcp(packet, raw + header);

	put32(raw, 6U << 28 | packet->tos << 20 | packet->flow_label);
	put16(raw + 4, len - IPV6_MIN);
	raw[6] = packet->extension_len ? packet->extension_type : IPPROTO_TCP;
	raw[7] = packet->ttl;
	memcpy(raw + 8, packet->src.octet, 16);
	memcpy(raw + 24, packet->dst.octet, 16);
	memcpy(raw + IPV6_MIN, packet->extension, packet->extension_len);
	chain_extensions(raw + IPV6_MIN, packet->extension_len,
			 packet->extension_type);
	put16(raw + header + 16,
	      transport_checksum(raw, AF_INET6, IPPROTO_TCP, raw + header,
				 len - header));
	return len;
}

size_t packet_build(const struct packet *packet, u8 *raw)
{
	return packet->family == AF_INET ? build_ipv4(packet, raw) :
					   build_ipv6(packet, raw);
}

void packet_checksum(u8 *raw, size_t len)
{
	int family = raw[0] >> 4 == 4 ? AF_INET : AF_INET6;
	size_t header = IPV6_MIN;

	if (family == AF_INET) {
		header = (raw[0] & 15) * 4;
		put16(raw + 10, 0);
		put16(raw + 10, fold(sum(0, raw, header)));
	}
	put16(raw + header + 16, 0);
	put16(raw + header + 16,
	      transport_checksum(raw, family, IPPROTO_TCP, raw + header,
				 len - header));
}

void packet_complete(u8 *raw, size_t len, size_t start, size_t at)
{
	if (start < len && at + 2 <= len - start)
		put16(raw + start + at, fold(sum(0, raw + start, len - start)));
}

static size_t parse_ipv4(struct packet *packet, const u8 *raw, size_t len,
			 u8 *protocol, const char **reason)
{
	size_t header = (raw[0] & 15) * 4;

	*reason = "IPv4 header";
	if (len < IPV4_MIN || header < IPV4_MIN || len < header ||
	    get16(raw + 2) != len)
		return 0;
	*reason = "IPv4 checksum";
	if (fold(sum(0, raw, header)))
		return 0;
	packet->tos = raw[1];
	packet->ip_id = get16(raw + 4);
	packet->df = raw[6] & 0x40;
	packet->ttl = raw[8];
	packet->extension_len = header - IPV4_MIN;
	memcpy(packet->extension, raw + IPV4_MIN, packet->extension_len);
	*protocol = raw[9];
	return header;
}

/* Those that a socket sends: fragments and IPsec are none of them. */
static bool is_extension(u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_DSTOPTS;
}

/*
 * What goes by a source route has the next hop as its destination; the checksum is
 * of the last one. Copies the header, with that one in it.
 */
static void header_of_the_end(u8 *header, const u8 *raw, size_t len)
{
	size_t at = IPV6_MIN, size;
	u8 type = raw[6];

	memcpy(header, raw, raw[0] >> 4 == 4 ? IPV4_MIN : IPV6_MIN);
	if (raw[0] >> 4 == 4) {
		for (at = IPV4_MIN; at + 1 < len && raw[at]; at += size) {
			size = raw[at] == 1 ? 1 : raw[at + 1] ?: len;
			/* loose and strict, and not used up */
			if ((raw[at] == 131 || raw[at] == 137) &&
			    raw[at + 2] < size && at + size <= len)
				memcpy(header + 16, raw + at + size - 4, 4);
		}
		return;
	}
	for (; is_extension(type) && at + 24 <= len; at += size) {
		size = 8 * (raw[at + 1] + 1);
		/* the end stands first in a segment routing header, and else last */
		if (type == IPPROTO_ROUTING && raw[at + 3] && at + size <= len)
			memcpy(header + 24, raw[at + 2] == 4 ? raw + at + 8 :
			       raw + at + size - 16, 16);
		type = raw[at];
	}
}

static size_t parse_ipv6(struct packet *packet, const u8 *raw, size_t len,
			 u8 *protocol, const char **reason)
{
	size_t header = IPV6_MIN;

	*reason = "IPv6 header";
	if (len < IPV6_MIN || get16(raw + 4) != len - IPV6_MIN)
		return 0;
	packet->tos = get32(raw) >> 20;
	packet->flow_label = get32(raw) & 0xfffff;
	packet->ttl = raw[7];
	*protocol = raw[6];
	packet->extension_type = raw[6];
	while (is_extension(*protocol)) {
		if (len < header + 8)
			return 0;
		*protocol = raw[header];
		header += 8 * (raw[header + 1] + 1);
	}
	*reason = "IPv6 extension header";
	return header <= len ? header : 0;
}

static bool parse_tcp(struct packet *packet, const u8 *p, size_t len,
		      const char **reason)
{
	size_t header;

	*reason = "TCP header";
	if (len < TCP_MIN)
		return false;
	header = (p[12] >> 4) * 4;
	if (header < TCP_MIN || header > len)
		return false;
	packet->sport = get16(p);
	packet->dport = get16(p + 2);
	packet->seq = get32(p + 4);
	packet->ack = get32(p + 8);
	packet->flags = get16(p + 12) & 0xfff;
	packet->window = get16(p + 14);
	packet->urgent = get16(p + 18);
	packet->options_len = header - TCP_MIN;
	memcpy(packet->options, p + TCP_MIN, packet->options_len);
	packet->data = p + header;
	packet->data_len = len - header;
	return true;
}

bool packet_parse(struct packet *packet, const u8 *raw, size_t len,
		  const char **reason)
{
	u8 end[IPV6_MIN], protocol = 0;
	size_t alen, header;
	bool v4;

	memset(packet, 0, sizeof(*packet));
	*reason = "empty";
	if (!len)
		return false;
	v4 = raw[0] >> 4 == 4;
	packet->family = v4 ? AF_INET : AF_INET6;
	alen = address_len(packet->family);
	header = v4 ? parse_ipv4(packet, raw, len, &protocol, reason) :
		      parse_ipv6(packet, raw, len, &protocol, reason);
	if (!header)
		return false;
	memcpy(packet->src.octet, addresses(raw, packet->family), alen);
	memcpy(packet->dst.octet, addresses(raw, packet->family) + alen, alen);
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		*reason = "ICMP header";
		packet->icmp = len < header + 8 ? 0 : get16(raw + header);
		return len >= header + 8;
	}
	*reason = "protocol";
	if (protocol != IPPROTO_TCP ||
	    !parse_tcp(packet, raw + header, len - header, reason))
		return false;
	*reason = "TCP checksum";
	header_of_the_end(end, raw, header);
	return !transport_checksum(end, packet->family, protocol, raw + header,
				   len - header);
}

size_t packet_option(const struct packet *packet, u8 kind,
		     const u8 **option)
{
	size_t at = 0;

	while (at < packet->options_len && packet->options[at]) {
		if (packet->options[at] == 1) {
			at++;
			continue;
		}
		if (at + 1 >= packet->options_len ||
		    packet->options[at + 1] < 2 ||
		    at + packet->options[at + 1] > packet->options_len)
			return 0;
		if (packet->options[at] == kind) {
			*option = packet->options + at;
			return packet->options[at + 1];
		}
		at += packet->options[at + 1];
	}
	return 0;
}

bool packet_timestamps(const struct packet *packet, u32 *tsval,
		       u32 *tsecr)
{
	const u8 *option;

	if (packet_option(packet, 8, &option) != 10)
		return false;
	*tsval = get32(option + 2);
	*tsecr = get32(option + 6);
	return true;
}
