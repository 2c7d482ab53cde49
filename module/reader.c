// SPDX-License-Identifier: GPL-2.0
/* Readers of events. */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "netns.h"
#include "reader.h"

#define HS_READER_ROOM_MIN	16
#define HS_READER_ROOM_MAX	65536
/* each packet of a flow has to look at all of them */
#define HS_READERS_MAX		64

/**
 * struct hs_reader - one open file that gets events
 * @list:	in hs_readers.list, once it was started
 * @hn:		its namespace, which the file keeps alive
 * @mutex:	taken by who takes events out, and by who starts it anew
 * @lock:	guards what follows
 * @ring:	the events, NULL until it is started
 * @room:	events that fit into @ring
 * @first:	index of the oldest event; changes under @mutex only
 * @waiting:	events in @ring
 * @lost:	events that did not fit
 * @flow:	wanted flow, 0 for all
 * @claim:	wanted claim, 0 for all
 * @wait:	those who wait for an event
 * @rcu:	to free it
 */
struct hs_reader {
	struct list_head list;
	struct hs_net *hn;
	struct mutex mutex;	/* one at a time takes events out */
	spinlock_t lock;	/* ring to claim */
	struct threeway_event *ring;
	u32 room;
	u32 first;
	u32 waiting;
	u64 lost;
	u64 flow;
	u32 claim;
	wait_queue_head_t wait;
	struct rcu_head rcu;
};

void hs_readers_setup(struct hs_readers *readers)
{
	INIT_LIST_HEAD(&readers->list);
	spin_lock_init(&readers->lock);
}

/* Context: hs_reader.lock held. */
static bool hs_reader_wants(const struct hs_reader *reader,
			    const struct threeway_event *event)
{
	return reader->ring &&
	       (!reader->flow || reader->flow == event->flow) &&
	       (!reader->claim || reader->claim == event->claim);
}

/* Context: hs_reader.lock held. Return: the index of its N-th event. */
static u32 hs_reader_index(const struct hs_reader *reader, u32 n)
{
	u32 index = reader->first + n;

	return index < reader->room ? index : index - reader->room;
}

static void hs_reader_push(struct hs_reader *reader,
			   const struct threeway_event *event)
{
	struct threeway_event *to;
	bool lost = false;
	bool wake = false;

	spin_lock_bh(&reader->lock);
	if (!hs_reader_wants(reader, event)) {
		/* not for it, or closed right now */
	} else if (reader->waiting == reader->room) {
		reader->lost++;
		lost = true;
	} else {
		to = &reader->ring[hs_reader_index(reader, reader->waiting)];
		*to = *event;
		to->lost = reader->lost;
		wake = !reader->waiting;
		WRITE_ONCE(reader->waiting, reader->waiting + 1);
	}
	spin_unlock_bh(&reader->lock);
	if (lost)
		hs_count(reader->hn, THREEWAY_C_events_lost);
	/* whoever does not find an empty ring does not sleep */
	if (wake)
		wake_up_interruptible_poll(&reader->wait,
					   EPOLLIN | EPOLLRDNORM);
}

void hs_readers_push(struct hs_net *hn, const struct threeway_event *event)
{
	struct hs_reader *reader;

	rcu_read_lock();
	list_for_each_entry_rcu(reader, &hn->readers.list, list)
		hs_reader_push(reader, event);
	rcu_read_unlock();
}

struct hs_reader *hs_reader_alloc(struct hs_net *hn)
{
	struct hs_reader *reader;

	reader = kzalloc(sizeof(*reader), GFP_KERNEL_ACCOUNT);
	if (!reader)
		return NULL;
	INIT_LIST_HEAD(&reader->list);
	reader->hn = hn;
	mutex_init(&reader->mutex);
	spin_lock_init(&reader->lock);
	init_waitqueue_head(&reader->wait);
	return reader;
}

/* With another ring, or none. Return: the old one, for the caller to free. */
static struct threeway_event *
hs_reader_swap(struct hs_reader *reader, struct threeway_event *ring,
	       const struct threeway_event_start *start)
{
	struct threeway_event *old;

	spin_lock_bh(&reader->lock);
	old = reader->ring;
	WRITE_ONCE(reader->ring, ring);
	reader->room = start->room;
	reader->first = 0;
	WRITE_ONCE(reader->waiting, 0);
	reader->lost = 0;
	reader->flow = start->flow;
	reader->claim = start->claim;
	spin_unlock_bh(&reader->lock);
	return old;
}

/* Return: whether there was room for another one, or it was there before. */
static bool hs_readers_add(struct hs_readers *readers, struct hs_reader *reader)
{
	bool there = true;

	spin_lock(&readers->lock);
	if (list_empty(&reader->list)) {
		there = readers->count < HS_READERS_MAX;
		if (there) {
			list_add_tail_rcu(&reader->list, &readers->list);
			readers->count++;
		}
	}
	spin_unlock(&readers->lock);
	return there;
}

static void hs_readers_del(struct hs_readers *readers, struct hs_reader *reader)
{
	spin_lock(&readers->lock);
	if (!list_empty(&reader->list)) {
		list_del_rcu(&reader->list);
		readers->count--;
	}
	spin_unlock(&readers->lock);
}

void hs_reader_free(struct hs_reader *reader)
{
	static const struct threeway_event_start nothing;

	/* a packet may still look at it, and finds no ring */
	hs_readers_del(&reader->hn->readers, reader);
	kvfree(hs_reader_swap(reader, NULL, &nothing));
	kfree_rcu(reader, rcu);
}

int hs_reader_start(struct hs_reader *reader,
		    const struct threeway_event_start *start)
{
	struct threeway_event *ring;
	int err = -ERESTARTSYS;

	if (start->room < HS_READER_ROOM_MIN ||
	    start->room > HS_READER_ROOM_MAX)
		return -EINVAL;
	ring = kvmalloc_array(start->room, sizeof(*ring),
			      GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!ring)
		return -ENOMEM;
	if (mutex_lock_interruptible(&reader->mutex))
		goto free;
	err = -ENOSPC;
	if (hs_readers_add(&reader->hn->readers, reader)) {
		ring = hs_reader_swap(reader, ring, start);
		err = 0;
	}
	mutex_unlock(&reader->mutex);
free:
	kvfree(ring);
	return err;
}

/* Return: how many of N neighbours in the ring could be copied. */
static u32 hs_reader_copy(const struct hs_reader *reader, u32 first, u32 n,
			  struct iov_iter *to)
{
	const size_t size = sizeof(*reader->ring);
	size_t copied = copy_to_iter(reader->ring + first, n * size, to);

	return copied / size;
}

/*
 * Nobody writes to the events that wait, and the mutex keeps the ring: they are
 * copied without the lock, so that packets do not wait for a page fault.
 */
static ssize_t hs_reader_take(struct hs_reader *reader, struct iov_iter *to)
{
	size_t fit = iov_iter_count(to) / sizeof(*reader->ring);
	u32 n, ahead, done;
	bool more;

	spin_lock_bh(&reader->lock);
	n = min_t(size_t, reader->waiting, fit);
	spin_unlock_bh(&reader->lock);
	if (!n)
		return 0;
	ahead = min(n, reader->room - reader->first);
	done = hs_reader_copy(reader, reader->first, ahead, to);
	if (done == ahead)
		done += hs_reader_copy(reader, 0, n - ahead, to);
	if (!done)
		return -EFAULT;

	spin_lock_bh(&reader->lock);
	reader->first = hs_reader_index(reader, done);
	WRITE_ONCE(reader->waiting, reader->waiting - done);
	more = reader->waiting && done < fit;
	spin_unlock_bh(&reader->lock);
	/* who gets less than fits waits for the next ones, which are there */
	if (more)
		wake_up_interruptible_poll(&reader->wait,
					   EPOLLIN | EPOLLRDNORM);
	return done * sizeof(*reader->ring);
}

ssize_t hs_reader_read(struct hs_reader *reader, struct iov_iter *to,
		       bool nonblock)
{
	ssize_t done;

	if (!READ_ONCE(reader->ring))
		return -ENODATA;
	if (iov_iter_count(to) < sizeof(*reader->ring))
		return -EINVAL;
	for (;;) {
		if (mutex_lock_interruptible(&reader->mutex))
			return -ERESTARTSYS;
		done = hs_reader_take(reader, to);
		mutex_unlock(&reader->mutex);
		if (done)
			return done;
		if (nonblock)
			return -EAGAIN;
		if (wait_event_interruptible(reader->wait,
					     READ_ONCE(reader->waiting)))
			return -ERESTARTSYS;
	}
}

__poll_t hs_reader_poll(struct hs_reader *reader, struct file *file,
			poll_table *wait)
{
	poll_wait(file, &reader->wait, wait);
	if (!READ_ONCE(reader->ring))
		return EPOLLERR;
	return READ_ONCE(reader->waiting) ? EPOLLIN | EPOLLRDNORM : 0;
}
