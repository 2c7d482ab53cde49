/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few types that the core needs, so that the same sources build into the
 * module and into userspace tests, fuzzers and proofs.
 */
#ifndef HS_CORE_TYPES_H
#define HS_CORE_TYPES_H

#ifdef __KERNEL__
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
#endif

#endif /* HS_CORE_TYPES_H */
