/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: words for the enums of uapi/threeway.h that several objects use
 */
#ifndef _WORDS_H
#define _WORDS_H

#include "args.h"

extern const struct keyword direction_words[];	/* enum threeway_direction */
extern const struct keyword mode_words[];	/* enum threeway_mode */
extern const struct keyword state_words[];	/* enum threeway_state */

#define MODES_EXPECTED	"handoff, hold or observe"

#endif /* _WORDS_H */
