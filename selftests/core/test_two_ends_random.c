// SPDX-License-Identifier: GPL-2.0
/*
 * Two ends in any network, with any policies. What must come of it is said
 * before: agreement, or which failure.
 */
#include "network.h"

/* Beyond every window that one of the ends may promise. */
#define FAR		70000U

static void random_offer(struct hs_offer *offer)
{
	offer->sack = random_one_in(2);
	offer->timestamps = !random_one_in(3);
	offer->wscale = random_one_in(2);
	offer->ecn = random_one_in(2);
}

static void random_end(struct end *end)
{
	static const u32 delays_ms[] = { 0, 0, 0, 1, 500, 4000 };
	static const u32 limits_ms[] = { 0, 500, 500, 5000 };

	end->iss = random_u32();
	end->clock_ms = random_u32();
	random_offer(&end->offer);
	end->policy.hold = random_one_in(2);
	if (end->policy.hold)
		end->policy.delay_ms =
			delays_ms[random_below(ARRAY_SIZE(delays_ms))];
	else if (random_one_in(4))
		end->policy.defer_accept = (u8)random_below(5);
	end->policy.ratelimit_ms =
		limits_ms[random_below(ARRAY_SIZE(limits_ms))];
	end->policy.ecn_fallback = random_one_in(2);
	end->policy.rto_initial_ms = 200 + random_below(1800);
	/* so that a copy is left when all that is to be lost has been */
	end->policy.synack_retries = 20;
	end->policy.syn_retries = 20;
	end->policy.syn_linear_timeouts = (u8)random_below(3);
	end->policy.lose = random_one_in(3) ? random_below(16) : 0;
}

/* Some meet in the wild, some lose packets one by one. */
static void random_network(struct network *net, bool both_active)
{
	network_make(net, both_active);
	random_end(&net->ends[0]);
	random_end(&net->ends[1]);
	net->wild = !random_one_in(4);
	net->lose = net->wild ? 0 : random_u32() & random_u32() & 0xfff;
	net->heals_ms = random_below(20000);
	net->loss_percent = 33;
}

static void random_networks(void **state)
{
	u32 rounds = random_rounds(100000);
	u64 packets = 0;
	u32 n;

	(void)state;
	random_start();
	for (n = 0; n < rounds; n++) {
		struct network net;

		random_network(&net, random_one_in(2));
		network_start(&net);
		expect_converged(&net);
		packets += net.sent;
	}
	print_message("# %u networks, %llu packets\n", rounds,
		      (unsigned long long)packets);
}

static u32 far_from(u32 number)
{
	return number + FAR + random_below(0U - 2 * FAR);
}

static void disturb_again(struct network *net)
{
	if (random_one_in(12))
		return;
	net->disturb_ms = net->now_ms + random_below(random_one_in(2) ? 50 :
						     2000);
}

/*
 * A segment of somebody who knows addresses and ports, and guesses the numbers
 * wrong. A SYN to who has none yet needs no numbers, so that is not his.
 */
static void forge_blindly(struct network *net)
{
	static const u8 usual[] = {
		HS_RST, HS_RST | HS_ACK, HS_ACK, HS_SYN, HS_SYN | HS_ACK,
		HS_FIN | HS_ACK, HS_PSH | HS_ACK, 0,
	};
	u32 to = random_below(2);
	const struct end *end = &net->ends[to];
	bool synchronized = end->alive &&
			    end->tcb.state != THREEWAY_SYN_SENT;
	struct hs_reply forged = {
		.seq = far_from(synchronized ? end->tcb.irs :
				net->ends[!to].iss),
		.ack = far_from(end->alive ? end->tcb.iss : end->iss),
		.wnd = (u16)random_u32(),
		.flags = random_one_in(4) ? (u8)random_u32() :
			 usual[random_below(ARRAY_SIZE(usual))],
	};

	if ((forged.flags & HS_SYN) && !synchronized)
		forged.flags |= HS_ACK;
	if (random_one_in(2)) {
		forged.opts.present = HS_OPT_TIMESTAMPS;
		forged.opts.tsval = random_u32();
		forged.opts.tsecr = random_u32();
	}
	network_forge(net, to, &forged, random_one_in(3) ?
		      random_below(1461) : 0);
	disturb_again(net);
}

/* A SYN of an earlier connection: figure 8 of RFC 9293. */
static void send_old_syn(struct network *net)
{
	struct hs_reply syn = {
		.seq = far_from(net->ends[0].iss),
		.wnd = 1000,
		.flags = HS_SYN,
		.opts.present = HS_OPT_MSS,
		.opts.mss = 1000,
	};

	network_forge(net, 1, &syn, 0);
	disturb_again(net);
}

/* The first end starts anew: figure 9. */
static void restart(struct network *net)
{
	network_crash(net, 0);
	net->ends[0].iss = far_from(net->ends[0].iss);
	network_open_later(net, 0, random_below(3000));
}

/* There is room in the accept queue at last. */
static void make_room(struct network *net)
{
	net->ends[1].policy.accept_queue_full = false;
}

static void forget(struct network *net)
{
	network_crash(net, 1);
}

/* @passive: the second end is never one that opens */
static void random_disturbances(void (*disturb)(struct network *net),
				bool passive,
				void (*expect)(const struct network *net))
{
	u32 rounds = random_rounds(50000);
	u32 n;

	random_start();
	for (n = 0; n < rounds; n++) {
		struct network net;

		random_network(&net, !passive && random_one_in(2));
		net.disturb = disturb;
		net.ends[1].policy.accept_queue_full = disturb == make_room;
		net.disturb_ms = random_below(random_one_in(2) ? 100 : 10000);
		network_start(&net);
		expect(&net);
	}
	print_message("# %u networks\n", rounds);
}

static void blind_forgery(void **state)
{
	(void)state;
	random_disturbances(forge_blindly, false, expect_agreement);
}

static void old_syns(void **state)
{
	(void)state;
	random_disturbances(send_old_syn, true, expect_agreement);
}

static void full_queues(void **state)
{
	(void)state;
	random_disturbances(make_room, true, expect_converged);
}

static void restarts(void **state)
{
	(void)state;
	random_disturbances(restart, true, expect_agreement);
}

/*
 * Who is connected to an end that has forgotten it hears of that as soon as he
 * sends something.
 */
static void expect_heard(const struct network *after)
{
	struct network copy = *after, *net = &copy;
	struct end *end = &net->ends[0];
	struct hs_reply data = {
		.seq = end->tcb.iss + 1,
		.ack = end->tcb.irs + 1,
		.flags = HS_ACK | HS_PSH,
	};

	if (end->alive && net->ends[1].alive) {
		expect_agreement(net);
		return;
	}
	assert_false(net->ends[1].alive);
	if (end->alive) {
		net->wild = false;
		net->lose = 0;
		net->answers = 0;
		network_transmit(net, 0, &data);
		network_run(net);
	}
	assert_false(end->alive);
	assert_int_equal(end->ended, THREEWAY_C_flows_reset);
}

static void forgotten(void **state)
{
	(void)state;
	random_disturbances(forget, true, expect_heard);
}

/* Without healing: whoever is done is right, and whoever is not has given up. */
static void expect_sane_end(const struct network *net, u32 which)
{
	const struct end *end = &net->ends[which];
	const struct end *peer = &net->ends[!which];
	u32 behind = peer->iss - end->tcb.irs;
	u32 retries = end->policy.synack_retries;

	if (end->active)
		retries = end->policy.syn_retries +
			  end->policy.syn_linear_timeouts;
	else if (retries < end->policy.defer_accept)
		retries = end->policy.defer_accept;
	/* A listener may begin anew with every copy of a SYN. */
	assert_true(end->copies <= retries * end->flows);
	if (!end->alive && end->ended == HS_NONE) {
		assert_false(end->active);
		return;
	}
	if (end->alive) {
		assert_int_equal(end->tcb.state, THREEWAY_ESTABLISHED);
		/* what a listener has opened may have expired since */
		assert_int_equal(behind % ISS_STEP, 0);
		assert_true(behind / ISS_STEP < peer->flows);
		return;
	}
	switch (end->ended) {
	case THREEWAY_C_flows_timed_out:
	case THREEWAY_C_flows_refused:
		assert_true(end->active);
		break;
	case THREEWAY_C_flows_expired:
		assert_false(end->active);
		break;
	case THREEWAY_C_flows_reset:
		break;
	case THREEWAY_C_flows_refusing:
		assert_int_equal(end->policy.freeze, THREEWAY_FREEZE_REFUSE);
		break;
	case THREEWAY_C_flows_lifetime:
		assert_true(end->policy.hold && end->policy.deadline_ms);
		break;
	default:
		FAIL("end %u: ended by %u", which, end->ended);
	}
}

/* Values that keep an end from being done, as the lab has them. */
static void random_obstacles(struct hs_policy *policy)
{
	policy->syn_retries = (u8)random_below(4);
	policy->synack_retries = (u8)random_below(4);
	if (random_one_in(8))
		policy->accept_queue_full = true;
	if (!policy->hold || random_one_in(2))
		return;
	/* what is frozen ends by its deadline only */
	policy->deadline_ms = 1 + random_below(100000);
	policy->freeze = (u8)random_below(THREEWAY_FREEZE_REFUSE + 1);
}

static void random_failures(void **state)
{
	u32 rounds = random_rounds(100000);
	u32 both = 0, none = 0, one = 0;
	u32 n;

	(void)state;
	random_start();
	for (n = 0; n < rounds; n++) {
		struct network net;
		u32 done;

		random_network(&net, random_one_in(2));
		net.wild = true;
		net.heals_ms = NEVER;
		net.loss_percent = 20 + random_below(81);
		random_obstacles(&net.ends[0].policy);
		random_obstacles(&net.ends[1].policy);
		network_start(&net);
		expect_sane_end(&net, 0);
		expect_sane_end(&net, 1);
		done = net.ends[0].alive + net.ends[1].alive;
		both += done == 2;
		one += done == 1;
		none += done == 0;
	}
	print_message("# %u networks: done at both ends %u, at one %u, at none %u\n",
		      rounds, both, one, none);
	assert_true(both && one && none);
}

static const struct cm_unit_test tests[] = {
	TEST("SM15 SM8 SQ1 two ends: loss, copies and disorder at random",
	     random_networks),
	TEST("RS1 RS6 SR2 SS2 SS4 two ends: who guesses the numbers wrong changes nothing",
	     blind_forgery),
	TEST("LI8 RS1 two ends: old SYNs are reset, and the new one gets through",
	     old_syns),
	TEST("SR25 SR26 two ends: a full accept queue and a deferred accept last for a while only",
	     full_queues),
	TEST("SR4 SS3 RS1 two ends: one starts anew with another ISS",
	     restarts),
	TEST("SS16 CL3 two ends: who was forgotten is reset when he sends",
	     forgotten),
	TEST("SS17 RT1 RT6 SR24 two ends: what does not arrive in time fails",
	     random_failures),
};

SUITE(two_ends_random_suite);
