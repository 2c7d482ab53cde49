// SPDX-License-Identifier: GPL-2.0
/*
 * Two cores that talk to each other, each by its own clock, over a network that
 * loses, duplicates, delays and reorders. Segments go over it as they go over the
 * wire, as octets.
 */
#include <stdio.h>

#include "core_test.h"

#define LATENCY_MS	20U
#define QUEUE_MAX	256
#define NEVER		0xffffffffU
#define OCTETS_MAX	HS_HEADER_MAX

struct end {
	struct hs_tcb tcb;
	struct hs_policy policy;
	struct hs_offer offer;
	u32 iss;
	u32 clock_ms;			/* ahead of the network's */
	u32 due_ms;
	u32 copies;
	bool active;
	bool alive;
	bool opens;			/* when the timer is due */
	enum threeway_counter ended;
};

struct packet {
	u32 at_ms;
	u32 number;
	u32 to;
	u32 len;
	u8 octets[OCTETS_MAX];
};

struct network {
	struct end ends[2];
	struct packet queue[QUEUE_MAX];
	u32 queued;
	u32 sent;			/* packets so far */
	u32 resets;
	u32 now_ms;
	u64 lose;			/* bit n: packet n is lost */
	u32 deaf;			/* bit n: nothing arrives at end n */
	bool wild;			/* until it heals */
	u32 heals_ms;
	u32 loss_percent;
};

static void queue_packet(struct network *net, u32 to, const u8 *octets,
			 u32 len, u32 delay_ms)
{
	struct packet *packet = &net->queue[net->queued++];

	assert_true(net->queued < QUEUE_MAX);
	packet->at_ms = net->now_ms + delay_ms;
	packet->number = net->sent;
	packet->to = to;
	packet->len = len;
	memcpy(packet->octets, octets, len);
}

static void transmit(struct network *net, u32 from, const struct hs_reply *reply)
{
	bool wild = net->wild && net->now_ms < net->heals_ms;
	u32 number = net->sent++;
	u8 octets[OCTETS_MAX];
	u32 len;

	/* Two ends that disagree would keep each other busy. */
	if (net->sent > 500)
		FAIL("%u packets", net->sent);
	if (reply->flags & HS_RST)
		net->resets++;
	len = (u32)hs_reply_build(octets, reply, 1000, 2000);
	if ((number < 64 && (net->lose >> number & 1)) ||
	    (net->deaf >> !from & 1) || (wild && random_below(100) < net->loss_percent))
		return;
	queue_packet(net, !from, octets, len, wild ? random_below(3000) :
		     LATENCY_MS);
	while (wild && random_one_in(4))
		queue_packet(net, !from, octets, len, random_below(5000));
}

static u32 clock_of(const struct network *net, const struct end *end)
{
	return net->now_ms + end->clock_ms;
}

/* What a socket would do with the handshake, near enough. */
static void socket_takes_over(struct network *net, struct end *end,
			      const struct hs_segment *seg,
			      struct hs_actions *actions)
{
	struct hs_policy policy = end->policy;

	policy.hold = true;
	hs_held_finish(&end->tcb, seg, &policy, clock_of(net, end), actions);
}

static bool settled(const struct end *end)
{
	if (end->opens)
		return false;
	return !end->alive || end->tcb.state == THREEWAY_ESTABLISHED;
}

static void act(struct network *net, u32 which, const struct hs_actions *actions)
{
	struct end *end = &net->ends[which];

	if (actions->sent == THREEWAY_C_sent_syn_timer ||
	    actions->sent == THREEWAY_C_sent_synack_timer)
		end->copies++;
	if (actions->end != HS_NONE) {
		end->alive = false;
		end->ended = actions->end;
		end->due_ms = NEVER;
	} else if (actions->timer == HS_TIMER_SET) {
		end->due_ms = net->now_ms + actions->timer_ms;
	}
	/* A flow that is not finished has a timer. */
	if (!settled(end))
		assert_int_not_equal(end->due_ms, NEVER);
	if (actions->reply.flags)
		transmit(net, which, &actions->reply);
}

static void open_active(struct network *net, u32 which)
{
	struct end *end = &net->ends[which];
	struct hs_segment syn = with_options(segment(HS_SYN | HS_ECE | HS_CWR,
						     0, 0, 0));
	struct hs_actions actions;

	syn.wnd = (u16)(1000 + which);
	syn.opts.wscale = (u8)(3 + which);
	syn.opts.mss = (u16)(1400 + which);
	hs_tcb_active_open(&end->tcb, &syn, &end->offer, end->iss,
			   0x1234567 * which);
	end->alive = true;
	hs_syn_first(&end->tcb, &end->policy, clock_of(net, end), &actions);
	act(net, which, &actions);
}

static void open_later(struct network *net, u32 which, u32 later_ms)
{
	net->ends[which].opens = true;
	net->ends[which].due_ms = net->now_ms + later_ms;
}

/* LISTEN and CLOSED: a SYN opens a flow where there is a listener. */
static void arrive_without_flow(struct network *net, u32 which,
				const struct hs_segment *seg)
{
	struct end *end = &net->ends[which];
	struct hs_actions actions;
	struct hs_reply rst;

	if (seg->flags & HS_RST)
		return;
	if (!end->active && !(seg->flags & HS_ACK)) {
		hs_listen_arrives(seg, 1000, &actions);
		assert_int_equal(actions.verdict, HS_DROP);
		hs_tcb_passive_open(&end->tcb, seg, &end->offer, end->iss,
				    0x7654321);
		end->tcb.rcv_wnd = 1000 + which;
		end->tcb.rcv_wscale = end->tcb.wscale_ok ? (u8)(3 + which) : 0;
		end->tcb.advertised_mss = (u16)(1400 + which);
		end->alive = true;
		hs_synack_first(&end->tcb, &end->policy, clock_of(net, end),
				&actions);
		act(net, which, &actions);
		return;
	}
	rst = want_rst(seg);
	transmit(net, which, &rst);
}

static void deliver(struct network *net, const struct packet *packet)
{
	struct end *end = &net->ends[packet->to];
	struct hs_actions actions;
	struct hs_segment seg;
	u8 *octets;

	/* of exactly its length, so that reading on shows */
	octets = malloc(packet->len);
	assert_non_null(octets);
	memcpy(octets, packet->octets, packet->len);
	assert_true(hs_segment_parse(&seg, octets, packet->len, packet->len,
				     0));
	free(octets);
	if (!end->alive) {
		arrive_without_flow(net, packet->to, &seg);
		return;
	}
	hs_segment_arrives(&end->tcb, &seg, &end->policy, clock_of(net, end),
			   &actions);
	if (actions.verdict == HS_HANDOFF)
		socket_takes_over(net, end, &seg, &actions);
	if (seg.flags & HS_RST)
		assert_false(actions.reply.flags & ~HS_ACK);
	act(net, packet->to, &actions);
}

/* Return: the index of the next packet, of those at one time the first sent. */
static u32 next_packet(const struct network *net)
{
	u32 next = 0;
	u32 i;

	for (i = 1; i < net->queued; i++) {
		const struct packet *a = &net->queue[i];
		const struct packet *b = &net->queue[next];

		if (a->at_ms < b->at_ms ||
		    (a->at_ms == b->at_ms && a->number < b->number))
			next = i;
	}
	return next;
}

/* Return: the end whose timer is due first. */
static u32 next_timer(const struct network *net)
{
	return net->ends[0].due_ms <= net->ends[1].due_ms ? 0 : 1;
}

static void expire(struct network *net, u32 which)
{
	struct end *end = &net->ends[which];
	struct hs_actions actions;

	assert_int_not_equal(end->due_ms, NEVER);
	net->now_ms = end->due_ms;
	end->due_ms = NEVER;
	if (end->opens) {
		end->opens = false;
		open_active(net, which);
		return;
	}
	hs_timer_fires(&end->tcb, &end->policy, clock_of(net, end), &actions);
	act(net, which, &actions);
}

/* Until nothing is on its way and both ends have come to rest. */
static void run(struct network *net)
{
	while (net->queued || !settled(&net->ends[0]) ||
	       !settled(&net->ends[1])) {
		u32 which = next_timer(net);

		if (net->queued) {
			u32 i = next_packet(net);
			struct packet packet = net->queue[i];

			if (packet.at_ms <= net->ends[which].due_ms) {
				net->queue[i] = net->queue[--net->queued];
				net->now_ms = packet.at_ms;
				deliver(net, &packet);
				continue;
			}
		}
		expire(net, which);
		if (net->now_ms > 10000000)
			FAIL("no end after %u ms", net->now_ms);
	}
}

static void make_end(struct end *end, bool active, u32 iss)
{
	memset(end, 0, sizeof(*end));
	end->policy = fixture_policy();
	end->policy.hold = true;
	end->offer = (struct hs_offer) {
		.default_mss = 536, .sack = true, .timestamps = true,
		.wscale = true, .ecn = true,
	};
	end->iss = iss;
	end->active = active;
	end->due_ms = NEVER;
	end->ended = HS_NONE;
}

/* An end that listens, or a second one that opens, and the first that opens. */
static void make_network(struct network *net, bool both_active)
{
	memset(net, 0, sizeof(*net));
	make_end(&net->ends[0], true, 0xffffffff);
	make_end(&net->ends[1], both_active, 0x80000000);
	net->ends[1].clock_ms = 0xfffffff0;
}

static void start(struct network *net)
{
	open_active(net, 0);
	if (net->ends[1].active)
		open_active(net, 1);
	run(net);
}

static void expect_mirror(const struct network *net, u32 which)
{
	const struct end *here = &net->ends[which];
	const struct end *there = &net->ends[!which];

	if (!here->alive || here->tcb.state != THREEWAY_ESTABLISHED)
		FAIL("end %u: state %u, ended by %u, at %u ms", which,
		     here->tcb.state, here->ended, net->now_ms);
	assert_int_equal(here->tcb.iss, here->iss);
	assert_int_equal(here->tcb.irs, there->iss);
	assert_int_equal(here->tcb.wscale_ok, there->tcb.wscale_ok);
	assert_int_equal(here->tcb.tstamp_ok, there->tcb.tstamp_ok);
	assert_int_equal(here->tcb.sack_ok, there->tcb.sack_ok);
	assert_int_equal(here->tcb.wscale_ok,
			 here->offer.wscale && there->offer.wscale);
	assert_int_equal(here->tcb.tstamp_ok,
			 here->offer.timestamps && there->offer.timestamps);
	assert_int_equal(here->tcb.sack_ok,
			 here->offer.sack && there->offer.sack);
	assert_int_equal(here->tcb.snd_wscale, there->tcb.rcv_wscale);
	assert_int_equal(here->tcb.peer_mss, there->tcb.advertised_mss);
	assert_int_equal(here->tcb.peer_wnd, there->tcb.rcv_wnd);
	/* A path that does not like ECN may leave one end without. */
	if (!here->policy.ecn_fallback && !there->policy.ecn_fallback)
		assert_int_equal(here->tcb.ecn_ok,
				 here->offer.ecn && there->offer.ecn);
}

static void expect_converged(const struct network *net)
{
	expect_mirror(net, 0);
	expect_mirror(net, 1);
	assert_int_equal(net->resets, 0);
}

static void lossless(void **state)
{
	struct network net;

	(void)state;
	make_network(&net, false);
	start(&net);
	expect_converged(&net);
	assert_int_equal(net.sent, 3);
	assert_int_equal(net.now_ms, 3 * LATENCY_MS);
	make_network(&net, true);
	start(&net);
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
		make_network(&net, true);
		net.lose = five[i];
		start(&net);
		expect_converged(&net);
		assert_true(net.now_ms < 2000);
	}
	/* Both SYNs: the copies cross as well. */
	make_network(&net, true);
	net.lose = 0x3;
	start(&net);
	expect_converged(&net);
	assert_int_equal(net.now_ms, 1000 + 2 * LATENCY_MS);
}

/* Loses a subset of the packets; the second SYN leaves a little later. */
static void expect_loss_survived(u32 lose, bool both_active, u32 later_ms)
{
	struct network net;
	u32 i;

	make_network(&net, both_active);
	for (i = 0; i < 2; i++) {
		net.ends[i].policy.ratelimit_ms = lose & 1 << i ? 500 : 0;
		net.ends[i].policy.ecn_fallback = lose & 4 << i;
		net.ends[i].policy.hold = lose & 16 << i;
		net.ends[i].policy.syn_retries = 12;
		net.ends[i].policy.synack_retries = 12;
	}
	net.lose = lose;
	open_active(&net, 0);
	if (both_active)
		open_later(&net, 1, later_ms);
	run(&net);
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
	make_network(&net, false);
	net.deaf = 3;
	start(&net);
	assert_int_equal(net.ends[0].ended, THREEWAY_C_flows_timed_out);
	assert_int_equal(net.now_ms, 127000);
	assert_int_equal(net.sent, 7);
	make_network(&net, true);
	net.deaf = 3;
	start(&net);
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
		make_network(&net, both_active);
		net.deaf = 1;
		start(&net);
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
	make_network(&net, true);
	open_active(&net, 0);
	run(&net);
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

		make_network(&net, true);
		net.ends[1].policy.freeze = THREEWAY_FREEZE_REFUSE;
		net.lose = lose;
		start(&net);
		assert_int_equal(net.ends[0].ended, THREEWAY_C_flows_refused);
		assert_int_equal(net.ends[1].ended, THREEWAY_C_flows_refusing);
		/* One, and one for the SYN-ACK to a SYN that has crossed. */
		assert_int_equal(net.resets, lose == 0 || lose == 3 ? 2 : 1);
	}
}

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

static void random_networks(void **state)
{
	u32 rounds = random_rounds(20000);
	u64 packets = 0;

	(void)state;
	random_start();
	while (rounds--) {
		struct network net;

		make_network(&net, random_one_in(2));
		random_end(&net.ends[0]);
		random_end(&net.ends[1]);
		/* Some meet in the wild, some lose packets one by one. */
		net.wild = !random_one_in(4);
		net.lose = net.wild ? 0 : random_u32() & random_u32() & 0xfff;
		net.heals_ms = random_below(20000);
		net.loss_percent = 33;
		start(&net);
		expect_converged(&net);
		packets += net.sent;
	}
	print_message("# %llu packets\n", (unsigned long long)packets);
}

/* Without healing: whoever is done is right, and whoever is not has given up. */
static void expect_sane_end(const struct network *net, u32 which)
{
	const struct end *end = &net->ends[which];
	u32 retries = end->active ? end->policy.syn_retries +
		      end->policy.syn_linear_timeouts :
		      end->policy.synack_retries;

	/* A listener may begin anew with every copy of a SYN. */
	if (end->active)
		assert_true(end->copies <= retries);
	if (!end->alive && end->ended == HS_NONE) {
		assert_false(end->active);
		return;
	}
	if (end->alive) {
		assert_int_equal(end->tcb.state, THREEWAY_ESTABLISHED);
		assert_int_equal(end->tcb.irs, net->ends[!which].iss);
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
	default:
		FAIL("end %u: ended by %u", which, end->ended);
	}
}

static void random_failures(void **state)
{
	u32 rounds = random_rounds(20000);
	u32 both = 0, none = 0, one = 0;

	(void)state;
	random_start();
	while (rounds--) {
		struct network net;
		u32 done;
		u32 i;

		make_network(&net, random_one_in(2));
		net.wild = true;
		net.heals_ms = NEVER;
		net.loss_percent = 20 + random_below(81);
		for (i = 0; i < 2; i++) {
			random_end(&net.ends[i]);
			net.ends[i].policy.syn_retries = (u8)random_below(4);
			net.ends[i].policy.synack_retries =
				(u8)random_below(4);
		}
		start(&net);
		expect_sane_end(&net, 0);
		expect_sane_end(&net, 1);
		done = net.ends[0].alive + net.ends[1].alive;
		both += done == 2;
		one += done == 1;
		none += done == 0;
	}
	print_message("# %u at both ends, %u at one, %u at none\n", both, one,
		      none);
	assert_true(both && one && none);
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
	TEST("SM15 SM8 SQ1 two ends: loss, copies and disorder at random",
	     random_networks),
	TEST("SS17 RT1 RT6 two ends: what does not arrive in time fails",
	     random_failures),
};

SUITE(two_ends_suite);
