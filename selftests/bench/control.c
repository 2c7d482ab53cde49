// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/hs_load: a line written is an operation, and the write ends with it; a
 * read returns its result, a line. What it opened closes with the file.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>

#include "load.h"

static DEFINE_MUTEX(hs_lock);
static bool hs_opened;
static char hs_result[HS_RESULT];
static size_t hs_result_left;

static int hs_control_open(struct inode *inode, struct file *file)
{
	int err;

	mutex_lock(&hs_lock);
	err = hs_opened ? -EBUSY : hs_counter_stay();
	if (!err) {
		hs_opened = true;
		hs_result_left = 0;
	}
	mutex_unlock(&hs_lock);
	return err;
}

static int hs_control_release(struct inode *inode, struct file *file)
{
	mutex_lock(&hs_lock);
	hs_flood_end();
	hs_host_close();
	hs_opened = false;
	mutex_unlock(&hs_lock);
	return 0;
}

static ssize_t hs_control_write(struct file *file, const char __user *from,
				size_t size, loff_t *at)
{
	char *line = memdup_user_nul(from, min_t(size_t, size, PAGE_SIZE));
	int err;

	if (IS_ERR(line))
		return PTR_ERR(line);
	mutex_lock(&hs_lock);
	hs_result[0] = '\0';
	err = hs_operation(line, hs_result);
	strlcat(hs_result, "\n", sizeof(hs_result));
	hs_result_left = err ? 0 : strlen(hs_result);
	mutex_unlock(&hs_lock);
	kfree(line);
	return err ?: size;
}

static ssize_t hs_control_read(struct file *file, char __user *to,
			       size_t size, loff_t *at)
{
	size_t all;

	mutex_lock(&hs_lock);
	all = strlen(hs_result);
	size = min(size, hs_result_left);
	if (copy_to_user(to, hs_result + all - hs_result_left, size)) {
		mutex_unlock(&hs_lock);
		return -EFAULT;
	}
	hs_result_left -= size;
	mutex_unlock(&hs_lock);
	return size;
}

static const struct file_operations hs_control_ops = {
	.owner = THIS_MODULE,
	.open = hs_control_open,
	.release = hs_control_release,
	.write = hs_control_write,
	.read = hs_control_read,
};

static struct miscdevice hs_control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "hs_load",
	.fops = &hs_control_ops,
	.mode = 0600,
};

static int __init hs_load_init(void)
{
	int err;

	err = hs_counter_setup();
	if (err)
		return err;
	err = hs_peer_setup();
	if (err)
		goto teardown_counter;
	err = hs_deferred_setup();
	if (err)
		goto teardown_peer;
	err = misc_register(&hs_control);
	if (err)
		goto teardown_deferred;
	return 0;

teardown_deferred:
	hs_deferred_teardown();
teardown_peer:
	hs_peer_teardown();
teardown_counter:
	hs_counter_teardown();
	return err;
}

static void __exit hs_load_exit(void)
{
	misc_deregister(&hs_control);
	hs_deferred_teardown();
	hs_peer_teardown();
	hs_counter_teardown();
}

module_init(hs_load_init);
module_exit(hs_load_exit);

MODULE_DESCRIPTION("load for the benchmarks of threeway");
MODULE_LICENSE("GPL");
