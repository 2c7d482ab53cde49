/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Readers of events: each open file of /dev/threeway that asked for them has a
 * ring of its own, which packets fill and read() empties. What does not fit is
 * counted and forgotten; nobody ever waits for a reader.
 */
#ifndef HS_READER_H
#define HS_READER_H

#include <linux/list.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/uio.h>

#include "uapi/threeway.h"

struct hs_net;
struct hs_reader;

/**
 * struct hs_readers - the readers of one namespace
 * @list:	them, under RCU
 * @count:	how many
 * @lock:	guards changes of both
 */
struct hs_readers {
	struct list_head list;
	unsigned int count;
	spinlock_t lock;	/* changes of list and count */
};

void hs_readers_setup(struct hs_readers *readers);

/**
 * hs_readers_push() - give an event to every reader that wants it
 * @hn:		the namespace
 * @event:	the event, lost is filled in for each reader
 *
 * Context: any that may bump a counter; takes the readers' leaf locks.
 */
void hs_readers_push(struct hs_net *hn, const struct threeway_event *event);

/* A reader that has not been started. Return: NULL without memory. */
struct hs_reader *hs_reader_alloc(struct hs_net *hn);

/* Context: process, nobody else uses the reader any more. */
void hs_reader_free(struct hs_reader *reader);

/**
 * hs_reader_start() - THREEWAY_IOC_EVENT_START
 * @reader:	the reader, perhaps started before
 * @start:	what it wants
 *
 * Return: 0, -EINVAL, -ENOSPC, -ENOMEM or -ERESTARTSYS.
 */
int hs_reader_start(struct hs_reader *reader,
		    const struct threeway_event_start *start);

/**
 * hs_reader_read() - read() of the control file
 * @reader:	the reader
 * @to:		where the events go
 * @nonblock:	whether to fail instead of waiting
 *
 * Return: bytes of whole events, -ENODATA, -EINVAL, -EAGAIN, -ERESTARTSYS or
 * -EFAULT.
 */
ssize_t hs_reader_read(struct hs_reader *reader, struct iov_iter *to,
		       bool nonblock);

/* poll() of the control file: EPOLLERR for a reader that is not started. */
__poll_t hs_reader_poll(struct hs_reader *reader, struct file *file,
			poll_table *wait);

#endif /* HS_READER_H */
