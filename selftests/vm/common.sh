# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts of this directory share: places, messages, lists.

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top_dir=$(cd "$vm_dir/../.." && pwd)
# shellcheck disable=SC2034 # used by those scripts
build_dir=$top_dir/build/vm
# shellcheck disable=SC2034 # likewise
module_dir=$top_dir
cache_dir=${THREEWAY_CACHE:-${XDG_CACHE_HOME:-~/.cache}/threeway}

# Another kernel than the stock one: a directory with vmlinuz, its release name
# in "release", lib/modules and kselftest. What is built for it is kept apart.
if [ -n "${THREEWAY_KERNEL:-}" ]; then
	build_dir=$top_dir/build/$(basename "$THREEWAY_KERNEL" | cut -d- -f1)
	# shellcheck disable=SC2034 # likewise
	module_dir=$build_dir/module
fi

say()
{
	echo "threeway: $*" >&2
}

die()
{
	say "$*"
	exit 1
}

# read_list FILE...: their lines without comments
read_list()
{
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@"
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
	if [ -n "${THREEWAY_KERNEL:-}" ]; then
		cat "$THREEWAY_KERNEL/release"
		return
	fi
	dpkg-query -W -f='${Depends}' linux-headers-cloud-amd64 2>/dev/null |
		sed -n 's/.*linux-headers-\([^ ,]*-cloud-amd64\).*/\1/p'
}

# Where setup puts the image, its modules and the kselftest files.
kernel_dir()
{
	echo "${THREEWAY_KERNEL:-$cache_dir/linux-$(kernel_version)}"
}

# libraries_of FILE...: the paths of the shared libraries they load
libraries_of()
{
	ldd "$@" 2>/dev/null |
		sed -n 's/.*[[:space:]]\(\/[^ ]*\) (0x.*/\1/p' | sort -u
}

# apt ARGUMENT...: apt-get, silent unless it fails
apt()
{
	local log

	log=$(mktemp)
	if ! DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
	     -o DPkg::Lock::Timeout=120 -o APT::Sandbox::User=root \
	     --no-install-recommends "$@" </dev/null >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

# fetch PACKAGE DIR: unpacks a package of the wanted version into DIR
fetch()
{
	(cd "$2" && apt download "$1=$(kernel_version)") || return 1
	dpkg-deb -x "$2/$1"_*.deb "$2"
	rm -f "$2/$1"_*.deb
}
