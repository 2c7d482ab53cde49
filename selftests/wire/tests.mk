# SPDX-License-Identifier: GPL-2.0
# Raw-packet tests: the peer of a connection is played over a tun device.
wire_programs := matrix synrcvd queue listen options ip complete isn \
	native timer events synsent synopen syntimer simopen hold holdpair \
	icmp icmp_flow observe timewait fastopen address abuse left bpf \
	cpu link mib mark ecn busy vrf smc wrap handoff unlike cookie early early_late \
	claims keepalive tuple early_like early_route choice log close icmp_ip reroute \
	header
wire_tests := $(wire_programs:%=wire/wire_%)
wire_library := $(addprefix wire/,packet.c notation.c peer.c rig.c oracle.c client.c \
	quote.c kinds.c mib.c)

TEST_GEN_PROGS += $(wire_tests)
LOCAL_HDRS += wire/packet.h wire/peer.h wire/wire.h wire/client.h wire/quote.h
LOCAL_HDRS += wire/kinds.h wire/mib.h
$(wire_tests:%=$(OUTPUT)/%): $(wire_library) $(LIBTHREEWAY)
$(OUTPUT)/wire/wire_bpf $(OUTPUT)/wire/wire_early_late \
$(OUTPUT)/wire/wire_unlike: wire/sockops.c
bpf_tests := $(addprefix $(OUTPUT)/wire/wire_,bpf early_late unlike choice link)
$(bpf_tests): wire/program.c
$(bpf_tests): LDLIBS += $(shell pkg-config --libs libbpf)
LOCAL_HDRS += wire/sockops.h wire/program.h
$(OUTPUT)/wire/wire_early $(OUTPUT)/wire/wire_early_late \
$(OUTPUT)/wire/wire_early_like $(OUTPUT)/wire/wire_early_route: wire/early.c wire/tap.c
LOCAL_HDRS += wire/early.h wire/tap.h
$(OUTPUT)/wire/wire_matrix: wire/field.c wire/judge.c matrix/cells.c
LOCAL_HDRS += wire/field.h matrix/cells.h
