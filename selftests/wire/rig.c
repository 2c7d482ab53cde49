// SPDX-License-Identifier: GPL-2.0
/*
 * The remote end of a connection: see peer.h. The namespace, its interface and
 * sockets, and the engine.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"

#define LOCAL_PORT	80
#define REMOTE_PORT	20000

void sysctl_set(const char *name, const char *format, ...)
{
	char path[128];
	va_list args;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	file = fopen(path, "w");
	if (!file) {
		fprintf(stderr, "# %s: %s\n", path, strerror(errno));
		abort();
	}
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	if (fclose(file)) {
		fprintf(stderr, "# %s: %s\n", path, strerror(errno));
		abort();
	}
}

void run(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command)) {
		fprintf(stderr, "# failed: %s\n", command);
		abort();
	}
}

void peer_route(struct peer *peer, const char *words)
{
	bool v4 = peer->family == AF_INET;

	run("ip -%c route replace %s dev tun0 %s", v4 ? '4' : '6',
	    v4 ? "192.0.2.2/32" : "2001:db8::2/128", words);
}

static void must(int result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "# %s: %s\n", what, strerror(errno));
		abort();
	}
}

static void interface_up(int fd, const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_UP | IFF_RUNNING };

	strcpy(request.ifr_name, name);
	must(ioctl(fd, SIOCSIFFLAGS, &request), name);
}

static void add_ipv4(int fd)
{
	struct ifreq request = { .ifr_name = "tun0" };
	struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;

	address->sin_family = AF_INET;
	address->sin_addr.s_addr = inet_addr("192.0.2.1");
	must(ioctl(fd, SIOCSIFADDR, &request), "192.0.2.1");
	address->sin_addr.s_addr = inet_addr("255.255.255.0");
	must(ioctl(fd, SIOCSIFNETMASK, &request), "netmask");
}

static void add_ipv6(void)
{
	struct in6_ifreq request = {
		.ifr6_prefixlen = 64,
		.ifr6_ifindex = if_nametoindex("tun0"),
	};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
	int tries = 1000;

	inet_pton(AF_INET6, "2001:db8::1", &request.ifr6_addr);
	must(ioctl(fd, SIOCSIFADDR, &request), "2001:db8::1");
	/*
	 * A worker makes it usable: it takes the mark "tentative" off it, then
	 * adds its route, all of it under the lock of the network's configuration.
	 */
	address.sin6_addr = request.ifr6_addr;
	while (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		must(tries-- ? 0 : -1, "2001:db8::1 stays tentative");
		sleep_ms(1);
	}
	/* Changes nothing, but waits for that lock. */
	interface_up(fd, "tun0");
	close(fd);
}

static void set_addresses(struct peer *peer)
{
	struct packet *header = &peer->header;
	bool v4 = peer->family == AF_INET;

	header->family = peer->family;
	inet_pton(peer->family, v4 ? "192.0.2.2" : "2001:db8::2",
		  &header->src);
	inet_pton(peer->family, v4 ? "192.0.2.1" : "2001:db8::1",
		  &header->dst);
	header->ttl = 64;
	header->df = true;
	header->dport = LOCAL_PORT;
}

static int open_tun(const char *name)
{
	struct ifreq request = {
		.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR,
	};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	strcpy(request.ifr_name, name);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

const char *peer_open(struct peer *peer, int family, bool with_engine)
{
	unsigned int failures = peer->failures;
	int fd;

	memset(peer, 0, sizeof(*peer));
	peer->failures = failures;
	peer->family = family;
	peer->tun = -1;
	peer->engine = -1;
	peer->listener = -1;
	peer->first_port = REMOTE_PORT + 1;
	peer->last_port = REMOTE_PORT;
	if (unshare(CLONE_NEWNET) < 0)
		return "cannot make a network namespace";
	peer->tun = open_tun("tun0");
	if (peer->tun < 0)
		return "no tun device";
	if (with_engine) {
		peer->engine = threeway_open(NULL);
		if (peer->engine < 0)
			return "no /dev/threeway: load threeway.ko";
	}
	sysctl_set("net/ipv6/conf/tun0/accept_dad", "0");
	sysctl_set("net/ipv6/conf/tun0/router_solicitations", "0");
	/* A flow label is a random number, which is 0 too without this. */
	sysctl_set("net/ipv6/flowlabel_state_ranges", "1");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	interface_up(fd, "lo");
	interface_up(fd, "tun0");
	add_ipv4(fd);
	add_ipv6();
	close(fd);
	set_addresses(peer);
	peer_flow(peer);
	return NULL;
}

int peer_add_device(struct peer *peer, const char *name)
{
	int tun = open_tun(name);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (check(peer, tun >= 0, "%s: %s", name, strerror(errno)))
		interface_up(fd, name);
	close(fd);
	return tun;
}

void peer_close(struct peer *peer)
{
	if (peer->listener >= 0)
		close(peer->listener);
	if (peer->engine >= 0)
		close(peer->engine);
	if (peer->tun >= 0)
		close(peer->tun);
}

void peer_flow(struct peer *peer)
{
	peer->header.sport = ++peer->last_port;
	peer->iss = 0;
	peer->iss_known = false;
	/* Any number will do; one that no test would think of. */
	peer->irs = 0x3b9ac9ff + 100003U * peer->header.sport;
	peer->start_ms = now_ms();
	peer->trace_count = 0;
	*peer->label = '\0';
}

struct flow peer_park(const struct peer *peer)
{
	return (struct flow) {
		.port = peer->header.sport,
		.iss = peer->iss,
		.irs = peer->irs,
		.tsval = peer->tsval,
		.start_ms = peer->start_ms,
	};
}

void peer_resume(struct peer *peer, struct flow flow)
{
	peer->header.sport = flow.port;
	peer->iss = flow.iss;
	peer->irs = flow.irs;
	peer->tsval = flow.tsval;
	peer->start_ms = flow.start_ms;
	peer->iss_known = true;
}

void peer_label(struct peer *peer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(peer->label, sizeof(peer->label), format, args);
	va_end(args);
}

void peer_ip_options(struct peer *peer, bool on)
{
	/* NOPs, or destination options that are padding */
	static const u8 octets[2][8] = { { 1, 1, 1, 0 }, { 0, 0, 1, 4 } };
	bool v6 = peer->family == AF_INET6;

	memcpy(peer->header.extension, octets[v6], sizeof(octets[v6]));
	peer->header.extension_type = IPPROTO_DSTOPTS;
	peer->header.extension_len = on ? v6 ? 8 : 4 : 0;
}

int peer_listen_protocol(struct peer *peer, int backlog, int protocol)
{
	struct sockaddr_in6 address = { .sin6_family = peer->family };
	int one = 1;
	int fd;

	/* The port stands at the same place in both families' addresses. */
	address.sin6_port = htons(peer->header.dport);
	fd = socket(peer->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    protocol);
	must(fd, "socket");
	must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)),
	     "SO_REUSEADDR");
	must(bind(fd, (struct sockaddr *)&address,
		  peer->family == AF_INET ? sizeof(struct sockaddr_in) :
					    sizeof(address)), "bind");
	must(listen(fd, backlog), "listen");
	if (peer->listener >= 0)
		close(peer->listener);
	peer->listener = fd;
	return fd;
}

int peer_listen(struct peer *peer, int backlog)
{
	return peer_listen_protocol(peer, backlog, 0);
}

int peer_expect_accept_(struct peer *peer, struct place place)
{
	int fd = accept(peer->listener, NULL, NULL);

	peer_check_(peer, place, fd >= 0, "accept(): %s", strerror(errno));
	return fd;
}

bool peer_expect_no_accept_(struct peer *peer, struct place place)
{
	int fd = accept(peer->listener, NULL, NULL);

	if (fd >= 0)
		close(fd);
	return peer_check_(peer, place, fd < 0, "accept() returned a socket");
}

bool peer_expect_stream_(struct peer *peer, struct place place, int fd,
			 u32 from, size_t len)
{
	u8 data[PACKET_MAX + 1];
	size_t got = 0, i;
	ssize_t n;

	do {
		n = recv(fd, data + got, sizeof(data) - got, MSG_DONTWAIT);
		got += n > 0 ? n : 0;
	} while (n > 0);
	if (!peer_check_(peer, place, got == len,
			 "read %zu octets, expected %zu", got, len))
		return false;
	for (i = 0; i < len; i++) {
		if (!peer_check_(peer, place,
				 data[i] == stream_octet(from + i),
				 "wrong data at place %zu of the stream",
				 from + i))
			return false;
	}
	return true;
}

static bool claim_port(struct peer *peer, enum threeway_mode mode,
		       const struct threeway_policy *policy)
{
	struct threeway_claim claim = {
		.family = peer->family,
		.direction = THREEWAY_PASSIVE,
		.mode = mode,
		.port_first = peer->header.dport,
		.port_last = peer->header.dport,
	};
	int err;

	if (policy)
		claim.policy = *policy;
	err = threeway_claim_add(peer->engine, &claim);
	peer->claim = claim.id;
	return check(peer, !err, "claim: %s", strerror(-err));
}

bool peer_claim(struct peer *peer, const struct threeway_policy *policy)
{
	return peer->engine < 0 || claim_port(peer, THREEWAY_HANDOFF, policy);
}

void peer_time_wait(struct peer *peer)
{
	peer->iss_known = false;
	peer_syn(peer, "mss 1460");
	peer_send(peer, ". 1 ack 1");
	close(expect_accept(peer));
	expect(peer, "F. 1 ack 1");
	peer_send(peer, "F. 1 ack 2");
	expect(peer, ". 2 ack 2");
}

bool peer_hold(struct peer *peer, const struct threeway_policy *policy)
{
	if (peer->claim)
		threeway_claim_del(peer->engine, peer->claim);
	return claim_port(peer, THREEWAY_HOLD, policy);
}

void peer_serve(struct peer *peer, const struct threeway_policy *policy)
{
	peer_listen(peer, 1024);
	peer_claim(peer, policy);
}

static void read_counters(struct peer *peer, __u64 *values)
{
	int n;

	memset(values, 0, THREEWAY_COUNTER_MAX * sizeof(*values));
	n = threeway_stat_get(peer->engine, values, THREEWAY_COUNTER_MAX);
	check(peer, n == THREEWAY_COUNTER_MAX, "%d counters, expected %d", n,
	      THREEWAY_COUNTER_MAX);
}

u64 peer_counter(struct peer *peer, enum threeway_counter counter)
{
	__u64 values[THREEWAY_COUNTER_MAX];

	if (peer->engine < 0)
		return 0;
	read_counters(peer, values);
	return values[counter];
}

/* Not what came of it but how it was done: who means it has to name it. */
static bool is_manner(int counter)
{
	return counter == THREEWAY_C_handoff_replayed;
}

/* "name by; name by" to differences by counter. */
static bool scan_counters(const char *text, __u64 *wanted)
{
	char name[64];
	int used, counter;
	unsigned long long by;

	memset(wanted, 0, THREEWAY_COUNTER_MAX * sizeof(*wanted));
	while (sscanf(text, " %63[a-z0-9_] %llu%n", name, &by, &used) == 2) {
		counter = threeway_counter_find(name);
		if (counter < 0)
			return false;
		wanted[counter] = by;
		text += used;
		if (*text == ';')
			text++;
	}
	return !*text;
}

bool peer_expect_counters_(struct peer *peer, struct place place,
			   const char *format, ...)
{
	__u64 wanted[THREEWAY_COUNTER_MAX], values[THREEWAY_COUNTER_MAX];
	char text[LINE_MAX_LEN], message[LINE_MAX_LEN];
	va_list args;
	size_t at = 0;
	unsigned int i;
	u64 moved;

	if (peer->engine < 0)
		return true;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!scan_counters(text, wanted)) {
		fprintf(stderr, "# no such counters: %s\n", text);
		abort();
	}
	read_counters(peer, values);
	for (i = 0; i < THREEWAY_COUNTER_MAX; i++) {
		moved = values[i] - peer->counters[i];
		if (is_manner(i) && !strstr(text, threeway_counter_name(i)))
			continue;
		if (moved != wanted[i] && at < sizeof(message) - 1)
			at += snprintf(message + at, sizeof(message) - at,
				       "%s%s by %llu, expected %llu",
				       at ? "; " : "",
				       threeway_counter_name(i),
				       (unsigned long long)moved,
				       (unsigned long long)wanted[i]);
	}
	memcpy(peer->counters, values, sizeof(values));
	return peer_check_(peer, place, !at, "counters: %s", message);
}

static bool is_flow(const struct peer *peer, const struct threeway_flow *flow)
{
	const struct packet *header = &peer->header;
	const struct threeway_flow_key *key = &flow->key;

	return key->family == peer->family &&
	       ntohs(key->local_port) == header->dport &&
	       ntohs(key->remote_port) == header->sport &&
	       !memcmp(key->local, &header->dst, sizeof(key->local)) &&
	       !memcmp(key->remote, &header->src, sizeof(key->remote));
}

int peer_flows(struct peer *peer, struct threeway_flow *flow)
{
	struct threeway_flow *flows;
	int i, count;

	if (flow)
		memset(flow, 0, sizeof(*flow));
	if (peer->engine < 0)
		return 0;
	count = threeway_flow_list(peer->engine, &flows);
	if (count < 0) {
		check(peer, false, "flows: %s", strerror(-count));
		return count;
	}
	for (i = 0; i < count && flow; i++) {
		if (is_flow(peer, &flows[i]))
			*flow = flows[i];
	}
	free(flows);
	return count;
}

bool peer_expect_flow_(struct peer *peer, struct place place, bool there)
{
	struct threeway_flow flow;

	if (peer->engine < 0)
		return true;
	peer_flows(peer, &flow);
	return peer_check_(peer, place,
			   (flow.state == THREEWAY_SYN_RECEIVED) == there,
			   "the flow is %s", there ? "gone" : "still there");
}
