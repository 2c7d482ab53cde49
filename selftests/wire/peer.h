/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The remote end of a TCP connection, played by the test.
 *
 *	  test                       the kernel, in a network namespace of its own
 *	  peer  ---- tun0 ----------  192.0.2.1, 2001:db8::1, tun0
 *	  192.0.2.2, 2001:db8::2      ordinary listening sockets
 *
 * What the test sends comes in from tun0, and what the kernel answers is read
 * there. The interface has no link layer: no ARP, nothing but IP packets, each
 * processed before peer_send() returns.
 *
 * A check that fails is printed with its place and the packets so far, and
 * counted in peer->failures, which the fixture looks at in the end.
 */
#ifndef WIRE_PEER_H
#define WIRE_PEER_H

#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "../../tools/lib/threeway.h"
#include "packet.h"

/* How long an answer may take, in ms; it comes at once. */
#define PEER_ANSWER_MS	200
/* How long nothing must come to call it silence. */
#define PEER_SILENCE_MS	300
/* What the timing of the machine may add. */
#define PEER_TOLERANCE_MS	50

#define PEER_TRACE	24
#define PEER_LABEL	96

/*
 * What two runs of one script are compared by: every packet of the kernel, and
 * what the script notes, each behind the label of the case.
 */
#define TRANSCRIPT_MAX	4096
struct transcript {
	unsigned int count;
	struct entry {
		char line[LINE_MAX_LEN];
		u64 at_ms;
	} entry[TRANSCRIPT_MAX];
};

/**
 * struct peer - the remote end
 * @family:	AF_INET or AF_INET6
 * @tun:	fd of the tun device
 * @engine:	fd of /dev/threeway; -1 for a run that is to be native
 * @claim:	id of the latest claim
 * @listener:	fd of the listening socket, or -1
 * @header:	what sent packets have in common: addresses, ports, TTL, ...
 * @vnet:	what the device tells the kernel about sent packets: how much of
 *		one is linear, its checksum, its segmentation; zero for nothing
 * @lossy:	the device may lack the memory for what is sent
 * @first_port:	first remote port
 * @last_port:	last remote port so far; packets to other ports between the two
 *		are of flows that the test has left, and are ignored
 * @iss:	the kernel's initial sequence number, from its SYN or SYN-ACK
 * @iss_known:	it is valid
 * @opens:	a socket of the kernel's connects
 * @irs:	our initial sequence number
 * @acked:	what the kernel acknowledged last
 * @tsval:	TSval of the latest packet
 * @latest:	the latest packet of the kernel
 * @raw:	its octets
 * @raw_len:	how many
 * @partial:	packets so far whose checksum was left to the device
 * @at_ms:	when it came
 * @start_ms:	when the flow began, zero of the times in a trace
 * @label:	the case of a table that runs now
 * @failures:	checks that failed
 * @trace:	the latest packets of both sides
 * @trace_count: packets so far
 * @watch:	is shown every packet of both sides, or NULL
 * @transcript:	where the kernel's packets are written down, or NULL
 * @counters:	the engine's counters when they were last checked
 */
struct peer {
	int family;
	int tun;
	int engine;
	u32 claim;
	int listener;
	struct packet header;
	struct virtio_net_hdr vnet;
	bool lossy;
	u16 first_port;
	u16 last_port;
	u32 iss;
	bool iss_known;
	bool opens;
	u32 irs;
	u32 acked;
	u32 tsval;
	struct packet latest;
	u8 raw[PACKET_MAX];
	size_t raw_len;
	unsigned int partial;
	u64 at_ms;
	u64 start_ms;
	char label[PEER_LABEL];
	unsigned int failures;
	char trace[PEER_TRACE][LINE_MAX_LEN];
	unsigned int trace_count;
	void (*watch)(struct peer *peer, bool sent, const u8 *raw, size_t len);
	struct transcript *transcript;
	__u64 counters[THREEWAY_COUNTER_MAX];
};

u64 now_ms(void);
/* How many times slower than a stock kernel this one may be. */
unsigned int peer_patience(void);
void sleep_ms(unsigned int ms);
/* Sleeps until a time of now_ms(). */
void sleep_until_ms(u64 ms);

/*
 * A namespace with tun0, and, with_engine, /dev/threeway opened in it. Returns
 * NULL, or what the machine lacks.
 */
const char *peer_open(struct peer *peer, int family, bool with_engine);
void peer_close(struct peer *peer);

/* Another tun device in the namespace: its fd, to be put into peer->tun. */
int peer_add_device(struct peer *peer, const char *name);

/*
 * Starts a new flow: another remote port, the same listener; the sequence
 * numbers are forgotten. The label, if any, names the case in failures.
 */
void peer_flow(struct peer *peer);

/* To turn to another flow and back. */
struct flow {
	u16 port;
	u32 iss;
	u32 irs;
	u32 tsval;
	u64 start_ms;
};

struct flow peer_park(const struct peer *peer);
void peer_resume(struct peer *peer, struct flow flow);

void __printf(2, 3) peer_label(struct peer *peer, const char *format, ...);

/*
 * Something else that must be equal in both runs of same_as_native(); "~N" in it
 * is a time in ms, which need only be nearly equal.
 */
void __printf(2, 3) peer_note(struct peer *peer, const char *format, ...);
/* That of TCP_INFO which the handshake decides. */
void peer_note_info(struct peer *peer, int fd);
/* Whatever comes until that time of the flow's clock is noted. */
void peer_watch(struct peer *peer, u64 until_ms);

/* From now on with IP options, or an extension header, that mean nothing. */
void peer_ip_options(struct peer *peer, bool on);

/* Sends one packet in the notation of packet.h. */
void __printf(2, 3) peer_send(struct peer *peer, const char *format, ...);
/* The same, but only to memory: the test changes it and injects it itself. */
size_t __printf(3, 4) peer_prepare(struct peer *peer, u8 *raw,
				   const char *format, ...);
void peer_inject(struct peer *peer, const u8 *raw, size_t len);

/* Waits for a packet of the flow, in peer->latest. */
bool peer_receive(struct peer *peer, unsigned int timeout_ms);

/* The checks, with the place where they stand. */
struct place {
	const char *file;
	int line;
};

#define HERE	((const struct place){ __FILE__, __LINE__ })

bool __printf(4, 5) peer_expect_(struct peer *peer, struct place place,
				 unsigned int timeout_ms,
				 const char *format, ...);
bool __printf(4, 5) peer_expect_at_(struct peer *peer, struct place place,
				    u64 at_ms, const char *format, ...);
bool peer_expect_silence_(struct peer *peer, struct place place,
			  unsigned int ms);
bool __printf(4, 5) peer_check_(struct peer *peer, struct place place,
				bool good, const char *format, ...);
int peer_expect_accept_(struct peer *peer, struct place place);
bool peer_expect_no_accept_(struct peer *peer, struct place place);
bool peer_expect_stream_(struct peer *peer, struct place place, int fd,
			 u32 from, size_t len);
bool __printf(3, 4) peer_expect_counters_(struct peer *peer,
					  struct place place,
					  const char *format, ...);
bool peer_same_as_native_(struct peer *peer, struct place place,
			  void (*script)(struct peer *peer, const void *arg),
			  const void *arg);
bool peer_expect_flow_(struct peer *peer, struct place place, bool there);

/* The next packet is that one, and comes at once. */
#define expect(peer, ...) \
	peer_expect_(peer, HERE, PEER_ANSWER_MS, __VA_ARGS__)
/* The next packet is that one, and comes at that time of the flow's clock. */
#define expect_at(peer, ms, ...) \
	peer_expect_at_(peer, HERE, ms, __VA_ARGS__)
/* No packet comes. */
#define expect_silence(peer) \
	peer_expect_silence_(peer, HERE, PEER_SILENCE_MS)
#define expect_silence_ms(peer, ms) \
	peer_expect_silence_(peer, HERE, ms)
/* Any condition, with a message. */
#define check(peer, good, ...) \
	peer_check_(peer, HERE, good, __VA_ARGS__)
/* accept() returns a socket, or none is there. */
#define expect_accept(peer)	peer_expect_accept_(peer, HERE)
#define expect_no_accept(peer)	peer_expect_no_accept_(peer, HERE)
/* read() returns just the octets of the stream from that place. */
#define expect_stream(peer, fd, from, len) \
	peer_expect_stream_(peer, HERE, fd, from, len)
/*
 * The engine's counters have moved by "name by; name by; ..." since the last
 * check and no other counter has. Of no effect in a native run.
 */
#define expect_counters(peer, ...) \
	peer_expect_counters_(peer, HERE, __VA_ARGS__)
/* No counter has moved. */
#define expect_no_counters(peer)	expect_counters(peer, "%s", "")
/* The engine has the flow in SYN-RECEIVED, or not. */
#define expect_flow(peer, there) \
	peer_expect_flow_(peer, HERE, there)
/*
 * Runs script(peer, arg) twice, in a new namespace each time: without and with
 * /dev/threeway, so that peer_claim() claims only in the second run. What the
 * kernel sent and the script noted must be equal, and the times as equal as the
 * timer wheel lets them be: if nothing but times differs, both are run again.
 */
#define same_as_native(peer, script, arg) \
	peer_same_as_native_(peer, HERE, script, arg)

/* Listens on the local port with the peer's family; -1 errno on failure. */
int peer_listen(struct peer *peer, int backlog);
int peer_listen_protocol(struct peer *peer, int backlog, int protocol);
/* A server as most tests want it: listening, and its port claimed. */
void peer_serve(struct peer *peer, const struct threeway_policy *policy);

/* What a common client offers in its SYN, whose TSval is 1000. */
#define SYN_OPTIONS "mss 1460,sackOK,TS val 1000 ecr 0,nop,wscale 7"

/* Sends a SYN with those options; its SYN-ACK must come, iss is known then. */
bool peer_syn(struct peer *peer, const char *options);

/* Claims the local port with that policy (NULL: none of its own). */
bool peer_claim(struct peer *peer, const struct threeway_policy *policy);
/*
 * The same, in place of the present one: every SYN is answered, without a
 * listener.
 */
bool peer_hold(struct peer *peer, const struct threeway_policy *policy);
/* A connection of the present tuple that leaves a TIME-WAIT at the server. */
void peer_time_wait(struct peer *peer);
/* A counter's value now. */
u64 peer_counter(struct peer *peer, enum threeway_counter counter);
/* Flows of the engine in the namespace; the present one in *flow. */
int peer_flows(struct peer *peer, struct threeway_flow *flow);

/* Writes /proc/sys/NAME. */
void __printf(2, 3) sysctl_set(const char *name, const char *format, ...);
/* A route to the peer alone, with these words of ip-route(8). */
void peer_route(struct peer *peer, const char *words);
/* Runs a shell command, which must succeed. */
void __printf(1, 2) run(const char *format, ...);

#endif /* WIRE_PEER_H */
