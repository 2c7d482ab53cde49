/* SPDX-License-Identifier: GPL-2.0 */
/* What an outsider can find out about a generator from its ISNs. */
#ifndef ISN_QUALITY_H
#define ISN_QUALITY_H

#include "generator.h"

/* Weaknesses, as bits. */
#define WEAK_VALUES	0x01	/* bytes of the ISNs are not uniform */
#define WEAK_STEPS	0x02	/* nor are those of their differences */
#define WEAK_BITS	0x04	/* a bit depends on that of a neighbour */
#define WEAK_REPEATS	0x08	/* too many or too few come twice */
#define WEAK_SECRET	0x10	/* another secret gives related ISNs */

/* How the neighbours of a series of ISNs differ. */
enum series {
	BY_PORT,		/* at one moment */
	BY_ADDRESS,		/* at one moment */
	BY_TIME,		/* a connection a millisecond, ports in turn */
	SERIES
};

extern const char *const series_names[SERIES];

/* The first @count ISNs of a series. */
void quality_sample(const struct generator *generator, enum series series,
		    const struct siphash_secret *secret, u32 *isns, u32 count);

/* Return: WEAK_* that @count ISNs of a series show; @room: 2 * @count. */
u32 quality_weaknesses(const struct generator *generator, enum series series,
		       u32 *room, u32 count);

/* Return: whether the pictures of the generators are in the file. */
bool quality_draw(const char *file);

#endif /* ISN_QUALITY_H */
