// SPDX-License-Identifier: GPL-2.0
/*
 * Does to sockets what its standard input says, one command a line, and prints
 * each result as verb.socket=value, so that two runs can be compared. Results
 * that a test expects to vary (an error of connect) are printed; what can never
 * be right (a byte that was not sent) ends the program with status 1.
 *
 *   ns NAME			sockets made from now on live there
 *   socket S 4|6 [mptcp]
 *   set S OPTION NUMBER|TEXT	OPTION as in sockdump.h
 *   bind S ADDRESS PORT
 *   listen S BACKLOG
 *   start S ADDRESS PORT	begin to connect
 *   call S ADDRESS PORT		connect, print what it returns
 *   block S			it blocks from now on
 *   alarm MS [restart]		a signal, after which calls go on or not
 *   fastopen S ADDRESS PORT BYTES	send that much by MSG_FASTOPEN
 *   outcomes MS			for so long: what becomes of those that started, when
 *   finish S [MS]		wait for the connection
 *   connect S ADDRESS PORT	both
 *   accept LISTENER S [MS]
 *   send S BYTES [more]
 *   recv S BYTES [MS]		the next bytes of the stream, each one checked
 *   error S [MS]		the error or the end of the stream that comes next
 *   shut S [rd|rdwr], close S, abort S	end the stream, close, close with a reset
 *   filter S			a socket filter that lets nothing in
 *   route S ADDRESS		loose source route: by way of there
 *   md5 S ADDRESS		sign what goes to and comes from there
 *   info S, estimates S		the fields of TCP_INFO, those that vary apart
 *   options S, saved S		options, the saved SYN
 *   repair S			sequence numbers and windows by TCP_REPAIR
 *   same A B			are the sequence numbers of A's and B's ends equal
 *   peer S, local S, mptcp S	both addresses; does MPTCP carry it
 *   watch S, events MS		edge-triggered epoll: count of wakeups
 *   poll S [MS]			what poll() tells
 *   notify S, told S MS		all that an edge-triggered epoll tells, wakeup by wakeup
 *   soerror S, state S, queued S	SO_ERROR, TCP state, the error queue
 *   mark, elapsed NAME		a clock
 *   uid NUMBER, sleep MS, tick, say TEXT
 *   sh COMMAND			by the shell, in the namespace of the start
 */
#include "netutil.h"

#include <linux/filter.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#ifndef SOL_TCP
#define SOL_TCP	IPPROTO_TCP
#endif
#ifndef SOL_MPTCP
#define SOL_MPTCP	284
#endif

#include "sockdump.h"
#include "sockevents.h"

#define DEFAULT_WAIT_MS	10000
#define MAX_SOCKETS	256
#define MAX_WORDS	8

struct script_socket {
	char name[16];
	int fd;
	int notify_fd;
	bool started;
	unsigned long long start_ms;
	unsigned long long sent;
	unsigned long long received;
};

static struct script_socket sockets[MAX_SOCKETS];
static int first_netns;
static int epoll_fd = -1;
static unsigned int line_number;
static unsigned long long mark_ms;

#define fail(...) do {						\
	fflush(stdout);						\
	fprintf(stderr, "line %u: ", line_number);		\
	die(__VA_ARGS__);					\
} while (0)

static struct script_socket *new_socket(const char *name, int fd)
{
	struct script_socket *s, *unused = NULL;

	for (s = sockets; s < sockets + MAX_SOCKETS; s++) {
		if (!strcmp(s->name, name))
			fail("%s is in use", name);
		if (!unused && !s->name[0])
			unused = s;
	}
	if (!unused)
		fail("too many sockets");
	memset(unused, 0, sizeof(*unused));
	snprintf(unused->name, sizeof(unused->name), "%s", name);
	unused->fd = fd;
	return unused;
}

static struct script_socket *find(const char *name)
{
	struct script_socket *s;

	for (s = sockets; s < sockets + MAX_SOCKETS; s++)
		if (!strcmp(s->name, name))
			return s;
	fail("no socket %s", name);
}

static int wait_for(int fd, short events, const char *ms)
{
	struct pollfd wait = { .fd = fd, .events = events };

	return poll(&wait, 1, ms ? atoi(ms) : DEFAULT_WAIT_MS);
}

static void cmd_ns(char **args)
{
	enter_netns(args[0]);
}

static void cmd_socket(char **args)
{
	int family = args[1][0] == '4' ? AF_INET : AF_INET6;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			args[2] ? IPPROTO_MPTCP : IPPROTO_TCP);
	int one = 1;

	if (fd < 0)
		fail("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	new_socket(args[0], fd);
}

static void cmd_set(char **args)
{
	struct linger linger = { 1, 0 };
	struct timeval tv = { 0 };
	int fd = find(args[0])->fd;
	const struct sockopt *opt;
	const void *value = args[2];
	socklen_t length = strlen(args[2]);
	int i = sockopt_find(args[1]), number;
	char *end;

	if (i < 0)
		fail("no option %s", args[1]);
	opt = &sockopts[i];
	number = strtol(args[2], &end, 0);
	if (!*end) {
		value = &number;
		length = sizeof(number);
	}
	if (opt->option == SO_LINGER && opt->level == SOL_SOCKET) {
		linger.l_linger = number;
		value = &linger;
		length = sizeof(linger);
	}
	if (opt->level == SOL_SOCKET &&
	    (opt->option == SO_RCVTIMEO || opt->option == SO_SNDTIMEO)) {
		tv.tv_sec = number;
		value = &tv;
		length = sizeof(tv);
	}
	if (setsockopt(fd, opt->level, opt->option, value, length))
		fail("%s %s: %s", args[1], args[2], strerror(errno));
}

static void cmd_bind(char **args)
{
	union address address = parse_address(args[1], atoi(args[2]));

	if (bind(find(args[0])->fd, &address.sa, address_length(&address)))
		fail("bind: %s", strerror(errno));
}

static void cmd_listen(char **args)
{
	if (listen(find(args[0])->fd, atoi(args[1])))
		fail("listen: %s", strerror(errno));
}

static void cmd_start(char **args)
{
	union address address = parse_address(args[1], atoi(args[2]));
	struct script_socket *s = find(args[0]);

	s->started = true;
	s->start_ms = now_ms();
	if (connect(s->fd, &address.sa, address_length(&address)) &&
	    errno != EINPROGRESS)
		printf("start.%s=%s\n", args[0], strerrorname_np(errno));
}

static void cmd_call(char **args)
{
	union address address = parse_address(args[1], atoi(args[2]));
	int error = 0;

	if (connect(find(args[0])->fd, &address.sa, address_length(&address)))
		error = errno;
	printf("call.%s=%s\n", args[0], strerrorname_np(error));
}

static void cmd_block(char **args)
{
	int fd = find(args[0])->fd;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

static void cmd_alarm(char **args)
{
	set_alarm(atoi(args[0]), args[1]);
}

static void cmd_fastopen(char **args)
{
	union address address = parse_address(args[1], atoi(args[2]));
	struct script_socket *s = find(args[0]);
	ssize_t n = sendto(s->fd, stream_at(0, s->sent), atoi(args[3]),
			   MSG_FASTOPEN | MSG_NOSIGNAL, &address.sa,
			   address_length(&address));

	printf("fastopen.%s=%s\n", args[0], strerrorname_np(n < 0 ? errno : 0));
	if (n > 0)
		s->sent += n;
}

static int socket_error(const struct script_socket *s)
{
	int error = 0;
	socklen_t length = sizeof(error);

	getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	return error;
}

static void cmd_outcomes(char **args)
{
	unsigned long long end = now_ms() + strtoull(args[0], NULL, 0), now;
	struct pollfd wait[MAX_SOCKETS];
	unsigned int i, left;

	for (now = now_ms(); now < end; now = now_ms()) {
		for (i = 0, left = 0; i < MAX_SOCKETS; i++) {
			wait[i].fd = sockets[i].started ? sockets[i].fd : -1;
			wait[i].events = POLLOUT;
			left += sockets[i].started;
		}
		if (!left || poll(wait, MAX_SOCKETS, end - now) <= 0)
			break;
		for (i = 0; i < MAX_SOCKETS; i++) {
			if (!sockets[i].started || !wait[i].revents)
				continue;
			sockets[i].started = false;
			printf("outcome.%s=%s\n", sockets[i].name,
			       strerrorname_np(socket_error(&sockets[i])));
			printf("after.%s=%llu\n", sockets[i].name,
			       now_ms() - sockets[i].start_ms);
		}
	}
	for (i = 0; i < MAX_SOCKETS; i++)
		if (sockets[i].started)
			printf("outcome.%s=none\n", sockets[i].name);
}

static void cmd_finish(char **args)
{
	int fd = find(args[0])->fd, error = EINPROGRESS;
	socklen_t length = sizeof(error);

	if (wait_for(fd, POLLOUT, args[1]) > 0)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	printf("connect.%s=%s\n", args[0], strerrorname_np(error));
}

static void cmd_connect(char **args)
{
	char *finish[MAX_WORDS] = { args[0] };

	cmd_start(args);
	cmd_finish(finish);
}

static void cmd_accept(char **args)
{
	int listener = find(args[0])->fd, fd;

	wait_for(listener, POLLIN, args[2]);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	printf("accept.%s=%s\n", args[1], strerrorname_np(fd < 0 ? errno : 0));
	if (fd >= 0)
		new_socket(args[1], fd);
}

static void cmd_send(char **args)
{
	struct script_socket *s = find(args[0]);
	unsigned long long end = s->sent + strtoull(args[1], NULL, 0);
	unsigned long long left;
	ssize_t n;

	while (s->sent < end) {
		left = end - s->sent;
		n = send(s->fd, stream_at(0, s->sent),
			 left < STREAM_CHUNK ? left : STREAM_CHUNK,
			 MSG_NOSIGNAL | (args[2] ? MSG_MORE : 0));
		if (n > 0)
			s->sent += n;
		else if (errno != EAGAIN || wait_for(s->fd, POLLOUT, NULL) <= 0)
			break;
	}
	if (s->sent < end)
		printf("send.%s=%s\n", args[0], strerrorname_np(errno));
}

static void cmd_recv(char **args)
{
	struct script_socket *s = find(args[0]);
	unsigned long long start = s->received, left;
	unsigned long long end = start + strtoull(args[1], NULL, 0);
	static unsigned char data[STREAM_CHUNK];
	ssize_t n;

	while (s->received < end) {
		if (wait_for(s->fd, POLLIN, args[2]) <= 0)
			break;
		left = end - s->received;
		n = recv(s->fd, data, left < sizeof(data) ? left : sizeof(data),
			 0);
		if (n < 0)
			printf("recv_error.%s=%s\n", args[0],
			       strerrorname_np(errno));
		if (n <= 0)
			break;
		if (memcmp(data, stream_at(0, s->received), n))
			fail("wrong bytes after %llu", s->received);
		s->received += n;
	}
	printf("recv.%s=%llu\n", args[0], s->received - start);
}

static void cmd_error(char **args)
{
	int fd = find(args[0])->fd;
	char byte;
	ssize_t n;

	wait_for(fd, POLLIN, args[1]);
	n = recv(fd, &byte, 1, MSG_PEEK);
	printf("error.%s=%s\n", args[0], n > 0 ? "DATA" : n ?
	       strerrorname_np(errno) : "EOF");
}

static void cmd_shut(char **args)
{
	int how = !args[1] ? SHUT_WR : args[1][2] ? SHUT_RDWR : SHUT_RD;

	if (shutdown(find(args[0])->fd, how))
		printf("shut.%s=%s\n", args[0], strerrorname_np(errno));
}

static void cmd_close(char **args)
{
	struct script_socket *s = find(args[0]);

	close(s->fd);
	if (s->notify_fd)
		close(s->notify_fd);
	s->name[0] = '\0';
	s->started = false;
}

static void cmd_abort(char **args)
{
	struct linger linger = { 1, 0 };

	setsockopt(find(args[0])->fd, SOL_SOCKET, SO_LINGER, &linger,
		   sizeof(linger));
	cmd_close(args);
}

static void cmd_filter(char **args)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { 1, &nothing };

	if (setsockopt(find(args[0])->fd, SOL_SOCKET, SO_ATTACH_FILTER,
		       &program, sizeof(program)))
		fail("SO_ATTACH_FILTER: %s", strerror(errno));
}

static void cmd_route(char **args)
{
	union address hop = parse_address(args[1], 0);
	unsigned char options[8] = { IPOPT_LSRR, 7, 4, };

	memcpy(options + 3, &hop.v4.sin_addr, 4);
	if (setsockopt(find(args[0])->fd, SOL_IP, IP_OPTIONS, options,
		       sizeof(options)))
		fail("IP_OPTIONS: %s", strerror(errno));
}

static void cmd_md5(char **args)
{
	union address peer = parse_address(args[1], 0);
	struct tcp_md5sig md5 = { .tcpm_keylen = 6, .tcpm_key = "secret" };

	memcpy(&md5.tcpm_addr, &peer, sizeof(peer));
	if (setsockopt(find(args[0])->fd, SOL_TCP, TCP_MD5SIG, &md5,
		       sizeof(md5)))
		fail("TCP_MD5SIG: %s", strerror(errno));
}

static struct tcp_info info_of(const char *name)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	if (getsockopt(find(name)->fd, SOL_TCP, TCP_INFO, &info, &length))
		fail("TCP_INFO: %s", strerror(errno));
	return info;
}

static void cmd_info(char **args)
{
	struct tcp_info info = info_of(args[0]);

	dump_negotiated(args[0], &info);
	dump_history(args[0], &info);
}

static void cmd_estimates(char **args)
{
	struct tcp_info info = info_of(args[0]);

	dump_estimates(args[0], &info);
}

static void cmd_options(char **args)
{
	dump_options(args[0], find(args[0])->fd);
}

/* Ports, sequence numbers, checksum and timestamp differ by nature. */
static void cmd_saved(char **args)
{
	unsigned char syn[512];
	socklen_t length = sizeof(syn);
	size_t i;

	printf("saved.%s=", args[0]);
	if (getsockopt(find(args[0])->fd, SOL_TCP, TCP_SAVED_SYN, syn,
		       &length)) {
		printf("%s\n", strerrorname_np(errno));
		return;
	}
	for (i = 0; i < length; i++)
		printf("%02x", syn[i]);
	putchar('\n');
}

static unsigned int repair_seq(int fd, int queue)
{
	unsigned int seq = 0;
	socklen_t length = sizeof(seq);

	if (setsockopt(fd, SOL_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)) ||
	    getsockopt(fd, SOL_TCP, TCP_QUEUE_SEQ, &seq, &length))
		fail("TCP_QUEUE_SEQ: %s", strerror(errno));
	return seq;
}

static void repair_switch(int fd, int value)
{
	if (setsockopt(fd, SOL_TCP, TCP_REPAIR, &value, sizeof(value)))
		fail("TCP_REPAIR: %s", strerror(errno));
}

static void cmd_repair(char **args)
{
	struct tcp_repair_window window = { 0 };
	socklen_t length = sizeof(window);
	int fd = find(args[0])->fd;
	unsigned int rcv_nxt;

	repair_switch(fd, TCP_REPAIR_ON);
	rcv_nxt = repair_seq(fd, TCP_RECV_QUEUE);
	if (getsockopt(fd, SOL_TCP, TCP_REPAIR_WINDOW, &window, &length))
		fail("TCP_REPAIR_WINDOW: %s", strerror(errno));
	repair_switch(fd, TCP_REPAIR_OFF_NO_WP);
	printf("repair.%s.snd_wnd=%u\n", args[0], window.snd_wnd);
	printf("repair.%s.max_window=%u\n", args[0], window.max_window);
	printf("repair.%s.rcv_wnd=%u\n", args[0], window.rcv_wnd);
	printf("repair.%s.snd_wl1-rcv_nxt=%d\n", args[0],
	       (int)(window.snd_wl1 - rcv_nxt));
	printf("repair.%s.rcv_wup-rcv_nxt=%d\n", args[0],
	       (int)(window.rcv_wup - rcv_nxt));
}

static void cmd_same(char **args)
{
	int a = find(args[0])->fd, b = find(args[1])->fd;
	unsigned int a_snd, a_rcv, b_snd, b_rcv;

	repair_switch(a, TCP_REPAIR_ON);
	repair_switch(b, TCP_REPAIR_ON);
	a_snd = repair_seq(a, TCP_SEND_QUEUE);
	a_rcv = repair_seq(a, TCP_RECV_QUEUE);
	b_snd = repair_seq(b, TCP_SEND_QUEUE);
	b_rcv = repair_seq(b, TCP_RECV_QUEUE);
	repair_switch(a, TCP_REPAIR_OFF_NO_WP);
	repair_switch(b, TCP_REPAIR_OFF_NO_WP);
	printf("same.%s=%d\n", args[0], a_snd == b_rcv && b_snd == a_rcv);
}

static void print_name(const char *verb, const char *name,
		       int (*get)(int, struct sockaddr *, socklen_t *))
{
	union address address = { 0 };
	socklen_t length = sizeof(address);
	char text[64];

	if (get(find(name)->fd, &address.sa, &length)) {
		printf("%s.%s=%s\n", verb, name, strerrorname_np(errno));
		return;
	}
	format_address(&address, text, sizeof(text));
	printf("%s.%s=%s port %u scope %u\n", verb, name, text,
	       address_port(&address), address.sa.sa_family == AF_INET6 ?
	       address.v6.sin6_scope_id : 0);
}

static void cmd_peer(char **args)
{
	print_name("peer", args[0], getpeername);
}

static void cmd_local(char **args)
{
	print_name("local", args[0], getsockname);
}

static void cmd_mptcp(char **args)
{
	unsigned char info[256];
	socklen_t length = sizeof(info);
	int error = 0;

	/* MPTCP_INFO, option 1: EOPNOTSUPP or EPROTO once fallen back. */
	if (getsockopt(find(args[0])->fd, SOL_MPTCP, 1, info, &length))
		error = errno;
	printf("mptcp.%s=%s\n", args[0], strerrorname_np(error));
}

static void cmd_watch(char **args)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	if (epoll_fd < 0)
		epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, find(args[0])->fd, &event))
		fail("epoll_ctl: %s", strerror(errno));
}

static void cmd_events(char **args)
{
	unsigned long long end = now_ms() + atoi(args[0]);
	struct epoll_event event;
	unsigned int count = 0;

	while (now_ms() < end)
		if (epoll_wait(epoll_fd, &event, 1, end - now_ms()) > 0)
			count++;
	printf("events=%u\n", count);
}

static void cmd_poll(char **args)
{
	struct pollfd wait = {
		.fd = find(args[0])->fd,
		.events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP,
	};

	poll(&wait, 1, args[1] ? atoi(args[1]) : 0);
	printf("poll.%s=", args[0]);
	print_events(wait.revents);
	putchar('\n');
}

static void cmd_notify(char **args)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET,
	};
	struct script_socket *s = find(args[0]);

	s->notify_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(s->notify_fd, EPOLL_CTL_ADD, s->fd, &event))
		fail("epoll_ctl: %s", strerror(errno));
}

static void cmd_told(char **args)
{
	unsigned long long end = now_ms() + atoi(args[1]), now;
	struct script_socket *s = find(args[0]);
	struct epoll_event event;

	printf("told.%s=", args[0]);
	for (now = now_ms(); now < end; now = now_ms()) {
		if (epoll_wait(s->notify_fd, &event, 1, end - now) <= 0)
			continue;
		print_events(event.events);
		printf(";");
	}
	putchar('\n');
}

static void cmd_soerror(char **args)
{
	printf("soerror.%s=%s\n", args[0],
	       strerrorname_np(socket_error(find(args[0]))));
}

static void cmd_state(char **args)
{
	printf("state.%s=%u\n", args[0], info_of(args[0]).tcpi_state);
}

static void cmd_queued(char **args)
{
	printf("queued.%s=", args[0]);
	print_error_queue(find(args[0])->fd);
}

static void cmd_mark(char **args)
{
	(void)args;
	mark_ms = now_ms();
}

static void cmd_elapsed(char **args)
{
	printf("elapsed.%s=%llu\n", args[0], now_ms() - mark_ms);
}

static void cmd_uid(char **args)
{
	if (seteuid(atoi(args[0])))
		fail("uid %s: %s", args[0], strerror(errno));
}

static void cmd_sleep(char **args)
{
	sleep_ms(atoi(args[0]));
}

static void cmd_tick(char **args)
{
	(void)args;
	wait_for_tick();
}

static void cmd_say(char **args)
{
	puts(args[0]);
}

static void cmd_sh(char **args)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (setns(first_netns, CLONE_NEWNET))
			_exit(126);
		execl("/bin/bash", "bash", "-c", args[0], NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		fail("%s: failed", args[0]);
}

static const struct command {
	const char *name;
	void (*run)(char **args);
	int needed;
	bool rest_of_line;
} commands[] = {
	{ "ns", cmd_ns, 1, false },
	{ "socket", cmd_socket, 2, false },
	{ "set", cmd_set, 3, false },
	{ "bind", cmd_bind, 3, false },
	{ "listen", cmd_listen, 2, false },
	{ "start", cmd_start, 3, false },
	{ "call", cmd_call, 3, false },
	{ "block", cmd_block, 1, false },
	{ "alarm", cmd_alarm, 1, false },
	{ "fastopen", cmd_fastopen, 4, false },
	{ "outcomes", cmd_outcomes, 1, false },
	{ "finish", cmd_finish, 1, false },
	{ "connect", cmd_connect, 3, false },
	{ "accept", cmd_accept, 2, false },
	{ "send", cmd_send, 2, false },
	{ "recv", cmd_recv, 2, false },
	{ "error", cmd_error, 1, false },
	{ "shut", cmd_shut, 1, false },
	{ "close", cmd_close, 1, false },
	{ "abort", cmd_abort, 1, false },
	{ "filter", cmd_filter, 1, false },
	{ "route", cmd_route, 2, false },
	{ "md5", cmd_md5, 2, false },
	{ "info", cmd_info, 1, false },
	{ "estimates", cmd_estimates, 1, false },
	{ "options", cmd_options, 1, false },
	{ "saved", cmd_saved, 1, false },
	{ "repair", cmd_repair, 1, false },
	{ "same", cmd_same, 2, false },
	{ "peer", cmd_peer, 1, false },
	{ "local", cmd_local, 1, false },
	{ "mptcp", cmd_mptcp, 1, false },
	{ "watch", cmd_watch, 1, false },
	{ "events", cmd_events, 1, false },
	{ "poll", cmd_poll, 1, false },
	{ "notify", cmd_notify, 1, false },
	{ "told", cmd_told, 2, false },
	{ "soerror", cmd_soerror, 1, false },
	{ "state", cmd_state, 1, false },
	{ "queued", cmd_queued, 1, false },
	{ "mark", cmd_mark, 0, false },
	{ "elapsed", cmd_elapsed, 1, false },
	{ "uid", cmd_uid, 1, false },
	{ "sleep", cmd_sleep, 1, false },
	{ "tick", cmd_tick, 0, false },
	{ "say", cmd_say, 1, true },
	{ "sh", cmd_sh, 1, true },
};

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	fail("no command %s", name);
}

static void run_line(char *line)
{
	char *args[MAX_WORDS + 1] = { NULL }, *rest = line;
	const struct command *command;
	int count = 0;
	char *word;

	line[strcspn(line, "\n")] = '\0';
	rest += strspn(rest, " \t");
	if (!*rest || *rest == '#')
		return;
	word = strsep(&rest, " \t");
	command = find_command(word);
	if (command->rest_of_line) {
		args[count++] = rest ? rest : "";
	} else {
		while (rest && count < MAX_WORDS) {
			word = strsep(&rest, " \t");
			if (*word)
				args[count++] = word;
		}
	}
	if (count < command->needed)
		fail("%s: %d arguments, not %d", command->name, count,
		     command->needed);
	command->run(args);
	fflush(stdout);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	stream_init();
	first_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (first_netns < 0)
		die("no network namespaces: %s", strerror(errno));
	while (getline(&line, &size, stdin) > 0) {
		line_number++;
		run_line(line);
	}
	free(line);
	return 0;
}
