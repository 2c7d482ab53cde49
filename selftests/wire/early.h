/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SYNs that come in by tap0. What is answered early goes out there; what is
 * answered late goes by the route to the peer, which is tun0.
 */
#ifndef WIRE_EARLY_H
#define WIRE_EARLY_H

#include <linux/if_ether.h>

#include "tap.h"

/* How a frame differs from the usual one. */
struct oddity {
	const char *what;
	const char *line;		/* instead of the usual SYN */
	const char *src4, *src6;	/* instead of the peer's address */
	u8 to[ETH_ALEN], from[ETH_ALEN];
	bool bad_checksum, options, no_port, first_fragment;
	bool late;			/* a cookie all the same */
};

extern int tap;

/* What SYNs are answered by. */
enum answer { COOKIE, FLOW };

/* Flows do not send copies while others are looked at. */
extern const struct threeway_policy policies[];

/* Opens tap, and a listener whose port is claimed for such answers. */
void serve(struct peer *peer, enum answer by);

/* So many answers since the last look, some of them early, and nothing else. */
void expect_answers(struct peer *peer, enum answer by, unsigned int all,
		    unsigned int early);

void frame(struct peer *peer, const struct oddity *odd, const char *line);
void __printf(2, 3) usual(struct peer *peer, const char *format, ...);

/* The next one. Return: is there any? */
bool early_answer(struct peer *peer, struct packet *answer);
void no_more(struct peer *peer);

/*
 * Two SYNs: the first is answered late, and so the next one early, if @taken.
 * peer_send() goes on with the second.
 */
void confirm(struct peer *peer, const char *options, bool taken);

#endif /* WIRE_EARLY_H */
