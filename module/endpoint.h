/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Endpoints that the early path may answer for.
 *
 * It does not find out itself which ones. Each SYN-ACK of the late path confirms
 * its endpoint for this CPU and for a few ms: its SYN was routed to this host, past
 * the firewall, to a program that listens. What is not confirmed goes on to the
 * late path.
 */
#ifndef HS_ENDPOINT_H
#define HS_ENDPOINT_H

#include <linux/in6.h>
#include <linux/percpu-defs.h>

#include "packet.h"
#include "terms.h"

struct dst_entry;
struct hs_claim;
struct hs_net;
struct sock;

#define HS_ENDPOINT_SLOTS	64

/**
 * struct hs_endpoint - a confirmed one
 * @local:	its address, IPv4 in the first word
 * @local_port:	its port
 * @family:	AF_INET or AF_INET6
 * @cookie:	its SYNs are answered by cookies, else by flows of @listener
 * @options:	which of timestamps and window scaling the SYN had
 * @ifindex:	the device
 * @stamp:	jiffies when it was confirmed
 * @generation:	of the claims: while it is the same @claim is there
 * @claim:	its claim
 * @listener:	the one that was confirmed, not referenced, to compare with
 * @own:	the place of @listener alone, if it is another one
 * @loose:	there has to be a route to the source. Without rp_filter
 *		only those are looked for that cost nothing: an address of ours as
 *		source, which the routing would drop, gets an answer that reaches
 *		nobody but the station that sent it.
 * @by_client:	some claim is for a few clients only: look for it each time
 * @takes_mark:	of a SYN that has one: not to be answered here
 * @reflect:	@tos with the upper bits of the SYN's
 * @autolabel:	flow labels are wanted
 * @terms:	what this end says
 * @ttl:	TTL or hop limit
 * @tos:	TOS or traffic class
 * @mark:	mark
 * @priority:	priority
 */
struct hs_endpoint {
	struct in6_addr local;
	__be16 local_port;
	u8 family;
	bool cookie;
	u8 options;
	int ifindex;
	unsigned long stamp;
	u32 generation;
	struct hs_claim *claim;
	const struct sock *listener;
	struct hs_endpoint *own;
	bool loose;
	bool by_client;
	bool takes_mark;
	bool reflect;
	bool autolabel;
	struct hs_terms terms;
	u8 ttl;
	u8 tos;
	u32 mark;
	u32 priority;
};

/* Of one CPU. Whoever shares a slot goes the late path now and then. */
struct hs_endpoints {
	struct hs_endpoint slot[HS_ENDPOINT_SLOTS];
};

/**
 * struct hs_endpoint_proof - what the late path knows after a SYN-ACK
 * @claim:	the claim
 * @listener:	the listener
 * @pkt:	the SYN
 * @dst:	the route back
 * @terms:	what this end said
 * @cookie:	it is a cookie, and every SYN for the claim gets one now
 */
struct hs_endpoint_proof {
	struct hs_claim *claim;
	struct sock *listener;
	const struct hs_packet *pkt;
	struct dst_entry *dst;
	const struct hs_terms *terms;
	bool cookie;
};

/* Is the endpoint to be confirmed, and is there a claim that wants it? */
bool hs_endpoint_wanted(const struct hs_claim *claim, bool cookie);

/* Confirm it, if it is plain enough. Context: RCU, BH. Return: it, or NULL. */
struct hs_endpoint *hs_endpoint_confirm(struct hs_net *hn,
					const struct hs_endpoint_proof *proof);

/*
 * The SYN-ACK was not sent after all, perhaps by a rule of OUTPUT.
 * Context: the BH section of hs_endpoint_confirm(), whose result @end is.
 */
void hs_endpoint_refute(struct hs_endpoint *end);

/**
 * hs_endpoint_find() - the endpoint that a SYN is for
 * @hn:		the namespace
 * @pkt:	the SYN
 *
 * Context: RCU, BH. Return: the endpoint as it was confirmed last, or NULL.
 */
const struct hs_endpoint *hs_endpoint_find(struct hs_net *hn,
					   const struct hs_packet *pkt);

/**
 * hs_endpoint_of() - the same of one of several listeners
 * @hn:		the namespace
 * @pkt:	the SYN
 * @end:	from hs_endpoint_find()
 * @listener:	the listener that the SYN is for
 *
 * Context: RCU, BH. Return: @end, another one, or NULL.
 */
const struct hs_endpoint *hs_endpoint_of(struct hs_net *hn,
					 const struct hs_packet *pkt,
					 const struct hs_endpoint *end,
					 const struct sock *listener);

/* Are packets of the device such that they can be answered in place? */
bool hs_endpoint_device(const struct net_device *dev);

/* Does a program look at what the socket gets and sends? */
bool hs_endpoint_filtered(const struct sock *sk);

#endif /* HS_ENDPOINT_H */
