/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A load for benchmarks: a network device behind which stateless peers live, the
 * sockets of the host that they talk to, and the count of the instructions which
 * the host spends on it.
 *
 * The peers are numbered. Peer n has an address of 198.18.0.0/15, or one of
 * 2001:2::/48, and a port of its own; what the host sends to one of the peers of
 * the current batch is kept, so that the next batch can answer. There is one
 * device, in the network namespace in which the module was loaded, and one user at
 * a time.
 */
#ifndef HS_LOAD_H
#define HS_LOAD_H

#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/net_namespace.h>

/* Peers that are served together. */
#define HS_BATCH	32

/* 192.0.2.1 and 2001:db8::1, the host's addresses. */
#define HS_HOST		0xc0000201U
#define HS_HOST6							\
	((struct in6_addr){ { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } } })

/*
 * Tells the profiler (profile.c) what is measured from here on: 1, what opens; 2,
 * what completes; 3, a timer's function that has sent a SYN or SYN-ACK before; 0,
 * nothing. To all others it is an instruction without effect.
 */
#define HS_MARK(kind)							\
	asm volatile(".byte 0x0f, 0x1f, 0x80, 0x68, 0x73, 0x5f, " #kind	\
		     ::: "memory")

/**
 * struct hs_sent - the last segment that the host sent to a peer
 * @th:		its TCP header
 * @options:	the rest of that
 * @count:	segments since the batch began; 0: none, and the rest is invalid
 */
struct hs_sent {
	struct tcphdr th;
	u8 options[40];
	u32 count;
};

/**
 * struct hs_spec - a segment of a peer
 * @peer:	its number
 * @peer_port:	its port, host byte order; 0 for that of its number
 * @host_port:	host byte order
 * @seq:	sequence number
 * @ack:	acknowledgment number
 * @flags:	TCP_FLAG_*; a SYN has the options of one
 * @tsecr:	of the timestamps option
 * @len:	bytes of data
 */
struct hs_spec {
	u32 peer;
	u16 peer_port;
	u16 host_port;
	u32 seq;
	u32 ack;
	__be32 flags;
	u32 tsecr;
	u16 len;
};

/* peer.c */
int hs_peer_setup(void);
void hs_peer_teardown(void);
struct net *hs_peer_net(void);

/* AF_INET, or AF_INET6: of all addresses from now on. */
void hs_peer_use(int family);
int hs_peer_family(void);

/* Its address, in the low bits of which the peer is. */
struct in6_addr hs_peer_address6(u32 peer);
__be32 hs_peer_address(u32 peer);
u16 hs_peer_port(u32 peer);

/**
 * hs_peer_name() - an address to connect to
 * @peer:	whose
 * @port:	host byte order
 * @name:	is filled in
 *
 * Return: its length.
 */
int hs_peer_name(u32 peer, u16 port, struct sockaddr_storage *name);

/* Is the socket's peer this one? */
bool hs_peer_has(u32 peer, const struct sock *sk);

/* Peers that were in no batch yet. Return: the first. */
u32 hs_peer_new(u32 count);
u32 hs_peer_iss(u32 peer);

/*
 * From now on the peers first to first + HS_BATCH - 1 are the batch; their port is
 * this one, or with 0 that of their number.
 */
void hs_peer_batch(u32 first, u16 port);

/* What the host sent to the n-th peer of the batch. */
const struct hs_sent *hs_peer_sent(unsigned int n);

/* SYNs and SYN-ACKs that the host has sent so far, to whatever peer. */
unsigned int hs_peer_syns(void);

/* The load's device. */
struct net_device *hs_peer_device(void);

/* segment.c: the segment as a received packet, or NULL. */
struct sk_buff *hs_peer_segment(const struct hs_spec *spec);

/* The TSval of a segment, 0 without one. */
u32 hs_sent_tsval(const struct hs_sent *sent);

/* costs.c: of batches, one for each */
struct hs_costs {
	u64 *batch;
	unsigned int count;
	unsigned int max;
};

int hs_costs_init(struct hs_costs *costs, unsigned int operations);
void hs_costs_free(struct hs_costs *costs);
void hs_costs_add(struct hs_costs *costs, u64 cost);

/*
 * Of an operation, in tenths of an instruction: the mean of the middle half of the
 * batches, since what an operation costs may depend on the place in a page.
 */
u64 hs_costs_middle(struct hs_costs *costs);

/* counter.c: what is counted */
int hs_counter_setup(void);
void hs_counter_teardown(void);

/* Its unit: "instructions", "cycles" or "ticks" of the time-stamp counter. */
const char *hs_counter_unit(void);

/* What calls this stays on the CPU whose work is counted. */
int hs_counter_stay(void);

/* Is it this one? */
bool hs_counter_here(void);

/* Its count; only there. */
u64 hs_counter(void);

/* flood.c: SYNs of peers that never answer, at a rate */
int hs_flood_begin(u16 port, u32 rate);

/**
 * struct hs_flood_sum - since hs_flood_begin()
 * @sent:	SYNs that the host received
 * @lost:	those that it was too busy to receive
 */
struct hs_flood_sum {
	u64 sent;
	u64 lost;
};

struct hs_flood_sum hs_flood_end(void);

/* host.c: sockets of the host */
int hs_host_listen(u16 port, int backlog);
struct socket *hs_host_accept(void);
struct socket *hs_host_socket(void);
void hs_host_abort(struct socket *sock);
void hs_host_close(void);

/* deferred.c: what the host does later, or for other reasons */
int hs_deferred_setup(void);
void hs_deferred_teardown(void);
void hs_deferred_begin(void);

/**
 * struct hs_deferred - since hs_deferred_begin()
 * @rcu:	spent in RCU callbacks
 * @timer:	spent in functions of timers that have sent a SYN or SYN-ACK at
 *		least once
 */
struct hs_deferred {
	u64 rcu;
	u64 timer;
};

void hs_deferred_end(struct hs_deferred *sum);

/* What the tick and softirqs of others have cost so far. */
u64 hs_deferred_stolen(void);

/* operation.c */
#define HS_RESULT	256

/**
 * hs_operation() - do what a line says
 * @line:	a word and its numbers; see there
 * @result:	of HS_RESULT bytes, a line
 *
 * Return: 0, or an error; -EPROTO when the host did not do its part.
 */
int hs_operation(char *line, char *result);

#endif /* HS_LOAD_H */
