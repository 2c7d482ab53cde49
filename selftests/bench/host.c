// SPDX-License-Identifier: GPL-2.0
/* Sockets of the host: a listener, and those that come and go with a batch. */
#include <linux/err.h>
#include <linux/in.h>
#include <linux/net.h>
#include <net/sock.h>

#include "load.h"

static struct socket *hs_listener;

struct socket *hs_host_socket(void)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(hs_peer_net(), hs_peer_family(), SOCK_STREAM,
			       IPPROTO_TCP, &sock);
	return err ? ERR_PTR(err) : sock;
}

int hs_host_listen(u16 port, int backlog)
{
	struct sockaddr_in6 any = {
		.sin6_family = hs_peer_family(),
		.sin6_port = htons(port),
	};
	int err;

	hs_host_close();
	hs_listener = hs_host_socket();
	if (IS_ERR(hs_listener)) {
		err = PTR_ERR(hs_listener);
		hs_listener = NULL;
		return err;
	}
	err = kernel_bind(hs_listener, (struct sockaddr *)&any, sizeof(any));
	return err ?: kernel_listen(hs_listener, backlog);
}

struct socket *hs_host_accept(void)
{
	struct socket *sock;
	int err;

	err = kernel_accept(hs_listener, &sock, O_NONBLOCK);
	return err ? ERR_PTR(err) : sock;
}

/* Without a FIN, so that nothing of the connection stays. */
void hs_host_abort(struct socket *sock)
{
	sock_no_linger(sock->sk);
	sock_release(sock);
}

void hs_host_close(void)
{
	if (hs_listener)
		sock_release(hs_listener);
	hs_listener = NULL;
}
