// SPDX-License-Identifier: GPL-2.0
/* Claims by what they are for. */
#include <asm/unaligned.h>
#include <linux/rculist.h>

#include "claim.h"
#include "flow.h"
#include "index.h"

#define HS_PORT_BITS	16

/* Where a handshake belongs, or a claim. */
struct hs_spot {
	struct hs_bits service;
	struct hs_bits client;
};

/* An address is its first 64 bits and the rest. */
static void hs_spot_service(struct hs_spot *spot, u16 port, u64 high, u64 low)
{
	spot->service.word[0] = (u64)port << (64 - HS_PORT_BITS) |
				high >> HS_PORT_BITS;
	spot->service.word[1] = high << (64 - HS_PORT_BITS) |
				low >> HS_PORT_BITS;
	spot->service.word[2] = low << (64 - HS_PORT_BITS);
}

static void hs_spot_client(struct hs_spot *spot, u64 high, u64 low)
{
	spot->client.word[0] = high;
	spot->client.word[1] = low;
	spot->client.word[2] = 0;
}

static void hs_spot_of_key(struct hs_spot *spot, const struct hs_flow_key *key,
			   u16 port, bool passive)
{
	const u8 *service = key->v6.local.s6_addr;
	const u8 *client = key->v6.remote.s6_addr;
	u32 service4 = ntohl(key->v4.local), client4 = ntohl(key->v4.remote);

	if (!passive) {
		swap(service, client);
		swap(service4, client4);
	}
	if (key->family == AF_INET) {
		hs_spot_service(spot, port, (u64)service4 << 32, 0);
		hs_spot_client(spot, (u64)client4 << 32, 0);
	} else {
		hs_spot_service(spot, port, get_unaligned_be64(service),
				get_unaligned_be64(service + 8));
		hs_spot_client(spot, get_unaligned_be64(client),
			       get_unaligned_be64(client + 8));
	}
}

/* The first one is for the fewest ports, and the oldest of those. */
static struct hs_claim *hs_index_ports(const struct hs_prefix *client, u16 port,
				       bool gone, unsigned int *width)
{
	const struct hs_place *place;

	hlist_for_each_entry_rcu(place, &client->first, node) {
		if (port < place->first || port > place->last ||
		    READ_ONCE(place->claim->deleted) != gone)
			continue;
		*width = place->last - place->first;
		return place->claim;
	}
	return NULL;
}

/* Of claims for as many ports, that for the longer prefix of clients. */
static struct hs_claim *hs_index_clients(const struct hs_prefix *service,
					 const struct hs_bits *bits, u16 port,
					 bool gone)
{
	unsigned int width, least = HS_PORTS;
	struct hs_claim *claim, *best = NULL;
	const struct hs_prefix *client;

	for (client = hs_prefix_first(&service->below, bits); client;
	     client = hs_prefix_next(client, bits)) {
		claim = hs_index_ports(client, port, gone, &width);
		if (!claim || width > least)
			continue;
		least = width;
		best = claim;
	}
	return best;
}

/* The longest prefix of the service decides, then one port before several. */
struct hs_claim *hs_index_find(const struct hs_index *index,
			       enum threeway_direction direction,
			       const struct hs_flow_key *key, bool gone)
{
	bool passive = direction == THREEWAY_PASSIVE;
	u16 port = ntohs(passive ? key->local_port : key->remote_port);
	struct hs_prefix __rcu *const *root;
	struct hs_claim *claim, *best = NULL;
	const struct hs_prefix *service;
	struct hs_spot spot __uninitialized;
	unsigned int len = 0;
	bool one = true;

	root = &index->tree[!passive][key->family == AF_INET6];
	hs_spot_of_key(&spot, key, port, passive);
again:
	for (service = hs_prefix_first(root, &spot.service); service;
	     service = hs_prefix_next(service, &spot.service)) {
		claim = hs_index_clients(service, &spot.client, port, gone);
		if (!claim || service->len <= len)
			continue;
		len = service->len;
		best = claim;
	}
	if (one) {
		spot.service.word[0] &= ~0ULL >> HS_PORT_BITS;
		one = false;
		goto again;
	}
	return best;
}

/* Return: the length of the service. */
static unsigned int hs_spot_of_claim(struct hs_spot *spot,
				     const struct hs_claim *claim)
{
	const struct threeway_claim *conf = &claim->conf;
	bool one = conf->port_first && conf->port_first == conf->port_last;
	u16 port = one ? conf->port_first : 0;
	const u8 *service = conf->local, *client = conf->remote;
	u8 len = conf->local_prefixlen;

	if (conf->direction == THREEWAY_ACTIVE) {
		swap(service, client);
		len = conf->remote_prefixlen;
	}
	hs_spot_service(spot, port, get_unaligned_be64(service),
			get_unaligned_be64(service + 8));
	hs_spot_client(spot, get_unaligned_be64(client),
		       get_unaligned_be64(client + 8));
	return HS_PORT_BITS + len;
}

static unsigned int hs_claim_client_len(const struct hs_claim *claim)
{
	return claim->conf.direction == THREEWAY_ACTIVE ?
	       claim->conf.local_prefixlen : claim->conf.remote_prefixlen;
}

static struct hs_prefix __rcu **hs_index_tree(struct hs_index *index,
					      const struct hs_claim *claim,
					      bool v6)
{
	return &index->tree[claim->conf.direction == THREEWAY_ACTIVE][v6];
}

static bool hs_index_holds(const struct hs_claim *claim, bool v6)
{
	return claim->conf.family != (v6 ? AF_INET : AF_INET6);
}

/* Fewer ports first, then one family before both, then the older claim. */
static bool hs_place_before(const struct hs_place *a, const struct hs_place *b)
{
	unsigned int wa = a->last - a->first, wb = b->last - b->first;

	if (wa != wb)
		return wa < wb;
	if (!a->claim->conf.family != !b->claim->conf.family)
		return a->claim->conf.family;
	return a->claim->conf.id < b->claim->conf.id;
}

static void hs_place_put(struct hs_place *place, struct hlist_head *list)
{
	struct hs_place *other, *last = NULL;

	hlist_for_each_entry(other, list, node) {
		if (hs_place_before(place, other))
			break;
		last = other;
	}
	if (last)
		hlist_add_behind_rcu(&place->node, &last->node);
	else
		hlist_add_head_rcu(&place->node, list);
}

/* Make room. Return: the place among the clients, or NULL. */
static struct hs_prefix *hs_index_get(struct hs_index *index,
				      const struct hs_claim *claim, bool v6)
{
	struct hs_prefix __rcu **root = hs_index_tree(index, claim, v6);
	struct hs_prefix *service, *client;
	struct hs_spot spot;
	unsigned int len;

	len = hs_spot_of_claim(&spot, claim);
	service = hs_prefix_get(root, &spot.service, len);
	if (!service)
		return NULL;
	client = hs_prefix_get(&service->below, &spot.client,
			       hs_claim_client_len(claim));
	if (!client)
		hs_prefix_put(root, &spot.service, len);
	return client;
}

/* Nothing of the claim is there any more. */
static void hs_index_put(struct hs_index *index, const struct hs_claim *claim,
			 bool v6)
{
	struct hs_prefix __rcu **root = hs_index_tree(index, claim, v6);
	struct hs_prefix *service;
	struct hs_spot spot;
	unsigned int len;

	len = hs_spot_of_claim(&spot, claim);
	service = hs_prefix_find(root, &spot.service, len);
	hs_prefix_put(&service->below, &spot.client, hs_claim_client_len(claim));
	hs_prefix_put(root, &spot.service, len);
}

static bool hs_index_by_client(const struct hs_claim *claim)
{
	return claim->conf.direction == THREEWAY_PASSIVE &&
	       claim->conf.remote_prefixlen;
}

int hs_index_add(struct hs_index *index, struct hs_claim *claim)
{
	struct hs_prefix *client[2] = { };
	struct hs_place *place;
	int v6;

	/* whoever has found it may keep it: all that can fail comes before */
	for (v6 = 0; v6 < 2; v6++) {
		if (!hs_index_holds(claim, v6))
			continue;
		client[v6] = hs_index_get(index, claim, v6);
		if (!client[v6])
			goto undo;
	}
	/* whoever finds it has to see this, too */
	WRITE_ONCE(index->by_client,
		   index->by_client + hs_index_by_client(claim));
	for (v6 = 0; v6 < 2; v6++) {
		if (!client[v6])
			continue;
		place = &claim->place[v6];
		place->claim = claim;
		place->first = claim->conf.port_first;
		place->last = hs_claim_port_last(&claim->conf);
		hs_place_put(place, &client[v6]->first);
	}
	return 0;

undo:
	/* only a claim of both has a first one to take back */
	if (client[0])
		hs_index_put(index, claim, false);
	return -ENOMEM;
}

void hs_index_del(struct hs_index *index, struct hs_claim *claim)
{
	int v6;

	for (v6 = 0; v6 < 2; v6++)
		if (hs_index_holds(claim, v6)) {
			hlist_del_rcu(&claim->place[v6].node);
			hs_index_put(index, claim, v6);
		}
	WRITE_ONCE(index->by_client,
		   index->by_client - hs_index_by_client(claim));
}

struct hs_claim *hs_index_same(struct hs_index *index,
			       const struct hs_claim *claim, bool lingers)
{
	bool v6 = !hs_index_holds(claim, false);
	struct hs_prefix *service, *client;
	const struct hs_place *place;
	struct hs_spot spot;
	unsigned int len;

	len = hs_spot_of_claim(&spot, claim);
	service = hs_prefix_find(hs_index_tree(index, claim, v6),
				 &spot.service, len);
	if (!service)
		return NULL;
	client = hs_prefix_find(&service->below, &spot.client,
				hs_claim_client_len(claim));
	if (!client)
		return NULL;
	hlist_for_each_entry(place, &client->first, node)
		if (place->claim->conf.family == claim->conf.family &&
		    place->claim->conf.port_first == claim->conf.port_first &&
		    place->claim->conf.port_last == claim->conf.port_last &&
		    place->claim->lingers == lingers)
			return place->claim;
	return NULL;
}
