// SPDX-License-Identifier: GPL-2.0
/*
 * Makes TCP connections and is both ends of them, each in its own namespace.
 * Every byte of both streams is checked, as is their end. Prints name=value
 * lines; exits 0 when every connection did what it should.
 *
 *   -s NETNS, -c NETNS	where the server and the client live
 *   -l ADDRESS, -p PORT	listen there; -r N: SO_REUSEPORT group of N sockets
 *   -b BACKLOG		of each listener
 *   -a ADDRESS, -P PORT	connect there; -a more than once: in turn
 *   -k PORT		source port of the first connection, then counting up
 *   -n N, -j N		connections, how many at once
 *   -u BYTES, -d BYTES	from client to server, and back
 *   -o client|server	who talks first; the other waits for its first byte,
 *			the server for the whole request
 *   -e client|server|rst	who closes first, or both are reset
 *   -q			the client delays its first ACK
 *   -x			the client sends its FIN with its last byte
 *   -m, -M		the server, the client uses MPTCP
 *   -R			print "port PORT listener N" for each connection
 *   -t SECONDS		give up after that long
 *   -T MS		go on making connections for so long, or until SIGTERM,
 *			instead of -n
 *   -f			connections may fail, but not hang or corrupt data; the
 *			client sends keepalives, for a server that talks first may
 *			not know of the connection
 *   -W PREFIX		make PREFIX.half when half of all bytes are there, and go
 *			on when PREFIX.go is there
 */
#include "netutil.h"

#include <linux/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#define MAX_ADDRESSES	8
#define MAX_LISTENERS	16
#define MAX_ERRORS	16
#define OPTIONS		"s:c:l:p:r:b:a:P:k:n:j:u:d:o:e:t:T:W:qxmMRf"

enum { FIRST_BOTH, FIRST_CLIENT, FIRST_SERVER };
enum { CLOSE_CLIENT, CLOSE_SERVER, CLOSE_RESET };

struct connection;

struct endpoint {
	struct connection *connection;	/* NULL for a listener */
	unsigned int index;		/* of a listener */
	bool server;
	int fd;
	bool eof, shut;
	unsigned long long sent, received;
};

struct connection {
	unsigned int id;
	unsigned short port;
	bool v6, halfway;
	struct endpoint client, server;
};

static struct {
	const char *server_netns, *client_netns, *listen, *wait_prefix;
	const char *connect[MAX_ADDRESSES];
	unsigned int addresses, listeners, backlog, port, connect_port;
	unsigned int source_port, count, at_once, first, closer;
	unsigned int timeout_ms, repeat_ms;
	unsigned long long up, down;
	bool delay_ack, early_fin, server_mptcp, client_mptcp;
	bool print_listener, may_fail;
} config = {
	.listen = "::", .listeners = 1, .backlog = 4096, .port = 8080,
	.count = 1, .at_once = 1000000, .timeout_ms = 30000,
};

static struct {
	char name[40];
	unsigned int count;
} errors[MAX_ERRORS];

static struct endpoint listeners[MAX_LISTENERS];
static union address targets[MAX_ADDRESSES];
static struct connection *slots;
static struct connection *by_port[2][65536];
static unsigned int started, ended, failed, corrupt, stray, halfway;
static unsigned long long start_ms;
static bool released;
static int epoll_fd;

static void count_error(const char *where, int error)
{
	char name[40];
	unsigned int i;

	snprintf(name, sizeof(name), "%s_%s", where, strerrorname_np(error));
	for (i = 0; i < MAX_ERRORS - 1; i++) {
		if (errors[i].count && strcmp(errors[i].name, name))
			continue;
		strcpy(errors[i].name, name);
		break;
	}
	errors[i].count++;
}

static void watch(struct endpoint *end)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = end,
	};

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, end->fd, &event))
		die("epoll_ctl: %s", strerror(errno));
}

static int new_socket(int family, bool mptcp)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			mptcp ? IPPROTO_MPTCP : IPPROTO_TCP);
	int one = 1;

	if (fd < 0)
		die("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

/*
 * A client that has nothing to send is not told if the server has forgotten the
 * handshake, or got a SYN cookie, and its ACK was lost.
 */
static void keep_alive(int fd)
{
	int one = 1, idle_s = 3, interval_s = 1, probes = 20;

	if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s,
		       sizeof(idle_s)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s,
		       sizeof(interval_s)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes)))
		die("keepalive: %s", strerror(errno));
}

static void open_listeners(void)
{
	union address address;
	unsigned int i;
	int fd, one = 1;

	enter_netns(config.server_netns);
	address = parse_address(config.listen, config.port);
	for (i = 0; i < config.listeners; i++) {
		fd = new_socket(address.sa.sa_family, config.server_mptcp);
		if (config.listeners > 1)
			setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one,
				   sizeof(one));
		if (bind(fd, &address.sa, address_length(&address)) ||
		    listen(fd, config.backlog))
			die("listen: %s", strerror(errno));
		listeners[i].index = i;
		listeners[i].fd = fd;
		watch(&listeners[i]);
	}
}

static void close_end(struct endpoint *end, bool reset)
{
	struct linger linger = { 1, 0 };

	if (end->fd < 0)
		return;
	if (reset)
		setsockopt(end->fd, SOL_SOCKET, SO_LINGER, &linger,
			   sizeof(linger));
	close(end->fd);
	end->fd = -1;
}

static void end_connection(struct connection *c, bool success)
{
	struct connection **known = &by_port[c->v6][c->port];

	close_end(&c->client, !success);
	close_end(&c->server, !success);
	if (*known == c)
		*known = NULL;
	c->id = 0;
	ended++;
	if (!success)
		failed++;
}

static void end_failed(struct endpoint *end, const char *what, int error)
{
	char where[32];

	snprintf(where, sizeof(where), "%s%s", what,
		 end->server ? "_server" : "_client");
	count_error(where, error);
	if (!config.may_fail)
		fprintf(stderr, "%llu ms: IPv%c port %u: %s: %s\n",
			now_ms() - start_ms, end->connection->v6 ? '6' : '4',
			end->connection->port, where, strerrorname_np(error));
	end_connection(end->connection, false);
}

/* The port must be known before the server can meet the connection. */
static void note_port(struct connection *c)
{
	union address local = { 0 };
	socklen_t length = sizeof(local);

	getsockname(c->client.fd, &local.sa, &length);
	c->port = address_port(&local);
	c->v6 = local.sa.sa_family == AF_INET6;
	by_port[c->v6][c->port] = c;
}

static void bind_source(int fd, int family, unsigned int port)
{
	union address address = { 0 };

	address.sa.sa_family = family;
	set_port(&address, port);
	if (bind(fd, &address.sa, address_length(&address)))
		die("bind to port %u: %s", port, strerror(errno));
}

static void start_connection(struct connection *c)
{
	unsigned int number = started++;
	union address *target = &targets[number % config.addresses];
	int fd = new_socket(target->sa.sa_family, config.client_mptcp);
	int zero = 0;

	memset(c, 0, sizeof(*c));
	c->id = number + 1;
	c->client.connection = c;
	c->server.connection = c;
	c->server.server = true;
	c->client.fd = fd;
	c->server.fd = -1;
	if (config.delay_ack)
		setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &zero, sizeof(zero));
	if (config.may_fail)
		keep_alive(fd);
	if (config.source_port)
		bind_source(fd, target->sa.sa_family,
			    config.source_port + number);
	if (connect(fd, &target->sa, address_length(target)) &&
	    errno != EINPROGRESS) {
		end_failed(&c->client, "connect", errno);
		return;
	}
	note_port(c);
	watch(&c->client);
}

static bool may_start(void)
{
	sigset_t pending;

	if (config.repeat_ms) {
		sigpending(&pending);
		return now_ms() < start_ms + config.repeat_ms &&
		       !sigismember(&pending, SIGTERM);
	}
	return started < config.count;
}

static void fill_slots(void)
{
	unsigned int i;

	for (i = 0; i < config.at_once && may_start(); i++)
		if (!slots[i].id)
			start_connection(&slots[i]);
}

static unsigned long long to_send(const struct endpoint *end)
{
	return end->server ? config.down : config.up;
}

static unsigned long long to_receive(const struct endpoint *end)
{
	return end->server ? config.up : config.down;
}

/* How far this end may send by now. */
static unsigned long long send_limit(const struct endpoint *end)
{
	unsigned long long all = to_send(end);

	if (end->server) {
		if (config.early_fin && !end->eof)
			return 0;
		if (config.first == FIRST_CLIENT && end->received < config.up)
			return 0;
	} else if (config.first == FIRST_SERVER && !end->received) {
		return 0;
	}
	return released ? all : all / 2;
}

/* Returns a negative errno value, -EAGAIN when nothing more can be done now. */
static int pump_out(struct endpoint *end)
{
	unsigned long long limit = send_limit(end), left;
	unsigned int stream = 2 * end->connection->id + end->server;
	bool early = config.early_fin && !end->server;
	ssize_t n;

	while (end->sent < limit) {
		left = limit - end->sent;
		n = send(end->fd, stream_at(stream, end->sent),
			 left < STREAM_CHUNK ? left : STREAM_CHUNK,
			 MSG_NOSIGNAL | (early ? MSG_MORE : 0));
		if (n < 0)
			return -errno;
		end->sent += n;
	}
	if (early && !end->shut && end->sent == to_send(end)) {
		if (shutdown(end->fd, SHUT_WR))
			return -errno;
		end->shut = true;
	}
	return -EAGAIN;
}

static int pump_in(struct endpoint *end)
{
	unsigned int stream = 2 * end->connection->id + !end->server;
	static unsigned char data[STREAM_CHUNK];
	ssize_t n;

	while (!end->eof) {
		n = recv(end->fd, data, sizeof(data), 0);
		if (n < 0)
			return -errno;
		if (!n)
			end->eof = true;
		if (memcmp(data, stream_at(stream, end->received), n)) {
			corrupt++;
			return -EBADMSG;
		}
		end->received += n;
	}
	return -EAGAIN;
}

static bool has_all(const struct endpoint *end)
{
	return end->sent == to_send(end) && end->received == to_receive(end);
}

static void note_halfway(struct connection *c)
{
	if (c->halfway || c->client.received < config.down / 2 ||
	    c->server.received < config.up / 2)
		return;
	c->halfway = true;
	halfway++;
}

/* Data must not be short or long at its end, nor the end come unasked. */
static void check_connection(struct connection *c)
{
	struct endpoint *first, *last;

	note_halfway(c);
	if (c->client.received > config.down || c->server.received > config.up) {
		corrupt++;
		end_failed(&c->client, "long", 0);
		return;
	}
	if (!has_all(&c->client) || !has_all(&c->server)) {
		if (c->client.eof ||
		    (c->server.eof && c->server.received < config.up))
			end_failed(&c->client, "short", 0);
		return;
	}
	if (config.closer == CLOSE_RESET) {
		close_end(&c->client, true);
		close_end(&c->server, true);
		end_connection(c, true);
		return;
	}
	first = config.closer == CLOSE_CLIENT ? &c->client : &c->server;
	last = config.closer == CLOSE_CLIENT ? &c->server : &c->client;
	close_end(first, false);
	if (last->eof)
		end_connection(c, true);
}

static void pump(struct endpoint *end)
{
	struct connection *c = end->connection;
	int error;

	if (end->fd < 0)
		return;
	error = pump_in(end);
	if (error == -EAGAIN)
		error = pump_out(end);
	if (error != -EAGAIN && error != -ENOTCONN) {
		end_failed(end, "stream", -error);
		return;
	}
	check_connection(c);
}

static void connection_event(struct endpoint *end, unsigned int events)
{
	socklen_t length = sizeof(int);
	int error = 0;

	if (end->fd < 0)
		return;
	if (events & EPOLLERR) {
		getsockopt(end->fd, SOL_SOCKET, SO_ERROR, &error, &length);
		if (error) {
			end_failed(end, end->sent || end->received ?
				   "stream" : "connect", error);
			return;
		}
	}
	pump(end);
}

static struct connection *connection_of(int fd)
{
	union address peer = { 0 };
	socklen_t length = sizeof(peer);
	bool v6;

	if (getpeername(fd, &peer.sa, &length))
		return NULL;
	v6 = peer.sa.sa_family == AF_INET6 &&
	     !IN6_IS_ADDR_V4MAPPED(&peer.v6.sin6_addr);
	return by_port[v6][address_port(&peer)];
}

static void tell_stray(int fd, const struct connection *c)
{
	union address peer = { 0 };
	socklen_t length = sizeof(peer);

	if (getpeername(fd, &peer.sa, &length))
		fprintf(stderr, "%llu ms: accepted, but dead: %s\n",
			now_ms() - start_ms, strerrorname_np(errno));
	else
		fprintf(stderr, "%llu ms: port %u accepted %s\n",
			now_ms() - start_ms, address_port(&peer),
			c ? "again" : "too late");
}

static void accept_all(struct endpoint *listener)
{
	struct connection *c;
	int fd;

	while ((fd = accept4(listener->fd, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		c = connection_of(fd);
		if (!c || c->server.fd >= 0) {
			stray++;
			if (!config.may_fail)
				tell_stray(fd, c);
			close(fd);
			continue;
		}
		if (config.print_listener)
			printf("port %u listener %u\n", c->port,
			       listener->index);
		c->server.fd = fd;
		watch(&c->server);
		pump(&c->server);
	}
}

static void pump_all(void)
{
	unsigned int i;

	for (i = 0; i < config.at_once; i++) {
		if (slots[i].id)
			pump(&slots[i].client);
		if (slots[i].id)
			pump(&slots[i].server);
	}
}

static void synchronise(void)
{
	char path[128];
	int fd;

	if (released || halfway < config.count)
		return;
	snprintf(path, sizeof(path), "%s.half", config.wait_prefix);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	if (fd >= 0)
		close(fd);
	snprintf(path, sizeof(path), "%s.go", config.wait_prefix);
	if (access(path, F_OK))
		return;
	released = true;
	pump_all();
}

static void run(void)
{
	unsigned long long give_up = start_ms + config.timeout_ms;
	struct epoll_event events[64];
	struct endpoint *end;
	int count, i;

	for (;;) {
		fill_slots();
		if ((started == ended && !may_start()) || now_ms() > give_up)
			return;
		count = epoll_wait(epoll_fd, events, 64, 10);
		for (i = 0; i < count; i++) {
			end = events[i].data.ptr;
			if (end->connection)
				connection_event(end, events[i].events);
			else
				accept_all(end);
		}
		synchronise();
	}
}

static void parse_word(int option, const char *word)
{
	unsigned int *to = option == 'o' ? &config.first : &config.closer;

	if (!strcmp(word, "client"))
		*to = option == 'o' ? FIRST_CLIENT : CLOSE_CLIENT;
	else if (!strcmp(word, "server"))
		*to = option == 'o' ? FIRST_SERVER : CLOSE_SERVER;
	else if (option == 'e' && !strcmp(word, "rst"))
		*to = CLOSE_RESET;
	else
		die("-%c %s?", option, word);
}

static bool parse_flag(int option)
{
	switch (option) {
	case 'q':
		config.delay_ack = true;
		return true;
	case 'x':
		config.early_fin = true;
		config.closer = CLOSE_SERVER;
		return true;
	case 'm':
		config.server_mptcp = true;
		return true;
	case 'M':
		config.client_mptcp = true;
		return true;
	case 'R':
		config.print_listener = true;
		return true;
	case 'f':
		config.may_fail = true;
		return true;
	}
	return false;
}

static bool parse_number(int option, const char *text)
{
	unsigned long long number = strtoull(text, NULL, 0);

	switch (option) {
	case 'p':
		config.port = number;
		return true;
	case 'P':
		config.connect_port = number;
		return true;
	case 'r':
		config.listeners = number;
		return number > 0 && number <= MAX_LISTENERS;
	case 'b':
		config.backlog = number;
		return true;
	case 'k':
		config.source_port = number;
		return true;
	case 'n':
		config.count = number;
		return true;
	case 'j':
		config.at_once = number;
		return number > 0;
	case 'u':
		config.up = number;
		return true;
	case 'd':
		config.down = number;
		return true;
	case 't':
		config.timeout_ms = number * 1000;
		return true;
	case 'T':
		config.repeat_ms = number;
		return true;
	}
	return false;
}

static void parse_option(int option)
{
	switch (option) {
	case 's':
		config.server_netns = optarg;
		return;
	case 'c':
		config.client_netns = optarg;
		return;
	case 'l':
		config.listen = optarg;
		return;
	case 'W':
		config.wait_prefix = optarg;
		return;
	case 'a':
		if (config.addresses == MAX_ADDRESSES)
			die("too many addresses");
		config.connect[config.addresses++] = optarg;
		return;
	case 'o':
	case 'e':
		parse_word(option, optarg);
		return;
	}
	if (!parse_flag(option) && !(optarg && parse_number(option, optarg)))
		die("unknown option or bad number: -%c", option);
}

static void prepare(void)
{
	struct rlimit limit;
	sigset_t signals;
	unsigned int i;

	if (!config.server_netns || !config.client_netns || !config.addresses)
		die("-s, -c and -a are needed");
	if (!config.connect_port)
		config.connect_port = config.port;
	if (!config.repeat_ms && config.at_once > config.count)
		config.at_once = config.count;
	released = !config.wait_prefix;
	/* looked for when a connection might be started, see may_start() */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	if (config.repeat_ms)
		sigprocmask(SIG_BLOCK, &signals, NULL);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	slots = calloc(config.at_once, sizeof(*slots));
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!slots || epoll_fd < 0)
		die("no memory");
	stream_init();
	open_listeners();
	enter_netns(config.client_netns);
	for (i = 0; i < config.addresses; i++)
		targets[i] = parse_address(config.connect[i],
					   config.connect_port);
}

int main(int argc, char **argv)
{
	unsigned int stuck, i;
	int option;

	while ((option = getopt(argc, argv, OPTIONS)) != -1)
		parse_option(option);
	prepare();
	start_ms = now_ms();
	run();
	stuck = started - ended;
	printf("connections=%u\nok=%u\nfailed=%u\nstuck=%u\ncorrupt=%u\n",
	       started, ended - failed, failed, stuck, corrupt);
	printf("stray=%u\nms=%llu\n", stray, now_ms() - start_ms);
	for (i = 0; i < MAX_ERRORS && errors[i].count; i++)
		printf("%s=%u\n", errors[i].name, errors[i].count);
	if (stuck || corrupt)
		return 1;
	return !config.may_fail && (failed || stray);
}
