// SPDX-License-Identifier: GPL-2.0
/*
 * storm -s NETNS -c NETNS -a SOURCE -d DESTINATION -p PORT [-S SEED]
 *	[-n ROUNDS | -T MS] [-b TUPLES] [-r RTO_MS] [-f] [-w PATIENCE]
 *
 * Every segment of a client comes from all CPUs at the same time. In each round
 * TUPLES handshakes are begun by copies of their SYN and, at once or about when
 * the server's timer (after RTO_MS) sends its SYN-ACK again, completed by copies
 * of their ACK, some with data. Each must give one flow, that is one ISS; exactly
 * one connection, which has the data; and no reset.
 *
 * With -f the server may lose a flow: then at most one connection, and what it
 * has is right. SOURCE must be local and its kernel must be kept from sending
 * RSTs. PATIENCE multiplies how long it waits for something.
 */
#include "../net/rawseg.h"

#include <linux/filter.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/sysinfo.h>

#define FIRST_PORT	2000
#define PORTS		20000
#define TUPLES_MAX	256
#define THREADS_MAX	8
#define COPIES		2
#define DATA_BYTES	500
#define WAIT_MS		10000

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

static struct {
	struct raw_config raw;
	unsigned int rounds, run_ms, tuples, rto_ms, seed;
	unsigned int patience;
	bool may_fail;
} config = { .tuples = 32, .rto_ms = 100, .patience = 1 };

static struct raw_path path;

struct tuple {
	unsigned short port;
	unsigned int irs, iss;
	bool answered;
	unsigned int connections;
};

static struct tuple tuples[TUPLES_MAX];

/* What the threads send now, and the barriers before each tuple and after all. */
enum { SEND_SYN, SEND_ACK, SEND_STOP };
static int phase;
static atomic_uint phases_begun, tuples_begun, threads_done;

struct sender {
	pthread_t thread;
	unsigned int number;
	int fd;
};

static struct sender senders[THREADS_MAX];
static unsigned int threads;
static int listener, receiver;
static unsigned int complaints, connections, resets, syn_acks;

static unsigned int pick(unsigned int below)
{
	static unsigned long long state;

	if (!state)
		state = config.seed * 2654435761ULL + 1;
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % below;
}

/* For something that need not happen when the server may lose it. */
static unsigned int wait_ms(unsigned int lossy_ms)
{
	return (config.may_fail ? lossy_ms : WAIT_MS) * config.patience;
}

static void complain(const struct tuple *tuple, const char *what)
{
	if (++complaints <= 20)
		printf("port %u: %s\n", tuple->port, what);
}

static void send_copies(const struct sender *sender)
{
	struct segment segment = { .to = config.raw.port };
	unsigned int i, copy;

	for (i = 0; i < config.tuples; i++) {
		const struct tuple *tuple = &tuples[i];

		/* at the same time on all CPUs, for each of them */
		atomic_fetch_add(&tuples_begun, 1);
		while (atomic_load(&tuples_begun) < (i + 1) * threads)
			sched_yield();
		segment.port = tuple->port;
		segment.seq = tuple->irs;
		segment.syn = phase == SEND_SYN;
		if (phase == SEND_ACK) {
			if (!tuple->answered)
				continue;
			segment.seq++;
			segment.ack = tuple->iss + 1;
		}
		for (copy = 0; copy < COPIES; copy++) {
			/* each tuple begins with the data on another CPU */
			if (phase == SEND_ACK &&
			    (sender->number + i + copy) % 2)
				segment.data = DATA_BYTES;
			else
				segment.data = 0;
			raw_send(sender->fd, &path, &segment);
		}
	}
}

static void *send_all(void *argument)
{
	struct sender *sender = argument;
	unsigned int next = 1;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(sender->number % get_nprocs_conf(), &cpus);
	/* a CPU may be offline right now */
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	for (;; next++) {
		while (atomic_load(&phases_begun) < next)
			sched_yield();
		if (phase == SEND_STOP)
			return NULL;
		send_copies(sender);
		atomic_fetch_add(&threads_done, 1);
	}
}

static void run_phase(int what)
{
	phase = what;
	atomic_store(&tuples_begun, 0);
	atomic_store(&threads_done, 0);
	atomic_fetch_add(&phases_begun, 1);
	while (what != SEND_STOP && atomic_load(&threads_done) < threads)
		sched_yield();
}

static struct tuple *tuple_of(unsigned short port)
{
	unsigned int i;

	for (i = 0; i < config.tuples; i++)
		if (tuples[i].port == port)
			return &tuples[i];
	return NULL;
}

static void take_segment(const struct tcphdr *tcp)
{
	struct tuple *tuple = tuple_of(ntohs(tcp->dest));

	if (!tuple)
		return;
	if (tcp->rst) {
		resets++;
		if (!config.may_fail)
			complain(tuple, "a reset");
		return;
	}
	if (!tcp->syn)
		return;
	syn_acks++;
	if (ntohl(tcp->ack_seq) != tuple->irs + 1)
		complain(tuple, "a SYN-ACK for another SYN");
	/* the flow may be lost, and the next SYN begin another one */
	else if (tuple->answered && tuple->iss != ntohl(tcp->seq) &&
		 !config.may_fail)
		complain(tuple, "two initial sequence numbers");
	if (!tuple->answered)
		tuple->iss = ntohl(tcp->seq);
	tuple->answered = true;
}

/* What has come, and comes within MS. */
static void take_segments(int ms)
{
	static unsigned char packet[2048];
	struct pollfd wait = { .fd = receiver, .events = POLLIN };

	while (poll(&wait, 1, ms) > 0) {
		ssize_t n = recv(receiver, packet, sizeof(packet), 0);

		if (n >= 20)
			take_segment(raw_received(&path, packet));
		ms = 0;
	}
}

static bool all_answered(void)
{
	unsigned int i;

	for (i = 0; i < config.tuples; i++)
		if (!tuples[i].answered)
			return false;
	return true;
}

static void await_answers(void)
{
	unsigned long long end = now_ms() + wait_ms(300);
	unsigned int i;

	while (!all_answered() && now_ms() < end)
		take_segments(10);
	if (config.may_fail)
		return;
	for (i = 0; i < config.tuples; i++)
		if (!tuples[i].answered)
			complain(&tuples[i], "no SYN-ACK");
}

/* At once, or when the first or second copy of the SYN-ACK is due. */
static void await_moment(unsigned long long begun_ms)
{
	static const unsigned int timeouts[] = { 0, 0, 1, 3 };
	unsigned long long at = timeouts[pick(4)] * config.rto_ms;

	if (at)
		at += begun_ms + pick(17) - 8;
	while (now_ms() < at)
		take_segments(1);
}

static bool has_data(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	unsigned char data[2 * DATA_BYTES];
	ssize_t n;

	if (poll(&wait, 1, wait_ms(0)) <= 0)
		return config.may_fail;
	n = recv(fd, data, sizeof(data), MSG_DONTWAIT);
	if (n < 0)
		return config.may_fail;
	return n == DATA_BYTES && !memcmp(data, stream_at(0, 0), n);
}

/* Takes one connection, if there is one. Returns it, or -1. */
static int take_connection(void)
{
	union address peer;
	socklen_t length = sizeof(peer);
	struct tuple *tuple;
	int fd;

	fd = accept4(listener, &peer.sa, &length, SOCK_CLOEXEC);
	if (fd < 0)
		return -1;
	connections++;
	tuple = tuple_of(address_port(&peer));
	if (!tuple) {
		/* a flow that was lost, and came back by a copy of its SYN */
		if (!config.may_fail)
			die("a connection of another round");
		return fd;
	}
	if (++tuple->connections > 1)
		complain(tuple, "two connections");
	if (!has_data(fd))
		complain(tuple, "the data is not there");
	return fd;
}

static void take_connections(void)
{
	unsigned long long end = now_ms() + wait_ms(100);
	struct pollfd wait = { .fd = listener, .events = POLLIN };
	struct linger linger = { 1, 0 };
	int fds[2 * TUPLES_MAX];
	unsigned int n = 0, i;

	do {
		poll(&wait, 1, 10);
		while (n < 2 * TUPLES_MAX && (fds[n] = take_connection()) >= 0)
			n++;
	} while (n < config.tuples && now_ms() < end);
	/* one too many, and what may have been reset */
	sleep_ms(2);
	while (n < 2 * TUPLES_MAX && (fds[n] = take_connection()) >= 0)
		n++;
	take_segments(0);
	for (i = 0; i < config.tuples && !config.may_fail; i++)
		if (!tuples[i].connections)
			complain(&tuples[i], "no connection");
	for (i = 0; i < n; i++) {
		setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &linger,
			   sizeof(linger));
		close(fds[i]);
	}
}

static void run_round(unsigned int number)
{
	unsigned long long begun_ms;
	unsigned int i;

	for (i = 0; i < config.tuples; i++)
		tuples[i] = (struct tuple) {
			.port = FIRST_PORT +
				(number * config.tuples + i) % PORTS,
			.irs = pick(0x40000000) * 4 + pick(4),
		};
	/* resets of the connections before are no concern of this round */
	begun_ms = now_ms();
	run_phase(SEND_SYN);
	await_answers();
	await_moment(begun_ms);
	run_phase(SEND_ACK);
	take_connections();
}

/* Nothing but what comes from the server's port, or other traffic fills it. */
static int open_receiver(void)
{
	bool v4 = path.source.sa.sa_family == AF_INET;
	struct sock_filter code[] = {
		v4 ? (struct sock_filter)
			BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0) :
		     (struct sock_filter)BPF_STMT(BPF_LDX | BPF_IMM, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, config.raw.port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };
	int fd = raw_socket(&path, IPPROTO_TCP), bytes = 8 << 20;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		       sizeof(program)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		die("raw socket: %s", strerror(errno));
	return fd;
}

static void parse_number(int option, unsigned int number)
{
	switch (option) {
	case 'n':
		config.rounds = number;
		break;
	case 'T':
		config.run_ms = number;
		break;
	case 'b':
		config.tuples = number;
		break;
	case 'r':
		config.rto_ms = number;
		break;
	case 'S':
		config.seed = number;
		break;
	case 'w':
		config.patience = number;
		break;
	default:
		die("unknown option");
	}
}

static void parse_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv,
				RAW_OPTIONS "n:T:b:r:S:w:f")) != -1) {
		if (option == 'f')
			config.may_fail = true;
		else if (!raw_option(&config.raw, option, optarg))
			parse_number(option, strtoul(optarg ?: "", NULL, 0));
	}
	if (!config.raw.server_netns || !config.raw.client_netns ||
	    !config.raw.source || !config.raw.destination ||
	    !config.raw.port || !config.tuples || config.tuples > TUPLES_MAX)
		die("-s, -c, -a, -d and -p are needed");
}

int main(int argc, char **argv)
{
	unsigned long long end_ms;
	unsigned int i, round = 0;

	parse_options(argc, argv);
	stream_init();
	path = raw_parse_path(&config.raw);
	listener = raw_listener(&config.raw, &path, 4096);
	enter_netns(config.raw.client_netns);
	receiver = open_receiver();
	threads = get_nprocs_conf() < 2 ? 2 : get_nprocs_conf();
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	for (i = 0; i < threads; i++) {
		senders[i].number = i;
		senders[i].fd = raw_socket(&path, IPPROTO_RAW);
		if (pthread_create(&senders[i].thread, NULL, send_all,
				   &senders[i]))
			die("no thread");
	}
	end_ms = now_ms() + config.run_ms;
	while (round < config.rounds || now_ms() < end_ms)
		run_round(round++);
	run_phase(SEND_STOP);
	for (i = 0; i < threads; i++)
		pthread_join(senders[i].thread, NULL);
	printf("rounds=%u\nconnections=%u\nsyn_acks=%u\nresets=%u\ncomplaints=%u\n",
	       round, connections, syn_acks, resets, complaints);
	return complaints || !connections;
}
