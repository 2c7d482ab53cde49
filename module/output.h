/* SPDX-License-Identifier: GPL-2.0 */
/* The way of a segment of IPv4 through LOCAL_OUT. */
#ifndef HS_OUTPUT_H
#define HS_OUTPUT_H

#include <linux/skbuff.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

#include "flow.h"

/**
 * hs_output_checksum() - leave the checksum to the device
 * @skb:	a segment without data, its transport header set
 * @key:	the addresses
 * @len:	octets of the TCP header
 */
static inline void hs_output_checksum(struct sk_buff *skb,
				      const struct hs_flow_key *key, size_t len)
{
	struct tcphdr *th = tcp_hdr(skb);

	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	if (key->family == AF_INET)
		th->check = ~tcp_v4_check(len, key->v4.local, key->v4.remote,
					  0);
	else
		th->check = ~tcp_v6_check(len, &key->v6.local, &key->v6.remote,
					  0);
}

/**
 * hs_output_ipv4() - send a TCP header by IPv4
 * @skb:	it, with its route, its mark and the socket that it belongs to
 * @sk:		whose priority and mark it gets
 * @key:	the addresses
 * @tos:	TOS
 * @by_socket:	it has the TTL of @sk, else that of the route
 *
 * As ip_build_and_send_pkt() sends it, but the engine's own hook is not asked: it
 * comes first and has nothing to say about what the engine sends.
 *
 * Context: RCU, BH. Return: as ip_local_out() does.
 */
int hs_output_ipv4(struct sk_buff *skb, const struct sock *sk,
		   const struct hs_flow_key *key, u8 tos, bool by_socket);

#endif /* HS_OUTPUT_H */
