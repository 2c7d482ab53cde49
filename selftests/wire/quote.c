// SPDX-License-Identifier: GPL-2.0
/* ICMP errors that quote what the kernel has sent: see quote.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quote.h"

#define ICMP_HEADER	8
#define BLANK		"\n "

static void put16(u8 *p, u16 v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static u32 sum(u32 start, const u8 *p, size_t len)
{
	for (; len > 1; p += 2, len -= 2)
		start += p[0] << 8 | p[1];
	return len ? start + (*p << 8) : start;
}

static u16 fold(u32 value)
{
	while (value >> 16)
		value = (value & 0xffff) + (value >> 16);
	return ~value;
}

/* The segment of the kernel, as the router saw it. Returns its octets. */
static size_t build_quoted(const struct peer *peer,
			   const struct icmp_error *error, u8 *raw)
{
	const struct packet *sent = &peer->header;
	struct packet quoted = {
		.family = peer->family,
		.src = sent->dst,
		.dst = sent->src,
		.ttl = error->quoted_ttl ?: 1,
		.df = true,
		.extension_len = error->extension_len,
		.extension_type = error->extension_type,
		.sport = sent->dport,
		.dport = sent->sport,
		.seq = peer->iss + error->seq,
		.flags = FLAG_SYN,
		.window = 65535,
	};
	size_t header = (peer->family == AF_INET ? 20 : 40) +
			error->extension_len;
	int octets = error->octets ?: QUOTE_MIN;

	if (error->extension_len)
		memcpy(quoted.extension, error->extension,
		       error->extension_len);
	packet_build(&quoted, raw);
	if (error->spoil)
		error->spoil(raw);
	return octets == QUOTE_NOTHING ? header : header + octets;
}

static size_t build_outer4(const struct peer *peer,
			   const struct icmp_error *error, u8 *raw, size_t len)
{
	const struct packet *sent = &peer->header;
	size_t header = 20 + error->outer_len;

	memset(raw, 0, 20);
	raw[0] = 0x40 | header / 4;
	put16(raw + 2, header + len);
	raw[8] = error->ttl ?: 64;
	raw[9] = IPPROTO_ICMP;
	memcpy(raw + 12, sent->src.octet, 4);
	raw[15] = error->from ?: 3;
	memcpy(raw + 16, sent->dst.octet, 4);
	put16(raw + 10, fold(sum(0, raw, header)));
	raw += header;
	put16(raw + 2, fold(sum(0, raw, len)) ^ error->bad_checksum);
	return header + len;
}

static size_t build_outer6(const struct peer *peer,
			   const struct icmp_error *error, u8 *raw, size_t len)
{
	const struct packet *sent = &peer->header;
	size_t header = 40 + error->outer_len;
	u32 pseudo;

	memset(raw, 0, 40);
	raw[0] = 0x60;
	put16(raw + 4, error->outer_len + len);
	raw[6] = error->outer_len ? error->outer_type : IPPROTO_ICMPV6;
	raw[7] = error->ttl ?: 64;
	memcpy(raw + 8, sent->src.octet, 16);
	raw[23] = error->from ?: 3;
	memcpy(raw + 24, sent->dst.octet, 16);
	pseudo = sum(len + IPPROTO_ICMPV6, raw + 8, 32);
	raw += header;
	put16(raw + 2, fold(sum(pseudo, raw, len)) ^ error->bad_checksum);
	return header + len;
}

void peer_icmp(struct peer *peer, const struct icmp_error *error)
{
	bool v4 = peer->family == AF_INET;
	u8 raw[1024];
	u8 *p = raw + (v4 ? 20 : 40);
	size_t len;

	if (error->outer_len)
		memcpy(p, error->outer, error->outer_len);
	p += error->outer_len;
	memset(p, 0, ICMP_HEADER);
	p[0] = error->type;
	p[1] = error->code;
	put16(p + 4, error->rest >> 16);
	put16(p + 6, error->rest);
	len = ICMP_HEADER + build_quoted(peer, error, p + ICMP_HEADER);
	len = v4 ? build_outer4(peer, error, raw, len) :
		   build_outer6(peer, error, raw, len);
	peer_inject(peer, raw, len);
}

struct icmp_error hard_error(const struct peer *peer)
{
	bool v4 = peer->family == AF_INET;

	return (struct icmp_error) {
		.type = v4 ? UNREACHABLE4 : UNREACHABLE6,
		.code = v4 ? 3 : 4,
	};
}

struct icmp_error soft_error(const struct peer *peer)
{
	bool v4 = peer->family == AF_INET;

	return (struct icmp_error) {
		.type = v4 ? UNREACHABLE4 : UNREACHABLE6,
		.code = v4 ? 1 : 3,
	};
}

/* A line of names and one of numbers, each behind the prefix. */
static u64 paired_lines(const char *path, const char *prefix, const char *name)
{
	char names[8192], numbers[8192];
	char *at, *to, *word, *number;
	FILE *file = fopen(path, "r");
	u64 value = -1;

	while (file && fgets(names, sizeof(names), file) &&
	       fgets(numbers, sizeof(numbers), file)) {
		if (strncmp(names, prefix, strlen(prefix)))
			continue;
		word = strtok_r(names, BLANK, &at);
		number = strtok_r(numbers, BLANK, &to);
		for (; word && number; word = strtok_r(NULL, BLANK, &at),
		     number = strtok_r(NULL, BLANK, &to))
			if (!strcmp(word, name))
				value = strtoull(number, NULL, 10);
	}
	if (file)
		fclose(file);
	if (value == (u64)-1) {
		fprintf(stderr, "# no %s%s in %s\n", prefix, name, path);
		abort();
	}
	return value;
}

static u64 single_line(const char *name)
{
	FILE *file = fopen("/proc/net/snmp6", "r");
	char line[64];
	unsigned long long value, found = -1;

	while (file && fscanf(file, "%63s %llu", line, &value) == 2)
		if (!strcmp(line, name))
			found = value;
	if (file)
		fclose(file);
	if (found == (u64)-1) {
		fprintf(stderr, "# no %s\n", name);
		abort();
	}
	return found;
}

u64 icmp_mib(const struct peer *peer, const char *name)
{
	char name6[64];

	if (peer->family == AF_INET)
		return paired_lines("/proc/net/snmp", "Icmp:", name);
	snprintf(name6, sizeof(name6), "Icmp6%s", name);
	return single_line(name6);
}

u64 tcp_ext(const char *name)
{
	return paired_lines("/proc/net/netstat", "TcpExt:", name);
}

void quote_is_udp(u8 *quoted)
{
	quoted[quoted[0] >> 4 == 4 ? 9 : 6] = IPPROTO_UDP;
}

void quote_has_short_header(u8 *quoted)
{
	if (quoted[0] >> 4 == 4)
		quoted[0] = 0x44;
	else
		quoted[6] = IPPROTO_FRAGMENT;
}

void quote_has_long_header(u8 *quoted)
{
	if (quoted[0] >> 4 == 4)
		quoted[0] = 0x4f;
	else
		quoted[6] = IPPROTO_DSTOPTS;
}

void quote_is_to_another_port(u8 *quoted)
{
	quoted[quoted[0] >> 4 == 4 ? 23 : 43]++;
}

bool route_has(const struct peer *peer, const char *words)
{
	bool v4 = peer->family == AF_INET;
	FILE *route = popen(v4 ? "ip route get 192.0.2.2" :
			    "ip route get 2001:db8::2", "r");
	char line[512];
	bool has = false;

	while (route && fgets(line, sizeof(line), route))
		has |= !!strstr(line, words);
	if (route)
		pclose(route);
	return has;
}

const int quote_offsets[QUOTE_OFFSETS] = {
	-1, 0, 1, 2, 1000, -1000, 0x7fffffff, -0x7fffffff - 1
};
