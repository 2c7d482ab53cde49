// SPDX-License-Identifier: GPL-2.0
/*
 * The IP header, and what stands between it and TCP, of all that a handshake and
 * the connection after it send: sticky options of IPv6, options of IPv4, source
 * routes, TTL, type of service, flow labels (rules HO13, IP4, IP6, V65).
 *
 * A flow label is a random number: the transcript has which ones are alike.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/in6.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#define LABEL		0x12345	/* of the peer */
#define OWN_LABEL	0x54321
#define LABELS_MAX	16

/* Labels of the flow so far. */
static u32 labels[LABELS_MAX];
static unsigned int label_count;

static void begin(struct peer *peer)
{
	label_count = 0;
	peer_flow(peer);
}

static const char *label_name(u32 label)
{
	static char name[16];
	unsigned int i;

	if (!label)
		return "none";
	if (label == LABEL)
		return "the peer's";
	if (label == OWN_LABEL)
		return "the socket's";
	for (i = 0; i < label_count && labels[i] != label; i++)
		;
	if (i == label_count && i < LABELS_MAX)
		labels[label_count++] = label;
	snprintf(name, sizeof(name), "number %u", i);
	return name;
}

/* What lies between the IP header and TCP, and who it is from and for. */
static void note_header(struct peer *peer, bool sent, const u8 *raw, size_t len)
{
	bool v4 = peer->family == AF_INET;
	size_t at = v4 ? 20 : 40, to, n = 0;
	char text[3 * EXTENSION_MAX] = "", src[INET6_ADDRSTRLEN],
	     dst[INET6_ADDRSTRLEN];
	struct packet packet;
	const char *reason;

	if (sent || !packet_parse(&packet, raw, len, &reason) || packet.icmp ||
	    packet.dport != peer->header.sport)
		return;
	to = len - packet.data_len - packet.options_len - 20;
	for (; at < to && n < sizeof(text) - 2; at++)
		n += sprintf(text + n, "%02x", raw[at]);
	inet_ntop(peer->family, &packet.src, src, sizeof(src));
	inet_ntop(peer->family, &packet.dst, dst, sizeof(dst));
	peer_note(peer, "%s > %s, label %s, headers %s", src, dst,
		  label_name(packet.flow_label), text);
}

/* An option of a socket. */
struct setting {
	const char *what;
	int level;
	int option;
	size_t len;
	union {
		int number;
		u8 octets[64];
	};
};

#define NUMBER(name, value) \
	{ .what = #name, .level = IPPROTO_IPV6, .option = name, \
	  .len = sizeof(int), .number = value }
#define NUMBER4(name, value) \
	{ .what = #name, .level = IPPROTO_IP, .option = name, \
	  .len = sizeof(int), .number = value }
#define OCTETS(name, option_, size, ...) \
	{ .what = name, .level = IPPROTO_IPV6, .option = option_, \
	  .len = size, .octets = { __VA_ARGS__ } }
#define OCTETS4(name, size, ...) \
	{ .what = name, .level = IPPROTO_IP, .option = IP_OPTIONS, \
	  .len = size, .octets = { __VA_ARGS__ } }

/* 0x1e is an unknown option that may be skipped. */
#define SKIPPED	0, 0, 0x1e, 4, 1, 2, 3, 4

/* A segment routing header by 2001:db8::9; the first address is filled in. */
#define ROUTE \
	0, 4, 4, 1, 1, 0, 0, 0, \
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
	0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9

static const struct setting options6[] = {
	OCTETS("hop by hop", IPV6_HOPOPTS, 8, SKIPPED),
	OCTETS("destination options", IPV6_DSTOPTS, 8, SKIPPED),
	OCTETS("routing header", IPV6_RTHDR, 40, ROUTE),
	NUMBER(IPV6_TCLASS, 0x20),
	NUMBER(IPV6_UNICAST_HOPS, 44),
	NUMBER(IPV6_FLOWINFO_SEND, 1),
	NUMBER(IPV6_AUTOFLOWLABEL, 0),
	NUMBER(IPV6_AUTOFLOWLABEL, 1),
};

static const struct setting options4[] = {
	OCTETS4("NOPs", 4, 1, 1, 1, 1),
	OCTETS4("record route", 8, 7, 7, 4),
	OCTETS4("source route", 8, 131, 7, 4, 192, 0, 2, 9),
	NUMBER4(IP_TTL, 33),
	NUMBER4(IP_TOS, 0x10),
};

static size_t options_of(const struct peer *peer, const struct setting **list)
{
	bool v4 = peer->family == AF_INET;

	*list = v4 ? options4 : options6;
	return v4 ? ARRAY_SIZE(options4) : ARRAY_SIZE(options6);
}

static void apply(struct peer *peer, int fd, const struct setting *setting)
{
	check(peer, !setsockopt(fd, setting->level, setting->option,
				setting->octets, setting->len), "%s: %s",
	      setting->what, strerror(errno));
}

static void watch_for(struct peer *peer, unsigned int ms)
{
	peer_watch(peer, now_ms() - peer->start_ms + ms);
}

static void send_each(struct peer *peer, const char * const *segments)
{
	for (; *segments; segments++) {
		peer_send(peer, "%s", *segments);
		watch_for(peer, 20);
	}
}

/* What the kernel says came with the last segment, in ancillary data. */
static void note_received(struct peer *peer, int fd)
{
	u8 data[256] = { 0 };
	socklen_t len = sizeof(data);
	int one = 1, err;
	u32 hash = 0, i;

	if (peer->family == AF_INET)
		return;
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_FLOWINFO, &one, sizeof(one));
	err = getsockopt(fd, IPPROTO_IPV6, IPV6_2292PKTOPTIONS, data, &len);
	for (i = 0; i < len && i < sizeof(data); i++)
		hash = hash * 31 + data[i];
	peer_note(peer, "packet options %d, %u octets, %#x", err, len, hash);
}

/*
 * SYN-ACK, a copy for a SYN and one by the timer, an ACK, and then the socket's.
 * (The RST for a wrong ACK natively has no socket's label.)
 */
static void serve(struct peer *peer)
{
	static const char * const half_open[] = {
		"S 0 <" SYN_OPTIONS "> tos 8", "S 0 <" SYN_OPTIONS "> tos 8",
		NULL
	};
	static const char * const more[] = {
		". 3000000 ack 1 <nop,nop,TS val 2000 ecr ^> tos 16",
		". 1 ack 1 <nop,nop,TS val 2001 ecr ^> tos 16", NULL
	};
	static const char * const data[] = {
		"P. 1(5) ack 6 <nop,nop,TS val 2002 ecr ^> tos 24",
		"F. 6 ack 6 <nop,nop,TS val 2003 ecr ^>", NULL
	};
	int fd;

	send_each(peer, half_open);
	watch_for(peer, 1300);
	send_each(peer, more);
	fd = expect_accept(peer);
	note_received(peer, fd);
	peer_note_info(peer, fd);
	check(peer, send(fd, "hello", 5, 0) == 5, "send()");
	watch_for(peer, 20);
	send_each(peer, data);
	close(fd);
	watch_for(peer, 20);
	peer_send(peer, "R 7");
}

#define SERVED \
	"flows_opened 1; sent_synack 1; segment_duplicate_syn 1; " \
	"sent_synack_duplicate 1; sent_synack_timer 1; " \
	"segment_out_of_window 1; sent_ack 1; flows_handed_over 1"

static void listener_has(struct peer *peer, const void *arg)
{
	const struct setting *setting = arg;

	sysctl_set("net/ipv4/conf/all/accept_source_route", "1");
	peer->watch = note_header;
	peer->header.flow_label = LABEL;
	peer_serve(peer, NULL);
	apply(peer, peer->listener, setting);
	begin(peer);
	peer_label(peer, "%s", setting->what);
	serve(peer);
	peer->watch = NULL;
}

TEST_F_TIMEOUT(wire, HO13_IP6_options_of_a_listener_as_native, 120)
{
	struct peer *peer = &self->peer;
	const struct setting *list;
	size_t i, n = options_of(peer, &list);

	for (i = 0; i < n; i++) {
		same_as_native(peer, listener_has, &list[i]);
		expect_counters(peer, SERVED);
	}
}

/* The options change between the SYN-ACK and its copies, or after them. */
static void listener_changes(struct peer *peer, const void *arg)
{
	static const struct setting later6 =
		OCTETS("destination options", IPV6_DSTOPTS, 16,
		       0, 1, 0x1e, 12, 1, 2, 3, 4);
	static const struct setting later4 = NUMBER4(IP_TTL, 34);
	const struct setting *later = peer->family == AF_INET ? &later4 :
								&later6;

	peer->watch = note_header;
	peer_serve(peer, NULL);
	apply(peer, peer->listener, arg);
	begin(peer);
	peer_send(peer, "S 0 <" SYN_OPTIONS ">");
	watch_for(peer, 20);
	apply(peer, peer->listener, later);
	serve(peer);
	peer->watch = NULL;
}

TEST_F_TIMEOUT(wire, HO13_IP6_late_options_of_a_listener_as_native, 120)
{
	struct peer *peer = &self->peer;
	const struct setting *list;
	size_t i, n = options_of(peer, &list);

	for (i = 0; i < n; i++) {
		same_as_native(peer, listener_changes, &list[i]);
		EXPECT_EQ(1, peer_counter(peer, THREEWAY_C_flows_handed_over));
	}
}

/* What came with the SYN decides: such a SYN is the native stack's. */
static void came_with(struct peer *peer, const void *arg)
{
	static const u8 used_route[] = { 131, 7, 8, 192, 0, 2, 9, 0 };
	static const u8 both[] = { 7, 7, 4, 0, 0, 0, 0, 131, 7, 8, 192, 0, 2, 9,
				   0, 0 };
	const bool *first = arg;

	sysctl_set("net/ipv4/conf/all/accept_source_route", "1");
	sysctl_set("net/ipv4/conf/tun0/accept_source_route", "1");
	peer->watch = note_header;
	peer_serve(peer, NULL);
	begin(peer);
	memcpy(peer->header.extension, *first ? used_route : both,
	       *first ? sizeof(used_route) : sizeof(both));
	peer->header.extension_len = *first ? sizeof(used_route) : sizeof(both);
	serve(peer);
	peer->header.extension_len = 0;
	peer->watch = NULL;
}

TEST_F(wire, HO13_IP4_source_route_of_a_SYN_as_native)
{
	static const bool which[] = { true, false };
	unsigned int i;

	if (variant->family == AF_INET6)
		return;
	for (i = 0; i < 2; i++) {
		same_as_native(&self->peer, came_with, &which[i]);
		EXPECT_EQ(0, peer_counter(&self->peer, THREEWAY_C_flows_opened));
		EXPECT_LE(1, peer_counter(&self->peer,
					  THREEWAY_C_native_ip_options));
	}
}

/* A source route of the ACK alone is of no account: the request has the SYN's. */
static void ACK_came_with(struct peer *peer, const void *arg)
{
	static const u8 used_route[] = { 131, 7, 8, 192, 0, 2, 9, 0 };
	int fd;

	(void)arg;
	sysctl_set("net/ipv4/conf/all/accept_source_route", "1");
	sysctl_set("net/ipv4/conf/tun0/accept_source_route", "1");
	peer->watch = note_header;
	peer_serve(peer, NULL);
	begin(peer);
	peer_syn(peer, "mss 1000");
	memcpy(peer->header.extension, used_route, sizeof(used_route));
	peer->header.extension_len = sizeof(used_route);
	peer_send(peer, "P. 1(5) ack 1");
	peer->header.extension_len = 0;
	watch_for(peer, 20);
	fd = expect_accept(peer);
	check(peer, send(fd, "hello", 5, 0) == 5, "send()");
	watch_for(peer, 20);
	peer_send(peer, "R 6");
	close(fd);
	peer->watch = NULL;
}

TEST_F(wire, HO13_IP4_source_route_of_the_ACK_as_native)
{
	if (variant->family == AF_INET6)
		return;
	same_as_native(&self->peer, ACK_came_with, NULL);
	expect_counters(&self->peer, "flows_opened 1; sent_synack 1; "
			"flows_handed_over 1");
}

/**
 * struct labelling - what decides about flow labels
 * @automatic:	net.ipv6.auto_flowlabels
 * @reflect:	net.ipv6.flowlabel_reflect
 * @socket:	IPV6_AUTOFLOWLABEL, -1 for none
 */
struct labelling {
	int automatic;
	int reflect;
	int socket;
};

static void set_labelling(const struct labelling *labelling)
{
	sysctl_set("net/ipv6/auto_flowlabels", "%d", labelling->automatic);
	sysctl_set("net/ipv6/flowlabel_reflect", "%d", labelling->reflect);
}

static void set_autoflowlabel(struct peer *peer, int fd,
			      const struct labelling *labelling)
{
	const struct setting setting = NUMBER(IPV6_AUTOFLOWLABEL,
					      labelling->socket);

	if (labelling->socket >= 0)
		apply(peer, fd, &setting);
	peer_label(peer, "auto %d reflect %d socket %d", labelling->automatic,
		   labelling->reflect, labelling->socket);
}

/*
 * A RST has some label or none; the one of the handshake if it is the engine's. (For
 * a half-open connection the native stack has the listener's, whatever that is.)
 */
static void note_rst(struct peer *peer, const char *segment, bool engine)
{
	u32 before = peer->latest.flow_label;

	peer->latest.flags = 0;
	peer->watch = NULL;
	peer_send(peer, "%s", segment);
	watch_for(peer, 20);
	check(peer, !engine || peer->engine < 0 || !before ||
	      !peer->latest.flow_label || peer->latest.flow_label == before,
	      "another label");
	check(peer, peer->latest.flags & FLAG_RST, "no RST");
	peer_note(peer, "RST with %s", !peer->latest.flow_label ? "no label" :
		  peer->latest.flow_label == LABEL ? "the peer's" : "a label");
	peer->watch = note_header;
}

static void passive_labels(struct peer *peer, const void *arg)
{
	const struct labelling *labelling = arg;

	peer->header.flow_label = LABEL;
	set_labelling(arg);
	peer_serve(peer, NULL);
	begin(peer);
	set_autoflowlabel(peer, peer->listener, arg);
	peer->watch = note_header;
	serve(peer);
	begin(peer);
	peer_syn(peer, "mss 1000");
	note_rst(peer, ". 1 ack 7", !(labelling->reflect & 1));
	note_rst(peer, "S 5", !(labelling->reflect & 1));
	/* nobody listens there, and nobody ever knew of it */
	begin(peer);
	peer->header.dport++;
	peer->watch = NULL;
	note_rst(peer, "S 0", false);
	note_rst(peer, ". 1 ack 7", false);
	peer->watch = NULL;
}

/* SYN, copy, RST, ACK, data; then another one whose SYN crosses. */
static void active_labels(struct peer *peer, const void *arg)
{
	int fd;

	peer->header.flow_label = LABEL;
	set_labelling(arg);
	client_claim(peer, NULL);
	begin(peer);
	fd = client_socket(peer);
	set_autoflowlabel(peer, fd, arg);
	peer->watch = note_header;
	peer->start_ms = now_ms();
	client_connect(peer, fd);
	watch_for(peer, 1300);
	peer_send(peer, ". 0 ack 7");
	watch_for(peer, 20);
	peer_send(peer, "S. 0 ack 1 <mss 1000>");
	watch_for(peer, 20);
	expect_connected(peer, fd);
	check(peer, send(fd, "hello", 5, 0) == 5, "send()");
	watch_for(peer, 20);
	peer_send(peer, "R 1");
	close(fd);

	begin(peer);
	fd = client_socket(peer);
	set_autoflowlabel(peer, fd, arg);
	peer->start_ms = now_ms();
	client_connect(peer, fd);
	watch_for(peer, 100);
	peer_send(peer, "S 0 <" SYN_OPTIONS ">");
	watch_for(peer, 1300);
	peer_send(peer, "S 9 <nop,nop,TS val 2000 ecr ^>");
	watch_for(peer, 20);
	peer_send(peer, "R 1");
	close(fd);
	peer->watch = NULL;
}

static void each_labelling(struct peer *peer, bool passive)
{
	struct labelling labelling;
	int *reflect = &labelling.reflect;

	for (labelling.automatic = 0; labelling.automatic < 4;
	     labelling.automatic++) {
		for (labelling.socket = -1; labelling.socket < 2;
		     labelling.socket++) {
			for (*reflect = 0; *reflect < 4; ++*reflect) {
				same_as_native(peer, passive ? passive_labels :
							       active_labels,
					       &labelling);
				/* such a listener is the native stack's */
				check(peer, peer_counter(peer, THREEWAY_C_flows_opened) ==
					    (passive && *reflect & 1 ? 0 : 2),
				      "flows");
			}
		}
	}
}

TEST_F_TIMEOUT(wire, V65_flow_labels_of_all_that_a_server_sends_as_native, 600)
{
	if (variant->family == AF_INET6)
		each_labelling(&self->peer, true);
}

TEST_F_TIMEOUT(wire, V65_flow_labels_of_all_that_a_client_sends_as_native, 600)
{
	if (variant->family == AF_INET6)
		each_labelling(&self->peer, false);
}

/* What answers in the name of a socket that connects is as that one sends. */
static int own_label(struct peer *peer)
{
	struct in6_flowlabel_req request = {
		.flr_label = htonl(OWN_LABEL),
		.flr_action = IPV6_FL_A_GET,
		.flr_share = IPV6_FL_S_ANY,
		.flr_flags = IPV6_FL_F_CREATE,
	};
	struct sockaddr_in6 remote = {
		.sin6_family = AF_INET6,
		.sin6_flowinfo = htonl(OWN_LABEL),
	};
	int fd = client_socket(peer), one = 1;

	memcpy(&remote.sin6_addr, &peer->header.src, 16);
	memcpy(&request.flr_dst, &peer->header.src, 16);
	remote.sin6_port = htons(peer->header.sport);
	check(peer, !setsockopt(fd, IPPROTO_IPV6, IPV6_FLOWLABEL_MGR, &request,
				sizeof(request)), "label: %s", strerror(errno));
	setsockopt(fd, IPPROTO_IPV6, IPV6_FLOWINFO_SEND, &one, sizeof(one));
	peer->opens = true;
	peer->start_ms = now_ms();
	check(peer, connect(fd, (struct sockaddr *)&remote, sizeof(remote)) &&
	      errno == EINPROGRESS, "connect(): %s", strerror(errno));
	return fd;
}

/**
 * struct opening - how a socket connects
 * @setting:	with what, NULL: with a flow label of its own
 * @late:	only once its SYN has gone
 */
struct opening {
	const struct setting *setting;
	bool late;
};

static int connect_with(struct peer *peer, const struct opening *opening)
{
	const struct setting *setting = opening->setting;
	int fd;

	sysctl_set("net/ipv6/flowlabel_state_ranges", "0");
	client_claim(peer, NULL);
	begin(peer);
	peer->watch = note_header;
	if (!setting) {
		fd = own_label(peer);
	} else {
		fd = client_socket(peer);
		if (!opening->late)
			apply(peer, fd, setting);
		peer->start_ms = now_ms();
		client_connect(peer, fd);
	}
	peer_label(peer, "%s%s", opening->late ? "late " : "",
		   setting ? setting->what : "own label");
	watch_for(peer, 100);
	if (opening->late)
		apply(peer, fd, setting);
	return fd;
}

static void opens(struct peer *peer, const void *arg)
{
	int fd = connect_with(peer, arg);

	watch_for(peer, 1200);
	peer_send(peer, "S. 0 ack 1 <mss 1000> tos 8");
	watch_for(peer, 20);
	expect_connected(peer, fd);
	note_received(peer, fd);
	check(peer, send(fd, "hello", 5, 0) == 5, "send()");
	watch_for(peer, 20);
	peer_send(peer, "P. 1(5) ack 6 tos 24");
	watch_for(peer, 60);
	peer_send(peer, "R 6");
	close(fd);
	peer->watch = NULL;
}

/* SYN-ACK, copy, the answers to a SYN and to an old segment, the socket's ACK. */
static void crosses(struct peer *peer, const void *arg)
{
	struct transcript *transcript = peer->transcript;
	int fd = connect_with(peer, arg);

	sysctl_set("net/ipv4/tcp_invalid_ratelimit", "0");
	if (peer->engine >= 0)
		sysctl_set("net/threeway/invalid_ratelimit_ms", "0");
	peer_send(peer, "S 0 <" SYN_OPTIONS "> tos 8");
	watch_for(peer, 1300);
	peer_send(peer, "S 9 <nop,nop,TS val 2000 ecr ^> tos 16");
	watch_for(peer, 20);
	peer_send(peer, ". 3000000 ack 1 <nop,nop,TS val 2001 ecr ^> tos 24");
	watch_for(peer, 20);
	/* the engine's socket sees a SYN-ACK, and acknowledges it */
	peer->transcript = NULL;
	peer_send(peer, ". 1 ack 1 <nop,nop,TS val 2002 ecr ^> tos 32");
	watch_for(peer, 20);
	peer->transcript = transcript;
	expect_connected(peer, fd);
	check(peer, send(fd, "hello", 5, 0) == 5, "send()");
	watch_for(peer, 20);
	peer_send(peer, "R 1");
	close(fd);
	peer->watch = NULL;
}

/* With extension headers, or a source route, it is the native stack's. */
static bool is_native(const struct peer *peer, const struct setting *setting)
{
	if (peer->family == AF_INET)
		return setting->option == IP_OPTIONS &&
		       setting->octets[0] == 131;
	return setting->len != sizeof(int);
}

static void each_option(struct peer *peer,
			void (*script)(struct peer *peer, const void *arg),
			enum threeway_counter counter)
{
	struct opening opening = { .setting = NULL };
	const struct setting *list;
	size_t i, n = options_of(peer, &list);

	if (peer->family == AF_INET6) {
		same_as_native(peer, script, &opening);
		check(peer, peer_counter(peer, counter) == 1, "native");
	}
	for (i = 0; i < 2 * n; i++) {
		opening.setting = &list[i / 2];
		opening.late = i % 2;
		/* what is the engine's by then it does not send so */
		if (opening.late && is_native(peer, opening.setting))
			continue;
		same_as_native(peer, script, &opening);
		check(peer, peer_counter(peer, counter) ==
			    !is_native(peer, opening.setting), "%s",
		      opening.setting->what);
	}
}

TEST_F_TIMEOUT(wire, HO13_IP6_V65_options_of_a_connecting_socket_as_native, 120)
{
	each_option(&self->peer, opens, THREEWAY_C_flows_handed_over);
}

TEST_F_TIMEOUT(wire, HO13_IP6_V65_SM1_options_when_SYNs_cross_as_native, 120)
{
	each_option(&self->peer, crosses, THREEWAY_C_sent_synack_crossed);
}

TEST_HARNESS_MAIN
