// SPDX-License-Identifier: GPL-2.0
/*
 * Which of many claims decides: random ones come and go, and a look at all of them
 * tells for each handshake whose it has to be.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "wire.h"

#define ROUNDS		10
#define CLAIMS		64
#define PROBES		96
#define PORTS		12
/* The ISS of a claim's handshakes is this and its number. */
#define FIRST_ISS	0x10000000

struct claims {
	unsigned int count;
	struct threeway_claim claim[ROUNDS * CLAIMS];
};

/* Between which bits the addresses of the two ends differ. */
struct range {
	struct address base;
	unsigned int first, bits;
};

static struct range local_range, remote_range;
static u32 random_state;

static unsigned int below(unsigned int n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

static void flip(u8 *octets, unsigned int bit)
{
	octets[bit / 8] ^= 0x80 >> bit % 8;
}

static bool bit_of(const u8 *octets, unsigned int bit)
{
	return octets[bit / 8] & 0x80 >> bit % 8;
}

static bool begins_with(const u8 *address, const u8 *prefix, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		if (bit_of(address, i) != bit_of(prefix, i))
			return false;
	return true;
}

/* Near the range's address: one bit or two of it are others, or none. */
static void random_address(u8 *octets, const struct range *range)
{
	unsigned int i;

	memcpy(octets, &range->base, sizeof(range->base));
	for (i = below(3); i; i--)
		flip(octets, range->first + below(range->bits - range->first));
}

static u8 random_prefix(u8 *octets, const struct range *range)
{
	static const u8 likely[] = { 0, 8, 16, 24, 32, 64, 128 };
	unsigned int i, len = below(range->bits + 1);

	if (below(2))
		len = likely[below(sizeof(likely))];
	if (len > range->bits)
		len = range->bits;
	random_address(octets, range);
	for (i = len; i < range->bits; i++)
		if (bit_of(octets, i))
			flip(octets, i);
	return len;
}

static void random_ports(struct threeway_claim *claim)
{
	if (!below(4))
		return;
	claim->port_first = 1 + below(PORTS);
	claim->port_last = claim->port_first;
	if (!below(2))
		claim->port_last += below(PORTS);
}

static struct threeway_claim random_claim(int family, unsigned int number)
{
	struct threeway_claim claim = {
		.family = below(6) ? family : AF_UNSPEC,
		.direction = below(3) ? THREEWAY_PASSIVE : THREEWAY_ACTIVE,
		.policy.set = THREEWAY_P_ISN,
		.policy.isn = THREEWAY_ISN_FIXED,
		.policy.isn_fixed = FIRST_ISS + number,
	};

	claim.mode = claim.direction == THREEWAY_PASSIVE ? THREEWAY_HOLD :
							   THREEWAY_HANDOFF;
	if (claim.family && below(4)) {
		claim.local_prefixlen = random_prefix(claim.local,
						      &local_range);
		claim.remote_prefixlen = random_prefix(claim.remote,
						       &remote_range);
	}
	random_ports(&claim);
	return claim;
}

struct probe {
	int family;
	bool passive;
	u8 local[16], remote[16];
	u16 port;
};

static bool matches(const struct threeway_claim *claim,
		    const struct probe *probe)
{
	return claim->id &&
	       claim->direction == (probe->passive ? THREEWAY_PASSIVE :
						     THREEWAY_ACTIVE) &&
	       (!claim->family || claim->family == probe->family) &&
	       begins_with(probe->local, claim->local,
			   claim->local_prefixlen) &&
	       begins_with(probe->remote, claim->remote,
			   claim->remote_prefixlen) &&
	       (!claim->port_last || (claim->port_first <= probe->port &&
				      claim->port_last >= probe->port));
}

/* What the interface promises, each as a number of which the higher one wins. */
static bool more_specific(const struct threeway_claim *a,
			  const struct threeway_claim *b, bool passive)
{
	int service_a = passive ? a->local_prefixlen : a->remote_prefixlen;
	int service_b = passive ? b->local_prefixlen : b->remote_prefixlen;
	int client_a = passive ? a->remote_prefixlen : a->local_prefixlen;
	int client_b = passive ? b->remote_prefixlen : b->local_prefixlen;
	int ports_a = a->port_last ? a->port_last - a->port_first : 65536;
	int ports_b = b->port_last ? b->port_last - b->port_first : 65536;

	if (service_a != service_b)
		return service_a > service_b;
	if (ports_a != ports_b)
		return ports_a < ports_b;
	if (client_a != client_b)
		return client_a > client_b;
	if (!a->family != !b->family)
		return a->family;
	return a->id < b->id;
}

/* The number of the claim that has to decide, or -1. */
static int expected_claim(const struct claims *all, const struct probe *probe)
{
	int best = -1;
	unsigned int i;

	for (i = 0; i < all->count; i++)
		if (matches(&all->claim[i], probe) &&
		    (best < 0 || more_specific(&all->claim[i],
					       &all->claim[best],
					       probe->passive)))
			best = i;
	return best;
}

/* Somewhere near what is claimed. */
static struct probe random_probe(const struct claims *all, int family)
{
	const struct threeway_claim *near = &all->claim[below(all->count)];
	struct probe probe = {
		.family = family,
		.passive = near->direction == THREEWAY_PASSIVE,
		.port = 1 + below(PORTS),
	};
	unsigned int i;

	random_address(probe.local, &local_range);
	random_address(probe.remote, &remote_range);
	for (i = 0; i < near->local_prefixlen; i++)
		if (bit_of(probe.local, i) != bit_of(near->local, i))
			flip(probe.local, i);
	for (i = 0; i < near->remote_prefixlen; i++)
		if (bit_of(probe.remote, i) != bit_of(near->remote, i))
			flip(probe.remote, i);
	return probe;
}

/* The ISS of the answer to a SYN. */
static u32 passive_iss(struct peer *peer, const struct probe *probe)
{
	peer_flow(peer);
	peer->header.dport = probe->port;
	peer_send(peer, "S 0 <mss 1000>");
	if (!check(peer, peer_receive(peer, PEER_ANSWER_MS), "no answer") ||
	    (peer->latest.flags & FLAG_RST))
		return 0;
	peer_send(peer, "R 1");
	return peer->latest.seq;
}

static u32 active_iss(struct peer *peer, const struct probe *probe)
{
	bool sent;
	int fd;

	peer_flow(peer);
	peer->header.sport = probe->port;
	fd = client_socket(peer);
	client_connect(peer, fd);
	sent = peer_receive(peer, PEER_ANSWER_MS);
	close(fd);
	return check(peer, sent, "no SYN") ? peer->latest.seq : 0;
}

static void check_probe(struct peer *peer, const struct claims *all)
{
	struct probe probe = random_probe(all, peer->family);
	int should = expected_claim(all, &probe);
	u32 iss;
	int is;

	memcpy(&peer->header.dst, probe.local, sizeof(probe.local));
	memcpy(&peer->header.src, probe.remote, sizeof(probe.remote));
	iss = probe.passive ? passive_iss(peer, &probe) :
			      active_iss(peer, &probe);
	is = iss - FIRST_ISS < all->count ? (int)(iss - FIRST_ISS) : -1;
	check(peer, is == should, "claim %d instead of %d decided for port %u",
	      is, should, probe.port);
}

/* Return: how many there are. */
static unsigned int add_some(struct peer *peer, struct claims *all)
{
	struct threeway_claim *claim;
	unsigned int i, added = 0;

	for (i = 0; i < CLAIMS; i++) {
		claim = &all->claim[all->count];
		*claim = random_claim(peer->family, all->count);
		/* there may be one like it */
		if (threeway_claim_add(peer->engine, claim)) {
			claim->id = 0;
			continue;
		}
		all->count++;
		added++;
	}
	return added;
}

static void delete_some(struct peer *peer, struct claims *all)
{
	unsigned int i;

	for (i = 0; i < all->count; i++) {
		if (!all->claim[i].id || below(2))
			continue;
		check(peer, !threeway_claim_del(peer->engine,
						all->claim[i].id),
		      "a claim cannot be deleted");
		all->claim[i].id = 0;
	}
}

static void set_range(struct range *range, int family, const char *v4,
		      unsigned int first4, const char *v6, unsigned int first6)
{
	bool is_v4 = family == AF_INET;

	inet_pton(family, is_v4 ? v4 : v6, &range->base);
	range->first = is_v4 ? first4 : first6;
	range->bits = is_v4 ? 32 : 128;
}

/* Every address of the ranges is ours, or the peer's. */
static void set_ranges(int family)
{
	set_range(&local_range, family, "10.165.90.195", 8,
		  "fd00:5aa5:c396:1234:9abc:def0:5aa5:c396", 16);
	set_range(&remote_range, family, "198.18.165.90", 16,
		  "2001:db8:5aa5:c396:1234:9abc:def0:5aa5", 32);
	run("ip link set lo up");
	if (family == AF_INET) {
		run("ip route add local 10.0.0.0/8 dev lo");
		run("ip route add 198.18.0.0/16 dev tun0");
	} else {
		run("ip -6 route add local fd00::/16 dev lo");
		run("ip -6 route add 2001:db8::/32 dev tun0");
		sysctl_set("net/ipv6/ip_nonlocal_bind", "1");
	}
}

TEST_F(wire, claims_the_most_specific_of_many_decides)
{
	static struct claims all;
	struct peer *peer = &self->peer;
	unsigned int round, i;

	random_state = variant->family;
	set_ranges(variant->family);
	memset(&all, 0, sizeof(all));
	for (round = 0; round < ROUNDS; round++) {
		ASSERT_LT(CLAIMS / 2, add_some(peer, &all));
		for (i = 0; i < PROBES; i++)
			check_probe(peer, &all);
		delete_some(peer, &all);
		for (i = 0; i < PROBES; i++)
			check_probe(peer, &all);
	}
}

TEST_HARNESS_MAIN
