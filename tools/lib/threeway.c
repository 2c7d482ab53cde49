// SPDX-License-Identifier: GPL-2.0
/*
 * libthreeway: the ioctls of /dev/threeway as C functions
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "threeway.h"

#define NETNS_DIR	"/run/netns"
#define NETNS_SELF	"/proc/thread-self/ns/net"

/* Records asked for in one call of a list command. */
#define LIST_STEP	512

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int call(int fd, unsigned long command, void *argument)
{
	return ioctl(fd, command, argument) < 0 ? -errno : 0;
}

/**
 * threeway_netns_enter() - move the calling thread to a network namespace
 * @netns:	a name under /run/netns, or a path (it holds a slash)
 *
 * Return: 0, or -ENOENT when there is no such namespace, -EINVAL when the file
 * is no network namespace, -EPERM without CAP_SYS_ADMIN, or another error of
 * open() and setns().
 */
int threeway_netns_enter(const char *netns)
{
	char path[PATH_MAX];
	int fd, err = 0;

	if (!*netns)
		return -ENOENT;
	if (snprintf(path, sizeof(path), "%s%s",
		     strchr(netns, '/') ? "" : NETNS_DIR "/", netns) >= (int)sizeof(path))
		return -ENAMETOOLONG;

	fd = open_file(path, O_RDONLY);
	if (fd < 0)
		return fd;
	if (setns(fd, CLONE_NEWNET) < 0)
		err = -errno;
	close(fd);
	return err;
}

/**
 * threeway_open() - open the control device in a network namespace
 * @netns:	as for threeway_netns_enter(); NULL for the caller's own
 *
 * With @netns the calling thread visits that namespace for an instant. The file
 * stays bound to the namespace; close() it when done. To tell an unknown
 * namespace from a missing device, enter the namespace first and pass NULL.
 *
 * Return: a file descriptor, or -ENOENT or -ENODEV when the module is not
 * loaded, -EPERM or -EACCES without CAP_NET_ADMIN over the namespace, or an
 * error of threeway_netns_enter().
 */
int threeway_open(const char *netns)
{
	int home, fd;

	if (!netns)
		return open_file(THREEWAY_DEVICE, O_RDWR);

	home = open_file(NETNS_SELF, O_RDONLY);
	if (home < 0)
		return home;

	fd = threeway_netns_enter(netns);
	if (!fd) {
		fd = open_file(THREEWAY_DEVICE, O_RDWR);
		if (setns(home, CLONE_NEWNET) < 0) {
			int err = -errno;

			if (fd >= 0)
				close(fd);
			fd = err;
		}
	}
	close(home);
	return fd;
}

/**
 * threeway_claim_add() - add a claim
 * @fd:		from threeway_open()
 * @claim:	the claim, with id 0; gets its id
 *
 * Return: 0 or -errno.
 */
int threeway_claim_add(int fd, struct threeway_claim *claim)
{
	return call(fd, THREEWAY_IOC_CLAIM_ADD, claim);
}

/**
 * threeway_claim_del() - delete a claim
 * @fd:		from threeway_open()
 * @id:		id of the claim
 *
 * Return: 0 or -errno, -ENOENT when there is no such claim.
 */
int threeway_claim_del(int fd, __u32 id)
{
	struct threeway_claim_id argument = { .id = id };

	return call(fd, THREEWAY_IOC_CLAIM_DEL, &argument);
}

static int list(int fd, unsigned long command, size_t size, void **records)
{
	struct threeway_list part = { .cursor = 0 };
	size_t count = 0, room = 0;
	char *all = NULL;
	int err;

	do {
		if (room - count < LIST_STEP) {
			char *more;

			room = room * 2 + LIST_STEP;
			err = -ENOMEM;
			if (room > INT_MAX / size)
				goto fail;
			more = realloc(all, room * size);
			if (!more)
				goto fail;
			all = more;
		}
		part.records = (uintptr_t)(all + count * size);
		part.room = LIST_STEP;
		part.count = 0;
		err = call(fd, command, &part);
		if (err)
			goto fail;
		count += part.count;
	} while (part.count);

	*records = all;
	return count;
fail:
	free(all);
	return err;
}

/**
 * threeway_claim_list() - list the claims of the namespace
 * @fd:		from threeway_open()
 * @records:	gets an array in the order of the ids, to be freed with free()
 *
 * Return: the number of records, or -errno with @records untouched.
 */
int threeway_claim_list(int fd, struct threeway_claim_record **records)
{
	void *all;
	int count = list(fd, THREEWAY_IOC_CLAIM_LIST, sizeof(**records), &all);

	if (count >= 0)
		*records = all;
	return count;
}

/**
 * threeway_flow_list() - list the flows of the namespace
 * @fd:		from threeway_open()
 * @flows:	gets an array in no order, to be freed with free()
 *
 * Return: the number of flows, or -errno with @flows untouched.
 */
int threeway_flow_list(int fd, struct threeway_flow **flows)
{
	void *all;
	int count = list(fd, THREEWAY_IOC_FLOW_LIST, sizeof(**flows), &all);

	if (count >= 0)
		*flows = all;
	return count;
}

/**
 * threeway_flow_del() - forget a flow; a held one that is ESTABLISHED is reset
 * @fd:		from threeway_open()
 * @id:		id of the flow, or 0 for whichever flow has the key
 * @key:	key of the flow
 *
 * Return: 0 or -errno, -ENOENT when there is no such flow.
 */
int threeway_flow_del(int fd, __u64 id, const struct threeway_flow_key *key)
{
	struct threeway_flow_del argument = { .id = id, .key = *key };

	return call(fd, THREEWAY_IOC_FLOW_DEL, &argument);
}

/**
 * threeway_open_flow() - begin a handshake without a socket
 * @fd:		from threeway_open()
 * @open:	remote address and port, policy, with id 0; gets its id and the
 *		local address and port
 *
 * Return: 0 while the flow is in SYN-SENT, or -errno.
 */
int threeway_open_flow(int fd, struct threeway_open *open)
{
	return call(fd, THREEWAY_IOC_OPEN, open);
}

/**
 * threeway_cookie_secret() - set the secret of the namespace's SYN cookies
 * @fd:		from threeway_open()
 * @set:	the secret, or that the kernel is to draw one
 *
 * Return: 0 or -errno.
 */
int threeway_cookie_secret(int fd, struct threeway_cookie_secret *set)
{
	return call(fd, THREEWAY_IOC_COOKIE_SECRET, set);
}

/**
 * threeway_event_start() - let events wait in the file from now on
 * @fd:		from threeway_open()
 * @flow:	only those of this flow, 0 for all
 * @claim:	only those of this claim, 0 for all
 * @room:	events that wait at most, 16 to 65536
 *
 * Return: 0 or -errno.
 */
int threeway_event_start(int fd, __u64 flow, __u32 claim, __u32 room)
{
	struct threeway_event_start start = {
		.flow = flow,
		.claim = claim,
		.room = room,
	};

	return call(fd, THREEWAY_IOC_EVENT_START, &start);
}

/**
 * threeway_event_read() - read events
 * @fd:		from threeway_open(), after threeway_event_start()
 * @events:	array, gets the events
 * @room:	elements of @events
 *
 * Waits for the first event unless the file is non-blocking.
 *
 * Return: the number of events, or -errno: -EAGAIN when there is none and the
 * file is non-blocking, -EINTR when a signal came first.
 */
int threeway_event_read(int fd, struct threeway_event *events, unsigned int room)
{
	ssize_t got = read(fd, events, (size_t)room * sizeof(*events));

	return got < 0 ? -errno : (int)(got / sizeof(*events));
}

/**
 * threeway_stat_get() - read the counters of the namespace
 * @fd:		from threeway_open()
 * @values:	array, gets the counters by enum threeway_counter; those that
 *		the module does not know become 0
 * @room:	elements of @values, THREEWAY_COUNTER_MAX for all
 *
 * Return: the number of counters that the module gave, or -errno.
 */
int threeway_stat_get(int fd, __u64 *values, unsigned int room)
{
	struct threeway_stat stat = {
		.values = (uintptr_t)values,
		.room = room,
	};
	int err;

	memset(values, 0, room * sizeof(*values));
	err = call(fd, THREEWAY_IOC_STAT_GET, &stat);
	return err ? err : (int)stat.count;
}

#define COUNTER_NAME(name) \
	[THREEWAY_C_##name] = #name,
static const char * const counter_names[] = {
	THREEWAY_COUNTERS(COUNTER_NAME)
};

/**
 * threeway_counter_name() - name of a counter
 * @counter:	enum threeway_counter
 *
 * Return: the name, or NULL for a number that is no counter.
 */
const char *threeway_counter_name(unsigned int counter)
{
	return counter < THREEWAY_COUNTER_MAX ? counter_names[counter] : NULL;
}

/**
 * threeway_counter_find() - number of a counter
 * @name:	its full name
 *
 * Return: enum threeway_counter, or -ENOENT.
 */
int threeway_counter_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < THREEWAY_COUNTER_MAX; i++)
		if (!strcmp(name, counter_names[i]))
			return i;
	return -ENOENT;
}
