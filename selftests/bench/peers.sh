# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Who answers: each peer in a network namespace of its own, "b", with the load's
# device.

port=80
many=16777216
family=4

count_warnings()
{
	dmesg | grep -c -E 'WARNING:|BUG:|Call Trace|RCU.*stall' || true
}
warnings=$(count_warnings)

# set_up PEER: a namespace with the load's device, where PEER answers
set_up()
{
	peer=$1
	ip netns add b
	in_b insmod ./hs_load.ko
	ip -n b link set lo up
	ip -n b link set load0 up
	ip -n b address add 192.0.2.1/24 dev load0
	ip -n b route add default via 192.0.2.254 dev load0
	ip -n b address add 2001:db8::1/64 dev load0 nodad
	ip -n b route add default via 2001:db8::fe dev load0
	set_sysctl net.ipv4.tcp_max_syn_backlog=$many
	exec {load}<>/dev/hs_load
	"set_up_${peer//-/_}"
	do_load family "$family"
}

tear_down()
{
	[ ! -d /sys/module/threeway ] || check_engine
	exec {load}>&-
	[ ! -d /sys/module/hs_floor ] || rmmod hs_floor
	rmmod hs_load
	ip netns delete b
	# a namespace dies in the background
	[ ! -d /sys/module/threeway ] || rmmod threeway
	if [ "$(count_warnings)" -ne "$warnings" ]; then
		dmesg | tail -n 40
		exit 1
	fi
}

# The module that was built here goes before one that is installed.
load_threeway()
{
	if [ -e ./threeway.ko ]; then
		insmod ./threeway.ko
	else
		modprobe threeway
	fi
}

# Has the engine done its work, and left nothing of it to the native stack?
check_engine()
{
	in_b cat /proc/net/threeway/stat | awk -v peer="$peer" '
		function expect(name, peers)
		{
			if (!count[name] == (peer !~ "^(" peers ")$"))
				return
			print peer ": " name " " count[name] + 0
			bad = 1
		}
		$1 ~ /^native_/ && $2 > 0 { print peer ": " $0; bad = 1 }
		{ count[$1] = $2 }
		END {
			# an ACK with a cookie is a flow for a moment
			if (peer !~ /^(late|early)/)
				expect("flows_opened", \
					"threeway|passive|quick|observed|patient|claims")
			expect("sent_cookie", "late.*|early.*")
			expect("sent_cookie_early", "early.*")
			expect("sent_synack_early", "quick")
			exit bad
		}'
}

in_b()
{
	ip netns exec b "$@"
}

set_sysctl()
{
	in_b sysctl -q -w "$@"
}

set_up_native()
{
	set_sysctl net.ipv4.tcp_syncookies=0
}

set_up_native_cookies()
{
	set_sysctl net.ipv4.tcp_syncookies=2
}

set_up_synproxy()
{
	set_up_native
	in_b nft -f - <<-END
		table inet bench {
			chain raw {
				type filter hook prerouting priority raw;
				tcp dport $port tcp flags syn notrack
			}
			chain input {
				type filter hook input priority filter;
				tcp dport $port ct state { invalid, untracked } \
					synproxy mss 1460 wscale 7 timestamp sack-perm
				ct state invalid drop
			}
		}
	END
	set_sysctl net.netfilter.nf_conntrack_tcp_loose=0
}

set_up_drop()
{
	set_up_floor drop
}

set_up_bounce()
{
	set_up_floor bounce
}

set_up_arrival()
{
	set_up_floor arrival
}

set_up_reply()
{
	set_up_floor reply
}

set_up_hooks()
{
	set_up_floor hooks
}

# set_up_floor FLOOR: as floor.c names it
set_up_floor()
{
	set_up_native
	in_b insmod ./hs_floor.ko floor="$1"
}

# The module without a claim.
set_up_loaded()
{
	set_up_native
	load_threeway
}

set_up_unlimited()
{
	set_up_loaded
	set_sysctl net.threeway.max_syn_backlog=$many \
		net.threeway.max_flows=$many
}

set_up_threeway()
{
	set_up_unlimited
	threeway -n b claim add passive port "$port"
	threeway -n b claim add active port "$port"
}

set_up_passive()
{
	set_up_unlimited
	threeway -n b claim add passive port "$port"
}

# The flood path: always, or when the backlog is full.
set_up_late()
{
	set_up_unlimited
	claim_cookies always late
}

set_up_early()
{
	set_up_unlimited
	claim_cookies always early
}

# Flows, whose SYN-ACKs are sent early.
set_up_quick()
{
	set_up_unlimited
	threeway -n b claim add passive port "$port" synack_path early
}

set_up_late_auto()
{
	set_up_unlimited
	claim_cookies auto late
}

set_up_early_auto()
{
	set_up_unlimited
	claim_cookies auto early
}

# claim_cookies WHEN PATH
claim_cookies()
{
	threeway -n b claim add passive port "$port" cookies "$1" cookie_path "$2"
}

set_up_observed()
{
	set_up_unlimited
	threeway -n b claim add passive mode observe port "$port"
	threeway -n b claim add active mode observe port "$port"
}

set_up_other_port()
{
	set_up_unlimited
	threeway -n b claim add passive port $((port + 1))
	threeway -n b claim add active port $((port + 1))
}

# Flows that do not retransmit while they grow many.
set_up_patient()
{
	set_up_threeway
	set_sysctl net.threeway.rto_max_ms=120000 \
		net.threeway.rto_initial_ms=60000
}

# Claims for neighbours of the load's clients, of eight prefix lengths.
set_up_claims()
{
	set_up_threeway
	awk -v port="$port" 'BEGIN {
		for (i = 0; i < 9998; i++) {
			len = substr("3230282624222016", i % 8 * 2 + 1, 2)
			at = 198 * 2 ^ 24 + 20 * 2 ^ 16 + int(i / 8) * 2 ^ (32 - len)
			printf "claim add passive port %d remote %d.%d.%d.%d/%d\n",
				port, at / 2 ^ 24, at / 2 ^ 16 % 256,
				at / 2 ^ 8 % 256, at % 256, len
		}
	}' | threeway -n b -batch -
	[ "$(threeway -n b claim show | wc -l)" -ge 10000 ]
}

# do_load WORD...: tells the load what to do, and leaves what it found in "result"
do_load()
{
	if ! echo "$*" >&"$load" || ! read -r result <&"$load"; then
		echo "$peer: no $*"
		exit 1
	fi
}

# found NAME: this number of the result
found()
{
	awk -v name="$1" '{
		for (i = 1; i < NF; i += 2)
			if ($i == name)
				print $(i + 1)
	}' <<<"$result"
}

# count_memory: KiB that the kernel has allocated
count_memory()
{
	sysctl -q vm.stat_refresh=1
	awk '/^(Slab|VmallocUsed|Percpu|KernelStack|PageTables):/ { sum += $2 }
		END { print sum }' /proc/meminfo
}

# with PEER COMMAND...: in a namespace of its own
with()
{
	set_up "$1"
	do_load listen "$port"
	"${@:2}"
	tear_down
}
