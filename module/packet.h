/* SPDX-License-Identifier: GPL-2.0 */
/* A received packet, read once for all that look at it. */
#ifndef HS_PACKET_H
#define HS_PACKET_H

#include <linux/skbuff.h>

#include "core/segment.h"
#include "flow.h"

struct nf_hook_state;

/**
 * struct hs_packet - a segment that came up to this host
 * @skb:	it, at the network header; NULL when the native stack has it, or the
 *		engine for something else
 * @state:	of the hook
 * @key:	the key of its flow
 * @seg:	its TCP header
 * @thoff:	offset of the TCP header
 * @iif:	interface it came in by
 * @sdif:	VRF slave, 0 for none
 * @local_port:	destination port
 * @remote_port: source port
 * @family:	AF_INET or AF_INET6
 * @tos:	TOS or traffic class
 * @ttl:	TTL or hop limit
 * @plain:	no IP options, no extension headers
 * @unsure:	what TCP will get is not known yet, as hs_exthdr_find() has it; the
 *		checksum of a fragment cannot be verified
 * @syn:	it has SYN
 * @odd:	it has neither SYN, ACK nor RST
 * @now_ns:	when a flow of a listener was shown it, tcp_clock_ns()
 */
struct hs_packet {
	struct sk_buff *skb;
	const struct nf_hook_state *state;
	struct hs_flow_key key;
	struct hs_segment seg;
	unsigned int thoff;
	int iif;
	int sdif;
	__be16 local_port;
	__be16 remote_port;
	u8 family;
	u8 tos;
	u8 ttl;
	bool plain;
	bool unsure;
	bool syn;
	bool odd;
	u64 now_ns;
};

/**
 * hs_packet_find() - find the TCP header
 * @pkt:	result: @skb, @family, @thoff, @plain, @unsure, @syn, @odd, the
 *		ports
 * @skb:	a packet at LOCAL_IN
 * @family:	AF_INET or AF_INET6
 *
 * This much is done for every packet of the host.
 *
 * Return: false when there is none.
 */
bool hs_packet_find(struct hs_packet *pkt, struct sk_buff *skb, u8 family);

/**
 * hs_packet_read() - read addresses and TCP header
 * @pkt:	after hs_packet_find(); complete afterwards
 *
 * Return: false when the TCP header is malformed, or not wholly in the first
 * fragment.
 */
bool hs_packet_read(struct hs_packet *pkt);

/* Does the TCP checksum hold? It is not known yet when the hook runs. */
bool hs_packet_checksum_ok(const struct hs_packet *pkt);

/**
 * hs_packet_outgoing() - read a segment that this host sends
 * @skb:	a packet at LOCAL_OUT
 * @family:	AF_INET or AF_INET6
 * @key:	result: the key of its flow, as it will be of the answer
 * @seg:	result: its TCP header
 *
 * Context: RCU. Return: false when it is not TCP, or not whole.
 */
bool hs_packet_outgoing(struct sk_buff *skb, u8 family,
			struct hs_flow_key *key, struct hs_segment *seg);

/**
 * hs_packet_delivered() - count a packet that goes no further up
 * @net:	the namespace
 * @skb:	a packet at LOCAL_IN
 * @family:	AF_INET or AF_INET6
 *
 * IP would count it when the native stack has got it.
 *
 * Context: BH disabled.
 */
void hs_packet_delivered(struct net *net, const struct sk_buff *skb, u8 family);

/* The same for a segment, which TCP would count, and complain of, as well. */
void hs_packet_kept(struct net *net, const struct hs_packet *pkt);

/**
 * hs_packet_mask() - take options and flags out of a segment
 * @pkt:	after hs_packet_read() and hs_packet_checksum_ok()
 * @options:	HS_OPT_* to overwrite by NOP
 * @flags:	HS_* to clear
 *
 * Return: false when there is no memory for it.
 */
bool hs_packet_mask(struct hs_packet *pkt, u16 options, u8 flags);

#endif /* HS_PACKET_H */
