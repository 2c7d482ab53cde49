// SPDX-License-Identifier: GPL-2.0
/*
 * Which processor a connection belongs to: that on which its segments come in,
 * as programs and receive steering see it (rule NF8).
 */
#include <sched.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

/* From now on what we send is received there. */
static void turn_to(struct peer *peer, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	check(peer, !sched_setaffinity(0, sizeof(set), &set),
	      "no processor %d", cpu);
}

static void expect_cpu(struct peer *peer, int fd, int wanted)
{
	int cpu = -1;
	socklen_t len = sizeof(cpu);

	check(peer, !getsockopt(fd, SOL_SOCKET, SO_INCOMING_CPU, &cpu, &len) &&
	      cpu == wanted, "processor %d, expected %d", cpu, wanted);
}

TEST_F(wire, NF8_a_child_belongs_where_its_handshake_was_completed)
{
	struct peer *peer = &self->peer;
	int syn, ack, fd, i;

	ASSERT_LE(2, sysconf(_SC_NPROCESSORS_ONLN));
	peer_serve(peer, NULL);
	for (i = 0; i < 8; i++) {
		syn = i & 1;
		ack = i >> 1 & 1;
		peer_flow(peer);
		peer_label(peer, "SYN on %d, ACK on %d", syn, ack);
		turn_to(peer, syn);
		peer_syn(peer, SYN_OPTIONS);
		turn_to(peer, ack);
		peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1001 ecr ^>");
		turn_to(peer, !ack);
		fd = expect_accept(peer);
		expect_cpu(peer, fd, ack);
		/* and goes where its data come in */
		peer_send(peer, "P. 1(3) ack 1 <nop,nop,TS val 1002 ecr ^>");
		expect(peer, ". 1 ack 4");
		expect_cpu(peer, fd, !ack);
		peer_send(peer, "R 4");
		close(fd);
	}
	expect_counters(peer, "flows_opened 8; sent_synack 8; "
			"flows_handed_over 8");
}

TEST_F(wire, NF8_a_socket_belongs_where_its_SYN_ACK_came_in)
{
	struct peer *peer = &self->peer;
	int fd, i;

	ASSERT_LE(2, sysconf(_SC_NPROCESSORS_ONLN));
	client_claim(peer, NULL);
	for (i = 0; i < 4; i++) {
		peer_label(peer, "SYN-ACK on %d", i & 1);
		turn_to(peer, i >> 1);
		fd = client_open(peer);
		turn_to(peer, i & 1);
		peer_send(peer, "S. 0 ack 1 <mss 1460>");
		expect(peer, ". 1 ack 1");
		turn_to(peer, !(i & 1));
		expect_connected(peer, fd);
		expect_cpu(peer, fd, i & 1);
		client_close(peer, fd);
	}
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_flows_handed_over));
}

TEST_HARNESS_MAIN
