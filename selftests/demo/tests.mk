# SPDX-License-Identifier: GPL-2.0
# Not a test: what "make demo" shows.
TEST_FILES += demo/demo.sh demo/packets.awk
