# SPDX-License-Identifier: GPL-2.0
# The tool, its manual pages and its completion.
TEST_PROGS += tool/usage.sh tool/ladder.sh tool/tool.sh tool/lab.sh
TEST_FILES += tool/recordings.sh tool/boxes.awk
TEST_GEN_FILES += tool/record tool/threeway_asan tool/threeway.bash \
	tool/threeway.8 tool/threeway-monitor.8 tool/threeway-stat.8 tool/threeway-lab.8

$(OUTPUT)/tool/record: tool/record.c $(LIBTHREEWAY)

# What reads recordings, with everything that finds a wrong access to memory.
tool_sources := $(wildcard ../tools/*.c ../tools/lib/*.c)
$(OUTPUT)/tool/threeway_asan: $(tool_sources) $(wildcard ../tools/*.h ../tools/lib/*.h)
	$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-static-libasan -static-libubsan $$(pkg-config --cflags json-c) \
		-o $@ $(tool_sources) $$(pkg-config --libs json-c) -lm

$(OUTPUT)/tool/threeway%: ../tools/threeway%
	cp $< $@
