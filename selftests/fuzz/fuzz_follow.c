// SPDX-License-Identifier: GPL-2.0
/*
 * The octets are the segments of a handshake that somebody else does, nine for
 * each, and ICMP errors about it.
 */
#include "follow.h"
#include "icmp.h"
#include "input.h"
#include "rule.h"
#include "rules.h"
#include "target.h"

static struct hs_segment take_segment(struct input *in,
				      const struct hs_tcb *tcb)
{
	struct hs_segment seg = { .flags = take8(in) };

	seg.seq = take_near(in, tcb->iss);
	seg.ack = take_near(in, tcb->iss + 1);
	seg.wnd = take16(in);
	seg.opts.present = take16(in) & 0x3ff;
	seg.opts.wscale = take8(in) % (HS_WSCALE_MAX + 1);
	seg.opts.mss = take8(in);
	return seg;
}

static void rules_follow(const struct hs_tcb *before, const struct hs_tcb *tcb,
			 const struct hs_segment *seg, bool sent)
{
	bool syn_ack = (seg->flags & (HS_SYN | HS_ACK | HS_RST)) ==
		       (HS_SYN | HS_ACK);

	RULE("who is followed is in LISTEN, SYN-SENT or SYN-RECEIVED",
	     tcb->state >= THREEWAY_LISTEN &&
	     tcb->state <= THREEWAY_SYN_RECEIVED);
	RULE("a followed handshake does not go back",
	     tcb->state >= before->state && tcb->active == before->active &&
	     tcb->opened_ms == before->opened_ms);
	RULE("only his SYN-ACK brings him to SYN-RECEIVED",
	     tcb->state == before->state || (sent && syn_ack));
	RULE("the ISS is that of his own segments, the IRS that of the peer's",
	     (tcb->iss == before->iss || sent) &&
	     (tcb->irs == before->irs || !sent));
	RULE("what is not agreed stays so when he answers",
	     !sent || (tcb->sack_ok <= before->sack_ok &&
		       tcb->tstamp_ok <= before->tstamp_ok &&
		       tcb->wscale_ok <= before->wscale_ok));
	RULE("only his copies are counted",
	     tcb->retransmits == before->retransmits ||
	     (sent && (seg->flags & HS_SYN) &&
	      tcb->retransmits == before->retransmits + 1));
	RULE("a RST says nothing about a handshake",
	     !(seg->flags & HS_RST) || same_tcb(tcb, before, false));
}

static void icmp(struct input *in, const struct hs_tcb *tcb)
{
	u8 type = take8(in);
	u8 code = take8(in);
	u32 seq = take_near(in, tcb->iss);

	RULE("an ICMP error has one of the meanings",
	     hs_icmp_classify(type & 1, type >> 1, code) <= HS_ICMP_REDIRECT);
	RULE("an ICMP error counts only for what may be in flight",
	     !hs_icmp_in_window(tcb, seq) || seq == tcb->iss ||
	     (seq == tcb->iss + 1 &&
	      (tcb->active || tcb->state != THREEWAY_SYN_RECEIVED)));
}

void fuzz_follow(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct hs_tcb tcb = { .iss = take32(&in) };
	u8 how = take8(&in);
	struct hs_segment seg = take_segment(&in, &tcb);
	bool first = true;

	memset(&tcb, 0xa5, sizeof(tcb));
	if (how & 1)
		hs_follow_active(&tcb, &seg, take32(&in));
	else
		hs_follow_passive(&tcb, &seg, take32(&in));
	RULE("the first SYN says who opens",
	     tcb.active == (how & 1) && !tcb.retransmits);
	while (in.left) {
		struct hs_tcb before = tcb;
		u8 what = take8(&in);

		if ((what & 3) == 3) {
			icmp(&in, &tcb);
			continue;
		}
		seg = take_segment(&in, &tcb);
		if (what & 1) {
			enum hs_followed was = hs_follow_sent(&tcb, &seg);

			RULE("his SYN-ACK is the first one once",
			     was != HS_FOLLOWED_FIRST || first);
			first &= was != HS_FOLLOWED_FIRST;
		} else {
			hs_follow_arrived(&tcb, &seg);
		}
		rules_follow(&before, &tcb, &seg, what & 1);
	}
}
