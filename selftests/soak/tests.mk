# SPDX-License-Identifier: GPL-2.0
# Everything at once; for hours by "make soak".
TEST_PROGS += soak/soak.sh
TEST_GEN_FILES += soak/storm
LOCAL_HDRS += net/rawseg.h
