// SPDX-License-Identifier: GPL-2.0
/* An Ethernet device: see tap.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tap.h"

const u8 tap_kernel[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 };
const u8 tap_peer[ETH_ALEN] = { 2, 0, 0, 0, 0, 2 };

int tap_add(struct peer *peer, const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	strcpy(request.ifr_name, name);
	check(peer, tap >= 0 && !ioctl(tap, TUNSETIFF, &request), "%s: %s",
	      name, strerror(errno));
	run("ip link set %s address 02:00:00:00:00:01 up", name);
	/* until IPv6 is ready as well */
	sleep_ms(10);
	return tap;
}

int tap_open(struct peer *peer)
{
	return tap_add(peer, "tap0");
}

bool tap_send(const struct peer *peer, int tap, const u8 *to, const u8 *from,
	      const u8 *raw, size_t len)
{
	struct ethhdr header;
	struct iovec parts[] = {
		{ .iov_base = &header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)raw, .iov_len = len },
	};

	memcpy(header.h_dest, to ?: tap_kernel, ETH_ALEN);
	memcpy(header.h_source, from ?: tap_peer, ETH_ALEN);
	header.h_proto = htons(peer->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	return writev(tap, parts, 2) > 0;
}

/* TCP; there is also what a host says to its neighbours. */
static bool is_segment(const struct peer *peer, const u8 *raw)
{
	const u8 *packet = raw + sizeof(struct ethhdr);

	return packet[0] >> 4 == (peer->family == AF_INET ? 4 : 6) &&
	       packet[peer->family == AF_INET ? 9 : 6] == IPPROTO_TCP;
}

bool tap_receive(struct peer *peer, int tap, struct packet *packet)
{
	u8 raw[2048];
	const struct ethhdr *header = (const struct ethhdr *)raw;
	const char *reason = NULL;
	ssize_t len;

	while ((len = read(tap, raw, sizeof(raw))) > 0) {
		if (!is_segment(peer, raw))
			continue;
		check(peer, packet_parse(packet, raw + sizeof(*header),
					 len - sizeof(*header), &reason),
		      "%s", reason);
		check(peer, !memcmp(header->h_dest, tap_peer, ETH_ALEN),
		      "to another station");
		check(peer, !memcmp(header->h_source, tap_kernel, ETH_ALEN),
		      "from another station");
		return true;
	}
	return false;
}
