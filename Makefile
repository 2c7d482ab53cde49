# SPDX-License-Identifier: GPL-2.0
#
# See "make help".

VM_KDIR = /lib/modules/$(shell . selftests/vm/common.sh && kernel_release)/build
KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) $(VM_KDIR))
VM := build/vm

SHELL := /bin/bash

all: module tool

module:
	@[ -d "$(KDIR)" ] || { echo "no kernel headers in \"$(KDIR)\":" \
		'"make setup" installs some, or name them by KDIR='; exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tool:
	$(MAKE) -C tools

install: all
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install \
		$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR))
	$(MAKE) -C tools install

setup:
	@selftests/vm/setup

lint: setup
	@selftests/lint/lint

# What the test machine boots, built for its kernel. Only one make at a time
# builds it.
vm: setup
	@mkdir -p $(VM)
	@flock $(VM)/lock $(MAKE) -s vm-parts

vm-parts:
	@echo "threeway: building for the test machine" >&2
	@$(MAKE) -s -j$$(nproc) KDIR=$(VM_KDIR) W=1 KCFLAGS=-Werror \
		CONFIG_DEBUG_INFO_BTF_MODULES= module tool
	@$(MAKE) -s -j$$(nproc) -C selftests all
	@rm -rf $(VM)/tests
	@$(MAKE) -s -C selftests install INSTALL_PATH=$(CURDIR)/$(VM)/tests
	@$(MAKE) -s $(VM)/base.cpio
	@selftests/vm/overlay $(VM)/overlay.cpio

# New or updated packages may change any program in it.
$(VM)/base.cpio: $(addprefix selftests/vm/,initramfs programs modules common.sh) \
		/var/lib/dpkg/status
	@selftests/vm/initramfs $@

check: $(if $(T),,lint) vm
	@selftests/vm/check $(T)

check-debug: vm
	@selftests/debug/check debug $(T)

check-race: vm
	@selftests/debug/check race $(T)

check-rt: vm
	@selftests/debug/check rt $(T)

tests: setup
	@printf '%s\n' core wellformed rules bench
	@$(MAKE) -s -C selftests list

rules:
	@selftests/rules/coverage renew

fuzz:
	@selftests/vm/setup selftests/fuzz/packages
	@selftests/fuzz/run $(or $(TIME),60)

fuzz-corpus:
	@selftests/vm/setup selftests/fuzz/packages
	@selftests/fuzz/run --pack

soak: vm
	@selftests/soak/run $(TIME)

prove:
	@selftests/vm/setup selftests/prove/packages
	@selftests/prove/run $(P)

coverage: setup
	@selftests/core/coverage

two-ends: setup
	@selftests/core/two-ends $(or $(ROUNDS),30)

isn: setup
	@selftests/isn/run

bench:
	@selftests/bench/run $(if $(HERE),here)

bench-smoke:
	@selftests/bench/run smoke

differ: vm
	@SEED=$(SEED) COUNT=$(COUNT) FILE=$(FILE) selftests/differ/run

demo: vm
	@selftests/demo/run

# Those of the README.
pictures: vm
	@selftests/demo/run pictures doc

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(MAKE) -C tools clean
	$(MAKE) -C selftests/core clean
	rm -rf build

help:
	@cat selftests/vm/help

.PHONY: all module tool install setup lint vm vm-parts check tests rules \
	fuzz fuzz-corpus demo pictures clean soak check-debug check-race \
	check-rt prove isn two-ends coverage bench bench-smoke differ help
