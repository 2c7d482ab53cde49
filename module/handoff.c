// SPDX-License-Identifier: GPL-2.0
/* Handoff to the native stack. */
#include <net/inet_connection_sock.h>
#include <net/tcp.h>

#include "handoff.h"
#include "kind.h"
#include "native.h"
#include "replay.h"
#include "request.h"

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
	hs_request_fill(tcp_rsk(req), flow);
	req->timeout = tcp_timeout_init(req_to_sk(req));
	if (!inet_csk_reqsk_queue_hash_add(flow->listener, req, req->timeout)) {
		reqsk_free(req);
		return HS_HANDOFF_NATIVE_OWNS;
	}
	hs_request_age(req);
	hs_handoff_demux(pkt->skb, req);
	return HS_HANDOFF_DONE;
}

enum hs_handoff_result hs_handoff(struct hs_flow *flow, struct hs_packet *pkt)
{
	struct hs_kind *kind = NULL;

	lockdep_assert_held(&flow->lock);
	/* security modules read labels in IP options: let them see the SYN's,
	 * which had none
	 */
	if (pkt->plain)
		kind = hs_kind_of(flow->listener, flow->key.family);
	if (kind && hs_kind_known(kind))
		return hs_handoff_made(flow, pkt, kind);
	return hs_replay(flow, pkt, kind);
}
