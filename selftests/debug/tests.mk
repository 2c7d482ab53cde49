# SPDX-License-Identifier: GPL-2.0
# Planned for a machine that only "make check-debug" starts, with debug/check's
# seeded.ko beside it.
TEST_PROGS += debug/seeded.sh
