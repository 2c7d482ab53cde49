/* SPDX-License-Identifier: GPL-2.0 */
/* TCP segments through raw sockets, for peers that no kernel would be. */
#ifndef _RAWSEG_H
#define _RAWSEG_H

#include "netutil.h"

#include <linux/tcp.h>

#define RAW_WINDOW	64240
#define RAW_MSS		1400
#define RAW_DATA_MAX	1400

/* Who talks to whom; ports are those of the segments. */
struct raw_path {
	union address source, destination;
};

/* The part of the command line that all have: -s -c -a -d -p. */
struct raw_config {
	const char *server_netns, *client_netns, *source, *destination;
	unsigned int port;
};

#define RAW_OPTIONS	"s:c:a:d:p:"

/* Return: whether it is one of RAW_OPTIONS. */
static inline bool raw_option(struct raw_config *config, int option,
			      const char *argument)
{
	switch (option) {
	case 's':
		config->server_netns = argument;
		break;
	case 'c':
		config->client_netns = argument;
		break;
	case 'a':
		config->source = argument;
		break;
	case 'd':
		config->destination = argument;
		break;
	case 'p':
		config->port = atoi(argument);
		break;
	default:
		return false;
	}
	return true;
}

/* Link-local names need the namespace. */
static inline struct raw_path raw_parse_path(const struct raw_config *config)
{
	return (struct raw_path) {
		.source = parse_address(config->source, 0),
		.destination = parse_address(config->destination, config->port),
	};
}

/* In the server's namespace, to which the caller moves. */
static inline int raw_listener(const struct raw_config *config,
			       const struct raw_path *path, int backlog)
{
	int fd, one = 1;

	enter_netns(config->server_netns);
	fd = socket(path->destination.sa.sa_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &path->destination.sa,
		 address_length(&path->destination)) ||
	    listen(fd, backlog))
		die("listen: %s", strerror(errno));
	return fd;
}

/* Its data is the beginning of stream 0. */
struct segment {
	unsigned short port, to;
	unsigned int seq, ack;
	bool syn, rst;
	unsigned int data;
};

struct pseudo_v4 {
	struct in_addr source, destination;
	unsigned short protocol, length;
};

struct pseudo_v6 {
	struct in6_addr source, destination;
	unsigned int length, protocol;
};

static inline unsigned int raw_sum(const void *data, size_t length,
				   unsigned int start)
{
	const unsigned char *byte = data;
	size_t i;

	for (i = 0; i < length; i++)
		start += i & 1 ? byte[i] : byte[i] << 8;
	return start;
}

static inline unsigned short raw_checksum(const struct raw_path *path,
					  const void *segment, size_t length)
{
	unsigned int total;

	if (path->source.sa.sa_family == AF_INET) {
		struct pseudo_v4 pseudo = {
			path->source.v4.sin_addr,
			path->destination.v4.sin_addr,
			htons(IPPROTO_TCP), htons(length),
		};

		total = raw_sum(&pseudo, sizeof(pseudo), 0);
	} else {
		struct pseudo_v6 pseudo = {
			path->source.v6.sin6_addr,
			path->destination.v6.sin6_addr,
			htonl(length), htonl(IPPROTO_TCP),
		};

		total = raw_sum(&pseudo, sizeof(pseudo), 0);
	}
	total = raw_sum(segment, length, total);
	total = (total >> 16) + (total & 0xffff);
	total += total >> 16;
	return htons(~total);
}

static inline size_t raw_build_ip(const struct raw_path *path,
				  unsigned char *packet, size_t tcp_length)
{
	if (path->source.sa.sa_family == AF_INET) {
		/* The kernel fills in identification and checksum. */
		packet[0] = 0x45;
		packet[2] = (20 + tcp_length) >> 8;
		packet[3] = 20 + tcp_length;
		packet[8] = 64;
		packet[9] = IPPROTO_TCP;
		memcpy(packet + 12, &path->source.v4.sin_addr, 4);
		memcpy(packet + 16, &path->destination.v4.sin_addr, 4);
		return 20;
	}
	packet[0] = 0x60;
	packet[4] = tcp_length >> 8;
	packet[5] = tcp_length;
	packet[6] = IPPROTO_TCP;
	packet[7] = 64;
	memcpy(packet + 8, &path->source.v6.sin6_addr, 16);
	memcpy(packet + 24, &path->destination.v6.sin6_addr, 16);
	return 40;
}

static inline void raw_send(int fd, const struct raw_path *path,
			    const struct segment *segment)
{
	unsigned char packet[40 + 24 + RAW_DATA_MAX] = { 0 };
	size_t header = segment->syn ? 24 : 20;
	size_t length = header + segment->data;
	size_t offset = raw_build_ip(path, packet, length);
	struct tcphdr *tcp = (void *)(packet + offset);
	union address to = path->destination;

	tcp->source = htons(segment->port);
	tcp->dest = htons(segment->to);
	tcp->seq = htonl(segment->seq);
	tcp->ack_seq = htonl(segment->ack);
	tcp->doff = header / 4;
	tcp->syn = segment->syn;
	tcp->rst = segment->rst;
	tcp->ack = !segment->syn;
	tcp->psh = segment->data > 0;
	tcp->window = htons(RAW_WINDOW);
	if (segment->syn) {
		packet[offset + 20] = 2;
		packet[offset + 21] = 4;
		packet[offset + 22] = RAW_MSS >> 8;
		packet[offset + 23] = RAW_MSS & 0xff;
	}
	memcpy(packet + offset + header, stream_at(0, 0), segment->data);
	tcp->check = raw_checksum(path, tcp, length);
	set_port(&to, 0);
	while (sendto(fd, packet, offset + length, 0, &to.sa,
		      address_length(&to)) < 0)
		if (errno != ENOBUFS)
			die("sendto: %s", strerror(errno));
}

static inline int raw_socket(const struct raw_path *path, int protocol)
{
	int fd = socket(path->source.sa.sa_family, SOCK_RAW | SOCK_CLOEXEC,
			protocol);

	if (fd < 0)
		die("raw socket: %s", strerror(errno));
	return fd;
}

/* Where in a packet that a raw socket received TCP begins: no IPv6 header. */
static inline struct tcphdr *raw_received(const struct raw_path *path,
					  unsigned char *packet)
{
	if (path->source.sa.sa_family == AF_INET)
		packet += (packet[0] & 15) * 4;
	return (struct tcphdr *)packet;
}

#endif /* _RAWSEG_H */
