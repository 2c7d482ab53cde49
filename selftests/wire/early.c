// SPDX-License-Identifier: GPL-2.0
/* SYNs that come in by tap0: see early.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "early.h"

int tap;

const struct threeway_policy policies[] = {
	[COOKIE] = {
		.set = THREEWAY_P_COOKIES | THREEWAY_P_COOKIE_PATH,
		.cookies = THREEWAY_COOKIES_ALWAYS,
		.cookie_path = THREEWAY_PATH_EARLY,
	},
	[FLOW] = {
		.set = THREEWAY_P_RTO_INITIAL | THREEWAY_P_SYNACK_PATH,
		.rto_initial_ms = 60000,
		.synack_path = THREEWAY_PATH_EARLY,
	},
};

void serve(struct peer *peer, enum answer by)
{
	tap = tap_open(peer);
	peer_serve(peer, &policies[by]);
}

void expect_answers(struct peer *peer, enum answer by, unsigned int all,
		    unsigned int early)
{
	char line[LINE_MAX_LEN];
	int len;

	if (by == COOKIE)
		len = snprintf(line, sizeof(line), "sent_cookie %u", all);
	else
		len = snprintf(line, sizeof(line),
			       "flows_opened %u; sent_synack %u", all, all);
	if (early)
		snprintf(line + len, sizeof(line) - len, "; %s %u",
			 by == COOKIE ? "sent_cookie_early" :
					"sent_synack_early", early);
	expect_counters(peer, "%s", line);
}

static bool is_set(const u8 *mac)
{
	static const u8 none[ETH_ALEN];

	return memcmp(mac, none, ETH_ALEN);
}

/* More fragments, and the header's checksum right again. */
static void fragment_first(u8 *raw)
{
	unsigned int sum;

	raw[6] |= 0x20;
	sum = (raw[10] << 8 | raw[11]) ^ 0xffff;
	sum += 0x2000;
	sum = ((sum & 0xffff) + (sum >> 16)) ^ 0xffff;
	raw[10] = sum >> 8;
	raw[11] = sum;
}

void frame(struct peer *peer, const struct oddity *odd, const char *line)
{
	static u8 raw[PACKET_MAX];
	struct packet usual = peer->header;
	size_t len;

	if (odd->src4)
		inet_pton(peer->family, peer->family == AF_INET ? odd->src4 :
			  odd->src6, &peer->header.src);
	if (odd->no_port)
		peer->header.sport = 0;
	if (odd->options)
		peer_ip_options(peer, true);
	len = peer_prepare(peer, raw, "%s", line);
	peer->header = usual;
	if (odd->bad_checksum)
		raw[len - 1] ^= 1;
	if (odd->first_fragment && peer->family == AF_INET)
		fragment_first(raw);
	check(peer, tap_send(peer, tap, is_set(odd->to) ? odd->to : NULL,
			     is_set(odd->from) ? odd->from : NULL, raw, len),
	      "tap0: %s", strerror(errno));
}

void usual(struct peer *peer, const char *format, ...)
{
	static const struct oddity none;
	char line[LINE_MAX_LEN];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	frame(peer, &none, line);
}

bool early_answer(struct peer *peer, struct packet *answer)
{
	return tap_receive(peer, tap, answer);
}

void no_more(struct peer *peer)
{
	struct packet answer;

	while (early_answer(peer, &answer))
		check(peer, false, "an answer by tap0");
}

void confirm(struct peer *peer, const char *options, bool taken)
{
	struct packet answer;
	bool good;

	/* what was confirmed before is forgotten */
	sleep_ms(20);
	peer_flow(peer);
	usual(peer, "S 0 <%s>", options);
	peer_flow(peer);
	usual(peer, "S 0 <%s>", options);
	check(peer, early_answer(peer, &answer) == taken, "early: %d", !taken);
	if (!taken)
		return;
	good = answer.flags == (FLAG_SYN | FLAG_ACK) &&
	       answer.dport == peer->header.sport &&
	       answer.sport == peer->header.dport &&
	       answer.ack == peer->irs + 1 &&
	       !memcmp(&answer.src, &peer->header.dst, 16) &&
	       !memcmp(&answer.dst, &peer->header.src, 16);
	check(peer, good, "no SYN-ACK to the SYN");
	peer->iss = answer.seq;
	peer->iss_known = true;
	peer->latest = answer;
}
