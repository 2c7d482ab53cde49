// SPDX-License-Identifier: GPL-2.0
/*
 * Programs with ordinary sockets.
 *
 *	clients serve PORT BACKLOG
 *		takes connections, sends a byte to each, and closes it
 *	clients connect ADDRESS PORT COUNT EACH_MS PATIENCE_MS
 *		COUNT clients, one each EACH_MS; each waits at most PATIENCE_MS for
 *		the byte. Says how many got it and how long those waited:
 *
 *		success PERCENT median MICROSECONDS p99 MICROSECONDS
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX	4096

struct client {
	int64_t began_us;
	int64_t waited_us;	/* 0 while it waits, negative: in vain */
};

static struct client clients[CLIENTS_MAX];
static struct pollfd fds[CLIENTS_MAX];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void serve(int port, int backlog)
{
	struct sockaddr_in any = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int on = 1, fd, sock = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(sock, (struct sockaddr *)&any, sizeof(any)) ||
	    listen(sock, backlog))
		die("listen");
	for (;;) {
		fd = accept(sock, NULL, NULL);
		if (fd < 0)
			continue;
		if (write(fd, "!", 1) < 0 && errno != ECONNRESET &&
		    errno != EPIPE)
			perror("write");
		close(fd);
	}
}

static void begin(unsigned int i, const struct sockaddr_in *to)
{
	/* leaves nothing behind when it closes */
	struct linger linger = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	clients[i].began_us = now_us();
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) &&
	    errno != EINPROGRESS)
		die("connect");
	fds[i].fd = fd;
	fds[i].events = POLLIN;
}

static void end(unsigned int i, bool got)
{
	int64_t waited_us = now_us() - clients[i].began_us;

	clients[i].waited_us = got && waited_us ? waited_us : got ? 1 : -1;
	close(fds[i].fd);
	fds[i].fd = -1;
}

/* Looks after the first clients. Return: how many of them wait. */
static unsigned int look(unsigned int count, int64_t patience_us)
{
	unsigned int i, waiting = 0;
	char byte;

	for (i = 0; i < count; i++) {
		if (fds[i].fd < 0)
			continue;
		if (fds[i].revents)
			end(i, read(fds[i].fd, &byte, 1) == 1);
		else if (now_us() - clients[i].began_us > patience_us)
			end(i, false);
		else
			waiting++;
	}
	return waiting;
}

static int compare(const void *a, const void *b)
{
	const int64_t *first = a, *second = b;

	return *first < *second ? -1 : *first > *second;
}

static void report(unsigned int count)
{
	static int64_t waited[CLIENTS_MAX];
	unsigned int i, n = 0;

	for (i = 0; i < count; i++)
		if (clients[i].waited_us > 0)
			waited[n++] = clients[i].waited_us;
	qsort(waited, n, sizeof(waited[0]), compare);
	printf("success %.1f median %lld p99 %lld\n", 100.0 * n / count,
	       n ? (long long)waited[n / 2] : 0LL,
	       n ? (long long)waited[n * 99 / 100] : 0LL);
}

static int run(const struct sockaddr_in *to, unsigned int count,
	       int64_t each_us, int64_t patience_us)
{
	int64_t start = now_us(), next;
	unsigned int begun = 0, waiting;

	do {
		while (begun < count && now_us() >= start + begun * each_us)
			begin(begun++, to);
		waiting = look(begun, patience_us);
		next = start + begun * each_us - now_us();
		if (begun == count || next > 10000)
			next = 10000;
		if (waiting || begun < count)
			poll(fds, begun, next > 0 ? (next + 999) / 1000 : 0);
	} while (waiting || begun < count);
	report(count);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && !strcmp(argv[1], "serve"))
		serve(atoi(argv[2]), atoi(argv[3]));
	if (argc != 7 || strcmp(argv[1], "connect") ||
	    inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 ||
	    atoi(argv[4]) < 1 || atoi(argv[4]) > CLIENTS_MAX) {
		fprintf(stderr, "clients: serve PORT BACKLOG, or connect ADDRESS PORT COUNT EACH_MS PATIENCE_MS\n");
		return 2;
	}
	to.sin_port = htons(atoi(argv[3]));
	return run(&to, atoi(argv[4]), atoi(argv[5]) * 1000LL,
		   atoi(argv[6]) * 1000LL);
}
