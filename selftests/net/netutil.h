/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the socket test programs share: errors, namespaces, addresses, and the
 * byte stream that both ends know, so that a receiver can check every byte.
 */
#ifndef _NETUTIL_H
#define _NETUTIL_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

#define die(...) do {				\
	fprintf(stderr, __VA_ARGS__);		\
	fputc('\n', stderr);			\
	exit(1);				\
} while (0)

static inline unsigned long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static inline void sleep_ms(unsigned long ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* Until the clock of TCP's timers has just moved on. */
static inline void wait_for_tick(void)
{
	struct timespec first, now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &first);
	do
		clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	while (now.tv_nsec == first.tv_nsec);
}

/* Sockets made from now on belong to the namespace that ip-netns(8) named. */
static inline void enter_netns(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die("namespace %s: %s", name, strerror(errno));
	close(fd);
}

static inline socklen_t address_length(const union address *address)
{
	return address->sa.sa_family == AF_INET ? sizeof(address->v4) :
						  sizeof(address->v6);
}

static inline unsigned short address_port(const union address *address)
{
	return ntohs(address->sa.sa_family == AF_INET ? address->v4.sin_port :
							address->v6.sin6_port);
}

static inline void set_port(union address *address, unsigned short port)
{
	if (address->sa.sa_family == AF_INET)
		address->v4.sin_port = htons(port);
	else
		address->v6.sin6_port = htons(port);
}

/* TEXT may end in %INTERFACE, which is looked up in the current namespace. */
static inline union address parse_address(const char *text, unsigned short port)
{
	union address address = { 0 };
	char host[64], *scope;

	snprintf(host, sizeof(host), "%s", text);
	scope = strchr(host, '%');
	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, host, &address.v6.sin6_addr) == 1)
		address.sa.sa_family = AF_INET6;
	else if (inet_pton(AF_INET, host, &address.v4.sin_addr) == 1)
		address.sa.sa_family = AF_INET;
	else
		die("not an address: %s", text);
	if (scope) {
		address.v6.sin6_scope_id = if_nametoindex(scope);
		if (!address.v6.sin6_scope_id)
			die("no interface %s", scope);
	}
	set_port(&address, port);
	return address;
}

static inline void format_address(const union address *address, char *text,
				  size_t size)
{
	if (address->sa.sa_family == AF_INET)
		inet_ntop(AF_INET, &address->v4.sin_addr, text, size);
	else
		inet_ntop(AF_INET6, &address->v6.sin6_addr, text, size);
}

/* The stream repeats after a prime number of bytes: shifts never match. */
#define STREAM_PERIOD	65521
#define STREAM_CHUNK	65536

static unsigned char stream_bytes[STREAM_PERIOD + STREAM_CHUNK];

static inline void stream_init(void)
{
	unsigned int state = 0x9e3779b9;
	size_t i;

	for (i = 0; i < STREAM_PERIOD; i += sizeof(state)) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		memcpy(stream_bytes + i, &state, sizeof(state));
	}
	memcpy(stream_bytes + STREAM_PERIOD, stream_bytes, STREAM_PERIOD);
	memcpy(stream_bytes + 2 * STREAM_PERIOD, stream_bytes,
	       STREAM_CHUNK - STREAM_PERIOD);
}

/* Up to STREAM_CHUNK bytes of stream ID from OFFSET on. */
static inline unsigned char *stream_at(unsigned int id,
				       unsigned long long offset)
{
	return stream_bytes + (id * 7919ULL + offset) % STREAM_PERIOD;
}

#endif /* _NETUTIL_H */
