// SPDX-License-Identifier: GPL-2.0
/*
 * The statistics are normal with mean 0 and deviation 1 if the ISNs are random.
 * The secrets are fixed, so that the outcome is always the same.
 */
#include <math.h>
#include <stdlib.h>

#include "octet.h"
#include "quality.h"

/* One in 5 * 10^7 for random ISNs, at some hundred statistics. */
#define Z_MAX		5.5

#define LAGS		4

const char *const series_names[SERIES] = {
	[BY_PORT] = "ports",
	[BY_ADDRESS] = "addresses",
	[BY_TIME] = "times",
};

static const struct siphash_secret secrets[2] = {
	{ { 0x243f6a8885a308d3ULL, 0x13198a2e03707344ULL } },
	{ { 0xa4093822299f31d0ULL, 0x082efa98ec4e6c89ULL } },
};

void quality_sample(const struct generator *generator, enum series series,
		    const struct siphash_secret *secret, u32 *isns, u32 count)
{
	struct tuple tuple = { .family = 2 };
	u64 now_ns = 3600000000000ULL;
	u32 n;

	hs_put32(tuple.local, 0xc0000201);
	hs_put16(tuple.local_port, 443);
	for (n = 0; n < count; n++) {
		u32 address = series == BY_ADDRESS ? n : n >> 16;
		u32 port = series == BY_ADDRESS ? 40000 : n;

		hs_put32(tuple.remote, 0x0a000000 + address);
		hs_put16(tuple.remote_port, (u16)port);
		/* not a whole number of ticks: real ones are not, either */
		if (series == BY_TIME)
			now_ns += 1000003;
		isns[n] = generator->isn(&tuple, secret ? secret : secrets,
					 now_ns, n);
	}
}

/* The largest deviation of chi square among the four bytes, on either side. */
static double bytes_deviate(const u32 *values, u32 count, u32 step)
{
	double expected = (double)(count - step) / 256, most = 0;
	int byte, i;
	u32 n;

	for (byte = 0; byte < 4; byte++) {
		u32 seen[256] = { 0 };
		double chi = 0;

		for (n = step; n < count; n++) {
			u32 value = values[n] - (step ? values[n - step] : 0);

			seen[value >> 8 * byte & 0xff]++;
		}
		for (i = 0; i < 256; i++)
			chi += (seen[i] - expected) * (seen[i] - expected) /
			       expected;
		/* 255 degrees of freedom */
		most = fmax(most, fabs(chi - 255) / sqrt(2 * 255));
	}
	return most;
}

/* Of the bits that are the same in neighbours half should be. */
static double bits_deviate(const u32 *values, u32 count)
{
	double most = 0;
	u32 lag, n;
	int bit;

	for (lag = 1; lag <= LAGS; lag++) {
		u32 differ[32] = { 0 };
		double half = (double)(count - lag) / 2;

		for (n = lag; n < count; n++)
			for (bit = 0; bit < 32; bit++)
				differ[bit] += (values[n] ^ values[n - lag]) >>
					       bit & 1;
		for (bit = 0; bit < 32; bit++)
			most = fmax(most, fabs(differ[bit] - half) /
				    sqrt(half / 2));
	}
	return most;
}

static int compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* ISNs that come twice; @values get sorted. */
static double repeats_deviate(u32 *values, u32 count)
{
	double expected = (double)count * (count - 1) / 2 / 4294967296.0;
	u32 repeats = 0;
	u32 n;

	qsort(values, count, sizeof(*values), compare);
	for (n = 1; n < count; n++)
		repeats += values[n] == values[n - 1];
	return fabs(repeats - expected) / sqrt(expected);
}

u32 quality_weaknesses(const struct generator *generator, enum series series,
		       u32 *room, u32 count)
{
	u32 *other = room + count;
	u32 weak = 0;
	u32 n;

	quality_sample(generator, series, &secrets[0], room, count);
	if (bytes_deviate(room, count, 0) > Z_MAX)
		weak |= WEAK_VALUES;
	for (n = 1; n <= LAGS; n++)
		if (bytes_deviate(room, count, n) > Z_MAX)
			weak |= WEAK_STEPS;
	if (bits_deviate(room, count) > Z_MAX)
		weak |= WEAK_BITS;

	quality_sample(generator, series, &secrets[1], other, count);
	for (n = 0; n < count; n++)
		other[n] -= room[n];
	if (bytes_deviate(other, count, 0) > Z_MAX)
		weak |= WEAK_SECRET;
	if (repeats_deviate(room, count) > Z_MAX)
		weak |= WEAK_REPEATS;
	return weak;
}
