# SPDX-License-Identifier: GPL-2.0
# Planned for machines that only "make check-debug" starts, with debug/check's
# modules beside it.
TEST_PROGS += debug/seeded.sh

fault_tests := $(addprefix debug/fault_,passive active calls start)
TEST_GEN_PROGS += $(fault_tests)
LOCAL_HDRS += debug/fault.h debug/fixture.h
$(fault_tests:%=$(OUTPUT)/%): CFLAGS += -Iwire
$(fault_tests:%=$(OUTPUT)/%): debug/fault.c $(LIBTHREEWAY) \
	$(addprefix wire/,packet.c notation.c peer.c rig.c oracle.c client.c \
		quote.c)
$(OUTPUT)/debug/fault_passive: wire/tap.c
