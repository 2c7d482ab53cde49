// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: what a host of the lab does
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event.h"
#include "lab.h"
#include "tool.h"

/* An address of this family, for any function that wants one. */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t fill(const struct lab *lab, union address *address, const char *text, __u16 port)
{
	memset(address, 0, sizeof(*address));
	address->any.sa_family = lab->family;
	if (lab->family == AF_INET) {
		address->v4.sin_port = htons(port);
		if (text)
			inet_pton(AF_INET, text, &address->v4.sin_addr);
		return sizeof(address->v4);
	}
	address->v6.sin6_port = htons(port);
	if (text)
		inet_pton(AF_INET6, text, &address->v6.sin6_addr);
	return sizeof(address->v6);
}

static const char *address_of(const struct lab *lab, enum lab_end end)
{
	return lab_address(lab, end == LAB_A ? LAB_ADDRESS_A : LAB_ADDRESS_B);
}

int lab_claim(struct lab *lab, enum lab_end end, int direction, int mode, __u16 port,
	      const struct threeway_policy *policy)
{
	struct threeway_claim claim = {
		.family = lab->family,
		.direction = direction,
		.mode = mode,
		.port_first = port,
		.port_last = port,
	};
	int err;

	if (policy)
		claim.policy = *policy;
	err = threeway_claim_add(lab->hosts[end].device, &claim);
	return err ? kernel_error(err, "lab: claim add", NULL) : STATUS_OK;
}

int lab_open(struct lab *lab, enum lab_end end, __u16 from, __u16 port,
	     const struct threeway_policy *policy, struct threeway_open *open)
{
	int err;

	memset(open, 0, sizeof(*open));
	open->key.family = lab->family;
	inet_pton(lab->family, address_of(lab, end == LAB_A ? LAB_B : LAB_A), open->key.remote);
	open->key.remote_port = htons(port);
	open->key.local_port = htons(from ? from : LAB_CLIENT_PORT);
	if (policy)
		open->policy = *policy;
	err = threeway_open_flow(lab->hosts[end].device, open);
	return err ? kernel_error(err, "lab: open", NULL) : STATUS_OK;
}

int lab_kill(struct lab *lab, enum lab_end end, const struct threeway_open *open)
{
	int err = threeway_flow_del(lab->hosts[end].device, open->id, &open->key);

	return err ? kernel_error(err, "lab: flow kill", NULL) : STATUS_OK;
}

bool lab_flow_is(struct lab *lab, enum lab_end end, __u16 port, int state)
{
	struct threeway_flow *flows;
	int i, count = threeway_flow_list(lab->hosts[end].device, &flows);
	bool found = false;

	if (count < 0)
		return false;
	for (i = 0; i < count; i++)
		found |= flows[i].state == state && (ntohs(flows[i].key.local_port) == port ||
						     ntohs(flows[i].key.remote_port) == port);
	free(flows);
	return found;
}

/* A socket on that host, which lab_net_down() closes. */
static int make_socket(struct lab *lab, enum lab_end end, int type, int protocol, int *fd)
{
	const struct linger reset = { .l_onoff = 1 };
	int status = lab_enter(lab, end);

	if (status)
		return status;
	if (lab->socket_count == LAB_SOCKETS)
		return failure("lab: too many sockets");
	*fd = socket(lab->family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (*fd < 0)
		return failure("lab: cannot make a socket: %s", strerror(errno));
	lab->sockets[lab->socket_count++] = *fd;
	/* A connection that waits for its last ACKs would keep the namespace. */
	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return STATUS_OK;
}

static int bind_socket(const struct lab *lab, int fd, const char *text, __u16 port)
{
	union address address;
	socklen_t length = fill(lab, &address, text, port);
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &address.any, length))
		return failure("lab: cannot bind port %u: %s", port, strerror(errno));
	return STATUS_OK;
}

int lab_listen(struct lab *lab, enum lab_end end, __u16 port, int *fd)
{
	int status = make_socket(lab, end, SOCK_STREAM, 0, fd);

	if (!status)
		status = bind_socket(lab, *fd, NULL, port);
	if (!status && listen(*fd, 8))
		status = failure("lab: cannot listen: %s", strerror(errno));
	return status;
}

int lab_connect(struct lab *lab, enum lab_end end, __u16 from, enum lab_address to, __u16 port,
		int *fd)
{
	int status = make_socket(lab, end, SOCK_STREAM, 0, fd);
	union address address;
	socklen_t length = fill(lab, &address, lab_address(lab, to), port);

	if (!status && from)
		status = bind_socket(lab, *fd, address_of(lab, end), from);
	if (!status && connect(*fd, &address.any, length) && errno != EINPROGRESS)
		status = failure("lab: cannot connect: %s", strerror(errno));
	return status;
}

int lab_connected(struct lab *lab, int fd, unsigned int within_ms)
{
	int err = 0;
	socklen_t length = sizeof(err);

	if (!lab_wait(lab, fd, POLLOUT, within_ms))
		return -ETIME;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &length);
	return -err;
}

int lab_accept(struct lab *lab, int fd, unsigned int within_ms)
{
	int connection;

	if (lab->socket_count == LAB_SOCKETS || !lab_wait(lab, fd, POLLIN, within_ms))
		return -1;
	connection = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (connection >= 0)
		lab->sockets[lab->socket_count++] = connection;
	return connection;
}

static bool is_established(int fd)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);

	memset(&info, 0, sizeof(info));
	return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) &&
	       info.tcpi_state == TCP_ESTABLISHED;
}

bool lab_talk(struct lab *lab, int from, int to)
{
	static const char text[] = "hello";
	char buf[sizeof(text)];

	return is_established(from) && send(from, text, sizeof(text), MSG_NOSIGNAL) > 0 &&
	       lab_wait(lab, to, POLLIN, LAB_SOON_MS) && is_established(to) &&
	       recv(to, buf, sizeof(buf), 0) == sizeof(text) && !memcmp(text, buf, sizeof(buf));
}

/**
 * struct pseudo - what the checksum of IPv4 covers beside the segment
 * @source:	address
 * @destination: address
 * @zero:	0
 * @protocol:	TCP
 * @length:	of the segment
 * @header:	the segment
 */
struct pseudo {
	__be32 source;
	__be32 destination;
	__u8 zero;
	__u8 protocol;
	__be16 length;
	struct tcphdr header;
};

static __u16 checksum(const struct lab *lab, enum lab_end end, const struct tcphdr *header)
{
	struct pseudo pseudo = {
		.protocol = IPPROTO_TCP,
		.length = htons(sizeof(*header)),
		.header = *header,
	};
	__u16 words[sizeof(pseudo) / 2];
	__u32 sum = 0;
	size_t i;

	inet_pton(AF_INET, address_of(lab, end), &pseudo.source);
	inet_pton(AF_INET, address_of(lab, end == LAB_A ? LAB_B : LAB_A), &pseudo.destination);
	memcpy(words, &pseudo, sizeof(words));
	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

int lab_forge_syn(struct lab *lab, enum lab_end end, __u16 from, __u16 port, __u32 seq)
{
	struct tcphdr header = {
		.source = htons(from),
		.dest = htons(port),
		.seq = htonl(seq),
		.doff = sizeof(header) / 4,
		.syn = 1,
		.window = htons(8192),
	};
	int fd, status, offset = offsetof(struct tcphdr, check);
	union address address;
	socklen_t length;

	status = make_socket(lab, end, SOCK_RAW, IPPROTO_TCP, &fd);
	if (status)
		return status;
	if (lab->family == AF_INET)
		header.check = checksum(lab, end, &header);
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_CHECKSUM, &offset, sizeof(offset));
	/* A raw socket has no ports. */
	length = fill(lab, &address, address_of(lab, end == LAB_A ? LAB_B : LAB_A), 0);
	if (sendto(fd, &header, sizeof(header), 0, &address.any, length) != sizeof(header))
		return failure("lab: cannot send a forged SYN: %s", strerror(errno));
	return STATUS_OK;
}
