// SPDX-License-Identifier: GPL-2.0
/*
 * connectrace -s NETNS -c NETNS -a ADDRESS -p PORT -n N
 *
 * Two threads connect to a listener N times in all, and give up after a random
 * time that is about as long as a handshake takes, each time in another way.
 * What a connect() may tell then is known; prints how often each was told, and
 * fails on anything else, or if a socket that was not given up does not work.
 */
#include "netutil.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#define MAX_PAUSE_US	600
#define WAYS		6

static const char *server_netns, *client_netns, *target_text;
static unsigned int port = 8080, count = 1000;
static union address target;
static atomic_uint next, connected, pending, wrong;
static atomic_bool stop;

static void complain(const char *what, int error)
{
	printf("%s: %s\n", what, strerrorname_np(error));
	atomic_fetch_add(&wrong, 1);
}

static void pause_us(unsigned int us)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - start.tv_sec) * 1000000LL +
	       (now.tv_nsec - start.tv_nsec) / 1000 < us);
}

static int error_of(int fd)
{
	int error = 0;
	socklen_t length = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	return error;
}

/* The socket has to connect and to get a byte from the server. */
static void use(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	char byte;

	if (poll(&wait, 1, 60000) != 1 || error_of(fd)) {
		complain("connect", error_of(fd));
		return;
	}
	wait.events = POLLIN;
	if (poll(&wait, 1, 60000) != 1 || recv(fd, &byte, 1, 0) != 1)
		complain("recv", errno);
	atomic_fetch_add(&connected, 1);
}

/* As a socket that was never used. */
static void disconnect(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (connect(fd, &none, sizeof(none)))
		complain("disconnect", errno);
	if (connect(fd, &target.sa, address_length(&target)) &&
	    errno != EINPROGRESS)
		complain("connect again", errno);
}

static void ask(int fd)
{
	if (!connect(fd, &target.sa, address_length(&target)) ||
	    errno == EISCONN)
		atomic_fetch_add(&connected, 1);
	else if (errno == EALREADY)
		atomic_fetch_add(&pending, 1);
	else
		complain("second connect", errno);
}

static void give_up(int fd, unsigned int way)
{
	struct linger linger = { 1, 0 };

	switch (way) {
	case 0:
		return;
	case 1:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		return;
	case 2:
		shutdown(fd, SHUT_RDWR);
		return;
	case 3:
		disconnect(fd);
		return;
	case 4:
		ask(fd);
		return;
	}
	use(fd);
}

static void *connect_all(void *arg)
{
	unsigned int seed = (unsigned long)arg, number;
	int fd, one = 1;

	/* namespaces are of threads */
	enter_netns(client_netns);
	while ((number = atomic_fetch_add(&next, 1)) < count) {
		fd = socket(target.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK,
			    0);
		if (fd < 0)
			die("socket: %s", strerror(errno));
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (connect(fd, &target.sa, address_length(&target)) &&
		    errno != EINPROGRESS)
			complain("first connect", errno);
		pause_us(rand_r(&seed) % MAX_PAUSE_US);
		give_up(fd, number % WAYS);
		close(fd);
	}
	return NULL;
}

static void *accept_all(void *arg)
{
	struct pollfd wait = { .events = POLLIN };
	union address any = { 0 };
	int listener, fd, one = 1;

	enter_netns(server_netns);
	any.sa.sa_family = AF_INET6;
	set_port(&any, port);
	listener = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, &any.sa, sizeof(any.v6)) || listen(listener, 4096))
		die("listen: %s", strerror(errno));
	atomic_store((atomic_bool *)arg, true);
	wait.fd = listener;
	while (!atomic_load(&stop)) {
		poll(&wait, 1, 100);
		while ((fd = accept(listener, NULL, NULL)) >= 0) {
			send(fd, "x", 1, MSG_NOSIGNAL);
			close(fd);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t server, clients[2];
	atomic_bool ready = false;
	unsigned long i;
	int option;

	while ((option = getopt(argc, argv, "s:c:a:p:n:")) != -1) {
		switch (option) {
		case 's':
			server_netns = optarg;
			break;
		case 'c':
			client_netns = optarg;
			break;
		case 'a':
			target_text = optarg;
			break;
		case 'p':
			port = atoi(optarg);
			break;
		case 'n':
			count = atoi(optarg);
			break;
		default:
			die("unknown option");
		}
	}
	if (!server_netns || !client_netns || !target_text)
		die("-s, -c and -a are needed");
	target = parse_address(target_text, port);
	pthread_create(&server, NULL, accept_all, &ready);
	while (!atomic_load(&ready))
		sleep_ms(1);
	for (i = 0; i < 2; i++)
		pthread_create(&clients[i], NULL, connect_all, (void *)(i + 1));
	for (i = 0; i < 2; i++)
		pthread_join(clients[i], NULL);
	atomic_store(&stop, true);
	pthread_join(server, NULL);
	printf("connected=%u\npending=%u\nwrong=%u\n", connected, pending,
	       wrong);
	return wrong || !connected;
}
