// SPDX-License-Identifier: GPL-2.0
#include "cookies.h"

#define PERIOD_S	64U

struct cookie_host cookie_host(void)
{
	return (struct cookie_host) {
		.secrets = { { { 1, 2 } }, { { 3, 4 } } },
		.wall_s = 27000000ULL * PERIOD_S,
		.clock_ms = 1000000,
		.ts_offset = 0x89abcdef,
		.tuple = 77,
		.rcv_wscale = 7,
		.offer = {
			.default_mss = 536,
			.sack = true,
			.timestamps = true,
			.wscale = true,
			.ecn = true,
		},
	};
}

void cookie_wait(struct cookie_host *host, u32 s)
{
	host->wall_s += s;
	host->clock_ms += s * 1000;
}

struct hs_segment cookie_syn(void)
{
	struct hs_segment syn = segment(HS_SYN | HS_ECE | HS_CWR, IRS, 0, 0);

	syn.opts.present = HS_OPT_MSS | HS_OPT_WSCALE | HS_OPT_SACK_PERMITTED;
	syn.opts.mss = 1460;
	syn.opts.wscale = 9;
	return stamped(syn, TS_RECENT, 0);
}

static u64 hash_of(const struct cookie_host *host,
		   const struct hs_cookie *cookie, u32 irs)
{
	const u32 covered[] = {
		host->tuple, irs, cookie->count, cookie->data,
	};
	bool old = hs_cookie_secret_old(cookie, host->from);

	return siphash24(covered, sizeof(covered), &host->secrets[!old]);
}

struct hs_reply cookie_answer(const struct cookie_host *host,
			      const struct hs_segment *syn, struct hs_tcb *tcb)
{
	struct hs_cookie cookie;
	struct hs_reply synack;

	memset(tcb, 0, sizeof(*tcb));
	hs_tcb_passive_open(tcb, syn, &host->offer, 0, host->ts_offset);
	tcb->rcv_wnd = 65535;
	tcb->rcv_wscale = host->rcv_wscale;
	tcb->advertised_mss = 1460;
	hs_cookie_open(&cookie, tcb, host->v6, host->wall_s);
	hs_cookie_synack(&cookie, hash_of(host, &cookie, syn->seq), tcb,
			 host->clock_ms, &synack);
	return synack;
}

struct hs_segment cookie_ack(const struct hs_reply *synack)
{
	struct hs_segment ack = segment(HS_ACK, synack->ack, synack->seq + 1,
					0);

	if (synack->opts.present & HS_OPT_TIMESTAMPS)
		ack = stamped(ack, synack->opts.tsecr + 1,
			      synack->opts.tsval);
	return ack;
}

enum cookie_fate cookie_back(const struct cookie_host *host,
			     const struct hs_segment *ack, struct hs_tcb *tcb)
{
	struct hs_cookie cookie;
	u64 hash;

	if (!hs_cookie_read(&cookie, ack, host->wall_s))
		return IMPOSSIBLE;
	hash = hash_of(host, &cookie, ack->seq - 1);
	if (!hs_cookie_valid(&cookie, hash, ack))
		return INVALID;
	hs_cookie_accept(&cookie, tcb, ack, host->offer.user_mss, host->v6,
			 host->ts_offset, host->clock_ms);
	tcb->rcv_wnd = 65535;
	tcb->advertised_mss = 1460;
	return ACCEPTED;
}

enum cookie_fate cookie_fate(const struct cookie_host *host,
			     const struct hs_segment *ack)
{
	struct hs_tcb tcb;

	return cookie_back(host, ack, &tcb);
}
