/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of /dev/threeway share: a namespace with a link over which
 * THREEWAY_IOC_OPEN finds a route, all that a file lists, descriptors that travel.
 */
#ifndef _CONTROLUTIL_H
#define _CONTROLUTIL_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "threeway.h"

#define CLAIMS_MAX	256
#define FLOWS_MAX	256

#define make_link							\
	"ip link set lo up && ip link add dum0 type dummy && "		\
	"ip link set dum0 up && ip address add 192.0.2.1/24 dev dum0 && " \
	"ip address add 2001:db8::1/64 dev dum0 nodad"

/* ioctl() as an errno value, 0 for success. */
static inline int call(int fd, unsigned long command, const void *argument)
{
	return ioctl(fd, command, argument) ? errno : 0;
}

/* Everything that calls can change. */
struct state {
	unsigned int claims, flows;
	struct threeway_claim claim[CLAIMS_MAX];
	unsigned long long flow[FLOWS_MAX];
};

static inline unsigned int list_records(int fd, unsigned long command,
					void *records, unsigned int room)
{
	struct threeway_list list = {
		.records = (uintptr_t)records,
		.room = room,
	};

	return call(fd, command, &list) ? ~0U : list.count;
}

/* Return: whether it could be read, and was not too much. */
static inline bool read_state(int fd, struct state *state)
{
	static struct threeway_claim_record claims[CLAIMS_MAX];
	static struct threeway_flow flows[FLOWS_MAX];
	unsigned int i;

	memset(state, 0, sizeof(*state));
	state->claims = list_records(fd, THREEWAY_IOC_CLAIM_LIST, claims,
				     CLAIMS_MAX);
	state->flows = list_records(fd, THREEWAY_IOC_FLOW_LIST, flows,
				    FLOWS_MAX);
	if (state->claims >= CLAIMS_MAX || state->flows >= FLOWS_MAX)
		return false;
	for (i = 0; i < state->claims; i++)
		state->claim[i] = claims[i].claim;
	for (i = 0; i < state->flows; i++)
		state->flow[i] = flows[i].id;
	return true;
}

static inline int compare_ids(const void *a, const void *b)
{
	unsigned long long x = *(const unsigned long long *)a;
	unsigned long long y = *(const unsigned long long *)b;

	return x < y ? -1 : x > y;
}

/* Flows come in no order. */
static inline bool same_state(struct state *a, struct state *b)
{
	qsort(a->flow, a->flows, sizeof(a->flow[0]), compare_ids);
	qsort(b->flow, b->flows, sizeof(b->flow[0]), compare_ids);
	return !memcmp(a, b, sizeof(*a));
}

/* Deletes every claim and every flow. Return: whether nothing is left. */
static inline bool empty_state(int fd)
{
	static struct threeway_claim_record claims[CLAIMS_MAX];
	static struct threeway_flow flows[FLOWS_MAX];
	struct threeway_claim_id id = { 0 };
	struct threeway_flow_del del;
	unsigned int n, i;

	n = list_records(fd, THREEWAY_IOC_CLAIM_LIST, claims, CLAIMS_MAX);
	for (i = 0; i < n && n != ~0U; i++) {
		id.id = claims[i].claim.id;
		call(fd, THREEWAY_IOC_CLAIM_DEL, &id);
	}
	n = list_records(fd, THREEWAY_IOC_FLOW_LIST, flows, FLOWS_MAX);
	for (i = 0; i < n && n != ~0U; i++) {
		del = (struct threeway_flow_del) {
			.id = flows[i].id,
			.key = flows[i].key,
		};
		call(fd, THREEWAY_IOC_FLOW_DEL, &del);
	}
	return !list_records(fd, THREEWAY_IOC_CLAIM_LIST, claims, 1) &&
	       !list_records(fd, THREEWAY_IOC_FLOW_LIST, flows, 1);
}

static inline unsigned long long read_counter(int fd,
					      enum threeway_counter number)
{
	__u64 values[THREEWAY_COUNTER_MAX] = { 0 };
	struct threeway_stat stat = {
		.values = (uintptr_t)values,
		.room = THREEWAY_COUNTER_MAX,
	};

	call(fd, THREEWAY_IOC_STAT_GET, &stat);
	return values[number];
}

/* Through a socket, as SCM_RIGHTS. */
static inline bool send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	return sendmsg(socket, &message, 0) == 1;
}

/* Return: a new descriptor, or -1. */
static inline int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd = -1;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(int));
	return fd;
}

#endif /* _CONTROLUTIL_H */
