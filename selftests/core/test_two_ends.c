// SPDX-License-Identifier: GPL-2.0
/* Two ends, and every loss that can be counted. */
#include "network.h"

static void lossless(void **state)
{
	struct network net;

	(void)state;
	network_make(&net, false);
	network_start(&net);
	expect_converged(&net);
	assert_int_equal(net.sent, 3);
	assert_int_equal(net.now_ms, 3 * LATENCY_MS);
	network_make(&net, true);
	network_start(&net);
	expect_converged(&net);
	assert_int_equal(net.sent, 4);
	assert_int_equal(net.now_ms, 2 * LATENCY_MS);
}

/* The first packets are SYN, SYN, SYN-ACK, SYN-ACK when none is lost. */
static void simultaneous_losses(void **state)
{
	static const u32 five[] = {
		0x1, 0x2, 0x4, 0x8, 0xc,
	};
	struct network net;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(five); i++) {
		network_make(&net, true);
		net.lose = five[i];
		network_start(&net);
		expect_converged(&net);
		assert_true(net.now_ms < 2000);
	}
	/* Both SYNs: the copies cross as well. */
	network_make(&net, true);
	net.lose = 0x3;
	network_start(&net);
	expect_converged(&net);
	assert_int_equal(net.now_ms, 1000 + 2 * LATENCY_MS);
}

/* Loses a subset of the packets; the second SYN leaves a little later. */
static void expect_loss_survived(u32 lose, bool both_active, u32 later_ms)
{
	struct network net;
	u32 i;

	network_make(&net, both_active);
	for (i = 0; i < 2; i++) {
		net.ends[i].policy.ratelimit_ms = lose & 1 << i ? 500 : 0;
		net.ends[i].policy.ecn_fallback = lose & 4 << i;
		net.ends[i].policy.hold = lose & 16 << i;
		net.ends[i].policy.syn_retries = 12;
		net.ends[i].policy.synack_retries = 12;
	}
	net.lose = lose;
	network_open(&net, 0);
	if (both_active)
		network_open_later(&net, 1, later_ms);
	network_run(&net);
	expect_converged(&net);
}

/* Every subset of the first ten packets. */
static void every_loss(void **state)
{
	u32 lose;

	(void)state;
	for (lose = 0; lose < 1024; lose++) {
		expect_loss_survived(lose, false, 0);
		expect_loss_survived(lose, true, 0);
		expect_loss_survived(lose, true, 1);
		expect_loss_survived(lose, true, LATENCY_MS - 1);
		/* The first SYN is lost, its copies meet the other's. */
		if (!(lose & 1))
			continue;
		expect_loss_survived(lose, true, 1000 - LATENCY_MS);
		expect_loss_survived(lose, true, 1000);
		expect_loss_survived(lose, true, 1000 + LATENCY_MS - 1);
	}
}

static void nothing_arrives(void **state)
{
	struct network net;
	u32 i;

	(void)state;
	network_make(&net, false);
	net.deaf = 3;
	network_start(&net);
	assert_int_equal(net.ends[0].ended, THREEWAY_C_flows_timed_out);
	assert_int_equal(net.now_ms, 127000);
	assert_int_equal(net.sent, 7);
	network_make(&net, true);
	net.deaf = 3;
	network_start(&net);
	for (i = 0; i < 2; i++) {
		assert_int_equal(net.ends[i].ended, THREEWAY_C_flows_timed_out);
		assert_int_equal(net.ends[i].copies, 6);
	}
	assert_int_equal(net.now_ms, 127000);
	assert_int_equal(net.sent, 14);
}

/* Nothing arrives at the first end: the other one must not believe it is done. */
static void one_way(void **state)
{
	struct network net;
	u32 both_active;

	(void)state;
	for (both_active = 0; both_active < 2; both_active++) {
		network_make(&net, both_active);
		net.deaf = 1;
		network_start(&net);
		assert_int_equal(net.ends[0].ended, THREEWAY_C_flows_timed_out);
		assert_int_equal(net.ends[0].copies, 6);
		assert_int_equal(net.ends[1].ended, both_active ?
				 THREEWAY_C_flows_timed_out :
				 THREEWAY_C_flows_expired);
		assert_int_equal(net.ends[1].tcb.state,
				 THREEWAY_SYN_RECEIVED);
		assert_int_equal(net.resets, 0);
	}
}

static void closed_port(void **state)
{
	struct network net;

	(void)state;
	/* An end that opens is CLOSED until it does. */
	network_make(&net, true);
	network_open(&net, 0);
	network_run(&net);
	assert_int_equal(net.ends[0].ended, THREEWAY_C_flows_refused);
	assert_int_equal(net.now_ms, 2 * LATENCY_MS);
	assert_int_equal(net.sent, 2);
	assert_int_equal(net.resets, 1);
}

/* The other end refuses, before or after the SYNs have crossed. */
static void refusing(void **state)
{
	u32 lose;

	(void)state;
	for (lose = 0; lose < 4; lose++) {
		struct network net;

		network_make(&net, true);
		net.ends[1].policy.freeze = THREEWAY_FREEZE_REFUSE;
		net.lose = lose;
		network_start(&net);
		assert_int_equal(net.ends[0].ended, THREEWAY_C_flows_refused);
		assert_int_equal(net.ends[1].ended, THREEWAY_C_flows_refusing);
		/* One, and one for the SYN-ACK to a SYN that has crossed. */
		assert_int_equal(net.resets, lose == 0 || lose == 3 ? 2 : 1);
	}
}

static const struct cm_unit_test tests[] = {
	TEST("SS1 SM1 SM2 two ends: three packets, or four when SYNs cross",
	     lossless),
	TEST("SM15 two ends: each loss of the simultaneous open converges",
	     simultaneous_losses),
	TEST("SM15 SM6 SS15 two ends: every loss among the first ten packets",
	     every_loss),
	TEST("RT1 SM7 two ends: nothing arrives", nothing_arrives),
	TEST("RT1 RT6 SM7 two ends: one of them hears nothing", one_way),
	TEST("SS5 CL2 two ends: a closed port", closed_port),
	TEST("SS5 SM4 two ends: one refuses", refusing),
};

SUITE(two_ends_suite);
