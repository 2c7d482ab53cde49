/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that are supported, by feature, so that the
 * rest has no conditional for it.
 */
#ifndef HS_COMPAT_H
#define HS_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0) || \
	LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#error "threeway supports Linux 6.1"
#endif

#if !IS_ENABLED(CONFIG_IPV6)
#error "threeway needs a kernel with CONFIG_IPV6"
#endif

#endif /* HS_COMPAT_H */
