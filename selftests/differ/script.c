// SPDX-License-Identifier: GPL-2.0
/* Packet scripts as text: see script.h. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

/* The line that begins the next script, once it has been read. */
static char pending[SCRIPT_TEXT];

static void bad_line(const char *line)
{
	fprintf(stderr, "# no line of a script: \"%s\"\n", line);
	abort();
}

void script_start(struct script *script, bool active, const char *format, ...)
{
	va_list args;

	memset(script, 0, sizeof(*script));
	script->active = active;
	script->port = -1;
	va_start(args, format);
	vsnprintf(script->name, sizeof(script->name), format, args);
	va_end(args);
}

void script_add(struct script *script, u32 after_ms, const char *format, ...)
{
	struct step *step = &script->step[script->steps];
	va_list args;

	if (script->steps == SCRIPT_STEPS) {
		fprintf(stderr, "# more than %u steps: %s\n", SCRIPT_STEPS,
			script->name);
		abort();
	}
	step->at_ms = after_ms;
	if (script->steps)
		step->at_ms += step[-1].at_ms;
	va_start(args, format);
	vsnprintf(step->text, sizeof(step->text), format, args);
	va_end(args);
	script->steps++;
}

void script_drop(struct script *script, unsigned int step)
{
	script->steps--;
	memmove(&script->step[step], &script->step[step + 1],
		(script->steps - step) * sizeof(struct step));
}

/* Without comment and surrounding space. "#" stands for nothing else. */
static char *strip(char *line)
{
	char *end;

	line[strcspn(line, "#\n")] = '\0';
	while (isspace((unsigned char)*line))
		line++;
	end = line + strlen(line);
	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
	return line;
}

static bool begins(const char *line, bool *active, const char **name)
{
	*active = !strncmp(line, "active ", 7);
	*name = line + (*active ? 7 : 8);
	return *active || !strncmp(line, "passive ", 8);
}

static void add_line(struct script *script, const char *line)
{
	unsigned int after_ms;
	int used;

	if (sscanf(line, "+%u %n", &after_ms, &used) == 1) {
		script_add(script, after_ms, "%s", line + used);
	} else if (!strncmp(line, "irs ", 4)) {
		script->irs = strtoul(line + 4, NULL, 0);
		script->irs_given = true;
	} else if (!strncmp(line, "port ", 5)) {
		script->port = atoi(line + 5);
	} else if ((!strncmp(line, "sysctl ", 7) ||
		    !strncmp(line, "socket ", 7)) &&
		   script->settings < SCRIPT_SETTINGS) {
		strcpy(script->setting[script->settings++], line);
	} else {
		bad_line(line);
	}
}

bool script_read(struct script *script, FILE *file)
{
	char buffer[SCRIPT_TEXT], *line;
	const char *name;
	bool active, started = false;

	for (;;) {
		if (*pending) {
			strcpy(buffer, pending);
			*pending = '\0';
		} else if (!fgets(buffer, sizeof(buffer), file)) {
			return started;
		}
		line = strip(buffer);
		if (begins(line, &active, &name)) {
			if (started) {
				strcpy(pending, line);
				return true;
			}
			script_start(script, active, "%s", name);
			started = true;
		} else if (*line && !started) {
			bad_line(line);
		} else if (*line) {
			add_line(script, line);
		}
	}
}

void script_print(const struct script *script, const char *prefix)
{
	unsigned int i;
	u32 last_ms = 0;

	printf("%s%s %s\n", prefix, script->active ? "active" : "passive",
	       script->name);
	if (script->irs_given)
		printf("%s\tirs %#x\n", prefix, script->irs);
	if (script->port >= 0)
		printf("%s\tport %d\n", prefix, script->port);
	for (i = 0; i < script->settings; i++)
		printf("%s\t%s\n", prefix, script->setting[i]);
	for (i = 0; i < script->steps; i++) {
		printf("%s\t+%u %s\n", prefix, script->step[i].at_ms - last_ms,
		       script->step[i].text);
		last_ms = script->step[i].at_ms;
	}
}
