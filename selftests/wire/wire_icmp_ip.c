// SPDX-License-Identifier: GPL-2.0
/*
 * What IP has to do with ICMP errors: options and extension headers before an
 * error and in what it quotes, and the links of link-local addresses (rules IC1,
 * V61, V62, V64).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "quote.h"
#include "wire.h"

/*
 * IPv4 options or extension headers, and whether the error is heard with them, or
 * only where the kernel has no Mobile IPv6.
 */
struct headers {
	const char *what;
	u8 octets[64];
	size_t len;
	u8 type;
	enum { DROPPED = false, HEARD = true, UNLESS_MOBILE } heard;
};

static const struct headers outer4[] = {
	{ "NOPs", { 1, 1, 1, 0 }, 4, 0, true },
	{ "record route", { 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 0, true },
	{ "time stamp", { 68, 12, 5, 0 }, 12, 0, true },
	{ "router alert", { 148, 4, 0, 0 }, 4, 0, true },
	{ "40 octets", { 1, 1, 1, 1, 1, 1, 1, 1 }, 40, 0, true },
	{ "a source route that goes on", { 131, 7, 4, 192, 0, 2, 9, 0 }, 8, 0,
	  false },
};

static const struct headers quoted4[] = {
	{ "NOPs", { 1, 1, 1, 0 }, 4, 0, true },
	{ "record route", { 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12, 0, true },
	{ "40 octets", { 1, 1, 1, 1, 1, 1, 1, 1 }, 40, 0, true },
	{ "a used source route", { 131, 7, 8, 192, 0, 2, 9, 0 }, 8, 0, true },
};

#define ICMP	IPPROTO_ICMPV6
#define DST	IPPROTO_DSTOPTS

/* An extension header begins with the type of the next; 1, 4 is PadN. */
static const struct headers outer6[] = {
	{ "hop by hop", { ICMP, 0, 1, 4 }, 8, IPPROTO_HOPOPTS, true },
	{ "destination options", { ICMP, 0, 1, 4 }, 8, DST, true },
	{ "hop by hop, destination options",
	  { DST, 0, 1, 4, 0, 0, 0, 0, ICMP, 0, 1, 4 }, 16, IPPROTO_HOPOPTS,
	  true },
	{ "three of destination options",
	  { DST, 0, 1, 4, 0, 0, 0, 0, DST, 0, 1, 4, 0, 0, 0, 0,
	    ICMP, 0, 1, 4 }, 24, DST, true },
	{ "a routing header that is used up", { ICMP, 2, 253, 0 }, 24,
	  IPPROTO_ROUTING, true },
	{ "an unknown option that may be skipped",
	  { ICMP, 0, 0x1e, 4, 1, 2, 3, 4 }, 8, DST, true },
	{ "atomic fragment", { ICMP, 0, 0, 0, 0, 0, 0, 9 }, 8,
	  IPPROTO_FRAGMENT, true },
	{ "destination options, atomic fragment",
	  { IPPROTO_FRAGMENT, 0, 1, 4, 0, 0, 0, 0, ICMP, 0, 0, 0, 0, 0, 0, 8 },
	  16, DST, true },
	/* what the IP layer does not pass on */
	{ "a routing header that goes on", { ICMP, 2, 0, 1 }, 24,
	  IPPROTO_ROUTING, false },
	{ "a routing header of mobile hosts", { ICMP, 2, 2, 0 }, 24,
	  IPPROTO_ROUTING, UNLESS_MOBILE },
	{ "an unknown option", { ICMP, 0, 0xc2, 4, 0, 0, 0, 0 }, 8, DST,
	  false },
	{ "padding that is not 0", { ICMP, 0, 1, 4, 0, 0, 0, 1 }, 8, DST,
	  false },
	{ "an option that is longer than its header", { ICMP, 0, 0x1e, 5 }, 8,
	  DST, false },
	{ "hop by hop behind another one",
	  { IPPROTO_HOPOPTS, 0, 1, 4, 0, 0, 0, 0, ICMP, 0, 1, 4 }, 16, DST,
	  false },
	{ "authentication that nobody verifies",
	  { ICMP, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1 }, 16, IPPROTO_AH, false },
};

/* Of what has been sent nobody looks into the headers any more. */
static const struct headers quoted6[] = {
	{ "hop by hop", { 0, 0, 1, 4 }, 8, IPPROTO_HOPOPTS, true },
	{ "destination options", { 0, 0, 1, 4 }, 8, DST, true },
	{ "hop by hop, destination options, routing header",
	  { DST, 0, 1, 4, 0, 0, 0, 0, IPPROTO_ROUTING, 0, 1, 4, 0, 0, 0, 0,
	    0, 2, 253, 0 }, 40, IPPROTO_HOPOPTS, true },
	{ "atomic fragment", { 0, 0, 0, 0, 0, 0, 0, 9 }, 8, IPPROTO_FRAGMENT,
	  true },
	{ "the first of two fragments", { 0, 0, 0, 1, 0, 0, 0, 9 }, 8,
	  IPPROTO_FRAGMENT, true },
	{ "the second one", { 0, 0, 0, 8, 0, 0, 0, 9 }, 8, IPPROTO_FRAGMENT,
	  false },
	{ "an unknown option", { 0, 0, 0xc2, 4, 0, 0, 0, 0 }, 8, DST, true },
	{ "an unknown header", { 0, 0, 1, 4 }, 8, 150, false },
};

/* Mobile IPv6 drops what it has not routed; without it nobody knows that type. */
static bool is_heard(const struct headers *headers)
{
	static int kernel_has_mobile = -1;

	if (headers->heard != UNLESS_MOBILE)
		return headers->heard;
	if (kernel_has_mobile < 0)
		kernel_has_mobile = !system("grep -qw rawv6_mh_filter_register /proc/kallsyms");
	return !kernel_has_mobile;
}

/* A list of headers, and where they stand. */
struct place_of {
	const struct headers *headers;
	unsigned int count;
	bool outer;
};

#define PLACE(list, is_outer) \
	{ .headers = list, .count = ARRAY_SIZE(list), .outer = is_outer }

static const struct place_of places[2][2] = {
	{ PLACE(outer4, true), PLACE(quoted4, false) },
	{ PLACE(outer6, true), PLACE(quoted6, false) },
};

static void put_headers(struct icmp_error *error, const struct headers *headers,
			bool outer)
{
	if (outer) {
		error->outer = headers->octets;
		error->outer_len = headers->len;
		error->outer_type = headers->type;
	} else {
		error->extension = headers->octets;
		error->extension_len = headers->len;
		error->extension_type = headers->type;
	}
}

/* What ends a half-open connection: natively with IPv4 that is a soft error. */
static struct icmp_error ending_error(const struct peer *peer)
{
	return peer->engine < 0 && peer->family == AF_INET ? soft_error(peer) :
							     hard_error(peer);
}

/* Whether an ACK would still complete the handshake. */
static bool completes(struct peer *peer)
{
	int fd;

	peer_send(peer, ". 1 ack 1");
	peer_receive(peer, 50);
	fd = accept(peer->listener, NULL, NULL);
	if (fd < 0)
		return false;
	peer_send(peer, "R 1");
	close(fd);
	return true;
}

static void passive_headers(struct peer *peer, const void *arg)
{
	const struct place_of *place = arg;
	const struct headers *headers = place->headers;
	unsigned int i;
	bool heard;

	peer_serve(peer, NULL);
	for (i = 0; i < place->count; i++, headers++) {
		struct icmp_error error = ending_error(peer);

		peer_flow(peer);
		peer_label(peer, "%s", headers->what);
		peer_syn(peer, "mss 1000");
		put_headers(&error, headers, place->outer);
		peer_icmp(peer, &error);
		while (peer_receive(peer, 50))
			;
		heard = !completes(peer);
		peer_note(peer, "heard %d", heard);
		check(peer, heard == is_heard(headers), "heard: %d", heard);
	}
}

static void active_headers(struct peer *peer, const void *arg)
{
	const struct place_of *place = arg;
	const struct headers *headers = place->headers;
	unsigned int i;
	int fd;

	client_claim(peer, NULL);
	for (i = 0; i < place->count; i++, headers++) {
		struct icmp_error error = hard_error(peer);

		fd = client_open(peer);
		peer_label(peer, "%s", headers->what);
		put_headers(&error, headers, place->outer);
		peer_icmp(peer, &error);
		while (peer_receive(peer, 50))
			;
		client_note(peer, fd);
		if (is_heard(headers))
			expect_state(peer, THREEWAY_CLOSED);
		else
			expect_connecting(peer, fd);
		close(fd);
	}
}

static unsigned int count_heard(const struct place_of *place)
{
	unsigned int i, heard = 0;

	for (i = 0; i < place->count; i++)
		heard += is_heard(&place->headers[i]);
	return heard;
}

static void headers_as_native(struct peer *peer, bool passive)
{
	const struct place_of *place = places[peer->family == AF_INET6];
	unsigned int i;

	for (i = 0; i < 2; i++, place++) {
		unsigned int heard = count_heard(place);

		same_as_native(peer, passive ? passive_headers :
					       active_headers, place);
		check(peer, peer_counter(peer, THREEWAY_C_flows_opened) ==
			    place->count, "not all were the engine's");
		check(peer, peer_counter(peer, THREEWAY_C_flows_icmp) == heard,
		      "flows_icmp %llu",
		      (unsigned long long)peer_counter(peer, THREEWAY_C_flows_icmp));
	}
}

TEST_F(wire, IC1_V61_V62_headers_of_errors_for_half_open_flows_as_native)
{
	headers_as_native(&self->peer, true);
}

TEST_F(wire, IC1_V61_V62_headers_of_errors_for_connecting_sockets_as_native)
{
	headers_as_native(&self->peer, false);
}

/* Two links with the same link-local addresses, and one that has no flow. */
#define LINKS	3
#define FLOWS	2

struct links {
	int tun[LINKS];
	struct flow flow[FLOWS];
	int fd[FLOWS];
};

static void open_links(struct peer *peer, struct links *links)
{
	char name[8];
	int i;

	links->tun[0] = peer->tun;
	for (i = 0; i < LINKS; i++) {
		snprintf(name, sizeof(name), "tun%d", i);
		if (i)
			links->tun[i] = peer_add_device(peer, name);
		run("ip address add fe80::1/64 dev tun%d nodad", i);
	}
	sleep_ms(10);
	inet_pton(AF_INET6, "fe80::2", &peer->header.src);
	inet_pton(AF_INET6, "fe80::1", &peer->header.dst);
	peer_flow(peer);
}

/* The first one is peer_close()'s. */
static void close_links(struct peer *peer, const struct links *links)
{
	int i;

	for (i = 1; i < LINKS; i++)
		close(links->tun[i]);
	peer->tun = links->tun[0];
}

/* The error quotes that flow, and comes in by that link. */
static void err(struct peer *peer, const struct links *links, int flow, int link,
		struct icmp_error error)
{
	peer_resume(peer, links->flow[flow]);
	peer->tun = links->tun[link];
	peer_icmp(peer, &error);
}

/* Each quote by each link that is not its own: nothing comes of it. */
static void err_elsewhere(struct peer *peer, const struct links *links,
			  struct icmp_error error)
{
	int flow, link;

	for (flow = 0; flow < FLOWS; flow++) {
		for (link = 0; link < LINKS; link++) {
			if (link != flow)
				err(peer, links, flow, link, error);
		}
	}
}

static void half_open_both(struct peer *peer, struct links *links)
{
	int i;

	for (i = 0; i < FLOWS; i++) {
		peer->tun = links->tun[i];
		peer->iss_known = false;
		peer_syn(peer, "mss 1000");
		links->flow[i] = peer_park(peer);
	}
}

static void passive_links(struct peer *peer, const void *arg)
{
	int ends = *(const int *)arg, i;
	struct links links;
	bool there;

	open_links(peer, &links);
	peer_serve(peer, NULL);
	half_open_both(peer, &links);
	check(peer, links.flow[0].iss != links.flow[1].iss, "one ISS");
	err_elsewhere(peer, &links, ending_error(peer));
	check(peer, peer->engine < 0 || peer_flows(peer, NULL) == 2,
	      "an error from another link was heard");
	err(peer, &links, ends, ends, ending_error(peer));
	for (i = 0; i < FLOWS; i++) {
		peer_resume(peer, links.flow[i]);
		peer->tun = links.tun[i];
		there = completes(peer);
		peer_note(peer, "flow %d: %d", i, there);
		check(peer, there == (i != ends), "flow %d: %d", i, there);
	}
	close_links(peer, &links);
}

/* From fe80::1 to fe80::2, which are those of that link. */
static int connect_by(struct peer *peer, int link)
{
	struct sockaddr_in6 address = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(40000),
	};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
	char name[8];

	snprintf(name, sizeof(name), "tun%d", link);
	address.sin6_scope_id = if_nametoindex(name);
	memcpy(&address.sin6_addr, &peer->header.dst, 16);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	check(peer, !bind(fd, (struct sockaddr *)&address, sizeof(address)),
	      "bind(): %s", strerror(errno));
	memcpy(&address.sin6_addr, &peer->header.src, 16);
	address.sin6_port = htons(peer->header.sport);
	peer->iss_known = false;
	check(peer, connect(fd, (struct sockaddr *)&address, sizeof(address)) &&
	      errno == EINPROGRESS, "connect(): %s", strerror(errno));
	return fd;
}

static void connect_both(struct peer *peer, struct links *links)
{
	int i;

	peer->opens = true;
	peer->header.dport = 40000;
	for (i = 0; i < FLOWS; i++) {
		peer->tun = links->tun[i];
		links->fd[i] = connect_by(peer, i);
		expect(peer, "S 0");
		links->flow[i] = peer_park(peer);
	}
}

static void active_links(struct peer *peer, const void *arg)
{
	int ends = *(const int *)arg, i;
	struct links links;

	open_links(peer, &links);
	client_claim(peer, NULL);
	connect_both(peer, &links);
	err_elsewhere(peer, &links, hard_error(peer));
	for (i = 0; i < FLOWS; i++)
		expect_connecting(peer, links.fd[i]);
	err(peer, &links, ends, ends, hard_error(peer));
	for (i = 0; i < FLOWS; i++) {
		peer_resume(peer, links.flow[i]);
		peer->tun = links.tun[i];
		peer_send(peer, "S. 0 ack 1 <mss 1000>");
		peer_receive(peer, 50);
		if (i == ends)
			expect_failed(peer, links.fd[i], ECONNREFUSED);
		else
			expect_connected(peer, links.fd[i]);
		client_note(peer, links.fd[i]);
		client_close(peer, links.fd[i]);
	}
	close_links(peer, &links);
}

/* Which ways to the peer something was learned of. */
static void read_paths(bool *learned)
{
	char line[512], command[64];
	FILE *route;
	int i;

	for (i = 0; i < LINKS; i++) {
		snprintf(command, sizeof(command),
			 "ip -6 route get fe80::2 oif tun%d", i);
		route = popen(command, "r");
		learned[i] = false;
		while (route && fgets(line, sizeof(line), route))
			learned[i] |= !!strstr(line, "mtu 1400");
		if (route)
			pclose(route);
	}
}

static void expect_path(struct peer *peer, const struct links *links, int link)
{
	const struct icmp_error error = { .type = TOO_BIG6, .rest = 1400 };
	bool learned[LINKS];
	int i;

	err_elsewhere(peer, links, error);
	read_paths(learned);
	for (i = 0; i < LINKS; i++)
		check(peer, !learned[i], "tun%d: learned elsewhere", i);
	err(peer, links, link, link, error);
	read_paths(learned);
	for (i = 0; i < LINKS; i++)
		check(peer, learned[i] == (i == link), "tun%d: %d", i,
		      learned[i]);
}

#define BOTH_HAVE(counters) \
	"flows_opened 2; icmp_out_of_window 2; " counters

TEST(V64_IC1_an_error_by_another_link_is_not_for_a_half_open_flow)
{
	static struct peer peer;
	int ends;

	ASSERT_EQ(NULL, peer_open(&peer, AF_INET6, true));
	for (ends = 0; ends < FLOWS; ends++) {
		same_as_native(&peer, passive_links, &ends);
		expect_counters(&peer, BOTH_HAVE("sent_synack 2; icmp_hard 1; "
						 "flows_icmp 1; flows_handed_over 1"));
	}
	EXPECT_EQ(0, peer.failures);
	peer_close(&peer);
}

TEST(V64_IC1_an_error_by_another_link_is_not_for_a_connecting_socket)
{
	static struct peer peer;
	int ends;

	ASSERT_EQ(NULL, peer_open(&peer, AF_INET6, true));
	for (ends = 0; ends < FLOWS; ends++) {
		same_as_native(&peer, active_links, &ends);
		expect_counters(&peer, BOTH_HAVE("sent_syn 2; icmp_hard 1; "
						 "flows_icmp 1; flows_handed_over 1"));
	}
	EXPECT_EQ(0, peer.failures);
	peer_close(&peer);
}

/* The native stack learns nothing for a connection that is half open. */
TEST(V64_V611_a_path_is_learned_for_the_link_of_the_flow)
{
	static struct peer peer;
	struct links links;
	int link;

	ASSERT_EQ(NULL, peer_open(&peer, AF_INET6, true));
	for (link = 0; link < FLOWS; link++) {
		peer_close(&peer);
		ASSERT_EQ(NULL, peer_open(&peer, AF_INET6, true));
		open_links(&peer, &links);
		/* no copies, however long ip(8) takes to tell the paths */
		sysctl_set("net/threeway/rto_initial_ms", "60000");
		peer_serve(&peer, NULL);
		half_open_both(&peer, &links);
		expect_path(&peer, &links, link);
		close_links(&peer, &links);
		expect_counters(&peer, BOTH_HAVE("sent_synack 2; icmp_soft 1"));
	}
	EXPECT_EQ(0, peer.failures);
	peer_close(&peer);
}

TEST_HARNESS_MAIN
