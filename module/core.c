// SPDX-License-Identifier: GPL-2.0
/*
 * The core as one file for the module, so that the compiler sees across its
 * parts: what a segment passes are many small functions.
 */
#include "core/seq.c"
#include "core/option.c"
#include "core/segment.c"
#include "core/schedule.c"
#include "core/isn.c"
#include "core/reply.c"
#include "core/arrival.c"
#include "core/syn_sent.c"
#include "core/syn_received.c"
#include "core/held.c"
#include "core/icmp.c"
#include "core/follow.c"
#include "core/expiry.c"
#include "core/tcb.c"
#include "core/cookie.c"
#include "core/bucket.c"
#include "core/pressure.c"
