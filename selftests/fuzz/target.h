/* SPDX-License-Identifier: GPL-2.0 */
/* What is fuzzed. Each takes any octets and breaks a rule or returns. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include "types.h"

/* Option parser, builder and mask, as hostile octets meet them. */
void fuzz_option(const u8 *data, size_t size);
/* Segment parser and reply builder. */
void fuzz_segment(const u8 *data, size_t size);
/* A flow under segments, timers, user, clock and policies. */
void fuzz_engine(const u8 *data, size_t size);
/* Following a handshake of somebody else; ICMP. */
void fuzz_follow(const u8 *data, size_t size);
/* Cookies, what sources may take, pressure. */
void fuzz_flood(const u8 *data, size_t size);

#endif /* FUZZ_TARGET_H */
