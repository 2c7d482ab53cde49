# SPDX-License-Identifier: GPL-2.0
# Socket tests: real servers and clients in namespaces joined by a veth.
net_helpers := net/sockscript net/tcpgen net/rawpeer net/pktlog \
	net/icmppeer net/connectrace

TEST_PROGS += $(patsubst %,net/net_%.sh,transfer equal firewall listener \
	unload unclaimed netns timewait sysctl \
	loss race connect connect_equal \
	connect_loss schedule errno simopen connect_race)
TEST_GEN_PROGS += net/net_ioctl net/net_ioctl_random net/net_ioctl32 \
	net/net_events net/net_events32 net/net_events_race
TEST_GEN_FILES += $(net_helpers)
TEST_FILES += net/net.sh net/connect.sh net/equal.sh net/conntrack.sh net/simopen.sh
LOCAL_HDRS += net/netutil.h net/sockdump.h net/sockevents.h

# Without a 32-bit compiler the test says so.
$(OUTPUT)/net/net_%32: net/net_%.c ../module/uapi/threeway.h
	@if echo 'int main(void) { return 0; }' | \
	    $(CC) -m32 -static -x c - -o $@ 2>/dev/null; then \
		$(CC) $(CFLAGS) -m32 -static $< -o $@; \
	else \
		printf '#!/bin/sh\necho "1..0 # SKIP %s"\nexit 4\n' \
			"no 32-bit compiler: install gcc-multilib" >$@ && \
		chmod +x $@; \
	fi

TEST_GEN_FILES += net/counter_names

# The names that the interface promises, in order.
$(OUTPUT)/net/counter_names: ../module/uapi/threeway.h
	sed -n 's/^\tX(\([a-z0-9_]*\)).*/\1/p' $< >$@

TEST_PROGS += net/net_selinux.sh net/net_tracepoints.sh
TEST_PROGS += net/net_observe.sh
TEST_FILES += net/net_wellformed.sh

TEST_GEN_PROGS += net/net_hash
LOCAL_HDRS += net/controlutil.h
TEST_GEN_PROGS += net/net_ioctl_hostile
LOCAL_HDRS += net/ioctlgen.h
TEST_PROGS += net/net_offload.sh
TEST_GEN_PROGS += net/net_ioctl_race
TEST_GEN_PROGS += net/net_proc_random
TEST_GEN_PROGS += net/net_users
TEST_PROGS += net/net_abuse.sh
TEST_PROGS += net/net_flood.sh net/net_cookie_hosts.sh
TEST_PROGS += net/net_connect_firewall.sh
TEST_PROGS += net/net_address.sh
TEST_PROGS += net/net_simopen_firewall.sh
TEST_PROGS += net/net_sysctl_limits.sh
