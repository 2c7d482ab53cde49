# SPDX-License-Identifier: GPL-2.0
# Not tests: what "make demo" and "make pictures" show.
TEST_FILES += demo/demo.sh demo/packets.awk demo/pictures.sh demo/hand-out.sh
