// SPDX-License-Identifier: GPL-2.0
/* Handoff to the native stack. */
#include <net/inet_connection_sock.h>
#include <net/tcp.h>

#include "handoff.h"
#include "hook.h"
#include "kind.h"
#include "native.h"
#include "netns.h"
#include "replay.h"
#include "request.h"
#include "wheel.h"

/*
 * As early demux would have found it. The reference that the request was made
 * with goes to the segment.
 */
static void hs_handoff_demux(struct sk_buff *skb, struct request_sock *req)
{
	if (skb->destructor) {
		reqsk_put(req);
		return;
	}
	skb->sk = req_to_sk(req);
	skb->destructor = sock_edemux;
}

/* The native timer goes on where the flow's is, which that of a cookie lacks. */
static unsigned long hs_handoff_wait(const struct hs_flow *flow,
				     const struct request_sock *req)
{
	if (!hs_wheel_has(flow))
		return req->timeout;
	return hs_flow_wait(flow, jiffies);
}

/* The native table decides whether somebody else has got the tuple meanwhile. */
static enum hs_handoff_result hs_handoff_made(struct hs_flow *flow,
					      struct hs_packet *pkt,
					      const struct hs_kind *kind)
{
	struct request_sock *req = hs_kind_request(kind, flow, pkt);

	if (!req)
		return HS_HANDOFF_REFUSED;
	if (!hs_native_yields(flow, pkt)) {
		reqsk_free(req);
		return HS_HANDOFF_NATIVE_OWNS;
	}
	hs_request_fill(tcp_rsk(req), flow, pkt);
	req->timeout = tcp_timeout_init(req_to_sk(req));
	if (!inet_csk_reqsk_queue_hash_add(flow->listener, req,
					   hs_handoff_wait(flow, req))) {
		reqsk_free(req);
		return HS_HANDOFF_NATIVE_OWNS;
	}
	hs_request_age(req);
	hs_handoff_demux(pkt->skb, req);
	return HS_HANDOFF_DONE;
}

static struct hs_kind *hs_handoff_kind(const struct hs_flow *flow,
				       const struct hs_packet *pkt)
{
	/* security modules read labels in IP options: let them see the SYN's,
	 * which had none
	 */
	return pkt->plain ? hs_kind_of(flow->listener, flow->key.family) : NULL;
}

enum hs_handoff_result hs_handoff(struct hs_flow *flow, struct hs_packet *pkt)
{
	struct hs_kind *kind = hs_handoff_kind(flow, pkt);
	struct hs_net *hn = hs_flow_net(flow);

	lockdep_assert_held(&flow->lock);
	if (kind && hs_kind_known(kind))
		return hs_handoff_made(flow, pkt, kind);
	if (!hs_hook_catches(hn, flow->key.family))
		return hs_catch_wait(hn, pkt) ? HS_HANDOFF_WAITS :
						HS_HANDOFF_REFUSED;
	hs_catch_use(hn);
	return hs_replay(flow, pkt, kind);
}
