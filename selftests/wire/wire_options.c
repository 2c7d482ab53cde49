// SPDX-License-Identifier: GPL-2.0
/*
 * What is negotiated by a SYN and its SYN-ACK: every script runs with and
 * without the engine, and the SYN-ACKs, the sockets' TCP_INFO and their first
 * segments must be equal (rules OP, WI, TS, EC, PM, V65).
 */
#include <ctype.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "wire.h"

/* Writes a few segments to the connection, so that their size shows. */
static void note_segments(struct peer *peer, int fd)
{
	static const char data[3000];
	u32 got = 0;

	check(peer, send(fd, data, sizeof(data), 0) == sizeof(data), "send()");
	while (got < sizeof(data) && peer_receive(peer, 100)) {
		got = peer->latest.seq + peer->latest.data_len - peer->iss - 1;
		peer_send(peer, ". 1 ack %u win 60000", 1 + got);
	}
}

/*
 * One handshake; the answer to the SYN, the accepted socket and its first
 * segments are noted. Returns whether there was a connection.
 */
static bool handshake(struct peer *peer, const char *syn)
{
	int fd;

	peer_flow(peer);
	peer_label(peer, "%.*s", PEER_LABEL - 1, syn);
	peer_send(peer, "%s", syn);
	if (!peer_receive(peer, PEER_ANSWER_MS) || !peer->iss_known) {
		peer_note(peer, "no SYN-ACK");
		return false;
	}
	peer_watch(peer, 40);
	peer_send(peer, ". 1 ack 1 win 60000");
	fd = accept(peer->listener, NULL, NULL);
	peer_note(peer, "accept %s", fd < 0 ? "no" : "yes");
	if (fd < 0)
		return false;
	peer_note_info(peer, fd);
	note_segments(peer, fd);
	peer_send(peer, "R 1");
	close(fd);
	return true;
}

/* How many handshakes the engine did in the second run. */
static void expect_engine(struct peer *peer, u64 count)
{
	u64 opened = peer_counter(peer, THREEWAY_C_flows_opened);
	u64 handed_over = peer_counter(peer, THREEWAY_C_flows_handed_over);

	check(peer, opened == count && handed_over == count,
	      "the engine opened %llu and handed over %llu of %llu",
	      (unsigned long long)opened, (unsigned long long)handed_over,
	      (unsigned long long)count);
}

/* The options of SYNs: NULL ends a list. */
static void syn_list(struct peer *peer, const void *arg)
{
	const char * const *options = arg;
	char line[256];

	peer_serve(peer, NULL);
	for (; *options; options++) {
		snprintf(line, sizeof(line), "S 0 <%s>", *options);
		handshake(peer, line);
	}
}

static const char * const hostile[] = {
	/* OP1: unknown kinds are skipped by their length */
	"raw 4d06aabbccdd,mss 1000", "raw 4d02,raw 4e03ff,mss 1000,nop",
	"mss 1000,raw fc03ff,nop,wscale 3,nop",
	/* OP2: lengths that make no sense end the list */
	"mss 1000,raw 4d00,wscale 3", "mss 1000,raw 4d01,wscale 3",
	"raw 0200,mss 1000", "raw 0201,mss 1000", "mss 1000,raw 0305,eol",
	"mss 1000,raw 4dff", "mss 1000,nop,nop,nop,raw 03", "raw 08",
	"mss 1000,nop,raw 030f01", "mss 1000,sackOK,raw 080a",
	"mss 1000,raw 080affffffff00", "raw 02040578,raw 020405",
	/* OP3: what stands behind EOL */
	"eol,mss 100", "mss 1000,eol,wscale 3", "nop,eol,sackOK,nop",
	/* OP4: NOPs everywhere */
	"nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop",
	"nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,raw 02",
	/* OP5: any alignment */
	"nop,mss 1000", "nop,nop,mss 1000", "nop,nop,nop,mss 1000",
	"wscale 3,mss 1000,nop", "nop,wscale 3", "nop,nop,wscale 3",
	"nop,nop,nop,wscale 3", "TS val 5 ecr 0", "nop,TS val 5 ecr 0",
	"nop,nop,TS val 5 ecr 0", "nop,nop,nop,TS val 5 ecr 0", "sackOK",
	"nop,sackOK", "nop,nop,sackOK", "nop,nop,nop,sackOK",
	/* OP6: known kinds with a wrong length */
	"raw 0203ff,wscale 3", "raw 0205010101,wscale 3",
	"raw 020601010101,wscale 3", "raw 0302,mss 1000",
	"raw 03040505,mss 1000", "raw 0808010101010101,mss 1000",
	"raw 080b010101010101010101,mss 1000", "raw 0403ff,mss 1000",
	/* OP7: the last one counts */
	"mss 1000,mss 500", "mss 500,mss 1000", "wscale 3,wscale 5,nop",
	"wscale 5,wscale 3,nop", "TS val 7 ecr 0,TS val 3000000000 ecr 0",
	"sackOK,sackOK", "mss 1000,mss 0", "mss 1000,raw 0203ff",
	/* OP10: extreme sizes */
	"mss 0", "mss 1", "mss 47", "mss 48", "mss 88", "mss 535", "mss 536",
	"mss 1220", "mss 1460", "mss 9000", "mss 65535",
	"mss 1,TS val 5 ecr 0", "mss 65535,TS val 5 ecr 0",
	/* OP11: extreme shifts */
	"nop,wscale 0", "nop,wscale 1", "nop,wscale 13", "nop,wscale 14",
	"nop,wscale 15", "nop,wscale 255",
	/* TS6, TS1 */
	"TS val 0 ecr 0", "TS val 4294967295 ecr 77",
	NULL
};

TEST_F_TIMEOUT(wire, OP1_to_OP11_hostile_options_as_native, 600)
{
	same_as_native(&self->peer, syn_list, hostile);
	expect_engine(&self->peer, ARRAY_SIZE(hostile) - 1);
}

static const char * const others[] = {
	/* OP15: obsolete and foreign options on a listener that has none */
	"mss 1000,raw 060601020304,nop,nop", "raw 070601020304,mss 1000",
	"raw 090203,mss 1000", "raw 0a0203,mss 1000",
	"raw 0b0601020304,mss 1000", "raw 0c0601020304,mss 1000",
	"raw 0d0601020304,mss 1000", "raw 0e03ff,mss 1000",
	"raw 0f0401ff,mss 1000", "raw 1204ffff,mss 1000",
	"raw 1c04ffff,mss 1000", "raw 4504ffff,mss 1000",
	"raw 1e0c0001,raw 0102030405060708,mss 1000",
	"raw 1e040181,mss 1000", "raw 1e0301,mss 1000",
	"raw fd04ffff,mss 1000", "raw fe04ffff,mss 1000",
	"raw fe06e2d4c3d9,mss 1000", "raw 2202,mss 1000",
	"raw 220a0102030405060708,mss 1000", "raw fe04f989,mss 1000",
	"raw fe0cf9890102030405060708,mss 1000",
	"raw 2203ff,mss 1000", "raw 2300,mss 1000",
	NULL
};

TEST_F_TIMEOUT(wire, OP15_FO1_AU4_AU7_foreign_options_are_not_echoed, 600)
{
	struct peer *peer = &self->peer;

	same_as_native(peer, syn_list, others);
	EXPECT_EQ(ARRAY_SIZE(others) - 1,
		  peer_counter(peer, THREEWAY_C_flows_opened) +
		  peer_counter(peer, THREEWAY_C_native_fast_open) +
		  peer_counter(peer, THREEWAY_C_native_smc));
	EXPECT_EQ(peer_counter(peer, THREEWAY_C_flows_opened),
		  peer_counter(peer, THREEWAY_C_flows_handed_over));
	EXPECT_LE(ARRAY_SIZE(others) - 1 - 6,
		  peer_counter(peer, THREEWAY_C_flows_opened));
}

/* OP12, OP13: what a SYN offers and what the namespace allows. */
static void option_matrix(struct peer *peer, const void *arg)
{
	const unsigned int *allowed = arg;
	char line[128];
	unsigned int i;

	sysctl_set("net/ipv4/tcp_sack", "%u", *allowed & 1);
	sysctl_set("net/ipv4/tcp_timestamps", "%u", *allowed >> 1 & 1);
	sysctl_set("net/ipv4/tcp_window_scaling", "%u", *allowed >> 2 & 1);
	peer_serve(peer, NULL);
	for (i = 0; i < 16; i++) {
		snprintf(line, sizeof(line), "S 0 <%s%s%s%snop>",
			 i & 1 ? "mss 1300," : "", i & 2 ? "sackOK," : "",
			 i & 4 ? "TS val 90 ecr 0," : "",
			 i & 8 ? "nop,wscale 9," : "");
		handshake(peer, line);
	}
}

TEST_F_TIMEOUT(wire, OP12_OP13_WI2_TS1_all_offers_and_sysctls_as_native, 600)
{
	unsigned int allowed;

	for (allowed = 0; allowed < 8; allowed++) {
		if (!same_as_native(&self->peer, option_matrix, &allowed))
			TH_LOG("sack %u timestamps %u window_scaling %u",
			       allowed & 1, allowed >> 1 & 1, allowed >> 2);
		expect_engine(&self->peer, 16);
	}
}

static const char switch_on[] =
	"segment_paws 1; sent_ack 1; segment_rst_exact 1; flows_reset 1";
static const char switch_off[] = "flows_handed_over 1";

/* The engine's own switches do what native's do: compared by hand. */
TEST_F_TIMEOUT(wire, OP12_switches_of_the_engine_and_the_claim, 120)
{
	static const struct {
		const char *name;
		u32 bit;
		const char *with, *without;
	} switches[] = {
		{ "sack", THREEWAY_P_SACK,
		  "mss *,sackOK,TS val * ecr 5,nop,wscale *",
		  "mss *,nop,nop,TS val * ecr 5,nop,wscale *" },
		{ "timestamps", THREEWAY_P_TIMESTAMPS,
		  "mss *,sackOK,TS val * ecr 5,nop,wscale *",
		  "mss *,nop,nop,sackOK,nop,wscale *" },
		{ "window_scaling", THREEWAY_P_WINDOW_SCALING,
		  "mss *,sackOK,TS val * ecr 5,nop,wscale *",
		  "mss *,sackOK,TS val * ecr 5" },
	};
	struct peer *peer = &self->peer;
	struct threeway_policy policy;
	unsigned int i;
	char path[64];
	bool checked;

	for (i = 0; i < 4 * ARRAY_SIZE(switches); i++) {
		const typeof(*switches) *s = &switches[i / 4];
		unsigned int on = i & 1, by_claim = i >> 1 & 1;

		/* The claim's own value wins over the sysctl's. */
		policy = (struct threeway_policy) {
			.set = by_claim ? s->bit : 0,
			.sack = by_claim && on && !strcmp(s->name, "sack"),
			.timestamps = by_claim && on &&
				      !strcmp(s->name, "timestamps"),
			.window_scaling = by_claim && on &&
					  !strcmp(s->name, "window_scaling"),
		};
		snprintf(path, sizeof(path), "net/threeway/%s", s->name);
		sysctl_set(path, "%u", by_claim ? !on : on);
		peer->header.dport++;
		peer_serve(peer, &policy);
		peer_flow(peer);
		peer_label(peer, "%s %u by %s", s->name, on,
			   by_claim ? "claim" : "sysctl");
		peer_send(peer, "S 0 <mss 1460,sackOK,TS val 5 ecr 0,nop,wscale 7>");
		expect(peer, "S. 0 ack 1 <%s>", on ? s->with : s->without);
		expect_counters(peer, "flows_opened 1; sent_synack 1");
		/* What was not agreed is not looked at in the ACK. */
		checked = on || strcmp(s->name, "timestamps");
		peer_send(peer, ". 1 ack 1 <nop,nop,TS val 1 ecr 9>");
		if (checked) {
			expect(peer, ". 1 ack 1");
			expect_no_accept(peer);
		} else {
			expect_silence(peer);
			close(expect_accept(peer));
		}
		peer_send(peer, "R 1");
		peer_flow(peer);
		sysctl_set(path, "1");
		expect_counters(peer, checked ? switch_on : switch_off);
	}
}

TEST_F_TIMEOUT(wire, EC_switch_of_the_engine_and_the_claim, 120)
{
	struct threeway_policy policy = { .set = THREEWAY_P_ECN };
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_send(peer, "SEW 0");
	expect(peer, "S.E 0 ack 1");
	sysctl_set("net/threeway/ecn", "0");
	peer_flow(peer);
	peer_send(peer, "SEW 0");
	expect(peer, "S. 0 ack 1");
	policy.ecn = 1;
	peer->header.dport++;
	peer_serve(peer, &policy);
	peer_flow(peer);
	peer_send(peer, "SEW 0");
	expect(peer, "S.E 0 ack 1");
	sysctl_set("net/threeway/ecn", "1");
	policy.ecn = 0;
	peer->header.dport++;
	peer_serve(peer, &policy);
	peer_flow(peer);
	peer_send(peer, "SEW 0");
	expect(peer, "S. 0 ack 1");
	EXPECT_EQ(4, peer_counter(peer, THREEWAY_C_flows_opened));
}

/* ECN bits of TCP and IP, AE and the reserved bits, by sysctl and route. */
static void ecn_matrix(struct peer *peer, const void *arg)
{
	static const char * const flags[] = { "S", "SE", "SW", "SEW" };
	const char *setting = arg;
	unsigned int i;
	char line[64];

	if (isalpha(*setting))
		peer_route(peer, setting);
	else
		sysctl_set("net/ipv4/tcp_ecn", "%s", setting);
	peer_serve(peer, NULL);
	for (i = 0; i < 32; i++) {
		snprintf(line, sizeof(line), "%s 0 tos %u res %u <mss 1000>",
			 flags[i & 3], i >> 2 & 3, i >> 4 & 1);
		handshake(peer, line);
	}
}

TEST_F_TIMEOUT(wire, EC1_EC2_EC3_EC4_EC9_ECN_as_native, 600)
{
	static const char * const settings[] = {
		"0", "1", "2", "features ecn",
		/* which wants ECN whatever the IP header says */
		"congctl dctcp",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		if (!same_as_native(&self->peer, ecn_matrix, settings[i]))
			TH_LOG("tcp_ecn %s", settings[i]);
		expect_engine(&self->peer, 32);
	}
}

TEST_F(wire, EC1_EC7_ECN_stays_as_the_first_SYN_had_it)
{
	struct peer *peer = &self->peer;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_send(peer, "SEW 0");
	expect(peer, "S.E 0 ack 1 tos 0");
	peer_send(peer, "S 0");
	expect(peer, "S.E 0 ack 1 tos 0");
	peer_flow(peer);
	peer_send(peer, "S 0");
	expect(peer, "S. 0 ack 1 tos 0");
	peer_send(peer, "SEW 0");
	expect(peer, "S. 0 ack 1 tos 0");
	expect_counters(peer, "flows_opened 2; sent_synack 2; "
			      "segment_duplicate_syn 2; "
			      "sent_synack_duplicate 2");
}

/* One thing that decides about MSS, window or shift; then four SYNs. */
struct setting {
	const char *what;
	const char *value;
	int number;
};

static void set_option(struct peer *peer, int level, int option, int value)
{
	check(peer, !setsockopt(peer->listener, level, option, &value,
				sizeof(value)), "setsockopt %d", option);
}

static void apply(struct peer *peer, const struct setting *setting)
{
	bool v4 = peer->family == AF_INET;

	if (!strcmp(setting->what, "mtu"))
		run("ip link set tun0 mtu %d", setting->number);
	else if (!strcmp(setting->what, "route"))
		peer_route(peer, setting->value);
	else if (!strcmp(setting->what, "SO_RCVBUF"))
		set_option(peer, SOL_SOCKET, SO_RCVBUF, setting->number);
	else if (!strcmp(setting->what, "TCP_MAXSEG"))
		set_option(peer, IPPROTO_TCP, TCP_MAXSEG, setting->number);
	else if (!strcmp(setting->what, "TCP_WINDOW_CLAMP"))
		set_option(peer, IPPROTO_TCP, TCP_WINDOW_CLAMP,
			   setting->number);
	else if (!strcmp(setting->what, "TTL"))
		set_option(peer, v4 ? IPPROTO_IP : IPPROTO_IPV6,
			   v4 ? IP_TTL : IPV6_UNICAST_HOPS, setting->number);
	else if (!strcmp(setting->what, "TOS"))
		set_option(peer, v4 ? IPPROTO_IP : IPPROTO_IPV6,
			   v4 ? IP_TOS : IPV6_TCLASS, setting->number);
	else if (!strcmp(setting->what, "PMTUDISC"))
		set_option(peer, v4 ? IPPROTO_IP : IPPROTO_IPV6,
			   v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER,
			   setting->number);
	else if (!strcmp(setting->what, "CONGESTION"))
		check(peer, !setsockopt(peer->listener, IPPROTO_TCP,
					TCP_CONGESTION, setting->value,
					strlen(setting->value)), "CONGESTION");
	else
		sysctl_set(setting->what, "%s", setting->value);
}

static void with_setting(struct peer *peer, const void *arg)
{
	peer_serve(peer, NULL);
	apply(peer, arg);
	handshake(peer, "S 0 <mss 1460,sackOK,TS val 9 ecr 0,nop,wscale 7>");
	handshake(peer, "S 0 <mss 1460,nop,wscale 7>");
	handshake(peer, "S 0 win 1 <mss 9000>");
	handshake(peer, "S 0 <sackOK,TS val 9 ecr 0>");
}

/* What was agreed on stays, whatever changes before the final ACK. */
static void late_setting(struct peer *peer, const void *arg)
{
	int fd;

	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_send(peer, "SEW 0 <%s>", SYN_OPTIONS);
	expect(peer, "S.E 0 ack 1");
	apply(peer, arg);
	/* both runs are ready then, and no copy is due */
	peer_watch(peer, peer_patience() == 1 ? 40 : 700);
	peer_send(peer, ". 1 ack 1 win 500 <nop,nop,TS val 1040 ecr ^>");
	fd = expect_accept(peer);
	peer_note_info(peer, fd);
	note_segments(peer, fd);
	peer_send(peer, "R 1");
	close(fd);
}

/* A route that changes: the copies announce its MSS, as the flow does after it. */
static void moved(struct peer *peer, const void *arg)
{
	const struct setting *settings = arg;
	unsigned int at_ms = 600, timer_ms = 1000;
	int fd;

	sysctl_set("net/threeway/invalid_ratelimit_ms", "0");
	sysctl_set("net/ipv4/tcp_invalid_ratelimit", "0");
	peer_serve(peer, NULL);
	peer_flow(peer);
	peer_send(peer, "S 0 <%s>", SYN_OPTIONS);
	expect(peer, "S. 0 ack 1");
	for (; settings->what; settings++) {
		peer_label(peer, "%s %s", settings->what, settings->value);
		apply(peer, settings);
		/* at the same time in both runs, however long that took */
		peer_watch(peer, at_ms);
		peer_send(peer, "S 0 <%s>", SYN_OPTIONS);
		expect(peer, "S. 0 ack 1");
		peer_note(peer, "MSS %u", peer->latest.options[2] * 256 +
			  peer->latest.options[3]);
		/* one by the timer, which has begun anew */
		peer_watch(peer, at_ms + timer_ms + 500);
		at_ms += timer_ms + 1100;
		timer_ms *= 2;
	}
	/* the round trip is of this one: timers are late by some of their time */
	peer_send(peer, "S 0 <%s>", SYN_OPTIONS);
	expect(peer, "S. 0 ack 1");
	peer_send(peer, ". 1 ack 1 win 500 <nop,nop,TS val 1040 ecr ^>");
	fd = expect_accept(peer);
	peer_note_info(peer, fd);
	note_segments(peer, fd);
	peer_send(peer, "R 1");
	close(fd);
}

/* Runs a script of so many handshakes with each setting; NULL ends them. */
static void run_settings(struct peer *peer, struct __test_metadata *_metadata,
			 void (*script)(struct peer *peer, const void *arg),
			 u64 handshakes, const struct setting *setting)
{
	for (; setting->what; setting++) {
		same_as_native(peer, script, setting);
		expect_engine(peer, handshakes);
		if (peer->failures) {
			TH_LOG("%s %s %d", setting->what,
			       setting->value ? setting->value : "",
			       setting->number);
			return;
		}
	}
}

TEST_F_TIMEOUT(wire, PM1_PM4_PM7_MSS_by_MTU_route_and_TCP_MAXSEG_as_native, 600)
{
	static const struct setting settings[] = {
		{ "mtu", NULL, 1280 }, { "mtu", NULL, 1281 },
		{ "mtu", NULL, 1492 }, { "mtu", NULL, 1500 },
		{ "mtu", NULL, 9000 }, { "mtu", NULL, 65535 },
		{ "route", "mtu 1300", 0 }, { "route", "mtu lock 1300", 0 },
		{ "route", "advmss 600", 0 }, { "route", "advmss 9000", 0 },
		{ "route", "mtu 1400 advmss 1000", 0 },
		{ "TCP_MAXSEG", NULL, 88 }, { "TCP_MAXSEG", NULL, 536 },
		{ "TCP_MAXSEG", NULL, 1000 }, { "TCP_MAXSEG", NULL, 32767 },
		{ "net/ipv4/tcp_min_snd_mss", "500", 0 },
		{ "PMTUDISC", NULL, IP_PMTUDISC_DONT },
		{ "PMTUDISC", NULL, IP_PMTUDISC_DO },
		{ "PMTUDISC", NULL, IP_PMTUDISC_PROBE },
		{ "net/ipv4/ip_no_pmtu_disc", "1", 0 },
		{ NULL, NULL, 0 },
	};
	static const struct setting small[] = {
		{ "mtu", NULL, 576 }, { NULL, NULL, 0 },
	};

	run_settings(&self->peer, _metadata, with_setting, 4, settings);
	run_settings(&self->peer, _metadata, late_setting, 1, settings);
	/* IPv6 needs 1280. */
	if (variant->family == AF_INET)
		run_settings(&self->peer, _metadata, with_setting, 4, small);
}

TEST_F_TIMEOUT(wire, PM1_RT14_MSS_of_copies_by_a_new_route_as_native, 120)
{
	static const struct setting settings[] = {
		{ "route", "advmss 1000", 0 }, { "route", "mtu 1300", 0 },
		{ "route", "advmss 1200", 0 }, { NULL, NULL, 0 },
	};

	same_as_native(&self->peer, moved, settings);
	expect_engine(&self->peer, 1);
}

TEST_F_TIMEOUT(wire, WI3_WI4_window_and_shift_as_native, 600)
{
	static const struct setting settings[] = {
		{ "SO_RCVBUF", NULL, 1 }, { "SO_RCVBUF", NULL, 4096 },
		{ "SO_RCVBUF", NULL, 20000 }, { "SO_RCVBUF", NULL, 65535 },
		{ "SO_RCVBUF", NULL, 200000 },
		{ "net/ipv4/tcp_rmem", "4096 8192 16384", 0 },
		{ "net/ipv4/tcp_rmem", "4096 131072 6291456", 0 },
		{ "net/ipv4/tcp_rmem", "4096 131072 100000000", 0 },
		{ "net/ipv4/tcp_rmem", "4096 131072 2147483647", 0 },
		{ "net/ipv4/tcp_adv_win_scale", "-2", 0 },
		{ "net/ipv4/tcp_adv_win_scale", "3", 0 },
		{ "net/ipv4/tcp_workaround_signed_windows", "1", 0 },
		{ "route", "initrwnd 5", 0 }, { "route", "initrwnd 100", 0 },
		{ "route", "window 2000", 0 }, { "route", "window 30000", 0 },
		{ "route", "window 100000", 0 },
		{ "route", "initcwnd 3 ssthresh 10", 0 },
		{ "TCP_WINDOW_CLAMP", NULL, 1 },
		{ "TCP_WINDOW_CLAMP", NULL, 5000 },
		{ "TCP_WINDOW_CLAMP", NULL, 100000 },
		{ NULL, NULL, 0 },
	};

	run_settings(&self->peer, _metadata, with_setting, 4, settings);
	run_settings(&self->peer, _metadata, late_setting, 1, settings);
}

TEST_F_TIMEOUT(wire, IP6_IP16_V65_headers_by_option_and_sysctl_as_native, 600)
{
	static const struct setting settings[] = {
		{ "TTL", NULL, 1 }, { "TTL", NULL, 255 },
		{ "net/ipv4/ip_default_ttl", "50", 0 },
		{ "net/ipv6/conf/tun0/hop_limit", "51", 0 },
		{ "route", "hoplimit 33", 0 },
		{ "TOS", NULL, 0x10 }, { "TOS", NULL, 0xff },
		{ "net/ipv6/auto_flowlabels", "0", 0 },
		{ "net/ipv6/auto_flowlabels", "1", 0 },
		{ "net/ipv6/auto_flowlabels", "2", 0 },
		{ "net/ipv6/auto_flowlabels", "3", 0 },
		{ "net/core/txrehash", "0", 0 },
		{ "CONGESTION", "reno", 0 }, { "CONGESTION", "cubic", 0 },
		{ NULL, NULL, 0 },
	};

	run_settings(&self->peer, _metadata, with_setting, 4, settings);
	run_settings(&self->peer, _metadata, late_setting, 1, settings);
}

TEST_F_TIMEOUT(wire, OP12_HO5_HO6_HO7_HO9_late_switches_as_native, 600)
{
	static const struct setting settings[] = {
		{ "net/ipv4/tcp_sack", "0", 0 },
		{ "net/ipv4/tcp_timestamps", "0", 0 },
		{ "net/ipv4/tcp_timestamps", "2", 0 },
		{ "net/ipv4/tcp_window_scaling", "0", 0 },
		{ "net/ipv4/tcp_ecn", "0", 0 },
		{ "net/ipv4/tcp_dsack", "0", 0 },
		{ "net/ipv4/tcp_syncookies", "0", 0 },
		{ "net/ipv4/tcp_syncookies", "2", 0 },
		{ "net/ipv4/tcp_max_syn_backlog", "1", 0 },
		{ "net/ipv4/tcp_reflect_tos", "1", 0 },
		{ "net/core/somaxconn", "1", 0 },
		{ NULL, NULL, 0 },
	};

	run_settings(&self->peer, _metadata, late_setting, 1, settings);
}

/* A SYN-ACK, which was sent at some moment of those that were measured. */
struct stamp {
	u32 tsval;
	u64 after_ms, before_ms;
};

static struct stamp stamped_syn(struct peer *peer)
{
	struct stamp stamp = { .after_ms = now_ms() };

	peer_syn(peer, SYN_OPTIONS);
	stamp.before_ms = peer->at_ms;
	stamp.tsval = peer->tsval;
	peer_send(peer, "R 1");
	return stamp;
}

/* One clock has given both, and it counts milliseconds as now_ms() does. */
static void expect_one_clock(struct peer *peer, const struct stamp *first,
			     const struct stamp *second)
{
	int passed_ms = second->tsval - first->tsval;
	int least_ms = second->after_ms - first->before_ms;
	int most_ms = second->before_ms - first->after_ms;

	check(peer, passed_ms >= least_ms && passed_ms <= most_ms,
	      "%d ms of TSval in %d to %d ms", passed_ms, least_ms, most_ms);
}

TEST_F(wire, TS3_timestamp_offset_by_tuple)
{
	struct peer *peer = &self->peer;
	struct stamp stamp[64], again;
	unsigned int i, k, near = 0, half = 0;

	peer_serve(peer, NULL);
	for (i = 0; i < ARRAY_SIZE(stamp); i++) {
		peer_flow(peer);
		stamp[i] = stamped_syn(peer);
		half += stamp[i].tsval >> 31;
		for (k = 0; k < i; k++)
			near += stamp[i].tsval - stamp[k].tsval + 0x10000 <
				0x20000;
	}
	/* Offsets of tuples have nothing to do with each other. */
	EXPECT_GT(4, near);
	EXPECT_LT(8, half);
	EXPECT_GT(56, half);
	/* The same tuple again: the same offset. */
	peer->iss_known = false;
	sleep_ms(777);
	again = stamped_syn(peer);
	expect_one_clock(peer, &stamp[i - 1], &again);
	/* Without offset all tuples have one clock. */
	sysctl_set("net/ipv4/tcp_timestamps", "2");
	for (i = 0; i < 10; i++) {
		peer_flow(peer);
		stamp[i] = stamped_syn(peer);
		expect_one_clock(peer, &stamp[0], &stamp[i]);
	}
}

TEST_HARNESS_MAIN
