// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: output, as text or as JSON
 *
 * Text is kept as rows of cells until the end, when the width of every column
 * is known. A line without columns is a row with one cell.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "error.h"
#include "print.h"
#include "tool.h"

#define COLUMNS_MAX	16
#define GAP		2	/* blanks between columns */

/**
 * struct text - a string that grows
 * @bytes:	the string, NULL when empty
 * @length:	its bytes
 * @width:	its columns on the screen: without colour codes
 */
struct text {
	char *bytes;
	size_t length;
	size_t width;
};

/**
 * struct row - a line of text
 * @cells:	its cells
 * @count:	how many
 * @detail:	the line below
 */
struct row {
	struct text cells[COLUMNS_MAX];
	unsigned int count;
	struct text detail;
};

/**
 * struct column - what the cells of a column share
 * @title:	label above the column
 * @width:	the widest cell
 * @number:	flush right
 */
struct column {
	const char *title;
	size_t width;
	bool number;
};

struct print_options print_options;

static enum print_layout layout;
static bool in_detail;
static struct json_object *root, *record;
static struct row *rows;
static size_t row_count, row_room;
static struct column columns[COLUMNS_MAX];

static void *need(void *memory)
{
	if (!memory)
		exit(failure("out of memory"));
	return memory;
}

__printf(3, 4)
static void text_add(struct text *text, const char *color, const char *format, ...)
{
	bool colored = color && print_options.color;
	char *added, *escaped = NULL;
	va_list args;
	int width;

	va_start(args, format);
	width = vasprintf(&added, format, args);
	va_end(args);
	if (width < 0)
		need(NULL);
	if (colored && asprintf(&escaped, "%s%s\033[0m", color, added) < 0)
		need(NULL);
	if (colored) {
		free(added);
		added = escaped;
	}

	text->bytes = need(realloc(text->bytes, text->length + strlen(added) + 1));
	strcpy(text->bytes + text->length, added);
	text->length += strlen(added);
	text->width += width;
	free(added);
}

static struct row *last_row(void)
{
	return &rows[row_count - 1];
}

static void add_row(void)
{
	if (row_count == row_room) {
		row_room = row_room * 2 + 64;
		rows = need(reallocarray(rows, row_room, sizeof(*rows)));
	}
	memset(&rows[row_count++], 0, sizeof(*rows));
}

static struct text *add_cell(const char *title, bool number)
{
	struct row *row = last_row();
	struct column *column = &columns[row->count];

	column->title = title;
	column->number = number;
	return &row->cells[row->count++];
}

/* Words go one after the other, each field with its label before it. */
static struct text *add_word(struct text *line, const char *label)
{
	if (line->length)
		text_add(line, NULL, " ");
	if (label && layout != PRINT_STREAM)
		text_add(line, NULL, "%s ", label);
	return line;
}

/* Where the text of a field goes. */
static struct text *add_field(const char *label, bool number)
{
	if (in_detail)
		return add_word(&last_row()->detail, label);

	switch (layout) {
	case PRINT_LINES:
	case PRINT_STREAM:
		return add_word(&last_row()->cells[0], label);
	case PRINT_LIST:
		add_row();
		text_add(add_cell(NULL, false), NULL, "%s", label);
		return add_cell(NULL, number);
	case PRINT_TABLE:
		break;
	}
	return add_cell(label, number);
}

static void add_json(const char *key, struct json_object *value)
{
	json_object_object_add(record, key, need(value));
}

void print_begin(enum print_layout new_layout)
{
	layout = new_layout;
	memset(columns, 0, sizeof(columns));
	if (print_options.json)
		root = need(json_object_new_array());
}

void print_record(void)
{
	in_detail = false;
	if (print_options.json) {
		record = need(json_object_new_object());
		json_object_array_add(root, record);
	} else if (layout != PRINT_LIST) {
		add_row();
		if (layout == PRINT_LINES || layout == PRINT_STREAM)
			add_cell(NULL, false);
	}
}

void print_detail(void)
{
	in_detail = true;
}

void print_comment(void)
{
	if (!print_options.json)
		text_add(&last_row()->cells[0], NULL, "  #");
}

void print_string(const char *key, const char *label, const char *value)
{
	print_address(key, label, AF_UNSPEC, value);
}

void print_text(const char *label, const char *text)
{
	if (!print_options.json)
		text_add(add_field(label, false), NULL, "%s", text);
}

void print_string_as(const char *key, const char *label, const char *value,
		     const char *text)
{
	if (print_options.json)
		add_json(key, json_object_new_string(value));
	else if (text)
		print_text(label, text);
}

void print_u64_as(const char *key, const char *label, __u64 value, const char *text)
{
	if (print_options.json)
		add_json(key, json_object_new_uint64(value));
	else if (text)
		print_text(label, text);
}

void print_u64(const char *key, const char *label, __u64 value)
{
	if (print_options.json)
		add_json(key, json_object_new_uint64(value));
	else
		text_add(add_field(label, true), NULL, "%llu", (unsigned long long)value);
}

void print_numbers(const char *key, const char *label, const __u64 *values,
		   unsigned int count)
{
	struct json_object *array;
	struct text *text;
	unsigned int i;

	if (print_options.json) {
		array = need(json_object_new_array());
		for (i = 0; i < count; i++)
			json_object_array_add(array, need(json_object_new_uint64(values[i])));
		add_json(key, array);
		return;
	}
	text = add_field(label, false);
	for (i = 0; i < count; i++)
		text_add(text, NULL, "%s%llu", i ? "," : "", (unsigned long long)values[i]);
}

void print_switch(const char *key, const char *label, bool value)
{
	if (print_options.json)
		add_json(key, json_object_new_boolean(value));
	else
		text_add(add_field(label, false), NULL, "%s", value ? "on" : "off");
}

void print_ms(const char *key, const char *label, __u64 value_ms)
{
	if (print_options.json)
		add_json(key, json_object_new_uint64(value_ms));
	else
		text_add(add_field(label, true), NULL, "%llu.%03us",
			 (unsigned long long)value_ms / 1000, (unsigned int)(value_ms % 1000));
}

static void print_bits_text(struct text *text, const char * const *names,
			    unsigned int count, __u32 value)
{
	bool first = true;
	unsigned int bit;

	for (bit = 0; bit < count; bit++) {
		if (!(value & 1U << bit))
			continue;
		text_add(text, NULL, "%s%s", first ? "" : ",", names[bit]);
		first = false;
	}
	if (first)
		text_add(text, NULL, "none");
}

void print_bits(const char *key, const char *label, const char * const *names,
		unsigned int count, __u32 value)
{
	struct json_object *array;
	unsigned int bit;

	if (!print_options.json) {
		print_bits_text(add_field(label, false), names, count, value);
		return;
	}
	array = need(json_object_new_array());
	for (bit = 0; bit < count; bit++)
		if (value & 1U << bit)
			json_object_array_add(array, need(json_object_new_string(names[bit])));
	add_json(key, array);
}

static const char *family_color(int family)
{
	switch (family) {
	case AF_INET:
		return "\033[35m";
	case AF_INET6:
		return "\033[34m";
	default:
		return NULL;
	}
}

void print_address(const char *key, const char *label, int family, const char *value)
{
	if (print_options.json)
		add_json(key, json_object_new_string(value));
	else
		text_add(add_field(label, false), family_color(family), "%s", value);
}

void print_endpoint(const struct print_endpoint *endpoint)
{
	bool brackets = endpoint->family == AF_INET6;
	struct text *text;

	if (print_options.json) {
		add_json(endpoint->address_key, json_object_new_string(endpoint->address));
		if (endpoint->device)
			add_json(endpoint->device_key, json_object_new_string(endpoint->device));
		add_json(endpoint->port_key, json_object_new_int(endpoint->port));
		return;
	}
	text = add_field(endpoint->label, false);
	text_add(text, family_color(endpoint->family), "%s%s%s%s%s", brackets ? "[" : "",
		 endpoint->address, endpoint->device ? "%" : "",
		 endpoint->device ? endpoint->device : "", brackets ? "]" : "");
	text_add(text, NULL, ":%u", endpoint->port);
}

static int write_json(void)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;

	if (print_options.pretty)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	return puts(need((void *)json_object_to_json_string_ext(layout == PRINT_STREAM ?
								record : root, flags)));
}

static void widen_columns(void)
{
	unsigned int i;
	size_t r;

	for (i = 0; i < COLUMNS_MAX; i++)
		columns[i].width = columns[i].title ? strlen(columns[i].title) : 0;
	for (r = 0; r < row_count; r++)
		for (i = 0; i < rows[r].count; i++)
			if (columns[i].width < rows[r].cells[i].width)
				columns[i].width = rows[r].cells[i].width;
}

static void write_cell(unsigned int i, const char *bytes, size_t width, bool last)
{
	int blanks = columns[i].width - width;

	if (columns[i].number)
		printf("%*s%s", blanks, "", bytes);
	else
		printf("%s%*s", bytes, last ? 0 : blanks, "");
	printf("%*s", last ? 0 : GAP, "");
}

static void write_titles(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		write_cell(i, columns[i].title, strlen(columns[i].title), i + 1 == count);
	putchar('\n');
}

static void write_row(const struct row *row)
{
	unsigned int i;

	for (i = 0; i < row->count; i++)
		write_cell(i, row->cells[i].bytes ? row->cells[i].bytes : "",
			   row->cells[i].width, i + 1 == row->count);
	putchar('\n');
	if (row->detail.bytes)
		printf("\t%s\n", row->detail.bytes);
}

static void free_rows(void)
{
	unsigned int i;
	size_t r;

	for (r = 0; r < row_count; r++) {
		for (i = 0; i < rows[r].count; i++)
			free(rows[r].cells[i].bytes);
		free(rows[r].detail.bytes);
	}
	free(rows);
	rows = NULL;
	row_count = 0;
	row_room = 0;
}

int print_flush(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return STATUS_OK;
	/* Whoever read it has seen enough. */
	if (errno == EPIPE)
		return STATUS_FAILED;
	return failure("cannot write the output: %s", strerror(errno));
}

int print_end(void)
{
	size_t r;

	if (print_options.json) {
		write_json();
		json_object_put(root);
		root = NULL;
	} else {
		widen_columns();
		if (layout == PRINT_TABLE && row_count)
			write_titles(rows[0].count);
		for (r = 0; r < row_count; r++)
			write_row(&rows[r]);
		free_rows();
	}
	return print_flush();
}
