// SPDX-License-Identifier: GPL-2.0
/*
 * The operations, each as many times as asked for, in batches of HS_BATCH; the
 * first WARM of them are not measured. What is measured is only what the host
 * does: segments are made before, and what it has done is checked after.
 *
 *	counter			what the results are counted in
 *	family 4|6		of what follows
 *	listen PORT
 *	syn PORT COUNT WARM	SYNs, each answered by a SYN-ACK
 *	void PORT COUNT WARM	SYNs, none of them answered
 *	handshake PORT COUNT WARM	SYN, SYN-ACK, ACK, in the accept queue
 *	connect PORT COUNT WARM	connect(), SYN-ACK, established
 *	exchange PORT COUNT WARM	a segment with data in, one out
 *	retransmit PORT COUNT	the first copy of a SYN-ACK
 *	flood PORT RATE		SYNs of peers that never answer, each second
 *	calm			no more of them: how many it were
 *
 * Results are what the counter counts for each, "deferred" in RCU callbacks.
 */
#include <linux/delay.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "load.h"
#include "run.h"

void hs_run_drop(struct hs_run *run)
{
	unsigned int i;

	for (i = 0; i < HS_BATCH; i++) {
		kfree_skb(run->skb[i]);
		run->skb[i] = NULL;
	}
}

u64 hs_clock(void)
{
	return hs_counter() - hs_deferred_stolen();
}

u64 hs_run_receive(struct hs_run *run, bool completes)
{
	unsigned int i;
	u64 began;

	local_bh_disable();
	if (completes)
		HS_MARK(2);
	else
		HS_MARK(1);
	began = hs_clock();
	for (i = 0; i < HS_BATCH; i++)
		netif_receive_skb(run->skb[i]);
	/* what waits for a softirq is part of it */
	local_bh_enable();
	began = hs_clock() - began;
	HS_MARK(0);
	memset(run->skb, 0, sizeof(run->skb));
	return began;
}

static int hs_run_build(struct hs_run *run, unsigned int n,
			const struct hs_spec *spec)
{
	run->skb[n] = hs_peer_segment(spec);
	return run->skb[n] ? 0 : -ENOMEM;
}

static int hs_run_syns(struct hs_run *run)
{
	struct hs_spec spec = {
		.host_port = run->port,
		.flags = TCP_FLAG_SYN,
	};
	unsigned int i;
	int err = 0;

	run->first = hs_peer_new(HS_BATCH);
	hs_peer_batch(run->first, 0);
	for (i = 0; i < HS_BATCH && !err; i++) {
		spec.peer = run->first + i;
		spec.seq = hs_peer_iss(spec.peer);
		err = hs_run_build(run, i, &spec);
	}
	return err;
}

bool hs_run_answer(const struct hs_run *run, unsigned int n,
		   struct hs_spec *spec)
{
	const struct hs_sent *sent = hs_peer_sent(n);

	spec->peer = run->first + n;
	spec->host_port = ntohs(sent->th.source);
	spec->ack = ntohl(sent->th.seq) + 1;
	spec->tsecr = hs_sent_tsval(sent);
	return sent->count && sent->th.syn;
}

int hs_run_acks(struct hs_run *run)
{
	struct hs_spec spec = { .flags = TCP_FLAG_ACK };
	unsigned int i;
	int err = 0;

	for (i = 0; i < HS_BATCH && !err; i++) {
		if (!hs_run_answer(run, i, &spec))
			return -EPROTO;
		spec.seq = hs_peer_iss(spec.peer) + 1;
		err = hs_run_build(run, i, &spec);
	}
	return err;
}

/* Has each peer got a SYN-ACK, and no other segment? */
static bool hs_run_synacks(const struct hs_run *run)
{
	unsigned int i;

	for (i = 0; i < HS_BATCH; i++) {
		const struct hs_sent *sent = hs_peer_sent(i);

		if (sent->count != 1 || !sent->th.syn || !sent->th.ack ||
		    ntohl(sent->th.ack_seq) !=
		    hs_peer_iss(run->first + i) + 1)
			return false;
	}
	return true;
}

int hs_batch_syn(struct hs_run *run)
{
	int err = hs_run_syns(run);

	if (err)
		return err;
	hs_costs_add(&run->opened, hs_run_receive(run, false));
	return hs_run_synacks(run) ? 0 : -EPROTO;
}

static int hs_batch_void(struct hs_run *run)
{
	unsigned int i;
	int err = hs_run_syns(run);

	if (err)
		return err;
	hs_costs_add(&run->opened, hs_run_receive(run, false));
	for (i = 0; i < HS_BATCH; i++)
		if (hs_peer_sent(i)->count)
			return -EPROTO;
	return 0;
}

static int hs_batch_handshake(struct hs_run *run)
{
	unsigned int i;
	int err;

	err = hs_batch_syn(run) ?: hs_run_acks(run);
	if (err)
		return err;
	hs_costs_add(&run->completed, hs_run_receive(run, true));
	for (i = 0; i < HS_BATCH; i++) {
		struct socket *sock = hs_host_accept();

		if (IS_ERR(sock))
			return -EPROTO;
		hs_host_abort(sock);
	}
	return 0;
}

static int hs_run_connect(struct hs_run *run)
{
	struct sockaddr_storage name;
	unsigned int i;
	int err = -EINPROGRESS, len;
	u64 cost = 0, began;

	HS_MARK(1);
	for (i = 0; i < HS_BATCH && err == -EINPROGRESS; i++) {
		len = hs_peer_name(run->first + i, run->port, &name);
		began = hs_clock();
		err = kernel_connect(run->sock[i], (struct sockaddr *)&name,
				     len, O_NONBLOCK);
		cost += hs_clock() - began;
	}
	HS_MARK(0);
	hs_costs_add(&run->opened, cost);
	return err == -EINPROGRESS ? 0 : err ?: -EPROTO;
}

static int hs_run_answer_connect(struct hs_run *run)
{
	struct hs_spec spec = {
		.peer_port = run->port,
		.flags = TCP_FLAG_SYN | TCP_FLAG_ACK,
	};
	unsigned int i;
	int err = 0;

	for (i = 0; i < HS_BATCH && !err; i++) {
		if (!hs_run_answer(run, i, &spec))
			return -EPROTO;
		spec.seq = hs_peer_iss(spec.peer);
		err = hs_run_build(run, i, &spec);
	}
	if (err)
		return err;
	hs_costs_add(&run->completed, hs_run_receive(run, true));
	for (i = 0; i < HS_BATCH; i++)
		if (run->sock[i]->sk->sk_state != TCP_ESTABLISHED)
			return -EPROTO;
	return 0;
}

static int hs_batch_connect(struct hs_run *run)
{
	unsigned int i, made;
	int err = 0;

	run->first = hs_peer_new(HS_BATCH);
	hs_peer_batch(run->first, run->port);
	for (made = 0; made < HS_BATCH; made++) {
		run->sock[made] = hs_host_socket();
		if (IS_ERR(run->sock[made])) {
			err = PTR_ERR(run->sock[made]);
			break;
		}
	}
	err = err ?: hs_run_connect(run) ?: hs_run_answer_connect(run);
	for (i = 0; i < made; i++)
		hs_host_abort(run->sock[i]);
	return err;
}

void hs_run_forget(struct hs_run *run)
{
	run->opened.count = 0;
	run->completed.count = 0;
}

static int hs_run_all(struct hs_run *run, int (*batch)(struct hs_run *run))
{
	u32 done;
	int err = 0;

	for (done = 0; done < run->count && !err; done += HS_BATCH) {
		if (done == run->warm)
			hs_run_forget(run);
		err = batch(run);
		hs_run_drop(run);
		cond_resched();
	}
	return err;
}

int hs_print(const char *what, u64 tenths, char *result)
{
	u32 rest;
	u64 whole = div_u64_rem(tenths, 10, &rest);
	size_t len = strlen(result);

	return snprintf(result + len, HS_RESULT - len, "%s%s %llu.%u",
			len ? " " : "", what, whole, rest);
}

static int hs_run_measure(struct hs_run *run, int (*batch)(struct hs_run *run),
			  char *result)
{
	struct hs_deferred deferred;
	int err;

	hs_deferred_begin();
	err = hs_run_all(run, batch);
	rcu_barrier();
	hs_deferred_end(&deferred);
	if (err)
		return err;
	hs_print("open", hs_costs_middle(&run->opened), result);
	hs_print("complete", hs_costs_middle(&run->completed), result);
	hs_print("deferred", div_u64(deferred.rcu * 10, run->count), result);
	return 0;
}

/* The first copy of each comes after a second. */
static int hs_retransmit(struct hs_run *run, char *result)
{
	unsigned int before = hs_peer_syns(), tries = 50;
	struct hs_deferred deferred;
	int err;

	hs_deferred_begin();
	err = hs_run_all(run, hs_batch_syn);
	while (!err && hs_peer_syns() - before < 2 * run->count && tries--)
		msleep(50);
	hs_deferred_end(&deferred);
	if (err)
		return err;
	if (hs_peer_syns() - before != 2 * run->count)
		return -EPROTO;
	hs_print("open", div_u64(deferred.timer * 10, run->count), result);
	return 0;
}

static int hs_run_word(struct hs_run *run, const char *word, char *result)
{
	if (!strcmp(word, "syn"))
		return hs_run_measure(run, hs_batch_syn, result);
	if (!strcmp(word, "void"))
		return hs_run_measure(run, hs_batch_void, result);
	if (!strcmp(word, "handshake"))
		return hs_run_measure(run, hs_batch_handshake, result);
	if (!strcmp(word, "connect"))
		return hs_run_measure(run, hs_batch_connect, result);
	if (!strcmp(word, "exchange"))
		return hs_exchange(run, result);
	if (!strcmp(word, "retransmit"))
		return hs_retransmit(run, result);
	return -EINVAL;
}

static int hs_calm(char *result)
{
	struct hs_flood_sum sum = hs_flood_end();

	hs_print("sent", 10 * sum.sent, result);
	hs_print("lost", 10 * sum.lost, result);
	return 0;
}

/* Words that measure nothing; -EOPNOTSUPP for others. */
static int hs_word(const struct hs_run *run, const char *word, char *result)
{
	if (!strcmp(word, "counter")) {
		strscpy(result, hs_counter_unit(), HS_RESULT);
		return 0;
	}
	if (!strcmp(word, "family")) {
		hs_peer_use(run->port == 6 ? AF_INET6 : AF_INET);
		return 0;
	}
	if (!strcmp(word, "listen"))
		return hs_host_listen(run->port, 1 << 24);
	if (!strcmp(word, "flood"))
		return hs_flood_begin(run->port, run->count);
	if (!strcmp(word, "calm"))
		return hs_calm(result);
	return -EOPNOTSUPP;
}

int hs_operation(char *line, char *result)
{
	struct hs_run *run;
	char word[16];
	int err;

	run = kzalloc(sizeof(*run), GFP_KERNEL);
	if (!run)
		return -ENOMEM;
	err = -EINVAL;
	if (sscanf(line, "%15s %hu %u %u", word, &run->port, &run->count,
		   &run->warm) < 1)
		goto free_run;
	err = hs_word(run, word, result);
	if (err != -EOPNOTSUPP)
		goto free_run;
	err = hs_costs_init(&run->opened, run->count + HS_BATCH);
	if (err)
		goto free_run;
	err = hs_costs_init(&run->completed, run->count + HS_BATCH);
	if (!err) {
		err = hs_run_word(run, word, result);
		hs_costs_free(&run->completed);
	}
	hs_costs_free(&run->opened);
free_run:
	kfree(run);
	return err;
}
