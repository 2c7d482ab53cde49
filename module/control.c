// SPDX-License-Identifier: GPL-2.0
/* /dev/threeway */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>

#include "control.h"
#include "flow.h"
#include "hold.h"
#include "netns.h"
#include "reader.h"
#include "socket.h"

#define HS_LIST_ROOM_MAX	4096

/**
 * struct hs_control - an open file
 * @hn:		the engine of its namespace, which the file keeps alive
 * @lock:	guards the list of flows
 * @iter:	where the list of flows stands
 * @walking:	@iter is in use
 * @cursor:	what the next call for the list must bring
 * @reader:	its events
 */
struct hs_control {
	struct hs_net *hn;
	struct mutex lock;	/* walking, iter and cursor */
	struct rhashtable_iter iter;
	bool walking;
	u64 cursor;
	struct hs_reader *reader;
};

static bool hs_control_allowed(const struct net *net)
{
	return ns_capable(net->user_ns, CAP_NET_ADMIN);
}

static int hs_control_open(struct inode *inode, struct file *file)
{
	struct net *net = current->nsproxy->net_ns;
	struct hs_control *control;

	if (!hs_control_allowed(net))
		return -EPERM;
	control = kzalloc(sizeof(*control), GFP_KERNEL_ACCOUNT);
	if (!control)
		return -ENOMEM;
	mutex_init(&control->lock);
	control->hn = hs_net_get(net);
	control->reader = hs_reader_alloc(control->hn);
	if (!control->reader) {
		kfree(control);
		return -ENOMEM;
	}
	get_net(net);
	file->private_data = control;
	return stream_open(inode, file);
}

static void hs_flow_list_end(struct hs_control *control)
{
	if (control->walking)
		rhashtable_walk_exit(&control->iter);
	control->walking = false;
	control->cursor = 0;
}

static int hs_control_release(struct inode *inode, struct file *file)
{
	struct hs_control *control = file->private_data;

	hs_flow_list_end(control);
	hs_reader_free(control->reader);
	put_net(control->hn->net);
	kfree(control);
	return 0;
}

static ssize_t hs_control_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct hs_control *control = iocb->ki_filp->private_data;

	return hs_reader_read(control->reader, to,
			      (iocb->ki_filp->f_flags & O_NONBLOCK) ||
			      (iocb->ki_flags & IOCB_NOWAIT));
}

static __poll_t hs_control_poll(struct file *file, poll_table *wait)
{
	struct hs_control *control = file->private_data;

	return hs_reader_poll(control->reader, file, wait);
}

static long hs_control_claim_add(struct hs_net *hn, void __user *arg)
{
	struct threeway_claim conf;
	int err;

	if (copy_from_user(&conf, arg, sizeof(conf)))
		return -EFAULT;
	err = hs_claim_add(hn, &conf);
	if (err)
		return err;
	if (copy_to_user(arg, &conf, sizeof(conf))) {
		hs_claim_del(hn, conf.id);
		return -EFAULT;
	}
	return 0;
}

static long hs_control_claim_del(struct hs_net *hn, void __user *arg)
{
	struct threeway_claim_id id;

	if (copy_from_user(&id, arg, sizeof(id)))
		return -EFAULT;
	if (id.pad)
		return -EINVAL;
	return hs_claim_del(hn, id.id);
}

/* Of the one with that id, or of any for 0. */
static long hs_control_flow_kill(struct hs_net *hn,
				 struct hs_flow_key *key, u64 id)
{
	struct hs_flow *flow;
	long err = -ENOENT;

	if (!hs_flows_ready(hn))
		return -ENOENT;
	rcu_read_lock();
	flow = hs_flow_find(hn, key);
	if (flow && ((id && id != hs_flow_id(flow)) || !hs_flow_hold(flow)))
		flow = NULL;
	rcu_read_unlock();
	if (!flow)
		return -ENOENT;
	if (hs_flow_end(flow, THREEWAY_C_flows_killed)) {
		err = 0;
		if (flow->kind == HS_FLOW_CONNECT)
			hs_socket_resume(flow, jiffies + HZ);
		else if (flow->kind == HS_FLOW_HOLD)
			hs_hold_abort(flow);
	}
	hs_flow_put(flow);
	return err;
}

static long hs_control_flow_del(struct hs_net *hn, void __user *arg)
{
	struct threeway_flow_del del;
	struct hs_flow_key key = {};

	if (copy_from_user(&del, arg, sizeof(del)))
		return -EFAULT;
	if (del.pad || !hs_flow_key_read(&key, &del.key))
		return -EINVAL;
	return hs_control_flow_kill(hn, &key, del.id);
}

static long hs_control_open_flow(struct hs_net *hn, void __user *arg)
{
	struct hs_flow_key key = {};
	struct threeway_open open;
	int err;

	if (copy_from_user(&open, arg, sizeof(open)))
		return -EFAULT;
	/* so that no SYN is sent for who cannot be told */
	if (copy_to_user(arg, &open, sizeof(open)))
		return -EFAULT;
	err = hs_hold_open(hn, &open);
	if (err)
		return err;
	if (!copy_to_user(arg, &open, sizeof(open)))
		return 0;
	/* the memory went away meanwhile */
	if (hs_flow_key_read(&key, &open.key))
		hs_control_flow_kill(hn, &key, open.id);
	return -EFAULT;
}

/* Claims from the cursor, an id, on. Return: how many. */
static u32 hs_claims_collect(struct hs_net *hn, u64 *cursor,
			     struct threeway_claim_record *record, u32 room)
{
	struct hs_claim *claim;
	u32 n = 0;

	mutex_lock(&hn->lock);
	list_for_each_entry(claim, &hn->claims.list, list) {
		if (claim->deleted || claim->conf.id <= *cursor)
			continue;
		if (n == room)
			break;
		record[n].claim = claim->conf;
		record[n].flows = atomic_read(&claim->flows);
		record[n].opened = atomic64_read(&claim->opened);
		record[n].handed_over = atomic64_read(&claim->handed_over);
		n++;
	}
	mutex_unlock(&hn->lock);
	if (n)
		*cursor = record[n - 1].claim.id;
	return n;
}

static u32 hs_flows_collect(struct hs_control *control,
			    struct threeway_flow *record, u32 room)
{
	struct hs_flow *flow;
	u32 n = 0;

	if (!hs_flows_ready(control->hn))
		return 0;
	if (!control->walking)
		rhashtable_walk_enter(&control->hn->flows, &control->iter);
	control->walking = true;
	hs_flow_walk_start(&control->iter);
	while (n < room) {
		flow = hs_flow_walk_next(&control->iter);
		if (!flow)
			break;
		hs_flow_fill(flow, &record[n++]);
	}
	rhashtable_walk_stop(&control->iter);
	return n;
}

static int hs_list_read(struct threeway_list *list, const void __user *arg)
{
	if (copy_from_user(list, arg, sizeof(*list)))
		return -EFAULT;
	if (list->count || !list->room || list->room > HS_LIST_ROOM_MAX)
		return -EINVAL;
	return 0;
}

static long hs_list_write(struct threeway_list *list, void __user *arg,
			  const void *records, size_t size)
{
	if (copy_to_user(u64_to_user_ptr(list->records), records,
			 list->count * size) ||
	    copy_to_user(arg, list, sizeof(*list)))
		return -EFAULT;
	return 0;
}

static long hs_control_claim_list(struct hs_net *hn, void __user *arg)
{
	struct threeway_claim_record *records;
	struct threeway_list list;
	long err;

	err = hs_list_read(&list, arg);
	if (err)
		return err;
	if (list.cursor > U32_MAX)
		return -EINVAL;
	records = kvcalloc(list.room, sizeof(*records),
			   GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!records)
		return -ENOMEM;
	list.count = hs_claims_collect(hn, &list.cursor, records, list.room);
	err = hs_list_write(&list, arg, records, sizeof(*records));
	kvfree(records);
	return err;
}

static long hs_control_flow_list(struct hs_control *control, void __user *arg)
{
	struct threeway_flow *records;
	struct threeway_list list;
	long err;

	err = hs_list_read(&list, arg);
	if (err)
		return err;
	records = kvcalloc(list.room, sizeof(*records),
			   GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!records)
		return -ENOMEM;

	mutex_lock(&control->lock);
	if (!list.cursor)
		hs_flow_list_end(control);
	if (list.cursor != control->cursor) {
		err = -EINVAL;
	} else {
		list.count = hs_flows_collect(control, records, list.room);
		list.cursor += list.count;
		control->cursor = list.cursor;
		err = hs_list_write(&list, arg, records, sizeof(*records));
		if (err)
			hs_flow_list_end(control);
	}
	mutex_unlock(&control->lock);
	kvfree(records);
	return err;
}

static long hs_control_stat_get(struct hs_net *hn, void __user *arg)
{
	u64 __user *to;
	struct threeway_stat stat;
	u32 i;

	if (copy_from_user(&stat, arg, sizeof(stat)))
		return -EFAULT;
	if (stat.count || !stat.room || stat.room > HS_LIST_ROOM_MAX)
		return -EINVAL;
	to = u64_to_user_ptr(stat.values);
	stat.count = min_t(u32, stat.room, THREEWAY_COUNTER_MAX);
	for (i = 0; i < stat.count; i++) {
		u64 value = hs_stat_read(hn, i);

		if (copy_to_user(to + i, &value, sizeof(value)))
			return -EFAULT;
	}
	return copy_to_user(arg, &stat, sizeof(stat)) ? -EFAULT : 0;
}

static long hs_control_event_start(struct hs_control *control,
				   const void __user *arg)
{
	struct threeway_event_start start;

	if (copy_from_user(&start, arg, sizeof(start)))
		return -EFAULT;
	return hs_reader_start(control->reader, &start);
}

static long hs_control_cookie_secret(struct hs_net *hn,
				     const void __user *arg)
{
	struct threeway_cookie_secret set;
	long err;

	if (copy_from_user(&set, arg, sizeof(set)))
		return -EFAULT;
	err = hs_secrets_set(hn, &set);
	memzero_explicit(&set, sizeof(set));
	return err;
}

static long hs_control_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg)
{
	struct hs_control *control = file->private_data;
	void __user *user = (void __user *)arg;
	struct hs_net *hn = control->hn;

	if (!hs_control_allowed(hn->net))
		return -EPERM;
	switch (cmd) {
	case THREEWAY_IOC_CLAIM_ADD:
		return hs_control_claim_add(hn, user);
	case THREEWAY_IOC_CLAIM_DEL:
		return hs_control_claim_del(hn, user);
	case THREEWAY_IOC_CLAIM_LIST:
		return hs_control_claim_list(hn, user);
	case THREEWAY_IOC_FLOW_LIST:
		return hs_control_flow_list(control, user);
	case THREEWAY_IOC_FLOW_DEL:
		return hs_control_flow_del(hn, user);
	case THREEWAY_IOC_OPEN:
		return hs_control_open_flow(hn, user);
	case THREEWAY_IOC_STAT_GET:
		return hs_control_stat_get(hn, user);
	case THREEWAY_IOC_EVENT_START:
		return hs_control_event_start(control, user);
	case THREEWAY_IOC_COOKIE_SECRET:
		return hs_control_cookie_secret(hn, user);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations hs_control_fops = {
	.owner = THIS_MODULE,
	.open = hs_control_open,
	.release = hs_control_release,
	.read_iter = hs_control_read,
	.poll = hs_control_poll,
	.unlocked_ioctl = hs_control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = no_llseek,
};

static struct miscdevice hs_control_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "threeway",
	.mode = 0600,
	.fops = &hs_control_fops,
};

int hs_control_setup(void)
{
	return misc_register(&hs_control_device);
}

void hs_control_teardown(void)
{
	misc_deregister(&hs_control_device);
}
