# SPDX-License-Identifier: GPL-2.0
# The tool, its manual page and its completion.
TEST_PROGS += tool/usage.sh tool/tool.sh
TEST_GEN_FILES += tool/threeway.8 tool/threeway.bash

$(OUTPUT)/tool/threeway.%: ../tools/threeway.%
	cp $< $@
