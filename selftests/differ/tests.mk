# SPDX-License-Identifier: GPL-2.0
# The native stack as oracle: packet scripts without and with claims.
TEST_GEN_PROGS += differ/differ
TEST_FILES += differ/scripts
LOCAL_HDRS += $(wildcard differ/*.h)
$(OUTPUT)/differ/differ: $(addprefix differ/,script.c generate.c play.c mib.c \
	compare.c allowed.c) $(addprefix wire/,packet.c notation.c peer.c rig.c \
	oracle.c client.c quote.c) $(LIBTHREEWAY)
