/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: output, as text or as JSON
 *
 * A command says once what it shows:
 *
 *	print_begin(PRINT_TABLE);
 *	for each thing {
 *		print_record();
 *		print_u64("age_ms", "Age", ...);
 *	}
 *	return print_end();
 *
 * As JSON this is an array with an object for each record, and "age_ms" is a
 * name in it. As text the layout decides; the label is the word before the value
 * or the title above it, and with the label NULL the value stands alone.
 * Nothing is written before print_end().
 */
#ifndef _PRINT_H
#define _PRINT_H

#include <linux/types.h>
#include <stdbool.h>

enum print_layout {
	PRINT_LINES,	/* a record is a line: label value label value */
	PRINT_TABLE,	/* a record is a row below the labels */
	PRINT_LIST,	/* a field is a line: label value */
	PRINT_STREAM,	/* one record, a line without labels; JSON without the array */
};

/**
 * struct print_options - how to print
 * @json:	as JSON
 * @pretty:	JSON with line breaks and indentation
 * @color:	text with colours
 */
struct print_options {
	bool json;
	bool pretty;
	bool color;
};

extern struct print_options print_options;

void print_begin(enum print_layout layout);
/* STATUS_OK, or the exit code of the error that was printed. */
int print_end(void);

/* Writes out what is still in stdout; the same. */
int print_flush(void);

/* The fields that follow belong to a new record. */
void print_record(void);
/* As text they are words on a second line below a row of a table, ... */
void print_detail(void);
/* ... or behind a # at the end of a line. */
void print_comment(void);

void print_string(const char *key, const char *label, const char *value);
/* The same with another text for human readers; NULL leaves the field out there. */
void print_string_as(const char *key, const char *label, const char *value,
		     const char *text);
void print_u64(const char *key, const char *label, __u64 value);
void print_u64_as(const char *key, const char *label, __u64 value, const char *text);
/* For human readers only. */
void print_text(const char *label, const char *text);
/* Numbers with commas between them; in JSON an array. */
void print_numbers(const char *key, const char *label, const __u64 *values,
		   unsigned int count);
/* on or off; in JSON true or false. */
void print_switch(const char *key, const char *label, bool value);
/* Milliseconds; as text in seconds. */
void print_ms(const char *key, const char *label, __u64 value_ms);
/* The names whose bits are set in value; in JSON an array. */
void print_bits(const char *key, const char *label, const char * const *names,
		unsigned int count, __u32 value);
/* A string that is an address of the family, or AF_UNSPEC, for its colour. */
void print_address(const char *key, const char *label, int family, const char *value);

/**
 * struct print_endpoint - an address with a port
 * @address_key: JSON name of the address
 * @port_key:	JSON name of the port
 * @device_key:	JSON name of the interface
 * @label:	as everywhere
 * @family:	AF_INET or AF_INET6
 * @address:	the address
 * @device:	the interface, NULL for none
 * @port:	the port
 */
struct print_endpoint {
	const char *address_key;
	const char *port_key;
	const char *device_key;
	const char *label;
	int family;
	const char *address;
	const char *device;
	__u16 port;
};

void print_endpoint(const struct print_endpoint *endpoint);

#endif /* _PRINT_H */
