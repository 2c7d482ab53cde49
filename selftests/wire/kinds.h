/* SPDX-License-Identifier: GPL-2.0 */
/* A dialogue in which the engine sends whatever it can send. */
#ifndef WIRE_KINDS_H
#define WIRE_KINDS_H

#include "peer.h"

/* Segments that the engine sends in it; what follows a handoff is native. */
#define KINDS_SENT	19

/* A listener and claims for it: passive, active, and one of mode hold. */
void kinds_claim(struct peer *peer);

/*
 * The dialogue: first and repeated SYN and SYN-ACK, by duplicate, by the timer and
 * crossed, final and challenge ACK, RST with ACK and without, of flows with and
 * without a socket. With ecn, both ends agree on ECN. What the peer sends but its
 * SYNs has that type of service.
 */
void kinds_play(struct peer *peer, bool ecn, u8 tos);

#endif /* WIRE_KINDS_H */
