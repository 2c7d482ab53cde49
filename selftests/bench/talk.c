// SPDX-License-Identifier: GPL-2.0
/* An established connection: a segment with data comes in, one goes out. */
#include <linux/netdevice.h>
#include <linux/sched.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "load.h"
#include "run.h"

#define HS_DATA		100	/* bytes in a segment */

/* A connection, and where its peer is. */
struct hs_talk {
	struct socket *sock;
	struct hs_spec spec;
};

static int hs_talk_begin(struct hs_run *run, struct hs_talk *talk)
{
	unsigned int i;
	int err;

	err = hs_batch_syn(run) ?: hs_run_acks(run);
	if (err)
		return err;
	talk->spec.flags = TCP_FLAG_ACK | TCP_FLAG_PSH;
	talk->spec.len = HS_DATA;
	hs_run_answer(run, 0, &talk->spec);
	talk->spec.seq = hs_peer_iss(run->first) + 1;
	hs_run_receive(run, true);
	/* one of them is enough; they come in the order of their peers */
	for (i = 0; i < HS_BATCH; i++) {
		struct socket *sock = hs_host_accept();

		if (IS_ERR(sock))
			return -EPROTO;
		if (i)
			hs_host_abort(sock);
		else
			talk->sock = sock;
	}
	if (!hs_peer_has(run->first, talk->sock->sk))
		return -EPROTO;
	tcp_sock_set_nodelay(talk->sock->sk);
	return 0;
}

static u64 hs_talk_hear(struct sk_buff *skb)
{
	u64 began;

	local_bh_disable();
	began = hs_clock();
	netif_receive_skb(skb);
	local_bh_enable();
	return hs_clock() - began;
}

static int hs_talk_say(struct hs_talk *talk, u64 *cost)
{
	static char data[HS_DATA];
	struct kvec in = { data, HS_DATA }, out = { data, HS_DATA };
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT };
	u64 began;
	int len;

	if (kernel_recvmsg(talk->sock, &msg, &in, 1, HS_DATA, MSG_DONTWAIT) !=
	    HS_DATA)
		return -EPROTO;
	memset(&msg, 0, sizeof(msg));
	msg.msg_flags = MSG_DONTWAIT;
	began = hs_clock();
	len = kernel_sendmsg(talk->sock, &msg, &out, 1, HS_DATA);
	*cost += hs_clock() - began;
	return len == HS_DATA ? 0 : -EPROTO;
}

static int hs_talk_exchange(struct hs_run *run, struct hs_talk *talk)
{
	const struct hs_sent *sent = hs_peer_sent(0);
	u64 heard = 0, said = 0;
	unsigned int i;
	int err;

	for (i = 0; i < HS_BATCH; i++) {
		struct sk_buff *skb = hs_peer_segment(&talk->spec);

		if (!skb)
			return -ENOMEM;
		hs_peer_batch(talk->spec.peer, 0);
		heard += hs_talk_hear(skb);
		err = hs_talk_say(talk, &said);
		if (err)
			return err;
		if (!sent->count || !sent->th.psh)
			return -EPROTO;
		talk->spec.seq += HS_DATA;
		talk->spec.ack = ntohl(sent->th.seq) + HS_DATA;
		talk->spec.tsecr = hs_sent_tsval(sent);
	}
	hs_costs_add(&run->opened, said);
	hs_costs_add(&run->completed, heard);
	return 0;
}

int hs_exchange(struct hs_run *run, char *result)
{
	struct hs_talk talk = { };
	u32 done;
	int err;

	err = hs_talk_begin(run, &talk);
	run->opened.count = 0;
	for (done = 0; done < run->count && !err; done += HS_BATCH) {
		if (done == run->warm)
			hs_run_forget(run);
		err = hs_talk_exchange(run, &talk);
		cond_resched();
	}
	if (talk.sock)
		hs_host_abort(talk.sock);
	hs_run_drop(run);
	if (err)
		return err;
	hs_print("open", hs_costs_middle(&run->opened), result);
	hs_print("complete", hs_costs_middle(&run->completed), result);
	return 0;
}
