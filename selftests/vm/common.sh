# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts of this directory share: places, messages, lists.

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top_dir=$(cd "$vm_dir/../.." && pwd)
# shellcheck disable=SC2034 # used by those scripts
build_dir=$top_dir/build/vm
cache_dir=${THREEWAY_CACHE:-${XDG_CACHE_HOME:-~/.cache}/threeway}

say()
{
	echo "threeway: $*" >&2
}

die()
{
	say "$*"
	exit 1
}

# read_list FILE: its lines without comments
read_list()
{
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$1"
}

# The version of the installed headers decides which kernel is booted, so that
# image, headers and kselftest files are always of one version.
kernel_version()
{
	dpkg-query -W -f='${Version}' linux-headers-cloud-amd64 2>/dev/null
}

# The release name, as in uname -r.
kernel_release()
{
	dpkg-query -W -f='${Depends}' linux-headers-cloud-amd64 2>/dev/null |
		sed -n 's/.*linux-headers-\([^ ,]*-cloud-amd64\).*/\1/p'
}

# Where setup puts the image, its modules and the kselftest files.
kernel_dir()
{
	echo "$cache_dir/linux-$(kernel_version)"
}

# libraries_of FILE...: the paths of the shared libraries they load
libraries_of()
{
	ldd "$@" 2>/dev/null |
		sed -n 's/.*[[:space:]]\(\/[^ ]*\) (0x.*/\1/p' | sort -u
}
