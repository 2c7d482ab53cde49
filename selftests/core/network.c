// SPDX-License-Identifier: GPL-2.0
#include "network.h"

static void queue_packet(struct network *net, const struct packet *packet,
			 u32 delay_ms)
{
	assert_true(net->queued < QUEUE_MAX);
	net->queue[net->queued] = *packet;
	net->queue[net->queued++].at_ms = net->now_ms + delay_ms;
}

static struct packet make_packet(const struct network *net, u32 to,
				 const struct hs_reply *reply)
{
	struct packet packet = { .to = to, .number = net->sent };

	packet.len = (u32)hs_reply_build(packet.octets, reply, 1000, 2000);
	return packet;
}

void network_forge(struct network *net, u32 to, const struct hs_reply *reply,
		   u32 data_len)
{
	struct packet packet = make_packet(net, to, reply);

	packet.data_len = data_len;
	queue_packet(net, &packet, 0);
}

void network_transmit(struct network *net, u32 from,
		      const struct hs_reply *reply)
{
	bool wild = net->wild && net->now_ms < net->heals_ms;
	struct packet packet = make_packet(net, !from, reply);
	u32 number = net->sent++;

	/* Two ends that disagree would keep each other busy. */
	if (net->sent > 500)
		FAIL("%u packets", net->sent);
	if (net->answers > ANSWERS_MAX)
		FAIL("flags %#x answer %u answers", reply->flags,
		     net->answers - 1);
	if (reply->flags & HS_RST)
		net->resets++;
	packet.answers = net->answers;
	if ((number < 64 && (net->lose >> number & 1)) ||
	    (net->deaf >> !from & 1) ||
	    (wild && random_below(100) < net->loss_percent))
		return;
	queue_packet(net, &packet, wild ? random_below(3000) : LATENCY_MS);
	while (wild && random_one_in(4))
		queue_packet(net, &packet, random_below(5000));
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
	return !end->alive || (end->tcb.state == THREEWAY_ESTABLISHED &&
			       !end->tcb.delayed);
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
		network_transmit(net, which, &actions->reply);
}

void network_open(struct network *net, u32 which)
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
	end->flows++;
	hs_syn_first(&end->tcb, &end->policy, clock_of(net, end), &actions);
	act(net, which, &actions);
}

void network_open_later(struct network *net, u32 which, u32 later_ms)
{
	net->ends[which].opens = true;
	net->ends[which].due_ms = net->now_ms + later_ms;
}

void network_crash(struct network *net, u32 which)
{
	struct end *end = &net->ends[which];

	end->alive = false;
	end->ended = HS_NONE;
	end->due_ms = NEVER;
}

static void open_passive(struct network *net, u32 which,
			 const struct hs_segment *syn)
{
	struct end *end = &net->ends[which];
	struct hs_actions actions;

	/* never the same one again */
	if (end->flows++)
		end->iss += ISS_STEP;
	hs_tcb_passive_open(&end->tcb, syn, &end->offer, end->iss, 0x7654321);
	end->tcb.rcv_wnd = 1000 + which;
	end->tcb.rcv_wscale = end->tcb.wscale_ok ? (u8)(3 + which) : 0;
	end->tcb.advertised_mss = (u16)(1400 + which);
	end->alive = true;
	hs_synack_first(&end->tcb, &end->policy, clock_of(net, end), &actions);
	act(net, which, &actions);
}

/* LISTEN and CLOSED: a SYN opens a flow where there is a listener. */
static void arrive_without_flow(struct network *net, u32 which,
				const struct hs_segment *seg)
{
	struct hs_actions actions;
	struct hs_reply rst;

	if (seg->flags & HS_RST)
		return;
	if (!net->ends[which].active) {
		hs_listen_arrives(seg, 1000, &actions);
		if (actions.verdict == HS_DROP) {
			open_passive(net, which, seg);
			return;
		}
		/* a native listener drops it */
		if (!(seg->flags & HS_ACK))
			return;
	}
	rst = want_rst(seg);
	network_transmit(net, which, &rst);
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
	assert_true(hs_segment_parse(&seg, octets, packet->len,
				     packet->len + packet->data_len, 0));
	free(octets);
	net->answers = packet->answers + 1;
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
	net->answers = 0;
	end->due_ms = NEVER;
	if (end->opens) {
		end->opens = false;
		network_open(net, which);
		return;
	}
	hs_timer_fires(&end->tcb, &end->policy, clock_of(net, end), &actions);
	act(net, which, &actions);
}

static void disturb(struct network *net)
{
	net->now_ms = net->disturb_ms;
	net->answers = 0;
	net->disturb_ms = NEVER;
	net->disturb(net);
}

static bool at_rest(const struct network *net)
{
	return !net->queued && settled(&net->ends[0]) &&
	       settled(&net->ends[1]) && net->disturb_ms == NEVER;
}

void network_run(struct network *net)
{
	while (!at_rest(net)) {
		u32 which = next_timer(net);
		u32 timer_ms = net->ends[which].due_ms;
		u32 i = next_packet(net);
		u32 packet_ms = net->queued ? net->queue[i].at_ms : NEVER;

		if (net->disturb_ms < packet_ms && net->disturb_ms < timer_ms) {
			disturb(net);
		} else if (packet_ms != NEVER && packet_ms <= timer_ms) {
			struct packet packet = net->queue[i];

			net->queue[i] = net->queue[--net->queued];
			net->now_ms = packet.at_ms;
			deliver(net, &packet);
		} else {
			expire(net, which);
		}
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

void network_make(struct network *net, bool both_active)
{
	memset(net, 0, sizeof(*net));
	make_end(&net->ends[0], true, 0xffffffff);
	make_end(&net->ends[1], both_active, 0x80000000);
	net->ends[1].clock_ms = 0xfffffff0;
	net->disturb_ms = NEVER;
}

void network_start(struct network *net)
{
	network_open(net, 0);
	if (net->ends[1].active)
		network_open(net, 1);
	network_run(net);
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

void expect_agreement(const struct network *net)
{
	expect_mirror(net, 0);
	expect_mirror(net, 1);
}

void expect_converged(const struct network *net)
{
	expect_agreement(net);
	assert_int_equal(net->resets, 0);
}
