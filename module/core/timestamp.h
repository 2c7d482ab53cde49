/* SPDX-License-Identifier: GPL-2.0 */
/* Protection against wrapped sequence numbers (PAWS): RFC 7323 section 5. */
#ifndef HS_CORE_TIMESTAMP_H
#define HS_CORE_TIMESTAMP_H

#include "option.h"
#include "types.h"

/**
 * hs_paws_rejects() - is the TSval of a segment older than TS.Recent
 * @ts_recent:	TS.Recent; 0 rejects nothing, as in the native stack
 * @opts:	options of the segment
 */
static inline bool hs_paws_rejects(u32 ts_recent, const struct hs_options *opts)
{
	return (opts->present & HS_OPT_TIMESTAMPS) && ts_recent &&
	       (s32)(ts_recent - opts->tsval) > 0;
}

#endif /* HS_CORE_TIMESTAMP_H */
