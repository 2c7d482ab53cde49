/* SPDX-License-Identifier: GPL-2.0 */
/* Big-endian fields at any address: headers and options know no alignment. */
#ifndef HS_CORE_OCTET_H
#define HS_CORE_OCTET_H

#include "types.h"

static inline u16 hs_get16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static inline u32 hs_get32(const u8 *p)
{
	return (u32)hs_get16(p) << 16 | hs_get16(p + 2);
}

static inline void hs_put16(u8 *p, u16 value)
{
	p[0] = (u8)(value >> 8);
	p[1] = (u8)(value & 0xff);
}

static inline void hs_put32(u8 *p, u32 value)
{
	hs_put16(p, (u16)(value >> 16));
	hs_put16(p + 2, (u16)(value & 0xffff));
}

#endif /* HS_CORE_OCTET_H */
