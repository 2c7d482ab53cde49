#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The debug kernel and that for races report what they are for: each fault of
# seeded.ko is seen by what decides whether a test has failed. Some checks end
# with their first report, so that this test has a machine of its own. A corrupt
# list is not tried: the machine is lost by it, which nobody overlooks.
# shellcheck disable=SC2317 # the functions are run by check
# shellcheck source=selftests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/vm/guest/log.sh
. "$(dirname "$0")/../vm/log.sh"

# Kind and what the complaint says. Those of locks come first: the checks of locks
# end with an inversion, and with what KASAN reports.
faults=(
	"sleep_in_atomic BUG: sleeping function called from invalid context"
	"rcu WARNING: suspicious RCU usage"
	"lock_inversion WARNING: possible circular locking dependency detected"
	"use_after_free BUG: KASAN: use-after-free in seeded_read"
	"double_free BUG: KASAN: double-free in kfree"
	"out_of_bounds BUG: KASAN: slab-out-of-bounds in seeded_read"
	"reference refcount_t: addition on 0; use-after-free"
	"armed_timer ODEBUG: free active .* object type: timer_list"
	"twice_rcu ODEBUG: activate active .* object type: rcu_head"
)

# reported KIND PATTERN
reported()
{
	local complaints

	bad_log >/dev/null
	insmod seeded.ko kind="$1" || return 1
	complaints=$(bad_log)
	rmmod seeded
	grep -q "$2" <<<"$complaints" && return
	printf '# %s\n' "${complaints:-no complaint}"
	return 1
}

# A leak is seen by a scan, and nothing else is.
leaked()
{
	local found

	leaks >/dev/null
	insmod seeded.ko kind=leak || return 1
	found=$(leaks)
	rmmod seeded
	grep -q "seeded_alloc" <<<"$found"
}

no_leak()
{
	[ -z "$(leaks)" ]
}

calm()
{
	[ -z "$(bad_log)$(blind)" ]
}

cd "$(dirname "$0")" || exit 1
if [ -e /sys/kernel/debug/kcsan ]; then
	tap_plan 2
	check "LC7 a quiet kernel is not complained of" calm
	check "LC7 race is reported" \
		reported race "BUG: KCSAN: data-race in seeded_count"
	finish
fi
tap_plan $((${#faults[@]} + 4))
check "LC7 a quiet kernel is not complained of" calm
check "LC7 leak is reported" leaked
check "LC7 nothing else leaks" no_leak
for fault in "${faults[@]}"; do
	check "LC7 ${fault%% *} is reported" reported "${fault%% *}" "${fault#* }"
done
check "LC7 lockdep is blind after its report, and that is seen" \
	test -n "$(blind)"
# what was seen is no failure of this test
bad_log >/dev/null
finish
