// SPDX-License-Identifier: GPL-2.0
/*
 * Of several sockets that listen on a port, or of those that a BPF program knows,
 * a connection comes to the one that the native stack would have chosen (rules
 * LI10, IP11, V67): each scene is played without a claim, and with one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "wire.h"

#define PORT	80
#define GROUP	4
#define MAX	8

/* The host's second address of each family; the first one is the peer's usual. */
#define SECOND_IPV4	"192.0.2.7"
#define SECOND_IPV6	"2001:db8::7"

/**
 * struct choice - a socket that listens
 * @ipv4:	its address where the peer is IPv4, NULL for all
 * @ipv6:	the same where it is IPv6
 * @device:	that it is bound to, or NULL
 * @family:	other than the peer's, or 0
 * @only:	IPV6_V6ONLY
 */
struct choice {
	const char *ipv4;
	const char *ipv6;
	const char *device;
	int family;
	int only;
};

struct scene {
	struct choice choice[MAX];
	unsigned int count;
	bool another_link;
};

struct listeners {
	int fd[MAX];
	unsigned int count;
};

static socklen_t address_of(struct sockaddr_in6 *to, int family,
			    const char *text, u16 port)
{
	bool v4 = family == AF_INET;

	memset(to, 0, sizeof(*to));
	to->sin6_family = family;
	to->sin6_port = htons(port);
	if (text)
		inet_pton(family, text,
			  v4 ? (void *)&((struct sockaddr_in *)to)->sin_addr :
			       (void *)&to->sin6_addr);
	return v4 ? sizeof(struct sockaddr_in) : sizeof(*to);
}

/* SO_REUSEPORT lets any of them share the port with any other one. */
static int listen_as(struct peer *peer, const struct choice *choice, u16 port)
{
	const char *text = peer->family == AF_INET ? choice->ipv4 : choice->ipv6;
	int family = choice->family ? choice->family : peer->family;
	struct sockaddr_in6 address;
	socklen_t len = address_of(&address, family, text, port);
	int fd, one = 1;
	bool good;

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	good = !setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (family == AF_INET6)
		good &= !setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
				    &choice->only, sizeof(choice->only));
	if (choice->device)
		good &= !setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE,
				    choice->device, strlen(choice->device));
	good = good && !bind(fd, (struct sockaddr *)&address, len) &&
	       !listen(fd, 64);
	check(peer, good, "no listener: %s", strerror(errno));
	return fd;
}

static void listen_all(struct peer *peer, struct listeners *all,
		       const struct choice *choice, unsigned int count,
		       bool backwards)
{
	unsigned int i;

	all->count = count;
	for (i = 0; i < count; i++) {
		unsigned int which = backwards ? count - 1 - i : i;

		all->fd[which] = listen_as(peer, &choice[which], PORT);
	}
}

static void close_all(struct listeners *all)
{
	unsigned int i;

	for (i = 0; i < all->count; i++)
		close(all->fd[i]);
}

/* Whose connection is it? The peer resets it. */
static int accepted(const struct listeners *all)
{
	unsigned int i;
	int fd;

	for (i = 0; i < all->count; i++) {
		fd = accept(all->fd[i], NULL, NULL);
		if (fd < 0)
			continue;
		close(fd);
		return i;
	}
	return -1;
}

/* A SYN with so many octets of data, and what comes; then the ACK with others. */
static void note_answer(struct peer *peer, unsigned int octets)
{
	peer_send(peer, "S 0(%u) <mss 1460>", octets);
	if (!peer_receive(peer, PEER_ANSWER_MS))
		peer_note(peer, "no answer");
}

/* By that link; the answer may take the other one. */
static void note_answer_by(struct peer *peer, int link)
{
	int usual = peer->tun;

	peer->tun = link;
	peer_send(peer, "S 0 <mss 1460>");
	if (link != usual && !peer_receive(peer, PEER_ANSWER_MS))
		peer->tun = usual;
	if (peer->tun == usual && !peer_receive(peer, PEER_ANSWER_MS))
		peer_note(peer, "no answer");
	peer_note(peer, "by the %s link", peer->tun == usual ? "usual" : "other");
	peer->tun = usual;
}

static int finish(struct peer *peer, const struct listeners *all,
		  unsigned int octets)
{
	int which;

	peer_send(peer, octets ? "P. 1(%u) ack 1" : ". 1 ack 1", octets);
	if (octets)
		peer_receive(peer, PEER_ANSWER_MS);
	which = accepted(all);
	peer_send(peer, "R %u", 1 + octets);
	return which;
}

static void one_connection_by(struct peer *peer, const struct listeners *all,
			      int link)
{
	int usual = peer->tun;

	peer_flow(peer);
	note_answer_by(peer, link);
	if (peer->latest.flags & FLAG_RST)
		return;
	peer->tun = link;
	peer_note(peer, "accepted by %d", finish(peer, all, 0));
	peer->tun = usual;
}

static void one_connection(struct peer *peer, const struct listeners *all)
{
	one_connection_by(peer, all, peer->tun);
}

/* Over each link, to each address. */
static void connect_everywhere(struct peer *peer, const struct listeners *all,
			       int other)
{
	const struct address first = peer->header.dst;
	bool v4 = peer->family == AF_INET;
	unsigned int i;

	for (i = 0; i < (other < 0 ? 2 : 4); i++) {
		if (i % 2)
			inet_pton(peer->family, v4 ? SECOND_IPV4 : SECOND_IPV6,
				  &peer->header.dst);
		peer_label(peer, "address %u, link %u", i % 2, i / 2);
		one_connection_by(peer, all, i / 2 ? other : peer->tun);
		peer->header.dst = first;
	}
}

/* Which one is opened first must not matter where it does not natively. */
static void play(struct peer *peer, const void *arg)
{
	const struct scene *scene = arg;
	bool v4 = peer->family == AF_INET;
	struct listeners all;
	int other = -1, i;

	run("ip address add %s dev tun0 %s", v4 ? SECOND_IPV4 "/24" :
	    SECOND_IPV6 "/64", v4 ? "" : "nodad");
	if (scene->another_link) {
		other = peer_add_device(peer, "tun1");
		sysctl_set("net/ipv4/conf/all/rp_filter", "0");
		run("ip -%c route add %s dev tun1 metric 2000", v4 ? '4' : '6',
		    v4 ? "192.0.2.0/24" : "2001:db8::/64");
	}
	peer_claim(peer, NULL);
	for (i = 0; i < 2; i++) {
		peer_note(peer, "order %d", i);
		listen_all(peer, &all, scene->choice, scene->count, i);
		connect_everywhere(peer, &all, other);
		close_all(&all);
	}
	if (other >= 0)
		close(other);
}

/* @handed: connections that the engine has done; the rest of them was refused */
static void same_scene(struct peer *peer, const struct scene *scene,
		       unsigned int handed)
{
	same_as_native(peer, play, scene);
	check(peer, peer_counter(peer, THREEWAY_C_flows_handed_over) == handed,
	      "%llu were handed over", (unsigned long long)
	      peer_counter(peer, THREEWAY_C_flows_handed_over));
}

#define ALL		{ }
#define ONE		{ .ipv4 = "192.0.2.1", .ipv6 = "2001:db8::1" }
#define ALL_ON(d)	{ .device = (d) }
#define ONE_ON(d)	{ .ipv4 = "192.0.2.1", .ipv6 = "2001:db8::1", \
			  .device = (d) }

TEST_F(wire, LI10_own_address_before_all_addresses_as_native)
{
	static const struct scene scene = { { ALL, ONE }, 2, false };

	same_scene(&self->peer, &scene, 4);
}

TEST_F(wire, LI10_IP11_own_link_before_all_links_as_native)
{
	static const struct scene scene = { { ALL, ALL_ON("tun1") }, 2, true };

	same_scene(&self->peer, &scene, 8);
}

TEST_F(wire, LI10_IP11_address_and_link_as_native)
{
	static const struct scene scenes[] = {
		{ { ALL_ON("tun0"), ONE }, 2, true },
		{ { ALL, ALL_ON("tun1"), ONE, ONE_ON("tun1") }, 4, true },
		/* nobody listens on the usual link */
		{ { ALL_ON("tun1"), ONE_ON("tun1") }, 2, true },
	};

	same_scene(&self->peer, &scenes[0], 6);
	same_scene(&self->peer, &scenes[1], 8);
	same_scene(&self->peer, &scenes[2], 4);
	EXPECT_EQ(4, peer_counter(&self->peer,
				  THREEWAY_C_native_no_listener));
}

TEST_F(wire, LI10_V67_both_families_as_native)
{
	static const struct scene both = {
		{ { .family = AF_INET }, { .family = AF_INET6 },
		  { .family = AF_INET6, .only = 1 } }, 3, false
	};
	static const struct scene ipv6 = {
		{ { .family = AF_INET6 }, { .family = AF_INET6, .only = 1 } },
		2, false
	};
	static const struct scene mapped = {
		{ { .family = AF_INET },
		  { .family = AF_INET6, .ipv4 = "::ffff:192.0.2.1",
		    .ipv6 = "2001:db8::1" } }, 2, false
	};
	static const struct scene only = {
		{ { .family = AF_INET6, .only = 1 } }, 1, false
	};
	bool v4 = variant->family == AF_INET;

	same_scene(&self->peer, &both, 4);
	same_scene(&self->peer, &ipv6, 4);
	same_scene(&self->peer, &mapped, v4 ? 4 : 2);
	same_scene(&self->peer, &only, v4 ? 0 : 4);
}

/* The handshake is the one's that the SYN came to, whoever listens by then. */
static void late_listener(struct peer *peer, const void *arg)
{
	static const struct choice all = ALL, one = ONE;
	struct listeners both = { .count = 2 };

	(void)arg;
	peer_claim(peer, NULL);
	both.fd[0] = listen_as(peer, &all, PORT);
	peer_flow(peer);
	note_answer(peer, 0);
	both.fd[1] = listen_as(peer, &one, PORT);
	peer_note(peer, "accepted by %d", finish(peer, &both, 0));
	one_connection(peer, &both);
	close_all(&both);
}

TEST_F(wire, LI10_another_one_listens_between_SYN_and_ACK_as_native)
{
	same_as_native(&self->peer, late_listener, NULL);
	EXPECT_EQ(2, peer_counter(&self->peer, THREEWAY_C_flows_handed_over));
}

static void listen_in_group(struct peer *peer, struct listeners *group)
{
	static const struct choice all[GROUP] = { ALL };

	listen_all(peer, group, all, GROUP, false);
}

static void attach(struct peer *peer, const struct listeners *group,
		   const struct sock_filter *code, unsigned short count)
{
	const struct sock_fprog program = {
		.len = count,
		.filter = (struct sock_filter *)code,
	};

	check(peer, !setsockopt(group->fd[0], SOL_SOCKET,
				SO_ATTACH_REUSEPORT_CBPF, &program,
				sizeof(program)), "CBPF: %s", strerror(errno));
}

/* always the third one, whatever the hash says */
static const struct sock_filter constant[] = {
	BPF_STMT(BPF_RET | BPF_K, 2),
};

/* by the peer's port, at that offset from the IP header */
#define BY_PORT(header) {						\
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF + (header) + 1),	\
	BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, GROUP),			\
	BPF_STMT(BPF_RET | BPF_A, 0),					\
}

static const struct sock_filter by_port_ipv4[] = BY_PORT(20);
static const struct sock_filter by_port_ipv6[] = BY_PORT(40);

/* by what is left of the segment behind the header; 3 is the last one */
static const struct sock_filter by_length[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
	BPF_STMT(BPF_RET | BPF_A, 0),
};

/* A number beyond the group makes it the hash that decides. */
static const struct sock_filter beyond[] = {
	BPF_STMT(BPF_RET | BPF_K, GROUP),
};

static void filtered(struct peer *peer, const void *arg)
{
	bool v4 = peer->family == AF_INET;
	struct listeners group;
	unsigned int i;
	int which;

	(void)arg;
	listen_in_group(peer, &group);
	peer_claim(peer, NULL);
	for (i = 0; i < 4 * GROUP; i++) {
		if (i == 0)
			attach(peer, &group, constant, ARRAY_SIZE(constant));
		else if (i == GROUP)
			attach(peer, &group, v4 ? by_port_ipv4 : by_port_ipv6,
			       ARRAY_SIZE(by_port_ipv4));
		else if (i == 2 * GROUP)
			attach(peer, &group, by_length, ARRAY_SIZE(by_length));
		else if (i == 3 * GROUP)
			attach(peer, &group, beyond, ARRAY_SIZE(beyond));
		peer_label(peer, "connection %u", i);
		peer_flow(peer);
		note_answer(peer, i / GROUP == 2 ? i % GROUP : 0);
		which = finish(peer, &group, i % GROUP);
		/* hashes of two namespaces differ */
		peer_note(peer, "accepted by %d", i < 3 * GROUP ? which :
			  which >= 0);
	}
	close_all(&group);
}

TEST_F(wire, LI10_group_with_a_filter_as_native)
{
	same_as_native(&self->peer, filtered, NULL);
	EXPECT_EQ(4 * GROUP,
		  peer_counter(&self->peer, THREEWAY_C_flows_handed_over));
}

/*
 * A cookie leaves nothing of the SYN: it is the ACK that the program sees then.
 * What the SYN-ACKs look like is not the same.
 */
static void filtered_cookies(struct peer *peer, const void *arg)
{
	struct transcript *transcript = peer->transcript;
	struct listeners group;
	unsigned int i;
	int which;

	(void)arg;
	sysctl_set("net/ipv4/tcp_syncookies", "2");
	sysctl_set("net/threeway/syncookies", "2");
	listen_in_group(peer, &group);
	attach(peer, &group, by_length, ARRAY_SIZE(by_length));
	peer_claim(peer, NULL);
	for (i = 0; i < GROUP; i++) {
		peer->transcript = NULL;
		peer_flow(peer);
		note_answer(peer, GROUP - 1 - i);
		which = finish(peer, &group, i);
		peer->transcript = transcript;
		peer_note(peer, "%u octets: accepted by %d", i, which);
	}
	close_all(&group);
}

TEST_F(wire, LI10_CK3_group_with_a_filter_and_cookies_as_native)
{
	same_as_native(&self->peer, filtered_cookies, NULL);
	EXPECT_EQ(GROUP,
		  peer_counter(&self->peer, THREEWAY_C_cookies_received));
}

/* Return: fd of a map of sockets with all of these in it */
static int map_of(struct peer *peer, enum bpf_map_type type,
		  const struct listeners *all)
{
	int map = bpf_map_create(type, NULL, 4, 8, MAX, NULL);
	__u32 i;

	check(peer, map >= 0, "no map: %s", strerror(errno));
	for (i = 0; i < all->count; i++) {
		__u64 fd = all->fd[i];

		check(peer, !bpf_map_update_elem(map, &i, &fd, BPF_ANY),
		      "not in the map: %s", strerror(errno));
	}
	return map;
}

/* The last octet of the peer's port, as the segment has it, says which one. */
static int reuseport_program(int map)
{
	const struct bpf_insn code[] = {
		INSN(BPF_LDX | BPF_MEM | BPF_DW, 2, 1,
		     offsetof(struct sk_reuseport_md, data), 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, 3, 1,
		     offsetof(struct sk_reuseport_md, data_end), 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, 2),
		INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 8, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_B, 5, 2, 1, 0),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, 5, 0, 0, GROUP - 1),
		INSN(BPF_STX | BPF_MEM | BPF_W, 10, 5, -4, 0),
		INSN(BPF_LD | BPF_DW | BPF_IMM, 2, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 3, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, -4),
		/* the jump lands at the return: refused */
		INSN(BPF_JMP | BPF_JA, 0, 0, 2, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, SK_DROP),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0,
		     BPF_FUNC_sk_select_reuseport),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, SK_PASS),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	return program_load(BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT,
			    code, ARRAY_SIZE(code));
}

static void selected(struct peer *peer, const void *arg)
{
	struct listeners group;
	int map, program;
	unsigned int i;

	(void)arg;
	listen_in_group(peer, &group);
	map = map_of(peer, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, &group);
	program = reuseport_program(map);
	check(peer, !setsockopt(group.fd[0], SOL_SOCKET,
				SO_ATTACH_REUSEPORT_EBPF, &program,
				sizeof(program)), "EBPF: %s", strerror(errno));
	peer_claim(peer, NULL);
	for (i = 0; i < 2 * GROUP; i++) {
		peer_label(peer, "connection %u", i);
		one_connection(peer, &group);
	}
	close(program);
	close(map);
	close_all(&group);
}

TEST_F(wire, LI10_group_with_a_program_as_native)
{
	same_as_native(&self->peer, selected, NULL);
	EXPECT_EQ(2 * GROUP,
		  peer_counter(&self->peer, THREEWAY_C_flows_handed_over));
}

/*
 * What is for PORT: of four ports of the peer in a row one is refused, another one
 * is left to whoever listens there, and two are for sockets of other ports.
 */
static int lookup_program(int map)
{
	const struct bpf_insn code[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 6,
		     offsetof(struct bpf_sk_lookup, local_port), 0),
		INSN(BPF_JMP | BPF_JNE | BPF_K, 2, 0, 20, PORT),
		INSN(BPF_LDX | BPF_MEM | BPF_H, 2, 6,
		     offsetof(struct bpf_sk_lookup, remote_port), 0),
		INSN(BPF_ALU | BPF_END | BPF_TO_BE, 2, 0, 0, 16),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 3),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 16, 2),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 13, 3),
		INSN(BPF_STX | BPF_MEM | BPF_W, 10, 2, -4, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
		INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 8, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 7, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 7, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_sk_assign),
		INSN(BPF_JMP | BPF_JA, 0, 0, 4, 0),
		/* 21: refused */
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, SK_DROP),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		/* 23: as usual */
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, SK_PASS),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		/* 25: the one that is assigned */
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 7, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_sk_release),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, SK_PASS),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	return program_load(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, code,
			    ARRAY_SIZE(code));
}

/* Return: fd of the link; the program runs as long as that is open. */
static int attach_lookup(struct peer *peer, int program)
{
	int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int link = bpf_link_create(program, ns, BPF_SK_LOOKUP, NULL);

	check(peer, link >= 0, "not attached: %s", strerror(errno));
	close(ns);
	return link;
}

/* Two sockets of other ports, one of them of this host's other address. */
static void looked_up(struct peer *peer, const void *arg)
{
	static const struct choice elsewhere = {
		.ipv4 = "127.0.0.1", .ipv6 = "::1",
	}, all = ALL;
	const bool *usual = arg;
	struct listeners two = { .count = 2 };
	struct listeners every;
	int map, program, link;
	unsigned int i;

	run("ip link set lo up");
	two.fd[0] = listen_as(peer, &all, 7000);
	two.fd[1] = listen_as(peer, &elsewhere, 7001);
	map = map_of(peer, BPF_MAP_TYPE_SOCKMAP, &two);
	program = lookup_program(map);
	link = attach_lookup(peer, program);
	every = two;
	if (*usual)
		every.fd[every.count++] = listen_as(peer, &all, PORT);
	peer_claim(peer, NULL);
	for (i = 0; i < 8; i++) {
		peer_label(peer, "connection %u", i);
		one_connection(peer, &every);
	}
	close(link);
	for (i = 0; i < 4; i++) {
		peer_label(peer, "connection %u without the program", i);
		one_connection(peer, &every);
	}
	close(program);
	close(map);
	close_all(&every);
}

TEST_F(wire, LI10_a_program_that_looks_listeners_up_as_native)
{
	static const bool without, with = true;
	struct peer *peer = &self->peer;

	same_as_native(peer, looked_up, &without);
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(8, peer_counter(peer, THREEWAY_C_native_no_listener));
	same_as_native(peer, looked_up, &with);
	EXPECT_EQ(10, peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_EQ(2, peer_counter(peer, THREEWAY_C_native_no_listener));
}

TEST_HARNESS_MAIN
