// SPDX-License-Identifier: GPL-2.0
/*
 * The attractor of a generator in delay coordinates, as M. Zalewski drew them:
 * the last three differences of a series are a point in space. What can be
 * foreseen has a shape.
 */
#include <stdio.h>

#include "quality.h"

#define POINTS		1500
#define PANEL		300	/* in units of the picture */
#define PER_ROW		4
#define EDGE		110.0

/* -0.5 to 0.5, so that small steps are in the middle */
static double coordinate(u32 difference)
{
	return (s32)difference / 4294967296.0;
}

/* A cube seen from above a corner. */
static void project(double x, double y, double z, double *at)
{
	at[0] = PANEL / 2.0 + (x - y) * EDGE;
	at[1] = PANEL / 2.0 + 16 + (x + y) * EDGE * 0.5 - z * EDGE;
}

static void draw_edge(FILE *file, int from, int to)
{
	double a[2], b[2];

	project((from & 1) - 0.5, (from >> 1 & 1) - 0.5, (from >> 2) - 0.5, a);
	project((to & 1) - 0.5, (to >> 1 & 1) - 0.5, (to >> 2) - 0.5, b);
	fprintf(file, "<path class=\"e\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n",
		a[0], a[1], b[0], b[1]);
}

static void draw_panel(FILE *file, const struct generator *generator, int n)
{
	u32 isns[POINTS + 3];
	int from, bit, i;

	quality_sample(generator, BY_TIME, NULL, isns, POINTS + 3);
	fprintf(file, "<g transform=\"translate(%d %d)\">\n",
		n % PER_ROW * PANEL, n / PER_ROW * PANEL);
	for (from = 0; from < 8; from++)
		for (bit = 1; bit < 8; bit *= 2)
			if (!(from & bit))
				draw_edge(file, from, from | bit);
	fprintf(file, "<path class=\"p\" d=\"");
	for (i = 3; i < POINTS + 3; i++) {
		double at[2];

		project(coordinate(isns[i] - isns[i - 1]),
			coordinate(isns[i - 1] - isns[i - 2]),
			coordinate(isns[i - 2] - isns[i - 3]), at);
		fprintf(file, "M%.1f %.1fh0", at[0], at[1]);
	}
	fprintf(file, "\"/>\n<text x=\"%d\" y=\"22\">%s</text>\n</g>\n", PANEL / 2,
		generator->name);
}

bool quality_draw(const char *name)
{
	int rows = (GENERATORS + PER_ROW - 1) / PER_ROW;
	FILE *file = fopen(name, "w");
	int n;

	if (!file)
		return false;
	fprintf(file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\">\n"
		"<title>ISNs in delay coordinates</title>\n"
		"<style>text{font:16px sans-serif;text-anchor:middle}\n"
		".p{stroke:#1f5fa8;stroke-width:4;stroke-opacity:.5;stroke-linecap:round}\n"
		".e{stroke:#bbb;fill:none}</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		PER_ROW * PANEL, rows * PANEL);
	for (n = 0; n < GENERATORS; n++)
		draw_panel(file, &generators[n], n);
	fprintf(file, "</svg>\n");
	return fclose(file) == 0;
}
