// SPDX-License-Identifier: GPL-2.0
/*
 * The engine compares the first request of a kind with what it would have made
 * itself. Where they are not alike it makes none: all of that kind are replayed,
 * for as long as the module is loaded, and are native's (rules HO1, HO11, HO24).
 * What makes them unlike here is a BPF program that gives every connection
 * another first timeout; the claim has one of its own, or they would not be the
 * engine's at all.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <string.h>
#include <unistd.h>

#include "sockops.h"
#include "wire.h"

/* ctx->reply = ctx->op == TIMEOUT_INIT ? 500 + number++ : -1 */
static struct sockops start_program(struct peer *peer)
{
	struct sockops ops = sockops_open(1);
	const struct bpf_insn code[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 7, 0, 0, -1),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 6, 0, 0),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 2, 0, 10,
		     BPF_SOCK_OPS_TIMEOUT_INIT),
		INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
		INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0,
		     ops.map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 7, 0, 0, 1),
		INSN(BPF_STX | BPF_ATOMIC | BPF_DW, 0, 7, 0,
		     BPF_ADD | BPF_FETCH),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 7, 0, 0, 500),
		INSN(BPF_STX | BPF_MEM | BPF_W, 6, 7, 4, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	check(peer, sockops_start(&ops, code, ARRAY_SIZE(code)),
	      "no program: %s", strerror(errno));
	return ops;
}

static const struct threeway_policy own_timeout = {
	.set = THREEWAY_P_RTO_INITIAL,
	.rto_initial_ms = 1000,
};

static void handshake(struct peer *peer)
{
	int fd;

	peer_flow(peer);
	peer_syn(peer, SYN_OPTIONS);
	sleep_ms(50);
	peer_send(peer, "P. 1(5) ack 1 <nop,nop,TS val 1050 ecr ^>");
	peer_watch(peer, 100);
	fd = expect_accept(peer);
	peer_note_info(peer, fd);
	expect_stream(peer, fd, 1, 5);
	peer_send(peer, "R 6");
	close(fd);
}

static void three_handshakes(struct peer *peer, const void *arg)
{
	int i;

	(void)arg;
	peer_serve(peer, &own_timeout);
	for (i = 0; i < 3; i++)
		handshake(peer);
}

TEST_F(wire, HO1_HO11_HO24_what_is_unlike_is_replayed_for_good)
{
	struct peer *peer = &self->peer;
	struct sockops ops = start_program(peer);

	peer_serve(peer, &own_timeout);
	handshake(peer);
	EXPECT_LE(1, sockops_number(&ops, 0));
	check(peer, sockops_stop(&ops), "cannot detach");
	sockops_close(&ops);
	if (!peer_counter(peer, THREEWAY_C_handoff_replayed))
		SKIP(return, "the module has seen one before");
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"flows_handed_over 1; handoff_replayed 1; "
			"handoff_unlike 1");
	handshake(peer);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"flows_handed_over 1; handoff_replayed 1");
	same_as_native(peer, three_handshakes, NULL);
	expect_counters(peer, "flows_opened 3; sent_synack 3; "
			"flows_handed_over 3; handoff_replayed 3");
}

TEST_HARNESS_MAIN
