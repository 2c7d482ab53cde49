# SPDX-License-Identifier: GPL-2.0
# The description of the ABI for syzkaller.
TEST_GEN_PROGS += syzkaller/abi

syzkaller_table := $(OUTPUT)/syzkaller/abi_table.h
syzkaller_sources := ../module/uapi/threeway.h \
	syzkaller/dev_threeway.txt.const syzkaller/dev_threeway.txt

$(syzkaller_table): syzkaller/abi.awk $(syzkaller_sources)
	@mkdir -p $(@D)
	awk -f $^ >$@

$(OUTPUT)/syzkaller/abi: syzkaller/abi.c $(syzkaller_table)
	$(CC) $(CFLAGS) -I$(@D) $< -o $@
