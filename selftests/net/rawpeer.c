// SPDX-License-Identifier: GPL-2.0
/*
 * A peer made of raw sockets, for what a real one would never do.
 *
 *   flood -c NETNS -a SOURCE -d DESTINATION -p PORT -n N
 *	sends N SYNs, each from another port (and, every 50,000, another address
 *	from SOURCE on), and answers nothing
 *
 *   race -s NETNS -c NETNS -a SOURCE -d DESTINATION -p PORT -n N
 *	N handshakes; two threads, each on its own CPU, send the completing ACK
 *	at the same time, one of them with data behind it. Each must give exactly
 *	one connection, which has the data, and no reset. SOURCE must be local
 *	and its kernel must be kept from sending RSTs.
 */
#include "rawseg.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#define FIRST_PORT	10000
#define PORTS		50000
#define DATA_BYTES	100

static struct raw_config config;
static unsigned int count;

static struct raw_path path;

static void next_source(void)
{
	unsigned char *last = path.source.sa.sa_family == AF_INET ?
		(unsigned char *)&path.source.v4.sin_addr + 3 :
		(unsigned char *)&path.source.v6.sin6_addr + 15;

	++*last;
}

static void flood(void)
{
	struct segment syn = { .syn = true, .to = config.port };
	int fd = raw_socket(&path, IPPROTO_RAW);
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (i && i % PORTS == 0)
			next_source();
		syn.port = FIRST_PORT + i % PORTS;
		syn.seq = i * 100003;
		raw_send(fd, &path, &syn);
	}
	printf("sent=%u\n", i);
}

/* The race: what both threads send, and the barrier before it. */
static struct segment completing;
static atomic_uint round_begun, threads_done;

struct racer {
	pthread_t thread;
	int cpu, fd;
	bool data;
};

/* Both ask for the same CPU time; who comes first differs from time to time. */
static void *race_thread(void *argument)
{
	struct racer *racer = argument;
	struct segment segment;
	unsigned int number;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(racer->cpu, &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	for (number = 1; number <= count; number++) {
		while (atomic_load(&round_begun) < number)
			sched_yield();
		segment = completing;
		segment.data = racer->data ? DATA_BYTES : 0;
		raw_send(racer->fd, &path, &segment);
		atomic_fetch_add(&threads_done, 1);
	}
	return NULL;
}

/* The next segment for PORT, or NULL after MS without one. */
static struct tcphdr *receive(int fd, unsigned short port, int ms)
{
	static unsigned char packet[2048];
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	unsigned long long end = now_ms() + ms;
	struct tcphdr *tcp;
	ssize_t n;

	do {
		if (poll(&wait, 1, ms) <= 0)
			return NULL;
		n = recv(fd, packet, sizeof(packet), 0);
		if (n < 20)
			continue;
		tcp = raw_received(&path, packet);
		if (tcp->source == htons(config.port) &&
		    tcp->dest == htons(port))
			return tcp;
	} while (now_ms() < end);
	return NULL;
}

static int accept_one(int listener)
{
	struct pollfd wait = { .fd = listener, .events = POLLIN };

	poll(&wait, 1, 2000);
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

static bool has_data(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	unsigned char data[DATA_BYTES + 1];

	return poll(&wait, 1, 2000) > 0 &&
	       recv(fd, data, sizeof(data), 0) == DATA_BYTES &&
	       !memcmp(data, stream_at(0, 0), DATA_BYTES);
}

static void race_round(unsigned int number, int sender, int receiver,
		       int listener)
{
	struct segment syn = { .syn = true, .to = config.port };
	struct linger linger = { 1, 0 };
	struct tcphdr *tcp;
	int fd;

	/* no client has left such a port in TIME-WAIT */
	syn.port = 1 + number % 1000;
	syn.seq = number * 100003;
	raw_send(sender, &path, &syn);
	tcp = receive(receiver, syn.port, 3000);
	if (!tcp || !tcp->syn || !tcp->ack)
		die("round %u: no SYN-ACK", number);
	completing.port = syn.port;
	completing.to = config.port;
	completing.seq = syn.seq + 1;
	completing.ack = ntohl(tcp->seq) + 1;
	atomic_store(&threads_done, 0);
	atomic_store(&round_begun, number);
	while (atomic_load(&threads_done) < 2)
		sched_yield();
	fd = accept_one(listener);
	if (fd < 0)
		die("round %u: no connection", number);
	if (!has_data(fd))
		die("round %u: the data is not there", number);
	if (accept4(listener, NULL, NULL, SOCK_CLOEXEC) >= 0)
		die("round %u: two connections", number);
	while ((tcp = receive(receiver, syn.port, 0)))
		if (tcp->rst)
			die("round %u: a reset", number);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static void race(void)
{
	int listener = raw_listener(&config, &path, 128), sender, receiver;
	struct racer racers[2];
	unsigned int i;

	enter_netns(config.client_netns);
	sender = raw_socket(&path, IPPROTO_RAW);
	receiver = raw_socket(&path, IPPROTO_TCP);
	for (i = 0; i < 2; i++) {
		racers[i].cpu = i % sysconf(_SC_NPROCESSORS_ONLN);
		racers[i].fd = raw_socket(&path, IPPROTO_RAW);
		racers[i].data = i;
		if (pthread_create(&racers[i].thread, NULL, race_thread,
				   &racers[i]))
			die("no thread");
	}
	for (i = 1; i <= count; i++)
		race_round(i, sender, receiver, listener);
	for (i = 0; i < 2; i++)
		pthread_join(racers[i].thread, NULL);
	printf("rounds=%u\n", count);
}

static void parse_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, RAW_OPTIONS "n:")) != -1) {
		if (option == 'n')
			count = atoi(optarg);
		else if (!raw_option(&config, option, optarg))
			exit(1);
	}
}

int main(int argc, char **argv)
{
	parse_options(argc, argv);
	if (!config.client_netns || !config.source || !config.destination ||
	    !argv[optind])
		die("-c, -a, -d and flood or race are needed");
	stream_init();
	enter_netns(config.client_netns);
	path = raw_parse_path(&config);
	if (!strcmp(argv[optind], "flood"))
		flood();
	else if (config.server_netns && !strcmp(argv[optind], "race"))
		race();
	else
		die("flood or race?");
	return 0;
}
