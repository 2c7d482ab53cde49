# SPDX-License-Identifier: GPL-2.0
# The tool, its manual page and its completion.
TEST_PROGS += tool/usage.sh tool/tool.sh
TEST_GEN_FILES += $(OUTPUT)/tool/threeway.8 $(OUTPUT)/tool/threeway.bash

$(OUTPUT)/tool/threeway.%: ../tools/threeway.%
	cp $< $@
