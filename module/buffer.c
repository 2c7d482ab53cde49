// SPDX-License-Identifier: GPL-2.0
/* Buffers for what is sent. */
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <net/dst.h>
#include <net/tcp.h>

#include "buffer.h"
#include "core/segment.h"

bool hs_buffer_own(const struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);

	return !skb_shared(skb) && !skb->cloned &&
	       skb->fclone == SKB_FCLONE_UNAVAILABLE &&
	       !skb_is_nonlinear(skb) && !shinfo->nr_frags &&
	       !shinfo->frag_list && !shinfo->flags && !skb->pfmemalloc;
}

/* As alloc_skb() leaves it, but for whose memory it is. */
static void hs_buffer_renew(struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	bool recycle = skb->pp_recycle;
	bool head_frag = skb->head_frag;

	skb_dst_drop(skb);
	skb_orphan(skb);
	nf_reset_ct(skb);
	skb_ext_reset(skb);
	memset(skb, 0, offsetof(struct sk_buff, tail));
	skb->pp_recycle = recycle;
	skb->head_frag = head_frag;
	skb->alloc_cpu = raw_smp_processor_id();
	skb->mac_header = (typeof(skb->mac_header))~0U;
	skb->transport_header = (typeof(skb->transport_header))~0U;
	skb->data = skb->head;
	skb_reset_tail_pointer(skb);
	memset(shinfo, 0, offsetof(struct skb_shared_info, dataref));
	atomic_set(&shinfo->dataref, 1);
}

/* Is there room below the TCP header, and for it? */
static bool hs_buffer_fits(const struct sk_buff *skb, unsigned int offset,
			   const struct dst_entry *dst)
{
	return offset >= sizeof(struct ipv6hdr) + dst->header_len +
			 LL_RESERVED_SPACE(dst->dev) &&
	       offset + HS_HEADER_MAX <= skb_end_offset(skb);
}

/* From the caches that drivers receive into: half the work of alloc_skb(). */
static struct sk_buff *hs_buffer_new(void)
{
	const unsigned int size = SKB_DATA_ALIGN(MAX_TCP_HEADER) +
		SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	void *data = napi_alloc_frag(size);
	struct sk_buff *skb;

	if (!data)
		return NULL;
	skb = napi_build_skb(data, size);
	if (!skb)
		skb_free_frag(data);
	return skb;
}

struct sk_buff *hs_buffer_get(struct sk_buff *used, unsigned int offset,
			      const struct dst_entry *dst)
{
	struct sk_buff *skb;

	if (used) {
		offset += skb_headroom(used);
		if (hs_buffer_fits(used, offset, dst)) {
			hs_buffer_renew(used);
			skb_reserve(used, offset);
			return used;
		}
		consume_skb(used);
	}
	skb = hs_buffer_new();
	if (skb)
		skb_reserve(skb, MAX_TCP_HEADER - HS_HEADER_MAX);
	return skb;
}
