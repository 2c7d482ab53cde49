# SPDX-License-Identifier: GPL-2.0
# The tool, its manual page and its completion.
TEST_PROGS += tool/usage.sh tool/tool.sh
TEST_GEN_FILES += tool/threeway.8 tool/threeway.bash \
	tool/threeway-monitor.8 tool/threeway-stat.8

$(OUTPUT)/tool/threeway%: ../tools/threeway%
	cp $< $@
