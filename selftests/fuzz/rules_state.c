// SPDX-License-Identifier: GPL-2.0
/* What must hold at any time, of a tcb, of a segment and of options. */
#include "rule.h"
#include "rules.h"

#define SYN_ONLY	(HS_OPT_MSS | HS_OPT_WSCALE | HS_OPT_SACK_PERMITTED | \
			 HS_OPT_COOKIE_REQUEST)

void rules_tcb(const struct hs_tcb *tcb)
{
	RULE("the state is SYN-SENT, SYN-RECEIVED or ESTABLISHED",
	     tcb->state == THREEWAY_SYN_SENT ||
	     tcb->state == THREEWAY_SYN_RECEIVED ||
	     tcb->state == THREEWAY_ESTABLISHED);
	RULE("only an active open is in SYN-SENT",
	     IMPLIES(tcb->state == THREEWAY_SYN_SENT, tcb->active));
	RULE("window shifts are 14 at most",
	     tcb->snd_wscale <= HS_WSCALE_MAX &&
	     tcb->rcv_wscale <= HS_WSCALE_MAX);
	RULE("without window scaling the peer's shift is 0",
	     IMPLIES(!tcb->wscale_ok, !tcb->snd_wscale));
	RULE("without timestamps there is neither TS.Recent nor TSecr",
	     IMPLIES(!tcb->tstamp_ok, !tcb->ts_recent && !tcb->tsecr_ok));
	RULE("only an active open hurries, or asks for ECN",
	     IMPLIES(!tcb->active, !tcb->hurried && !tcb->ecn_setup));
	RULE("only SYN-RECEIVED from LISTEN waits with an ACK",
	     IMPLIES(tcb->acked, !tcb->active &&
		     tcb->state == THREEWAY_SYN_RECEIVED));
	RULE("timeouts are not more than any policy allows",
	     tcb->timeouts <= EXPIRIES_MAX);
	RULE("the peer's MSS is not 0", tcb->peer_mss);
}

void rules_options(const struct hs_options *opts, bool syn)
{
	RULE("only known options are present", !(opts->present & ~0x3ffU));
	RULE("options of the SYN are seen only on a SYN",
	     IMPLIES(!syn, !(opts->present & SYN_ONLY)));
	RULE("an MSS that is present is not 0",
	     IMPLIES(opts->present & HS_OPT_MSS, opts->mss));
	RULE("the window shift is 14 at most", opts->wscale <= HS_WSCALE_MAX);
	RULE("values of absent options are 0",
	     IMPLIES(!(opts->present & HS_OPT_MSS), !opts->mss) &&
	     IMPLIES(!(opts->present & HS_OPT_WSCALE), !opts->wscale) &&
	     IMPLIES(!(opts->present & HS_OPT_TIMESTAMPS),
		     !opts->tsval && !opts->tsecr));
}

void rules_segment(const struct hs_segment *seg)
{
	u32 control = !!(seg->flags & HS_SYN) + !!(seg->flags & HS_FIN);

	RULE("SEG.LEN counts SYN and FIN", seg->len >= control);
	rules_options(&seg->opts, seg->flags & HS_SYN);
}
