/* SPDX-License-Identifier: GPL-2.0 */
/* What a socket tells by poll() and by its error queue. */
#ifndef _SOCKEVENTS_H
#define _SOCKEVENTS_H

#include <linux/errqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>

/* The bits of epoll are those of poll(). */
static inline void print_events(unsigned int events)
{
	static const char * const names[] = {
		"in", "pri", "out", "err", "hup",
	};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (events & 1U << i)
			printf(" %s", names[i]);
	if (events & POLLRDHUP)
		printf(" rdhup");
}

static inline void print_error_queue(int fd)
{
	unsigned char control[512] = { 0 };
	struct msghdr message = {
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct sock_extended_err *error;
	struct cmsghdr *c;

	if (recvmsg(fd, &message, MSG_ERRQUEUE) < 0) {
		printf("%s\n", strerrorname_np(errno));
		return;
	}
	for (c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		error = (void *)CMSG_DATA(c);
		printf(" %s origin %u type %u code %u info %u",
		       strerrorname_np(error->ee_errno), error->ee_origin,
		       error->ee_type, error->ee_code, error->ee_info);
	}
	putchar('\n');
}

static inline void on_alarm(int number)
{
	(void)number;
}

static inline void set_alarm(unsigned int ms, bool restart)
{
	struct sigaction action = {
		.sa_handler = on_alarm,
		.sa_flags = restart ? SA_RESTART : 0,
	};
	struct itimerval timer = {
		.it_value.tv_sec = ms / 1000,
		.it_value.tv_usec = ms % 1000 * 1000,
	};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

#endif /* _SOCKEVENTS_H */
