// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: words for the enums of uapi/threeway.h that several objects use
 */
#include "lib/threeway.h"
#include "words.h"

const struct keyword direction_words[] = {
	{ "passive", THREEWAY_PASSIVE },
	{ "active", THREEWAY_ACTIVE },
	{ }
};

const struct keyword mode_words[] = {
	{ "handoff", THREEWAY_HANDOFF },
	{ "hold", THREEWAY_HOLD },
	{ "observe", THREEWAY_OBSERVE },
	{ }
};

/* The names of RFC 9293 first, then those that ss(8) and netstat(8) print. */
const struct keyword state_words[] = {
	{ "CLOSED", THREEWAY_CLOSED },
	{ "LISTEN", THREEWAY_LISTEN },
	{ "SYN-SENT", THREEWAY_SYN_SENT },
	{ "SYN-RECEIVED", THREEWAY_SYN_RECEIVED },
	{ "SYN-RECV", THREEWAY_SYN_RECEIVED },
	{ "ESTABLISHED", THREEWAY_ESTABLISHED },
	{ }
};
