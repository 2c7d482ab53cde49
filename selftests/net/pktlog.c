// SPDX-License-Identifier: GPL-2.0
/*
 * pktlog NETNS INTERFACE PORT FILE: writes the TCP segments to and from PORT to
 * FILE until it gets SIGTERM, in a form that two runs have in common: what is chosen
 * at random (ports, initial sequence numbers, timestamp offsets, flow labels)
 * is shown by how it relates to what was seen before. Prints its process id
 * when it is ready, and goes on in the background. With the word "raw" at the
 * end it writes the bytes of each SYN instead, as they are; with "times" for each
 * segment with SYN or RST the ports, the flags, the milliseconds since the first
 * one of these ports, and the sequence number. PORT 0 is every port then.
 */
#include "netutil.h"

#include <linux/if_packet.h>
#include <linux/tcp.h>
#include <net/ethernet.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>

#define MAX_CONNECTIONS		4096
#define MAX_TIMESTAMP_DRIFT	60000

/* What one side of a connection began with. */
struct side {
	bool seen;
	unsigned int isn, timestamp, last_timestamp, flow_label;
};

struct connection {
	unsigned int port;
	int version;
	unsigned long long first_ms;
	struct side client, server;
};

static struct connection connections[MAX_CONNECTIONS];
static unsigned int connection_count;
static unsigned short server_port;
static bool raw, times;
static FILE *out;

static struct connection *find(int version, unsigned int port)
{
	struct connection *c;
	unsigned int i;

	for (i = connection_count; i-- > 0;) {
		c = &connections[i];
		if (c->version == version && c->port == port)
			return c;
	}
	if (connection_count == MAX_CONNECTIONS)
		die("too many connections");
	c = &connections[connection_count++];
	c->version = version;
	c->port = port;
	return c;
}

static unsigned int read_32(const unsigned char *data)
{
	return (unsigned int)data[0] << 24 | data[1] << 16 | data[2] << 8 |
	       data[3];
}

/* Time may pass differently in two runs, but a clock must not jump. */
static void log_timestamp(const unsigned char *data, struct side *from,
			  const struct side *to)
{
	unsigned int value = read_32(data), echo = read_32(data + 4);

	if (!from->last_timestamp)
		from->timestamp = value;
	fprintf(out, " ts");
	if (value - from->timestamp > MAX_TIMESTAMP_DRIFT)
		fprintf(out, " jumps by %d", (int)(value - from->timestamp));
	if (!echo)
		fprintf(out, " echo 0");
	else if (echo - to->timestamp > to->last_timestamp - to->timestamp)
		fprintf(out, " echo unknown");
	from->last_timestamp = value;
}

static void log_options(const unsigned char *option, const unsigned char *end,
			struct side *from, const struct side *to)
{
	int i, length;

	fprintf(out, " options");
	while (option < end) {
		length = *option > 1 && option + 1 < end ? option[1] : 1;
		if (*option > 1 && (length < 2 || option + length > end)) {
			fprintf(out, " bad");
			return;
		}
		if (*option == 8 && length == 10) {
			log_timestamp(option + 2, from, to);
		} else {
			fprintf(out, " %u", *option);
			/* MPTCP keys and the edges of SACK blocks are random */
			for (i = 2; i < length && *option != 30 &&
			     *option != 5; i++)
				fprintf(out, ".%u", option[i]);
		}
		option += length;
	}
}

static void log_tcp(const unsigned char *data, size_t length,
		    struct connection *c, bool from_client)
{
	struct side *from = from_client ? &c->client : &c->server;
	struct side *to = from_client ? &c->server : &c->client;
	const struct tcphdr *tcp = (const void *)data;
	size_t header = tcp->doff * 4;

	if (!from->seen)
		from->isn = ntohl(tcp->seq);
	fprintf(out, " flags %02x seq %u", data[13],
		ntohl(tcp->seq) - from->isn);
	if (tcp->ack)
		fprintf(out, " ack %u", ntohl(tcp->ack_seq) - to->isn);
	fprintf(out, " win %u urg %u len %zu", ntohs(tcp->window),
		ntohs(tcp->urg_ptr), length - header);
	log_options(data + 20, data + header, from, to);
}

static void log_ip(const unsigned char *ip, struct connection *c,
		   bool from_client)
{
	struct side *from = from_client ? &c->client : &c->server;
	unsigned int label;

	fprintf(out, "%d.%ld %c", c->version, c - connections,
		from_client ? '>' : '<');
	if (c->version == 4) {
		fprintf(out, " tos %u ttl %u %s id %s", ip[1], ip[8],
			ip[6] & 0x40 ? "df" : "-", ip[4] || ip[5] ? "x" : "0");
		return;
	}
	label = read_32(ip) & 0xfffff;
	if (!from->seen)
		from->flow_label = label;
	fprintf(out, " tclass %u hops %u label %s", read_32(ip) >> 20 & 0xff,
		ip[7], !label ? "0" : label == from->flow_label ? "same" :
		"changed");
}

static void log_bytes(const unsigned char *data, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		fprintf(out, "%02x", data[i]);
	fputc('\n', out);
}

/* The two ports together tell the connections apart. */
static void log_time(int version, const struct tcphdr *tcp)
{
	unsigned short source = ntohs(tcp->source), dest = ntohs(tcp->dest);
	unsigned long long now = now_ms();
	struct connection *c;

	if (!tcp->syn && !tcp->rst)
		return;
	c = find(version, source < dest ? source << 16 | dest :
		 dest << 16 | source);
	if (!c->first_ms)
		c->first_ms = now;
	fprintf(out, "%d %u %u %02x %llu %u\n", version, source, dest,
		((const unsigned char *)tcp)[13], now - c->first_ms,
		ntohl(tcp->seq));
}

/* Of a long packet, only what is captured is there. */
static void log_packet(const unsigned char *ip, size_t captured, size_t length)
{
	int version = ip[0] >> 4;
	size_t header = version == 4 ? (ip[0] & 15) * 4 : 40;
	const struct tcphdr *tcp = (const void *)(ip + header);
	struct connection *c;
	bool from_client;
	size_t total;

	if (captured < header + 20 ||
	    (version == 4 ? ip[9] : ip[6]) != IPPROTO_TCP)
		return;
	total = version == 4 ? ip[2] << 8 | ip[3] : (ip[4] << 8 | ip[5]) + 40;
	if (total > length || total < header + tcp->doff * 4 ||
	    captured < header + tcp->doff * 4)
		return;
	from_client = tcp->dest == htons(server_port);
	if (server_port && !from_client && tcp->source != htons(server_port))
		return;
	if (times) {
		log_time(version, tcp);
		return;
	}
	if (raw) {
		if (tcp->syn && !tcp->ack)
			log_bytes(ip, total);
		return;
	}
	c = find(version, ntohs(from_client ? tcp->source : tcp->dest));
	log_ip(ip, c, from_client);
	log_tcp(ip + header, total - header, c, from_client);
	if (from_client)
		c->client.seen = true;
	else
		c->server.seen = true;
	fputc('\n', out);
}

/*
 * A ring, into which the kernel copies at once. What waits in the queue of a socket
 * instead is shared with the stack, which merges segments only while it has them
 * for itself; and then windows depend on how soon we read.
 */
#define FRAME_SIZE	2048
#define FRAMES		4096

struct tap {
	int fd;
	unsigned char *frames;
	unsigned int next;
};

static void open_tap(struct tap *tap, const char *interface)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(interface),
	};
	struct tpacket_req ring = {
		.tp_block_size = 32 * FRAME_SIZE,
		.tp_block_nr = FRAMES / 32,
		.tp_frame_size = FRAME_SIZE,
		.tp_frame_nr = FRAMES,
	};
	int version = TPACKET_V2;

	/* nothing is captured before bind() */
	tap->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (tap->fd < 0 ||
	    setsockopt(tap->fd, SOL_PACKET, PACKET_VERSION, &version,
		       sizeof(version)) ||
	    setsockopt(tap->fd, SOL_PACKET, PACKET_RX_RING, &ring,
		       sizeof(ring)))
		die("packet socket: %s", strerror(errno));
	tap->frames = mmap(NULL, FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE,
			   MAP_SHARED, tap->fd, 0);
	if (tap->frames == MAP_FAILED)
		die("packet ring: %s", strerror(errno));
	if (bind(tap->fd, (void *)&address, sizeof(address)))
		die("%s: %s", interface, strerror(errno));
}

/* Log the next packet. Return: false when there is none. */
static bool log_next(struct tap *tap)
{
	struct tpacket2_hdr *frame = (void *)(tap->frames +
					      tap->next * FRAME_SIZE);
	unsigned int status = __atomic_load_n(&frame->tp_status,
					      __ATOMIC_ACQUIRE);

	if (!(status & TP_STATUS_USER))
		return false;
	if (status & TP_STATUS_LOSING)
		fprintf(out, "packets are lost\n");
	log_packet((unsigned char *)frame + frame->tp_net, frame->tp_snaplen,
		   frame->tp_len);
	__atomic_store_n(&frame->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	tap->next = (tap->next + 1) % FRAMES;
	return true;
}

static int open_stop(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

static void log_until_stopped(struct tap *tap, int stop)
{
	struct pollfd wait[2] = {
		{ .fd = tap->fd, .events = POLLIN },
		{ .fd = stop, .events = POLLIN },
	};
	socklen_t length = sizeof(int);
	int error;

	do {
		poll(wait, 2, -1);
		while (log_next(tap))
			;
		/* the interface went down, or away: told until it is asked for */
		if (wait[0].revents & POLLERR)
			getsockopt(tap->fd, SOL_SOCKET, SO_ERROR, &error,
				   &length);
	} while (!wait[1].revents);
}

int main(int argc, char **argv)
{
	struct tap tap = { };
	pid_t child;
	int stop;

	if (argc != 5 && argc != 6)
		die("pktlog NETNS INTERFACE PORT FILE [raw|times]");
	raw = argc == 6 && !strcmp(argv[5], "raw");
	times = argc == 6 && !strcmp(argv[5], "times");
	enter_netns(argv[1]);
	server_port = atoi(argv[3]);
	out = fopen(argv[4], "w");
	if (!out)
		die("%s: %s", argv[4], strerror(errno));
	open_tap(&tap, argv[2]);
	stop = open_stop();
	child = fork();
	if (child) {
		printf("%d\n", child);
		return child < 0;
	}
	fclose(stdout);
	log_until_stopped(&tap, stop);
	return fclose(out) ? 1 : 0;
}
