// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: addresses and ports of a flow, and times
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>

#include "key.h"
#include "print.h"

static const char *format_address(const struct threeway_flow_key *key, bool local,
				  char buf[INET6_ADDRSTRLEN])
{
	return inet_ntop(key->family, local ? key->local : key->remote, buf,
			 INET6_ADDRSTRLEN) ? buf : "?";
}

/* The interface that is part of the key, or NULL. */
static const char *format_device(const struct threeway_flow_key *key, char buf[IF_NAMESIZE])
{
	if (!key->ifindex)
		return NULL;
	if (!if_indextoname(key->ifindex, buf))
		snprintf(buf, IF_NAMESIZE, "if%u", key->ifindex);
	return buf;
}

static __u16 port_of(const struct threeway_flow_key *key, bool local)
{
	return ntohs(local ? key->local_port : key->remote_port);
}

const char *key_format(const struct threeway_flow_key *key, bool local,
		       char buf[ENDPOINT_MAX])
{
	char address[INET6_ADDRSTRLEN], device[IF_NAMESIZE];
	const char *dev = local ? format_device(key, device) : NULL;
	bool brackets = key->family == AF_INET6;

	snprintf(buf, ENDPOINT_MAX, "%s%s%s%s%s:%u", brackets ? "[" : "",
		 format_address(key, local, address), dev ? "%" : "", dev ? dev : "",
		 brackets ? "]" : "", port_of(key, local));
	return buf;
}

void key_print_end(const struct threeway_flow_key *key, bool local)
{
	char address[INET6_ADDRSTRLEN], device[IF_NAMESIZE];
	struct print_endpoint endpoint = {
		.address_key = local ? "local" : "remote",
		.port_key = local ? "port" : "remote_port",
		.device_key = "dev",
		.label = local ? "Local Address:Port" : "Remote Address:Port",
		.family = key->family,
		.address = format_address(key, local, address),
		.device = local ? format_device(key, device) : NULL,
		.port = port_of(key, local),
	};

	print_endpoint(&endpoint);
}

void key_print(const struct threeway_flow_key *key)
{
	key_print_end(key, true);
	key_print_end(key, false);
}

const char *format_duration(__u64 ms, char buf[DURATION_MAX])
{
	unsigned long long seconds = ms / 1000;

	if (ms < 1000)
		snprintf(buf, DURATION_MAX, "%llums", (unsigned long long)ms);
	else if (ms < 10000 && ms % 1000 >= 100)
		snprintf(buf, DURATION_MAX, "%llu.%usec", seconds,
			 (unsigned int)(ms % 1000 / 100));
	else if (seconds < 60)
		snprintf(buf, DURATION_MAX, "%llusec", seconds);
	else if (seconds % 60 && seconds < 600)
		snprintf(buf, DURATION_MAX, "%llumin%llusec", seconds / 60, seconds % 60);
	else
		snprintf(buf, DURATION_MAX, "%llumin", seconds / 60);
	return buf;
}
