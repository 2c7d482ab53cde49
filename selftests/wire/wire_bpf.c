// SPDX-License-Identifier: GPL-2.0
/*
 * BPF programs on socket operations, with a claim as without (rule HO24). The
 * program counts each operation; it can ask for those on options of segments,
 * which only the native stack has, and answer one of the questions.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "sockops.h"
#include "wire.h"

#define OPS	32

/**
 * struct program - what it does besides
 * @flags:	callback flags that it asks for, if any
 * @question:	operation that it answers, if any
 * @reply:	by what
 */
struct program {
	int flags;
	int question;
	int reply;
};

/*
 * numbers[ctx->op]++; sets the callback flags; ctx->reply = -1, or what the program
 * has to say
 */
static struct sockops start_counting(struct peer *peer,
				     const struct program *program)
{
	struct sockops ops = sockops_open(OPS);
	const struct bpf_insn code[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 6, 0, 0),
		INSN(BPF_STX | BPF_MEM | BPF_W, 10, 2, -4, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
		INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0,
		     ops.map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 1, 0, 0, 1),
		INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 0, 1, 0, BPF_ADD),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0,
		     program->flags),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 2, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0,
		     BPF_FUNC_sock_ops_cb_flags_set),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, -1),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 1, 10, -4, 0),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 1, 0, 1, program->question),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, program->reply),
		INSN(BPF_STX | BPF_MEM | BPF_W, 6, 2, 4, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	check(peer, sockops_start(&ops, code, ARRAY_SIZE(code)),
	      "no program: %s", strerror(errno));
	return ops;
}

/* What happens to a connection; the rest are questions about its values. */
static bool is_event(int op)
{
	return op != BPF_SOCK_OPS_TIMEOUT_INIT &&
	       op != BPF_SOCK_OPS_RWND_INIT && op != BPF_SOCK_OPS_NEEDS_ECN &&
	       op != BPF_SOCK_OPS_BASE_RTT;
}

/* Each event so often; each question asked, or not. */
static void stop_counting(struct peer *peer, struct sockops *ops)
{
	int op;

	check(peer, sockops_stop(ops), "cannot detach");
	for (op = 0; op < OPS; op++) {
		u64 count = sockops_number(ops, op);

		if (count)
			peer_note(peer, "operation %d: %llu times", op,
				  is_event(op) ? (unsigned long long)count : 1);
	}
	sockops_close(ops);
}

static void passive(struct peer *peer, const void *arg)
{
	struct sockops ops = start_counting(peer, arg);
	int i, fd;

	peer_serve(peer, NULL);
	for (i = 0; i < 3; i++) {
		peer_flow(peer);
		peer_syn(peer, SYN_OPTIONS);
		if (i == 2) {
			/* a SYN-ACK is sent twice */
			peer_watch(peer, 1500);
		}
		peer_send(peer, "P. 1(3) ack 1 <nop,nop,TS val 1001 ecr ^>");
		expect(peer, ". 1 ack 4");
		fd = expect_accept(peer);
		peer_send(peer, "R 4");
		close(fd);
	}
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	peer_send(peer, "R 1");
	stop_counting(peer, &ops);
}

static void active(struct peer *peer, const void *arg)
{
	struct sockops ops = start_counting(peer, arg);
	int fd;

	client_claim(peer, NULL);
	fd = client_open(peer);
	peer_send(peer, "S. 0 ack 1 <mss 1460>");
	expect(peer, ". 1 ack 1");
	expect_connected(peer, fd);
	client_close(peer, fd);
	/* with a copy, and refused */
	fd = client_open(peer);
	peer_watch(peer, 1500);
	peer_send(peer, "R. 0 ack 1");
	close(fd);
	stop_counting(peer, &ops);
}

/* SYNs that ask for ECN, the second marked already, which is no ECN at all */
static void passive_ecn(struct peer *peer, const void *arg)
{
	struct sockops ops = start_counting(peer, arg);

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_send(peer, "SEW 0 <" SYN_OPTIONS ">");
	peer_watch(peer, 100);
	peer_send(peer, "R 1");
	peer_flow(peer);
	peer_send(peer, "SEW 0 tos 2 <" SYN_OPTIONS ">");
	peer_watch(peer, 100);
	peer_send(peer, "R 1");
	stop_counting(peer, &ops);
}

static const struct program counts = { .question = -1 };

static const struct program options = {
	.flags = BPF_SOCK_OPS_PARSE_ALL_HDR_OPT_CB_FLAG |
		 BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG,
	.question = -1,
};

/* 500 ms, in jiffies */
static const struct program half_a_second = {
	.question = BPF_SOCK_OPS_TIMEOUT_INIT,
	.reply = 125,
};

static const struct program five_segments = {
	.question = BPF_SOCK_OPS_RWND_INIT,
	.reply = 5,
};

static const struct program needs_ecn = {
	.question = BPF_SOCK_OPS_NEEDS_ECN,
	.reply = 1,
};

TEST_F(wire, HO24_operations_of_a_passive_open_as_native)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, passive, &counts);
	EXPECT_EQ(3, peer_counter(peer, THREEWAY_C_flows_handed_over));
}

TEST_F(wire, HO24_operations_of_an_active_open_as_native)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, active, &counts);
	EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_handed_over));
}

TEST_F(wire, HO24_listener_with_options_by_a_program)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, passive, &options);
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_native_bpf));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_flows_opened));
}

TEST_F(wire, HO24_connect_with_options_by_a_program)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, active, &options);
	EXPECT_LE(2, peer_counter(peer, THREEWAY_C_native_bpf));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_flows_opened));
}

TEST_F(wire, HO24_first_timeout_by_a_program)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, passive, &half_a_second);
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_native_bpf));
	same_as_native(peer, active, &half_a_second);
	EXPECT_LE(2, peer_counter(peer, THREEWAY_C_native_bpf));
	EXPECT_EQ(0, peer_counter(peer, THREEWAY_C_flows_opened));
}

TEST_F(wire, HO24_first_timeout_of_the_claim_before_that_of_a_program)
{
	struct sockops ops = start_counting(&self->peer, &half_a_second);
	const struct threeway_policy policy = {
		.set = THREEWAY_P_RTO_INITIAL,
		.rto_initial_ms = 2000,
	};
	struct peer *peer = &self->peer;
	int fd;

	peer_serve(peer, &policy);
	peer_syn(peer, "mss 1460");
	expect_at(peer, 2000, "S. 0 ack 1");
	peer_send(peer, "R 1");
	client_claim(peer, &policy);
	fd = client_open(peer);
	expect_at(peer, 2000, "S 0");
	close(fd);
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_opened));
	check(peer, sockops_stop(&ops), "cannot detach");
	sockops_close(&ops);
}

TEST_F(wire, HO24_receive_window_by_a_program)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, passive, &five_segments);
	EXPECT_EQ(3, peer_counter(peer, THREEWAY_C_flows_handed_over));
}

TEST_F(wire, HO24_ECN_by_a_program)
{
	struct peer *peer = &self->peer;

	sysctl_set("net/ipv4/tcp_ecn", "0");
	same_as_native(peer, passive_ecn, &needs_ecn);
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_flows_opened));
}

TEST_HARNESS_MAIN
