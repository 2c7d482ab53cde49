// SPDX-License-Identifier: GPL-2.0
/* The rules once more, to be taken for granted where another proof shows them. */
#define RULES_ASSUMED
#define rules_tcb		assume_tcb
#define rules_segment		assume_segment
#define rules_options		assume_options
#include "../fuzz/rules_state.c"
