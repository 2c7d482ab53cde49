/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What can be asked of a socket: every field of TCP_INFO, and the options that
 * an accepted socket has from its listener.
 */
#ifndef _SOCKDUMP_H
#define _SOCKDUMP_H

#include <linux/tcp.h>
#include <stddef.h>

#define SHOW_FIELD(field)						\
	printf("info.%s.%s=%llu\n", name, #field,			\
	       (unsigned long long)info->tcpi_##field)

/* The least timeout of a delayed ACK, which a fresh connection has or has not. */
#define ATO_LEAST_US 40000

/*
 * What the handshake decides. The ATO is told in such steps: how far above the
 * least it is depends on where the ticks were between two segments.
 */
static inline void dump_negotiated(const char *name,
				   const struct tcp_info *info)
{
	SHOW_FIELD(state);
	SHOW_FIELD(ca_state);
	SHOW_FIELD(options);
	SHOW_FIELD(snd_wscale);
	SHOW_FIELD(rcv_wscale);
	SHOW_FIELD(delivery_rate_app_limited);
	SHOW_FIELD(fastopen_client_fail);
	printf("info.%s.ato_steps=%u\n", name, info->tcpi_ato / ATO_LEAST_US);
	SHOW_FIELD(snd_mss);
	SHOW_FIELD(rcv_mss);
	SHOW_FIELD(pmtu);
	SHOW_FIELD(advmss);
	SHOW_FIELD(rcv_ssthresh);
	SHOW_FIELD(snd_ssthresh);
	SHOW_FIELD(snd_cwnd);
	SHOW_FIELD(rcv_space);
	SHOW_FIELD(snd_wnd);
	SHOW_FIELD(reordering);
	SHOW_FIELD(max_pacing_rate);
}

/* What has happened since. */
static inline void dump_history(const char *name, const struct tcp_info *info)
{
	SHOW_FIELD(retransmits);
	SHOW_FIELD(probes);
	SHOW_FIELD(backoff);
	SHOW_FIELD(unacked);
	SHOW_FIELD(sacked);
	SHOW_FIELD(lost);
	SHOW_FIELD(retrans);
	SHOW_FIELD(fackets);
	SHOW_FIELD(total_retrans);
	SHOW_FIELD(bytes_acked);
	SHOW_FIELD(bytes_received);
	SHOW_FIELD(segs_out);
	SHOW_FIELD(segs_in);
	SHOW_FIELD(notsent_bytes);
	SHOW_FIELD(data_segs_in);
	SHOW_FIELD(data_segs_out);
	SHOW_FIELD(delivered);
	SHOW_FIELD(delivered_ce);
	SHOW_FIELD(bytes_sent);
	SHOW_FIELD(bytes_retrans);
	SHOW_FIELD(dsack_dups);
	SHOW_FIELD(reord_seen);
	SHOW_FIELD(rcv_ooopack);
}

/* What depends on when things happened and on how fast the machine is. */
static inline void dump_estimates(const char *name,
				  const struct tcp_info *info)
{
	SHOW_FIELD(rto);
	SHOW_FIELD(rtt);
	SHOW_FIELD(rttvar);
	SHOW_FIELD(min_rtt);
	SHOW_FIELD(rcv_rtt);
	SHOW_FIELD(pacing_rate);
	SHOW_FIELD(delivery_rate);
	SHOW_FIELD(busy_time);
	SHOW_FIELD(rwnd_limited);
	SHOW_FIELD(sndbuf_limited);
	SHOW_FIELD(last_data_sent);
	SHOW_FIELD(last_ack_sent);
	SHOW_FIELD(last_data_recv);
	SHOW_FIELD(last_ack_recv);
}

struct sockopt {
	const char *name;
	int level;
	int option;
};

#define SOCKOPT(level, option)	{ #option, level, option }

/* Left out: what differs from socket to socket, such as cookies and memory. */
static const struct sockopt sockopts[] = {
	SOCKOPT(SOL_SOCKET, SO_DEBUG),
	SOCKOPT(SOL_SOCKET, SO_REUSEADDR),
	SOCKOPT(SOL_SOCKET, SO_REUSEPORT),
	SOCKOPT(SOL_SOCKET, SO_TYPE),
	SOCKOPT(SOL_SOCKET, SO_PROTOCOL),
	SOCKOPT(SOL_SOCKET, SO_DOMAIN),
	SOCKOPT(SOL_SOCKET, SO_ERROR),
	SOCKOPT(SOL_SOCKET, SO_DONTROUTE),
	SOCKOPT(SOL_SOCKET, SO_BROADCAST),
	SOCKOPT(SOL_SOCKET, SO_SNDBUF),
	SOCKOPT(SOL_SOCKET, SO_RCVBUF),
	SOCKOPT(SOL_SOCKET, SO_KEEPALIVE),
	SOCKOPT(SOL_SOCKET, SO_OOBINLINE),
	SOCKOPT(SOL_SOCKET, SO_NO_CHECK),
	SOCKOPT(SOL_SOCKET, SO_PRIORITY),
	SOCKOPT(SOL_SOCKET, SO_LINGER),
	SOCKOPT(SOL_SOCKET, SO_RCVLOWAT),
	SOCKOPT(SOL_SOCKET, SO_SNDLOWAT),
	SOCKOPT(SOL_SOCKET, SO_RCVTIMEO),
	SOCKOPT(SOL_SOCKET, SO_SNDTIMEO),
	SOCKOPT(SOL_SOCKET, SO_BINDTODEVICE),
	SOCKOPT(SOL_SOCKET, SO_BINDTOIFINDEX),
	SOCKOPT(SOL_SOCKET, SO_TIMESTAMP),
	SOCKOPT(SOL_SOCKET, SO_TIMESTAMPNS),
	SOCKOPT(SOL_SOCKET, SO_TIMESTAMPING),
	SOCKOPT(SOL_SOCKET, SO_ACCEPTCONN),
	SOCKOPT(SOL_SOCKET, SO_MARK),
	SOCKOPT(SOL_SOCKET, SO_RXQ_OVFL),
	SOCKOPT(SOL_SOCKET, SO_WIFI_STATUS),
	SOCKOPT(SOL_SOCKET, SO_PEEK_OFF),
	SOCKOPT(SOL_SOCKET, SO_NOFCS),
	SOCKOPT(SOL_SOCKET, SO_LOCK_FILTER),
	SOCKOPT(SOL_SOCKET, SO_SELECT_ERR_QUEUE),
	SOCKOPT(SOL_SOCKET, SO_BUSY_POLL),
	SOCKOPT(SOL_SOCKET, SO_MAX_PACING_RATE),
	SOCKOPT(SOL_SOCKET, SO_ZEROCOPY),
	SOCKOPT(SOL_SOCKET, SO_TXTIME),
	SOCKOPT(SOL_SOCKET, SO_PREFER_BUSY_POLL),
	SOCKOPT(SOL_SOCKET, SO_BUF_LOCK),
	SOCKOPT(SOL_SOCKET, SO_RESERVE_MEM),
	SOCKOPT(SOL_SOCKET, SO_TXREHASH),
	SOCKOPT(SOL_TCP, TCP_NODELAY),
	SOCKOPT(SOL_TCP, TCP_MAXSEG),
	SOCKOPT(SOL_TCP, TCP_CORK),
	SOCKOPT(SOL_TCP, TCP_KEEPIDLE),
	SOCKOPT(SOL_TCP, TCP_KEEPINTVL),
	SOCKOPT(SOL_TCP, TCP_KEEPCNT),
	SOCKOPT(SOL_TCP, TCP_SYNCNT),
	SOCKOPT(SOL_TCP, TCP_LINGER2),
	SOCKOPT(SOL_TCP, TCP_DEFER_ACCEPT),
	SOCKOPT(SOL_TCP, TCP_WINDOW_CLAMP),
	SOCKOPT(SOL_TCP, TCP_QUICKACK),
	SOCKOPT(SOL_TCP, TCP_CONGESTION),
	SOCKOPT(SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS),
	SOCKOPT(SOL_TCP, TCP_THIN_DUPACK),
	SOCKOPT(SOL_TCP, TCP_REPAIR),
	SOCKOPT(SOL_TCP, TCP_USER_TIMEOUT),
	SOCKOPT(SOL_TCP, TCP_FASTOPEN),
	SOCKOPT(SOL_TCP, TCP_FASTOPEN_CONNECT),
	SOCKOPT(SOL_TCP, TCP_FASTOPEN_NO_COOKIE),
	SOCKOPT(SOL_TCP, TCP_NOTSENT_LOWAT),
	SOCKOPT(SOL_TCP, TCP_SAVE_SYN),
	SOCKOPT(SOL_TCP, TCP_ULP),
	SOCKOPT(SOL_TCP, TCP_INQ),
	SOCKOPT(SOL_TCP, TCP_TX_DELAY),
	SOCKOPT(SOL_IP, IP_TOS),
	SOCKOPT(SOL_IP, IP_TTL),
	SOCKOPT(SOL_IP, IP_OPTIONS),
	SOCKOPT(SOL_IP, IP_RECVOPTS),
	SOCKOPT(SOL_IP, IP_RETOPTS),
	SOCKOPT(SOL_IP, IP_PKTINFO),
	SOCKOPT(SOL_IP, IP_MTU_DISCOVER),
	SOCKOPT(SOL_IP, IP_MTU),
	SOCKOPT(SOL_IP, IP_RECVERR),
	SOCKOPT(SOL_IP, IP_RECVTTL),
	SOCKOPT(SOL_IP, IP_RECVTOS),
	SOCKOPT(SOL_IP, IP_FREEBIND),
	SOCKOPT(SOL_IP, IP_TRANSPARENT),
	SOCKOPT(SOL_IP, IP_MINTTL),
	SOCKOPT(SOL_IP, IP_NODEFRAG),
	SOCKOPT(SOL_IP, IP_BIND_ADDRESS_NO_PORT),
	SOCKOPT(SOL_IP, IP_UNICAST_IF),
	SOCKOPT(SOL_IPV6, IPV6_V6ONLY),
	SOCKOPT(SOL_IPV6, IPV6_UNICAST_HOPS),
	SOCKOPT(SOL_IPV6, IPV6_MTU_DISCOVER),
	SOCKOPT(SOL_IPV6, IPV6_MTU),
	SOCKOPT(SOL_IPV6, IPV6_RECVERR),
	SOCKOPT(SOL_IPV6, IPV6_RECVPKTINFO),
	SOCKOPT(SOL_IPV6, IPV6_RECVHOPLIMIT),
	SOCKOPT(SOL_IPV6, IPV6_RECVTCLASS),
	SOCKOPT(SOL_IPV6, IPV6_TCLASS),
	SOCKOPT(SOL_IPV6, IPV6_DONTFRAG),
	SOCKOPT(SOL_IPV6, IPV6_AUTOFLOWLABEL),
	SOCKOPT(SOL_IPV6, IPV6_FREEBIND),
	SOCKOPT(SOL_IPV6, IPV6_TRANSPARENT),
	SOCKOPT(SOL_IPV6, IPV6_MINHOPCOUNT),
	SOCKOPT(SOL_IPV6, IPV6_ADDR_PREFERENCES),
};

static inline int sockopt_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(sockopts) / sizeof(*sockopts); i++)
		if (!strcmp(sockopts[i].name, name))
			return i;
	return -1;
}

/* An option that cannot be read prints its error: that too must be equal. */
static inline void dump_options(const char *name, int fd)
{
	unsigned char value[64];
	socklen_t length;
	size_t i, at;

	for (i = 0; i < sizeof(sockopts) / sizeof(*sockopts); i++) {
		length = sizeof(value);
		printf("option.%s.%s=", name, sockopts[i].name);
		if (getsockopt(fd, sockopts[i].level, sockopts[i].option,
			       value, &length)) {
			printf("%s\n", strerrorname_np(errno));
			continue;
		}
		for (at = 0; at < length; at++)
			printf("%02x", value[at]);
		putchar('\n');
	}
}

#endif /* _SOCKDUMP_H */
