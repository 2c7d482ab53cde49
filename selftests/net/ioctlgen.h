/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random calls of /dev/threeway, near to right ones. ioctlgen_state is the seed;
 * each thread has its own.
 */
#ifndef _IOCTLGEN_H
#define _IOCTLGEN_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "threeway.h"

/* Records fit into what a list is given for them, whatever their room says. */
#define IOCTLGEN_ROOM	4096
#define IOCTLGEN_BYTES	(IOCTLGEN_ROOM * sizeof(struct threeway_claim_record))

#define COUNT_OF(array)	(sizeof(array) / sizeof((array)[0]))

union argument {
	struct threeway_claim claim;
	struct threeway_claim_id id;
	struct threeway_list list;
	struct threeway_flow_del del;
	struct threeway_stat stat;
	struct threeway_open open;
	struct threeway_event_start start;
	unsigned char bytes[192];
};

static __thread unsigned long long ioctlgen_state;

/* SEED in the environment, else of the time. */
static inline unsigned long long ioctlgen_seed(void)
{
	const char *seed = getenv("SEED");

	return seed ? strtoull(seed, NULL, 0) : (unsigned int)time(NULL);
}

static inline unsigned int pick(unsigned int below)
{
	ioctlgen_state = ioctlgen_state * 6364136223846793005ULL +
			 1442695040888963407ULL;
	return (ioctlgen_state >> 33) % below;
}

static inline unsigned int pick_interesting(void)
{
	static const unsigned int values[] = {
		0, 1, 2, 3, 4, 10, 32, 33, 64, 100, 127, 128, 129, 255, 256,
		999, 1000, 4096, 4097, 32767, 32768, 60000, 60001, 65535,
		65536, 120000, 16777216, 16777217, 0x7fffffff, 0x80000000,
		0xfffffffe, 0xffffffff,
	};

	return values[pick(COUNT_OF(values))];
}

static inline void make_claim(struct threeway_claim *claim)
{
	claim->family = pick(3) ? AF_INET : pick(2) ? AF_INET6 : AF_UNSPEC;
	claim->direction = pick(4) ? THREEWAY_PASSIVE : THREEWAY_ACTIVE;
	claim->mode = pick(4) ? THREEWAY_HANDOFF : THREEWAY_OBSERVE;
	claim->port_first = pick(40) + 1;
	claim->port_last = claim->port_first + pick(3);
	if (claim->family != AF_UNSPEC) {
		claim->local_prefixlen = 8 * pick(3);
		memset(claim->local, 10, claim->local_prefixlen / 8);
	}
	if (!pick(4)) {
		claim->policy.set = THREEWAY_P_BACKLOG | THREEWAY_P_ECN;
		claim->policy.backlog = pick_interesting();
		claim->policy.ecn = pick(2);
	}
}

/* To 192.0.2.0/24 or 2001:db8::/112; it lives until it is deleted. */
static inline void make_open(struct threeway_open *open)
{
	static const unsigned char prefix[16] = { 0x20, 1, 0x0d, 0xb8 };

	open->key.family = pick(2) ? AF_INET : AF_INET6;
	if (open->key.family == AF_INET) {
		memcpy(open->key.remote, "\xc0\x00\x02", 3);
		open->key.remote[3] = 2 + pick(200);
	} else {
		memcpy(open->key.remote, prefix, sizeof(prefix));
		open->key.remote[15] = 2 + pick(200);
	}
	open->key.remote_port = 1 + pick(0xfffe);
	open->policy.set = THREEWAY_P_FREEZE | THREEWAY_P_LIFETIME |
			   THREEWAY_P_RTO_INITIAL | THREEWAY_P_SYN_RETRIES;
	open->policy.freeze = THREEWAY_FREEZE_SYN_SENT;
	open->policy.lifetime_ms = 86400000;
	open->policy.rto_initial_ms = 60000;
	open->policy.syn_retries = 255;
}

/* @records: what a list may write to; @last_id: of a claim that there was */
static inline unsigned long make_call(union argument *argument, void *records,
				      unsigned int last_id)
{
	static const unsigned long commands[] = {
		THREEWAY_IOC_CLAIM_ADD, THREEWAY_IOC_CLAIM_ADD,
		THREEWAY_IOC_CLAIM_DEL, THREEWAY_IOC_CLAIM_LIST,
		THREEWAY_IOC_FLOW_LIST, THREEWAY_IOC_FLOW_DEL,
		THREEWAY_IOC_STAT_GET, THREEWAY_IOC_OPEN,
		THREEWAY_IOC_EVENT_START,
	};
	unsigned long command = commands[pick(COUNT_OF(commands))];

	memset(argument, 0, sizeof(*argument));
	switch (command) {
	case THREEWAY_IOC_CLAIM_ADD:
		make_claim(&argument->claim);
		break;
	case THREEWAY_IOC_CLAIM_DEL:
		argument->id.id = pick(last_id + 2);
		break;
	case THREEWAY_IOC_FLOW_DEL:
		argument->del.key.family = AF_INET;
		break;
	case THREEWAY_IOC_STAT_GET:
		argument->stat.values = (uintptr_t)records;
		argument->stat.room = pick(IOCTLGEN_ROOM);
		break;
	case THREEWAY_IOC_OPEN:
		make_open(&argument->open);
		break;
	case THREEWAY_IOC_EVENT_START:
		argument->start.room = 16 + pick(64);
		break;
	default:
		argument->list.records = (uintptr_t)records;
		argument->list.room = pick(IOCTLGEN_ROOM);
		argument->list.cursor = pick(2) ? pick(last_id + 2) : 0;
	}
	return command;
}

static inline bool has_pointer(unsigned long command)
{
	return command == THREEWAY_IOC_CLAIM_LIST ||
	       command == THREEWAY_IOC_FLOW_LIST ||
	       command == THREEWAY_IOC_STAT_GET;
}

/* Never a pointer into this program: the kernel would write there. */
static inline void keep_pointer(union argument *argument, unsigned long command,
				void *records)
{
	if (!has_pointer(command))
		return;
	argument->list.records = (uintptr_t)records;
	if (!pick(8))
		argument->list.records = pick(2) ? pick(4096) :
						   ~0ULL << pick(8);
}

static inline void mutate(union argument *argument, unsigned long *command,
			  void *records)
{
	unsigned int count = pick(4), value, at;

	while (count--) {
		value = pick_interesting();
		at = pick(_IOC_SIZE(*command));
		switch (pick(4)) {
		case 0:
			argument->bytes[at] ^= 1 << pick(8);
			break;
		case 1:
			argument->bytes[at] = value;
			break;
		case 2:
			memcpy(argument->bytes + (at & ~1U), &value, 2);
			break;
		default:
			memcpy(argument->bytes + (at & ~3U), &value, 4);
		}
	}
	keep_pointer(argument, *command, records);
	if (!pick(100))
		*command ^= 1UL << pick(32);
}

/* What a call with the right file and the right to it may fail with. */
static inline bool documented(unsigned long command, int error)
{
	switch (error) {
	case 0:
	case EINVAL:
	case EEXIST:
	case ENOENT:
	case EFAULT:
	case ENOTTY:
		return true;
	case EADDRINUSE:
	case EADDRNOTAVAIL:
	case ENETUNREACH:
	case EHOSTUNREACH:
		return command == THREEWAY_IOC_OPEN;
	}
	return false;
}

#endif /* _IOCTLGEN_H */
