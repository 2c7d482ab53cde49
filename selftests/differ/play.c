// SPDX-License-Identifier: GPL-2.0
/* Plays scripts: see play.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../wire/quote.h"
#include "play.h"

#define LOCAL_PORT	80
/* What follows the last step. */
#define TAIL_MS		300
/* The coarsest step of the timer wheel for timers of less than 128 s. */
#define WHEEL_MS	2048
/*
 * Until jiffies, which begin 300 s before they wrap, are 120 s past that, each
 * listener seems to have sent SYN cookies: at 0, when it was made.
 */
#define COOKIES_MS	(420 * 1000)

/* A script in play. */
struct play {
	struct peer *peer;
	const struct script *script;
	struct run *run;
	u64 start_ns;
	int fd;
	int events;
	u32 tsval;
	u32 tsval_first;
	bool stamped;
	bool fresh;
	u32 received;
	char sysctl[SCRIPT_SETTINGS][SCRIPT_TEXT];
};

static const struct {
	const char *name;
	int level;
	int option;
} option_names[] = {
	{ "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF },
	{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT },
	{ "TCP_MAXSEG", IPPROTO_TCP, TCP_MAXSEG },
	{ "TCP_SYNCNT", IPPROTO_TCP, TCP_SYNCNT },
	{ "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT },
	{ "TCP_WINDOW_CLAMP", IPPROTO_TCP, TCP_WINDOW_CLAMP },
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "# %s: %s\n", what, strerror(errno));
	abort();
}

const char *host_open(struct host *host, int family, bool with_engine)
{
	struct peer *peer = &host->peer;
	const char *lacking = peer_open(peer, family, with_engine);

	if (lacking)
		return lacking;
	host->netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	must(host->netns >= 0, "/proc/self/ns/net");
	/* no script learns from the one before */
	sysctl_set("net/ipv4/tcp_no_metrics_save", "1");
	peer_claim(peer, NULL);
	client_claim(peer, NULL);
	must(!peer->failures, "claims");
	/* until IPv6 has told its multicast groups to everybody */
	sleep_ms(5000);
	sleep_until_ms(COOKIES_MS);
	while (peer_receive(peer, 0))
		;
	return NULL;
}

void host_close(struct host *host)
{
	peer_close(&host->peer);
	close(host->netns);
}

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void sleep_until_ns(u64 ns)
{
	struct timespec until = {
		.tv_sec = ns / 1000000000,
		.tv_nsec = ns % 1000000000,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
		;
}

static void begin_isn(struct play *play, bool another)
{
	struct run *run = play->run;

	if (another)
		peer_note(play->peer, "  another ISN");
	if (run->isns < ISN_MAX)
		run->isn[run->isns++] = play->peer->iss;
	play->fresh = true;
}

/* One packet of the kernel, if there is one. */
static bool receive(struct play *play)
{
	struct peer *peer = play->peer;
	u32 tsval, tsecr, iss = peer->iss;
	bool known = peer->iss_known;

	/* numbers count from the latest SYN, and another ISN is told of */
	peer->iss_known = false;
	if (!peer_receive(peer, 0)) {
		peer->iss_known = known;
		return false;
	}
	if (peer->iss_known && (!known || peer->iss != iss))
		begin_isn(play, known);
	peer->iss_known |= known;
	if (peer->latest.icmp)
		return true;
	if (peer->latest.flags & FLAG_SYN)
		play->run->edge = 1 + peer->latest.window;
	if (packet_timestamps(&peer->latest, &tsval, &tsecr)) {
		if (!play->stamped)
			play->tsval = tsval;
		if (play->fresh)
			play->tsval_first = tsval;
		play->stamped = true;
		play->fresh = false;
		peer_note(peer, "  TSval ~%u", tsval - play->tsval);
	}
	return true;
}

static void wait_until(struct play *play, u64 at_ms)
{
	u64 until_ns = play->start_ns + at_ms * 1000000;
	struct pollfd fd = { .fd = play->peer->tun, .events = POLLIN };
	struct timespec left;
	u64 now;

	while ((now = now_ns()) < until_ns) {
		left.tv_sec = (until_ns - now) / 1000000000;
		left.tv_nsec = (until_ns - now) % 1000000000;
		if (ppoll(&fd, 1, &left, NULL) > 0)
			receive(play);
	}
}

/* The program reads what there is. */
static void read_all(struct play *play)
{
	static u8 data[PACKET_MAX];
	ssize_t len, i;

	while ((len = recv(play->fd, data, sizeof(data), MSG_DONTWAIT)) > 0) {
		for (i = 0; i < len; i++) {
			if (data[i] != stream_octet(1 + play->received + i))
				break;
		}
		play->received += len;
		peer_note(play->peer, "  read %zd octets%s", len,
			  i < len ? ", wrong ones" : "");
	}
	if (!len)
		peer_note(play->peer, "  read the end");
}

/* What the program sees. */
static void look(struct play *play)
{
	struct peer *peer = play->peer;
	struct pollfd fd = {
		.events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP,
	};
	int accepted;

	while (receive(play))
		;
	while (peer->listener >= 0 &&
	       (accepted = accept(peer->listener, NULL, NULL)) >= 0) {
		peer_note(peer, "  accepted");
		if (play->fd >= 0)
			close(play->fd);
		play->fd = accepted;
	}
	if (play->fd < 0)
		return;
	fd.fd = play->fd;
	if (poll(&fd, 1, 0) < 0 || fd.revents == play->events)
		return;
	play->events = fd.revents;
	peer_note(peer, "  events %#x", fd.revents);
	if ((fd.revents & POLLIN) && !(fd.revents & POLLERR))
		read_all(play);
	while (receive(play))
		;
}

/* With numbers for "@". */
static void expand(const struct play *play, const char *text, char *line)
{
	char *end = line + LINE_MAX_LEN - 16;
	u32 value;

	while (*text && line < end) {
		if (*text != '@') {
			*line++ = *text++;
			continue;
		}
		value = play->run->edge;
		text++;
		if (*text == '+' || *text == '-')
			value += strtol(text, (char **)&text, 10);
		line += sprintf(line, "%u", value);
	}
	*line = '\0';
}

static bool echoes_nothing(const struct play *play,
			   const struct packet *packet)
{
	u32 tsval, tsecr;

	return packet_timestamps(packet, &tsval, &tsecr) && tsecr &&
	       tsecr - play->tsval_first >
	       play->peer->tsval - play->tsval_first;
}

static void send_segment(struct play *play, unsigned int step,
			 const char *text)
{
	struct origin origin = { .tsval = play->peer->tsval };
	size_t header = play->peer->family == AF_INET ? 20 : 40;
	char line[LINE_MAX_LEN];
	struct pattern pattern;
	u8 raw[PACKET_MAX];
	size_t len;

	expand(play, text + 1 + (text[1] == '!'), line);
	packet_scan(&pattern, line, &origin);
	play->run->sent[step] = pattern.packet;
	play->run->is_segment[step] = true;
	play->run->bad_echo[step] = echoes_nothing(play, &pattern.packet);
	if (text[1] != '!') {
		peer_send(play->peer, "%s", line);
		return;
	}
	len = peer_prepare(play->peer, raw, "%s", line);
	raw[header + 16] ^= 0x55;
	peer_inject(play->peer, raw, len);
}

static void send_icmp(struct play *play, const char *text)
{
	struct icmp_error error;

	if (!strncmp(text, "hard", 4))
		error = hard_error(play->peer);
	else
		error = soft_error(play->peer);
	error.seq = atoi(text + 4);
	peer_icmp(play->peer, &error);
}

/* What the program does; false when that is no word for it. */
static bool use_socket(struct play *play, const char *text)
{
	static const u8 data[PACKET_MAX];
	ssize_t len;

	if (!strncmp(text, "send ", 5)) {
		len = send(play->fd, data, atoi(text + 5),
			   MSG_DONTWAIT | MSG_NOSIGNAL);
		peer_note(play->peer, "  send %zd %s", len,
			  len < 0 ? strerror(errno) : "");
	} else if (!strcmp(text, "shut")) {
		peer_note(play->peer, "  shutdown %d",
			  shutdown(play->fd, SHUT_WR));
	} else if (!strcmp(text, "close")) {
		peer_note(play->peer, "  close %d", close(play->fd));
		play->fd = -1;
	} else if (!strcmp(text, "unlisten")) {
		close(play->peer->listener);
		play->peer->listener = -1;
	} else {
		return !strcmp(text, "wait");
	}
	return true;
}

static void take_step(struct play *play, unsigned int i)
{
	const struct step *step = &play->script->step[i];

	wait_until(play, step->at_ms);
	look(play);
	peer_note(play->peer, "* %s", step->text);
	if (*step->text == '<') {
		send_segment(play, i, step->text);
	} else if (!strncmp(step->text, "icmp ", 5)) {
		send_icmp(play, step->text + 5);
	} else if (!use_socket(play, step->text)) {
		fprintf(stderr, "# no step: \"%s\"\n", step->text);
		abort();
	}
	look(play);
}

static void read_sysctl(const char *name, char *value)
{
	char path[SCRIPT_TEXT];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/%.200s", name);
	file = fopen(path, "r");
	must(file && fgets(value, SCRIPT_TEXT, file), path);
	fclose(file);
}

/* Sysctls before the script and, from play->sysctl, after it. */
static void set_sysctls(struct play *play, bool restore)
{
	char name[SCRIPT_TEXT], value[SCRIPT_TEXT];
	unsigned int i;

	for (i = 0; i < play->script->settings; i++) {
		if (sscanf(play->script->setting[i],
			   "sysctl %223s %223[^\n]", name, value) != 2)
			continue;
		if (!restore)
			read_sysctl(name, play->sysctl[i]);
		sysctl_set(name, "%s", restore ? play->sysctl[i] : value);
	}
}

static void set_option(int fd, const char *name, int value)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(option_names); i++) {
		if (strcmp(name, option_names[i].name))
			continue;
		must(!setsockopt(fd, option_names[i].level,
				 option_names[i].option, &value,
				 sizeof(value)), name);
		return;
	}
	errno = ENOENT;
	must(false, name);
}

static void set_options(const struct play *play, int fd)
{
	char name[SCRIPT_TEXT];
	unsigned int i;
	int value;

	for (i = 0; i < play->script->settings; i++) {
		if (sscanf(play->script->setting[i], "socket %223s %i", name,
			   &value) == 2)
			set_option(fd, name, value);
	}
}

static void begin(struct play *play, u64 phase_ms)
{
	struct peer *peer = play->peer;

	peer_flow(peer);
	if (play->script->irs_given)
		peer->irs = play->script->irs;
	if (play->script->port >= 0)
		peer->header.sport = play->script->port;
	peer->acked = peer->irs + 1;
	peer->opens = play->script->active;
	peer->header.dport = LOCAL_PORT;
	if (play->script->active) {
		play->fd = client_socket(peer);
		set_options(play, play->fd);
	} else {
		set_options(play, peer_listen(peer, 64));
	}
	play->start_ns = (now_ns() / (WHEEL_MS * 1000000ULL) + 1) *
			 (WHEEL_MS * 1000000ULL) + phase_ms * 1000000ULL;
	sleep_until_ns(play->start_ns);
	peer->start_ms = play->start_ns / 1000000;
	if (play->script->active) {
		peer_note(peer, "* connect");
		client_connect(peer, play->fd);
		look(play);
	}
}

/* Nothing is left that could send or count later. */
static void finish(struct play *play)
{
	struct linger linger = { .l_onoff = 1 };
	struct peer *peer = play->peer;

	peer_note(peer, "* the end");
	if (play->fd >= 0)
		client_note(peer, play->fd);
	peer_send(peer, "R =%u", peer->acked);
	look(play);
	if (play->fd >= 0) {
		setsockopt(play->fd, SOL_SOCKET, SO_LINGER, &linger,
			   sizeof(linger));
		close(play->fd);
	}
	if (peer->listener >= 0)
		close(peer->listener);
	peer->listener = -1;
	play->fd = -1;
	look(play);
}

static u64 counter(struct play *play, enum threeway_counter counter)
{
	return peer_counter(play->peer, counter);
}

void host_play(struct host *host, const struct script *script, u64 phase_ms,
	       struct run *run)
{
	struct play play = {
		.peer = &host->peer,
		.script = script,
		.run = run,
		.fd = -1,
	};
	u64 opened, handed_over;
	unsigned int i;
	u32 end_ms = 0;
	struct mib before;

	must(!setns(host->netns, CLONE_NEWNET), "setns");
	memset(run->is_segment, 0, sizeof(run->is_segment));
	memset(run->bad_echo, 0, sizeof(run->bad_echo));
	run->seen.count = 0;
	run->edge = 65536;
	run->isns = 0;
	host->peer.transcript = &run->seen;
	set_sysctls(&play, false);
	mib_read(&before);
	opened = counter(&play, THREEWAY_C_flows_opened);
	handed_over = counter(&play, THREEWAY_C_flows_handed_over);
	begin(&play, phase_ms);
	for (i = 0; i < script->steps; i++) {
		take_step(&play, i);
		end_ms = script->step[i].at_ms;
	}
	wait_until(&play, end_ms + TAIL_MS);
	look(&play);
	finish(&play);
	mib_read(&run->mib);
	mib_since(&run->mib, &before);
	run->claimed = counter(&play, THREEWAY_C_flows_opened) - opened;
	run->handed_over = counter(&play, THREEWAY_C_flows_handed_over) -
			   handed_over;
	set_sysctls(&play, true);
	host->peer.transcript = NULL;
}
