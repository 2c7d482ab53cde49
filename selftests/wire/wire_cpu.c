// SPDX-License-Identifier: GPL-2.0
/*
 * Which processor a connection belongs to: that on which its segments come in,
 * as programs and receive steering see it (rules LI10, NF8).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <sched.h>
#include <string.h>
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

static int listen_in_group(struct peer *peer)
{
	struct sockaddr_in6 address = {
		.sin6_family = peer->family,
		.sin6_port = htons(peer->header.dport),
	};
	int fd, one = 1;

	fd = socket(peer->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	check(peer, !setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one,
				sizeof(one)) &&
		    !bind(fd, (struct sockaddr *)&address,
			  peer->family == AF_INET ?
			  sizeof(struct sockaddr_in) : sizeof(address)) &&
		    !listen(fd, 16), "no listener: %s", strerror(errno));
	return fd;
}

/* Each processor has the listener with its number. */
static void steer(struct peer *peer, const int group[2])
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_CPU),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_fprog program = {
		.len = ARRAY_SIZE(code),
		.filter = code,
	};

	check(peer, !setsockopt(group[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF,
				&program, sizeof(program)),
	      "no filter: %s", strerror(errno));
}

static int accepted(const int group[2])
{
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = accept(group[i], NULL, NULL);
		if (fd < 0)
			continue;
		close(fd);
		return i;
	}
	return -1;
}

/* What a cookie looks like differs, and its ACK is all that is left of it. */
static void steered(struct peer *peer, const void *arg)
{
	struct transcript *transcript = peer->transcript;
	const bool *cookies = arg;
	int group[2], i, which;

	sysctl_set("net/ipv4/tcp_syncookies", "%d", *cookies ? 2 : 0);
	sysctl_set("net/threeway/syncookies", "%d", *cookies ? 2 : 0);
	group[0] = listen_in_group(peer);
	group[1] = listen_in_group(peer);
	steer(peer, group);
	peer_claim(peer, NULL);
	for (i = 0; i < 8; i++) {
		peer->transcript = NULL;
		peer_flow(peer);
		turn_to(peer, i & 1);
		peer_syn(peer, "mss 1460");
		turn_to(peer, i >> 1 & 1);
		peer_send(peer, ". 1 ack 1");
		which = accepted(group);
		peer_send(peer, "R 1");
		peer->transcript = transcript;
		peer_note(peer, "SYN on %d, ACK on %d: accepted by %d", i & 1,
			  i >> 1 & 1, which);
		check(peer, which == (*cookies ? i >> 1 & 1 : i & 1),
		      "%d: accepted by %d", i, which);
	}
	close(group[0]);
	close(group[1]);
}

TEST_F(wire, LI10_NF8_a_group_steered_by_processor_as_native)
{
	static const bool flows, cookies = true;

	ASSERT_LE(2, sysconf(_SC_NPROCESSORS_ONLN));
	same_as_native(&self->peer, steered, &flows);
	EXPECT_EQ(8, peer_counter(&self->peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(0, peer_counter(&self->peer, THREEWAY_C_sent_cookie));
	same_as_native(&self->peer, steered, &cookies);
	EXPECT_EQ(8, peer_counter(&self->peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(8, peer_counter(&self->peer, THREEWAY_C_sent_cookie));
}

TEST_HARNESS_MAIN
