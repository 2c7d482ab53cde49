// SPDX-License-Identifier: GPL-2.0
/* /proc/net/threeway */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <linux/user_namespace.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "flow.h"
#include "netns.h"
#include "proc.h"

/*
 * The walk goes on from one read to the next. proc closes what is still open
 * before hs_proc_teardown() returns, so that hn outlives it.
 */
struct hs_flow_seq {
	struct hs_net *hn;
	struct rhashtable_iter iter;
	bool walking;
};

static void *hs_flow_seq_start(struct seq_file *seq, loff_t *pos)
	__acquires(RCU)
{
	struct hs_flow_seq *s = seq->private;
	struct hs_flow *flow;

	if (!*pos && s->walking) {
		rhashtable_walk_exit(&s->iter);
		s->walking = false;
	}
	if (!*pos && hs_flows_ready(s->hn)) {
		rhashtable_walk_enter(&s->hn->flows, &s->iter);
		s->walking = true;
	}
	if (s->walking)
		hs_flow_walk_start(&s->iter);
	else
		rcu_read_lock();
	if (!*pos)
		return SEQ_START_TOKEN;
	if (!s->walking)
		return NULL;
	flow = rhashtable_walk_peek(&s->iter);
	return IS_ERR(flow) ? hs_flow_walk_next(&s->iter) : flow;
}

static void *hs_flow_seq_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct hs_flow_seq *s = seq->private;

	++*pos;
	return s->walking ? hs_flow_walk_next(&s->iter) : NULL;
}

static void hs_flow_seq_stop(struct seq_file *seq, void *v)
	__releases(RCU)
{
	struct hs_flow_seq *s = seq->private;

	if (s->walking)
		rhashtable_walk_stop(&s->iter);
	else
		rcu_read_unlock();
}

static void hs_seq_address(struct seq_file *seq, u16 family, const u8 *addr,
			   __be16 port)
{
	union hs_addr a;

	memcpy(a.byte, addr, sizeof(a.byte));
	if (family == AF_INET)
		seq_printf(seq, " %08X:%04X", (__force u32)a.word[0],
			   ntohs(port));
	else
		seq_printf(seq, " %08X%08X%08X%08X:%04X",
			   (__force u32)a.word[0], (__force u32)a.word[1],
			   (__force u32)a.word[2], (__force u32)a.word[3],
			   ntohs(port));
}

static int hs_proc_state(u8 state)
{
	switch (state) {
	case THREEWAY_LISTEN:
		return TCP_LISTEN;
	case THREEWAY_SYN_SENT:
		return TCP_SYN_SENT;
	case THREEWAY_SYN_RECEIVED:
		return TCP_SYN_RECV;
	default:
		return TCP_ESTABLISHED;
	}
}

static int hs_flow_seq_show(struct seq_file *seq, void *v)
{
	struct hs_flow *flow = v;
	struct threeway_flow f;
	uid_t uid;

	if (v == SEQ_START_TOKEN) {
		seq_puts(seq, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n");
		return 0;
	}
	hs_flow_fill(flow, &f);
	uid = from_kuid_munged(seq_user_ns(seq), hs_flow_uid(flow));
	seq_printf(seq, "%4llu:", f.id);
	hs_seq_address(seq, f.key.family, f.key.local, f.key.local_port);
	hs_seq_address(seq, f.key.family, f.key.remote, f.key.remote_port);
	/* timer 1 is the retransmission timer */
	seq_printf(seq, " %02X %08X:%08X %02X:%08lX %08X %5u %8d %u\n",
		   hs_proc_state(f.state), 0, 0, 1,
		   jiffies_to_clock_t(msecs_to_jiffies(f.timer_ms)),
		   f.retransmits, uid, 0, 0);
	return 0;
}

static const struct seq_operations hs_flow_seq_ops = {
	.start = hs_flow_seq_start,
	.next = hs_flow_seq_next,
	.stop = hs_flow_seq_stop,
	.show = hs_flow_seq_show,
};

static int hs_flow_seq_release(struct inode *inode, struct file *file)
{
	struct seq_file *seq = file->private_data;
	struct hs_flow_seq *s = seq->private;

	if (s->walking)
		rhashtable_walk_exit(&s->iter);
	return seq_release_private(inode, file);
}

static int hs_flow_seq_open(struct inode *inode, struct file *file)
{
	struct hs_flow_seq *s;

	s = __seq_open_private(file, &hs_flow_seq_ops, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->hn = pde_data(inode);
	return 0;
}

static const struct proc_ops hs_flow_proc_ops = {
	.proc_open = hs_flow_seq_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = hs_flow_seq_release,
};

static void *hs_claim_seq_start(struct seq_file *seq, loff_t *pos)
{
	struct hs_net *hn = hs_net_get(seq_file_net(seq));

	mutex_lock(&hn->lock);
	return seq_list_start_head(&hn->claims.list, *pos);
}

static void *hs_claim_seq_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct hs_net *hn = hs_net_get(seq_file_net(seq));

	return seq_list_next(v, &hn->claims.list, pos);
}

static void hs_claim_seq_stop(struct seq_file *seq, void *v)
{
	struct hs_net *hn = hs_net_get(seq_file_net(seq));

	mutex_unlock(&hn->lock);
}

static void hs_seq_prefix(struct seq_file *seq, u16 family, const u8 *addr,
			  u8 prefixlen)
{
	if (!prefixlen)
		seq_puts(seq, " any");
	else if (family == AF_INET)
		seq_printf(seq, " %pI4/%u", addr, prefixlen);
	else
		seq_printf(seq, " %pI6c/%u", addr, prefixlen);
}

static int hs_claim_seq_show(struct seq_file *seq, void *v)
{
	struct hs_net *hn = hs_net_get(seq_file_net(seq));
	const struct threeway_claim *c;
	struct hs_claim *claim;

	if (v == &hn->claims.list) {
		seq_puts(seq, "id family local ports remote direction mode flows opened handed_over\n");
		return 0;
	}
	claim = list_entry(v, struct hs_claim, list);
	if (claim->deleted)
		return 0;
	c = &claim->conf;
	seq_printf(seq, "%u %s", c->id, c->family == AF_INET ? "inet" :
		   c->family == AF_INET6 ? "inet6" : "any");
	hs_seq_prefix(seq, c->family, c->local, c->local_prefixlen);
	seq_printf(seq, " %u-%u", c->port_first, c->port_last);
	hs_seq_prefix(seq, c->family, c->remote, c->remote_prefixlen);
	seq_printf(seq, " %s %s %d %lld %lld\n",
		   c->direction == THREEWAY_PASSIVE ? "passive" : "active",
		   c->mode == THREEWAY_HANDOFF ? "handoff" :
		   c->mode == THREEWAY_HOLD ? "hold" : "observe",
		   atomic_read(&claim->flows),
		   (long long)atomic64_read(&claim->opened),
		   (long long)atomic64_read(&claim->handed_over));
	return 0;
}

static const struct seq_operations hs_claim_seq_ops = {
	.start = hs_claim_seq_start,
	.next = hs_claim_seq_next,
	.stop = hs_claim_seq_stop,
	.show = hs_claim_seq_show,
};

static int hs_stat_show(struct seq_file *seq, void *v)
{
	struct hs_net *hn = hs_net_get(seq_file_single_net(seq));
	int i;

	for (i = 0; i < THREEWAY_COUNTER_MAX; i++)
		seq_printf(seq, "%s %llu\n", hs_stat_names[i],
			   hs_stat_read(hn, i));
	return 0;
}

int hs_proc_setup(struct hs_net *hn)
{
	struct net *net = hn->net;
	struct proc_dir_entry *dir;

	dir = proc_net_mkdir(net, "threeway", net->proc_net);
	if (!dir)
		return -ENOMEM;
	if (!proc_create_data("flows", 0444, dir, &hs_flow_proc_ops, hn) ||
	    !proc_create_net("claims", 0444, dir, &hs_claim_seq_ops,
			     sizeof(struct seq_net_private)) ||
	    !proc_create_net_single("stat", 0444, dir, hs_stat_show, NULL)) {
		hs_proc_teardown(hn);
		return -ENOMEM;
	}
	return 0;
}

void hs_proc_teardown(struct hs_net *hn)
{
	remove_proc_subtree("threeway", hn->net->proc_net);
}
