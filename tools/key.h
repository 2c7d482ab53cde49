/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: addresses and ports of a flow, and times
 */
#ifndef _KEY_H
#define _KEY_H

#include <stdbool.h>

#include "lib/threeway.h"

#define ENDPOINT_MAX	80

/* "192.0.2.1:80" or "[fe80::1%eth0]:80": the local or the remote end. */
const char *key_format(const struct threeway_flow_key *key, bool local,
		       char buf[ENDPOINT_MAX]);
/* Prints one end, or both. */
void key_print_end(const struct threeway_flow_key *key, bool local);
void key_print(const struct threeway_flow_key *key);

#define DURATION_MAX	24
/* "200ms", "1.2sec", "45sec", "2min5sec": as short as a reader wants it. */
const char *format_duration(__u64 ms, char buf[DURATION_MAX]);

#endif /* _KEY_H */
