/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An Ethernet device beside the peer's tun0: tap0, on which the peer is a station.
 * The route to the peer stays tun0's.
 */
#ifndef WIRE_TAP_H
#define WIRE_TAP_H

#include <linux/if_ether.h>

#include "peer.h"

/* The kernel's address there, and the peer's. */
extern const u8 tap_kernel[ETH_ALEN];
extern const u8 tap_peer[ETH_ALEN];

/* The fd of a new device; the test ends if there is none. */
int tap_open(struct peer *peer);
/* The same of another one, with the same addresses. */
int tap_add(struct peer *peer, const char *name);

/* Send a packet in a frame; NULL for the usual addresses. */
bool tap_send(const struct peer *peer, int tap, const u8 *to, const u8 *from,
	      const u8 *raw, size_t len);

/*
 * The next segment that the kernel sends there, from its station to the peer's,
 * whole and with good checksums. Return: false when there is none.
 */
bool tap_receive(struct peer *peer, int tap, struct packet *packet);

#endif /* WIRE_TAP_H */
