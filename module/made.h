/* SPDX-License-Identifier: GPL-2.0 */
/* Segments that nobody sent, for the native stack to receive. */
#ifndef HS_MADE_H
#define HS_MADE_H

#include "core/segment.h"
#include "flow.h"

/**
 * hs_made_segment() - a segment as the peer might have sent it
 * @flow:	whose addresses and ports it has
 * @reply:	its TCP header
 * @model:	a segment of the peer that did arrive, the same way
 *
 * Return: at its TCP header with its control block filled in, as the functions
 * of TCP expect it; or NULL.
 */
struct sk_buff *hs_made_segment(const struct hs_flow *flow,
				const struct hs_reply *reply,
				const struct sk_buff *model);

#endif /* HS_MADE_H */
