# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# What connection tracking in one namespace thinks of the handshakes there, on top
# of net.sh.

# strict_conntrack NS: it may not guess, it must have seen every step; what it
# complains of is counted from here
strict_conntrack()
{
	in_ns "$1" sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0 \
		net.netfilter.nf_conntrack_tcp_be_liberal=0
	in_ns "$1" conntrack -F >/dev/null 2>&1
	conntrack_errors "$1" >"$work/errors"
}

# conntrack_errors NS: what counts in conntrack -S as something amiss, and how
# often it has happened
conntrack_errors()
{
	in_ns "$1" conntrack -S | tr ' ' '\n' | awk -F= '
		/^(invalid|insert_failed|drop|early_drop|error)=/ {
			sum[$1] += $2
		}
		END {
			for (name in sum)
				print name, sum[name]
		}' | sort
}

# all_valid NS: no packet was INVALID, by two rules that count those
all_valid()
{
	local rules status=0

	rules=$(in_ns "$1" nft list ruleset)
	if [ "$(grep -c 'invalid counter packets 0 ' <<<"$rules")" != 2 ]; then
		echo "packets were INVALID:"
		echo "$rules"
		status=1
	fi
	if [ "$(conntrack_errors "$1")" != "$(<"$work/errors")" ]; then
		echo "conntrack has seen errors: before, now"
		cat "$work/errors"
		conntrack_errors "$1"
		status=1
	fi
	return "$status"
}

# guard_rules IN OUT: nothing passes but what conntrack takes for an answer, and what
# the rules IN and OUT let through; what is INVALID counts and is dropped
guard_rules()
{
	cat <<-END
		table inet guard {
			chain in {
				type filter hook input priority 0;
				policy drop;
				meta l4proto { 1, 58 } accept
				ct state invalid counter drop
				ct state established,related accept
				$1
			}
			chain out {
				type filter hook output priority 0;
				policy drop;
				meta l4proto { 1, 58 } accept
				ct state invalid counter drop
				ct state established,related accept
				$2
			}
		}
	END
}

# from_ports FIRST COMMAND...: connects from ports that no other test uses. Where
# an address is translated, cli does not know which of its ports are taken: of
# what was connected without, some may be in TIME-WAIT at either end.
from_ports()
{
	local status=0

	in_ns cli sysctl -qw net.ipv4.ip_local_port_range="$1 $(($1 + 999))"
	"${@:2}" || status=1
	in_ns cli sysctl -qw net.ipv4.ip_local_port_range="32768 60999"
	return "$status"
}
