// SPDX-License-Identifier: GPL-2.0
/*
 * icmppeer NETNS INTERFACE DELAY-MS: answers each SYN that comes to a port from
 * 10000 on, so much later, by an ICMP error: port 10000 + 100 * TYPE + CODE by
 * that one, 20000 + ... by one that quotes a sequence number which was never sent,
 * 30000 + ... by one that quotes too little. Prints its process id when it is
 * ready, and goes on in the background.
 */
#include "netutil.h"

#include <linux/if_packet.h>
#include <linux/tcp.h>
#include <net/ethernet.h>
#include <stddef.h>

#define FIRST_PORT	10000
#define WRONG_PORT	20000
#define SHORT_PORT	30000
#define END_PORT	40000
#define MTU		1280
#define QUOTE_MAX	512

struct error {
	unsigned char type, code;
	unsigned short checksum;
	unsigned int rest;
	unsigned char quote[QUOTE_MAX];
};

static unsigned short checksum(const void *data, size_t length)
{
	const unsigned char *byte = data;
	unsigned int sum = 0;
	size_t i;

	for (i = 0; i < length; i++)
		sum += i & 1 ? byte[i] : byte[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static void send_error(int fd, const union address *to, struct error *error,
		       size_t quoted)
{
	size_t length = offsetof(struct error, quote) + quoted;

	if (to->sa.sa_family == AF_INET)
		error->checksum = checksum(error, length);
	if (sendto(fd, error, length, 0, &to->sa, address_length(to)) < 0)
		die("ICMP: %s", strerror(errno));
}

/* PACKET is a SYN of LENGTH bytes whose TCP header begins at HEADER. */
static void answer(int fd, const unsigned char *packet, size_t length,
		   size_t header)
{
	struct tcphdr *tcp = (void *)(packet + header);
	unsigned int port = ntohs(tcp->dest), number = port % 10000;
	bool v6 = packet[0] >> 4 == 6;
	union address to = { 0 };
	struct error error = {
		.type = number / 100,
		.code = number % 100,
		/* the MTU is half the field in IPv4 */
		.rest = htonl(MTU),
	};

	if (port < FIRST_PORT || port >= END_PORT)
		return;
	to.sa.sa_family = v6 ? AF_INET6 : AF_INET;
	if (v6)
		memcpy(&to.v6.sin6_addr, packet + 8, 16);
	else
		memcpy(&to.v4.sin_addr, packet + 12, 4);
	/* the gateway of a redirect */
	if (!v6 && error.type == 5)
		memcpy(&error.rest, packet + 16, 4);
	if (port >= WRONG_PORT && port < SHORT_PORT)
		tcp->seq = htonl(ntohl(tcp->seq) + 100000);
	if (port >= SHORT_PORT)
		length = header + 4;
	if (length > sizeof(error.quote))
		length = sizeof(error.quote);
	memcpy(error.quote, packet, length);
	send_error(fd, &to, &error, length);
}

static int open_tap(const char *interface)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(interface),
	};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC,
			htons(ETH_P_ALL));

	if (fd < 0 || bind(fd, (void *)&address, sizeof(address)))
		die("%s: %s", interface, strerror(errno));
	return fd;
}

int main(int argc, char **argv)
{
	static unsigned char packet[2048];
	const struct tcphdr *tcp;
	size_t header;
	unsigned int delay_ms;
	int tap, v4, v6;
	pid_t child;
	ssize_t n;

	if (argc != 4)
		die("icmppeer NETNS INTERFACE DELAY-MS");
	enter_netns(argv[1]);
	tap = open_tap(argv[2]);
	delay_ms = strtoul(argv[3], NULL, 0);
	v4 = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	v6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	if (v4 < 0 || v6 < 0)
		die("raw sockets: %s", strerror(errno));
	child = fork();
	if (child) {
		printf("%d\n", child);
		return child < 0;
	}
	fclose(stdout);
	while ((n = recv(tap, packet, sizeof(packet), 0)) > 0) {
		header = packet[0] >> 4 == 4 ? (packet[0] & 15) * 4 : 40;
		tcp = (void *)(packet + header);
		if (n < 60 || packet[packet[0] >> 4 == 4 ? 9 : 6] != IPPROTO_TCP)
			continue;
		if (!tcp->syn || tcp->ack)
			continue;
		if (delay_ms)
			usleep(delay_ms * 1000);
		answer(packet[0] >> 4 == 4 ? v4 : v6, packet, n, header);
	}
	return 1;
}
