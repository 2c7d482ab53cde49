/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * threeway: the control interface of /dev/threeway
 *
 * Opening
 *   open("/dev/threeway") binds the file to the network namespace of the
 *   opener for as long as the file is open; setns() afterwards changes
 *   nothing. The opener needs CAP_NET_ADMIN in the user namespace that owns
 *   the network namespace (EPERM), and so does every caller of ioctl(). Like a
 *   socket, an open file keeps its namespace alive.
 *
 * Rules for every command
 *   - The layout is the same for 32-bit and 64-bit callers. Pointers travel
 *     in a __u64. Addresses and ports are in network byte order where the type
 *     says __be, and all other numbers in host byte order.
 *   - Fields called pad or reserved, unused flag bits and the unused bytes of
 *     an address must be zero, or the call fails with EINVAL.
 *   - A call that fails changes nothing.
 *   - There is no version number: a change of meaning gets a new command. An
 *     unknown command fails with ENOTTY. A bad pointer fails with EFAULT.
 *
 * Lists
 *   THREEWAY_IOC_CLAIM_LIST and THREEWAY_IOC_FLOW_LIST copy at most "room"
 *   records to "records" and set "count" to the number of records copied.
 *   Start with cursor 0 and repeat with the returned cursor until count is 0.
 *   A room that is not 1 to 4096 fails with EINVAL.
 *   Claims come in the order of their ids. Their cursor is an id, of a claim that
 *   need not exist: the list goes on with the next one. What is no id, 2^32 and
 *   more, fails with EINVAL.
 *   Any other cursor of flows fails with EINVAL, and after an error their list
 *   has to begin again with cursor 0. Flows come in no order, and one file
 *   reads one list of flows at a time; a flow that is created or deleted while
 *   the list is read may be missed, one that lives throughout is not, but may come
 *   twice.
 *
 * Events
 *   After THREEWAY_IOC_EVENT_START read() returns whole struct threeway_event,
 *   as many as fit and wait; it blocks while there is none, or fails with EAGAIN
 *   if the file is non-blocking. poll() tells when there is one, and POLLERR
 *   before THREEWAY_IOC_EVENT_START. ENODATA without that call; EINVAL when not one
 *   fits. A reader that is too slow loses the newest events and finds their number
 *   in the next one, counted from THREEWAY_IOC_EVENT_START: the packets never wait
 *   for it. read() asks for no capability.
 */
#ifndef _UAPI_THREEWAY_H
#define _UAPI_THREEWAY_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define THREEWAY_DEVICE	"/dev/threeway"

/* Direction of a handshake, seen from this host. */
enum threeway_direction {
	THREEWAY_PASSIVE	= 1,	/* the peer opens */
	THREEWAY_ACTIVE		= 2,	/* this host opens */
};

/* Who does a handshake, and what becomes of it when it is finished. */
enum threeway_mode {
	THREEWAY_HANDOFF	= 1,	/* the engine; a native socket gets it */
	THREEWAY_HOLD		= 2,	/* the engine, without a socket; passive only */
	THREEWAY_OBSERVE	= 3,	/* the native stack; the engine looks on */
};

/* Where a held handshake stops. */
enum threeway_freeze {
	THREEWAY_FREEZE_NONE		= 0,
	/* stays in SYN-SENT: every answer is ignored; THREEWAY_IOC_OPEN only */
	THREEWAY_FREEZE_SYN_SENT	= 1,
	/* stays in SYN-RECEIVED: answers once, then ignores everything */
	THREEWAY_FREEZE_SYN_RECEIVED	= 2,
	/* ignores what would finish the handshake, retransmits and gives up */
	THREEWAY_FREEZE_FINAL_ACK	= 3,
	/* answers the peer's SYN (at once, never lost) or its SYN-ACK by RST */
	THREEWAY_FREEZE_REFUSE		= 4,
};

/* Where the initial send sequence number (ISS) comes from, RFC 6528. */
enum threeway_isn {
	THREEWAY_ISN_ENGINE	= 1,	/* the namespace's own secret and clock */
	THREEWAY_ISN_KERNEL	= 2,	/* the generator of the native stack */
	THREEWAY_ISN_FIXED	= 3,	/* isn_fixed: for laboratories, unsafe */
};

/* When a SYN is answered by a SYN cookie, which keeps no state (RFC 4987). */
enum threeway_cookies {
	THREEWAY_COOKIES_NEVER	= 0,
	THREEWAY_COOKIES_AUTO	= 1,	/* while the backlog or the table is full */
	THREEWAY_COOKIES_ALWAYS	= 2,
};

/* Where SYN-ACKs are sent. */
enum threeway_path {
	THREEWAY_PATH_LATE	= 0,	/* behind the firewall, by a route */
	THREEWAY_PATH_EARLY	= 1,	/* before it, out of the same device */
};

/*
 * Which values of struct threeway_policy are set. A value that is not set must
 * be zero; the namespace's sysctl of the same name (max_syn_backlog for backlog,
 * syncookies for cookies) stands in for it, read anew at each timer and each SYN;
 * for the retries TCP_SYNCNT of the socket goes before the sysctl.
 */
#define THREEWAY_P_SYNACK_RETRIES	(1U << 0)
#define THREEWAY_P_RTO_INITIAL		(1U << 1)
#define THREEWAY_P_RTO_MAX		(1U << 2)
#define THREEWAY_P_BACKLOG		(1U << 3)
#define THREEWAY_P_ISN			(1U << 4)
#define THREEWAY_P_SACK			(1U << 5)
#define THREEWAY_P_TIMESTAMPS		(1U << 6)
#define THREEWAY_P_WINDOW_SCALING	(1U << 7)
#define THREEWAY_P_ECN			(1U << 8)
#define THREEWAY_P_SYN_RETRIES		(1U << 9)
#define THREEWAY_P_SYN_LINEAR_TIMEOUTS	(1U << 10)
/* of a hold only; without them: no freeze, 300000, 0, none */
#define THREEWAY_P_FREEZE		(1U << 11)
#define THREEWAY_P_LIFETIME		(1U << 12)
#define THREEWAY_P_DELAY		(1U << 13)
#define THREEWAY_P_LOSE			(1U << 14)
#define THREEWAY_P_HOLD			(THREEWAY_P_FREEZE | THREEWAY_P_LIFETIME | \
					 THREEWAY_P_DELAY | THREEWAY_P_LOSE)
/* of use to a passive handoff only */
#define THREEWAY_P_COOKIES		(1U << 15)
#define THREEWAY_P_COOKIE_PATH		(1U << 16)	/* without it: late */
#define THREEWAY_P_SOURCE_RATE		(1U << 17)
#define THREEWAY_P_SOURCE_BURST		(1U << 18)
#define THREEWAY_P_SOURCE_FLOWS		(1U << 19)
#define THREEWAY_P_SYNACK_PATH		(1U << 20)	/* without it: late */
#define THREEWAY_P_ALL			((1U << 21) - 1)

/**
 * struct threeway_policy - the values of a claim
 * @set:	THREEWAY_P_* of the values below that are set
 * @synack_retries: retransmissions of the SYN-ACK, 0 to 255
 * @rto_initial_ms: first retransmission timeout in ms, 100 to 60000
 * @rto_max_ms:	cap of the doubled timeout in ms, 1000 to 120000
 * @backlog:	half-open flows that the claim may hold, 1 to 16777216
 * @isn:	enum threeway_isn
 * @isn_fixed:	the ISS for THREEWAY_ISN_FIXED, else 0
 * @sack:	0 never negotiates SACK, 1 does as net.ipv4.tcp_sack says
 * @timestamps:	the same for timestamps and net.ipv4.tcp_timestamps
 * @window_scaling: the same for window scaling
 * @ecn:	the same for ECN and net.ipv4.tcp_ecn
 * @syn_retries: retransmissions of the SYN, 0 to 255; with it the claim alone
 *		decides when connect() fails
 * @syn_linear_timeouts: timeouts of the SYN before they begin to double, 0 to
 *		255; they do not count as @syn_retries
 * @freeze:	enum threeway_freeze
 * @lifetime_ms: a held flow is deleted after this, 1000 to 86400000
 * @delay_ms:	the first answer to the peer is sent this much later, 0 to 600000
 * @lose:	bit n - 1: the n-th segment of the flow is not sent, 1 to 32
 * @cookies:	enum threeway_cookies
 * @cookie_path: enum threeway_path, of SYN cookies
 * @synack_path: enum threeway_path, of the first SYN-ACK of a flow
 * @pad:	0
 * @source_rate: SYNs of one IPv4 address or IPv6 /64 in a second, 0 to 65535,
 *		0 for no limit; one beyond it gets a SYN cookie, or with
 *		THREEWAY_COOKIES_NEVER nothing
 * @source_burst: SYNs that it may save up, 1 to 65535, but in no more than 73
 *		minutes
 * @source_flows: half-open flows of one source, 0 to 4095, 0 for no limit;
 *		likewise
 * @reserved:	0
 */
struct threeway_policy {
	__u32 set;
	__u32 synack_retries;
	__u32 rto_initial_ms;
	__u32 rto_max_ms;
	__u32 backlog;
	__u32 isn;
	__u32 isn_fixed;
	__u8 sack;
	__u8 timestamps;
	__u8 window_scaling;
	__u8 ecn;
	__u32 syn_retries;
	__u32 syn_linear_timeouts;
	__u32 freeze;
	__u32 lifetime_ms;
	__u32 delay_ms;
	__u32 lose;
	__u8 cookies;
	__u8 cookie_path;
	__u8 synack_path;
	__u8 pad;
	__u32 source_rate;
	__u32 source_burst;
	__u32 source_flows;
	__u32 reserved[4];
};

/**
 * struct threeway_claim - which handshakes the engine owns, and how it does them
 * @id:		given by THREEWAY_IOC_CLAIM_ADD, never reused; 0 in the call
 * @family:	AF_INET, AF_INET6, or AF_UNSPEC for both (no addresses then)
 * @direction:	enum threeway_direction
 * @mode:	enum threeway_mode
 * @local_prefixlen: significant bits of @local, 0 to 32 or 128
 * @remote_prefixlen: significant bits of @remote, 0 to 32 or 128
 * @pad:	0
 * @port_first:	first port of the service, 1 to 65535; 0 with @port_last 0 means
 *		every port. The service is the side that listens: local ports
 *		of a passive claim, remote ports of an active one
 * @port_last:	last port, not below the first
 * @local:	local address or prefix; IPv4 in the first four bytes; bits beyond
 *		the prefix length must be zero
 * @remote:	remote address or prefix, likewise
 * @policy:	the claim's own values
 *
 * Of several claims of one direction that match, the most specific one decides:
 * the longest prefix of the service first, then the fewest ports, then the
 * longest prefix of the other side, then one family before both.
 */
struct threeway_claim {
	__u32 id;
	__u16 family;
	__u8 direction;
	__u8 mode;
	__u8 local_prefixlen;
	__u8 remote_prefixlen;
	__u16 pad;
	__u16 port_first;
	__u16 port_last;
	__u8 local[16];
	__u8 remote[16];
	struct threeway_policy policy;
};

/**
 * struct threeway_claim_record - a claim in a list
 * @claim:	the claim
 * @flows:	its half-open flows now
 * @pad:	0
 * @opened:	handshakes that it began
 * @handed_over: handshakes that it handed to a socket
 */
struct threeway_claim_record {
	struct threeway_claim claim;
	__u32 flows;
	__u32 pad;
	__u64 opened;
	__u64 handed_over;
};

/* States of RFC 9293 section 3.3.2. */
enum threeway_state {
	THREEWAY_CLOSED		= 0,	/* in events only */
	THREEWAY_LISTEN		= 1,	/* in events, and observed: no SYN-ACK yet */
	THREEWAY_SYN_SENT	= 2,
	THREEWAY_SYN_RECEIVED	= 3,
	THREEWAY_ESTABLISHED	= 4,
};

/* What the two ends agreed on. */
#define THREEWAY_F_SACK			(1U << 0)
#define THREEWAY_F_TIMESTAMPS		(1U << 1)
#define THREEWAY_F_WINDOW_SCALING	(1U << 2)
#define THREEWAY_F_ECN			(1U << 3)
/* The peer acknowledged the SYN-ACK, the listener would not have it yet. */
#define THREEWAY_F_ACKED		(1U << 4)
/* Held, and stopped where the user wants it. */
#define THREEWAY_F_FROZEN		(1U << 5)

/**
 * struct threeway_flow_key - what tells one flow of a namespace from the others
 * @family:	AF_INET or AF_INET6
 * @pad:	0
 * @local_port:	local port
 * @remote_port: remote port
 * @ifindex:	the interface that is part of the key (link-local peers, VRF),
 *		else 0
 * @local:	local address, IPv4 in the first four bytes
 * @remote:	remote address
 */
struct threeway_flow_key {
	__u16 family;
	__u16 pad;
	__be16 local_port;
	__be16 remote_port;
	__u32 ifindex;
	__u8 local[16];
	__u8 remote[16];
};

/**
 * struct threeway_flow - one handshake that the engine tracks
 * @id:		unique in the namespace, never reused
 * @claim:	id of the claim that owns it, 0 after THREEWAY_IOC_OPEN
 * @direction:	enum threeway_direction
 * @state:	enum threeway_state
 * @mode:	enum threeway_mode
 * @pad:	0
 * @key:	its addresses and ports
 * @iss:	initial send sequence number
 * @irs:	initial receive sequence number, 0 in SYN-SENT
 * @snd_nxt:	next sequence number to send
 * @rcv_nxt:	next sequence number expected
 * @rcv_wnd:	the window that was promised, in bytes
 * @flags:	THREEWAY_F_*
 * @peer_mss:	MSS that the peer announced, in bytes
 * @snd_wscale:	the peer's window shift
 * @rcv_wscale:	our window shift
 * @retransmits: retransmissions done, answers to duplicate SYNs included
 * @retries_left: timeouts that will still send a copy
 * @age_ms:	since the first segment
 * @timer_ms:	until the timer fires, 0 when it is due
 * @lifetime_ms: until a held flow is deleted, else 0
 */
struct threeway_flow {
	__u64 id;
	__u32 claim;
	__u8 direction;
	__u8 state;
	__u8 mode;
	__u8 pad;
	struct threeway_flow_key key;
	__u32 iss;
	__u32 irs;
	__u32 snd_nxt;
	__u32 rcv_nxt;
	__u32 rcv_wnd;
	__u32 flags;
	__u16 peer_mss;
	__u8 snd_wscale;
	__u8 rcv_wscale;
	__u16 retransmits;
	__u16 retries_left;
	__u32 age_ms;
	__u32 timer_ms;
	__u32 lifetime_ms;
};

/**
 * struct threeway_flow_del - names one flow
 * @id:		its id, or 0 for whichever flow has the key
 * @key:	its key
 * @pad:	0
 */
struct threeway_flow_del {
	__u64 id;
	struct threeway_flow_key key;
	__u32 pad;
};

/**
 * struct threeway_list - a list command's argument, see "Lists" above
 * @records:	user pointer to an array of the command's records
 * @cursor:	0 to begin; then what the last call returned
 * @room:	records that fit
 * @count:	records copied, set by the kernel; 0 in the call
 */
struct threeway_list {
	__u64 records;
	__u64 cursor;
	__u32 room;
	__u32 count;
};

/*
 * Counters of a namespace, in the order of THREEWAY_IOC_STAT_GET and of
 * /proc/net/threeway/stat. New ones are appended. Every segment that the
 * engine drops, or leaves to the native stack although a claim or a flow matched,
 * bumps one of the counters that begin with segment_, native_ or handoff_; but for
 * those that TPROXY has given to a socket.
 */
#define THREEWAY_COUNTERS(X)						\
	/* flows */							\
	X(flows_opened)		/* SYN accepted, flow made */		\
	X(flows_handed_over)	/* native request made from the flow */	\
	X(flows_expired)	/* retries exhausted */			\
	X(flows_reset)		/* peer's exact RST */			\
	X(flows_syn_reset)	/* SYN in the window, answered by RST */ \
	X(flows_overflow_reset)	/* accept queue full, tcp_abort_on_overflow */ \
	X(flows_listener_gone)	/* listener closed or replaced */	\
	X(flows_native_owns)	/* a native socket took the tuple */	\
	X(flows_killed)		/* deleted by the control interface */	\
	X(flows_purged)		/* module or namespace went away */	\
	/* segments sent */						\
	X(sent_synack)		/* first SYN-ACK of a flow */		\
	X(sent_synack_timer)	/* retransmitted by the timer */	\
	X(sent_synack_duplicate) /* answers to a duplicate SYN */	\
	X(sent_ack)		/* challenge and out-of-window ACKs */	\
	X(sent_rst)							\
	X(send_failed)		/* no route, no memory, local drop */	\
	/* segments that matched a flow and were dropped */		\
	X(segment_duplicate_syn)	/* pure retransmitted SYN */	\
	X(segment_duplicate_limited)	/* the same, too soon for an answer */ \
	X(segment_bad_ack)		/* SEG.ACK not iss + 1, reset */ \
	X(segment_out_of_window)	/* answered by an ACK */	\
	X(segment_out_of_window_limited) /* not answered, rate limit */	\
	X(segment_paws)			/* old TSval */			\
	X(segment_tsecr)		/* TSecr that we never sent */	\
	X(segment_rst_exact)		/* deleted the flow */		\
	X(segment_rst_challenged)	/* RST in the window, not exact */ \
	X(segment_rst_limited)		/* the same, rate limit */	\
	X(segment_challenge_limited)	/* tcp_challenge_ack_limit */	\
	X(segment_rst_out_of_window)					\
	X(segment_syn_in_window)	/* deleted the flow */		\
	X(segment_no_ack)		/* neither SYN, RST nor ACK */	\
	X(segment_deferred)		/* bare ACK, TCP_DEFER_ACCEPT */ \
	X(segment_accept_queue_full)	/* completing ACK dropped */	\
	X(segment_port_zero)		/* source port 0 */		\
	X(segment_fragment)		/* IP may refuse it, dropped */	\
	X(segment_policy)		/* IPsec, LSM or a filter refuses */ \
	X(segment_conntrack_drop)	/* conntrack would not confirm */ \
	X(segment_listener_gone)	/* left to the native stack to reset */ \
	/* SYNs that matched a claim and were left to the native stack */ \
	X(segment_syn_fin)		/* a listener drops SYN+FIN */	\
	X(native_no_listener)						\
	X(native_socket_owns)		/* other socket has the tuple */ \
	X(native_time_wait)		/* TIME-WAIT refuses the SYN */	\
	X(native_accept_queue_full)					\
	X(native_backlog_full)		/* the claim's limit */		\
	X(native_flow_limit)		/* the namespace's max_flows */	\
	X(native_no_memory)						\
	X(native_no_route)						\
	X(native_md5)			/* listener or segment uses MD5 or AO */ \
	X(native_fast_open)						\
	X(native_mptcp)			/* MPTCP option to an MPTCP listener */ \
	X(native_smc)			/* SYN to an SMC listener */	\
	X(native_bpf)			/* sockops: options, timeout */	\
	X(native_migrate)		/* tcp_migrate_req, in a group */ \
	X(native_min_ttl)						\
	X(native_ip_options)		/* IP options, extension headers */ \
	X(native_pktoptions)		/* listener wants received options */ \
	X(native_not_unicast)						\
	X(native_cookie_ack)	/* may answer a native SYN cookie */	\
	/* handoffs that ended otherwise */				\
	X(handoff_fragment)	/* native decides on such a segment */ \
	X(handoff_refused)		/* native made no request */	\
	X(handoff_synack_leaked)	/* native SYN-ACK was not caught */ \
	/* segments whose header was not understood, left to native */	\
	X(segment_malformed)						\
	X(segment_bad_checksum)						\
	/* active open */						\
	X(flows_refused)	/* peer's RST to our SYN */		\
	X(flows_timed_out)	/* connect() failed with ETIMEDOUT */	\
	X(flows_socket_gone)	/* the connecting socket was closed */	\
	X(flows_icmp)		/* ended by an ICMP error */		\
	X(sent_syn)		/* first SYN of a flow */		\
	X(sent_syn_timer)	/* SYN retransmitted by the timer */	\
	X(sent_synack_crossed)	/* first SYN-ACK of a simultaneous open */ \
	X(segment_native_syn)	/* native SYN that was not due */	\
	X(segment_syn_crossed)	/* began a simultaneous open */		\
	X(segment_syn_sent_no_syn)	/* ACK without SYN, RFC 9293 fifth */ \
	X(segment_syn_sent_rst)		/* RST without a good ACK */	\
	X(segment_refused)		/* RST that ended SYN-SENT */	\
	X(segment_syn_challenged)	/* SYN answered by an ACK */	\
	/* connects that matched a claim and were left to the native stack */ \
	X(native_repair)	/* TCP_REPAIR */			\
	X(native_busy_socket)	/* not a plain first SYN */		\
	/* hold */							\
	X(flows_lifetime)	/* its lifetime ended */		\
	X(flows_held)		/* finished and kept */			\
	X(flows_refusing)	/* reset, as the policy says */		\
	X(segment_frozen)	/* ignored or refused, as the policy says */ \
	X(segment_held)		/* for a finished flow, acknowledged at most */ \
	X(segment_lost)		/* not sent, as the policy says */	\
	/* observe */							\
	X(flows_observed)	/* followed to ESTABLISHED */		\
	X(flows_rejected)	/* RST of the native stack to the SYN */ \
	X(observed_syn)		/* first SYN of a flow */		\
	X(observed_synack)	/* first SYN-ACK of a flow */		\
	X(observed_copy)	/* SYN or SYN-ACK again */		\
	X(observed_rst)							\
	X(observed_ms)		/* ms to ESTABLISHED, of all flows_observed */ \
	/* ICMP errors that quote a flow */				\
	X(icmp_hard)							\
	X(icmp_soft)							\
	X(icmp_out_of_window)	/* quotes a sequence number never sent */ \
	X(icmp_ignored)		/* source quench, malformed, frozen flow */ \
	/* readers of events */						\
	X(events_lost)		/* a reader was too slow */		\
	/* how handoffs were done */					\
	X(handoff_replayed)	/* native request made by the SYN's replay */ \
	X(handoff_unlike)	/* ours would differ: replayed from now on */ \
	/* floods */							\
	X(sent_cookie)		/* SYN-ACK that is a SYN cookie */	\
	X(sent_cookie_early)	/* those of them sent early */		\
	X(cookies_received)	/* ACK that brings one of them back */	\
	X(native_bad_cookie)	/* ACK whose cookie is not one of ours */ \
	X(segment_source_rate)	/* SYN of a source beyond its limits */	\
	X(cookies_on)		/* a claim came under pressure */	\
	X(cookies_off)		/* it is over */			\
	X(cookie_rotations)	/* new secrets */			\
	X(sent_synack_early)	/* those of sent_synack sent early */	\
	X(flows_cookie)		/* ACK of a cookie sent for the same SYN */ \
	X(native_tx_delay)	/* TCP_TX_DELAY of the listener */

#define THREEWAY_COUNTER_ENUM(name)	THREEWAY_C_##name,
enum threeway_counter {
	THREEWAY_COUNTERS(THREEWAY_COUNTER_ENUM)
	THREEWAY_COUNTER_MAX
};

/**
 * struct threeway_stat - argument of THREEWAY_IOC_STAT_GET
 * @values:	user pointer to an array of __u64, by enum threeway_counter
 * @room:	values that fit, 1 to 4096
 * @count:	values copied, set by the kernel; 0 in the call
 */
struct threeway_stat {
	__u64 values;
	__u32 room;
	__u32 count;
};

/**
 * struct threeway_claim_id - names a claim
 * @id:		its id
 * @pad:	0
 */
struct threeway_claim_id {
	__u32 id;
	__u32 pad;
};

/**
 * struct threeway_open - a handshake without a socket
 * @key:	remote address and port; local address and port, or 0 for any.
 *		All of them are set by the kernel; ifindex names the link of a
 *		link-local peer
 * @pad:	0
 * @id:		the flow, set by the kernel; 0 in the call
 * @policy:	as in a claim of mode THREEWAY_HOLD
 */
struct threeway_open {
	struct threeway_flow_key key;
	__u32 pad;
	__u64 id;
	struct threeway_policy policy;
};

/* What an event tells. */
enum threeway_event_type {
	THREEWAY_EV_OPENED	= 1,	/* the flow began */
	THREEWAY_EV_ARRIVED	= 2,	/* a segment came in */
	THREEWAY_EV_SENT	= 3,	/* a segment was sent */
	THREEWAY_EV_TIMER	= 4,	/* the timer fired */
	THREEWAY_EV_STATE	= 5,	/* the state changed */
	THREEWAY_EV_HANDOFF	= 6,	/* the native socket has it now: the last */
	THREEWAY_EV_ENDED	= 7,	/* the flow is gone, counter says why: the last */
};

/* Options of a segment in an event. */
#define THREEWAY_O_MSS			(1U << 0)
#define THREEWAY_O_WINDOW_SCALE		(1U << 1)
#define THREEWAY_O_SACK_PERMITTED	(1U << 2)
#define THREEWAY_O_TIMESTAMPS		(1U << 3)

#define THREEWAY_EVENT_NO_COUNTER	0xffffffffU

/**
 * struct threeway_event - what read() returns, one after the other
 * @time_ns:	CLOCK_BOOTTIME
 * @flow:	id of the flow
 * @lost:	events that this reader has lost so far, for want of room
 * @claim:	id of its claim, 0 for none
 * @counter:	enum threeway_counter that says more, or
 *		THREEWAY_EVENT_NO_COUNTER
 * @type:	enum threeway_event_type
 * @direction:	enum threeway_direction
 * @mode:	enum threeway_mode
 * @state_before: enum threeway_state
 * @state:	the state after it
 * @wscale:	of the segment's option
 * @flags:	TCP flags of the segment, FIN (0x01) to CWR (0x80); for
 *		THREEWAY_EV_ARRIVED and THREEWAY_EV_SENT only, as all up to
 *		@len
 * @options:	THREEWAY_O_* of the segment
 * @seq:	SEG.SEQ
 * @ack:	SEG.ACK
 * @wnd:	window field, not scaled
 * @mss:	of the segment's option, in bytes
 * @tsval:	TSval
 * @tsecr:	TSecr
 * @len:	bytes of data
 * @iss:	ISS of the flow
 * @irs:	IRS of the flow, valid in SYN-RECEIVED and ESTABLISHED
 * @timer_ms:	the timer was set to this, 0 when it was not set
 * @timeouts:	timeouts of the flow so far
 * @retransmits: retransmissions of the flow so far
 * @key:	addresses and ports of the flow
 * @pad:	0
 */
struct threeway_event {
	__u64 time_ns;
	__u64 flow;
	__u64 lost;
	__u32 claim;
	__u32 counter;
	__u8 type;
	__u8 direction;
	__u8 mode;
	__u8 state_before;
	__u8 state;
	__u8 wscale;
	__u8 flags;
	__u8 options;
	__u32 seq;
	__u32 ack;
	__u16 wnd;
	__u16 mss;
	__u32 tsval;
	__u32 tsecr;
	__u32 len;
	__u32 iss;
	__u32 irs;
	__u32 timer_ms;
	__u16 timeouts;
	__u16 retransmits;
	struct threeway_flow_key key;
	__u32 pad;
};

/**
 * struct threeway_event_start - which events a file wants
 * @flow:	only those of this flow, 0 for all
 * @claim:	only those of this claim, 0 for all
 * @room:	events that wait for read() at most, 16 to 65536
 */
struct threeway_event_start {
	__u64 flow;
	__u32 claim;
	__u32 room;
};

/* The kernel draws the secret: secret is 0. */
#define THREEWAY_COOKIE_SECRET_RANDOM	(1U << 0)
/* previous is valid, else 0. */
#define THREEWAY_COOKIE_SECRET_PREVIOUS	(1U << 1)

/**
 * struct threeway_cookie_secret - the secret of the namespace's SYN cookies
 * @secret:	it
 * @previous:	that of the cookies until @secret begins
 * @flags:	THREEWAY_COOKIE_SECRET_*
 * @pad:	0
 */
struct threeway_cookie_secret {
	__u8 secret[16];
	__u8 previous[16];
	__u32 flags;
	__u32 pad;
};

#define THREEWAY_IOC_MAGIC	0x3b

/*
 * THREEWAY_IOC_CLAIM_ADD: add a claim; sets claim.id. EEXIST when a claim of
 * the same direction, family, prefixes and ports is there; EINVAL for a bad value,
 * as THREEWAY_HOLD with THREEWAY_ACTIVE; EOPNOTSUPP for a family that the kernel
 * lacks; ENOSPC when the namespace holds 65536 claims; ENOMEM.
 */
#define THREEWAY_IOC_CLAIM_ADD	_IOWR(THREEWAY_IOC_MAGIC, 1, struct threeway_claim)
/*
 * THREEWAY_IOC_CLAIM_DEL: delete a claim; its half-open flows live on under the
 * policy that they began with, and cookies of it stay valid. ENOENT when there is
 * none with that id.
 */
#define THREEWAY_IOC_CLAIM_DEL	_IOW(THREEWAY_IOC_MAGIC, 2, struct threeway_claim_id)
/* THREEWAY_IOC_CLAIM_LIST: list struct threeway_claim_record. */
#define THREEWAY_IOC_CLAIM_LIST	_IOWR(THREEWAY_IOC_MAGIC, 3, struct threeway_list)
/* THREEWAY_IOC_FLOW_LIST: list struct threeway_flow. */
#define THREEWAY_IOC_FLOW_LIST	_IOWR(THREEWAY_IOC_MAGIC, 4, struct threeway_list)
/*
 * THREEWAY_IOC_FLOW_DEL: forget a flow: in silence, but for a RST to the peer of
 * a held flow in ESTABLISHED; a connecting socket goes on by itself. ENOENT when
 * there is none with that key, or its id is another one; EINVAL for a key of no
 * family.
 */
#define THREEWAY_IOC_FLOW_DEL	_IOW(THREEWAY_IOC_MAGIC, 5, struct threeway_flow_del)
/* THREEWAY_IOC_STAT_GET: read the counters. */
#define THREEWAY_IOC_STAT_GET	_IOWR(THREEWAY_IOC_MAGIC, 6, struct threeway_stat)
/*
 * THREEWAY_IOC_OPEN: begin a handshake that the engine keeps; sets key and id
 * and returns while it is in SYN-SENT. EADDRINUSE when a flow or socket has the
 * tuple, EADDRNOTAVAIL for a local address that is not ours or when no port is
 * free, ENETUNREACH or what else the route says, EINVAL for a bad value,
 * EOPNOTSUPP for a family that the kernel lacks, ENOSPC when max_flows is reached,
 * ENOMEM, EBUSY when the table of flows cannot grow just now, E2BIG for too many
 * flows or hooks.
 */
#define THREEWAY_IOC_OPEN	_IOWR(THREEWAY_IOC_MAGIC, 7, struct threeway_open)
/*
 * THREEWAY_IOC_EVENT_START: events of the namespace wait in this file from now
 * on; those that still wait are dropped. EINVAL for a bad value, ENOSPC when 64
 * other files of the namespace get events, ENOMEM.
 */
#define THREEWAY_IOC_EVENT_START _IOW(THREEWAY_IOC_MAGIC, 8, struct threeway_event_start)
/*
 * THREEWAY_IOC_COOKIE_SECRET: hosts with equal secrets and clocks that agree
 * within 4 s accept each other's SYN cookies. The secret begins 64 to 128 s from
 * now, at a multiple of 64 s of the wall clock, so that it can be set on one host
 * after the other. Until then that before it is in use, or previous; it
 * begins at once where there is no previous one and no cookie can be on its way
 * back. From then on the kernel draws no new ones, until it is told to draw one
 * itself. No call returns a secret. EBUSY, without a previous one, until the latest
 * secret, set or drawn, has been in use for 64 s, unless it began at once; EINVAL
 * for a bad value; ENOMEM.
 */
#define THREEWAY_IOC_COOKIE_SECRET _IOW(THREEWAY_IOC_MAGIC, 9, struct threeway_cookie_secret)

#endif /* _UAPI_THREEWAY_H */
