// SPDX-License-Identifier: GPL-2.0
/*
 * Events of flows: what read() of /dev/threeway tells about a handshake is just
 * what happened on the wire, in that order, and agrees with the counters.
 *
 * An event is written as a line
 *
 *	TYPE STATE [> STATE] [FLAGS SEQ(LEN) [ack N]] [COUNTER] [set MS]
 *
 * with sequence numbers that count from the sender's initial one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "wire.h"

#define EVENTS_MAX	512
#define LINES_MAX	4096

/* What was read since the last check. */
static struct threeway_event events[EVENTS_MAX];
static unsigned int event_count;

static void watch(struct peer *peer)
{
	struct threeway_event_start start = { .room = EVENTS_MAX };
	int flags = fcntl(peer->engine, F_GETFL);

	check(peer, !fcntl(peer->engine, F_SETFL, flags | O_NONBLOCK) &&
	      !ioctl(peer->engine, THREEWAY_IOC_EVENT_START, &start),
	      "no events: %s", strerror(errno));
}

/* A server whose SYN-ACK timer does not speak in between. */
static void serve_quietly(struct peer *peer)
{
	peer_serve(peer, NULL);
	sysctl_set("net/threeway/rto_initial_ms", "60000");
	watch(peer);
}

static void format_segment(const struct threeway_event *event, char *to,
			   size_t size)
{
	static const char letters[] = "FSRP.UEW";
	bool in = event->type == THREEWAY_EV_ARRIVED;
	u32 base = in ? event->irs : event->iss;
	char flags[9] = "";
	size_t n = 0;
	int i;

	for (i = 0; i < 8; i++)
		if (event->flags & 1 << i)
			flags[n++] = letters[i];
	/* a RST for a segment without ACK has sequence number 0 itself */
	if (!in && (event->flags & FLAG_RST) && (event->flags & FLAG_ACK))
		base = 0;
	n = snprintf(to, size, " %s %d(%u)", flags, event->seq - base,
		     event->len);
	if (event->flags & FLAG_ACK)
		snprintf(to + n, size - n, " ack %d",
			 event->ack - (in ? event->iss : event->irs));
}

static void format_event(const struct threeway_event *event, char *line,
			 size_t size)
{
	static const char * const types[] = {
		"-", "opened", "arrived", "sent", "timer", "state", "handoff",
		"ended"
	};
	static const char * const states[] = {
		"closed", "listen", "syn-sent", "syn-received", "established"
	};
	size_t n = snprintf(line, size, "%s %s", types[event->type & 7],
			    states[event->state_before % 5]);

	if (event->state != event->state_before)
		n += snprintf(line + n, size - n, " > %s",
			      states[event->state % 5]);
	if (event->type == THREEWAY_EV_ARRIVED ||
	    event->type == THREEWAY_EV_SENT) {
		format_segment(event, line + n, size - n);
		n = strlen(line);
	}
	if (event->counter != THREEWAY_EVENT_NO_COUNTER)
		n += snprintf(line + n, size - n, " %s",
			      threeway_counter_name(event->counter));
	if (event->timer_ms)
		snprintf(line + n, size - n, " set %u", event->timer_ms);
}

/* What holds for every event, whatever happened. */
static void check_event(struct peer *peer, const struct threeway_event *event,
			const struct threeway_event *before)
{
	static const u8 zero[16];
	bool v4 = peer->family == AF_INET;
	struct threeway_event rest = *event;

	check(peer, event->type >= THREEWAY_EV_OPENED &&
	      event->type <= THREEWAY_EV_ENDED, "type %u", event->type);
	check(peer, event->claim == peer->claim && !event->lost &&
	      event->direction == THREEWAY_PASSIVE &&
	      event->mode == THREEWAY_HANDOFF, "claim, lost, direction or mode");
	check(peer, event->key.family == peer->family && !event->key.pad &&
	      !event->key.ifindex && !event->pad &&
	      !memcmp(event->key.local, &peer->header.dst, 16) &&
	      !memcmp(event->key.remote, &peer->header.src, 16) &&
	      (!v4 || !memcmp(event->key.local + 4, zero, 12)) &&
	      event->key.local_port == htons(peer->header.dport), "key");
	if (event->type != THREEWAY_EV_ARRIVED &&
	    event->type != THREEWAY_EV_SENT) {
		rest.seq |= rest.ack | rest.wnd | rest.mss | rest.tsval;
		rest.seq |= rest.tsecr | rest.len | rest.flags | rest.options;
		check(peer, !(rest.seq | rest.wscale), "a segment");
	}
	if (!before)
		return;
	check(peer, event->state_before == before->state, "state not chained");
	check(peer, event->time_ns >= before->time_ns, "time goes back");
	check(peer, event->timeouts >= before->timeouts, "timeouts");
	check(peer, event->iss == before->iss && event->irs == before->irs,
	      "iss or irs has changed");
	check(peer, before->type != THREEWAY_EV_HANDOFF &&
	      before->type != THREEWAY_EV_ENDED, "an event after the last one");
}

static const struct threeway_event *previous(const struct threeway_event *event)
{
	const struct threeway_event *before = event;

	while (before-- > events)
		if (before->flow == event->flow)
			return before;
	return NULL;
}

static void read_events(struct peer *peer)
{
	ssize_t n = read(peer->engine, events, sizeof(events));
	unsigned int i;

	check(peer, n >= 0 || errno == EAGAIN, "read: %s", strerror(errno));
	check(peer, n < 0 || n % sizeof(events[0]) == 0, "read %zd", n);
	event_count = n < 0 ? 0 : n / sizeof(events[0]);
	for (i = 0; i < event_count; i++)
		check_event(peer, &events[i], previous(&events[i]));
}

/*
 * Each counter has moved as often as an event names it, but for those of
 * segments that could not be sent, which are told twice, and for the way that a
 * handoff took, which no event tells.
 */
static void check_counters(struct peer *peer)
{
	u64 told[THREEWAY_COUNTER_MAX] = { 0 };
	unsigned int i;

	for (i = 0; i < event_count; i++)
		if (events[i].counter < THREEWAY_COUNTER_MAX)
			told[events[i].counter]++;
	for (i = 0; i < THREEWAY_COUNTER_MAX; i++) {
		u64 now = peer_counter(peer, i);

		check(peer, i == THREEWAY_C_handoff_replayed ||
		      now - peer->counters[i] == told[i],
		      "%s moved by %llu, events tell %llu",
		      threeway_counter_name(i),
		      (unsigned long long)(now - peer->counters[i]),
		      (unsigned long long)told[i]);
		peer->counters[i] = now;
	}
}

/* Just these lines are what has been told since the last time. */
static void expect_lines(struct peer *peer, int line, const char *lines)
{
	char told[LINES_MAX] = "", one[LINE_MAX_LEN];
	unsigned int i;
	size_t n = 0;

	read_events(peer);
	for (i = 0; i < event_count; i++) {
		format_event(&events[i], one, sizeof(one));
		n += snprintf(told + n, sizeof(told) - n, "%s\n", one);
	}
	peer_check_(peer, (struct place){ __FILE__, line },
		    !strcmp(told, lines), "told:\n%swant:\n%s", told, lines);
}

#define expect_events(peer, lines) expect_lines(peer, __LINE__, lines)

#define SYN_EVENTS(set)							\
	"opened listen flows_opened\n"					\
	"arrived listen S 0(0)\n"					\
	"state listen > syn-received\n"					\
	"sent syn-received S. 0(0) ack 1 sent_synack set " set "\n"

/* The kernel's latest packet is what that event says. */
static void expect_sent(struct peer *peer, const struct threeway_event *event)
{
	const struct packet *packet = &peer->latest;

	check(peer, event->type == THREEWAY_EV_SENT, "nothing sent");
	check(peer, event->seq == packet->seq && event->ack == packet->ack &&
	      event->flags == packet->flags && event->wnd == packet->window &&
	      event->len == packet->data_len, "not what was sent");
}

TEST_F(wire, MI9_events_of_a_handshake)
{
	struct peer *peer = &self->peer;

	serve_quietly(peer);
	peer_flow(peer);
	ASSERT_TRUE(peer_syn(peer, SYN_OPTIONS));
	expect_events(peer, SYN_EVENTS("60000"));
	ASSERT_EQ(4, event_count);
	EXPECT_EQ(peer->iss, events[0].iss);
	EXPECT_EQ(peer->irs, events[0].irs);

	EXPECT_EQ(peer->irs, events[1].seq);
	EXPECT_EQ(0, events[1].ack);
	EXPECT_EQ(65535, events[1].wnd);
	EXPECT_EQ(THREEWAY_O_MSS | THREEWAY_O_WINDOW_SCALE |
		  THREEWAY_O_SACK_PERMITTED | THREEWAY_O_TIMESTAMPS,
		  events[1].options);
	EXPECT_EQ(1460, events[1].mss);
	EXPECT_EQ(7, events[1].wscale);
	EXPECT_EQ(1000, events[1].tsval);
	EXPECT_EQ(0, events[1].tsecr);

	expect_sent(peer, &events[3]);
	EXPECT_EQ(events[1].options, events[3].options);
	EXPECT_EQ(peer->family == AF_INET ? 1460 : 1440, events[3].mss);
	EXPECT_EQ(peer->tsval, events[3].tsval);
	EXPECT_EQ(1000, events[3].tsecr);
	check_counters(peer);

	peer_send(peer, ". 1 ack 1 win 77 <nop,nop,TS val 1001 ecr ^>");
	close(expect_accept(peer));
	expect_events(peer, "arrived syn-received . 1(0) ack 1\n"
		      "handoff syn-received > established flows_handed_over\n");
	EXPECT_EQ(77, events[0].wnd);
	EXPECT_EQ(THREEWAY_O_TIMESTAMPS, events[0].options);
	EXPECT_EQ(1001, events[0].tsval);
	EXPECT_EQ(peer->tsval, events[0].tsecr);
	check_counters(peer);
	/* the connection is native now */
	sleep_ms(100);
	expect_events(peer, "");
}

TEST_F(wire, MI9_events_count_data_without_SYN_and_FIN)
{
	struct peer *peer = &self->peer;

	serve_quietly(peer);
	peer_flow(peer);
	peer_send(peer, "S 0(7) <mss 536>");
	expect(peer, "S. 0 ack 1");
	peer_send(peer, "FP. 1(9) ack 1");
	close(expect_accept(peer));
	expect_events(peer,
		      "opened listen flows_opened\n"
		      "arrived listen S 0(7)\n"
		      "state listen > syn-received\n"
		      "sent syn-received S. 0(0) ack 1 sent_synack set 60000\n"
		      "arrived syn-received FP. 1(9) ack 1\n"
		      "handoff syn-received > established flows_handed_over\n");
	EXPECT_EQ(THREEWAY_O_MSS, events[1].options);
	EXPECT_EQ(536, events[1].mss);
	EXPECT_EQ(0, events[4].options);
	check_counters(peer);
}

TEST_F(wire, MI9_events_of_retransmission_and_expiry)
{
	struct threeway_policy policy = {
		.set = THREEWAY_P_SYNACK_RETRIES,
		.synack_retries = 2,
	};
	static const unsigned int at_ms[] = { 0, 1000, 3000, 7000 };
	static const unsigned int at_event[] = { 3, 4, 6, 8 };
	struct peer *peer = &self->peer;
	unsigned int i;

	peer_serve(peer, &policy);
	watch(peer);
	peer_flow(peer);
	ASSERT_TRUE(peer_syn(peer, "mss 1460"));
	sleep_ms(8000);
	expect_events(peer, SYN_EVENTS("1000")
		      "timer syn-received\n"
		      "sent syn-received S. 0(0) ack 1 sent_synack_timer set 2000\n"
		      "timer syn-received\n"
		      "sent syn-received S. 0(0) ack 1 sent_synack_timer set 4000\n"
		      "timer syn-received\n"
		      "ended syn-received > closed flows_expired\n");
	check_counters(peer);
	ASSERT_EQ(10, event_count);
	EXPECT_EQ(0, events[3].timeouts | events[3].retransmits);
	EXPECT_EQ(1, events[5].timeouts);
	EXPECT_EQ(1, events[5].retransmits);
	EXPECT_EQ(2, events[9].timeouts);
	EXPECT_EQ(2, events[9].retransmits);
	for (i = 0; i < ARRAY_SIZE(at_ms); i++) {
		u64 ms = (events[at_event[i]].time_ns - events[0].time_ns) /
			 1000000;

		EXPECT_LE(at_ms[i], ms + 1);
		EXPECT_GE(at_ms[i] + PEER_TOLERANCE_MS, ms);
	}
}

TEST_F(wire, MI9_events_of_a_timeout_that_sends_nothing)
{
	struct peer *peer = &self->peer;
	int patience_s = 10;

	peer_serve(peer, NULL);
	ASSERT_EQ(0, setsockopt(peer->listener, IPPROTO_TCP, TCP_DEFER_ACCEPT,
				&patience_s, sizeof(patience_s)));
	watch(peer);
	peer_flow(peer);
	ASSERT_TRUE(peer_syn(peer, "mss 1460"));
	peer_send(peer, ". 1 ack 1");
	sleep_ms(1500);
	expect_events(peer, SYN_EVENTS("1000")
		      "arrived syn-received . 1(0) ack 1 segment_deferred\n"
		      "timer syn-received set 2000\n");
	check_counters(peer);
	peer_send(peer, "P. 1(1) ack 1");
	expect_events(peer, "arrived syn-received P. 1(1) ack 1\n"
		      "handoff syn-received > established flows_handed_over\n");
	check_counters(peer);
}

TEST_F(wire, MI9_events_of_segments_that_are_answered)
{
	struct peer *peer = &self->peer;

	serve_quietly(peer);
	peer_flow(peer);
	ASSERT_TRUE(peer_syn(peer, "mss 1460"));
	expect_events(peer, SYN_EVENTS("60000"));
	peer_send(peer, "S 0 <mss 1460>");
	expect(peer, "S. 0 ack 1");
	peer_send(peer, "S 0 <mss 1460>");
	peer_send(peer, ". 1 ack 5");
	expect(peer, "R 5");
	expect_events(peer,
		      "arrived syn-received S 0(0) segment_duplicate_syn\n"
		      "sent syn-received S. 0(0) ack 1 sent_synack_duplicate set 60000\n"
		      "arrived syn-received S 0(0) segment_duplicate_limited\n"
		      "arrived syn-received . 1(0) ack 5 segment_bad_ack\n"
		      "sent syn-received R 5(0) sent_rst\n");
	EXPECT_EQ(1, events[1].retransmits);
	expect_sent(peer, &events[4]);
	sleep_ms(600);
	peer_send(peer, ". -9 ack 1");
	expect(peer, ". 1 ack 1");
	peer_send(peer, "R 7");
	peer_send(peer, "R -100000");
	peer_send(peer, "P 1(2)");
	expect_events(peer,
		      "arrived syn-received . -9(0) ack 1 segment_out_of_window\n"
		      "sent syn-received . 1(0) ack 1 sent_ack\n"
		      "arrived syn-received R 7(0) segment_rst_limited\n"
		      "arrived syn-received R -100000(0) segment_rst_out_of_window\n"
		      "arrived syn-received P 1(2) segment_no_ack\n");
	expect_sent(peer, &events[1]);
	expect_counters(peer, "flows_opened 1; sent_synack 1; "
			"segment_duplicate_syn 1; sent_synack_duplicate 1; "
			"segment_duplicate_limited 1; segment_bad_ack 1; "
			"sent_rst 1; segment_out_of_window 1; sent_ack 1; "
			"segment_rst_limited 1; segment_rst_out_of_window 1; "
			"segment_no_ack 1");
}

/* A flow, its events taken. */
static void begin(struct peer *peer)
{
	peer_flow(peer);
	peer_syn(peer, "mss 1460");
	expect_events(peer, SYN_EVENTS("60000"));
	check_counters(peer);
}

TEST_F(wire, MI9_events_of_every_end)
{
	struct peer *peer = &self->peer;
	struct threeway_flow flow;
	struct threeway_flow_del del = { 0 };

	serve_quietly(peer);
	begin(peer);
	peer_send(peer, "R 1");
	expect_events(peer, "arrived syn-received R 1(0) segment_rst_exact\n"
		      "ended syn-received > closed flows_reset\n");
	check_counters(peer);

	begin(peer);
	peer_send(peer, "S 3");
	expect(peer, "R. =0 ack 4");
	expect_events(peer,
		      "arrived syn-received S 3(0) segment_syn_in_window\n"
		      "sent syn-received R. 0(0) ack 4 sent_rst\n"
		      "ended syn-received > closed flows_syn_reset\n");
	check_counters(peer);

	begin(peer);
	ASSERT_EQ(1, peer_flows(peer, &flow));
	del.key = flow.key;
	ASSERT_EQ(0, ioctl(peer->engine, THREEWAY_IOC_FLOW_DEL, &del));
	expect_events(peer, "ended syn-received > closed flows_killed\n");
	EXPECT_EQ(flow.id, events[0].flow);
	check_counters(peer);

	begin(peer);
	close(peer->listener);
	peer->listener = -1;
	peer_send(peer, ". 1 ack 1");
	expect(peer, "R 1");
	expect_events(peer,
		      "arrived syn-received . 1(0) ack 1 segment_listener_gone\n"
		      "ended syn-received > closed flows_listener_gone\n");
	check_counters(peer);
}

TEST_F(wire, MI9_events_of_segments_that_the_protocol_does_not_see)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { 1, &drop };
	struct peer *peer = &self->peer;
	u8 raw[PACKET_MAX];
	size_t len;

	serve_quietly(peer);
	begin(peer);
	len = peer_prepare(peer, raw, ". 1(4) ack 1");
	raw[len - 1] ^= 1;
	peer_inject(peer, raw, len);
	expect_events(peer,
		      "arrived syn-received . 1(4) ack 1 segment_bad_checksum\n");
	check_counters(peer);
	/* a filter comes after the protocol, and unmakes what that did */
	ASSERT_EQ(0, setsockopt(peer->listener, SOL_SOCKET, SO_ATTACH_FILTER,
				&program, sizeof(program)));
	peer_send(peer, "S 3");
	expect_events(peer, "arrived syn-received S 3(0) segment_policy\n");
	check_counters(peer);
	expect_flow(peer, true);
}

TEST_F(wire, MI9_events_of_a_full_accept_queue)
{
	struct peer *peer = &self->peer;
	unsigned int i;

	peer_listen(peer, 0);
	peer_claim(peer, NULL);
	sysctl_set("net/threeway/rto_initial_ms", "60000");
	watch(peer);
	begin(peer);
	struct flow first = peer_park(peer);

	begin(peer);
	struct flow second = peer_park(peer);

	peer_resume(peer, first);
	peer_send(peer, ". 1 ack 1");
	expect_events(peer, "arrived syn-received . 1(0) ack 1\n"
		      "handoff syn-received > established flows_handed_over\n");
	peer_resume(peer, second);
	for (i = 0; i < 2; i++)
		peer_send(peer, ". 1 ack 1");
	expect_events(peer,
		      "arrived syn-received . 1(0) ack 1 segment_accept_queue_full\n"
		      "arrived syn-received . 1(0) ack 1 segment_accept_queue_full\n");
	EXPECT_EQ(events[0].flow, events[1].flow);
}

/* Told as sent before it is known that it cannot be; told again then. */
TEST_F(wire, MI9_events_of_segments_that_cannot_be_sent)
{
	struct peer *peer = &self->peer;

	serve_quietly(peer);
	begin(peer);
	run("ip %s", variant->family == AF_INET ?
	    "-4 route add blackhole 192.0.2.2/32" :
	    "-6 route add blackhole 2001:db8::2/128");
	peer_send(peer, ". 1 ack 9");
	expect_silence_ms(peer, 50);
	expect_events(peer,
		      "arrived syn-received . 1(0) ack 9 segment_bad_ack\n"
		      "sent syn-received R 9(0) sent_rst\n"
		      "sent syn-received R 9(0) send_failed\n");
	expect_counters(peer, "segment_bad_ack 1; send_failed 1");
	peer_send(peer, "S 0 <mss 1460>");
	expect_events(peer,
		      "arrived syn-received S 0(0) segment_duplicate_syn\n"
		      "sent syn-received S. 0(0) ack 1 sent_synack_duplicate set 60000\n"
		      "sent syn-received S. 0(0) ack 1 send_failed\n");
	EXPECT_EQ(1, events[1].retransmits);
	EXPECT_EQ(0, events[2].retransmits);
	/* the end comes last */
	peer_send(peer, "S 3");
	expect_events(peer,
		      "arrived syn-received S 3(0) segment_syn_in_window\n"
		      "sent syn-received R. 0(0) ack 4 sent_rst\n"
		      "sent syn-received R. 0(0) ack 4 send_failed\n"
		      "ended syn-received > closed flows_syn_reset\n");
	expect_counters(peer, "segment_duplicate_syn 1; segment_syn_in_window 1; "
			"send_failed 2; flows_syn_reset 1");
}

static u32 random_state = 0x2545f491;

static u32 pick(u32 below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % below;
}

/* Whatever comes, the events of each flow are a chain and give the counters. */
TEST_F(wire, MI9_events_of_random_segments_agree_with_the_counters)
{
	static const char * const segments[] = {
		"S 0 <mss 1460>", ". 1 ack 1", ". 1 ack 2", ". 1 ack 0",
		"P. 1(10) ack 1", "R 1", "R 2", "R 100000", "S 1", "S 100000",
		". 0 ack 1", ". -5 ack 1", "P 1", "F. 1 ack 1", "- 1", "S. 0 ack 1",
		"R. 1 ack 1", "UE. 1 ack 1",
	};
	struct peer *peer = &self->peer;
	unsigned int round, i, n;
	int fd;

	serve_quietly(peer);
	for (round = 0; round < 60; round++) {
		peer_flow(peer);
		peer_syn(peer, pick(2) ? SYN_OPTIONS : "mss 1460");
		n = pick(12);
		for (i = 0; i < n; i++)
			peer_send(peer, "%s",
				  segments[pick(ARRAY_SIZE(segments))]);
		fd = accept4(peer->listener, NULL, NULL, SOCK_NONBLOCK);
		if (fd >= 0)
			close(fd);
		while (peer_receive(peer, 1))
			;
		read_events(peer);
		EXPECT_LE(4, event_count);
		check_counters(peer);
	}
}

TEST_HARNESS_MAIN
