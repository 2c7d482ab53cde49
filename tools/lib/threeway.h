/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libthreeway: the ioctls of /dev/threeway as C functions
 *
 * Every function returns a negative errno when it fails and prints nothing.
 * What each errno means stands beside the command in uapi/threeway.h. The
 * functions share no state and may be called from any thread.
 */
#ifndef _THREEWAY_LIB_H
#define _THREEWAY_LIB_H

#include "../../module/uapi/threeway.h"

int threeway_netns_enter(const char *netns);
int threeway_open(const char *netns);

int threeway_claim_add(int fd, struct threeway_claim *claim);
int threeway_claim_del(int fd, __u32 id);
int threeway_claim_list(int fd, struct threeway_claim_record **records);

int threeway_flow_list(int fd, struct threeway_flow **flows);
int threeway_flow_del(int fd, __u64 id, const struct threeway_flow_key *key);

int threeway_open_flow(int fd, struct threeway_open *open);

int threeway_cookie_secret(int fd, struct threeway_cookie_secret *set);

int threeway_event_start(int fd, __u64 flow, __u32 claim, __u32 room);
int threeway_event_read(int fd, struct threeway_event *events, unsigned int room);

int threeway_stat_get(int fd, __u64 *values, unsigned int room);
const char *threeway_counter_name(unsigned int counter);
int threeway_counter_find(const char *name);

#endif /* _THREEWAY_LIB_H */
