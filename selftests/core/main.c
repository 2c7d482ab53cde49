// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the unit tests of the core as one TAP stream. An argument is a pattern
 * (* and ?) that selects tests by name.
 */
#include <stdio.h>

#include "core_test.h"

static const struct suite *const suites[] = {
	&seq_suite,
	&schedule_suite,
	&isn_suite,
	&option_suite,
	&option_random_suite,
	&segment_suite,
	&listen_suite,
	&open_suite,
	&matrix_suite,
	&arrives_suite,
	&limit_suite,
	&timestamps_suite,
	&timer_suite,
	&defer_suite,
	&syn_sent_suite,
	&syn_timer_suite,
	&crossed_suite,
	&hold_suite,
	&two_ends_suite,
	&two_ends_random_suite,
	&icmp_suite,
	&follow_suite,
	&cookie_suite,
	&cookie_guard_suite,
	&bucket_suite,
	&pressure_suite,
	&random_suite,
	&random_active_suite,
	&corpus_suite,
	&isn_quality_suite,
};

static struct cm_unit_test all[512];

int main(int argc, char **argv)
{
	size_t count = 0;
	size_t i;

	if (argc > 2) {
		fprintf(stderr, "usage: %s [PATTERN]\n", argv[0]);
		return 2;
	}
	for (i = 0; i < ARRAY_SIZE(suites); i++) {
		if (count + suites[i]->count > ARRAY_SIZE(all)) {
			fprintf(stderr, "%s: too many tests\n", argv[0]);
			return 2;
		}
		memcpy(&all[count], suites[i]->tests,
		       suites[i]->count * sizeof(all[0]));
		count += suites[i]->count;
	}

	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("TAP version 13");
	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("core", all, count, NULL, NULL) ? 1 : 0;
}
